"""Every value that tshark reads in SIP and SDP over all captures is read here, too, by a mapping table.

Differences have their reasons. What only we read (octets that tshark takes for other protocols) is not compared.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests.truth import captures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dissectors.sdp.parse import SessionDescription
    from dissectors.sip.parse import SipMessage

SAMPLES = Path(__file__).parents[2] / "samples"
WITH_SECRETS = "sip-tls-rsa-clear-rtp-with-secrets.pcapng"  # tshark opens its TLS with the secrets inside: issue 4
FILES = [path for path in (*sorted(SAMPLES.glob("*.pcap*")), *captures()) if path.name != WITH_SECRETS]
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
FUZZED = "fuzzed-office-lan.pcap"
NUL = "a null octet stands in the value; tshark shows what is in front of it"
DIFFERENCES: dict[tuple[str, str], dict[str, str]] = {
    (FUZZED, "sip.Call-ID"): {
        "578222%s": NUL,
        "105090259-446faf7a@192.168.%s": "frame 247: no line feed ends the request line, so it is no start line",
    },
    (FUZZED, "sip.CSeq.seq"): {"0": "frames 155 and 550: no number stands there; none is read here"},
    (FUZZED, "sip.CSeq.method"): {"s": "frame 155: the value is `%s`, a null octet, ` REGISTER`"},
    (FUZZED, "sip.to.tag"): {
        "00-94%s": NUL,
        "00-04072-1701b941-779945843": "frame 516: a carriage return alone ends no line, the value goes on behind it",
    },
}
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
            if found.kind in ("sip", "websocket"):
                message = parse_sip(
                    found.octets, datagram=found.kind == "websocket" or not found.carriage.startswith("TCP")
                )
                for name, values in FIELDS.items():
                    ours[name] |= set(values(message))
        for name, theirs in _of_tshark(program, path).items():
            missing = theirs - ours[name] - DIFFERENCES.get((path.name, name), {}).keys()
            wrong += [f"{path.name} {name}: {value!r}" for value in sorted(missing)]
    assert wrong == []
    assert len(FILES) > 20
