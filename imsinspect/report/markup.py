"""How pages are made of templates: every string is made visible and escaped, and inline parts are named by hashes."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined

from imsinspect.report.escape import printable
from imsinspect.report.words import brief


def environment() -> Environment:
    """Escapes what templates are given, and knows no value that they are not given."""
    made = Environment(
        loader=PackageLoader("imsinspect.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["brief"] = brief
    return made


def source(environment: Environment, name: str) -> str:
    """A style or script of our own, as it stands in its file."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def hashed(source: str) -> str:
    """How a content security policy names an inline element."""
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def ascii_only(page: str) -> str:
    """The page with references for all other characters."""
    return page.encode("ascii", "xmlcharrefreplace").decode()


def _shown(value: object) -> object:
    """What every expression of a template goes through before it is escaped; our own markup passes."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
