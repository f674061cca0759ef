"""Scapy layers of handshake messages, without their header and without those that exchange keys.

`BODIES` has the layer of each type as it is in TLS 1.2 and DTLS 1.2; other versions differ where `by_version` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Layer, Length, Number, Numbers, Opaque, Packets, items
from dissectors.tls.codes import (
    CERTIFICATE_COMPRESSION_ALGORITHMS,
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSION_METHODS,
    CONNECTION_ID_USAGES,
    KEY_UPDATE_REQUESTS,
    SIGNATURE_SCHEMES,
    code_names,
)
from dissectors.tls.extensions.layers import (
    CertificateExtension,
    CertificateRequestExtension,
    ClientHelloExtension,
    EncryptedExtension,
    Extended,
    HelloRetryRequestExtension,
    NewSessionTicketExtension,
    ServerHelloExtension,
    Typed,
    extensions,
)
from dissectors.tls.extensions.tls12.layers import CertificateStatus, ConnectionId, SignatureSchemeList
from dissectors.tls.extensions.tls13.layers import DistinguishedName
from dissectors.tls.parse import DOWNGRADE_SENTINELS, HELLO_RETRY_REQUEST_RANDOM
from dissectors.tls.suites import suite
from dissectors.tls.versions import DTLS_1_0, SSL_3_0, TLS_1_2, is_tls13, version_name, version_rank
from dissectors.x509 import layers as x509
from dissectors.x509.digests.layers import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field


def suite_name(code: int) -> str:
    """Name of a cipher suite, or of an SSL 2.0 cipher kind."""
    return suite(code).name


# --- hellos ---------------------------------------------------------------------------------------


class HelloRequest(Layer):
    """RFC 5246 §7.4.1.1: without content."""

    name = "HelloRequest"
    fields_desc: list[Field] = []


class _Random(Opaque):
    """32 octets, of which servers use the last to say that they could have done better (RFC 8446 §4.1.3)."""

    __slots__ = ()

    def meaning(self, pkt: Any, x: Any) -> str:
        """What a server says by it; empty for octets that are only random."""
        if x == HELLO_RETRY_REQUEST_RANDOM:
            return "a HelloRetryRequest (RFC 8446 §4.1.3)"
        tail = x[-8:] if isinstance(x, bytes) else b""
        if tail not in DOWNGRADE_SENTINELS:
            return ""
        chosen = ("TLS 1.2", "TLS 1.1 or older")[DOWNGRADE_SENTINELS.index(tail)]
        return f"the server speaks a later version and chose {chosen} (RFC 8446 §4.1.3)"


_HELLO_HEAD = [
    Number("version", TLS_1_2, 2, version_name),
    _Random("random", bytes(32), fixed=32),
    Length("session_id_length", "session_id", 1),
    Opaque("session_id", b"", "session_id_length"),
]
_HELLO_COOKIE = [Length("cookie_length", "cookie", 1), Opaque("cookie", b"", "cookie_length")]
_HELLO_OFFER = [
    Length("cipher_suites_length", "cipher_suites", 2),
    Numbers("cipher_suites", "cipher_suites_length", 2, suite_name),
    Length("compression_methods_length", "compression_methods", 1),
    Numbers("compression_methods", "compression_methods_length", 1, code_names(COMPRESSION_METHODS)),
    *extensions(ClientHelloExtension),
]


class ClientHello(Extended):
    """RFC 5246 §7.4.1.2, RFC 8446 §4.1.2."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_OFFER]

    def troubles(self) -> Iterator[str]:
        """Of its extensions, and of its vectors' bounds."""
        yield from super().troubles()
        if len(self.session_id) > 32:
            yield f"session_id has {len(self.session_id)} octets, more than 32"
        if self.cipher_suites_length == 0:
            yield "no cipher suite is offered"
        methods = self.compression_methods
        if isinstance(self.compression_methods_length, int) and 0 not in methods:
            yield "the compression method null is not offered"


class DTLSClientHello(ClientHello):
    """RFC 6347 §4.2.1."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_COOKIE, *_HELLO_OFFER]


class ServerHello(Extended):
    """RFC 5246 §7.4.1.3, RFC 8446 §4.1.3."""

    name = "ServerHello"
    fields_desc = [
        *_HELLO_HEAD,
        Number("cipher_suite", 0, 2, suite_name),
        Number("compression_method", 0, 1, code_names(COMPRESSION_METHODS)),
        *extensions(ServerHelloExtension),
    ]

    def troubles(self) -> Iterator[str]:
        """Of its extensions, and of the session id's bounds."""
        yield from super().troubles()
        if len(self.session_id) > 32:
            yield f"session_id has {len(self.session_id)} octets, more than 32"


class HelloRetryRequest(ServerHello):
    """RFC 8446 §4.1.4: a ServerHello with a fixed random."""

    name = "HelloRetryRequest"
    fields_desc = [
        Number("version", TLS_1_2, 2, version_name),
        _Random("random", HELLO_RETRY_REQUEST_RANDOM, fixed=32),
        *_HELLO_HEAD[2:],
        Number("cipher_suite", 0, 2, suite_name),
        Number("compression_method", 0, 1, code_names(COMPRESSION_METHODS)),
        *extensions(HelloRetryRequestExtension),
    ]


class HelloVerifyRequest(Layer):
    """RFC 6347 §4.2.1."""

    name = "HelloVerifyRequest"
    fields_desc = [Number("server_version", DTLS_1_0, 2, version_name), *_HELLO_COOKIE]


class EncryptedExtensions(Extended):
    """RFC 8446 §4.3.1."""

    name = "EncryptedExtensions"
    fields_desc = extensions(EncryptedExtension, optional=False)


class ServerHelloDone(Layer):
    """RFC 5246 §7.4.5: without content."""

    name = "ServerHelloDone"
    fields_desc: list[Field] = []


# --- certificates ---------------------------------------------------------------------------------


def _certificate(pkt: Any, data: bytes) -> type[Packet]:
    """An X.509 certificate begins with a SEQUENCE; what begins otherwise stays octets."""
    raw: type[Packet] = Raw
    return x509.Certificate if data[:1] == b"\x30" else raw


class ASN1Cert(Layer):
    """One certificate of a list, in DER, with its digests (RFC 5246 §7.4.2, RFC 8122 §5)."""

    name = "ASN1Cert"
    fields_desc = [
        Length("cert_length", "cert", 3),
        Typed("cert", "cert_length", _certificate),
        Digest("fingerprint_sha1", "sha-1", "cert"),
        Digest("fingerprint_sha256", "sha-256", "cert"),
    ]


class Certificate(Layer):
    """RFC 5246 §7.4.2."""

    name = "Certificate"
    fields_desc = [
        Length("certificate_list_length", "certificate_list", 3),
        Packets("certificate_list", "certificate_list_length", items(ASN1Cert, 3, 0, 3)),
    ]


class CertificateEntry(Extended):
    """One certificate of a list, with its digests (RFC 8446 §4.4.2, RFC 8122 §5)."""

    name = "CertificateEntry"
    fields_desc = [
        Length("cert_data_length", "cert_data", 3),
        Typed("cert_data", "cert_data_length", _certificate),
        Digest("fingerprint_sha1", "sha-1", "cert_data"),
        Digest("fingerprint_sha256", "sha-256", "cert_data"),
        *extensions(CertificateExtension, optional=False),
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


_REQUEST_CONTEXT = [
    Length("certificate_request_context_length", "certificate_request_context", 1),
    Opaque("certificate_request_context", b"", "certificate_request_context_length"),
]


class Certificate13(Layer):
    """Since TLS 1.3 (RFC 8446 §4.4.2)."""

    name = "Certificate"
    fields_desc = [
        *_REQUEST_CONTEXT,
        Length("certificate_list_length", "certificate_list", 3),
        Packets("certificate_list", "certificate_list_length", _certificate_entries),
    ]


class CompressedCertificate(Layer):
    """RFC 8879 §4."""

    name = "CompressedCertificate"
    fields_desc = [
        Number("algorithm", 1, 2, code_names(CERTIFICATE_COMPRESSION_ALGORITHMS)),
        Number("uncompressed_length", 0, 3),
        Length("compressed_certificate_message_length", "compressed_certificate_message", 3),
        Opaque("compressed_certificate_message", b"", "compressed_certificate_message_length"),
    ]


_CERTIFICATE_TYPES = [
    Length("certificate_types_length", "certificate_types", 1),
    Numbers("certificate_types", "certificate_types_length", 1, code_names(CLIENT_CERTIFICATE_TYPES)),
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


class CertificateRequest13(Extended):
    """Since TLS 1.3 (RFC 8446 §4.3.2); a client's request has the same form (RFC 9261 §4)."""

    name = "CertificateRequest"
    fields_desc = [*_REQUEST_CONTEXT, *extensions(CertificateRequestExtension, optional=False)]


class CertificateVerify(Layer):
    """RFC 5246 §7.4.8, RFC 8446 §4.4.3."""

    name = "CertificateVerify"
    fields_desc = [
        Number("algorithm", 0x0403, 2, code_names(SIGNATURE_SCHEMES)),
        Length("signature_length", "signature", 2),
        Opaque("signature", b"", "signature_length"),
    ]


class CertificateVerify10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.8)."""

    name = "CertificateVerify"
    fields_desc = [Length("signature_length", "signature", 2), Opaque("signature", b"", "signature_length")]


class URLAndHash(Layer):
    """RFC 6066 §5."""

    name = "URLAndHash"
    fields_desc = [
        Length("url_length", "url", 2),
        Opaque("url", b"", "url_length"),
        Number("padding", 1, 1),
        Opaque("SHA1Hash", bytes(20), fixed=20),
    ]


class CertificateURL(Layer):
    """RFC 6066 §5."""

    name = "CertificateURL"
    fields_desc = [
        Number("type", 0, 1),  # 0 individual_certs, 1 pkipath
        Length("url_and_hash_list_length", "url_and_hash_list", 2),
        Packets("url_and_hash_list", "url_and_hash_list_length", items(URLAndHash, 2, 0, 2, trailer=21)),
    ]


class SupplementalDataEntry(Layer):
    """RFC 4680 §2."""

    name = "SupplementalDataEntry"
    fields_desc = [
        Number("supp_data_type", 0, 2),
        Length("supp_data_length", "supp_data", 2),
        Opaque("supp_data", b"", "supp_data_length"),
    ]


class SupplementalData(Layer):
    """RFC 4680 §2."""

    name = "SupplementalData"
    fields_desc = [
        Length("supp_data_length", "supp_data", 3),
        Packets("supp_data", "supp_data_length", items(SupplementalDataEntry, 4, 2, 2)),
    ]


# --- the end of a handshake, and what follows it --------------------------------------------------


class Finished(Layer):
    """RFC 5246 §7.4.9, RFC 8446 §4.4.4."""

    name = "Finished"
    fields_desc = [Opaque("verify_data", b"")]


class Finished30(Layer):
    """Of SSL 3.0 (RFC 6101 §5.6.9)."""

    name = "Finished"
    fields_desc = [Opaque("md5_hash", bytes(16), fixed=16), Opaque("sha_hash", bytes(20), fixed=20)]


class EndOfEarlyData(Layer):
    """RFC 8446 §4.5: without content."""

    name = "EndOfEarlyData"
    fields_desc: list[Field] = []


class NewSessionTicket(Layer):
    """RFC 5077 §3.3."""

    name = "NewSessionTicket"
    fields_desc = [
        Number("ticket_lifetime_hint", 0, 4),
        Length("ticket_length", "ticket", 2),
        Opaque("ticket", b"", "ticket_length"),
    ]


class NewSessionTicket13(Extended):
    """Since TLS 1.3 (RFC 8446 §4.6.1)."""

    name = "NewSessionTicket"
    fields_desc = [
        Number("ticket_lifetime", 0, 4),
        Number("ticket_age_add", 0, 4),
        Length("ticket_nonce_length", "ticket_nonce", 1),
        Opaque("ticket_nonce", b"", "ticket_nonce_length"),
        Length("ticket_length", "ticket", 2),
        Opaque("ticket", b"", "ticket_length"),
        *extensions(NewSessionTicketExtension, optional=False),
    ]


class KeyUpdate(Layer):
    """RFC 8446 §4.6.3."""

    name = "KeyUpdate"
    fields_desc = [Number("request_update", 0, 1, code_names(KEY_UPDATE_REQUESTS))]


class RequestConnectionId(Layer):
    """RFC 9147 §9."""

    name = "RequestConnectionId"
    fields_desc = [Number("num_cids", 1, 1)]


class NewConnectionId(Layer):
    """RFC 9147 §9."""

    name = "NewConnectionId"
    fields_desc = [
        Length("cids_length", "cids", 2),
        Packets("cids", "cids_length", items(ConnectionId, 1, 0, 1)),
        Number("usage", 0, 1, code_names(CONNECTION_ID_USAGES)),
    ]


class EKTKey(Layer):
    """RFC 8870 §5.2.2: the key that protects the keys of SRTP."""

    name = "EKTKey"
    fields_desc = [
        Length("ekt_key_value_length", "ekt_key_value", 2),
        Opaque("ekt_key_value", b"", "ekt_key_value_length"),
        Length("srtp_master_salt_length", "srtp_master_salt", 2),
        Opaque("srtp_master_salt", b"", "srtp_master_salt_length"),
        Number("ekt_spi", 0, 2),
        Number("ekt_ttl", 0, 3),
    ]


class MessageHash(Layer):
    """RFC 8446 §4.4.1: stands for a ClientHello in a transcript, never on the wire."""

    name = "MessageHash"
    fields_desc = [Opaque("hash", b"")]


# --- which layer ----------------------------------------------------------------------------------

BODIES: dict[int, type[Packet]] = {
    0: HelloRequest,
    1: ClientHello,
    2: ServerHello,
    3: HelloVerifyRequest,
    4: NewSessionTicket,
    5: EndOfEarlyData,
    8: EncryptedExtensions,
    9: RequestConnectionId,
    10: NewConnectionId,
    11: Certificate,
    13: CertificateRequest,
    14: ServerHelloDone,
    15: CertificateVerify,
    17: CertificateRequest13,
    20: Finished,
    21: CertificateURL,
    22: CertificateStatus,
    23: SupplementalData,
    24: KeyUpdate,
    25: CompressedCertificate,
    26: EKTKey,
    254: MessageHash,
}
"""Layers of the messages that need no cipher suite, by type; those of TLS 1.2 where versions differ."""

_SINCE_TLS_1_3: dict[int, type[Packet]] = {4: NewSessionTicket13, 11: Certificate13, 13: CertificateRequest13}
_BEFORE_TLS_1_2: dict[int, type[Packet]] = {13: CertificateRequest10, 15: CertificateVerify10}


def by_version(msg_type: int, version: int) -> type[Packet] | None:
    """The layer of a message where a version differs from TLS 1.2; None where it does not."""
    if version == SSL_3_0 and msg_type == 20:
        return Finished30
    if is_tls13(version):
        return _SINCE_TLS_1_3.get(msg_type)
    return _BEFORE_TLS_1_2.get(msg_type) if 0 < version_rank(version) < version_rank(TLS_1_2) else None


def by_content(msg_type: int, data: bytes) -> type[Packet] | None:
    """The layer of a message whose octets show a form of their own; None where they do not."""
    if msg_type == 2 and data[2:34] == HELLO_RETRY_REQUEST_RANDOM:
        return HelloRetryRequest
    if msg_type == 13 and data and _ends_with_authorities(data):
        return CertificateRequest10
    if msg_type == 15 and len(data) >= 2 and 2 + int.from_bytes(data[:2], "big") == len(data):
        return CertificateVerify10
    return None


def _ends_with_authorities(data: bytes) -> bool:
    """Whether a CertificateRequest has the form before TLS 1.2: nothing between types and authorities."""
    at = 1 + data[0]
    return at + 2 + int.from_bytes(data[at : at + 2], "big") == len(data)
