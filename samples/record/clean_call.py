"""A call with everything protected: SIP inside ESP-NULL with integrity, DTLS-SRTP and SRTCP by two aiortc peers."""

import sys

import strongswan
from lab import HERE, HOSTS, Lab, target

SECONDS = 11

with Lab() as lab:
    capture = lab.capture(only="udp")
    strongswan.connect(lab, "null-sha1")
    script = str(HERE / "webrtc_peer.py")
    inner = strongswan.INNER
    lab.start(
        "b", sys.executable, script, "answerer", inner["b"], inner["a"], HOSTS["b"][0], str(SECONDS), log="bob.log"
    )
    lab.inside("b", "sleep", "3")
    caller = lab.start(
        "a", sys.executable, script, "caller", inner["a"], inner["b"], HOSTS["a"][0], str(SECONDS), log="alice.log"
    )
    caller.wait(timeout=60)
    lab.save(capture, target(sys.argv, "clean-call.pcapng"))
