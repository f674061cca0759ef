"""IMS-MSRP-001 and -002, from capture octets to findings."""

from __future__ import annotations

from typing import Any

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.rules.conftest import Told

MSRP_001, MSRP_002 = "IMS-MSRP-001", "IMS-MSRP-002"
A, B = "192.0.2.10", "198.51.100.20"
EDGE = ("P-Preferred-Identity: <sip:alice@example.org>",)  # ends at the P-CSCF
CORE = ("P-Charging-Vector: icid-value=abc",)  # inside the trust domain
TICKET = mikey.init(sessions=mikey.for_lines("tls"))
SEND = (
    f"MSRP a786hjs2 SEND\r\nTo-Path: msrp://{B}:2855/bob;tcp\r\nFrom-Path: msrp://{A}:2855/alice;tcp\r\n"
    "Message-ID: 87652491\r\n-------a786hjs2$\r\n"
).encode()


def audited(rule: str, packets: list[build.Packet], **options: Any) -> Told:
    """What a rule says of a capture, with the profiles that the tool finds or is told."""
    audit = build.audit_bytes(build.pcap(packets), **options)
    assert not [note for note in audit.notes if "failed" in note.text]
    return Told(rule, audit)  # type: ignore[arg-type]


def line(ip: str, *more: str, proto: str = "TCP/MSRP", path: str = "", port: int = 2855) -> bytes:
    """A description with one line of messages."""
    name, scheme = "alice" if ip == A else "bob", "msrps" if "TLS" in proto else "msrp"
    return build.sdp(
        ip, build.media("message", port, proto, "*", f"a=path:{path or f'{scheme}://{ip}:2855/{name};tcp'}", *more)
    )


def chat(
    *more: str,
    proto: str = "TCP/MSRP",
    answered: str = "",
    headers: tuple[str, ...] = (),
    paths: tuple[str, str] = ("", ""),
    port: int = 2855,
    dialog: build.Dialog | None = None,
) -> list[build.Packet]:
    """A call with that line."""
    talk = dialog or build.Dialog()
    offer = line(A, *more, proto=proto, path=paths[0])
    answer = line(B, *more, proto=answered or proto, path=paths[1], port=port)
    script = [
        (0.0, talk.request("INVITE", offer, headers=headers), True),
        (0.5, talk.response(200, "OK", answer), False),
        (0.6, talk.request("ACK"), True),
        (9.0, talk.request("BYE", in_dialog=True), True),
        (9.1, talk.response(200, "OK", method="BYE"), False),
    ]
    return build.carry(talk, script)


def sent() -> list[build.Packet]:
    """A message in clear."""
    connection = build.TcpConnection((A, 40_000), (B, 2855))
    return [*connection.open(1.0), *connection.send(1.1, SEND)]


# --- IMS-MSRP-001 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["g3", "e2e-kms"])
def test_a_clear_line_where_the_kms_protects_media(profile: str) -> None:
    """The catalogue's trigger."""
    result = audited(MSRP_001, chat(), profile=profile)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 2]
    assert "agreed as TCP/MSRP on port 2855, although the KMS solution" in finding.message
    assert "Not seen: its messages" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_messages_in_clear_are_shown() -> None:
    result = audited(MSRP_001, build.in_time_order(chat(), sent()), profile="g3")
    assert result.frames() == [1, 2, 7]
    assert "Seen in clear: 1 message from frame 7 on" in result.finding.message


def test_the_core_side_of_protection_to_the_access_edge_is_clear_by_design() -> None:
    """The catalogue's near miss, T-E2AE."""
    assert audited(MSRP_001, chat(headers=CORE), profile="e2ae").rows == []


def test_the_access_side_of_protection_to_the_access_edge() -> None:
    result = audited(MSRP_001, chat(headers=EDGE), profile="e2ae")
    assert "although protection to the access edge" in result.finding.message
    assert result.rows == [("violation", "", 1)]


def test_nothing_shows_the_side() -> None:
    """N-DIR."""
    assert audited(MSRP_001, chat(), profile="e2ae").rows == [("not-assessed", "N-DIR", 1)]


@pytest.mark.parametrize("profile", ["g3", "e2ae"])
def test_a_line_with_tls_passes(profile: str) -> None:
    assert audited(MSRP_001, chat(proto="TCP/TLS/MSRP", headers=EDGE), profile=profile).rows == [("pass", "", 1)]


def test_other_profiles_have_no_object() -> None:
    """In G.2 conferences TLS with the server is out of scope; RFCs alone ask for nothing."""
    assert audited(MSRP_001, chat(headers=EDGE), profile="g2").rows == []
    assert audited(MSRP_001, chat(), profile="rfc-only").rows == []


def test_an_open_profile() -> None:
    assert audited(MSRP_001, chat()).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_a_ticket_on_the_clear_line_shows_the_solution() -> None:
    result = audited(MSRP_001, chat(TICKET.attribute()))
    assert [row[0] for row in result.rows] == ["violation"]
    assert "the KMS solution" in result.finding.message


def test_the_indicator_on_the_clear_line_shows_the_solution() -> None:
    result = audited(MSRP_001, chat("a=3ge2ae:requested"))
    assert result.rows == [("violation", "", 1)]


def test_an_answer_that_turns_tls_off() -> None:
    result = audited(MSRP_001, chat(proto="TCP/TLS/MSRP", answered="TCP/MSRP"), profile="g3")
    assert result.rows == [("violation", "", 1)]


def test_a_refused_line_is_right() -> None:
    assert audited(MSRP_001, chat(port=0), profile="g3").rows == []


def test_the_answer_was_not_seen() -> None:
    """N-OA."""
    assert audited(MSRP_001, chat()[:1], profile="g3").rows == [("not-assessed", "N-OA", 1)]


def test_messages_of_sip_are_no_media() -> None:
    dialog = build.Dialog()
    packets = build.carry(dialog, [(0.0, dialog.request("MESSAGE", b"hello", content_type="text/plain"), True)])
    assert audited(MSRP_001, packets, profile="g3").rows == []


def test_calls_without_messages_have_no_object() -> None:
    call = build.call(build.sdp(A, build.audio(4000)), build.sdp(B, build.audio(5000)))
    assert audited(MSRP_001, call, profile="g3").rows == []


# --- IMS-MSRP-002 ---------------------------------------------------------------------------------

CLEAR_PATHS = (f"msrp://{A}:2855/alice;tcp", f"msrp://{B}:2855/bob;tcp")
SECURE_PATHS = (f"msrps://{A}:2855/alice;tcp", f"msrps://{B}:2855/bob;tcp")


def test_a_clear_path_on_a_line_with_tls(told) -> None:
    """The catalogue's trigger."""
    result = told(MSRP_002, chat(proto="TCP/TLS/MSRP", headers=EDGE, paths=(CLEAR_PATHS[0], "")))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [(each.frame, each.observed, each.expected) for each in finding.evidence] == [
        (1, f"TCP/TLS/MSRP, {CLEAR_PATHS[0]}", "msrps://")
    ]
    assert "The offerer of message line 0 of call-1 describes TCP/TLS/MSRP in frame 1" in finding.message
    assert "may connect in clear" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_both_sides_of_a_line_are_one_finding(told) -> None:
    result = told(MSRP_002, chat(proto="TCP/TLS/MSRP", paths=CLEAR_PATHS))
    assert result.frames() == [1, 2]
    assert result.rows == [("violation", "", 1)]


def test_a_secure_path_on_a_clear_line(told) -> None:
    finding = told(MSRP_002, chat(paths=SECURE_PATHS)).finding
    assert finding.severity == Severity.MEDIUM
    assert "may begin TLS where the line is clear" in finding.message


def test_paths_that_fit(told) -> None:
    assert told(MSRP_002, chat()).rows == [("pass", "", 1)]
    assert told(MSRP_002, chat(proto="TCP/TLS/MSRP")).rows == [("pass", "", 1)]


def test_the_core_side_of_a_rewritten_line_stays_silent(told) -> None:
    """The catalogue's near miss: the secure line with the same path is in the capture."""
    dialog = build.Dialog(("203.0.113.1", 5060), ("203.0.113.2", 5060), call_id="core", from_tag="x", to_tag="y")
    core = chat("a=msrp-cema", headers=CORE, paths=SECURE_PATHS, dialog=dialog)
    access = chat("a=msrp-cema", proto="TCP/TLS/MSRP", headers=EDGE)
    assert told(MSRP_002, build.in_time_order(access, core)).rows == [("pass", "", 2)]


def test_the_core_side_alone_is_information(told) -> None:
    finding = told(MSRP_002, chat(headers=CORE, paths=SECURE_PATHS)).finding
    assert (finding.severity, finding.verdict) == (Severity.INFO, "violation")
    assert "It counts as information only" in finding.message


def test_a_clear_path_on_a_secure_line_of_the_core_is_no_rewriting(told) -> None:
    packets = chat(proto="TCP/TLS/MSRP", headers=CORE, paths=CLEAR_PATHS)
    assert told(MSRP_002, packets).finding.severity == Severity.MEDIUM


def test_over_relays_either_end_of_the_path_may_fit(told) -> None:
    relayed = tuple(f"msrps://relay.example.org:2855/r;tcp {path}" for path in CLEAR_PATHS)
    assert told(MSRP_002, chat(proto="TCP/TLS/MSRP", paths=relayed)).rows == [("pass", "", 1)]
    assert told(MSRP_002, chat(paths=relayed)).rows == [("pass", "", 1)]
    clear = tuple(f"msrp://relay.example.org:2855/r;tcp {path}" for path in CLEAR_PATHS)
    assert told(MSRP_002, chat(proto="TCP/TLS/MSRP", paths=clear)).rows == [("violation", "", 1)]


def test_the_case_of_the_scheme_does_not_matter(told) -> None:
    upper = tuple(path.replace("msrps", "MSRPS") for path in SECURE_PATHS)
    assert told(MSRP_002, chat(proto="TCP/TLS/MSRP", paths=upper)).rows == [("pass", "", 1)]


def test_refused_lines_and_lines_without_paths(told) -> None:
    offer, answer = (build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*")) for ip in (A, B))
    assert told(MSRP_002, build.call(offer, answer)).rows == []
    wrong = chat(proto="TCP/TLS/MSRP", paths=("", CLEAR_PATHS[1]), port=0)
    assert told(MSRP_002, wrong).rows == [("pass", "", 1)]


def test_schemes_and_transports_of_others_are_not_judged(told) -> None:
    web = tuple(path.replace("msrps", "https") for path in SECURE_PATHS)
    assert told(MSRP_002, chat(paths=web)).rows == [("pass", "", 1)]
    assert told(MSRP_002, chat(proto="TCP/WSS/MSRP", paths=SECURE_PATHS)).rows == []
