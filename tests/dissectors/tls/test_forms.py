"""Forms of messages that only a version, a suite, or an extension of few clients has."""

from __future__ import annotations

import pytest

from dissectors.binary import notes
from dissectors.tls.extensions.layers import ClientHelloExtension, ServerHelloExtension
from dissectors.tls.extensions.tls13.layers import ApplicationSettingsSupport
from dissectors.tls.key_exchange.layers import ClientKeyExchangeRSA, ClientKeyExchangeRSA30
from dissectors.tls.layers import handshake
from dissectors.tls.messages.layers import Finished, Finished30
from dissectors.tls.suites import suite
from tests.dissectors.caches import without_caches

RSA = suite(0x002F)
SECRET = bytes(range(128))


@pytest.mark.parametrize(
    ("version", "form", "length"),
    [
        (0x0100, ClientKeyExchangeRSA30, b""),
        (0x0300, ClientKeyExchangeRSA30, b""),
        (0xFEFF, ClientKeyExchangeRSA, b"\0\x80"),
    ],
)
def test_the_secret_has_a_length_but_in_ssl_3_and_in_dtls_of_old_openssl(
    version: int, form: type, length: bytes
) -> None:
    body = length + SECRET
    message = b"\x10" + len(body).to_bytes(3, "big") + body
    read = handshake(message, RSA, version)
    assert type(read.body) is form
    assert read.body.encrypted_pre_master_secret == SECRET
    assert bytes(without_caches(read)) == message
    assert notes(read) == []


def test_the_finished_message_of_ssl_3_has_two_hashes() -> None:
    message = b"\x14\x00\x00\x24" + b"m" * 16 + b"s" * 20
    read = handshake(message, RSA, 0x0300)
    assert type(read.body) is Finished30
    assert (read.body.md5_hash, read.body.sha_hash) == (b"m" * 16, b"s" * 20)
    assert bytes(without_caches(read)) == message
    assert type(handshake(message, RSA, 0x0301).body) is Finished


@pytest.mark.parametrize("code", [17513, 17613])
def test_application_settings_list_protocols_in_a_client_hello_only(code: int) -> None:
    octets = code.to_bytes(2, "big") + bytes.fromhex("0005 0003 02 6832")
    read = ClientHelloExtension(octets).extension_data
    assert isinstance(read, ApplicationSettingsSupport)
    assert [one.protocol_name for one in read.supported_protocols] == [b"h2"]
    assert not isinstance(ServerHelloExtension(octets).extension_data, ApplicationSettingsSupport)
