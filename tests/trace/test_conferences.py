"""Conferences from capture bytes: their focus, who took part and when, who was told, who was referred."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from dissectors.confinfo import merge
from imsinspect.report.json import to_json
from imsinspect.trace.conference_documents import follow_roster
from tests import build
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB, CAROL, MALLORY, Notify, dial_in, dial_out, document, refer, subscribe

if TYPE_CHECKING:
    from imsinspect.trace.conference_model import Conference, Participant


def found(*parts: list[build.Packet]) -> list[Conference]:
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)))
    return audit.trace.conferences


def only(*parts: list[build.Packet]) -> Conference:
    (conference,) = found(*parts)
    return conference


def who(conference: Conference, name: str) -> Participant:
    return next(each for each in conference.participants if each.identity.startswith(name))


def seconds(moment: int | None) -> float | None:
    return None if moment is None else round(moment / 1e9 - build.START, 3)


# --- what a conference is -------------------------------------------------------------------------


def test_a_plain_call_is_no_conference() -> None:
    assert found(build.call(kit.offer_of(ALICE), kit.answer_of(ALICE))) == []


def test_isfocus_in_another_header_is_no_focus() -> None:
    assert found(dial_in(ALICE, isfocus=False, headers=("Accept-Contact: *;isfocus",))) == []


def test_a_refused_subscription_at_a_user_makes_no_conference_of_calls_to_that_user() -> None:
    call = build.call(kit.offer_of(ALICE), kit.answer_of(ALICE))
    refused = subscribe(ALICE, conference="sip:bob@example.org", final=(489, "Bad Event"), at=20)
    assert found(call, refused) == []


def test_two_users_dial_in_one_leaves_and_the_other_stays() -> None:
    conference = only(dial_in(ALICE, duration=None), dial_in(BOB, at=5, duration=30))
    assert (conference.id, conference.uri, conference.focus) == (
        "conference-1", "conf1@ims.example.org", "sip:conf1@ims.example.org",
    )  # fmt: skip
    assert conference.because == ("Contact with isfocus",)
    assert conference.factory == b""
    assert conference.creation is None
    assert [each.identity for each in conference.participants] == ["alice@ims.example.org", "bob@ims.example.org"]
    (alice,), (bob,) = (each.legs for each in conference.participants)
    assert (seconds(alice.joined), alice.left) == (0.5, None)
    assert (seconds(bob.joined), seconds(bob.left)) == (5.5, 35.01)
    assert not alice.dial_out
    assert alice.accepted
    assert alice.at_focus
    assert bob.left_bye is not None
    assert bob.left_frame == bob.left_bye.frame
    assert conference.focus_hosts == {"203.0.113.9"}


def test_a_leg_knows_its_dialog_with_the_tag_of_the_focus_first() -> None:
    conference = only(dial_in(ALICE), dial_out(BOB, at=1))
    assert who(conference, "alice").legs[0].dialog == (b"in-alice-1@test", b"focus-alice1", b"alice1")
    assert who(conference, "bob").legs[0].dialog == (b"out-bob-1@test", b"focus-bob1", b"bob1")


def test_who_is_dialled_out_to_is_named_by_who_answers() -> None:
    conference = only(dial_in(ALICE), dial_out(BOB, at=1, answered_by=CAROL))
    carol = who(conference, "carol")
    assert carol.legs[0].dial_out
    assert carol.asserted
    assert carol.legs[0].invite.sip.request_uri == b"sip:bob@ims.example.org"


def test_a_refused_user_is_no_participant_in_time() -> None:
    conference = only(dial_in(ALICE), dial_in(MALLORY, at=3, final=(403, "Forbidden")))
    leg = who(conference, "mallory").legs[0]
    assert (leg.accepted, leg.joined, leg.answer is not None and leg.answer.sip.status) == (False, None, 403)


def test_a_request_repeated_after_a_challenge_is_one_leg() -> None:
    challenged = dial_in(ALICE, final=(407, "Proxy Authentication Required"))
    again = [(at + 1, data) for at, data in dial_in(ALICE, duration=10)]
    again = [(at, data.replace(b"CSeq: 1 ", b"CSeq: 2 ")) for at, data in again]
    legs = who(only(challenged, again), "alice").legs
    assert [(leg.accepted, seconds(leg.joined)) for leg in legs] == [(True, 1.5)]


def test_a_factory_names_the_conference_and_its_creator() -> None:
    creation = dial_in(ALICE, conference=kit.FACTORY, focus_contact=kit.CONFERENCE)
    conference = only(creation, dial_in(BOB, at=2))
    assert (conference.uri, conference.factory) == ("conf1@ims.example.org", kit.FACTORY.encode())
    assert conference.creation is not None
    assert conference.creation.sip.request_uri == kit.FACTORY.encode()
    assert [each.is_creator for each in conference.participants] == [True, False]


def test_a_factory_that_redirects_names_the_creator_too() -> None:
    redirected = dial_in(ALICE, conference=kit.FACTORY, focus_contact=kit.CONFERENCE, final=(302, "Moved"))
    conference = only(redirected, dial_in(ALICE, at=1, call=2))
    (alice,) = conference.participants
    assert alice.is_creator
    assert [leg.accepted for leg in alice.legs] == [False, True]


def test_two_conferences_of_one_factory_stay_apart() -> None:
    second = "sip:conf2@ims.example.org"
    one, two = found(
        dial_in(ALICE, conference=kit.FACTORY, focus_contact=kit.CONFERENCE),
        dial_in(BOB, at=1, conference=kit.FACTORY, focus_contact=second),
        dial_in(CAROL, at=2, conference=second),
    )
    assert (one.uri, two.uri) == ("conf1@ims.example.org", "conf2@ims.example.org")
    assert [each.identity for each in two.participants] == ["bob@ims.example.org", "carol@ims.example.org"]


def test_a_contact_that_a_server_gives_for_all_its_rooms_does_not_join_them() -> None:
    server = "sip:mod@203.0.113.9"
    rooms = ("sip:3001@ims.example.org", "sip:3002@ims.example.org")
    one, two = found(
        dial_in(ALICE, conference=rooms[0], focus_contact=server),
        dial_in(BOB, at=1, conference=rooms[1], focus_contact=server),
        dial_in(CAROL, at=2, conference=rooms[1], focus_contact=server),
    )
    assert (one.uri, len(one.participants)) == ("3001@ims.example.org", 1)
    assert (two.uri, len(two.participants)) == ("3002@ims.example.org", 2)


def test_an_alias_that_several_dial_is_no_factory() -> None:
    alias, contact = "sip:team@ims.example.org", "sip:c7@203.0.113.9"
    conference = only(
        dial_in(ALICE, conference=alias, focus_contact=contact),
        dial_in(BOB, at=1, conference=alias, focus_contact=contact),
    )
    assert (conference.uri, conference.factory) == ("team@ims.example.org", b"")
    assert conference.names == {"team@ims.example.org", "c7@203.0.113.9"}


def test_a_contact_by_address_and_a_uri_by_domain_are_one_conference() -> None:
    conference = only(dial_in(ALICE, focus_contact="sip:conf1@203.0.113.9:5060;transport=udp"))
    assert conference.uri == "conf1@ims.example.org"
    assert conference.factory == b""


def test_a_call_to_the_conference_without_isfocus_belongs_to_it() -> None:
    conference = only(dial_in(ALICE), dial_in(BOB, at=1, isfocus=False))
    assert len(conference.participants) == 2


def test_calls_of_a_user_whose_device_became_a_focus_stay_calls() -> None:
    hosted = "sip:alice@ims.example.org"
    talk = build.Dialog(ALICE.address, BOB.address, "host@test", hosted, BOB.uri, "host", "guest")
    script = [
        (0.0, talk.request("INVITE", kit.offer_of(ALICE)), True),
        (0.5, talk.response(200, "OK", kit.offer_of(BOB)), False),
        (0.6, talk.request("ACK"), True),
        (5.0, kit.as_contact(talk.request("INVITE", kit.offer_of(ALICE), in_dialog=True), kit.contact(hosted)), True),
        (5.5, talk.response(200, "OK", kit.offer_of(BOB)), False),
    ]
    other = build.call(
        kit.offer_of(ALICE), kit.offer_of(CAROL),
        dialog=build.Dialog(ALICE.address, CAROL.address, "other@test", hosted, CAROL.uri, "o1", "o2"), at=100,
    )  # fmt: skip
    conference = only(build.carry(talk, script), other)
    assert [each.identity for each in conference.participants] == ["bob@ims.example.org"]


def test_a_capture_that_begins_inside_the_dialog_has_a_leg_from_its_first_message() -> None:
    talk = build.Dialog(kit.PROXY, kit.FOCUS, "mid@test", ALICE.uri, kit.CONFERENCE, "a", "f")
    renewed = talk.request("INVITE", kit.offer_of(ALICE), in_dialog=True)
    answer = kit.as_contact(talk.response(200, "OK", kit.answer_of(ALICE)), kit.contact())
    packets = build.carry(talk, [(0, renewed, True), (0.5, answer, False), (0.6, talk.request("ACK"), True)])
    leg = who(only(packets), "alice").legs[0]
    assert leg.joined_before
    assert leg.accepted
    assert not leg.dial_out
    assert leg.dialog == (b"mid@test", b"f", b"a")


# --- who the participants are ---------------------------------------------------------------------


def test_sip_and_tel_identities_of_one_user_are_one_participant() -> None:
    both = ("P-Asserted-Identity: <sip:alice@ims.example.org>", "P-Asserted-Identity: <tel:+1-555-1234>")
    number = ("P-Asserted-Identity: <sip:+15551234@ims.example.org;user=phone>",)
    conference = only(
        dial_in(ALICE, duration=10, headers=both),
        dial_in(ALICE, at=20, call=2, from_uri="sip:anonymous@anonymous.invalid", headers=number),
    )
    (alice,) = conference.participants
    assert (alice.identity, alice.aliases) == ("alice@ims.example.org", frozenset({"+15551234"}))
    assert [(seconds(leg.joined), seconds(leg.left)) for leg in alice.legs] == [(0.5, 10.01), (20.5, 80.01)]


def test_an_identity_set_of_a_registration_makes_aliases() -> None:
    talk = build.Dialog(ALICE.address, kit.PROXY, "reg@test", ALICE.uri, ALICE.uri, "r", "s")
    associated = ("P-Associated-URI: <sip:alice@ims.example.org>, <sip:a.smith@ims.example.org>",)
    registration = build.carry(talk, [
        (0.0, talk.request("REGISTER", uri="sip:ims.example.org"), True),
        (0.1, talk.response(200, "OK", method="REGISTER", headers=associated), False),
    ])  # fmt: skip
    other = kit.User("a.smith", ("192.0.2.11", 5060))
    conference = only(registration, dial_in(ALICE, at=1, duration=5), dial_in(other, at=10))
    (alice,) = conference.participants
    assert (alice.identity, alice.aliases) == ("alice@ims.example.org", frozenset({"a.smith@ims.example.org"}))


def test_who_is_not_asserted_is_named_by_from() -> None:
    alice = who(only(dial_in(ALICE, headers=())), "alice")
    assert (alice.identity, alice.asserted, alice.anonymous) == ("alice@ims.example.org", False, False)


def test_anonymous_users_are_told_apart_by_their_dialogs() -> None:
    hidden = "sip:anonymous@anonymous.invalid"
    conference = only(
        dial_in(ALICE, from_uri=hidden, headers=("Privacy: id",)),
        dial_in(BOB, at=1, from_uri=hidden, headers=("Privacy: id",)),
    )
    assert [(each.identity, each.anonymous, each.asserted) for each in conference.participants] == [
        ("anonymous@anonymous.invalid", True, False)
    ] * 2


def test_privacy_beside_an_asserted_identity_hides_it_from_others_alone() -> None:
    conference = only(dial_in(ALICE, headers=(kit.asserted(ALICE), "Privacy: id;critical")))
    alice = who(conference, "alice")
    assert alice.anonymous
    assert alice.asserted
    assert alice.legs[0].privacy == {"id", "critical"}


def test_on_the_users_side_nobody_is_at_the_focus() -> None:
    conference = only(dial_in(ALICE, headers=(), via=(), source=ALICE.address))
    assert not who(conference, "alice").legs[0].at_focus


def test_one_session_behind_a_b2bua_is_one_leg_nearest_to_the_focus() -> None:
    session = ("Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",)
    outer = dial_in(ALICE, via=(), source=ALICE.address, headers=session)
    inner = dial_in(ALICE, at=0.05, call=2, headers=(*session, kit.asserted(ALICE)))
    audit = build.audit_bytes(build.pcap(build.in_time_order(outer, inner)))
    (conference,) = audit.trace.conferences
    (leg,) = who(conference, "alice").legs
    assert (leg.call, leg.also) == ("call-2", ("call-1",))
    assert [call.conference for call in audit.trace.calls] == ["conference-1", "conference-1"]


def test_replaces_names_the_dialog_with_the_tag_of_the_focus_first() -> None:
    header = "Replaces: in-alice-1@test;to-tag=focus-alice1;from-tag=alice1"
    conference = only(dial_in(ALICE), dial_in(BOB, at=5, headers=(kit.asserted(BOB), header)))
    assert who(conference, "bob").legs[0].replaces == who(conference, "alice").legs[0].dialog
    joined = only(dial_in(ALICE, headers=(header.replace("Replaces", "Join"),)))
    assert who(joined, "alice").legs[0].joins


def test_a_mikey_identity_is_taken_from_who_sent_it() -> None:
    identity = b"sip:alice@ims.example.org"
    idr = bytes((0, 1, 1)) + len(identity).to_bytes(2, "big") + identity
    mikey = bytes((1, 14, 14, 0)) + bytes(4) + bytes((0, 0)) + idr
    line = "a=key-mgmt:mikey " + base64.b64encode(mikey).decode()
    offer = build.sdp(ALICE.address[0], build.audio(4000, "RTP/SAVP", line))
    conference = only(dial_in(ALICE, offer=offer, headers=()))
    alice = who(conference, "alice")
    assert (alice.mikey_identity, alice.asserted) == ("alice@ims.example.org", True)


# --- who is told ----------------------------------------------------------------------------------


def test_a_subscription_with_its_notifications() -> None:
    conference = only(
        dial_in(ALICE),
        subscribe(
            ALICE,
            Notify(0.1, document(ALICE, version=1)),
            Notify(5, document(kit.roster_user(BOB.uri, ssrc=0xB0B), version=2, state="partial")),
            Notify(9, document(kit.roster_user(ALICE.uri, state="deleted"), version=3, state="partial"), status=0),
            Notify(12, state="terminated;reason=noresource"),
            at=2,
        ),
    )
    (subscription,) = conference.subscriptions
    assert (subscription.id, subscription.subscriber, subscription.accepted, subscription.expires) == (
        "conference-1/subscription-1", "alice@ims.example.org", True, 600,
    )  # fmt: skip
    assert subscription.authenticated_by == ("p-asserted-identity",)
    assert subscription.dialog == (b"sub-alice-1@test", b"notifier-alice1", b"sub-alice1")
    assert (subscription.at_focus, subscription.in_dialog, seconds(subscription.ended)) == (True, False, 14.0)
    assert [each.status for each in subscription.notifications] == [200, 200, 0, 200]
    assert [each.outcome for each in subscription.notifications] == [merge.APPLIED, merge.APPLIED, merge.APPLIED, ""]
    rosters = [sorted(roster.users) for _, roster in follow_roster(subscription)]
    assert rosters == [[ALICE.uri], [ALICE.uri, BOB.uri], [BOB.uri], [BOB.uri]]
    bob = subscription.notifications[1].document
    assert bob is not None
    assert bob.users[0].endpoints[0].ssrcs == (0xB0B,)


def test_a_refusal_by_the_first_notify_is_no_accepted_subscription() -> None:
    conference = only(
        dial_in(ALICE),
        subscribe(MALLORY, Notify(0.1, state="terminated;reason=rejected"), final=(202, "Accepted"), at=3),
    )
    (subscription,) = conference.subscriptions
    assert not subscription.accepted


def test_a_fetch_gets_state_and_ends() -> None:
    conference = only(subscribe(ALICE, Notify(0.1, document(ALICE), "terminated;reason=timeout"), expires=0))
    (subscription,) = conference.subscriptions
    assert subscription.accepted
    assert subscription.expires == 0
    assert conference.because == ("Event: conference is served", "conference-info document")
    assert conference.participants == []


def test_notifications_without_their_subscription_show_a_conference() -> None:
    conference = only(subscribe(ALICE, Notify(0.1, document(ALICE)), requested=False))
    (subscription,) = conference.subscriptions
    assert (subscription.request, subscription.accepted, subscription.subscriber) == (
        None, False, "alice@ims.example.org",
    )  # fmt: skip


def test_versions_that_repeat_fall_back_or_leave_a_gap() -> None:
    one, two = document(ALICE, version=5), document(ALICE, BOB, version=3)
    conference = only(
        subscribe(
            ALICE,
            Notify(1, one),
            Notify(2, one),
            Notify(3, two),
            Notify(4, document(ALICE, BOB, version=5)),
            Notify(5, document(BOB, version=8, state="partial")),
            Notify(6, document(BOB, CAROL, version=9)),
        )
    )
    (subscription,) = conference.subscriptions
    assert [each.outcome for each in subscription.notifications] == [
        merge.APPLIED, merge.REPEATED, merge.REGRESSED, merge.REGRESSED, merge.GAP, merge.APPLIED,
    ]  # fmt: skip
    first = subscription.notifications[0].message.frame
    assert [each.document_before for each in subscription.notifications] == [None, first, first, first, None, None]
    assert [roster.complete for _, roster in follow_roster(subscription)] == [True] * 4 + [False, True]


def test_a_full_refresh_of_what_partial_documents_built_up_is_a_repetition() -> None:
    conference = only(
        subscribe(
            ALICE,
            Notify(1, document(ALICE, version=1)),
            Notify(2, document(BOB, version=2, state="partial")),
            Notify(3, document(ALICE, BOB, version=2)),
        )
    )
    assert conference.subscriptions[0].notifications[2].outcome == merge.REPEATED


def test_a_notify_on_two_hops_is_one_notification() -> None:
    outer = subscribe(ALICE, Notify(1, document(ALICE)), source=ALICE.address, focus=kit.PROXY)
    inner = subscribe(ALICE, Notify(0.99, document(ALICE)), at=0.001)
    (subscription,) = only(outer, inner).subscriptions
    (notification,) = subscription.notifications
    assert [str(each.destination) for each in notification.hops] == ["203.0.113.1:5060", "192.0.2.10:5060"]


def test_a_challenged_subscription_is_one_and_authenticated() -> None:
    asked = subscribe(ALICE, final=(401, "Unauthorized"), headers=())
    again = subscribe(ALICE, Notify(0.1, document(ALICE)), at=1, headers=('Authorization: Digest username="alice"',))
    again = [
        (at, data.replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"CSeq: 2 NOTIFY", b"CSeq: 3 NOTIFY")) for at, data in again
    ]
    (subscription,) = only(asked, again).subscriptions
    assert subscription.accepted
    assert subscription.authenticated_by == ("authorization",)
    assert subscription.answer is not None
    assert subscription.answer.sip.status == 200


def test_a_damaged_document_is_a_note_and_no_roster() -> None:
    (subscription,) = only(subscribe(ALICE, Notify(1, document(ALICE)[:-30]))).subscriptions
    read = subscription.notifications[0].document
    assert read is not None
    assert not read.whole
    assert read.notes


# --- who is referred ------------------------------------------------------------------------------


def test_a_refer_makes_the_focus_invite() -> None:
    conference = only(dial_in(ALICE), refer(ALICE, BOB.uri, at=5), dial_out(BOB, at=6))
    (referral,) = conference.referrals
    assert (referral.sender, referral.target, referral.removes, referral.status, referral.in_dialog) == (
        "alice@ims.example.org", BOB.uri.encode(), False, 202, False,
    )  # fmt: skip
    assert referral.led_to is not None
    assert referral.led_to.sip.request_uri == BOB.uri.encode()


def test_a_refer_with_bye_makes_the_focus_remove() -> None:
    conference = only(
        dial_in(ALICE),
        dial_in(BOB, at=1, duration=20, focus_leaves=True),
        refer(ALICE, BOB.uri, at=15, removes=True, in_call=1),
    )
    (referral,) = conference.referrals
    assert (referral.removes, referral.in_dialog) == (True, True)
    assert referral.led_to is not None
    assert referral.led_to.sip.method == b"BYE"


def test_a_refer_with_a_list_names_each_of_it() -> None:
    body = (
        '<?xml version="1.0"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>'
        f'<entry uri="{BOB.uri}"/><entry uri="{CAROL.uri}"/></list></resource-lists>'
    ).encode()
    conference = only(dial_in(ALICE), refer(ALICE, "cid:list@test", at=5, body=body), dial_out(CAROL, at=6))
    assert [(each.target, each.led_to is not None) for each in conference.referrals] == [
        (BOB.uri.encode(), False), (CAROL.uri.encode(), True),
    ]  # fmt: skip


def test_a_refer_elsewhere_is_none_of_the_conference() -> None:
    assert only(dial_in(ALICE), refer(ALICE, kit.CONFERENCE, at=5, conference=BOB.uri)).referrals == []


# --- the report, and bounds -----------------------------------------------------------------------


def test_the_report_names_conferences_and_their_calls() -> None:
    packets = build.in_time_order(
        dial_in(ALICE), dial_out(BOB, at=2, duration=None), subscribe(ALICE, Notify(1, document(ALICE)), at=3),
        refer(ALICE, BOB.uri, at=1),
    )  # fmt: skip
    report = to_json(build.audit_bytes(build.pcap(packets)))
    (row,) = report["conferences"]
    assert (row["id"], row["uri"], row["focus"]) == (
        "conference-1", "conf1@ims.example.org", "sip:conf1@ims.example.org",
    )  # fmt: skip
    alice, bob = row["participants"]
    assert (alice["identity"], alice["calls"], alice["joined"], alice["left"]) == (
        "alice@ims.example.org", ["call-1"], "2026-01-01T00:00:00.500000Z", "2026-01-01T00:01:00.010000Z",
    )  # fmt: skip
    assert (bob["calls"], bob["left"], bob["legs"][0]["dial_out"]) == (["call-2"], None, True)
    assert row["subscriptions"][0]["documents"] == 1
    assert row["referrals"][0]["led_to"]["frame"] > row["referrals"][0]["request"]["frame"]
    assert [call["conference"] for call in report["calls"]] == ["conference-1", "conference-1"]


def test_many_partial_documents_and_legs_cost_no_more_than_their_size() -> None:
    users = [kit.roster_user(f"sip:u{number}@ims.example.org") for number in range(1_000)]
    first = Notify(0.1, document(*users, version=1))
    more = [
        Notify(1 + number / 100, document(users[number % 1_000], version=2 + number, state="partial"), status=0)
        for number in range(1_500)
    ]
    connection = subscribe(ALICE, first, *more, transport="TCP")
    legs = [packet for number in range(300) for packet in dial_in(ALICE, at=number * 100, duration=10, call=number)]
    capture = build.pcap(build.in_time_order(connection, legs))
    begin = time.perf_counter()
    (conference,) = build.audit_bytes(capture).trace.conferences
    assert time.perf_counter() - begin < 20
    assert len(conference.participants[0].legs) == 300
    assert len(conference.subscriptions[0].notifications) == 1_501
