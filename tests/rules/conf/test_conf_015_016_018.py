"""IMS-CONF-015, 016 and 018: Contacts of a focus, uneven treatment, and dialogs that somebody else takes."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    FOCUS_MEDIA,
    MALLORY,
    Notify,
    User,
    answer_of,
    asserted,
    dial_in,
    dial_out,
    document,
    offer_of,
    subscribe,
)
from tests.rules.conf.conftest import allowing, ticketed

CONF_015, CONF_016, CONF_018 = "IMS-CONF-015", "IMS-CONF-016", "IMS-CONF-018"
OTHER_PHONE = User("alice", ("192.0.2.11", 5060))


def clear(user: User) -> bytes:
    return offer_of(user, proto="RTP/AVP")


# --- IMS-CONF-015 ---------------------------------------------------------------------------------


def test_a_contact_without_isfocus(told) -> None:
    roster = subscribe(ALICE, Notify(0.1, document(ALICE)), at=2)
    result = told(CONF_015, dial_in(ALICE, isfocus=False), roster)
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.subject.id) == (Severity.INFO, "call-1")
    assert result.frames() == [3]
    assert "Event: conference is served" in finding.message
    assert "hides topology" in finding.message


def test_a_contact_with_isfocus(told) -> None:
    assert told(CONF_015, dial_in(ALICE), dial_out(BOB, at=2)).rows == [("pass", "", 2)]


def test_one_leg_shows_what_another_lacks(told) -> None:
    assert told(CONF_015, dial_in(ALICE), dial_in(BOB, at=2, isfocus=False)).rows == [
        ("violation", "", 1),
        ("pass", "", 1),
    ]


def test_a_plain_call_is_no_conference(told) -> None:
    assert told(CONF_015, dial_in(ALICE, isfocus=False)).rows == []


# --- IMS-CONF-016 ---------------------------------------------------------------------------------


def test_one_secure_offer_is_accepted_and_another_refused(told) -> None:
    refused = dial_in(BOB, at=2, final=(488, "Not Acceptable Here"))
    result = told(CONF_016, dial_in(ALICE), refused)
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert finding.severity == Severity.INFO
    assert result.frames() == [1, 3, 5, 7]
    assert "accepted the secure offer of alice@ims.example.org" in finding.message
    assert "refused that of bob@ims.example.org" in finding.message


def test_both_are_accepted(told) -> None:
    """The catalogue's near miss."""
    assert told(CONF_016, dial_in(ALICE), dial_in(BOB, at=2)).rows == [("pass", "", 1)]


def test_a_line_that_is_refused_or_answered_in_clear(told) -> None:
    for answer in (build.sdp(FOCUS_MEDIA, build.audio(0, "RTP/SAVP")), answer_of(BOB, proto="RTP/AVP")):
        assert told(CONF_016, dial_in(ALICE), dial_in(BOB, at=2, answer=answer)).rows == [("violation", "", 1)]


def test_a_refusal_for_another_reason_says_nothing(told) -> None:
    refused = dial_in(BOB, at=2, final=(403, "Forbidden"))
    assert told(CONF_016, dial_in(ALICE), refused).rows == []


def test_offers_that_end_at_the_access_edge_are_left_out(told) -> None:
    edge = build.sdp(BOB.address[0], build.audio(4000, "RTP/SAVP", build.crypto("bob"), "a=3ge2ae:requested"))
    refused = dial_in(BOB, at=2, offer=edge, final=(488, "Not Acceptable Here"))
    assert told(CONF_016, dial_in(ALICE), refused, profile="g2").rows == []


def test_the_focus_offers_secure_media_to_some(told) -> None:
    open_offer = {"offer": answer_of(BOB, proto="RTP/AVP"), "answer": clear(BOB)}
    result = told(CONF_016, dial_out(ALICE), dial_out(BOB, at=2, **open_offer))
    assert "offered secure media to alice@ims.example.org" in result.finding.message
    assert "offered clear media to bob@ims.example.org" in result.finding.message
    assert told(CONF_016, dial_out(ALICE), dial_out(BOB, at=2)).rows == [("pass", "", 1)]


def test_an_open_profile_is_said(told) -> None:
    open_offer = {"offer": clear(ALICE), "answer": answer_of(ALICE, proto="RTP/AVP")}
    refused = dial_in(BOB, at=2, final=(488, "Not Acceptable Here")), dial_in(CAROL, at=4, final=(488, "No"))
    assert told(CONF_016, dial_in(ALICE, **open_offer), *refused).rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-CONF-018 ---------------------------------------------------------------------------------


def taking(user: User, *, header: str = "Replaces", of: str = "alice", **more: object) -> list[build.Packet]:
    """An INVITE that names the dialog of a participant."""
    line = f"{header}: in-{of}-1@test;to-tag=focus-{of}1;from-tag={of}1"
    return dial_in(user, **{"at": 20, "call": 2, "headers": (line, asserted(user)), **more})


def test_somebody_takes_a_participant_s_place(told) -> None:
    result = told(CONF_018, dial_in(ALICE, duration=21), taking(MALLORY))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "strong", "call-2")
    assert "mallory@ims.example.org takes the place of alice@ims.example.org" in finding.message
    assert result.frames() == [5, 1, 7]


def test_somebody_joins_a_participant_s_dialog(told) -> None:
    finding = told(CONF_018, dial_in(ALICE), taking(MALLORY, header="Join")).finding
    assert "listens in on alice@ims.example.org" in finding.message


def test_the_same_user_on_another_device(told) -> None:
    """The catalogue's near miss, with fresh keys."""
    keys = {"offer": offer_of(OTHER_PHONE, key="fresh")}
    assert told(CONF_018, dial_in(ALICE, duration=21), taking(OTHER_PHONE, **keys)).rows == [("pass", "", 1)]


def test_what_is_refused_or_authorised(told) -> None:
    refused = taking(MALLORY, final=(403, "Forbidden"))
    assert told(CONF_018, dial_in(ALICE), refused).rows == []
    parts = dial_in(ALICE, duration=21), taking(BOB)
    assert told(CONF_018, *parts, policy=allowing("bob@ims.example.org")).rows == [("pass", "", 1)]
    finding = told(CONF_018, *parts, policy=allowing("carol@ims.example.org")).finding
    assert "not in the authorised set of the policy" in finding.message


def test_a_transfer_that_the_participant_asked_for(told) -> None:
    """REFER to the new party with Replaces in Refer-To (RFC 5589)."""
    talk = build.Dialog(ALICE.address, BOB.address, "transfer@test", ALICE.uri, BOB.uri)
    to = "sip:conf1@ims.example.org?Replaces=in-alice-1%40test%3Bto-tag%3Dfocus-alice1%3Bfrom-tag%3Dalice1"
    transfer = build.carry(talk, [(15.0, talk.request("REFER", headers=(f"Refer-To: <{to}>", asserted(ALICE))), True)])
    assert told(CONF_018, dial_in(ALICE, duration=21), transfer, taking(BOB)).rows == [("pass", "", 1)]


def test_who_can_not_be_known(told) -> None:
    line = "Replaces: in-alice-1@test;to-tag=focus-alice1;from-tag=alice1"
    parts = dial_in(ALICE, duration=21), taking(MALLORY, headers=(line,))
    assert told(CONF_018, *parts).rows == [("not-assessed", "N-CORE", 1)]
    assert told(CONF_018, taking(MALLORY)).rows == [("not-assessed", "T-MID", 1)]


def test_a_call_of_two_users_that_becomes_part_of_the_conference(told) -> None:
    """The dialog that Replaces names is theirs, not one with the focus."""
    talk = build.Dialog(BOB.address, CAROL.address, "two@test", BOB.uri, CAROL.uri, "bob1", "focus-bob1")
    two = build.call(offer_of(BOB), offer_of(CAROL), dialog=talk, duration=25)
    line = "Replaces: two@test;to-tag=focus-bob1;from-tag=bob1"
    assert told(CONF_018, two, dial_in(ALICE), taking(MALLORY, headers=(line, asserted(MALLORY)))).rows == []
    assert told(CONF_018, two, dial_in(ALICE), dial_out(CAROL, at=20, headers=(line,))).rows == []


def test_tickets_are_exchanged_anew(told) -> None:
    first = dial_in(ALICE, duration=21, **ticketed(ALICE))
    assert told(CONF_018, first, taking(OTHER_PHONE, **ticketed(OTHER_PHONE))).rows == [("pass", "", 1)]
    finding = told(CONF_018, first, taking(OTHER_PHONE), profile="g3").finding
    assert "no ticket was exchanged for it" in finding.message


def test_an_open_profile_is_said_of_a_takeover(told) -> None:
    bodies = {"offer": clear(ALICE), "answer": answer_of(ALICE, proto="RTP/AVP")}
    parts = dial_in(ALICE, duration=21, **bodies), taking(MALLORY, **bodies)
    assert told(CONF_018, *parts).rows == [("not-assessed", "IMS-PROF-005", 1)]
