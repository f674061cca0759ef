"""STUN both ways with aioice, the STUN and TURN of an independent ICE stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.binary import notes
from dissectors.stun.layers import STUN, Priority, StunAttribute, Text, XorMappedAddress
from dissectors.tree import tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

TRANSACTION = bytes(range(12))
CODES = {
    "USERNAME": 0x0006, "ERROR-CODE": 0x0009, "CHANNEL-NUMBER": 0x000C, "LIFETIME": 0x000D, "XOR-PEER-ADDRESS": 0x0012,
    "DATA": 0x0013, "REALM": 0x0014, "NONCE": 0x0015, "XOR-RELAYED-ADDRESS": 0x0016, "REQUESTED-TRANSPORT": 0x0019,
    "XOR-MAPPED-ADDRESS": 0x0020, "PRIORITY": 0x0024, "USE-CANDIDATE": 0x0025, "SOFTWARE": 0x8022,
    "ICE-CONTROLLED": 0x8029, "ICE-CONTROLLING": 0x802A, "MESSAGE-INTEGRITY": 0x0008, "FINGERPRINT": 0x8028,
}  # fmt: skip


def test_messages_of_aioice_are_read(peer_module: Callable[[str], ModuleType]) -> None:
    stun = peer_module("aioice.stun")
    for method in (stun.Method.BINDING, stun.Method.ALLOCATE, stun.Method.SEND):
        for kind in stun.Class:
            message = stun.Message(method, kind, transaction_id=TRANSACTION)
            message.attributes["USERNAME"] = "alice:bob"
            message.attributes["ERROR-CODE"] = (487, "Role Conflict")
            message.attributes["LIFETIME"] = 600
            message.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.7", 5000)
            message.attributes["XOR-RELAYED-ADDRESS"] = ("2001:db8::9", 6000)
            message.attributes["PRIORITY"] = 1845501695
            message.attributes["ICE-CONTROLLING"] = 2**63 + 5
            message.attributes["DATA"] = b"abcde"
            message.add_message_integrity(b"key")
            octets = bytes(message)
            read = STUN(octets)
            assert bytes(read) == octets
            assert notes(read) == []
            assert read.message_type == method | kind
            assert [each.type for each in read.attributes] == [CODES[name] for name in message.attributes]
            nodes = list(tree(read).walk())
            told = {each.name: each.meaning or each.value for each in nodes if each.name in ("number", "priority")}
            assert told == {"number": "487 Role Conflict", "priority": "1845501695"}
            addresses = [each.meaning for each in nodes if each.name == "address" and not each.children]
            assert addresses == ["192.0.2.7:5000", "[2001:db8::9]:6000"]


def test_messages_that_are_built_here_are_read_by_aioice(peer_module: Callable[[str], ModuleType]) -> None:
    stun = peer_module("aioice.stun")
    address = XorMappedAddress(family=1, port=5000 ^ 0x2112, address=bytes([192 ^ 0x21, 0x12, 2 ^ 0xA4, 7 ^ 0x42]))
    attributes = [
        StunAttribute(type=0x0006, value=Text(text=b"alice:bob")),
        StunAttribute(type=0x0024, value=Priority(priority=7)),
        StunAttribute(type=0x0020, value=address),
    ]
    octets = bytes(STUN(message_type=0x0101, transaction_id=TRANSACTION, attributes=attributes))
    message = stun.parse_message(octets)
    assert (message.message_method, message.message_class) == (stun.Method.BINDING, stun.Class.RESPONSE)
    assert message.transaction_id == TRANSACTION
    expected = {"USERNAME": "alice:bob", "PRIORITY": 7, "XOR-MAPPED-ADDRESS": ("192.0.2.7", 5000)}
    assert dict(message.attributes) == expected
