"""What the readers of TLS and DTLS find in a connection: handshake messages, alerts, data, and what keys were good for.

Sources: RFC 5246 §6.2 and §7.4, RFC 8446 §5 and D.4, RFC 6347 §4.2, RFC 9147 §4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.crypto.tls_prf import Exporter

MAX_MESSAGE = 1 << 18
"""Octets of a handshake message that are put together; longer ones are passed over with a note."""

MAX_TROUBLES = 20
"""Notes that one connection may give."""

MAX_FRAMES = 4096
"""Frames named for one message."""


@dataclass(slots=True, frozen=True)
class Handshake:
    """One whole handshake message."""

    forward: bool
    frame: FrameId  # in which it became whole
    time: int
    frames: tuple[FrameId, ...]  # every frame that brought a part of it
    type: int
    body: bytes  # without its header; in SSL 2.0 what follows the message type
    version: int  # of the record
    message_seq: int | None = None  # DTLS
    protected: bool = False  # read under a cipher: of TLS 1.3, part of a renegotiation, or a Finished
    ssl2: bool = False
    verified: bool | None = None  # a Finished: whether it holds over the handshake; None where that is not known


@dataclass(slots=True, frozen=True)
class ChangeCipherSpec:
    """The sender protects what follows; in TLS 1.3 it says nothing (RFC 8446 D.4)."""

    forward: bool
    frame: FrameId
    time: int
    version: int


@dataclass(slots=True, frozen=True)
class AlertSeen:
    """An alert; level and description are None where they are encrypted."""

    forward: bool
    frame: FrameId
    time: int
    version: int
    level: int | None
    description: int | None
    opened: bool = False
    failed: bool = False


@dataclass(slots=True, frozen=True)
class ApplicationData:
    """A record of application data; its content only where a NULL cipher leaves it readable or secrets opened it."""

    forward: bool
    frame: FrameId
    time: int
    version: int
    length: int  # of the record's fragment
    protected: bool = True  # False where the sender has certainly not changed cipher yet
    opened: bool = False
    data: bytes = b""  # content without MAC, when opened
    failed: bool = False  # does not authenticate with the secrets at hand
    early: bool = False  # opened under the early traffic secret: 0-RTT data


@dataclass(slots=True, frozen=True)
class ProtectedRecord:
    """Any other record that cannot be read: an encrypted handshake message, a record under the unified header."""

    forward: bool
    frame: FrameId
    time: int
    version: int  # 0 under the unified header
    type: int  # -1 where it is hidden
    length: int
    failed: bool = False  # does not authenticate with the secrets at hand


@dataclass(slots=True, frozen=True)
class Trouble:
    """Something malformed, a gap, or a limit that bit."""

    frame: FrameId
    text: str


@dataclass(slots=True, frozen=True)
class Keyed:
    """The secrets at hand were tried on the first record that a handshake's keys protect."""

    forward: bool
    frame: FrameId
    time: int
    version: int
    source: str  # of the secret that opened it, "key-log", "psk"; of those that did not
    proven: bool  # the record authenticated
    tried: int = 1  # secrets
    digest: str = ""  # names the secret (`imsinspect.crypto.tls.digest`)
    exporter: Exporter | None = None  # of keying material, where its secret is known


Event = Handshake | ChangeCipherSpec | AlertSeen | ApplicationData | ProtectedRecord | Trouble | Keyed


class Troubles:
    """Lets the first notes of a connection through."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameId, text: str) -> Iterator[Trouble]:
        self.count += 1
        if self.count < MAX_TROUBLES:
            yield Trouble(frame, text)
        elif self.count == MAX_TROUBLES:
            yield Trouble(frame, f"{text}; further trouble of this connection is not noted")


@dataclass(slots=True, frozen=True)
class Origin:
    """Where the bytes at hand came from."""

    forward: bool
    frame: FrameId
    time: int
    frames: tuple[FrameId, ...]
    version: int
