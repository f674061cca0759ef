"""IMS-EVT-006 to 008: who is told the state of a conference."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB, CAROL, FOCUS, MALLORY, Notify, dial_in, document, roster_user, subscribe
from tests.rules.evt.conftest import allowing, in_esp, members, smime, state

EVT_006, EVT_007, EVT_008 = "IMS-EVT-006", "IMS-EVT-007", "IMS-EVT-008"
REFUSING = Notify(0.2, state="terminated;reason=rejected")


# --- 006: who is no participant -------------------------------------------------------------------


def test_006_state_for_an_outsider_is_a_violation(told):
    result = told(EVT_006, members(), subscribe(MALLORY, state(), at=30))
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.MEDIUM, "strong", "violation")
    assert finding.subject.id == "conference-1/subscription-1"
    assert [each.field for each in finding.evidence] == ["SUBSCRIBE from", "SIP status", "NOTIFY with conference-info"]
    assert [each.observed for each in finding.evidence] == ["mallory@ims.example.org", "200", "2 users readable"]
    for word in ("mallory@ims.example.org", "the dialogs with the focus", "An outsider learns", "Not seen: any dialog"):
        assert word in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(("profile", "severity"), [("g3", "HIGH"), ("tr-sdes", "HIGH"), ("g2", "MEDIUM")])
def test_006_where_the_check_is_demanded_it_is_high(told, profile, severity):
    result = told(EVT_006, members(), subscribe(MALLORY, state(), at=30), profile=profile)
    assert result.finding.severity is Severity[severity]


def test_006_a_refusal_by_notify_passes(told):
    refused = subscribe(MALLORY, REFUSING, at=30, final=(202, "Accepted"))
    assert told(EVT_006, members(), refused).rows == [("pass", "", 1)]


def test_006_a_refusal_by_status_passes(told):
    assert told(EVT_006, members(), subscribe(MALLORY, at=30, final=(403, "Forbidden"))).rows == [("pass", "", 1)]


def test_006_a_participant_passes(told):
    assert told(EVT_006, members(), subscribe(BOB, state(), at=30)).rows == [("pass", "", 1)]


def test_006_a_subscription_just_before_the_own_invite_passes(told):
    early = subscribe(CAROL, state(), at=0.5), dial_in(CAROL, at=8)
    assert told(EVT_006, members(), *early).rows == [("pass", "", 1)]
    late = subscribe(CAROL, state(), at=0.5), dial_in(CAROL, at=20)
    assert told(EVT_006, members(), *late).rows == [("violation", "", 1)]


def test_006_a_refused_invite_makes_no_participant(told):
    refused = dial_in(MALLORY, at=10, final=(403, "Forbidden"))
    assert told(EVT_006, members(), refused, subscribe(MALLORY, state(), at=30)).rows == [("violation", "", 1)]


def test_006_the_creator_passes_before_joining(told):
    creation = dial_in(CAROL, conference=kit.FACTORY, focus_contact=kit.CONFERENCE, final=(302, "Moved"))
    packets = creation, dial_in(ALICE, at=1), dial_in(BOB, at=2), subscribe(CAROL, state(), at=30)
    assert told(EVT_006, *packets).rows == [("pass", "", 1)]


def test_006_a_participant_who_left_and_ends_the_subscription_passes(told):
    left = dial_in(CAROL, at=1, duration=10)
    ending = subscribe(CAROL, state(0.5, document(ALICE, BOB), state="terminated;reason=timeout"), at=30, expires=0)
    assert told(EVT_006, members(), left, ending).rows == [("pass", "", 1)]


def test_006_an_application_server_of_the_policy_passes(told):
    recorder = kit.User("recorder-7", ("192.0.2.77", 5060))
    policy = allowing("alice@ims.example.org", "bob@ims.example.org", "recorder-*@ims.example.org")
    assert told(EVT_006, members(), subscribe(recorder, state(), at=30), policy=policy).rows == [("pass", "", 1)]


def test_006_the_policy_decides_without_dialogs_at_the_focus(told):
    policy = allowing("alice@ims.example.org", profile="g3")
    result = told(EVT_006, subscribe(MALLORY, state(), at=30), policy=policy)
    assert result.finding.severity is Severity.HIGH
    assert "the authorised set of the policy" in result.finding.message


def test_006_aliases_of_the_policy_are_one_user(told):
    policy = Policy(aliases={"mallory@ims.example.org": "bob@ims.example.org"})
    assert told(EVT_006, members(), subscribe(MALLORY, state(), at=30), policy=policy).rows == [("pass", "", 1)]


def test_006_sealed_state_is_a_suspicion(told):
    result = told(EVT_006, members(), subscribe(MALLORY, smime(), at=30), profile="g3")
    assert (result.finding.verdict, result.finding.severity) == ("suspect", Severity.MEDIUM)
    assert "that it holds state was not seen" in result.finding.message


def test_006_state_without_users_passes(told):
    assert told(EVT_006, members(), subscribe(MALLORY, Notify(0.5, document()), at=30)).rows == [("pass", "", 1)]


def test_006_where_the_roster_is_unknown_it_is_not_assessed(told):
    unknown = [("not-assessed", "N-ROST", 1)]
    outsider = subscribe(MALLORY, state(), at=30)
    assert told(EVT_006, outsider, profile="g2").rows == unknown  # no dialog with the focus at all
    user_side = dial_in(ALICE, via=(), source=ALICE.address, headers=())
    bare = subscribe(MALLORY, state(), at=30, via=(), headers=(), source=MALLORY.address)
    assert told(EVT_006, user_side, bare).rows == unknown  # the side of the user
    named = subscribe(MALLORY, state(0.5, document(ALICE, MALLORY)), at=30)
    assert told(EVT_006, members(), named).rows == unknown  # the focus has a dialog that we have not
    other = subscribe(MALLORY, state(0.5, document(ALICE, BOB, CAROL)), at=30)
    assert told(EVT_006, members(), other).rows == unknown  # of another user, likewise
    nobody = subscribe(MALLORY, state(), at=30, from_uri="sip:anonymous@anonymous.invalid", headers=())
    assert told(EVT_006, members(), nobody).rows == unknown


def test_006_a_capture_that_begins_inside_the_conference_is_not_assessed(told):
    talk = build.Dialog(kit.PROXY, FOCUS, "mid@test", CAROL.uri, kit.CONFERENCE, "c", "f")
    renewed = kit.as_contact(talk.response(200, "OK", kit.answer_of(CAROL)), kit.contact())
    again = [(0.0, talk.request("INVITE", kit.offer_of(CAROL), in_dialog=True), True)]
    packets = build.carry(talk, again) + build.carry(talk, [(0.5, renewed.replace(b"CSeq: 1 ", b"CSeq: 2 "), False)])
    result = told(EVT_006, members(), packets, subscribe(MALLORY, state(), at=30))
    assert ("not-assessed", "N-ROST", 1) in result.rows


def test_006_signalling_that_could_not_be_read_is_a_gap(told):
    result = told(EVT_006, members(), in_esp(dial_in(CAROL)), subscribe(MALLORY, state(), at=30))
    assert {row[:2] for row in result.rows} == {("not-assessed", "N-ROST"), ("not-assessed", "N-SIP")}


def test_006_where_the_profile_is_open_it_is_not_assessed(told):
    clear = [
        dial_in(user, at=number, offer=kit.offer_of(user, proto="RTP/AVP"), answer=kit.answer_of(user, proto="RTP/AVP"))
        for number, user in enumerate((ALICE, BOB))
    ]
    assert told(EVT_006, *clear, subscribe(MALLORY, state(), at=30)).rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- 007: who is not authenticated ----------------------------------------------------------------


def test_007_a_subscription_without_authentication_is_a_violation(told):
    result = told(EVT_007, members(), subscribe(BOB, state(), at=30, headers=()))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.HIGH, "proven")
    assert [each.observed for each in finding.evidence] == ["no authentication", "200", "conference state"]
    assert "claims to be from bob@ims.example.org" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_007_an_asserted_identity_passes(told):
    assert told(EVT_007, members(), subscribe(BOB, state(), at=30)).rows == [("pass", "", 1)]


def test_007_a_challenge_that_is_answered_passes(told):
    asked = subscribe(BOB, at=30, headers=(), final=(401, "Unauthorized"))
    again = subscribe(BOB, state(), at=31, headers=('Authorization: Digest username="bob"',))
    again = [(at, data.replace(b"CSeq: 1 S", b"CSeq: 2 S").replace(b"CSeq: 2 N", b"CSeq: 3 N")) for at, data in again]
    assert told(EVT_007, members(), asked, again).rows == [("pass", "", 1)]


@pytest.mark.parametrize("header", ["Identity: eyJ.x.y;info=<https://c>", "Proxy-Authorization: Digest username=b"])
def test_007_other_proofs_pass(told, header):
    assert told(EVT_007, members(), subscribe(BOB, state(), at=30, headers=(header,))).rows == [("pass", "", 1)]


def test_007_on_the_users_side_it_is_not_assessed(told):
    bare = subscribe(ALICE, state(), at=30, headers=(), via=(), source=ALICE.address)
    user_side = dial_in(ALICE, headers=(), via=(), source=ALICE.address)
    assert told(EVT_007, user_side, bare).rows == [("not-assessed", "N-CORE", 1)]


def test_007_a_node_that_the_policy_names_passes(told):
    server = kit.User("server", ("203.0.113.40", 5060))
    own = subscribe(server, state(), at=30, headers=(), via=(), source=server.address)
    policy = Policy(nodes={"focus": (ip_network("203.0.113.40/32"),)})
    assert told(EVT_007, members(), own, policy=policy).rows == [("pass", "", 1)]
    assert told(EVT_007, members(), own).rows == [("violation", "", 1)]


def test_007_a_subscription_inside_the_dialog_of_the_invite_passes(told):
    joined = dial_in(ALICE, duration=None)
    talk = build.Dialog(
        kit.PROXY, FOCUS, "in-alice-1@test", ALICE.uri, kit.CONFERENCE, "alice1", "focus-alice1",
        via=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx",),
    )  # fmt: skip
    talk.cseq, talk.branch = 20, 20
    asked = talk.request("SUBSCRIBE", in_dialog=True, headers=("Event: conference", "Expires: 60"))
    script = [(5.0, asked, True), (5.1, talk.response(200, "OK", method="SUBSCRIBE"), False)]
    said = ("Event: conference", "Subscription-State: active")
    script.append((5.2, talk.request("NOTIFY", document(ALICE), in_dialog=True, from_callee=True, headers=said,
                                     content_type=kit.DOCUMENT), False))  # fmt: skip
    assert told(EVT_007, joined, build.carry(talk, script)).rows == [("pass", "", 1)]


def test_007_without_state_there_is_no_object(told):
    assert told(EVT_007, members(), subscribe(BOB, REFUSING, at=30, headers=())).rows == []


# --- 008: who left --------------------------------------------------------------------------------


def leaving(*notifications: Notify, user: kit.User = BOB, duration: float = 20) -> list[list[build.Packet]]:
    """Alice stays, Bob is there from 5 to 5 + duration, and subscribes at 6."""
    return [members(ALICE), dial_in(user, at=5, duration=duration), subscribe(user, *notifications, at=6)]


def test_008_state_long_after_leaving_is_a_violation(told):
    result = told(EVT_008, *leaving(state(1), state(300, document(ALICE, version=2))))
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.MEDIUM, "strong", "violation")
    assert [each.field for each in finding.evidence] == ["BYE", "NOTIFY"]
    assert "up to 280 seconds later" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_008_state_just_after_leaving_passes(told):
    assert told(EVT_008, *leaving(state(1), state(40, document(ALICE, version=2)))).rows == [("pass", "", 1)]


def test_008_the_end_of_the_subscription_passes(told):
    ending = Notify(300, document(ALICE, version=2), state="terminated;reason=noresource")
    assert told(EVT_008, *leaving(state(1), ending)).rows == [("pass", "", 1)]


def test_008_the_threshold_is_the_users(told):
    policy = Policy(thresholds=Thresholds(conf_notify_after_leave=400_000_000_000))
    packets = leaving(state(1), state(300, document(ALICE, version=2)))
    assert told(EVT_008, *packets, policy=policy).rows == [("pass", "", 1)]


def test_008_another_device_that_stays_passes(told):
    second = dial_in(BOB, at=7, duration=None, call=2)
    packets = leaving(state(1), state(300, document(ALICE, version=2)))
    assert told(EVT_008, *packets, second).rows == [("pass", "", 1)]


def test_008_who_came_back_passes_and_is_found_before_that(told):
    back = dial_in(BOB, at=200, duration=None, call=2)
    packets = leaving(state(1), state(300, document(ALICE, version=2)))
    assert told(EVT_008, *packets, back).rows == [("pass", "", 1)]
    packets = leaving(state(1), state(100, document(ALICE, version=2)))
    assert told(EVT_008, *packets, back).rows == [("violation", "", 1)]


@pytest.mark.parametrize("reason", ["policy", "roster", "moderator", "creator"])
def test_008_who_may_be_meant_to_watch_is_not_assessed(told, reason):
    last, policy = document(ALICE, version=2), Policy()
    first = document(ALICE, BOB)
    packets = []
    if reason == "policy":
        policy = allowing("bob@ims.example.org")
    elif reason == "roster":
        last = document(ALICE, BOB, version=2)
    elif reason == "moderator":
        role = roster_user(BOB.uri).replace("<endpoint", "<roles><entry>moderator</entry></roles><endpoint", 1)
        first = document(ALICE, role)
    else:
        packets = [dial_in(BOB, conference=kit.FACTORY, focus_contact=kit.CONFERENCE, final=(302, "Moved"), call=9)]
    packets += leaving(state(1, first), state(300, last))
    assert told(EVT_008, *packets, policy=policy).rows == [("not-assessed", "N-ROST", 1)]


def test_008_sealed_state_is_a_suspicion(told):
    result = told(EVT_008, *leaving(smime(1), smime(300)), profile="g3")
    assert (result.finding.verdict, result.finding.severity) == ("suspect", Severity.LOW)


def test_008_who_never_was_a_participant_is_no_object(told):
    assert told(EVT_008, members(), subscribe(MALLORY, state(1), at=6)).rows == []
