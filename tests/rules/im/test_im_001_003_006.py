"""IMS-IM-001, -003 and -006, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build

IM_001, IM_003, IM_006 = "IMS-IM-001", "IMS-IM-003", "IMS-IM-006"
UE, P_CSCF, S_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060), ("192.0.2.2", 5060)
SMIME = 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
SEALED = bytes.fromhex("3003020101")
ASSERTED = "P-Asserted-Identity: <sip:bob@example.org>"


def page(
    number: int = 1,
    *,
    source: tuple[str, int] = UE,
    destination: tuple[str, int] = P_CSCF,
    body: bytes = b"Hello",
    content_type: str = "text/plain",
    headers: tuple[str, ...] = (),
    via: tuple[str, ...] = (),
    status: int | None = 200,
    from_uri: str = "sip:alice@example.org",
    transport: str = "UDP",
) -> list[tuple[tuple[str, int], tuple[str, int], bytes]]:
    """A MESSAGE and its answer."""
    talk = build.Dialog(
        caller=source, callee=destination, call_id=f"page-{number}", via=via, from_uri=from_uri, transport=transport
    )
    out = [(source, destination, talk.request("MESSAGE", body, content_type=content_type, headers=headers))]
    if status is not None:
        out.append((destination, source, talk.response(status, "Answer", method="MESSAGE")))
    return out


def register(*, source: tuple[str, int] = UE, at: float = 0.0) -> list[build.Packet]:
    """A binding of the UE at the P-CSCF."""
    talk = build.Dialog(caller=source, callee=P_CSCF, call_id="reg", to_uri="sip:alice@example.org")
    return build.carry(
        talk, [(at, talk.request("REGISTER"), True), (at + 0.01, talk.response(200, "OK", method="REGISTER"), False)]
    )


def udp(*exchanges: list[tuple[tuple[str, int], tuple[str, int], bytes]], at: float = 1.0) -> list[build.Packet]:
    messages = [each for exchange in exchanges for each in exchange]
    return [(at + 0.1 * number, build.udp(one, other, data)) for number, (one, other, data) in enumerate(messages)]


# --- IMS-IM-001 -----------------------------------------------------------------------------------


def test_messages_over_udp_without_an_association(told) -> None:
    """The catalogue's trigger: two messages of one sender are one finding; the text is never shown."""
    result = told(IM_001, udp(page(1), page(2)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert [each.frame for each in finding.evidence] == [1, 3]
    assert "text/plain" in finding.message
    assert "is assumed" in finding.message
    assert "Hello" not in repr(finding)
    assert result.rows == [("violation", "", 1)]


def test_a_registration_shows_the_hop(told) -> None:
    result = told(IM_001, register() + udp(page(1), page(2, source=P_CSCF, destination=UE, via=("SIP/2.0/UDP x",))))
    assert [each.confidence for each in result.findings] == ["proven", "proven"]


def test_tls_that_was_opened_and_esp_pass(told) -> None:
    """The catalogue's near miss; ESP-NULL is the object of IMS-IM-002."""
    (_, _, data), _ = page(1)
    packets = [(0.0, build.esp_null(UE, P_CSCF, data, spi=7, sequence=1))]
    assert told(IM_001, packets).rows == [("pass", "", 1)]
    (_, _, data), _ = page(1, transport="TLS")
    session = build.tls_session(("192.0.2.10", 40_000), ("192.0.2.1", 5061), 0x003B, data=[data], null_mac=32)
    assert told(IM_001, session).rows == [("pass", "", 1)]


def test_smime_in_the_body_makes_it_information(told) -> None:
    finding = told(IM_001, udp(page(1, body=SEALED, content_type=SMIME))).finding
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<isComposing/>", "application/im-iscomposing+xml"),
        (b"<imdn/>", "message/imdn+xml"),
        (b"From: <sip:a@b>\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>", "message/cpim"),
    ],
)
def test_what_is_no_message_of_a_person_is_no_object(told, body: bytes, content_type: str) -> None:
    assert told(IM_001, udp(page(1, body=body, content_type=content_type))).rows == []


def test_hops_of_the_core_are_no_object(told) -> None:
    charging = ("P-Charging-Vector: icid-value=1", ASSERTED)
    assert (
        told(IM_001, udp(page(1, source=P_CSCF, destination=S_CSCF, headers=charging, via=("SIP/2.0/UDP x",)))).rows
        == []
    )


def test_a_hop_that_nothing_tells_is_not_assessed(told) -> None:
    packets = udp(page(1, source=P_CSCF, destination=S_CSCF, via=("SIP/2.0/UDP x",)))
    assert told(IM_001, packets).rows == [("not-assessed", "N-DIR", 1)]
    assert [each.verdict for each in told(IM_001, packets, capture_point="access").findings] == ["violation"]


def test_a_capture_behind_the_protection_is_not_assessed(told) -> None:
    """T-CORE."""
    assert told(IM_001, udp(page(1)), capture_point="post-decryption").rows == [("not-assessed", "T-CORE", 1)]


def test_a_retransmission_is_not_counted_again(told) -> None:
    request, answer = page(1)
    assert "1 MESSAGE from" in told(IM_001, udp([request, request, answer])).finding.message


def test_another_profile_leaves_the_rule_out() -> None:
    audit = build.audit_bytes(build.pcap(udp(page(1))), profile="im-kms")
    assert [row for row in audit.assessments if row.rule == IM_001] == []


# --- IMS-IM-003 -----------------------------------------------------------------------------------

THROUGH = {"source": P_CSCF, "destination": UE, "via": ("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKs",)}


def delivered(**more: object) -> list[build.Packet]:
    """A message that the P-CSCF hands to a registered UE."""
    return register() + udp(page(1, **{**THROUGH, **more}))  # type: ignore[arg-type]


def test_a_delivered_message_without_an_asserted_sender(told) -> None:
    """The catalogue's trigger."""
    result = told(IM_003, delivered())
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert [each.frame for each in finding.evidence] == [3]
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    "more",
    [
        {"headers": ("Privacy: id",)},
        {"headers": (ASSERTED,)},
        {"from_uri": "sip:anonymous@anonymous.invalid"},
        {"body": b"\0\1", "content_type": "application/vnd.3gpp.sms"},
        {"status": 403},
    ],
)
def test_identified_hidden_refused_and_short_messages_pass(told, more: dict[str, object]) -> None:
    """The catalogue's near miss, and its traps."""
    assert told(IM_003, delivered(**more)).rows == [("pass", "", 1)]


def test_the_hop_from_the_ue_is_no_object(told) -> None:
    assert told(IM_003, register() + udp(page(1))).rows == []


def test_without_an_answer_and_without_a_hop_it_is_not_assessed(told) -> None:
    assert told(IM_003, delivered(status=None)).rows == [("not-assessed", "N-OA", 1)]
    assert told(IM_003, udp(page(1, **THROUGH))).rows == [("not-assessed", "N-DIR", 1)]


# --- IMS-IM-006 -----------------------------------------------------------------------------------


def asked(
    *exchanges: list[tuple[tuple[str, int], tuple[str, int], bytes]], **options: str
) -> list[tuple[str, str, int]]:
    audit = build.audit_bytes(build.pcap(udp(*exchanges)), **options)
    return [(row.outcome, row.gap, row.subjects) for row in audit.assessments if row.rule == IM_006]


def test_text_in_the_kms_profile() -> None:
    """The catalogue's trigger."""
    audit = build.audit_bytes(build.pcap(udp(page(1))), profile="im-kms")
    (finding,) = [each for each in audit.findings if each.rule == IM_006]
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [each.frame for each in finding.evidence] == [1]


def test_smime_passes() -> None:
    """The catalogue's near miss."""
    assert asked(page(1, body=SEALED, content_type=SMIME), profile="im-kms") == [("pass", "", 1)]


def test_keys_and_notifications_are_no_object() -> None:
    assert asked(page(1, body=b"\1\x0e", content_type="application/mikey"), profile="im-kms") == []


def test_without_a_profile_other_messages_of_the_sender_decide() -> None:
    sealed = page(1, body=SEALED, content_type=SMIME)
    assert asked(sealed, page(2)) == [("violation", "", 1), ("pass", "", 1)]
    assert asked(page(2)) == []
    assert asked(sealed, page(2, from_uri="sip:carol@example.org")) == [("pass", "", 1)]
    assert asked(sealed, page(2), profile="im-sig") == []
