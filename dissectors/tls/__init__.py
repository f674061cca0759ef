"""TLS, DTLS and SSL 2.0: code points, records, handshake messages, and Scapy layers that show them."""
