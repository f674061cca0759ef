"""Partial notifications are put over a state as RFC 4575 §4.6 says; gaps and old versions are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.confinfo.merge import (
    APPLIED,
    ENDED,
    GAP,
    OTHER_CONFERENCE,
    OUTCOMES,
    REGRESSED,
    REPEATED,
    UNKNOWN_BASE,
    UNVERSIONED,
    RosterState,
    apply,
)
from dissectors.confinfo.parse import parse

if TYPE_CHECKING:
    from dissectors.confinfo.model import Conference


def document(inside: str, version: int | None, state: str = "partial", entity: str = "sip:c@lab.test") -> Conference:
    """A document with a version."""
    numbered = "" if version is None else f' version="{version}"'
    read = parse(
        f'<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="{entity}" state="{state}"{numbered}>'
        f"{inside}</conference-info>".encode()
    )
    assert read.notes == ()
    assert read.conference is not None
    return read.conference


FULL = document(
    "<conference-description><subject>one</subject><conf-uris><entry><uri>sip:1</uri></entry></conf-uris>"
    "</conference-description><conference-state><user-count>2</user-count><active>true</active></conference-state>"
    "<users>"
    '<user entity="a"><display-text>A</display-text><endpoint entity="a1"><status>connected</status>'
    '<media id="1"><type>audio</type><status>sendrecv</status></media><media id="2"><type>video</type></media>'
    '</endpoint><endpoint entity="a2"/></user><user entity="b"/></users>',
    1,
    "full",
)
BEGUN, _ = apply(RosterState(), FULL)


def after(*documents: Conference, start: RosterState = BEGUN) -> tuple[RosterState, list[str]]:
    """The state after some documents, and what became of each."""
    outcomes = []
    for each in documents:
        start, outcome = apply(start, each)
        outcomes.append(outcome)
    return start, outcomes


def roster(state: RosterState) -> list[str]:
    """The users of a state."""
    return [one.entity for one in state.conference.participants()] if state.conference else []


def test_a_full_document_begins_a_state() -> None:
    state, outcome = apply(RosterState(), FULL)
    assert outcome == APPLIED
    assert (state.version, state.complete, roster(state)) == (1, True, ["a", "b"])


def test_users_are_added_replaced_and_taken_out() -> None:
    state, outcomes = after(
        document('<users state="partial"><user entity="c"/></users>', 2),
        document('<users state="partial"><user entity="a"><display-text>AA</display-text></user></users>', 3),
        document('<users state="partial"><user entity="b" state="deleted"/></users>', 4),
    )
    assert outcomes == [APPLIED] * 3
    assert roster(state) == ["a", "c"]
    assert state.complete
    assert state.conference is not None
    first = state.conference.participants()[0]
    assert (first.display_text, first.endpoints) == ("AA", ())  # full: nothing of the old one is left


def test_a_partial_user_keeps_what_is_not_said() -> None:
    change = (
        '<users state="partial"><user entity="a" state="partial"><endpoint entity="a1" state="partial">'
        '<status>on-hold</status><media id="2"><type>text</type></media></endpoint>'
        '<endpoint entity="a2" state="deleted"/></user></users>'
    )
    state, _ = after(document(change, 2))
    assert state.conference is not None
    user = state.conference.participants()[0]
    assert user.display_text == "A"
    (endpoint,) = user.endpoints
    assert endpoint.status == "on-hold"
    assert [(one.id, one.type, one.status) for one in endpoint.media] == [
        ("1", "audio", "sendrecv"),
        ("2", "text", None),
    ]
    assert (user.state, endpoint.state) == ("full", "full")


def test_users_that_are_full_replace_all_of_them() -> None:
    state, _ = after(document('<users><user entity="d"/></users>', 2))
    assert roster(state) == ["d"]


def test_users_that_are_deleted_are_gone() -> None:
    state, _ = after(document('<users state="deleted"/>', 2))
    assert state.conference is not None
    assert state.conference.users is None


def test_elements_without_a_state_are_replaced() -> None:
    inside = (
        "<conference-description><conf-uris state='partial'><entry><uri>sip:2</uri></entry></conf-uris>"
        "</conference-description><conference-state><user-count>3</user-count></conference-state>"
    )
    state, _ = after(document(inside, 2))
    assert state.conference is not None
    described, condition = state.conference.conference_description, state.conference.conference_state
    assert described is not None
    assert described.subject is None
    assert described.conf_uris is not None
    assert [one.uri for one in described.conf_uris.entries] == ["sip:1", "sip:2"]
    assert condition is not None
    assert (condition.user_count, condition.active) == (3, None)
    assert roster(state) == ["a", "b"]


def test_a_gap_makes_the_state_incomplete_until_the_next_full_one() -> None:
    state, outcomes = after(
        document('<users state="partial"><user entity="c"/></users>', 4),
        document('<users state="partial"><user entity="e"/></users>', 5),
    )
    assert outcomes == [GAP, APPLIED]
    assert not state.complete
    assert (state.version, roster(state)) == (5, ["a", "b", "c", "e"])
    again, outcome = apply(state, document("<users/>", 9, "full"))
    assert (outcome, again.complete, roster(again)) == (APPLIED, True, [])


def test_a_partial_document_before_any_full_one_is_no_base() -> None:
    state, outcome = apply(RosterState(), document('<users state="partial"><user entity="c"/></users>', 7))
    assert (outcome, state.complete, roster(state)) == (UNKNOWN_BASE, False, ["c"])


def test_a_known_version_is_told_by_its_content() -> None:
    change = document('<users state="partial"><user entity="c"/></users>', 2)
    other = document('<users state="partial"><user entity="mallory"/></users>', 2)
    old = document('<users state="partial"><user entity="mallory"/></users>', 1)
    refresh = document("<users><user entity='a'/></users>", 2, "full")
    state, outcomes = after(change, change, other, old, refresh)
    assert outcomes == [APPLIED, REPEATED, REGRESSED, REGRESSED, REGRESSED]
    assert roster(state) == ["a", "b", "c"]


def test_a_full_refresh_of_the_version_at_hand_is_a_repetition() -> None:
    start, _ = apply(RosterState(), document('<users><user entity="a"/></users>', 1, "full"))
    state, outcomes = after(
        document('<users state="partial"><user entity="b"/></users>', 2),
        document('<users><user entity="a"/><user entity="b"/></users>', 2, "full"),
        start=start,
    )
    assert outcomes == [APPLIED, REPEATED]
    assert roster(state) == ["a", "b"]


def test_the_end_of_a_conference_and_one_without_versions() -> None:
    state, outcomes = after(document("", 2, "deleted"))
    assert (outcomes, state.conference, state.version) == ([ENDED], None, 2)
    state, outcomes = after(document('<users state="partial"><user entity="c"/></users>', None))
    assert (outcomes, roster(state), state.version) == ([UNVERSIONED], ["a", "b", "c"], 1)


def test_another_conference_is_not_applied() -> None:
    state, outcomes = after(document("", 2, "full", "sip:other@lab.test"))
    assert (outcomes, state) == ([OTHER_CONFERENCE], BEGUN)


def test_sidebars_are_merged_by_their_entity() -> None:
    side = (
        '<sidebars-by-val state="partial"><entry entity="s1" state="{0}"><users state="{1}">{2}</users></entry>'
        "</sidebars-by-val>"
    )
    state, _ = after(
        document(side.format("full", "full", '<user entity="a"/>'), 2),
        document(side.format("partial", "partial", '<user entity="b"/>'), 3),
    )
    assert state.conference is not None
    assert state.conference.sidebars_by_val is not None
    (one,) = state.conference.sidebars_by_val.entries
    assert [user.entity for user in one.participants()] == ["a", "b"]


def test_a_state_is_not_changed_by_what_follows() -> None:
    after(document('<users state="partial"><user entity="a" state="deleted"/></users>', 2))
    assert roster(BEGUN) == ["a", "b"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_words(outcome: str) -> None:
    assert OUTCOMES[outcome]
