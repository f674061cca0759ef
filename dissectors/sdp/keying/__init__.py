"""Attributes of session descriptions that bring keys, or say how they are agreed upon (RFC 4567, RFC 4568)."""
