"""Plain RTP on a line negotiated as SRTP: two SIPp peers agree on SAVP and replay clear media of a baresip call.

No user agent at hand does this by itself, so the signalling is scripted; the RTP packets were sent by baresip in a call
without protection, recorded just before.
"""

import base64
import secrets
import sys
import time

import sipp
from baresip import clear_media
from lab import HOSTS, Lab, target

PORTS = {"a": 40000, "b": 41000}


def sdp(host: str) -> str:
    """A session description with one SRTP line and a fresh SDES key."""
    address = HOSTS[host][0]
    key = base64.b64encode(secrets.token_bytes(30)).decode()
    return (
        f"v=0\no=- 1 1 IN IP4 {address}\ns=-\nc=IN IP4 {address}\nt=0 0\nm=audio [media_port] RTP/SAVP 0\n"
        f"a=rtpmap:0 PCMU/8000\na=ptime:20\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}"
    )


with Lab() as lab:
    media = clear_media(lab.work)
    capture = lab.capture()
    sipp.start(lab, "b", sipp.answerer(sdp("b"), media["b"], 5), PORTS["b"])
    time.sleep(1.0)
    sipp.start(lab, "a", sipp.caller(sdp("a"), media["a"], 6), PORTS["a"]).wait(timeout=40)
    lab.save(capture, target(sys.argv, "plain-rtp-on-savp.pcapng"))
