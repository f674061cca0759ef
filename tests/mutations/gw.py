"""Mutations of gateways and their control."""

from __future__ import annotations

from tests import build
from tests.gateway_kit import add, descriptor, h248
from tests.mutations.harness import Mutation

UE, P_CSCF, S_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060), ("192.0.2.2", 5060)
CHARGING = ("P-Charging-Vector: icid-value=1", "P-Asserted-Identity: <sip:alice@example.org>")
LEFT, RIGHT = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
IN, OUT = ("192.0.2.40", 6000), ("192.0.2.41", 7000)


def fingerprint(octet: str) -> str:
    return f"a=fingerprint:SHA-256 {':'.join([octet] * 32)}"


def edge_call(*, core_key: bool = False) -> list[build.Packet]:
    """Audio to the access edge: SDES between UE and P-CSCF, in clear behind it."""
    access, far = (
        build.Dialog(caller=UE, callee=P_CSCF),
        build.Dialog(caller=P_CSCF, callee=S_CSCF, via=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa",)),
    )
    offer = build.sdp("192.0.2.10", build.audio(4000, "RTP/SAVP", build.crypto("ue"), "a=3ge2ae:requested"))
    answer = build.sdp("192.0.2.40", build.audio(5000, "RTP/SAVP", build.crypto("agw"), "a=3ge2ae:applied"))
    key = (build.crypto("ue"),) if core_key else ()
    onward = build.sdp("192.0.2.40", build.audio(6000, "RTP/SAVP" if core_key else "RTP/AVP", *key))
    back = build.sdp("192.0.2.50", build.audio(7000, "RTP/SAVP" if core_key else "RTP/AVP",
                                               *((build.crypto("far"),) if core_key else ())))  # fmt: skip
    script = [
        (0.05, far.request("INVITE", onward, headers=CHARGING), True),
        (0.4, far.response(200, "OK", back, headers=CHARGING), False),
    ]
    return build.in_time_order(build.call(offer, answer, dialog=access), build.carry(far, script))


def edge_chat(*, on_iq: str = "AB", protected: bool = True) -> list[build.Packet]:
    """A chat to the access edge, and the gateway control of its gateway in ESP."""

    def section(value: str, port: int, setup: str, *more: str) -> str:
        return build.media("message", port, "TCP/TLS/MSRP", "*", fingerprint(value), f"a=setup:{setup}", *more)

    talk = build.Dialog(caller=UE, callee=P_CSCF)
    offer = build.sdp("192.0.2.10", section("AB", 2855, "active", "a=3ge2ae:requested"))
    answer = build.sdp("192.0.2.40", section("EE", 2856, "passive"))
    told = descriptor("192.0.2.10", section(on_iq, 2855, "active"))
    return build.in_time_order(build.call(offer, answer, dialog=talk), h248(add(remote=told), esp=protected))


def anchored(*, key: str = "left") -> list[build.Packet]:
    """SRTP from end to end over a gateway that forwards it."""
    access, far = build.Dialog(caller=UE, callee=P_CSCF), build.Dialog(caller=P_CSCF, callee=("198.51.100.20", 5060))
    ways = (
        (access, LEFT, IN, 0.0),
        (far, OUT, RIGHT, 0.02),
    )
    legs = [
        build.call(
            build.sdp(one[0], build.audio(one[1], "RTP/SAVP", build.crypto("left"))),
            build.sdp(other[0], build.audio(other[1], "RTP/SAVP", build.crypto("right"))),
            dialog=talk, at=at,
        )
        for talk, one, other, at in ways
    ]  # fmt: skip
    media = [
        build.rtp_stream(LEFT, IN, 0xA, build.speech(200), srtp=build.Srtp(build.master_key("left"))),
        build.rtp_stream(OUT, RIGHT, 0xA, build.speech(200), at=1.004, srtp=build.Srtp(build.master_key(key))),
    ]
    return build.in_time_order(*legs, *media)


MUTATIONS = (
    Mutation(
        "the P-CSCF forwards the key of the access", edge_call, {"core_key": True}, frozenset({"IMS-GW-004"}),
        frozenset({"IMS-SIG-001", "IMS-SSRC-006"}),
    ),
    Mutation("Iq names another fingerprint", edge_chat, {"on_iq": "BB"}, frozenset({"IMS-GW-007"})),
    Mutation("gateway control leaves ESP", edge_chat, {"protected": False}, frozenset({"IMS-GW-010"})),
    Mutation(
        "a gateway encrypts anew", anchored, {"key": "gateway"}, frozenset({"IMS-GW-014"}),
        frozenset({"IMS-SRTP-016", "IMS-SSRC-002"}),
    ),
)  # fmt: skip
