"""Connections that media lines announced, how they begin, and the MSRP sessions on them, from capture octets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.trace.model import Protection
from tests import build

if TYPE_CHECKING:
    from imsinspect.trace.model import Trace

CLIENT, SERVER = ("192.0.2.10", 40_000), ("198.51.100.20", 2855)
A_URI, B_URI = "msrp://192.0.2.10:2855/alice1;tcp", "msrp://198.51.100.20:2855/bob2;tcp"
HELLO = build.tls_record(build.HANDSHAKE, build.handshake(build.CLIENT_HELLO, build.client_hello([0xC02F])))


def msrp(to: str = B_URI, sender: str = A_URI, *, tid: str = "a786hjs2", what: str = "SEND", more: str = "") -> bytes:
    """A message without a body."""
    return f"MSRP {tid} {what}\r\nTo-Path: {to}\r\nFrom-Path: {sender}\r\n{more}-------{tid}$\r\n".encode()


def chat(offered: str = A_URI, answered: str = B_URI, *attributes: str, proto: str = "TCP/MSRP") -> list[build.Packet]:
    """A call with one line of messages."""
    offer, answer = (
        build.sdp(host, build.media("message", 2855, proto, "*", f"a=path:{uri}", *attributes))
        for host, uri in (("192.0.2.10", offered), ("198.51.100.20", answered))
    )
    return build.call(offer, answer)


def connection(*pieces: tuple[bool, bytes], syn: bool = True, at: float = 1.0) -> list[build.Packet]:
    """A connection from the client to the server, with what each side sends."""
    tcp = build.TcpConnection(CLIENT, SERVER)
    out = tcp.open(at) if syn else []
    for number, (from_client, data) in enumerate(pieces, 1):
        out += tcp.send(at + number * 0.1, data, from_client=from_client)
    return out


def trace_of(*parts: list[build.Packet]) -> Trace:
    return build.audit_bytes(build.pcap(build.in_time_order(*parts))).trace


def test_a_connection_is_tied_to_the_line_that_announced_its_ports() -> None:
    trace = trace_of(chat(), connection((True, msrp()), (False, msrp(A_URI, B_URI, what="200 OK"))))
    (found,) = trace.calls[0].lines[0].connections
    assert (found.id, found.kind, found.transport) == ("connection-1", "msrp", "tcp")
    assert (tuple(found.client), tuple(found.server)) == (CLIENT, SERVER)
    assert found.opened == 6
    assert found.begins is not None
    assert (found.begins.frame, found.begins.from_client, found.begins.whole) == (9, True, True)
    assert found.begins.data == msrp()[:32]
    assert [each.data for each in found.messages] == [msrp(), msrp(A_URI, B_URI, what="200 OK")]


def test_of_a_stream_joined_in_its_middle_the_beginning_is_not_known() -> None:
    (found,) = trace_of(chat(), connection((True, msrp()), syn=False)).calls[0].lines[0].connections
    assert found.opened is None
    assert found.begins is not None
    assert not found.begins.whole


def test_segments_that_changed_places_do_not_change_the_beginning() -> None:
    packets = connection((True, msrp()), (True, msrp(tid="b786hjs2")))
    packets[3], packets[4] = (packets[3][0], packets[4][1]), (packets[4][0], packets[3][1])
    (found,) = trace_of(chat(), packets).calls[0].lines[0].connections
    assert found.begins is not None
    assert (found.begins.data, found.begins.whole) == (msrp()[:32], True)


def test_a_connection_of_no_known_protocol_keeps_its_beginning() -> None:
    pieces = [(True, b"\xf0" + build.noise(number, 999)) for number in range(80)]
    (found,) = trace_of(chat(), connection(*pieces)).calls[0].lines[0].connections
    assert found.kind == ""
    assert found.begins is not None
    assert (found.begins.data, found.begins.whole) == (pieces[0][1][:32], True)


def test_a_connection_knows_its_tls_sessions() -> None:
    session = build.tls_session(CLIENT, SERVER, 0x003B, at=1.0, data=[msrp()], null_mac=32)
    trace = trace_of(chat(proto="TCP/TLS/MSRP"), session)
    (found,) = trace.calls[0].lines[0].connections
    assert found.tls_sessions == trace.tls_sessions
    assert found.messages == []
    (inside,) = trace.msrp_sessions
    assert (inside.tls_session, inside.connection, inside.protection) == ("tls-1", "", Protection.TLS_NULL)
    assert inside.lines == ["call-1/0"]


def test_floor_control_in_datagrams_is_a_connection_of_its_line() -> None:
    offer, answer = (
        build.sdp(host, build.media("application", 5070, "UDP/TLS/BFCP", "*", "a=confid:1", "a=userid:2"))
        for host in ("192.0.2.10", "198.51.100.20")
    )
    ends = ("192.0.2.10", 5070), ("198.51.100.20", 5070)
    hello = bytes.fromhex("400b00000000000100010002")
    trace = trace_of(build.call(offer, answer), [(1.0, build.udp(*ends, hello)), (1.5, build.udp(*ends, hello))])
    (found,) = trace.calls[0].lines[0].connections
    assert (found.transport, found.kind, len(found.messages)) == ("udp", "bfcp", 2)


def test_connections_that_no_line_announced_are_kept_where_they_carry_messages() -> None:
    assert [each.kind for each in trace_of(connection((True, msrp()))).connections] == ["msrp"]
    assert trace_of(connection((True, HELLO))).connections == []


# --- sessions of MSRP -----------------------------------------------------------------------------


def test_messages_with_the_same_two_uris_are_one_session() -> None:
    talk = connection(
        (True, msrp()), (False, msrp(A_URI, B_URI, what="200 OK")), (False, msrp(A_URI, B_URI, what="REPORT"))
    )
    trace = trace_of(chat(), talk)
    (session,) = trace.msrp_sessions
    assert (session.id, session.connection, session.protection) == ("msrp-1", "connection-1", Protection.CLEAR)
    assert (session.sender_uri, session.receiver_uri) == (A_URI.encode(), B_URI.encode())
    assert (session.messages, dict(session.requests), dict(session.responses)) == (
        3,
        {"SEND": 1, "REPORT": 1},
        {200: 1},
    )
    assert (session.lines, session.because, session.announced) == (["call-1/0"], "path", 2)
    assert trace.calls[0].lines[0].msrp == [session]


def test_a_connection_to_another_address_is_found_by_its_uris() -> None:
    """RFC 6714: behind a device that anchors the media the connection does not go where the path says."""
    away = "msrp://10.9.9.9:7000/alice1;tcp", "msrp://10.9.9.8:7000/bob2;tcp"
    offer, answer = (
        build.sdp(host, build.media("message", 9999, "TCP/MSRP", "*", f"a=path:{uri}", "a=msrp-cema"))
        for host, uri in zip(("203.0.113.1", "203.0.113.2"), away, strict=True)
    )
    trace = trace_of(build.call(offer, answer), connection((True, msrp(away[1], away[0]))))
    assert trace.calls[0].lines[0].connections == []
    (session,) = trace.msrp_sessions
    assert (session.lines, session.because, session.announced) == (["call-1/0"], "path", 2)


def test_uris_that_nobody_announced_go_by_the_connection() -> None:
    other = "msrp://192.0.2.10:2855/mallory;tcp", "msrp://198.51.100.20:2855/other;tcp"
    (session,) = trace_of(chat(), connection((True, msrp(*other)))).msrp_sessions
    assert (session.lines, session.because, session.announced) == (["call-1/0"], "connection", 0)


def test_one_announced_uri_of_two() -> None:
    (session,) = trace_of(chat(), connection((True, msrp(B_URI, "msrp://10.0.0.1:1/x;tcp")))).msrp_sessions
    assert (session.lines, session.because, session.announced) == (["call-1/0"], "path", 1)


def test_a_relay_is_told_by_its_paths() -> None:
    relay = "msrps://relay.example.org:2855/r;tcp"
    (session,) = trace_of(chat(), connection((True, msrp(f"{relay} {B_URI}")))).msrp_sessions
    assert (session.relayed, session.receiver_uri, session.announced) == (True, B_URI.encode(), 2)


def test_two_sessions_on_one_connection() -> None:
    others = "msrp://192.0.2.10:2855/a2;tcp", "msrp://198.51.100.20:2855/b2;tcp"
    trace = trace_of(chat(), connection((True, msrp()), (True, msrp(others[1], others[0], tid="b786hjs2"))))
    assert [session.receiver_uri for session in trace.msrp_sessions] == [B_URI.encode(), others[1].encode()]


def test_messages_without_paths_are_no_session() -> None:
    assert trace_of(connection((True, b"MSRP abcd SEND\r\n-------abcd$\r\n"))).msrp_sessions == []


def test_at_one_port_of_a_server_the_clients_tell_calls_apart() -> None:
    """RFC 4145 §4.1: who connects announces port 9, so only addresses tell whose connection it is."""
    calls, talks = [], []
    for number in (1, 2):
        client = f"192.0.2.{10 + number}"
        dialog = build.Dialog((client, 5060), ("198.51.100.20", 5060), call_id=f"call {number}")
        offer, answer = (
            build.sdp(
                ip, build.media("message", port, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:{port}/x{number};tcp")
            )
            for ip, port in ((client, 9), ("198.51.100.20", 2855))
        )
        calls += build.call(offer, answer, dialog=dialog, at=number * 0.2)
        talks += build.tls_session((client, 40_000), SERVER, 0xC02F, at=1.0 + 0.001 * number)
    trace = trace_of(calls, talks)
    for number, call in enumerate(trace.calls, 1):
        (line,) = call.lines
        assert [each.client.ip for each in line.connections] == [f"192.0.2.{10 + number}"]
        assert [each.client.ip for each in line.tls_sessions] == [f"192.0.2.{10 + number}"]
