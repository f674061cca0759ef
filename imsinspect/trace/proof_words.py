"""The words that proofs use: what a key is to the packets that it verifies, and what is the matter with others
(docs/keys.md)."""

from __future__ import annotations

RELATIONS = (
    "agreed", "same hosts", "key file", "offered", "other direction", "other line", "other call",
)  # fmt: skip
AGREED, SAME_HOSTS, USER, OFFERED, OTHER_DIRECTION, OTHER_LINE, OTHER_CALL = RELATIONS

ROLLOVER, STALE, TAG_LENGTH, SALT, MKI, OTHER_SUITE, DERIVATION, WRONG_SSRC, PLAIN, TAG_CUT, ALTERED, NO_KEY = (
    "rollover counter", "stale key", "tag length", "salt", "MKI", "other suite", "key derivation", "wrong SSRC",
    "in clear", "tag cut off", "altered", "no key verifies",
)  # fmt: skip
