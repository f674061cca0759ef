"""The model of what happened: plain typed records that can be pickled, each with the frames it was read from.

Times are integers, nanoseconds since 1970 (UTC). Frames are ids (`imsinspect.capture.frames`): capture index and frame
number in one integer. Identifiers from the wire (Call-ID, tags, URIs) stay bytes; the report turns them into text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from imsinspect.capture.media import MediaSample as MediaSample  # noqa: TC001  (named here for the rooms below)
from imsinspect.capture.media import SizeRun as SizeRun  # noqa: TC001  (named here for the rooms below)
from imsinspect.capture.rtcp import RtcpEnds as RtcpEnds  # noqa: TC001  (named here for the rooms below)
from imsinspect.capture.rtcp import RtcpSample as RtcpSample  # noqa: TC001  (named here for the rooms below)

if TYPE_CHECKING:
    from dissectors.cms.facts import MessageFacts
    from dissectors.sdp.parse import Media, SessionDescription
    from dissectors.sip.body import BodyPart
    from dissectors.sip.parse import SipMessage
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.floor import FloorConnection
    from imsinspect.trace.gateway import GatewayMessage
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyRecord
    from imsinspect.trace.pages import PageMessage
    from imsinspect.trace.security_agreement import MirroredAgreement


# --- captures and notes ---------------------------------------------------------------------------


@dataclass(slots=True)
class CaptureInfo:
    """One capture file, as read."""

    path: str
    format: str = ""  # "pcap", "pcapng", with " (gzip)" or " (zstd)" behind it
    link_types: list[str] = field(default_factory=list)
    packets: int = 0
    first_time: int | None = None
    last_time: int | None = None
    truncated: bool = False
    error: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Note:
    """Trouble in a message, a limit that bit, a rule that failed."""

    frame: FrameId | None
    text: str


@dataclass(slots=True, frozen=True)
class Unread:
    """Signalling, or what may be signalling, that passed and could not be read."""

    gap: str  # code of rules.md 0.6: "N-FRAG", "N-SIP"
    frame: FrameId
    reason: str  # one of few, without frames or addresses: equal ones are reported together


# --- signalling -----------------------------------------------------------------------------------


class Protection(Enum):
    """What protected the bytes of a signalling message where it was captured."""

    CLEAR = "clear"
    ESP_NULL = "esp-null"  # integrity only, readable
    TLS_NULL = "tls-null"  # integrity only, readable
    EXPORTED = "exported"  # a PDU exported by another tool, perhaps after decryption
    OPENED = "opened"  # encrypted on the wire, opened with keys


@dataclass(slots=True, frozen=True)
class SealedBody:
    """A CMS message in an S/MIME body, and what became of it."""

    content_type: str  # "id-envelopedData", "id-signedData" …; "" where it has none
    encrypted: bool
    opened: bool  # what it holds was read
    key: str = ""  # digest of the key-encryption key, or content-encryption key, that opened it
    detail: str = ""  # why it was not opened; a key that does not fit is said to be wrong
    depth: int = 0  # CMS messages around it
    facts: MessageFacts | None = field(default=None, compare=False)  # what protects it; None where it was not read


@dataclass(slots=True)
class SignallingMessage:
    """A SIP message with how it travelled. One packet sighted twice is one message with the frames of both."""

    frames: tuple[FrameId, ...]  # frames that carried its bytes, first sighting first
    time: int
    source: Endpoint
    destination: Endpoint
    transport: str  # "udp", "tcp", "sctp", "ws", "tls", "exported"
    protection: Protection
    sip: SipMessage
    sdp: tuple[SessionDescription, ...] = ()  # those that a key opened behind those that anybody could read
    hidden_sdp: int = 0  # how many of them a key opened
    sealed: tuple[SealedBody, ...] = ()  # S/MIME bodies, the outermost first
    unsealed: tuple[BodyPart, ...] = ()  # what was read out of them; those that a key opened last
    hidden_parts: int = 0  # how many of `unsealed` a key opened
    retransmission: bool = False  # byte-equal to an earlier message of the same hop (UDP)

    @property
    def frame(self) -> FrameId:
        """The frame in which the message became whole at its first sighting."""
        return self.frames[0]

    @property
    def readable_sdp(self) -> tuple[SessionDescription, ...]:
        """The descriptions that nothing inside the message encrypts."""
        return self.sdp[: len(self.sdp) - self.hidden_sdp]


# --- calls ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Description:
    """One party's session description in one message."""

    message: SignallingMessage
    sdp: SessionDescription


@dataclass(slots=True)
class Negotiation:
    """One offer and its answer, in one dialog, on one hop (RFC 3264).

    Offer and answer are never paired over hops: the answer carries the offer's top Via branch between the same two
    addresses, or stands in the same dialog between them (offer in 2xx, answer in ACK; PRACK).
    """

    call_id: bytes
    offerer_tag: bytes
    answerer_tag: bytes  # b"" while no answer was seen
    offer: Description
    answer: Description | None = None
    rejected: bool = False  # a final response refused the request that carried the offer
    provisional: bool = False  # the answer so far is only in an unreliable 18x
    offer_assumed: bool = False  # `offer` stands in a response whose request was not seen: it may be an answer
    side: str = "unknown"  # "access", "core", "unknown": of the hop between offerer and answerer
    ue: str = ""  # "offerer", "answerer": which of both is the UE of an access hop; "" where nothing shows it

    @property
    def complete(self) -> bool:
        """Both sides were seen."""
        return self.answer is not None


@dataclass(slots=True)
class LineState:
    """What one negotiation says of one media line, and while it holds."""

    negotiation: Negotiation
    offered: Media
    answered: Media | None
    begins: int  # time of the offer
    answered_at: int | None  # time of the answer; from here on the line is agreed
    ends: int | None = None  # time of the next agreed negotiation, or of the dialog's end

    @property
    def accepted(self) -> bool:
        """Answered with a port other than 0 (RFC 3264 §6)."""
        return self.answered is not None and self.answered.port != 0


@dataclass(slots=True)
class StreamUse:
    """A media or RTCP stream tied to the line that announced it."""

    stream: MediaStream | RtcpSource
    sender: str  # "offerer", "answerer": of the state that was in force; "unknown"
    because: str  # "destination", "source", "candidate", "bundle"
    party: bytes = b""  # dialog tag of the sender, which stays when offerer and answerer swap; b"" if unknown


@dataclass(slots=True)
class MediaLine:
    """One m= line of a call between two hops' addresses, over time."""

    id: str  # "call-3/0"; with several branches or hops "call-3.2/0"
    call: str
    index: int
    states: list[LineState] = field(default_factory=list)
    streams: list[StreamUse] = field(default_factory=list)
    rtcp: list[StreamUse] = field(default_factory=list)
    tls_sessions: list[TlsSession] = field(default_factory=list)
    connections: list[MediaConnection] = field(default_factory=list)  # between the ports that it announced
    msrp: list[MsrpSession] = field(default_factory=list)
    tls_servers: dict[str, bytes] = field(default_factory=dict)  # by session id: dialog tag of who announced its server
    side: str = "unknown"  # "access", "core", "unknown": of the hop that the line was read from


@dataclass(slots=True)
class Call:
    """An INVITE session: one Call-ID, with its dialogs (forks) and hops."""

    id: str  # "call-1" in order of first sight
    call_id: bytes
    from_uri: bytes
    to_uri: bytes
    first_time: int
    last_time: int
    state: str  # "trying", "early", "confirmed", "ended", "failed", "cancelled", "unknown" (capture began inside)
    side: str = "unknown"  # "access", "core", "unknown"
    messages: list[SignallingMessage] = field(default_factory=list)
    negotiations: list[Negotiation] = field(default_factory=list)
    lines: list[MediaLine] = field(default_factory=list)
    related: list[str] = field(default_factory=list)  # ids of other legs of the same call
    ended_at: int | None = None
    conference: str = ""  # id of the conference that it is a leg of


@dataclass(slots=True, frozen=True)
class MediaIndication:
    """What one message of a registration lists of media plane security (TS 24.229 §7.2A.7)."""

    header: str  # "Security-Client": the UE's own; "Security-Server": the network's; "Security-Verify": its echo
    mechanisms: tuple[str, ...]  # marked ;mediasec, in order; () where the header lists none
    frame: FrameId
    time: int
    ue: Endpoint
    edge: Endpoint


@dataclass(slots=True)
class Registration:
    """A REGISTER binding of one identity, with the security agreement it made."""

    id: str
    identity: bytes
    security: tuple[str, ...]  # mechanisms of Security-Server, e.g. "ipsec-3gpp"
    mediasec: tuple[str, ...]  # mechanisms marked ;mediasec that both sides named, the UE of itself
    messages: list[SignallingMessage] = field(default_factory=list)
    indications: list[MediaIndication] = field(default_factory=list)  # of both sides, in time order
    accepted: list[Place] = field(default_factory=list)  # 2xx that made or refreshed the binding
    removed: list[Place] = field(default_factory=list)  # 2xx that removed it

    def lasts_at(self, time: int) -> bool:
        """Whether the binding was accepted by then, and not removed since."""
        accepted, removed = (
            bisect_right(places, time, key=lambda place: place.time) for places in (self.accepted, self.removed)
        )
        return bool(accepted) and (not removed or self.removed[removed - 1].time < self.accepted[accepted - 1].time)


# --- media ----------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Place:
    """A moment in the capture."""

    frame: FrameId
    time: int


@dataclass(slots=True, frozen=True)
class Judgement:
    """Whether media is clear or protected, and what decided (rules.md 0.7)."""

    kind: str  # "rtp" (clear), "srtp", "unknown"
    confidence: str  # "proven", "strong", "heuristic"; "" for unknown
    tests: tuple[str, ...] = ()  # "size", "structure", "entropy", "dtmf", "keyed"
    observed: str = ""  # e.g. "payload 160 octets (PCMU, 20 ms)"
    expected: str = ""  # e.g. "170 octets with an 80-bit tag"
    frames: tuple[FrameId, ...] = ()  # packets that show it: first and last
    packets: int = 0
    readable: bool = False  # lengths have room for a tag, yet content reads as clear: SRTP with a NULL cipher
    other_part: Judgement | None = None  # where some packets are clear and others protected: of the fewer ones


@dataclass(slots=True, frozen=True)
class KeyPlace:
    """Where a master key stands, and whose media it is meant for."""

    kind: str  # "sdes", "mikey", "dtls", "key file"
    frame: FrameId | None  # None: the user's file
    field: str  # "a=crypto:1", "MIKEY TGK, crypto session 2", "client key", the key file's "of"
    call: str = ""  # ids in the trace
    line: str = ""
    party: bytes = b""  # dialog tag of who protects media with it; b"" if either may
    agreed: bool = True  # not only offered
    begins: int = 0  # time from which it may be used
    source: str = ""  # digest of the MIKEY key that it comes from, as it was sent


@dataclass(slots=True)
class MasterKey:
    """A master key and salt that was found, by its digest; the secret itself stays in the ring (imsinspect.keys)."""

    digest: str  # SHA-256 of master key and salt, 64 hex digits; a report shows the first 8
    suite: str
    lifetime: int | None = None  # packets of SRTP, as signalled or of the suite
    places: list[KeyPlace] = field(default_factory=list)
    srtp_packets: int = 0  # proven to be protected with it, of all streams
    srtcp_packets: int = 0
    streams: list[str] = field(default_factory=list)  # ids of streams and RTCP sources

    @property
    def exceeded(self) -> bool:
        """More packets than its lifetime were protected with it (RFC 4568 §6.1)."""
        return self.lifetime is not None and max(self.srtp_packets, self.srtcp_packets) > self.lifetime


BOTH_DIRECTIONS, LINES, BUNDLED_LINES, CALLS, ADDRESS_CHANGED, REKEY_CHANGED_NOTHING = (
    "both directions", "lines", "bundled lines", "calls", "address changed", "re-key changed nothing",
)  # fmt: skip
"""Where a key may come again."""


@dataclass(slots=True, frozen=True)
class KeyRepeat:
    """A master key that stands where a new one is due."""

    kind: str  # "both directions" …
    key: str  # digest
    places: tuple[KeyPlace, ...]


@dataclass(slots=True)
class KeyUse:
    """A run of packets of one sender that one key protects, proven by their tags."""

    key: str  # digest
    suite: str
    relation: str  # "agreed"; else what is wrong: "offered", "other direction", "other line", "other call" …
    first: FrameId
    last: FrameId
    packets: int
    first_index: int  # SRTP: rollover counter and sequence number; SRTCP: index
    last_index: int
    begins: int = 0  # time of the first


@dataclass(slots=True, frozen=True)
class Failure:
    """A packet whose key is known and that does not verify, with what is the matter."""

    frame: FrameId
    diagnosis: str  # of imsinspect.keys.diagnosis
    detail: str = ""  # in words, without secrets


@dataclass(slots=True, frozen=True)
class Replay:
    """An authentic packet that came again, octet by octet, towards one destination."""

    first: FrameId
    second: FrameId
    gap: int  # nanoseconds between them
    distance: int  # indices by which others had gone beyond it when it came again
    same_source: bool  # both came from one address and port


@dataclass(slots=True)
class Proof:
    """What the keys of the trace and of the user prove about the packets of one sender."""

    packets: int = 0  # that were checked: verified, failed and replayed
    verified: int = 0
    failed: int = 0
    replayed: int = 0  # authentic, with an index that was seen before
    in_clear: int = 0  # of the failed: plain RTP or RTCP
    unchecked: int = 0  # cut by the snap length, or of a suite without tags
    uses: list[KeyUse] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # the first ones
    first_failed: FrameId | None = None
    last_failed: FrameId | None = None
    diagnosis: str = ""  # of most failures
    diagnoses: dict[str, int] = field(default_factory=dict)
    replays: list[Replay] = field(default_factory=list)  # in the order of the capture; of many those farthest apart
    keys_tried: int = 0

    @property
    def key(self) -> str:
        """Digest of the key that most packets verify with; "" if none does."""
        return max(self.uses, key=lambda use: use.packets).key if self.uses else ""


@dataclass(slots=True, frozen=True)
class KeystreamReuse:
    """Two packets under one keystream: key, salt, SSRC and index are equal, their ciphertexts are not."""

    key: str  # digest
    ssrc: int
    index: int
    rtcp: bool
    first: FrameId
    second: FrameId
    first_stream: str  # ids of streams or RTCP sources
    second_stream: str
    packets: int  # pairs of these two streams, this one being the first


@dataclass(slots=True)
class MediaStream:
    """One RTP or SRTP stream: a 5-tuple and an SSRC."""

    id: str  # "stream-1" in order of first packet
    ssrc: int
    source: Endpoint
    destination: Endpoint
    packets: int  # a packet sighted twice counts once
    lost: int
    first: Place
    last: Place
    lowest: int  # extended sequence numbers, the first packet's being 0..65535
    highest: int
    sighted_again: int = 0
    sizes: list[SizeRun] = field(default_factory=list)
    samples: list[MediaSample] = field(default_factory=list)  # some of the first, some spread over it, in time order
    in_sequence: bool = True  # two packets followed one another (RFC 3550 A.1)
    backward: int = 0  # packets whose sequence number was not above the one before
    proof: Proof | None = None  # None: no key that could fit is known
    judgement: Judgement = field(default_factory=lambda: Judgement("unknown", ""))
    tunnels: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """ "rtp", "srtp" or "unknown"."""
        return self.judgement.kind


@dataclass(slots=True, frozen=True)
class SrtcpLayout:
    """How the SRTCP of one source is laid out, found from its index words (srtp.md 9.1)."""

    tag_octets: int  # 10, 4, 16 (AEAD) or 0
    mki_octets: int
    encrypted: bool | None  # the E bit; None if it varies
    aead: bool
    pairs: int  # successive packets whose index followed one another

    @property
    def overhead(self) -> int:
        """Octets added to the RTCP compound."""
        return 4 + self.tag_octets + self.mki_octets


@dataclass(slots=True)
class RtcpSource:
    """The RTCP-type datagrams (packet types 192 to 223) of one sender on one 5-tuple."""

    id: str
    ssrc: int  # of the first packet of the compound
    source: Endpoint
    destination: Endpoint
    packets: int
    first: Place
    last: Place
    plain: int = 0  # datagrams whose compound lengths add up to exactly the payload
    first_plain: FrameId = 0
    last_plain: FrameId = 0
    plain_samples: list[RtcpSample] = field(default_factory=list)
    other_samples: list[RtcpSample] = field(default_factory=list)
    ends: RtcpEnds | None = field(default=None, repr=False, compare=False)  # of those behind the samples, not plain
    layout: SrtcpLayout | None = None  # of the datagrams that are not plain
    multiplexed: bool = False  # on a 5-tuple that also carries RTP
    proof: Proof | None = None


# --- TLS and DTLS ---------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class CertificateInfo:
    """A certificate seen in a handshake, leaf first in its list."""

    sha256: str  # of the DER, lower-case hex
    subject: str
    issuer: str
    not_before: str  # ISO 8601
    not_after: str
    serial: str
    public_key: str  # "RSA 2048", "EC secp256r1"
    signature: str  # "sha256WithRSAEncryption"
    der: bytes = b""


@dataclass(slots=True)
class Hello:
    """One ClientHello or ServerHello of a session."""

    frame: FrameId
    time: int
    version: int  # code point that the hello stands for (supported_versions respected)
    cipher_suites: tuple[int, ...]  # offered, or the one selected
    use_srtp: tuple[int, ...] = ()
    random: bytes = b""
    session_id: bytes = b""
    server_name: str = ""
    legacy_version: int = 0  # of the hello's own field, before supported_versions
    offered_versions: tuple[int, ...] = ()  # ClientHello: supported_versions without GREASE; () without that extension
    extensions: tuple[
        int, ...
    ] = ()  # types in the order sent, e.g. 23 extended_master_secret, 65281 renegotiation_info
    compression_methods: tuple[int, ...] = ()  # offered, or the one selected
    srtp_mki: bytes = b""
    psk_key_exchange_modes: tuple[int, ...] = ()  # TLS 1.3 ClientHello
    downgrade_sentinel: int = 0  # ServerHello: 1 or 2 where the random ends with it (RFC 8446 §4.1.3)
    hello_retry_request: bool = False  # ClientHello: the second one, which a HelloRetryRequest asked for


@dataclass(slots=True)
class OpenedData:
    """Application data that a NULL cipher left readable, or that secrets opened."""

    frame: FrameId
    time: int
    from_client: bool
    data: bytes


@dataclass(slots=True, frozen=True)
class SrtpKeying:
    """SRTP master keys and salts that a DTLS handshake gives (RFC 5764 §4.2): each side protects with its own."""

    profile: int
    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    client_salt: bytes = field(repr=False)
    server_salt: bytes = field(repr=False)
    mki: bytes = b""
    time: int = 0  # when the handshake selected the profile
    frame: FrameId = 0  # of the message that did


@dataclass(slots=True)
class TlsSession:
    """A TLS or DTLS connection: what its handshake says."""

    id: str
    transport: str  # "tls", "dtls"
    client: Endpoint
    server: Endpoint
    first: Place
    last: Place
    client_hellos: list[Hello] = field(default_factory=list)
    server_hellos: list[Hello] = field(default_factory=list)  # every one: renegotiation selects anew
    version: str = ""  # "TLS 1.2", "DTLS 1.0", "SSL 2.0"; "" while unknown
    cipher_suite: int | None = None  # of the last ServerHello; in SSL 2.0 three octets
    cipher_suite_name: str = ""
    psk: bool = False
    psk_identity: bytes | None = None
    psk_hint: bytes | None = None
    client_certificates: list[CertificateInfo] = field(default_factory=list)
    server_certificates: list[CertificateInfo] = field(default_factory=list)
    certificate_requested: bool = False
    server_hello_done: FrameId | None = None
    client_certificate_frame: FrameId | None = None  # of the client's first Certificate message, which may be empty
    server_certificate_frame: FrameId | None = None
    resumed: bool = False
    alerts: list[tuple[FrameId, bool, int, int]] = field(default_factory=list)  # frame, from client, level, description
    psk_frame: FrameId | None = None  # of the message with the PSK identity
    certificate_frames: list[FrameId] = field(default_factory=list)  # of the Certificate messages
    key_exchange_group: int | None = None  # NamedGroup of ECDHE (RFC 8446 §4.2.7)
    dh_bits: int | None = None  # size of the prime of DHE
    early_data: list[FrameId] = field(default_factory=list)  # application data before its sender could verify the peer
    client_records: int = 0  # application data records
    server_records: int = 0
    handshake_complete: bool = False  # both sides changed cipher (or 1.3 went on encrypted)
    completed: Place | None = None  # when that was first so
    client_data: Place | None = None  # first application data; of TLS 1.3 only where secrets tell it from handshakes
    server_data: Place | None = None
    last_octets: Place | None = None  # last TCP segment with octets between both ends, of whatever connection
    closed: Place | None = None  # last FIN or RST between both ends
    handshake_seen: str = "none"  # "full", "partial", "none" (records only)
    opened: bool = False  # what it protects was read: a NULL cipher, or secrets are at hand
    opened_data: list[OpenedData] = field(default_factory=list)
    opened_messages: Counter[str] = field(default_factory=Counter)  # found in it, by protocol: "sip", "msrp", "bfcp" …
    opened_by: str = ""  # "null": readable without keys; "key-log", "psk", or what a pre-shared key names as its source
    secret_digest: str = ""  # SHA-256 of the master secret, the first traffic secret or the pre-shared key that fits
    finished_verified: bool | None = None  # secrets at hand hold over the handshake; False: they do not fit
    records_opened: int = 0  # protected messages of handshakes, alerts and application data that were read
    records_not_opened: int = 0  # records that do not authenticate with the secrets at hand
    application_protocol: bytes = b""  # selected by ALPN (RFC 7301)
    srtp_keying: list[SrtpKeying] = field(default_factory=list)  # one for each handshake that selected a profile
    notes: list[Note] = field(default_factory=list)


# --- MIKEY ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class MikeyMessage:
    """A MIKEY message as it was carried, and what the keys at hand make of it."""

    frames: tuple[FrameId, ...]
    time: int
    data: bytes = field(repr=False)
    carrier: str  # "sdp session", "sdp media", "rtsp", "http", "udp"
    source: Endpoint
    destination: Endpoint
    call: str = ""  # ids in the trace
    lines: list[str] = field(default_factory=list)
    sections: tuple[int, ...] = ()  # indices of the m= lines that it is for
    party: bytes = b""  # dialog tags of who sent it, and of the other
    peer: bytes = b""
    sender_identities: tuple[bytes, ...] = ()  # that the signalling around it names, the likeliest first
    receiver_identities: tuple[bytes, ...] = ()
    kind: str = ""  # name of its data type
    csb_id: int = 0
    authentication: str = ""  # of its MAC or signature, in words: "verifies with key …", "is NULL"
    authentic: bool | None = None  # None: no key to try, or nothing to verify
    opened: bool | None = None  # whether the keys that it carries could be read; None where it carries none
    key: str = ""  # digest of the key that opened or verified it
    remarks: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()  # digests of the keys that are meant for it and do not verify it
    key_is_right: bool = False  # one of these verifies or opens another part of the exchange: the message was changed
    mac_found: str = ""  # of a MAC that does not verify: its first octets, in hex digits
    mac_computed: str = ""  # what the key gives instead
    cut: bool = False  # it may go on behind what was captured, or behind a line break
    record: MikeyRecord | None = None  # what it says; None where it is beyond what is taken apart
    signalling: SignallingMessage | None = None  # that carried it
    description: SessionDescription | None = None  # that carried it
    role: str = ""  # "offer", "answer", "refusal" (a response that refused), "other"; "" outside of SIP
    protection: Protection = Protection.CLEAR  # of what carried it
    transport: str = ""  # "udp", "tcp", "tls", of what carried it outside of SIP
    dissected: Any = field(default=None, repr=False)  # its layer and facts, until keys were looked for


@dataclass(slots=True, frozen=True)
class KeyMgmtFault:
    """An a=key-mgmt:mikey attribute whose data can't be decoded."""

    message: SignallingMessage
    call: str  # id in the trace
    section: int  # index of the m= line; -1 at session level
    offset: int  # in the session description
    error: str
    cut: bool  # the message is cut by the snap length, or the line is wrapped


# --- messaging, floor control, gateway control ----------------------------------------------------


@dataclass(slots=True)
class CarriedMessage:
    """A message of MSRP, BFCP or H.248 as it travelled; builders of this room take it apart."""

    kind: str  # "msrp", "bfcp", "h248"
    frames: tuple[FrameId, ...]
    time: int
    source: Endpoint
    destination: Endpoint
    transport: str  # "udp", "tcp", "sctp", "tls", "dtls"
    protection: Protection
    data: bytes = field(repr=False)  # the first 64 KiB of it
    octets: int = 0
    session: str = ""  # id of the TLS session that it was read from


@dataclass(slots=True, frozen=True)
class Beginning:
    """The first octets of a connection, of whichever side sent first."""

    frame: FrameId
    time: int
    from_client: bool
    data: bytes  # 32 octets at most
    whole: bool  # nothing came before: the opening of the connection was captured


@dataclass(slots=True)
class MediaConnection:
    """A TCP connection that may carry media, or the datagrams of floor control between two ports."""

    id: str
    transport: str  # "tcp", "udp"
    kind: str  # protocol that its octets show: "tls", "msrp", "bfcp" …; "" where none is known
    client: Endpoint  # who opened it; who sent first where that was not seen
    server: Endpoint
    first: Place
    last: Place
    opened: FrameId | None = None  # of the SYN
    begins: Beginning | None = None
    protection: Protection = Protection.CLEAR  # of its packets
    tls_sessions: list[TlsSession] = field(default_factory=list)
    messages: list[CarriedMessage] = field(default_factory=list)  # of MSRP and BFCP, outside of TLS


@dataclass(slots=True)
class MsrpSession:
    """The MSRP that two parties exchange over one connection: the messages with their two URIs (RFC 4975 §5.4)."""

    id: str
    source: Endpoint  # of its first message
    destination: Endpoint
    protection: Protection
    sender_uri: bytes  # the last of From-Path in its first message
    receiver_uri: bytes  # the last of To-Path
    first: Place
    last: Place
    connection: str = ""  # id of the connection, where its octets are in clear
    tls_session: str = ""  # id of the TLS session that it was read from
    relayed: bool = False  # a path of more than one URI
    messages: int = 0
    requests: Counter[str] = field(default_factory=Counter)  # by method
    responses: Counter[int] = field(default_factory=Counter)  # by status
    lines: list[str] = field(default_factory=list)  # ids of the media lines it belongs to
    because: str = ""  # "path": a=path announced both URIs, or one of them; "connection": the connection is the line's
    announced: int = 0  # how many of the two URIs an a=path announced


# --- ESP ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class EspAssociation:
    """One SPI towards one destination."""

    spi: int
    source: str  # address without port
    destination: str
    packets: int
    null_encrypted: int  # packets that no cipher hides
    opened: int  # packets that were read: these, or those that a key at hand opens
    failed: int  # packets that the key at hand does not open
    verified: int  # packets whose integrity check value holds under the key at hand
    key: str  # digest of the keys that fit it; "" where none does
    icv_octets: int | None  # of the NULL-encrypted ones; 0: no integrity
    first: Place
    last: Place


# --- the whole ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Counts:
    """What stands in the capture, as the report's inventory counts it."""

    packets: int = 0
    sip_messages: int = 0
    sip_requests: Counter[str] | None = None
    sip_responses: int = 0
    sip_call_ids: int = 0
    sdp_bodies: int = 0
    sdp_crypto: int = 0
    sdp_key_mgmt: int = 0
    sdp_fingerprint: int = 0
    mikey_messages: int = 0
    msrp_messages: int = 0
    bfcp_messages: int = 0
    h248_messages: int = 0
    rtp_streams: int = 0
    rtp_packets: int = 0
    rtcp_packets: int = 0
    srtcp_packets: int = 0
    stun_packets: int = 0
    tls_sessions: int = 0
    dtls_sessions: int = 0
    esp_packets: int = 0
    esp_null_encrypted: int = 0


@dataclass(slots=True)
class Trace:
    """What happened in all captures of one run, with the frames that show it."""

    captures: list[CaptureInfo] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    messages: list[SignallingMessage] = field(default_factory=list)  # SIP, in time order
    registrations: list[Registration] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    streams: list[MediaStream] = field(default_factory=list)
    rtcp_sources: list[RtcpSource] = field(default_factory=list)
    tls_sessions: list[TlsSession] = field(default_factory=list)
    esp: list[EspAssociation] = field(default_factory=list)
    mikey: list[MikeyMessage] = field(default_factory=list)
    mikey_exchanges: list[MikeyExchange] = field(default_factory=list)
    key_mgmt_faults: list[KeyMgmtFault] = field(default_factory=list)
    carried: list[CarriedMessage] = field(default_factory=list)  # MSRP, BFCP and H.248, in time order
    keys: list[MasterKey] = field(default_factory=list)  # in order of first sight; the user's behind them
    key_repeats: list[KeyRepeat] = field(default_factory=list)
    keystream_reuse: list[KeystreamReuse] = field(default_factory=list)
    indices_compared: bool = False  # of all packets that verify, so that no other keystream was used twice
    connections: list[MediaConnection] = field(default_factory=list)  # announced, or with MSRP or BFCP, by time
    msrp_sessions: list[MsrpSession] = field(default_factory=list)
    gateway: list[GatewayMessage] = field(default_factory=list)  # H.248 that could be read
    floors: list[FloorConnection] = field(default_factory=list)  # floor control that could be read
    pages: list[PageMessage] = field(default_factory=list)  # page-mode messages with a body
    agreements: list[MirroredAgreement] = field(default_factory=list)  # Security-Verify lists of UEs
    conferences: list[Conference] = field(default_factory=list)
    unbound_streams: list[MediaStream] = field(default_factory=list)  # no media line announced them
    unbound_rtcp: list[RtcpSource] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)  # signalling that could not be read; bounded
    notes: list[Note] = field(default_factory=list)
