"""TLS_RSA_WITH_NULL_SHA256 (0x003B) on an MSRP line that signalling calls secure: the chat stands in the packets."""

import sys

from lab import target
from msrp_call import record

record(target(sys.argv, "null-cipher-msrp.pcapng"), "NULL-SHA256:@SECLEVEL=0", "NULL-SHA256:@SECLEVEL=0")
