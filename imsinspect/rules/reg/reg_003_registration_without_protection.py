"""IMS-REG-003."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.needs import REGISTRATIONS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import SECURED_POINTS, rule
from imsinspect.trace.dialogs import way_of
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Registration, SignallingMessage, Trace
    from imsinspect.trace.sides import End

KEYS = (b"\na=crypto:", b"\na=fingerprint:", b"\na=key-mgmt:")
REQUIRED = "IPsec ESP or TLS between UE and P-CSCF"


@rule(
    id="IMS-REG-003",
    name="registration-without-protection",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.4.1", "TS 33.328 §5.5.4", "TS 33.328 Annex F.2", "TS 33.203"),
    needs=(REGISTRATIONS,),
)
def registration_without_protection(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """UE registered without any signalling security.

    What it checks:
        Every registration on the first hop of a UE that was accepted: either a security agreement was made
        (Security-Client, Security-Server, Security-Verify), or the messages travelled inside ESP or TLS. Where neither
        is so and a later request of the UE is in clear as well, its signalling has no security. Without media security
        in any session of the UE the finding is medium.
    Why it matters:
        SDES keys, fingerprints and immediate messages have no protection but that of the signalling that carries them.
    What the finding shows:
        The REGISTER, its 200 and a later request of the UE.
    How to fix it:
        Register with IPsec (ipsec-3gpp) or over TLS, and let the P-CSCF refuse registrations without either.
    When it is not assessed:
        N-DIR: nothing shows that the REGISTER was captured on the first hop. T-CORE: the capture point is declared to
        lie behind the protection, or PDUs were exported by another tool. N-MED: no later request of the UE was seen.
        N-SIP: signalling that could not be read. Access networks that authenticate by themselves (GIBA, NASS bundled
        authentication) are not told apart: say so in the policy file.
    """
    later = _requests(trace)
    keyed = {
        way_of(message)[0]
        for call in trace.calls
        for message in call.messages
        if any(mark in message.sip.body for mark in KEYS)
    }
    for registration in trace.registrations:
        outcome = _registration(trace, scene, registration, later, keyed)
        if outcome is not None:
            yield outcome


def _requests(trace: Trace) -> dict[End, list[SignallingMessage]]:
    """Requests other than REGISTER by the end that sent them, in time order."""
    out: dict[End, list[SignallingMessage]] = {}
    for message in trace.messages:
        if message.sip.method not in (b"", b"REGISTER", b"ACK"):
            out.setdefault(way_of(message)[0], []).append(message)
    return out


def _registration(
    trace: Trace, scene: Scene, registration: Registration, later: dict[End, list[SignallingMessage]], keyed: set[End]
) -> Outcome | None:
    subject = Subject("registration", registration.id)
    requests = [each for each in registration.messages if each.sip.method == b"REGISTER"]
    frames = {place.frame for place in registration.accepted}
    accepted = [each for each in registration.messages if each.frame in frames]
    if not accepted:
        return None
    if registration.indications or any(each.protection in _SECURED for each in registration.messages):
        return Outcome("pass", subject)
    first_hop = [each for each in requests or accepted if _first_hop(each)]
    if not first_hop and scene.capture_point not in ("access", "ue"):
        return not_assessed(subject, "N-DIR", "the REGISTER was not captured on the first hop of the UE")
    first = (first_hop or requests or accepted)[0]
    if scene.capture_point in SECURED_POINTS or first.protection is Protection.EXPORTED:
        return not_assessed(subject, "T-CORE", "the registration may have been protected before it was captured")
    ue = way_of(first)[0 if first.sip.method else 1]
    answer = next((each for each in accepted if way_of(each)[1] == ue), accepted[0])
    others = later.get(ue, [])
    at = bisect_right([each.time for each in others], answer.time)
    following = others[at:]
    if not following:
        return not_assessed(subject, "N-MED", "no later request of the UE was seen")
    clear = next((each for each in following if each.protection is Protection.CLEAR), None)
    if clear is None:
        return Outcome("pass", subject)
    secured_media = ue in keyed
    media = "its sessions carry keys" if secured_media else "its sessions negotiate no media security"
    return Outcome(
        "violation",
        subject,
        severity=None if secured_media else Severity.MEDIUM,
        confidence="strong",
        title="Registration without any signalling security",
        message=(
            f"The REGISTER of {answer.destination} is accepted in {frame_text(trace, answer.frame)} over "
            f"{answer.transport.upper()}, without a security agreement, and its {text(clear.sip.method)} in "
            f"{frame_text(trace, clear.frame)} is in clear as well; {media}. Whatever the signalling carries can be "
            "read and changed on the access. That the hop is the UE's first one is assumed. Not seen: ESP, TLS or "
            "Security headers."
        ),
        evidence=(
            *(
                Evidence(each.frame, "REGISTER", f"{each.transport.upper()}, no Security-Client", REQUIRED)
                for each in requests[:1]
            ),
            Evidence(answer.frame, "2xx to REGISTER", "accepted", "refused with 421 or 494"),
            Evidence(clear.frame, text(clear.sip.method), f"{clear.transport.upper()} in clear", REQUIRED),
        ),
        role="terminal",
        normalised=("REGISTER accepted in clear", REQUIRED),
    )


_SECURED = frozenset((Protection.OPENED, Protection.ESP_NULL, Protection.TLS_NULL))


def _first_hop(message: SignallingMessage) -> bool:
    """One Via, and no Path of a node on the way."""
    return len(message.sip.header_values(b"via")) == 1 and not message.sip.header(b"path")
