"""S/MIME bodies that OpenSSL makes open with their keys, in every form and cipher that it has for shared keys."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from dissectors.sip.body import bodies_of
from imsinspect.crypto.cms import CmsKek
from imsinspect.trace.smime import NO_KEY, WRONG_KEY, SmimeOpener

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = {octets: hashlib.shake_128(f"{octets}".encode()).digest(octets) for octets in (16, 24, 32)}
NAME = "c0ffee"
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
ENTITY = b"Content-Type: application/sdp\r\n\r\n" + SDP
HEAD = b"\nContent-Type: application/pkcs7-mime\r\n\r\n"


@pytest.fixture
def made(peer: Callable[[str], str], tmp_path: Path) -> Callable[..., bytes]:
    """Runs `openssl cms` on the entity, or on what is given."""
    program = peer("openssl")

    def run(*arguments: str, data: bytes = ENTITY, form: str = "DER") -> bytes:
        (tmp_path / "text").write_bytes(data)
        command = [program, "cms", "-in", "text", "-binary", "-outform", form, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout

    return run


def opened(data: bytes, *keks: CmsKek, head: bytes = HEAD) -> tuple[list[tuple[str, bool, str]], list[bytes]]:
    """What became of the messages in a body, and what a key opened."""
    found = SmimeOpener(keks).open(bodies_of(head, data)[0])
    assert found is not None
    rows = [(each.content_type, each.opened, each.detail) for each in found.bodies]
    return rows, [each.data for each in found.hidden]


@pytest.mark.parametrize("octets", KEYS)
@pytest.mark.parametrize("indefinite", [(), ("-stream",)])
@pytest.mark.parametrize(
    ("cipher", "name"),
    [
        ("-aes128", "id-envelopedData"),
        ("-aes192", "id-envelopedData"),
        ("-aes256", "id-envelopedData"),
        ("-des3", "id-envelopedData"),
        ("-aes-128-gcm", "id-ct-authEnvelopedData"),
        ("-aes-192-gcm", "id-ct-authEnvelopedData"),
        ("-aes-256-gcm", "id-ct-authEnvelopedData"),
    ],
)
def test_contents_for_a_key_encryption_key_open(made, cipher, name, indefinite, octets):
    key = KEYS[octets]
    data = made("-encrypt", cipher, "-secretkey", key.hex(), "-secretkeyid", NAME, *indefinite)
    identifier = bytes.fromhex(NAME)
    assert opened(data, CmsKek(key, identifier)) == ([(name, True, "")], [SDP])
    assert opened(data, CmsKek(key)) == ([(name, True, "")], [SDP])
    assert opened(data, CmsKek(bytes(octets), identifier)) == ([(name, False, WRONG_KEY)], [])
    assert opened(data, CmsKek(key, b"another")) == ([(name, False, NO_KEY)], [])


@pytest.mark.parametrize(("cipher", "octets"), [("-aes128", 16), ("-aes192", 24), ("-aes256", 32), ("-des3", 24)])
def test_encrypted_data_opens_with_its_content_key(made, cipher, octets):
    key = KEYS[octets]
    data = made("-EncryptedData_encrypt", cipher, "-secretkey", key.hex())
    assert opened(data, CmsKek(bytes(octets)), CmsKek(key)) == ([("id-encryptedData", True, "")], [SDP])
    assert opened(data, CmsKek(bytes(octets))) == ([("id-encryptedData", False, NO_KEY)], [])


def test_what_it_writes_as_mime_opens_too(made):
    data = made("-encrypt", "-aes128", "-secretkey", KEYS[16].hex(), "-secretkeyid", NAME, form="SMIME")
    head, _, body = data.partition(b"\n\n")
    assert b"base64" in head
    assert opened(body, CmsKek(KEYS[16]), head=b"\n" + head + b"\n\n") == ([("id-envelopedData", True, "")], [SDP])


def test_what_is_signed_and_then_encrypted_opens(made, peer, tmp_path):
    signer = ("-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=lab.test", "-days", "30")
    command = [peer("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *signer]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    signed = made("-sign", "-nodetach", "-signer", "cert.pem", "-inkey", "key.pem")
    found = SmimeOpener(()).open(bodies_of(HEAD, signed)[0])
    assert found is not None
    assert ([each.data for each in found.parts], found.hidden) == ([SDP], ())
    inner = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" + signed
    data = made("-encrypt", "-aes256", "-secretkey", KEYS[32].hex(), "-secretkeyid", NAME, data=inner)
    rows, hidden = opened(data, CmsKek(KEYS[32]))
    assert rows == [("id-envelopedData", True, ""), ("id-signedData", True, "")]
    assert hidden == [SDP]
