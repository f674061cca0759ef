"""SDP (RFC 8866) and what secures media in it: a lean parser over bytes, tables, and a Scapy layer."""
