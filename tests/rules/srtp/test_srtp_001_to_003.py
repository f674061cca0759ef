"""IMS-SRTP-001, -002 and -003, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
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

SRTP_001, SRTP_002, SRTP_003 = "IMS-SRTP-001", "IMS-SRTP-002", "IMS-SRTP-003"
REPORT = build.sender_report(SSRC_A) + build.source_description(SSRC_A)


def secure_call(*more: list[build.Packet], duration: float | None = 10.0, **bodies: bytes) -> list[build.Packet]:
    """A call agreed as SAVP with both keys, and what else was captured."""
    return build.in_time_order(
        build.call(bodies.get("offer", offer()), bodies.get("answer", answer()), duration=duration), *more
    )


# --- IMS-SRTP-001 ---------------------------------------------------------------------------------


def test_speech_of_160_octets_on_a_secure_line_is_critical(told) -> None:
    """The catalogue's trigger; the direction that is protected passes."""
    result = told(SRTP_001, secure_call(speech_both_ways(None, context("b"))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert finding.evidence[2].observed == "payload 160 octets (PCMU, 20 ms)"
    assert finding.evidence[2].expected == "170 octets with a tag of 80 bits"
    assert "offerer to answerer" in finding.message
    assert "AES_CM_128_HMAC_SHA1_80" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_256_GCM"])
def test_payloads_with_the_tag_of_the_suite_pass(told, suite: str) -> None:
    """The catalogue's near miss: 170 and 164 octets, and 176."""
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", suite=suite)),
        "answer": answer("RTP/SAVP", build.crypto("b", suite=suite)),
    }
    media = speech_both_ways(context("a", suite), context("b", suite))
    assert told(SRTP_001, secure_call(media, **bodies)).rows == [("pass", "", 2)]


def test_octets_that_do_not_read_as_speech_are_only_suspected(told) -> None:
    stream = build.rtp_stream(A, B, SSRC_A, [build.noise(number, 160) for number in range(100)])
    finding = told(SRTP_001, secure_call(stream)).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.HIGH, "heuristic")


def test_clear_media_on_a_clear_line_is_no_finding(told) -> None:
    """T-E2AE, T-OSRTP: the core side is agreed as AVP, with or without keys on offer."""
    for first, second in (
        (offer("RTP/AVP"), answer("RTP/AVP")),
        (offer("RTP/AVP", build.crypto("a")), answer("RTP/AVP")),
    ):
        packets = secure_call(speech_both_ways(None, None), offer=first, answer=second)
        assert told(SRTP_001, packets).rows == []


def test_media_before_the_answer_is_another_rule(told) -> None:
    """T-EARLY: clear packets until the answer at 0.5 s, protected ones of the same source behind it."""
    early = build.rtp_stream(B, A, SSRC_B, build.speech(20), at=0.1)
    later = build.rtp_stream(B, A, SSRC_B, build.speech(400), at=0.6, sequence=120, timestamp=4_200, srtp=context("b"))
    result = told(SRTP_001, secure_call(early, later))
    assert result.findings == []


def test_media_that_ends_before_the_answer_is_no_finding(told) -> None:
    early = build.rtp_stream(B, A, SSRC_B, build.speech(20), at=0.05)
    assert told(SRTP_001, secure_call(early)).rows == [("not-assessed", "N-MED", 1)]


def test_packets_without_a_tag_agreed(told) -> None:
    """UNAUTHENTICATED_SRTP: encrypted payloads are as long as clear ones, and there is no tag to verify with keys."""
    flag = " UNAUTHENTICATED_SRTP"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", params=flag)),
        "answer": answer("RTP/SAVP", build.crypto("b", params=flag)),
    }
    media = speech_both_ways(context("a", unauthenticated=True), context("b", unauthenticated=True))
    assert told(SRTP_001, secure_call(media, **bodies)).rows == [("not-assessed", "N-KEY", 2)]
    assert told(SRTP_001, secure_call(speech_both_ways(None, None), **bodies)).rows == [("violation", "", 2)]


def test_srtp_that_is_agreed_to_be_unencrypted_is_another_rule(told) -> None:
    """IMS-SRTP-005: the tag is there, so it is no plain RTP."""
    flag = " UNENCRYPTED_SRTP"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", params=flag)),
        "answer": answer("RTP/SAVP", build.crypto("b", params=flag)),
    }
    media = speech_both_ways(context("a", unencrypted=True), context("b", unencrypted=True))
    assert told(SRTP_001, secure_call(media, **bodies)).rows == [("pass", "", 2)]


def in_turn(*runs: tuple[list[bytes], build.Srtp | None], at: float = 1.0) -> list[build.Packet]:
    """One source's packets from A to B, protected or not, one run after the other."""
    packets: list[build.Packet] = []
    for payloads, srtp in runs:
        number = len(packets)
        packets += build.rtp_stream(
            A,
            B,
            SSRC_A,
            payloads,
            at=at + number / 50,
            sequence=100 + number,
            timestamp=1_000 + 160 * number,
            srtp=srtp,
        )
    return packets


def test_a_clear_part_of_a_protected_stream(told) -> None:
    """Speech goes on in clear after 20 seconds."""
    media = in_turn((build.speech(1_000), context("a")), (build.speech(300), None))
    result = told(SRTP_001, secure_call(media, duration=60.0))
    assert result.rows == [("violation", "", 1)]
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert finding.evidence[2].observed == "payload 160 octets (PCMU, 20 ms)"
    assert "300 packets from frame" in finding.message
    assert "1000 more packets of the stream are protected" in finding.message


def test_half_of_a_stream_in_clear(told) -> None:
    media = in_turn((build.speech(100), context("a")), (build.speech(100), None))
    assert told(SRTP_001, secure_call(media, duration=60.0)).rows == [("violation", "", 1)]


def test_a_clear_part_told_by_its_size_alone_is_suspected(told) -> None:
    media = in_turn((build.speech(400), context("a")), ([build.noise(number, 160) for number in range(200)], None))
    assert told(SRTP_001, secure_call(media, duration=60.0)).rows == [("suspect", "", 1)]


def test_digits_in_clear_beside_protected_speech(told) -> None:
    event = "a=rtpmap:101 telephone-event/8000"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a"), event, formats="0 101"),
        "answer": answer("RTP/SAVP", build.crypto("b"), event, formats="0 101"),
    }
    payloads = [build.telephone_event(5, 160 * (number + 1), end=number > 18) for number in range(22)]
    how = {"payload_type": 101, "clock_step": 0, "at": 8.0, "sequence": 500, "timestamp": 50_000}
    speech = in_turn((build.speech(300), context("a")))
    clear = build.rtp_stream(A, B, SSRC_A, payloads, **how)
    assert told(SRTP_001, secure_call(speech, clear, duration=40.0, **bodies)).rows == [("violation", "", 1)]
    sealed = build.rtp_stream(A, B, SSRC_A, payloads, srtp=context("a"), **how)
    assert told(SRTP_001, secure_call(speech, sealed, duration=40.0, **bodies)).rows == [("pass", "", 1)]


def answered_at(moment: float) -> list[build.Packet]:
    """A call whose answer comes late."""
    packets = build.call(offer(), answer(), duration=60.0)
    return [packets[0], *((at + moment, frame) for at, frame in packets[1:])]


def test_a_clear_part_before_the_answer_is_another_rule(told) -> None:
    """T-EARLY: also where most of the stream is early media."""
    for early, later in ((150, 300), (400, 200)):
        media = in_turn((build.speech(early), None), (build.speech(later), context("a")))
        packets = build.in_time_order(answered_at(1 + early / 50 - 0.21), media)
        assert told(SRTP_001, packets).rows == [("pass", "", 1)]


def test_a_clear_part_on_both_sides_of_the_answer_is_suspected(told) -> None:
    media = in_turn((build.speech(300), None), (build.speech(600), context("a")))
    finding = told(SRTP_001, build.in_time_order(answered_at(4.0), media)).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.HIGH)
    assert "early media may stand behind them" in finding.message


def test_readable_content_before_a_tag_is_suspected_where_encryption_was_agreed(told) -> None:
    """A NULL cipher is no plain RTP, but it is no pass either; MIKEY does not show in the open what was agreed."""
    media = build.rtp_stream(A, B, SSRC_A, build.speech(200), srtp=context("a", unencrypted=True))
    finding = told(SRTP_001, secure_call(media)).finding
    assert (finding.verdict, finding.confidence) == ("suspect", "heuristic")
    assert "SRTP that seems not to be encrypted" in finding.message
    mikey = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
    bodies = {"offer": offer("RTP/SAVP", mikey), "answer": answer("RTP/SAVP", mikey)}
    assert told(SRTP_001, secure_call(media, **bodies)).rows == [("not-assessed", "N-KEY", 1)]


def test_a_secure_line_without_media(told) -> None:
    assert told(SRTP_001, secure_call()).rows == [("not-assessed", "N-MED", 1)]


def test_a_held_line_needs_no_media(told) -> None:
    """T-HOLD."""
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a"), "a=inactive"),
        "answer": answer("RTP/SAVP", build.crypto("b"), "a=inactive"),
    }
    assert told(SRTP_001, secure_call(**bodies)).rows == []


def test_an_offer_without_its_answer(told) -> None:
    invite = (0.0, build.udp(build.ALICE, build.BOB, build.Dialog().request("INVITE", offer())))
    stream = build.rtp_stream(B, A, SSRC_B, build.speech(100))
    assert ("not-assessed", "N-OA", 1) in told(SRTP_001, [invite, *stream]).rows


def test_media_that_no_description_announces(told) -> None:
    stream = build.rtp_stream(A, B, SSRC_A, build.speech(100))
    assert told(SRTP_001, stream).rows == [("not-assessed", "N-SIP", 1)]


def test_a_codec_whose_sizes_tell_nothing(told) -> None:
    opus = "a=rtpmap:111 opus/48000/2"
    bodies = {
        "offer": offer("RTP/SAVP", opus, build.crypto("a"), formats="111"),
        "answer": answer("RTP/SAVP", opus, build.crypto("b"), formats="111"),
    }
    payloads = [build.noise(number, 70 + number % 30) for number in range(100)]
    stream = build.rtp_stream(A, B, SSRC_A, payloads, payload_type=111, clock_step=960)
    assert told(SRTP_001, secure_call(stream, **bodies)).rows == [("not-assessed", "N-KEY", 1)]


def test_amr_in_clear_is_told_by_its_table_of_contents(told) -> None:
    amr = ("a=rtpmap:96 AMR/8000", "a=fmtp:96 octet-align=1")
    bodies = {
        "offer": offer("RTP/SAVP", *amr, build.crypto("a"), formats="96"),
        "answer": answer("RTP/SAVP", *amr, build.crypto("b"), formats="96"),
    }
    frames = [build.amr_octet_aligned(number) for number in range(100)]
    clear = build.rtp_stream(A, B, SSRC_A, frames, payload_type=96)
    sealed = build.rtp_stream(B, A, SSRC_B, frames, payload_type=96, srtp=context("b"))
    result = told(SRTP_001, secure_call(clear, sealed, **bodies))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert "size and structure" in result.finding.message


def test_media_over_ipv6_and_behind_a_reinvite(told) -> None:
    """A call that becomes secure by a re-INVITE is judged from then on."""
    one, other = ("2001:db8::10", 4000), ("2001:db8::20", 5000)
    dialog = build.Dialog(caller=(one[0], 5060), callee=(other[0], 5060))
    clear = (build.sdp(one[0], build.audio(4000)), build.sdp(other[0], build.audio(5000)))
    secure = (
        build.sdp(one[0], build.audio(4000, "RTP/SAVP", build.crypto("a")), version=2),
        build.sdp(other[0], build.audio(5000, "RTP/SAVP", build.crypto("b")), version=2),
    )
    script = []
    for at, bodies in ((0.0, clear), (5.0, secure)):
        script += [
            (at, dialog.request("INVITE", bodies[0], in_dialog=at > 0), True),
            (at + 0.1, dialog.response(200, "OK", bodies[1]), False),
            (at + 0.2, dialog.request("ACK"), True),
        ]
    stream = build.rtp_stream(one, other, SSRC_A, build.speech(500), at=0.5)
    result = told(SRTP_001, build.in_time_order(build.carry(dialog, script), stream))
    assert result.rows == [("violation", "", 1)]


# --- IMS-SRTP-002 ---------------------------------------------------------------------------------


def test_a_sender_report_of_28_octets_in_28_is_critical(told) -> None:
    """The catalogue's trigger."""
    result = told(SRTP_002, secure_call(rtcp([build.sender_report(SSRC_A)])))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert finding.evidence[2].observed == "28 octets in a datagram of 28 (SR)"
    assert finding.subject.id == "call-1/0"


def test_a_sender_report_of_28_octets_in_42_passes(told) -> None:
    """The catalogue's near miss."""
    sender = context("a")
    sealed = [sender.protect_rtcp(build.sender_report(SSRC_A)) for _ in range(4)]
    assert len(sealed[0]) == 42
    assert told(SRTP_002, secure_call(rtcp(sealed))).rows == [("pass", "", 1)]


def test_rtcp_beside_rtp_on_one_port(told) -> None:
    """T-MUX."""
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a"), "a=rtcp-mux"),
        "answer": answer("RTP/SAVP", build.crypto("b"), "a=rtcp-mux"),
    }
    plain = [(2.0 + number, build.udp(A, B, REPORT)) for number in range(3)]
    media = speech_both_ways(context("a"), context("b"))
    assert told(SRTP_002, secure_call(media, plain, **bodies)).rows == [("violation", "", 1)]


def test_the_first_packet_before_keys_is_excused_and_a_second_is_not(told) -> None:
    sender = context("a")
    sealed = rtcp([sender.protect_rtcp(REPORT) for _ in range(4)], at=1.0)
    assert told(SRTP_002, secure_call(rtcp([REPORT], at=0.3), sealed)).rows == [("pass", "", 1)]
    two = rtcp([REPORT, REPORT], at=0.3, every=0.1)
    assert told(SRTP_002, secure_call(two, sealed)).rows == [("violation", "", 1)]


def test_a_first_packet_long_after_the_answer_has_no_excuse(told) -> None:
    """The keys of SDES are there with the answer; protected packets behind it change nothing."""
    sender = context("a")
    datagrams = [REPORT, *(sender.protect_rtcp(REPORT) for _ in range(4))]
    reports = rtcp(datagrams, at=3.5)
    assert told(SRTP_002, secure_call(speech_both_ways(context("a"), context("b")), reports)).rows == [
        ("violation", "", 1)
    ]


def test_a_call_that_becomes_secure_while_rtcp_stays_plain(told) -> None:
    """More packets than are kept were sent before; the last one tells that it went on."""
    dialog = build.Dialog()
    script = []
    for at, bodies in ((0.0, (offer("RTP/AVP"), answer("RTP/AVP"))), (20.0, (offer(), answer()))):
        script += [
            (at, dialog.request("INVITE", bodies[0], in_dialog=at > 0), True),
            (at + 0.1, dialog.response(200, "OK", bodies[1]), False),
            (at + 0.2, dialog.request("ACK"), True),
        ]
    signalling = build.carry(dialog, script)
    result = told(SRTP_002, build.in_time_order(signalling, rtcp([REPORT] * 30, at=1.0)))
    assert result.rows == [("violation", "", 1)]
    assert told(SRTP_002, build.in_time_order(signalling, rtcp([REPORT] * 19, at=1.0))).findings == []


def test_one_plain_packet_among_protected_ones_is_enough(told) -> None:
    sender = context("a")
    sealed = rtcp([sender.protect_rtcp(REPORT) for _ in range(4)], at=1.0)
    finding = told(SRTP_002, secure_call(sealed, rtcp([build.goodbye(SSRC_A)], at=6.0))).finding
    assert finding.confidence == "proven"
    assert finding.evidence[2].observed == "8 octets in a datagram of 8 (BYE)"


@pytest.mark.parametrize(("behind", "rows"), [(4.0, [("violation", "", 1)]), (30.0, None)])
def test_the_line_lasts_five_seconds_longer_than_the_dialog(told, behind: float, rows: object) -> None:
    """The RTCP BYE sent after the SIP BYE belongs to the line; much later ones do not."""
    result = told(SRTP_002, secure_call(rtcp([REPORT], at=10.0 + behind)))
    assert result.rows == rows or (rows is None and result.findings == [])


def test_rtcp_of_a_clear_line_is_no_finding(told) -> None:
    packets = secure_call(
        rtcp([REPORT] * 3), speech_both_ways(None, None), offer=offer("RTP/AVP"), answer=answer("RTP/AVP")
    )
    assert told(SRTP_002, packets).rows == []


def test_a_clear_line_whose_rtp_is_srtp(told) -> None:
    """Keys agreed under RTP/AVP (T-OSRTP): RTCP has to be protected as well."""
    bodies = {"offer": offer("RTP/AVP", build.crypto("a")), "answer": answer("RTP/AVP", build.crypto("b"))}
    media = speech_both_ways(context("a"), context("b"), packets=300)
    result = told(SRTP_002, secure_call(media, rtcp([REPORT] * 3, at=2.0), **bodies))
    assert (result.finding.verdict, result.finding.confidence) == ("violation", "strong")


def test_plain_rtcp_beside_srtp_without_any_sip(told) -> None:
    media = build.rtp_stream(A, B, SSRC_A, build.speech(300), srtp=context())
    result = told(SRTP_002, build.in_time_order(media, rtcp([REPORT] * 3, at=2.0)))
    assert result.finding.subject.kind == "rtcp"
    clear = build.rtp_stream(A, B, SSRC_A, build.speech(300))
    result = told(SRTP_002, build.in_time_order(clear, rtcp([REPORT] * 3, at=2.0)))
    assert result.rows == [("not-assessed", "N-SIP", 1)]


def test_plain_rtcp_of_a_receiver_beside_srtp_without_any_sip(told) -> None:
    """Who only receives has an SSRC that no media carries: its reports go back to where the SRTP comes from."""
    media = build.rtp_stream(A, B, SSRC_A, build.speech(300), srtp=context())
    report = build.receiver_report(SSRC_B, SSRC_A) + build.source_description(SSRC_B)
    result = told(SRTP_002, build.in_time_order(media, rtcp([report] * 3, at=2.0, from_a=False)))
    assert result.finding.subject.kind == "rtcp"
    assert "while the RTP of the same session is SRTP" in result.finding.message
    clear = build.rtp_stream(A, B, SSRC_A, build.speech(300))
    result = told(SRTP_002, build.in_time_order(clear, rtcp([report] * 3, at=2.0, from_a=False)))
    assert result.rows == [("not-assessed", "N-SIP", 1)]


def test_a_secure_line_without_rtcp(told) -> None:
    assert told(SRTP_002, secure_call(speech_both_ways(context("a"), context("b")))).rows == [
        ("not-assessed", "N-MED", 1)
    ]


def test_rtp_that_looks_like_rtcp_on_a_shared_port(told) -> None:
    """RFC 5761 forbids payload types 64 to 95 there; what is announced all the same can't be told apart."""
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a"), "a=rtcp-mux", formats="0 72"),
        "answer": answer("RTP/SAVP", build.crypto("b"), "a=rtcp-mux", formats="0 72"),
    }
    plain = [(2.0 + number, build.udp(A, B, REPORT)) for number in range(3)]
    media = speech_both_ways(context("a"), context("b"))
    assert told(SRTP_002, secure_call(media, plain, **bodies)).rows == [("not-assessed", "T-MUX", 1)]


# --- IMS-SRTP-003 ---------------------------------------------------------------------------------


def test_srtcp_without_a_tag_is_critical(told) -> None:
    """Every packet exceeds its compound by the index word only."""
    sender = context("a")
    result = told(SRTP_003, secure_call(rtcp([sender.protect_rtcp(REPORT, tag_octets=0) for _ in range(5)])))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")
    assert finding.evidence[2].observed == "overhead of 4 octets: index word"


def test_srtcp_without_a_tag_but_an_mki(told) -> None:
    params = "|2^20|1:4"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", params=params)),
        "answer": answer("RTP/SAVP", build.crypto("b", params=params)),
    }
    sender = context("a", mki=b"\0\0\0\1")
    sealed = [sender.protect_rtcp(build.sender_report(SSRC_A), tag_octets=0) for _ in range(5)]
    finding = told(SRTP_003, secure_call(rtcp(sealed), **bodies)).finding
    assert finding.evidence[2].observed == "overhead of 8 octets: index word and MKI of 4"


def test_rtp_without_a_tag_does_not_excuse_and_is_not_mistaken(told) -> None:
    """The catalogue's near miss: UNAUTHENTICATED_SRTP with SRTCP of 14 octets more."""
    flag = " UNAUTHENTICATED_SRTP"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", params=flag)),
        "answer": answer("RTP/SAVP", build.crypto("b", params=flag)),
    }
    sender = context("a", unauthenticated=True)
    sealed = rtcp([sender.protect_rtcp(REPORT) for _ in range(5)])
    assert told(SRTP_003, secure_call(sealed, **bodies)).rows == [("pass", "", 1)]


def test_the_tag_of_gcm_stands_before_the_index_word(told) -> None:
    suite = "AEAD_AES_128_GCM"
    bodies = {
        "offer": offer("RTP/SAVP", build.crypto("a", suite=suite)),
        "answer": answer("RTP/SAVP", build.crypto("b", suite=suite)),
    }
    sender = context("a", suite)
    sealed = rtcp([sender.protect_rtcp(REPORT) for _ in range(5)])
    assert told(SRTP_003, secure_call(sealed, **bodies)).rows == [("pass", "", 1)]


def test_a_tag_of_32_bits_is_another_rule(told) -> None:
    sender = context("a")
    sealed = rtcp([sender.protect_rtcp(REPORT, tag_octets=4) for _ in range(5)])
    assert told(SRTP_003, secure_call(sealed)).rows == [("pass", "", 1)]


def test_one_packet_does_not_show_its_layout(told) -> None:
    sealed = rtcp([context("a").protect_rtcp(REPORT, tag_octets=0)])
    assert told(SRTP_003, secure_call(sealed)).rows == [("not-assessed", "N-KEY", 1)]


def test_one_packet_of_odd_length_has_a_tag(told) -> None:
    """Compounds are multiples of four octets, and so is the index word: two octets more are of a tag of 80 bits."""
    sealed = rtcp([context("a").protect_rtcp(REPORT)])
    assert told(SRTP_003, secure_call(sealed)).rows == [("pass", "", 1)]


def test_no_rtcp_and_plain_rtcp(told) -> None:
    """Without RTCP nothing can be said; plain RTCP is the object of IMS-SRTP-002."""
    assert told(SRTP_003, secure_call()).rows == [("not-assessed", "N-MED", 1)]
    assert told(SRTP_003, secure_call(rtcp([REPORT] * 3))).rows == []


def test_srtcp_that_no_description_announces(told) -> None:
    sender = context("a")
    media = build.rtp_stream(A, B, SSRC_A, build.speech(50), srtp=context("a"))
    sealed = rtcp([sender.protect_rtcp(REPORT, tag_octets=0, encrypted=False) for _ in range(5)])
    assert told(SRTP_003, build.in_time_order(media, sealed)).rows == [("violation", "", 1)]
    single = rtcp([sender.protect_rtcp(REPORT)])
    assert told(SRTP_003, build.in_time_order(media, single)).rows == [("not-assessed", "N-SIP", 1)]


def test_lines_inside_esp_that_can_not_be_opened(told) -> None:
    """Missing evidence is never not applicable (rules.md 19.1.1)."""
    packets = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    for rule in (SRTP_001, SRTP_002, SRTP_003):
        assert told(rule, packets).rows == [("not-assessed", "N-SIP", 1)]


def test_dtls_srtp_with_gcm(told) -> None:
    """The profile that the ServerHello selects says where the tag of SRTCP stands; without it nothing does."""
    bodies = {
        "offer": offer("UDP/TLS/RTP/SAVP", "a=rtcp-mux", "a=setup:actpass"),
        "answer": answer("UDP/TLS/RTP/SAVP", "a=rtcp-mux", "a=setup:active"),
    }
    use_srtp = build.extension(14, b"\x00\x02\x00\x07\x00")
    hello = build.client_hello([0xC02B], version=build.DTLS_1_2, extensions=use_srtp)
    reply = build.server_hello(0xC02B, version=build.DTLS_1_2, extensions=use_srtp)
    handshake = [
        (0.6, build.udp(B, A, build.dtls_record(build.HANDSHAKE, build.dtls_handshake(build.CLIENT_HELLO, hello)))),
        (0.7, build.udp(A, B, build.dtls_record(build.HANDSHAKE, build.dtls_handshake(build.SERVER_HELLO, reply)))),
    ]
    suite = "AEAD_AES_128_GCM"
    media = speech_both_ways(context("a", suite), context("b", suite))
    sender = context("a", suite)
    sealed = [(2.0 + at, build.udp(A, B, sender.protect_rtcp(REPORT))) for at in range(5)]
    assert told(SRTP_003, secure_call(handshake, media, sealed, **bodies)).rows == [("pass", "", 1)]
    assert told(SRTP_003, secure_call(media, sealed, **bodies)).rows == [("not-assessed", "N-KEY", 1)]


def test_a_key_in_the_place_of_the_suite_is_not_shown(told) -> None:
    """A malformed a=crypto line; the finding names the line as evidence."""
    secret = build.crypto("a").rpartition("inline:")[2]
    odd = f"a=crypto:1 inline:{secret} AES_CM_128_HMAC_SHA1_80"
    bodies = {"offer": offer("RTP/SAVP", odd), "answer": answer("RTP/SAVP", odd)}
    finding = told(SRTP_001, secure_call(speech_both_ways(None, context("b")), **bodies)).finding
    assert secret not in repr(finding)
    assert "unknown suite" in finding.message


def test_rtcp_of_a_line_that_a_reinvite_made_clear_is_as_agreed(told) -> None:
    """The line is secure until then, and for no while after."""
    talk = build.Dialog()
    script = [
        (0.0, talk.request("INVITE", offer()), True),
        (0.5, talk.response(200, "OK", answer()), False),
        (0.51, talk.request("ACK"), True),
        (5.0, talk.request("INVITE", offer("RTP/AVP"), in_dialog=True), True),
        (5.1, talk.response(200, "OK", answer("RTP/AVP")), False),
        (5.11, talk.request("ACK"), True),
    ]
    signalling = build.carry(talk, script)
    protected = rtcp([context("a").protect_rtcp(build.sender_report(SSRC_A))])
    clear = rtcp([build.sender_report(SSRC_A, packets=number) for number in range(3)], at=5.5)
    assert told(SRTP_002, build.in_time_order(signalling, protected, clear)).rows == [("pass", "", 1)]
    early = rtcp([build.sender_report(SSRC_A, packets=number) for number in range(3)], at=2.6)
    assert told(SRTP_002, build.in_time_order(signalling, protected, early)).rows == [("violation", "", 1)]
