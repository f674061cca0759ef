"""IMS-TLS-002, -003, -004 and -010: what hellos select and offer, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.tls.hellos import CLIENT, SERVER, dtls, supported_versions, tls, tls13

TLS_001, TLS_002, TLS_003, TLS_004, TLS_010 = (f"IMS-TLS-{number}" for number in ("001", "002", "003", "004", "010"))
SELECTING = (TLS_002, TLS_003, TLS_004)
UDP_ENDS = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)


def records_only(version: int) -> list[build.Packet]:
    """A capture that begins behind the handshake."""
    connection = build.TcpConnection(CLIENT, SERVER)
    record = build.tls_record(build.APPLICATION_DATA, build.noise(1, 200), version=version)
    return [packet for at in range(6) for packet in connection.send(at, record, from_client=at % 2 == 0)]


def agreed_without_a_connection() -> list[build.Packet]:
    """A call whose messages are to be sent over TLS, of which none was captured."""
    offer, answer = (
        build.sdp(ip, build.media("message", 2855, "TCP/TLS/MSRP", "*", f"a=path:msrps://{ip}:2855/a;tcp", FINGERPRINT))
        for ip in ("192.0.2.10", "198.51.100.20")
    )
    return build.call(offer, answer)


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", SELECTING)
def test_a_session_of_today_passes(told, rule: str) -> None:
    assert told(rule, tls()).rows == [("pass", "", 1)]
    assert told(rule, tls13()).rows == [("pass", "", 1)]
    assert told(rule, dtls(UDP_ENDS)).rows == [("pass", "", 1)]


@pytest.mark.parametrize("rule", SELECTING)
def test_without_a_server_hello_nothing_is_known(told, rule: str) -> None:
    assert told(rule, tls(selected=None)).rows == [("not-assessed", "N-HS", 1)]
    assert told(rule, records_only(0x0303)).rows == [("not-assessed", "N-HS", 1)]


@pytest.mark.parametrize("rule", [*SELECTING, TLS_010])
def test_a_line_agreed_with_tls_and_no_connection(told, rule: str) -> None:
    assert told(rule, agreed_without_a_connection()).rows == [("not-assessed", "N-HS", 1)]


@pytest.mark.parametrize("rule", SELECTING)
def test_what_the_server_refused_was_not_negotiated(told, rule: str) -> None:
    assert told(rule, tls([0x0005, 0x0034], server_alert=b"\x02\x28")).rows == []


@pytest.mark.parametrize("rule", [*SELECTING, TLS_001])
def test_what_the_client_refused_was_not_negotiated(told, rule: str) -> None:
    refused = tls([0xC02F], 0x0018, server_version=0x0302, client_alert=b"\x02\x46")
    assert told(rule, refused).rows == []
    broken_later = tls([0x0018], 0x0018, server_version=0x0302, client_alert=b"\x02\x2a")
    assert told(rule, broken_later).rows == [("pass" if rule == TLS_001 else "violation", "", 1)]


@pytest.mark.parametrize("rule", [TLS_003, TLS_004])
def test_a_suite_that_no_registry_knows(told, rule: str) -> None:
    assert told(rule, tls([0x7777], 0x7777)).rows == [("not-assessed", "N-HS", 1)]


def test_captures_without_tls_have_no_object(told) -> None:
    packets = [(0.0, build.udp(CLIENT, SERVER, b"nothing"))]
    assert [told(rule, packets).rows for rule in (*SELECTING, TLS_010)] == [[], [], [], []]


@pytest.mark.parametrize("rule", [*SELECTING, TLS_001, TLS_010])
def test_other_services_are_information_only(told, rule: str) -> None:
    """A session to a port of mail that no line announced is none of IMS; on the port of HTTP it may be."""
    weak = {"offered": [0x0002, 0x0018], "selected": 0x0002 if rule == TLS_001 else 0x0018, "server_version": 0x0301}
    mail = told(rule, tls(server=("198.51.100.20", 993), **weak)).finding
    assert (mail.severity, mail.verdict) == (Severity.INFO, "violation")
    assert "port 993 is that of IMAP" in mail.message
    assert told(rule, tls(server=("198.51.100.20", 443), **weak)).finding.severity > Severity.INFO


# --- IMS-TLS-002 ----------------------------------------------------------------------------------


def test_tls_1_1_is_obsolete(told) -> None:
    """The catalogue's trigger."""
    result = told(TLS_002, tls(client_version=0x0303, server_version=0x0302))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id, finding.title) == ("tls-session", "tls-1", "TLS 1.1 negotiated")
    assert [(each.frame, each.observed) for each in finding.evidence] == [(5, "TLS 1.1")]
    assert "in frame 5" in finding.message
    assert "The client offered TLS 1.2" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(("version", "name"), [(0x0300, "SSL 3.0"), (0x0301, "TLS 1.0"), (0x0302, "TLS 1.1")])
def test_older_versions_are_obsolete_too(told, version: int, name: str) -> None:
    finding = told(TLS_002, tls(client_version=version, server_version=version)).finding
    assert finding.title == f"{name} negotiated"
    assert "The client offered nothing better" in finding.message


def test_dtls_1_0_is_obsolete(told) -> None:
    finding = told(TLS_002, dtls(UDP_ENDS, version=0xFEFF)).finding
    assert finding.title == "DTLS 1.0 negotiated"


def test_the_version_of_the_first_record_says_nothing(told) -> None:
    """The catalogue's near miss: `tls` sends its ClientHello in a record of 0x0301."""
    assert told(TLS_002, tls()).rows == [("pass", "", 1)]


def test_the_legacy_version_of_tls_1_3_says_nothing(told) -> None:
    extensions = {
        "client_extensions": supported_versions(0x0304, 0x0303),
        "server_extensions": supported_versions(0x0304, selected=True),
    }
    assert told(TLS_002, tls([0x1301], 0x1301, finish=False, **extensions)).rows == [("pass", "", 1)]


def test_records_of_an_obsolete_version_without_their_handshake_are_suspected(told) -> None:
    finding = told(TLS_002, records_only(0x0301)).finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")
    assert "Not seen: the handshake" in finding.message


def test_a_version_that_nobody_knows(told) -> None:
    assert told(TLS_002, tls(server_version=0x0399, finish=False)).rows == [("not-assessed", "N-HS", 1)]


def test_the_version_finding_names_the_media_line(told) -> None:
    ends = {"client": ("192.0.2.10", 41_000), "server": ("198.51.100.20", 2855)}
    packets = build.in_time_order(agreed_without_a_connection(), tls(server_version=0x0301, **ends))
    assert "of media line call-1/0" in told(TLS_002, packets).finding.message


# --- IMS-TLS-003 ----------------------------------------------------------------------------------


def test_a_psk_suite_with_rc4_is_broken(told) -> None:
    """The catalogue's trigger."""
    finding = told(TLS_003, tls([0x008A], 0x008A)).finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [(each.frame, each.observed) for each in finding.evidence] == [(5, "0x008a TLS_PSK_WITH_RC4_128_SHA")]
    assert "biases of its keystream" in finding.message
    assert finding.subject.id == "tls-1"


def test_a_psk_suite_with_aes_cbc_is_not_broken(told) -> None:
    """The catalogue's near miss."""
    assert told(TLS_003, tls([0x008C], 0x008C)).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    ("suite", "why"), [(0x000A, "Sweet32"), (0x0009, "56 bits"), (0x0003, "export"), (0x0006, "RC2"), (0x0007, "IDEA")]
)
def test_other_broken_ciphers(told, suite: int, why: str) -> None:
    finding = told(TLS_003, tls([suite], suite)).finding
    assert why in finding.message + finding.title or why.lower() in finding.message + finding.title.lower()


def test_signals_in_the_clients_list_are_no_suites(told) -> None:
    assert told(TLS_003, tls([0x00FF, 0x5600, 0xC02F])).rows == [("pass", "", 1)]


def test_suites_that_do_not_encrypt_are_another_rule(told) -> None:
    assert told(TLS_003, tls([0x003B], 0x003B)).rows == [("pass", "", 1)]


# --- IMS-TLS-004 ----------------------------------------------------------------------------------


def test_an_anonymous_suite_is_critical(told) -> None:
    """The catalogue's trigger."""
    finding = told(TLS_004, tls([0x0034], 0x0034)).finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert [(each.frame, each.observed) for each in finding.evidence] == [
        (5, "0x0034 TLS_DH_anon_WITH_AES_128_CBC_SHA")
    ]
    assert "authenticates neither side" in finding.message
    assert finding.subject.id == "tls-1"


@pytest.mark.parametrize("suite", [0xC018, 0x00A6])
def test_other_anonymous_suites(told, suite: int) -> None:
    assert told(TLS_004, tls([suite], suite)).rows == [("violation", "", 1)]


def test_a_pre_shared_key_authenticates_without_certificates(told) -> None:
    """The catalogue's near miss."""
    assert told(TLS_004, tls([0x00A8], 0x00A8)).rows == [("pass", "", 1)]


# --- IMS-TLS-010 ----------------------------------------------------------------------------------


def test_a_null_suite_in_the_list_is_told(told) -> None:
    """The catalogue's trigger."""
    finding = told(TLS_010, tls([0x0002, 0xC02F])).finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert [(each.frame, each.observed) for each in finding.evidence] == [(4, "0x0002 TLS_RSA_WITH_NULL_SHA")]
    assert "The server selected TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in finding.message
    assert finding.title == "Weak suites offered: NULL"


def test_every_kind_of_weakness_is_named(told) -> None:
    finding = told(TLS_010, tls([0x0002, 0x0034, 0x0005, 0x000A, 0x0009, 0x0007, 0x0006, 0xC02F])).finding
    assert finding.title == "Weak suites offered: NULL, anonymous, export, RC4, RC2, IDEA, DES, 3DES"
    assert "7 weak suites" in finding.message


def test_grease_and_signals_are_no_suites(told) -> None:
    """The catalogue's near miss."""
    assert told(TLS_010, tls([0x0A0A, 0x00FF, 0x5600, 0xC02F])).rows == [("pass", "", 1)]


def test_plain_psk_and_cbc_are_no_weakness_by_themselves(told) -> None:
    assert told(TLS_010, tls([0x008C, 0x00AE, 0x002F, 0xC02F])).rows == [("pass", "", 1)]


def test_without_a_client_hello_the_offer_is_not_known(told) -> None:
    assert told(TLS_010, records_only(0x0303)).rows == [("not-assessed", "N-HS", 1)]


def test_an_offer_without_an_answer_is_told(told) -> None:
    assert "Not seen: what the server selected" in told(TLS_010, tls([0x0005], None)).finding.message


def test_it_stands_beside_what_was_selected(told) -> None:
    packets = tls([0x0005], 0x0005)
    assert told(TLS_003, packets).rows == told(TLS_010, packets).rows == [("violation", "", 1)]
