"""Mutations of a call with SDES: what its media must not lack."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation

ALICE_MEDIA, BOB_MEDIA = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
ALICE_RTCP, BOB_RTCP = ("192.0.2.10", 4001), ("198.51.100.20", 5001)


def sdes_call(
    *,
    offered: str = "RTP/SAVP",
    answered: str = "RTP/SAVP",
    answer_seed: str = "bob",
    protected: bool = True,
    rtcp_protected: bool = True,
    rtcp_tag_octets: int = 10,
) -> list[build.Packet]:
    """Alice calls Bob with RTP/SAVP and a key each; speech and RTCP both ways, all of it protected."""
    alice, bob = build.Srtp(build.master_key("alice")), build.Srtp(build.master_key(answer_seed))
    offer = build.sdp(ALICE_MEDIA[0], build.audio(ALICE_MEDIA[1], offered, build.crypto("alice")))
    keys = (build.crypto(answer_seed),) if answered == "RTP/SAVP" else ()
    answer = build.sdp(BOB_MEDIA[0], build.audio(BOB_MEDIA[1], answered, *keys))
    reports = [build.sender_report(0xA, packets=number) for number in range(1, 6)]
    return build.in_time_order(
        build.call(offer, answer),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(), srtp=alice if protected else None),
        build.rtp_stream(BOB_MEDIA, ALICE_MEDIA, 0xB, build.speech(), at=1.005, sequence=900, srtp=bob),
        [
            (
                1.5 + number,
                build.udp(
                    ALICE_RTCP,
                    BOB_RTCP,
                    alice.protect_rtcp(report, tag_octets=rtcp_tag_octets) if rtcp_protected else report,
                ),
            )
            for number, report in enumerate(reports)
        ],
    )


MUTATIONS = (
    Mutation("one side sends plain RTP", sdes_call, {"protected": False}, frozenset({"IMS-SRTP-001"})),
    Mutation("one side sends plain RTCP", sdes_call, {"rtcp_protected": False}, frozenset({"IMS-SRTP-002"})),
    Mutation("SRTCP without a tag", sdes_call, {"rtcp_tag_octets": 0}, frozenset({"IMS-SRTP-003"})),
)
