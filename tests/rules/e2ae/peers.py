"""UE, P-CSCF and gateway as tests of end-to-access-edge security need them: registrations, calls, TLS connections."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

from imsinspect.profiles import choose
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.conftest import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

UE, EDGE, CORE = ("192.0.2.10", 5060), ("192.0.2.1", 5060), ("203.0.113.1", 5060)
FAR = ("198.51.100.20", 5060)
UE_CHAT, EDGE_CHAT = ("192.0.2.10", 2855), ("192.0.2.2", 2856)
CORE_CHAT = ("203.0.113.9", 2857)
UE_CERTIFICATE, EDGE_CERTIFICATE, FOREIGN = b"certificate of the UE", b"certificate of the gateway", b"another one"
REQUESTED, APPLIED = "a=3ge2ae:requested", "a=3ge2ae:applied"
MIKEY = "a=key-mgmt:mikey AQ4FgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
ALL_TOKENS = ("sdes-srtp", "msrp-tls", "bfcp-tls")


def ask(rule: str, *captures: Sequence[build.Packet], profile: str = "auto", **scene: Any) -> Told:
    """What a rule says of captures; profiles are inferred, or what the user asks for."""
    audit = build.audit_bytes(*(build.pcap(packets) for packets in captures))
    assert not [note for note in audit.notes if note.text.startswith("rule ")]
    choices = choose(audit.trace, profile)
    found = Scene(profiles=choices.calls, conference_profiles=choices.conferences, **scene)
    evaluation = evaluate(audit.trace, found, [BY_ID[rule]])
    assert not evaluation.notes
    return Told(rule, evaluation)


# --- descriptions ---------------------------------------------------------------------------------


def fingerprint(certificate: bytes, name: str = "SHA-256") -> str:
    """The a=fingerprint line of a certificate."""
    digest = hashlib.new(name.replace("-", "").lower(), certificate).hexdigest().upper()
    return f"a=fingerprint:{name} " + ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def chat(
    end: build.Address, *attributes: str, proto: str = "TCP/TLS/MSRP", session: Sequence[str] = (), **more: int
) -> bytes:
    """A description of one MSRP line."""
    scheme = "msrps" if "TLS" in proto else "msrp"
    path = f"a=path:{scheme}://{end[0]}:{end[1]}/{end[1]};tcp"
    port = more.pop("port", end[1])
    return build.sdp(
        end[0], build.media("message", port, proto, "*", "a=accept-types:*", path, *attributes), session=session, **more
    )


def floor(end: build.Address, *attributes: str, proto: str = "TCP/TLS/BFCP", **more: int) -> bytes:
    """A description of one BFCP line."""
    return build.sdp(end[0], build.media("application", end[1], proto, "*", *attributes), **more)


def speech(end: build.Address, proto: str, *attributes: str) -> bytes:
    """A description of one audio line."""
    return build.sdp(end[0], build.audio(end[1], proto, *attributes))


OFFER = (REQUESTED, "a=setup:actpass", fingerprint(UE_CERTIFICATE))
ANSWER = ("a=setup:passive", fingerprint(EDGE_CERTIFICATE))


# --- SIP ------------------------------------------------------------------------------------------


def tokens(*names: str) -> str:
    """A list of mechanisms for media security."""
    return ", ".join(f"{name};mediasec" for name in names)


def registration(
    ue: Sequence[str] = ALL_TOKENS,
    network: Sequence[str] = ALL_TOKENS,
    *,
    at: float = -10.0,
    terminal: build.Address = UE,
    edge: build.Address = EDGE,
    user: str = "alice",
    removed: bool = False,
    accepted: bool = True,
) -> list[build.Packet]:
    """REGISTER, 401, REGISTER and 200 between UE and P-CSCF, each naming the mechanisms it supports."""
    talk = build.Dialog(
        caller=terminal, callee=edge, call_id=f"register-{user}-{at}", from_uri=f"sip:{user}@example.org",
        to_uri=f"sip:{user}@example.org", to_tag="registrar",
    )  # fmt: skip
    own = [f"Security-Client: ipsec-3gpp;alg=hmac-sha-1-96, {tokens(*ue)}"] if ue else []
    listed = f"ipsec-3gpp;alg=hmac-sha-1-96, {tokens(*network)}"
    lifetime = "Expires: 0" if removed else "Expires: 600000"
    script = [(at, talk.request("REGISTER", headers=[*own, lifetime], uri="sip:example.org"), True)]
    headers = [f"Security-Server: {listed}"] if network else []
    script.append((at + 0.1, talk.response(401, "Unauthorized", method="REGISTER", headers=headers), False))
    talk.cseq += 1
    echo = [*own, f"Security-Verify: {listed}", lifetime] if network else [*own, lifetime]
    script.append((at + 0.2, talk.request("REGISTER", headers=echo, uri="sip:example.org"), True))
    final = (200, "OK") if accepted else (403, "Forbidden")
    script.append((at + 0.3, talk.response(*final, method="REGISTER"), False))
    return build.carry(talk, script)


def from_ue(**more: object) -> build.Dialog:
    """A call of the UE, on the hop to its P-CSCF."""
    return build.Dialog(caller=UE, callee=EDGE, **more)  # type: ignore[arg-type]


def to_ue(**more: object) -> build.Dialog:
    """A call to the UE, on the hop from its P-CSCF."""
    return build.Dialog(caller=EDGE, callee=UE, from_uri="sip:bob@example.org", to_uri="sip:alice@example.org", **more)  # type: ignore[arg-type]


def call(
    offer: bytes,
    answer: bytes = b"",
    *,
    dialog: build.Dialog | None = None,
    at: float = 0.0,
    duration: float = 30.0,
    early: bytes = b"",
    headers: Sequence[str] = (),
    answer_headers: Sequence[str] = (),
    uri: str = "",
) -> list[build.Packet]:
    """A call, of the UE unless told otherwise; headers are those of INVITE and of 200. No answer, no 200."""
    talk = dialog or from_ue()
    script = [(at, talk.request("INVITE", offer, headers=headers, uri=uri), True)]
    script.append((at + 0.01, talk.response(100, "Trying"), False))
    script.append((at + 0.1, talk.response(180, "Ringing", early), False))
    if answer:
        script.append((at + 0.5, talk.response(200, "OK", answer, headers=answer_headers), False))
        script.append((at + 0.51, talk.request("ACK"), True))
        script.append((at + duration, talk.request("BYE", in_dialog=True), True))
        script.append((at + duration + 0.01, talk.response(200, "OK", method="BYE"), False))
    return build.carry(talk, script)


CHARGED = ("P-Charging-Vector: icid-value=0a1b2c3d; icid-generated-at=192.0.2.1",)
"""A header of the core."""


def secure_chat(offer: Sequence[str] = OFFER, answer: Sequence[str] = ANSWER, **more: object) -> list[build.Packet]:
    """A call of the UE with one line of MSRP over TLS."""
    return call(chat(UE_CHAT, *offer), chat(EDGE_CHAT, *answer), **more)


# --- TLS ------------------------------------------------------------------------------------------


def _certificate(der: bytes) -> bytes:
    chain = len(der).to_bytes(3, "big") + der if der else b""
    return build.handshake(11, len(chain).to_bytes(3, "big") + chain)


def tls(
    client: build.Address = ("192.0.2.10", 40_000),
    server: build.Address = EDGE_CHAT,
    *,
    at: float = 1.0,
    server_certificate: bytes = EDGE_CERTIFICATE,
    client_certificate: bytes | None = UE_CERTIFICATE,
    requested: bool = True,
    suite: int = 0xC02F,
    session_id: bytes = b"",
    resumes: bytes = b"",
    data: Sequence[tuple[float, bool]] = ((0.2, True), (0.3, False)),
    fatal: float | None = None,
    close: float | None = None,
    random: bytes = b"c" * 32,
) -> list[build.Packet]:
    """A TLS 1.2 connection; what is sent behind the handshake is given as moments and whether the client sends.

    `fatal` is when the client sends bad_certificate in place of its last flight, `close` when it sends FIN.
    """
    connection = build.TcpConnection(client, server)

    def send(when: float, *messages: bytes, from_client: bool, kind: int = build.HANDSHAKE) -> None:
        out.extend(connection.send(at + when, build.tls_record(kind, b"".join(messages)), from_client=from_client))

    out = connection.open(at)
    hello = build.client_hello([suite], random=random)
    if resumes:
        hello = hello[:34] + bytes((len(resumes),)) + resumes + hello[35:]
    send(0.01, build.handshake(build.CLIENT_HELLO, hello), from_client=True)
    flight = [build.handshake(build.SERVER_HELLO, build.server_hello(suite, session_id=resumes or session_id))]
    if not resumes:
        flight += [_certificate(server_certificate)] if server_certificate else []
        flight += [build.handshake(13, b"\x01\x01\x00\x00\x00\x00")] if requested else []
        flight.append(build.handshake(build.SERVER_HELLO_DONE, b""))
    send(0.02, *flight, from_client=False)
    if fatal is not None:
        send(fatal, b"\x02\x2a", from_client=True, kind=build.ALERT)
    else:
        if not resumes:
            answer = [_certificate(client_certificate)] if client_certificate is not None and requested else []
            exchange = build.handshake(build.CLIENT_KEY_EXCHANGE, struct.pack("!H", 0))
            send(0.03, *answer, exchange, from_client=True)
        for from_client in (not resumes, bool(resumes)):
            send(0.04, b"\x01", from_client=from_client, kind=build.CHANGE_CIPHER_SPEC)
            send(0.04, build.noise(1, 40), from_client=from_client)
        for number, (when, from_client) in enumerate(data):
            send(when, build.noise(number, 60), from_client=from_client, kind=build.APPLICATION_DATA)
    if close is not None:
        out += connection.close(at + close)
    return out
