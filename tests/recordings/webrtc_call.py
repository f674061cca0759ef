"""Two aiortc peers in one process that call one another: ICE, DTLS, SRTP and SRTCP over UDP of one address.

There is no SIP: the offer and the answer are handed over in memory. `call` gives every datagram as it was received, and
the key log; run as a program, it only talks (record.py captures it) and writes the key log and what was agreed.

Arguments: address, seconds, profile (OpenSSL's name), file for the key log; then perhaps "video" and "first=N".
"""

from __future__ import annotations

import asyncio
import fractions
import json
import math
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aioice.ice
import aiortc.rtcdtlstransport
import aiortc.rtcrtpsender
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender
from av import AudioFrame, VideoFrame

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 8000
EXPORTER = b"EXTRACTOR-dtls_srtp"


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram as it came."""

    when: float
    source: tuple[str, int]
    destination: tuple[str, int]
    data: bytes = field(repr=False)


@dataclass
class Recorded:
    """What a call left."""

    datagrams: list[Datagram] = field(default_factory=list)
    key_log: list[bytes] = field(default_factory=list, repr=False)
    exported: dict[bool, bytes] = field(default_factory=dict, repr=False)  # keying material as client and as server
    version: str = ""
    profile: str = ""


class Tone(MediaStreamTrack):
    """20 ms of a tone at a time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.began = 0.0

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self.began = self.began or now
        await asyncio.sleep(max(0.0, self.began + self.sent * 0.02 - now))
        start = self.sent * 160
        samples = [int(9000 * math.sin(0.34 * (start + index))) for index in range(160)]
        frame = AudioFrame.from_ndarray(np.array([samples], dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, fractions.Fraction(1, RATE)
        self.sent += 1
        return frame


class Picture(MediaStreamTrack):
    """Small grey pictures, ten a second, so that VP8 has something to send."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(0.1)
        level = np.full((64, 64, 3), (self.sent * 8) % 256, dtype=np.uint8)
        frame = VideoFrame.from_ndarray(level, format="bgr24")
        frame.pts, frame.time_base = self.sent * 9000, fractions.Fraction(1, 90000)
        self.sent += 1
        return frame


@contextmanager
def _changed(recorded: Recorded, address: str, profile: bytes, first: int | None) -> Iterator[None]:
    """aiortc with one profile and one address, which tells what it receives and its secrets."""
    dtls, certificate = aiortc.rtcdtlstransport, aiortc.rtcdtlstransport.RTCCertificate
    transport, stun = dtls.RTCDtlsTransport, aioice.ice.StunProtocol
    profiles = list(dtls.SRTP_PROFILES)
    context, setup, received = certificate._create_ssl_context, transport._setup_srtp, stun.datagram_received

    def with_key_log(self: Any, *arguments: Any, **named: Any) -> Any:
        made = context(self, *arguments, **named)
        made.set_keylog_callback(lambda _, line: recorded.key_log.append(line))
        return made

    def exporting(self: Any) -> None:
        setup(self)
        used = self._ssl.get_selected_srtp_profile()
        chosen = next(each for each in profiles if each.openssl_profile == used)
        octets = 2 * (chosen.key_length + chosen.salt_length)
        recorded.exported[self._role == "client"] = self._ssl.export_keying_material(EXPORTER, octets)
        recorded.version, recorded.profile = self._ssl.get_protocol_version_name(), used.decode()

    def noting(self: Any, data: bytes, source: tuple[Any, ...]) -> None:
        own = self.transport.get_extra_info("sockname")[:2]
        recorded.datagrams.append(Datagram(time.time(), source[:2], own, data))
        received(self, data, source)

    dtls.SRTP_PROFILES[:] = [each for each in profiles if each.openssl_profile == profile]
    if not dtls.SRTP_PROFILES:
        raise ValueError(f"this aiortc has no profile {profile.decode()}")
    changed: list[tuple[Any, str, Any]] = [
        (aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [address]),
        (certificate, "_create_ssl_context", with_key_log),
        (transport, "_setup_srtp", exporting),
        (stun, "datagram_received", noting),
    ]
    if first is not None:
        changed.append((aiortc.rtcrtpsender, "random_sequence_number", lambda: first))
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changed]
    for owner, name, value in changed:
        setattr(owner, name, value)
    try:
        yield
    finally:
        dtls.SRTP_PROFILES[:] = profiles
        for owner, name, value in before:
            setattr(owner, name, value)


async def _talk(seconds: float, video: bool) -> None:
    """Offer, answer, talk, end."""
    peers = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
    caller, answerer = peers
    for peer in peers:
        peer.addTrack(Tone())
        if not video:  # there Opus is left first
            codecs = [each for each in RTCRtpSender.getCapabilities("audio").codecs if each.mimeType == "audio/PCMU"]
            peer.getTransceivers()[0].setCodecPreferences(codecs)
    if video:
        for peer in peers:
            peer.addTrack(Picture())
    await caller.setLocalDescription(await caller.createOffer())
    await answerer.setRemoteDescription(caller.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await caller.setRemoteDescription(answerer.localDescription)
    await asyncio.sleep(seconds)
    for peer in peers:
        await peer.close()
    await asyncio.sleep(0.2)


def call(address: str, seconds: float, profile: str, *, video: bool = False, first: int | None = None) -> Recorded:
    """One call in the profile of OpenSSL's name; RTP begins at sequence number `first`, if that is given."""
    recorded = Recorded()
    with _changed(recorded, address, profile.encode(), first):
        asyncio.run(_talk(seconds, video))
    return recorded


def main(address: str, seconds: str, profile: str, key_log: str, *more: str) -> None:
    """Talk, and write the key log."""
    first = next((int(each.removeprefix("first=")) for each in more if each.startswith("first=")), None)
    recorded = call(address, float(seconds), profile, video="video" in more, first=first)
    Path(key_log).write_bytes(b"".join(line + b"\n" for line in recorded.key_log))
    print(json.dumps({"version": recorded.version, "profile": recorded.profile}))


if __name__ == "__main__":
    main(*sys.argv[1:])
