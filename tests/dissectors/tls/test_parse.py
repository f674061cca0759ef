"""Handshake messages, read from their bytes without Scapy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.tls.parse import (
    HELLO_RETRY_REQUEST_RANDOM,
    parse_certificate,
    parse_client_hello,
    parse_client_key_exchange,
    parse_server_hello,
    parse_server_key_exchange,
    parse_ssl2_client_hello,
    parse_ssl2_client_master_key,
    parse_ssl2_server_hello,
)
from dissectors.tls.suites import suite

CLIENT_HELLO = bytes.fromhex(
    "030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "0303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)


def extensions(*items: tuple[int, bytes]) -> bytes:
    """The vector of extensions."""
    data = b"".join(number.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body for number, body in items)
    return len(data).to_bytes(2, "big") + data


def client_hello(*items: tuple[int, bytes], dtls: bool = False, version: bytes = b"\x03\x03") -> bytes:
    """A ClientHello that offers TLS_PSK_WITH_AES_128_GCM_SHA256."""
    cookie = b"\x04cook" if dtls else b""
    return version + bytes(range(32)) + b"\x00" + cookie + b"\x00\x02\x00\xa8\x01\x00" + extensions(*items)


def server_hello(*items: tuple[int, bytes], random: bytes = bytes(32), version: bytes = b"\x03\x03") -> bytes:
    """A ServerHello that selects TLS_AES_128_GCM_SHA256."""
    return version + random + b"\x00\x13\x01\x00" + extensions(*items)


def test_a_client_hello_of_a_live_handshake() -> None:
    hello = parse_client_hello(CLIENT_HELLO)
    assert hello is not None
    assert (hello.version, hello.session_id, hello.cipher_suites) == (0x0303, b"", (0x00A8, 0x00FF))
    assert hello.random.hex().startswith("27f61a9e")
    assert hello.compression_methods == (0,)
    assert [number for number, _ in hello.extensions] == [35, 22, 23, 13]
    assert (hello.trouble, hello.supported_versions, hello.highest_version) == ("", (), 0x0303)


def test_a_server_hello_of_a_live_handshake() -> None:
    hello = parse_server_hello(SERVER_HELLO)
    assert hello is not None
    assert (hello.cipher_suite, hello.compression_method, len(hello.session_id)) == (0x00A8, 0, 32)
    assert [number for number, _ in hello.extensions] == [65281, 23]
    assert (hello.selected_version, hello.hello_retry_request, hello.downgrade_sentinel) == (0x0303, False, 0)


def test_the_version_of_tls_13_stands_only_in_supported_versions() -> None:
    offer = parse_client_hello(client_hello((43, b"\x06\x1a\x1a\x03\x04\x03\x03")))
    answer = parse_server_hello(server_hello((43, b"\x03\x04")))
    assert offer is not None
    assert answer is not None
    assert (offer.version, offer.supported_versions, offer.highest_version) == (0x0303, (0x0304, 0x0303), 0x0304)
    assert (answer.version, answer.selected_version) == (0x0303, 0x0304)


def test_a_hello_retry_request_is_a_server_hello_with_a_fixed_random() -> None:
    hello = parse_server_hello(server_hello((43, b"\x03\x04"), random=HELLO_RETRY_REQUEST_RANDOM))
    assert hello is not None
    assert hello.hello_retry_request


@pytest.mark.parametrize(("tail", "kind"), [("444f574e47524401", 1), ("444f574e47524400", 2), ("444f574e47524402", 0)])
def test_the_downgrade_sentinel_stands_at_the_end_of_the_random(tail: str, kind: int) -> None:
    hello = parse_server_hello(server_hello(random=bytes(24) + bytes.fromhex(tail)))
    assert hello is not None
    assert hello.downgrade_sentinel == kind


def test_a_dtls_client_hello_has_a_cookie_and_may_offer_srtp_profiles() -> None:
    body = client_hello((14, bytes.fromhex("0004000200010242")), dtls=True, version=b"\xfe\xfd")
    hello = parse_client_hello(body, dtls=True)
    assert hello is not None
    assert hello.cookie == b"cook"
    assert hello.use_srtp is not None
    assert hello.use_srtp.profiles == (2, 1)
    assert hello.use_srtp.srtp_mki == b"B"  # the vector says two octets, one is there


def test_server_name_psk_identities_and_connection_id() -> None:
    name = b"\x00\x0c\x00\x00\x09localhost"
    identities = b"\x00\x09\x00\x03abc\x00\x00\x00\x07" + b"\x00\x02\x01\xff"
    body = client_hello((0, name), (41, identities), (45, b"\x02\x00\x01"), (54, b"\x03xyz"))
    hello = parse_client_hello(body)
    assert hello is not None
    assert hello.server_name == b"localhost"
    assert [(one.identity, one.obfuscated_ticket_age) for one in hello.psk_identities] == [(b"abc", 7)]
    assert hello.psk_key_exchange_modes == (0, 1)
    assert hello.connection_id == b"xyz"


def test_a_hello_that_ends_early_keeps_what_is_there_and_says_where_it_broke() -> None:
    cut = parse_client_hello(CLIENT_HELLO[:-3])
    assert cut is not None
    assert cut.cipher_suites == (0x00A8, 0x00FF)
    assert cut.trouble == "extensions at 45 needs 58 octets, 55 are left"
    assert parse_client_hello(CLIENT_HELLO[:33]) is None
    assert parse_server_hello(SERVER_HELLO[:36]) is None


def test_odd_cipher_suites_and_trailing_octets_are_trouble() -> None:
    odd = parse_client_hello(b"\x03\x03" + bytes(32) + b"\x00\x00\x03\x00\xa8\x00\x01\x00")
    assert odd is not None
    assert odd.trouble == "cipher_suites of odd length"
    behind = parse_server_hello(SERVER_HELLO + b"zz")
    assert behind is not None
    assert behind.trouble == f"2 octets behind the message at {len(SERVER_HELLO)}"


def test_certificate_lists_before_and_in_tls_13() -> None:
    old = parse_certificate(b"\x00\x00\x0b\x00\x00\x03abc\x00\x00\x02de")
    assert (old.certificates, old.trouble) == ((b"abc", b"de"), "")
    new = parse_certificate(b"\x01r\x00\x00\x08\x00\x00\x03abc\x00\x00", 0x0304)
    assert (new.certificates, new.certificate_request_context, new.trouble) == ((b"abc",), b"r", "")
    assert parse_certificate(b"\x00\x00\x00").certificates == ()
    assert parse_certificate(b"\x00\x00\x05\x00\x00\x09ab").trouble != ""


@pytest.mark.parametrize(
    ("code", "body", "hint", "group", "public"),
    [
        (0x00A8, "00066d7968696e74", b"myhint", None, b""),
        (0x00AA, "0000" + "000117" + "000102" + "0002abcd", b"", None, b"\xab\xcd"),
        (0xC037, "0000" + "030017" + "02abcd", b"", 23, b"\xab\xcd"),
        (0xC02F, "03001d" + "02abcd" + "0804" + "000100", None, 29, b"\xab\xcd"),
        (0x002F, "ffff", None, None, b""),
    ],
)
def test_server_key_exchange_by_key_exchange(
    code: int, body: str, hint: bytes | None, group: int | None, public: bytes
) -> None:
    read = parse_server_key_exchange(bytes.fromhex(body), suite(code))
    assert (read.psk_identity_hint, read.group, read.public, read.trouble) == (hint, group, public, "")


@pytest.mark.parametrize(
    ("code", "body", "identity", "public"),
    [
        (0x00A8, "0000", b"", b""),
        (0x00A8, "000f" + b"Client_identity".hex(), b"Client_identity", b""),
        (0x00AC, "0001610002abcd", b"a", b"\xab\xcd"),
        (0x00AA, "0001610002abcd", b"a", b"\xab\xcd"),
        (0xC037, "00016102abcd", b"a", b"\xab\xcd"),
        (0xC02F, "02abcd", None, b"\xab\xcd"),
        (0x002F, "0002abcd", None, b""),
    ],
)
def test_client_key_exchange_by_key_exchange(code: int, body: str, identity: bytes | None, public: bytes) -> None:
    read = parse_client_key_exchange(bytes.fromhex(body), suite(code))
    assert (read.psk_identity, read.public, read.trouble) == (identity, public, "")


def test_ssl2_messages() -> None:
    hello = parse_ssl2_client_hello(bytes.fromhex("0002000600000010 0700c0 00003b") + bytes(range(16)))
    assert hello is not None
    assert (hello.version, hello.cipher_suites) == (0x0002, (0x0700C0, 0x003B))
    assert hello.random == bytes(16) + bytes(range(16))  # padded in front (RFC 5246 E.2)
    server = parse_ssl2_server_hello(bytes.fromhex("00010002000300030002") + b"der" + b"\x01\x00\x80" + b"id")
    assert server is not None
    assert (server.certificate, server.cipher_specs, server.connection_id) == (b"der", (0x010080,), b"id")
    key = parse_ssl2_client_master_key(bytes.fromhex("050080000000040001") + b"keys" + b"i")
    assert key is not None
    assert (key.cipher_kind, key.encrypted_key, key.key_arg) == (0x050080, b"keys", b"i")


@given(st.binary(max_size=200), st.sampled_from([0x00A8, 0x00AA, 0xC037, 0x00AC, 0xC02F, 0x0033, 0x002F, 0x1301]))
def test_no_octets_make_a_parser_raise(data: bytes, code: int) -> None:
    for dtls in (False, True):
        hello = parse_client_hello(bytes(34) + data, dtls=dtls)
        assert hello is not None
        _ = (hello.use_srtp, hello.server_name, hello.psk_identities, hello.connection_id, hello.highest_version)
    answer = parse_server_hello(bytes(34) + data)
    if answer is not None:
        _ = (answer.use_srtp, answer.selected_identity, answer.selected_version)
    for number in (0, 14, 41, 43, 45, 54):
        offer = parse_client_hello(client_hello((number, data)))
        assert offer is not None
        _ = (offer.use_srtp, offer.server_name, offer.psk_identities, offer.psk_key_exchange_modes)
        _ = (offer.connection_id, offer.highest_version)
    parse_certificate(data)
    parse_certificate(data, 0x0304)
    parse_server_key_exchange(data, suite(code))
    parse_client_key_exchange(data, suite(code))
    parse_ssl2_client_hello(data)
    parse_ssl2_server_hello(data)
    parse_ssl2_client_master_key(data)
