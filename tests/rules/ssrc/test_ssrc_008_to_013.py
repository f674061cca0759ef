"""IMS-SSRC-008, -009, -012 and -013, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.profiles import ProfileChoice
from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import SSRC_A, A, B, answer, context, offer

SSRC_008, SSRC_009, SSRC_012, SSRC_013 = "IMS-SSRC-008", "IMS-SSRC-009", "IMS-SSRC-012", "IMS-SSRC-013"
MOVED = (A[0], 6000)


def described(host: str, port: int, seed: str, *more: str) -> bytes:
    return build.sdp(host, build.audio(port, "RTP/SAVP", build.crypto(seed), *more))


FIRST = (described(*A, "a"), described(*B, "b"))


def negotiated(*rounds: tuple[bytes, bytes], more: list[build.Packet] | None = None) -> list[build.Packet]:
    """A call with an exchange every ten seconds, each answered half a second later, in three frames."""
    dialog = build.Dialog()
    script = []
    for number, (first, second) in enumerate(rounds):
        at = 10.0 * number
        script += [
            (at, dialog.request("INVITE", first, in_dialog=number > 0), True),
            (at + 0.5, dialog.response(200, "OK", second), False),
            (at + 0.6, dialog.request("ACK"), True),
        ]
    script.append((60.0, dialog.request("BYE", in_dialog=True), True))
    return build.in_time_order(build.carry(dialog, script), more or [])


def speech(
    seed: str = "a", *, source: build.Address = A, destination: build.Address = B, ssrc: int = SSRC_A, at: float = 1.0,
    sequence: int = 100, packets: int = 300, timestamp: int = 1_000, first: int = 0, roc: int = 0,
) -> list[build.Packet]:  # fmt: skip
    """Protected speech, 50 packets a second."""
    payloads = [build.pcmu_speech(first + number) for number in range(packets)]
    return build.rtp_stream(
        source, destination, ssrc, payloads, at=at, sequence=sequence, timestamp=timestamp, srtp=context(seed, roc=roc)
    )


# --- IMS-SSRC-008 ---------------------------------------------------------------------------------


def test_another_port_under_the_same_key(told) -> None:
    """The catalogue's trigger."""
    result = told(SSRC_008, negotiated(FIRST, (described(*MOVED, "a"), described(*B, "b"))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4]
    assert "from 192.0.2.10:4000 (frame 1) to 192.0.2.10:6000 and keeps key:" in finding.message
    assert "Not seen: packets of the sender behind the move" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_held_line_does_not_move(told) -> None:
    """The catalogue's near miss (T-HOLD): with 0.0.0.0, and back again."""
    held = (described("0.0.0.0", 4000, "a"), described(*B, "b"))
    assert told(SSRC_008, negotiated(FIRST, held)).rows == []
    assert told(SSRC_008, negotiated(FIRST, held, FIRST)).rows == []
    elsewhere = (described(*MOVED, "a"), described(*B, "b"))
    assert told(SSRC_008, negotiated(FIRST, held, elsewhere)).rows == [("violation", "", 1)]


def test_a_move_with_a_new_key_passes(told) -> None:
    assert told(SSRC_008, negotiated(FIRST, (described(*MOVED, "new"), FIRST[1]))).rows == [("pass", "", 1)]


def test_the_answerer_moves(told) -> None:
    finding = told(SSRC_008, negotiated(FIRST, (FIRST[0], described(B[0], 5008, "b")))).finding
    assert finding.message.startswith("The answerer of frame 5")


def test_ice_puts_the_selected_candidate_into_the_line(told) -> None:
    """T-ICE: unless the credentials are new, which begins ICE anew."""
    ice = ("a=ice-ufrag:one", "a=candidate:1 1 UDP 1 192.0.2.10 6000 typ host")
    first = (described(*A, "a", *ice), FIRST[1])
    assert told(SSRC_008, negotiated(first, (described(*MOVED, "a", *ice), FIRST[1]))).rows == [("pass", "", 1)]
    anew = ("a=ice-ufrag:two", ice[1])
    rows = told(SSRC_008, negotiated(first, (described(*MOVED, "a", *anew), FIRST[1]))).rows
    assert rows == [("violation", "", 1)]


def test_a_sender_that_goes_on_with_its_numbers(told) -> None:
    """The same endpoint with index and SSRC going on reuses nothing; one that begins anew does."""
    move = (described(*MOVED, "a"), FIRST[1])
    before = speech(packets=400)
    on = speech(source=MOVED, at=11.0, sequence=600, timestamp=81_000, packets=200)
    assert told(SSRC_008, negotiated(FIRST, move, more=[*before, *on])).rows == [("pass", "", 1)]
    anew = speech(source=MOVED, at=11.0, packets=200, first=900)
    finding = told(SSRC_008, negotiated(FIRST, move, more=[*before, *anew])).finding
    assert "do not go on with its SSRC and numbers" in finding.message
    other = speech(source=MOVED, at=11.0, ssrc=0x0D0D0D0D, packets=200)
    assert len(told(SSRC_008, negotiated(FIRST, move, more=[*before, *other])).findings) == 1


def test_a_capture_that_begins_inside_the_call_and_masked_keys(told) -> None:
    """T-MID, N-KEY."""
    late = [each for each in negotiated(FIRST, (described(*MOVED, "a"), FIRST[1])) if each[0] >= 10.0]
    assert told(SSRC_008, late).rows == [("not-assessed", "T-MID", 1)]
    masked = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "*" * 40
    sides = [(build.sdp(A[0], build.audio(port, "RTP/SAVP", masked)), FIRST[1]) for port in (4000, 6000)]
    assert told(SSRC_008, negotiated(*sides)).rows == [("not-assessed", "N-KEY", 1)]


def test_other_profiles_do_not_ask_for_new_keys(told) -> None:
    kms = {"call-1": ProfileChoice("E2E-KMS", inferred=False, covers=frozenset(("E2E-KMS",)))}
    packets = negotiated(FIRST, (described(*MOVED, "a"), FIRST[1]))
    assert told(SSRC_008, packets, profiles=kms).rows == []


def test_keystream_that_the_move_reuses_is_the_root(told) -> None:
    """rules.md 19.1.3: IMS-SSRC-003 is what the others follow from."""
    move = (described(*MOVED, "a"), FIRST[1])
    packets = negotiated(
        FIRST, move, more=[*speech(sequence=3_000, packets=200), *speech(source=MOVED, at=11.0, sequence=100),
                           *speech(source=MOVED, at=20.0, sequence=400, packets=2_900, first=3_000)],
    )  # fmt: skip
    audit = build.audit_bytes(build.pcap(packets))
    found = {each.rule: each for each in audit.findings}
    root = found["IMS-SSRC-003"].fingerprint
    assert found[SSRC_008].follows_from == [root]
    assert found[SSRC_009].follows_from == [root]


# --- IMS-SSRC-009 ---------------------------------------------------------------------------------


def restarted(*, seed: str = "a", **how: object) -> list[build.Packet]:
    """20000 to 21000, then from 100 on."""
    second = {"at": 22.0, "sequence": 100, "packets": 400, "first": 5_000, "timestamp": 3_000_000} | how
    return [*speech(sequence=20_000, packets=1_000), *speech(seed, **second)]  # type: ignore[arg-type]


def test_numbers_begin_anew_under_one_key(told) -> None:
    """The catalogue's trigger: 20000 to 21000, then 100 and on."""
    result = told(SSRC_009, negotiated(FIRST, more=restarted()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert finding.subject.kind == "stream"
    assert "goes back from 20999 in frame 1003 to 100 in frame 1004" in finding.message
    assert "under key:" in finding.message
    assert result.frames() == [1003, 1004]
    assert result.rows == [("violation", "", 1)]


def test_numbers_that_wrap(told) -> None:
    """The catalogue's near miss."""
    assert told(SSRC_009, negotiated(FIRST, more=speech(sequence=65_436))).rows == [("pass", "", 1)]


def test_a_new_key_behind_the_restart(told) -> None:
    rounds = (FIRST, (described(*A, "new"), FIRST[1]), (described(*A, "newer"), FIRST[1]))
    media = [*speech(sequence=20_000, packets=400), *speech("new", at=10.6, sequence=100, first=5_000)]
    assert told(SSRC_009, negotiated(*rounds, more=media)).rows == [("pass", "", 1)]


def test_a_restart_at_another_address_of_the_sender(told) -> None:
    move = (described(*MOVED, "a"), FIRST[1])
    result = told(SSRC_009, negotiated(FIRST, move, more=restarted(source=MOVED)))
    assert "(192.0.2.10:4000, then from 192.0.2.10:6000, to 198.51.100.20:5000)" in result.finding.message
    assert result.rows == [("violation", "", 1)]
    assert told(SSRC_009, negotiated(FIRST, move, more=restarted(source=MOVED, sequence=21_100))).findings == []


def test_reordered_and_late_packets_are_no_restart(told) -> None:
    """Traps: some packets come 1,500 numbers late, one after the other or alone."""
    packets = speech(packets=3_000)
    late = [
        (at + 30.0, frame) if number in (200, 700, 701) else (at, frame) for number, (at, frame) in enumerate(packets)
    ]
    assert told(SSRC_009, negotiated(FIRST, more=late)).rows == [("pass", "", 1)]


def test_a_block_of_packets_that_comes_again(told) -> None:
    """T-DUP with delay: copies, of which some were kept the first time or which have the timestamps of old."""
    packets = speech(packets=3_000)
    again = [(at + 40.0, frame) for at, frame in packets[200:1_200]]
    result = told(SSRC_009, build.in_time_order(negotiated(FIRST), packets, again))
    assert result.findings == []


def test_two_sources_with_one_ssrc_are_no_restart(told) -> None:
    """IMS-SSRC-002 is about them."""
    media = build.in_time_order(
        speech(sequence=20_000, packets=600),
        speech(source=(A[0], 4444), sequence=100, at=1.01, first=3_000, packets=600),
    )
    assert told(SSRC_009, negotiated(FIRST, more=media)).rows == [("pass", "", 2)]


def test_a_restart_whose_key_exchange_is_not_readable_is_suspected(told) -> None:
    """Also without any signalling, where only the sizes show that it is SRTP."""
    mikey = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
    sides = (offer("RTP/SAVP", mikey), answer("RTP/SAVP", mikey))
    finding = told(SSRC_009, negotiated(sides, more=restarted())).finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "suspect", "heuristic")
    assert "ambiguous" in finding.message
    assert told(SSRC_009, restarted()).finding.verdict == "suspect"


def test_a_restart_under_the_agreed_key_that_tags_do_not_prove(told) -> None:
    """Packets that fail all the same: the agreed key did not change."""
    finding = told(SSRC_009, negotiated(FIRST, more=[*speech("x", sequence=20_000), *speech("x", at=9.0)])).finding
    assert (finding.verdict, finding.confidence) == ("violation", "strong")
    assert "Not checked: tags" in finding.message


def test_a_rollover_counter_that_is_set_back(told) -> None:
    """Numbers wrap, and the sender does not count it: its index is one of the beginning again."""
    lost = [*speech(sequence=60_000, packets=5_536), *speech(at=112.0, sequence=0, packets=100, timestamp=886_760)]
    dialog = build.Dialog()
    call = build.call(*FIRST, dialog=dialog, duration=300.0)
    finding = told(SSRC_009, build.in_time_order(call, lost)).finding
    assert finding.confidence == "proven"
    assert "goes back from index 65535" in finding.message


def test_clear_media_has_no_keystream_and_a_line_may_have_no_media(told) -> None:
    plain = build.rtp_stream(A, B, SSRC_A, build.speech(100), sequence=20_000)
    again = build.rtp_stream(A, B, SSRC_A, build.speech(100), at=4.0)
    sides = (offer("RTP/AVP"), answer("RTP/AVP"))
    assert told(SSRC_009, negotiated(sides, more=[*plain, *again])).rows == []
    assert told(SSRC_009, negotiated(FIRST)).rows == [("not-assessed", "N-MED", 1)]


# --- IMS-SSRC-012 ---------------------------------------------------------------------------------

LONG = "AES_256_CM_HMAC_SHA1_80"


def test_two_tags_with_one_key(told) -> None:
    """The catalogue's trigger."""
    lines = (build.crypto("a"), build.crypto("a", tag=2, suite="AES_CM_128_HMAC_SHA1_32"))
    result = told(SSRC_012, build.call(offer("RTP/SAVP", *lines), answer()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.id, result.frames()) == ("call-1/0", [1, 1])
    assert "1 (AES_CM_128_HMAC_SHA1_80, key:" in finding.message
    assert "carry the same key" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_different_keys(told) -> None:
    """The catalogue's near miss."""
    lines = (build.crypto("a"), build.crypto("other", tag=2, suite="AES_CM_128_HMAC_SHA1_32"))
    assert told(SSRC_012, build.call(offer("RTP/SAVP", *lines), answer())).rows == [("pass", "", 1)]


def test_a_long_key_that_begins_with_a_short_one(told) -> None:
    """`master_key` cuts one string for both suites."""
    lines = (build.crypto("a", suite=LONG), build.crypto("a", tag=2))
    finding = told(SSRC_012, build.call(offer("RTP/SAVP", *lines), answer())).finding
    assert "one master key with other octets behind it" in finding.message


def over_two_hops(*rounds: tuple[bytes, bytes]) -> list[build.Packet]:
    """The same messages from A to a proxy and from there to B."""
    proxy = ("192.0.2.1", 5060)
    packets = []
    for delay, ends, via in (
        (0.0, (build.ALICE, proxy), ()),
        (0.01, (proxy, build.BOB), ("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKx",)),
    ):
        dialog = build.Dialog(caller=ends[0], callee=ends[1], via=via)
        script = []
        for number, (first, second) in enumerate(rounds):
            at = 10.0 * number + delay
            script += [
                (at, dialog.request("INVITE", first, in_dialog=number > 0), True),
                (at + 0.5, dialog.response(200, "OK", second), False),
                (at + 0.6, dialog.request("ACK"), True),
            ]
        packets += build.carry(dialog, script)
    return sorted(packets, key=lambda each: each[0])


def test_hops_that_carry_the_same_lines_on_are_one_object(told) -> None:
    """T-B2B."""
    lines = (build.crypto("a"), build.crypto("a", tag=2, suite="AES_CM_128_HMAC_SHA1_32"))
    assert len(told(SSRC_012, over_two_hops((offer("RTP/SAVP", *lines), answer()))).findings) == 1
    assert len(told(SSRC_008, over_two_hops(FIRST, (described(*MOVED, "a"), FIRST[1]))).findings) == 1


def test_one_line_masked_keys_and_other_profiles(told) -> None:
    assert told(SSRC_012, build.call(offer(), answer())).rows == []
    masked = [f"a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{'*' * 40}" for tag in (1, 2)]
    assert told(SSRC_012, build.call(offer("RTP/SAVP", *masked), answer())).rows == [("not-assessed", "N-KEY", 1)]
    lines = (build.crypto("a"), build.crypto("a", tag=2))
    other = {"call-1": ProfileChoice("rfc-only", inferred=False)}
    assert told(SSRC_012, build.call(offer("RTP/SAVP", *lines), answer()), profiles=other).rows == []


# --- IMS-SSRC-013 ---------------------------------------------------------------------------------

OFFICE, MOBILE = "Contact: <sip:bob@198.51.100.20>", "Contact: <sip:bob@198.51.100.77>"


def forked(
    *more: tuple[float, bytes, bool], first: bytes = FIRST[0], second: str = MOBILE, between: float = 0.1,
    dialog: build.Dialog | None = None, final: tuple[str, ...] = (), end: float = 60.0,
) -> list[build.Packet]:  # fmt: skip
    """Two devices ring, the second one takes the call at 5 s."""
    talk = dialog or build.Dialog(to_tag="mobile")
    script = [
        (0.0, talk.request("INVITE", first), True),
        (0.2, talk.response(180, "Ringing", to_tag="office", headers=(OFFICE,)), False),
        (0.2 + between, talk.response(180, "Ringing", headers=(second,)), False),
        (5.0, talk.response(200, "OK", FIRST[1], headers=(second, *final)), False),
        (5.1, talk.request("ACK"), True),
        *more,
    ]
    script.append((end, talk.request("BYE", in_dialog=True), True))
    return [
        (at, build.udp(build.ALICE, build.BOB, data) if outward else build.udp(build.BOB, build.ALICE, _only(data)))
        for at, data, outward in script
    ]


def _only(message: bytes) -> bytes:
    """A response with the last of its Contact headers."""
    lines = message.split(b"\r\n")
    contacts = [each for each in lines if each.startswith(b"Contact:")]
    return b"\r\n".join(each for each in lines if not each.startswith(b"Contact:") or each is contacts[-1])


def test_two_devices_ring_and_the_key_stays(told) -> None:
    """The catalogue's trigger."""
    result = told(SSRC_013, forked())
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "strong")
    assert (finding.subject.kind, finding.subject.id) == ("call", "call-1")
    assert "reached 2 user agents; sip:bob@198.51.100.77 took the call in frame 4" in finding.message
    assert result.frames() == [1, 2, 3, 4]
    assert result.rows == [("violation", "", 1)]


def renewing(method: str, first: bytes, *, at: float = 7.0, from_callee: bool = False) -> list[build.Packet]:
    talk = build.Dialog(to_tag="mobile")
    packets = forked(dialog=talk)
    request = talk.request(method, first, in_dialog=True, from_callee=from_callee)
    reply = talk.response(
        200, "OK", described(*A, "new") if from_callee else FIRST[1], method=method, from_callee=not from_callee
    )
    ends = (build.BOB, build.ALICE) if from_callee else (build.ALICE, build.BOB)
    return build.in_time_order(packets, [(at, build.udp(*ends, request)), (at + 0.1, build.udp(*ends[::-1], reply))])


def test_a_new_key_by_reinvite_or_update(told) -> None:
    """The catalogue's near miss."""
    for method in ("INVITE", "UPDATE"):
        assert told(SSRC_013, renewing(method, described(*A, "new"))).rows == [("pass", "", 1)]
    assert told(SSRC_013, renewing("INVITE", FIRST[1], from_callee=True)).rows == [("pass", "", 1)]


def test_the_old_key_again_or_the_new_one_too_late(told) -> None:
    assert told(SSRC_013, renewing("INVITE", FIRST[0])).rows == [("violation", "", 1)]
    assert told(SSRC_013, renewing("INVITE", described(*A, "new"), at=20.0)).rows == [("violation", "", 1)]


def test_an_answer_whose_offer_was_lost_may_have_brought_the_new_key(told) -> None:
    def lost(at: float) -> list[build.Packet]:
        packets = renewing("INVITE", described(*A, "new"), at=at)
        return [packet for packet in packets if packet[0] != at]

    assert told(SSRC_013, lost(7.0)).rows == [("not-assessed", "N-OA", 1)]
    assert told(SSRC_013, lost(20.0)).rows == [("violation", "", 1)]


def test_branches_one_after_the_other_and_retargeting_are_suspected(told) -> None:
    """Traps: devices of one user tried in turn; a mailbox."""
    finding = told(SSRC_013, forked(between=4.0)).finding
    assert (finding.severity, finding.verdict) == (Severity.INFO, "suspect")
    assert "ambiguous" in finding.message
    diverted = "Diversion: <sip:bob@example.org>;reason=no-answer"
    assert told(SSRC_013, forked(final=(diverted,))).finding.verdict == "suspect"


def test_one_device_under_two_tags_is_no_fork(told) -> None:
    assert told(SSRC_013, forked(second=OFFICE)).rows == []


def test_end_to_access_edge_keeps_the_key_at_the_gateway(told) -> None:
    assert told(SSRC_013, forked(first=described(*A, "a", "a=3ge2ae:requested"))).rows == []
    edge = {"call-1": ProfileChoice("E2AE-RTP", inferred=True, covers=frozenset(("E2AE-RTP",)))}
    assert told(SSRC_013, forked(), profiles=edge).rows == []


def test_calls_that_end_before_the_time_is_over_and_masked_keys(told) -> None:
    assert told(SSRC_013, forked(end=9.0)).rows == [("not-assessed", "T-MID", 1)]
    masked = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'*' * 40}"))
    assert told(SSRC_013, forked(first=masked)).rows == [("not-assessed", "N-KEY", 1)]


def test_offers_without_keys_and_calls_without_forks(told) -> None:
    assert told(SSRC_013, forked(first=offer("RTP/AVP"))).rows == []
    assert told(SSRC_013, negotiated(FIRST)).rows == []


@pytest.mark.parametrize("rule", [SSRC_008, SSRC_009, SSRC_012, SSRC_013])
def test_captures_without_calls(told, rule: str) -> None:
    assert told(rule, [(0.0, build.udp(A, B, b"nothing"))]).rows == []
