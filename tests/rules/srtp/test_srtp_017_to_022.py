"""IMS-SRTP-017 to -022, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.policy import SECOND, Policy, Thresholds
from imsinspect.profiles import ProfileChoice
from imsinspect.rules.outcome import Severity
from imsinspect.trace.header_extensions import elements
from tests import build, mikey
from tests.rules.conftest import (
    SSRC_A,
    SSRC_B,
    A,
    B,
    answer,
    context,
    offer,
    rtcp,
)
from tests.rules.tls.hellos import dtls, supported_versions, use_srtp

SRTP_017, SRTP_018, SRTP_019 = "IMS-SRTP-017", "IMS-SRTP-018", "IMS-SRTP-019"
SRTP_020, SRTP_021, SRTP_022 = "IMS-SRTP-020", "IMS-SRTP-021", "IMS-SRTP-022"
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
OTHER_MIKEY = "a=key-mgmt:mikey AQAFgM0XflEBAAAAAAAAAAAAAAsAyONQ6g=="


def secure_call(*more: list[build.Packet], duration: float | None = 30.0, **bodies: bytes) -> list[build.Packet]:
    """A call agreed as SAVP with both keys, and what else was captured."""
    return build.in_time_order(
        build.call(bodies.get("offer", offer()), bodies.get("answer", answer()), duration=duration), *more
    )


# --- IMS-SRTP-017 ---------------------------------------------------------------------------------


def with_mki(seed: str, mki: int) -> str:
    return build.crypto(seed, params=f"|{mki}:4")


def rekeyed(
    *media: list[build.Packet],
    first: tuple[str, str] = ("a", "b"),
    second: tuple[str, str] = ("new a", "new b"),
    lines: tuple[str, ...] | None = None,
) -> list[build.Packet]:
    """A call whose re-INVITE at 10 s, answered at 10.1 s, brings other keys; frames 1 to 8 are its signalling."""
    keys = lines or tuple(build.crypto(seed) for seed in (*first, *second))
    dialog = build.Dialog()
    script = []
    for at, one, other in ((0.0, keys[0], keys[1]), (10.0, keys[2], keys[3])):
        script += [
            (at, dialog.request("INVITE", offer("RTP/SAVP", one), in_dialog=at > 0), True),
            (at + 0.1, dialog.response(200, "OK", answer("RTP/SAVP", other)), False),
            (at + 0.2, dialog.request("ACK"), True),
        ]
    script.append((40.0, dialog.request("BYE", in_dialog=True), True))
    return build.in_time_order(build.carry(dialog, script), *media)


def from_a(seed: str, first: int, last: int, *, mki: bytes = b"") -> list[build.Packet]:
    """A's speech from one second to another, numbers going on from the call's beginning."""
    return build.rtp_stream(
        A, B, SSRC_A, build.speech(50 * (last - first)), at=first, sequence=50 * first, timestamp=8_000 * first,
        srtp=context(seed, mki=mki),
    )  # fmt: skip


def test_the_old_mki_ten_seconds_after_the_new_one_was_agreed(told) -> None:
    """The catalogue's trigger."""
    lines = (with_mki("a", 1), with_mki("b", 1), with_mki("new a", 2), with_mki("new b", 2))
    one, two = bytes.fromhex("00000001"), bytes.fromhex("00000002")
    media = [from_a("a", 1, 10, mki=one), from_a("new a", 10, 20, mki=two), from_a("a", 20, 22, mki=one)]
    result = told(SRTP_017, rekeyed(*media, lines=lines))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert finding.subject.id == "call-1/0"
    assert "100 packets of SRTP on audio line 0 of call-1, offerer to answerer" in finding.message
    assert "more than 5 s after" in finding.message
    assert len(finding.evidence) == 4
    assert result.rows == [("violation", "", 1), ("not-assessed", "N-MED", 1)]


def test_the_old_key_for_300_ms(told) -> None:
    """The catalogue's near miss."""
    old = build.rtp_stream(
        A, B, SSRC_A, build.speech(470), at=1.0, sequence=50, timestamp=8_000, srtp=context("a")
    )  # to 10.4 s
    new = build.rtp_stream(
        A, B, SSRC_A, build.speech(200), at=10.4, sequence=520, timestamp=83_200, srtp=context("new a")
    )
    assert told(SRTP_017, rekeyed(old, new)).rows == [("pass", "", 1), ("not-assessed", "N-MED", 1)]


def test_a_side_that_kept_its_key_need_not_change_it(told) -> None:
    """Direction: the answerer sends no new key."""
    media = build.rtp_stream(B, A, SSRC_B, build.speech(1_000), at=1.0, srtp=context("b"))
    packets = rekeyed(media, from_a("a", 1, 10), from_a("new a", 10, 20), second=("new a", "b"))
    assert told(SRTP_017, packets).rows == [("pass", "", 1)]


def test_the_grace_time_of_the_policy(told) -> None:
    media = [from_a("a", 1, 18), from_a("new a", 18, 22)]  # to 7.9 s after the answer
    assert len(told(SRTP_017, rekeyed(*media)).findings) == 1
    for seconds, found in ((9, 0), (6, 1), (3, 1)):
        policy = Policy(thresholds=Thresholds(srtp_rekey_grace=seconds * SECOND))
        assert len(told(SRTP_017, rekeyed(*media), policy=policy).findings) == found


def test_srtcp_under_the_old_key(told) -> None:
    sender = context("a")
    sealed = [sender.protect_rtcp(build.sender_report(SSRC_A)) for _ in range(20)]
    finding = told(SRTP_017, rekeyed(rtcp(sealed))).finding  # 1.5 s to 20.5 s
    assert "packets of SRTCP" in finding.message


def test_a_rekey_whose_keys_cannot_be_read(told) -> None:
    lines = (MIKEY, MIKEY, OTHER_MIKEY, OTHER_MIKEY)
    assert told(SRTP_017, rekeyed(from_a("a", 1, 20), lines=lines)).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_017, rekeyed(from_a("a", 1, 20), lines=(MIKEY,) * 4)).rows == []


def by_spi(number: int) -> str:
    """The a=key-mgmt line of an exchange whose crypto sessions have this SPI, which is the MKI of packets."""
    spi = number.to_bytes(4, "big")
    sessions = [mikey.srtp_session(each, ssrc=each, spi=spi) for each in (1, 2)]
    plain = {"rand": None, "initiator": None, "responder": None, "auth": None}
    return mikey.Message(
        data_type=0, csb_id=number, sessions=sessions, policies=(mikey.policy({0: 1}),), kemac=mikey.kemac(), **plain
    ).attribute()


def test_spis_of_mikey_tell_keys_apart_that_cannot_be_read(told) -> None:
    lines = (by_spi(1), by_spi(1), by_spi(2), by_spi(2))
    one, two = bytes.fromhex("00000001"), bytes.fromhex("00000002")
    late = [from_a("a", 1, 11, mki=one), from_a("a", 11, 30, mki=one)]
    finding = told(SRTP_017, rekeyed(*late, lines=lines)).finding
    assert (finding.verdict, finding.confidence) == ("violation", "strong")
    assert "carry as MKI the SPI 0x00000001" in finding.message
    in_time = [from_a("a", 1, 11, mki=one), from_a("new", 11, 30, mki=two)]
    assert told(SRTP_017, rekeyed(*in_time, lines=lines)).rows == [("pass", "", 1)]
    without = [from_a("a", 1, 11), from_a("new", 11, 30)]
    assert told(SRTP_017, rekeyed(*without, lines=lines)).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_017, rekeyed(from_a("a", 1, 11, mki=one), lines=lines)).rows == [("not-assessed", "N-MED", 1)]


def test_media_behind_the_rekey_that_no_key_verifies(told) -> None:
    rows = told(SRTP_017, rekeyed(from_a("whose", 11, 20))).rows
    assert sorted(rows) == [("not-assessed", "N-KEY", 1), ("not-assessed", "N-MED", 1)]


def test_a_refresh_of_the_session_is_no_rekey(told) -> None:
    packets = rekeyed(from_a("a", 1, 30), second=("a", "b"))
    assert told(SRTP_017, packets).rows == []


# --- IMS-SRTP-018 ---------------------------------------------------------------------------------


def five_minutes(**how: object) -> list[build.Packet]:
    """Protected speech from A to B, two packets a second to keep the test short."""
    return build.rtp_stream(
        A,
        B,
        SSRC_A,
        build.speech(600),
        at=1.0,
        interval=0.5,
        srtp=context("a"),
        **how,  # type: ignore[arg-type]
    )


def test_five_minutes_of_srtp_without_rtcp(told) -> None:
    """The catalogue's trigger."""
    result = told(SRTP_018, secure_call(five_minutes(), duration=400.0))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.subject.id) == (Severity.INFO, "violation", "call-1/0")
    assert "no RTCP in either direction" in finding.message
    assert "IMS-SRTP-002 and IMS-SRTP-003 are not assessed" in finding.message
    assert finding.evidence[-1].observed == "last SRTP packet"
    assert result.rows == [("violation", "", 1)]


def test_bandwidth_of_rtcp_of_zero(told) -> None:
    """The catalogue's near miss, for the line or for the session."""
    bodies = [
        {"offer": build.sdp(A[0], build.audio(A[1], "RTP/SAVP", "b=RS:0", "b=RR:0", build.crypto("a")))},
        {"answer": build.sdp(B[0], build.audio(B[1], "RTP/SAVP", build.crypto("b")), session=("b=RS:0", "b=RR:0"))},
    ]
    for each in bodies:
        assert told(SRTP_018, secure_call(five_minutes(), duration=400.0, **each)).rows == []
    one = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", "b=RS:0", "b=RR:2000", build.crypto("a")))
    assert told(SRTP_018, secure_call(five_minutes(), duration=400.0, offer=one)).rows == [("violation", "", 1)]


def test_one_report_passes_and_less_than_a_minute_is_no_object(told) -> None:
    report = rtcp([context("a").protect_rtcp(build.sender_report(SSRC_A))])
    assert told(SRTP_018, secure_call(five_minutes(), report, duration=400.0)).rows == [("pass", "", 1)]
    short = build.rtp_stream(A, B, SSRC_A, build.speech(100), interval=0.5, srtp=context("a"))
    assert told(SRTP_018, secure_call(short, duration=400.0)).rows == []


def test_rtcp_of_a_bundle_is_tied_to_one_of_its_lines(told) -> None:
    """T-MUX: reports of the first line on the port of both."""
    offered, answered = (
        build.sdp(
            end[0],
            build.audio(end[1], "RTP/SAVP", build.crypto(f"{seed} 1"), "a=mid:0", "a=rtcp-mux", "a=ssrc:1 cname:x"),
            build.audio(end[1], "RTP/SAVP", build.crypto(f"{seed} 2"), "a=mid:1", "a=rtcp-mux", "a=ssrc:2 cname:x"),
            session=("a=group:BUNDLE 0 1",),
        )
        for end, seed in ((A, "a"), (B, "b"))
    )
    media = [
        build.rtp_stream(A, B, number, build.speech(200), at=1.0, interval=0.5, srtp=context(f"a {number}"))
        for number in (1, 2)
    ]
    bodies = {"offer": offered, "answer": answered}
    assert told(SRTP_018, secure_call(*media, duration=200.0, **bodies)).rows == [("violation", "", 2)]
    sender = context("a 1")
    report = [(5.0 + n, build.udp(A, B, sender.protect_rtcp(build.sender_report(1)))) for n in range(3)]
    assert told(SRTP_018, secure_call(*media, report, duration=200.0, **bodies)).rows == [("pass", "", 2)]


# --- IMS-SRTP-019 ---------------------------------------------------------------------------------

SHORT_SUITE = "AES_CM_128_HMAC_SHA1_32"
BOTH_SHORT = {
    "offer": offer("RTP/SAVP", build.crypto("a", suite=SHORT_SUITE)),
    "answer": answer("RTP/SAVP", build.crypto("b", suite=SHORT_SUITE)),
}
RR = build.receiver_report(SSRC_A, SSRC_B)


def reports(octets: int, count: int = 5, **how: object) -> list[build.Packet]:
    sender = context("a", SHORT_SUITE)
    return rtcp([sender.protect_rtcp(RR, tag_octets=octets, **how) for _ in range(count)])  # type: ignore[arg-type]


def test_a_receiver_report_of_32_octets_in_40(told) -> None:
    """The catalogue's trigger; the keys of SDES are at hand."""
    packets = reports(4)
    assert (len(RR), len(packets[0][1]) - 42) == (32, 40)
    result = told(SRTP_019, secure_call(packets, **BOTH_SHORT))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert finding.evidence[2].observed == "tag of 32 bits"
    assert "where AES_CM_128_HMAC_SHA1_32 prescribes 80" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_receiver_report_of_32_octets_in_46(told) -> None:
    """The catalogue's near miss."""
    packets = reports(10)
    assert len(packets[0][1]) - 42 == 46
    assert told(SRTP_019, secure_call(packets, **BOTH_SHORT)).rows == [("pass", "", 1)]


def dtls_call(*media: list[build.Packet], profile: int = 2, **how: object) -> list[build.Packet]:
    """A call whose keys a handshake makes, which gives none to who only captures."""
    fingerprint = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
    bodies = [
        build.sdp(end[0], build.audio(end[1], "UDP/TLS/RTP/SAVPF", fingerprint, f"a=setup:{setup}"))
        for end, setup in ((A, "actpass"), (B, "active"))
    ]
    how = {"client_extensions": use_srtp(1, 2, profile), "server_extensions": use_srtp(profile)} | how
    handshake = dtls((B, A), **how)  # type: ignore[arg-type]
    return build.in_time_order(build.call(*bodies), handshake, *media)


@pytest.mark.parametrize("encrypted", [True, False])
def test_without_keys_index_words_tell_the_tag(told, encrypted: bool) -> None:
    finding = told(SRTP_019, dtls_call(reports(4, encrypted=encrypted))).finding
    assert (finding.verdict, finding.confidence) == ("violation", "strong")
    assert "SRTP_AES128_CM_HMAC_SHA1_32" in finding.message
    assert told(SRTP_019, dtls_call(reports(10, encrypted=encrypted))).rows == [("pass", "", 1)]


def test_an_mki_without_a_tag_is_no_short_tag(told) -> None:
    """MKI present: IMS-SRTP-003 says that the tag is missing."""
    sender = context("a", SHORT_SUITE, mki=b"\0\0\0\1")
    packets = rtcp([sender.protect_rtcp(RR, tag_octets=0) for _ in range(5)])
    assert told(SRTP_019, dtls_call(packets)).rows == []
    assert told(SRTP_019, secure_call(reports(0), **BOTH_SHORT)).rows == []


def test_one_packet_without_keys_an_unknown_suite_and_no_rtcp(told) -> None:
    assert told(SRTP_019, dtls_call(reports(4, 1))).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_019, dtls_call(reports(4), server_extensions=b"")).rows == [("not-assessed", "N-KEY", 1)]
    assert told(SRTP_019, secure_call(**BOTH_SHORT)).rows == [("not-assessed", "N-MED", 1)]


def by_mikey(*parameters: dict[int, int], media: list[build.Packet]) -> list[build.Packet]:
    """A call keyed by MIKEY that nobody can open, with these policies."""
    plain = {"rand": None, "initiator": None, "responder": None, "auth": None}
    offered = tuple(mikey.policy(each, number) for number, each in enumerate(parameters))
    messages = (
        mikey.Message(data_type=0, policies=offered, kemac=mikey.kemac(), **plain),
        mikey.Message(data_type=1, **plain),
    )
    return build.in_time_order(mikey.call(*messages), media)


def test_the_policies_of_mikey_tell_the_tag(told) -> None:
    """Without any the defaults hold (RFC 3830 §6.10.1); two that differ tell nothing."""
    finding = told(SRTP_019, by_mikey(media=reports(4))).finding
    assert (finding.verdict, finding.confidence) == ("violation", "strong")
    assert "where AES_CM_128_HMAC_SHA1_80 prescribes 80" in finding.message
    assert told(SRTP_019, by_mikey(media=reports(10))).rows == [("pass", "", 1)]
    assert told(SRTP_019, by_mikey({0: 1}, {0: 6, 1: 16}, media=reports(4))).rows == [("not-assessed", "N-KEY", 1)]


def test_authenticated_encryption_has_other_tags(told) -> None:
    sender = context("a", "AEAD_AES_128_GCM")
    packets = rtcp([sender.protect_rtcp(RR) for _ in range(5)])
    assert told(SRTP_019, dtls_call(packets, profile=7)).rows == [("pass", "", 1)]


# --- IMS-SRTP-020 ---------------------------------------------------------------------------------


def test_a_stream_that_begins_with_60000(told) -> None:
    """The catalogue's trigger."""
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), sequence=60_000, srtp=context("a"))
    result = told(SRTP_020, secure_call(media))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.INFO, "violation", "proven")
    assert "begins with sequence number 60000 in frame 6" in finding.message
    assert result.frames() == [1, 4, 6]
    assert result.rows == [("violation", "", 1)]


def test_a_stream_that_begins_with_1200_or_32767(told) -> None:
    """The catalogue's near miss."""
    for number in (1_200, 32_767):
        media = build.rtp_stream(A, B, SSRC_A, build.speech(100), sequence=number, srtp=context("a"))
        assert told(SRTP_020, secure_call(media)).rows == [("pass", "", 1)]


def test_lines_keyed_by_mikey_and_by_handshakes_are_no_object(told) -> None:
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), sequence=60_000, srtp=context("a"))
    bodies = {"offer": offer("RTP/SAVP", MIKEY), "answer": answer("RTP/SAVP", MIKEY)}
    assert told(SRTP_020, secure_call(media, **bodies)).rows == []
    assert told(SRTP_020, dtls_call(media)).rows == []


def test_a_stream_whose_beginning_is_not_in_the_capture(told) -> None:
    """T-MID: the capture begins with a re-INVITE; the stream began before the line was secure."""
    media = from_a("a", 900, 904)
    late = [each for each in rekeyed(second=("a", "b")) if each[0] >= 10.0]
    moved = [(at - 889.0, frame) for at, frame in media]
    assert told(SRTP_020, build.in_time_order(late, moved)).rows == [("not-assessed", "T-MID", 1)]
    clear = build.call(offer("RTP/AVP"), answer("RTP/AVP"), duration=None)
    later = [each for each in rekeyed(second=("a", "b")) if each[0] >= 10.0]
    early = build.rtp_stream(A, B, SSRC_A, build.speech(900), sequence=60_000, srtp=context("a"))
    rows = told(SRTP_020, build.in_time_order(clear, later, early)).rows
    assert rows == [("not-assessed", "T-MID", 1)]


def test_profiles_without_sdes_do_not_ask_for_it(told) -> None:
    media = build.rtp_stream(A, B, SSRC_A, build.speech(100), sequence=60_000, srtp=context("a"))
    other = {"call-1": ProfileChoice("rfc-only", inferred=False)}
    assert told(SRTP_020, secure_call(media), profiles=other).rows == []


# --- IMS-SRTP-021 ---------------------------------------------------------------------------------


def test_a_server_that_selects_a_null_profile(told) -> None:
    """The catalogue's trigger."""
    result = told(SRTP_021, dtls_call(profile=5))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("tls-session", "tls-1")
    assert "selects SRTP_NULL_HMAC_SHA1_80 (0x0005)" in finding.message
    assert "audio line 0 of call-1" in finding.message
    assert finding.evidence[0].observed == "0x0001, 0x0002, 0x0005"
    assert result.rows == [("violation", "", 1)]


def test_a_profile_that_encrypts_passes_though_null_was_offered(told) -> None:
    """The catalogue's near miss, and T-: offered only."""
    assert told(SRTP_021, dtls_call(profile=7, client_extensions=use_srtp(5, 6, 7))).rows == [("pass", "", 1)]


def test_hidden_and_missing_selections(told) -> None:
    """T-13, N-HS."""
    hidden = {
        "client_extensions": supported_versions(0xFEFC, 0xFEFD) + use_srtp(5),
        "server_extensions": supported_versions(0xFEFC, selected=True),
        "offered": (0x1301,),
        "selected": 0x1301,
    }
    assert told(SRTP_021, dtls_call(**hidden)).rows == [("not-assessed", "T-13", 1)]
    assert told(SRTP_021, dtls_call(selected=None)).rows == [("not-assessed", "N-HS", 1)]
    assert told(SRTP_021, dtls_call(server_extensions=b"")).rows == []


# --- IMS-SRTP-022 ---------------------------------------------------------------------------------

LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
CLEAR_LEVEL = f"a=extmap:1 {LEVEL} vad=on"
SEALED_LEVEL = f"a=extmap:1 urn:ietf:params:rtp-hdrext:encrypt {LEVEL}"
ONE_LEVEL = bytes.fromhex("10a5 0000")  # element 1 of one octet: voice, -37 dBov
G2 = {"call-1": ProfileChoice("G2", inferred=True, covers=frozenset(("G2", "E2E-SDES")))}


def leg(
    *media: list[build.Packet], extmap: str = CLEAR_LEVEL, reply: str | None = None, focus: bool = True
) -> list[build.Packet]:
    """A participant's call to a conference whose lines carry an a=extmap each."""
    dialog = build.Dialog(to_uri="sip:conf@example.org")
    header = ("Contact: <sip:conf1@focus.example.org>;isfocus",) if focus else ()
    body = offer("RTP/SAVP", build.crypto("a"), extmap)
    back = answer("RTP/SAVP", build.crypto("b"), extmap if reply is None else reply)
    script = [
        (0.0, dialog.request("INVITE", body), True),
        (0.2, dialog.response(200, "OK", back, headers=header), False),
        (0.3, dialog.request("ACK"), True),
    ]
    return build.in_time_order(build.carry(dialog, script), *media)


def speaking(
    extension: bytes | None = ONE_LEVEL, csrc: tuple[int, ...] = (), *, back: bool = False
) -> list[build.Packet]:
    ends, seed, ssrc = ((B, A), "b", SSRC_B) if back else ((A, B), "a", SSRC_A)
    srtp = context(seed)
    return [
        (
            1.0 + number / 50,
            build.udp(
                *ends, srtp.protect(build.rtp(number, number * 160, ssrc, payload, csrc=csrc, extension=extension))
            ),
        )
        for number, payload in enumerate(build.speech(60))
    ]


def test_audio_levels_in_clear_on_a_leg_of_a_conference(told) -> None:
    """The catalogue's trigger."""
    result = told(SRTP_022, leg(speaking()), profiles=G2)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert finding.subject.id == "call-1/0"
    assert result.frames() == [1, 2, 4]
    assert finding.evidence[2].observed == "level -37 dBov, voice"
    assert "speaker's audio level in clear (a=extmap:1)" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_encrypted_levels_pass(told) -> None:
    """The catalogue's near miss."""
    assert told(SRTP_022, leg(speaking(), extmap=SEALED_LEVEL), profiles=G2).rows == [("pass", "", 1)]


def test_levels_that_are_not_agreed_or_not_sent_pass(told) -> None:
    assert told(SRTP_022, leg(speaking(), reply=""), profiles=G2).rows == [("pass", "", 1)]
    assert told(SRTP_022, leg(speaking(None)), profiles=G2).rows == [("pass", "", 1)]
    other = bytes.fromhex("20a5 0000")
    assert told(SRTP_022, leg(speaking(other)), profiles=G2).rows == [("pass", "", 1)]


def test_the_list_of_a_mixer_names_who_contributes(told) -> None:
    packets = leg(speaking(None, (0x11111111, 0x22222222), back=True), extmap="a=sendrecv")
    finding = told(SRTP_022, packets, profiles=G2).finding
    assert "CSRC 0x11111111, 0x22222222" in finding.message
    assert "answerer to offerer" in finding.message


def test_calls_that_are_no_conference_and_other_profiles(told) -> None:
    assert told(SRTP_022, leg(speaking(), focus=False), profiles=G2).rows == []
    other = {"call-1": ProfileChoice("E2E-KMS", inferred=True, covers=frozenset(("E2E-KMS",)))}
    assert told(SRTP_022, leg(speaking()), profiles=other).findings == []


def test_an_open_profile_and_no_media(told) -> None:
    assert told(SRTP_022, leg(speaking())).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert told(SRTP_022, leg(), profiles=G2).rows == [("not-assessed", "N-MED", 1)]


def test_elements_of_one_and_two_octets() -> None:
    one = bytes.fromhex("bede0002 10aa 00 21bbcc f0 10")
    assert list(elements(one)) == [(1, b"\xaa"), (2, b"\xbb\xcc")]
    two = bytes.fromhex("10000002 0100 0203aabbcc 00")
    assert list(elements(two)) == [(1, b""), (2, b"\xaa\xbb\xcc")]
    assert list(elements(bytes.fromhex("c0de0001 10aa0000"))) == []  # RFC 9335: encrypted
    assert list(elements(b"\xbe\xde")) == []
    assert list(elements(bytes.fromhex("100000010205"))) == [(2, b"")]
    assert list(elements(bytes.fromhex("1000000102"))) == []
