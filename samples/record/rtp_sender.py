"""A scripted RTP sender: PCMU, 20 ms, from an own sequence number on.

Arguments: own address, own port, destination address, destination port, SSRC in hex, seconds.
"""

import secrets
import socket
import sys
import time

import speech

OWN, OWN_PORT, PEER, PEER_PORT, SSRC, SECONDS = sys.argv[1:7]


def mulaw(sample: int) -> int:
    """One sample in G.711 mu-law."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 15) & 0xFF


voice = bytes(map(mulaw, speech.samples(float(SECONDS), 240)))
sequence, timestamp = 7000, secrets.randbits(31)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind((OWN, int(OWN_PORT)))
    began = time.monotonic()
    for number in range(len(voice) // 160):
        time.sleep(max(0.0, began + number * 0.02 - time.monotonic()))
        header = (
            bytes([0x80, 0x80 if number == 0 else 0])
            + (sequence + number).to_bytes(2)
            + (timestamp + number * 160).to_bytes(4)
        )
        udp.sendto(header + bytes.fromhex(SSRC) + voice[number * 160 : number * 160 + 160], (PEER, int(PEER_PORT)))
