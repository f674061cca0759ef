"""`imsinspect call`: what a user types, what comes out, and with which status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imsinspect.cli.main import run
from tests import build

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, EXPECTED = ROOT / "samples", Path(__file__).parent / "expected"
PLAIN_RTCP, MSRP = str(SAMPLES / "plain-rtcp-on-sdes-call.pcapng"), str(SAMPLES / "null-cipher-msrp.pcapng")


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(ROOT)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["call", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize("sample", ["plain-rtcp-on-sdes-call", "null-cipher-msrp", "linphone-dtls-srtp", "clean-call"])
def test_the_whole_view_at_80_columns(capsys: pytest.CaptureFixture[str], sample: str) -> None:
    shown = printed(capsys, f"samples/{sample}.pcapng", "call-1")
    assert max(map(len, shown.splitlines())) <= 80
    assert shown == (EXPECTED / f"call-{sample}.txt").read_text(encoding="utf-8")


def test_a_call_is_found_by_its_call_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, PLAIN_RTCP, "9f57ef7aaeea2f8f") == printed(capsys, PLAIN_RTCP, "call-1")


def test_ids_of_several_captures_count_over_all(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, PLAIN_RTCP, MSRP, "call-2")
    assert shown.startswith("call-2 message  ")
    assert "frames as capture:frame" in shown
    assert "0.000    2:1  ├" in shown


def test_a_file_is_written_whole_and_never_over_an_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    capture, report = tmp_path / "call.pcap", tmp_path / "call.txt"
    capture.write_bytes(build.pcap(build.call(build.sdp("192.0.2.10", build.audio(4000)))))
    assert printed(capsys, str(capture), "call-1", "--output", str(report)) == ""
    assert report.read_text(encoding="utf-8").startswith("call-1 audio  sip:alice@example.org")
    before = capture.read_bytes()
    assert run(["call", str(capture), "call-1", "--output", str(capture)]) == 2
    assert "not written over" in capsys.readouterr().err
    assert capture.read_bytes() == before


def test_a_picture_goes_to_standard_output_or_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "call.svg"
    shown = printed(capsys, PLAIN_RTCP, "call-1", "--format", "svg")
    assert shown.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg ')
    assert printed(capsys, PLAIN_RTCP, "call-1", "--format", "svg", "--output", str(picture)) == ""
    assert picture.read_text(encoding="utf-8") == shown


def test_a_page_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, PLAIN_RTCP, "call-1", "--format", "html")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert json.loads(printed(capsys, PLAIN_RTCP, "call-1", "--format", "json"))["schema"] == "imsinspect-call/1"


def test_options_of_the_audit_decide_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert "audio begins, verified" in printed(capsys, PLAIN_RTCP, "call-1")
    assert "audio begins, SRTP" in printed(capsys, PLAIN_RTCP, "call-1", "--verify", "none")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        ([PLAIN_RTCP], "first the captures, then the id"),
        ([PLAIN_RTCP, "call-7"], "there is no call call-7; near are call-1 (imsinspect calls lists all)"),
        ([str(SAMPLES / "nothing-to-assess.pcapng"), "call-1"], "the captures hold no call or conference"),
        ([PLAIN_RTCP, "call-1", "--format", "carving"], "carving"),
        (["-", "-", "call-1"], "standard input can be read only once"),
        (["/nowhere/at/all.pcap", "call-1"], "/nowhere/at/all.pcap"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["call", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
