"""What the rule tests share: a secure call with media, its parts replaceable, and the outcomes of one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imsinspect.rules.evaluate import Evaluation
    from imsinspect.rules.outcome import Finding

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
A_RTCP, B_RTCP = ("192.0.2.10", 4001), ("198.51.100.20", 5001)
SSRC_A, SSRC_B = 0x0A0A0A0A, 0x0B0B0B0B


class Told:
    """The outcomes of one rule over captures."""

    def __init__(self, rule: str, evaluation: Evaluation) -> None:
        self.findings: list[Finding] = [each for each in evaluation.findings if each.rule == rule]
        self.rows = [
            (row.outcome, row.gap, row.subjects) for row in evaluation.assessments if row.rule == rule
        ]  # fmt: skip

    @property
    def finding(self) -> Finding:
        """The only finding."""
        (only,) = self.findings
        return only

    def frames(self) -> list[int]:
        """Frames of the only finding's evidence."""
        return [each.frame for each in self.finding.evidence]


@pytest.fixture
def told() -> Callable[..., Told]:
    """From packets of one capture (or several lists of packets) to what a rule says of them."""

    def ask(rule: str, *captures: Sequence[build.Packet], link_type: int = build.ETHERNET, **scene: str) -> Told:
        data = [build.pcap(packets, link_type=link_type) for packets in captures]
        audit = build.audit_bytes(*data)
        assert not [note for note in audit.notes if "failed" in note.text]
        return Told(rule, evaluate(audit.trace, Scene(**scene), [BY_ID[rule]]))

    return ask


def offer(proto: str = "RTP/SAVP", *attributes: str, port: int = A[1], formats: str = "0") -> bytes:
    """A's description of one audio line; with SAVP it carries key "a" unless attributes are given."""
    lines = attributes or ((build.crypto("a"),) if proto == "RTP/SAVP" else ())
    return build.sdp(A[0], build.audio(port, proto, *lines, formats=formats))


def answer(proto: str = "RTP/SAVP", *attributes: str, port: int = B[1], formats: str = "0") -> bytes:
    """B's description of one audio line, with key "b"."""
    lines = attributes or ((build.crypto("b"),) if proto == "RTP/SAVP" else ())
    return build.sdp(B[0], build.audio(port, proto, *lines, formats=formats))


def speech_both_ways(
    a: build.Srtp | None, b: build.Srtp | None, *, packets: int = 100, at: float = 1.0
) -> list[build.Packet]:
    """Speech from A to B and from B to A, each protected if a context is given."""
    return build.in_time_order(
        build.rtp_stream(A, B, SSRC_A, build.speech(packets), at=at, srtp=a),
        build.rtp_stream(B, A, SSRC_B, build.speech(packets), at=at + 0.005, srtp=b),
    )


def rtcp(compounds: Sequence[bytes], *, at: float = 1.5, every: float = 1.0, from_a: bool = True) -> list[build.Packet]:
    """RTCP datagrams on the ports beside the media."""
    ends = (A_RTCP, B_RTCP) if from_a else (B_RTCP, A_RTCP)
    return [(at + number * every, build.udp(*ends, data)) for number, data in enumerate(compounds)]


def context(seed: str = "a", suite: str = "AES_CM_128_HMAC_SHA1_80", **more: object) -> build.Srtp:
    """An SRTP context with the key of a seed."""
    return build.Srtp(build.master_key(seed, suite), suite, **more)  # type: ignore[arg-type]
