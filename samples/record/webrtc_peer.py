"""One scripted user agent: SIP by hand, media by aiortc (ICE, DTLS 1.2, SRTP); run by clean_call.py on each host.

Arguments: role (caller or answerer), own SIP address, peer's SIP address, media address, seconds to talk. The SDP that
the SIP messages carry is aiortc's own.
"""

from __future__ import annotations

import asyncio
import fractions
import secrets
import sys

import aioice.ice
import aiortc.rtcdtlstransport
import numpy as np
import speech
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from av import AudioFrame

ROLE, OWN, PEER, MEDIA = sys.argv[1:5]
SECONDS = float(sys.argv[5])
USER = {"caller": "alice", "answerer": "bob"}
NAME, OTHER = (USER[ROLE], USER["answerer" if ROLE == "caller" else "caller"])


class Speech(MediaStreamTrack):
    """20 ms of the test tone at a time, at the pace of the clock."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.data = np.frombuffer(speech.samples(4, 180 if ROLE == "caller" else 120).tobytes(), dtype=np.int16)
        self.sent = 0
        self.began = 0.0

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self.began = self.began or now
        await asyncio.sleep(max(0.0, self.began + self.sent * 0.02 - now))
        start = (self.sent * 160) % (len(self.data) - 160)
        frame = AudioFrame.from_ndarray(self.data[start : start + 160].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = speech.RATE
        frame.pts = self.sent * 160
        frame.time_base = fractions.Fraction(1, speech.RATE)
        self.sent += 1
        return frame


class Sip(asyncio.DatagramProtocol):
    """SIP over UDP: a queue of whole datagrams."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[str] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, _: object) -> None:
        self.received.put_nowait(data.decode())

    def send(self, first: str, headers: list[str], body: str = "") -> None:
        kind = ["Content-Type: application/sdp"] if body else []
        head = [first, *headers, "User-Agent: lab script with aiortc", *kind, f"Content-Length: {len(body.encode())}"]
        self.transport.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), (PEER, 5060))  # type: ignore[attr-defined]


def header(message: str, name: str) -> str:
    """The value of one header field."""
    return next(line.partition(":")[2].strip() for line in message.split("\r\n") if line.startswith(name + ":"))


def connection() -> RTCPeerConnection:
    """A peer connection that sends PCMU and knows no server."""
    result = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    result.addTrack(Speech())
    codecs = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/PCMU"]
    result.getTransceivers()[0].setCodecPreferences(codecs)
    return result


def description(media: RTCPeerConnection) -> str:
    """aiortc's own SDP, less the second and third fingerprint, so that a message fits into one packet."""
    lines = media.localDescription.sdp.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512")))


async def caller(sip: Sip) -> None:
    """INVITE, 200, ACK, talk, BYE."""
    media = connection()
    await media.setLocalDescription(await media.createOffer())
    dialog = [
        f"From: <sip:alice@{OWN}>;tag={secrets.token_hex(6)}",
        f"Call-ID: {secrets.token_hex(10)}",
        f"Contact: <sip:alice@{OWN}>",
        "Max-Forwards: 70",
    ]

    def via() -> str:
        return f"Via: SIP/2.0/UDP {OWN}:5060;branch=z9hG4bK{secrets.token_hex(8)}"

    sip.send(
        f"INVITE sip:bob@{PEER} SIP/2.0",
        [via(), f"To: <sip:bob@{PEER}>", "CSeq: 1 INVITE", *dialog],
        description(media),
    )
    while not (answer := await sip.received.get()).startswith("SIP/2.0 200"):
        pass
    to = "To: " + header(answer, "To")
    sip.send(f"ACK sip:bob@{PEER} SIP/2.0", [via(), to, "CSeq: 1 ACK", *dialog])
    await media.setRemoteDescription(RTCSessionDescription(answer.partition("\r\n\r\n")[2], "answer"))
    await asyncio.sleep(SECONDS)
    await media.close()
    sip.send(f"BYE sip:bob@{PEER} SIP/2.0", [via(), to, "CSeq: 2 BYE", *dialog])
    await sip.received.get()


async def answerer(sip: Sip) -> None:
    """Wait for the INVITE, ring, answer, talk until the BYE."""
    offer = await sip.received.get()
    tag = secrets.token_hex(6)

    def reply(request: str, status: str, body: str = "") -> None:
        to = header(request, "To")
        echoed = [f"{name}: {header(request, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        sip.send(
            f"SIP/2.0 {status}",
            [*echoed, f"To: {to}" + ("" if "tag=" in to else f";tag={tag}"), f"Contact: <sip:bob@{OWN}>"],
            body,
        )

    reply(offer, "180 Ringing")
    media = connection()
    await media.setRemoteDescription(RTCSessionDescription(offer.partition("\r\n\r\n")[2], "offer"))
    await media.setLocalDescription(await media.createAnswer())
    reply(offer, "200 OK", description(media))
    while not (request := await sip.received.get()).startswith("BYE"):
        pass
    await media.close()
    reply(request, "200 OK")


async def main() -> None:
    loop = asyncio.get_running_loop()
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [MEDIA]
    # aiortc prefers AES-GCM; the profile that every implementation has is the one to show.
    wanted = [p for p in aiortc.rtcdtlstransport.SRTP_PROFILES if p.openssl_profile == b"SRTP_AES128_CM_SHA1_80"]
    aiortc.rtcdtlstransport.SRTP_PROFILES[:] = wanted
    transport, sip = await loop.create_datagram_endpoint(Sip, local_addr=(OWN, 5060))
    await (caller if ROLE == "caller" else answerer)(sip)
    await asyncio.sleep(0.3)
    transport.close()


asyncio.run(main())
