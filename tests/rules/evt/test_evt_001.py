"""IMS-EVT-001: conference state that no S/MIME protects, where keys are of MIKEY-TICKET."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import ALICE, BOB, CONFERENCE, Notify, document, subscribe
from tests.rules.evt.conftest import members, smime, state

RULE = "IMS-EVT-001"


def test_a_readable_document_under_g3_is_a_violation(told):
    result = told(RULE, members(), subscribe(ALICE, state(), state(5, document(BOB, version=2)), at=3), profile="g3")
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.HIGH, "proven", "violation")
    assert (finding.subject.kind, finding.subject.id) == ("subscription", "conference-1/subscription-1")
    assert len(result.frames()) == 2
    assert finding.evidence[0].observed == "application/conference-info+xml"
    for word in ("conf1@ims.example.org", "alice@ims.example.org", "2 NOTIFYs, from frame", "No S/MIME around it"):
        assert word in finding.message
    assert result.rows == [("violation", "", 1)]


def test_each_subscription_has_a_finding_of_its_own(told):
    result = told(RULE, members(), subscribe(ALICE, state(), at=3), subscribe(BOB, state(), at=4), profile="g3")
    assert result.rows == [("violation", "", 2)]
    assert len({each.fingerprint for each in result.findings}) == 2


def test_a_sealed_body_passes(told):
    assert told(RULE, members(), subscribe(ALICE, smime(), at=3), profile="g3").rows == [("pass", "", 1)]


def test_under_g2_the_rule_does_not_apply(told):
    assert told(RULE, members(), subscribe(ALICE, state(), at=3)).rows == []


def test_where_the_profile_is_open_it_is_not_assessed(told):
    assert told(RULE, subscribe(ALICE, state())).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_sealed_for_a_pre_shared_key_shows_the_solution(told):
    result = told(RULE, subscribe(ALICE, smime()), subscribe(BOB, state(), at=2))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_notifications_without_state_and_those_of_refer_are_no_matter(told):
    empty = Notify(0.5, state="terminated;reason=noresource")
    assert told(RULE, members(), subscribe(ALICE, empty, at=3), profile="g3").rows == []
    packets = [
        (at, data.replace(b"Event: conference", b"Event: refer     "))
        for at, data in subscribe(ALICE, Notify(0.5, b"SIP/2.0 100 Trying\r\n", content_type="message/sipfrag"), at=3)
    ]
    assert told(RULE, members(), packets, profile="g3").rows == []


def test_a_signed_body_is_left_to_evt_003(told):
    body = b"--b\r\nContent-Type: application/conference-info+xml\r\n\r\n" + document(ALICE) + b"\r\n--b--"
    signed = Notify(0.5, body, content_type='multipart/signed; boundary="b"')
    assert told(RULE, members(), subscribe(ALICE, signed, at=3), profile="g3").rows == []


def test_a_document_in_another_message_counts_too(told):
    talk = build.Dialog(ALICE.address, ("203.0.113.9", 5060), "publish@test", ALICE.uri, CONFERENCE, "p", "q")
    said = ("Event: conference", "Expires: 60")
    body = talk.request("PUBLISH", document(ALICE), headers=said, content_type="application/conference-info+xml")
    result = told(RULE, members(), build.carry(talk, [(9.0, body, True)]), profile="g3")
    assert (result.finding.subject.kind, result.finding.subject.id) == ("conference", "conference-1")
    assert "the PUBLISH in frame" in result.finding.message


def test_behind_decryption_bodies_are_not_assessed(told):
    result = told(RULE, members(), subscribe(ALICE, state(), at=3), profile="g3", capture_point="post-decryption")
    assert result.rows == [("not-assessed", "T-CORE", 1)]
