"""Handshake messages of TLS and DTLS, without those that exchange keys."""
