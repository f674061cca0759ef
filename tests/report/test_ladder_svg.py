"""The ladder as a picture: well-formed, without anything active, complete, and legible where colours are not seen."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from imsinspect.report.ladder import ladder
from imsinspect.report.ladder_svg import DARK, DASHES, LIGHT, STYLE, render, svg
from imsinspect.report.protection import Level
from tests import build
from tests.report.test_html import _contrast
from tests.report.test_ladder import OURS, THEIRS, conference, of, sdes, secured

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "g", "line", "path", "text", "tspan")}


def read(picture: str) -> ET.Element:
    """The picture as a program reads it; only elements that draw or describe are in it, and no handler or address."""
    root = ET.fromstring(picture)
    for element in root.iter():
        assert element.tag in DRAWN
        for name in element.attrib:
            assert not name.startswith("on")
            assert "href" not in name
    assert "url(" not in picture
    assert "<style>" + STYLE + "</style>" in picture
    return root


def texts(root: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def call() -> str:
    return svg(
        of(
            build.call(sdes("ours", OURS), sdes("theirs", THEIRS)),
            secured("ours", OURS, THEIRS),
            build.rtp_stream(THEIRS, OURS, 99, build.speech(20), at=1.5),
        )
    )


def test_every_arrow_has_its_words_its_sign_and_a_line_of_its_kind() -> None:
    root = read(call())
    assert [words for words in texts(root) if re.match(r"[✔✖○?–] \S+.*, \w+( \[|$)", words)] == [
        "○ INVITE, clear [1]",
        "○ 100 Trying, clear",
        "○ 180 Ringing, clear",
        "○ 200 OK, clear [2]",
        "○ ACK, clear",
        "✔ audio begins, verified",
        "✖ audio begins, clear [3]",
        "○ BYE, clear",
        "○ 200 OK (BYE), clear",
    ]
    dashes = {line.get("stroke-dasharray", "") for line in root.iter(f"{SVG}line")}
    assert dashes == {DASHES[level] for level in (Level.SECURED, Level.BROKEN, Level.CLEAR)}
    assert len(set(DASHES.values())) == len(Level)


def test_a_reader_of_the_page_is_told_what_it_shows() -> None:
    root = read(call())
    title, description = root[0], root[1]
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby") or "").split() == [title.get("id"), description.get("id")]
    assert title.text == "call-1: audio  sip:alice@example.org → sip:bob@example.org"
    assert (description.text or "").startswith("Ladder of 9 arrows between 2 lifelines. Observed mixed; ")


def test_a_file_is_the_same_picture_and_the_same_octets_each_time() -> None:
    capture = build.pcap(build.call(sdes("ours", OURS), sdes("theirs", THEIRS)))
    one, other = (render(ladder(build.audit_bytes(capture), "call-1")) for _ in range(2))
    assert one == other
    assert one.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg ')
    assert one.endswith("</svg>\n")


@pytest.mark.parametrize(
    "name", ["</text><script>alert(1)</script>", '" onload="x', "<!--", "&amp;&x;", "]]>", "\x00\x1b[2J\u202e\ufffe"]
)
def test_hostile_names_are_shown_and_never_markup(name: str) -> None:
    talk = build.Dialog(from_uri=f"sip:{name}@example.org")
    reason = f"OK {name}".replace("\x00", "")
    parts = [(0.0, talk.request("INVITE", sdes("ours", OURS)), True), (0.1, talk.response(200, reason), False)]
    picture = svg(of(build.carry(talk, parts)))
    read(picture)
    assert "<script" not in picture
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ufffe]", picture)


def test_a_conference_of_twenty_is_drawn_inside_its_bounds() -> None:
    root = read(svg(conference(20)))
    width, height = (int(root.get(name) or 0) for name in ("width", "height"))
    assert width == 2740
    for text in root.iter(f"{SVG}text"):
        assert 0 < int(text.get("x") or 0) < width
        assert 0 < int(text.get("y") or 0) < height
    heads = [words for words in texts(root) if words.startswith("user")]
    assert len(heads) == 2 * 20  # above, and again below so long a ladder


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(colours: dict[str, str]) -> None:
    for name in colours.keys() - {"ground", "raised", "edge"}:
        assert _contrast(colours[name], colours["ground"]) >= 4.5
    assert _contrast(colours["ink"], colours["raised"]) >= 4.5
