"""Key logs as programs write them; what is no line of one is counted and never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.capture.errors import UsageError
from imsinspect.crypto.tls import TRAFFIC_SECRETS
from imsinspect.keys import keylog
from imsinspect.keys.keylog import parse_keylog, read_key_log

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = b"\xab" * 32
MASTER = bytes(range(48))


def line(label: str, name: bytes, secret: bytes) -> bytes:
    """One line, without its end."""
    return f"{label} {name.hex()} {secret.hex()}".encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_comments_empty_lines_and_all_line_ends(end: bytes) -> None:
    text = end.join([b"# a comment", b"", line("CLIENT_RANDOM", RANDOM, MASTER), b"  ", b"#"])
    found = parse_keylog(text)
    assert (found.lines, found.malformed, found.other) == (1, 0, 0)
    assert found.secrets.master == {RANDOM: MASTER}


@pytest.mark.parametrize("label", TRAFFIC_SECRETS)
def test_each_secret_of_tls_1_3(label: str) -> None:
    for octets in (32, 48):
        found = parse_keylog(line(label, RANDOM, bytes(octets)))
        assert found.secrets.traffic == {RANDOM: {label: bytes(octets)}}
    assert parse_keylog(line(label, RANDOM, bytes(33))).malformed == 1


def test_secrets_of_one_session_are_kept_together_in_any_order() -> None:
    text = b"\n".join(line(label, RANDOM, label.encode().ljust(32)[:32]) for label in reversed(TRAFFIC_SECRETS))
    (secrets,) = parse_keylog(text).secrets.traffic.values()
    assert set(secrets) == set(TRAFFIC_SECRETS)


def test_older_lines() -> None:
    session_id = b"\x05" * 32
    text = b"\n".join([
        line("RSA", b"\x01" * 8, MASTER),
        line("PMS_CLIENT_RANDOM", RANDOM, b"premaster"),
        f"RSA Session-ID:{session_id.hex()} Master-Key:{MASTER.hex().upper()}".encode(),
    ])  # fmt: skip
    found = parse_keylog(text)
    assert (found.lines, found.malformed) == (3, 0)
    assert found.secrets.rsa_premaster == {b"\x01" * 8: MASTER}
    assert found.secrets.premaster == {RANDOM: b"premaster"}
    assert found.secrets.session_master == {session_id: MASTER}


def test_labels_that_open_no_record_are_no_fault() -> None:
    found = parse_keylog(line("ECH_SECRET", RANDOM, bytes(32)) + b"\n" + line("QUIC_NEW_LABEL_7", RANDOM, bytes(5)))
    assert (found.lines, found.other, found.malformed) == (0, 2, 0)
    assert not found.secrets


@pytest.mark.parametrize(
    "text",
    [
        b"CLIENT_RANDOM",
        b"CLIENT_RANDOM 00 00",
        line("CLIENT_RANDOM", RANDOM, bytes(47)),
        line("CLIENT_RANDOM", RANDOM[:31], MASTER),
        line("CLIENT_RANDOM", RANDOM, MASTER) + b"0",
        line("CLIENT_RANDOM", RANDOM, MASTER) + b" more",
        line("CLIENT_RANDOM", RANDOM, MASTER).replace(b"ab", b"xy"),
        line("RSA", b"\x01" * 7, MASTER),
        b"RSA Session-ID:zz Master-Key:00",
        b"RSA Session-ID:00 Key:00",
        b"some text that is none",
        b"\xff\xfe\x00",
        b"CLIENT_RANDOM " + b"00" * 5000,
    ],
)
def test_malformed_lines_are_passed_over_and_counted(text: bytes) -> None:
    found = parse_keylog(text + b"\n" + line("CLIENT_RANDOM", RANDOM, MASTER))
    assert (found.lines, found.malformed) == (1, 1)
    assert found.secrets.master == {RANDOM: MASTER}
    assert MASTER.hex() not in repr(found)


@given(st.binary(max_size=300))
def test_no_octets_raise(text: bytes) -> None:
    found = parse_keylog(text)
    assert found.lines == 0


def test_of_a_file_that_is_too_long_no_more_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a device that never ends."""
    path = tmp_path / "keys.log"
    path.write_bytes(line("CLIENT_RANDOM", RANDOM, MASTER) + bytes(1 << 20))
    monkeypatch.setattr(keylog, "MAX_OCTETS", 1 << 20)
    with pytest.raises(UsageError, match=r"key log .*: longer than 1 MiB"):
        read_key_log(path)
