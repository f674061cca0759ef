"""IMS-CONF-005: keys of a participant who comes back."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.conference_kit import ALICE, BOB, answer_of, dial_in, offer_of
from tests.rules.conf.conftest import ticketed

CONF_005 = "IMS-CONF-005"


def again(**more: object) -> list[build.Packet]:
    """Bob's second dialog, with new keys of both sides unless told otherwise."""
    bodies = {"offer": offer_of(BOB, key="bob, again"), "answer": answer_of(BOB, key="to bob, again")}
    return dial_in(BOB, call=2, **{"at": 30, "duration": 20, **bodies, **more})


def test_the_participant_uses_its_old_key(told) -> None:
    result = told(CONF_005, dial_in(BOB, duration=20), again(offer=offer_of(BOB)))
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "proven", "call-2")
    assert result.frames() == [5, 1, 7]
    assert "bob@ims.example.org joined again with call-2 under keys of call-1" in finding.message
    assert "from the participant" in finding.message
    assert all(each.observed.startswith("key:") for each in finding.evidence[1:])


def test_the_focus_gives_the_old_key(told) -> None:
    finding = told(CONF_005, dial_in(BOB, duration=20), again(answer=answer_of(BOB))).finding
    assert "from the focus" in finding.message


def test_new_keys_pass(told) -> None:
    assert told(CONF_005, dial_in(BOB, duration=20), again()).rows == [("pass", "", 1)]


def test_the_other_direction_s_key_is_another_rule(told) -> None:
    swapped = again(offer=offer_of(BOB, key="focus to bob"))
    assert told(CONF_005, dial_in(BOB, duration=20), swapped).rows == [("pass", "", 1)]


def test_somebody_else_s_key_is_another_rule(told) -> None:
    assert told(CONF_005, dial_in(BOB, duration=20), dial_in(ALICE, at=30, offer=offer_of(ALICE, key="bob"))).rows == []


def test_a_handover_continues_the_streams(told) -> None:
    """The catalogue's near miss: Replaces within a second."""
    replaces = "Replaces: in-bob-1@test;to-tag=focus-bob1;from-tag=bob1"
    handed = again(at=20, headers=(replaces,), offer=offer_of(BOB))
    finding = told(CONF_005, dial_in(BOB, duration=21), handed).finding
    assert finding.severity == Severity.INFO
    assert "continues its streams" in finding.message


def test_two_legs_at_one_time_are_no_return(told) -> None:
    """Two devices, or a session refresh inside one dialog."""
    assert told(CONF_005, dial_in(BOB, duration=60), again(offer=offer_of(BOB))).rows == []


def test_keys_that_can_not_be_read(told) -> None:
    dtls = {
        "offer": build.sdp(BOB.address[0], build.audio(4000, "UDP/TLS/RTP/SAVP")),
        "answer": build.sdp("203.0.113.10", build.audio(20_000, "UDP/TLS/RTP/SAVP")),
    }
    result = told(CONF_005, dial_in(BOB, duration=20, **dtls), again(**dtls), profile="g2")
    assert result.rows == [("not-assessed", "N-KEY", 1)]
    tickets = ticketed(BOB)
    result = told(CONF_005, dial_in(BOB, duration=20, **tickets), again(**tickets), profile="g3")
    assert result.rows == [("not-assessed", "N-KEY", 1)]


def test_a_key_of_mikey_that_is_sent_again(told) -> None:
    """The keys of media differ with the random numbers; the one that they come from is the old one."""
    clear = {"kemac": mikey.kemac(encryption=0, data=mikey.keys())}
    first = dial_in(BOB, duration=20, **ticketed(BOB, **clear))
    second = again(**ticketed(BOB, csb_id=77, rand=b"another number!!", **clear))
    result = told(CONF_005, first, second, profile="g3")
    assert result.rows == [("violation", "", 1)]
    other = {"kemac": mikey.kemac(encryption=0, data=mikey.keys(octets=b"n" * 16))}
    second = again(**ticketed(BOB, csb_id=77, rand=b"another number!!", **other))
    assert told(CONF_005, first, second, profile="g3").rows == [("pass", "", 1)]


def test_an_open_profile_is_said(told) -> None:
    """Keys beside RTP/AVP give the call no profile."""
    both = {
        "offer": build.sdp(BOB.address[0], build.audio(4000, "RTP/AVP", build.crypto("bob"))),
        "answer": build.sdp("203.0.113.10", build.audio(20_000, "RTP/AVP", build.crypto("to bob"))),
    }
    result = told(CONF_005, dial_in(BOB, duration=20, **both), again(**both))
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]
