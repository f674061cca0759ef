"""The benchmark's runner: how it reads tshark's table, compares with the truth, and adds up memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.measure import in_turn, pair_ratios, peak_memory, wall_seconds
from benchmarks.run import audit_difference, difference, streams_of_tshark

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
========================= RTP Streams ========================
   Start time      End time     Src IP addr  Port    Dest IP addr  Port       SSRC          Payload  Pkts         Lost
     0.290178      4.972341        10.0.0.1 16384      10.128.0.1 40000 0x0A1B2C3D            g711U   235     2 (0.8%)
     0.301000      4.911000      10.128.0.1 40000        10.0.0.1 16384 0xFFFFFFFF      AMR-WB, CN    12    -1 (-9.1%) X
==============================================================
"""
STREAMS = {
    ("10.0.0.1:16384", "10.128.0.1:40000", "0x0a1b2c3d"): (235, 2),
    ("10.128.0.1:40000", "10.0.0.1:16384", "0xffffffff"): (12, -1),
}


def test_streams_are_read_from_the_table_of_tshark() -> None:
    assert streams_of_tshark(TABLE) == STREAMS


def test_difference_names_missing_additional_and_wrong_streams() -> None:
    first, second = STREAMS
    assert difference(STREAMS, STREAMS) == "exact"
    found = {first: (235, 3), ("a", "b", "c"): (1, 0)}
    assert difference(found, STREAMS) == "1 streams missing, 1 too many, 1 with other counts"
    assert second not in found


def test_audit_is_exact_only_with_every_count_of_the_truth() -> None:
    stream = {"source": "a:1", "destination": "b:2", "ssrc": "0x00000001", "packets": 5, "lost": 1}
    truth = {
        "packets": 9,
        "streams": [stream],
        "sip": {"messages": 3},
        "rtp_packets": 5,
        "srtcp_packets": 1,
        "calls": 1,
    }
    inventory = {"packets": 9, "sip": {"messages": 3}, "rtp": {"packets": 5}, "srtcp": {"packets": 1}}
    report = {"streams": [stream], "inventory": inventory, "calls": [{}]}
    assert audit_difference(report, truth) == "exact"
    wrong = {**report, "calls": [], "streams": [{**stream, "lost": 0}]}
    assert audit_difference(wrong, truth) == (
        "0 streams missing, 0 too many, 1 with other counts; calls: 0 instead of 1"
    )


def test_runs_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    clock = iter(range(100))

    def run(name: str) -> float:
        order.append(name)
        return float(next(clock))

    seconds = in_turn([lambda: run("a"), lambda: run("b")], 2)
    assert order == ["a", "b"] * 3
    assert seconds == [[2.0, 4.0], [3.0, 5.0]]


def test_ratios_are_taken_pair_by_pair() -> None:
    assert pair_ratios([1.0, 2.0, 4.0], [8.0, 8.0, 8.0]) == ([8.0, 4.0, 2.0], 4.0)


def test_memory_of_all_processes_of_a_command_is_added(tmp_path: Path) -> None:
    child = "import time; held = bytearray(b'x' * 50_000_000); print('held', flush=True); time.sleep(0.5)"
    parent = (
        f"import subprocess, sys; children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]; "
        "sys.exit(max(child.wait() for child in children))"
    )
    memory = peak_memory([sys.executable, "-c", parent], tmp_path / "output")
    assert memory.proportional > 100_000_000
    assert memory.resident >= memory.proportional
    assert (tmp_path / "output").read_text().split() == ["held", "held"]


def test_command_with_another_exit_status_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('reason', file=sys.stderr); sys.exit(2)"]
    with pytest.raises(RuntimeError, match=r"status 2\nreason"):
        wall_seconds(command, tmp_path / "output")
    assert wall_seconds(command, tmp_path / "output", good=(2,)) > 0
