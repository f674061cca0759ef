"""IMS-SSRC-002, from capture octets to findings."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import SSRC_A, A, B, answer, context, offer, speech_both_ways

SSRC_002 = "IMS-SSRC-002"
C = ("203.0.113.30", 7000)
MIXER = "198.51.100.99"
SAME = 0x1234


def stream(source: build.Address, destination: build.Address, **how: object) -> list[build.Packet]:
    """Ten seconds of protected speech."""
    how = {"sequence": 100, "seed": str(source)} | how
    seed = str(how.pop("seed"))
    return build.rtp_stream(source, destination, SAME, build.speech(500), srtp=context(seed), **how)  # type: ignore[arg-type]


def test_two_sources_interleave_sequences_of_their_own(told) -> None:
    """The catalogue's trigger: 100, 7000, 101, 7001."""
    result = told(SSRC_002, build.in_time_order(stream(A, B), stream(C, B, sequence=7_000, timestamp=900, at=1.01)))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "strong")
    assert result.rows == [("violation", "", 1)]
    assert "overlap for 10.0 s" in finding.message


def test_equal_sequence_numbers_of_different_content_collide_too(told) -> None:
    packets = build.in_time_order(stream(A, B), stream(C, B, timestamp=77_000, at=1.01))
    assert told(SSRC_002, packets).rows == [("violation", "", 1)]


def test_a_source_that_moves_goes_on_with_its_sequence(told) -> None:
    """The catalogue's near miss (T-NAT): another port from the middle on."""
    packets = stream(A, B)
    moved = stream((A[0], 4444), B)
    assert told(SSRC_002, packets[:250] + moved[250:]).rows == [("pass", "", 1)]


def test_the_same_packets_over_two_ways(told) -> None:
    """T-DUP, T-B2B: copies keep sequence, timestamp and payload, or at least the first two."""
    copies = [stream(A, B), stream(C, B, seed=str(A), at=1.01)]
    assert told(SSRC_002, build.in_time_order(*copies)).rows == [("pass", "", 1)]
    sealed_anew = [stream(A, B), stream(C, B, seed="another", at=1.01)]
    assert told(SSRC_002, build.in_time_order(*sealed_anew)).rows == [("pass", "", 1)]


def test_one_source_that_spreads_its_packets_over_two_ports(told) -> None:
    packets = stream(A, B)
    other = stream((A[0], 4444), B)
    spread = [(packets, other)[number // 2 % 2][number] for number in range(500)]
    assert told(SSRC_002, spread).rows == [("pass", "", 1)]


def clear(source: build.Address, payloads: list[bytes], **how: object) -> list[build.Packet]:
    """Speech in clear to B."""
    return build.rtp_stream(source, B, SAME, payloads, **{"sequence": 100, "timestamp": 1_000, **how})  # type: ignore[arg-type]


IDLE = bytes(range(20)) * 8


def test_payloads_of_pauses_are_no_copies(told) -> None:
    """Each tenth packet of both sources, or all of them, hold the same idle pattern."""
    own = {"sequence": 7_000, "timestamp": 99_999}
    for one, other in (
        (
            [build.pcmu_speech(number) if number % 10 else IDLE for number in range(400)],
            [build.pcmu_speech(number + 9_000) if number % 10 else IDLE for number in range(400)],
        ),
        ([IDLE] * 400, [IDLE] * 400),
    ):
        packets = build.in_time_order(clear(A, one), clear(C, other, **own))
        assert told(SSRC_002, packets).rows == [("violation", "", 1)]


def test_clear_packets_of_equal_numbers_and_different_speech_collide(told) -> None:
    """Both sources begin with the same sequence number and timestamp."""
    packets = build.in_time_order(clear(A, build.speech(400)), clear(C, build.speech(800)[400:], at=1.01))
    assert told(SSRC_002, packets).rows == [("violation", "", 1)]


def test_clear_copies_are_one_source(told) -> None:
    for delay in (0.0, 0.2):
        copies = clear(C, build.speech(400), at=1 + delay)
        assert told(SSRC_002, build.in_time_order(clear(A, build.speech(400)), copies)).rows == [("pass", "", 1)]


def test_copies_of_which_no_common_packet_was_kept(told) -> None:
    """Every other packet was seen again, from some time on; a source a little ahead is no such copy."""
    announced = build.call(offer("RTP/AVP"), answer("RTP/AVP"), duration=20.0)
    speech = clear(A, build.speech(400))
    copies = clear(C, build.speech(400))[37::2]
    assert told(SSRC_002, build.in_time_order(announced, speech, copies)).findings == []
    ahead = clear(C, build.speech(400), sequence=131)[37::2]
    assert len(told(SSRC_002, build.in_time_order(announced, speech, ahead)).findings) == 1


def test_one_source_with_bursts_on_another_path(told) -> None:
    """Twenty of a hundred packets go another way; over a wrap of the sequence number too."""
    for sequence in (100, 65_300):
        packets = clear(A, build.speech(600), sequence=sequence)
        moved = clear((A[0], 4444), build.speech(600), sequence=sequence)
        spread = [(packets if number // 20 % 5 else moved)[number] for number in range(600)]
        assert told(SSRC_002, spread).rows == [("pass", "", 1)]


def test_two_paths_of_a_source_that_wraps_its_numbers(told) -> None:
    """A number that comes again on the other path is of another round."""
    other = (A[0], 4444)
    spread = [
        (at, frame) if number // 20 % 5 else (at, build.udp(other, B, frame[42:]))
        for number, (at, frame) in enumerate(clear(A, [build.noise(1, 20)] * 70_000, payload_type=18))
    ]
    assert told(SSRC_002, spread).rows == [("pass", "", 1)]


def test_five_seconds_together_are_no_collision_yet(told) -> None:
    packets = build.in_time_order(stream(A, B), stream(C, B, sequence=7_000, timestamp=900, at=6.2))
    assert told(SSRC_002, packets).rows == [("pass", "", 1)]


def test_a_mixer_repeats_its_own_ssrc_to_all(told) -> None:
    """T-CONFSRV."""
    mixer = (MIXER, 6000)
    packets = build.in_time_order(stream(mixer, A), stream((MIXER, 6002), C, sequence=7_000))
    assert told(SSRC_002, packets).rows == [("pass", "", 2)]


def test_one_ssrc_in_both_directions_is_harmless_under_different_keys(told) -> None:
    media = [stream(A, B), stream(B, A, sequence=7_000)]
    packets = build.in_time_order(build.call(offer(), answer(), duration=20.0), *media)
    assert told(SSRC_002, packets).rows == [("pass", "", 2)]


def test_one_ssrc_in_both_directions_under_one_key_is_critical(told) -> None:
    media = [stream(A, B), stream(B, A, sequence=7_000)]
    reflected = answer("RTP/SAVP", build.crypto("a"))
    result = told(SSRC_002, build.in_time_order(build.call(offer(), reflected, duration=20.0), *media))
    assert result.finding.severity is Severity.CRITICAL
    assert result.finding.subject.id == "call-1/0"


def test_one_ssrc_and_key_in_both_directions_behind_a_nat(told) -> None:
    """The offerer's packets come from an address that no description names."""
    behind = ("203.0.113.1", 30_000)
    reflected = answer("RTP/SAVP", build.crypto("a"))
    media = [stream(behind, B), stream(B, A, sequence=7_000)]
    packets = build.in_time_order(build.call(offer(), reflected, duration=20.0), *media)
    result = told(SSRC_002, packets)
    assert [(each.severity, each.subject.id) for each in result.findings] == [(Severity.CRITICAL, "call-1/0")]
    assert "203.0.113.1" in result.finding.message


def test_one_direction_from_two_addresses_is_not_both_directions(told) -> None:
    """T-NAT: the same sender before and behind a rebinding, though offer and answer share a key."""
    reflected = answer("RTP/SAVP", build.crypto("a"))
    first, second = stream(A, B), stream(("203.0.113.1", 30_000), B)
    packets = build.in_time_order(build.call(offer(), reflected, duration=20.0), first[:250], second[250:])
    assert told(SSRC_002, packets).findings == []


def focus_call(number: int, source: build.Address, port: int, *, isfocus: bool = True) -> list[build.Packet]:
    """A participant's call to a conference on a port of its own, and his speech under the same SSRC."""
    dialog = build.Dialog(
        caller=(source[0], 5060), callee=(MIXER, 5060), call_id=f"call-{number}", to_uri="sip:conf@example.org",
        from_tag=f"t{number}", to_tag=f"f{number}",
    )  # fmt: skip
    header = ("Contact: <sip:conf1@focus.example.org>;isfocus",) if isfocus else ()
    body = build.sdp(source[0], build.audio(source[1], "RTP/SAVP", build.crypto(f"p{number}")))
    reply = build.sdp(MIXER, build.audio(port, "RTP/SAVP", build.crypto(f"m{number}")))
    script = [
        (0.0 + number / 100, dialog.request("INVITE", body), True),
        (0.2 + number / 100, dialog.response(200, "OK", reply, headers=header), False),
        (0.3 + number / 100, dialog.request("ACK"), True),
    ]
    media = stream(source, (MIXER, port), sequence=1_000 * number, timestamp=50_000 * number)
    return build.in_time_order(build.carry(dialog, script), media)


def test_participants_of_one_focus_share_a_conference_on_different_ports(told) -> None:
    packets = build.in_time_order(focus_call(1, A, 6000), focus_call(2, C, 6002))
    result = told(SSRC_002, packets)
    assert len(result.findings) == 1
    assert "2 sources" in result.finding.title


def test_callers_of_one_gateway_share_no_session(told) -> None:
    """Without a focus, different ports of one address are different RTP sessions."""
    packets = build.in_time_order(focus_call(1, A, 6000, isfocus=False), focus_call(2, C, 6002, isfocus=False))
    assert told(SSRC_002, packets).findings == []


def test_a_call_without_media(told) -> None:
    assert told(SSRC_002, build.call(offer(), answer())).rows == [("not-assessed", "N-MED", 1)]


def test_ordinary_media_passes(told) -> None:
    packets = build.in_time_order(build.call(offer(), answer()), speech_both_ways(context("a"), context("b")))
    assert told(SSRC_002, packets).rows == [("pass", "", 2)]
    assert SSRC_A != SAME


def test_nothing_but_esp_that_can_not_be_opened(told) -> None:
    packets = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    assert told(SSRC_002, packets).rows == [("not-assessed", "N-SIP", 1)]
