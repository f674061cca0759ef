"""Media streams counted by a second process, beside the one that reads the capture.

What is done to the packets of a window by stream needs nothing of what signalling shows, so a large capture has it done
on another processor. The columns of a window go there through shared memory, its octets through a mapping of the same
part of the file.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from imsinspect.capture.decode import Media
from imsinspect.capture.media import MediaSample, MediaStreams, SizeRun, Stream
from imsinspect.capture.windows import FileWindows, mapped
from imsinspect.processes import Beside, processors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from imsinspect.capture.windows import Windows

WORTH_IT = 64 << 20  # octets of a capture; below, beginning a process costs more than it saves
SLOTS = 2  # windows under way at once
SLOT_PACKETS = 1 << 18
COLUMNS = (*(np.uint64, np.uint16), *(np.int64,) * 6, np.uint16, np.uint8)  # those of Media, and the origins
SLOT_OCTETS = SLOT_PACKETS * sum(np.dtype(kind).itemsize for kind in COLUMNS)
ORDER = struct.Struct("<qqqq")  # slot, packets; where the octets stand: offset and length in the file, or -1 and length
FINISH = ORDER.pack(-1, 0, 0, 0)
STREAM = [each.name for each in fields(Stream)]
SIZES, SAMPLES = STREAM.index("sizes"), STREAM.index("samples")


def media_streams(windows: Windows) -> MediaStreams | MediaBeside:
    """What counts the media of a capture: in this process, or beside it where that is the faster way."""
    if isinstance(windows, FileWindows) and windows.total >= WORTH_IT and processors() > 1:
        return MediaBeside(windows)
    return MediaStreams()


class MediaBeside:
    """Stands for MediaStreams; the real ones are in a process of their own."""

    def __init__(self, windows: FileWindows) -> None:
        self.windows = windows
        self._slots = mmap.mmap(-1, SLOTS * SLOT_OCTETS)
        self._free = list(range(SLOTS))
        self._late = MediaStreams()  # what comes when the capture has been read, out of byte streams and fragments
        self._found: list[Stream] | None = None
        self._settled = False
        self._beside = Beside(self._count)

    def _count(self, orders: BinaryIO, answers: BinaryIO) -> None:
        """The other process: takes windows until told to finish, then hands over the streams."""
        streams = MediaStreams()
        while len(order := orders.read(ORDER.size)) == ORDER.size and order != FINISH:
            slot, count, offset, length = ORDER.unpack(order)
            if offset >= 0:
                data = mapped(self.windows.file, offset, length)
            else:
                data = np.frombuffer(orders.read(length), np.uint8)
            *media, origins = self._columns(slot, count)
            streams.add(data, [(Media(*media), origins)])
            answers.write(bytes([slot]))
            answers.flush()
        pickle.dump([_row(each) for each in streams.streams()], answers, pickle.HIGHEST_PROTOCOL)

    def _columns(self, slot: int, count: int) -> list[NDArray[Any]]:
        """The columns that a slot holds."""
        out, at = [], slot * SLOT_OCTETS
        for kind in COLUMNS:
            out.append(np.frombuffer(self._slots, kind, count, at))
            at += SLOT_PACKETS * np.dtype(kind).itemsize
        return out

    def add(self, data: NDArray[np.uint8], parts: Sequence[tuple[Media, NDArray[np.uint8]]]) -> None:
        """Packets of a window with their origins, in the order of the capture. Raises ProcessError."""
        if self._settled:
            self._late.add(data, parts)
            return
        columns = [*zip(*(media for media, _ in parts), strict=True), tuple(origin for _, origin in parts)]
        count = sum(len(origin) for origin in columns[-1])
        if count > SLOT_PACKETS:
            whole = [np.concatenate(column) for column in columns]
            for begin in range(0, count, SLOT_PACKETS):
                self._send(data, [(column[begin : begin + SLOT_PACKETS],) for column in whole])
        else:
            self._send(data, columns)

    def _send(self, data: NDArray[np.uint8], columns: Sequence[tuple[NDArray[Any], ...]]) -> None:
        """Fill a slot and say where the octets are."""
        slot = self._free.pop() if self._free else self._beside.answer(1)[0]
        count = sum(len(origin) for origin in columns[-1])
        for column, view in zip(columns, self._columns(slot, count), strict=True):
            np.concatenate(column, out=view)
        if data is self.windows.data:
            self._beside.order(ORDER.pack(slot, count, *self.windows.place))
        else:
            self._beside.order(ORDER.pack(slot, count, -1, len(data)) + data.tobytes())

    def settle(self, *, wait: bool = False) -> None:
        """The capture has been read: the other process puts its streams together; wait for it to end.

        Raises ProcessError.
        """
        if not self._settled:
            self._settled = True
            self._beside.order(FINISH)
            del self.windows, self._slots  # which hold memory
        if wait and self._found is None:
            self._beside.answer(SLOTS - len(self._free))
            self._found = [_stream(row) for row in cast("list[list[Any]]", self._beside.result())]

    def streams(self) -> list[Stream]:
        """Every stream, in the order of their first packets; those that came late behind the others.

        Raises ProcessError.
        """
        self.settle(wait=True)
        return [*(self._found or ()), *self._late.streams()]


def _row(stream: Stream) -> list[Any]:
    """A stream in plain values, which travel in a fifth of the time that those with names take."""
    row = [getattr(stream, name) for name in STREAM]
    row[SIZES], row[SAMPLES] = [*map(tuple, stream.sizes)], [*map(tuple, stream.samples)]
    return row


def _stream(row: list[Any]) -> Stream:
    row[SIZES], row[SAMPLES] = [*map(SizeRun._make, row[SIZES])], [*map(MediaSample._make, row[SAMPLES])]
    return Stream(*row)
