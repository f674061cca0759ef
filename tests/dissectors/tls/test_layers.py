"""The Scapy layers keep every octet, agree with the lean parsers, name what they read, and can be built."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import Layer, notes
from dissectors.tls import layers
from dissectors.tls.layers import (
    DTLS,
    SSL2,
    TLS,
    Alert,
    ASN1Cert,
    Certificate,
    Certificate13,
    CertificateRequest10,
    ClientHello,
    ClientHelloExtension,
    DTLSClientHello,
    DTLSHandshake,
    DTLSRecord,
    DTLSUnifiedRecord,
    HelloRetryRequest,
    ServerHello,
    SSL2ClientHello,
    SSL2ClientMasterKey,
    SSL2Record,
    TLSHandshake,
    TLSRecord,
    UseSRTPData,
    handshake,
)
from dissectors.tls.parse import HELLO_RETRY_REQUEST_RANDOM, parse_client_hello
from dissectors.tls.suites import suite

LAYERS = [one for one in vars(layers).values() if inspect.isclass(one) and issubclass(one, Layer) and one is not Layer]

CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)
ALERT = b"\x15\x03\x01\x00\x02\x02\x28"


def without_caches(packet: Any) -> Any:
    """The same packet, forced to be built from its fields."""
    packet.raw_packet_cache = None
    for field in getattr(packet, "fields_desc", []):
        value = packet.getfieldval(field.name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Packet):
                without_caches(item)
    if packet.payload:
        without_caches(packet.payload)
    return packet


def record(fragment: bytes) -> bytes:
    """A handshake record."""
    return b"\x16\x03\x03" + len(fragment).to_bytes(2, "big") + fragment


SEEDS = [
    record(CLIENT_HELLO) + record(SERVER_HELLO + b"\x0e\x00\x00\x00") + ALERT,
    CLIENT_HELLO,
    SERVER_HELLO,
    CLIENT_HELLO[4:],
    SERVER_HELLO[4:],
    b"\x16\xfe\xff" + bytes(8) + b"\x00\x0e\x03\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x02ab",
    b"\x2f\x00\x01\x00\x10" + bytes(16),
    bytes.fromhex("802b010002001200000010010080020080030080040080050080060040") + bytes(16),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Layer], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(SEEDS))
    cut = data.draw(st.integers(0, len(start)))
    octets = start[:cut] + data.draw(st.binary(min_size=1, max_size=60)) + start[cut + data.draw(st.integers(0, 3)) :]
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    packet.show(dump=True)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Layer]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


def test_a_stream_shows_its_records_and_messages_by_name() -> None:
    first, second, third = TLS(SEEDS[0]).records
    hello = first.content[0].body
    assert isinstance(hello, ClientHello)
    assert hello.cipher_suites == [0x00A8, 0x00FF]
    assert [one.extension_type for one in hello.extensions] == [35, 22, 23, 13]
    assert [one.msg_type for one in second.content] == [2, 14]
    assert isinstance(third.content[0], Alert)
    assert (third.content[0].level, third.content[0].description) == (2, 40)
    text = TLS(SEEDS[0]).show(dump=True)
    for words in ("client_hello", "TLS_PSK_WITH_AES_128_GCM_SHA256", "renegotiation_info", "handshake_failure"):
        assert words in text
    assert notes(TLS(SEEDS[0])) == []


def test_layers_and_lean_parser_agree_on_a_client_hello() -> None:
    layer = ClientHello(CLIENT_HELLO[4:])
    lean = parse_client_hello(CLIENT_HELLO[4:])
    assert lean is not None
    assert (layer.version, layer.random, layer.session_id) == (lean.version, lean.random, lean.session_id)
    assert tuple(layer.cipher_suites) == lean.cipher_suites
    assert tuple((one.extension_type, bytes(one.extension_data)) for one in layer.extensions) == lean.extensions


def test_a_built_client_hello_counts_its_vectors() -> None:
    offer = UseSRTPData(SRTPProtectionProfiles=[2, 1])
    hello = ClientHello(
        cipher_suites=[0x00A8],
        compression_methods=[0],
        extensions=[ClientHelloExtension(extension_type=14, extension_data=offer)],
    )
    built = bytes(TLSRecord(version=0x0301, content=[TLSHandshake(msg_type=1, body=hello)]))
    assert built.hex() == (
        "160301003a010000360303" + "00" * 32 + "00" + "000200a8" + "0100" + "000b" + "000e00070004" + "00020001" + "00"
    )
    lean = parse_client_hello(built[9:])
    assert lean is not None
    assert lean.trouble == ""


def test_a_hello_without_extensions_has_no_length_of_them() -> None:
    assert bytes(ServerHello(cipher_suite=0x00A8)) == b"\x03\x03" + bytes(32) + b"\x00\x00\xa8\x00"
    assert notes(ServerHello(bytes(ServerHello()))) == []


def test_a_hello_retry_request_is_recognised() -> None:
    body = (
        b"\x03\x03"
        + HELLO_RETRY_REQUEST_RANDOM
        + b"\x00\x13\x01\x00\x00\x0c\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x02\x00\x17"
    )
    packet = TLSHandshake(b"\x02" + len(body).to_bytes(3, "big") + body)
    assert isinstance(packet.body, HelloRetryRequest)
    assert packet.body.extensions[0].extension_data.selected_version == 0x0304
    assert packet.body.extensions[1].extension_data.selected_group == 23


@pytest.mark.parametrize(
    ("message", "code", "version", "fields"),
    [
        ("0c00000800066d7968696e74", 0x00A8, 0x0303, {"psk_identity_hint": b"myhint"}),
        ("1000001100 0f" + b"Client_identity".hex(), 0x00A8, 0x0303, {"psk_identity": b"Client_identity"}),
        ("0c00000a 03001d 02abcd 0000 0000", 0xC02F, 0x0303, {"named_curve": 29, "point": b"\xab\xcd"}),
        ("0c00000b 000117 000102 0002abcd 00", 0x0034, 0x0303, {"dh_p": b"\x17", "dh_Ys": b"\xab\xcd"}),
        ("10000004 0002abcd", 0x002F, 0x0303, {"encrypted_pre_master_secret": b"\xab\xcd"}),
        ("10000002 abcd", 0x002F, 0x0300, {"exchange_keys": b"\xab\xcd"}),
    ],
)
def test_key_exchanges_are_read_as_the_suite_says(
    message: str, code: int, version: int, fields: dict[str, object]
) -> None:
    packet = handshake(bytes.fromhex(message), suite(code), version)
    assert {name: getattr(packet.body, name) for name in fields} == fields
    assert bytes(without_caches(packet)) == bytes.fromhex(message)


def test_messages_whose_form_depends_on_the_version() -> None:
    new = bytes.fromhex("0b00000c00000008000003616263 0000".replace(" ", ""))
    assert isinstance(handshake(new, version=0x0304).body, Certificate13)
    assert handshake(new, version=0x0304).body.certificate_list[0].cert_data == b"abc"
    old = bytes(TLSHandshake(msg_type=11, body=Certificate(certificate_list=[ASN1Cert(cert=b"abc")])))
    assert old.hex() == "0b000009000006000003616263"
    request = bytes.fromhex("0d00000401010000")
    assert isinstance(handshake(request, version=0x0301).body, CertificateRequest10)


def test_a_dtls_fragment_stays_raw_and_a_whole_message_does_not() -> None:
    whole = DTLSHandshake(bytes(DTLSHandshake(msg_type=1, message_seq=1, body=DTLSClientHello(cookie=b"c"))))
    assert whole.body.cookie == b"c"
    part = DTLSHandshake(b"\x01\x00\x00\x09\x00\x00\x00\x00\x02\x00\x00\x02ab")
    assert isinstance(part.body, Raw)
    assert notes(part) == []


def test_a_datagram_shows_clear_and_unified_records() -> None:
    clear = bytes(DTLSRecord(content=[DTLSHandshake(msg_type=14, body=Raw())]))
    unified = bytes(DTLSUnifiedRecord(flags=0x2E, sequence_number_16=7, encrypted_record=bytes(16)))
    assert unified.hex() == "2e0007" + "0010" + "00" * 16
    first, second = DTLS(clear + unified).records
    assert first.content[0].msg_type == 14
    assert (second.sequence_number_16, second.length, len(second.encrypted_record)) == (7, 16, 16)


def test_ssl2_records_show_their_messages() -> None:
    hello = SSL2Record(data=SSL2ClientHello(cipher_specs=[0x010080], challenge=bytes(16)))
    key = SSL2Record(data=SSL2ClientMasterKey(cipher_kind=0x050080, encrypted_key_data=b"abc"))
    assert bytes(hello).hex() == "801c" + "010002000300000010" + "010080" + "00" * 16
    first, second = SSL2(bytes(hello) + bytes(key)).records
    assert (first.data.cipher_specs, second.data.cipher_kind) == ([0x010080], 0x050080)
    padded = SSL2Record(b"\x00\x05\x02" + b"\x07abcd")
    assert (padded.padding, bytes(padded.data)) == (2, b"\x07abcd")


def test_notes_say_what_is_wrong_and_where() -> None:
    assert notes(TLSHandshake(CLIENT_HELLO[:60])) == [
        "Handshake length at 1 says 103 octets, 56 are there",
        "ClientHello extensions_length at 47 says 58 octets, 11 are there",
        "ClientHello extensions: 3 octets at 57 are not explained",
    ]
    assert notes(Alert(b"\x02")) == ["Alert description at 1 is missing"]
    assert notes(Alert(b"\x02\x28z")) == ["Alert: 1 octets at 2 are not explained"]
    odd = b"\x03\x03" + bytes(32) + b"\x00\x00\x03\x00\xa8\x00\x01\x00"
    assert notes(ClientHello(odd)) == ["ClientHello cipher_suites at 37 has 3 octets, no multiple of 2"]


def test_lists_of_hostile_length_are_bounded() -> None:
    assert len(TLS(b"\x17\x03\x03\x00\x00" * 20_000).records) == layers.MAX_ITEMS + 1
