"""IMS-CONF-011."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import bound
from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import SignallingMessage, Trace

PROFILES = ("TR-KMS",)
SEALED = (b"application/pkcs7-mime", b"application/x-pkcs7-mime", b"multipart/signed")
TICKET = b"key-mgmt:mikey"
MIKEY_BODY = b"application/mikey"


@rule(
    id="IMS-CONF-011",
    name="refer-or-invite-without-ticket",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.3.2",),
    needs=(CONFERENCES,),
)
def refer_or_invite_without_ticket(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference signalling without a ticket in the KMS study profile.

    What it checks:
        Every INVITE between users and focus, and every REFER to the focus, of a conference by the study's tickets: it
        has to carry a=key-mgmt:mikey in its session description, a body of application/mikey, or S/MIME. Requests that
        were refused are no findings. A REFER inside a dialog whose INVITE carried a ticket is of severity low.
    Why it matters:
        Nothing shows who asks: a third party adds or removes users.
    What the finding shows:
        The request, its sender and receiver, and the type of its body.
    How to fix it:
        Send a MIKEY-TICKET message with every INVITE and REFER, and refuse those without one.
    When it is not assessed:
        N-KEY: the body is encrypted and no key opens it. N-SIP: no call with the focus was seen. IMS-PROF-005: the
        profile of the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, conference))


def _conference(trace: Trace, conference: Conference) -> Iterator[Outcome]:
    authenticated: set[bytes] = set()
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.joined_before:
                continue
            if _ticketed(leg.invite):
                authenticated.add(leg.dialog[0])
            refused = leg.answer is not None and leg.answer.sip.status >= 300
            yield _request(trace, conference, leg.invite, Subject("call", leg.call), refused=refused)
    for referral in conference.referrals:
        message = referral.message
        inside = referral.in_dialog and message.sip.call_id in authenticated
        subject = Subject("message", frame_text(trace, message.frame))
        yield _request(
            trace,
            conference,
            message,
            subject,
            refused=referral.status >= 300,
            severity=Severity.LOW if inside else None,
        )


def _ticketed(message: SignallingMessage) -> bool:
    """It carries MIKEY, or is signed or encrypted."""
    sip = message.sip
    if message.sealed or sip.content_type.startswith((*SEALED, MIKEY_BODY)):
        return True
    if TICKET in sip.body or MIKEY_BODY in sip.body:
        return True
    return any(TICKET in part.section.text or TICKET in part.session.text for sdp in message.sdp for part in sdp.media)


def _request(
    trace: Trace, conference: Conference, message: SignallingMessage, subject: Subject, *, refused: bool,
    severity: Severity | None = None,
) -> Outcome:  # fmt: skip
    if any(each.encrypted and not each.opened for each in message.sealed):
        return not_assessed(subject, "N-KEY", "the body of the request is encrypted and no key opens it")
    if refused or _ticketed(message):
        return Outcome("pass", subject)
    method = text(message.sip.method)
    body = text(message.sip.content_type) or "no body"
    return Outcome(
        "violation",
        subject,
        severity=severity,
        confidence="strong",
        title=f"{method} of a conference without a ticket",
        message=(
            f"The {method} from {message.source} to {message.destination} in {frame_text(trace, message.frame)} "
            f"belongs to {conference.uri} and carries no ticket ({body}). Nothing proves who asks: a third party adds "
            "or removes users. Not seen: a=key-mgmt:mikey, application/mikey, S/MIME."
        ),
        evidence=(Evidence(message.frame, "SIP body", body, "a MIKEY-TICKET message"),),
        role="focus" if message.source.ip in conference.focus_hosts else "participant",
        normalised=(f"{method} without a ticket", "a MIKEY-TICKET message"),
    )
