"""Every layer of the catalog loads and works where nothing but Scapy is, and says what it reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dissectors.catalog import CATALOG

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from dissectors.catalog import CATALOG, layer
from dissectors.tree import tree
for name in CATALOG:
    kind = layer(name)
    built = bytes(kind())
    if built:
        again = kind(built)
        assert bytes(again) == built, name
        again.show(dump=True)
        assert tree(again).length == len(built), name
print([name for name in sys.modules if name.partition(".")[0] == "imsinspect" or name == "scapy.all"])
"""


def test_layers_work_in_a_plain_scapy_session() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_entries_are_in_order_and_say_what_they_are() -> None:
    assert list(CATALOG) == sorted(CATALOG)
    assert all(entry.what.startswith(("a ", "an ", "records", "TLS", "resource")) for entry in CATALOG.values())
