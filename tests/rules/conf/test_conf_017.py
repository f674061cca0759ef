"""IMS-CONF-017: who makes the focus call and dismiss."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCE,
    FACTORY,
    MALLORY,
    Notify,
    dial_in,
    dial_out,
    document,
    refer,
    subscribe,
)
from tests.rules.conf.conftest import allowing

CONF_017 = "IMS-CONF-017"
PLACE = dial_in(ALICE)


def test_an_outsider_adds_a_listener(told) -> None:
    result = told(CONF_017, PLACE, refer(MALLORY, CAROL.uri, at=5), dial_out(CAROL, at=6))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.HIGH, "strong")
    assert result.frames() == [5, 7]
    assert "mallory@ims.example.org made the focus" in finding.message
    assert "sip:carol@ims.example.org invited" in finding.message


def test_an_outsider_removes_a_member(told) -> None:
    gone = dial_out(BOB, at=1, duration=10)
    finding = told(CONF_017, PLACE, gone, refer(MALLORY, BOB.uri, at=9, removes=True)).finding
    assert "removed" in finding.message
    assert "throws members out" in finding.message


def test_the_focus_refuses_an_outsider(told) -> None:
    """The catalogue's near miss."""
    refused = refer(MALLORY, CAROL.uri, at=5, final=(403, "Forbidden"))
    assert told(CONF_017, PLACE, refused).rows == [("pass", "", 1)]


def test_a_refer_that_led_to_nothing(told) -> None:
    assert told(CONF_017, PLACE, refer(MALLORY, CAROL.uri, at=5)).rows == []


def test_participants_and_the_creator_may(told) -> None:
    called = dial_out(CAROL, at=6)
    assert told(CONF_017, PLACE, refer(ALICE, CAROL.uri, at=5), called).rows == [("pass", "", 1)]
    assert told(CONF_017, PLACE, refer(ALICE, CAROL.uri, at=5, in_call=1), called).rows == [("pass", "", 1)]
    creator = dial_in(BOB, conference=FACTORY, focus_contact=CONFERENCE, duration=2)
    assert told(CONF_017, PLACE, creator, refer(BOB, CAROL.uri, at=5), called).rows == [("pass", "", 1)]


def test_one_who_left_may_no_more(told) -> None:
    left = dial_in(BOB, duration=3)
    finding = told(CONF_017, PLACE, left, refer(BOB, CAROL.uri, at=5), dial_out(CAROL, at=6)).finding
    assert "Its dialog had ended" in finding.message


def test_the_authorised_set_allows_and_proves(told) -> None:
    parts = PLACE, refer(MALLORY, CAROL.uri, at=5), dial_out(CAROL, at=6)
    assert told(CONF_017, *parts, policy=allowing("mallory@ims.example.org")).rows == [("pass", "", 1)]
    finding = told(CONF_017, *parts, policy=allowing("alice@ims.example.org")).finding
    assert finding.confidence == "proven"
    assert "authorised set of the policy: alice@ims.example.org" in finding.message


def test_the_user_s_side_does_not_tell(told) -> None:
    home = {"headers": (), "via": (), "source": ALICE.address}
    parts = (
        dial_in(ALICE, **home),
        refer(MALLORY, CAROL.uri, at=5, headers=()),
        dial_out(CAROL, at=6, answer_headers=()),
    )
    assert told(CONF_017, *parts).rows == [("not-assessed", "N-CORE", 1)]


def test_a_dialog_that_is_not_in_the_capture(told) -> None:
    parts = PLACE, refer(BOB, CAROL.uri, at=5, in_call=1), dial_out(CAROL, at=6)
    assert told(CONF_017, *parts).rows == [("not-assessed", "T-MID", 1)]


def test_a_roster_that_lists_the_sender(told) -> None:
    roster = subscribe(ALICE, Notify(0.1, document(ALICE, MALLORY)), at=2)
    parts = PLACE, roster, refer(MALLORY, CAROL.uri, at=5), dial_out(CAROL, at=6)
    assert told(CONF_017, *parts).rows == [("not-assessed", "N-ROST", 1)]


def test_nobody_was_seen_to_take_part(told) -> None:
    roster = subscribe(ALICE, Notify(0.1, document(ALICE)), at=2)
    parts = roster, refer(MALLORY, CAROL.uri, at=5), dial_out(CAROL, at=6, final=(486, "Busy Here"))
    assert told(CONF_017, *parts, profile="g2").rows == [("not-assessed", "N-ROST", 1)]
    assert told(CONF_017, *parts).rows == [("not-assessed", "N-ROST", 1)]


def test_an_open_profile_is_said(told) -> None:
    from tests import build

    clear = {
        "offer": build.sdp(ALICE.address[0], build.audio(4000)),
        "answer": build.sdp("203.0.113.10", build.audio(5)),
    }
    out = {"offer": clear["answer"], "answer": build.sdp(CAROL.address[0], build.audio(4000))}
    parts = dial_in(ALICE, **clear), refer(MALLORY, CAROL.uri, at=5), dial_out(CAROL, at=6, **out)
    assert told(CONF_017, *parts).rows == [("not-assessed", "IMS-PROF-005", 1)]
