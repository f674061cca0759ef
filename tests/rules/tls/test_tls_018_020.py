"""IMS-TLS-018 and -020: clear data where TLS was agreed, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from imsinspect.trace.model import Protection
from tests import build
from tests.rules.tls.hellos import CLIENT, SERVER, tls

TLS_018, TLS_020 = "IMS-TLS-018", "IMS-TLS-020"
A, B = "192.0.2.10", "198.51.100.20"
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
MSRP = (
    f"MSRP a786hjs2 SEND\r\nTo-Path: msrps://{B}:2855/bob;tcp\r\nFrom-Path: msrps://{A}:2855/alice;tcp\r\n"
    "Message-ID: 87652491\r\n-------a786hjs2$\r\n"
).encode()
BFCP = bytes.fromhex("200b00000000000700010002")  # Hello of conference 7
FAILURE = b"\x02\x28"


def line(ip: str, name: str, *more: str, proto: str = "TCP/TLS/MSRP", port: int = 2855) -> bytes:
    """A description with one line of messages, or of floor control."""
    if "BFCP" in proto:
        return build.sdp(ip, build.media("application", port, proto, "*", "a=confid:7", "a=userid:2", *more))
    scheme = "msrps" if "TLS" in proto else "msrp"
    return build.sdp(ip, build.media("message", port, proto, "*", f"a=path:{scheme}://{ip}:2855/{name};tcp", *more))


def chat(*more: str, proto: str = "TCP/TLS/MSRP", answered: str = "", **how: object) -> list[build.Packet]:
    """A call with that line, with fingerprints unless told otherwise."""
    attributes = more or (FINGERPRINT,)
    offer = line(A, "alice", *attributes, proto=proto)
    return build.call(offer, line(B, "bob", *attributes, proto=answered or proto), **how)  # type: ignore[arg-type]


def clear(
    *data: bytes,
    at: float = 1.0,
    syn: bool = True,
    ends: tuple[build.Address, build.Address] = (CLIENT, SERVER),
    from_client: bool = True,
) -> list[build.Packet]:
    """A connection on which these octets stand."""
    connection = build.TcpConnection(*ends)
    out = connection.open(at) if syn else []
    for number, each in enumerate(data or (MSRP,), 1):
        out += connection.send(at + number * 0.1, each, from_client=from_client)
    return out


def together(*parts: list[build.Packet]) -> list[build.Packet]:
    return build.in_time_order(*parts)


# --- IMS-TLS-018 ----------------------------------------------------------------------------------


def test_msrp_in_clear_on_a_line_with_tls_is_critical(told) -> None:
    """The catalogue's trigger."""
    result = told(TLS_018, together(chat(), clear()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4, 6, 9]
    assert [each.field for each in finding.evidence[2:]] == ["TCP SYN", "first octets"]
    assert finding.evidence[-1].observed == "MSRP SEND"
    assert "agreed as TCP/TLS/MSRP" in finding.message
    assert "Not seen: a TLS record before it" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_stream_that_begins_with_a_tls_record_passes(told) -> None:
    """The catalogue's near miss."""
    assert told(TLS_018, together(chat(), tls(data=[MSRP]))).rows == [("pass", "", 1)]


def test_an_answer_in_clear_from_the_other_side_is_clear_data_too(told) -> None:
    assert told(TLS_018, together(chat(), clear(from_client=False))).rows == [("violation", "", 1)]


def test_floor_control_of_the_agreed_conference_is_proven(told) -> None:
    finding = told(TLS_018, together(chat(proto="TCP/TLS/BFCP"), clear(BFCP))).finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert finding.evidence[-1].observed == "BFCP Hello of conference 7"
    assert finding.title == "Clear BFCP on a TCP/TLS/BFCP line"


def test_floor_control_of_another_conference_may_be_of_another_line(told) -> None:
    """A floor control server is reached at one port for all conferences."""
    other = BFCP.replace(b"\0\0\0\x07", b"\0\0\0\x09")
    finding = told(TLS_018, together(chat(proto="TCP/TLS/BFCP"), clear(other))).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.HIGH, "heuristic")


def test_floor_control_where_no_conference_was_announced(told) -> None:
    sections = (build.media("application", 2855, "TCP/TLS/BFCP", "*", FINGERPRINT) for _ in range(2))
    call = build.call(*(build.sdp(ip, section) for ip, section in zip((A, B), sections, strict=True)))
    assert told(TLS_018, together(call, clear(BFCP))).finding.confidence == "strong"
    joined = told(TLS_018, together(call, clear(BFCP, syn=False))).finding
    assert (joined.verdict, joined.confidence) == ("suspect", "heuristic")


def test_floor_control_in_datagrams_on_a_line_with_dtls(told) -> None:
    packets = [(1.0, build.udp((A, 2855), (B, 2855), b"\x40" + BFCP[1:]))]
    finding = told(TLS_018, together(chat(proto="UDP/TLS/BFCP"), packets)).finding
    assert finding.title == "Clear BFCP on a UDP/TLS/BFCP line"


def test_octets_that_are_neither_are_suspected(told) -> None:
    packets = together(chat(), clear(*(b"\xf0" + build.noise(number, 300) for number in range(3))))
    finding = told(TLS_018, packets).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.HIGH, "heuristic")
    assert "octets that are no TLS record (f0" in finding.message


def test_octets_that_are_neither_in_a_long_connection_are_suspected(told) -> None:
    packets = together(chat(), clear(*(b"\xf0" + build.noise(number, 1200) for number in range(80))))
    assert told(TLS_018, packets).rows == [("suspect", "", 1)]


def test_a_stream_joined_in_its_middle_is_not_assessed(told) -> None:
    """N-FRAG; a message that can be told needs no beginning."""
    middle = clear(*(b"\xf0" + build.noise(number, 300) for number in range(3)), syn=False)
    assert told(TLS_018, together(chat(), middle)).rows == [("not-assessed", "N-FRAG", 1)]
    assert told(TLS_018, together(chat(), clear(syn=False))).rows == [("violation", "", 1)]


def test_keep_alives_alone_are_no_data(told) -> None:
    assert told(TLS_018, together(chat(), clear(b"\r\n\r\n"))).rows == [("not-assessed", "N-FRAG", 1)]


def test_no_connection_is_in_the_capture(told) -> None:
    assert told(TLS_018, chat()).rows == [("not-assessed", "N-MED", 1)]


def test_the_answer_was_not_seen(told) -> None:
    offer = line(A, "alice", FINGERPRINT)
    dialog = build.Dialog()
    packets = together(
        build.carry(dialog, [(0.0, dialog.request("INVITE", offer), True)]), clear(ends=(SERVER, (A, 2855)))
    )
    assert told(TLS_018, packets).rows == [("not-assessed", "N-OA", 1)]


def test_lines_in_clear_and_refused_lines_have_no_object(told) -> None:
    """T-E2AE: behind the gateway the transport is clear by design."""
    assert told(TLS_018, together(chat("a=x:1", proto="TCP/MSRP"), clear())).rows == []
    refused = build.call(line(A, "alice", FINGERPRINT), line(B, "bob", port=0))
    assert told(TLS_018, together(refused, clear())).rows == []


def test_the_clear_side_of_a_gateway_that_keeps_paths_is_not_the_secure_line(told) -> None:
    """T-E2AE with RFC 6714: the same URIs stand on both sides, the connection is that of the clear line."""
    access = chat(FINGERPRINT, "a=3ge2ae:applied")
    core_ends = ("203.0.113.1", 6000), ("203.0.113.2", 6000)
    offer, answer = (
        build.sdp(
            end[0],
            build.media("message", end[1], "TCP/MSRP", "*", f"a=path:msrps://{ip}:2855/{name};tcp", "a=msrp-cema"),
        )
        for end, ip, name in zip(core_ends, (A, B), ("alice", "bob"), strict=True)
    )
    dialog = build.Dialog(("203.0.113.1", 5060), ("203.0.113.2", 5060), call_id="core", from_tag="x", to_tag="y")
    core = build.call(offer, answer, dialog=dialog, at=0.05)
    packets = together(access, core, tls(data=[MSRP]), clear(MSRP, ends=(("203.0.113.1", 50_000), core_ends[1])))
    assert told(TLS_018, packets).rows == [("pass", "", 1)]
    without_tls = together(access, core, clear(MSRP, ends=(("203.0.113.1", 50_000), core_ends[1])))
    assert told(TLS_018, without_tls).rows == [("not-assessed", "N-MED", 1)]


def test_a_connection_elsewhere_with_the_uris_of_the_line(told) -> None:
    """RFC 6714: only the URIs lead to the line."""
    packets = together(chat(), clear(MSRP, ends=(("203.0.113.1", 50_000), ("203.0.113.2", 6000))))
    assert told(TLS_018, packets).rows == [("violation", "", 1)]


def test_a_server_of_many_calls_is_reached_at_one_port(told) -> None:
    """The clear connection is that of the call in clear, as its URIs say."""
    server = "198.51.100.20"
    calls, talks = [], []
    for number, proto in enumerate(("TCP/MSRP", "TCP/TLS/MSRP")):
        client = f"192.0.2.{10 + number}"
        dialog = build.Dialog((client, 5060), (server, 5060), call_id=f"call {number}")
        uris = [
            f"msrp{'s' if number else ''}://{ip}:2855/{name}{number};tcp" for ip, name in ((client, "a"), (server, "b"))
        ]
        offer, answer = (
            build.sdp(ip, build.media("message", port, proto, "*", f"a=path:{uri}", FINGERPRINT, "a=setup:active"))
            for ip, port, uri in zip((client, server), (9, 2855), uris, strict=True)
        )
        calls += build.call(offer, answer, dialog=dialog, at=number * 0.2)
        if number:
            talks += tls(client=(client, 40_000), data=[MSRP], at=2.0)
        else:
            send = MSRP.replace(f"msrps://{B}:2855/bob".encode(), uris[1][:-4].encode())
            send = send.replace(f"msrps://{A}:2855/alice".encode(), uris[0][:-4].encode())
            talks += clear(send, at=2.0, ends=((client, 40_000), (server, 2855)))
    assert told(TLS_018, together(calls, talks)).rows == [("pass", "", 1)]


def test_connections_with_ice_framing_are_not_assessed(told) -> None:
    """T-ICE."""
    check = bytes.fromhex("000100002112a442") + b"transactions"[:12]
    framed = len(check).to_bytes(2, "big") + check
    assert told(TLS_018, together(chat(), clear(framed, framed))).rows == [("not-assessed", "T-ICE", 1)]


def test_behind_the_end_of_tls_clear_data_is_information(told) -> None:
    """T-CORE, declared."""
    finding = told(TLS_018, together(chat(), clear()), capture_point="post-decryption").finding
    assert (finding.severity, finding.verdict) == (Severity.INFO, "violation")
    assert "declared as post-decryption" in finding.message


@pytest.mark.parametrize(
    ("protection", "severity", "words"),
    [
        (Protection.EXPORTED, Severity.INFO, "exported PDUs do not say"),
        (Protection.OPENED, Severity.MEDIUM, "inside ESP that encrypts"),
        (Protection.ESP_NULL, Severity.CRITICAL, "Anyone on the path"),
    ],
)
def test_what_is_around_the_clear_data_counts(protection: Protection, severity: Severity, words: str) -> None:
    """T-CORE, and tunnels."""
    trace = build.audit_bytes(build.pcap(together(chat(), clear()))).trace
    trace.connections[0].protection = protection
    (finding,) = evaluate(trace, Scene(), [BY_ID[TLS_018]]).findings
    assert finding.severity == severity
    assert words in finding.message


def test_clear_data_under_a_later_agreement_in_clear_is_another_rule(told) -> None:
    dialog = build.Dialog()
    secure = build.call(line(A, "alice", FINGERPRINT), line(B, "bob", FINGERPRINT), dialog=dialog, duration=None)
    again = [
        (5.0, dialog.request("INVITE", line(A, "alice", proto="TCP/MSRP"), in_dialog=True), True),
        (5.1, dialog.response(200, "OK", line(B, "bob", proto="TCP/MSRP")), False),
        (5.2, dialog.request("ACK"), True),
    ]
    packets = together(
        secure, tls(data=[MSRP]), build.carry(dialog, again), clear(MSRP, at=6.0, ends=((A, 41_000), SERVER))
    )
    assert told(TLS_018, packets).rows == [("pass", "", 1)]


def test_without_keys_of_its_own_a_line_needs_a_profile(told) -> None:
    packets = together(chat("a=x:1"), clear())
    assert told(TLS_018, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_a_retransmitted_segment_is_one_message(told) -> None:
    packets = clear()
    finding = told(TLS_018, together(chat(), packets, [(packets[-1][0] + 0.5, packets[-1][1])])).finding
    assert "1 message in clear on 1 connection" in finding.message


@pytest.mark.parametrize(("profile", "rows"), [("e2ae", 1), ("g3", 1), ("g2", 1), ("rfc-only", 0), ("e2e-sdes", 0)])
def test_a_profile_that_is_asked_for_decides(profile: str, rows: int) -> None:
    packets = together(chat("a=x:1"), clear())
    findings = build.audit_bytes(build.pcap(packets), profile=profile).findings
    assert len([each for each in findings if each.rule == TLS_018]) == rows


def test_beside_voice_with_keys_in_its_signalling_the_line_shows_its_own_solution() -> None:
    """The call is one of SDES, which knows no messages; the fingerprints are those of the access edge."""
    offer, answer = (
        build.sdp(
            ip,
            build.audio(4000, "RTP/SAVP", build.crypto(name)),
            build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/{name};tcp", FINGERPRINT),
        )
        for ip, name in ((A, "alice"), (B, "bob"))
    )
    audit = build.audit_bytes(build.pcap(together(build.call(offer, answer), clear())))
    assert [each.subject.id for each in audit.findings if each.rule == TLS_018] == ["call-1/1"]


# --- IMS-TLS-020 ----------------------------------------------------------------------------------

LATER: build.Address = (A, 41_000)


@pytest.mark.parametrize("proto", ["TCP/TLS/BFCP", "TCP/TLS/MSRP"])
def test_clear_data_behind_a_failed_handshake(told, proto: str) -> None:
    """The catalogue's trigger."""
    data = BFCP if "BFCP" in proto else MSRP
    packets = together(chat(proto=proto), tls(server_alert=FAILURE), clear(data, at=2.0, ends=(LATER, SERVER)))
    result = told(TLS_020, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4, 9, 10, 14]
    assert "the fatal alert handshake_failure of the server in frame 10" in finding.message
    assert "in clear in frame 14" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_second_handshake_that_succeeds_is_right(told) -> None:
    """The catalogue's near miss."""
    packets = together(
        chat(), tls(server_alert=FAILURE), tls(at=2.0, client=LATER, client_random=b"d" * 32, data=[MSRP])
    )
    assert told(TLS_020, packets).rows == [("pass", "", 1)]


def test_clear_data_behind_a_success_is_not_of_the_failure(told) -> None:
    packets = together(
        chat(),
        tls(server_alert=FAILURE),
        tls(at=2.0, client=LATER, client_random=b"d" * 32, data=[MSRP]),
        clear(MSRP, at=3.0, ends=((A, 42_000), SERVER)),
    )
    assert told(TLS_020, packets).rows == [("pass", "", 1)]


def test_a_hello_without_an_answer_and_clear_data_behind_it(told) -> None:
    packets = together(chat(), tls(selected=None), clear(MSRP, at=2.0, ends=(LATER, SERVER)))
    finding = told(TLS_020, packets).finding
    assert finding.confidence == "strong"
    assert "a ClientHello without an answer in frame 9" in finding.message


def test_a_handshake_that_does_not_complete_and_clear_data_behind_it(told) -> None:
    packets = together(chat(), tls(finish=False), clear(MSRP, at=2.0, ends=(LATER, SERVER)))
    assert "a handshake that does not complete" in told(TLS_020, packets).finding.message


def test_a_new_agreement_in_clear_behind_a_failed_handshake(told) -> None:
    dialog = build.Dialog()
    secure = build.call(line(A, "alice", FINGERPRINT), line(B, "bob", FINGERPRINT), dialog=dialog, duration=None)
    again = [
        (5.0, dialog.request("INVITE", line(A, "alice", proto="TCP/MSRP"), in_dialog=True), True),
        (5.1, dialog.response(200, "OK", line(B, "bob", proto="TCP/MSRP")), False),
        (5.2, dialog.request("ACK"), True),
    ]
    result = told(TLS_020, together(secure, tls(client_alert=FAILURE), build.carry(dialog, again)))
    assert "a new offer is answered with TCP/MSRP on port 2855" in result.finding.message
    assert result.rows == [("violation", "", 1)]
    without = told(TLS_020, together(secure, tls(data=[MSRP]), build.carry(dialog, again)))
    assert without.rows == [("pass", "", 1)]


def test_the_line_is_given_up(told) -> None:
    """Port 0 behind the failure, or the end of the call."""
    assert told(TLS_020, together(chat(), tls(server_alert=FAILURE))).rows == [("pass", "", 1)]
    dialog = build.Dialog()
    secure = build.call(line(A, "alice", FINGERPRINT), line(B, "bob", FINGERPRINT), dialog=dialog)
    again = [
        (5.0, dialog.request("INVITE", line(A, "alice", FINGERPRINT, port=0), in_dialog=True), True),
        (5.1, dialog.response(200, "OK", line(B, "bob", FINGERPRINT, port=0)), False),
    ]
    assert told(TLS_020, together(secure, tls(server_alert=FAILURE), build.carry(dialog, again))).rows == [
        ("pass", "", 1)
    ]


def test_the_capture_ends_behind_the_failure(told) -> None:
    """T-MID."""
    packets = together(chat(duration=None), tls(server_alert=FAILURE))
    assert told(TLS_020, packets).rows == [("not-assessed", "T-MID", 1)]


def test_clear_data_without_a_handshake_is_another_rule(told) -> None:
    assert told(TLS_020, together(chat(), clear())).rows == [("not-assessed", "N-HS", 1)]


def test_no_handshake_was_captured(told) -> None:
    assert told(TLS_020, chat()).rows == [("not-assessed", "N-HS", 1)]


def test_half_a_handshake_with_records_behind_it_did_not_fail(told) -> None:
    """Only what the client sent was captured."""
    sent = [packet for packet in tls(data=[MSRP] * 4) if packet[1][26:30] == bytes((192, 0, 2, 10))]
    packets = together(chat(), sent, clear(MSRP, at=2.0, ends=(LATER, SERVER)))
    assert told(TLS_020, packets).rows == [("not-assessed", "N-HS", 1)]


def test_a_call_without_a_profile(told) -> None:
    packets = together(chat("a=x:1"), tls(server_alert=FAILURE))
    assert told(TLS_020, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_the_finding_follows_from_the_clear_data(told) -> None:
    packets = together(chat(), tls(server_alert=FAILURE), clear(MSRP, at=2.0, ends=(LATER, SERVER)))
    findings = {each.rule: each for each in build.audit_bytes(build.pcap(packets)).findings}
    assert findings[TLS_020].follows_from == [findings[TLS_018].fingerprint]
