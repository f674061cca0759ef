"""Messages of every data type, built as the specifications compose them, are read as they were built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import notes
from dissectors.mikey import codes
from dissectors.mikey.compositions import COMPOSITIONS
from dissectors.mikey.fields import code_of
from dissectors.mikey.layers import MIKEY
from dissectors.mikey.messages import message
from dissectors.mikey.payload.layers import RAND, V
from dissectors.tree import tree
from tests.dissectors.caches import without_caches
from tests.dissectors.mikey import building


def shape(value: Any) -> Any:
    """Classes and values of a packet, down to the last field, without what building computes."""
    if isinstance(value, Packet):
        if isinstance(value, Raw):
            return bytes(value)
        return type(value).__name__, {
            field.name: shape(value.getfieldval(field.name))
            for field in value.fields_desc
            if "len" not in field.name and not field.name.startswith(("next_p", "first_p", "number_of"))
        }
    if isinstance(value, list):
        return [shape(one) for one in value]
    return value or b""


@pytest.mark.parametrize("data_type", sorted(COMPOSITIONS))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_messages_of_every_data_type_are_read_as_they_were_built(data_type: int, data: st.DataObject) -> None:
    built = data.draw(building.messages(data_type))
    octets = bytes(built)
    read = MIKEY(octets)
    assert shape(read) == shape(built)
    assert bytes(without_caches(read)) == octets
    assert notes(read) == []
    assert codes.DATA_TYPES[data_type] in {node.meaning for node in tree(read).walk()}
    facts = message(read)
    assert (facts.data_type, facts.csb_id, facts.unread) == (data_type, built.csb_id, b"")
    assert len(facts.crypto_sessions) == len(built.cs_id_map_info)


@pytest.mark.parametrize("data_type", sorted(COMPOSITIONS))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_mutated_messages_keep_every_octet(data_type: int, data: st.DataObject) -> None:
    octets = bytearray(bytes(data.draw(building.messages(data_type))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets) - 1))
        match data.draw(st.sampled_from(["change", "cut", "insert", "end"])):
            case "change":
                octets[at] = data.draw(st.integers(0, 255))
            case "cut":
                del octets[at : at + data.draw(st.integers(1, 4))]
            case "insert":
                octets[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case _:
                del octets[at + 1 :]
        if not octets:
            return
    read = without_caches(MIKEY(bytes(octets)))
    assert bytes(read) == bytes(octets)
    assert bytes(read.copy()) == bytes(octets)
    assert all(isinstance(text, str) for text in notes(read))
    assert tree(read).length == len(octets)
    assert bytes(octets).endswith(message(read).unread)


@pytest.mark.parametrize("data_type", sorted(COMPOSITIONS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_missing_mandatory_payload_is_named(data_type: int, data: st.DataObject) -> None:
    composition = COMPOSITIONS[data_type]
    built = data.draw(building.messages(data_type))
    code = data.draw(st.sampled_from(composition.required))
    built.payloads = [one for one in built.payloads if code_of(one) != code]
    texts = notes(MIKEY(bytes(built)))
    assert f"MIKEY at 0: the mandatory payload {codes.NEXT_PAYLOADS[code]} is missing" in texts


@pytest.mark.parametrize("data_type", [one for one, composition in COMPOSITIONS.items() if composition.last == codes.V])
def test_a_wrong_last_payload_is_named(data_type: int) -> None:
    read = MIKEY(bytes(MIKEY(data_type=data_type, cs_id_map_type=1, payloads=[V(ver_data=bytes(20)), RAND(rand=b"r")])))
    assert "MIKEY at 0: the last payload is RAND, not V" in notes(read)


def test_the_order_of_payloads_is_no_trouble() -> None:
    assert list(COMPOSITIONS[0].troubles((codes.RAND, codes.ID, codes.T, codes.KEMAC))) == []


@pytest.mark.parametrize(
    ("data_type", "found", "troubles"),
    [
        (2, (codes.T, codes.PKE, codes.SIGN), []),
        (
            2,
            (codes.T, codes.RAND, codes.PKE, codes.SIGN),
            ["the mandatory payload KEMAC is missing"],
        ),
        (14, (codes.T, codes.KEMAC, codes.V), []),
        (14, (codes.T, codes.RANDR, codes.V), ["the mandatory payload TICKET is missing"]),
        (14, (codes.T, codes.TICKET, codes.V), ["the mandatory payload RANDR is missing"]),
        (5, (codes.T, codes.ID, codes.SIGN), []),
        (5, (codes.T, codes.ID, codes.DH, codes.SIGN), ["the mandatory payload DH is missing: 1 of 2 are there"]),
        (22, (codes.T, codes.RAND, codes.IDR, codes.IBAKE), ["the mandatory payload IDR is missing: 1 of 2 are there"]),
        (0, (codes.T, codes.KEMAC, codes.T), ["the last payload is T, not KEMAC"]),
    ],
)
def test_updates_may_leave_out_what_initial_messages_need(
    data_type: int, found: tuple[int, ...], troubles: list[str]
) -> None:
    assert list(COMPOSITIONS[data_type].troubles(found)) == troubles


@settings(max_examples=60, deadline=None)
@given(payload=building.inner)
def test_payloads_inside_encrypted_data_are_read_as_they_were_built(payload: Packet) -> None:
    octets = bytes(payload)
    read = type(payload)(octets)
    assert shape(read) == shape(payload)
    assert bytes(without_caches(read)) == octets
    assert notes(read) == []


def test_public_key_messages_show_the_identity_before_the_keys() -> None:
    kemac = bytes.fromhex("00 00 000c" + "14 00 0001 61" + "00 20 0003 010203" + "00")
    read = MIKEY(bytes.fromhex("01 02 01 00 00000001 00 01") + kemac)
    assert [type(one).__name__ for one in read.payloads[0].encr_data.payloads] == ["ID", "KeyData"]
    assert read.payloads[0].encr_data.payloads[1].key_data == b"\x01\x02\x03"
    assert bytes(without_caches(read))[10:] == kemac
