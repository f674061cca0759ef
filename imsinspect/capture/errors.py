"""What can go wrong before anything is decoded."""

from __future__ import annotations


class CaptureError(Exception):
    """A file that is no capture, a variant that is not supported, or one that can't be read; says why in one line."""


class UsageError(Exception):
    """The call itself makes no sense (no such file, nothing to read)."""
