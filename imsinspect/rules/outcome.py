"""What a rule says: outcomes for subjects, and findings with their proof (rules.md 0.2, 0.4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId

Verdict = Literal["violation", "suspect", "pass", "not-assessed"]
Confidence = Literal["proven", "strong", "heuristic"]


class Severity(IntEnum):
    """How bad a finding is; ordered."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def token(self) -> str:
        """The word that reports use."""
        return self.name.lower()

    def lowered(self) -> Severity:
        """One step less severe, as suspects are reported."""
        return Severity(max(self - 1, Severity.INFO))


@dataclass(slots=True, frozen=True)
class Subject:
    """What an outcome is about: a call, a media line, a stream, a TLS session …"""

    kind: str  # "call", "media", "stream", "rtcp", "tls-session", "message", "mikey", "capture" …
    id: str


@dataclass(slots=True, frozen=True)
class Evidence:
    """One frame's contribution to a finding."""

    frame: FrameId
    field: str  # a name a reader can look for: "SDP a=crypto", "ServerHello.cipher_suite"
    observed: str
    expected: str


@dataclass(slots=True)
class Outcome:
    """What a rule found for one subject."""

    verdict: Verdict
    subject: Subject
    gap: str = ""  # code of rules.md 0.6 (or a trap code used as gap) when not assessed
    reason: str = ""  # of a gap, in words: what is missing and what would settle it
    confidence: Confidence = "proven"
    severity: Severity | None = None  # other than the rule's own
    title: str = ""
    message: str = ""  # fact, place, consequence, in that order; what was not seen
    evidence: tuple[Evidence, ...] = ()
    remediation: str = ""
    filter: str = ""  # a Wireshark display filter for the evidence; built from the frames when empty
    role: str = ""  # offerer, answerer, terminal, focus: for the fingerprint
    media: str = ""  # media type and index: for the fingerprint
    direction: str = ""  # for the fingerprint
    fact: str = ""  # names what the outcome stands on; findings of rules that follow one another meet by it
    normalised: tuple[str, str] = ("", "")  # observed and required without addresses, keys, times: for the fingerprint


@dataclass(slots=True, frozen=True)
class Kind:
    """What findings of one kind have in common, whoever they are about.

    Nothing here tells of addresses, ports, SSRCs, identities, Call-IDs, keys, frames or times.
    """

    rule: str
    role: str = ""
    media: str = ""
    direction: str = ""
    observed: str = ""
    required: str = ""

    def fingerprint(self, number: int = 1) -> str:
        """A name that is the same in another capture of the same fault; `number` tells findings of one kind apart."""
        parts = (self.rule, self.role, self.media, self.direction, self.observed, self.required, str(number))
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(slots=True)
class Finding:
    """A violation or suspicion, ready for every report format."""

    rule: str
    name: str
    severity: Severity
    confidence: Confidence
    verdict: Verdict
    title: str
    message: str
    subject: Subject
    evidence: tuple[Evidence, ...]
    references: tuple[str, ...]
    remediation: str
    filters: tuple[tuple[int, str], ...]  # capture index, display filter
    fingerprint: str  # of its kind, with a number among those of one kind
    kind: Kind
    follows_from: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Suppressed:
    """A finding that the user's policy excepts."""

    finding: Finding
    reason: str
    expires: str  # ISO 8601 date


@dataclass(slots=True)
class Assessment:
    """One row for each rule, outcome and gap."""

    rule: str
    outcome: Verdict
    gap: str
    reason: str
    subjects: int
    examples: list[Subject] = field(default_factory=list)  # 10 at most
