"""Scapy layers of what the extensions of TLS 1.0 to 1.2 hold; TLS 1.3 took over many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.binary import Chain, Layer, Length, Number, Numbers, Opaque, Packets, items
from dissectors.tls.codes import (
    CACHED_INFORMATION_TYPES,
    CERTIFICATE_COMPRESSION_ALGORITHMS,
    CERTIFICATE_STATUS_TYPES,
    CERTIFICATE_TYPES,
    EC_POINT_FORMATS,
    EKT_CIPHERS,
    HEARTBEAT_MODES,
    MAX_FRAGMENT_LENGTHS,
    NAMED_GROUPS,
    SERVER_NAME_TYPES,
    SIGNATURE_SCHEMES,
    SRTP_PROTECTION_PROFILES,
    TRUSTED_AUTHORITY_TYPES,
    code_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field


class ServerName(Layer):
    """RFC 6066 §3."""

    name = "ServerName"
    fields_desc = [
        Number("name_type", 0, 1, code_names(SERVER_NAME_TYPES)),
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


class ServerNameAcknowledgement(Layer):
    """RFC 6066 §3: the server used the name; without data."""

    name = "ServerNameAcknowledgement"
    fields_desc: list[Field] = []


class MaxFragmentLength(Layer):
    """RFC 6066 §4."""

    name = "MaxFragmentLength"
    fields_desc = [Number("max_fragment_length", 1, 1, code_names(MAX_FRAGMENT_LENGTHS))]


class ClientCertificateURL(Layer):
    """RFC 6066 §5: without data."""

    name = "ClientCertificateURL"
    fields_desc: list[Field] = []


class TrustedAuthority(Layer):
    """RFC 6066 §6."""

    name = "TrustedAuthority"
    fields_desc = [
        Number("identifier_type", 0, 1, code_names(TRUSTED_AUTHORITY_TYPES)),
        Opaque("sha1_hash", b"", lambda pkt: 20 if pkt.getfieldval("identifier_type") in (1, 3) else 0),
        Length(
            "distinguished_name_length",
            "distinguished_name",
            2,
            condition=lambda pkt: pkt.getfieldval("identifier_type") == 2,
        ),
        Opaque("distinguished_name", b"", "distinguished_name_length"),
    ]


class TrustedAuthorities(Layer):
    """RFC 6066 §6."""

    name = "TrustedAuthorities"
    fields_desc = [
        Length("trusted_authorities_list_length", "trusted_authorities_list", 2),
        Chain("trusted_authorities_list", lambda pkt, found, data: TrustedAuthority),
    ]


class TruncatedHMAC(Layer):
    """RFC 6066 §7: without data."""

    name = "TruncatedHMAC"
    fields_desc: list[Field] = []


class ResponderID(Layer):
    """RFC 6066 §8: in DER."""

    name = "ResponderID"
    fields_desc = [Length("responder_id_length", "responder_id", 2), Opaque("responder_id", b"", "responder_id_length")]


_OCSP_STATUS_REQUEST = [
    Length("responder_id_list_length", "responder_id_list", 2),
    Packets("responder_id_list", "responder_id_list_length", items(ResponderID, 2, 0, 2)),
    Length("request_extensions_length", "request_extensions", 2),
    Opaque("request_extensions", b"", "request_extensions_length"),
]


class CertificateStatusRequest(Layer):
    """RFC 6066 §8, ClientHello."""

    name = "CertificateStatusRequest"
    fields_desc = [Number("status_type", 1, 1, code_names(CERTIFICATE_STATUS_TYPES)), *_OCSP_STATUS_REQUEST]


class CertificateStatusAcknowledgement(Layer):
    """RFC 6066 §8: the server is to send a CertificateStatus; without data."""

    name = "CertificateStatusAcknowledgement"
    fields_desc: list[Field] = []


class CertificateStatus(Layer):
    """RFC 6066 §8: a handshake message, and in TLS 1.3 an extension of a certificate (RFC 8446 §4.4.2.1)."""

    name = "CertificateStatus"
    fields_desc = [
        Number("status_type", 1, 1, code_names(CERTIFICATE_STATUS_TYPES)),
        Length("response_length", "response", 3),
        Opaque("response", b"", "response_length"),
    ]


class CertificateStatusRequestItemV2(Layer):
    """RFC 6961 §2.2."""

    name = "CertificateStatusRequestItemV2"
    fields_desc = [
        Number("status_type", 2, 1, code_names(CERTIFICATE_STATUS_TYPES)),
        Length(
            "request_length",
            ("responder_id_list_length", "responder_id_list", "request_extensions_length", "request_extensions"),
            2,
        ),
        *_OCSP_STATUS_REQUEST,
    ]


class CertificateStatusRequestListV2(Layer):
    """RFC 6961 §2.2."""

    name = "CertificateStatusRequestListV2"
    fields_desc = [
        Length("certificate_status_req_list_length", "certificate_status_req_list", 2),
        Packets(
            "certificate_status_req_list",
            "certificate_status_req_list_length",
            items(CertificateStatusRequestItemV2, 3, 1, 2),
        ),
    ]


class UserMappingTypeList(Layer):
    """RFC 4681 §2."""

    name = "UserMappingTypeList"
    fields_desc = [
        Length("user_mapping_types_length", "user_mapping_types", 1),
        Numbers("user_mapping_types", "user_mapping_types_length", 1),
    ]


class AuthzFormats(Layer):
    """RFC 5878 §3.1: client_authz and server_authz."""

    name = "AuthzFormats"
    fields_desc = [
        Length("authz_format_list_length", "authz_format_list", 1),
        Numbers("authz_format_list", "authz_format_list_length", 1),
    ]


class CertificateTypes(Layer):
    """RFC 7250 §3, ClientHello; cert_type has the same form (RFC 6091 §3.1)."""

    name = "CertificateTypes"
    fields_desc = [
        Length("certificate_types_length", "certificate_types", 1),
        Numbers("certificate_types", "certificate_types_length", 1, code_names(CERTIFICATE_TYPES)),
    ]


class SelectedCertificateType(Layer):
    """RFC 7250 §3, ServerHello; cert_type has the same form (RFC 6091 §3.1)."""

    name = "SelectedCertificateType"
    fields_desc = [Number("certificate_type", 0, 1, code_names(CERTIFICATE_TYPES))]


class NamedGroupList(Layer):
    """RFC 8446 §4.2.7."""

    name = "NamedGroupList"
    fields_desc = [
        Length("named_group_list_length", "named_group_list", 2),
        Numbers("named_group_list", "named_group_list_length", 2, code_names(NAMED_GROUPS)),
    ]


class ECPointFormatList(Layer):
    """RFC 8422 §5.1.2."""

    name = "ECPointFormatList"
    fields_desc = [
        Length("ec_point_format_list_length", "ec_point_format_list", 1),
        Numbers("ec_point_format_list", "ec_point_format_list_length", 1, code_names(EC_POINT_FORMATS)),
    ]


class SRPExtension(Layer):
    """RFC 5054 §2.8.1: the user's name."""

    name = "SRPExtension"
    fields_desc = [Length("srp_I_length", "srp_I", 1), Opaque("srp_I", b"", "srp_I_length")]


class SignatureSchemeList(Layer):
    """RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1."""

    name = "SignatureSchemeList"
    fields_desc = [
        Length("supported_signature_algorithms_length", "supported_signature_algorithms", 2),
        Numbers(
            "supported_signature_algorithms",
            "supported_signature_algorithms_length",
            2,
            code_names(SIGNATURE_SCHEMES),
        ),
    ]


class UseSRTPData(Layer):
    """RFC 5764 §4.1.1."""

    name = "UseSRTPData"
    fields_desc = [
        Length("SRTPProtectionProfiles_length", "SRTPProtectionProfiles", 2),
        Numbers("SRTPProtectionProfiles", "SRTPProtectionProfiles_length", 2, code_names(SRTP_PROTECTION_PROFILES)),
        Length("srtp_mki_length", "srtp_mki", 1),
        Opaque("srtp_mki", b"", "srtp_mki_length"),
    ]


class HeartbeatExtension(Layer):
    """RFC 6520 §2."""

    name = "HeartbeatExtension"
    fields_desc = [Number("mode", 1, 1, code_names(HEARTBEAT_MODES))]


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


class SignedCertificateTimestampRequest(Layer):
    """RFC 6962 §3.3.1, ClientHello: without data."""

    name = "SignedCertificateTimestampRequest"
    fields_desc: list[Field] = []


class Padding(Layer):
    """RFC 7685 §3."""

    name = "Padding"
    fields_desc = [Opaque("padding", b"")]

    def troubles(self) -> Iterator[str]:
        """Padding must be zero."""
        if self.padding.strip(b"\x00"):
            yield "padding has octets other than zero"


class EncryptThenMAC(Layer):
    """RFC 7366 §2: without data."""

    name = "EncryptThenMAC"
    fields_desc: list[Field] = []


class ExtendedMasterSecret(Layer):
    """RFC 7627 §5.1: without data."""

    name = "ExtendedMasterSecret"
    fields_desc: list[Field] = []


class TokenBindingParameters(Layer):
    """RFC 8472 §2."""

    name = "TokenBindingParameters"
    fields_desc = [
        Number("major", 1, 1),
        Number("minor", 0, 1),
        Length("key_parameters_list_length", "key_parameters_list", 1),
        Numbers("key_parameters_list", "key_parameters_list_length", 1),
    ]


class CachedObject(Layer):
    """RFC 7924 §3, ClientHello."""

    name = "CachedObject"
    fields_desc = [
        Number("type", 1, 1, code_names(CACHED_INFORMATION_TYPES)),
        Length("hash_value_length", "hash_value", 1),
        Opaque("hash_value", b"", "hash_value_length"),
    ]


class CachedInformation(Layer):
    """RFC 7924 §3, ClientHello."""

    name = "CachedInformation"
    fields_desc = [
        Length("cached_info_length", "cached_info", 2),
        Packets("cached_info", "cached_info_length", items(CachedObject, 2, 1, 1)),
    ]


class SelectedCachedInformation(Layer):
    """RFC 7924 §3, ServerHello."""

    name = "SelectedCachedInformation"
    fields_desc = [
        Length("cached_info_length", "cached_info", 2),
        Numbers("cached_info", "cached_info_length", 1, code_names(CACHED_INFORMATION_TYPES)),
    ]


class CertificateCompressionAlgorithms(Layer):
    """RFC 8879 §3."""

    name = "CertificateCompressionAlgorithms"
    fields_desc = [
        Length("algorithms_length", "algorithms", 1),
        Numbers("algorithms", "algorithms_length", 2, code_names(CERTIFICATE_COMPRESSION_ALGORITHMS)),
    ]


class RecordSizeLimit(Layer):
    """RFC 8449 §4."""

    name = "RecordSizeLimit"
    fields_desc = [Number("record_size_limit", 16384, 2)]


class SessionTicket(Layer):
    """RFC 5077 §3.2: the ticket has no length of its own."""

    name = "SessionTicket"
    fields_desc = [Opaque("ticket", b"")]


class RenegotiationInfo(Layer):
    """RFC 5746 §3.2."""

    name = "RenegotiationInfo"
    fields_desc = [
        Length("renegotiated_connection_length", "renegotiated_connection", 1),
        Opaque("renegotiated_connection", b"", "renegotiated_connection_length"),
    ]


class ConnectionId(Layer):
    """RFC 9146 §3."""

    name = "ConnectionId"
    fields_desc = [Length("cid_length", "cid", 1), Opaque("cid", b"", "cid_length")]


class ExternalIdentityHash(Layer):
    """RFC 8844 §3.2: binds the handshake to an identity assertion of the session description."""

    name = "ExternalIdentityHash"
    fields_desc = [Length("binding_hash_length", "binding_hash", 1), Opaque("binding_hash", b"", "binding_hash_length")]


class ExternalSessionId(Layer):
    """RFC 8844 §4.3: the tls-id attribute of the sender's session description."""

    name = "ExternalSessionId"
    fields_desc = [Length("session_id_length", "session_id", 1), Opaque("session_id", b"", "session_id_length")]


class SupportedEKTCiphers(Layer):
    """RFC 8870 §5.2.1, ClientHello."""

    name = "SupportedEKTCiphers"
    fields_desc = [
        Length("supported_ciphers_length", "supported_ciphers", 1),
        Numbers("supported_ciphers", "supported_ciphers_length", 1, code_names(EKT_CIPHERS)),
    ]


class SelectedEKTCipher(Layer):
    """RFC 8870 §5.2.1, ServerHello and EncryptedExtensions."""

    name = "SelectedEKTCipher"
    fields_desc = [Number("selected_cipher", 0, 1, code_names(EKT_CIPHERS))]
