"""One self-contained HTML page for a reviewer who gets it by mail: it loads nothing, and runs only our own filter.

Every string goes through the template's escaping and, before that, through `printable`: what came from the wire can
neither become an element nor hide or reorder what stands beside it. The page is ASCII; other characters are references.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from imsinspect.report.escape import printable
from imsinspect.report.view import view
from imsinspect.report.words import brief

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

POLICY = "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
"""Of the page (Content Security Policy): inline parts by the hashes of their text, and nothing else."""


def render(audit: Audit) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("imsinspect.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["brief"] = brief
    style, script = (_source(environment, name) for name in ("page.css", "page.js"))
    page = environment.get_template("page.html").render(
        view=view(audit),
        style=style,
        script=script,
        policy=POLICY.format(style=_hash(style), script=_hash(script)),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode()


def _shown(value: object) -> object:
    """What every expression of the template goes through before it is escaped; our own markup passes."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(source: str) -> str:
    """How a policy names an inline element."""
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
