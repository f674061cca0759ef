"""What is covered of the registries of session descriptions."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.sdp.capabilities.parse import CAPABILITY_TYPES, DELETIONS
from dissectors.sdp.keying.codes import (
    CONNECTION_VALUES,
    CRYPTO_SESSION_PARAMETERS,
    E2AE_INDICATIONS,
    FEC_ORDERS,
    HASH_FUNCTIONS,
    KEY_LINE_METHODS,
    KEY_MANAGEMENT_PROTOCOLS,
    KEY_METHODS,
    SETUP_ROLES,
)
from dissectors.sdp.keying.layers import CANDIDATE_TYPES
from dissectors.sdp.layer import BY_ATTRIBUTE, BY_LETTER
from dissectors.sdp.media.codes import (
    CHATROOM_FEATURES,
    FLOOR_CONTROL_ROLES,
    GROUP_SEMANTICS,
    MSRP_SCHEMES,
    MSRP_TRANSPORTS,
)
from dissectors.sdp.streams.codes import HEADER_EXTENSIONS, SOURCE_ATTRIBUTES, SSRC_GROUP_SEMANTICS
from dissectors.sdp.suites import DTLS_SRTP_PROFILES, SDES_SUITES
from dissectors.sdp.transports import TRANSPORTS

_TEST = "tests/dissectors/sdp/test_registries.py::"

LINES = {
    b"a=": "attribute",
    b"b=": "bandwidth",
    b"c=": "connection",
    b"e=": "electronic mail",
    b"i=": "information",
    b"k=": "key, obsolete",
    b"m=": "media",
    b"o=": "origin",
    b"p=": "telephone",
    b"r=": "repeat times",
    b"s=": "session name",
    b"t=": "times",
    b"u=": "URI",
    b"v=": "version",
    b"z=": "time zones",
}


def _first_line(layer: type) -> str:
    return (layer.__doc__ or "").strip().partition("\n")[0]


REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "SDP lines",
        "RFC 8866 §5",
        LINES,
        _TEST + "test_every_line_has_its_layer",
        BY_LETTER,
        {line: "shown as type and value, which is all that security needs" for line in LINES if line not in BY_LETTER},
    ),
    Registry(
        "SDP attributes that secure media, or tell what they secure",
        "IANA sdp-parameters, att-field; TS 24.229 §7.5.2 for 3ge2ae",
        {name: _first_line(layer) for name, layer in BY_ATTRIBUTE.items()},
        _TEST + "test_every_attribute_is_taken_apart",
        BY_ATTRIBUTE,
    ),
    Registry(
        "SDP transports",
        "IANA sdp-parameters, proto",
        {name: f"{row.security} protection" if row.secure else "no protection" for name, row in TRANSPORTS.items()},
        _TEST + "test_every_transport_says_what_it_protects",
    ),
    Registry(
        "Crypto suites of a=crypto",
        "IANA sdp-security-descriptions; those that are not registered are met in the field",
        {name: suite.cipher for name, suite in SDES_SUITES.items()},
        _TEST + "test_every_crypto_suite_cuts_key_and_salt",
    ),
    Registry(
        "Session parameters of a=crypto",
        "RFC 4568 §6.3",
        CRYPTO_SESSION_PARAMETERS,
        _TEST + "test_every_session_parameter_is_named",
    ),
    Registry("Values of FEC_ORDER", "RFC 4568 §6.3.4", FEC_ORDERS, _TEST + "test_values_are_named"),
    Registry("Key methods of a=crypto", "RFC 4568 §6.1", KEY_METHODS, _TEST + "test_values_are_named"),
    Registry("Key management protocols", "RFC 4567 §9.3", KEY_MANAGEMENT_PROTOCOLS, _TEST + "test_values_are_named"),
    Registry(
        "Hash functions of a=fingerprint",
        "RFC 8122 §5, RFC 8692",
        HASH_FUNCTIONS,
        _TEST + "test_every_hash_function_has_its_length",
    ),
    Registry("Values of a=setup", "RFC 4145 §4", SETUP_ROLES, _TEST + "test_values_are_named"),
    Registry("Values of a=connection", "RFC 4145 §5", CONNECTION_VALUES, _TEST + "test_values_are_named"),
    Registry("Values of a=3ge2ae", "TS 24.229 §7.5.2", E2AE_INDICATIONS, _TEST + "test_values_are_named"),
    Registry("Methods of k=", "RFC 4566 §5.12", KEY_LINE_METHODS, _TEST + "test_values_are_named"),
    Registry("Types of ICE candidates", "RFC 8839 §5.1", CANDIDATE_TYPES, _TEST + "test_values_are_named"),
    Registry("Semantics of a=group", "IANA sdp-parameters, group", GROUP_SEMANTICS, _TEST + "test_values_are_named"),
    Registry(
        "Semantics of a=ssrc-group",
        "IANA sdp-parameters, ssrc-group",
        SSRC_GROUP_SEMANTICS,
        _TEST + "test_values_are_named",
    ),
    Registry("Attributes of a=ssrc", "RFC 5576 §6", SOURCE_ATTRIBUTES, _TEST + "test_values_are_named"),
    Registry(
        "RTP header extensions of a=extmap",
        "IANA rtp-parameters, RTP SDP Compact Header Extensions; those that are met in the field",
        HEADER_EXTENSIONS,
        _TEST + "test_values_are_named",
    ),
    Registry("Values of a=floorctrl", "RFC 8856 §5.1", FLOOR_CONTROL_ROLES, _TEST + "test_values_are_named"),
    Registry("Tokens of a=chatroom", "RFC 7701 §8", CHATROOM_FEATURES, _TEST + "test_values_are_named"),
    Registry("Schemes of MSRP URIs", "RFC 4975 §6", MSRP_SCHEMES, _TEST + "test_values_are_named"),
    Registry("Transports of MSRP URIs", "RFC 4975 §9, RFC 7977 §5.1", MSRP_TRANSPORTS, _TEST + "test_values_are_named"),
    Registry("Lists of configurations", "RFC 5939 §3.5.1", CAPABILITY_TYPES, _TEST + "test_values_are_named"),
    Registry("Deletions of configurations", "RFC 5939 §3.5.1", DELETIONS, _TEST + "test_values_are_named"),
    Registry(
        "Protection profiles of DTLS-SRTP",
        "IANA srtp-protection",
        {code: profile.name for code, profile in DTLS_SRTP_PROFILES.items()},
        "tests/dissectors/sdp/test_tables.py::test_profiles_of_dtls_srtp",
    ),
)
"""One for each registry."""
