"""Scapy layers of RTP data packets: header bit by bit, header extension, payload, padding; telephone events.

    RTP(datagram)
    rtp_layer({101: TelephoneEvents})(datagram)     a payload format that the SDP names is read, too
    extension_elements(RTP(datagram), {1: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"})

The contents of payloads and of elements depend on the SDP, so they are read where the caller says what it gives.
"""

from __future__ import annotations

import copyreg
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scapy.base_classes import Packet_metaclass
from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, MAX_ITEMS, Bits, Layer, Length, Number, Numbers, Opaque, Packets, named
from dissectors.rtp.codes import (
    DTMF_EVENTS,
    EXTENSION_PROFILES,
    ONE_BYTE_PROFILE,
    PAYLOAD_TYPES,
)
from dissectors.rtp.fields import (
    Count,
    Flag,
    LengthLessOne,
    MeasuredOctets,
    MeasuredOne,
    Signed,
    Words,
    before_padding,
    fixed,
    octets_of,
    padding_size,
    padding_troubles,
    rest,
)
from dissectors.rtp.readable import ntp_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# --- header extensions ----------------------------------------------------------------------------


class OneByteElement(Layer):
    """RFC 8285 §4.2: identifier, length less one, data."""

    name = "OneByteElement"
    fields_desc = [
        Bits("ID", 1, 4, begins=1),
        LengthLessOne("length", "data", 4),
        Opaque("data", b"\x00", lambda pkt: pkt.length + 1 if isinstance(pkt.length, int) else 0),
    ]

    def troubles(self) -> Iterator[str]:
        """The length counts the data."""
        if isinstance(self.length, int) and self.length + 1 != len(self.data):
            yield f"length says {self.length + 1} octets, {len(self.data)} are there"


class TwoByteElement(Layer):
    """RFC 8285 §4.3: identifier, length, data."""

    name = "TwoByteElement"
    fields_desc = [Number("ID", 1, 1), Length("length", "data", 1), Opaque("data", b"", "length")]


class PaddingElement(Layer):
    """RFC 8285 §4.1.2: null octets between or behind elements."""

    name = "PaddingElement"
    fields_desc = [Opaque("padding", b"\x00")]


class StopElement(Layer):
    """RFC 8285 §4.2: identifier 15 ends the reading, as does 0 with a length; what is behind is not used."""

    name = "StopElement"
    fields_desc = [Bits("ID", 15, 4, begins=1), Bits("length", 0, 4), Opaque("ignored", b"")]


def _elements(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts the elements of a header extension; what makes none is Raw."""
    if pkt.defined_by_profile not in EXTENSION_PROFILES:
        yield Unknown, data
        return
    one_byte = pkt.defined_by_profile == ONE_BYTE_PROFILE
    start = 0
    for _ in range(MAX_ITEMS):
        if start >= len(data):
            return
        end = start
        while end < len(data) and not data[end]:
            end += 1
        if end > start:
            yield PaddingElement, data[start:end]
        elif one_byte and data[start] >> 4 in (0, 15):
            yield StopElement, data[start:]
            return
        else:
            header = 1 if one_byte else 2
            if start + header > len(data):
                break
            end = start + header + ((data[start] & 0x0F) + 1 if one_byte else data[start + 1])
            if end > len(data):
                break
            yield OneByteElement if one_byte else TwoByteElement, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class Unknown(Layer):
    """RFC 3550 §5.3.1: octets that the profile alone explains."""

    name = "octets of the profile"
    fields_desc = [Opaque("data", b"")]


class HeaderExtension(Layer):
    """RFC 3550 §5.3.1; its elements are those of RFC 8285."""

    name = "HeaderExtension"
    fields_desc = [
        Number("defined_by_profile", ONE_BYTE_PROFILE, 2, named(EXTENSION_PROFILES)),
        Words("length"),
        Packets("extension_elements", None, _elements),
    ]

    def troubles(self) -> Iterator[str]:
        """The length counts the elements."""
        there = octets_of(self) - 4
        if isinstance(self.length, int) and 4 * self.length != there:
            yield f"length says {4 * self.length} octets, {there} are there"


def extension_octets(pkt: Any, s: bytes) -> int:
    """Octets of the header extension where the X bit says that there is one; its length has to fit."""
    if pkt.getfieldval("extension") != 1:
        return 0
    return 4 + 4 * int.from_bytes(s[2:4], "big") if len(s) >= 4 else len(s)


# --- RTP ------------------------------------------------------------------------------------------

FIXED_HEADER = [
    Bits("marker", 0, 1, begins=1),
    Bits("payload_type", 0, 7, named(PAYLOAD_TYPES)),
    Number("sequence_number", 0, 2),
    Number("timestamp", 0, 4),
    Number("SSRC", 0, 4),
    Numbers("CSRC", lambda pkt: 4 * pkt.CSRC_count if isinstance(pkt.CSRC_count, int) else 0, 4),
    MeasuredOne("header_extension", extension_octets, lambda pkt, s: HeaderExtension),
]
"""The RTP header behind its first octet, in RTP and in SRTP (RFC 3550 §5.1)."""


def header_troubles(packet: Any) -> Iterator[str]:
    """What is wrong in a header (RFC 3550 §5.1)."""
    if packet.version not in (2, ABSENT):
        yield f"version {packet.version}, not 2"
    if isinstance(packet.CSRC_count, int) and isinstance(packet.CSRC, list) and len(packet.CSRC) != packet.CSRC_count:
        yield f"CSRC_count says {packet.CSRC_count}, {len(packet.CSRC)} are there"
    if packet.extension == 1 and packet.header_extension is None:
        yield "the extension bit is set, and there is no header extension"


class RTP(Layer):
    """RFC 3550 §5.1. Payloads are Raw, but those of `payload_formats`, which the SDP gives for its payload types."""

    name = "RTP"
    payload_formats: Mapping[int, type[Packet]] = {}
    trailer = 0  # octets of MKI and tag
    fields_desc = [
        Bits("version", 2, 2, begins=1),
        Flag("padding", "padding_octets"),
        Flag("extension", "header_extension"),
        Count("CSRC_count", "CSRC", 4),
        *FIXED_HEADER,
        MeasuredOne("rtp_payload", before_padding, lambda pkt, s: pkt.payload_formats.get(pkt.payload_type, Raw)),
        MeasuredOctets("padding_octets", padding_size),
    ]

    def troubles(self) -> Iterator[str]:
        """Header and padding."""
        yield from header_troubles(self)
        yield from padding_troubles(self)


# --- layers of a session --------------------------------------------------------------------------


class SessionLayer(Packet_metaclass):
    """Class of layers that depend on what a session agreed on: no module has them, so they are pickled as a call."""

    made_by: tuple[Callable[..., Any], tuple[Any, ...]]  # what makes one again


def _made_by(layer: SessionLayer) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return layer.made_by


copyreg.pickle(SessionLayer, _made_by)


@lru_cache(maxsize=256)
def _rtp_layer(payload_formats: tuple[tuple[int, type[Packet]], ...]) -> type[RTP]:
    inside = {
        "payload_formats": dict(payload_formats),
        "made_by": (_rtp_layer, (payload_formats,)),
        "__doc__": RTP.__doc__,
    }
    layer: type[RTP] = SessionLayer("RTP", (RTP,), inside)
    return layer


def rtp_layer(payload_formats: Mapping[int, type[Packet]]) -> type[RTP]:
    """RTP whose payloads of some payload types are read as layers, as the rtpmap lines of the SDP say."""
    return _rtp_layer(tuple(sorted(payload_formats.items(), key=lambda each: each[0])))


# --- telephone events -----------------------------------------------------------------------------


class TelephoneEvent(Layer):
    """RFC 4733 §2.3."""

    name = "TelephoneEvent"
    fields_desc = [
        Number("event", 0, 1, named(DTMF_EVENTS)),
        Bits("E", 0, 1, named({0: "goes on", 1: "end of the event"}), begins=1),
        Bits("R", 0, 1),
        Bits("volume", 0, 6, lambda level: f"-{level} dBm0"),
        Number("duration", 0, 2),
    ]


class TelephoneEvents(Layer):
    """RFC 4733 §2.5.1.5: the payload of a packet, with one event or several."""

    name = "TelephoneEvents"
    fields_desc = [Packets("events", None, fixed(TelephoneEvent, 4))]


# --- contents of header extension elements --------------------------------------------------------


class ClientToMixerAudioLevel(Layer):
    """RFC 6464 §3."""

    name = "ClientToMixerAudioLevel"
    fields_desc = [
        Bits("V", 0, 1, named({0: "no voice", 1: "voice"}), begins=1),
        Bits("level", 0, 7, lambda level: f"-{level} dBov"),
        MeasuredOctets("padding", rest),
    ]


class MixerToClientAudioLevel(Layer):
    """RFC 6465 §3: the level of a contributing source."""

    name = "MixerToClientAudioLevel"
    fields_desc = [Bits("reserved", 0, 1, begins=1), Bits("level", 0, 7, lambda level: f"-{level} dBov")]


class MixerToClientAudioLevels(Layer):
    """RFC 6465 §3."""

    name = "MixerToClientAudioLevels"
    fields_desc = [Packets("levels", None, fixed(MixerToClientAudioLevel, 1))]


class TransmissionTimeOffset(Layer):
    """RFC 5450 §2."""

    name = "TransmissionTimeOffset"
    fields_desc = [Signed("transmission_offset", 0, 3)]


class SynchronisationMetadata64(Layer):
    """RFC 6051 §3.3."""

    name = "SynchronisationMetadata64"
    fields_desc = [Number("NTP_timestamp", 0, 8, ntp_time)]


class SynchronisationMetadata56(Layer):
    """RFC 6051 §3.3."""

    name = "SynchronisationMetadata56"
    fields_desc = [Number("NTP_timestamp_24_to_79", 0, 7)]


class SdesItemText(Layer):
    """RFC 7941 §4.1: the text of an SDES item, or the identifier that RFC 9143 or RFC 8852 defines."""

    name = "SdesItemText"
    fields_desc = [Opaque("text", b"")]


class CoordinationOfVideoOrientation(Layer):
    """TS 26.114 §7.4.5."""

    name = "CoordinationOfVideoOrientation"
    fields_desc = [
        Bits("reserved", 0, 4, begins=1),
        Bits("C", 0, 1, named({0: "front-facing camera or unknown", 1: "back-facing camera"})),
        Bits("F", 0, 1),
        Bits("R", 0, 2, lambda turns: f"{90 * turns} degrees"),
    ]


class TransportWideSequenceNumber(Layer):
    """The extension of draft-holmer-rmcat-transport-wide-cc-extensions, which transport-cc feedback refers to."""

    name = "TransportWideSequenceNumber"
    fields_desc = [Number("sequence_number", 0, 2)]


class AbsoluteSendTime(Layer):
    """The abs-send-time extension: seconds in 6.18 bit fixed point."""

    name = "AbsoluteSendTime"
    fields_desc = [Number("absolute_send_time", 0, 3, lambda units: f"{units / (1 << 18):.6f} s")]


EXTENSION_LAYERS: dict[str, type[Layer]] = {
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": ClientToMixerAudioLevel,
    "urn:ietf:params:rtp-hdrext:csrc-audio-level": MixerToClientAudioLevels,
    "urn:ietf:params:rtp-hdrext:toffset": TransmissionTimeOffset,
    "urn:ietf:params:rtp-hdrext:ntp-64": SynchronisationMetadata64,
    "urn:ietf:params:rtp-hdrext:ntp-56": SynchronisationMetadata56,
    "urn:ietf:params:rtp-hdrext:sdes:mid": SdesItemText,
    "urn:ietf:params:rtp-hdrext:sdes:cname": SdesItemText,
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": SdesItemText,
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": SdesItemText,
    "urn:3gpp:video-orientation": CoordinationOfVideoOrientation,
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": TransportWideSequenceNumber,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": AbsoluteSendTime,
}
"""Layers of elements, by the URI that an extmap line of the SDP gives their identifier (RFC 8285 §5)."""


def extension_elements(packet: RTP, extmap: Mapping[int, str]) -> list[tuple[str, Packet]]:
    """The elements of a header extension with their URI (empty where the SDP gives none) and what they hold."""
    found: list[tuple[str, Packet]] = []
    extension = packet.header_extension
    for element in extension.extension_elements if isinstance(extension, HeaderExtension) else ():
        if isinstance(element, OneByteElement | TwoByteElement) and isinstance(element.ID, int):
            uri = extmap.get(element.ID, "")
            found.append((uri, EXTENSION_LAYERS.get(uri, Raw)(element.data) if element.data else Raw()))
    return found
