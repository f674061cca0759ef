"""CPIM messages (RFC 3862) and the MIME bodies inside them: Scapy layers."""
