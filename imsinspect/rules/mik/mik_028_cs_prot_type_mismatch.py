"""IMS-MIK-028."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.mik.exchanges import PROFILES, csb, line_of, subject_of, transfers, unread
from imsinspect.rules.mik.lines import GENERIC_ID, SRTP, TESLA, assign, mixed_levels, of_media, scope
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.messages import CryptoSession
    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import MikeyMessage, Trace

NAMES = {SRTP: "SRTP", TESLA: "TESLA"}


@rule(
    id="IMS-MIK-028",
    name="cs-prot-type-mismatch",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §B.1", "TS 33.328 §H.1", "TS 33.328 §H.3", "TS 33.328 §J.1", "TR 33.829 §5.3.2.2"),
    needs=(MIKEY,),
)
def cs_prot_type_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Protocol type of a crypto session does not fit its media line.

    What it checks:
        The crypto sessions of each first TRANSFER_INIT, given to the secured lines in the order of both: sessions of a
        line of SRTP must have Prot type 0, the session of a line of TLS (TCP/TLS/MSRP, TCP/TLS/BFCP …) the number that
        `mikey.prot_type.tls` of the policy file gives. Without such a number, any one but 0 and 1 is taken for TLS if
        the session has neither policies nor session data. CS IDs need not begin with 1.
    Why it matters:
        TLS then has no pre-shared key of its own: the line is not protected, or with a key of SRTP.
    What the finding shows:
        The frame, the CS ID, the Prot type, and the media line.
    How to fix it:
        Let the initiator give each crypto session the Prot type of its line, in the order of the m= lines.
    When it is not assessed:
        N-PROT: the Prot type of TLS is not configured, and the session has policies or data that TLS does not have.
        IMS-MIK-027: the number of sessions does not tell which is for which line. IMS-MIK-035: session and media level
        are mixed. IMS-MIK-038, N-FRAG: the map can't be read. N-SIP: signalling that could not be read.
    """
    tls = scene.policy.thresholds.mikey_prot_type_tls
    for exchange, record, whole in transfers(trace, scene):
        message = exchange.init
        subject = subject_of(message)
        if record.map_type != GENERIC_ID or (record.ticket is None and whole):
            continue
        if record.session_count != len(record.sessions):
            yield unread(subject, message)
            continue
        lines = scope(message)
        if lines is None:
            continue
        if mixed_levels(message):
            reason = "a=key-mgmt stands at session and at media level: which is for which line is not defined"
            yield not_assessed(subject, "IMS-MIK-035", reason)
            continue
        assigned = assign(of_media(record.sessions, scene.policy.thresholds), lines)
        if assigned is None:
            reason = "the number of crypto sessions does not tell which is for which line"
            yield not_assessed(subject, "IMS-MIK-027", reason)
            continue
        for media, sessions in assigned:
            yield _line(trace, message, media, sessions, tls)


def _line(trace: Trace, message: MikeyMessage, media: Media, sessions: list[CryptoSession], tls: int | None) -> Outcome:
    subject = line_of(message, media.index)
    if media.profile.family == "rtp":
        wrong = next((each for each in sessions if each.prot_type != SRTP), None)
        return _finding(trace, message, media, wrong, "0 SRTP") if wrong is not None else Outcome("pass", subject)
    doubtful = False
    for each in sessions:
        if each.prot_type == tls:
            continue
        if tls is not None or each.prot_type in NAMES:
            return _finding(trace, message, media, each, f"{tls} TLS" if tls is not None else "that of TLS")
        doubtful = doubtful or bool(each.policies or each.session_data)
    if doubtful:
        return not_assessed(subject, "N-PROT", "the Prot type of TLS is not configured (mikey.prot_type.tls)")
    return Outcome("pass", subject, confidence="proven" if tls is not None else "heuristic")


def _finding(trace: Trace, message: MikeyMessage, media: Media, session: CryptoSession, expected: str) -> Outcome:
    name = NAMES.get(session.prot_type, "")
    observed = f"{session.prot_type} {name}".rstrip()
    return Outcome(
        "violation",
        line_of(message, media.index),
        title=f"Prot type {observed} for {media.transport}",
        message=(
            f"Crypto session {session.cs_id} of TRANSFER_INIT ({csb(message.csb_id)}) in "
            f"{frame_text(trace, message.frames[0])} of {message.call} stands at the place of {text(media.type)} line "
            f"{media.index}, {media.transport}, and has Prot type {observed}, not {expected}. The line has no key of "
            "its own kind: it is not protected, or with a key that is meant for another protocol. Not seen: another "
            "session for the line."
        ),
        evidence=(
            Evidence(message.frames[0], f"MIKEY CS ID {session.cs_id} Prot type", observed, expected),
            Evidence(message.frames[0], f"SDP m= line {media.index}", media.transport, "a session of its protocol"),
        ),
        role="offerer",
        media=media_name(media),
        normalised=(f"Prot type {observed} for {media.transport}", expected),
    )
