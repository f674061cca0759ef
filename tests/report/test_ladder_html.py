"""The ladder of a call as a page: self-contained, nothing active, complete, and hostile text as text."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from imsinspect.report.ladder_html import render
from tests import build
from tests.report.test_html import TEMPLATES, Read
from tests.report.test_ladder import OURS, THEIRS, conference, of, sdes, secured

LOADING = frozenset(("src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "style"))


class Cells(Read):
    """Cells stand apart in the text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        self.text += " " if tag in ("td", "th", "dt", "dd", "br") else ""


def read(page: str) -> Read:
    """What holds of every page: ASCII, closed, no script, no address but of its own parts, style by hash alone."""
    assert page.isascii()
    found = Cells(page)
    assert "script" not in {tag for tag, _ in found.elements}
    names = {name for _, attributes in found.elements for name in attributes}
    assert not names & LOADING
    assert not any(name.startswith("on") for name in names)
    ids = list(found.of("id"))
    assert len(ids) == len(set(ids))
    assert {value.removeprefix("#") for value in found.of("href")} <= set(ids)
    assert {each for value in found.of("aria-labelledby") for each in value.split()} <= set(ids)
    sources = found.sources["style"]
    assert sources[0] == (TEMPLATES / "page.css").read_text(encoding="utf-8")
    hashes = " ".join(f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in sources)
    policy = next(each for _, each in found.elements if each.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'"
    return found


def rows(found: Read) -> str:
    return re.sub(r"\s+", " ", found.text)


def call(**named: str) -> str:
    talk = build.Dialog(**named)  # type: ignore[arg-type]
    return render(
        of(
            build.call(sdes("ours", OURS), sdes("theirs", THEIRS), dialog=talk),
            secured("ours", OURS, THEIRS),
            build.rtp_stream(THEIRS, OURS, 99, build.speech(20), at=1.5),
        )
    )


def test_the_page_holds_the_picture_and_all_that_stands_below() -> None:
    found = read(call())
    shown = rows(found)
    assert [tag for tag, _ in found.elements].count("svg") == 1
    assert "✖ claimed SDES AES_CM_128_HMAC_SHA1_80, observed mixed; 3 critical" in shown
    assert "0.000 1 A → B INVITE ○ clear offer: audio RTP/SAVP, a=crypto" in shown
    assert "offer in frame 1, answer in frame 4; agreed: SDES AES_CM_128_HMAC_SHA1_80" in shown
    assert "a=crypto 1 AES_CM_128_HMAC_SHA1_80 key b21df5bc 1 AES_CM_128_HMAC_SHA1_80 key ab30bb68" in shown
    assert "verified 20 with key b21df5bc, failed 0" in shown
    assert "[1] critical IMS-SIG-001 1 SRTP master key readable in SIP" in shown
    assert "filter frame.number in {1}" in shown


def test_numbers_lead_from_arrows_to_findings() -> None:
    found = read(call())
    assert sorted(set(found.of("href"))) == ["#finding-1", "#finding-2", "#finding-3"]


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style></svg>{{ 7 * 7 }}", "\x1b[31m\u202e"],
)
def test_hostile_names_are_shown_and_never_markup(name: str) -> None:
    found = read(call(from_uri=f"sip:{name}@example.org"))
    assert "img" not in {tag for tag, _ in found.elements}
    shown = name.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert f"sip:{shown}".partition(">")[0].rstrip() in found.text


def test_a_conference_of_twenty_and_the_same_octets_each_time() -> None:
    found = conference(20)
    page = render(found)
    assert page == render(found)
    assert "user19@ims.example.org" in rows(read(page))
