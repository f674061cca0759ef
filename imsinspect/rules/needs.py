"""What rules need of a trace: where it is absent a rule has no subject, where it may be hidden its gap is said.

A rule names its needs; the evaluation asks them once for all rules. A rule whose need is absent and not hidden is not
applicable. What may be hidden is a gap of every rule that needs it (rules.md 19.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.facts import hidden_signalling, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imsinspect.rules.outcome import Outcome
    from imsinspect.trace.model import Trace


@dataclass(slots=True, frozen=True)
class Need:
    """Something that rules look at."""

    name: str  # in words, for lists of rules
    present: Callable[[Trace], bool]
    gaps: Callable[[Trace], Iterator[Outcome]]  # where it may be, and could not be seen


def _no_gaps(trace: Trace) -> Iterator[Outcome]:
    return iter(())


def _carries(kind: str) -> Callable[[Trace], bool]:
    return lambda trace: any(each.kind == kind for each in trace.carried)


def _has_floor_lines(trace: Trace) -> bool:
    return any(
        line.states and line.states[0].offered.profile.family == "bfcp" for call in trace.calls for line in call.lines
    )


SIP = Need("SIP", lambda trace: bool(trace.messages), hidden_signalling)
CALLS = Need("calls", lambda trace: bool(trace.calls), hidden_signalling)
MEDIA = Need("calls or media", lambda trace: bool(trace.calls or trace.streams or trace.rtcp_sources), sealed)
PAGES = Need("page-mode messages", lambda trace: bool(trace.pages), hidden_signalling)
AGREEMENTS = Need("Security-Verify lists", lambda trace: bool(trace.agreements), hidden_signalling)
REGISTRATIONS = Need("registrations", lambda trace: bool(trace.registrations), hidden_signalling)
CONFERENCES = Need("conferences", lambda trace: bool(trace.conferences), hidden_signalling)
MIKEY = Need("MIKEY messages", lambda trace: bool(trace.mikey or trace.key_mgmt_faults), hidden_signalling)
TLS = Need("TLS or DTLS", lambda trace: bool(trace.tls_sessions), _no_gaps)
MSRP = Need("MSRP", _carries("msrp"), _no_gaps)
BFCP = Need("floor control", _carries("bfcp"), _no_gaps)
H248 = Need("gateway control", _carries("h248"), _no_gaps)
FLOOR_LINES = Need("lines of floor control", _has_floor_lines, hidden_signalling)
FLOORS = Need(
    "floor control, agreed or seen", lambda trace: bool(trace.floors) or _has_floor_lines(trace), hidden_signalling
)
KEYS = Need("master keys", lambda trace: bool(trace.keys), sealed)
