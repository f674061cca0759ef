"""Mutations of registrations."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation

UE, P_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060)
IPSEC, SDES = "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc", "sdes-srtp;mediasec"


def registered(*, mirrored: tuple[str, ...] = (IPSEC, SDES), agreed: bool = True) -> list[build.Packet]:
    """A registration with a security agreement, and a request of the UE after it."""
    talk = build.Dialog(caller=UE, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org")

    def headers(name: str, mechanisms: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name}: {each}" for each in mechanisms) if agreed else ()

    script = [(0.0, talk.request("REGISTER", headers=headers("Security-Client", (IPSEC, SDES))), True)]
    told = headers("Security-Server", (IPSEC, SDES))
    script.append((0.1, talk.response(401, "Unauthorized", method="REGISTER", headers=told), False))
    talk.cseq += 1
    script.append((0.2, talk.request("REGISTER", headers=headers("Security-Verify", mirrored)), True))
    script.append((0.3, talk.response(200, "OK", method="REGISTER"), False))
    asking = build.Dialog(caller=UE, callee=P_CSCF, call_id="options")
    return build.carry(talk, script) + build.carry(asking, [(1.0, asking.request("OPTIONS"), True)])


MUTATIONS = (
    Mutation("a mechanism is not mirrored", registered, {"mirrored": (IPSEC,)}, frozenset({"IMS-REG-001"})),
    Mutation("no security agreement is made", registered, {"agreed": False}, frozenset({"IMS-REG-003"})),
)
