"""What docs/layers.md shows works in a plain interpreter, without the rest of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_runs_from_top_to_bottom() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "layers.md").read_text(), re.DOTALL)
    assert len(blocks) >= 5
    program = "\n".join([*blocks, "import sys", "assert not [m for m in sys.modules if m.startswith('imsinspect')]"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "OPTIONS sip:bob@example.org" in done.stdout
