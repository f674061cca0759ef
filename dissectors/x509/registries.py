"""What the layers of X.509 certificates cover of the object identifiers and tags of its specifications."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.x509.extensions.layers import EXTENSION_VALUES, KEY_USAGES
from dissectors.x509.layers import VERSIONS
from dissectors.x509.names.layers import GENERAL_NAMES
from dissectors.x509.oids import (
    ATTRIBUTE_TYPES,
    EXTENSIONS,
    KEY_PURPOSES,
    NAMED_CURVES,
    OTHERS,
    PUBLIC_KEY_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)

_TESTS = "tests/dissectors/x509/test_registries.py::"
_NAMED = _TESTS + "test_every_object_identifier_is_shown_by_name"

REGISTRIES: tuple[Registry, ...] = (
    Registry("X.509 attribute types", "RFC 5280 §A.1, RFC 4519 §2", ATTRIBUTE_TYPES, _NAMED),
    Registry(
        "X.509 public key algorithms",
        "RFC 3279 §2.3, RFC 4055 §1.2, RFC 5480 §2.1.1, RFC 8410 §3",
        PUBLIC_KEY_ALGORITHMS,
        _NAMED,
    ),
    Registry("X.509 named curves", "RFC 5480 §2.1.1.1, RFC 5639 §4.1", NAMED_CURVES, _NAMED),
    Registry(
        "X.509 signature algorithms",
        "RFC 3279 §2.2, RFC 4055 §5, RFC 5758 §3, RFC 8410 §3",
        SIGNATURE_ALGORITHMS,
        _NAMED,
    ),
    Registry(
        "X.509 extensions",
        "RFC 5280 §4.2, RFC 7633 §4, RFC 6962 §3.3",
        EXTENSIONS,
        _TESTS + "test_every_extension_is_read",
        EXTENSION_VALUES,
        {oid: "its value is read by its tags" for oid in EXTENSIONS if oid not in EXTENSION_VALUES},
    ),
    Registry("X.509 key purposes", "RFC 5280 §4.2.1.12, RFC 5924 §4", KEY_PURPOSES, _NAMED),
    Registry("X.509 access methods and policies", "RFC 5280 §4.2.1.4, §4.2.2.1", OTHERS, _NAMED),
    Registry(
        "X.509 GeneralName alternatives",
        "RFC 5280 §4.2.1.6",
        {
            0: "otherName",
            1: "rfc822Name",
            2: "dNSName",
            3: "x400Address",
            4: "directoryName",
            5: "ediPartyName",
            6: "uniformResourceIdentifier",
            7: "iPAddress",
            8: "registeredID",
        },
        _TESTS + "test_every_general_name_is_chosen_by_its_tag",
        GENERAL_NAMES,
        {3: "read by its tags", 5: "read by its tags"},
    ),
    Registry("X.509 versions", "RFC 5280 §4.1.2.1", VERSIONS, _TESTS + "test_every_version_is_shown_by_name"),
    Registry(
        "X.509 key usages",
        "RFC 5280 §4.2.1.3",
        dict(enumerate(KEY_USAGES)),
        _TESTS + "test_every_key_usage_is_shown_by_name",
    ),
)
