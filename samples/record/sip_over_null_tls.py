"""SIP over TLS with a NULL cipher: two baresip whose OpenSSL is configured to it; SDES keys are readable inside."""

import sys

import baresip
from lab import Lab, target

with Lab() as lab:
    config = lab.work / "openssl.cnf"
    config.write_text(
        "openssl_conf = first\n[first]\nssl_conf = second\n[second]\nsystem_default = third\n[third]\n"
        "CipherString = NULL-SHA256:@SECLEVEL=0\nMaxProtocol = TLSv1.2\n"
    )
    alice, bob = (baresip.configure(lab, host, "srtp-mand", options=";transport=tls") for host in "ab")
    capture = lab.capture(only="udp or tcp")
    use = {"OPENSSL_CONF": str(config)}
    baresip.start_answerer(lab, bob, 12, use)
    baresip.call(lab, alice, 7, "sip:bob@10.20.0.2:5061;transport=tls", use)
    lab.save(capture, target(sys.argv, "sip-over-null-tls.pcapng"))
