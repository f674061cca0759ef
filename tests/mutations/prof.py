"""Mutations of what decides a profile."""

from __future__ import annotations

from tests.mutations.harness import Mutation
from tests.mutations.sig import MIKEY, negotiated

MUTATIONS = (
    Mutation(
        "a chat keyed by MIKEY joins audio keyed by SDES", negotiated, {"chat": (MIKEY,)}, frozenset({"IMS-PROF-001"}),
        frozenset({"IMS-PROF-005", "IMS-MIK-038"}),
    ),
    Mutation(
        "nothing shows which solution is used", negotiated, {"answered_transport": "RTP/AVP", "answered": ()},
        frozenset({"IMS-PROF-005"}), frozenset({"IMS-SIG-006"}),
    ),
)  # fmt: skip
