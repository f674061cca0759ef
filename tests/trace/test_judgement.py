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


def test_half_of_the_packets_protected_is_unknown(stream) -> None:
    payloads = [build.noise(number, 160 + 10 * (number % 2)) for number in range(100)]
    assert judge(stream(payloads), SAVP).kind == "unknown"


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


def test_clear_speech_beside_protected_digits_is_a_contradiction(stream, tmp_path: Path) -> None:
    """Neither is most of the stream with more than one test, so nothing is claimed."""
    state = line(
        build.media("audio", 4000, "RTP/SAVP", "0 101", "a=rtpmap:101 telephone-event/8000", build.crypto("a"))
    )
    speech = build.rtp_stream(SOURCE, DESTINATION, 7, [build.noise(number, 160) for number in range(30)])
    digits = build.rtp_stream(
        SOURCE, DESTINATION, 7, [build.noise(n, 14) for n in range(30)], payload_type=101, sequence=130, at=2.0
    )  # fmt: skip
    path = tmp_path / "a.pcap"
    path.write_bytes(build.pcap(speech + digits))
    assert judge(media_streams([scan(str(path), 0)])[0], state).kind == "unknown"


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
