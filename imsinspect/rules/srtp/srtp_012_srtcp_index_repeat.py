"""IMS-SRTP-012."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.rtcp import END_OCTETS
from imsinspect.rules.facts import counted, direction, frame_text, not_assessed, secure_rtp, text
from imsinspect.rules.facts import media_name as name_of_media
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.index_words import index_place, kept_words, later_words
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers
from imsinspect.trace.model import RtcpSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.index_words import IndexWord
    from imsinspect.rules.srtp.selection import SdesLine
    from imsinspect.trace.model import Call, KeystreamReuse, MediaLine, StreamUse, Trace

REORDERED = 8  # indices by which packets may overtake one another
ALTERNATIONS = 3  # falls, each followed by a return: two counters under one SSRC
BEGINNING = 1  # highest index of a counter that was set back: 0 (RFC 3711 §3.4) or 1, as a widespread library sends
EXPECTED = "an index one above the one before"


class _Sender(NamedTuple):
    """A sender of SRTCP, with the line that announced it where one did."""

    source: RtcpSource
    call: Call | None = None
    line: MediaLine | None = None
    use: StreamUse | None = None
    keyed: SdesLine | None = None

    @property
    def subject(self) -> Subject:
        """What an outcome is about."""
        if self.line is not None:
            return Subject("media", self.line.id)
        return Subject("rtcp", self.source.id)

    @property
    def way(self) -> str:
        """Who sends to whom."""
        return direction(self.use) if self.use is not None else ""

    @property
    def media(self) -> str:
        """Its line for fingerprints."""
        return name_of_media(self.line.states[0].offered) if self.line is not None and self.line.states else ""

    @property
    def place(self) -> str:
        """Where it sends, in words."""
        source = self.source
        ends = f"{source.source} to {source.destination}"
        if self.line is None or self.call is None or not self.line.states:
            return f"from {ends}, SSRC 0x{source.ssrc:08x}"
        kind = text(self.line.states[0].offered.type)
        way = self.way or "direction unknown"
        return f"on {kind} line {self.line.index} of {self.call.id}, {way} ({ends}), SSRC 0x{source.ssrc:08x}"


class _Step(NamedTuple):
    """Two packets of which the later one has no higher index."""

    before: IndexWord
    after: IndexWord
    repeated: bool  # the indices are equal and the packets are not
    rekeyed: bool  # another key was agreed between them, or they name other keys by their MKI


@rule(
    id="IMS-SRTP-012",
    name="srtcp-index-repeat",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 3711 §3.4", "RFC 3711 §9.1"),
    needs=(MEDIA,),
)
def srtcp_index_repeat(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTCP index repeated or moving backwards.

    What it checks:
        The index words of the SRTCP packets of each sender: every packet has an index of its own, one above the one
        before. Two different packets under one key, SSRC and index are found in all captures where keys verify them.
        Without keys the index words of kept packets are compared: equal ones, ones that fall by more than 8, and a
        counter that is set back when a new key is agreed on the same addresses. Two different encrypted packets with
        one index under one key are critical: their keystream is the same. Where no signalling shows that the key stayed
        they are high.
    Why it matters:
        Whoever has both packets cancels the keystream out and reads both. A counter that is set back also breaks the
        replay window: receivers drop what is new, or accept what is old.
    What the finding shows:
        Both packets with their index and E bit, the key by the first 8 hex digits of its SHA-256 where it is known,
        and whether a new key was agreed between them.
    How to fix it:
        Keep the SRTCP index of an SSRC for as long as its addresses last, over re-INVITEs, holds and restarts of
        encoders. Take a new SSRC, or a new key and port, where the counter is lost.
    When it is not assessed:
        N-KEY: the place of the index word is not known (too few packets, and no suite or no key that verifies them);
        packets behind the first 64 of a sender are cut and no key verifies them; or two counters alternate under one
        SSRC, behind which two sources may stand (IMS-SSRC-002). N-MED: no RTCP of a secure line was seen. N-OA: the
        answer to a secure offer was not seen. N-SIP: ESP or TLS that could not be opened may hold the signalling. Equal
        packets are second sightings or replays (IMS-SRTP-011); a new key on a new port may begin at zero.
    """
    senders = _senders(trace, scene)
    reused: defaultdict[str, list[KeystreamReuse]] = defaultdict(list)
    for reuse in trace.keystream_reuse:
        if reuse.rtcp:
            reused[reuse.second_stream].append(reuse)
    for source in trace.rtcp_sources:
        sender = senders.get(id(source), _Sender(source))
        if source.id in reused:
            yield _reused(trace, sender, reused[source.id])
        elif source.plain < source.packets:
            yield _compared(trace, sender)
    for call in trace.calls:
        for line in call.lines:
            if not line.rtcp and any(map(secure_rtp, line.states)):
                yield not_assessed(Subject("media", line.id), "N-MED", "no RTCP of the secure line was seen")
    yield from unanswered_offers(trace)


def _senders(trace: Trace, scene: Scene) -> dict[int, _Sender]:
    out: dict[int, _Sender] = {}
    for each in sdes_lines(trace, scene):
        for use in each.line.rtcp:
            if isinstance(use.stream, RtcpSource):
                out.setdefault(id(use.stream), _Sender(use.stream, each.call, each.line, use, each))
    for call in trace.calls:
        for line in call.lines:
            for use in line.rtcp:
                if isinstance(use.stream, RtcpSource):
                    out.setdefault(id(use.stream), _Sender(use.stream, call, line, use))
    return out


# --- with keys ------------------------------------------------------------------------------------


def _reused(trace: Trace, sender: _Sender, reuses: list[KeystreamReuse]) -> Outcome:
    """Two packets that verify with one key, under one index."""
    first = reuses[0]
    pairs = sum(each.packets for each in reuses)
    other = "" if first.first_stream == first.second_stream else f" The first of them was sent by {first.first_stream}."
    key = f"key:{first.key[:8]}"
    return Outcome(
        "violation",
        sender.subject,
        severity=Severity.CRITICAL,
        title="SRTCP index used twice under one key",
        message=(
            f"Different SRTCP packets {sender.place} in {frame_text(trace, first.first)} and "
            f"{frame_text(trace, first.second)} have the index {first.index} both and are encrypted with {key}; "
            f"{counted(pairs, 'such pair')}.{other} Whoever has both cancels the keystream out and is left with both "
            "contents. Proven by tags that verify; the contents were not compared."
        ),
        evidence=tuple(
            Evidence(frame, "SRTCP index word", f"index {each.index}, {key}, SSRC 0x{each.ssrc:08x}", EXPECTED)
            for each in reuses[:8]
            for frame in (each.first, each.second)
        ),
        role=sender.use.sender if sender.use is not None else "",
        media=sender.media,
        direction=sender.way,
        fact=first.second_stream,
        normalised=("SRTCP index used twice under one key", EXPECTED),
    )


# --- without keys ---------------------------------------------------------------------------------


def _compared(trace: Trace, sender: _Sender) -> Outcome:
    """What the index words of kept packets show."""
    source, keyed = sender.source, sender.keyed
    party = sender.use.party if sender.use is not None else b""
    place = index_place(source, keyed.at(source.first.time).of_party(party) if keyed is not None else None)
    if place is None:
        return not_assessed(sender.subject, "N-KEY", "too few SRTCP packets to find the index word without keys")
    words = kept_words(source, place)
    later = later_words(source, place)
    words += later or ()
    steps = _steps(words, sender, party)
    repeated = [step for step in steps if step.repeated and not step.rekeyed]
    falls = [step for step in steps if not step.repeated]
    if repeated:
        return _backwards(trace, sender, repeated[0], len(repeated))
    if len(falls) >= ALTERNATIONS and not any(step.rekeyed for step in falls):
        reason = "two index counters alternate under one SSRC: two sources may stand behind it (IMS-SSRC-002)"
        return not_assessed(sender.subject, "N-KEY", reason)
    if steps:
        return _backwards(trace, sender, steps[0], len(steps))
    if later is None and len(words) < source.packets - source.plain and not _all_verified(source):
        return not_assessed(sender.subject, "N-KEY", "not all SRTCP packets were kept, and no key verifies the others")
    return Outcome("pass", sender.subject)


def _all_verified(source: RtcpSource) -> bool:
    proof = source.proof
    return proof is not None and proof.verified + proof.replayed >= source.packets - source.plain


def _steps(words: list[IndexWord], sender: _Sender, party: bytes) -> list[_Step]:
    """Packets whose index came before, or lies far below the highest one."""
    by_index: dict[int, IndexWord] = {}
    seen: set[bytes] = set()
    out: list[_Step] = []
    highest: IndexWord | None = None
    for word in words:
        end = word.sample.data[-END_OCTETS:]
        if end in seen:
            continue
        seen.add(end)
        same = by_index.setdefault(word.number, word)
        if same is not word:
            out.append(_Step(same, word, True, _rekeyed(same, word, sender, party)))
            by_index[word.number] = word
        if highest is None or word.number > highest.number:
            highest = word
        elif highest.number - word.number > REORDERED or (word.number <= BEGINNING < highest.number):
            if same is word:
                out.append(_Step(highest, word, False, _rekeyed(highest, word, sender, party)))
            highest = word
    return out


def _rekeyed(before: IndexWord, after: IndexWord, sender: _Sender, party: bytes) -> bool:
    """Whether another key was agreed between two packets, or may have been."""
    if before.mki != after.mki:
        return True
    begin, end = before.sample.time, after.sample.time
    if sender.keyed is not None:
        lines = [sender.keyed.at(time).of_party(party) for time in (begin, end)]
        keys = [{key.key_salt for key in line.keys} if line is not None else set() for line in lines]
        return keys[0] != keys[1]
    if sender.line is None:
        return False
    answers = [state.answered_at for state in sender.line.states if state.answered_at is not None]
    handshakes = [session.first.time for session in sender.line.tls_sessions]
    return any(begin < time <= end for time in (*answers, *handshakes))


def _backwards(trace: Trace, sender: _Sender, step: _Step, count: int) -> Outcome:
    before, after = step.before, step.after
    encrypted = before.encrypted and after.encrypted
    critical = step.repeated and encrypted and not step.rekeyed and sender.line is not None
    if critical:
        title, consequence = (
            "SRTCP index used twice",
            "Under one key their keystream is the same: whoever has both cancels it out.",
        )
    elif step.rekeyed:
        title, consequence = (
            "SRTCP index set back by a new key",
            "A new key on the same addresses does not begin a new count (RFC 3711 §3.4): receivers that keep it drop "
            "the packets.",
        )
    else:
        title, consequence = (
            "SRTCP index used twice" if step.repeated else "SRTCP index moves backwards",
            "The replay window breaks: receivers drop what is new, and indices already used come again.",
        )
    moved = f"index {after.number} again" if step.repeated else f"index {after.number} after {before.number}"
    if step.rekeyed:
        key = "A new key was agreed between them."
    elif sender.line is None:
        key = "Not seen: the signalling, and with it whether a new key was agreed between them."
    else:
        key = "No new key was seen between them; tags were not checked."
    return Outcome(
        "violation",
        sender.subject,
        severity=Severity.CRITICAL if critical else None,
        confidence="strong",
        title=title,
        message=(
            f"SRTCP packets {sender.place}: {moved}, in {frame_text(trace, before.sample.frame)} and "
            f"{frame_text(trace, after.sample.frame)}, with different content "
            f"({'encrypted' if encrypted else 'not encrypted'}); {counted(count, 'such step')} among the packets kept. "
            f"{consequence} {key}"
        ),
        evidence=tuple(
            Evidence(word.sample.frame, "SRTCP index word", f"E = {int(word.encrypted)}, index {word.number}", EXPECTED)
            for word in (before, after)
        ),
        role=sender.use.sender if sender.use is not None else "",
        media=sender.media,
        direction=sender.way,
        fact=sender.source.id,
        normalised=(title, EXPECTED),
    )
