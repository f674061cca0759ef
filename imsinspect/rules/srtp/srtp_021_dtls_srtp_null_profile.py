"""IMS-SRTP-021."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import TLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, TlsSession, Trace

HIDDEN = "DTLS 1.3"  # its server answers use_srtp in an encrypted message


@rule(
    id="IMS-SRTP-021",
    name="dtls-srtp-null-profile",
    severity=Severity.HIGH,
    tier=3,
    profiles=("ALL",),
    references=("TS 33.328 §5.3", "RFC 5764 §4.1.2"),
    needs=(TLS,),
)
def dtls_srtp_null_profile(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """DTLS-SRTP selects a null protection profile.

    What it checks:
        The protection profile that the server of a DTLS handshake selects in its use_srtp extension: 0x0005
        (SRTP_NULL_HMAC_SHA1_80) and 0x0006 (SRTP_NULL_HMAC_SHA1_32) encrypt nothing. What a client offers and the
        server does not take is no finding.
    Why it matters:
        Speech, video and RTCP pass readable behind a handshake that looks like protection.
    What the finding shows:
        The ServerHello with the profile, what the client had offered, and the media line that the session belongs to.
    How to fix it:
        Take the NULL profiles out of the configuration of both sides, the client's offer included.
    When it is not assessed:
        T-13: DTLS 1.3 answers use_srtp in an encrypted message; bring a key log. N-HS: the client offered use_srtp and
        the ServerHello is not in the capture.
    """
    lines = {id(session): (call, line) for call in trace.calls for line in call.lines for session in line.tls_sessions}
    for session in trace.tls_sessions:
        if session.transport != "dtls":
            continue
        subject = Subject("tls-session", session.id)
        selected = _selected(session)
        null = [(profile, frame) for profile, frame in selected if _null(profile)]
        offered = any(hello.use_srtp for hello in session.client_hellos)
        if null:
            yield _found(trace, session, null, lines.get(id(session)))
        elif selected:
            yield Outcome("pass", subject)
        elif offered and session.version == HIDDEN:
            yield not_assessed(subject, "T-13", "DTLS 1.3 answers use_srtp in an encrypted message")
        elif offered and not session.server_hellos:
            yield not_assessed(subject, "N-HS", "the ServerHello is not in the capture")


def _selected(session: TlsSession) -> list[tuple[int, FrameId]]:
    """Profiles that the server chose, with the frames that say so; a key log opens those of DTLS 1.3."""
    hellos = [(hello.use_srtp[0], hello.frame) for hello in session.server_hellos if hello.use_srtp]
    return hellos or [(keying.profile, keying.frame) for keying in session.srtp_keying]


def _null(profile: int) -> bool:
    found = DTLS_SRTP_PROFILES.get(profile)
    return found is not None and found.null


def _found(
    trace: Trace, session: TlsSession, null: list[tuple[int, FrameId]], bound: tuple[Call, MediaLine] | None
) -> Outcome:
    profile, frame = null[0]
    name = DTLS_SRTP_PROFILES[profile].name
    hello = next((each for each in session.client_hellos if each.use_srtp), None)
    offered = ", ".join(f"0x{each:04x}" for each in hello.use_srtp) if hello is not None else ""
    where, media = "no media line of the capture", ""
    if bound is not None:
        call, line = bound
        state = line.states[-1]
        where, media = f"{text(state.offered.type)} line {line.index} of {call.id}", media_name(state.offered)
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        confidence="proven",
        title=f"DTLS-SRTP without encryption: {name}",
        message=(
            f"The server {session.server} selects {name} (0x{profile:04x}) in {frame_text(trace, frame)} for the "
            f"client {session.client}, which offered {offered or 'profiles that were not seen'}; the session belongs "
            f"to {where}. Media is authenticated and not encrypted: anyone on the path listens. Not checked: "
            "the packets themselves."
        ),
        evidence=(
            *(
                [Evidence(hello.frame, "ClientHello use_srtp", offered, "no NULL profiles")]
                if hello is not None
                else []
            ),
            Evidence(frame, "ServerHello use_srtp", f"0x{profile:04x} {name}", "a profile that encrypts"),
        ),
        role="server",
        media=media,
        normalised=(name, "a profile that encrypts"),
    )
