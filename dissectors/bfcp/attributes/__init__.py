"""The attributes of BFCP messages (RFC 8855 §5.2)."""
