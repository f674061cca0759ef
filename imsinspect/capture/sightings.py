"""Tells a packet that was sighted twice from one that was sent twice.

Two capture points, a mirror port, or the inside and outside of a tunnel show one packet twice: the same transport
octets within 50 ms, with an equal IP identification or another TTL. A retransmission is another packet (design.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WINDOW = 50_000_000  # nanoseconds (rules.md 0.10)
SIGHTINGS = 16  # packets with the same octets within the window that are looked at


class Datagram(NamedTuple):
    """A datagram of signalling, with every frame that showed it."""

    time: int
    frames: tuple[int, ...]
    path: bytes  # addresses and ports of the packet, 36 octets of its identity, then its IP version
    identification: int
    ttl: int
    origin: int
    cut: bool
    data: bytes


def once(datagrams: Iterable[Datagram]) -> Iterator[Datagram]:
    """Datagrams in time order, each once; the first sighting stays and names the frames of the others."""
    recent: dict[tuple[bytes, bytes], list[int]] = {}
    out: list[Datagram] = []
    for each in datagrams:
        seen = recent.setdefault((each.path, each.data), [])
        near = [place for place in seen[-SIGHTINGS:] if each.time - out[place].time <= WINDOW]
        same = [place for place in near if out[place].identification == each.identification]
        same = same or [place for place in near if out[place].ttl != each.ttl]
        if same:
            first = out[same[0]]
            out[same[0]] = first._replace(frames=first.frames + each.frames, origin=first.origin & each.origin)
        else:
            seen[:] = [*near, len(out)]
            out.append(each)
    return iter(out)
