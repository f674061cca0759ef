"""IMS-CONF-006: media for somebody who is not there."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import ALICE, BOB, FOCUS_MEDIA, dial_in, dial_out, offer_of
from tests.rules.conf.conftest import CORE_OF_AGW, EDGE_OF_AGW, quiet_until, through_an_edge

CONF_006 = "IMS-CONF-006"
TO_BOB = (FOCUS_MEDIA, 20_200), (BOB.address[0], 4000)
FROM_BOB = TO_BOB[::-1]


def speech(packets: int, *, at: float = 1.0, back: bool = False) -> list[build.Packet]:
    """What the focus sends to Bob, or Bob to the focus: 50 packets a second."""
    ends, key = (FROM_BOB, "bob") if back else (TO_BOB, "focus to bob")
    return build.rtp_stream(*ends, 0xF0, build.speech(packets), at=at, srtp=build.Srtp(build.master_key(key)))


def bob(duration: float = 10.0, **more: object) -> list[build.Packet]:
    return dial_in(BOB, duration=duration, **more)


def test_the_focus_goes_on_sending(told) -> None:
    """The catalogue's trigger: 400 packets over 8 seconds behind the BYE."""
    result = told(CONF_006, bob(), speech(850))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "strong", "call-1/0")
    assert "bob@ims.example.org (call-1, from 203.0.113.10:20200 to 192.0.2.20:4000" in finding.message
    assert "for 8.0 seconds after the participant left" in finding.message
    assert [each.field for each in finding.evidence] == ["SIP BYE", "answer to BYE", "media", "media"]
    late = finding.evidence[2].frame
    assert finding.evidence[1].frame < late < finding.evidence[3].frame


def test_packets_that_were_under_way(told) -> None:
    """The catalogue's near miss: 12 packets over 0.2 seconds."""
    assert told(CONF_006, bob(), speech(462), quiet_until(30)).rows == [("pass", "", 1)]


def test_what_the_participant_sends_is_not_the_conference_s(told) -> None:
    own = speech(850, back=True)
    assert told(CONF_006, bob(), own, speech(400)).rows == [("pass", "", 1)]


def test_the_farewell_of_rtcp_is_no_media(told) -> None:
    goodbye = [(18.0, build.udp((FOCUS_MEDIA, 20_201), (BOB.address[0], 4001), build.goodbye(0xF0)))]
    assert told(CONF_006, bob(), speech(440), goodbye).rows == [("pass", "", 1)]


def test_media_that_begins_again_long_after_the_leave(told) -> None:
    result = told(CONF_006, bob(), speech(400), speech(100, at=40.0))
    assert result.rows == [("violation", "", 1)]


def test_a_new_dialog_that_uses_the_same_port(told) -> None:
    result = told(CONF_006, bob(), speech(850), bob(at=12, call=2, duration=30))
    assert ("not-assessed", "N-MED", 1) in result.rows
    assert result.findings == []


def test_captures_of_several_points_may_have_several_clocks() -> None:
    """N-CLK: signalling in one, media in the other."""
    audit = build.audit_bytes(build.pcap(bob()), build.pcap(speech(850)))
    rows = [(row.outcome, row.gap) for row in audit.assessments if row.rule == CONF_006]
    assert rows == [("not-assessed", "N-CLK")]


def test_no_media_and_a_capture_that_ends_too_early(told) -> None:
    assert told(CONF_006, bob(), quiet_until(30)).rows == [("not-assessed", "N-MED", 1)]
    assert told(CONF_006, bob(), speech(400)).rows == [("not-assessed", "T-MID", 1)]


def test_one_who_stays_is_not_asked(told) -> None:
    assert told(CONF_006, bob(duration=None), speech(850)).rows == []


def test_a_user_who_was_refused_gets_media_all_the_same(told) -> None:
    refused = dial_in(BOB, final=(403, "Forbidden"))
    finding = told(CONF_006, dial_in(ALICE), refused, speech(400, at=0.6)).finding
    assert "after the participant was refused" in finding.message
    assert finding.evidence[0].observed == "403"


def test_media_before_the_answer(told) -> None:
    """More than a second before any answer; half a second is early media that outran it."""
    offer = build.sdp(FOCUS_MEDIA, build.audio(20_200, "RTP/SAVP", build.crypto("focus to bob")))
    called = dial_out(BOB, offer=offer, answer=offer_of(BOB), at=5.0)
    early = told(CONF_006, called, speech(400, at=2.0))
    assert "before any answer announced the line" in early.finding.message
    assert told(CONF_006, called, speech(400, at=5.2), quiet_until(90)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("two_calls", [False, True])
def test_a_gateway_that_goes_on_sending_to_the_user(told, two_calls: bool) -> None:
    """Both hops of one leg: the focus stops, the gateway does not (also where they are two calls)."""
    edge = build.rtp_stream(
        (EDGE_OF_AGW, 20_200), (BOB.address[0], 4000), 1, build.speech(900), at=2,
        srtp=build.Srtp(build.master_key("edge bob")),
    )  # fmt: skip
    core = build.rtp_stream((FOCUS_MEDIA, 20_200), (CORE_OF_AGW, 4200), 2, build.speech(400), at=2)
    parts = through_an_edge(BOB, two_calls=two_calls, leaves=10), edge, core
    result = told(CONF_006, *parts, profile="g2")
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert "from 203.0.113.70:20200 to 192.0.2.20:4000" in result.finding.message


def test_media_of_an_earlier_dialog_is_not_early_in_the_next(told) -> None:
    """Bob calls again while packets of his first leg still come: they are late there, not early here."""
    again = bob(at=13.0, call=2, duration=30)
    result = told(CONF_006, bob(), speech(620), again, quiet_until(90))
    assert result.findings == []


@pytest.mark.parametrize(("until", "rows"), [(20.0, [("violation", "", 1)]), (12.0, [("pass", "", 1)])])
def test_chat_that_goes_on(told, until: float, rows: object) -> None:
    def section(host: str, port: int) -> bytes:
        audio = build.audio(0, "RTP/AVP")
        path = f"a=path:msrp://{host}:{port}/s;tcp"
        return build.sdp(host, audio, build.media("message", port, "TCP/MSRP", "*", path))

    connection = build.TcpConnection((BOB.address[0], 7000), (FOCUS_MEDIA, 7001))
    packets = connection.open(1.0)
    at = 2.0
    while at < until:
        name = f"send{int(at):04}"
        text = (
            f"MSRP {name} SEND\r\nTo-Path: msrp://{BOB.address[0]}:7000/s;tcp\r\n"
            f"From-Path: msrp://{FOCUS_MEDIA}:7001/s;tcp\r\nMessage-ID: {name}\r\nByte-Range: 1-2/2\r\n"
            f"Content-Type: text/plain\r\n\r\nhi\r\n-------{name}$\r\n"
        )
        packets += connection.send(at, text.encode(), from_client=False)
        at += 1.0
    bodies = {"offer": section(BOB.address[0], 7000), "answer": section(FOCUS_MEDIA, 7001)}
    result = told(CONF_006, bob(**bodies), packets, quiet_until(30), profile="g2")
    assert result.rows == rows


def test_the_threshold_of_the_policy(told) -> None:
    from imsinspect.policy import Policy, Thresholds

    patient = Policy(thresholds=Thresholds(conf_media_after_leave=60 * 10**9))
    result = told(CONF_006, bob(), speech(850), quiet_until(90), policy=patient)
    assert result.rows == [("pass", "", 1)]


def test_an_open_profile_is_said(told) -> None:
    clear = {
        "offer": build.sdp(BOB.address[0], build.audio(4000)),
        "answer": build.sdp(FOCUS_MEDIA, build.audio(20_200)),
    }
    media = build.rtp_stream(*TO_BOB, 0xF0, build.speech(850))
    assert told(CONF_006, bob(**clear), media).rows == [("not-assessed", "IMS-PROF-005", 1)]
