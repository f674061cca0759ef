"""`imsinspect audit`: read captures, report, and leave with a status that a script can use."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.output import STANDARD_INPUT, console, is_read, replacing, write
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imsinspect.policy import Policy
    from imsinspect.report.audit import Audit


class Format(StrEnum):
    """Views of an audit."""

    TERMINAL = "terminal"
    CONCISE = "concise"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


class Threshold(StrEnum):
    """Severities, the gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Profile(StrEnum):
    """Which of the specifications' solutions to audit against (rules.md 0.3)."""

    AUTO = "auto"
    G2 = "g2"
    G3 = "g3"
    E2AE = "e2ae"
    E2E_SDES = "e2e-sdes"
    E2E_KMS = "e2e-kms"
    TR_SDES = "tr-sdes"
    TR_KMS = "tr-kms"
    IM_SIG = "im-sig"
    IM_KMS = "im-kms"
    RFC_ONLY = "rfc-only"


class CapturePoint(StrEnum):
    """Where the captures were taken (rules.md 0.10)."""

    AUTO = "auto"
    ACCESS = "access"
    CORE = "core"
    UE = "ue"
    GATEWAY = "gateway"
    CORE_SECURED = "core-secured"
    POST_DECRYPTION = "post-decryption"


class AccessConfidentiality(StrEnum):
    """What is known of the access network's own encryption."""

    UNKNOWN = "unknown"
    ASSUMED = "assumed"


class Verify(StrEnum):
    """Which of the tags whose keys are known are verified."""

    ALL = "all"
    SAMPLE = "sample"
    NONE = "none"


class Nds(StrEnum):
    """What is known of network domain security in the core."""

    UNKNOWN = "unknown"
    TRUSTED_SITE = "trusted-site"


def audit(
    captures: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE", help="Captures (pcap, pcapng, gzip or zstd), folders of them, or - for standard input."
        ),
    ],
    format: Annotated[  # noqa: A002 (the name of the option)
        Format, typer.Option("--format", "-f", help="terminal is for reading; json and jsonl hold everything.")
    ] = Format.TERMINAL,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT=]FILE",
            help="Write the report to a file, or with its format one more view of it; may be repeated.",
        ),
    ] = None,
    fail_on: Annotated[
        Threshold, typer.Option(help="Findings of this severity or a graver one end with exit status 1.")
    ] = Threshold.MEDIUM,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="A rule that must be assessed: if it leaves anything open, or has no subject, status 1.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Status 1 also where a rule of the first tier could not be assessed.")
    ] = False,
    profile: Annotated[
        Profile, typer.Option(help="What the traffic should conform to; auto finds out for each call.")
    ] = Profile.AUTO,
    capture_point: Annotated[
        CapturePoint, typer.Option(help="Where the captures were taken; keys inside a secured domain are no leak.")
    ] = CapturePoint.AUTO,
    access_confidentiality: Annotated[
        AccessConfidentiality, typer.Option(help="Whether the access network is declared to encrypt signalling.")
    ] = AccessConfidentiality.UNKNOWN,
    nds: Annotated[
        Nds, typer.Option(help="Whether the core is declared a trusted site (network domain security).")
    ] = Nds.UNKNOWN,
    keys: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Keys that you hold, as JSON (docs/keys.md): packets and messages are verified with them.",
        ),
    ] = None,
    keylog: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Key log of TLS or DTLS (SSLKEYLOGFILE), to open sessions."),
    ] = None,
    verify: Annotated[
        Verify,
        typer.Option(help="Tags that are verified where keys are known; sample is a first look at large captures."),
    ] = Verify.ALL,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Policy (TOML): who may join, nodes, thresholds, accepted findings."),
    ] = None,
    show_secrets: Annotated[
        bool, typer.Option(help="Show keys, and in JSON what opened sessions say; otherwise keys are named by digests.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress; of the terminal report only the last line.")
    ] = False,
) -> int:
    """Audit captures of IMS traffic.

    Exit status: 0 no finding at or above the threshold, 1 findings or required rules that could not be assessed,
    2 bad usage or a capture that can't be read, 3 nothing in the captures that could be assessed.
    """
    destination, views = _outputs(output or ())
    files = [*views.values(), *([destination] if destination is not None else [])]
    _check(captures, files, [*(keys or ()), *(keylog or ()), *([policy] if policy is not None else ())])

    from imsinspect.cli.progress import Progress
    from imsinspect.pipeline import Options
    from imsinspect.pipeline import audit as run
    from imsinspect.rules.outcome import Severity

    options = Options(
        profile=profile.value,
        fail_on=Severity[fail_on.name],
        capture_point=capture_point.value,
        access_confidentiality=access_confidentiality.value,
        nds=nds.value,
        keys=tuple(keys or ()),
        key_logs=tuple(keylog or ()),
        verify=verify.value,
        policy=_policy(policy),
        required=tuple(_required(require or ())),
        strict=strict,
        show_secrets=show_secrets,
    )
    with Progress(shown=not quiet and sys.stderr.isatty()) as progress:
        result = run(captures, options, progress)
    unreadable = [capture for capture in result.trace.captures if capture.error]
    for capture in unreadable:
        say(f"imsinspect: error: {capture.path}: {capture.error}")
    for view, path in views.items():
        _write(path, _report(result, view, quiet=False, to_file=True), private=show_secrets)
    if format is Format.TERMINAL and len(unreadable) == len(result.trace.captures):
        return result.exit_status
    report = _report(result, format, quiet, to_file=destination is not None)
    if destination is None:
        write(report)
    else:
        _write(destination, report, private=show_secrets)
        if not quiet:
            from imsinspect.report.terminal import closing

            say(closing(result))
    return result.exit_status


def _outputs(said: Sequence[str]) -> tuple[Path | None, dict[Format, Path]]:
    """The file of the report (None: standard output), and those of further views. Raises BadParameter."""
    destination: Path | None = None
    views: dict[Format, Path] = {}
    for each in said:
        name, separator, path = each.partition("=")
        view = Format(name) if separator and name in set(Format) else None
        if view is None and each != "-":
            if destination is not None:
                raise typer.BadParameter("one file takes the report; name the formats of others (--output FORMAT=FILE)")
            destination = Path(each)
        elif view is not None:
            if view in views or not path or path == "-":
                raise typer.BadParameter(f"--output {each}: one file for each format")
            views[view] = Path(path)
    return destination, views


def _write(path: Path, report: str, *, private: bool) -> None:
    """Whole, or not at all. Raises UsageError."""
    from imsinspect.capture.errors import UsageError

    try:
        with replacing(path, private=private) as file:
            file.write(report.encode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}") from error


def _check(captures: list[str], files: list[Path], keys: list[Path]) -> None:
    """What would be a pity to find out after an hour of reading."""
    if captures.count(STANDARD_INPUT) > 1:
        raise typer.BadParameter("standard input can be read only once")
    if STANDARD_INPUT in captures and sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal, not a capture")
    if len({path.resolve() for path in files}) < len(files):
        raise typer.BadParameter("two reports can not be written to one file")
    for path in files:
        _check_file(captures, path, keys)


def _check_file(captures: list[str], destination: Path, keys: list[Path]) -> None:
    if not destination.parent.is_dir() or destination.is_dir():
        raise typer.BadParameter(f"cannot write to {destination}: no such folder, or a folder itself")
    if destination.exists():
        from imsinspect.capture.source import expand

        if any(is_read(destination, path) for path in expand(captures)):
            raise typer.BadParameter(f"{destination} is one of the captures; the report would overwrite it")
        if any(path.exists() and destination.samefile(path) for path in keys):
            raise typer.BadParameter(f"{destination} holds keys; the report would overwrite it")


def _required(names: Sequence[str]) -> Iterator[str]:
    """Ids of rules. Raises BadParameter for a name that is none."""
    if names:
        from imsinspect.cli.rules import named

        for name in names:
            yield named(name).id


_RENDERERS = {
    Format.CONCISE: ("concise", "render"),
    Format.JSON: ("json", "render"),
    Format.JSONL: ("json", "lines"),
    Format.SARIF: ("sarif", "render"),
    Format.JUNIT: ("junit", "render"),
    Format.GITHUB: ("github", "render"),
}
"""Module and function of each view that is not for a terminal, loaded when it is asked for."""


def _report(result: Audit, wanted: Format, quiet: bool, *, to_file: bool) -> str:
    if wanted in _RENDERERS:
        module, function = _RENDERERS[wanted]
        render: Callable[[Audit], str] = getattr(import_module(f"imsinspect.report.{module}"), function)
        return render(result)

    from imsinspect.report import terminal

    if quiet:
        return terminal.closing(result) + "\n"
    screen = console(to_file=to_file)
    with screen.capture() as captured:
        terminal.render(result, screen)
    return captured.get()


def _policy(path: Path | None) -> Policy:
    """The user's policy. Raises UsageError."""
    from imsinspect.policy import Policy

    if path is None:
        return Policy()
    from imsinspect.policy_file import read_policy
    from imsinspect.rules.registry import BY_ID

    return read_policy(path, frozenset(BY_ID))
