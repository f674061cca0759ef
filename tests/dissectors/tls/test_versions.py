"""Protocol versions: names as reports write them, and which came before which."""

from __future__ import annotations

import pytest

from dissectors.tls.codes import ALERT_DESCRIPTIONS, EXTENSION_TYPES, SRTP_PROTECTION_PROFILES, name_of
from dissectors.tls.versions import is_obsolete, is_tls13, version_name, version_rank


@pytest.mark.parametrize(
    ("code", "name", "obsolete", "tls13"),
    [
        (0x0002, "SSL 2.0", True, False),
        (0x0300, "SSL 3.0", True, False),
        (0x0301, "TLS 1.0", True, False),
        (0x0302, "TLS 1.1", True, False),
        (0x0303, "TLS 1.2", False, False),
        (0x0304, "TLS 1.3", False, True),
        (0x7F1C, "TLS 1.3 (draft 28)", False, True),
        (0xFEFF, "DTLS 1.0", True, False),
        (0x0100, "DTLS 1.0", True, False),
        (0xFEFD, "DTLS 1.2", False, False),
        (0xFEFC, "DTLS 1.3", False, True),
        (0x6A6A, "GREASE (0x6a6a)", False, False),
        (0x0999, "0x0999", False, False),
    ],
)
def test_a_version_has_a_name_and_an_age(code: int, name: str, obsolete: bool, tls13: bool) -> None:
    assert (version_name(code), is_obsolete(code), is_tls13(code)) == (name, obsolete, tls13)


def test_tls_and_dtls_of_one_generation_rank_equal() -> None:
    assert version_rank(0x0302) == version_rank(0xFEFF) == version_rank(0x0100)
    assert version_rank(0x0303) == version_rank(0xFEFD)
    assert version_rank(0x0304) == version_rank(0xFEFC)


def test_code_points_without_a_name_stay_printable() -> None:
    assert name_of(ALERT_DESCRIPTIONS, 115) == "unknown_psk_identity"
    assert name_of(ALERT_DESCRIPTIONS, 200) == "unknown (200)"
    assert name_of(EXTENSION_TYPES, 0x1A1A) == "GREASE (0x1a1a)"
    assert name_of(SRTP_PROTECTION_PROFILES, 1) == "SRTP_AES128_CM_HMAC_SHA1_80"
