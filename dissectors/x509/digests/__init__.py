"""Digests of octets, as session descriptions carry them (RFC 8122 §5)."""
