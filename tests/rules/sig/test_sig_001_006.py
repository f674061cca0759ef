"""IMS-SIG-001 and IMS-SIG-006, from capture octets to findings."""

from __future__ import annotations

import struct

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import SSRC_A, A, B, answer, context, offer

SIG_001, SIG_006 = "IMS-SIG-001", "IMS-SIG-006"
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="


# --- IMS-SIG-001 ----------------------------------------------------------------------------------


def test_an_inline_key_in_sip_over_udp_is_critical(told) -> None:
    """The catalogue's trigger; the key is named by its digest and never shown."""
    result = told(SIG_001, [(0.0, build.udp(build.ALICE, build.BOB, build.Dialog().request("INVITE", offer())))])
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert finding.subject.id == "call-1"
    assert finding.filters == ((0, "frame.number in {1}"),)
    key = build.crypto("a").rpartition("inline:")[2]
    everything = repr(finding)
    assert key not in everything
    assert "key:" in finding.evidence[0].observed
    assert result.rows == [("violation", "", 1)]


def test_each_direction_of_a_dialog_is_one_finding(told) -> None:
    result = told(SIG_001, build.call(offer(), answer()))
    assert [each.evidence[0].frame for each in result.findings] == [1, 4]
    assert len({each.fingerprint for each in result.findings}) == 2


def test_repeats_are_listed_in_the_same_finding(told) -> None:
    """A retransmission and the same offer after a challenge (T-RETX, T-AUTH)."""
    dialog = build.Dialog()
    first = dialog.request("INVITE", offer())
    challenge = dialog.response(407, "Proxy Authentication Required")
    dialog.cseq += 1
    again = dialog.request("INVITE", offer())
    result = told(
        SIG_001,
        build.carry(dialog, [(0.0, first, True), (0.5, first, True), (0.6, challenge, False), (0.7, again, True)]),
    )
    assert result.frames() == [1, 2, 4]


def test_a_packet_sighted_twice_is_one_finding(told) -> None:
    """T-DUP: the same datagram behind a router, one hop older."""
    message = build.Dialog().request("INVITE", offer())
    packets = [
        (0.0, build.udp(build.ALICE, build.BOB, message)),
        (0.01, build.udp(build.ALICE, build.BOB, message, ttl=63)),
    ]
    result = told(SIG_001, packets)
    assert result.rows == [("violation", "", 1)]
    assert result.frames() == [1, 2]


def test_forks_answer_with_keys_of_their_own(told) -> None:
    """T-FORK: the offer is one finding, each branch's answer another."""
    dialog = build.Dialog()
    script = [(0.0, dialog.request("INVITE", offer()), True)]
    for number, tag in enumerate(("one", "two")):
        script.append((0.1 + number, dialog.response(183, "Session Progress", answer(), to_tag=tag), False))
    assert told(SIG_001, build.carry(dialog, script)).rows == [("violation", "", 3)]


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("address", ["192.0.2.10", "2001:db8::10"])
def test_over_any_transport_and_ip_version(told, transport: str, address: str) -> None:
    other = "192.0.2.20" if "." in address else "2001:db8::20"
    dialog = build.Dialog(caller=(address, 5060), callee=(other, 5060), transport=transport)
    assert told(SIG_001, build.call(offer(), answer(), dialog=dialog)).rows == [("violation", "", 2)]


def test_a_key_in_a_capability_and_in_a_multipart_body_counts(told) -> None:
    capability = build.sdp(A[0], build.audio(4000, "RTP/AVP", "a=acap:1 " + build.crypto("a")[2:], "a=pcfg:1 t=1 a=1"))
    multipart = b"--x\r\nContent-Type: application/sdp\r\n\r\n" + offer() + b"\r\n--x--\r\n"
    for body, kind in ((capability, "application/sdp"), (multipart, "multipart/mixed;boundary=x")):
        message = build.Dialog().request("INVITE", body, content_type=kind)
        assert told(SIG_001, [(0.0, build.udp(build.ALICE, build.BOB, message))]).rows == [("violation", "", 1)]


def test_mikey_in_clear_is_safe_by_design(told) -> None:
    """The catalogue's near miss."""
    result = told(SIG_001, build.call(offer("RTP/SAVP", MIKEY), answer("RTP/SAVP", MIKEY)))
    assert result.rows == []


def test_encrypted_esp_may_hold_sip(told) -> None:
    """The catalogue's other near miss: no finding, and not assessed (rules.md 19.1.1)."""
    packets = [
        (at, build.esp_encrypted(A[0], B[0], build.noise(at, 500), spi=0x1234, sequence=at)) for at in range(1, 20)
    ]
    assert told(SIG_001, packets).rows == [("not-assessed", "N-SIP", 1)]


def test_keys_inside_esp_null_are_another_rule(told) -> None:
    """IMS-SIG-003 judges ESP with NULL encryption; there is no finding of this rule."""
    dialog = build.Dialog()
    message = dialog.request("INVITE", offer())
    packets = [(at, build.esp_null(build.ALICE, build.BOB, message, spi=0x1234, sequence=at)) for at in range(1, 6)]
    assert told(SIG_001, packets).findings == []


def test_masked_keys_are_no_keys(told) -> None:
    """They were keys on the wire, so the rule is not assessed."""
    masked = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****************************************"
    result = told(SIG_001, build.call(offer("RTP/SAVP", masked), answer("RTP/SAVP", masked)))
    assert result.rows == [("not-assessed", "N-KEY", 1)]


def test_sip_in_tls_that_can_not_be_opened(told) -> None:
    session = build.tls_session(("192.0.2.10", 40_000), ("192.0.2.20", 5061), 0xC02F, data=[b"x" * 400])
    assert told(SIG_001, session).rows == [("not-assessed", "N-SIP", 1)]


def test_sip_in_tls_with_a_null_cipher_is_readable(told) -> None:
    """The finding follows from that of the cipher suite, which stands on the same session."""
    message = build.Dialog(transport="TLS").request("INVITE", offer())
    session = build.tls_session(("192.0.2.10", 40_000), ("192.0.2.20", 5061), 0x003B, data=[message], null_mac=32)
    assert told(SIG_001, session).rows == [("violation", "", 1)]
    findings = {each.rule: each for each in build.audit_bytes(build.pcap(session)).findings}
    assert findings[SIG_001].follows_from == [findings["IMS-TLS-001"].fingerprint]


@pytest.mark.parametrize(
    "scene",
    [
        {"capture_point": "core-secured"},
        {"capture_point": "post-decryption"},
        {"capture_point": "access", "access_confidentiality": "assumed"},
        {"capture_point": "core", "nds": "trusted-site"},
    ],
)
def test_what_the_user_declares_makes_it_information(told, scene: dict[str, str]) -> None:
    result = told(SIG_001, build.call(offer(), answer()), **scene)
    assert {each.severity for each in result.findings} == {Severity.INFO}
    assert all("declared" in each.message for each in result.findings)


@pytest.mark.parametrize("scene", [{"capture_point": "access"}, {"nds": "trusted-site"}, {"capture_point": "core"}])
def test_half_a_declaration_changes_nothing(told, scene: dict[str, str]) -> None:
    result = told(SIG_001, build.call(offer(), answer()), **scene)
    assert {each.severity for each in result.findings} == {Severity.CRITICAL}


def exported(message: bytes) -> bytes:
    """An exported PDU of Wireshark: tags for protocol, addresses and ports, then the octets."""
    tags = b""
    for tag, value in (
        (12, b"sip\0"),
        (20, bytes((192, 0, 2, 10))),
        (21, bytes((198, 51, 100, 20))),
        (24, struct.pack("!I", 2)),
        (25, struct.pack("!I", 5060)),
        (26, struct.pack("!I", 5060)),
    ):
        tags += struct.pack("!HH", tag, len(value)) + value
    return tags + bytes(4) + message


def test_exported_pdus_do_not_say_how_they_travelled(told) -> None:
    """T-CORE: the keys are listed as information, and what matters is not assessed."""
    packets = [(0.0, exported(build.Dialog().request("INVITE", offer())))]
    result = told(SIG_001, packets, link_type=build.EXPORTED_PDU)
    assert result.finding.severity is Severity.INFO
    assert result.rows == [("violation", "", 1), ("not-assessed", "T-CORE", 1)]


def test_media_without_any_sip(told) -> None:
    stream = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context())
    assert told(SIG_001, stream).rows == [("not-assessed", "N-SIP", 1)]


def test_srtp_beside_sip_that_does_not_speak_of_it(told) -> None:
    options = build.udp(build.ALICE, build.BOB, build.Dialog().request("OPTIONS"))
    stream = build.rtp_stream(A, B, SSRC_A, build.speech(100), srtp=context())
    assert told(SIG_001, [(0.0, options), *stream]).rows == [("not-assessed", "N-SIP", 1)]


# --- IMS-SIG-006 ----------------------------------------------------------------------------------


def test_savp_answered_with_avp_is_a_downgrade(told) -> None:
    """The catalogue's trigger."""
    result = told(SIG_006, build.call(offer(), answer("RTP/AVP")))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4]
    assert [each.observed for each in finding.evidence] == ["RTP/SAVP", "RTP/AVP, port 5000"]


def test_a_rejected_line_is_no_downgrade(told) -> None:
    """The catalogue's near miss, and the same with the clear transport (T-HOLD)."""
    for proto in ("RTP/SAVP", "RTP/AVP"):
        assert told(SIG_006, build.call(offer(), answer(proto, port=0))).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    ("kind", "secure", "clear", "formats"),
    [
        ("audio", "RTP/SAVPF", "RTP/AVPF", "0"),
        ("audio", "UDP/TLS/RTP/SAVP", "RTP/AVP", "0"),
        ("audio", "TCP/RTP/SAVP", "TCP/RTP/AVP", "0"),
        ("audio", "TCP/DTLS/RTP/SAVPF", "TCP/RTP/AVPF", "0"),
        ("message", "TCP/TLS/MSRP", "TCP/MSRP", "*"),
        ("application", "TCP/TLS/BFCP", "TCP/BFCP", "*"),
        ("application", "UDP/TLS/BFCP", "UDP/BFCP", "*"),
        ("image", "UDP/TLS/UDPTL", "udptl", "t38"),
    ],
)
def test_every_secure_transport(told, kind: str, secure: str, clear: str, formats: str) -> None:
    def body(address: str, proto: str) -> bytes:
        return build.sdp(address, build.media(kind, 4000, proto, formats))

    assert told(SIG_006, build.call(body(A[0], secure), body(B[0], clear))).rows == [("violation", "", 1)]
    assert told(SIG_006, build.call(body(A[0], secure), body(B[0], secure))).rows == [("pass", "", 1)]


def test_best_effort_encryption_is_no_downgrade(told) -> None:
    """T-OSRTP: the offer was in clear, with a key for who wants it."""
    assert told(SIG_006, build.call(offer("RTP/AVP", build.crypto("a")), answer("RTP/AVP"))).rows == []


def test_a_potential_configuration_that_was_taken_up_is_no_downgrade(told) -> None:
    body = answer("RTP/AVP", "a=acfg:1 t=1")
    assert told(SIG_006, build.call(offer(), body)).findings == []


def test_without_an_answer_nothing_can_be_said(told) -> None:
    dialog = build.Dialog()
    invite = (0.0, build.udp(build.ALICE, build.BOB, dialog.request("INVITE", offer())))
    assert told(SIG_006, [invite]).rows == [("not-assessed", "N-OA", 1)]


def test_an_answer_alone_says_nothing(told) -> None:
    dialog = build.Dialog()
    reply = dialog.response(200, "OK", answer())
    assert told(SIG_006, [(0.0, build.udp(build.BOB, build.ALICE, reply))]).rows == [("not-assessed", "N-OA", 1)]


def test_a_refused_request_has_no_answer_to_judge(told) -> None:
    assert told(SIG_006, build.call(offer(), final=(488, "Not Acceptable Here"))).rows == []


def test_a_preview_is_only_suspected(told) -> None:
    """T-EARLY: the description of an unreliable 183 is not the answer yet."""
    dialog = build.Dialog()
    script = [
        (0.0, dialog.request("INVITE", offer()), True),
        (0.1, dialog.response(183, "Session Progress", answer("RTP/AVP")), False),
    ]
    finding = told(SIG_006, build.carry(dialog, script)).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.HIGH, "heuristic")


def test_a_preview_of_a_refused_request_is_nothing(told) -> None:
    packets = build.call(offer(), early=answer("RTP/AVP"), final=(486, "Busy Here"))
    assert told(SIG_006, packets).rows == []


def test_legs_of_a_gateway_are_never_compared(told) -> None:
    """T-E2AE: SAVP towards the terminal, AVP towards the core, each answered as it was offered."""
    access = build.call(offer(), answer())
    core = build.call(
        build.sdp(B[0], build.audio(6000)),
        build.sdp("203.0.113.1", build.audio(7000)),
        dialog=build.Dialog(caller=build.BOB, callee=("203.0.113.1", 5060), call_id="other"),
        at=0.05,
    )
    assert told(SIG_006, build.in_time_order(access, core)).rows == [("pass", "", 1)]


def test_only_the_line_that_was_downgraded_is_named(told) -> None:
    both = build.sdp(
        A[0], build.audio(4000, "RTP/SAVP", build.crypto("a")), build.media("video", 4002, "RTP/SAVP", "97")
    )
    reply = build.sdp(
        B[0], build.audio(5000, "RTP/SAVP", build.crypto("b")), build.media("video", 5002, "RTP/AVP", "97")
    )
    result = told(SIG_006, build.call(both, reply))
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]
    assert result.finding.subject.id == "call-1/1"


def test_a_secure_line_that_the_answer_leaves_out_is_not_assessed(told) -> None:
    """RFC 3264 §6 wants a line for each; which transport the answerer means can't be said."""
    video = build.media("video", 4002, "RTP/SAVP", "97", build.crypto("v"))
    lines = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", build.crypto("a")), video)
    assert told(SIG_006, build.call(lines, answer())).rows == [("pass", "", 1), ("not-assessed", "N-OA", 1)]
