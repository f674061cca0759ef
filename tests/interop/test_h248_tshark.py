"""tshark reads the same transactions, contexts, terminations and commands in a real gateway's messages."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from dissectors.h248.facts import facts
from dissectors.h248.layers import H248
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable

GATEWAY = CAPTURES / "h248" / "megaco-t38-fax-gateway.pcap"
FIELDS = ("udp.payload", "version", "mId", "transaction", "transid", "context", "termid", "command", "error_code")
CONTEXTS = {b"-": "0", b"$": "4294967294", b"*": "4294967295"}  # as tshark writes them


@pytest.mark.skipif(not GATEWAY.exists(), reason="shared/captures is not here: no real H.248 to compare")
def test_layers_and_facts_agree_with_tshark(peer: Callable[[str], str]) -> None:
    names = [name if "." in name else f"megaco.{name}" for name in FIELDS]
    shown = subprocess.run(
        [peer("tshark"), "-n", "-r", str(GATEWAY), "-Y", "megaco", "-T", "fields"]
        + [word for name in names for word in ("-e", name)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = shown.splitlines()
    assert len(rows) == 130
    for row in rows:
        theirs = dict(zip(FIELDS, row.split("\t"), strict=True))
        octets = bytes.fromhex(theirs["udp.payload"])
        message = facts(octets)
        assert message is not None
        commands = message.commands
        assert [str(message.version)] == theirs["version"].split(",")
        assert message.mid.decode() == theirs["mId"]
        assert {each.kind.capitalize() for each in commands} == set(theirs["transaction"].split(","))
        assert {str(each.transaction_id) for each in commands} == set(theirs["transid"].split(","))
        contexts = {CONTEXTS.get(each.context_id, each.context_id.decode()) for each in commands}
        assert contexts == set(theirs["context"].split(","))
        assert [each.termination.decode() for each in commands] == theirs["termid"].split(",")
        assert [each.command for each in commands] == theirs["command"].split(",")
        errors = [str(each.error_code) for each in commands if each.error_code is not None]
        assert errors == [text for text in theirs["error_code"].split(",") if text]
        shown_commands = [
            (command.name, command.TerminationID.decode())
            for transaction in H248(octets).messageBody
            for action in transaction.actions
            for command in action.commands
        ]
        assert shown_commands == list(zip(theirs["command"].split(","), theirs["termid"].split(","), strict=True))
