"""IMS-TLS-005, -006 and -007: TLS of lines whose keys come by MIKEY-TICKET, from capture octets to findings."""

from __future__ import annotations

from typing import Any

import pytest

from imsinspect.policy import Policy, Thresholds
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.rules.conftest import Told
from tests.rules.tls.hellos import tls, tls13

TLS_005, TLS_006, TLS_007 = "IMS-TLS-005", "IMS-TLS-006", "IMS-TLS-007"
ALL = (TLS_005, TLS_006, TLS_007)
A, B = "192.0.2.10", "198.51.100.20"
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
INIT = mikey.init(sessions=mikey.for_lines("tls")).attribute()
RESP = mikey.resp(sessions=mikey.for_lines("tls")).attribute()
ECDHE_RSA, PSK_GCM, PSK_CBC, ECDHE_PSK, DHE_PSK, RSA_PSK = 0xC02F, 0x00A8, 0x00AE, 0xC037, 0x00AA, 0x00AC


def audited(rule: str, packets: list[build.Packet], **options: Any) -> Told:
    """What a rule says of a capture, with the profiles that the tool finds or is told."""
    audit = build.audit_bytes(build.pcap(packets), **options)
    assert not [note for note in audit.notes if "failed" in note.text]
    return Told(rule, audit)  # type: ignore[arg-type]


def chat(
    *connection: list[build.Packet],
    offered: tuple[str, ...] = (INIT,),
    answered: tuple[str, ...] = (RESP,),
    session: bool = False,
) -> list[build.Packet]:
    """A call with a line of messages over TLS, keyed by MIKEY, and connections."""
    sections = []
    for ip, attributes in ((A, offered), (B, answered)):
        path = f"a=path:msrps://{ip}:2855/{'alice' if ip == A else 'bob'};tcp"
        own = () if session else attributes
        line = build.media("message", 2855, "TCP/TLS/MSRP", "*", path, *own)
        sections.append(build.sdp(ip, line, session=attributes if session else ()))
    return build.in_time_order(build.call(*sections), *connection)


def chosen(suite: int, **more: Any) -> list[build.Packet]:
    """A TLS connection with that suite."""
    return tls([suite], suite, **more)


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ALL)
def test_plain_psk_with_an_empty_identity_is_what_the_profile_wants(rule: str) -> None:
    """The near misses of IMS-TLS-005, IMS-TLS-006 and IMS-TLS-007."""
    for suite in (PSK_GCM, PSK_CBC):
        assert audited(rule, chat(chosen(suite))).rows == [("pass", "", 1)]
    assert audited(rule, chat(chosen(PSK_GCM), session=True)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("rule", ALL)
def test_without_a_handshake(rule: str) -> None:
    """N-HS."""
    assert audited(rule, chat()).rows == [("not-assessed", "N-HS", 1)]
    assert audited(rule, chat(tls([PSK_GCM], None))).rows == [("not-assessed", "N-HS", 1)]


@pytest.mark.parametrize("rule", ALL)
def test_lines_that_mikey_does_not_key_have_no_object(rule: str) -> None:
    packets = chat(chosen(ECDHE_RSA), offered=(FINGERPRINT,), answered=(FINGERPRINT,))
    assert audited(rule, packets).rows == []
    assert audited(rule, packets, profile="g3").rows == []


@pytest.mark.parametrize("rule", ALL)
def test_an_answer_that_takes_certificates_is_not_keyed_by_mikey(rule: str) -> None:
    packets = chat(chosen(ECDHE_RSA), offered=(INIT, FINGERPRINT), answered=(FINGERPRINT,))
    assert audited(rule, packets, profile="g3").rows == []


@pytest.mark.parametrize("rule", ALL)
def test_another_profile_that_is_asked_for(rule: str) -> None:
    assert audited(rule, chat(chosen(ECDHE_RSA)), profile="e2ae").rows == []


@pytest.mark.parametrize("rule", ALL)
def test_mikey_without_a_ticket_needs_a_profile(rule: str) -> None:
    plain = mikey.init(data_type=0, ticket=None, sessions=mikey.for_lines("tls")).attribute()
    packets = chat(chosen(PSK_GCM, identity=b"key 1"), offered=(plain,), answered=())
    assert audited(rule, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert audited(rule, packets, profile="g3").rows == [("violation" if rule == TLS_007 else "pass", "", 1)]


@pytest.mark.parametrize("rule", ALL)
def test_a_refused_handshake_has_no_object(rule: str) -> None:
    assert audited(rule, chat(chosen(ECDHE_RSA, client_alert=b"\x02\x28"))).rows == []


# --- IMS-TLS-005 ----------------------------------------------------------------------------------


def test_a_suite_with_certificates_bypasses_the_ticket() -> None:
    """The catalogue's trigger."""
    result = audited(TLS_005, chat(chosen(ECDHE_RSA)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("tls-session", "tls-1")
    assert result.frames() == [1, 4, 10]
    assert finding.evidence[-1].observed == "0xc02f TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert "of media line call-1/0, whose keys come by a=key-mgmt:mikey" in finding.message
    assert "the shared secret plays no part" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_an_answer_may_be_silent_where_the_ticket_asks_for_none() -> None:
    assert audited(TLS_005, chat(chosen(ECDHE_RSA), answered=())).rows == [("violation", "", 1)]


def test_suites_with_diffie_hellman_have_the_secret_too() -> None:
    assert audited(TLS_005, chat(chosen(ECDHE_PSK))).rows == [("pass", "", 1)]


def test_in_tls_1_3_the_extension_says_it() -> None:
    assert audited(TLS_005, chat(tls13(psk=True))).rows == [("pass", "", 1)]
    finding = audited(TLS_005, chat(tls13())).finding
    assert "TLS_AES_128_GCM_SHA256 without a pre-shared key" in finding.message


def test_a_suite_that_nobody_knows() -> None:
    assert audited(TLS_005, chat(chosen(0x7777))).rows == [("not-assessed", "N-HS", 1)]


def test_another_line_to_the_access_edge_is_not_compared() -> None:
    """The leg of another hop is a line of its own: its certificates are right."""
    edge = build.Dialog(("203.0.113.1", 5060), ("203.0.113.2", 5060), call_id="edge", from_tag="x", to_tag="y")
    offer, answer = (
        build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/z;tcp", FINGERPRINT))
        for ip in ("203.0.113.1", "203.0.113.2")
    )
    other = tls(client=("203.0.113.1", 41_000), server=("203.0.113.2", 2855), client_random=b"e" * 32)
    packets = build.in_time_order(chat(chosen(PSK_GCM)), build.call(offer, answer, dialog=edge), other)
    assert audited(TLS_005, packets).rows == [("pass", "", 1)]


# --- IMS-TLS-006 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("suite", "kind"), [(ECDHE_PSK, "ECDHE_PSK"), (DHE_PSK, "DHE_PSK")])
def test_diffie_hellman_leaves_the_profile(suite: int, kind: str) -> None:
    """The catalogue's trigger."""
    result = audited(TLS_006, chat(chosen(suite)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert finding.title == f"{kind} where plain PSK is required"
    assert result.frames() == [1, 4, 10]
    assert "It is not weaker" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_certificate_that_nobody_checks_is_graver() -> None:
    finding = audited(TLS_006, chat(chosen(RSA_PSK))).finding
    assert finding.severity == Severity.MEDIUM
    assert "A certificate that nobody checks" in finding.message


def test_a_policy_may_allow_diffie_hellman_but_not_rsa() -> None:
    policy = Policy(thresholds=Thresholds(tls_psk_dh="allow"))
    assert audited(TLS_006, chat(chosen(ECDHE_PSK)), policy=policy).rows == [("pass", "", 1)]
    assert audited(TLS_006, chat(chosen(RSA_PSK)), policy=policy).rows == [("violation", "", 1)]


def test_suites_without_the_secret_and_tls_1_3_are_other_rules() -> None:
    assert audited(TLS_006, chat(chosen(ECDHE_RSA))).rows == []
    assert audited(TLS_006, chat(tls13(psk=True))).rows == []


# --- IMS-TLS-007 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [b"alice@h", b"sip:alice@example.org", b"+4915112345678", b"001011234567890"])
def test_an_identity_that_names_a_user(identity: bytes) -> None:
    """The catalogue's trigger, raised as it looks like an identity."""
    result = audited(TLS_007, chat(chosen(PSK_GCM, identity=identity)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert result.frames() == [1, 4, 11]
    assert finding.evidence[-1].field == "ClientKeyExchange.psk_identity"
    assert f"'{identity.decode()}', which names a user" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_another_identity_is_a_matter_of_conformity() -> None:
    finding = audited(TLS_007, chat(chosen(PSK_GCM, identity=b"key 1"))).finding
    assert finding.severity == Severity.LOW
    assert "'key 1', which is not empty" in finding.message


def test_a_long_identity_is_shown_in_part() -> None:
    finding = audited(TLS_007, chat(chosen(PSK_GCM, identity=b"k" * 500))).finding
    assert "of 500 octets" in finding.message
    assert len(finding.evidence[-1].observed) < 70


def test_a_session_without_a_pre_shared_key_and_tls_1_3_have_no_object() -> None:
    assert audited(TLS_007, chat(chosen(ECDHE_RSA))).rows == []
    assert audited(TLS_007, chat(tls13(psk=True))).rows == []


def test_the_key_exchange_was_not_captured() -> None:
    assert audited(TLS_007, chat(chosen(PSK_GCM, finish=False))).rows == [("not-assessed", "N-HS", 1)]


def test_a_resumed_session_sends_no_identity() -> None:
    """T-RES."""
    connection = build.TcpConnection((A, 40_000), (B, 2855))
    hello = build.client_hello([PSK_GCM])
    hello = hello[:34] + bytes((32,)) + b"r" * 32 + hello[35:]
    reply = build.server_hello(PSK_GCM, session_id=b"r" * 32)
    done = build.tls_record(build.CHANGE_CIPHER_SPEC, b"\x01") + build.tls_record(build.HANDSHAKE, build.noise(1, 40))
    packets = connection.open(1.0)
    packets += connection.send(1.1, build.tls_record(build.HANDSHAKE, build.handshake(1, hello)))
    flight = build.tls_record(build.HANDSHAKE, build.handshake(2, reply)) + done
    packets += connection.send(1.2, flight, from_client=False)
    packets += connection.send(1.3, done)
    assert audited(TLS_007, chat(packets)).rows == [("not-assessed", "T-RES", 1)]
    assert audited(TLS_005, chat(packets)).rows == [("pass", "", 1)]
