"""The nested form of H.248 text: where each part of a message begins and ends, without Scapy (H.248.1 Annex B.2).

Every part is `token`, perhaps `= value`, perhaps `{ parts }`, with a comma behind it. White space and comments may
stand between any two of these. The octets of Local and Remote are no such parts: they end at the first brace without a
backslash in front. All scans go forwards once, so the time is linear whatever the octets are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_LIMIT = 1024
"""Parts of one list that are taken apart."""

SPACE = rb"(?:[ \t\r\n]++|;[^\r\n]*+)*+"
"""LWSP: white space, line ends and comments."""

TOKEN = rb"[^ \t\r\n={},;#<>\"\[\]]*+"

QUOTED = rb'"[^"\r\n]*+"'

VALUE = rb"(?:" + QUOTED + rb"|\[[^\]{}]*+\](?::[0-9]++)?|<[^>{}]*+>(?::[0-9]++)?|[^ \t\r\n{},;\"]*+)"
"""A value: quoted, a list or range, an address or a domain name with its port, or safe characters."""

OCTETS = rb"(?:[^}]|(?<=\\)\})*+"
"""octetString: in it a closing brace has a backslash in front."""

_BODY = re.compile(OCTETS)
_SPACE = re.compile(SPACE)
_TAIL = re.compile(SPACE + rb",")
_OPAQUE = rb"(?<![^ \t\r\n{},])(?:Local|Remote|L|R)[ \t\r\n]*+\{" + OCTETS + rb"\}?"
_STRUCTURE = re.compile(_OPAQUE + rb"|" + QUOTED + rb"|;[^\r\n]*+|[{}\[\],]", re.IGNORECASE)
_PART = re.compile(
    SPACE + rb"(?P<token>" + TOKEN + rb")(?:" + SPACE + rb"=" + SPACE + rb"(?P<value>" + VALUE + rb"))?" + SPACE
)

_OPEN, _CLOSE, _SQUARE, _SQUARED, _COMMA = b"{}[],"


class Part(NamedTuple):
    """One part of a message. All are offsets into the octets that were given."""

    start: int  # of the white space in front of it
    end: int  # behind its comma
    token: tuple[int, int]
    value: tuple[int, int]  # empty where it has none
    body: tuple[int, int] | None  # between the braces; None without any


def skip(data: bytes, at: int, end: int) -> int:
    """Where the white space and the comments at `at` end."""
    found = _SPACE.match(data, at, end)
    return found.end() if found else at


def extents(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the parts of a list begin and end, commas included; ends at a closing brace that opens nowhere in it."""
    start, depth, square = at, 0, 0
    resume = at
    for found in _STRUCTURE.finditer(data, at, end):
        if found.start() < resume:  # a comma that was taken with the part in front of it
            continue
        sign = data[found.start()] if found.end() - found.start() == 1 else -1
        if sign == _OPEN:
            depth += 1
        elif sign == _CLOSE:
            depth -= 1
            if depth < 0:
                end = found.start()
                break
        elif sign == _SQUARE:
            square += 1
        elif sign == _SQUARED:
            square = max(square - 1, 0)
        closes = sign == _CLOSE or (sign == -1 and data[found.end() - 1] == _CLOSE and data[found.start()] not in b'";')
        if depth or not (closes or (sign == _COMMA and not square)):
            continue
        stop = found.end()
        if closes:
            tail = _TAIL.match(data, stop, end)
            stop = tail.end() if tail else stop
            square = 0
        yield start, stop
        start = resume = stop
    if skip(data, start, end) < end:
        yield start, end


def part(data: bytes, start: int, end: int) -> Part:
    """Takes one part apart."""
    found = _PART.match(data, start, end)
    if found is None:
        return Part(start, end, (start, start), (start, start), None)
    token = found.span("token")
    value = found.span("value") if found["value"] is not None else (found.end(), found.end())
    body = None
    if data[found.end() : found.end() + 1] == b"{" and found.end() < end:
        inside = found.end() + 1
        close = data.rfind(b"}", inside, end)
        body = inside, close if close >= 0 else end
    return Part(start, end, token, value, body)


def parts(data: bytes, at: int, end: int) -> Iterator[Part]:
    """The parts of a list, a limited number of them."""
    for number, (start, stop) in enumerate(extents(data, at, end)):
        if number == PART_LIMIT:
            return
        yield part(data, start, stop)


def list_end(data: bytes) -> int:
    """Where a list that stands at the front of some octets ends, without the white space behind its last part."""
    return max((end for _, end in extents(data, 0, len(data))), default=0)


def octets_end(data: bytes) -> int:
    """Where an octetString that stands at the front ends, without the blanks behind its last line."""
    found = _BODY.match(data)
    end = found.end() if found else 0
    return len(data[:end].rstrip(b" \t"))
