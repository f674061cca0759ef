"""What handshake messages say: lean parsers over message bodies (no record and no handshake header).

A parser returns a record, with `trouble` naming what is wrong and where, or None when not even the fixed part is there;
it never raises. Scapy users find the same grammar, field by field, in `dissectors.tls.layers`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.tls.suites import is_grease
from dissectors.tls.versions import is_tls13, version_rank

if TYPE_CHECKING:
    from dissectors.tls.suites import CipherSuite

HELLO_RETRY_REQUEST_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3)."""

DOWNGRADE_SENTINELS = (bytes.fromhex("444f574e47524401"), bytes.fromhex("444f574e47524400"))
"""Last octets of the random of a TLS 1.3 server that negotiated TLS 1.2, or less (RFC 8446 §4.1.3)."""

SERVER_NAME = 0
TRUNCATED_HMAC = 4
USE_SRTP = 14
EXTENDED_MASTER_SECRET = 23
SESSION_TICKET = 35
PRE_SHARED_KEY = 41
EARLY_DATA = 42
SUPPORTED_VERSIONS = 43
PSK_KEY_EXCHANGE_MODES = 45
KEY_SHARE = 51
CONNECTION_ID = 54
RENEGOTIATION_INFO = 65281

_MAX_EXTENSIONS = 1024
_MAX_CERTIFICATES = 64


class _Cursor:
    """Reads vectors off bytes; what runs past the end is cut and remembered."""

    __slots__ = ("at", "data", "end", "trouble")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.end = len(data)
        self.trouble = ""

    def left(self) -> int:
        return self.end - self.at

    def take(self, octets: int, what: str) -> bytes:
        if octets > self.end - self.at:
            self._note(f"{what} at {self.at} needs {octets} octets, {self.end - self.at} are left")
            octets = self.end - self.at
        value = self.data[self.at : self.at + octets]
        self.at += octets
        return value

    def number(self, octets: int, what: str) -> int:
        return int.from_bytes(self.take(octets, what), "big")

    def vector(self, length_octets: int, what: str) -> bytes:
        if self.left() < length_octets:
            self._note(f"length of {what} at {self.at} is cut")
            self.at = self.end
            return b""
        return self.take(self.number(length_octets, what), what)

    def _note(self, text: str) -> None:
        self.trouble = self.trouble or text


def _numbers(data: bytes, octets: int = 2) -> tuple[int, ...]:
    whole = len(data) - len(data) % octets
    if octets == 2:
        return struct.unpack(f">{whole // 2}H", data[:whole])
    return tuple(int.from_bytes(data[at : at + octets], "big") for at in range(0, whole, octets))


@dataclass(slots=True, frozen=True)
class UseSrtp:
    """Extension use_srtp (RFC 5764 §4.1.1)."""

    profiles: tuple[int, ...]
    srtp_mki: bytes


@dataclass(slots=True, frozen=True)
class PskIdentity:
    """One identity of the extension pre_shared_key in a ClientHello (RFC 8446 §4.2.11)."""

    identity: bytes
    obfuscated_ticket_age: int


@dataclass(slots=True, frozen=True)
class _Extended:
    """A hello with extensions, each kept as type and data in the order sent."""

    extensions: tuple[tuple[int, bytes], ...] = ()

    def extension(self, type_: int) -> bytes | None:
        """Data of the first extension of that type."""
        for number, data in self.extensions:
            if number == type_:
                return data
        return None

    @property
    def use_srtp(self) -> UseSrtp | None:
        """The DTLS-SRTP profiles offered or selected."""
        data = self.extension(USE_SRTP)
        if data is None:
            return None
        cursor = _Cursor(data)
        profiles = _numbers(cursor.vector(2, "SRTPProtectionProfiles"))
        return UseSrtp(profiles, cursor.vector(1, "srtp_mki"))

    @property
    def connection_id(self) -> bytes | None:
        """The connection id that the other side is to send (RFC 9146 §3)."""
        data = self.extension(CONNECTION_ID)
        return None if data is None else _Cursor(data).vector(1, "cid")


@dataclass(slots=True, frozen=True)
class ClientHello(_Extended):
    """RFC 5246 §7.4.1.2, RFC 8446 §4.1.2, RFC 6347 §4.2.1; SSL 2.0 protocol C.5."""

    version: int = 0  # client_version, called legacy_version in TLS 1.3
    random: bytes = b""
    session_id: bytes = b""
    cookie: bytes = b""
    cipher_suites: tuple[int, ...] = ()
    compression_methods: tuple[int, ...] = ()
    trouble: str = ""

    @property
    def supported_versions(self) -> tuple[int, ...]:
        """The versions of that extension, GREASE left out; empty when it is absent."""
        data = self.extension(SUPPORTED_VERSIONS)
        if data is None:
            return ()
        return tuple(v for v in _numbers(_Cursor(data).vector(1, "versions")) if not is_grease(v))

    @property
    def highest_version(self) -> int:
        """The highest version offered: of supported_versions, else client_version (RFC 8446 §4.2.1)."""
        return max(self.supported_versions, key=version_rank, default=self.version)

    @property
    def server_name(self) -> bytes:
        """The first host_name of the extension server_name (RFC 6066 §3)."""
        data = self.extension(SERVER_NAME)
        if data is None:
            return b""
        cursor = _Cursor(_Cursor(data).vector(2, "server_name_list"))
        while cursor.left() >= 3:
            kind = cursor.number(1, "name_type")
            name = cursor.vector(2, "host_name")
            if kind == 0:
                return name
        return b""

    @property
    def psk_identities(self) -> tuple[PskIdentity, ...]:
        """Identities of the extension pre_shared_key (RFC 8446 §4.2.11)."""
        data = self.extension(PRE_SHARED_KEY)
        if data is None:
            return ()
        cursor = _Cursor(_Cursor(data).vector(2, "identities"))
        found: list[PskIdentity] = []
        while cursor.left() >= 6 and len(found) < _MAX_EXTENSIONS:
            identity = cursor.vector(2, "identity")
            found.append(PskIdentity(identity, cursor.number(4, "obfuscated_ticket_age")))
        return tuple(found)

    @property
    def psk_key_exchange_modes(self) -> tuple[int, ...]:
        """RFC 8446 §4.2.9: 0 psk_ke, 1 psk_dhe_ke."""
        data = self.extension(PSK_KEY_EXCHANGE_MODES)
        return () if data is None else tuple(_Cursor(data).vector(1, "ke_modes"))


@dataclass(slots=True, frozen=True)
class ServerHello(_Extended):
    """RFC 5246 §7.4.1.3, RFC 8446 §4.1.3; a HelloRetryRequest has this form too."""

    version: int = 0  # server_version, called legacy_version in TLS 1.3
    random: bytes = b""
    session_id: bytes = b""
    cipher_suite: int = 0
    compression_method: int = 0
    trouble: str = ""

    @property
    def hello_retry_request(self) -> bool:
        """It is a HelloRetryRequest (RFC 8446 §4.1.3)."""
        return self.random == HELLO_RETRY_REQUEST_RANDOM

    @property
    def selected_version(self) -> int:
        """The version negotiated: of the extension supported_versions, else server_version (RFC 8446 §4.2.1)."""
        data = self.extension(SUPPORTED_VERSIONS)
        return data[0] << 8 | data[1] if data is not None and len(data) == 2 else self.version

    @property
    def selected_identity(self) -> int | None:
        """Index into the client's psk_identities (RFC 8446 §4.2.11)."""
        data = self.extension(PRE_SHARED_KEY)
        return int.from_bytes(data, "big") if data is not None and len(data) == 2 else None

    @property
    def downgrade_sentinel(self) -> int:
        """1 or 2 for the octets that a TLS 1.3 server sends when it selects TLS 1.2, or less; 0 for none."""
        tail = self.random[-8:]
        return DOWNGRADE_SENTINELS.index(tail) + 1 if tail in DOWNGRADE_SENTINELS else 0


@dataclass(slots=True, frozen=True)
class Certificates:
    """Certificate list of one side, leaf first, each as DER (RFC 5246 §7.4.2, RFC 8446 §4.4.2)."""

    certificates: tuple[bytes, ...]
    certificate_request_context: bytes = b""
    trouble: str = ""


@dataclass(slots=True, frozen=True)
class KeyExchange:
    """What a ServerKeyExchange or ClientKeyExchange says in clear, by the suite's key exchange."""

    psk_identity_hint: bytes | None = None
    psk_identity: bytes | None = None
    group: int | None = None  # NamedGroup of ECDHE
    dh_p: bytes = b""
    public: bytes = b""  # Ys, Yc, the point, or the encrypted premaster secret
    trouble: str = ""


@dataclass(slots=True, frozen=True)
class Ssl2ServerHello:
    """SSL 2.0 protocol C.6."""

    session_id_hit: int
    certificate_type: int
    version: int
    certificate: bytes
    cipher_specs: tuple[int, ...]
    connection_id: bytes
    trouble: str = ""


@dataclass(slots=True, frozen=True)
class Ssl2ClientMasterKey:
    """SSL 2.0 protocol C.7."""

    cipher_kind: int
    clear_key: bytes
    encrypted_key: bytes
    key_arg: bytes
    trouble: str = ""


def _extensions(cursor: _Cursor) -> tuple[tuple[int, bytes], ...]:
    if cursor.left() == 0:
        return ()
    inner = _Cursor(cursor.vector(2, "extensions"))
    found: list[tuple[int, bytes]] = []
    while inner.left() >= 4 and len(found) < _MAX_EXTENSIONS:
        number = inner.number(2, "extension_type")
        found.append((number, inner.vector(2, f"extension {number}")))
    if not cursor.trouble:
        if inner.trouble:
            cursor.trouble = inner.trouble
        elif inner.left():
            cursor.trouble = f"{inner.left()} octets behind the last extension"
    return tuple(found)


def parse_client_hello(body: bytes, *, dtls: bool = False) -> ClientHello | None:
    """A ClientHello; None when version and random are not whole."""
    if len(body) < 34:
        return None
    cursor = _Cursor(body, 34)
    session_id = cursor.vector(1, "session_id")
    cookie = cursor.vector(1, "cookie") if dtls else b""
    suites = cursor.vector(2, "cipher_suites")
    if len(suites) % 2 and not cursor.trouble:
        cursor.trouble = "cipher_suites of odd length"
    methods = cursor.vector(1, "compression_methods")
    return ClientHello(
        extensions=_extensions(cursor),
        version=body[0] << 8 | body[1],
        random=body[2:34],
        session_id=session_id,
        cookie=cookie,
        cipher_suites=_numbers(suites),
        compression_methods=tuple(methods),
        trouble=cursor.trouble or _behind(cursor),
    )


def parse_server_hello(body: bytes) -> ServerHello | None:
    """A ServerHello or HelloRetryRequest; None when the part up to the suite is not whole."""
    if len(body) < 37:
        return None
    cursor = _Cursor(body, 34)
    session_id = cursor.vector(1, "session_id")
    if cursor.left() < 2:
        return None
    cipher_suite = cursor.number(2, "cipher_suite")
    method = cursor.number(1, "compression_method")
    return ServerHello(
        extensions=_extensions(cursor),
        version=body[0] << 8 | body[1],
        random=body[2:34],
        session_id=session_id,
        cipher_suite=cipher_suite,
        compression_method=method,
        trouble=cursor.trouble or _behind(cursor),
    )


def _behind(cursor: _Cursor) -> str:
    return f"{cursor.left()} octets behind the message at {cursor.at}" if cursor.left() else ""


def parse_certificate(body: bytes, version: int = 0x0303) -> Certificates:
    """A Certificate message: in TLS 1.3 with a context and extensions (RFC 8446 §4.4.2). 64 are read at most."""
    cursor = _Cursor(body)
    tls13 = is_tls13(version)
    context = cursor.vector(1, "certificate_request_context") if tls13 else b""
    inner = _Cursor(cursor.vector(3, "certificate_list"))
    found: list[bytes] = []
    while inner.left() >= 3 and len(found) < _MAX_CERTIFICATES:
        found.append(inner.vector(3, "certificate"))
        if tls13:
            inner.vector(2, "certificate extensions")
    return Certificates(tuple(found), context, cursor.trouble or inner.trouble or _behind(inner) or _behind(cursor))


def parse_server_key_exchange(body: bytes, suite: CipherSuite) -> KeyExchange:
    """A ServerKeyExchange under a suite (RFC 5246 §7.4.3, RFC 4279 §2 to §4, RFC 5489 §2, RFC 8422 §5.4)."""
    cursor = _Cursor(body)
    hint = cursor.vector(2, "psk_identity_hint") if suite.psk else None
    group: int | None = None
    dh_p = public = b""
    kind = suite.key_exchange
    if kind in ("ECDHE", "ECDH_anon", "ECDHE_PSK"):
        curve_type = cursor.number(1, "curve_type")
        if curve_type == 3:
            group = cursor.number(2, "named_curve")
            public = cursor.vector(1, "public")
    elif kind in ("DHE", "DH_anon", "DHE_PSK"):
        dh_p = cursor.vector(2, "dh_p")
        cursor.vector(2, "dh_g")
        public = cursor.vector(2, "dh_Ys")
    return KeyExchange(hint, None, group, dh_p, public, cursor.trouble)


def parse_client_key_exchange(body: bytes, suite: CipherSuite) -> KeyExchange:
    """A ClientKeyExchange under a suite (RFC 5246 §7.4.7, RFC 4279 §2 to §4, RFC 5489 §2)."""
    cursor = _Cursor(body)
    identity = cursor.vector(2, "psk_identity") if suite.psk else None
    public = b""
    kind = suite.key_exchange
    if cursor.left():
        if kind.startswith("ECDH"):
            public = cursor.vector(1, "ecdh_Yc")
        elif kind.startswith("DH") or kind == "RSA_PSK":
            public = cursor.vector(2, "public")
    return KeyExchange(None, identity, None, b"", public, cursor.trouble)


def parse_ssl2_client_hello(body: bytes) -> ClientHello | None:
    """An SSL 2.0 CLIENT-HELLO behind its message type; three-octet specs of TLS suites become their two octets."""
    if len(body) < 8:
        return None
    cursor = _Cursor(body)
    version = cursor.number(2, "version")
    lengths = [cursor.number(2, "length") for _ in range(3)]
    specs, session_id, challenge = (
        cursor.take(n, what) for n, what in zip(lengths, ("cipher_specs", "session_id", "challenge"), strict=True)
    )
    return ClientHello(
        version=version,
        random=challenge.rjust(32, b"\x00") if len(challenge) <= 32 else challenge[-32:],  # RFC 5246 E.2
        session_id=session_id,
        cipher_suites=_numbers(specs, 3),
        trouble=cursor.trouble or _behind(cursor),
    )


def parse_ssl2_server_hello(body: bytes) -> Ssl2ServerHello | None:
    """An SSL 2.0 SERVER-HELLO behind its message type."""
    if len(body) < 10:
        return None
    cursor = _Cursor(body, 4)
    lengths = [cursor.number(2, "length") for _ in range(3)]
    certificate, specs, connection_id = (
        cursor.take(n, what) for n, what in zip(lengths, ("certificate", "cipher_specs", "connection_id"), strict=True)
    )
    return Ssl2ServerHello(
        body[0],
        body[1],
        body[2] << 8 | body[3],
        certificate,
        _numbers(specs, 3),
        connection_id,
        cursor.trouble or _behind(cursor),
    )


def parse_ssl2_client_master_key(body: bytes) -> Ssl2ClientMasterKey | None:
    """An SSL 2.0 CLIENT-MASTER-KEY behind its message type: it names the cipher that is used."""
    if len(body) < 9:
        return None
    cursor = _Cursor(body)
    cipher_kind = cursor.number(3, "cipher_kind")
    lengths = [cursor.number(2, "length") for _ in range(3)]
    clear, encrypted, argument = (
        cursor.take(n, what)
        for n, what in zip(lengths, ("clear_key_data", "encrypted_key_data", "key_arg_data"), strict=True)
    )
    return Ssl2ClientMasterKey(cipher_kind, clear, encrypted, argument, cursor.trouble or _behind(cursor))
