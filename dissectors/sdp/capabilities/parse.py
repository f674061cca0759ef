"""Capability attributes from bytes (RFC 5939, RFC 6871). Nothing here raises; what can't be read is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

CAPABILITY_TYPES: dict[bytes, str] = {
    b"a": "attributes",
    b"t": "transport protocols",
    b"m": "media formats",
    b"pt": "payload types",
    b"mt": "media types",
}
"""Names of configuration lists (RFC 5939 §3.5.1, RFC 6871 §3.3.5, §3.3.6)."""

DELETIONS: dict[bytes, str] = {
    b"-m": "attributes of the media section are deleted first",
    b"-s": "attributes of the session are deleted first",
    b"-ms": "attributes of the media section and of the session are deleted first",
}
"""Delete-attributes of a configuration (RFC 5939 §3.5.1)."""

LIMIT = 512  # alternatives of one list
_NUMBER = re.compile(rb"[1-9][0-9]{0,9}\Z")


@dataclass(slots=True, frozen=True)
class AttributeCapability:
    """An attribute that may be used (RFC 5939 §3.4.2)."""

    number: int
    name: bytes
    value: bytes


@dataclass(slots=True, frozen=True)
class ConfigurationList:
    """One list of a potential or actual configuration (RFC 5939 §3.5.1)."""

    name: bytes  # "a", "t", "m", "pt" …
    mandatory: bool  # marked with "+": whoever does not know the list has to leave out the configuration
    delete: bytes  # "-m", "-s", "-ms" or b""
    alternatives: tuple[bytes, ...]  # as sent, the preferred one first


@dataclass(slots=True, frozen=True)
class Configuration:
    """A potential or actual configuration (RFC 5939 §3.5.1, §3.5.2)."""

    number: int  # 0 where an actual configuration names none
    lists: tuple[ConfigurationList, ...]

    def numbers(self, name: bytes) -> tuple[tuple[int, ...], ...]:
        """Capability numbers of each alternative of a list; those in brackets, which are optional, included."""
        out: list[tuple[int, ...]] = []
        for each in self.lists:
            if each.name == name:
                for alternative in each.alternatives:
                    parts = alternative.replace(b"[", b"").replace(b"]", b"").split(b",")
                    out.append(tuple(int(part) for part in parts if _NUMBER.match(part)))
        return tuple(out)


def attribute_capability(value: bytes) -> AttributeCapability | None:
    """The value of an a=acap attribute taken apart."""
    number, _, attribute = value.strip().partition(b" ")
    name, _, text = attribute.strip().partition(b":")
    return AttributeCapability(int(number), name, text) if _NUMBER.match(number) and name else None


def transport_capabilities(value: bytes) -> dict[int, bytes]:
    """The transports of an a=tcap attribute, numbered from its number on (RFC 5939 §3.4.1)."""
    number, *transports = value.split()[:LIMIT] or [b""]
    if not _NUMBER.match(number):
        return {}
    return {int(number) + place: each for place, each in enumerate(transports)}


def configuration(value: bytes) -> Configuration | None:
    """The value of an a=pcfg or a=acfg attribute taken apart."""
    words = value.split()
    number = 0
    if words and _NUMBER.match(words[0]):
        number = int(words.pop(0))
    lists: list[ConfigurationList] = []
    for word in words[:LIMIT]:
        name, equals, text = word.partition(b"=")
        if not equals:
            return None
        delete = b""
        if text[:1] == b"-":
            mark, colon, rest = text.partition(b":")
            delete, text = mark, rest if colon else b""
        alternatives = tuple(text.split(b"|", LIMIT)) if text else ()
        lists.append(ConfigurationList(name.lstrip(b"+"), name[:1] == b"+", delete, alternatives))
    return Configuration(number, tuple(lists)) if number or lists else None
