"""Windows over a capture's bytes: a mapped file a piece at a time, or a stream in one buffer."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from imsinspect.capture.rows import PAD

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

WINDOW = 32 << 20  # octets; each window costs a fixed amount, so that smaller ones are slower


class Window(NamedTuple):
    """Bytes of a capture in memory, readable PAD octets past `end`."""

    data: NDArray[np.uint8]
    at: int  # first unread octet
    end: int  # end of the valid octets
    final: bool  # nothing follows


class Windows(Protocol):
    """A capture's bytes, window by window."""

    def next(self) -> Window:
        """The window that begins at the first unread octet."""

    def consumed(self, count: int) -> None:
        """Say that count octets were read (more than the window held: they are skipped)."""

    @property
    def missing(self) -> bool:
        """Whether more octets were consumed than there are: a record that reaches beyond the end."""

    @property
    def position(self) -> int:
        """Octets consumed so far."""

    @property
    def total(self) -> int:
        """Octets in all, 0 where that is not known before the end."""


def mapped(file: BinaryIO, offset: int, length: int) -> NDArray[np.uint8]:
    """Octets of a file, zeros behind its end; the offset must be that of a page."""
    room = min(length, os.fstat(file.fileno()).st_size - offset)
    view = np.frombuffer(
        mmap.mmap(file.fileno(), room, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ, offset=offset), np.uint8
    )
    return view if room == length else np.concatenate([view, np.zeros(length - room, np.uint8)])


class FileWindows:
    """Maps one window at a time, so that resident memory stays at the window."""

    def __init__(self, file: BinaryIO, size: int = WINDOW) -> None:
        self.file, self.size, self.position = file, size, 0
        self.total = os.fstat(file.fileno()).st_size
        self.data = np.zeros(PAD, np.uint8)  # of the last window
        self.place = (0, 0)  # its offset in the file, and its length

    def next(self) -> Window:
        """The window that begins at the first unread octet."""
        if self.position >= self.total:
            return Window(np.zeros(PAD, np.uint8), 0, 0, True)
        page = self.position - self.position % mmap.ALLOCATIONGRANULARITY
        end = min(self.position + self.size, self.total)
        os.posix_fadvise(self.file.fileno(), end, self.size, os.POSIX_FADV_WILLNEED)  # read the next one meanwhile
        self.place = page, end + PAD - page
        self.data = np.zeros(PAD, np.uint8)  # gives the last one up before the next is mapped
        self.data = mapped(self.file, *self.place)
        return Window(self.data, self.position - page, end - page, end == self.total)

    def consumed(self, count: int) -> None:
        """Say that count octets were read."""
        self.position += count

    @property
    def missing(self) -> bool:
        """Whether more octets were consumed than there are."""
        return self.position > self.total


class StreamWindows:
    """A decompressor: what was not consumed moves to the front of the one buffer."""

    def __init__(self, file: BinaryIO, size: int = WINDOW, total: int = 0) -> None:
        self.file, self.size, self.total = file, size, total
        self.data = np.zeros(size + PAD, np.uint8)
        self.start = self.end = self.skip = self.position = 0
        self.over = False

    def next(self) -> Window:
        """The window that begins at the first unread octet, filled as far as the stream goes."""
        left = self.end - self.start
        self.data[:left] = self.data[self.start : self.end].copy()
        self.start, self.end = 0, left
        while self.end < self.size and not self.over:
            got = self.file.readinto(self.data.data[self.end : self.size])  # type: ignore[attr-defined]
            self.over = not got
            if self.skip:
                drop = min(self.skip, got)
                self.skip -= drop
                self.data[self.end : self.end + got - drop] = self.data[self.end + drop : self.end + got].copy()
                got -= drop
            self.end += got
        return Window(self.data, 0, self.end, self.over)

    def consumed(self, count: int) -> None:
        """Say that count octets were read; those beyond the buffer are skipped as they come."""
        self.position += count
        inside = min(count, self.end - self.start)
        self.start += inside
        self.skip = count - inside

    @property
    def missing(self) -> bool:
        """Whether more octets were consumed than there are."""
        return self.over and self.skip > 0
