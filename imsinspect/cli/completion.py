"""`imsinspect completion`: what a shell completes when the user presses Tab; and the words that it then asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator  # noqa: TC003  (typer reads it)
from enum import StrEnum
from typing import Annotated

import typer

from imsinspect.cli.output import write

PROGRAM = "imsinspect"
ASKED = "_IMSINSPECT_COMPLETE"
"""Variable of the environment by which a shell asks for words instead of running a command."""


class Shell(StrEnum):
    """Shells that can complete commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> int:
    """Print what makes a shell complete commands, options, rules and files.

    bash: `eval "$(imsinspect completion bash)"` in ~/.bashrc. zsh: the same with zsh in ~/.zshrc, below compinit.
    fish: `imsinspect completion fish > ~/.config/fish/completions/imsinspect.fish`, once.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined] # not said to be exported

    write(get_completion_script(prog_name=PROGRAM, complete_var=ASKED, shell=shell.value) + "\n")
    return 0


def listen() -> None:
    """Let the parser of commands answer a shell, if it is one that asks."""
    if ASKED in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()


def rule_names(incomplete: str) -> Iterator[tuple[str, str]]:
    """Rules as `--require`, `--rule` and `explain` take them, in the form that was begun, each with what it is."""
    from imsinspect.rules.names import names

    begun = incomplete.upper()
    for identifier, name in names().items():
        if identifier.startswith(begun):
            yield incomplete + identifier[len(incomplete) :], name
        elif identifier.removeprefix("IMS-").startswith(begun):
            yield incomplete + identifier.removeprefix("IMS-")[len(incomplete) :], name
        elif incomplete and name.startswith(incomplete):
            yield name, identifier


def areas(incomplete: str) -> Iterator[str]:
    """Areas of rules, as `rules --area` takes them."""
    from imsinspect.rules.names import names

    for area in sorted({identifier.split("-")[1] for identifier in names()}):
        if area.startswith(incomplete.upper()):
            yield incomplete + area[len(incomplete) :]


def kinds(incomplete: str) -> Iterator[str]:
    """What `decode` can decode."""
    from dissectors.catalog import CATALOG

    yield from (kind for kind in CATALOG if kind.startswith(incomplete))
