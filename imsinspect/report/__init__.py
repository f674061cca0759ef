"""Views of one Audit: every format is a projection of it."""
