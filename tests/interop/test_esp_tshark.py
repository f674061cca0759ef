"""What keys open of strongSwan's ESP is what tshark decrypts with them, octet for octet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from imsinspect.pipeline import Options, audit
from imsinspect.trace.model import Protection

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
NAMES = ("esp-aes128-sha1", "esp-aes256-sha256", "esp-aes128gcm16", "esp-null-sha1")
ENCRYPTION = {"aes-cbc": "AES-CBC [RFC3602]", "aes-gcm": "AES-GCM with 16 octet ICV [RFC4106]", "null": "NULL"}
INTEGRITY = {
    "hmac-sha1-96": "HMAC-SHA-1-96 [RFC2404]",
    "hmac-sha256-128": "HMAC-SHA-256-128 [RFC4868]",
    "": "NULL",
}


def rows(name: str) -> list[dict[str, str]]:
    """The keys beside a recording."""
    loaded: list[dict[str, str]] = json.loads((RECORDINGS / f"{name}.keys.json").read_text())["esp"]
    return loaded


def association(row: dict[str, str]) -> str:
    """A line of tshark's table of associations."""
    keys = (f"0x{row[kind]}" if row.get(kind) else "" for kind in ("encryption_key", "integrity_key"))
    encryption, integrity = ENCRYPTION[row["encryption"]], INTEGRITY[row.get("integrity", "")]
    values = ["IPv4", "*", "*", row["spi"], encryption, next(keys), integrity, next(keys)]
    return "uat:esp_sa:" + ",".join(f'"{value}"' for value in values)


def decrypted(program: str, name: str) -> dict[int, tuple[int, bytes, bool]]:
    """By frame: SPI, the datagram inside, and whether tshark found the check value good."""
    command = [program, "-n", "-r", str(RECORDINGS / f"{name}.pcapng"), "-Y", "esp", "-T", "fields"]
    switches = ("enable_encryption_decode", "enable_authentication_check", "enable_null_encryption_decode_heuristic")
    command += [word for each in switches for word in ("-o", f"esp.{each}:TRUE")]
    command += [word for row in rows(name) for word in ("-o", association(row))]
    for field in ("frame.number", "esp.spi", "udp.payload", "esp.icv_good"):
        command += ["-e", field]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    out = {}
    for line in shown.splitlines():
        frame, spi, payloads, good = line.split("\t")
        inner = payloads.split(",")
        assert len(inner) == 2, "tshark decrypted nothing"
        out[int(frame)] = int(spi, 16), bytes.fromhex(inner[1]), good in ("1", "True")
    return out


@pytest.mark.parametrize("name", NAMES)
def test_the_sip_inside_is_what_tshark_decrypts(peer, name):
    theirs = decrypted(peer("tshark"), name)
    keys = RECORDINGS / f"{name}.keys.json"
    result = audit([str(RECORDINGS / f"{name}.pcapng")], Options(keys=(keys,)))
    trace = result.trace
    assert {each.frame: each.sip.head + each.sip.body for each in trace.messages} == {
        frame: data for frame, (_, data, _) in theirs.items()
    }
    readable = name == "esp-null-sha1"
    wanted = Protection.ESP_NULL if readable else Protection.OPENED
    assert {each.protection for each in trace.messages} == {wanted}
    for each in trace.esp:
        mine = [good for spi, _, good in theirs.values() if spi == each.spi]
        assert each.packets == each.opened == each.verified == len(mine) > 0
        assert each.null_encrypted == (each.packets if readable else 0)
        assert "integrity" not in rows(name)[0] or all(mine)


@pytest.mark.parametrize("name", NAMES)
def test_the_call_and_its_media_are_proven_with_the_keys_inside(name):
    keys = RECORDINGS / f"{name}.keys.json"
    with_keys = audit([str(RECORDINGS / f"{name}.pcapng")], Options(keys=(keys,))).trace
    (call,) = with_keys.calls
    assert call.state == "ended"
    assert len(with_keys.streams) == 2
    for stream in with_keys.streams:
        assert stream.proof is not None
        assert (stream.proof.verified, stream.proof.failed) == (stream.packets, 0)
    without = audit([str(RECORDINGS / f"{name}.pcapng")]).trace
    assert len(without.calls) == (name == "esp-null-sha1")
