"""Rows of calls and conferences, from capture bytes: who, when, what was agreed, what was seen, what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.pipeline import Options
from imsinspect.pipeline import audit as run_audit
from imsinspect.report.calls import CallRow, Wanted, table
from imsinspect.report.protection import Level
from imsinspect.rules.outcome import Severity, Subject, Suppressed
from imsinspect.trace.model import Call, CarriedMessage, MediaConnection, MediaLine, Protection, StreamUse
from tests import build
from tests import conference_kit as kit

if TYPE_CHECKING:
    from types import ModuleType

    from imsinspect.report.audit import Audit

SECOND = 1_000_000_000
OURS, THEIRS = ("192.0.2.10", 4000), ("198.51.100.20", 6000)
SDES = "SDES AES_CM_128_HMAC_SHA1_80"


def clear_call(
    number: int = 1, *, at: float = 0.0, packets: int = 100, duration: float | None = 10.0
) -> list[build.Packet]:
    """A call without protection."""
    ours, theirs = (OURS[0], OURS[1] + 2 * number), (THEIRS[0], THEIRS[1] + 2 * number)
    talk = build.Dialog(call_id=f"clear-{number}@test")
    offer, answer = build.sdp(ours[0], build.audio(ours[1])), build.sdp(theirs[0], build.audio(theirs[1]))
    return [
        *build.call(offer, answer, dialog=talk, at=at, duration=duration),
        *build.rtp_stream(ours, theirs, 0x1000 + number, build.speech(packets), at=at + 1),
    ]


def sdes_call(*, wire: str = "verified", packets: int = 100) -> list[build.Packet]:
    """A call with SDES keys; `wire` says what its media is."""
    offer = build.sdp(OURS[0], build.audio(OURS[1], "RTP/SAVP", build.crypto("ours")))
    answer = build.sdp(THEIRS[0], build.audio(THEIRS[1], "RTP/SAVP", build.crypto("theirs")))
    out = build.call(offer, answer)
    srtp = {"verified": "ours", "another key": "others"}
    if wire != "nothing":
        secured = build.Srtp(build.master_key(srtp[wire])) if wire in srtp else None
        out += build.rtp_stream(OURS, THEIRS, 0xA, build.speech(packets), srtp=secured)
    if wire == "clear back":
        out += build.rtp_stream(THEIRS, OURS, 0xB, build.speech(packets), srtp=build.Srtp(build.master_key("theirs")))
    return out


def listed(*parts: list[build.Packet], **wanted: object) -> list[CallRow]:
    """The rows of a capture."""
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)))
    return table(audit, Wanted(**wanted)).rows  # type: ignore[arg-type]


def only(*parts: list[build.Packet]) -> CallRow:
    (row,) = listed(*parts)
    return row


# --- what a row says ------------------------------------------------------------------------------


def test_a_clear_call_is_told_in_full() -> None:
    assert only(clear_call()) == CallRow(
        id="call-1",
        kind="call",
        call_id="clear-1@test",
        begins=build.START * SECOND,
        lasts=10_000_000_000,
        over=True,
        state="ended",
        sender="sip:alice@example.org",
        receiver="sip:bob@example.org",
        participants=(),
        conference="",
        media=("audio",),
        claimed=("clear",),
        observed="clear",
        level=Level.CLEAR,
        findings=((Severity.INFO, 1),),
        suppressed=0,
        rules=("IMS-PROF-005",),
        result="info only",
    )


@pytest.mark.parametrize(
    ("wire", "observed", "level"),
    [
        ("verified", "verified", Level.SECURED),
        ("another key", "SRTP without a valid tag", Level.UNKNOWN),
        ("clear", "clear", Level.BROKEN),
        ("clear back", "mixed", Level.BROKEN),
        ("nothing", "no media", Level.ABSENT),
    ],
)
def test_what_is_observed_of_a_call_with_sdes_keys(wire: str, observed: str, level: Level) -> None:
    row = only(sdes_call(wire=wire))
    assert (row.claimed, row.observed, row.level) == ((SDES,), observed, level)
    assert row.gravest is Severity.CRITICAL
    assert row.finding_words().startswith(f"{row.findings[0][1]} critical")


def test_control_packets_without_the_tag_that_was_agreed() -> None:
    """Their integrity was agreed and is not there, however well the media is protected."""
    sample = Path(__file__).parents[2] / "samples" / "srtcp-without-tag.pcapng"
    (row,) = table(run_audit([str(sample)], Options()), Wanted()).rows
    assert (row.observed, row.level) == ("SRTP + SRTCP without a valid tag", Level.BROKEN)


def test_tags_that_were_not_verified_are_no_proof() -> None:
    audit = build.audit_bytes(build.pcap(build.in_time_order(sdes_call())), verify="none")
    assert [row.observed for row in table(audit, Wanted()).rows] == ["SRTP"]


def test_a_call_that_goes_on_lasts_at_least_until_its_last_packet() -> None:
    row = only(clear_call(packets=200, duration=None))
    assert (row.over, row.lasts, row.state) == (False, 4_980_000_000, "confirmed")


def test_a_call_that_is_refused_one_without_an_answer_and_one_whose_line_is_refused() -> None:
    offer = build.sdp(OURS[0], build.audio(OURS[1], "RTP/SAVP", build.crypto("ours")))
    (busy,) = listed(build.call(offer, final=(486, "Busy Here")))
    assert (busy.media, busy.claimed, busy.observed) == (("audio",), ("nothing agreed",), "no media")
    assert busy.state == "failed"
    (open_end,) = listed(build.call(offer)[:3])
    assert (open_end.claimed, open_end.state, open_end.over) == ((f"offered only: {SDES}",), "early", False)
    refused = build.sdp(THEIRS[0], build.audio(0, "RTP/SAVP"))
    (row,) = listed(build.call(offer, refused))
    assert (row.media, row.claimed, row.observed) == (("audio",), ("rejected",), "no media")


def test_nothing_is_told_of_a_call_without_a_session_description() -> None:
    row = only(build.call(b"", final=(403, "Forbidden")))
    assert (row.media, row.claimed, row.observed, row.level) == ((), ("not assessed",), "not assessed", Level.UNKNOWN)


def test_a_refused_line_says_nothing_beside_others() -> None:
    offer = build.sdp(OURS[0], build.audio(OURS[1]), build.media("video", 4002, "RTP/AVP", "34"))
    answer = build.sdp(THEIRS[0], build.audio(THEIRS[1]), build.media("video", 0, "RTP/AVP", "34"))
    row = only(build.call(offer, answer), build.rtp_stream(OURS, THEIRS, 1, build.speech()))
    assert (row.media, row.claimed, row.observed) == (("audio",), ("clear",), "clear")


def test_a_fax_line_in_clear_is_not_looked_at() -> None:
    offer = build.sdp(OURS[0], build.media("image", OURS[1], "udptl", "t38"))
    answer = build.sdp(THEIRS[0], build.media("image", THEIRS[1], "udptl", "t38"))
    row = only(build.call(offer, answer))
    assert (row.media, row.claimed, row.observed) == (("image",), ("clear",), "not assessed")


def test_a_conference_covers_its_legs() -> None:
    media = build.rtp_stream(("192.0.2.10", 4000), (kit.FOCUS_MEDIA, 20_100), 7, build.speech())
    rows = listed(kit.dial_in(kit.ALICE, duration=30), kit.dial_in(kit.BOB, at=5, duration=20), media)
    conference, alice, bob = rows
    assert (conference.id, conference.kind, conference.receiver) == (
        "conference-1", "conference", "sip:conf1@ims.example.org",
    )  # fmt: skip
    assert conference.participants == ("alice@ims.example.org", "bob@ims.example.org")
    assert (conference.begins, conference.lasts, conference.over) == (build.START * SECOND, 30_010_000_000, True)
    assert (conference.media, conference.claimed, conference.observed) == (("audio",), (SDES,), "clear")
    assert (alice.conference, bob.conference, alice.observed, bob.observed) == (
        "conference-1", "conference-1", "clear", "no media",
    )  # fmt: skip
    assert set(alice.rules) | set(bob.rules) <= set(conference.rules)
    assert conference.count >= alice.count + bob.count


def test_a_conference_goes_on_while_somebody_is_in_it() -> None:
    rows = listed(kit.dial_in(kit.ALICE, duration=None), kit.dial_in(kit.BOB, at=5, duration=20))
    assert [(row.id, row.over) for row in rows] == [("conference-1", False), ("call-1", False), ("call-2", True)]


# --- findings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        Subject("call", "call-1"),
        Subject("media", "call-1/0"),
        Subject("media", "call-1.2/7"),
        Subject("stream", "stream-1"),
        Subject("rtcp", "rtcp-1"),
        Subject("mikey", "call-1 TRANSFER_INIT 0x0a0b0c0d"),
        Subject("message", "call-1 a=key-mgmt at session level"),
        Subject("message", "a84b4c76e66710@192.0.2.10"),
    ],
)
def test_findings_belong_to_the_call_of_their_subject(make: ModuleType, failing_audit: Audit, subject: Subject) -> None:
    failing_audit.findings = [make.finding("IMS-SRTP-001", Severity.HIGH, "0001", subject=subject)]
    found = table(failing_audit, Wanted())
    assert (found.rows[0].findings, found.elsewhere) == (((Severity.HIGH, 1),), 0)


def test_findings_of_no_call_are_counted_apart(make: ModuleType, failing_audit: Audit) -> None:
    failing_audit.findings = [
        make.finding("IMS-REG-003", Severity.HIGH, "0001", subject=Subject("registration", "registration-1")),
        make.finding("IMS-TLS-001", Severity.HIGH, "0002", subject=Subject("tls-session", "tls-9")),
        make.finding("IMS-SRTP-001", Severity.HIGH, "0003", subject=Subject("media", "call-11/0")),
    ]
    found = table(failing_audit, Wanted())
    assert (found.rows[0].findings, found.rows[0].finding_words(), found.elsewhere) == ((), "no findings", 3)


def test_findings_that_the_policy_accepts_are_counted(make: ModuleType, failing_audit: Audit) -> None:
    accepted = make.finding("IMS-SRTP-001", Severity.HIGH, "0001")
    failing_audit.findings, failing_audit.suppressed = [], [Suppressed(accepted, "lab", "2099-01-01")]
    (row,) = table(failing_audit, Wanted()).rows
    assert (row.suppressed, row.finding_words()) == (1, "no findings, 1 suppressed")


def test_without_any_assessment_a_call_is_not_assessed(failing_audit: Audit) -> None:
    failing_audit.findings, failing_audit.assessments = [], []
    (row,) = table(failing_audit, Wanted()).rows
    assert (row.result, row.finding_words()) == ("not assessed", "not assessed")


def test_words_for_findings(make: ModuleType, failing_audit: Audit) -> None:
    def words(*severities: Severity) -> str:
        failing_audit.findings = [
            make.finding("IMS-SRTP-001", severity, str(number)) for number, severity in enumerate(severities)
        ]
        (row,) = table(failing_audit, Wanted()).rows
        return row.finding_words()

    assert words(Severity.HIGH, Severity.CRITICAL, Severity.HIGH) == "1 critical, 2 high"
    assert words(Severity.INFO, Severity.INFO) == "2 info only"
    assert words(Severity.INFO, Severity.LOW) == "1 low, 1 info"


# --- streams, sessions and connections of one line ------------------------------------------------


def _line(audit: Audit) -> MediaLine:
    return audit.trace.calls[0].lines[0]


def test_what_is_unknown_beside_what_is_known_is_said(make: ModuleType, failing_audit: Audit) -> None:
    line = _line(failing_audit)
    line.rtcp = []
    line.streams = [
        StreamUse(make.stream(number, kind), "offerer", "source") for number, kind in enumerate(("srtp", "unknown"))
    ]
    (row,) = table(failing_audit, Wanted()).rows
    assert (row.observed, row.level) == ("SRTP (in part)", Level.UNKNOWN)
    line.streams = [StreamUse(make.stream(1, "unknown"), "offerer", "source")]
    (row,) = table(failing_audit, Wanted()).rows
    assert (row.observed, row.level) == ("not assessed", Level.UNKNOWN)


def test_clear_control_packets_without_media(failing_audit: Audit) -> None:
    _line(failing_audit).streams = []
    (row,) = table(failing_audit, Wanted()).rows
    assert (row.observed, row.level) == ("RTCP clear", Level.BROKEN)


def test_lines_of_messaging_and_floor_control(make: ModuleType, audit_with_gaps: Audit) -> None:
    def observed(number: int) -> str:
        call = audit_with_gaps.trace.calls[0]
        lines, call.lines = call.lines, [call.lines[number]]
        try:
            (row,) = table(audit_with_gaps, Wanted()).rows
        finally:
            call.lines = lines
        return row.observed

    message, floor = (audit_with_gaps.trace.calls[0].lines[number] for number in (1, 3))
    assert observed(1) == "not assessed"  # records of a session whose handshake was not seen
    session = message.tls_sessions[0]
    session.version, session.cipher_suite = "TLS 1.2", 0xC02F
    assert observed(1) == "TLS"
    session.opened_by = "null"
    assert observed(1) == "NULL"
    assert observed(3) == "no media"
    carried = CarriedMessage("bfcp", (1,), 0, make.ALICE, make.GATEWAY, "tcp", Protection.CLEAR, b"")
    connection = MediaConnection(
        "connection-1", "tcp", "bfcp", make.ALICE, make.GATEWAY, make.at(1), make.at(2), messages=[carried]
    )
    floor.connections = [connection]
    assert observed(3) == "clear"
    connection.protection = Protection.OPENED
    assert observed(3) == "not assessed"


# --- order and choice -----------------------------------------------------------------------------


@pytest.fixture
def several(make: ModuleType, failing_audit: Audit) -> Audit:
    """Four calls: one critical and broken, one with two low findings, one clear and long, one with nothing."""
    call = failing_audit.trace.calls[0]
    begin = call.first_time

    def other(number: int, seconds: int, *lines: MediaLine) -> Call:
        name = f"call-{number}"
        return Call(
            name, f"{number}@x".encode(), b"sip:Carol@ims.example.org", f"sip:dan{number}@ims.example.org".encode(),
            begin - number * SECOND, begin - number * SECOND + seconds * SECOND, "ended", lines=list(lines),
        )  # fmt: skip

    plain = make.OFFER.replace("SAVP", "AVP")
    plain = "\n".join(line for line in plain.split("\n") if not line.startswith("a=crypto"))
    media = StreamUse(make.stream(2), "offerer", "source")
    failing_audit.trace.calls += [
        other(2, 5, MediaLine("call-2/0", "call-2", 0, [make.state(make.OFFER, make.ANSWER)])),
        other(3, 50, MediaLine("call-3/0", "call-3", 0, [make.state(plain, plain)], [media])),
        other(4, 1),
    ]
    failing_audit.findings = [
        make.finding("IMS-SRTP-001", Severity.CRITICAL, "0001"),
        make.finding("IMS-SIG-001", Severity.LOW, "0002", subject=Subject("call", "call-2")),
        make.finding("IMS-SIG-001", Severity.LOW, "0003", subject=Subject("call", "call-2")),
        make.finding("IMS-PROF-005", Severity.INFO, "0004", subject=Subject("call", "call-3")),
    ]
    return failing_audit


def ids(audit: Audit, **wanted: object) -> str:
    """The numbers of the calls that are listed."""
    return "".join(row.id.removeprefix("call-") for row in table(audit, Wanted(**wanted)).rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("time", "4321"), ("duration", "3124"), ("findings", "2134"), ("severity", "1234"), ("protection", "1342")],
)
def test_orders(several: Audit, sort: str, order: str) -> None:
    assert ids(several, sort=sort) == order


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"words": ("CALL-3",)}, "3"),
        ({"words": ("carol",)}, "432"),
        ({"words": ("carol", "dan2")}, "2"),
        ({"words": ("sdes",)}, "21"),
        ({"words": ("clear",)}, "31"),
        ({"words": ("no media",)}, "2"),
        ({"words": ("not assessed",)}, "4"),
        ({"words": ("3@x",)}, "3"),
        ({"words": ("carol\nsip",)}, ""),
        ({"words": ("nobody",)}, ""),
        ({"least": Severity.CRITICAL}, "1"),
        ({"least": Severity.LOW}, "21"),
        ({"least": Severity.INFO}, "321"),
        ({"rules": frozenset(("IMS-SIG-001",))}, "2"),
        ({"rules": frozenset(("IMS-SIG-001", "IMS-SRTP-001"))}, "21"),
        ({"rules": frozenset(("IMS-TLS-001",))}, ""),
        ({"limit": 2}, "43"),
        ({"limit": 2, "sort": "severity", "words": ("carol",)}, "23"),
    ],
)
def test_what_is_asked_for_is_listed(several: Audit, wanted: dict[str, object], expected: str) -> None:
    assert ids(several, **wanted) == expected


def test_what_is_left_out_is_counted(several: Audit) -> None:
    found = table(several, Wanted(words=("carol",), limit=1))
    assert (len(found.rows), found.matched, found.calls, found.conferences) == (1, 3, 4, 0)
