"""SRTP and SRTCP packets are those that libsrtp writes and reads (through pylibsrtp), in every suite it has."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters, verify_many

if TYPE_CHECKING:
    from collections.abc import Callable

SSRC = 0xCAFEBABE
CM_80 = SrtpParameters("AES-CM", 16, 14, 10, 10)
CM_32 = SrtpParameters("AES-CM", 16, 14, 4, 10)
GCM_128 = SrtpParameters("AES-GCM", 16, 12, 16, 16)

# struct srtp_crypto_policy_t: cipher and its key with salt, authentication, its key and tag, services.
POLICY = struct.Struct("=IiIiiI")
NULL_CIPHER, ICM_128, ICM_192, ICM_256 = 0, 1, 4, 5
NULL_AUTH, HMAC_SHA1 = 0, 3
CONFIDENTIALITY, AUTHENTICATION = 1, 2


@dataclass(frozen=True)
class Suite:
    """A profile of pylibsrtp, or what its policy is changed to: that for RTP, that for RTCP."""

    parameters: SrtpParameters
    profile: str
    rtp: tuple[int, ...] = ()
    rtcp: tuple[int, ...] = ()


def _icm(cipher: int, octets: int, tag: int, services: int = 3) -> tuple[int, ...]:
    return cipher, octets, HMAC_SHA1, 20, tag, services


CM = "SRTP_PROFILE_AES128_CM_SHA1_80"
SUITES = {
    "AES_CM_128_HMAC_SHA1_80": Suite(CM_80, CM),
    "AES_CM_128_HMAC_SHA1_32": Suite(CM_32, "SRTP_PROFILE_AES128_CM_SHA1_32"),
    "AEAD_AES_128_GCM": Suite(GCM_128, "SRTP_PROFILE_AEAD_AES_128_GCM"),
    "AEAD_AES_256_GCM": Suite(replace(GCM_128, key_octets=32), "SRTP_PROFILE_AEAD_AES_256_GCM"),
    "AES_192_CM_HMAC_SHA1_80": Suite(
        replace(CM_80, key_octets=24, libsrtp_192=True), CM, _icm(ICM_192, 38, 10), _icm(ICM_192, 38, 10)
    ),
    "AES_256_CM_HMAC_SHA1_32": Suite(replace(CM_32, key_octets=32), CM, _icm(ICM_256, 46, 4), _icm(ICM_256, 46, 10)),
    "SRTCP tag of 32 bits": Suite(replace(CM_32, srtcp_tag_octets=4), CM, _icm(ICM_128, 30, 4), _icm(ICM_128, 30, 4)),
    "UNENCRYPTED_SRTP": Suite(
        replace(CM_80, encrypt_srtp=False), CM, _icm(ICM_128, 30, 10, AUTHENTICATION), _icm(ICM_128, 30, 10)
    ),
    "UNENCRYPTED_SRTCP": Suite(
        replace(CM_80, encrypt_srtcp=False), CM, _icm(ICM_128, 30, 10), _icm(ICM_128, 30, 10, AUTHENTICATION)
    ),
    "UNAUTHENTICATED_SRTP": Suite(
        replace(CM_80, srtp_tag_octets=0),
        CM,
        (ICM_128, 30, NULL_AUTH, 0, 0, CONFIDENTIALITY),
        _icm(ICM_128, 30, 10),
    ),
    "NULL_HMAC_SHA1_80": Suite(replace(CM_80, cipher="NULL"), CM, _icm(NULL_CIPHER, 30, 10), _icm(NULL_CIPHER, 30, 10)),
}


@pytest.fixture(scope="module")
def libsrtp(peer_module: Callable[[str], Any]) -> Any:
    """pylibsrtp, which brings libsrtp with it."""
    return peer_module("pylibsrtp")


def session(libsrtp: Any, suite: Suite, master: bytes, *, sends: bool) -> Any:
    """A session of libsrtp of this suite."""
    policy_class = libsrtp.Policy
    kind = policy_class.SSRC_ANY_OUTBOUND if sends else policy_class.SSRC_ANY_INBOUND
    policy = policy_class(key=master, ssrc_type=kind, srtp_profile=getattr(policy_class, suite.profile))
    ffi = libsrtp.ffi
    for part, values in ((policy._policy.rtp, suite.rtp), (policy._policy.rtcp, suite.rtcp)):
        if values:  # pylibsrtp has no name for these: its structure is written over, if it is the one that is known
            buffer = ffi.buffer(ffi.addressof(part))
            assert POLICY.unpack(buffer[:]) == _icm(ICM_128, 30, 10)
            buffer[:] = POLICY.pack(*values)
    return libsrtp.Session(policy)


def rtp(chance: random.Random, seq: int) -> bytes:
    """A packet as senders make them: with CSRC, extension or padding now and then."""
    csrcs = chance.choice([0, 0, 0, 2])
    extended = chance.random() < 0.3
    head = bytes([0x80 | (0x10 if extended else 0) | csrcs, chance.choice([0, 96, 0xE0])]) + seq.to_bytes(2, "big")
    head += struct.pack("!II", chance.getrandbits(32), SSRC) + chance.randbytes(4 * csrcs)
    if extended:
        head += b"\xbe\xde\0\1" + chance.randbytes(4)
    return head + chance.randbytes(chance.randrange(1, 200))


def rtcp(chance: random.Random) -> bytes:
    """A receiver report with some blocks, and BYE."""
    blocks = chance.randrange(4)
    report = bytes([0x80 | blocks, 201]) + struct.pack("!HI", 1 + 6 * blocks, SSRC) + chance.randbytes(24 * blocks)
    return report + struct.pack("!BBHI", 0x81, 203, 1, SSRC)


@pytest.fixture(params=list(SUITES))
def suite(request: pytest.FixtureRequest) -> Suite:
    """Each suite in turn."""
    return SUITES[request.param]


@pytest.fixture
def master(suite: Suite) -> bytes:
    """Key and salt, one behind the other."""
    return random.Random(4).randbytes(suite.parameters.key_octets + suite.parameters.salt_octets)


@pytest.fixture
def keys(libsrtp: Any, suite: Suite, master: bytes) -> SrtpKeys:
    """The same for us."""
    octets = suite.parameters.key_octets
    keys = SrtpKeys(suite.parameters, master[:octets], master[octets:])
    if suite.parameters.libsrtp_192:  # versions that hold to RFC 6188 will do as well
        conforming = SrtpKeys(replace(suite.parameters, libsrtp_192=False), master[:octets], master[octets:])
        packet = session(libsrtp, suite, master, sends=True).protect_rtcp(rtcp(random.Random(6)))
        assert keys.verify_srtcp(packet) is not conforming.verify_srtcp(packet)
        return keys if keys.verify_srtcp(packet) else conforming
    return keys


ORDER = [*range(65500, 65536), *range(40)]
"""Sequence numbers over a wrap: the ROC is 0, then 1."""


def test_what_libsrtp_protects_is_opened(libsrtp: Any, suite: Suite, master: bytes, keys: SrtpKeys) -> None:
    sender = session(libsrtp, suite, master, sends=True)
    chance = random.Random(1)
    data = bytearray()
    bounds: dict[int, tuple[list[int], list[int]]] = {0: ([], []), 1: ([], [])}
    for seq in ORDER:
        plain = rtp(chance, seq)
        packet = sender.protect(plain)
        roc = int(seq < 60000)
        assert keys.open_srtp(packet, roc) == plain
        assert keys.protect_srtp(plain, roc) == packet
        if suite.parameters.authenticates_srtp:
            assert keys.verify_srtp(packet, roc)
            assert keys.find_roc(packet, (3, 2, 1, 0)) == roc
            assert keys.open_srtp(packet, roc + 1) is None
        bounds[roc][0].append(len(data))
        data += packet
        bounds[roc][1].append(len(data))
    if suite.parameters.authenticates_srtp:
        for roc, (starts, ends) in bounds.items():
            assert verify_many(keys, bytes(data), starts, ends, roc) == []
            assert verify_many(keys, bytes(data), starts, ends, roc + 1) == list(range(len(starts)))


def test_what_is_protected_libsrtp_opens(libsrtp: Any, suite: Suite, master: bytes, keys: SrtpKeys) -> None:
    receiver = session(libsrtp, suite, master, sends=False)
    chance = random.Random(2)
    for seq in ORDER:
        plain = rtp(chance, seq)
        packet = keys.protect_srtp(plain, int(seq < 60000))
        if suite.parameters.authenticates_srtp:
            spoiled = packet[:-1] + bytes([packet[-1] ^ 1])
            with pytest.raises(libsrtp.Error):
                receiver.unprotect(spoiled)
            assert not keys.verify_srtp(spoiled, int(seq < 60000))
        assert receiver.unprotect(packet) == plain


def test_srtcp_that_libsrtp_protects_is_opened(libsrtp: Any, suite: Suite, master: bytes, keys: SrtpKeys) -> None:
    sender = session(libsrtp, suite, master, sends=True)
    chance = random.Random(3)
    for index in range(1, 40):
        plain = rtcp(chance)
        packet = sender.protect_rtcp(plain)
        assert keys.srtcp_index(packet) == (suite.parameters.encrypt_srtcp, index)
        assert keys.verify_srtcp(packet)
        assert keys.open_srtcp(packet) == plain
        assert keys.protect_srtcp(plain, index) == packet


def test_srtcp_that_is_protected_libsrtp_opens(libsrtp: Any, suite: Suite, master: bytes, keys: SrtpKeys) -> None:
    receiver = session(libsrtp, suite, master, sends=False)
    chance = random.Random(5)
    for index in (0, 1, 2, 70000, 0x7FFFFFF0):
        plain = rtcp(chance)
        packet = keys.protect_srtcp(plain, index)
        spoiled = packet[:9] + bytes([packet[9] ^ 4]) + packet[10:]
        with pytest.raises(libsrtp.Error):
            receiver.unprotect_rtcp(spoiled)
        assert not keys.verify_srtcp(spoiled)
        assert receiver.unprotect_rtcp(packet) == plain
