"""Crypto sessions and the media lines that they are for (RFC 4567 §7.1, TS 33.328 Annex H.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.facts import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.mikey.messages import CryptoSession
    from dissectors.sdp.parse import Media
    from imsinspect.policy import Thresholds
    from imsinspect.trace.model import MikeyMessage

SRTP, TESLA = 0, 1  # Prot types; no other number is registered
GENERIC_ID = 2  # CS ID map type
SEVERAL_SOURCES = (b"\na=simulcast:", b"\na=ssrc-group:", b"\na=rid:")  # a line of more than one stream each way


@dataclass(slots=True, frozen=True)
class Scope:
    """The secured lines that a message gives keys for, in their order."""

    lines: tuple[Media, ...]  # with a port
    closed: tuple[Media, ...]  # the same and, in their places, those with port 0

    @property
    def least(self) -> int:
        """Fewer crypto sessions leave a line that sends both ways without one for each of its streams."""
        return sum(1 if media.direction != b"sendrecv" else usual(media) for media in self.lines)

    @property
    def expected(self) -> int:
        """Two for each line of SRTP, one for each of TLS."""
        return sum(usual(media) for media in self.lines)

    @property
    def several_sources(self) -> bool:
        """The number of streams of a line is not known."""
        return any(mark in media.section.text for media in self.lines for mark in SEVERAL_SOURCES)


def usual(media: Media) -> int:
    """The crypto sessions of a line."""
    return 2 if media.profile.family == "rtp" else 1


def scope(message: MikeyMessage) -> Scope | None:
    """The lines of a message; None where it gives keys for none that is secured."""
    description = message.description
    if description is None:
        return None
    if message.carrier == "sdp session":
        closed = tuple(media for media in description.media if media.profile.secure)
    else:
        closed = tuple(
            description.media[index] for index in message.sections if description.media[index].profile.secure
        )
    lines = tuple(media for media in closed if media.port or media.bundle_only)
    return Scope(lines, closed) if lines else None


def mixed_levels(message: MikeyMessage) -> bool:
    """MIKEY stands at session level and at a line of one description (IMS-MIK-035)."""
    description = message.description
    if description is None or b"\na=key-mgmt:mikey" not in description.session.text:
        return False
    return any(b"\na=key-mgmt:mikey" in media.section.text for media in description.media)


def of_media(sessions: Sequence[CryptoSession], thresholds: Thresholds) -> list[CryptoSession]:
    """The sessions that are for media lines: those of S/MIME and of other applications are not (rules.md 19.2)."""
    others = {thresholds.mikey_prot_type_psk_smime, thresholds.mikey_prot_type_app}
    return [each for each in sessions if each.prot_type not in others]


def assign(sessions: Sequence[CryptoSession], lines: Scope) -> list[tuple[Media, list[CryptoSession]]] | None:
    """The sessions of each line, in the order of both; None where their number does not tell."""
    one_way = [1 if media.direction != b"sendrecv" else usual(media) for media in lines.lines]
    for media, counts in (
        (lines.lines, [usual(each) for each in lines.lines]),
        (lines.closed, [usual(each) for each in lines.closed]),
        (lines.lines, one_way),
    ):
        if sum(counts) == len(sessions):
            out, at = [], 0
            for each, count in zip(media, counts, strict=True):
                out.append((each, list(sessions[at : at + count])))
                at += count
            return out
    return None


def listed(lines: Sequence[Media]) -> str:
    """Lines in words."""
    return ", ".join(f"{media.index} {text(media.type)} {media.transport}" for media in lines[:8])
