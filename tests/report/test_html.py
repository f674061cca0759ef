"""The page for a reviewer, read back with a parser: whole, with nothing active in it that is not ours, and bounded."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.frames import frame_id
from imsinspect.report.escape import printable
from imsinspect.report.html import render
from imsinspect.report.ladder_svg import STYLE
from imsinspect.report.view import view
from imsinspect.rules.outcome import Severity, Subject, Suppressed
from imsinspect.rules.required import Unmet
from imsinspect.trace.model import Call, CaptureInfo, Note
from tests import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from imsinspect.report.audit import Audit

OURS = ("192.0.2.10", 4000)
EXPECTED = Path(__file__).parent / "expected"
TEMPLATES = Path(__file__).parents[2] / "imsinspect" / "report" / "templates"
VOID = frozenset(("meta", "br", "input"))
ELEMENTS = frozenset((
    "html", "head", "meta", "title", "style", "script", "body", "header", "nav", "main", "section", "article", "footer",
    "h1", "h2", "h3", "h4", "p", "ul", "li", "dl", "dt", "dd", "div", "details", "summary", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "a", "bdi", "br", "code", "span", "strong", "label", "select", "option", "input",
    "button", "output", "svg", "desc", "rect", "line", "path", "text", "tspan", "g",
))  # fmt: skip
ATTRIBUTES = frozenset((
    "lang", "charset", "http-equiv", "content", "name", "class", "href", "aria-label", "aria-labelledby", "aria-hidden",
    "id", "role", "tabindex", "scope", "hidden", "value", "type", "autocomplete", "spellcheck", "for", "open",
    "data-severity", "data-rule", "data-owners",
    "xmlns", "xml:space", "viewbox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "rx", "d", "fill", "stroke",
    "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "font-family", "font-size", "font-weight",
    "text-anchor",
))  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style></script></title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "&lt;b&gt;&#x3c;",
    "\0\x1b[31m\u202e\u2066gnp.exe\u200b",
    "\udc80\ud800",
    "A" * 1_000_000,
)


def sdes(seed: str, address: build.Address) -> bytes:
    """SDP with a key for one audio line."""
    return build.sdp(address[0], build.audio(address[1], "RTP/SAVP", build.crypto(seed)))


class Read(HTMLParser):
    """The elements, attributes and texts of a page; every element that needs it is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.sources: dict[str, list[str]] = {"style": [], "script": []}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.sources:
            self.sources[self.open[-1]].append(data)
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def of(self, attribute: str) -> Iterator[str]:
        """The values of one attribute in the whole page."""
        return (attributes[attribute] or "" for _, attributes in self.elements if attribute in attributes)


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def check(page: str) -> Read:
    """What holds of every page."""
    assert page.isascii()
    read = Read(page)
    assert {tag for tag, _ in read.elements} <= ELEMENTS
    assert {name for _, attributes in read.elements for name in attributes} <= ATTRIBUTES
    ids = list(read.of("id"))
    assert len(ids) == len(set(ids))
    assert all(value.startswith("#") for value in read.of("href"))
    assert {value[1:] for value in read.of("href")} <= set(ids)
    named = [each for name in ("aria-labelledby", "for") for value in read.of(name) for each in value.split()]
    assert set(named) <= set(ids)
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    pictures = sum(tag == "svg" for tag, _ in read.elements)
    assert read.sources == {"style": [style, *[STYLE] * pictures], "script": [script]}
    policy = next(each for _, each in read.elements if each.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == (
        f"default-src 'none'; style-src {_hash(style)} {_hash(STYLE)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    return read


def test_the_whole_page_of_a_failing_call(failing_audit: Audit) -> None:
    """But for what is tested elsewhere: style, script, the picture and the pages of the rules."""
    page = render(failing_audit)
    check(page)
    for element in ("style", "script", r'section aria-labelledby="rules"'):
        page = re.sub(rf"(<{element}>).*?(</{element.split()[0]}>)", r"\1…\2", page, flags=re.DOTALL)
    page = re.sub(r"(<svg ).*?(</svg>)", r"\1…\2", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[\w+/=]+", "sha256-…", page)
    assert page == (EXPECTED / "failing.html").read_text(encoding="utf-8")


def test_a_page_of_gaps_shows_what_is_missing_and_a_hostile_name_in_full(audit_with_gaps: Audit) -> None:
    read = check(render(audit_with_gaps))
    assert r"sip:[red]al\x1b[31mice\u202e@ims\xff → sip:bob@ims.example.org" in read.text
    assert "N-HS: the TLS or DTLS handshake was not fully captured" in read.text
    assert "PASS WITH GAPS: no findings; rules of the first tier could not be assessed" in read.text
    assert "error: no capture: the first octets are 7f454c46" in read.text


def test_a_page_of_nothing_says_so(empty_audit: Audit) -> None:
    read = check(render(empty_audit))
    assert "NOTHING TO ASSESS: no findings" in read.text
    assert "none: nothing could be assessed" in read.text
    assert "none: no INVITE session was read from the captures" in read.text
    assert "filter-text" not in list(read.of("id"))


def test_what_is_required_and_what_is_accepted_stands_with_its_reason(make: ModuleType, failing_audit: Audit) -> None:
    failing_audit.unmet = [Unmet("IMS-SRTP-016", "N-KEY", "no key")]
    accepted = make.finding("IMS-TLS-001", Severity.HIGH, "0009", title="A cipher that does not encrypt")
    failing_audit.suppressed = [Suppressed(accepted, "until the gateway is renewed", "2027-01-31")]
    read = check(render(failing_audit))
    assert "IMS-SRTP-016 N-KEY: no key" in read.text
    assert "until the gateway is renewed2027-01-31" in read.text
    assert "suppressed only" in read.text


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_and_never_active(hostile: str, make: ModuleType, failing_audit: Audit) -> None:
    trace = failing_audit.trace
    call = trace.calls[0]
    call.from_uri = call.to_uri = call.call_id = hostile.encode("utf-8", "surrogatepass")
    trace.captures[0].path = trace.captures[0].format = hostile
    trace.captures[0].link_types = trace.captures[0].notes = [hostile]
    trace.captures.append(CaptureInfo(hostile, error=hostile))
    trace.tls_sessions[0].cipher_suite_name = hostile
    failing_audit.notes = [Note(None, hostile), Note(make.at(1).frame, hostile)]
    hostile_finding = make.finding(
        "IMS-SRTP-001",
        Severity.HIGH,
        "0001",
        title=hostile,
        message=hostile,
        remediation=hostile,
        references=(hostile,),
        evidence=(make.Evidence(make.at(1).frame, hostile, hostile, hostile),) * 3,
        filters=((0, hostile),),
        subject=Subject("message", hostile),
    )
    failing_audit.findings = [hostile_finding]
    failing_audit.suppressed = [Suppressed(hostile_finding, hostile, hostile)]
    failing_audit.unmet = [Unmet("IMS-SRTP-001", hostile, hostile)]
    failing_audit.assessments[-1].reason = failing_audit.assessments[-1].gap = hostile
    failing_audit.assessments[-1].examples = [Subject("stream", hostile)]
    page = render(failing_audit)
    read = check(page)
    assert len(page) < 100_000
    assert all(character.isprintable() or character == "\n" for character in read.text)
    if hostile.isprintable() and len(hostile) < 100:
        assert read.text.count(hostile) > 20


@pytest.mark.parametrize("name", ["</svg><script>alert(1)</script>", "' onload='x", "]]><!--", "\x1b[2J\u202e"])
def test_hostile_names_of_a_capture_are_shown_in_the_ladder_and_never_active(name: str) -> None:
    talk = build.Dialog(from_uri=f"sip:{name}@example.org")
    parts = [(0.0, talk.request("INVITE", sdes("ours", OURS)), True), (0.1, talk.response(200, name), False)]
    read = check(render(build.audit_bytes(build.pcap(build.carry(talk, parts)))))
    assert list(read.of("aria-label")).count("Ladder of call-1") == 1
    assert read.text.count(printable(name)) >= 2  # of names, what stands before a ">"
    assert all(character.isprintable() or character == "\n" for character in read.text)


def test_a_call_id_that_looks_like_an_id_does_not_hide_a_call() -> None:
    talks = [build.Dialog(call_id="call-2"), build.Dialog(call_id="other")]
    parts = [
        build.carry(
            talk, [(at, talk.request("INVITE", sdes("ours", OURS)), True), (at + 0.1, talk.response(200, "OK"), False)]
        )
        for at, talk in enumerate(talks)
    ]
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)))
    assert [call.call_id for call in audit.trace.calls] == [b"call-2", b"other"]
    ids = list(check(render(audit)).of("id"))
    assert "ladder-call-1-title" in ids
    assert "ladder-call-2-title" in ids


def test_the_way_of_each_frame_and_the_parties_are_named(make: ModuleType, failing_audit: Audit) -> None:
    stream = failing_audit.trace.streams[0]
    failing_audit.findings = [
        make.finding("IMS-SRTP-001", Severity.HIGH, "0001", subject=Subject("stream", stream.id)),
    ]
    shown = view(failing_audit).findings.rows[0]
    assert shown.direction == "192.0.2.10:49170 → [2001:db8::1]:40000"
    assert [row.way for row in shown.evidence.rows] == ["", shown.direction]
    assert [(link.words, who) for link, who in shown.parties.rows] == [
        ("call-1", "sip:alice@ims.example.org → sip:bob@ims.example.org")
    ]


def test_thousands_of_calls_and_findings_are_bounded_and_the_rest_is_counted(
    make: ModuleType, failing_audit: Audit
) -> None:
    first = failing_audit.trace.calls[0]
    failing_audit.trace.calls = [
        Call(f"call-{n}", b"x", b"sip:a", b"sip:b", first.first_time, first.last_time, "ended") for n in range(1, 2_001)
    ]
    failing_audit.findings = [
        make.finding(rule, Severity.HIGH, f"{rule}-{n}", subject=Subject("call", f"call-{n}"))
        for rule in ("IMS-SRTP-001", "IMS-SRTP-002", "IMS-SIG-001")
        for n in range(1, 2_001)
    ]
    page = render(failing_audit)
    read = check(page)
    assert len(page) < 4_000_000
    assert list(read.of("id")).count("finding-600") == 1
    left = "and 5400 more findings (1800 IMS-SIG-001, 1800 IMS-SRTP-001, 1800 IMS-SRTP-002; the JSON report holds all)"
    assert left in read.text
    assert "and 1000 more calls and conferences (`imsinspect calls` shows all)" in read.text
    assert "and 1980 more calls with findings (`imsinspect call CAPTURE ID` shows any of them)" in read.text
    assert sum(1 for _ in read.of("open")) == 41  # the first findings, and the captures


def test_every_list_of_one_finding_is_bounded(make: ModuleType, failing_audit: Audit) -> None:
    evidence = tuple(make.Evidence(frame_id(0, n), "field", "x" * 10_000, "y" * 10_000) for n in range(1, 500))
    followers = [
        make.finding("IMS-SRTP-006", Severity.LOW, f"f{n}", follows_from=["0001"], evidence=evidence) for n in range(50)
    ]
    filters = tuple((0, "z" * 10_000) for _ in range(100))
    failing_audit.findings = [
        make.finding("IMS-SRTP-001", Severity.HIGH, "0001", evidence=evidence, filters=filters),
        *followers,
    ]
    page = render(failing_audit)
    read = check(page)
    assert len(page) < 300_000
    assert "and 487 more rows of evidence" in read.text
    assert "and 40 more findings" in read.text
    assert "… (9600 more characters)" in read.text


def test_the_same_audit_gives_the_same_octets(failing_audit: Audit) -> None:
    assert render(failing_audit) == render(failing_audit)


@pytest.mark.parametrize(
    ("name", "ours"), [("page.html", ["style", "picture", "script"]), ("ladder.html", ["style", "picture"])]
)
def test_nothing_but_our_own_style_script_and_pictures_is_put_in_unescaped(name: str, ours: list[str]) -> None:
    template = (TEMPLATES / name).read_text(encoding="utf-8")
    assert re.findall(r"(\w+)\s*\|\s*safe", template) == ours
    assert re.findall(r"autoescape|forceescape|Markup|xmlattr|tojson|urlize", template) == []


# --- how it looks ---------------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_of_text_stand_out_from_their_ground(scheme: int) -> None:
    """4.5 to 1, as WCAG 2.2 asks of text (1.4.3)."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]))
    for name in ("ink", "quiet", "link", "good", "bad", "medium"):
        for ground in ("ground", "raised"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for badge in ("critical", "high", "medium", "low", "info"):
        assert _contrast(colours[badge], colours["on-badge"]) >= 4.5, badge


def test_style_and_script_load_nothing_and_make_no_markup() -> None:
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    assert (style + script).isascii()
    assert "</" not in style + script
    assert re.findall(r"url\(|@import|@font-face", style) == []
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function|fetch|import\b|XML", script) == []
    )
