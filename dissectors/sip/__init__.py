"""SIP (RFC 3261): a lean parser over bytes, framing of byte streams, and a Scapy layer."""
