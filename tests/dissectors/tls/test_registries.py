"""Every code point of TLS and DTLS is decoded, named, or raw for a reason, as the registries say."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from scapy.packet import Raw

from dissectors.binary import Layer, Numbers, Numeric
from dissectors.tls import layers
from dissectors.tls.codes import EXTENSION_TYPES, HANDSHAKE_TYPES, SSL2_MESSAGE_TYPES
from dissectors.tls.extensions import layers as extensions
from dissectors.tls.extensions.tls12 import layers as tls12
from dissectors.tls.extensions.tls13 import layers as tls13
from dissectors.tls.key_exchange import layers as key_exchange
from dissectors.tls.layers import DTLS, DTLSRecord, TLSHandshake, handshake
from dissectors.tls.messages import layers as messages
from dissectors.tls.registries import REGISTRIES
from dissectors.tls.ssl2 import layers as ssl2
from dissectors.tls.suite_names import SSL2_CIPHER_SPECS, SUITE_NAMES
from dissectors.tls.suites import suite

if TYPE_CHECKING:
    from dissectors.registry import Registry

BY_NAME = {one.name: one for one in REGISTRIES}
FIELDS = [
    field
    for module in (layers, extensions, tls12, tls13, key_exchange, messages, ssl2)
    for layer in vars(module).values()
    if inspect.isclass(layer) and issubclass(layer, Layer)
    for field in layer.fields_desc
    if isinstance(field, Numeric | Numbers) and field.naming is not None
]
NAMED = [one for one in REGISTRIES if one.test.endswith("test_every_code_point_is_shown_by_name")]


def state(registry: str, code: Any) -> str:
    """What becomes of an entry; "raw" without a reason fails."""
    found = BY_NAME[registry].state(code)
    assert found != "raw", (registry, code)
    return found


@pytest.mark.parametrize("registry", NAMED, ids=lambda one: one.name)
def test_every_code_point_is_shown_by_name(registry: Registry) -> None:
    """Some field of some layer names every entry of the table."""
    assert registry.names
    assert any(all(field.naming(code) == name for code, name in registry.names.items()) for field in FIELDS)


def test_every_suite_is_shown_by_name() -> None:
    for codes in (SUITE_NAMES, SSL2_CIPHER_SPECS):
        assert {code: messages.suite_name(code) for code in codes} == codes
    suites, kinds = list(SUITE_NAMES)[:20], list(SSL2_CIPHER_SPECS)
    shown = messages.ClientHello(cipher_suites=suites).show(dump=True)
    assert all(SUITE_NAMES[code] in shown for code in suites)
    assert all(SSL2_CIPHER_SPECS[code] in ssl2.SSL2ClientHello(cipher_specs=kinds).show(dump=True) for code in kinds)


IN_CLEAR = {
    20: b"\x01",
    21: b"\x02\x28",
    22: b"\x0e" + bytes(11),
    23: b"data",
    24: b"\x01\x00\x01x" + bytes(16),
    25: b"",
    26: b"\x00\x00",
    27: b"x",
}


@pytest.mark.parametrize("code", BY_NAME["TLS content types"].names)
def test_every_content_type_is_decoded_or_raw(code: int) -> None:
    (record,) = DTLS(bytes(DTLSRecord(type=code, content=[Raw(IN_CLEAR[code])] if IN_CLEAR[code] else []))).records
    if code == 25:
        assert isinstance(record, layers.DTLSCIDRecord)
        assert state("TLS content types", code) == "decoded"
    else:
        assert isinstance(record.content[0], Raw) is (state("TLS content types", code) != "decoded")


@pytest.mark.parametrize("code", HANDSHAKE_TYPES)
def test_every_handshake_type_is_decoded_or_raw(code: int) -> None:
    body = TLSHandshake(bytes([code]) + b"\x00\x00\x28" + bytes(40)).body
    assert isinstance(body, Raw) is (state("TLS handshake types", code) != "decoded")


@pytest.mark.parametrize("kind", BY_NAME["TLS key exchanges"].names)
def test_every_key_exchange_is_decoded_or_raw(kind: str) -> None:
    one = next(suite(code) for code in SUITE_NAMES if suite(code).key_exchange == kind)
    read = handshake(bytes.fromhex("1000000400020102"), one)
    decoded = state("TLS key exchanges", kind) == "decoded"
    assert isinstance(read.body, key_exchange.ClientKeyExchange) is not decoded
    assert kind not in key_exchange.SERVER_KEY_EXCHANGES or decoded


@pytest.mark.parametrize("code", EXTENSION_TYPES)
def test_every_extension_is_decoded_or_raw(code: int) -> None:
    tables = extensions.Extension.__subclasses__()
    octets = code.to_bytes(2, "big") + b"\x00\x04\x00\x02\x00\x00"
    decoded = [table for table in tables if not isinstance(table(octets).extension_data, Raw)]
    assert bool(decoded) is (state("TLS extensions", code) == "decoded")


HELLOS = {
    0: "000001",
    1: "010002" + "00" * 6,
    2: "02010080" + "00" * 6,
    4: "0400010002" + "00" * 6,
}


@pytest.mark.parametrize("code", SSL2_MESSAGE_TYPES)
def test_every_ssl2_message_is_decoded_or_raw(code: int) -> None:
    message = bytes.fromhex(HELLOS.get(code, f"{code:02x}0000"))
    (record,) = ssl2.SSL2((0x8000 | len(message)).to_bytes(2, "big") + message).records
    assert isinstance(record.data, Raw) is (state("SSL 2.0 messages", code) != "decoded")


def test_every_registry_accounts_for_every_entry() -> None:
    for registry in REGISTRIES:
        for code in registry.names:
            assert registry.state(code) != "raw", (registry.name, code)
