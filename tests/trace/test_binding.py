"""Streams, RTCP and TLS sessions tied to the lines that announced them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.trace.binding import bind, canonical
from imsinspect.trace.calls import build_calls
from tests.trace.scene import ALICE, BOB, PROXY, reply, request, rtcp, sdp, session, stream, uses

if TYPE_CHECKING:
    from imsinspect.trace.model import MediaLine, MediaStream, RtcpSource, SignallingMessage, TlsSession

A, B = ("192.0.2.10", 4000), ("192.0.2.20", 6000)
FROM_ALICE = (1, "offerer", "destination", b"alice")
FROM_BOB = (2, "answerer", "destination", b"bob")


def call(
    offer: bytes, answer: bytes | None, *, at: int = 0, until: int | None = None, call_id: str = "call"
) -> list[SignallingMessage]:
    """A call whose answer comes 1000 ms after the offer."""
    invite = request(at, ALICE, BOB, "INVITE", call_id=call_id, body=offer)
    out = [invite]
    if answer is not None:
        out.append(reply(invite, at + 1000, 200, to_tag="bob", body=answer))
    if until is not None:
        out.append(request(until, ALICE, BOB, "BYE", cseq=9, to_tag="bob", call_id=call_id))
    return out


def bound(
    messages: list[SignallingMessage],
    streams: list[MediaStream] | None = None,
    sources: list[RtcpSource] | None = None,
    sessions: list[TlsSession] | None = None,
) -> tuple[list[MediaLine], list[MediaStream], list[RtcpSource]]:
    """Lines of all calls, and what stayed unbound."""
    calls = build_calls(messages)
    left, left_rtcp = bind(calls, streams or [], sources or [], sessions or [])
    return [line for each in calls for line in each.lines], left, left_rtcp


def both_ways(first: int = 1000, last: int = 5000) -> list[MediaStream]:
    return [stream(A, B, first, last, ssrc=1), stream(B, A, first, last, ssrc=2)]


PLAIN = (sdp(*A), sdp(*B))


def test_media_goes_to_the_line_that_announced_its_destination() -> None:
    (line,), left, _ = bound(call(*PLAIN), both_ways())
    assert uses(line) == [FROM_ALICE, FROM_BOB]
    assert left == []


def test_media_to_and_from_addresses_of_nobody_stays_unbound() -> None:
    stray = stream(("192.0.2.77", 1), ("192.0.2.78", 2), 1000, 2000)
    strays = rtcp(("192.0.2.77", 1), ("192.0.2.78", 2), 1000, 2000)
    lines, left, left_rtcp = bound(call(*PLAIN), [stray], [strays])
    assert (lines[0].streams, left, left_rtcp) == ([], [stray], [strays])
    assert bind([], [stray], [strays], []) == ([stray], [strays])


def test_media_before_the_answer_goes_to_the_offered_address() -> None:
    early = stream(("203.0.113.9", 9000), A, 200, 900, ssrc=2)
    (line,), left, _ = bound(call(sdp(*A), None), [early])
    assert (uses(line), left) == ([(2, "answerer", "destination", b"")], [])
    (line,), left, _ = bound(call(*PLAIN), [early])
    assert (uses(line), left) == ([FROM_BOB], [])


def test_media_behind_an_address_translation_is_known_by_its_source() -> None:
    outside = stream(B, ("203.0.113.5", 31000), 1000, 5000, ssrc=2)
    translated = stream(("203.0.113.5", 31000), B, 1000, 5000, ssrc=1)
    (line,), left, _ = bound(call(*PLAIN), [translated, outside])
    assert uses(line) == [FROM_ALICE, (2, "answerer", "source", b"bob")]
    assert left == []


@pytest.mark.parametrize(("ended", "is_bound"), [(2000, False), (4999, True), (8000, True)])
def test_a_line_lasts_five_seconds_longer_than_its_dialog(ended: int, is_bound: bool) -> None:
    late = stream(A, B, 7500, 9000)
    (line,), left, _ = bound(call(*PLAIN, until=ended), [late])
    assert ([use.stream for use in line.streams], left) == (([late], []) if is_bound else ([], [late]))


def test_a_port_used_again_belongs_to_the_call_of_its_time() -> None:
    other = sdp("192.0.2.30", 7000)
    messages = call(*PLAIN, until=5000) + call(sdp(*A), other, at=6000, call_id="later")
    before, between, after = (
        stream(B, A, 1000, 5000, ssrc=1),
        stream(("192.0.2.30", 7000), A, 6500, 9000, ssrc=2),
        stream(("203.0.113.9", 9000), A, 8000, 9000, ssrc=3),
    )
    lines, left, _ = bound(messages, [before, between, after])
    assert [[use.stream.ssrc for use in line.streams] for line in lines] == [[1], [2, 3]]
    assert left == []


def test_a_call_that_never_ended_yields_its_address_to_a_later_one() -> None:
    messages = call(*PLAIN) + call(sdp(*A), sdp(*B), at=60_000, call_id="later")
    lines, _, _ = bound(messages, [stream(A, B, 1000, 5000, ssrc=1), stream(A, B, 61_000, 65_000, ssrc=2)])
    assert [[use.stream.ssrc for use in line.streams] for line in lines] == [[1], [2]]


def test_legs_that_announce_the_same_addresses_share_the_media() -> None:
    messages = call(*PLAIN) + call(*PLAIN, at=20, call_id="leg")
    lines, left, _ = bound(messages, both_ways())
    assert [uses(line) for line in lines] == [[FROM_ALICE, FROM_BOB], [FROM_ALICE, FROM_BOB]]
    assert left == []


def test_of_forks_the_one_that_sends_gets_the_media() -> None:
    invite = request(0, ALICE, PROXY, "INVITE", body=sdp(*A))
    messages = [
        invite,
        reply(invite, 5, 183, to_tag="bob1", body=sdp("192.0.2.21", 6000)),
        reply(invite, 6, 183, to_tag="bob2", body=sdp("192.0.2.22", 6000)),
    ]
    lines, _, _ = bound(messages, [stream(("192.0.2.22", 6000), A, 10, 500, ssrc=2)])
    assert [uses(line) for line in lines] == [[], [(2, "answerer", "destination", b"bob2")]]


def test_of_rewritten_hops_the_one_whose_addresses_match_gets_the_media() -> None:
    first = request(0, ALICE, PROXY, "INVITE", branch="1", body=sdp(*A))
    second = request(1, PROXY, BOB, "INVITE", branch="2", body=sdp("192.0.2.1", 5000))
    messages = [
        first,
        second,
        reply(second, 8, 200, to_tag="bob", body=sdp(*B)),
        reply(first, 10, 200, to_tag="bob", body=sdp("192.0.2.1", 5002)),
    ]
    gateway = ("192.0.2.1", 5002)
    outer = [stream(A, gateway, 20, 500, ssrc=1), stream(gateway, A, 20, 500, ssrc=2)]
    inner = [stream(("192.0.2.1", 5000), B, 20, 500, ssrc=1), stream(B, ("192.0.2.1", 5000), 20, 500, ssrc=2)]
    lines, left, _ = bound(messages, outer + inner)
    assert [[use.stream for use in line.streams] for line in lines] == [outer, inner]
    assert left == []


# --- changes --------------------------------------------------------------------------------------


def change(offer: bytes, answer: bytes, at: int = 10_000) -> list[SignallingMessage]:
    """Bob changes the call."""
    again = request(at, BOB, ALICE, "INVITE", from_tag="bob", to_tag="alice", body=offer)
    return [again, reply(again, at + 1000, 200, body=answer)]


def test_new_addresses_of_a_reinvite_hold_from_then_on() -> None:
    messages = call(*PLAIN) + change(sdp("192.0.2.20", 6100, version=2), sdp("192.0.2.10", 4100, version=2))
    moved = stream(A, ("192.0.2.20", 6100), 11_000, 15_000, ssrc=3)
    old = stream(A, B, 17_000, 18_000, ssrc=4)
    lingering = stream(("203.0.113.1", 1), B, 14_000, 15_000, ssrc=5)
    (line,), left, _ = bound(messages, [moved, lingering, old])
    assert uses(line) == [
        (3, "answerer", "destination", b"alice"),
        (5, "offerer", "destination", b"alice"),
    ]
    assert left == [old]


def test_the_party_stays_when_offerer_and_answerer_swap() -> None:
    messages = call(*PLAIN) + change(sdp(*B, "a=x", version=2), sdp(*A, "a=x", version=2))
    (line,), _, _ = bound(messages, [stream(A, B, 1000, 2000, ssrc=1), stream(A, B, 12_000, 13_000, ssrc=2)])
    assert uses(line) == [(1, "offerer", "destination", b"alice"), (2, "answerer", "destination", b"alice")]


def test_an_address_of_zeros_and_a_port_of_zero_announce_nothing() -> None:
    held = call(sdp("0.0.0.0", 4000), sdp("192.0.2.20", 0))
    strays = [stream(("1.1.1.1", 1), ("0.0.0.0", 4000), 1000, 2000), stream(("1.1.1.1", 1), ("192.0.2.20", 0), 1, 2)]
    (line,), left, _ = bound(held, strays)
    assert (line.streams, left) == ([], strays)


# --- RTCP -----------------------------------------------------------------------------------------


def test_rtcp_goes_to_the_next_port() -> None:
    source = rtcp(("192.0.2.10", 4001), ("192.0.2.20", 6001), 1000, 2000)
    (line,), _, left = bound(call(*PLAIN), sources=[source])
    assert [(use.stream, use.sender, use.because) for use in line.rtcp] == [(source, "offerer", "destination")]
    assert left == []


def test_rtcp_goes_where_the_attribute_says() -> None:
    answer = sdp(*B, "a=rtcp:9001 IN IP4 192.0.2.99")
    source = rtcp(("192.0.2.10", 4001), ("192.0.2.99", 9001), 1000, 2000)
    (line,), _, left = bound(call(sdp(*A), answer), sources=[source])
    assert ([use.stream for use in line.rtcp], left) == ([source], [])


def test_rtcp_is_multiplexed_on_the_media_port() -> None:
    source = rtcp(B, A, 1000, 2000)
    (line,), _, left = bound(call(sdp(*A, "a=rtcp-mux"), sdp(*B, "a=rtcp-mux")), both_ways(), [source])
    assert [(use.stream, use.sender) for use in line.rtcp] == [(source, "answerer")]
    assert left == []


def test_rtcp_of_a_call_that_just_ended_belongs_to_it() -> None:
    source = rtcp(("192.0.2.10", 4001), ("192.0.2.20", 6001), 5200, 5200)
    (line,), _, left = bound(call(*PLAIN, until=5000), sources=[source])
    assert ([use.stream for use in line.rtcp], left) == ([source], [])


# --- ICE and BUNDLE -------------------------------------------------------------------------------


def test_media_to_a_candidate() -> None:
    offer = sdp(
        *A,
        "a=candidate:1 1 UDP 2130706431 10.0.0.1 8998 typ host",
        "a=candidate:1 2 UDP 2130706430 10.0.0.1 8999 typ host",
        "a=candidate:2 1 UDP 1694498815 192.0.2.10 4000 typ srflx raddr 10.0.0.1 rport 8998",
    )
    media = stream(B, ("10.0.0.1", 8998), 1000, 2000, ssrc=2)
    source = rtcp(("192.0.2.20", 6001), ("10.0.0.1", 8999), 1000, 2000)
    (line,), left, left_rtcp = bound(call(offer, sdp(*B)), [media, stream(B, A, 1, 2, ssrc=3)], [source])
    assert uses(line) == [(2, "answerer", "candidate", b"bob"), (3, "answerer", "destination", b"bob")]
    assert [use.because for use in line.rtcp] == ["candidate"]
    assert (left, left_rtcp) == ([], [])


def bundle(ip: str, port: int, second: str) -> bytes:
    """Audio and video in one bundle."""
    body = sdp(ip, port, "a=mid:0", "a=rtcp-mux", second, "a=mid:1", "a=rtcp-mux", "a=ssrc:77 cname:x")
    return body.replace(b"t=0 0\r\n", b"t=0 0\r\na=group:BUNDLE 0 1\r\n")


def test_lines_of_a_bundle_share_an_address_and_are_told_apart() -> None:
    offer = bundle(*A, "m=video 4002 RTP/AVP 99")
    answer = bundle(*B, "m=video 6000 RTP/AVP 99")
    streams = [
        stream(A, B, 1000, 2000, ssrc=1, payload_type=0),
        stream(A, B, 1000, 2000, ssrc=2, payload_type=99),
        stream(B, A, 1000, 2000, ssrc=3, payload_type=99),
        stream(B, A, 1000, 2000, ssrc=77, payload_type=120),
    ]
    sources = [rtcp(A, B, 1000, 2000, ssrc=1), rtcp(A, B, 1000, 2000, ssrc=2)]
    (audio, video), left, left_rtcp = bound(call(offer, answer), streams, sources)
    assert uses(audio) == [(1, "offerer", "destination", b"alice")]
    assert uses(video) == [
        (2, "offerer", "destination", b"alice"),
        (3, "answerer", "bundle", b"bob"),
        (77, "answerer", "bundle", b"bob"),
    ]
    assert [[use.stream.ssrc for use in line.rtcp] for line in (audio, video)] == [[1], [2]]
    assert (left, left_rtcp) == ([], [])


def test_a_bundle_only_line_has_the_address_of_its_bundle() -> None:
    offer = bundle(*A, "m=video 0 RTP/AVP 99\r\na=bundle-only")
    answer = bundle(*B, "m=video 6000 RTP/AVP 99")
    (audio, video), left, _ = bound(call(offer, answer), [stream(B, A, 1000, 2000, ssrc=3, payload_type=99)])
    assert (audio.streams, uses(video), left) == ([], [(3, "answerer", "bundle", b"bob")], [])


def test_a_bundle_that_was_not_answered_is_none() -> None:
    offer = bundle(*A, "m=video 4002 RTP/AVP 99")
    answer = sdp(*B, "m=video 6002 RTP/AVP 99")
    (audio, video), _, _ = bound(call(offer, answer), [stream(B, A, 1000, 2000, ssrc=3, payload_type=99)])
    assert ([use.stream.ssrc for use in audio.streams], video.streams) == ([3], [])


def test_ipv6_addresses_are_compared_by_value() -> None:
    offer = sdp("2001:DB8:0:0:0:0:0:1", 4000)
    media = stream(("2001:db8::2", 6000), ("2001:db8::1", 4000), 1000, 2000, ssrc=2)
    (line,), left, _ = bound(call(offer, sdp("2001:db8::2", 6000)), [media])
    assert (uses(line), left) == ([FROM_BOB], [])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"0.0.0.0", "0.0.0.0"),
        (b"2001:DB8::0:1", "2001:db8::1"),
        (b"media.example.org", ""),
        (b"b8a1.local", ""),
        (b"\xff\xfe", ""),
        (b"1" * 5000, ""),
        (b"", ""),
    ],
)
def test_addresses_of_descriptions(text: bytes, address: str) -> None:
    assert canonical(text) == address


def test_several_ports_of_one_line() -> None:
    offer = sdp(*A).replace(b"m=audio 4000", b"m=audio 4000/2")
    (line,), left, _ = bound(call(offer, sdp(*B)), [stream(B, ("192.0.2.10", 4002), 1000, 2000, ssrc=2)])
    assert (uses(line), left) == ([FROM_BOB], [])


# --- TLS and DTLS ---------------------------------------------------------------------------------


def msrp(ip: str, port: int, *more: str) -> bytes:
    return sdp(ip, port, *more, proto="TCP/TLS/MSRP", media="message")


def test_a_tls_session_goes_to_the_line_whose_passive_side_is_its_server() -> None:
    offer = msrp("192.0.2.10", 2855, "a=setup:actpass")
    answer = msrp("192.0.2.20", 9, "a=setup:active")
    right = session(("192.0.2.20", 40_000), ("192.0.2.10", 2855), 1100, 5000)
    wrong = session(("192.0.2.20", 40_000), ("192.0.2.10", 9), 1100, 5000)
    (line,), _, _ = bound(call(offer, answer), sessions=[right, wrong])
    assert line.tls_sessions == [right]


def test_without_setup_the_answerer_waits() -> None:
    right = session(("192.0.2.10", 40_000), ("192.0.2.20", 2855), 1100, 5000)
    lines, _, _ = bound(call(msrp("192.0.2.10", 2855), msrp("192.0.2.20", 2855)), sessions=[right])
    assert lines[0].tls_sessions == [right]


def test_the_passive_side_decides_where_two_calls_announce_the_ends() -> None:
    passive_bob = call(
        msrp("192.0.2.10", 9, "a=setup:active"), msrp("192.0.2.20", 2855, "a=setup:passive"), call_id="a"
    )
    other = call(
        msrp("192.0.2.10", 40_000, "a=setup:actpass"), msrp("192.0.2.30", 2855, "a=setup:passive"), call_id="b"
    )
    right = session(("192.0.2.10", 40_000), ("192.0.2.20", 2855), 1100, 5000)
    lines, _, _ = bound(passive_bob + other, sessions=[right])
    assert lines[0].tls_sessions == [right]


def test_floor_control_whose_tls_server_connected() -> None:
    offer = sdp("192.0.2.10", 5070, "a=setup:passive", proto="TCP/TLS/BFCP", media="application")
    answer = sdp("192.0.2.20", 9, "a=setup:active", proto="TCP/TLS/BFCP", media="application")
    reversed_roles = session(("192.0.2.10", 5070), ("192.0.2.20", 41_000), 1100, 5000)
    (line,), _, _ = bound(call(offer, answer), sessions=[reversed_roles])
    assert line.tls_sessions == [reversed_roles]


def test_an_msrp_session_goes_to_the_first_hop_of_the_path() -> None:
    answer = msrp("192.0.2.20", 2855, "a=path:msrps://192.0.2.99:2900/a;tcp msrps://192.0.2.20:2855/b;tcp")
    relayed = session(("192.0.2.10", 40_000), ("192.0.2.99", 2900), 1100, 5000)
    (line,), _, _ = bound(call(msrp("192.0.2.10", 2855), answer), sessions=[relayed])
    assert line.tls_sessions == [relayed]


def test_a_tls_session_after_the_call_is_not_its() -> None:
    late = session(("192.0.2.10", 40_000), ("192.0.2.20", 2855), 30_000, 31_000)
    (line,), _, _ = bound(call(msrp("192.0.2.10", 2855), msrp("192.0.2.20", 2855), until=5000), sessions=[late])
    assert line.tls_sessions == []


def test_dtls_goes_to_the_lines_of_the_media_and_rtcp_addresses() -> None:
    proto = "UDP/TLS/RTP/SAVP"
    messages = call(sdp(*A, "a=setup:actpass", proto=proto), sdp(*B, "a=setup:active", proto=proto))
    media = session(B, A, 1000, 1100, transport="dtls")
    control = session(("192.0.2.20", 6001), ("192.0.2.10", 4001), 1000, 1100, transport="dtls")
    stray = session(("192.0.2.77", 1), ("192.0.2.78", 2), 1000, 1100, transport="dtls")
    (line,), _, _ = bound(messages, sessions=[media, control, stray])
    assert line.tls_sessions == [media, control]


def test_dtls_serves_all_lines_of_a_bundle() -> None:
    offer = bundle(*A, "m=video 4002 UDP/TLS/RTP/SAVPF 99")
    answer = bundle(*B, "m=video 6000 UDP/TLS/RTP/SAVPF 99")
    association = session(A, B, 1000, 1100, transport="dtls")
    lines, _, _ = bound(call(offer, answer), sessions=[association])
    assert [line.tls_sessions for line in lines] == [[association], [association]]


def test_the_party_that_announced_the_address_of_the_server_is_known() -> None:
    offer, answer = msrp("192.0.2.10", 2855), msrp("192.0.2.20", 2856)
    (line,), _, _ = bound(
        call(offer, answer), sessions=[session(("192.0.2.10", 40_000), ("192.0.2.20", 2856), 1100, 2000)]
    )
    assert line.tls_servers == {"tls-1": b"bob"}
    (line,), _, _ = bound(
        call(offer, answer), sessions=[session(("192.0.2.10", 2855), ("192.0.2.20", 41_000), 1100, 2000)]
    )
    assert line.tls_servers == {"tls-1": b"bob"}


def test_a_gateway_with_one_port_for_all_calls_has_the_session_of_each_from_its_own_ue() -> None:
    gateway = msrp("192.0.2.20", 2855)
    both = call(msrp("192.0.2.10", 2855), gateway, call_id="a") + call(msrp("192.0.2.11", 2855), gateway, call_id="b")
    first = session(("192.0.2.10", 40_000), ("192.0.2.20", 2855), 1100, 2000)
    second = session(("192.0.2.11", 40_000), ("192.0.2.20", 2855), 1100, 2000)
    lines, _, _ = bound(both, sessions=[first, second])
    assert [line.tls_sessions for line in lines] == [[first], [second]]


def test_an_address_that_both_parties_announce_names_neither() -> None:
    same = msrp("192.0.2.10", 2855)
    (line,), _, _ = bound(call(same, same), sessions=[session(("192.0.2.9", 40_000), ("192.0.2.10", 2855), 1100, 2000)])
    assert line.tls_servers == {"tls-1": b""}


# --- hostile input --------------------------------------------------------------------------------


def test_one_address_announced_by_very_many_calls() -> None:
    messages = [
        each
        for number in range(2000)
        for each in call(sdp("192.0.2.10", 4000), sdp("192.0.2.20", 6000), at=number * 100_000, call_id=f"c{number}")
    ]
    streams = [stream(A, B, number * 100_000 + 1000, number * 100_000 + 2000, ssrc=number) for number in range(2000)]
    lines, left, _ = bound(messages, streams)
    assert [[use.stream.ssrc for use in line.streams] for line in lines] == [[number] for number in range(2000)]
    assert left == []
