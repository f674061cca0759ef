"""No key of any sample stands in a report, a note or an error, in any of the ways in which it could be written."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.cli.main import run
from imsinspect.keys.collect import collect
from imsinspect.pipeline import Options, audit
from imsinspect.trace.correlate import correlate
from imsinspect.trace.scan import scan
from tests import build
from tests.keys.scene import GCM, SSRC_B, A, B, call, context, key_row, sent
from tests.rules.conftest import offer

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = sorted(
    path for path in (Path(__file__).parents[2] / "samples").iterdir() if path.suffix in (".pcap", ".pcapng")
)


def forms(secret: bytes) -> Iterator[str]:
    """How octets may be written."""
    for encoded in (base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
        yield encoded.decode().rstrip("=")
    yield from (secret.hex(), secret.hex().upper(), secret.hex(":"), secret.hex(" "))
    yield repr(secret)[2:-1]
    yield str(list(secret))[1:-1]
    yield secret.decode("latin-1")
    yield json.dumps(secret.decode("latin-1"))[1:-1]
    yield str(int.from_bytes(secret, "big"))


def leaks(secrets: set[bytes], *texts: str) -> list[str]:
    return [form for secret in secrets for form in forms(secret) if any(form in text for text in texts)]


def secrets_of(key_salt: bytes, key_octets: int) -> set[bytes]:
    """Key and salt, and each alone."""
    return {key_salt, key_salt[:key_octets], key_salt[key_octets:]}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_of_a_sample(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = collect(correlate([scan(str(path), 0)])).candidates.strangers
    secrets = {
        each for key in ring for each in secrets_of(key.key_salt, key.parameters.key_octets) if len(each) >= 12
    }  # fmt: skip
    for key in ring:
        session = key.keys.transform(rtcp=False, index=0)
        assert not leaks(secrets, repr(key), repr(key.keys), repr(session), repr(key.parameters))
    texts = []
    for way in (["audit", str(path)], ["audit", "-f", "json", str(path)]):
        run(way)
        said = capsys.readouterr()
        texts += [said.out, said.err]
    trace = audit([str(path)], Options()).trace
    texts += [repr(trace.keys), repr(trace.notes), repr([each.proof for each in (*trace.streams, *trace.rtcp_sources)])]
    assert not leaks(secrets, *texts)


def test_the_search_would_find_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    path = next(each for each in SAMPLES if each.name == "sdes-keys-in-clear-sip.pcapng")
    ring = collect(correlate([scan(str(path), 0)])).candidates.strangers
    run(["audit", "-f", "json", "--show-secrets", str(path)])
    assert leaks({key.key_salt for key in ring}, capsys.readouterr().out)


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", GCM])
def test_of_a_call_with_everything_wrong(tmp_path: Path, suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Diagnoses and details of all kinds, and keys of a file."""
    media = [
        *sent(context("b", suite), 20),
        *sent(context("a", suite, roc=1), 20, at=2, sequence=300),
        *sent(build.Srtp(build.master_key("a", suite)[:16] + bytes(14), suite), 20, at=3, ssrc=SSRC_B),
        *sent(context("file", suite), 20, at=4, ssrc=7),
        *sent(context("file", suite), 20, at=5, ssrc=7, content=lambda number: build.noise(number + 500, 70)),
        *sent(None, 20, at=6, source=B, destination=A, content=build.pcmu_speech),
    ]
    packets = call(media, offered=offer("RTP/SAVP", build.crypto("a", suite=suite)))
    capture, keys = tmp_path / "call.pcap", tmp_path / "keys.json"
    capture.write_bytes(build.pcap(packets))
    keys.write_text(json.dumps({"srtp": [key_row("file", suite), key_row("unused", suite, of="nobody")]}))
    secrets: set[bytes] = set()
    for seed in ("a", "b", "file", "unused"):
        secrets |= secrets_of(build.master_key(seed, suite), 16)
    texts = []
    for more in ([], ["-f", "json"]):
        run(["audit", str(capture), "--keys", str(keys), *more])
        said = capsys.readouterr()
        texts += [said.out, said.err]
    assert "verifies no packet" in texts[0] + texts[1]
    assert not leaks(secrets, *texts)


def test_proofs_hold_no_key_when_they_travel_between_processes() -> None:
    trace = build.audit_bytes(build.pcap(call(sent(context("a"))))).trace
    travelled = pickle.dumps([stream.proof for stream in trace.streams])
    assert not leaks({build.master_key("a")}, travelled.decode("latin-1"))
