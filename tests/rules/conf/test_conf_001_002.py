"""IMS-CONF-001 and IMS-CONF-002: legs, and media of legs, that are in clear."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import ALICE, BOB, CAROL, FOCUS_MEDIA, User, answer_of, dial_in, dial_out, offer_of
from tests.rules.conf.conftest import ACCESS, through_an_edge, ticketed

CONF_001, CONF_002 = "IMS-CONF-001", "IMS-CONF-002"
CLEAR = {"offer": offer_of(BOB, proto="RTP/AVP"), "answer": answer_of(BOB, proto="RTP/AVP")}


def at_the_edge(user: User, **more: object) -> list[build.Packet]:
    """A dial-in seen between the user and its P-CSCF."""
    return dial_in(user, headers=ACCESS, via=(), source=user.address, **more)


def descriptions(user: User, *sections: str) -> dict[str, bytes]:
    """Audio with SDES on both sides, and the same further sections on both."""
    alice = build.sdp(user.address[0], build.audio(4000, "RTP/SAVP", build.crypto(user.name)), *sections)
    focus = build.sdp(FOCUS_MEDIA, build.audio(20_000, "RTP/SAVP", build.crypto(f"to {user.name}")), *sections)
    return {"offer": alice, "answer": focus}


def chat(port: int = 7000, proto: str = "TCP/MSRP") -> str:
    return build.media("message", port, proto, "*")


# --- IMS-CONF-001 ---------------------------------------------------------------------------------


def test_a_clear_leg_beside_a_protected_one_on_the_access_side(told) -> None:
    result = told(CONF_001, at_the_edge(ALICE), at_the_edge(BOB, at=2, **CLEAR))
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.verdict, finding.severity, finding.confidence) == ("violation", Severity.HIGH, "proven")
    assert finding.subject.id == "call-2/0"
    assert "Audio of bob@ims.example.org is agreed in clear (RTP/AVP) on its access side" in finding.message
    assert "alice@ims.example.org in call-1 is protected" in finding.message
    assert result.frames() == [5, 7, 1, 3]


@pytest.mark.parametrize("two_calls", [False, True])
def test_the_core_is_clear_by_design_where_the_access_side_was_captured(told, two_calls: bool) -> None:
    """The catalogue's near miss: core in clear, edge protected, for both; also where the P-CSCF makes two calls of one
    (T-B2B)."""
    result = told(CONF_001, through_an_edge(ALICE, two_calls=two_calls), through_an_edge(BOB, two_calls=two_calls))
    assert result.rows == [("pass", "", 2)]


def test_a_clear_core_whose_access_side_is_not_there_is_not_assessed(told) -> None:
    result = told(CONF_001, dial_in(ALICE), dial_in(BOB, at=2, **CLEAR))
    assert result.rows == [("pass", "", 1), ("not-assessed", "T-E2AE", 1)]


def test_a_core_that_is_clear_for_everybody_says_nothing(told) -> None:
    clear = {"offer": offer_of(ALICE, proto="RTP/AVP"), "answer": answer_of(ALICE, proto="RTP/AVP")}
    result = told(CONF_001, dial_in(ALICE, **clear), dial_in(BOB, at=2, **CLEAR), profile="g2")
    assert result.rows == [("not-assessed", "T-E2AE", 2)]


@pytest.mark.parametrize("two_calls", [False, True])
def test_an_edge_that_is_clear_as_well(told, two_calls: bool) -> None:
    parts = through_an_edge(ALICE, two_calls=two_calls), through_an_edge(BOB, edge="RTP/AVP", two_calls=two_calls)
    result = told(CONF_001, *parts)
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert "bob@ims.example.org" in result.finding.message


@pytest.mark.parametrize("profile", ["g3", "tr-sdes", "tr-kms"])
def test_security_up_to_the_focus_leaves_no_hop_clear(told, profile: str) -> None:
    result = told(CONF_001, dial_in(ALICE), dial_in(BOB, at=2, **CLEAR), profile=profile)
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert result.finding.confidence == "strong"


def test_tickets_show_that_the_conference_is_to_be_secure_up_to_the_focus(told) -> None:
    """Nobody named a profile: MIKEY-TICKET of one leg tells."""
    result = told(CONF_001, dial_in(ALICE, **ticketed(ALICE)), dial_in(BOB, at=2, **CLEAR))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_user_who_signals_to_the_focus_itself(told) -> None:
    """Nothing says access or core, but signalling and media come from one address and no proxy is named."""
    direct = {"headers": (), "via": ()}
    parts = dial_in(ALICE, source=ALICE.address, **direct), dial_in(BOB, source=BOB.address, at=2, **direct, **CLEAR)
    result = told(CONF_001, *parts)
    assert (result.finding.verdict, result.finding.confidence) == ("violation", "strong")
    assert "on the hop from the participant itself" in result.finding.message


def test_a_gateway_that_stands_for_all_users_may_protect_them_behind_it(told) -> None:
    """One box ends signalling and media of everybody: its core side looks like the users' own hop."""
    box = ("192.0.2.100", 5060)
    direct = {"headers": (), "via": (), "source": box}
    clear = {"offer": build.sdp(box[0], build.audio(4000)), "answer": answer_of(BOB, proto="RTP/AVP")}
    secure = build.sdp(box[0], build.audio(4002, "RTP/SAVP", build.crypto("alice")))
    result = told(CONF_001, dial_in(ALICE, offer=secure, **direct), dial_in(BOB, at=2, **direct, **clear))
    assert result.rows == [("pass", "", 1), ("not-assessed", "T-E2AE", 1)]


def test_a_gateway_to_the_telephone_network_is_medium(told) -> None:
    phone = User("+15550100", ("192.0.2.77", 5060))
    bodies = {"offer": offer_of(phone, proto="RTP/AVP"), "answer": answer_of(phone, proto="RTP/AVP")}
    finding = told(CONF_001, dial_in(ALICE), dial_in(phone, at=2, **bodies), profile="tr-sdes").finding
    assert finding.severity == Severity.MEDIUM
    assert "MGCF" in finding.message


def test_a_line_on_hold_or_refused_is_no_clear_leg(told) -> None:
    held = {
        "offer": build.sdp(BOB.address[0], build.audio(4000, "RTP/AVP", "a=inactive")),
        "answer": build.sdp(FOCUS_MEDIA, build.audio(20_000, "RTP/AVP", "a=inactive")),
    }
    refused = {"offer": CLEAR["offer"], "answer": build.sdp(FOCUS_MEDIA, build.audio(0, "RTP/AVP"))}
    for bodies in (held, refused):
        result = told(CONF_001, at_the_edge(ALICE), at_the_edge(BOB, at=2, **bodies))
        assert result.rows == [("pass", "", 1)]


def test_a_recorder_inside_the_core_is_left_out(told) -> None:
    recorder = dial_in(BOB, at=2, headers=("Require: siprec",), via=(), source=BOB.address, **CLEAR)
    assert told(CONF_001, at_the_edge(ALICE), recorder).rows == [("pass", "", 1)]


def test_best_effort_encryption_counts_as_protection(told) -> None:
    """T-OSRTP: keys beside RTP/AVP."""
    keyed = {
        "offer": build.sdp(BOB.address[0], build.audio(4000, "RTP/AVP", build.crypto("bob"))),
        "answer": build.sdp(FOCUS_MEDIA, build.audio(20_000, "RTP/AVP", build.crypto("to bob"))),
    }
    assert told(CONF_001, at_the_edge(ALICE), at_the_edge(BOB, at=2, **keyed)).rows == [("pass", "", 2)]


def test_one_leg_has_none_to_compare_with(told) -> None:
    assert told(CONF_001, at_the_edge(ALICE)).rows == [("not-assessed", "N-ROST", 1)]
    refused = dial_in(BOB, at=2, final=(488, "Not Acceptable Here"))
    assert told(CONF_001, at_the_edge(ALICE), refused).rows == [("not-assessed", "N-ROST", 1)]


def test_a_conference_in_clear_has_no_open_leg_unless_the_user_names_a_profile(told) -> None:
    clear = {"offer": offer_of(ALICE, proto="RTP/AVP"), "answer": answer_of(ALICE, proto="RTP/AVP")}
    parts = at_the_edge(ALICE, **clear), at_the_edge(BOB, at=2, **CLEAR)
    assert told(CONF_001, *parts).rows == [("not-assessed", "IMS-PROF-005", 2)]
    result = told(CONF_001, *parts, profile="g2")
    assert result.rows == [("violation", "", 2)]
    assert "a conference that is to be secure" in result.findings[0].message


def test_the_invited_are_participants_as_well(told) -> None:
    clear = {"offer": CLEAR["answer"], "answer": CLEAR["offer"]}
    result = told(CONF_001, dial_in(ALICE), dial_out(BOB, at=2, **clear), dial_in(CAROL, at=3), profile="tr-sdes")
    assert result.rows == [("violation", "", 1), ("pass", "", 2)]


def test_a_profile_without_conferences_is_not_asked(told) -> None:
    assert told(CONF_001, at_the_edge(ALICE), at_the_edge(BOB, at=2, **CLEAR), profile="im-sig").rows == []


# --- IMS-CONF-002 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["g3", "tr-kms"])
def test_a_clear_chat_beside_protected_audio(told, profile: str) -> None:
    result = told(CONF_002, dial_in(ALICE, **descriptions(ALICE, chat())), profile=profile)
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.HIGH, "proven", "call-1/1")
    assert "Message line 1 of call-1 is agreed in clear (TCP/MSRP)" in finding.message
    assert result.frames() == [1, 3, 1, 3]


def test_clear_chat_and_floor_control_follow_from_their_own_rules() -> None:
    """One fact, one root (rules.md 19.1.3)."""
    floor = build.media("application", 7002, "TCP/BFCP", "*", "a=floorctrl:s-only", "a=confid:1", "a=userid:1")
    packets = dial_in(ALICE, **ticketed(ALICE, chat(), floor))
    audit = build.audit_bytes(build.pcap(packets), profile="g3")
    roots = {each.fingerprint for each in audit.findings if each.rule in ("IMS-MSRP-001", "IMS-BFCP-001")}
    following = [each for each in audit.findings if each.rule == CONF_002]
    assert len(roots) == len(following) == 2
    assert {name for each in following for name in each.follows_from} == roots


def test_tickets_cover_all_media_whatever_profile_was_named(told) -> None:
    finding = told(CONF_002, dial_in(ALICE, **ticketed(ALICE, chat()))).finding
    assert (finding.severity, finding.confidence) == (Severity.HIGH, "strong")


def test_a_refused_chat_is_no_clear_line(told) -> None:
    """The catalogue's near miss, and a chat on hold."""
    bodies = descriptions(ALICE, chat())
    bodies["answer"] = descriptions(ALICE, chat(0))["answer"]
    assert told(CONF_002, dial_in(ALICE, **bodies), profile="g3").rows == [("pass", "", 1)]
    held = descriptions(ALICE, chat() + "\r\na=inactive")
    assert told(CONF_002, dial_in(ALICE, **held), profile="g3").rows == [("pass", "", 1)]


def test_every_line_secure(told) -> None:
    bodies = descriptions(ALICE, chat(proto="TCP/TLS/MSRP"))
    assert told(CONF_002, dial_in(ALICE, **bodies), profile="g3").rows == [("pass", "", 2)]


def test_a_leg_without_any_protection_is_another_rules(told) -> None:
    bodies = {"offer": offer_of(ALICE, proto="RTP/AVP"), "answer": answer_of(ALICE, proto="RTP/AVP")}
    assert told(CONF_002, dial_in(ALICE, **bodies), profile="g3").rows == []


def test_in_g2_the_operator_decides(told) -> None:
    finding = told(CONF_002, dial_in(ALICE, **descriptions(ALICE, chat()))).finding
    assert finding.severity == Severity.INFO


def test_a_data_channel_or_an_unknown_transport_is_information(told) -> None:
    for line in (build.media("application", 7000, "SCTP", "*"), build.media("x-thing", 7000, "UDP/X", "*")):
        finding = told(CONF_002, dial_in(ALICE, **descriptions(ALICE, line)), profile="g3").finding
        assert finding.severity == Severity.INFO


def test_an_open_profile_says_so(told) -> None:
    secure = build.media("audio", 4000, "UDP/TLS/RTP/SAVP", "0")
    both = {
        "offer": build.sdp(ALICE.address[0], secure, chat()),
        "answer": build.sdp(FOCUS_MEDIA, secure, chat()),
    }
    assert told(CONF_002, dial_in(ALICE, **both)).rows == [("not-assessed", "IMS-PROF-005", 2)]
