"""IMS-CONF-009 and IMS-CONF-012: who answered, and whether the focus is who it should be."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import ALICE, BOB, CAROL, CONFERENCE, FOCUS_MEDIA, asserted, dial_in, dial_out, offer_of
from tests.rules.conf.conftest import allowing, quiet_until, ticketed

CONF_009, CONF_012 = "IMS-CONF-009", "IMS-CONF-012"
KNOWN = (f"P-Asserted-Identity: <{CONFERENCE}>",)
CHARGED = "P-Charging-Vector: icid-value=1"


# --- IMS-CONF-009 ---------------------------------------------------------------------------------


def test_somebody_else_answers_and_stays(told) -> None:
    result = told(CONF_009, dial_out(BOB, answered_by=CAROL))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "strong")
    assert result.frames() == [1, 3]
    assert "called bob@ims.example.org" in finding.message
    assert "carol@ims.example.org answered" in finding.message


def test_the_focus_ends_the_leg_of_somebody_else(told) -> None:
    """The catalogue's near miss: BYE after two seconds."""
    assert told(CONF_009, dial_out(BOB, answered_by=CAROL, duration=2.5)).rows == [("pass", "", 1)]


def test_the_invited_user_answers(told) -> None:
    assert told(CONF_009, dial_out(BOB)).rows == [("pass", "", 1)]


def test_other_identities_of_the_same_user(told) -> None:
    """A telephone number that is asserted beside the URI, an alias of the policy, a registration set."""
    both = ("P-Asserted-Identity: <tel:+15550100>, <sip:bob@ims.example.org>",)
    assert told(CONF_009, dial_out(BOB, answer_headers=both)).rows == [("pass", "", 1)]
    number = ("P-Asserted-Identity: <tel:+1-555-0100>",)
    ambiguous = told(CONF_009, dial_out(BOB, answer_headers=number)).finding
    assert (ambiguous.verdict, ambiguous.severity) == ("suspect", Severity.LOW)
    assert "ambiguous" in ambiguous.message
    policy = allowing("nobody@ims.example.org", aliases={"+15550100": "bob@ims.example.org"})
    assert told(CONF_009, dial_out(BOB, answer_headers=number), policy=policy).rows == [("pass", "", 1)]
    talk = build.Dialog(BOB.address, ("203.0.113.1", 5060), "register", BOB.uri, BOB.uri)
    associated = ("P-Associated-URI: <sip:bob@ims.example.org>, <tel:+15550100>",)
    accepted = talk.response(200, "OK", method="REGISTER", headers=associated)
    registered = build.carry(talk, [(0.0, talk.request("REGISTER"), True), (0.1, accepted, False)])
    assert told(CONF_009, registered, dial_out(BOB, at=2, answer_headers=number)).rows == [("pass", "", 1)]


def test_a_diversion_that_the_policy_allows(told) -> None:
    policy = allowing("carol@ims.example.org")
    assert told(CONF_009, dial_out(BOB, answered_by=CAROL), policy=policy).rows == [("pass", "", 1)]


def test_what_explains_the_diversion_is_shown(told) -> None:
    headers = (
        asserted(CAROL),
        "History-Info: <sip:bob@ims.example.org>;index=1, <sip:carol@ims.example.org>;index=1.1",
    )
    finding = told(CONF_009, dial_out(BOB, answered_by=CAROL, answer_headers=headers)).finding
    assert "Seen: History-Info <sip:bob@ims.example.org>" in finding.message


def test_an_answer_without_an_identity(told) -> None:
    assert told(CONF_009, dial_out(BOB, answer_headers=())).rows == [("not-assessed", "N-CORE", 1)]


def test_the_identity_of_the_ticket(told) -> None:
    tickets = ticketed(BOB, says=CAROL.uri, dialled_out=True)
    assert told(CONF_009, dial_out(BOB, answer_headers=(), **tickets)).rows == [("violation", "", 1)]


def test_a_capture_that_ends_before_one_knows(told) -> None:
    other = dial_out(BOB, answered_by=CAROL, duration=None)
    assert told(CONF_009, other).rows == [("not-assessed", "T-MID", 1)]
    assert told(CONF_009, other, quiet_until(30)).rows == [("violation", "", 1)]


def test_dial_in_is_not_asked(told) -> None:
    assert told(CONF_009, dial_in(BOB)).rows == []


def test_an_open_profile_is_said(told) -> None:
    clear = {"offer": build.sdp(FOCUS_MEDIA, build.audio(20_000)), "answer": offer_of(BOB, proto="RTP/AVP")}
    result = told(CONF_009, dial_out(BOB, answered_by=CAROL, **clear))
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-CONF-012 ---------------------------------------------------------------------------------


def test_a_focus_without_an_identity(told) -> None:
    result = told(CONF_012, dial_in(ALICE))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.LOW, "strong")
    assert result.frames() == [3]
    assert "rogue bridge" in finding.message


def test_a_focus_that_is_asserted(told) -> None:
    """The catalogue's near miss."""
    assert told(CONF_012, dial_in(ALICE, answer_headers=KNOWN)).rows == [("pass", "", 1)]


def test_a_focus_that_answers_with_a_ticket(told) -> None:
    assert told(CONF_012, dial_in(ALICE, **ticketed(ALICE))).rows == [("pass", "", 1)]


def test_on_the_user_s_side_the_identity_may_have_been_removed(told) -> None:
    at_home = {"headers": (), "via": (), "source": ALICE.address}
    assert told(CONF_012, dial_in(ALICE, **at_home)).rows == [("not-assessed", "N-CORE", 1)]


def test_a_contact_in_another_domain_needs_an_identity_everywhere(told) -> None:
    at_home = {"headers": (), "via": (), "source": ALICE.address, "focus_contact": "sip:conf1@rogue.example.com"}
    finding = told(CONF_012, dial_in(ALICE, **at_home)).finding
    assert finding.verdict == "suspect"
    assert "rogue.example.com lies outside the domain of the conference" in finding.message
    assert told(CONF_012, dial_in(ALICE, answer_headers=KNOWN, **at_home)).rows == [("pass", "", 1)]
    address = {**at_home, "focus_contact": "sip:conf1@203.0.113.9"}
    assert told(CONF_012, dial_in(ALICE, **address)).rows == [("not-assessed", "N-CORE", 1)]


def test_a_refused_user_has_no_focus(told) -> None:
    assert told(CONF_012, dial_in(ALICE, final=(403, "Forbidden"))).rows == []


def test_a_focus_of_an_open_profile(told) -> None:
    clear = {"offer": offer_of(ALICE, proto="RTP/AVP"), "answer": build.sdp(FOCUS_MEDIA, build.audio(20_000))}
    assert told(CONF_012, dial_in(ALICE, headers=(CHARGED,), **clear)).rows == [("not-assessed", "IMS-PROF-005", 1)]
