"""SDES keys in SIP inside ESP-NULL with integrity: readable, but the object of IMS-SIG-003 and not of IMS-SIG-001.

The descriptions are long, so that the SIP messages are IP fragments inside the tunnel. SIP is scripted, ESP is
strongSwan's; no media is sent.
"""

import base64
import secrets
import sys

import strongswan
from lab import HERE, HOSTS, Lab, target

CODECS = (
    "0 PCMU/8000",
    "8 PCMA/8000",
    "9 G722/8000",
    "96 AMR/8000",
    "97 AMR-WB/16000",
    "98 EVS/16000",
    "101 telephone-event/8000",
)


def sdp(host: str) -> str:
    """A long session description with one audio line under SDES."""
    address = HOSTS[host][0]
    key = base64.b64encode(secrets.token_bytes(30)).decode()
    numbers = " ".join(each.partition(" ")[0] for each in CODECS)
    maps = "".join(f"a=rtpmap:{each}\n" for each in CODECS)
    described = "".join(
        f"a=x-lab-note:{number} {'the description of a verbose user agent ' * 2}\n" for number in range(12)
    )
    return (
        f"v=0\no=- 1 1 IN IP4 {address}\ns=-\nc=IN IP4 {address}\nt=0 0\nm=audio 40000 RTP/SAVP {numbers}\n{maps}"
        f"{described}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\n"
    )


with Lab() as lab:
    strongswan.connect(lab, "null-sha256")
    for host in HOSTS:
        (lab.work / f"{host}.sdp").write_text(sdp(host))
    capture = lab.capture(only="udp")
    script, inner = str(HERE / "sip_peer.py"), strongswan.INNER
    lab.start("b", sys.executable, script, "answerer", inner["b"], inner["a"], str(lab.work / "b.sdp"), "0")
    lab.inside("b", "sleep", "1")
    caller = lab.start("a", sys.executable, script, "caller", inner["a"], inner["b"], str(lab.work / "a.sdp"), "2")
    caller.wait(timeout=30)
    lab.save(capture, target(sys.argv, "sdes-keys-in-esp-null.pcapng"))
