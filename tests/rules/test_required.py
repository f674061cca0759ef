"""What --require and --strict demand: an answer on every subject, and for required rules that there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imsinspect.policy import Policy, RuleSetting
from imsinspect.rules.outcome import Severity
from imsinspect.rules.required import NO_SUBJECT
from tests import build
from tests.situations import A, B, secure_call, side, talk

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit


def audited(packets: list[build.Packet], **options: Any) -> Audit:
    """An audit of a declared site, where keys in readable SIP are no finding to fail for."""
    return build.audit_bytes(build.pcap(packets), fail_on=Severity.CRITICAL, capture_point="core-secured", **options)


def unmet(result: Audit) -> list[tuple[str, str]]:
    """Rules and gaps."""
    return [(each.rule, each.gap) for each in result.unmet]


def without_answer() -> list[build.Packet]:
    """Media of a call whose answer the capture lacks."""
    return build.in_time_order(build.call(side(A, "a"), side(B, "b"))[:2], talk())


def test_a_rule_that_decided_on_all_of_its_subjects_is_met() -> None:
    result = audited(secure_call(), required=("IMS-SRTP-001", "IMS-SRTP-002"))
    assert (unmet(result), result.verdict, result.exit_status) == ([], "pass", 0)


def test_a_rule_without_a_subject_is_not_met() -> None:
    result = audited(secure_call(), required=("IMS-BFCP-001",))
    assert (unmet(result), result.verdict, result.exit_status) == ([("IMS-BFCP-001", "")], "fail", 1)
    assert result.unmet[0].reason == NO_SUBJECT


def test_a_rule_that_the_policy_switches_off_is_not_met() -> None:
    result = audited(
        secure_call(), required=("IMS-SRTP-001",), policy=Policy(rules={"IMS-SRTP-001": RuleSetting(enabled=False)})
    )
    assert unmet(result) == [("IMS-SRTP-001", "")]


def test_a_rule_that_left_a_subject_open_is_not_met() -> None:
    result = audited(without_answer(), required=("IMS-SRTP-001",))
    assert (unmet(result), result.exit_status) == ([("IMS-SRTP-001", "N-OA")], 1)
    assert unmet(audited(without_answer())) == []


def test_strict_demands_every_rule_of_the_first_tier_that_has_a_subject() -> None:
    result = audited(without_answer(), strict=True)
    assert ("IMS-SRTP-001", "N-OA") in unmet(result)
    assert {rule for rule, _ in unmet(result)} == set(result.tier_one_not_assessed)
    assert (result.verdict, result.exit_status) == ("fail", 1)
    complete = audited(secure_call(), strict=True)
    assert {rule for rule, _ in unmet(complete)} == set(complete.tier_one_not_assessed)
