"""IMS-SSRC-004, -006 and -007, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B, answer, offer

SSRC_004, SSRC_006, SSRC_007 = "IMS-SSRC-004", "IMS-SSRC-006", "IMS-SSRC-007"
MASKED = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****************************************"
PROXY, CAROL = ("203.0.113.1", 5060), ("198.51.100.30", 5060)


def lines(
    end: build.Address, *seeds: str, ports: tuple[int, ...] = (), params: str = "", session: tuple[str, ...] = ()
) -> bytes:
    """A description with an audio line and others, each with the key of a seed; "" stands for none."""
    numbers = ports or tuple(end[1] + 2 * at for at in range(len(seeds)))
    sections = []
    for at, (number, seed) in enumerate(zip(numbers, seeds, strict=True)):
        line = MASKED if seed == "masked" else build.crypto(seed, params=params)
        sections.append(build.media("video" if at else "audio", number, "RTP/SAVP", "0", line, f"a=mid:{at}"))
    return build.sdp(end[0], *sections, session=session)


# --- IMS-SSRC-004 ---------------------------------------------------------------------------------


def test_audio_and_video_under_one_key(told) -> None:
    """The catalogue's trigger."""
    result = told(SSRC_004, build.call(lines(A, "a", "a"), lines(B, "b", "c")))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("call", "call-1")
    assert result.frames() == [1, 1]
    assert "offerer protects audio/0 and video/1 of call-1 with one master key (key:" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_both_sides_that_do_are_two_findings(told) -> None:
    assert told(SSRC_004, build.call(lines(A, "a", "a"), lines(B, "b", "b"))).rows == [("violation", "", 2)]


def test_two_tags_of_one_line_are_another_rule(told) -> None:
    """The catalogue's near miss: IMS-SSRC-012."""
    both = (build.crypto("a"), build.crypto("a", tag=2, suite="AES_CM_128_HMAC_SHA1_32"))
    assert told(SSRC_004, build.call(offer("RTP/SAVP", *both), answer())).rows == []


def test_lines_with_keys_of_their_own_pass(told) -> None:
    assert told(SSRC_004, build.call(lines(A, "a", "d"), lines(B, "b", "c"))).rows == [("pass", "", 1)]


def test_a_line_that_was_refused_has_no_session(told) -> None:
    """A trap of the catalogue: the answer refuses one of the two, or the offer closes it."""
    refused = build.call(lines(A, "a", "a"), lines(B, "b", "c", ports=(B[1], 0)))
    closed = build.call(lines(A, "a", "a", ports=(A[1], 0)), lines(B, "b", "c", ports=(B[1], 0)))
    for packets in (refused, closed):
        assert told(SSRC_004, packets).findings == []


def test_bundled_lines_are_low(told) -> None:
    """A trap of the catalogue: one RTP session, on one port or with the answer's group."""
    group = ("a=group:BUNDLE 0 1",)
    for ports in ((A[1], A[1]), ()):
        packets = build.call(
            lines(A, "a", "a", ports=ports, session=group), lines(B, "b", "c", ports=(B[1], B[1]), session=group)
        )
        finding = told(SSRC_004, packets).finding
        assert (finding.severity, finding.title) == (Severity.LOW, "One key for several bundled lines")


def test_error_correction_under_the_key_of_the_media(told) -> None:
    inline = build.crypto("a").split(" ")[-1]
    packets = build.call(lines(A, "a", params=f" FEC_KEY={inline}"), lines(B, "b"))
    assert "audio/0 and its error correction" in told(SSRC_004, packets).finding.message


def test_masked_keys_on_two_lines(told) -> None:
    packets = build.call(lines(A, "masked", "masked"), lines(B, "masked", "masked"))
    assert told(SSRC_004, packets).rows == [("not-assessed", "N-KEY", 1)]


def test_legs_and_second_sightings_are_no_further_findings(told) -> None:
    """T-B2B, T-DUP: the same descriptions on the next hop and once more."""
    first = build.call(lines(A, "a", "a"), lines(B, "b", "c"), dialog=build.Dialog(callee=PROXY))
    leg = build.Dialog(caller=PROXY, call_id="leg", from_tag="x", to_tag="y")
    second = build.call(lines(A, "a", "a"), lines(B, "b", "c"), dialog=leg, at=0.01)
    doubled = [(at + 0.001, frame) for at, frame in first]
    assert told(SSRC_004, build.in_time_order(first, second, doubled)).rows == [("violation", "", 1)]


def test_keys_in_esp_that_can_not_be_opened(told) -> None:
    sealed = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    for rule in (SSRC_004, SSRC_006, SSRC_007):
        assert told(rule, sealed).rows == [("not-assessed", "N-SIP", 1)]


# --- IMS-SSRC-006 ---------------------------------------------------------------------------------


def another(
    first: str, second: str, *, at: float, caller: build.Address = build.ALICE, **how: object
) -> list[build.Packet]:
    """A call of another Call-ID, with an o= line of its own."""
    talk = build.Dialog(caller=caller, callee=CAROL, call_id=f"call-{at}", from_tag=f"f{at}", to_tag=f"t{at}")
    number = b"o=- %d " % (at * 1000)
    said = offer("RTP/SAVP", build.crypto(first)).replace(b"o=- 1 ", number).replace(A[0].encode(), caller[0].encode())
    return build.call(said, answer("RTP/SAVP", build.crypto(second)), dialog=talk, at=at, **how)  # type: ignore[arg-type]


def test_one_phone_and_one_key_an_hour_later(told) -> None:
    """The catalogue's trigger."""
    packets = build.in_time_order(build.call(offer(), answer()), another("a", "c", at=3_600))
    result = told(SSRC_006, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert finding.subject.id == "call-2"
    assert result.frames() == [1, 8]
    assert "stands in call-1 and call-2, in frame 1 and frame 8, 3600 s apart, sent by 192.0.2.10" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_one_key_of_two_devices_at_the_same_time(told) -> None:
    """A key that stands in the configuration."""
    packets = build.in_time_order(build.call(offer(), answer()), another("a", "c", at=1, caller=("192.0.2.77", 5060)))
    assert told(SSRC_006, packets).rows == [("violation", "", 1)]


def test_fresh_keys_pass_and_one_call_says_nothing(told) -> None:
    first = build.call(offer(), answer())
    assert told(SSRC_006, build.in_time_order(first, another("c", "d", at=3_600))).rows == [("pass", "", 2)]
    assert told(SSRC_006, first).rows == []


def test_an_invite_that_a_server_sends_on_under_a_new_call_id(told) -> None:
    """The catalogue's near miss: the same second, the same o= line; two targets of a fork are such calls too."""
    first = build.call(offer(), answer(), dialog=build.Dialog(callee=PROXY))
    legs = [
        build.call(
            offer(), said, at=0.01 + number / 100,
            dialog=build.Dialog(
                caller=PROXY, callee=(f"198.51.100.{number}", 5060), call_id=f"leg-{number}", from_tag=f"x{number}"
            ),
        )
        for number, said in enumerate((answer(), answer("RTP/SAVP", build.crypto("c"))), 40)
    ]  # fmt: skip
    assert told(SSRC_006, build.in_time_order(first, *legs)).findings == []


def test_legs_that_carry_both_keys_on(told) -> None:
    """T-B2B: the o= lines are written anew and no node is common to what was captured."""
    first = build.call(offer(), answer(), dialog=build.Dialog(callee=PROXY))
    leg = build.Dialog(caller=("203.0.113.2", 5060), call_id="leg", from_tag="x", to_tag="y")
    said = (each.replace(b"o=- 1 ", b"o=- 77 ") for each in (offer(), answer()))
    assert told(SSRC_006, build.in_time_order(first, build.call(*said, dialog=leg, at=0.01))).findings == []


def test_forks_challenges_refreshes_and_second_sightings(told) -> None:
    """T-FORK, T-AUTH, T-DUP: one Call-ID."""
    talk = build.Dialog()
    script = [
        (0.0, talk.request("INVITE", offer()), True),
        (0.1, talk.response(407, "Proxy Authentication Required", to_tag="p"), False),
    ]
    talk.cseq += 1
    script += [
        (0.2, talk.request("INVITE", offer()), True),
        (0.3, talk.response(183, "Session Progress", answer("RTP/SAVP", build.crypto("x")), to_tag="one"), False),
        (0.4, talk.response(200, "OK", answer()), False),
        (0.5, talk.request("ACK"), True),
        (5.0, talk.request("INVITE", offer(), in_dialog=True), True),
        (5.1, talk.response(200, "OK", answer()), False),
    ]
    packets = build.carry(talk, script)
    doubled = [(at + 0.001, frame) for at, frame in packets]
    other = another("c", "d", at=60)
    assert told(SSRC_006, build.in_time_order(packets, doubled, other)).rows == [("pass", "", 2)]


def test_an_offer_that_is_sent_again_after_a_redirection(told) -> None:
    """T-AUTH: 302, and the same description under a new Call-ID; then a call with keys of its own."""
    first = build.call(offer(), final=(302, "Moved"))
    talk = build.Dialog(callee=CAROL, call_id="again", from_tag="x", to_tag="y")
    second = build.call(offer(), answer(), dialog=talk, at=1.0)
    assert told(SSRC_006, build.in_time_order(first, second, another("c", "d", at=60))).findings == []


def test_masked_keys_of_two_calls(told) -> None:
    said = offer("RTP/SAVP", MASKED), answer("RTP/SAVP", MASKED)
    talk = build.Dialog(callee=CAROL, call_id="second", from_tag="x", to_tag="y")
    packets = build.in_time_order(build.call(*said), build.call(*said, dialog=talk, at=60))
    assert told(SSRC_006, packets).rows == [("not-assessed", "N-KEY", 2)]


# --- IMS-SSRC-007 ---------------------------------------------------------------------------------


def test_an_answer_that_echoes_the_offer_is_critical(told) -> None:
    """The catalogue's trigger."""
    result = told(SSRC_007, build.call(offer(), answer("RTP/SAVP", build.crypto("a"))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4]
    assert "Both sides of audio/0 of call-1 sent one master key, key:" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_keys_of_their_own_pass(told) -> None:
    assert told(SSRC_007, build.call(offer(), answer())).rows == [("pass", "", 1)]


@pytest.mark.parametrize("status", [488, 500])
def test_an_error_that_echoes_the_offer_is_no_answer(told, status: int) -> None:
    """The catalogue's near miss."""
    talk = build.Dialog()
    script = [
        (0.0, talk.request("INVITE", offer()), True),
        (0.1, talk.response(status, "Not Acceptable Here", offer()), False),
    ]
    assert told(SSRC_007, build.carry(talk, script)).rows == []


def test_echoes_in_options_and_sipfrag_are_no_answers(told) -> None:
    """A trap of the catalogue."""
    talk = build.Dialog()
    asked = build.Dialog(call_id="options", from_tag="o", to_tag="p")
    copied = talk.request("INVITE", offer())
    script = [
        (2.0, asked.request("OPTIONS", offer()), True),
        (2.1, asked.response(200, "OK", offer(), method="OPTIONS"), False),
        (3.0, asked.request("NOTIFY", copied, content_type="message/sipfrag", from_callee=True), False),
    ]
    packets = build.in_time_order(build.call(offer(), answer()), build.carry(asked, script))
    assert told(SSRC_007, packets).rows == [("pass", "", 1)]


def test_an_offer_whose_answer_was_not_seen(told) -> None:
    invite = build.carry(build.Dialog(), [(0.0, build.Dialog().request("INVITE", offer()), True)])
    assert told(SSRC_007, invite).rows == [("not-assessed", "N-OA", 1)]


def test_a_line_that_is_answered_in_clear_has_one_key_only(told) -> None:
    assert told(SSRC_007, build.call(offer(), answer("RTP/AVP"))).rows == []


def test_masked_keys_of_offer_and_answer(told) -> None:
    packets = build.call(offer("RTP/SAVP", MASKED), answer("RTP/SAVP", MASKED))
    assert told(SSRC_007, packets).rows == [("not-assessed", "N-KEY", 1)]


def test_a_refresh_by_the_other_side_is_no_echo(told) -> None:
    """The answerer of the first negotiation offers in the second: everyone keeps the own key."""
    talk = build.Dialog()
    first = build.call(offer(), answer(), dialog=talk, duration=None)
    script = [
        (5.0, talk.request("INVITE", answer(), in_dialog=True, from_callee=True), False),
        (5.1, talk.response(200, "OK", offer(), from_callee=False), True),
    ]
    assert told(SSRC_007, build.in_time_order(first, build.carry(talk, script))).rows == [("pass", "", 1)]


# --- what is no sharing, whatever the rule --------------------------------------------------------


def script_of(talk: build.Dialog, kind: str) -> list[tuple[float, bytes, bool]]:
    """Messages of one call with two lines, in which descriptions come more than once."""
    offered, answered = lines(A, "a", "d"), lines(B, "b", "e")
    script: list[tuple[float, bytes, bool]] = [(0.0, talk.request("INVITE", offered), True)]
    if kind == "challenge":
        script.append((0.1, talk.response(407, "Proxy Authentication Required", to_tag="p"), False))
        talk.cseq += 1
        script.append((0.2, talk.request("INVITE", offered), True))
    if kind == "fork":
        script.append((0.3, talk.response(183, "Progress", lines(B, "x", "y"), to_tag="one"), False))
    script += [
        (0.4, talk.response(200, "OK", answered), False),
        (0.5, talk.request("ACK"), True),
    ]
    if kind == "refresh":
        script += [
            (5.0, talk.request("INVITE", offered, in_dialog=True), True),
            (5.1, talk.response(200, "OK", answered), False),
            (6.0, talk.request("UPDATE", answered, in_dialog=True, from_callee=True), False),
            (6.1, talk.response(200, "OK", offered, method="UPDATE", from_callee=False), True),
        ]
    return script


@pytest.mark.parametrize("kind", ["challenge", "fork", "refresh", "double", "leg"])
@pytest.mark.parametrize("rule", [SSRC_004, SSRC_006, SSRC_007])
def test_a_call_that_is_seen_several_times_shares_nothing(told, rule: str, kind: str) -> None:
    """T-AUTH, T-FORK, T-DUP, T-B2B, and refreshes by either side."""
    packets = build.carry(build.Dialog(callee=PROXY), script_of(build.Dialog(callee=PROXY), kind))
    more = another("c", "f", at=60)
    if kind == "double":
        more += [(at + 0.001, frame) for at, frame in packets]
    if kind == "leg":
        leg = build.Dialog(caller=PROXY, call_id="leg", from_tag="x", to_tag="y")
        more += [(at + 0.005, frame) for at, frame in build.carry(leg, script_of(leg, ""))]
    result = told(rule, build.in_time_order(packets, more))
    assert result.findings == []
    assert {row[0] for row in result.rows} == {"pass"}
