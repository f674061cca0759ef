"""Two baresip user agents with mandatory SDES over UDP; baresip itself sends some RTCP in clear."""

import sys

import baresip
from lab import Lab, target

with Lab() as lab:
    alice, bob = (baresip.configure(lab, host, "srtp-mand") for host in "ab")
    capture = lab.capture()
    baresip.start_answerer(lab, bob, 14)
    baresip.call(lab, alice, 9)
    lab.save(capture, target(sys.argv, "plain-rtcp-on-sdes-call.pcapng"))
