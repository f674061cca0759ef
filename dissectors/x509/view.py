"""What a certificate says in short, read from the layers; nothing raises, and what cannot be read is left empty."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dissectors.x509.digests.layers import HASH_FUNCTIONS, fingerprint
from dissectors.x509.extensions.layers import key_usages
from dissectors.x509.layers import Certificate
from dissectors.x509.names.layers import DirectoryName, IPAddress, RegisteredID
from dissectors.x509.oids import CURVE_BITS, NAMED_CURVES, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

RelativeName = tuple[tuple[str, str], ...]  # of several attributes, where the certificate joins them

_ENCODINGS = {12: "utf-8", 28: "utf-32-be", 30: "utf-16-be"}  # by the tag of the string; others as Latin 1
_KEYWORDS = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
_FIXED_BITS = {"id-X25519": 253, "id-X448": 448, "id-Ed25519": 256, "id-Ed448": 456}


@dataclass(slots=True, frozen=True)
class CertificateView:
    """A certificate (RFC 5280 §4.1)."""

    version: int  # 1, 2, 3; 0 where it cannot be read
    serial_number: int | None
    signature_algorithm: str  # a name, or the object identifier in dotted form
    issuer: tuple[RelativeName, ...]  # by object identifier, in the order of the certificate
    subject: tuple[RelativeName, ...]
    not_before: datetime | None
    not_after: datetime | None
    public_key_algorithm: str
    public_key_bits: int  # 0 where it is not known
    curve: str  # of an elliptic curve key
    subject_alt_names: tuple[tuple[str, str], ...]  # kind and value
    extensions: tuple[tuple[str, bool], ...]  # name and whether critical
    usages: tuple[str, ...]
    ca: bool
    fingerprints: dict[str, str]  # by hash function, as in session descriptions (RFC 8122 §5)

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name (RFC 5280 §3.2)."""
        return self.subject == self.issuer


def view(der: bytes) -> CertificateView:
    """Read a certificate in DER."""
    certificate = Certificate(der) if der else None
    tbs = _at(certificate, "tbsCertificate")
    version = _at(tbs, "version", "value", "value")
    key = _at(tbs, "subjectPublicKeyInfo")
    algorithm, bits, curve = _public_key(key)
    extensions = _extensions(tbs)
    constraints = _at(extensions.get("2.5.29.19"), "extnValue", "value")
    return CertificateView(
        version=version + 1 if isinstance(version, int) else (1 if tbs is not None and version is None else 0),
        serial_number=_integer(_at(tbs, "serialNumber", "value")),
        signature_algorithm=_name(_at(certificate, "signatureAlgorithm", "algorithm", "value")),
        issuer=tuple(_names(_at(tbs, "issuer"))),
        subject=tuple(_names(_at(tbs, "subject"))),
        not_before=_time(_at(tbs, "validity", "notBefore")),
        not_after=_time(_at(tbs, "validity", "notAfter")),
        public_key_algorithm=algorithm,
        public_key_bits=bits,
        curve=curve,
        subject_alt_names=tuple(_general_names(_at(extensions.get("2.5.29.17"), "extnValue", "value"))),
        extensions=tuple((_name(oid), bool(_at(one, "critical", "value"))) for oid, one in extensions.items()),
        usages=tuple(key_usages(_bytes(_at(extensions.get("2.5.29.15"), "extnValue", "value", "octets")))),
        ca=bool(_at(constraints, "cA", "value")),
        fingerprints={function: fingerprint(der, function) for function in HASH_FUNCTIONS},
    )


def name_text(name: tuple[RelativeName, ...], keywords: dict[str, str] | None = None) -> str:
    """A name as text, the last part first (RFC 4514 §2). Attributes without a keyword have their identifier."""
    known = _KEYWORDS if keywords is None else keywords
    return ",".join(
        "+".join(f"{known.get(kind, kind)}={_escaped(text)}" for kind, text in relative) for relative in reversed(name)
    )


def _escaped(text: str) -> str:
    """The value of an attribute with what must be escaped (RFC 4514 §2.4)."""
    out = "".join("\\" + one if one in ',+"\\<>;' else "\\00" if one == "\x00" else one for one in text)
    if out[:1] in (" ", "#"):
        out = "\\" + out
    return out[:-1] + "\\ " if len(text) > 1 and text.endswith(" ") else out


def _at(layer: Any, *path: str) -> Any:
    """What stands at the end of a path of components; None where one is missing."""
    for name in path:
        fields = getattr(layer, "fields", None)
        if fields is None:
            return None
        layer = fields.get(name)
    return layer


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


def _integer(value: Any) -> int | None:
    if isinstance(value, int):
        return value
    return int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) and value else None


def _name(oid: Any) -> str:
    return NAMES.get(oid, oid) if isinstance(oid, str) else ""


def _names(name: Any) -> Iterator[RelativeName]:
    for relative in _at(name, "items") or ():
        pairs = ((_at(one, "type", "value"), _at(one, "value")) for one in _at(relative, "items") or ())
        found = tuple((oid, _text(value)) for oid, value in pairs if isinstance(oid, str))
        if found:
            yield found


def _text(layer: Any) -> str:
    octets = _at(layer, "text")
    if not isinstance(octets, bytes):
        return "#" + bytes(layer).hex() if layer is not None else ""
    return octets.decode(_ENCODINGS.get(_at(layer, "tag_number"), "latin-1"), "replace")


def _time(layer: Any) -> datetime | None:
    """UTCTime of the years 1950 to 2049, or GeneralizedTime (RFC 5280 §4.1.2.5)."""
    text = _bytes(_at(layer, "text")).decode("latin-1")
    if _at(layer, "tag_number") == 23 and len(text) == 13:
        text = ("20" if text < "50" else "19") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _public_key(info: Any) -> tuple[str, int, str]:
    oid = _at(info, "algorithm", "algorithm", "value")
    name = _name(oid)
    parameters = _at(info, "algorithm", "parameters", "value")
    modulus = _integer(_at(info, "subjectPublicKey", "key", "modulus", "value"))
    if modulus is not None:
        return name, modulus.bit_length(), ""
    if name == "id-ecPublicKey" and isinstance(parameters, str):
        return name, CURVE_BITS.get(parameters, 0), NAMED_CURVES.get(parameters, parameters)
    if name == "id-dsa":
        prime = _at(info, "algorithm", "parameters", "elements")
        bits = _integer(_at(prime[0], "value")) if prime else None
        return name, bits.bit_length() if bits is not None else 0, ""
    return name, _FIXED_BITS.get(name, 0), ""


def _extensions(tbs: Any) -> dict[str, Any]:
    """Extensions by identifier; of several with one identifier the first."""
    found: dict[str, Any] = {}
    for one in _at(tbs, "extensions", "value", "items") or ():
        oid = _at(one, "extnID", "value")
        if isinstance(oid, str):
            found.setdefault(oid, one)
    return found


def _general_names(names: Any) -> Iterator[tuple[str, str]]:
    for one in _at(names, "items") or ():
        octets = _at(one, "octets")
        if isinstance(one, DirectoryName):
            yield one.name, name_text(tuple(_names(_at(one, "directoryName"))))
        elif isinstance(one, IPAddress):
            whole = isinstance(octets, bytes) and len(octets) in (4, 16)
            yield one.name, str(ipaddress.ip_address(octets)) if whole else _bytes(octets).hex()
        elif isinstance(one, RegisteredID):
            yield one.name, str(_at(one, "value"))
        else:
            yield str(getattr(one, "name", "")), _text(one)
