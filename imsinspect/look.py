"""Single frames taken apart: from the capture by way of the layers to trees that a view shows.

Like the pipeline, this knows the order of the rooms; it goes from capture and trace straight to what a report shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from scapy.packet import Packet, Raw

from dissectors import catalog
from dissectors.bfcp import framing as bfcp
from dissectors.stun.framing import COOKIE, looks_like_frames
from dissectors.tree import OCTETS, Node, tree
from imsinspect.capture import classify
from imsinspect.capture.errors import UsageError
from imsinspect.capture.linktypes import EXPORTED, link_name
from imsinspect.capture.raw_frames import raw_frames
from imsinspect.capture.source import STANDARD_INPUT, Capture
from imsinspect.keys.rounds import hold, read_captures
from imsinspect.trace.messages import Found, found_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imsinspect.capture.raw_frames import RawFrame

MAX_FRAMES = 1_000  # shown at once
MAX_MESSAGES = 100  # shown of one frame

# Link-layer types by number: module and class of Scapy's layer; types of raw IP are told by the version
LINKS = {
    0: ("scapy.layers.l2", "Loopback"),
    1: ("scapy.layers.l2", "Ether"),
    9: ("scapy.layers.ppp", "HDLC"),
    50: ("scapy.layers.ppp", "HDLC"),
    51: ("scapy.layers.ppp", "PPPoE"),
    108: ("scapy.layers.l2", "Loopback"),
    113: ("scapy.layers.l2", "CookedLinux"),
    276: ("scapy.layers.l2", "CookedLinuxV2"),
}
ADDITIONS = (
    "scapy.layers.inet",
    "scapy.layers.inet6",
    "scapy.layers.sctp",
    "scapy.layers.ppp",
    "scapy.layers.ipsec",
    "scapy.contrib.mpls",
)
GTP_U_PORT = 2152  # TS 29.281 §4.4.2
MEDIA = "media"  # what stream_messages calls a datagram that a stream carried
CHANNEL = "channel"  # and TURN ChannelData
KINDS = {classify.WEBSOCKET: classify.SIP}  # of a found message, where its layer has another name
SRTCP_SUITES = {(10, False): "AES_CM_128_HMAC_SHA1_80", (16, True): "AEAD_AES_128_GCM"}  # by octets of tag, and AEAD
TRANSPORTS = ("UDP", "TCP")
RECORDS = ("tls", "dtls")  # kinds whose records are shown in the frame, and messages over several frames besides
HANDSHAKES = ("tls-handshake", "dtls-handshake")


@dataclass(slots=True)
class Message:
    """A message that a frame brought a part of."""

    name: str  # of the layer
    frames: tuple[int, ...]
    source: str
    destination: str
    carriage: str
    octets: bytes
    node: Node


@dataclass(slots=True)
class Frame:
    """One frame: its own layers, and the messages that it is a part of but does not hold as they are."""

    number: int
    time: int
    link: str
    original: int  # octets sent
    octets: bytes
    node: Node
    messages: list[Message] = field(default_factory=list)
    messages_left_out: int = 0


def look(
    path: str,
    numbers: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
    *,
    key_files: Sequence[Path] = (),
    key_logs: Sequence[Path] = (),
) -> list[Frame]:
    """The frames of a capture with these numbers, in that order; what keys open is among the messages.

    Raises CaptureError when the capture can't be read, and UsageError for a number that it has not.
    """
    if len(numbers) > MAX_FRAMES:
        raise UsageError(f"more than {MAX_FRAMES} frames at once")
    if path == STANDARD_INPUT or Path(path).is_fifo():
        raise UsageError("single frames are looked up in a file, which is read twice; a pipe can't be")
    if not Path(path).exists():
        raise UsageError(f"no such file: {path}")
    raw = raw_frames(path, numbers)
    for number in numbers:
        if number not in raw:
            raise UsageError(f"{path} has no frame {number}")
    by_frame: dict[int, list[Found]] = {number: [] for number in numbers}
    read = read_captures([Capture(path)], hold(key_files, key_logs), progress)
    for found in found_messages(read.scans):
        for number in found.frames:
            if number in by_frame:
                by_frame[number].append(found)
    return [_frame(raw[number], by_frame[number]) for number in numbers]


def _frame(raw: RawFrame, found: list[Found]) -> Frame:
    packet = _lower(raw)
    transport = _transport(packet)
    left = found
    if transport is not None and transport.payload:
        payload = bytes(transport.payload)
        whole = [each for each in found if each.octets == payload and _known(_kind(each))]
        left = [each for each in found if each not in whole and not _plain_to_see(each)]
        kind = _stream(payload) if transport.name == "TCP" else _datagram(payload)
        if whole:
            layer = _layer(whole[0])
        else:
            layer = Raw(payload) if left and kind not in RECORDS else _layer_of(kind, payload)
        transport.remove_payload()
        transport.add_payload(layer)
    node = tree(packet)
    if left:
        _close(node)
    frame = Frame(raw.number, raw.time, link_name(raw.link), raw.original, raw.octets, node)
    frame.messages = [_message(each) for each in left[:MAX_MESSAGES]]
    frame.messages_left_out = len(left) - len(frame.messages)
    return frame


def _plain_to_see(found: Found) -> bool:
    """Whether a handshake message stands whole in its frame, and reads there as it does with its connection known."""
    if found.kind not in HANDSHAKES or len(found.frames) > 1:
        return False
    layer = _layer(found)
    alone = type(layer)(found.octets)
    return type(layer.body) is type(alone.body)


def _close(node: Node) -> None:
    """Octets that belong to a message that is shown as a whole stay closed in the frame: keys may be in them."""
    for each in node.walk():
        if not each.children and (each.name in (OCTETS, f"data: {OCTETS}", "data")):
            each.value, each.closed = "", "part of the messages below"


def _message(found: Found) -> Message:
    layer = _layer(found)
    return Message(
        OCTETS if isinstance(layer, Raw) else str(layer.name),
        tuple(sorted(found.frames)),
        str(found.source),
        str(found.destination),
        found.carriage,
        found.octets,
        tree(layer),
    )


def _layer(found: Found) -> Packet:
    """The layer of a message."""
    if found.kind in HANDSHAKES:
        from dissectors.tls.layers import handshake

        dtls = found.kind == "dtls-handshake"
        return handshake(found.octets, found.cipher_suite, found.version, dtls=dtls)
    return _layer_of(_kind(found), found.octets)


def _known(kind: str) -> bool:
    return kind in catalog.CATALOG or kind == CHANNEL


def _layer_of(kind: str, octets: bytes) -> Packet:
    """Octets as the layer of their kind; as they are, where there is none."""
    if kind == CHANNEL:
        from dissectors.stun.layers import ChannelData

        return ChannelData(octets)
    if kind == "rtcp":
        return _rtcp(octets)
    return catalog.layer(kind)(octets) if kind in catalog.CATALOG else Raw(octets)


def _kind(found: Found) -> str:
    """The name of a message's layer in the catalog; of a datagram that a stream relayed, by its content."""
    return _datagram(found.octets) if found.kind == MEDIA else KINDS.get(found.kind, found.kind)


def _lower(raw: RawFrame) -> Packet:
    """Link, network and transport layers, as Scapy reads them."""
    if not raw.octets or raw.link == EXPORTED:
        return Raw(raw.octets)
    for name in ADDITIONS:
        import_module(name)
    version = raw.octets[0] >> 4
    ip = ("scapy.layers.inet6", "IPv6") if version == 6 else ("scapy.layers.inet", "IP")
    module, name = LINKS.get(raw.link, ip)
    found = _read(getattr(import_module(module), name), raw.octets)
    return Raw(raw.octets) if found is None else _gtp_u(found)


def _read(layer: type[Packet], octets: bytes) -> Packet | None:
    """Octets as a layer of Scapy's own; None where it fails, or does not keep every octet in its place."""
    try:
        found: Packet = layer(octets)
        return found if bytes(found) == octets else None
    except Exception:  # Scapy's own layers may raise on octets that end early
        return None


def _gtp_u(packet: Packet) -> Packet:
    """A packet with what a GTP-U tunnel carries in it taken apart, too, where it is one (TS 29.281 §5.1)."""
    outer = _transport(packet)
    if outer is None or outer.name != "UDP" or GTP_U_PORT not in (outer.sport, outer.dport):
        return packet
    payload = bytes(outer.payload)
    if len(payload) < 8 or payload[0] >> 4 != 3 or payload[1] != 255:  # version 1, a G-PDU
        return packet
    inside = _read(import_module("scapy.contrib.gtp").GTP_U_Header, payload)
    if inside is not None:
        outer.remove_payload()
        outer.add_payload(inside)
    return packet


def _transport(packet: Packet) -> Packet | None:
    """The innermost UDP or TCP layer whose payload is its own."""
    found = None
    for layer in _layers(packet):
        if layer.name in TRANSPORTS:
            found = layer
    return found


def _layers(packet: Packet) -> Iterator[Packet]:
    while isinstance(packet, Packet) and packet.fields_desc:
        yield packet
        packet = packet.payload


def _rtcp(payload: bytes) -> Packet:
    """RTCP, or SRTCP where this one packet shows it, with the trailer that it shows."""
    from dissectors.rtp.srtp.layers import srtcp_layer
    from dissectors.rtp.srtp.layout import Protection, rtcp_protection

    verdict = rtcp_protection(payload)
    trailer = verdict.trailers[0] if verdict.trailers else None
    suite = SRTCP_SUITES.get((trailer.tag, trailer.aead)) if trailer is not None else None
    secure = verdict.protection in (Protection.ENCRYPTED_SRTCP, Protection.UNENCRYPTED_SRTCP)
    if not secure or trailer is None or suite is None:
        return catalog.layer("rtcp")(payload)
    return srtcp_layer(suite, trailer.mki)(payload)


def _stream(payload: bytes) -> str:
    return classify.stream_kind(payload)


def _datagram(payload: bytes) -> str:
    first, second = (payload + b"\0\0")[:2]
    if first >> 6 == 2 and len(payload) >= 8:
        return "rtcp" if 192 <= second <= 223 else "rtp" if len(payload) >= 12 else ""
    if 20 <= first <= 63 and second in (0xFE, 0x01) and len(payload) >= 13:
        return "dtls"
    if first < 4 and payload[4:8] == COOKIE:
        return "stun"
    if 0x40 <= first <= 0x4F and looks_like_frames(payload):
        return CHANNEL
    return classify.BFCP if bfcp.is_message(payload) else classify.datagram_kind(payload)
