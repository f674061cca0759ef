"""Mutations of floor control."""

from __future__ import annotations

from tests import build
from tests.floor_kit import (
    FLOOR_REQUEST,
    FLOOR_REQUEST_STATUS,
    FLOOR_STATUS,
    SERVER,
    UE,
    bfcp,
    datagrams,
    error,
    exchange,
    floor_call,
    served,
)
from tests.mutations.harness import Mutation

STRANGER = ("203.0.113.66", 50_066)
G3 = {"profile": "g3"}


def conference(
    *,
    proto: str = "TCP/TLS/BFCP",
    user: int = 1,
    refused: bool = False,
    last: float = 8.0,
    stranger: bool = False,
    focus: bool = True,
) -> list[build.Packet]:
    """A participant of a conference and its floor control, readable for what the rules look at."""
    messages = [*served(user=user), (last, bfcp(FLOOR_STATUS, 9), False)]
    if refused:
        messages += [
            (8.1, bfcp(FLOOR_REQUEST, 11), True), (8.2, error(9, 11), False),
            (8.3, bfcp(FLOOR_REQUEST, 12), True), (8.4, bfcp(FLOOR_REQUEST_STATUS, 12), False),
        ]  # fmt: skip
    others = [exchange(served(4.0, user=5), client=STRANGER)] if stranger else []
    carried = datagrams(messages) if proto.startswith("UDP") else exchange(messages)
    return [*_registered(UE[0]), *_registered(SERVER[0]), *floor_call(proto, carried, *others, focus=focus)]


def _registered(host: str) -> list[build.Packet]:
    talk = build.Dialog(caller=(host, 5060), callee=("192.0.2.1", 5060), call_id=f"reg-{host}", to_uri=f"sip:{host}@h")
    return build.carry(talk, [(0.0, talk.request("REGISTER"), True)])


OF_THE_LEG = frozenset({"IMS-CONF-002", "IMS-MIK-001", "IMS-CONF-001"})

MUTATIONS = (
    Mutation("floor control loses TLS", conference, {"proto": "TCP/BFCP"}, frozenset({"IMS-BFCP-001"}), OF_THE_LEG, G3),
    Mutation(
        "floor control goes over UDP", conference, {"proto": "UDP/BFCP"}, frozenset({"IMS-BFCP-002"}), OF_THE_LEG, G3
    ),
    Mutation("Use TLS is ignored", conference, {"refused": True}, frozenset({"IMS-BFCP-003"}), options=G3),
    Mutation("a user id of another is served", conference, {"user": 7}, frozenset({"IMS-BFCP-004"}), options=G3),
    Mutation("floor status goes on after the BYE", conference, {"last": 60.0}, frozenset({"IMS-BFCP-005"}), options=G3),
    Mutation("a stranger takes part", conference, {"stranger": True}, frozenset({"IMS-BFCP-006"}), options=G3),
    Mutation("the server is a UE", conference, {"focus": False}, frozenset({"IMS-BFCP-007"}), options=G3),
)
