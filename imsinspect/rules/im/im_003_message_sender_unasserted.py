"""IMS-IM-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, not_assessed
from imsinspect.rules.im.pages import SHOWN, conversations, subject
from imsinspect.rules.needs import PAGES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.pages import TO_UE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace
    from imsinspect.trace.pages import PageMessage

REQUIRED = "P-Asserted-Identity, or Privacy"
SMS = "application/vnd.3gpp.sms"  # sent by a gateway under its own name (TS 24.341)


@rule(
    id="IMS-IM-003",
    name="message-sender-unasserted",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=("IM-SIG",),
    references=("TS 33.328 Annex F.2", "RFC 3325 §5"),
    needs=(PAGES,),
)
def message_sender_unasserted(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Message delivered without asserted sender identity.

    What it checks:
        Every SIP MESSAGE from the P-CSCF to a UE that was accepted with 2xx: it must carry P-Asserted-Identity, unless
        the sender hides its identity (Privacy, an anonymous From). Short messages of a gateway, and what is no message
        of a person, are left out.
    Why it matters:
        From can say anything. Without an asserted identity the receiver can't know who wrote.
    What the finding shows:
        The frames and the hop.
    How to fix it:
        Let the originating P-CSCF assert the identity and the terminating one deliver it. Where the operator's policy
        keeps it from recipients, say so in the policy file.
    When it is not assessed:
        N-DIR: nothing shows whether the message goes to a UE. N-OA: no answer to it was seen. N-SIP: signalling that
        could not be read.
    """
    if scene.asked is not None and "IM-SIG" not in scene.asked:
        return
    for pages in conversations(each for each in trace.pages if not each.control).values():
        outcome = _conversation(trace, pages)
        if outcome is not None:
            yield outcome


def _conversation(trace: Trace, pages: list[PageMessage]) -> Outcome | None:
    first = pages[0]
    if first.hop == UNKNOWN and not all(_identified(page) for page in pages):
        return not_assessed(subject(first), "N-DIR", "nothing shows whether the message goes to a UE")
    if first.hop != TO_UE:
        return None
    bare = [page for page in pages if not _identified(page) and SMS not in page.content_types]
    accepted = [page for page in bare if 200 <= page.status < 300]
    if not accepted:
        unanswered = any(not page.status for page in bare)
        if unanswered:
            return not_assessed(subject(first), "N-OA", "no answer to the message was seen")
        return Outcome("pass", subject(first))
    message = accepted[0].message
    return Outcome(
        "violation",
        subject(accepted[0]),
        title="Message from nobody that the network vouches for",
        message=(
            f"{counted(len(accepted), 'MESSAGE')} to the UE at {message.destination}, the first in "
            f"{frame_text(trace, message.frame)}, carries neither P-Asserted-Identity nor Privacy and is accepted. The "
            "receiver can't tell a forged sender. Not seen: whether the operator's policy removed the identity."
        ),
        evidence=tuple(
            Evidence(page.message.frame, "P-Asserted-Identity", "absent", REQUIRED) for page in accepted[:SHOWN]
        ),
        role="terminal",
        direction="received",
        normalised=("no P-Asserted-Identity", REQUIRED),
    )


def _identified(page: PageMessage) -> bool:
    return page.asserted or bool(page.privacy - {"none"}) or page.anonymous
