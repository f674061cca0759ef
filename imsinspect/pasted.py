"""Octets of a message as people paste them: text, base64, hexadecimal digits, or the octets themselves."""

from __future__ import annotations

import base64
import binascii
import re

from dissectors.catalog import CATALOG
from imsinspect.capture.errors import UsageError

_HEX = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{2}(?:[\s:,.\-]*(?:0[xX])?[0-9A-Fa-f]{2})*")
_NOT_HEX = re.compile(rb"0[xX]|[\s:,.\-]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]{2,}=*\s*")
_DUMP = re.compile(rb"[ \t]*([0-9A-Fa-f]{4,8})(?::[ \t]*|[ \t]+)((?:[0-9A-Fa-f]{2,4}[ \t]?){1,16})(?:[ \t].*)?")
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----(.*?)-----END [A-Z0-9 ]+-----", re.DOTALL)
_CARRIERS = {  # where a message stands in base64 inside of something that people paste with it
    "mikey": re.compile(rb"(?:a=)?key-mgmt:\s*mikey\s+(\S+)|data=\"?([A-Za-z0-9+/=]+)|^mikey\s+(\S+)", re.IGNORECASE),
}
_PREFIXES = {"crypto": re.compile(rb"(?:a=)?crypto:\s*", re.IGNORECASE)}
_LINE_END = re.compile(rb"(?<!\r)\n")
_LINES_BY_CRLF = ("sip", "sdp", "msrp", "http", "rtsp", "cpim")


def octets_of(kind: str, pasted: bytes, form: str = "auto") -> bytes:
    """The octets that were meant. Raises UsageError where they are not written in the form.

    `auto` takes text as it stands for kinds that are text, and tells hexadecimal digits (also with an offset in front
    of each line), base64 (also PEM, and inside an a=key-mgmt line or a KeyMgmt header) and raw octets apart for others.
    """
    if not pasted.strip():
        raise UsageError("nothing to decode")
    if form == "raw":
        return pasted
    if form == "auto":
        form = _form(kind, pasted)
    if form == "text":
        return _text(kind, pasted)
    if form == "raw":
        return pasted
    return _from_hex(pasted) if form == "hex" else _from_base64(kind, pasted)


def _form(kind: str, pasted: bytes) -> str:
    if CATALOG[kind].text:
        return "text"
    stripped = pasted.strip()
    if not stripped.isascii():
        return "raw"
    if _HEX.fullmatch(stripped) or _dumped(pasted):
        return "hex"
    carried = kind in _CARRIERS and _CARRIERS[kind].search(stripped)
    return "base64" if carried or _PEM.search(stripped) or _BASE64.fullmatch(stripped) else "raw"


def _text(kind: str, pasted: bytes) -> bytes:
    """Text as it is sent: where an editor took the carriage returns away they are put back."""
    if kind in _PREFIXES:
        line = pasted.strip()
        found = _PREFIXES[kind].match(line)
        return b"a=" + kind.encode() + b":" + line[found.end() if found else 0 :] + b"\r\n"
    if kind in _LINES_BY_CRLF and b"\r\n" not in pasted:
        return _LINE_END.sub(b"\r\n", pasted)
    return pasted


def _from_hex(pasted: bytes) -> bytes:
    digits = _dumped(pasted) or pasted
    try:
        return binascii.unhexlify(_NOT_HEX.sub(b"", digits))
    except binascii.Error as error:
        raise UsageError("these are no hexadecimal digits of whole octets") from error


def _dumped(pasted: bytes) -> bytes:
    """The digits of a hexadecimal dump, whose lines begin with the offsets of their octets; empty for anything else."""
    out = b""
    lines = [line for line in pasted.splitlines() if line.strip()]
    for line in lines:
        found = _DUMP.fullmatch(line)
        if found is None or int(found[1], 16) != len(out) // 2:
            return b""
        out += _NOT_HEX.sub(b"", found[2])
    single = len(lines) == 1 and not re.match(rb"\s*0+(?::|[ \t]{2})", pasted)  # may begin with two octets of zeros
    return b"" if single else out


def _from_base64(kind: str, pasted: bytes) -> bytes:
    inside = _CARRIERS[kind].search(pasted.strip()) if kind in _CARRIERS else None
    if inside is not None:
        pasted = next(group for group in inside.groups() if group)
    elif (armoured := _PEM.search(pasted)) is not None:
        pasted = armoured[1]
    plain = b"".join(pasted.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise UsageError("this is no base64") from error
