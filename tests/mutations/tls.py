"""Mutations of lines that TLS and DTLS protect: what their handshakes must not agree."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests import build
from tests.mutations.harness import Mutation
from tests.mutations.msrp import kms_chat
from tests.rules.tls.hellos import certificate, dtls, tls, use_srtp

if TYPE_CHECKING:
    from collections.abc import Sequence

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
ALICE_MEDIA, BOB_MEDIA = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
AES_GCM = 0xC02F
MESSAGE = (
    b"MSRP a786hjs2 SEND\r\nTo-Path: msrps://198.51.100.20:2855/bob;tcp\r\n"
    b"From-Path: msrps://192.0.2.10:2855/alice;tcp\r\nMessage-ID: 87652491\r\n-------a786hjs2$\r\n"
)


def tls_chat(
    *, offered: Sequence[int] = (AES_GCM,), selected: int = AES_GCM, server_version: int = build.TLS_1_2
) -> list[build.Packet]:
    """Alice and Bob chat by MSRP over TLS, each with a fingerprint; Alice connects."""
    offer, answer = (
        build.sdp(
            ip,
            build.media(
                "message",
                2855,
                "TCP/TLS/MSRP",
                "*",
                f"a=path:msrps://{ip}:2855/{name};tcp",
                FINGERPRINT,
                f"a=setup:{setup}",
            ),
        )
        for ip, name, setup in (("192.0.2.10", "alice", "actpass"), ("198.51.100.20", "bob", "passive"))
    )
    connection = tls(offered, selected, server_version=server_version, data=[b"hello", b"hello"])
    return build.in_time_order(build.call(offer, answer), connection)


def clear_chat(*, protected: bool = True, refused: bool = False) -> list[build.Packet]:
    """That chat with one message; a first handshake is refused where that is asked for."""
    call = [each for each in tls_chat() if each[1][23] == build.UDP]
    ends = ("192.0.2.10", 41_000), ("198.51.100.20", 2855)
    if protected:
        talk = tls(client=ends[0], at=2.0, client_random=b"d" * 32, data=[MESSAGE] * 2)
    else:
        connection = build.TcpConnection(*ends)
        talk = [*connection.open(2.0), *connection.send(2.1, MESSAGE)]
    return build.in_time_order(call, tls(server_alert=b"\x02\x28") if refused else [], talk)


def refused_chat(*, protected: bool = True) -> list[build.Packet]:
    """The same behind a handshake that was refused."""
    return clear_chat(protected=protected, refused=True)


def certified_chat(*, announced: bool = True) -> list[build.Packet]:
    """That chat; Bob presents a self-signed certificate, which his description announces."""
    digest = hashlib.sha256(certificate()).hexdigest()
    mine = "a=fingerprint:sha-256 " + ":".join(digest[at : at + 2] for at in range(0, 64, 2))
    offer, answer = (
        build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/x;tcp", *more))
        for ip, more in (("192.0.2.10", (FINGERPRINT,)), ("198.51.100.20", (mine,) if announced else ()))
    )
    connection = tls(server_certificate=certificate(), data=[b"hello", b"hello"])
    return build.in_time_order(build.call(offer, answer), connection)


def dtls_call(*, profiles: bytes = use_srtp(7)) -> list[build.Packet]:
    """Alice calls Bob with DTLS-SRTP; Bob begins the handshake, and media comes behind it."""
    offer, answer = (
        build.sdp(end[0], build.audio(end[1], "UDP/TLS/RTP/SAVPF", FINGERPRINT, f"a=setup:{setup}"))
        for end, setup in ((ALICE_MEDIA, "actpass"), (BOB_MEDIA, "active"))
    )
    handshake = dtls((BOB_MEDIA, ALICE_MEDIA), client_extensions=use_srtp(7, 1), server_extensions=profiles, at=0.6)
    alice = build.Srtp(build.master_key("alice", "AEAD_AES_128_GCM"), "AEAD_AES_128_GCM")
    media = build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(), srtp=alice)
    return build.in_time_order(build.call(offer, answer), handshake, media)


OFFERED = frozenset({"IMS-TLS-010"})

MUTATIONS = (
    Mutation(
        "the server selects a NULL cipher",
        tls_chat,
        {"offered": (0x003B,), "selected": 0x003B},
        frozenset({"IMS-TLS-001"}),
        OFFERED,
    ),
    Mutation("the server selects TLS 1.1", tls_chat, {"server_version": 0x0302}, frozenset({"IMS-TLS-002"})),
    Mutation(
        "the server selects 3DES",
        tls_chat,
        {"offered": (0x000A,), "selected": 0x000A},
        frozenset({"IMS-TLS-003"}),
        OFFERED,
    ),
    Mutation(
        "the server selects an anonymous suite",
        tls_chat,
        {"offered": (0x0034,), "selected": 0x0034},
        frozenset({"IMS-TLS-004"}),
        OFFERED,
    ),
    Mutation("the client offers RC4 too", tls_chat, {"offered": (AES_GCM, 0x0005)}, OFFERED),
    Mutation(
        "behind a refused handshake messages go in clear",
        refused_chat,
        {"protected": False},
        frozenset({"IMS-TLS-018", "IMS-TLS-020"}),
    ),
    Mutation("messages go in clear at once", clear_chat, {"protected": False}, frozenset({"IMS-TLS-018"})),
    Mutation("the suite leaves the ticket's key out", kms_chat, {"suite": AES_GCM}, frozenset({"IMS-TLS-005"})),
    Mutation("the suite adds Diffie-Hellman to it", kms_chat, {"suite": 0xC037}, frozenset({"IMS-TLS-006"})),
    Mutation("the client names itself", kms_chat, {"identity": b"alice@h"}, frozenset({"IMS-TLS-007"})),
    Mutation(
        "a certificate is not announced",
        certified_chat,
        {"announced": False},
        frozenset({"IMS-TLS-017"}),
        frozenset({"IMS-E2AE-001"}),
    ),
    Mutation("the server agrees no profile of SRTP", dtls_call, {"profiles": b""}, frozenset({"IMS-TLS-025"})),
)
