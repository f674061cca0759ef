"""Best-effort SRTP over IPv6: baresip offers RTP/AVP with a=crypto (RFC 8643) and both sides encrypt; no downgrade."""

import sys

import baresip
from lab import HOSTS, Lab, target

with Lab(ipv6=True) as lab:
    alice, bob = (baresip.configure(lab, host, "srtp") for host in "ab")
    capture = lab.capture(only="udp")
    baresip.start_answerer(lab, bob, 11)
    baresip.call(lab, alice, 7, f"sip:bob@[{HOSTS['b'][1]}]")
    lab.save(capture, target(sys.argv, "best-effort-srtp-ipv6.pcapng"))
