"""IMS-MIK-001, -002 and -003, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.mikey import A, B

MIK_001, MIK_002, MIK_003 = "IMS-MIK-001", "IMS-MIK-002", "IMS-MIK-003"
BFCP = build.media("application", 5070, "TCP/TLS/BFCP", "*")
CLEAR_BFCP = build.media("application", 5070, "TCP/BFCP", "*")
FINGERPRINT = "a=fingerprint:SHA-256 " + ":".join(["AB"] * 32)


def with_floor(offered: str | None, answered: str | None, *, floor: str = BFCP, audio: str = "") -> list[build.Packet]:
    """Audio with MIKEY at its own line, and a floor-control line; `audio` is the attribute of the audio line."""
    sides = []
    for address, attribute in ((A, offered), (B, answered)):
        line = build.audio(address[1], "RTP/SAVP", *((attribute,) if attribute else ()))
        sides.append(build.sdp(address[0], line, floor))
    return build.call(*sides)


# --- IMS-MIK-001 ----------------------------------------------------------------------------------


def test_a_floor_control_line_without_mikey_beside_audio_with_it(told) -> None:
    """The catalogue's trigger: the ticket of the audio line shows the profile."""
    result = told(MIK_001, with_floor(mikey.init().attribute(), mikey.resp().attribute()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/1", [1, 4])
    assert "application line 1 of call-1 (TCP/TLS/BFCP)" in finding.message
    assert "a=key-mgmt:mikey with data type 14" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_one_attribute_of_the_session_covers_all_lines(told) -> None:
    """The catalogue's near miss."""
    lines = (build.media("message", 2855, "TCP/TLS/MSRP", "*"), BFCP)
    offer = mikey.described(A, mikey.init(sessions=mikey.for_lines("srtp", "tls", "tls")).attribute(), *lines)
    answer = mikey.described(B, mikey.resp().attribute(), *lines)
    assert told(MIK_001, build.call(offer, answer)).rows == [("pass", "", 3)]


def test_a_profile_that_the_user_names_proves_it(told) -> None:
    packets = build.call(mikey.described(A, build.crypto("a")), mikey.described(B, build.crypto("b")))
    finding = told(MIK_001, packets, profile="g3").finding
    assert (finding.confidence, finding.severity) == ("proven", Severity.HIGH)
    assert "as was asked for" in finding.message
    assert told(MIK_001, packets, profile="e2e-sdes").rows == []


def test_an_open_profile_is_not_assessed(told) -> None:
    packets = build.call(mikey.described(A, None), mikey.described(B, None))
    assert told(MIK_001, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_lines_in_clear_are_other_rules(told) -> None:
    """rules.md 19.1.3: a clear floor line is IMS-BFCP-001."""
    packets = with_floor(mikey.init().attribute(), mikey.resp().attribute(), floor=CLEAR_BFCP)
    assert told(MIK_001, packets).rows == [("pass", "", 1)]


def test_refused_lines_are_no_object(told) -> None:
    """T-HOLD: port 0."""
    rejected = build.media("application", 0, "TCP/TLS/BFCP", "*")
    packets = with_floor(mikey.init().attribute(), mikey.resp().attribute(), floor=rejected)
    assert told(MIK_001, packets).rows == [("pass", "", 1)]


def test_an_answer_without_mikey_is_another_rule(told) -> None:
    """rules.md 19.2: without flag F none is due; with it, IMS-MIK-003 speaks."""
    assert told(MIK_001, mikey.call(mikey.init(ticket=mikey.Ticket("DEHNO")))).rows == [("pass", "", 1)]


def test_mikey_of_an_earlier_offer_covers_a_later_one(told) -> None:
    talk = build.Dialog()
    bare = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", "a=sendonly"), version=2)
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(200, "OK", mikey.described(B, mikey.resp().attribute())), False),
        (0.2, talk.request("ACK"), True),
        (5.0, talk.request("INVITE", bare, in_dialog=True), True),
        (5.1, talk.response(200, "OK", build.sdp(B[0], build.audio(B[1], "RTP/SAVP"), version=2)), False),
    ]
    assert told(MIK_001, build.carry(talk, script)).rows == [("pass", "", 1)]


def test_lines_protected_to_the_access_edge_are_none_of_these(told) -> None:
    packets = with_floor(None, None, floor=BFCP + "\r\na=3ge2ae:requested\r\n" + FINGERPRINT)
    assert ("violation", "", 1) in told(MIK_001, packets, profile="g3").rows  # the audio line
    assert told(MIK_001, packets, profile="g3").finding.subject.id == "call-1/0"


def test_an_offer_whose_answer_was_not_seen(told) -> None:
    packets = build.call(mikey.described(A, None))[:3]
    assert told(MIK_001, packets, profile="g3").rows == [("not-assessed", "N-OA", 1)]


def test_a_description_that_may_be_an_answer(told) -> None:
    packets = build.call(mikey.described(A, None), mikey.described(B, None))[3:]
    assert ("not-assessed", "N-OA", 1) in told(MIK_001, packets, profile="g3").rows


def test_a_refused_offer_is_no_session(told) -> None:
    packets = build.call(mikey.described(A, None), final=(488, "Not Acceptable Here"))
    assert told(MIK_001, packets, profile="g3").rows == []


# --- IMS-MIK-002 ----------------------------------------------------------------------------------


def older(data_type: int = 0, **parts: object) -> mikey.Message:
    """A message of RFC 3830, as far as its header goes."""
    return mikey.Message(data_type=data_type, initiator=None, responder=None, rand=None, **parts)  # type: ignore[arg-type]


def test_a_pre_shared_mode_in_a_profile_with_tickets(told) -> None:
    """The catalogue's trigger; its answer is the same fact."""
    result = told(MIK_002, mikey.call(older(0), older(1)), profile="e2e-kms")
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert finding.evidence[0].observed == "0 Pre-shared, CSB ID 0x0a0b0c0d"
    assert (finding.evidence[0].frame, finding.evidence[0].expected) == (1, "TRANSFER_INIT (14)")
    assert "data type 0, Pre-shared" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_ticket_transfer_passes(told) -> None:
    assert told(MIK_002, mikey.call(mikey.init(), mikey.resp())).rows == [("pass", "", 1)]


def test_an_error_is_a_right_answer(told) -> None:
    assert told(MIK_002, mikey.call(mikey.init(), mikey.error(14))).rows == [("pass", "", 1)]


def test_an_update_of_the_responder_passes(told) -> None:
    """The catalogue's near miss: a re-INVITE of the other side with data type 14, of the same CSB."""
    talk = build.Dialog()
    update = mikey.init(ticket=None, rand=None, at=5.0, initiator=mikey.BOB, responder=mikey.ALICE)
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(200, "OK", mikey.described(B, mikey.resp().attribute())), False),
        (0.2, talk.request("ACK"), True),
        (5.0, talk.request("INVITE", mikey.described(B, update.attribute()), in_dialog=True, from_callee=True), False),
    ]
    assert told(MIK_002, build.carry(talk, script)).rows == [("pass", "", 2)]


def test_an_answer_of_rfc_3830_to_a_ticket_is_ambiguous(told) -> None:
    finding = told(MIK_002, mikey.call(mikey.init(), older(1))).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")
    assert "ambiguous" in finding.message


def test_another_mode_in_answer_to_a_ticket(told) -> None:
    finding = told(MIK_002, mikey.call(mikey.init(), older(5))).finding
    assert (finding.verdict, finding.evidence[0].frame) == ("violation", 4)


def test_mission_critical_services_have_their_own_profile(told) -> None:
    packets = mikey.call(older(26), None)
    assert told(MIK_002, packets, profile="e2e-kms").rows == [("not-assessed", "T-POL", 1)]


def test_a_mode_without_tickets_says_nothing_of_the_profile(told) -> None:
    packets = mikey.call(older(0), older(1))
    assert told(MIK_002, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert told(MIK_002, packets, profile="rfc-only").rows == []


def test_a_header_that_is_cut_short_is_another_rule(told) -> None:
    packets = mikey.call(b"\x01", None)
    assert told(MIK_002, packets, profile="e2e-kms").rows == [("not-assessed", "IMS-MIK-038", 1)]


# --- IMS-MIK-003 ----------------------------------------------------------------------------------


def test_flag_f_and_an_answer_without_mikey(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_003, mikey.call(mikey.init()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1", [1, 4])
    assert finding.evidence[0].observed == "DEFHNO"
    assert finding.evidence[1].observed == "200, m= line 0 port 5000"
    assert "carries no MIKEY message" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_without_flag_f_no_response_is_due(told) -> None:
    """The catalogue's near miss."""
    assert told(MIK_003, mikey.call(mikey.init(ticket=mikey.Ticket("DEHNO")))).rows == [("pass", "", 1)]


def test_a_response_at_the_other_level_counts(told) -> None:
    line = build.sdp(B[0], build.audio(B[1], "RTP/SAVP", mikey.resp().attribute()))
    offer = mikey.described(A, mikey.init().attribute())
    assert told(MIK_003, build.call(offer, line)).rows == [("pass", "", 1)]


def test_a_response_of_another_csb_counts(told) -> None:
    """That it does not match is IMS-MIK-004."""
    line = build.sdp(B[0], build.audio(B[1], "RTP/SAVP", mikey.resp(csb_id=7).attribute()))
    offer = mikey.described(A, mikey.init().attribute())
    assert told(MIK_003, build.call(offer, line)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("reliable", [True, False])
def test_a_response_in_an_earlier_18x_counts(told, reliable: bool) -> None:
    """T-EARLY: the 200 repeats the description or carries none."""
    talk = build.Dialog()
    answer = mikey.described(B, mikey.resp().attribute())
    headers = ("RSeq: 1", "Require: 100rel") if reliable else ()
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(183, "Session Progress", answer, headers=headers), False),
        (0.5, talk.response(200, "OK", b"" if reliable else mikey.described(B, None)), False),
    ]
    assert told(MIK_003, build.carry(talk, script)).rows == [("pass", "", 1)]


def test_an_error_is_another_rule(told) -> None:
    assert told(MIK_003, mikey.call(mikey.init(), mikey.error(14))).rows == [("pass", "", 1)]


def test_another_message_in_place_of_the_response(told) -> None:
    finding = told(MIK_003, mikey.call(mikey.init(), older(5))).finding
    assert "carries D-H resp instead" in finding.message


def test_only_the_branch_without_a_response_is_told(told) -> None:
    """T-FORK."""
    talk = build.Dialog()
    script = [
        (0.0, talk.request("INVITE", mikey.described(A, mikey.init().attribute())), True),
        (0.1, talk.response(200, "OK", mikey.described(B, mikey.resp().attribute()), to_tag="one"), False),
        (0.2, talk.response(200, "OK", mikey.described(("198.51.100.21", 5000), None), to_tag="two"), False),
    ]
    result = told(MIK_003, build.carry(talk, script))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert result.finding.evidence[1].frame == 3


def test_an_answer_that_was_not_seen(told) -> None:
    assert told(MIK_003, mikey.call(mikey.init())[:3]).rows == [("not-assessed", "N-OA", 1)]
    preview = mikey.call(mikey.init(), early=mikey.described(B, None))[:3]
    assert told(MIK_003, preview).rows == [("not-assessed", "N-OA", 1)]


def test_a_refused_offer_needs_no_response(told) -> None:
    assert told(MIK_003, mikey.call(mikey.init(), final=(488, "Not Acceptable Here"))).rows == []
    closed = build.sdp(B[0], build.audio(0, "RTP/SAVP"))
    assert told(MIK_003, build.call(mikey.described(A, mikey.init().attribute()), closed)).rows == []


def test_an_answer_in_clear_is_another_rule(told) -> None:
    """IMS-SIG-006."""
    clear = build.sdp(B[0], build.audio(B[1], "RTP/AVP"))
    assert told(MIK_003, build.call(mikey.described(A, mikey.init().attribute()), clear)).rows == []


def test_mikey_of_the_answer_that_cannot_be_decoded(told) -> None:
    packets = build.call(mikey.described(A, mikey.init().attribute()), mikey.described(B, "a=key-mgmt:mikey %%%"))
    assert told(MIK_003, packets).rows == [("not-assessed", "IMS-MIK-038", 1)]


def test_a_ticket_that_is_cut_short(told) -> None:
    packets = mikey.call(mikey.init().octets()[:120], mikey.resp())
    assert told(MIK_003, packets).rows == [("not-assessed", "IMS-MIK-038", 1)]
