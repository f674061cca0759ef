"""TLS_PSK_WITH_NULL_SHA256 (0x00B0) between two openssl peers; no signalling in the capture."""

import sys

from lab import Lab, target
from openssl_pair import chat

PSK = "00112233445566778899aabbccddeeff"

with Lab() as lab:
    capture = lab.capture(only="tcp")
    common = ["-tls1_2", "-cipher", "PSK-NULL-SHA256:@SECLEVEL=0", "-psk", PSK]
    chat(lab, ["-nocert", *common], [*common, "-psk_identity", "alice@lab.test"])
    lab.save(capture, target(sys.argv, "psk-null-cipher.pcap"))
