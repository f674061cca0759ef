"""Layers of the attributes that bring keys, or say how they are agreed upon."""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, Any

from dissectors.sdp.crypto import crypto_troubles
from dissectors.sdp.fields import SDPValued, attribute, line, prefix, value_of
from dissectors.sdp.keying.codes import (
    CONNECTION_VALUES,
    CRYPTO_SESSION_PARAMETERS,
    E2AE_INDICATIONS,
    FEC_ORDERS,
    HASH_FUNCTIONS,
    KEY_LINE_METHODS,
    KEY_MANAGEMENT_PROTOCOLS,
    KEY_METHODS,
    SETUP_ROLES,
)
from dissectors.sdp.parse import Attribute, read_fingerprint, read_key_mgmt
from dissectors.sdp.suites import crypto_suite
from dissectors.text import (
    CONTENT,
    ITEM,
    Base64,
    Meant,
    Padding,
    Pieces,
    Separator,
    TextField,
    TextLayer,
    Word,
    from_base64,
    gap,
    layer_of,
    named_word,
    optional_gap,
    word,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

    from dissectors.sdp.suites import CryptoSuite

_EXPONENT_LIMIT = 64
_TOKEN68 = rb"[A-Za-z0-9+/]*"


# --- a=crypto -------------------------------------------------------------------------------------


def _suite_around(packet: Any) -> CryptoSuite | None:
    """The crypto suite of the line that a key parameter stands in."""
    while packet is not None:
        name = packet.fields.get("crypto_suite")
        if isinstance(name, bytes):
            return crypto_suite(name)
        packet = packet.parent
    return None


def _suite_meaning(packet: Any, name: bytes) -> str:
    suite = crypto_suite(name)
    if suite is None:
        return "unknown crypto suite"
    said = f"{suite.cipher}, key {suite.key} and salt {suite.salt} octets, tags {suite.srtp_tag} and {suite.srtcp_tag}"
    return said if suite.registered else f"{said}; not registered"


def _key_meaning(packet: Any, text: bytes) -> str:
    octets = from_base64(text)
    if octets is None:
        return "no base64"
    suite = _suite_around(packet)
    if suite is None or len(octets) != suite.length:
        return f"{len(octets)} octets: {octets.hex()}"
    return f"master key {octets[: suite.key].hex()}, master salt {octets[suite.key :].hex()}"


def _lifetime_meaning(packet: Any, text: bytes) -> str:
    power = text[2:] if text[:2] == b"2^" else b""
    if power.isdigit() and len(power) <= 2 and int(power) <= _EXPONENT_LIMIT:
        return f"{1 << int(power)} packets"
    return "packets" if text.isdigit() else "no number of packets"


def _mki_meaning(packet: Any, text: bytes) -> str:
    length = bytes(packet.mki_length)
    if not (text.isdigit() and length.isdigit() and len(length) <= 3 and len(text) <= 310 and 0 < int(length) <= 128):
        return ""
    number = int(text)
    return "" if number >> 8 * int(length) else f"in packets {number.to_bytes(int(length), 'big').hex()}"


class SDPKeyParam(TextLayer):
    """One key of a=crypto, `inline:<key and salt>|lifetime|MKI:length` (RFC 4568 §6.1)."""

    name = "SDP crypto key parameter"
    secret_fields = ("key_salt",)
    fields_desc = [
        Separator("separator", None, rb"[ \t]*;[ \t]*|"),
        Meant("method", b"inline", rb"[^:|]*(?=:)|", lambda pkt, x: KEY_METHODS.get(x.lower(), "unknown key method")),
        TextField("colon", b":", rb":|"),
        Meant("key_salt", b"", rb"[^|]*", _key_meaning),
        TextField("bar1", b"", rb"\|(?=[^|:]*(?:\||\Z))|"),
        Meant("lifetime", b"", rb"[^|]*", _lifetime_meaning),
        TextField("bar2", b"", rb"\||"),
        Meant("mki", b"", rb"[^|:]*", _mki_meaning),
        TextField("mki_colon", b"", rb":|"),
        TextField("mki_length", b"", rb"[^|]*"),
        TextField("unexplained", b"", rb".*"),
    ]


_KEY_PARAMS = (rb"(?:[ \t]*;)*[^ \t\r\n;]*(?:[ \t]*;[ \t]*[^ \t\r\n;]*)*+", rb"(?:[ \t]*;[ \t]*)?[^ \t;]*")


def _session_parameter_meaning(packet: Any, name: bytes) -> str:
    told = CRYPTO_SESSION_PARAMETERS.get(name.upper())
    if told is None:
        return "extension that may be ignored" if name[:1] == b"-" else "unknown mandatory parameter"
    return told


def _session_parameter_value(packet: Any, text: bytes) -> str:
    name = bytes(packet.parameter_name).upper()
    if name == b"KDR" and text.isdigit() and len(text) <= 2 and int(text) <= 24:
        return f"every {1 << int(text)} packets"
    return FEC_ORDERS.get(text.lower(), "") if name == b"FEC_ORDER" else ""


class SDPSessionParam(TextLayer):
    """A session parameter of a=crypto (RFC 4568 §6.3)."""

    name = "SDP crypto session parameter"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("parameter_name", b"", rb"[^=]*", _session_parameter_meaning),
        TextField("equals", b"", rb"=|"),
        Meant("parameter_value", b"", rb".*", _session_parameter_value),
    ]


class SDPUnknownSessionParam(SDPSessionParam):
    """What stands where session parameters do and is none that is known: perhaps a spoiled key (RFC 4568 §6.3.8)."""

    name = "SDP unknown crypto session parameter"
    secret_fields = ("parameter_name", "parameter_value")
    fields_desc = list(SDPSessionParam.fields_desc)


class SDPFecKey(TextLayer):
    """The keys of a forward error correction stream (RFC 4568 §6.3.5)."""

    name = "SDP crypto FEC_KEY"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("parameter_name", b"FEC_KEY", rb"[^=]*", _session_parameter_meaning),
        TextField("equals", b"=", rb"=|"),
        Pieces("key_params", *_KEY_PARAMS, lambda pkt, piece: SDPKeyParam, b";"),
        TextField("unexplained", b"", rb".*"),
    ]


_SHORT = 16  # octets of a value that is no key; the longest one of RFC 4568 has eight


def _session_param(pkt: Any, piece: bytes) -> type[Packet]:
    name, _, value = piece.strip(b" \t").partition(b"=")
    name = name.upper()
    if name == b"FEC_KEY":
        return SDPFecKey
    known = name in CRYPTO_SESSION_PARAMETERS or name[:1] == b"-"
    return SDPSessionParam if known and len(value) <= _SHORT else SDPUnknownSessionParam


class SDPCrypto(TextLayer):
    """An a=crypto attribute: suite, keys and session parameters of SRTP (RFC 4568 §9.1)."""

    name = "SDP crypto"
    fields_desc = line(
        prefix(b"crypto"),
        word("tag", b"1"),
        gap("space1"),
        Meant("crypto_suite", b"AES_CM_128_HMAC_SHA1_80", rb"[^ \t\r\n]*", _suite_meaning),
        gap("space2"),
        Pieces("key_params", *_KEY_PARAMS, lambda pkt, piece: SDPKeyParam, b";"),
        Pieces("session_params", CONTENT, ITEM, _session_param, b" ", lead=True),
    )

    def troubles(self) -> Iterator[str]:
        """Why the attribute is invalid (RFC 4568 §4, §6, §9)."""
        yield from crypto_troubles(value_of(self))


# --- key management and fingerprints --------------------------------------------------------------


def _key_management(pkt: Any, octets: bytes) -> type[Packet] | None:
    return layer_of("dissectors.mikey.layers", "MIKEY") if pkt.prtcl_id == b"mikey" else None


class SDPKeyMgmt(TextLayer):
    """An a=key-mgmt attribute with its message (RFC 4567 §3.1)."""

    name = "SDP key-mgmt"
    secret_fields = ("keymgmt_data",)  # where it is no layer of its own, which says by itself what is secret
    fields_desc = attribute(
        b"key-mgmt",
        Meant("prtcl_id", b"mikey", rb"[^ \t\r\n]*", lambda pkt, x: KEY_MANAGEMENT_PROTOCOLS.get(x, "unknown")),
        gap(),
        Base64("keymgmt_data", _TOKEN68, _key_management),
        Padding("padding", "keymgmt_data"),
    )

    def troubles(self) -> Iterator[str]:
        """Why the attribute is invalid (RFC 4567 §3.1)."""
        error = read_key_mgmt(Attribute(b"key-mgmt", value_of(self), 0, 0), False).error
        if error:
            yield error


def _fingerprint_meaning(packet: Any, text: bytes) -> str:
    return f"{len(text.strip().split(b':'))} octets"


class SDPFingerprint(TextLayer):
    """An a=fingerprint attribute: the hash of a certificate (RFC 8122 §5)."""

    name = "SDP fingerprint"
    fields_desc = attribute(
        b"fingerprint",
        Meant("hash_func", b"sha-256", rb"[^ \t\r\n]*", lambda pkt, x: HASH_FUNCTIONS.get(x.lower(), "unknown")),
        gap(),
        Meant("fingerprint", b"", CONTENT, _fingerprint_meaning),
    )

    def troubles(self) -> Iterator[str]:
        """Why the attribute is of no use (RFC 8122 §5)."""
        fingerprint = read_fingerprint(Attribute(b"fingerprint", value_of(self), 0, 0), False)
        if fingerprint.error:
            yield fingerprint.error
        elif fingerprint.forbidden:
            yield f"hash function {fingerprint.hash_function.decode('ascii')} must not be used"


class _OneOf(TextLayer):
    """An attribute whose value is one of some words."""

    known: dict[bytes, str] = {}

    def troubles(self) -> Iterator[str]:
        """A word that is none of them."""
        value = value_of(self).strip(b" \t")
        if value.lower() not in self.known:
            yield f"{value[:40].decode('latin-1')!a} is no value of this attribute"


class SDPSetup(_OneOf):
    """An a=setup attribute: who connects (RFC 4145 §4)."""

    name = "SDP setup"
    known = SETUP_ROLES
    fields_desc = attribute(b"setup", named_word("role", b"actpass", SETUP_ROLES))


class SDPConnectionAttribute(_OneOf):
    """An a=connection attribute: a new connection or the one there is (RFC 4145 §5)."""

    name = "SDP connection attribute"
    known = CONNECTION_VALUES
    fields_desc = attribute(b"connection", named_word("connection_value", b"new", CONNECTION_VALUES))


class SDP3ge2ae(_OneOf):
    """An a=3ge2ae attribute: protection between the UE and the access edge (TS 24.229 §7.5.2)."""

    name = "SDP 3ge2ae"
    known = E2AE_INDICATIONS
    fields_desc = attribute(b"3ge2ae", named_word("indicator", b"requested", E2AE_INDICATIONS))


class SDPTlsId(TextLayer):
    """An a=tls-id attribute: what names a DTLS association (RFC 8842 §4)."""

    name = "SDP tls-id"
    fields_desc = attribute(b"tls-id", word("tls_id"))

    def troubles(self) -> Iterator[str]:
        """20 to 255 letters, digits, `+`, `/`, `-` or `_`."""
        yield from super().troubles()
        text = bytes(self.tls_id)
        if not 20 <= len(text) <= 255:
            yield f"identifier has {len(text)} characters, 20 to 255 are needed"
        elif not all(one in _TLS_ID for one in text):
            yield "identifier has characters other than letters, digits and + / - _"


_TLS_ID = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class SDPZrtpHash(SDPValued):
    """An a=zrtp-hash attribute: version of ZRTP and hash of the Hello message (RFC 6189 §8)."""

    name = "SDP zrtp-hash"
    fields_desc = attribute(b"zrtp-hash", word("version", b"1.10"), gap(), word("hash_value"))


def _assertion_meaning(packet: Any, text: bytes) -> str:
    octets = from_base64(text)
    if octets is None:
        return "no base64"
    try:
        return json.dumps(json.loads(octets))
    except (ValueError, RecursionError):
        return f"{len(octets)} octets that are no JSON"


class SDPIdentity(SDPValued):
    """An a=identity attribute: an assertion of an identity provider, JSON in base64 (RFC 8827 §7.5)."""

    name = "SDP identity"
    fields_desc = attribute(
        b"identity",
        Meant("assertion", b"", rb"[^ \t\r\n]*", _assertion_meaning),
        optional_gap("space"),
        TextField("extensions", b"", CONTENT),
    )


def _key_line_meaning(packet: Any, text: bytes) -> str:
    if bytes(packet.method).lower() != b"base64":
        return ""
    try:
        return binascii.a2b_base64(text).hex()
    except binascii.Error:
        return "no base64"


class SDPKey(TextLayer):
    """A k= line: an encryption key, obsolete and never to be sent (RFC 8866 §5.12)."""

    name = "SDP key"
    secret_fields = ("encryption_key",)
    fields_desc = [
        TextField("prefix", b"k=", rb"k="),
        Meant("method", b"prompt", rb"[^:\r\n]*", lambda pkt, x: KEY_LINE_METHODS.get(x.lower(), "unknown method")),
        TextField("colon", b"", rb":|"),
        Meant("encryption_key", b"", CONTENT, _key_line_meaning),
        TextField("eol", b"\r\n", rb".*"),
    ]


# --- ICE ------------------------------------------------------------------------------------------


class SDPIceUfrag(SDPValued):
    """An a=ice-ufrag attribute: the name of an ICE agent (RFC 8839 §5.4)."""

    name = "SDP ice-ufrag"
    fields_desc = attribute(b"ice-ufrag", word("ufrag"))


class SDPIcePwd(SDPValued):
    """An a=ice-pwd attribute: the password of connectivity checks (RFC 8839 §5.4)."""

    name = "SDP ice-pwd"
    secret_fields = ("password",)
    fields_desc = attribute(b"ice-pwd", word("password"))


class SDPIceOptions(SDPValued):
    """An a=ice-options attribute (RFC 8839 §5.6)."""

    name = "SDP ice-options"
    fields_desc = attribute(b"ice-options", words("options", lambda pkt, piece: Word))


CANDIDATE_TYPES: dict[bytes, str] = {
    b"host": "an address of the host",
    b"srflx": "the address that a server saw",
    b"prflx": "the address that the peer saw",
    b"relay": "an address of a relay",
}
"""Types of ICE candidates (RFC 8839 §5.1)."""


class SDPCandidate(TextLayer):
    """An a=candidate attribute (RFC 8839 §5.1)."""

    name = "SDP candidate"
    fields_desc = attribute(
        b"candidate",
        word("foundation"),
        gap("space1"),
        named_word("component_id", b"1", {b"1": "RTP", b"2": "RTCP"}),
        gap("space2"),
        word("transport", b"UDP"),
        gap("space3"),
        word("priority"),
        gap("space4"),
        word("connection_address"),
        gap("space5"),
        word("port"),
        gap("space6"),
        TextField("typ", b"typ", rb"(?i:typ)(?=[ \t]|\Z)|"),
        gap("space7"),
        named_word("cand_type", b"host", CANDIDATE_TYPES),
        TextField("raddr", b"", rb"[ \t]+raddr[ \t]+|"),
        word("rel_addr"),
        TextField("rport", b"", rb"[ \t]+rport[ \t]+|"),
        word("rel_port"),
        TextField("extensions", b"", CONTENT),
    )

    def troubles(self) -> Iterator[str]:
        """Fields that are missing."""
        yield from super().troubles()
        if not self.typ or not self.cand_type:
            yield "candidate has no type"


KEYING_LAYERS: dict[bytes, type[Packet]] = {
    b"crypto": SDPCrypto,
    b"key-mgmt": SDPKeyMgmt,
    b"fingerprint": SDPFingerprint,
    b"setup": SDPSetup,
    b"connection": SDPConnectionAttribute,
    b"tls-id": SDPTlsId,
    b"3ge2ae": SDP3ge2ae,
    b"zrtp-hash": SDPZrtpHash,
    b"identity": SDPIdentity,
    b"ice-ufrag": SDPIceUfrag,
    b"ice-pwd": SDPIcePwd,
    b"ice-options": SDPIceOptions,
    b"candidate": SDPCandidate,
}
"""Layers by the names of their attributes."""
