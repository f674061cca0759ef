"""The policy changes what rules say: exceptions, severities, rules that are off; and the report says what it did."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network

import pytest

from imsinspect.policy import Policy, PolicyException, RuleSetting, Where
from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import answer, context, offer, rtcp, speech_both_ways

SRTP_002 = "IMS-SRTP-002"
LATER = datetime.now(UTC).date() + timedelta(days=1)
REPORT = build.sender_report(0x0A0A0A0A) + build.source_description(0x0A0A0A0A)


def capture() -> bytes:
    """A secure call from 192.0.2.10 to 198.51.100.20 whose caller sends RTCP in clear."""
    media = speech_both_ways(context("a"), context("b"))
    return build.pcap(build.in_time_order(build.call(offer(), answer()), media, rtcp([REPORT] * 3)))


def audited(*exceptions: PolicyException, **rules: RuleSetting) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    named = {name.replace("_", "-"): setting for name, setting in rules.items()}
    audit = build.audit_bytes(capture(), policy=Policy(exceptions=exceptions, rules=named))
    found = [each.rule for each in audit.findings]
    return (
        found,
        [(each.finding.rule, each.reason) for each in audit.suppressed],
        [note.text for note in audit.notes if note.text.startswith(("policy", "rule"))],
    )


@pytest.mark.parametrize(
    "where",
    [
        Where(),
        Where(network=ip_network("192.0.2.0/24")),
        Where(network=ip_network("198.51.100.20/32")),
        Where(identity="bob@example.org"),
        Where(media="audio"),
        Where(profile="E2E-SDES"),
        Where(call="call-1@test"),
        Where(ip_network("192.0.2.0/24"), "alice@example.org", "audio", "e2e-sdes", "call-1@test"),
    ],
)
def test_a_finding_that_an_exception_is_for_is_listed_apart(where: Where) -> None:
    assert SRTP_002 in audited()[0]
    found, suppressed, notes = audited(PolicyException(SRTP_002, "lab", LATER, where))
    assert SRTP_002 not in found
    assert suppressed == [(SRTP_002, "lab")]
    assert notes == []


@pytest.mark.parametrize(
    "where",
    [
        Where(network=ip_network("203.0.113.0/24")),
        Where(network=ip_network("2001:db8::/32")),
        Where(identity="carol@example.org"),
        Where(media="video"),
        Where(profile="G3"),
        Where(call="other"),
        Where(media="audio", call="other"),
    ],
)
def test_an_exception_for_something_else_changes_nothing_and_is_noted(where: Where) -> None:
    found, suppressed, notes = audited(PolicyException(SRTP_002, "lab", LATER, where))
    assert SRTP_002 in found
    assert suppressed == []
    assert notes == ["policy, exception 1 (IMS-SRTP-002): matched nothing"]


def test_what_is_accepted_for_audio_is_not_accepted_for_video_beside_it() -> None:
    accepted = Policy(exceptions=(PolicyException("IMS-SIG-001", "lab", LATER, Where(media="audio")),))
    audio = [build.audio(4000 + 4 * number, "RTP/SAVP", build.crypto(f"a{number}")) for number in range(2)]
    video = build.media("video", 5000, "RTP/SAVP", "34", build.crypto("v"))
    for sections, count in (((audio[0],), 0), (audio, 0), ((audio[0], video), 1), ((video,), 1)):
        call = build.call(build.sdp("192.0.2.10", *sections))
        found = build.audit_bytes(build.pcap(call), policy=accepted).findings
        assert [each.rule for each in found].count("IMS-SIG-001") == count


def test_an_expired_exception_counts_no_more_and_is_noted() -> None:
    found, suppressed, notes = audited(PolicyException(SRTP_002, "lab", date(2026, 1, 1)))
    assert SRTP_002 in found
    assert suppressed == []
    assert notes == ["policy, exception 1 (IMS-SRTP-002): expired on 2026-01-01"]


def test_an_accepted_finding_does_not_make_the_audit_fail() -> None:
    accepted = tuple(PolicyException(rule, "lab", LATER) for rule in set(audited()[0]))
    audit = build.audit_bytes(capture(), policy=Policy(exceptions=accepted))
    assert (audit.findings, audit.exit_status, audit.verdict) == ([], 0, "pass")


def test_a_rule_can_be_switched_off_and_the_report_says_so() -> None:
    found, _, notes = audited(IMS_SRTP_002=RuleSetting(enabled=False))
    assert SRTP_002 not in found
    assert notes == ["rule IMS-SRTP-002 is switched off by the policy"]


def test_a_severity_of_the_policy_is_the_findings() -> None:
    policy = Policy(rules={SRTP_002: RuleSetting(severity="low")})
    audit = build.audit_bytes(capture(), policy=policy)
    assert [each.severity for each in audit.findings if each.rule == SRTP_002] == [Severity.LOW]
