"""The code points and keywords of MSRP that the layers cover."""

from __future__ import annotations

from dissectors.msrp.codes import (
    CONTINUATION_FLAGS,
    FAILURE_REPORTS,
    HEADERS,
    METHODS,
    NAMESPACES,
    SCHEMES,
    STATUS_CODES,
    SUCCESS_REPORTS,
)
from dissectors.msrp.headers import HEADER_LAYERS
from dissectors.registry import Registry

_TESTS = "tests/dissectors/msrp/test_layers.py"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "MSRP header fields",
        "RFC 4975 §9, RFC 4976 §7, RFC 7701 §7.1",
        HEADERS,
        f"{_TESTS}::test_every_header_field_is_read_by_its_layer",
        layers=HEADER_LAYERS,
    ),
    Registry("MSRP methods", "RFC 4975 §9, RFC 4976 §7, RFC 7701 §7.1", METHODS, f"{_TESTS}::test_methods_are_named"),
    Registry(
        "MSRP status codes",
        "RFC 4975 §10, RFC 4976 §10.3, RFC 7701 §10.3",
        STATUS_CODES,
        f"{_TESTS}::test_status_codes_are_named",
    ),
    Registry("Namespaces of Status", "RFC 4975 §7.1.2", NAMESPACES, f"{_TESTS}::test_status_codes_are_named"),
    Registry("Continuation flags", "RFC 4975 §7.1", CONTINUATION_FLAGS, f"{_TESTS}::test_continuation_flags_are_named"),
    Registry("Success-Report", "RFC 4975 §7.1.1", SUCCESS_REPORTS, f"{_TESTS}::test_values_of_reports_are_named"),
    Registry("Failure-Report", "RFC 4975 §7.1.1", FAILURE_REPORTS, f"{_TESTS}::test_values_of_reports_are_named"),
    Registry("URI schemes", "RFC 4975 §6", SCHEMES, f"{_TESTS}::test_schemes_are_named"),
)
"""Registries of MSRP."""
