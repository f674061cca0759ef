"""IMS-SIG-009, from capture octets to findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B, answer, offer
from tests.situations import exchange

SIG_009 = "IMS-SIG-009"
SECURE, CLEAR = (offer(), answer()), (offer("RTP/AVP"), answer("RTP/AVP"))
WARNING = 'Warning: 304 proxy.example.org "Media type not available"'


def refused(*, status: int = 488, headers: tuple[str, ...] = (), what: bytes = SECURE[0]) -> list[build.Packet]:
    """An INVITE and the response that refuses it."""
    dialog = build.Dialog(call_id="first@test")
    return build.carry(dialog, [
        (0.0, dialog.request("INVITE", what), True),
        (0.2, dialog.response(status, "Refused", headers=headers), False),
        (0.3, dialog.request("ACK"), True),
    ])  # fmt: skip


def again(pair: tuple[bytes, bytes], *, at: float = 2.0, **dialog: object) -> list[build.Packet]:
    """A further call."""
    return build.call(*pair, dialog=build.Dialog(**{"call_id": "second@test", **dialog}), at=at, duration=60.0)


def test_a_secure_call_is_refused_and_one_in_clear_follows(told) -> None:
    """The catalogue's trigger."""
    result = told(SIG_009, build.in_time_order(refused(headers=(WARNING,)), again(CLEAR)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert (finding.subject.kind, finding.subject.id) == ("call", "call-1")
    assert result.frames() == [1, 2, 4, 7]
    assert "refused in frame 2 (488, Warning: 304 proxy.example.org" in finding.message
    assert "1.8 s later the same caller offered the same target RTP/AVP in frame 4 of call-2" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize("status", [415, 488, 580, 606])
def test_every_status_that_refuses_a_description(told, status: int) -> None:
    assert told(SIG_009, build.in_time_order(refused(status=status), again(CLEAR))).frames() == [1, 2, 4, 7]


@pytest.mark.parametrize("status", [401, 407, 486, 302])
def test_other_refusals_are_no_object(told, status: int) -> None:
    assert told(SIG_009, build.in_time_order(refused(status=status), again(CLEAR))).rows == []


def test_a_retry_with_another_key_or_best_effort_encryption_passes(told) -> None:
    """The catalogue's near miss."""
    other = offer("RTP/SAVP", build.crypto("a", suite="AES_CM_128_HMAC_SHA1_32")), answer()
    best = offer("RTP/AVP", build.crypto("a")), answer("RTP/AVP", build.crypto("b"))
    for pair in (other, best):
        assert told(SIG_009, build.in_time_order(refused(), again(pair))).rows == [("pass", "", 1)]


def test_a_retry_within_the_same_call(told) -> None:
    dialog = build.Dialog()
    script = [
        (0.0, dialog.request("INVITE", SECURE[0]), True),
        (0.2, dialog.response(488, "Not Acceptable Here"), False),
        (0.3, dialog.request("ACK"), True),
    ]
    dialog.cseq += 1
    script += [
        (1.0, dialog.request("INVITE", CLEAR[0]), True),
        (1.2, dialog.response(200, "OK", CLEAR[1]), False),
        (1.3, dialog.request("ACK"), True),
        (60.0, dialog.request("BYE", in_dialog=True), True),
    ]
    assert told(SIG_009, build.carry(dialog, script)).frames() == [1, 2, 4, 5]


def test_a_line_answered_with_port_0(told) -> None:
    without = build.sdp(B[0], build.audio(0, "RTP/SAVP"))
    first = build.call(SECURE[0], without, dialog=build.Dialog(call_id="first@test"), duration=1.0)
    result = told(SIG_009, build.in_time_order(first, again(CLEAR, at=3.0)))
    assert "(answered with port 0)" in result.finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_clear_line_beside_the_secure_one_was_a_choice(told) -> None:
    """The offer had both; that the answerer took the clear one is no refusal, and the refresh no retry."""
    both = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", build.crypto("a")), build.audio(A[1] + 10, "RTP/AVP"))
    clear = build.sdp(B[0], build.audio(0, "RTP/SAVP"), build.audio(B[1] + 10, "RTP/AVP"))
    dialog = build.Dialog()
    opened = build.call(both, clear, dialog=dialog, duration=None)
    refresh = build.carry(dialog, exchange(dialog, 5.0, "INVITE", both, clear))
    assert told(SIG_009, build.in_time_order(opened, refresh)).rows == []


def test_other_targets_callers_media_and_hops_are_no_retry(told) -> None:
    video = tuple(build.sdp(end[0], build.media("video", end[1], "RTP/AVP", "99")) for end in (A, B))
    others = [
        again(CLEAR, to_uri="sip:carol@example.org"),
        again(CLEAR, from_uri="sip:dave@example.org"),
        again(CLEAR, callee=("198.51.100.99", 5060)),
        again((video[0], video[1])),
    ]
    for other in others:
        assert told(SIG_009, build.in_time_order(refused(), other)).rows == [("pass", "", 1)]


def test_the_window_is_that_of_the_policy(told) -> None:
    late = build.in_time_order(refused(), again(CLEAR, at=40.0))
    assert told(SIG_009, late).rows == [("pass", "", 1)]
    policy = Policy(thresholds=replace(Thresholds(), retry_window=60_000_000_000))
    assert told(SIG_009, late, policy=policy).rows == [("violation", "", 1)]


def test_a_capture_that_ends_too_early_and_a_retry_without_answer(told) -> None:
    assert told(SIG_009, refused()).rows == [("not-assessed", "T-MID", 1)]
    unanswered = build.in_time_order(refused(), again(CLEAR)[:3])
    assert told(SIG_009, unanswered).rows == [("not-assessed", "N-OA", 1)]


def test_emergency_calls_and_offers_in_clear_are_no_object(told) -> None:
    urgent = {"to_uri": "urn:service:sos"}
    dialog = build.Dialog(call_id="first@test", **urgent)
    first = build.carry(dialog, [
        (0.0, dialog.request("INVITE", SECURE[0]), True),
        (0.2, dialog.response(488, "Not Acceptable Here"), False),
    ])  # fmt: skip
    assert told(SIG_009, build.in_time_order(first, again(CLEAR, **urgent))).rows == []
    assert told(SIG_009, build.in_time_order(refused(what=CLEAR[0]), again(CLEAR))).rows == []
