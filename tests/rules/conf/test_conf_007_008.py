"""IMS-CONF-007 and IMS-CONF-008: who is let in."""

from __future__ import annotations

import pytest

from imsinspect.policy import Authorised, Policy, Scope
from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCE,
    FACTORY,
    FOCUS_MEDIA,
    INVITING,
    MALLORY,
    Notify,
    User,
    asserted,
    dial_in,
    dial_out,
    document,
    inviting,
    offer_of,
    subscribe,
)
from tests.rules.conf.conftest import allowing, quiet_until, ticketed

CONF_007, CONF_008 = "IMS-CONF-007", "IMS-CONF-008"
ANONYMOUS = "sip:anonymous@anonymous.invalid"
HIDDEN = {"from_uri": ANONYMOUS, "headers": ("Privacy: id",)}


# --- IMS-CONF-007 ---------------------------------------------------------------------------------


def test_an_anonymous_user_is_let_in_and_stays(told) -> None:
    result = told(CONF_007, dial_in(ALICE), dial_in(MALLORY, at=2, **HIDDEN))
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "strong", "call-2")
    assert result.frames() == [5, 5, 7]
    assert "An anonymous user" in finding.message
    assert "Privacy: id" in finding.message
    assert "P-Asserted-Identity" in finding.message


@pytest.mark.parametrize("final", [(403, "Forbidden"), (433, "Anonymity Disallowed")])
def test_an_anonymous_user_is_refused(told, final: tuple[int, str]) -> None:
    """The catalogue's near miss."""
    result = told(CONF_007, dial_in(ALICE), dial_in(MALLORY, at=2, final=final, **HIDDEN))
    assert result.rows == [("pass", "", 2)]


def test_a_user_whom_nobody_asserts(told) -> None:
    finding = told(CONF_007, dial_in(ALICE), dial_in(MALLORY, at=2, headers=())).finding
    assert "A user whose identity nobody asserts" in finding.message


def test_an_asserted_user_who_asks_for_privacy_is_known_to_the_focus(told) -> None:
    hidden = dial_in(BOB, at=2, from_uri=ANONYMOUS, headers=("Privacy: id", asserted(BOB)))
    assert told(CONF_007, dial_in(ALICE), hidden).rows == [("pass", "", 2)]


def test_a_restricted_telephone_number_that_the_trunk_asserts(told) -> None:
    phone = dial_in(BOB, at=2, from_uri=ANONYMOUS, headers=("Privacy: id", "P-Asserted-Identity: <tel:+15550100>"))
    assert told(CONF_007, dial_in(ALICE), phone).rows == [("pass", "", 2)]


@pytest.mark.parametrize("profile", ["g3", "tr-sdes", "tr-kms"])
def test_where_everybody_must_be_authenticated_it_is_high(told, profile: str) -> None:
    finding = told(CONF_007, dial_in(ALICE), dial_in(MALLORY, at=2, **HIDDEN), profile=profile).finding
    assert finding.severity == Severity.HIGH


@pytest.mark.parametrize("header", ['Authorization: Digest username="m"', "Identity: x.y.z;info=<https://a.example/c>"])
def test_credentials_prove_who_it_is(told, header: str) -> None:
    shown = dial_in(MALLORY, at=2, from_uri=ANONYMOUS, headers=(header,))
    assert told(CONF_007, dial_in(ALICE), shown).rows == [("pass", "", 2)]


def test_the_identity_of_a_ticket_proves_who_it_is(told) -> None:
    tickets = ticketed(MALLORY)
    hidden = dial_in(MALLORY, at=2, from_uri=ANONYMOUS, headers=(), **tickets)
    assert told(CONF_007, dial_in(ALICE, **ticketed(ALICE)), hidden).rows == [("pass", "", 2)]


def test_who_calls_itself_like_somebody_else_is_not_proven_by_them(told) -> None:
    """Alice is asserted in her own leg; Mallory writes her name into From."""
    spoofed = dial_in(MALLORY, at=2, from_uri=ALICE.uri, headers=())
    assert told(CONF_007, dial_in(ALICE), spoofed).rows == [("violation", "", 1), ("pass", "", 1)]


@pytest.mark.parametrize("rule", ["IMS-CONF-001", "IMS-CONF-002", CONF_007, CONF_008])
def test_a_conference_whose_calls_are_not_in_the_capture(told, rule: str) -> None:
    roster = subscribe(ALICE, Notify(0.1, document(ALICE)))
    assert told(rule, roster, profile="g3").rows == [("not-assessed", "N-SIP", 1)]


def test_one_who_is_dropped_soon_was_not_admitted(told) -> None:
    dropped = dial_in(MALLORY, at=2, duration=8, focus_leaves=True, **HIDDEN)
    assert told(CONF_007, dial_in(ALICE), dropped).rows == [("pass", "", 2)]


def test_a_capture_that_ends_before_one_knows(told) -> None:
    early = dial_in(ALICE, duration=None), dial_in(MALLORY, at=2, duration=None, **HIDDEN)
    assert told(CONF_007, *early).rows == [("pass", "", 1), ("not-assessed", "T-MID", 1)]
    assert told(CONF_007, *early, quiet_until(20)).rows == [("violation", "", 1), ("pass", "", 1)]


def test_on_the_user_s_side_nobody_is_asserted(told) -> None:
    at_home = {"headers": (), "via": (), "source": MALLORY.address}
    result = told(CONF_007, dial_in(MALLORY, from_uri=ANONYMOUS, **at_home))
    assert result.rows == [("not-assessed", "N-CORE", 1)]


def test_an_invited_user_who_does_not_say_who_it_is(told) -> None:
    result = told(CONF_007, dial_in(ALICE), dial_out(BOB, at=2, answer_headers=("Privacy: id",)))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert "called by the focus" in result.finding.message
    assert told(CONF_007, dial_in(ALICE), dial_out(BOB, at=2)).rows == [("pass", "", 2)]


def test_an_emergency_call_has_no_privacy_to_judge(told) -> None:
    emergency = dial_in(MALLORY, at=2, conference="urn:service:sos", focus_contact=CONFERENCE, **HIDDEN)
    assert told(CONF_007, dial_in(ALICE), emergency).findings == []


def test_an_open_profile_is_said(told) -> None:
    clear = {"offer": offer_of(MALLORY, proto="RTP/AVP"), "answer": build.sdp(FOCUS_MEDIA, build.audio(20_000))}
    result = told(CONF_007, dial_in(MALLORY, headers=("P-Charging-Vector: icid-value=1",), from_uri=ANONYMOUS, **clear))
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-CONF-008 ---------------------------------------------------------------------------------


def test_a_user_who_is_not_on_the_list_is_let_in(told) -> None:
    parts = dial_in(ALICE), dial_in(BOB, at=1), dial_in(MALLORY, at=2)
    result = told(CONF_008, *parts, profile="g3", policy=allowing("alice@ims.example.org", "bob@ims.example.org"))
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 2)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.HIGH, "strong", "call-3")
    assert result.frames() == [9, 11]
    for word in ("mallory@ims.example.org", "the policy", "alice@ims.example.org, bob@ims.example.org"):
        assert word in finding.message


def test_a_user_who_is_not_on_the_list_is_refused(told) -> None:
    """The catalogue's near miss."""
    parts = dial_in(ALICE), dial_in(MALLORY, at=2, final=(403, "Forbidden"))
    result = told(CONF_008, *parts, profile="g3", policy=allowing("alice@ims.example.org"))
    assert result.rows == [("pass", "", 2)]


def test_nobody_said_who_may_come(told) -> None:
    """The identities that were admitted are listed for review."""
    audit = build.audit_bytes(build.pcap(build.in_time_order(dial_in(ALICE), dial_in(MALLORY, at=2))), profile="g3")
    (row,) = [each for each in audit.assessments if each.rule == CONF_008]
    assert (row.outcome, row.gap, row.subjects) == ("not-assessed", "N-ROST", 2)
    assert [each.id for each in row.examples] == ["alice@ims.example.org", "mallory@ims.example.org"]


def test_wildcards_times_aliases_and_the_list_of_one_conference(told) -> None:
    start = build.START * 10**9

    def verdicts(policy: Policy) -> list[tuple[str, str, int]]:
        return told(CONF_008, dial_in(BOB), profile="g3", policy=policy).rows

    good, bad = [("pass", "", 1)], [("violation", "", 1)]
    assert verdicts(allowing("*@ims.example.org")) == good
    assert verdicts(allowing("*@other.example.org")) == bad
    hour = 3_600 * 10**9
    assert verdicts(Policy(authorised=(Authorised("bob@ims.example.org", start - hour, start + hour),))) == good
    assert verdicts(Policy(authorised=(Authorised("bob@ims.example.org", None, start - hour),))) == bad
    assert (
        verdicts(allowing("robert@private.example", aliases={"bob@ims.example.org": "robert@private.example"})) == good
    )
    own = {"conf1@ims.example.org": Scope(authorised=(Authorised("alice@ims.example.org"),))}
    assert verdicts(allowing("bob@ims.example.org", conferences=own)) == bad


def test_identities_are_compared_without_what_does_not_name_the_user(told) -> None:
    """rules.md 17.9: host in capitals, port, parameters, separators of telephone numbers."""
    for header, name in (
        ("P-Asserted-Identity: <sip:bob@IMS.Example.ORG:5060;transport=tcp>", "bob@ims.example.org"),
        ("P-Asserted-Identity: <sip:+1-555-0100@ims.example.org;user=phone>", "+15550100"),
        ("P-Asserted-Identity: <sip:x@ims.example.org>, <tel:+1.555.0100>", "+15550100"),
    ):
        parts = dial_in(BOB, headers=(header,), from_uri="sip:someone@ims.example.org")
        assert told(CONF_008, parts, profile="g3", policy=allowing(name)).rows == [("pass", "", 1)]


def test_whoever_is_dropped_soon_was_not_admitted(told) -> None:
    dropped = dial_in(MALLORY, duration=4, focus_leaves=True)
    assert told(CONF_008, dropped, profile="g3", policy=allowing("alice@ims.example.org")).rows == [("pass", "", 1)]
    unknown = dial_in(MALLORY, duration=None)
    result = told(CONF_008, unknown, profile="g3", policy=allowing("alice@ims.example.org"))
    assert result.rows == [("not-assessed", "T-MID", 1)]


def test_the_list_in_the_invite_that_created_the_conference(told) -> None:
    """RFC 5366; the creator belongs to it without being named."""
    body = inviting(offer_of(ALICE), BOB, CAROL)
    creation = dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, offer=body, content_type=INVITING)
    parts = creation, dial_out(BOB, at=1), dial_in(MALLORY, at=2)
    result = told(CONF_008, *parts, profile="g3")
    assert result.rows == [("violation", "", 1), ("pass", "", 2)]
    assert "the URI list of the INVITE that created the conference" in result.finding.message


def test_the_ticket_that_created_the_conference_where_the_study_applies(told) -> None:
    named = tuple(name.encode() for name in (FACTORY, BOB.uri))
    creation = dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, **ticketed(ALICE, recipients=named))
    parts = creation, dial_in(BOB, at=1, **ticketed(BOB)), dial_in(MALLORY, at=2, **ticketed(MALLORY))
    result = told(CONF_008, *parts, profile="tr-kms")
    assert result.rows == [("violation", "", 1), ("pass", "", 2)]
    assert "the ticket of the INVITE that created the conference: factory@ims" in result.finding.message
    assert told(CONF_008, *parts, profile="g3").rows == [("not-assessed", "N-ROST", 3)]


def test_a_creator_or_a_recorder_that_the_policy_leaves_out_is_only_suspect(told) -> None:
    policy = allowing("alice@ims.example.org")
    creator = dial_in(BOB, conference=FACTORY, focus_contact=CONFERENCE)
    finding = told(CONF_008, creator, dial_in(ALICE, at=2), profile="g3", policy=policy).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.MEDIUM)
    recorder = dial_in(User("recorder", ("192.0.2.90", 5060)), headers=(asserted(BOB), "Require: siprec"))
    assert told(CONF_008, recorder, profile="g3", policy=policy).finding.verdict == "suspect"


def test_an_identity_that_nobody_asserts_is_only_suspect(told) -> None:
    policy = allowing("alice@ims.example.org")
    finding = told(
        CONF_008, dial_in(ALICE), dial_in(MALLORY, at=2, headers=()), profile="tr-kms", policy=policy
    ).finding
    assert finding.verdict == "suspect"
    assert "Nobody asserts" in finding.message


def test_the_identity_of_the_ticket_decides(told) -> None:
    policy = allowing("alice@ims.example.org")
    result = told(
        CONF_008, dial_in(ALICE, **ticketed(ALICE)), dial_in(MALLORY, at=2, **ticketed(MALLORY)), policy=policy
    )
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert result.finding.confidence == "proven"
    assert "mallory@ims.example.org (MIKEY identity)" in result.finding.message
    called = dial_out(MALLORY, **ticketed(MALLORY, dialled_out=True))
    assert "MIKEY identity" in told(CONF_008, called, policy=policy).finding.message


def test_each_leg_is_judged_by_its_own_ticket(told) -> None:
    """Mallory calls as Alice, whose own leg has her own ticket."""
    own = dial_in(ALICE, **ticketed(ALICE))
    spoofed = dial_in(MALLORY, at=2, headers=(asserted(ALICE),), from_uri=ALICE.uri, **ticketed(MALLORY))
    finding = told(CONF_008, own, spoofed, policy=allowing("alice@ims.example.org")).finding
    assert (finding.verdict, finding.subject.id) == ("suspect", "call-2")
    assert "mallory@ims.example.org (MIKEY identity)" in finding.message


def test_an_identity_of_the_ticket_that_may_be_a_private_one_is_only_suspect(told) -> None:
    parts = dial_in(ALICE, **ticketed(ALICE, says="sip:a1b2@private.example.org"))
    finding = told(CONF_008, parts, policy=allowing("alice@ims.example.org")).finding
    assert finding.verdict == "suspect"
    assert "may be another one of the same user" in finding.message
    known = {"a1b2@private.example.org": "alice@ims.example.org"}
    assert told(CONF_008, parts, policy=allowing("alice@ims.example.org", aliases=known)).rows == [("pass", "", 1)]


def test_sdes_conferences_are_not_asked(told) -> None:
    assert told(CONF_008, dial_in(MALLORY), policy=allowing("alice@ims.example.org")).rows == []
