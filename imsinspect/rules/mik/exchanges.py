"""What rules about MIKEY share: where they apply, how an offer was settled, words for messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey import codes
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.outcome import Evidence, Outcome, Subject
from imsinspect.rules.rule import once
from imsinspect.trace.mikey_model import ANSWERS, ERROR, TRANSFER_INIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyPassage, MikeyRecord
    from imsinspect.trace.model import Call, MikeyMessage, Trace

PROFILES = ("E2E-KMS", "G3", "TR-KMS")
TICKET_TYPES = frozenset(range(11, 19))  # data types of MIKEY-TICKET (RFC 6043 §6.1)

ACCEPTED, PREVIEWED, UNANSWERED, REFUSED = "accepted", "previewed", "unanswered", "refused"
GRAVITY = {ACCEPTED: 3, PREVIEWED: 2, UNANSWERED: 1, REFUSED: 0}
SHOWN = 8  # hex digits of a digest


# --- where the rules apply ------------------------------------------------------------------------


def covered(scene: Scene, calls: Iterable[str], *, shows: bool) -> bool | None:
    """Whether rules of the solutions with a KMS apply; `shows`: the object itself is of MIKEY-TICKET."""
    said = [scene.covers(call, PROFILES) for call in calls]
    if True in said:
        return True
    if None in said or not said:
        return True if shows else None if said else False
    return False


def open_profile(subject: Subject) -> Outcome:
    """The object may be one of these rules, and the profile of its call is open."""
    return not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")


def unread(subject: Subject, message: MikeyMessage) -> Outcome:
    """The message could not be taken apart as far as the rule needs."""
    if message.cut:
        return not_assessed(subject, "N-FRAG", "the message with a=key-mgmt is cut: the whole one would settle it")
    return not_assessed(subject, "IMS-MIK-038", "the MIKEY message can't be read to its end")


@dataclass(slots=True)
class Seen:
    """A message with all of its sights."""

    message: MikeyMessage  # the first one
    record: MikeyRecord
    copies: list[MikeyMessage] = field(default_factory=list)  # further ones

    @property
    def calls(self) -> list[str]:
        """Ids of the calls that it was seen in."""
        return list(dict.fromkeys(each.call for each in (self.message, *self.copies) if each.call))

    @property
    def subject(self) -> Subject:
        """The message."""
        return subject_of(self.message)


@once
def different(trace: Trace, scene: Scene) -> list[Seen]:
    """The MIKEY messages that differ: copies on other legs and replays are sights of one.

    A datagram on the port of MIKEY that does not read as a message is taken for another protocol's.
    """
    found: dict[str, Seen] = {}
    for message in trace.mikey:
        if message.record is None or (message.carrier == "udp" and not _reads(message.record)):
            continue
        known = found.get(message.record.digest)
        if known is None:
            found[message.record.digest] = Seen(message, message.record)
        else:
            known.copies.append(message)
    return list(found.values())


def _reads(record: MikeyRecord) -> bool:
    whole = bool(record.payloads) and not record.stop and not record.trailing
    return whole and record.version == 1 and record.data_type in codes.DATA_TYPES


@once
def by_description(trace: Trace, scene: Scene) -> dict[tuple[str, int], list[MikeyMessage]]:
    """The MIKEY messages of each session description of each call."""
    found: dict[tuple[str, int], list[MikeyMessage]] = {}
    for message in trace.mikey:
        if message.description is not None and message.record is not None:
            found.setdefault((message.call, id(message.description)), []).append(message)
    return found


@once
def calls(trace: Trace, scene: Scene) -> dict[str, Call]:
    """Calls by their id."""
    return {call.id: call for call in trace.calls}


@once
def by_id(trace: Trace, scene: Scene) -> dict[str, MikeyExchange]:
    """Exchanges by their id."""
    return {exchange.id: exchange for exchange in trace.mikey_exchanges}


def in_calls(trace: Trace, data_types: frozenset[int]) -> Iterator[MikeyExchange]:
    """The exchanges of calls that begin with one of these data types."""
    return (each for each in trace.mikey_exchanges if each.calls and each.data_type in data_types)


def transfers(trace: Trace, scene: Scene) -> Iterator[tuple[MikeyExchange, MikeyRecord, bool]]:
    """The exchanges of calls that begin with TRANSFER_INIT and that the profile does not exclude.

    With whether the message could be read to its end.
    """
    for exchange in trace.mikey_exchanges:
        record = exchange.init.record
        if exchange.data_type != TRANSFER_INIT or not exchange.calls or record is None:
            continue
        if covered(scene, exchange.calls, shows=True):
            yield exchange, record, not record.stop


# --- how an offer was settled ---------------------------------------------------------------------


def settled(passage: MikeyPassage) -> str:
    """What became of the lines that the message of a passage is for."""
    negotiation = passage.negotiation
    if negotiation.rejected:
        return REFUSED
    if negotiation.answer is None:
        return UNANSWERED
    answered = negotiation.answer.sdp.media
    sections = passage.init.sections or range(len(answered))
    if not any(index < len(answered) and answered[index].port for index in sections):
        return REFUSED
    return PREVIEWED if negotiation.provisional else ACCEPTED


def fate(exchange: MikeyExchange) -> tuple[str, MikeyPassage | None]:
    """What became of an exchange, in the passage where it came furthest."""
    found = [(settled(passage), passage) for passage in exchange.passages]
    best = max(found, key=lambda each: GRAVITY[each[0]], default=None)
    return best if best is not None else (UNANSWERED, None)


def by_branch(exchange: MikeyExchange) -> dict[tuple[str, bytes], list[MikeyMessage]]:
    """What answered an exchange, by the call and the dialog tag of who sent it."""
    found: dict[tuple[str, bytes], list[MikeyMessage]] = {}
    for each in (*exchange.answers, *exchange.errors):
        found.setdefault((each.call, each.party), []).append(each)
    return found


def in_answer(passage: MikeyPassage, trace: Trace, scene: Scene) -> list[MikeyMessage]:
    """The responses of MIKEY in the description that answers an offer, whichever exchange they belong to."""
    answer = passage.negotiation.answer
    if answer is None:
        return []
    return [
        each
        for each in by_description(trace, scene).get((passage.call, id(answer.sdp)), ())
        if each.record is not None and (each.record.data_type in ANSWERS or each.record.data_type == ERROR)
    ]


# --- words and evidence ---------------------------------------------------------------------------


def subject_of(message: MikeyMessage) -> Subject:
    """A message as a subject."""
    where = message.call or message.carrier
    return Subject("mikey", f"{where} {message.kind or 'MIKEY'} 0x{message.csb_id & 0xFFFFFFFF:08x}")


def line_of(message: MikeyMessage, index: int) -> Subject:
    """A media line that a message gives keys for."""
    known = (name for name in message.lines if name.rpartition("/")[2] == str(index))
    return Subject("media", next(known, f"{message.call}/{index}"))


def csb(csb_id: int) -> str:
    """A CSB ID in words."""
    return f"CSB ID 0x{csb_id & 0xFFFFFFFF:08x}"


def seen_in(trace: Trace, seen: Seen) -> str:
    """The frame of a message, and how often it was seen."""
    place = frame_text(trace, seen.message.frames[0])
    return f"{place}, and {len(seen.copies)} more times" if seen.copies else place


def carried_by(message: MikeyMessage) -> str:
    """What carried a message, in words."""
    if message.call:
        level = "session level" if message.carrier == "sdp session" else "the media level"
        return f"{'answer' if message.role == 'answer' else 'offer' if message.role == 'offer' else 'body'} of " + (
            f"{message.call}, a=key-mgmt at {level}"
        )
    return f"{message.carrier.upper()} message from {message.source} to {message.destination}"


def role_of(message: MikeyMessage) -> str:
    """Who sent a message, for fingerprints."""
    return {"offer": "offerer", "answer": "answerer"}.get(message.role, "")


def header(message: MikeyMessage, expected: str) -> Evidence:
    """The kind of a message as evidence."""
    record = message.record
    number = record.data_type if record is not None else -1
    return Evidence(
        message.frames[0], "MIKEY HDR data type", f"{number} {message.kind}, {csb(message.csb_id)}", expected
    )


def answer_evidence(passage: MikeyPassage, expected: str) -> tuple[Evidence, ...]:
    """The answer of a passage as evidence."""
    answer = passage.negotiation.answer
    if answer is None:
        return ()
    status = answer.message.sip.status or answer.message.sip.method.decode("ascii", "replace")
    ports = ", ".join(
        f"m= line {index} port {answer.sdp.media[index].port}"
        for index in passage.init.sections[:8]
        if index < len(answer.sdp.media)
    )
    return (Evidence(answer.message.frame, "SIP answer", f"{status}, {ports}" if ports else f"{status}", expected),)


def first_frame(passage: MikeyPassage) -> FrameId:
    """The frame of the offer of a passage."""
    return passage.negotiation.offer.message.frame
