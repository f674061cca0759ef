"""S/MIME bodies: opened with key-encryption keys and content keys, unwrapped where they are signed, hostile ones."""

from __future__ import annotations

import base64
import hashlib
import random

import pytest

from dissectors.sip.body import BodyPart, bodies_of
from imsinspect.crypto.cms import CmsKek
from imsinspect.trace.model import SealedBody
from imsinspect.trace.smime import DAMAGED, MAX_MESSAGES, NO_KEY, UNKNOWN, WRONG_KEY, SmimeOpener
from tests.trace.cms_seal import auth_enveloped, compressed, encrypted, enveloped, signed

KEK, OTHER = bytes(range(16)), bytes(range(16, 32))
NAME = b"\xc0\xff\xee"
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
ENTITY = b"Content-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n" + SDP
HEAD = b"\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
DIGEST = hashlib.sha256(KEK).hexdigest()


def part(data: bytes, head: bytes = HEAD) -> BodyPart:
    """A body of a message."""
    return bodies_of(head + b"\r\n", data)[0]


def opened(data: bytes, *keks: CmsKek, head: bytes = HEAD) -> tuple[list[SealedBody], list[bytes], list[bytes]]:
    """What became of the messages, what anybody could read, what a key opened."""
    found = SmimeOpener(keks).open(part(data, head))
    assert found is not None
    return list(found.bodies), [each.data for each in found.parts], [each.data for each in found.hidden]


FORMS = [
    ("id-envelopedData", enveloped(ENTITY, (KEK, NAME))),
    ("id-ct-authEnvelopedData", auth_enveloped(ENTITY, KEK, NAME)),
    ("id-ct-authEnvelopedData", auth_enveloped(ENTITY, KEK, NAME, b"an attribute")),
    ("id-encryptedData", encrypted(ENTITY, KEK)),
]


@pytest.mark.parametrize("identifier", [NAME, None])
@pytest.mark.parametrize(("name", "data"), FORMS)
def test_encrypted_bodies_open_with_their_key_by_its_identifier_or_by_trying(name, data, identifier):
    assert opened(data, CmsKek(OTHER, b"other"), CmsKek(KEK, identifier)) == (
        [SealedBody(name, True, True, DIGEST)], [], [SDP],
    )  # fmt: skip


def test_one_of_several_recipients_is_enough():
    data = enveloped(ENTITY, (OTHER, b"first"), (KEK, NAME))
    assert opened(data, CmsKek(KEK, NAME)) == ([SealedBody("id-envelopedData", True, True, DIGEST)], [], [SDP])


@pytest.mark.parametrize(("name", "data"), FORMS[:3])
@pytest.mark.parametrize(
    ("keks", "detail"),
    [
        ((), NO_KEY),
        ((CmsKek(OTHER, b"another"),), NO_KEY),
        ((CmsKek(OTHER, None),), NO_KEY),
        ((CmsKek(OTHER, NAME),), WRONG_KEY),
        ((CmsKek(KEK + OTHER, NAME),), WRONG_KEY),
    ],
)
def test_a_missing_key_and_a_wrong_one_are_told_apart(name, data, keks, detail):
    assert opened(data, *keks) == ([SealedBody(name, True, False, "", detail)], [], [])


def test_a_wrong_content_key_opens_nothing_however_many_are_tried():
    """AES-CBC alone does not tell: what comes out has to read like an entity."""
    keys = [CmsKek(hashlib.sha256(bytes((n >> 8, n & 255))).digest()[:16]) for n in range(2_000)]
    bodies, parts, hidden = opened(encrypted(ENTITY, KEK), *keys)
    assert (bodies, parts, hidden) == ([SealedBody("id-encryptedData", True, False, "", NO_KEY)], [], [])


def test_a_flipped_bit_of_an_authenticated_content_is_seen():
    for data in (auth_enveloped(ENTITY, KEK, NAME), auth_enveloped(ENTITY, KEK, NAME, b"an attribute")):
        for place in range(len(data) - len(ENTITY), len(data), 3):
            changed = bytearray(data)
            changed[place] ^= 1
            bodies, parts, hidden = opened(bytes(changed), CmsKek(KEK, NAME))
            assert (parts, hidden) == ([], []), place
            assert all(not each.opened for each in bodies)
    changed = bytearray(auth_enveloped(ENTITY, KEK, NAME))
    changed[-1] ^= 1
    assert opened(bytes(changed), CmsKek(KEK, NAME))[0][0].detail == DAMAGED


def test_signed_and_compressed_bodies_are_read_without_keys_and_count_as_readable():
    for name, data in (("id-signedData", signed(ENTITY)), ("id-ct-compressedData", compressed(ENTITY))):
        assert opened(data) == ([SealedBody(name, False, True)], [SDP], [])


def test_what_is_signed_and_then_encrypted_is_hidden_and_what_is_encrypted_and_then_signed_too():
    inner = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" + signed(ENTITY)
    bodies, parts, hidden = opened(enveloped(inner, (KEK, NAME)), CmsKek(KEK, NAME))
    assert [each.content_type for each in bodies] == ["id-envelopedData", "id-signedData"]
    assert (parts, hidden) == ([], [SDP])
    inner = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n" + enveloped(ENTITY, (KEK, NAME))
    bodies, parts, hidden = opened(signed(inner), CmsKek(KEK, NAME))
    assert [each.opened for each in bodies] == [True, True]
    assert (parts, hidden) == ([], [SDP])
    bodies, parts, hidden = opened(signed(inner), CmsKek(OTHER, NAME))
    assert [(each.opened, each.detail) for each in bodies] == [(True, ""), (False, WRONG_KEY)]
    assert (parts, hidden) == ([], [])


@pytest.mark.parametrize("content", [SDP, b"\r\n" + SDP, ENTITY.replace(b"\r\n", b"\n", 2)])
def test_descriptions_without_headers_are_entities_too(content):
    _, _, hidden = opened(enveloped(content, (KEK, NAME)), CmsKek(KEK))
    assert hidden[0].replace(b"\r", b"") == SDP.replace(b"\r", b"")


def test_parts_of_a_multipart_inside_are_found():
    content = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/sdp\r\n\r\n" + SDP
        + b"\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
    )  # fmt: skip
    found = SmimeOpener([CmsKek(KEK)]).open(part(enveloped(content, (KEK, NAME))))
    assert found is not None
    assert [each.content_type for each in found.hidden] == [b"multipart/mixed", b"application/sdp", b"text/plain"]
    assert [each.is_sdp for each in found.hidden] == [False, True, False]


@pytest.mark.parametrize("head", [HEAD + b"Content-Transfer-Encoding: base64\r\n", HEAD])
def test_base64_is_undone_whether_or_not_a_header_says_so(head):
    data = base64.encodebytes(enveloped(ENTITY, (KEK, NAME)))
    assert opened(data, CmsKek(KEK), head=head)[2] == [SDP]


def test_bodies_of_other_types_and_detached_signatures_are_none_of_these():
    opener = SmimeOpener([CmsKek(KEK)])
    assert opener.open(part(SDP, b"\nContent-Type: application/sdp\r\n")) is None
    assert opener.open(part(signed(b""), b"\nContent-Type: application/pkcs7-signature\r\n")) is None
    assert opener.open(part(ENTITY, b"\nContent-Type: text/plain\r\n")) is None


def test_forms_that_are_not_known_say_so():
    unknown = enveloped(ENTITY, (KEK, NAME)).replace(
        bytes.fromhex("0609608648016503040102"), bytes.fromhex("0609608648016503040199")
    )
    assert opened(unknown, CmsKek(KEK))[0][0].detail == UNKNOWN
    assert opened(b"\x30\x03\x06\x01\x2a", CmsKek(KEK))[0][0].detail == UNKNOWN
    assert opened(b"no message at all", CmsKek(KEK))[0][0].detail == UNKNOWN


def test_the_same_body_is_opened_once(monkeypatch):
    opener = SmimeOpener([CmsKek(KEK)])
    body = part(enveloped(ENTITY, (KEK, NAME)))
    first = opener.open(body)
    monkeypatch.setattr(SmimeOpener, "_read", None)
    assert opener.open(part(body.data)) is first


def test_messages_within_messages_end_somewhere():
    data = ENTITY
    for _ in range(8):
        data = b"Content-Type: application/pkcs7-mime\r\n\r\n" + signed(data)
    bodies, parts, _ = opened(data.partition(b"\r\n\r\n")[2])
    assert parts == []
    assert [each.opened for each in bodies] == [True] * 4 + [False]
    wide = b"".join(
        b"--x\r\nContent-Type: application/pkcs7-mime\r\n\r\n" + signed(ENTITY) + b"\r\n" for _ in range(60)
    )
    bodies, parts, _ = opened(signed(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + wide + b"--x--\r\n"))
    assert sum(each.opened for each in bodies) == MAX_MESSAGES


def test_a_compressed_content_that_grows_without_end_is_left():
    bodies, parts, hidden = opened(compressed(b"\r\n" + bytes(8 << 20)))
    assert (parts, hidden) == ([], [])
    assert bodies[0].detail == "its content is too long"


@pytest.mark.parametrize("seed", range(6))
def test_hostile_messages_raise_nothing(seed):
    chance = random.Random(seed)
    sources = [data for _, data in FORMS] + [signed(ENTITY), compressed(ENTITY)]
    opener = SmimeOpener([CmsKek(KEK, NAME), CmsKek(OTHER), CmsKek(bytes(24)), CmsKek(b"short")])
    for _ in range(120):
        data = bytearray(chance.choice(sources))
        for _ in range(chance.randrange(1, 6)):
            what, place = chance.randrange(3), chance.randrange(len(data))
            if what == 0:
                data[place] = chance.randrange(256)
            elif what == 1:
                del data[place : place + chance.randrange(1, 40)]
            else:
                data[place:place] = chance.randbytes(chance.randrange(1, 20))
            if not data:
                break
        if data:
            found = opener.open(part(bytes(data)))
            assert found is not None
            assert found.bodies


def test_no_key_stands_in_a_fact():
    bodies, _, _ = opened(enveloped(ENTITY, (KEK, NAME)), CmsKek(KEK, NAME))
    assert KEK.hex() not in repr(bodies)
    assert repr(KEK) not in repr(bodies)
