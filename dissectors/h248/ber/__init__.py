"""The binary encoding of H.248 messages (H.248.1 Annex A)."""
