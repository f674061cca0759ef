"""Right ways to use MIKEY-TICKET, of which no MIKEY rule may find anything."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests import build, mikey
from tests.mikey import A, B

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.mikey.layers import GenericID

Script = list[tuple[float, bytes, bool]]
CHAT = build.media("message", 2855, "TCP/TLS/MSRP", "*")
OFFER, ANSWER = mikey.init().attribute(), mikey.resp().attribute()


def set_up(talk: build.Dialog, offer: bytes, answer: bytes) -> Script:
    return [
        (0.0, talk.request("INVITE", offer), True),
        (0.1, talk.response(200, "OK", answer), False),
        (0.2, talk.request("ACK"), True),
    ]


def no_response_is_due() -> list[build.Packet]:
    """Flag F is not set."""
    return mikey.call(mikey.init(ticket=mikey.Ticket("DEHNO")))


def late_offer() -> list[build.Packet]:
    """INVITE without a description: TRANSFER_INIT in the 200, TRANSFER_RESP in the ACK; the callee is the Initiator."""
    talk = build.Dialog()
    ticket = mikey.Ticket(initiator=mikey.BOB, recipients=(mikey.ALICE,))
    offer = mikey.init(initiator=mikey.BOB, responder=mikey.ALICE, ticket=ticket)
    answer = mikey.resp(responder=mikey.ALICE)
    script = [
        (0.0, talk.request("INVITE"), True),
        (0.1, talk.response(200, "OK", mikey.described(B, offer.attribute())), False),
        (0.2, talk.request("ACK", mikey.described(A, answer.attribute())), True),
    ]
    return build.carry(talk, script)


def early_answer() -> list[build.Packet]:
    """Reliable 183 with the answer, PRACK, 200 without a description."""
    talk = build.Dialog()
    script: Script = [
        (0.0, talk.request("INVITE", mikey.described(A, OFFER)), True),
        (
            0.1,
            talk.response(183, "Progress", mikey.described(B, ANSWER), headers=("RSeq: 1", "Require: 100rel")),
            False,
        ),
        (0.5, talk.response(200, "OK"), False),
        (0.6, talk.request("ACK"), True),
    ]
    return build.carry(talk, script)


def updates_of_both_sides() -> list[build.Packet]:
    """CSB updates with new keys: by the Initiator with a response, by the Responder without (RFC 6043 §5.2)."""
    talk = build.Dialog()
    script = set_up(talk, mikey.described(A, OFFER), mikey.described(B, ANSWER))
    mine = mikey.init(ticket=None, rand=None, at=10.0, kemac=mikey.kemac())
    reply = mikey.resp(at=10.1)
    script += [
        (10.0, talk.request("INVITE", mikey.described(A, mine.attribute()), in_dialog=True), True),
        (10.1, talk.response(200, "OK", mikey.described(B, reply.attribute())), False),
    ]
    theirs = mikey.init(
        ticket=None, rand=None, at=20.0, kemac=mikey.kemac(), initiator=mikey.BOB, responder=mikey.ALICE
    )
    script += [
        (20.0, talk.request("INVITE", mikey.described(B, theirs.attribute()), in_dialog=True, from_callee=True), False),
        (20.1, talk.response(200, "OK", mikey.described(A, None), from_callee=False), True),
    ]
    return build.carry(talk, script)


def hold() -> list[build.Packet]:
    """A re-INVITE that repeats the key management with a=sendonly."""
    talk = build.Dialog()
    script = set_up(talk, mikey.described(A, OFFER), mikey.described(B, ANSWER))
    sides = [
        build.sdp(address[0], build.audio(address[1], "RTP/SAVP", direction), session=(attribute,), version=2)
        for address, attribute, direction in ((A, OFFER, "a=sendonly"), (B, ANSWER, "a=recvonly"))
    ]
    script += [
        (5.0, talk.request("INVITE", sides[0], in_dialog=True), True),
        (5.1, talk.response(200, "OK", sides[1]), False),
    ]
    return build.carry(talk, script)


def each_line_by_itself() -> list[build.Packet]:
    """A message at each line, each of a bundle of its own and with one ticket that may be used again."""
    ticket = mikey.Ticket("DEFHJNO")

    def side(address: build.Address, make: Callable[..., mikey.Message]) -> bytes:
        def line(number: int, sessions: list[GenericID]) -> str:
            return make(csb_id=number, sessions=sessions, rand=bytes([number]) * 8 + b"12345678").attribute()

        return build.sdp(
            address[0],
            build.audio(address[1], "RTP/SAVP", line(1, mikey.for_lines("srtp"))),
            CHAT + "\r\n" + line(2, mikey.for_lines("tls")),
        )

    return build.call(
        side(A, lambda **parts: mikey.init(ticket=ticket, **parts)),
        side(B, lambda rand, **parts: mikey.resp(**parts)),
    )


def a_ticket_for_anybody_with_forking() -> list[build.Packet]:
    ticket = mikey.Ticket("DEFGHINO", recipients=(b"?@?",))
    return mikey.call(mikey.init(ticket=ticket), mikey.resp(rand=bytes(range(16))))


def a_ticket_used_again() -> list[build.Packet]:
    """Flag J: another call with the same ticket, and a CSB ID, timestamp and RAND of its own."""
    ticket = mikey.Ticket("DEFHJNO")
    one = mikey.call(mikey.init(ticket=ticket), mikey.resp())
    other = build.Dialog(call_id="call-2@test", from_tag="c", to_tag="d")
    offer = mikey.init(ticket=ticket, csb_id=2, at=60.0, rand=bytes(range(16)))
    return build.in_time_order(one, mikey.call(offer, mikey.resp(csb_id=2, at=60.4), dialog=other, at=60.0))


def refused_with_an_error() -> list[build.Packet]:
    """488 with a MIKEY error, then another ticket that is accepted."""
    talk = build.Dialog()
    error = mikey.described(B, mikey.error(14).attribute())
    first: Script = [
        (0.0, talk.request("INVITE", mikey.described(A, OFFER)), True),
        (0.1, talk.response(488, "Not Acceptable Here", error), False),
        (0.2, talk.request("ACK"), True),
    ]
    talk.cseq += 1
    offer = mikey.init(csb_id=2, at=1.0, ticket=mikey.Ticket(number=2), rand=bytes(range(16)))
    second: Script = [
        (1.0, talk.request("INVITE", mikey.described(A, offer.attribute())), True),
        (1.1, talk.response(200, "OK", mikey.described(B, mikey.resp(csb_id=2, at=1.1).attribute())), False),
    ]
    return build.carry(talk, first + second)


def through_an_ims_alg() -> list[build.Packet]:
    """Three hops of one Call-ID, on each with other addresses in the description."""
    hops = [("192.0.2.10", 5060), ("203.0.113.1", 5060), ("203.0.113.2", 5060), ("198.51.100.20", 5060)]
    parts = []
    for number, (near, far) in enumerate(pairwise(hops)):
        talk = build.Dialog(near, far, via=tuple(f"SIP/2.0/UDP 192.0.2.{each}" for each in range(number)))
        media = ((near[0], 4000 + number), (far[0], 5000 + number))
        asserted = ("P-Asserted-Identity: <sip:alice@example.org>",) if number else ()
        invite = talk.request("INVITE", mikey.described(media[0], OFFER), headers=asserted)
        answer = talk.response(200, "OK", mikey.described(media[1], ANSWER))
        parts.append(build.carry(talk, [(number * 0.01, invite, True), (0.5 - number * 0.01, answer, False)]))
    return build.in_time_order(*parts)


WAYS = [
    no_response_is_due,
    late_offer,
    early_answer,
    updates_of_both_sides,
    hold,
    each_line_by_itself,
    a_ticket_for_anybody_with_forking,
    a_ticket_used_again,
    refused_with_an_error,
    through_an_ims_alg,
]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
@pytest.mark.parametrize("profile", ["auto", "g3"])
def test_no_rule_finds_anything(way: Callable[[], list[build.Packet]], profile: str) -> None:
    audit = build.audit_bytes(build.pcap(way()), profile=profile)
    assert not [note.text for note in audit.notes if note.text.startswith("rule ")]
    found = [(each.rule, each.message) for each in audit.findings if each.rule.startswith("IMS-MIK")]
    assert found == []
    assert all(each.record is not None and not each.record.stop for each in audit.trace.mikey)
    assessed = {row.rule for row in audit.assessments if row.outcome == "pass"}
    assert {"IMS-MIK-001", "IMS-MIK-002", "IMS-MIK-003", "IMS-MIK-005", "IMS-MIK-011", "IMS-MIK-023"} <= assessed
