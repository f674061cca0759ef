"""Where the output of commands goes: a console for views, standard output for finished reports."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from rich.console import Console

STANDARD_INPUT = "-"
WIDTH_IN_A_PIPE = 100
NARROWEST, WIDEST = 40, 120


def console(*, to_file: bool = False) -> Console:
    """A console as wide and as colourful as what stands behind standard output (NO_COLOR and FORCE_COLOR respected)."""
    from rich.console import Console

    if to_file:
        return Console(width=WIDTH_IN_A_PIPE, color_system=None, force_terminal=False, highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and columns.isascii() else 0
    if not width:
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError):  # not a terminal, or no file at all
            width = WIDTH_IN_A_PIPE
    return Console(width=max(NARROWEST, min(width, WIDEST)), highlight=False)


def write(report: str) -> None:
    """All at once, so that a reader who leaves early (`| head`) does not change the exit status."""
    encoding = sys.stdout.encoding or "utf-8"
    safe = report.encode(encoding, "backslashreplace").decode(encoding)
    try:
        sys.stdout.write(safe)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def replacing(destination: Path, *, private: bool) -> Iterator[BinaryIO]:
    """A file beside the destination that takes its place when it is whole; nothing is left of it otherwise.

    A private one is readable to the user alone. What is no regular file, such as a pipe, is written to as it is.
    """
    target = destination.resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as special:
            yield special
        return
    import tempfile

    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:  # such a file has mode 0600
            yield cast("BinaryIO", file)
            file.flush()
            if not private:
                os.fchmod(file.fileno(), _mode(target))
            os.replace(file.name, target)  # noqa: PTH105  (of Path it would be taken for that of a string)
        except BaseException:
            os.unlink(file.name)  # noqa: PTH108
            raise


def write_file(path: Path, content: str, *, private: bool) -> None:
    """Whole, or not at all. Raises UsageError."""
    write_files([(path, content)], private=private)


def write_files(contents: Sequence[tuple[Path, str]], *, private: bool) -> None:
    """All of them, or none: the first takes its place when the last is whole. Raises UsageError.

    What takes its place by then stays, should the system refuse one of the others theirs.
    """
    from imsinspect.capture.errors import UsageError

    path = None
    try:
        with ExitStack() as waiting:
            for path, content in contents:
                file = waiting.enter_context(replacing(path, private=private))
                file.write(content.encode("utf-8"))
                file.flush()
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}") from error


def check_destination(captures: Sequence[str], destination: Path, others: Sequence[Path]) -> None:
    """A file that is written is none that is read. `others`: keys and policies. Raises BadParameter."""
    import typer

    if not destination.parent.is_dir() or destination.is_dir():
        raise typer.BadParameter(f"cannot write to {destination}: no such folder, or a folder itself")
    if destination.exists():
        from imsinspect.capture.source import expand

        if any(is_read(destination, path) for path in expand(captures)):
            raise typer.BadParameter(f"{destination} is one of the captures, which are not written over")
        if any(path.exists() and destination.samefile(path) for path in others):
            raise typer.BadParameter(f"{destination} holds keys or a policy, and is not written over")


def _mode(target: Path) -> int:
    """The mode of the file that is replaced, or what the user gives to new files."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def is_read(destination: Path, source: str) -> bool:
    """Whether a file that is there is the one that a source names, or that standard input was led from."""
    if source != STANDARD_INPUT:
        return destination.samefile(source)
    try:
        return os.path.samestat(destination.stat(), os.fstat(sys.stdin.buffer.fileno()))
    except (OSError, ValueError):  # no file of the system
        return False
