"""Where the index words of a sender's SRTCP stand, and what they say (RFC 3711 §3.4, RFC 7714 §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.rtcp import END_OCTETS
from imsinspect.trace.model import RtcpSample
from imsinspect.trace.proof_words import TAG_LENGTH
from imsinspect.trace.srtcp import compound_length, find_layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sdp.crypto import Crypto
    from imsinspect.trace.model import RtcpSource

WORD, HEADER, SUITE_TAG, SHORT_TAG = 4, 8, 10, 4
MAX_LATER = 20_000  # packets that are looked at one by one, of a sender whose indices do not just grow
LIKELY = 1 << 20  # no call sends so many SRTCP packets; of random words one in 2048 lies below


class IndexWord(NamedTuple):
    """What one SRTCP packet says of itself."""

    sample: RtcpSample
    encrypted: bool  # the E bit
    number: int  # the index
    mki: bytes


class IndexPlace(NamedTuple):
    """Where the index words of a sender stand."""

    behind: int  # octets of MKI and tag behind the word
    mki: int  # octets

    def word(self, sample: RtcpSample) -> IndexWord | None:
        """The index word of a packet, of which the last octets are enough."""
        at = len(sample.data) - self.behind - WORD
        if at < 0 or sample.length < HEADER + WORD + self.behind:
            return None
        number = int.from_bytes(sample.data[at : at + WORD], "big")
        return IndexWord(sample, bool(number >> 31), number & 0x7FFFFFFF, sample.data[at + WORD : at + WORD + self.mki])

    def words(self, samples: Iterable[RtcpSample]) -> list[IndexWord]:
        """The index words of packets, those too short for one left out."""
        return [word for word in map(self.word, samples) if word is not None]


def index_place(source: RtcpSource, line: Crypto | None) -> IndexPlace | None:
    """Where a sender's index words stand; None where nothing shows it.

    Words that grow by one show it, and so does the suite of the sender's a=crypto line where its packets verify or its
    words make sense there.
    """
    whole = _whole(source)
    suite = line.crypto_suite if line is not None else None
    layout = source.layout
    if layout is not None and suite is not None and layout.aead and not suite.aead:
        layout = find_layout(whole, aead=False)
    if layout is not None:
        return IndexPlace(layout.mki_octets + (0 if layout.aead else layout.tag_octets), layout.mki_octets)
    if line is None or suite is None:
        return None
    proof = source.proof
    short = proof is not None and TAG_LENGTH in proof.diagnoses  # keys showed that the sender shortens its tags
    tag = 0 if suite.aead else SHORT_TAG if short else SUITE_TAG
    for mki in dict.fromkeys(key.mki_length for key in line.keys) or (0,):
        place = IndexPlace(mki + tag, mki)
        found = place.words(whole)
        before = mki + tag + WORD + (suite.srtcp_tag if suite.aead else 0)
        if found and ((proof is not None and proof.uses) or all(_makes_sense(word, before) for word in found)):
            return place
    return None


def index_words(source: RtcpSource, line: Crypto | None) -> list[IndexWord]:
    """The index words of the packets that were kept of a sender; none where nothing shows their place."""
    place = index_place(source, line)
    return kept_words(source, place) if place is not None else []


def kept_words(source: RtcpSource, place: IndexPlace) -> list[IndexWord]:
    """The index words of the packets that were kept whole."""
    return place.words(_whole(source))


def later_words(source: RtcpSource, place: IndexPlace) -> list[IndexWord] | None:
    """The index words of the packets behind those that were kept whole.

    None where they were not kept. Where all of them grow, they are told by the first and the last one.
    """
    ends = source.ends
    if ends is None or place.behind + WORD > END_OCTETS:
        return None
    if len(ends.frame) + len(_whole(source)) < source.packets - source.plain:
        return None
    last = source.other_samples[-1].frame if source.other_samples else 0
    at = END_OCTETS - place.behind - WORD
    numbers = np.ascontiguousarray(ends.octets[:, at : at + WORD]).view(">u4")[:, 0].astype(np.int64) & 0x7FFFFFFF
    which = np.flatnonzero(ends.frame > last)
    if len(which) > 1 and (np.diff(numbers[which]) > 0).all():
        which = which[[0, -1]]
    columns = (each[which[:MAX_LATER]].tolist() for each in (ends.frame, ends.time, ends.length))
    octets = (row.tobytes() for row in ends.octets[which[:MAX_LATER]])
    return place.words(
        RtcpSample(frame, time, data, length) for frame, time, length, data in zip(*columns, octets, strict=True)
    )


def _whole(source: RtcpSource) -> list[RtcpSample]:
    return [sample for sample in source.other_samples if sample.length == len(sample.data)]


def _makes_sense(word: IndexWord, overhead: int) -> bool:
    """The index is one that calls reach, and a compound in clear ends where the overhead begins."""
    data = word.sample.data
    if word.number >= LIKELY or len(data) - overhead < HEADER:
        return False
    return word.encrypted or compound_length(data, limit=len(data) - overhead).whole
