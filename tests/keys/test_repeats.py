"""Keys that come again where a new one is due, read from whole captures (RFC 4568 §6.1, §7.1.4; RFC 3711 §9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import build

if TYPE_CHECKING:
    from imsinspect.trace.model import Trace

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)


def described(host: str, port: int, seed: str, *, tag: int = 1) -> bytes:
    return build.sdp(host, build.audio(port, "RTP/SAVP", build.crypto(seed, tag=tag)))


def trace_of(*packets: list[build.Packet]) -> Trace:
    return build.audit_bytes(build.pcap(build.in_time_order(*packets))).trace


def told(trace: Trace) -> list[tuple[str, list[tuple[str, int | None]]]]:
    """Kinds of repetitions with the calls and frames of their places."""
    return [(each.kind, [(place.call, place.frame) for place in each.places]) for each in trace.key_repeats]


def test_keys_of_their_own_are_no_repetition() -> None:
    trace = trace_of(build.call(described(A[0], A[1], "a"), described(B[0], B[1], "b")))
    assert (len(trace.keys), told(trace)) == (2, [])


def test_an_answer_with_the_key_of_the_offer() -> None:
    trace = trace_of(build.call(described(A[0], A[1], "a"), described(B[0], B[1], "a")))
    assert told(trace) == [("both directions", [("call-1", 1), ("call-1", 4)])]


def test_one_key_on_two_lines() -> None:
    def two(host: str, port: int, seeds: tuple[str, str]) -> bytes:
        lines = [build.audio(port + 2 * at, "RTP/SAVP", build.crypto(seed)) for at, seed in enumerate(seeds)]
        return build.sdp(host, *lines)

    trace = trace_of(build.call(two(A[0], A[1], ("a", "a")), two(B[0], B[1], ("b", "c"))))
    assert told(trace) == [("lines", [("call-1", 1), ("call-1", 1)])]


def test_bundled_lines_that_share_a_key() -> None:
    """They are one RTP session on one port (RFC 9143 §7)."""

    def bundled(host: str, port: int, seed: str) -> bytes:
        lines = [build.audio(port, "RTP/SAVP", build.crypto(seed), f"a=mid:{mid}") for mid in "xy"]
        return build.sdp(host, *lines, session=("a=group:BUNDLE x y",))

    trace = trace_of(build.call(bundled(A[0], A[1], "a"), bundled(B[0], B[1], "b")))
    assert [kind for kind, _ in told(trace)] == ["bundled lines", "bundled lines"]


def test_one_key_in_two_calls() -> None:
    first = build.call(described(A[0], A[1], "a"), described(B[0], B[1], "b"), duration=5.0)
    other = build.Dialog(call_id="another@test", from_tag="x1", to_tag="y1")
    second = build.call(described(A[0], A[1], "a"), described(B[0], B[1], "c"), dialog=other, at=20.0)
    trace = trace_of(first, second)
    assert [(kind, [call for call, _ in places]) for kind, places in told(trace)] == [("calls", ["call-1", "call-2"])]


def two_lines(host: str, port: int, *seeds: str, ports: tuple[int, ...] = (), params: str = "") -> bytes:
    numbers = ports or tuple(port + 2 * at for at in range(len(seeds)))
    lines = [
        build.audio(number, "RTP/SAVP", build.crypto(seed, params=params))
        for number, seed in zip(numbers, seeds, strict=True)
    ]
    return build.sdp(host, *lines)


def test_a_hop_that_puts_a_line_before_the_others() -> None:
    """The same key, party and call, on another hop: it is the same line."""
    first = build.call(two_lines(A[0], A[1], "a", "x"), two_lines(B[0], B[1], "b", "c"))
    hop = build.Dialog(caller=("203.0.113.1", 5060))
    second = build.call(two_lines(A[0], A[1], "y", "a", "x"), two_lines(B[0], B[1], "z", "b", "c"), dialog=hop, at=0.01)
    assert told(trace_of(first, second)) == []


def test_a_line_that_was_refused_uses_no_key() -> None:
    answer = two_lines(B[0], B[1], "b", "c", ports=(B[1], 0))
    assert told(trace_of(build.call(two_lines(A[0], A[1], "a", "a"), answer))) == []


def test_a_key_of_error_correction_that_is_that_of_the_media() -> None:
    inline = build.crypto("a").split(" ")[-1]
    offer = two_lines(A[0], A[1], "a", params=f" FEC_KEY={inline}")
    trace = trace_of(build.call(offer, described(B[0], B[1], "b")))
    assert told(trace) == [("lines", [("call-1", 1), ("call-1", 1)])]


def test_keys_of_suites_that_can_not_be_applied_are_compared_too() -> None:
    line = build.crypto("a").replace("AES_CM_128_HMAC_SHA1_80", "SEED_CTR_128_HMAC_SHA1_80")
    offer = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", line))
    answer = build.sdp(B[0], build.audio(B[1], "RTP/SAVP", line))
    assert told(trace_of(build.call(offer, answer))) == [("both directions", [("call-1", 1), ("call-1", 4)])]


PROXY, CAROL = ("203.0.113.1", 5060), ("198.51.100.30", 5060)


def leg(
    number: int, caller: build.Address, callee: build.Address, offer: bytes, answer: bytes = b"", **how: object
) -> list[build.Packet]:
    """A call of its own Call-ID and tags."""
    talk = build.Dialog(
        caller=caller, callee=callee, call_id=f"leg-{number}", from_tag=f"f{number}", to_tag=f"t{number}"
    )
    return build.call(offer, answer, dialog=talk, **how)  # type: ignore[arg-type]


def origin(description: bytes, number: int) -> bytes:
    """The description with a session id of its own."""
    return description.replace(b"o=- 1 ", b"o=- %d " % number)


def test_legs_of_a_call_carry_the_keys_of_both_sides_on() -> None:
    """T-B2B: whether they meet in a node that was seen or not."""
    offer, answer = described(A[0], A[1], "a"), described(B[0], B[1], "b")
    first = leg(1, build.ALICE, PROXY, origin(offer, 2), origin(answer, 3))
    for node in (PROXY, ("203.0.113.2", 5060)):
        second = leg(2, node, build.BOB, origin(offer, 4), origin(answer, 5), at=0.005)
        trace = trace_of(first, second)
        assert [call.related for call in trace.calls] == [["call-2"], ["call-1"]]
        assert told(trace) == []


def test_what_a_server_gives_to_two_callers_makes_their_calls_no_legs() -> None:
    first = leg(1, build.ALICE, PROXY, described(A[0], A[1], "a"), origin(described(B[0], B[1], "m"), 2))
    second = leg(2, CAROL, PROXY, described(CAROL[0], 4000, "c"), origin(described(B[0], B[1] + 2, "m"), 3), at=2.0)
    trace = trace_of(first, second)
    assert [call.related for call in trace.calls] == [[], []]
    assert [kind for kind, _ in told(trace)] == ["calls"]


def test_what_a_server_offers_to_two_makes_no_legs_with_what_it_answers() -> None:
    """A focus that was called and calls out: the same node, and its key in answer and offer."""
    first = leg(1, build.ALICE, PROXY, described(A[0], A[1], "a"), origin(described(B[0], B[1], "m"), 2))
    second = leg(2, PROXY, CAROL, origin(described(B[0], B[1] + 2, "m"), 3), described(CAROL[0], 4000, "c"), at=2.0)
    trace = trace_of(first, second)
    assert [call.related for call in trace.calls] == [[], []]
    assert [kind for kind, _ in told(trace)] == ["calls"]


def test_an_offer_that_failed_is_sent_again_under_another_call_id() -> None:
    """T-AUTH: 183 with an answer, then 503; the phone tries another server with the same description."""
    offer = described(A[0], A[1], "a")
    first = leg(1, build.ALICE, PROXY, offer, early=described(B[0], B[1], "b"), final=(503, "Unavailable"))
    second = leg(2, build.ALICE, CAROL, offer, described(CAROL[0], 4000, "c"), at=1.0)
    assert told(trace_of(first, second)) == []
    assert [kind for kind, _ in told(trace_of(first, leg(2, build.ALICE, CAROL, offer, at=60.0)))] == ["calls"]


def test_one_offer_that_a_server_sends_to_several_targets() -> None:
    """T-FORK of a B2BUA over one next hop, which writes the o= line anew or moves the media."""
    offer = described(A[0], A[1], "a")
    moved = described("203.0.113.1", 7000, "a").replace(b"IN IP4 203.0.113.1\r\ns=", b"IN IP4 192.0.2.10\r\ns=")
    for second in (origin(offer, 9), moved):
        first = leg(1, PROXY, CAROL, offer, described(B[0], B[1], "b"), duration=8.0)
        trace = trace_of(first, leg(2, PROXY, CAROL, second, described(CAROL[0], 4000, "c"), at=0.3))
        assert [call.related for call in trace.calls] == [[], []]
        assert told(trace) == []


def test_a_phone_that_calls_again_from_its_port_with_its_key() -> None:
    """Not at once, and the first call was no failure."""
    offer = described(A[0], A[1], "a")
    first = leg(1, build.ALICE, PROXY, offer, described(B[0], B[1], "b"), duration=5.0)
    second = leg(2, build.ALICE, PROXY, offer, described(B[0], B[1], "c"), at=10.0)
    assert [kind for kind, _ in told(trace_of(first, second))] == ["calls"]


def test_a_call_that_replaces_another_goes_on_with_its_key() -> None:
    talk = build.Dialog(caller=CAROL, call_id="moved", from_tag="c", to_tag="d")
    replaces = ("Replaces: call-1@test;to-tag=bob;from-tag=alice",)
    moved = [
        (5.0, talk.request("INVITE", described(CAROL[0], 4000, "a"), headers=replaces), True),
        (5.1, talk.response(200, "OK", described(B[0], B[1], "c")), False),
    ]
    first = build.call(described(A[0], A[1], "a"), described(B[0], B[1], "b"))
    assert told(trace_of(first, build.carry(talk, moved))) == []


def again(talk: build.Dialog, offer: bytes, answer: bytes, at: float) -> list[build.Packet]:
    """A re-INVITE."""
    script = [
        (at, talk.request("INVITE", offer, in_dialog=True), True),
        (at + 0.1, talk.response(200, "OK", answer), False),
        (at + 0.11, talk.request("ACK", in_dialog=True), True),
    ]
    return build.carry(talk, script)


def renegotiated(offer: bytes, answer: bytes) -> Trace:
    talk = build.Dialog()
    first = build.call(described(A[0], A[1], "a"), described(B[0], B[1], "b"), dialog=talk, duration=None)
    return trace_of(first, again(talk, offer, answer, 3.0))


def test_media_that_moved_with_its_old_key() -> None:
    """RFC 4568 §7.1.4 wants a new key where address or port change."""
    trace = renegotiated(described(A[0], 4444, "a"), described(B[0], B[1], "b"))
    assert told(trace) == [("address changed", [("call-1", 1), ("call-1", 6)])]


def test_a_held_line_is_compared_with_where_it_was_before() -> None:
    """Neither the address that nobody can send to nor a closed port is a move; going on elsewhere is one."""
    for host, port in (("0.0.0.0", A[1]), (A[0], 0)):
        assert told(renegotiated(described(host, port, "a"), described(B[0], B[1], "b"))) == []
        talk = build.Dialog()
        first = build.call(described(A[0], A[1], "a"), described(B[0], B[1], "b"), dialog=talk, duration=None)
        held = again(talk, described(host, port, "a"), described(B[0], port and B[1], "b"), 3.0)
        back = again(talk, described(A[0], 4444, "a"), described(B[0], B[1], "b"), 6.0)
        assert told(trace_of(first, held, back)) == [("address changed", [("call-1", 1), ("call-1", 9)])]


def test_a_rekey_that_wrote_the_old_key_under_a_new_tag() -> None:
    trace = renegotiated(described(A[0], A[1], "a", tag=2), described(B[0], B[1], "b", tag=2))
    assert told(trace) == [("re-key changed nothing", [("call-1", 1), ("call-1", 6)])]


def test_an_offer_that_leaves_out_what_was_not_chosen_is_no_rekey() -> None:
    lines = (build.crypto("x", suite="AES_CM_128_HMAC_SHA1_32"), build.crypto("a", tag=2))
    talk = build.Dialog()
    offer = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", *lines))
    first = build.call(offer, described(B[0], B[1], "b", tag=2), dialog=talk, duration=None)
    second = again(talk, described(A[0], A[1], "a"), described(B[0], B[1], "b"), 3.0)
    assert told(trace_of(first, second)) == []


def test_a_refresh_of_the_session_is_no_rekey() -> None:
    assert told(renegotiated(described(A[0], A[1], "a"), described(B[0], B[1], "b"))) == []


def test_a_rekey_with_new_keys() -> None:
    assert told(renegotiated(described(A[0], 4444, "c"), described(B[0], 5555, "d"))) == []
