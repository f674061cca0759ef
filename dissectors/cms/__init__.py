"""Cryptographic Message Syntax, which S/MIME bodies are made of."""
