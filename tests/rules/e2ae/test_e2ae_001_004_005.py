"""IMS-E2AE-001, -004 and -005, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    ANSWER,
    CHARGED,
    CORE_CHAT,
    EDGE_CERTIFICATE,
    EDGE_CHAT,
    MIKEY,
    OFFER,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    ask,
    call,
    chat,
    fingerprint,
    floor,
    secure_chat,
)

E2AE_001, E2AE_004, E2AE_005 = "IMS-E2AE-001", "IMS-E2AE-004", "IMS-E2AE-005"
OPEN = ("not-assessed", "IMS-PROF-005", 1)


# --- IMS-E2AE-001 ---------------------------------------------------------------------------------


def test_an_answer_to_the_ue_without_a_fingerprint_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_001, call(chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, port=9)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [4]
    assert "no a=fingerprint" in finding.message
    assert "The answer in frame 4" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_an_offer_of_the_ue_without_a_fingerprint_is_found() -> None:
    result = ask(E2AE_001, secure_chat(offer=[REQUESTED]))
    assert result.frames() == [1]
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_line_that_gets_its_keys_from_a_ticket_needs_no_fingerprint() -> None:
    """The catalogue's near miss."""
    assert ask(E2AE_001, secure_chat(offer=[MIKEY], answer=[MIKEY]), profile="e2ae").rows == []


def test_floor_control_is_judged_like_messages() -> None:
    packets = call(floor(UE_CHAT, *OFFER), floor(EDGE_CHAT, "a=setup:passive"))
    assert ask(E2AE_001, packets).rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_fingerprint_for_the_session_counts() -> None:
    packets = call(chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, session=[fingerprint(EDGE_CERTIFICATE, "SHA-1"), ANSWER[1]]))
    assert ask(E2AE_001, packets).rows == [("pass", "", 2)]


def test_a_refused_line_has_no_fingerprint_and_needs_none() -> None:
    packets = call(chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, port=0))
    assert ask(E2AE_001, packets).rows == [("pass", "", 1)]


def test_the_missing_answer_is_not_assessed() -> None:
    packets = secure_chat()[:3]
    assert ask(E2AE_001, packets).rows == [("pass", "", 1), ("not-assessed", "N-OA", 1)]


def test_a_hop_of_which_nothing_shows_the_side_is_not_assessed() -> None:
    """Nodes of the core may know one another by certificates of an authority."""
    packets = secure_chat(offer=[], answer=[])
    assert ask(E2AE_001, packets, profile="e2ae").rows == [("not-assessed", "N-DIR", 2)]
    assert ask(E2AE_001, packets, profile="e2ae", capture_point="access").rows == [("violation", "", 2)]


def test_without_a_profile_a_line_with_names_and_authorities_is_not_judged() -> None:
    assert ask(E2AE_001, secure_chat(offer=[], answer=[])).rows == [OPEN]


def test_the_core_side_is_not_judged() -> None:
    """T-E2AE: a core may use TLS of its own."""
    packets = call(chat(UE_CHAT), chat(CORE_CHAT), headers=CHARGED)
    assert ask(E2AE_001, packets, profile="e2ae").rows == []


# --- IMS-E2AE-004 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "severity"),
    [
        (["MD5"], Severity.HIGH),
        (["SHA-1"], Severity.MEDIUM),
        (["SHA-1", "MD5"], Severity.MEDIUM),
    ],
)
def test_fingerprints_with_broken_hashes_only_are_found(names: list[str], severity: Severity) -> None:
    """The catalogue's trigger is MD5."""
    weak = [fingerprint(EDGE_CERTIFICATE, name) for name in names]
    result = ask(E2AE_004, secure_chat(answer=weak))
    assert (result.finding.severity, result.finding.verdict) == (severity, "violation")
    assert result.finding.evidence[0].observed == ", ".join(name.lower() for name in names)
    assert result.frames() == [4]
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_sha_1_beside_sha_256_passes() -> None:
    """The catalogue's near miss."""
    both = [fingerprint(EDGE_CERTIFICATE, "SHA-1"), fingerprint(EDGE_CERTIFICATE)]
    assert ask(E2AE_004, secure_chat(answer=both)).rows == [("pass", "", 2)]


def test_a_hash_that_no_registry_knows_is_information() -> None:
    result = ask(E2AE_004, secure_chat(answer=["a=fingerprint:tiger-192 AB:CD"]))
    assert result.finding.severity == Severity.INFO


def test_a_strong_fingerprint_that_is_malformed_does_not_help() -> None:
    lines = ["a=fingerprint:SHA-256 AB:CD", fingerprint(EDGE_CERTIFICATE, "SHA-1")]
    assert ask(E2AE_004, secure_chat(answer=lines)).finding.severity == Severity.MEDIUM


def test_hashes_of_a_call_without_a_profile_are_not_judged() -> None:
    weak = [fingerprint(UE_CERTIFICATE, "SHA-1")]
    assert ask(E2AE_004, secure_chat(offer=weak, answer=weak)).rows == [OPEN]
    assert ask(E2AE_004, secure_chat(offer=weak, answer=weak), profile="e2ae").rows == [("violation", "", 2)]
    assert ask(E2AE_004, secure_chat(offer=weak, answer=weak), profile="rfc-only").rows == []


# --- IMS-E2AE-005 ---------------------------------------------------------------------------------

PAIRS = [f"{number:02X}" for number in range(32)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("SHA-256 " + ":".join(PAIRS[:20]), "20 octets"),
        ("SHA-256 " + ":".join(["0G", *PAIRS[1:]]), "not made of hex pairs"),
        ("SHA-256 " + "".join(PAIRS), "not made of hex pairs"),
        ("SHA-256 " + ":".join(["00"] * 32), "all octets are zero"),
        ("SHA-256", "no fingerprint"),
    ],
)
def test_what_is_no_hash_value_is_found(value: str, words: str) -> None:
    """The catalogue's trigger is SHA-256 with 20 octets."""
    result = ask(E2AE_005, secure_chat(answer=[f"a=fingerprint:{value}"]))
    assert (result.finding.severity, result.finding.verdict) == (Severity.LOW, "violation")
    assert words in result.finding.message
    assert result.frames() == [4]
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


@pytest.mark.parametrize("value", ["SHA-256 " + ":".join(PAIRS).lower(), "tiger-192 AB:CD"])
def test_lower_case_and_unknown_hashes_are_not_malformed(value: str) -> None:
    """The catalogue's near miss is SHA-256 in lower case."""
    assert ask(E2AE_005, secure_chat(answer=[f"a=fingerprint:{value}"])).rows == [("pass", "", 2)]


def test_a_fingerprint_at_the_end_of_a_cut_message_is_not_judged() -> None:
    talk = from_cut()
    assert ask(E2AE_005, talk).rows == [("pass", "", 1), ("not-assessed", "N-FRAG", 1)]


def from_cut() -> list[build.Packet]:
    """A call whose answer lost its last octets on the way."""
    packets = secure_chat(answer=[fingerprint(EDGE_CERTIFICATE)])
    at, data = packets[3]
    inner = data[42:-9]
    packets[3] = (at, build.udp(("192.0.2.1", 5060), ("192.0.2.10", 5060), inner))
    return packets
