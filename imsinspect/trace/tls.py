"""TLS and DTLS sessions: what the handshakes on one pair of endpoints say (RFC 5246, RFC 8446, RFC 6347, RFC 9147).

A session is one connection: it begins with a ClientHello that nothing protects and whose random is new. A
renegotiation, the second ClientHello of a HelloVerifyRequest or HelloRetryRequest, and retransmissions stay within it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.handshakes import (
    DtlsReader,
    Event,
    Handshake,
    TlsReader,
    Trouble,
)
from imsinspect.trace.model import Place, TlsSession
from imsinspect.trace.tls_session import FROM_SERVER, HANDLERS, Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.crypto.tls import TlsSecrets

MAX_SESSIONS = 1000
"""Sessions between one pair of ports; later ones are noted in the last."""


class _Builder:
    """Fills sessions from the events of one pair of endpoints."""

    def __init__(self, transport: str, first: Endpoint, second: Endpoint) -> None:
        self.sessions: list[TlsSession] = []
        self._transport = transport
        self._endpoints = (second, first)  # by Event.forward
        self._current: Session | None = None
        self._full = False  # MAX_SESSIONS was reached

    def take(self, event: Event) -> None:
        """Add one event."""
        if isinstance(event, Trouble):
            if self._current is not None:
                self._current.note(event.frame, event.text)
            return
        session = self._current
        if session is None or (isinstance(event, Handshake) and self._begins(event)):
            if session is not None and len(self.sessions) >= MAX_SESSIONS:
                if not self._full:
                    self._full = True
                    session.note(event.frame, f"more than {MAX_SESSIONS} sessions on one pair of ports are not read")
                return
            session = self._open(event)
        session.place(event)
        HANDLERS[type(event)](session, event)

    def _begins(self, event: Handshake) -> bool:
        """Whether a message opens another session than the current one."""
        if event.protected:
            return False
        session = self._current
        if event.ssl2:
            return event.type == 1 and session is not None and session.handshake
        if session is None or event.type not in (1, 2):
            return False
        if event.type == 1:
            if not session.handshake:
                return False
            if event.body[2:34] in session.client_randoms or session.is_awaited(event):
                return False
            if session.client_randoms:
                return True
            return session.hello_selected or session.finished
        # A ServerHello without its ClientHello, behind a session that is over
        return session.finished and session.hello_selected and event.body[2:34] not in session.server_randoms

    def _open(self, event: Event) -> Session:
        assert not isinstance(event, Trouble)
        place = Place(event.frame, event.time)
        here, there = self._endpoints[event.forward], self._endpoints[not event.forward]
        if isinstance(event, Handshake):
            server = event.type == 4 if event.ssl2 else event.type in FROM_SERVER
            client_forward = event.forward != server
        else:
            client_forward, here, there, server = True, self._endpoints[True], self._endpoints[False], False
        record = TlsSession(
            id="",
            transport=self._transport,
            client=there if server else here,
            server=here if server else there,
            first=place,
            last=place,
        )
        self.sessions.append(record)
        self._current = Session(record, client_forward)
        return self._current


def read_tls(
    chunks: Iterable[Chunk], first: Endpoint, second: Endpoint, secrets: TlsSecrets | None = None
) -> list[TlsSession]:
    """The TLS sessions of one TCP flow; `Chunk.forward` is set on what `first` sent.

    Several follow one another where a new connection used the same ports. Clear text before the first hello (STARTTLS)
    is passed over. Without a handshake in the capture, records alone make a session with handshake_seen "none" when the
    stream begins with them or a gap precedes them. What secrets open is read too. Ids are left to the caller.
    """
    reader, builder = TlsReader(_between(secrets, first, second)), _Builder("tls", first, second)
    for chunk in chunks:
        for event in reader.feed(chunk):
            builder.take(event)
    return builder.sessions


def read_dtls(
    chunks: Iterable[Chunk], first: Endpoint, second: Endpoint, secrets: TlsSecrets | None = None
) -> list[TlsSession]:
    """The DTLS sessions between two endpoints, each chunk being one datagram; others than DTLS may stand among them."""
    reader, builder = DtlsReader(_between(secrets, first, second)), _Builder("dtls", first, second)
    for chunk in chunks:
        for event in reader.feed(chunk):
            builder.take(event)
    return builder.sessions


def _between(secrets: TlsSecrets | None, first: Endpoint, second: Endpoint) -> TlsSecrets | None:
    """The secrets that may be of sessions between two endpoints."""
    return secrets.between(first, second) if secrets is not None else None
