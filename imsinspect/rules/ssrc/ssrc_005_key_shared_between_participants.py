"""IMS-SSRC-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, counted, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.copies import copied
from imsinspect.rules.ssrc.keys import frames_text, key_evidence, key_name, lines_by_id, media_at, media_of_senders
from imsinspect.rules.ssrc.participants import (
    EITHER,
    FOCUS,
    PARTICIPANT,
    STUDIES,
    behind_the_edge,
    concerns,
    names_of,
    of_study,
    rooms,
    severity_of,
    shared_keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.participants import Room, SharedKey
    from imsinspect.trace.model import Trace

PROFILES = ("G2", "G3", "E2E-SDES")
EXPECTED = "a key of its own for each participant"
CONSEQUENCES = {
    FOCUS: "Each of them decrypts what is sent to the others, also before joining and after leaving.",
    PARTICIPANT: "Each of them decrypts what the others send, and can speak to the focus in their place.",
    EITHER: "Each of them decrypts what the others send and get, and can speak to the focus in their place.",
}


@rule(
    id="IMS-SSRC-005",
    name="key-shared-between-participants",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.1.3", "TR 33.829 §5.3.1"),
    follows=("IMS-SSRC-003", "IMS-SSRC-010"),
    needs=(CONFERENCES,),
)
def key_shared_between_participants(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One key given to several conference participants.

    What it checks:
        The master keys and salts in the dialogs of the participants of each conference with its focus: those of SDP,
        and those of MIKEY that could be opened. No key may stand in the dialogs of two participants, in either
        direction. Hops of one dialog, forks and several dialogs of one user count as one participant. Identical
        packets to several participants (IMS-SSRC-010) show a common key where none can be seen.
    Why it matters:
        A participant with the others' key decrypts what they get and say, beyond the own stay, and can send to the
        focus as one of them. Streams of equal SSRC use one keystream.
    What the finding shows:
        The conference, the participants, the direction, the frames where the key stands, and its digest.
    How to fix it:
        Let the conference server make a master key for each participant and each media stream, and each participant
        one of its own. TR 33.829 allows a group key for streams that all get alike: under its profiles the finding is
        of severity info, except for keys that participants of TR-SDES send with.
    When it is not assessed:
        N-KEY: keys of fewer than two participants can be read; readable signalling of all legs, or the keys of MIKEY,
        would settle it. N-ACC: the legs are in clear at the focus, as behind an access edge; a capture of the access
        side would settle it. N-SIP: only one participant's dialog is in the capture, or signalling could not be read.
    """
    for room in rooms(trace, scene):
        if not concerns(scene, room, PROFILES):
            continue
        if not room.keyed:
            yield from behind_the_edge(scene, room)
            continue
        found = _found(room)
        for shared in found:
            yield _shared(trace, scene, room, shared)
        if found:
            continue
        subject = Subject("conference", room.conference.id)
        same = copied(trace, scene).get(room.conference.id)
        if same is not None and same.protected:
            yield _by_packets(trace, scene, room, subject)
        elif len(room.members) < 2:
            yield not_assessed(subject, "N-SIP", "only one participant's dialog with the focus is in the capture")
        elif len(room.keyed) > 1:
            seen = [member for member in room.keyed if member.keys]
            if len(seen) < len(room.keyed):
                yield not_assessed(subject, "N-KEY", "the keys of some participants can not be read")
            else:
                yield Outcome("pass", subject)


def _found(room: Room) -> list[list[SharedKey]]:
    """Shared keys, direction by direction; a key of MIKEY stands for those that come from it."""
    by_side = [shared_keys(room, side) for side in CONSEQUENCES]
    sources = {place.source for shared in by_side for each in shared if each.side == EITHER for place in each.places}
    sources &= {each.digest for shared in by_side for each in shared}
    kept = [
        [each for each in shared if each.digest in sources or each.places[0].source not in sources]
        for shared in by_side
    ]
    return [shared for shared in kept if shared]


def _way(side: str) -> str:
    return side if side == EITHER else f"the direction {side}"


def _shared(trace: Trace, scene: Scene, room: Room, shared: list[SharedKey]) -> Outcome:
    first = shared[0]
    places = [place for each in shared for place in each.places]
    allowed = ("TR-KMS",) if first.side == PARTICIPANT else STUDIES
    keys = ", ".join(key_name(each.digest) for each in shared[:4])
    alike = room.conference.id in copied(trace, scene)
    note = " TR 33.829 allows a group key for streams that all get alike." if of_study(scene, room, allowed) else ""
    return Outcome(
        "violation",
        Subject("conference", room.conference.id),
        severity=severity_of(scene, room, allowed),
        title=f"One key for {counted(len(first.members), 'participant')}",
        message=(
            f"{names_of(first.members)} of conference {room.conference.uri} have one key for {_way(first.side)} "
            f"({keys}), in {frames_text(trace, places)}. {CONSEQUENCES[first.side]}{note} Not checked: "
            "whether SSRCs meet."
        ),
        evidence=tuple(
            evidence
            for each in shared
            for evidence in key_evidence(each.places, each.digest, lines_by_id(trace, scene), EXPECTED)
        )[:MAX_EVIDENCE],
        role="participant" if first.side == PARTICIPANT else "focus",
        media=media_at(places, lines_by_id(trace, scene)),
        direction=first.side,
        fact=room.conference.id if first.side != PARTICIPANT and alike else first.digest,
        normalised=("one key for several participants", EXPECTED),
    )


def _by_packets(trace: Trace, scene: Scene, room: Room, subject: Subject) -> Outcome:
    same = copied(trace, scene)[room.conference.id]
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        severity=severity_of(scene, room),
        title=f"One key for {counted(len(same.members), 'participant')}",
        message=(
            f"{names_of(same.members)} of conference {room.conference.uri} get the same encrypted packets, which takes "
            f"one key. {CONSEQUENCES[FOCUS]} The key itself was not seen."
        ),
        evidence=same.evidence(EXPECTED),
        role="focus",
        media=media_of_senders(trace, scene, (stream.id for stream in same.streams)),
        direction=FOCUS,
        fact=room.conference.id,
        normalised=("one key for several participants", EXPECTED),
    )
