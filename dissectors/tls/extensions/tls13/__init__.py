"""What extensions of TLS 1.3 hold."""
