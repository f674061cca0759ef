"""TCP connections and datagram flows of all scans, by who talked to whom, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.capture.identity import PROTOCOL, SSRC, VERSION, endpoints, reverse
from imsinspect.capture.sightings import Datagram, once

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.first_pass import FirstPass
    from imsinspect.capture.signalling import Connection, Kept, Segment
    from imsinspect.trace.scan import Scan


@dataclass(slots=True)
class JoinedConnection:
    """One TCP connection, over all captures that hold a part of it; segments in time order."""

    kind: str
    scan: Scan  # whose columns take what comes out of it
    flow: int  # a flow of it in that scan
    first: Endpoint  # the opener, where that was seen
    second: Endpoint
    segments: list[Segment] = field(default_factory=list)
    overflow: bool = False
    opened_by: int = -1


def _path(identity: bytes) -> bytes:
    return identity[:SSRC] + identity[VERSION : PROTOCOL + 1]


def connections(scans: list[Scan]) -> list[JoinedConnection]:
    """The connections of all scans; one that goes on in the next file of a ring is one connection."""
    out: list[JoinedConnection] = []
    latest: dict[bytes, JoinedConnection] = {}
    for scan in scans:
        flows = scan.found.flows
        for each in scan.found.signalling.connections:
            if not each.segments:
                continue
            forward = _forward_identity(each, flows.identity)
            first, second = endpoints(forward)
            path = _path(forward)
            joined = latest.get(path) if len(scans) > 1 else None
            turned = False
            if joined is None and len(scans) > 1:
                joined = latest.get(_path(reverse(forward)))
                turned = joined is not None
            segments = [s._replace(forward=not s.forward) for s in each.segments] if turned else each.segments
            same = joined is not None and (not each.syn or each.opened_by == joined.opened_by)
            if joined is not None and same and joined.scan is not scan:
                joined.segments = sorted([*joined.segments, *segments], key=lambda s: (s.time, s.frame))
                joined.kind = joined.kind or each.kind
                joined.overflow |= each.overflow
                continue
            flow = each.members[0]
            joined = JoinedConnection(
                each.kind, scan, flow, first, second, segments, each.overflow, each.opened_by if each.syn else -1
            )
            latest[path] = joined
            out.append(joined)
    return out


def _forward_identity(connection: Connection, identity: NDArray[np.uint8]) -> bytes:
    if connection.flow >= 0:
        return bytes(identity[connection.flow])
    return reverse(bytes(identity[connection.members[0]]))


def datagrams(scans: list[Scan], which: str) -> Iterator[Datagram]:
    """Kept datagrams of one kind ("datagrams", "floor", "keys", "gateway"), each once, in time order."""
    found: list[Datagram] = []
    for scan in scans:
        kept: list[Kept] = getattr(scan.found.signalling, which)
        found += [_datagram(each, scan.found) for each in kept]
    found.sort(key=lambda each: (each.time, each.frames))
    return once(found)


def dtls_flows(scans: list[Scan]) -> list[tuple[Endpoint, Endpoint, list[tuple[Datagram, bool]]]]:
    """Datagrams of each DTLS flow pair in time order, with whether the first endpoint sent them."""
    pairs: dict[bytes, list[tuple[Datagram, bool]]] = {}
    ends: dict[bytes, tuple[Endpoint, Endpoint]] = {}
    everything: list[Datagram] = []
    for scan in scans:
        for kept in scan.found.signalling.dtls.values():
            everything += [_datagram(each, scan.found) for each in kept]
    everything.sort(key=lambda each: (each.time, each.frames))
    for each in once(everything):
        back = each.path[16:32] + each.path[:16] + each.path[34:36] + each.path[32:34] + each.path[36:]
        if back in pairs:
            pairs[back].append((each, False))
            continue
        if each.path not in pairs:
            pairs[each.path] = []
            ends[each.path] = path_ends(each.path)
        pairs[each.path].append((each, True))
    return [(*ends[path], pair) for path, pair in pairs.items()]


def path_ends(path: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and destination of a datagram's path."""
    return endpoints(path[:SSRC] + bytes(4) + path[SSRC:])


def _datagram(each: Kept, found: FirstPass) -> Datagram:
    path = _path(found.flows.identity[each.flow].tobytes())
    others = found.fragment_frames.get(each.frame, ()) + found.signalling.chunk_frames.get(each.frame, ())
    frames = tuple(dict.fromkeys((each.frame, *others)))
    return Datagram(each.time, frames, path, each.identification, each.ttl, each.origin, each.cut, each.data)
