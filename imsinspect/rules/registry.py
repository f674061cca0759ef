"""All rules, by id."""

from __future__ import annotations

from imsinspect.rules import signalling, srtp, ssrc, tls
from imsinspect.rules.rule import Rule

MODULES = (signalling, tls, srtp, ssrc)

RULES: tuple[Rule, ...] = tuple(
    sorted((each for module in MODULES for each in vars(module).values() if isinstance(each, Rule)), key=lambda r: r.id)
)

BY_ID: dict[str, Rule] = {each.id: each for each in RULES}
