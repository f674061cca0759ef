"""What a shell is told when the user presses Tab: commands, options, values, rules; files where nothing else fits."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dissectors.catalog import CATALOG
from imsinspect.cli.main import COMMANDS, GROUPS
from imsinspect.rules.names import names
from imsinspect.rules.registry import RULES


def words(line: str) -> list[str]:
    """What bash is told at the end of a line."""
    environment = os.environ | {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "_IMSINSPECT_COMPLETE": "complete_bash",
    }
    command = [sys.executable, "-m", "imsinspect"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_names_of_rules_need_no_rule() -> None:
    assert names() == {rule.id: rule.name for rule in RULES}
    program = (
        "import sys, imsinspect.rules.names; print([each for each in sys.modules if each.startswith('imsinspect')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['imsinspect', 'imsinspect.rules', 'imsinspect.rules.names']\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("imsinspect ", [*COMMANDS, *GROUPS]),
        ("imsinspect ex", ["explain"]),
        ("imsinspect audit --fail-on ", ["critical", "high", "medium", "low", "info"]),
        ("imsinspect audit --format js", ["json", "jsonl"]),
        ("imsinspect audit a.pcap --require IMS-TLS-00", [f"IMS-TLS-00{number}" for number in range(1, 8)]),
        ("imsinspect calls a.pcap --rule ", list(names())),
        ("imsinspect explain IMS-SRTP-002", ["IMS-SRTP-002"]),
        ("imsinspect explain srtp-02", ["srtp-020", "srtp-021", "srtp-022"]),
        ("imsinspect explain plain-rtcp", ["plain-rtcp-on-savp"]),
        ("imsinspect rules --area s", ["sIG", "sRTP", "sSRC"]),
        ("imsinspect decode ", list(CATALOG)),
        ("imsinspect completion ", ["bash", "zsh", "fish"]),
        ("imsinspect audit samples/cle", []),  # the shell's own names of files
        ("imsinspect audit --policy pol", []),
        ("imsinspect explain IMS-NO", []),
    ],
)
def test_words_at_the_end_of_a_line(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_every_option_of_every_command_is_completed() -> None:
    for command in COMMANDS:
        assert "--help" in words(f"imsinspect {command} --")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_names_program_and_shell(shell: str) -> None:
    command = [sys.executable, "-m", "imsinspect", "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"_IMSINSPECT_COMPLETE=complete_{shell}" in done.stdout
    assert done.stderr == ""
