"""IMS-GW-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, not_assessed
from imsinspect.rules.needs import H248
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import SECURED_POINTS, TRUSTED_SITE, rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.gateway import GatewayMessage
    from imsinspect.trace.model import Trace

KEYS, FINGERPRINTS, NOTHING = "SRTP master keys", "certificate fingerprints", "no keys or fingerprints"
SEVERITIES = {KEYS: Severity.CRITICAL, FINGERPRINTS: Severity.HIGH, NOTHING: Severity.INFO}
PROTECTED = frozenset((Protection.OPENED, Protection.TLS_NULL, Protection.ESP_NULL))
REQUIRED = "IPsec with integrity, and with encryption where keys are carried"
SHOWN = 20


@rule(
    id="IMS-GW-010",
    name="gateway-control-unprotected",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §6.2.1.3.2",
        "TS 33.328 §5.5.4",
        "TS 33.328 Annex G.2",
        "TR 33.829 §5.1.2",
        "TS 33.210",
    ),
    needs=(H248,),
)
def gateway_control_unprotected(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Iq or Mp H.248 signalling without IPsec.

    What it checks:
        Every H.248 message that can be read outside of ESP, between each controller and its gateway: what it carries
        decides. SRTP master keys (a=crypto) make the finding critical, certificate fingerprints high; with neither it
        is information. MIKEY messages protect their own keys. ESP with NULL encryption suffices for fingerprints; keys
        in it are the object of IMS-GW-011.
    Why it matters:
        Who can write on this interface tells the gateway whose certificate to accept, and who can read it has the keys
        of every call on it.
    What the finding shows:
        The frames and what they carry; never a key.
    How to fix it:
        Protect Iq and Mp with NDS/IP: IPsec ESP with integrity, and with encryption where keys are carried.
    When it is not assessed:
        T-CORE: the capture point is declared to lie behind the protection, or PDUs were exported by another tool. Where
        the site is declared physically protected (`--nds trusted-site`) the finding is information.
    """
    pairs: dict[frozenset[str], dict[str, list[GatewayMessage]]] = {}
    for message in trace.gateway:
        hosts = frozenset((message.source.ip, message.destination.ip))
        pairs.setdefault(hosts, {}).setdefault(_kind(message), []).append(message)
    for hosts, kinds in pairs.items():
        yield _pair(trace, scene, hosts, kinds)


def _kind(message: GatewayMessage) -> str:
    if message.protection in PROTECTED:
        return ""
    if "a=crypto" in message.carries:
        return KEYS
    return FINGERPRINTS if "a=fingerprint" in message.carries else NOTHING


def _pair(trace: Trace, scene: Scene, hosts: frozenset[str], kinds: dict[str, list[GatewayMessage]]) -> Outcome:
    subject = Subject("gateway control", " and ".join(sorted(hosts)))
    open_kinds = [kind for kind in (KEYS, FINGERPRINTS, NOTHING) if kind in kinds]
    if not open_kinds:
        return Outcome("pass", subject)
    kind = open_kinds[0]
    messages = kinds[kind]
    first = messages[0]
    if scene.capture_point in SECURED_POINTS or all(each.protection is Protection.EXPORTED for each in messages):
        return not_assessed(subject, "T-CORE", "the messages may have been protected before they were captured")
    trusted = scene.nds == TRUSTED_SITE
    said = " It counts as information only: the site was declared physically protected." if trusted else ""
    observed = f"H.248 over {first.transport.upper()} without ESP, with {kind}"
    return Outcome(
        "violation",
        subject,
        severity=Severity.INFO if trusted else SEVERITIES[kind],
        title=f"Gateway control without IPsec carries {kind}",
        message=(
            f"{counted(len(messages), 'H.248 message')} between {first.source} and {first.destination}, the first in "
            f"{frame_text(trace, first.frames[0])}, {'carry' if len(messages) > 1 else 'carries'} {kind} over "
            f"{first.transport.upper()}. Who reads or writes on this interface has the gateway in hand.{said} Not "
            "seen: ESP around it."
        ),
        evidence=tuple(Evidence(each.frames[0], "H.248", observed, REQUIRED) for each in messages[:SHOWN]),
        role="controller",
        normalised=(f"H.248 without ESP, with {kind}", REQUIRED),
    )
