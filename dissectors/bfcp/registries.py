"""The registries of BFCP, and what becomes of each entry."""

from __future__ import annotations

from dissectors.bfcp.attributes.layers import ATTRIBUTE_LAYERS
from dissectors.bfcp.codes import ATTRIBUTES, ERROR_CODES, PRIMITIVES, PRIORITIES, REQUEST_STATUSES, VERSIONS
from dissectors.bfcp.layers import MESSAGE_LAYERS
from dissectors.registry import Registry

_TESTS = "tests/dissectors/bfcp/test_registries.py::"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "BFCP Primitives",
        "RFC 8855 §5.1, IANA BFCP Primitives",
        PRIMITIVES,
        _TESTS + "test_every_primitive_is_read_as_the_message_of_its_name",
        MESSAGE_LAYERS,
    ),
    Registry(
        "BFCP Attributes",
        "RFC 8855 §5.2, IANA BFCP Attributes",
        ATTRIBUTES,
        _TESTS + "test_every_attribute_is_read_as_the_layer_of_its_name",
        ATTRIBUTE_LAYERS,
    ),
    Registry(
        "BFCP Request Status",
        "RFC 8855 §5.2.5, IANA BFCP Request Status",
        REQUEST_STATUSES,
        _TESTS + "test_every_request_status_is_shown_by_name",
    ),
    Registry(
        "BFCP Error Codes",
        "RFC 8855 §5.2.6, IANA BFCP Error Codes",
        ERROR_CODES,
        _TESTS + "test_every_error_code_is_shown_by_name",
    ),
    Registry(
        "BFCP priorities",
        "RFC 8855 §5.2.4",
        PRIORITIES,
        _TESTS + "test_every_priority_is_shown_by_name",
    ),
    Registry(
        "BFCP versions",
        "RFC 8855 §5.1",
        VERSIONS,
        _TESTS + "test_every_version_is_shown_by_name",
    ),
)
