"""Mutations of conferences: who takes part, and how its media is protected."""

from __future__ import annotations

from tests import build
from tests.conference_kit import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCE,
    FACTORY,
    FOCUS_MEDIA,
    INVITING,
    MALLORY,
    Notify,
    User,
    answer_of,
    asserted,
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


MUTATIONS = (
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
