"""Mutations of conferences: who takes part, and how its media is protected."""

from __future__ import annotations

from tests import build, mikey
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCE,
    FACTORY,
    FOCUS,
    FOCUS_MEDIA,
    INVITING,
    MALLORY,
    PROXY,
    Notify,
    User,
    answer_of,
    as_contact,
    asserted,
    contact,
    dial_in,
    dial_out,
    document,
    inviting,
    offer_of,
    refer,
    subscribe,
)
from tests.mutations.harness import Mutation

ACCESS = ("P-Access-Network-Info: 3GPP-E-UTRAN-FDD",)
FOCUS_IS_KNOWN = (f"P-Asserted-Identity: <{CONFERENCE}>",)


def at_the_edge(*, bob: str = "RTP/SAVP") -> list[build.Packet]:
    """Alice and Bob call a conference, seen between them and their P-CSCF; everybody has SDES."""
    edge = {"headers": ACCESS, "via": (), "answer_headers": FOCUS_IS_KNOWN}
    bodies = {"offer": offer_of(BOB, proto=bob), "answer": answer_of(BOB, proto=bob)}
    return build.in_time_order(
        dial_in(ALICE, source=ALICE.address, **edge), dial_in(BOB, at=2, source=BOB.address, **bodies, **edge)
    )


def at_the_focus(
    *, chat: str = "TCP/TLS/MSRP", second: User = BOB, known: bool = True, focus_known: bool = True
) -> list[build.Packet]:
    """Alice creates a conference of herself and Bob, with audio and chat, and Bob calls it; all are asserted."""

    def body(host: str, port: int, key: str) -> bytes:
        audio = build.audio(port, "RTP/SAVP", build.crypto(key))
        path = f"a=path:msrp{'s' if 'TLS' in chat else ''}://{host}:{port + 1}/{key};tcp"
        return build.sdp(host, audio, build.media("message", port + 1, chat, "*", path, "a=accept-types:text/plain"))

    answered = FOCUS_IS_KNOWN if focus_known else ()
    return build.in_time_order(
        dial_in(
            ALICE, conference=FACTORY, focus_contact=CONFERENCE, answer_headers=answered, content_type=INVITING,
            offer=inviting(body(ALICE.address[0], 4000, "alice"), BOB), answer=body(FOCUS_MEDIA, 20_000, "toalice"),
        ),
        dial_in(
            second, at=2, headers=(asserted(second),) if known else (), answer_headers=answered,
            offer=body(second.address[0], 4000, "second"), answer=body(FOCUS_MEDIA, 21_000, "tosecond"),
        ),
    )  # fmt: skip


def over_time(
    *,
    second_key: str = "bob, again",
    answered_by: User = ALICE,
    packets: int = 900,
    listed: tuple[User, ...] = (ALICE, BOB),
    referred_by: User = ALICE,
) -> list[build.Packet]:
    """Bob calls the conference, leaves, and calls again with a new key; the focus calls Alice, who answers, and Carol,
    as Alice asks for. Alice sees who is there, and the focus sends audio to Bob until he leaves."""
    speech = build.rtp_stream(
        (FOCUS_MEDIA, 20_200), (BOB.address[0], 4000), 0xF0, build.speech(packets), at=3,
        srtp=build.Srtp(build.master_key("focus to bob")),
    )  # fmt: skip
    rosters = (
        Notify(0.1, document(*listed)),
        Notify(19.1, document(ALICE, version=2)),
        Notify(37.7, document(ALICE, BOB, version=3)),
        Notify(57.7, document(ALICE, BOB, CAROL, version=4)),
    )
    return build.in_time_order(
        speech,
        subscribe(ALICE, *rosters, at=3),
        refer(referred_by, CAROL.uri, at=59),
        dial_out(CAROL, at=60, duration=30),
        dial_out(ALICE, duration=90, answered_by=answered_by),
        dial_in(BOB, at=2, duration=20, answer_headers=FOCUS_IS_KNOWN),
        dial_in(
            BOB, call=2, at=40, answer_headers=FOCUS_IS_KNOWN, offer=offer_of(BOB, key=second_key),
            answer=answer_of(BOB, key="to bob, again"),
        ),
    )  # fmt: skip


def by_the_study(*, kept: bool = False, newcomer_key: str = "group 2", refused: bool = False) -> list[build.Packet]:
    """Alice and Bob have a group key; Carol comes and goes, and everybody gets a new one both times."""

    def rekeyed(user: User, at: float, key: str, version: int) -> list[build.Packet]:
        talk = build.Dialog(
            PROXY, FOCUS, f"in-{user.name}-1@test", user.uri, CONFERENCE, f"{user.name}1", f"focus-{user.name}1",
            cseq=10 * version, branch=10 * version,
        )  # fmt: skip
        said = answer_of(user, key=key).replace(b"o=- 1 1", f"o=- 1 {version}".encode())
        offer = as_contact(talk.request("INVITE", said, in_dialog=True, from_callee=True), contact())
        again = offer_of(user, key=f"{user.name} {version}").replace(b"o=- 1 1", f"o=- 1 {version}".encode())
        reply = talk.response(200, "OK", again, from_callee=False)
        return build.carry(talk, [(at, offer, False), (at + 0.1, reply, True)])

    stay = {"duration": None, "answer_headers": FOCUS_IS_KNOWN}
    changes = () if kept else (rekeyed(ALICE, 205, "group 3", 3), rekeyed(BOB, 206, "group 3", 3))
    final = {"final": (488, "Not Acceptable Here")} if refused else {}
    return build.in_time_order(
        dial_in(ALICE, answer=answer_of(ALICE, key="group 1"), **stay),
        dial_in(BOB, at=1, answer=answer_of(BOB, key="group 1"), **stay),
        rekeyed(ALICE, 98, "group 2", 2),
        rekeyed(BOB, 99, "group 2", 2),
        dial_in(CAROL, at=100, duration=100, answer=answer_of(CAROL, key=newcomer_key), answer_headers=FOCUS_IS_KNOWN),
        dial_in(MALLORY, at=300, **(stay | {"duration": 20} | final)),
        *changes,
    )


def with_tickets(
    *, recipients: tuple[str, ...] = (FACTORY, ALICE.uri), referred: bool = True, secure: bool = True
) -> list[build.Packet]:
    """Alice creates a conference with a ticket for the factory, and adds Bob by a REFER with a ticket."""
    named = tuple(each.encode() for each in recipients)
    ticket = mikey.Ticket(initiator=ALICE.uri.encode(), recipients=named)
    transfer = mikey.init(initiator=ALICE.uri.encode(), responder=FACTORY.encode(), ticket=ticket)
    reply = mikey.resp(responder=FACTORY.encode())
    offer = mikey.described((ALICE.address[0], 4000), transfer.attribute())
    answer = mikey.described((FOCUS_MEDIA, 20_000), reply.attribute())
    if not secure:
        offer, answer = offer_of(ALICE, proto="RTP/AVP"), answer_of(ALICE, proto="RTP/AVP")
    body = mikey.init(csb_id=77).octets() if referred else b""
    return build.in_time_order(
        dial_in(ALICE, conference=FACTORY, focus_contact=CONFERENCE, offer=offer, answer=answer),
        refer(ALICE, BOB.uri, at=5, body=body, content_type="application/mikey"),
    )


def of_one_user(*, user: User = ALICE, isfocus: bool = True) -> list[build.Packet]:
    """Alice moves to another device, which takes over her dialog with fresh keys; she follows the conference."""
    line = "Replaces: in-alice-1@test;to-tag=focus-alice1;from-tag=alice1"
    return build.in_time_order(
        dial_in(ALICE, duration=21, answer_headers=FOCUS_IS_KNOWN),
        subscribe(ALICE, Notify(0.1, document(ALICE)), at=1),
        dial_in(
            user, at=20, call=2, headers=(line, asserted(user)), offer=offer_of(user, key="fresh"), isfocus=isfocus,
            answer=answer_of(user, key="also fresh"), answer_headers=FOCUS_IS_KNOWN,
        ),
    )  # fmt: skip


MUTATIONS = (
    Mutation(
        "the group key stays when somebody leaves",
        by_the_study,
        {"kept": True},
        frozenset({"IMS-CONF-003"}),
        options={"profile": "tr-sdes"},
    ),
    Mutation(
        "the group key of long ago for a newcomer",
        by_the_study,
        {"newcomer_key": "group 1"},
        frozenset({"IMS-CONF-004"}),
        frozenset({"IMS-SSRC-005"}),
        {"profile": "tr-sdes"},
    ),
    Mutation(
        "a secure offer is refused that others made as well",
        by_the_study,
        {"refused": True},
        frozenset({"IMS-CONF-016"}),
        options={"profile": "g2"},
    ),
    Mutation(
        "a creation ticket without the factory",
        with_tickets,
        {"recipients": (ALICE.uri, BOB.uri)},
        frozenset({"IMS-CONF-010"}),
        options={"profile": "tr-kms"},
    ),
    Mutation(
        "a REFER without a ticket",
        with_tickets,
        {"referred": False},
        frozenset({"IMS-CONF-011"}),
        options={"profile": "tr-kms"},
    ),
    Mutation(
        "a secure conference is created in clear",
        with_tickets,
        {"secure": False},
        frozenset({"IMS-CONF-013"}),
        frozenset({"IMS-MIK-001", "IMS-CONF-007", "IMS-CONF-012"}),
        {"profile": "g3"},
    ),
    Mutation("a Contact without isfocus", of_one_user, {"isfocus": False}, frozenset({"IMS-CONF-015"})),
    Mutation(
        "somebody else takes over a dialog",
        of_one_user,
        {"user": MALLORY},
        frozenset({"IMS-CONF-018"}),
        frozenset({"IMS-CONF-014"}),
    ),
    Mutation(
        "one participant in clear",
        at_the_edge,
        {"bob": "RTP/AVP"},
        frozenset({"IMS-CONF-001"}),
        frozenset({"IMS-PROF-005"}),
    ),
    Mutation(
        "chat in clear beside protected audio",
        at_the_focus,
        {"chat": "TCP/MSRP"},
        frozenset({"IMS-CONF-002"}),
        frozenset({"IMS-CONF-001", "IMS-MSRP-001"}),
        {"profile": "g3"},
    ),
    Mutation("a participant whom nobody asserts", at_the_focus, {"known": False}, frozenset({"IMS-CONF-007"})),
    Mutation(
        "a participant who was not invited",
        at_the_focus,
        {"second": MALLORY},
        frozenset({"IMS-CONF-008"}),
        options={"profile": "g3"},
    ),
    Mutation(
        "a key of the first leg in the second",
        over_time,
        {"second_key": "bob"},
        frozenset({"IMS-CONF-005"}),
        frozenset({"IMS-SSRC-006"}),
    ),
    Mutation("somebody else answers the focus", over_time, {"answered_by": MALLORY}, frozenset({"IMS-CONF-009"})),
    Mutation("audio for one who left", over_time, {"packets": 1_300}, frozenset({"IMS-CONF-006"})),
    Mutation("a roster without a participant", over_time, {"listed": (ALICE,)}, frozenset({"IMS-CONF-014"})),
    Mutation(
        "an outsider lets the focus call somebody", over_time, {"referred_by": MALLORY}, frozenset({"IMS-CONF-017"})
    ),
    Mutation("a focus whom nobody asserts", at_the_focus, {"focus_known": False}, frozenset({"IMS-CONF-012"})),
)
