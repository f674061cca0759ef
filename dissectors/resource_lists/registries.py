"""What the resource-lists layers cover of the elements and values of RFC 4826 and RFC 5364."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.resource_lists.codes import COPY_CONTROLS
from dissectors.resource_lists.layers import ELEMENTS

_TESTS = "tests/dissectors/resource_lists/test_layers.py::"

REGISTRIES: tuple[Registry, ...] = (
    Registry("copyControl", "RFC 5364 §4", COPY_CONTROLS, _TESTS + "test_every_copy_control_is_read"),
    Registry(
        "resource-lists elements",
        "RFC 4826 §3.1",
        {name: name.decode() for name in ELEMENTS},
        _TESTS + "test_every_element_has_its_layer",
        ELEMENTS,
    ),
)
