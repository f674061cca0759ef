"""Mutations of calls keyed by MIKEY-TICKET: what the key exchange must not lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import build, mikey
from tests.dissectors.mikey import vectors
from tests.mikey import A, B
from tests.mutations.harness import Mutation

CHAT = build.media("message", 2855, "TCP/TLS/MSRP", "*")
LATER = build.Dialog(("203.0.113.66", 5060), call_id="call-2@test", from_tag="c", to_tag="d")


def ticketed(
    *,
    data_type: int = 14,
    flags: str = "DEFHNO",
    ends: float = mikey.DAY,
    recipients: tuple[bytes, ...] = (mikey.BOB,),
    answered: bool = True,
    auth: int = 1,
    kemac: Any = None,
    policy: dict[int, int] | None = None,
    sessions: tuple[str, ...] = ("srtp", "tls"),
    chat_key: bool = True,
    caller: str = "sip:alice@example.org",
    broken: bool = False,
    error: bool = False,
    again: float | None = None,
) -> list[build.Packet]:
    """Alice calls Bob with audio and a chat, both keyed by one ticket; every message is right."""
    ticket = mikey.Ticket(flags, ends=ends, recipients=recipients) if data_type == 14 else None
    crypto_sessions = mikey.for_lines(*sessions)
    offered = mikey.init(
        data_type=data_type,
        ticket=ticket,
        sessions=crypto_sessions,
        auth=auth,
        policies=(mikey.policy(policy or {}),),
        kemac=kemac if data_type == 14 else mikey.kemac(1, None, 1),
    )
    octets = offered.octets()
    attribute = mikey.line(b"\x02" + octets[1:] if broken else octets)
    response = mikey.error(14) if error else mikey.resp(sessions=crypto_sessions)
    reply = response.attribute() if answered else None
    parts = []
    for number, at in enumerate((0.0, again)):
        if at is None:
            continue
        talk = LATER if number else build.Dialog(from_uri=caller)
        talk = build.Dialog(
            talk.caller, from_uri=caller, call_id=talk.call_id, from_tag=talk.from_tag, to_tag=talk.to_tag
        )
        asserted = (f"P-Asserted-Identity: <{caller}>",)
        offer, answer = _described(A, attribute, chat_key), _described(B, reply, chat_key)
        script = [
            (at, talk.request("INVITE", offer, headers=asserted), True),
            (at + 0.5, talk.response(200, "OK", answer), False),
            (at + 0.6, talk.request("ACK"), True),
            (at + 9.0, talk.request("BYE", in_dialog=True), True),
            (at + 9.1, talk.response(200, "OK", method="BYE"), False),
        ]
        parts.append(build.carry(talk, script))
    return build.in_time_order(*parts)


def _described(address: build.Address, attribute: str | None, chat_key: bool) -> bytes:
    """Audio and a chat; with MIKEY for both at session level, or for the audio line alone."""
    if chat_key or attribute is None:
        return mikey.described(address, attribute, CHAT)
    return build.sdp(address[0], build.audio(address[1], "RTP/SAVP", attribute), CHAT)


KEYS = Path(__file__).with_name("mik_keys.json")  # the TPK of the exchange below


def keyed(*, forged: bool = False) -> list[build.Packet]:
    """A call whose MACs verify with the key of the KMS, which opens the ticket (mikey.md 9.8)."""
    offered, answered = (bytes.fromhex(vectors.A128[name]) for name in ("TRANSFER_INIT", "TRANSFER_RESP"))
    if forged:
        answered = answered[:-1] + bytes([answered[-1] ^ 1])
    return mikey.call(offered, answered)


MUTATIONS = (
    Mutation("one line has no MIKEY", ticketed, {"chat_key": False, "sessions": ("srtp",)}, frozenset({"IMS-MIK-001"})),
    Mutation(
        "a pre-shared mode in place of a ticket", ticketed, {"data_type": 0, "answered": False},
        frozenset({"IMS-MIK-002"}), options={"profile": "e2e-kms"},
    ),
    Mutation("no response although flag F is set", ticketed, {"answered": False}, frozenset({"IMS-MIK-003"})),
    Mutation("a NULL MAC", ticketed, {"auth": 0}, frozenset({"IMS-MIK-005"})),
    Mutation(
        "a TGK in clear", ticketed, {"kemac": mikey.kemac(0, mikey.keys()), "flags": "DEFHLNO"},
        frozenset({"IMS-MIK-006"}),
    ),
    Mutation("the same offer in another call", ticketed, {"again": 3600.0}, frozenset({"IMS-MIK-011"})),
    Mutation("a ticket of the day before", ticketed, {"ends": -mikey.DAY}, frozenset({"IMS-MIK-017"})),
    Mutation("a ticket for anybody", ticketed, {"recipients": (b"?@?",)}, frozenset({"IMS-MIK-021"})),
    Mutation(
        "another caller than the ticket's", ticketed, {"caller": "sip:mallory@example.org"}, frozenset({"IMS-MIK-023"})
    ),
    Mutation("one crypto session for two lines", ticketed, {"sessions": ("tls",)}, frozenset({"IMS-MIK-027"})),
    Mutation("a session of SRTP for a chat", ticketed, {"sessions": ("tls", "srtp")}, frozenset({"IMS-MIK-028"})),
    Mutation("a NULL cipher", ticketed, {"policy": {0: 0}}, frozenset({"IMS-MIK-033"})),
    Mutation("an error and yet a session", ticketed, {"error": True}, frozenset({"IMS-MIK-037"})),
    Mutation("a message of version 2", ticketed, {"broken": True}, frozenset({"IMS-MIK-038"})),
    Mutation(
        "a response that was changed", keyed, {"forged": True}, frozenset({"IMS-MIK-045"}), options={"keys": (KEYS,)}
    ),
)  # fmt: skip
