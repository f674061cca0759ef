"""IMS-SSRC-009."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.media import JUMP
from imsinspect.rules.facts import (
    direction,
    frame_text,
    media_name,
    not_assessed,
    secure_rtp,
    text,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import secure_lines
from imsinspect.rules.ssrc.keys import key_name
from imsinspect.rules.ssrc.sequences import FOLLOWING, restart_of, senders
from imsinspect.trace.proof_words import ROLLOVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.sequences import Sender
    from imsinspect.trace.model import KeyUse, MediaLine, MediaStream, Trace


class _Back(NamedTuple):
    """Where numbers go back, and what is known of the key."""

    before: FrameId
    after: FrameId
    was: str  # the number before
    now: str
    key: str  # digest, or the session that the key comes from; "" where nothing shows it
    changed: bool  # another key protects what follows
    proven: bool


@rule(
    id="IMS-SSRC-009",
    name="sequence-restart-same-key",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "RFC 3711 §9.1", "RFC 3711 §9.2"),
    follows=("IMS-SSRC-003",),
    needs=(MEDIA,),
)
def sequence_restart_same_key(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Sequence numbers restart under the same key and SSRC.

    What it checks:
        The sequence numbers of every SRTP sender, over all addresses that it sends from on its line: where they go back
        by more than 1000 and go on from there, under the SSRC and the key that they had before. With keys the index is
        followed too: a rollover counter that is set back restarts it where sequence numbers alone look as if they went
        ahead. Numbers that wrap, late packets and copies of packets are no restart.
    Why it matters:
        The keystream depends on key, SSRC and index alone. A sender that begins anew encrypts other words with the
        keystream that it used before, as soon as it reaches an old index: whoever has both cancels it out.
    What the finding shows:
        The packets before and behind the restart with their numbers, and the key's digest where it is known.
    How to fix it:
        Let a sender that begins anew take a new SSRC or a new master key: after a transfer, a hold, a restart of the
        codec or of the device. Let it keep its rollover counter as long as its key.
    When it is not assessed:
        N-MED: no media of the secure line was seen. Where the exchange of keys is not readable a new key may stand
        behind the restart: it is a suspicion then, and readable signalling, a key file or a key log settle it.
    """
    for each in senders(trace, scene):
        first = each.streams[0]
        if not _protected(each) or not any(stream.in_sequence for stream in each.streams):
            continue
        back = _back(each)
        if back is None or back.changed:
            yield Outcome("pass", Subject("stream", first.id))
        else:
            yield _found(trace, each, back)
    for _, line, _ in secure_lines(trace, scene):
        if not line.streams:
            yield not_assessed(Subject("media", line.id), "N-MED", "no media of the secure line was seen")


def _protected(sender: Sender) -> bool:
    """SRTP by what its packets show, or by the agreement unless they are evidently in clear."""
    if any(stream.kind == "srtp" for stream in sender.streams):
        return True
    agreed = sender.line is not None and any(secure_rtp(state) for state in sender.line.states)
    return agreed and any(stream.kind != "rtp" for stream in sender.streams)


def _back(sender: Sender) -> _Back | None:
    """Where a sender's numbers or indices go back."""
    restart = restart_of(sender.streams)
    if restart is None:
        return _set_back(sender.streams)
    before, after = restart.before, restart.after
    one, other = (_proven_key(sender.streams, sample.frame) for sample in (before, after))
    proven = bool(one and other)
    if not proven and sender.line is not None and sender.use is not None:
        one, other = (_agreed_key(sender.line, sender.use.party, sample.time) for sample in (before, after))
    known = bool(one and other)
    return _Back(
        before.frame, after.frame, str(before.sequence), str(after.sequence), one if known and one == other else "",
        known and one != other, proven,
    )  # fmt: skip


def _set_back(streams: list[MediaStream]) -> _Back | None:
    """A rollover counter that went back, which only keys show."""
    uses = [use for stream in streams if stream.proof is not None for use in stream.proof.uses]
    for later in uses:
        if later.relation != ROLLOVER or later.packets <= FOLLOWING:
            continue
        for use in uses:
            if use.key == later.key and use.first < later.first and later.first_index < use.last_index - JUMP:
                return _Back(
                    use.last if use.last < later.first else use.first, later.first, f"index {use.last_index}",
                    f"index {later.first_index}", later.key, False, True,
                )  # fmt: skip
    return None


def _proven_key(streams: list[MediaStream], frame: FrameId) -> str:
    """Digest of the key that verifies the packets around a frame; "" where that is none or not sure."""
    uses: list[KeyUse] = [use for stream in streams if stream.proof is not None for use in stream.proof.uses]
    keys = {use.key for use in uses if use.first <= frame <= use.last}
    return keys.pop() if len(keys) == 1 else ""


def _agreed_key(line: MediaLine, party: bytes, time: int) -> str:
    """What names the key that a party was to use at a time: its digest, or the handshake that made it."""
    handshakes = [hello for session in line.tls_sessions for hello in session.server_hellos if hello.use_srtp]
    if handshakes:
        last = max((hello for hello in handshakes if hello.time <= time), key=lambda each: each.time, default=None)
        return f"handshake in frame {last.frame}" if last is not None else ""
    for state in reversed(line.states):
        if not state.accepted or state.answered is None or (state.answered_at or state.begins) > time:
            continue
        chosen = state.answered.crypto[0].tag if state.answered.crypto else None
        media = state.offered if state.negotiation.offerer_tag == party else state.answered
        crypto = next((each for each in media.crypto if each.tag == chosen), None)
        return crypto.keys[0].digest if crypto is not None and crypto.keys else ""
    return ""


def _found(trace: Trace, sender: Sender, back: _Back) -> Outcome:
    streams, line, call = sender.streams, sender.line, sender.call
    first = streams[0]
    last = max((stream for stream in streams if stream.first.frame <= back.after), key=lambda each: each.first.frame)
    state = line.states[-1] if line is not None and line.states else None
    where = ""
    if state is not None and line is not None and call is not None:
        where = f" on {text(state.offered.type)} line {line.index} of {call.id}"
    moved = f", then from {last.source}," if last.source != first.source else ""
    way = direction(sender.use) if sender.use is not None else ""
    key = back.key if back.key.startswith("handshake") else key_name(back.key) if back.key else ""
    under = f"under {key}" if key else "and nothing that can be read changes the key"
    unseen = (
        "Not compared: the contents."
        if back.proven
        else "Not checked: tags, which would prove the key."
        if key
        else "Not seen: the exchange of keys, which may bring a new one (ambiguous)."
    )
    return Outcome(
        "violation" if back.key else "suspect",
        Subject("stream", first.id),
        confidence="proven" if back.proven else "strong" if back.key else "heuristic",
        title="Sequence numbers begin anew under one key" if key else "Sequence numbers begin anew under one SSRC",
        message=(
            f"SSRC 0x{first.ssrc:08x}{where}, {way or 'direction unknown'} ({first.source}{moved} to "
            f"{last.destination}), goes back from {back.was} in {frame_text(trace, back.before)} to {back.now} in "
            f"{frame_text(trace, back.after)} and goes on from there, {under}. As soon as it reaches an index that it "
            "used before, two packets are encrypted with one keystream, and whoever has both cancels it out. "
            f"{unseen}"
        ),
        evidence=(
            Evidence(back.before, "RTP sequence number", back.was, "numbers that go on"),
            Evidence(back.after, "RTP sequence number", back.now, "numbers that go on, or another SSRC or key"),
        ),
        role=sender.use.sender if sender.use is not None else "unknown",
        media=media_name(state.offered) if state is not None else "",
        direction=way,
        fact=back.key or first.id,
        normalised=("sequence numbers begin anew", "numbers that go on, or another SSRC or key"),
    )
