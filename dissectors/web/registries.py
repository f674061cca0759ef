"""What the layers of HTTP and RTSP cover: of HTTP and RTSP only what carries key management is taken apart."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.web.codes import (
    HTTP_METHODS,
    HTTP_STATUS,
    KEYMGMT_PARAMETERS,
    RTSP_METHODS,
    RTSP_STATUS,
    TRANSPORT_PARAMETERS,
)

_TESTS = "tests/dissectors/web/test_layers.py::"

REGISTRIES: tuple[Registry, ...] = (
    Registry("HTTP methods", "RFC 9110 §9.3", HTTP_METHODS, f"{_TESTS}test_every_method_is_named"),
    Registry("RTSP methods", "RFC 7826 §13", RTSP_METHODS, f"{_TESTS}test_every_method_is_named"),
    Registry("HTTP status codes", "RFC 9110 §15", HTTP_STATUS, f"{_TESTS}test_every_status_is_named"),
    Registry("RTSP status codes", "RFC 7826 §17", RTSP_STATUS, f"{_TESTS}test_every_status_is_named"),
    Registry("KeyMgmt parameters", "RFC 4567 §3.2", KEYMGMT_PARAMETERS, f"{_TESTS}test_every_parameter_is_named"),
    Registry("Transport parameters", "RFC 7826 §18.54", TRANSPORT_PARAMETERS, f"{_TESTS}test_every_parameter_is_named"),
)
"""Every registry of HTTP and RTSP, for the coverage document."""
