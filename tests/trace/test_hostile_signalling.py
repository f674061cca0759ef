"""Builders take any messages: damaged octets, senseless order, dialogs by the thousand."""

from __future__ import annotations

import random

import pytest

from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from imsinspect.profiles import choose, infer
from imsinspect.trace.binding import bind
from imsinspect.trace.calls import build_calls
from imsinspect.trace.conferences import build_conferences
from imsinspect.trace.dialogs import mark_retransmissions
from imsinspect.trace.model import Protection, SignallingMessage, Trace
from imsinspect.trace.registrations import build_registrations
from imsinspect.trace.sides import mark_sides, relate
from tests.conference_kit import document, roster_user
from tests.trace.scene import ALICE, BOB, PROXY, reply, request, rtcp, sdp, session, stream

A = sdp(
    "192.0.2.10", 4000, "a=rtcp:4001", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, "a=3ge2ae:requested"
)
B = sdp("192.0.2.20", 6000, "a=candidate:1 1 UDP 1 10.0.0.1 8998 typ host", "a=key-mgmt:mikey AQ4A", "a=setup:active")
BOB_USER = roster_user("sip:bob@example.org", ssrc=7)
PLACES = (ALICE, PROXY, BOB)


def whole(messages: list[SignallingMessage]) -> Trace:
    """All builders, one after the other."""
    mark_retransmissions(messages)
    trace = Trace(messages=messages, registrations=build_registrations(messages), calls=build_calls(messages))
    mark_sides(trace.calls, trace.registrations)
    relate(trace.calls)
    trace.conferences = build_conferences(trace)
    known = {call.id for call in trace.calls}
    assert all(leg.call in known for each in trace.conferences for one in each.participants for leg in one.legs)
    assert list(choose(trace).conferences) == [each.id for each in trace.conferences]
    ends = ("192.0.2.10", 4000), ("192.0.2.20", 6000)
    trace.streams = [stream(*ends, 0, 5000), stream(*reversed(ends), 0, 5000, ssrc=2)]
    trace.rtcp_sources = [rtcp(("192.0.2.10", 4001), ("192.0.2.20", 6001), 0, 5000)]
    trace.tls_sessions = [session(*ends, 0, 5000, transport="dtls"), session(*ends, 0, 5000)]
    trace.unbound_streams, trace.unbound_rtcp = bind(trace.calls, trace.streams, trace.rtcp_sources, trace.tls_sessions)
    assert list(infer(trace)) == [call.id for call in trace.calls]
    return trace


def conversation() -> list[SignallingMessage]:
    """One of each message that the builders look into."""
    invite = request(0, ALICE, PROXY, "INVITE", "Session-ID: " + "a" * 32, "Security-Verify: tls;mediasec", body=A)
    inner = request(1, PROXY, BOB, "INVITE", "P-Charging-Vector: icid-value=1", branch="2", body=A)
    prack = request(6, ALICE, PROXY, "PRACK", "RAck: 1 1 INVITE", cseq=2, to_tag="bob", body=A)
    update = request(20, BOB, PROXY, "UPDATE", from_tag="bob", to_tag="alice", body=B)
    goodbye = request(900, ALICE, PROXY, "BYE", cseq=3, to_tag="bob")
    return [
        request(0, ALICE, PROXY, "REGISTER", "Contact: <sip:a@b>", "Security-Client: sdes-srtp;mediasec"),
        request(0, ALICE, PROXY, "SUBSCRIBE", "Event: conference"),
        invite,
        inner,
        reply(inner, 4, 183, "Require: 100rel", "RSeq: 1", to_tag="bob", body=B),
        reply(invite, 5, 183, "Require: 100rel", "RSeq: 1", to_tag="bob", body=B),
        prack,
        reply(prack, 7, 200, body=B),
        update,
        reply(update, 25, 488),
        reply(invite, 30, 200, "Contact: <sip:c>;isfocus", to_tag="bob", body=B),
        request(31, ALICE, PROXY, "ACK", to_tag="bob", body=A),
        request(32, ALICE, PROXY, "CANCEL"),
        goodbye,
        reply(goodbye, 901, 407),
        *watching(),
    ]


def watching() -> list[SignallingMessage]:
    """A subscription to the conference, its documents, and REFERs to it."""
    asked = request(40, ALICE, PROXY, "SUBSCRIBE", "Event: conference", "Expires: 600", call_id="watch")
    dialog = {"call_id": "watch", "from_tag": "bob", "to_tag": "alice"}
    said = ("Event: conference", "Subscription-State: active;expires=600", "Contact: <sip:c>;isfocus")
    kind = "Content-Type: application/conference-info+xml"
    told = [
        request(50 + number, PROXY, ALICE, "NOTIFY", *said, kind, cseq=number, body=body, **dialog)
        for number, body in enumerate((document(BOB_USER), document(BOB_USER, version=2, state="partial")))
    ]
    refer = request(
        60, ALICE, PROXY, "REFER", "Refer-To: <cid:x>", "Content-Type: application/resource-lists+xml", call_id="refer",
        body=b'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="sip:x@y"/></list>'
        b"</resource-lists>",
    )  # fmt: skip
    joined = request(
        70, ALICE, PROXY, "INVITE", "Replaces: call;to-tag=bob;from-tag=alice", "Privacy: id;user", call_id="in", body=A
    )
    return [
        asked,
        reply(asked, 41, 200, to_tag="bob"),
        *told,
        reply(told[0], 55, 200),
        refer,
        reply(refer, 61, 202, to_tag="bob"),
        joined,
        reply(joined, 71, 200, "Contact: <sip:bob@f>;isfocus", "P-Asserted-Identity: <tel:+1>, <sip:c@d>", to_tag="x"),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_damaged_messages_are_taken(seed: int) -> None:
    chance = random.Random(seed)
    damaged = []
    for each in conversation() * 3:
        data = bytearray(each.sip.head + each.sip.body)
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        sip = parse_sip(bytes(data))
        bodies = tuple(parse_sdp(part.data) for part in sip.sdp_bodies())
        source, destination = chance.choice(PLACES), chance.choice(PLACES)
        damaged.append(
            SignallingMessage(each.frames, each.time, source, destination, "udp", Protection.CLEAR, sip, bodies)
        )
    if seed % 2:
        chance.shuffle(damaged)
    trace = whole(damaged)
    lines = [line for call in trace.calls for line in call.lines]
    assert all(line.states for line in lines)
    bound = {id(use.stream) for line in lines for use in line.streams}
    assert bound | {id(each) for each in trace.unbound_streams} == {id(each) for each in trace.streams}
    assert not bound & {id(each) for each in trace.unbound_streams}


def test_a_request_that_forks_into_thousands_is_followed() -> None:
    invite = request(0, ALICE, PROXY, "INVITE")
    reliable = ("Require: 100rel", "RSeq: 1")
    messages = [invite]
    messages += [reply(invite, number, 183, *reliable, to_tag=f"bob{number}", body=B) for number in range(2000)]
    messages += [
        request(
            3000, ALICE, PROXY, "PRACK", "RAck: 1 1 INVITE", cseq=2, branch=f"p{number}", to_tag=f"bob{number}", body=A
        )
        for number in range(2000)
    ]
    (call,) = whole(messages).calls
    assert len(call.negotiations) == 2000
    assert all(each.complete for each in call.negotiations)
    assert len(call.lines) == 2000


def test_thousands_of_changes_of_one_line_are_followed() -> None:
    messages = [request(0, ALICE, BOB, "INVITE", body=A)]
    messages.append(reply(messages[0], 1, 200, to_tag="bob", body=B))
    for number in range(2, 2000):
        body = sdp("192.0.2.10", 4000, version=number)
        change = request(number * 10, ALICE, BOB, "INVITE", cseq=number, to_tag="bob", body=body)
        messages += [change, reply(change, number * 10 + 5, 200, body=sdp("192.0.2.20", 6000, version=number))]
    (call,) = whole(messages).calls
    (line,) = call.lines
    assert len(line.states) == 1999
    assert all(first.ends == second.answered_at for first, second in zip(line.states, line.states[1:], strict=False))
