"""Runs commands side by side: wall time, and peak memory of all processes of a command together."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Memory:
    """Peaks in octets over all processes of a command: proportional shares (shared pages once) and resident sizes."""

    proportional: int
    resident: int


def _start(command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    """Starts a command in a session of its own, by which its processes are found; errors go beside the output."""
    with output.open("wb") as out, output.with_name(output.name + ".errors").open("wb") as errors:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)


def _check(command: Sequence[str], status: int, good: Sequence[int], output: Path) -> None:
    if status not in good:
        errors = output.with_name(output.name + ".errors").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with status {status}\n{errors}")


def wall_seconds(command: Sequence[str], output: Path, good: Sequence[int] = (0,)) -> float:
    """Runs a command undisturbed; raises RuntimeError when its exit status is not among the good ones."""
    begin = time.perf_counter()
    process = _start(command, output)
    status = process.wait()
    seconds = time.perf_counter() - begin
    _check(command, status, good, output)
    return seconds


def _processes(session: int) -> list[int]:
    """All processes of a session, and the descendants that left it."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            after_name = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        parents[int(entry.name)] = int(after_name[1])
        if int(after_name[3]) == session:
            found.add(int(entry.name))
    more = True
    while more:
        children = {process for process, parent in parents.items() if parent in found} - found
        found |= children
        more = bool(children)
    return sorted(found)


def _memory_now(processes: Sequence[int]) -> tuple[int, int]:
    proportional = resident = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
        proportional += sizes.get("Pss:", 0)
        resident += sizes.get("Rss:", 0)
    return proportional, resident


def peak_memory(command: Sequence[str], output: Path, good: Sequence[int] = (0,)) -> Memory:
    """Runs a command and looks at its processes every hundredth of a second; its time says nothing then.

    The sum over the processes at one moment is what counts: maxima of single processes fall at different moments, and
    ``ru_maxrss`` of a child begins at its parent's size.
    """
    process = _start(command, output)
    proportional = resident = 0
    while process.poll() is None:
        now = _memory_now(_processes(process.pid))
        proportional, resident = max(proportional, now[0]), max(resident, now[1])
        time.sleep(SAMPLE_SECONDS)
    _check(command, process.returncode, good, output)
    return Memory(proportional, resident)


def in_turn(runs: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """Seconds of each run in each round, the runs taking turns (A B A B …) after one round that does not count."""
    for run in runs:
        run()
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for times, run in zip(seconds, runs, strict=True):
            times.append(run())
    return seconds


def pair_ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[list[float], float]:
    """How many times faster we were, pair by pair, and the median."""
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    return ratios, statistics.median(ratios)
