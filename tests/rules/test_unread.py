"""Signalling that passed and could not be read: every rule that rests on it says so, with the gap (rules.md 19.1.1)."""

from __future__ import annotations

import zlib

import pytest

from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.conftest import answer, offer

RESTING = ("IMS-SIG-001", "IMS-SIG-006", "IMS-SRTP-001", "IMS-SRTP-002", "IMS-SRTP-003")
A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
OFFER = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", build.crypto("a")))
ANSWER = build.sdp(B[0], build.audio(B[1], "RTP/SAVP", build.crypto("b")))


def unread(*captures: bytes) -> list[tuple[str, str, str]]:
    """Gap, reason and subject of every outcome for what was not read; the same for each rule that rests on it."""
    trace = build.audit_bytes(*captures).trace
    told = []
    for rule in RESTING:
        outcomes = [each for each in BY_ID[rule].check(trace, Scene()) if each.gap and each.subject.kind == "message"]
        told.append([(each.gap, each.reason, each.subject.id) for each in outcomes])
    assert all(each == told[0] for each in told)
    assert len(told[0]) == len(trace.unread)
    return told[0]


def setup(**more: str) -> list[build.Packet]:
    """INVITE and 200 of a call whose bodies are under other headers than usual."""
    talk = build.Dialog()
    return build.carry(talk, [(0, talk.request("INVITE", OFFER, **more), True), (0.1, talk.response(200, "OK"), False)])  # type: ignore[arg-type]


def test_a_whole_call_leaves_nothing_unread() -> None:
    assert unread(build.pcap(build.call(OFFER, ANSWER))) == []


# --- cut by the snap length -----------------------------------------------------------------------


def test_messages_whose_bodies_are_cut_are_named() -> None:
    """Request and response that carry descriptions; the others are short enough to be whole."""
    reason = "SIP messages are cut by the snap length"
    capture = build.pcap(build.call(OFFER, ANSWER), snap_length=430)
    assert unread(capture) == [("N-FRAG", reason, "frame 1"), ("N-FRAG", reason, "frame 4")]


def test_messages_whose_headers_are_cut_are_named() -> None:
    """What the headers would announce is not known."""
    told = unread(build.pcap(build.call(OFFER, ANSWER), snap_length=200))
    assert [subject for _, _, subject in told] == [f"frame {number}" for number in range(1, 8)]


def test_requests_cut_within_their_first_line_are_named() -> None:
    told = unread(build.pcap(build.call(OFFER, ANSWER)[:1], snap_length=64))
    assert told == [("N-FRAG", "SIP messages are cut by the snap length", "frame 1")]


def test_a_cut_body_that_is_no_description_hides_nothing() -> None:
    packets = setup(content_type="application/pidf+xml")
    assert unread(build.pcap(packets, snap_length=450)) == []


def test_octets_cut_behind_the_declared_body_hide_nothing() -> None:
    message = build.Dialog().request("OPTIONS")
    packets = [(0.0, build.udp(build.ALICE, build.BOB, message + bytes(300)))]
    assert unread(build.pcap(packets, snap_length=42 + len(message) + 10)) == []


def test_thousands_of_cut_messages_are_one_row_with_examples() -> None:
    packets = [(float(at), setup()[0][1]) for at in range(1_500)]
    rows = build.audit_bytes(build.pcap(packets, snap_length=430)).assessments
    (row,) = [row for row in rows if row.rule == "IMS-SIG-001"]
    assert (row.outcome, row.gap, row.subjects, len(row.examples)) == ("not-assessed", "N-FRAG", 1_500, 10)


# --- pieces that are not there --------------------------------------------------------------------


def over_tcp() -> list[build.Packet]:
    """INVITE in segments of 100 octets, then ACK."""
    talk, connection = build.Dialog(transport="TCP"), build.TcpConnection(build.ALICE, build.BOB)
    invite = connection.open(0) + connection.send(0.1, talk.request("INVITE", OFFER), segment=100)
    return invite + connection.send(1, talk.request("ACK"))


def test_a_lost_segment_of_a_tcp_connection_with_sip_is_named() -> None:
    packets = over_tcp()
    reason = "octets of connections that carry SIP are not in the capture"
    assert unread(build.pcap(packets[:7] + packets[8:])) == [("N-FRAG", reason, "frame 8")]


def test_a_message_that_never_ends_is_named() -> None:
    """The capture stops inside the INVITE: no later octets show the hole."""
    told = unread(build.pcap(over_tcp()[:7]))
    assert told == [("N-FRAG", "SIP messages do not end within the capture", "frame 4")]


def test_a_tcp_connection_with_all_octets_leaves_nothing_unread() -> None:
    assert unread(build.pcap(over_tcp())) == []


def test_holes_in_connections_of_other_protocols_are_none_of_signalling() -> None:
    connection = build.TcpConnection(("192.0.2.10", 40_000), ("198.51.100.20", 2855))
    message = b"MSRP a1 SEND\r\nTo-Path: msrp://b:1/b;tcp\r\nFrom-Path: msrp://a:1/a;tcp\r\n\r\nhi\r\n-------a1$\r\n"
    packets = connection.open(0) + [packet for at in range(1, 5) for packet in connection.send(at, message)]
    assert unread(build.pcap(packets[:4] + packets[5:])) == []


def fragments(payload: bytes) -> list[build.Packet]:
    """A datagram in two IP fragments."""
    datagram = build.udp_datagram(build.ALICE, build.BOB, payload)
    first = build.ipv4(build.ALICE[0], build.BOB[0], 17, datagram[:320], identification=7, fragment=0x2000)
    second = build.ipv4(build.ALICE[0], build.BOB[0], 17, datagram[320:], identification=7, fragment=320 // 8)
    return [(0.0, build.ethernet(first)), (0.001, build.ethernet(second))]


def test_a_sip_message_that_lacks_ip_fragments_is_named() -> None:
    packets = fragments(build.Dialog().request("INVITE", OFFER))
    assert unread(build.pcap(packets)) == []
    reason = "IP fragments of SIP messages are not in the capture"
    assert unread(build.pcap(packets[:1])) == [("N-FRAG", reason, "frame 1")]
    assert unread(build.pcap(packets[:1]), build.pcap([])) == [("N-FRAG", reason, "frame 1 of capture 1")]


def test_other_fragments_are_none_of_signalling() -> None:
    assert unread(build.pcap(fragments(build.noise(1, 600))[:1])) == []


# --- SigComp --------------------------------------------------------------------------------------


def compressed(number: int, source: build.Address, destination: build.Address) -> list[build.Packet]:
    """Datagrams that begin like SigComp."""
    return [(at * 0.1, build.udp(source, destination, b"\xf8" + build.noise(at, 300))) for at in range(number)]


def test_sigcomp_on_a_port_of_sip_is_counted_and_named() -> None:
    capture = build.pcap(compressed(5, ("192.0.2.10", 40_000), ("198.51.100.20", 5081)))
    assert unread(capture) == [("N-SIP", "SigComp, not decoded", "frame 1")]
    notes = [note.text for note in build.audit_bytes(capture).trace.notes]
    assert notes == ["SigComp, not decoded: 5 datagrams from 192.0.2.10:40000 to 198.51.100.20:5081"]


def test_sigcomp_between_ends_that_also_speak_sip_is_named_on_any_port() -> None:
    near, far = ("192.0.2.10", 31_000), ("198.51.100.20", 32_000)
    hello = [(9.0, build.udp(near, far, build.Dialog(near, far).request("OPTIONS")))]
    assert unread(build.pcap(compressed(2, far, near) + hello)) == [("N-SIP", "SigComp, not decoded", "frame 1")]


def test_other_datagrams_that_begin_so_are_no_sigcomp() -> None:
    assert unread(build.pcap(compressed(5, ("192.0.2.10", 31_000), ("198.51.100.20", 32_000)))) == []


# --- bodies that can't be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("application/pkcs7-mime; smime-type=enveloped-data", "SIP bodies are encrypted (S/MIME)"),
        ("application/pkcs7-mime", "SIP bodies are encrypted (S/MIME)"),
        ("application/pkcs7-mime; smime-type=signed-data", "SIP bodies are wrapped in S/MIME, which was not opened"),
        ('multipart/encrypted; boundary="x"', "SIP bodies are encrypted (S/MIME)"),
    ],
)
def test_encrypted_bodies_of_an_offer_are_named(content_type: str, reason: str) -> None:
    """The catalogue's trigger of IMS-SIG-019."""
    assert unread(build.pcap(setup(content_type=content_type))) == [("N-SIP", reason, "frame 1")]


def test_encrypted_bodies_are_meant_to_be_in_other_methods() -> None:
    """The near miss of IMS-SIG-019: NOTIFY carries keys in S/MIME."""
    body = b"\x30\x82" + build.noise(1, 200)
    message = build.Dialog().request("NOTIFY", body, content_type="application/pkcs7-mime")
    assert unread(build.pcap([(0.0, build.udp(build.ALICE, build.BOB, message))])) == []


def test_a_readable_description_beside_an_encrypted_part_is_enough() -> None:
    body = b"".join(
        b"--x\r\nContent-Type: " + kind + b"\r\n\r\n" + data + b"\r\n"
        for kind, data in ((b"application/sdp", OFFER), (b"application/pkcs7-mime", build.noise(1, 99)))
    )
    message = build.Dialog().request("INVITE", body + b"--x--\r\n", content_type="multipart/mixed; boundary=x")
    assert unread(build.pcap([(0.0, build.udp(build.ALICE, build.BOB, message))])) == []


@pytest.mark.parametrize(
    ("encoding", "body", "told"),
    [("br", OFFER, 1), ("gzip", OFFER, 1), ("deflate", zlib.compress(OFFER), 0), ("identity", OFFER, 0)],
)
def test_encodings_that_could_not_be_undone_are_named(encoding: str, body: bytes, told: int) -> None:
    message = build.Dialog().request("INVITE", body, headers=(f"Content-Encoding: {encoding}",))
    found = unread(build.pcap([(0.0, build.udp(build.ALICE, build.BOB, message))]))
    assert found == [("N-SIP", "SIP bodies have encodings that could not be undone", "frame 1")] * told


def test_a_call_whose_descriptions_passed_before_the_capture_began(told) -> None:
    """Only ACK and BYE are left of the signalling: nothing says what was agreed, and with which keys."""
    late = build.call(offer(), answer(), duration=5.0)[4:]
    for rule in ("IMS-SIG-001", "IMS-SIG-006"):
        assert told(rule, late).rows == [("not-assessed", "N-OA", 1)]
