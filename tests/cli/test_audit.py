"""`imsinspect audit`: exit statuses, where output goes, and errors in one line."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.errors import UsageError
from imsinspect.cli.main import run
from imsinspect.pipeline import Options
from imsinspect.profiles import ProfileChoice
from imsinspect.report.audit import Audit
from imsinspect.rules.outcome import Assessment, Severity
from imsinspect.trace.model import CaptureInfo, Trace
from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class Stub:
    """A pipeline that answers what a test wants, and remembers what it was asked."""

    verdict: str = "pass"
    exit_status: int = 0
    error: Exception | None = None
    asked: tuple[list[str], Options] | None = None

    def audit(
        self, paths: Sequence[str], options: Options, progress: Callable[[int, int], None] | None = None
    ) -> Audit:
        self.asked = list(paths), options
        if progress is not None:
            progress(1, 2)
        if self.error is not None:
            raise self.error
        return Audit(
            Trace([CaptureInfo(path, "pcap") for path in paths]),
            ProfileChoice(options.profile, options.profile == "auto"),
            {},
            [Assessment("IMS-SRTP-001", "pass", "", "", 1)] if self.exit_status != 3 else [],
            [],
            options.fail_on,
            verdict=self.verdict,
            exit_status=self.exit_status,
        )


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """A pipeline that stands for the real one."""
    pipeline = Stub()
    monkeypatch.setattr("imsinspect.pipeline.audit", pipeline.audit)
    monkeypatch.delenv("IMSINSPECT_DEBUG", raising=False)
    return pipeline


@pytest.mark.parametrize(
    ("verdict", "status", "line"),
    [
        ("pass", 0, "PASS: clean, no findings; 1 rule decided, 0 not assessed; 0 calls, 0 streams, 0 packets\n"),
        ("fail", 1, "FAIL: no findings; 1 rule decided, 0 not assessed; 0 calls, 0 streams, 0 packets\n"),
        ("pass", 2, "INCOMPLETE: no findings; 1 rule decided, 0 not assessed; 0 calls, 0 streams, 0 packets\n"),
        (
            "nothing-to-assess",
            3,
            "NOTHING TO ASSESS: no findings; 0 rules decided, 0 not assessed; 0 calls, 0 streams, 0 packets\n",
        ),
    ],
)
def test_the_exit_status_is_the_audits_and_quiet_leaves_the_last_line(
    stub: Stub, capsys: pytest.CaptureFixture[str], verdict: str, status: int, line: str
) -> None:
    stub.verdict, stub.exit_status = verdict, status
    assert run(["audit", "--quiet", "a.pcap"]) == status
    assert capsys.readouterr() == (line, "")


def test_options_reach_the_pipeline(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    scene = ["--capture-point", "core-secured", "--access-confidentiality", "assumed", "--nds", "trusted-site"]
    assert run(["audit", "--fail-on", "critical", "--profile", "e2e-sdes", *scene, "a.pcap", "b.pcap"]) == 0
    options = Options("e2e-sdes", Severity.CRITICAL, "core-secured", "assumed", "trusted-site")
    assert stub.asked == (["a.pcap", "b.pcap"], options)
    assert capsys.readouterr().err == ""


def test_the_terminal_report_in_a_pipe_has_neither_colours_nor_padding(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["audit", "a.pcap"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.startswith("imsinspect ")
    assert all(line == line.rstrip() and len(line) <= 100 for line in out.splitlines())


def test_colours_can_be_forced_into_a_pipe_and_forbidden(
    stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    run(["audit", "a.pcap"])
    assert "\x1b[1;32mPASS" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    run(["audit", "a.pcap"])
    assert "\x1b[1mPASS" in capsys.readouterr().out


def test_the_json_report_goes_to_standard_output(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--format", "json", "a.pcap"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["schema"] == "imsinspect-report/1"
    assert err == ""


def test_a_report_in_a_file_leaves_the_last_line_on_standard_error(
    stub: Stub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    assert run(["audit", "--format", "json", "--output", str(report), "a.pcap"]) == 0
    assert json.loads(report.read_text())["verdict"] == "pass"
    out, err = capsys.readouterr()
    assert (out, err.startswith("PASS: ")) == ("", True)


@pytest.mark.parametrize("named", ["a.pcap", "."])
def test_a_report_never_overwrites_a_capture(
    stub: Stub, capsys: pytest.CaptureFixture[str], tmp_path: Path, named: str
) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(b"precious")
    assert run(["audit", "--output", str(capture), str(tmp_path / named)]) == 2
    assert capture.read_bytes() == b"precious"
    assert stub.asked is None
    assert "one of the captures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit"], "Missing argument"),
        (["audit", "--fail-on", "fatal", "a.pcap"], "fatal"),
        (["audit", "--nonsense", "a.pcap"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["audit", "-", "-"], "standard input can be read only once"),
        (["audit", "--output", "/nowhere/at/all/report", "a.pcap"], "no such folder"),
        (["audit", "--output", "sarif=/nowhere/at/all/report", "a.pcap"], "no such folder"),
        (["audit", "--output", "a.txt", "--output", "b.txt", "a.pcap"], "one file takes the report"),
        (["audit", "--output", "json=a", "--output", "json=b", "a.pcap"], "one file for each format"),
        (["audit", "--output", "json=-", "a.pcap"], "one file for each format"),
        (["audit", "--output", "sarf=a.json", "a.pcap"], "no format sarf; there are terminal, concise, json"),
        (["audit", "--output", "=a.json", "a.pcap"], "no format ; there are"),
        (["audit", "--output", "json=a.out", "--output", "./a.out", "a.pcap"], "to one file"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    stub: Stub, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("imsinspect: error: ")
    assert words in err
    assert err.count("\n") == 1
    assert stub.asked is None


def test_a_usage_error_of_the_pipeline_is_one_line_without_control_characters(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.error = UsageError("no such file: a\x1b[31m\n.pcap")
    assert run(["audit", "a.pcap"]) == 2
    assert capsys.readouterr() == ("", "imsinspect: error: no such file: a\\x1b[31m\\n.pcap\n")


def test_an_operating_system_error_is_one_line(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.error = PermissionError(13, "Permission denied", "a.pcap")
    assert run(["audit", "a.pcap"]) == 2
    assert capsys.readouterr() == ("", "imsinspect: error: Permission denied: a.pcap\n")


def test_an_unexpected_exception_shows_its_kind_and_never_its_text(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.error = ZeroDivisionError("the key is secret")
    assert run(["audit", "a.pcap"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("imsinspect: internal error: ZeroDivisionError in ")
    assert "please report it" in err
    assert "secret" not in err
    assert "Traceback" not in err


def test_the_traceback_is_shown_on_request(
    stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMSINSPECT_DEBUG", "1")
    stub.error = ZeroDivisionError("why")
    assert run(["audit", "a.pcap"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_output_that_cannot_show_unicode_gets_ascii(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert run(["audit", "é.pcap"]) == 0
    assert b"  \\xe9.pcap: pcap, 0 packets\n" in raw.getvalue()


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("imsinspect ")
    assert run(["audit", "--help"]) == 0
    assert "Exit status: 0 no finding at or above the threshold" in capsys.readouterr().out
    assert run([]) == 2
    assert "audit" in capsys.readouterr().out


def test_rules_that_must_be_assessed_are_named_by_id_short_or_by_name(stub: Stub) -> None:
    words = ["--require", "IMS-SRTP-001", "--require", "tls-007", "--require", "plain-rtcp-on-savp", "--strict"]
    assert run(["audit", "-q", "a.pcap", *words]) == 0
    assert stub.asked is not None
    assert stub.asked[1].required == ("IMS-SRTP-001", "IMS-TLS-007", "IMS-SRTP-002")
    assert stub.asked[1].strict


def test_a_required_rule_that_there_is_not(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "a.pcap", "--require", "SRTP-999"]) == 2
    assert capsys.readouterr().err == (
        "imsinspect: error: Invalid value: no rule SRTP-999 (see imsinspect audit --help)\n"
    )
    assert stub.asked is None


def test_several_views_of_one_audit(stub: Stub, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = [f"--output={view}={tmp_path / view}" for view in ("json", "sarif", "junit", "terminal")]
    assert run(["audit", "-f", "concise", *words, "a.pcap"]) == 0
    assert json.loads((tmp_path / "json").read_text())["verdict"] == "pass"
    assert json.loads((tmp_path / "sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "junit").read_text().startswith("<?xml")
    assert "CAPTURES" in (tmp_path / "terminal").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["json", "junit", "sarif", "terminal"]
    out, err = capsys.readouterr()
    assert (out.startswith("PASS: "), err) == (True, "")


def test_a_view_never_overwrites_a_capture(stub: Stub, tmp_path: Path) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(b"precious")
    assert run(["audit", "--output", f"json={capture}", str(capture)]) == 2
    assert capture.read_bytes() == b"precious"
    assert stub.asked is None


def test_a_report_that_can_not_be_written_leaves_the_old_one(
    stub: Stub, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(b"")
    report = tmp_path / "report.json"
    report.write_text("old")
    report.chmod(0o640)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", full)
        assert run(["audit", "--output", f"json={report}", str(capture)]) == 2
    assert (report.read_text(), sorted(each.name for each in tmp_path.iterdir())) == ("old", ["a.pcap", "report.json"])
    assert capsys.readouterr().err == f"imsinspect: error: cannot write to {report}: No space left on device\n"
    assert run(["audit", "--output", f"json={report}", str(capture)]) == 0
    assert report.stat().st_mode & 0o777 == 0o640
    assert run(["audit", "--output", f"json={report}", "--show-secrets", str(capture)]) == 0
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_file_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(build.pcap([]))
    assert run(["audit", "--format", "concise", "--output", f"{tmp_path}/a=b.txt", str(capture)]) == 3
    assert "NOTHING TO ASSESS" in (tmp_path / "a=b.txt").read_text()


def test_of_several_files_none_is_written_when_one_can_not_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, kept = tmp_path / "a.pcap", tmp_path / "a.sarif"
    capture.write_bytes(build.pcap([]))
    kept.write_text("of yesterday")
    full = Path("/dev/full")
    words = ["audit", "--output", f"sarif={kept}", "--output", f"json={tmp_path}/a.json", "--output", f"junit={full}"]
    assert run([*words, str(capture)]) == 2
    assert "cannot write to /dev/full: No space left" in capsys.readouterr().err
    assert kept.read_text() == "of yesterday"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.pcap", "a.sarif"]

    def broken(_audit: object) -> str:
        raise RuntimeError("a view that fails")

    monkeypatch.setattr("imsinspect.report.junit.render", broken)
    assert run([*words[:-1], f"junit={tmp_path}/a.xml", str(capture)]) == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.pcap", "a.sarif"]
