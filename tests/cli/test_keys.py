"""Options about keys: `--keys`, `--keylog`, `--show-secrets`, and what is said of files that are wrong."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from imsinspect.cli.main import run

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SDES, NULL = str(SAMPLES / "best-effort-srtp-ipv6.pcapng"), str(SAMPLES / "null-cipher-msrp.pcapng")
SAID = "Hello Bob, nobody else can read this, I hope."


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    run(["audit", "-f", "json", *arguments])
    text = capsys.readouterr().out
    return json.loads(text), text


def test_keys_are_named_by_digests_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = report(capsys, SDES)
    assert [sorted(key)[:2] for key in found["keys"]] == [["key", "lifetime"], ["key", "lifetime"]]
    shown, text = report(capsys, SDES, "--show-secrets")
    keys = [key["key_and_salt_base64"] for key in shown["keys"]]
    assert [len(b64decode(key)) for key in keys] == [30, 30]
    assert all(key in text for key in keys)


def test_the_terminal_names_keys_by_digests_too(capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = report(capsys, SDES, "--show-secrets")
    keys = [key["key_and_salt_base64"] for key in shown["keys"]]
    run(["audit", SDES])
    assert not [key for key in keys if key in capsys.readouterr().out]
    run(["audit", SDES, "--show-secrets"])
    text = capsys.readouterr().out
    assert all(key in text for key in keys)


def test_what_a_null_cipher_leaves_readable_is_measured_and_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    found, text = report(capsys, NULL)
    (session,) = found["tls_sessions"]
    assert (session["opened_by"], session["opened_octets"], session["opened_messages"]) == ("null", 1090, {"msrp": 6})
    assert SAID not in text
    assert "Read without a key: 1090 octets, 6 MSRP messages." in text
    assert SAID in report(capsys, NULL, "--show-secrets")[1]


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--keys", "{", "not JSON in line 1"),
        ("--keys", '{"srtq": []}', "the file has an unknown member 'srtq'; did you mean 'srtp'?"),
        ("--keys", '{"tls_psk": [{"psk": "00zz"}]}', "tls_psk[0].psk is no hexadecimal text"),
        ("--keylog", "nothing of that kind\n", "no line of it gives a secret"),
    ],
)
def test_a_wrong_file_is_bad_usage_and_nothing_of_it_is_quoted(
    option: str, content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    assert run(["audit", SDES, option, str(file)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "00zz" not in error


@pytest.mark.parametrize("option", ["--keys", "--keylog"])
def test_a_file_that_is_not_there(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", SDES, option, str(tmp_path / "none")]) == 2
    assert "can't be read (No such file or directory)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "checked", "said"),
    [
        ("all", [350, 351], []),
        ("sample", [15, 15], ["of each stream the first 8 packets and one in 50 were verified, as was asked"]),
        ("none", [None, None], ["no tag was verified, as was asked"]),
    ],
)
def test_fewer_tags_are_verified_where_that_was_asked_and_the_report_says_so(
    capsys: pytest.CaptureFixture[str], asked: str, checked: list[int | None], said: list[str]
) -> None:
    found, _ = report(capsys, SDES, "--verify", asked)
    assert [each["verified"] and each["verified"]["packets"] for each in found["streams"]] == checked
    assert [note["text"] for note in found["notes"]] == said
