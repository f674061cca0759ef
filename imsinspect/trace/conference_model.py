"""Conferences as they happened: the focus, who took part and when, who was told of it (rules.md 17.5 to 17.8).

Times are nanoseconds since 1970, as in `imsinspect.trace.model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import SignallingMessage


@dataclass(slots=True)
class ConferenceLeg:
    """One dialog of a participant with the focus, on the hop nearest to the focus that was captured."""

    call: str  # id of the call in the trace
    dialog: tuple[bytes, bytes, bytes]  # Call-ID, tag of the focus, tag of the participant
    dial_out: bool  # the focus invited
    invite: SignallingMessage
    answer: SignallingMessage | None = None  # the first 2xx to the INVITE, or the last final response
    joined: int | None = None  # time of the 2xx; None where it was refused or none was seen
    left: int | None = None  # time of the BYE's answer, or of the BYE; None while it lasts
    left_frame: FrameId | None = None  # of the BYE, or of the response that says that the dialog is gone
    left_bye: SignallingMessage | None = None
    left_answer: FrameId | None = None  # of the BYE's answer
    replaces: tuple[bytes, bytes, bytes] | None = None  # dialog that Replaces or Join names, as `dialog`
    joins: bool = False  # by a Join header: the named dialog goes on (RFC 3911)
    at_focus: bool = False  # the capture shows the trusted side of the focus (P-Asserted-Identity may be expected)
    also: tuple[str, ...] = ()  # ids of calls that carry the same session on other hops (behind a B2BUA)
    joined_before: bool = False  # the capture begins inside the dialog: `joined` is when it was first seen
    contact: str = ""  # canonical, of the participant
    privacy: frozenset[str] = frozenset()  # values of the participant's Privacy header, in lower case (RFC 3323 §4.2)

    @property
    def accepted(self) -> bool:
        """It was answered with 2xx."""
        return self.joined is not None


@dataclass(slots=True)
class Participant:
    """A user of a conference, by identity."""

    identity: str  # canonical (imsinspect.trace.identities); of anonymous ones the dialog tells them apart
    uri: bytes  # as it was written
    asserted: bool  # by P-Asserted-Identity, or by a MIKEY identity
    anonymous: bool  # hides its identity: anonymous URI, or Privacy with id or user
    mikey_identity: str = ""  # of IDRi or IDRr, canonical
    aliases: frozenset[str] = frozenset()  # other identities of the same user: further asserted URIs, registration sets
    legs: list[ConferenceLeg] = field(default_factory=list)
    is_creator: bool = False
    display: str = ""  # display name in From, or where it is asserted


@dataclass(slots=True)
class RosterEndpoint:
    """An endpoint of a user in a conference document (RFC 4575 §5.7)."""

    entity: str
    status: str = ""  # "connected", "disconnected", "pending", …
    joining_method: str = ""
    ssrcs: tuple[int, ...] = ()  # of src-id
    state: str = "full"  # "partial", "deleted"
    display_text: str = ""


@dataclass(slots=True)
class RosterUser:
    """A user in a conference document (RFC 4575 §5.6)."""

    entity: str
    state: str  # "full", "partial", "deleted"
    display_text: str = ""
    associated: tuple[str, ...] = ()  # associated-aors
    roles: tuple[str, ...] = ()
    endpoints: tuple[RosterEndpoint, ...] = ()


@dataclass(slots=True)
class ConferenceDocument:
    """A conference-info document (RFC 4575 §5)."""

    entity: str
    state: str  # "full", "partial", "deleted"
    version: int | None
    users: tuple[RosterUser, ...] = ()
    user_count: int | None = None
    notes: tuple[str, ...] = ()  # what was wrong with it
    users_state: str = ""  # of the users element: "full", "partial", "deleted"; "" where it is not there
    whole: bool = True  # False: reading ended early, or not all users were kept


@dataclass(slots=True)
class Notification:
    """A NOTIFY of the conference package."""

    message: SignallingMessage  # on the hop nearest to the focus
    subscription_state: str  # "active", "pending", "terminated"; "" where the header is missing
    reason: str = ""
    document: ConferenceDocument | None = None  # readable, or opened with a key
    content_type: str = ""
    sealed: bool = False  # the body is S/MIME that hides it from the hops
    signed: bool = False  # S/MIME signs the body, and leaves it readable
    status: int = 0  # of its answer; 0 where none was seen
    hops: list[SignallingMessage] = field(default_factory=list)  # the same NOTIFY as each hop carried it
    outcome: str = ""  # what became of the document (dissectors.confinfo.merge); "" where none was read
    document_before: FrameId | None = None  # of the document with the version that it repeats or falls behind

    @property
    def tells(self) -> bool:
        """It carries state of the conference, readable or not."""
        return self.document is not None or self.sealed

    @property
    def refuses(self) -> bool:
        """It ends the subscription without any state; a fetch ends as well, with state (RFC 6665 §4.4.3)."""
        return self.subscription_state == "terminated" and not self.content_type


@dataclass(slots=True)
class Subscription:
    """A subscription to the conference package, or what is seen of one."""

    id: str
    subscriber: str  # canonical identity
    subscriber_uri: bytes
    authenticated_by: tuple[str, ...]  # "p-asserted-identity", "authorization", "identity", "mikey", "s/mime"
    request: SignallingMessage | None  # the first SUBSCRIBE; None where only its notifications were seen
    answer: SignallingMessage | None = None
    expires: int | None = None  # of the SUBSCRIBE; 0 ends it
    notifications: list[Notification] = field(default_factory=list)
    in_dialog: bool = False  # the SUBSCRIBE came inside the INVITE's dialog
    at_focus: bool = False
    ended: int | None = None  # time of the last word: NOTIFY with terminated, or the answer to Expires: 0
    dialog: tuple[bytes, bytes, bytes] = (b"", b"", b"")  # Call-ID, tags of the notifier, the subscriber
    hops: list[SignallingMessage] = field(default_factory=list)  # all SUBSCRIBEs, on all hops, refreshes included
    aliases: frozenset[str] = frozenset()  # other asserted identities of the subscriber

    @property
    def accepted(self) -> bool:
        """It was answered with 2xx and not refused by its first NOTIFY (RFC 6665 §4.2.2)."""
        answered = self.answer is not None and 200 <= self.answer.sip.status < 300
        return answered and not (self.notifications and self.notifications[0].refuses)


@dataclass(slots=True)
class Referral:
    """A REFER to the focus: somebody is to be invited or removed (RFC 4579 §5.5 to §5.8)."""

    message: SignallingMessage
    sender: str  # canonical identity
    target: bytes
    removes: bool  # method=BYE
    status: int = 0
    in_dialog: bool = False
    led_to: SignallingMessage | None = None  # the INVITE or BYE of the focus to the target


@dataclass(slots=True)
class Conference:
    """A conference: one focus, one conference URI."""

    id: str  # "conference-1" in order of first sight
    uri: str  # canonical
    uri_written: bytes
    names: frozenset[str] = frozenset()  # all canonical URIs that it goes by, `uri` among them
    focus: str = ""  # Contact URI of the focus
    focus_hosts: frozenset[str] = frozenset()  # addresses of the focus, as seen
    isfocus: FrameId | None = None  # where a Contact with isfocus was first seen
    factory: bytes = b""  # URI that it was created at
    creation: SignallingMessage | None = None  # the INVITE to the factory
    invited: tuple[str, ...] = ()  # canonical, of the URI list in the INVITE that created it (RFC 5366)
    because: tuple[str, ...] = ()  # what shows that it is a conference
    participants: list[Participant] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    documents: list[Notification] = field(default_factory=list)  # documents in other messages than NOTIFY
    first_time: int = 0
    last_time: int = 0
