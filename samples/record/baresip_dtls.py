"""Two baresip user agents with DTLS-SRTP: the media is protected, some of the RTCP is not."""

import sys

import baresip
from lab import Lab, target

with Lab() as lab:
    alice, bob = (baresip.configure(lab, host, "dtls_srtp", ptime=40) for host in "ab")
    capture = lab.capture(only="udp")
    baresip.start_answerer(lab, bob, 16)
    baresip.call(lab, alice, 11)
    lab.save(capture, target(sys.argv, "plain-rtcp-on-dtls-call.pcapng"))
