"""The ticket policy and ticket payloads of MIKEY-TICKET (RFC 6043)."""
