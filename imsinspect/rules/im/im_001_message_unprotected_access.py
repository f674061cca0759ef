"""IMS-IM-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, not_assessed
from imsinspect.rules.im.pages import SHOWN, conversations, kinds, subject
from imsinspect.rules.needs import PAGES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import SECURED_POINTS, rule
from imsinspect.trace.model import Protection
from imsinspect.trace.pages import CORE, FROM_UE, TO_UE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace
    from imsinspect.trace.pages import PageMessage

PROFILES = ("IM-SIG",)
PROTECTED = frozenset((Protection.OPENED, Protection.ESP_NULL, Protection.TLS_NULL))
REQUIRED = "inside ESP or TLS"


@rule(
    id="IMS-IM-001",
    name="message-unprotected-access",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 Annex F.2", "TR 33.829 §5.1.1", "TS 33.203 §M.6.2"),
    needs=(PAGES,),
)
def message_unprotected_access(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SIP MESSAGE on an unprotected first hop.

    What it checks:
        Every SIP MESSAGE with a body on the hop between UE and P-CSCF: it must travel inside ESP or TLS. Without a
        profile the messages of a capture are taken to rest on the protection of signalling. Messages of one sender on
        one hop stand in one finding. A body that is S/MIME makes it information only; ESP with NULL encryption is the
        object of IMS-IM-002. What is being typed, delivery notifications and keys are no messages.
    Why it matters:
        Who listens on the access reads the message; who stands on the path changes it or writes one of his own.
    What the finding shows:
        The frames, the hop, and the content types; never the text.
    How to fix it:
        Carry signalling between UE and P-CSCF inside IPsec ESP or TLS, and let the P-CSCF refuse requests outside it.
    When it is not assessed:
        N-DIR: nothing shows whether the hop is one of a UE. T-CORE: the capture point is declared to lie behind the
        protection, or PDUs were exported by another tool. N-SIP: signalling that could not be read. Only the first hop
        can be judged: hops of the core are no object.
    """
    if scene.asked is not None and "IM-SIG" not in scene.asked:
        return
    for pages in conversations(each for each in trace.pages if not each.control).values():
        outcome = _conversation(trace, scene, pages)
        if outcome is not None:
            yield outcome


def _conversation(trace: Trace, scene: Scene, pages: list[PageMessage]) -> Outcome | None:
    first = pages[0]
    message = first.message
    declared = scene.capture_point in ("access", "ue")
    if first.hop == CORE and not declared:
        return None
    if message.protection in PROTECTED:
        return Outcome("pass", subject(first))
    if scene.capture_point in SECURED_POINTS or message.protection is Protection.EXPORTED:
        return not_assessed(subject(first), "T-CORE", "the message may have been protected before it was captured")
    if first.hop not in (FROM_UE, TO_UE) and not declared:
        return not_assessed(subject(first), "N-DIR", "nothing shows whether the hop of the message is one of a UE")
    assumed = "" if first.hop_known or declared else " That its sender is a UE is assumed: it names no other node."
    sealed = " Its body is S/MIME, so that it counts as information only." if first.protected else ""
    observed = f"{message.transport.upper()} without ESP or TLS, {kinds(pages)}"
    return Outcome(
        "violation",
        subject(first),
        severity=Severity.INFO if first.protected else None,
        confidence="proven" if first.hop_known or declared else "strong",
        title="Immediate message that anybody on the access can read",
        message=(
            f"{counted(len(pages), 'MESSAGE')} from {message.source} to {message.destination}, the first in "
            f"{frame_text(trace, message.frame)}, over {message.transport.upper()} ({kinds(pages)}). Who listens on "
            f"the access reads and forges them.{assumed}{sealed} Not seen: ESP or TLS around them."
        ),
        evidence=tuple(Evidence(page.message.frame, "MESSAGE", observed, REQUIRED) for page in pages[:SHOWN]),
        role="terminal",
        direction="sent" if first.hop == FROM_UE else "received",
        normalised=(f"{message.transport} without ESP or TLS", REQUIRED),
    )
