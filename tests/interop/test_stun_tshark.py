"""Every value that tshark reads in STUN and TURN, over all samples and captures, is what the layers read."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.stun.framing import next_frame
from dissectors.stun.layers import STUN, ChannelData, MappedAddress, StunAttribute
from tests.interop.comparison import EMPTY, shown_value, walk
from tests.interop.tshark import FILES, Row, connections, kinds, name, protocols, readings
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TEXTS = {"USERNAME": 0x0006, "REALM": 0x0014, "NONCE": 0x0015, "SOFTWARE": 0x8022}
GOOGLE_NETWORK, CANDIDATE, VERSION = 0xC057, 0x8054, 0x8070  # of no RFC: their octets stay as they are
FRAME_LENGTH = 2  # in front of STUN in ICE over TCP (RFC 4571 §2)


def same(value: Any) -> Any:
    """A value as it is."""
    return value


def octets(count: int) -> Callable[[int], str]:
    """A number as that many octets."""
    return lambda value: value.to_bytes(count, "big").hex()


FIELDS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "type": {"STUN.message_type": same},
    "type.class": {"STUN.message_type": lambda value: (value & 0x0110) >> 4},
    "type.method": {"STUN.message_type": lambda value: value & 0x3EEF},
    "type.method-assignment": {"STUN.message_type": lambda value: value >> 13 & 1},
    "length": {"STUN.message_length": same, "TURN ChannelData.length": same},
    "cookie": {"STUN.magic_cookie": octets(4)},
    "id": {"STUN.transaction_id": same},
    "channel": {"TURN ChannelData.channel_number": same},
    "attribute": {"STUN attribute.type": same},
    "att.type": {"STUN attribute.type": same},
    "att.type.comprehension": {"STUN attribute.type": lambda value: value >> 15},
    "att.type.assignment": {"STUN attribute.type": lambda value: value >> 14 & 1},
    "att.length": {"STUN attribute.length": same},
    "att.padding": {"STUN attribute.padding": lambda value: len(value) // 2},
    "att.reserved": {
        "address.zero": octets(1),
        "error.reserved": lambda value: octets(2)(value >> 5),  # tshark shows the whole octets of it
        "XOR address.zero": octets(1),
        "channel number.reserved": octets(2),
        "requested transport.reserved": octets(3),
        "address family.reserved": octets(3),
    },
    "att.family": {"address.family": same, "XOR address.family": same, "address family.family": same},
    "att.ipv4": {"IPv4": same},
    "att.ipv6": {"IPv6": same},
    "att.port": {"port": same},
    "att.ipv4-xord": {"XOR IPv4": same},
    "att.ipv6-xord": {"XOR IPv6": same},
    "att.port-xord": {"XOR address.port": octets(2)},
    "att.error.class": {"error.error_class": same},
    "att.error": {"error.number": same},
    "att.error.reason": {"error.reason_phrase": same},
    "att.channelnum": {"channel number.channel": same},
    "att.lifetime": {"lifetime.seconds": same},
    "att.username": {"USERNAME": same},
    "att.realm": {"REALM": same},
    "att.nonce": {"NONCE": same},
    "att.software": {"SOFTWARE": same},
    "att.hmac": {"integrity.hmac": same},
    "att.crc32": {"fingerprint.crc32_xor": same},
    "att.priority": {"priority.priority": same},
    "att.tie-breaker": {"tie breaker.tie_breaker": octets(8)},
    "att.transp": {"requested transport.protocol": same},
    "att.google.network_id": {f"raw {GOOGLE_NETWORK}": lambda value: int(value[:4], 16)},
    "att.google.network_cost": {f"raw {GOOGLE_NETWORK}": lambda value: int(value[4:8], 16)},
    "att.ms.foundation": {f"raw {CANDIDATE}": same},
    "att.ms.version.ice": {f"raw {VERSION}": lambda value: int(value, 16)},
    "value": {"STUN attribute.value": same},
}
"""tshark's field, behind `stun.`: where the layers have it, and how its value becomes that of tshark."""

SOME = ("value",)
"""Fields that tshark has only where it takes a value no further apart: the layers may count more."""

_MADE = "no field of the protocol: what tshark makes of several"
NOT_COMPARED = {
    "attributes": "a branch over fields that are compared",
    "network_version": "which of the specifications tshark goes by",
    "reqduplicate": _MADE,
    "response-in": _MADE,
    "response-to": _MADE,
    "time": _MADE,
    "att.crc32.status": _MADE,
    "att.crc32.bad": _MADE,
    "tcp_frame_length": "of the framing around STUN (RFC 4571 §2)",
}
"""The other fields that tshark has in these captures, each with the reason why it is left out."""

NULLS = "frames 4 and 6: the length counts three null octets behind the text, which tshark leaves out"
MANY = "dtls-srtp/stun-dtls-many-profiles.pcapng"
NAME, FOUNDATION, NULL = b"/pI0:ToEd".hex(), b"2".hex(), "000000"
DIFFERENCES: dict[tuple[str, str], tuple[dict[Any, int], dict[Any, int], str]] = {
    (MANY, "att.username"): ({NAME: 2}, {NAME + NULL: 2}, NULLS),
    (MANY, "att.ms.foundation"): ({FOUNDATION: 1}, {FOUNDATION + NULL: 1}, NULLS),
}
"""(capture, field): the values that only tshark counts, those that only we count, and why."""


def frames(stream: bytes) -> Iterator[bytes]:
    """Messages and ChannelData of one direction of a stream."""
    at = 0
    while (found := next_frame(stream, at)) and found[1] > 0:
        yield stream[found[0] : found[1]]
        at = found[1]
    while at + FRAME_LENGTH < len(stream):  # ICE over TCP
        end = at + FRAME_LENGTH + int.from_bytes(stream[at : at + FRAME_LENGTH], "big")
        if STUN(stream[at + FRAME_LENGTH : end]).magic_cookie == STUN().magic_cookie:
            yield stream[at + FRAME_LENGTH : end]
        at = end


def octets_of(rows: list[Row]) -> Iterator[bytes]:
    """All that tshark takes for STUN."""
    for row in rows:
        if "udp.payload" in row and "stun" in protocols(row):
            yield bytes.fromhex(row["udp.payload"][-1])
    for directions in connections(rows, "stun"):
        for stream in directions:
            yield from frames(stream)


def attribute(one: StunAttribute) -> Iterator[tuple[str, Any]]:
    """What an attribute holds beyond its fields: texts by their type, addresses as they are meant."""
    raw = bytes(one.value)
    yield f"raw {one.type}", raw.hex()
    for text, code in TEXTS.items():
        if one.type == code and raw:
            yield text, raw.hex()
    if isinstance(one.value, MappedAddress):
        host, _, port = one.value.get_field("address").meaning(one.value, one.value.address).rpartition(":")
        family = "IPv6" if "[" in host else "IPv4"
        yield family, host.strip("[]")
        yield "port", int(port)
        if one.value.mixed:
            yield f"XOR {family}", one.value.address.hex()


def read(rows: list[Row]) -> dict[str, Counter[Any]]:
    """What the layers count."""
    counts: dict[str, Counter[Any]] = defaultdict(Counter)
    for each in octets_of(rows):
        packet = ChannelData(each) if each[0] >> 6 == 1 else STUN(each)
        for what, value in walk(packet):
            counts[what][value] += 1
        for one in getattr(packet, "attributes", ()):
            if isinstance(one, StunAttribute):
                for what, value in attribute(one):
                    counts[what][value] += 1
    return counts


def theirs(program: str, rows: list[Row]) -> dict[str, Counter[Any]]:
    """What tshark counts."""
    found: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in rows:
        for field, texts in row.items():
            kind = kinds(program).get(field, "")
            if field.startswith("stun."):
                rest = field.removeprefix("stun.")
                plain = rest in NOT_COMPARED or kind in ("FT_IPv4", "FT_IPv6")
                found[rest].update(text if plain else shown_value(kind, text) for text in texts if text != EMPTY)
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_layers_read_what_tshark_reads(path: Path, peer: Callable[[str], str]) -> None:
    program = peer("tshark")
    rows = readings(program)[path].result()
    of_tshark, of_layers = theirs(program, rows), read(rows)
    assert of_tshark.keys() - FIELDS.keys() - NOT_COMPARED.keys() == set(), "fields of tshark that are in no table"
    for field, sources in FIELDS.items():
        ours = Counter[Any]()
        for what, form in sources.items():
            for value, count in of_layers[what].items():
                ours[form(value)] += count
        only_theirs, only_ours = of_tshark[field] - ours, ours - of_tshark[field]
        if field in SOME:
            only_ours.clear()
        told = DIFFERENCES.get((name(path), field), ({}, {}, ""))
        assert (dict(only_theirs), dict(only_ours)) == told[:2], (field, told[2])


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: most fields are in no sample")
def test_every_field_of_the_tables_is_in_some_capture(peer: Callable[[str], str]) -> None:
    """Nothing is compared with nothing."""
    program = peer("tshark")
    seen = {field for rows in readings(program).values() for field, found in theirs(program, rows.result()).items()}
    assert (FIELDS | NOT_COMPARED).keys() == seen
    assert {capture for capture, _ in DIFFERENCES} <= {name(path) for path in FILES}
