"""What sessions say that secrets opened: hidden answers, keys of SRTP, and that wrong secrets are called wrong."""

from __future__ import annotations

import pickle
import zlib

import pytest
import zstandard

from imsinspect.capture.chunk import Chunk
from imsinspect.capture.endpoint import Endpoint
from imsinspect.crypto.tls import PreSharedKey, TlsSecrets, digest
from imsinspect.crypto.tls_prf import SRTP_LABEL, TLS13, Exporter, key_block, transcript_hash, verify_data13
from imsinspect.trace.tls import read_tls
from imsinspect.trace.tls_secrets import SRTP_SIZES, Selected, certificate_message, srtp_keying
from tests.crypto.tls_seal import Sealer13, sealers

CLIENT, SERVER = Endpoint("192.0.2.1", 40000), Endpoint("192.0.2.2", 5061)

# A handshake that OpenSSL made: suite 0x00A8, extended master secret, empty identity, no hint.
PSK = bytes(range(16))
CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)
SERVER_HELLO_DONE, CLIENT_KEY_EXCHANGE = bytes.fromhex("0e000000"), bytes.fromhex("100000020000")
FINISHED = bytes.fromhex("1400000c2dfba91b10c81bc112afebd2"), bytes.fromhex("1400000cb0201adee4cb6949018f2226")
MASTER = bytes.fromhex(
    "052838702e31f876316c4e986046825f48c1fde2dc8432425d2d518efb2ee180dafac828c973dcce6850e69db2c82711"
)
CLIENT_RANDOM, SERVER_RANDOM = CLIENT_HELLO[6:38], SERVER_HELLO[6:38]


def record(content_type: int, fragment: bytes) -> bytes:
    """A TLS record."""
    return bytes((content_type,)) + b"\x03\x03" + len(fragment).to_bytes(2, "big") + fragment


def message(type_: int, body: bytes) -> bytes:
    """A handshake message."""
    return bytes((type_,)) + len(body).to_bytes(3, "big") + body


def chunks(*pieces: tuple[bool, bytes]) -> list[Chunk]:
    """The n-th piece as frame n."""
    return [Chunk(data, frame, frame * 1000, forward) for frame, (forward, data) in enumerate(pieces, 1)]


def live(*said: bytes) -> list[Chunk]:
    """The recorded handshake, its Finished messages sealed under its keys, and what the client says behind it."""
    sealing = sealers("AES_128_GCM", "SHA256", key_block("sha256", MASTER, CLIENT_RANDOM, SERVER_RANDOM, 40))
    change = record(20, b"\x01")
    ending = [change + record(22, sealing[side].seal(0, 22, 0x0303, FINISHED[side])) for side in (0, 1)]
    data = [(True, record(23, sealing[0].seal(n, 23, 0x0303, text))) for n, text in enumerate(said, 1)]
    return chunks(
        (True, record(22, CLIENT_HELLO)),
        (False, record(22, SERVER_HELLO + SERVER_HELLO_DONE)),
        (True, record(22, CLIENT_KEY_EXCHANGE) + ending[0]),
        (False, ending[1]),
        *data,
    )


def test_a_recorded_handshake_opens_with_its_pre_shared_key_and_its_finished_messages_hold() -> None:
    for secrets, by, name in (
        (TlsSecrets(psks=[PreSharedKey(PSK)]), "psk", PSK),
        (TlsSecrets(psks=[PreSharedKey(b"x"), PreSharedKey(PSK, b"", source="mikey")]), "mikey", PSK),
        (TlsSecrets(master={CLIENT_RANDOM: MASTER}), "key-log", MASTER),
    ):
        (session,) = read_tls(live(b"MSRP", b"more"), CLIENT, SERVER, secrets)
        assert (session.opened, session.opened_by, session.finished_verified) == (True, by, True)
        assert (session.secret_digest, session.notes) == (digest(name), [])
        assert [(one.frame, one.from_client, one.data) for one in session.opened_data] == [
            (5, True, b"MSRP"), (6, True, b"more"),
        ]  # fmt: skip
        assert (session.records_opened, session.records_not_opened) == (4, 0)
        assert pickle.loads(pickle.dumps(session)) == session


def test_without_secrets_nothing_is_said_of_them() -> None:
    for secrets in (None, TlsSecrets(), TlsSecrets(psks=[PreSharedKey(PSK, server=("192.0.2.9", 1))])):
        (session,) = read_tls(live(b"MSRP"), CLIENT, SERVER, secrets)
        assert (session.opened, session.opened_by, session.finished_verified) == (False, "", None)
        assert (session.secret_digest, session.notes, session.opened_data) == ("", [], [])
        assert (session.records_opened, session.records_not_opened) == (0, 0)


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        (
            TlsSecrets(psks=[PreSharedKey(bytes(16))]),
            "the pre-shared key given for this session does not open it",
        ),
        (
            TlsSecrets(psks=[PreSharedKey(bytes(16)), PreSharedKey(b"x")]),
            "none of the 2 pre-shared keys given opens this session",
        ),
        (TlsSecrets(master={CLIENT_RANDOM: bytes(48)}), "the secrets logged for this session do not open it"),
    ],
)
def test_wrong_secrets_are_a_fact_of_the_session_and_a_note(secrets: TlsSecrets, text: str) -> None:
    (session,) = read_tls(live(b"MSRP"), CLIENT, SERVER, secrets)
    assert (session.opened, session.opened_by, session.finished_verified) == (False, "", False)
    assert (session.secret_digest, session.opened_data) == ("", [])
    assert session.records_not_opened == 3
    assert [(note.frame, note.text) for note in session.notes] == [(3, text)]
    assert (session.handshake_complete, session.handshake_seen) == (True, "full")


def test_a_record_that_was_changed_is_counted_and_the_others_stay_open() -> None:
    pieces = live(b"MSRP", b"more")
    changed = pieces[4].data[:-1] + bytes((pieces[4].data[-1] ^ 1,))
    pieces[4] = Chunk(changed, 5, 5000, True)
    (session,) = read_tls(pieces, CLIENT, SERVER, TlsSecrets(psks=[PreSharedKey(PSK)]))
    assert [one.data for one in session.opened_data] == [b"more"]
    assert (session.records_opened, session.records_not_opened, session.finished_verified) == (3, 1, True)


# --- TLS 1.3 --------------------------------------------------------------------------------------

RANDOM13 = b"\x01" * 32
SECRETS13 = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": b"\x11" * 32,
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": b"\x22" * 32,
    "EXPORTER_SECRET": b"\x55" * 32,
}


def session13(*flight: bytes, verify: bool = True) -> list[Chunk]:
    """A handshake of TLS 1.3 whose server sends these messages before its Finished."""
    versions = b"\x00\x2b\x00\x02\x03\x04"
    hello = message(1, b"\x03\x03" + RANDOM13 + b"\x00\x00\x02\x13\x01\x01\x00\x00\x07\x00\x2b\x00\x03\x02\x03\x04")
    answer = message(2, b"\x03\x03" + bytes(32) + b"\x00\x13\x01\x00\x00\x06" + versions)
    server, client = (
        Sealer13("AES_128_GCM", "sha256", SECRETS13[f"{name}_HANDSHAKE_TRAFFIC_SECRET"])
        for name in ("SERVER", "CLIENT")
    )
    sent = b"".join(flight)
    hashed = hello + answer + sent
    ending = message(20, verify_data13("sha256", server.secret, transcript_hash("sha256", hashed)))
    hashed += ending
    closing = message(20, verify_data13("sha256", client.secret, transcript_hash("sha256", hashed)))
    if not verify:
        closing = message(20, bytes(32))
    return chunks(
        (True, record(22, hello)),
        (False, record(22, answer) + server.record(22, sent + ending)),
        (True, client.record(22, closing)),
    )


LOGGED = TlsSecrets(traffic={RANDOM13: SECRETS13})
EXTENSIONS = message(8, b"\x00\x14\x00\x0e\x00\x05\x00\x02\x00\x07\x00\x00\x10\x00\x07\x00\x05\x04msrp")


def certificate_body(der: bytes = b"no certificate") -> bytes:
    """The body of a Certificate of TLS 1.3."""
    entry = len(der).to_bytes(3, "big") + der + b"\x00\x00"
    return b"\x00" + len(entry).to_bytes(3, "big") + entry


def test_what_tls_1_3_hides_is_read_behind_the_hello() -> None:
    (session,) = read_tls(
        session13(EXTENSIONS, message(13, b"\x00\x00\x00"), message(11, certificate_body())), CLIENT, SERVER, LOGGED
    )
    assert (session.application_protocol, session.certificate_requested) == (b"msrp", True)
    (answer,) = session.server_hellos
    assert (answer.use_srtp, answer.srtp_mki, answer.extensions) == ((7,), b"", (43, 14, 16))
    assert [one.der for one in session.server_certificates] == [b"no certificate"]
    assert (session.opened_by, session.finished_verified, session.handshake_seen) == ("key-log", True, "full")
    assert session.secret_digest == digest(SECRETS13["SERVER_HANDSHAKE_TRAFFIC_SECRET"])
    (keying,) = session.srtp_keying
    octets = Exporter("sha256", SECRETS13["EXPORTER_SECRET"], prefix=TLS13).export(SRTP_LABEL, 56)
    assert keying.client_key + keying.server_key + keying.client_salt + keying.server_salt == octets
    assert (keying.profile, keying.frame, len(keying.client_key), len(keying.client_salt)) == (7, 2, 16, 12)


def test_a_finished_that_does_not_hold_is_noted() -> None:
    (session,) = read_tls(session13(EXTENSIONS, verify=False), CLIENT, SERVER, LOGGED)
    assert session.finished_verified is False
    assert [(note.frame, note.text) for note in session.notes] == [
        (3, "Finished does not hold over the handshake messages: with the secrets at hand")
    ]


def test_a_compressed_certificate_is_read() -> None:
    body = certificate_body()
    packed = zlib.compress(body)
    compressed = b"\x00\x01" + len(body).to_bytes(3, "big") + len(packed).to_bytes(3, "big") + packed
    (session,) = read_tls(session13(EXTENSIONS, message(25, compressed)), CLIENT, SERVER, LOGGED)
    assert [one.der for one in session.server_certificates] == [b"no certificate"]
    packed = zstandard.ZstdCompressor().compress(body)
    compressed = b"\x00\x03" + len(body).to_bytes(3, "big") + len(packed).to_bytes(3, "big") + packed
    assert certificate_message(compressed) == (body, "")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\x00\x01", "2 octets are too few"),
        (b"\x00\x02\x00\x00\x01\x00\x00\x01x", "algorithm 2 is not read"),
        (b"\x00\x01\x00\x00\x01\x00\x00\x02zz", "zlib does not read it"),
        (b"\x00\x03\x00\x00\x01\x00\x00\x01x", "zstd does not read it"),
        (
            b"\x00\x03\x00\x00\x02\x00\x00\xff" + zstandard.ZstdCompressor().compress(bytes(9999)),
            "it is not as long as it says: 2 octets",
        ),
        (b"\x00\x01\xff\xff\xff\x00\x00\x01x", "16777215 octets are passed over"),
        (b"\x00\x01\x00\x00\x03\x00\x00\x0a" + zlib.compress(b"ab"), "it is not as long as it says: 3 octets"),
        (b"\x00\x01\x00\x00\x02\x00\x00\xff" + zlib.compress(bytes(9999)), "it is not as long as it says: 2 octets"),
    ],
)
def test_a_compressed_certificate_that_is_none_is_noted(body: bytes, text: str) -> None:
    assert certificate_message(body) == (b"", text)


@pytest.mark.parametrize("profile", SRTP_SIZES)
def test_the_keys_of_each_profile_are_cut_in_the_order_of_the_specification(profile: int) -> None:
    key, salt = SRTP_SIZES[profile]
    exporter = Exporter("sha256", MASTER, CLIENT_RANDOM + SERVER_RANDOM)
    keying = srtp_keying(exporter, Selected(profile, b"mki", 4, 5))
    assert keying is not None
    octets = exporter.export(SRTP_LABEL, 2 * (key + salt))
    assert (keying.client_key, keying.server_key) == (octets[:key], octets[key : 2 * key])
    assert (keying.client_salt, keying.server_salt) == (octets[2 * key : 2 * key + salt], octets[2 * key + salt :])
    assert (keying.mki, keying.frame, keying.time) == (b"mki", 4, 5)
    assert repr(keying).count("=") == 4  # profile, mki, time, frame; no key


def test_a_profile_of_unknown_sizes_has_no_keys() -> None:
    assert srtp_keying(Exporter("sha256", MASTER), Selected(0x0003, b"", 1, 1)) is None
