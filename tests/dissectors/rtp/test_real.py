"""Every RTP and RTCP datagram of real captures is given back octet for octet, and what is plain has little to note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scapy.utils import RawPcapNgReader, RawPcapReader

from dissectors.binary import notes
from dissectors.rtp.layers import RTCP, RTP, srtcp_layer, srtp_layer
from dissectors.rtp.srtp.layout import Protection, rtcp_protection
from dissectors.tree import tree
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scapy.packet import Packet

MOST = 400  # datagrams of one capture
NAMES = (
    "dtls-srtp/stun-dtls-many-profiles.pcapng",
    "dtls-srtp/webrtc-freeswitch.pcapng",
    "rtp/alaw-40ms.pcap",
    "rtp/dtmf-rfc2833-digit.pcap",
    "rtp/dtmf-rfc2833-no-end.pcap",
    "rtp/g711a-stream.pcap",
    "rtp/h263-video-call.pcap",
    "rtp/many-rtp-flows.pcapng",
    "rtp/opus-stream-with-dtmf.pcap",
    "rtp/rtcp-and-encrypted-voice.pcap",
    "rtp/rtcp-several-in-one-datagram.pcap",
    "rtp/sip-g722.pcap",
    "rtp/sip-g729.pcap",
    "rtp/sip-gsm.pcap",
    "rtp/sip-lpc.pcap",
    "rtp/sip-speex-three-calls.pcap",
    "rtp/skinny-call.pcap",
    "sdes-srtp/marseillaise-srtp-only.pcap",
    "sdes-srtp/sip-udp-sdes-clear.pcap",
    "sdes-srtp/webrtc-pcma-p2p-sdes.pcap",
    "sdes-srtp/zrtp-zfone-asterisk.pcap",
    "volte/fixed-ims-invite-call.pcap",
    "volte/gtpu-ims-register-call-sms.pcap",
)
"""Captures with RTP or RTCP right in UDP; the others carry it in TURN or TCP, or have none."""
FILES = [CAPTURES / name for name in NAMES if (CAPTURES / name).exists()]
GTP_U = 2152
IP_PROTOCOLS = (b"\x08\x00", b"\x86\xdd", b"\x00\x21")  # the last in PPP


def udp_payloads(path: Path) -> Iterator[bytes]:
    """Payloads of UDP, those in GTP-U included; the captures have no fragments of RTP."""
    reader = RawPcapNgReader if path.suffix == ".pcapng" else RawPcapReader
    with reader(str(path)) as frames:
        for frame, meta in frames:
            link = getattr(meta, "linktype", None)
            link = frames.linktype if link is None else link
            start = {0: 4, 1: 14, 101: 0, 113: 16}.get(link)
            while link == 1 and start is not None and frame[start - 2 : start] == b"\x81\x00":
                start += 4
            if link == 1 and start is not None and frame[start - 2 : start] == b"\x88\x64":
                start += 8
            if start is not None and (link not in (1, 113) or frame[start - 2 : start] in IP_PROTOCOLS):
                yield from _udp(frame[start:])


def _udp(packet: bytes) -> Iterator[bytes]:
    if len(packet) < 28:
        return
    headers = {4: (4 * (packet[0] & 15), packet[9:10]), 6: (40, packet[6:7])}
    start, protocol = headers.get(packet[0] >> 4, (0, b""))
    if protocol != b"\x11":
        return
    payload = packet[start + 8 : start + int.from_bytes(packet[start + 4 : start + 6], "big")]
    if int.from_bytes(packet[start + 2 : start + 4], "big") == GTP_U and payload[1:2] == b"\xff":
        yield from _udp(payload[12 if payload[0] & 7 else 8 :])
    else:
        yield payload


def media(path: Path) -> Iterator[bytes]:
    """Datagrams that begin as RTP or RTCP do (RFC 7983 §7), as many as are looked at."""
    found = (one for one in udp_payloads(path) if len(one) >= 8 and one[0] >> 6 == 2)
    for _, one in zip(range(MOST), found, strict=False):
        yield one


def holds(layer: type[Packet], octets: bytes) -> Any:
    """A layer gives back its octets without any copy of them."""
    packet = layer(octets)
    packet.raw_packet_cache = None
    for one in getattr(packet, "packets", []):
        one.raw_packet_cache = None
    assert bytes(packet) == octets
    assert tree(packet).length == len(octets)
    return packet


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_datagram_is_given_back(path: Path) -> None:
    datagrams = list(media(path))
    assert datagrams
    for octets in datagrams:
        rtcp = 192 <= octets[1] <= 223
        packet = holds(RTCP if rtcp else RTP, octets)
        protected = srtcp_layer if rtcp else srtp_layer
        for suite in ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"):
            holds(protected(suite), octets)
        if rtcp and rtcp_protection(octets).protection is Protection.PLAIN:
            assert notes(packet) == []


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: no real RTP was read")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rtp/rtcp-several-in-one-datagram.pcap", {Protection.PLAIN: 5}),
        ("volte/gtpu-ims-register-call-sms.pcap", {Protection.PLAIN: 3}),
        ("sdes-srtp/webrtc-pcma-p2p-sdes.pcap", {Protection.ENCRYPTED_SRTCP: 8}),
        # ZRTP starts its call in clear.
        ("sdes-srtp/zrtp-zfone-asterisk.pcap", {Protection.PLAIN: 2, Protection.ENCRYPTED_SRTCP: 5}),
        # No SRTCP: its last words, 26210000 and so on, count little-endian (in many-rtp-flows RTP and RTCP together).
        ("rtp/rtcp-and-encrypted-voice.pcap", {Protection.AMBIGUOUS: 30}),
        # The two are DNS messages, which happen to begin as RTCP does.
        ("dtls-srtp/webrtc-freeswitch.pcapng", {Protection.ENCRYPTED_SRTCP: 2, Protection.AMBIGUOUS: 2}),
    ],
)
def test_single_packets_of_real_captures_are_told(name: str, told: dict[Protection, int]) -> None:
    verdicts = [
        rtcp_protection(octets).protection
        for octets in udp_payloads(CAPTURES / name)
        if len(octets) >= 8 and octets[0] >> 6 == 2 and 192 <= octets[1] <= 223
    ]
    assert {one: verdicts.count(one) for one in set(verdicts)} == told
