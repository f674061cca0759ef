"""Calls whose signalling is inside ESP, audited with and without the keys of a key file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from imsinspect.pipeline import Options, audit
from imsinspect.report.json import render, to_json
from imsinspect.trace.model import Protection
from tests import build
from tests.crypto.esp_seal import Seal

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
UE, PROXY = ("192.0.2.10", 5062), ("198.51.100.20", 5064)
UE_MEDIA, GATEWAY = ("192.0.2.10", 40_000), ("198.51.100.30", 50_000)


def sealed(frames: list[build.Packet], senders: dict[bytes, Seal]) -> list[build.Packet]:
    """Frames in transport mode, each under the association of its source address."""
    out = []
    for at, frame in frames:
        head, payload = frame[14:34], frame[34:]
        source, destination = (".".join(map(str, head[low : low + 4])) for low in (12, 16))
        packet = senders[head[12:16]].packet(payload, head[9])
        out.append((at, build.ethernet(build.ip(source, destination, build.ESP, packet))))
    return out


class Scene:
    """A call with SDES whose SIP is inside ESP, and the media that it agreed."""

    def __init__(self, encryption: str = "aes-cbc", integrity: str = "hmac-sha-1-96", transport: str = "UDP") -> None:
        self.up = Seal(0x0A01, encryption, integrity, seed="up")
        self.down = Seal(0x0B01, encryption, integrity, seed="down")
        dialog = build.Dialog(caller=UE, callee=PROXY, transport=transport)
        offer = build.sdp(UE[0], build.audio(UE_MEDIA[1], "RTP/SAVP", build.crypto("alice")))
        answer = build.sdp(GATEWAY[0], build.audio(GATEWAY[1], "RTP/SAVP", build.crypto("bob")))
        talk = build.call(offer, answer, dialog=dialog, duration=4)
        self.signalling = sealed(talk, {bytes((192, 0, 2, 10)): self.up, bytes((198, 51, 100, 20)): self.down})
        self.media = [
            *build.rtp_stream(UE_MEDIA, GATEWAY, 0xA, build.speech(60), srtp=build.Srtp(build.master_key("alice"))),
            *build.rtp_stream(GATEWAY, UE_MEDIA, 0xB, build.speech(60), srtp=build.Srtp(build.master_key("bob"))),
        ]
        self.rows = [self.up.row, self.down.row]

    def audit(self, folder: Path, rows: list[dict[str, str]] | None = None) -> Audit:
        """What the tool says of the capture with keys; none for None."""
        capture, keys = folder / "esp.pcap", folder / "keys.json"
        capture.write_bytes(build.pcap(build.in_time_order(self.signalling, self.media)))
        keys.write_text(json.dumps({"esp": rows or []}))
        return audit([str(capture)], Options(keys=(keys,) if rows is not None else ()))


def rows_of(result: Audit) -> list[dict[str, Any]]:
    """Associations as the report has them, without their places."""
    shown = to_json(result)["esp_associations"]
    return [{name: value for name, value in row.items() if name not in ("first", "last")} for row in shown]


def gaps(result: Audit) -> set[tuple[str, str]]:
    """What hidden signalling is said to hide."""
    return {(row.rule, row.reason) for row in result.assessments if row.gap == "N-SIP" and "ESP" in row.reason}


def test_without_keys_the_signalling_is_a_gap_and_the_streams_are_announced_by_nothing(tmp_path):
    result = Scene().audit(tmp_path)
    assert result.trace.calls == []
    assert {reason.partition("; ")[0] for _, reason in gaps(result)} == {"ESP that could not be opened may hold SIP"}
    assert [each.proof for each in result.trace.streams] == [None, None]
    assert [(row["opened"], row["failed"], row["verified"], row["key"]) for row in rows_of(result)] == [
        (0, 0, 0, "")
    ] * 2


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize(("encryption", "integrity"), [("aes-cbc", "hmac-sha-1-96"), ("aes-gcm", "")])
def test_with_the_key_file_calls_streams_and_proofs_appear(tmp_path, encryption, integrity, transport):
    scene = Scene(encryption, integrity, transport)
    result = scene.audit(tmp_path, scene.rows)
    (call,) = result.trace.calls
    assert (call.state, len(call.lines)) == ("ended", 1)
    assert {message.protection for message in result.trace.messages} == {Protection.OPENED}
    assert [len(line.streams) for line in call.lines] == [2]
    assert [(each.proof.verified, each.proof.failed) for each in result.trace.streams if each.proof] == [(60, 0)] * 2
    assert gaps(result) == set()
    assert "IMS-SIG-001" not in {finding.rule for finding in result.findings}
    up, down = rows_of(result)
    count = sum(frame[26:30] == bytes((192, 0, 2, 10)) for _, frame in scene.signalling)
    assert up == {
        "spi": "0x00000a01", "source": UE[0], "destination": PROXY[0], "packets": count, "null_encrypted": 0,
        "opened": count, "failed": 0, "verified": count, "key": up["key"],
    }  # fmt: skip
    assert down["opened"] == down["packets"] == len(scene.signalling) - count
    assert len(up["key"]) == 8 != down["key"]


def test_null_encryption_under_a_key_is_verified_and_still_readable_by_others(tmp_path):
    scene = Scene("null", "hmac-sha-1-96")
    result = scene.audit(tmp_path, scene.rows)
    assert {message.protection for message in result.trace.messages} == {Protection.ESP_NULL}
    assert "IMS-SIG-001" not in {finding.rule for finding in result.findings}
    for row in rows_of(result):
        assert row["packets"] == row["null_encrypted"] == row["opened"] == row["verified"]


def test_a_wrong_key_is_said_to_be_wrong_and_the_gap_stays(tmp_path):
    scene = Scene()
    rows = [dict(row, integrity_key="00" * 20) for row in scene.rows]
    result = scene.audit(tmp_path, rows)
    assert result.trace.calls == []
    assert gaps(result)
    assert all(row["failed"] == row["packets"] and not row["opened"] for row in rows_of(result))
    said = [note.text for note in result.notes if "ESP" in note.text]
    assert said == [f"ESP, SPI 0x{row['spi'][2:]}: the key at hand does not open {row['failed']} packets"
                    for row in rows_of(result)]  # fmt: skip


def test_the_report_keeps_to_its_schema_and_holds_no_key(tmp_path):
    scene = Scene()
    result = scene.audit(tmp_path, scene.rows)
    jsonschema.validate(to_json(result), json.loads(SCHEMA.read_text()))
    assert [row["first"]["frame"] for row in to_json(result)["esp_associations"]] == [1, 2]
    shown = render(result)
    for sender in (scene.up, scene.down):
        for key in (sender.key, sender.integrity_key):
            assert key.hex() not in shown.lower()
