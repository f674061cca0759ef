"""IMS-SSRC-011, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.mikey import srtp_session
from tests.rules.conftest import A, B, context, offer

SSRC_011 = "IMS-SSRC-011"
FIRST, SECOND, OTHER = 0x1111, 0x2222, 0x3333


def transfer(ssrcs: tuple[int | None, ...] = (FIRST, SECOND), **parts: object) -> mikey.Message:
    return mikey.init(sessions=[srtp_session(at, ssrc=ssrc) for at, ssrc in enumerate(ssrcs, 1)], **parts)


def answered(ssrcs: tuple[int | None, ...] = (FIRST, SECOND), **parts: object) -> mikey.Message:
    return mikey.resp(sessions=[srtp_session(at, ssrc=ssrc) for at, ssrc in enumerate(ssrcs, 1)], **parts)


def media(one: int = FIRST, other: int = SECOND, **how: object) -> list[build.Packet]:
    how = {"at": 1.0} | how
    return build.in_time_order(
        build.rtp_stream(A, B, one, build.speech(60), srtp=context("a"), **how),  # type: ignore[arg-type]
        build.rtp_stream(B, A, other, build.speech(60), srtp=context("b"), **how),  # type: ignore[arg-type]
    )


def call(
    init: mikey.Message | None = None, resp: mikey.Message | None = None, *more: list[build.Packet], **how: object
) -> list[build.Packet]:
    signalling = mikey.call(init or transfer((FIRST, None)), resp or answered(), **how)
    return build.in_time_order(signalling, *more)


def test_media_with_an_ssrc_that_no_session_lists(told) -> None:
    """The catalogue's trigger."""
    result = told(SSRC_011, call(None, None, media(OTHER)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "strong")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert "has SSRC 0x00003333 in 60 packets" in finding.message
    assert "in frame 1 and frame 4 list 0x00001111, 0x00002222." in finding.message
    assert [each.observed for each in finding.evidence] == [
        "0x00001111, open", "0x00001111, 0x00002222", "0x00003333", "0x00003333",
    ]  # fmt: skip
    assert result.rows == [("violation", "", 1)]


def test_media_with_the_ssrcs_of_the_sessions_passes(told) -> None:
    assert told(SSRC_011, call(None, None, media())).rows == [("pass", "", 1)]


@pytest.mark.parametrize("at", [1.5, 4.0])
def test_a_csb_update_that_adds_an_ssrc(told, at: float) -> None:
    """The catalogue's near miss, and its trap: the update follows on a collision."""
    talk = build.Dialog()
    first = call(None, None, media(), dialog=talk, duration=None)
    update = transfer((FIRST, SECOND, OTHER), at=at, ticket=None)
    script = [
        (at, talk.request("INVITE", mikey.described(A, update.attribute()), in_dialog=True), True),
        (at + 0.1, talk.response(200, "OK", mikey.described(B, answered().attribute())), False),
    ]
    packets = build.in_time_order(first, build.carry(talk, script), media(OTHER, at=3.0))
    assert told(SSRC_011, packets).rows == [("pass", "", 1)]


def test_both_directions_are_one_finding(told) -> None:
    finding = told(SSRC_011, call(None, None, media(OTHER, 0x4444))).finding
    assert "1 more stream of the line likewise." in finding.message


def test_sessions_whose_ssrc_is_left_open(told) -> None:
    """No answer carries MIKEY, so the SSRC of the other side is not known."""
    packets = build.in_time_order(mikey.call(transfer((FIRST, None))), media())
    assert told(SSRC_011, packets).rows == [("not-assessed", "N-OA", 1)]


def test_a_map_of_rfc_3830_binds_by_other_rules(told) -> None:
    """SRTP-ID: SSRC 0 waits for the Responder; the ticket profile does not use it."""
    sessions = [mikey.SRTPID(policy_no=0, ssrc=0)]
    packets = call(mikey.init(map_type=0, sessions=sessions), mikey.resp(map_type=0, sessions=sessions), media(OTHER))
    assert told(SSRC_011, packets).rows == []


def test_retransmissions_have_an_ssrc_of_their_own(told) -> None:
    """T-RTX: RFC 4588."""
    lines = "a=rtpmap:96 rtx/8000\r\na=fmtp:96 apt=0"
    bodies = [
        build.sdp(
            host, build.audio(port, "RTP/SAVP", lines, formats="0 96"), session=(each.attribute(),)
        )
        for (host, port), each in ((A, transfer()), (B, answered()))
    ]  # fmt: skip
    again = build.rtp_stream(A, B, OTHER, build.speech(20), payload_type=96, srtp=context("a"))
    assert told(SSRC_011, build.in_time_order(build.call(*bodies), media(), again)).rows == [("pass", "", 1)]


def test_a_few_stray_packets_prove_nothing(told) -> None:
    stray = build.rtp_stream(A, B, OTHER, build.speech(3), srtp=context("z"))
    assert told(SSRC_011, call(None, None, media(), stray)).rows == [("pass", "", 1)]


def test_a_line_without_media(told) -> None:
    assert told(SSRC_011, call()).rows == [("not-assessed", "N-MED", 1)]


def test_calls_without_mikey_are_no_subject(told) -> None:
    assert told(SSRC_011, build.in_time_order(build.call(offer(), offer()), media())).rows == []
