"""The first half of building a trace: one capture read once. Scans of several captures are correlated together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.capture.beside import media_streams
from imsinspect.capture.errors import CaptureError
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.frames import frame_id
from imsinspect.capture.linktypes import LINK_TYPES, link_name
from imsinspect.capture.source import Capture
from imsinspect.trace.model import CaptureInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.capture.blocks import Secrets
    from imsinspect.capture.opening import Opening
    from imsinspect.capture.source import Opened


@dataclass(slots=True)
class Scan:
    """What one capture held: facts of the file, columns and kept payloads."""

    index: int  # of the capture in the trace
    info: CaptureInfo
    found: FirstPass
    secrets: list[Secrets]
    capture: Capture
    opening: Opening | None = None  # secrets and keys that it was read with


def scan(
    path: str,
    index: int,
    progress: Callable[[int, int], None] | None = None,
    opening: Opening | None = None,
) -> Scan:
    """Read one capture. One that can't be read gives a scan whose info carries the error.

    Of TLS and DTLS, content is kept where the secrets at hand open it.
    """
    return rescan(Capture(path), index, progress, opening)


def rescan(
    capture: Capture,
    index: int,
    progress: Callable[[int, int], None] | None = None,
    opening: Opening | None = None,
) -> Scan:
    """Read a capture, or read it once more because more secrets are known."""
    info = CaptureInfo(capture.path)
    try:
        opened = capture.open()
    except CaptureError as error:
        info.error = str(error)
        return Scan(index, info, FirstPass(), [], capture)
    found = FirstPass(media_streams(opened.windows))
    whole = _run(found, opened, index, opening, progress)
    facts = opened.walk.facts
    info.format = facts.name + (f" ({opened.compression})" if opened.compression else "")
    info.link_types = [link_name(number) for number in facts.links]
    info.packets = facts.packets
    if facts.links and not LINK_TYPES.keys() & set(facts.links):
        info.error = f"{' and '.join(info.link_types)} is not supported: no packet could be read"
        return Scan(index, info, found, facts.secrets, capture, opening)
    info.first_time, info.last_time = facts.first_time, facts.last_time
    info.truncated = not whole
    info.notes = [*facts.notes, *opened.trouble]
    if facts.secrets:
        info.notes.append(f"the capture carries key material ({len(facts.secrets)} decryption secrets blocks)")
    if not whole and not facts.damaged:
        info.notes.append("the capture ends inside a packet: read to its last whole packet")
    if found.cut_packets:
        info.notes.append(f"{found.cut_packets} packets were cut by the snap length")
    if found.fragments.overlaps:
        info.notes.append(f"{len(found.fragments.overlaps)} IP fragments contradict others of their packet")
    info.notes += [f"{count} packets not read: {reason}" for reason, count in sorted(found.skips.items())]
    return Scan(index, info, found, facts.secrets, capture, opening)


def _run(
    found: FirstPass,
    opened: Opened,
    index: int,
    opening: Opening | None,
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Read a capture to its end; False when it ends inside a record."""
    opened.walk.base = frame_id(index, 0)
    learn = None
    if opening is not None:
        found.signalling.secrets, found.signalling.esp_keys = opening.tls, opening.esp
        found.signalling.readable = frozenset(opening.readable)
        learn = opening.learn
    try:
        return found.run(opened.windows, opened.walk, progress, learn)
    finally:
        opened.close()
