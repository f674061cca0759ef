"""What every command that runs an audit is told: captures, and the options that decide what it finds."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.output import STANDARD_INPUT
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

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
ProfileOption = Annotated[
    Profile, typer.Option(help="What the traffic should conform to; auto finds out for each call.")
]
CapturePointOption = Annotated[
    CapturePoint, typer.Option(help="Where the captures were taken; keys inside a secured domain are no leak.")
]
AccessConfidentialityOption = Annotated[
    AccessConfidentiality, typer.Option(help="Whether the access network is declared to encrypt signalling.")
]
NdsOption = Annotated[Nds, typer.Option(help="Whether the core is declared a trusted site (network domain security).")]
KeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Keys that you hold, as JSON (docs/keys.md): packets and messages are verified with them.",
    ),
]
KeyLogOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Key log of TLS or DTLS (SSLKEYLOGFILE), to open sessions."),
]
VerifyOption = Annotated[
    Verify,
    typer.Option(help="Tags that are verified where keys are known; sample is a first look at large captures."),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Policy (TOML): who may join, nodes, thresholds, accepted findings."),
]


def given(
    profile: Profile,
    capture_point: CapturePoint,
    access_confidentiality: AccessConfidentiality,
    nds: Nds,
    keys: Sequence[Path] | None,
    keylog: Sequence[Path] | None,
    verify: Verify,
    policy: Path | None,
) -> Options:
    """The options as the pipeline takes them. Raises UsageError for a policy that can't be read."""
    from imsinspect.pipeline import Options

    return Options(
        profile=profile.value,
        capture_point=capture_point.value,
        access_confidentiality=access_confidentiality.value,
        nds=nds.value,
        keys=tuple(keys or ()),
        key_logs=tuple(keylog or ()),
        verify=verify.value,
        policy=_policy(policy),
    )


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
