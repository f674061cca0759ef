"""Draws docs/report.svg from a real run: `python docs/picture.py samples/FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from imsinspect.pipeline import Options, audit
from imsinspect.report.terminal import svg

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    picture = svg(audit([sys.argv[1]], Options()), title=f"imsinspect audit {sys.argv[1]}")
    Path(__file__).with_name("report.svg").write_text(picture, encoding="utf-8")
