"""IMS-CONF-010, 011 and 013: how a conference is created, and what its requests prove."""

from __future__ import annotations

import pytest

from imsinspect.policy import Policy
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.conference_kit import (
    ALICE,
    BOB,
    CONFERENCE,
    FACTORY,
    Notify,
    answer_of,
    dial_in,
    dial_out,
    document,
    offer_of,
    refer,
    subscribe,
)
from tests.rules.conf.conftest import through_an_edge, ticketed
from tests.trace.cms_seal import enveloped

CONF_010, CONF_011, CONF_013 = "IMS-CONF-010", "IMS-CONF-011", "IMS-CONF-013"
STUDY = {"profile": "tr-kms"}
PLAIN = {"offer": offer_of(ALICE, proto="RTP/AVP"), "answer": answer_of(ALICE, proto="RTP/AVP")}


def created(*recipients: str, **more: object) -> list[build.Packet]:
    """Alice creates a conference with a ticket for these."""
    named = tuple(each.encode() for each in recipients)
    bodies = ticketed(ALICE, recipients=named)
    return dial_in(ALICE, **{"conference": FACTORY, "focus_contact": CONFERENCE, **bodies, **more})


# --- IMS-CONF-010 ---------------------------------------------------------------------------------


def test_a_ticket_for_the_participants_alone(told) -> None:
    result = told(CONF_010, created(ALICE.uri, BOB.uri), **STUDY)
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.HIGH, "proven", "call-1")
    assert "for alice@ims.example.org, bob@ims.example.org, which names neither the factory" in finding.message
    assert result.frames() == [1, 1]


def test_a_ticket_for_the_factory_or_the_focus(told) -> None:
    """The catalogue's near miss."""
    for name in (FACTORY, CONFERENCE, "sip:*@ims.example.org"):
        assert told(CONF_010, created(name, ALICE.uri), **STUDY).rows == [("pass", "", 1)]


def test_a_factory_that_only_the_policy_knows(told) -> None:
    """Its answer has no isfocus: nothing else shows a conference."""
    plain = created(BOB.uri, isfocus=False)
    policy = Policy(factories=frozenset(("factory@ims.example.org",)))
    assert told(CONF_010, plain, policy=policy, **STUDY).rows == [("violation", "", 1)]
    assert told(CONF_010, plain, **STUDY).rows == []


def test_other_tickets_and_profiles(told) -> None:
    bodies = ticketed(ALICE)
    two = mikey.init(ticket=mikey.Ticket(kind=2, recipients=(b"sip:bob@ims.example.org",)))
    bodies["offer"] = mikey.described((ALICE.address[0], 4000), two.attribute())
    other = dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, **bodies)
    assert told(CONF_010, other, **STUDY).rows == [("not-assessed", "N-KMS", 1)]
    assert told(CONF_010, created(BOB.uri), profile="g3").rows == []
    assert told(CONF_010, dial_in(ALICE, **ticketed(ALICE)), **STUDY).rows == []


# --- IMS-CONF-011 ---------------------------------------------------------------------------------


def test_a_refer_without_a_ticket(told) -> None:
    place = dial_in(ALICE, **ticketed(ALICE))
    result = told(CONF_011, place, refer(ALICE, BOB.uri, at=5), **STUDY)
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "strong")
    assert "The REFER from" in finding.message
    assert result.frames() == [5]


def test_a_refer_with_a_ticket_in_its_body(told) -> None:
    """The catalogue's near miss."""
    place = dial_in(ALICE, **ticketed(ALICE))
    body = mikey.init().octets()
    with_ticket = refer(ALICE, BOB.uri, at=5, body=body, content_type="application/mikey")
    assert told(CONF_011, place, with_ticket, **STUDY).rows == [("pass", "", 2)]


def test_a_refer_inside_an_authenticated_dialog_is_low(told) -> None:
    place = dial_in(ALICE, **ticketed(ALICE))
    finding = told(CONF_011, place, refer(ALICE, BOB.uri, at=5, in_call=1), **STUDY).finding
    assert finding.severity == Severity.LOW


def test_invites_of_users_and_of_the_focus(told) -> None:
    result = told(CONF_011, dial_in(ALICE), dial_out(BOB, at=2), **STUDY)
    assert result.rows == [("violation", "", 2)]
    assert {finding.severity for finding in result.findings} == {Severity.MEDIUM}
    both = dial_in(ALICE, **ticketed(ALICE)), dial_out(BOB, at=2, **ticketed(BOB, dialled_out=True))
    assert told(CONF_011, *both, **STUDY).rows == [("pass", "", 2)]


def test_what_was_refused_did_nothing(told) -> None:
    parts = dial_in(ALICE, final=(403, "Forbidden")), refer(BOB, ALICE.uri, at=5, final=(403, "Forbidden"))
    roster = subscribe(ALICE, Notify(0.1, document()), at=1)
    assert told(CONF_011, *parts, roster, **STUDY).rows == [("pass", "", 2)]


def test_an_encrypted_body(told) -> None:
    secret = enveloped(b"Content-Type: application/sdp\r\n\r\n" + offer_of(ALICE), (b"k" * 16, b"key"))
    sealed = dial_in(ALICE, offer=secret, content_type="application/pkcs7-mime;smime-type=enveloped-data")
    assert ("not-assessed", "N-KEY", 1) in told(CONF_011, sealed, **STUDY).rows


def test_g3_dropped_tickets_on_refer(told) -> None:
    assert told(CONF_011, dial_in(ALICE), refer(ALICE, BOB.uri, at=5), profile="g3").rows == []


def test_an_open_profile_is_said(told) -> None:
    assert told(CONF_011, dial_in(ALICE, **PLAIN)).rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-CONF-013 ---------------------------------------------------------------------------------


def creation(**more: object) -> list[build.Packet]:
    return dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, **more)


@pytest.mark.parametrize("profile", ["tr-sdes", "tr-kms", "g3"])
def test_a_conference_that_is_created_in_clear(told, profile: str) -> None:
    result = told(CONF_013, creation(**PLAIN), profile=profile)
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.subject.id) == (Severity.MEDIUM, "conference-1")
    assert result.frames() == [1]
    assert "offers only clear lines (RTP/AVP)" in finding.message


def test_a_secure_offer_and_a_capability(told) -> None:
    """The catalogue's near miss, and RFC 5939."""
    assert told(CONF_013, creation(), profile="tr-sdes").rows == [("pass", "", 1)]
    able = build.sdp(
        ALICE.address[0], build.audio(4000, "RTP/AVP", "a=tcap:1 RTP/SAVP", "a=acap:1 crypto:1 X inline:a")
    )
    assert told(CONF_013, creation(**{**PLAIN, "offer": able}), profile="tr-sdes").rows == [("pass", "", 1)]


def test_the_core_of_a_creator_at_the_edge(told) -> None:
    assert told(CONF_013, creation(**PLAIN), profile="g2").rows == [("not-assessed", "T-E2AE", 1)]
    edge = {"headers": ("P-Access-Network-Info: 3GPP-E-UTRAN-FDD",), "via": (), "source": ALICE.address}
    assert told(CONF_013, creation(**PLAIN, **edge), profile="g2").rows == [("violation", "", 1)]


def test_a_creator_who_is_protected_to_the_edge(told) -> None:
    """T-E2AE: secure on the user's side, clear in the core."""
    assert told(CONF_013, through_an_edge(ALICE, called=FACTORY), profile="g2").rows == [("pass", "", 1)]


def test_nobody_said_that_it_was_meant_to_be_secure(told) -> None:
    later = dial_in(BOB, at=2)
    result = told(CONF_013, creation(**PLAIN), later)
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_an_invite_without_a_description(told) -> None:
    packets = creation(**PLAIN)
    talk = build.Dialog(
        ("203.0.113.1", 5060), ("203.0.113.9", 5060), "in-alice-1@test", ALICE.uri, FACTORY, "alice1", "focus-alice1"
    )
    invite = build.carry(talk, [(0.0, talk.request("INVITE"), True)])
    rows = told(CONF_013, invite, packets[1:], profile="tr-sdes").rows
    assert rows == [("not-assessed", "N-OA", 1)]


def test_a_conference_without_a_creation_is_not_asked(told) -> None:
    assert told(CONF_013, dial_in(ALICE, **PLAIN), profile="tr-sdes").rows == []
