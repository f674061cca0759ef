"""Binary Floor Control Protocol (RFC 4582, RFC 8855)."""
