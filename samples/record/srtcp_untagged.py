"""SRTCP without an authentication tag: a real baresip SDES call whose SRTCP tags are cut off afterwards.

No user agent at hand leaves the tag out. The RTCP that baresip sends in clear is removed, as it is another story.
"""

import signal
import sys
import time

import baresip
import frames
from lab import Lab, keep, target

TAG = 10  # AES_CM_128_HMAC_SHA1_80


def compound(payload: bytes) -> int:
    """The length that the RTCP headers of a datagram claim, as far as they are readable."""
    position = 0
    while position + 4 <= len(payload) and payload[position] >> 6 == 2 and 192 <= payload[position + 1] <= 223:
        position += 4 * (int.from_bytes(payload[position + 2 : position + 4]) + 1)
    return position


def cut(frame: bytes) -> bytes | None:
    """A frame with untagged SRTCP in place of SRTCP; None for plain RTCP and for what a router said about it."""
    datagram = frames.datagram(frame)
    if datagram is None:
        return None
    payload = datagram.payload
    if len(payload) < 8 or payload[0] >> 6 != 2 or not 192 <= payload[1] <= 223:
        return frame
    if compound(payload) == len(payload):
        return None
    return frames.with_payload(frame, payload[:-TAG])


with Lab() as lab:
    alice, bob = (baresip.configure(lab, host, "srtp-mand") for host in "ab")
    capture = lab.capture()
    baresip.start_answerer(lab, bob, 16)
    baresip.call(lab, alice, 11)
    time.sleep(1.0)
    lab.stop(capture, signal.SIGINT)
    frames.rewrite(lab.work / "raw.pcap", lab.work / "cut.pcap", cut)
    keep(lab.work / "cut.pcap", target(sys.argv, "srtcp-without-tag.pcapng"))
