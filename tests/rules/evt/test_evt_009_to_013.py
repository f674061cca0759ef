"""IMS-EVT-009 to 013: NOTIFYs of no subscription, privacy, unequal protection, keys of unknown origin, versions."""

from __future__ import annotations

from typing import Any

import pytest

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests import conference_kit as kit
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    FOCUS,
    PROXY,
    Notify,
    dial_in,
    dial_out,
    document,
    roster_user,
    subscribe,
)
from tests.rules.evt.conftest import in_esp, in_esp_null, members, sealed, smime, state

EVT_009, EVT_010, EVT_011 = "IMS-EVT-009", "IMS-EVT-010", "IMS-EVT-011"
EVT_012, EVT_013 = "IMS-EVT-012", "IMS-EVT-013"
ANONYMOUS = "sip:anonymous1@anonymous.invalid"


# --- 009 ------------------------------------------------------------------------------------------


def registered(user: kit.User = ALICE) -> list[build.Packet]:
    """The user registers at its proxy."""
    talk = build.Dialog(user.address, PROXY, f"reg-{user.name}@test", user.uri, user.uri, "r", "s")
    return build.carry(talk, [
        (-10.0, talk.request("REGISTER", uri="sip:ims.example.org"), True),
        (-9.9, talk.response(200, "OK", method="REGISTER"), False),
    ])  # fmt: skip


def unasked(*notifications: Notify, **more: Any) -> list[build.Packet]:
    """Notifications to Alice's device, of a dialog that nobody opened."""
    ends = {"source": ALICE.address, "focus": PROXY, "requested": False}
    return subscribe(ALICE, *(notifications or (state(),)), **ends, **more)


def test_009_a_notify_that_nobody_asked_for_is_found_where_the_registration_was_seen(told):
    result = told(EVT_009, registered(), unasked())
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.LOW, "strong")
    assert finding.evidence[0].observed == "answered with 200"
    assert "from 203.0.113.1:5060" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_009_a_refusal_passes(told):
    assert told(EVT_009, registered(), unasked(state(status=481))).rows == [("pass", "", 1)]


def test_009_without_the_registration_the_subscribe_may_be_missing(told):
    assert told(EVT_009, unasked()).rows == [("not-assessed", "T-MID", 1)]
    assert told(EVT_009, registered(BOB), unasked()).rows == [("not-assessed", "T-MID", 1)]


def test_009_without_an_answer_it_is_not_assessed(told):
    assert told(EVT_009, registered(), unasked(state(status=0))).rows == [("not-assessed", "N-OA", 1)]


def test_009_a_subscription_is_no_object(told):
    assert told(EVT_009, registered(), subscribe(ALICE, state())).rows == []


def test_009_another_branch_of_a_forked_subscribe_is_no_object(told):
    packets = subscribe(ALICE, state(1))
    forked = [
        (at + 0.1, data.replace(b"tag=notifier-alice1", b"tag=notifier-other1").replace(b"CSeq: 2", b"CSeq: 7"))
        for at, data in packets[2:]
    ]
    assert told(EVT_009, registered(), packets, forked).rows == []


def test_009_sealed_signalling_may_hold_the_subscribe(told):
    result = told(EVT_009, registered(), unasked(), in_esp(subscribe(BOB, state())))
    assert ("not-assessed", "T-MID", 1) in result.rows


# --- 010 ------------------------------------------------------------------------------------------


def private(user: kit.User = ALICE, *, value: str = "id", display: str = "", **more: Any) -> list[build.Packet]:
    """A user who dials in and asks for privacy."""
    packets = dial_in(user, headers=(kit.asserted(user), f"Privacy: {value}"), **{"duration": None, **more})
    if display:
        packets = [(at, data.replace(b"From: <sip:", b'From: "%s" <sip:' % display.encode())) for at, data in packets]
    return packets


@pytest.mark.parametrize("value", ["id", "user;id", "header"])
def test_010_a_roster_that_names_a_private_participant_is_a_violation(told, value):
    result = told(EVT_010, private(value=value), dial_in(BOB, at=1), subscribe(BOB, state(), at=3))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert (finding.subject.kind, finding.subject.id) == ("participant", "alice@ims.example.org")
    assert finding.evidence[0].field == "Privacy"
    assert finding.evidence[1].field == "conference-info user entity"
    for word in ("Privacy: ", "user entity alice@ims.example.org", "an anonymous URI in its place"):
        assert word in finding.message
    assert result.rows == [("violation", "", 1)]


def test_010_an_anonymous_entry_passes(told):
    roster = document(roster_user(ANONYMOUS), BOB)
    result = told(EVT_010, private(), dial_in(BOB, at=1), subscribe(BOB, state(0.5, roster), at=3))
    assert result.rows == [("pass", "", 1)]


def test_010_the_contact_and_the_display_name_are_identities_too(told):
    contact = document(roster_user(ANONYMOUS, endpoint="sip:alice@192.0.2.10:5060"), BOB)
    invite = [(at, data.replace(b"Contact: <sip:192", b"Contact: <sip:alice@192")) for at, data in private()]
    result = told(EVT_010, invite, dial_in(BOB, at=1), subscribe(BOB, state(0.5, contact), at=3))
    assert result.finding.evidence[1].field == "conference-info endpoint entity"
    named = document(roster_user(ANONYMOUS, display="Alice Smith"), BOB)
    packets = private(display="Alice Smith"), dial_in(BOB, at=1), subscribe(BOB, state(0.5, named), at=3)
    assert told(EVT_010, *packets).finding.evidence[1].field == "conference-info display-text"


def test_010_the_display_name_of_another_user_is_no_disclosure(told):
    named = document(roster_user(ANONYMOUS), roster_user(BOB.uri, display="Phone"))
    packets = private(display="Phone"), dial_in(BOB, at=1), subscribe(BOB, state(0.5, named), at=3)
    assert told(EVT_010, *packets).rows == [("pass", "", 1)]


def test_010_the_own_roster_may_name_oneself(told):
    assert told(EVT_010, private(), dial_in(BOB, at=1), subscribe(ALICE, state(), at=3)).rows == []


def test_010_who_is_dialled_out_to_may_ask_too(told):
    called = dial_out(ALICE, answer_headers=(kit.asserted(ALICE), "Privacy: id"), duration=None)
    assert told(EVT_010, called, dial_in(BOB, at=1), subscribe(BOB, state(), at=3)).rows == [("violation", "", 1)]


def test_010_who_takes_part_openly_as_well_hides_nothing(told):
    packets = private(), dial_in(ALICE, at=0.2, call=2, duration=None), dial_in(BOB, at=1)
    assert told(EVT_010, *packets, subscribe(BOB, state(), at=3)).rows == [("pass", "", 1)]


def test_010_a_roster_after_the_participant_left_is_no_object(told):
    packets = private(duration=10), dial_in(BOB, at=1), subscribe(BOB, state(), at=30)
    assert told(EVT_010, *packets).rows == []


def test_010_privacy_none_asks_for_nothing(told):
    assert told(EVT_010, private(value="none"), dial_in(BOB, at=1), subscribe(BOB, state(), at=3)).rows == []


def test_010_sealed_documents_are_not_assessed(told):
    packets = private(), dial_in(BOB, at=1), subscribe(BOB, smime(), at=3)
    assert told(EVT_010, *packets).rows == [("not-assessed", "N-KEY", 1)]


def test_010_sealed_documents_that_a_key_opens_are_read(told, event_key):
    packets = private(), dial_in(BOB, at=1), subscribe(BOB, smime(), at=3)
    assert told(EVT_010, *packets, keys=event_key).rows == [("violation", "", 1)]


def test_010_what_moderators_see_is_policy(told):
    chair = roster_user(BOB.uri).replace("<endpoint", "<roles><entry>chair</entry></roles><endpoint", 1)
    packets = private(), dial_in(BOB, at=1), subscribe(BOB, state(0.5, document(ALICE, chair)), at=3)
    assert told(EVT_010, *packets).rows == [("not-assessed", "T-POL", 1)]


# --- 011 ------------------------------------------------------------------------------------------


def test_011_s_mime_for_one_and_clear_for_another_is_a_violation(told):
    result = told(EVT_011, members(), subscribe(ALICE, smime(), at=3), subscribe(BOB, state(), at=4))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert (finding.subject.kind, finding.subject.id) == ("conference", "conference-1")
    assert [each.observed for each in finding.evidence] == ["S/MIME", "no S/MIME"]
    for word in ("S/MIME for alice@ims.example.org", "no S/MIME for bob@ims.example.org", "weakest copy"):
        assert word in finding.message
    assert finding.follows_from
    assert result.rows == [("violation", "", 1)]


def test_011_at_one_time_sealed_and_at_another_clear_is_a_violation(told):
    result = told(EVT_011, members(), subscribe(ALICE, smime(1), state(9), at=3), profile="g3")
    assert result.rows == [("violation", "", 1)]


def test_011_all_sealed_and_an_empty_last_one_passes(told):
    last = Notify(9, state="terminated;reason=noresource")
    packets = members(), subscribe(ALICE, smime(), last, at=3), subscribe(BOB, smime(), last, at=4)
    assert told(EVT_011, *packets).rows == [("pass", "", 1)]


def test_011_esp_for_one_and_clear_for_another_of_one_node_is_a_violation(told):
    result = told(EVT_011, members(), in_esp_null(subscribe(ALICE, state(), at=3)), subscribe(BOB, state(), at=4))
    assert [each.observed for each in result.finding.evidence] == [
        "a hop with integrity only", "a hop without protection",
    ]  # fmt: skip


def test_011_hops_that_begin_at_different_nodes_are_not_compared(told, esp_key):
    outer = in_esp(subscribe(ALICE, state(0.51), source=ALICE.address, focus=PROXY, at=3))
    inner = subscribe(ALICE, state(0.5), at=3), subscribe(BOB, state(), at=4)
    assert told(EVT_011, members(), outer, *inner, keys=esp_key).rows == [("pass", "", 1)]


def test_011_one_notification_is_nothing_to_compare(told):
    assert told(EVT_011, members(), subscribe(ALICE, state(), at=3)).rows == []


def test_011_where_the_profile_is_open_it_is_not_assessed(told):
    result = told(EVT_011, subscribe(ALICE, state()), subscribe(BOB, state(), at=1))
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- 012 ------------------------------------------------------------------------------------------

NUMBERED = Policy(thresholds=Thresholds(mikey_prot_type_tls=7, mikey_prot_type_psk_smime=8))


def keyed(*sessions: Any) -> list[build.Packet]:
    """Alice dials in with MIKEY-TICKET, with these crypto sessions behind those of SRTP."""
    focus = kit.CONFERENCE.encode()
    ticket = mikey.Ticket(initiator=ALICE.uri.encode(), recipients=(focus,))
    transfer = mikey.init(
        csb_id=7, initiator=ALICE.uri.encode(), responder=focus, ticket=ticket,
        sessions=[*mikey.for_lines("srtp"), *sessions],
    )  # fmt: skip
    reply = mikey.resp(csb_id=7, responder=focus)
    return dial_in(
        ALICE, duration=None,
        offer=mikey.described((ALICE.address[0], 4000), transfer.attribute(), proto="RTP/SAVP"),
        answer=mikey.described((kit.FOCUS_MEDIA, 20_000), reply.attribute(), proto="RTP/SAVP"),
    )  # fmt: skip


def test_012_an_exchange_without_a_session_for_s_mime_is_a_violation(told):
    result = told(EVT_012, keyed(), subscribe(ALICE, smime(), at=3), policy=NUMBERED)
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.LOW, "proven")
    assert next((each.field, each.observed, each.expected) for each in finding.evidence) == (
        "MIKEY Prot types",
        "0",
        "8",
    )
    assert "Prot types 0 only" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_012_a_session_for_s_mime_passes(told):
    session = mikey.tls_session(3, prot_type=8)
    assert told(EVT_012, keyed(session), subscribe(ALICE, smime(), at=3), policy=NUMBERED).rows == [("pass", "", 1)]


def test_012_without_a_number_it_is_not_assessed(told):
    assert told(EVT_012, keyed(), subscribe(ALICE, smime(), at=3)).rows == [("not-assessed", "N-PROT", 1)]


def test_012_a_separate_exchange_in_the_subscribe_is_not_assessed(told):
    asked = [
        (at, build.udp(PROXY, FOCUS, data[42:].replace(b"Content-Length: 0\r\n\r\n",
         b"Content-Type: application/mikey\r\nContent-Length: 4\r\n\r\nabcd")) if b"SUBSCRIBE sip" in data else data)
        for at, data in subscribe(ALICE, smime(), at=3)
    ]  # fmt: skip
    assert told(EVT_012, keyed(), asked, policy=NUMBERED).rows == [("not-assessed", "N-PROT", 1)]


def test_012_without_the_exchange_it_is_not_assessed(told):
    result = told(EVT_012, members(), subscribe(ALICE, smime(), at=3), policy=NUMBERED, profile="g3")
    assert result.rows == [("not-assessed", "N-OA", 1)]


def test_012_clear_events_are_no_object(told):
    assert told(EVT_012, keyed(), subscribe(ALICE, state(), at=3), policy=NUMBERED).rows == []


# --- 013 ------------------------------------------------------------------------------------------


def test_013_a_falling_version_is_a_violation(told):
    result = told(
        EVT_013, subscribe(ALICE, state(1, document(ALICE, BOB, version=5)), state(2, document(ALICE, version=3)))
    )
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert [each.observed for each in finding.evidence] == ["5", "3"]
    assert "version 3 in frame" in finding.message
    assert finding.title == "Conference document version falling"
    assert result.rows == [("violation", "", 1)]


def test_013_a_version_repeated_with_other_content_is_a_violation(told):
    result = told(EVT_013, subscribe(ALICE, state(1), state(2, document(ALICE)), state(3, document(BOB))))
    assert result.finding.title == "Conference document version repeated with other content"
    assert "1 more" in result.finding.message


def test_013_versions_that_count_up_pass(told):
    documents = [state(number, document(ALICE, version=number)) for number in range(1, 5)]
    assert told(EVT_013, subscribe(ALICE, *documents)).rows == [("pass", "", 1)]


def test_013_a_refresh_with_the_same_content_passes(told):
    assert told(EVT_013, subscribe(ALICE, state(1), state(2))).rows == [("pass", "", 1)]


def test_013_a_retransmission_passes(told):
    packets = subscribe(ALICE, state(1, document(ALICE, version=5)), state(2, document(ALICE, BOB, version=6)))
    again = [(at + 3, data) for at, data in packets if b"NOTIFY sip" in data][:1]
    assert told(EVT_013, packets, again).rows == [("pass", "", 1)]


def test_013_a_notify_that_was_overtaken_passes(told):
    first, second, third = (state(number, document(ALICE, version=number)) for number in (1, 2, 3))
    packets = subscribe(ALICE, first, second, third)
    swapped = [(at + 1.5 if b"CSeq: 3 NOTIFY" in data else at, data) for at, data in packets]
    assert told(EVT_013, swapped).rows == [("pass", "", 1)]


def test_013_a_new_subscription_counts_by_itself(told):
    old = subscribe(ALICE, state(1, document(ALICE, version=9)), state(2, document(BOB, version=10)))
    new = subscribe(ALICE, state(1), state(2, document(BOB, version=2)), at=60, call=2)
    assert told(EVT_013, old, new).rows == [("pass", "", 2)]


def test_013_sealed_documents_are_not_assessed(told, event_key):
    packets = subscribe(ALICE, smime(1, sealed(document(ALICE, version=5))), smime(2, sealed(document(BOB, version=3))))
    assert told(EVT_013, packets).rows == [("not-assessed", "N-KEY", 1)]
    assert told(EVT_013, packets, keys=event_key).rows == [("violation", "", 1)]


def test_013_one_document_is_nothing_to_compare(told):
    assert told(EVT_013, subscribe(ALICE, state(), at=3), subscribe(CAROL, state(), at=4)).rows == []
