"""Findings as comments on the packets that show them, a line each: what Wireshark and tshark show of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.frames import frame_number
from imsinspect.report.escape import printable
from imsinspect.report.words import sureness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.rules.outcome import Finding

COMMENT = 2_000  # characters, at most
VALUE = 300  # of one value
COMMENTS = 32  # on one packet
MARK = "imsinspect"


def comments(findings: Sequence[Finding], original: str = "") -> dict[int, list[str]]:
    """Comments by frame number: of each finding one on each frame of its evidence.

    `original` names the capture whose frame numbers the comments speak of, where these are others in what is written.
    """
    out: dict[int, list[str]] = {}
    more: dict[int, int] = {}
    for finding in findings:
        for frame in dict.fromkeys(each.frame for each in finding.evidence):
            number = frame_number(frame)
            said = out.setdefault(number, [])
            if len(said) < COMMENTS:
                said.append(_comment(finding, frame, original))
            else:
                more[number] = more.get(number, 0) + 1
    for number, left in more.items():
        out[number].append(f"{MARK}: {left} more findings rest on this frame")
    return out


def _comment(finding: Finding, frame: int, original: str) -> str:
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
