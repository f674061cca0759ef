"""What extensions that TLS 1.0 to 1.2 have hold, of which TLS 1.3 took over some."""
