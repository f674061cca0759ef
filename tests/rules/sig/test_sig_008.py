"""IMS-SIG-008, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B, answer, offer
from tests.situations import exchange

SIG_008 = "IMS-SIG-008"
CLEAR = offer("RTP/AVP"), answer("RTP/AVP")
SECURE = offer(), answer()


def described(end: build.Address, proto: str, *attributes: str, port: int | None = None, ip: str = "") -> bytes:
    return build.sdp(ip or end[0], build.audio(end[1] if port is None else port, proto, *attributes), version=2)


def going_on(
    *exchanges: tuple[bytes, bytes], first: tuple[bytes, bytes] = SECURE, method: str = "INVITE"
) -> list[build.Packet]:
    """A call that goes on with further offers and answers, three seconds apart."""
    dialog = build.Dialog()
    opened = build.call(*first, dialog=dialog, duration=None)
    script = [
        step
        for number, pair in enumerate(exchanges, 1)
        for step in exchange(dialog, 3.0 * number, method, *pair)
    ]  # fmt: skip
    return build.in_time_order(opened, build.carry(dialog, script))


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_protected_line_is_agreed_in_clear_later(told, method: str) -> None:
    """The catalogue's trigger."""
    result = told(SIG_008, going_on(CLEAR, method=method))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4, 6, 7]
    assert f"was agreed as RTP/SAVP in frame 4; the {method} exchange of frame 6 and frame 7 agrees on RTP/AVP" in (
        finding.message
    )
    assert result.rows == [("violation", "", 1)]


def test_a_line_that_stays_protected(told) -> None:
    """The catalogue's near miss, and a new key."""
    idle = described(A, "RTP/SAVP", build.crypto("a"), "a=inactive"), described(B, "RTP/SAVP", build.crypto("b"))
    renewed = described(A, "RTP/SAVP", build.crypto("a2")), answer()
    assert told(SIG_008, going_on(idle, renewed)).rows == [("pass", "", 1)]


def test_what_carries_nothing_is_passed_over_and_what_follows_is_compared(told) -> None:
    """T-HOLD: inactive, no address, or refused."""
    inactive = described(A, "RTP/AVP", "a=inactive"), described(B, "RTP/AVP", "a=inactive")
    nowhere = described(A, "RTP/AVP", ip="0.0.0.0"), described(B, "RTP/AVP")
    refused = described(A, "RTP/AVP", port=0), described(B, "RTP/AVP", port=0)
    for held in (inactive, nowhere, refused):
        assert told(SIG_008, going_on(held)).rows == []
        assert told(SIG_008, going_on(held, SECURE)).rows == [("pass", "", 1)]
        assert told(SIG_008, going_on(held, CLEAR)).frames() == [1, 4, 9, 10]


def test_music_on_hold_in_clear_is_a_downgrade(told) -> None:
    held = described(A, "RTP/AVP", "a=sendonly"), described(B, "RTP/AVP", "a=recvonly")
    assert told(SIG_008, going_on(held)).frames() == [1, 4, 6, 7]


def test_best_effort_encryption_and_configurations_are_no_downgrade(told) -> None:
    keyed = described(A, "RTP/AVP", build.crypto("a2")), described(B, "RTP/AVP", build.crypto("b2"))
    taken = described(A, "RTP/AVP", "a=tcap:1 RTP/SAVP", "a=pcfg:1 t=1"), described(B, "RTP/SAVP", "a=acfg:1 t=1")
    assert told(SIG_008, going_on(keyed)).rows == [("pass", "", 1)]
    assert told(SIG_008, going_on((keyed[0], CLEAR[1]))).frames() == [1, 4, 6, 7]
    assert told(SIG_008, going_on(taken)).rows == [("pass", "", 1)]


def test_another_medium_in_the_place_of_the_first(told) -> None:
    fax = [build.sdp(end[0], build.media("image", end[1], "udptl", "t38"), version=2) for end in (A, B)]
    assert told(SIG_008, going_on((fax[0], fax[1]))).rows == []


def test_a_refused_offer_changes_nothing(told) -> None:
    dialog = build.Dialog()
    opened = build.call(*SECURE, dialog=dialog, duration=None)
    script = [
        (3.0, dialog.request("INVITE", CLEAR[0], in_dialog=True), True),
        (3.1, dialog.response(488, "Not Acceptable Here"), False),
    ]
    assert told(SIG_008, build.in_time_order(opened, build.carry(dialog, script))).rows == []


def test_an_offer_in_clear_whose_answer_was_not_seen(told) -> None:
    whole = going_on(CLEAR)
    assert told(SIG_008, whole[:6]).rows == [("not-assessed", "N-OA", 1)]
    lost_offer = whole[:5] + whole[6:]
    assert told(SIG_008, lost_offer).rows == [("not-assessed", "N-OA", 1)]


def test_a_secure_offer_answered_in_clear_is_another_rule(told) -> None:
    assert told(SIG_008, going_on((SECURE[0].replace(b" 1 IN", b" 2 IN", 1), CLEAR[1]))).rows == []


def test_calls_that_were_never_protected_and_calls_of_one_exchange(told) -> None:
    assert told(SIG_008, going_on(first=SECURE)).rows == []
    assert told(SIG_008, going_on(CLEAR, SECURE, first=CLEAR)).rows == []
