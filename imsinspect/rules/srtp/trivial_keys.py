"""Master keys that are no random octets: patterns, text, and keys printed in specifications."""

from __future__ import annotations

from itertools import pairwise

LONGEST_PATTERN = 8  # octets; a random key of 16 repeats one with a chance of 2^-64
TEXT = frozenset((*range(0x20, 0x7F), 0x09, 0x0A, 0x0D))
HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")

PUBLISHED: dict[bytes, str] = {
    bytes.fromhex(key): source
    for key, source in {
        "e1f97a0d3e018be0d64fa32c06de4139": "RFC 3711 Appendix B.3",
        "234829008467be186c3de14aae72d62c": "RFC 3711 Appendix B.1",
        "2b7e151628aed2a6abf7158809cf4f3c": "RFC 3711 Appendix B.2",
        "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6": "RFC 6188 §7.2",
        "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98": "RFC 6188 §7.1",
        "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1": "RFC 6188 §7.4",
        "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7": "RFC 6188 §7.3",
    }.items()
}
"""Master and session keys of test vectors (srtp.md 11)."""


def trivial(key: bytes, salt: bytes) -> str:
    """What is wrong with a master key, in words; "" if nothing shows that it was not drawn at random."""
    different = len(set(key))
    if different == 1:
        return "all octets of the key are equal"
    if len({(after - before) & 0xFF for before, after in pairwise(key)}) == 1:
        return "the octets of the key count up or down"
    patterns = range(2, min(LONGEST_PATTERN, len(key) // 2) + 1) if different <= LONGEST_PATTERN else ()
    if any(key[octets:] == key[:-octets] for octets in patterns):
        return "the key repeats a pattern"
    published = next((source for known, source in PUBLISHED.items() if known.startswith(key)), "")
    if published:
        return f"the key is printed in {published}"
    if HEXADECIMAL.issuperset(key):
        return "the key consists of hexadecimal digits as text"
    if TEXT.issuperset(key + salt):
        return "key and salt are text"
    return ""
