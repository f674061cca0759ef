"""What the tests of the event package's rules share: a secure conference, and what a rule says of it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from imsinspect.policy import Authorised, Policy
from tests import build
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB
from tests.rules.conftest import Told
from tests.trace import cms_seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ESP_KEY = bytes(range(32, 48))
KEK, KEK_NAME = bytes(range(16)), b"event key"
SMIME = "application/pkcs7-mime; smime-type="
SEALED = SMIME + "authEnveloped-data"
ENVELOPED = SMIME + "enveloped-data"


@pytest.fixture
def told() -> Callable[..., Told]:
    """From packets of one capture to what a rule says of them; options are those of the audit."""

    def ask(rule: str, *parts: list[build.Packet], link_type: int = build.ETHERNET, **options: Any) -> Told:
        audit = build.audit_bytes(build.pcap(build.in_time_order(*parts), link_type=link_type), **options)
        assert not [note for note in audit.notes if "failed" in note.text]
        return Told(rule, audit)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def event_key(tmp_path: Path) -> list[Path]:
    """A key file with the key that bodies are sealed under."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"cms_kek": [{"kek": KEK.hex(), "id": KEK_NAME.hex()}]}))
    return [path]


@pytest.fixture
def esp_key(tmp_path: Path) -> list[Path]:
    """A key file with the key of `in_esp`."""
    path = tmp_path / "esp.json"
    esp = {"spi": "0x2000", "encryption": "aes-cbc", "encryption_key": ESP_KEY.hex()}
    path.write_text(json.dumps({"esp": [esp]}))
    return [path]


def allowing(*names: str, **more: Any) -> Policy:
    """A policy that authorises these identities for every conference."""
    return Policy(authorised=tuple(Authorised(name) for name in names), **more)


def members(*users: kit.User, duration: float | None = None) -> list[build.Packet]:
    """Users who dial in with SDES, one a second, at the focus."""
    users = users or (ALICE, BOB)
    return build.in_time_order(
        *(kit.dial_in(user, at=float(number), duration=duration) for number, user in enumerate(users))
    )


def entity(document: bytes = b"") -> bytes:
    """A document as a MIME entity, to be put into CMS."""
    return f"Content-Type: {kit.DOCUMENT}\r\n\r\n".encode() + (document or kit.document(ALICE, BOB))


def sealed(document: bytes = b"") -> bytes:
    """A document in AuthEnvelopedData for the key."""
    return cms_seal.auth_enveloped(entity(document), KEK, KEK_NAME)


def state(after: float = 0.5, body: bytes = b"", **more: Any) -> kit.Notify:
    """A notification with a roster of Alice and Bob, readable unless its body is another."""
    return kit.Notify(after, body or kit.document(ALICE, BOB), **more)


def smime(after: float = 0.5, body: bytes = b"", content_type: str = SEALED) -> kit.Notify:
    """The same, sealed."""
    return kit.Notify(after, body or sealed(), content_type=content_type)


def datagrams(packets: list[build.Packet]) -> list[tuple[float, build.Address, build.Address, bytes]]:
    """Time, ends and payload of UDP packets over IPv4."""
    out = []
    for at, frame in packets:
        source, destination = (".".join(map(str, frame[low : low + 4])) for low in (26, 30))
        ports = [int.from_bytes(frame[low : low + 2], "big") for low in (34, 36)]
        out.append((at, (source, ports[0]), (destination, ports[1]), frame[42:]))
    return out


def in_esp_null(packets: list[build.Packet]) -> list[build.Packet]:
    """The same packets in ESP with NULL encryption."""
    return [
        (at, build.esp_null(source, destination, payload, spi=0x1000 + source[1] % 7 + (source[0] < destination[0]),
                            sequence=number))
        for number, (at, source, destination, payload) in enumerate(datagrams(packets), 1)
    ]  # fmt: skip


def in_esp(packets: list[build.Packet]) -> list[build.Packet]:
    """The same packets in ESP with AES-CBC."""
    out = []
    for number, (at, source, destination, payload) in enumerate(datagrams(packets), 1):
        inner = build.udp_datagram(source, destination, payload)
        padding = -(len(inner) + 2) % 16
        inner += bytes(range(1, padding + 1)) + bytes((padding, build.UDP))
        vector = number.to_bytes(16, "big")
        encryptor = Cipher(algorithms.AES(ESP_KEY), modes.CBC(vector)).encryptor()
        body = struct.pack("!II", 0x2000, number) + vector + encryptor.update(inner) + encryptor.finalize()
        out.append((at, build.ethernet(build.ip(source[0], destination[0], build.ESP, body))))
    return out
