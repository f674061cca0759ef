"""IMS-SRTP-017."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.keys.trial import GRACE as PROVEN_GRACE
from imsinspect.rules.facts import (
    SECOND,
    agreement,
    counted,
    direction,
    frame_text,
    media_name,
    not_assessed,
    text,
)
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import GRAVITY, secure_lines
from imsinspect.rules.srtp.times import moment_of, moments_of
from imsinspect.trace.model import MediaStream
from imsinspect.trace.proof_words import STALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, KeyUse, LineState, MediaLine, StreamUse, Trace


class _Rekey(NamedTuple):
    """A party's keys that an answer put in the place of others."""

    party: bytes  # b"" where the key protects both directions
    state: LineState  # that brought the new ones
    old: frozenset[str]  # digests
    new: frozenset[str]


@rule(
    id="IMS-SRTP-017",
    name="old-key-after-rekey",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3", "RFC 4567 §4.1.2", "RFC 4568 §7.1.4"),
    needs=(CALLS,),
)
def old_key_after_rekey(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Old key still used after a rekey completed.

    What it checks:
        Lines on which a later offer and answer brought new keys. Packets of a party that sent a new key and that verify
        with its old one more than 5 seconds after the answer (`srtp.rekey_grace` of the policy file) are a finding;
        SRTP and SRTCP alike. A party that kept its key need not change it.
    Why it matters:
        A key is changed so that those who know the old one are locked out, such as a participant who left. While the
        old one is used they go on listening.
    What the finding shows:
        Offer and answer that brought the new key, the first and last packets under the old one, how many they are, and
        the digests of both keys.
    How to fix it:
        Let the sender change to the new key with its first packet after the exchange is complete, and forget the old
        one; let receivers drop it when the grace time is over.
    When it is not assessed:
        N-KEY: the keys are not readable, so that nothing shows which one protects a packet; bring a key file. N-MED: no
        media of the party was seen after the exchange.
    """
    rekeys = _rekeys(trace)
    for call, line, states in secure_lines(trace):
        if len(states) < 2:
            continue
        found = rekeys.get(line.id)
        if found is None:
            if _hidden(states):
                yield not_assessed(Subject("media", line.id), "N-KEY", "the keys of a re-key are not readable")
            continue
        for each in found:
            yield _of_rekey(trace, scene, call, line, each)


def _rekeys(trace: Trace) -> dict[str, list[_Rekey]]:
    """By line: what its agreements changed."""
    lines = {line.id: line for call in trace.calls for line in call.lines if len(line.states) > 1}
    keys: defaultdict[tuple[str, bytes], defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key in trace.keys:
        for place in key.places:
            if place.agreed and place.line in lines:
                number = _state(lines[place.line], place.begins)
                if number is not None:
                    keys[place.line, place.party][number].add(key.digest)
    out: defaultdict[str, list[_Rekey]] = defaultdict(list)
    for (name, party), by_state in keys.items():
        for before, after in pairwise(sorted(by_state)):
            if by_state[before].isdisjoint(by_state[after]):
                old, new = frozenset(by_state[before]), frozenset(by_state[after])
                out[name].append(_Rekey(party, lines[name].states[after], old, new))
    return out


def _state(line: MediaLine, begins: int) -> int | None:
    """The number of the agreed state that a key's time belongs to."""
    for number, state in enumerate(line.states):
        if state.accepted and begins in (state.begins, state.answered_at):
            return number
    return None


def _hidden(states: list[LineState]) -> bool:
    """Key material was exchanged anew, and could not be read."""
    sides = [[media for media in (state.offered, state.answered) if media is not None] for state in states]
    if any(crypto.masked for some in sides for media in some for crypto in media.crypto):
        return True
    return len({tuple(_key_mgmt(media) for media in some) for some in sides}) > 1


def _key_mgmt(media: Media) -> tuple[bytes, ...]:
    if b"a=key-mgmt:" not in media.session.text and b"\na=key-mgmt:" not in media.section.text:
        return ()
    return tuple(each.data for each in media.key_mgmt_in_force)


def _of_rekey(trace: Trace, scene: Scene, call: Call, line: MediaLine, rekey: _Rekey) -> Outcome:
    """The gravest outcome of the party's senders."""
    subject = Subject("media", line.id)
    completed = rekey.state.answered_at or rekey.state.begins
    gravest: Outcome | None = None
    for use in (*line.streams, *line.rtcp):
        stream = use.stream
        if (rekey.party and use.party != rekey.party) or stream.last.time <= completed:
            continue
        if stream.proof is None or not stream.proof.uses:
            outcome = not_assessed(subject, "N-KEY", "no key verifies the packets behind the re-key")
        else:
            late = [
                each for each in stream.proof.uses if each.key in rekey.old and _late(scene, call, use, each, completed)
            ]
            outcome = _found(trace, scene, call, line, rekey, use, late) if late else Outcome("pass", subject)
        if gravest is None or GRAVITY[outcome.verdict] > GRAVITY[gravest.verdict]:
            gravest = outcome
    return gravest or not_assessed(subject, "N-MED", "no media of the party was seen after the re-key")


def _late(scene: Scene, call: Call, use: StreamUse, key: KeyUse, completed: int) -> bool:
    """Whether packets under a key came later than the grace time; proofs know the default one exactly."""
    grace = scene.policy.thresholds.srtp_rekey_grace
    if grace == PROVEN_GRACE:
        return key.relation == STALE
    return moment_of(moments_of(call, use.stream), key.last) > completed + grace


def _found(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, rekey: _Rekey, use: StreamUse, late: list[KeyUse]
) -> Outcome:  # fmt: skip
    first = min(late, key=lambda each: each.first)
    last = max(late, key=lambda each: each.last)
    state, stream = rekey.state, use.stream
    kind = "SRTP" if isinstance(stream, MediaStream) else "SRTCP"
    answer = state.negotiation.answer
    grace = scene.policy.thresholds.srtp_rekey_grace // SECOND
    new = ", ".join(f"key:{digest[:8]}" for digest in sorted(rekey.new))
    old = f"key:{first.key[:8]}"
    way = direction(use)
    packets = sum(each.packets for each in late)
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven",
        title="Packets under a key that was replaced",
        message=(
            f"{counted(packets, 'packet')} of {kind} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), SSRC 0x{stream.ssrc:08x}, verify "
            f"with {old} from {frame_text(trace, first.first)} to {frame_text(trace, last.last)}, more than {grace} s "
            f"after {frame_text(trace, answer.message.frame) if answer is not None else 'the answer'} put {new} in its "
            "place. Whoever knows the old key, as a participant who left, goes on listening. Not seen: another re-key "
            "that brought the old key back."
        ),
        evidence=(
            *agreement(state),
            Evidence(first.first, f"{kind} tag", f"verifies with {old}", f"a tag made with {new}"),
            Evidence(last.last, f"{kind} tag", f"verifies with {old}", f"a tag made with {new}"),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=(f"{kind} under the replaced key", "the new key"),
    )
