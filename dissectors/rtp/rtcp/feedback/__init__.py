"""Feedback control information of RTCP (RFC 4585)."""
