"""The near miss of a downgrade: baresip offers RTP/SAVP, the scripted SIPp peer refuses the line (port 0).

Captured on all interfaces, as Linux cooked capture v2.
"""

import sys
import time

import baresip
import sipp
from lab import HOSTS, Lab, target

ADDRESS = HOSTS["b"][0]
ANSWER = f"v=0\no=- 1 1 IN IP4 {ADDRESS}\ns=-\nc=IN IP4 {ADDRESS}\nt=0 0\nm=audio 0 RTP/SAVP 0\n"

with Lab() as lab:
    alice = baresip.configure(lab, "a", "srtp-mand")
    capture = lab.capture(interface="any")
    sipp.start(lab, "b", sipp.answerer(ANSWER, None, 0), 41000)
    time.sleep(1.0)
    baresip.call(lab, alice, 4)
    lab.save(capture, target(sys.argv, "rejected-line.pcap"))
