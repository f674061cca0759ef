"""The benchmark's captures hold for tshark what their truth files say."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks.generate import generate
from benchmarks.run import difference, streams_of_truth, streams_of_tshark

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _tshark(tshark: str, capture: Path, *arguments: str) -> str:
    command = [tshark, "-n", "-r", str(capture), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


@pytest.mark.parametrize("name", ["calls.pcap", "calls.pcapng"])
def test_tshark_finds_the_streams_messages_and_reports_of_the_truth(
    name: str, tmp_path: Path, peer: Callable[[str], str]
) -> None:
    tshark, capture = peer("tshark"), tmp_path / name
    truth = generate(capture, 2_000_000, calls=20, seed=5, pcapng=name.endswith("ng"))
    found = streams_of_tshark(_tshark(tshark, capture, "-q", "-z", "rtp,streams"))
    assert difference(found, streams_of_truth(truth)) == "exact"
    statistics = _tshark(tshark, capture, "-q", "-z", "sip,stat")
    counted = re.search(r"Number of SIP messages: (\d+)", statistics)
    assert counted is not None
    assert int(counted[1]) == truth["sip"]["messages"]
    reports = _tshark(tshark, capture, "-Y", "srtcp", "-T", "fields", "-e", "frame.number").split()
    assert len(reports) == truth["srtcp_packets"]


def test_headers_are_what_tshark_expects(tmp_path: Path, peer: Callable[[str], str]) -> None:
    """IP, UDP and TCP checksums are right (a zero UDP checksum says that there is none), and nothing is malformed."""
    tshark, capture = peer("tshark"), tmp_path / "calls.pcap"
    generate(capture, 1_000_000, calls=10, seed=6)
    checked = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
    wrong = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0"
    analysis = "tcp.analysis.flags || _ws.expert.severity == error"
    assert _tshark(tshark, capture, *checked, "-Y", f"{wrong} || {analysis}") == ""
