"""Rules about TLS and DTLS sessions (IMS-TLS): one module each, named by number and name."""
