"""Weaknesses of cipher suites by their names (rules.md 0.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.tls.suites import CipherSuite

BROKEN: tuple[tuple[str, Callable[[CipherSuite], bool]], ...] = (
    ("export", lambda each: each.export),
    ("RC4", lambda each: each.rc4),
    ("RC2", lambda each: each.rc2),
    ("IDEA", lambda each: each.idea),
    ("DES", lambda each: each.des),
    ("3DES", lambda each: each.triple_des),
)
"""Ciphers that can be broken, in practice or nearly."""

UNSAFE: tuple[tuple[str, Callable[[CipherSuite], bool]], ...] = (
    ("NULL", lambda each: each.null),
    ("anonymous", lambda each: each.anonymous),
    *BROKEN,
)
"""These, and suites that do not encrypt or do not authenticate."""


def weaknesses(suite: CipherSuite, kinds: tuple[tuple[str, Callable[[CipherSuite], bool]], ...] = BROKEN) -> list[str]:
    """What is weak about a suite; nothing for suites that nobody knows, and for signals (SCSV, GREASE)."""
    return [name for name, has in kinds if has(suite)]
