"""Keys of one handshake below TLS 1.3: the master secret that opens its records, found among the secrets at hand.

Every secret that may fit is tried on the first protected record; the one under which it authenticates is kept.
Sources: RFC 5246 §6.3 and §8.1, RFC 7627 §4, RFC 4279, RFC 5077.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.tls.parse import EXTENDED_MASTER_SECRET, SESSION_TICKET
from dissectors.tls.suites import suite
from imsinspect.capture.handshakes.agreed import KEY_LOG, MAX_FAILED, Inner, Numbers, Outcome, fitting
from imsinspect.capture.handshakes.transcript import CLIENT_KEY_EXCHANGE, FINISHED, NEW_SESSION_TICKET
from imsinspect.crypto.tls import digest
from imsinspect.crypto.tls_prf import (
    Exporter,
    extended_master_secret,
    master_secret,
    psk_premaster,
    transcript_hash,
    verify_data,
)
from imsinspect.crypto.tls_records import Negotiated, Protection, protections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.tls.parse import ClientHello, ServerHello
    from imsinspect.capture.handshakes.transcript import Transcript
    from imsinspect.crypto.tls import TlsSecrets

_TICKET = 6  # where the ticket stands in a NewSessionTicket (RFC 5077 §3.3)


@dataclass(slots=True)
class _Candidate:
    """A master secret that may be the session's."""

    source: str
    digest: str
    master: bytes = field(repr=False)
    sides: tuple[Protection, Protection] | None = None  # what the client writes, and the server


class Agreement:
    """Keys of one handshake below TLS 1.3."""

    tls13 = False

    def __init__(
        self,
        secrets: TlsSecrets,
        transcript: Transcript,
        offer: ClientHello,
        hello: ServerHello,
        negotiated: Negotiated,
        hash_name: str,
    ) -> None:
        self._secrets = secrets
        self._transcript = transcript
        self._offer = offer
        self._hello = hello
        self._negotiated = negotiated
        self._hash = hash_name
        self._candidates: list[_Candidate] | None = None
        self._chosen: _Candidate | None = None
        self._failed = 0
        self._numbers = (Numbers(), Numbers())  # of streams, by from_client
        self.news: list[Outcome] = []

    @property
    def tried(self) -> bool:
        """There are secrets that may fit."""
        return bool(self._candidates)

    @property
    def given_up(self) -> bool:
        """No secret fits: records need not be tried any more."""
        return self._candidates == [] or (self._chosen is None and self._failed >= MAX_FAILED)

    def open(
        self,
        from_client: bool,
        content_type: int,
        version: int,
        fragment: bytes,
        sequence: int | None = None,
        connection_id: bytes | None = None,
    ) -> Inner | None:
        """A record; its sequence number is given where records say it (DTLS), else it is the next of its stream."""
        if self._candidates is None:
            self._candidates = list(self._gather())
        if self.given_up:
            return None
        numbers = self._numbers[from_client]
        for candidate in [self._chosen] if self._chosen else self._candidates:
            if candidate.sides is None:
                randoms = self._offer.random, self._hello.random
                candidate.sides = protections(self._negotiated, self._hash, candidate.master, *randoms)
            side = candidate.sides[not from_client]
            tries: Iterable[int] = numbers.candidates()
            if sequence is not None:
                tries = (sequence,)
            elif side.chained:
                tries = (numbers.next + numbers.missed,)
            iv = side.iv
            for number in tries:
                side.iv = iv
                content = side.open(number, content_type, version, fragment, connection_id)
                if content is not None:
                    self._opened(candidate, numbers, number)
                    return Inner(*content)
        self._not_opened(numbers)
        return None

    def _opened(self, candidate: _Candidate, numbers: Numbers, number: int) -> None:
        numbers.opened(number)
        if self._chosen is None:
            self._chosen = candidate
            randoms = self._offer.random + self._hello.random
            exporter = Exporter(self._hash, candidate.master, randoms)
            self.news.append(Outcome(candidate.source, True, 1, candidate.digest, exporter))
            self._remember()

    def _not_opened(self, numbers: Numbers) -> None:
        numbers.failed()
        if self._chosen is None:
            self._failed += 1
            if self._failed == 1 and self._candidates:
                self.news.append(Outcome(self._candidates[0].source, False, len(self._candidates)))

    def lost(self, from_client: bool, octets: int) -> None:
        """Octets of the stream are missing; not known how many where negative."""
        self._numbers[from_client].lost(octets)

    def verify(self, from_client: bool, body: bytes) -> bool | None:
        """Whether a Finished holds over the handshake messages; None where those or the secret are not known."""
        if self._chosen is None or not self._transcript.whole():
            return None
        hashed = transcript_hash(self._hash, self._transcript.before_finished(from_client))
        return verify_data(self._hash, self._chosen.master, hashed, from_client=from_client) == body

    def after(self, from_client: bool, type_: int) -> None:
        """A handshake message was read."""
        if type_ in (FINISHED, NEW_SESSION_TICKET) and self._chosen is not None:
            self._remember()

    def _remember(self) -> None:
        """Keep the master secret for sessions that are resumed from this one (RFC 5246 §7.3, RFC 5077 §3.1)."""
        assert self._chosen is not None
        known = (self._chosen.source, self._chosen.digest, self._chosen.master)
        if self._hello.session_id:
            self._secrets.resumable[self._hello.session_id] = known
        ticket = self._transcript.first(False, NEW_SESSION_TICKET)
        if ticket is not None and len(ticket) > _TICKET:
            self._secrets.resumable[ticket[_TICKET:]] = known

    # --- which secrets may fit

    def _gather(self) -> Iterator[_Candidate]:
        secrets, random = self._secrets, self._offer.random
        if (master := secrets.master.get(random)) is not None:
            yield _Candidate(KEY_LOG, digest(master), master)
        exchange = self._transcript.first(True, CLIENT_KEY_EXCHANGE)
        for premaster in (secrets.premaster.get(random), secrets.rsa_premaster.get((exchange or b"")[2:10])):
            if premaster is not None and (master := self._master(premaster)) is not None:
                yield _Candidate(KEY_LOG, digest(master), master)
        if self._hello.session_id and (master := secrets.session_master.get(self._hello.session_id)) is not None:
            yield _Candidate(KEY_LOG, digest(master), master)
        for name in (self._hello.session_id, self._offer.extension(SESSION_TICKET)):
            if exchange is None and name and (known := secrets.resumable.get(name)) is not None:
                yield _Candidate(*known)
        if exchange is not None and suite(self._hello.cipher_suite).psk == "PSK":
            for each in fitting(secrets.psks, exchange[2:]):
                if (master := self._master(psk_premaster(each.psk))) is not None:
                    yield _Candidate(each.source, digest(each.psk), master)

    def _master(self, premaster: bytes) -> bytes | None:
        hellos = self._offer, self._hello
        if not all(hello.extension(EXTENDED_MASTER_SECRET) is not None for hello in hellos):
            return master_secret(self._hash, premaster, self._offer.random, self._hello.random)
        messages = self._transcript.through(True, CLIENT_KEY_EXCHANGE)
        if messages is None or not self._transcript.whole():
            return None
        return extended_master_secret(self._hash, premaster, transcript_hash(self._hash, messages))
