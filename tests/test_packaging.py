"""What newcomers and packagers rely on: the README's commands, the dependencies, the licence, light imports."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOUNDATION = {"scapy", "construct", "rich", "typer", "numpy", "cryptography", "defusedxml"}
WITH_A_REASON = {"zstandard", "jinja2"}


def code_blocks() -> list[tuple[str, list[str]]]:
    """Language and lines of every fenced block of the README."""
    return [
        (language, body.splitlines())
        for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    ]


def test_readme_has_exactly_two_commands_of_one_line_each() -> None:
    blocks = code_blocks()
    assert [language for language, _ in blocks] == ["sh", "sh"]
    assert [len(lines) for _, lines in blocks] == [1, 1]
    audit, tests = (lines[0] for _, lines in blocks)
    for command in (audit, tests):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert re.search(r"&& \.venv/bin/imsinspect audit samples/\S+$", audit)
    assert re.search(r"'\.\[dev\]' && \.venv/bin/pytest -q -n auto --dist worksteal$", tests)


def test_readme_audits_a_sample_that_exists() -> None:
    sample = re.search(r"imsinspect audit (samples/\S+)$", code_blocks()[0][1][0])
    assert sample is not None
    assert (ROOT / sample[1]).is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_links_of_a_page_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [target for target in targets if target and not (ROOT / page).parent.joinpath(target).exists()] == []


def test_dependencies_are_the_foundation_and_those_that_the_readme_gives_a_reason_for() -> None:
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in PROJECT["dependencies"]}
    assert names == FOUNDATION | WITH_A_REASON
    for name in WITH_A_REASON:
        assert re.search(rf"^- {name}: \w+", README, re.MULTILINE)


def test_every_dependency_says_from_which_version_on() -> None:
    extras = [requirement for group in PROJECT["optional-dependencies"].values() for requirement in group]
    versions = re.compile(r"[\w.-]+(\[\w+\])?>=[\d.]+(,<[\d.]+)?")
    assert [each for each in PROJECT["dependencies"] + extras if not versions.fullmatch(each)] == []


def test_licence_is_the_one_that_pyproject_names() -> None:
    assert PROJECT["license"] == "GPL-2.0-only"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_dissectors_package_imports_nothing() -> None:
    tree = ast.parse((ROOT / "dissectors" / "__init__.py").read_text(encoding="utf-8"))
    assert [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)] == []


@pytest.mark.parametrize("module", ["dissectors", "imsinspect"])
def test_importing_a_package_loads_no_scapy_and_no_numpy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert loaded & {"scapy", "numpy", "construct", "rich", "typer", "cryptography"} == set()


def test_lean_parsers_import_no_scapy() -> None:
    """Parsers for what comes by the hundred thousand stand apart from the Scapy layers that show them."""
    parsers = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(ROOT.glob("dissectors/*/parse.py"))
    ]
    code = (
        f"import sys, importlib; [importlib.import_module(name) for name in {parsers!r}]; print(*sorted(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "scapy" not in result.stdout.split()


def test_ci_script_is_sound_shell_and_finds_the_test_command() -> None:
    script = ROOT / ".ci" / "run"
    subprocess.run(["bash", "-n", str(script)], check=True)
    extract = "sed -n '/^```sh$/,/^```$/p' README.md | grep -F pytest"
    assert extract in script.read_text(encoding="utf-8")
    found = subprocess.run(["bash", "-c", extract], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert found.splitlines() == code_blocks()[1][1]


PEERLESS = """\
import pytest

def test_program(peer):
    peer("no-such-program")

def test_library(peer_module):
    peer_module("no_such_library")

@pytest.mark.skip(reason="by hand")
def test_by_hand(): ...

def test_that_finds_its_peers(peer, peer_module):
    assert peer("sh")
    assert peer_module("json").dumps(1) == "1"
"""


@pytest.mark.parametrize(
    ("under_ci", "status", "summary"), [("", 0, "1 passed, 4 skipped"), ("true", 1, "2 failed, 1 passed, 2 errors")]
)
def test_missing_peer_skips_here_and_fails_under_ci(under_ci: str, status: int, summary: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "interop" / "conftest.py", tmp_path)
    (tmp_path / "test_peerless.py").write_text(PEERLESS)
    (tmp_path / "test_whole_module.py").write_text("import pytest\npytest.importorskip('no_such_library')\n")
    environment = os.environ | {"CI": under_ci}
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "-p", "no:cacheprovider", "."]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert summary in result.stdout
    assert result.returncode == status


def test_the_templates_are_part_of_what_is_installed() -> None:
    installed = {str(each) for each in files("imsinspect") or ()}
    if "imsinspect/report/html.py" not in installed:
        pytest.skip("not installed, or not from these sources")
    templates = {str(each.relative_to(ROOT)) for each in (ROOT / "imsinspect/report/templates").iterdir()}
    assert templates <= installed
