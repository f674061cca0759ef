"""The near miss of a collision: a clear baresip call in which the caller's source port changes half-way, as by a NAT.

The change is made in the recorded packets: the sequence goes on, and the old port is silent from then on.
"""

import signal
import sys
import time

import baresip
import frames
from lab import HOSTS, Lab, keep, target

NEW_PORT = 50123
AFTER = 150  # packets


class Rebinding:
    """A NAT that forgets the caller's binding after some media packets."""

    def __init__(self) -> None:
        self.packets = 0

    def change(self, frame: bytes) -> bytes:
        """A frame as it leaves the NAT."""
        seen = frames.datagram(frame)
        if seen is None or seen.source != HOSTS["a"][0] or len(seen.payload) != 172:
            return frame
        self.packets += 1
        if self.packets <= AFTER:
            return frame
        inner = frames.udp(seen.source, seen.destination, (NEW_PORT, seen.destination_port), seen.payload)
        return frame[:14] + frames.ip4(seen.source, seen.destination, 17, inner, int.from_bytes(frame[18:20]))


with Lab() as lab:
    alice, bob = (baresip.configure(lab, host) for host in "ab")
    capture = lab.capture()
    baresip.start_answerer(lab, bob, 11)
    baresip.call(lab, alice, 7)
    time.sleep(1.0)
    lab.stop(capture, signal.SIGINT)
    frames.rewrite(lab.work / "raw.pcap", lab.work / "changed.pcap", Rebinding().change)
    keep(lab.work / "changed.pcap", target(sys.argv, "rebound-source-port.pcapng"))
