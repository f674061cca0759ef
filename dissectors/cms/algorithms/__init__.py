"""Algorithms of CMS with their parameters."""
