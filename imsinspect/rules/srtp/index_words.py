"""Where the index words of a sender's SRTCP stand, and what they say (RFC 3711 §3.4, RFC 7714 §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.trace.srtcp import compound_length, find_layout

if TYPE_CHECKING:
    from dissectors.sdp.crypto import Crypto
    from imsinspect.trace.model import RtcpSample, RtcpSource

WORD, HEADER, SUITE_TAG, SHORT_TAG = 4, 8, 10, 4
TAG_LENGTH = "tag length"  # diagnosis of imsinspect.keys.diagnosis
LIKELY = 1 << 20  # no call sends so many SRTCP packets; of random words one in 2048 lies below


class IndexWord(NamedTuple):
    """What one SRTCP packet says of itself."""

    sample: RtcpSample
    encrypted: bool  # the E bit
    number: int  # the index
    mki: bytes


def index_words(source: RtcpSource, line: Crypto | None) -> list[IndexWord]:
    """The index words of the packets that were kept of a sender; none where nothing shows their place.

    Words that grow by one show it, and so does the suite of the sender's a=crypto line where its packets verify or its
    words make sense there.
    """
    whole = [sample for sample in source.other_samples if sample.length == len(sample.data)]
    suite = line.crypto_suite if line is not None else None
    layout = source.layout
    if layout is not None and suite is not None and layout.aead and not suite.aead:
        layout = find_layout(whole, aead=False)
    if layout is not None:
        behind = layout.mki_octets + (0 if layout.aead else layout.tag_octets)
        return _words(whole, behind, layout.mki_octets)
    if line is None or suite is None:
        return []
    proof = source.proof
    short = proof is not None and TAG_LENGTH in proof.diagnoses  # keys showed that the sender shortens its tags
    tag = 0 if suite.aead else SHORT_TAG if short else SUITE_TAG
    for mki in dict.fromkeys(key.mki_length for key in line.keys) or (0,):
        found = _words(whole, mki + tag, mki)
        before = mki + tag + WORD + (suite.srtcp_tag if suite.aead else 0)
        if found and ((proof is not None and proof.uses) or all(_makes_sense(word, before) for word in found)):
            return found
    return []


def _words(samples: list[RtcpSample], behind: int, mki_octets: int) -> list[IndexWord]:
    out = []
    for sample in samples:
        at = len(sample.data) - behind - WORD
        if at >= HEADER:
            word = int.from_bytes(sample.data[at : at + WORD], "big")
            mki = sample.data[at + WORD : at + WORD + mki_octets]
            out.append(IndexWord(sample, bool(word >> 31), word & 0x7FFFFFFF, mki))
    return out


def _makes_sense(word: IndexWord, overhead: int) -> bool:
    """The index is one that calls reach, and a compound in clear ends where the overhead begins."""
    data = word.sample.data
    if word.number >= LIKELY or len(data) - overhead < HEADER:
        return False
    return word.encrypted or compound_length(data, limit=len(data) - overhead).whole
