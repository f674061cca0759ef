"""Rows of calls as a person, a spreadsheet and a program get them: whole outputs, and nothing of the wire acts."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from imsinspect.report.call_views import render, to_csv, to_json
from imsinspect.report.calls import Wanted, table
from imsinspect.rules.outcome import Severity, Subject
from imsinspect.trace.model import Call
from tests import build
from tests import conference_kit as kit

if TYPE_CHECKING:
    from types import ModuleType

    from imsinspect.report.audit import Audit

HOSTILE = "\x1b]0;owned\x07\r\u202e[red]\n"


def shown(audit: Audit, encoding: str = "utf-8", width: int = 80, **wanted: object) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    found = table(audit, Wanted(**wanted))  # type: ignore[arg-type]
    render(audit, found, Console(file=file, width=width, color_system=None, force_terminal=False))
    file.flush()
    return raw.getvalue().decode()


def as_csv(audit: Audit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(table(audit, Wanted())))))


@pytest.fixture
def conference() -> Audit:
    """Alice and Bob in a conference, Alice's media in clear."""
    media = build.rtp_stream(("192.0.2.10", 4000), (kit.FOCUS_MEDIA, 20_100), 7, build.speech())
    legs = kit.dial_in(kit.ALICE, duration=30), kit.dial_in(kit.BOB, at=5, duration=None)
    return build.audit_bytes(build.pcap(build.in_time_order(*legs, media)))


def test_the_whole_view_of_a_call(failing_audit: Audit) -> None:
    assert shown(failing_audit) == (
        "1 call; 2026-11-21, times in UTC\n"
        "call-1  02:16:28  >= 12.9 s  ✖ SDES AES_CM_128_HMAC_SHA1_80, observed clear\n"
        "    1 critical, 1 low  audio  sip:alice@ims.example.org →\n"
        "      sip:bob@ims.example.org\n"
        "✖ claimed but not there\n"
        "FAIL: 1 critical, 1 low; 2 rules decided, 1 not assessed; 1 call, 1 stream, 130 packets; 2 notes\n"
    )


def test_the_whole_view_of_a_conference_in_ascii(conference: Audit) -> None:
    assert shown(conference, "ascii") == (
        "2 calls, 1 conference; 2026-01-01, times in UTC\n"
        "conference-1  00:00:00  >= 30.0 s   x SDES AES_CM_128_HMAC_SHA1_80, observed\n"
        "    clear\n"
        "    5 critical, 2 low  audio  sip:conf1@ims.example.org (2 participants)\n"
        "call-1        00:00:00  30.0 s      x SDES AES_CM_128_HMAC_SHA1_80, observed\n"
        "    clear\n"
        "    3 critical, 1 low  audio  sip:alice@ims.example.org ->\n"
        "      sip:conf1@ims.example.org  (leg of conference-1)\n"
        "call-2        00:00:05  >= 0.510 s  - SDES AES_CM_128_HMAC_SHA1_80, observed no\n"
        "    media\n"
        "    2 critical, 1 low  audio  sip:bob@ims.example.org ->\n"
        "      sip:conf1@ims.example.org  (leg of conference-1)\n"
        "x claimed but not there  - nothing seen\n"
        "FAIL: 5 critical, 2 low; 23 rules decided, 16 not assessed; 2 calls, 1 stream, 110 packets\n"
    )


def test_the_whole_view_of_an_audit_with_gaps(audit_with_gaps: Audit) -> None:
    assert shown(audit_with_gaps) == (
        "1 call; 2026-11-21, times in UTC\n"
        "call-1  02:16:28  >= 10.9 s  ? DTLS-SRTP; TLS; clear, observed SRTP (in part)\n"
        "    no findings  video, message, application\n"
        "      sip:[red]al\\x1b[31mice\\u202e@ims\\xff → sip:bob@ims.example.org\n"
        "? could not be told\n"
        "PASS WITH GAPS: no findings; rules of the first tier could not be assessed; 1 of 2 captures could not be read "
        "in full; 1 rule decided, 3 not assessed; 1 call, 2 streams, 0 packets\n"
    )


def test_the_whole_view_without_calls(make: ModuleType, empty_audit: Audit) -> None:
    subject = Subject("registration", "registration-1")
    empty_audit.findings = [make.finding("IMS-REG-003", Severity.LOW, "0001", subject=subject)]
    assert shown(empty_audit) == (
        "0 calls\n"
        "1 finding belongs to no call; `imsinspect audit` shows all\n"
        "NOTHING TO ASSESS: 1 low, below the threshold (medium); 0 rules decided, 0 not assessed; 0 calls, 0 streams, "
        "0 packets\n"
    )


def test_what_is_left_out_is_said_above(conference: Audit) -> None:
    assert shown(conference, limit=1).startswith("2 calls, 1 conference, 1 shown; 2026-01-01")
    assert shown(conference, words=("bob",)).startswith("2 calls, 1 conference; 2 match; 2026-01-01")
    assert shown(conference, words=("call-2",), limit=1).startswith("2 calls, 1 conference; 1 matches; ")
    assert shown(conference, words=("nobody",)).startswith("2 calls, 1 conference; none match\nFAIL")


def test_calls_of_several_days_have_their_day(failing_audit: Audit) -> None:
    call = failing_audit.trace.calls[0]
    later = call.first_time + 10**9 * 86_400
    failing_audit.trace.calls.append(Call("call-2", b"x", b"", b"sip:b", later, later, "failed", ended_at=later))
    assert shown(failing_audit).splitlines()[:6] == [
        "2 calls; times in UTC",
        "call-1  2026-11-21 02:16:28  >= 12.9 s  ✖ SDES AES_CM_128_HMAC_SHA1_80, observed",
        "    clear",
        "    1 critical, 1 low  audio  sip:alice@ims.example.org →",
        "      sip:bob@ims.example.org",
        "call-2  2026-11-22 02:16:28  0.000 s    ? not assessed",
    ]
    assert "    not assessed  nobody named → sip:b  (failed)\n" in shown(failing_audit)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_but_the_last_is_wider_than_the_console(conference: Audit, width: int) -> None:
    *lines, _ = shown(conference, width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_hostile_text_reaches_no_terminal(make: ModuleType, failing_audit: Audit) -> None:
    call = failing_audit.trace.calls[0]
    call.from_uri = call.to_uri = call.call_id = HOSTILE.encode()
    offer = make.OFFER.replace("AES_CM_128_HMAC_SHA1_80", "X\x1b[2J\u202e[red]")
    call.lines[0].states = [make.state(offer, None)]
    offered = call.lines[0].states[0].offered
    offered.media = HOSTILE.encode()
    file = io.StringIO()
    found = table(failing_audit, Wanted())
    render(failing_audit, found, Console(file=file, width=80, color_system="truecolor", force_terminal=True))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    assert all(line.isprintable() for line in bare.split("\n"))
    assert bare.count("[red]") == 4
    assert to_json(failing_audit, found).isascii()
    assert all(line.isprintable() for line in to_csv(found).split("\n"))
    assert to_csv(found).count("\n") == 2
    assert json.loads(to_json(failing_audit, found))["rows"][0]["from"] == HOSTILE


def test_long_names_are_cut_for_people_alone(failing_audit: Audit) -> None:
    name = "sip:" + "a" * 10_000
    failing_audit.trace.calls[0].from_uri = name.encode()
    assert "… (9844 more characters)" in " ".join(shown(failing_audit).split())
    assert as_csv(failing_audit)[0]["from"] == name


@pytest.mark.parametrize("value", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", " =1", "\t=1"])
def test_no_cell_is_a_formula(failing_audit: Audit, value: str) -> None:
    call = failing_audit.trace.calls[0]
    call.from_uri = call.to_uri = call.call_id = value.encode()
    call.lines[0].states[0].offered.media = call.lines[0].states[0].answered.media = value.encode()  # type: ignore[union-attr]
    (row,) = as_csv(failing_audit)
    for cell in (row["from"], row["to"], row["call_id"], row["media"]):
        assert cell.lstrip()[0] not in "=+-@"
        assert cell.endswith(value.strip())


def test_the_whole_table_for_spreadsheets(failing_audit: Audit) -> None:
    failing_audit.trace.calls[0].from_uri = b'sip:"a,b"@ims.example.org'
    assert to_csv(table(failing_audit, Wanted())) == (
        "id,kind,call_id,began,seconds,over,state,from,to,participants,conference,media,claimed,observed,result,"
        "critical,high,medium,low,info,suppressed,rules\n"
        "call-1,call,a84b4c76e66710@192.0.2.10,2026-11-21T02:16:28.223456Z,12.900,no,ended,"
        '"sip:""a,b""@ims.example.org",sip:bob@ims.example.org,,,audio,SDES AES_CM_128_HMAC_SHA1_80,clear,findings,'
        "1,0,0,1,0,0,IMS-SRTP-001 IMS-SRTP-006\n"
    )


def test_a_conference_in_a_spreadsheet(conference: Audit) -> None:
    row, *_ = as_csv(conference)
    assert (row["id"], row["kind"], row["from"], row["to"], row["participants"]) == (
        "conference-1", "conference", "", "sip:conf1@ims.example.org", "2",
    )  # fmt: skip


def test_the_whole_object_for_programs(failing_audit: Audit) -> None:
    assert to_json(failing_audit, table(failing_audit, Wanted())) == (
        "{\n"
        '  "schema": "imsinspect-calls/1",\n'
        '  "verdict": "fail",\n'
        '  "calls": 1,\n'
        '  "conferences": 0,\n'
        '  "matched": 1,\n'
        '  "findings_elsewhere": 0,\n'
        '  "rows": [\n'
        '    {"id": "call-1", "kind": "call", "call_id": "a84b4c76e66710@192.0.2.10", '
        '"began": "2026-11-21T02:16:28.223456Z", "seconds": 12.9, "over": false, "state": "ended", '
        '"from": "sip:alice@ims.example.org", "to": "sip:bob@ims.example.org", "uri": null, "participants": null, '
        '"conference": null, "media": ["audio"], "claimed": ["SDES AES_CM_128_HMAC_SHA1_80"], "observed": "clear", '
        '"level": "broken", "result": "findings", '
        '"findings": {"critical": 1, "high": 0, "medium": 0, "low": 1, "info": 0}, "suppressed": 0, '
        '"rules": ["IMS-SRTP-001", "IMS-SRTP-006"]}\n'
        "  ]\n"
        "}\n"
    )


def test_a_conference_for_programs(conference: Audit) -> None:
    rows = json.loads(to_json(conference, table(conference, Wanted())))["rows"]
    assert [(row["kind"], row["uri"], row["conference"]) for row in rows] == [
        ("conference", "sip:conf1@ims.example.org", None),
        ("call", None, "conference-1"),
        ("call", None, "conference-1"),
    ]
    assert rows[0]["participants"] == ["alice@ims.example.org", "bob@ims.example.org"]


def test_nothing_to_list_for_programs(empty_audit: Audit) -> None:
    found = json.loads(to_json(empty_audit, table(empty_audit, Wanted())))
    assert (found["verdict"], found["rows"]) == ("nothing-to-assess", [])
