"""Streams are judged clear or protected by what their packets show; where evidence is thin they stay unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sdp.parse import parse
from imsinspect.trace.codecs import AMR_BITS, AMR_WB_BITS, amr_fits, event_fits, h264_fits, h265_fits
from imsinspect.trace.judgement import judge
from imsinspect.trace.media import media_streams
from imsinspect.trace.model import (
    Description,
    LineState,
    MediaSample,
    MediaStream,
    Negotiation,
    Place,
    Protection,
    SignallingMessage,
    SizeRun,
)
from imsinspect.trace.scan import scan
from tests import build

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imsinspect.trace.model import Judgement

SOURCE, DESTINATION = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
KEY = build.master_key("a")


def line(offered: str, answered: str | None = None) -> LineState:
    """The state of a line that was offered and answered like that."""

    def described(section: str) -> Description:
        body = parse(build.sdp("192.0.2.10", section))
        message = SignallingMessage((1,), 0, SOURCE, DESTINATION, "udp", Protection.CLEAR, None, (body,))  # type: ignore[arg-type]
        return Description(message, body)

    offer = described(offered)
    answer = described(answered or offered)
    negotiation = Negotiation(b"c", b"a", b"b", offer, answer)
    return LineState(negotiation, offer.sdp.media[0], answer.sdp.media[0], 0, 0)


SAVP = line(build.audio(4000, "RTP/SAVP", build.crypto("a")))
SAVP_32 = line(build.audio(4000, "RTP/SAVP", build.crypto("a", suite="AES_CM_128_HMAC_SHA1_32")))


def rtpmap(proto: str, number: int, name: str, *attributes: str) -> LineState:
    """A line with one dynamic payload type."""
    return line(build.media("audio", 4000, proto, str(number), f"a=rtpmap:{number} {name}", *attributes))


@pytest.fixture
def stream(tmp_path: Path):
    """The media stream that packets make."""

    def made(payloads: Iterable[bytes], **how: object) -> MediaStream:
        path = tmp_path / "a.pcap"
        path.write_bytes(build.pcap(build.rtp_stream(SOURCE, DESTINATION, 0x1234, payloads, **how)))  # type: ignore[arg-type]
        return media_streams([scan(str(path), 0)])[0]

    return made


def told(judgement: Judgement) -> tuple[str, str, tuple[str, ...]]:
    return judgement.kind, judgement.confidence, judgement.tests


@pytest.mark.parametrize("state", [SAVP, None, line(build.audio(4000))])
def test_speech_without_room_for_a_tag_is_clear(stream, state) -> None:
    judgement = judge(stream(build.speech(100)), state)
    assert told(judgement) == ("rtp", "strong", ("size", "structure"))
    assert judgement.observed == "payload 160 octets (PCMU, 20 ms)"
    assert judgement.expected == "170 octets with a tag of 80 bits"
    assert judgement.frames == (1, 100)
    assert judgement.packets == 100


def test_a_long_stream_is_told_by_entropy_too(stream) -> None:
    assert told(judge(stream(build.speech(2_000)), SAVP))[2] == ("size", "structure", "entropy")


@pytest.mark.parametrize(
    ("suite", "octets"),
    [("AES_CM_128_HMAC_SHA1_80", 170), ("AES_CM_128_HMAC_SHA1_32", 164), ("AEAD_AES_128_GCM", 176)],
)
def test_speech_with_a_tag_is_srtp(stream, suite: str, octets: int) -> None:
    """With the line that names the suite, and without any line."""
    context = build.Srtp(build.master_key("a", suite), suite)
    found = stream(build.speech(100), srtp=context)
    for state in (line(build.audio(4000, "RTP/SAVP", build.crypto("a", suite=suite))), None):
        judgement = judge(found, state)
        assert told(judgement) == ("srtp", "strong", ("size", "structure"))
        assert judgement.observed == f"payload {octets} octets (PCMU, 20 ms)"
        assert judgement.expected == "160 octets in clear"


def test_silence_is_clear_and_encrypted_silence_is_srtp(stream) -> None:
    assert judge(stream([build.pcmu_silence()] * 30), SAVP).confidence == "strong"
    assert judge(stream([build.pcmu_silence()] * 30, srtp=build.Srtp(KEY)), SAVP).kind == "srtp"


def test_nineteen_packets_are_too_few(stream) -> None:
    assert judge(stream(build.speech(19)), SAVP).kind == "unknown"
    assert judge(stream(build.speech(20)), SAVP).kind == "rtp"


def test_octets_without_structure_leave_only_the_size(stream) -> None:
    """No room for the tag that was agreed, yet nothing that reads as speech."""
    judgement = judge(stream(build.noise(number, 160) for number in range(100)), SAVP)
    assert told(judgement) == ("rtp", "heuristic", ("size",))


def test_no_tag_agreed_and_no_structure_is_unknown(stream) -> None:
    """UNAUTHENTICATED_SRTP: encrypted payloads are as long as clear ones."""
    state = line(build.audio(4000, "RTP/SAVP", build.crypto("a", params=" UNAUTHENTICATED_SRTP")))
    found = stream(build.speech(100), srtp=build.Srtp(KEY, unauthenticated=True))
    assert judge(found, state).kind == "unknown"
    assert judge(stream(build.speech(100)), state).kind == "rtp"


def test_an_mki_is_part_of_the_overhead(stream) -> None:
    state = line(build.audio(4000, "RTP/SAVP", build.crypto("a", params="|2^20|1:4")))
    judgement = judge(stream(build.speech(100), srtp=build.Srtp(KEY, mki=b"\0\0\0\1")), state)
    assert judgement.kind == "srtp"
    assert judgement.observed == "payload 174 octets (PCMU, 20 ms)"
    assert judge(stream(build.speech(100)), state).expected == "174 octets with a tag of 80 bits and an MKI of 4"


def test_keys_of_mikey_usually_carry_an_spi_of_four_octets(stream) -> None:
    state = line(build.audio(4000, "RTP/SAVP", "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="))
    assert judge(stream(build.speech(100), srtp=build.Srtp(KEY, mki=b"\0\0\0\1")), state).kind == "srtp"
    assert judge(stream(build.speech(100), srtp=build.Srtp(KEY)), state).kind == "srtp"


@pytest.mark.parametrize("octets", [80, 160, 240, 320, 480])
def test_any_packet_time_of_g711(stream, octets: int) -> None:
    """Whatever a=ptime says: senders choose."""
    payloads = build.speech(60, octets)
    assert judge(stream(payloads, clock_step=octets), SAVP).kind == "rtp"
    assert judge(stream(payloads, clock_step=octets, srtp=build.Srtp(KEY)), SAVP).kind == "srtp"


def test_where_half_of_the_packets_is_clear_the_protected_ones_name_the_stream(stream) -> None:
    payloads = [build.noise(number, 160 + 10 * (number % 2)) for number in range(100)]
    judgement = judge(stream(payloads), SAVP)
    assert (*told(judgement), judgement.packets) == ("srtp", "strong", ("size", "structure"), 50)
    assert judgement.other_part is not None
    assert (*told(judgement.other_part), judgement.other_part.packets) == ("rtp", "heuristic", ("size",), 50)


@pytest.fixture
def parts(tmp_path: Path):
    """The stream that several runs of payloads make, one after the other: (payloads, payload type, step, context)."""

    def made(*runs: tuple[list[bytes], int, int, build.Srtp | None]) -> MediaStream:
        packets: list[build.Packet] = []
        timestamp = 1_000
        for payloads, payload_type, step, context in runs:
            packets += build.rtp_stream(
                SOURCE, DESTINATION, 7, payloads, payload_type=payload_type, clock_step=step, srtp=context,
                sequence=100 + len(packets), timestamp=timestamp, at=1 + len(packets) / 50,
            )  # fmt: skip
            timestamp += step * len(payloads)
        path = tmp_path / "a.pcap"
        path.write_bytes(build.pcap(packets))
        return media_streams([scan(str(path), 0)])[0]

    return made


def test_a_clear_part_of_a_protected_stream_is_kept(parts) -> None:
    found = parts((build.speech(1_000), 0, 160, build.Srtp(KEY)), (build.speech(300), 0, 160, None))
    judgement = judge(found, SAVP)
    assert (*told(judgement), judgement.packets) == ("srtp", "strong", ("size", "structure"), 1_000)
    part = judgement.other_part
    assert part is not None
    assert (*told(part), part.packets, part.frames) == ("rtp", "strong", ("size", "structure"), 300, (1_001, 1_300))
    assert part.observed == "payload 160 octets (PCMU, 20 ms)"
    assert part.expected == "170 octets with a tag of 80 bits"


def test_a_clear_part_without_packets_to_look_into_is_told_by_its_size(parts) -> None:
    part = judge(parts((build.speech(1_000), 0, 160, build.Srtp(KEY)), (build.speech(40), 0, 160, None)), SAVP)
    assert part.other_part is not None
    assert (part.other_part.kind, part.other_part.packets) == ("rtp", 40)


def test_a_few_clear_packets_before_keys_are_known_say_nothing_of_the_others(parts) -> None:
    """The first packets are the ones that are looked into."""
    judgement = judge(parts((build.speech(12), 0, 160, None), (build.speech(988), 0, 160, build.Srtp(KEY))), SAVP)
    assert (judgement.kind, judgement.readable, judgement.other_part) == ("srtp", False, None)


def test_nineteen_clear_packets_are_no_part(parts) -> None:
    found = parts((build.speech(400), 0, 160, build.Srtp(KEY)), (build.speech(19), 0, 160, None))
    assert judge(found, SAVP).other_part is None


def test_a_stream_mostly_clear_keeps_its_protected_part(parts) -> None:
    judgement = judge(parts((build.speech(300), 0, 160, None), (build.speech(100), 0, 160, build.Srtp(KEY))), SAVP)
    assert (judgement.kind, judgement.packets, judgement.frames) == ("rtp", 300, (1, 300))
    assert judgement.other_part is not None
    assert (judgement.other_part.kind, judgement.other_part.packets) == ("srtp", 100)


def test_clear_digits_beside_protected_speech_are_a_part(parts) -> None:
    state = line(
        build.media("audio", 4000, "RTP/SAVP", "0 101", "a=rtpmap:101 telephone-event/8000", build.crypto("a"))
    )
    digits = [build.telephone_event(5, 160 * (number + 1)) for number in range(8)]
    judgement = judge(parts((build.speech(300), 0, 160, build.Srtp(KEY)), (digits, 101, 0, None)), state)
    assert judgement.kind == "srtp"
    assert judgement.other_part is not None
    assert (judgement.other_part.kind, judgement.other_part.tests[0], judgement.other_part.packets) == (
        "rtp",
        "dtmf",
        8,
    )
    sealed = parts((build.speech(300), 0, 160, build.Srtp(KEY)), (digits, 101, 0, build.Srtp(KEY)))
    assert judge(sealed, state).other_part is None


@pytest.mark.parametrize("octets", [80, 240, 480])
def test_protected_packets_of_another_packet_time_are_no_clear_part(parts, octets: int) -> None:
    srtp = build.Srtp(KEY)
    found = parts((build.speech(600), 0, 160, srtp), (build.speech(100, octets), 0, octets, srtp))
    assert (judge(found, SAVP).kind, judge(found, SAVP).other_part) == ("srtp", None)


def test_g729_of_ten_milliseconds_and_a_tag_is_as_long_as_twenty_in_clear(parts) -> None:
    """The step of the packets of that length tells one from the other; where it is not seen nothing is said."""
    srtp = build.Srtp(KEY)
    before = ([build.noise(number, 20) for number in range(600)], 18, 160, srtp)
    shorter = parts(before, ([build.noise(number, 10) for number in range(200)], 18, 80, srtp))
    assert judge(shorter, SAVP).other_part is None
    clear = judge(parts(before, ([build.noise(number, 20) for number in range(300)], 18, 160, None)), SAVP)
    assert clear.other_part is not None
    assert clear.other_part.packets == 300


@pytest.mark.parametrize("modes", [(8, 5), (2, 6), (0, 3)])
def test_protected_amr_of_lengths_that_coincide_with_clear_ones_is_no_clear_part(parts, modes: tuple[int, int]) -> None:
    """AMR-WB 12.65 and a tag are as long as 19.85 in clear and so on; SID frames and a tag as no speech."""
    state = rtpmap("RTP/SAVP", 96, "AMR-WB/16000", "a=fmtp:96 octet-align=1", build.crypto("a"))
    srtp = build.Srtp(KEY)
    runs = [
        ([build.amr_octet_aligned(number, mode=mode, wide=True) for number in range(count)], 96, 320, srtp)
        for mode, count in zip((*modes, 9), (500, 100, 50), strict=True)
    ]
    assert judge(parts(*runs), state).other_part is None


def test_clear_amr_behind_protected_amr_is_a_part(parts) -> None:
    state = rtpmap("RTP/SAVP", 96, "AMR/8000", "a=fmtp:96 octet-align=1", build.crypto("a"))
    frames = [build.amr_octet_aligned(number, mode=7) for number in range(300)]
    judgement = judge(parts((frames, 96, 160, build.Srtp(KEY)), (frames[:200], 96, 160, None)), state)
    assert judgement.kind == "srtp"
    assert judgement.other_part is not None
    assert judgement.other_part.packets == 200


def test_comfort_noise_and_an_mki_beside_protected_speech_are_no_clear_part(parts) -> None:
    mki = line(build.audio(4000, "RTP/SAVP", build.crypto("a", params="|2^20|1:4")))
    noise = ([b"\x40"] * 40, 13, 160, None)
    found = parts((build.speech(300), 0, 160, build.Srtp(KEY, mki=b"\0\0\0\1")), noise)
    assert (judge(found, mki).kind, judge(found, mki).other_part) == ("srtp", None)
    assert not judge(found, mki).readable


@pytest.mark.parametrize("mki", [b"", bytes(4)])
def test_content_in_clear_before_a_tag_is_readable(stream, mki: bytes) -> None:
    """A NULL cipher; a constant MKI, which reads as clear too, is no part of the content."""
    state = line(build.audio(4000, "RTP/SAVP", build.crypto("a", params="|2^20|1:4" if mki else "")))
    clear = judge(stream(build.speech(200), srtp=build.Srtp(KEY, mki=mki, unencrypted=True)), state)
    assert (*told(clear), clear.readable) == ("srtp", "heuristic", ("size",), True)
    assert not judge(stream(build.speech(200), srtp=build.Srtp(KEY, mki=mki)), state).readable


def test_g729_is_told_by_the_timestamp_step(stream) -> None:
    """20 octets and a tag of 80 bits are as long as three frames; the clock says how many frames there are."""
    payloads = [build.noise(number, 20) for number in range(100)]
    assert judge(stream(payloads, payload_type=18), None).kind == "rtp"
    assert judge(stream(payloads, payload_type=18, srtp=build.Srtp(KEY)), None).kind == "srtp"
    three = [build.noise(number, 30) for number in range(100)]
    assert judge(stream(three, payload_type=18, clock_step=240), None).kind == "rtp"


def test_compressed_speech_is_never_called_srtp_for_its_entropy(stream) -> None:
    state = rtpmap("RTP/SAVP", 111, "opus/48000/2", build.crypto("a"))
    payloads = [build.noise(number, 70 + number % 30) for number in range(300)]
    assert judge(stream(payloads, payload_type=111, clock_step=960), state).kind == "unknown"


@pytest.mark.parametrize(("name", "first"), [("opus/48000/2", 0x78), ("VP8/90000", 0x90)])
def test_a_header_octet_that_stays_is_no_ciphertext(stream, name: str, first: int) -> None:
    """Opus and VP8 have no sizes of their own, yet their payloads begin alike; one test makes it heuristic."""
    state = rtpmap("RTP/SAVP", 111, name, build.crypto("a"))
    payloads = [bytes((first,)) + build.noise(number, 60 + number % 30) for number in range(100)]
    clear = judge(stream(payloads, payload_type=111, clock_step=960), state)
    assert told(clear) == ("rtp", "heuristic", ("structure",))
    assert judge(stream(payloads, payload_type=111, clock_step=960, srtp=build.Srtp(KEY)), state).kind == "unknown"


def test_a_dynamic_payload_type_without_a_line_means_nothing(stream) -> None:
    assert judge(stream(build.speech(100), payload_type=96), None).kind == "unknown"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("mode", [0, 2, 7])
def test_amr_octet_aligned(stream, wide: bool, mode: int) -> None:
    """The table of contents leads to exactly the payload's length in clear, and to nothing in SRTP."""
    name = "AMR-WB/16000" if wide else "AMR/8000"
    state = rtpmap("RTP/SAVP", 96, name, "a=fmtp:96 octet-align=1", build.crypto("a"))
    how = {"payload_type": 96, "clock_step": 320 if wide else 160}
    payloads = [build.amr_octet_aligned(number, mode=mode, wide=wide) for number in range(100)]
    assert told(judge(stream(payloads, **how), state)) == ("rtp", "strong", ("size", "structure"))
    protected = judge(stream(payloads, srtp=build.Srtp(KEY), **how), state)
    assert protected.kind == "srtp"
    assert "structure" in protected.tests


def test_amr_where_sizes_coincide_is_told_by_structure(stream) -> None:
    """AMR-WB 8.85 and a tag of 10 octets is as long as 12.65 in clear."""
    state = rtpmap("RTP/SAVP", 96, "AMR-WB/16000", "a=fmtp:96 octet-align=1", build.crypto("a"))
    payloads = [build.amr_octet_aligned(number, mode=1, wide=True) for number in range(100)]
    assert len(payloads[0]) + 10 == 35
    mixed = [build.amr_octet_aligned(number, mode=2 + number % 2, wide=True) for number in range(100)]
    assert judge(stream(payloads, payload_type=96, clock_step=320, srtp=build.Srtp(KEY)), state).kind == "srtp"
    assert judge(stream(mixed, payload_type=96, clock_step=320), state).kind == "rtp"


def test_digits_alone_tell_where_the_speech_codec_does_not(stream) -> None:
    state = line(
        build.media(
            "audio", 4000, "RTP/SAVP", "111 101", "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/48000",
            build.crypto("a"),
        )
    )  # fmt: skip
    events = [build.telephone_event(5, 160 * (number + 1), end=number > 6) for number in range(10)]
    clear = judge(stream(events, payload_type=101, clock_step=0), state)
    assert told(clear) == ("rtp", "strong", ("dtmf", "structure"))
    assert judge(stream(events, payload_type=101, clock_step=0, srtp=build.Srtp(KEY)), state).kind == "srtp"


def test_clear_speech_beside_protected_digits_is_a_part_of_its_own(tmp_path: Path) -> None:
    """Of as many packets of both kinds the protected ones name the stream."""
    state = line(
        build.media("audio", 4000, "RTP/SAVP", "0 101", "a=rtpmap:101 telephone-event/8000", build.crypto("a"))
    )
    speech = build.rtp_stream(SOURCE, DESTINATION, 7, [build.noise(number, 160) for number in range(30)])
    digits = build.rtp_stream(
        SOURCE, DESTINATION, 7, [build.noise(n, 14) for n in range(30)], payload_type=101, sequence=130, at=2.0
    )  # fmt: skip
    path = tmp_path / "a.pcap"
    path.write_bytes(build.pcap(speech + digits))
    judgement = judge(media_streams([scan(str(path), 0)])[0], state)
    assert judgement.kind == "srtp"
    assert judgement.other_part is not None
    assert told(judgement.other_part) == ("rtp", "heuristic", ("size",))


def test_comfort_noise_does_not_disturb(stream, tmp_path: Path) -> None:
    speech = build.rtp_stream(SOURCE, DESTINATION, 7, build.speech(100))
    noise = build.rtp_stream(SOURCE, DESTINATION, 7, [b"\x40\x01"] * 30, payload_type=13, sequence=200, at=3.0)
    path = tmp_path / "a.pcap"
    path.write_bytes(build.pcap(speech + noise))
    assert judge(media_streams([scan(str(path), 0)])[0], SAVP).kind == "rtp"


def test_video_in_clear_is_told_by_its_units_and_never_by_its_entropy(stream) -> None:
    state = line(build.media("video", 4000, "RTP/SAVP", "97", "a=rtpmap:97 H264/90000", build.crypto("a")))
    units = [bytes((0x7C, 0x85 if number % 5 == 0 else 0x05)) + build.noise(number, 900) for number in range(100)]
    how = {"payload_type": 97, "clock_step": 3_000}
    assert told(judge(stream(units, **how), state)) == ("rtp", "heuristic", ("structure",))
    assert judge(stream(units, srtp=build.Srtp(KEY), **how), state).kind == "unknown"


def test_payloads_with_padding_are_not_measured(tmp_path: Path) -> None:
    packets = [
        (at, frame[:42] + bytes((frame[42] | 0x20,)) + frame[43:])
        for at, frame in build.rtp_stream(SOURCE, DESTINATION, 7, build.speech(50))
    ]
    path = tmp_path / "a.pcap"
    path.write_bytes(build.pcap(packets))
    assert judge(media_streams([scan(str(path), 0)])[0], SAVP).kind == "unknown"


@pytest.mark.parametrize(
    ("payload", "bits", "aligned", "fits"),
    [
        (build.amr_octet_aligned(1), AMR_BITS, True, True),
        (build.amr_octet_aligned(1, mode=8, wide=True), AMR_WB_BITS, True, True),
        (bytes.fromhex("f07c"), AMR_BITS, True, True),  # NO_DATA
        (bytes.fromhex("f3c0"), AMR_BITS, False, False),  # reserved frame type
        (bytes.fromhex("f7c0"), AMR_BITS, False, True),  # NO_DATA
        (bytes.fromhex("f3fc") + bytes(30), AMR_BITS, True, False),
        (b"", AMR_BITS, True, False),
        (b"", AMR_BITS, False, False),
        (b"\xff" * 600, AMR_BITS, True, False),
        (b"\xff" * 600, AMR_BITS, False, False),
    ],
)
def test_amr_payloads(payload: bytes, bits: tuple[int, ...], aligned: bool, fits: bool) -> None:
    assert amr_fits(payload, len(payload), bits, aligned) is fits


def test_events_and_video_units() -> None:
    assert event_fits(build.telephone_event(11, 160), 4)
    assert not event_fits(build.telephone_event(200, 160), 4)
    assert h264_fits(b"\x67\x42", 2)
    assert h264_fits(b"\x18\x00\x02\x67\x42\x00\x01\x68", 8)
    assert not h264_fits(b"\x18\x00\x09\x67\x42", 5)
    assert not h264_fits(b"\xe7\x42", 2)
    assert h265_fits(b"\x40\x01\x0c", 3)
    assert not h265_fits(b"\x40\x00\x0c", 3)


RUNS = st.builds(SizeRun, st.integers(0, 127), st.integers(0, 1500), st.integers(1, 200), st.just(1), st.just(9))
SAMPLES = st.builds(
    MediaSample,
    st.just(1),
    st.just(0),
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 65_535),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=80),
    st.integers(0, 1500),
    st.booleans(),
)
EVERYTHING = line(
    build.media(
        "audio", 4000, "RTP/SAVP", "0 18 96 97 98 99 100", "a=rtpmap:96 AMR/8000", "a=rtpmap:97 AMR-WB/16000",
        "a=rtpmap:98 H264/90000", "a=rtpmap:99 telephone-event/8000", "a=rtpmap:100 EVS/16000", "a=ptime:20",
        "a=crypto:1 x y", build.crypto("a", tag=2, params="|1:128"),
    )
)  # fmt: skip


@given(st.lists(RUNS, max_size=8), st.lists(SAMPLES, max_size=30), st.sampled_from([None, SAVP, EVERYTHING]))
def test_any_packets_are_judged(runs: list[SizeRun], samples: list[MediaSample], state: LineState | None) -> None:
    """Nothing raises, and a judgement always says what it stands on."""
    found = MediaStream(
        "stream-1", 1, SOURCE, DESTINATION, sum(run.packets for run in runs), 0, Place(1, 0), Place(9, 9), 0, 9,  # type: ignore[arg-type]
        sizes=runs, samples=samples,
    )  # fmt: skip
    judgement = judge(found, state)
    assert judgement.kind in ("rtp", "srtp", "unknown")
    assert (judgement.kind == "unknown") == (not judgement.tests)
