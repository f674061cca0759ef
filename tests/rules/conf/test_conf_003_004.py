"""IMS-CONF-003 and IMS-CONF-004: group keys when somebody leaves or joins."""

from __future__ import annotations

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    FOCUS,
    MALLORY,
    PROXY,
    Notify,
    User,
    answer_of,
    dial_in,
    document,
    offer_of,
    roster_user,
    subscribe,
)
from tests.rules.conf.conftest import quiet_until, ticketed

CONF_003, CONF_004 = "IMS-CONF-003", "IMS-CONF-004"
STUDY = {"profile": "tr-sdes"}
END = quiet_until(400)


def member(user: User, *, at: float = 0.0, duration: float | None = None, key: str = "group") -> list[build.Packet]:
    """A leg whose media from the focus has a group key."""
    return dial_in(user, at=at, duration=duration, answer=answer_of(user, key=key))


def rekeyed(user: User, at: float, key: str = "group, new") -> list[build.Packet]:
    """The focus' re-INVITE with another key."""
    talk = build.Dialog(
        PROXY, FOCUS, f"in-{user.name}-1@test", user.uri, "sip:conf1@ims.example.org", f"{user.name}1",
        f"focus-{user.name}1",
    )  # fmt: skip
    talk.cseq, talk.branch = 50, 50
    invite = talk.request(
        "INVITE", answer_of(user, key=key).replace(b"o=- 1 1", b"o=- 1 2"), in_dialog=True, from_callee=True
    )
    reply = talk.response(200, "OK", offer_of(user).replace(b"o=- 1 1", b"o=- 1 2"), from_callee=False)
    ack = talk.request("ACK", in_dialog=True, from_callee=True)
    return build.carry(talk, [(at, invite, False), (at + 0.1, reply, True), (at + 0.2, ack, False)])


# --- IMS-CONF-003 ---------------------------------------------------------------------------------


def test_the_others_keep_the_key_for_minutes(told) -> None:
    result = told(CONF_003, member(ALICE), member(BOB, at=1, duration=30), member(CAROL, at=2), END, **STUDY)
    finding = result.finding
    assert result.rows == [("violation", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.MEDIUM, "strong", "call-2")
    assert "bob@ims.example.org left" in finding.message
    assert "alice@ims.example.org, carol@ims.example.org kept for at least 368 seconds" in finding.message
    assert "key:" in finding.message
    assert result.frames() == [13, 7, 3, 11]


def test_new_keys_in_time(told) -> None:
    """The catalogue's near miss: after 30 seconds."""
    changes = rekeyed(ALICE, 61), rekeyed(CAROL, 62)
    result = told(CONF_003, member(ALICE), member(BOB, at=1, duration=30), member(CAROL, at=2), *changes, END, **STUDY)
    assert result.rows == [("pass", "", 1)]


def test_new_keys_too_late_or_not_for_all(told) -> None:
    for changes in ((rekeyed(ALICE, 161), rekeyed(CAROL, 162)), (rekeyed(ALICE, 61),)):
        parts = member(ALICE), member(BOB, at=1, duration=30), member(CAROL, at=2)
        assert told(CONF_003, *parts, *changes, END, **STUDY).rows == [("violation", "", 1)]


def test_leaves_in_a_burst_need_one_new_key(told) -> None:
    parts = member(ALICE), member(BOB, at=1, duration=30), member(CAROL, at=2, duration=45)
    assert told(CONF_003, *parts, rekeyed(ALICE, 80), END, **STUDY).rows == [("pass", "", 2)]


def test_one_whom_the_roster_drops_has_left(told) -> None:
    """No BYE was seen, but the focus tells the others that Bob is gone."""
    gone = roster_user(BOB.uri, status="disconnected")
    said = Notify(0.1, document(ALICE, BOB, CAROL)), Notify(30, document(gone, version=2, state="partial"))
    roster = subscribe(ALICE, *said, at=5)
    parts = member(ALICE), member(BOB, at=1), member(CAROL, at=2), roster
    finding = told(CONF_003, *parts, END, **STUDY).finding
    assert finding.evidence[0].field == "conference-info: no longer in the roster"
    assert told(CONF_003, *parts, rekeyed(ALICE, 61), rekeyed(CAROL, 62), END, **STUDY).rows == [("pass", "", 1)]


def test_individual_keys_need_no_new_ones(told) -> None:
    assert told(CONF_003, dial_in(ALICE, duration=None), dial_in(BOB, at=1, duration=30), END, **STUDY).rows == []


def test_the_window_is_not_over(told) -> None:
    parts = member(ALICE), member(BOB, at=1, duration=30)
    assert told(CONF_003, *parts, quiet_until(60), **STUDY).rows == [("not-assessed", "T-MID", 1)]
    short = Policy(thresholds=Thresholds(conf_rekey_window=5 * 10**9))
    assert told(CONF_003, *parts, quiet_until(60), policy=short, **STUDY).rows == [("violation", "", 1)]


def test_the_last_ones_leave(told) -> None:
    parts = member(ALICE, duration=40), member(BOB, at=1, duration=30)
    assert told(CONF_003, *parts, END, **STUDY).rows == [("pass", "", 1)]


def test_keys_that_can_not_be_read(told) -> None:
    parts = dial_in(ALICE, duration=None, **ticketed(ALICE)), dial_in(BOB, at=1, duration=30, **ticketed(BOB))
    assert told(CONF_003, *parts, END, profile="tr-kms").rows == [("not-assessed", "N-KEY", 1)]
    assert told(CONF_004, *parts, END, profile="tr-kms").rows == [("not-assessed", "N-KEY", 1)]


def test_other_profiles_have_no_group_keys(told) -> None:
    """They are IMS-SSRC-005 there."""
    parts = member(ALICE), member(BOB, at=1, duration=30), END
    for rule in (CONF_003, CONF_004):
        assert told(rule, *parts).rows == []


def test_an_open_profile_is_said(told) -> None:
    def open_leg(user: User, at: float, duration: float | None) -> list[build.Packet]:
        offer = build.sdp(user.address[0], build.audio(4000, "RTP/AVP", build.crypto(user.name)))
        answer = build.sdp("203.0.113.10", build.audio(20_000, "RTP/AVP", build.crypto("group")))
        return dial_in(user, at=at, duration=duration, offer=offer, answer=answer)

    parts = open_leg(ALICE, 0, None), open_leg(BOB, 100, 30), END
    for rule in (CONF_003, CONF_004):
        assert told(rule, *parts).rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-CONF-004 ---------------------------------------------------------------------------------


def test_a_newcomer_gets_a_key_of_twenty_minutes(told) -> None:
    result = told(CONF_004, member(ALICE), member(BOB, at=1), member(MALLORY, at=1_200), **STUDY)
    finding = result.finding
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert (finding.severity, finding.confidence, finding.subject.id) == (Severity.LOW, "strong", "call-3")
    assert "which alice@ims.example.org had had for 1200 seconds" in finding.message
    assert result.frames() == [3, 11]


def test_all_get_a_new_key_when_somebody_joins(told) -> None:
    """The catalogue's near miss."""
    changes = rekeyed(ALICE, 300), rekeyed(BOB, 301)
    newcomer = member(CAROL, at=302, key="group, new")
    result = told(CONF_004, member(ALICE), member(BOB, at=1), *changes, newcomer, **STUDY)
    assert result.rows == [("pass", "", 2)]


def test_the_start_of_a_conference(told) -> None:
    result = told(CONF_004, member(ALICE), member(BOB, at=20), member(CAROL, at=50), **STUDY)
    assert result.rows == [("pass", "", 2)]


def test_a_newcomer_with_a_key_of_its_own(told) -> None:
    assert told(CONF_004, member(ALICE), member(BOB, at=1), dial_in(CAROL, at=300), **STUDY).rows == [("pass", "", 1)]
