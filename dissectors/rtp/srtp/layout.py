"""What stands behind the payload of SRTP and the compound of SRTCP, and whether one packet is SRTCP; without Scapy.

Sources: RFC 3711 §3.1, §3.4; RFC 7714 §8, §9; lengths of tags come from the suites.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dissectors.rtp.rtcp.walk import header_makes_sense, packets_up_to
from dissectors.sdp.suites import DTLS_SRTP_PROFILES, CryptoSuite, crypto_suite

if TYPE_CHECKING:
    from collections.abc import Iterable

INDEX_WORD = 4
MAX_MKI = 128  # RFC 4568 §6.1

_PROFILES = {profile.name: profile for profile in DTLS_SRTP_PROFILES.values()}


def suite_named(suite: CryptoSuite | str) -> CryptoSuite:
    """A suite by its name in a=crypto or that of its DTLS-SRTP profile; ValueError for an unknown name."""
    if isinstance(suite, CryptoSuite):
        return suite
    found = crypto_suite(suite.encode()) or _PROFILES.get(suite)
    if found is None:
        raise ValueError(f"unknown SRTP suite {suite}")
    return found


@dataclass(slots=True, frozen=True)
class Trailer:
    """Octets behind payload or compound."""

    tag: int
    mki: int
    aead: bool
    rtcp: bool

    @property
    def octets(self) -> int:
        """All of them."""
        return self.tag + self.mki + (INDEX_WORD if self.rtcp else 0)

    @property
    def index_from_end(self) -> int:
        """Where the word of E bit and index begins, in octets from the end."""
        return INDEX_WORD + self.mki + (0 if self.aead else self.tag)


def trailer_of(suite: CryptoSuite, mki_length: int, *, rtcp: bool, unauthenticated: bool = False) -> Trailer:
    """The trailer of a suite; only SRTP with HMAC can do without its tag (RFC 4568 §6.3.3, RFC 7714 §8)."""
    if not 0 <= mki_length <= MAX_MKI:
        raise ValueError(f"an MKI has 0 to {MAX_MKI} octets, not {mki_length}")
    tag = suite.srtcp_tag if rtcp else 0 if unauthenticated and not suite.aead else suite.srtp_tag
    return Trailer(tag, mki_length, suite.aead, rtcp)


# --- one packet without keys ----------------------------------------------------------------------


class Protection(Enum):
    """What one packet of an RTCP port shows of its protection."""

    NOT_RTCP = "no RTCP"
    PLAIN = "plain RTCP"
    UNENCRYPTED_SRTCP = "unencrypted SRTCP"
    ENCRYPTED_SRTCP = "encrypted SRTCP"
    AMBIGUOUS = "ambiguous"


@dataclass(slots=True, frozen=True)
class RtcpVerdict:
    """What one packet shows, and the trailers that fit it where it may be SRTCP."""

    protection: Protection
    trailers: tuple[Trailer, ...] = ()
    reason: str = ""


USUAL_TAGS = ((10, False), (16, True), (4, False), (0, False))
"""Tags of SRTCP, and whether an AEAD suite makes them. 4 and 0 do not conform (RFC 3711 §5.2) and are seen."""

MANY_PACKETS = 1 << 20
"""Indices below it are taken for such: they begin at 0 and grow by one (RFC 3711 §3.4); of random words one in 2048."""

_LEAST = {200: 28, 201: 8}  # octets of the first packet without report blocks (RFC 3550 §6.4)
_REPORT_BLOCK = 24


def rtcp_protection(data: bytes, mki_lengths: Iterable[int] = (0, 4)) -> RtcpVerdict:
    """Whether a datagram is plain RTCP, SRTCP in clear or encrypted SRTCP; `mki_lengths` are those that may be used.

    Of one packet this is evidence, no proof: lengths of the compound that end at the trailer of a suite, an E bit that
    agrees with them, a small index. Where that points nowhere or in two ways, the answer is that it is ambiguous.
    A single packet in clear with the NULL cipher and the E bit set looks as an encrypted one.
    """
    if len(data) < 8 or not header_makes_sense(data, 0):
        return RtcpVerdict(Protection.NOT_RTCP, reason="no RTCP header begins the packet")
    if packets_up_to(data, len(data)):
        return RtcpVerdict(Protection.PLAIN, reason="the lengths of its packets add up to the datagram")
    first = 4 * (int.from_bytes(data[2:4], "big") + 1)
    if data[1] in _LEAST and first < _LEAST[data[1]] + _REPORT_BLOCK * (data[0] & 0x1F):
        return RtcpVerdict(Protection.AMBIGUOUS, reason="the first packet is too short for its report blocks")
    fits = [
        (trailer, reading)
        for tag, aead in USUAL_TAGS
        for mki in mki_lengths
        if (reading := _reading(data, first, trailer := Trailer(tag, mki, aead, True))) is not None
    ]
    small = [fit for fit in fits if fit[1].index < MANY_PACKETS]
    found = [fit for fit in small if fit[1].packets] or small
    trailers = tuple(trailer for trailer, _ in found or fits)
    if not any(trailer.tag for trailer, _ in found):
        reason = "no trailer that fits has a small index and a tag" if fits else "no trailer of a suite fits"
        return RtcpVerdict(Protection.AMBIGUOUS, trailers, reason)
    in_clear = {not reading.encrypted or reading.packets > 1 for _, reading in found}
    if len(in_clear) > 1:
        return RtcpVerdict(Protection.AMBIGUOUS, trailers, "trailers fit that disagree whether it is encrypted")
    if not in_clear.pop():
        return RtcpVerdict(Protection.ENCRYPTED_SRTCP, trailers, "E bit set, small index, and lengths that allow it")
    if any(reading.encrypted for _, reading in found):
        return RtcpVerdict(Protection.UNENCRYPTED_SRTCP, trailers, "in clear though the E bit is set: the NULL cipher")
    return RtcpVerdict(Protection.UNENCRYPTED_SRTCP, trailers, "its packets end at a trailer whose E bit is not set")


@dataclass(slots=True, frozen=True)
class _Reading:
    """How a packet reads with some trailer."""

    encrypted: bool
    index: int
    packets: int  # that can be read in clear and end at the trailer


def _reading(data: bytes, first: int, trailer: Trailer) -> _Reading | None:
    """A packet with some trailer; None where the E bit and the lengths contradict one another."""
    end = len(data) - trailer.octets
    if end < 8 or end % 4:
        return None
    at = len(data) - trailer.index_from_end
    word = int.from_bytes(data[at : at + INDEX_WORD], "big")
    encrypted = bool(word >> 31)
    packets = packets_up_to(data, end)
    if not packets and (not encrypted or first > end):
        return None
    return _Reading(encrypted, word & 0x7FFFFFFF, packets)
