"""IMS-SSRC-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.mikey.codes import GENERIC_ID, SRTP
from imsinspect.rules.facts import MAX_EVIDENCE, SECOND, counted, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.collisions import collisions
from imsinspect.rules.ssrc.copies import copied, counts
from imsinspect.rules.ssrc.keys import key_evidence, lines_by_id, media_of_senders
from imsinspect.rules.ssrc.participants import FOCUS, PARTICIPANT, names_of, of_study, rooms, shared_keys
from imsinspect.trace.identities import canonical
from imsinspect.trace.mikey_model import TRANSFER_INIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.collisions import Collision
    from imsinspect.rules.ssrc.participants import Member, Room
    from imsinspect.trace.conference_model import ConferenceDocument, Notification
    from imsinspect.trace.model import MikeyMessage, Trace

EXPECTED = "an SSRC that no other source of the conference uses"
SHOWN = 4  # streams named in one finding


@rule(
    id="IMS-SSRC-001",
    name="ssrc-collision-in-conference",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "TR 33.829 §5.3.2", "RFC 3711 §9.1", "RFC 3550 §8.2", "RFC 4575 §5.8.4"),
    follows=("IMS-SSRC-003",),
    needs=(CONFERENCES,),
)
def ssrc_collision_in_conference(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Two participants use one SSRC in a conference with shared keys.

    What it checks:
        The streams that different participants of a conference send to its focus at the same time, the SSRCs that
        conference documents list for its users (src-id), and those that participants bind in the crypto sessions of
        their MIKEY messages. Equal SSRCs are a violation where the participants share a
        key: their streams verify with one, their dialogs hold one, the profile gives keys to groups (TR 33.829), or
        the focus is seen to share keys while those of the participants are not known.
    Why it matters:
        Packets of equal index are encrypted with one keystream: whoever sees both cancels it out. Nobody can tell the
        participants apart, and one can replace what the other says.
    What the finding shows:
        The participants, their streams with the first and last frames, and what shows that they share a key. Packets
        of equal index that were seen are the object of IMS-SSRC-003.
    How to fix it:
        Let the conference system assign SSRCs, or refuse one that is taken; better, give each participant a key.
    When it is not assessed:
        N-MED: streams of fewer than two participants are in the capture. N-KEY: SSRCs are equal and whether the
        participants share a key can not be seen; IMS-SSRC-002 reports the collision. N-SIP: signalling could not be
        read. A mixer's own SSRC to all, copies of one stream, an SSRC that is used again after its sender left, several
        devices of one user, and CSRC lists are no collision.
    """
    for room in rooms(trace, scene):
        subject = Subject("conference", room.conference.id)
        found = collisions(trace, scene)[room.conference.id]
        shared = [each for each in found if each.sharing.shared]
        for collision in shared:
            yield _collision(trace, scene, room, collision)
        told = [] if shared else [*_listed(trace, scene, room), *_bound(trace, scene, room)]
        yield from told
        if shared or told:
            continue
        senders = [member for member in room.members if any(counts(stream, line) for stream, line in member.sends)]
        if any(each.sharing.shared is None for each in found):
            yield not_assessed(
                subject, "N-KEY", "SSRCs are equal, and whether the participants share a key is not seen"
            )
        elif len(senders) > 1:
            yield Outcome("pass", subject)
        elif room.keyed:
            yield not_assessed(subject, "N-MED", "streams of two participants are not in the capture")


def _collision(trace: Trace, scene: Scene, room: Room, collision: Collision) -> Outcome:
    senders = collision.senders[:SHOWN]
    named = " and ".join(
        f"{member.name} from {stream.source} ({counted(stream.packets, 'packet')})" for member, stream in senders
    )
    more = f" and {len(collision.senders) - SHOWN} more" if len(collision.senders) > SHOWN else ""
    together = min(stream.last.time for _, stream in senders) - max(stream.first.time for _, stream in senders)
    since = frame_text(trace, max(stream.first.frame for _, stream in senders))
    sharing = collision.sharing
    evidence = [
        Evidence(
            place.frame, "SRTP SSRC", f"0x{stream.ssrc:08x} from {member.name}, sequence {number & 0xFFFF}", EXPECTED
        )
        for member, stream in senders
        for place, number in ((stream.first, stream.lowest), (stream.last, stream.highest))
    ]
    for member, _ in senders:
        places = member.places(PARTICIPANT, sharing.digest)[:1] if sharing.digest else ()
        evidence += key_evidence(places, sharing.digest, lines_by_id(trace, scene), "a key of its own")
    return Outcome(
        "violation",
        Subject("conference", room.conference.id),
        confidence="proven" if sharing.seen else "strong",
        title=f"One SSRC of {counted(len(collision.members), 'participant')} under a shared key",
        message=(
            f"SSRC 0x{collision.ssrc:08x} is sent to the focus of conference {room.conference.uri} by {named}{more}, "
            f"together for {max(together, 0) / SECOND:.1f} s from {since} on, and {sharing.because}. Packets of equal "
            "index use one keystream, and the participants can not be told apart. Not checked here: whether indices "
            "meet (IMS-SSRC-003)."
        ),
        evidence=tuple(evidence[:MAX_EVIDENCE]),
        role="participant",
        media=media_of_senders(trace, scene, (stream.id for _, stream in collision.senders)),
        direction=PARTICIPANT,
        fact=sharing.digest,
        normalised=("one SSRC of several participants under a shared key", EXPECTED),
    )


# --- conference documents -------------------------------------------------------------------------


def _listed(trace: Trace, scene: Scene, room: Room) -> Iterator[Outcome]:
    """SSRCs that one document lists for two users; the first of each."""
    told: set[int] = set()
    for subscription in room.conference.subscriptions:
        for notification in subscription.notifications:
            if notification.document is None:
                continue
            for ssrc, users in _users(notification.document).items():
                if len(users) < 2 or ssrc in told:
                    continue
                because, seen = _shared(trace, scene, room, _named(room, users))
                if because:
                    told.add(ssrc)
                    yield _document(trace, room, notification, ssrc, users, because, seen=seen)


def _users(document: ConferenceDocument) -> dict[int, list[str]]:
    """Users who are there, by the SSRCs of their endpoints."""
    out: dict[int, list[str]] = {}
    for user in document.users:
        for endpoint in user.endpoints:
            if user.state == "deleted" or endpoint.state == "deleted" or endpoint.status == "disconnected":
                continue
            for ssrc in endpoint.ssrcs:
                users = out.setdefault(ssrc, [])
                if user.entity not in users:
                    users.append(user.entity)
    return out


def _named(room: Room, users: list[str]) -> list[Member]:
    names = {canonical(user.encode()) for user in users}
    return [member for member in room.members if not names.isdisjoint(member.names)]


def _shared(trace: Trace, scene: Scene, room: Room, members: list[Member]) -> tuple[str, bool]:
    """What shows that participants share a key, and whether it was seen; "" where nothing does."""
    held = [member.digests(PARTICIPANT) for member in members]
    if len(members) > 1 and all(held):
        return ("their dialogs hold one key", True) if set.intersection(*held) else ("", False)
    if of_study(scene, room):
        return "the profile gives keys to groups", False
    same = copied(trace, scene).get(room.conference.id)
    if (same is not None and same.protected) or shared_keys(room, FOCUS):
        return "the focus shares keys among participants", False
    return "", False


def _document(
    trace: Trace, room: Room, notification: Notification, ssrc: int, users: list[str], because: str, *, seen: bool
) -> Outcome:
    frame = notification.message.frame
    return Outcome(
        "violation",
        Subject("conference", room.conference.id),
        confidence="proven" if seen else "strong",
        title=f"One SSRC of {counted(len(users), 'user')} under a shared key",
        message=(
            f"The document in {frame_text(trace, frame)} lists SSRC 0x{ssrc:08x} for {' and '.join(users[:SHOWN])} of "
            f"conference {room.conference.uri}, and {because}. Packets of equal index use one keystream, and the users "
            "can not be told apart. Streams of both with this SSRC were not seen."
        ),
        evidence=(Evidence(frame, "conference-info src-id", f"{ssrc} of {counted(len(users), 'user')}", EXPECTED),),
        role="focus",
        normalised=("one SSRC of several users in a conference document", EXPECTED),
    )


# --- MIKEY ----------------------------------------------------------------------------------------


def _bound(trace: Trace, scene: Scene, room: Room) -> Iterator[Outcome]:
    """SSRCs that several participants bind as their own, the first sight of each."""
    owners: dict[int, dict[int, tuple[Member, MikeyMessage]]] = {}
    for member, message in _initiated(trace, room):
        record = message.record
        sessions = [each for each in record.sessions if each.prot_type == SRTP] if record is not None else []
        if not any(each.ssrc is None for each in sessions):
            continue  # whose SSRC is whose is not told
        for session in sessions:
            if session.ssrc is not None:
                owners.setdefault(session.ssrc, {}).setdefault(id(member), (member, message))
    for ssrc, found in owners.items():
        members = [member for member, _ in found.values()]
        because, seen = _shared(trace, scene, room, members) if len(members) > 1 else ("", False)
        if because:
            yield _announced(trace, room, ssrc, list(found.values()), because, seen=seen)


def _initiated(trace: Trace, room: Room) -> Iterator[tuple[Member, MikeyMessage]]:
    """Transfers that participants began: what they bind while they leave the SSRCs of the focus open is theirs."""
    by_call = {call: member for member in room.members for call in member.calls}
    for message in trace.mikey:
        member, record = by_call.get(message.call), message.record
        if member is None or record is None or message.party not in member.tags[message.call]:
            continue
        if record.data_type == TRANSFER_INIT and record.map_type == GENERIC_ID:
            yield member, message


def _announced(
    trace: Trace, room: Room, ssrc: int, found: list[tuple[Member, MikeyMessage]], because: str, *, seen: bool
) -> Outcome:
    frames = " and ".join(frame_text(trace, message.frames[0]) for _, message in found[:SHOWN])
    return Outcome(
        "violation",
        Subject("conference", room.conference.id),
        confidence="proven" if seen else "strong",
        title=f"One SSRC bound by {counted(len(found), 'participant')} under a shared key",
        message=(
            f"{names_of([member for member, _ in found])} of conference {room.conference.uri} bind SSRC 0x{ssrc:08x} "
            f"to their crypto sessions in {frames}, and {because}. Packets of equal index use one keystream, and the "
            "participants can not be told apart. Streams of both with this SSRC were not seen."
        ),
        evidence=tuple(
            Evidence(message.frames[0], "MIKEY TRANSFER_INIT SSRC", f"0x{ssrc:08x} of {member.name}", EXPECTED)
            for member, message in found[:MAX_EVIDENCE]
        ),
        role="participant",
        direction=PARTICIPANT,
        normalised=("one SSRC bound by several participants", EXPECTED),
    )
