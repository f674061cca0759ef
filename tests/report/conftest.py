"""Small audits made by hand: what the report room is given."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from imsinspect.capture.endpoint import Endpoint
from imsinspect.capture.frames import frame_id
from imsinspect.profiles import ProfileChoice
from imsinspect.report.audit import Audit
from imsinspect.rules.outcome import Assessment, Evidence, Finding, Kind, Severity, Subject
from imsinspect.trace.model import (
    Call,
    CaptureInfo,
    CertificateInfo,
    Counts,
    Description,
    Hello,
    Judgement,
    LineState,
    MediaLine,
    MediaStream,
    Negotiation,
    Note,
    Place,
    Protection,
    Registration,
    RtcpSource,
    SignallingMessage,
    SizeRun,
    SrtcpLayout,
    StreamUse,
    TlsSession,
    Trace,
)

if TYPE_CHECKING:
    from types import ModuleType

START = 1_795_227_388_123_456_789  # 2026-11-21T02:16:28.123456789Z
SECOND = 1_000_000_000
ALICE, GATEWAY = Endpoint("192.0.2.10", 5060), Endpoint("198.51.100.1", 5060)
OFFER = """\
v=0
o=- 1 1 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
m=audio 49170 RTP/SAVP 0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
"""
ANSWER = """\
v=0
o=- 2 2 IN IP4 198.51.100.1
s=-
c=IN IP4 198.51.100.1
t=0 0
m=audio 40000 RTP/SAVP 0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA
"""

FINGERPRINT = ":".join(["AB"] * 32)
DTLS_OFFER = f"""\
v=0
o=- 1 1 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
a=fingerprint:SHA-256 {FINGERPRINT}
m=video 5000 UDP/TLS/RTP/SAVPF 96
m=message 5002 TCP/TLS/MSRP *
m=audio 5004 RTP/AVP 0
m=application 5006 TCP/BFCP *
"""


def at(frame: int, capture: int = 0) -> Place:
    """A frame, as many tenths of a second after the start as its number says."""
    return Place(frame_id(capture, frame), START + frame * SECOND // 10)


def described(sdp: str, frame: int) -> Description:
    """A session description in an INVITE."""
    body = sdp.replace("\n", "\r\n").encode()
    head = f"INVITE sip:bob@ims.example.org SIP/2.0\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    message = SignallingMessage(
        (at(frame).frame,), at(frame).time, ALICE, GATEWAY, "udp", Protection.CLEAR, parse_sip(head + body)
    )
    return Description(message, parse_sdp(body))


def state(offer: str, answer: str | None, frame: int = 1, line: int = 0) -> LineState:
    """What one offer, and perhaps its answer, say of one line."""
    offered = described(offer, frame)
    answered = None if answer is None else described(answer, frame + 1)
    return LineState(
        Negotiation(b"a@192.0.2.10", b"1", b"2" if answered else b"", offered, answered),
        offered.sdp.media[line],
        None if answered is None else answered.sdp.media[line],
        at(frame).time,
        None if answered is None else at(frame + 1).time,
    )


def stream(number: int, kind: str = "rtp", packets: int = 100, confidence: str = "strong") -> MediaStream:
    """A media stream of PCMU packets."""
    judgement = Judgement(
        kind,
        confidence if kind != "unknown" else "",
        ("size", "structure"),
        "payload 160 octets (PCMU, 20 ms)",
        "170 octets with an 80-bit tag",
        packets=packets,
    )
    return MediaStream(
        f"stream-{number}",
        0xDEADBEE0 + number,
        Endpoint("192.0.2.10", 49170),
        Endpoint("2001:db8::1", 40000),
        packets,
        0,
        at(10),
        at(10 + packets),
        1,
        packets,
        sizes=[SizeRun(0, 160, packets, at(10).frame, at(10 + packets).frame)],
        judgement=judgement,
    )


def finding(rule: str, severity: Severity, fingerprint: str, **changes: object) -> Finding:
    """A finding about the first media line of the first call."""
    values: dict[str, object] = {
        "rule": rule,
        "name": "srtp-line-carries-clear-rtp",
        "severity": severity,
        "confidence": "strong",
        "verdict": "violation",
        "title": "Plain RTP on a secure audio line",
        "message": "Plain RTP on secure audio line 0 of call-1. Anyone on the path can listen. Not checked: keys.",
        "subject": Subject("media", "call-1/0"),
        "evidence": (
            Evidence(at(2).frame, "SDP a=crypto", "AES_CM_128_HMAC_SHA1_80", ""),
            Evidence(at(10).frame, "RTP payload", "160 octets", "170 octets"),
        ),
        "references": ("RFC 3711 §3.1", "TS 33.328 §5.4.1"),
        "remediation": "Make the gateway drop packets that carry no tag.",
        "filters": ((0, "frame.number in {2, 10}"),),
        "fingerprint": fingerprint,
        "kind": Kind(rule),
    }
    return Finding(**(values | changes))  # type: ignore[arg-type]


def failing() -> Audit:
    """A call whose SRTP line carries clear audio, with two findings and a gap."""
    media = stream(1)
    rtcp = RtcpSource(
        "rtcp-1", 1, ALICE, GATEWAY, 4, at(20), at(60), plain=1, layout=SrtcpLayout(10, 0, True, False, 2)
    )
    line = MediaLine(
        "call-1/0", "call-1", 0, [state(OFFER, ANSWER)], [StreamUse(media, "offerer", "source")],
        [StreamUse(rtcp, "offerer", "source")],
    )  # fmt: skip
    call = Call(
        "call-1",
        b"a84b4c76e66710@192.0.2.10",
        b"sip:alice@ims.example.org",
        b"sip:bob@ims.example.org",
        at(1).time,
        at(130).time,
        "ended",
        "access",
        lines=[line],
    )
    certificate = CertificateInfo("ab" * 32, "CN=ue", "CN=ue", "2026-01-01", "2027-01-01", "01", "RSA 2048", "sha256")
    session = TlsSession(
        "tls-1",
        "tls",
        ALICE,
        Endpoint("198.51.100.1", 5061),
        at(3),
        at(9),
        [Hello(at(3).frame, at(3).time, 0x0303, (0x2C, 0xAE))],
        [Hello(at(4).frame, at(4).time, 0x0303, (0x2C,))],
        "TLS 1.2",
        0x2C,
        "TLS_PSK_WITH_NULL_SHA",
        psk=True,
        server_certificates=[certificate],
        handshake_seen="full",
        opened=True,
    )
    note = Note(at(7).frame, "SIP header cut off at offset 12")
    trace = Trace(
        captures=[
            CaptureInfo(
                "call.pcap", "pcap", ["Ethernet"], 130, at(1).time, at(130).time, True, None, ["snap length 96"]
            )
        ],
        counts=Counts(
            130, 5, Counter(INVITE=1, ACK=1, BYE=1), 2, 1, 2, 3, rtp_streams=1, rtp_packets=100, tls_sessions=1
        ),
        registrations=[Registration("registration-1", b"sip:alice@ims.example.org", ("ipsec-3gpp",), ("sdes-srtp",))],
        calls=[call],
        streams=[media],
        rtcp_sources=[rtcp],
        tls_sessions=[session],
    )
    return Audit(
        trace,
        ProfileChoice("auto", True),
        {"call-1": ProfileChoice("E2E-SDES", True, ("a=crypto on both sides",))},
        [
            Assessment("IMS-SRTP-001", "violation", "", "", 1, [Subject("media", "call-1/0")]),
            Assessment("IMS-SIG-001", "violation", "", "", 1, [Subject("call", "call-1")]),
            Assessment(
                "IMS-SRTP-016",
                "not-assessed",
                "N-KEY",
                "No key was given for stream-1; the SDP's keys do not fit.",
                1,
                [Subject("stream", "stream-1")],
            ),
        ],
        [
            finding(
                "IMS-SRTP-006",
                Severity.LOW,
                "0002",
                name="rtp-without-integrity",
                title="Packets without a tag",
                verdict="suspect",
                confidence="heuristic",
                evidence=(Evidence(at(10).frame, "RTP payload", "160 octets", "a tag"),),
                message="",
                remediation="",
                references=(),
                filters=(),
                follows_from=["0001"],
            ),
            finding("IMS-SRTP-001", Severity.CRITICAL, "0001"),
        ],
        Severity.MEDIUM,
        notes=[note, note],
        verdict="fail",
        exit_status=1,
    )


def empty() -> Audit:
    """A capture without anything to assess."""
    trace = Trace([CaptureInfo("other.pcapng", "pcapng (gzip)", ["Ethernet", "Raw IP"])])
    return Audit(trace, ProfileChoice("auto", True), {}, [], [], Severity.MEDIUM)


def gaps() -> Audit:
    """A hostile caller, four kinds of lines, an unreadable second capture, and a stream without a call."""
    answer = DTLS_OFFER.replace("m=audio 5004", "m=audio 0")
    session = TlsSession("tls-1", "tls", ALICE, GATEWAY, at(3), at(9), handshake_seen="none")
    states = [state(DTLS_OFFER, answer, line=number) for number in range(4)]
    lines = [MediaLine(f"call-1/{number}", "call-1", number, [each]) for number, each in enumerate(states)]
    lines[0].streams = [StreamUse(stream(1, "srtp"), "offerer", "source")]
    lines[1].tls_sessions = [session]
    call = Call(
        "call-1",
        b"x@y",
        b"sip:[red]al\x1b[31mice\xe2\x80\xae@ims\xff",
        b"sip:bob@ims.example.org",
        at(1).time,
        at(5).time,
        "confirmed",
        lines=lines,
        related=["call-2", "call-3", "call-4", "call-5"],
    )
    trace = Trace(
        captures=[
            CaptureInfo("a.pcap", "pcap", ["Raw IP"], 5, at(1).time, at(5).time),
            CaptureInfo("b.pcap", error="no capture: the first octets are 7f454c46"),
        ],
        calls=[call],
        streams=[lines[0].streams[0].stream, stream(2, "unknown", 1)],  # type: ignore[list-item]
        unbound_streams=[stream(2, "unknown", 1)],
        tls_sessions=[session],
    )
    reason = "The handshake of tls-1 lies before the capture."
    return Audit(
        trace,
        ProfileChoice("auto", True),
        {"call-1": ProfileChoice("open", True)},
        [
            Assessment("IMS-SRTP-001", "pass", "", "", 1, [Subject("media", "call-1/0")]),
            Assessment("IMS-TLS-001", "not-assessed", "N-HS", reason, 5, [Subject("tls-session", "tls-1")]),
            Assessment("IMS-TLS-002", "not-assessed", "N-HS", reason, 5, [Subject("tls-session", "tls-1")]),
            Assessment("IMS-GW-001", "not-assessed", "N-NEW", "", 1),
        ],
        [],
        Severity.HIGH,
        verdict="pass",
        tier_one_not_assessed=["IMS-TLS-001"],
        exit_status=0,
    )


@pytest.fixture
def failing_audit() -> Audit:
    return failing()


@pytest.fixture
def audit_with_gaps() -> Audit:
    return gaps()


@pytest.fixture
def empty_audit() -> Audit:
    return empty()


@pytest.fixture
def make() -> ModuleType:
    """The functions of this module, for tests that put their own audits together."""
    return sys.modules[__name__]
