"""Mutations of media that is protected between a UE and the access edge."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation
from tests.rules.e2ae.peers import (
    APPLIED,
    CHARGED,
    CORE,
    CORE_CHAT,
    EDGE,
    EDGE_CERTIFICATE,
    EDGE_CHAT,
    FAR,
    FOREIGN,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    call,
    chat,
    fingerprint,
    from_ue,
    registration,
    speech,
    tls,
    to_ue,
)

UE_RTP, EDGE_RTP, CORE_RTP = ("192.0.2.10", 4000), ("192.0.2.2", 5000), ("203.0.113.9", 6000)


def chat_of_a_ue(
    *,
    requested: bool = True,
    offered: str = "TCP/TLS/MSRP",
    answered: str = "TCP/TLS/MSRP",
    answer_fingerprint: str = fingerprint(EDGE_CERTIFICATE),
    server_certificate: bytes = EDGE_CERTIFICATE,
    certificate_requested: bool = True,
    begins: float = 1.0,
    changes_to: bytes = UE_CERTIFICATE,
    from_gateway: bool = False,
) -> list[build.Packet]:
    """A UE registers, asks for protection of a chat to the access edge, and gets it; both sides have certificates."""
    secure = "TLS" in offered
    asked = (REQUESTED,) if requested and secure else ()
    own = (fingerprint(UE_CERTIFICATE),) if secure else ()
    offer = chat(UE_CHAT, *asked, *own, "a=setup:actpass", proto=offered)
    given = (answer_fingerprint,) if answer_fingerprint and "TLS" in answered else ()
    answer = chat(EDGE_CHAT, *given, "a=setup:passive", proto=answered)
    renewed = chat(UE_CHAT, *asked, fingerprint(changes_to), "a=setup:actpass", proto=offered, version=2)
    talk = from_ue()
    script = [
        (0.0, talk.request("INVITE", offer), True),
        (0.5, talk.response(200, "OK", answer), False),
        (0.51, talk.request("ACK"), True),
    ]
    if changes_to != UE_CERTIFICATE:
        script.append((20.0, talk.request("UPDATE", renewed, in_dialog=True), True))
        script.append((20.1, talk.response(200, "OK", answer, method="UPDATE"), False))
    script.append((60.0, talk.request("BYE", in_dialog=True), True))
    ends = (("192.0.2.10", 40_000), EDGE_CHAT)
    certificates = (UE_CERTIFICATE, server_certificate)
    if from_gateway:
        ends, certificates = (("192.0.2.2", 40_000), UE_CHAT), certificates[::-1]
    connection = tls(
        *ends,
        at=begins,
        client_certificate=certificates[0],
        server_certificate=certificates[1],
        requested=certificate_requested,
        data=[(0.2, True), (0.3, False), (40.0, True)],
    )
    return build.in_time_order(registration(), build.carry(talk, script), connection if "TLS" in answered else [])


def call_to_a_ue(*, offered: str = "RTP/SAVP", indicator: str = APPLIED) -> list[build.Packet]:
    """The network calls a UE that registered, and protects speech that is clear in the core to the access edge."""
    secure = offered == "RTP/SAVP"
    offer = speech(EDGE_RTP, offered, *((build.crypto("edge"), indicator) if secure else ()))
    answer = speech(UE_RTP, offered, *((build.crypto("ue"),) if secure else ()))
    edge, ue = (build.Srtp(build.master_key(seed)) if secure else None for seed in ("edge", "ue"))
    talk = build.Dialog(caller=CORE, callee=EDGE, from_uri="sip:bob@example.org", to_uri="sip:alice@example.org")
    clear = (speech(CORE_RTP, "RTP/AVP"), speech(("203.0.113.2", 5002), "RTP/AVP"))
    return build.in_time_order(
        registration(),
        call(*clear, dialog=talk, headers=CHARGED, at=-0.05),
        call(offer, answer, dialog=to_ue()),
        build.rtp_stream(EDGE_RTP, UE_RTP, 0xA, build.speech(), srtp=edge),
        build.rtp_stream(UE_RTP, EDGE_RTP, 0xB, build.speech(), at=1.005, sequence=900, srtp=ue),
    )


def chat_from_ue_to_ue(*, through: bool = False) -> list[build.Packet]:
    """A UE calls another with TLS; its network's gateway stands between both."""
    here = call(chat(UE_CHAT, fingerprint(UE_CERTIFICATE)), chat(EDGE_CHAT, fingerprint(EDGE_CERTIFICATE)))
    talk = build.Dialog(caller=("198.51.100.1", 5060), callee=FAR, from_tag="edge", to_tag="far")
    edge = (fingerprint(UE_CERTIFICATE),) if through else (fingerprint(EDGE_CERTIFICATE), APPLIED)
    offer = chat(("198.51.100.2", 2856), *edge)
    answer = chat(("198.51.100.20", 2855), fingerprint(FOREIGN))
    return build.in_time_order(
        registration(("sdes-srtp",)),
        registration(("sdes-srtp",), terminal=FAR, edge=("198.51.100.1", 5060), user="bob"),
        here,
        call(offer, answer, dialog=talk, at=0.02),
    )


def chat_in_the_core(*, left: tuple[str, ...] = ()) -> list[build.Packet]:
    """A chat in clear, as a P-CSCF sends it into the core after it took the protection of the access away."""
    talk = build.Dialog(caller=EDGE, callee=CORE)
    return call(
        chat(EDGE_CHAT, *left, proto="TCP/MSRP"), chat(CORE_CHAT, proto="TCP/MSRP"), dialog=talk, headers=CHARGED
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
    Mutation(
        "the UE changes its fingerprint and keeps the connection",
        chat_of_a_ue,
        {"changes_to": FOREIGN},
        frozenset({"IMS-E2AE-006"}),
    ),
    Mutation(
        "the network does not say that it protects speech",
        call_to_a_ue,
        {"indicator": "a=ptime:20"},
        frozenset({"IMS-E2AE-010"}),
    ),
    Mutation(
        "the network asks where it should say that it protects",
        call_to_a_ue,
        {"indicator": REQUESTED},
        frozenset({"IMS-E2AE-011"}),
    ),
    Mutation("TLS is set up long before the answer", chat_of_a_ue, {"begins": 0.2}, frozenset({"IMS-E2AE-012"})),
    Mutation(
        "the network answers with the UE's own fingerprint",
        chat_of_a_ue,
        {"answer_fingerprint": fingerprint(UE_CERTIFICATE), "server_certificate": UE_CERTIFICATE},
        frozenset({"IMS-E2AE-013"}),
    ),
    Mutation(
        "the passive side begins the handshake", chat_of_a_ue, {"from_gateway": True}, frozenset({"IMS-E2AE-014"})
    ),
    Mutation(
        "a fingerprint is left on a clear line",
        chat_in_the_core,
        {"left": (fingerprint(UE_CERTIFICATE),)},
        frozenset({"IMS-E2AE-015"}),
        options={"profile": "e2ae"},
    ),
    Mutation(
        "a fingerprint goes through from UE to UE",
        chat_from_ue_to_ue,
        {"through": True},
        frozenset({"IMS-E2AE-016"}),
        OPEN,
    ),
)
