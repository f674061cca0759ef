"""CPIM messages and MIME bodies: every header by its layer, every octet kept, nothing raised on any octets."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import notes
from dissectors.cpim import layers
from dissectors.cpim.codes import DISPOSITION_NOTIFICATIONS, HEADER_NAMES, IMDN_HEADER_NAMES
from dissectors.cpim.layers import (
    CPIM,
    CPIM_HEADERS,
    CPIMNS,
    IMDN_HEADERS,
    CPIMDateTime,
    CPIMFrom,
    CPIMHeader,
    CPIMParameter,
    CPIMSubject,
    CPIMTo,
    IMDNDispositionNotification,
    IMDNMessageID,
    IMDNNotifyRequest,
    MIMEContentType,
    MIMEEntity,
    MIMEMultipart,
    MIMEParameter,
    MIMEText,
    content_type,
    header_value,
    unescaped,
)
from dissectors.cpim.registries import REGISTRIES
from dissectors.header_lines import TextWithPayload
from dissectors.sdp.layer import SDP
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

LAYERS = [
    one
    for one in vars(layers).values()
    if inspect.isclass(one) and issubclass(one, TextWithPayload) and "fields_desc" in vars(one)
]

MESSAGE = (
    b"From: MR SANDERS <im:piglet@example.com>\r\n"
    b'To: "Donkey \\"E\\"" <im:eeyore@example.com>\r\n'
    b"cc: <im:roo@example.com>\r\n"
    b"DateTime: 2026-01-02T03:04:05.5-08:00\r\n"
    b"Subject: the weather\r\n"
    b"Subject:;lang=fr beau \\u00e9t\\u00E9\r\n"
    b"NS: imdn <urn:ietf:params:imdn>\r\n"
    b"imdn.Message-ID: 34jk324j\r\n"
    b"imdn.Disposition-Notification: positive-delivery, display\r\n"
    b"NS: My <mid:features@example.com>\r\n"
    b"Require: My.Vital,imdn.Message-ID\r\n"
    b"My.Vital: yes\r\n"
    b"\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-ID: <1@example.com>\r\n"
    b"\r\n"
    b"Here is the text.\r\n"
)
MULTIPART = (
    b'Content-type: multipart/mixed;\r\n boundary="b1"\r\n\r\npreamble\r\n'
    b"--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: attachment; filename=x\r\n\r\nv=0\r\ns=-\r\n\r\n"
    b"--b1\r\nContent-Type: message/cpim\r\n\r\nFrom: <im:a@b>\r\n\r\n"
    b"Content-Type: application/imdn+xml\r\n\r\n<a/>\r\n"
    b"--b1\r\n\r\nno headers\r\n--b1--\r\nepilogue"
)
SEEDS = [MESSAGE, MULTIPART, *(line + b"\r\n" for line in MESSAGE.split(b"\r\n") if line)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Packet], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(SEEDS))
    cut = data.draw(st.integers(0, len(start)))
    middle = data.draw(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n", b"\r\n\r\n", b'"', b"<", b";", b": "]))
    )
    octets = start[:cut] + middle + start[cut + data.draw(st.integers(0, 30)) :] or b"x"
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Packet]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


def test_a_message_is_shown_header_by_header() -> None:
    packet = CPIM(MESSAGE)
    kinds = [type(each).__name__ for each in packet.headers]
    assert kinds == [
        "CPIMFrom", "CPIMTo", "CPIMcc", "CPIMDateTime", "CPIMSubject", "CPIMSubject", "CPIMNS", "IMDNMessageID",
        "IMDNDispositionNotification", "CPIMNS", "CPIMRequire", "CPIMHeader",
    ]  # fmt: skip
    sender, recipient, copy, when, _, subject, _, identifier, wanted, _, require, vital = packet.headers
    assert (sender.formal_name, sender.uri) == (b"MR SANDERS ", b"im:piglet@example.com")
    assert (recipient.formal_name, copy.uri) == (b'"Donkey \\"E\\""', b"im:roo@example.com")
    assert when.date_time == b"2026-01-02T03:04:05.5-08:00"
    assert (subject.parameters[0].parameter_value, subject.text()) == (b"fr", "beau été")
    assert (identifier.name_prefix, identifier.message_id) == (b"imdn", b"34jk324j")
    assert [each.disposition for each in wanted.requests] == [b"positive-delivery", b"display"]
    assert [each.required_name for each in require.required] == [b"My.Vital", b"imdn.Message-ID"]
    assert (vital.name_prefix, vital.header_name, vital.header_value) == (b"My", b"Vital", b"yes")
    assert packet.namespaces() == {b"imdn": b"urn:ietf:params:imdn", b"My": b"mid:features@example.com"}
    assert content_type(packet.content) == (b"text/plain", {b"charset": b"utf-8"})
    assert header_value(packet.content, b"content-id") == b"<1@example.com>"
    assert packet.content.body.text == b"Here is the text.\r\n"
    assert notes(packet) == []


@pytest.mark.parametrize("name", HEADER_NAMES)
def test_every_header_of_rfc_3862_has_a_layer(name: bytes) -> None:
    (header,) = CPIM(name + b": <x:y>\r\n").headers
    assert type(header) is CPIM_HEADERS[name]
    assert header.header_name == name


@pytest.mark.parametrize("name", IMDN_HEADER_NAMES)
def test_every_header_of_the_imdn_namespace_has_a_layer(name: bytes) -> None:
    for declared, prefix in ((b"imdn ", b"imdn."), (b"q ", b"q."), (b"", b"")):
        _, header = CPIM(b"NS: " + declared + b"<urn:ietf:params:imdn>\r\n" + prefix + name + b": <x:y>\r\n").headers
        assert type(header) is IMDN_HEADERS[name]
    (header,) = CPIM(b"imdn." + name + b": <x:y>\r\n").headers
    assert type(header) is CPIMHeader


@pytest.mark.parametrize(("value", "meaning"), DISPOSITION_NOTIFICATIONS.items())
def test_every_disposition_is_named(value: bytes, meaning: str) -> None:
    assert f"{value!r} ({meaning})" in IMDNNotifyRequest(value).show(dump=True)


def test_registries_have_a_layer_for_each_header() -> None:
    for registry in REGISTRIES:
        assert {registry.state(name) for name in registry.names} <= {"decoded", "named"}
        assert registry.names


@pytest.mark.parametrize(
    ("octets", "note"),
    [
        (b"From:<im:a@b>\r\n", "CPIM From at 0: not exactly one space behind the colon"),
        (b"From: im:a@b\r\n", "CPIM From at 0: no URI in angle brackets"),
        (b"cc: <im:a@b>; <im:c@d>\r\n", "CPIM cc at 0: octets behind the URI"),
        (b"CC: <im:a@b>\r\n", "CPIM at 0: 'CC': header names are case-sensitive"),
        (b"DateTime: yesterday\r\n", "CPIM DateTime at 0: no date and time of RFC 3339"),
        (b"DateTime: 2026-13-02T03:04:05Z\r\n", "CPIM DateTime at 0: no date and time of RFC 3339"),
        (b"My.Vital: x\r\n", "CPIM at 0: 'Vital': no NS header in front declares its prefix"),
        (b"NS: imdn\r\n", "CPIM NS at 0: no URI in angle brackets"),
        (b"Subject: a\tb\r\n", "CPIM Subject at 0: control characters in the value"),
        (b"nonsense\r\n", "CPIM header at 0: no header name"),
        (b"From: <im:a@b>\r\n\r\nX: y\r\n\r\nbody", "CPIM at 0: the body has no Content-Type"),
    ],
)
def test_what_the_specification_rules_out_is_noted(octets: bytes, note: str) -> None:
    assert note in notes(CPIM(octets))


def test_a_message_that_is_cut_is_not_called_wrong() -> None:
    for cut in range(1, len(MESSAGE)):
        assert notes(CPIM(MESSAGE[:cut])) == []


def test_escapes_are_undone() -> None:
    assert unescaped(rb"a\\b\"c\'\tx\n\u20acz\q" + b"\\") == "a\\b\"c'\tx\n€zq"
    assert unescaped(b"\\ud800 \\u12 \xff") == "\ufffd u12 \ufffd"


def test_a_multipart_body_is_taken_apart_by_its_boundary() -> None:
    packet = MIMEEntity(MULTIPART)
    assert bytes(without_caches(packet)) == MULTIPART
    body = packet.body
    assert isinstance(body, MIMEMultipart)
    assert (body.preamble, body.epilogue) == (b"preamble\r\n", b"\r\n--b1--\r\nepilogue")
    first, second, third = (part.entity for part in body.parts)
    assert isinstance(first.body, SDP)
    assert [line.type for line in first.body.lines] == [b"v", b"s"]
    assert isinstance(second.body, CPIM)
    assert second.body.content.body.text == b"<a/>"
    assert (third.headers, bytes(third.body)) == ([], b"no headers")
    assert notes(packet) == []
    assert [node.value for node in tree(packet).walk() if node.name == "text"] == ["<a/>"]


def test_an_encoded_body_stays_octets() -> None:
    packet = MIMEEntity(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=")
    assert (type(packet.body), bytes(packet.body)) == (Raw, b"aGk=")
    assert isinstance(MIMEEntity(b"Content-Transfer-Encoding: 8bit\r\nContent-Type: text/x\r\n\r\nhi").body, MIMEText)


def test_no_body_and_an_empty_body_are_two_things() -> None:
    assert MIMEEntity(b"Content-Type: text/plain\r\n").body is None
    assert bytes(MIMEEntity(b"Content-Type: text/plain\r\n\r\n").body) == b""
    assert bytes(MIMEEntity(headers=[MIMEContentType()], body=b"")) == b"Content-Type: text/plain\r\n\r\n"


def test_a_message_can_be_built() -> None:
    packet = CPIM(
        headers=[
            CPIMFrom(uri=b"im:a@b"),
            CPIMTo(formal_name=b'"B"', white_space=b" ", uri=b"im:b@c"),
            CPIMDateTime(),
            CPIMNS(namespace_prefix=b"imdn", uri=b"urn:ietf:params:imdn"),
            IMDNMessageID(message_id=b"x1"),
            IMDNDispositionNotification(
                requests=[IMDNNotifyRequest(comma=b", "), IMDNNotifyRequest(disposition=b"display")]
            ),
            CPIMSubject(parameters=[CPIMParameter(parameter_value=b"en")], subject=b"hi"),
        ],
        content=MIMEEntity(
            headers=[MIMEContentType(parameters=[MIMEParameter(parameter_name=b"charset", parameter_value=b"utf-8")])],
            body=MIMEText(text=b"hello"),
        ),
    )
    assert bytes(packet) == (
        b'From: <im:a@b>\r\nTo: "B" <im:b@c>\r\nDateTime: 2026-01-01T00:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n'
        b"imdn.Message-ID: x1\r\nimdn.Disposition-Notification: positive-delivery, display\r\nSubject:;lang=en hi\r\n"
        b"\r\nContent-Type: text/plain;charset=utf-8\r\n\r\nhello"
    )
    assert notes(CPIM(bytes(packet))) == []
    packet.headers[0].uri = b"im:z@b"
    assert bytes(packet).startswith(b"From: <im:z@b>\r\n")


def test_envelopes_within_envelopes_are_taken_apart_to_a_depth_only() -> None:
    octets = b"From: <x:y>\r\n\r\nContent-Type: message/cpim\r\n\r\n" * 3_000
    packet = CPIM(octets)
    assert bytes(without_caches(packet)) == octets
    depth, inner = 0, packet
    while isinstance(inner, CPIM | MIMEEntity):
        inner = inner.content if isinstance(inner, CPIM) else inner.body
        depth += 1
    assert (depth, type(inner)) == (24, Raw)
    assert notes(packet) == []
    nested = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 1_000
    assert bytes(without_caches(MIMEEntity(nested))) == nested


def test_many_headers_and_parameters_are_kept_in_bounds() -> None:
    octets = b"X: y\r\n" * 5_000 + b"\r\nContent-Type: a/b" + b";c=d" * 5_000 + b"\r\n\r\nbody"
    packet = CPIM(octets)
    assert len(packet.headers) == 1_025
    assert len(packet.content.headers[0].parameters) == 257
    assert bytes(packet.content.body) == b"body"
    assert bytes(without_caches(packet)) == octets
