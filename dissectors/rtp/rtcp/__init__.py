"""RTCP packets."""
