"""Attributes of streams have fields of their own, and one that needs a value says so where it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.binary import notes
from dissectors.sdp.layer import BY_ATTRIBUTE, SDP, SDPAttribute
from dissectors.sdp.streams.layers import (
    SDPCryptex,
    SDPExtmap,
    SDPExtmapAllowMixed,
    SDPMaxMessageSize,
    SDPMsid,
    SDPSctpPort,
    SDPSsrc,
    SDPSsrcGroup,
)
from dissectors.tree import tree

if TYPE_CHECKING:
    from dissectors.text import TextLayer

SMPTE = b"urn:ietf:params:rtp-hdrext:smpte-tc"
ENCRYPT = b"urn:ietf:params:rtp-hdrext:encrypt"
LEVEL = b"urn:ietf:params:rtp-hdrext:ssrc-audio-level"


def meaning(packet: TextLayer, name: str) -> str:
    """What a field of a line stands for."""
    return next(node.meaning for node in tree(packet).walk() if node.name == name)


def said(line: bytes) -> list[str]:
    """The notes on a line, without the layer's name and place."""
    return [note.partition(": ")[2] for note in notes(SDP(line).lines[0])]


# --- header extensions ------------------------------------------------------------------------------


def test_a_header_extension_has_its_identifier_direction_and_uri() -> None:
    line = SDP(b"a=extmap:2/sendrecv http://example.com/082005/ext.htm#xmeta short\r\n").lines[0]
    assert isinstance(line, SDPExtmap)
    assert (line.local_identifier, line.slash, line.extension_direction) == (b"2", b"/", b"sendrecv")
    assert (line.encrypt, line.extensionname) == (b"", b"http://example.com/082005/ext.htm#xmeta")
    assert line.extensionattributes == b"short"
    assert notes(line) == []
    level = SDPExtmap(b"a=extmap:1 " + LEVEL + b" vad=on")
    assert (level.extension_direction, level.extensionattributes) == (b"", b"vad=on")
    assert meaning(level, "extensionname") == "audio level from client to mixer (RFC 6464)"
    assert notes(level) == []


def test_an_encrypted_header_extension_says_so_and_which_it_is() -> None:
    line = SDPExtmap(b"a=extmap:3/sendonly " + ENCRYPT + b" " + SMPTE + b" 25@600/24")
    assert (line.encrypt, line.extensionname, line.extensionattributes) == (ENCRYPT, SMPTE, b"25@600/24")
    assert meaning(line, "encrypt") == "the elements are encrypted (RFC 6904)"
    assert notes(line) == []
    assert SDPExtmap(b"a=extmap:3 " + ENCRYPT + b"ed x").encrypt == b""
    assert (
        said(b"a=extmap:3 " + ENCRYPT)
        == said(b"a=extmap:3 " + ENCRYPT + b" ")
        == ["no extension is named as encrypted"]
    )
    built = SDPExtmap(local_identifier=b"4", encrypt=ENCRYPT, space2=b" ", extensionname=LEVEL)
    assert bytes(built) == b"a=extmap:4 " + ENCRYPT + b" " + LEVEL + b"\r\n"


@pytest.mark.parametrize(
    ("identifier", "expected", "note"),
    [
        (b"1", "one-byte or two-byte header", None),
        (b"14", "one-byte or two-byte header", None),
        (b"15", "two-byte header only", None),
        (b"255", "two-byte header only", None),
        (b"256", "appbits of the two-byte header", None),
        (b"4096", "not assigned yet, for the answerer to choose among", None),
        (b"4351", "not assigned yet, for the answerer to choose among", None),
        (b"0", "not valid", "local_identifier 0 is neither in 1 to 256 nor in 4096 to 4351"),
        (b"257", "not valid", "local_identifier 257 is neither in 1 to 256 nor in 4096 to 4351"),
        (b"4352", "not valid", "local_identifier 4352 is neither in 1 to 256 nor in 4096 to 4351"),
        (b"123456", "", "local_identifier is no number of up to 5 digits"),
        (b"x", "", "local_identifier is no number of up to 5 digits"),
        (b"9" * 10_000, "", "local_identifier is no number of up to 5 digits"),
    ],
)
def test_identifiers_of_header_extensions(identifier: bytes, expected: str, note: str | None) -> None:
    line = b"a=extmap:" + identifier + b" " + LEVEL
    assert meaning(SDPExtmap(line), "local_identifier") == expected
    assert said(line) == ([] if note is None else [note])


def test_header_extensions_that_are_wrong_are_noted() -> None:
    assert said(b"a=extmap:1/both " + LEVEL) == ["direction is none"]
    assert said(b"a=extmap:1/ " + LEVEL) == ["direction is none"]
    assert said(b"a=extmap:1") == ["no extension is named"]


def test_flags_of_header_extensions() -> None:
    lines = SDP(b"a=cryptex\r\na=extmap-allow-mixed\r\na=cryptexed\r\n").lines
    assert [type(one) for one in lines] == [SDPCryptex, SDPExtmapAllowMixed, SDPAttribute]
    assert [notes(one) for one in lines] == [[], [], []]
    assert said(b"a=cryptex:x") == ["2 octets are not explained"]
    assert bytes(SDPCryptex()) == b"a=cryptex\r\n"


# --- sources and SCTP -------------------------------------------------------------------------------


def test_sources_have_attributes() -> None:
    ssrc = SDPSsrc(b"a=ssrc:1234 cname:a:b")
    assert (ssrc.ssrc_id, ssrc.source_attribute, ssrc.source_value) == (b"1234", b"cname", b"a:b")
    assert meaning(ssrc, "source_attribute") == "canonical name (RFC 5576 §6.1)"
    assert meaning(SDPSsrc(b"a=ssrc:1 x:y"), "source_attribute") == "unknown source attribute"
    assert said(b"a=ssrc:4294967295 cname:x") == []
    assert said(b"a=ssrc:4294967296 cname:x") == ["ssrc_id is no number of 32 bits"]
    assert said(b"a=ssrc:1") == ["source has no attribute"]


def test_sources_have_groups() -> None:
    group = SDPSsrcGroup(b"a=ssrc-group:FEC-FR 10  20")
    assert (group.semantics, [one.text for one in group.ssrc_ids]) == (b"FEC-FR", [b"10", b"20"])
    assert meaning(group, "semantics") == "forward error correction"
    assert said(b"a=ssrc-group:FID") == []
    assert said(b"a=ssrc-group:FID 1 x 4294967296") == [
        "ssrc_id 2 is no number of 32 bits",
        "ssrc_id 3 is no number of 32 bits",
    ]


def test_media_streams_and_tracks() -> None:
    line = SDPMsid(b"a=msid:examplefoo 22ceddc2\r\n")
    assert (line.msid_id, line.msid_appdata) == (b"examplefoo", b"22ceddc2")
    assert meaning(SDPMsid(b"a=msid:- t"), "msid_id") == "no media stream"
    assert said(b"a=msid:" + b"a" * 64 + b" " + b"b" * 64) == []
    assert said(b"a=msid:" + b"a" * 65 + b" " + b"b" * 66) == [
        "msid_id has 65 characters, more than 64",
        "msid_appdata has 66 characters, more than 64",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a=sctp-port:5000", []),
        (b"a=sctp-port:0", []),
        (b"a=sctp-port:65535", []),
        (b"a=sctp-port:65536", ["sctp_port is no number up to 65535"]),
        (b"a=sctp-port:-1", ["sctp_port is no number up to 65535"]),
        (b"a=sctp-port:05000", ["sctp_port has a leading zero"]),
        (b"a=sctp-port:5000 6000", ["5 octets are not explained"]),
        (b"a=max-message-size:262144", []),
        (b"a=max-message-size:18446744073709551616", []),
        (b"a=max-message-size:64K", ["max_message_size is no number"]),
        (b"a=max-message-size:00", ["max_message_size has a leading zero"]),
    ],
)
def test_ports_and_sizes_of_sctp(line: bytes, expected: list[str]) -> None:
    assert said(line) == expected


def test_zero_has_a_meaning_of_its_own() -> None:
    assert meaning(SDPSctpPort(b"a=sctp-port:0"), "sctp_port") == "closes the association"
    assert meaning(SDPMaxMessageSize(b"a=max-message-size:0"), "max_message_size") == "any size"
    assert bytes(SDPSctpPort()) + bytes(SDPMaxMessageSize()) == b"a=sctp-port:5000\r\na=max-message-size:65536\r\n"


# --- values that are missing ------------------------------------------------------------------------

WITHOUT_VALUE = frozenset(
    (
        *(b"rtcp-mux", b"rtcp-mux-only", b"rtcp-rsize", b"bundle-only", b"ice-lite", b"msrp-cema", b"chatroom"),
        *(b"sendrecv", b"sendonly", b"recvonly", b"inactive", b"cryptex", b"extmap-allow-mixed"),
    )
)
"""Attributes that may stand alone; a=chatroom may have a value (RFC 7701 §8)."""


@pytest.mark.parametrize("name", sorted(BY_ATTRIBUTE))
def test_an_attribute_that_needs_a_value_says_so(name: bytes) -> None:
    bare = said(b"a=" + name + b"\r\n")
    if name in WITHOUT_VALUE:
        assert bare == []
        return
    assert bare == [f"{name.decode()} needs a value and has none"]
    assert said(b"a=" + name + b" \r\n") == bare
    assert said(b"a=" + name + b":\r\n")
    assert said(b"a=" + name + b": \r\n")


def test_a_bare_attribute_is_noted_in_its_place() -> None:
    body = b"v=0\r\nm=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=setup\r\na=acap:1 fingerprint\r\na=unknown\r\n"
    assert notes(SDP(body)) == [
        "SDP attribute at 38: setup needs a value and has none",
        "SDP attribute at 56: fingerprint needs a value and has none",
    ]
