"""Offers and answers: who offered, who answered, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.trace.dialogs import follow
from imsinspect.trace.negotiation import negotiate
from tests.trace.scene import ALICE, BOB, PROXY, reply, request, sdp

if TYPE_CHECKING:
    from imsinspect.trace.model import Negotiation, SignallingMessage

A = sdp("192.0.2.10", 4000)
A2 = sdp("192.0.2.10", 4100, version=2)
B = sdp("192.0.2.20", 6000)
B2 = sdp("192.0.2.20", 6100, version=2)
RELIABLE = ("Require: 100rel", "RSeq: 7")


def negotiations(*messages: SignallingMessage) -> list[Negotiation]:
    return [each.negotiation for each in negotiate(b"call", follow(messages))]


def row(each: Negotiation) -> tuple[bytes, bytes, SignallingMessage, SignallingMessage | None, bool, bool]:
    """Tags, messages of offer and answer, rejected, provisional."""
    answer = each.answer.message if each.answer is not None else None
    return each.offerer_tag, each.answerer_tag, each.offer.message, answer, each.rejected, each.provisional


def test_the_2xx_answers_the_offer_of_the_invite() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    ok = reply(invite, 10, 200, to_tag="bob", body=B)
    (found,) = negotiations(invite, reply(invite, 5, 180, to_tag="bob"), ok)
    assert row(found) == (b"alice", b"bob", invite, ok, False, False)
    assert found.complete


def test_an_unreliable_18x_is_a_preview_until_the_2xx_confirms_it() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    progress = reply(invite, 5, 183, to_tag="bob", body=B)
    (preview,) = negotiations(invite, progress)
    assert row(preview) == (b"alice", b"bob", invite, progress, False, True)
    (confirmed,) = negotiations(invite, progress, reply(invite, 10, 200, to_tag="bob", body=B))
    assert row(confirmed) == (b"alice", b"bob", invite, progress, False, False)


def test_a_2xx_that_differs_from_the_preview_is_an_answer_of_its_own() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    progress = reply(invite, 5, 183, to_tag="bob", body=B)
    ok = reply(invite, 10, 200, to_tag="bob", body=B2)
    assert [row(each) for each in negotiations(invite, progress, ok)] == [
        (b"alice", b"bob", invite, progress, False, True),
        (b"alice", b"bob", invite, ok, False, False),
    ]


def test_a_reliable_18x_answers_and_what_the_2xx_repeats_is_nothing_new() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    progress = reply(invite, 5, 183, *RELIABLE, to_tag="bob", body=B)
    prack = request(6, ALICE, BOB, "PRACK", "RAck: 7 1 INVITE", cseq=2, to_tag="bob")
    ok = reply(invite, 10, 200, to_tag="bob", body=B2)
    (found,) = negotiations(invite, progress, prack, reply(prack, 7, 200), ok)
    assert row(found) == (b"alice", b"bob", invite, progress, False, False)


def test_prack_may_offer_once_the_reliable_18x_answered() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    progress = reply(invite, 5, 183, *RELIABLE, to_tag="bob", body=B)
    prack = request(6, ALICE, BOB, "PRACK", "RAck: 7 1 INVITE", cseq=2, to_tag="bob", body=A2)
    ok = reply(prack, 7, 200, body=B2)
    assert [row(each) for each in negotiations(invite, progress, prack, ok)] == [
        (b"alice", b"bob", invite, progress, False, False),
        (b"alice", b"bob", prack, ok, False, False),
    ]


def test_a_late_offer_stands_in_the_2xx_and_is_answered_in_ack() -> None:
    invite = request(0, ALICE, BOB, "INVITE")
    ok = reply(invite, 10, 200, to_tag="bob", body=B)
    ack = request(12, ALICE, BOB, "ACK", to_tag="bob", body=A)
    (found,) = negotiations(invite, ok, ack)
    assert row(found) == (b"bob", b"alice", ok, ack, False, False)


def test_a_late_offer_in_a_reliable_18x_is_answered_in_prack() -> None:
    invite = request(0, ALICE, BOB, "INVITE")
    progress = reply(invite, 5, 183, *RELIABLE, to_tag="bob", body=B)
    prack = request(6, ALICE, BOB, "PRACK", "RAck: 7 1 INVITE", cseq=2, to_tag="bob", body=A)
    messages = (invite, progress, prack, reply(prack, 7, 200), reply(invite, 9, 200, to_tag="bob"))
    (found,) = negotiations(*messages)
    assert row(found) == (b"bob", b"alice", progress, prack, False, False)


def test_a_late_offer_is_never_answered_by_the_ack_of_another_hop() -> None:
    first = request(0, ALICE, PROXY, "INVITE")
    second = request(1, PROXY, BOB, "INVITE")
    ok = reply(second, 10, 200, to_tag="bob", body=B)
    ack = request(12, ALICE, PROXY, "ACK", to_tag="bob", body=A)
    (found,) = negotiations(first, second, ok, ack)
    assert row(found) == (b"bob", b"", ok, None, False, False)


def test_update_offers_and_its_2xx_answers() -> None:
    update = request(0, BOB, ALICE, "UPDATE", from_tag="bob", to_tag="alice", body=B2)
    ok = reply(update, 3, 200, body=A2)
    (found,) = negotiations(update, ok)
    assert row(found) == (b"bob", b"alice", update, ok, False, False)


def test_forks_share_the_offer_and_answer_one_by_one() -> None:
    invite = request(0, ALICE, PROXY, "INVITE", body=A)
    one = reply(invite, 5, 183, *RELIABLE, to_tag="bob1", body=B)
    other = reply(invite, 6, 200, to_tag="bob2", body=B2)
    assert [row(each) for each in negotiations(invite, one, other)] == [
        (b"alice", b"bob1", invite, one, False, False),
        (b"alice", b"bob2", invite, other, False, False),
    ]


def test_what_was_refused_is_rejected_and_the_repeated_offer_stands_alone() -> None:
    invite = request(0, ALICE, BOB, "INVITE", body=A)
    again = request(20, ALICE, BOB, "INVITE", "Authorization: Digest x", cseq=2, body=A)
    ok = reply(again, 30, 200, to_tag="bob", body=B)
    assert [row(each) for each in negotiations(invite, reply(invite, 5, 401, to_tag="x"), again, ok)] == [
        (b"alice", b"", invite, None, True, False),
        (b"alice", b"bob", again, ok, False, False),
    ]


def test_the_answer_of_another_hop_is_not_taken() -> None:
    invite = request(0, ALICE, PROXY, "INVITE", body=A)
    inner = request(1, PROXY, BOB, "INVITE", body=A2)
    ok = reply(inner, 2, 200, to_tag="bob", body=B)
    assert [row(each) for each in negotiations(invite, inner, ok)] == [
        (b"alice", b"", invite, None, False, False),
        (b"alice", b"bob", inner, ok, False, False),
    ]


def test_a_response_without_its_request_may_be_offer_or_answer() -> None:
    unseen = request(0, ALICE, BOB, "INVITE", body=A)
    ok = reply(unseen, 10, 200, to_tag="bob", body=B)
    (found,) = negotiations(ok)
    assert row(found) == (b"bob", b"", ok, None, False, False)
    assert found.offer_assumed


def test_a_description_sealed_in_the_invite_makes_no_late_offer_certain() -> None:
    invite = request(0, ALICE, BOB, "INVITE", "Content-Type: application/pkcs7-mime")
    invite.sip.content_type = b"application/pkcs7-mime"
    (found,) = negotiations(invite, reply(invite, 10, 200, to_tag="bob", body=B))
    assert (found.answer, found.offer_assumed) == (None, True)
