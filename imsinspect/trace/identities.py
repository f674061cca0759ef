"""Identities as they are compared: URIs without what does not name the user (rules.md 17.9)."""

from __future__ import annotations

from functools import lru_cache

SEPARATORS = str.maketrans("", "", "-.()")  # visual separators of telephone numbers (RFC 3966 §5.1.1)
SCHEMES = frozenset(("sip", "sips", "tel"))


@lru_cache(maxsize=1 << 14)
def canonical(uri: bytes | str) -> str:
    """A SIP, SIPS or TEL URI without scheme, password, port and parameters, its host in lower case.

    "sip:Alice@Example.ORG:5060;transport=tcp" reads "Alice@example.org"; a telephone number, also one in a SIP URI with
    user=phone, "+15551234". What is no such URI stays, in lower case and without parameters.
    """
    written = uri.decode("utf-8", "replace") if isinstance(uri, bytes) else uri
    scheme, colon, rest = written.strip().strip("<>").partition(":")
    if not colon or scheme.lower() not in SCHEMES:
        return written.strip().strip("<>").partition(";")[0].lower()
    bare, _, parameters = rest.partition("?")[0].partition(";")
    if scheme.lower() == "tel":
        return bare.translate(SEPARATORS).lower()
    user, at, host = bare.rpartition("@")
    name = user.partition(":")[0]
    if name.startswith("+") and "user=phone" in parameters.lower():
        return name.translate(SEPARATORS)
    host = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return f"{name}{at}{host.lower()}"


def is_anonymous(uri: bytes | str) -> bool:
    """A URI that hides who it is (RFC 3323 §4.1, RFC 4575 §8.2)."""
    name = canonical(uri).lower()
    user, _, host = name.rpartition("@")
    return host.endswith("anonymous.invalid") or user == "anonymous" or name == "anonymous"
