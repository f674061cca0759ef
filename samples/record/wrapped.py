"""Copies of recorded calls as other capture points see them: inside GTP-U, and with a VLAN tag.

The packets are those of downgraded-answer.pcapng and plain-rtp-on-savp.pcapng; only what stands around their IP packets
is made here, as the lab's kernel has neither GTP nor 802.1Q.
"""

import struct
import sys
import tempfile
from pathlib import Path

import frames
from lab import HERE, keep, run, target

NODES = {"10.20.0.1": ("10.30.0.1", "10.30.0.2", 0x1001), "10.20.0.2": ("10.30.0.2", "10.30.0.1", 0x2002)}


def in_gtp(frame: bytes) -> bytes | None:
    """The IP packet of a frame in a G-PDU (TS 29.281), between a base station and a gateway."""
    if frame[12:14] != b"\x08\x00":
        return None
    inner = frame[14 : 14 + int.from_bytes(frame[16:18])]
    near, far, tunnel = NODES[".".join(map(str, frame[26:30]))]
    gtp = struct.pack("!BBHI", 0x30, 0xFF, len(inner), tunnel) + inner
    return frame[:14] + frames.ip4(near, far, 17, frames.udp(near, far, (2152, 2152), gtp))


def with_vlan(frame: bytes) -> bytes:
    """The frame with an 802.1Q tag, VLAN 42."""
    return frame[:12] + struct.pack("!HH", 0x8100, 42) + frame[12:]


COPIES = (
    (in_gtp, "downgraded-answer.pcapng", "downgraded-answer-in-gtp-u.pcap"),
    (with_vlan, "plain-rtp-on-savp.pcapng", "plain-rtp-in-vlan.pcapng"),
)
with tempfile.TemporaryDirectory() as folder:
    raw, changed = Path(folder) / "raw.pcap", Path(folder) / "changed.pcap"
    for change, source, name in COPIES:
        run("editcap", "-F", "pcap", str(HERE.parent / source), str(raw))
        frames.rewrite(raw, changed, change)
        keep(changed, target(sys.argv, name))
