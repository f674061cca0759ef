"""The SARIF log: what code-scanning services demand, and nothing that the wire could steer."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from imsinspect.capture.raw_frames import raw_frames
from imsinspect.pipeline import Options, audit
from imsinspect.report.sarif import LEVELS, MAX_RESULTS, render, to_sarif
from imsinspect.rules.outcome import Severity, Suppressed
from imsinspect.rules.registry import RULES
from imsinspect.rules.required import Unmet

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

EXPECTED, SCHEMAS = Path(__file__).parent / "expected", Path(__file__).parent / "schemas"
SAMPLES = Path(__file__).parents[2] / "samples"
HOSTILE = "a\x1b[2J\r\n<b>%,c\u202e"


def run_of(audit: Audit) -> dict[str, Any]:
    """The only run of the log, read back from its text."""
    log = json.loads(render(audit))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_the_whole_log_of_a_failing_call(failing_audit: Audit) -> None:
    assert render(failing_audit) == (EXPECTED / "failing.sarif").read_text(encoding="utf-8")


def test_every_result_has_a_place_a_rule_and_a_fingerprint_of_its_own(failing_audit: Audit) -> None:
    failing_audit.findings[0] = replace(failing_audit.findings[0], evidence=())
    run = run_of(failing_audit)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        [location] = result["locations"]
        region = location["physicalLocation"]["region"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert region["startLine"] == region["endLine"] >= 1
        assert run["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_a_finding_with_several_frames_leads_through_them(failing_audit: Audit) -> None:
    flow = run_of(failing_audit)["results"][1]["codeFlows"][0]["threadFlows"][0]["locations"]
    evidence = failing_audit.findings[1].evidence
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in flow] == [2, 10]
    assert flow[0]["location"]["message"]["text"].startswith(f"{evidence[0].field}: {evidence[0].observed}")


def test_what_the_policy_accepts_is_suppressed_with_its_reason(failing_audit: Audit) -> None:
    accepted = failing_audit.findings.pop()
    failing_audit.suppressed = [Suppressed(accepted, "lab", "2027-01-01")]
    result = run_of(failing_audit)["results"][-1]
    assert result["ruleId"] == accepted.rule
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "lab (until 2027-01-01)"}
    ]


def test_what_could_not_be_read_or_assessed_is_said(audit_with_gaps: Audit) -> None:
    audit_with_gaps.unmet = [Unmet("IMS-TLS-001", "N-HS", "no handshake")]
    invocation = run_of(audit_with_gaps)["invocations"][0]
    assert not invocation["executionSuccessful"]
    assert [(each["level"], each["message"]["text"]) for each in invocation["toolExecutionNotifications"]] == [
        ("error", "b.pcap: no capture: the first octets are 7f454c46"),
        ("error", "required IMS-TLS-001 not assessed: N-HS no handshake"),
        *(
            ("note", f"{rule} not assessed for 5 of its subjects: N-HS The handshake of tls-1 lies before the capture.")
            for rule in ("IMS-TLS-001", "IMS-TLS-002")
        ),
        ("note", "IMS-GW-001 not assessed for 1 of its subjects: N-NEW "),
    ]


def test_every_severity_has_the_level_and_the_number_of_its_band() -> None:
    bands = {severity: float(number) for severity, (_, number) in LEVELS.items()}
    assert bands[Severity.CRITICAL] > 9 >= bands[Severity.HIGH] >= 7 > bands[Severity.MEDIUM] >= 4
    assert 4 > bands[Severity.LOW] > bands[Severity.INFO] > 0


def test_texts_of_all_rules_are_as_long_as_services_read(failing_audit: Audit) -> None:
    first = failing_audit.findings[0]
    failing_audit.findings = [replace(first, rule=rule.id) for rule in RULES]
    told = run_of(failing_audit)["tool"]["driver"]["rules"]
    assert [each["id"] for each in told] == sorted(rule.id for rule in RULES)
    for each in told:
        assert 0 < len(each["shortDescription"]["text"]) <= 1_024
        assert 0 < len(each["fullDescription"]["text"]) <= 1_024
        assert each["help"]["text"]
        assert each["name"].isalnum()


def test_no_more_results_than_services_take(failing_audit: Audit) -> None:
    failing_audit.findings *= MAX_RESULTS // 2 + 1
    run = to_sarif(failing_audit)["runs"][0]
    assert len(run["results"]) == MAX_RESULTS
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"] == (
        "2 more findings are left out; the JSON report holds all"
    )


def test_text_from_the_wire_and_odd_paths_steer_nothing(failing_audit: Audit) -> None:
    first = failing_audit.findings[0]
    subject = replace(first.subject, id=HOSTILE)
    failing_audit.findings[0] = replace(first, title=HOSTILE, message=HOSTILE, subject=subject)
    failing_audit.trace.captures[0].path = "a b#?:%\udcff\n.pcap"
    run = run_of(failing_audit)
    said = json.dumps(run, ensure_ascii=False)
    assert not any(character in said for character in "\x1b\r\u202e")
    assert run["artifacts"][0]["location"]["uri"] == "a%20b%23%3F%3A%25%FF%0A.pcap"
    failing_audit.trace.captures[0].path = "/captures/a.pcap"
    assert run_of(failing_audit)["artifacts"][0]["location"]["uri"] == "file:///captures/a.pcap"
    failing_audit.trace.captures[0].path = "-"
    assert run_of(failing_audit)["artifacts"][0]["location"]["uri"] == "standard-input"


def test_captures_are_named_in_one_way(failing_audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative where all are below the working directory, absolute otherwise: services refuse a log with both."""
    monkeypatch.chdir(tmp_path)
    first = failing_audit.trace.captures[0]
    for paths, expected in (
        (("a.pcap", str(tmp_path / "b/c.pcap")), ["a.pcap", "b/c.pcap"]),
        (("a.pcap", "/captures/b.pcap"), [f"file://{tmp_path}/a.pcap", "file:///captures/b.pcap"]),
        (("sub/../a.pcap", "-"), ["a.pcap", "standard-input"]),
        (("../a.pcap",), [f"file://{tmp_path.parent}/a.pcap"]),
    ):
        failing_audit.trace.captures = [replace(first, path=path) for path in paths]
        run = run_of(failing_audit)
        assert [each["location"]["uri"] for each in run["artifacts"]] == expected
        location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location == {"uri": expected[0], "index": 0}


@pytest.mark.parametrize("name", ["plain-rtcp-on-sdes-call.pcapng", "psk-null-cipher.pcap"])
def test_a_place_is_where_the_octets_of_the_frame_are_in_the_file(name: str) -> None:
    path = SAMPLES / name
    data = path.read_bytes()
    run = run_of(audit([str(path)], Options()))
    assert run["artifacts"][0]["length"] == len(data)
    assert run["artifacts"][0]["hashes"] == {"sha-256": hashlib.sha256(data).hexdigest()}
    raw = raw_frames(str(path), range(1, 10_000))
    locations = [each["locations"][0] for each in run["results"]]
    for result in run["results"]:
        for flow in result.get("codeFlows", ()):
            locations += [step["location"] for step in flow["threadFlows"][0]["locations"]]
    assert locations
    for location in locations:
        region = location["physicalLocation"]["region"]
        octets = data[region["byteOffset"] : region["byteOffset"] + region["byteLength"]]
        assert octets == raw[region["startLine"]].octets


def test_a_compressed_capture_has_a_digest_and_no_offsets(tmp_path: Path) -> None:
    path = tmp_path / "call.pcapng.gz"
    path.write_bytes(gzip.compress((SAMPLES / "plain-rtcp-on-sdes-call.pcapng").read_bytes()))
    run = run_of(audit([str(path)], Options()))
    assert run["artifacts"][0]["hashes"] == {"sha-256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert "byteOffset" not in run["results"][0]["locations"][0]["physicalLocation"]["region"]


def test_logs_are_valid_by_the_published_schema(
    failing_audit: Audit, audit_with_gaps: Audit, empty_audit: Audit
) -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    failing_audit.suppressed = [Suppressed(failing_audit.findings[0], HOSTILE, "2027-01-01")]
    audit_with_gaps.unmet = [Unmet("IMS-TLS-001", "N-HS", "no handshake")]
    real = audit(sorted(map(str, SAMPLES.glob("*.pcap*"))), Options())
    assert len(real.findings) > 50
    for each in (failing_audit, audit_with_gaps, empty_audit, real):
        assert [error.message for error in validator.iter_errors(json.loads(render(each)))] == []
    broken = json.loads(render(failing_audit))
    del broken["runs"][0]["results"][0]["message"]
    assert not validator.is_valid(broken)
