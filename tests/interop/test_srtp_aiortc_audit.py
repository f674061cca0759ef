"""What aiortc protects in a call of this moment verifies wholly, in every SRTP profile that it has.

Both peers are in this process (tests/recordings/webrtc_call.py); every datagram is written to a capture as it was
received. The keys come from the key log alone, and are those that aiortc itself exports from its DTLS connection.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.pipeline import Options, audit
from tests.build import pcap, udp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import ModuleType

    from imsinspect.report.audit import Audit
    from imsinspect.trace.model import MediaStream, RtcpSource, Trace

ADDRESS = "127.0.0.1"
SECONDS = 2.5
PROFILES = {  # by OpenSSL's name: that of RFC 5764 and RFC 7714, octets of key and salt
    "SRTP_AES128_CM_SHA1_80": ("SRTP_AES128_CM_HMAC_SHA1_80", 16, 14),
    "SRTP_AEAD_AES_128_GCM": ("SRTP_AEAD_AES_128_GCM", 16, 12),
    "SRTP_AEAD_AES_256_GCM": ("SRTP_AEAD_AES_256_GCM", 32, 12),
}


@dataclass(frozen=True)
class Call:
    """A call that was recorded, and what the tool says of it."""

    profile: str
    recorded: Any
    capture: Path
    key_log: Path

    def audited(self, *, with_keys: bool = True) -> Audit:
        """What the tool says."""
        return audit([str(self.capture)], Options(key_logs=(self.key_log,) if with_keys else ()))

    def media(self, *, rtcp: bool) -> Counter[tuple[tuple[str, int], tuple[str, int], int]]:
        """Packets received, by source, destination and SSRC (RFC 5761 §4)."""
        at = 4 if rtcp else 8
        return Counter(
            (each.source, each.destination, int.from_bytes(each.data[at : at + 4], "big"))
            for each in self.recorded.datagrams
            if each.data[0] >> 6 == 2 and (192 <= each.data[1] < 224) is rtcp
        )


@pytest.fixture(scope="module")
def aiortc(peer_module: Callable[[str], ModuleType]) -> ModuleType:
    """aiortc with what its media need."""
    for name in ("aiortc", "numpy", "av"):
        peer_module(name)
    return peer_module("tests.recordings.webrtc_call")


@pytest.fixture(scope="module", params=PROFILES)
def call(aiortc: ModuleType, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A call in each profile in turn."""
    recorded = aiortc.call(ADDRESS, SECONDS, request.param)
    folder = tmp_path_factory.mktemp("call")
    began = recorded.datagrams[0].when
    packets = [(each.when - began, udp(each.source, each.destination, each.data)) for each in recorded.datagrams]
    (folder / "call.pcap").write_bytes(pcap(packets))
    (folder / "keys.log").write_bytes(b"".join(line + b"\n" for line in recorded.key_log))
    return Call(request.param, recorded, folder / "call.pcap", folder / "keys.log")


def test_every_profile_of_aiortc_is_called_in(aiortc: ModuleType) -> None:
    assert {each.openssl_profile.decode() for each in aiortc.aiortc.rtcdtlstransport.SRTP_PROFILES} == set(PROFILES)


def _everyone(trace: Trace) -> list[MediaStream | RtcpSource]:
    return [*trace.streams, *trace.rtcp_sources]


def _counted(subjects: Iterable[MediaStream | RtcpSource]) -> dict[tuple[tuple[str, int], tuple[str, int], int], int]:
    found = {}
    for each in subjects:
        proof = each.proof
        assert proof is not None
        assert (proof.verified, proof.failed, proof.unchecked, proof.replayed) == (each.packets, 0, 0, 0)
        (source, destination) = (each.source.ip, each.source.port), (each.destination.ip, each.destination.port)
        found[source, destination, each.ssrc] = proof.verified
    return found


def test_every_packet_of_a_live_call_verifies(call: Call) -> None:
    assert call.recorded.profile == call.profile
    trace = call.audited().trace
    media, control = call.media(rtcp=False), call.media(rtcp=True)
    assert len(media) == len(control) == 2
    assert min(media.values()) > 50
    assert _counted(trace.streams) == media
    assert _counted(trace.rtcp_sources) == control


def test_the_keys_are_those_that_the_peer_exports(call: Call) -> None:
    name, key, salt = PROFILES[call.profile]
    exported = call.recorded.exported
    assert exported[True] == exported[False]  # client and server
    keys, salts = exported[True][: 2 * key], exported[True][2 * key :]
    written = {hashlib.sha256(keys[at * key :][:key] + salts[at * salt :][:salt]).hexdigest() for at in (0, 1)}
    trace = call.audited().trace
    proofs = [each.proof for each in _everyone(trace)]
    uses = [use for proof in proofs if proof is not None for use in proof.uses]
    assert {use.key for use in uses} == written
    assert {(use.suite, use.relation) for use in uses} == {(name, "agreed")}
    (session,) = trace.tls_sessions
    assert (session.opened, session.opened_by, session.finished_verified) == (True, "key-log", True)


def test_without_the_key_log_nothing_is_proven(call: Call) -> None:
    trace = call.audited(with_keys=False).trace
    assert [each.proof for each in _everyone(trace)] == [None] * 4
    assert trace.keys == []
