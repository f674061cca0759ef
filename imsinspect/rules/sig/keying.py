"""Which key management a session description gives a media line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

SDES, MIKEY, CERTIFICATE, OTHER = "a=crypto", "a=key-mgmt", "a=fingerprint", "other"
SDES_PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")
"""Profiles of the rules about SDES."""

FOREIGN = (b"\na=zrtp-hash:", b"\na=ekt:", b"\nk=")
"""Keys that come in ways of which TS 33.328 does not speak."""


def keying(media: Media) -> tuple[str, ...]:
    """The key managements in whose scope a line is, session level included; none where it has no key."""
    own, session = media.section.text, media.session.text
    found = []
    if b"\na=crypto:" in own or b"\na=acap:" in own:
        found.append(SDES)
    if b"\na=key-mgmt:" in own or b"\na=key-mgmt:" in session:
        found.append(MIKEY)
    if b"\na=fingerprint:" in own or b"\na=fingerprint:" in session:
        found.append(CERTIFICATE)
    if any(mark in own or mark in session for mark in FOREIGN):
        found.append(OTHER)
    return tuple(found)


def settled_states(trace: Trace) -> Iterator[tuple[Call, MediaLine, LineState]]:
    """States of lines whose offer is known to be one; refused previews of answers are left out."""
    for call in trace.calls:
        for line in call.lines:
            for state in line.states:
                negotiation = state.negotiation
                if negotiation.offer_assumed or (negotiation.rejected and negotiation.provisional):
                    continue
                yield call, line, state


def protectable(media: Media) -> bool:
    """Whether a line is secure by its transport, by keys beside a clear one, or by a configuration that it takes up."""
    own = media.section.text
    return media.profile.secure or bool(keying(media)) or b"\na=acfg:" in own or b"\na=pcfg:" in own
