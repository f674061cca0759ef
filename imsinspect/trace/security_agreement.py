"""What UEs mirror of the security agreement (RFC 3329): each Security-Verify beside the list that it repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sip.parse import security_mechanisms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import SignallingMessage

MAX_MIRRORED = 10_000  # Security-Verify lists that are kept


@dataclass(slots=True, frozen=True)
class SecurityList:
    """The mechanisms of one header, in order, each in one writing."""

    frame: FrameId
    mechanisms: tuple[str, ...]


def taken_apart(mechanism: str) -> tuple[str, dict[str, str]]:
    """Name and parameters of a mechanism as a list holds it."""
    name, *parameters = mechanism.split(";")
    return name, dict(each.partition("=")[::2] for each in parameters)


@dataclass(slots=True, frozen=True)
class MirroredAgreement:
    """A request with Security-Verify, and the list that its sender was last told."""

    message: SignallingMessage
    verify: SecurityList
    server: SecurityList | None  # None: not in the capture
    status: int  # of the final answer; 0 where none was seen


def build_agreements(messages: Sequence[SignallingMessage]) -> list[MirroredAgreement]:
    """Every Security-Verify of a UE, in time order; retransmissions are left out."""
    told: dict[str, SecurityList] = {}
    found: list[tuple[SignallingMessage, SecurityList, SecurityList | None]] = []
    answers: dict[tuple[bytes, int, bytes, str], int] = {}
    for message in messages:
        sip = message.sip
        if sip.status >= 200:
            answers.setdefault((sip.call_id, sip.cseq, sip.cseq_method, message.destination.ip), sip.status)
        if b"ecurity-" not in sip.head and b"ECURITY-" not in sip.head:
            continue
        if sip.status and (server := _list(message, b"security-server")):
            told[message.destination.ip] = server
        elif sip.method and not message.retransmission and len(found) < MAX_MIRRORED:
            verify = _list(message, b"security-verify")
            if verify is not None:
                found.append((message, verify, told.get(message.source.ip)))
    return [
        MirroredAgreement(
            message, verify, server,
            answers.get((message.sip.call_id, message.sip.cseq, message.sip.method, message.source.ip), 0),
        )
        for message, verify, server in found
    ]  # fmt: skip


def _list(message: SignallingMessage, header: bytes) -> SecurityList | None:
    rows = message.sip.header(header)
    if not rows:
        return None
    mechanisms = tuple(_written(each.name, each.parameters) for row in rows for each in security_mechanisms(row))
    return SecurityList(message.frame, mechanisms)


def _written(name: bytes, parameters: dict[bytes, bytes]) -> str:
    """A mechanism with its parameters in one order, names and values without regard to case."""
    parts = [name, *(key + (b"=" + value.strip(b'"') if value else b"") for key, value in sorted(parameters.items()))]
    return b";".join(parts).decode("ascii", "backslashreplace").lower()
