"""Conference traffic made of bytes: users dial in and are dialled out to, subscribe, are notified, refer and leave.

Each function gives packets of one dialog between a user and the focus; `build.in_time_order` makes a capture of them.
By default the capture point is the trusted side of the focus: requests of users come through a proxy, which asserts who
they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests import build

if TYPE_CHECKING:
    from collections.abc import Sequence

FOCUS: build.Address = ("203.0.113.9", 5060)
PROXY: build.Address = ("203.0.113.1", 5060)
FOCUS_MEDIA = "203.0.113.10"
CONFERENCE = "sip:conf1@ims.example.org"
FACTORY = "sip:factory@ims.example.org"
DOCUMENT = "application/conference-info+xml"


@dataclass(frozen=True)
class User:
    """A user with an address of their own."""

    name: str
    address: build.Address

    @property
    def uri(self) -> str:
        """The public identity."""
        return f"sip:{self.name}@ims.example.org"


ALICE, BOB, CAROL, MALLORY = (
    User(name, (f"192.0.2.{number}", 5060))
    for number, name in ((10, "alice"), (20, "bob"), (30, "carol"), (66, "mallory"))
)


def offer_of(user: User, *, port: int = 4000, proto: str = "RTP/SAVP", key: str = "") -> bytes:
    """A user's description: audio, with a key of their own."""
    lines = (build.crypto(key or user.name),) if proto == "RTP/SAVP" else ()
    return build.sdp(user.address[0], build.audio(port, proto, *lines))


def answer_of(user: User, *, port: int | None = None, proto: str = "RTP/SAVP", key: str = "") -> bytes:
    """The focus' description for a user: audio, with a key for them alone."""
    lines = (build.crypto(key or f"focus to {user.name}"),) if proto == "RTP/SAVP" else ()
    own = port if port is not None else 20_000 + 10 * int(user.address[0].rpartition(".")[2])
    return build.sdp(FOCUS_MEDIA, build.audio(own, proto, *lines))


def contact(uri: str = CONFERENCE, *, isfocus: bool = True) -> str:
    """The Contact of a focus."""
    return f"Contact: <{uri}>" + (";isfocus" if isfocus else "")


def as_contact(message: bytes, line: str) -> bytes:
    """A message with another Contact."""
    begin = message.index(b"Contact: ")
    return message[:begin] + line.encode() + message[message.index(b"\r\n", begin) :]


def asserted(user: User) -> str:
    """The header by which the network says who somebody is."""
    return f"P-Asserted-Identity: <{user.uri}>"


def dial_in(
    user: User,
    *,
    at: float = 0.0,
    duration: float | None = 60.0,
    conference: str = CONFERENCE,
    focus_contact: str = "",
    offer: bytes = b"",
    answer: bytes = b"",
    final: tuple[int, str] = (200, "OK"),
    from_uri: str = "",
    headers: Sequence[str] | None = None,
    answer_headers: Sequence[str] = (),
    via: Sequence[str] = ("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKue",),
    source: build.Address = PROXY,
    call: int = 1,
    isfocus: bool = True,
    focus_leaves: bool = False,
    content_type: str = "application/sdp",
) -> list[build.Packet]:
    """A user calls the conference and leaves after `duration` seconds; without one they stay."""
    talk = build.Dialog(
        source, FOCUS, f"in-{user.name}-{call}@test", from_uri or user.uri, conference, f"{user.name}{call}",
        f"focus-{user.name}{call}", via=tuple(via),
    )  # fmt: skip
    line = contact(focus_contact or conference, isfocus=isfocus)
    own = (asserted(user),) if headers is None else tuple(headers)
    accepted = 200 <= final[0] < 300
    description = (answer or answer_of(user)) if accepted else b""
    invite = as_contact(
        talk.request("INVITE", offer or offer_of(user), headers=own, content_type=content_type),
        f"Contact: <sip:{user.address[0]}:5060>",
    )
    response = as_contact(talk.response(*final, description, headers=answer_headers), line)
    script = [
        (at, invite, True),
        (at + 0.01, talk.response(100, "Trying"), False),
        (at + 0.5, response, False),
        (at + 0.51, talk.request("ACK"), True),
    ]
    if duration is not None and accepted:
        script += [
            (at + duration, talk.request("BYE", in_dialog=True, from_callee=focus_leaves), not focus_leaves),
            (at + duration + 0.01, talk.response(200, "OK", method="BYE", from_callee=not focus_leaves), focus_leaves),
        ]
    return build.carry(talk, script)


def dial_out(
    user: User,
    *,
    at: float = 0.0,
    duration: float | None = 60.0,
    conference: str = CONFERENCE,
    offer: bytes = b"",
    answer: bytes = b"",
    final: tuple[int, str] = (200, "OK"),
    answered_by: User | None = None,
    headers: Sequence[str] = (),
    answer_headers: Sequence[str] | None = None,
    call: int = 1,
    focus_leaves: bool = True,
) -> list[build.Packet]:
    """The focus calls a user; somebody else may answer."""
    talk = build.Dialog(
        FOCUS, PROXY, f"out-{user.name}-{call}@test", conference, user.uri, f"focus-{user.name}{call}",
        f"{user.name}{call}",
    )  # fmt: skip
    own = (asserted(answered_by or user),) if answer_headers is None else tuple(answer_headers)
    accepted = 200 <= final[0] < 300
    invite = as_contact(talk.request("INVITE", offer or answer_of(user), headers=headers), contact(conference))
    description = (answer or offer_of(answered_by or user)) if accepted else b""
    script = [
        (at, invite, True),
        (at + 0.01, talk.response(100, "Trying"), False),
        (at + 0.5, talk.response(*final, description, headers=own), False),
        (at + 0.51, talk.request("ACK"), True),
    ]
    if duration is not None and accepted:
        script += [
            (at + duration, talk.request("BYE", in_dialog=True, from_callee=not focus_leaves), focus_leaves),
            (at + duration + 0.01, talk.response(200, "OK", method="BYE", from_callee=focus_leaves), not focus_leaves),
        ]
    return build.carry(talk, script)


INVITING = "multipart/mixed;boundary=b"


def inviting(offer: bytes, *users: User) -> bytes:
    """The body of an INVITE that creates a conference of these users (RFC 5366 §4), of type INVITING."""
    entries = "".join(f'<entry uri="{user.uri}"/>' for user in users)
    lists = f'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>{entries}</list></resource-lists>'
    return b"\r\n".join(
        (
            b"--b\r\nContent-Type: application/sdp\r\n",
            offer,
            b"--b\r\nContent-Type: application/resource-lists+xml\r\nContent-Disposition: recipient-list\r\n",
            lists.encode(),
            b"--b--\r\n",
        )
    )


def roster_user(
    uri: str,
    *,
    status: str = "connected",
    state: str = "full",
    display: str = "",
    ssrc: int | None = None,
    endpoint: str = "",
) -> str:
    """A user element with one endpoint."""
    shown = f"<display-text>{escape(display)}</display-text>" if display else ""
    media = f'<media id="1"><src-id>{ssrc}</src-id></media>' if ssrc is not None else ""
    inside = f'<endpoint entity="{endpoint or uri};gr=1"><status>{status}</status>{media}</endpoint>'
    return f'<user entity="{uri}" state="{state}">{shown}{inside if state != "deleted" else ""}</user>'


def document(
    *users: str | User,
    version: int | None = 1,
    state: str = "full",
    entity: str = CONFERENCE,
    users_state: str = "",
    count: int | None = None,
) -> bytes:
    """A conference document; a User is one who is connected."""
    elements = "".join(each if isinstance(each, str) else roster_user(each.uri) for each in users)
    numbered = f' version="{version}"' if version is not None else ""
    said = users_state or ("partial" if state == "partial" else "full")
    counted = f"<conference-state><user-count>{count}</user-count></conference-state>" if count is not None else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="{entity}" state="{state}"{numbered}>'
        f'{counted}<users state="{said}">{elements}</users></conference-info>\n'
    ).encode()


@dataclass(frozen=True)
class Notify:
    """A notification: seconds after the SUBSCRIBE, its body, and what else it says."""

    after: float
    body: bytes = b""
    state: str = "active;expires=600"
    content_type: str = DOCUMENT
    status: int = 200  # of its answer; 0: none
    headers: tuple[str, ...] = ()


def subscribe(
    user: User,
    *notifications: Notify,
    at: float = 0.0,
    conference: str = CONFERENCE,
    final: tuple[int, str] = (200, "OK"),
    from_uri: str = "",
    headers: Sequence[str] | None = None,
    expires: int = 600,
    via: Sequence[str] = ("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKue",),
    source: build.Address = PROXY,
    focus: build.Address = FOCUS,
    call: int = 1,
    requested: bool = True,
    transport: str = "UDP",
) -> list[build.Packet]:
    """A user subscribes to the state of the conference; without `requested` only the notifications are seen."""
    talk = build.Dialog(
        source, focus, f"sub-{user.name}-{call}@test", from_uri or user.uri, conference, f"sub-{user.name}{call}",
        f"notifier-{user.name}{call}", transport, via=tuple(via),
    )  # fmt: skip
    own = (asserted(user),) if headers is None else tuple(headers)
    script: list[tuple[float, bytes, bool]] = []
    if requested:
        asked = ("Event: conference", f"Accept: {DOCUMENT}", f"Expires: {expires}", *own)
        script += [
            (at, talk.request("SUBSCRIBE", headers=asked), True),
            (at + 0.01, talk.response(*final, method="SUBSCRIBE", headers=(f"Expires: {expires}",)), False),
        ]
    talk.via = ()
    for each in notifications:
        said = ("Event: conference", f"Subscription-State: {each.state}", *each.headers)
        notify = talk.request(
            "NOTIFY", each.body, in_dialog=True, from_callee=True, headers=said, content_type=each.content_type
        )
        script.append((at + each.after, notify, False))
        if each.status:
            reply = talk.response(each.status, "Said", method="NOTIFY", from_callee=False)
            script.append((at + each.after + 0.01, reply, True))
    return build.carry(talk, script)


def refer(
    user: User,
    target: str,
    *,
    at: float = 0.0,
    removes: bool = False,
    conference: str = CONFERENCE,
    final: tuple[int, str] = (202, "Accepted"),
    headers: Sequence[str] | None = None,
    body: bytes = b"",
    content_type: str = "application/resource-lists+xml",
    in_call: int = 0,
) -> list[build.Packet]:
    """A user asks the focus to invite or remove somebody, in the dialog of `dial_in` with the number `in_call`."""
    name = f"in-{user.name}-{in_call}@test" if in_call else f"refer-{user.name}@test"
    tags = (
        (f"{user.name}{in_call}", f"focus-{user.name}{in_call}") if in_call else (f"refer-{user.name}", "refer-focus")
    )
    talk = build.Dialog(
        PROXY, FOCUS, name, user.uri, conference, *tags, via=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKr",)
    )
    talk.cseq, talk.branch = 10, 10
    own = (asserted(user),) if headers is None else tuple(headers)
    said = f"Refer-To: <{target}{';method=BYE' if removes else ''}>"
    request = talk.request("REFER", body, in_dialog=bool(in_call), headers=(said, *own), content_type=content_type)
    return build.carry(talk, [(at, request, True), (at + 0.01, talk.response(*final, method="REFER"), False)])
