"""Which of the specifications' solutions each leg uses, inferred from the trace (rules.md 0.3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class ProfileChoice:
    """A profile token of rules.md 0.3 and how it was obtained."""

    name: str  # "auto" for a run; "E2AE-RTP", "E2E-SDES" …, or "open" where nothing decides
    inferred: bool
    because: tuple[str, ...] = ()
