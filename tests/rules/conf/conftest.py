"""What the tests of the conference rules share: what a rule says of conference traffic under a profile and a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.policy import Authorised, Policy
from tests import build, mikey
from tests import conference_kit as kit
from tests.rules.conftest import Told

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def told() -> Callable[..., Told]:
    """From packets of one capture to what a rule says of them; options are those of the audit."""

    def ask(rule: str, *parts: list[build.Packet], **options: Any) -> Told:
        audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)), **options)
        assert not [note for note in audit.notes if "failed" in note.text]
        return Told(rule, audit)

    return ask


def allowing(*names: str, **more: Any) -> Policy:
    """A policy that authorises these identities for every conference."""
    return Policy(authorised=tuple(Authorised(name) for name in names), **more)


def quiet_until(at: float) -> list[build.Packet]:
    """One packet that makes the capture last until then."""
    return [(at, build.udp(("192.0.2.250", 9), ("192.0.2.251", 9), b"still here"))]


def ticketed(
    user: kit.User, *more: str, says: str = "", media: str = "RTP/SAVP", dialled_out: bool = False, **parts: Any
) -> dict[str, bytes]:
    """Offer and answer of a leg keyed by MIKEY-TICKET; `says` is the identity that the user's message names."""
    number = int(user.address[0].rpartition(".")[2])
    own, focus = (says or user.uri).encode(), kit.CONFERENCE.encode()
    initiator, responder = (focus, own) if dialled_out else (own, focus)
    ticket = mikey.Ticket(initiator=initiator, recipients=parts.pop("recipients", (responder,)), number=number)
    transfer = mikey.init(csb_id=number, initiator=initiator, responder=responder, ticket=ticket, **parts)
    reply = mikey.resp(csb_id=number, responder=responder)
    ends = [(user.address[0], 4000), (kit.FOCUS_MEDIA, 20_000 + 10 * number)]
    offerer, answerer = reversed(ends) if dialled_out else ends
    return {
        "offer": mikey.described(offerer, transfer.attribute(), *more, proto=media),
        "answer": mikey.described(answerer, reply.attribute(), *more, proto=media),
    }
