"""A policy with its defaults, and the suite that it equals."""

from __future__ import annotations

import pytest

from dissectors.mikey import policies
from dissectors.mikey.policies import MISSION_CRITICAL_DEFAULTS, srtp_parameters, tesla_parameters
from dissectors.sdp.suites import SDES_SUITES


@pytest.mark.parametrize(
    ("carried", "suite"),
    [
        ([], "AES_CM_128_HMAC_SHA1_80"),
        ([(11, 4)], "AES_CM_128_HMAC_SHA1_32"),
        ([(1, 24)], "AES_192_CM_HMAC_SHA1_80"),
        ([(1, 24), (11, 4)], "AES_192_CM_HMAC_SHA1_32"),
        ([(1, 32)], "AES_256_CM_HMAC_SHA1_80"),
        ([(1, 32), (11, 4)], "AES_256_CM_HMAC_SHA1_32"),
        ([(0, 2)], "F8_128_HMAC_SHA1_80"),
        ([(0, 6)], "AEAD_AES_128_GCM"),
        ([(0, 6), (1, 32)], "AEAD_AES_256_GCM"),
        ([(0, 6), (10, 0), (2, 0)], "AEAD_AES_128_GCM"),
        ([(0, 6), (20, 8)], ""),
        ([(0, 0)], ""),
        ([(2, 0)], ""),
        ([(7, 0)], ""),
        ([(8, 0)], ""),
        ([(10, 0)], ""),
        ([(11, 7)], ""),
        ([(14, 4), (18, 4)], ""),
    ],
)
def test_the_suite_that_a_policy_equals(carried: list[tuple[int, int]], suite: str) -> None:
    parameters = srtp_parameters(carried)
    assert parameters.suite == suite
    if suite:
        known = SDES_SUITES[suite]
        assert (parameters.encryption_key_length, parameters.salt_length) == (known.key, known.salt)
        assert str(parameters) == suite


def test_every_suite_is_one_of_sdp() -> None:
    assert {*policies._SUITES.values(), *policies._AEAD_SUITES.values()} <= set(SDES_SUITES)


def test_the_defaults_of_srtp() -> None:
    one = srtp_parameters([])
    assert (one.encryption_algorithm, one.encryption_key_length, one.salt_length, one.prf) == (1, 16, 14, 0)
    assert (one.key_derivation_rate, one.fec_order, one.prefix_length, one.roc_transmission_rate) == (0, 0, 0, 1)
    assert (one.srtp_encryption, one.srtcp_encryption, one.srtp_authentication) == (True, True, True)
    assert (one.srtp_authentication_algorithm, one.srtcp_authentication_algorithm) == (1, 1)
    assert (one.srtp_authentication_key_length, one.srtcp_authentication_key_length) == (20, 20)
    assert (one.srtp_tag_length, one.srtcp_tag_length, one.aead_tag_length) == (10, 10, 16)


def test_the_defaults_of_mission_critical_services() -> None:
    one = srtp_parameters([(18, 4), (19, 0), (14, 4)], MISSION_CRITICAL_DEFAULTS)
    assert (one.suite, one.salt_length, one.srtp_tag_length, one.srtcp_tag_length) == ("AEAD_AES_128_GCM", 12, 4, 0)


def test_finer_parameters_win() -> None:
    one = srtp_parameters([(2, 0), (14, 1), (3, 8), (17, 9), (11, 4), (19, 10)])
    assert (one.srtp_authentication_algorithm, one.srtcp_authentication_algorithm) == (1, 0)
    assert (one.srtp_authentication_key_length, one.srtcp_authentication_key_length) == (8, 9)
    assert (one.srtp_tag_length, one.srtcp_tag_length) == (4, 10)


def test_of_a_parameter_given_twice_the_first_holds() -> None:
    assert srtp_parameters([(1, 32), (1, 16)]).encryption_key_length == 32


@pytest.mark.parametrize(
    ("carried", "confidential", "authenticated", "text"),
    [
        ([(0, 0)], False, True, "no encryption with HMAC-SHA-1"),
        ([(7, 0), (10, 0)], False, False, "no encryption with no authentication"),
        ([(2, 0)], True, False, "AES-CM with no authentication"),
        ([(0, 8), (1, 16)], True, True, "ARIA-GCM with its own tag"),
        ([(0, 99), (2, 98)], True, True, "unknown (99) with unknown (98)"),
    ],
)
def test_what_a_policy_protects(
    carried: list[tuple[int, int]], confidential: bool, authenticated: bool, text: str
) -> None:
    one = srtp_parameters(carried)
    assert (one.confidential, one.authenticated, str(one)) == (confidential, authenticated, text)


def test_an_aead_has_a_salt_of_twelve_octets_unless_another_is_given() -> None:
    assert srtp_parameters([(0, 6)]).salt_length == 12
    assert srtp_parameters([(0, 6), (4, 14)]).salt_length == 14


def test_tesla() -> None:
    one = tesla_parameters([(6, 100), (7, 2), (8, 50), (5, 1), (9, 3)])
    assert (one.prf, one.prf_output_length, one.mac, one.mac_output_length) == (0, 160, 0, 80)
    assert (one.session_start, one.interval_duration, one.key_disclosure_delay) == (1, 100, 2)
    assert (one.key_chain_length, one.receiver_timestamp) == (50, 3)
    assert tesla_parameters([(2, 128), (2, 96)]).prf_output_length == 128
    assert tesla_parameters([]).session_start is None
