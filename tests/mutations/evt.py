"""Mutations of a conference whose state is sealed and told to its participants only."""

from __future__ import annotations

from tests import build
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB, MALLORY, Notify
from tests.mutations.harness import Mutation
from tests.trace import cms_seal

KEK, NAME = bytes(range(16)), b"event key"
SMIME = "application/pkcs7-mime; smime-type="


def conference(
    *,
    sealing: str = "authenticated",
    recipients: str = "kekri",
    cipher: str = cms_seal.CBC,
    outsider: bool = False,
    asserted: bool = True,
    bob_leaves: bool = False,
) -> list[build.Packet]:
    """Alice and Bob talk to a focus with SDES and are told its state, twice, in S/MIME under a pre-shared key."""
    parts = [
        kit.dial_in(ALICE, duration=None),
        kit.dial_in(BOB, at=1, duration=20 if bob_leaves else None),
    ]
    subscribers = [ALICE, BOB, *([MALLORY] if outsider else [])]
    for number, user in enumerate(subscribers):
        notifications = [
            notified(after, kit.document(ALICE, BOB, version=version), sealing, recipients, cipher)
            for after, version in ((0.2, 1), (200.0, 2))
        ]
        headers = None if asserted or user is not ALICE else ()
        parts.append(kit.subscribe(user, *notifications, at=5 + number, headers=headers))
    return build.in_time_order(*parts)


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


def kills(*rules: str) -> frozenset[str]:
    return frozenset(f"IMS-EVT-{rule}" for rule in rules)


G3 = {"profile": "g3"}

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
)  # fmt: skip
