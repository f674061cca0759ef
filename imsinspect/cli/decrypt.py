"""`imsinspect decrypt`: a capture with media and TLS content in clear, for who holds the keys."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.capture.errors import UsageError
from imsinspect.cli.output import is_read, replacing
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from typing import BinaryIO

    from imsinspect.decrypting import Decrypted

STANDARD = "-"
NOTHING = 3


def decrypt(
    capture: Annotated[
        str, typer.Argument(metavar="CAPTURE", help="A capture (pcap, pcapng, gzip or zstd), or - for standard input.")
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The pcapng file to be written, or - for standard output.")],
    keys: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Keys that you hold, as JSON (docs/keys.md)."),
    ] = None,
    keylog: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Key log of TLS or DTLS (SSLKEYLOGFILE), to open sessions."),
    ] = None,
    with_secrets: Annotated[
        bool, typer.Option(help="Copy the key logs that the capture itself carries, which are otherwise left out.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and nothing said but errors.")] = False,
) -> int:
    """Write a capture with its media and TLS content in clear, where keys are known.

    Keys are those in the capture (SDES, MIKEY, key logs) and yours. SRTP and SRTCP that verify become RTP and RTCP in
    their frames; what can't be put there, and messages out of TLS, follow their frames. All else stays as it is.

    Exit status: 0 something was decrypted, 2 bad usage or a capture that can't be read, 3 nothing could be decrypted.
    """
    destination = None if out == STANDARD else Path(out)
    _check(capture, destination, [*(keys or ()), *(keylog or ())])

    from imsinspect.cli.progress import Progress
    from imsinspect.decrypting import decrypt as run
    from imsinspect.pipeline import Options

    options = Options(keys=tuple(keys or ()), key_logs=tuple(keylog or ()))
    with Progress(shown=not quiet and sys.stderr.isatty()) as progress, _opened(destination) as file:
        done = run(capture, file, options, progress, with_secrets=with_secrets)
    if not quiet:
        for line in _said(done):
            say(line)
    return 0 if done.anything else NOTHING


def _check(capture: str, destination: Path | None, keys: list[Path]) -> None:
    """What would be a pity to find out at the end; above all, the input is never written over."""
    if capture == STANDARD:
        if sys.stdin.isatty():
            raise typer.BadParameter("standard input is a terminal, not a capture")
    elif not Path(capture).exists():
        raise typer.BadParameter(f"no such file: {capture}")
    elif Path(capture).is_dir():
        raise typer.BadParameter(f"{capture} is a folder: one capture is decrypted at a time")
    if destination is None:
        if sys.stdout.isatty():
            raise typer.BadParameter("standard output is a terminal: name a file, or lead the output elsewhere")
        return
    if destination.is_dir() or not destination.parent.is_dir():
        raise typer.BadParameter(f"cannot write to {destination}: no such folder, or a folder itself")
    if destination.exists():
        if not destination.is_file():
            raise typer.BadParameter(f"{destination} is no regular file")
        if is_read(destination, capture):
            raise typer.BadParameter(f"{destination} is the capture itself, which is not written over")
        if any(path.exists() and destination.samefile(path) for path in keys):
            raise typer.BadParameter(f"{destination} holds keys, and is not written over")


@contextmanager
def _opened(destination: Path | None) -> Iterator[BinaryIO]:
    """Standard output; or a file of the user's alone that takes its place when it is whole."""
    if destination is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise UsageError("standard output was closed before all was written") from None
        return
    with replacing(destination, private=True) as file:
        yield file


def _said(done: Decrypted) -> Iterator[str]:
    """What became of what."""
    media = done.media
    opened = [f"{count} {what} packets" for what, count in media.opened.items() if count]
    if opened:
        opened[-1] += f" of {_count(media.streams, 'stream')}"
    if done.messages:
        opened.append(f"{_count(done.messages, 'message')} out of {_count(done.sessions, 'TLS or DTLS session')}")
    yield f"decrypted: {', '.join(opened) or 'nothing'}"
    if done.inserted:
        yield f"inserted behind the frames that hold them: {_count(done.inserted, 'packet')}"
    if clear := _listed(media.in_clear):
        yield f"kept, in clear already: {clear} packets"
    if closed := _listed(media.without_key):
        yield f"kept, no key is known: {closed} packets of {_count(media.without_key_streams, 'stream')}"
    for diagnosis, count in media.failed.most_common():
        if count:
            yield f"kept, not verified ({diagnosis}): {_count(count, 'packet')}"
    if media.cut:
        yield f"kept, cut by the snap length: {_count(media.cut, 'packet')}"
    if done.closed_sessions:
        yield f"kept, no secret is known: {_count(done.closed_sessions, 'TLS or DTLS session')}"
    if done.closed_records:
        yield f"kept, not authentic with the secrets at hand: {_count(done.closed_records, 'TLS or DTLS record')}"
    if done.secrets:
        yield f"left out: {_count(done.secrets, 'block')} of key material that the capture carries (see --with-secrets)"
    for note in done.notes:
        yield f"note: {note}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
