"""IMS-TLS-001, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build

TLS_001 = "IMS-TLS-001"
CLIENT, SERVER = ("192.0.2.10", 40_000), ("198.51.100.20", 2855)


@pytest.mark.parametrize(("suite", "name"), [(0x002C, "TLS_PSK_WITH_NULL_SHA"), (0x003B, "TLS_RSA_WITH_NULL_SHA256")])
def test_a_selected_null_cipher_is_critical(told, suite: int, name: str) -> None:
    """The catalogue's trigger."""
    finding = told(TLS_001, build.tls_session(CLIENT, SERVER, suite)).finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert (finding.subject.kind, finding.subject.id) == ("tls-session", "tls-1")
    assert finding.evidence[0].observed == f"0x{suite:04x} {name}"
    assert finding.filters == ((0, "frame.number in {5}"),)


def test_the_integrity_only_suites_of_tls_1_3_hide_it_in_their_names(told) -> None:
    assert told(TLS_001, build.tls_session(CLIENT, SERVER, 0xC0B4)).rows == [("violation", "", 1)]


def test_an_offer_that_the_server_did_not_take_is_another_rule(told) -> None:
    """The catalogue's near miss."""
    session = build.tls_session(CLIENT, SERVER, 0x00AE, offered=(0x002C, 0x00AE))
    assert told(TLS_001, session).rows == [("pass", "", 1)]


def test_records_without_a_handshake(told) -> None:
    connection = build.TcpConnection(CLIENT, SERVER)
    record = build.tls_record(build.APPLICATION_DATA, build.noise(1, 200))
    packets = [packet for at in range(6) for packet in connection.send(at, record, from_client=at % 2 == 0)]
    assert told(TLS_001, packets).rows == [("not-assessed", "N-HS", 1)]


def test_a_hello_without_its_answer(told) -> None:
    connection = build.TcpConnection(CLIENT, SERVER)
    hello = build.tls_record(build.HANDSHAKE, build.handshake(build.CLIENT_HELLO, build.client_hello([0xC02F])))
    packets = connection.open(0.0) + connection.send(0.1, hello)
    assert told(TLS_001, packets).rows == [("not-assessed", "N-HS", 1)]


def test_a_refused_hello_negotiated_nothing(told) -> None:
    connection = build.TcpConnection(CLIENT, SERVER)
    hello = build.tls_record(build.HANDSHAKE, build.handshake(build.CLIENT_HELLO, build.client_hello([0x002C])))
    alert = build.tls_record(build.ALERT, b"\x02\x28")
    packets = connection.open(0.0) + connection.send(0.1, hello) + connection.send(0.2, alert, from_client=False)
    assert told(TLS_001, packets).rows == []


def test_dtls_is_judged_alike(told) -> None:
    hello = build.dtls_handshake(build.CLIENT_HELLO, build.client_hello([0x003B], version=build.DTLS_1_2))
    reply = build.dtls_handshake(build.SERVER_HELLO, build.server_hello(0x003B, version=build.DTLS_1_2))
    packets = [
        (0.0, build.udp(CLIENT, SERVER, build.dtls_record(build.HANDSHAKE, hello))),
        (0.1, build.udp(SERVER, CLIENT, build.dtls_record(build.HANDSHAKE, reply))),
    ]
    result = told(TLS_001, packets)
    assert result.finding.title == "DTLS without encryption: TLS_RSA_WITH_NULL_SHA256"


def test_the_media_line_that_announced_the_session_is_named(told) -> None:
    def body(address: str, port: int, setup: str) -> bytes:
        path = f"a=path:msrps://{address}:{port}/x;tcp"
        return build.sdp(address, build.media("message", port, "TCP/TLS/MSRP", "*", path, f"a=setup:{setup}"))

    call = build.call(body(CLIENT[0], 9, "active"), body(SERVER[0], SERVER[1], "passive"))
    session = build.tls_session(CLIENT, SERVER, 0x003B, at=1.0)
    finding = told(TLS_001, build.in_time_order(call, session)).finding
    assert "of media line call-1/0" in finding.message


FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)


def _dtls_call(*attributes: str, **more: object) -> list[build.Packet]:
    """A call whose audio is agreed as DTLS-SRTP."""
    offer, answer = (
        build.sdp(ip, build.audio(port, "UDP/TLS/RTP/SAVP", FINGERPRINT, f"a=setup:{setup}", *attributes))
        for ip, port, setup in (("192.0.2.10", 4000, "actpass"), ("198.51.100.20", 5000, "active"))
    )
    return build.call(offer, answer, **more)  # type: ignore[arg-type]


def _dtls_hellos(suite: int) -> list[build.Packet]:
    """ClientHello from the answerer, ServerHello from the offerer, between the ports of the call."""
    ends = ("198.51.100.20", 5000), ("192.0.2.10", 4000)
    hello = build.dtls_handshake(build.CLIENT_HELLO, build.client_hello([suite], version=build.DTLS_1_2))
    reply = build.dtls_handshake(build.SERVER_HELLO, build.server_hello(suite, version=build.DTLS_1_2))
    return [
        (1.0, build.udp(*ends, build.dtls_record(build.HANDSHAKE, hello))),
        (1.1, build.udp(*reversed(ends), build.dtls_record(build.HANDSHAKE, reply))),
    ]


def test_dtls_agreed_without_its_handshake_is_not_assessed(told) -> None:
    """The line is the subject: there is no session to name."""
    assert told(TLS_001, _dtls_call()).rows == [("not-assessed", "N-HS", 1)]


def test_dtls_agreed_with_its_handshake_is_decided_by_the_session(told) -> None:
    packets = build.in_time_order(_dtls_call(), _dtls_hellos(0xC02F))
    assert told(TLS_001, packets).rows == [("pass", "", 1)]


def test_two_hops_with_the_same_addresses_need_one_handshake(told) -> None:
    """A proxy that only adds an attribute makes a second line, not a second DTLS association."""
    proxy = build.Dialog(
        caller=("203.0.113.5", 5060), via=(f"SIP/2.0/UDP {build.written(build.ALICE)};branch=z9hG4bK1",)
    )
    second = _dtls_call("a=x-passed:1", dialog=proxy, at=0.005)
    packets = build.in_time_order(_dtls_call(), second, _dtls_hellos(0xC02F))
    lines = [line for call in build.audit_bytes(build.pcap(packets)).trace.calls for line in call.lines]
    assert sorted(len(line.tls_sessions) for line in lines) == [0, 1]
    assert told(TLS_001, packets).rows == [("pass", "", 1)]


def test_tls_agreed_for_messages_without_a_connection_is_not_assessed(told) -> None:
    offer, answer = (
        build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/a;tcp", FINGERPRINT))
        for ip in ("192.0.2.10", "198.51.100.20")
    )
    assert told(TLS_001, build.call(offer, answer)).rows == [("not-assessed", "N-HS", 1)]


def test_lines_that_were_refused_need_no_handshake(told) -> None:
    offer = build.sdp("192.0.2.10", build.audio(4000, "UDP/TLS/RTP/SAVP", FINGERPRINT))
    answer = build.sdp("198.51.100.20", build.audio(0, "UDP/TLS/RTP/SAVP"))
    assert told(TLS_001, build.call(offer, answer)).rows == []
