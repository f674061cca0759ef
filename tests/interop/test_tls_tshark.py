"""What the TLS and DTLS layers read in real traffic is what tshark reads, field by field.

tshark gives both sides of the comparison their octets: the payloads of TCP and UDP, and its own reading of them.
Streams and fragmented messages are put together here, in the plainest way, so that nothing but layers is compared.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from scapy.packet import Raw

from dissectors.tls.extensions.layers import Extension
from dissectors.tls.extensions.tls12.layers import UseSRTPData
from dissectors.tls.layers import (
    DTLS,
    SSL2,
    TLS,
    Alert,
    DTLSHandshake,
    DTLSRecord,
    SSL2Record,
    TLSProtectedRecord,
    TLSRecord,
    handshake,
)
from dissectors.tls.messages.layers import suite_name
from dissectors.tls.records import dtls_offset, looks_like_hello, looks_like_sslv2, looks_like_tls, plain_handshake
from dissectors.tls.suite_names import SUITE_NAMES
from dissectors.tls.suites import is_grease, suite
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dissectors.tls.suites import CipherSuite

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

TSHARK = {
    "handshake type": ("tls.handshake.type", "dtls.handshake.type"),
    "handshake length": ("tls.handshake.length", "dtls.handshake.length"),
    "hello version": ("tls.handshake.version", "dtls.handshake.version"),
    "suite": ("tls.handshake.ciphersuite", "dtls.handshake.ciphersuite"),
    "extension": ("tls.handshake.extension.type", "dtls.handshake.extension.type"),
    "alert level": ("tls.alert_message.level", "dtls.alert_message.level"),
    "alert": ("tls.alert_message.desc", "dtls.alert_message.desc"),
    "certificate": ("tls.handshake.certificate", "dtls.handshake.certificate"),
    "group": ("tls.handshake.extensions_supported_group", "dtls.handshake.extensions_supported_group"),
    "signature scheme": ("tls.handshake.sig_hash_alg", "dtls.handshake.sig_hash_alg"),
    "server name": ("tls.handshake.extensions_server_name", "dtls.handshake.extensions_server_name"),
    "epoch": ("dtls.record.epoch",),
    "sequence number": ("dtls.record.sequence_number",),
    "message_seq": ("dtls.handshake.message_seq",),
    "fragment offset": ("dtls.handshake.fragment_offset",),
    "fragment length": ("dtls.handshake.fragment_length",),
    "use_srtp profile": ("dtls.use_srtp.protection_profile",),
    "use_srtp MKI length": ("dtls.use_srtp.mki_length",),
}
"""Our name of what is counted: the fields of tshark."""

FINISHED = "Finished under a NULL cipher: in clear, but with a MAC behind it; the layers do not know the cipher"
ALERTS = "close_notify under a NULL cipher, with a MAC behind it"
STAMPS = "of signed certificate timestamps inside certificates, which are not taken apart here"

DIFFERENCES: dict[tuple[str, str], tuple[dict[Any, int], str]] = {
    ("samples/msrp-relay.pcapng", "handshake type"): ({20: 4}, FINISHED),
    ("samples/msrp-relay.pcapng", "handshake length"): ({12: 4}, FINISHED),
    ("samples/null-cipher-msrp.pcapng", "handshake type"): ({20: 2}, FINISHED),
    ("samples/null-cipher-msrp.pcapng", "handshake length"): ({12: 2}, FINISHED),
    ("samples/null-cipher-msrp.pcapng", "alert level"): ({1: 2}, ALERTS),
    ("samples/null-cipher-msrp.pcapng", "alert"): ({0: 2}, ALERTS),
    ("samples/psk-null-cipher.pcap", "handshake type"): ({20: 2}, FINISHED),
    ("samples/psk-null-cipher.pcap", "handshake length"): ({12: 2}, FINISHED),
    ("samples/psk-null-cipher.pcap", "alert level"): ({1: 2}, ALERTS),
    ("samples/psk-null-cipher.pcap", "alert"): ({0: 2}, ALERTS),
    ("samples/sip-over-null-tls.pcapng", "handshake type"): ({20: 2}, FINISHED),
    ("samples/sip-over-null-tls.pcapng", "handshake length"): ({12: 2}, FINISHED),
    ("samples/sip-over-null-tls.pcapng", "alert level"): ({1: 1}, ALERTS),
    ("samples/sip-over-null-tls.pcapng", "alert"): ({0: 1}, ALERTS),
    ("tls/rsa-null-sha256.pcapng", "handshake type"): ({20: 2}, FINISHED),
    ("tls/rsa-null-sha256.pcapng", "handshake length"): ({12: 2}, FINISHED),
    ("tls/rsa-null-sha256.pcapng", "alert level"): ({1: 1}, ALERTS),
    ("tls/rsa-null-sha256.pcapng", "alert"): ({0: 1}, ALERTS),
    ("dtls-srtp/dtls-null-cipher.pcap", "handshake type"): ({20: 2}, FINISHED),
    ("dtls-srtp/dtls-null-cipher.pcap", "handshake length"): ({12: 2}, FINISHED),
    ("dtls-srtp/dtls-null-cipher.pcap", "message_seq"): ({3: 1, 4: 1}, FINISHED),
    ("dtls-srtp/dtls-null-cipher.pcap", "fragment offset"): ({0: 2}, FINISHED),
    ("dtls-srtp/dtls-null-cipher.pcap", "fragment length"): ({12: 2}, FINISHED),
    ("dtls-srtp/certificate-in-fragments.pcap", "signature scheme"): ({1027: 4}, STAMPS),
    ("dtls-srtp/conference-unanswered-profiles.pcapng", "signature scheme"): ({1027: 6}, STAMPS),
}
"""(capture, what): what only tshark counts, and the reason read from the octets. The layers never count more."""

FRAME = ("frame.protocols", "tcp.stream", "tcp.srcport", "tcp.seq", "tcp.payload", "udp.stream", "udp.srcport")
Counts = defaultdict[str, Counter[Any]]


def value(what: str, text: str) -> Any:
    """A value of tshark in our form."""
    if what == "certificate":
        return hashlib.sha256(bytes.fromhex(text.replace(":", ""))).hexdigest()
    return text if what == "server name" else int(text, 0)


def run(tshark: str, capture: Path, told: Iterable[str] = ()) -> tuple[Counts, list[dict[str, str]]]:
    """What tshark counts in a capture, and the payloads."""
    fields = [*FRAME, "udp.payload", *(name for names in TSHARK.values() for name in names)]
    options = [word for name in fields for word in ("-e", name)]
    ports = [word for one in told for word in ("-d", one)]
    command = [tshark, "-n", "-r", str(capture), *ports, "-T", "fields", "-E", "aggregator=;", *options]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs: Counts = defaultdict(Counter)
    rows = []
    for line in shown.splitlines():
        row = dict(zip(fields, line.split("\t"), strict=True))
        rows.append(row)
        for what, names in TSHARK.items():
            theirs[what].update(value(what, one) for name in names for one in row[name].split(";") if one)
    return theirs, rows


def without_secrets(data: bytes) -> bytes:
    """A capture without Decryption Secrets Blocks, with which tshark would read what is encrypted."""
    order: Literal["little", "big"] = "little" if data[8:12] == b"\x4d\x3c\x2b\x1a" else "big"
    if data[:4] != b"\x0a\x0d\x0d\x0a":
        return data
    out, at = b"", 0
    while at < len(data):
        kind, size = (int.from_bytes(data[at + n : at + n + 4], order) for n in (0, 4))
        out += data[at : at + size] if kind != 0x0000000A else b""
        at += size
    return out


class Reading:
    """What the layers count."""

    def __init__(self) -> None:
        self.counts: Counts = defaultdict(Counter)

    def add(self, what: str, *values: Any) -> None:
        self.counts[what].update(values)

    def body(self, packet: Any) -> None:
        """Of a whole message."""
        body = packet.body
        name = getattr(body, "name", "")
        if "Hello" in name and name not in ("HelloRequest", "ServerHelloDone"):
            self.add("hello version", getattr(body, "version", None) or body.server_version)
        if name == "ClientHello":
            self.add("suite", *body.cipher_suites)
        elif name in ("ServerHello", "HelloRetryRequest"):
            self.add("suite", body.cipher_suite)
        elif name == "Certificate":
            self.add("certificate", *(hashlib.sha256(bytes(one.cert)).hexdigest() for one in body.certificate_list))
        self.add("signature scheme", *(getattr(body, "supported_signature_algorithms", None) or ()))
        if getattr(body, "algorithm", b"") != b"" and name != "CompressedCertificate":
            self.add("signature scheme", body.algorithm)
        for one in getattr(body, "extensions", None) or ():
            if isinstance(one, Extension):
                self.extension(one)

    def extension(self, one: Extension) -> None:
        self.add("extension", one.extension_type)
        data = one.extension_data
        if isinstance(data, UseSRTPData):
            self.add("use_srtp profile", *data.SRTPProtectionProfiles)
            self.add("use_srtp MKI length", data.srtp_mki_length)
        self.add("group", *(getattr(data, "named_group_list", None) or ()))
        self.add("signature scheme", *(getattr(data, "supported_signature_algorithms", None) or ()))
        for name in getattr(data, "server_name_list", None) or ():
            self.add("server name", name.host_name.decode("latin-1"))

    def alert(self, one: Alert) -> None:
        self.add("alert level", one.level)
        self.add("alert", one.description)


# --- TLS ------------------------------------------------------------------------------------------


def streams(rows: list[dict[str, str]]) -> Iterator[bytes]:
    """Each direction of the TCP streams in which tshark sees TLS, as far as it is without a gap."""
    segments: dict[tuple[str, str], dict[int, bytes]] = defaultdict(dict)
    with_tls = {row["tcp.stream"] for row in rows if ":tls" in row["frame.protocols"]}
    for row in rows:
        if row["tcp.stream"] in with_tls and row["tcp.payload"]:
            payload = bytes.fromhex(row["tcp.payload"].split(";")[-1].replace(":", ""))
            parts = segments[row["tcp.stream"], row["tcp.srcport"]]
            parts[int(row["tcp.seq"])] = max(parts.get(int(row["tcp.seq"]), b""), payload, key=len)
    for parts in segments.values():
        stream = b""
        at = min(parts)
        for sequence in sorted(parts):
            if sequence > at:
                break
            stream += parts[sequence][at - sequence :]
            at = max(at, sequence + len(parts[sequence]))
        yield stream


def ssl2(reading: Reading, record: Any) -> None:
    """Count what a record of SSL 2.0 says."""
    if isinstance(record, SSL2Record) and not isinstance(record.data, Raw):
        reading.add("handshake type", record.data.msg_type)
        if hasattr(record.data, "version"):
            reading.add("hello version", record.data.version)
        if getattr(record.data, "certificate", b""):
            reading.add("certificate", hashlib.sha256(record.data.certificate).hexdigest())


def read_stream(reading: Reading, stream: bytes) -> None:
    """Count what the records of a stream say."""
    if looks_like_sslv2(stream) and b"\x00\x02" in (stream[3:5], stream[5:7]):
        for record in SSL2(stream).records:
            ssl2(reading, record)
        return
    if not looks_like_tls(stream) and not looks_like_sslv2(stream):
        starts = (at for at in range(len(stream) - 10) if looks_like_hello(stream, at))
        stream = stream[next(starts, len(stream)) :]
    pending = b""
    chosen, version = None, 0
    for record in TLS(stream).records if stream else ():
        ssl2(reading, record)
        if not isinstance(record, TLSRecord | TLSProtectedRecord):
            continue
        for one in record.content:
            if isinstance(one, Alert):
                reading.alert(one)
        octets = b"".join(bytes(one) for one in record.content)
        if record.type != 22 or (isinstance(record, TLSProtectedRecord) and not plain_handshake(octets)):
            continue
        pending += octets
        while len(pending) >= 4 and len(pending) >= 4 + int.from_bytes(pending[1:4], "big"):
            end = 4 + int.from_bytes(pending[1:4], "big")
            packet = handshake(pending[:end], chosen, version or record.version)
            pending = pending[end:]
            reading.add("handshake type", packet.msg_type)
            reading.add("handshake length", packet.length)
            reading.body(packet)
            if getattr(packet.body, "name", "") == "ServerHello":
                chosen, version = suite(packet.body.cipher_suite), packet.body.version


# --- DTLS -----------------------------------------------------------------------------------------


def read_datagrams(reading: Reading, rows: list[dict[str, str]]) -> None:
    """Count what the records of datagrams say; messages in fragments once they are whole."""
    parts: dict[tuple[str, str, int, int], bytearray] = {}
    seen: dict[tuple[str, str, int, int], set[int]] = defaultdict(set)
    chosen: dict[str, tuple[CipherSuite, int]] = {}

    def whole_message(stream: str, octets: bytes, version: int) -> None:
        selected, version = chosen.get(stream, (None, version))
        packet = handshake(octets, selected, version, dtls=True)
        reading.body(packet)
        if getattr(packet.body, "name", "") == "ServerHello":
            chosen[stream] = suite(packet.body.cipher_suite), packet.body.version

    for row in rows:
        if ":dtls" not in row["frame.protocols"] or not row["udp.payload"]:
            continue
        payload = bytes.fromhex(row["udp.payload"].split(";")[-1].replace(":", ""))
        flow = row["udp.stream"].split(";")[-1], row["udp.srcport"].split(";")[-1]
        for record in DTLS(payload[dtls_offset(payload) :]).records:
            if not isinstance(record, DTLSRecord):
                continue
            reading.add("epoch", record.epoch)
            reading.add("sequence number", record.sequence_number)
            for one in record.content:
                if isinstance(one, Alert):
                    reading.alert(one)
                if not isinstance(one, DTLSHandshake):
                    continue
                reading.add("handshake type", one.msg_type)
                reading.add("handshake length", one.length)
                reading.add("message_seq", one.message_seq)
                reading.add("fragment offset", one.fragment_offset)
                reading.add("fragment length", one.fragment_length)
                if one.fragment_length == one.length:
                    whole_message(flow[0], bytes(one), record.version)
                    continue
                key = (*flow, one.message_seq, one.length)
                message = parts.setdefault(key, bytearray(one.length))
                message[one.fragment_offset : one.fragment_offset + one.fragment_length] = bytes(one.body)
                seen[key] |= set(range(one.fragment_offset, one.fragment_offset + one.fragment_length))
                if len(seen[key]) == one.length:
                    whole = DTLSHandshake(msg_type=one.msg_type, message_seq=one.message_seq, body=Raw(bytes(message)))
                    whole_message(flow[0], bytes(whole), record.version)
                    del parts[key], seen[key]


# --- the comparison -------------------------------------------------------------------------------


def captures() -> list[Path]:
    """The samples, and the real captures of TLS and DTLS where they are at hand."""
    found = [*SAMPLES.glob("*.pcap*"), *CAPTURES.glob("tls/*.pcap*"), *CAPTURES.glob("dtls-srtp/*.pcap*")]
    return sorted(found)


def name(capture: Path) -> str:
    return f"{capture.parent.name}/{capture.name}"


def read(tshark: str, capture: Path, folder: Path) -> tuple[Counts, Counts]:
    """What tshark counts in a capture, and what the layers count."""
    sealed = folder / name(capture).replace("/", "-")
    sealed.write_bytes(without_secrets(capture.read_bytes()))
    hints = CAPTURES / "DECODE_AS.json"
    told = json.loads(hints.read_text()).get(name(capture), ()) if hints.exists() else ()
    theirs, rows = run(tshark, sealed, told)
    reading = Reading()
    for stream in streams(rows):
        read_stream(reading, stream)
    read_datagrams(reading, rows)
    return theirs, reading.counts


@pytest.fixture(scope="module")
def counts(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Future[Any]]:
    """Of each capture; tshark takes most of the time, so two of them run at once."""
    tshark, folder = peer("tshark"), tmp_path_factory.mktemp("tls")
    pool = ThreadPoolExecutor(2)
    found = {capture: pool.submit(read, tshark, capture, folder) for capture in captures()}
    pool.shutdown(wait=False)
    return found


@pytest.mark.parametrize("capture", captures(), ids=name)
def test_layers_read_what_tshark_reads(capture: Path, counts: dict[Path, Future[Any]]) -> None:
    theirs, ours = counts[capture].result()
    for what in TSHARK:
        only_theirs, reason = DIFFERENCES.get((name(capture), what), ({}, ""))
        assert (dict(theirs[what] - ours[what]), dict(ours[what] - theirs[what])) == (only_theirs, {}), (what, reason)


def test_the_captures_hold_every_kind_of_thing_that_is_compared(counts: dict[Path, Future[Any]]) -> None:
    """Nothing is compared with nothing: the samples alone have each of these."""
    of_samples = [counts[one].result()[0] for one in captures() if one.parent == SAMPLES]
    seen = {what for each in of_samples for what, found in each.items() if found}
    assert set(TSHARK) - seen <= {"server name"}


def test_every_known_difference_belongs_to_a_capture_that_is_there() -> None:
    there = {name(capture) for capture in captures()}
    assert {capture for capture, _ in DIFFERENCES if capture.startswith("samples/")} <= there


def test_suites_have_the_names_of_tshark(peer: Callable[[str], str]) -> None:
    shown = subprocess.run([peer("tshark"), "-G", "values"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in shown.splitlines() if line.startswith("V\ttls.handshake.ciphersuite\t")]
    theirs = {int(code, 0): text for _, _, code, text in rows}
    assert len(theirs) > 400
    assert {code: suite_name(code) for code in theirs if not is_grease(code)} == {
        code: text for code, text in theirs.items() if not is_grease(code)
    }
    assert set(theirs) - set(SUITE_NAMES) == {code for code in theirs if is_grease(code)}
