"""IMS-SRTP-017."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.keys.trial import GRACE as PROVEN_GRACE
from imsinspect.rules.facts import (
    GRAVITY,
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
from imsinspect.rules.srtp.lines import secure_lines
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.rules.srtp.times import moment_of, moments_of
from imsinspect.trace.model import MediaStream
from imsinspect.trace.proof_words import STALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Confidence
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.trace.model import Call, KeyUse, LineState, MediaLine, MediaSample, StreamUse, Trace


NO_MEDIA = "no media of the party was seen after the re-key"


class _Rekey(NamedTuple):
    """A party's keys that an answer put in the place of others."""

    party: bytes  # b"" where the key protects both directions
    state: LineState  # that brought the new ones
    old: frozenset[str]  # digests
    new: frozenset[str]


class _Names(NamedTuple):
    """What keys are called where they are replaced."""

    old: str
    new: str


class _Late(NamedTuple):
    """Packets under the old one."""

    first: FrameId
    last: FrameId
    packets: str
    verb: str


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
        SRTP and SRTCP alike. A party that kept its key need not change it. Where the keys of MIKEY cannot be read, the
        MKI of packets tells them apart if the crypto sessions of both exchanges name SPIs of their own.
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
        N-KEY: the keys are not readable and no MKI tells them apart, so that nothing shows which one protects a packet;
        bring a key file. N-MED: no media of the party was seen after the exchange.
    """
    rekeys = _rekeys(trace)
    mikey = {each.line.id: each for each in mikey_lines(trace, scene)}
    for call, line, states in secure_lines(trace, scene):
        if len(states) < 2:
            continue
        found = rekeys.get(line.id)
        if found is None:
            if _hidden(states):
                yield from _by_mki(trace, scene, call, line, states, mikey.get(line.id))
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


def _by_mki(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, states: list[LineState], mikey: MikeyLine | None
) -> Iterator[Outcome]:
    """What the MKIs of kept packets tell behind the last re-key: the SPI of MIKEY is the MKI (RFC 3830 §6.1)."""
    subject = Subject("media", line.id)
    unknown = not_assessed(subject, "N-KEY", "the keys of a re-key are not readable, and no MKI tells them apart")
    spis = _spis(trace, line)
    by_state = [spis.get(id(state), frozenset()) for state in states]
    old, new = frozenset[bytes]().union(*by_state[:-1]) - by_state[-1], by_state[-1]
    behind = {0 if each.aead else each.srtp_tag_length for each in mikey.policies} if mikey is not None else set()
    if not old or not new or len({len(each) for each in old | new}) != 1 or len(behind) != 1:
        yield unknown
        return
    state, tag = states[-1], behind.pop()
    limit = (state.answered_at or state.begins) + scene.policy.thresholds.srtp_rekey_grace
    gravest: Outcome | None = None
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream):
            continue
        later = [(each, _mki(each, tag, len(next(iter(new))))) for each in stream.samples if each.time > limit]
        late = [each for each, mki in later if mki in old]
        if late:
            first, last = late[0], late[-1]
            names = _Names(*(f"the SPI 0x{min(some).hex()}" for some in (old, new)))
            told = _Late(first.frame, last.frame, f"at least {counted(len(late), 'packet')}", "carry as MKI")
            outcome = _found(trace, scene, call, line, state, use, told, names, "strong")
        elif any(mki in new for _, mki in later):
            outcome = Outcome("pass", subject)
        elif later:
            outcome = unknown
        else:
            continue
        if gravest is None or GRAVITY[outcome.verdict] > GRAVITY[gravest.verdict]:
            gravest = outcome
    yield gravest or not_assessed(subject, "N-MED", NO_MEDIA)


def _spis(trace: Trace, line: MediaLine) -> dict[int, frozenset[bytes]]:
    """SPIs of the crypto sessions that each state's descriptions carry, by the identity of the state."""
    by_frame: defaultdict[FrameId, set[bytes]] = defaultdict(set)
    for message in trace.mikey:
        if message.record is not None and line.id in message.lines:
            by_frame[message.frames[0]] |= {session.spi for session in message.record.sessions if session.spi}
    out: dict[int, frozenset[bytes]] = {}
    for state in line.states:
        sides = (state.negotiation.offer, state.negotiation.answer)
        frames = [side.message.frame for side in sides if side is not None]
        out[id(state)] = frozenset[bytes]().union(*(by_frame.get(frame, ()) for frame in frames))
    return out


def _mki(sample: MediaSample, tag: int, octets: int) -> bytes:
    """What stands where the MKI of a packet that was kept whole stands: before the tag, of AES-GCM at the end."""
    if sample.length != len(sample.payload) or sample.length < octets + tag:
        return b""
    end = sample.length - tag
    return sample.payload[end - octets : end]


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
            outcome = _proven(trace, scene, call, line, rekey, use, late) if late else Outcome("pass", subject)
        if gravest is None or GRAVITY[outcome.verdict] > GRAVITY[gravest.verdict]:
            gravest = outcome
    return gravest or not_assessed(subject, "N-MED", NO_MEDIA)


def _late(scene: Scene, call: Call, use: StreamUse, key: KeyUse, completed: int) -> bool:
    """Whether packets under a key came later than the grace time; proofs know the default one exactly."""
    grace = scene.policy.thresholds.srtp_rekey_grace
    if grace == PROVEN_GRACE:
        return key.relation == STALE
    return moment_of(moments_of(call, use.stream), key.last) > completed + grace


def _proven(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, rekey: _Rekey, use: StreamUse, late: list[KeyUse]
) -> Outcome:  # fmt: skip
    first = min(late, key=lambda each: each.first)
    last = max(late, key=lambda each: each.last)
    names = _Names(f"key:{first.key[:8]}", ", ".join(f"key:{digest[:8]}" for digest in sorted(rekey.new)))
    told = _Late(first.first, last.last, counted(sum(each.packets for each in late), "packet"), "verify with")
    return _found(trace, scene, call, line, rekey.state, use, told, names, "proven")


def _found(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, state: LineState, use: StreamUse, late: _Late,
    names: _Names, confidence: Confidence,
) -> Outcome:  # fmt: skip
    stream = use.stream
    kind = "SRTP" if isinstance(stream, MediaStream) else "SRTCP"
    answer = state.negotiation.answer
    grace = scene.policy.thresholds.srtp_rekey_grace // SECOND
    way = direction(use)
    since = frame_text(trace, answer.message.frame) if answer is not None else "the answer"
    observed = f"packets {late.verb} {names.old}"
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence=confidence,
        title="Packets under a key that was replaced",
        message=(
            f"{late.packets} of {kind} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), SSRC 0x{stream.ssrc:08x}, "
            f"{late.verb} {names.old} from {frame_text(trace, late.first)} to {frame_text(trace, late.last)}, more "
            f"than {grace} s after {since} put {names.new} in its place. Whoever knows the old key, as a participant "
            "who left, goes on listening. Not seen: another re-key that brought the old key back."
        ),
        evidence=(
            *agreement(state),
            Evidence(late.first, f"{kind} key", observed, f"packets under {names.new}"),
            Evidence(late.last, f"{kind} key", observed, f"packets under {names.new}"),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=(f"{kind} under the replaced key", "the new key"),
    )
