"""One self-contained HTML page for a reviewer who gets it by mail: it loads nothing, and runs only our own filter.

Every string goes through the template's escaping and, before that, through `printable`: what came from the wire can
neither become an element nor hide or reorder what stands beside it. The page is ASCII; other characters are references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report import markup
from imsinspect.report.view import view

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

POLICY = "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
"""Of the page (Content Security Policy): inline parts by the hashes of their text, and nothing else."""


def render(audit: Audit) -> str:
    """The page as text."""
    environment = markup.environment()
    style, script = (markup.source(environment, name) for name in ("page.css", "page.js"))
    page = environment.get_template("page.html").render(
        view=view(audit),
        style=style,
        script=script,
        policy=POLICY.format(style=markup.hashed(style), script=markup.hashed(script)),
    )
    return markup.ascii_only(page)
