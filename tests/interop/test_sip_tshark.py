"""SIP and SDP fields over all captures as tshark reads them, by a mapping table; differences have their reasons."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dissectors.sdp.parse import SessionDescription
    from dissectors.sip.parse import SipMessage

SAMPLES = Path(__file__).parents[2] / "samples"
FILES = [
    path
    for folder in (SAMPLES, *(CAPTURES / name for name in ("sip", "rtp", "volte", "sdes-srtp")))
    for path in sorted(folder.glob("*.pcap*"))
]
UNIT, RECORD = "\x1f", "\x1e"  # between the values of a field, and between fields


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _descriptions(message: SipMessage) -> Iterator[SessionDescription]:
    for part in message.sdp_bodies():
        yield parse_sdp(part.data)


def _attributes(message: SipMessage) -> Iterator[str]:
    for each in _descriptions(message):
        for section in (each.session, *(media.section for media in each.media)):
            yield from (_text(attribute.name) for attribute in section.attributes if attribute.name != b"k")


# tshark's field: what the parsers have for it
FIELDS: dict[str, Callable[[SipMessage], Iterable[str]]] = {
    "sip.Method": lambda message: [_text(message.method)] if message.method else [],
    "sip.Status-Code": lambda message: [str(message.status)] if message.status else [],
    "sip.Call-ID": lambda message: [_text(message.call_id)],
    "sip.CSeq.seq": lambda message: [str(message.cseq)],
    "sip.CSeq.method": lambda message: [_text(message.cseq_method)],
    "sip.from.tag": lambda message: [_text(message.from_tag)],
    "sip.to.tag": lambda message: [_text(message.to_tag)],
    "sdp.media.media": lambda message: [_text(media.media) for each in _descriptions(message) for media in each.media],
    "sdp.media.proto": lambda message: [_text(media.proto) for each in _descriptions(message) for media in each.media],
    "sdp.media_attribute.field": lambda message: {*_attributes(message)},
}
DIFFERENCES: dict[tuple[str, str], dict[str, str]] = {}
"""By file and field: values that only tshark has, each with the reason read from the octets."""


def _of_tshark(program: str, path: Path) -> dict[str, set[str]]:
    options = [word for name in FIELDS for word in ("-e", name)]
    command = [program, "-r", str(path), "-Y", "sip && !icmp", "-T", "fields", *options]
    command += ["-E", f"aggregator={UNIT}", "-E", f"separator={RECORD}"]
    lines = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout.split("\n")
    found: dict[str, set[str]] = {name: set() for name in FIELDS}
    for line in lines:
        for name, values in zip(FIELDS, line.split(RECORD), strict=False):
            found[name] |= {value for value in values.split(UNIT) if value}
    return found


def test_every_value_that_tshark_reads_is_read_here(peer: Callable[[str], str]) -> None:
    """Sets of values by file and field, as packets that were sighted twice are one here."""
    program, wrong = peer("tshark"), []
    for path in FILES:
        ours: dict[str, set[str]] = {name: set() for name in FIELDS}
        for found in found_messages([scan(str(path), 0)]):
            if found.kind == "sip":
                message = parse_sip(found.octets, datagram=not found.carriage.startswith("TCP"))
                for name, values in FIELDS.items():
                    ours[name] |= set(values(message))
        for name, theirs in _of_tshark(program, path).items():
            missing = theirs - ours[name] - DIFFERENCES.get((path.name, name), {}).keys()
            wrong += [f"{path.name} {name}: {value!r}" for value in sorted(missing)]
    assert wrong == []
