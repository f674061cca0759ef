"""`imsinspect show` and `imsinspect decode`: what a user types, and what comes out."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from imsinspect.cli.main import run
from tests import build

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = b"OPTIONS sip:b@example.org SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n"
KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
CRYPTO = f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"


@pytest.fixture
def capture(tmp_path: Path) -> str:
    """Two SIP requests."""
    path = tmp_path / "two.pcap"
    path.write_bytes(build.pcap([(number, build.udp(build.ALICE, build.BOB, OPTIONS)) for number in (0, 1)]))
    return str(path)


def test_show_prints_the_frames_asked_for(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", capture, "1-2", "1", "--layer", "udp"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("Frame")] == [
        f"Frame {number}, 2026-01-01 00:00:0{number - 1}.000000 UTC, EN10MB, 99 octets" for number in (1, 2, 1)
    ]
    assert out.count("UDP  (RFC 768)") == 3
    assert "Ethernet" not in out


def test_show_gives_json(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", capture, "2", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["frame"], row["time"], row["length"]) == (2, "2026-01-01T00:00:01.000000Z", 99)
    assert row["octets"] == build.udp(build.ALICE, build.BOB, OPTIONS).hex()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["3"], "has no frame 3"),
        (["0"], "0 is no frame number"),
        (["2-1"], "2-1 is no frame number"),
        (["x"], "x is no frame number"),
        (["1-5000"], "more than 1000 frames at once"),
    ],
)
def test_bad_frames_end_with_one_line(
    capture: str, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", capture, *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert "audit" not in err


def test_show_does_not_read_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "-", "1"]) == 2
    assert "a pipe can't be" in capsys.readouterr().err


def test_decode_names_a_key_by_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--json"]):
        assert run(["decode", "crypto", CRYPTO, *words]) == 0
        out = capsys.readouterr().out
        assert KEY not in out
        assert KEY.encode().hex() not in out
        assert KEY.encode().hex(" ")[:23] not in out
        assert "AES_CM_128_HMAC_SHA1_80" in out
    assert run(["decode", "crypto", CRYPTO, "--show-secrets"]) == 0
    assert KEY in capsys.readouterr().out


def test_decode_reads_words_files_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = bytes.fromhex("15030300020228")
    (tmp_path / "alert.bin").write_bytes(octets)
    assert run(["decode", "tls", octets.hex()]) == 0
    first = capsys.readouterr().out
    assert "description: 40  handshake_failure" in first
    assert run(["decode", "tls", str(tmp_path / "alert.bin")]) == 0
    assert capsys.readouterr().out == first
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(octets), isatty=lambda: False))
    assert run(["decode", "tls"]) == 0
    assert capsys.readouterr().out == first


def test_decode_places_the_trailer_of_a_suite(capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 7714 §9: the tag, then the word of E and index, then the MKI."""
    octets = "81c8000bcafebabe" + "11" * 24 + "22" * 16 + "80000001" + "cafe0001"
    assert run(["decode", "srtcp", octets, "--suite", "AEAD_AES_128_GCM", "--mki", "4", "--json"]) == 0
    (root,) = json.loads(capsys.readouterr().out)["tree"]
    places = {child["name"]: (child["offset"], child["length"]) for child in root["children"]}
    assert (places["authentication_tag"], places["MKI"]) == ((32, 16), (52, 4))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing", "00"], "nothing is none of bfcp"),
        (["tls", "  "], "nothing to decode"),
        (["tls", "no-such-file.bin"], "no-such-file.bin is no file"),
        (["sip", "/tmp/no/such/file"], "/tmp/no/such/file is no file"),
        (["tls", "--form", "hex", "0"], "no hexadecimal digits"),
        (["tls", "--mki", "4", "1603"], "--suite and --mki are for srtp and srtcp"),
        (["srtp", "--suite", "ROT13", "8000"], "unknown SRTP suite ROT13"),
    ],
)
def test_decode_says_what_it_can_not_read(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [["sdp"], ["mikey", "inline:"], []])
def test_decode_does_not_repeat_what_may_be_a_key(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    key = build.crypto("alice").split("inline:")[1]
    kind, before = [*words, "", ""][:2]
    assert run(["decode", kind, before + key] if kind else ["decode", key]) == 2
    said = capsys.readouterr().err
    assert said.startswith("imsinspect: error: Invalid value: the input is ")
    assert key not in said
