"""Mutations of media that is protected between a UE and the access edge."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation
from tests.rules.e2ae.peers import (
    APPLIED,
    EDGE_CERTIFICATE,
    EDGE_CHAT,
    FOREIGN,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    call,
    chat,
    fingerprint,
    registration,
    speech,
    tls,
    to_ue,
)

UE_RTP, EDGE_RTP = ("192.0.2.10", 4000), ("192.0.2.2", 5000)


def chat_of_a_ue(
    *,
    requested: bool = True,
    offered: str = "TCP/TLS/MSRP",
    answered: str = "TCP/TLS/MSRP",
    answer_fingerprint: str = fingerprint(EDGE_CERTIFICATE),
    server_certificate: bytes = EDGE_CERTIFICATE,
    certificate_requested: bool = True,
) -> list[build.Packet]:
    """A UE registers, asks for protection of a chat to the access edge, and gets it; both sides have certificates."""
    asked = (REQUESTED,) if requested else ()
    secure = "TLS" in offered
    offer = chat(
        UE_CHAT, *(asked if secure else ()), *((fingerprint(UE_CERTIFICATE),) if secure else ()), proto=offered
    )
    given = (answer_fingerprint,) if answer_fingerprint and "TLS" in answered else ()
    answer = chat(EDGE_CHAT, *given, proto=answered)
    connection = tls(server_certificate=server_certificate, requested=certificate_requested)
    return build.in_time_order(registration(), call(offer, answer), connection if "TLS" in answered else [])


def call_to_a_ue(*, offered: str = "RTP/SAVP", applied: bool = True) -> list[build.Packet]:
    """The network calls a UE that registered, and protects speech to the access edge."""
    secure = offered == "RTP/SAVP"
    attributes = (build.crypto("edge"), *((APPLIED,) if applied else ())) if secure else ()
    offer = speech(EDGE_RTP, offered, *attributes)
    answer = speech(UE_RTP, offered, *((build.crypto("ue"),) if secure else ()))
    edge, ue = (build.Srtp(build.master_key(seed)) if secure else None for seed in ("edge", "ue"))
    return build.in_time_order(
        registration(),
        call(offer, answer, dialog=to_ue()),
        build.rtp_stream(EDGE_RTP, UE_RTP, 0xA, build.speech(), srtp=edge),
        build.rtp_stream(UE_RTP, EDGE_RTP, 0xB, build.speech(), at=1.005, sequence=900, srtp=ue),
    )


OPEN = frozenset({"IMS-PROF-005"})
"""A line in clear shows no profile."""

MUTATIONS = (
    Mutation(
        "the answer to the UE has no fingerprint",
        chat_of_a_ue,
        {"answer_fingerprint": ""},
        frozenset({"IMS-E2AE-001", "IMS-E2AE-007"}),
        frozenset({"IMS-TLS-017"}),
    ),
    Mutation(
        "the gateway presents another certificate than it signalled",
        chat_of_a_ue,
        {"server_certificate": FOREIGN},
        frozenset({"IMS-E2AE-002"}),
    ),
    Mutation(
        "the gateway asks for no certificate",
        chat_of_a_ue,
        {"certificate_requested": False},
        frozenset({"IMS-E2AE-003"}),
    ),
    Mutation(
        "the gateway signals a SHA-1 fingerprint only",
        chat_of_a_ue,
        {"answer_fingerprint": fingerprint(EDGE_CERTIFICATE, "SHA-1")},
        frozenset({"IMS-E2AE-004"}),
    ),
    Mutation(
        "the gateway signals a fingerprint that is cut",
        chat_of_a_ue,
        {"answer_fingerprint": fingerprint(EDGE_CERTIFICATE)[:-36]},
        frozenset({"IMS-E2AE-005"}),
    ),
    Mutation(
        "what the UE requested is answered in clear",
        chat_of_a_ue,
        {"answered": "TCP/MSRP"},
        frozenset({"IMS-E2AE-007"}),
        frozenset({"IMS-SIG-006", "IMS-MSRP-001"}),
    ),
    Mutation(
        "the UE does not ask for what both sides announced",
        chat_of_a_ue,
        {"requested": False},
        frozenset({"IMS-E2AE-008"}),
        OPEN,
    ),
    Mutation(
        "the UE offers in clear what both sides could protect",
        chat_of_a_ue,
        {"offered": "TCP/MSRP", "answered": "TCP/MSRP"},
        frozenset({"IMS-E2AE-008"}),
        OPEN,
    ),
    Mutation(
        "the network offers speech in clear to a UE that agreed to protection",
        call_to_a_ue,
        {"offered": "RTP/AVP"},
        frozenset({"IMS-E2AE-009"}),
        OPEN,
    ),
)
