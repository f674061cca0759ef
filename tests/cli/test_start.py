"""The command line starts without what only an audit needs, and leaves quietly."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "scapy", "cryptography", "dissectors", "construct", "rich", "imsinspect.pipeline", "imsinspect.trace")


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from imsinspect.cli.main import run
status = run(["--help"]) or run(["audit", "--help"])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "imsinspect", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("imsinspect ")


def test_a_reader_that_leaves_early_causes_no_noise() -> None:
    program = """
import os, sys
from imsinspect.cli.audit import _write
read, write = os.pipe()
os.close(read)
os.dup2(write, 1)
_write("x" * 1000000)
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")
