"""Names in certificates."""
