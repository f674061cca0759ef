"""What keys of every version of TLS share: what they give of a record, and how records of a stream are numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.crypto.tls import PreSharedKey
    from imsinspect.crypto.tls_prf import Exporter

KEY_LOG = "key-log"
"""Where secrets come from that are named by a session's client random or id."""

MAX_GAP = 64
"""Records that may be missing in a TLS stream before one that is opened again."""

MAX_IN_A_ROW = 256
"""Records in a row that do not open, behind which no more of that direction of a stream are tried."""

MAX_FAILED = 8
"""Records that no secret opens, the first under a handshake's keys, before no more are tried."""


class Inner(NamedTuple):
    """A protected record, read."""

    type: int
    content: bytes
    early: bool = False  # under the early traffic secret
    failed: bool = False  # read under a NULL cipher, but its MAC does not hold


class Outcome(NamedTuple):
    """What came of trying secrets: news for whoever reads the connection."""

    source: str
    proven: bool
    tried: int
    digest: str = ""
    exporter: Exporter | None = None


class Numbers:
    """Sequence numbers of one direction of a stream, over records that are missing or do not open."""

    __slots__ = ("in_a_row", "missed", "next")

    def __init__(self) -> None:
        self.next = 0
        self.missed = 0
        self.in_a_row = 0  # records that did not open

    def candidates(self) -> range:
        """Numbers that the next record may have, the likeliest first; none where a direction is lost for good."""
        return range(self.next, self.next + self.missed + 1 if self.in_a_row < MAX_IN_A_ROW else self.next)

    def opened(self, sequence: int) -> None:
        """A record opened under this number."""
        self.next, self.missed, self.in_a_row = sequence + 1, 0, 0

    def failed(self) -> None:
        """A record did not open."""
        self.missed = min(self.missed + 1, MAX_GAP)
        self.in_a_row += 1

    def lost(self, octets: int) -> None:
        """So many octets of the stream are missing, or an unknown number where negative: perhaps whole records."""
        self.missed = MAX_GAP if octets < 0 else min(self.missed + octets // _LEAST_RECORD + 1, MAX_GAP)
        self.in_a_row = 0


_LEAST_RECORD = 22  # octets of a protected record: header, one octet of content, a tag of 16


def fitting(psks: list[PreSharedKey], identity: bytes) -> Iterator[PreSharedKey]:
    """The pre-shared keys that may be the one of an identity."""
    for each in psks:
        if each.identity is None or each.identity == identity:
            yield each
