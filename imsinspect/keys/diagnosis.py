"""What may be the matter with a packet that the agreed key does not verify, as the report calls it (docs/keys.md)."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.crypto.srtp import SrtpKeys, header_octets, session_keys
from imsinspect.crypto.srtp_transforms import AeadTransform
from imsinspect.trace.proof_words import DERIVATION, MKI, OTHER_SUITE, PLAIN, SALT, TAG_CUT, TAG_LENGTH
from imsinspect.trace.srtcp import compound_length

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from imsinspect.crypto.srtp import SrtpParameters
    from imsinspect.crypto.srtp_transforms import HmacTransform
    from imsinspect.keys.ring import RingKey

SRTP_TAGS = (10, 4)  # octets of HMAC-SHA1 tags that a peer may have taken instead (RFC 4568 §6.2)
SRTCP_TAGS = (4,)  # does not conform (RFC 3711 §5.2), and is seen all the same
MKIS = (4, 1, 2, 3, 8, 16)  # octets of an MKI that nobody signalled
MKI_LIMIT = 128  # octets (RFC 4568 §6.1)
WHOLE_SHORT = 16, 14  # octets of the key and salt of AES_CM_128
COMPOUND = 8  # octets of the shortest RTCP packet with a sender
RTCP_CLEAR, INDEX_WORD, APP = 8, 4, 204
DEVIATION = sqrt(2 * 255)  # of the chi-square value over 256 octets
TAIL = 2.0  # the same for the few octets where tags would stand
DECRYPTED = 8  # packets that are decrypted to see whether their tags are missing
SIGMAS = 8.0  # from the mean of random octets: what lies beyond is not encrypted
RANDOM = 4.0  # what lies within may be


class Variant(NamedTuple):
    """A key under what a peer may have taken for the agreed parameters."""

    diagnosis: str
    words: str
    keys: SrtpKeys
    stream: str  # what tells its keystream from that of the agreed parameters; "" if it is the same one


class _SaltAsNumber(SrtpKeys):
    """AES-GCM whose salt of 12 octets got its zeros on the left, against erratum 4938 of RFC 7714."""

    __slots__ = ("_made", "_secret")

    def __init__(self, parameters: SrtpParameters, key: bytes, salt: bytes) -> None:
        self._secret = key, salt
        self._made: dict[bool, AeadTransform] = {}
        super().__init__(parameters, key, salt)

    def transform(self, *, rtcp: bool, index: int) -> HmacTransform | AeadTransform:
        found = self._made.get(rtcp)
        if found is None:
            as_number = replace(self.parameters, cipher="AES-CM", key_derivation_rate=0)
            found = AeadTransform(self.parameters, session_keys(as_number, *self._secret, rtcp=rtcp))
            self._made[rtcp] = found
        return found


def variants(key: RingKey, *, rtcp: bool) -> Iterator[Variant]:
    """The same key under what a peer may have taken for the agreed parameters, the likeliest first."""
    parameters = key.parameters
    if not parameters.aead:
        yield from _tags(key, rtcp=rtcp)
    if parameters.mki_octets:
        yield Variant(MKI, "no MKI, one signalled", key.with_parameters(replace(parameters, mki_octets=0)), "")
    for octets in MKIS:
        if octets != parameters.mki_octets:
            words = f"MKI of {octets} octets, {parameters.mki_octets or 'none'} signalled"
            yield Variant(MKI, words, key.with_parameters(replace(parameters, mki_octets=octets)), "")
    for words, salt in _salts(key):
        yield Variant(SALT, words, key.with_parameters(parameters, salt), words)
    if parameters.aead:
        bare = replace(parameters, key_derivation_rate=0)
        words = "salt filled with zeros on the left"
        yield Variant(SALT, words, _SaltAsNumber(bare, key.key_salt[: parameters.key_octets], key.salt), words)
    if parameters.key_derivation_rate:
        bare = replace(parameters, key_derivation_rate=0)
        yield Variant(DERIVATION, "keys are not derived anew", key.with_parameters(bare), "rate 0")
    if (parameters.key_octets, parameters.salt_octets) == (24, 14) and not parameters.libsrtp_192:
        changed = replace(parameters, libsrtp_192=True)
        words = "AES-192 keys derived with AES-256 (libsrtp before 2025)"
        yield Variant(DERIVATION, words, key.with_parameters(changed), words)
    if not parameters.aead and parameters.key_octets > WHOLE_SHORT[0]:
        short = replace(parameters, key_octets=WHOLE_SHORT[0])
        octets = WHOLE_SHORT[0]
        keys = SrtpKeys(short, key.key_salt[:octets], key.key_salt[octets : sum(WHOLE_SHORT)])
        yield Variant(OTHER_SUITE, "the first 30 octets used as a key of 128 bits", keys, "128 bits")


def _tags(key: RingKey, *, rtcp: bool) -> Iterator[Variant]:
    parameters = key.parameters
    agreed = parameters.srtcp_tag_octets if rtcp else parameters.srtp_tag_octets
    for octets in SRTCP_TAGS if rtcp else SRTP_TAGS:
        if octets != agreed:
            tag = {"srtcp_tag_octets": octets} if rtcp else {"srtp_tag_octets": octets}
            words = f"{'SRTCP ' if rtcp else ''}tag of {octets} octets, {agreed or 'none'} agreed"
            yield Variant(TAG_LENGTH, words, key.with_parameters(replace(parameters, **tag)), "")  # type: ignore[arg-type]


def _salts(key: RingKey) -> Iterator[tuple[str, bytes]]:
    salt, octets = key.salt, len(key.salt)
    spoiled = {"no salt": bytes(octets), "reversed octets of the salt": salt[::-1]}
    if not key.parameters.aead:
        spoiled["salt cut to 12 octets"] = salt[:12].ljust(octets, b"\0")
        spoiled["salt cut to 12 octets, zeros on the left"] = salt[:12].rjust(octets, b"\0")
    elif len(key.signalled) > len(key.key_salt):
        spoiled["last octets of the salt"] = key.signalled[-octets:]
    for words, other in spoiled.items():
        if other != salt:
            yield words, other


# --- content --------------------------------------------------------------------------------------


def unevenness(octets: bytes) -> float:
    """How far the spread of octet values lies from that of random ones, in standard deviations (chi-square)."""
    if not octets:
        return 0.0
    counts = np.bincount(np.frombuffer(octets, np.uint8), minlength=256)
    square = float(np.dot(counts, counts)) * 256 / len(octets) - len(octets)
    return (square - 255) / DEVIATION


def payload(packet: bytes) -> bytes:
    """What follows the RTP header."""
    head = header_octets(packet)
    return packet[head:] if head >= 0 else b""


def without_tag(keys: SrtpKeys, packet: bytes, rollover: int) -> bytes:
    """The payload of a packet, decrypted as if its tag had been cut off."""
    parameters = keys.parameters
    missing = bytes(parameters.srtp_tag_octets + parameters.mki_octets)
    opened = keys.open_srtp(packet + missing, rollover, check=False)
    return payload(opened) if opened is not None else b""


def bare(
    contents: Sequence[tuple[bytes, int]], keys: Sequence[SrtpKeys], lengths: Container[int] = ()
) -> str:  # fmt: skip
    """Whether RTP packets (with their rollover counters) are in clear, or encrypted with a key and no tag; else "".

    `lengths` are those of packets that verified; a packet without its tag is shorter by it. Where none is known, the
    last octets of the packets show whether they are content or tags.
    """
    raw = unevenness(b"".join(payload(packet) for packet, _ in contents))
    if raw > SIGMAS:
        encrypts = not keys or any(each.parameters.encrypt_srtp and each.parameters.cipher != "NULL" for each in keys)
        return PLAIN if encrypts else ""
    if raw < RANDOM:
        for each in keys:
            tag = each.parameters.srtp_tag_octets
            if each.parameters.aead or not tag:
                continue
            some = contents[:DECRYPTED]
            opened = [without_tag(each, packet, rollover) for packet, rollover in some]
            if unevenness(b"".join(opened)) > SIGMAS:
                ends = unevenness(b"".join(octets[-tag:] for octets in opened)) > TAIL
                if all(len(packet) + tag in lengths for packet, _ in some) if lengths else ends:
                    return TAG_CUT
    return ""


def bare_compound(keys: SrtpKeys, packet: bytes) -> bool:
    """Whether an SRTCP packet without any tag is a whole compound under this key."""
    parameters = keys.parameters
    if parameters.aead:
        return False
    for mki in dict.fromkeys((parameters.mki_octets, 0)):
        end = len(packet) - mki - INDEX_WORD
        if end < COMPOUND:
            continue
        missing = bytes(parameters.srtcp_tag_octets)
        filled = packet[: end + INDEX_WORD] + bytes(parameters.mki_octets) + missing
        opened = keys.open_srtcp(filled, check=False)
        if opened is None:
            continue
        if reads_as_compound(opened) or (not packet[end] & 0x80 and compound_length(opened).whole):
            return True
    return False


def reads_as_compound(compound: bytes) -> bool:
    """Packets that end with the octets, more than one or one that makes sense.

    The blocks of SR and RR fit, the name of APP is text (RFC 3550 §6.4, §6.7).
    """
    found = compound_length(compound)
    if not found.whole or len(found.packet_types) > 1:
        return found.whole
    if compound[1] == APP:
        name = compound[RTCP_CLEAR : RTCP_CLEAR + 4]
        return len(name) == 4 and all(0x20 <= octet < 0x7F for octet in name)
    begin = {200: 28, 201: 8}.get(compound[1], 0)
    return bool(begin) and len(compound) == begin + 24 * (compound[0] & 0x1F) > RTCP_CLEAR
