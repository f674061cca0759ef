"""Findings as comments on the packets that show them, a line each: what Wireshark and tshark show of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from imsinspect.capture.frames import frame_number
from imsinspect.report.escape import printable
from imsinspect.report.words import sureness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Finding

COMMENT = 2_000  # characters, at most
VALUE = 300  # of one value
COMMENTS = 32  # on one packet
MARK = "imsinspect"


class Comments(Mapping[int, list[str]]):
    """Comments by frame number: of each finding one on each frame of its evidence, written when they are asked for.

    `original` names the capture whose frame numbers the comments speak of, where these are others in what is written.
    """

    def __init__(self, findings: Iterable[Finding], original: str = "") -> None:
        self._original = original
        self._told: dict[int, list[tuple[Finding, FrameId]]] = {}
        for finding in findings:
            for frame in dict.fromkeys(each.frame for each in finding.evidence):
                self._told.setdefault(frame_number(frame), []).append((finding, frame))

    def __getitem__(self, number: int) -> list[str]:
        """The comments on a frame."""
        told = self._told[number]
        said = [_comment(finding, frame, self._original) for finding, frame in told[:COMMENTS]]
        if len(told) > COMMENTS:
            said.append(f"{MARK}: {len(told) - COMMENTS} more findings rest on this frame")
        return said

    def __iter__(self) -> Iterator[int]:
        """The frames that have comments."""
        return iter(self._told)

    def __len__(self) -> int:
        """How many these are."""
        return len(self._told)


def _comment(finding: Finding, frame: FrameId, original: str) -> str:
    seen = "; ".join(
        f"{printable(each.field, VALUE)}: observed {printable(each.observed, VALUE)}"
        + (f", required {printable(each.expected, VALUE)}" if each.expected else "")
        for each in finding.evidence
        if each.frame == frame
    )
    parts = [
        f"{MARK} {finding.rule} {finding.name} ({finding.severity.token}, {sureness(finding)}): "
        f"{printable(finding.title, VALUE)}",
        printable(seen, 2 * VALUE),
        printable(finding.message, 2 * VALUE),
        f"Clauses: {printable('; '.join(finding.references), VALUE)}" if finding.references else "",
        f"Remedy: {printable(finding.remediation, VALUE)}" if finding.remediation else "",
    ]
    place = f"; frame {frame_number(frame)} of {printable(original, VALUE)}" if original else ""
    said = " | ".join(part for part in parts if part)
    return f"{said[:COMMENT]} | Fingerprint: {finding.fingerprint}{place}"
