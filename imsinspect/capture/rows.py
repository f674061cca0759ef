"""Columns over captured bytes: the first bytes of many packets as rows of one matrix, fields as strided views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROW = 112  # record header 28, cooked link header 20, IPv6 40, UDP 8, RTP 12, rounded up
PAD = 256  # bytes that can be read past the end of every window


def gather(data: NDArray[np.uint8], offsets: NDArray[np.int64], width: int = ROW) -> NDArray[np.uint8]:
    """The first `width` bytes at each offset, as a matrix; data must be readable that far behind every offset."""
    every = np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
    return every[offsets].view(np.uint8).reshape(-1, width)


def chosen(rows: NDArray[np.uint8], which: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Some rows of a contiguous matrix; faster than indexing it."""
    width = rows.shape[1]
    return rows.reshape(-1).view(f"V{width}").take(which).view(np.uint8).reshape(-1, width)


def column(rows: NDArray[np.uint8], at: int, kind: str) -> NDArray[np.unsignedinteger]:
    """A field of every row as a strided view; kind is a NumPy type with byte order, such as ">u2"."""
    return np.ndarray((len(rows),), np.dtype(kind), rows, offset=at, strides=(rows.strides[0],))


def grown(array: NDArray, count: int) -> NDArray:  # type: ignore[type-arg]
    """The array with room for at least count entries, new ones zero."""
    if len(array) >= count:
        return array
    bigger = np.zeros((max(count, 2 * len(array)), *array.shape[1:]), array.dtype)
    bigger[: len(array)] = array
    return bigger
