"""Finds MSRP messages in a byte stream by their transaction identifiers and end-lines (RFC 4975 §7.1)."""

from __future__ import annotations

import re

# transaction identifier: ALPHANUM 3*31ident-char; then a method or a three-digit status (RFC 4975 §9). Behind the line
# stands a header or an end-line, as far as there are octets.
START = re.compile(
    rb"MSRP ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}) (?:[A-Z]{2,32}|[0-9]{3}(?: [^\r\n]{0,256})?)\r\n"
    rb"(?=-------|[!-9;-~]{1,64}(?:[ \t]*:|\Z)|\r\n|\Z)"
)
MAX_START_LINE = 320  # octets of the longest start line, rounded up
MAX_END_LINE = 44  # octets, with the line end before it
MAX_MESSAGE = 16 << 20  # octets searched for an end-line
FLAGS = (b"$\r\n", b"+\r\n", b"#\r\n")

_ANY_END = re.compile(rb"\r\n-------([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31})([$+#])\r\n(?=MSRP |\Z)")


def is_start(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a message begins at the place."""
    return START.match(data, at) is not None


def next_message(data: bytes | bytearray, at: int = 0, searched: int = 0) -> tuple[int, int] | None:
    """The next whole message at or behind the place as (start, end); None when no whole one is there.

    A caller that comes back with more octets may say up to where no end-line was found before.
    """
    found = START.search(data, at)
    if found is None:
        return None
    begin = max(found.end() - 2, searched - MAX_END_LINE)
    end = end_line(data, found[1], begin, min(len(data), found.end() + MAX_MESSAGE))
    return (found.start(), end[1]) if end else None


def end_line(data: bytes | bytearray, transaction: bytes, at: int, stop: int) -> tuple[int, int] | None:
    """Where the line end in front of a transaction's end-line begins, and where the end-line ends (RFC 4975 §7.1).

    The end-line is a whole line of seven hyphens, the transaction identifier of the start line, and a continuation
    flag. Anything else, end-lines of other transactions among it, is body.
    """
    sought = b"\r\n-------" + transaction
    found = data.find(sought, at, stop)
    while found >= 0:
        end = found + len(sought) + 3
        if end <= stop and data[end - 3 : end] in FLAGS:
            return found, end
        found = data.find(sought, found + 2, stop)
    return None


def cut_off(data: bytes | bytearray, at: int = 0) -> tuple[int, int, bytes] | None:
    """The end of a message whose beginning is not there: where its end-line begins and ends, and its transaction.

    An end-line counts that the next message or nothing follows.
    """
    found = _ANY_END.search(data, at)
    return (found.start(), found.end(), bytes(found[1])) if found else None


def unread(data: bytes | bytearray, at: int = 0) -> int:
    """Where the octets begin that may still become a message, when `next_message` found none behind the place."""
    found = START.search(data, at)
    return found.start() if found else max(at, len(data) - MAX_START_LINE)
