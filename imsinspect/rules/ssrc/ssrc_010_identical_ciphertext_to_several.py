"""IMS-SSRC-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.copies import ENOUGH, copied, counts
from imsinspect.rules.ssrc.keys import media_of_senders
from imsinspect.rules.ssrc.participants import FOCUS, behind_the_edge, concerns, names_of, of_study, rooms, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.copies import Copied
    from imsinspect.rules.ssrc.participants import Member, Room
    from imsinspect.trace.model import Trace

PROFILES = ("G2", "G3")
EXPECTED = "other octets for each participant"


@rule(
    id="IMS-SSRC-010",
    name="identical-ciphertext-to-several",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.1.2", "TR 33.829 §5.3.1"),
    needs=(CONFERENCES,),
)
def identical_ciphertext_to_several(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Byte-identical SRTP packets sent to several participants.

    What it checks:
        The streams that the participants of a conference get from its focus. Of each stream the first packets and some
        spread over it are kept: two streams of equal SSRC to different participants are alike where kept packets have
        equal sequence number, timestamp and payload with tag. Ten of them are proof; three of streams of at least ten
        packets are taken for it. Copies of one participant's stream on several hops, second sightings and streams in
        clear do not count.
    Why it matters:
        Equal plaintext under different keys gives different ciphertext: all of these participants have one key.
        Members decrypt what is sent to the others, beyond their stay.
    What the finding shows:
        The conference, the participants, the streams, and the pairs of frames with the same packet.
    How to fix it:
        Encrypt for each participant with the key of that dialog. TR 33.829 allows a common key for streams that all
        get alike: under its profiles the finding is of severity info.
    When it is not assessed:
        N-MED: fewer than two participants' streams from the focus are in the capture, or no packet of both was kept.
        N-ACC: the media of the focus is in clear, as it is in the core behind an access edge; a capture of the access
        side would settle it. N-SIP: signalling could not be read. Whether streams of an unknown codec are encrypted may
        not show: such copies are a suspicion.
    """
    for room in rooms(trace, scene):
        if not concerns(scene, room, PROFILES):
            continue
        if not room.keyed:
            yield from behind_the_edge(scene, room)
            continue
        subject = Subject("conference", room.conference.id)
        same = copied(trace, scene).get(room.conference.id)
        if same is not None:
            yield _alike(trace, scene, room, same)
            continue
        heard = [member for member in room.keyed if any(counts(stream, line) for stream, line in member.gets)]
        if len(heard) < 2:
            yield not_assessed(subject, "N-MED", "streams from the focus to two participants are not in the capture")
        elif _comparable(room):
            yield Outcome("pass", subject)
        else:
            yield not_assessed(subject, "N-MED", "no packets of two participants' streams could be compared")


def _comparable(room: Room) -> bool:
    """Whether streams of one SSRC to different participants, if there are any, show common sequence numbers."""
    numbers: dict[int, list[tuple[Member, set[int]]]] = {}
    for member in room.keyed:
        for stream, line in member.gets:
            if counts(stream, line):
                kept = {sample.sequence for sample in stream.samples}
                numbers.setdefault(stream.ssrc, []).append((member, kept))
    for streams in numbers.values():
        first, known = streams[0]
        others = [kept for member, kept in streams[1:] if member is not first]
        if others and all(known.isdisjoint(kept) for kept in others):
            return False
    return True


def _alike(trace: Trace, scene: Scene, room: Room, same: Copied) -> Outcome:
    one, other = same.pairs[0]
    first, second = same.streams[:2]
    note = " TR 33.829 allows a common key for streams that all get alike." if of_study(scene, room) else ""
    doubt = (
        "Not seen: the key."
        if same.protected
        else "Ambiguous: whether the packets are encrypted is not known; in clear they are alike as well."
    )
    return Outcome(
        "violation" if same.protected else "suspect",
        Subject("conference", room.conference.id),
        severity=severity_of(scene, room),
        confidence="heuristic" if not same.protected else "proven" if same.copies >= ENOUGH else "strong",
        title=f"The same SRTP packets to {counted(len(same.members), 'participant')}",
        message=(
            f"{names_of(same.members)} of conference {room.conference.uri} get the same packets octet by octet: SSRC "
            f"0x{first.ssrc:08x} from {first.source} to {first.destination} and from {second.source} to "
            f"{second.destination}, {counted(same.copies, 'pair')} of those that were kept, first in "
            f"{frame_text(trace, one.frame)} and {frame_text(trace, other.frame)}. They have one key: each decrypts "
            f"what is sent to the others, also before joining and after leaving.{note} {doubt}"
        ),
        evidence=same.evidence(EXPECTED),
        role="focus",
        media=media_of_senders(trace, scene, (stream.id for stream in same.streams)),
        direction=FOCUS,
        fact=room.conference.id,
        normalised=("the same SRTP packets to several participants", EXPECTED),
    )
