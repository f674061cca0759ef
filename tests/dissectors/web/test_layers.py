"""HTTP and RTSP layers keep every octet, end bodies where the headers say, show MIKEY in place, and can be built."""

from __future__ import annotations

import base64
import inspect
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import Layer, notes
from dissectors.mikey.layers import MIKEY
from dissectors.sdp.layer import SDP
from dissectors.tree import tree
from dissectors.web import layers
from dissectors.web.bodies import layers as bodies
from dissectors.web.bodies.layers import Chunk, ChunkedBody, MIKEYText
from dissectors.web.codes import (
    HTTP_METHODS,
    HTTP_STATUS,
    KEYMGMT_PARAMETERS,
    RTSP_METHODS,
    RTSP_STATUS,
    TRANSPORT_PARAMETERS,
)
from dissectors.web.headers import layers as headers
from dissectors.web.headers.layers import (
    Header,
    KeyMgmt,
    KeyMgmtData,
    KeyMgmtParameter,
    KeyMgmtSpec,
    Transport,
    TransportParameter,
    TransportSpec,
)
from dissectors.web.layers import (
    HTTP,
    RTSP,
    HTTPRequestLine,
    HTTPStatusLine,
    Interleaved,
    RTSPRequestLine,
    RTSPStatusLine,
    RTSPStream,
)
from dissectors.web.registries import REGISTRIES
from tests.dissectors.caches import without_caches

LAYERS = sorted(
    {
        one
        for module in (layers, bodies, headers)
        for one in vars(module).values()
        if inspect.isclass(one)
        and issubclass(one, Layer)
        and one.fields_desc
        and one.__module__.startswith("dissectors.web")
    },
    key=lambda one: one.__name__,
)

MESSAGE = base64.b64decode(
    "AQAFAHojKV4BAACVjCMnAAAAAAsA6/mdTLBeokwKEGwcAuPrxj6/enyb+A2+rNcBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAeX8Xv"
    "OCzIMh0JTOWivWLxEflTUSp1fjj2i8xG7D9DAA=="
)
"""A MIKEY message as RTSP cameras send it."""

SETUP = (
    b"SETUP rtsp://10.20.0.2/lab/stream=0 RTSP/1.0\r\nCSeq: 3\r\n"
    b'Transport: RTP/SAVP/UDP;unicast;client_port=5000-5001;mode="PLAY",RTP/AVP/TCP;interleaved=0-1\r\n'
    b'KeyMgmt: prot=mikey; uri="rtsp://10.20.0.2/lab"; data="' + base64.b64encode(MESSAGE) + b'"\r\n\r\n'
)
DESCRIPTION = b"v=0\r\nm=audio 0 RTP/SAVP 0\r\na=recvonly\r\n"
DESCRIBED = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(DESCRIPTION)
) + DESCRIPTION
TICKET = (
    b"POST /keymanagement?requestType=ticketrequest HTTP/1.1\r\nHost: kms.lab.test\r\n"
    b"Content-Type: application/mikey\r\nContent-Length: %d\r\n\r\n" % len(MESSAGE)
) + MESSAGE
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/mikey; version=1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
    b"%x;name=value\r\n" % len(MESSAGE) + MESSAGE + b"\r\n0\r\nExpires: 0\r\n\r\n"
)


def in_chunks(content: bytes, *sizes: int, media_type: bytes = b"application/mikey") -> bytes:
    """A request with a body in chunks of some sizes, and one with what is left."""
    out = b"POST /k HTTP/1.1\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % media_type
    for size in (*sizes, len(content)):
        part, content = content[:size], content[size:]
        out += b"%x\r\n%s\r\n" % (len(part), part) if part else b""
    return out + b"0\r\n\r\n"


IN_CHUNKS = in_chunks(MESSAGE, 10, 50)
ALL = (SETUP, DESCRIBED, TICKET, CHUNKED, IN_CHUNKS)


def looked_through(octets: bytes, layer: type[Packet]) -> Any:
    """The layer of some octets, after everything that a view does with it; every octet is kept."""
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    return packet


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_to_a_message_keeps_the_octets(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(ALL)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(octets)))
        signs = st.sampled_from([b"\r\n", b"\n", b";", b",", b'"', b"=", b":", b"$", b"0\r\n"])
        octets[at : at + data.draw(st.integers(0, 8))] = data.draw(st.one_of(st.binary(max_size=4), signs))
    if octets:
        looked_through(bytes(octets), data.draw(st.sampled_from([HTTP, RTSP, RTSPStream])))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_any_octets(layer: type[Packet], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(ALL))
    cut = data.draw(st.integers(0, len(start) - 1))
    looked_through(start[cut : cut + data.draw(st.integers(1, 250))] + data.draw(st.binary(max_size=8)), layer)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Packet]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 20000,
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20000,
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 100000,
        in_chunks(MESSAGE + bytes(8000), *[1] * 8000),
        b"SETUP a RTSP/1.0\r\nKeyMgmt: " + b'"' * 60000 + b"\r\n\r\n",
        b"SETUP a RTSP/1.0\r\nTransport: " + b"RTP/AVP;a;b," * 8000 + b"\r\n\r\n",
        b"SETUP a RTSP/1.0\r\nX: " + b"\r\n " * 30000 + b"\r\n\r\n",
    ],
    ids=range(7),
)
def test_hostile_octets_take_little_time(octets: bytes) -> None:
    start = time.process_time()
    for layer in (HTTP, RTSP):
        assert bytes(without_caches(layer(octets))) == octets
    assert time.process_time() - start < 5


# --- MIKEY ----------------------------------------------------------------------------------------


def test_a_key_mgmt_header_shows_its_message() -> None:
    packet = looked_through(SETUP, RTSP)
    assert notes(packet) == []
    header = packet.headers[2]
    assert isinstance(header, KeyMgmt)
    prot, uri, data = header.specs[0].parameters
    assert (prot.parameter_name, prot.parameter_value) == (b"prot", b"mikey")
    assert (uri.parameter_name, uri.parameter_value) == (b"uri", b"rtsp://10.20.0.2/lab")
    assert isinstance(data.data, MIKEY)
    assert bytes(data.data) == MESSAGE
    assert data.data.csb_id == 0x7A23295E


def test_a_header_without_quotation_marks_and_one_for_two_streams_are_read() -> None:
    text = base64.b64encode(MESSAGE)
    header = KeyMgmt(b"keymgmt:prot=mikey;data=" + text + b',prot=mikey;uri="a,b";data="' + text + b'"\r\n')
    assert len(header.specs) == 2
    assert isinstance(header.specs[0].parameters[1].data, MIKEY)
    assert header.specs[1].parameters[1].parameter_value == b"a,b"
    assert isinstance(header.specs[1].parameters[2].data, MIKEY)
    assert notes(header) == []


def test_data_that_is_no_message_stays_text_and_is_noted() -> None:
    header = KeyMgmt(b'KeyMgmt: prot=mikey; data="AAAA"\r\n')
    assert header.specs[0].parameters[1].data == b"AAAA"
    assert notes(header) == ["KeyMgmt data at 20: data is no MIKEY message in base64"]


def test_a_body_of_the_mikey_type_is_shown_as_its_message() -> None:
    packet = looked_through(TICKET, HTTP)
    assert notes(packet) == []
    assert isinstance(packet.body, MIKEY)
    text = base64.b64encode(MESSAGE) + b"\r\n"
    encoded = HTTP(b"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\n\r\n" + text)
    assert isinstance(encoded.body, MIKEYText)
    assert bytes(encoded.body.message) == MESSAGE
    assert notes(encoded) == []


def test_an_encoded_body_and_one_of_another_type_stay_raw() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\n"
    assert isinstance(HTTP(head + b"Content-Encoding: gzip\r\n\r\n" + MESSAGE).body, Raw)
    assert isinstance(HTTP(head.replace(b"mikey", b"xml") + b"\r\n" + MESSAGE).body, Raw)


def test_an_sdp_body_is_a_session_description() -> None:
    packet = looked_through(DESCRIBED, RTSP)
    assert isinstance(packet.body, SDP)
    assert packet.body.description().media[0].proto == b"RTP/SAVP"
    assert notes(packet) == []


# --- ends of bodies -------------------------------------------------------------------------------


def test_chunks_are_bounded_and_one_chunk_is_shown_as_its_content() -> None:
    packet = looked_through(CHUNKED + b"HTTP/1.1 200 OK", HTTP)
    body = packet.body
    assert isinstance(body, ChunkedBody)
    first, last = body.chunks
    assert (first.chunk_ext, last.chunk_size) == (b";name=value", b"0")
    assert isinstance(first.chunk_data, MIKEY)
    assert body.content() == MESSAGE
    assert [one.header_name for one in body.trailer_section] == [b"Expires"]
    assert packet.trailing == b"HTTP/1.1 200 OK"


def test_several_chunks_are_put_together() -> None:
    packet = HTTP(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert packet.body.content() == b"abcde"
    assert notes(packet) == []


def test_a_message_cut_over_chunks_is_one_and_each_chunk_says_what_it_has_of_it() -> None:
    packet = looked_through(IN_CHUNKS, HTTP)
    assert notes(packet) == []
    body = packet.body
    assert type(body.joined_content) is MIKEY
    assert bytes(body.joined_content) == body.content() == MESSAGE
    assert body.joined_content.csb_id == 0x7A23295E
    nodes = list(tree(packet).walk())
    assert [node.meaning for node in nodes if node.name == "chunk_size"] == [
        "octets 0 to 9 of joined_content",
        "octets 10 to 59 of joined_content",
        f"octets 60 to {len(MESSAGE) - 1} of joined_content",
        "",
    ]
    (inside,) = [node for node in nodes if node.name == "MIKEY"]
    assert (inside.octets, inside.length) == (MESSAGE, len(MESSAGE))
    key = next(node for node in inside.walk() if node.name == "key_data")
    assert key.secret
    assert all(node.secret for node in nodes if node.name == "chunk_data")  # a part of the key may stand there


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_message_is_the_same_wherever_its_chunks_are_cut(sizes: list[int]) -> None:
    packet = looked_through(in_chunks(MESSAGE, *sizes), HTTP)
    assert bytes(packet.body.joined_content) == MESSAGE
    assert notes(packet) == []


def test_a_description_cut_over_chunks_is_one_and_what_is_not_shown_further_stays_in_chunks() -> None:
    described = looked_through(in_chunks(DESCRIPTION, 7, 9, media_type=b"application/sdp"), HTTP)
    assert isinstance(described.body.joined_content, SDP)
    assert len(described.body.joined_content.lines) == 3
    encoded = looked_through(in_chunks(base64.b64encode(MESSAGE), 7), HTTP)
    assert isinstance(encoded.body.joined_content, MIKEYText)
    assert bytes(encoded.body.joined_content.message) == MESSAGE
    for octets in (in_chunks(MESSAGE, 9, media_type=b"text/plain"), in_chunks(b"\0" + MESSAGE, 9)):
        other = looked_through(octets, HTTP)
        assert other.body.joined_content is None
        assert [type(one) for one in other.body.chunks] == [Chunk] * 3


def test_a_message_cut_over_chunks_is_built_as_it_was_changed() -> None:
    packet = HTTP(IN_CHUNKS)
    packet.body.joined_content.csb_id = 1
    again = HTTP(bytes(packet))
    assert again.body.joined_content.csb_id == 1
    assert [one.chunk_size for one in again.body.chunks] == [b"a", b"32", b"%x" % (len(MESSAGE) - 60), b"0"]
    assert bytes(packet.copy()) == bytes(packet)
    packet.body.joined_content = Raw(load=b"x" * 100)
    packet.body.chunks[2].chunk_size = None
    assert HTTP(bytes(packet)).body.content() == b"x" * 100
    packet.body.joined_content = None
    packet.body.chunks[0].chunk_data = b"0123456789"
    assert HTTP(bytes(packet)).body.content() == b"0123456789" + MESSAGE[10:]
    hidden = HTTP(IN_CHUNKS)
    hidden.body.chunks[0].chunk_data = b"0123456789"
    assert notes(hidden) == [
        "chunked body at 81: the chunks hold other octets than joined_content, which they are built from"
    ]
    built = bytes(ChunkedBody(joined_content=MIKEY(MESSAGE)))
    assert built == b"%x\r\n" % len(MESSAGE) + MESSAGE + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"3\r\nab", ["chunked body at 47: no last chunk", "chunked body at 47: chunk says 3 octets, 2 are there"]),
        (
            b"fffffffffff\r\nab\r\n",
            ["chunked body at 47: no last chunk", "chunked body at 47: chunk says 17592186044415 octets"],
        ),
    ],
    ids=["cut", "huge"],
)
def test_a_chunk_that_ends_early_is_noted(octets: bytes, expected: list[str]) -> None:
    packet = looked_through(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + octets, HTTP)
    found = notes(packet)
    assert all(any(text.startswith(each) for text in found) for each in expected)


@pytest.mark.parametrize(
    ("octets", "layer", "body"),
    [
        (b"GET / HTTP/1.1\r\n\r\nabc", HTTP, None),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc", HTTP, b"ab"),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", HTTP, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\nabc", HTTP, None),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nabc", HTTP, None),
        (b"RTSP/1.0 200 OK\r\n\r\nabc", RTSP, None),
        (b"RTSP/1.0 200 OK\r\nContent-length: 3\r\n\r\nabc", RTSP, b"abc"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nabc", HTTP, None),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\nabc", HTTP, b"abc"),
    ],
    ids=range(9),
)
def test_a_body_ends_where_the_headers_say(octets: bytes, layer: type[Packet], body: bytes | None) -> None:
    packet = looked_through(octets, layer)
    assert (packet.body if body is None else bytes(packet.body)) == body


@pytest.mark.parametrize(
    ("head", "note"),
    [
        (b"Content-Length: x", "HTTP at 0: Content-Length is no number"),
        (b"Content-Length: 1\r\nContent-Length: 2", "HTTP at 0: Content-Length is given with different values"),
        (b"Content-Length: 9", "HTTP at 0: Content-Length says 9 octets, 3 are there"),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked", "HTTP at 0: Content-Length beside chunks"),
        (b"nonsense\r\nContent-Length: 3", "header at 17: header without a name"),
    ],
    ids=range(5),
)
def test_notes_say_what_is_wrong(head: bytes, note: str) -> None:
    assert note in notes(HTTP(b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nabc"))


def test_a_message_without_its_empty_line_is_noted() -> None:
    assert notes(RTSP(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n")) == ["RTSP at 0: no empty line behind the headers"]


# --- streams --------------------------------------------------------------------------------------


def test_a_connection_shows_messages_and_interleaved_packets() -> None:
    frame = b"$\x00\x00\x03abc"
    stream = looked_through(SETUP + frame + frame + DESCRIBED + b"$\x01\x00\x09ab", RTSPStream)
    assert [one.name for one in stream.items] == ["RTSP", "interleaved", "interleaved", "RTSP", "Raw"]
    assert (stream.items[1].channel_identifier, bytes(stream.items[1].octets)) == (0, b"abc")
    assert notes(stream) == [f"RTSP stream items: 6 octets at {len(SETUP) + 14 + len(DESCRIBED)} are not explained"]
    assert isinstance(RTSP(frame), Interleaved)


# --- names ----------------------------------------------------------------------------------------


def _meaning(packet: Any, name: str) -> str:
    return str(packet.get_field(name).meaning(packet, packet.getfieldval(name)))


def test_every_method_is_named() -> None:
    for layer, methods in ((HTTPRequestLine, HTTP_METHODS), (RTSPRequestLine, RTSP_METHODS)):
        for method, name in methods.items():
            assert _meaning(layer(method + b" * X/1.0\r\n"), "method") == name
        assert _meaning(layer(b"FOO * X/1.0\r\n"), "method") == "unknown method"


def test_every_status_is_named() -> None:
    for layer, codes in ((HTTPStatusLine, HTTP_STATUS), (RTSPStatusLine, RTSP_STATUS)):
        for code, name in codes.items():
            assert _meaning(layer(b"X/1.0 %d x\r\n" % code), "status_code") == name
        assert _meaning(layer(b"X/1.0 799 x\r\n"), "status_code") == "unknown status"


def test_every_parameter_is_named() -> None:
    for name, meaning in KEYMGMT_PARAMETERS.items():
        layer = KeyMgmtData if name == b"data" else KeyMgmtParameter
        assert _meaning(layer(name.upper() + b"=x"), "parameter_name") == meaning
    for name, meaning in TRANSPORT_PARAMETERS.items():
        assert _meaning(TransportParameter(name + b"=x"), "parameter_name") == meaning


def test_a_transport_says_whether_its_profile_is_protected() -> None:
    transport = RTSP(SETUP).headers[1]
    assert isinstance(transport, Transport)
    first, second = transport.specs
    assert (first.profile, _meaning(first, "profile")) == (b"SAVP", "protected")
    assert [(one.parameter_name, one.parameter_value) for one in first.parameters] == [
        (b"unicast", b""),
        (b"client_port", b"5000-5001"),
        (b"mode", b"PLAY"),
    ]
    assert (second.profile, second.lower_transport, _meaning(second, "profile")) == (b"AVP", b"TCP", "not protected")


def test_every_registry_names_a_test_that_is_there() -> None:
    for registry in REGISTRIES:
        assert callable(globals()[registry.test.rpartition("::")[2]]), registry.name


# --- building -------------------------------------------------------------------------------------


def test_a_request_with_key_management_is_built() -> None:
    data = KeyMgmtData(parameter_name=b"data", quote=b'"', data=MIKEY(MESSAGE), end_quote=b'"')
    spec = KeyMgmtSpec(parameters=[KeyMgmtParameter(parameter_name=b"prot", parameter_value=b"mikey"), data])
    transport = TransportSpec(profile=b"SAVP", parameters=[TransportParameter(parameter_name=b"unicast", equals=b"")])
    packet = RTSP(
        start_line=RTSPRequestLine(method=b"SETUP", request_target=b"rtsp://a/b"),
        headers=[
            Header(header_name=b"CSeq", header_value=b"1"),
            Transport(specs=[transport, transport.copy()]),
            KeyMgmt(specs=[spec]),
            Header(header_name=b"Content-Length", header_value=None),
        ],
        body=Raw(load=b"abc"),
    )
    built = bytes(packet)
    assert built == (
        b"SETUP rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/SAVP;unicast,RTP/SAVP;unicast\r\n"
        b'KeyMgmt: prot=mikey;data="' + base64.b64encode(MESSAGE) + b'"\r\nContent-Length: 3\r\n\r\nabc'
    )
    again = RTSP(built)
    assert notes(again) == []
    again.headers[2].specs[0].parameters[1].data.csb_id = 1
    assert base64.b64encode(MESSAGE) not in bytes(again)


def test_chunks_are_built_with_their_sizes() -> None:
    body = ChunkedBody(chunks=[Chunk(chunk_data=Raw(load=bytes(17))), Chunk()])
    assert bytes(body) == b"11\r\n" + bytes(17) + b"\r\n0\r\n\r\n"
