"""IMS-SRTP-011 to -013, from capture octets to findings: replays, SRTCP indices, and clear packets among others."""

from __future__ import annotations

import pytest

from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.conftest import B_RTCP, SSRC_A, SSRC_B, A, B, answer, context, offer, rtcp, speech_both_ways

SRTP_011, SRTP_012, SRTP_013 = (f"IMS-SRTP-{number:03}" for number in (11, 12, 13))
THIRD = ("203.0.113.66", 6000)
EVENT = "a=rtpmap:101 telephone-event/8000"
MASKED = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'x' * 40}"


def report(number: int = 1) -> bytes:
    """A compound that differs with its number."""
    return build.sender_report(SSRC_A, packets=number) + build.source_description(SSRC_A)


def agreed(*more: list[build.Packet], offered: str = "", answered: str = "") -> list[build.Packet]:
    """A call whose a=crypto lines are these, or usual ones."""
    bodies = offer("RTP/SAVP", offered or build.crypto("a")), answer("RTP/SAVP", answered or build.crypto("b"))
    return build.in_time_order(build.call(*bodies, duration=60.0), *more)


def masked(*more: list[build.Packet]) -> list[build.Packet]:
    """A call whose keys nobody can see."""
    return agreed(*more, offered=MASKED, answered=MASKED)


def sent(packets: int = 100, **more: object) -> list[build.Packet]:
    """Protected speech of A."""
    return build.rtp_stream(A, B, SSRC_A, build.speech(packets), srtp=context("a"), **more)  # type: ignore[arg-type]


def again(media: list[build.Packet], later: float, source: build.Address = A, *, ttl: int = 64) -> list[build.Packet]:
    """The same packets some time later."""
    return [(at + later, build.udp(source, B, data[42:], ttl=ttl)) for at, data in media]


# --- IMS-SRTP-011 ---------------------------------------------------------------------------------


def test_packets_sent_again_by_a_third_host(told) -> None:
    """The catalogue's trigger: 50 packets, 10 s later."""
    media = sent()
    result = told(SRTP_011, agreed(media, again(media[:50], 10.0, THIRD)))
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert "50 SRTP packets" in finding.message
    assert "10.0 s later, from another source, 203.0.113.66:6000" in finding.message
    assert [each.frame for each in finding.evidence[:2]] == [6, 106]


def test_one_packet_seen_twice_on_its_way(told) -> None:
    """The catalogue's near miss: 0.3 ms apart, TTL one lower."""
    media = sent()
    assert told(SRTP_011, agreed(media, again(media, 0.0003, ttl=63))).rows == [("pass", "", 1)]


@pytest.mark.parametrize(("later", "rows"), [(0.9, [("pass", "", 1)]), (1.5, [("pass", "", 1)]), (2.5, None)])
def test_packets_doubled_on_purpose_are_no_replay(told, later: float, rows: object) -> None:
    """T-RTX: duplication within the thresholds; behind them it is a replay of the same source."""
    media = sent()
    result = told(SRTP_011, agreed(media, again(media[:20], later)))
    assert result.rows == (rows or [("violation", "", 1)])


def test_a_stream_that_had_gone_on_by_more_than_128_packets(told) -> None:
    media = sent(200, interval=0.005)
    result = told(SRTP_011, agreed(media, again(media[:5], 1.2)))
    assert "when the stream had gone on by" in result.finding.message


def test_thresholds_are_those_of_the_policy() -> None:
    from imsinspect.policy import SECOND, Policy, Thresholds

    media = sent()
    trace = build.audit_bytes(build.pcap(agreed(media, again(media[:20], 2.5)))).trace
    lax = Scene(policy=Policy(thresholds=Thresholds(srtp_replay_time=60 * SECOND, srtp_replay_distance=10_000)))
    assert not evaluate(trace, lax, [BY_ID[SRTP_011]]).findings


def test_replays_are_seen_without_keys_where_packets_were_kept(told) -> None:
    media = sent()
    result = told(SRTP_011, masked(media, again(media[:50], 10.0, THIRD)))
    finding = result.finding
    assert finding.confidence == "strong"
    assert "at least" in finding.message
    assert "tags were not checked" in finding.message


def test_streams_in_order_pass_without_keys_and_others_do_not(told) -> None:
    media = sent()
    assert told(SRTP_011, masked(media)).rows == [("pass", "", 1)]
    assert told(SRTP_011, build.in_time_order(media)).rows == [("pass", "", 1)]
    swapped = [*media[:50], (media[51][0], media[51][1]), (media[51][0] + 0.001, media[50][1]), *media[52:]]
    assert told(SRTP_011, masked(swapped)).rows == [("not-assessed", "N-KEY", 1)]


def test_an_address_that_moves_while_the_numbers_go_on(told) -> None:
    """T-NAT."""
    media = sent()
    moved = [*media[:60], *again(media[60:], 0.0, THIRD)]
    assert told(SRTP_011, masked(moved)).rows == [("pass", "", 2)]
    overlapping = [*media[:60], *again(media[50:], 0.3, THIRD)]
    assert told(SRTP_011, masked(overlapping)).rows == [("not-assessed", "N-KEY", 2)]


def test_a_number_with_another_payload_is_no_replay(told) -> None:
    """The source begins anew: that is another rule's object."""
    media = sent()
    other = build.rtp_stream(
        A, B, SSRC_A, [build.noise(number, 160) for number in range(50)], at=12.0, srtp=context("a")
    )
    assert told(SRTP_011, agreed(media, other)).findings == []


def test_a_replayed_report_is_told_too(told) -> None:
    sender = context("a")
    reports = [sender.protect_rtcp(report(number)) for number in range(5)]
    finding = told(SRTP_011, agreed(sent(), rtcp([*reports, reports[0]]))).finding
    assert "1 SRTCP packet " in finding.message


def test_media_in_clear_is_no_object(told) -> None:
    packets = build.in_time_order(build.call(offer("RTP/AVP"), answer("RTP/AVP")), speech_both_ways(None, None))
    assert told(SRTP_011, packets).rows == []


# --- IMS-SRTP-012 ---------------------------------------------------------------------------------


def reports(count: int, *, seed: str = "a", begin: int = 0, **how: object) -> list[bytes]:
    """SRTCP of A whose indices follow one another from `begin` + 1 on."""
    sender = context(seed, srtcp_index=begin)
    return [sender.protect_rtcp(report(begin + number), **how) for number in range(count)]


def twice(**how: object) -> list[bytes]:
    """Indices 1 to 8, and 5 once more with another content."""
    return [*reports(8, **how), context("a", srtcp_index=4).protect_rtcp(report(99), **how)]


def test_one_index_with_two_contents_is_critical(told) -> None:
    """The catalogue's trigger: index 5 twice."""
    result = told(SRTP_012, agreed(rtcp(twice())))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert "have the index 5 both" in finding.message
    assert "key:" in finding.message


def test_the_same_without_keys(told) -> None:
    finding = told(SRTP_012, masked(rtcp(twice()))).finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")
    assert [each.observed for each in finding.evidence] == ["E = 1, index 5"] * 2
    assert "index 5 again" in finding.message


def test_what_is_not_encrypted_has_no_keystream(told) -> None:
    finding = told(SRTP_012, agreed(rtcp(twice(encrypted=False)))).finding
    assert finding.severity == Severity.HIGH


def test_an_index_that_is_set_back(told) -> None:
    sender = context("a", srtcp_index=5)
    back = [*reports(20), *(sender.protect_rtcp(report(90 + number)) for number in range(3))]
    assert told(SRTP_012, masked(rtcp(back))).finding.severity == Severity.CRITICAL  # those numbers came before
    far = [*reports(6, begin=30), *reports(3, begin=5)]
    finding = told(SRTP_012, masked(rtcp(far))).finding
    assert (finding.severity, finding.title) == (Severity.HIGH, "SRTCP index moves backwards")
    assert "index 6 after 36" in finding.message


def test_packets_that_overtake_one_another(told) -> None:
    """The catalogue's trap: reordering within 8."""
    datagrams = reports(12)
    datagrams.insert(2, datagrams.pop(9))
    assert told(SRTP_012, agreed(rtcp(datagrams))).rows == [("pass", "", 1)]
    assert told(SRTP_012, masked(rtcp(datagrams))).rows == [("pass", "", 1)]


def test_equal_packets_are_second_sightings_or_replays(told) -> None:
    """T-DUP."""
    datagrams = reports(12)
    assert told(SRTP_012, agreed(rtcp([*datagrams, datagrams[0]]))).rows == [("pass", "", 1)]
    assert told(SRTP_012, masked(rtcp([*datagrams, datagrams[0]]))).rows == [("pass", "", 1)]


def rekeyed(*more: list[build.Packet], port: int = A[1]) -> list[build.Packet]:
    """A call in which A takes a new key after 20 seconds, perhaps on another port."""
    dialog = build.Dialog()
    script = []
    for begin, seed, number in ((0.0, "a", A[1]), (20.0, "a2", port)):
        script += [
            (begin, dialog.request("INVITE", offer("RTP/SAVP", build.crypto(seed), port=number),
                                   in_dialog=begin > 0), True),
            (begin + 0.1, dialog.response(200, "OK", answer()), False),
            (begin + 0.2, dialog.request("ACK"), True),
        ]  # fmt: skip
    return build.in_time_order(build.carry(dialog, script), *more)


def test_a_new_key_on_a_new_port_begins_at_zero(told) -> None:
    """The catalogue's near miss."""
    old = rtcp(reports(10))
    new = [(21.0 + number, build.udp((A[0], 4101), B_RTCP, data)) for number, data in enumerate(reports(10, seed="a2"))]
    assert told(SRTP_012, rekeyed(old, new, port=4100)).rows == [("pass", "", 2)]


def test_a_new_key_does_not_set_the_index_back(told) -> None:
    """The crypto context of an SSRC goes on as long as its addresses stay."""
    result = told(SRTP_012, rekeyed(rtcp(reports(10)), rtcp(reports(10, seed="a2"), at=21.0)))
    finding = result.finding
    assert (finding.severity, finding.title) == (Severity.HIGH, "SRTCP index set back by a new key")
    assert told(SRTP_012, rekeyed(rtcp(reports(10)), rtcp(reports(10, seed="a2", begin=10), at=21.0))).rows == [
        ("pass", "", 1)
    ]


def test_a_handshake_between_two_packets_may_bring_a_new_key(told) -> None:
    bodies = (
        offer("UDP/TLS/RTP/SAVP", "a=setup:actpass", "a=rtcp-mux"),
        answer("UDP/TLS/RTP/SAVP", "a=setup:active", "a=rtcp-mux"),
    )
    hello = build.dtls_handshake(build.CLIENT_HELLO, build.client_hello([0xC02B], version=build.DTLS_1_2))
    sender, later = context("a"), context("a", srtcp_index=4)
    before = [(2.0 + n, build.udp(A, B, sender.protect_rtcp(report(n)))) for n in range(8)]
    after = [(20.0, build.udp(A, B, later.protect_rtcp(report(99))))]
    handshake = [(15.0, build.udp(B, A, build.dtls_record(build.HANDSHAKE, hello)))]
    media = build.rtp_stream(A, B, SSRC_A, build.speech(30), srtp=context("a"))
    for middle, severity in (([], Severity.CRITICAL), (handshake, Severity.HIGH)):
        packets = build.in_time_order(build.call(*bodies, duration=60.0), media, before, middle, after)
        assert told(SRTP_012, packets).finding.severity == severity


def test_two_counters_under_one_ssrc(told) -> None:
    """The catalogue's trap: two sources (IMS-SSRC-002) may stand behind them."""
    datagrams = [each for pair in zip(reports(8), reports(8, begin=1_000), strict=True) for each in pair]
    assert told(SRTP_012, masked(rtcp(datagrams))).rows == [("not-assessed", "N-KEY", 1)]


def test_the_index_word_of_gcm_stands_last(told) -> None:
    suite = "AEAD_AES_128_GCM"
    lines = build.crypto("a", suite=suite), build.crypto("b", suite=suite)
    sender = context("a", suite)
    datagrams = [sender.protect_rtcp(report(number)) for number in range(8)]
    assert told(SRTP_012, agreed(rtcp(datagrams), offered=lines[0], answered=lines[1])).rows == [("pass", "", 1)]
    datagrams.append(context("a", suite, srtcp_index=4).protect_rtcp(report(99)))
    finding = told(SRTP_012, agreed(rtcp(datagrams), offered=lines[0], answered=lines[1])).finding
    assert finding.severity == Severity.CRITICAL


def test_an_index_that_never_changes(told) -> None:
    """No index grows, so that only the suite tells where it stands."""
    datagrams = [context("a", srtcp_index=4).protect_rtcp(report(number)) for number in range(4)]
    assert told(SRTP_012, agreed(rtcp(datagrams))).finding.severity == Severity.CRITICAL
    strange = [context("x", srtcp_index=4).protect_rtcp(report(number)) for number in range(4)]
    finding = told(SRTP_012, agreed(rtcp(strange))).finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")


def test_more_packets_than_are_kept(told) -> None:
    assert told(SRTP_012, agreed(rtcp(reports(100), every=0.1))).rows == [("pass", "", 1)]
    assert told(SRTP_012, masked(rtcp(reports(100), every=0.1))).rows == [("pass", "", 1)]


def test_an_index_that_comes_again_behind_the_kept_packets(told) -> None:
    """The last octets of all packets are kept: the index word is among them."""
    repeated = [*reports(100), context("a", srtcp_index=79).protect_rtcp(report(999)), *reports(20, begin=100)]
    finding = told(SRTP_012, masked(rtcp(repeated, every=0.1))).finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")
    assert "index 80 again" in finding.message
    begun_anew = [*reports(100), *(context("a", srtcp_index=n).protect_rtcp(report(900 + n)) for n in range(60))]
    assert told(SRTP_012, masked(rtcp(begun_anew, every=0.1))).finding.severity == Severity.CRITICAL
    doubled = [*reports(100), *reports(100)[70:]]
    assert told(SRTP_012, masked(rtcp(doubled, every=0.1))).rows == [("pass", "", 1)]


def test_packets_that_are_cut() -> None:
    """Without a key, and without its end, a packet does not show its index."""
    packets = masked(rtcp(reports(90), every=0.1))
    whole, cut = build.pcap(packets[:60]), build.pcap(packets[60:], snap_length=80)
    rows = evaluate(build.audit_bytes(whole, cut).trace, Scene(), [BY_ID[SRTP_012]]).assessments
    gaps = {row.gap: row.reason for row in rows}
    assert set(gaps) == {"N-KEY", "N-FRAG"}  # the BYE is cut as well
    assert gaps["N-KEY"] == "not all SRTCP packets were kept, and no key verifies the others"


def test_the_root_of_keystream_reuse_in_srtcp() -> None:
    """rules.md 19.1.3."""
    audit = build.audit_bytes(build.pcap(agreed(rtcp(twice()))))
    root = next(each for each in audit.findings if each.rule == SRTP_012)
    reuse = next(each for each in audit.findings if each.rule == "IMS-SSRC-003")
    assert reuse.follows_from == [root.fingerprint]


def test_too_few_packets_no_packets_and_plain_ones(told) -> None:
    assert told(SRTP_012, build.in_time_order(sent(), rtcp(reports(1)))).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_012, masked(rtcp(reports(1)))).rows == [("pass", "", 1)]
    assert told(SRTP_012, agreed()).rows == [("not-assessed", "N-MED", 1)]
    assert told(SRTP_012, agreed(rtcp([report()] * 3))).rows == []


def test_srtcp_that_no_description_announces(told) -> None:
    finding = told(SRTP_012, rtcp(twice())).finding
    assert (finding.subject.kind, finding.severity) == ("rtcp", Severity.HIGH)
    assert "Not seen: the signalling" in finding.message
    assert told(SRTP_012, rtcp(reports(8))).rows == [("pass", "", 1)]


def test_an_offer_without_its_answer(told) -> None:
    assert told(SRTP_012, build.call(offer(), duration=None)[:3]).rows == [("not-assessed", "N-OA", 1)]


# --- IMS-SRTP-013 ---------------------------------------------------------------------------------


def in_turn(*runs: tuple[list[bytes], build.Srtp | None], at: float = 1.0) -> list[build.Packet]:
    """One source's packets, protected or not, one run after the other."""
    packets: list[build.Packet] = []
    for payloads, srtp in runs:
        number = len(packets)
        packets += build.rtp_stream(
            A, B, SSRC_A, payloads, at=at + number / 50, sequence=100 + number, timestamp=1_000 + 160 * number,
            srtp=srtp,
        )  # fmt: skip
    return packets


def digits(srtp: build.Srtp | None, *, keys: bool = True) -> list[build.Packet]:
    """A call with protected speech and three telephone events, these protected or not."""
    lines = [build.crypto(seed) if keys else MASKED for seed in ("a", "b")]
    bodies = (
        offer("RTP/SAVP", lines[0], EVENT, formats="0 101"), answer("RTP/SAVP", lines[1], EVENT, formats="0 101"),
    )  # fmt: skip
    sender = context("a")
    speech = build.rtp_stream(A, B, SSRC_A, build.speech(200), srtp=sender)
    events = [build.telephone_event(5, 160 * number) for number in range(1, 13)]
    keypad = build.rtp_stream(
        A, B, SSRC_A, events, at=5.2, payload_type=101, sequence=300, timestamp=33_000, clock_step=0,
        srtp=sender if srtp else None,
    )  # fmt: skip
    return build.in_time_order(build.call(*bodies, duration=60.0), speech, keypad)


def test_digits_in_clear_beside_protected_speech(told) -> None:
    """The catalogue's trigger: audio 170 octets, telephone-event 4 octets."""
    result = told(SRTP_013, digits(None))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert finding.severity == Severity.HIGH
    assert "12 packets in clear (5.7 %)" in finding.message
    assert "payload 4 octets (telephone-event" in finding.message
    assert told(SRTP_013, digits(None, keys=False)).finding.confidence == "strong"


def test_digits_that_are_protected_as_speech_is(told) -> None:
    """The catalogue's near miss: audio 170, events 14."""
    assert told(SRTP_013, digits(context("a"))).rows == [("pass", "", 1)]
    assert told(SRTP_013, digits(context("a"), keys=False)).rows == [("pass", "", 1)]


def test_the_finding_follows_from_that_of_clear_media() -> None:
    audit = build.audit_bytes(build.pcap(digits(None)))
    root = next(each for each in audit.findings if each.rule == "IMS-SRTP-001")
    mixed = next(each for each in audit.findings if each.rule == SRTP_013)
    assert mixed.follows_from == [root.fingerprint]


def test_speech_that_goes_on_in_clear(told) -> None:
    media = in_turn((build.speech(1_000), context("a")), (build.speech(300), None))
    finding = told(SRTP_013, agreed(media)).finding
    assert finding.confidence == "proven"
    assert "1000 protected packets and 300 packets in clear" in finding.message


def test_few_clear_packets_that_only_keys_show(told) -> None:
    media = in_turn((build.speech(300), context("a")), (build.speech(10), None))
    assert told(SRTP_013, agreed(media)).rows == [("violation", "", 1)]


def test_clear_packets_before_the_answer_and_just_behind_it(told) -> None:
    """T-EARLY, and the 2 seconds of a re-keying."""
    early = in_turn((build.speech(20), None), (build.speech(400), context("a")), at=0.05)
    assert told(SRTP_013, agreed(early)).findings == []
    settling = in_turn((build.speech(60), None), (build.speech(400), context("a")), at=0.6)
    assert told(SRTP_013, agreed(settling)).findings == []
    longer = in_turn((build.speech(160), None), (build.speech(400), context("a")), at=0.6)
    assert told(SRTP_013, agreed(longer)).rows == [("violation", "", 1)]


def test_streams_of_one_kind(told) -> None:
    assert told(SRTP_013, agreed(speech_both_ways(context("a"), None))).rows == [("pass", "", 2)]


def test_too_few_packets_none_and_no_telling(told) -> None:
    assert told(SRTP_013, agreed(sent(10))).rows == [("not-assessed", "N-MED", 1)]
    assert told(SRTP_013, agreed()).rows == [("not-assessed", "N-MED", 1)]
    opus = "a=rtpmap:111 opus/48000/2"
    bodies = offer("RTP/SAVP", opus, MASKED, formats="111"), answer("RTP/SAVP", opus, MASKED, formats="111")
    payloads = [build.noise(number, 70 + number % 30) for number in range(100)]
    stream = build.rtp_stream(A, B, SSRC_A, payloads, payload_type=111, clock_step=960)
    packets = build.in_time_order(build.call(*bodies), stream)
    assert told(SRTP_013, packets).rows == [("not-assessed", "N-KEY", 1)]


def test_lines_that_were_never_secure(told) -> None:
    """T-E2AE: the core side is clear by design."""
    packets = build.in_time_order(build.call(offer("RTP/AVP"), answer("RTP/AVP")), speech_both_ways(None, None))
    assert told(SRTP_013, packets).rows == []


@pytest.mark.parametrize("rule", [SRTP_011, SRTP_012, SRTP_013])
def test_signalling_inside_esp(told, rule: str) -> None:
    packets = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    assert told(rule, packets).rows == [("not-assessed", "N-SIP", 1)]


def test_the_other_direction_is_judged_for_itself(told) -> None:
    sound = [context("b", srtcp_index=number).protect_rtcp(build.sender_report(SSRC_B)) for number in range(5)]
    packets = agreed(rtcp(twice()), rtcp(sound, from_a=False))
    assert told(SRTP_012, packets).rows == [("violation", "", 1), ("pass", "", 1)]
