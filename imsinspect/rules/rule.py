"""How a rule is declared: once, with its id, severity, references and text, on the function that checks it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from imsinspect.policy import Policy
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.trace.model import Trace

if TYPE_CHECKING:
    from datetime import date

    from imsinspect.profiles import ProfileChoice
    from imsinspect.rules.needs import Need

HEADINGS = (
    "What it checks",
    "Why it matters",
    "What the finding shows",
    "How to fix it",
    "When it is not assessed",
)
"""Of a rule's text, in this order; References follow from the declaration."""

ASSUMED_CONFIDENTIAL = "assumed"  # --access-confidentiality
TRUSTED_SITE = "trusted-site"  # --nds
SECURED_POINTS = frozenset(("core-secured", "post-decryption"))  # --capture-point inside the secured domain (T-CORE)


@dataclass(slots=True)
class Scene:
    """What the user says of where the captures were taken; the defaults are the harshest (rules.md 19.1.6)."""

    capture_point: str = "auto"  # auto, access, core, ue, gateway, core-secured, post-decryption
    access_confidentiality: str = "unknown"  # unknown, assumed
    nds: str = "unknown"  # unknown, trusted-site
    profiles: dict[str, ProfileChoice] = field(default_factory=dict)  # by call id
    conference_profiles: dict[str, ProfileChoice] = field(default_factory=dict)  # by conference id
    asked: frozenset[str] | None = None  # tokens of the profile that the user asked for; None: none was asked for
    policy: Policy = field(default_factory=Policy)
    today: date | None = None  # that exceptions expire by; None: the day of the audit
    memo: dict[Callable[[Trace, Scene], Any], Any] = field(default_factory=dict, repr=False)  # of `once`

    def covers(self, call: str, profiles: tuple[str, ...]) -> bool | None:
        """Whether a rule of these profiles applies to a call; None where the call's profile is open."""
        return _covers(self.profiles.get(call), profiles)

    def covers_conference(self, conference: str, profiles: tuple[str, ...]) -> bool | None:
        """Likewise, for a conference."""
        return _covers(self.conference_profiles.get(conference), profiles)


def _covers(choice: ProfileChoice | None, profiles: tuple[str, ...]) -> bool | None:
    if "ALL" in profiles:
        return True
    if choice is None or choice.name == "open":
        return None
    return not choice.covers.isdisjoint(profiles)


Shared = TypeVar("Shared")


def once(function: Callable[[Trace, Scene], Shared]) -> Callable[[Trace, Scene], Shared]:
    """Of a function of the trace that several rules use, the result of its first call in an audit."""

    @wraps(function)
    def shared(trace: Trace, scene: Scene) -> Shared:
        if function not in scene.memo:
            scene.memo[function] = function(trace, scene)
        result: Shared = scene.memo[function]
        return result

    return shared


Check = Callable[[Trace, Scene], Iterator[Outcome]]


@dataclass(slots=True, frozen=True)
class Rule:
    """One rule of the catalogue."""

    id: str
    name: str
    severity: Severity
    tier: int  # 1: an audit where it is not assessed is not clean
    profiles: tuple[str, ...]  # tokens of rules.md 0.3, or ALL
    references: tuple[str, ...]
    check: Check
    follows: tuple[str, ...] = ()  # rules whose finding on the same fact is the root of this one's (rules.md 19.1.3)
    needs: tuple[Need, ...] = ()  # without these there is no subject

    @property
    def title(self) -> str:
        """The rule in one line, without a full stop."""
        return self._text().partition("\n")[0].rstrip(".")

    @property
    def sections(self) -> dict[str, str]:
        """The rule's text by heading."""
        out: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in self._text().splitlines()[1:]:
            if line.rstrip(":") in HEADINGS:
                lines = out.setdefault(line.rstrip(":"), [])
            else:
                lines.append(line)
        return {heading: inspect.cleandoc("\n".join(text)) for heading, text in out.items()}

    def _text(self) -> str:
        return inspect.cleandoc(self.check.__doc__ or self.name)


def rule(
    *,
    id: str,  # noqa: A002
    name: str,
    severity: Severity,
    tier: int,
    profiles: tuple[str, ...],
    references: tuple[str, ...],
    follows: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
) -> Callable[[Check], Rule]:
    """Declare the function below as a rule; its docstring is the rule's page: one line, then the HEADINGS."""

    def declare(check: Check) -> Rule:
        return Rule(id, name, severity, tier, profiles, references, check, follows, needs)

    return declare
