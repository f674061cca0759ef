"""Mutations of media under agreed keys: early, injected, failing, re-keyed, moved, and what its headers tell."""

from __future__ import annotations

from tests import build
from tests.mutations.harness import Mutation
from tests.rules.tls.hellos import dtls, use_srtp

ALICE_MEDIA, BOB_MEDIA = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
ALICE_RTCP, BOB_RTCP = ("192.0.2.10", 4001), ("198.51.100.20", 5001)
STRANGER = ("203.0.113.66", 7000)
LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
SUITE = "AES_CM_128_HMAC_SHA1_32"


def _key(seed: str, suite: str = "AES_CM_128_HMAC_SHA1_80") -> build.Srtp:
    return build.Srtp(build.master_key(seed, suite), suite)


def media_call(
    *,
    early_protected: bool = True,
    stranger_port: int = 9,
    spoiled: int = 0,
    first_number: int = 900,
    tag_octets: int = 10,
    reports: int = 5,
    second_tag: str = "spare",
) -> list[build.Packet]:
    """Alice calls Bob, who sends before he answers; speech and RTCP both ways for more than a minute, all protected.

    A stranger sends to a port that nobody announced, and one packet may be spoiled on its way.
    """
    alice, bob = _key("alice", SUITE), _key("bob", SUITE)
    offered = (build.crypto("alice", suite=SUITE), build.crypto(second_tag, tag=2))
    offer = build.sdp(ALICE_MEDIA[0], build.audio(ALICE_MEDIA[1], "RTP/SAVP", *offered))
    answer = build.sdp(BOB_MEDIA[0], build.audio(BOB_MEDIA[1], "RTP/SAVP", build.crypto("bob", suite=SUITE)))
    call = build.call(offer, answer, duration=90.0)
    signalling = [(at + 3.0 if at >= 0.5 else at, frame) for at, frame in call]
    early = build.rtp_stream(
        BOB_MEDIA, ALICE_MEDIA, 0xB, build.speech(150), at=0.3, sequence=first_number,
        srtp=bob if early_protected else None,
    )  # fmt: skip
    later = build.rtp_stream(
        BOB_MEDIA, ALICE_MEDIA, 0xB, build.speech(3_500), at=3.6, sequence=first_number + 150, timestamp=25_000,
        srtp=bob,
    )  # fmt: skip
    speech = build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(200), at=3.6, srtp=alice)
    for number in range(100, 100 + spoiled):
        at, frame = speech[number]
        speech[number] = at, build.udp(ALICE_MEDIA, BOB_MEDIA, frame[42:-1] + bytes((frame[-1] ^ 1,)))
    compounds = [build.sender_report(0xA, packets=number) for number in range(reports)]
    return build.in_time_order(
        signalling, early, later, speech,
        build.rtp_stream(
            STRANGER, (ALICE_MEDIA[0], stranger_port), 0xC, build.speech(300), at=4.0, srtp=_key("stranger")
        ),
        [
            (4.0 + number, build.udp(ALICE_RTCP, BOB_RTCP, alice.protect_rtcp(each, tag_octets=tag_octets)))
            for number, each in enumerate(compounds)
        ],
    )  # fmt: skip


def rekeyed_call(
    *,
    key_after: str = "alice again",
    new_key: str = "alice again",
    new_port: int = 4000,
    restarts_at: int = 600,
) -> list[build.Packet]:
    """Alice gives Bob a new key after 10 s and uses it at once, with the numbers going on; Bob does likewise."""
    talk = build.Dialog()
    script = []
    for at, seed, other, port in ((0.0, "alice", "bob", 4000), (10.0, new_key, "bob again", new_port)):
        offer = build.sdp(ALICE_MEDIA[0], build.audio(port, "RTP/SAVP", build.crypto(seed)), version=int(at) + 1)
        answer = build.sdp(BOB_MEDIA[0], build.audio(5000, "RTP/SAVP", build.crypto(other)), version=int(at) + 1)
        script += [
            (at, talk.request("INVITE", offer, in_dialog=at > 0), True),
            (at + 0.1, talk.response(200, "OK", answer), False),
            (at + 0.2, talk.request("ACK"), True),
        ]
    script.append((40.0, talk.request("BYE", in_dialog=True), True))
    source = (ALICE_MEDIA[0], new_port)
    first = build.speech(500)
    second = [build.pcmu_speech(5_000 + number) for number in range(400)]
    old = _key("alice")
    return build.in_time_order(
        build.carry(talk, script),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, first, at=0.5, sequence=5_000, srtp=old),
        build.rtp_stream(
            source, BOB_MEDIA, 0xA if new_port == ALICE_MEDIA[1] else 0xAA, second, at=10.5,
            sequence=restarts_at + 4_900, timestamp=81_000, srtp=old if key_after == "alice" else _key(key_after),
        ),
    )  # fmt: skip


def restarted_call(*, second: int = 6_000) -> list[build.Packet]:
    """Alice's speech pauses and goes on under her key."""
    offer = build.sdp(ALICE_MEDIA[0], build.audio(4000, "RTP/SAVP", build.crypto("alice")))
    answer = build.sdp(BOB_MEDIA[0], build.audio(5000, "RTP/SAVP", build.crypto("bob")))
    alice = _key("alice")
    again = [build.pcmu_speech(9_000 + number) for number in range(300)]
    return build.in_time_order(
        build.call(offer, answer, duration=60.0),
        build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(1_000), sequence=5_000, srtp=alice),
        build.rtp_stream(
            ALICE_MEDIA, BOB_MEDIA, 0xA, again, at=21.1, sequence=second, timestamp=700_000, srtp=_key("alice")
        ),
    )


def forked_call(*, renewed: bool = True) -> list[build.Packet]:
    """Two devices of Bob ring, one takes the call, and Alice gives it a new key."""
    talk = build.Dialog(to_tag="mobile")
    offer = build.sdp(ALICE_MEDIA[0], build.audio(4000, "RTP/SAVP", build.crypto("alice")))
    anew = build.sdp(ALICE_MEDIA[0], build.audio(4000, "RTP/SAVP", build.crypto("alice again")), version=2)
    answer = build.sdp(BOB_MEDIA[0], build.audio(5000, "RTP/SAVP", build.crypto("bob")))
    office = talk.request("INVITE", offer)
    ringing = talk.response(180, "Ringing", to_tag="office").replace(
        b"<sip:198.51.100.20:5060>", b"<sip:198.51.100.99>"
    )
    script = [
        (0.0, office, True),
        (0.2, ringing, False),
        (0.3, talk.response(180, "Ringing"), False),
        (1.0, talk.response(200, "OK", answer), False),
        (1.1, talk.request("ACK"), True),
    ]
    if renewed:
        script += [
            (2.0, talk.request("INVITE", anew, in_dialog=True), True),
            (2.1, talk.response(200, "OK", answer), False),
            (2.2, talk.request("ACK"), True),
        ]
    script.append((30.0, talk.request("BYE", in_dialog=True), True))
    return build.carry(talk, script)


def handshake_call(*, profile: int = 1) -> list[build.Packet]:
    """Alice and Bob make their keys by a DTLS handshake."""
    fingerprint = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
    bodies = [
        build.sdp(end[0], build.audio(end[1], "UDP/TLS/RTP/SAVPF", fingerprint, f"a=setup:{setup}"))
        for end, setup in ((ALICE_MEDIA, "actpass"), (BOB_MEDIA, "active"))
    ]
    handshake = dtls((BOB_MEDIA, ALICE_MEDIA), client_extensions=use_srtp(1, 5), server_extensions=use_srtp(profile))
    return build.in_time_order(build.call(*bodies), handshake)


def conference_leg(*, extmap: str = f"a=extmap:1 urn:ietf:params:rtp-hdrext:encrypt {LEVEL}") -> list[build.Packet]:
    """Alice's leg to a conference, with the levels of her speech in a header extension that is encrypted."""
    talk = build.Dialog(to_uri="sip:conf@example.org")
    header = ("Contact: <sip:conf1@focus.example.org>;isfocus",)
    offer = build.sdp(ALICE_MEDIA[0], build.audio(4000, "RTP/SAVP", build.crypto("alice"), extmap))
    answer = build.sdp(BOB_MEDIA[0], build.audio(5000, "RTP/SAVP", build.crypto("focus"), extmap))
    script = [
        (0.0, talk.request("INVITE", offer), True),
        (0.2, talk.response(200, "OK", answer, headers=header), False),
        (0.3, talk.request("ACK"), True),
        (30.0, talk.request("BYE", in_dialog=True), True),
    ]
    level = bytes.fromhex("10a50000")
    media = build.rtp_stream(ALICE_MEDIA, BOB_MEDIA, 0xA, build.speech(), srtp=_key("alice"), extension=level)
    return build.in_time_order(build.carry(talk, script), media)


MUTATIONS = (
    Mutation(
        "the callee sends clear media before his answer", media_call, {"early_protected": False},
        frozenset({"IMS-SRTP-014"}), frozenset({"IMS-SRTP-001", "IMS-SRTP-013"}),
    ),
    Mutation(
        "a stranger sends to a signalled port", media_call, {"stranger_port": ALICE_MEDIA[1]},
        frozenset({"IMS-SRTP-015"}), frozenset({"IMS-SRTP-016"}),
    ),
    Mutation("packets are changed on their way", media_call, {"spoiled": 20}, frozenset({"IMS-SRTP-016"})),
    Mutation("one packet is changed on its way", media_call, {"spoiled": 1}, frozenset({"IMS-SRTP-016"})),
    Mutation(
        "a sender goes on with the key that it replaced", rekeyed_call, {"key_after": "alice"},
        frozenset({"IMS-SRTP-017"}),
    ),
    Mutation("no RTCP in more than a minute", media_call, {"reports": 0}, frozenset({"IMS-SRTP-018"})),
    Mutation("SRTCP with the tag of SRTP", media_call, {"tag_octets": 4}, frozenset({"IMS-SRTP-019"})),
    Mutation("a first sequence number above 2^15", media_call, {"first_number": 40_000}, frozenset({"IMS-SRTP-020"})),
    Mutation("a handshake selects a NULL profile", handshake_call, {"profile": 5}, frozenset({"IMS-SRTP-021"})),
    Mutation(
        "audio levels in clear", conference_leg, {"extmap": f"a=extmap:1 {LEVEL}"}, frozenset({"IMS-SRTP-022"}),
    ),
    Mutation(
        "media moves under its old key", rekeyed_call, {"new_port": 4100, "new_key": "alice", "key_after": "alice"},
        frozenset({"IMS-SSRC-008"}),
    ),
    Mutation("numbers begin anew under one key", restarted_call, {"second": 100}, frozenset({"IMS-SSRC-009"})),
    Mutation("two tags with one key", media_call, {"second_tag": "alice"}, frozenset({"IMS-SSRC-012"})),
    Mutation("a forked key is kept", forked_call, {"renewed": False}, frozenset({"IMS-SSRC-013"})),
)  # fmt: skip
