"""What the layers of TLS and DTLS cover of the registries of their code points."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.tls.codes import (
    ALERT_DESCRIPTIONS,
    ALERT_LEVELS,
    CACHED_INFORMATION_TYPES,
    CERTIFICATE_COMPRESSION_ALGORITHMS,
    CERTIFICATE_STATUS_TYPES,
    CERTIFICATE_TYPES,
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSION_METHODS,
    CONNECTION_ID_USAGES,
    CONTENT_TYPES,
    EC_CURVE_TYPES,
    EC_POINT_FORMATS,
    EKT_CIPHERS,
    EXTENSION_TYPES,
    HANDSHAKE_TYPES,
    HEARTBEAT_MESSAGE_TYPES,
    HEARTBEAT_MODES,
    KEY_UPDATE_REQUESTS,
    MAX_FRAGMENT_LENGTHS,
    NAMED_GROUPS,
    PSK_KEY_EXCHANGE_MODES,
    SERVER_NAME_TYPES,
    SIGNATURE_SCHEMES,
    SRTP_PROTECTION_PROFILES,
    SSL2_CERTIFICATE_TYPES,
    SSL2_ERRORS,
    SSL2_MESSAGE_TYPES,
    TRUSTED_AUTHORITY_TYPES,
)
from dissectors.tls.extensions.layers import DECODED
from dissectors.tls.key_exchange.layers import CLIENT_KEY_EXCHANGES, SERVER_KEY_EXCHANGES
from dissectors.tls.layers import CONTENTS, DTLSCIDRecord
from dissectors.tls.messages.layers import BODIES
from dissectors.tls.ssl2.layers import SSL2_MESSAGES
from dissectors.tls.suite_names import SSL2_CIPHER_SPECS, SUITE_NAMES
from dissectors.tls.suites import suite
from dissectors.tls.versions import VERSION_NAMES

_TESTS = "tests/dissectors/tls/test_registries.py::"
_NAMED = _TESTS + "test_every_code_point_is_shown_by_name"

_DRAFT = "of drafts of TLS 1.3, superseded"
_ABANDONED = "of an abandoned draft"
_UNSEEN = "not met in the protocols of IMS"

_RAW_EXTENSIONS: dict[int, str] = {
    26: _ABANDONED,
    29: _UNSEEN,
    30: _UNSEEN,
    31: _UNSEEN,
    32: _UNSEEN,
    33: "has no data (RFC 8773 §4)",
    36: "of ETSI's middlebox protocol, " + _UNSEEN,
    37: "of ETSI's middlebox protocol, " + _UNSEEN,
    38: "of ETSI's middlebox protocol, " + _UNSEEN,
    40: _DRAFT,
    46: _DRAFT,
    52: _UNSEEN,
    57: "of QUIC, " + _UNSEEN,
    59: _UNSEEN,
    60: "of a draft",
    61: "has no data",
    62: "of a draft",
    13172: "superseded by application_layer_protocol_negotiation",
    30031: "of a draft",
    30032: "of a draft",
    64768: "stands inside what is encrypted",
    65037: "encrypted",
    65445: "of QUIC, " + _UNSEEN,
    65486: "encrypted, and superseded by encrypted_client_hello",
}

_KEY_EXCHANGES = sorted({one for code in SUITE_NAMES if (one := suite(code).key_exchange)})

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "TLS content types",
        "RFC 8446 §5.1, RFC 6520 §3, RFC 9146 §4, RFC 9147 §7",
        CONTENT_TYPES,
        _TESTS + "test_every_content_type_is_decoded_or_raw",
        CONTENTS | {25: DTLSCIDRecord},
        {23: "the protocol inside is not TLS's to know", 27: "only sent encrypted"},
    ),
    Registry(
        "TLS handshake types",
        "RFC 5246 §7.4, RFC 8446 §4, RFC 6347 §4.3.2",
        HANDSHAKE_TYPES,
        _TESTS + "test_every_handshake_type_is_decoded_or_raw",
        BODIES | {12: SERVER_KEY_EXCHANGES, 16: CLIENT_KEY_EXCHANGES},
        {6: _DRAFT, 67: "of a draft, only sent encrypted"},
    ),
    Registry(
        "TLS key exchanges",
        "RFC 5246 §7.4.3, §7.4.7, RFC 4279, RFC 5489, RFC 8422, RFC 5054",
        {one: one for one in _KEY_EXCHANGES},
        _TESTS + "test_every_key_exchange_is_decoded_or_raw",
        CLIENT_KEY_EXCHANGES,
        dict.fromkeys(_KEY_EXCHANGES, _UNSEEN) | {"TLS13": "by extensions of the hellos", "NULL": "none takes place"},
    ),
    Registry(
        "TLS extensions",
        "RFC 8446 §4.2, RFC 6066, and those of the layers",
        EXTENSION_TYPES,
        _TESTS + "test_every_extension_is_decoded_or_raw",
        DECODED,
        _RAW_EXTENSIONS,
    ),
    Registry("TLS cipher suites", "IANA TLS Cipher Suites", SUITE_NAMES, _TESTS + "test_every_suite_is_shown_by_name"),
    Registry("SSL 2.0 cipher kinds", "SSL 2.0 C.4", SSL2_CIPHER_SPECS, _TESTS + "test_every_suite_is_shown_by_name"),
    Registry("TLS versions", "RFC 8446 §4.2.1, RFC 9147 §5.3", VERSION_NAMES, _NAMED),
    Registry("TLS supported groups", "RFC 8446 §4.2.7, RFC 8422 §5.1.1, RFC 7919 §2", NAMED_GROUPS, _NAMED),
    Registry("TLS signature schemes", "RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1", SIGNATURE_SCHEMES, _NAMED),
    Registry(
        "DTLS-SRTP protection profiles",
        "RFC 5764 §4.1.2, RFC 7714 §14.2, RFC 8723 §10.1, RFC 8269 §6.1",
        SRTP_PROTECTION_PROFILES,
        _NAMED,
    ),
    Registry("TLS alert levels", "RFC 8446 §6", ALERT_LEVELS, _NAMED),
    Registry("TLS alerts", "RFC 8446 §6, RFC 5246 §7.2, RFC 4279 §6", ALERT_DESCRIPTIONS, _NAMED),
    Registry("TLS compression methods", "RFC 3749 §2, RFC 3943 §2", COMPRESSION_METHODS, _NAMED),
    Registry("TLS PSK key exchange modes", "RFC 8446 §4.2.9", PSK_KEY_EXCHANGE_MODES, _NAMED),
    Registry("TLS client certificate types", "RFC 5246 §7.4.4, RFC 8422 §5.5", CLIENT_CERTIFICATE_TYPES, _NAMED),
    Registry("TLS certificate types", "RFC 6091 §3.1, RFC 7250 §3", CERTIFICATE_TYPES, _NAMED),
    Registry("TLS certificate status types", "RFC 6066 §8, RFC 6961 §2.2", CERTIFICATE_STATUS_TYPES, _NAMED),
    Registry("TLS certificate compression", "RFC 8879 §7.3", CERTIFICATE_COMPRESSION_ALGORITHMS, _NAMED),
    Registry("TLS maximum fragment lengths", "RFC 6066 §4", MAX_FRAGMENT_LENGTHS, _NAMED),
    Registry("TLS trusted authority types", "RFC 6066 §6", TRUSTED_AUTHORITY_TYPES, _NAMED),
    Registry("TLS cached information types", "RFC 7924 §3", CACHED_INFORMATION_TYPES, _NAMED),
    Registry("TLS server name types", "RFC 6066 §3", SERVER_NAME_TYPES, _NAMED),
    Registry("TLS EC point formats", "RFC 8422 §5.1.2", EC_POINT_FORMATS, _NAMED),
    Registry("TLS EC curve types", "RFC 8422 §5.4", EC_CURVE_TYPES, _NAMED),
    Registry("TLS heartbeat modes", "RFC 6520 §2", HEARTBEAT_MODES, _NAMED),
    Registry("TLS heartbeat message types", "RFC 6520 §3", HEARTBEAT_MESSAGE_TYPES, _NAMED),
    Registry("TLS key update requests", "RFC 8446 §4.6.3", KEY_UPDATE_REQUESTS, _NAMED),
    Registry("DTLS connection id usages", "RFC 9147 §9", CONNECTION_ID_USAGES, _NAMED),
    Registry("EKT ciphers", "RFC 8870 §7.2", EKT_CIPHERS, _NAMED),
    Registry(
        "SSL 2.0 messages",
        "SSL 2.0 C.2",
        SSL2_MESSAGE_TYPES,
        _TESTS + "test_every_ssl2_message_is_decoded_or_raw",
        SSL2_MESSAGES,
        dict.fromkeys((3, 5, 6, 7, 8), "only sent encrypted"),
    ),
    Registry("SSL 2.0 errors", "SSL 2.0 C.9", SSL2_ERRORS, _NAMED),
    Registry("SSL 2.0 certificate types", "SSL 2.0 C.3", SSL2_CERTIFICATE_TYPES, _NAMED),
)
