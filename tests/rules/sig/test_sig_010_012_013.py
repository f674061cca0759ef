"""IMS-SIG-010, -012 and -013, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B, answer, context, offer, speech_both_ways

SIG_010, SIG_012, SIG_013 = "IMS-SIG-010", "IMS-SIG-012", "IMS-SIG-013"
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
FINGERPRINT = "a=fingerprint:SHA-256 " + ":".join(["AB"] * 32)


def bare(side: tuple[str, int], proto: str = "RTP/SAVP", *attributes: str, session: tuple[str, ...] = ()) -> bytes:
    """A description of one audio line with just these attributes."""
    return build.sdp(side[0], build.audio(side[1], proto, *attributes), session=session)


# --- IMS-SIG-010 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("proto", ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"])
def test_a_secure_line_that_neither_side_has_keys_for(told, proto: str) -> None:
    """The catalogue's trigger."""
    result = told(SIG_010, build.call(bare(A, proto), bare(B, proto)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/0", [1, 4])
    assert "neither side names a source of keys" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_an_offer_without_keys_is_one_before_it_is_answered(told) -> None:
    assert told(SIG_010, build.call(bare(A))[:3]).frames() == [1]


@pytest.mark.parametrize("attribute", [build.crypto("a"), MIKEY, FINGERPRINT, "a=zrtp-hash:1.10 " + "ab" * 32])
def test_any_source_of_keys_at_the_line_passes(told, attribute: str) -> None:
    assert told(SIG_010, build.call(bare(A, "RTP/SAVP", attribute), answer())).rows == [("pass", "", 1)]


def test_keys_of_the_session_pass(told) -> None:
    """The catalogue's near miss."""
    assert told(SIG_010, build.call(bare(A, session=(MIKEY,)), bare(B))).rows == [("pass", "", 1)]


def test_what_only_the_answer_lacks_is_another_rule(told) -> None:
    assert told(SIG_010, build.call(offer(), bare(B))).rows == [("pass", "", 1)]


def test_lines_in_clear_and_refused_lines_are_no_object(told) -> None:
    """T-HOLD: port 0."""
    assert told(SIG_010, build.call(offer("RTP/AVP"), answer("RTP/AVP"))).rows == []
    assert told(SIG_010, build.call(build.sdp(A[0], build.audio(0, "RTP/SAVP")), answer())).rows == []


def test_a_description_that_may_be_an_answer_is_not_assessed(told) -> None:
    assert told(SIG_010, build.call(bare(A), bare(B))[3:]).rows == [("not-assessed", "N-OA", 1)]


# --- IMS-SIG-012 ----------------------------------------------------------------------------------


def test_an_answer_without_a_key_while_media_flows(told) -> None:
    """The catalogue's trigger."""
    media = speech_both_ways(context("a"), None)
    result = told(SIG_012, build.in_time_order(build.call(offer(), bare(B)), media))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/0", [1, 4])
    assert "AES_CM_128_HMAC_SHA1_80" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_failed_negotiation_that_is_ended_at_once_passes(told) -> None:
    """The catalogue's near miss: BYE behind the answer, and no media."""
    assert told(SIG_012, build.call(offer(), bare(B), duration=1.0)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("attribute", [build.crypto("b"), MIKEY, FINGERPRINT])
def test_an_answer_with_a_key_management_passes(told, attribute: str) -> None:
    assert told(SIG_012, build.call(offer(), bare(B, "RTP/SAVP", attribute))).rows == [("pass", "", 1)]


def test_an_answer_in_clear_or_with_port_0_is_no_object(told) -> None:
    assert told(SIG_012, build.call(offer(), answer("RTP/AVP"))).rows == []
    assert told(SIG_012, build.call(offer(), build.sdp(B[0], build.audio(0, "RTP/SAVP")))).rows == []


def test_an_offer_whose_answer_was_not_seen_is_not_assessed(told) -> None:
    assert told(SIG_012, build.call(offer())[:3]).rows == [("not-assessed", "N-OA", 1)]


def test_a_refused_offer_needs_no_answer(told) -> None:
    assert told(SIG_012, build.call(offer(), final=(488, "Not Acceptable Here"))).rows == []


# --- IMS-SIG-013 ----------------------------------------------------------------------------------

TWO = (build.crypto("a"), build.crypto("a2", tag=2, suite="AES_CM_128_HMAC_SHA1_32"))


def test_a_suite_under_the_tag_of_another(told) -> None:
    """The catalogue's trigger."""
    chosen = build.crypto("b", tag=1, suite="AES_CM_128_HMAC_SHA1_32")
    result = told(SIG_013, build.call(offer("RTP/SAVP", *TWO), answer("RTP/SAVP", chosen)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/0", [1, 4])
    assert "the offer has AES_CM_128_HMAC_SHA1_80 under this tag" in finding.message
    assert chosen.partition("inline:")[2] not in repr(finding)
    assert result.rows == [("violation", "", 1)]


def test_a_tag_that_was_not_offered(told) -> None:
    finding = told(SIG_013, build.call(offer(), answer("RTP/SAVP", build.crypto("b", tag=7)))).finding
    assert "the offer has no such tag" in finding.message


def test_tag_and_suite_of_the_offer_pass(told) -> None:
    """The catalogue's near miss."""
    chosen = build.crypto("b", tag=2, suite="AES_CM_128_HMAC_SHA1_32")
    assert told(SIG_013, build.call(offer("RTP/SAVP", *TWO), answer("RTP/SAVP", chosen))).rows == [("pass", "", 1)]


def test_two_names_of_one_suite_are_equal(told) -> None:
    suite = "AES_256_CM_HMAC_SHA1_80"
    offered = build.crypto("a", suite=suite)
    answered = build.crypto("b", suite=suite).replace("AES_256_CM_", "AES_CM_256_")
    assert told(SIG_013, build.call(offer("RTP/SAVP", offered), answer("RTP/SAVP", answered))).rows == [("pass", "", 1)]


def test_every_branch_of_a_fork_is_compared_with_the_one_offer(told) -> None:
    """T-FORK: two early answers with tags of their own."""
    first, second = build.Dialog(), build.Dialog(to_tag="carol")
    packets = [
        (0.0, first.request("INVITE", offer("RTP/SAVP", *TWO)), True),
        (0.1, first.response(183, "Progress", answer("RTP/SAVP", build.crypto("b"))), False),
    ]
    second.branch = first.branch
    chosen = build.crypto("c", tag=2, suite="AES_CM_128_HMAC_SHA1_32")
    packets.append((0.2, second.response(200, "OK", answer("RTP/SAVP", chosen)), False))
    assert {row[0] for row in told(SIG_013, build.carry(first, packets)).rows} == {"pass"}


def test_an_answer_whose_offer_was_not_seen_is_not_assessed(told) -> None:
    assert told(SIG_013, build.call(offer(), answer())[3:]).rows == [("not-assessed", "N-OA", 1)]


def test_an_answer_without_crypto_is_no_object(told) -> None:
    assert told(SIG_013, build.call(offer(), bare(B))).rows == []
