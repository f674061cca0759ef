"""Hypothesis strategies that fill layers of TLS and DTLS with valid values, as their declarations say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import Bits, Chain, Layer, Length, Number, Numbers, Numeric, Opaque, Packets
from dissectors.tls.extensions import layers as ext
from dissectors.tls.extensions.tls12 import layers as ext12
from dissectors.tls.extensions.tls13 import layers as ext13
from dissectors.tls.key_exchange import layers as kx
from dissectors.tls.layers import (
    Alert,
    ChangeCipherSpec,
    DTLSAck,
    DTLSHandshake,
    DTLSRecord,
    Heartbeat,
    RecordNumber,
    TLSHandshake,
    TLSRecord,
)
from dissectors.tls.messages import layers as msg
from dissectors.x509.timestamps import layers as timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

Filled = Any  # a layer with values

ITEMS: dict[tuple[str, str], type[Layer]] = {
    ("ServerNameList", "server_name_list"): ext12.ServerName,
    ("TrustedAuthorities", "trusted_authorities_list"): ext12.TrustedAuthority,
    ("CertificateStatusRequest", "responder_id_list"): ext12.ResponderID,
    ("CertificateStatusRequestItemV2", "responder_id_list"): ext12.ResponderID,
    ("CertificateStatusRequestListV2", "certificate_status_req_list"): ext12.CertificateStatusRequestItemV2,
    ("ProtocolNameList", "protocol_name_list"): ext12.ProtocolName,
    ("ApplicationSettingsSupport", "supported_protocols"): ext12.ProtocolName,
    ("SignedCertificateTimestampList", "sct_list"): timestamps.SerializedSCT,
    ("CachedInformation", "cached_info"): ext12.CachedObject,
    ("KeyShareClientHello", "client_shares"): ext13.KeyShareEntry,
    ("CertificateAuthorities", "authorities"): ext13.DistinguishedName,
    ("OIDFilters", "filters"): ext13.OIDFilter,
    ("Certificate", "certificate_list"): msg.ASN1Cert,
    ("Certificate13", "certificate_list"): msg.CertificateEntry,
    ("CertificateRequest", "certificate_authorities"): ext13.DistinguishedName,
    ("CertificateRequest10", "certificate_authorities"): ext13.DistinguishedName,
    ("CertificateURL", "url_and_hash_list"): msg.URLAndHash,
    ("SupplementalData", "supp_data"): msg.SupplementalDataEntry,
    ("NewConnectionId", "cids"): ext12.ConnectionId,
    ("DTLSAck", "record_numbers"): RecordNumber,
}
"""What the lists of layers hold."""

EXTENDED: dict[type[Layer], type[ext.Extension]] = {
    msg.ClientHello: ext.ClientHelloExtension,
    msg.DTLSClientHello: ext.ClientHelloExtension,
    msg.ServerHello: ext.ServerHelloExtension,
    msg.HelloRetryRequest: ext.HelloRetryRequestExtension,
    msg.EncryptedExtensions: ext.EncryptedExtension,
    msg.CertificateEntry: ext.CertificateExtension,
    msg.CertificateRequest13: ext.CertificateRequestExtension,
    msg.NewSessionTicket13: ext.NewSessionTicketExtension,
}
"""The extensions of the messages that have some."""

CERTIFICATES = (b"", b"abc", bytes.fromhex("3000"))

VALUES: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("Padding", "padding"): st.integers(0, 40).map(bytes),
    ("Heartbeat", "padding"): st.binary(min_size=16, max_size=40),
    ("HelloRetryRequest", "random"): st.just(msg.HELLO_RETRY_REQUEST_RANDOM),
    ("ServerHello", "random"): st.binary(min_size=32, max_size=32),
    ("ASN1Cert", "cert"): st.sampled_from(CERTIFICATES[:2]).map(lambda octets: Raw(octets) if octets else Raw()),
    ("SignedCertificateTimestamp", "sct_version"): st.just(0),
    ("SerializedSCT", "sct"): st.one_of(
        st.just(Raw(b"\x01of a later version")), st.deferred(lambda: filled(timestamps.SignedCertificateTimestamp))
    ),
    ("CertificateEntry", "cert_data"): st.sampled_from(CERTIFICATES[:2]).map(lambda octets: Raw(octets)),
}
"""Values that a declaration does not tell."""
for _hello in ("ClientHello", "DTLSClientHello", "ServerHello", "HelloRetryRequest"):
    VALUES[_hello, "session_id"] = st.binary(max_size=32)
for _hello in ("ClientHello", "DTLSClientHello"):
    VALUES[_hello, "cipher_suites"] = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8)
    VALUES[_hello, "compression_methods"] = st.lists(st.integers(0, 255), max_size=3).map(lambda some: [*some, 0])

KEY_EXCHANGES = [
    one
    for one in vars(kx).values()
    if isinstance(one, type) and issubclass(one, Layer) and one.__module__ == kx.__name__
]

PLAIN: dict[int, list[type[Layer]]] = {
    **{code: [layer] for code, layer in msg.BODIES.items()},
    2: [msg.ServerHello, msg.HelloRetryRequest],
    4: [msg.NewSessionTicket, msg.NewSessionTicket13],
    11: [msg.Certificate, msg.Certificate13],
    12: [one for one in KEY_EXCHANGES if one.__name__.startswith("Server")],
    13: [msg.CertificateRequest, msg.CertificateRequest10, msg.CertificateRequest13],
    15: [msg.CertificateVerify, msg.CertificateVerify10],
    16: [one for one in KEY_EXCHANGES if one.__name__.startswith("Client")],
    20: [msg.Finished, msg.Finished30],
}
"""Every form of every handshake message, by type."""


def _numeric(draw: Callable[[Any], Any], field: Numeric) -> int:
    bits = field.size if isinstance(field, Bits) else 8 * getattr(field, "octets", 1)
    return int(draw(st.integers(0, 2**bits - 1)))


def _most(layer: type[Layer], field: Opaque) -> int:
    """Octets that the length of a field can say, and no more than 40."""
    for one in layer.fields_desc:
        if isinstance(one, Length) and one.name == field.length:
            return min(2 ** (8 * one.octets) - 1, 40)
    return 40


@st.composite
def filled(draw: Callable[[Any], Any], layer: type[Layer]) -> Filled:
    """A layer whose fields have values; its lengths are left to be computed."""
    if layer is ext12.TrustedAuthority:
        return draw(_TRUSTED)
    if layer is ext13.OfferedPsks:
        count = draw(st.integers(0, 3))
        return layer(
            identities=[draw(filled(ext13.PskIdentity)) for _ in range(count)],
            binders=[draw(filled(ext13.PskBinderEntry)) for _ in range(count)],
        )
    values: dict[str, Any] = {}
    for field in layer.fields_desc:
        key = (layer.__name__, field.name)
        if key in VALUES:
            values[field.name] = draw(VALUES[key])
        elif isinstance(field, Length) or not isinstance(field, Numeric | Opaque | Numbers | Packets | Chain):
            continue
        elif isinstance(field, Number | Bits):
            values[field.name] = _numeric(draw, field)
        elif isinstance(field, Opaque):
            least, most = (field.fixed, field.fixed) if field.fixed is not None else (0, _most(layer, field))
            values[field.name] = draw(st.binary(min_size=least, max_size=most))
        elif isinstance(field, Numbers):
            values[field.name] = draw(st.lists(st.integers(0, 2 ** (8 * field.octets) - 1), max_size=6))
        elif field.name == "extensions":
            values[field.name] = draw(extensions(EXTENDED[layer]))
        else:
            values[field.name] = draw(st.lists(filled(ITEMS[key]), max_size=3))
    return layer(**values)


_TRUSTED = st.one_of(
    st.just(0).map(lambda kind: ext12.TrustedAuthority(identifier_type=kind)),
    st.tuples(st.sampled_from([1, 3]), st.binary(min_size=20, max_size=20)).map(
        lambda pair: ext12.TrustedAuthority(identifier_type=pair[0], sha1_hash=pair[1])
    ),
    st.binary(max_size=30).map(lambda name: ext12.TrustedAuthority(identifier_type=2, distinguished_name=name)),
)


@st.composite
def extension(draw: Callable[[Any], Any], layer: type[ext.Extension], code: int) -> Filled:
    """An extension of a type, as it stands in a message."""
    inside = layer.typed.get(code)
    if inside is None:
        data = draw(st.binary(max_size=30))
        return layer(extension_type=code, extension_data=Raw(data) if data else Raw())
    return layer(extension_type=code, extension_data=draw(filled(inside)))


@st.composite
def extensions(draw: Callable[[Any], Any], layer: type[ext.Extension]) -> list[Filled]:
    """Some extensions of a message, each type once, pre_shared_key last."""
    codes = draw(st.sets(st.one_of(st.sampled_from(sorted(layer.typed)), st.integers(0, 0xFFFF)), max_size=5))
    return [draw(extension(layer, code)) for code in sorted(codes, key=lambda code: (code == 41, code))]


@st.composite
def message(draw: Callable[[Any], Any], code: int, layer: type[Layer], *, dtls: bool = False) -> Filled:
    """A handshake message with its header."""
    body = draw(filled(msg.DTLSClientHello if dtls and layer is msg.ClientHello else layer))
    if not dtls:
        return TLSHandshake(msg_type=code, body=body)
    return DTLSHandshake(msg_type=code, message_seq=draw(st.integers(0, 0xFFFF)), body=body)


@st.composite
def record(draw: Callable[[Any], Any], *, dtls: bool) -> Filled:
    """A record in clear with something in it."""
    kind = draw(st.sampled_from([20, 21, 22, 23, 24, 26] if dtls else [20, 21, 22, 23, 24]))
    content: list[Packet]
    if kind == 22:
        codes = draw(st.lists(st.sampled_from(sorted(PLAIN)), min_size=1, max_size=3))
        content = [draw(message(code, draw(st.sampled_from(PLAIN[code])), dtls=dtls)) for code in codes]
    elif kind == 23:
        content = [Raw(draw(st.binary(min_size=1, max_size=60)))]
    elif kind == 24:
        content = [draw(filled(Heartbeat)).copy()]
        content[0].type = draw(st.sampled_from([1, 2]))
    else:
        content = [draw(filled({20: ChangeCipherSpec, 21: Alert, 26: DTLSAck}[kind]))]
    if dtls:
        return DTLSRecord(type=kind, sequence_number=draw(st.integers(0, 2**48 - 1)), content=content)
    return TLSRecord(type=kind, content=content)
