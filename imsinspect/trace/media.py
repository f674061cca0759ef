"""Media streams and RTCP senders of all scans as records of the trace; parts in several files are joined."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from imsinspect.capture.decode import ESP_NULL, ESP_OPENED, GRE, GTP, IP_IN_IP, TURN
from imsinspect.capture.identity import endpoints
from imsinspect.capture.sightings import WINDOW
from imsinspect.trace.model import MediaStream, Place, RtcpSource, SizeRun

if TYPE_CHECKING:
    from imsinspect.capture import media, rtcp
    from imsinspect.trace.scan import Scan

TUNNELS = (
    (ESP_NULL, "esp-null"),
    (ESP_OPENED, "esp"),
    (GTP, "gtp-u"),
    (TURN, "turn"),
    (IP_IN_IP, "ip-in-ip"),
    (GRE, "gre"),
)
HALF = 1 << 15


@lru_cache(maxsize=256)
def tunnels(origin: int) -> tuple[str, ...]:
    """Names of what a packet was taken out of."""
    return tuple(name for flag, name in TUNNELS if origin & flag)


def media_streams(scans: list[Scan]) -> list[MediaStream]:
    """Every candidate stream in the order of first packets; ids are given when it is known which ones stay."""
    merged: dict[bytes, MediaStream] = {}
    for scan in scans:
        for stream in scan.found.streams.streams():
            record = _stream(stream)
            earlier = merged.get(stream.identity)
            merged[stream.identity] = record if earlier is None else _joined(earlier, record)
    return sorted(merged.values(), key=lambda each: (each.first.time, each.first.frame, each.ssrc))


def _stream(stream: media.Stream) -> MediaStream:
    source, destination = endpoints(stream.identity)
    return MediaStream(
        id="",
        ssrc=stream.ssrc,
        source=source,
        destination=destination,
        packets=stream.packets,
        lost=max(0, stream.highest - stream.lowest + 1 - stream.packets),
        first=Place(stream.first_frame, stream.first_time),
        last=Place(stream.last_frame, stream.last_time),
        lowest=stream.lowest,
        highest=stream.highest,
        sighted_again=stream.sighted_again,
        sizes=sorted(stream.sizes),
        samples=stream.samples,
        in_sequence=stream.follow > 0,
        backward=stream.backward,
        tunnels=tunnels(stream.origin),
    )


def _joined(one: MediaStream, other: MediaStream) -> MediaStream:
    """Two parts of a stream: one after the other in a ring of files, or the same packets at two capture points."""
    early, late = (one, other) if one.first.time <= other.first.time else (other, one)
    joined = MediaStream(
        id="",
        ssrc=early.ssrc,
        source=early.source,
        destination=early.destination,
        packets=0,
        lost=0,
        first=early.first,
        last=max(early.last, late.last, key=lambda place: place.time),
        lowest=0,
        highest=0,
        sizes=_joined_sizes(early.sizes, late.sizes),
        samples=sorted([*early.samples, *late.samples], key=lambda each: (each.time, each.frame)),
        in_sequence=early.in_sequence or late.in_sequence,
        backward=early.backward + late.backward,
        tunnels=early.tunnels,
    )
    if _same_packets(early, late):
        more = early if early.packets >= late.packets else late
        joined.packets, joined.lost = more.packets, more.lost
        joined.lowest, joined.highest = more.lowest, more.highest
        joined.sizes, joined.samples = more.sizes, more.samples
        joined.sighted_again = early.sighted_again + late.sighted_again + min(early.packets, late.packets)
        return joined
    # The later part counts from 0..65535 afresh: its first number is the nearest one to where the earlier part ended.
    begins = late.samples[0].sequence if late.samples else late.lowest & 0xFFFF
    step = ((begins - early.highest + HALF) & 0xFFFF) - HALF
    move = early.highest + step - begins
    joined.lowest = min(early.lowest, late.lowest + move)
    joined.highest = max(early.highest, late.highest + move)
    joined.packets = early.packets + late.packets
    joined.sighted_again = early.sighted_again + late.sighted_again
    joined.lost = max(0, joined.highest - joined.lowest + 1 - joined.packets)
    return joined


def _same_packets(early: MediaStream, late: MediaStream) -> bool:
    """Whether two captures show the same packets: samples with one sequence number and payload at about one time."""
    if late.first.time > early.last.time:
        return False
    known = {(each.sequence, each.timestamp): each for each in early.samples}
    pairs = [(known.get((each.sequence, each.timestamp)), each) for each in late.samples]
    alike = [first is not None and first.payload == each.payload for first, each in pairs]
    return any(alike)


def _joined_sizes(early: list[SizeRun], late: list[SizeRun]) -> list[SizeRun]:
    sizes = {(run.payload_type, run.length): run for run in early}
    for run in late:
        known = sizes.get((run.payload_type, run.length))
        sizes[run.payload_type, run.length] = (
            run
            if known is None
            else SizeRun(run.payload_type, run.length, known.packets + run.packets, known.first, run.last)
        )
    return [sizes[name] for name in sorted(sizes)]


def rtcp_sources(scans: list[Scan]) -> list[RtcpSource]:
    """Every sender of RTCP-type datagrams in the order of first packets; ids and layouts are given later."""
    merged: dict[bytes, RtcpSource] = {}
    for scan in scans:
        for sender in scan.found.rtcp.senders():
            record = _source(sender)
            earlier = merged.get(sender.identity)
            if earlier is not None:
                _extend(earlier, record)
            else:
                merged[sender.identity] = record
    return sorted(merged.values(), key=lambda each: (each.first.time, each.first.frame, each.ssrc))


def _source(sender: rtcp.RtcpSender) -> RtcpSource:
    source, destination = endpoints(sender.identity)
    return RtcpSource(
        id="",
        ssrc=sender.ssrc,
        source=source,
        destination=destination,
        packets=sender.packets,
        first=Place(sender.first_frame, sender.first_time),
        last=Place(sender.last_frame, sender.last_time),
        plain=sender.plain,
        first_plain=sender.first_plain,
        last_plain=sender.last_plain,
        plain_samples=sender.plain_samples,
        other_samples=sender.other_samples,
        ends=sender.ends,
    )


def _extend(earlier: RtcpSource, later: RtcpSource) -> None:
    """The same sender in another file: what follows, or the same datagrams at another capture point."""
    known = {each.data: each for each in (*earlier.plain_samples, *earlier.other_samples)}
    pairs = [(known.get(each.data), each) for each in (*later.plain_samples, *later.other_samples)]
    if any(first is not None and abs(first.time - each.time) <= WINDOW for first, each in pairs):
        earlier.packets = max(earlier.packets, later.packets)
        earlier.plain = max(earlier.plain, later.plain)
        return
    if not earlier.plain and later.plain:
        earlier.first_plain = later.first_plain
    if later.plain:
        earlier.last_plain = later.last_plain
    earlier.packets += later.packets
    earlier.plain += later.plain
    earlier.last = max(earlier.last, later.last, key=lambda place: place.time)
    earlier.plain_samples += later.plain_samples
    earlier.other_samples += later.other_samples
    if later.ends is not None:
        earlier.ends = later.ends if earlier.ends is None else later.ends.behind(earlier.ends)
