"""Reads captured IMS traffic and says, with proof, where its media-plane security falls short."""

__version__ = "0.1.0"
