"""Finds MSRP messages in a byte stream by their transaction identifiers and end-lines (RFC 4975 §7.1)."""

from __future__ import annotations

import re

# transaction identifier: ALPHANUM 3*31ident-char; then a method or a three-digit status (RFC 4975 §9)
START = re.compile(rb"MSRP ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}) (?:[A-Z]{2,32}|[0-9]{3}(?: [^\r\n]{0,256})?)\r\n")
MAX_MESSAGE = 16 << 20  # octets searched for an end-line


def is_start(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a message begins at the place."""
    return START.match(data, at) is not None


def next_message(data: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """The next whole message at or behind the place as (start, end); None when no whole one is there.

    The end-line is seven hyphens, the transaction identifier of the start line, and a continuation flag.
    """
    found = START.search(data, at)
    if found is None:
        return None
    end_line = re.compile(rb"-------" + re.escape(found[1]) + rb"[$#+]\r\n")
    end = end_line.search(data, found.end(), min(len(data), found.end() + MAX_MESSAGE))
    return (found.start(), end.end()) if end else None
