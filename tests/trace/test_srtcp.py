"""The layout of SRTCP is found from index words alone, and never where one packet could mean anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.trace.model import RtcpSample, SrtcpLayout
from imsinspect.trace.srtcp import compound_length, find_layout
from tests import build

SSRC = 0x1234
REPORT = build.sender_report(SSRC) + build.source_description(SSRC)


def samples(*datagrams: bytes) -> list[RtcpSample]:
    return [RtcpSample(number + 1, number * 5 * 10**9, data, len(data)) for number, data in enumerate(datagrams)]


def protected(
    count: int, compound: bytes = REPORT, suite: str = "AES_CM_128_HMAC_SHA1_80", mki: bytes = b"", **how: bool | int
) -> list[RtcpSample]:
    sender = build.Srtp(build.master_key("a", suite), suite, mki=mki)
    return samples(*(sender.protect_rtcp(compound, **how) for _ in range(count)))  # type: ignore[arg-type]


def test_lengths_of_a_plain_compound_add_up_to_the_datagram() -> None:
    walk = compound_length(REPORT)
    assert (walk.octets, walk.packet_types, walk.whole) == (len(REPORT), (200, 202), True)


def test_a_sender_report_of_28_octets_in_42_is_not_plain() -> None:
    datagram = build.Srtp(build.master_key("a")).protect_rtcp(build.sender_report(SSRC))
    walk = compound_length(datagram)
    assert (len(datagram), walk.octets, walk.whole) == (42, 28, False)


def test_padding_stands_only_in_the_last_packet() -> None:
    padded = bytes([REPORT[0] | 0x20]) + REPORT[1:]
    assert not compound_length(padded).whole


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\xc8", b"\x80\xc8\xff\xff", b"\x00" * 40, b"\x80\xc8\x00\x00" * 80]
)
def test_the_walk_takes_any_bytes(data: bytes) -> None:
    assert compound_length(data).octets <= len(data)


@pytest.mark.parametrize("compound", [REPORT, build.sender_report(SSRC), build.receiver_report(SSRC)])
@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("mki", [b"", b"\x07", b"\0\0\0\1", b"\0" * 31 + b"\1"])
def test_the_80_bit_tag(compound: bytes, encrypted: bool, mki: bytes) -> None:
    """Also with an MKI, which stands between index word and tag."""
    assert find_layout(protected(4, compound, mki=mki, encrypted=encrypted)) == SrtcpLayout(
        10, len(mki), encrypted, False, 3
    )


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("mki", [b"", b"\0\0\0\1"])
def test_aead_puts_the_tag_before_the_index_word(encrypted: bool, mki: bytes) -> None:
    found = find_layout(protected(4, suite="AEAD_AES_128_GCM", mki=mki, encrypted=encrypted))
    assert found == SrtcpLayout(16, len(mki), encrypted, True, 3)


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_32_bit_tag_of_a_nonconforming_sender(encrypted: bool) -> None:
    assert find_layout(protected(3, tag_octets=4, encrypted=encrypted)) == SrtcpLayout(4, 0, encrypted, False, 2)


@pytest.mark.parametrize("mki", [b"", b"\0\0\0\1"])
def test_no_tag_is_told_from_aead_by_the_smallest_possible_structure(mki: bytes) -> None:
    """In 28 octets and an index word there is no room for a tag of 16 octets."""
    found = find_layout(protected(3, build.sender_report(SSRC), tag_octets=0, mki=mki))
    assert found == SrtcpLayout(0, len(mki), True, False, 2)


def test_no_tag_in_clear_compounds_ends_exactly_before_the_index_word() -> None:
    assert find_layout(protected(3, tag_octets=0, encrypted=False)) == SrtcpLayout(0, 0, False, False, 2)


def test_what_the_packets_leave_open_the_suite_decides() -> None:
    """An encrypted SDES behind the SR may as well be a tag of 16 octets."""
    datagrams = protected(3, tag_octets=0)
    assert find_layout(datagrams) == SrtcpLayout(16, 0, True, True, 2)
    assert find_layout(datagrams, aead=False) == SrtcpLayout(0, 0, True, False, 2)


def test_one_packet_tells_nothing() -> None:
    assert find_layout(protected(1)) is None
    again = protected(1)
    assert find_layout(again + again) is None, "the same octets sighted twice are one packet"


def test_noise_has_no_layout() -> None:
    assert find_layout(samples(*(REPORT[:8] + build.noise(number, 60) for number in range(40)))) is None


def test_lost_packets_leave_the_layout_recognisable() -> None:
    kept = protected(20)
    assert find_layout([kept[0], kept[1], kept[4], kept[12], kept[19]]) == SrtcpLayout(10, 0, True, False, 4)


def test_a_flag_that_varies_is_none() -> None:
    sender = build.Srtp(build.master_key("a"))
    datagrams = samples(*(sender.protect_rtcp(REPORT, encrypted=number % 2 == 0) for number in range(4)))
    assert find_layout(datagrams) == SrtcpLayout(10, 0, None, False, 3)


def test_a_length_field_that_is_wrong_once_does_no_harm() -> None:
    """RFC 7714's own test packet has one; a walk over it does not end where it should."""
    sender = build.Srtp(build.master_key("a"))
    wrong = bytes.fromhex("81c8ffff") + REPORT[4:]
    datagrams = [sender.protect_rtcp(wrong if number == 4 else REPORT) for number in range(12)]
    assert find_layout(samples(*datagrams)) == SrtcpLayout(10, 0, True, False, 11)


@given(st.lists(st.binary(max_size=200), max_size=20), st.sampled_from([None, True, False]))
def test_any_datagrams_are_taken(datagrams: list[bytes], aead: bool | None) -> None:
    """Nothing raises, and what is found fits into the datagrams."""
    layout = find_layout(samples(*datagrams), aead)
    assert layout is None or (layout.pairs > 0 and layout.overhead < max(map(len, datagrams)))
