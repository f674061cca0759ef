"""Verdicts a reviewer would try to break: near misses that must stay silent, and violations in another dress."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests import build

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
STRANGER = ("203.0.113.9", 7000)
AMR = ("a=rtpmap:96 AMR/8000", "a=fmtp:96 octet-align=1")
SHORT = "AES_CM_128_HMAC_SHA1_32"
GCM = "AEAD_AES_128_GCM"


def verdicts(rule: str, *parts: Sequence[build.Packet]) -> set[tuple[str, str]]:
    """Outcomes of one rule over one capture, with their gaps."""
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)))
    return {(row.outcome, row.gap) for row in audit.assessments if row.rule == rule}


def offer(*attributes: str, proto: str = "RTP/SAVP", formats: str = "0") -> bytes:
    return build.sdp(A[0], build.audio(A[1], proto, *attributes, formats=formats))


def answer(*attributes: str, proto: str = "RTP/SAVP", formats: str = "0") -> bytes:
    return build.sdp(B[0], build.audio(B[1], proto, *attributes, formats=formats))


def secure(
    suite: str = "AES_CM_128_HMAC_SHA1_80", *more: str, formats: str = "0", params: str = ""
) -> list[build.Packet]:
    """A call of 30 s with SDES on both sides."""
    return build.call(
        offer(build.crypto("offer", suite=suite, params=params), *more, formats=formats),
        answer(build.crypto("answer", suite=suite, params=params), *more, formats=formats),
        duration=30,
    )


def sender(suite: str = "AES_CM_128_HMAC_SHA1_80", mki: bytes = b"", *, unauthenticated: bool = False) -> build.Srtp:
    return build.Srtp(build.master_key("offer", suite), suite, mki=mki, unauthenticated=unauthenticated)


AMR_FRAMES = [build.amr_octet_aligned(number) for number in range(100)]
G729 = [build.noise(number, 20) for number in range(100)]
G729_10 = [build.noise(number, 10) for number in range(100)]
DIGITS = [build.telephone_event(5, 160 * (number % 10 + 1)) for number in range(60)]
EVENT = "a=rtpmap:101 telephone-event/8000"
NULL, AES = 0x003B, 0x002F


class TestPlainRtp:
    """IMS-SRTP-001."""

    @pytest.mark.parametrize(
        ("call", "payloads", "payload_type"),
        [
            (secure(), build.speech(100), 0),
            (secure(SHORT), build.speech(100), 0),
            (secure(GCM), build.speech(100), 0),
            (secure(params="|2^20|1:4"), build.speech(100), 0),
            (secure("AES_CM_128_HMAC_SHA1_80", *AMR, formats="96"), AMR_FRAMES, 96),
            (secure("AES_CM_128_HMAC_SHA1_80", EVENT, formats="0 101"), DIGITS, 101),
        ],
        ids=["80 bits", "32 bits", "AEAD", "MKI", "AMR", "digits alone"],
    )
    def test_clear_media_is_seen(self, call: list[build.Packet], payloads: list[bytes], payload_type: int) -> None:
        """Whatever was agreed, clear payloads are a violation."""
        media = build.rtp_stream(A, B, 1, payloads, payload_type=payload_type)
        assert verdicts("IMS-SRTP-001", call, media) == {("violation", "")}

    @pytest.mark.parametrize(
        ("call", "payloads", "payload_type", "step", "srtp"),
        [
            (secure(), build.speech(100), 0, 160, sender()),
            (secure(SHORT), build.speech(100), 0, 160, sender(SHORT)),
            (secure(GCM), build.speech(100), 0, 160, sender(GCM)),
            (secure(params="|2^20|1:4"), build.speech(100), 0, 160, sender(mki=b"\0\0\0\1")),
            (secure(formats="18"), G729, 18, 160, sender()),
            (secure(formats="18"), G729_10, 18, 80, sender()),
            (secure("AES_CM_128_HMAC_SHA1_80", EVENT, formats="0 101"), DIGITS, 101, 0, sender()),
        ],
        ids=["80 bits", "32 bits", "AEAD", "MKI", "G.729", "10 ms and a tag look like 20 ms", "digits alone"],
    )
    def test_protected_media_passes(
        self, call: list[build.Packet], payloads: list[bytes], payload_type: int, step: int, srtp: build.Srtp
    ) -> None:
        """Payloads with a tag of the agreed suite are no finding."""
        media = build.rtp_stream(A, B, 1, payloads, payload_type=payload_type, clock_step=step, srtp=srtp)
        assert verdicts("IMS-SRTP-001", call, media) == {("pass", "")}

    def test_encryption_without_a_tag_is_not_taken_for_clear_media(self) -> None:
        """UNAUTHENTICATED_SRTP leaves payloads at the codec's sizes; only keys could tell."""
        call = secure(params=" UNAUTHENTICATED_SRTP")
        media = build.rtp_stream(A, B, 1, build.speech(100), srtp=sender(unauthenticated=True))
        assert verdicts("IMS-SRTP-001", call, media) == {("not-assessed", "N-KEY")}

    def test_the_next_call_on_the_same_ports_may_be_clear(self) -> None:
        """Clear media of a later RTP/AVP call is not charged to the secure call before it."""
        first = build.call(offer(build.crypto("offer")), answer(build.crypto("answer")), duration=5)
        dialog = build.Dialog(call_id="second@test")
        plain = (offer(proto="RTP/AVP"), answer(proto="RTP/AVP"))
        second = build.call(*plain, dialog=dialog, at=6, duration=20)
        before = build.rtp_stream(A, B, 1, build.speech(100), srtp=sender())
        after = build.rtp_stream(A, B, 9, build.speech(100), at=7, sequence=9_000)
        assert verdicts("IMS-SRTP-001", first, second, before, after) == {("pass", "")}


COMPOUNDS = [
    build.sender_report(1, packets=number, timestamp=number) + build.source_description(1) for number in range(6)
]


class TestRtcp:
    """IMS-SRTP-002 and IMS-SRTP-003."""

    media = build.rtp_stream(A, B, 1, build.speech(100), srtp=sender())

    def sent(self, datagrams: list[bytes]) -> list[build.Packet]:
        return [
            (3.0 + number, build.udp((A[0], A[1] + 1), (B[0], B[1] + 1), each))
            for number, each in enumerate(datagrams)
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "datagram",
        [struct.pack("!BBHII", 0x81, 206, 2, 1, 2), struct.pack("!BBHI4s", 0x80, 204, 2, 1, b"abcd")],
        ids=["PLI alone", "APP alone"],
    )
    def test_reduced_size_rtcp_is_plain_rtcp(self, datagram: bytes) -> None:
        """Feedback without a report in front is RTCP all the same (RFC 5506)."""
        assert verdicts("IMS-SRTP-002", secure(), self.media, self.sent([datagram] * 4)) == {("violation", "")}

    @pytest.mark.parametrize("encrypted", [True, False])
    @pytest.mark.parametrize(("octets", "outcome"), [(10, "pass"), (4, "pass"), (0, "violation")])
    def test_tags_are_told_with_and_without_encryption(self, encrypted: bool, octets: int, outcome: str) -> None:
        """The index word gives the layout away."""
        srtp = sender()
        datagrams = [srtp.protect_rtcp(each, encrypted=encrypted, tag_octets=octets) for each in COMPOUNDS]
        parts = (secure(), self.media, self.sent(datagrams))
        assert verdicts("IMS-SRTP-003", *parts) == {(outcome, "")}
        assert verdicts("IMS-SRTP-002", *parts) == {("pass", "")}

    def test_an_aead_tag_before_the_index_word_is_a_tag(self) -> None:
        """AES-GCM puts 16 octets of tag in front of the index word (RFC 7714 §9)."""
        srtp = sender(GCM)
        media = build.rtp_stream(A, B, 1, build.speech(100), srtp=sender(GCM))
        datagrams = self.sent([srtp.protect_rtcp(each) for each in COMPOUNDS])
        assert verdicts("IMS-SRTP-003", secure(GCM), media, datagrams) == {("pass", "")}


class TestCollision:
    """IMS-SSRC-002."""

    call = build.call(offer(proto="RTP/AVP"), answer(proto="RTP/AVP"), duration=30)

    def test_a_source_that_flaps_between_two_paths_is_one_source(self) -> None:
        """Packets that alternate between two source ports share one sequence space."""
        moved = [
            packet if number % 2 else (packet[0], build.udp((A[0], 4444), B, packet[1][42:]))
            for number, packet in enumerate(build.rtp_stream(A, B, 1, build.speech(400)))
        ]
        assert verdicts("IMS-SSRC-002", self.call, moved) == {("pass", "")}

    def test_equal_sequence_numbers_of_two_sources_collide(self) -> None:
        """Sequence spaces that cross are still two: their timestamps differ."""
        one = build.rtp_stream(A, B, 1, build.speech(400))
        other = build.rtp_stream(STRANGER, B, 1, [build.noise(n, 160) for n in range(400)], sequence=150, timestamp=9)
        assert verdicts("IMS-SSRC-002", self.call, one, other) == {("violation", "")}

    def test_two_points_of_capture_are_no_collision(self) -> None:
        """The same packets before and after a NAT."""
        one = build.rtp_stream(A, B, 1, build.speech(400))
        outside = [(at + 0.001, build.udp(STRANGER, B, frame[42:], ttl=60)) for at, frame in one]
        assert verdicts("IMS-SSRC-002", self.call, one, outside) == {("pass", "")}


class TestDowngrade:
    """IMS-SIG-006 wherever an answer may stand."""

    clear = answer(proto="RTP/AVP")
    offered = offer(build.crypto("offer"))
    reliable = ("Require: 100rel", "RSeq: 1")

    def test_answer_in_a_reliable_provisional_response(self) -> None:
        """A reliable 183 is an answer (RFC 3262 §5)."""
        talk = build.Dialog()
        script = [
            (0.0, talk.request("INVITE", self.offered), True),
            (0.1, talk.response(183, "Session Progress", self.clear, headers=self.reliable), False),
        ]
        assert verdicts("IMS-SIG-006", build.carry(talk, script)) == {("violation", "")}

    @pytest.mark.parametrize("method", ["ACK", "PRACK"])
    def test_answer_in_ack_or_prack(self, method: str) -> None:
        """The callee offers, the caller answers in clear."""
        talk = build.Dialog()
        status = (200, "OK") if method == "ACK" else (183, "Session Progress")
        script = [
            (0.0, talk.request("INVITE"), True),
            (0.1, talk.response(*status, answer(build.crypto("answer")), headers=self.reliable), False),
            (0.2, talk.request(method, offer(proto="RTP/AVP"), in_dialog=True, headers=("RAck: 1 1 INVITE",)), True),
        ]
        assert verdicts("IMS-SIG-006", build.carry(talk, script)) == {("violation", "")}

    @pytest.mark.parametrize("from_callee", [False, True])
    def test_answer_to_an_update_of_either_side(self, from_callee: bool) -> None:
        """A call that began well is downgraded later."""
        talk = build.Dialog()
        mine, other = (answer(build.crypto("answer")), offer(proto="RTP/AVP"))
        if not from_callee:
            mine, other = self.offered, self.clear
        script = [
            (0.0, talk.request("INVITE", self.offered), True),
            (0.1, talk.response(200, "OK", answer(build.crypto("answer"))), False),
            (0.2, talk.request("ACK"), True),
            (1.0, talk.request("UPDATE", mine, in_dialog=True, from_callee=from_callee), not from_callee),
            (1.1, talk.response(200, "OK", other, method="UPDATE", from_callee=not from_callee), from_callee),
        ]
        assert verdicts("IMS-SIG-006", build.carry(talk, script)) == {("violation", "")}

    def test_a_hop_behind_the_access_edge_is_judged_by_itself(self) -> None:
        """One Call-ID, SAVP between UE and proxy, AVP behind it: neither hop is downgraded (T-E2AE)."""
        proxy = ("198.51.100.1", 5060)
        access, core = build.Dialog(callee=proxy), build.Dialog(caller=proxy, branch=50)
        parts = (
            build.carry(access, [(0.0, access.request("INVITE", self.offered), True)]),
            build.carry(core, [(0.01, core.request("INVITE", offer(proto="RTP/AVP")), True)]),
            build.carry(core, [(0.3, core.response(200, "OK", self.clear), False)]),
            build.carry(access, [(0.31, access.response(200, "OK", answer(build.crypto("answer"))), False)]),
        )
        assert verdicts("IMS-SIG-006", *parts) == {("pass", "")}

    def test_the_line_refused_beside_its_clear_alternative(self) -> None:
        """Two alternative lines, the secure one rejected with port 0, is the answerer's right (T-OSRTP)."""
        both = build.sdp(A[0], build.audio(4000, "RTP/SAVP", build.crypto("offer")), build.audio(4002))
        chosen = build.sdp(B[0], build.audio(0, "RTP/SAVP"), build.audio(5002))
        assert verdicts("IMS-SIG-006", build.call(both, chosen)) == {("pass", "")}


class TestNullCipher:
    """IMS-TLS-001."""

    ends = (("192.0.2.10", 40000), ("198.51.100.20", 5061))

    @pytest.mark.parametrize(("segment", "outcome"), [(1, "violation"), (1_400, "violation")])
    def test_a_server_hello_in_single_octets(self, segment: int, outcome: str) -> None:
        """Segments may be as small as they like."""
        connection = build.TcpConnection(*self.ends)
        hello = build.tls_record(build.HANDSHAKE, build.handshake(1, build.client_hello([NULL, AES])))
        reply = build.tls_record(build.HANDSHAKE, build.handshake(2, build.server_hello(NULL)))
        packets = connection.open(0.0) + connection.send(0.1, hello)
        packets += connection.send(0.2, reply, from_client=False, segment=segment)
        assert verdicts("IMS-TLS-001", packets) == {(outcome, "")}

    def test_integrity_only_suites_of_tls_1_3(self) -> None:
        """0xC0B4 authenticates and does not encrypt (RFC 9150)."""
        connection = build.TcpConnection(*self.ends)
        offered = build.client_hello([0xC0B4], extensions=build.extension(43, b"\2\3\4"))
        chosen = build.server_hello(0xC0B4, extensions=build.extension(43, b"\3\4"))
        packets = connection.open(0.0)
        packets += connection.send(0.1, build.tls_record(build.HANDSHAKE, build.handshake(1, offered)))
        packets += connection.send(
            0.2, build.tls_record(build.HANDSHAKE, build.handshake(2, chosen)), from_client=False
        )
        assert verdicts("IMS-TLS-001", packets) == {("violation", "")}

    def test_null_offered_beside_grease_and_not_chosen(self) -> None:
        """What a client merely offers is another rule's matter."""
        packets = build.tls_session(*self.ends, AES, offered=(0x0A0A, NULL, AES, 0x00FF))
        assert verdicts("IMS-TLS-001", packets) == {("pass", "")}
