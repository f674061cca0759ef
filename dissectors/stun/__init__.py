"""STUN and TURN: `framing` tells them apart without Scapy, `layers` shows them."""
