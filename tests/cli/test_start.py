"""The command line starts without what only an audit needs, and leaves quietly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "scapy",
    "cryptography",
    "dissectors.sip",
    "construct",
    "rich",
    "imsinspect.pipeline",
    "imsinspect.look",
)


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from imsinspect.cli.main import run
status = run(["--help"]) or run(["audit", "--help"]) or run(["show", "--help"]) or run(["decode", "--help"])
status = status or run(["calls", "--help"]) or run(["call", "--help"])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_an_audit_imports_no_library_that_it_does_not_use() -> None:
    """Scapy serves who looks at single packets; pydantic comes with releases of typer that are not taken."""
    program = """
import sys
from imsinspect.cli.main import run
status = run(["audit", "-q", "samples/clean-call.pcapng"])
print([name for name in ("scapy", "pydantic", "rich.markdown", "defusedxml") if name in sys.modules], file=sys.stderr)
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "imsinspect", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("imsinspect ")


def test_a_reader_that_leaves_early_causes_no_noise() -> None:
    program = """
import os, sys
from imsinspect.cli.output import write as write_report
read, write = os.pipe()
os.close(read)
os.dup2(write, 1)
write_report("x" * 1000000)
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")
