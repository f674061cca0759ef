"""One self-contained HTML page for a reviewer who gets it by mail: it loads nothing, and runs only our own filter.

Every string goes through the template's escaping and, before that, through `printable`: what came from the wire can
neither become an element nor hide or reorder what stands beside it. The page is ASCII; other characters are references.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.report import markup
from imsinspect.report.ladder import Known, ladder
from imsinspect.report.ladder_svg import STYLE, svg
from imsinspect.report.view import view
from imsinspect.report.view_parts import Link, Listed
from imsinspect.report.words import and_more, brief

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit
    from imsinspect.report.ladder_model import Ladder
    from imsinspect.report.view_parts import View

FINDINGS = 40  # that are named under a picture
POLICY = "default-src 'none'; style-src {page} {picture}; script-src {script}; base-uri 'none'; form-action 'none'"
"""Of the page (Content Security Policy): inline parts by the hashes of their text, and nothing else."""


def render(audit: Audit) -> str:
    """The page as text."""
    environment = markup.environment()
    style, script = (markup.source(environment, name) for name in ("page.css", "page.js"))
    shown, known = view(audit), Known(audit)
    page = environment.get_template("page.html").render(
        view=shown,
        step_by_step=lambda name: _drawn(ladder(audit, name, known), shown),
        style=style,
        script=script,
        policy=POLICY.format(page=markup.hashed(style), picture=markup.hashed(STYLE), script=markup.hashed(script)),
    )
    return markup.ascii_only(page)


@dataclass(slots=True, frozen=True)
class _Drawn:
    """The ladder of a call: our own picture, which has escaped what it shows, and the findings that it numbers."""

    picture: str
    findings: Listed[tuple[int, str, Link]]  # number, severity, title


def _drawn(steps: Ladder, shown: View) -> _Drawn:
    left = len(steps.findings) - FINDINGS
    findings = [
        (number, each.severity.token, Link(f"{each.rule} {brief(each.title)}", shown.anchors.get(id(each), "")))
        for number, each in enumerate(steps.findings[:FINDINGS], 1)
    ]
    return _Drawn(svg(steps), Listed(findings, and_more(left, "finding") if left > 0 else ""))
