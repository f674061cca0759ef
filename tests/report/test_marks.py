"""How each thing that passed is marked: what it really was, not what was promised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imsinspect.capture.endpoint import Endpoint
from imsinspect.report import marks
from imsinspect.report.calls import CLEAR, MIXED, NOT_ASSESSED, NULL, RTCP_CLEAR, SRTP, VERIFIED
from imsinspect.report.ladder_model import Mark
from imsinspect.report.protection import Level
from imsinspect.trace.model import (
    EspAssociation,
    Hello,
    Judgement,
    MediaStream,
    Place,
    Proof,
    Protection,
    RtcpSource,
    SrtcpLayout,
    TlsSession,
)

HERE, THERE, NOW = Endpoint("192.0.2.1", 1000), Endpoint("192.0.2.2", 2000), Place(1, 1)


@pytest.mark.parametrize(
    ("protection", "transport", "mark"),
    [
        (Protection.CLEAR, "udp", Mark(Level.CLEAR, "clear")),
        (Protection.ESP_NULL, "udp", Mark(Level.CLEAR, "ESP-NULL")),
        (Protection.OPENED, "tcp", Mark(Level.SECURED, "ESP")),
        (Protection.OPENED, "tls", Mark(Level.SECURED, "hop TLS")),
        (Protection.TLS_NULL, "tls", Mark(Level.BROKEN, "NULL")),
        (Protection.EXPORTED, "exported", Mark(Level.UNKNOWN, "exported")),
    ],
)
def test_a_message_is_marked_as_it_travelled(protection: Protection, transport: str, mark: Mark) -> None:
    assert marks.of_message(protection, transport) == mark


def stream(kind: str, *, part: str = "", readable: bool = False, proof: Proof | None = None) -> MediaStream:
    other = Judgement(part, "strong") if part else None
    judgement = Judgement(kind, "strong", readable=readable, other_part=other)
    return MediaStream("stream-1", 1, HERE, THERE, 9, 0, NOW, NOW, 1, 9, proof=proof, judgement=judgement)


@pytest.mark.parametrize(
    ("seen", "unclaimed", "claimed"),
    [
        (stream("rtp"), (Level.CLEAR, CLEAR), (Level.BROKEN, CLEAR)),
        (stream("srtp"), (Level.SECURED, SRTP), (Level.SECURED, SRTP)),
        (stream("unknown"), (Level.UNKNOWN, NOT_ASSESSED), (Level.UNKNOWN, "SRTP claimed")),
        (stream("srtp", part="rtp"), (Level.CLEAR, MIXED), (Level.BROKEN, MIXED)),
        (stream("srtp", readable=True), (Level.BROKEN, NULL), (Level.BROKEN, NULL)),
        (stream("srtp", proof=Proof(9, 9)), (Level.SECURED, VERIFIED), (Level.SECURED, VERIFIED)),
        (stream("srtp", proof=Proof(9, 8, 1)), (Level.SECURED, SRTP), (Level.SECURED, SRTP)),
        (stream("srtp", proof=Proof(9, 9, unchecked=1)), (Level.SECURED, SRTP), (Level.SECURED, SRTP)),
    ],
)
def test_media_is_broken_only_where_it_was_agreed_to_be_protected(
    seen: MediaStream, unclaimed: tuple[Level, str], claimed: tuple[Level, str]
) -> None:
    assert marks.of_stream(seen, claimed=False) == Mark(*unclaimed)
    assert marks.of_stream(seen, claimed=True) == Mark(*claimed)


def control(plain: int = 0, layout: SrtcpLayout | None = None, proof: Proof | None = None) -> RtcpSource:
    return RtcpSource("rtcp-1", 1, HERE, THERE, 4, NOW, NOW, plain=plain, layout=layout, proof=proof)


LAYOUT = SrtcpLayout(10, 0, True, False, 3)


@pytest.mark.parametrize(
    ("seen", "mark"),
    [
        (control(4), Mark(Level.BROKEN, RTCP_CLEAR)),
        (control(1, LAYOUT), Mark(Level.BROKEN, MIXED)),
        (control(0, LAYOUT), Mark(Level.SECURED, SRTP)),
        (control(0, replace(LAYOUT, encrypted=False)), Mark(Level.BROKEN, NULL)),
        (control(0, LAYOUT, Proof(4, 4)), Mark(Level.SECURED, VERIFIED)),
        (control(), Mark(Level.UNKNOWN, "SRTP claimed")),
    ],
)
def test_control_packets_are_marked_by_what_they_are(seen: RtcpSource, mark: Mark) -> None:
    assert marks.of_control(seen, claimed=True) == mark


def session(suite: int | None = None, **more: object) -> TlsSession:
    return TlsSession("tls-1", "tls", HERE, THERE, NOW, NOW, version="TLS 1.2", cipher_suite=suite, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "mark"),
    [
        (session(0xC02F), Mark(Level.SECURED, "TLS")),
        (session(0x003B), Mark(Level.BROKEN, NULL)),
        (session(), Mark(Level.UNKNOWN, NOT_ASSESSED)),
        (session(client_hellos=[Hello(1, 1, 0x0303, ())], alerts=[(2, False, 2, 40)]), Mark(Level.ABSENT, "refused")),
    ],
)
def test_a_handshake_is_marked_by_its_cipher(seen: TlsSession, mark: Mark) -> None:
    assert marks.of_session(seen) == mark


@pytest.mark.parametrize(("null", "mark"), [(0, "ESP"), (5, "ESP-NULL"), (2, "mixed")])
def test_esp_is_marked_by_whether_it_encrypts(null: int, mark: str) -> None:
    seen = EspAssociation(1, HERE.ip, THERE.ip, 5, null, null, 0, 0, "", 12, NOW, NOW)
    assert marks.of_association(seen).words == mark


def test_every_mark_has_a_meaning() -> None:
    named = {CLEAR, MIXED, NOT_ASSESSED, NULL, RTCP_CLEAR, SRTP, VERIFIED, "TLS", "DTLS"}
    assert set(marks.MEANINGS) == named | {
        marks.HOP_TLS, marks.ESP, marks.ESP_NULL, marks.SRTP_CLAIMED, marks.EXPORTED, marks.REFUSED,
        marks.FAILS,
    }  # fmt: skip
    broken = marks.meaning(Mark(Level.BROKEN, CLEAR))
    assert broken == "readable to anybody on the path, although protection was agreed"
