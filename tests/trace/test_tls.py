"""TLS and DTLS sessions from bytes: recorded handshakes, live ones over memory, and DTLS built message by message."""

from __future__ import annotations

import datetime
import functools
import hashlib
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.capture.chunk import Chunk
from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace import tls_session
from imsinspect.trace.certificates import read_certificate
from imsinspect.trace.tls import read_dtls, read_tls
from tests import build

if TYPE_CHECKING:
    from pathlib import Path

    from imsinspect.trace.model import TlsSession

A = Endpoint("192.0.2.1", 40000)
B = Endpoint("192.0.2.2", 5061)

Piece = tuple[bool, bytes]


def chunks(pieces: list[Piece]) -> list[Chunk]:
    """The n-th piece as frame n, a millisecond apart."""
    return [Chunk(data, frame, frame * 1_000_000, forward) for frame, (forward, data) in enumerate(pieces, 1)]


def sessions(*pieces: Piece) -> list[TlsSession]:
    """TLS sessions of a stream between A and B; True is A's direction."""
    return read_tls(chunks(list(pieces)), A, B)


def message(type_: int, body: bytes) -> bytes:
    """A TLS handshake message."""
    return bytes((type_,)) + len(body).to_bytes(3, "big") + body


def record(content_type: int, fragment: bytes, version: int = 0x0303) -> bytes:
    """A TLS record."""
    return bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big") + fragment


def extensions(*items: tuple[int, bytes]) -> bytes:
    """The vector of extensions; nothing for none."""
    data = b"".join(number.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body for number, body in items)
    return len(data).to_bytes(2, "big") + data if items else b""


def client_hello(
    *items: tuple[int, bytes], suites: str = "00a8", random: int = 1, session: bytes = b"", version: int = 0x0303
) -> bytes:
    """A ClientHello message."""
    offered = bytes.fromhex(suites)
    body = version.to_bytes(2, "big") + bytes((random,)) * 32 + bytes((len(session),)) + session
    return message(1, body + len(offered).to_bytes(2, "big") + offered + b"\x01\x00" + extensions(*items))


def server_hello(
    code: int, *items: tuple[int, bytes], random: bytes = b"\x02" * 32, session: bytes = b"", version: int = 0x0303
) -> bytes:
    """A ServerHello message."""
    body = version.to_bytes(2, "big") + random + bytes((len(session),)) + session + code.to_bytes(2, "big") + b"\x00"
    return message(2, body + extensions(*items))


CHANGE = record(20, b"\x01")
FINISHED = CHANGE + record(22, bytes(range(100, 140)))
TLS13 = (43, b"\x03\x04")
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

# A plain PSK handshake that OpenSSL made: empty identity, no hint.
PSK_CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
PSK_SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)


def test_a_plain_psk_handshake_with_empty_identity_and_no_hint() -> None:
    (session,) = sessions(
        (True, record(22, PSK_CLIENT_HELLO, 0x0301)),
        (False, record(22, PSK_SERVER_HELLO + message(14, b""))),
        (True, record(22, message(16, b"\x00\x00")) + FINISHED),
        (False, FINISHED),
        (True, record(23, bytes(40))),
    )
    assert (session.transport, session.client, session.server) == ("tls", A, B)
    assert (session.version, session.cipher_suite) == ("TLS 1.2", 0x00A8)
    assert session.cipher_suite_name == "TLS_PSK_WITH_AES_128_GCM_SHA256"
    assert (session.psk, session.psk_identity, session.psk_hint, session.psk_frame) == (True, b"", None, 3)
    assert (session.handshake_seen, session.handshake_complete, session.resumed) == ("full", True, False)
    assert (session.first.frame, session.last.frame, session.client_records) == (1, 5, 1)
    (offer,) = session.client_hellos
    (answer,) = session.server_hellos
    assert offer.cipher_suites == (0x00A8, 0x00FF)
    assert (offer.extensions, answer.extensions) == ((35, 22, 23, 13), (65281, 23))
    assert (answer.frame, answer.version, answer.compression_methods) == (2, 0x0303, (0,))
    assert (session.server_certificates, session.alerts, session.opened, session.notes) == ([], [], False, [])


def test_hint_and_identity_are_kept() -> None:
    (session,) = sessions(
        (True, record(22, PSK_CLIENT_HELLO)),
        (False, record(22, PSK_SERVER_HELLO + bytes.fromhex("0c00000800066d7968696e74") + message(14, b""))),
        (True, record(22, message(16, b"\x00\x0fClient_identity"))),
    )
    assert (session.psk_hint, session.psk_identity) == (b"myhint", b"Client_identity")
    assert (session.handshake_seen, session.handshake_complete) == ("partial", False)


def test_the_client_is_who_sent_the_client_hello() -> None:
    (session,) = sessions((False, record(22, PSK_CLIENT_HELLO)), (True, record(22, PSK_SERVER_HELLO)))
    assert (session.client, session.server) == (B, A)
    (half,) = sessions((True, record(22, PSK_SERVER_HELLO)))
    assert (half.client, half.server, half.version) == (B, A, "TLS 1.2")


def test_the_version_of_tls_13_comes_from_the_extension() -> None:
    (session,) = sessions(
        (True, record(22, client_hello((43, b"\x04\x03\x04\x03\x03"), suites="1301"), 0x0301)),
        (False, record(22, server_hello(0x1301, TLS13, (51, b"\x00\x1d\x00\x01a"))) + CHANGE + record(23, bytes(900))),
        (True, CHANGE + record(23, bytes(53))),
    )
    assert (session.version, session.cipher_suite_name) == ("TLS 1.3", "TLS_AES_128_GCM_SHA256")
    assert (session.handshake_complete, session.handshake_seen) == (True, "full")
    assert (session.key_exchange_group, session.psk, session.early_data) == (29, False, [])
    (offer,) = session.client_hellos
    assert (offer.version, offer.legacy_version, offer.offered_versions) == (0x0304, 0x0303, (0x0304, 0x0303))


def test_a_tls_13_client_that_answers_with_an_alert_only_has_not_finished() -> None:
    (session,) = sessions(
        (True, record(22, client_hello((43, b"\x02\x03\x04"), suites="1301"))),
        (False, record(22, server_hello(0x1301, TLS13)) + record(23, bytes(900))),
        (True, record(23, bytes(19))),
    )
    assert not session.handshake_complete


def test_a_hello_retry_request_is_no_server_hello_and_its_second_hello_no_new_session() -> None:
    (session,) = sessions(
        (True, record(22, client_hello((43, b"\x02\x03\x04"), suites="1301"))),
        (False, record(22, server_hello(0x1301, TLS13, (51, b"\x00\x17"), random=RETRY_RANDOM)) + CHANGE),
        (True, CHANGE + record(22, client_hello((43, b"\x02\x03\x04"), suites="1301"))),
        (False, record(22, server_hello(0x1301, TLS13)) + record(23, bytes(900))),
        (True, record(23, bytes(53))),
    )
    assert (len(session.client_hellos), len(session.server_hellos)) == (2, 1)
    assert [hello.hello_retry_request for hello in session.client_hellos] == [False, True]
    assert session.handshake_complete


def test_a_selected_psk_of_tls_13_shows_its_identity_and_tickets_have_an_age() -> None:
    def psk(age: int) -> TlsSession:
        identities = b"\x00\x0a\x00\x04user" + age.to_bytes(4, "big") + b"\x00\x02\x01\xff"
        (session,) = sessions(
            (True, record(22, client_hello((45, b"\x01\x01"), (41, identities), suites="1301"))),
            (False, record(22, server_hello(0x1301, TLS13, (41, b"\x00\x00")))),
        )
        return session

    external, ticket = psk(0), psk(77)
    assert (external.psk, external.psk_identity, external.resumed) == (True, b"user", False)
    assert (ticket.psk, ticket.psk_identity, ticket.resumed) == (True, b"user", True)


def test_early_data_and_data_in_clear_are_named_by_their_frames() -> None:
    hello = client_hello((42, b""), suites="1301")
    (zero,) = sessions((True, record(22, hello) + CHANGE), (True, record(23, bytes(40))))
    assert zero.early_data == [2]
    (clear,) = sessions(
        (True, record(22, PSK_CLIENT_HELLO)),
        (False, record(22, PSK_SERVER_HELLO)),
        (True, record(23, bytes(40)) + FINISHED + record(23, bytes(40))),
    )
    assert clear.early_data == [3]


def test_a_hello_refused_by_an_alert_is_a_session_without_a_suite() -> None:
    (session,) = sessions((True, record(22, PSK_CLIENT_HELLO)), (False, record(21, b"\x02\x28")))
    assert (session.version, session.cipher_suite, session.cipher_suite_name) == ("", None, "")
    assert session.alerts == [(2, False, 2, 40)]
    assert session.handshake_seen == "partial"


def test_a_new_hello_behind_the_end_of_a_connection_is_another_session() -> None:
    one = [(True, record(22, PSK_CLIENT_HELLO)), (False, record(21, b"\x02\x28"))]
    first, second = sessions(
        *one, (False, record(22, client_hello(random=9))), (True, record(22, server_hello(0x00A8)))
    )
    assert (first.client, second.client) == (A, B)
    assert (second.version, second.first.frame, second.alerts) == ("TLS 1.2", 3, [])


def test_session_ids_and_tickets_tell_a_resumption() -> None:
    (echoed,) = sessions(
        (True, record(22, client_hello(session=b"id"))),
        (False, record(22, server_hello(0x002F, session=b"id")) + FINISHED),
        (True, FINISHED),
    )
    assert (echoed.resumed, echoed.handshake_complete) == (True, True)
    (ticket,) = sessions(
        (True, record(22, client_hello((35, b"ticket")))),
        (False, record(22, server_hello(0x002F)) + FINISHED),
        (True, FINISHED),
    )
    assert ticket.resumed
    (full,) = sessions(
        (True, record(22, client_hello((35, b"ticket")))),
        (False, record(22, server_hello(0x002F) + message(14, b""))),
        (True, record(22, message(16, b"\x00\x00")) + FINISHED),
        (False, FINISHED),
    )
    assert not full.resumed


def test_records_without_a_handshake_make_a_session_whose_version_may_stay_open() -> None:
    (old,) = sessions((True, record(23, bytes(40), 0x0301)), (False, record(23, bytes(40), 0x0301)))
    assert (old.version, old.handshake_seen, old.cipher_suite) == ("TLS 1.0", "none", None)
    assert (old.client_records, old.server_records) == (1, 1)
    (open_,) = sessions((True, record(23, bytes(40))))
    assert open_.version == ""
    (alerted,) = sessions((True, record(23, bytes(40))), (True, record(21, bytes(26))))
    assert alerted.version == "TLS 1.2"


def test_other_streams_have_no_sessions() -> None:
    assert sessions((True, b"INVITE sip:a@b SIP/2.0\r\n\r\n"), (False, b"SIP/2.0 200 OK\r\n\r\n")) == []


def test_starttls_begins_where_the_hello_does() -> None:
    (session,) = sessions(
        (False, b"220 ready\r\n"), (True, b"AUTH TLS\r\n"), (False, b"234 go\r\n"), (True, record(22, PSK_CLIENT_HELLO))
    )
    assert (session.first.frame, session.notes) == (4, [])


@pytest.mark.parametrize(("code", "octets"), [(0x0001, 16), (0x002C, 20), (0x003B, 32), (0x00B1, 48)])
def test_content_under_a_null_cipher_is_opened_without_its_mac(code: int, octets: int) -> None:
    mac = b"\xee" * octets
    finished = CHANGE + record(22, message(20, bytes(12)) + mac)
    (session,) = sessions(
        (True, record(22, client_hello(suites=f"{code:04x}"))),
        (False, record(22, server_hello(code) + message(14, b""))),
        (True, record(22, message(16, b"\x00\x00")) + finished + record(23, b"REGISTER" + mac)),
        (False, finished + record(23, b"200 OK" + mac) + record(21, b"\x01\x00" + mac)),
    )
    assert session.opened
    assert [(one.frame, one.from_client, one.data) for one in session.opened_data] == [
        (3, True, b"REGISTER"),
        (4, False, b"200 OK"),
    ]
    assert session.alerts == [(4, False, 1, 0)]
    assert session.handshake_seen == "full"


def test_what_is_opened_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_session, "MAX_OPENED", 100)
    mac = b"\xee" * 20
    (session,) = sessions(
        (True, record(22, client_hello(suites="002c"))),
        (False, record(22, server_hello(0x002C))),
        (True, CHANGE + record(23, bytes(60) + mac) * 5),
    )
    assert [len(one.data) for one in session.opened_data] == [60]
    assert [note.text for note in session.notes] == ["only the first 100 octets of readable content are kept"]


def test_a_long_session_is_read_as_far_as_a_long_connection() -> None:
    """A trunk between two proxies carries the calls of hours."""
    length, number = 16_000, 400
    mac = b"\xee" * 20
    (session,) = sessions(
        (True, record(22, client_hello(suites="002c"))),
        (False, record(22, server_hello(0x002C))),
        *[(True, (b"" if count else CHANGE) + record(23, bytes(length) + mac)) for count in range(number)],
    )
    assert sum(len(one.data) for one in session.opened_data) == length * number
    assert session.notes == []


def test_a_renegotiation_stays_one_session_with_both_server_hellos() -> None:
    mac = b"\xee" * 20
    (session,) = sessions(
        (True, record(22, client_hello(suites="0002"))),
        (False, record(22, server_hello(0x0002)) + CHANGE),
        (True, CHANGE),
        (True, record(22, client_hello(suites="002f", random=7) + mac)),
        (False, record(22, server_hello(0x002F, random=b"\x08" * 32) + mac)),
    )
    assert [hello.cipher_suites for hello in session.server_hellos] == [(0x0002,), (0x002F,)]
    assert session.cipher_suite == 0x002F


def test_ssl2_names_the_cipher_in_the_client_master_key() -> None:
    hello = b"\x01\x00\x02\x00\x06\x00\x00\x00\x10\x01\x00\x80\x05\x00\x80" + bytes(16)
    answer = b"\x04\x00\x01\x00\x02\x00\x03\x00\x03\x00\x10der\x05\x00\x80" + bytes(16)
    key = b"\x02\x05\x00\x80\x00\x00\x00\x04\x00\x00keys"
    pieces = [(True, hello), (False, answer), (True, key), (False, bytes(17)), (True, bytes(17)), (False, bytes(17))]
    (session,) = sessions(*((way, (0x8000 | len(data)).to_bytes(2, "big") + data) for way, data in pieces))
    assert (session.version, session.cipher_suite) == ("SSL 2.0", 0x050080)
    assert session.cipher_suite_name == "SSL2_IDEA_128_CBC_WITH_MD5"
    assert session.client_hellos[0].cipher_suites == (0x010080, 0x050080)
    assert session.server_hellos[0].cipher_suites == (0x050080,)
    assert session.handshake_complete
    assert [one.sha256 for one in session.server_certificates] == [hashlib.sha256(b"der").hexdigest()]


def test_the_moments_of_a_handshake_and_of_its_first_data() -> None:
    (session,) = sessions(
        (True, record(22, client_hello(suites="002f"))),
        (False, record(22, server_hello(0x002F) + message(11, b"\0\0\0") + message(13, bytes(6)) + message(14, b""))),
        (True, record(22, message(11, b"\0\0\0") + message(16, b"\0\0")) + FINISHED + record(23, bytes(40))),
        (False, FINISHED),
        (False, record(23, bytes(40))),
    )
    assert (session.server_certificate_frame, session.server_hello_done, session.client_certificate_frame) == (2, 2, 3)
    assert session.certificate_requested
    assert [each and each.frame for each in (session.client_data, session.completed, session.server_data)] == [3, 4, 5]


def test_the_data_of_tls_1_3_cannot_be_told_from_its_handshake_without_secrets() -> None:
    (session,) = sessions(
        (True, record(22, client_hello(TLS13, suites="1301"))),
        (False, record(22, server_hello(0x1301, TLS13)) + record(23, bytes(400))),
        (True, record(23, bytes(60))),
    )
    assert (session.client_data, session.server_data, session.handshake_complete) == (None, None, True)


def test_when_a_connection_last_carried_octets_and_when_it_was_closed() -> None:
    """Also where its content was let go because nothing can read it."""
    connection = build.TcpConnection(("192.0.2.10", 40_000), ("192.0.2.20", 2855))
    opening = build.tls_session(connection.client, connection.server, 0x002F, data=[b"x"])
    later = [(at, build.tcp(connection.server, connection.client, b"\x17\x03\x03\0\x01x", sequence=9_500 + 6 * int(at),
             acknowledgement=1)) for at in (1.0, 2.0, 9.0)]  # fmt: skip
    packets = [*opening, *later, *connection.close(12.0)]
    (session,) = build.audit_bytes(build.pcap(packets)).trace.tls_sessions
    frames = len(opening)
    assert session.last_octets is not None
    assert session.closed is not None
    assert (session.last_octets.frame, session.closed.frame) == (frames + 3, frames + 5)
    assert session.closed.time == (build.START + 12) * 10**9 + 10**6


# --- live handshakes ------------------------------------------------------------------------------


@functools.cache
def certificate() -> tuple[bytes, bytes, bytes]:
    """A self-signed certificate: DER, PEM, and PEM of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "focus.ims.example.org")])
    begin = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(begin)
        .not_valid_after(datetime.datetime(2124, 1, 2, tzinfo=datetime.UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.DER), made.public_bytes(serialization.Encoding.PEM), private


def live(
    tmp_path: Path, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, ciphers: str = "", mutual: bool = False
) -> TlsSession:
    """The session of a handshake between two OpenSSL endpoints, followed by one message each way."""
    _, pem, key = certificate()
    (tmp_path / "one.pem").write_bytes(pem + key)
    contexts = []
    for kind in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(kind)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        if mutual or kind == ssl.PROTOCOL_TLS_SERVER:
            context.load_cert_chain(tmp_path / "one.pem")
        contexts.append(context)
    if mutual:
        contexts[1].load_verify_locations(tmp_path / "one.pem")
        contexts[1].verify_mode = ssl.CERT_REQUIRED
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = contexts[0].wrap_bio(to_client, to_server_raw := ssl.MemoryBIO(), server_hostname="focus.ims.example.org")
    server = contexts[1].wrap_bio(to_server, to_client_raw := ssl.MemoryBIO(), server_side=True)
    pieces: list[Piece] = []

    def carry() -> None:
        for forward, source, sink in ((True, to_server_raw, to_server), (False, to_client_raw, to_client)):
            if source.pending:
                data = source.read()
                sink.write(data)
                pieces.append((forward, data))

    done = [False, False]
    for _ in range(10):
        for index, end in enumerate((client, server)):
            if not done[index]:
                try:
                    end.do_handshake()
                    done[index] = True
                except ssl.SSLWantReadError:
                    pass
            carry()
    assert all(done)
    client.write(b"MSRP from client")
    carry()
    server.write(b"MSRP from server")
    carry()
    (session,) = sessions(*pieces)
    assert session.notes == []
    assert (session.handshake_complete, session.handshake_seen) == (True, "full")
    return session


def test_a_live_tls_12_handshake_shows_the_certificate(tmp_path: Path) -> None:
    session = live(tmp_path, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    assert (session.version, session.cipher_suite_name) == ("TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    assert session.client_hellos[0].server_name == "focus.ims.example.org"
    (info,) = session.server_certificates
    der = certificate()[0]
    assert (info.sha256, info.der) == (hashlib.sha256(der).hexdigest(), der)
    assert (info.subject, info.issuer) == ("CN=focus.ims.example.org", "CN=focus.ims.example.org")
    assert (info.not_before, info.not_after) == ("2024-01-02T00:00:00+00:00", "2124-01-02T00:00:00+00:00")
    assert (info.serial, info.public_key, info.signature) == ("abcdef", "EC secp256r1", "ecdsa-with-SHA256")
    assert (session.client_certificates, session.certificate_requested, session.resumed) == ([], False, False)
    assert session.key_exchange_group is not None


def test_a_live_mutual_handshake_shows_both_certificates(tmp_path: Path) -> None:
    session = live(tmp_path, mutual=True)
    assert session.certificate_requested
    assert [one.subject for one in session.client_certificates] == ["CN=focus.ims.example.org"]


def test_a_live_tls_13_handshake_hides_the_certificate(tmp_path: Path) -> None:
    session = live(tmp_path, version=ssl.TLSVersion.TLSv1_3)
    assert session.version == "TLS 1.3"
    assert session.server_certificates == []
    assert not session.resumed


@pytest.mark.parametrize("name", ["ECDHE-ECDSA-NULL-SHA", "AECDH-NULL-SHA"])
def test_a_live_null_cipher_is_opened(tmp_path: Path, name: str) -> None:
    session = live(tmp_path, ciphers=f"{name}:@SECLEVEL=0")
    assert session.opened
    assert [(one.from_client, one.data) for one in session.opened_data] == [
        (True, b"MSRP from client"),
        (False, b"MSRP from server"),
    ]


# --- DTLS -----------------------------------------------------------------------------------------


def dtls_record(content_type: int, fragment: bytes, version: int = 0xFEFD, epoch: int = 0) -> bytes:
    """A DTLS record."""
    head = bytes((content_type,)) + version.to_bytes(2, "big") + epoch.to_bytes(2, "big") + bytes(6)
    return head + len(fragment).to_bytes(2, "big") + fragment


def dtls_message(data: bytes, sequence: int) -> bytes:
    """A TLS handshake message as one DTLS fragment."""
    return data[:4] + sequence.to_bytes(2, "big") + bytes(3) + data[1:4] + data[4:]


def dtls_client_hello(
    *items: tuple[int, bytes], cookie: bytes = b"", random: int = 1, version: int = 0xFEFD, suites: str = "c02b"
) -> bytes:
    """A DTLS ClientHello as a TLS message."""
    offered = bytes.fromhex(suites)
    body = version.to_bytes(2, "big") + bytes((random,)) * 32 + b"\x00" + bytes((len(cookie),)) + cookie
    return message(1, body + len(offered).to_bytes(2, "big") + offered + b"\x01\x00" + extensions(*items))


def dtls_sessions(*pieces: Piece) -> list[TlsSession]:
    """DTLS sessions of datagrams between A and B."""
    return read_dtls(chunks(list(pieces)), A, B)


SRTP_OFFER = (14, bytes.fromhex("00040002000100"))
SRTP_ANSWER = (14, bytes.fromhex("0002000100"))


def test_a_hello_verify_request_is_no_downgrade_and_the_srtp_profile_is_read() -> None:
    der = certificate()[0]
    certificates = (len(der) + 3).to_bytes(3, "big") + len(der).to_bytes(3, "big") + der
    hello = dtls_client_hello(SRTP_OFFER)
    again = dtls_client_hello(SRTP_OFFER, cookie=b"cook")
    answer = server_hello(0xC02B, SRTP_ANSWER, version=0xFEFD)
    (session,) = dtls_sessions(
        (False, dtls_record(22, dtls_message(hello, 0), 0xFEFF)),
        (True, dtls_record(22, dtls_message(message(3, b"\xfe\xff\x04cook"), 0), 0xFEFF)),
        (False, dtls_record(22, dtls_message(again, 1))),
        (True, dtls_record(22, dtls_message(answer, 1)) + dtls_record(22, dtls_message(message(11, certificates), 2))),
        (True, dtls_record(22, dtls_message(message(13, b"\x01\x40\x00\x02\x04\x03\x00\x00"), 3))),
        (False, dtls_record(20, b"\x01") + dtls_record(22, bytes(48), epoch=1)),
        (True, dtls_record(20, b"\x01") + dtls_record(22, bytes(48), epoch=1)),
    )
    assert (session.transport, session.client, session.server) == ("dtls", B, A)
    assert (session.version, session.cipher_suite) == ("DTLS 1.2", 0xC02B)
    assert [hello.use_srtp for hello in session.client_hellos] == [(2, 1), (2, 1)]
    assert [hello.use_srtp for hello in session.server_hellos] == [(1,)]
    assert [one.subject for one in session.server_certificates] == ["CN=focus.ims.example.org"]
    assert (session.certificate_requested, session.handshake_complete) == (True, True)
    assert session.certificate_frames == [4]


def test_old_openssl_changes_its_random_and_its_version_number_within_one_session() -> None:
    hello = dtls_client_hello(version=0x0100, random=1, suites="0035")
    again = dtls_client_hello(version=0x0100, random=2, suites="0035")
    (session,) = dtls_sessions(
        (True, dtls_record(22, dtls_message(hello, 0), 0x0100)),
        (False, dtls_record(22, dtls_message(message(3, b"\x01\x00\x00"), 0), 0x0100)),
        (True, dtls_record(22, dtls_message(again, 1), 0x0100)),
        (False, dtls_record(22, dtls_message(server_hello(0x0035, version=0x0100), 1), 0x0100)),
    )
    assert (session.version, len(session.client_hellos)) == ("DTLS 1.0", 2)
    assert session.server_hellos[0].version == 0x0100


def test_dtls_13_goes_on_under_the_unified_header() -> None:
    unified = b"\x2e\x00\x07\x00\x28" + bytes(40)
    (session,) = dtls_sessions(
        (True, dtls_record(22, dtls_message(dtls_client_hello((43, b"\x02\xfe\xfc"), suites="1301"), 0))),
        (False, dtls_record(22, dtls_message(server_hello(0x1301, (43, b"\xfe\xfc"), version=0xFEFD), 0)) + unified),
        (True, unified),
    )
    assert (session.version, session.handshake_complete) == ("DTLS 1.3", True)


def test_dtls_records_without_a_handshake_say_their_version() -> None:
    (session,) = dtls_sessions((True, dtls_record(23, bytes(40), epoch=1)))
    assert (session.version, session.handshake_seen) == ("DTLS 1.2", "none")
    assert session.early_data == []


def test_media_among_the_datagrams_is_passed_over() -> None:
    assert dtls_sessions((True, b"\x80\x00" + bytes(170)), (True, b"\x00\x01\x00\x00" + bytes(16))) == []


# --- certificates ---------------------------------------------------------------------------------


def test_a_certificate_that_does_not_parse_keeps_its_digest_and_gives_a_note() -> None:
    (session,) = sessions(
        (True, record(22, client_hello(suites="002f"))),
        (False, record(22, server_hello(0x002F) + message(11, b"\x00\x00\x07\x00\x00\x04junk"))),
    )
    (info,) = session.server_certificates
    assert (info.sha256, info.subject, info.der) == (hashlib.sha256(b"junk").hexdigest(), "", b"junk")
    assert [note.frame for note in session.notes] == [2]
    assert session.notes[0].text.startswith(f"certificate {info.sha256[:8]} does not parse")


def test_a_certificate_that_spells_out_the_default_version_is_read() -> None:
    # X.509 v1, as old FreeSWITCH makes it: the parser refuses [0] INTEGER 0, which DER leaves out.
    key = "30819f300d06092a864886f70d010101050003818d0030818902818100a2b536cf358dc044f91bbb4f6687db4440169cdafd7614e6c0"
    key += (
        "87d952495e5ef1e87a8017e2df50faf66639aa2807444a4f298e06333cc7b12057f60fc8da42b94613bb72a289793b7e0b62b9365c74"
    )
    key += (
        "0116f507eb163bc8759c8bcb4dc9a61ba113efb5a25aff2e3ac291bd6f10b97ecacfe9a0405ce19b4e01bac099957c464b0203010001"
    )
    name = "3022310b3009060355040613025553311330110603550403130a46726565535749544348"
    inner = "a003020100" + "020100" + "300d06092a864886f70d0101050500" + name
    inner += "3020170d3134303231373138343433305a180f32313134303133313138343433305a" + name + key
    tbs = bytes.fromhex(inner)
    tail = bytes.fromhex("300d06092a864886f70d0101050500") + b"\x03\x81\x81\x00" + bytes(128)
    body = b"\x30\x82" + len(tbs).to_bytes(2, "big") + tbs + tail
    der = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    info, trouble = read_certificate(der)
    assert trouble == ""
    assert (info.subject, info.public_key, info.signature) == (
        "CN=FreeSWITCH,C=US",
        "RSA 1024",
        "sha1WithRSAEncryption",
    )
    assert info.sha256 == hashlib.sha256(der).hexdigest()


@given(st.binary(max_size=400))
def test_no_octets_make_the_certificate_reader_raise(data: bytes) -> None:
    read_certificate(data)
    read_certificate(b"\x30\x82\x00\x20\x30\x82\x00\x10\xa0\x03\x02\x01\x00" + data)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from((16, 20, 21, 22, 23)),
            st.sampled_from(
                (
                    client_hello(suites="0002c0b4"),
                    server_hello(0x0002),
                    server_hello(0xC0B4, TLS13),
                    server_hello(0x00A8, random=RETRY_RANDOM),
                    message(11, b"\x00\x00\x07\x00\x00\x04junk"),
                    message(12, b"\x00\x02hi"),
                    message(16, b"\xff"),
                    message(20, bytes(12)),
                    b"\x01",
                    b"\x02\x28",
                )
            ),
            st.binary(max_size=40),
        ),
        max_size=12,
    )
)
def test_no_order_of_messages_makes_the_builder_raise(
    parts: list[tuple[bool, int, bytes, bytes]],
) -> None:
    for session in sessions(*((way, record(kind, body + tail)) for way, kind, body, tail in parts)):
        assert session.id == ""
        assert session.first.frame <= session.last.frame
    dtls_sessions(
        *(
            (way, dtls_record(kind, dtls_message(body, 0) if len(body) > 3 else body) + tail)
            for way, kind, body, tail in parts
        )
    )
