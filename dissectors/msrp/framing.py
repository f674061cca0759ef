"""Finds MSRP messages in a byte stream by their transaction identifiers and end-lines (RFC 4975 §7.1)."""

from __future__ import annotations

import re

# transaction identifier: ALPHANUM 3*31ident-char; then a method or a three-digit status (RFC 4975 §9)
START = re.compile(rb"MSRP ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}) (?:[A-Z]{2,32}|[0-9]{3}(?: [^\r\n]{0,256})?)\r\n")
MAX_START_LINE = 320  # octets of the longest start line, rounded up
MAX_END_LINE = 42  # octets
MAX_MESSAGE = 16 << 20  # octets searched for an end-line


def is_start(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a message begins at the place."""
    return START.match(data, at) is not None


def next_message(data: bytes | bytearray, at: int = 0, searched: int = 0) -> tuple[int, int] | None:
    """The next whole message at or behind the place as (start, end); None when no whole one is there.

    The end-line is seven hyphens, the transaction identifier of the start line, and a continuation flag. A caller that
    comes back with more octets may say up to where no end-line was found before.
    """
    found = START.search(data, at)
    if found is None:
        return None
    end_line = re.compile(rb"-------" + re.escape(found[1]) + rb"[$#+]\r\n")
    begin = max(found.end(), searched - MAX_END_LINE)
    end = end_line.search(data, begin, min(len(data), found.end() + MAX_MESSAGE))
    return (found.start(), end.end()) if end else None


def unread(data: bytes | bytearray, at: int = 0) -> int:
    """Where the octets begin that may still become a message, when `next_message` found none behind the place."""
    found = START.search(data, at)
    return found.start() if found else max(at, len(data) - MAX_START_LINE)
