"""Message Session Relay Protocol (RFC 4975, RFC 4976)."""
