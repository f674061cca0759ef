"""A capture in, the same capture out with what keys open in clear: media in its frames, TLS content behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from imsinspect import __version__
from imsinspect.capture.errors import CaptureError
from imsinspect.capture.exporting import exported_pdu
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.frames import frame_id, frame_number
from imsinspect.capture.linktypes import EXPORTED, RAW
from imsinspect.capture.pcapng_writer import Copied, PcapngWriter, comments_of, copies
from imsinspect.capture.records import PACKET, PcapngWalk
from imsinspect.capture.rewrite import datagram, with_payload
from imsinspect.capture.rows import column, gather
from imsinspect.capture.source import Capture
from imsinspect.keys.decrypted import Opener, PlainMessage, PlainPacket, Tally, plain_messages
from imsinspect.keys.rounds import hold, read_captures
from imsinspect.pipeline import no_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    from imsinspect.capture.records import FormatFacts, PcapWalk, Records
    from imsinspect.capture.windows import Window, Windows
    from imsinspect.pipeline import Options
    from imsinspect.trace.model import Trace
    from imsinspect.trace.scan import Scan

APPLICATION = f"imsinspect {__version__}"
MEDIA_INTERFACE, CONTENT_INTERFACE = "imsinspect: decrypted media", "imsinspect: decrypted content"
CARRIES_KEYS = "the capture carries key material"  # a note that `Decrypted.secrets` says better


@dataclass(slots=True)
class Decrypted:
    """What became of what."""

    packets: int = 0  # of the capture
    media: Tally = field(default_factory=Tally)
    replaced: int = 0  # frames that hold plain media in the place of protected
    inserted: int = 0  # packets behind the frames that they were made from
    messages: int = 0  # out of TLS and DTLS
    sessions: int = 0  # that these are of
    closed_sessions: int = 0  # whose application data could not be read
    closed_records: int = 0  # that do not authenticate, in sessions that could
    secrets: int = 0  # blocks of key material that were left out
    notes: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Whether anything was decrypted."""
        return bool(self.messages or self.media.opened.total())


def decrypt(
    path: str,
    file: BinaryIO,
    options: Options,
    progress: Callable[[int, int], None] | None = None,
    *,
    with_secrets: bool = False,
) -> Decrypted:
    """Write a capture to `file`, with what keys open in clear; keys are the user's and those in the capture.

    Raises UsageError for key files, CaptureError where the capture can't be read. `with_secrets` copies the secrets
    that the capture carries in blocks of their own.
    """
    with no_collection():
        return _decrypt(path, file, options, progress, with_secrets=with_secrets)


def _decrypt(
    path: str,
    file: BinaryIO,
    options: Options,
    progress: Callable[[int, int], None] | None,
    *,
    with_secrets: bool,
) -> Decrypted:
    held = hold(options.keys, options.key_logs)
    capture = Capture(path)
    try:
        read = read_captures([capture], held, progress)
        trace, (scan,) = read.trace, read.scans
        if scan.info.error:
            raise CaptureError(f"{path}: {scan.info.error}")
        notes = [each for each in scan.info.notes if not each.startswith(CARRIES_KEYS)]
        out = Decrypted(scan.info.packets, notes=notes)
        writer = PcapngWriter(file, APPLICATION)
        if with_secrets:
            for block in scan.secrets:
                writer.secrets(block)
        else:
            out.secrets = len(scan.secrets)
        opener = Opener(trace, read.candidates)
        copy = _Copy(writer, opener, _contents(trace, out), out)
        found = FirstPass(opener.streams, opener.senders, media_only=True)
        found.signalling.secrets, found.signalling.esp_keys = read.opening.tls, read.opening.esp
        _read(scan, found, copy, progress)
        out.media = opener.tally()
        return out
    finally:
        capture.close()


def _read(scan: Scan, found: FirstPass, copy: _Copy, progress: Callable[[int, int], None] | None) -> None:
    """Read a capture once more, media first and each window's packets behind it."""
    found.inject(scan.found.late)  # media in TCP, which was found when all was read: known before its frames pass
    opened = scan.capture.open()
    opened.walk.base = frame_id(scan.index, 0)
    try:
        windows = _SeenWindows(opened.windows, copy)
        found.run(windows, cast("PcapWalk", _SeenWalk(opened.walk, copy)), progress)
        windows.flush()
        copy.rest()
    finally:
        opened.close()


def _contents(trace: Trace, out: Decrypted) -> dict[int, list[PlainMessage]]:
    """The messages of TLS and DTLS by the frames that completed them; and what is said of sessions."""
    found: dict[int, list[PlainMessage]] = {}
    sessions = set()
    for each in plain_messages(trace):
        found.setdefault(each.frame, []).append(each)
        sessions.add(each.session.id)
        out.messages += 1
    out.sessions = len(sessions)
    for session in trace.tls_sessions:
        if not session.opened and session.client_records + session.server_records:
            out.closed_sessions += 1
        elif session.opened:
            out.closed_records += session.records_not_opened
        out.notes += [f"{session.id}: {note.text}" for note in session.notes if "octets of readable" in note.text]
    return found


# --- the copy -------------------------------------------------------------------------------------


class _Batch(NamedTuple):
    """Packets of a window that share their link type."""

    frames: NDArray[np.int64]
    start: NDArray[np.int64]
    captured: NDArray[np.int64]
    behind: NDArray[np.int64]
    original: NDArray[np.int64]
    when: NDArray[np.int64]
    interface: NDArray[np.int64]
    shape: NDArray[np.int64]  # number of link type and frame check sequence


class _Copy:
    """Writes the packets of a capture window by window, with what was decrypted of them by then."""

    def __init__(
        self, writer: PcapngWriter, opener: Opener, contents: dict[int, list[PlainMessage]], out: Decrypted
    ) -> None:
        self.writer = writer
        self.opener = opener
        self.contents = contents
        self.out = out
        self.batches: list[_Batch] = []
        self.shapes: list[tuple[int, int]] = []
        self.waiting: dict[int, list[PlainPacket]] = {}  # by frame

    def add(self, data: NDArray[np.uint8], found: Records, *, options: bool) -> None:
        """Packets that are to be written when the window's media was read; `options`: their blocks' are kept."""
        shape = found.link, found.fcs
        if shape not in self.shapes:
            self.shapes.append(shape)
        start = found.offsets + found.head
        behind = found.captured
        if options:
            heads = gather(data, found.offsets, 8)
            enhanced = column(heads, 0, "<u4") == PACKET
            room = column(heads, 4, "<u4").astype(np.int64) - found.head - 4
            behind = np.where(enhanced, room, found.captured)
        count = len(found.frames)
        interface = np.full(count, self.writer.interface(found.link, fcs=found.fcs), np.int64)
        number = np.full(count, self.shapes.index(shape), np.int64)
        self.batches.append(
            _Batch(found.frames, start, found.captured, behind, found.original, found.when, interface, number)
        )

    def window(self, data: NDArray[np.uint8]) -> None:
        """Write the packets of a window."""
        for each in self.opener.take():
            self.waiting.setdefault(each.frame, []).append(each)
        if not self.batches:
            return
        batch = _Batch(*(np.concatenate(columns) for columns in zip(*self.batches, strict=True)))
        self.batches = []
        order = np.argsort(batch.frames, kind="stable")
        batch = _Batch(*(each[order] for each in batch))
        last = int(batch.frames[-1])
        due = sorted({frame for each in (self.waiting, self.contents) for frame in each if frame <= last})
        places = np.searchsorted(batch.frames, np.array(due, np.int64))
        present = batch.frames[places] == due if due else []
        special = [(place, frame) for place, frame, here in zip(places.tolist(), due, present, strict=True) if here]
        replaced = {place: new for place, frame in special if (new := self._replaced(data, batch, place, frame))}
        stay = np.ones(len(batch.frames), np.bool_)
        stay[list(replaced)] = False
        kept = np.flatnonzero(stay)
        blocks, begin = copies(data, Copied(*(each[kept] for each in batch[1:7])))
        offsets = np.append(begin, len(blocks))
        done = 0
        for place, frame in special:
            upto = int(offsets[np.searchsorted(kept, place, side="right")])
            self.writer.write(blocks[done:upto])
            done = upto
            if place in replaced:
                self._packet(data, batch, place, replaced[place])
            self._insert(frame)
        self.writer.write(blocks[done:])
        for frame in due:  # those whose frames were written before they could be read
            self._insert(frame)

    def rest(self) -> None:
        """What is left when all was read."""
        for frame in sorted({*self.waiting, *self.contents}):
            self._insert(frame)

    def _replaced(self, data: NDArray[np.uint8], batch: _Batch, place: int, frame: int) -> bytes | None:
        """The frame with plain media in the place of protected, where that is possible."""
        found = self.waiting.get(frame, ())
        if len(found) != 1:
            return None
        start = int(batch.start[place])
        packet = bytes(data.data[start : start + int(batch.captured[place])])
        link, fcs = self.shapes[batch.shape[place]]
        new = with_payload(packet, link, found[0].protected, found[0].content, fcs)
        if new is not None:
            del self.waiting[frame]
            self.out.replaced += 1
        return new

    def _packet(self, data: NDArray[np.uint8], batch: _Batch, place: int, packet: bytes) -> None:
        """Write a changed packet with the comments that it had."""
        start, captured = int(batch.start[place]), int(batch.captured[place])
        options = bytes(data.data[start + captured + -captured % 4 : start + int(batch.behind[place])])
        self.writer.packet(
            int(batch.interface[place]),
            int(batch.when[place]),
            packet,
            original=int(batch.original[place]) + len(packet) - captured,
            options=comments_of(options),
        )

    def _insert(self, frame: int) -> None:
        """Write what was made from a frame, which stays."""
        for each in self.waiting.pop(frame, ()):
            said = f"{each.what} of frame {frame_number(frame)}, decrypted by imsinspect"
            packet = datagram(each.identity, each.content)
            self.writer.packet(self.writer.interface(RAW, MEDIA_INTERFACE), each.time, packet, comments=[said])
            self.out.inserted += 1
        for message in self.contents.pop(frame, ()):
            transport = message.session.transport
            said = f"content of {transport.upper()} of frame {frame_number(frame)}, decrypted by imsinspect"
            pdu = exported_pdu(
                message.dissector,
                "tcp" if transport == "tls" else "udp",
                message.source,
                message.destination,
                frame_number(frame),
                message.data,
            )
            interface = self.writer.interface(EXPORTED, CONTENT_INTERFACE)
            self.writer.packet(interface, message.time, pdu, comments=[said])
            self.out.inserted += 1


class _SeenWindows:
    """The windows of a capture; before the next one comes, the packets of the last are written."""

    def __init__(self, windows: Windows, copy: _Copy) -> None:
        self._windows = windows
        self._copy = copy
        self._data: NDArray[np.uint8] | None = None

    def flush(self) -> None:
        """Write the packets of the window at hand."""
        if self._data is not None:
            self._copy.window(self._data)
            self._data = None

    def next(self) -> Window:
        """The next window."""
        self.flush()
        window = self._windows.next()
        self._data = window.data
        return window

    def consumed(self, count: int) -> None:
        """Say that count octets were read."""
        self._windows.consumed(count)

    @property
    def missing(self) -> bool:
        """Whether more octets were consumed than there are."""
        return self._windows.missing

    @property
    def position(self) -> int:
        """Octets consumed so far."""
        return self._windows.position

    @property
    def total(self) -> int:
        """Octets in all."""
        return self._windows.total


class _SeenWalk:
    """A walk over a capture's records that also shows them to the copy."""

    def __init__(self, walk: PcapWalk | PcapngWalk, copy: _Copy) -> None:
        self._walk = walk
        self._copy = copy

    def records(self, data: NDArray[np.uint8], at: int, end: int) -> Iterator[Records]:
        """The whole packet records of a window."""
        for found in self._walk.records(data, at, end):
            self._copy.add(data, found, options=isinstance(self._walk, PcapngWalk) and self._walk.order == "<")
            yield found

    @property
    def first(self) -> int:
        """Octets before the first record."""
        return self._walk.first

    @property
    def after(self) -> int:
        """First octet of the window that no record took."""
        return self._walk.after

    @property
    def facts(self) -> FormatFacts:
        """What the headers said."""
        return self._walk.facts

    @property
    def oversize(self) -> int:
        """Octets of a record that no window can hold."""
        return self._walk.oversize

    @oversize.setter
    def oversize(self, octets: int) -> None:
        self._walk.oversize = octets
