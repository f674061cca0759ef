"""IMS-EVT-005: conference NOTIFYs on hops without protection."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.conference_kit import ALICE, BOB, FOCUS, PROXY, Notify, document, subscribe
from tests.rules.evt.conftest import in_esp, in_esp_null, members, smime, state

RULE = "IMS-EVT-005"


def test_a_notify_in_udp_is_a_violation(told):
    result = told(RULE, members(), subscribe(ALICE, state(), state(5, document(BOB, version=2)), at=3))
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.HIGH, "proven", "violation")
    assert finding.subject.id == "conference-1/subscription-1"
    assert len(result.frames()) == 2
    assert finding.evidence[0].observed == "without any protection"
    for word in ("203.0.113.9:5060 to 203.0.113.1:5060 over UDP", "can forge it", "No TLS or ESP that encrypts"):
        assert word in finding.message
    assert result.rows == [("violation", "", 1)]


def test_it_needs_no_profile(told):
    assert told(RULE, subscribe(ALICE, state())).rows == [("violation", "", 1)]
    assert told(RULE, members(), subscribe(ALICE, state(), at=3), profile="rfc-only").rows == [("violation", "", 1)]


def test_esp_that_encrypts_passes(told, esp_key):
    result = told(RULE, in_esp(subscribe(ALICE, state())), keys=esp_key)
    assert result.rows == [("pass", "", 1)]


def test_esp_with_null_encryption_is_medium(told):
    result = told(RULE, in_esp_null(subscribe(ALICE, state())))
    assert (result.finding.severity, result.finding.evidence[0].observed) == (
        Severity.MEDIUM, "in ESP with NULL encryption",
    )  # fmt: skip
    assert "forge" not in result.finding.message


def test_tls_with_a_null_cipher_follows_from_it(told):
    said = [payload for _, _, _, payload in _payloads(subscribe(ALICE, state(), requested=False))][:1]
    packets = build.tls_session(FOCUS, PROXY, 0x003B, data=said, null_mac=32)
    result = told(RULE, [(at, data) for at, data in packets])
    assert (result.finding.severity, result.finding.evidence[0].observed) == (
        Severity.MEDIUM, "in TLS with a NULL cipher",
    )  # fmt: skip
    assert result.finding.follows_from


def _payloads(packets):
    from tests.rules.evt.conftest import datagrams

    return datagrams(packets)


def test_s_mime_makes_the_hop_no_matter(told):
    assert told(RULE, members(), subscribe(ALICE, smime(), at=3)).rows == [("pass", "", 1)]


def test_under_g3_evt_001_speaks_instead(told):
    assert told(RULE, members(), subscribe(ALICE, state(), at=3), profile="g3").rows == []
    assert told(RULE, members(), subscribe(ALICE, state(), at=3), profile="tr-kms").rows == []


def test_a_notify_without_state_is_no_object(told):
    assert told(RULE, members(), subscribe(ALICE, Notify(0.5, state="terminated"), at=3)).rows == []


def test_hops_of_one_notify_are_judged_each(told, esp_key):
    outer = in_esp(subscribe(ALICE, state(0.51), source=ALICE.address, focus=PROXY, at=3))
    inner = subscribe(ALICE, state(0.5), at=3)
    result = told(RULE, members(), outer, inner, keys=esp_key)
    assert len(result.frames()) == 1
    assert "203.0.113.9:5060 to 203.0.113.1:5060" in result.finding.message


def test_one_packet_sighted_twice_counts_once(told):
    once = subscribe(ALICE, state())
    twice = build.in_time_order(once, [(at + 0.001, data) for at, data in once])
    result = told(RULE, twice)
    assert "in the NOTIFY in frame" in result.finding.message


def test_exported_pdus_are_not_assessed(told):
    result = told(RULE, _exported(subscribe(ALICE, state())), link_type=build.EXPORTED_PDU)
    assert result.rows == [("not-assessed", "T-CORE", 1)]


def _exported(packets):
    import struct

    def tag(kind: int, data: bytes) -> bytes:
        return struct.pack("!HH", kind, len(data)) + data + bytes(-len(data) % 4)

    out = []
    for at, source, destination, payload in _payloads(packets):
        ends = [bytes(map(int, end[0].split("."))) for end in (source, destination)]
        ports = [struct.pack("!I", end[1]) for end in (source, destination)]
        tags = tag(12, b"sip") + tag(20, ends[0]) + tag(21, ends[1]) + tag(24, struct.pack("!I", 3))
        tags += tag(25, ports[0]) + tag(26, ports[1]) + struct.pack("!HH", 0, 0)
        out.append((at, tags + payload))
    return out


def test_what_the_user_declares_lowers_it(told):
    packets = members(), subscribe(ALICE, state(), at=3)
    secured = told(RULE, *packets, capture_point="core-secured").finding
    assert (secured.severity, secured.confidence) == (Severity.INFO, "strong")
    assert "declared as core-secured" in secured.message
    assert told(RULE, *packets, nds="trusted-site").finding.severity is Severity.INFO
    access = told(RULE, *packets, capture_point="access", access_confidentiality="assumed").finding
    assert access.severity is Severity.MEDIUM
    assert told(RULE, *packets, access_confidentiality="assumed").finding.severity is Severity.HIGH


def test_sealed_signalling_is_a_gap(told):
    hidden = in_esp(subscribe(BOB, state()))
    assert told(RULE, hidden).rows == [("not-assessed", "N-SIP", 1)]
