"""Text from the wire can neither steer a terminal nor hide or reorder what is near it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from imsinspect.report.escape import printable, text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain sip:alice@ims.example.org", "plain sip:alice@ims.example.org"),
        (b"\x1b[31mred\x1b]8;;http://x\x07", r"\x1b[31mred\x1b]8;;http://x\x07"),
        (b"a\r\nb\tc\0d\x7f", r"a\r\nb\tc\0d\x7f"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("next\u0085line\u2028para\u2029", r"next\x85line\u2028para\u2029"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("private \ue000", r"private \ue000"),
        ("no\u00a0break", r"no\xa0break"),
        ("blank \u3164\u2800\ufe0f", r"blank \u3164\u2800\ufe0f"),
        ("\u0301leading mark, e\u0301, e\u0301\u0302\u0303", "\u005cu0301leading mark, e\u0301, e\u0301\u0302\\u0303"),
        (b"not UTF-8: \xff\xc3\x28", r"not UTF-8: \xff\xc3("),
        ("lone \ud800 \udcff", r"lone \ud800 \xff"),
        ("[bold]not markup[/bold] :smile:", "[bold]not markup[/bold] :smile:"),
        ("Zoë, 李", "Zoë, 李"),
    ],
)
def test_what_is_shown(value: bytes | str, shown: str) -> None:
    assert printable(value) == shown


def test_long_values_are_cut_and_the_rest_is_counted() -> None:
    assert printable("x" * 30, 10) == "xxxxxxxxxx… (20 more characters)"
    assert printable("x" * 10, 10) == "xxxxxxxxxx"


def test_rich_reads_no_markup_in_what_is_shown() -> None:
    assert Text.assemble(printable("[red]x[/red]")).plain == "[red]x[/red]"


def test_json_text_keeps_control_characters_and_is_valid_unicode() -> None:
    assert text(b"a\x1b\n\xff") == "a\x1b\n\\xff"
    assert text("\udcff\ud83d") == "\\xff\\ud83d"


@given(st.binary() | st.text(st.characters(exclude_categories=())))
def test_nothing_that_is_shown_steers_anything(value: bytes | str) -> None:
    shown = printable(value)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert json.loads(json.dumps(text(value))) == text(value)
