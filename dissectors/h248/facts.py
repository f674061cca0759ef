"""What an H.248 message in text says, lean and without Scapy: commands, their terminations, and the SDP of each stream.

`facts(octets)` gives one row for each command, and one without a command for a transaction or action that has none
(H.248.1 §8). Places are offsets into the octets given. Nothing here raises, whatever the octets are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.h248.codes import TOKENS, forms
from dissectors.h248.parse import SPACE, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.h248.parse import Part

ROW_LIMIT = 4096
ONLY_STREAM = 1  # of a termination whose descriptors name none (H.248.1 §7.1.6)

_MID = rb"(?:[Mm][Tt][Pp][ \t\r\n]*+\{[^}]*+\}?|\[[^\]\s]*+\]?(?::[0-9]++)?|<[^>\s]*+>?(?::[0-9]++)?|[^\s;{}=]++)"
_HEADER = re.compile(
    rb"(?P<authentication>" + SPACE + rb"(?:Authentication|AU)" + SPACE + rb"=" + SPACE + rb"[0-9A-FX:]*+)?" + SPACE
    + rb"(?:MEGACO|!)/(?P<version>[0-9]{1,2})" + SPACE + rb"(?P<mid>" + _MID + rb")",
    re.IGNORECASE,
)  # fmt: skip
_PREFIX = re.compile(rb"(?P<optional>O-)?(?P<wildcard>W-)?", re.IGNORECASE)

KINDS = {
    "TransToken": "request",
    "ReplyToken": "reply",
    "PendingToken": "pending",
    "ResponseAckToken": "ack",
    "MessageSegmentToken": "segment",
    "ErrorToken": "error",
}
COMMANDS = (
    "AddToken",
    "ModifyToken",
    "SubtractToken",
    "MoveToken",
    "AuditValueToken",
    "AuditCapToken",
    "NotifyToken",
    "ServiceChangeToken",
)


def _by_form(names: dict[str, str]) -> dict[bytes, str]:
    return {form: name for rule, name in names.items() for form in forms(rule)}


_KINDS = _by_form(KINDS)
_COMMANDS = _by_form({rule: TOKENS[rule][0] for rule in COMMANDS})
_ERROR = frozenset(forms("ErrorToken"))
_CONTEXT = frozenset(forms("CtxToken"))
_MEDIA = frozenset(forms("MediaToken"))
_STREAM = frozenset(forms("StreamToken"))
_LOCAL = frozenset(forms("LocalToken"))
_REMOTE = frozenset(forms("RemoteToken"))
_CONTROL = frozenset(forms("LocalControlToken"))
_MODE = frozenset(forms("ModeToken"))
_OBSERVED = frozenset(forms("ObservedEventsToken"))


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets and where they stand."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """Behind the last one."""
        return self.start + len(self.data)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of a termination (H.248.1 §7.1.6)."""

    stream_id: int
    mode: bytes  # as sent; b"" where it is not given
    local: Octets | None  # session descriptions; several are alternatives
    remote: Octets | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CommandFacts:
    """One command or reply to one; `command` is "" for what a transaction or an action says without any."""

    kind: str  # of the transaction: request, reply, pending, ack, segment, error
    transaction_id: int | None
    context_id: bytes  # b"" outside of an action; "$", "*" and "-" as sent
    command: str  # long form of its token
    optional: bool
    wildcard: bool
    termination: bytes
    streams: tuple[StreamFacts, ...]
    events: tuple[bytes, ...]  # names of observed events, in lower case
    error_code: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One message (H.248.1 §8.3)."""

    version: int
    mid: bytes
    authenticated: bool  # it has an authentication header
    commands: tuple[CommandFacts, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a message the reading is."""

    kind: str
    transaction_id: int | None
    context_id: bytes = b""


def facts(octets: bytes) -> MessageFacts | None:
    """What a message in text says; None for octets that do not begin as one. `bytes(layer)` of a layer will do."""
    header = _HEADER.match(octets)
    if header is None:
        return None
    rows: list[CommandFacts] = []
    for transaction in parts(octets, header.end(), len(octets)):
        for row in _transaction(octets, transaction):
            rows.append(row)
            if len(rows) == ROW_LIMIT:
                break
    return MessageFacts(int(header["version"]), header["mid"], header["authentication"] is not None, tuple(rows))


def _token(data: bytes, part: Part) -> bytes:
    return data[slice(*part.token)].upper()


def _inside(data: bytes, part: Part) -> Iterator[Part]:
    return iter(()) if part.body is None else parts(data, *part.body)


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= 10 else None


def _row(place: _Place, part: Part, error: int | None = None) -> CommandFacts:
    return CommandFacts(
        place.kind,
        place.transaction_id,
        place.context_id,
        "",
        False,
        False,
        b"",
        (),
        (),
        error,
        part.start,
        part.end,
    )


def _transaction(data: bytes, part: Part) -> Iterator[CommandFacts]:
    kind = _KINDS.get(_token(data, part))
    if kind is None:
        return
    value = data[slice(*part.value)]
    if kind == "error":
        yield _row(_Place(kind, None), part, _number(value))
        return
    place = _Place(kind, _number(value.partition(b"/")[0]))
    empty = True
    for action in _inside(data, part):
        token = _token(data, action)
        if token in _ERROR:
            empty = False
            yield _row(place, action, _number(data[slice(*action.value)]))
        elif token in _CONTEXT:
            empty = False
            yield from _action(data, action, _Place(kind, place.transaction_id, data[slice(*action.value)]))
    if empty:
        yield _row(place, part)


def _action(data: bytes, part: Part, place: _Place) -> Iterator[CommandFacts]:
    empty = True
    for each in _inside(data, part):
        token = _token(data, each)
        if token in _ERROR:
            empty = False
            yield _row(place, each, _number(data[slice(*each.value)]))
            continue
        prefix = _PREFIX.match(token)
        name = _COMMANDS.get(token[prefix.end() :] if prefix else token)
        if name is not None and prefix is not None:
            empty = False
            yield _command(data, each, place, name, prefix)
    if empty:
        yield _row(place, part)


def _command(data: bytes, part: Part, place: _Place, name: str, prefix: re.Match[bytes]) -> CommandFacts:
    streams: list[StreamFacts] = []
    events: list[bytes] = []
    error = None
    for each in _inside(data, part):
        token = _token(data, each)
        if token in _MEDIA:
            streams += _media(data, each)
        elif token in _OBSERVED:
            for event in _inside(data, each):
                events.append(data[slice(*event.token)].rpartition(b":")[2].lower())
        elif token in _ERROR:
            error = _number(data[slice(*each.value)])
    return CommandFacts(
        place.kind,
        place.transaction_id,
        place.context_id,
        name,
        prefix["optional"] is not None,
        prefix["wildcard"] is not None,
        data[slice(*part.value)],
        tuple(streams),
        tuple(events),
        error,
        part.start,
        part.end,
    )


def _media(data: bytes, part: Part) -> Iterator[StreamFacts]:
    unnamed: list[Part] = []
    for each in _inside(data, part):
        if _token(data, each) in _STREAM:
            number = _number(data[slice(*each.value)])
            yield _stream(data, each, list(_inside(data, each)), ONLY_STREAM if number is None else number)
        else:
            unnamed.append(each)
    if any(_token(data, each) in _LOCAL | _REMOTE | _CONTROL for each in unnamed):
        yield _stream(data, part, unnamed, ONLY_STREAM)


def _stream(data: bytes, part: Part, inside: list[Part], number: int) -> StreamFacts:
    local = remote = None
    mode = b""
    for each in inside:
        token = _token(data, each)
        if token in _LOCAL:
            local = _octets(data, each)
        elif token in _REMOTE:
            remote = _octets(data, each)
        elif token in _CONTROL:
            for parm in _inside(data, each):
                if _token(data, parm) in _MODE:
                    mode = data[slice(*parm.value)]
    return StreamFacts(number, mode, local, remote, part.start, part.end)


def _octets(data: bytes, part: Part) -> Octets | None:
    """The octets in the braces, without the white space around the descriptions."""
    if part.body is None:
        return None
    start, end = part.body
    octets = data[start:end].lstrip()
    return Octets(end - len(octets), octets.rstrip(b" \t"))
