"""The ladder of one call as a page of its own: the picture, and all that stands below it as tables.

It loads nothing and runs nothing: the content security policy admits two style elements of our own, by their hashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect import __version__
from imsinspect.capture.frames import frame_number
from imsinspect.report import markup, words
from imsinspect.report.call_views import lasted, standing, who
from imsinspect.report.ladder_facts import frame_words, where
from imsinspect.report.ladder_json import SCHEMA
from imsinspect.report.ladder_svg import STYLE, svg
from imsinspect.report.protection import LEGEND, SIGN
from imsinspect.report.times import iso, plain

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.report.ladder_model import Agreement, Ladder
    from imsinspect.rules.outcome import Finding

POLICY = "default-src 'none'; style-src {page} {picture}; base-uri 'none'; form-action 'none'"
FINDINGS, EVIDENCE, QUESTIONS = 200, 12, 100


def render(ladder: Ladder) -> str:
    """The page as text, in ASCII."""
    environment = markup.environment()
    captures = len(ladder.captures)
    start = min([each.time for each in ladder.arrows], default=ladder.row.begins)

    def frame(value: FrameId) -> str:
        return frame_words(value, captures)

    def agreement_place(value: Agreement) -> str:
        return where(value, captures)

    def since(value: int) -> str:
        return f"{(value - start) / 1e9:.3f}"

    def places(finding: Finding) -> list[str]:
        paths = [words.brief(path) for path in ladder.captures]
        return [
            f"{words.capture_path(paths, capture)}, {words.frames_words(frames)}"
            for capture, frames in words.frames_by_capture(finding.evidence)
        ]

    environment.filters |= {
        "frame": frame, "where": agreement_place, "since": since, "places": places, "frame_number": frame_number,
        "subject": words.subject_words, "sureness": words.sureness, "paragraph": words.paragraph,
    }  # fmt: skip
    style = markup.source(environment, "page.css")
    page = environment.get_template("ladder.html").render(
        ladder=ladder,
        row=ladder.row,
        who="  ".join(who(ladder.row)),
        began=plain(ladder.row.begins),
        start=iso(start),
        lasted=lasted(ladder.row),
        standing=standing(ladder.row),
        numbers={each.fingerprint: number for number, each in enumerate(ladder.findings, 1)},
        more=words.and_more,
        limits={"findings": FINDINGS, "evidence": EVIDENCE, "questions": QUESTIONS},
        signs=SIGN,
        legend=LEGEND,
        picture=svg(ladder),
        style=style,
        version=__version__,
        schema=SCHEMA,
        policy=POLICY.format(page=markup.hashed(style), picture=markup.hashed(STYLE)),
    )
    return markup.ascii_only(page)
