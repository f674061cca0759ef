"""The octets of a ticket that stay the same in every message that carries it."""

from __future__ import annotations

from typing import Any

from dissectors.binary import spans


def initiator_part(ticket: Any) -> int:
    """How many octets Initiator data and its length have."""
    return sum(
        end - begin
        for field, _, begin, end in spans(ticket)
        if field.name in ("initiator_data_length", "initiator_data")
    )


def ticket_octets(ticket: Any) -> bytes:
    """A ticket from Ticket Type to the end of Ticket data, as its own MAC covers it (RFC 6043 Appendix A.1)."""
    octets = bytes(ticket)
    return octets[1 : len(octets) - initiator_part(ticket)]
