"""Scapy layers of TLS, DTLS and SSL 2.0: what a person sees as nodes of a packet tree.

    TLS(stream_bytes)            records, with the handshake messages and alerts inside them
    DTLS(datagram)               the same for one datagram
    SSL2(stream_bytes)
    TLSHandshake(message)        one message; `handshake` reads those whose form depends on suite or version

Every octet is kept: `bytes(L(data)) == data` for any data but none at all. Vectors show their length fields, which are
computed when a layer is built with None in them. Where octets end early, fields hold b""; what a layer cannot explain
is a Raw layer; `notes` says what is wrong and where. Field names are those of RFC 5246, RFC 8446, RFC 6347, RFC 9147,
RFC 4279, RFC 5764, RFC 8422 and of the SSL 2.0 protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import (
    ABSENT,
    MAX_ITEMS,
    Layer,
    Length,
    MessageLength,
    Number,
    Numbers,
    One,
    Opaque,
    OptionalLength,
    Packets,
    items,
)
from dissectors.tls.codes import (
    ALERT_DESCRIPTIONS,
    ALERT_LEVELS,
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSION_METHODS,
    CONTENT_TYPES,
    EXTENSION_TYPES,
    HANDSHAKE_TYPES,
    NAMED_GROUPS,
    PSK_KEY_EXCHANGE_MODES,
    SIGNATURE_SCHEMES,
    SRTP_PROTECTION_PROFILES,
    SSL2_MESSAGE_TYPES,
    name_of,
)
from dissectors.tls.parse import HELLO_RETRY_REQUEST_RANDOM
from dissectors.tls.records import plausible_handshake_start
from dissectors.tls.suites import suite
from dissectors.tls.versions import DTLS_1_0, TLS_1_0, TLS_1_2, is_tls13, version_name, version_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapy.fields import Field

    from dissectors.tls.suites import CipherSuite


def _named(table: dict[int, str]) -> Callable[[int], str]:
    return lambda code: name_of(table, code)


def _suite_name(code: int) -> str:
    return suite(code).name


# --- extensions -----------------------------------------------------------------------------------


class ServerName(Layer):
    """RFC 6066 §3."""

    name = "ServerName"
    fields_desc = [
        Number("name_type", 0, 1),
        Length("host_name_length", "host_name", 2),
        Opaque("host_name", b"", "host_name_length"),
    ]


class ServerNameList(Layer):
    """RFC 6066 §3."""

    name = "ServerNameList"
    fields_desc = [
        Length("server_name_list_length", "server_name_list", 2),
        Packets("server_name_list", "server_name_list_length", items(ServerName, 3, 1, 2)),
    ]


class NamedGroupList(Layer):
    """RFC 8446 §4.2.7."""

    name = "NamedGroupList"
    fields_desc = [
        Length("named_group_list_length", "named_group_list", 2),
        Numbers("named_group_list", "named_group_list_length", 2, _named(NAMED_GROUPS)),
    ]


class ECPointFormatList(Layer):
    """RFC 8422 §5.1.2."""

    name = "ECPointFormatList"
    fields_desc = [
        Length("ec_point_format_list_length", "ec_point_format_list", 1),
        Numbers("ec_point_format_list", "ec_point_format_list_length", 1),
    ]


class SignatureSchemeList(Layer):
    """RFC 8446 §4.2.3."""

    name = "SignatureSchemeList"
    fields_desc = [
        Length("supported_signature_algorithms_length", "supported_signature_algorithms", 2),
        Numbers(
            "supported_signature_algorithms",
            "supported_signature_algorithms_length",
            2,
            _named(SIGNATURE_SCHEMES),
        ),
    ]


class UseSRTPData(Layer):
    """RFC 5764 §4.1.1."""

    name = "UseSRTPData"
    fields_desc = [
        Length("SRTPProtectionProfiles_length", "SRTPProtectionProfiles", 2),
        Numbers("SRTPProtectionProfiles", "SRTPProtectionProfiles_length", 2, _named(SRTP_PROTECTION_PROFILES)),
        Length("srtp_mki_length", "srtp_mki", 1),
        Opaque("srtp_mki", b"", "srtp_mki_length"),
    ]


class HeartbeatExtension(Layer):
    """RFC 6520 §2."""

    name = "HeartbeatExtension"
    fields_desc = [Number("mode", 1, 1)]


class ProtocolName(Layer):
    """RFC 7301 §3.1."""

    name = "ProtocolName"
    fields_desc = [
        Length("protocol_name_length", "protocol_name", 1),
        Opaque("protocol_name", b"", "protocol_name_length"),
    ]


class ProtocolNameList(Layer):
    """RFC 7301 §3.1."""

    name = "ProtocolNameList"
    fields_desc = [
        Length("protocol_name_list_length", "protocol_name_list", 2),
        Packets("protocol_name_list", "protocol_name_list_length", items(ProtocolName, 1, 0, 1)),
    ]


class SupportedVersionsClient(Layer):
    """RFC 8446 §4.2.1, ClientHello."""

    name = "SupportedVersions"
    fields_desc = [Length("versions_length", "versions", 1), Numbers("versions", "versions_length", 2, version_name)]


class SupportedVersionsServer(Layer):
    """RFC 8446 §4.2.1, ServerHello and HelloRetryRequest."""

    name = "SupportedVersions"
    fields_desc = [Number("selected_version", 0x0304, 2, version_name)]


class KeyShareEntry(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareEntry"
    fields_desc = [
        Number("group", 29, 2, _named(NAMED_GROUPS)),
        Length("key_exchange_length", "key_exchange", 2),
        Opaque("key_exchange", b"", "key_exchange_length"),
    ]


class KeyShareClientHello(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareClientHello"
    fields_desc = [
        Length("client_shares_length", "client_shares", 2),
        Packets("client_shares", "client_shares_length", items(KeyShareEntry, 4, 2, 2)),
    ]


class KeyShareHelloRetryRequest(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareHelloRetryRequest"
    fields_desc = [Number("selected_group", 29, 2, _named(NAMED_GROUPS))]


class PskIdentity(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskIdentity"
    fields_desc = [
        Length("identity_length", "identity", 2),
        Opaque("identity", b"", "identity_length"),
        Number("obfuscated_ticket_age", 0, 4),
    ]


class PskBinderEntry(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskBinderEntry"
    fields_desc = [Length("binder_length", "binder", 1), Opaque("binder", b"", "binder_length")]


class OfferedPsks(Layer):
    """RFC 8446 §4.2.11."""

    name = "OfferedPsks"
    fields_desc = [
        Length("identities_length", "identities", 2),
        Packets("identities", "identities_length", items(PskIdentity, 2, 0, 2, trailer=4)),
        Length("binders_length", "binders", 2),
        Packets("binders", "binders_length", items(PskBinderEntry, 1, 0, 1)),
    ]


class SelectedIdentity(Layer):
    """RFC 8446 §4.2.11, ServerHello."""

    name = "SelectedIdentity"
    fields_desc = [Number("selected_identity", 0, 2)]


class PskKeyExchangeModes(Layer):
    """RFC 8446 §4.2.9."""

    name = "PskKeyExchangeModes"
    fields_desc = [
        Length("ke_modes_length", "ke_modes", 1),
        Numbers("ke_modes", "ke_modes_length", 1, _named(PSK_KEY_EXCHANGE_MODES)),
    ]


class Cookie(Layer):
    """RFC 8446 §4.2.2."""

    name = "Cookie"
    fields_desc = [Length("cookie_length", "cookie", 2), Opaque("cookie", b"", "cookie_length")]


class ConnectionId(Layer):
    """RFC 9146 §3."""

    name = "ConnectionId"
    fields_desc = [Length("cid_length", "cid", 1), Opaque("cid", b"", "cid_length")]


class RenegotiationInfo(Layer):
    """RFC 5746 §3.2."""

    name = "RenegotiationInfo"
    fields_desc = [
        Length("renegotiated_connection_length", "renegotiated_connection", 1),
        Opaque("renegotiated_connection", b"", "renegotiated_connection_length"),
    ]


_COMMON_EXTENSIONS: dict[int, type[Packet]] = {
    0: ServerNameList,
    10: NamedGroupList,
    11: ECPointFormatList,
    13: SignatureSchemeList,
    14: UseSRTPData,
    15: HeartbeatExtension,
    16: ProtocolNameList,
    44: Cookie,
    50: SignatureSchemeList,
    54: ConnectionId,
    65281: RenegotiationInfo,
}
_CLIENT_EXTENSIONS = _COMMON_EXTENSIONS | {
    41: OfferedPsks,
    43: SupportedVersionsClient,
    45: PskKeyExchangeModes,
    51: KeyShareClientHello,
}
_SERVER_EXTENSIONS = _COMMON_EXTENSIONS | {41: SelectedIdentity, 43: SupportedVersionsServer, 51: KeyShareEntry}
_RETRY_EXTENSIONS = _SERVER_EXTENSIONS | {51: KeyShareHelloRetryRequest}


class Extension(Layer):
    """RFC 8446 §4.2; subclasses know the message that it stands in."""

    name = "Extension"
    typed: dict[int, type[Packet]] = _COMMON_EXTENSIONS
    fields_desc = [
        Number("extension_type", 0, 2, _named(EXTENSION_TYPES)),
        Length("extension_data_length", "extension_data", 2),
        One("extension_data", "extension_data_length", lambda pkt, data: pkt.typed.get(pkt.extension_type, Raw)),
    ]


class ClientHelloExtension(Extension):
    """An extension of a ClientHello."""

    typed = _CLIENT_EXTENSIONS


class ServerHelloExtension(Extension):
    """An extension of a ServerHello."""

    typed = _SERVER_EXTENSIONS


class HelloRetryRequestExtension(Extension):
    """An extension of a HelloRetryRequest."""

    typed = _RETRY_EXTENSIONS


def _extensions(layer: type[Extension]) -> list[Field]:
    """The extensions of a message. A message may end before them; built ones have the vector when it has items."""
    return [
        OptionalLength("extensions_length", "extensions", 2),
        Packets("extensions", "extensions_length", items(layer, 4, 2, 2)),
    ]


# --- handshake messages ---------------------------------------------------------------------------

_HELLO_HEAD = [
    Number("version", TLS_1_2, 2, version_name),
    Opaque("random", bytes(32), fixed=32),
    Length("session_id_length", "session_id", 1),
    Opaque("session_id", b"", "session_id_length"),
]
_HELLO_COOKIE = [Length("cookie_length", "cookie", 1), Opaque("cookie", b"", "cookie_length")]
_HELLO_OFFER = [
    Length("cipher_suites_length", "cipher_suites", 2),
    Numbers("cipher_suites", "cipher_suites_length", 2, _suite_name),
    Length("compression_methods_length", "compression_methods", 1),
    Numbers("compression_methods", "compression_methods_length", 1, _named(COMPRESSION_METHODS)),
    *_extensions(ClientHelloExtension),
]


class ClientHello(Layer):
    """RFC 5246 §7.4.1.2, RFC 8446 §4.1.2."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_OFFER]


class DTLSClientHello(Layer):
    """RFC 6347 §4.2.1."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_COOKIE, *_HELLO_OFFER]


class ServerHello(Layer):
    """RFC 5246 §7.4.1.3, RFC 8446 §4.1.3."""

    name = "ServerHello"
    fields_desc = [
        *_HELLO_HEAD,
        Number("cipher_suite", 0, 2, _suite_name),
        Number("compression_method", 0, 1, _named(COMPRESSION_METHODS)),
        *_extensions(ServerHelloExtension),
    ]


class HelloRetryRequest(Layer):
    """RFC 8446 §4.1.4: a ServerHello with a fixed random."""

    name = "HelloRetryRequest"
    fields_desc = [
        Number("version", TLS_1_2, 2, version_name),
        Opaque("random", HELLO_RETRY_REQUEST_RANDOM, fixed=32),
        *_HELLO_HEAD[2:],
        Number("cipher_suite", 0, 2, _suite_name),
        Number("compression_method", 0, 1, _named(COMPRESSION_METHODS)),
        *_extensions(HelloRetryRequestExtension),
    ]


class HelloVerifyRequest(Layer):
    """RFC 6347 §4.2.1."""

    name = "HelloVerifyRequest"
    fields_desc = [Number("server_version", DTLS_1_0, 2, version_name), *_HELLO_COOKIE]


class EncryptedExtensions(Layer):
    """RFC 8446 §4.3.1."""

    name = "EncryptedExtensions"
    fields_desc = [
        Length("extensions_length", "extensions", 2),
        Packets("extensions", "extensions_length", items(Extension, 4, 2, 2)),
    ]


class NewSessionTicket(Layer):
    """RFC 5077 §3.3."""

    name = "NewSessionTicket"
    fields_desc = [
        Number("ticket_lifetime_hint", 0, 4),
        Length("ticket_length", "ticket", 2),
        Opaque("ticket", b"", "ticket_length"),
    ]


class ASN1Cert(Layer):
    """One certificate of a list, in DER (RFC 5246 §7.4.2)."""

    name = "ASN1Cert"
    fields_desc = [Length("cert_length", "cert", 3), Opaque("cert", b"", "cert_length")]


class Certificate(Layer):
    """RFC 5246 §7.4.2."""

    name = "Certificate"
    fields_desc = [
        Length("certificate_list_length", "certificate_list", 3),
        Packets("certificate_list", "certificate_list_length", items(ASN1Cert, 3, 0, 3)),
    ]


class CertificateEntry(Layer):
    """RFC 8446 §4.4.2."""

    name = "CertificateEntry"
    fields_desc = [
        Length("cert_data_length", "cert_data", 3),
        Opaque("cert_data", b"", "cert_data_length"),
        Length("extensions_length", "extensions", 2),
        Packets("extensions", "extensions_length", items(Extension, 4, 2, 2)),
    ]


def _certificate_entries(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        at = start + 3 + int.from_bytes(data[start : start + 3], "big")
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if len(data) - start < 5 or end > len(data):
            break
        yield CertificateEntry, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class Certificate13(Layer):
    """RFC 8446 §4.4.2."""

    name = "Certificate"
    fields_desc = [
        Length("certificate_request_context_length", "certificate_request_context", 1),
        Opaque("certificate_request_context", b"", "certificate_request_context_length"),
        Length("certificate_list_length", "certificate_list", 3),
        Packets("certificate_list", "certificate_list_length", _certificate_entries),
    ]


class DistinguishedName(Layer):
    """A name in DER (RFC 5246 §7.4.4)."""

    name = "DistinguishedName"
    fields_desc = [Length("name_length", "distinguished_name", 2), Opaque("distinguished_name", b"", "name_length")]


_CERTIFICATE_TYPES = [
    Length("certificate_types_length", "certificate_types", 1),
    Numbers("certificate_types", "certificate_types_length", 1, _named(CLIENT_CERTIFICATE_TYPES)),
]
_CERTIFICATE_AUTHORITIES = [
    Length("certificate_authorities_length", "certificate_authorities", 2),
    Packets("certificate_authorities", "certificate_authorities_length", items(DistinguishedName, 2, 0, 2)),
]


class CertificateRequest(Layer):
    """RFC 5246 §7.4.4."""

    name = "CertificateRequest"
    fields_desc = [*_CERTIFICATE_TYPES, *SignatureSchemeList.fields_desc, *_CERTIFICATE_AUTHORITIES]


class CertificateRequest10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.4)."""

    name = "CertificateRequest"
    fields_desc = [*_CERTIFICATE_TYPES, *_CERTIFICATE_AUTHORITIES]


class CertificateVerify(Layer):
    """RFC 5246 §7.4.8, RFC 8446 §4.4.3."""

    name = "CertificateVerify"
    fields_desc = [
        Number("algorithm", 0x0403, 2, _named(SIGNATURE_SCHEMES)),
        Length("signature_length", "signature", 2),
        Opaque("signature", b"", "signature_length"),
    ]


class CertificateVerify10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.8)."""

    name = "CertificateVerify"
    fields_desc = [Length("signature_length", "signature", 2), Opaque("signature", b"", "signature_length")]


class ServerKeyExchange(Layer):
    """A ServerKeyExchange whose suite is not known."""

    name = "ServerKeyExchange"
    fields_desc = [Opaque("params", b"")]


_HINT = [
    Length("psk_identity_hint_length", "psk_identity_hint", 2),
    Opaque("psk_identity_hint", b"", "psk_identity_hint_length"),
]
_DH = [
    Length("dh_p_length", "dh_p", 2),
    Opaque("dh_p", b"", "dh_p_length"),
    Length("dh_g_length", "dh_g", 2),
    Opaque("dh_g", b"", "dh_g_length"),
    Length("dh_Ys_length", "dh_Ys", 2),
    Opaque("dh_Ys", b"", "dh_Ys_length"),
]
_EC = [
    Number("curve_type", 3, 1),
    Number("named_curve", 23, 2, _named(NAMED_GROUPS)),
    Length("point_length", "point", 1),
    Opaque("point", b"", "point_length"),
]


class ServerKeyExchangePSK(Layer):
    """RFC 4279 §2, §4."""

    name = "ServerKeyExchange"
    fields_desc = _HINT


class ServerKeyExchangeDHEPSK(Layer):
    """RFC 4279 §3."""

    name = "ServerKeyExchange"
    fields_desc = [*_HINT, *_DH]


class ServerKeyExchangeECDHEPSK(Layer):
    """RFC 5489 §2."""

    name = "ServerKeyExchange"
    fields_desc = [*_HINT, *_EC]


class ServerKeyExchangeDHE(Layer):
    """RFC 5246 §7.4.3."""

    name = "ServerKeyExchange"
    fields_desc = [*_DH, *CertificateVerify.fields_desc]


class ServerKeyExchangeDHE10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.3)."""

    name = "ServerKeyExchange"
    fields_desc = [*_DH, *CertificateVerify10.fields_desc]


class ServerKeyExchangeECDHE(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *CertificateVerify.fields_desc]


class ServerKeyExchangeECDHE10(Layer):
    """Before TLS 1.2 (RFC 8422 §5.4)."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *CertificateVerify10.fields_desc]


class ServerKeyExchangeDHAnon(Layer):
    """RFC 5246 §7.4.3."""

    name = "ServerKeyExchange"
    fields_desc = _DH


class ServerKeyExchangeECDHAnon(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = _EC


class ClientKeyExchange(Layer):
    """A ClientKeyExchange whose suite is not known."""

    name = "ClientKeyExchange"
    fields_desc = [Opaque("exchange_keys", b"")]


_IDENTITY = [Length("psk_identity_length", "psk_identity", 2), Opaque("psk_identity", b"", "psk_identity_length")]
_YC = [Length("dh_Yc_length", "dh_Yc", 2), Opaque("dh_Yc", b"", "dh_Yc_length")]
_POINT = [Length("ecdh_Yc_length", "ecdh_Yc", 1), Opaque("ecdh_Yc", b"", "ecdh_Yc_length")]
_PREMASTER = [
    Length("encrypted_pre_master_secret_length", "encrypted_pre_master_secret", 2),
    Opaque("encrypted_pre_master_secret", b"", "encrypted_pre_master_secret_length"),
]


class ClientKeyExchangePSK(Layer):
    """RFC 4279 §2."""

    name = "ClientKeyExchange"
    fields_desc = _IDENTITY


class ClientKeyExchangeDHEPSK(Layer):
    """RFC 4279 §3."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_YC]


class ClientKeyExchangeECDHEPSK(Layer):
    """RFC 5489 §2."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_POINT]


class ClientKeyExchangeRSAPSK(Layer):
    """RFC 4279 §4."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_PREMASTER]


class ClientKeyExchangeRSA(Layer):
    """RFC 5246 §7.4.7.1."""

    name = "ClientKeyExchange"
    fields_desc = _PREMASTER


class ClientKeyExchangeDH(Layer):
    """RFC 5246 §7.4.7.2."""

    name = "ClientKeyExchange"
    fields_desc = _YC


class ClientKeyExchangeECDH(Layer):
    """RFC 8422 §5.7."""

    name = "ClientKeyExchange"
    fields_desc = _POINT


class Finished(Layer):
    """RFC 5246 §7.4.9, RFC 8446 §4.4.4."""

    name = "Finished"
    fields_desc = [Opaque("verify_data", b"")]


class KeyUpdate(Layer):
    """RFC 8446 §4.6.3."""

    name = "KeyUpdate"
    fields_desc = [Number("request_update", 0, 1)]


_RAW: type[Packet] = Raw

_BODIES: dict[int, type[Packet]] = {
    1: ClientHello,
    2: ServerHello,
    3: HelloVerifyRequest,
    4: NewSessionTicket,
    8: EncryptedExtensions,
    11: Certificate,
    12: ServerKeyExchange,
    13: CertificateRequest,
    15: CertificateVerify,
    16: ClientKeyExchange,
    20: Finished,
    24: KeyUpdate,
}


def _ends_with_authorities(data: bytes) -> bool:
    """Whether a CertificateRequest has the form before TLS 1.2: nothing between types and authorities."""
    at = 1 + data[0]
    return at + 2 + int.from_bytes(data[at : at + 2], "big") == len(data)


def _body(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.msg_type == 2 and data[2:34] == HELLO_RETRY_REQUEST_RANDOM:
        return HelloRetryRequest
    if pkt.msg_type == 13 and _ends_with_authorities(data):
        return CertificateRequest10
    if pkt.msg_type == 15 and 2 + int.from_bytes(data[:2], "big") == len(data):
        return CertificateVerify10
    return _BODIES.get(pkt.msg_type, _RAW)


def _dtls_body(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.fragment_offset or pkt.fragment_length != pkt.length:
        return _RAW
    return DTLSClientHello if pkt.msg_type == 1 else _body(pkt, data)


class TLSHandshake(Layer):
    """RFC 5246 §7.4."""

    name = "Handshake"
    fields_desc = [
        Number("msg_type", 1, 1, _named(HANDSHAKE_TYPES)),
        Length("length", "body", 3),
        One("body", "length", _body),
    ]


class DTLSHandshake(Layer):
    """RFC 6347 §4.2.2: a whole message, or a fragment of one."""

    name = "Handshake"
    fields_desc = [
        Number("msg_type", 1, 1, _named(HANDSHAKE_TYPES)),
        MessageLength("length", "body", 3),
        Number("message_seq", 0, 2),
        Number("fragment_offset", 0, 3),
        Length("fragment_length", "body", 3),
        One("body", "fragment_length", _dtls_body),
    ]


_SERVER_KEY_EXCHANGES: dict[str, tuple[type[Packet], type[Packet]]] = {
    # key exchange: layer since TLS 1.2, layer before
    "PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "RSA_PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "DHE_PSK": (ServerKeyExchangeDHEPSK, ServerKeyExchangeDHEPSK),
    "ECDHE_PSK": (ServerKeyExchangeECDHEPSK, ServerKeyExchangeECDHEPSK),
    "DHE": (ServerKeyExchangeDHE, ServerKeyExchangeDHE10),
    "ECDHE": (ServerKeyExchangeECDHE, ServerKeyExchangeECDHE10),
    "DH_anon": (ServerKeyExchangeDHAnon, ServerKeyExchangeDHAnon),
    "ECDH_anon": (ServerKeyExchangeECDHAnon, ServerKeyExchangeECDHAnon),
}
_CLIENT_KEY_EXCHANGES: dict[str, type[Packet]] = {
    "PSK": ClientKeyExchangePSK,
    "RSA_PSK": ClientKeyExchangeRSAPSK,
    "DHE_PSK": ClientKeyExchangeDHEPSK,
    "ECDHE_PSK": ClientKeyExchangeECDHEPSK,
    "RSA": ClientKeyExchangeRSA,
    "DH": ClientKeyExchangeDH,
    "DHE": ClientKeyExchangeDH,
    "DH_anon": ClientKeyExchangeDH,
    "ECDH": ClientKeyExchangeECDH,
    "ECDHE": ClientKeyExchangeECDH,
    "ECDH_anon": ClientKeyExchangeECDH,
}


def handshake(
    data: bytes, cipher_suite: CipherSuite | None = None, version: int = TLS_1_2, *, dtls: bool = False
) -> TLSHandshake | DTLSHandshake:
    """One handshake message with header, read as the suite and the version of its connection say.

    They decide on ServerKeyExchange, ClientKeyExchange, Certificate, CertificateRequest and CertificateVerify.
    """
    packet = DTLSHandshake(data) if dtls else TLSHandshake(data)
    layer = _by_context(packet.msg_type, cipher_suite, version)
    body = bytes(packet.body) if packet.body is not None else b""
    if layer is not None and body and not isinstance(packet.body, Raw):
        packet.body = layer(body)
    return packet


def _by_context(msg_type: int, cipher_suite: CipherSuite | None, version: int) -> type[Packet] | None:
    rank = version_rank(version)
    old = 0 < rank < version_rank(TLS_1_2)
    key_exchange = cipher_suite.key_exchange if cipher_suite is not None else ""
    if msg_type == 12:
        return _SERVER_KEY_EXCHANGES.get(key_exchange, (None, None))[old]
    if msg_type == 16:
        if key_exchange == "RSA" and rank < version_rank(TLS_1_0):
            return None  # SSL 3.0 sends the encrypted secret without a length
        return _CLIENT_KEY_EXCHANGES.get(key_exchange)
    if msg_type == 11 and is_tls13(version):
        return Certificate13
    if old:
        return {13: CertificateRequest10, 15: CertificateVerify10}.get(msg_type)
    return None


# --- records --------------------------------------------------------------------------------------


class Alert(Layer):
    """RFC 5246 §7.2."""

    name = "Alert"
    fields_desc = [
        Number("level", 2, 1, _named(ALERT_LEVELS)),
        Number("description", 0, 1, _named(ALERT_DESCRIPTIONS)),
    ]


class ChangeCipherSpec(Layer):
    """RFC 5246 §7.1."""

    name = "ChangeCipherSpec"
    fields_desc = [Number("type", 1, 1)]


_TLS_MESSAGES = items(TLSHandshake, 4, 1, 3)
_DTLS_MESSAGES = items(DTLSHandshake, 12, 9, 3)


def _content(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """What stands in a record: messages where they can be read, else one Raw layer."""
    clear = getattr(pkt, "epoch", 0) in (0, ABSENT)
    if pkt.type == 22 and clear and plausible_handshake_start(data):
        yield from (_DTLS_MESSAGES if isinstance(pkt, DTLSRecord) else _TLS_MESSAGES)(pkt, data)
    elif pkt.type == 21 and clear and len(data) == 2:
        yield Alert, data
    elif pkt.type == 20 and clear and len(data) == 1:
        yield ChangeCipherSpec, data
    elif data:
        yield Raw, data


class TLSRecord(Layer):
    """RFC 5246 §6.2.1, RFC 8446 §5.1. What they call the fragment is `content`: Scapy has a method of that name."""

    name = "TLSRecord"
    fields_desc = [
        Number("type", 22, 1, _named(CONTENT_TYPES)),
        Number("version", TLS_1_2, 2, version_name),
        Length("length", "content", 2),
        Packets("content", "length", _content),
    ]


class DTLSRecord(Layer):
    """RFC 6347 §4.1."""

    name = "DTLSRecord"
    fields_desc = [
        Number("type", 22, 1, _named(CONTENT_TYPES)),
        Number("version", 0xFEFD, 2, version_name),
        Number("epoch", 0, 2),
        Number("sequence_number", 0, 6),
        Length("length", "content", 2),
        Packets("content", "length", _content),
    ]


class DTLSUnifiedRecord(Layer):
    """RFC 9147 §4. A connection id, whose length only the handshake says, stays in what is encrypted."""

    name = "DTLSUnifiedRecord"
    fields_desc = [
        Number("flags", 0x2F, 1),  # 001CSLEE
        Number("sequence_number_16", 0, 2, condition=lambda pkt: _flag(pkt, 0x18) == 0x08),
        Number("sequence_number_8", 0, 1, condition=lambda pkt: _flag(pkt, 0x18) == 0),
        Length("length", "encrypted_record", 2, condition=lambda pkt: _flag(pkt, 0x14) == 0x04),
        Opaque("encrypted_record", b""),
    ]


def _flag(pkt: Any, mask: int) -> int:
    value = pkt.getfieldval("flags")
    return value & mask if isinstance(value, int) else -1


class TLS(Layer):
    """The records of a piece of a stream, from a record header on."""

    name = "TLS"
    fields_desc = [Packets("records", None, items(TLSRecord, 5, 3, 2))]


def _datagram(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if data[start] >> 5 == 0b001:
            end = _unified_end(data, start)
            layer: type[Packet] = DTLSUnifiedRecord
        else:
            if len(data) - start < 13:
                break
            end = start + 13 + int.from_bytes(data[start + 11 : start + 13], "big")
            layer = DTLSRecord
        if end > len(data):
            break
        yield layer, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


def _unified_end(data: bytes, start: int) -> int:
    first = data[start]
    if first & 0x14 != 0x04:
        return len(data)
    at = start + (3 if first & 0x08 else 2)
    if at + 2 > len(data):
        return len(data)
    return at + 2 + int.from_bytes(data[at : at + 2], "big")


class DTLS(Layer):
    """The records of one datagram."""

    name = "DTLS"
    fields_desc = [Packets("records", None, _datagram)]


# --- SSL 2.0 --------------------------------------------------------------------------------------


class SSL2ClientHello(Layer):
    """SSL 2.0 protocol C.5, RFC 5246 E.2."""

    name = "CLIENT-HELLO"
    fields_desc = [
        Number("msg_type", 1, 1, _named(SSL2_MESSAGE_TYPES)),
        Number("version", 0x0002, 2, version_name),
        Length("cipher_specs_length", "cipher_specs", 2),
        Length("session_id_length", "session_id", 2),
        Length("challenge_length", "challenge", 2),
        Numbers("cipher_specs", "cipher_specs_length", 3, _suite_name),
        Opaque("session_id", b"", "session_id_length"),
        Opaque("challenge", b"", "challenge_length"),
    ]


class SSL2ServerHello(Layer):
    """SSL 2.0 protocol C.6."""

    name = "SERVER-HELLO"
    fields_desc = [
        Number("msg_type", 4, 1, _named(SSL2_MESSAGE_TYPES)),
        Number("session_id_hit", 0, 1),
        Number("certificate_type", 1, 1),
        Number("version", 0x0002, 2, version_name),
        Length("certificate_length", "certificate", 2),
        Length("cipher_specs_length", "cipher_specs", 2),
        Length("connection_id_length", "connection_id", 2),
        Opaque("certificate", b"", "certificate_length"),
        Numbers("cipher_specs", "cipher_specs_length", 3, _suite_name),
        Opaque("connection_id", b"", "connection_id_length"),
    ]


class SSL2ClientMasterKey(Layer):
    """SSL 2.0 protocol C.7."""

    name = "CLIENT-MASTER-KEY"
    fields_desc = [
        Number("msg_type", 2, 1, _named(SSL2_MESSAGE_TYPES)),
        Number("cipher_kind", 0x010080, 3, _suite_name),
        Length("clear_key_length", "clear_key_data", 2),
        Length("encrypted_key_length", "encrypted_key_data", 2),
        Length("key_arg_length", "key_arg_data", 2),
        Opaque("clear_key_data", b"", "clear_key_length"),
        Opaque("encrypted_key_data", b"", "encrypted_key_length"),
        Opaque("key_arg_data", b"", "key_arg_length"),
    ]


_SSL2_LAYERS: dict[int, type[Packet]] = {1: SSL2ClientHello, 2: SSL2ClientMasterKey, 4: SSL2ServerHello}


def _has_padding(pkt: Any) -> bool:
    length = pkt.getfieldval("length")
    return isinstance(length, int) and not length & 0x8000


class SSL2Record(Layer):
    """SSL 2.0 protocol C.1. The first bit of the length says that no padding octet follows."""

    name = "SSL2Record"
    fields_desc = [
        Length("length", "data", 2, flag=0x8000),
        Number("padding", 0, 1, condition=_has_padding),
        One("data", None, lambda pkt, data: _SSL2_LAYERS.get(data[0], Raw)),
    ]


def _ssl2_records(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if len(data) - start < 3:
            break
        long = data[start] & 0x80
        length = (data[start] & (0x7F if long else 0x3F)) << 8 | data[start + 1]
        end = start + (2 if long else 3) + length
        if end > len(data) or length == 0:
            break
        yield SSL2Record, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class SSL2(Layer):
    """The records of a piece of a stream."""

    name = "SSL2"
    fields_desc = [Packets("records", None, _ssl2_records)]
