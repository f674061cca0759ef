"""What layers of H.248 text are declared with (H.248.1 Annex B)."""
