"""Finds what reads as a key in octets that no layer explains, or explains as something else: spoiled or hidden lines.

Better too much than too little: views name by a digest what is found here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What stands before a key in a line: a=crypto (RFC 4568), a=key-mgmt and KeyMgmt (RFC 4567), k= (RFC 4566 §5.12), ICE
# passwords (RFC 8839 §5.4), the keys of AKA (TS 24.229 §7.2A.1)
_ANNOUNCED = (
    rb"inline[ \t]*:",
    rb"crypto[ \t]*:",
    rb"key-mgmt[ \t]*:",
    rb"data[ \t]*=[ \t]*\"?",
    rb"ice-pwd[ \t:]",
    rb"^[ \t]*k[ \t]*=",
    rb"\b(?:ik|ck|integrity-key|cipher-key)[ \t]*[=:]",
)
_CONTINUED = rb"(?:\r?\n(?:[ \t][^\r\n]*|[A-Za-z0-9+/=]{8,}(?=[\r\n])))*"  # by white space, or a key broken over lines
_LINE = re.compile(rb"(?:" + rb"|".join(_ANNOUNCED) + rb")[^\r\n]*" + _CONTINUED, re.IGNORECASE | re.MULTILINE)
_KEY = re.compile(rb"[A-Za-z0-9+/=]{16,}")


def key_spans(octets: bytes) -> Iterator[tuple[int, int]]:
    """Where text begins and ends that may be a key: long base64 or hexadecimal digits behind what announces them."""
    for line in _LINE.finditer(octets):
        for key in _KEY.finditer(octets, line.start(), line.end()):
            yield key.span()
