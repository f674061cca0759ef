"""Mutations of a chat that MIKEY-TICKET protects: what its line must not lack."""

from __future__ import annotations

from tests import build, mikey
from tests.mutations.harness import Mutation
from tests.rules.tls.hellos import tls

A, B = "192.0.2.10", "198.51.100.20"
PSK = 0x00A8


def kms_chat(
    *, proto: str = "TCP/TLS/MSRP", alice_scheme: str = "", suite: int = PSK, identity: bytes = b""
) -> list[build.Packet]:
    """Alice and Bob chat by MSRP over TLS with the key of a ticket; with another transport there is no TLS."""
    sections = []
    for ip, name, message in ((A, "alice", mikey.init), (B, "bob", mikey.resp)):
        scheme = "msrps" if "TLS" in proto else "msrp"
        path = f"a=path:{(alice_scheme if name == 'alice' else '') or scheme}://{ip}:2855/{name};tcp"
        ticket = message(sessions=mikey.for_lines("tls")).attribute()
        setup = "actpass" if name == "alice" else "passive"
        sections.append(build.sdp(ip, build.media("message", 2855, proto, "*", path, ticket, f"a=setup:{setup}")))
    call = build.call(*sections)
    talk = tls([suite], suite, identity=identity, data=[b"hello"] * 2)
    return build.in_time_order(call, talk) if "TLS" in proto else call


MUTATIONS = (
    Mutation("the line is agreed in clear", kms_chat, {"proto": "TCP/MSRP"}, frozenset({"IMS-MSRP-001"})),
    Mutation("a path says msrp", kms_chat, {"alice_scheme": "msrp"}, frozenset({"IMS-MSRP-002"})),
)
