"""The lean facts of H.248 messages: what a trace needs of each command, with places that point at it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.h248.facts import facts
from dissectors.h248.framing import is_message
from dissectors.h248.layers import H248
from tests.dissectors.h248.messages import ALL, AUTHENTICATED, ERROR, LONG, SHORT


def test_a_request_gives_a_row_for_each_command() -> None:
    message = facts(LONG)
    assert message is not None
    assert (message.version, message.mid, message.authenticated) == (3, b"[10.20.0.1]:2944", False)
    assert [(one.transaction_id, one.context_id, one.command, one.termination) for one in message.commands] == [
        (10003, b"$", "Add", b"tdm/4444"),
        (10003, b"$", "Add", b"ip/access/$"),
        (10003, b"$", "Modify", b"*"),
        (10003, b"$", "Move", b"ip/1"),
        (10003, b"$", "Subtract", b"ip/2"),
        (10003, b"$", "AuditValue", b"ROOT"),
        (10003, b"$", "AuditCapability", b"ip/*"),
        (10004, b"-", "ServiceChange", b"ROOT"),
    ]
    assert {one.kind for one in message.commands} == {"request"}
    assert [(one.optional, one.wildcard) for one in message.commands[1:3]] == [(False, False), (True, True)]


def test_streams_carry_their_descriptions_and_the_places_of_these() -> None:
    message = facts(LONG)
    assert message is not None
    first, second = message.commands[1].streams
    assert (first.stream_id, first.mode, second.stream_id, second.mode) == (1, b"ReceiveOnly", 2, b"")
    assert first.local is not None
    assert first.remote is not None
    assert first.local.data.startswith(b"v=0\r\nc=IN IP4 $\r\n")
    assert first.local.data.endswith(b"CC:DD\r\n")
    assert first.remote.data.endswith(b"2855/\\};tcp\r\n")
    assert second.local is not None
    assert second.remote is None
    for octets in (first.local, first.remote, second.local):
        assert LONG[octets.start : octets.end] == octets.data
    assert b"Stream = 1" in LONG[first.start : first.end]
    assert LONG[message.commands[2].start : message.commands[2].end].strip().startswith(b"O-W-Modify")


def test_a_termination_without_named_streams_has_stream_1() -> None:
    message = facts(b"!/1 [10.0.0.1] T=1{C=1{MF=a{M{O{MO=SR},R{v=0\n}}},MF=b{M{TS{SI=IV}}}}}")
    assert message is not None
    (stream,) = message.commands[0].streams
    assert (stream.stream_id, stream.mode, stream.local) == (1, b"SR", None)
    assert stream.remote is not None
    assert stream.remote.data == b"v=0\n"
    assert message.commands[1].streams == ()


def test_replies_give_errors_events_and_what_has_no_command() -> None:
    message = facts(SHORT)
    assert message is not None
    rows = [(one.kind, one.transaction_id, one.command, one.error_code, one.events) for one in message.commands]
    assert rows == [
        ("reply", 10003, "Add", None, ()),
        ("reply", 10003, "Add", None, ()),
        ("reply", 10003, "Modify", 430, ()),
        ("reply", 10003, "Notify", None, ()),
        ("reply", 10003, "Subtract", None, ()),
        ("reply", 10003, "AuditValue", None, ()),
        ("reply", 10005, "", 411, ()),
        ("pending", 10006, "", None, ()),
        ("ack", None, "", None, ()),
        ("request", 10007, "Notify", None, (b"al/of", b"g/cause")),
        ("segment", 10005, "", None, ()),
    ]


def test_an_error_for_a_whole_message_and_an_authenticated_one() -> None:
    error = facts(ERROR)
    assert error is not None
    assert [(one.kind, one.error_code) for one in error.commands] == [("error", 406)]
    authenticated = facts(AUTHENTICATED)
    assert authenticated is not None
    assert (authenticated.authenticated, authenticated.mid) == (True, b"MTP{1234}")


def test_octets_that_are_no_message_give_nothing() -> None:
    assert facts(b"") is None
    assert facts(b"INVITE sip:a SIP/2.0\r\n\r\n") is None


@pytest.mark.parametrize("octets", ALL, ids=lambda one: one[:24].decode())
def test_facts_layers_and_framing_agree(octets: bytes) -> None:
    message = facts(octets)
    assert message is not None
    assert is_message(octets)
    shown = [
        (command.name, command.TerminationID)
        for transaction in H248(octets).messageBody
        for action in getattr(transaction, "actions", [])
        for command in getattr(action, "commands", [])
        if hasattr(command, "TerminationID")
    ]
    assert [(one.command, one.termination) for one in message.commands if one.command] == shown
    assert facts(bytes(H248(octets))) == message


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_octets_are_survived_and_places_lie_inside(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(ALL)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=5))
    message = facts(bytes(octets))
    for command in message.commands if message else ():
        assert 0 <= command.start <= command.end <= len(octets)
        for stream in command.streams:
            for each in (stream.local, stream.remote):
                assert each is None or octets[each.start : each.end] == each.data


def test_hostile_octets_take_little_time() -> None:
    start = time.process_time()
    for inside in (b"{" * 65000, b"A=a{M{L{}}}," * 6000, b'"' * 65000, b";" * 65000, b"L{\\}" * 16000, b"[" * 65000):
        facts(b"!/3 [10.0.0.1] T=1{C=1{" + inside)
    assert time.process_time() - start < 5


def test_the_lean_modules_load_no_scapy() -> None:
    script = "import sys, dissectors.h248.facts, dissectors.h248.framing; sys.exit('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
