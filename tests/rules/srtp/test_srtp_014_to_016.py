"""IMS-SRTP-014, -015 and -016, from capture octets to findings."""

from __future__ import annotations

import base64

import pytest

from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.conftest import (
    SSRC_A,
    SSRC_B,
    A,
    B,
    answer,
    context,
    offer,
    rtcp,
    speech_both_ways,
)

SRTP_014, SRTP_015, SRTP_016 = "IMS-SRTP-014", "IMS-SRTP-015", "IMS-SRTP-016"
C = ("203.0.113.30", 7000)


def secure_call(*more: list[build.Packet], duration: float | None = 30.0, **bodies: bytes) -> list[build.Packet]:
    """A call agreed as SAVP with both keys, and what else was captured."""
    return build.in_time_order(
        build.call(bodies.get("offer", offer()), bodies.get("answer", answer()), duration=duration), *more
    )


# --- IMS-SRTP-014 ---------------------------------------------------------------------------------


def answered_at(
    moment: float,
    *more: list[build.Packet],
    early: bytes = b"",
    first: bytes = b"",
    final: tuple[int, str] = (200, "OK"),
) -> list[build.Packet]:
    """A call whose final response comes late; `early` is the body of its 180."""
    packets = build.call(first or offer(), answer(), duration=60.0, early=early, final=final)
    late = [(at + moment - 0.5 if at >= 0.5 else at, frame) for at, frame in packets]
    return build.in_time_order(late, *more)


def from_callee(packets: int, *, at: float = 0.2, **how: object) -> list[build.Packet]:
    """Speech from B to A that begins before any answer."""
    return build.rtp_stream(B, A, SSRC_B, build.speech(packets), at=at, **how)  # type: ignore[arg-type]


def test_three_seconds_of_clear_speech_before_the_answer(told) -> None:
    """The catalogue's trigger: 160 octets, no description in a provisional response."""
    result = told(SRTP_014, answered_at(3.5, from_callee(150)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.rows == [("violation", "", 1)]
    assert [each.frame for each in finding.evidence] == [1, 4, 153, 154]
    assert finding.evidence[1].observed == "payload 160 octets (PCMU, 20 ms)"
    assert "150 packets of plain RTP over 3.0 s from frame 4" in finding.message
    assert "whether the offerer played or discarded it" in finding.message
    assert "before both keys were known" in finding.message


def test_protected_packets_before_the_answer_pass(told) -> None:
    """The catalogue's near miss: 170 octets."""
    assert told(SRTP_014, answered_at(3.5, from_callee(150, srtp=context("b")))).rows == [("pass", "", 1)]


def test_only_what_came_before_the_answer_counts(told) -> None:
    """A stream that is clear on both sides of the answer: IMS-SRTP-001 says the rest."""
    result = told(SRTP_014, answered_at(3.2, from_callee(400)))
    assert "About 150 packets of plain RTP over 3.0 s" in result.finding.message
    assert result.finding.evidence[2].frame < result.finding.evidence[3].frame


def test_a_stream_that_is_protected_from_the_answer_on(told) -> None:
    early = from_callee(150)
    later = build.rtp_stream(
        B, A, SSRC_B, build.speech(400), at=3.6, sequence=250, timestamp=1_000 + 150 * 160, srtp=context("b")
    )
    result = told(SRTP_014, answered_at(3.5, early, later))
    assert (result.finding.verdict, result.finding.confidence) == ("violation", "proven")
    assert "150 packets" in result.finding.message


def test_an_answer_in_a_provisional_response_ends_early_media(told) -> None:
    """T-EARLY: what follows the description in the 180 is judged by IMS-SRTP-001."""
    assert told(SRTP_014, answered_at(3.5, from_callee(150), early=answer())).rows == []


def test_half_a_second_of_silence_is_no_finding_and_half_a_second_of_speech_is(told) -> None:
    silence = build.rtp_stream(B, A, SSRC_B, [build.pcmu_silence()] * 400, at=2.9)
    assert told(SRTP_014, answered_at(3.5, silence)).rows == [("pass", "", 1)]
    assert told(SRTP_014, answered_at(3.5, from_callee(400, at=2.9))).rows == [("violation", "", 1)]


def test_a_few_packets_that_outrun_the_answer(told) -> None:
    assert told(SRTP_014, answered_at(3.5, from_callee(400, at=3.3))).rows == [("not-assessed", "N-MED", 1)]


def test_octets_that_do_not_read_as_speech_are_suspected(told) -> None:
    stream = build.rtp_stream(B, A, SSRC_B, [build.noise(number, 160) for number in range(150)], at=0.2)
    finding = told(SRTP_014, answered_at(3.5, stream)).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")


def test_early_media_of_a_call_that_nobody_took(told) -> None:
    """An announcement and then a refusal: there is no answer to wait for."""
    result = told(SRTP_014, answered_at(4.0, from_callee(150), final=(486, "Busy Here")))
    assert "failed without an answer" in result.finding.message
    assert len(result.finding.evidence) == 3


def test_early_media_whose_answer_was_not_seen(told) -> None:
    invite = answered_at(3.5)[:2]
    assert told(SRTP_014, build.in_time_order(invite, from_callee(150))).rows == [("not-assessed", "N-OA", 1)]


def test_early_media_of_a_codec_whose_sizes_tell_nothing(told) -> None:
    opus = "a=rtpmap:111 opus/48000/2"
    payloads = [build.noise(number, 70 + number % 30) for number in range(150)]
    stream = build.rtp_stream(B, A, SSRC_B, payloads, at=0.2, payload_type=111, clock_step=960)
    packets = answered_at(3.5, stream, first=offer("RTP/SAVP", opus, build.crypto("a"), formats="111"))
    assert told(SRTP_014, packets).rows == [("not-assessed", "N-KEY", 1)]


def test_early_media_on_a_clear_offer_is_no_finding(told) -> None:
    packets = build.in_time_order(build.call(offer("RTP/AVP"), answer("RTP/AVP")), from_callee(50, at=0.11))
    assert told(SRTP_014, packets).rows == []


def test_media_of_an_older_agreement_is_not_early(told) -> None:
    """A call that becomes secure by re-INVITE; and one whose capture begins there (T-MID)."""
    dialog = build.Dialog()
    script = []
    for at, bodies in ((0.0, (offer("RTP/AVP"), answer("RTP/AVP"))), (5.0, (offer(), answer()))):
        script += [
            (at, dialog.request("INVITE", bodies[0], in_dialog=at > 0), True),
            (at + 2.0, dialog.response(200, "OK", bodies[1]), False),
            (at + 2.1, dialog.request("ACK"), True),
        ]
    packets = build.in_time_order(build.carry(dialog, script), from_callee(250, at=2.1))
    assert told(SRTP_014, packets).rows == []
    late = [each for each in packets if each[0] >= 5.0]
    assert told(SRTP_014, late).rows == [("not-assessed", "T-MID", 1)]


def test_early_media_of_two_branches_ends_with_the_first_answer(told) -> None:
    """T-FORK: one branch answered in its 183; what another one sends afterwards is no media before an answer."""
    dialog = build.Dialog()
    invite = dialog.request("INVITE", offer())
    script = [
        (0.0, invite, True),
        (0.1, dialog.response(183, "Session Progress", answer(), to_tag="one"), False),
        (0.2, dialog.response(180, "Ringing", to_tag="two"), False),
        (4.0, dialog.response(200, "OK", answer(port=5008), to_tag="two"), False),
    ]
    stream = build.rtp_stream((B[0], 5008), A, SSRC_B, build.speech(100), at=0.3)
    assert told(SRTP_014, build.in_time_order(build.carry(dialog, script), stream)).findings == []


# --- IMS-SRTP-015 ---------------------------------------------------------------------------------


def third(packets: int = 200, *, source: build.Address = C, at: float = 1.5, **how: object) -> list[build.Packet]:
    """Protected speech from a third host to A's port."""
    how = {"srtp": context("mallory"), "sequence": 9_000} | how
    return build.rtp_stream(source, A, 0x0C0C0C0C, build.speech(packets), at=at, **how)  # type: ignore[arg-type]


def test_a_third_host_sends_to_the_port_of_a_party(told) -> None:
    """The catalogue's trigger, beside the signalled source."""
    result = told(SRTP_015, secure_call(speech_both_ways(context("a"), context("b"), packets=300), third()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "strong")
    assert finding.subject.id == "call-1/0"
    assert "200 packets from 203.0.113.30:7000 to 192.0.2.10:4000" in finding.message
    assert "while 198.51.100.20:5000 sends too" in finding.message
    assert finding.evidence[0].observed == "198.51.100.20"
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_another_port_of_the_signalled_address_passes(told) -> None:
    """The catalogue's near miss."""
    packets = secure_call(
        build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a")), third(source=(B[0], 6004))
    )
    assert told(SRTP_015, packets).rows == [("pass", "", 2)]


def test_a_source_instead_of_the_signalled_one_is_suspected(told) -> None:
    """An asymmetric gateway may stand behind it: the signalled address receives and does not send."""
    packets = secure_call(build.rtp_stream(A, B, SSRC_A, build.speech(300), srtp=context("a")), third())
    result = told(SRTP_015, packets)
    assert (result.finding.verdict, result.finding.severity) == ("suspect", Severity.LOW)
    assert "ambiguous" in result.finding.message


def test_media_that_the_senders_key_verifies_is_his_own(told) -> None:
    """T-NAT: whoever holds the key of the answer is the answerer."""
    packets = secure_call(speech_both_ways(context("a"), None, packets=300)[::2], third(srtp=context("b")))
    assert told(SRTP_015, packets).findings == []


def test_a_peer_that_sends_back_to_where_media_comes_from(told) -> None:
    """T-NAT: symmetric RTP."""
    back = build.rtp_stream(A, C, SSRC_A, build.speech(300), srtp=context("a"))
    assert told(SRTP_015, secure_call(back, third())).rows == [("pass", "", 1), ("not-assessed", "T-NAT", 1)]


def test_a_private_address_and_a_source_of_the_other_family(told) -> None:
    """T-NAT: 192.168/16 behind a public address; IPv4 in the description and IPv6 on the wire."""
    inside = build.sdp("192.168.1.7", build.audio(5000, "RTP/SAVP", build.crypto("b")))
    media = build.rtp_stream(("8.8.8.8", 5000), A, SSRC_B, build.speech(100), srtp=context("m"))
    assert told(SRTP_015, secure_call(media, answer=inside)).rows == [("not-assessed", "T-NAT", 1)]
    first = build.sdp("2001:db8::10", build.audio(4000, "RTP/SAVP", build.crypto("a")))
    six = build.rtp_stream(("2001:db8::99", 5000), ("2001:db8::10", 4000), SSRC_B, build.speech(100), srtp=context("m"))
    assert told(SRTP_015, secure_call(six, offer=first)).rows == [("not-assessed", "T-NAT", 1)]


@pytest.mark.parametrize("address", ["999.1.1.1", "1", "host.example.org", "fe80::1%eth0"])
def test_an_address_that_is_none(told, address: str) -> None:
    odd = answer().replace(b"c=IN IP4 198.51.100.20", b"c=IN IP4 " + address.encode())
    gaps = told(SRTP_015, secure_call(third(), answer=odd)).rows
    assert gaps in ([("not-assessed", "T-NAT", 1)], [("not-assessed", "N-OA", 1)])


def test_the_address_that_sip_came_from_is_known(told) -> None:
    inside = build.sdp("203.0.113.77", build.audio(5000, "RTP/SAVP", build.crypto("b")))
    media = build.rtp_stream((build.BOB[0], 5002), A, SSRC_B, build.speech(100), srtp=context("m"))
    assert told(SRTP_015, secure_call(media, answer=inside)).rows == [("pass", "", 1)]


def test_candidates_are_signalled_and_ice_finds_others(told) -> None:
    """T-ICE."""
    candidate = f"a=candidate:1 1 UDP 2130706431 {C[0]} {C[1]} typ host"
    ice = answer("RTP/SAVP", build.crypto("b"), "a=ice-ufrag:x", candidate)
    media = speech_both_ways(context("a"), context("b"), packets=300)
    assert told(SRTP_015, secure_call(media, third(), answer=ice)).rows == [("pass", "", 2)]
    found = third(source=("203.0.113.99", 7000))
    rows = told(SRTP_015, secure_call(media, found, answer=ice)).rows
    assert rows == [("pass", "", 1), ("not-assessed", "T-ICE", 1)]


def test_early_media_of_a_branch_that_did_not_answer(told) -> None:
    """T-FORK, T-EARLY: it ends before the answer."""
    packets = answered_at(6.0, third(150, at=0.2), build.rtp_stream(B, A, SSRC_B, build.speech(100), at=6.1))
    assert told(SRTP_015, packets).rows == [("pass", "", 1)]


def test_the_branches_of_a_forked_call_are_all_signalled(told) -> None:
    dialog = build.Dialog()
    other = build.sdp(C[0], build.audio(C[1], "RTP/SAVP", build.crypto("c")))
    script = [
        (0.0, dialog.request("INVITE", offer()), True),
        (0.1, dialog.response(183, "Session Progress", other, to_tag="one"), False),
        (0.5, dialog.response(200, "OK", answer(), to_tag="two"), False),
    ]
    media = speech_both_ways(context("a"), context("b"), packets=300)
    assert told(SRTP_015, build.in_time_order(build.carry(dialog, script), media, third())).findings == []


def test_few_packets_no_packets_and_no_answer(told) -> None:
    media = speech_both_ways(context("a"), context("b"), packets=300)
    few = told(SRTP_015, secure_call(media, third(20))).rows
    assert few == [("pass", "", 1), ("not-assessed", "N-MED", 1)]
    assert told(SRTP_015, secure_call()).rows == [("not-assessed", "N-MED", 1)]
    invite = [(0.0, build.udp(build.ALICE, build.BOB, build.Dialog().request("INVITE", offer())))]
    assert told(SRTP_015, [*invite, *third()]).rows == [("not-assessed", "N-OA", 1)]


def test_a_conference_server_may_send_from_elsewhere(told) -> None:
    """T-CONFSRV."""
    dialog = build.Dialog(to_uri="sip:conf@example.org")
    header = ("Contact: <sip:conf1@focus.example.org>;isfocus",)
    script = [
        (0.0, dialog.request("INVITE", offer()), True),
        (0.2, dialog.response(200, "OK", answer(), headers=header), False),
        (0.3, dialog.request("ACK"), True),
    ]
    media = speech_both_ways(context("a"), context("b"), packets=300)
    result = told(SRTP_015, build.in_time_order(build.carry(dialog, script), media, third()))
    assert result.rows == [("pass", "", 1), ("not-assessed", "T-CONFSRV", 1)]


# --- IMS-SRTP-016 ---------------------------------------------------------------------------------


def test_all_packets_fail(told) -> None:
    """The catalogue's trigger: another key than the one agreed."""
    result = told(SRTP_016, secure_call(speech_both_ways(context("another"), context("b"))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert finding.subject.kind == "stream"
    assert "100 of 100 SRTP packets of SSRC 0x0a0a0a0a" in finding.message
    assert "Diagnosis: no key verifies" in finding.message
    assert "before both keys were known" in finding.message
    assert "key:" in finding.message
    assert finding.evidence[0].frame == 6
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_packets_with_rollover_counter_1_because_the_capture_began_behind_the_wrap(told) -> None:
    """The catalogue's near miss (T-MID)."""
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a", roc=1), at=400.0)
    assert told(SRTP_016, secure_call(media, duration=900.0)).rows == [("pass", "", 1)]


def broken(media: list[build.Packet], *which: int) -> list[build.Packet]:
    """Some packets with a changed octet of their payload."""
    out = list(media)
    for number in which:
        at, frame = out[number]
        payload = bytearray(frame[42:])
        payload[40] ^= 1
        out[number] = (at, build.udp(A, B, bytes(payload)))
    return out


def test_one_failed_packet_in_a_keyed_stream_is_low(told) -> None:
    """rules.md 19.2."""
    media = build.rtp_stream(A, B, SSRC_A, build.speech(400), srtp=context("a"))
    finding = told(SRTP_016, secure_call(broken(media, 200))).finding
    assert (finding.severity, finding.confidence) == (Severity.LOW, "proven")
    assert "1 of 400" in finding.message
    assert "altered" in finding.message
    assert [each.frame for each in finding.evidence] == [206]


def test_the_threshold_of_two_percent(told) -> None:
    media = build.rtp_stream(A, B, SSRC_A, build.speech(400), srtp=context("a"))
    eight = broken(media, *range(40, 360, 40))
    assert told(SRTP_016, secure_call(eight)).finding.severity is Severity.LOW
    nine = broken(media, *range(30, 300, 30))
    assert told(SRTP_016, secure_call(nine)).finding.severity is Severity.HIGH


def test_the_key_of_the_other_direction_is_named(told) -> None:
    finding = told(SRTP_016, secure_call(speech_both_ways(context("b"), context("b")))).finding
    assert "Diagnosis: other direction" in finding.message
    assert "encrypts with the key it was sent" in finding.message


def test_a_rollover_counter_that_was_lost_is_named(told) -> None:
    """The sender does not count the wrap of its numbers."""
    srtp = context("a")
    first = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=srtp, sequence=65_436)
    again = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a"), sequence=0, timestamp=17_000, at=3.0)
    finding = told(SRTP_016, secure_call(first, again)).finding
    assert "rollover counter" in finding.message
    assert "lost or kept behind a wrap" in finding.message


def test_packets_in_clear_are_told_by_other_rules(told) -> None:
    assert told(SRTP_016, secure_call(speech_both_ways(None, context("b")))).rows == [("pass", "", 1)]


def test_telephone_events_in_clear_are_told_by_other_rules(told) -> None:
    """Four octets are too few to be read as clear; their size tells."""
    event = "a=rtpmap:101 telephone-event/8000"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a"), event, formats="0 101"),
        "answer": answer("RTP/SAVP", build.crypto("b"), event, formats="0 101"),
    }
    speech = build.rtp_stream(A, B, SSRC_A, build.speech(300), srtp=context("a"))
    payloads = [build.telephone_event(5, 160 * (number + 1), end=number > 18) for number in range(22)]
    digits = build.rtp_stream(
        A, B, SSRC_A, payloads, payload_type=101, clock_step=0, at=8.0, sequence=400, timestamp=50_000
    )
    assert told(SRTP_016, secure_call(speech, digits, **bodies)).rows == [("pass", "", 1)]


def test_srtcp_fails_too_and_its_missing_or_short_tags_are_told_by_other_rules(told) -> None:
    report = build.sender_report(SSRC_A) + build.source_description(SSRC_A)
    wrong = context("another")
    sealed = [wrong.protect_rtcp(report) for _ in range(6)]
    finding = told(SRTP_016, secure_call(rtcp(sealed))).finding
    assert (finding.severity, finding.subject.kind) == (Severity.HIGH, "rtcp")
    assert "6 of 6 SRTCP packets" in finding.message
    right = context("a")
    for octets in (0, 4):
        some = [right.protect_rtcp(report, tag_octets=octets) for _ in range(6)]
        assert told(SRTP_016, secure_call(rtcp(some))).findings == []


def test_an_offered_key_without_answer_that_verifies_nothing(told) -> None:
    invite = [(0.0, build.udp(build.ALICE, build.BOB, build.Dialog().request("INVITE", offer())))]
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("another"))
    assert told(SRTP_016, [*invite, *media]).rows == [("not-assessed", "N-OA", 1)]


def test_packets_before_the_first_answer_of_a_capture_that_begins_inside_the_call(told) -> None:
    """T-MID: a key that was agreed before may verify them; packets behind the answer have no such excuse."""
    talk = build.Dialog()
    again = talk.request("INVITE", offer(), in_dialog=True)
    renewed = build.carry(talk, [(3.4, again, True), (3.5, talk.response(200, "OK", answer()), False)])
    before, after = speech_both_ways(context("earlier"), None), speech_both_ways(context("a"), None, at=4.6)
    assert told(SRTP_016, [*before, *renewed, *after]).rows == [("not-assessed", "T-MID", 1)]
    other = speech_both_ways(context("another"), None, at=4.6)
    assert told(SRTP_016, [*before, *renewed, *other]).finding.severity is Severity.HIGH
    assert told(SRTP_016, secure_call(before)).finding.severity is Severity.HIGH


def test_packets_behind_an_offer_whose_answer_was_not_seen(told) -> None:
    """The key of the offer verifies them, which nobody saw accepted; an offer that was refused excuses nothing."""
    for refused, expected in ((False, [("not-assessed", "N-OA", 1)]), (True, [("violation", "", 1)])):
        talk = build.Dialog()
        first = build.call(offer(), answer(), dialog=talk, duration=None)
        script = [(3.4, talk.request("INVITE", offer("RTP/SAVP", build.crypto("a2")), in_dialog=True), True)]
        if refused:
            script.append((3.5, talk.response(488, "Not Acceptable Here"), False))
        media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a"))
        media += build.rtp_stream(A, B, SSRC_A, build.speech(100), at=3.6, sequence=200, srtp=context("a2"))
        assert told(SRTP_016, build.in_time_order(first, build.carry(talk, script), media)).rows == expected


def test_packets_behind_an_answer_whose_offer_was_not_seen(told) -> None:
    """The re-INVITE with a new key was lost; one that was seen and agreed upon later ends the excuse."""
    for later, expected in ((False, [("not-assessed", "N-OA", 1)]), (True, [("violation", "", 1)])):
        talk = build.Dialog()
        first = build.call(offer(), answer(), dialog=talk, duration=None)
        talk.request("INVITE", offer("RTP/SAVP", build.crypto("a2")), in_dialog=True)
        script = [(3.5, talk.response(200, "OK", answer()), False)]
        if later:
            script.append((3.7, talk.request("INVITE", offer("RTP/SAVP", build.crypto("a3")), in_dialog=True), True))
            script.append((3.8, talk.response(200, "OK", answer()), False))
        media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a"))
        media += build.rtp_stream(A, B, SSRC_A, build.speech(100), at=5.0, sequence=200, srtp=context("a2"))
        assert told(SRTP_016, build.in_time_order(first, build.carry(talk, script), media)).rows == expected


def test_media_of_an_address_that_nobody_announced(told) -> None:
    """Until the call is taken a branch may send whose response was lost; afterwards nothing excuses what fails."""
    elsewhere = ("198.51.100.77", 6000)
    for at, expected in ((0.2, [("not-assessed", "N-OA", 1)]), (8.0, [("violation", "", 1)])):
        talk = build.Dialog()
        script = [
            (0.0, talk.request("INVITE", offer()), True),
            (0.1, talk.response(183, "Session Progress", answer()), False),
            (6.0, talk.response(200, "OK", answer()), False),
            (6.1, talk.request("ACK"), True),
        ]
        media = build.rtp_stream(elsewhere, A, SSRC_A, build.speech(100), at=at, srtp=context("c"))
        assert told(SRTP_016, build.in_time_order(build.carry(talk, script), media)).rows == expected


def test_packets_before_any_description_of_their_line(told) -> None:
    """The 200 with the offer was lost, and the answer in its ACK cannot be read without it."""
    talk = build.Dialog()
    opened = [(0.0, talk.request("INVITE"), True), (0.51, talk.request("ACK", offer()), True)]
    renewed = build.carry(talk, [
        *opened,
        (3.4, talk.request("INVITE", offer("RTP/SAVP", build.crypto("a2")), in_dialog=True), True),
        (3.5, talk.response(200, "OK", answer()), False),
    ])  # fmt: skip
    for later, expected in (("a2", [("not-assessed", "N-OA", 1)]), ("another", [("violation", "", 1)])):
        media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a"))
        media += build.rtp_stream(A, B, SSRC_A, build.speech(100), at=4.6, sequence=200, srtp=context(later))
        assert told(SRTP_016, build.in_time_order(renewed, media)).rows == expected


def test_without_keys(told) -> None:
    mikey = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
    bodies = {"offer": offer("RTP/SAVP", mikey), "answer": answer("RTP/SAVP", mikey)}
    packets = secure_call(speech_both_ways(context("a"), context("b")), **bodies)
    assert told(SRTP_016, packets).rows == [("not-assessed", "N-KEY", 2)]


def test_few_packets_of_which_none_verifies(told) -> None:
    media = build.rtp_stream(A, B, SSRC_A, build.speech(4), srtp=context("another"))
    assert told(SRTP_016, secure_call(media)).rows == [("not-assessed", "N-MED", 1)]


def test_packets_without_tags_by_agreement_cannot_fail(told) -> None:
    flag = " UNAUTHENTICATED_SRTP"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", params=flag)),
        "answer": answer("RTP/SAVP", build.crypto("b", params=flag)),
    }
    media = speech_both_ways(context("a", unauthenticated=True), context("b", unauthenticated=True))
    assert told(SRTP_016, secure_call(media, **bodies)).rows == []


def test_error_correction_has_a_key_of_its_own(told) -> None:
    """FEC_KEY protects another SSRC of the same side."""
    fec = base64.b64encode(build.master_key("fec")).decode()
    keyed = offer("RTP/SAVP", build.crypto("a", params=f" FEC_KEY=inline:{fec}"))
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("a"))
    repair = build.rtp_stream(A, B, 0x0F0F0F0F, build.speech(100), at=1.01, srtp=context("fec"))
    assert told(SRTP_016, secure_call(media, repair, offer=keyed)).rows == [("pass", "", 2)]


def test_packets_that_the_capture_cut_cannot_be_checked() -> None:
    packets = secure_call(build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context("another")))
    data = build.pcap([(at, frame) for at, frame in packets], snap_length=180)
    signalled = build.pcap([each for each in packets if len(each[1]) > 230])
    audit = build.audit_bytes(signalled, data)
    rows = evaluate(audit.trace, Scene(), [BY_ID[SRTP_016]]).assessments
    assert [(row.outcome, row.gap) for row in rows if row.gap == "N-FRAG"] == [("not-assessed", "N-FRAG")]


@pytest.mark.parametrize("rule", [SRTP_014, SRTP_015, SRTP_016])
def test_clear_calls_and_captures_without_calls(told, rule: str) -> None:
    assert told(rule, [(0.0, build.udp(A, B, b"nothing"))]).rows == []
