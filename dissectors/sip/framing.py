"""SIP messages in byte streams: where each begins and ends (RFC 3261 §18.3, RFC 5626 §3.5.1). No state is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dissectors.sip.parse import LENGTH_DIGITS, START_LINE_LIMIT, is_start_line

HEADER_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024

_EMPTY_LINES = re.compile(rb"(?:\r\n)*+")
_HEAD_END = re.compile(rb"\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:([^\n]*)", re.IGNORECASE)
_VIA = re.compile(rb"\n(?:via|v)[ \t]*:", re.IGNORECASE)
_START_LINE = re.compile(
    rb"^(?:SIP/2\.0 +[0-9]{3}(?![0-9])|[A-Za-z0-9\-.!%*_+`'~]{1,64}+ [^\n]{1,8192}? SIP/2\.0[ \t]*+\r?$)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(slots=True, frozen=True)
class Framed:
    """A stretch of a byte stream: one message, or (`message` false) octets that are none."""

    start: int
    end: int  # the next message is looked for from here
    keepalives: int = 0  # pings (CRLFCRLF) and pongs (CRLF) before `start`
    note: str = ""
    message: bool = True


def next_message(data: bytes | bytearray, at: int = 0) -> Framed | None:
    """The next message at or behind `at`; None while more bytes are needed.

    Octets that are no message come back with `message` false: keep-alives with nothing behind them yet, and what
    stands before the next start line when the octets at `at` are no SIP. A message whose Content-Length can't be
    trusted ends with its headers, and its note says so.
    """
    empty = _EMPTY_LINES.match(data, at)
    start = empty.end() if empty else at
    lines = (start - at) // 2
    keepalives = lines // 2 + lines % 2
    if start >= len(data):
        return Framed(start, start, keepalives, message=False) if keepalives else None
    if data.find(b"\n", start, start + START_LINE_LIMIT) < 0 and len(data) - start < START_LINE_LIMIT:
        return None
    if not is_start_line(data, start):
        return _skipped(data, start, keepalives, "octets are no SIP message")
    found = _HEAD_END.search(data, start, start + HEADER_LIMIT)
    if found is None:
        if len(data) - start < HEADER_LIMIT:
            return None
        return _skipped(data, start, keepalives, f"headers are longer than {HEADER_LIMIT} octets")
    end = found.end()
    length, note = declared_length(data, start, end)
    if end + length > len(data):
        return None
    return Framed(start, end + length, keepalives, note)


def declared_length(data: bytes | bytearray, start: int, end: int) -> tuple[int, str]:
    """Octets of the body under the headers in data[start:end] of a stream, and what is wrong with their number."""
    values = [bytes(value).strip() for value in _CONTENT_LENGTH.findall(data, start, end)]
    if not values:
        return 0, "no Content-Length in a byte stream: taken as 0"
    note = ""
    if len(values) > 1:
        same = len(set(values)) == 1
        note = f"SIP-CLEN: {len(values)} Content-Length headers" + ("" if same else " that differ: the first is used")
    if not values[0].isdigit():
        return 0, "SIP-CLEN: Content-Length is no number: taken as 0"
    if len(values[0]) > LENGTH_DIGITS or int(values[0]) > BODY_LIMIT:
        return 0, f"SIP-CLEN: Content-Length is above {BODY_LIMIT}: taken as 0"
    return int(values[0]), note


def resync(data: bytes | bytearray, at: int = 0) -> int:
    """Where the next start line at or behind `at` stands that has a Via within its headers; -1 if there is none.

    A start line is looked for at the beginning of the data and behind line ends.
    """
    via = head_end = -1
    for found in _START_LINE.finditer(data, at):
        start = found.start()
        if via < start:  # both only ever move on, so that the search stays linear
            match = _VIA.search(data, start)
            if match is None:
                return -1
            via = match.start()
        if head_end < start:
            match = _HEAD_END.search(data, start)
            head_end = match.start() if match else len(data)
        if via <= head_end and via - start < HEADER_LIMIT:
            return start
    return -1


def _skipped(data: bytes | bytearray, start: int, keepalives: int, why: str) -> Framed | None:
    """The octets up to the next start line, or all but what may be the beginning of one."""
    end = resync(data, start + 1)
    if end < 0:
        if len(data) - start < HEADER_LIMIT:
            return None
        begun = _START_LINE.search(data, max(start + 1, len(data) - HEADER_LIMIT))  # its Via may be yet to come
        end = begun.start() if begun else data.rfind(b"\n", start, len(data)) + 1
        if end <= start or (begun is None and len(data) - end >= START_LINE_LIMIT):
            end = len(data)
    return Framed(start, end, keepalives, why, message=False)
