"""A bid-down as by a middlebox: baresip offers RTP/SAVP with keys, a scripted SIPp peer answers RTP/AVP and sends.

baresip stays silent then; the answerer's RTP was sent by baresip in a clear call recorded just before.
"""

import sys
import time

import baresip
import sipp
from lab import HOSTS, Lab, target

ADDRESS = HOSTS["b"][0]
ANSWER = (
    f"v=0\no=- 1 1 IN IP4 {ADDRESS}\ns=-\nc=IN IP4 {ADDRESS}\nt=0 0\nm=audio [media_port] RTP/AVP 0\n"
    "a=rtpmap:0 PCMU/8000\na=ptime:20\n"
)

with Lab() as lab:
    media = baresip.clear_media(lab.work)
    alice = baresip.configure(lab, "a", "srtp-mand")
    capture = lab.capture()
    sipp.start(lab, "b", sipp.answerer(ANSWER, media["b"], 5), 41000)
    time.sleep(1.0)
    baresip.call(lab, alice, 6)
    lab.save(capture, target(sys.argv, "downgraded-answer.pcapng"))
