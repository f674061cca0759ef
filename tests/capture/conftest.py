"""What the tests of the capture room share: a first pass over bytes, with windows of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.source import open_capture
from imsinspect.capture.windows import WINDOW, FileWindows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imsinspect.capture.records import FormatFacts


class Passed:
    """A first pass that is over, with what it said of the file."""

    def __init__(self, found: FirstPass, facts: FormatFacts, whole: bool, trouble: list[str]) -> None:
        self.found, self.facts, self.whole, self.trouble = found, facts, whole, trouble

    @property
    def datagrams(self) -> list[bytes]:
        """The payloads kept as signalling."""
        return [each.data for each in self.found.signalling.datagrams]

    @property
    def frames(self) -> list[int]:
        """Frame numbers of the payloads kept as signalling."""
        return [each.frame for each in self.found.signalling.datagrams]


def pass_over(path: Path, window: int = WINDOW) -> Passed:
    """Run the first pass over a file."""
    opened = open_capture(str(path))
    windows = FileWindows(opened.file, window) if isinstance(opened.windows, FileWindows) else opened.windows
    found = FirstPass()
    try:
        whole = found.run(windows, opened.walk)
    finally:
        opened.close()
    return Passed(found, opened.walk.facts, whole, opened.trouble)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Passed]:
    """Runs the first pass over the octets of a capture file."""

    def run(data: bytes, window: int = WINDOW) -> Passed:
        path = tmp_path / "test.pcap"
        path.write_bytes(data)
        return pass_over(path, window)

    return run
