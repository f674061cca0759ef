"""Bodies of SIP messages: single, multipart, nested, encoded, fragments."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest

from dissectors.sip.body import DECODED_LIMIT, DEPTH_LIMIT, PART_LIMIT
from dissectors.sip.parse import SipMessage, parse

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\n"


def message(kind: bytes, body: bytes, *more: bytes) -> SipMessage:
    lines = [b"INVITE sip:a SIP/2.0", *([b"Content-Type: " + kind] if kind else []), *more]
    return parse(b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body]))


def test_a_single_sdp_body() -> None:
    (part,) = message(b"application/sdp", SDP).sdp_bodies()
    assert (part.content_type, part.data, part.offset, part.parent) == (b"application/sdp", SDP, 0, None)


def test_no_body_no_parts() -> None:
    assert message(b"application/sdp", b"").bodies() == []
    assert message(b"application/sdp", b"").sdp_bodies() == []


def test_a_session_description_without_a_content_type_is_one_all_the_same() -> None:
    (part,) = message(b"", SDP).sdp_bodies()
    assert part.data == SDP
    assert message(b"text/plain", SDP).sdp_bodies() == []


def test_only_the_declared_part_of_a_datagram_is_a_body() -> None:
    data = b"INVITE sip:a SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\na=crypto:1 x y"
    assert [part.data for part in parse(data).sdp_bodies()] == [b"v=0\r\n"]


def test_sip_i_carries_sdp_and_isup_side_by_side() -> None:
    isup = bytes(range(256))
    body = (
        b"preamble\r\n--unique-boundary-1\r\nContent-Type: application/SDP; charset=ISO-10646\r\n\r\n"
        + SDP
        + b"\r\n--unique-boundary-1  \r\nContent-Type: application/ISUP; version=nxv3\r\n"
        + b"Content-Disposition: signal; handling=optional\r\nContent-ID: <isup@a>\r\n\r\n"
        + isup
        + b"\r\n--unique-boundary-1--\r\nepilogue"
    )
    sip = message(b'multipart/mixed; boundary="unique-boundary-1"', body)
    whole, sdp, signal = sip.bodies()
    assert whole.is_multipart
    assert sdp.data == SDP
    assert sdp.parent is whole
    assert sip.body[sdp.offset : sdp.offset + len(SDP)] == SDP
    assert signal.content_type == b"application/isup"
    assert signal.parameters == {b"version": b"nxv3"}
    assert signal.disposition == b"signal; handling=optional"
    assert signal.content_id == b"<isup@a>"
    assert signal.data == isup
    assert sip.sdp_bodies() == [sdp]
    assert [part.notes for part in sip.bodies()] == [[], [], []]


def test_nested_multiparts_are_taken_apart_and_know_their_parents() -> None:
    inner = b"--in\r\n\r\nno headers\r\n--in\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--in--"
    body = b"--out\r\nContent-Type: multipart/alternative;boundary=in\r\n\r\n" + inner + b"\r\n--out--\r\n"
    whole, alternative, text, sdp = message(b"multipart/mixed;boundary=out", body).bodies()
    assert alternative.parent is whole
    assert text.parent is alternative
    assert (text.content_type, text.data) == (b"", b"no headers")
    assert sdp.data == SDP
    assert body[sdp.offset : sdp.offset + len(SDP)] == SDP


def test_a_boundary_that_begins_like_another_is_not_taken_for_it() -> None:
    body = b"--b\r\n\r\none\r\n--bb\r\nstill one\r\n--b--"
    assert [part.data for part in message(b"multipart/mixed;boundary=b", body).bodies()[1:]] == [
        b"one\r\n--bb\r\nstill one"
    ]


def test_a_multipart_without_its_end_or_boundary_is_noted() -> None:
    whole, part = message(b"multipart/mixed;boundary=b", b"--b\r\n\r\nrest").bodies()
    assert part.data == b"rest"
    assert [note.text for note in whole.notes] == ["multipart body does not end with its closing delimiter"]
    (whole,) = message(b"multipart/mixed", b"--b\r\n\r\nrest\r\n--b--").bodies()
    assert [note.text for note in whole.notes] == ["multipart body without a boundary"]


def test_nesting_is_limited_and_noted() -> None:
    body = SDP
    for depth in range(DEPTH_LIMIT + 2):
        name = b"b%d" % depth
        kind = b"application/sdp" if not depth else b"multipart/mixed;boundary=b%d" % (depth - 1)
        body = b"--" + name + b"\r\nContent-Type: " + kind + b"\r\n\r\n" + body + b"\r\n--" + name + b"--"
    parts = message(b"multipart/mixed;boundary=b%d" % (DEPTH_LIMIT + 1), body).bodies()
    assert len(parts) == DEPTH_LIMIT
    assert parts[-1].notes[0].text == f"bodies nested deeper than {DEPTH_LIMIT} are not taken apart"


def test_the_number_of_parts_is_limited() -> None:
    parts = message(b"multipart/mixed;boundary=b", b"--b\r\n\r\nx\r\n" * 5000 + b"--b--").bodies()
    assert len(parts) == PART_LIMIT


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        (b"gzip", gzip.compress(SDP, mtime=0)),
        (b"GZIP", gzip.compress(SDP, mtime=0)),
        (b"deflate", zlib.compress(SDP)),
        (b"deflate", zlib.compress(SDP, wbits=-15)),
        (b"identity", SDP),
        (b"deflate, gzip", gzip.compress(zlib.compress(SDP), mtime=0)),
    ],
)
def test_content_encodings_are_undone(encoding: bytes, encoded: bytes) -> None:
    (part,) = message(b"application/sdp", encoded, b"e: " + encoding).sdp_bodies()
    assert part.data == SDP


def test_base64_parts_are_decoded_and_noted() -> None:
    encoded = base64.encodebytes(SDP).replace(b"\n", b"\r\n")
    body = b"--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--"
    (part,) = message(b"multipart/mixed;boundary=b", body).sdp_bodies()
    assert part.data == SDP
    assert part.notes[0].text == f"{len(encoded)} octets decoded from 'base64' to {len(SDP)}"


def test_a_compression_bomb_is_cut_off_and_noted() -> None:
    bomb = gzip.compress(bytes(20 * DECODED_LIMIT))
    (part,) = message(b"text/plain", bomb, b"Content-Encoding: gzip").bodies()
    assert len(part.data) == DECODED_LIMIT
    assert part.notes[0].text == f"decoding of 'gzip' stopped at {DECODED_LIMIT} octets"


def test_many_bombs_share_one_limit() -> None:
    bomb = gzip.compress(bytes(DECODED_LIMIT))
    part = b"--b\r\nContent-Encoding: gzip\r\n\r\n" + bomb + b"\r\n"
    parts = message(b"multipart/mixed;boundary=b", part * 20 + b"--b--").bodies()
    assert sum(len(part.data) for part in parts[1:]) == DECODED_LIMIT


@pytest.mark.parametrize(
    ("encoding", "note"),
    [(b"gzip", "body can't be decoded as 'gzip'"), (b"br", "encoding 'br' is not known")],
)
def test_what_cannot_be_decoded_is_kept_and_noted(encoding: bytes, note: str) -> None:
    (part,) = message(b"application/sdp", SDP, b"Content-Encoding: " + encoding).bodies()
    assert part.data == SDP
    assert [note.text for note in part.notes] == [note]


@pytest.mark.parametrize("start", [b"SIP/2.0 200 OK\r\n", b""])
def test_sdp_inside_a_sip_fragment_is_found(start: bytes) -> None:
    fragment = start + b"Content-Type: application/sdp\r\n\r\n" + SDP
    whole, sdp = message(b"message/sipfrag;version=2.0", fragment).bodies()
    assert whole.data == fragment
    assert sdp.data == SDP
    assert sdp.offset == len(fragment) - len(SDP)
    assert len(message(b"message/sipfrag", b"SIP/2.0 200 OK\r\n").bodies()) == 1
