"""Numbers 64-bit keys in order of first sight: an open-addressing table held in arrays."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Odd multipliers of the mix, new in every process: a capture can't be written to collide.
MIX = [np.uint64(secrets.randbits(64) | 1) for _ in range(4)]
U29, U32 = np.uint64(29), np.uint64(32)
ONE = np.uint64(1)


class KeyTable:
    """Gives each distinct key (never 0) a number from 0 on, in the order in which keys first appear."""

    __slots__ = ("bits", "count", "ids", "known", "slots")

    def __init__(self, bits: int = 12) -> None:
        self.count = 0
        self._rebuild(bits, np.zeros(0, np.uint64))

    def _rebuild(self, bits: int, keys: NDArray[np.uint64]) -> None:
        self.bits = bits
        self.slots = np.zeros(1 << bits, np.uint64)
        self.ids = np.zeros(1 << bits, np.int32)
        self._place(keys, np.arange(len(keys), dtype=np.int32))
        self.known = keys

    def _slot(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        return (keys >> np.uint64(64 - self.bits)).astype(np.intp)

    def _place(self, keys: NDArray[np.uint64], ids: NDArray[np.int32]) -> None:
        at, mask = self._slot(keys), (1 << self.bits) - 1
        while len(keys):
            free = self.slots[at] == 0
            self.slots[at[free]] = keys[free]
            won = self.slots[at] == keys
            self.ids[at[won]] = ids[won]
            keys, ids, at = keys[~won], ids[~won], (at[~won] + 1) & mask

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The number of each key; new ones are added."""
        at = self._slot(keys)
        ids = self.ids.take(at)
        miss = np.flatnonzero(self.slots.take(at) != keys)
        mask = (1 << self.bits) - 1
        at = at[miss]
        unknown: list[NDArray[np.intp]] = []
        while len(miss):
            held = self.slots[at]
            same, free = held == keys[miss], held == 0
            ids[miss[same]] = self.ids[at[same]]
            unknown.append(miss[free])
            on = ~(same | free)
            miss, at = miss[on], (at[on] + 1) & mask
        new = np.sort(np.concatenate(unknown)) if unknown else miss
        if len(new):
            fresh, first, inverse = np.unique(keys[new], return_index=True, return_inverse=True)
            order = np.argsort(first)  # numbers follow the capture, not the value of the mix
            rank = np.empty(len(order), np.int32)
            rank[order] = np.arange(len(order), dtype=np.int32)
            ids[new] = self.count + rank[inverse]
            fresh = fresh[order]
            self.known = np.concatenate([self.known, fresh])
            numbers = np.arange(self.count, self.count + len(fresh), dtype=np.int32)
            self.count += len(fresh)
            if self.count * 2 > len(self.slots):
                self._rebuild((self.count * 2).bit_length(), self.known)
            else:
                self._place(fresh, numbers)
        return ids
