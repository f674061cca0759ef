"""ESP with keys in the capture: which key is taken, what is read, what is counted."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture import esp
from imsinspect.capture.decode import ESP_NULL, ESP_OPENED
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.identity import endpoints
from imsinspect.capture.source import open_capture
from imsinspect.crypto.esp import EspParameters
from tests import build
from tests.crypto.esp_seal import Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SIP = b"OPTIONS sip:bob@example.org SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
OUTER = ("192.0.2.1", "198.51.100.2")
SIX = ("2001:db8::1", "2001:db8::2")
Known = tuple[int | None, EspParameters]


def keys_of(sender: Seal, spi: int | None = -1) -> Known:
    """A row of the key file; without an SPI for None."""
    keys = EspParameters(sender.encryption, sender.key, sender.integrity, sender.integrity_key)
    return (sender.spi if spi == -1 else spi), keys


def datagram(outer: tuple[str, str] = OUTER) -> bytes:
    """SIP in UDP."""
    return build.udp_datagram((outer[0], 5062), (outer[1], 5064), SIP)


def frame(packet: bytes, outer: tuple[str, str] = OUTER) -> bytes:
    """An ESP packet in a frame."""
    return build.ethernet(build.ip(*outer, build.ESP, packet))


def transport(sender: Seal, count: int = 3, outer: tuple[str, str] = OUTER) -> list[bytes]:
    """Frames in transport mode."""
    return [frame(sender.packet(datagram(outer)), outer) for _ in range(count)]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., FirstPass]:
    """Runs the first pass over frames with keys at hand."""

    def run(frames: Iterable[bytes], *known: Known, snap_length: int = 262_144) -> FirstPass:
        path = tmp_path / "test.pcap"
        path.write_bytes(build.pcap([(n * 0.01, each) for n, each in enumerate(frames)], snap_length=snap_length))
        opened = open_capture(str(path))
        found = FirstPass()
        found.signalling.esp_keys = known
        try:
            found.run(opened.windows, opened.walk)
        finally:
            opened.close()
        return found

    return run


def told(found: FirstPass) -> list[tuple[str, int, int, int]]:
    """What became of each association: how it was decided, packets opened, failed, verified."""
    return [(each.decided, each.opened, each.failed, each.verified) for each in found.signalling.associations.values()]


def messages(found: FirstPass) -> list[tuple[bytes, int]]:
    """SIP that was read, and how it was protected."""
    return [(each.data, each.origin) for each in found.signalling.datagrams]


PAIRS = [
    ("aes-cbc", "hmac-sha-1-96"),
    ("aes-cbc", "hmac-sha256-128"),
    ("des-ede3-cbc", "hmac-md5-96"),
    ("aes-ctr", "hmac-sha512-256"),
    ("aes-gcm", ""),
    ("aes-cbc", ""),
]


@pytest.mark.parametrize("spi", [-1, None])
@pytest.mark.parametrize("outer", [OUTER, SIX])
@pytest.mark.parametrize(("encryption", "check"), PAIRS)
def test_transport_mode_opens_with_its_key_whether_or_not_the_file_names_the_spi(read, encryption, check, outer, spi):
    sender = Seal(0x1001, encryption, check)
    found = read(transport(sender, 3, outer), keys_of(sender, spi))
    assert messages(found) == [(SIP, ESP_OPENED)] * 3
    assert told(found) == [("keyed", 3, 0, 0 if not check and encryption == "aes-cbc" else 3)]


@pytest.mark.parametrize(("inner", "next_header"), [(OUTER, 4), (SIX, 41)])
@pytest.mark.parametrize("more", [b"", b"traffic flow confidentiality"])
def test_tunnel_mode_opens_with_and_without_padding_that_hides_its_length(read, inner, next_header, more):
    sender = Seal(0x2001)
    packet = build.ip(*inner, build.UDP, datagram(inner)) + more
    found = read([frame(sender.packet(packet, next_header)) for _ in range(2)], keys_of(sender))
    assert messages(found) == [(SIP, ESP_OPENED)] * 2
    source, destination = endpoints(found.flows.identity[found.signalling.datagrams[0].flow].tobytes())
    assert (source.ip, destination.ip) == inner
    assert told(found) == [("keyed", 2, 0, 2)]


@pytest.mark.parametrize("spi", [0x1001, 0x80600001, 0x80C80006])
def test_udp_encapsulation_opens(read, spi):
    sender = Seal(spi, "aes-gcm", "")
    ends = (("192.0.2.1", 4500), ("198.51.100.2", 40_000))
    found = read([build.udp(*ends, sender.packet(datagram())) for _ in range(3)], keys_of(sender))
    assert messages(found) == [(SIP, ESP_OPENED)] * 3
    assert found.streams.table.count == 0


@pytest.mark.parametrize("check", ["hmac-sha-1-96", "hmac-md5-96", "hmac-sha256-128", "aes-gmac"])
def test_null_encryption_is_verified_with_a_key_and_still_says_that_nothing_hid_it(read, check):
    sender = Seal(0x3001, "null", check)
    found = read(transport(sender, 4), keys_of(sender))
    assert messages(found) == [(SIP, ESP_NULL)] * 4
    assert told(found) == [("keyed", 4, 0, 4)]


def test_gmac_is_recognised_without_any_key(read):
    found = read(transport(Seal(0x3001, "null", "aes-gmac"), 4))
    assert messages(found) == [(SIP, ESP_NULL)] * 4
    (association,) = found.signalling.associations.values()
    assert association.layout == esp.Layout(16, 8)
    assert association.icv_octets == 16


@pytest.mark.parametrize("encryption", ["aes-cbc", "aes-gcm"])
def test_a_wrong_key_leaves_packets_unread_and_counts_them(read, encryption):
    sender, other = (Seal(5, encryption, "" if encryption == "aes-gcm" else "hmac-sha-1-96", seed=x) for x in "ab")
    frames = transport(sender, 20)
    found = read(frames, keys_of(other))
    assert messages(found) == []
    assert told(found) == [("encrypted", 0, esp.TRIED, 0)]
    assert told(read(frames, keys_of(other, None))) == [("encrypted", 0, 0, 0)]  # it may be of another association


def test_a_wrong_key_does_not_hide_null_encryption(read):
    sender, other = (Seal(5, "null", "hmac-sha-1-96", seed=x) for x in "ab")
    found = read(transport(sender, 5), keys_of(other))
    assert messages(found) == [(SIP, ESP_NULL)] * 5
    assert told(found) == [("null", 5, 5, 0)]


def test_the_right_integrity_key_with_the_wrong_encryption_key_verifies_and_opens_nothing(read):
    sender = Seal(5, "aes-cbc", "hmac-sha-1-96")
    frames = transport(sender, 300)
    sender.key = bytes(16)
    found = read(frames, keys_of(sender))
    assert messages(found) == []
    assert told(found) == [("keyed", 0, 300, 300)]


def test_integrity_that_holds_shows_null_encryption_where_the_file_names_a_cipher(read):
    sender = Seal(5, "null", "hmac-sha-1-96")
    _, keys = keys_of(sender)
    known = (5, EspParameters("aes-cbc", bytes(16), keys.integrity, keys.integrity_key))
    found = read(transport(sender, 3), known)
    assert messages(found) == [(SIP, ESP_NULL)] * 3
    assert told(found) == [("keyed", 3, 0, 3)]


def test_one_flipped_bit_fails_alone(read):
    sender = Seal(5)
    frames = transport(sender, 6)
    for which in (0, 3):
        frames[which] = frames[which][:-1] + bytes((frames[which][-1] ^ 1,))
    found = read(frames, keys_of(sender))
    assert [each.frame for each in found.signalling.datagrams] == [2, 3, 5, 6]
    assert told(found) == [("keyed", 4, 2, 4)]


def test_each_of_several_associations_takes_its_own_key(read):
    senders = [Seal(5, seed="a"), Seal(6, "aes-gcm", "", seed="b"), Seal(7, "null", "hmac-md5-96", seed="c"), Seal(8)]
    frames = [each for group in zip(*(transport(sender) for sender in senders), strict=True) for each in group]
    without = [keys_of(sender, None) for sender in reversed(senders[:3])]
    found = read(frames, *without)
    assert told(found) == [("keyed", 3, 0, 3)] * 3 + [("", 0, 0, 0)]
    assert len({each.keys.digest for each in found.signalling.associations.values() if each.keys}) == 3


def test_a_key_that_authenticates_is_taken_before_one_that_only_seems_to_fit(read):
    sender = Seal(5, "aes-cbc", "hmac-sha-1-96")
    alike = (None, EspParameters("null"))
    found = read(transport(sender, 2), alike, keys_of(sender, None))
    assert told(found) == [("keyed", 2, 0, 2)]


def test_the_same_spi_under_new_keys_is_read_on(read):
    """As after a new registration that took the number again."""
    first, second = Seal(5, seed="a"), Seal(5, seed="b")
    frames = [*transport(first, 3), *transport(second, 3)]
    found = read(frames, keys_of(first), keys_of(second))
    assert messages(found) == [(SIP, ESP_OPENED)] * 6
    assert told(found) == [("keyed", 6, 0, 6)]


def test_keys_are_tried_on_so_many_packets_only(read, monkeypatch):
    calls = []
    fits = esp.Association._fits
    monkeypatch.setattr(esp.Association, "_fits", lambda *each: calls.append(1) or fits(*each))
    sender = Seal(5)
    good, bad = frame(sender.packet(datagram())), [frame(Seal(5, seed="x").packet(datagram())) for _ in range(500)]
    found = read([good, *bad], keys_of(sender))
    assert told(found) == [("keyed", 1, 500, 1)]
    assert len(calls) == esp.KEY_TRIES


@pytest.mark.parametrize(("encryption", "check"), [("aes-cbc", "hmac-sha-1-96"), ("aes-gcm", ""), ("null", "aes-gmac")])
def test_extended_sequence_numbers_are_followed_over_their_turn(read, encryption, check):
    """RFC 4303 Appendix A: the upper half goes up when the lower one begins anew; late packets have the one before."""
    sender = Seal(5, encryption, check, high=0, sequence=0xFFFFFFFD)
    frames = transport(sender, 2)
    sender.high = 1
    after = transport(sender, 3)
    late = Seal(5, encryption, check, high=0, sequence=0xFFFFFFFC)
    found = read([*frames, *after, *transport(late, 1), *transport(sender, 1)], keys_of(sender))
    assert told(found) == [("keyed", 7, 0, 7)]


def test_dummy_packets_are_read_and_hand_on_nothing(read):
    sender = Seal(5)
    found = read([frame(sender.packet(b"nothing", 59)), *transport(sender, 2)], keys_of(sender))
    assert messages(found) == [(SIP, ESP_OPENED)] * 2
    assert told(found) == [("keyed", 3, 0, 3)]


def test_packets_cut_by_the_snap_length_are_neither_opened_nor_failed(read):
    sender = Seal(5)
    small = b"ACK sip:b SIP/2.0\r\n\r\n"
    short = build.udp_datagram(("192.0.2.1", 5062), ("198.51.100.2", 5064), small)
    frames = [*transport(sender, 3), frame(sender.packet(short)), *transport(sender, 3)]
    found = read(frames, keys_of(sender), snap_length=130)
    assert len(frames[3]) < 130 < len(frames[0])
    assert messages(found) == [(small, ESP_OPENED)]
    assert told(found) == [("keyed", 1, 0, 1)]


def test_a_key_without_integrity_is_not_taken_for_noise():
    chance = random.Random(7)
    known = [(None, EspParameters("aes-cbc", bytes(16))), (None, EspParameters("aes-ctr", bytes(20)))]
    for number in range(3_000):
        association = esp.Association(bytes(48), known)
        packet = struct.pack("!II", 5, number) + chance.randbytes(16 * chance.randrange(2, 12))
        assert not association.try_keys(packet), number


def test_hostile_packets_raise_nothing(read):
    chance = random.Random(9)
    sender = Seal(5)
    frames = [frame(struct.pack("!II", 5, n) + chance.randbytes(chance.randrange(90))) for n in range(200)]
    frames += [frame(sender.packet(chance.randbytes(chance.randrange(40)), chance.randrange(256))) for _ in range(200)]
    found = read([*frames, *transport(sender, 1)], keys_of(sender))
    (association,) = found.signalling.associations.values()
    assert association.opened + association.failed <= 401


def test_without_keys_nothing_of_the_cryptography_is_loaded():
    import subprocess
    import sys

    program = (
        "import sys, imsinspect.capture.esp, imsinspect.capture.signalling; "
        "print([m for m in sys.modules if m.startswith(('cryptography', 'imsinspect.crypto'))])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
