"""`rules` lists and filters what is checked, `explain` shows one rule, `--policy` changes what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imsinspect.cli.main import run
from imsinspect.rules.registry import RULES

SAMPLE = str(Path(__file__).resolve().parents[2] / "samples" / "plain-rtcp-on-sdes-call.pcapng")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 0
    return capsys.readouterr().out


def test_every_rule_is_listed_with_its_severity_and_tier(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = printed(capsys, "rules").splitlines()
    assert lines[0].split() == ["rule", "severity", "tier", "what", "it", "finds"]
    rows = [line.split()[:3] for line in lines[1:] if line.startswith("IMS-")]
    assert rows == [[rule.id, rule.severity.token, str(rule.tier)] for rule in RULES]


def test_the_list_as_json_holds_the_whole_text(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "rules", "--json"))
    assert [each["id"] for each in found] == [rule.id for rule in RULES]
    for each in found:
        assert list(each["text"])[:1] == ["What it checks"]
        assert each["references"]


def test_the_list_is_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    def ids(*arguments: str) -> list[str]:
        return [each["id"] for each in json.loads(printed(capsys, "rules", "--json", *arguments))]

    assert ids("--area", "tls") == [rule.id for rule in RULES if "-TLS-" in rule.id]
    assert ids("--severity", "critical") == [rule.id for rule in RULES if rule.severity.token == "critical"]
    assert ids("--tier", "1", "--area", "SRTP") == [r.id for r in RULES if r.tier == 1 and "-SRTP-" in r.id]
    assert ids("--profile", "all") == [rule.id for rule in RULES if "ALL" in rule.profiles]


@pytest.mark.parametrize("arguments", [("rules", "--area", "XYZ"), ("rules", "--profile", "G9"), ("explain", "SRTP-9")])
def test_what_is_not_there_is_bad_usage(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert run(arguments) == 2
    assert "no " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["IMS-SRTP-002", "ims-srtp-002", "SRTP-002", "plain-rtcp-on-savp"])
def test_a_rule_is_explained_by_id_or_name(capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = printed(capsys, "explain", name)
    assert text.startswith("IMS-SRTP-002 plain-rtcp-on-savp\nRTCP without SRTCP on a secure line.\ncritical, tier 1,")
    headings = (
        "What it checks",
        "Why it matters",
        "What the finding shows",
        "How to fix it",
        "When it is not assessed",
    )
    assert [line for line in text.splitlines() if line in headings] == list(headings)
    assert text.endswith("References\nTS 33.328 §5.2\nRFC 3711 §3.4\n")


def test_a_policy_accepts_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[exception]]\nrule = "IMS-SRTP-002"\nreason = "lab"\nexpires = 2099-01-01\n')
    run(["audit", "-f", "json", SAMPLE, "--policy", str(policy)])
    report = json.loads(capsys.readouterr().out)
    assert {(each["rule"], each["reason"]) for each in report["suppressed"]} == {("IMS-SRTP-002", "lab")}
    assert "IMS-SRTP-002" not in [each["rule"] for each in report["findings"]]


def test_a_wrong_policy_is_bad_usage_and_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("profil = 1\n")
    assert run(["audit", SAMPLE, "--policy", str(policy)]) == 2
    assert "line 1: unknown key 'profil'; did you mean 'profile'?" in capsys.readouterr().err
    assert run(["audit", SAMPLE, "--policy", str(policy), "--output", str(policy)]) == 2
    assert policy.read_text() == "profil = 1\n"
