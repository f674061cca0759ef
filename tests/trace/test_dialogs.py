"""Transactions, dialogs and retransmissions of SIP."""

from __future__ import annotations

from imsinspect.trace.dialogs import follow, mark_retransmissions
from tests.trace.scene import ALICE, BOB, MS, PROXY, reply, request, sdp


def test_an_equal_datagram_on_the_same_hop_is_a_retransmission() -> None:
    first = request(0, ALICE, BOB, "INVITE", body=sdp("192.0.2.10", 4000))
    again = request(500, ALICE, BOB, "INVITE", body=sdp("192.0.2.10", 4000))
    answer = reply(first, 600, 180, to_tag="bob")
    repeated = reply(first, 700, 180, to_tag="bob")
    messages = [first, again, answer, repeated]
    mark_retransmissions(messages)
    assert [each.retransmission for each in messages] == [False, True, False, True]


def test_equal_bytes_are_no_retransmission_on_another_hop_over_tcp_or_much_later() -> None:
    messages = [
        request(0, ALICE, BOB, "OPTIONS", branch="1"),
        request(1, ALICE, PROXY, "OPTIONS", branch="1"),
        request(33_000, ALICE, BOB, "OPTIONS", branch="1"),
        request(34_000, BOB, ALICE, "OPTIONS", branch="2", transport="tcp"),
        request(34_001, BOB, ALICE, "OPTIONS", branch="2", transport="tcp"),
        request(34_002, ALICE, BOB, "OPTIONS", branch="1"),
    ]
    mark_retransmissions(messages)
    assert [each.retransmission for each in messages] == [False, False, False, False, False, True]


def test_another_branch_is_another_message() -> None:
    messages = [request(0, ALICE, BOB, "OPTIONS", branch="1"), request(9, ALICE, BOB, "OPTIONS", branch="2")]
    mark_retransmissions(messages)
    assert not any(each.retransmission for each in messages)


def test_a_response_belongs_to_the_request_of_its_branch_between_the_same_addresses() -> None:
    first_hop = request(0, ALICE, PROXY, "INVITE", branch="one")
    second_hop = request(1, PROXY, BOB, "INVITE", branch="two", vias=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKone",))
    ok = reply(second_hop, 2, 200, to_tag="bob")
    passed_on = reply(first_hop, 3, 200, to_tag="bob")
    astray = reply(request(0, ALICE, BOB, "INVITE", branch="one"), 4, 200, to_tag="bob")
    session = follow([first_hop, second_hop, ok, passed_on, astray])
    assert [(each.request, each.responses) for each in session.transactions] == [
        (first_hop, [passed_on]),
        (second_hop, [ok]),
        (None, [astray]),
    ]


def test_hops_of_one_host_are_told_apart_by_their_ports() -> None:
    here, there = ALICE._replace(port=5070), ALICE._replace(port=5080)
    first = request(0, here, there, "INVITE", branch="same")
    other = request(1, here, ALICE, "INVITE", branch="same")
    session = follow([first, other, reply(other, 2, 486, to_tag="x")])
    assert [each.refused_at for each in session.transactions] == [None, 2 * MS]


def test_early_dialogs_end_when_another_branch_of_the_fork_accepts() -> None:
    invite = request(0, ALICE, PROXY, "INVITE")
    session = follow(
        [
            invite,
            reply(invite, 10, 180, to_tag="bob1"),
            reply(invite, 20, 180, to_tag="bob2"),
            reply(invite, 30, 200, to_tag="bob2"),
        ]
    )
    assert {tags: (each.confirmed_at, each.ended_at) for tags, each in session.dialogs.items()} == {
        (b"alice", b"bob1"): (None, 30 * MS),
        (b"alice", b"bob2"): (30 * MS, None),
    }


def test_a_challenged_bye_ends_nothing_and_the_repeated_one_does() -> None:
    invite = request(0, ALICE, BOB, "INVITE")
    ok = reply(invite, 10, 200, to_tag="bob")
    bye = request(1000, ALICE, BOB, "BYE", cseq=2, to_tag="bob")
    refused = reply(bye, 1010, 407)
    again = request(1020, ALICE, BOB, "BYE", cseq=3, to_tag="bob")
    assert follow([invite, ok, bye, refused]).dialogs[b"alice", b"bob"].ended_at is None
    assert follow([invite, ok, bye, refused, again]).dialogs[b"alice", b"bob"].ended_at == 1020 * MS


def test_a_dialog_that_the_peer_does_not_know_is_over() -> None:
    invite = request(0, ALICE, BOB, "INVITE")
    update = request(500, BOB, ALICE, "UPDATE", from_tag="bob", to_tag="alice")
    session = follow([invite, reply(invite, 10, 200, to_tag="bob"), update, reply(update, 510, 481)])
    assert session.dialogs[b"alice", b"bob"].ended_at == 510 * MS
