"""The names of CPIM that the layers cover."""

from __future__ import annotations

from dissectors.cpim.codes import DISPOSITION_NOTIFICATIONS, HEADER_NAMES, IMDN_HEADER_NAMES
from dissectors.cpim.layers import CPIM_HEADERS, IMDN_HEADERS
from dissectors.registry import Registry

_TESTS = "tests/dissectors/cpim/test_layers.py"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "CPIM message headers",
        "RFC 3862 §4",
        HEADER_NAMES,
        f"{_TESTS}::test_every_header_of_rfc_3862_has_a_layer",
        layers=CPIM_HEADERS,
    ),
    Registry(
        "Headers of urn:ietf:params:imdn",
        "RFC 5438 §6",
        IMDN_HEADER_NAMES,
        f"{_TESTS}::test_every_header_of_the_imdn_namespace_has_a_layer",
        layers=IMDN_HEADERS,
    ),
    Registry(
        "Disposition notifications",
        "RFC 5438 §6",
        DISPOSITION_NOTIFICATIONS,
        f"{_TESTS}::test_every_disposition_is_named",
    ),
)
"""Registries of CPIM."""
