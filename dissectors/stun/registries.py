"""What the layers of STUN cover."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.stun.codes import ATTRIBUTES, CLASSES, ERRORS, FAMILIES, METHODS, TRANSPORTS
from dissectors.stun.layers import VALUE_LAYERS

_TESTS = "tests/dissectors/stun/test_stun_layers.py::"
_RAW = "opaque octets to all but their maker"

REGISTRIES = (
    Registry("STUN classes", "RFC 8489 §5", CLASSES, _TESTS + "test_every_type_is_named"),
    Registry("STUN methods", "IANA STUN Methods", METHODS, _TESTS + "test_every_type_is_named"),
    Registry(
        "STUN attributes",
        "IANA STUN Attributes",
        ATTRIBUTES,
        _TESTS + "test_every_attribute_is_named_and_keeps_its_octets",
        VALUE_LAYERS,
        {code: _RAW for code in ATTRIBUTES if code not in VALUE_LAYERS},
    ),
    Registry("STUN error codes", "IANA STUN Error Codes", ERRORS, _TESTS + "test_every_error_is_named"),
    Registry("STUN address families", "RFC 8489 §14.1", FAMILIES, _TESTS + "test_families_and_transports_are_named"),
    Registry("TURN transports", "RFC 8656 §18.7", TRANSPORTS, _TESTS + "test_families_and_transports_are_named"),
)
