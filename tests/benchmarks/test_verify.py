"""The benchmark of tags: what it times does verify every tag, and it tells when one was judged wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.generate import generate
from benchmarks.verify import prove_once, tags_difference

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_proof_that_is_timed_verifies_every_tag_of_the_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "calls.pcap"
    truth = generate(capture, 300_000, 4, 1, False)
    prove_once(capture)
    counts = json.loads(capsys.readouterr().out)
    assert counts.pop("seconds") > 0
    assert counts == {"checked": truth["rtp_packets"] + truth["srtcp_packets"], "failed": 0}


def test_a_report_with_a_tag_that_was_not_checked_or_failed_is_told() -> None:
    truth = {"rtp_packets": 3, "srtcp_packets": 1}
    sender = {"verified": {"packets": 1, "failed": 0}}
    stream = {"verified": {"packets": 3, "failed": 1}}
    good = {"verified": {"packets": 3, "failed": 0}}
    assert tags_difference({"streams": [good], "rtcp_sources": [sender]}, truth) == ""
    assert tags_difference({"streams": [stream], "rtcp_sources": [{"verified": None}]}, truth) == (
        "3 of 4 tags checked, 1 failed"
    )
