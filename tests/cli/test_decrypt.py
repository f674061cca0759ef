"""`imsinspect decrypt`: what a user types, what is written and said, and what is never done."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from imsinspect.cli.main import run
from tests import build

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PCAPNG = b"\x0a\x0d\x0d\x0a"
SSRC = 0x1234ABCD
ENDS = ("192.0.2.10", 4000), ("198.51.100.20", 5000)


@pytest.fixture
def protected(tmp_path: Path) -> Path:
    """SRTP without any signalling."""
    sender = build.Srtp(build.master_key("alice"))
    plain = [build.rtp(number, 160 * number, SSRC, build.pcmu_speech(number)) for number in range(50)]
    path = tmp_path / "in.pcap"
    path.write_bytes(build.pcap([(n * 0.02, build.udp(*ENDS, sender.protect(each))) for n, each in enumerate(plain)]))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The key file for it."""
    line = build.crypto("alice").split("inline:")[1]
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"srtp": [{"suite": "AES_CM_128_HMAC_SHA1_80", "key_and_salt_base64": line}]}))
    return path


def test_with_the_key_packets_are_decrypted_into_a_file_of_the_users_alone(
    protected: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.pcapng"
    assert run(["decrypt", str(protected), str(out), "--keys", str(keys)]) == 0
    assert build.pcmu_speech(0) in out.read_bytes()
    assert out.stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr()
    assert said.err == "decrypted: 50 SRTP packets of 1 stream\n"
    assert not said.out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.pcap", "keys.json", "out.pcapng"]
    secret = build.master_key("alice")
    assert secret not in out.read_bytes()
    assert build.crypto("alice").split("inline:")[1].encode() not in out.read_bytes()


def test_without_a_key_all_is_kept_and_the_status_says_so(
    protected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.pcapng"
    assert run(["decrypt", str(protected), str(out)]) == 3
    assert capsys.readouterr().err == ("decrypted: nothing\nkept, no key is known: 50 SRTP packets of 1 stream\n")
    assert out.read_bytes()[:4] == PCAPNG


def test_a_wrong_key_is_reported_as_wrong(protected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.json"
    line = build.crypto("mallory").split("inline:")[1]
    wrong.write_text(json.dumps({"srtp": [{"suite": "AES_CM_128_HMAC_SHA1_80", "key_and_salt_base64": line}]}))
    assert run(["decrypt", str(protected), str(tmp_path / "out"), "--keys", str(wrong)]) == 3
    said = capsys.readouterr().err
    assert "kept, not verified (no key verifies): 50 packets\n" in said
    assert line not in said


def test_messages_out_of_a_null_cipher_follow_their_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decrypt", str(SAMPLES / "null-cipher-msrp.pcapng"), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == (
        "decrypted: 6 messages out of 1 TLS or DTLS session\ninserted behind the frames that hold them: 6 packets\n"
    )
    assert (tmp_path / "out").read_bytes().count(b"decrypted by imsinspect") == 6


def test_the_capture_is_never_written_over(protected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = protected.read_bytes()
    link = protected.with_name("link.pcap")
    link.symlink_to(protected)
    for name in (protected, link):
        assert run(["decrypt", str(protected), str(name)]) == 2
        assert "is the capture itself, which is not written over" in capsys.readouterr().err
    assert protected.read_bytes() == before


def test_the_capture_is_not_written_over_when_it_comes_by_standard_input(
    protected: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = protected.read_bytes()
    for command in (["decrypt", "-", str(protected)], ["audit", "-", "--output", str(protected)]):
        with protected.open("rb") as file:
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, buffer=file))
            assert run(command) == 2
        assert f"{protected} is " in capsys.readouterr().err
    assert protected.read_bytes() == before


@pytest.mark.parametrize("option", ["--keys", "--keylog"])
def test_keys_are_never_written_over(
    protected: Path, keys: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = keys.read_bytes()
    for command in (["decrypt", str(protected), str(keys)], ["audit", str(protected), "--output", str(keys)]):
        assert run([*command, option, str(keys)]) == 2
        assert f"{keys} holds keys" in capsys.readouterr().err
    assert keys.read_bytes() == before


def test_a_reader_who_leaves_early_gets_a_status_that_says_so(protected: Path, keys: Path) -> None:
    command = [sys.executable, "-m", "imsinspect", "decrypt", str(protected), "-", "--keys", str(keys)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (2, b"imsinspect: error: standard output was closed before all was written\n")


@pytest.mark.parametrize("content", [b"no capture", b""])
def test_a_capture_that_cannot_be_read_leaves_nothing_behind(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.pcap").write_bytes(content)
    out = tmp_path / "out.pcapng"
    out.write_bytes(b"older")
    assert run(["decrypt", str(tmp_path / "in.pcap"), str(out)]) == 2
    assert "imsinspect: error: " in capsys.readouterr().err
    assert out.read_bytes() == b"older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.pcap", "out.pcapng"]


def test_bad_usage_is_said_before_anything_is_read(
    protected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        ([str(tmp_path), str(tmp_path / "out")], "is a folder"),
        ([str(tmp_path / "none.pcap"), str(tmp_path / "out")], "no such file"),
        ([str(protected), str(tmp_path)], "cannot write to"),
        ([str(protected), str(tmp_path / "no" / "out")], "cannot write to"),
        ([str(protected), "/dev/null"], "is no regular file"),
        ([str(protected), str(tmp_path / "out"), "--keys", str(tmp_path / "none.json")], "none.json"),
    ):
        assert run(["decrypt", *arguments]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class _Output(io.StringIO):
    """Standard output with octets behind it."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.buffer = io.BytesIO()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_standard_output_takes_a_capture_unless_it_is_a_terminal(
    protected: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, terminal = _Output(terminal=False), _Output(terminal=True)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert run(["decrypt", str(protected), "-", "--keys", str(keys)]) == 0
    assert pipe.buffer.getvalue()[:4] == PCAPNG
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(["decrypt", str(protected), "-", "--keys", str(keys)]) == 2
    assert not terminal.buffer.getvalue()


def test_standard_input_is_read(protected: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with protected.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, buffer=file))
        assert run(["decrypt", "-", str(tmp_path / "out"), "--keys", str(keys)]) == 0
    assert build.pcmu_speech(0) in (tmp_path / "out").read_bytes()
