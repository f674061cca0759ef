"""IMS-TLS-025."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from dissectors.tls.versions import is_tls13
from imsinspect.rules.facts import agreement, frame_text, handshake_agreed, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import lines_without_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, TlsSession, Trace

EXPECTED = "one profile that the client offered"


@rule(
    id="IMS-TLS-025",
    name="dtls-without-srtp-profile",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("RFC 5764 §4.1", "RFC 5763 §5"),
    needs=(CALLS,),
)
def dtls_without_srtp_profile(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """DTLS handshake that agrees no SRTP protection profile.

    What it checks:
        Every DTLS session of a line that was agreed as DTLS-SRTP (UDP/TLS/RTP/SAVP(F), TCP/DTLS/RTP/SAVP(F)) and whose
        handshake completes: the server's use_srtp extension must name one profile, out of those that the client
        offered.
    Why it matters:
        The keys of SRTP come from the handshake, for the profile that it agrees. Without one there are no keys: media
        is silent, or one side sends it in clear or with keys that the other does not have.
    What the finding shows:
        The frames of offer and answer and of the hellos, and what each of them says in use_srtp.
    How to fix it:
        Enable use_srtp at both ends, with a profile that both support, SRTP_AEAD_AES_128_GCM or
        SRTP_AES128_CM_HMAC_SHA1_80.
    When it is not assessed:
        N-HS: no DTLS session of the line was captured, its ServerHello is missing, or its handshake does not complete
        in the capture; a handshake that was refused agreed nothing. T-13: DTLS 1.3 sends the extension encrypted, and
        no key log opens it. T-RES: a resumed session may go on with the profile of the session before it. N-SIP:
        signalling that could not be read.
    """
    judged: set[str] = set()
    for call in trace.calls:
        for line in call.lines:
            states = [state for state in line.states if _dtls_srtp(state)]
            if not states:
                continue
            for session in line.tls_sessions:
                if session.id not in judged and session.transport == "dtls":
                    judged.add(session.id)
                    yield from _judge(trace, call, line, states[0], session)
    yield from lines_without_sessions(trace, scene, lambda line: any(_dtls_srtp(state) for state in line.states))


def _dtls_srtp(state: LineState) -> bool:
    """The state is agreed as DTLS-SRTP."""
    return (
        state.answered is not None
        and state.answered.profile.family == "rtp"
        and state.answered.profile.security == "dtls"
        and handshake_agreed(state)
    )


def _judge(trace: Trace, call: Call, line: MediaLine, state: LineState, session: TlsSession) -> Iterator[Outcome]:
    subject = Subject("tls-session", session.id)
    if not session.server_hellos:
        if not session.alerts:
            yield not_assessed(subject, "N-HS", "no ServerHello of the session is in the capture")
        return
    server = session.server_hellos[-1]
    offered = {profile for hello in session.client_hellos for profile in hello.use_srtp}
    shared = len(server.use_srtp) == 1 and (not session.client_hellos or server.use_srtp[0] in offered)
    if shared:
        yield Outcome("pass", subject)
    elif is_tls13(server.version) and not session.opened:
        yield not_assessed(subject, "T-13", "DTLS 1.3 encrypts the server's use_srtp extension")
    elif not session.handshake_complete:
        if not session.alerts:
            yield not_assessed(subject, "N-HS", "the handshake does not complete in the capture")
    elif session.resumed:
        yield not_assessed(subject, "T-RES", "a resumed session may go on with the profile of the one before it")
    else:
        yield _without(trace, call, line, state, session)


def _names(profiles: tuple[int, ...]) -> str:
    named = (DTLS_SRTP_PROFILES[each].name if each in DTLS_SRTP_PROFILES else f"0x{each:04x}" for each in profiles[:8])
    return ", ".join(named) or "no use_srtp profile"


def _without(trace: Trace, call: Call, line: MediaLine, state: LineState, session: TlsSession) -> Outcome:
    server = session.server_hellos[-1]
    clients = session.client_hellos[-1:]
    said = _names(server.use_srtp)
    asked = f" to an offer of {_names(clients[0].use_srtp)}" if clients else ""
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        title="DTLS agrees no SRTP profile",
        message=(
            f"The DTLS handshake {session.id} between {session.client} and {session.server} of "
            f"{text(state.offered.type)} line {line.index} of {call.id} completes, and its ServerHello in "
            f"{frame_text(trace, server.frame)} answers {said}{asked}. No keys of SRTP can come from it, although "
            f"{state.offered.transport} was agreed. Not seen: other keys for the line."
        ),
        evidence=(
            *agreement(state),
            *(Evidence(each.frame, "ClientHello.use_srtp", _names(each.use_srtp), "a profile") for each in clients),
            Evidence(server.frame, "ServerHello.use_srtp", said, EXPECTED),
        ),
        fact=session.id,
        role="server",
        media=media_name(state.offered),
        normalised=(said, EXPECTED),
    )
