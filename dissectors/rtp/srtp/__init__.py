"""SRTP and SRTCP packets (RFC 3711)."""
