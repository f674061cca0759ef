"""What the rules about immediate messages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import text
from imsinspect.rules.outcome import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.trace.pages import PageMessage

SHOWN = 20  # frames named in one finding


def conversations(pages: Iterable[PageMessage]) -> dict[tuple[object, ...], list[PageMessage]]:
    """Messages of one sender on one hop under one kind of protection, which one finding is about."""
    out: dict[tuple[object, ...], list[PageMessage]] = {}
    for page in pages:
        message = page.message
        key = (page.sender, message.source.ip, message.destination.ip, page.hop, message.protection, page.protected)
        out.setdefault(key, []).append(page)
    return out


def subject(page: PageMessage) -> Subject:
    """The first message of a conversation."""
    return Subject("message", text(page.message.sip.call_id))


def kinds(pages: Iterable[PageMessage]) -> str:
    """The content types of messages, in words."""
    return ", ".join(dict.fromkeys(each for page in pages for each in page.content_types)) or "no content type"
