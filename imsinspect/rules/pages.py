"""The pages of the rules, written from their declarations: `python -m imsinspect.rules.pages FOLDER` renews them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from imsinspect.rules.areas import areas, rules_of, subject_of
from imsinspect.rules.registry import RULES
from imsinspect.rules.rule import HEADINGS

if TYPE_CHECKING:
    from imsinspect.rules.rule import Rule


def page(rule: Rule) -> str:
    """The page of one rule, in Markdown."""
    out = [f"# {rule.id} `{rule.name}`", "", f"{rule.title}.", ""]
    out += ["| severity | tier | profiles |", "| --- | --- | --- |"]
    out += [f"| {rule.severity.token} | {rule.tier} | {', '.join(rule.profiles)} |", ""]
    sections = rule.sections
    for heading in HEADINGS:
        out += [f"## {heading}", "", sections.get(heading, ""), ""]
    out += ["## References", "", *(f"- {reference}" for reference in rule.references), ""]
    return "\n".join(out)


def index() -> str:
    """The list of all rules by area, in Markdown."""
    out = ["# Rules", ""]
    out += ["`imsinspect explain RULE` shows the same page in the terminal, `imsinspect rules` this list.", ""]
    for area in areas():
        subject = subject_of(area)
        out += [f"## {subject[0].upper()}{subject[1:]}", ""]
        out += ["| rule | severity | tier | what it finds |", "| --- | --- | --- | --- |"]
        out += [
            f"| [{rule.id}]({rule.id}.md) `{rule.name}` | {rule.severity.token} | {rule.tier} | {rule.title} |"
            for rule in rules_of(area)
        ]
        out.append("")
    return "\n".join(out)


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {"README.md": index()} | {f"{rule.id}.md": page(rule) for rule in RULES}


def write(folder: Path) -> None:
    """Write all pages into a folder that exists."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
