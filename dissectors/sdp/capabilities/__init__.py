"""Capability negotiation in session descriptions (RFC 5939, RFC 6871)."""
