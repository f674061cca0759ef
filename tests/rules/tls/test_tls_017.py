"""IMS-TLS-017, from capture octets to findings."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.rules.tls.hellos import certificate, tls, tls13

TLS_017 = "IMS-TLS-017"
A, B = "192.0.2.10", "198.51.100.20"
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)


def chat(
    *connection: list[build.Packet],
    offered: tuple[str, ...] = (FINGERPRINT,),
    answered: tuple[str, ...] = (FINGERPRINT,),
) -> list[build.Packet]:
    """A call with messages over TLS, A connecting to B, and connections."""
    sections = (
        build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/{ip};tcp", *more))
        for ip, more in ((A, offered), (B, answered))
    )
    return build.in_time_order(build.call(*sections), *connection)


def test_a_self_signed_certificate_of_a_gateway_without_a_fingerprint(told) -> None:
    """The catalogue's trigger."""
    result = told(TLS_017, chat(tls(server_certificate=certificate()), answered=()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("tls-session", "tls-1")
    assert result.frames() == [4, 10]
    assert "The server of TLS session tls-1" in finding.message
    assert "(CN=gateway, EC secp256r1) in frame 10" in finding.message
    assert "in frame 4 has no a=fingerprint" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_with_a_fingerprint_it_passes(told) -> None:
    """The catalogue's near miss; whether it is the right one is another rule's matter."""
    assert told(TLS_017, chat(tls(server_certificate=certificate()))).rows == [("pass", "", 1)]
    assert told(TLS_017, chat(tls(server_certificate=certificate()), offered=())).rows == [("pass", "", 1)]


def test_a_fingerprint_for_the_session_counts(told) -> None:
    offered, answered = (
        build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/b;tcp") for ip in (A, B)
    )
    call = build.call(build.sdp(A, offered), build.sdp(B, answered, session=(FINGERPRINT,)))
    packets = build.in_time_order(call, tls(server_certificate=certificate()))
    assert told(TLS_017, packets).rows == [("pass", "", 1)]


def test_the_certificate_of_the_client_counts_too(told) -> None:
    both = tls(server_certificate=certificate(), client_certificate=certificate("phone"))
    result = told(TLS_017, chat(both, offered=()))
    assert "The client of TLS session tls-1" in result.finding.message
    assert result.frames() == [1, 11]
    assert result.rows == [("violation", "", 1)]


def test_a_certificate_with_an_issuer_is_a_matter_of_trust(told) -> None:
    """T-POL."""
    packets = chat(tls(server_certificate=certificate("gateway", "an authority")), answered=())
    assert told(TLS_017, packets).rows == [("not-assessed", "T-POL", 1)]


def test_a_connection_that_is_older_than_its_line_is_one_to_a_relay(told) -> None:
    """T-POL, RFC 4976: the relay is known by its name."""
    relay = "a=path:msrps://198.51.100.20:2855/r;tcp msrps://192.0.2.10:2855/a;tcp"
    offer = build.sdp(A, build.media("message", 2855, "TCP/TLS/MSRP", "*", relay))
    answer = build.sdp(
        "203.0.113.7", build.media("message", 2855, "TCP/TLS/MSRP", "*", "a=path:msrps://203.0.113.7:2855/b;tcp")
    )
    packets = build.in_time_order(tls(server_certificate=certificate(), at=2.98), build.call(offer, answer, at=3.0))
    assert told(TLS_017, packets).rows == [("not-assessed", "T-POL", 1)]


def test_lines_with_keys_by_mikey_expect_no_certificates(told) -> None:
    init, resp = (each(sessions=mikey.for_lines("tls")).attribute() for each in (mikey.init, mikey.resp))
    packets = chat(tls(server_certificate=certificate()), offered=(init,), answered=(resp,))
    assert told(TLS_017, packets).rows == []


def test_pre_shared_keys_need_no_certificates(told) -> None:
    assert told(TLS_017, chat(tls([0x00A8], 0x00A8), answered=())).rows == []


def test_tls_1_3_hides_certificates(told) -> None:
    """T-13."""
    assert told(TLS_017, chat(tls13(), answered=())).rows == [("not-assessed", "T-13", 1)]
    assert told(TLS_017, chat(tls13(psk=True), answered=())).rows == []


def test_the_certificate_is_not_in_the_capture(told) -> None:
    """N-HS."""
    assert told(TLS_017, chat(tls(), answered=())).rows == [("not-assessed", "N-HS", 1)]
    assert told(TLS_017, chat(tls(selected=None), answered=())).rows == [("not-assessed", "N-HS", 1)]
    assert told(TLS_017, chat(answered=())).rows == [("not-assessed", "N-HS", 1)]


def test_the_certificate_cannot_be_read(told) -> None:
    assert told(TLS_017, chat(tls(server_certificate=b"no certificate"), answered=())).rows == [
        ("not-assessed", "N-HS", 1)
    ]


def test_signalling_without_certificates_has_no_object(told) -> None:
    """SIP over TLS is known by names; calls with lines may be inside."""
    packets = tls(server=(B, 5061), server_certificate=certificate())
    assert told(TLS_017, packets).rows == [("not-assessed", "N-SIP", 1)]


def test_a_line_that_was_refused_has_no_object(told) -> None:
    line = build.media("message", 2855, "TCP/TLS/MSRP", "*", "a=path:msrps://198.51.100.20:2855/b;tcp")
    call = build.call(build.sdp(A, line), build.sdp(B, line.replace("2855 TCP", "0 TCP")))
    assert told(TLS_017, call).rows == []


def test_it_follows_from_the_missing_fingerprint() -> None:
    packets = chat(tls(server_certificate=certificate()), answered=())
    findings = {
        each.rule: each
        for each in build.audit_bytes(build.pcap(packets), profile="e2ae", capture_point="access").findings
    }
    assert findings[TLS_017].follows_from == [findings["IMS-E2AE-001"].fingerprint]
