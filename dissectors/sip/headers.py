"""Header fields that security rests on, as values: lists, quotes and parameters undone (RFC 3261 §7.3.1).

Nothing here raises on any bytes; what is missing is b"" or None. `values(message, name)` reads a header of a message.
"""

from __future__ import annotations

import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dissectors.sip.codes import KEY_PARAMETERS
from dissectors.sip.parse import (
    COMPACT_FORMS,
    QUOTED,
    SecurityMechanism,
    parameters,
    split_outside,
    unquoted,
    uri_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.sip.parse import SipMessage

_SPACE = b" \t\r\n"
_SENT_BY = re.compile(rb"(\[[^\]]*\]|[^: \t]*)[ \t]*(?::[ \t]*([0-9]{1,5}))?")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*\Z")
_PASSPORT_LIMIT = 1 << 16  # octets of a PASSporT that are looked at


@dataclass(slots=True, frozen=True)
class Via:
    """One hop of a Via (RFC 3261 §20.42)."""

    protocol: bytes  # "SIP/2.0"
    transport: bytes  # upper case
    host: bytes
    port: int | None
    parameters: dict[bytes, bytes]

    @property
    def branch(self) -> bytes:
        """Name of the transaction."""
        return self.parameters.get(b"branch", b"")

    @property
    def received(self) -> bytes:
        """Address that the request came from (RFC 3261 §18.2.1)."""
        return self.parameters.get(b"received", b"")

    @property
    def rport(self) -> int | None:
        """Port that the request came from; None if it is not told (RFC 3581 §3)."""
        return _number(self.parameters.get(b"rport", b""))


@dataclass(slots=True, frozen=True)
class NameAddr:
    """An address with its name and the header's parameters (RFC 3261 §20.10)."""

    display_name: bytes  # without quotes
    uri: bytes
    parameters: dict[bytes, bytes]  # names in lower case; a flag has the value b""

    @property
    def tag(self) -> bytes:
        """Tag of From and To."""
        return self.parameters.get(b"tag", b"")

    @property
    def isfocus(self) -> bool:
        """The address is the focus of a conference (RFC 4579 §4)."""
        return b"isfocus" in self.parameters

    @property
    def features(self) -> dict[bytes, bytes]:
        """Feature tags that are no parameters of the header itself: `+sip.instance`, `+g.3gpp.…` (RFC 3840 §9)."""
        return {name: value for name, value in self.parameters.items() if name[:1] == b"+"}


@dataclass(slots=True, frozen=True)
class ParameterValue:
    """A token with parameters: Event, Subscription-State, P-Access-Network-Info …"""

    value: bytes
    parameters: dict[bytes, bytes]


@dataclass(slots=True, frozen=True)
class ChargingVector:
    """A P-Charging-Vector (RFC 7315 §5.6)."""

    icid_value: bytes
    icid_generated_at: bytes
    orig_ioi: bytes
    term_ioi: bytes
    parameters: dict[bytes, bytes]


@dataclass(slots=True, frozen=True)
class SessionId:
    """A Session-ID (RFC 7989 §5)."""

    local: bytes  # UUID of the sender, lower case
    remote: bytes  # UUID of the receiver as far as the sender knows it


@dataclass(slots=True, frozen=True)
class DialogReference:
    """A dialog that Replaces, Join or Target-Dialog names (RFC 3891 §6.1, RFC 3911 §7.1, RFC 4538 §7)."""

    call_id: bytes
    from_tag: bytes  # Target-Dialog: local-tag
    to_tag: bytes  # Target-Dialog: remote-tag
    early_only: bool
    parameters: dict[bytes, bytes]


@dataclass(slots=True, frozen=True)
class Passport:
    """The token of an Identity (RFC 8225 §3, §4)."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes


@dataclass(slots=True, frozen=True)
class Identity:
    """An Identity (RFC 8224 §4)."""

    token: bytes  # header, payload and signature, the first two perhaps empty
    info: bytes  # where the certificate is
    algorithm: bytes
    extension: bytes  # ppt

    def passport(self) -> Passport | None:
        """The token in full form taken apart; None if it is in compact form or can't be read (RFC 8225 §7)."""
        pieces = self.token[:_PASSPORT_LIMIT].split(b".")
        if len(pieces) != 3:
            return None
        header, claims, signature = base64url_json(pieces[0]), base64url_json(pieces[1]), base64url(pieces[2])
        if header is None or claims is None or signature is None:
            return None
        return Passport(header, claims, signature)


@dataclass(slots=True, frozen=True)
class Credentials:
    """Challenge or credentials: WWW-Authenticate, Authorization and their like (RFC 3261 §20.7, §20.44)."""

    scheme: bytes  # lower case
    parameters: dict[bytes, bytes]  # quotes undone; keys (ik, ck) included
    token: bytes  # of schemes that have no parameters

    @property
    def aka(self) -> bool:
        """Digest by AKA (RFC 3310)."""
        return self.parameters.get(b"algorithm", b"").lower().startswith(b"akav")

    @property
    def holds_keys(self) -> bool:
        """IK or CK is there, which belong to the core alone (TS 24.229 §7.2A)."""
        return any(name in self.parameters for name in KEY_PARAMETERS)

    def __repr__(self) -> str:
        names = ", ".join(name.decode("ascii", "backslashreplace") for name in self.parameters)
        return f"Credentials(scheme={self.scheme!r}, parameters: {names})"


def via(value: bytes) -> Via:
    """One value of a Via."""
    head = split_outside(value, b";")[0]
    protocol_text, _, rest = head.replace(b" /", b"/").replace(b"/ ", b"/").strip().partition(b" ")
    name, _, transport = protocol_text.rpartition(b"/")
    sent_by = _SENT_BY.match(rest.strip())
    host, port = (sent_by[1], sent_by[2]) if sent_by else (b"", None)
    return Via(name, transport.upper(), host, _number(port or b""), parameters(value))


def name_addr(value: bytes) -> NameAddr:
    """One address with its parameters."""
    value = value.strip(_SPACE)
    at = _quoted_end(value)
    end = value.find(b"<", at)
    if value.find(b";", at, max(end, at)) >= 0:
        end = -1  # a bracket behind a semicolon belongs to a parameter
    display = unquoted(value[: max(end, 0)].strip(_SPACE))
    return NameAddr(display, uri_of(value), parameters(value))


def parameter_value(value: bytes) -> ParameterValue:
    """A token with parameters."""
    return ParameterValue(split_outside(value, b";")[0], parameters(value))


def security_mechanism(value: bytes) -> SecurityMechanism:
    """One mechanism of Security-Client, Security-Server or Security-Verify."""
    return SecurityMechanism(value.partition(b";")[0].strip().lower(), parameters(value))


def charging_vector(value: bytes) -> ChargingVector:
    """A P-Charging-Vector, which has parameters only."""
    found = parameters(b";" + value)
    return ChargingVector(
        found.get(b"icid-value", b""),
        found.get(b"icid-generated-at", b""),
        found.get(b"orig-ioi", b""),
        found.get(b"term-ioi", b""),
        found,
    )


def session_id(value: bytes) -> SessionId:
    """A Session-ID; one of RFC 7329 has no remote part."""
    return SessionId(value.partition(b";")[0].strip().lower(), parameters(value).get(b"remote", b"").lower())


def dialog_reference(value: bytes) -> DialogReference:
    """A Replaces, Join or Target-Dialog."""
    found = parameters(value)
    return DialogReference(
        value.partition(b";")[0].strip(),
        found.get(b"from-tag", found.get(b"local-tag", b"")),
        found.get(b"to-tag", found.get(b"remote-tag", b"")),
        b"early-only" in found,
        found,
    )


def identity(value: bytes) -> Identity:
    """An Identity; the signature of RFC 4474 alone stands in quotes."""
    found = parameters(value)
    info = found.get(b"info", b"")
    if info[:1] == b"<":
        info = info[1:].partition(b">")[0]
    return Identity(unquoted(split_outside(value, b";")[0]), info, found.get(b"alg", b""), found.get(b"ppt", b""))


def credentials(value: bytes) -> Credentials:
    """A challenge, credentials, or the parameters of Authentication-Info."""
    scheme, _, rest = value.strip(_SPACE).partition(b" ")
    if b"=" in scheme.rstrip(b"=") or not _SCHEME.match(scheme):
        scheme, rest = b"", value
    found: dict[bytes, bytes] = {}
    for word in split_outside(rest):
        name, equals, text = word.partition(b"=")
        if equals and text.strip(b"="):
            found.setdefault(name.strip().lower(), unquoted(text.strip()))
    return Credentials(scheme.lower(), found, rest.strip() if not found else b"")


def option_tag(value: bytes) -> bytes:
    """One option tag, lower case."""
    return value.strip().lower()


def base64url(text: bytes) -> bytes | None:
    """The octets of base64url text without padding; None if it is none (RFC 7515 §2)."""
    text = text.strip().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(text) % 4 == 1:
        return None
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        return None


def base64url_json(text: bytes) -> dict[str, Any] | None:
    """The JSON object in base64url text; None if there is none."""
    octets = base64url(text)
    if not octets:
        return None
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _quoted_end(value: bytes) -> int:
    """Where a quoted display name ends; 0 if there is none."""
    found = QUOTED.match(value)
    return found.end() if found else 0


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= 5 else None


READERS: dict[bytes, Callable[[bytes], object]] = {
    b"via": via,
    **dict.fromkeys(
        (
            b"from",
            b"to",
            b"contact",
            b"route",
            b"record-route",
            b"path",
            b"service-route",
            b"refer-to",
            b"referred-by",
            b"reply-to",
            b"p-asserted-identity",
            b"p-preferred-identity",
            b"p-associated-uri",
            b"p-called-party-id",
            b"p-served-user",
            b"history-info",
            b"diversion",
            b"remote-party-id",
            b"identity-info",
        ),
        name_addr,
    ),
    **dict.fromkeys((b"security-client", b"security-server", b"security-verify"), security_mechanism),
    **dict.fromkeys((b"replaces", b"join", b"target-dialog"), dialog_reference),
    **dict.fromkeys(
        (
            b"event",
            b"subscription-state",
            b"p-access-network-info",
            b"p-visited-network-id",
            b"content-type",
            b"content-disposition",
            b"session-expires",
        ),
        parameter_value,
    ),
    **dict.fromkeys((b"require", b"proxy-require", b"supported", b"unsupported"), option_tag),
    **dict.fromkeys(
        (
            b"authorization",
            b"proxy-authorization",
            b"www-authenticate",
            b"proxy-authenticate",
            b"authentication-info",
            b"proxy-authentication-info",
        ),
        credentials,
    ),
    b"p-charging-vector": charging_vector,
    b"session-id": session_id,
    b"identity": identity,
}
"""What reads a value of a header, by its canonical name."""

_WHOLE = frozenset((b"authentication-info", b"proxy-authentication-info", b"p-charging-vector"))


def values(message: SipMessage, name: bytes) -> list[Any]:
    """The values of a header in all its rows, lists taken apart; octets as sent where the header has no reader."""
    name = COMPACT_FORMS.get(name.lower(), name.lower())
    reader = READERS.get(name)
    rows = message.header(name) if name in _WHOLE else message.header_values(name)
    return [reader(row) if reader is not None else row for row in rows if row]
