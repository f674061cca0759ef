"""linphone with mandatory DTLS-SRTP, SIP over UDP in clear: fingerprints can be read and changed. No key log."""

import sys

import linphone
from lab import Lab, target

with Lab() as lab:
    capture = lab.capture(only="udp or tcp")
    bob = linphone.start(lab, "b", "dtls", only_g711=True)
    alice = linphone.start(lab, "a", "dtls", only_g711=True)
    linphone.call(lab, alice, bob, "sip:bob@10.20.0.2", 15)
    lab.save(capture, target(sys.argv, "linphone-dtls-srtp.pcapng"))
