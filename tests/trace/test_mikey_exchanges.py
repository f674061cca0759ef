"""MIKEY messages taken apart, and put into exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import build, mikey

if TYPE_CHECKING:
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyRecord
    from imsinspect.trace.model import Trace


def traced(*packets: list[build.Packet]) -> Trace:
    return build.audit_bytes(build.pcap(build.in_time_order(*packets))).trace


def records(trace: Trace) -> list[MikeyRecord]:
    return [each.record for each in trace.mikey if each.record is not None]


def only(trace: Trace) -> MikeyExchange:
    (exchange,) = trace.mikey_exchanges
    return exchange


def dialog(number: int = 2, *, caller: build.Address = build.ALICE, callee: build.Address = build.BOB) -> build.Dialog:
    return build.Dialog(caller, callee, call_id=f"call-{number}@test", from_tag=f"a{number}", to_tag=f"b{number}")


def test_a_transfer_is_taken_apart() -> None:
    ticket = mikey.Ticket(flags="DEFIJ", rekeying=600, recipients=(mikey.BOB, b"sip:?@?"))
    key_carriage = mikey.kemac(0, mikey.keys(1, b"k" * 16))
    offered = mikey.init(at=1.0, ticket=ticket, kemac=key_carriage, policies=(mikey.policy({0: 0, 11: 4}),))
    (record,) = records(traced(mikey.call(offered)))
    assert (record.kind, record.csb_id, record.map_type, record.session_count) == ("TRANSFER_INIT", 0x0A0B0C0D, 2, 2)
    assert [(each.cs_id, each.prot_type, each.spi, each.ssrc) for each in record.sessions] == [
        (1, 0, b"\0\0\0\3", 0x11110001),
        (2, 0, b"\0\0\0\3", 0x11110002),
    ]
    assert record.timestamp is not None
    assert record.timestamp.time == build.START + 1
    assert [(each.name, each.identity) for each in record.identities] == [
        ("IDRi", "alice@example.org"),
        ("IDRr", "bob@example.org"),
    ]
    assert record.ticket is not None
    assert (record.ticket.flags, record.ticket.rekeying_interval) == ("DEFIJ", 600)
    assert (record.ticket.valid_from, record.ticket.valid_to) == (build.START - 60, build.START + mikey.DAY - 60)
    assert [each.identity for each in record.ticket.recipients] == ["bob@example.org", "?@?"]
    assert (record.ticket.flag("I"), record.ticket.flag("G"), record.ticket.readable) == (True, False, True)
    assert [(each.place, each.encryption, each.keys, each.zeros) for each in record.carriages] == [
        ("message", 0, ("TGK+SALT",), False)
    ]
    policy = record.policy(0)
    assert policy is not None
    assert policy.srtp is not None
    assert (policy.srtp.confidential, policy.srtp.srtp_tag_length) == (False, 4)
    assert record.authentication is not None
    assert (record.authentication.name, record.authentication.octets, record.authentication.last) == (
        "HMAC-SHA-1-160",
        20,
        True,
    )
    assert (record.stop, record.trailing) == ("", 0)
    assert b"k" * 8 not in repr(record).encode()


def test_a_message_that_ends_early_says_where() -> None:
    octets = mikey.init().octets()
    cut, longer = records(traced(mikey.call(octets[:-30], octets + b"more")))
    assert cut.stop == "the payload TICKET is cut short" or cut.stop
    assert cut.stop_offset <= len(octets) - 30
    assert (longer.stop, longer.trailing, longer.stop_offset) == ("", 4, len(octets))


def test_offer_and_answer_are_one_exchange() -> None:
    trace = traced(mikey.call(mikey.init(), mikey.resp()))
    exchange = only(trace)
    assert (exchange.id, exchange.csb_id, exchange.data_type, exchange.calls) == (
        "exchange-1",
        0x0A0B0C0D,
        14,
        ["call-1"],
    )
    assert [each.role for each in trace.mikey] == ["offer", "answer"]
    assert exchange.answers == [trace.mikey[1]]
    (passage,) = exchange.passages
    assert (passage.init, passage.answer) == (trace.mikey[0], trace.mikey[1])


def test_an_answer_of_another_csb_is_still_its_answer() -> None:
    exchange = only(traced(mikey.call(mikey.init(), mikey.resp(csb_id=0x22222222))))
    assert [each.csb_id for each in exchange.answers] == [0x22222222]


def test_requests_sent_again_after_a_challenge_are_one_exchange() -> None:
    offered, answered = mikey.init().attribute(), mikey.resp().attribute()
    talk = build.Dialog()
    offer = mikey.described(mikey.A, offered)
    first = [(0.0, talk.request("INVITE", offer), True), (0.1, talk.response(407, "Proxy"), False)]
    talk.cseq += 1
    answer = mikey.described(mikey.B, answered)
    second = [(0.2, talk.request("INVITE", offer), True), (0.3, talk.response(200, "OK", answer), False)]
    trace = traced(build.carry(talk, first + second))
    exchange = only(trace)
    assert (len(exchange.inits), len(exchange.answers), exchange.repeats) == (1, 1, "")
    assert [each.negotiation.rejected for each in exchange.passages] == [True, False]


def test_the_legs_of_a_b2bua_are_one_exchange() -> None:
    """It sends on what it received before it answers; nothing else relates the calls."""
    middle = ("203.0.113.5", 5060)
    one = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1, callee=middle))
    inner = build.sdp("203.0.113.5", build.audio(6000, "RTP/SAVP"), session=(mikey.init().attribute(),), version=7)
    other = build.call(
        inner, mikey.described(mikey.B, mikey.resp().attribute()), dialog=dialog(2, caller=middle), at=0.05
    )
    exchange = only(traced(one, other))
    assert exchange.calls == ["call-1", "call-2"]
    assert len(exchange.passages) == 2


def test_the_same_message_an_hour_later_is_another_exchange() -> None:
    late = dialog(2, caller=("203.0.113.66", 5060))
    again = mikey.call(mikey.init(), mikey.resp(), dialog=late, at=3600.0)
    first, second = traced(mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1)), again).mikey_exchanges
    assert (second.repeats, second.calls) == (first.id, ["call-2"])
    assert len(second.answers) == 1


def test_the_same_offer_after_a_redirect_is_no_repetition() -> None:
    refused = mikey.call(mikey.init(), dialog=dialog(1), final=(302, "Moved"))
    again = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(2, callee=("203.0.113.9", 5060)), at=1.0)
    exchange = only(traced(refused, again))
    assert exchange.calls == ["call-1", "call-2"]


def test_an_update_belongs_to_its_bundle() -> None:
    talk = build.Dialog()
    update = mikey.init(ticket=None, rand=None, at=5.0, kemac=mikey.kemac())
    script = [
        (0.0, talk.request("INVITE", mikey.described(mikey.A, mikey.init().attribute())), True),
        (0.1, talk.response(200, "OK", mikey.described(mikey.B, mikey.resp().attribute())), False),
        (0.2, talk.request("ACK"), True),
        (5.0, talk.request("INVITE", mikey.described(mikey.A, update.attribute()), in_dialog=True), True),
    ]
    first, second = traced(build.carry(talk, script)).mikey_exchanges
    assert (second.bundle, second.ticket) == (first.id, first.ticket)
    assert first.ticket != ""


def test_the_kms_exchanges_of_a_ticket_are_found() -> None:
    ticket, kms = mikey.Ticket(), ("203.0.113.99", 2269)
    empty = {"sessions": [], "map_type": 1}

    def sent(at: float, forward: bool, host: str, message: mikey.Message) -> build.Packet:
        ends = ((host, 2269), kms) if forward else (kms, (host, 2269))
        return at, build.udp(*ends, message.octets())

    packets = [
        sent(0.0, True, "192.0.2.10", mikey.Message(data_type=11, csb_id=1, ticket=ticket, **empty)),
        sent(
            0.1, False, "192.0.2.10", mikey.Message(data_type=13, csb_id=1, ticket=ticket, kemac=mikey.kemac(), **empty)
        ),
        sent(1.2, True, "198.51.100.20", mikey.Message(data_type=16, csb_id=2, ticket=ticket, **empty)),
        sent(1.3, False, "198.51.100.20", mikey.Message(data_type=18, csb_id=2, kemac=mikey.kemac(), **empty)),
    ]
    trace = traced(packets, mikey.call(mikey.init(ticket=ticket), mikey.resp(), at=1.0))
    request, transfer, resolve = trace.mikey_exchanges
    assert (transfer.data_type, transfer.request, transfer.resolve) == (14, request.id, [resolve.id])
    assert [len(each.answers) for each in trace.mikey_exchanges] == [1, 1, 1]


def test_an_error_in_a_refusal_belongs_to_the_offer_that_it_refuses() -> None:
    talk = build.Dialog()
    body = mikey.described(mikey.B, mikey.error(14).attribute())
    script = [
        (0.0, talk.request("INVITE", mikey.described(mikey.A, mikey.init().attribute())), True),
        (0.1, talk.response(488, "Not Acceptable Here", body), False),
    ]
    trace = traced(build.carry(talk, script))
    exchange = only(trace)
    assert [(each.role, each.lines) for each in exchange.errors] == [("refusal", [])]
    (error,) = exchange.errors
    assert error.record is not None
    assert error.record.error_names() == ("Invalid TICKET",)
