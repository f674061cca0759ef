"""Code points of TLS and DTLS messages, each table with its source, and printable names for the unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import is_grease

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT_TYPES: dict[int, str] = {
    20: "change_cipher_spec",
    21: "alert",
    22: "handshake",
    23: "application_data",
    24: "heartbeat",
    25: "tls12_cid",
    26: "ack",
    27: "return_routability_check",
}
"""TLS ContentType registry (RFC 8446 §5.1, RFC 6520 §3, RFC 9146 §4, RFC 9147 §7)."""

HANDSHAKE_TYPES: dict[int, str] = {
    0: "hello_request",
    1: "client_hello",
    2: "server_hello",
    3: "hello_verify_request",
    4: "new_session_ticket",
    5: "end_of_early_data",
    6: "hello_retry_request",
    8: "encrypted_extensions",
    9: "request_connection_id",
    10: "new_connection_id",
    11: "certificate",
    12: "server_key_exchange",
    13: "certificate_request",
    14: "server_hello_done",
    15: "certificate_verify",
    16: "client_key_exchange",
    17: "client_certificate_request",
    20: "finished",
    21: "certificate_url",
    22: "certificate_status",
    23: "supplemental_data",
    24: "key_update",
    25: "compressed_certificate",
    26: "ekt_key",
    67: "next_protocol",
    254: "message_hash",
}
"""TLS HandshakeType registry (RFC 5246 §7.4, RFC 8446 §4, RFC 6347 §4.3.2); 6 only in drafts of TLS 1.3."""

ALERT_LEVELS: dict[int, str] = {
    1: "warning",
    2: "fatal",
}
"""RFC 5246 §7.2."""

ALERT_DESCRIPTIONS: dict[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}
"""TLS Alerts registry (RFC 8446 §6)."""

EXTENSION_TYPES: dict[int, str] = {
    0: "server_name",
    1: "max_fragment_length",
    2: "client_certificate_url",
    3: "trusted_ca_keys",
    4: "truncated_hmac",
    5: "status_request",
    6: "user_mapping",
    7: "client_authz",
    8: "server_authz",
    9: "cert_type",
    10: "supported_groups",
    11: "ec_point_formats",
    12: "srp",
    13: "signature_algorithms",
    14: "use_srtp",
    15: "heartbeat",
    16: "application_layer_protocol_negotiation",
    17: "status_request_v2",
    18: "signed_certificate_timestamp",
    19: "client_certificate_type",
    20: "server_certificate_type",
    21: "padding",
    22: "encrypt_then_mac",
    23: "extended_master_secret",
    24: "token_binding",
    25: "cached_info",
    26: "tls_lts",
    27: "compress_certificate",
    28: "record_size_limit",
    29: "pwd_protect",
    30: "pwd_clear",
    31: "password_salt",
    32: "ticket_pinning",
    33: "tls_cert_with_extern_psk",
    34: "delegated_credentials",
    35: "session_ticket",
    36: "TLMSP",
    37: "TLMSP_proxying",
    38: "TLMSP_delegate",
    39: "supported_ekt_ciphers",
    40: "key_share_draft",  # of TLS 1.3 up to draft 22
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    46: "ticket_early_data_info_draft",  # of TLS 1.3 up to draft 18
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    52: "transparency_info",
    53: "connection_id_deprecated",
    54: "connection_id",
    55: "external_id_hash",
    56: "external_session_id",
    57: "quic_transport_parameters",
    58: "ticket_request",
    59: "dnssec_chain",
    60: "sequence_number_encryption_algorithms",
    61: "rrc",
    62: "tls_flags",
    13172: "next_protocol_negotiation",
    17513: "application_settings",
    17613: "application_settings_new",
    30031: "channel_id_old",
    30032: "channel_id",
    64768: "ech_outer_extensions",
    65037: "encrypted_client_hello",
    65281: "renegotiation_info",
    65445: "quic_transport_parameters_draft",
    65486: "encrypted_server_name",
}
"""TLS ExtensionType Values registry, and unregistered ones met in captures."""

NAMED_GROUPS: dict[int, str] = {
    1: "sect163k1",
    2: "sect163r1",
    3: "sect163r2",
    4: "sect193r1",
    5: "sect193r2",
    6: "sect233k1",
    7: "sect233r1",
    8: "sect239k1",
    9: "sect283k1",
    10: "sect283r1",
    11: "sect409k1",
    12: "sect409r1",
    13: "sect571k1",
    14: "sect571r1",
    15: "secp160k1",
    16: "secp160r1",
    17: "secp160r2",
    18: "secp192k1",
    19: "secp192r1",
    20: "secp224k1",
    21: "secp224r1",
    22: "secp256k1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    26: "brainpoolP256r1",
    27: "brainpoolP384r1",
    28: "brainpoolP512r1",
    29: "x25519",
    30: "x448",
    31: "brainpoolP256r1tls13",
    32: "brainpoolP384r1tls13",
    33: "brainpoolP512r1tls13",
    34: "GC256A",
    35: "GC256B",
    36: "GC256C",
    37: "GC256D",
    38: "GC512A",
    39: "GC512B",
    40: "GC512C",
    41: "curveSM2",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
    512: "MLKEM512",
    513: "MLKEM768",
    514: "MLKEM1024",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
    25497: "X25519Kyber768Draft00",
    25498: "SecP256r1Kyber768Draft00",
    65281: "arbitrary_explicit_prime_curves",
    65282: "arbitrary_explicit_char2_curves",
}
"""TLS Supported Groups registry (RFC 8422 §5.1.1, RFC 7919 §2, RFC 8734 §2, RFC 8446 §4.2.7)."""

SIGNATURE_SCHEMES: dict[int, str] = {
    0x0101: "rsa_md5",  # pairs of hash and signature that have no other name (RFC 5246 §7.4.1.4.1)
    0x0202: "dsa_sha1",
    0x0301: "rsa_sha224",
    0x0302: "dsa_sha224",
    0x0303: "ecdsa_sha224",
    0x0402: "dsa_sha256",
    0x0502: "dsa_sha384",
    0x0602: "dsa_sha512",
    0x0201: "rsa_pkcs1_sha1",
    0x0203: "ecdsa_sha1",
    0x0401: "rsa_pkcs1_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0708: "sm2sig_sm3",
    0x0709: "gostr34102012_256a",
    0x070A: "gostr34102012_256b",
    0x070B: "gostr34102012_256c",
    0x070C: "gostr34102012_256d",
    0x070D: "gostr34102012_512a",
    0x070E: "gostr34102012_512b",
    0x070F: "gostr34102012_512c",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0840: "gostr34102012_256",
    0x0841: "gostr34102012_512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}
"""TLS SignatureScheme registry (RFC 8446 §4.2.3, RFC 8734 §3, RFC 9367 §4.2.1)."""

CLIENT_CERTIFICATE_TYPES: dict[int, str] = {
    1: "rsa_sign",
    2: "dss_sign",
    3: "rsa_fixed_dh",
    4: "dss_fixed_dh",
    5: "rsa_ephemeral_dh",
    6: "dss_ephemeral_dh",
    20: "fortezza_dms",
    64: "ecdsa_sign",
    65: "rsa_fixed_ecdh",
    66: "ecdsa_fixed_ecdh",
    67: "gost_sign256",
    68: "gost_sign512",
}
"""TLS ClientCertificateType Identifiers registry (RFC 5246 §7.4.4, RFC 8422 §5.5, RFC 9189 §4.5)."""

SRTP_PROTECTION_PROFILES: dict[int, str] = {
    0x0001: "SRTP_AES128_CM_HMAC_SHA1_80",
    0x0002: "SRTP_AES128_CM_HMAC_SHA1_32",
    0x0005: "SRTP_NULL_HMAC_SHA1_80",
    0x0006: "SRTP_NULL_HMAC_SHA1_32",
    0x0007: "SRTP_AEAD_AES_128_GCM",
    0x0008: "SRTP_AEAD_AES_256_GCM",
    0x0009: "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM",
    0x000A: "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM",
    0x000B: "SRTP_ARIA_128_CTR_HMAC_SHA1_80",
    0x000C: "SRTP_ARIA_128_CTR_HMAC_SHA1_32",
    0x000D: "SRTP_ARIA_256_CTR_HMAC_SHA1_80",
    0x000E: "SRTP_ARIA_256_CTR_HMAC_SHA1_32",
    0x000F: "SRTP_AEAD_ARIA_128_GCM",
    0x0010: "SRTP_AEAD_ARIA_256_GCM",
}
"""DTLS-SRTP Protection Profiles registry (RFC 5764 §4.1.2, RFC 7714 §14.2, RFC 8723 §10.1, RFC 8269 §6.1)."""

PSK_KEY_EXCHANGE_MODES: dict[int, str] = {
    0: "psk_ke",
    1: "psk_dhe_ke",
}
"""RFC 8446 §4.2.9."""

COMPRESSION_METHODS: dict[int, str] = {
    0: "null",
    1: "DEFLATE",
    64: "LZS",
}
"""RFC 3749 §2, RFC 3943 §2."""

CERTIFICATE_STATUS_TYPES: dict[int, str] = {
    1: "ocsp",
    2: "ocsp_multi",
}
"""RFC 6066 §8, RFC 6961 §2.2."""

CERTIFICATE_COMPRESSION_ALGORITHMS: dict[int, str] = {
    1: "zlib",
    2: "brotli",
    3: "zstd",
}
"""RFC 8879 §7.3."""

CERTIFICATE_TYPES: dict[int, str] = {
    0: "X509",
    1: "OpenPGP",
    2: "RawPublicKey",
    3: "1609Dot2",
}
"""TLS Certificate Types registry (RFC 6091 §3.1, RFC 7250 §3, RFC 8902 §3)."""

MAX_FRAGMENT_LENGTHS: dict[int, str] = {
    1: "2^9",
    2: "2^10",
    3: "2^11",
    4: "2^12",
}
"""RFC 6066 §4."""

TRUSTED_AUTHORITY_TYPES: dict[int, str] = {
    0: "pre_agreed",
    1: "key_sha1_hash",
    2: "x509_name",
    3: "cert_sha1_hash",
}
"""RFC 6066 §6."""

CACHED_INFORMATION_TYPES: dict[int, str] = {
    1: "cert",
    2: "cert_req",
}
"""RFC 7924 §3."""

EC_POINT_FORMATS: dict[int, str] = {
    0: "uncompressed",
    1: "ansiX962_compressed_prime",
    2: "ansiX962_compressed_char2",
}
"""RFC 8422 §5.1.2."""

EC_CURVE_TYPES: dict[int, str] = {
    1: "explicit_prime",
    2: "explicit_char2",
    3: "named_curve",
}
"""RFC 8422 §5.4."""

EKT_CIPHERS: dict[int, str] = {
    0: "AESKW128",
    1: "AESKW256",
}
"""EKT Ciphers registry (RFC 8870 §7.2); the enumeration of its §5.2.1 counts from 1 instead."""

HEARTBEAT_MODES: dict[int, str] = {
    1: "peer_allowed_to_send",
    2: "peer_not_allowed_to_send",
}
"""RFC 6520 §2."""

HEARTBEAT_MESSAGE_TYPES: dict[int, str] = {
    1: "heartbeat_request",
    2: "heartbeat_response",
}
"""RFC 6520 §3."""

KEY_UPDATE_REQUESTS: dict[int, str] = {
    0: "update_not_requested",
    1: "update_requested",
}
"""RFC 8446 §4.6.3."""

CONNECTION_ID_USAGES: dict[int, str] = {
    0: "cid_immediate",
    1: "cid_spare",
}
"""RFC 9147 §9."""

SERVER_NAME_TYPES: dict[int, str] = {
    0: "host_name",
}
"""RFC 6066 §3."""

SSL2_CERTIFICATE_TYPES: dict[int, str] = {
    1: "x509",
}
"""SSL 2.0 protocol C.3."""

SSL2_ERRORS: dict[int, str] = {
    1: "NO-CIPHER-ERROR",
    2: "NO-CERTIFICATE-ERROR",
    4: "BAD-CERTIFICATE-ERROR",
    6: "UNSUPPORTED-CERTIFICATE-TYPE-ERROR",
}
"""SSL 2.0 protocol C.9."""

SSL2_MESSAGE_TYPES: dict[int, str] = {
    0: "error",
    1: "client_hello",
    2: "client_master_key",
    3: "client_finished",
    4: "server_hello",
    5: "server_verify",
    6: "server_finished",
    7: "request_certificate",
    8: "client_certificate",
}
"""SSL 2.0 protocol, C.1."""


def name_of(table: dict[int, str], code: int) -> str:
    """Name of a code point in one of the tables; unknown ones as "unknown (n)", GREASE values as such (RFC 8701)."""
    name = table.get(code)
    if name is not None:
        return name
    return f"GREASE (0x{code:04x})" if code > 0xFF and is_grease(code) else f"unknown ({code})"


def code_names(table: dict[int, str]) -> Callable[[int], str]:
    """Names the code points of a table, as `name_of` does."""
    return lambda code: name_of(table, code)
