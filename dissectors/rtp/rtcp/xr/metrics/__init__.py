"""Report blocks of RTCP extended reports later than RFC 3611."""
