"""Gateway control (H.248 on Iq and Mp): what its messages carry, and the descriptions that they give for terminations.

Text is read for its commands; of binary messages only what stands in them as text is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.h248.facts import facts
from dissectors.sdp.parse import parse as parse_sdp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.h248.facts import CommandFacts, Octets
    from dissectors.sdp.parse import SessionDescription
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import CarriedMessage, Protection

MARKS = {b"a=crypto:": "a=crypto", b"a=fingerprint:": "a=fingerprint", b"a=key-mgmt:": "a=key-mgmt"}
MAX_DESCRIPTIONS = 64  # of one message


@dataclass(slots=True, frozen=True)
class TerminationDescription:
    """The session description of one stream of a termination, on one side of it (H.248.1 §7.1.6)."""

    remote: bool  # of the Remote descriptor: what the gateway is told of the peer; else of the Local one
    command: str  # "Add", "Modify" …
    reply: bool  # the gateway says it
    context_id: bytes
    termination: bytes
    stream_id: int
    sdp: SessionDescription


@dataclass(slots=True)
class GatewayMessage:
    """One H.248 message."""

    frames: tuple[FrameId, ...]
    time: int
    source: Endpoint
    destination: Endpoint
    transport: str
    protection: Protection
    text: bool  # else BER
    carries: tuple[str, ...]  # "a=crypto", "a=fingerprint", "a=key-mgmt"
    descriptions: list[TerminationDescription] = field(default_factory=list)


def gateway_messages(carried: list[CarriedMessage]) -> list[GatewayMessage]:
    """All H.248 messages that could be read, in time order."""
    return [_read(each) for each in carried if each.kind == "h248"]


def _read(message: CarriedMessage) -> GatewayMessage:
    carries = tuple(name for mark, name in MARKS.items() if mark in message.data)
    read = facts(message.data) if carries else None
    is_text = message.data.lstrip()[:1] in b"Mm!Aa" if message.data.strip() else False
    out = GatewayMessage(
        message.frames, message.time, message.source, message.destination, message.transport, message.protection,
        is_text, carries,
    )  # fmt: skip
    if read is not None:
        for command in read.commands:
            for each in _descriptions(command):
                if len(out.descriptions) < MAX_DESCRIPTIONS:
                    out.descriptions.append(each)
    return out


def _descriptions(command: CommandFacts) -> Iterator[TerminationDescription]:
    for stream in command.streams:
        for remote, octets in ((False, stream.local), (True, stream.remote)):
            if octets is not None and any(mark in octets.data for mark in MARKS):
                yield TerminationDescription(
                    remote, command.command, command.kind != "request", command.context_id, command.termination,
                    stream.stream_id, _described(octets),
                )  # fmt: skip


def _described(octets: Octets) -> SessionDescription:
    """Descriptors hold the lines of a description with any white space before and behind them (H.248.1 §7.1.8)."""
    lines = [line.strip() for line in octets.data.replace(b"\r", b"\n").split(b"\n")]
    return parse_sdp(b"\r\n".join(line for line in lines if line) + b"\r\n")
