"""The Scapy layers of MSRP keep every octet, agree with the lean parser, name what they read, and can be built."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import notes
from dissectors.cpim.layers import CPIM, MIMEContentType, MIMEMultipart, MIMEText
from dissectors.header_lines import TextWithPayload
from dissectors.msrp import layers
from dissectors.msrp.codes import (
    CONTINUATION_FLAGS,
    FAILURE_REPORTS,
    HEADERS,
    METHODS,
    NAMESPACES,
    SCHEMES,
    STATUS_CODES,
    SUCCESS_REPORTS,
)
from dissectors.msrp.layers import (
    HEADER_LAYERS,
    MSRP,
    MSRPURI,
    MSRPAuthorization,
    MSRPByteRange,
    MSRPChallenge,
    MSRPDigestParameter,
    MSRPFragment,
    MSRPHeader,
    MSRPMessageID,
    MSRPNickname,
    MSRPPath,
    MSRPStatus,
    MSRPStream,
    MSRPURIParameter,
    MSRPUsePath,
)
from dissectors.msrp.registries import REGISTRIES
from dissectors.sdp.layer import SDP
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

LAYERS = [
    one
    for one in vars(layers).values()
    if inspect.isclass(one)
    and issubclass(one, TextWithPayload)
    and one.__module__.startswith("dissectors.msrp.")
    and "fields_desc" in vars(one)
]

PATHS = b"To-Path: msrp://b.example.com:8888/9di4;tcp\r\nFrom-Path: msrp://a.example.com:7654/iau3;tcp\r\n"
SEND = (
    b"MSRP d93kswow SEND\r\n" + PATHS + b"Message-ID: 12339sdqwer\r\nSuccess-Report: yes\r\nFailure-Report: partial\r\n"
    b"Byte-Range: 1-16/16\r\nContent-Type: text/plain\r\n\r\nHi, I'm Alice!\r\n\r\n-------d93kswow$\r\n"
)
RESPONSE = b"MSRP d93kswow 200 OK\r\n" + PATHS + b"-------d93kswow$\r\n"
REPORT = (
    b"MSRP dkei38sd REPORT\r\n" + PATHS + b"Message-ID: 12339sdqwer\r\nByte-Range: 1-*/16\r\n"
    b"Status: 000 408 Timed out\r\n-------dkei38sd$\r\n"
)
CHALLENGE = (
    b"MSRP 49fh 401 Unauthorized\r\n" + PATHS + b'WWW-Authenticate: Digest realm="intra.example.com", qop="auth", '
    b'nonce="dcd98b7102dd"\r\n-------49fh$\r\n'
)
AUTH = (
    b"MSRP 49fi AUTH\r\nTo-Path: msrps://alice@intra.example.com;tcp\r\nFrom-Path: msrps://a.example.com:9892/98cj;tcp\r\n"
    b'Authorization: Digest username="alice", realm="intra, \\" x", nonce="dcd98b7102dd", uri="msrps://a;tcp", '
    b'qop=auth, cnonce="0a4f113b", nc=00000001, response="6629fae49393a05397450978507c4ef1"\r\n'
    b"Expires: 600\r\n-------49fi$\r\n"
)
GRANTED = (
    b"MSRP 49fi 200 OK\r\n" + PATHS + b"Use-Path: msrps://intra.example.com:9000/jui787s2f;tcp "
    b'msrps://extra.example.com:9000/mywdEe1233;tcp\r\nAuthentication-Info: nextnonce="abc", rspauth="def", '
    b"nc=00000001\r\nExpires: 900\r\n-------49fi$\r\n"
)
NICKNAME = b"MSRP d93kswow NICKNAME\r\n" + PATHS + b'Use-Nickname: "Alice the \\"great\\""\r\n-------d93kswow$\r\n'
ENVELOPE = (
    b"MSRP d93k1 SEND\r\n" + PATHS + b"Message-ID: 12339s\r\nByte-Range: 1-*/*\r\nContent-Type: message/cpim\r\n\r\n"
    b"From: <im:a@b>\r\nTo: <im:b@c>\r\n\r\nContent-Type: text/plain\r\n\r\nHello\r\n-------d93k1+\r\n"
)
SEEDS = [SEND, RESPONSE, REPORT, CHALLENGE, AUTH, GRANTED, NICKNAME, ENVELOPE, SEND + RESPONSE]
HEADER_LINES = [line + b"\r\n" for seed in SEEDS for line in seed.split(b"\r\n") if b": " in line]


def message(header: bytes, method: bytes = b"SEND", body: bytes | None = None) -> MSRP:
    """A request with one more header line."""
    ended = b"" if body is None else b"Content-Type: text/plain\r\n\r\n" + body + b"\r\n"
    return MSRP(
        b"MSRP abcd " + method + b"\r\n" + PATHS + b"Message-ID: 12339\r\n" + header + ended + b"-------abcd$\r\n"
    )


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Packet], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from([*SEEDS, *HEADER_LINES]))
    cut = data.draw(st.integers(0, len(start)))
    middle = data.draw(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"\r\n", b"\n", b"\r\n\r\n", b'"', b";", b": ", b"-------d93kswow+\r\n", b"-------"]),
        )
    )
    octets = start[:cut] + middle + start[cut + data.draw(st.integers(0, 30)) :] or b"x"
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)
    packet.summary()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Packet]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


@pytest.mark.parametrize("octets", SEEDS[:-1])
def test_sound_messages_have_no_notes_and_agree_with_the_lean_parser(octets: bytes) -> None:
    packet = MSRP(octets)
    assert bytes(without_caches(packet)) == octets
    assert notes(packet) == []
    lean = packet.message()
    assert lean.notes == []
    assert (packet.transact_id, packet.continuation_flag) == (lean.transaction, lean.flag)
    assert packet.method == lean.method
    assert packet.status_code == (lean.status or b"")
    assert packet.status_comment == lean.comment
    assert [(each.canonical_name, each.value()) for each in packet.headers] == lean.headers
    assert (None if packet.body is None else bytes(packet.body)) == lean.body
    for name in (b"to-path", b"from-path"):
        for uri, theirs in zip(packet.header(name).uris, lean.path(name), strict=True):
            assert (uri.host, uri.session_id) == (theirs.host, theirs.session_id or b"")


def test_a_request_is_shown_part_by_part() -> None:
    packet = MSRP(SEND)
    assert (packet.transact_id, packet.method, packet.status_code) == (b"d93kswow", b"SEND", b"")
    assert [type(each) for each in packet.headers] == [
        HEADER_LAYERS[bytes(each.header_name)] for each in packet.headers
    ]
    assert isinstance(packet.body, MIMEText)
    assert packet.body.text == b"Hi, I'm Alice!\r\n"
    assert (packet.end_transact_id, packet.continuation_flag) == (b"d93kswow", b"$")
    assert packet.header(b"Byte-Range").byte_range() == (1, 16, 16)
    assert packet.summary() == "MSRP d93kswow SEND"
    clauses = {node.name: node.clause for node in tree(packet).walk()}
    assert (clauses["MSRP"], clauses["MSRP URI"], clauses["Byte-Range"]) == (
        "RFC 4975 §7", "RFC 4975 §6", "RFC 4975 §7.1.1",
    )  # fmt: skip


def test_a_uri_is_shown_part_by_part() -> None:
    octets = b"MSRPS://alice@[2001:db8::1]:2855/9d/i4=+;tcp;a;b=c"
    uri = MSRPURI(octets)
    assert bytes(without_caches(uri)) == octets
    assert (uri.scheme, uri.userinfo, uri.host, uri.port) == (b"MSRPS", b"alice", b"[2001:db8::1]", b"2855")
    assert (uri.session_id, uri.transport) == (b"9d/i4=+", b"tcp")
    assert [(each.parameter_name, each.parameter_value) for each in uri.parameters] == [(b"a", b""), (b"b", b"c")]
    assert notes(uri) == []
    more = [MSRPURIParameter(parameter_name=b"x")]
    built = MSRPURI(host=b"a", port=b"1", userinfo=b"u", session_id=b"s", parameters=more)
    assert bytes(built) == b"msrp://u@a:1/s;tcp;x"


def test_a_path_lists_its_uris() -> None:
    path = MSRP(GRANTED).header(b"use-path")
    assert isinstance(path, MSRPUsePath)
    assert [each.session_id for each in path.uris] == [b"jui787s2f", b"mywdEe1233"]


def test_digest_parameters_are_told_apart() -> None:
    credentials = MSRP(AUTH).header(b"Authorization")
    assert isinstance(credentials, MSRPAuthorization)
    assert credentials.scheme == b"Digest"
    assert [bytes(each.parameter_name) for each in credentials.parameters] == [
        b"username", b"realm", b"nonce", b"uri", b"qop", b"cnonce", b"nc", b"response",
    ]  # fmt: skip
    assert credentials.parameters[1].parameter_value == b'"intra, \\" x"'
    assert (credentials.parameter(b"nc"), credentials.parameter(b"opaque")) == (b"00000001", None)
    info = MSRP(GRANTED).header(b"authentication-info")
    assert info.parameter(b"nextnonce") == b"abc"


def test_a_status_is_named_by_its_namespace() -> None:
    status = MSRP(REPORT).header(b"status")
    assert isinstance(status, MSRPStatus)
    assert (status.namespace, status.status_code, status.status_comment) == (0, 408, b"Timed out")
    other = MSRPStatus(b"Status: 123 408\r\n")
    assert (other.namespace, other.status_code, other.other_code, notes(other)) == (123, b"", 408, [])
    assert "unknown (123) (123)" in other.show(dump=True)
    assert bytes(MSRPStatus(status_code=481, status_comment=b"Gone")) == b"Status: 000 481 Gone\r\n"


# --- registries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HEADERS)
def test_every_header_field_is_read_by_its_layer(name: bytes) -> None:
    for spelled in (name, name.lower(), name.upper()):
        header = message(spelled + b": x\r\n").headers[3]
        assert type(header) is HEADER_LAYERS[name]
        assert header.value() == b"x"
    assert bytes(HEADER_LAYERS[name](header_name=name)).startswith(name + b": ")


@pytest.mark.parametrize(("code", "meaning"), STATUS_CODES.items())
def test_status_codes_are_named(code: int, meaning: str) -> None:
    octets = b"MSRP d93kswow %03d\r\n" % code + PATHS + b"-------d93kswow$\r\n"
    packet = MSRP(octets)
    assert (packet.status_code, bytes(packet), notes(packet)) == (code, octets, [])
    assert f"{meaning} ({code})" in packet.show(dump=True)
    (shown,) = [node for node in tree(packet).walk() if node.name == "status_code"]
    assert (shown.value, shown.meaning) == (str(code), meaning)
    assert f"{meaning} ({code})" in MSRPStatus(status_code=code).show(dump=True)
    assert f"{NAMESPACES[0]} (000)" in MSRPStatus(status_code=code).show(dump=True)
    assert "unknown (299) (299)" in MSRP(octets.replace(b" %d" % code, b" 299")).show(dump=True)


@pytest.mark.parametrize(("method", "meaning"), METHODS.items())
def test_methods_are_named(method: bytes, meaning: str) -> None:
    packet = message(b"", method)
    assert packet.method == method
    assert meaning in packet.show(dump=True)


def test_an_unknown_method_is_read_like_any_other() -> None:
    packet = message(b"", b"FROBNICATE")
    assert (packet.method, packet.continuation_flag, notes(packet)) == (b"FROBNICATE", b"$", [])
    assert "'FROBNICATE'\n" in packet.show(dump=True)


@pytest.mark.parametrize(("flag", "meaning"), CONTINUATION_FLAGS.items())
def test_continuation_flags_are_named(flag: bytes, meaning: str) -> None:
    packet = MSRP(SEND.replace(b"kswow$", b"kswow" + flag))
    assert packet.continuation_flag == flag
    assert meaning in packet.show(dump=True)
    assert notes(packet) == []


def test_values_of_reports_are_named() -> None:
    for name, values in ((b"Success-Report", SUCCESS_REPORTS), (b"Failure-Report", FAILURE_REPORTS)):
        for value, meaning in values.items():
            packet = message(name + b": " + value + b"\r\n")
            assert notes(packet) == []
            assert meaning in packet.show(dump=True)


def test_schemes_are_named() -> None:
    for scheme, meaning in SCHEMES.items():
        assert f"({meaning})" in MSRPURI(scheme + b"://a:1/x;tcp").show(dump=True)


def test_registries_have_a_layer_for_each_header_field() -> None:
    for registry in REGISTRIES:
        assert {registry.state(name) for name in registry.names} <= {"decoded", "named"}
        assert registry.names


# --- bodies ----------------------------------------------------------------------------------------


def test_an_envelope_is_opened_in_the_first_chunk_only() -> None:
    packet = MSRP(ENVELOPE)
    assert isinstance(packet.body, CPIM)
    assert packet.body.content.body.text == b"Hello"
    later = MSRP(ENVELOPE.replace(b"1-*", b"2049-*"))
    assert (type(later.body), bytes(later.body)) == (Raw, bytes(packet.body))
    assert isinstance(MSRP(SEND.replace(b"1-16/16", b"5-20/20")).body, MIMEText)


@pytest.mark.parametrize(
    ("kind", "body", "layer"),
    [
        (b"application/sdp", b"v=0\r\ns=-\r\n", SDP),
        (b"text/html;charset=utf-8", b"<p>", MIMEText),
        (b"application/im-iscomposing+xml", b"<isComposing/>", MIMEText),
        (b"image/png", b"\x89PNG\r\n\x1a\n\0\r\n-------d93kswoX$\r\n", Raw),
        (b"multipart/mixed;boundary=x", b"--x\r\n\r\nhi\r\n--x--", MIMEMultipart),
        (b"multipart/mixed", b"--x\r\n\r\nhi\r\n--x--", Raw),
    ],
)
def test_a_body_is_what_its_type_says(kind: bytes, body: bytes, layer: type[Packet]) -> None:
    octets = SEND.replace(b"text/plain", kind).replace(b"Hi, I'm Alice!\r\n", body).replace(b"1-16/16", b"1-*/*")
    packet = MSRP(octets)
    assert type(packet.body) is layer
    assert bytes(packet.body) == body
    assert notes(packet) == []


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"$", b"+", b"#"]), st.booleans())
def test_any_body_is_given_back_whole(body: bytes, flag: bytes, quoted: bool) -> None:
    body = body + b"\r\n-------d93kswoX$\r\n" + body if quoted else body
    end = b"\r\n-------d93kswow" + flag + b"\r\n"
    octets = SEND[: SEND.index(b"Hi,")].replace(b"text/plain", b"a/b") + body + end
    packet = MSRP(octets)
    assert bytes(packet.body) == body
    assert (packet.continuation_flag, bytes(packet.payload)) == (flag, b"")
    assert packet.message().body == body


# --- notes -----------------------------------------------------------------------------------------


def replaced(octets: bytes, old: bytes, new: bytes) -> bytes:
    """The message with something in place of what stands there."""
    assert old in octets
    return octets.replace(old, new)


@pytest.mark.parametrize(
    ("seed", "old", "new", "note"),
    [
        (SEND, b"d93kswow", b"d9_", "the transaction identifier does not have the form of one"),
        (SEND, b"-------d93kswow$\r\n", b"", "no end-line"),
        (RESPONSE, b"w$", b"w+", "a response in chunks"),
        (REPORT, b"sd$", b"sd#", "a request other than SEND in chunks"),
        (RESPONSE, b"To-Path", b"X", "To-Path is not the first header"),
        (RESPONSE, b"From-Path", b"X", "From-Path is not the second header"),
        (SEND, b"Message-ID", b"X", "SEND without message-id"),
        (REPORT, b"Status", b"X", "REPORT without status"),
        (NICKNAME, b"Use-", b"X-", "NICKNAME without use-nickname"),
        (NICKNAME, b"Use-", b"Success-Report: yes\r\nUse-", "NICKNAME with Success-Report or Failure-Report"),
        (REPORT, b"Status", b"Failure-Report: no\r\nStatus", "REPORT with Success-Report or Failure-Report"),
        (SEND, b"Byte-", b"Message-ID: 1234\r\nByte-", "message-id more than once"),
        (
            SEND,
            b"Byte-",
            b"Content-Transfer-Encoding: binary\r\nByte-",
            "Content-Transfer-Encoding: bodies are always binary",
        ),
        (SEND, b"\r\n\r\nHi", b"\r\nX: y\r\n\r\nHi", "Content-Type is not the last header"),
        (REPORT, b"out\r\n", b"out\r\nContent-Type: a/b\r\n", "Content-Type without a body"),
        (SEND, b"Content-Type", b"X-Type", "a body without Content-Type"),
        (REPORT, b"out\r\n", b"out\r\nContent-ID: <a@b>\r\n", "headers of a body without one"),
        (SEND, b".com:8888", b".com", "to-path with a URI that has no port"),
        (AUTH, b".com:9892", b".com", "from-path with a URI that has no port"),
        (SEND, b"1-16/16", b"1-15/15", "Byte-Range says 15 octets, 16 are there"),
        (SEND, b"1-16/16", b"1-18/18", "Byte-Range says 18 octets, 16 are there"),
        (SEND, b"MSRP ", b"MSRQ ", "no start line"),
    ],
)
def test_what_the_specifications_rule_out_in_a_message_is_noted(seed: bytes, old: bytes, new: bytes, note: str) -> None:
    octets = replaced(seed, old, new)
    packet = MSRP(octets)
    assert f"MSRP at 0: {note}" in notes(packet)
    assert bytes(without_caches(packet)) == octets


@pytest.mark.parametrize(
    ("seed", "header", "old", "new", "note"),
    [
        (SEND, b"Byte-Range", b"1-16/16", b"0-15/16", "the first position is 1, not 0"),
        (SEND, b"Byte-Range", b"1-16/16", b"9-7/16", "the end lies before the start"),
        (SEND, b"Byte-Range", b"1-16/16", b"1-16/9", "the end lies behind the total"),
        (SEND, b"Byte-Range", b"/16", b"", "not the form of a Byte-Range with numbers of 18 digits at most"),
        (SEND, b"Success-Report", b"yes", b"YES", "neither yes nor no"),
        (SEND, b"Failure-Report", b"partial", b"maybe", "neither yes, no nor partial"),
        (SEND, b"Message-ID", b"12339sdqwer", b"<1@b>", "not the form of an identifier"),
        (SEND, b"Message-ID", b"Message-ID: ", b"Message-ID:", "the separator is not a colon and one space"),
        (SEND, b"Content-Type", b"text/plain", b"text", "no type and subtype"),
        (GRANTED, b"Expires", b"900", b"soon", "no number of seconds"),
        (NICKNAME, b"Use-Nickname", b'"', b"'", "not in quotation marks"),
        (NICKNAME, b"Use-Nickname", b"Alice", b"A" * 1_100, "longer than 1023 characters"),
        (CHALLENGE, b"WWW-Authenticate", b"Digest", b"Basic", "authentication by other means than Digest"),
        (CHALLENGE, b"WWW-Authenticate", b'"auth"', b'"auth,auth-int"', "the quality of protection auth-int"),
        (CHALLENGE, b"WWW-Authenticate", b"nonce", b"algorithm=MD5-sess, nonce", "the algorithm MD5-sess"),
        (AUTH, b"Authorization", b"00000001", b"1", "nc is not 8 hexadecimal digits in lower case"),
        (AUTH, b"Authorization", b"6629f", b"6629F", "response is not 32 hexadecimal digits in lower case"),
    ],
)
def test_what_the_specifications_rule_out_in_a_header_is_noted(
    seed: bytes, header: bytes, old: bytes, new: bytes, note: str
) -> None:
    octets = replaced(seed, old, new)
    packet = MSRP(octets)
    assert f"{header.decode()} at {octets.index(header)}: {note}" in notes(packet)
    assert bytes(without_caches(packet)) == octets


def test_what_no_field_explains_is_noted() -> None:
    octets = replaced(REPORT, b"000 408", b"0 408")
    at = octets.index(b"0 408")
    assert notes(MSRP(octets)) == [
        f"Status namespace at {at} is missing",
        f"Status: 17 octets at {at} are not explained",
    ]
    assert notes(MSRP(RESPONSE + b"rest")) == [f"MSRP: 4 octets at {len(RESPONSE)} are not explained"]


@pytest.mark.parametrize(
    ("uri", "note"),
    [
        (b"sip://a:1/x;tcp", "the scheme is neither msrp nor msrps"),
        (b"msrp://a:1/x", "no transport"),
        (b"msrp://:1/x;tcp", "no host"),
        (b"msrp://u:secret@a:1/x;tcp", "a password in the user information"),
        (b"msrp://a:1/x$y;tcp", "characters in the session-id that it may not have"),
        (b"msrp://a:65536/x;tcp", "the port is above 65535"),
        (b"msrp://192.0.2.1/x;tcp", "an address without a port"),
        (b"msrp://[2001:db8::1]/x;tcp", "an address without a port"),
    ],
)
def test_what_is_wrong_with_a_uri_is_noted(uri: bytes, note: str) -> None:
    assert notes(MSRPURI(uri)) == [f"MSRP URI at 0: {note}"]


def test_an_interrupted_chunk_may_be_shorter_than_it_says() -> None:
    assert notes(MSRP(SEND.replace(b"1-16/16", b"1-2048/9999").replace(b"kswow$", b"kswow+"))) == []


def test_a_large_body_is_for_send_only() -> None:
    assert notes(message(b"", b"FROB", b"x" * 10_240)) == []
    assert notes(message(b"", b"FROB", b"x" * 10_241)) == ["MSRP at 0: 10241 octets in a request other than SEND"]


def test_an_empty_nickname_gives_it_up() -> None:
    packet = MSRP(NICKNAME.replace(b'Alice the \\"great\\"', b""))
    assert isinstance(packet.headers[2], MSRPNickname)
    assert (packet.headers[2].nickname, notes(packet)) == (b'""', [])


def test_no_body_an_empty_one_and_a_sloppy_one_are_three_things() -> None:
    none = message(b"")
    assert (none.body, none.empty_line, none.body_eol) == (None, b"", b"")
    empty = message(b"", body=b"")
    assert (bytes(empty.body), empty.empty_line, empty.body_eol, notes(empty)) == (b"", b"\r\n", b"\r\n", [])
    sloppy = MSRP(bytes(empty).replace(b"\r\n\r\n\r\n", b"\r\n\r\n"))
    assert (bytes(sloppy.body), sloppy.continuation_flag) == (b"", b"$")
    assert notes(sloppy) == ["MSRP at 0: no line end between an empty body and the end-line"]


def test_bare_line_feeds_are_read_and_noted() -> None:
    octets = SEND.replace(b"\r\n", b"\n")
    packet = MSRP(octets)
    assert bytes(without_caches(packet)) == octets
    assert (packet.body.text, packet.continuation_flag) == (b"Hi, I'm Alice!\n", b"$")
    assert "MSRP at 0: a line ends without a carriage return" in notes(packet)
    pasted = MSRP(SEND[:-2])
    assert (pasted.continuation_flag, pasted.end_line_eol) == (b"$", b"")
    assert notes(pasted) == ["MSRP at 0: no line end behind the end-line"]


# --- building --------------------------------------------------------------------------------------


def test_a_request_can_be_built_and_counts_its_body() -> None:
    packet = MSRP(
        transact_id=b"d93kswow",
        headers=[
            MSRPPath(uris=[MSRPURI(host=b"r", port=b"1", session_id=b"t", space=b" "), MSRPURI(host=b"b", port=b"2")]),
            MSRPPath(header_name=b"From-Path", uris=[MSRPURI(scheme=b"msrps", host=b"a", port=b"3", session_id=b"s")]),
            MSRPMessageID(message_id=b"12339"),
            MSRPByteRange(range_start=b"11"),
            MSRPHeader(header_name=b"X", header_value=b"y"),
            MIMEContentType(),
        ],
        body=b"hello",
    )
    assert bytes(packet) == (
        b"MSRP d93kswow SEND\r\nTo-Path: msrp://r:1/t;tcp msrp://b:2;tcp\r\nFrom-Path: msrps://a:3/s;tcp\r\n"
        b"Message-ID: 12339\r\nByte-Range: 11-15/15\r\nX: y\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"-------d93kswow$\r\n"
    )
    assert notes(MSRP(bytes(packet))) == []
    packet.continuation_flag = b"+"
    assert b"Byte-Range: 11-15/*\r\n" in bytes(packet)
    packet.transact_id = b"other"
    assert bytes(packet).endswith(b"\r\n-------other+\r\n")


def test_a_response_can_be_built() -> None:
    packet = MSRP(
        transact_id=b"49fh",
        method=b"",
        status_code=401,
        status_comment=b"Unauthorized",
        headers=[
            MSRPPath(uris=[MSRPURI(host=b"a", port=b"1")]),
            MSRPPath(header_name=b"From-Path", uris=[MSRPURI(host=b"b", port=b"2")]),
            MSRPChallenge(
                parameters=[
                    MSRPDigestParameter(parameter_name=b"realm", parameter_value=b'"x"'),
                    MSRPDigestParameter(comma=b", ", parameter_name=b"nonce", parameter_value=b'"y"'),
                ]
            ),
        ],
    )
    assert bytes(packet) == (
        b"MSRP 49fh 401 Unauthorized\r\nTo-Path: msrp://a:1;tcp\r\nFrom-Path: msrp://b:2;tcp\r\n"
        b'WWW-Authenticate: Digest realm="x", nonce="y"\r\n-------49fh$\r\n'
    )
    assert notes(MSRP(bytes(packet))) == []


def test_a_field_that_is_changed_is_built() -> None:
    packet = MSRP(SEND)
    packet.headers[0].uris[0].port = b"9999"
    packet.body.text = b"Bye"
    packet.headers[5].range_end = packet.headers[5].total = None
    assert bytes(packet) == SEND.replace(b":8888", b":9999").replace(b"Hi, I'm Alice!\r\n", b"Bye").replace(
        b"1-16/16", b"1-3/3"
    )


# --- streams ---------------------------------------------------------------------------------------


def test_a_stream_shows_its_messages_from_any_octet_on() -> None:
    stream = SEND + RESPONSE + ENVELOPE
    for begin in range(len(SEND)):
        packet = MSRPStream(stream[begin:])
        assert bytes(without_caches(packet)) == stream[begin:]
        first, *rest = packet.messages
        assert [bytes(each) for each in rest] == [RESPONSE, ENVELOPE]
        assert all(isinstance(each, MSRP) for each in rest)
        assert isinstance(first, MSRP) == (begin == 0)
        if 0 < begin < len(SEND) - 22:  # the end-line is whole
            assert isinstance(first, MSRPFragment)
            assert (first.end_transact_id, first.continuation_flag) == (b"d93kswow", b"$")


def test_a_quotation_in_a_body_that_was_cut_is_no_message() -> None:
    (first, second) = MSRPStream(b"He sent " + SEND[:150] + b"\r\n-------zzzz1$\r\n" + RESPONSE).messages
    assert isinstance(first, MSRPFragment)
    assert (first.end_transact_id, bytes(second)) == (b"zzzz1", RESPONSE)


def test_a_message_that_lost_its_end_does_not_swallow_the_next_ones() -> None:
    lost = SEND[:-30] + b"tail of another\r\n-------zzzz1$\r\n"
    packet = MSRPStream(RESPONSE + lost + REPORT)
    assert [bytes(each) for each in packet.messages] == [RESPONSE, lost, REPORT]
    assert notes(packet) == [f"MSRP at {len(RESPONSE)}: no end-line"]


def test_what_stands_between_messages_stays_octets() -> None:
    packet = MSRPStream(RESPONSE + b"\r\n\r\n" + RESPONSE + SEND[:100])
    assert [type(each) for each in packet.messages] == [MSRP, Raw, MSRP, MSRP]
    assert f"MSRP stream messages: 4 octets at {len(RESPONSE)} are not explained" in notes(packet)


def test_hostile_streams_are_read_in_good_time() -> None:
    quoted = b"MSRP abcd SEND\r\nA: b\r\n\r\nx\r\n-------wxyz$\r\n" * 20_000
    assert bytes(MSRPStream(quoted)) == quoted
    starts = b"MSRP abcd SEND\r\nA: b\r\n" * 20_000
    assert bytes(MSRPStream(starts)) == starts
    uris = (
        b"MSRP abcd SEND\r\nTo-Path: " + b"msrp://a;tcp " * 5_000 + b"\r\n" + b"X: y\r\n" * 3_000 + b"-------abcd$\r\n"
    )
    packet = MSRP(uris)
    assert (bytes(packet), packet.continuation_flag) == (uris, b"$")
    assert (len(packet.headers), len(packet.headers[0].uris)) == (1_025, 257)
