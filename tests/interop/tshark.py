"""What tshark reads in every sample and every capture, from one run a file: all fields of the protocols compared here.

Tests take from it what their protocol has. Secrets inside captures are left out first: nothing is decrypted.
"""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.truth import CAPTURES, captures

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FILES = [*sorted(SAMPLES.glob("*.pcap*")), *captures()]
CERTIFICATES = ("x509af", "x509ce", "x509if", "x509sat", "pkcs1", "pkix1explicit", "pkix1implicit", "ns_cert_exts")
PROTOCOLS = ("tls", "dtls", "bfcp", "msrp", "megaco", "stun", *CERTIFICATES)
_TCP = ("tcp.stream", "tcp.srcport", "tcp.seq", "tcp.payload")
_UDP = ("udp.stream", "udp.srcport", "udp.payload")
FRAME = ("frame.number", "frame.protocols", *_TCP, *_UDP)
SHOWN = "tcp.payload || dtls || bfcp || msrp || megaco || stun || x509af"
OPTIONS = ("--enable-heuristic", "bfcp_udp", "--enable-heuristic", "bfcp_tcp", "-o", "tcp.reassemble_out_of_order:TRUE")
UNIT, RECORD = "\x1f", "\x1e"  # between the values of a field, and between fields

Row = dict[str, list[str]]
"""A frame: the fields that have values."""


def name(path: Path) -> str:
    """A file as tables name it."""
    return f"{path.parent.name}/{path.name}"


@functools.cache
def kinds(program: str) -> dict[str, str]:
    """Every field of the protocols that may have a value, with its type."""
    shown = subprocess.run([program, "-G", "fields"], capture_output=True, text=True, check=True).stdout
    words = (line.split("\t") for line in shown.splitlines() if line.startswith("F\t"))
    return {word[2]: word[3] for word in words if word[2].split(".")[0] in PROTOCOLS}


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


def hints(path: Path) -> list[str]:
    """What tshark must be told of a capture's ports."""
    told = CAPTURES / "DECODE_AS.json"
    ports = json.loads(told.read_text()).get(name(path), ()) if told.exists() else ()
    return [word for one in ports for word in ("-d", one)]


def rows(program: str, path: Path) -> list[Row]:
    """The frames of a file that hold one of the protocols or a payload of TCP."""
    fields = [*FRAME, *kinds(program)]
    command = [program, "-n", *hints(path), *OPTIONS, "-Y", SHOWN, "-T", "fields"]
    command += ["-E", f"aggregator={UNIT}", "-E", f"separator={RECORD}"]
    command += [word for one in fields for word in ("-e", one)]
    with tempfile.NamedTemporaryFile(suffix=path.suffix) as sealed:
        sealed.write(without_secrets(path.read_bytes()))
        sealed.flush()
        shown = subprocess.run(
            [*command, "-r", sealed.name], capture_output=True, text=True, errors="replace", check=True
        ).stdout
    found = []
    for line in shown.split("\n")[:-1]:
        values = zip(fields, line.split(RECORD), strict=True)
        found.append({field: text.split(UNIT) for field, text in values if text})
    return found


@functools.cache
def readings(program: str) -> dict[Path, Future[list[Row]]]:
    """The frames of every file, two files at a time; each run is waited for where it is needed."""
    pool = ThreadPoolExecutor(2)
    found = {path: pool.submit(rows, program, path) for path in FILES}
    pool.shutdown(wait=False)
    return found


def connections(rows: list[Row], protocol: str) -> Iterator[list[bytes]]:
    """The directions of each TCP stream in which tshark sees a protocol, as far as they are without a gap."""
    segments: dict[str, dict[str, dict[int, bytes]]] = defaultdict(lambda: defaultdict(dict))
    chosen = {row["tcp.stream"][-1] for row in rows if "tcp.stream" in row and protocol in protocols(row)}
    for row in rows:
        if "tcp.payload" in row and row["tcp.stream"][-1] in chosen:
            payload = bytes.fromhex(row["tcp.payload"][-1])
            parts = segments[row["tcp.stream"][-1]][row["tcp.srcport"][-1]]
            parts[int(row["tcp.seq"][-1])] = max(parts.get(int(row["tcp.seq"][-1]), b""), payload, key=len)
    for directions in segments.values():
        yield [without_gaps(parts) for parts in directions.values()]


def without_gaps(parts: dict[int, bytes]) -> bytes:
    """Octets by their sequence number, up to the first that is missing."""
    stream = b""
    at = min(parts)
    for sequence in sorted(parts):
        if sequence > at:
            break
        stream += parts[sequence][at - sequence :]
        at = max(at, sequence + len(parts[sequence]))
    return stream


def protocols(row: Row) -> list[str]:
    """The protocols that tshark names in a frame."""
    return row["frame.protocols"][0].split(":")
