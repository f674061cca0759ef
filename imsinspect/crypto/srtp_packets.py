"""Where the parts of SRTP and SRTCP packets lie (RFC 3711 §3.1, §3.4; RFC 7714 §8, §9; RFC 4771 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.crypto.srtp_parameters import AEAD_TAG, ROC_OCTETS

if TYPE_CHECKING:
    from imsinspect.crypto.srtp_parameters import SrtpParameters

FIXED_HEADER = 12
RTCP_CLEAR = 8  # the first header and the sender's SSRC
INDEX_WORD = 4
ENCRYPTED = 0x80000000  # the E bit of the index word


def header_octets(packet: bytes | memoryview) -> int:
    """Octets of the RTP header with its CSRC list and extension (RFC 3550 §5.1); -1 if the packet is shorter."""
    size = len(packet)
    if size < FIXED_HEADER:
        return -1
    octets = FIXED_HEADER + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if size < octets + 4:
            return -1
        octets += 4 + 4 * (packet[octets + 2] << 8 | packet[octets + 3])
    return octets if octets <= size else -1


def ssrc_of(packet: bytes) -> int:
    """The SSRC of an RTP header."""
    return int.from_bytes(packet[8:12], "big")


def srtp_index(packet: bytes, roc: int) -> int:
    """ROC and SEQ of a packet as one number (RFC 3711 §3.3.1); the ROC counts modulo 2^32."""
    return (roc & 0xFFFFFFFF) << 16 | packet[2] << 8 | packet[3]


class SrtpParts(NamedTuple):
    """An SRTP packet cut into what lies behind one another; `content` of AES-GCM ends with the cipher's tag."""

    content: bytes  # header and encrypted payload
    roc: int  # as carried in the packet, else as the caller believes (modulo 2^32)
    tag: bytes


class SrtcpParts(NamedTuple):
    """An SRTCP packet cut likewise; `compound` of AES-GCM ends with the cipher's tag."""

    compound: bytes
    word: bytes  # E and index
    tag: bytes

    @property
    def encrypted(self) -> bool:
        """The E bit."""
        return self.word[0] > 0x7F

    @property
    def packet_index(self) -> int:
        """The 31 bits of the index."""
        return int.from_bytes(self.word, "big") & ~ENCRYPTED


def trailer(parameters: SrtpParameters, packet: bytes) -> tuple[int, int]:
    """Octets of the carried ROC and of the HMAC's tag behind the MKI of this packet (RFC 4771 §2, §3).

    RCCm1 authenticates only packets that carry the ROC, RCCm2 all, RCCm3 none; a carried ROC takes its octets from the
    tag. Needs the fixed header.
    """
    tag = 0 if parameters.aead else parameters.srtp_tag_octets
    if not parameters.roc_mode:
        return 0, tag
    carries = not (packet[2] << 8 | packet[3]) % parameters.roc_rate
    if parameters.roc_mode == 3:
        return ROC_OCTETS if carries else 0, 0
    if carries:
        return ROC_OCTETS, tag - ROC_OCTETS
    return 0, tag if parameters.roc_mode == 2 else 0


def cut_srtp(parameters: SrtpParameters, packet: bytes, roc: int) -> SrtpParts | None:
    """The parts of an SRTP packet; None if it is too short for them."""
    size = len(packet)
    if size < FIXED_HEADER:
        return None
    roc_octets, tag_octets = trailer(parameters, packet)
    tag = size - tag_octets
    carried = tag - roc_octets
    end = carried - parameters.mki_octets
    if end < FIXED_HEADER + (AEAD_TAG if parameters.aead else 0):
        return None
    if roc_octets:
        roc = int.from_bytes(packet[carried:tag], "big")
    return SrtpParts(packet[:end], roc & 0xFFFFFFFF, packet[tag:])


def cut_srtcp(parameters: SrtpParameters, packet: bytes) -> SrtcpParts | None:
    """The parts of an SRTCP packet; None if it is too short for them."""
    tag = len(packet) - (0 if parameters.aead else parameters.srtcp_tag_octets)
    end = tag - parameters.mki_octets
    word = end - INDEX_WORD
    if word < RTCP_CLEAR + (AEAD_TAG if parameters.aead else 0):
        return None
    return SrtcpParts(packet[:word], packet[word:end], packet[tag:])
