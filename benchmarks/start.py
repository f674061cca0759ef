"""Measures how long ``imsinspect --help`` takes against importing only typer and rich's console, in turn.

python benchmarks/start.py --rounds 20
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

if __package__:
    from benchmarks.measure import in_turn, pair_ratios, wall_seconds
    from benchmarks.run import program
else:
    from measure import in_turn, pair_ratios, wall_seconds  # type: ignore[import-not-found, no-redef]
    from run import program  # type: ignore[import-not-found, no-redef]


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Measure the start of imsinspect.")
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    commands = {
        "imsinspect --help": [program("imsinspect"), "--help"],
        "import typer, rich.console": [sys.executable, "-c", "import typer, rich.console"],
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        seconds = in_turn([partial(wall_seconds, command, output) for command in commands.values()], rounds)
    for name, times in zip(commands, seconds, strict=True):
        print(f"{name:<30} {1000 * statistics.median(times):7.1f} ms")
    ratios, _ = pair_ratios(seconds[1], seconds[0])
    print(f"ratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
