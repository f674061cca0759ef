"""Scapy layers of extensions: the extension itself, and which layer is inside, by its type and its message.

What an extension holds depends on the message that it stands in: `ClientHelloExtension` and its siblings know.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import Layer, Length, Number, Numeric, One, OptionalLength, Packets, items, nothing
from dissectors.tls.codes import EXTENSION_TYPES, code_names, name_of
from dissectors.tls.extensions.tls12.layers import (
    AuthzFormats,
    CachedInformation,
    CertificateCompressionAlgorithms,
    CertificateStatus,
    CertificateStatusAcknowledgement,
    CertificateStatusRequest,
    CertificateStatusRequestListV2,
    CertificateTypes,
    ClientCertificateURL,
    ConnectionId,
    ECPointFormatList,
    EncryptThenMAC,
    ExtendedMasterSecret,
    ExternalIdentityHash,
    ExternalSessionId,
    HeartbeatExtension,
    MaxFragmentLength,
    NamedGroupList,
    Padding,
    ProtocolNameList,
    RecordSizeLimit,
    RenegotiationInfo,
    SelectedCachedInformation,
    SelectedCertificateType,
    SelectedEKTCipher,
    ServerNameAcknowledgement,
    ServerNameList,
    SessionTicket,
    SignatureSchemeList,
    SignedCertificateTimestampRequest,
    SRPExtension,
    SupportedEKTCiphers,
    TokenBindingParameters,
    TruncatedHMAC,
    TrustedAuthorities,
    UserMappingTypeList,
    UseSRTPData,
)
from dissectors.tls.extensions.tls13.layers import (
    ApplicationSettingsSupport,
    CertificateAuthorities,
    Cookie,
    EarlyDataIndication,
    KeyShareClientHello,
    KeyShareEntry,
    KeyShareHelloRetryRequest,
    MaxEarlyDataSize,
    OfferedPsks,
    OIDFilters,
    PostHandshakeAuth,
    PskKeyExchangeModes,
    SelectedIdentity,
    SupportedVersionsClient,
    SupportedVersionsServer,
    TicketRequestClient,
    TicketRequestServer,
)
from dissectors.x509.timestamps.layers import SignedCertificateTimestampList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field

ANY_MESSAGE: dict[int, type[Packet]] = {
    1: MaxFragmentLength,
    4: TruncatedHMAC,
    7: AuthzFormats,
    8: AuthzFormats,
    10: NamedGroupList,
    11: ECPointFormatList,
    13: SignatureSchemeList,
    14: UseSRTPData,
    15: HeartbeatExtension,
    16: ProtocolNameList,
    21: Padding,
    22: EncryptThenMAC,
    23: ExtendedMasterSecret,
    24: TokenBindingParameters,
    27: CertificateCompressionAlgorithms,
    28: RecordSizeLimit,
    34: SignatureSchemeList,  # RFC 9345 §4.1.1
    35: SessionTicket,
    44: Cookie,
    47: CertificateAuthorities,
    50: SignatureSchemeList,
    53: ConnectionId,
    54: ConnectionId,
    55: ExternalIdentityHash,
    56: ExternalSessionId,
    65281: RenegotiationInfo,
}
"""Extensions of one form in whatever message they stand, by type."""

CLIENT_HELLO: dict[int, type[Packet]] = ANY_MESSAGE | {
    0: ServerNameList,
    2: ClientCertificateURL,
    3: TrustedAuthorities,
    5: CertificateStatusRequest,
    6: UserMappingTypeList,
    9: CertificateTypes,
    12: SRPExtension,
    17: CertificateStatusRequestListV2,
    18: SignedCertificateTimestampRequest,
    19: CertificateTypes,
    20: CertificateTypes,
    25: CachedInformation,
    39: SupportedEKTCiphers,
    41: OfferedPsks,
    42: EarlyDataIndication,
    43: SupportedVersionsClient,
    45: PskKeyExchangeModes,
    49: PostHandshakeAuth,
    51: KeyShareClientHello,
    58: TicketRequestClient,
    17513: ApplicationSettingsSupport,
    17613: ApplicationSettingsSupport,
}
"""Extensions of a ClientHello, by type."""

SERVER_HELLO: dict[int, type[Packet]] = ANY_MESSAGE | {
    0: ServerNameAcknowledgement,
    2: ClientCertificateURL,
    5: CertificateStatusAcknowledgement,
    6: UserMappingTypeList,
    9: SelectedCertificateType,
    17: CertificateStatusAcknowledgement,
    18: SignedCertificateTimestampList,
    19: SelectedCertificateType,
    20: SelectedCertificateType,
    25: SelectedCachedInformation,
    39: SelectedEKTCipher,
    41: SelectedIdentity,
    43: SupportedVersionsServer,
    51: KeyShareEntry,
}
"""Extensions of a ServerHello, by type."""

HELLO_RETRY_REQUEST: dict[int, type[Packet]] = SERVER_HELLO | {51: KeyShareHelloRetryRequest}
"""Extensions of a HelloRetryRequest, by type."""

ENCRYPTED_EXTENSIONS: dict[int, type[Packet]] = SERVER_HELLO | {42: EarlyDataIndication, 58: TicketRequestServer}
"""Extensions of EncryptedExtensions, by type."""

CERTIFICATE: dict[int, type[Packet]] = ANY_MESSAGE | {5: CertificateStatus, 18: SignedCertificateTimestampList}
"""Extensions of a certificate in TLS 1.3, by type."""

CERTIFICATE_REQUEST: dict[int, type[Packet]] = ANY_MESSAGE | {
    5: CertificateStatusRequest,
    18: SignedCertificateTimestampRequest,
    48: OIDFilters,
}
"""Extensions of a CertificateRequest in TLS 1.3, by type."""

NEW_SESSION_TICKET: dict[int, type[Packet]] = ANY_MESSAGE | {42: MaxEarlyDataSize}
"""Extensions of a NewSessionTicket in TLS 1.3, by type."""

MESSAGES = (
    CLIENT_HELLO,
    SERVER_HELLO,
    HELLO_RETRY_REQUEST,
    ENCRYPTED_EXTENSIONS,
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    NEW_SESSION_TICKET,
)
"""The tables of extensions of all messages."""

DECODED: dict[int, type[Packet]] = {code: layer for table in reversed(MESSAGES) for code, layer in table.items()}
"""A layer of each extension type that has one in some message."""


class Typed(One):
    """A layer that may have no octets, where the type alone says what there is to say."""

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        layer = self.choose(pkt, value)
        if value:
            return rest, layer(value)
        return rest, nothing(Raw if _needs_data(layer) else layer)


def _needs_data(layer: type[Packet]) -> bool:
    """Whether there are always octets of a layer: its first field has a size of its own."""
    return layer is Raw or isinstance((*layer.fields_desc, None)[0], Numeric)


class Extension(Layer):
    """RFC 8446 §4.2, in a message that is not known; subclasses know it."""

    name = "Extension"
    typed: dict[int, type[Packet]] = ANY_MESSAGE
    fields_desc = [
        Number("extension_type", 0, 2, code_names(EXTENSION_TYPES)),
        Length("extension_data_length", "extension_data", 2),
        Typed("extension_data", "extension_data_length", lambda pkt, data: pkt.typed.get(pkt.extension_type, Raw)),
    ]

    def troubles(self) -> Iterator[str]:
        """Data may only be empty where the type has none."""
        layer = self.typed.get(self.extension_type)
        if self.extension_data_length == 0 and layer is not None and _needs_data(layer):
            yield f"{name_of(EXTENSION_TYPES, self.extension_type)} has no data"


class ClientHelloExtension(Extension):
    """An extension of a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.4)."""

    typed = CLIENT_HELLO


class ServerHelloExtension(Extension):
    """An extension of a ServerHello (RFC 8446 §4.1.3, RFC 5246 §7.4.1.4)."""

    typed = SERVER_HELLO


class HelloRetryRequestExtension(Extension):
    """An extension of a HelloRetryRequest (RFC 8446 §4.1.4)."""

    typed = HELLO_RETRY_REQUEST


class EncryptedExtension(Extension):
    """One of the EncryptedExtensions (RFC 8446 §4.3.1)."""

    typed = ENCRYPTED_EXTENSIONS


class CertificateExtension(Extension):
    """An extension of a certificate in TLS 1.3 (RFC 8446 §4.4.2)."""

    typed = CERTIFICATE


class CertificateRequestExtension(Extension):
    """An extension of a CertificateRequest in TLS 1.3 (RFC 8446 §4.3.2)."""

    typed = CERTIFICATE_REQUEST


class NewSessionTicketExtension(Extension):
    """An extension of a NewSessionTicket in TLS 1.3 (RFC 8446 §4.6.1)."""

    typed = NEW_SESSION_TICKET


class Extended(Layer):
    """A message with extensions (RFC 8446 §4.2)."""

    name = "Extended"

    def troubles(self) -> Iterator[str]:
        """No type may stand twice, and pre_shared_key only at the end of a ClientHello."""
        found = [one for one in getattr(self, "extensions", None) or () if isinstance(one, Extension)]
        counts = Counter(one.extension_type for one in found)
        for code in (code for code, count in counts.items() if count > 1):
            yield f"{name_of(EXTENSION_TYPES, code)} stands {counts[code]} times"
        if 41 in [one.extension_type for one in found if isinstance(one, ClientHelloExtension)][:-1]:
            yield "pre_shared_key is not the last extension"


def extensions(layer: type[Extension], *, optional: bool = True) -> list[Field]:
    """The extensions of a message. A hello may end before them; a built one has the vector when it has items."""
    length = OptionalLength if optional else Length
    return [
        length("extensions_length", "extensions", 2),
        Packets("extensions", "extensions_length", items(layer, 4, 2, 2)),
    ]
