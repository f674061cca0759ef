"""Descriptors of H.248 commands (H.248.1 §7.1)."""
