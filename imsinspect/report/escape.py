"""Text from the wire made safe: nothing in it may steer a terminal, break a line, reorder or hide what is near it."""

from __future__ import annotations

import re
import unicodedata

# Printable for Python, yet drawn as nothing or as a blank (Unicode, Default_Ignorable_Code_Point and blank letters).
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(first, last + 1)
}
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\0": r"\0"}
_MARKS = 2  # combining marks on one letter that writing systems need
_SURROGATE = re.compile("[\ud800-\udfff]")


def _surrogate(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def text(value: bytes | str) -> str:
    r"""Bytes of the wire (or a string made of them) as valid Unicode: octets that are not UTF-8 become `\xNN`.

    Control characters stay: this is for JSON, whose encoder escapes them. A view for people uses `printable`.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value.isascii() else _SURROGATE.sub(_surrogate, value)


def printable(value: bytes | str, limit: int | None = None) -> str:
    r"""One line of visible characters: what could steer, reorder, hide or break is written as `\n`, `\xNN`, `\uNNNN`.

    That is every control and format character (ESC, bidirectional overrides, zero-width), every space but U+0020,
    private and unassigned code points, blank letters, and combining marks behind the second of a row. With `limit`,
    what is longer is cut there and the number of characters left out is said.
    """
    whole = text(value)
    rest = 0
    if limit is not None and len(whole) > limit:
        whole, rest = whole[:limit], len(whole) - limit
    if not (whole.isascii() and whole.isprintable()):
        whole = _visible(whole)
    return f"{whole}… ({rest} more characters)" if rest else whole


def _visible(value: str) -> str:
    pieces = []
    marks = _MARKS  # a mark at the very beginning would attach to what stands before the value
    for character in value:
        marks = marks + 1 if not character.isascii() and unicodedata.category(character) in ("Mn", "Me") else 0
        hidden = not character.isprintable() or character in _UNSEEN or marks > _MARKS
        pieces.append(_escaped(character) if hidden else character)
    return "".join(pieces)


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
