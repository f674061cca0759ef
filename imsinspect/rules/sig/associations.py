"""ESP associations that SIP travelled in, and what was negotiated for them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.trace.model import EspAssociation, SignallingMessage, Trace
    from imsinspect.trace.security_agreement import SecurityList

IPSEC = "ipsec-3gpp"

Associations = dict[tuple[str, str], list["EspAssociation"]]
"""By source and destination, without ports."""


def by_addresses(trace: Trace) -> Associations:
    """The associations of a trace."""
    found: defaultdict[tuple[str, str], list[EspAssociation]] = defaultdict(list)
    for each in trace.esp:
        found[each.source, each.destination].append(each)
    return dict(found)


def associations_of(associations: Associations, message: SignallingMessage) -> list[EspAssociation]:
    """Those that may have carried a message, as its own addresses say; none where ESP is a tunnel."""
    return associations.get((message.source.ip, message.destination.ip), [])


def negotiated(trace: Trace, message: SignallingMessage) -> SecurityList | None:
    """The list that one end of a message mirrored in Security-Verify, where it holds one mechanism of IPsec alone."""
    ends = {message.source.ip, message.destination.ip}
    for each in trace.agreements:
        mechanisms = each.verify.mechanisms
        if each.message.source.ip in ends and len(mechanisms) == 1 and mechanisms[0].startswith(IPSEC):
            return each.verify
    return None
