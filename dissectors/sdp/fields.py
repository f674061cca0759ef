"""What attribute lines of SDP are declared with beyond `dissectors.text`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dissectors.text import CONTENT, TextField, TextLayer

if TYPE_CHECKING:
    from collections.abc import Iterator


def prefix(name: bytes) -> TextField:
    """`a=<name>:`; inside a capability the `a=` is not written (RFC 5939 §3.4.2)."""
    return TextField("prefix", b"a=" + name + b":", rb"(?:a=)?" + re.escape(name) + rb"[ \t]*:[ \t]*")


def line(*fields: Any) -> list[Any]:
    """The fields of a line, then what they do not explain, then the line end."""
    return [*fields, TextField("unexplained", b"", CONTENT), TextField("eol", b"\r\n", rb".*")]


def attribute(name: bytes, *fields: Any) -> list[Any]:
    """The fields of an attribute line with a value."""
    return line(prefix(name), *fields)


def flag(*names: bytes) -> list[Any]:
    """The fields of an attribute that has no value; several names share a class."""
    alternatives = b"|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return line(
        TextField("prefix", b"a=", rb"(?:a=)?"), TextField("attribute_name", names[0], rb"(?:" + alternatives + rb")")
    )


def value_of(packet: Any) -> bytes:
    """The value of an attribute line: what stands between its colon and its line end."""
    octets = bytes(packet)
    return octets[len(bytes(packet.prefix or b"")) : len(octets) - len(bytes(packet.eol or b""))]


class SDPValued(TextLayer):
    """An attribute that says nothing without a value (RFC 8866 §5.13)."""

    name = "SDP attribute with a value"

    def troubles(self) -> Iterator[str]:
        """A value that is missing."""
        yield from super().troubles()
        if not value_of(self).strip(b" \t"):
            yield "attribute needs a value and has none"
        else:
            yield from self.value_troubles()

    def value_troubles(self) -> Iterator[str]:
        """What is wrong with a value that is there."""
        return iter(())
