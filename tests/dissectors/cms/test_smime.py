"""CMS messages are found in the bodies of SIP and MIME messages, whatever their transfer encoding."""

from __future__ import annotations

import base64

import pytest

from dissectors.cms.smime import cms_bodies, is_cms

MESSAGE = bytes.fromhex("300d06092a864886f70d010703a000")
HEAD = b'\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'


def test_a_binary_body_is_given_as_it_stands() -> None:
    (body,) = cms_bodies(HEAD, MESSAGE)
    assert (body.data, body.smime_type, body.name) == (MESSAGE, b"enveloped-data", b"smime.p7m")
    assert body.content_type == "1.2.840.113549.1.7.3"
    assert body.notes == ()


def test_base64_is_undone() -> None:
    (body,) = cms_bodies(HEAD + b"Content-Transfer-Encoding: base64\r\n", base64.encodebytes(MESSAGE))
    assert body.data == MESSAGE
    assert [note.text for note in body.notes] == ["21 octets decoded from 'base64' to 15"]


def test_base64_without_its_header_is_undone_and_said() -> None:
    (body,) = cms_bodies(HEAD, base64.encodebytes(MESSAGE))
    assert body.data == MESSAGE
    assert [note.text for note in body.notes] == [
        "the message is in base64 without a Content-Transfer-Encoding that says so"
    ]


def test_a_part_of_a_multipart_body_is_found() -> None:
    head = b"\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    body = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b" + HEAD + b"\r\n" + MESSAGE + b"\r\n--b--\r\n"
    (found,) = cms_bodies(head, body)
    assert found.data == MESSAGE
    assert body[found.part.offset :].startswith(MESSAGE)


def test_a_type_that_the_message_is_not_of_is_said() -> None:
    (body,) = cms_bodies(HEAD.replace(b"enveloped-data", b"authEnveloped-data"), MESSAGE)
    assert [note.text for note in body.notes] == ["smime-type says authEnveloped-data, the message is id-envelopedData"]


@pytest.mark.parametrize("body", [b"\x30", b"MII", b"M=II", b"\xff\xfe", b"A" * 5])
def test_broken_bodies_raise_nothing(body: bytes) -> None:
    (found,) = cms_bodies(HEAD, body)
    assert found.content_type == ""


def test_other_bodies_are_left_alone() -> None:
    assert cms_bodies(b"\r\nContent-Type: application/sdp\r\n", b"v=0\r\n") == []
    assert is_cms(b"application/cms")
    assert not is_cms(b"application/conference-info+xml")
