"""IMS-CONF-014: what participants are told of one another, and who is there."""

from __future__ import annotations

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCE,
    FACTORY,
    MALLORY,
    Notify,
    asserted,
    dial_in,
    document,
    roster_user,
    subscribe,
)
from tests.rules.conf.conftest import allowing, quiet_until, through_an_edge
from tests.trace.cms_seal import enveloped

CONF_014 = "IMS-CONF-014"
PARTICIPANTS = dial_in(ALICE, duration=None), dial_in(BOB, at=1, duration=None), dial_in(CAROL, at=2, duration=None)
END = quiet_until(80)


def told_of(*notifications: Notify, at: float = 5.0, **more: object) -> list[build.Packet]:
    """Alice's subscription."""
    return subscribe(ALICE, *notifications, at=at, **more)


def test_four_dialogs_and_a_roster_of_three(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)))
    result = told(CONF_014, *PARTICIPANTS, roster, dial_in(MALLORY, at=10, duration=None), END)
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 3)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "strong", "call-4")
    assert result.frames() == [19, 15]
    assert "mallory@ims.example.org takes part" in finding.message
    assert "the roster of 3 users in force" in finding.message
    assert "for 69 seconds" in finding.message


def test_the_roster_catches_up(told) -> None:
    """The catalogue's near miss: after two seconds, by a partial document."""
    late = roster_user(MALLORY.uri)
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)), Notify(7.5, document(late, version=2, state="partial")))
    result = told(CONF_014, *PARTICIPANTS, roster, dial_in(MALLORY, at=10, duration=None), END)
    assert result.rows == [("pass", "", 4)]


def test_a_roster_entry_whose_leg_ended(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)))
    result = told(CONF_014, *PARTICIPANTS[:2], dial_in(CAROL, at=2, duration=20), roster, END)
    assert result.rows == [("violation", "", 1), ("pass", "", 3)]
    assert "shows carol@ims.example.org as connected for up to 57 seconds" in result.finding.message
    assert "the leg had ended" in result.finding.message


def test_an_entry_that_is_removed_or_disconnected_in_time(told) -> None:
    gone = roster_user(CAROL.uri, status="disconnected"), roster_user(CAROL.uri, state="deleted")
    for entry in gone:
        first = Notify(0.1, document(ALICE, BOB, CAROL))
        roster = told_of(first, Notify(20, document(entry, version=2, state="partial")))
        result = told(CONF_014, *PARTICIPANTS[:2], dial_in(CAROL, at=2, duration=20), roster, END)
        assert result.rows == [("pass", "", 3)]


def test_a_user_who_never_called_is_suspect(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB)), Notify(5, document(ALICE, BOB, MALLORY, version=2)))
    finding = told(CONF_014, *PARTICIPANTS[:2], roster, END).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.LOW)
    assert "no leg was seen" in finding.message


def test_who_may_have_joined_before_the_capture(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB, MALLORY)))
    assert told(CONF_014, *PARTICIPANTS[:2], roster, END).rows == [("pass", "", 2), ("not-assessed", "T-MID", 1)]
    creation = dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, duration=None)
    assert told(CONF_014, creation, PARTICIPANTS[1], roster, END).finding.verdict == "suspect"


def test_one_user_s_own_signalling(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)))
    assert told(CONF_014, PARTICIPANTS[0], roster, END).rows == [("pass", "", 1), ("not-assessed", "N-CORE", 1)]


def test_a_user_who_is_being_called_has_no_leg_yet(told) -> None:
    ringing = roster_user(MALLORY.uri, status="dialing-out")
    roster = told_of(Notify(0.1, document(ALICE, BOB)), Notify(5, document(ringing, version=2, state="partial")))
    assert told(CONF_014, *PARTICIPANTS[:2], roster, END).rows == [("pass", "", 2)]


def test_anonymous_entries_and_other_identities_are_ambiguous(told) -> None:
    for name in ("sip:anonymous1@anonymous.invalid", "sip:anonymous2@ims.example.org", "tel:+15550100"):
        roster = told_of(Notify(0.1, document(ALICE, BOB, roster_user(name))))
        result = told(CONF_014, *PARTICIPANTS, roster, END)
        assert result.rows == [("pass", "", 2), ("not-assessed", "N-ROST", 2)]


def test_aliases_associated_and_asserted_identities_are_the_same_user(told) -> None:
    number = roster_user("tel:+15550100")
    roster = told_of(Notify(0.1, document(ALICE, BOB, number)))
    policy = allowing("*", aliases={"+15550100": "carol@ims.example.org"})
    assert told(CONF_014, *PARTICIPANTS, roster, END, policy=policy).rows == [("pass", "", 3)]
    both = dial_in(CAROL, at=2, duration=None, headers=(asserted(CAROL), "P-Asserted-Identity: <tel:+1-555-0100>"))
    assert told(CONF_014, *PARTICIPANTS[:2], both, roster, END).rows == [("pass", "", 3)]


def test_hops_of_one_session_that_name_the_user_differently(told) -> None:
    """The P-CSCF makes a new call of Carol's, whose core hop asserts her telephone number only (T-B2B)."""
    carol = through_an_edge(CAROL, two_calls=True, asserted_as="tel:+15550100")
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)))
    result = told(CONF_014, *PARTICIPANTS[:2], carol, roster, END, profile="g2")
    assert result.findings == []
    assert ("pass", "", 4) in result.rows


def test_a_policy_that_hides_somebody(told) -> None:
    roster = told_of(Notify(0.1, document(ALICE, BOB, count=3)))
    finding = told(CONF_014, *PARTICIPANTS, roster, END).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.LOW)
    assert "counts 3 users and lists 2" in finding.message


def test_only_while_the_subscription_is_active(told) -> None:
    """What its last word or its expiry leaves behind says nothing."""
    first = Notify(0.1, document(ALICE, BOB, CAROL))
    last = Notify(3, document(ALICE, BOB, CAROL, version=2), state="terminated;reason=timeout")
    late = dial_in(MALLORY, at=10, duration=None)
    assert told(CONF_014, *PARTICIPANTS, told_of(first, last), late, END).rows == [("pass", "", 3)]
    assert told(CONF_014, *PARTICIPANTS, told_of(first, expires=8), late, END).rows == [
        ("pass", "", 3),
        ("not-assessed", "T-MID", 1),
    ]


def test_a_gap_of_versions_makes_the_roster_unknown(told) -> None:
    missed = Notify(3, document(roster_user(ALICE.uri), version=5, state="partial"))
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)), missed)
    result = told(CONF_014, *PARTICIPANTS, roster, dial_in(MALLORY, at=10, duration=None), END)
    assert result.rows == [("pass", "", 3)]


def test_no_roster_can_be_read(told) -> None:
    assert told(CONF_014, *PARTICIPANTS, END).rows == [("not-assessed", "N-ROST", 1)]
    partial = told_of(Notify(0.1, document(ALICE, state="partial")))
    assert told(CONF_014, *PARTICIPANTS, partial, END).rows == [("not-assessed", "N-ROST", 1)]
    refused = told_of(Notify(0.1, state="terminated;reason=rejected"), final=(202, "Accepted"))
    assert told(CONF_014, *PARTICIPANTS, refused, END).rows == [("not-assessed", "N-ROST", 1)]


def test_thresholds_of_the_policy(told) -> None:
    patient = Policy(thresholds=Thresholds(conf_ghost=100 * 10**9))
    roster = told_of(Notify(0.1, document(ALICE, BOB, CAROL)))
    result = told(CONF_014, *PARTICIPANTS, roster, dial_in(MALLORY, at=10, duration=None), END, policy=patient)
    assert result.findings == []


def test_an_open_profile_is_said(told) -> None:
    clear = {"offer": build.sdp(BOB.address[0], build.audio(4000)), "answer": build.sdp("203.0.113.10", build.audio(9))}
    roster = told_of(Notify(0.1, document()))
    result = told(CONF_014, dial_in(BOB, duration=None, **clear), roster, END)
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_notifications_that_no_key_opens(told) -> None:
    secret = enveloped(b"Content-Type: application/conference-info+xml\r\n\r\n" + document(ALICE), (b"k" * 16, b"key"))
    sealed = Notify(0.1, secret, content_type="application/pkcs7-mime;smime-type=enveloped-data")
    result = told(CONF_014, *PARTICIPANTS, told_of(sealed), END, profile="g3")
    assert result.rows == [("not-assessed", "N-KEY", 1)]


def test_many_participants_and_notifications_cost_little(told) -> None:
    """Half a second would be a walk over all users for every document."""
    import time

    from imsinspect.rules.conf.rosters import merged, within, without

    spans = [(number * 10, number * 10 + 5) for number in range(20_000)]
    before = time.perf_counter()
    assert without(spans, spans) == []
    assert len(without([(0, 200_000)], spans)) == 20_000
    assert within(merged(spans), 100, 121) == [(100, 105), (110, 115), (120, 121)]
    assert time.perf_counter() - before < 0.5
