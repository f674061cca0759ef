"""IMS-SRTP-016."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    calls_by_id,
    counted,
    direction,
    frame_text,
    media_name,
    not_assessed,
    secure_rtp,
    seen_from_start,
    unseen_offers,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import SETTLING
from imsinspect.rules.srtp.times import moment_of, moments_of
from imsinspect.trace.binding import canonical
from imsinspect.trace.model import MediaStream
from imsinspect.trace.proof_words import (
    ALTERED,
    DERIVATION,
    MKI,
    NO_KEY,
    OFFERED,
    OTHER_CALL,
    OTHER_DIRECTION,
    OTHER_LINE,
    OTHER_SUITE,
    PLAIN,
    ROLLOVER,
    SALT,
    STALE,
    TAG_CUT,
    TAG_LENGTH,
    WRONG_SSRC,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Failure, MediaLine, Proof, RtcpSource, StreamUse, Trace

SHARE = 0.02  # of the packets of a sender that may fail
ENOUGH = 5  # failed packets
SHOWN = 5  # failures, and keys, that are named

OF_OTHER_RULES = frozenset((PLAIN, STALE, MKI))
"""What other rules say: packets in clear (IMS-SRTP-001, 002, 013, 014), a replaced key (017), the MKI (009)."""
OF_OTHER_RTCP_RULES = OF_OTHER_RULES | {TAG_CUT, TAG_LENGTH}
"""Likewise of SRTCP: no tag (IMS-SRTP-003), a short one (019)."""

UNEXPLAINED = (ALTERED, NO_KEY)

CAUSES = {
    ROLLOVER: "a rollover counter that was lost or kept behind a wrap of the sequence number or a new SSRC",
    NO_KEY: "another key than the one agreed: media before both keys were known, a proxy that renumbered the tags or "
    "stripped suites, or somebody else's packets",
    ALTERED: "packets that were changed on their way, or forged",
    WRONG_SSRC: "an SSRC that was changed behind the encryption, as a media relay does",
    SALT: "a salt that one side cut, filled up or left out",
    OTHER_SUITE: "a suite with a shorter key than the one agreed, as where a proxy stripped the 256-bit suites",
    TAG_LENGTH: "a tag of another length than the agreed suite has, as where a proxy renumbered the tags of suites",
    TAG_CUT: "encrypted packets without the tag that was agreed",
    DERIVATION: "another derivation of the session keys",
    OFFERED: "the key of a line that the answer did not choose: a proxy renumbered or stripped what was offered",
    OTHER_DIRECTION: "the key of the other direction: a side encrypts with the key it was sent",
    OTHER_LINE: "the key of another media line",
    OTHER_CALL: "the key of another call",
}
"""What stands behind a diagnosis, the harmless causes that issue trackers know included (rules.md 0.11)."""


@rule(
    id="IMS-SRTP-016",
    name="srtp-auth-failure",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("RFC 3711 §3.3", "RFC 3711 §4.2", "RFC 4568 §6.4.1"),
    follows=("IMS-SRTP-001", "IMS-SRTP-009", "IMS-SRTP-013", "IMS-SRTP-015"),
    needs=(MEDIA,),
)
def srtp_auth_failure(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTP or SRTCP packets fail authentication with the negotiated key.

    What it checks:
        Every SRTP and SRTCP packet of a sender whose key is known: of an a=crypto line, a MIKEY message, a DTLS
        handshake or a key file. More than 2 % of a sender's packets, and at least 5, that fail with every key that
        could fit, every rollover counter that is searched and every MKI are a finding; fewer, among packets that
        verify, are one of severity low. Packets in clear, with a replaced key, with another MKI, and SRTCP without tag
        or with a short one are told by IMS-SRTP-001, 002, 013, 014, 017, 009, 003 and 019.
    Why it matters:
        A packet that fails was forged, changed, or protected with another key. The receiver drops it, and hears
        nothing; or it does not check, and takes anything.
    What the finding shows:
        SSRC, first and last failed packets, what is the matter with them, which keys were tried by their digests, and
        what often causes it where nobody attacks: a rollover counter that was lost behind a wrap, media before both
        keys were known, a proxy that strips suites or renumbers their tags.
    How to fix it:
        Follow the diagnosis: let both sides keep one rollover counter for each SSRC over the whole call, apply the key,
        the suite and the salt that were agreed for this direction, and let no middlebox change SSRCs or crypto lines.
        Where nothing explains the failures take the packets for forged.
    When it is not assessed:
        N-KEY: no key of a sender on a secure line is known; bring a key file or a key log. N-OA: the key was only
        offered, no answer was seen and it verifies nothing; or all packets that fail come before the first description
        of the line, behind an offer whose answer or an answer whose offer was not seen, or before the call is taken
        and from an address that nobody announced, where a branch may send whose response was not seen. N-MED: fewer
        than 5 packets, of which none verifies. N-FRAG: the capture cut the packets. T-MID: the capture begins inside
        the call, and all packets that fail come before the first answer in it, so that a key agreed earlier may verify
        them.
    """
    calls = calls_by_id(trace)
    uses: dict[int, tuple[MediaLine, StreamUse]] = {}
    for call in trace.calls:
        for line in call.lines:
            for use in (*line.streams, *line.rtcp):
                uses.setdefault(id(use.stream), (line, use))
    keys: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for key in trace.keys:
        for place in key.places:
            keys[place.line][key.digest[:8]] = None
    senders: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
    for stream in senders:
        bound = uses.get(id(stream))
        on, used = bound if bound is not None else (None, None)
        outcome = _of_sender(stream, on)
        if outcome is None and stream.proof is not None:
            digests = [*keys.get(on.id if on is not None else "", ())]
            of_call = calls[on.call] if on is not None else None
            outcome = _failed(trace, of_call, on, used, stream, stream.proof, digests)
            if outcome is not None and of_call is not None and on is not None:
                unseen = _under_unseen_agreement(of_call, on, stream, stream.proof)
                outcome = outcome if unseen is None else not_assessed(outcome.subject, *unseen)
        if outcome is not None:
            yield outcome


def _of_sender(stream: MediaStream | RtcpSource, line: MediaLine | None) -> Outcome | None:
    """What there is to say of a sender without failures; None where its failures decide, or it has no keys to have."""
    subject = Subject("stream" if isinstance(stream, MediaStream) else "rtcp", stream.id)
    proof = stream.proof
    if proof is None:
        protected = stream.kind == "srtp" if isinstance(stream, MediaStream) else stream.layout is not None
        if protected or (line is not None and any(secure_rtp(state) for state in line.states)):
            return not_assessed(subject, "N-KEY", "no key of the sender is known")
        return None
    if not proof.packets:
        if proof.unchecked and not _untagged(line):
            return not_assessed(subject, "N-FRAG", "the capture cut the packets")
        return None
    failed = sum(_failures(stream, proof).values())
    if not failed:
        return Outcome("pass", subject) if proof.uses else None
    if not proof.uses and line is not None and not any(state.answered is not None for state in line.states):
        return not_assessed(subject, "N-OA", "the key was only offered, and verifies nothing")
    if not proof.uses and failed < ENOUGH:
        return not_assessed(subject, "N-MED", f"fewer than {ENOUGH} packets, of which none verifies")
    return None


def _under_unseen_agreement(
    call: Call, line: MediaLine, stream: MediaStream | RtcpSource, proof: Proof
) -> tuple[str, str] | None:
    """Gap and reason, where all packets that fail come while no agreement was in force that was seen in full."""
    if proof.first_failed is None or proof.last_failed is None or not line.states:
        return None
    moments = moments_of(call, stream)
    first, last = moment_of(moments, proof.first_failed), moment_of(moments, proof.last_failed)
    answers = [state.answered_at for state in line.states if state.answered_at is not None]

    def ended(begin: int) -> bool:
        """Packets fail behind the first answer since then, when both sides had its keys."""
        answered = min((each for each in answers if each >= begin), default=None)
        return answered is not None and last >= answered + SETTLING

    if not ended(0) and not seen_from_start(call):
        return "T-MID", "the capture begins inside the call: a key agreed before it may verify the packets that fail"
    if not ended(0) and first < line.states[0].begins:
        return "N-OA", "the packets that fail came before any description of the line"
    if last < _taken_at(call) + SETTLING and stream.source.ip not in _announced(call):
        return "N-OA", "the packets that fail may be of a branch whose response was not seen (ambiguous)"
    for state in line.states:
        open_offer = state.answered is None and not state.negotiation.rejected
        if open_offer and state.begins <= first and not ended(state.begins):
            return "N-OA", "the packets that fail came behind an offer whose answer was not seen"
    for begin in unseen_offers(call):
        if begin <= first + SETTLING and not ended(begin + 1):
            return "N-OA", "the packets that fail came behind an answer whose offer was not seen"
    return None


def _taken_at(call: Call) -> int:
    """When the first 2xx took the call; until then further branches may answer the offer."""
    taken = (each for each in call.messages if each.sip.cseq_method == b"INVITE" and 200 <= each.sip.status < 300)
    return min((each.time for each in taken), default=call.last_time)


def _announced(call: Call) -> set[str]:
    """Addresses that any description of the call names as those of media."""
    return {
        canonical(address)
        for each in call.negotiations
        for description in (each.offer, each.answer)
        if description is not None
        for media in description.sdp.media
        for address in (media.connection, *(candidate.address for candidate in media.candidates))
    }


def _untagged(line: MediaLine | None) -> bool:
    """The answer agreed to packets without tags."""
    states = line.states if line is not None else ()
    return any(crypto.unauthenticated_srtp for state in states if state.answered for crypto in state.answered.crypto)


def _failures(stream: MediaStream | RtcpSource, proof: Proof) -> dict[str, int]:
    """Failed packets by diagnosis, without those that other rules tell."""
    told = OF_OTHER_RULES if isinstance(stream, MediaStream) else OF_OTHER_RTCP_RULES
    out = {name: count for name, count in proof.diagnoses.items() if name not in told}
    if isinstance(stream, MediaStream):
        # Content too short to be read as clear, as of telephone events, may be told by its size.
        parts = (stream.judgement, stream.judgement.other_part)
        clear = sum(part.packets for part in parts if part is not None and part.kind == "rtp") - proof.in_clear
        for name in UNEXPLAINED:
            explained = min(max(clear, 0), out.get(name, 0))
            clear -= explained
            if explained and not (out[name] - explained):
                del out[name]
            elif explained:
                out[name] -= explained
    return out


def _failed(
    trace: Trace, call: Call | None, line: MediaLine | None, use: StreamUse | None, stream: MediaStream | RtcpSource,
    proof: Proof, digests: list[str],
) -> Outcome | None:  # fmt: skip
    diagnoses = _failures(stream, proof)
    failed = sum(diagnoses.values())
    if not failed:
        return None
    grave = failed >= ENOUGH and failed > SHARE * proof.packets
    diagnosis = max(diagnoses, key=lambda name: diagnoses[name])
    named = [each for each in proof.failures if each.diagnosis in diagnoses][:SHOWN]
    of_most = next((each for each in named if each.diagnosis == diagnosis), None)
    detail = f" ({of_most.detail})" if of_most is not None and of_most.detail else ""
    first = named[0].frame if named else proof.first_failed or stream.first.frame
    kind = "SRTP" if isinstance(stream, MediaStream) else "SRTCP"
    where = f" on line {line.index} of {call.id}" if line is not None and call is not None else ""
    tried = ", ".join(f"key:{digest}" for digest in digests[:SHOWN]) or counted(proof.keys_tried, "key")
    more = f" and {len(digests) - SHOWN} more" if len(digests) > SHOWN else ""
    way = direction(use) if use is not None else ""
    observed = f"{diagnosis}{detail}"
    state = line.states[-1] if line is not None and line.states else None
    shown = {each.frame: _evidence(each) for each in named}
    if proof.last_failed is not None and len(diagnoses) == len(proof.diagnoses):
        shown.setdefault(proof.last_failed, Evidence(proof.last_failed, f"{kind} tag", "fails", "a tag that verifies"))
    return Outcome(
        "violation",
        Subject("stream" if isinstance(stream, MediaStream) else "rtcp", stream.id),
        confidence="proven",
        severity=Severity.HIGH if grave else Severity.LOW,
        title=f"{kind} packets fail authentication: {diagnosis}",
        message=(
            f"{failed} of {proof.packets} {kind} packets of SSRC 0x{stream.ssrc:08x}{where}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), from {frame_text(trace, first)} "
            f"on fail authentication; {tried}{more} and the rollover counters around were tried. "
            f"Diagnosis: {observed}. Such packets are dropped, or taken unchecked by a receiver that does not "
            f"authenticate. {_cause(diagnosis)}. Not seen: a key, a counter or an MKI that verifies them as agreed."
        ),
        evidence=tuple(shown.values()),
        role=use.sender if use is not None else "",
        media=media_name(state.offered) if state is not None else "",
        direction=way,
        fact=stream.id,
        normalised=(f"{kind}: {diagnosis}", "tags that verify"),
    )


def _cause(diagnosis: str) -> str:
    cause = CAUSES.get(diagnosis, "another key or other parameters than those agreed")
    return f"Often {cause}; otherwise forgery"


def _evidence(failure: Failure) -> Evidence:
    observed = f"fails: {failure.diagnosis}" + (f" ({failure.detail})" if failure.detail else "")
    return Evidence(failure.frame, "SRTP tag", observed, "a tag that verifies with the agreed key")
