"""Measures ``imsinspect audit --verify none`` against ``tshark -q -z rtp,streams``, in turn, on generated captures.

    python benchmarks/run.py                        100 MB and 1 GB, three rounds
    python benchmarks/run.py --size 1GB --rounds 5 --keep

Prints packets per second, peak memory of all processes of a command together, the ratio of each pair of runs, and
whether the two reports are exact (every stream with its packets and losses). tshark verifies no tags, so neither does
the audit here; `verify.py` measures that. Exit status 1 when the audit's is not.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

if __package__:
    from benchmarks.generate import generate, octets, truth_path
    from benchmarks.measure import in_turn, pair_ratios, peak_memory, wall_seconds
else:
    from generate import generate, octets, truth_path  # type: ignore[import-not-found, no-redef]
    from measure import in_turn, pair_ratios, peak_memory, wall_seconds  # type: ignore[import-not-found, no-redef]

DATA = Path(__file__).resolve().parent / "data"
AUDIT_STATUSES = (0, 1)  # 1: the audit found something, which it does here, as the keys stand in unprotected SIP

Streams = dict[tuple[str, str, str], tuple[int, int]]

# start, end, source, port, destination, port, SSRC, payload, packets, lost
TSHARK_LINE = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+([\d.]+)\s+(\d+)\s+([\d.]+)\s+(\d+)\s+(0x[0-9A-Fa-f]+)\s+.*?\s(\d+)\s+(-?\d+) \(-?[\d.]+%\)"
)


def streams_of_truth(truth: dict[str, Any]) -> Streams:
    """Packets and losses of each stream by source, destination and SSRC. A report's streams have the same shape."""
    return {(s["source"], s["destination"], s["ssrc"]): (s["packets"], s["lost"]) for s in truth["streams"]}


def streams_of_tshark(text: str) -> Streams:
    """The streams of tshark's table."""
    out: Streams = {}
    for line in text.splitlines():
        found = TSHARK_LINE.match(line)
        if found:
            source, source_port, destination, destination_port, ssrc, packets, lost = found.groups()
            key = f"{source}:{source_port}", f"{destination}:{destination_port}", f"0x{int(ssrc, 16):08x}"
            out[key] = int(packets), int(lost)
    return out


def difference(found: Streams, expected: Streams) -> str:
    """What differs, in a few words; "exact" when nothing does."""
    missing, extra = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
    wrong = sum(found[key] != expected[key] for key in found.keys() & expected.keys())
    if not (missing or extra or wrong):
        return "exact"
    return f"{missing} streams missing, {extra} too many, {wrong} with other counts"


def audit_difference(report: dict[str, Any], truth: dict[str, Any]) -> str:
    """What an audit's JSON report has otherwise than the truth."""
    troubles = []
    streams = difference(streams_of_truth(report), streams_of_truth(truth))
    if streams != "exact":
        troubles.append(streams)
    inventory = report["inventory"]
    counts = (
        ("packets", inventory["packets"], truth["packets"]),
        ("SIP messages", inventory["sip"]["messages"], truth["sip"]["messages"]),
        ("RTP packets", inventory["rtp"]["packets"], truth["rtp_packets"]),
        ("SRTCP packets", inventory["srtcp"]["packets"], truth["srtcp_packets"]),
        ("calls", len(report["calls"]), truth["calls"]),
    )
    troubles += [f"{name}: {found} instead of {expected}" for name, found, expected in counts if found != expected]
    return "; ".join(troubles) or "exact"


def program(name: str) -> str:
    """A program of this virtual environment, or of the path; raises SystemExit when there is none."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def row(name: str, seconds: Sequence[float], truth: dict[str, Any], memory: str, state: str) -> str:
    """A line of the table."""
    middle = statistics.median(seconds)
    packets, size = truth["packets"] / middle, truth["octets"] / middle / 1e6
    return f"  {name:<30} {middle:>8.2f} {packets:>12,.0f} {size:>8.0f} {memory:>16}   {state}"


def measure(size: int, calls: int, seed: int, rounds: int, pcapng: bool, keep: bool) -> bool:
    """Generates one capture, measures both commands on it and prints the table; True when the audit is exact."""
    DATA.mkdir(exist_ok=True)
    capture = DATA / f"calls-{size}-{calls}-{seed}.{'pcapng' if pcapng else 'pcap'}"
    if capture.exists() and truth_path(capture).exists():
        truth = json.loads(truth_path(capture).read_text())
    else:
        truth = generate(capture, size, calls, seed, pcapng)
    report, table = DATA / "audit.json", DATA / "tshark.txt"
    audit = [program("imsinspect"), "audit", "--format", "json", "--verify", "none", str(capture)]
    tshark = [program("tshark"), "-q", "-z", "rtp,streams", "-r", str(capture)]
    seconds = in_turn(
        [partial(wall_seconds, audit, report, AUDIT_STATUSES), partial(wall_seconds, tshark, table)], rounds
    )
    ratios, middle = pair_ratios(*seconds)
    peaks = [peak_memory(audit, report, AUDIT_STATUSES), peak_memory(tshark, table)]
    memory = [f"{peak.proportional / 1e6:.0f} ({peak.resident / 1e6:.0f})" for peak in peaks]
    state = audit_difference(json.loads(report.read_text()), truth)
    tshark_state = difference(streams_of_tshark(table.read_text()), streams_of_truth(truth))
    size_text = f"{truth['octets'] / 1e6:.0f} MB {capture.suffix[1:]}"
    print(f"{size_text}: {truth['packets']:,} packets, {len(truth['streams']):,} streams")
    print(f"  {'':<30} {'seconds':>8} {'packets/s':>12} {'MB/s':>8} {'peak MB (RSS)':>16}   against the truth")
    print(row("imsinspect audit --verify none", seconds[0], truth, memory[0], state))
    print(row("tshark -q -z rtp,streams", seconds[1], truth, memory[1], tshark_state))
    print(f"  ratio: median {middle:.2f}, pairs " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    if not keep:
        for path in (capture, truth_path(capture)):
            path.unlink()
    return state == "exact"


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Measure the audit against tshark on generated captures.")
    parser.add_argument("--size", type=octets, action="append", help="such as 100MB; may be repeated (100MB and 1GB)")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pcapng", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the captures in benchmarks/data")
    arguments = parser.parse_args()
    sizes = arguments.size or [octets("100MB"), octets("1GB")]
    states = [
        measure(size, arguments.calls, arguments.seed, arguments.rounds, arguments.pcapng, arguments.keep)
        for size in sizes
    ]
    return 0 if all(states) else 1


if __name__ == "__main__":
    sys.exit(main())
