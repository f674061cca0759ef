"""The near miss: the client offers NULL suites first, the server chooses AES-GCM."""

import sys

from lab import target
from msrp_call import record

record(
    target(sys.argv, "null-offered-aes-chosen.pcapng"),
    "ECDHE-RSA-AES128-GCM-SHA256",
    "NULL-SHA256:NULL-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0",
)
