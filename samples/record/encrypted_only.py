"""Nothing to assess: a call inside really encrypted ESP, and TLS 1.3 whose handshake was before the capture began."""

import sys
import time

import strongswan
from lab import HERE, HOSTS, Lab, certificate, say, target
from openssl_pair import hang_up

SECONDS = 4
PORT = "5061"

with Lab() as lab:
    both = str(certificate(lab.work))
    strongswan.connect(lab, "aes128gcm16")
    server = lab.start("b", "openssl", "s_server", "-accept", PORT, "-quiet", "-tls1_3", "-cert", both, "-key", both)
    time.sleep(0.7)
    client = lab.start(
        "a", "openssl", "s_client", "-connect", f"{HOSTS['b'][0]}:{PORT}", "-quiet", "-no_ign_eof", "-tls1_3"
    )
    time.sleep(1.0)
    capture = lab.capture(only="udp or tcp")
    script = str(HERE / "webrtc_peer.py")
    inner = strongswan.INNER
    lab.start("b", sys.executable, script, "answerer", inner["b"], inner["a"], inner["b"], str(SECONDS), log="bob.log")
    time.sleep(3.0)
    caller = lab.start(
        "a", sys.executable, script, "caller", inner["a"], inner["b"], inner["a"], str(SECONDS), log="alice.log"
    )
    for number in range(6):
        say(client, f"OPTIONS sip:bob@lab.test SIP/2.0\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.4)
        say(server, f"SIP/2.0 200 OK\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n")
    caller.wait(timeout=60)
    hang_up(client)
    lab.save(capture, target(sys.argv, "nothing-to-assess.pcapng"))
