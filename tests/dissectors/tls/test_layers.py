"""The Scapy layers keep every octet, agree with the lean parsers, name what they read, and can be built."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Raw

from dissectors.binary import Layer, notes
from dissectors.tls import layers
from dissectors.tls.extensions import layers as extensions
from dissectors.tls.extensions.tls12 import layers as tls12
from dissectors.tls.extensions.tls13 import layers as tls13
from dissectors.tls.key_exchange import layers as key_exchange
from dissectors.tls.layers import (
    DTLS,
    SSL2,
    TLS,
    Alert,
    ASN1Cert,
    Certificate,
    Certificate13,
    CertificateRequest10,
    ChangeCipherSpec,
    ClientHello,
    ClientHelloExtension,
    DTLSClientHello,
    DTLSHandshake,
    DTLSRecord,
    DTLSUnifiedRecord,
    HandshakeFragment,
    HelloRetryRequest,
    ServerHello,
    SSL2ClientHello,
    SSL2ClientMasterKey,
    SSL2Record,
    SSL2ServerHello,
    TLSHandshake,
    TLSRecord,
    UseSRTPData,
    handshake,
)
from dissectors.tls.messages import layers as messages
from dissectors.tls.parse import HELLO_RETRY_REQUEST_RANDOM, parse_client_hello
from dissectors.tls.ssl2 import layers as ssl2
from dissectors.tls.suites import suite
from dissectors.tree import clause, tree
from tests.dissectors.caches import without_caches

LAYERS = [
    one
    for module in (layers, extensions, tls12, tls13, key_exchange, messages, ssl2)
    for one in vars(module).values()
    if inspect.isclass(one) and issubclass(one, Layer) and one.__module__ == module.__name__
]

CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)
ALERT = b"\x15\x03\x01\x00\x02\x02\x28"


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


def test_every_layer_names_its_clause() -> None:
    assert len(LAYERS) > 150
    assert [one.__name__ for one in LAYERS if not clause(one)] == []


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=12, deadline=None)
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
        ("10000002 abcd", 0x002F, 0x0300, {"encrypted_pre_master_secret": b"\xab\xcd"}),
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
    assert bytes(handshake(new, version=0x0304).body.certificate_list[0].cert_data) == b"abc"
    old = bytes(TLSHandshake(msg_type=11, body=Certificate(certificate_list=[ASN1Cert(cert=b"abc")])))
    assert old.hex() == "0b000009000006000003616263"
    request = bytes.fromhex("0d00000401010000")
    assert isinstance(handshake(request, version=0x0301).body, CertificateRequest10)


def test_a_dtls_fragment_says_that_it_is_one_and_a_whole_message_does_not() -> None:
    whole = DTLSHandshake(bytes(DTLSHandshake(msg_type=1, message_seq=1, body=DTLSClientHello(cookie=b"c"))))
    assert whole.body.cookie == b"c"
    part = DTLSHandshake(b"\x01\x00\x00\x09\x00\x00\x00\x00\x02\x00\x00\x02ab")
    assert (part.body.name, part.body.part) == ("HandshakeFragment", b"ab")
    assert notes(part) == []


def test_a_datagram_shows_clear_and_unified_records() -> None:
    clear = bytes(DTLSRecord(content=[DTLSHandshake(msg_type=14, body=Raw())]))
    unified = bytes(DTLSUnifiedRecord(S=1, L=1, epoch=2, sequence_number_16=7, encrypted_record=bytes(16)))
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


def meanings(packet: Any) -> dict[str, str]:
    """What the fields of a packet stand for, by name; of several with one name the last."""
    return {node.name: node.meaning for node in tree(packet).walk() if node.meaning}


DER = bytes.fromhex("30030101ff")


@pytest.mark.parametrize(
    ("message", "version"),
    [
        (TLSHandshake(msg_type=11, body=Certificate(certificate_list=[ASN1Cert(cert=Raw(DER))])), 0x0303),
        (
            TLSHandshake(
                msg_type=11,
                body=Certificate13(certificate_list=[messages.CertificateEntry(cert_data=Raw(DER))]),
            ),
            0x0304,
        ),
    ],
)
def test_certificates_are_shown_with_their_digests(message: TLSHandshake, version: int) -> None:
    shown = meanings(handshake(bytes(message), version=version))
    assert shown["fingerprint_sha1"] == "91:E0:80:FF:05:7B:57:F8:AC:3D:85:80:BC:D5:3D:23:8E:DD:91:54"
    assert shown["fingerprint_sha256"].startswith("30:0C:89:9D")


def test_a_digest_follows_a_certificate_that_is_changed() -> None:
    cert = ASN1Cert(bytes(ASN1Cert(cert=Raw(DER))))
    before = meanings(cert)["fingerprint_sha256"]
    cert.cert = Raw(b"other")
    assert meanings(cert)["fingerprint_sha256"] != before
    assert meanings(ASN1Cert(cert=Raw(DER)))["fingerprint_sha256"] == before


REST = CLIENT_HELLO[50:] + b"\x0e\x00\x00\x00"


def test_the_beginning_of_a_message_that_goes_on_in_the_next_record_is_shown_as_a_fragment() -> None:
    first, second, third = TLS(record(CLIENT_HELLO[:40]) + record(CLIENT_HELLO[40:50]) + record(REST)).records
    (fragment,) = first.content
    assert isinstance(fragment, HandshakeFragment)
    assert (fragment.msg_type, fragment.length, len(fragment.part)) == (1, 103, 36)
    assert [(one.name, one.part) for one in second.content] == [("HandshakeFragment", CLIENT_HELLO[40:50])]
    part, done = third.content
    assert (part.part, done.msg_type) == (CLIENT_HELLO[50:], 14)
    assert notes(TLS(record(CLIENT_HELLO[:40]))) == []


def test_a_dtls_fragment_must_lie_within_its_message() -> None:
    outside = DTLSHandshake(b"\x01\x00\x00\x09\x00\x00\x00\x00\x08\x00\x00\x02ab")
    assert notes(outside) == ["Handshake at 0: fragment from 8 to 10 of a message of 9 octets"]


def test_records_behind_a_change_of_cipher_are_shown_encrypted_whatever_they_look_like() -> None:
    stream = b"\x14\x03\x03\x00\x01\x01" + b"\x16\x03\x03\x00\x08" + b"\x14\x00\x00\x0c" + b"abcd"
    change, finished = TLS(stream).records
    assert isinstance(change.content[0], ChangeCipherSpec)
    assert (finished.name, bytes(finished.content[0])) == ("TLSCiphertext", b"\x14\x00\x00\x0cabcd")
    # A ServerHello behind the dummy of TLS 1.3 is in clear (RFC 8446 D.4).
    _, hello = TLS(stream[:6] + record(SERVER_HELLO)).records
    assert hello.content[0].body.cipher_suite == 0x00A8


def test_messages_of_tls_13_under_their_version() -> None:
    ticket = bytes.fromhex("0400001a 00000e10 01020304 0100 0004 74696b74 0008 002a0004 00004000".replace(" ", ""))
    body = handshake(ticket, version=0x0304).body
    assert (body.ticket_lifetime, body.ticket_nonce, body.ticket) == (3600, b"\x00", b"tikt")
    assert body.extensions[0].extension_data.max_early_data_size == 16384
    request = bytes.fromhex("0d00000b 00 0008 000d0004 00020403".replace(" ", ""))
    body = handshake(request, version=0xFEFC).body
    assert body.extensions[0].extension_data.supported_signature_algorithms == [0x0403]
    assert notes(body) == []
    assert handshake(bytes.fromhex("18000001 01".replace(" ", ""))).body.request_update == 1


@pytest.mark.parametrize(
    ("message", "code", "version", "fields"),
    [
        ("0c000009 0002abcd 0001 03 0000", 0x0003, 0x0301, {"rsa_modulus": b"\xab\xcd", "signature_length": 0}),
        ("0c00000b 0002abcd 0001 03 0201 0000", 0x0003, 0x0303, {"rsa_exponent": b"\x03", "algorithm": 0x0201}),
        ("0c00000a 0001ab 0001cd 01ef 0000", 0xC01D, 0x0303, {"srp_N": b"\xab", "srp_s": b"\xef"}),
        ("0c00000a 0002 6869 0001 17 0001 02", 0x00AA, 0x0303, {"psk_identity_hint": b"hi", "dh_p": b"\x17"}),
        ("0c00000a 0000 03 0017 04 04010203", 0xC037, 0x0303, {"psk_identity_hint": b"", "named_curve": 23}),
        ("0c000003 01 abcd", 0xC02F, 0x0303, {"curve_type": 1, "params": b"\xab\xcd"}),
        ("10000006 0001 61 0001 ff", 0x00AC, 0x0303, {"psk_identity": b"a", "encrypted_pre_master_secret": b"\xff"}),
        ("10000002 0000", 0x00A8, 0x0303, {"psk_identity": b""}),
    ],
)
def test_more_key_exchanges_are_read_as_the_suite_says(
    message: str, code: int, version: int, fields: dict[str, object]
) -> None:
    octets = bytes.fromhex(message.replace(" ", ""))
    packet = handshake(octets, suite(code), version)
    assert {name: getattr(packet.body, name) for name in fields} == fields
    assert bytes(without_caches(packet)) == octets


def test_the_key_of_encrypted_key_transport_has_lengths_of_two_octets() -> None:
    octets = bytes.fromhex("1a00000e" + "0003616263" + "00027879" + "1234" + "000e10")
    body = TLSHandshake(octets).body
    assert (body.ekt_key_value, body.srtp_master_salt, body.ekt_spi, body.ekt_ttl) == (b"abc", b"xy", 0x1234, 3600)
    assert notes(TLSHandshake(octets)) == []


def test_use_srtp_of_client_and_server_and_its_mki() -> None:
    client = extensions.ClientHelloExtension(bytes.fromhex("000e00070004 00020001 00".replace(" ", "")))
    assert client.extension_data.SRTPProtectionProfiles == [2, 1]
    assert meanings(client)["SRTPProtectionProfiles"] == "SRTP_AES128_CM_HMAC_SHA1_32, SRTP_AES128_CM_HMAC_SHA1_80"
    server = extensions.ServerHelloExtension(bytes.fromhex("000e000700020007 02abcd"))
    assert (server.extension_data.SRTPProtectionProfiles, server.extension_data.srtp_mki) == ([7], b"\xab\xcd")


@pytest.mark.parametrize(
    ("octets", "layer", "fields"),
    [
        ("0005 0005 0100000000", tls12.CertificateStatusRequest, {"status_type": 1}),
        ("000f 0001 02", tls12.HeartbeatExtension, {"mode": 2}),
        ("0015 0003 000000", tls12.Padding, {"padding": bytes(3)}),
        ("0016 0000", tls12.EncryptThenMAC, {}),
        ("0017 0000", tls12.ExtendedMasterSecret, {}),
        ("001b 0003 020002", tls12.CertificateCompressionAlgorithms, {"algorithms": [2]}),
        ("001c 0002 4001", tls12.RecordSizeLimit, {"record_size_limit": 16385}),
        ("0023 0002 abcd", tls12.SessionTicket, {"ticket": b"\xab\xcd"}),
        ("0023 0000", tls12.SessionTicket, {"ticket": b""}),
        ("0027 0002 0100", tls12.SupportedEKTCiphers, {"supported_ciphers": [0]}),
        ("002a 0000", tls13.EarlyDataIndication, {}),
        ("002d 0002 0101", tls13.PskKeyExchangeModes, {"ke_modes": [1]}),
        ("0031 0000", tls13.PostHandshakeAuth, {}),
        ("0037 0003 02abcd", tls12.ExternalIdentityHash, {"binding_hash": b"\xab\xcd"}),
        ("0038 0005 0474657374", tls12.ExternalSessionId, {"session_id": b"test"}),
        ("0001 0001 03", tls12.MaxFragmentLength, {"max_fragment_length": 3}),
    ],
)
def test_extensions_of_a_client_hello(octets: str, layer: type[Layer], fields: dict[str, object]) -> None:
    read = extensions.ClientHelloExtension(bytes.fromhex(octets.replace(" ", "")))
    assert type(read.extension_data) is layer
    assert {name: read.extension_data.getfieldval(name) for name in fields} == fields
    assert notes(read) == []


def test_what_is_wrong_with_extensions_is_said() -> None:
    assert notes(extensions.ClientHelloExtension(bytes.fromhex("000a0000"))) == [
        "Extension at 0: supported_groups has no data"
    ]
    assert notes(extensions.ClientHelloExtension(bytes.fromhex("0017000161"))) == [
        "ExtendedMasterSecret: 1 octets at 4 are not explained"
    ]
    assert notes(extensions.ServerHelloExtension(bytes.fromhex("0000000161"))) == [
        "ServerNameAcknowledgement: 1 octets at 4 are not explained"
    ]
    assert notes(extensions.ClientHelloExtension(bytes.fromhex("0015000101"))) == [
        "Padding at 4: padding has octets other than zero"
    ]
    psks = tls13.OfferedPsks(identities=[tls13.PskIdentity(identity=b"a")])
    hello = ClientHello(
        cipher_suites=[1],
        compression_methods=[1],
        session_id=bytes(33),
        extensions=[
            ClientHelloExtension(extension_type=41, extension_data=psks),
            ClientHelloExtension(extension_type=23, extension_data=tls12.ExtendedMasterSecret()),
            ClientHelloExtension(extension_type=23, extension_data=tls12.ExtendedMasterSecret()),
        ],
    )
    assert {text.partition(": ")[2] for text in notes(ClientHello(bytes(hello)))} == {
        "1 identities have 0 binders",
        "extended_master_secret stands 2 times",
        "pre_shared_key is not the last extension",
        "session_id has 33 octets, more than 32",
        "the compression method null is not offered",
    }
    empty = ClientHello(bytes(ClientHello(compression_methods=[0])))
    assert notes(empty) == ["ClientHello at 0: no cipher suite is offered"]


def test_a_heartbeat_that_asks_for_more_than_it_sends_is_noted() -> None:
    (attack,) = TLS(bytes.fromhex("1803020003014000")).records
    assert isinstance(attack.content[0], layers.Heartbeat)
    assert set(notes(TLS(bytes.fromhex("1803020003014000")))) == {
        "HeartbeatMessage payload_length at 6 says 16384 octets, 0 are there",
        "HeartbeatMessage at 5: padding has 0 octets, less than 16",
    }
    sound = layers.Heartbeat(type=2, payload_data=b"abc", padding=bytes(16))
    assert bytes(sound).hex() == "020003616263" + "00" * 16
    (encrypted,) = TLS(b"\x18\x03\x03\x00\x20" + b"\x02\xff\xff" + bytes(29)).records
    assert isinstance(encrypted.content[0], Raw)


def test_dtls_13_acknowledges_records_and_hides_them_under_a_short_header() -> None:
    ack = layers.DTLSAck(record_numbers=[layers.RecordNumber(epoch=2, sequence_number=5)])
    assert bytes(ack).hex() == "0010" + "0000000000000002" + "0000000000000005"
    (read,) = DTLS(bytes(DTLSRecord(type=26, content=[ack]))).records
    assert read.content[0].record_numbers[0].sequence_number == 5
    short = DTLSUnifiedRecord(b"\x21\x07" + bytes(16))
    assert (short.C, short.S, short.L, short.epoch, short.sequence_number_8) == (0, 0, 0, 1, 7)
    assert bytes(without_caches(short)) == b"\x21\x07" + bytes(16)


def test_a_record_with_a_connection_id_tells_its_length_by_its_end() -> None:
    made = layers.DTLSCIDRecord(epoch=1, sequence_number=3, cid=b"idid", enc_content=bytes(20))
    assert bytes(made).hex() == "19fefd0001000000000003" + "69646964" + "0014" + "00" * 20
    clear = bytes(DTLSRecord(content=[DTLSHandshake(msg_type=14, body=Raw())]))
    _, read = DTLS(clear + bytes(made)).records
    assert (read.cid, read.length, read.enc_content) == (b"idid", 20, bytes(20))
    assert notes(read) == []


def test_a_length_over_the_limit_is_noted() -> None:
    data = b"\x17\x03\x03\x48\x01" + bytes(0x4801)
    assert notes(TLS(data)) == ["TLSRecord at 0: length 18433 is more than 2^14 + 2048"]


def test_ssl2_messages_in_clear_are_told_from_encrypted_ones() -> None:
    error = SSL2(b"\x80\x03\x00\x00\x02").records[0].data
    assert (error.name, error.error_code) == ("ERROR", 2)
    hello = SSL2ServerHello(certificate=b"der", cipher_specs=[0x010080], connection_id=b"id")
    assert bytes(hello).hex() == "0400010002000300030002" + b"der".hex() + "010080" + b"id".hex()
    assert meanings(SSL2ServerHello(bytes(hello)))["cipher_specs"] == "SSL2_RC4_128_WITH_MD5"
    encrypted = SSL2(b"\x80\x14" + b"\x01\x99\x88" + bytes(17)).records[0].data
    assert isinstance(encrypted, Raw)


def test_every_field_of_a_tree_stands_where_its_octets_are() -> None:
    shown = tree(TLS(SEEDS[0]))
    for node in shown.walk():
        assert 0 <= node.offset <= node.offset + node.length <= len(SEEDS[0])
    suites = next(node for node in shown.walk() if node.name == "cipher_suites")
    assert SEEDS[0][suites.offset : suites.offset + suites.length] == b"\x00\xa8\x00\xff"
    assert suites.meaning == "TLS_PSK_WITH_AES_128_GCM_SHA256, TLS_EMPTY_RENEGOTIATION_INFO_SCSV"


def test_the_random_of_a_hello_retry_request_is_a_digest_of_its_name() -> None:
    assert hashlib.sha256(b"HelloRetryRequest").digest() == HELLO_RETRY_REQUEST_RANDOM


def test_the_live_handshake_of_tls_psk_is_read_message_by_message() -> None:
    flow = [CLIENT_HELLO, SERVER_HELLO, b"\x0e\x00\x00\x00", bytes.fromhex("100000020000")]
    flow += [bytes.fromhex("1400000c2dfba91b10c81bc112afebd2"), bytes.fromhex("1400000cb0201adee4cb6949018f2226")]
    read = [handshake(one, suite(0x00A8)) for one in flow]
    assert [one.body.name for one in read] == [
        "ClientHello",
        "ServerHello",
        "ServerHelloDone",
        "ClientKeyExchange",
        "Finished",
        "Finished",
    ]
    assert read[3].body.psk_identity == b""
    assert read[4].body.verify_data.hex() == "2dfba91b10c81bc112afebd2"
    assert [notes(one) for one in read] == [[]] * 6


def test_a_hello_of_ssl2_may_begin_a_stream_of_tls() -> None:
    hello = SSL2Record(data=SSL2ClientHello(version=0x0301, cipher_specs=[0x00002F], challenge=bytes(16)))
    first, second = TLS(bytes(hello) + ALERT).records
    assert (first.data.name, first.data.version, second.content[0].description) == ("CLIENT-HELLO", 0x0301, 40)


@pytest.mark.parametrize(
    ("tail", "meaning"),
    [
        ("444f574e47524401", "the server speaks a later version and chose TLS 1.2 (RFC 8446 §4.1.3)"),
        ("444f574e47524400", "the server speaks a later version and chose TLS 1.1 or older (RFC 8446 §4.1.3)"),
        ("444f574e47524402", ""),
    ],
)
def test_a_downgrade_that_a_server_admits_is_said(tail: str, meaning: str) -> None:
    hello = ServerHello(random=bytes(24) + bytes.fromhex(tail), cipher_suite=0x00A8)
    (random,) = [node for node in tree(ServerHello(bytes(hello))).walk() if node.name == "random"]
    assert random.meaning == meaning
