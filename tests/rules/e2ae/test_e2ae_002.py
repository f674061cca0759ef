"""IMS-E2AE-002, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.e2ae.certificates import fingerprint_of
from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B
from tests.rules.e2ae.peers import (
    ANSWER,
    EDGE,
    EDGE_CERTIFICATE,
    EDGE_CHAT,
    FOREIGN,
    OFFER,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    ask,
    call,
    chat,
    fingerprint,
    from_ue,
    secure_chat,
    tls,
)
from tests.rules.tls.hellos import tls13

E2AE_002 = "IMS-E2AE-002"


def captured(*more: list[build.Packet], **changes: object) -> list[build.Packet]:
    """The call of a UE and its TLS connection."""
    return build.in_time_order(secure_chat(), tls(**changes), *more)  # type: ignore[arg-type]


def test_a_certificate_that_was_not_signalled_before_data_is_critical() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_002, captured(server_certificate=FOREIGN))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    signalled, presented, data = finding.evidence
    assert (signalled.frame, signalled.observed) == (4, "sha-256 " + fingerprint(EDGE_CERTIFICATE)[22:33] + "…")
    assert presented.observed == "sha-256 " + fingerprint(FOREIGN)[22:33] + "…"
    assert (presented.field, data.field) == ("Certificate", "first data")
    assert "The answerer of call-1/0 presents" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_mismatch_that_ends_the_connection_passes() -> None:
    """The catalogue's near miss: bad_certificate and FIN."""
    rows = ask(E2AE_002, captured(server_certificate=FOREIGN, fatal=0.03, close=0.04)).rows
    assert ("violation", "", 1) not in rows
    assert ("pass", "", 1) in rows


def test_certificates_that_were_signalled_pass() -> None:
    assert ask(E2AE_002, captured()).rows == [("pass", "", 2)]


def test_the_certificate_of_the_client_counts_as_well() -> None:
    result = ask(E2AE_002, captured(client_certificate=FOREIGN))
    assert "The offerer of call-1/0 presents" in result.finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_what_the_presenting_side_sends_shows_nothing_if_the_other_side_closes() -> None:
    """A client may send with its Finished, before the server compared its certificate."""
    changes = {"client_certificate": FOREIGN, "data": [(0.05, True)]}
    assert ask(E2AE_002, captured(**changes, close=0.2)).rows == [("pass", "", 2)]
    assert ask(E2AE_002, captured(**changes, close=5.0)).rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_mismatch_of_which_neither_data_nor_the_end_was_seen_is_not_assessed() -> None:
    rows = ask(E2AE_002, captured(server_certificate=FOREIGN, data=[])).rows
    assert rows == [("pass", "", 1), ("not-assessed", "N-MED", 1)]


@pytest.mark.parametrize("name", ["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"])
def test_every_hash_function_is_computed(name: str) -> None:
    for certificate, rows in (
        (EDGE_CERTIFICATE, [("pass", "", 2)]),
        (FOREIGN, [("violation", "", 1), ("pass", "", 1)]),
    ):
        answer = chat(EDGE_CHAT, fingerprint(certificate, name))
        packets = build.in_time_order(call(chat(UE_CHAT, *OFFER), answer), tls())
        assert ask(E2AE_002, packets).rows == rows


def test_extendable_functions_have_the_length_of_rfc_8692() -> None:
    assert [len(fingerprint_of(b"x", name)) for name in (b"shake128", b"shake256", b"md2")] == [32, 64, 0]


def test_one_of_several_fingerprints_is_enough() -> None:
    several = [fingerprint(FOREIGN), fingerprint(EDGE_CERTIFICATE), fingerprint(EDGE_CERTIFICATE, "SHA-1")]
    packets = build.in_time_order(secure_chat(answer=several), tls())
    assert ask(E2AE_002, packets).rows == [("pass", "", 2)]


def test_the_fingerprint_in_force_at_the_handshake_counts() -> None:
    """A re-offer announces another certificate for the connection that follows it."""
    talk = from_ue()
    first = build.carry(
        talk,
        [
            (0.0, talk.request("INVITE", chat(UE_CHAT, *OFFER)), True),
            (0.5, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER)), False),
            (0.51, talk.request("ACK"), True),
        ],
    )
    renewed = [REQUESTED, fingerprint(FOREIGN)]
    again = build.carry(
        talk,
        [
            (20.0, talk.request("INVITE", chat(UE_CHAT, *renewed, version=2), in_dialog=True), True),
            (20.5, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER, version=2)), False),
            (60.0, talk.request("BYE", in_dialog=True), True),
        ],
    )
    second = tls(("192.0.2.10", 40_001), at=21.0, client_certificate=FOREIGN, random=b"d" * 32)
    old = tls(("192.0.2.10", 40_001), at=30.0, random=b"d" * 32)
    assert ask(E2AE_002, build.in_time_order(first, again, tls(), second)).rows == [("pass", "", 4)]
    assert ask(E2AE_002, build.in_time_order(first, again, tls(), old)).rows == [("violation", "", 1), ("pass", "", 3)]


def test_an_abbreviated_handshake_shows_no_certificate() -> None:
    """T-RES."""
    assert ask(E2AE_002, captured(resumes=b"earlier")).rows == [("not-assessed", "T-RES", 2)]


def test_tls_1_3_hides_certificates() -> None:
    """T-13."""
    packets = build.in_time_order(secure_chat(), tls13(client=("192.0.2.10", 40_000), server=EDGE_CHAT))
    assert ask(E2AE_002, packets).rows == [("not-assessed", "T-13", 2)]


def test_a_handshake_that_was_not_captured_is_not_assessed() -> None:
    assert ask(E2AE_002, secure_chat()).rows == [("not-assessed", "N-HS", 1)]
    late = [each for each in captured() if each[0] not in {1.0, 1.001, 1.002} and not 1.0 < each[0] < 1.035]
    assert ("not-assessed", "N-HS", 2) in ask(E2AE_002, late).rows


def test_the_missing_answer_is_not_assessed() -> None:
    """The connection may outrun the answer, which then was not captured."""
    packets = build.in_time_order(secure_chat()[:3], tls(("192.0.2.2", 40_000), UE_CHAT))
    assert ask(E2AE_002, packets).rows == [("not-assessed", "N-OA", 1)]


def test_fingerprints_that_cannot_be_compared_are_not_assessed() -> None:
    packets = build.in_time_order(secure_chat(answer=["a=fingerprint:SHA-256 AB"]), tls())
    assert ask(E2AE_002, packets).rows == [("pass", "", 1), ("not-assessed", "N-OA", 1)]


def test_a_side_that_presents_no_certificate_is_another_rules_matter() -> None:
    assert ask(E2AE_002, captured(requested=False)).rows == [("pass", "", 1)]


def test_an_address_that_both_sides_announce_leaves_open_who_presented_what() -> None:
    """Two parties behind one address and port: which of them presented the certificate cannot be told."""
    same = chat(EDGE_CHAT, *ANSWER)
    packets = build.in_time_order(call(chat(EDGE_CHAT, *OFFER), same), tls())
    assert ask(E2AE_002, packets).rows == [("pass", "", 2)]
    packets = build.in_time_order(call(chat(EDGE_CHAT, *OFFER), same), tls(server_certificate=FOREIGN))
    assert ask(E2AE_002, packets).rows == [("pass", "", 1), ("not-assessed", "N-DIR", 1)]


def test_the_access_handshake_is_compared_with_the_access_descriptions() -> None:
    """T-B2B, T-E2AE: the core leg of the same call signals other certificates."""
    far = ("203.0.113.9", 2855)
    core = call(
        chat(("203.0.113.2", 2856), fingerprint(FOREIGN)),
        chat(far, fingerprint(FOREIGN)),
        dialog=build.Dialog(caller=EDGE, callee=("203.0.113.1", 5060), from_tag="edge", to_tag="far"),
        at=0.02,
    )
    assert ask(E2AE_002, captured(core)).rows == [("pass", "", 2), ("not-assessed", "N-HS", 1)]


def test_the_certificate_of_another_branch_is_not_judged() -> None:
    """T-FORK: two devices answer behind one gateway port."""
    talk = from_ue()
    offer = talk.request("INVITE", chat(UE_CHAT, *OFFER))
    early = talk.response(183, "Session Progress", chat(EDGE_CHAT, fingerprint(FOREIGN)), to_tag="first")
    final = talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER), to_tag="second")
    script = [(0.0, offer, True), (0.2, early, False), (0.5, final, False)]
    for certificate, rows in (
        (FOREIGN, [("pass", "", 1), ("not-assessed", "T-FORK", 1)]),
        (EDGE_CERTIFICATE, [("pass", "", 2)]),
        (b"of a third", [("violation", "", 1), ("pass", "", 1)]),
    ):
        packets = build.in_time_order(build.carry(talk, script), tls(server_certificate=certificate))
        assert ask(E2AE_002, packets).rows == rows


def test_early_media_of_a_call_that_fails_later_is_compared() -> None:
    talk = from_ue()
    script = [
        (0.0, talk.request("INVITE", chat(UE_CHAT, *OFFER)), True),
        (0.5, talk.response(183, "Session Progress", chat(EDGE_CHAT, *ANSWER)), False),
        (9.0, talk.response(480, "Temporarily Unavailable"), False),
    ]
    packets = build.in_time_order(build.carry(talk, script), tls(server_certificate=FOREIGN))
    assert ask(E2AE_002, packets).rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_connection_that_fits_several_calls_is_not_judged() -> None:
    """T-NAT: UEs whose addresses are rewritten, and a gateway with one port for all of them."""
    other = from_ue(call_id="other@test", from_uri="sip:carol@example.org", from_tag="carol", branch=50)
    second = call(chat(("192.0.2.11", 2855), REQUESTED, fingerprint(FOREIGN)), chat(EDGE_CHAT, *ANSWER), dialog=other)
    behind_nat = tls(("192.0.2.200", 40_000), client_certificate=FOREIGN)
    packets = build.in_time_order(secure_chat(), second, behind_nat)
    assert ask(E2AE_002, packets).rows == [("not-assessed", "T-NAT", 2)]


# --- DTLS-SRTP ------------------------------------------------------------------------------------

GATEWAY = b"certificate of B"


def dtls(server_certificate: bytes) -> list[build.Packet]:
    """A DTLS handshake that A begins with B, both with certificates."""

    def message(sequence: int, kind: int, body: bytes) -> bytes:
        return build.dtls_record(
            build.HANDSHAKE, build.dtls_handshake(kind, body, sequence=sequence), sequence=sequence
        )

    def certificate(der: bytes) -> bytes:
        chain = len(der).to_bytes(3, "big") + der
        return len(chain).to_bytes(3, "big") + chain

    done = build.dtls_record(build.CHANGE_CIPHER_SPEC, b"\x01", sequence=9)
    finished = build.dtls_record(build.HANDSHAKE, build.noise(3, 48), epoch=1)
    srtp = build.extension(14, b"\0\x02\0\x01\0")
    script = [
        (0.6, True, message(0, 1, build.client_hello([0xC02F], version=build.DTLS_1_2, extensions=srtp))),
        (0.61, False, message(0, 2, build.server_hello(0xC02F, version=build.DTLS_1_2, extensions=srtp))),
        (0.62, False, message(1, 11, certificate(server_certificate))),
        (0.63, False, message(2, 13, b"\x01\x01\0\0\0\0") + message(3, 14, b"")),
        (0.64, True, message(1, 11, certificate(UE_CERTIFICATE)) + message(2, 16, b"\0\0") + done + finished),
        (0.65, False, done + finished),
    ]
    return [(when, build.udp(*((A, B) if forward else (B, A)), data)) for when, forward, data in script]


def test_dtls_srtp_is_compared_whatever_the_profile() -> None:
    offer, answer = (
        build.sdp(end[0], build.audio(end[1], "UDP/TLS/RTP/SAVP", fingerprint(certificate), f"a=setup:{setup}"))
        for end, certificate, setup in ((A, UE_CERTIFICATE, "actpass"), (B, GATEWAY, "passive"))
    )
    srtp = build.Srtp(build.master_key("a"))
    media = build.rtp_stream(A, B, 0xA, build.speech(), srtp=srtp)
    packets = build.in_time_order(build.call(offer, answer), dtls(GATEWAY), media)
    assert ask(E2AE_002, packets, profile="rfc-only").rows == [("pass", "", 2)]
    packets = build.in_time_order(build.call(offer, answer), dtls(FOREIGN), media)
    result = ask(E2AE_002, packets)
    assert "DTLS session tls-1" in result.finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    quiet = build.in_time_order(build.call(offer, answer), dtls(FOREIGN))
    assert ask(E2AE_002, quiet).rows == [("pass", "", 1), ("not-assessed", "N-MED", 1)]
