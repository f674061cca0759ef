"""Calls: their states, and their media lines over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.trace.calls import build_calls
from imsinspect.trace.dialogs import mark_retransmissions
from tests.trace.scene import ALICE, BOB, MS, PROXY, ids, message, ports, reply, request, sdp, shown, span

if TYPE_CHECKING:
    from imsinspect.trace.model import Call, SignallingMessage

A = sdp("192.0.2.10", 4000)
A2 = sdp("192.0.2.10", 4100, version=2)
B = sdp("192.0.2.20", 6000)
B2 = sdp("192.0.2.20", 6100, version=2)
RELIABLE = ("Require: 100rel", "RSeq: 1")
BELOW = ("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKbelow",)


def call(*messages: SignallingMessage) -> Call:
    (found,) = build_calls(messages)
    return found


def talk(invite: SignallingMessage, at: int = 10) -> list[SignallingMessage]:
    """INVITE accepted and acknowledged."""
    ack = request(at + 2, invite.source, invite.destination, "ACK", cseq=invite.sip.cseq, to_tag="bob")
    return [invite, reply(invite, at, 200, to_tag="bob", body=B), ack]


def bye(at: int, cseq: int = 9) -> list[SignallingMessage]:
    """Alice hangs up."""
    goodbye = request(at, ALICE, BOB, "BYE", cseq=cseq, to_tag="bob")
    return [goodbye, reply(goodbye, at + 1, 200)]


def test_a_call_from_invite_to_bye() -> None:
    messages = [*talk(request(0, ALICE, BOB, "INVITE", body=A)), *bye(5000)]
    found = call(*messages)
    assert (found.id, found.call_id, found.state, found.ended_at) == ("call-1", b"call", "ended", 5000 * MS)
    assert (found.from_uri, found.to_uri) == (b"sip:alice@example.org", b"sip:bob@example.org")
    assert (found.first_time, found.last_time, found.messages) == (0, 5001 * MS, messages)
    assert ids(found) == ["call-1/0"]
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, 5000))]
    assert found.lines[0].states[0].accepted


def test_calls_are_numbered_by_first_sight_and_other_methods_make_none() -> None:
    subscribe = request(0, ALICE, BOB, "SUBSCRIBE", call_id="s")
    options = request(1, ALICE, BOB, "OPTIONS", call_id="o")
    second = request(2, ALICE, BOB, "INVITE", call_id="x", body=A)
    first = request(3, ALICE, BOB, "BYE", call_id="a", to_tag="bob")
    nameless = request(4, ALICE, BOB, "INVITE", call_id="", body=A)
    found = build_calls([subscribe, options, second, first, nameless])
    assert [(each.id, each.call_id) for each in found] == [("call-1", b"x"), ("call-2", b"a")]


def test_a_call_holds_all_messages_of_its_call_id() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    info = request(20, BOB, ALICE, "INFO", from_tag="bob", to_tag="alice", cseq=4)
    messages = [*talk(invite), info, reply(info, 21, 200)]
    assert call(*messages).messages == messages


# --- states ---------------------------------------------------------------------------------------


def test_states_before_an_answer() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    assert call(invite, reply(invite, 1, 100)).state == "trying"
    assert call(invite, reply(invite, 1, 180, to_tag="bob")).state == "early"
    assert call(*talk(invite)).state == "confirmed"


def test_a_cancelled_call() -> None:
    invite = request(0, ALICE, BOB, "INVITE", branch="b", body=A)
    cancel = request(500, ALICE, BOB, "CANCEL", branch="b")
    found = call(
        invite,
        reply(invite, 5, 183, to_tag="bob", body=B),
        cancel,
        reply(cancel, 501, 200),
        reply(invite, 510, 487, to_tag="bob"),
    )
    assert (found.state, found.ended_at) == ("cancelled", 510 * MS)
    assert shown(found.lines[0]) == [((4000, 6000), (0, 5, 510))]
    assert [(each.rejected, each.provisional) for each in found.negotiations] == [(True, True)]


def test_a_cancel_that_came_too_late() -> None:
    invite = request(0, ALICE, BOB, "INVITE", branch="b", body=A)
    cancel = request(9, ALICE, BOB, "CANCEL", branch="b")
    assert call(invite, cancel, reply(invite, 10, 200, to_tag="bob", body=B)).state == "confirmed"


@pytest.mark.parametrize("status", [300, 404, 486, 488, 503, 603])
def test_a_refused_call_has_failed_and_no_lines(status: int) -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    found = call(invite, reply(invite, 7, status, to_tag="bob"))
    assert (found.state, found.ended_at, found.lines) == ("failed", 7 * MS, [])
    assert [(each.rejected, each.complete) for each in found.negotiations] == [(True, False)]


def test_one_refusing_branch_behind_a_proxy_is_no_failure() -> None:
    invite = request(0, ALICE, PROXY, "INVITE", body=A)
    branch = request(1, PROXY, BOB, "INVITE", vias=BELOW, body=A)
    messages = [invite, branch, reply(branch, 2, 486, to_tag="b1"), reply(invite, 3, 180, to_tag="b2")]
    assert call(*messages).state == "early"


def test_a_capture_that_begins_inside_a_call() -> None:
    info = request(0, ALICE, BOB, "INFO", cseq=4, to_tag="bob")
    ack = request(0, ALICE, BOB, "ACK", cseq=4, to_tag="bob")
    again = request(5, ALICE, BOB, "INVITE", cseq=5, to_tag="bob", body=A2)
    assert call(info, ack).state == "unknown"
    assert call(ack, again).state == "confirmed"
    found = call(ack, again, reply(again, 8, 200, body=B2), *bye(100))
    assert (found.state, found.ended_at) == ("ended", 100 * MS)
    assert shown(found.lines[0]) == [((4100, 6100), (5, 8, 100))]
    assert call(*bye(100)).state == "ended"


def test_only_responses_of_a_call() -> None:
    unseen = request(0, ALICE, BOB, "INVITE", body=A)
    found = call(reply(unseen, 3, 200, to_tag="bob", body=B))
    assert (found.state, [each.offer_assumed for each in found.negotiations]) == ("confirmed", [True])
    assert shown(found.lines[0]) == [((6000, None), (3, None, None))]
    assert call(reply(unseen, 3, 486, to_tag="bob")).state == "unknown"


# --- lines over time ------------------------------------------------------------------------------


def test_authentication_and_retransmission_make_no_states() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    again = request(1, ALICE, BOB, "INVITE", body=A)
    refused = reply(invite, 5, 401, to_tag="x")
    ack = request(6, ALICE, BOB, "ACK", to_tag="x")
    repeated = request(8, ALICE, BOB, "INVITE", "Authorization: Digest x", cseq=2, body=A)
    ok = reply(repeated, 20, 200, to_tag="bob", body=B)
    messages = [invite, again, refused, ack, repeated, ok, reply(repeated, 520, 200, to_tag="bob", body=B)]
    mark_retransmissions(messages)
    found = call(*messages)
    assert (found.state, ids(found)) == ("confirmed", ["call-1/0"])
    assert shown(found.lines[0]) == [((4000, 6000), (8, 20, None))]
    assert [each.rejected for each in found.negotiations] == [True, False]


def test_unmarked_retransmissions_change_nothing() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    ok = reply(invite, 10, 200, to_tag="bob", body=B)
    again = [request(1, ALICE, BOB, "INVITE", body=A), reply(invite, 11, 200, to_tag="bob", body=B)]
    found = call(invite, again[0], ok, again[1])
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, None))]
    assert len(found.negotiations) == 1


def test_reinvite_with_hold_ends_the_former_state_when_it_is_answered() -> None:
    held = sdp("0.0.0.0", 4000, version=2)
    hold = request(1000, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=held)
    resume = request(3000, ALICE, BOB, "INVITE", cseq=3, to_tag="bob", body=sdp("192.0.2.10", 4000, version=3))
    found = call(
        *talk(request(0, ALICE, BOB, "INVITE", body=A)),
        hold,
        reply(hold, 1010, 200, body=B2),
        resume,
        reply(resume, 3010, 200, body=sdp("192.0.2.20", 6000, version=3)),
        *bye(5000),
    )
    assert shown(found.lines[0]) == [
        ((4000, 6000), (0, 10, 1010)),
        ((4000, 6100), (1000, 1010, 3010)),
        ((4000, 6000), (3000, 3010, 5000)),
    ]
    assert [state.offered.connection for state in found.lines[0].states] == [b"192.0.2.10", b"0.0.0.0", b"192.0.2.10"]


def test_the_callee_may_offer() -> None:
    update = request(1000, BOB, ALICE, "UPDATE", from_tag="bob", to_tag="alice", body=B2)
    found = call(*talk(request(0, ALICE, BOB, "INVITE", body=A)), update, reply(update, 1005, 200, body=A2))
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, 1005)), ((6100, 4100), (1000, 1005, None))]
    assert found.lines[0].states[1].negotiation.offerer_tag == b"bob"


def test_prack_and_update_before_the_call_is_answered() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    prack = request(6, ALICE, BOB, "PRACK", "RAck: 1 1 INVITE", cseq=2, to_tag="bob")
    update = request(20, ALICE, BOB, "UPDATE", cseq=3, to_tag="bob", body=A2)
    found = call(
        invite,
        reply(invite, 5, 183, *RELIABLE, to_tag="bob", body=B),
        prack,
        reply(prack, 7, 200),
        update,
        reply(update, 25, 200, body=B2),
        reply(invite, 90, 200, to_tag="bob"),
    )
    assert shown(found.lines[0]) == [((4000, 6000), (0, 5, 25)), ((4100, 6100), (20, 25, None))]


@pytest.mark.parametrize("status", [488, 491, 500])
def test_a_refused_change_leaves_the_old_state(status: int) -> None:
    again = request(1000, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=A2)
    found = call(*talk(request(0, ALICE, BOB, "INVITE", body=A)), again, reply(again, 1005, status))
    assert (found.state, shown(found.lines[0])) == ("confirmed", [((4000, 6000), (0, 10, None))])
    assert [each.rejected for each in found.negotiations] == [False, True]


def test_glare_is_refused_on_both_sides_and_tried_again() -> None:
    ours = request(1000, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=A2)
    theirs = request(1001, BOB, ALICE, "INVITE", from_tag="bob", to_tag="alice", body=B2)
    again = request(3000, BOB, ALICE, "INVITE", cseq=2, from_tag="bob", to_tag="alice", body=B2)
    found = call(
        *talk(request(0, ALICE, BOB, "INVITE", body=A)),
        ours,
        theirs,
        reply(ours, 1002, 491),
        reply(theirs, 1003, 491),
        again,
        reply(again, 3005, 200, body=A2),
    )
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, 3005)), ((6100, 4100), (3000, 3005, None))]


def test_descriptions_repeated_unchanged_are_no_change() -> None:
    refresh = request(1000, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=A)
    theirs = request(2000, BOB, ALICE, "UPDATE", from_tag="bob", to_tag="alice", body=B)
    found = call(
        *talk(request(0, ALICE, BOB, "INVITE", body=A)),
        refresh,
        reply(refresh, 1005, 200, body=B),
        theirs,
        reply(theirs, 2005, 200, body=A),
    )
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, None))]
    assert len(found.negotiations) == 3


def test_a_changed_description_counts_although_its_version_stayed() -> None:
    changed = A.replace(b"RTP/AVP", b"RTP/SAVP")
    again = request(1000, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=changed)
    found = call(*talk(request(0, ALICE, BOB, "INVITE", body=A)), again, reply(again, 1005, 200, body=B))
    assert [state.offered.transport for state in found.lines[0].states] == ["RTP/AVP", "RTP/SAVP"]


def test_an_offer_without_an_answer_is_a_state_that_is_not_agreed() -> None:
    found = call(request(0, ALICE, BOB, "INVITE", body=A))
    (state,) = found.lines[0].states
    assert (ports(state), span(state), state.accepted) == ((4000, None), (0, None, None), False)


def test_rejected_and_added_lines_keep_their_indices() -> None:
    two = sdp("192.0.2.10", 4000, "m=video 4002 RTP/AVP 99")
    refused = sdp("192.0.2.20", 6000, "m=video 0 RTP/AVP 99")
    third = sdp("192.0.2.20", 6000, "m=video 0 RTP/AVP 99", "m=message 7000 TCP/MSRP *", version=2)
    invite = request(0, ALICE, BOB, "INVITE", body=two)
    again = request(100, BOB, ALICE, "INVITE", from_tag="bob", to_tag="alice", body=third)
    answer = sdp("192.0.2.10", 4000, "m=video 0 RTP/AVP 99", version=2)
    found = call(invite, reply(invite, 10, 200, to_tag="bob", body=refused), again, reply(again, 110, 200, body=answer))
    assert ids(found) == ["call-1/0", "call-1/1", "call-1/2"]
    assert shown(found.lines[1]) == [((4002, 0), (0, 10, 110)), ((0, 0), (100, 110, None))]
    assert shown(found.lines[2]) == [((7000, None), (100, None, None))]
    assert not any(state.accepted for state in (*found.lines[1].states, *found.lines[2].states))


# --- forks and hops -------------------------------------------------------------------------------


def test_forks_have_lines_of_their_own_and_the_others_end_with_the_2xx() -> None:
    invite = request(0, ALICE, PROXY, "INVITE", body=A)
    found = call(
        invite,
        reply(invite, 5, 183, *RELIABLE, to_tag="bob1", body=B),
        reply(invite, 6, 183, to_tag="bob2", body=B2),
        reply(invite, 50, 200, to_tag="bob2", body=B2),
    )
    assert ids(found) == ["call-1.1/0", "call-1.2/0"]
    assert shown(found.lines[0]) == [((4000, 6000), (0, 5, 50))]
    assert shown(found.lines[1]) == [((4000, 6100), (0, 6, None))]


def two_hops(inner_offer: bytes, inner_answer: bytes) -> list[SignallingMessage]:
    """A call through a proxy that passes on what it is told to."""
    first = request(0, ALICE, PROXY, "INVITE", branch="1", body=A)
    second = request(1, PROXY, BOB, "INVITE", branch="2", vias=BELOW, body=inner_offer)
    return [
        first,
        second,
        reply(second, 8, 200, to_tag="bob", body=inner_answer),
        reply(first, 10, 200, to_tag="bob", body=B),
    ]


def test_hops_with_equal_descriptions_are_one_line() -> None:
    found = call(*two_hops(A, B))
    assert ids(found) == ["call-1/0"]
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, None))]
    assert len(found.negotiations) == 2


@pytest.mark.parametrize(
    ("offer", "answer"),
    [(sdp("192.0.2.1", 5000), sdp("192.0.2.20", 7000)), (A, sdp("192.0.2.20", 7000)), (sdp("192.0.2.1", 5000), B)],
)
def test_hops_whose_descriptions_were_rewritten_are_lines_of_their_own(offer: bytes, answer: bytes) -> None:
    found = call(*two_hops(offer, answer))
    assert ids(found) == ["call-1.1/0", "call-1.2/0"]
    assert [line.states[0].negotiation.offer.message.destination for line in found.lines] == [PROXY, BOB]


def test_a_bye_on_one_hop_ends_the_lines_of_all() -> None:
    goodbye = request(900, PROXY, BOB, "BYE", cseq=2, to_tag="bob")
    found = call(*two_hops(sdp("192.0.2.1", 5000), sdp("192.0.2.20", 7000)), goodbye)
    assert [line.states[0].ends for line in found.lines] == [900 * MS, 900 * MS]


def test_a_reinvite_past_the_proxy_goes_on_with_the_line() -> None:
    again = request(500, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=A2)
    found = call(*two_hops(A, B), again, reply(again, 505, 200, body=B2))
    assert ids(found) == ["call-1/0"]
    assert shown(found.lines[0]) == [((4000, 6000), (0, 10, 505)), ((4100, 6100), (500, 505, None))]


def test_a_change_through_rewriting_hops_stays_on_each_hop() -> None:
    first = request(500, ALICE, PROXY, "INVITE", cseq=2, to_tag="bob", body=A2)
    second = request(501, PROXY, BOB, "INVITE", cseq=2, to_tag="bob", body=sdp("192.0.2.1", 5100, version=2))
    found = call(
        *two_hops(sdp("192.0.2.1", 5000), sdp("192.0.2.20", 7000)),
        first,
        second,
        reply(second, 508, 200, body=sdp("192.0.2.20", 7100, version=2)),
        reply(first, 510, 200, body=B2),
    )
    assert [shown(line) for line in found.lines] == [
        [((4000, 6000), (0, 10, 510)), ((4100, 6100), (500, 510, None))],
        [((5000, 7000), (1, 8, 508)), ((5100, 7100), (501, 508, None))],
    ]


def test_a_hop_seen_in_one_direction_adds_a_negotiation_and_no_line() -> None:
    first, second, ok, _ = two_hops(A, B)
    found = call(first, second, ok)
    assert ids(found) == ["call-1/0"]
    assert [each.complete for each in found.negotiations] == [False, True]


def test_one_direction_alone_is_one_line_over_time() -> None:
    again = request(500, ALICE, BOB, "INVITE", cseq=2, to_tag="bob", body=A2)
    goodbye = request(900, ALICE, BOB, "BYE", cseq=3, to_tag="bob")
    found = call(request(0, ALICE, BOB, "INVITE", body=A), again, goodbye)
    assert ids(found) == ["call-1/0"]
    assert [ports(state) for state in found.lines[0].states] == [(4000, None), (4100, None)]
    assert found.lines[0].states[-1].ends == 900 * MS


def test_legs_of_a_b2bua_that_keeps_the_call_id_are_dialogs_of_their_own() -> None:
    first = request(0, ALICE, PROXY, "INVITE", from_tag="alice", body=A)
    second = request(1, PROXY, BOB, "INVITE", from_tag="proxy", body=A2)
    found = call(
        first, second, reply(second, 8, 200, to_tag="bob", body=B2), reply(first, 9, 200, to_tag="inner", body=B)
    )
    assert [(each.offerer_tag, each.answerer_tag) for each in found.negotiations] == [
        (b"alice", b"inner"),
        (b"proxy", b"bob"),
    ]
    assert ids(found) == ["call-1.1/0", "call-1.2/0"]


# --- hostile input --------------------------------------------------------------------------------


def test_messages_without_sense_make_no_trouble() -> None:
    strange = [
        message(0, ALICE, BOB, "INVITE sip:x SIP/2.0", "Call-ID: x"),
        message(1, BOB, ALICE, "SIP/2.0 200 OK", "Call-ID: x", "CSeq: 1 INVITE", body=b"v=0\r\nm=\r\nm=audio\r\n"),
        message(2, BOB, ALICE, "nonsense", "Call-ID: x"),
        message(3, ALICE, BOB, "PRACK sip:x SIP/2.0", "Call-ID: x", "RAck: a b c"),
        message(4, ALICE, BOB, "ACK sip:x SIP/2.0", "Call-ID: x", "CSeq: 1 ACK", body=A),
        message(5, ALICE, BOB, "BYE sip:x SIP/2.0", "Call-ID: x"),
        message(6, ALICE, BOB, "", ""),
    ]
    mark_retransmissions(strange)
    (found,) = build_calls(strange)
    assert (found.state, len(found.messages)) == ("ended", 6)


def test_many_lines_of_one_description_are_followed_up_to_a_limit() -> None:
    body = sdp("192.0.2.10", 4000, *(["m=audio 4000 RTP/AVP 0"] * 1000))
    assert len(call(request(0, ALICE, BOB, "INVITE", body=body)).lines) == 256
