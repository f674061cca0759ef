"""Renews docs/pictures from real runs: `python docs/picture.py`; a test holds that they are up to date."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from imsinspect.report.picture import svg  # noqa: E402  (found by the path above)

FOLDER = ROOT / "docs" / "pictures"
WIDTH = 100
COMMANDS = {
    "audit": "imsinspect audit samples/plain-rtcp-on-sdes-call.pcapng",
    "calls": "imsinspect calls samples --sort severity --limit 8",
    "call": "imsinspect call samples/downgraded-answer.pcapng call-1",
    "ladder": "imsinspect call samples/plain-rtcp-on-sdes-call.pcapng call-1 --format svg",
    "explain": "imsinspect explain IMS-SRTP-002",
    "show": "imsinspect show samples/plain-rtcp-on-sdes-call.pcapng 1 --layer 'SDP crypto'",
}
"""Each picture with the command whose output it shows, or is."""


def drawn(command: str) -> str:
    """The output of a command as a terminal shows it (SVG), the command above it; or the picture that it draws."""
    program, *arguments = shlex.split(command)
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {
        "COLUMNS": str(WIDTH),
        "COLORTERM": "truecolor",
        "FORCE_COLOR": "1",
        "PYTHONUTF8": "1",
        "TERM": "xterm-256color",
    }
    run = subprocess.run(
        [sys.executable, "-m", program, *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    if run.stderr or run.returncode not in (0, 1):
        sys.exit(f"{command}: status {run.returncode}\n{run.stderr.decode()}")
    shown = run.stdout.decode()
    return shown if shown.startswith(("<svg", "<?xml")) else svg(shown, title=command, width=WIDTH)


def pictures() -> dict[str, str]:
    """Every picture by its file name."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip((f"{name}.svg" for name in COMMANDS), pool.map(drawn, COMMANDS.values()), strict=True))


if __name__ == "__main__":
    for name, picture in pictures().items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
