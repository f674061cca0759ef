"""Tells a packet that was sighted twice from one that was sent twice.

Two capture points, a mirror port, or the inside and outside of a tunnel show one packet twice: the same transport
octets within 50 ms, with an equal IP identification or another TTL. A retransmission is another packet (design.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WINDOW = 50_000_000  # nanoseconds (rules.md 0.10)


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
        key = (each.path, each.data)
        seen = recent.get(key)
        if seen is not None:
            for place in seen:
                first = out[place]
                near = each.time - first.time <= WINDOW
                if near and (each.identification == first.identification or each.ttl != first.ttl):
                    out[place] = first._replace(frames=first.frames + each.frames, origin=first.origin & each.origin)
                    break
            else:
                seen[:] = [place for place in seen if each.time - out[place].time <= WINDOW]
                seen.append(len(out))
                out.append(each)
            continue
        recent[key] = [len(out)]
        out.append(each)
    return iter(out)
