"""IMS-MIK-011, -017, -021 and -023, from capture octets to findings."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.mikey.payload.layers import NTPTimestamp, T
from imsinspect.policy import Policy
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.mikey import A, B

MIK_011, MIK_017, MIK_021, MIK_023 = "IMS-MIK-011", "IMS-MIK-017", "IMS-MIK-021", "IMS-MIK-023"
MALLORY = ("203.0.113.66", 5060)
HOUR = 3600.0


def dialog(number: int, **parts: Any) -> build.Dialog:
    return build.Dialog(**{"call_id": f"call-{number}@test", "from_tag": f"a{number}", "to_tag": f"b{number}", **parts})


def twice(*, at: float = HOUR, caller: build.Address = MALLORY, **how: Any) -> list[build.Packet]:
    """Alice's call, and the same key management in another call later."""
    first = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1))
    return build.in_time_order(
        first, mikey.call(mikey.init(), mikey.resp(), dialog=dialog(2, caller=caller), at=at, **how)
    )


# --- IMS-MIK-011 ----------------------------------------------------------------------------------


def test_a_captured_offer_that_is_sent_again_an_hour_later(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_011, twice())
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [each.frame for each in finding.evidence] == [1, 8, 11]
    assert "comes again in call-2 from 203.0.113.66" in finding.message
    assert "3600 s later" in finding.message
    assert finding.evidence[2].observed == "200, m= line 0 port 5000"
    assert result.rows == [("violation", "", 1)]


def test_an_offer_sent_again_after_a_challenge(told) -> None:
    """The catalogue's near miss (T-AUTH)."""
    talk = build.Dialog()
    offer = mikey.described(A, mikey.init().attribute())
    first = [(0.0, talk.request("INVITE", offer), True), (0.1, talk.response(407, "Proxy"), False)]
    talk.cseq += 1
    answer = mikey.described(B, mikey.resp().attribute())
    second = [(0.2, talk.request("INVITE", offer), True), (0.3, talk.response(200, "OK", answer), False)]
    assert told(MIK_011, build.carry(talk, first + second)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("refusal", [(302, "Moved"), (422, "Interval Too Small"), (480, "Unavailable")])
def test_an_offer_sent_again_in_a_new_call_after_a_refusal(told, refusal: tuple[int, str]) -> None:
    """T-AUTH, 3xx recursion."""
    refused = mikey.call(mikey.init(), dialog=dialog(1), final=refusal)
    again = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(2), at=2.0)
    assert told(MIK_011, build.in_time_order(refused, again)).rows == [("pass", "", 1)]


def test_retransmissions_and_second_sights(told) -> None:
    """T-RETX, T-DUP."""
    packets = mikey.call(mikey.init(), mikey.resp())
    retransmitted = [(0.5, packets[0][1])]
    seen_twice = [
        (at + 0.001, build.udp(("203.0.113.5", 5060), ("203.0.113.6", 5060), frame[42:])) for at, frame in packets
    ]
    assert told(MIK_011, build.in_time_order(packets, retransmitted, seen_twice)).rows == [("pass", "", 1)]


def test_forks(told) -> None:
    """T-FORK: one INVITE, two branches; and a node that sends it to two contacts as calls of its own."""
    talk = build.Dialog()
    offer, answer = mikey.described(A, mikey.init().attribute()), mikey.described(B, mikey.resp().attribute())
    script = [
        (0.0, talk.request("INVITE", offer), True),
        (0.1, talk.response(183, "Progress", answer, to_tag="one"), False),
        (0.2, talk.response(200, "OK", answer, to_tag="two"), False),
    ]
    assert told(MIK_011, build.carry(talk, script)).rows == [("pass", "", 1)]
    one = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1))
    other = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(2, callee=("198.51.100.30", 5060)), at=0.05)
    assert told(MIK_011, build.in_time_order(one, other)).rows == [("pass", "", 1)]


def test_the_legs_of_a_b2bua(told) -> None:
    """T-B2B: by what relates the calls, and by who received the first one."""
    middle = ("203.0.113.5", 5060)
    one = mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1, callee=middle))
    inner = build.sdp(middle[0], build.audio(6000, "RTP/SAVP"), session=(mikey.init().attribute(),), version=7)
    answer = mikey.described(B, mikey.resp().attribute())
    other = build.call(inner, answer, dialog=dialog(2, caller=middle), at=0.05)
    assert told(MIK_011, build.in_time_order(one, other)).rows == [("pass", "", 1)]


def test_a_refresh_inside_the_dialog(told) -> None:
    """A session timer repeats an unchanged description."""
    talk = build.Dialog()
    offer, answer = mikey.described(A, mikey.init().attribute()), mikey.described(B, mikey.resp().attribute())
    script = [
        (0.0, talk.request("INVITE", offer), True),
        (0.1, talk.response(200, "OK", answer), False),
        (0.2, talk.request("ACK"), True),
        (900.0, talk.request("INVITE", offer, in_dialog=True), True),
        (900.1, talk.response(200, "OK", answer), False),
    ]
    assert told(MIK_011, build.carry(talk, script)).rows == [("pass", "", 1)]


def test_a_replay_that_is_refused(told) -> None:
    packets = build.in_time_order(
        mikey.call(mikey.init(), mikey.resp(), dialog=dialog(1)),
        mikey.call(mikey.init(), dialog=dialog(2, caller=MALLORY), at=HOUR, final=(488, "Not Acceptable Here")),
    )
    assert told(MIK_011, packets).rows == [("pass", "", 1)]


def test_a_replay_whose_answer_was_not_seen(told) -> None:
    finding = told(MIK_011, twice()[:8]).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.MEDIUM)
    assert "has no answer in the capture" in finding.message


def test_a_replay_that_changes_the_rest_of_the_message(told) -> None:
    """The same CSB ID, T, RANDRi and MAC with other identities is the same message."""
    mac = bytes(range(20))
    first = mikey.call(mikey.init(mac=mac), mikey.resp(), dialog=dialog(1))
    changed = mikey.init(mac=mac, initiator=b"sip:mallory@example.org")
    again = mikey.call(changed, mikey.resp(), dialog=dialog(2, caller=MALLORY), at=HOUR)
    assert told(MIK_011, build.in_time_order(first, again)).finding.verdict == "violation"


def test_many_replays_are_one_finding(told) -> None:
    calls = [
        mikey.call(mikey.init(), mikey.resp(), dialog=dialog(number, caller=MALLORY), at=HOUR * number)
        for number in range(1, 6)
    ]
    result = told(MIK_011, build.in_time_order(*calls))
    assert "and 3 more times" in result.finding.message
    assert result.rows == [("violation", "", 1)]


# --- IMS-MIK-017 ----------------------------------------------------------------------------------


def ticketed(begins: float | None, ends: float | None, **parts: Any) -> list[build.Packet]:
    return mikey.call(mikey.init(ticket=mikey.Ticket(begins=begins, ends=ends), **parts), mikey.resp())


def test_a_ticket_that_ended_yesterday(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_017, ticketed(-3.0 * mikey.DAY, -1.0 * mikey.DAY))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [each.field for each in finding.evidence] == [
        "MIKEY TICKET TRs, TRe",
        "MIKEY T",
        "time of the frame",
        "SIP answer",
    ]
    assert finding.evidence[0].observed == "2025-12-29 00:00:00 UTC, 2025-12-31 00:00:00 UTC"
    assert [each.frame for each in finding.evidence] == [1, 1, 1, 4]
    assert "1 day after its end" in finding.message


def test_a_ticket_that_ends_in_five_minutes_while_the_call_lasts(told) -> None:
    """The catalogue's near miss."""
    offer = mikey.init(ticket=mikey.Ticket(ends=300.0))
    assert told(MIK_017, mikey.call(offer, mikey.resp(), duration=HOUR)).rows == [("pass", "", 1)]


def test_a_ticket_that_has_not_begun(told) -> None:
    finding = told(MIK_017, ticketed(2 * HOUR, None)).finding
    assert "2 h 0 min before its start" in finding.message
    assert finding.evidence[0].observed.endswith("UTC, none")


def test_a_ticket_without_bounds_is_another_rule(told) -> None:
    assert told(MIK_017, ticketed(None, None)).rows == []


def test_bounds_behind_2036(told) -> None:
    """Era rollover: without the top bit seconds count from 2036."""
    assert told(MIK_017, ticketed(-60.0, 15 * 365.0 * mikey.DAY)).rows == [("pass", "", 1)]


def test_clocks_may_differ_a_little(told) -> None:
    finding = told(MIK_017, ticketed(100.0, None)).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.MEDIUM)


def test_a_counter_is_no_time(told) -> None:
    message = mikey.init(ticket=mikey.Ticket(ends=-1.0 * mikey.DAY))
    packets = mikey.call(_with_counter(message), mikey.resp())
    assert told(MIK_017, packets).rows == [("not-assessed", "N-CLK", 1)]


def _with_counter(message: mikey.Message) -> bytes:
    """The message with T as a COUNTER."""
    octets = message.octets()
    stamp = bytes(T(next_payload=15, ts_value=NTPTimestamp(seconds=mikey.ntp(message.at))))
    assert octets.count(stamp) == 1
    return octets.replace(stamp, bytes([15, 2, 0, 0, 0, 9]))


def test_local_time_may_be_hours_away(told) -> None:
    def local(message: mikey.Message) -> bytes:
        octets = message.octets()
        stamp = bytes(T(next_payload=15, ts_value=NTPTimestamp(seconds=mikey.ntp(message.at))))
        return octets.replace(stamp, bytes([15, 1]) + stamp[2:])

    near = mikey.call(local(mikey.init(ticket=mikey.Ticket(ends=-5 * HOUR))), mikey.resp())
    far = mikey.call(local(mikey.init(ticket=mikey.Ticket(ends=-2.0 * mikey.DAY))), mikey.resp())
    assert told(MIK_017, near).rows == [("not-assessed", "N-CLK", 1)]
    assert told(MIK_017, far).rows == [("violation", "", 1)]


def test_what_was_refused_or_not_answered(told) -> None:
    offer = mikey.init(ticket=mikey.Ticket(ends=-1.0 * mikey.DAY))
    assert told(MIK_017, mikey.call(offer, final=(488, "No"))).rows == [("pass", "", 1)]
    assert told(MIK_017, mikey.call(offer)[:3]).rows == [("not-assessed", "N-OA", 1)]


def test_an_update_without_a_ticket_is_no_object(told) -> None:
    assert told(MIK_017, mikey.call(mikey.init(ticket=None, rand=None))).rows == []


# --- IMS-MIK-021 ----------------------------------------------------------------------------------


def for_anybody(*recipients: bytes, flags: str = "DEFHNO", kind: int = 1) -> list[build.Packet]:
    return mikey.call(mikey.init(ticket=mikey.Ticket(flags, recipients=recipients, kind=kind)), mikey.resp())


def test_any_recipient_without_key_forking(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_021, for_anybody(b"?@?"))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [(each.frame, each.observed) for each in finding.evidence] == [(1, "?@?"), (1, "DEFHNO")]
    assert "does not have flag I" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_any_recipient_with_key_forking_passes(told) -> None:
    """The catalogue's near miss."""
    assert told(MIK_021, for_anybody(b"?@?", flags="DEFHINO")).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    "name", [b"sip:?@?", b"sip:*@*", b"%3F@%3f", b"sip:?@example.org", b"SIP:*@Example.org;user=phone", b"@example.org"]
)
def test_other_spellings_of_anybody(told, name: bytes) -> None:
    assert told(MIK_021, for_anybody(name)).rows == [("violation", "", 1)]


@pytest.mark.parametrize("name", [mikey.BOB, b"sip:conf.example.org", b"tel:+15551234", b"sip:it-support@example.org"])
def test_recipients_with_a_name_pass(told, name: bytes) -> None:
    assert told(MIK_021, for_anybody(name)).rows == [("pass", "", 1)]


def test_one_of_several_is_anybody(told) -> None:
    assert told(MIK_021, for_anybody(mikey.BOB, b"?@?")).finding.evidence[0].observed == "bob@example.org, ?@?"


def test_a_ticket_without_recipients(told) -> None:
    finding = told(MIK_021, for_anybody()).finding
    assert (finding.confidence, finding.evidence[0].observed) == ("strong", "none")
    assert told(MIK_021, for_anybody(kind=2)).rows == [("not-assessed", "T-POL", 1)]


def test_one_ticket_is_told_once(told) -> None:
    """The grant, and two calls with the same ticket."""
    ticket = mikey.Ticket("DEFHJNO", recipients=(b"?@?",))
    grant = mikey.Message(data_type=13, sessions=[], map_type=1, ticket=ticket, kemac=mikey.kemac()).octets()
    packets = build.in_time_order(
        [(0.0, build.udp(("203.0.113.99", 2269), ("192.0.2.10", 2269), grant))],
        mikey.call(mikey.init(ticket=ticket, csb_id=1), mikey.resp(), dialog=dialog(1), at=1.0),
        mikey.call(mikey.init(ticket=ticket, csb_id=2), mikey.resp(), dialog=dialog(2), at=2.0),
    )
    result = told(MIK_021, packets)
    assert result.rows == [("violation", "", 1)]
    assert "UDP message from 203.0.113.99" in result.finding.message


def test_a_policy_that_is_cut_short(told) -> None:
    octets = mikey.init(ticket=mikey.Ticket(recipients=(b"?@?",))).octets()
    cut = octets[: octets.index(b"?@?") - 4]
    assert told(MIK_021, mikey.call(cut)).rows == [("not-assessed", "IMS-MIK-038", 1)]


# --- IMS-MIK-023 ----------------------------------------------------------------------------------


def asserted(*identities: str, offer: mikey.Message | None = None, **how: Any) -> list[build.Packet]:
    """A call whose INVITE has these P-Asserted-Identity values."""
    talk = build.Dialog(**how)
    headers = tuple(f"P-Asserted-Identity: {each}" for each in identities)
    invite = talk.request("INVITE", mikey.described(A, (offer or mikey.init()).attribute()), headers=headers)
    answer = mikey.described(B, mikey.resp().attribute())
    return build.carry(talk, [(0.0, invite, True), (0.5, talk.response(200, "OK", answer), False)])


def test_mallory_with_the_ticket_of_alice(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_023, asserted("<sip:mallory@example.org>"))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [(each.frame, each.observed) for each in finding.evidence] == [
        (1, "alice@example.org"),
        (1, "mallory@example.org"),
        (2, "200, m= line 0 port 5000"),
    ]
    assert "P-Asserted-Identity names mallory@example.org" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_identities_are_compared_without_what_names_no_user(told) -> None:
    """The catalogue's near miss."""
    for identity in ("<sip:alice@example.org;user=phone>", '"Alice" <sips:alice@EXAMPLE.org:5061>'):
        assert told(MIK_023, asserted(identity)).rows == [("pass", "", 1)]


def test_one_of_two_asserted_identities_is_enough(told) -> None:
    """Tel and SIP pairs."""
    assert told(MIK_023, asserted("<tel:+15551234>", "<sip:alice@example.org>")).rows == [("pass", "", 1)]
    number = mikey.init(initiator=b"tel:+1-555-1234", ticket=mikey.Ticket(initiator=b"tel:+15551234"))
    assert told(MIK_023, asserted("<sip:+15551234@example.org>", offer=number)).rows == [("pass", "", 1)]


def test_a_number_beside_a_name_needs_an_alias(told) -> None:
    packets = asserted("<tel:+15551234>")
    assert told(MIK_023, packets).rows == [("not-assessed", "T-POL", 1)]
    policy = Policy(aliases={"+15551234": "alice@example.org"})
    assert told(MIK_023, packets, policy=policy).rows == [("pass", "", 1)]


def test_the_initiator_of_the_ticket_is_another_one(told) -> None:
    offer = mikey.init(initiator=b"sip:mallory@example.org")
    finding = told(MIK_023, asserted("<sip:mallory@example.org>", offer=offer)).finding
    assert (finding.verdict, finding.confidence) == ("violation", "proven")
    assert "IDRi of its ticket names alice@example.org" in finding.message


def test_from_alone_only_raises_a_suspicion(told) -> None:
    finding = told(MIK_023, asserted(from_uri="sip:mallory@example.org")).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")
    assert told(MIK_023, asserted()).rows == [("pass", "", 1)]


def test_a_from_of_alice_does_not_help_mallory(told) -> None:
    """From is not trusted where something is asserted."""
    assert told(MIK_023, asserted("<sip:mallory@example.org>", from_uri="sip:alice@example.org")).findings


def test_a_caller_who_hides(told) -> None:
    """Privacy: id."""
    packets = asserted(from_uri="sip:anonymous@anonymous.invalid")
    assert told(MIK_023, packets).rows == [("not-assessed", "N-CORE", 1)]


def test_without_idri_nothing_can_be_compared(told) -> None:
    offer = mikey.init(initiator=None, ticket=mikey.Ticket(initiator=None))
    assert told(MIK_023, asserted("<sip:alice@example.org>", offer=offer)).rows == [("not-assessed", "N-KMS", 1)]


def test_idri_of_the_request_stands_in(told) -> None:
    ticket = mikey.Ticket(initiator=None)
    empty = {"sessions": [], "map_type": 1}
    kms = [
        (
            0.0,
            build.udp(
                ("192.0.2.10", 2269), ("203.0.113.99", 2269), mikey.Message(data_type=11, csb_id=1, **empty).octets()
            ),
        ),
        (
            0.1,
            build.udp(
                ("203.0.113.99", 2269),
                ("192.0.2.10", 2269),
                mikey.Message(data_type=13, csb_id=1, ticket=ticket, kemac=mikey.kemac(), **empty).octets(),
            ),
        ),
    ]
    call = asserted("<sip:mallory@example.org>", offer=mikey.init(initiator=None, ticket=ticket))
    packets = build.in_time_order(kms, [(at + 1.0, frame) for at, frame in call])
    assert told(MIK_023, packets).finding.evidence[0].observed == "alice@example.org"


def test_private_identities_need_an_alias(told) -> None:
    """IMPI, IMPU and UID."""
    private = b"001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
    offer = mikey.init(initiator=private, ticket=mikey.Ticket(initiator=private))
    packets = asserted("<sip:alice@example.org>", offer=offer)
    assert told(MIK_023, packets).rows == [("not-assessed", "T-POL", 1)]
    policy = Policy(aliases={private.decode(): "alice@example.org"})
    assert told(MIK_023, packets, policy=policy).rows == [("pass", "", 1)]


def test_the_same_name_at_another_host_is_only_suspected(told) -> None:
    offer = mikey.init(
        initiator=b"sip:alice@ims.example.org", ticket=mikey.Ticket(initiator=b"sip:alice@ims.example.org")
    )
    finding = told(MIK_023, asserted("<sip:alice@example.org>", offer=offer)).finding
    assert finding.verdict == "suspect"
    assert "the host is not" in finding.message


def test_a_registration_makes_identities_of_one_user_equal(told) -> None:
    talk = build.Dialog(call_id="register@test", from_tag="r", to_tag="s", to_uri="sip:alice@example.org")
    register = [
        (0.0, talk.request("REGISTER", uri="sip:example.org"), True),
        (
            0.1,
            talk.response(
                200,
                "OK",
                method="REGISTER",
                headers=("P-Associated-URI: <sip:alice@example.org>, <sip:a.smith@example.org>", "Expires: 600"),
            ),
            False,
        ),
    ]
    call = [(at + 1.0, frame) for at, frame in asserted("<sip:a.smith@example.org>")]
    assert told(MIK_023, build.in_time_order(build.carry(talk, register), call)).rows == [("pass", "", 1)]


def test_a_leg_that_names_the_caller_otherwise(told) -> None:
    """T-B2B: of two legs one asserts the initiator."""
    middle = ("203.0.113.5", 5060)
    one = asserted("<sip:alice@example.org>", callee=middle)
    other = asserted("<sip:pilot@example.org>", caller=middle, call_id="call-2@test", from_tag="x", to_tag="y")
    packets = build.in_time_order(one, [(at + 0.05, frame) for at, frame in other])
    assert told(MIK_023, packets).rows == [("pass", "", 1)]


def test_a_focus_that_calls_has_a_name_of_its_own(told) -> None:
    focus = ("203.0.113.50", 5060)
    talk = build.Dialog(caller=focus, from_uri="sip:conf-1@example.org")
    offer = mikey.init(initiator=b"sip:mrfc@example.org", ticket=mikey.Ticket(initiator=b"sip:mrfc@example.org"))
    contact = ("Contact: <sip:conf-1@example.org>;isfocus", "P-Asserted-Identity: <sip:conf-1@example.org>")
    invite = talk.request("INVITE", mikey.described(A, offer.attribute()), headers=contact)
    invite = invite.replace(b"Contact: <sip:203.0.113.50:5060>\r\n", b"")
    answer = talk.response(200, "OK", mikey.described(B, mikey.resp().attribute()))
    packets = build.carry(talk, [(0.0, invite, True), (0.5, answer, False)])
    assert told(MIK_023, packets).rows == [("not-assessed", "T-CONFSRV", 1)]


def test_an_offer_that_was_refused_passes(told) -> None:
    packets = mikey.call(mikey.init(), dialog=dialog(1, from_uri="sip:mallory@example.org"), final=(403, "Forbidden"))
    assert told(MIK_023, packets).rows == [("pass", "", 1)]
