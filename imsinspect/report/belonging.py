"""Which call or conference a finding belongs to, by its subject."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, text  # subjects are named with these

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.rules.outcome import Finding, Subject
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Call, Trace

Key = tuple[str, str]  # kind and id of a subject
NAMED_FIRST = frozenset(("mikey", "message"))  # kinds whose ids may begin with the call that carried them


def by_owner(trace: Trace, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by the ids of the calls and conferences that they belong to; under "" those that belong to none.

    What several share (a stream of two calls, a TLS session of all) belongs to each of them. A finding about a leg
    belongs to its call alone.
    """
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    findings = list(findings)
    if findings:
        owners = Owners(trace)
        for finding in findings:
            for owner in owners.of(finding.subject) or ("",):
                found[owner].append(finding)
    return dict(found)


class Owners:
    """Answers for the subjects of a trace."""

    def __init__(self, trace: Trace) -> None:
        self._owners = _owners(trace)

    def of(self, subject: Subject) -> Iterable[str]:
        """Ids of the calls and conferences that a subject belongs to, in the order of the trace."""
        found = self._owners.get((subject.kind, subject.id))
        if found is None and subject.kind == "media":
            found = self._owners.get(("call", subject.id.partition("/")[0].partition(".")[0]))
        if found is None and subject.kind in NAMED_FIRST:
            found = self._owners.get(("call", subject.id.partition(" ")[0]))
        return found or ()


def _owners(trace: Trace) -> dict[Key, dict[str, None]]:
    """The calls and conferences of each subject, in order."""
    owners: defaultdict[Key, dict[str, None]] = defaultdict(dict)
    for call in trace.calls:
        for key in _subjects_of_call(call):
            owners[key][call.id] = None
    for floor in trace.floors:
        for line in floor.lines:
            owners["floor", floor.id][line.call] = None
    for conference in trace.conferences:
        for key in _subjects_of_conference(trace, conference):
            owners[key][conference.id] = None
    return dict(owners)


def _subjects_of_call(call: Call) -> Iterator[Key]:
    yield "call", call.id
    yield "message", text(call.call_id)
    for line in call.lines:
        yield "media", line.id
        for use in line.streams:
            yield "stream", use.stream.id
        for use in line.rtcp:
            yield "rtcp", use.stream.id
        for session in line.tls_sessions:
            yield "tls-session", session.id


def _subjects_of_conference(trace: Trace, conference: Conference) -> Iterator[Key]:
    from imsinspect.rules.conf.legs import who  # an area that few traces load

    yield "conference", conference.id
    for participant in conference.participants:
        yield "participant", who(participant)
    for subscription in conference.subscriptions:
        yield "subscription", subscription.id
    for referral in conference.referrals:
        yield "message", frame_text(trace, referral.message.frame)
