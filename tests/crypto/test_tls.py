"""What secrets are held to open, and that none of them shows."""

from __future__ import annotations

import pickle

from dissectors.tls.suite_names import SUITE_NAMES
from dissectors.tls.suites import suite
from imsinspect.crypto.tls import PLAIN_PSK_SUITES, PreSharedKey, TlsSecrets, digest

RANDOM, OTHER = b"\x01" * 32, b"\x02" * 32
ECDHE, PSK_GCM, DHE_PSK = 0xC02F, 0x00A8, 0x00AA


def test_the_suites_of_plain_pre_shared_keys_are_those_of_the_registry() -> None:
    assert {code for code in SUITE_NAMES if suite(code).psk == "PSK" and "SALSA20" not in suite(code).name} == set(
        PLAIN_PSK_SUITES
    )
    assert len(PLAIN_PSK_SUITES) == 24


def test_secrets_named_by_the_client_random_open_its_session_alone() -> None:
    for secrets in (
        TlsSecrets(master={RANDOM: bytes(48)}),
        TlsSecrets(traffic={RANDOM: {"EXPORTER_SECRET": bytes(32)}}),
        TlsSecrets(premaster={RANDOM: bytes(48)}),
    ):
        assert secrets
        assert secrets.opens(RANDOM, ECDHE)
        assert not secrets.opens(OTHER, ECDHE)


def test_a_pre_shared_key_opens_what_needs_no_diffie_hellman() -> None:
    secrets = TlsSecrets(psks=[PreSharedKey(b"key")])
    assert secrets.opens(RANDOM, PSK_GCM)
    assert not secrets.opens(RANDOM, DHE_PSK)
    assert not secrets.opens(RANDOM, 0x1301)
    assert secrets.opens(RANDOM, 0x1301, psk_ke=True)


def test_secrets_of_unknown_sessions_may_open_any() -> None:
    assert TlsSecrets(rsa_premaster={bytes(8): bytes(48)}).opens(OTHER, ECDHE)
    assert TlsSecrets(session_master={b"id": bytes(48)}).opens(OTHER, ECDHE)
    assert not TlsSecrets()
    assert not TlsSecrets().opens(OTHER, PSK_GCM)


def test_a_pre_shared_key_of_a_server_is_left_out_elsewhere() -> None:
    here, there = ("192.0.2.1", 5061), ("192.0.2.2", 5061)
    anywhere = PreSharedKey(b"any")
    secrets = TlsSecrets(psks=[anywhere, PreSharedKey(b"key", server=here)], master={RANDOM: bytes(48)})
    assert secrets.between(here, there) is secrets
    assert secrets.between(there, here) is secrets
    other = secrets.between(there, ("192.0.2.3", 1))
    assert (other.psks, other.master) == ([anywhere], secrets.master)
    assert other.resumable is secrets.resumable


def test_sets_of_secrets_are_joined() -> None:
    one = TlsSecrets(master={RANDOM: b"1"}, traffic={RANDOM: {"A": b"a"}}, psks=[PreSharedKey(b"key")])
    one.add(TlsSecrets(master={OTHER: b"2"}, traffic={RANDOM: {"B": b"b"}}, psks=[PreSharedKey(b"key")]))
    assert one.master == {RANDOM: b"1", OTHER: b"2"}
    assert one.traffic == {RANDOM: {"A": b"a", "B": b"b"}}
    assert one.psks == [PreSharedKey(b"key")]


def test_no_secret_shows_in_a_representation_and_all_can_be_pickled() -> None:
    value = b"secret value"
    secrets = TlsSecrets(
        {RANDOM: value}, {RANDOM: {"A": value}}, {RANDOM: value}, {value: value}, {value: value},
        [PreSharedKey(value, b"alice")], {value: ("psk", "digest", value)},
    )  # fmt: skip
    assert "secret" not in repr(secrets)
    assert "alice" in repr(secrets)
    assert pickle.loads(pickle.dumps(secrets)) == secrets
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
