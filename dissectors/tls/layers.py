"""Scapy layers of TLS, DTLS and SSL 2.0: what a person sees as nodes of a packet tree.

    TLS(stream_bytes)            records, with the handshake messages and alerts inside them
    DTLS(datagram)               the same for one datagram
    SSL2(stream_bytes)
    TLSHandshake(message)        one message; `handshake` reads those whose form depends on suite or version

Every octet is kept: `bytes(L(data)) == data` for any data but none at all. Vectors show their length fields, which are
computed when a layer is built with None in them. Where octets end early, fields hold b""; what a layer cannot explain
is a Raw layer; `notes` says what is wrong and where. Field names are those of RFC 5246, RFC 8446, RFC 6347, RFC 9147,
RFC 4279, RFC 5764, RFC 8422 and of the SSL 2.0 protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import Field
from scapy.packet import Packet, Raw

from dissectors.tls.codes import (
    ALERT_DESCRIPTIONS,
    ALERT_LEVELS,
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSION_METHODS,
    CONTENT_TYPES,
    EXTENSION_TYPES,
    HANDSHAKE_TYPES,
    NAMED_GROUPS,
    PSK_KEY_EXCHANGE_MODES,
    SIGNATURE_SCHEMES,
    SRTP_PROTECTION_PROFILES,
    SSL2_MESSAGE_TYPES,
    name_of,
)
from dissectors.tls.parse import HELLO_RETRY_REQUEST_RANDOM
from dissectors.tls.records import plausible_handshake_start
from dissectors.tls.suites import suite
from dissectors.tls.versions import DTLS_1_0, TLS_1_0, TLS_1_2, is_tls13, version_name, version_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.tls.suites import CipherSuite

ABSENT = b""
"""Value of a number whose octets were not there."""

MAX_ITEMS = 4096
"""Items of a list that become layers; the rest stays raw."""


# --- fields ---------------------------------------------------------------------------------------


def _named(table: dict[int, str]) -> Callable[[int], str]:
    return lambda code: name_of(table, code)


def _suite_name(code: int) -> str:
    return suite(code).name


class _Number(Field):
    """An unsigned number of some octets; b"" where they were not there, or where a condition leaves it out."""

    __slots__ = ["condition", "naming", "octets"]

    def __init__(
        self,
        name: str,
        default: int | bytes | None,
        octets: int,
        naming: Callable[[int], str] | None = None,
        condition: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__(name, default, "B")
        self.octets = octets
        self.naming = naming
        self.condition = condition

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        if len(s) < self.octets or (self.condition is not None and not self.condition(pkt)):
            return s, ABSENT
        return s[self.octets :], int.from_bytes(s[: self.octets], "big")

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if val == ABSENT or (self.condition is not None and not self.condition(pkt)):
            return s
        return s + int(0 if val is None else val).to_bytes(self.octets, "big")

    def i2repr(self, pkt: Any, x: Any) -> str:
        if not isinstance(x, int):
            return "absent" if x == ABSENT else repr(x)
        if self.naming is not None:
            return f"{self.naming(x)} (0x{x:0{2 * self.octets}x})"
        return str(x)


class _Length(_Number):
    """The length field of a vector; None counts the octets of another field, or of several, when the layer is built."""

    __slots__ = ["flag", "of"]

    def __init__(
        self,
        name: str,
        of: str | tuple[str, ...],
        octets: int,
        flag: int = 0,
        condition: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__(name, None, octets, condition=condition)
        self.of = (of,) if isinstance(of, str) else of
        self.flag = flag

    def counted(self, pkt: Any) -> int:
        """Octets of the fields that it counts."""
        total = 0
        for name in self.of:
            field, value = pkt.getfield_and_val(name)
            total += len(field.addfield(pkt, b"", value))
        return total

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return super().addfield(pkt, s, self.counted(pkt) | self.flag if val is None else val)


class _MessageLength(_Length):
    """The length of a whole message, of which a fragment holds a part (RFC 6347 §4.2.2)."""

    __slots__: list[str] = []


def _octets_in(pkt: Any, name: str | None) -> int | None:
    """What a length field of a layer said; None for all that is left."""
    if name is None:
        return None
    value = pkt.getfieldval(name)
    return value if isinstance(value, int) else 0


class _Sized(Field):
    """A field whose octets a length field counts."""

    __slots__ = ["length"]

    def __init__(self, name: str, default: Any, length: str | None) -> None:
        super().__init__(name, default, "B")
        self.length = length

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        octets = self._octets(pkt)
        return (s, b"") if octets is None else (s[:octets], s[octets:])

    def _octets(self, pkt: Any) -> int | None:
        return _octets_in(pkt, self.length)


class _Opaque(_Sized):
    """Octets."""

    __slots__ = ["fixed"]

    def __init__(self, name: str, default: bytes, length: str | None = None, fixed: int | None = None) -> None:
        super().__init__(name, default, length)
        self.fixed = fixed

    def _octets(self, pkt: Any) -> int | None:
        return super()._octets(pkt) if self.fixed is None else self.fixed

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        value, rest = self._cut(pkt, s)
        return rest, value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return s + bytes(val or b"")


class _Numbers(_Sized):
    """A list of numbers of some octets each; bytes where these do not make whole numbers."""

    __slots__ = ["naming", "octets"]
    islist = 1

    def __init__(self, name: str, length: str | None, octets: int, naming: Callable[[int], str] | None = None) -> None:
        super().__init__(name, [], length)
        self.octets = octets
        self.naming = naming

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[int] | bytes]:
        value, rest = self._cut(pkt, s)
        if len(value) % self.octets:
            return rest, value
        step = self.octets
        return rest, [int.from_bytes(value[at : at + step], "big") for at in range(0, len(value), step)]

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if isinstance(val, bytes):
            return s + val
        return s + b"".join(number.to_bytes(self.octets, "big") for number in val or ())

    def i2repr(self, pkt: Any, x: Any) -> str:
        if isinstance(x, bytes) or self.naming is None:
            return repr(x)
        return "[" + ", ".join(self.naming(number) for number in x) + "]"


class _Packets(_Sized):
    """A list of layers; what does not make one is Raw."""

    __slots__ = ["cut"]
    islist = 1
    holds_packets = 1

    def __init__(
        self, name: str, length: str | None, cut: Callable[[Any, bytes], Iterator[tuple[type[Packet], bytes]]]
    ) -> None:
        super().__init__(name, [], length)
        self.cut = cut

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        value, rest = self._cut(pkt, s)
        return rest, [layer(part) for layer, part in self.cut(pkt, value)]

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if isinstance(val, bytes):
            return s + val
        return s + b"".join(bytes(item) for item in val or ())


class _One(_Sized):
    """One layer, of a class that other fields choose."""

    __slots__ = ["choose"]
    holds_packets = 1

    def __init__(self, name: str, length: str | None, choose: Callable[[Any, bytes], type[Packet]]) -> None:
        super().__init__(name, None, length)
        self.choose = choose

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet]:
        value, rest = self._cut(pkt, s)
        return rest, self.choose(pkt, value)(value) if value else Raw()

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return s if val is None else s + bytes(val)


def _items(layer: type[Packet], header: int, at: int, octets: int, trailer: int = 0) -> Any:
    """Cuts a list whose items have a length field at an offset, and octets behind what it counts."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        start = 0
        for _ in range(MAX_ITEMS):
            if start == len(data):
                return
            if len(data) - start < header:
                break
            end = start + header + int.from_bytes(data[start + at : start + at + octets], "big") + trailer
            if end > len(data):
                break
            yield layer, data[start:end]
            start = end
        if start < len(data):
            yield Raw, data[start:]

    return cut


class Layer(Packet):
    """A layer that keeps every octet: a field that cannot be read ends the reading, and the rest is its payload."""

    def do_dissect(self, s: bytes) -> bytes:
        absent = False
        for field in self.fields_desc:
            value: Any
            if absent:
                value = [] if field.islist else None if isinstance(field, _One) else ABSENT
            else:
                s, value = field.getfield(self, s)
                conditional = isinstance(field, _Number) and field.condition is not None and not field.condition(self)
                absent = isinstance(field, _Number) and value == ABSENT and not conditional
            self.fields[field.name] = value
        self.explicit = 1
        return s

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        raw: type[Packet] = Raw
        return raw


def notes(packet: Any, offset: int = 0) -> list[str]:
    """What is wrong in a layer that was read, each note with the offset in its octets; empty for a sound one."""
    found: list[str] = []
    if not isinstance(packet, Layer):
        return found
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        built = field.addfield(packet, b"", value)
        where = f"{packet.name} {field.name} at {offset}"
        if isinstance(field, _Number):
            if value == ABSENT and (field.condition is None or field.condition(packet)):
                if not isinstance(field, _ExtensionsLength) or packet.payload:
                    found.append(f"{where} is missing")
                break
            if isinstance(field, _Length) and isinstance(value, int) and not isinstance(field, _MessageLength):
                counted = field.counted(packet)
                if value & ~field.flag != counted:
                    found.append(f"{where} says {value & ~field.flag} octets, {counted} are there")
        elif isinstance(field, _Numbers) and isinstance(value, bytes) and value:
            found.append(f"{where} has {len(value)} octets, no multiple of {field.octets}")
        elif isinstance(field, _Packets | _One):
            at = offset
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Raw) and isinstance(field, _Packets) and field.name != "content":
                    found.append(f"{packet.name} {field.name}: {len(bytes(item))} octets at {at} are not explained")
                found += notes(item, at)
                at += len(bytes(item)) if item is not None else 0
        offset += len(built)
    if packet.payload:
        found.append(f"{packet.name}: {len(bytes(packet.payload))} octets at {offset} are not explained")
    return found


# --- extensions -----------------------------------------------------------------------------------


class ServerName(Layer):
    """RFC 6066 §3."""

    name = "ServerName"
    fields_desc = [
        _Number("name_type", 0, 1),
        _Length("host_name_length", "host_name", 2),
        _Opaque("host_name", b"", "host_name_length"),
    ]


class ServerNameList(Layer):
    """RFC 6066 §3."""

    name = "ServerNameList"
    fields_desc = [
        _Length("server_name_list_length", "server_name_list", 2),
        _Packets("server_name_list", "server_name_list_length", _items(ServerName, 3, 1, 2)),
    ]


class NamedGroupList(Layer):
    """RFC 8446 §4.2.7."""

    name = "NamedGroupList"
    fields_desc = [
        _Length("named_group_list_length", "named_group_list", 2),
        _Numbers("named_group_list", "named_group_list_length", 2, _named(NAMED_GROUPS)),
    ]


class ECPointFormatList(Layer):
    """RFC 8422 §5.1.2."""

    name = "ECPointFormatList"
    fields_desc = [
        _Length("ec_point_format_list_length", "ec_point_format_list", 1),
        _Numbers("ec_point_format_list", "ec_point_format_list_length", 1),
    ]


class SignatureSchemeList(Layer):
    """RFC 8446 §4.2.3."""

    name = "SignatureSchemeList"
    fields_desc = [
        _Length("supported_signature_algorithms_length", "supported_signature_algorithms", 2),
        _Numbers(
            "supported_signature_algorithms",
            "supported_signature_algorithms_length",
            2,
            _named(SIGNATURE_SCHEMES),
        ),
    ]


class UseSRTPData(Layer):
    """RFC 5764 §4.1.1."""

    name = "UseSRTPData"
    fields_desc = [
        _Length("SRTPProtectionProfiles_length", "SRTPProtectionProfiles", 2),
        _Numbers("SRTPProtectionProfiles", "SRTPProtectionProfiles_length", 2, _named(SRTP_PROTECTION_PROFILES)),
        _Length("srtp_mki_length", "srtp_mki", 1),
        _Opaque("srtp_mki", b"", "srtp_mki_length"),
    ]


class HeartbeatExtension(Layer):
    """RFC 6520 §2."""

    name = "HeartbeatExtension"
    fields_desc = [_Number("mode", 1, 1)]


class ProtocolName(Layer):
    """RFC 7301 §3.1."""

    name = "ProtocolName"
    fields_desc = [
        _Length("protocol_name_length", "protocol_name", 1),
        _Opaque("protocol_name", b"", "protocol_name_length"),
    ]


class ProtocolNameList(Layer):
    """RFC 7301 §3.1."""

    name = "ProtocolNameList"
    fields_desc = [
        _Length("protocol_name_list_length", "protocol_name_list", 2),
        _Packets("protocol_name_list", "protocol_name_list_length", _items(ProtocolName, 1, 0, 1)),
    ]


class SupportedVersionsClient(Layer):
    """RFC 8446 §4.2.1, ClientHello."""

    name = "SupportedVersions"
    fields_desc = [_Length("versions_length", "versions", 1), _Numbers("versions", "versions_length", 2, version_name)]


class SupportedVersionsServer(Layer):
    """RFC 8446 §4.2.1, ServerHello and HelloRetryRequest."""

    name = "SupportedVersions"
    fields_desc = [_Number("selected_version", 0x0304, 2, version_name)]


class KeyShareEntry(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareEntry"
    fields_desc = [
        _Number("group", 29, 2, _named(NAMED_GROUPS)),
        _Length("key_exchange_length", "key_exchange", 2),
        _Opaque("key_exchange", b"", "key_exchange_length"),
    ]


class KeyShareClientHello(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareClientHello"
    fields_desc = [
        _Length("client_shares_length", "client_shares", 2),
        _Packets("client_shares", "client_shares_length", _items(KeyShareEntry, 4, 2, 2)),
    ]


class KeyShareHelloRetryRequest(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareHelloRetryRequest"
    fields_desc = [_Number("selected_group", 29, 2, _named(NAMED_GROUPS))]


class PskIdentity(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskIdentity"
    fields_desc = [
        _Length("identity_length", "identity", 2),
        _Opaque("identity", b"", "identity_length"),
        _Number("obfuscated_ticket_age", 0, 4),
    ]


class PskBinderEntry(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskBinderEntry"
    fields_desc = [_Length("binder_length", "binder", 1), _Opaque("binder", b"", "binder_length")]


class OfferedPsks(Layer):
    """RFC 8446 §4.2.11."""

    name = "OfferedPsks"
    fields_desc = [
        _Length("identities_length", "identities", 2),
        _Packets("identities", "identities_length", _items(PskIdentity, 2, 0, 2, trailer=4)),
        _Length("binders_length", "binders", 2),
        _Packets("binders", "binders_length", _items(PskBinderEntry, 1, 0, 1)),
    ]


class SelectedIdentity(Layer):
    """RFC 8446 §4.2.11, ServerHello."""

    name = "SelectedIdentity"
    fields_desc = [_Number("selected_identity", 0, 2)]


class PskKeyExchangeModes(Layer):
    """RFC 8446 §4.2.9."""

    name = "PskKeyExchangeModes"
    fields_desc = [
        _Length("ke_modes_length", "ke_modes", 1),
        _Numbers("ke_modes", "ke_modes_length", 1, _named(PSK_KEY_EXCHANGE_MODES)),
    ]


class Cookie(Layer):
    """RFC 8446 §4.2.2."""

    name = "Cookie"
    fields_desc = [_Length("cookie_length", "cookie", 2), _Opaque("cookie", b"", "cookie_length")]


class ConnectionId(Layer):
    """RFC 9146 §3."""

    name = "ConnectionId"
    fields_desc = [_Length("cid_length", "cid", 1), _Opaque("cid", b"", "cid_length")]


class RenegotiationInfo(Layer):
    """RFC 5746 §3.2."""

    name = "RenegotiationInfo"
    fields_desc = [
        _Length("renegotiated_connection_length", "renegotiated_connection", 1),
        _Opaque("renegotiated_connection", b"", "renegotiated_connection_length"),
    ]


_COMMON_EXTENSIONS: dict[int, type[Packet]] = {
    0: ServerNameList,
    10: NamedGroupList,
    11: ECPointFormatList,
    13: SignatureSchemeList,
    14: UseSRTPData,
    15: HeartbeatExtension,
    16: ProtocolNameList,
    44: Cookie,
    50: SignatureSchemeList,
    54: ConnectionId,
    65281: RenegotiationInfo,
}
_CLIENT_EXTENSIONS = _COMMON_EXTENSIONS | {
    41: OfferedPsks,
    43: SupportedVersionsClient,
    45: PskKeyExchangeModes,
    51: KeyShareClientHello,
}
_SERVER_EXTENSIONS = _COMMON_EXTENSIONS | {41: SelectedIdentity, 43: SupportedVersionsServer, 51: KeyShareEntry}
_RETRY_EXTENSIONS = _SERVER_EXTENSIONS | {51: KeyShareHelloRetryRequest}


class Extension(Layer):
    """RFC 8446 §4.2; subclasses know the message that it stands in."""

    name = "Extension"
    typed: dict[int, type[Packet]] = _COMMON_EXTENSIONS
    fields_desc = [
        _Number("extension_type", 0, 2, _named(EXTENSION_TYPES)),
        _Length("extension_data_length", "extension_data", 2),
        _One("extension_data", "extension_data_length", lambda pkt, data: pkt.typed.get(pkt.extension_type, Raw)),
    ]


class ClientHelloExtension(Extension):
    """An extension of a ClientHello."""

    typed = _CLIENT_EXTENSIONS


class ServerHelloExtension(Extension):
    """An extension of a ServerHello."""

    typed = _SERVER_EXTENSIONS


class HelloRetryRequestExtension(Extension):
    """An extension of a HelloRetryRequest."""

    typed = _RETRY_EXTENSIONS


class _ExtensionsLength(_Length):
    """Left out of a message that is built without extensions (RFC 5246 §7.4.1.4)."""

    __slots__: list[str] = []

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if val is None and self.counted(pkt) == 0:
            return s
        return super().addfield(pkt, s, val)


def _extensions(layer: type[Extension]) -> list[Field]:
    """The extensions of a message. A message may end before them; built ones have the vector when it has items."""
    return [
        _ExtensionsLength("extensions_length", "extensions", 2),
        _Packets("extensions", "extensions_length", _items(layer, 4, 2, 2)),
    ]


# --- handshake messages ---------------------------------------------------------------------------

_HELLO_HEAD = [
    _Number("version", TLS_1_2, 2, version_name),
    _Opaque("random", bytes(32), fixed=32),
    _Length("session_id_length", "session_id", 1),
    _Opaque("session_id", b"", "session_id_length"),
]
_HELLO_COOKIE = [_Length("cookie_length", "cookie", 1), _Opaque("cookie", b"", "cookie_length")]
_HELLO_OFFER = [
    _Length("cipher_suites_length", "cipher_suites", 2),
    _Numbers("cipher_suites", "cipher_suites_length", 2, _suite_name),
    _Length("compression_methods_length", "compression_methods", 1),
    _Numbers("compression_methods", "compression_methods_length", 1, _named(COMPRESSION_METHODS)),
    *_extensions(ClientHelloExtension),
]


class ClientHello(Layer):
    """RFC 5246 §7.4.1.2, RFC 8446 §4.1.2."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_OFFER]


class DTLSClientHello(Layer):
    """RFC 6347 §4.2.1."""

    name = "ClientHello"
    fields_desc = [*_HELLO_HEAD, *_HELLO_COOKIE, *_HELLO_OFFER]


class ServerHello(Layer):
    """RFC 5246 §7.4.1.3, RFC 8446 §4.1.3."""

    name = "ServerHello"
    fields_desc = [
        *_HELLO_HEAD,
        _Number("cipher_suite", 0, 2, _suite_name),
        _Number("compression_method", 0, 1, _named(COMPRESSION_METHODS)),
        *_extensions(ServerHelloExtension),
    ]


class HelloRetryRequest(Layer):
    """RFC 8446 §4.1.4: a ServerHello with a fixed random."""

    name = "HelloRetryRequest"
    fields_desc = [
        _Number("version", TLS_1_2, 2, version_name),
        _Opaque("random", HELLO_RETRY_REQUEST_RANDOM, fixed=32),
        *_HELLO_HEAD[2:],
        _Number("cipher_suite", 0, 2, _suite_name),
        _Number("compression_method", 0, 1, _named(COMPRESSION_METHODS)),
        *_extensions(HelloRetryRequestExtension),
    ]


class HelloVerifyRequest(Layer):
    """RFC 6347 §4.2.1."""

    name = "HelloVerifyRequest"
    fields_desc = [_Number("server_version", DTLS_1_0, 2, version_name), *_HELLO_COOKIE]


class EncryptedExtensions(Layer):
    """RFC 8446 §4.3.1."""

    name = "EncryptedExtensions"
    fields_desc = [
        _Length("extensions_length", "extensions", 2),
        _Packets("extensions", "extensions_length", _items(Extension, 4, 2, 2)),
    ]


class NewSessionTicket(Layer):
    """RFC 5077 §3.3."""

    name = "NewSessionTicket"
    fields_desc = [
        _Number("ticket_lifetime_hint", 0, 4),
        _Length("ticket_length", "ticket", 2),
        _Opaque("ticket", b"", "ticket_length"),
    ]


class ASN1Cert(Layer):
    """One certificate of a list, in DER (RFC 5246 §7.4.2)."""

    name = "ASN1Cert"
    fields_desc = [_Length("cert_length", "cert", 3), _Opaque("cert", b"", "cert_length")]


class Certificate(Layer):
    """RFC 5246 §7.4.2."""

    name = "Certificate"
    fields_desc = [
        _Length("certificate_list_length", "certificate_list", 3),
        _Packets("certificate_list", "certificate_list_length", _items(ASN1Cert, 3, 0, 3)),
    ]


class CertificateEntry(Layer):
    """RFC 8446 §4.4.2."""

    name = "CertificateEntry"
    fields_desc = [
        _Length("cert_data_length", "cert_data", 3),
        _Opaque("cert_data", b"", "cert_data_length"),
        _Length("extensions_length", "extensions", 2),
        _Packets("extensions", "extensions_length", _items(Extension, 4, 2, 2)),
    ]


def _certificate_entries(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        at = start + 3 + int.from_bytes(data[start : start + 3], "big")
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if len(data) - start < 5 or end > len(data):
            break
        yield CertificateEntry, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class Certificate13(Layer):
    """RFC 8446 §4.4.2."""

    name = "Certificate"
    fields_desc = [
        _Length("certificate_request_context_length", "certificate_request_context", 1),
        _Opaque("certificate_request_context", b"", "certificate_request_context_length"),
        _Length("certificate_list_length", "certificate_list", 3),
        _Packets("certificate_list", "certificate_list_length", _certificate_entries),
    ]


class DistinguishedName(Layer):
    """A name in DER (RFC 5246 §7.4.4)."""

    name = "DistinguishedName"
    fields_desc = [_Length("name_length", "distinguished_name", 2), _Opaque("distinguished_name", b"", "name_length")]


_CERTIFICATE_TYPES = [
    _Length("certificate_types_length", "certificate_types", 1),
    _Numbers("certificate_types", "certificate_types_length", 1, _named(CLIENT_CERTIFICATE_TYPES)),
]
_CERTIFICATE_AUTHORITIES = [
    _Length("certificate_authorities_length", "certificate_authorities", 2),
    _Packets("certificate_authorities", "certificate_authorities_length", _items(DistinguishedName, 2, 0, 2)),
]


class CertificateRequest(Layer):
    """RFC 5246 §7.4.4."""

    name = "CertificateRequest"
    fields_desc = [*_CERTIFICATE_TYPES, *SignatureSchemeList.fields_desc, *_CERTIFICATE_AUTHORITIES]


class CertificateRequest10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.4)."""

    name = "CertificateRequest"
    fields_desc = [*_CERTIFICATE_TYPES, *_CERTIFICATE_AUTHORITIES]


class CertificateVerify(Layer):
    """RFC 5246 §7.4.8, RFC 8446 §4.4.3."""

    name = "CertificateVerify"
    fields_desc = [
        _Number("algorithm", 0x0403, 2, _named(SIGNATURE_SCHEMES)),
        _Length("signature_length", "signature", 2),
        _Opaque("signature", b"", "signature_length"),
    ]


class CertificateVerify10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.8)."""

    name = "CertificateVerify"
    fields_desc = [_Length("signature_length", "signature", 2), _Opaque("signature", b"", "signature_length")]


class ServerKeyExchange(Layer):
    """A ServerKeyExchange whose suite is not known."""

    name = "ServerKeyExchange"
    fields_desc = [_Opaque("params", b"")]


_HINT = [
    _Length("psk_identity_hint_length", "psk_identity_hint", 2),
    _Opaque("psk_identity_hint", b"", "psk_identity_hint_length"),
]
_DH = [
    _Length("dh_p_length", "dh_p", 2),
    _Opaque("dh_p", b"", "dh_p_length"),
    _Length("dh_g_length", "dh_g", 2),
    _Opaque("dh_g", b"", "dh_g_length"),
    _Length("dh_Ys_length", "dh_Ys", 2),
    _Opaque("dh_Ys", b"", "dh_Ys_length"),
]
_EC = [
    _Number("curve_type", 3, 1),
    _Number("named_curve", 23, 2, _named(NAMED_GROUPS)),
    _Length("point_length", "point", 1),
    _Opaque("point", b"", "point_length"),
]


class ServerKeyExchangePSK(Layer):
    """RFC 4279 §2, §4."""

    name = "ServerKeyExchange"
    fields_desc = _HINT


class ServerKeyExchangeDHEPSK(Layer):
    """RFC 4279 §3."""

    name = "ServerKeyExchange"
    fields_desc = [*_HINT, *_DH]


class ServerKeyExchangeECDHEPSK(Layer):
    """RFC 5489 §2."""

    name = "ServerKeyExchange"
    fields_desc = [*_HINT, *_EC]


class ServerKeyExchangeDHE(Layer):
    """RFC 5246 §7.4.3."""

    name = "ServerKeyExchange"
    fields_desc = [*_DH, *CertificateVerify.fields_desc]


class ServerKeyExchangeDHE10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.3)."""

    name = "ServerKeyExchange"
    fields_desc = [*_DH, *CertificateVerify10.fields_desc]


class ServerKeyExchangeECDHE(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *CertificateVerify.fields_desc]


class ServerKeyExchangeECDHE10(Layer):
    """Before TLS 1.2 (RFC 8422 §5.4)."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *CertificateVerify10.fields_desc]


class ServerKeyExchangeDHAnon(Layer):
    """RFC 5246 §7.4.3."""

    name = "ServerKeyExchange"
    fields_desc = _DH


class ServerKeyExchangeECDHAnon(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = _EC


class ClientKeyExchange(Layer):
    """A ClientKeyExchange whose suite is not known."""

    name = "ClientKeyExchange"
    fields_desc = [_Opaque("exchange_keys", b"")]


_IDENTITY = [_Length("psk_identity_length", "psk_identity", 2), _Opaque("psk_identity", b"", "psk_identity_length")]
_YC = [_Length("dh_Yc_length", "dh_Yc", 2), _Opaque("dh_Yc", b"", "dh_Yc_length")]
_POINT = [_Length("ecdh_Yc_length", "ecdh_Yc", 1), _Opaque("ecdh_Yc", b"", "ecdh_Yc_length")]
_PREMASTER = [
    _Length("encrypted_pre_master_secret_length", "encrypted_pre_master_secret", 2),
    _Opaque("encrypted_pre_master_secret", b"", "encrypted_pre_master_secret_length"),
]


class ClientKeyExchangePSK(Layer):
    """RFC 4279 §2."""

    name = "ClientKeyExchange"
    fields_desc = _IDENTITY


class ClientKeyExchangeDHEPSK(Layer):
    """RFC 4279 §3."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_YC]


class ClientKeyExchangeECDHEPSK(Layer):
    """RFC 5489 §2."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_POINT]


class ClientKeyExchangeRSAPSK(Layer):
    """RFC 4279 §4."""

    name = "ClientKeyExchange"
    fields_desc = [*_IDENTITY, *_PREMASTER]


class ClientKeyExchangeRSA(Layer):
    """RFC 5246 §7.4.7.1."""

    name = "ClientKeyExchange"
    fields_desc = _PREMASTER


class ClientKeyExchangeDH(Layer):
    """RFC 5246 §7.4.7.2."""

    name = "ClientKeyExchange"
    fields_desc = _YC


class ClientKeyExchangeECDH(Layer):
    """RFC 8422 §5.7."""

    name = "ClientKeyExchange"
    fields_desc = _POINT


class Finished(Layer):
    """RFC 5246 §7.4.9, RFC 8446 §4.4.4."""

    name = "Finished"
    fields_desc = [_Opaque("verify_data", b"")]


class KeyUpdate(Layer):
    """RFC 8446 §4.6.3."""

    name = "KeyUpdate"
    fields_desc = [_Number("request_update", 0, 1)]


_RAW: type[Packet] = Raw

_BODIES: dict[int, type[Packet]] = {
    1: ClientHello,
    2: ServerHello,
    3: HelloVerifyRequest,
    4: NewSessionTicket,
    8: EncryptedExtensions,
    11: Certificate,
    12: ServerKeyExchange,
    13: CertificateRequest,
    15: CertificateVerify,
    16: ClientKeyExchange,
    20: Finished,
    24: KeyUpdate,
}


def _ends_with_authorities(data: bytes) -> bool:
    """Whether a CertificateRequest has the form before TLS 1.2: nothing between types and authorities."""
    at = 1 + data[0]
    return at + 2 + int.from_bytes(data[at : at + 2], "big") == len(data)


def _body(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.msg_type == 2 and data[2:34] == HELLO_RETRY_REQUEST_RANDOM:
        return HelloRetryRequest
    if pkt.msg_type == 13 and _ends_with_authorities(data):
        return CertificateRequest10
    if pkt.msg_type == 15 and 2 + int.from_bytes(data[:2], "big") == len(data):
        return CertificateVerify10
    return _BODIES.get(pkt.msg_type, _RAW)


def _dtls_body(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.fragment_offset or pkt.fragment_length != pkt.length:
        return _RAW
    return DTLSClientHello if pkt.msg_type == 1 else _body(pkt, data)


class TLSHandshake(Layer):
    """RFC 5246 §7.4."""

    name = "Handshake"
    fields_desc = [
        _Number("msg_type", 1, 1, _named(HANDSHAKE_TYPES)),
        _Length("length", "body", 3),
        _One("body", "length", _body),
    ]


class DTLSHandshake(Layer):
    """RFC 6347 §4.2.2: a whole message, or a fragment of one."""

    name = "Handshake"
    fields_desc = [
        _Number("msg_type", 1, 1, _named(HANDSHAKE_TYPES)),
        _MessageLength("length", "body", 3),
        _Number("message_seq", 0, 2),
        _Number("fragment_offset", 0, 3),
        _Length("fragment_length", "body", 3),
        _One("body", "fragment_length", _dtls_body),
    ]


_SERVER_KEY_EXCHANGES: dict[str, tuple[type[Packet], type[Packet]]] = {
    # key exchange: layer since TLS 1.2, layer before
    "PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "RSA_PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "DHE_PSK": (ServerKeyExchangeDHEPSK, ServerKeyExchangeDHEPSK),
    "ECDHE_PSK": (ServerKeyExchangeECDHEPSK, ServerKeyExchangeECDHEPSK),
    "DHE": (ServerKeyExchangeDHE, ServerKeyExchangeDHE10),
    "ECDHE": (ServerKeyExchangeECDHE, ServerKeyExchangeECDHE10),
    "DH_anon": (ServerKeyExchangeDHAnon, ServerKeyExchangeDHAnon),
    "ECDH_anon": (ServerKeyExchangeECDHAnon, ServerKeyExchangeECDHAnon),
}
_CLIENT_KEY_EXCHANGES: dict[str, type[Packet]] = {
    "PSK": ClientKeyExchangePSK,
    "RSA_PSK": ClientKeyExchangeRSAPSK,
    "DHE_PSK": ClientKeyExchangeDHEPSK,
    "ECDHE_PSK": ClientKeyExchangeECDHEPSK,
    "RSA": ClientKeyExchangeRSA,
    "DH": ClientKeyExchangeDH,
    "DHE": ClientKeyExchangeDH,
    "DH_anon": ClientKeyExchangeDH,
    "ECDH": ClientKeyExchangeECDH,
    "ECDHE": ClientKeyExchangeECDH,
    "ECDH_anon": ClientKeyExchangeECDH,
}


def handshake(
    data: bytes, cipher_suite: CipherSuite | None = None, version: int = TLS_1_2, *, dtls: bool = False
) -> TLSHandshake | DTLSHandshake:
    """One handshake message with header, read as the suite and the version of its connection say.

    They decide on ServerKeyExchange, ClientKeyExchange, Certificate, CertificateRequest and CertificateVerify.
    """
    packet = DTLSHandshake(data) if dtls else TLSHandshake(data)
    layer = _by_context(packet.msg_type, cipher_suite, version)
    body = bytes(packet.body) if packet.body is not None else b""
    if layer is not None and body and not isinstance(packet.body, Raw):
        packet.body = layer(body)
    return packet


def _by_context(msg_type: int, cipher_suite: CipherSuite | None, version: int) -> type[Packet] | None:
    rank = version_rank(version)
    old = 0 < rank < version_rank(TLS_1_2)
    key_exchange = cipher_suite.key_exchange if cipher_suite is not None else ""
    if msg_type == 12:
        return _SERVER_KEY_EXCHANGES.get(key_exchange, (None, None))[old]
    if msg_type == 16:
        if key_exchange == "RSA" and rank < version_rank(TLS_1_0):
            return None  # SSL 3.0 sends the encrypted secret without a length
        return _CLIENT_KEY_EXCHANGES.get(key_exchange)
    if msg_type == 11 and is_tls13(version):
        return Certificate13
    if old:
        return {13: CertificateRequest10, 15: CertificateVerify10}.get(msg_type)
    return None


# --- records --------------------------------------------------------------------------------------


class Alert(Layer):
    """RFC 5246 §7.2."""

    name = "Alert"
    fields_desc = [
        _Number("level", 2, 1, _named(ALERT_LEVELS)),
        _Number("description", 0, 1, _named(ALERT_DESCRIPTIONS)),
    ]


class ChangeCipherSpec(Layer):
    """RFC 5246 §7.1."""

    name = "ChangeCipherSpec"
    fields_desc = [_Number("type", 1, 1)]


_TLS_MESSAGES = _items(TLSHandshake, 4, 1, 3)
_DTLS_MESSAGES = _items(DTLSHandshake, 12, 9, 3)


def _content(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """What stands in a record: messages where they can be read, else one Raw layer."""
    clear = getattr(pkt, "epoch", 0) in (0, ABSENT)
    if pkt.type == 22 and clear and plausible_handshake_start(data):
        yield from (_DTLS_MESSAGES if isinstance(pkt, DTLSRecord) else _TLS_MESSAGES)(pkt, data)
    elif pkt.type == 21 and clear and len(data) == 2:
        yield Alert, data
    elif pkt.type == 20 and clear and len(data) == 1:
        yield ChangeCipherSpec, data
    elif data:
        yield Raw, data


class TLSRecord(Layer):
    """RFC 5246 §6.2.1, RFC 8446 §5.1. What they call the fragment is `content`: Scapy has a method of that name."""

    name = "TLSRecord"
    fields_desc = [
        _Number("type", 22, 1, _named(CONTENT_TYPES)),
        _Number("version", TLS_1_2, 2, version_name),
        _Length("length", "content", 2),
        _Packets("content", "length", _content),
    ]


class DTLSRecord(Layer):
    """RFC 6347 §4.1."""

    name = "DTLSRecord"
    fields_desc = [
        _Number("type", 22, 1, _named(CONTENT_TYPES)),
        _Number("version", 0xFEFD, 2, version_name),
        _Number("epoch", 0, 2),
        _Number("sequence_number", 0, 6),
        _Length("length", "content", 2),
        _Packets("content", "length", _content),
    ]


class DTLSUnifiedRecord(Layer):
    """RFC 9147 §4. A connection id, whose length only the handshake says, stays in what is encrypted."""

    name = "DTLSUnifiedRecord"
    fields_desc = [
        _Number("flags", 0x2F, 1),  # 001CSLEE
        _Number("sequence_number_16", 0, 2, condition=lambda pkt: _flag(pkt, 0x18) == 0x08),
        _Number("sequence_number_8", 0, 1, condition=lambda pkt: _flag(pkt, 0x18) == 0),
        _Length("length", "encrypted_record", 2, condition=lambda pkt: _flag(pkt, 0x14) == 0x04),
        _Opaque("encrypted_record", b""),
    ]


def _flag(pkt: Any, mask: int) -> int:
    value = pkt.getfieldval("flags")
    return value & mask if isinstance(value, int) else -1


class TLS(Layer):
    """The records of a piece of a stream, from a record header on."""

    name = "TLS"
    fields_desc = [_Packets("records", None, _items(TLSRecord, 5, 3, 2))]


def _datagram(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if data[start] >> 5 == 0b001:
            end = _unified_end(data, start)
            layer: type[Packet] = DTLSUnifiedRecord
        else:
            if len(data) - start < 13:
                break
            end = start + 13 + int.from_bytes(data[start + 11 : start + 13], "big")
            layer = DTLSRecord
        if end > len(data):
            break
        yield layer, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


def _unified_end(data: bytes, start: int) -> int:
    first = data[start]
    if first & 0x14 != 0x04:
        return len(data)
    at = start + (3 if first & 0x08 else 2)
    if at + 2 > len(data):
        return len(data)
    return at + 2 + int.from_bytes(data[at : at + 2], "big")


class DTLS(Layer):
    """The records of one datagram."""

    name = "DTLS"
    fields_desc = [_Packets("records", None, _datagram)]


# --- SSL 2.0 --------------------------------------------------------------------------------------


class SSL2ClientHello(Layer):
    """SSL 2.0 protocol C.5, RFC 5246 E.2."""

    name = "CLIENT-HELLO"
    fields_desc = [
        _Number("msg_type", 1, 1, _named(SSL2_MESSAGE_TYPES)),
        _Number("version", 0x0002, 2, version_name),
        _Length("cipher_specs_length", "cipher_specs", 2),
        _Length("session_id_length", "session_id", 2),
        _Length("challenge_length", "challenge", 2),
        _Numbers("cipher_specs", "cipher_specs_length", 3, _suite_name),
        _Opaque("session_id", b"", "session_id_length"),
        _Opaque("challenge", b"", "challenge_length"),
    ]


class SSL2ServerHello(Layer):
    """SSL 2.0 protocol C.6."""

    name = "SERVER-HELLO"
    fields_desc = [
        _Number("msg_type", 4, 1, _named(SSL2_MESSAGE_TYPES)),
        _Number("session_id_hit", 0, 1),
        _Number("certificate_type", 1, 1),
        _Number("version", 0x0002, 2, version_name),
        _Length("certificate_length", "certificate", 2),
        _Length("cipher_specs_length", "cipher_specs", 2),
        _Length("connection_id_length", "connection_id", 2),
        _Opaque("certificate", b"", "certificate_length"),
        _Numbers("cipher_specs", "cipher_specs_length", 3, _suite_name),
        _Opaque("connection_id", b"", "connection_id_length"),
    ]


class SSL2ClientMasterKey(Layer):
    """SSL 2.0 protocol C.7."""

    name = "CLIENT-MASTER-KEY"
    fields_desc = [
        _Number("msg_type", 2, 1, _named(SSL2_MESSAGE_TYPES)),
        _Number("cipher_kind", 0x010080, 3, _suite_name),
        _Length("clear_key_length", "clear_key_data", 2),
        _Length("encrypted_key_length", "encrypted_key_data", 2),
        _Length("key_arg_length", "key_arg_data", 2),
        _Opaque("clear_key_data", b"", "clear_key_length"),
        _Opaque("encrypted_key_data", b"", "encrypted_key_length"),
        _Opaque("key_arg_data", b"", "key_arg_length"),
    ]


_SSL2_LAYERS: dict[int, type[Packet]] = {1: SSL2ClientHello, 2: SSL2ClientMasterKey, 4: SSL2ServerHello}


def _has_padding(pkt: Any) -> bool:
    length = pkt.getfieldval("length")
    return isinstance(length, int) and not length & 0x8000


class SSL2Record(Layer):
    """SSL 2.0 protocol C.1. The first bit of the length says that no padding octet follows."""

    name = "SSL2Record"
    fields_desc = [
        _Length("length", "data", 2, flag=0x8000),
        _Number("padding", 0, 1, condition=_has_padding),
        _One("data", None, lambda pkt, data: _SSL2_LAYERS.get(data[0], Raw)),
    ]


def _ssl2_records(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if len(data) - start < 3:
            break
        long = data[start] & 0x80
        length = (data[start] & (0x7F if long else 0x3F)) << 8 | data[start + 1]
        end = start + (2 if long else 3) + length
        if end > len(data) or length == 0:
            break
        yield SSL2Record, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class SSL2(Layer):
    """The records of a piece of a stream."""

    name = "SSL2"
    fields_desc = [_Packets("records", None, _ssl2_records)]
