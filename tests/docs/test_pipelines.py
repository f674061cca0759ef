"""What pipelines copy: the action, the workflow, the job and the container, linted; and their commands, run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.scripts import DOCS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = DOCS.parent
ACTION = ROOT / ".github" / "actions" / "imsinspect"
EXAMPLES = DOCS / "examples"
PROGRAMS = Path(sys.executable).parent
SAMPLES = ROOT / "samples"
LAB = "captures of a lab"


def lint(*command: str | Path) -> tuple[int, str]:
    """A linter of the extra `dev` by its name, without the network."""
    program = PROGRAMS / str(command[0])
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    return done.returncode, done.stdout + done.stderr


ZIZMOR = ("zizmor", "--offline", "--no-progress", "--persona", "pedantic", "--no-config")
LINTED: dict[str, tuple[str | Path, ...]] = {
    "action-zizmor": (*ZIZMOR, ACTION / "action.yml"),
    "workflow-zizmor": (*ZIZMOR, EXAMPLES / "github-workflow.yml"),
    "action-schema": ("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION / "action.yml"),
    "workflow-schema": (
        "check-jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        EXAMPLES / "github-workflow.yml",
    ),
    "gitlab-schema": (
        "check-jsonschema",
        "--builtin-schema",
        "vendor.gitlab-ci",
        "--data-transform",
        "gitlab-ci",
        EXAMPLES / "gitlab-ci.yml",
    ),
    "action-shell": ("shellcheck", ACTION / "audit.sh"),
    "ci-shell": ("shellcheck", "--exclude=SC2016", ROOT / ".ci" / "run"),
    "container": ("hadolint", EXAMPLES / "Containerfile"),
}


@pytest.mark.parametrize("command", LINTED.values(), ids=LINTED)
def test_a_linter_finds_nothing(command: tuple[str | Path, ...]) -> None:
    status, said = lint(*command)
    assert status == 0, said


def test_the_linters_find_what_they_are_there_for(tmp_path: Path) -> None:
    action = (ACTION / "action.yml").read_text(encoding="utf-8")
    (tmp_path / "action.yml").write_text(
        action.replace('run: bash "$GITHUB_ACTION_PATH/audit.sh"', 'run: audit.sh "${{ inputs.captures }}"')
    )
    assert "template-injection" in lint(*ZIZMOR, tmp_path / "action.yml")[1]
    (tmp_path / "gitlab.yml").write_text("job: {script: [x], allow_failure: {exit_code: 3}}\n")
    assert lint(*LINTED["gitlab-schema"][:-1], tmp_path / "gitlab.yml")[0] == 1
    (tmp_path / "Containerfile").write_text("FROM docker.io/library/python\nRUN pip install x\n")
    assert "DL3006" in lint("hadolint", tmp_path / "Containerfile")[1]


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is on no package index as a program")
def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(["actionlint", EXAMPLES / "github-workflow.yml"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# --- the action -----------------------------------------------------------------------------------


def test_inputs_of_the_action_reach_the_script_in_variables_alone() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    (step,) = action["runs"]["steps"]
    assert "${{" not in step["run"]
    given = {value for value in step["env"].values() if "inputs." in value}
    assert given == {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    script = (ACTION / "audit.sh").read_text(encoding="utf-8")
    assert [name for name in step["env"] if f"${name}" not in script and f"${{{name}:" not in script] == []


def test_the_workflow_gives_and_takes_what_the_action_has() -> None:
    text = (EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    (step,) = (each for each in job["steps"] if each["uses"].startswith("OWNER/"))
    folder = step["uses"].partition("@")[0].removeprefix("OWNER/imsinspect/")
    action = yaml.safe_load((ROOT / folder / "action.yml").read_text(encoding="utf-8"))
    assert step["with"].keys() <= action["inputs"].keys()
    assert set(re.findall(rf"steps\.{step['id']}\.outputs\.(\w+)", text)) <= action["outputs"].keys()
    later = job["steps"][job["steps"].index(step) + 1 :]
    assert later
    assert [each["name"] for each in later if not each["if"].startswith("always() && ")] == []


class Run:
    """One run of the action's script: what it leaves."""

    def __init__(self, folder: Path, inputs: dict[str, str]) -> None:
        self.folder = folder
        output, summary = folder / "output", folder / "summary"
        output.write_text("")
        summary.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_ACTION_PATH": str(ACTION),
            "IMSINSPECT": str(folder / "imsinspect"),
        }
        done = subprocess.run(
            ["bash", ACTION / "audit.sh"],
            cwd=folder,
            env=environment | inputs,
            capture_output=True,
            text=True,
            check=False,
        )
        self.status, self.log, self.errors = done.returncode, done.stdout, done.stderr
        self.outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.summary = summary.read_text()


@pytest.fixture
def act(tmp_path: Path) -> Callable[..., Run]:
    """Runs the script of the action in a folder with samples, a policy and nothing else."""
    program = tmp_path / "imsinspect"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imsinspect "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    captures = tmp_path / LAB
    captures.mkdir()
    for name in ("plain-rtcp-on-sdes-call", "clean-call", "nothing-to-assess"):
        shutil.copy(SAMPLES / f"{name}.pcapng", captures)

    def run(captures: str, **inputs: str) -> Run:
        return Run(tmp_path, {"CAPTURES": captures} | inputs)

    return run


def test_findings_fail_the_action_and_all_reports_are_there(act: Callable[..., Run]) -> None:
    run = act(f"{LAB}/plain-*.pcapng\n")
    assert (run.status, run.errors) == (1, "")
    assert run.outputs["status"] == "1"
    reports = Path(run.outputs["reports"])
    assert {"imsinspect.sarif", "imsinspect.junit.xml", "imsinspect.json"} <= {each.name for each in reports.iterdir()}
    assert run.outputs["sarif"] == str(reports / "imsinspect.sarif")
    assert f"::error file={LAB}/plain-rtcp-on-sdes-call.pcapng,line=1" in run.log
    if (reports / "imsinspect.md").exists():
        assert run.summary == (reports / "imsinspect.md").read_text(encoding="utf-8")


def test_a_clean_call_passes(act: Callable[..., Run]) -> None:
    run = act(f"{LAB}/clean-call.pcapng", FAIL_ON="high", POLICY="", REQUIRE="", STRICT="false", BASELINE="")
    assert (run.status, run.outputs["status"]) == (0, "0")


def test_several_captures_policy_and_threshold_are_handed_on(act: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "a policy.toml").write_text(
        "[rule.IMS-SIG-001]\nseverity = 'low'\n[rule.IMS-SRTP-002]\nseverity = 'low'\n"
    )
    captures = f"  {LAB}/plain-rtcp-on-sdes-call.pcapng \r\n\n {LAB}/clean-call.pcapng\n"
    run = act(captures, POLICY="a policy.toml")
    assert (run.status, run.errors) == (0, "")
    assert "2 calls" in run.log
    assert act(captures, POLICY="a policy.toml", FAIL_ON="low").status == 1


@pytest.mark.parametrize(
    ("captures", "inputs", "status"),
    [
        (f"{LAB}/nothing-to-assess.pcapng", {}, 3),
        (f"{LAB}/nothing-to-assess.pcapng", {"REQUIRE": "IMS-SRTP-001\n IMS-SRTP-002 "}, 1),
        (f"{LAB}/clean-call.pcapng", {"STRICT": "true"}, 1),
        (f"{LAB}/clean-call.pcapng", {"STRICT": "maybe"}, 2),
        (f"{LAB}/clean-call.pcapng", {"FAIL_ON": "never"}, 2),
        (f"{LAB}/clean-call.pcapng", {"REQUIRE": "IMS-NO-001"}, 2),
        (f"{LAB}/clean-call.pcapng", {"BASELINE": "none.json"}, 2),
        ("none.pcapng", {}, 2),
        ("\n \n", {}, 2),
        ("-", {}, 2),
    ],
)
def test_the_status_is_that_of_the_audit(
    act: Callable[..., Run], captures: str, inputs: dict[str, str], status: int
) -> None:
    run = act(captures, **inputs)
    assert (run.status, run.outputs["status"]) == (status, str(status))


HOSTILE = ("$(touch pwned)`touch pwned`", "x; touch pwned", "'\"; touch pwned; '\"", "--output=pwned")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_input_becomes_a_command_or_another_option(act: Callable[..., Run], tmp_path: Path, text: str) -> None:
    clean = f"{LAB}/clean-call.pcapng"
    for inputs in (
        {"CAPTURES": text},
        {"CAPTURES": clean, "POLICY": text},
        {"CAPTURES": clean, "FAIL_ON": text},
        {"CAPTURES": clean, "REQUIRE": text},
        {"CAPTURES": clean, "BASELINE": text},
        {"CAPTURES": clean, "VERSION": text, "REPOSITORY": "o/r", "IMSINSPECT": ""},
    ):
        run = act(inputs.pop("CAPTURES"), **inputs)
        assert run.status == 2, inputs
        assert run.outputs["status"] == "2"
        assert not (tmp_path / "pwned").exists()


@pytest.fixture
def known(act: Callable[..., Run], tmp_path: Path) -> str:
    """A baseline of the call with plain RTCP."""
    subprocess.run(
        [
            tmp_path / "imsinspect",
            "baseline",
            "create",
            "-q",
            f"{LAB}/plain-rtcp-on-sdes-call.pcapng",
            "-o",
            "known.json",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    shutil.copy(SAMPLES / "plain-rtp-on-savp.pcapng", tmp_path)
    return "known.json"


def test_with_a_baseline_only_what_is_new_or_must_be_assessed_fails(act: Callable[..., Run], known: str) -> None:
    same = f"{LAB}/plain-rtcp-on-sdes-call.pcapng"
    run = act(same, BASELINE=known)
    assert (run.status, run.errors) == (0, "")
    assert Path(run.outputs["sarif"]).is_file()
    assert act(same, BASELINE=known, REQUIRE="IMS-SRTP-002").status == 0
    assert act(same, BASELINE=known, REQUIRE="IMS-BFCP-001").status == 1
    assert act("plain-rtp-on-savp.pcapng", BASELINE=known).status == 1


def test_what_was_captured_gives_the_runner_no_commands(act: Callable[..., Run], known: str) -> None:
    """All that is not written as annotations stands between a token that nobody can guess."""
    lines = act("plain-rtp-on-savp.pcapng", BASELINE=known).log.splitlines()
    commands = [line for line in lines if line.lstrip().startswith("::")]
    tokens = [re.fullmatch("::stop-commands::([0-9a-f]{32})", line) for line in commands[::2]]
    assert commands[1::2] == [f"::{token[1]}::" for token in tokens if token]
    assert len(commands) == 4
    assert [lines[0], lines[-1]] == [commands[0], commands[-1]]


# --- other pipelines ------------------------------------------------------------------------------


def test_the_job_for_gitlab_runs_and_leaves_what_it_promises(tmp_path: Path) -> None:
    job: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))["imsinspect"]
    (tmp_path / "captures").mkdir()
    shutil.copy(SAMPLES / "plain-rtcp-on-sdes-call.pcapng", tmp_path / "captures")
    shutil.copy(EXAMPLES / "policy.toml", tmp_path / "imsinspect.toml")
    program = tmp_path / "bin" / "imsinspect"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imsinspect "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    (command,) = job["script"]
    done = subprocess.run(
        ["sh", "-e", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    promised = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    assert [name for name in promised if not (tmp_path / name).is_file()] == []


def test_the_container_has_what_the_package_is_built_from_and_no_root() -> None:
    text = (EXAMPLES / "Containerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE) for name in line.split()[:-1]}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert copied == {*packages, "pyproject.toml", project["project"]["readme"], "LICENSE"}
    last = text.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert 'ENTRYPOINT ["imsinspect"]' in last
