"""Erlang's megaco, a codec of its own: it knows the same tokens, and both read what the other writes.

Its scanner gives the rule of a token; its encoders write pretty text, compact text and BER.
"""

from __future__ import annotations

import base64
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from dissectors.binary import notes
from dissectors.h248.ber.layers import H248Binary
from dissectors.h248.codes import MODES, TOKENS
from dissectors.h248.descriptors.layers import Local, LocalControl, Media, PropertyParm, Remote, Stream
from dissectors.h248.facts import facts
from dissectors.h248.layers import H248, Action, Add, MIdAddress, Modify, TransactionRequest
from dissectors.sdp.layer import SDP
from tests.dissectors.h248.messages import AUTHENTICATED, ERROR, IPV6, LONG, SHORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dissectors.h248.facts import MessageFacts

SDP_LINES = b"v=0\r\nc=IN IP4 10.20.0.9\r\nm=message 2855 TCP/TLS/MSRP *\r\na=setup:active\r\n"
BUILT = bytes(
    H248(
        mId=MIdAddress(Address=b"10.20.0.1", portNumber=b"2944"),
        messageBody=[
            TransactionRequest(
                TransactionID=b"7",
                actions=[
                    Action(
                        ContextID=b"$",
                        commands=[
                            Add(TerminationID=b"00000001/00000001/$", descriptors=[
                                Media(mediaParms=[
                                    Stream(StreamID=b"1", streamParms=[
                                        LocalControl(
                                            localParms=[PropertyParm(token=b"Mode", parameter_value=b"SendOnly")]
                                        ),
                                        Local(octetString=[SDP(SDP_LINES)]),
                                        Remote(octetString=[SDP(SDP_LINES)]),
                                    ]),
                                ]),
                            ]),
                            Modify(TerminationID=b"00000001/00000001/00000001"),
                        ],
                    )
                ],
            )
        ],
    )
)  # fmt: skip

READABLE = LONG
for what, instead in (
    (b"\\};", b";"),  # its scanner ends octets at any brace, escaped or not
    (b"KeepActive, ", b""),  # its encoders refuse it beside embedded signals
    (b", Stream=2", b""),  # its encoders write the stream of a triple as a bare number
):
    READABLE = READABLE.replace(what, instead)

EXCEPTIONS = {
    "MegacopToken": "its scanner takes the start of a message as a name",
    "LocalToken": "its scanner takes it together with the octets behind it",
    "RemoteToken": "its scanner takes it together with the octets behind it",
    "IterationToken": "the long form that it knows is IterationToken",
}

SCAN = """
  {ok, All} = file:read_file("words"),
  [begin
     {ok, Found, _, _} = megaco_text_scanner:scan(<<"MEGACO/3 [10.0.0.1] ", Word/binary, " ">>),
     io:format("~s ~s~n", [Word, element(1, lists:nth(5, Found))])
   end || Word <- binary:split(All, <<"\\n">>, [global])], halt().
"""
CODEC = """
  {ok, Octets} = file:read_file("message"),
  {ok, Message} = megaco_pretty_text_encoder:decode_message([], dynamic, Octets),
  Version = element(2, element(3, Message)),
  [case Encoder:encode_message([], Version, Message) of
     {ok, Encoded} -> io:format("~s ~s~n", [Encoder, base64:encode(iolist_to_binary(Encoded))]);
     Other -> io:format("~s failed: ~0p~n", [Encoder, Other])
   end || Encoder <- [megaco_pretty_text_encoder, megaco_compact_text_encoder, megaco_ber_encoder]], halt().
"""


@pytest.fixture
def erlang(peer: Callable[[str], str], tmp_path: Path) -> Callable[[str, str, bytes], list[str]]:
    """Runs a script with a file in its folder; gives the lines that it prints."""
    program = peer("erl")
    there = subprocess.run(
        [program, "-noshell", "-eval", "io:format(\"~p\", [code:which(megaco_text_scanner)]), halt()."],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if there == "non_existing":
        pytest.skip("Erlang's megaco is not installed")

    def run(script: str, name: str, octets: bytes) -> list[str]:
        (tmp_path / name).write_bytes(octets)
        done = subprocess.run(
            [program, "-noshell", "-eval", script.strip()],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "ERL_CRASH_DUMP_SECONDS": "0"},
            timeout=60,
        )
        return done.stdout.splitlines()

    return run


def what_it_says(message: MessageFacts | None) -> list[tuple[object, ...]]:
    """Facts without places; of descriptions the lines."""
    assert message is not None
    return [
        (
            command.kind,
            command.transaction_id,
            command.context_id,
            command.command,
            command.optional,
            command.wildcard,
            command.termination.lower(),
            command.error_code,
            command.events,
            [
                (
                    stream.stream_id,
                    MODES.get(stream.mode.upper()),
                    stream.local and stream.local.data.split(),
                    stream.remote and stream.remote.data.split(),
                )
                for stream in command.streams
            ],
        )
        for command in message.commands
    ]


def test_its_scanner_knows_every_token_by_the_same_rule(erlang: Callable[[str, str, bytes], list[str]]) -> None:
    words = {form: rule for rule, forms in TOKENS.items() if rule not in EXCEPTIONS for form in forms}
    found = dict(line.split() for line in erlang(SCAN, "words", "\n".join(words).encode()))
    assert found == words


@pytest.mark.parametrize("octets", [BUILT, READABLE, SHORT, ERROR, AUTHENTICATED, IPV6], ids=range(6))
def test_it_reads_what_is_written_here_and_the_other_way_round(
    octets: bytes, erlang: Callable[[str, str, bytes], list[str]]
) -> None:
    lines = dict(line.split(maxsplit=1) for line in erlang(CODEC, "message", octets))
    expected = what_it_says(facts(octets))
    for encoder in ("megaco_pretty_text_encoder", "megaco_compact_text_encoder"):
        text = base64.b64decode(lines[encoder])
        assert what_it_says(facts(text)) == expected
        packet = H248(text)
        assert bytes(packet) == text
        assert notes(packet) == []


def test_its_binary_message_is_recognised(erlang: Callable[[str, str, bytes], list[str]]) -> None:
    lines = dict(line.split(maxsplit=1) for line in erlang(CODEC, "message", BUILT))
    octets = base64.b64decode(lines["megaco_ber_encoder"])
    packet = H248(octets)
    assert isinstance(packet, H248Binary)
    assert bytes(packet) == octets
    version, mid, body = packet.MegacoMessage[0].parts_of_message
    assert version.version == 3
    assert bytes((10, 20, 0, 1)) in mid.choice[0].contents
    assert [one.identifier for one in body.content[0].transactions] == [0xA0]
