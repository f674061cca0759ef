"""The payloads of MIKEY-IBAKE (RFC 6267) and MIKEY-SAKKE (RFC 6509)."""
