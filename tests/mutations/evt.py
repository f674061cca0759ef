"""Mutations of a conference whose state is sealed and told to its participants only."""

from __future__ import annotations

from typing import Any

from imsinspect.policy import Policy, Thresholds
from tests import build, mikey
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB, MALLORY, Notify
from tests.mutations.harness import Mutation
from tests.trace import cms_seal

KEK, NAME = bytes(range(16)), b"event key"
PSK_SMIME = 8  # Prot type
SMIME = "application/pkcs7-mime; smime-type="


def conference(
    *,
    sealing: str = "authenticated",
    recipients: str = "kekri",
    cipher: str = cms_seal.CBC,
    outsider: bool = False,
    asserted: bool = True,
    bob_leaves: bool = False,
    sealed_for_bob: bool = True,
    private: bool = False,
    versions: tuple[int, int] = (1, 2),
    asked: bool = True,
) -> list[build.Packet]:
    """Alice and Bob talk to a focus with SDES and are told its state, twice, in S/MIME under a pre-shared key."""
    headers = (kit.asserted(ALICE), "Privacy: id") if private else None
    parts = [
        registered(ALICE),
        kit.dial_in(ALICE, duration=None, headers=headers),
        kit.dial_in(BOB, at=1, duration=20 if bob_leaves else None),
    ]
    subscribers = [ALICE, BOB, *([MALLORY] if outsider else [])]
    for number, user in enumerate(subscribers):
        notifications = [
            notified(
                after, roster(version), sealing if sealed_for_bob or user is not BOB else "none", recipients, cipher
            )
            for after, version in ((0.2, versions[0]), (200.0, versions[1]))
        ]
        own = None if asserted or user is not ALICE else ()
        requested = asked or user is not ALICE
        ends = {} if requested else {"source": ALICE.address}
        parts.append(kit.subscribe(user, *notifications, at=5 + number, headers=own, requested=requested, **ends))
    return build.in_time_order(*parts)


def roster(version: int) -> bytes:
    """The roster; each version has another number of users, so that their contents differ."""
    return kit.document(ALICE, BOB, version=version, count=version)


def registered(user: kit.User) -> list[build.Packet]:
    """A registration over TLS port and address of the user, as the capture begins."""
    talk = build.Dialog(user.address, kit.PROXY, "register@test", user.uri, user.uri, "r", "s")
    agreed = ("Security-Verify: ipsec-3gpp;alg=hmac-sha-1-96",)
    return build.carry(talk, [
        (-9.0, talk.request("REGISTER", uri="sip:ims.example.org", headers=agreed), True),
        (-8.9, talk.response(200, "OK", method="REGISTER"), False),
    ])  # fmt: skip


def ticketed(*, event_key: bool = True) -> list[build.Packet]:
    """Alice joins with MIKEY-TICKET, one of whose crypto sessions gives the key of the event package."""
    focus, alice = kit.CONFERENCE.encode(), ALICE.uri.encode()
    sessions = [*mikey.for_lines("srtp"), *([mikey.tls_session(3, prot_type=PSK_SMIME)] if event_key else [])]
    ticket = mikey.Ticket(initiator=alice, recipients=(focus,))
    transfer = mikey.init(csb_id=7, initiator=alice, responder=focus, ticket=ticket, sessions=sessions)
    reply = mikey.resp(csb_id=7, responder=focus)
    offer = mikey.described((ALICE.address[0], 4000), transfer.attribute())
    answer = mikey.described((kit.FOCUS_MEDIA, 20_000), reply.attribute())
    told = notified(0.2, roster(1), "authenticated", "kekri", cms_seal.CBC)
    return build.in_time_order(
        kit.dial_in(ALICE, duration=None, offer=offer, answer=answer), kit.subscribe(ALICE, told, at=5)
    )


def notified(after: float, document: bytes, sealing: str, recipients: str, cipher: str) -> Notify:
    """A NOTIFY with a document, sealed in some way."""
    entity = f"Content-Type: {kit.DOCUMENT}\r\n\r\n".encode() + document
    if sealing == "none":
        return Notify(after, document)
    if sealing == "signed":
        return Notify(after, cms_seal.signed_by(entity), content_type=SMIME + "signed-data")
    if sealing == "authenticated":
        return Notify(after, cms_seal.auth_enveloped(entity, KEK, NAME), content_type=SMIME + "authEnveloped-data")
    one = cms_seal.kek_recipient(cms_seal.content_key(entity), KEK, NAME)
    body = cms_seal.for_recipients(
        entity, one if recipients == "kekri" else cms_seal.transport_recipient(), cipher=cipher
    )
    inside = f"Content-Type: {SMIME}enveloped-data\r\n\r\n".encode() + body
    if sealing == "signed and enveloped":
        return Notify(after, cms_seal.signed_by(inside), content_type=SMIME + "signed-data")
    return Notify(after, body, content_type=SMIME + "enveloped-data")


def readable(**broken: Any) -> list[build.Packet]:
    """The same with readable documents."""
    return conference(sealing="none", **broken)


def kills(*rules: str) -> frozenset[str]:
    return frozenset(f"IMS-EVT-{rule}" for rule in rules)


G3 = {"profile": "g3"}
NUMBERED = {"policy": Policy(thresholds=Thresholds(mikey_prot_type_psk_smime=PSK_SMIME))}

MUTATIONS = (
    Mutation("conference state without S/MIME under G.3", conference, {"sealing": "none"}, kills("001"), options=G3),
    Mutation("conference state without S/MIME over UDP", conference, {"sealing": "none"}, kills("005")),
    Mutation(
        "conference state sealed for a certificate", conference,
        {"sealing": "signed and enveloped", "recipients": "ktri"}, kills("002"), options=G3,
    ),
    Mutation("conference state under AES-CBC alone", conference, {"sealing": "enveloped"}, kills("003"), options=G3),
    Mutation("conference state signed only", conference, {"sealing": "signed"}, kills("003"), options=G3),
    Mutation(
        "conference state under triple DES", conference,
        {"sealing": "signed and enveloped", "cipher": cms_seal.TRIPLE_DES}, kills("004"), options=G3,
    ),
    Mutation("an outsider is told conference state", conference, {"outsider": True}, kills("006")),
    Mutation("a subscriber is not authenticated", conference, {"asserted": False}, kills("007")),
    Mutation("a participant who left is told conference state", conference, {"bob_leaves": True}, kills("008")),
    Mutation("a NOTIFY that nobody asked for is accepted", conference, {"asked": False}, kills("009")),
    Mutation(
        "a private participant is named to others", readable, {"private": True}, kills("010")
    ),
    Mutation(
        "one subscriber is told in clear", conference, {"sealed_for_bob": False}, kills("011", "001"), options=G3
    ),
    Mutation("no key for the event package in MIKEY", ticketed, {"event_key": False}, kills("012"), options=NUMBERED),
    Mutation("the version of the roster falls", readable, {"versions": (2, 1)}, kills("013")),
)  # fmt: skip
