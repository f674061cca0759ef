"""What keys prove, as JSON rows: keys by their digests, tags checked by stream, keystreams that were used twice."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report.escape import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import (
        EspAssociation,
        KeyPlace,
        KeyRepeat,
        KeystreamReuse,
        MasterKey,
        MikeyMessage,
        Proof,
        TlsSession,
        Trace,
    )

    Row = dict[str, Any]
    Path = Callable[[int], str | None]

CONTENT_RECORDS, CONTENT_OCTETS = 50, 512  # of a session's content, shown on demand
SHOWN = 8
"""Hex digits of a digest that name a key."""


def place(frame: FrameId | None, path: Path) -> Row:
    """A frame as the report names it."""
    if frame is None:
        return {"capture": None, "frame": None}
    return {"capture": path(capture_index(frame)), "frame": frame_number(frame)}


def verified(proof: Proof | None, path: Path) -> Row | None:
    """Tags that were checked of one sender; None where no key is known that could fit."""
    if proof is None:
        return None
    return {
        "packets": proof.packets,
        "failed": proof.failed,
        "replayed": proof.replayed,
        "key": proof.key[:SHOWN],
        "in_clear": proof.in_clear,
        "unchecked": proof.unchecked,
        "keys_tried": proof.keys_tried,
        "diagnosis": text(proof.diagnosis),
        "diagnoses": {text(name): count for name, count in proof.diagnoses.items()},
        "first_failed": None if proof.first_failed is None else place(proof.first_failed, path),
        "last_failed": None if proof.last_failed is None else place(proof.last_failed, path),
        "uses": [
            {
                "key": use.key[:SHOWN],
                "suite": text(use.suite),
                "relation": use.relation,
                "packets": use.packets,
                "first": place(use.first, path),
                "last": place(use.last, path),
                "first_index": use.first_index,
                "last_index": use.last_index,
            }
            for use in proof.uses
        ],
        "failures": [
            {**place(each.frame, path), "diagnosis": each.diagnosis, "detail": text(each.detail)}
            for each in proof.failures
        ],
        "replays": [{"first": place(each.first, path), "second": place(each.second, path)} for each in proof.replays],
    }


def master_key(key: MasterKey, path: Path, secrets: dict[str, bytes] | None = None) -> Row:
    """A key, named by the first digits of its digest; itself only where the user asked for secrets."""
    shown = {} if secrets is None else {"key_and_salt_base64": b64encode(secrets.get(key.digest, b"")).decode()}
    return {
        "key": key.digest[:SHOWN],
        **shown,
        "suite": text(key.suite),
        "lifetime": key.lifetime,
        "lifetime_exceeded": key.exceeded,
        "srtp_packets": key.srtp_packets,
        "srtcp_packets": key.srtcp_packets,
        "streams": key.streams,
        "places": [_key_place(each, path) for each in key.places],
    }


def _key_place(each: KeyPlace, path: Path) -> Row:
    return {
        "kind": each.kind,
        **place(each.frame, path),
        "field": text(each.field),
        "call": each.call or None,
        "line": each.line or None,
        "agreed": each.agreed,
    }


def key_repeat(repeat: KeyRepeat, path: Path) -> Row:
    """A key that stands where a new one is due."""
    return {
        "kind": repeat.kind,
        "key": repeat.key[:SHOWN],
        "places": [_key_place(each, path) for each in repeat.places],
    }


def mikey_message(message: MikeyMessage, path: Path) -> Row:
    """A MIKEY message, and what the keys at hand make of it."""
    return {
        **place(message.frames[0], path),
        "carrier": message.carrier,
        "kind": text(message.kind),
        "csb_id": f"0x{message.csb_id:08x}",
        "call": message.call or None,
        "lines": message.lines,
        "authentic": message.authentic,
        "authentication": text(message.authentication),
        "opened": message.opened,
        "key": message.key[:SHOWN],
        "remarks": [text(each) for each in message.remarks],
    }


def esp_association(association: EspAssociation, path: Path) -> Row:
    """A security association of ESP, and what was read of it with and without keys."""
    return {
        "spi": f"0x{association.spi:08x}",
        "source": association.source,
        "destination": association.destination,
        "packets": association.packets,
        "null_encrypted": association.null_encrypted,
        "opened": association.opened,
        "failed": association.failed,
        "verified": association.verified,
        "key": association.key[:SHOWN],
        "first": place(association.first.frame, path),
        "last": place(association.last.frame, path),
    }


def content(session: TlsSession) -> list[Row]:
    """What the first records of a session say, for who asked for it."""
    return [
        {"frame": frame_number(each.frame), "from_client": each.from_client, "text": text(each.data[:CONTENT_OCTETS])}
        for each in session.opened_data[:CONTENT_RECORDS]
    ]


def sealed_bodies(trace: Trace, path: Path) -> list[Row]:
    """S/MIME bodies of SIP, and what became of them; a retransmission is not told again."""
    return [
        {
            **place(message.frame, path),
            "content_type": text(body.content_type),
            "encrypted": body.encrypted,
            "opened": body.opened,
            "key": body.key[:SHOWN],
            "detail": text(body.detail),
        }
        for message in trace.messages
        if not message.retransmission
        for body in message.sealed
    ]


def keystream_reuse(reuse: KeystreamReuse, path: Path) -> Row:
    """Two packets under one keystream."""
    return {
        "key": reuse.key[:SHOWN],
        "ssrc": f"0x{reuse.ssrc:08x}",
        "index": reuse.index,
        "rtcp": reuse.rtcp,
        "first": {**place(reuse.first, path), "stream": reuse.first_stream},
        "second": {**place(reuse.second, path), "stream": reuse.second_stream},
        "packets": reuse.packets,
    }
