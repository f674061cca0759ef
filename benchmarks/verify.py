"""Measures how fast authentication tags are verified.

    python benchmarks/verify.py                       tags in memory, beside libsrtp
    python benchmarks/verify.py --size 1GB --keep     and every tag of a capture, beside tshark

The first table verifies the same packets with `imsinspect.crypto.srtp.verify_many` and with pylibsrtp's `unprotect`,
which decrypts as well, in turn and in one process. The second has, in turn:

- the proof: keys and streams being known from the signalling, the capture is read from its beginning and every tag of
  SRTP and SRTCP verified; what found the keys and what judges the calls is not in its time;
- the whole audit with every tag verified, from the start of the program to its JSON report;
- `tshark -q -z rtp,streams`, which lists the streams and verifies nothing.

Exit status 1 when a tag was judged wrongly.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pylibsrtp

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters, verify_many

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

if __package__:
    from benchmarks.generate import generate, octets, truth_path
    from benchmarks.measure import in_turn, pair_ratios, peak_memory, wall_seconds
    from benchmarks.run import AUDIT_STATUSES, DATA, audit_difference, program, row
else:
    from generate import generate, octets, truth_path  # type: ignore[import-not-found, no-redef]
    from measure import in_turn, pair_ratios, peak_memory, wall_seconds  # type: ignore[import-not-found, no-redef]
    from run import (  # type: ignore[import-not-found, no-redef]
        AUDIT_STATUSES,
        DATA,
        audit_difference,
        program,
        row,
    )

PACKETS = 60_000  # below 2^16, so that the rollover counter stays
PAYLOAD = 160
SPOILED = range(500, PACKETS, 1000)  # packets whose tag is changed
SUITES = {
    "HMAC-SHA1-80": (SrtpParameters("AES-CM", 16, 14, 10, 10), pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80),
    "AES-128-GCM": (SrtpParameters("AES-GCM", 16, 12, 16, 16), pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM),
}


def protected(parameters: SrtpParameters, key: bytes) -> list[bytes]:
    """Packets of one stream under a key, some of them spoiled."""
    keys = SrtpKeys(parameters, key[:16], key[16:])
    payload = bytes(range(PAYLOAD))
    out = []
    for number in range(PACKETS):
        header = struct.pack("!BBHII", 0x80, 0, number, 160 * number, 0x01020304)
        packet = keys.protect_srtp(header + payload, 0)
        out.append(packet[:-1] + bytes([packet[-1] ^ 1]) if number in SPOILED else packet)
    return out


def ours(parameters: SrtpParameters, key: bytes, packets: Sequence[bytes]) -> float:
    """Seconds of verifying all packets; raises AssertionError when the failures are not those spoiled."""
    data = b"".join(packets)
    starts, at = [], 0
    for packet in packets:
        starts.append(at)
        at += len(packet)
    ends = [start + len(packet) for start, packet in zip(starts, packets, strict=True)]
    begin = time.perf_counter()
    failed = verify_many(SrtpKeys(parameters, key[:16], key[16:]), data, starts, ends, 0)
    seconds = time.perf_counter() - begin
    assert failed == list(SPOILED)
    return seconds


def theirs(profile: int, key: bytes, packets: Sequence[bytes]) -> float:
    """Seconds of libsrtp's unprotect over the same packets."""
    session = pylibsrtp.Session(
        pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
    )
    failed = []
    begin = time.perf_counter()
    for number, packet in enumerate(packets):
        try:
            session.unprotect(packet)
        except pylibsrtp.Error:
            failed.append(number)
    seconds = time.perf_counter() - begin
    assert failed == list(SPOILED)
    return seconds


def in_memory(rounds: int) -> None:
    """Prints the first table."""
    print(f"tags in memory: {PACKETS:,} packets of {12 + PAYLOAD} octets and a tag, one process")
    print(f"  {'':<16} {'packets/s':>12} {'libsrtp':>12}   ratio: median, pairs")
    for name, (parameters, profile) in SUITES.items():
        key = bytes(range(1, 1 + parameters.key_octets + parameters.salt_octets))
        packets = protected(parameters, key)
        runs: list[Callable[[], float]] = [
            partial(ours, parameters, key, packets),
            partial(theirs, profile, key, packets),
        ]
        mine, other = in_turn(runs, rounds)
        ratios, middle = pair_ratios(mine, other)
        pairs = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"  {name:<16} {PACKETS / min(mine):>12,.0f} {PACKETS / min(other):>12,.0f}   {middle:.2f}, {pairs}")


def tags_difference(report: dict[str, Any], truth: dict[str, Any]) -> str:
    """What a report says of the tags otherwise than the truth: all of SRTP and SRTCP verify."""
    checked = failed = 0
    for sender in (*report["streams"], *report["rtcp_sources"]):
        verified = sender["verified"] or {"packets": 0, "failed": 0}
        checked += verified["packets"]
        failed += verified["failed"]
    expected = truth["rtp_packets"] + truth["srtcp_packets"]
    return "" if (checked, failed) == (expected, 0) else f"{checked} of {expected} tags checked, {failed} failed"


def prove_once(capture: Path) -> None:
    """Prints as JSON how long the proof of a capture took, and what it counted."""
    from imsinspect.capture.source import Capture
    from imsinspect.keys.prove import prove
    from imsinspect.keys.rounds import hold, read_captures
    from imsinspect.pipeline import no_collection

    with no_collection():
        read = read_captures([Capture(str(capture))], hold((), ()))
        assert read.candidates is not None, "the capture carries keys"
        begin = time.perf_counter()
        prove(read.trace, read.scans, read.candidates, read.opening)
        seconds = time.perf_counter() - begin
    proofs = [each.proof for each in (*read.trace.streams, *read.trace.rtcp_sources) if each.proof is not None]
    checked, failed = sum(each.packets for each in proofs), sum(each.failed for each in proofs)
    print(json.dumps({"seconds": seconds, "checked": checked, "failed": failed}))


def proof_seconds(command: Sequence[str], output: Path) -> float:
    """Runs `prove_once` in a process of its own; returns the seconds that it says."""
    wall_seconds(command, output)
    return float(json.loads(output.read_text())["seconds"])


def audited(size: int, calls: int, seed: int, rounds: int, keep: bool) -> bool:
    """Prints the second table; True when every tag was verified."""
    DATA.mkdir(exist_ok=True)
    capture = DATA / f"calls-{size}-{calls}-{seed}.pcap"
    if capture.exists() and truth_path(capture).exists():
        truth = json.loads(truth_path(capture).read_text())
    else:
        truth = generate(capture, size, calls, seed, False)
    report, table, proven = DATA / "audit.json", DATA / "tshark.txt", DATA / "proof.json"
    audit = [program("imsinspect"), "audit", "--format", "json", str(capture)]
    tshark = [program("tshark"), "-q", "-z", "rtp,streams", "-r", str(capture)]
    proof = [sys.executable, __file__, "--proof", str(capture)]
    proving, mine, other = in_turn(
        [
            partial(proof_seconds, proof, proven),
            partial(wall_seconds, audit, report, AUDIT_STATUSES),
            partial(wall_seconds, tshark, table),
        ],
        rounds,
    )
    peak = peak_memory(audit, report, AUDIT_STATUSES)
    found, counts = json.loads(report.read_text()), json.loads(proven.read_text())
    tags = truth["rtp_packets"] + truth["srtcp_packets"]
    of_proof = "" if (counts["checked"], counts["failed"]) == (tags, 0) else f"proof: {counts} of {tags}"
    said = (audit_difference(found, truth), tags_difference(found, truth), of_proof)
    troubles = [each for each in said if each not in ("", "exact")]
    state = "; ".join(troubles) or "exact, every tag verified"
    print(f"{truth['octets'] / 1e6:.0f} MB: {truth['packets']:,} packets, {tags:,} tags")
    print(row("proof, every tag verified", proving, truth, "", of_proof or "every tag verified"))
    print(row("audit, every tag verified", mine, truth, f"{peak.proportional / 1e6:.0f}", state))
    print(row("tshark -q -z rtp,streams", other, truth, "", ""))
    for name, seconds in (("proof", proving), ("audit", mine)):
        ratios, middle = pair_ratios(seconds, other)
        print(f"  {name}: ratio median {middle:.2f}, pairs " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    if not keep:
        for path in (capture, truth_path(capture)):
            Path(path).unlink()
    return not troubles


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Measure the verification of SRTP tags.")
    parser.add_argument("--size", type=octets, help="such as 1GB: also audit a generated capture of that size")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="leave the capture in benchmarks/data")
    parser.add_argument("--proof", type=Path, metavar="CAPTURE", help="only time the proof of one capture")
    arguments = parser.parse_args()
    if arguments.proof is not None:
        prove_once(arguments.proof)
        return 0
    in_memory(arguments.rounds)
    if arguments.size is None:
        return 0
    return 0 if audited(arguments.size, arguments.calls, arguments.seed, arguments.rounds, arguments.keep) else 1


if __name__ == "__main__":
    sys.exit(main())
