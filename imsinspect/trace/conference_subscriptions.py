"""Subscriptions to the conference package, with their notifications (RFC 4575 §3, RFC 6665; rules.md 17.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, uri_of
from imsinspect.trace.conference_documents import MEDIA_TYPE, OVERTAKEN, DocumentReader, Versions
from imsinspect.trace.conference_model import ConferenceDocument, Notification, Subscription
from imsinspect.trace.conference_participants import identity_of
from imsinspect.trace.identities import canonical
from imsinspect.trace.unread import SMIME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.confinfo.model import Conference as Content
    from imsinspect.trace.model import SignallingMessage

PACKAGE = b"conference"
OF_THE_PACKAGE = frozenset((b"SUBSCRIBE", b"NOTIFY"))
PROOFS = (  # header fields that authenticate a subscriber
    ("p-asserted-identity", b"p-asserted-identity"),
    ("authorization", b"authorization"),
    ("authorization", b"proxy-authorization"),
    ("identity", b"identity"),
)
MAX_NOTIFIERS = 16  # that one forked SUBSCRIBE is followed to


@dataclass(slots=True)
class Observed:
    """A subscription, and the URIs that name its conference."""

    subscription: Subscription
    targets: tuple[bytes, ...]  # as written
    notifier: bytes = b""  # dialog tag
    versions: Versions = field(default_factory=Versions)
    by_cseq: dict[int, Notification] = field(default_factory=dict)
    newest: int = -1  # highest CSeq of a NOTIFY

    @property
    def shows_a_conference(self) -> bool:
        """Somebody serves the package there."""
        return self.subscription.accepted or bool(self.subscription.notifications)


def is_package(message: SignallingMessage) -> bool:
    """A SUBSCRIBE or NOTIFY of the conference package."""
    rows = message.sip.header(b"event")
    return bool(rows) and rows[0].partition(b";")[0].strip().lower() == PACKAGE


class Subscriptions:
    """Puts SUBSCRIBE and NOTIFY, in time order, into subscriptions."""

    def __init__(self) -> None:
        self.found: list[Observed] = []
        self._by_subscriber: dict[tuple[bytes, bytes], list[Observed]] = {}
        self._requests: dict[tuple[bytes, int, bytes, bytes], Observed] = {}  # that a response may answer
        self.documents = DocumentReader()

    def take(self, message: SignallingMessage) -> None:
        """One message with SUBSCRIBE or NOTIFY in its CSeq."""
        sip = message.sip
        if message.retransmission:
            return
        if sip.status:
            known = self._requests.get((sip.call_id, sip.cseq, sip.cseq_method, sip.from_tag))
            if known is not None and sip.status >= 200:
                (self._answered if sip.cseq_method == b"SUBSCRIBE" else _acknowledged)(known, message)
            return
        if not is_package(message):
            return
        found = self._subscribe(message) if sip.method == b"SUBSCRIBE" else self._notify(message)
        if found is not None:
            self._requests.setdefault((sip.call_id, sip.cseq, sip.method, sip.from_tag), found)

    def _subscribe(self, message: SignallingMessage) -> Observed:
        sip = message.sip
        group = self._by_subscriber.setdefault((sip.call_id, sip.from_tag), [])
        found = next((each for each in group if not sip.to_tag or each.notifier in (b"", sip.to_tag)), None)
        if found is None and len(group) >= MAX_NOTIFIERS:
            found = group[-1]
        if found is None:
            found = self._new(message, sip.from_tag, uri_of(sip.from_), (sip.request_uri, uri_of(sip.to)))
            found.subscription.request = message
            found.subscription.in_dialog = bool(sip.to_tag)
            found.subscription.expires = _expires(message)
            group.append(found)
        subscription = found.subscription
        if subscription.request is None:  # only notifications were seen before
            subscription.request, subscription.expires = message, _expires(message)
        subscription.hops.append(message)
        known = dict.fromkeys(subscription.authenticated_by)
        known |= {name: None for name, header in PROOFS if sip.header(header)}
        known |= _proofs_of_bodies(message)
        subscription.authenticated_by = tuple(known)
        identity = identity_of([message], uri_of(sip.from_))
        if identity.asserted:
            subscription.subscriber, subscription.subscriber_uri = identity.name, identity.uri
            subscription.aliases |= identity.aliases - {identity.name}
        return found

    def _answered(self, found: Observed, message: SignallingMessage) -> None:
        sip, subscription = message.sip, found.subscription
        accepted = 200 <= sip.status < 300
        if subscription.answer is None or (accepted and subscription.answer.sip.status >= 300):
            subscription.answer = message
        if accepted:
            self._notified_by(found, sip.to_tag)
            asked = next((each for each in reversed(subscription.hops) if each.sip.cseq == sip.cseq), None)
            if asked is not None and _expires(asked) == 0:
                subscription.ended = message.time

    def _notify(self, message: SignallingMessage) -> Observed | None:
        sip = message.sip
        group = self._by_subscriber.setdefault((sip.call_id, sip.to_tag), [])
        found = next((each for each in group if each.notifier in (b"", sip.from_tag)), None)
        if found is None:
            if len(group) >= MAX_NOTIFIERS:
                return None
            found = self._new(message, sip.to_tag, uri_of(sip.to), (uri_of(sip.from_),))
            if group:  # a forked SUBSCRIBE: the same request at another notifier
                first = group[0].subscription
                copied = found.subscription
                copied.request, copied.expires, copied.answer = first.request, first.expires, first.answer
                copied.subscriber, copied.subscriber_uri = first.subscriber, first.subscriber_uri
                copied.authenticated_by, copied.aliases = first.authenticated_by, first.aliases
            group.append(found)
        self._notified_by(found, sip.from_tag)
        known = found.by_cseq.get(sip.cseq)
        if known is not None:
            known.hops.append(message)
            return found
        notification, content = notification_of(message, self.documents)
        overtaken = bool(found.by_cseq) and sip.cseq < found.newest
        found.newest = max(found.newest, sip.cseq)
        found.by_cseq[sip.cseq] = notification
        subscription = found.subscription
        subscription.notifications.append(notification)
        if content is not None and overtaken:
            notification.outcome = OVERTAKEN
        elif content is not None:
            found.versions.take(notification, content)
        if notification.subscription_state == "terminated":
            subscription.ended = message.time
        return found

    def _notified_by(self, found: Observed, tag: bytes) -> None:
        if not found.notifier:
            found.notifier = tag
            call_id, _, subscriber = found.subscription.dialog
            found.subscription.dialog = (call_id, tag, subscriber)

    def _new(self, message: SignallingMessage, tag: bytes, own: bytes, targets: tuple[bytes, ...]) -> Observed:
        subscription = Subscription("", canonical(own), own, (), None, dialog=(message.sip.call_id, b"", tag))
        found = Observed(subscription, targets)
        self.found.append(found)
        return found


def notification_of(message: SignallingMessage, reader: DocumentReader) -> tuple[Notification, Content | None]:
    """A NOTIFY, or another message with a document."""
    sip = message.sip
    rows = sip.header(b"subscription-state")
    state = rows[0].partition(b";")[0].strip().lower() if rows else b""
    reason = parameters(rows[0]).get(b"reason", b"").lower() if rows else b""
    document, content = read_document(message, reader)
    hidden = any(each.encrypted or not each.content_type for each in message.sealed)
    return Notification(
        message,
        state.decode("ascii", "backslashreplace"),
        reason.decode("ascii", "backslashreplace"),
        document,
        sip.content_type.decode("ascii", "backslashreplace"),
        hidden,
        not hidden
        and (
            sip.content_type == b"multipart/signed"
            or any(each.facts is not None and each.facts.signed for each in message.sealed)
        ),
        hops=[message],
    ), content


def _acknowledged(found: Observed, message: SignallingMessage) -> None:
    notification = found.by_cseq.get(message.sip.cseq)
    if notification is not None and (notification.status == 0 or message.sip.status < 300):
        notification.status = message.sip.status


def read_document(
    message: SignallingMessage, reader: DocumentReader
) -> tuple[ConferenceDocument | None, Content | None]:
    """The conference document of a message, in clear or out of S/MIME."""
    sip = message.sip
    readable = sip.content_type == MEDIA_TYPE or sip.content_type.startswith(b"multipart/")
    for part in (*(sip.bodies() if readable else ()), *message.unsealed):
        if part.content_type == MEDIA_TYPE:
            return reader.read(part.data)
    return None, None


def _expires(message: SignallingMessage) -> int | None:
    rows = message.sip.header(b"expires")
    text = rows[0] if rows else b""
    return int(text) if text.isdigit() and len(text) <= 10 else None


def _proofs_of_bodies(message: SignallingMessage) -> dict[str, None]:
    """What in the bodies of a SUBSCRIBE authenticates its sender."""
    sip = message.sip
    if not sip.body:
        return {}
    kinds = {part.content_type for part in sip.bodies()}
    out = {"mikey": None} if b"application/mikey" in kinds else {}
    return out | ({"s/mime": None} if message.sealed or kinds & frozenset(SMIME) else {})


def subscriptions_of(messages: Iterable[SignallingMessage]) -> list[Observed]:
    """The subscriptions among messages in time order."""
    book = Subscriptions()
    for message in messages:
        if message.sip.method in OF_THE_PACKAGE or message.sip.cseq_method in OF_THE_PACKAGE:
            book.take(message)
    return book.found
