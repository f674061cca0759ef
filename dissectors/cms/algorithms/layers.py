"""Scapy layers of algorithm identifiers and of the parameters that algorithms of CMS have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.cms.asn1.layers import (
    SEQUENCE,
    SET,
    Element,
    Encoded,
    Integer,
    Null,
    ObjectIdentifier,
    OctetString,
    SequenceValue,
    SetValue,
    one_kind,
    optional,
    required,
    sequence,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component

if TYPE_CHECKING:
    from scapy.packet import Packet


def _parameters(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    """The layer of an algorithm's parameters."""
    algorithm = getattr(pkt.fields.get("algorithm"), "value", None)
    kind = PARAMETERS.get(algorithm) if isinstance(algorithm, str) else None
    fits = kind is not None and tag == (kind.default_tag[0], kind.default_tag[2])
    return kind if fits and kind is not None else GENERIC.get(tag, Element)


class AlgorithmIdentifier(Encoded):
    """RFC 5652 §10.1."""

    name = "AlgorithmIdentifier"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("algorithm", ObjectIdentifier),
        Component("parameters", {}, optional=True, choosing=_parameters),
    )


class AlgorithmIdentifiers(Encoded):
    """DigestAlgorithmIdentifiers, RFC 5652 §5.1."""

    name = "DigestAlgorithmIdentifiers"
    default_tag = SET
    fields_desc = value(one_kind(AlgorithmIdentifier))


class InitializationVector(OctetString):
    """AES-IV and CBCParameter, RFC 3565 §2.1, RFC 3370 §5.1."""

    name = "IV"


class Nonce(OctetString):
    """AEADChaCha20Poly1305Nonce, RFC 8103 §2."""

    name = "nonce"


class GCMParameters(Encoded):
    """RFC 5084 §3.2."""

    name = "GCMParameters"
    default_tag = SEQUENCE
    fields_desc = sequence(required("aes_nonce", OctetString), optional("aes_ICVlen", Integer))


class CCMParameters(Encoded):
    """RFC 5084 §3.1."""

    name = "CCMParameters"
    default_tag = SEQUENCE
    fields_desc = sequence(required("aes_nonce", OctetString), optional("aes_ICVlen", Integer))


class RC2CBCParameter(Encoded):
    """RFC 3370 §5.2."""

    name = "RC2CBCParameter"
    default_tag = SEQUENCE
    fields_desc = sequence(required("rc2ParameterVersion", Integer), required("iv", OctetString))


class PBKDF2Params(Encoded):
    """PBKDF2-params, RFC 3370 §4.4.1, RFC 8018 §A.2."""

    name = "PBKDF2-params"
    default_tag = SEQUENCE
    fields_desc = sequence(
        Component("salt", {(UNIVERSAL, 4): OctetString, (UNIVERSAL, 16): AlgorithmIdentifier}),
        required("iterationCount", Integer),
        optional("keyLength", Integer),
        optional("prf", AlgorithmIdentifier),
    )


class ExplicitAlgorithm(Encoded):
    """An AlgorithmIdentifier with a tag of its own, RFC 3560 §3."""

    name = "algorithm"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(required("algorithm_identifier", AlgorithmIdentifier))


class RSAESOAEPParams(Encoded):
    """RSAES-OAEP-params, RFC 3560 §3."""

    name = "RSAES-OAEP-params"
    default_tag = SEQUENCE
    fields_desc = sequence(
        optional("hashFunc", ExplicitAlgorithm, 0),
        optional("maskGenFunc", ExplicitAlgorithm, 1),
        optional("pSourceFunc", ExplicitAlgorithm, 2),
    )


PARAMETERS: dict[str, type[Encoded]] = {
    **dict.fromkeys(
        (
            *(f"2.16.840.1.101.3.4.1.{number}" for number in (2, 22, 42)),
            *(f"1.2.392.200011.61.1.1.1.{number}" for number in (2, 3, 4)),
            "1.2.840.113549.3.7",
            "1.3.14.3.2.7",
        ),
        InitializationVector,
    ),
    **dict.fromkeys((f"2.16.840.1.101.3.4.1.{number}" for number in (6, 26, 46)), GCMParameters),
    **dict.fromkeys((f"2.16.840.1.101.3.4.1.{number}" for number in (7, 27, 47)), CCMParameters),
    "1.2.840.113549.1.9.16.3.18": Nonce,
    "1.2.840.113549.3.2": RC2CBCParameter,
    "1.2.840.113549.1.5.12": PBKDF2Params,
    "1.2.840.113549.1.1.7": RSAESOAEPParams,
    # The parameter of these is another algorithm: the one that wraps or encrypts the key.
    "1.2.840.113549.1.9.16.3.9": AlgorithmIdentifier,
    "1.2.840.113549.1.9.16.3.5": AlgorithmIdentifier,
    "1.2.840.113549.1.9.16.3.10": AlgorithmIdentifier,
    "1.3.133.16.840.63.0.2": AlgorithmIdentifier,
    **dict.fromkeys((f"1.3.132.1.11.{number}" for number in range(4)), AlgorithmIdentifier),
    "1.2.840.113549.1.1.8": AlgorithmIdentifier,
}
"""Layers of parameters by their algorithm."""

GENERIC: dict[tuple[int, int], type[Encoded]] = {
    (UNIVERSAL, 2): Integer,
    (UNIVERSAL, 4): OctetString,
    (UNIVERSAL, 5): Null,
    (UNIVERSAL, 6): ObjectIdentifier,
    (UNIVERSAL, 16): SequenceValue,
    (UNIVERSAL, 17): SetValue,
}
"""Layers of parameters whose algorithm has none of its own."""
