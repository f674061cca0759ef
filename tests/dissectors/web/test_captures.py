"""RTSP of the project's own recording and of real captures is read whole, with the MIKEY messages that it carries."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import RawPcapReader

from dissectors.binary import notes
from dissectors.http import RTSP_START
from dissectors.mikey.layers import MIKEY
from dissectors.sdp.layer import SDP, SDPKeyMgmt
from dissectors.web.headers.layers import KeyMgmt, Transport
from dissectors.web.layers import RTSP, Interleaved, RTSPStream
from tests.truth import CAPTURES

SAMPLE = Path(__file__).parents[3] / "samples" / "mikey-rtsp.pcapng"
REAL = sorted(CAPTURES.glob("*/rtsp-*"))


def directions(path: Path) -> dict[bytes, bytes]:
    """The octets of each direction of the TCP connections of a capture over IPv4 and Ethernet, in sequence."""
    segments: defaultdict[bytes, dict[int, bytes]] = defaultdict(dict)
    with RawPcapReader(str(path)) as reader:
        for frame, _ in reader:
            if frame[12:14] != b"\x08\x00" or frame[23] != 6:
                continue
            tcp = frame[14 + 4 * (frame[14] & 15) : 14 + int.from_bytes(frame[16:18], "big")]
            data = tcp[4 * (tcp[12] >> 4) :]
            if data:
                segments[frame[26:34] + tcp[:4]].setdefault(int.from_bytes(tcp[4:8], "big"), data)
    streams = {}
    for ends, found in segments.items():
        at = min(found)
        octets = b""
        while at in found:
            octets += found[at]
            at += len(found[at])
        streams[ends] = octets
    return streams


def test_the_recording_carries_mikey_in_sdp_and_in_key_mgmt_headers() -> None:
    in_headers: list[Any] = []
    in_sdp: list[Any] = []
    profiles: list[bytes] = []
    interleaved = 0
    for octets in directions(SAMPLE).values():
        stream = RTSPStream(octets)
        assert bytes(stream) == octets
        for one in stream.items:
            interleaved += isinstance(one, Interleaved)
            if not isinstance(one, RTSP):
                continue
            for header in one.headers:
                if isinstance(header, KeyMgmt):
                    in_headers += [p.data for s in header.specs for p in s.parameters if p.parameter_name == b"data"]
                if isinstance(header, Transport):
                    profiles += [spec.profile for spec in header.specs]
            if isinstance(one.body, SDP):
                in_sdp += [line.keymgmt_data for line in one.body.lines if isinstance(line, SDPKeyMgmt)]
    assert [type(one) for one in in_headers] == [MIKEY, MIKEY]
    assert [type(one) for one in in_sdp] == [MIKEY, MIKEY]
    assert [one.data_type for one in in_headers + in_sdp] == [0, 0, 0, 0]
    assert set(profiles) == {b"SAVP"}
    assert interleaved >= 100


@pytest.mark.parametrize("capture", REAL, ids=lambda path: path.name)
def test_real_rtsp_is_read_whole(capture: Path) -> None:
    messages = 0
    for octets in directions(capture).values():
        if RTSP_START.match(octets):
            stream = RTSPStream(octets)
            assert bytes(stream) == octets
            assert all(isinstance(text, str) for text in notes(stream))
            messages += sum(isinstance(one, RTSP) for one in stream.items)
    assert messages
