"""Renews what commands print on the how-to pages: `python docs/transcripts.py`; a test holds that it is up to date.

A `console` block of a page holds commands after `$ `, continued after `> `, and what they print. The commands of a
page run one after another in one shell, in an empty folder with the project's samples, recordings and examples.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT, MORE = "$ ", "> "
LINE = "\n"
MARK = "\x1e"
COMMAND = re.compile(r"^\$ .*(?:\n> .*)*", re.MULTILINE)
WIDTH = 76
FOLDERS = {"samples": "samples", "recordings": "tests/recordings", "examples": "docs/examples"}
"""What the pages name, and where it is in the project."""


def renewed(text: str) -> str:
    """A page with the output of its commands as it is today."""
    blocks = [_commands(block) for block in BLOCK.findall(text)]
    outputs = iter(_outputs([command for block in blocks for command in block]))
    remaining = iter(blocks)

    def block(_: re.Match[str]) -> str:
        shown = "".join(f"{PROMPT}{command.replace(LINE, LINE + MORE)}\n{next(outputs)}" for command in next(remaining))
        return f"```console\n{shown}```"

    return BLOCK.sub(block, text)


def _commands(block: str) -> list[str]:
    return [found.removeprefix(PROMPT).replace(LINE + MORE, LINE) for found in COMMAND.findall(block)]


def _outputs(commands: list[str]) -> list[str]:
    """What each command prints to standard output and error, run in one shell with the same status as a user sees."""
    if not commands:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = folder / "bin"
        programs.mkdir()
        here = folder / "work"
        here.mkdir()
        for link, target in FOLDERS.items():
            (here / link).symlink_to(ROOT / target)
        program = programs / "imsinspect"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m imsinspect "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
        environment = kept | {
            "COLUMNS": str(WIDTH),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "TZ": "UTC",
        }
        lines = [f"{command}\n_status=$?; printf '{MARK}'; (exit $_status)" for command in commands]
        run = subprocess.run(
            ["bash", "-c", "exec 2>&1\n" + "\n".join(lines)],
            cwd=here,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    *outputs, _ = run.stdout.decode().split(MARK)
    if len(outputs) != len(commands):
        raise ValueError(f"{len(commands)} commands gave {len(outputs)} outputs: {run.stdout.decode()}")
    return [output if output.endswith("\n") or not output else f"{output}\n" for output in outputs]


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
