"""What every command that runs an audit is told: captures, and the options that decide what it finds."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path  # noqa: TC003  (annotations are read)
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from imsinspect.cli.output import STANDARD_INPUT
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imsinspect.pipeline import Options
    from imsinspect.policy import Policy
    from imsinspect.report.audit import Audit


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


class Nds(StrEnum):
    """What is known of network domain security in the core."""

    UNKNOWN = "unknown"
    TRUSTED_SITE = "trusted-site"


class Verify(StrEnum):
    """Which of the tags whose keys are known are verified."""

    ALL = "all"
    SAMPLE = "sample"
    NONE = "none"


Captures = Annotated[
    list[str],
    typer.Argument(
        metavar="CAPTURE...", help="Captures (pcap, pcapng, gzip or zstd), folders of them, or - for standard input."
    ),
]


@dataclass(slots=True, frozen=True)
class Asked:
    """What decides what an audit finds, as the command line gave it."""

    profile: Annotated[
        Profile, typer.Option(help="What the traffic should conform to; auto finds out for each call.")
    ] = Profile.AUTO
    capture_point: Annotated[
        CapturePoint, typer.Option(help="Where the captures were taken; keys inside a secured domain are no leak.")
    ] = CapturePoint.AUTO
    access_confidentiality: Annotated[
        AccessConfidentiality, typer.Option(help="Whether the access network is declared to encrypt signalling.")
    ] = AccessConfidentiality.UNKNOWN
    nds: Annotated[Nds, typer.Option(help="Whether the core is declared a trusted site (network domain security).")] = (
        Nds.UNKNOWN
    )
    keys: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Keys that you hold, as JSON (docs/keys.md): packets and messages are verified with them.",
        ),
    ] = None
    keylog: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Key log of TLS or DTLS (SSLKEYLOGFILE), to open sessions."),
    ] = None
    verify: Annotated[
        Verify,
        typer.Option(help="Tags that are verified where keys are known; sample is a first look at large captures."),
    ] = Verify.ALL
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Policy (TOML): who may join, nodes, thresholds, accepted findings."),
    ] = None

    @property
    def files(self) -> list[Path]:
        """What is read beside the captures."""
        return [*(self.keys or ()), *(self.keylog or ()), *((self.policy,) if self.policy is not None else ())]

    def options(self) -> Options:
        """As the pipeline takes them. Raises UsageError for a policy that can't be read."""
        from imsinspect.pipeline import Options

        return Options(
            profile=self.profile.value,
            capture_point=self.capture_point.value,
            access_confidentiality=self.access_confidentiality.value,
            nds=self.nds.value,
            keys=tuple(self.keys or ()),
            key_logs=tuple(self.keylog or ()),
            verify=self.verify.value,
            policy=_policy(self.policy),
        )


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """A command that typer sees with the options of `Asked` in the place of its parameter `asked`."""
    own, shared = get_type_hints(command, include_extras=True), get_type_hints(Asked, include_extras=True)
    parameters = []
    for each in signature(command).parameters.values():
        if each.name == "asked":
            parameters += [
                Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=shared[field.name])
                for field in fields(Asked)
            ]
        else:
            parameters.append(each.replace(kind=Parameter.KEYWORD_ONLY, annotation=own[each.name]))

    @wraps(command)
    def run(**arguments: Any) -> int:
        asked = Asked(**{field.name: arguments.pop(field.name) for field in fields(Asked)})
        return command(asked=asked, **arguments)

    run.__signature__ = Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return run


def check_input(captures: Sequence[str]) -> None:
    """Standard input must hold a capture, and is read once. Raises BadParameter."""
    if captures.count(STANDARD_INPUT) > 1:
        raise typer.BadParameter("standard input can be read only once")
    if STANDARD_INPUT in captures and sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal, not a capture")


def run_audit(captures: Sequence[str], options: Options, *, quiet: bool = False) -> Audit:
    """Run the audit with progress on a terminal, and say of each capture that can't be read why."""
    from imsinspect.cli.progress import Progress
    from imsinspect.pipeline import audit

    with Progress(shown=not quiet and sys.stderr.isatty()) as progress:
        result = audit(captures, options, progress)
    for capture in result.trace.captures:
        if capture.error:
            say(f"imsinspect: error: {capture.path}: {capture.error}")
    return result


def _policy(path: Path | None) -> Policy:
    """The user's policy. Raises UsageError."""
    from imsinspect.policy import Policy

    if path is None:
        return Policy()
    from imsinspect.policy_file import read_policy
    from imsinspect.rules.registry import BY_ID

    return read_policy(path, frozenset(BY_ID))
