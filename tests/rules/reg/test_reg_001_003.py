"""IMS-REG-001 and -003, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import answer, offer

REG_001, REG_003 = "IMS-REG-001", "IMS-REG-003"
UE, P_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060)
IPSEC = "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=1;spi-s=2;port-c=5062;port-s=5064"
LIST = (IPSEC, "sdes-srtp;mediasec", "msrp-tls;mediasec")


def lines(header: str, mechanisms: tuple[str, ...], *, joined: bool = False) -> tuple[str, ...]:
    return (f"{header}: {', '.join(mechanisms)}",) if joined else tuple(f"{header}: {each}" for each in mechanisms)


def registration(
    verify: tuple[str, ...] = LIST,
    *,
    joined: bool = False,
    final: int | None = 200,
    server: tuple[str, ...] = LIST,
    challenged: bool = True,
) -> list[build.Packet]:
    """REGISTER, 401 with Security-Server, REGISTER with Security-Verify, and its answer."""
    talk = build.Dialog(caller=UE, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org")
    script = []
    if challenged:
        script.append((0.0, talk.request("REGISTER", headers=lines("Security-Client", LIST)), True))
        headers = lines("Security-Server", server)
        script.append((0.1, talk.response(401, "Unauthorized", method="REGISTER", headers=headers), False))
    talk.cseq += 1
    headers = lines("Security-Verify", verify, joined=joined)
    script.append((0.2, talk.request("REGISTER", headers=headers), True))
    if final is not None:
        script.append((0.3, talk.response(final, "Answer", method="REGISTER"), False))
    return build.carry(talk, script)


# --- IMS-REG-001 ----------------------------------------------------------------------------------


def test_a_mechanism_that_is_missing_and_accepted(told) -> None:
    """The catalogue's trigger."""
    result = told(REG_001, registration((IPSEC, "msrp-tls;mediasec")))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [each.frame for each in finding.evidence] == [2, 3]
    assert "sdes-srtp;mediasec is missing" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    ("verify", "joined"),
    [
        (LIST, False),
        (LIST, True),
        ((IPSEC.upper().replace("IPSEC-3GPP", "ipsec-3gpp"), "SDES-SRTP; mediasec", "msrp-tls ;mediasec"), True),
    ],
)
def test_the_same_list_in_another_writing_passes(told, verify: tuple[str, ...], joined: bool) -> None:
    """The catalogue's near miss: one header line, other spaces and cases."""
    assert told(REG_001, registration(verify, joined=joined)).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    "verify",
    [
        (IPSEC.replace("aes-cbc", "null"), *LIST[1:]),
        (LIST[1], LIST[0], LIST[2]),
        (*LIST, "bfcp-tls;mediasec"),
    ],
)
def test_other_parameters_another_order_and_more_mechanisms_are_findings(told, verify: tuple[str, ...]) -> None:
    assert len(told(REG_001, registration(verify)).findings) == 1


def test_a_difference_that_is_refused_passes(told) -> None:
    assert told(REG_001, registration(LIST[:1], final=494)).rows == [("pass", "", 1)]


def test_a_new_list_at_the_next_registration_is_the_one_that_counts(told) -> None:
    """SPIs and ports change."""
    fresh = (IPSEC.replace("spi-c=1", "spi-c=11"), *LIST[1:])
    again = [(at + 10, data) for at, data in registration(fresh, server=fresh)]
    assert told(REG_001, registration() + again).rows == [("pass", "", 1)]


def test_later_requests_of_the_ue_mirror_it_too(told) -> None:
    talk = build.Dialog(caller=UE, callee=P_CSCF)
    invite = talk.request("INVITE", offer("RTP/AVP"), headers=lines("Security-Verify", LIST[:1]))
    script = [(1.0, invite, True), (1.1, talk.response(200, "OK", answer("RTP/AVP")), False)]
    assert told(REG_001, registration() + build.carry(talk, script)).frames() == [2, 5]


def test_without_the_list_or_an_answer_it_is_not_assessed(told) -> None:
    assert told(REG_001, registration(challenged=False)).rows == [("not-assessed", "N-REG", 1)]
    assert told(REG_001, registration(LIST[:1], final=None)).rows == [("not-assessed", "N-OA", 1)]


# --- IMS-REG-003 ----------------------------------------------------------------------------------


def bare(*, headers: tuple[str, ...] = (), via: tuple[str, ...] = (), final: int = 200) -> list[build.Packet]:
    """A registration with a digest over UDP."""
    talk = build.Dialog(caller=UE, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org", via=via)
    request = talk.request("REGISTER", headers=headers)
    response = talk.response(final, "Answer", method="REGISTER")
    return build.carry(talk, [(0.0, request, True), (0.1, response, False)])


def session(*, secure: bool = True) -> list[build.Packet]:
    talk = build.Dialog(caller=UE, callee=P_CSCF)
    bodies = (offer(), answer()) if secure else (offer("RTP/AVP"), answer("RTP/AVP"))
    return build.call(*bodies, dialog=talk, at=1.0)


def test_a_registration_in_clear_before_a_call_with_keys_in_clear(told) -> None:
    """The catalogue's trigger."""
    result = told(REG_003, bare() + session())
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [each.frame for each in finding.evidence] == [1, 2, 3]
    assert "carry keys" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_without_media_security_it_is_medium(told) -> None:
    assert told(REG_003, bare() + session(secure=False)).finding.severity is Severity.MEDIUM


def test_a_security_agreement_and_protected_registrations_pass(told) -> None:
    """The catalogue's near miss, in ESP and in TLS."""
    assert told(REG_003, registration() + session()).rows == [("pass", "", 1)]
    talk = build.Dialog(caller=UE, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org", transport="TLS")
    request, response = talk.request("REGISTER"), talk.response(200, "OK", method="REGISTER")
    sealed = [
        (0.0, build.esp_null(UE, P_CSCF, request, spi=1, sequence=1)),
        (0.1, build.esp_null(P_CSCF, UE, response, spi=2, sequence=1)),
    ]
    assert told(REG_003, sealed + session()).rows == [("pass", "", 1)]


def test_a_refused_registration_is_no_object(told) -> None:
    assert told(REG_003, bare(final=403) + session()).rows == []


@pytest.mark.parametrize("more", [{"via": ("SIP/2.0/UDP 10.0.0.1",)}, {"headers": ("Path: <sip:192.0.2.1;lr>",)}])
def test_a_register_beyond_the_first_hop_is_not_assessed(told, more: dict[str, tuple[str, ...]]) -> None:
    assert told(REG_003, bare(**more) + session()).rows == [("not-assessed", "N-DIR", 1)]


def test_without_a_later_request_it_is_not_assessed(told) -> None:
    assert told(REG_003, bare()).rows == [("not-assessed", "N-MED", 1)]


def test_behind_the_protection_it_is_not_assessed(told) -> None:
    """T-CORE."""
    assert told(REG_003, bare() + session(), capture_point="core-secured").rows == [("not-assessed", "T-CORE", 1)]
