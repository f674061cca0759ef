"""One TLS or DTLS session in the making: what its handshake messages, alerts and data say, event by event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dissectors.tls.parse import (
    EARLY_DATA,
    KEY_SHARE,
    SESSION_TICKET,
    ClientHello,
    ServerHello,
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
from imsinspect.capture.handshakes import (
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    Event,
    Handshake,
    Keyed,
    ProtectedRecord,
    Trouble,
)
from imsinspect.capture.handshakes.tls13 import encrypted_extensions
from imsinspect.capture.signalling import MAX_CONNECTION
from imsinspect.trace.certificates import read_certificate
from imsinspect.trace.model import Hello, Note, OpenedData, Place, TlsSession
from imsinspect.trace.tls_secrets import (
    Selected,
    certificate_message,
    protocol,
    srtp_keying,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.capture.frames import FrameId
    from imsinspect.crypto.tls_prf import Exporter
    from imsinspect.trace.model import CertificateInfo

MAX_OPENED = MAX_CONNECTION
"""Octets of readable application data that a session keeps: as many as of a connection without TLS."""

_MAX_HELLOS = 64  # kept of a session, of each side
_MAX_ALERTS = 64
_MAX_CERTIFICATES = 64
_MAX_EARLY = 16
_MAX_NOTES = 50

# Types that only one side sends (RFC 5246 §7.4): they tell client and server apart where the hellos are missing.
FROM_CLIENT = frozenset({1, 16})
FROM_SERVER = frozenset({0, 2, 3, 4, 12, 13, 14, 22})

_CLIENT_FINISHED_LEAST = 36  # octets of an encrypted TLS 1.3 Finished; an encrypted alert is shorter (RFC 8446 §5.2)


class Session:
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
        self._exporter: Exporter | None = None
        self._source = ""  # of the secret that opens the session
        self._here = record.first
        self._selected: Selected | None = None  # a DTLS-SRTP profile whose keys are still to be exported

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
        self._here = record.last = Place(event.frame, event.time)
        if isinstance(event, Handshake):
            if not self._sides_known and not event.ssl2 and event.type in FROM_CLIENT | FROM_SERVER:
                self._sides_known = True
                if (event.type in FROM_CLIENT) != (event.forward == self.client_forward):
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
        if complete and self.handshake and not record.handshake_complete:
            record.handshake_complete, record.completed = True, self._here
        if record.handshake_complete and record.client_hellos and record.server_hellos:
            record.handshake_seen = "full"
        elif self.handshake:
            record.handshake_seen = "partial"
        else:
            record.version = _version_of_records(self.record.transport, self._record_versions, self._encrypted_types)

    # --- handshake messages

    def handshake_message(self, event: Handshake) -> None:
        if event.protected:
            self._mark_opened()
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
        self._exporter = self._selected = None
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
        record.application_protocol = protocol(hello) or record.application_protocol
        self._select(event, hello)
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

    def _encrypted_extensions(self, event: Handshake) -> None:
        """What a TLS 1.3 server answers behind its hello (RFC 8446 §4.3.1)."""
        answer = encrypted_extensions(event.body)
        if answer is None or not is_tls13(self._version):
            return
        if answer.trouble:
            self.note(event.frame, f"EncryptedExtensions: {answer.trouble}")
        self.record.application_protocol = protocol(answer) or self.record.application_protocol
        if self.record.server_hellos:
            hello = self.record.server_hellos[-1]
            hello.extensions += tuple(number for number, _ in answer.extensions)
            if (srtp := answer.use_srtp) is not None:
                hello.use_srtp, hello.srtp_mki = srtp.profiles, srtp.srtp_mki
        self._select(event, answer)

    def _select(self, event: Handshake, hello: ServerHello) -> None:
        """Remember the DTLS-SRTP profile that a server selects."""
        srtp = hello.use_srtp
        if srtp is not None and len(srtp.profiles) == 1:
            self._selected = Selected(srtp.profiles[0], srtp.srtp_mki, event.frame, event.time)
            self._export()

    def _export(self) -> None:
        """The keys of SRTP, once both the profile and the session's secret are known."""
        if self._selected is not None and self._exporter is not None:
            keying = srtp_keying(self._exporter, self._selected)
            if keying is not None and len(self.record.srtp_keying) < _MAX_HELLOS:
                self.record.srtp_keying.append(keying)
            self._selected = None

    def _compressed_certificate(self, event: Handshake) -> None:
        body, trouble = certificate_message(event.body)
        if trouble:
            self.note(event.frame, f"CompressedCertificate: {trouble}")
        else:
            self._certificate(replace(event, body=body))

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
        if from_client and record.client_certificate_frame is None:
            record.client_certificate_frame = event.frame
        elif not from_client and record.server_certificate_frame is None:
            record.server_certificate_frame = event.frame
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
        if self.record.server_hello_done is None:
            self.record.server_hello_done = event.frame

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
            if is_tls13(self._version):
                self.finished = self.finished or all(self._protected)
        if event.verified is False:
            self.note(event.frame, "Finished does not hold over the handshake messages: with the secrets at hand")
            self.record.finished_verified = False
        elif event.verified and self.record.finished_verified is None:
            self.record.finished_verified = True

    # --- secrets

    def keyed(self, event: Keyed) -> None:
        """Secrets were tried on the first records that a handshake protects."""
        record = self.record
        if not event.proven:
            record.finished_verified = False
            self.note(event.frame, wrong(event.source, event.tried))
            return
        record.secret_digest = event.digest
        self._source = event.source
        if record.finished_verified is False:
            record.finished_verified = None  # an earlier record did not open, this one does
        if event.exporter is not None:
            self._exporter = event.exporter
            self._export()

    def _mark_opened(self) -> None:
        """Something protected was read."""
        record = self.record
        record.opened = True
        record.records_opened += 1
        record.opened_by = "null" if self._suite.null else self._source

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
        self.record.records_not_opened += event.failed
        if event.opened:
            self._mark_opened()
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
        if event.opened or (self.hello_selected and not tls13):
            if from_client:
                record.client_data = record.client_data or self._here
            else:
                record.server_data = record.server_data or self._here
        if tls13 and (not from_client or event.length >= _CLIENT_FINISHED_LEAST):
            self._protected[from_client] += 1
            self.finished = self.finished or all(self._protected)
        if event.early or (not tls13 and self._is_early(event, from_client)):
            record.early_data += [event.frame][: _MAX_EARLY - len(record.early_data)]
        record.records_not_opened += event.failed
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
        self._mark_opened()
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
        self.record.records_not_opened += event.failed
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


_MESSAGES: dict[int, Callable[[Session, Handshake], None]] = {
    1: Session._client_hello,
    2: Session._server_hello,
    8: Session._encrypted_extensions,
    11: Session._certificate,
    12: Session._server_key_exchange,
    13: Session._certificate_request,
    14: Session._server_hello_done,
    16: Session._client_key_exchange,
    20: Session._finished,
    25: Session._compressed_certificate,
}

_SSL2_MESSAGES: dict[int, Callable[[Session, Handshake], None]] = {
    1: Session._ssl2_client_hello,
    2: Session._ssl2_client_master_key,
    4: Session._ssl2_server_hello,
}

HANDLERS: dict[type, Callable[[Session, Any], None]] = {
    Handshake: Session.handshake_message,
    ChangeCipherSpec: Session.change_cipher_spec,
    AlertSeen: Session.alert,
    ApplicationData: Session.application_data,
    ProtectedRecord: Session.protected_record,
    Keyed: Session.keyed,
}
