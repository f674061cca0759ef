"""Sessions that openssl made open with their secrets, and with nothing else; tshark reads the same out of them."""

from __future__ import annotations

import hashlib
import pickle
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.opening import Opening
from imsinspect.crypto.tls import PreSharedKey, TlsSecrets, digest
from imsinspect.keys.keylog import parse_keylog
from imsinspect.trace.correlate import correlate
from imsinspect.trace.scan import scan
from tests.interop.openssl_peers import ANSWER, CLIENT, QUESTION, SERVER, Recorded, exported, record, record_all
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from imsinspect.trace.model import TlsSession

PSK = bytes(range(16))
LOW = ":@SECLEVEL=0"
RENEGOTIATION = "Options = ClientRenegotiation\n"
TAB = "\t"

NOT_BY_TSHARK = ("PSK-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305")
"""Suites of which tshark 4.0 opens nothing in DTLS."""


@pytest.fixture(scope="module")
def certificate(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of the test server."""
    folder = tmp_path_factory.mktemp("certificate")
    both = folder / "both.pem"
    command = [peer("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server"]
    subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    both.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return both


def texts(session: TlsSession, *, from_client: bool) -> bytes:
    """What one side said inside."""
    return b"".join(one.data for one in session.opened_data if one.from_client == from_client)


def said(rounds: int = 1) -> tuple[bytes, bytes]:
    """What client and server say in a session of so many rounds."""
    asked = b"".join(b"%d %s" % (number, QUESTION) for number in range(rounds))
    return asked, b"".join(b"%d %s" % (number, ANSWER) for number in range(rounds))


def assert_open(session: TlsSession, opened_by: str, rounds: int = 1) -> None:
    """Everything was read, and the handshake's Finished messages hold."""
    assert session.notes == []
    assert (session.opened, session.opened_by, session.finished_verified) == (True, opened_by, True)
    assert session.records_not_opened == 0
    assert (texts(session, from_client=True), texts(session, from_client=False)) == said(rounds)
    assert len(session.secret_digest) == 64
    assert pickle.loads(pickle.dumps(session)) == session


def assert_closed(session: TlsSession) -> None:
    """Nothing protected was read."""
    assert (session.opened, session.opened_by, session.opened_data, session.secret_digest) == (False, "", [], "")


def assert_as_tshark(tshark: str, folder: Path, recorded: Recorded, session: TlsSession, *options: str) -> None:
    """tshark reads the same octets in each direction."""
    path = folder / "recorded.pcap"
    path.write_bytes(recorded.pcap())
    (folder / "tshark.keylog").write_bytes(recorded.keylog)
    command = [tshark, "-r", str(path), "-d", "udp.port==5061,dtls", "-d", "tcp.port==5061,tls", *options]
    if not options:
        command += ["-o", f"tls.keylog_file:{folder / 'tshark.keylog'}"]
    if recorded.datagrams:
        command += ["-Y", "dtls.record.content_type==23", "-T", "fields", "-e", "ip.src", "-e", "data.data"]
    else:
        command += ["-q", "-z", "follow,tls,raw,0"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first = CLIENT if recorded.datagrams or f"Node 0: {CLIENT.ip}" in out else SERVER
    for end in (CLIENT, SERVER):
        indent = "" if end == first else TAB
        lines = re.findall(f"^{end.ip + TAB if recorded.datagrams else indent}([0-9a-f]+)$", out, re.MULTILINE)
        assert bytes.fromhex("".join(lines)) == texts(session, from_client=end == CLIENT)


# --- pre-shared keys ------------------------------------------------------------------------------

PSK_SUITES = [
    "PSK-NULL-SHA", "PSK-NULL-SHA256", "PSK-NULL-SHA384", "PSK-AES128-CBC-SHA", "PSK-AES256-CBC-SHA",
    "PSK-AES128-CBC-SHA256", "PSK-AES256-CBC-SHA384", "PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384",
    "PSK-AES128-CCM", "PSK-AES256-CCM", "PSK-AES128-CCM8", "PSK-AES256-CCM8", "PSK-CHACHA20-POLY1305",
    "PSK-CAMELLIA128-SHA256", "PSK-CAMELLIA256-SHA384",
]  # fmt: skip


def psk_session(
    openssl: str,
    folder: Path,
    suite: str,
    *more: str,
    server: Sequence[str] = (),
    client: Sequence[str] = (),
    **how: object,
) -> Recorded:
    """A session under a suite of plain pre-shared keys."""
    common = [*more, "-cipher", suite + LOW, "-psk", PSK.hex()]
    return record(openssl, folder, ["-nocert", *common, *server], [*common, *client], **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("suite", PSK_SUITES)
def test_a_plain_psk_session_opens_with_the_pre_shared_key_alone(
    suite: str, peer: Callable[[str], str], tmp_path: Path
) -> None:
    recorded = psk_session(peer("openssl"), tmp_path, suite, "-tls1_2")
    null = "NULL" in suite
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(PSK)]))
    assert_open(session, "null" if null else "psk")
    assert session.secret_digest == digest(PSK)
    # The alert that closes the session was encrypted, and is readable now
    assert [(from_client, level, what) for _, from_client, level, what in session.alerts] == [
        (True, 1, 0),
        (False, 1, 0),
    ]
    assert_as_tshark(peer("tshark"), tmp_path, recorded, session, "-o", f"tls.psk:{PSK.hex()}")
    if not null:
        assert_closed(recorded.read(None))


@pytest.mark.parametrize("suite", ["PSK-AES128-CBC-SHA256", "PSK-AES128-GCM-SHA256", "PSK-CHACHA20-POLY1305"])
def test_a_wrong_pre_shared_key_is_called_wrong(suite: str, peer: Callable[[str], str], tmp_path: Path) -> None:
    recorded = psk_session(peer("openssl"), tmp_path, suite, "-tls1_2")
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(bytes(16))]))
    assert_closed(session)
    assert session.finished_verified is False
    assert session.records_not_opened >= 2
    assert [note.text for note in session.notes] == ["the pre-shared key given for this session does not open it"]
    several = TlsSecrets(psks=[PreSharedKey(bytes(16)), PreSharedKey(bytes(8)), PreSharedKey(PSK)])
    assert_open(recorded.read(several), "psk")
    assert [note.text for note in recorded.read(TlsSecrets(psks=several.psks[:2])).notes] == [
        "none of the 2 pre-shared keys given opens this session"
    ]


def test_under_a_null_cipher_a_wrong_key_is_called_wrong_and_the_content_read(
    peer: Callable[[str], str], tmp_path: Path
) -> None:
    recorded = psk_session(peer("openssl"), tmp_path, "PSK-NULL-SHA256", "-tls1_2")
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(bytes(16))]))
    assert (session.opened_by, session.finished_verified, session.secret_digest) == ("null", False, "")
    assert session.records_not_opened >= 2
    assert (texts(session, from_client=True), texts(session, from_client=False)) == said()
    without = recorded.read(None)
    assert (without.opened_by, without.finished_verified, without.records_not_opened) == ("null", None, 0)


def test_identity_and_server_limit_what_a_pre_shared_key_is_tried_on(
    peer: Callable[[str], str], tmp_path: Path
) -> None:
    recorded = psk_session(
        peer("openssl"), tmp_path, "PSK-AES128-GCM-SHA256", "-tls1_2",
        client=["-psk_identity", "alice"], server=["-psk_hint", "hint"],
    )  # fmt: skip
    fits = PreSharedKey(PSK, identity=b"alice", server=("192.0.2.2", 5061), source="mikey")
    session = recorded.read(TlsSecrets(psks=[fits]))
    assert_open(session, "mikey")
    assert (session.psk_identity, session.psk_hint) == (b"alice", b"hint")
    for other in (PreSharedKey(PSK, identity=b"bob"), PreSharedKey(PSK, server=("192.0.2.2", 5060))):
        session = recorded.read(TlsSecrets(psks=[other]))
        assert_closed(session)
        assert (session.finished_verified, session.notes, session.records_not_opened) == (None, [], 0)


@pytest.mark.parametrize("ticket", [True, False])
def test_a_session_resumed_from_one_that_a_pre_shared_key_opened_opens_too(
    ticket: bool, peer: Callable[[str], str], tmp_path: Path
) -> None:
    common = ["-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256", "-psk", PSK.hex()]
    common += [] if ticket else ["-no_ticket"]
    saved = str(tmp_path / "session")
    clients = [[*common, "-sess_out", saved], [*common, "-sess_in", saved]]
    first, second = record_all(peer("openssl"), tmp_path, ["-nocert", *common], clients)
    secrets = TlsSecrets(psks=[PreSharedKey(PSK)])
    assert_open(first.read(secrets), "psk")
    session = second.read(secrets)
    assert_open(session, "psk")
    assert (session.resumed, session.psk_identity, session.secret_digest) == (True, None, digest(PSK))
    assert_closed(second.read(TlsSecrets(psks=[PreSharedKey(PSK)])))


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
@pytest.mark.parametrize("suite", ["PSK-AES128-CBC-SHA", "PSK-NULL-SHA"])
@pytest.mark.parametrize("options", ["", "Options = -EncryptThenMac\n", "Options = -ExtendedMasterSecret\n"])
def test_psk_sessions_of_tls_1_0_and_1_1_open(
    version: str, suite: str, options: str, peer: Callable[[str], str], tmp_path: Path
) -> None:
    recorded = psk_session(peer("openssl"), tmp_path, suite, version, options=options)
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(PSK)]))
    assert session.version == {"-tls1": "TLS 1.0", "-tls1_1": "TLS 1.1"}[version]
    assert_open(session, "null" if "NULL" in suite else "psk")
    assert_as_tshark(peer("tshark"), tmp_path, recorded, session, "-o", f"tls.psk:{PSK.hex()}")


# --- key logs -------------------------------------------------------------------------------------

SUITES = [
    "AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-CCM", "AES256-CCM8",
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305",
    "CAMELLIA128-SHA", "CAMELLIA256-SHA256", "ECDHE-RSA-CAMELLIA128-SHA256", "NULL-MD5", "NULL-SHA256",
    "ECDHE-RSA-NULL-SHA", "DHE-PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-CBC-SHA256", "AECDH-AES128-SHA",
]  # fmt: skip


def logged_session(
    openssl: str,
    folder: Path,
    certificate: Path,
    *more: str,
    server: Sequence[str] = (),
    client: Sequence[str] = (),
    **how: object,
) -> Recorded:
    """A session of a server with a certificate, with its key log."""
    arguments = ["-cert", str(certificate), "-key", str(certificate), *more, *server]
    return record(openssl, folder, arguments, [*more, *client], **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("suite", SUITES)
def test_tls_1_2_opens_with_its_key_log(
    suite: str, peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    psk = ["-psk", PSK.hex()] if "PSK" in suite else []
    recorded = logged_session(peer("openssl"), tmp_path, certificate, "-tls1_2", "-cipher", suite + LOW, *psk)
    session = recorded.read(recorded.logged())
    assert_open(session, "null" if "NULL" in suite else "key-log")
    assert_as_tshark(peer("tshark"), tmp_path, recorded, session)
    if "NULL" not in suite:
        assert_closed(recorded.read(None))


@pytest.mark.parametrize("options", ["Options = -EncryptThenMac\n", "Options = -ExtendedMasterSecret\n"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_1", "-tls1"])
def test_cbc_opens_with_and_without_its_extensions(
    options: str, version: str, peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    more = [version, "-cipher", "AES128-SHA" + LOW]
    recorded = logged_session(peer("openssl"), tmp_path, certificate, *more, options=options)
    session = recorded.read(recorded.logged())
    assert_open(session, "key-log")
    (answer,) = session.server_hellos
    assert (22 in answer.extensions, 23 in answer.extensions) == ("Mac" not in options, "Master" not in options)


def test_a_renegotiation_is_followed_inside_the_session(
    peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    more = ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
    client = ["-legacy_renegotiation"]
    recorded = logged_session(
        peer("openssl"),
        tmp_path,
        certificate,
        *more,
        client=client,
        commands=[b"R"],
        options=RENEGOTIATION,
    )
    session = recorded.read(recorded.logged())
    assert_open(session, "key-log", rounds=2)
    assert (len(session.client_hellos), len(session.server_hellos)) == (2, 2)


def another_digit(digit: re.Match[bytes]) -> bytes:
    return b"%x" % (int(digit[0], 16) ^ 1)


def test_a_secret_of_another_session_is_called_wrong(
    peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    for version in ("-tls1_2", "-tls1_3"):
        recorded = logged_session(peer("openssl"), tmp_path, certificate, version)
        recorded.keylog = re.sub(rb"[0-9a-f]$", another_digit, recorded.keylog, flags=re.MULTILINE)
        session = recorded.read(recorded.logged())
        assert_closed(session)
        assert session.finished_verified is False
        assert session.records_not_opened >= 2
        assert [note.text for note in session.notes] == ["the secrets logged for this session do not open it"]
        assert session.server_certificates == [] or version == "-tls1_2"


SUITES13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]  # fmt: skip


@pytest.mark.parametrize("suite", SUITES13)
def test_tls_1_3_opens_with_its_key_log_and_shows_what_it_hides(
    suite: str, peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    more = ["-tls1_3", "-ciphersuites", suite, "-alpn", "sip"]
    server = ["-Verify", "1", "-verify_return_error", "-CAfile", str(certificate)]
    client = ["-cert", str(certificate), "-key", str(certificate)]
    recorded = logged_session(
        peer("openssl"), tmp_path, certificate, *more, server=server, client=client, commands=[b"k", b"K"]
    )
    session = recorded.read(recorded.logged())
    assert_open(session, "key-log", rounds=3)
    shown = subprocess.run(
        [peer("openssl"), "x509", "-in", certificate, "-outform", "DER"], check=True, capture_output=True
    ).stdout
    expected = [hashlib.sha256(shown).hexdigest()]
    assert [one.sha256 for one in session.server_certificates] == expected
    assert [one.sha256 for one in session.client_certificates] == expected
    assert (session.certificate_requested, session.application_protocol) == (True, b"sip")
    assert [(from_client, level, what) for _, from_client, level, what in session.alerts] == [
        (True, 1, 0),
        (False, 1, 0),
    ]
    assert_as_tshark(peer("tshark"), tmp_path, recorded, session)
    closed = recorded.read(None)
    assert_closed(closed)
    assert (closed.server_certificates, closed.application_protocol) == ([], b"")


def test_a_hello_retry_request_counts_in_the_transcript(
    peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    recorded = logged_session(
        peer("openssl"),
        tmp_path,
        certificate,
        "-tls1_3",
        server=["-groups", "P-384"],
        client=["-groups", "X25519:P-384"],
    )
    session = recorded.read(recorded.logged())
    assert_open(session, "key-log")
    assert [one.hello_retry_request for one in session.client_hellos] == [False, True]


def test_early_data_opens_with_the_early_traffic_secret(
    peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    saved, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(b"0-RTT " + QUESTION)
    server = ["-tls1_3", "-early_data", "-cert", str(certificate), "-key", str(certificate)]
    clients = [["-tls1_3", "-sess_out", str(saved)], ["-tls1_3", "-sess_in", str(saved), "-early_data", str(early)]]
    first, second = record_all(peer("openssl"), tmp_path, server, clients)
    assert_open(first.read(first.logged()), "key-log")
    session = second.read(second.logged())
    assert "Early data was accepted" in second.client_said
    assert session.notes == []
    assert (session.opened_by, session.finished_verified, session.records_not_opened) == ("key-log", True, 0)
    assert texts(session, from_client=True) == early.read_bytes() + said()[0]
    assert texts(session, from_client=False) == said()[1]
    assert (session.resumed, session.early_data) == (True, [session.opened_data[0].frame])
    without = second.logged()
    del without.traffic[session.client_hellos[0].random]["CLIENT_EARLY_TRAFFIC_SECRET"]
    session = second.read(without)
    assert (session.opened_by, session.finished_verified) == ("key-log", True)  # the server's Finished
    assert texts(session, from_client=True) == said()[0]


def test_a_psk_without_diffie_hellman_opens_tls_1_3(peer: Callable[[str], str], tmp_path: Path) -> None:
    common = ["-tls1_3", "-psk", PSK.hex(), "-allow_no_dhe_kex", "-ciphersuites", "TLS_AES_128_GCM_SHA256"]
    recorded = record(
        peer("openssl"), tmp_path, ["-nocert", *common, "-groups", "P-384"], [*common, "-groups", "X25519"]
    )
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(bytes(4)), PreSharedKey(PSK, b"Client_identity")]))
    assert_open(session, "psk")
    assert (session.key_exchange_group, session.secret_digest) == (None, digest(PSK))
    wrong = recorded.read(TlsSecrets(psks=[PreSharedKey(bytes(16))]))
    assert_closed(wrong)
    assert wrong.finished_verified is False


# --- DTLS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["PSK-AES128-CBC-SHA256", "PSK-AES128-GCM-SHA256", "PSK-AES128-CCM8",
                                   "PSK-CHACHA20-POLY1305", "PSK-NULL-SHA256"])  # fmt: skip
@pytest.mark.parametrize("listen", [False, True])
def test_dtls_opens_with_the_pre_shared_key_alone(
    suite: str, listen: bool, peer: Callable[[str], str], tmp_path: Path
) -> None:
    server = ["-listen"] if listen else []
    recorded = psk_session(peer("openssl"), tmp_path, suite, "-dtls1_2", server=server, datagrams=True)
    session = recorded.read(TlsSecrets(psks=[PreSharedKey(PSK)]))
    assert_open(session, "null" if "NULL" in suite else "psk")
    if suite not in NOT_BY_TSHARK:
        assert_as_tshark(peer("tshark"), tmp_path, recorded, session, "-o", f"dtls.psk:{PSK.hex()}")
    wrong = recorded.read(TlsSecrets(psks=[PreSharedKey(bytes(16))]))
    assert wrong.finished_verified is False


@pytest.mark.parametrize(
    ("version", "suite", "profile", "octets"),
    [
        ("-dtls1_2", "ECDHE-RSA-AES128-GCM-SHA256", "SRTP_AES128_CM_SHA1_80", 60),
        ("-dtls1_2", "ECDHE-RSA-AES256-SHA384", "SRTP_AEAD_AES_256_GCM", 88),
        ("-dtls1_2", "ECDHE-RSA-CHACHA20-POLY1305", "SRTP_AEAD_AES_128_GCM", 56),
        ("-dtls1", "AES128-SHA", "SRTP_AES128_CM_SHA1_32", 60),
    ],
)
def test_dtls_srtp_keys_are_those_that_openssl_exports(
    version: str, suite: str, profile: str, octets: int, peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    export = ["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", str(octets)]
    more = [version, "-cipher", suite + LOW, "-use_srtp", profile, "-mtu", "400"]
    recorded = logged_session(peer("openssl"), tmp_path, certificate, *more, client=export, datagrams=True)
    session = recorded.read(recorded.logged())
    assert_open(session, "key-log")
    (keying,) = session.srtp_keying
    found = keying.client_key + keying.server_key + keying.client_salt + keying.server_salt
    assert found == exported(recorded.client_said)
    assert len(keying.client_key) - len(keying.client_salt) == octets // 2 - 2 * len(keying.client_salt)
    assert found.hex() not in repr(session)
    assert keying.client_key.hex() not in repr(session)
    if suite not in NOT_BY_TSHARK:
        assert_as_tshark(peer("tshark"), tmp_path, recorded, session)


# --- through captures -----------------------------------------------------------------------------


def test_a_scan_keeps_what_secrets_open_and_lets_the_rest_go(
    peer: Callable[[str], str], certificate: Path, tmp_path: Path
) -> None:
    recorded = logged_session(peer("openssl"), tmp_path, certificate, "-tls1_3", commands=[b"k", b"k", b"k"])
    psk = psk_session(
        peer("openssl"), tmp_path, "PSK-AES128-GCM-SHA256", "-tls1_2", commands=[b"R"], options=RENEGOTIATION
    )
    for each, secrets, rounds in (
        (recorded, recorded.logged(), 4),
        (psk, TlsSecrets(psks=[PreSharedKey(PSK)]), 2),
    ):
        path = tmp_path / "recorded.pcap"
        path.write_bytes(each.pcap())
        (session,) = correlate([scan(str(path), 0, opening=Opening(tls=secrets))]).tls_sessions
        assert_open(session, "key-log" if each is recorded else "psk", rounds)
        (closed,) = correlate([scan(str(path), 0)]).tls_sessions
        assert_closed(closed)
        assert closed.client_records + closed.server_records < session.client_records + session.server_records


def test_sip_inside_a_capture_with_its_secrets_is_what_tshark_reads(peer: Callable[[str], str]) -> None:
    path = str(CAPTURES / "tls" / "sip-tls-rsa-clear-rtp-with-secrets.pcapng")
    secrets = TlsSecrets()
    for block in scan(path, 0).secrets:
        secrets.add(parse_keylog(block.data).secrets)
    trace = correlate([scan(path, 0, opening=Opening(tls=secrets))])
    assert len(trace.tls_sessions) == 2
    # One segment comes late, and tshark puts it back in its place only when told to
    program = [peer("tshark"), "-r", path, "-o", "tcp.reassemble_out_of_order:TRUE"]
    hellos = [*program, "-Y", "tls.handshake.type==1", "-T", "fields", "-e", "tcp.stream"]
    streams = subprocess.run(hellos, check=True, capture_output=True, text=True).stdout.split()
    for number, session in enumerate(sorted(trace.tls_sessions, key=lambda one: one.first.frame)):
        assert (session.opened_by, session.finished_verified, session.records_not_opened) == ("key-log", True, 0)
        assert session.notes == []
        command = [*program, "-q", "-z", f"follow,tls,raw,{streams[number]}"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        first = f"Node 0: {session.client.ip}:{session.client.port}" in out
        for from_client in (True, False):
            indent = "" if from_client == first else TAB
            lines = re.findall(rf"^{indent}([0-9a-f]+)$", out, re.MULTILINE)
            assert bytes.fromhex("".join(lines)) == texts(session, from_client=from_client)
    command = [*program, "-Y", "sip", "-T", "fields", "-e", "sip.CSeq"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert trace.counts.sip_messages == len(re.findall(r"\d+ [A-Z]+", shown)) == 48
