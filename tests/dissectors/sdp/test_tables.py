"""Tables of crypto suites, DTLS-SRTP profiles and transports."""

from __future__ import annotations

import pytest

from dissectors.sdp.suites import DTLS_SRTP_PROFILES, SDES_SUITES, crypto_suite
from dissectors.sdp.transports import TRANSPORTS, transport


@pytest.mark.parametrize(
    ("name", "length", "tags"),
    [
        (b"AES_CM_128_HMAC_SHA1_80", 30, (10, 10)),
        (b"AES_CM_128_HMAC_SHA1_32", 30, (4, 10)),
        (b"F8_128_HMAC_SHA1_80", 30, (10, 10)),
        (b"AES_192_CM_HMAC_SHA1_80", 38, (10, 10)),
        (b"AES_192_CM_HMAC_SHA1_32", 38, (4, 10)),
        (b"AES_256_CM_HMAC_SHA1_80", 46, (10, 10)),
        (b"AES_256_CM_HMAC_SHA1_32", 46, (4, 10)),
        (b"AES_CM_256_HMAC_SHA1_32", 46, (4, 10)),
        (b"AES_CM_192_HMAC_SHA1_80", 38, (10, 10)),
        (b"aead_aes_128_gcm", 28, (16, 16)),
        (b"AEAD_AES_256_GCM", 44, (16, 16)),
        (b"SEED_CTR_128_HMAC_SHA1_80", 30, (10, 10)),
        (b"SEED_128_CCM_80", 28, (10, 10)),
        (b"SEED_128_GCM_96", 28, (12, 12)),
    ],
)
def test_suites_of_crypto_lines(name: bytes, length: int, tags: tuple[int, int]) -> None:
    suite = crypto_suite(name)
    assert suite is not None
    assert (suite.length, (suite.srtp_tag, suite.srtcp_tag)) == (length, tags)
    assert suite.registered
    assert (suite.srtp_lifetime, suite.srtcp_lifetime) == (1 << 48, 1 << 31)


def test_null_suites_are_unregistered_and_encrypt_nothing() -> None:
    null = [suite for suite in SDES_SUITES.values() if suite.null]
    assert {suite.name for suite in null} == {"NULL_HMAC_SHA1_80", "NULL_HMAC_SHA1_32"}
    assert not any(suite.registered for suite in null)
    assert crypto_suite(b"ARIA_128") is None


def test_profiles_of_dtls_srtp() -> None:
    assert sorted(DTLS_SRTP_PROFILES) == [1, 2, *range(5, 17)]
    assert DTLS_SRTP_PROFILES[1].length == 30
    assert DTLS_SRTP_PROFILES[1].srtp_lifetime == 1 << 31
    assert DTLS_SRTP_PROFILES[2].srtp_tag == 4
    assert DTLS_SRTP_PROFILES[6].null
    assert DTLS_SRTP_PROFILES[8].aead


SECURE = {
    "RTP/SAVP": ("RTP/AVP", "rtp", "sdes-or-other"),
    "RTP/SAVPF": ("RTP/AVPF", "rtp", "sdes-or-other"),
    "UDP/TLS/RTP/SAVP": ("RTP/AVP", "rtp", "dtls"),
    "UDP/TLS/RTP/SAVPF": ("RTP/AVPF", "rtp", "dtls"),
    "TCP/RTP/SAVP": ("TCP/RTP/AVP", "rtp", "sdes-or-other"),
    "TCP/DTLS/RTP/SAVP": ("TCP/RTP/AVP", "rtp", "dtls"),
    "TCP/DTLS/RTP/SAVPF": ("TCP/RTP/AVPF", "rtp", "dtls"),
    "TCP/TLS": ("TCP", "other", "tls"),
    "TCP/TLS/MSRP": ("TCP/MSRP", "msrp", "tls"),
    "TCP/TLS/BFCP": ("TCP/BFCP", "bfcp", "tls"),
    "UDP/TLS/BFCP": ("UDP/BFCP", "bfcp", "dtls"),
    "TCP/DTLS/BFCP": ("TCP/BFCP", "bfcp", "dtls"),
    "UDP/TLS/UDPTL": ("UDPTL", "udptl", "dtls"),
    "UDP/DTLS/SCTP": ("", "sctp", "dtls"),
    "TCP/DTLS/SCTP": ("", "sctp", "dtls"),
    "TCP/TLS/ANYTHING": ("TCP/ANYTHING", "other", "tls"),
}


@pytest.mark.parametrize("name", SECURE)
def test_secure_transports_and_their_clear_counterparts(name: str) -> None:
    for spelled in (name, name.lower()):
        row = transport(spelled.encode())
        assert (row.name, row.secure) == (name, True)
        assert (row.clear, row.family, row.security) == SECURE[name]


@pytest.mark.parametrize(
    "name", ["RTP/AVP", "RTP/AVPF", "TCP/MSRP", "TCP/BFCP", "UDP/BFCP", "udptl", "UDP", "TCP/RTP/AVP"]
)
def test_clear_transports(name: str) -> None:
    row = transport(name.encode())
    assert (row.secure, row.security, row.clear, row.known) == (False, "none", "", True)


def test_every_clear_counterpart_is_a_clear_transport() -> None:
    for row in TRANSPORTS.values():
        assert not row.clear or not TRANSPORTS[row.clear].secure
        assert bool(row.secure) == (row.security != "none")


def test_unknown_transports_stay_printable() -> None:
    row = transport(b"X/\x1b[31m\xff")
    assert (row.secure, row.security, row.known) == (False, "none", False)
    assert row.name.isprintable()
    assert row.name.isascii()
    assert transport(b"").name == ""
