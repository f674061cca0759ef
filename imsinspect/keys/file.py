"""The user's key file (JSON; docs/keys.md): SRTP, MIKEY, TLS-PSK, ESP and CMS keys, by the names that others write.

What is wrong with it is said with the place in the file, never with the value, which may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from dissectors.sdp.suites import DTLS_SRTP_PROFILES, SDES_SUITES, crypto_suite
from imsinspect.capture.errors import UsageError
from imsinspect.capture.small_files import read_whole
from imsinspect.crypto.cms import CmsKek
from imsinspect.crypto.esp import EspParameters
from imsinspect.crypto.tls import PreSharedKey
from imsinspect.keys.mikey_records import MikeySecrets, TicketKeys
from imsinspect.keys.ring import parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from dissectors.sdp.suites import CryptoSuite

MAX_OCTETS = 64 << 20  # of a key file
MAX_PEM = 1 << 20  # octets of a file with a private key
MAX_MKI = 128  # octets (RFC 4568 §6.1)
_NAME = re.compile(r"[a-z_]{1,16}")


@dataclass(slots=True, frozen=True)
class SrtpKey:
    """An SRTP master key and salt, and what it is for; without an SSRC it is tried where it could fit."""

    suite: CryptoSuite
    key_and_salt: bytes = field(repr=False)
    ssrc: int | None = None
    mki: bytes = b""
    of: str = ""


@dataclass(slots=True)
class UserKeys:
    """Everything that a key file holds."""

    srtp: list[SrtpKey] = field(default_factory=list)
    mikey: MikeySecrets = field(default_factory=MikeySecrets)
    tls_psk: list[PreSharedKey] = field(default_factory=list)
    esp: list[tuple[int | None, EspParameters]] = field(default_factory=list)  # by SPI; None: of any association
    cms_kek: list[CmsKek] = field(default_factory=list)

    def extend(self, other: UserKeys) -> None:
        """What another file holds as well."""
        self.srtp += other.srtp
        mine, others = self.mikey, other.mikey
        self.mikey = MikeySecrets({**mine.psk, **others.psk}, mine.rsa + others.rsa, mine.tickets + others.tickets)
        self.tls_psk += other.tls_psk
        self.esp += other.esp
        self.cms_kek += other.cms_kek


class _Wrong(Exception):  # noqa: N818 (what is wrong, with its place)
    pass


def read_key_files(paths: Iterable[Path]) -> UserKeys:
    """The keys in all files. Raises UsageError as `read_key_file` does."""
    out = UserKeys()
    for path in paths:
        out.extend(read_key_file(path))
    return out


def read_key_file(path: Path) -> UserKeys:
    """The keys in a file. Raises UsageError naming the place of what is wrong, without any value."""
    data = read_whole(path, "key file", MAX_OCTETS)
    if not data:
        raise UsageError(f"key file {path}: empty")
    try:
        content = json.loads(data, object_pairs_hook=_pairs)
    except _Wrong as wrong:
        raise UsageError(f"key file {path}: {wrong}") from None
    except (ValueError, RecursionError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"key file {path}: not JSON{where}") from None
    try:
        return _user_keys(content, path.parent)
    except _Wrong as wrong:
        raise UsageError(f"key file {path}: {wrong}") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        raise _Wrong("one member stands twice in an object")
    return out


# --- members --------------------------------------------------------------------------------------


def _object(value: object, where: str, members: Iterable[str]) -> dict[str, Any]:
    """An object with none but known members; names with a leading "about" or "_" are comments."""
    if not isinstance(value, dict):
        raise _Wrong(f"{where} is no object")
    known = list(members)
    for name in value:
        if name not in known and name != "about" and not name.startswith("_"):
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
            # A name may be a key that stands in the wrong place: it is shown where it is like one that is known.
            shown = f" {name!r}" if near or _NAME.fullmatch(name) else ""
            raise _Wrong(f"{where} has an unknown member{shown}{hint}")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{where} is no list")
    return value


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str):
        raise _Wrong(f"{where}.{name} is no text")
    return value


def _hex(row: dict[str, Any], name: str, where: str) -> bytes | None:
    text = _text(row, name, where)
    if name not in row:
        return None
    try:
        return bytes.fromhex(text.lower().removeprefix("0x").replace(":", ""))
    except ValueError:
        raise _Wrong(f"{where}.{name} is no hexadecimal text") from None


def _needed(row: dict[str, Any], name: str, where: str) -> bytes:
    value = _hex(row, name, where)
    if not value:
        raise _Wrong(f"{where}.{name} is missing or empty")
    return value


def _number(row: dict[str, Any], name: str, where: str) -> int | None:
    """A number of 32 bits: "0x…", decimal text, or a JSON number."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = int(value, 0)
        except ValueError:
            value = -1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise _Wrong(f"{where}.{name} is no number of 32 bits")
    return value


# --- parts ----------------------------------------------------------------------------------------


def _srtp(row: object, where: str) -> SrtpKey:
    members = _object(row, where, ("ssrc", "suite", "key_and_salt_base64", "mki", "of"))
    name = _text(members, "suite", where) or "AES_CM_128_HMAC_SHA1_80"
    suite = crypto_suite(name.encode("utf-8", "replace")) or next(
        (each for each in DTLS_SRTP_PROFILES.values() if each.name == name.upper()), None
    )
    if suite is None:
        near = get_close_matches(name.upper(), list(SDES_SUITES), 1)
        raise _Wrong(f"{where}.suite is unknown" + (f"; did you mean {near[0]}?" if near else ""))
    if parameters_of(suite) is None:
        raise _Wrong(f"{where}.suite: {suite.name} is not supported")
    encoded = _text(members, "key_and_salt_base64", where)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _Wrong(f"{where}.key_and_salt_base64 is no base64") from None
    if len(key) != suite.length:
        raise _Wrong(f"{where}.key_and_salt_base64 has {len(key)} octets; {suite.name} needs {suite.length}")
    mki = _hex(members, "mki", where) or b""
    if len(mki) > MAX_MKI:
        raise _Wrong(f"{where}.mki has {len(mki)} octets; {MAX_MKI} are the most")
    return SrtpKey(suite, key, _number(members, "ssrc", where), mki, _text(members, "of", where))


def _mikey(value: object, folder: Path) -> MikeySecrets:
    members = _object(value, "mikey", ("psk", "rsa", "tickets"))
    keys = members.get("psk", {})
    if not isinstance(keys, dict):
        raise _Wrong("mikey.psk is no object")
    # Names are counted in messages: one that was written in the place of its key is a secret.
    psk = {
        name: _needed({"key": value}, "key", f"mikey.psk, entry {number}")
        for number, (name, value) in enumerate(keys.items(), 1)
    }
    files = _list(members.get("rsa", []), "mikey.rsa")
    rsa = tuple(_private_key(name, f"mikey.rsa[{number}]", folder) for number, name in enumerate(files))
    rows = _list(members.get("tickets", []), "mikey.tickets")
    tickets = tuple(_ticket(row, f"mikey.tickets[{number}]") for number, row in enumerate(rows))
    return MikeySecrets(psk, rsa, tickets)


def _private_key(name: object, where: str, folder: Path) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not isinstance(name, str):
        raise _Wrong(f"{where} is no file name")
    try:
        with (folder / name).open("rb") as file:
            key = load_pem_private_key(file.read(MAX_PEM), None)
    except OSError as error:
        raise _Wrong(f"{where} can't be read ({error.strerror})") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _Wrong(f"{where} is no private key in PEM without a password") from None
    if not isinstance(key, RSAPrivateKey):
        raise _Wrong(f"{where} is no RSA key")
    return key


def _ticket(row: object, where: str) -> TicketKeys:
    members = _object(row, where, ("csb_id", "mpk_i", "mpk_r", "tpk", "tgk", "responder"))
    mpk_i, mpk_r, tpk, tgk = (_hex(members, name, where) or b"" for name in ("mpk_i", "mpk_r", "tpk", "tgk"))
    csb_id, responder = _number(members, "csb_id", where), _text(members, "responder", where)
    found = TicketKeys(csb_id, mpk_i, mpk_r, tpk, tgk, responder)
    if not (found.mpk_i or found.mpk_r or found.tpk or found.tgk):
        raise _Wrong(f"{where} holds no key")
    return found


def _tls_psk(row: object, where: str) -> PreSharedKey:
    members = _object(row, where, ("psk", "identity", "server", "of"))
    _text(members, "of", where)
    identity = _text(members, "identity", where).encode("utf-8", "replace") if "identity" in members else None
    server = _server(_text(members, "server", where), where) if "server" in members else None
    return PreSharedKey(_needed(members, "psk", where), identity, server)


def _server(text: str, where: str) -> tuple[str, int]:
    """An address and port: "192.0.2.1:5061", "[2001:db8::1]:5061"."""
    host, _, port = text.rpartition(":")
    try:
        address = str(ip_address(host.removeprefix("[").removesuffix("]")))
        number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else -1
    except ValueError:
        number = -1
    if not 0 < number <= 0xFFFF:
        raise _Wrong(f"{where}.server is no address and port")
    return address, number


def _esp(row: object, where: str) -> tuple[int | None, EspParameters]:
    members = _object(row, where, ("spi", "encryption", "encryption_key", "integrity", "integrity_key", "of"))
    try:
        keys = EspParameters(
            _text(members, "encryption", where).lower() or "null",
            _hex(members, "encryption_key", where) or b"",
            _text(members, "integrity", where).lower(),
            _hex(members, "integrity_key", where) or b"",
        )
    except ValueError as error:
        raise _Wrong(f"{where}: {error}") from None
    if not keys.encryption_key and not keys.integrity_key:
        raise _Wrong(f"{where} holds no key")
    return _number(members, "spi", where), keys


def _cms_kek(row: object, where: str) -> CmsKek:
    members = _object(row, where, ("kek", "id", "of"))
    return CmsKek(_needed(members, "kek", where), _hex(members, "id", where), _text(members, "of", where))


def _user_keys(content: object, folder: Path) -> UserKeys:
    members = _object(content, "the file", ("srtp", "mikey", "tls_psk", "esp", "cms_kek"))
    out = UserKeys()
    parts: dict[str, tuple[list[Any], Callable[[object, str], Any]]] = {
        "srtp": (out.srtp, _srtp),
        "tls_psk": (out.tls_psk, _tls_psk),
        "esp": (out.esp, _esp),
        "cms_kek": (out.cms_kek, _cms_kek),
    }
    for name, (rows, read) in parts.items():
        for number, row in enumerate(_list(members.get(name, []), name)):
            rows.append(read(row, f"{name}[{number}]"))
    if "mikey" in members:
        out.mikey = _mikey(members["mikey"], folder)
    return out
