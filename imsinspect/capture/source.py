"""Opens captures: plain, gzip- or zstd-compressed files, folders of them, and standard input."""

from __future__ import annotations

import io
import os
import queue
import shutil
import sys
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from imsinspect.capture.errors import CaptureError, UsageError
from imsinspect.capture.records import record_walk
from imsinspect.capture.windows import WINDOW, FileWindows, StreamWindows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imsinspect.capture.records import PcapngWalk, PcapWalk
    from imsinspect.capture.windows import Windows

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz", ".zst")
STANDARD_INPUT = "-"
BLOCK = 1 << 20
INPUT = 1 << 15  # compressed octets at once; the rest behind a gzip member is copied, so they are few
ZSTD_WINDOW = 1 << 27  # octets; what a frame may ask for


@dataclass(slots=True)
class Opened:
    """A capture ready for the first pass."""

    path: str
    file: BinaryIO
    windows: Windows
    walk: PcapWalk | PcapngWalk
    compression: str  # "", "gzip", "zstd"
    trouble: list[str]  # what went wrong while decompressing, filled as it is read

    def close(self) -> None:
        """Close the file; what was read of it stays."""
        self.file.close()


def expand(paths: Sequence[str]) -> list[str]:
    """The capture files that the arguments name: folders are searched, names sorted. UsageError for none there."""
    out: list[str] = []
    for path in paths:
        place = Path(path)
        if path == STANDARD_INPUT:
            out.append(path)
        elif place.is_dir():
            found = sorted(str(each) for each in place.rglob("*") if each.is_file() and is_capture_name(each.name))
            if not found:
                raise UsageError(f"no capture files in the folder {path}")
            out += found
        elif place.exists():
            out.append(path)
        else:
            raise UsageError(f"no such file: {path}")
    return out


def is_capture_name(name: str) -> bool:
    """Whether a file in a folder is to be read: by its ending, rotated files (`x.pcap1`, `x.pcap.3`) included."""
    lower = name.lower()
    stem = lower.rstrip("0123456789").rstrip(".")
    return lower.endswith(SUFFIXES) or stem.endswith((".pcap", ".pcapng", ".cap"))


class Capture:
    """A capture that can be read more than once; what a pipe brought is kept in an unlinked temporary file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._spool: BinaryIO | None = None

    def open(self) -> Opened:
        """Open it at its beginning; CaptureError says in one line why it can't be read."""
        try:
            file = self._file()
        except OSError as error:
            raise CaptureError(f"can't be read ({error.strerror})") from error
        try:
            return _opened(self.path, file)
        except CaptureError:
            file.close()
            raise

    def close(self) -> None:
        """It is not read again."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _file(self) -> BinaryIO:
        place = Path(self.path)
        if self._spool is None and self.path == STANDARD_INPUT:
            self._spool = _spooled(sys.stdin.buffer)
        elif self._spool is None and place.is_fifo():
            with place.open("rb") as pipe:
                self._spool = _spooled(pipe)
        if self._spool is None:
            if not place.is_file():
                raise CaptureError("not a regular file")
            return place.open("rb")
        number = self._spool.fileno()
        own = Path(f"/proc/self/fd/{number}")  # its place in the file is not shared with another process that reads it
        file = own.open("rb") if own.exists() else os.fdopen(os.dup(number), "rb")
        file.seek(0)
        return file


def open_capture(path: str) -> Opened:
    """Open one capture that is read once; CaptureError says in one line why it can't be read."""
    capture = Capture(path)
    try:
        return capture.open()
    finally:
        capture.close()


def _opened(path: str, file: BinaryIO) -> Opened:
    head = file.read(4)
    file.seek(0)
    if not head:
        raise CaptureError("the file is empty")
    if head[:2] == GZIP or head == ZSTD:
        return _compressed(path, file, "zstd" if head == ZSTD else "gzip")
    start = file.read(64)
    return Opened(path, file, FileWindows(file), record_walk(start), "", [])


def _compressed(path: str, file: BinaryIO, name: str) -> Opened:
    trouble: list[str] = []
    blocks = _inflate(file, trouble) if name == "gzip" else _unzstd(file, trouble)
    stream = _Ahead(blocks)
    start = stream.peek(64)
    if not start:
        raise CaptureError(f"damaged {name} file: {trouble[0]}" if trouble else f"an empty {name} file")
    if start[:2] == GZIP or start[:4] == ZSTD:
        raise CaptureError("compressed twice")
    walk = record_walk(start)
    return Opened(path, file, StreamWindows(cast("BinaryIO", stream), WINDOW), walk, name, trouble)


def _spooled(stream: IO[bytes]) -> BinaryIO:
    """A pipe's content in an unlinked temporary file, so that it can be looked at twice."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the capture is read)
    shutil.copyfileobj(stream, spool, BLOCK)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _inflate(file: BinaryIO, trouble: list[str]) -> Iterator[bytes]:
    """The content of a gzip file, member after member."""
    machine = zlib.decompressobj(31)
    data = file.read(INPUT)
    try:
        while data:
            before = machine.copy()
            try:
                out = machine.decompress(data, BLOCK)
            except zlib.error:
                yield from _salvaged(before, data)
                raise
            if out:
                yield out
            data = machine.unconsumed_tail
            if machine.eof:
                data = machine.unused_data.lstrip(b"\0")  # padding of tapes and block devices
                while len(data) < len(GZIP) and (more := file.read(INPUT)):
                    data = (data + more).lstrip(b"\0")
                if data[: len(GZIP)] != GZIP:
                    if data:
                        trouble.append("octets behind the gzip file's content were not read")
                    return
                machine = zlib.decompressobj(31)
            data = data or file.read(INPUT)
        trouble.append("the gzip file ends early")
    except zlib.error as error:
        trouble.append(f"the gzip file is damaged ({error})")
    except OSError as error:
        trouble.append(f"can't be read to its end ({error.strerror})")


def _salvaged(machine: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What damaged octets still give, one after the other up to the fault."""
    for at in range(len(data)):
        try:
            out = machine.decompress(data[at : at + 1])
        except zlib.error:
            return
        if out:
            yield out


def _unzstd(file: BinaryIO, trouble: list[str]) -> Iterator[bytes]:
    """The content of a zstd file, frame after frame."""
    import zstandard

    reader = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(file, read_across_frames=True)
    try:
        while block := reader.read(BLOCK):
            yield block
    except zstandard.ZstdError as error:
        trouble.append(f"the zstd file is damaged ({error})")
    except OSError as error:
        trouble.append(f"can't be read to its end ({error.strerror})")


class _Ahead(io.RawIOBase):
    """Reads an iterator of blocks; it runs in a thread, which decompressing lets run beside the scan."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self.blocks: queue.Queue[bytes] = queue.Queue(8)
        self.have = b""
        threading.Thread(target=self._fill, args=(blocks,), daemon=True).start()

    def _fill(self, blocks: Iterator[bytes]) -> None:
        try:
            for block in blocks:
                self.blocks.put(block)
        except ValueError:
            return  # the capture was closed before its end
        finally:
            self.blocks.put(b"")

    def peek(self, count: int) -> bytes:
        """The first octets, left to be read."""
        while len(self.have) < count:
            block = self.blocks.get()
            if not block:
                self.blocks.put(b"")
                break
            self.have += block
        return self.have[:count]

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a part of the buffer; 0 at the end."""
        if not self.have:
            self.have = self.blocks.get()
            if not self.have:
                self.blocks.put(b"")
                return 0
        view = memoryview(buffer)  # type: ignore[arg-type]
        count = min(len(view), len(self.have))
        view[:count] = self.have[:count]
        self.have = self.have[count:]
        return count
