"""IMS-MIK-027."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, not_assessed
from imsinspect.rules.mik.exchanges import PROFILES, csb, settled, subject_of, transfers, unread
from imsinspect.rules.mik.lines import (
    GENERIC_ID,
    SRTP,
    TESLA,
    Scope,
    listed,
    mixed_levels,
    of_media,
    scope,
    usual,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.mikey_model import TRANSFER_RESP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.messages import CryptoSession
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyPassage
    from imsinspect.trace.model import MikeyMessage, Trace


@rule(
    id="IMS-MIK-027",
    name="cs-count-vs-media-lines",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §B.1", "TS 33.328 §H.3", "RFC 4567 §7.1", "TS 23.333 §6.2.19.2.1"),
    needs=(MIKEY,),
)
def cs_count_vs_media_lines(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Number of crypto sessions does not fit the media lines.

    What it checks:
        The crypto sessions of each first TRANSFER_INIT against the secured lines in its scope: all of them at session
        level, its own at media level. There must be at least one for each line, and TRANSFER_RESP must not have fewer
        than TRANSFER_INIT (sessions of lines that the answer refuses aside). Two for each line of SRTP and one for
        each of TLS are usual; a line that is only sent or only received may have one, and refused lines may keep
        theirs. Sessions of the Prot types that are configured for S/MIME and applications are not counted.
    Why it matters:
        Some line runs without a security association of its own, or sides disagree on which key is for which line.
    What the finding shows:
        The frame, the number of crypto sessions, the lines in scope, and the number that is expected.
    How to fix it:
        Let the initiator put two crypto sessions for each SRTP line and one for each TLS line into the CS ID map, in
        the order of the m= lines, and let the responder keep them.
    When it is not assessed:
        N-OA: the response was not seen. T-MUX: lines are bundled, or carry several streams (simulcast, layers), so that
        how many sessions are due is not known. N-PROT: sessions of a Prot type that is not configured may be for
        S/MIME or an application; `mikey.prot_type` settles it. IMS-MIK-035: session and media level are mixed.
        IMS-MIK-038, N-FRAG: the map can't be read. N-SIP: signalling that could not be read. Another number than the
        usual one is only suspected.
    """
    for exchange, record, whole in transfers(trace, scene):
        message = exchange.init
        subject = subject_of(message)
        if record.map_type != GENERIC_ID or (record.ticket is None and whole):
            continue
        if record.session_count != len(record.sessions):
            yield unread(subject, message)
        elif mixed_levels(message):
            reason = "a=key-mgmt stands at session and at media level: which is for which line is not defined"
            yield not_assessed(subject, "IMS-MIK-035", reason)
        elif (lines := scope(message)) is not None:
            sessions = of_media(record.sessions, scene.policy.thresholds)
            yield _judge(trace, exchange, lines, sessions, configured=scene.policy.thresholds.mikey_prot_type_tls)
            yield from _answers(trace, exchange)


def _judge(
    trace: Trace, exchange: MikeyExchange, lines: Scope, sessions: list[CryptoSession], *, configured: int | None
) -> Outcome:
    message, number = exchange.init, len(sessions)
    subject = subject_of(message)
    if number < len(lines.lines):
        return _finding(trace, message, number, lines, sure=True)
    if lines.least <= number <= lines.expected or number == sum(usual(media) for media in lines.closed):
        return Outcome("pass", subject)
    bundled = message.description is not None and bool(message.description.bundle_groups)
    if bundled or lines.several_sources:
        return not_assessed(
            subject, "T-MUX", "how many streams the lines have is not known (bundle, simulcast, layers)"
        )
    unnamed = [each for each in sessions if each.prot_type not in (SRTP, TESLA, configured)]
    if number > lines.expected and number - len(unnamed) <= lines.expected:
        return not_assessed(
            subject, "N-PROT", "more sessions than lines, of a Prot type that is not configured (mikey.prot_type)"
        )
    return _finding(trace, message, number, lines, sure=False)


def _answers(trace: Trace, exchange: MikeyExchange) -> Iterator[Outcome]:
    """One outcome for each answer; sessions of lines that it refuses may be missing."""
    for passage in exchange.passages:
        answer = passage.answer
        if answer is None or answer.record is None or answer.record.data_type != TRANSFER_RESP:
            continue
        record, asked = answer.record, passage.init.record
        if asked is None or record.map_type != GENERIC_ID or record.session_count != len(record.sessions):
            continue
        missing = asked.session_count - record.session_count
        if missing <= _refused(passage):
            yield Outcome("pass", subject_of(answer))
            continue
        yield Outcome(
            "violation",
            subject_of(answer),
            title="TRANSFER_RESP has fewer crypto sessions than TRANSFER_INIT",
            message=(
                f"TRANSFER_RESP ({csb(record.csb_id)}) in {frame_text(trace, answer.frames[0])} of {answer.call} has "
                f"{counted(record.session_count, 'crypto session')}, TRANSFER_INIT in "
                f"{frame_text(trace, passage.init.frames[0])} {asked.session_count}. Streams that were offered have no "
                "agreed key. Not seen: a refusal of their lines."
            ),
            evidence=(
                Evidence(passage.init.frames[0], "MIKEY HDR #CS", str(asked.session_count), "kept in the response"),
                Evidence(
                    answer.frames[0], "MIKEY HDR #CS", str(record.session_count), f"{asked.session_count} or more"
                ),
            ),
            role="answerer",
            normalised=("fewer crypto sessions in the response", "as many"),
        )
    if not any(passage.answer is not None for passage in exchange.passages) and not exchange.answers:
        ticket = exchange.init.record.ticket if exchange.init.record is not None else None
        if ticket is not None and ticket.flag("F") and all(settled(each) == "unanswered" for each in exchange.passages):
            yield not_assessed(subject_of(exchange.init), "N-OA", "the response to TRANSFER_INIT was not seen")


def _refused(passage: MikeyPassage) -> int:
    """Sessions of the lines that the answer refuses."""
    answer = passage.negotiation.answer
    lines = scope(passage.init)
    if answer is None or lines is None:
        return 0
    media = answer.sdp.media
    return sum(usual(each) for each in lines.closed if each.index >= len(media) or not media[each.index].port)


def _finding(trace: Trace, message: MikeyMessage, number: int, lines: Scope, *, sure: bool) -> Outcome:
    expected = f"{lines.expected} for {counted(len(lines.lines), 'secured line')}"
    what = (
        "fewer than lines, so that a line has no security association of its own"
        if sure
        else f"where {lines.expected} are usual, so that which session is for which line is not clear"
    )
    where = "session level" if message.carrier == "sdp session" else "the line"
    return Outcome(
        "violation" if sure else "suspect",
        subject_of(message),
        confidence="proven" if sure else "heuristic",
        title=f"{counted(number, 'crypto session')} for {counted(len(lines.lines), 'secured line')}",
        message=(
            f"TRANSFER_INIT ({csb(message.csb_id)}) in {frame_text(trace, message.frames[0])} of {message.call} at "
            f"{where} has {counted(number, 'crypto session')} for the lines {listed(lines.lines)}: {what}. Not seen: "
            "another key exchange for these lines."
        ),
        evidence=(
            Evidence(message.frames[0], "MIKEY HDR #CS", str(number), expected),
            Evidence(message.frames[0], "SDP m= lines", listed(lines.lines), "two sessions for SRTP, one for TLS"),
        ),
        role="offerer",
        normalised=(
            "fewer crypto sessions than lines" if sure else "an unusual number of crypto sessions",
            "two for SRTP, one for TLS",
        ),
        fact=message.call,
    )
