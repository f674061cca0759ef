"""Signed certificate timestamps."""
