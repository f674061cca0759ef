"""What the proofs of SRTP and of SRTCP have in common: keys that are tried, and the account of what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.frames import capture_index
from imsinspect.keys.candidates import TRIED
from imsinspect.keys.diagnosis import variants
from imsinspect.trace.model import Failure, KeyUse, Proof
from imsinspect.trace.proof_words import AGREED, ALTERED, MKI, NO_KEY, OTHER_CALL, PLAIN, SALT, STALE, WRONG_SSRC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.crypto.srtp import SrtpKeys
    from imsinspect.keys.candidates import Candidate
    from imsinspect.keys.ring import RingKey

MAX_FAILURES = 20  # named in a proof
GRACE = 5_000_000_000  # ns that a replaced key may still be used (rules.md 0.10, srtp.rekey_grace)
TRIALS = 1024  # of keys at the begin of a stream, in all; behind them everything is tried for one packet in ever more
FULL_TRIES = 16  # packets in a row that everything is tried for, at most
OTHERWISE_AT = (2, 15)  # packets in a row that failed before other parameters and the keys of other calls are tried
ALTERED_ROW = 16  # packets in a row that failed: of more it is rather the key that is not known
MAX_SIGHTINGS = 1 << 16
FEW = 400  # streams and senders; of more only one packet each is tried so
STRANGE_TRIALS = 100_000  # of keys of other calls, for all streams together

UseName = tuple[str, str, str]
"""Digest of a key, suite and relation."""


class Try(NamedTuple):
    """A key with the parameters that are tried, and what it means when they fit."""

    key: RingKey
    keys: SrtpKeys
    relation: str
    detail: str = ""
    begins: int = 0
    ends: int | None = None
    stream: str = ""  # what tells its keystream from that of the agreed parameters

    @property
    def right(self) -> bool:
        """A receiver would accept what it protects."""
        return self.relation == AGREED or self.relation in TRIED

    @property
    def keystream(self) -> tuple[str, str]:
        """What makes its keystream besides SSRC and index."""
        digest, cipher = self.key.keystream
        return digest, f"{cipher}, {self.stream}" if self.stream else cipher


class Part(NamedTuple):
    """Packets in a row that verified and mean the same."""

    first: int
    last: int
    relation: str
    detail: str


def tries_of(candidates: Sequence[Candidate]) -> list[Try]:
    """The candidates as they are tried; a key whose salt had to be made to fit is no right one."""
    return [
        Try(
            each.key,
            each.key.keys,
            SALT if each.key.misfit else each.relation,
            each.key.misfit,
            each.begins,
            each.ends,
        )
        for each in candidates
    ]


def full_tries(count: int) -> int:
    """Packets in a row that so many keys are all tried for."""
    return max(1, min(FULL_TRIES, TRIALS // max(count, 1)))


def everything_at(failing: int, full: int) -> bool:
    """Whether all keys are tried for a packet when so many before it failed in a row."""
    return failing < full or not failing & (failing + 1)


class Otherwise:
    """Other parameters, and the keys of other calls."""

    def __init__(self, strangers: Sequence[RingKey], subjects: int) -> None:
        self.at = OTHERWISE_AT if subjects <= FEW else OTHERWISE_AT[:1]
        self.strangers = strangers[: STRANGE_TRIALS // max(subjects, 1) // len(self.at)]
        self.limited = len(self.strangers) < len(strangers)

    def tries(self, known: Sequence[Try], *, rtcp: bool) -> list[Try]:
        """What is tried where no candidate fits."""
        likely = [each for each in known if each.right or each.relation == SALT]
        out = [
            Try(each.key, other.keys, other.diagnosis, other.words, each.begins, None, other.stream)
            for each in likely[:FULL_TRIES]
            for other in variants(each.key, rtcp=rtcp)
        ]
        if any(each.relation == AGREED for each in likely):
            seen = {id(each.key) for each in known}
            out += [
                Try(key, key.keys, OTHER_CALL, f"key {key.digest[:8]}") for key in self.strangers if id(key) not in seen
            ]
        return out


class Sightings:
    """Recognises packets that failed when another capture shows them too."""

    def __init__(self) -> None:
        self._captures: dict[int, int] = {}

    def again(self, packet: bytes, frame: FrameId) -> bool:
        """Another capture showed it."""
        capture = capture_index(frame)
        if len(self._captures) >= MAX_SIGHTINGS:
            return False
        return self._captures.setdefault(hash(packet), capture) != capture


class Account:
    """Counts what verified and what did not, of one sender."""

    def __init__(self, keys_tried: int) -> None:
        self.proof = Proof(keys_tried=keys_tried)
        self._uses: dict[UseName, KeyUse] = {}

    @property
    def verified_any(self) -> bool:
        """Some key fitted."""
        return bool(self._uses)

    def used(self, by: Try, relation: str, frames: Sequence[FrameId], numbers: tuple[int, int], begins: int) -> None:
        """Packets that a key verified, the first of them at `begins`; `numbers` are their lowest and highest index."""
        name = (by.key.digest, by.key.suite, relation)
        use = self._uses.get(name)
        if use is None:
            use = self._uses[name] = KeyUse(*name, frames[0], frames[-1], 0, *numbers, begins)
        use.packets += len(frames)
        (use.first, use.begins), use.last = min((use.first, use.begins), (frames[0], begins)), max(use.last, frames[-1])
        use.first_index, use.last_index = min(use.first_index, numbers[0]), max(use.last_index, numbers[1])
        self.proof.packets += len(frames)

    def use_of(self, by: Try) -> KeyUse | None:
        """What is known of the use of a key as it is meant."""
        return self._uses.get((by.key.digest, by.key.suite, by.relation))

    def unexplained(self, failing: int) -> str:
        """What is said of a packet of which no more is known, the last of so many that failed in a row."""
        return ALTERED if self._uses and failing <= ALTERED_ROW else NO_KEY

    def right(self, count: int) -> None:
        """Packets that a receiver accepts."""
        self.proof.verified += count

    def wrong(self, frames: Sequence[FrameId], diagnosis: str, detail: str, *, checked: bool = False) -> None:
        """Packets that a receiver with the agreed key would drop, and why; `checked`: they were counted as used."""
        proof = self.proof
        proof.failed += len(frames)
        if not checked:
            proof.packets += len(frames)
        proof.diagnoses[diagnosis] = proof.diagnoses.get(diagnosis, 0) + len(frames)
        low, high = min(frames), max(frames)
        proof.first_failed = low if proof.first_failed is None else min(low, proof.first_failed)
        proof.last_failed = high if proof.last_failed is None else max(high, proof.last_failed)
        room = MAX_FAILURES - len(proof.failures)
        proof.failures += [Failure(frame, diagnosis, detail) for frame in frames[: max(room, 0)]]

    def finish(self) -> Proof:
        """The proof, when all packets were taken."""
        proof = self.proof
        proof.uses = sorted(self._uses.values(), key=lambda use: (use.first, use.relation, use.key))
        proof.failures.sort(key=lambda each: each.frame)
        proof.in_clear = proof.diagnoses.get(PLAIN, 0)
        if proof.diagnoses:
            proof.diagnosis = max(proof.diagnoses, key=lambda name: proof.diagnoses[name])
        return proof


def parts(first: int, last: int, by: Try, times: Sequence[int], mkis: Sequence[bytes] | None) -> Iterator[Part]:
    """Cut packets that a key verified by what they mean: right, with a replaced key, with another MKI.

    `mkis` are those on the wire, of all the packets from `first` on; None where the key has none.
    """
    limit = by.ends + GRACE if by.ends is not None and by.right else None
    if limit is None and mkis is None:
        yield Part(first, last, by.relation, by.detail)
        return
    begin, before = first, ("", "")
    for at in range(first, last):
        said = by.relation, by.detail
        if mkis is not None and by.right and mkis[at - first] != by.key.mki:
            said = MKI, "the MKI is not that of the key"
        elif limit is not None and times[at] > limit:
            said = STALE, f"key {by.key.digest[:8]} was replaced"
        if said != before and at > first:
            yield Part(begin, at, *before)
            begin = at
        before = said
    yield Part(begin, last, *before)


def told_ssrc(ssrc: int) -> tuple[str, str]:
    """Diagnosis and words for a packet that verifies once it has another SSRC."""
    return WRONG_SSRC, f"verifies as a packet of 0x{ssrc:08x}"
