"""IMS-SRTP-008 to -010, from capture octets to findings: inline keys, their MKIs and their lifetimes."""

from __future__ import annotations

import base64

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import SSRC_A, SSRC_B, A, B, answer, context, offer, rtcp, speech_both_ways

SRTP_008, SRTP_009, SRTP_010 = (f"IMS-SRTP-{number:03}" for number in (8, 9, 10))
CM_80 = "AES_CM_128_HMAC_SHA1_80"
REPORT = build.sender_report(SSRC_A) + build.source_description(SSRC_A)


def agreed(*more: list[build.Packet], offered: str = "", answered: str = "") -> list[build.Packet]:
    """A call whose a=crypto lines are these, or usual ones."""
    bodies = offer("RTP/SAVP", offered or build.crypto("a")), answer("RTP/SAVP", answered or build.crypto("b"))
    return build.in_time_order(build.call(*bodies), *more)


def inline(key_salt: bytes, suite: str = CM_80, params: str = "") -> str:
    """An a=crypto line with these octets."""
    return f"a=crypto:1 {suite} inline:{base64.b64encode(key_salt).decode()}{params}"


# --- IMS-SRTP-008 ---------------------------------------------------------------------------------


def test_thirty_octets_for_a_suite_of_256_bits(told) -> None:
    """The catalogue's trigger; what the other party says of its line passes."""
    result = told(SRTP_008, agreed(offered=inline(build.noise(1, 30), "AES_256_CM_HMAC_SHA1_80")))
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert finding.evidence[0].observed == "AES_256_CM_HMAC_SHA1_80: 30 octets of key and salt"
    assert finding.evidence[0].expected == "46 octets of key and salt"
    assert base64.b64encode(build.noise(1, 30)).decode() not in repr(finding)


@pytest.mark.parametrize(
    ("suite", "octets"), [("AES_256_CM_HMAC_SHA1_80", 46), ("AES_CM_256_HMAC_SHA1_32", 46), ("AEAD_AES_128_GCM", 28)]
)
def test_the_octets_that_the_suite_asks_for(told, suite: str, octets: int) -> None:
    """The catalogue's near miss, with and without the padding of base64."""
    line = inline(build.noise(1, octets), suite)
    assert told(SRTP_008, agreed(offered=line)).rows == [("pass", "", 2)]
    assert told(SRTP_008, agreed(offered=line.rstrip("="))).rows == [("pass", "", 2)]


@pytest.mark.parametrize(
    ("key", "words", "confidence"),
    [
        (b"\x55" * 30, "all octets of the key are equal", "proven"),
        (bytes(range(30)), "count up or down", "proven"),
        (b"\x12\x9a\xf0" * 10, "repeats a pattern", "proven"),
        (bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"), "RFC 3711", "proven"),
        (b"0123456789abcdef" + build.noise(3, 14), "hexadecimal digits", "strong"),
        (b"i know all your little secrets", "key and salt are text", "strong"),
        # The first example of RFC 4568
        (base64.b64decode("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz"), "key and salt are text", "strong"),
    ],
)  # fmt: skip
def test_keys_that_nobody_drew_at_random(told, key: bytes, words: str, confidence: str) -> None:
    finding = told(SRTP_008, agreed(answered=inline(key))).finding
    assert words in finding.message
    assert (finding.confidence, finding.evidence[0].frame) == (confidence, 4)
    assert base64.b64encode(key).decode() not in repr(finding)


def test_a_key_that_is_no_base64(told) -> None:
    finding = told(SRTP_008, agreed(offered=f"a=crypto:1 {CM_80} inline:{{not-a-key}}")).finding
    assert "no base64" in finding.message


def test_a_masked_key_and_a_suite_that_nobody_registered(told) -> None:
    masked = f"a=crypto:1 {CM_80} inline:{'x' * 40}"
    assert told(SRTP_008, agreed(offered=masked)).rows == [("pass", "", 1), ("not-assessed", "N-KEY", 1)]
    strange = build.crypto("a").replace(CM_80, "MS_AES_128_SHA1_80")
    assert told(SRTP_008, agreed(offered=strange)).rows == [("pass", "", 1), ("not-assessed", "N-KEY", 1)]


def test_only_profiles_with_sdes_are_concerned(told) -> None:
    """An explicit profile without SDES takes the rule out; where it is open a=crypto itself shows SDES."""
    from imsinspect.profiles import ProfileChoice
    from imsinspect.rules.evaluate import evaluate
    from imsinspect.rules.registry import BY_ID
    from imsinspect.rules.rule import Scene

    packets = agreed(offered=inline(build.noise(1, 30), "AES_256_CM_HMAC_SHA1_80"))
    trace = build.audit_bytes(build.pcap(packets)).trace
    scene = Scene(profiles={"call-1": ProfileChoice("E2E-KMS", inferred=False, covers=frozenset(("E2E-KMS",)))})
    assert not evaluate(trace, scene, [BY_ID[SRTP_008]]).assessments
    scene = Scene(profiles={"call-1": ProfileChoice("open", inferred=True)})
    assert len(evaluate(trace, scene, [BY_ID[SRTP_008]]).findings) == 1


# --- IMS-SRTP-009 ---------------------------------------------------------------------------------


def keys(*marks: str) -> str:
    """An a=crypto line with a key for each mark, which stands behind its key."""
    params = [f"inline:{base64.b64encode(build.noise(at, 30)).decode()}{mark}" for at, mark in enumerate(marks)]
    return f"a=crypto:1 {CM_80} {';'.join(params)}"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (keys("", ""), "2 keys, 2 of them without an MKI"),
        (keys("|2^20|1:4", "|2^20"), "2 keys, 1 of them without an MKI"),
        (keys("|1:1", "|2:2"), "MKIs of 1 and 2 octets in one line"),
        (keys("|1:1", "|1:1"), "one MKI for two keys"),
        (keys("|1:200"), "an MKI of more than 128 octets"),
        (keys(*(f"|{number}:2" for number in range(1, 260))), "259 keys in one line"),
    ],
)
def test_lines_whose_mki_can_not_work(told, line: str, words: str) -> None:
    """The catalogue's trigger is the first: two inline keys, no MKI."""
    result = told(SRTP_009, agreed(offered=line))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert words in finding.message
    assert finding.evidence[0].frame == 1


def test_one_key_without_and_with_an_mki(told) -> None:
    """The catalogue's near miss, and its trap `|1:1`."""
    media = speech_both_ways(context("a"), context("b"), packets=30)
    assert told(SRTP_009, agreed(media)).rows == [("pass", "", 2)]
    lines = build.crypto("a", params="|1:1"), build.crypto("b", params="|1:1")
    media = speech_both_ways(context("a", mki=b"\1"), context("b", mki=b"\1"), packets=30)
    assert told(SRTP_009, agreed(media, offered=lines[0], answered=lines[1])).rows == [("pass", "", 2)]


def test_packets_with_an_mki_that_nobody_signalled(told) -> None:
    media = speech_both_ways(context("a", mki=b"\0\0\0\1"), context("b"), packets=30)
    result = told(SRTP_009, agreed(media))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    finding = result.finding
    assert "MKI of 4 octets, none signalled" in finding.message
    assert finding.confidence == "proven"


def test_packets_whose_mki_names_no_key(told) -> None:
    lines = build.crypto("a", params="|1:1"), build.crypto("b", params="|1:1")
    media = speech_both_ways(context("a", mki=b"\7"), context("b", mki=b"\1"), packets=30)
    result = told(SRTP_009, agreed(media, offered=lines[0], answered=lines[1]))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert "the MKI is not that of the key" in result.finding.message


def test_what_stands_between_payload_and_tag_is_not_known_without_keys(told) -> None:
    masked = f"a=crypto:1 {CM_80} inline:{'x' * 40}"
    media = speech_both_ways(context("a"), context("b"), packets=30)
    assert told(SRTP_009, agreed(media, offered=masked, answered=masked)).rows == [("not-assessed", "N-KEY", 1)]
    media = speech_both_ways(context("x"), context("y"), packets=30)
    assert told(SRTP_009, agreed(media)).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_009, agreed()).rows == [("not-assessed", "N-MED", 1)]


# --- IMS-SRTP-010 ---------------------------------------------------------------------------------


def limited(lifetime: str, *more: list[build.Packet]) -> list[build.Packet]:
    """A call in which the offerer's key has a lifetime."""
    return agreed(*more, offered=build.crypto("a", params=f"|{lifetime}"))


def stream(packets: int, *, ssrc: int = SSRC_A, **more: object) -> list[build.Packet]:
    """Packets of A, ten in a row a millisecond apart to stay within the call."""
    payloads = [build.pcmu_silence(20)] * packets
    return build.rtp_stream(A, B, ssrc, payloads, interval=0.002, srtp=context("a"), **more)  # type: ignore[arg-type]


def test_more_packets_than_the_lifetime(told) -> None:
    """The catalogue's trigger: 2^10 and 3000 packets."""
    result = told(SRTP_010, limited("2^10", stream(3_000)))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.HIGH, "proven")
    assert "3000 SRTP packets" in finding.message
    assert "a lifetime of 2^10" in finding.message
    assert "1976 packets earlier" in finding.message
    first, begin, beyond, last = (each.frame for each in finding.evidence)
    assert (first, begin, last) == (1, 6, 3_005)
    assert 1_030 <= beyond <= 1_030 + 512  # of the packets that are kept


def test_fewer_packets_than_the_lifetime(told) -> None:
    """The catalogue's near miss: 2^20 and 3000 packets."""
    assert told(SRTP_010, limited("2^20", stream(3_000))).rows == [("pass", "", 1)]


@pytest.mark.parametrize("verify", ["sample", "none"])
def test_tags_that_were_not_all_checked(verify: str) -> None:
    for lifetime, findings in (("2^10", 1), ("2^20", 0)):
        audit = build.audit_bytes(build.pcap(limited(lifetime, stream(3_000))), verify=verify)
        found = [each for each in audit.findings if each.rule == SRTP_010]
        assert [each.confidence for each in found] == ["strong"] * findings


def test_all_sources_of_a_line_count_together(told) -> None:
    two = [*stream(70), *stream(70, ssrc=SSRC_B, at=2.0)]
    assert told(SRTP_010, limited("100", two)).rows == [("violation", "", 1)]


def test_srtp_and_srtcp_count_for_themselves(told) -> None:
    sender = context("a")
    reports = rtcp([sender.protect_rtcp(REPORT) for _ in range(60)], every=0.1)
    assert told(SRTP_010, limited("64", stream(60), reports)).rows == [("pass", "", 1)]
    finding = told(SRTP_010, limited("50", stream(40), reports)).finding
    assert "60 SRTCP packets" in finding.message


def test_replays_and_second_sightings_do_not_count(told) -> None:
    """T-DUP, T-RTX."""
    media = stream(90)
    again = [(at + 3.0, data) for at, data in media[:20]]
    doubled = [(at + 0.0004, data) for at, data in media]
    assert told(SRTP_010, limited("100", media, again)).rows == [("pass", "", 1)]
    assert told(SRTP_010, limited("100", media, doubled)).rows == [("pass", "", 1)]


def test_both_sides_of_a_relay_are_the_same_packets(told) -> None:
    relay = ("203.0.113.5", 7000)
    media = stream(90)
    onward = [(at + 0.001, build.udp(relay, B, data[42:])) for at, data in media]
    assert told(SRTP_010, limited("100", media, onward)).rows == [("pass", "", 1)]


def test_a_new_key_counts_anew(told) -> None:
    dialog = build.Dialog()
    script = []
    for begin, seed in ((0.0, "a"), (3.0, "a2")):
        script += [
            (begin, dialog.request("INVITE", offer("RTP/SAVP", build.crypto(seed, params="|100")),
                                   in_dialog=begin > 0), True),
            (begin + 0.1, dialog.response(200, "OK", answer()), False),
            (begin + 0.2, dialog.request("ACK"), True),
        ]  # fmt: skip
    first = stream(80, at=1.0)
    second = build.rtp_stream(
        A, B, SSRC_A, [build.pcmu_silence(20)] * 80, at=4.0, sequence=180, timestamp=9_000, srtp=context("a2")
    )
    packets = build.in_time_order(build.carry(dialog, script), first, second)
    assert told(SRTP_010, packets).rows == [("pass", "", 2)]


def test_packets_without_tags_are_counted_as_the_line_has_one_key(told) -> None:
    params = "|100 UNAUTHENTICATED_SRTP"
    lines = build.crypto("a", params=params), build.crypto("b", params=" UNAUTHENTICATED_SRTP")
    media = build.rtp_stream(A, B, SSRC_A, build.speech(150), srtp=context("a", unauthenticated=True))
    finding = told(SRTP_010, agreed(media, offered=lines[0], answered=lines[1])).finding
    assert finding.confidence == "strong"
    assert "not checked" in finding.message


def test_a_capture_that_begins_inside_the_call(told) -> None:
    """T-MID: a lower count still proves an excess; else it proves nothing."""
    dialog = build.Dialog(cseq=7)
    again = [
        (0.0, dialog.request("INVITE", offer("RTP/SAVP", build.crypto("a", params="|100")), in_dialog=True), True),
        (0.1, dialog.response(200, "OK", answer()), False),
        (0.2, dialog.request("ACK"), True),
    ]
    signalling = build.carry(dialog, again)
    assert told(SRTP_010, build.in_time_order(signalling, stream(80))).rows == [("not-assessed", "T-MID", 1)]
    assert told(SRTP_010, build.in_time_order(signalling, stream(120))).rows == [("violation", "", 1)]


@pytest.mark.parametrize("lifetime", ["0", "2^49"])
def test_a_lifetime_that_makes_the_line_invalid(told, lifetime: str) -> None:
    result = told(SRTP_010, limited(lifetime, stream(30)))
    assert result.finding.severity == Severity.LOW
    assert result.rows == [("violation", "", 1)]


def test_an_offer_without_its_answer(told) -> None:
    offered = offer("RTP/SAVP", build.crypto("a", params="|100"))
    assert told(SRTP_010, build.call(offered, duration=None)[:3]).rows == [("not-assessed", "N-OA", 1)]
    assert told(SRTP_010, build.call(offer(), duration=None)[:3]).rows == []


def test_no_lifetime_and_no_media(told) -> None:
    assert told(SRTP_010, agreed(stream(30))).rows == []
    assert told(SRTP_010, limited("2^10")).rows == [("not-assessed", "N-MED", 1)]


@pytest.mark.parametrize("rule", [SRTP_008, SRTP_009, SRTP_010])
def test_signalling_inside_esp(told, rule: str) -> None:
    packets = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    assert told(rule, packets).rows == [("not-assessed", "N-SIP", 1)]
