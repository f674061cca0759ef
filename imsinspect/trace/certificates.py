"""What certificates of handshakes say, as far as they can be read (RFC 5280)."""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from dissectors.x509.oids import SIGNATURE_ALGORITHMS
from imsinspect.trace.model import CertificateInfo

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> tuple[CertificateInfo, str]:
    """What a certificate says, and what could not be read of it ("" when all was).

    A certificate that does not parse keeps its digest; its other fields are empty.
    """
    from cryptography import x509

    digest = hashlib.sha256(der).hexdigest()
    empty = CertificateInfo(digest, "", "", "", "", "", "", "", der)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of serial numbers and dates that RFC 5280 forbids: rules judge, not we
            certificate = x509.load_der_x509_certificate(_without_default_version(der))
            return (
                CertificateInfo(
                    sha256=digest,
                    subject=certificate.subject.rfc4514_string(),
                    issuer=certificate.issuer.rfc4514_string(),
                    not_before=certificate.not_valid_before_utc.isoformat(),
                    not_after=certificate.not_valid_after_utc.isoformat(),
                    serial=f"{certificate.serial_number:x}",
                    public_key=_public_key(certificate),
                    signature=_signature(certificate),
                    der=der,
                ),
                "",
            )
    except Exception as error:  # the parser raises many kinds, some of them undocumented
        return empty, f"certificate {digest[:8]} does not parse: {type(error).__name__}"


def _without_default_version(der: bytes) -> bytes:
    """A certificate that spells out the default version v1, as old FreeSWITCH ones do, without it.

    DER forbids the encoding (X.690 §11.5) and the parser refuses it, but such certificates are in use; the fingerprint
    is taken over the octets as sent.
    """
    outer = _sequence(der, 0)
    inner = _sequence(der, outer[0]) if outer else None
    if outer is None or inner is None or der[inner[0] : inner[0] + 5] != b"\xa0\x03\x02\x01\x00":
        return der
    certificate = _encoded(der[inner[0] + 5 : inner[1]]) + der[inner[1] : outer[1]]
    return _encoded(certificate)


def _sequence(der: bytes, at: int) -> tuple[int, int] | None:
    """Where the content of a SEQUENCE with a two-octet length begins and ends; None for others and where it is cut."""
    if der[at : at + 2] != b"\x30\x82" or len(der) < at + 4:
        return None
    end = at + 4 + (der[at + 2] << 8 | der[at + 3])
    return (at + 4, end) if end <= len(der) else None


def _encoded(content: bytes) -> bytes:
    """A SEQUENCE around a content of less than 64 KiB, in DER."""
    length = len(content)
    if length < 0x80:
        return bytes((0x30, length)) + content
    if length < 0x100:
        return bytes((0x30, 0x81, length)) + content
    return b"\x30\x82" + length.to_bytes(2, "big") + content


def _public_key(certificate: Certificate) -> str:
    """Kind and size of the key, "RSA 2048", "EC secp256r1"; the algorithm's OID where the kind is unknown."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = certificate.public_key()
    except Exception:  # unsupported algorithms and malformed keys
        return certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def _signature(certificate: Certificate) -> str:
    """Name of the signature algorithm, "sha256WithRSAEncryption"; its OID where it has none."""
    oid = certificate.signature_algorithm_oid
    return SIGNATURE_ALGORITHMS.get(oid.dotted_string, oid.dotted_string)
