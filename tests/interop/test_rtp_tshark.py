"""Every value that tshark reads in RTP, SRTP, RTCP and SRTCP of all captures is read here, and at the same place.

tshark looks for RTP and RTCP by content, too, also in TURN and RTSP; whatever it takes for either, the layers are
given, and all its fields have to be mapped. Differences have their reasons. What only the layers read is not compared;
how many packets the project finds by itself, tests/truth.py holds. Of a suite, only the octets of its tag matter to the
layers: these are as many as tshark cuts off, which knows the signalling.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, spans
from dissectors.rtp.layers import RTCP, RTP, TelephoneEvents, srtcp_layer, srtp_layer
from dissectors.rtp.readable import ntp_time
from dissectors.rtp.srtp.layout import suite_named
from tests.truth import CAPTURES, captures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

SAMPLES = Path(__file__).parents[2] / "samples"
FILES = [*sorted(SAMPLES.glob("*.pcap*")), *captures()]
HEURISTICS = ("rtp_udp", "rtcp_udp", "rtp_stun", "rtcp_stun", "rtp_rtsp")
_TOLD = CAPTURES / "DECODE_AS.json"
DECODE_AS: dict[str, list[str]] = json.loads(_TOLD.read_text()) if _TOLD.exists() else {}
PROTOCOLS = ("rtp", "rtcp", "srtcp", "rtpevent")
COMPOUNDS = ("rtcp", "srtcp")
JUDGEMENT = "_ws."  # tshark's, of what it reads
UDP_HEADER = 8
PROCESSES = 2

Pairs = list[tuple[str, Any]]
"""An object of JSON whose names may come twice."""


class Reading(NamedTuple):
    """A field of the layers that is tshark's: what part of its value, and how far behind its beginning that stands."""

    name: str
    part: Callable[[Any], Any] = lambda value: value
    behind: Callable[[Any], int] = lambda value: 0


def _is(*names: str) -> tuple[Reading, ...]:
    return tuple(Reading(name) for name in names)


_HIGHEST = "extended_highest_sequence_number_received"
FIELDS: dict[str, tuple[Reading, ...]] = {
    "rtp.version": _is("version"),
    "rtp.padding": _is("padding"),
    "rtp.ext": _is("extension"),
    "rtp.cc": _is("CSRC_count"),
    "rtp.marker": _is("marker"),
    "rtp.p_type": _is("payload_type"),
    "rtp.seq": _is("sequence_number"),
    "rtp.timestamp": _is("timestamp"),
    "rtp.ssrc": _is("SSRC"),
    "rtp.csrc.item": _is("CSRC"),
    "rtp.ext.profile": _is("defined_by_profile"),
    "rtp.ext.len": _is("length"),
    "rtp.ext.rfc5285.id": _is("ID"),
    "rtp.ext.rfc5285.len": (Reading("length", lambda less_one: less_one + 1),),
    "rtp.ext.rfc5285.data": _is("data"),
    "rtp.payload": _is("rtp_payload"),
    "rtp.padding.data": (Reading("padding_octets", lambda octets: octets[:-1]),),
    "rtp.padding.count": (Reading("padding_octets", lambda octets: octets[-1], lambda octets: len(octets) - 1),),
    "srtp.enc_payload": _is("encrypted_portion"),
    "srtp.auth_tag": _is("authentication_tag"),
    "srtcp.e": _is("E"),
    "srtcp.index": _is("SRTCP_index"),
    "srtcp.auth_tag": _is("authentication_tag"),
    "rtpevent.event_id": _is("event"),
    "rtpevent.end_of_event": _is("E"),
    "rtpevent.reserved": _is("R"),
    "rtpevent.volume": _is("volume"),
    "rtpevent.duration": _is("duration"),
    "rtcp.version": _is("version"),
    "rtcp.padding": _is("padding"),
    "rtcp.rc": _is("reception_report_count", "count"),
    "rtcp.sc": _is("source_count"),
    "rtcp.pt": _is("packet_type"),
    "rtcp.length": _is("length"),
    "rtcp.senderssrc": _is("SSRC"),
    "rtcp.timestamp.ntp": (Reading("NTP_timestamp", ntp_time),),
    "rtcp.timestamp.ntp.msw": (Reading("NTP_timestamp", lambda stamp: stamp >> 32),),
    "rtcp.timestamp.ntp.lsw": (Reading("NTP_timestamp", lambda stamp: stamp & 0xFFFFFFFF, lambda _: 4),),
    "rtcp.timestamp.rtp": _is("RTP_timestamp"),
    "rtcp.sender.packetcount": _is("senders_packet_count"),
    "rtcp.sender.octetcount": _is("senders_octet_count"),
    "rtcp.ssrc.identifier": _is("SSRC", "sources"),
    "rtcp.ssrc.fraction": _is("fraction_lost"),
    "rtcp.ssrc.cum_nr": _is("cumulative_number_of_packets_lost"),
    "rtcp.ssrc.ext_high": _is(_HIGHEST),
    "rtcp.ssrc.high_cycles": (Reading(_HIGHEST, lambda number: number >> 16),),
    "rtcp.ssrc.high_seq": (Reading(_HIGHEST, lambda number: number & 0xFFFF, lambda _: 2),),
    "rtcp.ssrc.jitter": _is("interarrival_jitter"),
    "rtcp.ssrc.lsr": _is("last_SR"),
    "rtcp.ssrc.dlsr": _is("delay_since_last_SR"),
    # The end of a chunk is an item of type 0 to tshark, and the reason of BYE an item of SDES.
    "rtcp.sdes.type": (*_is("type"), Reading("end", lambda nulls: nulls[0])),
    "rtcp.sdes.length": _is("length"),
    "rtcp.sdes.text": _is("text", "value_string", "reason"),
    "rtcp.sdes.prefix.length": _is("prefix_length"),
    "rtcp.sdes.prefix.string": _is("prefix_string"),
    "rtcp.app.subtype": _is("subtype"),
    "rtcp.app.name": _is("application_name"),
    "rtcp.app.data": _is("application_dependent_data"),
    "rtcp.app.data_str": _is("application_dependent_data"),
}
"""tshark's field: what the layers have for it."""

_SIGNALLING, _HEADLINE = "what signalling said of the stream", "a headline of fields, without octets of its own"
NOT_READ = {
    "rtp.extseq": "counts how often the sequence number of the stream turned round",
    "rtcp.length_check": "whether the lengths of the packets that tshark took add up",
    "rtp.csrc.items": _HEADLINE,
    "rtp.hdr_exts": _HEADLINE,
    "srtcp.encrypted_payload": _HEADLINE,
    **{f"{name}.{what}": _SIGNALLING for name in ("rtp", "rtcp") for what in ("setup", "setup-frame", "setup-method")},
    "sip.call_id_generated": _SIGNALLING,
    "megaco.context": _SIGNALLING,
}
"""Fields of tshark that are not in the octets of a packet."""


class Difference(NamedTuple):
    """Fields that only tshark reads in some files, and what holds for the octets of the packet that it took."""

    reason: str
    files: tuple[str, ...]
    fields: tuple[str, ...]
    holds: Callable[[bytes], bool]


DIFFERENCES = (
    Difference(
        "STUN and DTLS, told by their first octet (RFC 7983 §7), on the port of RTCP: of these it shows the version",
        ("linphone-dtls-srtp.pcapng", "plain-rtcp-on-dtls-call.pcapng", "sdes-keys-in-clear-sip.pcapng"),
        ("rtcp.version",),
        lambda packet: packet[0] < 64,
    ),
    Difference(
        "ciphertext behind the first packet, whose second octet happens to be that of XR: RTCP has the version 2 "
        "(RFC 3550 §A.2)",
        ("rtcp-and-encrypted-voice.pcap", "srtcp-without-tag.pcapng"),
        ("rtcp.version", "rtcp.padding", "rtcp.pt", "rtcp.length", "rtcp.senderssrc", "rtcp.xr."),
        lambda packet: packet[0] >> 6 != 2,
    ),
    Difference(
        "ciphertext of XR (behind it index 1 and 2 with the E bit set): the length of a block that tshark shows goes "
        "beyond the packet",
        ("stun-dtls-many-profiles.pcapng",),
        ("rtcp.xr.bt", "rtcp.xr.bs", "rtcp.xr.bl"),
        lambda packet: packet[1] == 207 and 12 + 4 * int.from_bytes(packet[10:12], "big") > len(packet),
    ),
    Difference(
        "SRTCP of APP: tshark cuts off no index and tag, and shows them as ciphertext",
        ("plain-rtcp-on-dtls-call.pcapng", "plain-rtcp-on-sdes-call.pcapng", "sip-over-null-tls.pcapng"),
        ("rtcp.encrypted",),
        lambda packet: packet[1] == 204,
    ),
    Difference(
        "frame 630, fuzzed to 162 octets of AA: the last one counts 170 of padding, and behind the header are 110",
        ("fuzzed-office-lan.pcap",),
        ("rtp.padding.data", "rtp.padding.count"),
        lambda packet: packet == 162 * b"\xaa",
    ),
)


# --- what the layers read -------------------------------------------------------------------------

Read = dict[str, list[tuple[int, Any]]]
"""By field: where its octets begin, and its value."""


def _read(packet: Packet, begin: int, found: Read) -> Read:
    """All fields of a layer and of those inside it."""
    for field, value, start, end in spans(packet):
        if value is None or value == ABSENT:
            continue
        items, at = value if isinstance(value, list) else [value], begin + start
        for item in items:
            if isinstance(item, Packet) and not isinstance(item, Raw):
                _read(item, at, found)
                at += len(bytes(item))
            else:
                plain = bytes(item) if isinstance(item, Raw) else item
                found.setdefault(field.name, []).append((at, plain))
                at += len(plain) if isinstance(plain, bytes) else (end - start) // len(items)
    return found


# --- what tshark reads ----------------------------------------------------------------------------


class Field(NamedTuple):
    """A field of tshark; one that is not in the octets begins at -1."""

    name: str
    shown: str
    begin: int
    octets: int
    packet: bytes  # that it is in

    def same(self, ours: bytes | int | str) -> bool:
        """Whether a value of the layers is this one."""
        if isinstance(ours, int):
            return int(self.shown, 0) == ours
        if isinstance(ours, bytes):
            text = ours.partition(b"\x00")[0].decode("utf-8", "replace")  # tshark shows no more of it
            return len(ours) == self.octets and self.shown in (ours.hex(":"), text)
        microseconds = self.shown.removesuffix(" UTC")[:-3]
        theirs = datetime.strptime(f"{microseconds} +0000", "%b %d, %Y %H:%M:%S.%f %z")
        return theirs.strftime("%Y-%m-%d %H:%M:%S.%f UTC") == ours

    def is_read(self, ours: Read) -> bool:
        """Whether the layers have it, with the same value at the same place."""
        return any(
            begin + reading.behind(value) == self.begin and self.same(reading.part(value))
            for reading in FIELDS.get(self.name, ())
            for begin, value in ours.get(reading.name, ())
        )

    def difference(self, file: str) -> Difference | None:
        """The reason why the layers don't have it."""
        for each in DIFFERENCES:
            if file in each.files and self.name.startswith(each.fields) and each.holds(self.packet):
                return each
        return None


def _fields(pairs: Pairs, packet: bytes) -> Iterator[Field]:
    raw: tuple[str, Any] = ("", ())
    for name, value in pairs:
        if name.endswith("_raw"):
            raw = name, value
        elif isinstance(value, list) and not name.startswith(JUDGEMENT):
            yield from _fields(value, packet)
        elif not name.startswith(JUDGEMENT) and name not in NOT_READ:
            begin, octets = raw[1][1:3] if raw[0] == f"{name}_raw" else (-1, 0)
            yield Field(name, value, begin, octets, packet)


class Dissected(NamedTuple):
    """RTP or RTCP that tshark dissected, a compound as one."""

    protocol: str
    begin: int
    octets: bytes
    fields: list[Field]

    def layer(self) -> type[Packet]:
        """The layer that has to read it."""
        tag = next((field.octets for field in self.fields if field.name.endswith(".auth_tag")), 0)
        if not tag:
            return TelephoneEvents if self.protocol == "rtpevent" else RTCP if self.protocol in COMPOUNDS else RTP
        suite = replace(suite_named("AES_CM_128_HMAC_SHA1_80"), srtp_tag=tag, srtcp_tag=tag)
        return srtcp_layer(suite) if self.protocol == "srtcp" else srtp_layer(suite)


def _dissected(frame: Pairs) -> list[Dissected]:
    whole = next(bytes.fromhex(raw[0]) for name, raw in frame if name == "frame_raw")
    found: list[Dissected] = []
    datagram, end = b"", -1
    for (name, raw), (protocol, pairs) in pairwise(frame):
        if name == "udp_raw":
            datagram = whole[raw[1] + UDP_HEADER : raw[1] + int(raw[0][8:12], 16)]
        if protocol not in PROTOCOLS or name != f"{protocol}_raw":
            continue
        octets, begin = bytes.fromhex(raw[0]), raw[1]
        fields = list(_fields(pairs, octets))
        if protocol in COMPOUNDS and found and found[-1].protocol == protocol and begin == end:
            found[-1].fields.extend(fields)
        else:
            found.append(Dissected(protocol, begin, octets, fields))
        end, first = begin + len(octets), found[-1]
        # A packet of tshark's ends where its length says: what is behind the last belongs to the compound, too.
        last = max((field.begin + field.octets for field in fields), default=end)
        if protocol in COMPOUNDS and whole[begin:end] == octets:
            in_datagram = datagram.startswith(whole[first.begin : end])
            found[-1] = first._replace(octets=datagram if in_datagram else whole[first.begin : max(end, last)])
    return found


def _json(program: str, path: Path) -> str:
    options = [word for name in HEURISTICS for word in ("--enable-heuristic", name)]
    told = DECODE_AS.get(path.relative_to(path.parents[1]).as_posix(), ())
    options += [word for one in told for word in ("-d", one)]
    command = [program, "-n", "-r", str(path), *options, "-T", "json", "-x", "-J", " ".join(PROTOCOLS)]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")


def _frames(program: str) -> Iterator[tuple[str, int, Pairs]]:
    """All frames of all files with their numbers; while one file is compared, tshark reads the next ones."""
    decoder = json.JSONDecoder(object_pairs_hook=list)
    waiting: list[tuple[str, Future[str]]] = []
    with ThreadPoolExecutor(PROCESSES) as pool:
        for path in [*FILES, *[None] * PROCESSES]:
            if path:
                waiting.append((path.name, pool.submit(_json, program, path)))
            if path and len(waiting) <= PROCESSES:
                continue
            file, told = waiting.pop(0)
            text, number = told.result(), 0
            begin = text.find("{")
            while begin >= 0:
                frame, end = decoder.raw_decode(text, begin)
                number += 1
                yield file, number, dict(dict(frame)["_source"])["layers"]
                begin = text.find("{", end)


def test_every_value_that_tshark_reads_is_read_here(peer: Callable[[str], str]) -> None:
    """By position in the octets of each packet; every difference that is told has to be there."""
    wrong, packets, names, met = [], Counter[str](), set(), set()
    for file, number, frame in _frames(peer("tshark")):
        for theirs in _dissected(frame):
            packets[theirs.protocol] += 1
            ours = _read(theirs.layer()(theirs.octets), theirs.begin, {})
            for field in theirs.fields:
                names.add(field.name)
                if field.is_read(ours):
                    continue
                if difference := field.difference(file):
                    met.add((difference.reason, file))
                else:
                    wrong.append(f"{file} frame {number}: {field.name} {field.shown!r} at {field.begin}")
    assert wrong == []
    there = {path.name for path in FILES}
    assert met == {(each.reason, file) for each in DIFFERENCES for file in each.files if file in there}
    assert packets["rtp"] > 5_000
    assert packets["rtcp"] > 20
    assert packets["srtcp"] > 20
    if CAPTURES.exists():
        assert FIELDS.keys() <= names
