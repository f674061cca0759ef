"""Conference documents, and the roster that follows from them notification by notification (RFC 4575 §4.3 to §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dissectors.confinfo import merge
from imsinspect.trace.conference_model import ConferenceDocument, RosterEndpoint, RosterUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.confinfo.model import Conference as Content
    from dissectors.confinfo.model import Endpoint, User
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.conference_model import Notification, Subscription

MEDIA_TYPE = b"application/conference-info+xml"
OVERTAKEN = "overtaken"  # the NOTIFY arrived behind a later one of its dialog: nobody applies its document
MAX_USERS = 2_000  # of one document, and of a roster
MAX_ENDPOINTS = 64  # of one user
MAX_TEXTS = 16  # roles, associated identities, media and notes that are kept
MAX_KNOWN = 256  # documents kept to be recognised when they come again


class DocumentReader:
    """Reads documents; the same one comes again on every hop and to every subscriber."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[ConferenceDocument, Content | None]] = {}

    def read(self, data: bytes) -> tuple[ConferenceDocument, Content | None]:
        """The document as the trace keeps it, and with all that it says."""
        known = self._known.get(data)
        if known is None:
            from dissectors.confinfo.parse import parse  # with XML: loaded where there is a document

            parsed = parse(data)
            notes = tuple(note.text for note in parsed.notes[:MAX_TEXTS])
            known = _document(parsed.conference, notes, parsed.whole), parsed.conference
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[data] = known
        return known


def _document(conference: Content | None, notes: tuple[str, ...], whole: bool) -> ConferenceDocument:
    if conference is None:
        return ConferenceDocument("", "", None, notes=notes, whole=False)
    users = conference.participants()
    if len(users) > MAX_USERS:
        notes = (*notes, f"{len(users)} users; {MAX_USERS} are kept")
    state = conference.conference_state
    return ConferenceDocument(
        conference.entity,
        conference.state,
        conference.version,
        tuple(_user(user) for user in users[:MAX_USERS]),
        state.user_count if state is not None else None,
        notes,
        conference.users.state if conference.users is not None else "",
        whole and len(users) <= MAX_USERS,
    )


def _user(user: User) -> RosterUser:
    associated = user.associated_aors.entries if user.associated_aors is not None else ()
    return RosterUser(
        user.entity,
        user.state,
        user.display_text or "",
        tuple(each.uri for each in associated[:MAX_TEXTS]),
        (user.roles or ())[:MAX_TEXTS],
        tuple(_endpoint(each) for each in user.endpoints[:MAX_ENDPOINTS]),
    )


def _endpoint(endpoint: Endpoint) -> RosterEndpoint:
    return RosterEndpoint(
        endpoint.entity,
        endpoint.status or "",
        endpoint.joining_method or "",
        tuple(each.ssrc for each in endpoint.media[:MAX_TEXTS] if each.ssrc is not None),
        endpoint.state,
        endpoint.display_text or "",
    )


# --- the roster -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Roster:
    """What a subscriber knows; it goes on changing while it is followed."""

    users: dict[str, RosterUser] = field(default_factory=dict)  # by entity
    version: int | None = None
    complete: bool = False  # False: a document was missed or was not whole, or no full state came yet
    ended: bool = False  # the conference was deleted

    def take(self, document: ConferenceDocument) -> str:
        """Apply a document that is newer than the last one; what became of it (dissectors.confinfo.merge)."""
        gap = (
            document.version is not None
            and self.version is not None
            and document.version > self.version + 1
            and document.state == "partial"
        )
        first = self.version is None and not self.users
        if document.version is not None:
            self.version = document.version
        if document.state == "deleted":
            self.users, self.complete, self.ended = {}, True, True
            return merge.ENDED
        if document.state != "partial":
            self.users, self.complete = {}, document.whole
        elif gap or (first and not self.complete) or not document.whole:
            self.complete = False
        if document.users_state == "deleted" or (document.users_state == "full" and document.state == "partial"):
            self.users = {}
        for user in document.users:
            self._put(user)
        if document.state == "partial" and gap:
            return merge.GAP
        if document.state == "partial" and first:
            return merge.UNKNOWN_BASE
        return merge.APPLIED if document.version is not None else merge.UNVERSIONED

    def _put(self, user: RosterUser) -> None:
        known = self.users.get(user.entity)
        if user.state == "deleted":
            self.users.pop(user.entity, None)
        elif user.state == "partial" and known is not None:
            self.users[user.entity] = _over(known, user)
        elif known is not None or len(self.users) < MAX_USERS:
            self.users[user.entity] = _whole(user)
        else:
            self.complete = False


def _whole(user: RosterUser) -> RosterUser:
    if user.state == "full" and all(each.state == "full" for each in user.endpoints):
        return user
    endpoints = tuple(replace(each, state="full") for each in user.endpoints if each.state != "deleted")
    return replace(user, state="full", endpoints=endpoints)


def _over(known: RosterUser, said: RosterUser) -> RosterUser:
    """A user with what a partial one says put over it (RFC 4575 §4.6)."""
    endpoints = {each.entity: each for each in known.endpoints}
    for each in said.endpoints:
        before = endpoints.get(each.entity)
        if each.state == "deleted":
            endpoints.pop(each.entity, None)
        elif each.state == "partial" and before is not None:
            endpoints[each.entity] = RosterEndpoint(
                each.entity,
                each.status or before.status,
                each.joining_method or before.joining_method,
                each.ssrcs or before.ssrcs,
                "full",
                each.display_text or before.display_text,
            )
        elif len(endpoints) < MAX_ENDPOINTS:
            endpoints[each.entity] = replace(each, state="full")
    return RosterUser(
        said.entity,
        "full",
        said.display_text or known.display_text,
        said.associated or known.associated,
        said.roles or known.roles,
        tuple(endpoints.values()),
    )


class Versions:
    """Says of the documents of one subscription what becomes of each."""

    def __init__(self) -> None:
        self.roster = Roster()
        self._last: Content | None = None
        self._said: Content | None = None  # what it says, once that is asked for
        self._frame: FrameId | None = None

    def take(self, notification: Notification, content: Content) -> None:
        """Set the outcome of a notification with a document."""
        document = notification.document
        if document is None:
            return
        if self._last is not None and content.entity != self._last.entity:
            notification.outcome = merge.OTHER_CONFERENCE
            return
        version, known = document.version, self.roster.version
        if version is not None and known is not None and version <= known:
            notification.outcome = self._again(document, content)
            notification.document_before = self._frame
            return
        notification.outcome = self.roster.take(document)
        self._last, self._said, self._frame = content, None, notification.message.frame

    def _again(self, document: ConferenceDocument, content: Content) -> str:
        """A version that is not newer: the same content comes in refreshes, another one must not come."""
        if document.version != self.roster.version or self._last is None:
            return merge.REGRESSED
        if self._said is None:
            self._said = merge.content(self._last)
        if merge.content(content) == self._said:
            return merge.REPEATED
        whole = {user.entity: _whole(user) for user in document.users if user.state != "deleted"}
        same = document.state == "full" and self.roster.complete and whole == self.roster.users
        return merge.REPEATED if same else merge.REGRESSED


def follow_roster(subscription: Subscription) -> Iterator[tuple[Notification, Roster]]:
    """Each notification with the roster after it. The roster is one object, which the next step changes."""
    roster = Roster()
    for notification in subscription.notifications:
        passed_over = (merge.REPEATED, merge.REGRESSED, merge.OTHER_CONFERENCE, OVERTAKEN)
        if notification.document is not None and notification.outcome not in passed_over:
            roster.take(notification.document)
        yield notification, roster
