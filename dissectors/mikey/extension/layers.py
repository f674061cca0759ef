"""The general extension payload and the layouts of its types."""

from __future__ import annotations

from typing import Any, ClassVar

from scapy.packet import Packet, Raw

from dissectors.binary import Bits, Layer, Length, Number, One, Opaque, OptionalLength, Packets, items, named, notes
from dissectors.mikey import codes
from dissectors.mikey.fields import NextPayload, Tokens, registered
from dissectors.mikey.identity_based.layers import SAKKE
from dissectors.mikey.payload.layers import Payload


class VendorID(Layer):
    """RFC 3830 §6.15, Vendor ID: octets whose meaning the vendor knows."""

    name = "Vendor ID"
    fields_desc = [Opaque("vendor_id", b"")]


class SDPIDs(Layer):
    """RFC 4567 §4.1.4, the key management protocols that SDP offered, in its order."""

    name = "SDP IDs"
    fields_desc = [Tokens("ids")]


class TESLAIKey(Layer):
    """RFC 4442 §4.4, the initial key of TESLA."""

    name = "TESLA I-Key"
    secret_fields: ClassVar[tuple[str, ...]] = ("i_key",)
    fields_desc = [Opaque("i_key", b"")]


class KeyID(Layer):
    """RFC 4563 §4, one identifier of a key."""

    name = "Key ID"
    fields_desc = [
        Number("key_id_type", 1, 1, registered(codes.KEY_ID_TYPES)),
        Length("key_id_length", "key_id", 1),
        Opaque("key_id", b"", "key_id_length"),
    ]


class KeyIDInformation(Layer):
    """RFC 4563 §4, identifiers of keys."""

    name = "Key ID information"
    fields_desc = [Packets("key_ids", None, items(KeyID, 2, 1, 1))]


class CSBID(Layer):
    """RFC 4738 §3.6, the CSB ID that replaces the one of HDR."""

    name = "CSB_ID"
    fields_desc = [Number("csb_id", 0, 4)]


class OMABCAST(Layer):
    """RFC 5410 §3, OMA BCAST information."""

    name = "OMA BCAST"
    fields_desc = [
        Number("subtype", 1, 1, registered(codes.OMA_BCAST_SUBTYPES, range(192, 256))),
        Opaque("subtype_data", b""),
    ]


class ProtectedKeyParameters(Layer):
    """TS 33.180 Annex E.6, 3GPP key parameters that are encrypted."""

    name = "3GPP key parameters, protected"
    fields_desc = [
        Bits("authenticated", 0, 1, begins=1),
        Bits("encrypted", 1, 1),
        Bits("message_type", 3, 6),
        Number("date_and_time", 0, 5),
        Number("payload_id", 0, 4),
        Number("payload_sequence_number", 0, 1),
        Number("algorithm", 1, 1, named(codes.KEY_PARAMETER_ALGORITHMS)),
        Opaque("iv", bytes(16), fixed=16),
        Number("dppk_id", 0, 4),
        Number("element_id", 0, 1),
        Length("length", "ciphertext", 2),
        Opaque("ciphertext", b"", "length"),
    ]


class KeyParameters(Layer):
    """TS 33.180 Annex E.6, 3GPP key parameters in clear or decrypted; older senders count key types from 1."""

    name = "3GPP key parameters"
    fields_desc = [
        Number("key_type", 0, 1, named(codes.KEY_PARAMETER_KEY_TYPES)),
        Bits("reserved", 0, 30, begins=4),
        Bits("shared_with_gateway", 0, 1),
        Bits("not_revoked", 1, 1),
        Number("activation_time", 0, 5),
        Number("expiry_time", 0, 5),
        Length("text_length", "text", 2),
        Opaque("text", b"", "text_length"),
        OptionalLength("group_ids_length", "group_ids", 2),
        Opaque("group_ids", b"", "group_ids_length"),
    ]


def _key_parameters(data: bytes) -> type[Packet]:
    """The layout that explains all octets; encrypted data has its own mark."""
    protected = (ProtectedKeyParameters, KeyParameters) if data[0] & 0x40 else (KeyParameters, ProtectedKeyParameters)
    return next((layout for layout in protected if not notes(layout(data))), Raw)


EXTENSIONS: dict[int, type[Packet]] = {
    0: VendorID,
    1: SDPIDs,
    2: TESLAIKey,
    3: KeyIDInformation,
    4: CSBID,
    5: OMABCAST,
    6: SAKKE,
    7: KeyParameters,
}
"""Layouts of general extensions by their type; type 7 has two."""


def _extension(pkt: Any, data: bytes) -> type[Packet]:
    return _key_parameters(data) if pkt.type == 7 else EXTENSIONS.get(pkt.type, Raw)


class GeneralExtension(Payload):
    """RFC 3830 §6.15."""

    name = "General extension"
    payload_code = codes.GENERAL_EXTENSION
    fields_desc = [
        NextPayload(),
        Number("type", 0, 1, registered(codes.EXTENSION_TYPES)),
        Length("length", "data", 2),
        One("data", "length", _extension),
    ]
