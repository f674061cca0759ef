"""SRTCP without keys: whether a compound is plain, and how a sender lays out index word, MKI and tag (srtp.md 9.1).

The index word of SRTCP is never encrypted and grows by one with every packet of a sender (RFC 3711 §3.4), so two
packets show where it stands. AES-CM and f8 put index word, MKI, tag; AEAD suites put tag, index word, MKI
(RFC 7714 §9).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.trace.model import SrtcpLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.trace.model import RtcpSample

HEADER, INDEX_WORD, AEAD_TAG = 8, 4, 16
TAGS = (10, 4, 0)  # octets behind the MKI; 4 does not conform (RFC 4568 §6.2) and is seen all the same
MAX_MKI = 128  # RFC 4568 §6.1
MAX_STEP = 8  # between the index words of two packets that follow one another
MAX_PACKETS = 64  # in one compound

_USUAL = (14, 4, 18, 8)  # HMAC-SHA1-80, AEAD or no tag; the same with an MKI of 4; and a 32-bit tag
DISTANCES = (*_USUAL, *(each for each in range(INDEX_WORD, INDEX_WORD + MAX_MKI + TAGS[0] + 1) if each not in _USUAL))
"""Where the index word may begin, in octets from the end; the usual places first."""


@dataclass(slots=True, frozen=True)
class Compound:
    """How far the length fields of a datagram lead."""

    octets: int  # of the packets whose headers make sense
    packet_types: tuple[int, ...]
    whole: bool  # they add up to exactly the datagram, padding only in the last


def compound_length(data: bytes, *, limit: int | None = None) -> Compound:
    """Walk RTCP headers (version 2, types 192 to 223) of the first `limit` octets; all by default (RFC 3550 A.2)."""
    end = len(data) if limit is None else min(limit, len(data))
    types: list[int] = []
    at, padded = 0, False
    while at + 4 <= end and len(types) < MAX_PACKETS:
        if data[at] >> 6 != 2 or not 192 <= data[at + 1] <= 223 or padded:
            break
        octets = 4 * (int.from_bytes(data[at + 2 : at + 4], "big") + 1)
        if at + octets > end:
            break
        padded = bool(data[at] & 0x20)
        types.append(data[at + 1])
        at += octets
    return Compound(at, tuple(types), bool(types) and at == end)


class _Word(NamedTuple):
    """The index word, and what stands behind it."""

    encrypted: bool
    behind: bytes


def find_layout(samples: Sequence[RtcpSample], aead: bool | None = None) -> SrtcpLayout | None:
    """The layout that the successive index words of one sender show; None where they show none.

    `samples` are datagrams that are not plain RTCP, in time order. `aead` is what is known of the suite: an AEAD suite
    without MKI has its index word at the very end, as has a sender that appends no tag. Where neither the suite nor
    the packets tell these two apart, AEAD is taken.
    """
    distinct: list[bytes] = []
    for sample in samples:
        if sample.length == len(sample.data) and (not distinct or sample.data != distinct[-1]):
            distinct.append(sample.data)
    if len(distinct) < 2:
        return None
    best: SrtcpLayout | None = None
    for distance in DISTANCES:
        datagrams = [data for data in distinct if len(data) >= HEADER + distance]
        if 10 * len(datagrams) < 9 * len(distinct):
            continue
        numbers = [int.from_bytes(data[len(data) - distance :][:INDEX_WORD], "big") & 0x7FFFFFFF for data in datagrams]
        pairs = sum(0 < after - before <= MAX_STEP for before, after in pairwise(numbers))
        if not pairs or 2 * pairs < len(numbers) - 1 or (best is not None and pairs <= best.pairs):
            continue
        layout = _split(datagrams, [_word(data, distance) for data in datagrams], distance, pairs, aead)
        if layout is not None:
            best = layout
            if pairs == len(distinct) - 1:
                break
    return best


def _word(data: bytes, distance: int) -> _Word:
    at = len(data) - distance
    word = int.from_bytes(data[at : at + INDEX_WORD], "big")
    return _Word(bool(word >> 31), data[at + INDEX_WORD :])


def _split(
    datagrams: list[bytes], words: list[_Word], distance: int, pairs: int, aead: bool | None
) -> SrtcpLayout | None:
    """MKI and tag behind the index word: an MKI is the same in every packet, a tag in none."""
    rest = distance - INDEX_WORD
    first = words[0].behind
    constant = min((_common(first, word.behind) for word in words[1:]), default=0)
    flags = {word.encrypted for word in words}
    encrypted = flags.pop() if len(flags) == 1 else None
    for tag in reversed(TAGS):  # the longest MKI first: no tag begins alike in two packets
        mki = rest - tag
        if not 0 <= mki <= min(constant, MAX_MKI):
            continue
        if tag == 0 and aead is not False:
            with_tag = SrtcpLayout(AEAD_TAG, mki, encrypted, True, pairs)
            if _fits(datagrams, words, with_tag.overhead):
                return with_tag
        layout = SrtcpLayout(tag, mki, encrypted, False, pairs)
        if _fits(datagrams, words, layout.overhead):
            return layout
    return None


def _common(one: bytes, other: bytes) -> int:
    """Octets that two strings have in common from their begin."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def _fits(datagrams: list[bytes], words: list[_Word], overhead: int) -> bool:
    """Whether compounds of these lengths can stand before the overhead.

    A compound in clear has to end exactly there; of an encrypted one the first packet has to end before. One in ten may
    contradict: lengths that senders write are sometimes wrong.
    """
    against = 0
    for data, word in zip(datagrams, words, strict=True):
        compound = len(data) - overhead
        first = 4 * (int.from_bytes(data[2:4], "big") + 1)
        possible = HEADER <= compound >= first
        if possible and not word.encrypted:
            possible = compound_length(data, limit=compound).whole
        against += not possible
    return 10 * against <= len(datagrams)
