"""What the conference-info layers cover of the elements and values of RFC 4575."""

from __future__ import annotations

from dissectors.confinfo.codes import (
    DISCONNECTION_METHODS,
    ENDPOINT_STATUSES,
    JOINING_METHODS,
    MEDIA_STATUSES,
    STATES,
)
from dissectors.confinfo.layers import ELEMENTS
from dissectors.registry import Registry

_TESTS = "tests/dissectors/confinfo/test_registries.py::"
_VALUES = _TESTS + "test_every_value_is_read_without_a_note"

REGISTRIES: tuple[Registry, ...] = (
    Registry("conference-info states", "RFC 4575 §4.4", STATES, _VALUES),
    Registry("conference-info endpoint status", "RFC 4575 §5.7.3", ENDPOINT_STATUSES, _VALUES),
    Registry("conference-info joining-method", "RFC 4575 §5.7.4", JOINING_METHODS, _VALUES),
    Registry("conference-info disconnection-method", "RFC 4575 §5.7.6", DISCONNECTION_METHODS, _VALUES),
    Registry("conference-info media status", "RFC 4575 §5.8.5", MEDIA_STATUSES, _VALUES),
    Registry(
        "conference-info elements",
        "RFC 4575 §5",
        {name: name.decode() for name in ELEMENTS},
        _TESTS + "test_every_element_has_its_layer",
        ELEMENTS,
    ),
)
