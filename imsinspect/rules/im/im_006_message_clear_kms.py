"""IMS-IM-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text
from imsinspect.rules.im.pages import SHOWN, conversations, kinds, subject
from imsinspect.rules.needs import PAGES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace

PROFILES = ("IM-KMS", "TR-KMS")
REQUIRED = "S/MIME with the pre-shared key of a MIKEY exchange"


@rule(
    id="IMS-IM-006",
    name="message-clear-kms",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TR 33.829 §5.3.2.2", "TS 33.328 Annex I", "TS 33.328 Annex J.1"),
    needs=(PAGES,),
)
def message_clear_kms(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Message body not S/MIME protected in the KMS profile.

    What it checks:
        The body of every SIP MESSAGE where the profile is IM-KMS or TR-KMS: it must be S/MIME. Without a profile, the
        messages of a sender other messages of whom are S/MIME. What is being typed, delivery notifications and
        application/mikey are left out.
    Why it matters:
        In this solution nothing but S/MIME hides a message from the nodes between the users.
    What the finding shows:
        The frames and the content types; never the text.
    How to fix it:
        Let the client seal every message with the pre-shared key that it obtained by MIKEY.
    When it is not assessed:
        N-SIP: signalling that could not be read. Where neither the user nor a message of the sender shows the profile,
        the rule has no object.
    """
    if scene.asked is not None and scene.asked.isdisjoint(PROFILES):
        return
    sealing = {page.sender for page in trace.pages if page.protected}
    for pages in conversations(each for each in trace.pages if not each.control).values():
        first = pages[0]
        if scene.asked is None and first.sender not in sealing:
            continue
        if first.protected:
            yield Outcome("pass", subject(first))
            continue
        message = first.message
        why = "the profile asks for it" if scene.asked is not None else "other messages of the sender are S/MIME"
        yield Outcome(
            "violation",
            subject(first),
            confidence="proven" if scene.asked is not None else "strong",
            title="Message in clear beside S/MIME",
            message=(
                f"{counted(len(pages), 'MESSAGE')} from {message.source} to {message.destination}, the first in "
                f"{frame_text(trace, message.frame)}, with {kinds(pages)} and without S/MIME, though {why}. Every node "
                "on the way reads it. Not seen: any S/MIME part in it."
            ),
            evidence=tuple(
                Evidence(each.message.frame, "Content-Type", kinds([each]), REQUIRED) for each in pages[:SHOWN]
            ),
            role="terminal",
            direction="sent",
            normalised=("body in clear", REQUIRED),
        )
