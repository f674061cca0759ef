"""Payloads of RFC 3830 and their variants with roles of RFC 6043, each as it stands in a message.

    KEMAC(encr_alg=0, mac_alg=0, encr_data=KeyDataSubPayloads(payloads=[KeyData(type=2, key_data=bytes(16))]))

A `next_payload` of None is filled in by the chain that a payload stands in. `secret_fields` of a layer names the
fields that hold key material, so that views can show a digest in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scapy.packet import Packet, Raw

from dissectors.binary import Bits, BitsLength, Layer, Length, Number, One, Opaque, named, notes
from dissectors.mikey import codes
from dissectors.mikey.fields import (
    PRIVATE_ROLES,
    ConditionalOctets,
    NextPayload,
    OctetsByCode,
    OneByCode,
    PayloadChain,
    RemainingMac,
    SizedByCode,
    code_of,
    complete,
    conditional_length,
    next_of,
    next_payload_name,
    registered,
)
from dissectors.mikey.times import readable_interval, readable_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapy.fields import Field

_ECCSI_OCTETS = 129
_REKEYING = 4  # TS role of TRr


class Payload(Layer):
    """What stands in a chain of payloads (RFC 3830 §6)."""

    payload_code: ClassVar[int] = codes.LAST_PAYLOAD
    secret_fields: ClassVar[tuple[str, ...]] = ()

    def troubles(self) -> Iterator[str]:
        """Fields whose octets are not as many as their code point demands."""
        for field in self.fields_desc:
            if isinstance(field, SizedByCode):
                wrong = field.wrong(self, self.getfieldval(field.name))
                if wrong:
                    yield wrong


class Chained(Layer):
    """What holds a chain of payloads in its field `payloads` (RFC 3830 §6)."""

    secret_fields: ClassVar[tuple[str, ...]] = ()

    def chain(self) -> tuple[int, ...]:
        """The codes of the payloads that were read."""
        return tuple(code_of(payload) for payload in self.getfieldval("payloads"))

    def walked(self) -> bool:
        """Whether the chain was read to its last payload."""
        return not any(self.stops())

    def stops(self) -> Iterator[str]:
        """Why the chain could not be read to its end."""
        field = next(one for one in self.fields_desc if one.name == "payloads")
        payloads = self.getfieldval("payloads")
        if payloads and not complete(payloads[-1]):
            yield f"the payload {payloads[-1].name} is cut short"
            return
        following = next_of(payloads[-1]) if payloads else field.first(self)
        if not isinstance(following, int) or following == codes.LAST_PAYLOAD:
            return
        name = next_payload_name(following)
        if not self.payload:
            yield f"the payload that is named next, {name}, is missing"
        elif following not in field.known(self):
            yield f"the payload that is named next, {name}, cannot be read here: what follows stays raw"
        else:
            yield f"the payload that is named next, {name}, is one too many to be read"

    def troubles(self) -> Iterator[str]:
        """Where the chain stops."""
        yield from self.stops()


# --- time stamps ----------------------------------------------------------------------------------


class NTPTimestamp(Layer):
    """RFC 3830 §6.6, NTP-UTC and NTP: seconds since 1900, or since 2036 without the top bit, and a fraction."""

    name = "NTP timestamp"
    fields_desc = [Number("seconds", 0, 4, readable_time), Number("fraction", 0, 4)]


class NTPSeconds(Layer):
    """RFC 6043 §6.3, NTP-UTC-32."""

    name = "NTP-UTC-32 timestamp"
    fields_desc = [Number("seconds", 0, 4, readable_time)]


class Counter(Layer):
    """RFC 3830 §6.6, COUNTER."""

    name = "COUNTER timestamp"
    fields_desc = [Number("counter", 0, 4)]


class RekeyingInterval(Layer):
    """RFC 6043 §6.10, the value of TRr: a number of seconds."""

    name = "Rekeying interval"
    fields_desc = [Number("interval", 0, 4, readable_interval)]


TIMESTAMPS: dict[int, type[Packet]] = {
    codes.NTP_UTC: NTPTimestamp,
    codes.NTP: NTPTimestamp,
    codes.COUNTER: Counter,
    codes.NTP_UTC_32: NTPSeconds,
}


def _timestamp(pkt: Any, data: bytes) -> type[Packet]:
    layer: type[Packet] = TIMESTAMPS.get(pkt.ts_type, Raw)
    return layer


def _role_timestamp(pkt: Any, data: bytes) -> type[Packet]:
    interval = (pkt.ts_role, pkt.ts_type) == (_REKEYING, codes.NTP_UTC_32)
    return RekeyingInterval if interval else _timestamp(pkt, data)


class T(Payload):
    """RFC 3830 §6.6, timestamp."""

    name = "T"
    payload_code = codes.T
    fields_desc = [
        NextPayload(),
        Number("ts_type", codes.NTP_UTC, 1, registered(codes.TS_TYPES)),
        OneByCode("ts_value", "ts_type", codes.TS_OCTETS, _timestamp),
    ]


class TR(Payload):
    """RFC 6043 §6.4, timestamp with its role."""

    name = "TR"
    payload_code = codes.TR
    fields_desc = [
        NextPayload(),
        Number("ts_role", 1, 1, registered(codes.TS_ROLES, PRIVATE_ROLES)),
        Number("ts_type", codes.NTP_UTC_32, 1, registered(codes.TS_TYPES)),
        OneByCode("ts_value", "ts_type", codes.TS_OCTETS, _role_timestamp),
    ]

    def troubles(self) -> Iterator[str]:
        """TRr is an interval, which only NTP-UTC-32 can hold."""
        yield from super().troubles()
        if self.ts_role == _REKEYING and isinstance(self.ts_type, int) and self.ts_type != codes.NTP_UTC_32:
            yield "TRr must have TS type NTP-UTC-32"


# --- identities, certificates, random numbers -----------------------------------------------------


class ID(Payload):
    """RFC 3830 §6.7, identity."""

    name = "ID"
    payload_code = codes.ID
    fields_desc = [
        NextPayload(),
        Number("id_type", 1, 1, registered(codes.ID_TYPES)),
        Length("id_len", "id_data", 2),
        Opaque("id_data", b"", "id_len"),
    ]


class IDR(Payload):
    """RFC 6043 §6.6, identity with its role."""

    name = "IDR"
    payload_code = codes.IDR
    fields_desc = [
        NextPayload(),
        Number("id_role", 1, 1, registered(codes.ID_ROLES, PRIVATE_ROLES)),
        Number("id_type", 1, 1, registered(codes.ID_TYPES)),
        Length("id_len", "id_data", 2),
        Opaque("id_data", b"", "id_len"),
    ]


class CERT(Payload):
    """RFC 3830 §6.7, certificate."""

    name = "CERT"
    payload_code = codes.CERT
    fields_desc = [
        NextPayload(),
        Number("cert_type", 0, 1, registered(codes.CERTIFICATE_TYPES)),
        Length("cert_len", "cert_data", 2),
        Opaque("cert_data", b"", "cert_len"),
    ]


class CHASH(Payload):
    """RFC 3830 §6.8, hash of the certificate that was used."""

    name = "CHASH"
    payload_code = codes.CHASH
    fields_desc = [
        NextPayload(),
        Number("hash_func", 0, 1, registered(codes.HASH_FUNCTIONS)),
        OctetsByCode("hash", "hash_func", codes.HASH_OCTETS),
    ]


class RAND(Payload):
    """RFC 3830 §6.11, random number."""

    name = "RAND"
    payload_code = codes.RAND
    fields_desc = [NextPayload(), Length("rand_len", "rand", 1), Opaque("rand", b"", "rand_len")]


class RANDR(Payload):
    """RFC 6043 §6.8, random number with its role."""

    name = "RANDR"
    payload_code = codes.RANDR
    fields_desc = [
        NextPayload(),
        Number("rand_role", 1, 1, registered(codes.RAND_ROLES, PRIVATE_ROLES)),
        Length("rand_len", "rand", 1),
        Opaque("rand", b"", "rand_len"),
    ]


# --- keys -----------------------------------------------------------------------------------------


def has_validity(kind: int) -> Callable[[Any], bool]:
    """A condition: KV of a layer is of this type."""
    return lambda pkt: bool(pkt.getfieldval("KV") == kind)


def validity() -> list[Field]:
    """The KV data behind a KV field (RFC 3830 §6.14)."""
    spi, interval = has_validity(codes.KV_SPI), has_validity(codes.KV_INTERVAL)
    return [
        conditional_length("spi_length", "spi", 1, spi),
        ConditionalOctets("spi", "spi_length", spi),
        conditional_length("vf_length", "valid_from", 1, interval),
        ConditionalOctets("valid_from", "vf_length", interval),
        conditional_length("vt_length", "valid_to", 1, interval),
        ConditionalOctets("valid_to", "vt_length", interval),
        OctetsByCode("kv_data", "KV", dict.fromkeys(codes.KV_TYPES, 0), lambda pkt: pkt.KV not in codes.KV_TYPES),
    ]


def _salted(pkt: Any) -> bool:
    return pkt.getfieldval("type") in codes.SALTED_KEY_DATA_TYPES


class KeyData(Payload):
    """RFC 3830 §6.13, a key with its salt and validity, inside KEMAC."""

    name = "Key data"
    payload_code = codes.KEY_DATA
    secret_fields = ("key_data", "salt_data")
    fields_desc = [
        NextPayload(),
        Bits("type", 0, 4, named(codes.KEY_DATA_TYPES), begins=1),
        Bits("KV", codes.KV_NULL, 4, named(codes.KV_TYPES)),
        Length("key_data_len", "key_data", 2),
        Opaque("key_data", b"", "key_data_len"),
        conditional_length("salt_len", "salt_data", 2, _salted),
        ConditionalOctets("salt_data", "salt_len", _salted),
        *validity(),
    ]


class KeyDataSubPayloads(Chained):
    """RFC 3830 §6.2, what KEMAC encrypts in most modes: Key data sub-payloads."""

    name = "Key data sub-payloads"
    secret_tail = True  # what can't be read may be a part of a key
    first = codes.KEY_DATA
    fields_desc = [
        PayloadChain(
            "payloads", lambda pkt: pkt.first, {codes.KEY_DATA: KeyData, codes.ID: ID, codes.IDR: IDR, codes.CERT: CERT}
        )
    ]


class IDAndKeyData(KeyDataSubPayloads):
    """RFC 3830 §3.2, what KEMAC encrypts in public-key modes: an identity, then Key data sub-payloads."""

    name = "ID and Key data sub-payloads"
    first = codes.ID


class IDRAndKeyData(KeyDataSubPayloads):
    """RFC 6267 §4.2, what KEMAC encrypts for a user of IBAKE: an identity with its role, then Key data sub-payloads."""

    name = "IDR and Key data sub-payloads"
    first = codes.IDR


def _plaintext(pkt: Any, data: bytes) -> type[Packet]:
    """How data that is not encrypted is read: as the first layout that explains all of it."""
    raw: type[Packet] = Raw
    if pkt.encr_alg not in pkt.null_algorithms:
        return raw
    layouts: tuple[type[Packet], ...] = pkt.layouts
    fitting = (layout for layout in layouts if not notes(layout(data)))
    return next(fitting, raw if pkt.encr_alg else layouts[0])


class KEMAC(Payload):
    """RFC 3830 §6.2, keys, encrypted and authenticated. What is not encrypted is shown."""

    name = "KEMAC"
    payload_code = codes.KEMAC
    layouts: ClassVar[tuple[type[Packet], ...]] = (KeyDataSubPayloads,)
    null_algorithms: ClassVar[frozenset[int]] = frozenset({0})
    fields_desc = [
        NextPayload(),
        Number("encr_alg", 1, 1, registered(codes.ENCRYPTION_ALGORITHMS)),
        Length("encr_data_len", "encr_data", 2),
        One("encr_data", "encr_data_len", _plaintext),
        Number("mac_alg", 0, 1, registered(codes.MAC_ALGORITHMS)),
        OctetsByCode("mac", "mac_alg", codes.MAC_OCTETS),
    ]

    @property
    def secret_tail(self) -> bool:
        """Whether octets that could not be read may be a part of a key."""
        return bool(self.encr_alg == 0)

    def keys_in_clear(self) -> list[KeyData]:
        """The Key data sub-payloads, where they are not encrypted."""
        data = self.getfieldval("encr_data")
        return [one for one in data.payloads if isinstance(one, KeyData)] if isinstance(data, Chained) else []


class PublicKeyKEMAC(KEMAC):
    """RFC 3830 §3.2, a KEMAC whose plaintext begins with the identity of its sender."""

    layouts = (IDAndKeyData, IDRAndKeyData, KeyDataSubPayloads)


class DHHMACKEMAC(KEMAC):
    """RFC 4650 §4.2, a KEMAC that holds no keys; its algorithms have numbers of RFC 3830 or of RFC 4650."""

    null_algorithms = frozenset({0, 2})
    fields_desc = [
        NextPayload(),
        Number("encr_alg", 0, 1, registered(codes.DHHMAC_ENCRYPTION_ALGORITHMS)),
        Length("encr_data_len", "encr_data", 2),
        One("encr_data", "encr_data_len", _plaintext),
        Number("mac_alg", 1, 1, registered(codes.DHHMAC_MAC_ALGORITHMS)),
        RemainingMac("mac", "mac_alg", codes.MAC_OCTETS),
    ]

    def troubles(self) -> Iterator[str]:
        """Data, which this payload does not have."""
        yield from super().troubles()
        if bytes(self.getfieldval("encr_data") or b""):
            yield "KEMAC must hold no data in a DHHMAC message"

    @property
    def numbering(self) -> str:
        """The document whose numbers the sender used; empty where the octets do not tell."""
        return {(0, 20): "RFC 4650", (1, 0): "RFC 4650", (0, 0): "RFC 3830", (1, 20): "RFC 3830"}.get(
            (self.getfieldval("mac_alg"), len(self.getfieldval("mac"))), ""
        )


class PKE(Payload):
    """RFC 3830 §6.3, the envelope key, encrypted with a public key."""

    name = "PKE"
    payload_code = codes.PKE
    fields_desc = [
        NextPayload(),
        Bits("C", 0, 2, named(codes.CACHE), begins=2),
        BitsLength("data_len", "data", 14),
        Opaque("data", b"", "data_len"),
    ]


class DH(Payload):
    """RFC 3830 §6.4, a Diffie-Hellman value."""

    name = "DH"
    payload_code = codes.DH
    fields_desc = [
        NextPayload(),
        Number("dh_group", 0, 1, registered(codes.DH_GROUPS)),
        OctetsByCode("dh_value", "dh_group", codes.DH_OCTETS),
        Bits("reserved", 0, 4, begins=1),
        Bits("KV", codes.KV_NULL, 4, named(codes.KV_TYPES)),
        *validity(),
    ]


# --- authentication -------------------------------------------------------------------------------


class ECCSISignature(Layer):
    """RFC 6507 §3.3, a signature with P-256."""

    name = "ECCSI signature"
    fields_desc = [
        Opaque("r", bytes(32), fixed=32),
        Opaque("s", bytes(32), fixed=32),
        Opaque("PVT", bytes(65), fixed=65),
    ]


class SIGN(Payload):
    """RFC 3830 §6.5, signature, which ends a message."""

    name = "SIGN"
    payload_code = codes.SIGN
    fields_desc = [
        Bits("s_type", 0, 4, named(codes.SIGNATURE_TYPES), begins=2),
        BitsLength("signature_len", "signature", 12),
        One(
            "signature",
            "signature_len",
            lambda pkt, data: ECCSISignature if (pkt.s_type, len(data)) == (2, _ECCSI_OCTETS) else Raw,
        ),
    ]


class V(Payload):
    """RFC 3830 §6.9, verification message: the MAC of a message."""

    name = "V"
    payload_code = codes.V
    fields_desc = [
        NextPayload(),
        Number("auth_alg", 1, 1, registered(codes.MAC_ALGORITHMS)),
        OctetsByCode("ver_data", "auth_alg", codes.MAC_OCTETS),
    ]


class ERR(Payload):
    """RFC 3830 §6.12, error."""

    name = "ERR"
    payload_code = codes.ERR
    fields_desc = [NextPayload(), Number("error_no", 12, 1, registered(codes.ERRORS)), Number("reserved", 0, 2)]
