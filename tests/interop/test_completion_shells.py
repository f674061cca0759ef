"""Real shells complete commands, rules with what they are, and files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

BASH = r"""
eval "$(imsinspect completion bash)"
COMP_WORDS=(imsinspect explain srtp-00); COMP_CWORD=2
"$(complete -p imsinspect | sed 's/.* -F \([^ ]*\) .*/\1/')" imsinspect
printf '%s\n' "${COMPREPLY[@]}"
complete -p imsinspect
"""

FISH = """
imsinspect completion fish | source
complete -C 'imsinspect explain srtp-00'
complete -C 'imsinspect audit samples/clean'
"""

ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=''; autoload -U compinit; compinit -u -D"
zpty -w shell "eval \"\$(imsinspect completion zsh)\"; print RE''ADY"
until [[ $line == *READY* ]]; do zpty -r shell line || exit 1; done
zpty -w -n shell $'imsinspect explain srtp-00\t'
zpty -r -m shell line '*srtp-009*mki-misuse*' && print -r -- "$line"
zpty -w -n shell $'\C-uimsinspect audit samples/clean\t'
zpty -r -m shell line '*samples/clean-call.pcapng*' && print -r -- "$line"
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., str]:
    """Runs a script in a shell that finds the program and the samples."""
    program = tmp_path / "bin" / "imsinspect"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imsinspect "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    environment = os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "TERM": "xterm",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout)

    return run


def test_bash(peer: Callable[[str], str], ask: Callable[..., str]) -> None:
    *found, registered = ask(peer("bash"), "--norc", "-c", BASH).splitlines()
    assert found == [f"srtp-00{number}" for number in range(1, 10)]
    assert "-o default" in registered  # files, where nothing of ours fits


def test_fish(peer: Callable[[str], str], ask: Callable[..., str]) -> None:
    found = ask(peer("fish"), "-c", FISH).splitlines()
    assert len(found) == 10
    assert found[1] == "srtp-002\tplain-rtcp-on-savp"
    assert found[-1].startswith("samples/clean-call.pcapng")


def test_zsh(peer: Callable[[str], str], ask: Callable[..., str]) -> None:
    shown = ask(peer("zsh"), "-f", "-c", ZSH)
    assert re.search(r"srtp-002 +-- plain-rtcp-on-savp", shown)
    assert "imsinspect audit samples/clean-call.pcapng" in shown
