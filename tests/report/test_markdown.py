"""Markdown: what a ticket shows, and nothing that the wire could make of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from imsinspect.report.escape import printable
from imsinspect.report.markdown import code, plain, render
from imsinspect.rules.outcome import Severity, Suppressed
from imsinspect.rules.required import Unmet
from imsinspect.trace.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from imsinspect.report.audit import Audit

EXPECTED = Path(__file__).parent / "expected"
READER = MarkdownIt("gfm-like")
HOSTILE = (
    "x](http://evil.example) ![a](b) <b onclick=1> <http://a.example> `c` **d** _e_ ~~f~~ | g @admin #1 GH-2 "
    "www.evil.example https://evil.example a@evil.example [h]: http://i\n# heading\n- item\n\x1b[2J\u202e &lt; $j$ \\"
)
FIELDS = 65_536  # characters of a comment


def tokens(text: str) -> Iterator[Token]:
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def shape(text: str) -> list[str]:
    """The kinds of what stands in a text, without plain text."""
    return [token.type for token in tokens(text) if token.type not in ("text", "inline", "text_special")]


def test_the_whole_report_of_a_failing_call(failing_audit: Audit) -> None:
    assert render(failing_audit) == (EXPECTED / "failing.md").read_text(encoding="utf-8")


def test_nothing_found_and_nothing_to_assess_is_said(empty_audit: Audit) -> None:
    assert render(empty_audit).splitlines()[:6] == [
        "# imsinspect: NOTHING TO ASSESS: no findings",
        "",
        "0 rules decided, 0 not assessed; 0 calls, 0 streams, 0 packets; profile auto, fails on medium and above",
        "",
        "## Findings",
        "",
    ]
    assert "none: nothing could be assessed" in render(empty_audit)


def test_what_is_suppressed_required_and_noted_is_said(failing_audit: Audit) -> None:
    accepted = failing_audit.findings.pop()
    failing_audit.suppressed = [Suppressed(accepted, "lab", "2027-01-01")]
    failing_audit.unmet = [Unmet("IMS-TLS-001", "N-HS", "no handshake")]
    failing_audit.notes = [Note(None, "first"), Note(None, "first"), Note(None, "second")]
    text = render(failing_audit)
    assert f"- {accepted.severity.token} {accepted.rule} {accepted.title}" in text
    assert "(media line call-1/0): lab, until 2027-01-01" in text
    assert "## Required and not assessed\n\n- IMS-TLS-001: N-HS: no handshake\n" in text
    assert text.endswith("## Notes\n\n- first (2 times)\n- second\n")


@pytest.mark.parametrize(
    "value", [HOSTILE, HOSTILE[::-1], "`", "``a`", " b ", "#", "@", "&amp;", "www.a.example", "\\`"]
)
def test_a_value_is_only_text_wherever_it_stands(value: str) -> None:
    shown = printable(value)
    parsed = READER.parse(f"- what: {plain(shown)}")
    assert [token.type for token in parsed] == shape_of_an_item()
    inline = next(token for token in parsed if token.type == "inline")
    assert inline.children is not None
    assert {child.type for child in inline.children} <= {"text", "text_special", "html_inline"}
    assert all(child.content == "<!-- -->" for child in inline.children if child.type == "html_inline")
    said = "".join(child.content for child in inline.children if child.type != "html_inline")
    assert said == f"what: {shown}".rstrip(" ")
    [spanned] = (token for token in tokens(f"- {code(shown)}") if token.type == "code_inline")
    assert spanned.content == shown


def shape_of_an_item() -> list[str]:
    return [token.type for token in READER.parse("- what: a")]


def test_text_from_the_wire_makes_no_markup(failing_audit: Audit) -> None:
    expected = shape(render(failing_audit))
    allowed = {"html_inline"}
    first = failing_audit.findings[1]
    evidence = tuple(replace(each, observed=HOSTILE, expected=HOSTILE, field=HOSTILE) for each in first.evidence)
    failing_audit.findings[1] = replace(
        first, title=HOSTILE, message=HOSTILE, remediation=HOSTILE, evidence=evidence,
        subject=replace(first.subject, id=HOSTILE),
    )  # fmt: skip
    failing_audit.trace.captures[0].path = HOSTILE
    failing_audit.trace.calls[0].from_uri = HOSTILE.encode()
    text = render(failing_audit)
    found = [each for each in shape(text) if each not in allowed]
    assert not {"link_open", "image", "html_block", "strong_open", "s_open", "table_open"} & set(found) - set(expected)
    assert found.count("heading_open") == expected.count("heading_open")
    assert found.count("list_item_open") <= expected.count("list_item_open")
    assert not any(character in text for character in "\x1b\u202e\r")


def test_a_comment_has_room_for_it_however_much_was_found(failing_audit: Audit) -> None:
    many = []
    for number in range(400):
        for each in failing_audit.findings:
            many.append(replace(each, fingerprint=f"{number:028x}{each.fingerprint[:4]}", message=HOSTILE * 20))
    failing_audit.findings = many
    failing_audit.notes = [Note(None, f"{number} {HOSTILE}") for number in range(1_000)]
    failing_audit.unmet = [Unmet("IMS-TLS-001", "N-HS", HOSTILE * 9)] * 1_000
    failing_audit.suppressed = [Suppressed(many[0], HOSTILE * 9, "2027-01-01")] * 1_000
    text = render(failing_audit)
    assert len(text) < FIELDS
    assert "more findings, for which there is no room here; the JSON report holds all*" in text
    assert Severity.CRITICAL.token.upper() in text
