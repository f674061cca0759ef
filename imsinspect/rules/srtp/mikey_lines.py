"""Media lines with keys by MIKEY, and the security policy that holds for them (RFC 3830 §6.10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey.policies import srtp_parameters
from imsinspect.rules.facts import frame_text, media_name, not_assessed, rtp_state, text
from imsinspect.rules.outcome import Evidence, Subject
from imsinspect.rules.rule import once
from imsinspect.rules.srtp.selection import has_crypto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.mikey.policies import SRTPParameters
    from imsinspect.rules.outcome import Outcome
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, MikeyMessage, Trace

KMS_PROFILES = ("E2E-KMS", "G3", "TR-KMS")
TICKETS = frozenset(range(11, 19))  # data types of MIKEY-TICKET (RFC 6043 §6.1)
OFFER, ANSWER = "offer", "answer"


@dataclass(slots=True, frozen=True)
class MikeyLine:
    """A media line that was agreed with MIKEY and without a=crypto."""

    call: Call
    line: MediaLine
    state: LineState  # the last one
    message: MikeyMessage | None  # that carries the policies; None where none could be read
    policies: tuple[SRTPParameters, ...] = field(default=())  # that may hold: several where the answer names none
    of_kms: bool = False  # IMS-MIK-033 looks at its policies
    cut: bool = False  # one of its messages goes on behind what was captured

    @property
    def subject(self) -> Subject:
        """What an outcome is about."""
        return Subject("media", self.line.id)

    @property
    def place(self) -> str:
        """The line in words."""
        return f"{text(self.state.offered.type)} line {self.line.index} of {self.call.id}"

    @property
    def media(self) -> str:
        """Its name for fingerprints."""
        return media_name(self.state.offered)

    @property
    def role(self) -> str:
        """Who sent the policies."""
        return "answerer" if self.message is not None and self.message.role == ANSWER else "offerer"

    def having(self, test: Callable[[SRTPParameters], bool]) -> tuple[tuple[SRTPParameters, ...], bool]:
        """The policies that pass a test, and whether all do."""
        found = tuple(each for each in self.policies if test(each))
        return found, len(found) == len(self.policies)

    def evidence(self, policy: SRTPParameters, expected: str) -> tuple[Evidence, ...]:
        """The message with a policy."""
        if self.message is None:
            return ()
        return (Evidence(self.message.frames[0], "MIKEY SP", str(policy), expected),)

    def unread(self) -> Outcome:
        """Nothing is known of its policies."""
        if self.cut:
            return not_assessed(self.subject, "N-FRAG", "MIKEY that is cut may carry the security policy")
        return not_assessed(
            self.subject, "IMS-MIK-038", "MIKEY that can't be read to its end may carry the security policy"
        )

    def source(self, trace: Trace) -> str:
        """The message in words."""
        if self.message is None:
            return "MIKEY"
        return f"The MIKEY message of the {self.message.role} in {frame_text(trace, self.message.frames[0])}"


@once
def mikey_lines(trace: Trace, scene: Scene) -> list[MikeyLine]:
    """Agreed lines with RTP whose keys come by MIKEY."""
    messages: dict[str, list[MikeyMessage]] = {}
    for message in trace.mikey:
        if message.role in (OFFER, ANSWER):
            for name in message.lines:
                messages.setdefault(name, []).append(message)
    return list(_lines(trace, scene, messages)) if messages else []


def _lines(trace: Trace, scene: Scene, messages: dict[str, list[MikeyMessage]]) -> Iterator[MikeyLine]:
    for call in trace.calls:
        for line in call.lines:
            states = [state for state in line.states if rtp_state(state) and not has_crypto(state.answered)]
            if states and line.id in messages:
                found = messages[line.id]
                carrier, policies = _policies(found)
                cut = any(message.cut for message in found)
                yield MikeyLine(call, line, states[-1], carrier, policies, _of_kms(scene, call, found), cut)


def _of_kms(scene: Scene, call: Call, messages: list[MikeyMessage]) -> bool:
    covered = scene.covers(call.id, KMS_PROFILES)
    ticket = any(message.record is not None and message.record.data_type in TICKETS for message in messages)
    return covered is True or (covered is None and ticket)


def _policies(messages: list[MikeyMessage]) -> tuple[MikeyMessage | None, tuple[SRTPParameters, ...]]:
    """The policies of the newest message that carries some, answers before offers; without any the defaults hold."""
    whole = [message for message in messages if message.record is not None and not message.record.stop]
    for role in (ANSWER, OFFER):
        for message in reversed([each for each in whole if each.role == role]):
            found = [policy.srtp for policy in message.record.policies if policy.srtp is not None]  # type: ignore[union-attr]
            if found:
                return message, tuple(found)
    if whole and len(whole) == len(messages):
        return whole[0], (srtp_parameters(()),)
    return None, ()
