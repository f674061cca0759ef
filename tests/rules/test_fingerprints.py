"""Fingerprints of recorded calls: other addresses, ports, Call-IDs, tags, branches and times do not change them;
another line, direction, role or suite does."""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.raw_frames import raw_frames
from imsinspect.pipeline import audit
from tests import build

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

HERE = Path(__file__).resolve().parents[2]
RECORDED = (
    *(f"samples/{name}" for name in (
        "plain-rtcp-on-sdes-call.pcapng", "plain-rtp-on-savp.pcapng", "downgraded-answer.pcapng",
        "null-offered-aes-chosen.pcapng", "ssrc-collision.pcapng", "srtcp-without-tag.pcapng",
        "rebound-source-port.pcapng", "plain-rtcp-on-dtls-call.pcapng", "null-cipher-msrp.pcapng",
    )),
    *(f"tests/recordings/{name}.pcapng" for name in (
        "baresip-sdes-cm-32", "baresip-sdes-mid-call", "baresip-sdes-mux", "linphone-sdes-unencrypted",
        "linphone-sdes-unauthenticated-32", "linphone-sdes-256-cm-32",
    )),
)  # fmt: skip
SIP = re.compile(rb"\A(?:[A-Z]+ sips?:\S+ SIP/2\.0|SIP/2\.0 \d{3})")
NAMES = re.compile(rb"(?<=\nCall-ID: )[^\r\n]+|(?<=;tag=)[^;\s]+|(?<=branch=z9hG4bK)[^;\s]+", re.IGNORECASE)
ADDRESS = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
PORTS = re.compile(rb"(?<=\nm=audio )\d{5}|(?<=\nm=message )\d{5}|(?<=\na=rtcp:)\d{5}")
LETTERS = bytes.maketrans(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    b"bcdefghijklmnopqrstuvwxyzaBCDEFGHIJKLMNOPQRSTUVWXYZA1234567890",
)


class _Elsewhere:
    """Rewrites frames of IPv4 over Ethernet, every length kept."""

    def __init__(self, frames: list[bytes]) -> None:
        self.ports = {int(each) for frame in frames for each in PORTS.findall(frame)}
        self.ports |= {port + 1 for port in self.ports}

    def port(self, number: int) -> int:
        return number - 1_000 if number in self.ports and number >= 11_000 else number

    @staticmethod
    def address(octets: bytes) -> bytes:
        """Another address that is as long when written: an odd digit of the second octet becomes another one."""
        first, second, *rest = octets
        return bytes((first, second ^ 1 if 2 <= second < 8 or 20 <= second < 98 else second, *rest))

    def frame(self, frame: bytes) -> bytes:
        if frame[12:14] != b"\x08\0" or frame[23] not in (6, 17):
            return frame
        out = bytearray(frame)
        behind = 14 + (frame[14] & 15) * 4
        for at in (26, 30):
            out[at : at + 4] = self.address(frame[at : at + 4])
        out[24:26] = bytes(2)
        out[24:26] = struct.pack("!H", build.checksum(bytes(out[14:behind])))
        for at in (behind, behind + 2):
            struct.pack_into("!H", out, at, self.port(struct.unpack_from("!H", frame, at)[0]))
        if frame[23] == 17:
            out[behind + 6 : behind + 8] = bytes(2)
            out[behind + 8 :] = self.text(frame[behind + 8 :])
        return bytes(out)

    def text(self, payload: bytes) -> bytes:
        if not SIP.match(payload):
            return payload
        said = NAMES.sub(lambda found: found[0].translate(LETTERS), payload)
        said = ADDRESS.sub(lambda found: b".".join(
            str(each).encode() for each in self.address(bytes(min(int(one), 255) for one in found[0].split(b".")))
        ), said)  # fmt: skip
        return PORTS.sub(lambda found: str(self.port(int(found[0]))).encode(), said)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_call_has_the_same_fingerprints_with_other_names_and_places(name: str, tmp_path: Path) -> None:
    frames = [frame for _, frame in sorted(raw_frames(str(HERE / name), range(1, 5_000)).items())]
    elsewhere = _Elsewhere([frame.octets for frame in frames])
    first = frames[0].time
    for file, rewrite in (("here.pcap", lambda octets: octets), ("there.pcap", elsewhere.frame)):
        late = 86_400.0 * 30 if file == "there.pcap" else 0.0
        packets = [((frame.time - first) / 1e9 + late, rewrite(frame.octets)) for frame in frames]
        (tmp_path / file).write_bytes(build.pcap(packets))
    here, there = audit([str(tmp_path / "here.pcap")]), audit([str(tmp_path / "there.pcap")])
    assert {call.call_id for call in here.trace.calls}.isdisjoint(call.call_id for call in there.trace.calls)
    assert _names(here) == _names(there)
    assert here.findings


def _names(result: Audit) -> Counter[str]:
    return Counter(each.fingerprint for each in result.findings)


def _two_lines(*clear: tuple[bool, int], suite: str = "AES_CM_128_HMAC_SHA1_80", octets: int = 160) -> set[str]:
    """A call with two secure lines on which some senders (the caller or not, the line) send in clear; what is found."""
    ends = {True: "192.0.2.10", False: "198.51.100.20"}
    ports = {True: (4000, 4002), False: (5000, 5002)}
    bodies = {
        caller: build.sdp(ends[caller], *(
            build.audio(ports[caller][line], "RTP/SAVP", build.crypto(f"{caller} {line}", suite=suite))
            for line in (0, 1)
        ))
        for caller in (True, False)
    }  # fmt: skip
    streams = [
        build.rtp_stream(
            (ends[caller], ports[caller][line]), (ends[not caller], ports[not caller][line]), 0xA0 + 2 * line + caller,
            build.speech(octets=octets), at=1.0 + 0.003 * line + 0.006 * caller,
            srtp=None if (caller, line) in clear else build.Srtp(build.master_key(f"{caller} {line}", suite), suite),
        )
        for caller in (True, False)
        for line in (0, 1)
    ]  # fmt: skip
    packets = build.in_time_order(build.call(bodies[True], bodies[False]), *streams)
    rules = ("IMS-SRTP-001", "IMS-SRTP-007")
    return {each.fingerprint for each in build.audit_bytes(build.pcap(packets)).findings if each.rule in rules}


def test_what_was_said_is_not_what_was_wrong() -> None:
    """Lengths of payloads follow from the content of a call, and from how it is packed."""
    assert len(_two_lines((True, 0))) == 1
    assert _two_lines((True, 0)) == _two_lines((True, 0), octets=80) == _two_lines((True, 0), octets=240)


def test_another_line_direction_or_suite_is_another_fault() -> None:
    assert _two_lines() == set()
    faults = [_two_lines((caller, line)) for caller in (True, False) for line in (0, 1)]
    faults.append(_two_lines(suite="AES_CM_128_HMAC_SHA1_32"))
    faults.append(_two_lines(suite="AES_256_CM_HMAC_SHA1_32"))
    assert [len(each) for each in faults] == [1, 1, 1, 1, 2, 2]
    assert len(set().union(*faults)) == 8


def test_keys_and_fingerprints_of_one_more_line_are_another_fault() -> None:
    """One finding speaks of all lines of a message: that the keys of video are readable, too, is worse than it was."""

    def found(*sections: str) -> set[str]:
        body = build.sdp("192.0.2.10", *sections)
        kinds = build.audit_bytes(build.pcap(build.call(body))).findings
        return {each.fingerprint for each in kinds if each.rule in ("IMS-SIG-001", "IMS-SIG-002")}

    audio = build.audio(4000, "RTP/SAVP", build.crypto("a"))
    video = build.media("video", 4002, "RTP/SAVP", "34", build.crypto("v"))
    mark = f"a=fingerprint:SHA-256 {':'.join(['AB'] * 32)}"
    chats = [build.media("message", 5000 + number, "TCP/TLS/MSRP", "*", mark) for number in range(2)]
    found_in = [found(audio), found(audio, video), found(chats[0]), found(*chats)]
    assert [len(each) for each in found_in] == [1, 1, 1, 1]
    assert len(set().union(*found_in)) == 4
