"""The second look at the media of a capture: every packet of a keyed path, those too that read as no RTP or RTCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.decode import UDP
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.frames import frame_id
from imsinspect.capture.identity import identities
from imsinspect.capture.rows import ROW, column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from imsinspect.capture.decode import Rest
    from imsinspect.capture.media import MediaStreams
    from imsinspect.capture.opening import Opening
    from imsinspect.capture.rtcp import RtcpSenders
    from imsinspect.trace.scan import Scan

UDP_HEADER, CHANNEL = 8, 4
RTP_SSRC, RTCP_SSRC = 8, 4  # octets before the sender's SSRC
LEAST = 12  # octets of what may have been RTP; keep-alives are shorter

Spoiled = "Callable[[bytes, int, bytes], None]"
"""Takes the path (an identity without SSRC), the frame and the octets of a datagram."""


class SecondLook(FirstPass):
    """Takes packets out of others as the first pass did; shows datagrams that only the SSRC tells from noise."""

    def __init__(
        self,
        streams: MediaStreams,
        rtcp: RtcpSenders,
        ssrcs: Iterable[int],
        spoiled: Callable[[bytes, int, bytes], None],
    ) -> None:
        """`ssrcs` are those of the streams and senders to be proven."""
        super().__init__(streams, rtcp, media_only=True)
        self.ssrcs = np.array(sorted(ssrcs), np.uint32)
        self.spoiled = spoiled

    def _pick(self, data: NDArray[np.uint8], found: Rest, flow: NDArray[np.int32]) -> None:
        self._look_into(data, found)
        super()._pick(data, found, flow)

    def _look_into(self, data: NDArray[np.uint8], found: Rest) -> None:
        """Datagrams with a known SSRC where RTP, or RTCP, or either in ChannelData, would have it."""
        begin = found.transport + UDP_HEADER
        udp = (found.protocol == UDP) & (found.end - found.start >= LEAST)
        if not udp.any():
            return
        first = found.rows[:, begin]
        channel = (first >= 0x40) & (first < 0x80)
        hit = np.zeros(len(udp), np.bool_)
        for at in (RTP_SSRC, RTCP_SSRC):
            hit |= np.isin(column(found.rows, begin + at, ">u4"), self.ssrcs)
            if begin + CHANNEL + at + 4 <= ROW:
                hit |= channel & np.isin(column(found.rows, begin + CHANNEL + at, ">u4"), self.ssrcs)
        which = np.flatnonzero(hit & udp)
        if not len(which):
            return
        view = data.data
        paths = identities(data, found.net[which], UDP)
        inside = np.where(channel[which], CHANNEL, 0)
        columns = (found.start[which] + inside, found.end[which], found.frame[which])
        for path, start, end, frame in zip(paths, *(each.tolist() for each in columns), strict=True):
            self.spoiled(path.tobytes(), frame, bytes(view[start:end]))


def look_again(earlier: Scan, found: SecondLook, opening: Opening | None = None) -> None:
    """Read a capture that was scanned once more. Raises CaptureError."""
    if earlier.info.error:
        return
    opened = earlier.capture.open()
    opened.walk.base = frame_id(earlier.index, 0)
    learn = None
    if opening is not None:
        found.signalling.secrets, found.signalling.esp_keys = opening.tls, opening.esp
        learn = opening.learn
    try:
        found.run(opened.windows, opened.walk, None, learn)
    finally:
        opened.close()
    found.inject(earlier.found.late)
