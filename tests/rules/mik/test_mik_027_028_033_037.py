"""IMS-MIK-027, -028, -033 and -037, from capture octets to findings."""

from __future__ import annotations

from typing import Any

import pytest

from imsinspect.policy import Policy
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.mikey import A, B
from tests.rules.mik.conftest import TLS_IS_7

MIK_027, MIK_028, MIK_033, MIK_037 = "IMS-MIK-027", "IMS-MIK-028", "IMS-MIK-033", "IMS-MIK-037"
CONFIGURED = Policy(thresholds=TLS_IS_7)
VIDEO = build.media("video", 4002, "RTP/SAVP", "96")
CHAT = build.media("message", 2855, "TCP/TLS/MSRP", "*")
FLOOR = build.media("application", 5070, "TCP/TLS/BFCP", "*")


def agreed(sessions: list[Any], *lines: str, answered: list[Any] | None = None, **parts: Any) -> list[build.Packet]:
    """A call with MIKEY for audio and more lines; the answer has the same sessions unless told otherwise."""
    offer = mikey.init(sessions=sessions, **parts)
    answer = mikey.resp(sessions=sessions if answered is None else answered)
    return build.call(mikey.described(A, offer.attribute(), *lines), mikey.described(B, answer.attribute(), *lines))


def counted(number: int) -> list[Any]:
    """Sessions of SRTP, and one of TLS behind them if they are five."""
    return mikey.for_lines("srtp", "srtp", "tls") if number == 5 else [
        mikey.srtp_session(each, ssrc=each) for each in range(1, number + 1)
    ]  # fmt: skip


# --- IMS-MIK-027 ----------------------------------------------------------------------------------


def test_two_sessions_for_three_lines(told) -> None:
    """The catalogue's first trigger."""
    result = told(MIK_027, agreed(counted(2), VIDEO, CHAT))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert [(each.frame, each.observed) for each in finding.evidence] == [
        (1, "2"),
        (1, "0 audio RTP/SAVP, 1 video RTP/SAVP, 2 message TCP/TLS/MSRP"),
    ]
    assert finding.evidence[0].expected == "5 for 3 secured lines"
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_four_sessions_for_three_lines_are_suspected(told) -> None:
    """The catalogue's second trigger."""
    finding = told(MIK_027, agreed(counted(4), VIDEO, CHAT)).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.LOW, "heuristic")


def test_five_sessions_for_three_lines_pass(told) -> None:
    """The catalogue's near miss; the second one is the answer's."""
    assert told(MIK_027, agreed(counted(5), VIDEO, CHAT)).rows == [("pass", "", 2)]


def test_a_response_with_fewer_sessions(told) -> None:
    result = told(MIK_027, agreed(counted(2), answered=counted(1)))
    assert [(each.frame, each.observed) for each in result.finding.evidence] == [(1, "2"), (4, "1")]
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_response_without_those_of_lines_that_it_refuses(told) -> None:
    offer = mikey.init(sessions=counted(5))
    answer = mikey.resp(sessions=counted(2))
    refused = (build.media("video", 0, "RTP/SAVP", "96"), build.media("message", 0, "TCP/TLS/MSRP", "*"))
    packets = build.call(
        mikey.described(A, offer.attribute(), VIDEO, CHAT), mikey.described(B, answer.attribute(), *refused)
    )
    assert told(MIK_027, packets).rows == [("pass", "", 2)]


def test_a_response_may_add_sessions(told) -> None:
    assert told(MIK_027, agreed(counted(2), answered=counted(4))).rows == [("pass", "", 2)]


def test_refused_lines_keep_their_place(told) -> None:
    """T-HOLD: with or without sessions for the line with port 0."""
    closed = build.media("video", 0, "RTP/SAVP", "96")
    for number in (2, 4):
        assert told(MIK_027, agreed(counted(number), closed)).rows == [("pass", "", 2)]


def test_lines_of_one_direction_may_have_one_session(told) -> None:
    lines = build.media("video", 4002, "RTP/SAVP", "96", "a=sendonly")
    for number in (3, 4):
        assert told(MIK_027, agreed(counted(number), lines)).rows == [("pass", "", 2)]


def test_lines_in_clear_are_not_counted(told) -> None:
    assert told(MIK_027, agreed(counted(2), build.media("message", 2855, "TCP/MSRP", "*"))).rows == [("pass", "", 2)]


def test_a_message_of_one_line_is_for_that_line(told) -> None:
    def sides(address: build.Address, message: mikey.Message) -> bytes:
        return build.sdp(address[0], build.audio(address[1], "RTP/SAVP", message.attribute()), CHAT)

    packets = build.call(sides(A, mikey.init()), sides(B, mikey.resp()))
    assert told(MIK_027, packets).rows == [("pass", "", 2)]


@pytest.mark.parametrize("attribute", ["a=simulcast:send 1;2", "a=ssrc-group:SIM 1 2"])
def test_lines_of_several_streams(told, attribute: str) -> None:
    video = build.media("video", 4002, "RTP/SAVP", "96", attribute)
    assert told(MIK_027, agreed(counted(6), video)).rows == [("pass", "", 1), ("not-assessed", "T-MUX", 1)]


def test_bundled_lines(told) -> None:
    offer = mikey.init(sessions=counted(3))
    lines = (build.audio(A[1], "RTP/SAVP", "a=mid:0"), build.media("video", A[1], "RTP/SAVP", "96", "a=mid:1"))
    session = (offer.attribute(), "a=group:BUNDLE 0 1")
    packets = build.call(build.sdp(A[0], *lines, session=session), mikey.described(B, None, VIDEO))
    assert ("not-assessed", "T-MUX", 1) in told(MIK_027, packets).rows


def test_sessions_of_other_protocols(told) -> None:
    """rules.md 19.2: those of S/MIME are not counted where their Prot type is configured."""
    sessions = [*counted(2), mikey.tls_session(3, prot_type=9)]
    assert told(MIK_027, agreed(sessions)).rows == [("pass", "", 1), ("not-assessed", "N-PROT", 1)]
    from dataclasses import replace

    policy = Policy(thresholds=replace(TLS_IS_7, mikey_prot_type_psk_smime=9))
    assert told(MIK_027, agreed(sessions), policy=policy).rows == [("pass", "", 2)]


def test_session_and_media_level_together(told) -> None:
    offer = mikey.described(A, mikey.init().attribute(), CHAT + "\r\n" + mikey.init(csb_id=5).attribute())
    result = told(MIK_027, build.call(offer, mikey.described(B, mikey.resp().attribute(), CHAT)))
    assert ("not-assessed", "IMS-MIK-035", 2) in result.rows


def test_another_map_is_another_rule(told) -> None:
    offer = mikey.init(sessions=[mikey.SRTPID(ssrc=1)], map_type=0)
    assert told(MIK_027, mikey.call(offer, mikey.error(12))).rows == []


def test_a_response_that_was_not_seen(told) -> None:
    assert told(MIK_027, mikey.call(mikey.init())[:3]).rows == [("pass", "", 1), ("not-assessed", "N-OA", 1)]


def test_a_map_that_is_cut_short(told) -> None:
    assert told(MIK_027, mikey.call(mikey.init().octets()[:25])).rows == [("not-assessed", "IMS-MIK-038", 1)]


# --- IMS-MIK-028 ----------------------------------------------------------------------------------


def test_a_chat_line_with_a_session_of_srtp(told) -> None:
    """The catalogue's trigger."""
    sessions = [*counted(2), mikey.srtp_session(3, ssrc=3)]
    result = told(MIK_028, agreed(sessions, CHAT))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/1", [1, 1])
    assert (finding.evidence[0].field, finding.evidence[0].observed) == ("MIKEY CS ID 3 Prot type", "0 SRTP")
    assert "message line 1, TCP/TLS/MSRP" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_the_configured_number_passes(told) -> None:
    """The catalogue's near miss."""
    assert told(MIK_028, agreed(mikey.for_lines("srtp", "tls"), CHAT), policy=CONFIGURED).rows == [("pass", "", 2)]


def test_a_number_other_than_the_configured_one(told) -> None:
    sessions = [*counted(2), mikey.tls_session(3, prot_type=9)]
    assert told(MIK_028, agreed(sessions, CHAT), policy=CONFIGURED).finding.evidence[0].expected == "7 TLS"


def test_without_configuration_an_unassigned_number_is_taken_for_tls(told) -> None:
    """rules.md 19.2."""
    assert told(MIK_028, agreed(mikey.for_lines("srtp", "tls"), CHAT)).rows == [("pass", "", 2)]
    odd = [*counted(2), mikey.tls_session(3, policies=[0])]
    assert told(MIK_028, agreed(odd, CHAT)).rows == [("pass", "", 1), ("not-assessed", "N-PROT", 1)]


def test_a_line_of_srtp_with_a_session_of_another_protocol(told) -> None:
    sessions = [mikey.srtp_session(1, ssrc=1), mikey.tls_session(2), mikey.srtp_session(3, ssrc=3)]
    result = told(MIK_028, agreed(sessions, CHAT))
    assert [each.subject.id for each in result.findings] == ["call-1/0", "call-1/1"]


def test_cs_ids_need_not_begin_with_one(told) -> None:
    sessions = [mikey.srtp_session(9, ssrc=1), mikey.srtp_session(4, ssrc=2), mikey.tls_session(1)]
    assert told(MIK_028, agreed(sessions, CHAT)).rows == [("pass", "", 2)]


def test_lines_in_another_order_have_their_sessions_in_that_order(told) -> None:
    line = build.sdp(
        A[0], CHAT, build.audio(A[1], "RTP/SAVP"),
        session=(mikey.init(sessions=mikey.for_lines("tls", "srtp")).attribute(),),
    )  # fmt: skip
    assert told(MIK_028, build.call(line, mikey.described(B, None, CHAT))).rows == [("pass", "", 2)]


def test_a_number_of_sessions_that_tells_nothing(told) -> None:
    """IMS-MIK-027."""
    assert told(MIK_028, agreed(counted(4), CHAT)).rows == [("not-assessed", "IMS-MIK-027", 1)]


# --- IMS-MIK-033 ----------------------------------------------------------------------------------


def offered(*policies: dict[int, int], chosen: int | None = None, **parts: Any) -> list[build.Packet]:
    """Policies on offer, numbered from 0, and the one that the response names."""
    offer = mikey.init(
        policies=tuple(mikey.policy(each, number) for number, each in enumerate(policies)),
        sessions=[mikey.srtp_session(each, ssrc=each, policies=range(len(policies))) for each in (1, 2)],
        **parts,
    )
    if chosen is None:
        return mikey.call(offer)
    answer = mikey.resp(sessions=[mikey.srtp_session(each, ssrc=each, policies=(chosen,)) for each in (1, 2)])
    return mikey.call(offer, answer)


def test_a_null_cipher(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_033, offered({0: 0}, chosen=0))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [(each.frame, each.field, each.observed) for each in finding.evidence] == [
        (1, "MIKEY SP 0", "encryption algorithm 0 NULL")
    ]
    assert "is the one that is agreed" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_aead_without_an_authentication_algorithm_passes(told) -> None:
    """The catalogue's near miss."""
    assert told(MIK_033, offered({0: 6, 2: 0, 20: 16}, chosen=0)).rows == [("pass", "", 1)]


def test_what_a_policy_leaves_out_is_secure(told) -> None:
    assert told(MIK_033, offered({}, chosen=0)).rows == [("pass", "", 1)]
    assert told(MIK_033, mikey.call(mikey.init(policies=()), mikey.resp())).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    ("parameters", "severity", "words"),
    [
        ({7: 0}, Severity.HIGH, "SRTP is not encrypted"),
        ({8: 0}, Severity.MEDIUM, "SRTCP is not encrypted"),
        ({2: 0}, Severity.CRITICAL, "nothing authenticates SRTP and SRTCP"),
        ({15: 0}, Severity.CRITICAL, "nothing authenticates SRTCP"),
        ({10: 0}, Severity.MEDIUM, "SRTP is not authenticated"),
        ({14: 0}, Severity.MEDIUM, "SRTP is not authenticated"),
        ({14: 4}, Severity.MEDIUM, "SRTP is not authenticated"),
        ({11: 0}, Severity.HIGH, "the tag is shorter than 4 octets"),
        ({0: 6, 20: 0}, Severity.HIGH, "the tag is shorter than 4 octets"),
        ({0: 0, 2: 0}, Severity.CRITICAL, "the cipher is NULL, nothing authenticates"),
    ],
)
def test_what_a_policy_switches_off(told, parameters: dict[int, int], severity: Severity, words: str) -> None:
    finding = told(MIK_033, offered(parameters, chosen=0)).finding
    assert (finding.severity, finding.verdict) == (severity, "violation")
    assert words in finding.message


def test_the_choice_counts_and_not_the_offer(told) -> None:
    assert told(MIK_033, offered({0: 0}, {}, chosen=1)).rows == [("pass", "", 1)]
    assert told(MIK_033, offered({0: 0}, {}, chosen=0)).rows == [("violation", "", 1)]


def test_several_on_offer_and_no_choice_seen(told) -> None:
    finding = told(MIK_033, offered({0: 0}, {})[:3]).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")


def test_the_only_one_on_offer_counts(told) -> None:
    packets = offered({0: 0}, ticket=mikey.Ticket("DEHNO"))
    assert "is the one that is agreed" in told(MIK_033, packets).finding.message
    finding = told(MIK_033, packets[:3]).finding
    assert finding.verdict == "violation"
    assert "is the only one on offer" in finding.message


def test_a_policy_of_the_response(told) -> None:
    offer = mikey.init(policies=(), sessions=[mikey.srtp_session(each, ssrc=each, policies=()) for each in (1, 2)])
    finding = told(MIK_033, mikey.call(offer, mikey.resp(policies=(mikey.policy({7: 0}),)))).finding
    assert (finding.evidence[0].frame, finding.verdict) == (4, "violation")


def test_tls_has_no_policy_of_srtp(told) -> None:
    line = build.sdp(A[0], CHAT, session=(mikey.init(sessions=mikey.for_lines("tls"), policies=()).attribute(),))
    assert told(MIK_033, build.call(line, build.sdp(B[0], CHAT))).rows == []


def test_a_message_that_is_cut_short(told) -> None:
    assert told(MIK_033, mikey.call(mikey.init().octets()[:80])).rows == [("not-assessed", "IMS-MIK-038", 1)]


# --- IMS-MIK-037 ----------------------------------------------------------------------------------


def media(at: float, packets: int = 200) -> list[build.Packet]:
    return build.rtp_stream(A, B, 0xA, build.speech(packets), at=at)


def test_an_error_in_an_answer_that_opens_ports(told) -> None:
    """The catalogue's trigger."""
    packets = build.in_time_order(mikey.call(mikey.init(), mikey.error(14), duration=60.0), media(1.0, 400))
    result = told(MIK_037, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [each.field for each in finding.evidence] == ["MIKEY ERR Error no", "SIP answer", "media"]
    assert (finding.evidence[0].frame, finding.evidence[0].observed) == (4, "14 Invalid TICKET")
    assert "opens ports all the same and media goes on" in finding.message
    assert result.rows == [("violation", "", 1)]


def refused(*numbers: int) -> tuple[build.Dialog, list[tuple[float, bytes, bool]]]:
    """An INVITE that is refused with an error in the body."""
    talk = build.Dialog()
    body = mikey.described(B, mikey.error(*numbers).attribute())
    return talk, [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(488, "Not Acceptable Here", body), False),
        (0.2, talk.request("ACK"), True),
    ]


def test_a_refusal_and_a_new_offer_that_succeeds(told) -> None:
    """The catalogue's near miss."""
    talk, script = refused(14)
    talk.cseq += 1
    answer = mikey.described(B, mikey.resp(csb_id=2).attribute())
    script += [
        (1.0, talk.request("INVITE", mikey.described(A, mikey.init(csb_id=2, at=1.0).attribute())), True),
        (1.1, talk.response(200, "OK", answer), False),
    ]
    packets = build.in_time_order(build.carry(talk, script), media(2.0, 400))
    assert told(MIK_037, packets).rows == [("pass", "", 1)]


def test_a_refusal_that_ends_it(told) -> None:
    talk, script = refused(14)
    assert told(MIK_037, build.carry(talk, script)).rows == [("pass", "", 1)]


def test_media_behind_a_refusal(told) -> None:
    talk, script = refused(0)
    packets = build.in_time_order(build.carry(talk, script), media(1.0, 400))
    finding = told(MIK_037, packets).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.MEDIUM)
    assert "follows from its address alone" in finding.message
    elsewhere = build.rtp_stream(("192.0.2.10", 4444), ("198.51.100.20", 5555), 0xA, build.speech(400), at=1.0)
    assert told(MIK_037, build.in_time_order(build.carry(*refused(0)), elsewhere)).rows == [("pass", "", 1)]


def test_a_refused_change_leaves_the_session(told) -> None:
    talk = build.Dialog()
    error = mikey.described(B, mikey.error(9, csb_id=3).attribute())
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(200, "OK", mikey.described(B, mikey.resp().attribute())), False),
        (0.2, talk.request("ACK"), True),
        (
            3.0,
            talk.request("INVITE", mikey.described(A, mikey.init(csb_id=3, at=3.0).attribute()), in_dialog=True),
            True,
        ),
        (3.1, talk.response(488, "Not Acceptable Here", error), False),
    ]
    packets = build.in_time_order(build.carry(talk, script), media(1.0, 600))
    assert told(MIK_037, packets).rows == [("pass", "", 1)]


def test_an_error_that_an_update_replaces(told) -> None:
    """T-EARLY: the error stood in a provisional answer."""
    talk = build.Dialog()
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(183, "Progress", mikey.described(B, mikey.error(9).attribute())), False),
        (0.5, talk.response(200, "OK", mikey.described(B, mikey.resp().attribute())), False),
    ]
    packets = build.in_time_order(build.carry(talk, script), media(1.0, 400))
    assert told(MIK_037, packets).rows == [("pass", "", 1)]


def test_a_call_that_ends_at_once_is_only_suspected(told) -> None:
    finding = told(MIK_037, mikey.call(mikey.init(), mikey.error(1), duration=1.0)).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.MEDIUM)
    assert "ended at once" in finding.message


def test_neither_answer_nor_media(told) -> None:
    packets = mikey.call(mikey.init(), early=mikey.described(B, mikey.error(1).attribute()))[:3]
    assert told(MIK_037, packets).rows == [("not-assessed", "N-MED", 1)]


def test_an_error_where_no_profile_is_known(told) -> None:
    packets = mikey.call(mikey.Message(data_type=0, rand=None), mikey.error(1))
    assert told(MIK_037, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_no_error_is_no_object(told) -> None:
    assert told(MIK_037, mikey.call(mikey.init(), mikey.resp())).rows == []
