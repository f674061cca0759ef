"""Mutations of calls with SDES: keys and SSRCs that must not come twice."""

from __future__ import annotations

from tests import build, mikey
from tests.conference_kit import ALICE, BOB, FOCUS_MEDIA, answer_of, dial_in, offer_of
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


def conference(
    *,
    focus_keys: tuple[str, str] = ("focus to alice", "focus to bob"),
    own_keys: tuple[str, str] = ("alice", "bob"),
    ssrcs: tuple[int, int] = (SSRC_ALICE, SSRC_BOB),
    alike: bool = False,
) -> list[build.Packet]:
    """Alice and Bob speak in a conference whose mixer sends with one SSRC to both, with a key for each."""
    packets = []
    for at, user in enumerate((ALICE, BOB)):
        offer, answer = offer_of(user, key=own_keys[at]), answer_of(user, key=focus_keys[at])
        ends = (user.address[0], 4000), (FOCUS_MEDIA, 20_000 + 10 * int(user.address[0].rpartition(".")[2]))
        heard = [build.pcmu_speech(number + (0 if alike else 500 * at)) for number in range(60)]
        packets += dial_in(user, at=2 * at, offer=offer, answer=answer)
        packets += build.rtp_stream(
            *ends,
            ssrcs[at],
            build.speech(60),
            at=10 + at / 100,
            sequence=500 + 9_000 * at,
            srtp=build.Srtp(build.master_key(own_keys[at])),
        )
        packets += build.rtp_stream(
            ends[1],
            ends[0],
            0x9999,
            heard,
            at=10 + at / 100,
            sequence=100 if alike else 100 + 9_000 * at,
            srtp=build.Srtp(build.master_key("group" if alike else focus_keys[at])),
        )
    return build.in_time_order(packets)  # fmt: skip


def ticket_call(*, ssrc: int = 0x2222) -> list[build.Packet]:
    """Alice calls Bob with a ticket; both send with the SSRCs of their crypto sessions."""
    sessions = [mikey.srtp_session(1, ssrc=0x1111), mikey.srtp_session(2, ssrc=0x2222)]
    return build.in_time_order(
        mikey.call(mikey.init(sessions=sessions), mikey.resp(sessions=sessions)),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0x1111, build.speech(60), srtp=build.Srtp(build.master_key("a"))),
        build.rtp_stream(BOB_MEDIA, ALICE_MEDIA, ssrc, build.speech(60), srtp=build.Srtp(build.master_key("b"))),
    )


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
    Mutation(
        "a focus with one key for two participants", conference, {"focus_keys": ("group", "group")},
        frozenset({"IMS-SSRC-005"}),
    ),
    Mutation(
        "two participants with one key and one SSRC", conference, {"own_keys": ("group", "group"), "ssrcs": (7, 7)},
        frozenset({"IMS-SSRC-001", "IMS-SSRC-005"}),
    ),
    Mutation(
        "the same packets to two participants", conference, {"alike": True}, frozenset({"IMS-SSRC-010"}),
        frozenset({"IMS-SSRC-005", "IMS-SRTP-016"}),
    ),
    Mutation("an SSRC that no crypto session lists", ticket_call, {"ssrc": 0x3333}, frozenset({"IMS-SSRC-011"})),
    Mutation("a key that comes again in another call", two_calls, {"second": "alice"}, frozenset({"IMS-SSRC-006"})),
)  # fmt: skip
