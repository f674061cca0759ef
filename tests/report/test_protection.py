"""The words for what the SDP claims of a media line, and for what its packets show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.report.protection import Level, claim, judged, observe, secured, spoken
from imsinspect.trace.model import MediaLine, StreamUse, TlsSession

if TYPE_CHECKING:
    from types import ModuleType

KEY = "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
SDES = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\n"
MIKEY = "a=key-mgmt:mikey AAAA\n"
FINGERPRINT = f"a=fingerprint:SHA-256 {':'.join(['AB'] * 32)}\n"


def _sdp(line: str, *attributes: str, session: str = "") -> str:
    head = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
    return f"{head}{session}m={line}\n{''.join(attributes)}"


AVP, SAVP, DTLS = "audio 4000 RTP/AVP 0", "audio 4000 RTP/SAVP 0", "audio 4000 UDP/TLS/RTP/SAVP 0"
FAX = "image 4000 UDP/TLS/UDPTL t38"
MSRP, TLS = "message 4000 TCP/MSRP *", "message 4000 TCP/TLS/MSRP *"


@pytest.mark.parametrize(
    ("offer", "answer", "words", "secure"),
    [
        (_sdp(AVP), _sdp(AVP), "none", False),
        (_sdp(MSRP), _sdp(MSRP), "none", False),
        (_sdp(SAVP, SDES), _sdp(SAVP, SDES), "sdes:AES_CM_128_HMAC_SHA1_80", True),
        (
            _sdp(SAVP, SDES),
            _sdp(SAVP, SDES.replace("\n", " UNENCRYPTED_SRTP UNAUTHENTICATED_SRTP\n")),
            "sdes:AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTP UNAUTHENTICATED_SRTP",
            True,
        ),
        (_sdp(SAVP, SDES), _sdp(AVP), "none", False),
        (_sdp(SAVP, SDES), _sdp(SAVP), "secure, no key management", True),
        (_sdp(SAVP, MIKEY), _sdp(SAVP, MIKEY), "mikey", True),
        (_sdp(SAVP, MIKEY), _sdp(SAVP), "mikey", True),
        (_sdp(SAVP, session=MIKEY), _sdp(SAVP, session=MIKEY), "mikey", True),
        (_sdp(AVP, session=MIKEY), _sdp(AVP, session=MIKEY), "none", False),
        (_sdp(SAVP, MIKEY, SDES), _sdp(SAVP, MIKEY, SDES), "sdes:AES_CM_128_HMAC_SHA1_80 + mikey", True),
        (_sdp(AVP, SDES), _sdp(AVP, SDES), "sdes:AES_CM_128_HMAC_SHA1_80 (opportunistic)", True),
        (_sdp(AVP, SDES), _sdp(AVP), "none", False),
        (_sdp(DTLS, FINGERPRINT), _sdp(DTLS, session=FINGERPRINT), "dtls-srtp", True),
        (_sdp(DTLS, FINGERPRINT), _sdp(DTLS, "a=fingerprint:SHA-256 AB\n"), "dtls-srtp, no fingerprint", True),
        (_sdp(TLS, FINGERPRINT), _sdp(TLS, FINGERPRINT), "tls", True),
        (_sdp(TLS, MIKEY), _sdp(TLS, MIKEY), "tls:mikey", True),
        (_sdp(TLS), _sdp(TLS), "tls, no fingerprint", True),
        (_sdp(FAX, FINGERPRINT), _sdp(FAX, FINGERPRINT), "dtls", True),
        (_sdp(SAVP, SDES), _sdp(SAVP.replace("4000", "0")), "rejected", False),
        (_sdp(SAVP, SDES), None, "offered only: sdes:AES_CM_128_HMAC_SHA1_80", False),
        (
            _sdp(SAVP, *(f"a=crypto:{tag} SUITE_{tag} {KEY}\n" for tag in range(1, 8))),
            None,
            "offered only: sdes:SUITE_1, SUITE_2, SUITE_3, SUITE_4 and 3 more",
            False,
        ),
        (_sdp(AVP), None, "offered only: none", False),
        (_sdp(AVP, "a=zrtp-hash:1.10 aa\n"), _sdp(AVP, "a=zrtp-hash:1.10 aa\n"), "zrtp (opportunistic)", True),
    ],
)  # fmt: skip
def test_claims(make: ModuleType, offer: str, answer: str | None, words: str, secure: bool) -> None:
    claimed = claim(MediaLine("call-1/0", "call-1", 0, [make.state(offer, answer)]))
    assert (claimed.current, claimed.secure, claimed.before) == (words, secure, ())


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        ("none", "clear"),
        ("sdes:AES_CM_128_HMAC_SHA1_80", "SDES AES_CM_128_HMAC_SHA1_80"),
        ("sdes:mikey, none: and 3 more + mikey", "SDES mikey, none: and 3 more + MIKEY"),
        ("mikey", "MIKEY"),
        ("dtls-srtp", "DTLS-SRTP"),
        ("dtls-srtp:mikey", "DTLS-SRTP with MIKEY"),
        ("tls:mikey", "TLS with MIKEY"),
        ("dtls, no fingerprint", "DTLS, no fingerprint"),
        ("secure, no key management", "secure, no key management"),
        ("zrtp (opportunistic)", "ZRTP (opportunistic)"),
        ("offered only: none", "offered only: clear"),
        ("rejected", "rejected"),
        ("no SDP", "no SDP"),
    ],
)
def test_claims_in_the_words_of_people(claimed: str, words: str) -> None:
    assert spoken(claimed) == words


def test_the_last_agreed_state_counts_and_earlier_claims_are_named(make: ModuleType) -> None:
    states = [
        make.state(_sdp(AVP), _sdp(AVP)),
        make.state(_sdp(SAVP, MIKEY), _sdp(SAVP, MIKEY)),
        make.state(_sdp(AVP), _sdp(AVP)),
        make.state(_sdp(SAVP, SDES), _sdp(SAVP, SDES)),
        make.state(_sdp(AVP), None),
    ]
    claimed = claim(MediaLine("call-1/0", "call-1", 0, states))
    assert (claimed.current, claimed.before) == ("sdes:AES_CM_128_HMAC_SHA1_80", ("none", "mikey"))
    assert (claimed.media, claimed.transport) == ("audio", "RTP/SAVP")


def test_a_line_of_which_no_sdp_was_read() -> None:
    assert claim(MediaLine("call-1/0", "call-1", 0)).current == "no SDP"


def _session(make: ModuleType, **facts: object) -> TlsSession:
    session = TlsSession("tls-1", "tls", make.ALICE, make.GATEWAY, make.at(1), make.at(2))
    for name, value in facts.items():
        setattr(session, name, value)
    return session


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        ({"cipher_suite": 0xC02F, "version": "TLS 1.2"}, Level.SECURED, "tls TLS 1.2"),
        (
            {"cipher_suite": 0x2C, "version": "TLS 1.2", "cipher_suite_name": "TLS_PSK_WITH_NULL_SHA"},
            Level.BROKEN,
            "tls TLS 1.2 NULL",
        ),
        ({"cipher_suite": 0xC0B4, "version": "TLS 1.3"}, Level.BROKEN, "tls TLS 1.3 NULL"),
        ({}, Level.UNKNOWN, "tls (handshake not seen)"),
        ({"client_hellos": [None]}, Level.UNKNOWN, "tls (no answer to the client's hello)"),
        ({"alerts": [(1, False, 2, 40)]}, Level.ABSENT, "tls (refused)"),
    ],
)
def test_tls_sessions(make: ModuleType, facts: dict[str, object], level: Level, words: str) -> None:
    assert secured(_session(make, **facts)) == (level, words)


def test_observations_join_kinds_of_streams(make: ModuleType) -> None:
    line = MediaLine("call-1/0", "call-1", 0, [make.state(_sdp(SAVP, SDES), _sdp(SAVP, SDES))])
    assert (observe(line).words, observe(line).level) == ("no media", Level.ABSENT)
    line.streams = [StreamUse(make.stream(1, "unknown"), "offerer", "source")]
    assert (observe(line).words, observe(line).level) == ("unknown", Level.UNKNOWN)
    line.streams.append(StreamUse(make.stream(2, "srtp"), "offerer", "source"))
    line.streams.append(StreamUse(make.stream(3, "rtp"), "offerer", "source"))
    assert (observe(line).words, observe(line).level) == ("clear + srtp + unknown", Level.CLEAR)


def test_clear_control_packets_beside_srtp_are_named(make: ModuleType) -> None:
    audit = make.failing()
    line = audit.trace.calls[0].lines[0]
    line.streams[0].stream.judgement = make.stream(1, "srtp").judgement
    assert (observe(line).words, observe(line).level) == ("srtp + rtcp clear", Level.CLEAR)


def test_a_dtls_handshake_on_a_media_line_protects_no_packet_by_itself(make: ModuleType) -> None:
    line = MediaLine("call-1/0", "call-1", 0, [make.state(_sdp(DTLS, FINGERPRINT), _sdp(DTLS, FINGERPRINT))])
    line.tls_sessions = [_session(make, transport="dtls", version="DTLS 1.2", cipher_suite=0xC02B)]
    assert (observe(line).words, observe(line).level) == ("dtls DTLS 1.2 + no media", Level.ABSENT)


def test_a_chat_line_without_a_tls_session(make: ModuleType) -> None:
    line = MediaLine("call-1/0", "call-1", 0, [make.state(_sdp(TLS), _sdp(TLS))])
    assert (observe(line).words, observe(line).level) == ("no tls seen", Level.ABSENT)


@pytest.mark.parametrize(("answer", "level"), [(_sdp(SAVP, SDES), Level.BROKEN), (_sdp(AVP), Level.CLEAR)])
def test_clear_media_is_worse_where_protection_was_agreed(make: ModuleType, answer: str, level: Level) -> None:
    line = MediaLine("call-1/0", "call-1", 0, [make.state(_sdp(SAVP, SDES), answer)])
    line.streams = [StreamUse(make.stream(1, "rtp"), "offerer", "source")]
    assert judged(claim(line), observe(line)) is level
