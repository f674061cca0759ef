"""Which frames belong to which conversation: one more pass over a capture, for who wants only some of its packets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from imsinspect.capture.decode import UDP
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.identity import PROTOCOL, SSRC, endpoints, identities
from imsinspect.capture.keytable import MIX, ONE, U32, KeyTable
from imsinspect.capture.rows import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imsinspect.capture.decode import Media, Rest
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.media import MediaStreams
    from imsinspect.capture.opening import Opening
    from imsinspect.capture.rtcp import Control, RtcpSenders
    from imsinspect.capture.source import Opened


INSIDE = 255  # deeper than any tunnel: what is media is nothing else


@dataclass(slots=True, frozen=True)
class Conversation:
    """One direction between two ports; of media one SSRC, of ESP one SPI (in the place of ports)."""

    source: Endpoint
    destination: Endpoint
    protocol: int
    kind: str  # "media", "rtcp", "other"
    ssrc: int  # of media


@dataclass(slots=True)
class Conversations:
    """The conversations of a capture, and which frames are of each: of tunnels what is inside."""

    packets: int = 0  # of the capture
    all: list[Conversation] = field(default_factory=list)
    frames: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # sorted by conversation
    bounds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))  # where each begins in `frames`
    pieces: dict[int, tuple[int, ...]] = field(default_factory=dict)  # frame that completed a packet: its fragments'

    def of(self, number: int) -> NDArray[np.int64]:
        """The frames of a conversation, in order."""
        return self.frames[self.bounds[number] : self.bounds[number + 1]]


def conversations(
    opened: Opened, opening: Opening, progress: Callable[[int, int], None] | None = None
) -> Conversations:
    """Read a capture for its conversations; `opening` holds the keys of ESP and TLS that are known."""
    seen = _Seen()
    found = _Pass(seen)
    found.signalling.secrets, found.signalling.esp_keys = opening.tls, opening.esp
    found.run(opened.windows, opened.walk, progress)
    frames = np.concatenate([*seen.frames, np.zeros(0, np.int64)])
    numbers = np.concatenate([*seen.numbers, np.zeros(0, np.int32)])
    depths = np.repeat(np.array(seen.depths, np.uint8), [len(each) for each in seen.frames])
    deepest = np.zeros(opened.walk.facts.packets + 1, np.uint8)
    np.maximum.at(deepest, frames, depths)
    inner = depths == deepest[frames]
    frames, numbers = frames[inner], numbers[inner]
    order = np.lexsort((frames, numbers))
    counts = np.bincount(numbers, minlength=len(seen.all))
    return Conversations(
        opened.walk.facts.packets,
        seen.all,
        frames[order],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        found.fragment_frames,
    )


class _Seen:
    """Numbers conversations, and remembers the frames of each."""

    def __init__(self) -> None:
        self.table = KeyTable()
        self.all: list[Conversation] = []
        self.frames: list[NDArray[np.int64]] = []
        self.numbers: list[NDArray[np.int32]] = []
        self.depths: list[int] = []  # of tunnels, for each of `frames`

    def add(
        self,
        kind: str,
        depth: int,
        key: NDArray[np.uint64],
        frame: NDArray[np.int64],
        identity: Callable[[NDArray[np.intp]], NDArray[np.uint8]],
    ) -> None:
        """Packets with the keys of their conversations; `identity` gives those of some of them."""
        known = self.table.count
        numbers = self.table.find(key)
        self.frames.append(frame.copy())
        self.numbers.append(numbers)
        self.depths.append(depth)
        if self.table.count > known:
            _, first = np.unique(numbers, return_index=True)
            fresh = first[numbers[first] >= known]
            for row in identity(fresh[np.argsort(numbers[fresh])]):
                name = row.tobytes()
                source, destination = endpoints(name)
                ssrc = int.from_bytes(name[SSRC : SSRC + 4], "big")
                self.all.append(Conversation(source, destination, name[PROTOCOL], kind, ssrc))


class _Media:
    """Takes the place of the streams of a pass."""

    def __init__(self, seen: _Seen) -> None:
        self.seen = seen

    def add(self, data: NDArray[np.uint8], parts: Sequence[tuple[Media, NDArray[np.uint8]]]) -> None:
        """Packets of a window."""
        for media, _ in parts:
            self.seen.add("media", INSIDE, media.key, media.frame, partial(_of_media, data, media))

    def settle(self, *, wait: bool = False) -> None:
        """Nothing is under way."""


def _of_media(data: NDArray[np.uint8], media: Media, which: NDArray[np.intp]) -> NDArray[np.uint8]:
    identity = identities(data, media.net[which], UDP)
    identity[:, SSRC : SSRC + 4] = gather(data, media.start[which] + 8, 4)
    return identity


class _Control:
    """Takes the place of the RTCP of a pass."""

    def __init__(self, seen: _Seen) -> None:
        self.seen = seen

    def add(self, data: NDArray[np.uint8], found: Control) -> None:
        """Datagrams of a window."""
        key = found.mix * MIX[1] | ONE
        self.seen.add("rtcp", INSIDE, key, found.frame, lambda which: identities(data, found.net[which], UDP))


class _Pass(FirstPass):
    """A pass that remembers which frame is of which conversation."""

    def __init__(self, seen: _Seen) -> None:
        super().__init__(cast("MediaStreams", _Media(seen)), cast("RtcpSenders", _Control(seen)), media_only=True)
        self.seen = seen

    def rest(self, data: NDArray[np.uint8], found: Rest) -> None:
        """Everything that is not RTP; what turns out to be RTCP or a tunnel is added once more as that."""

        def identity(which: NDArray[np.intp]) -> NDArray[np.uint8]:
            own = (found.protocol[which] == 6) | (found.protocol[which] == UDP)
            ports = found.net[which] + np.where(data[found.net[which]] >> 4 == 6, 40, 20)
            return identities(data, found.net[which], found.protocol[which], np.where(own, ports, found.start[which]))

        key = (found.mix ^ (found.protocol.astype(np.uint64) << U32)) * MIX[3] | ONE
        self.seen.add("other", found.depth, key, found.frame, identity)
        super().rest(data, found)
