"""What the user's policy accepts: findings that an exception is for are listed apart, with its reason."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from imsinspect.rules.outcome import Suppressed
from imsinspect.trace.identities import canonical
from imsinspect.trace.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from imsinspect.policy import Where
    from imsinspect.rules.outcome import Finding, Outcome, Subject
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaStream, RtcpSource, Trace


class Exceptions:
    """The exceptions of a policy, and what they matched."""

    def __init__(self, trace: Trace, scene: Scene, today: date) -> None:
        self.scene = scene
        self.all = scene.policy.exceptions
        self.expired = [each for each in self.all if each.expires < today]
        self.valid = [each for each in self.all if each.expires >= today]
        self.matched: set[int] = set()
        self.trace = trace
        self._calls = {call.id: call for call in trace.calls}
        self._ends: dict[tuple[str, str], tuple[str, ...]] = {}

    def suppressed(self, finding: Finding, outcome: Outcome) -> Suppressed | None:
        """The finding with its exception; None where no valid one is for it."""
        for each in self.valid:
            if each.rule == finding.rule and self._fits(each.where, outcome):
                self.matched.add(id(each))
                return Suppressed(finding, each.reason, each.expires.isoformat())
        return None

    def notes(self) -> Iterator[Note]:
        """Exceptions that do nothing any more."""
        for number, each in enumerate(self.all, 1):
            if any(each is one for one in self.expired):
                yield Note(None, f"policy, exception {number} ({each.rule}): expired on {each.expires.isoformat()}")
            elif id(each) not in self.matched:
                yield Note(None, f"policy, exception {number} ({each.rule}): matched nothing")

    def _fits(self, where: Where, outcome: Outcome) -> bool:
        subject = outcome.subject
        calls = self._calls_of(subject)
        if where.call is not None and not any(call.call_id == where.call.encode() for call in calls):
            return False
        if where.media is not None and {name.partition("/")[0] for name in outcome.media.split()} != {where.media}:
            return False  # what is accepted for audio is not accepted for the video beside it
        if where.profile is not None and not any(self._has_profile(call, where.profile) for call in calls):
            return False
        if where.identity is not None and where.identity not in self._identities(subject, calls):
            return False
        return where.network is None or any(ip_address(end) in where.network for end in self._addresses(subject, calls))

    def _has_profile(self, call: Call, name: str) -> bool:
        choice = self.scene.profiles.get(call.id)
        return choice is not None and name.upper() in {choice.name.upper(), *choice.covers}

    def _calls_of(self, subject: Subject) -> list[Call]:
        """The calls that a subject is part of."""
        if subject.kind in ("call", "media"):
            call = self._calls.get(subject.id.partition("/")[0].partition(".")[0])
            return [call] if call is not None else []
        if subject.kind == "conference":
            legs = {
                leg.call
                for conference in self.trace.conferences
                if conference.id == subject.id
                for each in conference.participants
                for leg in each.legs
            }
            return [self._calls[leg] for leg in legs if leg in self._calls]
        return [
            call
            for call in self.trace.calls
            for line in call.lines
            if any(use.stream.id == subject.id for use in (*line.streams, *line.rtcp))
            or any(session.id == subject.id for session in line.tls_sessions)
        ]

    def _identities(self, subject: Subject, calls: list[Call]) -> set[str]:
        found = {canonical(uri) for call in calls for uri in (call.from_uri, call.to_uri)}
        for conference in self.trace.conferences:
            if conference.id == subject.id:
                found |= {conference.uri, *(each.identity for each in conference.participants)}
            for subscription in conference.subscriptions:
                if subscription.id == subject.id:
                    found |= {conference.uri, subscription.subscriber, *subscription.aliases}
        for registration in self.trace.registrations:
            if registration.id == subject.id:
                found.add(canonical(registration.identity))
        return found

    def _addresses(self, subject: Subject, calls: list[Call]) -> tuple[str, ...]:
        """The addresses of who a subject is about: signalling and media of its calls, or the ends of its flow."""
        name = (subject.kind, subject.id)
        if name not in self._ends:
            self._ends[name] = tuple(dict.fromkeys(self._all_addresses(subject, calls)))
        return self._ends[name]

    def _all_addresses(self, subject: Subject, calls: list[Call]) -> Iterator[str]:
        senders: list[MediaStream | RtcpSource] = [*self.trace.streams, *self.trace.rtcp_sources]
        for each in senders:
            if each.id == subject.id:
                yield from (each.source.ip, each.destination.ip)
        for session in self.trace.tls_sessions:
            if session.id == subject.id:
                yield from (session.client.ip, session.server.ip)
        for registration in self.trace.registrations:
            if registration.id == subject.id:
                for message in registration.messages:
                    yield from (message.source.ip, message.destination.ip)
        for conference in self.trace.conferences:
            for subscription in conference.subscriptions:
                if subscription.id == subject.id:
                    for message in (
                        *subscription.hops,
                        *(hop for each in subscription.notifications for hop in each.hops),
                    ):
                        yield from (message.source.ip, message.destination.ip)
        for call in calls:
            for message in call.messages:
                yield from (message.source.ip, message.destination.ip)
            for line in call.lines:
                for use in (*line.streams, *line.rtcp):
                    yield from (use.stream.source.ip, use.stream.destination.ip)
