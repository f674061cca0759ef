"""Mutations of descriptions: what offers and answers must not lack."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation

FINGERPRINTS = {name: f"a=fingerprint:SHA-256 {':'.join([name] * 32)}" for name in ("AB", "CD")}
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
UNDECIDED = frozenset({"IMS-PROF-005"})
SUITE_32 = "AES_CM_128_HMAC_SHA1_32"


def negotiated(
    *,
    encrypted: bool = True,
    offered: tuple[str, ...] = (build.crypto("alice"), build.crypto("alice 2", tag=2, suite=SUITE_32)),
    answered: tuple[str, ...] = (build.crypto("bob"),),
    chat: tuple[str, ...] = (),
    answered_transport: str = "RTP/SAVP",
) -> list[build.Packet]:
    """An offer and its answer inside ESP that encrypts (opened with a key) or not."""
    dialog = build.Dialog()
    offer = build.sdp("192.0.2.10", build.audio(4000, "RTP/SAVP", *offered), *_chat(chat))
    answer = build.sdp("198.51.100.20", build.audio(5000, answered_transport, *answered), *_chat(chat))
    ends = (build.ALICE, build.BOB)
    script = [
        (dialog.request("INVITE", offer), ends),
        (dialog.response(200, "OK", answer), ends[::-1]),
        (dialog.request("ACK"), ends),
    ]
    if not encrypted:
        return [(number * 0.1, build.udp(*way, data)) for number, (data, way) in enumerate(script)]
    return [
        (number * 0.1, build.esp_null(*way, data, spi=0x100 + (way[0] == build.BOB), sequence=number + 1, icv=12))
        for number, (data, way) in enumerate(script)
    ]


def _chat(attributes: tuple[str, ...]) -> tuple[str, ...]:
    return (build.media("message", 2855, "TCP/TLS/MSRP", "*", *attributes),) if attributes else ()


def chat_call(*, protected: bool = True) -> list[build.Packet]:
    """A chat whose fingerprints travel inside ESP with integrity."""
    return negotiated(
        encrypted=protected,
        offered=(FINGERPRINTS["AB"], "a=setup:actpass"),
        answered=(FINGERPRINTS["CD"], "a=setup:active"),
    )


def going_on(*, transport: str = "RTP/SAVP", keys: tuple[str, ...] = ("a2", "b2")) -> list[build.Packet]:
    """A call inside ESP whose keys a re-INVITE renews."""
    dialog = build.Dialog()
    ends = (build.ALICE, build.BOB)

    def described(host: str, port: int, proto: str, *seeds: str) -> bytes:
        return build.sdp(host, build.audio(port, proto, *map(build.crypto, seeds)))

    script = [
        (dialog.request("INVITE", described("192.0.2.10", 4000, "RTP/SAVP", "a")), ends),
        (dialog.response(200, "OK", described("198.51.100.20", 5000, "RTP/SAVP", "b")), ends[::-1]),
        (dialog.request("ACK"), ends),
        (dialog.request("INVITE", described("192.0.2.10", 4000, transport, *keys[:1]), in_dialog=True), ends),
        (dialog.response(200, "OK", described("198.51.100.20", 5000, transport, *keys[1:])), ends[::-1]),
        (dialog.request("ACK", in_dialog=True), ends),
    ]
    return [
        (number * 0.1, build.esp_null(*way, data, spi=0x100 + (way[0] == build.BOB), sequence=number + 1, icv=12))
        for number, (data, way) in enumerate(script)
    ]


def called_again(*, transport: str = "RTP/SAVP", keys: tuple[str, ...] = ("a2", "b2")) -> list[build.Packet]:
    """A call inside ESP that is refused, and one that follows with another offer."""
    first = build.Dialog(call_id="refused@test")
    second = build.Dialog(call_id="again@test")
    ends = (build.ALICE, build.BOB)

    def described(host: str, port: int, proto: str, *seeds: str) -> bytes:
        return build.sdp(host, build.audio(port, proto, *map(build.crypto, seeds)))

    script = [
        (0.0, first.request("INVITE", described("192.0.2.10", 4000, "RTP/SAVP", "a")), ends),
        (0.1, first.response(488, "Not Acceptable Here"), ends[::-1]),
        (0.2, first.request("ACK"), ends),
        (1.0, second.request("INVITE", described("192.0.2.10", 4000, transport, *keys[:1])), ends),
        (1.1, second.response(200, "OK", described("198.51.100.20", 5000, transport, *keys[1:])), ends[::-1]),
        (1.2, second.request("ACK"), ends),
        (60.0, second.request("BYE", in_dialog=True), ends),
    ]
    return [
        (at, build.esp_null(*way, data, spi=0x100 + (way[0] == build.BOB), sequence=number + 1, icv=12))
        for number, (at, data, way) in enumerate(script)
    ]


def pinged(*, icv: int = 12) -> list[build.Packet]:
    """Requests and responses inside ESP that no cipher hides."""
    dialog = build.Dialog()
    ends = (build.ALICE, build.BOB)
    packets = []
    for number in range(1, 9, 2):
        packets.append(build.esp_null(*ends, dialog.request("OPTIONS"), spi=0x100, sequence=number, icv=icv))
        packets.append(build.esp_null(*ends[::-1], dialog.response(200, "OK"), spi=0x200, sequence=number, icv=icv))
    return [(0.1 * number, packet) for number, packet in enumerate(packets)]


def keyed_call(*, keyed: bool = False) -> list[build.Packet]:
    """A call inside ESP that no cipher hides, with keys of MIKEY or in the description."""
    source = (build.crypto("a"), build.crypto("b")) if keyed else (MIKEY, MIKEY)
    return negotiated(offered=source[:1], answered=source[1:])


MUTATIONS = (
    Mutation("keys leave ESP", negotiated, {"encrypted": False}, frozenset({"IMS-SIG-001"})),
    Mutation("fingerprints leave ESP", chat_call, {"protected": False}, frozenset({"IMS-SIG-002"})),
    Mutation(
        "the answer turns protection off", negotiated, {"answered_transport": "RTP/AVP", "answered": ()},
        frozenset({"IMS-SIG-006"}), UNDECIDED,
    ),
    Mutation("nobody has keys", negotiated, {"offered": (), "answered": ()}, frozenset({"IMS-SIG-010"}), UNDECIDED),
    Mutation("the answer has no key", negotiated, {"answered": ()}, frozenset({"IMS-SIG-012"}), UNDECIDED),
    Mutation(
        "the answer chooses another suite under the same tag", negotiated,
        {"answered": (build.crypto("bob", suite=SUITE_32),)}, frozenset({"IMS-SIG-013"}),
        follows=frozenset({"IMS-SRTP-007"}),  # its tag of 32 bits is told as well
    ),
    Mutation("the answer chooses a tag of its own", negotiated, {"answered": (build.crypto("bob", tag=9),)},
             frozenset({"IMS-SIG-013"})),
    Mutation(
        "a re-INVITE turns protection off", going_on, {"transport": "RTP/AVP", "keys": ()}, frozenset({"IMS-SIG-008"}),
        UNDECIDED,
    ),
    Mutation(
        "a refused call is made again in clear", called_again, {"transport": "RTP/AVP", "keys": ()},
        frozenset({"IMS-SIG-009"}), UNDECIDED,
    ),
    Mutation(
        "ESP loses its check values", pinged, {"icv": 0}, frozenset({"IMS-SIG-004"}),
    ),
    Mutation("keys stand in ESP without encryption", keyed_call, {"keyed": True}, frozenset({"IMS-SIG-003"})),
)  # fmt: skip
