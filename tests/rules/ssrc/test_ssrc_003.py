"""IMS-SSRC-003, from capture octets to findings."""

from __future__ import annotations

from imsinspect.pipeline import Options
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.keys.scene import key_row, traced
from tests.rules.conftest import (
    SSRC_A,
    SSRC_B,
    A,
    B,
    Told,
    answer,
    context,
    offer,
    rtcp,
    speech_both_ways,
)

SSRC_003 = "IMS-SSRC-003"


def spoken(
    seed: str = "a", *, at: float = 1.0, shift: int = 0, ssrc: int = SSRC_A, **how: object
) -> list[build.Packet]:
    """Speech from A to B that begins at sequence number 100."""
    payloads = [build.pcmu_speech(number + shift) for number in range(60)]
    return build.rtp_stream(A, B, ssrc, payloads, at=at, srtp=context(seed), **how)  # type: ignore[arg-type]


def restarted(second: str = "a", **how: object) -> list[build.Packet]:
    """A re-INVITE, after which A's stream begins anew with other speech."""
    talk = build.Dialog()
    first = build.call(offer(), answer(), dialog=talk, duration=None)
    new = build.crypto(second)
    again = build.carry(
        talk,
        [
            (4.0, talk.request("INVITE", offer("RTP/SAVP", new), in_dialog=True), True),
            (4.1, talk.response(200, "OK", answer()), False),
        ],
    )
    return build.in_time_order(first, again, spoken(), spoken(second, at=5.0, shift=500, **how))


def test_a_stream_that_begins_anew_under_its_key_is_critical(told) -> None:
    """The catalogue's trigger: re-INVITE, sequence and SSRC and key as before, new audio."""
    result = told(SSRC_003, restarted())
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("stream", "stream-1")
    assert result.frames() == [6, 68]
    assert "index 100" in finding.message
    assert "60 pairs" in finding.message
    assert "SSRC 0x0a0a0a0a" in finding.message
    assert "key:" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_stream_that_begins_anew_with_another_ssrc(told) -> None:
    """The catalogue's near miss."""
    assert told(SSRC_003, restarted(ssrc=SSRC_B)).rows == [("pass", "", 2)]


def test_a_stream_that_begins_anew_with_another_key(told) -> None:
    assert told(SSRC_003, restarted("c")).rows == [("pass", "", 1)]


def test_one_key_and_ssrc_in_both_directions(told) -> None:
    reflected = build.call(offer(), answer("RTP/SAVP", build.crypto("a")))
    back = build.rtp_stream(B, A, SSRC_A, build.speech(80)[20:], at=1.005, srtp=context("a"))
    finding = told(SSRC_003, build.in_time_order(reflected, spoken(), back)).finding
    assert "stream-1 and stream-2" in finding.message
    assert "The key stands in offer and answer." in finding.message
    assert "of their payloads differ" in finding.message


def test_the_same_packets_again_use_nothing_twice(told) -> None:
    """T-DUP, T-B2B: equal ciphertext, at once or on another hop of the same path."""
    media = spoken()
    copies = [(at + 0.001, build.udp(("203.0.113.5", 4000), ("203.0.113.9", 5000), data[42:])) for at, data in media]
    packets = build.in_time_order(build.call(offer(), answer()), media, copies)
    assert told(SSRC_003, packets).findings == []


def test_packets_of_a_retransmission_have_an_ssrc_of_their_own(told) -> None:
    """T-RTX: RFC 4588 sends them as another source."""
    again = spoken(ssrc=0x77, at=1.1, sequence=100)
    packets = build.in_time_order(build.call(offer(), answer()), spoken(), again)
    assert told(SSRC_003, packets).rows == [("pass", "", 2)]


def test_an_srtcp_index_that_begins_anew(told) -> None:
    reports = [build.sender_report(SSRC_A, packets=number) for number in range(1, 5)]
    first, second = context("a"), context("a")
    media = [
        *rtcp([first.protect_rtcp(report) for report in reports]),
        *rtcp([second.protect_rtcp(report + build.goodbye(SSRC_A)) for report in reports], at=6.5),
    ]
    finding = told(SSRC_003, build.in_time_order(build.call(offer(), answer()), media)).finding
    assert (finding.subject.kind, finding.title) == ("rtcp", "Keystream of SRTCP used twice")
    assert "4 pairs of one sender" in finding.message


def test_all_pairs_of_one_keystream_are_one_finding(told) -> None:
    packets = build.in_time_order(build.call(offer(), answer()), *(
        spoken(at=1 + 3 * number, shift=500 * number) for number in range(3)
    ))  # fmt: skip
    assert len(told(SSRC_003, packets).findings) == 1


def test_media_whose_keys_are_not_at_hand(told) -> None:
    media = speech_both_ways(context("x"), context("y"))
    assert told(SSRC_003, build.in_time_order(build.call(offer(), answer()), media)).rows == [
        ("not-assessed", "N-KEY", 2)
    ]
    assert told(SSRC_003, media).rows == [("not-assessed", "N-KEY", 2)]


def test_media_in_clear_uses_no_keystream(told) -> None:
    packets = build.in_time_order(build.call(offer("RTP/AVP"), answer("RTP/AVP")), speech_both_ways(None, None))
    assert told(SSRC_003, packets).rows == []


def test_a_clear_line_has_no_keystream_whatever_its_packets_are(told) -> None:
    """Octets of a codec that is not known, and no media at all."""
    named = "a=rtpmap:97 unheard/8000"
    bodies = offer("RTP/AVP", named, formats="97"), answer("RTP/AVP", named, formats="97")
    media = build.rtp_stream(A, B, SSRC_A, [build.noise(number, 77) for number in range(60)], payload_type=97)
    assert told(SSRC_003, build.in_time_order(build.call(*bodies), media)).rows == []
    assert told(SSRC_003, build.call(*bodies)).rows == []


def test_packets_without_tags_can_not_be_verified(told) -> None:
    flag = " UNAUTHENTICATED_SRTP"
    bodies = (
        offer("RTP/SAVP", build.crypto("a", params=flag)),
        answer("RTP/SAVP", build.crypto("b", params=flag)),
    )
    media = speech_both_ways(context("a", unauthenticated=True), context("b", unauthenticated=True))
    assert told(SSRC_003, build.in_time_order(build.call(*bodies), media)).rows == [("not-assessed", "N-KEY", 2)]


def test_ordinary_srtp_passes_and_a_call_without_media_is_not_assessed(told) -> None:
    signalling = build.call(offer(), answer())
    media = speech_both_ways(context("a"), context("b"))
    assert told(SSRC_003, build.in_time_order(signalling, media)).rows == [("pass", "", 2)]
    assert told(SSRC_003, signalling).rows == [("not-assessed", "N-MED", 1)]


def test_where_indices_are_not_compared_nothing_passes() -> None:
    packets = build.in_time_order(build.call(offer(), answer()), speech_both_ways(context("a"), context("b")))
    for verify in ("sample", "none"):
        trace = traced(packets, verify=verify)
        assert Told(SSRC_003, evaluate(trace, Scene(), [BY_ID[SSRC_003]])).rows == [("not-assessed", "N-KEY", 2)]
    assert Options().verify == "all"


def test_with_keys_of_a_key_file() -> None:
    trace = traced([*spoken(), *spoken(at=5.0, shift=500)], keys=[key_row("a")])
    assert Told(SSRC_003, evaluate(trace, Scene(), [BY_ID[SSRC_003]])).rows == [("violation", "", 1)]


def test_esp_that_can_not_be_opened_may_hold_the_keys(told) -> None:
    sealed = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    packets = build.in_time_order(sealed, speech_both_ways(context("a"), context("b")))
    assert told(SSRC_003, packets).rows == [("not-assessed", "N-KEY", 2), ("not-assessed", "N-SIP", 1)]


def test_what_led_to_the_reuse_follows_from_it() -> None:
    """rules.md 19.1.3: the key that stands in offer and answer, and the SSRC that both directions use."""
    back = build.rtp_stream(B, A, SSRC_A, build.speech(80)[20:], at=1.005, srtp=context("a"))
    packets = build.in_time_order(build.call(offer(), answer("RTP/SAVP", build.crypto("a"))), spoken(), back)
    findings = {each.rule: each for each in build.audit_bytes(build.pcap(packets)).findings}
    root = findings[SSRC_003].fingerprint
    assert findings["IMS-SSRC-007"].follows_from == [root]
    assert findings["IMS-SSRC-002"].follows_from == [root, findings["IMS-SSRC-007"].fingerprint]
