"""Mutations of immediate messages."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation

UE, P_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060)
SMIME = "application/pkcs7-mime; smime-type=enveloped-data"


def messages(*, protected: bool = True, asserted: bool = True, sealed: bool = True) -> list[build.Packet]:
    """A registered UE sends a message and is sent one, in ESP, both sealed, the latter with its sender asserted."""
    packets: list[build.Packet] = []

    def carry(at: float, ends: tuple[build.Address, build.Address], data: bytes) -> None:
        spi = 1 if ends[0] == UE else 2
        frame = build.esp_null(*ends, data, spi=spi, sequence=len(packets) + 1) if protected else build.udp(*ends, data)
        packets.append((at, frame))

    own = build.Dialog(caller=UE, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org")
    agreed = ("Security-Client: ipsec-3gpp;alg=hmac-sha-1-96",)
    carry(0.0, (UE, P_CSCF), own.request("REGISTER", headers=agreed))
    carry(0.1, (P_CSCF, UE), own.response(200, "OK", method="REGISTER"))
    out = build.Dialog(caller=UE, callee=P_CSCF, call_id="out")
    kind, body = (SMIME, bytes.fromhex("3003020101")) if sealed else ("text/plain", b"Hello")
    carry(1.0, (UE, P_CSCF), out.request("MESSAGE", body, content_type=kind))
    carry(1.1, (P_CSCF, UE), out.response(200, "OK", method="MESSAGE"))
    back = build.Dialog(
        caller=P_CSCF, callee=UE, call_id="back", from_uri="sip:bob@example.org", to_uri="sip:alice@example.org",
        via=("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKs",),
    )  # fmt: skip
    headers = ("P-Asserted-Identity: <sip:bob@example.org>",) if asserted else ()
    carry(2.0, (P_CSCF, UE), back.request("MESSAGE", body, content_type=kind, headers=headers))
    carry(2.1, (UE, P_CSCF), back.response(200, "OK", method="MESSAGE"))
    return packets


MUTATIONS = (
    Mutation("messages leave ESP", messages, {"protected": False}, frozenset({"IMS-IM-001"})),
    Mutation("a sender is not asserted", messages, {"asserted": False}, frozenset({"IMS-IM-003"})),
    Mutation(
        "messages lose S/MIME", messages, {"sealed": False}, frozenset({"IMS-IM-006"}), options={"profile": "im-kms"}
    ),
)
