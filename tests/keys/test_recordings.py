"""Calls recorded from real peers verify, packet by packet, and one flipped bit shows at its frame.

What libsrtp opens of the same recordings (tests/recordings/oracle.py) is the independent count. The recordings, what
their peers do against the specifications and how they are made anew: tests/recordings/README.md.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.pipeline import Options, audit
from tests.recordings.oracle import NO_TAG, SHORT_TAG, Seen, Sender, datagrams, frames_of, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.report.audit import Audit
    from imsinspect.trace.model import MediaStream, Proof, RtcpSource

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
VERIFIES, NO_RTP_TAG, CLEAR = "verifies", "no tag, as agreed", "in clear"

DIAGNOSES = {SHORT_TAG: "tag length", NO_TAG: "tag cut off"}


@dataclass(frozen=True)
class Expected:
    """What a recording holds."""

    suite: str  # as the oracle calls it
    streams: int = 2
    rtp: str = VERIFIES
    rtcp: str = VERIFIES  # besides what baresip sends in clear
    in_clear: int = 0  # RTCP datagrams of each sender
    calls: int = 1
    rollover: bool = False  # the counter is 1 from the first packet on

    def __post_init__(self) -> None:
        assert self.rtcp in (VERIFIES, CLEAR, *DIAGNOSES)


CM_80, CM_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
GCM_128, GCM_256 = "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"

EXPECTED = {
    "baresip-sdes-cm-80": Expected(CM_80, in_clear=2),
    "baresip-sdes-cm-32": Expected(CM_32, in_clear=2, rtcp=SHORT_TAG),
    "baresip-sdes-gcm-128": Expected(GCM_128, in_clear=2),
    "baresip-sdes-gcm-256": Expected(GCM_256, in_clear=2),
    "baresip-sdes-mux": Expected(CM_80, in_clear=2),
    "baresip-sdes-ipv6": Expected(CM_80, in_clear=2),
    "baresip-sdes-hold": Expected(CM_80, in_clear=2),
    "baresip-sdes-mid-call": Expected(CM_80, in_clear=1, rollover=True),
    "baresip-sdes-rollover": Expected(CM_80, in_clear=2, rollover=True),
    "baresip-dtls-cm-80": Expected(CM_80, in_clear=2),
    "baresip-dtls-cm-32": Expected(CM_32, in_clear=2, rtcp=SHORT_TAG),
    "baresip-dtls-gcm-128": Expected(GCM_128, in_clear=2),
    "baresip-dtls-gcm-256": Expected(GCM_256, in_clear=2),
    "baresip-dtls-mux": Expected(CM_80, in_clear=1),
    "linphone-sdes-cm-80": Expected(CM_80),
    "linphone-sdes-cm-32": Expected(CM_32, rtcp=SHORT_TAG),
    "linphone-sdes-256-cm-80": Expected("AES_256_CM_HMAC_SHA1_80"),
    "linphone-sdes-256-cm-32": Expected("AES_256_CM_HMAC_SHA1_32", rtcp=SHORT_TAG),
    "linphone-sdes-unencrypted-srtp": Expected(CM_80, rtp=CLEAR, rtcp=CLEAR, in_clear=1),
    "linphone-sdes-unencrypted-srtcp": Expected(CM_80, rtcp=CLEAR, in_clear=1),
    "linphone-sdes-unencrypted": Expected(CM_80, rtp=CLEAR, rtcp=CLEAR, in_clear=1),
    "linphone-sdes-unauthenticated": Expected(CM_80, rtp=NO_RTP_TAG, rtcp=NO_TAG),
    "linphone-sdes-unauthenticated-32": Expected(CM_32, rtp=NO_RTP_TAG, rtcp=NO_TAG),
    "linphone-dtls-cm-80": Expected(CM_80),
    "linphone-dtls-cm-32": Expected(CM_32, rtcp=SHORT_TAG),
    "aiortc-cm-80": Expected(CM_80, calls=0),
    "aiortc-gcm-128": Expected(GCM_128, calls=0),
    "aiortc-gcm-256": Expected(GCM_256, calls=0),
    "aiortc-video": Expected(CM_80, streams=4, calls=0),
    "aiortc-rollover": Expected(GCM_128, calls=0, rollover=True),
}
MIXED = "linphone-calls-baresip-cm-32"
BARESIP, LINPHONE = "10.20.0.2", "10.20.0.1"


def key_log(name: str) -> Path | None:
    """The key log of a recording of DTLS."""
    path = RECORDINGS / f"{name}.keylog"
    return path if path.exists() else None


def audited(capture: Path, name: str) -> Audit:
    """What the whole tool says."""
    log = key_log(name)
    return audit([str(capture)], Options(key_logs=(log,) if log else ()))


@cache
def said(name: str) -> Audit:
    """What the whole tool says of a recording, as it is."""
    return audited(RECORDINGS / f"{name}.pcapng", name)


@cache
def truth(name: str) -> tuple[dict[Sender, Seen], dict[Sender, Seen]]:
    """What libsrtp says of a recording."""
    log = key_log(name)
    rollover = name in EXPECTED and EXPECTED[name].rollover
    frames = frames_of(RECORDINGS / f"{name}.pcapng")
    return judge(frames, log.read_bytes() if log else b"", rollover=rollover)


def by_sender(subjects: Iterable[MediaStream | RtcpSource]) -> dict[Sender, tuple[int, Proof]]:
    """Packets and proofs by their senders, each of which is there once."""
    found = {}
    for each in subjects:
        sender = Sender((each.source.ip, each.source.port), (each.destination.ip, each.destination.port), each.ssrc)
        assert sender not in found
        assert each.proof is not None
        found[sender] = each.packets, each.proof
    return found


def digests(seen: Seen) -> list[str]:
    """The digests by which the trace knows the keys."""
    return [hashlib.sha256(key).hexdigest() for key in seen.keys]


def suite_of(proof: Proof) -> str:
    """The suite of the one key that protects, without the names that RFC 5764 §4.1.2 and RFC 7714 §14.2 give it."""
    (use,) = proof.uses
    names = {
        "SRTP_AES128_CM_HMAC_SHA1_80": CM_80,
        "SRTP_AES128_CM_HMAC_SHA1_32": CM_32,
        "SRTP_AEAD_AES_128_GCM": GCM_128,
        "SRTP_AEAD_AES_256_GCM": GCM_256,
    }
    return names.get(use.suite, use.suite)


def check_verified(packets: int, proof: Proof, seen: Seen, suite: str) -> None:
    """Every packet of a stream verifies with the one key that libsrtp opens it with, over the same indices."""
    assert packets == seen.packets == seen.opened > 20
    assert (proof.packets, proof.verified, proof.failed) == (packets, packets, 0)
    assert (proof.replayed, proof.in_clear, proof.unchecked) == (0, 0, 0)
    assert (proof.failures, proof.first_failed, proof.diagnoses) == ([], None, {})
    assert suite_of(proof) == suite
    (use,) = proof.uses
    assert [use.key] == digests(seen)
    assert (use.relation, use.packets) == ("agreed", packets)
    assert (use.first_index, use.last_index) == (min(seen.indices), max(seen.indices))
    assert (use.first, use.last) == (seen.frames[0], seen.frames[-1])


def check_rtcp(packets: int, proof: Proof, seen: Seen, expected: Expected) -> None:
    """RTCP: what verifies, what is protected otherwise than agreed, and what is in clear, all counted exactly."""
    assert packets == seen.packets == proof.packets
    otherwise = sum(seen.not_as_agreed.values())
    assert seen.opened + otherwise + seen.in_clear == packets
    assert (proof.verified, proof.failed) == (seen.opened, otherwise + seen.in_clear)
    assert (proof.in_clear, proof.replayed, proof.unchecked) == (seen.in_clear, 0, 0)
    diagnoses = Counter({DIAGNOSES[how]: count for how, count in seen.not_as_agreed.items()})
    diagnoses["in clear"] += seen.in_clear
    assert proof.diagnoses == +diagnoses
    assert set(seen.not_as_agreed) <= {expected.rtcp}
    if seen.opened or SHORT_TAG in seen.not_as_agreed:
        assert suite_of(proof) == expected.suite
        (use,) = proof.uses
        assert [use.key] == digests(seen)
        assert use.relation == ("agreed" if seen.opened else "tag length")
        assert (use.packets, use.first_index, use.last_index) == (
            seen.opened + otherwise, min(seen.indices), max(seen.indices),
        )  # fmt: skip
    else:
        assert proof.uses == []


def test_every_recording_is_held_to_something() -> None:
    calls = {path.stem for peer in ("baresip", "linphone", "aiortc") for path in RECORDINGS.glob(f"{peer}-*.pcapng")}
    assert calls == {*EXPECTED, MIXED}
    assert all(path.with_suffix(".pcapng").exists() for path in RECORDINGS.glob("*.keylog"))


@pytest.mark.parametrize("name", EXPECTED)
def test_every_packet_of_media_is_proven(name: str) -> None:
    expected, trace = EXPECTED[name], said(name).trace
    seen, _ = truth(name)
    found = by_sender(trace.streams)
    assert set(found) == set(seen)
    assert (len(found), len(trace.calls)) == (expected.streams, expected.calls)
    for sender, (packets, proof) in found.items():
        if expected.rtp == VERIFIES:
            check_verified(packets, proof, seen[sender], expected.suite)
            rollovers = {index >> 16 for index in seen[sender].indices}
            assert rollovers == ({1} if expected.rollover else {0})
        elif expected.rtp == NO_RTP_TAG:
            assert seen[sender].opened == packets  # by decryption: nothing shows that it is right
            assert (proof.verified, proof.failed, proof.unchecked) == (0, 0, packets)
        else:
            assert seen[sender].opened == 0
            assert (proof.verified, proof.failed, proof.uses) == (0, packets, [])
            assert "" not in proof.diagnoses
            assert sum(proof.diagnoses.values()) == packets
    assert trace.keystream_reuse == []


@pytest.mark.parametrize("name", EXPECTED)
def test_every_rtcp_datagram_is_proven_or_counted_in_clear(name: str) -> None:
    expected, trace = EXPECTED[name], said(name).trace
    _, seen = truth(name)
    found = by_sender(trace.rtcp_sources)
    assert set(found) == set(seen)
    assert len(found) == expected.streams
    for sender, (packets, proof) in found.items():
        check_rtcp(packets, proof, seen[sender], expected)
        assert proof.in_clear == expected.in_clear
        protected = proof.verified + sum(seen[sender].not_as_agreed.values())
        assert (protected > 0) is (expected.rtcp != CLEAR)


@pytest.mark.parametrize("name", EXPECTED)
def test_keys_count_what_they_protect(name: str) -> None:
    trace = said(name).trace
    streams, controls = truth(name)
    opened: Counter[str] = Counter()
    for each in streams.values():
        if EXPECTED[name].rtp == VERIFIES:
            opened.update(dict.fromkeys(digests(each), each.opened))
    counted = {key.digest: key.srtp_packets for key in trace.keys}
    assert {digest: count for digest, count in counted.items() if count} == dict(opened)
    controlled: Counter[str] = Counter()
    for each in controls.values():
        applied = each.opened + each.not_as_agreed.get(SHORT_TAG, 0)
        controlled.update({digest: applied for digest in digests(each) if applied})
    counted = {key.digest: key.srtcp_packets for key in trace.keys}
    assert {digest: count for digest, count in counted.items() if count} == dict(controlled)


def test_a_call_between_two_programs() -> None:
    # linphone offers the suite that baresip answers by itself: no peer was made to do anything.
    trace = said(MIXED).trace
    streams, controls = truth(MIXED)
    found, rtcp = by_sender(trace.streams), by_sender(trace.rtcp_sources)
    assert set(found) == set(streams)
    assert set(rtcp) == set(controls)
    assert {sender.source[0] for sender in found} == {sender.source[0] for sender in rtcp} == {BARESIP, LINPHONE}
    for sender, (packets, proof) in found.items():
        check_verified(packets, proof, streams[sender], CM_32)
    for sender, (packets, proof) in rtcp.items():
        check_rtcp(packets, proof, controls[sender], Expected(CM_32, rtcp=SHORT_TAG))
        assert proof.in_clear == (2 if sender.source[0] == BARESIP else 0)


# --- one bit --------------------------------------------------------------------------------------

RTP_BITS: dict[str, tuple[int | str, int]] = {
    "version": (0, 0x80), "padding": (0, 0x20), "extension": (0, 0x10), "CSRC count": (0, 0x01),
    "marker": (1, 0x80), "payload type": (1, 0x01), "sequence number, low": (3, 0x01),
    "sequence number, high": (2, 0x80), "timestamp": (5, 0x10), "SSRC": (9, 0x08),
    "first of the ciphertext": (12, 0x80), "in the ciphertext": (30, 0x02), "first of the tag": ("tag", 0x80),
    "last before the tag": ("tag - 1", 0x01), "last of the tag": (-1, 0x01),
}  # fmt: skip
RTCP_BITS: dict[str, tuple[int | str, int]] = {
    "version": (0, 0x40), "count": (0, 0x01), "packet type": (1, 0x02), "length": (3, 0x01), "SSRC": (5, 0x40),
    "first of the ciphertext": (8, 0x80), "in the ciphertext": (21, 0x04),
    "E": ("index", 0x80), "index": ("index + 3", 0x02), "first of the tag": ("tag", 0x80),
    "last of the tag": ("tag + last", 0x01),
}  # fmt: skip
SPOILED = {
    "baresip-sdes-cm-80": 10,
    "baresip-sdes-cm-32": 4,
    "baresip-sdes-hold": 10,
    "baresip-dtls-gcm-256": 16,
    "linphone-sdes-256-cm-80": 10,
    "linphone-dtls-cm-32": 4,
    "aiortc-cm-80": 10,
    "aiortc-gcm-128": 16,
}
"""Recordings of which bits are flipped, with the octets of an RTP tag."""
WITH_SRTCP = ("baresip-sdes-hold", "baresip-dtls-gcm-256", "aiortc-cm-80", "aiortc-gcm-128")
"""Those whose senders have several SRTCP datagrams that verify."""


def place(where: int | str, octets: int, tag: int, *, rtcp: bool) -> int:
    """The octet that a position of the tables means (RFC 3711 §3.1 and §3.4, RFC 7714 §8 and §9)."""
    if isinstance(where, int):
        return where % octets
    aead = tag == 16
    behind = 4 if rtcp and aead else 0
    begins = {"tag": octets - tag - behind, "index": octets - 4 if aead else octets - tag - 4}
    name, _, more = where.partition(" ")
    steps = {"": 0, "- 1": -1, "+ 3": 3, "+ last": tag - 1}
    return begins[name] + steps[more]


def frames_that_verify(name: str, *, rtcp: bool) -> list[tuple[Sender, int]]:
    """Every packet that libsrtp opens, of senders that have several of them."""
    found = [(sender, frame) for sender, seen in truth(name)[rtcp].items() if seen.opened > 1 for frame in seen.frames]
    if rtcp:
        clear = {failure.frame for each in said(name).trace.rtcp_sources for failure in proof_of(each).failures}
        found = [(sender, frame) for sender, frame in found if frame not in clear]
    return sorted(found, key=lambda each: each[1])


def proof_of(subject: MediaStream | RtcpSource) -> Proof:
    """The proof, which is there."""
    assert subject.proof is not None
    return subject.proof


def flip(name: str, folder: Path, frame: int, where: int | str, bit: int, *, rtcp: bool) -> Path:
    """A copy of a recording with one bit of one packet flipped."""
    octets, frames = (RECORDINGS / f"{name}.pcapng").read_bytes(), frames_of(RECORDINGS / f"{name}.pcapng")
    (chosen,) = (each for each in datagrams(frames) if each.frame == frame)
    spoiled = bytearray(frames[frame - 1])
    spoiled[chosen.offset + place(where, len(chosen.data), SPOILED[name], rtcp=rtcp)] ^= bit
    spoiled[chosen.offset - 2 : chosen.offset] = bytes(2)  # no UDP checksum (RFC 768)
    assert octets.count(frames[frame - 1]) == 1
    copy = folder / "spoiled.pcapng"
    copy.write_bytes(octets.replace(frames[frame - 1], bytes(spoiled)))
    return copy


def outcome(result: Audit) -> dict[tuple[bool, Sender], tuple[int, int, list[int]]]:
    """Verified and failed packets of every sender, and the frames of the failed ones."""
    found = {}
    for rtcp, subjects in ((False, result.trace.streams), (True, result.trace.rtcp_sources)):
        for sender, (_, proof) in by_sender(subjects).items():
            frames = [failure.frame for failure in proof.failures]
            found[rtcp, sender] = proof.verified, proof.failed, frames
    return found


def check_one_failure(name: str, spoiled: Path, sender: Sender, frame: int, *, rtcp: bool) -> None:
    """One packet less verifies, which fails at its frame; nothing else changes.

    A spoiled SSRC or packet type may make the packet a sender of its own: that one has no other packet.
    """
    expected = outcome(said(name))
    verified, failed, frames = expected[rtcp, sender]
    expected[rtcp, sender] = verified - 1, failed + 1, sorted([*frames, frame])
    found = outcome(audited(spoiled, name))
    alone = {who: found.pop(who) for who in [*found] if who not in expected}
    assert found == expected
    assert all(each == (0, 1, [frame]) for each in alone.values())
    assert len(alone) <= 1


@pytest.mark.parametrize("bit", RTP_BITS)
@pytest.mark.parametrize("name", SPOILED)
def test_one_bit_of_a_media_packet_shows_at_its_frame(name: str, bit: str, tmp_path: Path) -> None:
    packets = frames_that_verify(name, rtcp=False)
    sender, frame = packets[len(packets) // 2]
    spoiled = flip(name, tmp_path, frame, *RTP_BITS[bit], rtcp=False)
    check_one_failure(name, spoiled, sender, frame, rtcp=False)


@pytest.mark.parametrize("bit", RTCP_BITS)
@pytest.mark.parametrize("name", WITH_SRTCP)
def test_one_bit_of_an_rtcp_datagram_shows_at_its_frame(name: str, bit: str, tmp_path: Path) -> None:
    packets = frames_that_verify(name, rtcp=True)
    sender, frame = packets[len(packets) // 2]
    spoiled = flip(name, tmp_path, frame, *RTCP_BITS[bit], rtcp=True)
    check_one_failure(name, spoiled, sender, frame, rtcp=True)


@pytest.mark.parametrize("rtcp", [False, True], ids=["RTP", "RTCP"])
@pytest.mark.parametrize("name", WITH_SRTCP)
def test_any_packet_may_be_the_spoiled_one(name: str, rtcp: bool, tmp_path: Path) -> None:
    packets = frames_that_verify(name, rtcp=rtcp)
    where, bit = (RTCP_BITS if rtcp else RTP_BITS)["in the ciphertext"]
    for sender, frame in [*packets[:2], *packets[-2:]]:
        check_one_failure(name, flip(name, tmp_path, frame, where, bit, rtcp=rtcp), sender, frame, rtcp=rtcp)
