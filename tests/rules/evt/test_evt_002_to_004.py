"""IMS-EVT-002 to 004: what S/MIME around conference state lacks."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests.conference_kit import ALICE, BOB, Notify, document, subscribe
from tests.rules.evt.conftest import ENVELOPED, KEK, KEK_NAME, SMIME, entity, members, sealed, smime, state
from tests.trace import cms_seal
from tests.trace.cms_seal import (
    SHA_1,
    SHA_1_RSA,
    TRIPLE_DES,
    enveloped,
    for_recipients,
    kek_recipient,
    other_recipient,
    signed_by,
    transport_recipient,
)

EVT_002, EVT_003, EVT_004 = "IMS-EVT-002", "IMS-EVT-003", "IMS-EVT-004"


def asked(told, rule, *bodies, content_type=ENVELOPED, **options):
    notifications = [smime(0.5 + number, body, content_type) for number, body in enumerate(bodies)]
    return told(rule, members(), subscribe(ALICE, *notifications, at=3), profile="g3", **options)


def kek(plain: bytes) -> bytes:
    return kek_recipient(cms_seal.content_key(plain), KEK, KEK_NAME)


# --- 002 ------------------------------------------------------------------------------------------


def test_002_recipients_by_certificate_alone_are_a_violation(told):
    result = asked(told, EVT_002, for_recipients(entity(), transport_recipient()))
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.MEDIUM, "proven", "violation")
    assert finding.evidence[0].field == "CMS recipientInfos"
    assert "ktri" in finding.evidence[0].observed
    assert "a certificate" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_002_a_pre_shared_key_passes(told):
    assert asked(told, EVT_002, sealed()).rows == [("pass", "", 1)]


def test_002_a_pre_shared_key_beside_others_passes(told):
    body = for_recipients(entity(), transport_recipient(), kek(entity()))
    assert asked(told, EVT_002, body).rows == [("pass", "", 1)]


def test_002_another_kind_of_recipient_is_not_assessed(told):
    body = for_recipients(entity(), other_recipient(), transport_recipient())
    assert asked(told, EVT_002, body).rows == [("not-assessed", "N-KEY", 1)]


def test_002_a_message_that_cannot_be_taken_apart_is_not_assessed(told):
    assert asked(told, EVT_002, b"\x30\x82\xff\xff" + bytes(40)).rows == [("not-assessed", "N-FRAG", 1)]


def test_002_bodies_without_s_mime_are_no_object(told):
    assert told(EVT_002, members(), subscribe(ALICE, state(), at=3), profile="g3").rows == []


def test_002_under_g2_it_does_not_apply(told):
    body = for_recipients(entity(), transport_recipient())
    assert told(EVT_002, members(), subscribe(ALICE, smime(0.5, body, ENVELOPED), at=3)).rows == []


# --- 003 ------------------------------------------------------------------------------------------


def test_003_cbc_without_anything_inside_is_proven_with_the_key(told, event_key):
    result = asked(told, EVT_003, enveloped(entity(), (KEK, KEK_NAME)), keys=event_key)
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.HIGH, "proven", "violation")
    assert finding.evidence[0].observed == "id-envelopedData with id-aes128-CBC"
    assert "nothing inside authenticates it" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_003_cbc_without_a_key_may_hold_a_signature(told):
    result = asked(told, EVT_003, enveloped(entity(), (KEK, KEK_NAME)))
    finding = result.finding
    assert (finding.severity, finding.confidence, finding.verdict) == (Severity.MEDIUM, "heuristic", "suspect")
    assert "no key at hand opens it" in finding.message


def test_003_a_signature_inside_passes(told, event_key):
    inside = f"Content-Type: {SMIME}signed-data\r\n\r\n".encode() + signed_by(entity())
    assert asked(told, EVT_003, enveloped(inside, (KEK, KEK_NAME)), keys=event_key).rows == [("pass", "", 1)]


def test_003_authenticated_encryption_passes(told):
    assert asked(told, EVT_003, sealed()).rows == [("pass", "", 1)]


def test_003_a_signature_around_passes(told):
    inside = f"Content-Type: {ENVELOPED}\r\n\r\n".encode() + enveloped(entity(), (KEK, KEK_NAME))
    assert asked(told, EVT_003, signed_by(inside), content_type=SMIME + "signed-data").rows == [("pass", "", 1)]


@pytest.mark.parametrize("opaque", [True, False])
def test_003_signed_and_not_encrypted_is_a_violation(told, opaque):
    body, content_type = signed_by(entity()), SMIME + "signed-data"
    if not opaque:
        body = (
            b"--b\r\nContent-Type: application/conference-info+xml\r\n\r\n" + document(ALICE, BOB)
            + b"\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n"
        )  # fmt: skip
        content_type = 'multipart/signed; boundary="b"; protocol="application/pkcs7-signature"'
    result = asked(told, EVT_003, body, content_type=content_type)
    assert (result.finding.severity, result.finding.verdict) == (Severity.HIGH, "violation")
    assert result.finding.title == "Conference state signed and not encrypted"


def test_003_two_kinds_of_bodies_in_one_subscription_are_told_apart(told):
    result = asked(told, EVT_003, enveloped(entity(), (KEK, KEK_NAME)), sealed())
    assert result.rows == [("suspect", "", 1), ("pass", "", 1)]


def test_003_a_message_that_cannot_be_taken_apart_is_not_assessed(told):
    assert asked(told, EVT_003, b"\x30\x82\xff\xff" + bytes(40)).rows == [("not-assessed", "N-FRAG", 1)]


def test_003_where_the_profile_is_open_it_is_not_assessed(told):
    result = told(EVT_003, subscribe(ALICE, smime(0.5, for_recipients(entity(), transport_recipient()), ENVELOPED)))
    assert result.rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- 004 ------------------------------------------------------------------------------------------


def test_004_triple_des_is_a_violation(told):
    result = asked(told, EVT_004, for_recipients(entity(), kek(entity()), cipher=TRIPLE_DES))
    finding = result.finding
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, "proven")
    assert finding.evidence[0].observed == "des-ede3-cbc (1.2.840.113549.3.7)"
    assert "des-ede3-cbc" in finding.message


def test_004_sha_1_under_a_signature_is_a_violation(told):
    inside = f"Content-Type: {ENVELOPED}\r\n\r\n".encode() + enveloped(entity(), (KEK, KEK_NAME))
    body = signed_by(inside, digest=SHA_1, signature=SHA_1_RSA)
    result = asked(told, EVT_004, body, content_type=SMIME + "signed-data")
    assert {each.observed.partition(" ")[0] for each in result.finding.evidence} == {"sha-1", "sha1WithRSAEncryption"}


def test_004_current_algorithms_pass(told):
    assert asked(told, EVT_004, sealed(), enveloped(entity(), (KEK, KEK_NAME))).rows == [("pass", "", 1)]


def test_004_a_message_that_cannot_be_taken_apart_is_not_assessed(told):
    assert asked(told, EVT_004, b"\x30\x82\xff\xff" + bytes(40)).rows == [("not-assessed", "N-FRAG", 1)]


def test_004_without_s_mime_there_is_no_object(told):
    assert told(EVT_004, members(), subscribe(ALICE, Notify(0.5, document(ALICE)), at=3), profile="g3").rows == []
