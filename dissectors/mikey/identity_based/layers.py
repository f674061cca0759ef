"""Payloads of MIKEY-IBAKE (RFC 6267) and MIKEY-SAKKE (RFC 6509).

ECCPT and SK stand inside what IBAKE and ESK encrypt, so no message shows them: they read what was decrypted.
"""

from __future__ import annotations

from typing import Any

from scapy.packet import Packet, Raw

from dissectors.binary import Bits, Layer, Length, Number, One, Opaque, named
from dissectors.mikey import codes
from dissectors.mikey.fields import PRIVATE_ROLES, NextPayload, registered
from dissectors.mikey.payload.layers import Payload, validity

_SAKKE_R = 257  # octets of an uncompressed point of Parameter Set 1
_SAKKE_H = 16


class IBAKE(Payload):
    """RFC 6267 §6.1, an ECCPT payload, encrypted with an identity."""

    name = "IBAKE"
    payload_code = codes.IBAKE
    fields_desc = [NextPayload(), Length("encr_data_len", "encr_data", 2), Opaque("encr_data", b"", "encr_data_len")]


class ESK(Payload):
    """RFC 6267 §6.1, an SK payload, encrypted with an identity."""

    name = "ESK"
    payload_code = codes.ESK
    fields_desc = [NextPayload(), Length("encr_data_len", "encr_data", 2), Opaque("encr_data", b"", "encr_data_len")]


class ECPoint(Opaque):
    """A point of a curve that the layer names, as SEC 1 writes it; its first octet tells its form."""

    __slots__: list[str] = []

    def __init__(self, name: str, default: bytes) -> None:
        super().__init__(name, default, None)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take the point off the front; all that is left where curve or form are not known."""
        coordinate = codes.COORDINATE_OCTETS.get(pkt.getfieldval("ecc_curve"), len(s))
        forms = {0: 1, 2: 1 + coordinate, 3: 1 + coordinate, 4: 1 + 2 * coordinate}
        octets = forms.get(s[0], len(s)) if s else 0
        return s[octets:], s[:octets]


def _padding(pkt: Any) -> int:
    """Octets that bring the end of the point to a multiple of four from the start of the payload."""
    return -(2 + len(pkt.getfieldval("ecc_point"))) % 4


class ECCPT(Payload):
    """RFC 6267 §6.1, a point of a curve, inside IBAKE. That padding counts from the payload's start is unconfirmed."""

    name = "ECCPT"
    payload_code = codes.ECCPT
    fields_desc = [
        NextPayload(),
        Number("ecc_curve", 8, 1, registered(codes.ECC_CURVES, PRIVATE_ROLES)),
        ECPoint("ecc_point", b"\x00"),
        Opaque("padding", bytes(1), _padding),
        Number("auth_alg", 0, 1, registered(codes.MAC_ALGORITHMS)),
        Number("tgk_len", 0, 2),
        Bits("reserved", 0, 4, begins=1),
        Bits("KV", codes.KV_NULL, 4, named(codes.KV_TYPES)),
        *validity(),
    ]


class SK(Payload):
    """RFC 6267 §6.1, a secret key, inside ESK."""

    name = "SK"
    payload_code = codes.SK
    secret_fields = ("key_data",)
    fields_desc = [
        NextPayload(),
        Bits("type", 1, 4, named(codes.SK_TYPES), begins=1),
        Bits("KV", codes.KV_NULL, 4, named(codes.KV_TYPES)),
        Length("key_data_len", "key_data", 2),
        Opaque("key_data", b"", "key_data_len"),
        *validity(),
    ]


class SAKKEEncapsulatedData(Layer):
    """RFC 6508 §4, with Parameter Set 1: the point R and the shared secret under its mask."""

    name = "SAKKE encapsulated data"
    fields_desc = [Opaque("R", bytes(_SAKKE_R), fixed=_SAKKE_R), Opaque("H", bytes(_SAKKE_H), fixed=_SAKKE_H)]


def _encapsulated(pkt: Any, data: bytes) -> type[Packet]:
    whole = (pkt.sakke_params, len(data)) == (1, _SAKKE_R + _SAKKE_H)
    return SAKKEEncapsulatedData if whole else Raw


class SAKKE(Payload):
    """RFC 6509 §4.2, a shared secret, encapsulated for an identity."""

    name = "SAKKE"
    payload_code = codes.SAKKE
    fields_desc = [
        NextPayload(),
        Number("sakke_params", 1, 1, registered(codes.SAKKE_PARAMETERS, PRIVATE_ROLES)),
        Number("id_scheme", 1, 1, registered(codes.ID_SCHEMES, PRIVATE_ROLES)),
        Length("sakke_data_length", "sakke_data", 2),
        One("sakke_data", "sakke_data_length", _encapsulated),
    ]
