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
    bundle = parts.pop("csb_id", number)
    transfer = mikey.init(csb_id=bundle, initiator=initiator, responder=responder, ticket=ticket, **parts)
    reply = mikey.resp(csb_id=bundle, responder=responder)
    ends = [(user.address[0], 4000), (kit.FOCUS_MEDIA, 20_000 + 10 * number)]
    offerer, answerer = reversed(ends) if dialled_out else ends
    return {
        "offer": mikey.described(offerer, transfer.attribute(), *more, proto=media),
        "answer": mikey.described(answerer, reply.attribute(), *more, proto=media),
    }


ACCESS = ("P-Access-Network-Info: 3GPP-E-UTRAN-FDD",)
P_CSCF: build.Address = ("203.0.113.50", 5060)
CORE_OF_AGW, EDGE_OF_AGW = "203.0.113.60", "203.0.113.70"


def through_an_edge(
    user: kit.User, *, edge: str = "RTP/SAVP", two_calls: bool = False, leaves: float = 0.0, asserted_as: str = "",
    called: str = kit.CONFERENCE,
) -> list[build.Packet]:  # fmt: skip
    """A dial-in on both sides of a P-CSCF: e2ae on the access side, in clear in the core; with `two_calls` the P-CSCF
    makes a new call of it, which a Session-ID relates."""
    number = int(user.address[0].rpartition(".")[2])
    key = (build.crypto(user.name), "a=3ge2ae:requested") if edge == "RTP/SAVP" else ()
    back = (build.crypto(f"edge {user.name}"), "a=3ge2ae:applied") if key else ()
    session = f"Session-ID: {number:032x}"
    trusted = (f"P-Charging-Vector: icid-value={user.name}", session)
    hops = (
        (user.address, P_CSCF, "edge", edge, (user.address[0], key), (EDGE_OF_AGW, back), (*ACCESS, session), ()),
        (P_CSCF, kit.FOCUS, "core", "RTP/AVP", (CORE_OF_AGW, ()), (kit.FOCUS_MEDIA, ()),
         (f"P-Asserted-Identity: <{asserted_as or user.uri}>", *trusted), trusted),
    )  # fmt: skip
    out = []
    for order, (source, destination, side, proto, near, far, headers, answer_headers) in enumerate(hops):
        suffix = side if two_calls else ""
        via = () if side == "edge" or two_calls else ("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKue",)
        talk = build.Dialog(
            source, destination, f"{user.name}{suffix}@test", user.uri, called, f"{user.name}{suffix}",
            f"focus-{user.name}{suffix}", via=via,
        )  # fmt: skip
        offer = build.sdp(near[0], build.audio(4000 + 10 * number * order, proto, *near[1]))
        answer = build.sdp(far[0], build.audio(20_000 + 10 * number, proto, *far[1]))
        late = 0.01 * order
        script = [
            (late, talk.request("INVITE", offer, headers=headers), True),
            (
                1.0 - late,
                kit.as_contact(talk.response(200, "OK", answer, headers=answer_headers), kit.contact()),
                False,
            ),
            (1.1 + late, talk.request("ACK"), True),
        ]
        if leaves:
            script += [
                (leaves + late, talk.request("BYE", in_dialog=True), True),
                (leaves + 0.1 - late, talk.response(200, "OK", method="BYE"), False),
            ]
        out.append(build.carry(talk, script))
    return build.in_time_order(*out)
