"""What payloads of each codec look like in clear: their sizes, and the structure inside (srtp.md 9.2).

Sizes are octets of one RTP payload. A codec is found by its rtpmap name, or by a static payload type (RFC 3551 §6).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imsinspect.trace.model import MediaSample

Kind = Literal["samples", "frames", "modes", "event", "video", "leading"]

MAX_PACKET_MS = 200  # of audio in one packet
MAX_FRAMES = 12  # of speech in one packet
PACKET_MS = (5, *range(10, MAX_PACKET_MS + 1, 10))
EVENT_OCTETS = 4
GSM_SIGNATURE = 0xD
RUN = 16  # octets of one value that no cipher puts in a row
HIGHEST_EVENT = 16  # DTMF digits and flash (RFC 4733 §3.2)


@dataclass(slots=True, frozen=True)
class Codec:
    """One encoding and how many octets it makes of time."""

    name: str
    kind: Kind
    clock: int = 8_000  # RTP timestamp units a second
    octets: int = 0  # per unit of `ticks`
    ticks: int = 1
    more: tuple[int, ...] = (0,)  # octets that a packet may have beyond its frames: SID, headers
    modes: tuple[int, ...] = ()  # bits of a frame by frame type
    sizes: tuple[int, ...] = ()  # of a packet of one frame, for codecs of kind "modes" without a table of bits
    quiet: int = 0  # octets up to which a packet holds no speech, but SID or nothing
    histogram: bool = False  # octets of speech are far from evenly spread: companded or linear samples


def _samples(name: str, octets: int = 1, ticks: int = 1, clock: int = 8_000, **more: bool | tuple[int, ...]) -> Codec:
    return Codec(name, "samples", clock, octets, ticks, **more)  # type: ignore[arg-type]


def _frames(name: str, octets: int, ticks: int, more: tuple[int, ...] = (0,)) -> Codec:
    return Codec(name, "frames", 8_000, octets, ticks, more, quiet=more[-1])


AMR_BITS = (95, 103, 118, 134, 148, 159, 204, 244, 39)
"""Bits of the AMR frame types 4.75 to 12.2 and SID (RFC 4867 §3.6)."""

AMR_WB_BITS = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40)
"""Bits of the AMR-WB frame types 6.60 to 23.85 and SID (RFC 4867 §3.6)."""

EVS_SIZES = (6, 7, 18, 20, 24, 33, 41, 61, 80, 120, 160, 240, 320)
"""Octets of EVS primary frames in compact format, SID first (TS 26.445 Annex A.2.1.2)."""

CODECS: dict[bytes, Codec] = {
    b"PCMU": _samples("PCMU", histogram=True),
    b"PCMA": _samples("PCMA", histogram=True),
    b"G722": _samples("G722"),  # clock 8000 by an old error (RFC 3551 §4.5.2)
    b"L16": _samples("L16", 2, clock=44_100, histogram=True),
    b"L8": _samples("L8", histogram=True),
    b"G726-16": _samples("G726-16", 1, 4),
    b"G726-24": _samples("G726-24", 3, 8),
    b"G726-32": _samples("G726-32", 1, 2),
    b"G726-40": _samples("G726-40", 5, 8),
    b"DVI4": _samples("DVI4", 1, 2, more=(4,)),
    b"G729": _frames("G729", 10, 80, (0, 2)),
    b"G729D": _frames("G729D", 8, 80, (0, 2)),
    b"G728": _frames("G728", 5, 20),
    b"G723": Codec("G723", "modes", sizes=(4, 20, 24), ticks=240, quiet=4),
    b"GSM": _frames("GSM", 33, 160),
    b"GSM-EFR": _frames("GSM-EFR", 31, 160),
    b"LPC": _frames("LPC", 14, 160),
    b"ILBC": Codec("iLBC", "frames", 8_000, 38, 160),
    b"AMR": Codec("AMR", "modes", 8_000, ticks=160, modes=AMR_BITS, quiet=7),
    b"AMR-WB": Codec("AMR-WB", "modes", 16_000, ticks=320, modes=AMR_WB_BITS, quiet=7),
    b"EVS": Codec("EVS", "modes", 16_000, ticks=320, sizes=EVS_SIZES, quiet=6),
    b"TELEPHONE-EVENT": Codec("telephone-event", "event"),
    b"H264": Codec("H264", "video", 90_000),
    b"H265": Codec("H265", "video", 90_000),
    b"OPUS": Codec("Opus", "leading", 48_000),  # TOC octet (RFC 6716 §3.1)
    b"VP8": Codec("VP8", "leading", 90_000),  # payload descriptor (RFC 7741 §4.2)
    b"VP9": Codec("VP9", "leading", 90_000),  # RFC 9628 §4.2
    b"H263": Codec("H263", "leading", 90_000),  # RFC 2190 §5
    b"H263-1998": Codec("H263-1998", "leading", 90_000),  # RFC 4629 §5.1
    b"H263-2000": Codec("H263-2000", "leading", 90_000),
}
"""Codecs by their rtpmap name in upper case. What is not here tells nothing. Codecs of kind "leading" have
payloads of any size whose first octet, a header, has few values."""

STATIC: dict[int, bytes] = {
    0: b"PCMU",
    3: b"GSM",
    4: b"G723",
    5: b"DVI4",
    7: b"LPC",
    8: b"PCMA",
    9: b"G722",
    10: b"L16",
    11: b"L16",
    15: b"G728",
    18: b"G729",
}
"""Payload types with a fixed meaning (RFC 3551 §6)."""

STEREO = 10  # static payload type of L16 with two channels


@lru_cache(maxsize=1024)
def codec(name: bytes, clock: int = 0, channels: int = 1) -> Codec | None:
    """The codec of an rtpmap; None where sizes and structure tell nothing. A clock of 0 stands for the usual one."""
    found = CODECS.get(name.upper())
    if found is None or channels not in (1, 2):
        return None
    if found.kind == "samples" and (clock not in (0, found.clock) or channels != 1):
        return Codec(
            found.name, "samples", clock or found.clock, found.octets * channels, found.ticks, found.more,
            histogram=found.histogram,
        )  # fmt: skip
    return found


def static_codec(payload_type: int) -> Codec | None:
    """The codec of a static payload type."""
    name = STATIC.get(payload_type)
    return codec(name, 0, 2 if payload_type == STEREO else 1) if name else None


def flag(parameters: bytes, name: bytes) -> bool:
    """Whether a parameter of a=fmtp is given as 1."""
    return any(word.strip().lower() == name + b"=1" for word in parameters.split(b";"))


@lru_cache(maxsize=4096)
def clear_sizes(which: Codec, parameters: bytes, step: int | None, packet_ms: float | None) -> frozenset[int]:
    """Octets that a payload in clear may have; empty where they can't be told.

    `step` is the timestamp difference of successive packets, `packet_ms` what the SDP says of it, `parameters` the
    codec's a=fmtp value.
    """
    if which.kind == "event":
        return frozenset((EVENT_OCTETS,))
    if which.kind == "samples":
        steps = {which.clock * ms // 1_000 for ms in PACKET_MS}
        steps |= {step} if step and 0 < step <= which.clock else set()
        sizes = {ticks * which.octets // which.ticks for ticks in steps if not ticks * which.octets % which.ticks}
        return frozenset(size + more for size in sizes for more in which.more)
    if which.kind in ("video", "leading"):
        return frozenset()
    ticks = step or (round(packet_ms * which.clock / 1_000) if packet_ms else which.ticks)
    if which.name == "iLBC" and (b"mode=30" in parameters or not ticks % 240):
        which = Codec("iLBC", "frames", 8_000, 50, 240)
    frames, odd = divmod(ticks, which.ticks)
    if odd or not 1 <= frames <= MAX_FRAMES:
        return frozenset()
    if which.kind == "frames":
        return frozenset(frames * which.octets + more for more in which.more) | frozenset(
            which.more[1:] if len(which.more) > 1 else ()
        )
    if which.modes:
        return _mode_sizes(which.modes, frames, flag(parameters, b"octet-align"))
    return frozenset(which.sizes) if frames == 1 else frozenset()


@lru_cache(maxsize=1024)
def explaining_sizes(which: Codec, parameters: bytes, step: int | None) -> frozenset[int]:
    """Octets that a payload may have before it is protected: more than `clear_sizes`, as nothing may be missed.

    Without `step`, the timestamp difference of successive packets, any packet time is possible.
    """
    if which.kind == "samples" or which.kind == "event" or step:
        sizes = clear_sizes(which, parameters, step, None)
    else:
        steps = [frames * which.ticks for frames in range(1, MAX_FRAMES + 1)]
        steps += [frames * 240 for frames in range(1, MAX_FRAMES + 1)] if which.name == "iLBC" else []
        sizes = frozenset().union(*(clear_sizes(which, parameters, each, None) for each in steps))
    if which.name == "EVS":  # header-full format and frames of AMR-WB IO (TS 26.445 Annex A.2.2)
        sizes |= {-(-bits // 8) for bits in AMR_WB_BITS} | {-(-(bits + 3) // 8) for bits in AMR_WB_BITS}
        sizes = frozenset(size + header for size in sizes for header in (0, 1, 2))
    return sizes


@lru_cache(maxsize=64)
def _mode_sizes(bits: tuple[int, ...], frames: int, octet_aligned: bool) -> frozenset[int]:
    """Payloads of AMR frames of one mode, or of none (NO_DATA) (RFC 4867 §4.3, §4.4)."""
    if octet_aligned:
        return frozenset(1 + frames + frames * -(-each // 8) for each in (0, *bits))
    return frozenset(-(-(4 + frames * (6 + each)) // 8) for each in (0, *bits))


# --- structure ------------------------------------------------------------------------------------


def amr_fits(payload: bytes, length: int, bits: tuple[int, ...], octet_aligned: bool) -> bool:
    """Whether CMR, table of contents and padding of an AMR payload lead to exactly its length (RFC 4867 §4.3, §4.4)."""
    if octet_aligned:
        if not payload or payload[0] & 0x0F:
            return False
        at, total = 1, 1
        while at < len(payload):
            entry = payload[at]
            octets = _frame_bits(bits, entry >> 3 & 0x0F)
            if entry & 0x03 or octets < 0:
                return False
            at += 1
            total += 1 + -(-octets // 8)
            if not entry & 0x80:
                return total == length
        return False
    value, have = int.from_bytes(payload[:32], "big"), 8 * min(len(payload), 32)
    at, total = 4, 4
    while at + 6 <= have:
        entry = value >> have - at - 6 & 0x3F
        size = _frame_bits(bits, entry >> 1 & 0x0F)
        if size < 0:
            return False
        at += 6
        total += 6 + size
        if not entry & 0x20:
            spare = -total % 8
            return -(-total // 8) == length and (length > len(payload) or not payload[-1] & (1 << spare) - 1)
    return False


def _frame_bits(bits: tuple[int, ...], frame_type: int) -> int:
    """Speech bits of a frame type; -1 for reserved ones."""
    if frame_type < len(bits):
        return bits[frame_type]
    return 0 if frame_type == 15 or (frame_type == 14 and bits is AMR_WB_BITS) else -1


def event_fits(payload: bytes, length: int) -> bool:
    """Whether a payload reads as a telephone event: known event, reserved bit 0, some duration (RFC 4733 §2.3)."""
    return (
        length == len(payload) == EVENT_OCTETS
        and payload[0] <= HIGHEST_EVENT
        and not payload[1] & 0x40
        and payload[2:] != b"\0\0"
    )


def gsm_fits(payload: bytes, length: int) -> bool:
    """Whether every frame of a payload begins with the signature of GSM full rate (RFC 3551 §4.5.8.1)."""
    return length == len(payload) and bool(payload) and all(octet >> 4 == GSM_SIGNATURE for octet in payload[::33])


def h264_fits(payload: bytes, length: int) -> bool:
    """Whether a payload begins like an H.264 NAL unit, aggregate or fragment (RFC 6184 §5.2, §5.6 to §5.8)."""
    if len(payload) < 2 or payload[0] & 0x80:
        return False
    kind = payload[0] & 0x1F
    if kind == 24:  # STAP-A: the sizes lead to the end
        at = 1
        while at + 2 <= len(payload):
            at += 2 + int.from_bytes(payload[at : at + 2], "big")
        return at == length if length == len(payload) else at <= length
    if kind in (28, 29):
        return not payload[1] & 0x20 and payload[1] & 0xC0 != 0xC0 and 1 <= payload[1] & 0x1F <= 23
    return 1 <= kind <= 12


def h265_fits(payload: bytes, length: int) -> bool:
    """Whether a payload begins like an H.265 NAL unit of layer 0, aggregate or fragment (RFC 7798 §1.1.4, §4.4)."""
    if len(payload) < 3 or payload[0] & 0x81 or payload[1] & 0xF8 or not payload[1] & 0x07:
        return False
    kind = payload[0] >> 1 & 0x3F
    if kind == 49:
        return payload[2] & 0xC0 != 0xC0 and payload[2] & 0x3F <= 40
    return kind <= 40 or kind == 48


STRUCTURES: dict[str, Callable[[bytes, int], bool]] = {
    "telephone-event": event_fits,
    "GSM": gsm_fits,
    "H264": h264_fits,
    "H265": h265_fits,
}


def structure_test(which: Codec, parameters: bytes) -> Callable[[bytes, int], bool] | None:
    """A test that payloads in clear pass and others seldom do; None where the codec has none."""
    if which.modes:
        if any(word in parameters.lower() for word in (b"crc=1", b"interleaving", b"robust-sorting=1")):
            return None
        aligned = flag(parameters, b"octet-align")
        return lambda payload, length: amr_fits(payload, length, which.modes, aligned)
    return STRUCTURES.get(which.name)


def equal_payloads(samples: Sequence[MediaSample]) -> bool:
    """Whether two packets have the same payload, which no cipher leaves."""
    seen: dict[bytes, int] = {}
    for sample in samples:
        if len(sample.payload) >= RUN and seen.setdefault(sample.payload, sample.sequence) != sample.sequence:
            return True
    return False


class Octets:
    """The spread of octet values in payloads, counted once."""

    __slots__ = ("counts", "data")

    def __init__(self, data: bytes) -> None:
        self.data = np.frombuffer(data, np.uint8)
        self.counts = np.bincount(self.data, minlength=256)

    def __len__(self) -> int:
        return len(self.data)

    def chi_square(self) -> float:
        """How far octets are from evenly spread; about 255 for ciphertext of any length, and seldom above 350."""
        length = len(self.data)
        return float(np.dot(self.counts, self.counts)) * 256 / length - length if length else 0.0

    def entropy(self) -> float:
        """Bits that an octet carries, by the spread of values alone."""
        share = self.counts[self.counts > 0] / max(len(self.data), 1)
        return float(-(share * np.log2(share)).sum())

    def has_run(self) -> bool:
        """Whether one value stands RUN times in a row."""
        half = RUN // 2  # every such run holds a whole stretch of half its length at a multiple of it
        count = len(self.data) // half
        ends = self.data[: count * half : half] == self.data[half - 1 : count * half : half]
        for at in np.flatnonzero(ends).tolist():
            if np.count_nonzero(self.data[at * half : (at + 1) * half] != self.data[at * half]):
                continue
            stretch = self.data[max(0, at - 1) * half : (at + 2) * half]
            change = np.flatnonzero(stretch[1:] != stretch[:-1])
            edges = np.concatenate([[-1], change, [len(stretch) - 1]])
            if np.diff(edges).max() >= RUN:
                return True
        return False
