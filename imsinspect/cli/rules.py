"""`imsinspect rules` and `imsinspect explain`: what is checked, and why."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.completion import areas, rule_names
from imsinspect.cli.options import Threshold  # noqa: TC001  (typer reads it when the command is made)
from imsinspect.cli.output import console, write

if TYPE_CHECKING:
    from imsinspect.rules.rule import Rule


def rules(
    area: Annotated[
        list[str] | None,
        typer.Option(metavar="AREA", autocompletion=areas, help="Only these areas: SRTP, SSRC, MIK, TLS, CONF …"),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Only rules that apply in this profile: G3, E2AE-RTP …")
    ] = None,
    severity: Annotated[Threshold | None, typer.Option(help="Only rules of this severity or above.")] = None,
    tier: Annotated[int | None, typer.Option(min=1, max=3, help="Only rules of this tier.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the whole text of each rule.")] = False,
) -> int:
    """List the rules of the audit."""
    from imsinspect.report.rule_views import as_row, print_rules
    from imsinspect.rules.outcome import Severity
    from imsinspect.rules.registry import RULES

    areas = {each.upper() for each in area or ()}
    known = {rule.id.split("-")[1] for rule in RULES}
    tokens = {token for rule in RULES for token in rule.profiles}
    if areas - known:
        raise typer.BadParameter(f"no area {', '.join(sorted(areas - known))}; there are {', '.join(sorted(known))}")
    if profile is not None and profile.upper() not in tokens:
        raise typer.BadParameter(f"no profile {profile}; there are {', '.join(sorted(tokens))}")
    found = [
        rule
        for rule in RULES
        if (not areas or rule.id.split("-")[1] in areas)
        and (profile is None or profile.upper() in rule.profiles or "ALL" in rule.profiles)
        and (severity is None or rule.severity >= Severity[severity.name])
        and (tier is None or rule.tier == tier)
    ]
    if as_json:
        write(json.dumps([as_row(rule) for rule in found], indent=2, ensure_ascii=False) + "\n")
    else:
        print_rules(console(), found)
    return 0


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", autocompletion=rule_names, help="Id or name, such as IMS-SRTP-001.")
    ],
) -> int:
    """Show what a rule checks, why it matters, and how to fix what it finds."""
    from imsinspect.report.rule_views import print_rule

    print_rule(console(), named(rule))
    return 0


def named(name: str) -> Rule:
    """The rule of an id or a name. Raises BadParameter with the nearest one."""
    from imsinspect.rules.registry import BY_ID

    by_name = {rule.name: rule for rule in BY_ID.values()} | BY_ID
    by_short = {key.removeprefix("IMS-"): rule for key, rule in BY_ID.items()}
    found = by_name.get(name) or by_name.get(name.upper()) or by_name.get(name.lower()) or by_short.get(name.upper())
    if found is None:
        near = get_close_matches(name.upper(), BY_ID, 1, 0.7) or get_close_matches(name.lower(), by_name, 1, 0.6)
        raise typer.BadParameter(f"no rule {name}" + (f"; did you mean {near[0]}?" if near else ""))
    return found
