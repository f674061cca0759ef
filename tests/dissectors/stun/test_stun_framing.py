"""STUN and ChannelData frames, and the data relayed in indications, from their octets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dissectors.stun.framing import looks_like_frames, next_frame, relayed_data

BINDING = bytes.fromhex("000100002112a442") + b"t" * 12
RTP = bytes.fromhex("8000000100000001000000aa") + b"media"
CHANNEL = bytes.fromhex("40010011") + RTP + bytes(3)


def test_frames_of_a_stream_end_where_their_lengths_say():
    assert next_frame(BINDING + CHANNEL, 0) == (0, 20, False)
    assert next_frame(BINDING + CHANNEL, 20) == (20, 44, True)
    assert next_frame(CHANNEL[:-1], 0) is None
    assert next_frame(b"\x00\x01\x00", 0) is None
    assert next_frame(b"\x80\x01\x00\x04", 0) == (0, -1, False)
    assert next_frame(b"\x00\x03\x00\x00nope", 0) == (0, -1, False)
    assert next_frame(BINDING[:2] + b"\x00\x02" + BINDING[4:], 0) == (0, -1, False)


def test_a_chain_of_frames_is_recognised_to_its_last_octet():
    assert looks_like_frames(CHANNEL + BINDING + CHANNEL)
    assert looks_like_frames(CHANNEL + CHANNEL[:10])
    assert not looks_like_frames(CHANNEL[:10])
    assert not looks_like_frames(CHANNEL + b"\x40\x02\xff\xff")
    assert not looks_like_frames(b"")


def test_channels_of_other_numbers_contents_and_padding_are_not_recognised():
    assert not looks_like_frames(b"\x50" + CHANNEL[1:])
    assert not looks_like_frames(CHANNEL[:4] + b"\x47" + CHANNEL[5:])
    assert not looks_like_frames(CHANNEL[:-1] + b"\x01")
    assert looks_like_frames(b"\x40\x01\x00\x14" + BINDING)


def test_the_data_of_an_indication_is_found_behind_other_attributes():
    body = bytes.fromhex("001200080001000000000000") + bytes.fromhex("00130003") + b"abc\0"
    message = bytes.fromhex("0016") + len(body).to_bytes(2, "big") + BINDING[4:] + body
    assert relayed_data(message) == (36, 39)
    assert relayed_data(message[:-2]) is None
    assert relayed_data(b"\0\x01" + message[2:]) is None
    assert relayed_data(message[:32]) is None


@given(st.binary(max_size=120))
def test_any_octets_are_taken(data):
    looks_like_frames(data)
    relayed_data(b"\0\x16" + data)
    found = next_frame(data, 0)
    assert found is None or found[1] == -1 or found[1] > 0
