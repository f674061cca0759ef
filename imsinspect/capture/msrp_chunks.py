"""Puts the chunks of MSRP messages together by their Byte-Range (RFC 4975 §7.3.1); the chunk received last wins.

Bounded in messages, chunks, pieces and octets: positions that a sender claims never make anything grow.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from dissectors.msrp.parse import ByteRange

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dissectors.msrp.parse import MsrpMessage
    from imsinspect.capture.frames import FrameId

    Key = tuple[Hashable, bool, bytes]

MAX_MESSAGES = 4_096  # at once
MAX_REMEMBERED = 65_536  # messages that ended, so that a second one is known as such
MAX_CHUNKS = 65_536  # of one message
MAX_PIECES = 1_024  # separate stretches of one message
MAX_MESSAGE = 64 << 20  # octets of one message
MAX_HELD = 64 << 20  # octets in all
CHUNK_COST = 256  # octets that a chunk counts beside its own
MAX_NOTES = 16  # of one message

State = Literal["complete", "aborted", "incomplete"]

_SAME = (
    (b"content-type", "Content-Type"),
    (b"success-report", "Success-Report"),
    (b"failure-report", "Failure-Report"),
)


class ChunkPlace(NamedTuple):
    """Where a chunk stands in its message."""

    start: int  # the first octet's position is 0; -1 for a chunk that could not be placed
    end: int
    frames: tuple[FrameId, ...]
    time: int
    flag: bytes  # of its end-line


class WholeMessage(NamedTuple):
    """A message put together, or what there is of one."""

    message_id: bytes
    content_type: bytes  # lower case, without parameters
    body: bytes  # up to the first gap
    state: State
    gaps: tuple[tuple[int, int], ...]  # first missing octet (from 0), and the first behind it that is there
    pieces: tuple[tuple[int, bytes], ...]  # what stands behind gaps: position and octets
    chunks: tuple[ChunkPlace, ...]  # in the order in which they came
    head: MsrpMessage  # the chunk that came first, without its body
    duplicate: bool  # a message with this identifier ended before
    notes: tuple[str, ...]

    @property
    def frames(self) -> tuple[FrameId, ...]:
        """All frames that brought chunks, each once."""
        return tuple(dict.fromkeys(frame for chunk in self.chunks for frame in chunk.frames))


@dataclass(slots=True)
class _Open:
    """A message of which chunks came."""

    head: MsrpMessage
    starts: list[int] = field(default_factory=list)  # of the pieces, ascending
    pieces: dict[int, bytearray] = field(default_factory=dict)  # by start; no two overlap
    chunks: list[ChunkPlace] = field(default_factory=list)
    cost: int = 0
    octets: int = 0
    end: int | None = None  # of the last chunk
    declared: int | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Say what is wrong, up to a limit."""
        if len(self.notes) < MAX_NOTES and text not in self.notes:
            self.notes.append(text)

    def take(self, message: MsrpMessage, body: bytes, frames: tuple[FrameId, ...], time: int) -> None:
        """Put a chunk at its place."""
        if len(self.chunks) >= MAX_CHUNKS:
            self.note(f"more than {MAX_CHUNKS} chunks")
            return
        before = self.octets
        start = self._start(message, len(body))
        if start >= 0 and not self._place(start, body):
            self.note(f"more than {MAX_PIECES} separate pieces")
            start = -1
        self.cost += CHUNK_COST + self.octets - before
        self.chunks.append(ChunkPlace(start, start + len(body) if start >= 0 else -1, frames, time, message.flag))
        self._compare(message, len(body))
        if message.flag == b"$" and start >= 0:
            if self.end is not None and self.end != start + len(body):
                self.note("two last chunks with different ends")
            self.end = start + len(body)

    def _start(self, message: MsrpMessage, octets: int) -> int:
        """Where a chunk begins; -1 where that can't be told."""
        numbers = _range(message)
        if numbers is None:
            self.note("a chunk's Byte-Range can't be read")
        elif self.chunks and message.header(b"byte-range") is None:
            self.note("a chunk behind the first has no Byte-Range")
        elif numbers.start == 0:
            self.note("a chunk begins at position 0")
        elif numbers.start - 1 + octets > MAX_MESSAGE:
            self.note(f"a chunk lies behind {MAX_MESSAGE} octets")
        else:
            return numbers.start - 1
        return -1

    def _place(self, start: int, data: bytes) -> bool:
        """Put octets at a place, over those that are there; false if that makes too many pieces."""
        at, end = start, start + len(data)
        while at < end:
            index = bisect_right(self.starts, at) - 1
            begun = self.starts[index] if index >= 0 else -1
            behind = begun + len(self.pieces[begun]) if index >= 0 else -1
            if at < behind:
                stop = min(behind, end)
                piece, new = self.pieces[begun], data[at - start : stop - start]
                if piece[at - begun : stop - begun] != new:
                    self.note("chunks overlap with different octets")
                    piece[at - begun : stop - begun] = new
            else:
                stop = min(self.starts[index + 1], end) if index + 1 < len(self.starts) else end
                new = data[at - start : stop - start]
                if at == behind:
                    self.pieces[begun] += new
                elif len(self.starts) >= MAX_PIECES:
                    return False
                else:
                    self.starts.insert(index + 1, at)
                    self.pieces[at] = bytearray(new)
                self.octets += len(new)
            at = stop
        return True

    def _compare(self, message: MsrpMessage, octets: int) -> None:
        """Note what contradicts the chunk's own Byte-Range, or the chunks before."""
        numbers = _range(message)
        if numbers is not None and numbers.end is not None:
            says = max(numbers.end - numbers.start + 1, 0)
            if says < octets or (says > octets and message.flag == b"$"):
                self.note(f"a Byte-Range says {says} octets, {octets} are there")
        if numbers is not None and numbers.total is not None:
            if self.declared is not None and self.declared != numbers.total:
                self.note("the declared total changes")
            self.declared = numbers.total
        if message is not self.head:
            for name, shown in _SAME:
                if message.header(name) != self.head.header(name):
                    self.note(f"{shown} differs between chunks")

    @property
    def whole(self) -> bool:
        """The last chunk is there, and nothing before its end is missing."""
        return self.end is not None and self.octets >= self.end and not self.gaps()

    def gaps(self) -> tuple[tuple[int, int], ...]:
        """What is missing, up to the end of the last chunk, or else up to what is there."""
        out, at = [], 0
        for start in self.starts:
            if self.end is not None and start >= self.end:
                break
            if start > at:
                out.append((at, start))
            at = start + len(self.pieces[start])
        if self.end is not None and at < self.end:
            out.append((at, self.end))
        return tuple(out)

    def ended(self, message_id: bytes, state: State, duplicate: bool) -> WholeMessage:
        """The message as far as it is there."""
        gaps = self.gaps()
        first = gaps[0][0] if gaps else MAX_MESSAGE
        stop = MAX_MESSAGE if self.end is None else self.end
        parts = [(start, bytes(self.pieces[start][: max(stop - start, 0)])) for start in self.starts]
        if self.starts and self.starts[-1] + len(self.pieces[self.starts[-1]]) > stop:
            self.note("octets behind the end of the last chunk")
        if self.declared is not None and self.end is not None and self.declared != self.end:
            self.note(f"the declared total is {self.declared}, the last chunk ends at {self.end}")
        return WholeMessage(
            message_id,
            self.head.content_type,
            b"".join(octets for start, octets in parts if start < first),
            state,
            gaps,
            tuple((start, octets) for start, octets in parts if start > first and octets),
            tuple(self.chunks),
            replace(self.head, body=None),
            duplicate,
            tuple(self.notes),
        )


def _range(message: MsrpMessage) -> ByteRange | None:
    """The Byte-Range of a chunk; without the header it is taken to begin at 1, None if it can't be read."""
    return ByteRange(1, None, None) if message.header(b"byte-range") is None else message.byte_range


def _opened(message: MsrpMessage) -> _Open:
    """A message whose first chunk has come."""
    return _Open(message, cost=sum(len(name) + len(value) for name, value in message.headers))


class MsrpChunks:
    """Messages in parts, by session, direction and Message-ID; the oldest go first when the limits are reached.

    What one session is says the caller. A relay passes a message on from one session to another, so that it is seen
    twice, each time with the path of its own hop.
    """

    def __init__(self) -> None:
        self.open: dict[Key, _Open] = {}
        self.remembered: dict[Key, None] = {}
        self.held = 0
        self.dropped = 0  # messages that gave way to others

    def add(
        self, session: Hashable, forward: bool, message: MsrpMessage, frames: tuple[FrameId, ...], time: int
    ) -> WholeMessage | None:
        """Take a SEND; gives the message that it completes or ends. Other messages give nothing."""
        if message.method != b"SEND":
            return None
        key = session, forward, message.message_id
        entry = self.open.pop(key, None)
        if entry is None:
            entry = _opened(message)
        else:
            self.held -= entry.cost
        entry.take(message, message.body or b"", frames, time)
        if entry.whole or message.flag == b"#" or not message.message_id:
            state: State = "complete" if entry.whole else "aborted" if message.flag == b"#" else "incomplete"
            return entry.ended(message.message_id, state, bool(message.message_id) and self._again(key))
        if message.body and entry.head is message:
            entry.head = replace(message, body=None)
        self.open[key] = entry  # last in order again
        self.held += entry.cost
        while len(self.open) > MAX_MESSAGES or (self.held > MAX_HELD and len(self.open) > 1):
            self.held -= self.open.pop(next(iter(self.open))).cost
            self.dropped += 1
        return None

    def unfinished(self) -> Iterator[WholeMessage]:
        """What there is of the messages that did not end; they are forgotten."""
        for key in list(self.open):
            entry = self.open.pop(key)
            self.held -= entry.cost
            yield entry.ended(key[2], "incomplete", key in self.remembered)

    def _again(self, key: Key) -> bool:
        """Whether a message with this identifier ended before; it is remembered from now on."""
        before = key in self.remembered
        self.remembered[key] = None
        if len(self.remembered) > MAX_REMEMBERED:
            del self.remembered[next(iter(self.remembered))]
        return before
