"""The payloads of MIKEY messages that need no ticket and no identity-based cryptography."""
