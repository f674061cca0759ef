"""Attributes of session descriptions that describe media, their transport and their applications (RFC 8866 §6)."""
