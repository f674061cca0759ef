"""What the tests of proofs share: calls made of bytes, keys of a key file, and the proofs that an audit makes."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imsinspect.pipeline import Options, audit
from tests import build
from tests.rules.conftest import A_RTCP, B_RTCP, SSRC_A, SSRC_B, A, B, answer, context, offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from imsinspect.trace.model import MediaStream, Proof, RtcpSource, Trace


__all__ = [
    "A_RTCP",
    "B_RTCP",
    "GCM",
    "SSRC_A",
    "SSRC_B",
    "A",
    "B",
    "_32",
    "_80",
    "answer",
    "call",
    "changed",
    "context",
    "flipped",
    "key_row",
    "offer",
    "proof",
    "rtcp_of",
    "sent",
    "stream_of",
    "traced",
]  # fmt: skip

_80, _32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
GCM = "AEAD_AES_128_GCM"


def key_row(seed: str | bytes = "a", suite: str = _80, **more: Any) -> dict[str, Any]:
    """An entry of a key file with the key of a seed (or these octets)."""
    secret = seed if isinstance(seed, bytes) else build.master_key(seed, suite)
    return {"suite": suite, "key_and_salt_base64": base64.b64encode(secret).decode(), **more}


def traced(*captures: Sequence[build.Packet], keys: Iterable[dict[str, Any]] = (), **options: Any) -> Trace:
    """The trace of captures, with the keys of a key file if there are any."""
    rows = list(keys)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, packets in enumerate(captures):
            path = Path(folder) / f"{number}.pcap"
            path.write_bytes(build.pcap(packets))
            paths.append(str(path))
        if rows:
            file = Path(folder) / "keys.json"
            file.write_text(json.dumps({"srtp": rows}), encoding="utf-8")
            options["keys"] = (file,)
        return audit(paths, Options(**options)).trace


def proof(of: MediaStream | RtcpSource) -> Proof:
    """The proof of a sender; it adds up."""
    found = of.proof
    assert found is not None
    assert found.packets == found.verified + found.failed + found.replayed
    assert found.failed == sum(found.diagnoses.values())
    assert (found.first_failed is None) == (not found.failed)
    assert [each.frame for each in found.failures] == sorted(each.frame for each in found.failures)
    assert bool(found.failures) == bool(found.failed)
    return found


def stream_of(trace: Trace, ssrc: int = SSRC_A) -> Proof:
    """The proof of the only stream with an SSRC."""
    (one,) = [each for each in trace.streams if each.ssrc == ssrc]
    return proof(one)


def rtcp_of(trace: Trace, ssrc: int = SSRC_A) -> Proof:
    """The proof of the only RTCP sender with an SSRC."""
    (one,) = [each for each in trace.rtcp_sources if each.ssrc == ssrc]
    return proof(one)


def sent(
    srtp: build.Srtp | None,
    packets: int = 60,
    *,
    ssrc: int = SSRC_A,
    source: build.Address = A,
    destination: build.Address = B,
    at: float = 1.0,
    sequence: int = 100,
    content: Callable[[int], bytes] | None = None,
    timestamp: int = 1_000,
    **more: Any,
) -> list[build.Packet]:
    """Packets of one sender, of content without structure unless told otherwise."""
    payloads = [(content or (lambda number: build.noise(number, 80)))(number) for number in range(packets)]
    return build.rtp_stream(
        source, destination, ssrc, payloads, at=at, sequence=sequence, timestamp=timestamp, srtp=srtp, **more
    )


def payload_of(frame: bytes) -> bytes:
    """The UDP payload of an Ethernet frame of these tests."""
    return frame[42:]


def changed(packet: build.Packet, change: Callable[[bytes], bytes]) -> build.Packet:
    """A packet whose UDP payload is another one."""
    at, frame = packet
    source = ".".join(str(octet) for octet in frame[26:30]), int.from_bytes(frame[34:36], "big")
    destination = ".".join(str(octet) for octet in frame[30:34]), int.from_bytes(frame[36:38], "big")
    return at, build.udp(source, destination, change(frame[42:]))


def flipped(packet: bytes, bit: int) -> bytes:
    """A packet with one other bit; 0 is the first one."""
    out = bytearray(packet)
    out[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(out)


def call(
    *media: Sequence[build.Packet], offered: bytes | None = None, answered: bytes | None = None, **how: Any
) -> list[build.Packet]:
    """A call between A and B with keys "a" and "b", and its media."""
    signalling = build.call(offer() if offered is None else offered, answer() if answered is None else answered, **how)
    return build.in_time_order(signalling, *media)
