"""Key logs of TLS in the form of SSLKEYLOGFILE (RFC 9850), from a file or out of a pcapng secrets block.

Lines that are no line of a key log are passed over and counted; what stands in them is never repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.capture.errors import UsageError
from imsinspect.capture.small_files import read_whole
from imsinspect.crypto.tls import TRAFFIC_SECRETS, TlsSecrets

if TYPE_CHECKING:
    from pathlib import Path

MAX_OCTETS = 512 << 20
"""Octets of a key log: what never ends is none."""

MAX_LINE = 4096
"""Octets of a line that may be one of a key log."""

_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+\Z")
_LINES = re.compile(rb"\r\n|\r|\n")

_OTHER = frozenset({b"ECH_SECRET", b"ECH_CONFIG"})
"""Labels of RFC 9850 that open no record: of Encrypted Client Hello."""

_TRAFFIC = {label.encode(): label for label in TRAFFIC_SECRETS}
_DIGESTS = (32, 48, 64)


@dataclass(slots=True)
class KeyLog:
    """A key log, read."""

    secrets: TlsSecrets = field(default_factory=TlsSecrets)
    lines: int = 0  # that gave a secret
    other: int = 0  # of labels that open no record, or are not known
    malformed: int = 0


def read_key_log(path: Path) -> TlsSecrets:
    """The secrets in a key log. Raises UsageError for a file that can't be read or gives none."""
    text = read_whole(path, "key log", MAX_OCTETS)
    found = parse_keylog(text)
    if not found.lines:
        raise UsageError(f"key log {path}: no line of it gives a secret")
    return found.secrets


def parse_keylog(text: bytes) -> KeyLog:
    """The secrets of a key log (RFC 9850 §2); CRLF, CR and LF end lines, empty lines and comments count as nothing."""
    found = KeyLog()
    for line in _LINES.split(text.removeprefix(b"\xef\xbb\xbf")):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        outcome = _line(line.split(), found.secrets) if len(line) <= MAX_LINE else None
        if outcome is None:
            found.malformed += 1
        elif outcome:
            found.lines += 1
        else:
            found.other += 1
    return found


def _line(words: list[bytes], secrets: TlsSecrets) -> bool | None:
    """Take a line: whether it gave a secret, None where it is malformed."""
    label = words[0]
    if label == b"RSA" and len(words) == 3 and b":" in words[1]:
        return _session_line(words, secrets)
    if len(words) != 3 or not _HEX.match(words[1]) or not _HEX.match(words[2]):
        return None
    name, secret = bytes.fromhex(words[1].decode()), bytes.fromhex(words[2].decode())
    if label == b"RSA":
        if len(name) != 8 or len(secret) != 48:
            return None
        secrets.rsa_premaster[name] = secret
        return True
    if len(name) != 32:
        return None
    if label == b"CLIENT_RANDOM":
        if len(secret) != 48:
            return None
        secrets.master[name] = secret
    elif label == b"PMS_CLIENT_RANDOM":
        secrets.premaster[name] = secret
    elif label in _TRAFFIC:
        if len(secret) not in _DIGESTS:
            return None
        secrets.traffic.setdefault(name, {})[_TRAFFIC[label]] = secret
    else:
        return False if label in _OTHER or label.replace(b"_", b"").isalnum() else None
    return True


def _session_line(words: list[bytes], secrets: TlsSecrets) -> bool | None:
    """`RSA Session-ID:… Master-Key:…`, as OpenSSL's s_client prints them and older tools logged them."""
    session, _, session_id = words[1].partition(b":")
    master, _, secret = words[2].partition(b":")
    if session != b"Session-ID" or master != b"Master-Key" or not _HEX.match(session_id) or not _HEX.match(secret):
        return None
    name, value = bytes.fromhex(session_id.decode()), bytes.fromhex(secret.decode())
    if len(name) > 32 or len(value) != 48:
        return None
    secrets.session_master[name] = value
    return True
