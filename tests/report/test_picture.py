"""What a terminal shows, as a picture."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from rich.console import Console

from imsinspect.report.picture import svg
from imsinspect.report.terminal import render

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit


def test_the_picture_is_xml_without_foreign_addresses(failing_audit: Audit) -> None:
    file = io.StringIO()
    render(failing_audit, Console(file=file, width=100, color_system="truecolor", force_terminal=True))
    picture = svg(file.getvalue(), title="imsinspect audit <call>.pcap\x1b")
    root = ET.fromstring(picture)
    words = "".join(root.itertext()).replace("\u00a0", " ")
    assert "IMS-SRTP-001" in words
    assert "<call>.pcap\\x1b" in words
    assert set(re.findall(r"https?://[^\"' ]+", picture)) == {"http://www.w3.org/2000/svg"}


def test_colours_of_the_terminal_are_those_of_the_picture() -> None:
    picture = svg("\x1b[1;31mCRITICAL\x1b[0m and [red]no markup[/red]\n", title="x")
    assert ".imsinspect-r1 { fill: #f06161;font-weight: bold }" in picture
    assert "[red]no&#160;markup[/red]" in picture
