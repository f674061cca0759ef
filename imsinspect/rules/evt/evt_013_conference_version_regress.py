"""IMS-EVT-013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.confinfo.merge import REGRESSED
from imsinspect.rules.evt.notifications import told
from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Notification
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-EVT-013",
    name="conference-version-regress",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("RFC 4575 §4.3", "RFC 4575 §5.2", "TR 33.829 §5.1.2"),
    needs=(CONFERENCES,),
)
def conference_version_regress(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference document version repeated or falling with new content.

    What it checks:
        The versions of the conference documents within one subscription: each document that says something new is to
        have a higher version than those before. Retransmissions, refreshes of a version with the same content, and
        NOTIFYs that were overtaken on the way do not count; another subscription counts by itself.
    Why it matters:
        Subscribers discard such documents. It shows a replayed or forged roster, or a focus whose participants know
        different rosters.
    What the finding shows:
        The frames of both documents with their versions, and how many there are.
    How to fix it:
        Let the focus count versions within each subscription and keep the count over restarts. If it does, look for who
        else sends NOTIFYs into the subscription.
    When it is not assessed:
        N-KEY: the documents are encrypted, and no key at hand opens them. N-SIP, N-FRAG: signalling that could not be
        read may hold NOTIFYs.
    """
    for each in told(trace, scene):
        if each.subscription is not None:
            yield from _subscription(trace, each)


def _subscription(trace: Trace, each: Told) -> Iterator[Outcome]:
    documents = [one for one in each.notifications if one.document is not None and one.document.version is not None]
    fallen = [one for one in documents if one.outcome == REGRESSED and one.document_before is not None]
    if fallen:
        yield _regress(trace, each, fallen, {one.message.frame: one for one in documents})
    elif len(documents) > 1:
        yield Outcome("pass", each.subject)
    elif sum(one.sealed and one.document is None for one in each.notifications) > 1:
        yield not_assessed(each.subject, "N-KEY", "the documents are encrypted, and no key at hand opens them")


def _regress(
    trace: Trace, each: Told, fallen: list[Notification], by_frame: dict[int, Notification]
) -> Outcome:  # fmt: skip
    first = fallen[0]
    frame = first.document_before or 0
    before, after = _version(by_frame.get(frame)), _version(first)
    more = f", and {len(fallen) - 1} more of the kind follow" if len(fallen) > 1 else ""
    said = "repeated with other content" if before == after else "falling"
    return Outcome(
        "violation",
        each.subject,
        title=f"Conference document version {said}",
        message=(
            f"The subscription of {each.whom} to {each.conference.uri} has version {after} in "
            f"{frame_text(trace, first.message.frame)} after version {before} in {frame_text(trace, frame)}, with "
            f"other content{more}. The roster may be replayed or forged. Not seen: a new subscription in between."
        ),
        evidence=(
            Evidence(frame, "conference-info version", before, "as it is"),
            *(
                Evidence(one.message.frame, "conference-info version", _version(one), f"above {before}")
                for one in fallen[:MAX_EVIDENCE]
            ),
        ),
        role="focus",
        direction="sent",
        normalised=(f"version {said}", "a higher version"),
    )


def _version(notification: Notification | None) -> str:
    document = notification.document if notification is not None else None
    return str(document.version) if document is not None else "unknown"
