"""The messages of one handshake in the order in which both sides hash them, whatever the order of the capture.

Sources: RFC 5246 §7.3 and §7.4.9, RFC 7627 §3, RFC 6347 §4.2.6, RFC 8446 §4.4.1, RFC 9147 §5.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from imsinspect.crypto.tls_prf import message_hash

HELLO_REQUEST = 0
CLIENT_HELLO = 1
SERVER_HELLO = 2
HELLO_VERIFY_REQUEST = 3
NEW_SESSION_TICKET = 4
END_OF_EARLY_DATA = 5
ENCRYPTED_EXTENSIONS = 8
SERVER_HELLO_DONE = 14
CLIENT_KEY_EXCHANGE = 16
FINISHED = 20
KEY_UPDATE = 24

MAX_TRANSCRIPT = 1 << 20
"""Octets of the messages that are kept of one handshake."""


class Message(NamedTuple):
    """One handshake message."""

    from_client: bool
    type: int
    body: bytes
    message_seq: int | None  # DTLS


@dataclass(slots=True)
class Transcript:
    """The handshake messages of both sides, from a ClientHello to the Finished of each."""

    dtls: bool
    messages: list[Message] = field(default_factory=list)
    retried: tuple[Message, Message] | None = None  # ClientHello and HelloRetryRequest before the ClientHello here
    complete: bool = True  # nothing is known to be missing
    octets: int = 0
    finished: set[bool] = field(default_factory=set)  # by from_client

    def add(self, message: Message) -> None:
        """Add a message; what follows the Finished of its sender is no part of the handshake."""
        if message.type == HELLO_REQUEST or message.from_client in self.finished:
            return
        self.octets += len(message.body) + 12
        if self.octets > MAX_TRANSCRIPT:
            self.complete = False
            return
        self.messages.append(message)
        if message.type == FINISHED:
            self.finished.add(message.from_client)

    def retry(self, request: Message) -> None:
        """A HelloRetryRequest: its ClientHello counts by its hash alone (RFC 8446 §4.4.1)."""
        if len(self.messages) == 1 and self.retried is None:
            self.retried = self.messages[0], request
            self.messages = []
        else:
            self.complete = False

    def whole(self) -> bool:
        """Whether no message is missing, as far as can be told; those of DTLS are numbered (RFC 6347 §4.2.2)."""
        if not self.complete:
            return False
        if not self.dtls:
            return True
        for side in (False, True):
            numbers = sorted({m.message_seq or 0 for m in self.messages if m.from_client == side})
            if numbers and numbers[-1] - numbers[0] + 1 != len(numbers):
                return False
        return True

    def through(self, from_client: bool, type_: int, *, tls13: bool = False, hash_name: str = "") -> bytes | None:
        """The octets that are hashed, from the first message through one of that type; None if there is none."""
        ordered = self._ordered(tls13=tls13)
        for index, message in enumerate(ordered):
            if (message.from_client, message.type) == (from_client, type_):
                return self._octets(ordered[: index + 1], tls13=tls13, hash_name=hash_name)
        return None

    def before_finished(self, from_client: bool, *, tls13: bool = False, hash_name: str = "") -> bytes:
        """The octets that the Finished of a side covers."""
        limit = self._place(from_client, FINISHED, tls13=tls13)
        kept = [m for m in self._ordered(tls13=tls13) if self._place(m.from_client, m.type, tls13=tls13) < limit]
        return self._octets(kept, tls13=tls13, hash_name=hash_name)

    def first(self, from_client: bool, type_: int) -> bytes | None:
        """The body of the first message of that type and sender."""
        return next((m.body for m in self.messages if (m.from_client, m.type) == (from_client, type_)), None)

    def _ordered(self, *, tls13: bool) -> list[Message]:
        return sorted(
            self.messages, key=lambda m: (self._place(m.from_client, m.type, tls13=tls13), m.message_seq or 0)
        )

    def _place(self, from_client: bool, type_: int, *, tls13: bool) -> int:
        """Where messages of a type stand among those of others: flights follow one another."""
        if from_client and type_ == CLIENT_HELLO:
            return 0
        if tls13:
            return (3 if from_client else 1) + (type_ == FINISHED)
        if not from_client:
            return 4 if type_ == NEW_SESSION_TICKET else 5 if type_ == FINISHED else 1
        if type_ != FINISHED:
            return 2
        full = any(m.type == SERVER_HELLO_DONE for m in self.messages)
        return 3 if full else 6  # of an abbreviated handshake the server's comes first (RFC 5246 §7.3)

    def _octets(self, messages: list[Message], *, tls13: bool, hash_name: str) -> bytes:
        out = bytearray()
        if tls13 and self.retried is not None:
            hello, request = self.retried
            out += message_hash(hash_name, self._raw(hello, tls13=True)) + self._raw(request, tls13=True)
        for message in messages:
            out += self._raw(message, tls13=tls13)
        return bytes(out)

    def _raw(self, message: Message, *, tls13: bool) -> bytes:
        """A message as it is hashed: in DTLS below 1.3 as one fragment, in DTLS 1.3 like in TLS."""
        length = len(message.body).to_bytes(3, "big")
        head = bytes((message.type,)) + length
        if self.dtls and not tls13:
            head += (message.message_seq or 0).to_bytes(2, "big") + bytes(3) + length
        return head + message.body
