"""Media counted by a second process is counted as in the first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.generate import generate
from imsinspect import processes
from imsinspect.capture import beside
from imsinspect.capture.beside import MediaBeside, media_streams
from imsinspect.capture.decode import Media
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.media import MediaStreams
from imsinspect.capture.source import open_capture
from imsinspect.capture.windows import FileWindows
from imsinspect.pipeline import audit
from imsinspect.processes import ProcessError
from imsinspect.report.json import render

if TYPE_CHECKING:
    from imsinspect.capture.media import Stream

SAMPLES = sorted(
    path for path in (Path(__file__).parents[2] / "samples").iterdir() if path.suffix in (".pcap", ".pcapng")
)
WINDOW = 64 << 10


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plain file has its media counted beside, a few packets a slot."""
    monkeypatch.setattr(beside, "WORTH_IT", 0)
    monkeypatch.setattr(beside, "processors", lambda: 2)
    monkeypatch.setattr(processes, "processors", lambda: 2)
    monkeypatch.setattr(beside, "SLOT_PACKETS", 50)


def _streams(path: Path, window: int, apart: bool) -> list[Stream]:
    opened = open_capture(str(path))
    assert isinstance(opened.windows, FileWindows)
    windows = FileWindows(opened.file, window)
    found = FirstPass(media_streams(windows) if apart else None)
    assert isinstance(found.streams, MediaBeside) == apart
    try:
        found.run(windows, opened.walk)
    finally:
        opened.close()
    return found.streams.streams()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.usefixtures("always")
def test_samples_have_the_same_streams(path: Path) -> None:
    """Also where windows cut a capture, and where media comes out of tunnels."""
    assert _streams(path, WINDOW, apart=True) == _streams(path, WINDOW, apart=False)


def test_a_report_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One capture and a ring of two, media apart and streams judged in halves, against one processor."""
    first, second = tmp_path / "a.pcap", tmp_path / "b.pcap"
    generate(first, 1_000_000, 300, 1)
    generate(second, 1_000_000, 300, 2)
    reports = []
    for number in (1, 2):
        monkeypatch.setattr(beside, "WORTH_IT", 0)
        monkeypatch.setattr(beside, "processors", lambda number=number: number)
        monkeypatch.setattr(processes, "processors", lambda number=number: number)
        reports.append([render(audit([str(each) for each in some])) for some in ((first,), (first, second))])
    assert len(audit([str(first)]).trace.streams) >= 400
    assert reports[0] == reports[1]


@pytest.mark.usefixtures("always")
def test_what_comes_after_the_capture_was_read_is_a_stream_too() -> None:
    """Media out of byte streams is known only then."""
    path = SAMPLES[0].with_name("plain-rtp-on-savp.pcapng")
    with path.open("rb") as file:
        streams = media_streams(FileWindows(file, WINDOW))
    packet = bytes.fromhex("45000028000100004011000000000001000000020400050000140000") + b"\x80\0\0\1" + bytes(8)
    data = np.frombuffer(packet + bytes(256), np.uint8)
    one = np.array([28], np.int64)
    key, lead = np.array([7], np.uint64), np.array([0x0080], np.uint16)
    media = Media(key, np.array([1], np.uint16), one, one, one, one + 12, one + 12, one - 28, lead)
    streams.settle()
    streams.add(data, [(media, np.zeros(1, np.uint8))])
    assert [(each.packets, each.lowest) for each in streams.streams()] == [(1, 1)]


def test_small_captures_are_counted_here() -> None:
    opened = open_capture(str(SAMPLES[0]))
    assert isinstance(media_streams(opened.windows), MediaStreams)
    opened.close()


@pytest.mark.usefixtures("always")
def test_a_process_that_was_killed_ends_the_audit_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MediaBeside, "_count", lambda *_: os._exit(9))
    with pytest.raises(ProcessError, match="a process beside this one ended"):
        audit([str(SAMPLES[0])])
