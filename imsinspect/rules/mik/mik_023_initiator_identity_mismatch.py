"""IMS-MIK-023."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    REFUSED,
    UNANSWERED,
    answer_evidence,
    by_id,
    csb,
    fate,
    subject_of,
    transfers,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule
from imsinspect.trace.conference_participants import Registered, asserted_of
from imsinspect.trace.identities import canonical, is_anonymous
from imsinspect.trace.mikey_model import INITIATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyIdentity, MikeyRecord
    from imsinspect.trace.model import Trace

NUMBER = re.compile(r"\+?[0-9]{3,}")
PRIVATE = re.compile(r"^[0-9a-f]{12,}@|\.3gppnetwork\.org$")  # of private user identities (TS 23.003 §13.3)
BYTE_STRING = 2  # ID type


@rule(
    id="IMS-MIK-023",
    name="initiator-identity-mismatch",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §G.3.2", "TS 33.328 §6.2.3.5", "TR 33.829 §5.3.2", "RFC 4567 §8"),
    needs=(MIKEY,),
)
def initiator_identity_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY initiator identity differs from the SIP-asserted caller.

    What it checks:
        IDRi of every TRANSFER_INIT with a ticket: it must be the IDRi of the ticket, and the caller that
        P-Asserted-Identity names on any leg, or From where nothing is asserted. Identities are compared without scheme,
        port and parameters; telephone numbers in both forms are one; registrations (P-Associated-URI) and `aliases` of
        the policy file make identities of one user equal.
    Why it matters:
        The KMS authorises the identity in the ticket, SIP authorises the caller. If they differ, a user joins with the
        ticket of another one.
    What the finding shows:
        The frame, the IDRi of message and ticket, the asserted identities, and the answer.
    How to fix it:
        Let the responder, or the focus, compare the identity of the ticket with the one that the network asserts, and
        refuse the call where they differ. If both name one user, give the mapping in `aliases` of the policy file.
    When it is not assessed:
        N-KMS: neither the message nor its ticket names the initiator, and the request for the ticket was not captured.
        N-CORE: the caller is hidden on the captured legs; a capture inside the trust domain shows who it is. T-POL: the
        KMS names users otherwise than SIP (byte strings, private identities, numbers beside names), which `aliases`
        settle. T-CONFSRV: a focus calls under a name of its own. IMS-MIK-038, N-FRAG: the message can't be read. N-SIP:
        signalling that could not be read. A caller that only From names, one of the same name at another host, and a
        call without an answer are only suspected. Offers that were refused pass.
    """
    for exchange, record, whole in transfers(trace, scene):
        if record.ticket is not None:
            yield _judge(trace, scene, exchange, record)
        elif not whole:
            yield unread(subject_of(exchange.init), exchange.init)


@dataclass(slots=True)
class _Callers:
    """Who the signalling says is calling, on all legs."""

    asserted: dict[str, None] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)  # by From and P-Preferred-Identity

    @classmethod
    def of(cls, exchange: MikeyExchange) -> _Callers:
        found = cls()
        for init in exchange.inits:
            message = init.signalling
            if message is None:
                continue
            for uri in asserted_of(message):
                if not is_anonymous(uri):
                    found.asserted[canonical(uri)] = None
            own = message.sip.to if message.sip.status else message.sip.from_
            preferred = message.sip.header_values(b"p-preferred-identity")[:2]
            for uri in (uri_of(own), *map(uri_of, preferred)):
                if not is_anonymous(uri):
                    found.named[canonical(uri)] = None
        return found


def _judge(trace: Trace, scene: Scene, exchange: MikeyExchange, record: MikeyRecord) -> Outcome:
    subject = subject_of(exchange.init)
    state, _ = fate(exchange)
    if state == REFUSED:
        return Outcome("pass", subject)
    of_message = record.named(INITIATOR)
    of_ticket = _named(record.ticket.identities) if record.ticket is not None else ()
    comparable = bool(of_message and of_ticket) and _comparable((*of_message, *of_ticket))
    if comparable and not _same(trace, scene, of_message, [each.identity for each in of_ticket]):
        return _finding(trace, exchange, of_message, of_ticket)
    claimed = of_message or of_ticket or _requested(trace, scene, exchange)
    if not claimed:
        return not_assessed(
            subject, "N-KMS", "no IDRi names the initiator, and the request for the ticket was not seen"
        )
    if not _comparable(claimed):
        return not_assessed(subject, "T-POL", "IDRi is a byte string: aliases in the policy file would say whose")
    callers = _Callers.of(exchange)
    names = list(callers.asserted or callers.named)
    if not names:
        return not_assessed(
            subject, "N-CORE", "the caller is hidden: a capture inside the trust domain shows who it is"
        )
    if _same(trace, scene, claimed, names):
        return Outcome("pass", subject)
    found = dialled_out(trace, scene)
    focus = next((found[call] for call in exchange.calls if call in found), None)
    if focus is not None:
        own = [focus.uri, canonical(focus.focus.encode()) if focus.focus else ""]
        if _same(trace, scene, claimed, own):
            return Outcome("pass", subject)
        return not_assessed(subject, "T-CONFSRV", "a focus calls, whose name at the KMS is not known")
    if all(PRIVATE.search(each.identity.lower()) for each in claimed):
        return not_assessed(subject, "T-POL", "IDRi is a private identity: aliases would say whose")
    if all(_is_number(each.identity) for each in claimed) != all(_is_number(name) for name in names):
        return not_assessed(
            subject, "T-POL", "one of IDRi and the caller is a telephone number: aliases would say whose"
        )
    return _finding(trace, exchange, claimed, (), names, asserted=bool(callers.asserted))


def _named(identities: Iterable[MikeyIdentity]) -> tuple[MikeyIdentity, ...]:
    return tuple(each for each in identities if each.role == INITIATOR)


def _requested(trace: Trace, scene: Scene, exchange: MikeyExchange) -> tuple[MikeyIdentity, ...]:
    """Who asked the KMS for the ticket."""
    request = by_id(trace, scene).get(exchange.request)
    record = request.init.record if request is not None else None
    return record.named(INITIATOR) if record is not None else ()


def _comparable(identities: Iterable[MikeyIdentity]) -> bool:
    return all(each.identity and each.kind != BYTE_STRING for each in identities)


@once
def registered(trace: Trace, scene: Scene) -> Registered:
    """Identities of one user, by registrations."""
    return Registered(trace.registrations)


def _same(trace: Trace, scene: Scene, claimed: Iterable[MikeyIdentity], names: Iterable[str]) -> bool:
    """Whether identities of a message and of the signalling name one user."""
    aliases, known = scene.policy.aliases, registered(trace, scene)

    def forms(name: str) -> set[str]:
        whole = known.of(frozenset((name,)))
        whole |= {aliases[each] for each in whole if each in aliases}
        return {form for each in whole for form in (each.casefold(), _number(each)) if form}

    ours = set().union(*(forms(each.identity) for each in claimed))
    return any(not ours.isdisjoint(forms(name)) for name in names if name)


def _number(name: str) -> str:
    """A telephone number, also as the user of a SIP URI."""
    user = name.partition("@")[0]
    return user if user.startswith("+") and NUMBER.fullmatch(user) else ""


def _is_number(name: str) -> bool:
    return NUMBER.fullmatch(name.partition("@")[0]) is not None


def _alike(one: str, other: str) -> bool:
    """The same name at another host."""
    return one.partition("@")[0].casefold() == other.partition("@")[0].casefold()


@once
def dialled_out(trace: Trace, scene: Scene) -> dict[str, Conference]:
    """The conference whose focus makes a call."""
    return {
        call: conference
        for conference in trace.conferences
        for participant in conference.participants
        for leg in participant.legs
        if leg.dial_out
        for call in (leg.call, *leg.also)
    }


def _finding(
    trace: Trace,
    exchange: MikeyExchange,
    claimed: tuple[MikeyIdentity, ...],
    of_ticket: tuple[MikeyIdentity, ...],
    names: list[str] | None = None,
    *,
    asserted: bool = True,
) -> Outcome:
    init = exchange.init
    frame = init.frames[0]
    state, passage = fate(exchange)
    idri = ", ".join(each.identity for each in claimed[:4])
    others = ", ".join([each.identity for each in of_ticket[:4]] if names is None else names[:4])
    source = "IDRi of its ticket" if names is None else "P-Asserted-Identity" if asserted else "From"
    namesakes = names is not None and any(_alike(each.identity, name) for each in claimed for name in names)
    sure = asserted and state != UNANSWERED and not namesakes
    doubt = (
        "" if sure else " The name is the same, the host is not: the KMS may name users otherwise." if namesakes else
        " Nothing asserts who calls: From is what the caller says." if not asserted else " The answer was not seen."
    )  # fmt: skip
    return Outcome(
        "violation" if sure else "suspect",
        subject_of(init),
        confidence=("proven" if names is None else "strong") if sure else "heuristic",
        title="The initiator of the key exchange is not the caller",
        message=(
            f"IDRi of TRANSFER_INIT ({csb(exchange.csb_id)}) in {frame_text(trace, frame)} of {init.call} is {idri}; "
            f"{source} names {others}. A user takes part with the ticket of another one, whom the KMS authorised."
            f"{doubt} Not seen: anything that makes both one user."
        ),
        evidence=(
            Evidence(frame, "MIKEY IDRi", idri, "the caller"),
            Evidence(frame, source, others, "the identity of IDRi"),
            *(answer_evidence(passage, "refused") if passage is not None else ()),
        ),
        role="offerer",
        normalised=(f"IDRi differs from {source}", "one user"),
    )
