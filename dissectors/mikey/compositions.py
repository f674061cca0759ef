"""Which payloads each MIKEY message is made of, and what of that a message misses.

Sources: RFC 3830 §3 and §4.5, RFC 4650 §3, RFC 4738 §3, RFC 6043 §4.2, RFC 6267 §4.2, RFC 6509 §2.1.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.mikey.codes import (
    DH,
    ERR,
    GENERAL_EXTENSION,
    IBAKE,
    ID,
    IDR,
    KEMAC,
    NEXT_PAYLOADS,
    PKE,
    RAND,
    RANDR,
    SAKKE,
    SIGN,
    SP,
    TICKET,
    TP,
    T,
    V,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TICKET_MESSAGES = frozenset(range(11, 19))
"""Data types of MIKEY-TICKET (RFC 6043)."""

DHHMAC_MESSAGES = frozenset({7, 8})
"""Data types of DHHMAC (RFC 4650)."""

DHHMAC_PAYLOADS = frozenset({KEMAC, DH, T, ID, SP, RAND, ERR, GENERAL_EXTENSION})
"""Payloads that DHHMAC messages may hold (RFC 4650 §4)."""


@dataclass(slots=True, frozen=True)
class Composition:
    """The payloads of one data type. A code that stands twice is needed twice.

    An update drops what is static (RFC 3830 §4.5, RFC 6043 §5.2); it has none of the payloads that mark an initial
    message. Whether these are missing rightly, only the messages before can tell.
    """

    text: str  # as the specifications write it: [x] optional, {x} zero or more, (x) one or more, | alternatives
    required: tuple[int, ...]
    last: int | None = None
    initial: tuple[int, ...] = ()  # needed as well where any of `marks` is there
    marks: tuple[int, ...] = (RAND,)
    together: tuple[int, int] | None = None  # a payload, and how many of it there are if there are any

    def troubles(self, found: Sequence[int]) -> Iterator[str]:
        """Mandatory payloads that are missing, and a last payload that is not the right one."""
        there = Counter(found)
        needed = Counter(self.required)
        if any(mark in there for mark in self.marks):
            needed += Counter(self.initial)
        for code, times in needed.items():
            if there[code] < times:
                name = NEXT_PAYLOADS[code]
                yield f"the mandatory payload {name} is missing" + (
                    f": {there[code]} of {times} are there" if there[code] else ""
                )
        if self.together is not None and 0 < there[self.together[0]] < self.together[1]:
            name = NEXT_PAYLOADS[self.together[0]]
            yield f"the mandatory payload {name} is missing: {there[self.together[0]]} of {self.together[1]} are there"
        if self.last is not None and found and found[-1] != self.last:
            last = NEXT_PAYLOADS.get(found[-1], f"unknown ({found[-1]})")
            yield f"the last payload is {last}, not {NEXT_PAYLOADS[self.last]}"


COMPOSITIONS: dict[int, Composition] = {
    0: Composition("HDR, T, RAND, [IDi], [IDr], {SP}, KEMAC", (T, KEMAC), KEMAC),
    1: Composition("HDR, T, [IDr], V", (T, V), V),
    2: Composition(
        "HDR, T, RAND, [IDi|{CERTi}], [IDr], {SP}, KEMAC, [CHASH], PKE, SIGNi", (T, PKE, SIGN), SIGN, (KEMAC,)
    ),
    3: Composition("HDR, T, [IDr], V", (T, V), V),
    4: Composition("HDR, T, RAND, [IDi|CERTi], [IDr], {SP}, DHi, SIGNi", (T, SIGN), SIGN, (DH,)),
    5: Composition("HDR, T, [IDr|CERTr], IDi, DHr, DHi, SIGNr", (T, ID, SIGN), SIGN, together=(DH, 2)),
    6: Composition("HDR, T, {ERR}, {SP}, [V|SIGNr]", (T,)),
    7: Composition("HDR, T, RAND, [IDi], IDr, {SP}, DHi, KEMAC", (T, ID, KEMAC), KEMAC, (DH,)),
    8: Composition("HDR, T, [IDr], IDi, DHr, DHi, KEMAC", (T, ID, KEMAC), KEMAC, together=(DH, 2)),
    9: Composition("HDR, T, [RAND], [IDi|CERTi], [IDr], {SP}, SIGNi", (T, SIGN), SIGN),
    10: Composition("HDR, [CSB_ID], T, [RAND], [IDr|CERTr], [SP], KEMAC, PKE, SIGNr", (T, KEMAC, PKE, SIGN), SIGN),
    11: Composition("HDR, T, RANDRi, [IDRi], [IDRkms], TP, [IDRpsk], V", (T, RANDR, TP, V), V),
    12: Composition(
        "HDR, T, RANDRi, [IDRi], {CERTi}, [IDRkms], TP, [CHASH], PKE, SIGNi", (T, RANDR, TP, PKE, SIGN), SIGN
    ),
    13: Composition("HDR, T, [IDRkms], TICKET, KEMAC, V", (T, TICKET, KEMAC, V), V),
    14: Composition(
        "HDR, T, RANDRi, [IDRi], [IDRr], {SP}, TICKET, [KEMAC], V", (T, V), V, (RANDR, TICKET), (RANDR, TICKET)
    ),
    15: Composition("HDR, T, [RANDRr], [IDRr], [RANDRkms], {SP}, [KEMAC], V", (T, V), V),
    16: Composition("HDR, T, RANDRr, [IDRr], [IDRkms], TICKET, [IDRpsk], V", (T, RANDR, TICKET, V), V),
    17: Composition(
        "HDR, T, RANDRr, [IDRr], {CERTr}, [IDRkms], TICKET, [CHASH], PKE, SIGNr", (T, RANDR, TICKET, PKE, SIGN), SIGN
    ),
    18: Composition("HDR, T, [IDRkms], KEMAC, [IDRr], [RANDRkms], V", (T, KEMAC, V), V),
    19: Composition("HDR, T, RAND, (IDRi/r), IDRkms, [IDRpsk], [KEMAC], V", (T, RAND, IDR, IDR, V), V),
    20: Composition(
        "HDR, T, RAND, (IDRi/r), {CERT}, IDRkms, [KEMAC], [CHASH], PKE, SIGN", (T, RAND, IDR, IDR, PKE, SIGN), SIGN
    ),
    21: Composition("HDR, T, [IDRi/r], [IDRkms], KEMAC, V", (T, KEMAC, V), V),
    22: Composition("HDR, T, RAND, IDRi, IDRr, IBAKE, [ESK]", (T, RAND, IDR, IDR, IBAKE)),
    23: Composition("HDR, T, IDRi, IDRr, IBAKE", (T, IDR, IDR, IBAKE)),
    24: Composition("HDR, T, RAND, IDRi, IDRr, IBAKE, [ESK]", (T, RAND, IDR, IDR, IBAKE)),
    25: Composition("HDR, T, [IDRi], [IDRr], [IBAKE], V", (T, V), V),
    26: Composition(
        "HDR, T, RAND, [IDRi], [IDRr], [IDRkmsi], [IDRkmsr], [CERT], {SP}, SAKKE, SIGN", (T, RAND, SAKKE, SIGN), SIGN
    ),
}
"""Compositions by HDR data type."""
