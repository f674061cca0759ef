"""Flows: directional 5-tuples of everything that is not RTP, and what has been decided about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.identity import identities, reverse
from imsinspect.capture.keytable import MIX, ONE, U32, KeyTable
from imsinspect.capture.rows import grown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imsinspect.capture.decode import Rest

# Flags: signalling was found; it was not, so payloads are looked at no more; enough DTLS was kept.
OPEN, WANTED, UNWANTED, DTLS_ENOUGH = 0, 1, 2, 4


class Flows:
    """Numbers flows in the order of their first packets; arrays hold what columns ask of them."""

    def __init__(self) -> None:
        self.table = KeyTable()
        self.packets = np.zeros(0, np.int64)
        self.state = np.zeros(0, np.uint8)
        self.stun = np.zeros(0, np.int64)
        self.last_octets = np.zeros((0, 2), np.int64)  # of TCP: frame and time of the last segment with octets
        self.closed = np.zeros((0, 2), np.int64)  # and of the last FIN or RST; 0, 0 for none
        self.identity = np.zeros((0, 48), np.uint8)
        self.opposites: dict[int, int] = {}
        self.numbers: dict[bytes, int] = {}

    def find(self, data: NDArray[np.uint8], rest: Rest) -> NDArray[np.int32]:
        """The flow of each packet; new ones are added."""
        key = (rest.mix ^ (rest.protocol.astype(np.uint64) << U32)) * MIX[3] | ONE
        known = self.table.count
        ids = self.table.find(key)
        count = self.table.count
        if count > known:
            self.packets = grown(self.packets, count)
            self.state = grown(self.state, count)
            self.stun = grown(self.stun, count)
            self.last_octets = grown(self.last_octets, count)
            self.closed = grown(self.closed, count)
            self.identity = grown(self.identity, count)
            new = np.flatnonzero(ids >= known)[::-1]
            own = (rest.protocol[new] == 6) | (rest.protocol[new] == 17)
            ports = rest.net[new] + np.where(data[rest.net[new]] >> 4 == 6, 40, 20)
            transport = np.where(own, ports, rest.start[new])  # SCTP begins with its ports, ESP with its SPI
            self.identity[ids[new]] = identities(data, rest.net[new], rest.protocol[new], transport)
        self.packets[:count] += np.bincount(ids, minlength=count)
        return ids

    def saw_tcp(
        self, flow: NDArray[np.int32], found: Rest, octets: NDArray[np.bool_], closing: NDArray[np.bool_]
    ) -> None:
        """Remember where TCP flows last carried octets and where they ended; rows are in the order of the capture."""
        for places, rows in ((self.last_octets, octets), (self.closed, closing)):
            which = np.flatnonzero(rows)
            if len(which):
                places[flow[which], 0] = found.frame[which]
                places[flow[which], 1] = found.when[which]

    def opposite(self, flow: int) -> int:
        """The flow of the other direction, -1 while nobody asked for it."""
        known = self.opposites.get(flow)
        if known is not None:
            return known
        name = self.identity[flow].tobytes()
        self.numbers[name] = flow
        other = self.numbers.get(reverse(name), -1)
        if other >= 0:
            self.opposites[flow] = other
            self.opposites[other] = flow
        return other
