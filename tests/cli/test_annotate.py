"""`imsinspect annotate`: what a user types, what is said, and with which status it ends."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from imsinspect.capture.raw_frames import raw_frames
from imsinspect.cli.main import run
from tests import build
from tests.capture.test_formats import block, interface, section

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CALL = SAMPLES / "plain-rtcp-on-sdes-call.pcapng"


def test_a_capture_with_its_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.pcapng"
    assert run(["annotate", str(CALL), str(out)]) == 0
    assert capsys.readouterr() == ("", "4 findings in comments on 4 packets of 917\n")
    assert run(["annotate", str(out), str(tmp_path / "again.pcapng")]) == 0
    assert capsys.readouterr().err == (
        "4 findings in comments on 4 packets of 917\nall of these comments were there before\n"
    )


def test_the_packets_that_findings_rest_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.pcapng"
    assert run(["annotate", str(CALL), str(out), "--only-findings"]) == 0
    assert capsys.readouterr() == (
        "",
        "4 findings in 94 of 917 packets; an audit of them finds all (frames are numbered anew, comments name those of "
        "plain-rtcp-on-sdes-call.pcapng)\n",
    )
    assert b"; frame 916 of plain-rtcp-on-sdes-call.pcapng" in out.read_bytes()
    assert len(raw_frames(str(out), range(1, 1_000))) == 94


def test_nothing_is_said_where_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["annotate", str(CALL), str(tmp_path / "out.pcapng"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_findings_that_are_not_all_there_leave_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def signalling_only(*arguments: object) -> NDArray[np.bool_]:
        keep = np.zeros(918, np.bool_)
        keep[1:8] = True
        return keep

    monkeypatch.setattr("imsinspect.annotating.kept", signalling_only)
    out = tmp_path / "out.pcapng"
    out.write_bytes(b"of before")
    assert run(["annotate", str(CALL), str(out), "--only-findings"]) == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith("not found again: IMS-SRTP-002 ")
    assert error[-1] == (
        "imsinspect: error: 2 findings of plain-rtcp-on-sdes-call.pcapng can't be shown without the other packets, so "
        f"{out} was not written; annotate the whole capture instead"
    )
    assert out.read_bytes() == b"of before"
    assert [each.name for each in tmp_path.iterdir()] == ["out.pcapng"]


def test_a_capture_without_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture, out = SAMPLES / "nothing-to-assess.pcapng", tmp_path / "out.pcapng"
    assert run(["annotate", str(capture), str(out), "--only-findings"]) == 3
    assert capsys.readouterr().err == (f"imsinspect: nothing-to-assess.pcapng: no findings, so {out} was not written\n")
    assert not out.exists()
    assert run(["annotate", str(capture), str(out)]) == 0
    assert capsys.readouterr().err.startswith("0 findings in comments on 0 packets of 451\n")


def test_standard_input_and_pipes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.pcapng"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CALL.read_bytes())))
    assert run(["annotate", "-", str(out), "--only-findings"]) == 0
    assert "comments name those of standard input" in capsys.readouterr().err
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_standard_output(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for extra in ((), ("--only-findings",)):
        assert run(["annotate", str(CALL), "out.pcapng", "-q", *extra]) == 0
        assert run(["annotate", str(CALL), "-", "-q", *extra]) == 0
        assert capsysbinary.readouterr() == (Path("out.pcapng").read_bytes(), b"")
    assert [each.name for each in tmp_path.iterdir()] == ["out.pcapng"]


def test_what_others_may_not_read_stays_so(tmp_path: Path) -> None:
    capture, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    capture.write_bytes(CALL.read_bytes())
    for mode, expected in ((0o600, 0o600), (0o644, 0o644)):
        capture.chmod(mode)
        out.unlink(missing_ok=True)
        before = os.umask(0o022)
        assert run(["annotate", str(capture), str(out), "-q"]) == 0
        os.umask(before)
        assert stat.S_IMODE(out.stat().st_mode) == expected


def test_inputs_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture, keys, link = tmp_path / "in.pcapng", tmp_path / "keys.log", tmp_path / "link.pcapng"
    capture.write_bytes(CALL.read_bytes())
    keys.write_text("")
    link.symlink_to(capture)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for out in (capture, keys, link, pipe, tmp_path, tmp_path / "missing" / "out"):
        assert run(["annotate", str(capture), str(out), "--keylog", str(keys)]) == 2
    assert capture.read_bytes() == CALL.read_bytes()
    assert capsys.readouterr().err.count("imsinspect: error: ") == 6


@pytest.mark.parametrize("capture", ["missing.pcap", ".", "x.pcap"])
def test_what_can_not_be_read(capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.pcap").write_bytes(b"no capture")
    out = tmp_path / "out.pcapng"
    assert run(["annotate", str(tmp_path / capture), str(out)]) == 2
    assert capsys.readouterr().err.startswith("imsinspect: error: ")
    assert not out.exists()


def test_what_is_odd_in_a_capture_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [data for _, data in build.call(build.sdp("192.0.2.10", build.audio(4000, "RTP/SAVP", build.crypto("a"))))]
    simple = [block(3, len(frame).to_bytes(4, "little") + frame + bytes(-len(frame) % 4)) for frame in frames]
    capture = tmp_path / "in.pcapng"
    capture.write_bytes(section() + interface() + b"".join(simple) + b"\6\0\0\0")
    assert run(["annotate", str(capture), str(tmp_path / "out.pcapng")]) == 0
    assert capsys.readouterr().err == (
        "2 findings in comments on 1 packet of 7\n"
        "1 packet without a time in the capture have that of the packet before, as only blocks with a time have room "
        "for comments\n"
        "note: the capture ends inside a packet: read to its last whole packet\n"
    )
