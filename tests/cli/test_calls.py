"""`imsinspect calls`: what a user types, what comes out, and with which status."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from imsinspect.cli.main import run
from tests import build

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PLAIN_RTCP, CLEAN = str(SAMPLES / "plain-rtcp-on-sdes-call.pcapng"), str(SAMPLES / "clean-call.pcapng")
VERIFIED = str(SAMPLES / "sdes-keys-in-clear-sip.pcapng")


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["calls", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def ids(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    return [row["id"] for row in json.loads(printed(capsys, *arguments, "--json"))["rows"]]


def test_the_whole_view_of_two_captures_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, CLEAN, PLAIN_RTCP, "--sort", "severity") == (
        "2 calls; 2026-11-21, times in UTC\n"
        "call-1  03:09:39  9.003 s  ✖ SDES AES_CM_128_HMAC_SHA1_80, observed mixed\n"
        "    4 critical  audio  sip:alice@10.20.0.1 → sip:bob@10.20.0.2\n"
        "call-2  03:11:04  11.2 s   ✔ DTLS-SRTP, observed SRTP\n"
        "    1 info only  audio  sip:alice@10.20.1.1 → sip:bob@10.20.1.2\n"
        "✖ claimed but not there  ✔ protected as seen\n"
        "FAIL: 4 critical, 1 info; 37 rules decided, 5 not assessed; 2 calls, 4 streams, 2083 packets\n"
    )


def test_what_is_asked_for_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    both = (CLEAN, PLAIN_RTCP)
    assert ids(capsys, *both, "--sort", "duration") == ["call-2", "call-1"]
    assert ids(capsys, *both, "--filter", "dtls", "--filter", "BOB") == ["call-2"]
    assert ids(capsys, *both, "--filter", "dtls", "--filter", "mixed") == []
    assert ids(capsys, *both, "--min-severity", "low") == ["call-1"]
    assert ids(capsys, *both, "--min-severity", "info") == ["call-1", "call-2"]
    assert ids(capsys, *both, "--rule", "plain-rtcp-on-savp") == ["call-1"]
    assert ids(capsys, *both, "--rule", "prof-005", "--rule", "SRTP-002", "--limit", "1") == ["call-1"]


def test_options_of_the_audit_decide_what_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def row(*arguments: str) -> dict[str, object]:
        (only,) = json.loads(printed(capsys, VERIFIED, "--json", *arguments))["rows"]
        return dict(only)

    policy = tmp_path / "policy.toml"
    policy.write_text('[[exception]]\nrule = "IMS-SIG-001"\nreason = "lab"\nexpires = 2099-01-01\n')
    assert (row()["observed"], row()["suppressed"], row()["result"]) == ("verified", 0, "findings")
    assert row("--verify", "none")["observed"] == "SRTP"
    accepted = row("--policy", str(policy))
    assert (accepted["suppressed"], accepted["result"]) == (2, "no findings")
    assert row("--capture-point", "core-secured")["result"] != "findings"


def test_keys_of_the_user_verify(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The session description holds no keys; the file does."""
    ours, theirs = ("192.0.2.10", 4000), ("198.51.100.20", 6000)
    offer, answer = (build.sdp(host, build.audio(port, "RTP/SAVP")) for host, port in (ours, theirs))
    media = build.rtp_stream(ours, theirs, 10, build.speech(), srtp=build.Srtp(build.master_key("ours")))
    capture, keys = tmp_path / "call.pcap", tmp_path / "keys.json"
    capture.write_bytes(build.pcap(build.in_time_order(build.call(offer, answer), media)))
    key = build.crypto("ours").partition("inline:")[2]
    suite = "AES_CM_128_HMAC_SHA1_80"
    keys.write_text(json.dumps({"srtp": [{"ssrc": "0x0000000a", "suite": suite, "key_and_salt_base64": key}]}))

    def observed(*arguments: str) -> str:
        return str(json.loads(printed(capsys, str(capture), "--json", *arguments))["rows"][0]["observed"])

    assert (observed(), observed("--keys", str(keys))) == ("SRTP", "verified")


def test_a_table_for_spreadsheets(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, CLEAN, "--csv"))))
    assert [(row["id"], row["claimed"], row["observed"], row["result"]) for row in rows] == [
        ("call-1", "DTLS-SRTP", "SRTP", "info only")
    ]


def test_a_hostile_caller_reaches_no_terminal_and_no_formula(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    capture = tmp_path / "hostile.pcap"
    talk = build.Dialog(from_uri="=HYPERLINK(1)\x1b[2J[red]")
    offer = build.sdp("192.0.2.10", build.audio(4000))
    capture.write_bytes(build.pcap(build.call(offer, dialog=talk)))
    assert "  =HYPERLINK(1)\\x1b[2J[red] → sip:bob@example.org\n" in printed(capsys, str(capture))
    (row,) = csv.DictReader(io.StringIO(printed(capsys, str(capture), "--csv")))
    assert row["from"] == "'=HYPERLINK(1)\\x1b[2J[red]"
    assert "\x1b" not in printed(capsys, str(capture), "--json")


def test_a_capture_that_cannot_be_read_is_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"\x7fELF" * 9)
    assert run(["calls", str(broken)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), str(broken) in err) == ("", 1, True)
    assert run(["calls", str(broken), CLEAN]) == 2
    out, err = capsys.readouterr()
    assert (out.startswith("1 call; "), err.count("\n")) == (True, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        ([CLEAN, "--json", "--csv"], "either --json or --csv"),
        ([CLEAN, "--sort", "colour"], "colour"),
        ([CLEAN, "--limit", "0"], "0"),
        ([CLEAN, "--rule", "SRTP-999"], "no rule SRTP-999"),
        ([CLEAN, "--min-severity", "fatal"], "fatal"),
        (["-", "-"], "standard input can be read only once"),
        (["/nowhere/at/all.pcap"], "/nowhere/at/all.pcap"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["calls", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
