"""Scapy layers and lean parsers of the protocols that IMS media security rests on."""
