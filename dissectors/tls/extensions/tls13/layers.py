"""Scapy layers of what the extensions of TLS 1.3 hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.binary import Chain, Layer, Length, Number, Numbers, Opaque, Packets, items
from dissectors.tls.codes import (
    NAMED_GROUPS,
    PSK_KEY_EXCHANGE_MODES,
    code_names,
)
from dissectors.tls.extensions.tls12.layers import ProtocolName
from dissectors.tls.versions import version_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field


class SupportedVersionsClient(Layer):
    """RFC 8446 §4.2.1, ClientHello."""

    name = "SupportedVersions"
    fields_desc = [Length("versions_length", "versions", 1), Numbers("versions", "versions_length", 2, version_name)]


class SupportedVersionsServer(Layer):
    """RFC 8446 §4.2.1, ServerHello and HelloRetryRequest."""

    name = "SupportedVersions"
    fields_desc = [Number("selected_version", 0x0304, 2, version_name)]


class KeyShareEntry(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareEntry"
    fields_desc = [
        Number("group", 29, 2, code_names(NAMED_GROUPS)),
        Length("key_exchange_length", "key_exchange", 2),
        Opaque("key_exchange", b"", "key_exchange_length"),
    ]


class KeyShareClientHello(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareClientHello"
    fields_desc = [
        Length("client_shares_length", "client_shares", 2),
        Packets("client_shares", "client_shares_length", items(KeyShareEntry, 4, 2, 2)),
    ]


class KeyShareHelloRetryRequest(Layer):
    """RFC 8446 §4.2.8."""

    name = "KeyShareHelloRetryRequest"
    fields_desc = [Number("selected_group", 29, 2, code_names(NAMED_GROUPS))]


class PskIdentity(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskIdentity"
    fields_desc = [
        Length("identity_length", "identity", 2),
        Opaque("identity", b"", "identity_length"),
        Number("obfuscated_ticket_age", 0, 4),
    ]


class PskBinderEntry(Layer):
    """RFC 8446 §4.2.11."""

    name = "PskBinderEntry"
    fields_desc = [Length("binder_length", "binder", 1), Opaque("binder", b"", "binder_length")]


class OfferedPsks(Layer):
    """RFC 8446 §4.2.11, ClientHello."""

    name = "OfferedPsks"
    fields_desc = [
        Length("identities_length", "identities", 2),
        Packets("identities", "identities_length", items(PskIdentity, 2, 0, 2, trailer=4)),
        Length("binders_length", "binders", 2),
        Packets("binders", "binders_length", items(PskBinderEntry, 1, 0, 1)),
    ]

    def troubles(self) -> Iterator[str]:
        """Every identity has its binder."""
        if len(self.identities) != len(self.binders):
            yield f"{len(self.identities)} identities have {len(self.binders)} binders"


class SelectedIdentity(Layer):
    """RFC 8446 §4.2.11, ServerHello."""

    name = "SelectedIdentity"
    fields_desc = [Number("selected_identity", 0, 2)]


class PskKeyExchangeModes(Layer):
    """RFC 8446 §4.2.9."""

    name = "PskKeyExchangeModes"
    fields_desc = [
        Length("ke_modes_length", "ke_modes", 1),
        Numbers("ke_modes", "ke_modes_length", 1, code_names(PSK_KEY_EXCHANGE_MODES)),
    ]


class EarlyDataIndication(Layer):
    """RFC 8446 §4.2.10, ClientHello and EncryptedExtensions: without data."""

    name = "EarlyDataIndication"
    fields_desc: list[Field] = []


class MaxEarlyDataSize(Layer):
    """RFC 8446 §4.2.10, NewSessionTicket."""

    name = "EarlyDataIndication"
    fields_desc = [Number("max_early_data_size", 0, 4)]


class Cookie(Layer):
    """RFC 8446 §4.2.2."""

    name = "Cookie"
    fields_desc = [Length("cookie_length", "cookie", 2), Opaque("cookie", b"", "cookie_length")]


class DistinguishedName(Layer):
    """A name in DER (RFC 5246 §7.4.4, RFC 8446 §4.2.4)."""

    name = "DistinguishedName"
    fields_desc = [Length("name_length", "distinguished_name", 2), Opaque("distinguished_name", b"", "name_length")]


class CertificateAuthorities(Layer):
    """RFC 8446 §4.2.4."""

    name = "CertificateAuthorities"
    fields_desc = [
        Length("authorities_length", "authorities", 2),
        Packets("authorities", "authorities_length", items(DistinguishedName, 2, 0, 2)),
    ]


class OIDFilter(Layer):
    """RFC 8446 §4.2.5: an object identifier and values, both in DER."""

    name = "OIDFilter"
    fields_desc = [
        Length("certificate_extension_oid_length", "certificate_extension_oid", 1),
        Opaque("certificate_extension_oid", b"", "certificate_extension_oid_length"),
        Length("certificate_extension_values_length", "certificate_extension_values", 2),
        Opaque("certificate_extension_values", b"", "certificate_extension_values_length"),
    ]


class OIDFilters(Layer):
    """RFC 8446 §4.2.5."""

    name = "OIDFilters"
    fields_desc = [Length("filters_length", "filters", 2), Chain("filters", lambda pkt, found, data: OIDFilter)]


class PostHandshakeAuth(Layer):
    """RFC 8446 §4.2.6: without data."""

    name = "PostHandshakeAuth"
    fields_desc: list[Field] = []


class ApplicationSettingsSupport(Layer):
    """A list in the form of RFC 7301 §3.1, ClientHello (draft-vvv-tls-alps §4); the answer to it is encrypted."""

    name = "ApplicationSettingsSupport"
    fields_desc = [
        Length("supported_protocols_length", "supported_protocols", 2),
        Packets("supported_protocols", "supported_protocols_length", items(ProtocolName, 1, 0, 1)),
    ]


class TicketRequestClient(Layer):
    """RFC 9149 §3, ClientHello."""

    name = "TicketRequest"
    fields_desc = [Number("new_session_count", 0, 1), Number("resumption_count", 0, 1)]


class TicketRequestServer(Layer):
    """RFC 9149 §3, EncryptedExtensions."""

    name = "TicketRequest"
    fields_desc = [Number("expected_count", 0, 1)]
