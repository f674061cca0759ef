"""Session descriptions from bytes (RFC 8866), with what secures their media; attributes are taken apart when asked for.

Lines may end with CRLF or LF. Nothing here raises on any bytes: what is wrong with lines becomes a note, what is wrong
with an attribute is said by the attribute's record. Offsets count octets of the body.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from dissectors.notes import Note
from dissectors.sdp.capabilities.parse import (
    AttributeCapability,
    Configuration,
    attribute_capability,
    configuration,
    transport_capabilities,
)
from dissectors.sdp.crypto import Crypto, InlineKey, parse_crypto
from dissectors.sdp.transports import Transport, transport

__all__ = [
    "Attribute",
    "Candidate",
    "Crypto",
    "Fingerprint",
    "FloorId",
    "InlineKey",
    "KeyMgmt",
    "Media",
    "Origin",
    "RtpMap",
    "Section",
    "SessionDescription",
    "parse",
]

DIRECTIONS = (b"sendrecv", b"sendonly", b"recvonly", b"inactive")

FINGERPRINT_OCTETS: dict[bytes, int] = {
    b"sha-1": 20,
    b"sha-224": 28,
    b"sha-256": 32,
    b"sha-384": 48,
    b"sha-512": 64,
    b"shake128": 32,  # RFC 8692
    b"shake256": 64,
    b"md5": 16,
    b"md2": 16,
}
"""Octets of the hash functions that a=fingerprint may name (RFC 8122 §5)."""

FORBIDDEN_HASHES = frozenset((b"md5", b"md2"))
"""Hash functions that must not be used to compute or to verify a fingerprint (RFC 8122 §5)."""

_SECRET = frozenset((b"crypto", b"acap", b"k"))
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_HEX_PAIRS = re.compile(rb"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*+")
_DECIMAL = re.compile(rb"[0-9]{1,6}(?:\.[0-9]{1,6})?")


class Origin(NamedTuple):
    """The o= line (RFC 8866 §5.2); fields that are missing are empty."""

    username: bytes = b""
    sess_id: bytes = b""
    sess_version: bytes = b""
    nettype: bytes = b""
    addrtype: bytes = b""
    address: bytes = b""


class RtpMap(NamedTuple):
    """An a=rtpmap attribute (RFC 8866 §6.6)."""

    encoding: bytes
    clock: int  # Hz; 0 if it can't be read
    channels: int


class Candidate(NamedTuple):
    """An a=candidate attribute (RFC 8839 §5.1)."""

    component: int
    transport: bytes  # lower case
    address: bytes
    port: int
    type: bytes  # "host", "srflx", "prflx", "relay"


class FloorId(NamedTuple):
    """An a=floorid attribute (RFC 8856 §5.4)."""

    id: int
    labels: tuple[bytes, ...]  # of the media streams


@dataclass(slots=True)
class Attribute:
    """One a= line (or k= line, named b"k") with its place in the body."""

    name: bytes
    value: bytes
    offset: int  # of the line
    length: int  # of the line, without its line end

    def __repr__(self) -> str:
        value = "…" if self.name in _SECRET else repr(self.value)
        return f"Attribute(name={self.name!r}, value={value}, offset={self.offset}, length={self.length})"


@dataclass(slots=True, frozen=True)
class KeyMgmt:
    """An a=key-mgmt attribute (RFC 4567 §3.1)."""

    protocol: bytes  # "mikey" is the only registered one; compared with case
    data: bytes  # base64 undone; b"" if it can't be
    error: str  # why the line is invalid; "" if it is valid
    offset: int
    length: int
    session_level: bool


@dataclass(slots=True, frozen=True)
class Fingerprint:
    """An a=fingerprint attribute (RFC 8122 §5)."""

    hash_function: bytes  # lower case
    digest: bytes
    error: str  # why the line is invalid; "" if it is valid
    offset: int
    length: int
    session_level: bool
    notes: tuple[str, ...] = ()

    @property
    def forbidden(self) -> bool:
        """The hash function must not be used."""
        return self.hash_function in FORBIDDEN_HASHES


class Section:
    """Lines of one level of a description: the session's, or those of one media section."""

    __slots__ = ("_attributes", "_index", "start", "text")

    def __init__(self, text: bytes, start: int) -> None:
        self.text = text  # begins with the first line's octets
        self.start = start  # of the text in the body
        self._attributes: tuple[Attribute, ...] | None = None
        self._index: dict[bytes, list[Attribute]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(start={self.start}, {len(self.text)} octets)"

    def __getstate__(self) -> tuple[bytes, int]:
        return self.text, self.start  # what was taken apart can be taken apart again

    def __setstate__(self, state: tuple[bytes, int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Section) and (self.text, self.start) == (other.text, other.start)

    def __hash__(self) -> int:
        return hash((self.text, self.start))

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """All a= lines in order."""
        if self._attributes is None:
            self._attributes = self._read()
        return self._attributes

    def _read(self) -> tuple[Attribute, ...]:
        out: list[Attribute] = []
        index = self._index
        pieces = self.text.split(b"\na=") if self.text[:2] != b"a=" else (b"\n" + self.text).split(b"\na=")
        at = self.start + len(pieces[0]) + 1 - (self.text[:2] == b"a=")
        for piece in pieces[1:]:
            end = piece.find(b"\n")
            line = piece if end < 0 else piece[:end]
            if line[-1:] == b"\r":
                line = line[:-1]
            name, _, value = line.partition(b":")
            attribute = Attribute(name, value, at, len(line) + 2)
            out.append(attribute)
            if name[-1:] in (b" ", b"\t"):
                name = name.rstrip()
            if name in index:
                index[name].append(attribute)
            else:
                index[name] = [attribute]
            at += len(piece) + 3
        return tuple(out)

    def all(self, name: bytes) -> list[Attribute]:
        """The attributes of that name, in order; names are compared with case (RFC 8866 §6)."""
        if self._attributes is None:
            self._attributes = self._read()
        return self._index.get(name, [])

    def first(self, name: bytes) -> Attribute | None:
        """The first attribute of that name."""
        found = self.all(name)
        return found[0] if found else None

    def value(self, name: bytes) -> bytes:
        """The value of the first attribute of that name without white space around it; b"" if there is none."""
        found = self.all(name)
        return found[0].value.strip() if found else b""

    def lines(self, kind: bytes) -> list[Attribute]:
        """Lines of another type, named by their letter."""
        out: list[Attribute] = []
        key = b"\n" + kind + b"="
        at = 0 if self.text[:2] == key[1:] else self.text.find(key) + 1 or -1
        while at >= 0:
            end = self.text.find(b"\n", at)
            line = self.text[at : end if end >= 0 else len(self.text)].rstrip(b"\r")
            out.append(Attribute(kind, line[2:], self.start + at, len(line)))
            at = self.text.find(key, at) + 1 or -1
        return out

    def line(self, kind: bytes) -> Attribute | None:
        """The first line of another type."""
        key = kind + b"="
        if self.text[:2] == key:
            at = 0
        else:
            at = self.text.find(b"\n" + key) + 1
            if not at:
                return None
        end = self.text.find(b"\n", at)
        line = self.text[at : end if end >= 0 else len(self.text)].rstrip(b"\r")
        return Attribute(kind, line[2:], self.start + at, len(line))

    def fingerprints(self, *, session_level: bool) -> tuple[Fingerprint, ...]:
        """The a=fingerprint lines of this level."""
        return tuple(read_fingerprint(attribute, session_level) for attribute in self.all(b"fingerprint"))

    def key_mgmt(self, *, session_level: bool) -> tuple[KeyMgmt, ...]:
        """The a=key-mgmt lines of this level."""
        return tuple(read_key_mgmt(attribute, session_level) for attribute in self.all(b"key-mgmt"))

    def crypto(self) -> tuple[Crypto, ...]:
        """The a=crypto lines of this level; a tag that was used before is an error (RFC 4568 §4.1)."""
        out: list[Crypto] = []
        tags: set[int] = set()
        for attribute in self.all(b"crypto"):
            crypto = parse_crypto(attribute.value, attribute.offset, attribute.length)
            if crypto.tag in tags and crypto.tag >= 0 and not crypto.error:
                crypto = _with_error(crypto, "tag used before in the media section")
            tags.add(crypto.tag)
            out.append(crypto)
        return tuple(out)

    def capability_crypto(self) -> tuple[Crypto, ...]:
        """Crypto lines inside capabilities, `a=acap:N crypto:…` (RFC 5939 §3.4.2)."""
        out: list[Crypto] = []
        for attribute in self.all(b"acap"):
            _, _, capability = attribute.value.strip().partition(b" ")
            name, _, value = capability.lstrip().partition(b":")
            if name == b"crypto":
                out.append(parse_crypto(value, attribute.offset, attribute.length))
        return tuple(out)

    def words(self, name: bytes) -> tuple[bytes, ...]:
        """The words of the first attribute of that name."""
        return tuple(self.value(name).split())

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """The values of all attributes of that name."""
        return tuple(attribute.value.strip() for attribute in self.all(name))


_EMPTY = Section(b"", 0)


@dataclass(slots=True)
class Media:
    """One m= line with its section. Attributes inherit from the session where their definitions say so."""

    index: int  # from 0
    media: bytes  # "audio", "video", "message" … as sent
    port: int  # -1 if it can't be one
    port_count: int
    proto: bytes  # as sent
    formats: tuple[bytes, ...]
    connection: bytes  # address of the own c= line or the session's, without TTL; b"" if there is none
    section: Section = field(default_factory=lambda: _EMPTY, repr=False)
    session: Section = field(default_factory=lambda: _EMPTY, repr=False)
    _crypto: tuple[Crypto, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def type(self) -> bytes:
        """The media type, lower case."""
        return self.media.lower()

    @property
    def transport(self) -> str:
        """The proto token in upper case."""
        return transport(self.proto).name

    @property
    def profile(self) -> Transport:
        """What the proto token stands for."""
        return transport(self.proto)

    @property
    def offset(self) -> int:
        """Where the m= line begins in the body."""
        return self.section.start

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """All a= lines of the section, in order."""
        return self.section.attributes

    def attribute(self, name: bytes) -> Attribute | None:
        """The first attribute of that name, of the section or else of the session."""
        return self.section.first(name) or self.session.first(name)

    def _inherited(self, name: bytes) -> bytes:
        return self.section.value(name) if self.section.first(name) else self.session.value(name)

    @property
    def direction(self) -> bytes:
        """sendrecv, sendonly, recvonly or inactive; the session's by default, then sendrecv (RFC 8866 §6.7)."""
        for section in (self.section, self.session):
            for name in DIRECTIONS:
                if section.all(name):
                    return name
        return b"sendrecv"

    @property
    def rtpmaps(self) -> dict[int, RtpMap]:
        """Encodings by payload type; the first line of a type counts."""
        out: dict[int, RtpMap] = {}
        for value in self.section.values(b"rtpmap"):
            number, _, rest = value.partition(b" ")
            payload_type = _integer(number)
            if payload_type is None or not 0 <= payload_type <= 127:
                continue
            encoding, _, rates = rest.strip().partition(b"/")
            clock, _, channels = rates.partition(b"/")
            out.setdefault(payload_type, RtpMap(encoding, _integer(clock) or 0, _integer(channels) or 1))
        return out

    @property
    def fmtp(self) -> dict[bytes, bytes]:
        """Format parameters by format token; the first line of a format counts."""
        out: dict[bytes, bytes] = {}
        for value in self.section.values(b"fmtp"):
            name, _, text = value.partition(b" ")
            out.setdefault(name, text.strip())
        return out

    @property
    def ptime(self) -> float | None:
        """Milliseconds of media in a packet."""
        value = self.section.value(b"ptime")
        return float(value) if _DECIMAL.fullmatch(value) else None

    @property
    def rtcp(self) -> tuple[int, bytes | None] | None:
        """Port and, if given, address of a=rtcp (RFC 3605)."""
        words = self.section.value(b"rtcp").split()
        port = _port(words[0]) if words else -1
        if port < 0:
            return None
        return port, words[3] if len(words) > 3 else None

    @property
    def rtcp_mux(self) -> bool:
        """RTP and RTCP on one port (RFC 5761)."""
        return bool(self.section.all(b"rtcp-mux") or self.section.all(b"rtcp-mux-only"))

    @property
    def rtcp_rsize(self) -> bool:
        """Reduced-size RTCP (RFC 5506)."""
        return bool(self.section.all(b"rtcp-rsize"))

    @property
    def mid(self) -> bytes:
        """Identification of the line in groups (RFC 5888)."""
        return self.section.value(b"mid")

    @property
    def label(self) -> bytes:
        """Label of the stream (RFC 4574)."""
        return self.section.value(b"label")

    @property
    def bundle_only(self) -> bool:
        """Used only as a part of its bundle; the port is then 0 in an offer (RFC 9143 §6)."""
        return bool(self.section.all(b"bundle-only"))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """ICE candidates that can be read."""
        out: list[Candidate] = []
        for value in self.section.values(b"candidate"):
            words = value.split()
            if len(words) < 8 or words[6].lower() != b"typ":
                continue
            component, port = _integer(words[1]), _port(words[5])
            if component is not None and port >= 0:
                out.append(Candidate(component, words[2].lower(), words[4], port, words[7].lower()))
        return tuple(out)

    @property
    def crypto(self) -> tuple[Crypto, ...]:
        """The a=crypto lines of the section."""
        if self._crypto is None:
            self._crypto = self.section.crypto() if b"\na=crypto" in self.section.text else ()
        return self._crypto

    @property
    def capability_crypto(self) -> tuple[Crypto, ...]:
        """Crypto lines that are only offered as capabilities of this section."""
        return self.section.capability_crypto()

    @property
    def key_mgmt(self) -> tuple[KeyMgmt, ...]:
        """The a=key-mgmt lines of the section itself."""
        return self.section.key_mgmt(session_level=False)

    @property
    def key_mgmt_in_force(self) -> tuple[KeyMgmt, ...]:
        """Its own, or else the session's where the line's profile is a secure one (RFC 4567 §3.1, §5.2)."""
        own = self.key_mgmt
        if own or not self.profile.secure:
            return own
        return self.session.key_mgmt(session_level=True)

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """Its own, or else the session's (RFC 8122 §5)."""
        own = self.section.fingerprints(session_level=False)
        return own or self.session.fingerprints(session_level=True)

    @property
    def setup(self) -> bytes:
        """Who connects, lower case; b"" if neither the section nor the session says (RFC 4145 §4)."""
        return self._inherited(b"setup").lower()

    @property
    def connection_attr(self) -> bytes:
        """a=connection: new or existing, lower case; b"" if it is not given (RFC 4145 §5)."""
        return self._inherited(b"connection").lower()

    @property
    def tls_id(self) -> bytes:
        """Identification of the DTLS association (RFC 8842 §4)."""
        return self.section.value(b"tls-id")

    @property
    def path(self) -> tuple[bytes, ...]:
        """MSRP URIs, the first hop first (RFC 4975 §8.2)."""
        return self.section.words(b"path")

    @property
    def msrp_cema(self) -> bool:
        """The c= and m= lines say where to connect (RFC 6714)."""
        return bool(self.section.all(b"msrp-cema"))

    @property
    def accept_types(self) -> tuple[bytes, ...]:
        """Media types of messages (RFC 4975 §8.6)."""
        return self.section.words(b"accept-types")

    @property
    def accept_wrapped_types(self) -> tuple[bytes, ...]:
        """Media types inside of containers (RFC 4975 §8.6)."""
        return self.section.words(b"accept-wrapped-types")

    @property
    def max_size(self) -> int | None:
        """Most octets of a message (RFC 4975 §8.6)."""
        return _integer(self.section.value(b"max-size"))

    @property
    def bfcpver(self) -> tuple[int, ...]:
        """Versions of BFCP (RFC 8856 §5.5)."""
        return tuple(number for word in self.section.words(b"bfcpver") if (number := _integer(word)) is not None)

    @property
    def floorctrl(self) -> tuple[bytes, ...]:
        """Floor control roles (RFC 8856 §5.1)."""
        return self.section.words(b"floorctrl")

    @property
    def confid(self) -> int | None:
        """BFCP conference identifier."""
        return _integer(self.section.value(b"confid"))

    @property
    def userid(self) -> int | None:
        """BFCP user identifier."""
        return _integer(self.section.value(b"userid"))

    @property
    def floorid(self) -> tuple[FloorId, ...]:
        """Floors and the labels of their streams; `m-stream` counts as `mstrm` (RFC 8856 §5.4)."""
        out: list[FloorId] = []
        for value in self.section.values(b"floorid"):
            words = value.split()
            number = _integer(words[0]) if words else None
            if number is None:
                continue
            labels = [word for word in words[1:] if word]
            if labels and labels[0].partition(b":")[0].lower() in (b"mstrm", b"m-stream"):
                labels[0] = labels[0].partition(b":")[2]
            out.append(FloorId(number, tuple(label for label in labels if label)))
        return tuple(out)

    @property
    def e2ae(self) -> bytes:
        """Value of a=3ge2ae, lower case: requested or applied (TS 24.229 §7.5.2); b"" if it is not given."""
        return self.section.value(b"3ge2ae").lower()

    @property
    def zrtp_hash(self) -> tuple[bytes, ...]:
        """Values of a=zrtp-hash (RFC 6189 §8)."""
        return self.section.values(b"zrtp-hash")

    @property
    def acap(self) -> tuple[bytes, ...]:
        """Attribute capabilities as sent (RFC 5939)."""
        return self.section.values(b"acap")

    @property
    def tcap(self) -> tuple[bytes, ...]:
        """Transport capabilities as sent (RFC 5939)."""
        return self.section.values(b"tcap")

    @property
    def pcfg(self) -> tuple[bytes, ...]:
        """Potential configurations as sent (RFC 5939)."""
        return self.section.values(b"pcfg")

    @property
    def acfg(self) -> tuple[bytes, ...]:
        """Actual configurations as sent (RFC 5939)."""
        return self.section.values(b"acfg")

    @property
    def attribute_capabilities(self) -> tuple[AttributeCapability, ...]:
        """Attributes that may be used, of the section and of the session (RFC 5939 §3.4.2)."""
        values = (*self.session.values(b"acap"), *self.section.values(b"acap"))
        return tuple(found for value in values if (found := attribute_capability(value)) is not None)

    @property
    def transport_capabilities(self) -> dict[int, bytes]:
        """Transports that may be used, by their numbers, of the section and of the session (RFC 5939 §3.4.1)."""
        out: dict[int, bytes] = {}
        for value in (*self.session.values(b"tcap"), *self.section.values(b"tcap")):
            out |= transport_capabilities(value)
        return out

    @property
    def potential_configurations(self) -> tuple[Configuration, ...]:
        """What is offered instead of the m= line, the preferred one first (RFC 5939 §3.5.1)."""
        found = [each for value in self.pcfg if (each := configuration(value)) is not None]
        return tuple(sorted(found, key=lambda each: each.number))

    @property
    def actual_configuration(self) -> Configuration | None:
        """What was chosen of the offered configurations (RFC 5939 §3.5.2)."""
        return configuration(self.acfg[0]) if self.acfg else None

    @property
    def identity(self) -> tuple[bytes, ...]:
        """Identity assertions as sent, of the session (RFC 8827 §7.5)."""
        return self.session.values(b"identity")

    @property
    def rtcp_fb(self) -> tuple[bytes, ...]:
        """Feedback that is understood, as sent (RFC 4585 §4.2)."""
        return self.section.values(b"rtcp-fb")

    @property
    def ice(self) -> bool:
        """ICE is spoken of, here or for the session (RFC 8839)."""
        return self.attribute(b"ice-ufrag") is not None

    @property
    def k(self) -> Attribute | None:
        """The k= line of the section (obsolete, RFC 8866 §5.12)."""
        return self.section.line(b"k")


@dataclass(slots=True)
class SessionDescription:
    """A session description."""

    connection: bytes  # address of the session's c= line, without TTL; b"" if there is none
    media: list[Media]
    notes: list[Note] = field(default_factory=list)
    session: Section = field(default_factory=lambda: _EMPTY, repr=False)

    @property
    def origin(self) -> Origin:
        """The o= line."""
        line = self.session.line(b"o")
        return Origin(*line.value.split()[:6]) if line else Origin()

    @property
    def name(self) -> bytes:
        """The s= line."""
        line = self.session.line(b"s")
        return line.value if line else b""

    @property
    def times(self) -> tuple[tuple[bytes, bytes], ...]:
        """Start and stop of each t= line, as sent."""
        out: list[tuple[bytes, bytes]] = []
        for line in self.session.lines(b"t"):
            start, _, stop = line.value.strip().partition(b" ")
            out.append((start, stop.strip()))
        return tuple(out)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The session's a= lines, in order."""
        return self.session.attributes

    @property
    def bundle_groups(self) -> tuple[tuple[bytes, ...], ...]:
        """The mids of each BUNDLE group (RFC 9143)."""
        groups = (value.split() for value in self.session.values(b"group"))
        return tuple(tuple(words[1:]) for words in groups if words and words[0].upper() == b"BUNDLE")

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """The session's own a=fingerprint lines."""
        return self.session.fingerprints(session_level=True)

    @property
    def key_mgmt(self) -> tuple[KeyMgmt, ...]:
        """The session's own a=key-mgmt lines."""
        return self.session.key_mgmt(session_level=True)

    @property
    def setup(self) -> bytes:
        """a=setup of the session, lower case; b"" if it is not given."""
        return self.session.value(b"setup").lower()

    @property
    def crypto(self) -> tuple[Crypto, ...]:
        """a=crypto lines at session level, all of them invalid (RFC 4568 §4)."""
        return tuple(_with_error(crypto, "crypto attribute at session level") for crypto in self.session.crypto())

    @property
    def capability_crypto(self) -> tuple[Crypto, ...]:
        """Crypto lines that the session offers as capabilities."""
        return self.session.capability_crypto()

    @property
    def ice(self) -> bool:
        """The session has ICE credentials, or says that the agent is lite."""
        return self.session.first(b"ice-ufrag") is not None or self.session.first(b"ice-lite") is not None

    @property
    def k(self) -> Attribute | None:
        """The k= line of the session (obsolete, RFC 8866 §5.12)."""
        return self.session.line(b"k")


def parse(body: bytes) -> SessionDescription:
    """Dissect a session description; never raises."""
    notes: list[Note] = []
    first, *pieces = body.split(b"\nm=") if body[:2] != b"m=" else (b"\n" + body).split(b"\nm=")
    session = Section(first, 0)
    if first[:3] != b"v=0":
        notes.append(Note(0, "session description does not begin with v=0"))
    above = _connection(first)
    media: list[Media] = []
    at = len(first) + 1 if body[:2] != b"m=" else 0
    for index, piece in enumerate(pieces):
        end = piece.find(b"\n")
        words = (piece if end < 0 else piece[:end]).split(None, 3)
        if len(words) < 4:
            notes.append(Note(at, f"m= line has {len(words)} fields, not 4 or more"))
            words += [b""] * (4 - len(words))
        port_text, slash, count_text = words[1].partition(b"/")
        port = _port(port_text)
        if port < 0 and port_text:
            notes.append(Note(at, f"{_shown(port_text)} is no port"))
        count = 1
        if slash:
            count = _integer(count_text) or 0
            if not count:
                notes.append(Note(at, f"{_shown(count_text)} is no number of ports"))
                count = 1
        media.append(
            Media(
                index,
                words[0],
                port,
                count,
                words[2],
                tuple(words[3].split()),
                _connection(piece) or above,
                Section(b"m=" + piece, at),
                session,
            )
        )
        at += len(piece) + 3
    return SessionDescription(above, media, notes, session)


def _connection(text: bytes) -> bytes:
    """The address of the first c= line, without TTL and count."""
    at = text.find(b"\nc=")
    if at < 0:
        if text[:2] != b"c=":
            return b""
        at = -1
    end = text.find(b"\n", at + 1)
    words = text[at + 3 : end if end >= 0 else len(text)].split(None, 2)
    return words[2].partition(b"/")[0].strip() if len(words) > 2 else b""


def _integer(text: bytes) -> int | None:
    """A decimal of 18 digits at most; None for anything else."""
    text = text.strip()
    return int(text) if text.isdigit() and len(text) <= 18 else None


def _port(text: bytes) -> int:
    number = _integer(text)
    return number if number is not None and number <= 65535 else -1


def _shown(text: bytes) -> str:
    return ascii(text[:20].decode("latin-1"))


def _with_error(crypto: Crypto, error: str) -> Crypto:
    return Crypto(
        crypto.tag,
        crypto.suite,
        crypto.keys,
        crypto.session_params,
        error,
        crypto.masked,
        crypto.offset,
        crypto.length,
        crypto.fec_keys,
        crypto.notes,
    )


def read_fingerprint(attribute: Attribute, session_level: bool) -> Fingerprint:
    """Take an a=fingerprint attribute apart (RFC 8122 §5)."""
    name, _, text = attribute.value.strip().partition(b" ")
    hash_function, text = name.lower(), text.strip()
    error, digest = "", b""
    notes: tuple[str, ...] = ()
    if not text:
        error = "no fingerprint"
    elif not _HEX_PAIRS.fullmatch(text):
        error = "fingerprint is not made of hex pairs"
    else:
        digest = bytes.fromhex(text.replace(b":", b"").decode("ascii"))
        needed = FINGERPRINT_OCTETS.get(hash_function)
        if needed is None:
            error = "unknown hash function"
        elif len(digest) != needed:
            error = f"fingerprint has {len(digest)} octets, {hash_function.decode('ascii')} has {needed}"
        if text != text.upper():
            notes = ("fingerprint in lower case",)
    return Fingerprint(hash_function, digest, error, attribute.offset, attribute.length, session_level, notes)


def read_key_mgmt(attribute: Attribute, session_level: bool) -> KeyMgmt:
    """Take an a=key-mgmt attribute apart (RFC 4567 §3.1)."""
    value = attribute.value.rstrip(b" \t")
    value = value[1:] if value[:1] == b" " else value
    protocol, space, text = value.partition(b" ")
    data, error = b"", ""
    if not protocol:
        error = "no protocol identifier"
    elif not space or not text:
        error = "no key management data"
    elif not _BASE64.fullmatch(text):
        error = "key management data is not base64"
    else:
        text = text.rstrip(b"=")
        try:
            data = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            error = "key management data is not base64"
    if not error and protocol != b"mikey":
        error = "unknown key management protocol"
    return KeyMgmt(protocol, data, error, attribute.offset, attribute.length, session_level)
