"""What attribute lines of SDP are declared with beyond `dissectors.text`."""

from __future__ import annotations

import re
from typing import Any

from dissectors.text import CONTENT, TextField


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
