"""Scapy layers of SRTP and SRTCP, as far as they can be read without keys.

    srtp_layer("AES_CM_128_HMAC_SHA1_32")(datagram)                header, encrypted portion, authentication tag
    srtcp_layer("AEAD_AES_128_GCM", mki_length=4)(datagram)        compound, tag, E and index, MKI

Suites of AES-CM, f8 and NULL put the MKI before the tag, AEAD suites behind it (RFC 3711 §3.1, §3.4; RFC 7714 §8, §9).
The tag covers no MKI. SRTP and SRTCP alone are those of AES_CM_128_HMAC_SHA1_80 without MKI.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, Bits, Layer, Opaque
from dissectors.rtp.fields import Count, Flag, MeasuredOctets, MeasuredOne, before_padding, padding_size
from dissectors.rtp.media.layers import FIXED_HEADER, SessionLayer, header_troubles
from dissectors.rtp.rtcp.layers import RTCP, EncryptedRTCP
from dissectors.rtp.srtp.layout import suite_named, trailer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.suites import CryptoSuite

_MKI = Opaque("MKI", b"", lambda pkt: pkt.mki_length)
_TAG = Opaque("authentication_tag", b"", lambda pkt: pkt.tag_length)


def _trailer_troubles(packet: Any) -> Iterator[str]:
    """MKI and tag have their octets."""
    for what, octets, length in (
        ("MKI", packet.MKI, packet.mki_length),
        ("authentication_tag", packet.authentication_tag, packet.tag_length),
    ):
        if len(octets or b"") != length:
            yield f"{what} has {len(octets or b'')} octets, not {length}"


# --- SRTP -----------------------------------------------------------------------------------------

_HEADER = [
    Bits("version", 2, 2, begins=1),
    Bits("padding", 0, 1),
    Flag("extension", "header_extension"),
    Count("CSRC_count", "CSRC", 4),
    *FIXED_HEADER,
    MeasuredOctets("encrypted_portion", lambda pkt, s: len(s) - pkt.trailer),
]


class SRTP(Layer):
    """RFC 3711 §3.1: padding is part of the encrypted portion; elements of the extension may be encrypted, too."""

    name = "SRTP"
    mki_length = 0
    tag_length = 10
    trailer = 10  # octets of MKI and tag
    fields_desc = [*_HEADER, _MKI, _TAG]

    def troubles(self) -> Iterator[str]:
        """Header and trailer."""
        yield from header_troubles(self)
        if isinstance(self.SSRC, int):
            yield from _trailer_troubles(self)


class AeadSRTP(SRTP):
    """RFC 7714 §8.2: the tag ends the ciphertext, and the MKI is behind it."""

    name = "SRTP"
    tag_length = trailer = 16
    fields_desc = [*_HEADER, _TAG, _MKI]


class UnencryptedSRTP(SRTP):
    """RFC 4568 §6.3.2: the payload is in clear, MKI and tag stand behind it."""

    name = "SRTP, unencrypted"
    fields_desc = [
        Bits("version", 2, 2, begins=1),
        Flag("padding", "padding_octets"),
        Flag("extension", "header_extension"),
        Count("CSRC_count", "CSRC", 4),
        *FIXED_HEADER,
        MeasuredOne("rtp_payload", before_padding, lambda pkt, s: Raw),
        MeasuredOctets("padding_octets", padding_size),
        _MKI,
        _TAG,
    ]


# --- SRTCP ----------------------------------------------------------------------------------------


def _compound_octets(pkt: Any, s: bytes) -> int:
    """All octets before the trailer; where there is no room for one, all octets."""
    return len(s) - pkt.trailer if len(s) >= pkt.trailer else len(s)


def _compound(pkt: Any, s: bytes) -> type[Packet]:
    """The E bit, which stands behind the compound, says whether it is encrypted, but with the NULL cipher."""
    in_clear = len(s) >= pkt.trailer and (pkt.null_cipher or not s[-pkt.index_from_end] >> 7)
    layer: type[Packet] = RTCP.dispatch_hook(s[: len(s) - pkt.trailer]) if in_clear else EncryptedRTCP
    return layer


_COMPOUND = MeasuredOne("compound", _compound_octets, _compound)
_INDEX = [Bits("E", 1, 1, lambda bit: ("not encrypted", "encrypted")[bit], begins=4), Bits("SRTCP_index", 0, 31)]


class SRTCP(Layer):
    """RFC 3711 §3.4: the compound, decoded where the E bit says that it is not encrypted; index; MKI; tag."""

    name = "SRTCP"
    mki_length = 0
    tag_length = 10
    trailer = 14  # octets of E bit and index, MKI and tag
    index_from_end = 14
    null_cipher = False  # the compound is in clear whatever the E bit says
    fields_desc = [_COMPOUND, *_INDEX, _MKI, _TAG]

    def troubles(self) -> Iterator[str]:
        """Compound and trailer."""
        if self.compound is None:
            yield "there is no RTCP packet before the index"
        elif self.SRTCP_index != ABSENT:
            yield from _trailer_troubles(self)


class AeadSRTCP(SRTCP):
    """RFC 7714 §9.2, §9.3: the tag stands before the E bit and the index, the MKI behind them."""

    name = "SRTCP"
    tag_length = 16
    trailer = 20
    index_from_end = 4
    fields_desc = [_COMPOUND, _TAG, *_INDEX, _MKI]


# --- by suite -------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _layer(base: type[Packet], *lengths: tuple[str, int | bool]) -> type[Packet]:
    """The layer with some lengths; the same one for the same lengths."""
    inside = {**dict(lengths), "made_by": (_layer, (base, *lengths)), "__doc__": base.__doc__}
    layer: type[Packet] = SessionLayer(base.__name__, (base,), inside)
    return layer


def srtp_layer(
    suite: CryptoSuite | str, mki_length: int = 0, *, unencrypted: bool = False, unauthenticated: bool = False
) -> type[Layer]:
    """SRTP of a suite, or of a name of one in a=crypto or of a DTLS-SRTP profile; ValueError where it is unknown.

    The last two stand for the session parameters UNENCRYPTED_SRTP and UNAUTHENTICATED_SRTP (RFC 4568 §6.3), which
    AEAD suites do not know: with these RTP is always encrypted and authenticated (RFC 7714 §8).
    """
    known = suite_named(suite)
    trailer = trailer_of(known, mki_length, rtcp=False, unauthenticated=unauthenticated)
    base = AeadSRTP if known.aead else UnencryptedSRTP if unencrypted or known.null else SRTP
    return _layer(base, ("mki_length", mki_length), ("tag_length", trailer.tag), ("trailer", trailer.octets))


def srtcp_layer(suite: CryptoSuite | str, mki_length: int = 0) -> type[Layer]:
    """SRTCP of a suite, or of a name of one in a=crypto or of a DTLS-SRTP profile; ValueError where it is unknown.

    UNENCRYPTED_SRTCP needs no word here: the E bit of each packet says it (RFC 3711 §3.4).
    """
    known = suite_named(suite)
    trailer = trailer_of(known, mki_length, rtcp=True)
    return _layer(
        AeadSRTCP if known.aead else SRTCP,
        ("mki_length", mki_length),
        ("tag_length", trailer.tag),
        ("trailer", trailer.octets),
        ("index_from_end", trailer.index_from_end),
        ("null_cipher", known.null),
    )
