"""Calls whose session descriptions stand in S/MIME bodies, audited with and without the keys of a key file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from imsinspect.pipeline import Options, audit
from imsinspect.report.json import render
from imsinspect.trace.smime import WRONG_KEY
from tests import build
from tests.trace.cms_seal import auth_enveloped, enveloped, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imsinspect.report.audit import Audit

KEK, NAME = bytes(range(16)), b"\xc0\xff\xee"
ALICE_MEDIA, BOB_MEDIA = ("192.0.2.10", 40_000), ("198.51.100.20", 50_000)
SMIME = "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"


def entity(sdp: bytes) -> bytes:
    """A description as a MIME entity."""
    return b"Content-Type: application/sdp\r\n\r\n" + sdp


def capture(wrap: Callable[[bytes], tuple[bytes, str]]) -> bytes:
    """A call with SDES whose descriptions `wrap` turns into bodies with their types, and its media."""
    talk = build.Dialog()
    bodies = []
    for who, (address, port) in (("alice", ALICE_MEDIA), ("bob", BOB_MEDIA)):
        bodies.append(wrap(build.sdp(address, build.audio(port, "RTP/SAVP", build.crypto(who)))))
    (offer, offered), (answer, answered) = bodies
    script = [
        (0.0, talk.request("INVITE", offer, content_type=offered), True),
        (0.5, talk.response(200, "OK", answer, content_type=answered), False),
        (0.51, talk.request("ACK"), True),
        (4.0, talk.request("BYE", in_dialog=True), True),
        (4.01, talk.response(200, "OK", method="BYE"), False),
    ]
    media = [
        *build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(60), srtp=build.Srtp(build.master_key("alice"))),
        *build.rtp_stream(BOB_MEDIA, ALICE_MEDIA, 0xB, build.speech(60), srtp=build.Srtp(build.master_key("bob"))),
    ]
    return build.pcap(build.in_time_order(build.carry(talk, script), media))


def alone(sdp: bytes) -> tuple[bytes, str]:
    """The whole body is encrypted."""
    return enveloped(entity(sdp), (KEK, NAME)), SMIME


def authenticated(sdp: bytes) -> tuple[bytes, str]:
    """The same with an AEAD cipher."""
    return auth_enveloped(entity(sdp), KEK, NAME), SMIME.replace("enveloped", "authEnveloped")


def in_multipart(sdp: bytes) -> tuple[bytes, str]:
    """One of two parts is encrypted."""
    body = (
        b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: " + SMIME.encode() + b"\r\n\r\n"
        + enveloped(entity(sdp), (KEK, NAME)) + b"\r\n--x--\r\n"
    )  # fmt: skip
    return body, "multipart/mixed; boundary=x"


def only_signed(sdp: bytes) -> tuple[bytes, str]:
    """Everybody can read what is signed."""
    return signed(entity(sdp)), "application/pkcs7-mime; smime-type=signed-data"


def audited(folder: Path, data: bytes, *keks: dict[str, str]) -> Audit:
    """What the tool says with such keys."""
    path, keys = folder / "smime.pcap", folder / "keys.json"
    path.write_bytes(data)
    keys.write_text(json.dumps({"cms_kek": list(keks)}))
    return audit([str(path)], Options(keys=(keys,) if keks else ()))


def gaps(result: Audit) -> set[str]:
    """What is said of bodies that could not be read."""
    return {row.reason for row in result.assessments if row.gap == "N-SIP" and "S/MIME" in row.reason}


@pytest.mark.parametrize("row", [{"kek": KEK.hex(), "id": NAME.hex()}, {"kek": KEK.hex()}])
@pytest.mark.parametrize("wrap", [alone, authenticated, in_multipart])
def test_with_the_key_calls_streams_and_proofs_appear(tmp_path, wrap, row):
    result = audited(tmp_path, capture(wrap), row)
    (call,) = result.trace.calls
    assert [len(line.streams) for line in call.lines] == [2]
    assert [(each.proof.verified, each.proof.failed) for each in result.trace.streams if each.proof] == [(60, 0)] * 2
    assert gaps(result) == set()
    assert not [note for note in result.notes if "S/MIME" in note.text]
    invite = result.trace.messages[0]
    assert (len(invite.sdp), invite.hidden_sdp, invite.readable_sdp) == (1, 1, ())
    (body,) = invite.sealed
    assert (body.encrypted, body.opened, body.detail) == (True, True, "")
    assert "IMS-SIG-001" not in {finding.rule for finding in result.findings}  # its keys are not in clear
    assert KEK.hex() not in render(result)


@pytest.mark.parametrize("wrap", [alone, authenticated, in_multipart])
def test_without_keys_the_description_is_a_gap(tmp_path, wrap):
    result = audited(tmp_path, capture(wrap))
    assert gaps(result)
    assert all(not message.sdp for message in result.trace.messages)
    assert not [note for note in result.notes if "S/MIME" in note.text]
    assert [stream.proof for stream in result.trace.streams] == [None, None]


def test_a_wrong_key_is_said_to_be_wrong_and_the_gap_stays(tmp_path):
    result = audited(tmp_path, capture(alone), {"kek": "ff" * 16, "id": NAME.hex()})
    assert gaps(result)
    assert [note.text for note in result.notes if "S/MIME" in note.text] == [
        f"S/MIME, id-envelopedData: {WRONG_KEY}"
    ] * 2
    assert result.trace.messages[0].sealed[0].detail == WRONG_KEY


def test_a_signed_description_is_read_by_all_and_its_keys_are_in_clear(tmp_path):
    result = audited(tmp_path, capture(only_signed))
    assert gaps(result) == set()
    invite = result.trace.messages[0]
    assert (len(invite.sdp), invite.hidden_sdp) == (1, 0)
    assert [(each.proof.verified, each.proof.failed) for each in result.trace.streams if each.proof] == [(60, 0)] * 2
    assert "IMS-SIG-001" in {finding.rule for finding in result.findings}
