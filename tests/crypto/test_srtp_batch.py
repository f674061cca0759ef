"""Many packets at once fail exactly where each alone fails."""

from __future__ import annotations

import mmap
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters, verify_many

if TYPE_CHECKING:
    from collections.abc import Callable

CM_80 = SrtpParameters("AES-CM", 16, 14, 10, 10)
GCM_128 = SrtpParameters("AES-GCM", 16, 12, 16, 16)

SETS = {
    "AES-CM 80": CM_80,
    "AES-CM 32": replace(CM_80, srtp_tag_octets=4),
    "AES-CM with MKI": replace(CM_80, mki_octets=4),
    "NULL": replace(CM_80, cipher="NULL"),
    "AES-f8": replace(CM_80, cipher="AES-f8"),
    "KDR": replace(CM_80, key_derivation_rate=4),
    "AES-GCM 128": GCM_128,
    "AES-GCM 256": replace(GCM_128, key_octets=32),
    "AES-GCM with MKI": replace(GCM_128, mki_octets=1),
    "AES-GCM, not encrypted": replace(GCM_128, encrypt_srtp=False),
    "AES-GCM, KDR": replace(GCM_128, key_derivation_rate=256),
    "RCCm1": replace(CM_80, roc_mode=1, roc_rate=4),
    "RCCm2": replace(CM_80, roc_mode=2, roc_rate=4),
    "no tag": replace(CM_80, srtp_tag_octets=0),
}


def keys_of(parameters: SrtpParameters) -> SrtpKeys:
    return SrtpKeys(parameters, bytes(range(parameters.key_octets)), bytes(range(parameters.salt_octets)))


def rtp(chance: random.Random, seq: int) -> bytes:
    """A packet with any number of CSRC, often with an extension, of one of three senders."""
    csrcs = chance.choice([0, 0, 0, 1, 15])
    extended = chance.random() < 0.4
    head = bytes([0x80 | (0x10 if extended else 0) | csrcs, 96]) + (seq & 0xFFFF).to_bytes(2, "big")
    head += chance.randbytes(4) + chance.choice([b"AAAA", b"BBBB", b"CCCC"]) + chance.randbytes(4 * csrcs)
    if extended:
        words = chance.randrange(3)
        head += b"\xbe\xde" + words.to_bytes(2, "big") + chance.randbytes(4 * words)
    return head + chance.randbytes(chance.randrange(180))


def laid_out(packets: list[bytes], gap: int) -> tuple[bytes, list[int], list[int]]:
    """The packets with something between them, and where they begin and end."""
    data = bytearray()
    starts, ends = [], []
    for packet in packets:
        data += b"\x5a" * gap
        starts.append(len(data))
        data += packet
        ends.append(len(data))
    return bytes(data), starts, ends


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("view", [bytes, memoryview, bytearray])
def test_the_spoiled_packets_are_named_and_no_others(name: str, view: Callable[[bytes], bytes]) -> None:
    chance = random.Random(name)
    parameters = SETS[name]
    keys = keys_of(parameters)
    roc = 7
    packets = [keys.protect_srtp(rtp(chance, seq), roc, b"MKI!"[: parameters.mki_octets]) for seq in range(300)]
    spoiled = {3, 4, 150, 299}
    for position in spoiled:
        packet = bytearray(packets[position])
        packet[chance.randrange(2, 12)] ^= 1 << chance.randrange(8)
        packets[position] = bytes(packet)
    packets[20] = packets[20][:11]
    packets[21] = b""
    packets[22] = packets[22][:13]
    data, starts, ends = laid_out(packets, 3)
    failed = verify_many(keys, view(data), starts, ends, roc)
    assert failed == [number for number, packet in enumerate(packets) if not keys.verify_srtp(packet, roc)]
    if name == "no tag":
        assert failed == list(range(300))
    elif name != "RCCm1":
        assert failed == sorted(spoiled | {20, 21, 22})
    without = [number for number in range(300) if number not in (20, 21, 22)]
    quick = verify_many(keys, view(data), [starts[n] for n in without], [ends[n] for n in without], roc)
    assert [without[number] for number in quick] == [number for number in failed if number not in (20, 21, 22)]
    if parameters.roc_mode == 0:
        assert verify_many(keys, view(data), starts, ends, roc + 1) == list(range(300))


@pytest.mark.parametrize("parameters", [CM_80, GCM_128])
def test_a_mapped_file_will_do(parameters: SrtpParameters) -> None:
    chance = random.Random(1)
    keys = keys_of(parameters)
    data, starts, ends = laid_out([keys.protect_srtp(rtp(chance, seq), 0) for seq in range(50)], 7)
    with mmap.mmap(-1, len(data)) as mapped:
        mapped[:] = data
        assert verify_many(keys, mapped, starts, ends, 0) == []  # type: ignore[arg-type]
        mapped[starts[9] + 20] ^= 1
        assert verify_many(keys, mapped, starts, ends, 0) == [9]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SETS)
def test_no_packets_fail_nowhere(name: str) -> None:
    assert verify_many(keys_of(SETS[name]), b"", [], [], 0) == []


@pytest.mark.parametrize("parameters", [CM_80, GCM_128])
def test_lists_of_different_lengths_are_an_error(parameters: SrtpParameters) -> None:
    packet = keys_of(parameters).protect_srtp(bytes([0x80]) + bytes(60), 0)
    with pytest.raises(ValueError, match="as many starts as ends"):
        verify_many(keys_of(parameters), packet, [0, 0], [len(packet)], 0)


@pytest.mark.parametrize("parameters", [CM_80, replace(CM_80, srtp_tag_octets=4), GCM_128])
def test_a_packet_that_ends_behind_the_data_fails(parameters: SrtpParameters) -> None:
    packet = keys_of(parameters).protect_srtp(bytes([0x80]) + bytes(60), 0)
    assert verify_many(keys_of(parameters), packet, [0, 0, 40], [len(packet), len(packet) + 10, 200], 0) == [1, 2]
    assert verify_many(keys_of(parameters), packet, [500], [600], 0) == [0]


def test_the_rollover_counter_counts_modulo_its_32_bits() -> None:
    for parameters in (CM_80, GCM_128):
        packet = keys_of(parameters).protect_srtp(bytes([0x80]) + bytes(60), 0xFFFFFFFF)
        assert verify_many(keys_of(parameters), packet, [0], [len(packet)], -1) == []


@given(
    st.sampled_from(list(SETS)),
    st.lists(st.binary(max_size=64) | st.integers(0, 1 << 16), max_size=8),
    st.integers(0, 20),
    st.integers(0, (1 << 32) - 1),
)
def test_anything_is_judged_as_it_is_alone(name: str, items: list[bytes | int], gap: int, roc: int) -> None:
    parameters = SETS[name]
    keys = keys_of(parameters)
    mki = b"MKI!"[: parameters.mki_octets]
    packets = [
        keys.protect_srtp(rtp(random.Random(item), item), roc, mki) if isinstance(item, int) else item for item in items
    ]
    data, starts, ends = laid_out(packets, gap)
    expected = [number for number, packet in enumerate(packets) if not keys.verify_srtp(packet, roc)]
    assert verify_many(keys, data, starts, ends, roc) == expected
    assert verify_many(keys, memoryview(data), starts, ends, roc) == expected
