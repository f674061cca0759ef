"""linphone with mandatory SDES, SIP over TCP: the SRTP keys stand in clear signalling."""

import sys

import linphone
from lab import Lab, target

with Lab() as lab:
    capture = lab.capture(only="udp or tcp")
    bob = linphone.start(lab, "b", "srtp", "tcp", only_g711=True)
    alice = linphone.start(lab, "a", "srtp", "tcp", only_g711=True)
    linphone.call(lab, alice, bob, "<sip:bob@10.20.0.2;transport=tcp>", 15)
    lab.save(capture, target(sys.argv, "sdes-keys-in-clear-sip.pcapng"))
