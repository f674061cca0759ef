"""IMS-E2AE-008 and -009, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    APPLIED,
    CHARGED,
    CORE,
    CORE_CHAT,
    EDGE,
    EDGE_CHAT,
    MIKEY,
    OFFER,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    ask,
    call,
    chat,
    fingerprint,
    floor,
    from_ue,
    registration,
    secure_chat,
    speech,
    to_ue,
)

E2AE_008, E2AE_009 = "IMS-E2AE-008", "IMS-E2AE-009"
UE_RTP, EDGE_RTP = ("192.0.2.10", 4000), ("192.0.2.2", 5000)
CLEAR_CHAT = (chat(UE_CHAT, proto="TCP/MSRP"), chat(EDGE_CHAT, proto="TCP/MSRP"))


def registered(*more: list[build.Packet], **changes: object) -> list[build.Packet]:
    """A registration, and what follows it."""
    return build.in_time_order(registration(**changes), *more)  # type: ignore[arg-type]


# --- IMS-E2AE-008 ---------------------------------------------------------------------------------


def test_a_clear_offer_of_a_ue_that_announced_security_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_008, registered(call(*CLEAR_CHAT), ue=("msrp-tls",), network=("msrp-tls",)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [(each.frame, each.field) for each in finding.evidence] == [
        (3, "Security-Client"),
        (2, "Security-Server"),
        (5, "SDP m= line 0"),
    ]
    assert "with TCP/MSRP in frame 5" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    "offer",
    [
        chat(UE_CHAT, MIKEY),
        speech(UE_RTP, "RTP/SAVP", build.crypto("a")),
        speech(UE_RTP, "UDP/TLS/RTP/SAVP", fingerprint(UE_CERTIFICATE)),
    ],
)
def test_keys_between_the_ends_need_no_request(offer: bytes) -> None:
    """The catalogue's near miss is TLS with a=key-mgmt."""
    assert ask(E2AE_008, registered(call(offer))).rows == []


@pytest.mark.parametrize(
    "offer", [chat(UE_CHAT, *OFFER), floor(UE_CHAT, *OFFER), speech(UE_RTP, "RTP/SAVP", build.crypto("a"), REQUESTED)]
)
def test_offers_with_the_request_pass(offer: bytes) -> None:
    assert ask(E2AE_008, registered(call(offer))).rows == [("pass", "", 1)]


def test_tls_that_only_lacks_the_request_is_low() -> None:
    """RCS 5.1 clients do so (TS 33.328 §7.1.2 NOTE 2)."""
    result = ask(E2AE_008, registered(call(chat(UE_CHAT, fingerprint(UE_CERTIFICATE)))))
    assert (result.finding.severity, result.finding.verdict) == (Severity.LOW, "violation")


@pytest.mark.parametrize(
    ("ue", "network"), [(("sdes-srtp",), ("sdes-srtp", "msrp-tls")), (("msrp-tls",), ("sdes-srtp",)), ((), ())]
)
def test_what_both_sides_did_not_announce_need_not_be_requested(ue: tuple[str, ...], network: tuple[str, ...]) -> None:
    """Also where the UE's Security-Verify repeats what only the network supports."""
    assert ask(E2AE_008, registered(call(*CLEAR_CHAT), ue=ue, network=network)).rows == []


def test_each_kind_of_media_has_its_own_announcement() -> None:
    clear = [speech(UE_RTP, "RTP/AVP"), floor(UE_CHAT, proto="TCP/BFCP"), CLEAR_CHAT[0]]
    found = [len(ask(E2AE_008, registered(call(offer), ue=("bfcp-tls",))).findings) for offer in clear]
    assert found == [0, 1, 0]


def test_best_effort_protection_is_not_judged() -> None:
    """T-OSRTP: keys on a clear line, or a secure line of the same kind beside it."""
    offer = speech(UE_RTP, "RTP/AVP", build.crypto("a"))
    assert ask(E2AE_008, registered(call(offer))).rows == [("not-assessed", "T-OSRTP", 1)]
    secure = build.audio(4002, "RTP/SAVP", build.crypto("a"), REQUESTED)
    offer = build.sdp("192.0.2.10", secure, build.audio(4000, "RTP/AVP"))
    assert ask(E2AE_008, registered(call(offer))).rows == [("pass", "", 1), ("not-assessed", "T-OSRTP", 1)]


def test_a_refused_line_and_other_kinds_of_media_are_no_object() -> None:
    offer = build.sdp("192.0.2.10", build.audio(0, "RTP/AVP"), build.media("image", 4000, "UDPTL", "t38"))
    assert ask(E2AE_008, registered(call(offer))).rows == []


def test_an_offer_that_is_refused_exposes_nothing() -> None:
    """T-AUTH: it may come again, and counts then."""
    refused = build.call(CLEAR_CHAT[0], dialog=from_ue(), final=(488, "Not Acceptable Here"))
    assert ask(E2AE_008, registered(refused)).rows == []
    line = chat(EDGE_CHAT, proto="TCP/MSRP", port=0)
    assert ask(E2AE_008, registered(call(CLEAR_CHAT[0], line))).rows == []


def test_emergency_calls_go_through() -> None:
    packets = registered(call(*CLEAR_CHAT, uri="urn:service:sos"))
    assert ask(E2AE_008, packets).rows == [("not-assessed", "T-POL", 1)]


def test_offers_to_the_ue_are_the_other_rules() -> None:
    assert ask(E2AE_008, registered(call(*CLEAR_CHAT[::-1], dialog=to_ue()))).rows == []


@pytest.mark.parametrize("rule", [E2AE_008, E2AE_009])
def test_what_is_missing_is_said(rule: str) -> None:
    """N-REG, N-DIR, an open profile; a profile of the user that excludes the rule."""
    packets = call(*CLEAR_CHAT)
    assert ask(rule, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert ask(rule, packets, profile="e2ae").rows == [("not-assessed", "N-DIR", 1)]
    assert ask(rule, packets, profile="rfc-only").rows == []
    elsewhere = registered(packets, edge=("192.0.2.99", 5060))
    assert ask(rule, elsewhere, profile="e2ae").rows == [("not-assessed", "N-DIR", 1)]


@pytest.mark.parametrize("changes", [{"removed": True}, {"accepted": False}])
def test_a_registration_that_does_not_last_is_none(changes: dict[str, bool]) -> None:
    packets = registered(call(*CLEAR_CHAT), **changes)
    assert ask(E2AE_008, packets, profile="e2ae").rows == [("not-assessed", "N-REG", 1)]
    assert ask(E2AE_008, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_the_core_is_clear_by_design() -> None:
    """T-E2AE."""
    packets = call(*CLEAR_CHAT, dialog=build.Dialog(caller=EDGE, callee=CORE), headers=CHARGED)
    for rule in (E2AE_008, E2AE_009):
        assert ask(rule, packets, profile="e2ae").rows == []


# --- IMS-E2AE-009 ---------------------------------------------------------------------------------


def incoming(offer: bytes, answer: bytes = b"", **more: object) -> list[build.Packet]:
    """A call to the UE."""
    return call(offer, answer, dialog=to_ue(), **more)


def test_a_clear_offer_to_a_ue_that_agreed_to_security_is_found() -> None:
    """The catalogue's trigger."""
    packets = registered(incoming(speech(EDGE_RTP, "RTP/AVP")), ue=("sdes-srtp",), network=("sdes-srtp",))
    result = ask(E2AE_009, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [3, 2, 5]
    assert "to the UE with RTP/AVP in frame 5" in finding.message
    assert "Not seen: how the offer came from the core" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    "offer",
    [
        speech(EDGE_RTP, "RTP/SAVP", build.crypto("edge"), APPLIED),
        speech(EDGE_RTP, "RTP/SAVP", build.crypto("far")),
        chat(EDGE_CHAT, MIKEY),
    ],
)
def test_secure_offers_to_the_ue_pass(offer: bytes) -> None:
    """The catalogue's near miss, and protection between the ends that goes through."""
    assert ask(E2AE_009, registered(incoming(offer))).rows == [("pass", "", 1)]


def test_the_offer_from_the_core_is_shown() -> None:
    core = call(
        chat(CORE_CHAT, proto="TCP/MSRP"),
        dialog=build.Dialog(
            caller=CORE, callee=EDGE, from_uri="sip:bob@example.org", to_uri="sip:alice@example.org", from_tag="far"
        ),
        headers=CHARGED,
        at=-0.05,
    )
    result = ask(E2AE_009, registered(core, incoming(CLEAR_CHAT[1])))
    assert "The core had offered it with TCP/MSRP in frame 5" in result.finding.message
    assert [each.frame for each in result.finding.evidence] == [3, 2, 5, 7]
    assert result.rows == [("violation", "", 1)]


def test_a_line_that_several_hops_carried_is_named_once() -> None:
    """The P-CSCF passes the clear offer of the core on as it is, and two devices of the UE ring."""
    core = build.Dialog(
        caller=CORE,
        callee=EDGE,
        from_uri="sip:bob@example.org",
        to_uri="sip:alice@example.org",
        via=("SIP/2.0/UDP x;branch=z9",),
    )
    there = to_ue(branch=50)
    packets: list[build.Packet] = []
    for talk, answers in (
        (core, [(0.0, "first"), (0.3, "second")]),
        (there, [(0.02, "first"), (0.28, "second")]),
    ):
        offer = talk.request("INVITE", CLEAR_CHAT[1], headers=CHARGED if talk is core else ())
        sent = [(answers[0][0], offer, True)]
        for number, (at, tag) in enumerate(answers):
            reply = talk.response(183, "Session Progress", chat(UE_CHAT, proto="TCP/MSRP", version=number), to_tag=tag)
            sent.append((at + 0.1, reply, False))
        packets += build.carry(talk, sent)
    result = ask(E2AE_009, registered(build.in_time_order(packets)))
    assert [each.subject.id for each in result.findings] == ["call-1.1/0"]


def test_media_that_the_token_does_not_cover_may_be_clear() -> None:
    packets = registered(incoming(CLEAR_CHAT[1]), ue=("sdes-srtp",), network=("sdes-srtp",))
    assert ask(E2AE_009, packets).rows == []


def test_a_ue_that_moved_to_another_p_cscf_agreed_nothing_with_this_one() -> None:
    packets = registered(incoming(CLEAR_CHAT[1]), edge=("192.0.2.99", 5060))
    assert ask(E2AE_009, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_clear_lines_with_keys_are_not_judged() -> None:
    """T-OSRTP: best-effort protection between the ends goes through the P-CSCF."""
    offer = speech(EDGE_RTP, "RTP/AVP", build.crypto("far"))
    assert ask(E2AE_009, registered(incoming(offer))).rows == [("not-assessed", "T-OSRTP", 1)]


def test_the_call_of_the_ue_is_the_other_rules() -> None:
    assert ask(E2AE_009, registered(secure_chat(), call(*CLEAR_CHAT, at=50))).rows == []
