"""Cryptography of SRTP, MIKEY, TLS and ESP: pure functions over octets and keys."""
