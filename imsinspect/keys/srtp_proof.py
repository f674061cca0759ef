"""Proves the SRTP packets of one stream: which key verifies them, from which rollover counter, and where it goes wrong.

The rollover counter follows the packets that verified and no others (RFC 3711 §3.3.1), so what is injected can't move
it. Keys are tried in the order of their likelihood; the effort for packets that nothing verifies is bounded.
"""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index
from imsinspect.crypto.srtp import verify_many
from imsinspect.keys.diagnosis import bare
from imsinspect.keys.packets import DEPTH, LEAST_DEPTH, SEARCHED_AT, Effort, Late, Packets, Run, alone
from imsinspect.keys.reuse import Came
from imsinspect.keys.trial import (
    FULL_TRIES,
    Account,
    Otherwise,
    Sightings,
    Try,
    everything_at,
    full_tries,
    parts,
    told_ssrc,
    tries_of,
)
from imsinspect.trace.proof_words import OTHER_CALL, PLAIN, ROLLOVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.keys.candidates import Candidate
    from imsinspect.trace.model import KeyUse, MediaStream, Proof

__all__ = ["Effort", "Packets", "Run", "StreamProof"]

HALF = 1 << 15
CHUNK = 4096  # packets verified at once; fewer behind a change of key, so that changes cost no more than packets
SLOWER = 8  # AES-GCM and a key derivation rate want so much more time for each of them
BEGUN_DEPTH = 256  # where the begin of the stream was seen: its sender counts wrongly
MAX_SEARCHES = 8  # between packets of one stream that verify
SHORT_TAG = 8  # octets; a match of a shorter tag may be by chance (srtp.md 8.3)
CLASSIFIED = 16  # packets in a row that failed, whose content is looked at
BATCH_TRIES = 4
SIZED = 256  # runs of packets that verified, whose lengths are remembered
SECOND = 1_000_000_000
CAPTURE_GAP = 60 * SECOND  # without packets, after which the rollover counter may have moved unseen
BEGINS_WITHIN = 300 * SECOND  # of the agreement: a stream whose packets begin later may have begun elsewhere
FEW_UNSEEN = 10  # packets
BACK_WITHIN = 64  # from one late packet to the next: the sender's counter went back


class StreamProof:
    """The proof of one stream in the making."""

    __slots__ = (
        "_account", "_begun", "_came", "_capture", "_chunk", "_current", "_deferred", "_effort", "_failing",
        "_first_rollover", "_from_start", "_full", "_in_order", "_last", "_last_time", "_late", "_lengths",
        "_offset", "_others",
        "_otherwise", "_pending", "_said", "_searches", "_sightings", "_sized", "_tries", "_untagged", "_use",
        "runs", "stream",
        "tracked", "went_back",
    )  # fmt: skip

    def __init__(
        self, stream: MediaStream, candidates: list[Candidate], otherwise: Otherwise, effort: Effort, *,
        tracked: bool, from_start: bool, several: bool = False,
        others: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        """`from_start`: the call is in the capture from its first offer on. `tracked`: runs are handed out.

        `several` captures may show the same packets. `others` are SSRCs that a packet may have been protected with.
        """
        self.stream = stream
        self.tracked = tracked
        self.runs: list[Run] = []
        self.went_back = False  # some index came twice under one keystream, or may have
        self._came: dict[tuple[str, str], Came] = {}
        self._use: KeyUse | None = None  # of the current key, while all goes the usual way
        self._in_order: Came | None = None
        self._account = Account(len(candidates))
        self._sightings = Sightings() if several else None
        self._others = others
        self._tries = tries_of(candidates)
        self._otherwise = otherwise
        self._from_start = from_start
        self._effort = effort
        self._full = full_tries(len(candidates))
        self._current: Try | None = None
        self._last = -1  # index of the last packet that verified
        self._last_time = 0
        self._late: Late | None = None
        self._offset = 0  # of the sender's rollover counter from the one that a receiver has
        self._failing = 0  # packets in a row that nothing verified
        self._chunk = CHUNK
        self._searches = 0  # while packets verified
        self._pending: list[Packets] = []  # of the begin, one in each
        self._lengths: set[int] = set()  # of some packets that verified
        self._sized = 0
        self._said = ("", "")  # of the last packet whose content was looked at
        self._deferred: list[tuple[int, int]] = []  # packets of the window that waits for a key
        self._untagged = False  # the agreed key puts no tags into packets
        self._capture = -1
        self._begun = False  # the packets of the capture at hand have begun to verify
        self._first_rollover = 0

    def skip(self, count: int) -> None:
        """Packets that were cut by the snap length."""
        self._account.proof.unchecked += count

    def spoiled(self, frame: FrameId, diagnosis: str, detail: str) -> None:
        """A packet of this stream by its SSRC that reads as none."""
        self._account.wrong([frame], diagnosis, detail)

    # --- packets ---

    def take(self, packets: Packets) -> None:
        """Check packets; `runs` then holds those that verified, where the stream is tracked."""
        self.runs = []
        at, count = 0, len(packets.starts)
        if not count:
            return
        capture = capture_index(packets.frames[0])
        if capture != self._capture:  # a file that follows, or another capture point
            self._settle_late()
            self._capture, self._begun, self._failing = capture, False, 0
        while at < count:
            if self._last >= 0 and self._current is not None:
                at = self._verify(packets, at, self._current)
            elif self._failing >= self._effort.pending:
                at = self._batch(packets, at)
            else:
                self._resolve(packets, at)
                at += 1
        self._undefer(packets)

    def at_once(
        self, data: bytes | memoryview, starts: list[int], ends: list[int], numbers: Sequence[int], frame: FrameId,
        time: int,
    ) -> bool:  # fmt: skip
        """The usual case in few steps: packets that all verify, and need no other word.

        `numbers` are their sequence numbers, continuous within the window; a range where packets follow one another.
        `frame` and `time` are those of the last in the capture. What is left undone, which False says, `take` does
        packet by packet with the same outcome.
        """
        by, use, came = self._current, self._use, self._in_order
        if by is None or use is None or came is None or self._late is not None or self._pending:
            return False
        if capture_index(frame) != self._capture or (by.ends is not None and time > by.ends):
            return False
        first = numbers[0]
        move = self._last + ((first - self._last + HALF) & 0xFFFF) - HALF - first
        if isinstance(numbers, range):
            lowest, highest = first + move, numbers[-1] + move
        else:
            lowest, highest = min(numbers) + move, max(numbers) + move
        if lowest < 0 or lowest >> 16 != highest >> 16:
            return False
        if verify_many(by.keys, data, starts, ends, lowest >> 16):
            return False
        self.runs = []
        if self._sized < SIZED:
            self._sized += 1
            self._lengths.update(map(sub, ends[:FULL_TRIES], starts[:FULL_TRIES]))
        self._failing, self._chunk = 0, CHUNK
        self._last, self._last_time = max(self._last, highest), time
        if came.repeats(range(lowest, highest + 1) if isinstance(numbers, range) else [n + move for n in numbers]):
            self.went_back, self._use = True, None
        use.packets += len(starts)
        use.last, use.last_index = max(use.last, frame), max(use.last_index, highest)
        use.first_index = min(use.first_index, lowest)
        proof = self._account.proof
        proof.packets += len(starts)
        proof.verified += len(starts)
        return True

    def _follow(self, by: Try) -> None:
        """Whether what comes next may be counted at once: as packets of the right key that have not come twice."""
        parameters = by.keys.parameters
        self._use = self._in_order = None
        if (
            not by.right
            or self._offset
            or self.tracked
            or self.went_back
            or parameters.roc_mode
            or parameters.mki_octets
        ):
            return
        use, came = self._account.use_of(by), self._came.get(by.keystream)
        if use is not None and came is not None:
            self._use, self._in_order = use, came

    def _undefer(self, packets: Packets) -> None:
        """Packets of the window from before a key was found: checked with it, or failures."""
        deferred, self._deferred = self._deferred, []
        if not deferred:
            return
        by, last, time, failing = self._current, self._last, self._last_time, self._failing
        for at in (at for first, end in deferred for at in range(first, end)):
            extended = packets.extended[at]
            move = self._move(extended) if by is not None else 0
            rollover = (extended + move) >> 16
            if by is not None and by.keys.verify_srtp(packets.packet(at), rollover):
                self._count(packets, at, at + 1, move, by)
            else:
                self._failing = max(failing, CLASSIFIED)
                self._failed(packets, at, rollover)
        self._last, self._last_time, self._failing = last, time, failing

    def _move(self, extended: int) -> int:
        """What makes an index of an extended sequence number: the nearest to the last packet that verified."""
        step = ((extended - self._last + HALF) & 0xFFFF) - HALF
        return max(self._last + step - extended, -(extended & ~0xFFFF))

    def _verify(self, packets: Packets, at: int, current: Try) -> int:
        """Verify some packets with the current key; returns how far it got."""
        end = min(at + self._chunk, len(packets.starts))
        move = self._move(packets.extended[at])
        rollover = (packets.extended[at] + move) >> 16
        part = packets.extended[at:end]
        if (min(part) + move) >> 16 != rollover or (max(part) + move) >> 16 != rollover:
            end = next((where for where in range(at, end) if (packets.extended[where] + move) >> 16 != rollover), end)
        failed = verify_many(current.keys, packets.data, packets.starts[at:end], packets.ends[at:end], rollover)
        done = at
        for each in failed:
            position = at + each
            self._verified(packets, done, position, move, current)
            done = position + 1
            if self._resolve(packets, position):
                return done
        self._verified(packets, done, end, move, current)
        if not failed:
            self._chunk = min(2 * self._chunk, CHUNK)
        return end

    def _batch(self, packets: Packets, at: int) -> int:
        """Packets of a stream that nothing has verified so far: all of them with the agreed keys, some with all."""
        end = min(at + CHUNK, len(packets.starts))
        again = 1 << self._failing.bit_length()  # failures behind which everything is tried once more
        end = min(end, at + max(1, again - 1 - self._failing))
        if everything_at(self._failing, 0):
            self._resolve(packets, at)
            return at + 1
        left = range(at, end)
        for each in [each for each in self._tries if each.right][:BATCH_TRIES]:
            if each.keys.parameters.authenticates_srtp:
                rollover = each.key.roc(self.stream.ssrc) or 0
                part = packets.starts[at:end], packets.ends[at:end]
                failed = {at + where for where in verify_many(each.keys, packets.data, *part, rollover)}
                left = range(at, next((where for where in left if where not in failed), left.stop))
        self._failing += len(left)
        self._deferred.append((at, left.stop))
        if left.stop < end:
            self._resolve(packets, left.stop)
            return left.stop + 1
        return end

    def _verified(self, packets: Packets, first: int, last: int, move: int, by: Try) -> None:
        """Packets from first up to last verified."""
        if first >= last:
            return
        extended = packets.extended[first:last]
        if self._late is not None:
            self._settle_late()
        self._failing = 0
        self._last = max(self._last, max(extended) + move) if self._begun else extended[-1] + move
        self._last_time = packets.times[last - 1]
        self._begun = True
        self._count(packets, first, last, move, by)
        if self._pending:
            self._again()
        self._follow(by)

    def _settle_late(self) -> None:
        """A packet behind the others is counted when it is known whether the sender's counter went back."""
        late, self._late = self._late, None
        if late is not None:
            self._count(late.packet, 0, 1, late.move, late.by)

    def _count(self, packets: Packets, first: int, last: int, move: int, by: Try) -> None:
        """Count packets that verified."""
        extended = packets.extended[first:last]
        if self._sized < SIZED:
            self._sized += 1
            some = slice(first, min(last, first + FULL_TRIES))
            self._lengths.update(map(sub, packets.ends[some], packets.starts[some]))
        lowest, highest = min(extended) + move, max(extended) + move
        if not self.tracked and not self.went_back:
            came = self._came.get(by.keystream)
            if came is None:
                came = self._came[by.keystream] = Came()
            numbers = [each + move for each in extended] if move else extended
            self.went_back = came.repeats(numbers)
        for part in parts(first, last, by, packets.times, self._mkis(packets, first, last, by)):
            relation, detail = part.relation, part.detail
            if self._offset and by.right:
                relation, detail = ROLLOVER, f"off by {self._offset:+d}"
            frames, ends = packets.frames[part.first : part.last], (lowest, highest)
            if len(frames) < len(extended):
                some_of = extended[part.first - first : part.last - first]
                ends = min(some_of) + move, max(some_of) + move
            self._account.used(by, relation, frames, ends, packets.times[part.first])
            if by.right and relation == by.relation:
                self._account.right(len(frames))
            else:
                self._account.wrong(frames, relation, detail, checked=True)
            if self.tracked:
                self.runs.append(Run(by, relation, packets, part.first, part.last, move))

    @staticmethod
    def _mkis(packets: Packets, first: int, last: int, by: Try) -> list[bytes] | None:
        """The MKIs of packets, which no tag covers (RFC 3711 §3.1)."""
        parameters = by.keys.parameters
        octets = parameters.mki_octets
        if not octets or parameters.roc_mode:
            return None
        behind = 0 if parameters.aead else parameters.srtp_tag_octets
        data = packets.data
        return [bytes(data[end - behind - octets : end - behind]) for end in packets.ends[first:last]]

    # --- what the current key does not verify ---

    def _resolve(self, packets: Packets, at: int) -> bool:
        """Find the key and rollover counter of one packet; else it is a failure. True where one was found."""
        packet = packets.packet(at)
        extended = packets.extended[at]
        current = self._current
        if current is not None and current.keys.parameters.roc_mode and not current.keys.has_tag(packet):
            self._account.proof.unchecked += 1  # between the packets that carry the counter (RFC 4771 §3)
            return False
        if self._begun and packets.times[at] - self._last_time > CAPTURE_GAP:
            self._begun, self._failing = False, 0
        guesses = self._guesses(extended)
        found = self._find(packets, at, packet, guesses)
        if found is None:
            if not self._begun and self._failing < self._effort.pending:
                self._failing += 1
                self._pending.append(alone(packets, at))
                if len(self._pending) >= self._effort.pending:
                    self._give_up()
            else:
                self._failed(packets, at, guesses[0])
            return False
        by, rollover = found
        move = (rollover << 16) - (extended & ~0xFFFF)
        if self._is_late(packets, at, by, rollover):
            kept = alone(packets, at)
            self._late = Late(packets.extended[at] + move, kept, move, by)
            self._failing = 0
            return False
        self._current, self._chunk = by, 1
        self._verified(packets, at, at + 1, move, by)
        self._undefer(packets)
        return True

    def _again(self) -> None:
        """Packets from before a key was found, with that key."""
        pending, self._pending = self._pending, []
        last, time = self._last, self._last_time
        self._first_rollover = last >> 16
        for each in pending:
            move = self._move(each.extended[0])
            rollover = (each.extended[0] + move) >> 16
            packet = each.packet(0)
            fits = next((some for some in self._tries if some.keys.verify_srtp(packet, rollover)), None)
            if fits is not None:
                self._count(each, 0, 1, move, fits)
            else:
                self._failed(each, 0, rollover)
        self._last, self._last_time, self._failing = last, time, 0

    def _guesses(self, extended: int) -> list[int]:
        """Rollover counters that a packet may have, the likeliest first."""
        if self._last < 0:
            return [0, 1, 2]
        nearest = (extended + self._move(extended)) >> 16
        near = (nearest, nearest + 1, nearest - 1, 0, self._first_rollover)
        return list(dict.fromkeys(each for each in near if each >= 0))

    def _find(self, packets: Packets, at: int, packet: bytes, guesses: list[int]) -> tuple[Try, int] | None:
        failing = self._failing
        if everything_at(failing, self._full):
            tries = self._tries
        else:
            tries = [each for each in self._tries if each.right][:BATCH_TRIES]
            if self._current is not None and self._current not in tries:
                tries = [self._current, *tries]
        for each in tries:
            begins = each.key.roc(self.stream.ssrc)
            own = guesses if begins is None else [begins, *guesses]
            rollover = each.keys.find_roc(packet, own)
            if rollover is not None and self._confirmed(packets, at, each, rollover, len(own)):
                return each, rollover
        if failing in SEARCHED_AT:
            found = self._search(packets, at, packet, guesses)
            if found is not None:
                return found
        if failing in self._otherwise.at and not self._account.verified_any:
            return self._find_otherwise(packets, at, packet, guesses)
        return None

    def _search(self, packets: Packets, at: int, packet: bytes, guesses: list[int]) -> tuple[Try, int] | None:
        """Rollover counters far from those that are likely: the capture began, or went on, in mid-call."""
        if self._last < 0 and self._plain_so_far():
            return None
        if self._begun:
            self._searches += 1
            if self._searches > MAX_SEARCHES:
                return None
        limited = False
        for each in self._tries:
            parameters = each.keys.parameters
            if not each.right or not parameters.authenticates_srtp:
                continue
            depth = self._effort.depth
            if self._in_sight(packets.times[at], each):
                depth = min(depth, BEGUN_DEPTH)
            else:
                limited |= depth < DEPTH
            if parameters.aead or parameters.key_derivation_rate:
                depth = max(LEAST_DEPTH, depth // SLOWER)
            low = max(0, guesses[0] - depth // 2) if self._last >= 0 else 0
            found = each.keys.find_roc(packet, range(low, low + depth))
            if found is not None and self._confirmed(packets, at, each, found, depth):
                return each, found
        self._effort.limited |= limited
        return None

    def _find_otherwise(
        self, packets: Packets, at: int, packet: bytes, guesses: list[int]
    ) -> tuple[Try, int] | None:  # fmt: skip
        """Whether a peer took other parameters, or the key of another call; what did fit is tried from now on."""
        for each in self._otherwise.tries(self._tries, rtcp=False):
            own = guesses if each.relation == OTHER_CALL else range(self._effort.guessed)
            rollover = each.keys.find_roc(packet, own)
            if rollover is not None and self._confirmed(packets, at, each, rollover, DEPTH):
                self._tries.append(each)
                return each, rollover
        return None

    @staticmethod
    def _confirmed(packets: Packets, at: int, found: Try, rollover: int, guesses: int) -> bool:
        """A short tag that one of many guesses fits has to fit the next packet too."""
        few = guesses <= len(SEARCHED_AT)
        if found.keys.parameters.srtp_tag_octets >= SHORT_TAG or few or at + 1 >= len(packets.starts):
            return True
        base = rollover - (packets.extended[at] >> 16)
        return any(
            found.keys.verify_srtp(packets.packet(other), base + (packets.extended[other] >> 16))
            for other in range(at + 1, min(at + 4, len(packets.starts)))
        )

    def _in_sight(self, time: int, by: Try) -> bool:
        """Nothing of the stream was missed that could have moved its counter far."""
        return self._begins_in_sight(time, by) if self._last < 0 else self._begun

    def _begins_in_sight(self, time: int, by: Try) -> bool:
        """The stream begins with the packets that were captured."""
        return self._from_start and 0 <= time - by.begins < BEGINS_WITHIN

    def _too_far(self, index: int, time: int, by: Try) -> bool:
        """Whether a stream that begins in sight can't have come to an index by packets that were not captured."""
        stream = self.stream
        rate = stream.packets * SECOND / max(stream.last.time - stream.first.time, SECOND // 50)
        unseen = rate * max(time - by.begins, 0) / SECOND
        return self._begins_in_sight(time, by) and index - 0xFFFF > unseen + FEW_UNSEEN

    def _is_late(self, packets: Packets, at: int, by: Try, rollover: int) -> bool:
        """Compare the rollover counter found with the one that a receiver has (RFC 3711 §3.3.1).

        True where the packet is far behind the others: one that comes again says nothing of the sender's counter.
        """
        time, extended = packets.times[at], packets.extended[at]
        index = rollover << 16 | extended & 0xFFFF
        if self._last < 0:
            begins = by.key.roc(self.stream.ssrc)
            expected = begins if begins is not None else 0 if self._too_far(index, time, by) else rollover
            self._offset = rollover - expected
            self._first_rollover = rollover
            return False
        if self._current is None or by.key is not self._current.key:
            self._offset = 0  # RFC 3711 continues the counter, RFC 4568 §7.1.4 begins anew
            self._begun = False
            return False
        if not self._begun:
            self._offset = 0
            return False
        step = rollover - (extended + self._move(extended) >> 16)
        late = self._late
        if index < self._last and not (late is not None and 0 < index - late.at <= BACK_WITHIN):
            self._settle_late()
            return True
        self._offset += step
        self._begun = False  # the index is taken as it is, not as the highest
        return False

    # --- failures ---

    def _plain_so_far(self) -> bool:
        keys = [each.keys for each in self._right()]
        return bare([(each.packet(0), 0) for each in self._pending], keys) == PLAIN

    def _right(self) -> list[Try]:
        return [each for each in self._tries if each.right]

    def _failed(self, packets: Packets, at: int, rollover: int) -> None:
        """A packet that nothing verifies."""
        self._failing += 1
        packet = packets.packet(at)
        if self._sightings is not None and self._sightings.again(packet, packets.frames[at]):
            return
        if self._untagged:
            self._account.proof.unchecked += 1
            return
        if self._failing <= CLASSIFIED or not self._failing & (self._failing - 1):
            said = bare([(packet, rollover)], [each.keys for each in self._right()], self._lengths)
            said = said or self._account.unexplained(self._failing)
            self._said = self._of_other(packets, at) or (said, "")
        self._account.wrong([packets.frames[at]], *self._said)

    def _give_up(self) -> None:
        """The first packets of the stream, or of a capture or those behind a gap, which nothing verified."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        keys = [each.keys for each in self._right()]
        together = bare([(each.packet(0), each.extended[0] >> 16) for each in pending], keys)
        if not together and not self._account.verified_any:
            self._untagged = any(not each.parameters.authenticates_srtp for each in keys)
        unexplained = self._account.unexplained(len(pending))
        for each in pending:
            said = (together and bare([(each.packet(0), each.extended[0] >> 16)], keys)) or together or unexplained
            self._said = self._of_other(each, 0) or (said, "")
            if self._sightings is not None and self._sightings.again(each.packet(0), each.frames[0]):
                continue
            if self._untagged:
                self._account.proof.unchecked += 1
            else:
                self._account.wrong(each.frames, *self._said)

    def _of_other(self, packets: Packets, at: int) -> tuple[str, str] | None:
        """Diagnosis and words where a packet was protected with the SSRC of another stream under the same key."""
        return next((told_ssrc(other) for other in self._others if self._fits_as(packets, at, other)), None)

    def _fits_as(self, packets: Packets, at: int, ssrc: int) -> bool:
        packet = packets.packet(at)
        mended = packet[:8] + ssrc.to_bytes(4, "big") + packet[12:]
        guesses = self._guesses(packets.extended[at])
        tries = [self._current] if self._current is not None else self._right()[:BATCH_TRIES]
        return any(each.keys.find_roc(mended, guesses) is not None for each in tries)

    def as_other(self, packets: Packets, at: int) -> bool:
        """Whether a packet with another SSRC verifies once it has this stream's; it is then counted here."""
        if not self._fits_as(packets, at, self.stream.ssrc):
            return False
        self._account.wrong([packets.frames[at]], *told_ssrc(self.stream.ssrc))
        return True

    # --- the end ---

    def finish(self) -> Proof:
        """Say what is the matter with the packets that failed; `runs` then holds what verified and waited."""
        self.runs = []
        self._settle_late()
        self._give_up()
        return self._account.finish()
