"""IMS-TLS-025, from capture octets to findings."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.tls.hellos import dtls, supported_versions, use_srtp

TLS_025 = "IMS-TLS-025"
A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)


def call(proto: str = "UDP/TLS/RTP/SAVPF") -> list[build.Packet]:
    """A call whose audio is agreed as DTLS-SRTP; the answerer begins the handshake."""
    offer, answer = (
        build.sdp(end[0], build.audio(end[1], proto, FINGERPRINT, f"a=setup:{setup}"))
        for end, setup in ((A, "actpass"), (B, "active"))
    )
    return build.call(offer, answer)


def keyed(client: bytes = use_srtp(7, 1), server: bytes = use_srtp(7), **more: object) -> list[build.Packet]:
    """That call with a handshake whose hellos have these extensions."""
    handshake = dtls((B, A), client_extensions=client, server_extensions=server, **more)  # type: ignore[arg-type]
    return build.in_time_order(call(), handshake)


def test_a_server_without_use_srtp_gives_no_keys(told) -> None:
    """The decision's trigger (rules.md 19.2)."""
    result = told(TLS_025, keyed(server=b""))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("tls-session", "tls-1")
    assert result.frames() == [1, 4, 6, 7]
    assert "answers no use_srtp profile to an offer of SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM" in finding.message
    assert "UDP/TLS/RTP/SAVPF was agreed" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_one_profile_that_the_client_offered_passes(told) -> None:
    assert told(TLS_025, keyed()).rows == [("pass", "", 1)]


def test_a_profile_that_the_client_did_not_offer_is_not_shared(told) -> None:
    assert told(TLS_025, keyed(server=use_srtp(8))).rows == [("violation", "", 1)]


def test_neither_side_knows_of_it(told) -> None:
    assert "to an offer of no use_srtp profile" in told(TLS_025, keyed(b"", b"")).finding.message


def test_two_profiles_are_no_selection(told) -> None:
    assert told(TLS_025, keyed(server=use_srtp(7, 1))).rows == [("violation", "", 1)]


def test_dtls_1_3_hides_it(told) -> None:
    """T-13."""
    client = supported_versions(0xFEFC, 0xFEFD) + use_srtp(7)
    packets = keyed(client, supported_versions(0xFEFC, selected=True), offered=(0x1301,), selected=0x1301)
    assert told(TLS_025, packets).rows == [("not-assessed", "T-13", 1)]


def test_a_resumed_session_may_go_on_with_the_profile_before(told) -> None:
    """T-RES."""
    packets = keyed(server=b"", session_ids=b"r" * 32)
    assert told(TLS_025, packets).rows == [("not-assessed", "T-RES", 1)]


def test_a_handshake_that_does_not_complete_says_nothing(told) -> None:
    assert told(TLS_025, keyed(server=b"", finish=False)).rows == [("not-assessed", "N-HS", 1)]
    assert told(TLS_025, keyed(selected=None)).rows == [("not-assessed", "N-HS", 1)]


def test_no_handshake_was_captured(told) -> None:
    assert told(TLS_025, call()).rows == [("not-assessed", "N-HS", 1)]


def test_the_same_handshake_for_other_lines_is_no_object(told) -> None:
    """A data channel needs no profile, and lines with keys in the signalling have no handshake."""
    offer, answer = (
        build.sdp(end[0], build.media("application", end[1], "UDP/DTLS/SCTP", "webrtc-datachannel", FINGERPRINT))
        for end in (A, B)
    )
    packets = build.in_time_order(build.call(offer, answer), dtls((B, A)))
    assert told(TLS_025, packets).rows == []
    assert (
        told(
            TLS_025, build.call(*(build.sdp(e[0], build.audio(e[1], "RTP/SAVP", build.crypto("a"))) for e in (A, B)))
        ).rows
        == []
    )


def test_a_bundle_of_two_lines_is_one_handshake(told) -> None:
    offer, answer = (
        build.sdp(
            end[0],
            build.audio(end[1], "UDP/TLS/RTP/SAVPF", FINGERPRINT, "a=mid:0", "a=rtcp-mux"),
            build.media("video", end[1], "UDP/TLS/RTP/SAVPF", "96", FINGERPRINT, "a=mid:1", "a=rtcp-mux"),
            session=("a=group:BUNDLE 0 1",),
        )
        for end in (A, B)
    )
    packets = build.in_time_order(build.call(offer, answer), dtls((B, A), client_extensions=use_srtp(1)))
    assert told(TLS_025, packets).rows == [("violation", "", 1)]
