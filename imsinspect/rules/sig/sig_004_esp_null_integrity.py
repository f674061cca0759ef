"""IMS-SIG-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.associations import IPSEC
from imsinspect.trace.model import Protection
from imsinspect.trace.security_agreement import taken_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import EspAssociation, Trace
    from imsinspect.trace.security_agreement import MirroredAgreement

OWN_INTEGRITY = ("aes-gcm", "aes-gmac", "aes-ccm", "chacha20-poly1305", "null-auth-aes-gmac")
"""Ciphers that authenticate by themselves, for which alg=null is right."""
NONE = frozenset(("", "null", "none"))


@rule(
    id="IMS-SIG-004",
    name="esp-null-integrity",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.4.1", "TS 33.328 §5.5.4", "TS 33.328 §6.2.1.3.2", "TS 33.203 §6.3", "RFC 4303 §2.8"),
)
def esp_null_integrity(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """ESP security association without integrity.

    What it checks:
        ESP associations that carry SIP and that can be read: whether an integrity check value stands at the end of
        their packets. And every Security-Verify of a UE that names one mechanism of IPsec: whether it has an integrity
        algorithm (alg), or a cipher that brings its own (AES-GCM, AES-GMAC).
    Why it matters:
        Messages can be changed on their way: fingerprints, crypto lines and identities in them are worth nothing.
    What the finding shows:
        The SPI with its first frame, or the Security-Verify with what was agreed.
    How to fix it:
        Offer ipsec-3gpp with hmac-sha-1-96 or better, or with aes-gcm, and refuse associations without integrity.
    When it is not assessed:
        N-KEY: ESP whose content can't be read does not show where a check value begins; bring its key.
    """
    inside = {
        (message.source.ip, message.destination.ip)
        for message in trace.messages
        if message.protection in (Protection.ESP_NULL, Protection.OPENED)
    }
    ends = {(each.source, each.destination) for each in trace.esp}
    tunnelled = bool(inside - ends)  # SIP whose own addresses are none of an association's
    for each in trace.esp:
        outcome = _association(trace, each, (each.source, each.destination) in inside or tunnelled)
        if outcome is not None:
            yield outcome
    told: set[tuple[str, str]] = set()
    for agreement in trace.agreements:
        outcome = _agreed(trace, agreement, told)
        if outcome is not None:
            yield outcome


def _association(trace: Trace, each: EspAssociation, carries_sip: bool) -> Outcome | None:
    """None where it is not known to carry SIP."""
    subject = Subject("esp", f"SPI 0x{each.spi:08x}")
    if not each.opened:
        return not_assessed(subject, "N-KEY", "ESP that can't be read does not show whether it has a check value")
    if not carries_sip:
        return None
    if each.verified or each.icv_octets:
        return Outcome("pass", subject)
    if each.icv_octets is None:
        return None
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="ESP without integrity",
        message=(
            f"The packets of {subject.id} from {each.source} to {each.destination}, from "
            f"{frame_text(trace, each.first.frame)} on, carry SIP inside ESP that ends with its trailer: "
            f"{each.packets} packets without an integrity check value. Whoever is on the path changes what they say "
            "unnoticed. Not seen: a check value, nor whether a tool that took the capture cut it off."
        ),
        evidence=(Evidence(each.first.frame, "ESP trailer", "no integrity check value", "12 octets or more"),),
        role="sender",
        normalised=("no check value", "integrity of ESP"),
    )


def _agreed(trace: Trace, agreement: MirroredAgreement, told: set[tuple[str, str]]) -> Outcome | None:
    """What one Security-Verify says, once for each UE and list."""
    mechanisms = [each for each in agreement.verify.mechanisms if each.startswith(IPSEC)]
    if len(mechanisms) != 1 or (agreement.message.source.ip, mechanisms[0]) in told:
        return None
    told.add((agreement.message.source.ip, mechanisms[0]))
    _, parameters = taken_apart(mechanisms[0])
    integrity, cipher = parameters.get("alg", ""), parameters.get("ealg", "")
    subject = Subject("message", text(agreement.message.sip.call_id))
    if integrity not in NONE or cipher.startswith(OWN_INTEGRITY):
        return Outcome("pass", subject)
    observed = f"alg={integrity or 'absent'}, ealg={cipher or 'absent'}"
    return Outcome(
        "violation",
        subject,
        confidence="proven",
        title="IPsec agreed without integrity",
        message=(
            f"The Security-Verify in {frame_text(trace, agreement.verify.frame)} from {agreement.message.source} "
            f"repeats {mechanisms[0]}: no integrity algorithm, and a cipher that has none of its own. Whoever is on "
            "the path changes SIP inside this association unnoticed. Not seen: another mechanism to choose from."
        ),
        evidence=(Evidence(agreement.verify.frame, "Security-Verify", observed, "an alg, or an ealg with integrity"),),
        role="terminal",
        normalised=(f"alg {integrity or 'absent'}, ealg {cipher or 'absent'}", "integrity of ESP"),
    )
