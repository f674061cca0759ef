"""Any packet under any parameters comes back as it was; nothing that comes from the wire raises."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters, header_octets, verify_many
from imsinspect.crypto.srtp_double import DoubleKeys

KEYSTREAMS = st.builds(
    SrtpParameters,
    cipher=st.sampled_from(["AES-CM", "AES-f8", "NULL"]),
    key_octets=st.sampled_from([16, 24, 32]),
    salt_octets=st.sampled_from([14, 14, 14, 0, 8]),
    srtp_tag_octets=st.sampled_from([10, 4, 20, 16]),
    srtcp_tag_octets=st.sampled_from([10, 4, 20]),
    mki_octets=st.sampled_from([0, 0, 1, 4, 128]),
    key_derivation_rate=st.sampled_from([0, 0, 1, 256, 1 << 24]),
    encrypt_srtp=st.booleans(),
    encrypt_srtcp=st.booleans(),
    roc_rate=st.integers(1, 3),
    roc_mode=st.sampled_from([0, 0, 0, 1, 2, 3]),
    encrypted_elements=st.sampled_from([frozenset(), frozenset({1}), frozenset({1, 2, 200})]),
)
UNAUTHENTICATED = st.builds(replace, KEYSTREAMS, srtp_tag_octets=st.just(0), roc_mode=st.just(0))
AEADS = st.builds(
    SrtpParameters,
    cipher=st.just("AES-GCM"),
    key_octets=st.sampled_from([16, 32]),
    salt_octets=st.just(12),
    srtp_tag_octets=st.just(16),
    srtcp_tag_octets=st.just(16),
    mki_octets=st.sampled_from([0, 0, 1, 4, 128]),
    key_derivation_rate=st.sampled_from([0, 0, 1, 256, 1 << 24]),
    encrypt_srtp=st.booleans(),
    encrypt_srtcp=st.booleans(),
    roc_rate=st.integers(1, 3),
    roc_mode=st.sampled_from([0, 0, 3]),
)
PARAMETERS = st.one_of(KEYSTREAMS, AEADS, UNAUTHENTICATED)


@st.composite
def master_keys(draw: st.DrawFn) -> SrtpKeys:
    parameters = draw(PARAMETERS)
    key = draw(st.binary(min_size=parameters.key_octets, max_size=parameters.key_octets))
    salt = draw(st.binary(min_size=parameters.salt_octets, max_size=parameters.salt_octets))
    return SrtpKeys(parameters, key, salt)


@st.composite
def rtp_packets(draw: st.DrawFn) -> bytes:
    csrcs = draw(st.integers(0, 15))
    extended = draw(st.booleans())
    first = 0x80 | draw(st.sampled_from([0, 0x20])) | (0x10 if extended else 0) | csrcs
    packet = bytes([first]) + draw(st.binary(min_size=11 + 4 * csrcs, max_size=11 + 4 * csrcs))
    if extended:
        profile = draw(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0x1234]))
        words = draw(st.integers(0, 6))
        block = draw(st.binary(min_size=4 * words, max_size=4 * words))
        packet += profile.to_bytes(2, "big") + words.to_bytes(2, "big") + block
    return packet + draw(st.binary(max_size=200))


MKI = bytes(range(200))


@given(master_keys(), rtp_packets(), st.integers(0, (1 << 32) - 1))
def test_rtp_comes_back(keys: SrtpKeys, packet: bytes, roc: int) -> None:
    protected = keys.protect_srtp(packet, roc, MKI[: keys.parameters.mki_octets])
    assert keys.open_srtp(protected, roc) == packet
    assert keys.open_srtp(memoryview(protected), roc, check=False) == packet  # type: ignore[arg-type]
    assert keys.verify_srtp(protected, roc) is keys.has_tag(protected)
    if keys.has_tag(protected):
        assert keys.find_roc(protected, [roc ^ 1, roc ^ 2, roc]) == roc
    assert keys.carried_roc(protected) in (None, roc)


@given(master_keys(), st.binary(min_size=8, max_size=300), st.integers(0, (1 << 31) - 1), st.booleans())
def test_rtcp_comes_back(keys: SrtpKeys, packet: bytes, index: int, encrypted: bool) -> None:
    protected = keys.protect_srtcp(packet, index, encrypted=encrypted, mki=MKI[: keys.parameters.mki_octets])
    assert keys.verify_srtcp(protected)
    assert keys.open_srtcp(protected) == packet
    assert keys.open_srtcp(protected, check=False) == packet
    assert keys.srtcp_index(protected) == (encrypted and keys.parameters.encrypt_srtcp, index)


def _try_everything(keys: SrtpKeys, packet: bytes, roc: int) -> None:
    verified = keys.verify_srtp(packet, roc)
    assert verified is (not verify_many(keys, packet, [0], [len(packet)], roc))
    for check in (True, False):
        opened = keys.open_srtp(packet, roc, check=check)
        assert opened is None or len(opened) <= len(packet)
        compound = keys.open_srtcp(packet, check=check)
        assert compound is None or len(compound) < len(packet)
    keys.verify_srtcp(packet)
    index = keys.srtcp_index(packet)[1]
    assert -1 <= index < 1 << 31
    keys.has_tag(packet)
    keys.carried_roc(packet)
    keys.find_roc(packet, range(2))
    assert -1 <= header_octets(packet) <= len(packet)


@given(master_keys(), st.binary(max_size=64), st.integers(0, (1 << 32) - 1))
def test_short_packets_of_anything_are_refused_and_nothing_raises(keys: SrtpKeys, packet: bytes, roc: int) -> None:
    _try_everything(keys, packet, roc)
    if keys.parameters.authenticates_srtp and keys.parameters.roc_mode == 0:
        assert not keys.verify_srtp(packet, roc)
        assert keys.open_srtp(packet, roc) is None


@given(master_keys())
@settings(max_examples=30)
def test_every_length_from_nothing_up_is_taken(keys: SrtpKeys) -> None:
    for octets in range(65):
        for first in (0x00, 0x80, 0x8F, 0x90, 0x9F, 0xFF):
            _try_everything(keys, (bytes([first]) * octets)[:octets], 0)
            _try_everything(keys, (bytes([first]) + bytes(64))[:octets], 0)


@given(master_keys(), rtp_packets(), st.data())
def test_a_packet_that_was_cut_or_changed_is_refused(keys: SrtpKeys, packet: bytes, data: st.DataObject) -> None:
    mki = MKI[: keys.parameters.mki_octets]
    protected = keys.protect_srtp(packet, 1, mki)
    changed = bytearray(protected)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    for hostile in (bytes(changed), protected[: data.draw(st.integers(0, len(protected) - 1))]):
        _try_everything(keys, hostile, 1)
    content = len(protected) - len(mki) - 20
    if keys.parameters.authenticates_srtp and not keys.parameters.roc_mode and content > 0:
        assert keys.verify_srtp(bytes(changed), 1) is (
            _without_mki(keys, bytes(changed)) == _without_mki(keys, protected)
        )


def _without_mki(keys: SrtpKeys, packet: bytes) -> bytes:
    end = len(packet) - (0 if keys.parameters.aead else keys.parameters.srtp_tag_octets)
    return packet[: end - keys.parameters.mki_octets] + packet[end:]


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=24, max_size=24), rtp_packets(), st.binary(max_size=80))
def test_packets_encrypted_twice_come_back_and_nothing_raises(
    key: bytes, salt: bytes, packet: bytes, hostile: bytes
) -> None:
    keys = DoubleKeys(key, salt)
    bare = bytes([packet[0] & ~0x10]) + packet[1 : 12 + 4 * (packet[0] & 15)] + packet[header_octets(packet) :]
    assert keys.open_srtp(keys.protect_srtp(packet, 3), 3) == bare
    assert keys.open_srtp(hostile, 3) is None
    if header_octets(hostile) >= 0:  # a right outer layer around anything
        assert keys.open_srtp(keys.outer.protect_srtp(hostile, 3), 3) is None
