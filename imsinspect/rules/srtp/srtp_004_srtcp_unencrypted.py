"""IMS-SRTP-004."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imsinspect.rules.facts import GRAVITY, counted, direction, frame_text, no_description, not_assessed, suite_name
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.index_words import index_words
from imsinspect.rules.srtp.mikey_lines import MikeyLine, mikey_lines
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers
from imsinspect.trace.model import RtcpSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.policies import SRTPParameters
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.index_words import IndexWord
    from imsinspect.rules.srtp.selection import SdesLine, Selected
    from imsinspect.trace.model import StreamUse, Trace

NULL = 0  # encryption algorithm of MIKEY
EXPECTED = "E = 1, as no UNENCRYPTED_SRTCP was agreed"
AGREED_CLEAR = "no UNENCRYPTED_SRTCP"
AGREED_BUT_ENCRYPTED = "E = 0, as UNENCRYPTED_SRTCP was agreed"


@rule(
    id="IMS-SRTP-004",
    name="srtcp-unencrypted",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.3", "RFC 4568 §6.3.2", "RFC 4568 §6", "RFC 3711 §3.4"),
    needs=(MEDIA,),
)
def srtcp_unencrypted(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTCP sent or negotiated without encryption.

    What it checks:
        The a=crypto line that each answer selected, for UNENCRYPTED_SRTCP, and the security policies of MIKEY; and the
        E bit of the SRTCP packets of each sender: with SDES it is 1 in all of them, or 0 in all of them where the
        parameter was agreed. RFC 3711 allows compounds that are split into an encrypted and a clear part; SDES does
        not. Encrypted packets where none was agreed are a finding of severity low.
    Why it matters:
        Readable reports tell the names of participants (CNAME), who hears whom and when, and how much of it gets lost.
    What the finding shows:
        The frames of offer and answer with the selected line, and the packets with their index words.
    How to fix it:
        Do not offer UNENCRYPTED_SRTCP, and set E in every SRTCP packet.
    When it is not assessed:
        N-MED: no RTCP of the line was seen. N-KEY: too few SRTCP packets to find the index word, and none that
        verifies. N-OA: the answer to a secure offer was not seen. N-SIP: no session description announces the packets,
        or ESP or TLS that could not be opened may hold the signalling. N-FRAG: signalling that was cut. IMS-MIK-038:
        MIKEY that can't be read to its end. Plain RTCP is the object of IMS-SRTP-002, suites that encrypt nothing that
        of IMS-SRTP-005, and policies of MIKEY-TICKET that of IMS-MIK-033.
    """
    for each in sdes_lines(trace, scene):
        yield from _of_sdes(trace, each)
    for keyed in mikey_lines(trace, scene):
        yield from _of_mikey(trace, keyed)
    yield from unanswered_offers(trace)
    for source in trace.unbound_rtcp:
        if source.plain < source.packets:
            yield no_description(source, "rtcp")


def _of_sdes(trace: Trace, each: SdesLine) -> Iterator[Outcome]:
    suites = [one.answered.crypto_suite for one in each.selected]
    if all(suite is not None and suite.null for suite in suites):
        return
    agreed = next((one for one in each.selected if one.answered.unencrypted_srtcp), None)
    if agreed is not None:
        yield _agreed(trace, each, agreed)
    else:
        yield from _directions(trace, each)


def _of_mikey(trace: Trace, keyed: MikeyLine) -> Iterator[Outcome]:
    off, all_of_them = keyed.having(lambda policy: not policy.srtcp_encryption or policy.encryption_algorithm == NULL)
    if not off:
        yield from _directions(trace, keyed)
    elif not keyed.of_kms and any(policy.encryption_algorithm != NULL for policy in off):
        yield _by_policy(trace, keyed, next(each for each in off if each.encryption_algorithm != NULL), all_of_them)


def _directions(trace: Trace, each: SdesLine | MikeyLine) -> Iterator[Outcome]:
    """One outcome for each direction of a line whose SRTCP has to be encrypted."""
    directions: dict[bytes | str, Outcome] = {}
    plain_only = False
    for use in each.line.rtcp:
        source = use.stream
        if not isinstance(source, RtcpSource):
            continue
        if source.plain == source.packets:
            plain_only = True
            continue
        outcome = _sender(trace, each, use, source)
        side = use.party or use.sender
        known = directions.get(side)
        if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
            directions[side] = outcome
    yield from directions.values()
    if not directions and not plain_only:
        yield not_assessed(each.subject, "N-MED", "no RTCP of the line was seen")


def _sender(trace: Trace, each: SdesLine | MikeyLine, use: StreamUse, source: RtcpSource) -> Outcome:
    """What the packets of one sender show where they have to be encrypted."""
    line = None if isinstance(each, MikeyLine) else each.at(source.first.time).of_party(use.party)
    found = index_words(source, line)
    if not found:
        return not_assessed(each.subject, "N-KEY", "too few SRTCP packets to find the index word, and none verifies")
    clear = [word for word in found if not word.encrypted]
    if clear and isinstance(each, MikeyLine) and not each.policies:
        return each.unread()
    return _clear(trace, each, use, source, clear, len(found)) if clear else Outcome("pass", each.subject)


def _agreement(each: SdesLine | MikeyLine, time: int) -> tuple[str, tuple[Evidence, ...]]:
    """What was agreed, in words, and where."""
    if isinstance(each, MikeyLine):
        return f"{each.state.offered.transport} with {each.policies[0]}", each.evidence(each.policies[0], AGREED_CLEAR)
    selected = each.at(time)
    return suite_name(selected.answered), selected.evidence(AGREED_CLEAR)


def _clear(
    trace: Trace, each: SdesLine | MikeyLine, use: StreamUse, source: RtcpSource, clear: list[IndexWord], seen: int
) -> Outcome:
    way, first = direction(use), clear[0]
    agreed, evidence = _agreement(each, first.sample.time)
    proven = source.proof is not None and source.proof.verified > 0
    some = f" {seen - len(clear)} others are encrypted." if len(clear) < seen else ""
    untold = source.packets - source.plain - seen
    more = f" {counted(untold, 'more packet')} of this sender were not kept." if untold > 0 else ""
    return Outcome(
        "violation",
        each.subject,
        confidence="proven" if proven else "strong",
        title="SRTCP without encryption",
        message=(
            f"{counted(len(clear), 'SRTCP packet')} on {each.place}, {way or 'direction unknown'} ({source.source} to "
            f"{source.destination}), SSRC 0x{source.ssrc:08x}, from {frame_text(trace, first.sample.frame)} "
            f"{'is' if len(clear) == 1 else 'are'} not encrypted (E = 0), while {agreed} was agreed. Anyone on the "
            f"path reads names and reports.{some}{more} "
            f"{'Told by tags that verify.' if proven else 'Not seen: any key; told by the index words.'}"
        ),
        evidence=(
            *evidence,
            *(
                Evidence(word.sample.frame, "SRTCP index word", f"E = 0, index {word.number}", EXPECTED)
                for word in (clear[0], clear[-1])
            ),
        ),
        role=use.sender,
        media=each.media,
        direction=way,
        normalised=("E = 0", EXPECTED),
    )


def _by_policy(trace: Trace, keyed: MikeyLine, policy: SRTPParameters, sure: bool) -> Outcome:
    expected = "a policy that encrypts SRTCP"
    choice = "" if sure else " Others that were offered encrypt; which one holds is ambiguous."
    return Outcome(
        "violation" if sure else "suspect",
        keyed.subject,
        confidence="proven" if sure else "heuristic",
        title="SRTCP agreed without encryption",
        message=(
            f"{keyed.source(trace)} has a security policy that leaves SRTCP unencrypted for {keyed.place}. Anyone on "
            f"the path reads names and reports of its RTCP.{choice} Not checked: the packets."
        ),
        evidence=tuple(replace(each, observed="SRTCP encryption off") for each in keyed.evidence(policy, expected)),
        role=keyed.role,
        media=keyed.media,
        normalised=("SRTCP encryption off", expected),
    )


def _agreed(trace: Trace, each: SdesLine, selected: Selected) -> Outcome:
    """Encryption was switched off by agreement; one outcome for the line, with what its packets do."""
    words = [
        word
        for use in each.line.rtcp
        if isinstance(use.stream, RtcpSource)
        for word in index_words(use.stream, selected.of_party(use.party))
        if word.sample.time >= selected.state.begins
    ]
    encrypted = [word for word in words if word.encrypted]
    contrary = bool(encrypted) and len(encrypted) == len(words)
    asked = selected.offered is not None and selected.offered.unencrypted_srtcp
    if contrary:
        consequence = (
            f"Yet the SRTCP packets seen are encrypted, from {frame_text(trace, encrypted[0].sample.frame)} on: one "
            "side does not do what was agreed, and the other may drop what it sends."
        )
    else:
        consequence = "Anyone on the path reads names and reports of its RTCP."
        if encrypted:
            consequence += f" {len(encrypted)} of {counted(len(words), 'packet')} seen are encrypted all the same."
        elif not words:
            consequence += " No SRTCP packet shows what is done."
    unasked = "" if asked else f" The offer in {frame_text(trace, selected.offer_frame)} did not ask for it."
    observed, expected = ("E = 1", AGREED_BUT_ENCRYPTED) if contrary else ("UNENCRYPTED_SRTCP", AGREED_CLEAR)
    return Outcome(
        "violation",
        each.subject,
        severity=Severity.LOW if contrary else None,
        title="SRTCP encrypted against the agreement" if contrary else "SRTCP agreed without encryption",
        message=(
            f"The answer in {frame_text(trace, selected.answer_frame)} selects UNENCRYPTED_SRTCP for {each.place} "
            f"(tag {selected.answered.tag}).{unasked} {consequence}"
        ),
        evidence=(
            *selected.evidence(AGREED_CLEAR),
            *(
                Evidence(word.sample.frame, "SRTCP index word", f"E = 1, index {word.number}", AGREED_BUT_ENCRYPTED)
                for word in encrypted[:2]
            ),
        ),
        role="answerer",
        media=each.media,
        normalised=(observed, expected),
    )
