"""Keys of one handshake of TLS 1.3 or DTLS 1.3: traffic secrets, logged, or derived from a pre-shared key alone.

Sources: RFC 8446 §4.4.4, §4.6.3, §5.3 and §7; RFC 9147 §4 and §6.1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.tls.parse import EARLY_DATA, KEY_SHARE, parse_server_hello
from imsinspect.capture.handshakes.agreed import KEY_LOG, MAX_GAP, Inner, Numbers, Outcome, fitting
from imsinspect.capture.handshakes.transcript import (
    CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    END_OF_EARLY_DATA,
    FINISHED,
    KEY_UPDATE,
    SERVER_HELLO,
)
from imsinspect.crypto.tls import digest
from imsinspect.crypto.tls_prf import (
    DTLS13,
    TLS13,
    Exporter,
    next_traffic_secret,
    psk_ke_application,
    psk_ke_secrets,
    transcript_hash,
    verify_data13,
)
from imsinspect.crypto.tls_records import Protection13

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.parse import ClientHello, ServerHello
    from imsinspect.capture.handshakes.transcript import Transcript
    from imsinspect.crypto.tls import TlsSecrets
    from imsinspect.crypto.tls_records import RecordCipher

MAX_UPDATES = 1 << 14
"""KeyUpdates that one direction is followed through."""

_EARLY, _HANDSHAKE, _APPLICATION = "early", "handshake", "application"


def encrypted_extensions(body: bytes) -> ServerHello | None:
    """The extensions of an EncryptedExtensions, which are in form those of a ServerHello (RFC 8446 §4.3.1)."""
    return parse_server_hello(_HELLO + body)


_HELLO = b"\x03\x03" + bytes(36)  # what stands before the extensions of a ServerHello


class _Ladder:
    """The traffic secrets of one direction, one after the other (RFC 8446 §7.1, §7.2)."""

    def __init__(self, cipher: RecordCipher, hash_name: str, prefix: bytes) -> None:
        self._cipher, self._hash, self._prefix = cipher, hash_name, prefix
        self.stages: list[tuple[str, bytes]] = []
        self._built: dict[int, Protection13] = {}
        self.at = 0
        self.numbers = Numbers()

    def give(self, name: str, secret: bytes | None) -> None:
        """Add the secret of the next stage, where it is known."""
        if secret is not None and all(name != known for known, _ in self.stages):
            self.stages.append((name, secret))

    def secret(self, name: str) -> bytes | None:
        """The secret of a stage."""
        return next((secret for known, secret in self.stages if known == name), None)

    def protection(self, index: int) -> Protection13 | None:
        """Of a stage; behind the last one of application data stands its update."""
        if index == len(self.stages) and self.stages and self.stages[-1][0] == _APPLICATION:
            if index > MAX_UPDATES:
                return None
            secret = next_traffic_secret(self._hash, self.stages[-1][1], self._prefix)
            self.stages.append((_APPLICATION, secret))
        if index >= len(self.stages):
            return None
        if index not in self._built:
            for old in [known for known in self._built if known < index - 4]:
                del self._built[old]
            self._built[index] = Protection13(self._cipher, self._hash, self.stages[index][1], self._prefix)
        return self._built[index]

    def open(self, header: bytes, fragment: bytes) -> Inner | None:
        """The next record of a stream: under the keys in force, or else under the first that is not older."""
        last = max(self.at + 1, next((i for i, (name, _) in enumerate(self.stages) if name == _APPLICATION), 0))
        for index in range(self.at, last + 1):
            protection = self.protection(index)
            if protection is None:
                break
            tries = self.numbers.candidates()
            if index != self.at:
                tries = range(len(tries))  # the numbers begin anew under other keys
            for number in tries:
                content = protection.open(number, header, fragment)
                if content is not None:
                    self.at = index
                    self.numbers.opened(number)
                    return Inner(*content, early=self.stages[index][0] == _EARLY)
        self.numbers.failed()
        return None

    def move(self, name: str) -> None:
        """From now on the keys of a stage are in force."""
        for index, (known, _) in enumerate(self.stages):
            if known == name and index > self.at:
                self.at, self.numbers = index, Numbers()
                return

    def update(self) -> None:
        """Behind a KeyUpdate the next keys are in force."""
        if self.at < len(self.stages) and self.stages[self.at][0] == _APPLICATION and self.protection(self.at + 1):
            self.at, self.numbers = self.at + 1, Numbers()


@dataclass(slots=True)
class _Candidate13:
    """Traffic secrets that may be the session's."""

    source: str
    digest: str
    sides: tuple[_Ladder, _Ladder]  # by from_client
    exporter: Exporter | None = None
    master: bytes = field(default=b"", repr=False)  # where application secrets are still to be derived
    epochs: tuple[_Epochs, _Epochs] | None = None


class _Epochs:
    """Sequence numbers of one direction of DTLS 1.3, by epoch (RFC 9147 §4.2)."""

    __slots__ = ("highest", "newest")

    def __init__(self) -> None:
        self.newest = 0
        self.highest: dict[int, int] = {}

    def candidates(self, low: int) -> Iterator[int]:
        """Epochs that end with two bits, the likeliest first."""
        for epoch in range(self.newest + 1, max(self.newest - 4, 0), -1):
            if epoch & 3 == low:
                yield epoch
        if self.newest == 0 and low in (2, 3):
            yield low

    def number(self, epoch: int, low: int, octets: int) -> int:
        """The number nearest to the next one expected (RFC 9147 §4.2.2)."""
        expected = self.highest.get(epoch, -1) + 1
        step = 1 << 8 * octets
        number = expected - expected % step + low
        if number > expected + step // 2 and number >= step:
            return number - step
        return number + step if number + step // 2 < expected else number

    def opened(self, epoch: int, number: int) -> None:
        self.newest = max(self.newest, epoch)
        self.highest[epoch] = max(self.highest.get(epoch, 0), number)


class Agreement13:
    """Keys of one handshake of TLS 1.3 or DTLS 1.3."""

    tls13 = True

    def __init__(
        self,
        secrets: TlsSecrets,
        transcript: Transcript,
        offer: ClientHello,
        hello: ServerHello | None,
        cipher: RecordCipher,
        hash_name: str,
    ) -> None:
        self._transcript = transcript
        self._cipher, self._hash = cipher, hash_name
        self._prefix = DTLS13 if transcript.dtls else TLS13
        self._chosen: _Candidate13 | None = None
        self._failed = 0
        self._early = offer.extension(EARLY_DATA) is not None
        self.news: list[Outcome] = []
        self._candidates = list(self._gather(secrets, offer, hello))

    @property
    def given_up(self) -> bool:
        """No secret fits: records need not be tried any more."""
        return not self._candidates or (self._chosen is None and self._failed >= MAX_GAP)

    @property
    def tried(self) -> bool:
        """There are secrets that may fit."""
        return bool(self._candidates)

    def go_on_from(self, early: Agreement13) -> None:
        """Records of 0-RTT data were opened before the ServerHello came."""
        if early._chosen is not None and early._cipher == self._cipher:
            for each in self._candidates:
                each.sides[True].numbers = early._chosen.sides[True].numbers

    def open(self, from_client: bool, header: bytes, fragment: bytes) -> Inner | None:
        """A record of a stream."""
        if self.given_up:
            return None
        for candidate in [self._chosen] if self._chosen else self._candidates:
            inner = candidate.sides[from_client].open(header, fragment)
            if inner is not None:
                self._opened(candidate)
                return inner
        self._not_opened(from_client)
        return None

    def open_datagram(self, from_client: bool, epoch: int, header: bytes, at: int, fragment: bytes) -> Inner | None:
        """A record under the unified header: the low bits of its epoch; the header, which ends `at` with an encrypted
        sequence number and perhaps a length."""
        if self.given_up:
            return None
        octets = 2 if header[0] & 8 else 1
        for candidate in [self._chosen] if self._chosen else self._candidates:
            if candidate.epochs is None:
                candidate.epochs = _Epochs(), _Epochs()
            epochs, ladder = candidate.epochs[from_client], candidate.sides[from_client]
            for each in epochs.candidates(epoch):
                index = self._stage(ladder, each)
                protection = ladder.protection(index) if index is not None else None
                low = protection.record_number(header[at : at + octets], fragment) if protection else None
                if protection is None or low is None:
                    continue
                number = epochs.number(each, int.from_bytes(low, "big"), octets)
                content = protection.open(number, header[:at] + low + header[at + octets :], fragment)
                if content is not None:
                    epochs.opened(each, number)
                    self._opened(candidate)
                    return Inner(*content, early=each == 1)
        self._not_opened(from_client)
        return None

    @staticmethod
    def _stage(ladder: _Ladder, epoch: int) -> int | None:
        """The stage of an epoch: 1 early data, 2 handshake, from 3 on application data (RFC 9147 §6.1)."""
        names = [name for name, _ in ladder.stages]
        if epoch < 3:
            name = _EARLY if epoch == 1 else _HANDSHAKE
            return names.index(name) if name in names else None
        return names.index(_APPLICATION) + epoch - 3 if _APPLICATION in names else None

    def _opened(self, candidate: _Candidate13) -> None:
        if self._chosen is None:
            self._chosen = candidate
            self.news.append(Outcome(candidate.source, True, 1, candidate.digest, candidate.exporter))

    def _not_opened(self, from_client: bool) -> None:
        if self._chosen is not None:
            return
        self._failed += 1
        if from_client and self._early:
            return  # 0-RTT data, perhaps, whose secret is not known
        if self._failed == 1 and any(each.sides[from_client].secret(_HANDSHAKE) for each in self._candidates):
            self.news.append(Outcome(self._candidates[0].source, False, len(self._candidates)))

    def lost(self, from_client: bool, octets: int) -> None:
        """Octets of the stream are missing; not known how many where negative."""
        for each in self._candidates:
            each.sides[from_client].numbers.lost(octets)

    def verify(self, from_client: bool, body: bytes) -> bool | None:
        """Whether a Finished holds over the handshake messages; None where those or the secret are not known."""
        secret = self._chosen.sides[from_client].secret(_HANDSHAKE) if self._chosen else None
        if secret is None or not self._transcript.whole() or from_client in self._transcript.finished:
            return None
        if from_client and self._early_data_ended() is False:
            return None
        messages = self._transcript.before_finished(from_client, tls13=True, hash_name=self._hash)
        return verify_data13(self._hash, secret, transcript_hash(self._hash, messages), self._prefix) == body

    def _early_data_ended(self) -> bool | None:
        """Whether the EndOfEarlyData was read that goes with accepted early data (RFC 8446 §4.5)."""
        answer = encrypted_extensions(self._transcript.first(False, ENCRYPTED_EXTENSIONS) or b"")
        if self._transcript.dtls or answer is None or answer.extension(EARLY_DATA) is None:
            return None
        return self._transcript.first(True, END_OF_EARLY_DATA) is not None

    def after(self, from_client: bool, type_: int) -> None:
        """A handshake message was read: the keys of its sender may change."""
        if self._chosen is None:
            return
        if type_ == FINISHED and not from_client:
            self._derive_application(self._chosen)
        side = self._chosen.sides[from_client]
        if type_ == FINISHED:
            side.move(_APPLICATION)
        elif type_ == END_OF_EARLY_DATA:
            side.move(_HANDSHAKE)
        elif type_ == KEY_UPDATE:
            side.update()

    # --- which secrets may fit

    def _gather(self, secrets: TlsSecrets, offer: ClientHello, hello: ServerHello | None) -> Iterator[_Candidate13]:
        logged = secrets.traffic.get(offer.random)
        if logged:
            yield self._candidate(KEY_LOG, logged)
        if hello is None or hello.selected_identity is None or hello.extension(KEY_SHARE) is not None:
            return
        identities = offer.psk_identities
        chosen = identities[hello.selected_identity].identity if hello.selected_identity < len(identities) else None
        first = self._transcript.through(True, CLIENT_HELLO, tls13=True, hash_name=self._hash)
        both = self._transcript.through(False, SERVER_HELLO, tls13=True, hash_name=self._hash)
        if chosen is None or first is None or both is None:
            return
        for each in fitting(secrets.psks, chosen):
            found = psk_ke_secrets(self._hash, each.psk, first, both, self._prefix)
            candidate = self._candidate(each.source, found)
            candidate.digest, candidate.master = digest(each.psk), found["master"]
            yield candidate

    def _candidate(self, source: str, secrets: dict[str, bytes]) -> _Candidate13:
        octets = hashlib.new(self._hash).digest_size  # secrets of another length are none of this suite
        secrets = {name: secret for name, secret in secrets.items() if len(secret) == octets}
        server, client = (_Ladder(self._cipher, self._hash, self._prefix) for _ in range(2))
        client.give(_EARLY, secrets.get("CLIENT_EARLY_TRAFFIC_SECRET"))
        for ladder, name in ((client, "CLIENT"), (server, "SERVER")):
            ladder.give(_HANDSHAKE, secrets.get(f"{name}_HANDSHAKE_TRAFFIC_SECRET"))
            ladder.give(_APPLICATION, secrets.get(f"{name}_TRAFFIC_SECRET_0"))
        named = next((secret for ladder in (server, client) for _, secret in ladder.stages), b"")
        return _Candidate13(source, digest(named), (server, client), self._exporter(secrets))

    def _exporter(self, secrets: dict[str, bytes]) -> Exporter | None:
        secret = secrets.get("EXPORTER_SECRET")
        return Exporter(self._hash, secret, prefix=self._prefix) if secret is not None else None

    def _derive_application(self, candidate: _Candidate13) -> None:
        if not candidate.master or not self._transcript.whole():
            return
        messages = self._transcript.through(False, FINISHED, tls13=True, hash_name=self._hash)
        if messages is None:
            return
        found = psk_ke_application(self._hash, candidate.master, messages, self._prefix)
        for ladder, name in zip(candidate.sides, ("SERVER", "CLIENT"), strict=True):
            ladder.give(_APPLICATION, found[f"{name}_TRAFFIC_SECRET_0"])
        candidate.master = b""
        candidate.exporter = self._exporter(found)
        self.news.append(Outcome(candidate.source, True, 1, candidate.digest, candidate.exporter))
