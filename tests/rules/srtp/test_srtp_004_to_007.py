"""IMS-SRTP-004 to -007, from capture octets to findings: what answers select, and what SRTCP does."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.rules.conftest import SSRC_A, A, B, answer, context, offer, rtcp, speech_both_ways

SRTP_004, SRTP_005, SRTP_006, SRTP_007 = (f"IMS-SRTP-{number:03}" for number in range(4, 8))
REPORT = build.sender_report(SSRC_A) + build.source_description(SSRC_A)
CM_80, CM_32, GCM = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"


def agreed(*more: list[build.Packet], offered: str = "", answered: str = "") -> list[build.Packet]:
    """A call whose a=crypto lines are these, or usual ones."""
    bodies = offer("RTP/SAVP", offered or build.crypto("a")), answer("RTP/SAVP", answered or build.crypto("b"))
    return build.in_time_order(build.call(*bodies), *more)


def both(params: str = "", *more: list[build.Packet], suite: str = CM_80) -> list[build.Packet]:
    """A call whose a=crypto lines carry these parameters on both sides."""
    lines = (build.crypto(seed, suite=suite, params=params) for seed in ("a", "b"))
    return agreed(*more, offered=next(lines), answered=next(lines))


def named(suite: str, seed: str = "a") -> str:
    """An a=crypto line with a suite that the builder has no lengths for."""
    return build.crypto(seed).replace(CM_80, suite)


def reports(count: int = 5, *, from_a: bool = True, suite: str = CM_80, **how: object) -> list[build.Packet]:
    """SRTCP of A or B."""
    sender = context("a" if from_a else "b", suite)
    return rtcp([sender.protect_rtcp(REPORT, **how) for _ in range(count)], from_a=from_a)


# --- IMS-SRTP-004 ---------------------------------------------------------------------------------


def test_srtcp_in_clear_that_nobody_agreed(told) -> None:
    """The catalogue's trigger: E=0, no parameter."""
    result = told(SRTP_004, agreed(reports(encrypted=False), reports(from_a=False)))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert [each.observed for each in finding.evidence[2:]] == ["E = 0, index 1", "E = 0, index 5"]
    assert "5 SRTCP packets" in finding.message
    assert "reads names" in finding.message


def test_srtcp_that_was_agreed_to_be_in_clear_is_told_once(told) -> None:
    """The catalogue's near miss: medium for the negotiation, and nothing for the packets."""
    flag = " UNENCRYPTED_SRTCP"
    result = told(SRTP_004, both(flag, reports(encrypted=False), reports(from_a=False, encrypted=False)))
    assert result.rows == [("violation", "", 1)]
    assert result.finding.severity == Severity.MEDIUM
    assert result.finding.evidence[1].observed == f"1 {CM_80} UNENCRYPTED_SRTCP"
    assert len(result.finding.evidence) == 2


def test_srtcp_that_is_encrypted_against_the_agreement_is_low(told) -> None:
    finding = told(SRTP_004, both(" UNENCRYPTED_SRTCP", reports())).finding
    assert finding.severity == Severity.LOW
    assert "encrypted" in finding.title


def test_an_answer_that_adds_the_parameter(told) -> None:
    finding = told(SRTP_004, agreed(answered=build.crypto("b", params=" UNENCRYPTED_SRTCP"))).finding
    assert "did not ask for it" in finding.message
    assert "No SRTCP packet" in finding.message


def test_a_compound_that_is_split_into_a_clear_and_an_encrypted_part(told) -> None:
    """RFC 3711 allows it, SDES does not."""
    sender = context("a")
    datagrams = [sender.protect_rtcp(REPORT, encrypted=bool(number % 2)) for number in range(6)]
    finding = told(SRTP_004, agreed(rtcp(datagrams))).finding
    assert "3 others are encrypted" in finding.message


@pytest.mark.parametrize("suite", [CM_32, GCM])
def test_the_e_bit_of_other_suites(told, suite: str) -> None:
    assert told(SRTP_004, both("", reports(suite=suite), suite=suite)).rows == [("pass", "", 1)]
    clear = both("", reports(suite=suite, encrypted=False), suite=suite)
    assert told(SRTP_004, clear).rows == [("violation", "", 1)]


@pytest.mark.parametrize("suite", [CM_80, GCM])
def test_the_e_bit_behind_an_mki(told, suite: str) -> None:
    lines = [build.crypto(seed, suite=suite, params="|1:4") for seed in ("a", "b")]
    for encrypted, verdict in ((True, "pass"), (False, "violation")):
        for count in (1, 5):
            sender = context("a", suite, mki=b"\0\0\0\1")
            datagrams = rtcp([sender.protect_rtcp(REPORT, encrypted=encrypted) for _ in range(count)])
            packets = agreed(datagrams, offered=lines[0], answered=lines[1])
            assert told(SRTP_004, packets).rows == [(verdict, "", 1)]


def test_one_packet_of_an_unknown_key_tells_by_where_its_compound_ends(told) -> None:
    strange = context("x")
    clear = rtcp([strange.protect_rtcp(REPORT, encrypted=False)])
    assert told(SRTP_004, agreed(clear)).rows == [("violation", "", 1)]
    assert told(SRTP_004, agreed(clear)).finding.confidence == "strong"
    assert told(SRTP_004, agreed(rtcp([strange.protect_rtcp(REPORT)]))).rows == [("pass", "", 1)]
    spoiled = rtcp([strange.protect_rtcp(REPORT)[:-5]])
    assert told(SRTP_004, agreed(spoiled)).rows == [("not-assessed", "N-KEY", 1)]


def test_no_srtcp_and_plain_rtcp(told) -> None:
    assert told(SRTP_004, agreed()).rows == [("not-assessed", "N-MED", 1)]
    assert told(SRTP_004, agreed(rtcp([REPORT] * 3))).rows == []


def test_srtcp_that_no_description_announces(told) -> None:
    assert told(SRTP_004, reports(encrypted=False)).rows == [("not-assessed", "N-SIP", 1)]


def test_a_parameter_of_the_first_agreement_does_not_excuse_the_second(told) -> None:
    """The re-INVITE takes it back; the packets behind it are still the first agreement's object."""
    flag = " UNENCRYPTED_SRTCP"
    first = offer("RTP/SAVP", build.crypto("a", params=flag)), answer("RTP/SAVP", build.crypto("b", params=flag))
    result = told(SRTP_004, reinvited(first, (offer(), answer()), reports(encrypted=False)))
    assert result.rows == [("violation", "", 1)]


# --- IMS-SRTP-005 ---------------------------------------------------------------------------------


def test_an_answer_that_echoes_unencrypted_srtp(told) -> None:
    """The catalogue's trigger."""
    result = told(SRTP_005, both(" UNENCRYPTED_SRTP"))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.HIGH, "proven")
    assert [each.frame for each in finding.evidence] == [1, 4]
    assert "UNENCRYPTED_SRTP for audio line 0 of call-1" in finding.message


def test_what_is_offered_on_another_tag_and_not_selected_is_low(told) -> None:
    """The catalogue's near miss and trap: tag 2 offers it, the answer picks tag 1."""
    lines = build.crypto("a"), build.crypto("c", tag=2, params=" UNENCRYPTED_SRTP")
    packets = build.call(offer("RTP/SAVP", *lines), answer("RTP/SAVP", build.crypto("b")))
    finding = told(SRTP_005, packets).finding
    assert finding.severity == Severity.LOW
    assert "not selected" in finding.title
    assert "(tag 2)" in finding.message


@pytest.mark.parametrize("suite", ["NULL_HMAC_SHA1_80", "null_hmac_sha1_32"])
def test_a_null_suite_is_this_rule_and_no_other(told, suite: str) -> None:
    packets = agreed(reports(encrypted=False), offered=named(suite), answered=named(suite, "b"))
    assert told(SRTP_005, packets).rows == [("violation", "", 1)]
    for other in (SRTP_004, SRTP_007):
        assert told(other, packets).rows == []


def test_an_aead_suite_can_not_honour_it(told) -> None:
    result = told(SRTP_005, both(" UNENCRYPTED_SRTP", suite=GCM))
    assert (result.finding.verdict, result.finding.severity) == ("suspect", Severity.MEDIUM)


def test_an_optional_parameter_of_that_name_switches_nothing_off(told) -> None:
    assert told(SRTP_005, both(" -UNENCRYPTED_SRTP")).rows == [("pass", "", 1)]


def test_encrypted_lines_pass_under_any_transport(told) -> None:
    """T-OSRTP: keys agreed under RTP/AVP."""
    assert told(SRTP_005, both()).rows == [("pass", "", 1)]
    bodies = offer("RTP/AVP", build.crypto("a")), answer("RTP/AVP", build.crypto("b", params=" UNENCRYPTED_SRTP"))
    assert told(SRTP_005, build.call(*bodies)).rows == [("violation", "", 1)]


@pytest.mark.parametrize("rule", [SRTP_004, SRTP_005, SRTP_006, SRTP_007])
def test_an_offer_without_its_answer(told, rule: str) -> None:
    packets = build.call(offer(), duration=None)[:3]
    assert told(rule, packets).rows == [("not-assessed", "N-OA", 1)]
    assert told(rule, build.call(offer(), final=(488, "Not Acceptable Here"))).rows == []


@pytest.mark.parametrize("rule", [SRTP_004, SRTP_005, SRTP_006, SRTP_007])
def test_lines_without_sdes_are_no_object(told, rule: str) -> None:
    packets = build.in_time_order(
        build.call(offer("RTP/AVP"), answer("RTP/AVP")), speech_both_ways(None, None), rtcp([REPORT] * 3)
    )
    assert told(rule, packets).rows == []
    handshakes = build.call(offer("UDP/TLS/RTP/SAVP", "a=setup:actpass"), answer("UDP/TLS/RTP/SAVP", "a=setup:active"))
    assert told(rule, handshakes).rows == []


@pytest.mark.parametrize("rule", [SRTP_004, SRTP_005, SRTP_006, SRTP_007])
def test_signalling_inside_esp(told, rule: str) -> None:
    packets = [(at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=7, sequence=at)) for at in range(1, 9)]
    assert told(rule, packets).rows == [("not-assessed", "N-SIP", 1)]


def test_one_call_seen_on_two_hops_is_told_once(told) -> None:
    proxy = ("203.0.113.1", 5060)
    flag = " UNENCRYPTED_SRTP"
    bodies = offer("RTP/SAVP", build.crypto("a", params=flag)), answer("RTP/SAVP", build.crypto("b", params=flag))
    near = build.Dialog(callee=proxy)
    far = build.Dialog(caller=proxy, via=("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKnear",), branch=7)
    packets = build.in_time_order(build.call(*bodies, dialog=near), build.call(*bodies, dialog=far, at=0.002))
    assert told(SRTP_005, packets).rows == [("violation", "", 1)]


# --- IMS-SRTP-006 ---------------------------------------------------------------------------------


def test_rtp_without_a_tag(told) -> None:
    """The catalogue's trigger: the parameter on both sides."""
    result = told(SRTP_006, both(" UNAUTHENTICATED_SRTP"))
    assert result.rows == [("violation", "", 1)]
    assert (result.finding.severity, result.finding.confidence) == (Severity.MEDIUM, "proven")
    assert result.finding.evidence[1].observed == f"1 {CM_80} UNAUTHENTICATED_SRTP"


def test_what_is_offered_as_optional_and_not_answered(told) -> None:
    """The catalogue's near miss."""
    packets = agreed(offered=build.crypto("a", params=" -UNAUTHENTICATED_SRTP"))
    assert told(SRTP_006, packets).rows == [("pass", "", 1)]
    packets = agreed(offered=build.crypto("a", params=" UNAUTHENTICATED_SRTP"))
    assert told(SRTP_006, packets).rows == [("pass", "", 1)]


def test_neither_tag_nor_encryption_is_critical(told) -> None:
    finding = told(SRTP_006, both(" UNAUTHENTICATED_SRTP UNENCRYPTED_SRTP")).finding
    assert finding.severity == Severity.CRITICAL
    assert "nothing protects the media" in finding.message


def test_aead_authenticates_in_any_case(told) -> None:
    assert told(SRTP_006, both(" UNAUTHENTICATED_SRTP", suite=GCM)).rows == [("pass", "", 1)]


def test_an_answer_that_takes_the_tag_away_unasked(told) -> None:
    finding = told(SRTP_006, agreed(answered=build.crypto("b", params=" UNAUTHENTICATED_SRTP"))).finding
    assert "did not ask for it" in finding.message


# --- IMS-SRTP-007 ---------------------------------------------------------------------------------


def test_a_suite_that_no_registry_has(told) -> None:
    """The catalogue's trigger."""
    name = "MS_AES_128_SHA1_80"
    result = told(SRTP_007, agreed(offered=named(name), answered=named(name, "b")))
    assert result.rows == [("violation", "", 1)]
    assert (result.finding.severity, result.finding.confidence) == (Severity.MEDIUM, "proven")
    assert f"selects {name} for audio line 0" in result.finding.message


def test_a_short_tag_on_voice_is_information(told) -> None:
    """The catalogue's near miss."""
    assert told(SRTP_007, both(suite=CM_32)).finding.severity == Severity.INFO


def test_a_short_tag_on_video_is_low(told) -> None:
    lines = [build.media("video", port, "RTP/SAVP", "96", build.crypto(seed, suite=CM_32)) for port, seed in
             ((A[1], "a"), (B[1], "b"))]  # fmt: skip
    finding = told(SRTP_007, build.call(build.sdp(A[0], lines[0]), build.sdp(B[0], lines[1]))).finding
    assert finding.severity == Severity.LOW
    assert "beside media other than voice" in finding.message


@pytest.mark.parametrize("name", ["F8_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_32"])
def test_f8_is_low_in_the_spelling_of_the_grammar_too(told, name: str) -> None:
    assert told(SRTP_007, agreed(offered=named(name), answered=named(name, "b"))).finding.severity == Severity.LOW


@pytest.mark.parametrize(
    "name",
    ["AES_CM_256_HMAC_SHA1_80", "aes_cm_128_hmac_sha1_80", "AEAD_AES_256_GCM", "SEED_CTR_128_HMAC_SHA1_80",
     "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM", "SRTP_AEAD_ARIA_128_GCM"],
)  # fmt: skip
def test_known_names_in_other_spellings_pass(told, name: str) -> None:
    """The catalogue's trap."""
    assert told(SRTP_007, agreed(offered=named(name), answered=named(name, "b"))).rows == [("pass", "", 1)]


def test_a_weak_suite_that_was_not_selected(told) -> None:
    lines = build.crypto("a"), named("MS_AES_128_SHA1_80", "c").replace("crypto:1", "crypto:2")
    packets = build.call(offer("RTP/SAVP", *lines), answer())
    assert told(SRTP_007, packets).rows == [("pass", "", 1)]


def test_a_key_in_the_place_of_the_suite_is_not_shown(told) -> None:
    secret = build.crypto("a").rpartition("inline:")[2]
    odd = f"a=crypto:1 inline:{secret} {CM_80}"
    finding = told(SRTP_007, agreed(offered=odd, answered=odd)).finding
    assert secret not in repr(finding)
    assert "unknown suite" in finding.message


# --- keys by MIKEY --------------------------------------------------------------------------------


def by_mikey(*policies: dict[int, int], answered: tuple[dict[int, int], ...] = (), ticket: bool = False,
             more: list[build.Packet] | None = None) -> list[build.Packet]:  # fmt: skip
    """A call whose offer carries these policies, and whose answer names others or none."""
    offered = [mikey.policy(each, number) for number, each in enumerate(policies)]
    chosen = [mikey.policy(each, number) for number, each in enumerate(answered)]
    if ticket:
        return mikey.call(mikey.init(policies=tuple(offered)), mikey.resp(policies=tuple(chosen)))
    plain = {"rand": None, "initiator": None, "responder": None, "auth": None}
    messages = (
        mikey.Message(data_type=0, policies=tuple(offered), kemac=mikey.kemac(), **plain),
        mikey.Message(data_type=1, policies=tuple(chosen), **plain),
    )
    return build.in_time_order(mikey.call(*messages), more or [])


def test_policies_that_switch_encryption_off(told) -> None:
    """Encryption algorithm NULL, and SRTP encryption off."""
    for parameters in ({0: 0}, {7: 0}):
        result = told(SRTP_005, by_mikey(parameters))
        assert result.rows == [("violation", "", 1)]
        assert (result.finding.severity, result.finding.confidence) == (Severity.HIGH, "proven")
        assert "no encryption" in result.finding.evidence[0].observed


def test_policies_that_switch_authentication_off(told) -> None:
    assert told(SRTP_006, by_mikey({10: 0})).finding.severity == Severity.MEDIUM
    assert told(SRTP_006, by_mikey({10: 0, 0: 0})).finding.severity == Severity.CRITICAL
    assert told(SRTP_006, by_mikey({0: 6, 1: 16, 2: 0})).rows == [("pass", "", 1)]


def test_policies_that_switch_encryption_of_srtcp_off(told) -> None:
    finding = told(SRTP_004, by_mikey({8: 0})).finding
    assert finding.severity == Severity.MEDIUM
    assert finding.evidence[0].observed == "SRTCP encryption off"


def test_policies_with_weak_algorithms(told) -> None:
    assert told(SRTP_007, by_mikey({0: 2})).finding.severity == Severity.LOW
    assert told(SRTP_007, by_mikey({11: 4})).finding.severity == Severity.INFO
    assert told(SRTP_007, by_mikey({0: 99})).finding.severity == Severity.MEDIUM
    assert told(SRTP_007, by_mikey({0: 0})).rows == []


@pytest.mark.parametrize("rule", [SRTP_005, SRTP_006, SRTP_007])
def test_policies_that_protect_pass_and_so_do_the_defaults(told, rule: str) -> None:
    assert told(rule, by_mikey({0: 1, 1: 32, 11: 10})).rows == [("pass", "", 1)]
    assert told(rule, by_mikey()).rows == [("pass", "", 1)]


def test_one_of_several_policies_is_suspected_until_the_answer_chooses(told) -> None:
    assert told(SRTP_005, by_mikey({0: 0}, {0: 1})).rows == [("suspect", "", 1)]
    assert told(SRTP_006, by_mikey({10: 0}, {0: 1})).rows == [("suspect", "", 1)]
    assert told(SRTP_004, by_mikey({8: 0}, {0: 1})).rows == [("suspect", "", 1)]
    assert told(SRTP_007, by_mikey({0: 2}, {0: 1})).rows == [("suspect", "", 1)]
    assert told(SRTP_005, by_mikey({0: 0}, {0: 1}, answered=({0: 1},))).rows == [("pass", "", 1)]
    assert told(SRTP_005, by_mikey({0: 1}, answered=({0: 0},))).rows == [("violation", "", 1)]


def test_policies_of_mikey_ticket_are_another_rule(told) -> None:
    """IMS-MIK-033; suites are looked at here."""
    for rule in (SRTP_005, SRTP_006):
        assert told(rule, by_mikey({0: 0, 10: 0}, ticket=True)).rows == []
    assert told(SRTP_004, by_mikey({8: 0}, ticket=True)).rows == []
    assert told(SRTP_007, by_mikey({0: 2}, ticket=True)).finding.severity == Severity.LOW


def test_srtcp_in_clear_on_a_line_with_mikey(told) -> None:
    result = told(SRTP_004, by_mikey({0: 1}, more=reports(encrypted=False)))
    assert (result.finding.verdict, result.finding.confidence) == ("violation", "strong")
    assert told(SRTP_004, by_mikey({0: 1}, more=reports())).rows == [("pass", "", 1)]


def test_mikey_that_can_not_be_read(told) -> None:
    octets = mikey.Message(data_type=0, policies=(mikey.policy({0: 0}),)).octets()[:-40]
    packets = mikey.call(octets, octets)
    for rule in (SRTP_005, SRTP_006, SRTP_007):
        assert told(rule, packets).rows == [("not-assessed", "IMS-MIK-038", 1)]


def reinvited(
    first: tuple[bytes, bytes], second: tuple[bytes, bytes], *more: list[build.Packet], at: float = 5.0
) -> list[build.Packet]:
    """A call that is negotiated anew after some seconds."""
    dialog = build.Dialog()
    script = []
    for begin, bodies in ((0.0, first), (at, second)):
        script += [
            (begin, dialog.request("INVITE", bodies[0], in_dialog=begin > 0), True),
            (begin + 0.1, dialog.response(200, "OK", bodies[1]), False),
            (begin + 0.2, dialog.request("ACK"), True),
        ]
    return build.in_time_order(build.carry(dialog, script), *more)
