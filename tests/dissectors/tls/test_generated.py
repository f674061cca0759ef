"""Valid messages of every type are built, read back as they were built, and survive mutation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import Layer, notes
from dissectors.tls.codes import HANDSHAKE_TYPES
from dissectors.tls.extensions import layers as ext
from dissectors.tls.layers import DTLS, TLS, DTLSHandshake, TLSHandshake, handshake
from dissectors.tls.messages import layers as msg
from dissectors.tls.suites import suite
from dissectors.tree import tree
from tests.dissectors.caches import without_caches
from tests.dissectors.tls.strategies import PLAIN, extension, filled, message, record

FORMS = [(code, layer) for code, layers in sorted(PLAIN.items()) for layer in layers]
EXTENSIONS = [(table, code) for table in ext.Extension.__subclasses__() for code in sorted(table.typed)]


def same(built: Any, read: Any) -> None:
    """What was read has the values that were built, layer by layer."""
    assert type(built) is type(read)
    if isinstance(built, Raw):
        assert bytes(built) == bytes(read)
        return
    for name, value in built.fields.items():
        found = read.getfieldval(name)
        if isinstance(value, Packet):
            same(value, found)
        elif isinstance(value, list) and any(isinstance(one, Packet) for one in value):
            assert len(value) == len(found)
            for one, other in zip(value, found, strict=True):
                same(one, other)
        else:
            assert found == value, name


def test_every_type_of_handshake_message_is_generated() -> None:
    assert set(PLAIN) == set(HANDSHAKE_TYPES) - {6, 67}  # of drafts


@pytest.mark.parametrize(("code", "layer"), FORMS, ids=lambda one: getattr(one, "__name__", str(one)))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_valid_message_is_read_back_as_it_was_built(code: int, layer: type[Layer], data: st.DataObject) -> None:
    body = data.draw(filled(layer))
    octets = bytes(body)
    if octets:
        read = layer(octets)
        same(body, read)
        assert notes(read) == []
        assert bytes(without_caches(read)) == octets
    for dtls in (False, True):
        whole = bytes(data.draw(message(code, layer, dtls=dtls)))
        packet = (DTLSHandshake if dtls else TLSHandshake)(whole)
        assert packet.msg_type == code
        assert bytes(without_caches(packet)) == whole
        assert all(isinstance(node.value, str) for node in tree(packet).walk())


@pytest.mark.parametrize(("table", "code"), EXTENSIONS, ids=lambda one: getattr(one, "__name__", str(one)))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_valid_extension_is_read_back_as_it_was_built(
    table: type[ext.Extension], code: int, data: st.DataObject
) -> None:
    built = data.draw(extension(table, code))
    octets = bytes(built)
    read = table(octets)
    if len(octets) > 4:
        same(built, read)
        assert notes(read) == []
    assert bytes(without_caches(read)) == octets


@pytest.mark.parametrize("dtls", [False, True])
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_records_of_valid_messages_and_their_mutations_keep_every_octet(dtls: bool, data: st.DataObject) -> None:
    layer = DTLS if dtls else TLS
    octets = b"".join(bytes(one) for one in data.draw(st.lists(record(dtls=dtls), min_size=1, max_size=4)))
    packet = layer(octets)
    assert not any(isinstance(one, Raw) for one in packet.records)
    assert bytes(without_caches(packet)) == octets
    hostile = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 5))):
        hostile[data.draw(st.integers(0, len(hostile) - 1))] = data.draw(st.integers(0, 255))
    del hostile[data.draw(st.integers(0, len(hostile))) :]
    if hostile:
        packet = layer(bytes(hostile))
        assert bytes(without_caches(packet)) == bytes(hostile)
        assert all(isinstance(text, str) for text in notes(packet))
        assert all(isinstance(node.meaning, str) for node in tree(packet).walk())


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    code=st.sampled_from(
        [0x002F, 0x0003, 0x0033, 0x0034, 0xC018, 0xC02F, 0x00A8, 0x00AA, 0x00AC, 0xC037, 0xC01D, 0x1301]
    ),
    version=st.sampled_from([0x0300, 0x0301, 0x0303, 0x0304, 0xFEFF, 0xFEFD, 0xFEFC, 0x9999]),
    dtls=st.booleans(),
)
def test_messages_read_under_a_suite_and_a_version_keep_every_octet(
    data: st.DataObject, code: int, version: int, dtls: bool
) -> None:
    form = data.draw(st.sampled_from(FORMS))
    octets = bytearray(bytes(data.draw(message(*form, dtls=dtls))))
    for _ in range(data.draw(st.integers(0, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    packet = handshake(bytes(octets), suite(code), version, dtls=dtls)
    assert bytes(without_caches(packet)) == bytes(octets)
    assert all(isinstance(text, str) for text in notes(packet))
    assert all(isinstance(node.meaning, str) for node in tree(packet).walk())


def test_a_generated_hello_of_every_extension_at_once() -> None:
    every = [ext.ClientHelloExtension(extension_type=code) for code in sorted(ext.CLIENT_HELLO) if code != 41]
    hello = msg.ClientHello(cipher_suites=[1], compression_methods=[0], extensions=every)
    read = msg.ClientHello(bytes(hello))
    assert [one.extension_type for one in read.extensions] == [one.extension_type for one in every]
