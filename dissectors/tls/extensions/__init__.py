"""Extensions of TLS and DTLS handshake messages."""
