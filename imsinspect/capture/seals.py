"""Recognises a datagram that was sighted twice, in columns: equal octets, and an equal IP id or another TTL.

The same question for signalling, datagram by datagram, is answered by `sightings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.keytable import MIX, U29
from imsinspect.capture.rows import gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 50_000_000  # nanoseconds between two sightings of one packet (rules.md 0.10)
MAX_RECENT = 65_536  # packets remembered for those that come next
SEALED = 64  # octets that a seal covers


class Sealed(NamedTuple):
    """Datagrams by what tells two sightings from two packets, as columns."""

    owner: NDArray[np.int64]  # stream or sender
    number: NDArray[np.int64]  # extended sequence number, 0 where there is none
    when: NDArray[np.int64]
    identification: NDArray[np.int64]  # of IPv4; 0 for IPv6, which has none
    ttl: NDArray[np.int64]
    seal: NDArray[np.int64]
    place: NDArray[np.int64]  # where the caller holds it; -1 for one of an earlier call

    def some(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Sealed:
        """Some of them."""
        return Sealed(*(column[which] for column in self))

    def behind(self, earlier: Sealed | None) -> Sealed:
        """These behind others."""
        if earlier is None or not len(earlier.owner):
            return self
        return Sealed(*(np.concatenate(pair) for pair in zip(earlier, self, strict=True)))


def sealed(
    data: NDArray[np.uint8],
    owner: NDArray[np.int64],
    number: NDArray[np.int64],
    when: NDArray[np.int64],
    net: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    whole: NDArray[np.int64],
    place: NDArray[np.int64],
) -> Sealed:
    """Seals of datagrams: their length and first 64 octets; the UDP checksum is left out, as offload spoils it."""
    heads = gather(data, net, 10)
    six = heads[:, 0] >> 4 == 6
    identification = np.where(six, 0, heads[:, 4].astype(np.int64) << 8 | heads[:, 5])
    ttl = np.where(six, heads[:, 7], heads[:, 8]).astype(np.int64)
    rows = gather(data, start, SEALED)
    room = end - start
    for index in np.flatnonzero(room < SEALED).tolist():
        rows[index, max(int(room[index]), 0) :] = 0
    words = rows.view(np.uint64)
    seal = (whole - start).astype(np.uint64) * MIX[0]
    for word in range(SEALED // 8):
        seal ^= seal >> U29
        seal += words[:, word]
        seal *= MIX[1]
    return Sealed(owner, number, when, identification, ttl, (seal ^ (seal >> U29)).view(np.int64), place)


def sighted_before(found: Sealed) -> Sealed:
    """Those that are another sighting of one before them."""
    ranked = found.some(np.lexsort((found.when, found.seal, found.number, found.owner)))
    owner, number, when, identification, ttl, seal, _ = ranked
    same = (owner[1:] == owner[:-1]) & (number[1:] == number[:-1]) & (seal[1:] == seal[:-1])
    same &= when[1:] - when[:-1] <= WINDOW
    same &= (identification[1:] == identification[:-1]) | (ttl[1:] != ttl[:-1])
    return ranked.some(np.flatnonzero(same) + 1)


def recent(found: Sealed, earlier: Sealed | None) -> Sealed:
    """The newest of these and earlier ones, for what comes next; bounded."""
    both = found._replace(place=np.full(len(found.owner), -1, np.int64)).behind(earlier)
    if not len(both.owner):
        return both
    newest = both.some(both.when >= both.when.max() - WINDOW)
    if len(newest.owner) > MAX_RECENT:
        newest = newest.some(np.argsort(newest.when, kind="stable")[-MAX_RECENT:])
    return newest
