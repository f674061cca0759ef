"""Who may take part in a conference, and who says so (rules.md IMS-CONF-008)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from imsinspect.policy import Authorised
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Trace

NAMED_AT_MOST = 12  # identities of a set that a finding lists


@dataclass(slots=True, frozen=True)
class Membership:
    """The authorised set of one conference."""

    source: str  # "the policy", "the ticket of the INVITE that created the conference", …
    entries: tuple[Authorised, ...]
    from_policy: bool  # else the conference's creator belongs to it

    def allows(self, names: Iterable[str], scene: Scene, time: int) -> bool:
        """Whether any of the names of a user may take part at a time."""
        users = {_user(scene, name) for name in names}
        return any(
            (entry.begins is None or entry.begins <= time)
            and (entry.ends is None or time <= entry.ends)
            and any(matches(_user(scene, entry.identity), user) for user in users)
            for entry in self.entries
        )

    @property
    def listed(self) -> str:
        """Its identities in words."""
        names = list(dict.fromkeys(entry.identity for entry in self.entries))
        more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
        return (", ".join(names[:NAMED_AT_MOST]) or "nobody") + more


@once
def memberships(trace: Trace, scene: Scene) -> dict[str, Membership]:
    """The authorised sets that are known, by conference id: of the policy, else of the INVITE that created it."""
    out = {}
    for conference in trace.conferences:
        found = _membership(scene, conference)
        if found is not None:
            out[conference.id] = found
    return out


def _membership(scene: Scene, conference: Conference) -> Membership | None:
    names = [name for name in (conference.uri, *sorted(conference.names)) if name in scene.policy.conferences]
    allowed = scene.policy.allowed_in(names[0] if names else conference.uri)
    if allowed is not None:
        return Membership("the policy", allowed, from_policy=True)
    if conference.invited:
        entries = tuple(Authorised(name) for name in conference.invited)
        return Membership("the URI list of the INVITE that created the conference", entries, from_policy=False)
    return None


def _user(scene: Scene, name: str) -> str:
    """The user behind an identity."""
    return scene.policy.aliases.get(name, name)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is what a pattern stands for."""
    return pattern == name or ("*" in pattern and _compiled(pattern).fullmatch(name) is not None)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which "*" stands for any run of characters."""
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern)), re.DOTALL)
