"""Mutations of calls with SDES: keys and SSRCs that must not come twice."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation

ALICE_MEDIA, BOB_MEDIA = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
SSRC_ALICE, SSRC_BOB = 0xA, 0xB


def two_line_call(
    *,
    offered: tuple[str, str] = ("alice", "alice video"),
    answered: tuple[str, str] = ("bob", "bob video"),
    restarted: bool = False,
    second_source: int = 0xD,
) -> list[build.Packet]:
    """Alice calls Bob with audio and video and a key each; speech both ways, which may begin anew under its key.

    Somebody else sends to Bob, too.
    """
    offer, answer = (
        build.sdp(
            host,
            build.audio(port, "RTP/SAVP", build.crypto(seeds[0])),
            build.media("video", port + 2, "RTP/SAVP", "0", build.crypto(seeds[1])),
        )
        for (host, port), seeds in ((ALICE_MEDIA, offered), (BOB_MEDIA, answered))
    )
    keys = [build.Srtp(build.master_key(seeds[0])) for seeds in (offered, answered)]
    again = [build.pcmu_speech(number + 500) for number in range(60)]
    return build.in_time_order(
        build.call(offer, answer),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, SSRC_ALICE, build.speech(60), srtp=keys[0]),
        build.rtp_stream(BOB_MEDIA, ALICE_MEDIA, SSRC_BOB, build.speech(60), at=1.005, sequence=900, srtp=keys[1]),
        build.rtp_stream(
            ALICE_MEDIA, BOB_MEDIA, SSRC_ALICE if restarted else 0xC, again, at=4.0,
            srtp=build.Srtp(build.master_key(offered[0])),
        ),
        build.rtp_stream(
            ("203.0.113.66", 7000), BOB_MEDIA, second_source, build.speech(400), at=1.01, sequence=20_000,
            timestamp=77_000, srtp=build.Srtp(build.master_key("other")),
        ),
        build.rtp_stream(
            ("203.0.113.66", 7002), BOB_MEDIA, 0xE, build.speech(400), at=1.015, sequence=30_000, timestamp=99_000,
            srtp=build.Srtp(build.master_key("another")),
        ),
    )  # fmt: skip


def two_calls(*, second: str = "alice again") -> list[build.Packet]:
    """Alice calls Bob, and an hour later Carol."""
    talk = build.Dialog(callee=("198.51.100.30", 5060), call_id="second@test", from_tag="x", to_tag="y")
    described = [
        build.sdp(host, build.audio(port, "RTP/SAVP", build.crypto(seed)))
        for (host, port), seed in (
            (ALICE_MEDIA, "alice"), (BOB_MEDIA, "bob"), (ALICE_MEDIA, second), (("198.51.100.30", 6000), "carol"),
        )
    ]  # fmt: skip
    return build.in_time_order(build.call(*described[:2]), build.call(*described[2:], dialog=talk, at=3_600.0))


MUTATIONS = (
    Mutation(
        "audio and video under one key", two_line_call, {"offered": ("alice", "alice")}, frozenset({"IMS-SSRC-004"})
    ),
    Mutation(
        "an answer with the offer's key", two_line_call, {"answered": ("alice", "bob video")},
        frozenset({"IMS-SSRC-007"}),
    ),
    Mutation(
        "a stream that begins anew", two_line_call, {"restarted": True}, frozenset({"IMS-SSRC-003"}),
        frozenset({"IMS-SSRC-009"}),
    ),
    Mutation(
        "two sources with one SSRC", two_line_call, {"second_source": 0xE}, frozenset({"IMS-SSRC-002"}),
    ),
    Mutation("a key that comes again in another call", two_calls, {"second": "alice"}, frozenset({"IMS-SSRC-006"})),
)  # fmt: skip
