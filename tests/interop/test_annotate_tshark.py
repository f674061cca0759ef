"""tshark shows the comments that annotate writes on the frames that the audit names, and capinfos reads the file."""

from __future__ import annotations

import gzip
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.frames import frame_number
from imsinspect.cli.main import run
from imsinspect.pipeline import audit
from tests.interop.tshark import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = (
    "plain-rtcp-on-sdes-call.pcapng", "downgraded-answer-in-gtp-u.pcap", "sip-over-null-tls.pcapng",
    "msrp-relay.pcapng", "mikey-rtsp.pcapng", "sdes-keys-in-esp-null.pcapng", "psk-null-cipher.pcap",
)  # fmt: skip
FINGERPRINT = re.compile(r"Fingerprint: ([0-9a-f]{32})")


@pytest.fixture
def tshark(peer: Callable[[str], str]) -> Callable[..., list[str]]:
    """Runs tshark on a file and gives its lines."""
    program = peer("tshark")

    def read(path: Path, *arguments: str) -> list[str]:
        command = [program, "-n", "-r", str(path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    return read


def comments(lines: list[str]) -> dict[int, list[str]]:
    """Fingerprints by frame, of `frame.number` and `frame.comment`."""
    return {int(number): FINGERPRINT.findall(said) for number, _, said in (line.partition("\t") for line in lines)}


SHOWN = ("-Y", "frame.comment", "-T", "fields", "-e", "frame.number", "-e", "frame.comment")
FIELDS = ("time_epoch", "len", "cap_len", "encap_type", "protocols")
PACKET = ("-T", "fields", *(word for name in FIELDS for word in ("-e", f"frame.{name}")))


@pytest.mark.parametrize("name", NAMES)
def test_comments_are_shown_on_the_frames_of_the_evidence(
    name: str, tshark: Callable[..., list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "out.pcapng"
    assert run(["annotate", str(SAMPLES / name), str(out), "-q"]) == 0
    expected: dict[int, list[str]] = {}
    for finding in audit([str(SAMPLES / name)]).findings:
        for frame in dict.fromkeys(each.frame for each in finding.evidence):
            expected.setdefault(frame_number(frame), []).append(finding.fingerprint)
    assert comments(tshark(out, *SHOWN)) == expected
    assert tshark(out, *PACKET) == tshark(SAMPLES / name, *PACKET)
    assert tshark(out, "-T", "fields", "-e", "_ws.malformed") == tshark(
        SAMPLES / name, "-T", "fields", "-e", "_ws.malformed"
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_excerpt_is_read_and_names_the_frames_of_the_whole(
    name: str, tshark: Callable[..., list[str]], peer: Callable[[str], str], tmp_path: Path
) -> None:
    source = tmp_path / f"{name}.gz"
    source.write_bytes(gzip.compress((SAMPLES / name).read_bytes()))
    out = tmp_path / "out.pcapng"
    status = run(["annotate", str(source), str(out), "-q", "--only-findings"])
    findings = audit([str(SAMPLES / name)]).findings
    assert status == (0 if findings else 3)
    if not findings:
        return
    times = tshark(SAMPLES / name, "-T", "fields", "-e", "frame.time_epoch")
    for line in tshark(out, "-Y", "frame.comment", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment"):
        time, _, said = line.partition("\t")
        numbers = {int(each) for each in re.findall(rf"; frame (\d+) of {re.escape(source.name)}", said)}
        assert {times[number - 1] for number in numbers} == {time}
    command = [peer("capinfos"), "-c", "-M", str(out)]
    counted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"Number of packets:   {len(tshark(out))}" in counted
