"""`imsinspect audit --format html`: the page of a real capture, keys only on request, the same octets each time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from imsinspect.cli.main import run

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
SDES = str(ROOT / "samples" / "plain-rtcp-on-sdes-call.pcapng")
INLINE = re.compile(rb"inline:([\w+/=]{40})")


def test_keys_stand_in_the_page_on_request_only_and_it_warns_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [each.decode() for each in INLINE.findall(Path(SDES).read_bytes())]
    assert len(keys) == 2
    assert run(["audit", "--format", "html", "-q", SDES]) == 1
    page = capsys.readouterr().out
    assert [key for key in keys if key in page] == []
    assert "This page shows keys" not in page
    run(["audit", "--format", "html", "-q", "--show-secrets", SDES])
    page = capsys.readouterr().out
    assert [key for key in keys if key in page] == keys
    assert "This page shows keys" in page


def test_a_page_in_a_file_is_the_one_on_standard_output(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    assert run(["audit", "--output", f"html={report}", "--format", "html", "-q", SDES]) == 1
    page = capsys.readouterr().out
    assert report.read_text(encoding="ascii") == page
    assert page.startswith("<!DOCTYPE html>\n")
    assert "<title>FAIL: 4 critical (" in page
    assert page.endswith("</html>\n")


def test_the_page_does_not_depend_on_the_order_of_sets() -> None:
    pages = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "imsinspect", "audit", "-q", "--format", "html", SDES]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        pages.add(subprocess.run(command, capture_output=True, check=False, cwd=ROOT, env=environment).stdout)
    (page,) = pages
    assert page.endswith(b"</html>\n")


def test_templates_are_loaded_for_the_page_alone() -> None:
    program = f"""
import sys
from imsinspect.cli.main import run
status = run(["audit", "-q", "--format", "json", "--output", "/dev/null", {SDES!r}])
print("jinja2" in sys.modules, file=sys.stderr)
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (1, "False\n")
