"""What a dissector says of trouble in the bytes it was given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Note:
    """Trouble at one place of a message; the message is dissected as far as it goes all the same."""

    offset: int  # in octets from the first octet that the dissector was given
    text: str
