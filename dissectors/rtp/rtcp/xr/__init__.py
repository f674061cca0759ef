"""Report blocks of RTCP extended reports (RFC 3611)."""
