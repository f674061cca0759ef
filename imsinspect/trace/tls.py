"""TLS and DTLS sessions: what the handshakes on one pair of endpoints say (RFC 5246, RFC 8446, RFC 6347, RFC 9147).

A session is one connection: it begins with a ClientHello that nothing protects and whose random is new. A
renegotiation, the second ClientHello of a HelloVerifyRequest or HelloRetryRequest, and retransmissions stay within it.
"""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dissectors.tls.parse import (
    EARLY_DATA,
    KEY_SHARE,
    SESSION_TICKET,
    ClientHello,
    parse_certificate,
    parse_client_hello,
    parse_client_key_exchange,
    parse_server_hello,
    parse_server_key_exchange,
    parse_ssl2_client_hello,
    parse_ssl2_client_master_key,
    parse_ssl2_server_hello,
)
from dissectors.tls.records import ALERT, HANDSHAKE
from dissectors.tls.suites import CipherSuite, suite
from dissectors.tls.versions import (
    DTLS_1_2,
    DTLS_1_3,
    SSL_2_0,
    TLS_1_2,
    is_tls13,
    version_name,
)
from dissectors.x509.oids import SIGNATURE_ALGORITHMS
from imsinspect.capture.handshakes import (
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    DtlsReader,
    Event,
    Handshake,
    ProtectedRecord,
    TlsReader,
    Trouble,
)
from imsinspect.trace.model import CertificateInfo, Hello, Note, OpenedData, Place, TlsSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.x509 import Certificate

    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId

MAX_OPENED = 4 << 20
"""Octets of readable application data that a session keeps."""

MAX_SESSIONS = 1000
"""Sessions between one pair of ports; later ones are noted in the last."""

_MAX_HELLOS = 64  # kept of a session, of each side
_MAX_ALERTS = 64
_MAX_CERTIFICATES = 64
_MAX_EARLY = 16
_MAX_NOTES = 50

# Types that only one side sends (RFC 5246 §7.4): they tell client and server apart where the hellos are missing.
_FROM_CLIENT = frozenset({1, 16})
_FROM_SERVER = frozenset({0, 2, 3, 4, 12, 13, 14, 22})

_CLIENT_FINISHED_LEAST = 36  # octets of an encrypted TLS 1.3 Finished; an encrypted alert is shorter (RFC 8446 §5.2)


class _Builder:
    """Fills sessions from the events of one pair of endpoints."""

    def __init__(self, transport: str, first: Endpoint, second: Endpoint) -> None:
        self.sessions: list[TlsSession] = []
        self._transport = transport
        self._endpoints = (second, first)  # by Event.forward
        self._current: _Session | None = None
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
        _HANDLERS[type(event)](session, event)

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

    def _open(self, event: Event) -> _Session:
        assert not isinstance(event, Trouble)
        place = Place(event.frame, event.time)
        here, there = self._endpoints[event.forward], self._endpoints[not event.forward]
        if isinstance(event, Handshake):
            server = event.type == 4 if event.ssl2 else event.type in _FROM_SERVER
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
        self._current = _Session(record, client_forward)
        return self._current


class _Session:
    """One session in the making."""

    def __init__(self, record: TlsSession, client_forward: bool) -> None:
        self.record = record
        self.client_forward = client_forward
        self.handshake = False  # a handshake message was read
        self.client_randoms: set[bytes] = set()
        self.server_randoms: set[bytes] = set()
        self.hello_selected = False  # a ServerHello was read
        self.finished = False  # a fatal or closing alert, or both sides changed cipher
        self._sides_known = False
        self._offer: ClientHello | None = None
        self._suite: CipherSuite = suite(0)
        self._version = 0
        self._retry = False
        self._changed = [False, False]  # by from_client
        self._protected = [0, 0]  # records behind the hellos that cannot be read, by from_client
        self._full_flight = False  # messages of a full handshake behind the last hello
        self._record_versions: set[int] = set()
        self._encrypted_types: set[int] = set()
        self._opened_octets = 0

    # --- helpers

    def is_awaited(self, event: Handshake) -> bool:
        """Whether a ClientHello is not the first of its handshake (RFC 6347 §4.2.1, §4.2.2).

        It answers a HelloVerifyRequest then; old OpenSSL takes another random for it.
        """
        return self.record.transport == "dtls" and not self.hello_selected and event.message_seq != 0

    def note(self, frame: FrameId, text: str) -> None:
        if len(self.record.notes) < _MAX_NOTES:
            self.record.notes.append(Note(frame, text))

    def place(self, event: Event) -> None:
        """Stretch the session over an event."""
        assert not isinstance(event, Trouble)
        record = self.record
        record.last = Place(event.frame, event.time)
        if isinstance(event, Handshake):
            if not self._sides_known and not event.ssl2 and event.type in _FROM_CLIENT | _FROM_SERVER:
                self._sides_known = True
                if (event.type in _FROM_CLIENT) != (event.forward == self.client_forward):
                    self.client_forward = not self.client_forward
                    record.client, record.server = record.server, record.client
            self.handshake = True
        elif event.version:
            self._record_versions.add(event.version)
        self._judge()

    def _from_client(self, event: Event) -> bool:
        assert not isinstance(event, Trouble)
        return event.forward == self.client_forward

    def _judge(self) -> None:
        """Derived fields that any event may change."""
        record = self.record
        tls13 = is_tls13(self._version)
        if tls13:
            complete = self._protected[False] > 0 and self._protected[True] > 0
        else:
            complete = all(self._changed)
        record.handshake_complete = record.handshake_complete or (complete and self.handshake)
        if record.handshake_complete and record.client_hellos and record.server_hellos:
            record.handshake_seen = "full"
        elif self.handshake:
            record.handshake_seen = "partial"
        else:
            record.version = _version_of_records(self.record.transport, self._record_versions, self._encrypted_types)

    # --- handshake messages

    def handshake_message(self, event: Handshake) -> None:
        handlers = _SSL2_MESSAGES if event.ssl2 else _MESSAGES
        handler = handlers.get(event.type)
        if handler is not None:
            handler(self, event)
        self._judge()

    def _client_hello(self, event: Handshake) -> None:
        hello = parse_client_hello(event.body, dtls=self.record.transport == "dtls")
        if hello is None:
            self.note(event.frame, f"ClientHello of {len(event.body)} octets is too short")
            return
        self._offered(event, hello)

    def _offered(self, event: Handshake, hello: ClientHello) -> None:
        if hello.trouble:
            self.note(event.frame, f"ClientHello: {hello.trouble}")
        self.client_randoms.add(hello.random)
        self._offer = hello
        self._full_flight = False
        srtp = hello.use_srtp
        if len(self.record.client_hellos) < _MAX_HELLOS:
            self.record.client_hellos.append(
                Hello(
                    frame=event.frame,
                    time=event.time,
                    version=hello.highest_version,
                    cipher_suites=hello.cipher_suites,
                    use_srtp=srtp.profiles if srtp else (),
                    random=hello.random,
                    session_id=hello.session_id,
                    server_name=hello.server_name.decode("utf-8", "backslashreplace"),
                    legacy_version=hello.version,
                    offered_versions=hello.supported_versions,
                    extensions=tuple(number for number, _ in hello.extensions),
                    compression_methods=hello.compression_methods,
                    srtp_mki=srtp.srtp_mki if srtp else b"",
                    psk_key_exchange_modes=hello.psk_key_exchange_modes,
                    hello_retry_request=self._retry,
                )
            )
        self._retry = False

    def _server_hello(self, event: Handshake) -> None:
        hello = parse_server_hello(event.body)
        if hello is None:
            self.note(event.frame, f"ServerHello of {len(event.body)} octets is too short")
            return
        if hello.trouble:
            self.note(event.frame, f"ServerHello: {hello.trouble}")
        if hello.hello_retry_request:
            self._retry = True
            return
        if hello.random in self.server_randoms:
            return  # sent again
        self.server_randoms.add(hello.random)
        self.hello_selected = True
        self._full_flight = False
        record = self.record
        self._suite = suite(hello.cipher_suite)
        self._version = hello.selected_version
        if not event.protected:
            self._changed = [False, False]
        self._protected = [0, 0]
        srtp = hello.use_srtp
        if len(record.server_hellos) < _MAX_HELLOS:
            record.server_hellos.append(
                Hello(
                    frame=event.frame,
                    time=event.time,
                    version=self._version,
                    cipher_suites=(hello.cipher_suite,),
                    use_srtp=srtp.profiles if srtp else (),
                    random=hello.random,
                    session_id=hello.session_id,
                    legacy_version=hello.version,
                    extensions=tuple(number for number, _ in hello.extensions),
                    compression_methods=(hello.compression_method,),
                    srtp_mki=srtp.srtp_mki if srtp else b"",
                    downgrade_sentinel=hello.downgrade_sentinel,
                )
            )
        record.version = version_name(self._version)
        record.cipher_suite = hello.cipher_suite
        record.cipher_suite_name = self._suite.name
        record.psk = bool(self._suite.psk)
        offer = self._offer
        if is_tls13(self._version):
            share = hello.extension(KEY_SHARE)
            record.key_exchange_group = int.from_bytes(share[:2], "big") if share and len(share) >= 2 else None
            index = hello.selected_identity
            record.psk = index is not None
            record.resumed = False
            if index is not None and offer is not None and index < len(offer.psk_identities):
                chosen = offer.psk_identities[index]
                record.psk_identity = chosen.identity
                record.psk_frame = record.client_hellos[-1].frame if record.client_hellos else None
                # An external PSK has age 0, a ticket hardly ever (RFC 8446 §4.2.11)
                record.resumed = chosen.obfuscated_ticket_age != 0
        else:
            record.resumed = bool(hello.session_id) and offer is not None and offer.session_id == hello.session_id
        if hello.compression_method and self._suite.null:
            self.note(event.frame, f"compression method {hello.compression_method}: content under NULL is not read")

    def _certificate(self, event: Handshake) -> None:
        from_client = self._from_client(event)
        self._full_flight = self._full_flight or not from_client
        message = parse_certificate(event.body, self._version)
        if message.trouble:
            self.note(event.frame, f"Certificate: {message.trouble}")
        record = self.record
        if not from_client:
            record.resumed = False
        seen = record.client_certificates if from_client else record.server_certificates
        if len(record.certificate_frames) < _MAX_CERTIFICATES:
            record.certificate_frames.append(event.frame)
        self._certificates(event, message.certificates, seen)

    def _certificates(self, event: Handshake, ders: tuple[bytes, ...], seen: list[CertificateInfo]) -> None:
        for der in ders:
            info, trouble = read_certificate(der)
            if trouble:
                self.note(event.frame, trouble)
            if len(seen) < _MAX_CERTIFICATES and all(info.sha256 != one.sha256 for one in seen):
                seen.append(info)

    def _server_key_exchange(self, event: Handshake) -> None:
        self._full_flight = True
        if not self.hello_selected:
            return
        read = parse_server_key_exchange(event.body, self._suite)
        if read.trouble:
            self.note(event.frame, f"ServerKeyExchange: {read.trouble}")
        record = self.record
        if read.psk_identity_hint is not None:
            record.psk_hint = read.psk_identity_hint
        if read.group is not None:
            record.key_exchange_group = read.group
        if read.dh_p:
            record.dh_bits = int.from_bytes(read.dh_p, "big").bit_length()

    def _certificate_request(self, event: Handshake) -> None:
        self.record.certificate_requested = True
        self._full_flight = True

    def _server_hello_done(self, event: Handshake) -> None:
        self._full_flight = True

    def _client_key_exchange(self, event: Handshake) -> None:
        self._full_flight = True
        if not self.hello_selected:
            return
        read = parse_client_key_exchange(event.body, self._suite)
        if read.trouble:
            self.note(event.frame, f"ClientKeyExchange: {read.trouble}")
        if read.psk_identity is not None:
            self.record.psk_identity = read.psk_identity
            self.record.psk_frame = event.frame

    def _finished(self, event: Handshake) -> None:
        if event.protected:
            self._protected[self._from_client(event)] += 1
            self.record.opened = True

    # --- SSL 2.0

    def _ssl2_client_hello(self, event: Handshake) -> None:
        self._set_client(event.forward)
        hello = parse_ssl2_client_hello(event.body)
        if hello is None:
            self.note(event.frame, f"CLIENT-HELLO of {len(event.body)} octets is too short")
            return
        self._offered(event, hello)

    def _ssl2_server_hello(self, event: Handshake) -> None:
        self._set_client(not event.forward)
        hello = parse_ssl2_server_hello(event.body)
        if hello is None:
            self.note(event.frame, f"SERVER-HELLO of {len(event.body)} octets is too short")
            return
        if hello.trouble:
            self.note(event.frame, f"SERVER-HELLO: {hello.trouble}")
        self.hello_selected = True
        self._version = SSL_2_0
        record = self.record
        record.version = version_name(SSL_2_0)
        record.resumed = bool(hello.session_id_hit)
        record.server_hellos.append(
            Hello(event.frame, event.time, SSL_2_0, cipher_suites=(), legacy_version=hello.version)
        )
        if hello.certificate:
            record.certificate_frames.append(event.frame)
            self._certificates(event, (hello.certificate,), record.server_certificates)

    def _ssl2_client_master_key(self, event: Handshake) -> None:
        self._set_client(event.forward)
        message = parse_ssl2_client_master_key(event.body)
        if message is None:
            self.note(event.frame, f"CLIENT-MASTER-KEY of {len(event.body)} octets is too short")
            return
        record = self.record
        record.version = version_name(SSL_2_0)
        self._version = SSL_2_0
        record.cipher_suite = message.cipher_kind
        if record.server_hellos:  # the client selects among what the server offered (SSL 2.0 protocol C.7)
            record.server_hellos[-1].cipher_suites = (message.cipher_kind,)
        self._suite = suite(message.cipher_kind)
        record.cipher_suite_name = self._suite.name

    def _set_client(self, forward: bool) -> None:
        self._sides_known = True
        if forward != self.client_forward:
            self.client_forward = forward
            self.record.client, self.record.server = self.record.server, self.record.client

    # --- other events

    def change_cipher_spec(self, event: ChangeCipherSpec) -> None:
        from_client = self._from_client(event)
        if not from_client and not self._changed[False] and self.hello_selected and not is_tls13(self._version):
            # The server changes cipher at once: an abbreviated handshake (RFC 5246 §7.3, RFC 5077 §3.1)
            ticket = self._offer.extension(SESSION_TICKET) if self._offer is not None else None
            if not self._full_flight and ticket:
                self.record.resumed = True
        self._changed[from_client] = True
        self.finished = self.finished or (all(self._changed) and self.handshake)
        self._judge()

    def alert(self, event: AlertSeen) -> None:
        if event.level is None or event.description is None:
            self._encrypted_types.add(ALERT)
            self._judge()
            return
        if len(self.record.alerts) < _MAX_ALERTS:
            self.record.alerts.append((event.frame, self._from_client(event), event.level, event.description))
        if event.level == 2 or event.description == 0:
            self.finished = True

    def application_data(self, event: ApplicationData) -> None:
        from_client = self._from_client(event)
        record = self.record
        if from_client:
            record.client_records += 1
        else:
            record.server_records += 1
        tls13 = is_tls13(self._version)
        if tls13:
            if not from_client or event.length >= _CLIENT_FINISHED_LEAST:
                self._protected[from_client] += 1
                self.finished = self.finished or all(self._protected)
        elif self._is_early(event, from_client) and len(record.early_data) < _MAX_EARLY:
            record.early_data.append(event.frame)
        if event.opened:
            self._open(event, from_client)
        self._judge()

    def _is_early(self, event: ApplicationData, from_client: bool) -> bool:
        """Whether application data comes before its sender changed cipher, or is 0-RTT data (RFC 8446 §2.3)."""
        if self.hello_selected:
            return not event.protected
        return from_client and self._offer is not None and self._offer.extension(EARLY_DATA) is not None

    def _open(self, event: ApplicationData, from_client: bool) -> None:
        record = self.record
        record.opened = True
        if not event.data:
            return
        if self._opened_octets + len(event.data) > MAX_OPENED:
            if self._opened_octets <= MAX_OPENED:
                self._opened_octets = MAX_OPENED + 1
                self.note(event.frame, f"only the first {MAX_OPENED} octets of readable content are kept")
            return
        self._opened_octets += len(event.data)
        record.opened_data.append(OpenedData(event.frame, event.time, from_client, event.data))

    def protected_record(self, event: ProtectedRecord) -> None:
        from_client = self._from_client(event)
        self._encrypted_types.add(event.type)
        if event.type == -1 and (is_tls13(self._version) or self._version == SSL_2_0):
            self._protected[from_client] += 1
        if self._version == SSL_2_0:
            self._changed[from_client] = True
        if event.type == -1 and event.version == 0:
            self._record_versions.add(DTLS_1_3)
        self._judge()


def _version_of_records(transport: str, versions: set[int], encrypted: set[int]) -> str:
    """What records alone say of the version; "" where they leave it open.

    TLS 1.3 writes TLS 1.2 into its records (RFC 8446 §5.1), but hides what is no application data: an encrypted alert
    or handshake record tells TLS 1.2. DTLS 1.2 and DTLS 1.3 have different records.
    """
    if len(versions) != 1:
        return ""
    (version,) = versions
    if transport == "tls" and version == TLS_1_2 and not encrypted & {ALERT, HANDSHAKE}:
        return ""
    if transport == "dtls" and version not in (DTLS_1_2, DTLS_1_3) and version_name(version) != "DTLS 1.0":
        return ""
    return version_name(version)


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> tuple[CertificateInfo, str]:
    """What a certificate says, and what could not be read of it ("" when all was).

    A certificate that does not parse keeps its digest; its other fields are empty.
    """
    from cryptography import x509

    digest = hashlib.sha256(der).hexdigest()
    empty = CertificateInfo(digest, "", "", "", "", "", "", "", der)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of serial numbers and dates that RFC 5280 forbids: rules judge, not we
            certificate = x509.load_der_x509_certificate(_without_default_version(der))
            return (
                CertificateInfo(
                    sha256=digest,
                    subject=certificate.subject.rfc4514_string(),
                    issuer=certificate.issuer.rfc4514_string(),
                    not_before=certificate.not_valid_before_utc.isoformat(),
                    not_after=certificate.not_valid_after_utc.isoformat(),
                    serial=f"{certificate.serial_number:x}",
                    public_key=_public_key(certificate),
                    signature=_signature(certificate),
                    der=der,
                ),
                "",
            )
    except Exception as error:  # the parser raises many kinds, some of them undocumented
        return empty, f"certificate {digest[:8]} does not parse: {type(error).__name__}"


def _without_default_version(der: bytes) -> bytes:
    """A certificate that spells out the default version v1, as old FreeSWITCH ones do, without it.

    DER forbids the encoding (X.690 §11.5) and the parser refuses it, but such certificates are in use; the fingerprint
    is taken over the octets as sent.
    """
    outer = _sequence(der, 0)
    inner = _sequence(der, outer[0]) if outer else None
    if outer is None or inner is None or der[inner[0] : inner[0] + 5] != b"\xa0\x03\x02\x01\x00":
        return der
    certificate = _encoded(der[inner[0] + 5 : inner[1]]) + der[inner[1] : outer[1]]
    return _encoded(certificate)


def _sequence(der: bytes, at: int) -> tuple[int, int] | None:
    """Where the content of a SEQUENCE with a two-octet length begins and ends; None for others and where it is cut."""
    if der[at : at + 2] != b"\x30\x82" or len(der) < at + 4:
        return None
    end = at + 4 + (der[at + 2] << 8 | der[at + 3])
    return (at + 4, end) if end <= len(der) else None


def _encoded(content: bytes) -> bytes:
    """A SEQUENCE around a content of less than 64 KiB, in DER."""
    length = len(content)
    if length < 0x80:
        return bytes((0x30, length)) + content
    if length < 0x100:
        return bytes((0x30, 0x81, length)) + content
    return b"\x30\x82" + length.to_bytes(2, "big") + content


def _public_key(certificate: Certificate) -> str:
    """Kind and size of the key, "RSA 2048", "EC secp256r1"; the algorithm's OID where the kind is unknown."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = certificate.public_key()
    except Exception:  # unsupported algorithms and malformed keys
        return certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def _signature(certificate: Certificate) -> str:
    """Name of the signature algorithm, "sha256WithRSAEncryption"; its OID where it has none."""
    oid = certificate.signature_algorithm_oid
    return SIGNATURE_ALGORITHMS.get(oid.dotted_string, oid.dotted_string)


_MESSAGES: dict[int, Callable[[_Session, Handshake], None]] = {
    1: _Session._client_hello,
    2: _Session._server_hello,
    11: _Session._certificate,
    12: _Session._server_key_exchange,
    13: _Session._certificate_request,
    14: _Session._server_hello_done,
    16: _Session._client_key_exchange,
    20: _Session._finished,
}

_SSL2_MESSAGES: dict[int, Callable[[_Session, Handshake], None]] = {
    1: _Session._ssl2_client_hello,
    2: _Session._ssl2_client_master_key,
    4: _Session._ssl2_server_hello,
}

_HANDLERS: dict[type, Callable[[_Session, Any], None]] = {
    Handshake: _Session.handshake_message,
    ChangeCipherSpec: _Session.change_cipher_spec,
    AlertSeen: _Session.alert,
    ApplicationData: _Session.application_data,
    ProtectedRecord: _Session.protected_record,
}


def read_tls(chunks: Iterable[Chunk], first: Endpoint, second: Endpoint) -> list[TlsSession]:
    """The TLS sessions of one TCP flow; `Chunk.forward` is set on what `first` sent.

    Several follow one another where a new connection used the same ports. Clear text before the first hello (STARTTLS)
    is passed over. Without a handshake in the capture, records alone make a session with handshake_seen "none" when the
    stream begins with them or a gap precedes them. Ids are left to the caller.
    """
    reader, builder = TlsReader(), _Builder("tls", first, second)
    for chunk in chunks:
        for event in reader.feed(chunk):
            builder.take(event)
    return builder.sessions


def read_dtls(chunks: Iterable[Chunk], first: Endpoint, second: Endpoint) -> list[TlsSession]:
    """The DTLS sessions between two endpoints, each chunk being one datagram; others than DTLS may stand among them."""
    reader, builder = DtlsReader(), _Builder("dtls", first, second)
    for chunk in chunks:
        for event in reader.feed(chunk):
            builder.take(event)
    return builder.sessions
