"""Everyday situations as whole captures: the clean ones raise no alarm, and their broken twins are not missed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, situations

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.rules.outcome import Finding

    Found = set[tuple[str, str]]

NOTHING: Found = set()
SDES: Found = {("IMS-SIG-001", "violation")}
"""Said of every scene with keys in its descriptions: SIP has to be readable for an audit to see anything."""
FINGERPRINTS: Found = {("IMS-SIG-002", "violation")}
"""Likewise, of scenes with certificate fingerprints."""
CLEAR_MEDIA: Found = {("IMS-SRTP-001", "violation"), ("IMS-SRTP-002", "violation")}
"""RTP and RTCP of one direction in clear on a line agreed as SRTP."""
PARTLY_CLEAR: Found = CLEAR_MEDIA | {("IMS-SRTP-013", "violation")}
"""The same of a stream that is otherwise protected."""

LEFT_IN_CLEAR = ("", "b")


def findings(packets: situations.Packets) -> list[Finding]:
    """Findings that are more than information."""
    audit = build.audit_bytes(build.pcap(packets))
    assert not [note for note in audit.notes if "failed" in note.text]
    return [each for each in audit.findings if each.severity > Severity.INFO]


def found(packets: situations.Packets) -> Found:
    return {(each.rule, each.verdict) for each in findings(packets)}


def message(packets: situations.Packets, rule: str) -> str:
    """The message of a rule's only finding."""
    (only,) = (each for each in findings(packets) if each.rule == rule)
    return only.message


def over_tcp(keys: tuple[str, str] = ("a", "b")) -> situations.Packets:
    return situations.secure_call(keys=keys, dialog=build.Dialog(transport="TCP"))


# --- the same packets more than once --------------------------------------------------------------


@pytest.mark.parametrize("doubled", [situations.behind_a_router, situations.in_and_out_of_a_tunnel])
def test_packets_seen_on_both_sides_of_a_router_or_a_tunnel(
    doubled: Callable[[situations.Packets], situations.Packets],
) -> None:
    assert found(doubled(situations.secure_call())) == SDES
    once = situations.secure_call(keys=LEFT_IN_CLEAR)
    assert found(doubled(once)) == SDES | CLEAR_MEDIA
    assert Counter(each.rule for each in findings(doubled(once))) == Counter(each.rule for each in findings(once))
    assert "100 packets from" in message(doubled(once), "IMS-SRTP-001")


def test_sip_datagrams_sent_again() -> None:
    assert found(situations.retransmitted(situations.secure_call())) == SDES
    broken = situations.retransmitted(situations.secure_call(keys=LEFT_IN_CLEAR))
    assert found(broken) == SDES | CLEAR_MEDIA
    assert [each.rule for each in findings(broken)].count("IMS-SIG-001") == 2


def test_tcp_segments_sent_again() -> None:
    assert found(situations.resent_segments(over_tcp())) == SDES
    broken = situations.resent_segments(over_tcp(LEFT_IN_CLEAR))
    assert found(broken) == SDES | CLEAR_MEDIA
    assert [each.rule for each in findings(broken)].count("IMS-SIG-001") == 2


def test_media_sent_again_much_later_is_a_replay() -> None:
    """The twin of all double sightings."""
    assert found(situations.replayed(situations.secure_call())) == SDES | {("IMS-SRTP-011", "violation")}


# --- one call, its offers and answers -------------------------------------------------------------


def test_forking() -> None:
    assert found(situations.forked()) == SDES
    assert found(situations.forked(renewed=False)) == SDES | {("IMS-SSRC-013", "violation")}
    assert found(situations.forked(mobile_key="")) == SDES | CLEAR_MEDIA


def test_hold() -> None:
    assert found(situations.held()) == SDES
    assert found(situations.held(key="a2")) == SDES
    assert found(situations.held(key="b")) == SDES | {("IMS-SSRC-007", "violation")}
    assert found(situations.held(clear=True)) == SDES | PARTLY_CLEAR


def test_rtp_and_rtcp_on_one_port() -> None:
    assert found(situations.multiplexed()) == SDES
    assert found(situations.multiplexed(clear_reports=True)) == SDES | {("IMS-SRTP-002", "violation")}


def test_early_media() -> None:
    """A few packets before the answer leave open what stands behind the clear ones (IMS-SRTP-001)."""
    assert found(situations.early()) == SDES
    suspected = {("IMS-SRTP-001", "suspect"), ("IMS-SRTP-002", "violation"), ("IMS-SRTP-013", "violation")}
    assert found(situations.early(clear=True)) == SDES | suspected


def test_an_answer_after_the_early_media() -> None:
    assert found(situations.answered_late()) == SDES
    early = {("IMS-SRTP-014", "violation"), ("IMS-SRTP-002", "violation")}
    broken = situations.answered_late(clear=True)
    assert found(broken) == SDES | early
    assert "before the answer that selected" in message(broken, "IMS-SRTP-002")


def test_an_invite_without_an_offer() -> None:
    assert found(situations.offerless()) == SDES
    assert found(situations.offerless(answered="RTP/AVP")) == SDES | {("IMS-SIG-006", "violation")}


def test_a_session_refresh() -> None:
    assert found(situations.refreshed()) == SDES
    assert found(situations.refreshed(clear=True)) == SDES | PARTLY_CLEAR


def test_a_challenge_and_a_redirection() -> None:
    assert found(situations.challenged(redirected=False)) == SDES
    assert found(situations.challenged()) == SDES
    assert found(situations.challenged(key="a")) == SDES | {("IMS-SSRC-007", "violation")}


def test_a_capture_that_begins_inside_the_call() -> None:
    for missing, expected in ((1, SDES), (3, SDES), (5, NOTHING), (60, NOTHING)):
        assert found(situations.secure_call()[missing:]) == expected
        assert found(situations.secure_call(keys=LEFT_IN_CLEAR)[missing:]) == expected
    for scene in (situations.forked, situations.offerless):
        assert found(scene()[5:]) == SDES
    for clear, expected in ((False, SDES), (True, SDES | CLEAR_MEDIA)):
        late = [each for each in situations.refreshed(clear=clear) if each[0] >= 3.0]
        assert found(late) == expected


# --- keys by DTLS, several lines on one port, ICE -------------------------------------------------


def test_bundled_lines() -> None:
    assert found(situations.bundled()) == SDES
    assert found(situations.bundled(keys=("a", "b"))) == SDES | {("IMS-SSRC-004", "violation")}
    assert found(situations.bundled(clear_video=True)) == SDES | {("IMS-SRTP-001", "suspect")}


def test_dtls_after_connectivity_checks() -> None:
    assert found(situations.by_dtls()) == FINGERPRINTS
    assert found(situations.by_dtls(clear=True)) == FINGERPRINTS | CLEAR_MEDIA
    assert found(situations.by_dtls(selected=b"")) == FINGERPRINTS | {("IMS-TLS-025", "violation")}


def test_a_switch_to_another_candidate() -> None:
    assert found(situations.by_dtls(moves=True)) == FINGERPRINTS
    assert found(situations.by_dtls(moves=True, clear_once_moved=True)) == FINGERPRINTS | CLEAR_MEDIA


def test_a_relay_seen_on_both_of_its_sides() -> None:
    assert found(situations.relayed_by_turn()) == FINGERPRINTS
    assert found(situations.relayed_by_turn(clear=True)) == FINGERPRINTS | CLEAR_MEDIA


# --- both legs of a B2BUA, and a mixer ------------------------------------------------------------


def test_the_core_leg_behind_an_access_edge_is_in_clear_by_design() -> None:
    assert found(situations.both_legs()) == SDES
    assert found(situations.both_legs(clear=True)) == SDES | CLEAR_MEDIA


def test_a_mixer_with_one_ssrc_for_all() -> None:
    assert found(situations.mixed()) == SDES
    shared = {("IMS-SSRC-003", "violation"), ("IMS-SSRC-005", "violation")}
    assert found(situations.mixed(key="shared")) == SDES | shared


# --- every clean scene, captured badly ------------------------------------------------------------

CLEAN = (
    situations.forked, situations.held, situations.multiplexed, situations.early, situations.answered_late,
    situations.offerless, situations.refreshed, situations.challenged, situations.by_dtls, situations.relayed_by_turn,
    situations.bundled, situations.both_legs, situations.mixed,
)  # fmt: skip


@pytest.mark.parametrize("scene", CLEAN)
def test_a_tunnel_and_both_sides_of_a_router_in_one_capture(scene: Callable[[], situations.Packets]) -> None:
    packets = scene()
    seen = situations.behind_a_router(situations.in_and_out_of_a_tunnel(packets))
    assert Counter(each.rule for each in findings(seen)) == Counter(each.rule for each in findings(packets))


@pytest.mark.parametrize("scene", CLEAN)
def test_a_capture_of_what_one_side_sends(scene: Callable[[], situations.Packets]) -> None:
    alice = build.ip_address(situations.A[0]).packed
    assert found([each for each in scene() if each[1][26:30] == alice]) <= SDES | FINGERPRINTS


@pytest.mark.parametrize("scene", [situations.secure_call, *CLEAN])
def test_any_single_sip_message_may_be_lost(scene: Callable[[], situations.Packets]) -> None:
    """What stood in it may explain what is seen: no rule is surer without it."""
    packets = scene()
    whole = found(packets)
    messages = [number for number, (_, frame) in enumerate(packets) if b"\r\nCall-ID: " in frame]
    assert len(messages) > 3
    for lost in messages:
        assert found(packets[:lost] + packets[lost + 1 :]) <= whole
