"""`imsinspect baseline`: what a CI job types, what it reads in the log, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imsinspect.cli.main import run
from tests import build

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PLAIN_RTCP, PLAIN_RTP = str(SAMPLES / "plain-rtcp-on-sdes-call.pcapng"), str(SAMPLES / "plain-rtp-on-savp.pcapng")
NOTHING = str(SAMPLES / "nothing-to-assess.pcapng")


@pytest.fixture
def baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = str(tmp_path / "baseline.json")
    assert run(["baseline", "create", PLAIN_RTCP, "--output", path]) == 0
    assert capsys.readouterr() == ("", f"{path}: 4 findings of 4 kinds, 27 rules that decided\n")
    return path


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = run(["baseline", "check", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return status, out


def test_the_same_traffic_passes(baseline: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, PLAIN_RTCP, "--baseline", baseline, "--strict") == (
        0,
        f"imsinspect 0.1.0, baseline {baseline}, fails on what is new of medium and above\n"
        + "\nPASS: no new findings; 4 known; 1 call, 2 streams (1 call, 2 streams in the baseline)\n",
    )


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("imsinspect.cli.output.WIDEST", 300)


def test_other_traffic_fails_and_what_is_new_is_told_in_full(baseline: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = checked(capsys, PLAIN_RTP, "--baseline", baseline)
    assert status == 1
    assert "NEW, NOT IN THE BASELINE (2 findings)\n  CRITICAL IMS-SRTP-001 plain-rtp-on-savp (proven)\n" in out
    assert "    filter: frame.number in {1, 3, 5, 605}\n" in out
    assert "NO LONGER FOUND, OR LESS OFTEN (2)\n  IMS-SRTP-002 plain-rtcp-on-savp: audio/0, answerer" in out
    assert "DECIDED IN THE BASELINE, NOT ASSESSED NOW (11 rules)\n  IMS-SRTP-002 N-MED: no RTCP of the" in out
    assert out.splitlines()[-1] == (
        "FAIL: 2 critical new; 2 known; no longer found: 2; run `imsinspect baseline create` to renew; "
        "11 rules decided more in the baseline; 1 call, 2 streams (1 call, 2 streams in the baseline)"
    )


def test_the_same_call_often_is_as_known_as_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def calls(number: int) -> str:
        packets = [
            build.call(
                build.sdp("192.0.2.10", build.audio(4000 + 4 * each, "RTP/SAVP", build.crypto(f"a{each}"))),
                build.sdp("198.51.100.20", build.audio(5000 + 4 * each, "RTP/SAVP", build.crypto(f"b{each}"))),
                dialog=build.Dialog(call_id=f"{each}@x", from_tag=f"f{each}", to_tag=f"t{each}"), at=each,
            )
            for each in range(number)
        ]  # fmt: skip
        path = tmp_path / f"{number}.pcap"
        path.write_bytes(build.pcap(build.in_time_order(*packets)))
        return str(path)

    known = str(tmp_path / "known.json")
    assert run(["baseline", "create", calls(2), "--output", known, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    status, out = checked(capsys, calls(6), "--baseline", known)
    assert status == 0
    assert "MORE OFTEN, WITH MORE TRAFFIC (2)\n  IMS-SIG-001 sdes-key-in-clear-sip: audio/0, answerer, sent; " in out
    assert ": 2 before, 6 now\n" in out
    status, out = checked(capsys, calls(6), "--baseline", known, "--counts", "exact")
    assert status == 1
    assert "NEW, MORE OFTEN THAN IN THE BASELINE (8 findings)\n" in out
    status, out = checked(capsys, calls(2), calls(6), "--baseline", known, "--counts", "any", "--quiet")
    assert (status, out[:24]) == (0, "PASS: no new findings; 1")


def test_a_threshold_lets_lesser_findings_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = str(tmp_path / "known.json")
    assert run(["baseline", "create", str(SAMPLES / "clean-call.pcapng"), "-o", known, "-q"]) == 0
    other = str(SAMPLES / "ssrc-collision.pcapng")
    capsys.readouterr()
    assert checked(capsys, other, "-b", known)[0] == 1
    status, out = checked(capsys, other, "-b", known, "--fail-on", "high", "-q")
    assert (status, out.partition(";")[0]) == (0, "PASS: 2 medium new, below the threshold (high)")


def test_less_evidence_fails_where_it_is_asked_for(baseline: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (PLAIN_RTCP, "--baseline", baseline, "--verify", "none", "--quiet")
    assert checked(capsys, *arguments)[0] == 0
    assert checked(capsys, *arguments, "--strict")[0] == 1
    assert checked(capsys, NOTHING, "--baseline", baseline, "--quiet")[0] == 3


def test_json_holds_what_is_new_with_its_frames(baseline: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = checked(capsys, PLAIN_RTP, "--baseline", baseline, "--json")
    report = json.loads(out)
    assert (status, report["schema"], report["verdict"]) == (1, "imsinspect-comparison/1", "fail")
    assert [(row["rule"], row["because"], row["baseline_count"], row["count"]) for row in report["new"]] == [
        ("IMS-SRTP-001", "not in the baseline", 0, 1),
        ("IMS-SRTP-001", "not in the baseline", 0, 1),
    ]
    assert report["new"][0]["filters"] == [{"capture": PLAIN_RTP, "filter": "frame.number in {1, 3, 5, 605}"}]
    assert report["known"] == 2
    assert [(row["rule"], row["baseline_count"], row["count"]) for row in report["less_often"]] == [
        ("IMS-SRTP-002", 1, 0), ("IMS-SRTP-002", 1, 0),
    ]  # fmt: skip
    assert {
        "rule": "IMS-SRTP-003",
        "gap": "N-MED",
        "reason": "no RTCP of the secure line was seen",
        "wholly": True,
    } in (report["lost"])
    assert report["traffic"] == {"now": {"calls": 1, "streams": 2}, "baseline": {"calls": 1, "streams": 2}}


def test_an_unreadable_capture_is_neither_known_nor_clean(
    baseline: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"no capture")
    assert run(["baseline", "check", PLAIN_RTCP, str(broken), "-b", baseline, "-q"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("INCOMPLETE: no new findings; 4 known; 1 of 2 captures could not be read in full; ")
    assert err.startswith(f"imsinspect: error: {broken}: ")
    before = Path(baseline).read_bytes()
    assert run(["baseline", "create", PLAIN_RTCP, str(broken), "-o", baseline]) == 2
    assert Path(baseline).read_bytes() == before
    assert capsys.readouterr().err.endswith(f"a capture could not be read, so {baseline} was not written\n")


def test_a_baseline_of_nothing_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "baseline.json"
    assert run(["baseline", "create", NOTHING, "-o", str(path)]) == 3
    assert not path.exists()
    assert "nothing in the captures could be assessed" in capsys.readouterr().err


def test_a_baseline_on_standard_output(
    baseline: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["baseline", "create", PLAIN_RTCP, "--output", "-"]) == 0
    assert capsys.readouterr() == (Path(baseline).read_text(), "")
    assert [each.name for each in tmp_path.iterdir()] == ["baseline.json"]


def test_inputs_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "call.pcapng"
    capture.write_bytes(Path(PLAIN_RTCP).read_bytes())
    keys = tmp_path / "keys.log"
    keys.write_text("")
    for output in (capture, keys, tmp_path, tmp_path / "missing" / "x.json"):
        assert run(["baseline", "create", str(capture), "--keylog", str(keys), "-o", str(output)]) == 2
    assert capture.read_bytes() == Path(PLAIN_RTCP).read_bytes()
    assert capsys.readouterr().err.count("imsinspect: error: ") == 4


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "baseline --help"),
        (("create",), "baseline create --help"),
        (("check", PLAIN_RTCP), "baseline check --help"),
        (("check", PLAIN_RTCP, "-b", "x", "--counts", "some"), "baseline check --help"),
    ],
)
def test_bad_usage_names_the_help_that_is_meant(
    arguments: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["baseline", *arguments]) == 2
    assert capsys.readouterr().err.endswith(f"(see imsinspect {hint})\n")


def test_a_baseline_that_is_none_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "check", PLAIN_RTCP, "-b", str(SAMPLES / "expected.json")]) == 2
    assert "no baseline of imsinspect; `imsinspect baseline create` writes one" in capsys.readouterr().err
