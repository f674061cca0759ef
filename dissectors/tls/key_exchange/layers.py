"""Scapy layers of ServerKeyExchange and ClientKeyExchange: which one is used, the cipher suite and the version say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.binary import Layer, Length, Number, Opaque
from dissectors.tls.codes import EC_CURVE_TYPES, NAMED_GROUPS, code_names
from dissectors.tls.messages.layers import CertificateVerify, CertificateVerify10
from dissectors.tls.versions import DTLS_OPENSSL, TLS_1_0, TLS_1_2, version_rank

if TYPE_CHECKING:
    from scapy.packet import Packet

    from dissectors.tls.suites import CipherSuite

_SIGNED = CertificateVerify.fields_desc
_SIGNED10 = CertificateVerify10.fields_desc


# --- ServerKeyExchange ----------------------------------------------------------------------------


class ServerKeyExchange(Layer):
    """A ServerKeyExchange whose suite is not known (RFC 5246 §7.4.3)."""

    name = "ServerKeyExchange"
    fields_desc = [Opaque("params", b"")]


_HINT = [
    Length("psk_identity_hint_length", "psk_identity_hint", 2),
    Opaque("psk_identity_hint", b"", "psk_identity_hint_length"),
]
_DH = [
    Length("dh_p_length", "dh_p", 2),
    Opaque("dh_p", b"", "dh_p_length"),
    Length("dh_g_length", "dh_g", 2),
    Opaque("dh_g", b"", "dh_g_length"),
    Length("dh_Ys_length", "dh_Ys", 2),
    Opaque("dh_Ys", b"", "dh_Ys_length"),
]
_EC = [
    Number("curve_type", 3, 1, code_names(EC_CURVE_TYPES)),
    Number("named_curve", 23, 2, code_names(NAMED_GROUPS)),
    Length("point_length", "point", 1),
    Opaque("point", b"", "point_length"),
]
_RSA = [
    Length("rsa_modulus_length", "rsa_modulus", 2),
    Opaque("rsa_modulus", b"", "rsa_modulus_length"),
    Length("rsa_exponent_length", "rsa_exponent", 2),
    Opaque("rsa_exponent", b"", "rsa_exponent_length"),
]
_SRP = [
    Length("srp_N_length", "srp_N", 2),
    Opaque("srp_N", b"", "srp_N_length"),
    Length("srp_g_length", "srp_g", 2),
    Opaque("srp_g", b"", "srp_g_length"),
    Length("srp_s_length", "srp_s", 1),
    Opaque("srp_s", b"", "srp_s_length"),
    Length("srp_B_length", "srp_B", 2),
    Opaque("srp_B", b"", "srp_B_length"),
]


class ServerKeyExchangePSK(Layer):
    """RFC 4279 §2; RSA_PSK the same (RFC 4279 §4)."""

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
    fields_desc = [*_DH, *_SIGNED]


class ServerKeyExchangeDHE10(Layer):
    """Before TLS 1.2 (RFC 4346 §7.4.3)."""

    name = "ServerKeyExchange"
    fields_desc = [*_DH, *_SIGNED10]


class ServerKeyExchangeECDHE(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *_SIGNED]


class ServerKeyExchangeECDHE10(Layer):
    """Before TLS 1.2 (RFC 8422 §5.4)."""

    name = "ServerKeyExchange"
    fields_desc = [*_EC, *_SIGNED10]


class ServerKeyExchangeDHAnon(Layer):
    """RFC 5246 §7.4.3."""

    name = "ServerKeyExchange"
    fields_desc = _DH


class ServerKeyExchangeECDHAnon(Layer):
    """RFC 8422 §5.4."""

    name = "ServerKeyExchange"
    fields_desc = _EC


class ServerKeyExchangeExplicitCurve(Layer):
    """A curve that is spelt out instead of named (RFC 4492 §5.4), which RFC 8422 §5.4 no longer allows."""

    name = "ServerKeyExchange"
    fields_desc = [
        Number("curve_type", 1, 1, code_names(EC_CURVE_TYPES)),
        Opaque("params", b""),
    ]


class ServerKeyExchangeRSA(Layer):
    """The short key of the suites for export (RFC 2246 §7.4.3); TLS 1.2 has none of them, some servers do."""

    name = "ServerKeyExchange"
    fields_desc = [*_RSA, *_SIGNED]


class ServerKeyExchangeRSA10(Layer):
    """Before TLS 1.2 (RFC 2246 §7.4.3)."""

    name = "ServerKeyExchange"
    fields_desc = [*_RSA, *_SIGNED10]


class ServerKeyExchangeSRP(Layer):
    """RFC 5054 §2.5.3, without a certificate."""

    name = "ServerKeyExchange"
    fields_desc = _SRP


class ServerKeyExchangeSRPSigned(Layer):
    """RFC 5054 §2.5.3, with a certificate."""

    name = "ServerKeyExchange"
    fields_desc = [*_SRP, *_SIGNED]


class ServerKeyExchangeSRPSigned10(Layer):
    """Before TLS 1.2, with a certificate (RFC 5054 §2.5.3)."""

    name = "ServerKeyExchange"
    fields_desc = [*_SRP, *_SIGNED10]


# --- ClientKeyExchange ----------------------------------------------------------------------------


class ClientKeyExchange(Layer):
    """A ClientKeyExchange whose suite is not known (RFC 5246 §7.4.7)."""

    name = "ClientKeyExchange"
    fields_desc = [Opaque("exchange_keys", b"")]


_IDENTITY = [Length("psk_identity_length", "psk_identity", 2), Opaque("psk_identity", b"", "psk_identity_length")]
_YC = [Length("dh_Yc_length", "dh_Yc", 2), Opaque("dh_Yc", b"", "dh_Yc_length")]
_POINT = [Length("ecdh_Yc_length", "ecdh_Yc", 1), Opaque("ecdh_Yc", b"", "ecdh_Yc_length")]
_PREMASTER = [
    Length("encrypted_pre_master_secret_length", "encrypted_pre_master_secret", 2),
    Opaque("encrypted_pre_master_secret", b"", "encrypted_pre_master_secret_length"),
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


class ClientKeyExchangeRSA30(Layer):
    """SSL 3.0 sends the encrypted secret without a length (RFC 6101 §5.6.7.1, RFC 5246 §7.4.7.1).

    So does OpenSSL before 0.9.8f in DTLS, under its version 0x0100.
    """

    name = "ClientKeyExchange"
    fields_desc = [Opaque("encrypted_pre_master_secret", b"")]


class ClientKeyExchangeDH(Layer):
    """RFC 5246 §7.4.7.2."""

    name = "ClientKeyExchange"
    fields_desc = _YC


class ClientKeyExchangeECDH(Layer):
    """RFC 8422 §5.7."""

    name = "ClientKeyExchange"
    fields_desc = _POINT


class ClientKeyExchangeSRP(Layer):
    """RFC 5054 §2.5.4."""

    name = "ClientKeyExchange"
    fields_desc = [Length("srp_A_length", "srp_A", 2), Opaque("srp_A", b"", "srp_A_length")]


# --- which layer ----------------------------------------------------------------------------------

SERVER_KEY_EXCHANGES: dict[str, tuple[type[Packet], type[Packet]]] = {
    "PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "RSA_PSK": (ServerKeyExchangePSK, ServerKeyExchangePSK),
    "DHE_PSK": (ServerKeyExchangeDHEPSK, ServerKeyExchangeDHEPSK),
    "ECDHE_PSK": (ServerKeyExchangeECDHEPSK, ServerKeyExchangeECDHEPSK),
    "DHE": (ServerKeyExchangeDHE, ServerKeyExchangeDHE10),
    "ECDHE": (ServerKeyExchangeECDHE, ServerKeyExchangeECDHE10),
    "DH_anon": (ServerKeyExchangeDHAnon, ServerKeyExchangeDHAnon),
    "ECDH_anon": (ServerKeyExchangeECDHAnon, ServerKeyExchangeECDHAnon),
    "RSA": (ServerKeyExchangeRSA, ServerKeyExchangeRSA10),
    "SRP": (ServerKeyExchangeSRPSigned, ServerKeyExchangeSRPSigned10),
}
"""The layers of a ServerKeyExchange since TLS 1.2 and before, by the suite's key exchange."""

CLIENT_KEY_EXCHANGES: dict[str, type[Packet]] = {
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
    "SRP": ClientKeyExchangeSRP,
}
"""The layer of a ClientKeyExchange, by the suite's key exchange."""


def server_key_exchange(cipher_suite: CipherSuite, version: int, data: bytes) -> type[Packet] | None:
    """The layer of a ServerKeyExchange; None where the key exchange has none here."""
    layers = SERVER_KEY_EXCHANGES.get(cipher_suite.key_exchange)
    if layers is None:
        return None
    if cipher_suite.key_exchange == "SRP" and cipher_suite.authentication == "SRP":
        return ServerKeyExchangeSRP
    if cipher_suite.key_exchange in ("ECDHE", "ECDH_anon") and data[:1] in (b"\x01", b"\x02"):
        return ServerKeyExchangeExplicitCurve
    return layers[0 < version_rank(version) < version_rank(TLS_1_2)]


def client_key_exchange(cipher_suite: CipherSuite, version: int) -> type[Packet] | None:
    """The layer of a ClientKeyExchange; None where the key exchange has none here."""
    without_length = version == DTLS_OPENSSL or version_rank(version) < version_rank(TLS_1_0)
    if cipher_suite.key_exchange == "RSA" and without_length:
        return ClientKeyExchangeRSA30
    return CLIENT_KEY_EXCHANGES.get(cipher_suite.key_exchange)
