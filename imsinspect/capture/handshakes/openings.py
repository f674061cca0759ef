"""How protected records are read: without a key under a NULL cipher, or with the keys of the handshake before them.

Sources: RFC 5246 §6.2.3.1, RFC 8446 §5.2, RFC 9150 §4; RFC 6347 §4.1.2.1, RFC 9146 §4, RFC 9147 §4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.tls.parse import SESSION_TICKET, TRUNCATED_HMAC, parse_client_hello, parse_server_hello
from dissectors.tls.records import APPLICATION_DATA, TLS12_CID
from dissectors.tls.suites import suite
from dissectors.tls.versions import DTLS_OPENSSL, SSL_3_0, TLS_1_0, TLS_1_2, is_tls13, version_rank
from imsinspect.capture.handshakes.agreed import Inner
from imsinspect.capture.handshakes.below13 import Agreement
from imsinspect.capture.handshakes.events import Keyed, Trouble
from imsinspect.capture.handshakes.tls13 import Agreement13
from imsinspect.capture.handshakes.transcript import (
    CLIENT_HELLO,
    FINISHED,
    HELLO_VERIFY_REQUEST,
    SERVER_HELLO,
    Message,
    Transcript,
)
from imsinspect.crypto.tls_prf import MD5_SHA1
from imsinspect.crypto.tls_records import TRUNCATED_MAC, Negotiated, record_cipher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.parse import ClientHello, ServerHello
    from dissectors.tls.records import DtlsRecord
    from imsinspect.capture.frames import FrameId
    from imsinspect.capture.handshakes.events import Handshake
    from imsinspect.crypto.tls import TlsSecrets

ENCRYPT_THEN_MAC = 22
"""Extension of RFC 7366."""


# --- openings: of one direction -------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class NullOpening:
    """Reads records without a key."""

    mac_octets: int
    tls13: bool  # the content type stands behind the content (RFC 8446 §5.2, RFC 9150 §4)
    given_up: bool = False
    tried: bool = False

    def open(self, content_type: int, version: int, fragment: bytes) -> Inner | None:
        """Content type and content of a record; None when it is too short."""
        if len(fragment) < self.mac_octets:
            return None
        content = fragment[: len(fragment) - self.mac_octets]
        if not self.tls13:
            return Inner(content_type, content)
        if content_type != APPLICATION_DATA:
            return Inner(content_type, fragment)
        content = content.rstrip(b"\x00")
        return Inner(content[-1], content[:-1]) if content else None

    def open_datagram(self, record: DtlsRecord, data: bytes) -> Inner | None:
        """The same of a record of DTLS."""
        if record.unified != self.tls13 or record.type == TLS12_CID:
            return None
        return self.open(APPLICATION_DATA if record.unified else record.type, record.version, record.fragment)

    def lost(self, octets: int) -> None:
        """Octets are missing: nothing that is told here hangs on them."""


class KeyedOpening:
    """Reads records with the keys of a handshake; what a NULL cipher leaves readable is read even where none fits."""

    def __init__(self, keys: Agreement | Agreement13, null: NullOpening | None, *, from_client: bool) -> None:
        self._keys = keys
        self._null = null
        self._from_client = from_client
        self.tls13 = keys.tls13

    @property
    def given_up(self) -> bool:
        """No secret fits, and the cipher hides the content."""
        return self._null is None and self._keys.given_up

    @property
    def tried(self) -> bool:
        """There are secrets that may fit."""
        return self._keys.tried

    def open(self, content_type: int, version: int, fragment: bytes) -> Inner | None:
        """A record of a stream, in order."""
        if isinstance(self._keys, Agreement):
            inner = self._keys.open(self._from_client, content_type, version, fragment)
        else:
            header = bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big")
            inner = self._keys.open(self._from_client, header, fragment)
        if inner is None and self._null is not None:
            return self._unchecked(self._null.open(content_type, version, fragment))
        return inner

    def open_datagram(self, record: DtlsRecord, data: bytes) -> Inner | None:
        """A record of DTLS within its datagram."""
        if record.unified != self.tls13:
            return None
        if isinstance(self._keys, Agreement):
            inner = self._keys.open(
                self._from_client,
                record.type,
                record.version,
                record.fragment,
                record.epoch << 48 | record.sequence_number,
                record.connection_id if record.type == TLS12_CID else None,
            )
        else:
            at = 1 + len(record.connection_id)
            first = data[record.offset]
            octets = at + (2 if first & 8 else 1) + (2 if first & 4 else 0)
            header = data[record.offset : record.offset + octets]
            inner = self._keys.open_datagram(self._from_client, record.epoch, header, at, record.fragment)
        if inner is None and self._null is not None:
            return self._unchecked(self._null.open_datagram(record, data))
        return inner

    def _unchecked(self, inner: Inner | None) -> Inner | None:
        return inner._replace(failed=True) if inner is not None and self.tried else inner

    def lost(self, octets: int) -> None:
        """Octets of the stream are missing before the next record; not known how many where negative."""
        self._keys.lost(self._from_client, octets)


class EarlyOpening:
    """Reads the records of 0-RTT data, under whichever of the offered suites they turn out to be protected."""

    tls13 = True

    def __init__(self, keys: list[Agreement13]) -> None:
        self._keys = keys

    @property
    def given_up(self) -> bool:
        """They open under no suite."""
        return all(each.given_up for each in self._keys)

    @property
    def tried(self) -> bool:
        """There are secrets that may fit."""
        return bool(self._keys)

    def open(self, content_type: int, version: int, fragment: bytes) -> Inner | None:
        """A record of the client's stream, in order."""
        header = bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big")
        for each in self._keys:
            inner = each.open(True, header, fragment)
            if inner is not None:
                self._keys = [each]
                return inner
        return None

    def open_datagram(self, record: DtlsRecord, data: bytes) -> Inner | None:
        """Of DTLS 1.3 only what follows the ServerHello is read."""
        return None

    def lost(self, octets: int) -> None:
        """Octets of the stream are missing before the next record."""
        for each in self._keys:
            each.lost(True, octets)


Opening = NullOpening | KeyedOpening | EarlyOpening


def null_opening(hello: ServerHello) -> NullOpening | None:
    """How records are read without a key behind a ServerHello; None where its suite encrypts."""
    selected = suite(hello.cipher_suite)
    if not selected.null or hello.compression_method != 0:
        return None
    if is_tls13(hello.selected_version):
        return NullOpening(selected.mac_octets, tls13=True)
    octets = selected.mac_octets
    if octets and hello.extension(TRUNCATED_HMAC) is not None:
        octets = TRUNCATED_MAC
    return NullOpening(octets, tls13=False)


# --- keys: of one connection ----------------------------------------------------------------------


class Keys:
    """Follows the handshakes of one connection to the keys of its records, where there are secrets."""

    def __init__(self, secrets: TlsSecrets, *, dtls: bool) -> None:
        self._secrets = secrets
        self._dtls = dtls
        self._client_forward = True
        self._offer: ClientHello | None = None
        self._transcript = Transcript(dtls)
        self._agreement: Agreement | Agreement13 | None = None
        self._all: list[Agreement | Agreement13] = []
        self._early: list[Agreement13] = []
        self._unopened: list[str] = []

    def take(self, message: Handshake) -> bool | None:
        """A handshake message, in the order read; of a Finished, whether it holds."""
        if message.type == CLIENT_HELLO:
            self._client_hello(message)
            return None
        if self._offer is None:
            return None
        from_client = message.forward == self._client_forward
        each = Message(from_client, message.type, message.body, message.message_seq)
        if message.type == HELLO_VERIFY_REQUEST:  # neither it nor the ClientHello before it is hashed
            self._transcript = Transcript(self._dtls)
            return None
        if message.type == SERVER_HELLO and not from_client:
            self._server_hello(each)
            return None
        verified = None
        if message.type == FINISHED and self._agreement is not None:
            verified = self._agreement.verify(from_client, message.body)
        self._transcript.add(each)
        if self._agreement is not None:
            self._agreement.after(from_client, message.type)
        return verified

    def _client_hello(self, message: Handshake) -> None:
        self._client_forward = message.forward
        if self._transcript.messages or self._transcript.retried is None:
            self._transcript = Transcript(self._dtls)
        self._agreement, self._all = None, []
        self._offer = parse_client_hello(message.body, dtls=self._dtls)
        self._transcript.add(Message(True, CLIENT_HELLO, message.body, message.message_seq))
        self._early = early_agreements(self._secrets, self._transcript, self._offer) if self._offer else []
        self._all = list(self._early)

    def _server_hello(self, message: Message) -> None:
        hello = parse_server_hello(message.body)
        if hello is None or self._offer is None:
            return
        if hello.hello_retry_request:
            self._transcript.retry(message)
            return
        self._transcript.add(message)
        self._agreement = agreement(self._secrets, self._transcript, self._offer, hello)
        if self._agreement is not None:
            self._all.append(self._agreement)
            for early in self._early:
                if isinstance(self._agreement, Agreement13):
                    self._agreement.go_on_from(early)
        elif self._secrets.opens(self._offer.random, hello.cipher_suite) and not hello.hello_retry_request:
            name = suite(hello.cipher_suite).name
            how = "compressed " if hello.compression_method else ""
            self._unopened.append(f"secrets of this session are at hand, but {how}records under {name} are not opened")

    def opening(self, null: NullOpening | None, *, forward: bool) -> Opening | None:
        """How records of a direction are read behind the last ServerHello."""
        if self._agreement is None:
            return null
        return KeyedOpening(self._agreement, null, from_client=forward == self._client_forward)

    def early_opening(self) -> Opening | None:
        """How records of the client are read before a ServerHello: 0-RTT data (RFC 8446 §2.3)."""
        return EarlyOpening(self._early) if self._early else None

    def lost(self) -> None:
        """Octets of a stream are missing, perhaps of a handshake message."""
        if len(self._transcript.finished) < 2:
            self._transcript.complete = False

    def news(self, forward: bool, frame: FrameId, time: int, version: int) -> Iterator[Keyed | Trouble]:
        """What came of the secrets since this was asked last."""
        for text in self._unopened:
            yield Trouble(frame, text)
        self._unopened.clear()
        for each in self._all:
            for outcome in each.news:
                yield Keyed(forward, frame, time, version, *outcome)
            each.news.clear()
        if self._agreement is not None:
            self._all = [self._agreement]


# --- the agreement of two hellos ------------------------------------------------------------------


def agreement(
    secrets: TlsSecrets, transcript: Transcript, offer: ClientHello, hello: ServerHello
) -> Agreement | Agreement13 | None:
    """How records are opened that two hellos agreed on; None where no secret here can do it."""
    chosen = suite(hello.cipher_suite)
    cipher = record_cipher(chosen.encryption, chosen.mac)
    version = hello.selected_version
    if cipher is None or hello.compression_method or version == DTLS_OPENSSL or version_rank(version) <= _SSL_3:
        return None
    if is_tls13(version):
        if not chosen.tls13 or chosen.prf_hash not in hashlib.algorithms_available:
            return None
        keys = Agreement13(secrets, transcript, offer, hello, cipher, chosen.prf_hash)
        return keys if keys.tried else None
    resumed = hello.session_id in secrets.resumable or offer.extension(SESSION_TICKET) in secrets.resumable
    if not secrets.opens(offer.random, hello.cipher_suite) and not resumed:
        return None
    if hello.extension(TRUNCATED_HMAC) is not None:
        cipher = cipher.with_truncated_mac()
    first = cipher.mode == "cbc" and hello.extension(ENCRYPT_THEN_MAC) is not None
    negotiated = Negotiated(cipher, explicit_iv=version != TLS_1_0, encrypt_then_mac=first)
    hash_name = MD5_SHA1 if version_rank(version) < _TLS_1_2 else chosen.prf_hash
    return Agreement(secrets, transcript, offer, hello, negotiated, hash_name)


def early_agreements(secrets: TlsSecrets, transcript: Transcript, offer: ClientHello) -> list[Agreement13]:
    """How 0-RTT data may be opened before the ServerHello names the suite (RFC 8446 §4.2.10): it is one of those
    offered, with the hash of the early traffic secret."""
    secret = secrets.traffic.get(offer.random, {}).get("CLIENT_EARLY_TRAFFIC_SECRET")
    found: list[Agreement13] = []
    for code in offer.cipher_suites if secret is not None else ():
        chosen = suite(code)
        cipher = record_cipher(chosen.encryption, chosen.mac) if chosen.tls13 else None
        if cipher is not None and chosen.prf_hash in hashlib.algorithms_available and len(found) < _MAX_EARLY:
            keys = Agreement13(secrets, transcript, offer, None, cipher, chosen.prf_hash)
            found += [keys] if keys.tried else []
    return found


_SSL_3, _TLS_1_2 = version_rank(SSL_3_0), version_rank(TLS_1_2)
_MAX_EARLY = 8
