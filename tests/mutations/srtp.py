"""Mutations of a call with SDES: what its media must not lack."""

from __future__ import annotations

import base64

from tests import build
from tests.mutations.harness import Mutation

CM_80 = "AES_CM_128_HMAC_SHA1_80"
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
    rtcp_encrypted: bool = True,
    rtcp_repeats: bool = False,
    params: str = "",
    suite: str = CM_80,
    second_key: bool = False,
    alice_key: bytes = b"",
    mki: bytes = b"",
    replayed: bool = False,
) -> list[build.Packet]:
    """Alice calls Bob with RTP/SAVP and a key each; speech and RTCP both ways, all of it protected.

    `params` stand behind both keys; a flag among them is done as agreed.
    """
    flags = {"unencrypted": "UNENCRYPTED_SRTP " in f"{params} ", "unauthenticated": "UNAUTHENTICATED_SRTP" in params}
    alice = build.Srtp(alice_key or build.master_key("alice"), mki=mki, **flags)
    bob = build.Srtp(build.master_key(answer_seed), **flags)
    line = build.crypto("alice", params=params).replace(CM_80, suite)
    if alice_key:
        line = line.replace(_encoded(build.master_key("alice")), _encoded(alice_key))
    if second_key:
        line += f";inline:{_encoded(build.master_key('alice, later'))}"
    offer = build.sdp(ALICE_MEDIA[0], build.audio(ALICE_MEDIA[1], offered, line))
    keys = (build.crypto(answer_seed, params=params).replace(CM_80, suite),) if answered == "RTP/SAVP" else ()
    answer = build.sdp(BOB_MEDIA[0], build.audio(BOB_MEDIA[1], answered, *keys))
    reports = [build.sender_report(0xA, packets=number) for number in range(1, 6)]
    speech = build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(), srtp=alice if protected else None)
    datagrams = []
    for number, report in enumerate(reports):
        if rtcp_repeats and number == 3:
            alice.srtcp_index -= 1
        sealed = alice.protect_rtcp(report, tag_octets=rtcp_tag_octets, encrypted=rtcp_encrypted)
        datagrams.append((1.5 + number, build.udp(ALICE_RTCP, BOB_RTCP, sealed if rtcp_protected else report)))
    return build.in_time_order(
        build.call(offer, answer),
        speech,
        [(at + 4.0, data) for at, data in speech[:20]] if replayed else [],
        build.rtp_stream(BOB_MEDIA, ALICE_MEDIA, 0xB, build.speech(), at=1.005, sequence=900, srtp=bob),
        datagrams,
    )


def _encoded(key_salt: bytes) -> str:
    return base64.b64encode(key_salt).decode()


def keypad_call(*, digits_protected: bool = True) -> list[build.Packet]:
    """Alice speaks and presses a key, under one SRTP context."""
    event = "a=rtpmap:101 telephone-event/8000"
    alice = build.Srtp(build.master_key("alice"))
    offer = build.sdp(
        ALICE_MEDIA[0], build.audio(ALICE_MEDIA[1], "RTP/SAVP", build.crypto("alice"), event, formats="0 101")
    )
    answer = build.sdp(BOB_MEDIA[0], build.audio(BOB_MEDIA[1], "RTP/SAVP", build.crypto("bob"), event, formats="0 101"))
    events = [build.telephone_event(5, 160 * number) for number in range(1, 13)]
    return build.in_time_order(
        build.call(offer, answer),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(200), srtp=alice),
        build.rtp_stream(
            ALICE_MEDIA, BOB_MEDIA, 0xA, events, at=5.2, payload_type=101, sequence=300, timestamp=33_000, clock_step=0,
            srtp=alice if digits_protected else None,
        ),
    )  # fmt: skip


MUTATIONS = (
    Mutation("one side sends plain RTP", sdes_call, {"protected": False}, frozenset({"IMS-SRTP-001"})),
    Mutation("one side sends plain RTCP", sdes_call, {"rtcp_protected": False}, frozenset({"IMS-SRTP-002"})),
    Mutation("SRTCP without a tag", sdes_call, {"rtcp_tag_octets": 0}, frozenset({"IMS-SRTP-003"})),
    Mutation("SRTCP without encryption", sdes_call, {"rtcp_encrypted": False}, frozenset({"IMS-SRTP-004"})),
    Mutation(
        "SRTCP agreed without encryption", sdes_call, {"params": " UNENCRYPTED_SRTCP", "rtcp_encrypted": False},
        frozenset({"IMS-SRTP-004"}),
    ),
    Mutation("SRTP agreed without encryption", sdes_call, {"params": " UNENCRYPTED_SRTP"}, frozenset({"IMS-SRTP-005"})),
    Mutation("SRTP agreed without a tag", sdes_call, {"params": " UNAUTHENTICATED_SRTP"}, frozenset({"IMS-SRTP-006"})),
    Mutation("a suite of a vendor's own", sdes_call, {"suite": "MS_AES_128_SHA1_80"}, frozenset({"IMS-SRTP-007"})),
    Mutation("a key that counts up", sdes_call, {"alice_key": bytes(range(30))}, frozenset({"IMS-SRTP-008"})),
    Mutation("two keys without an MKI", sdes_call, {"second_key": True}, frozenset({"IMS-SRTP-009"})),
    Mutation("an MKI that nobody signalled", sdes_call, {"mki": b"\0\0\0\1"}, frozenset({"IMS-SRTP-009"})),
    Mutation("more packets than the lifetime", sdes_call, {"params": "|2^6"}, frozenset({"IMS-SRTP-010"})),
    Mutation("packets sent again after 4 seconds", sdes_call, {"replayed": True}, frozenset({"IMS-SRTP-011"})),
    Mutation(
        "an SRTCP index with two contents", sdes_call, {"rtcp_repeats": True}, frozenset({"IMS-SRTP-012"}),
        follows=frozenset({"IMS-SSRC-003"}),  # rules.md 19.1.3
    ),
    Mutation(
        "digits in clear beside protected speech", keypad_call, {"digits_protected": False},
        frozenset({"IMS-SRTP-013"}), follows=frozenset({"IMS-SRTP-001"}),
    ),
)  # fmt: skip
