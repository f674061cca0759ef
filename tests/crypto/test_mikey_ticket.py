"""The key hierarchy of MIKEY-TICKET: every value on the way of two computed exchanges, octet for octet."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from imsinspect.crypto import mikey
from imsinspect.crypto.mikey_protection import (
    MessageKeys,
    decrypt,
    encrypt,
    initialization_vector,
    mac,
    message_keys,
)
from tests.crypto import mikey_values
from tests.dissectors.mikey import vectors


@dataclass
class Exchange:
    values: dict[str, str]
    messages: dict[str, str]
    function: int
    encr_alg: int
    mac_alg: int
    forking: bool

    def __getitem__(self, name: str) -> bytes:
        return bytes.fromhex(self.values[name])

    def message(self, name: str) -> bytes:
        return bytes.fromhex(self.messages[name])


EXCHANGES = {
    "A128": Exchange(mikey_values.A128, vectors.A128, 0, 1, 1, False),
    "B256F": Exchange(mikey_values.B256F, vectors.B256F, 1, 3, 2, True),
}
IDENTITY_I, IDENTITY_R, KMS = b"sip:alice@ims.example.org", b"sip:bob@ims.example.org", b"kms.ims.example.org"
REQUEST, TRANSFER, RESOLVE = 0x0A0B0C01, 0x0A0B0C02, 0x0A0B0C03


@pytest.fixture(params=EXCHANGES)
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return EXCHANGES[request.param]


def keys_of(exchange: Exchange, inkey: str, context: bytes) -> MessageKeys:
    return message_keys(exchange.function, exchange[inkey], context, exchange.encr_alg, exchange.mac_alg)


def joined(keys: MessageKeys) -> bytes:
    return keys.encr_key + keys.auth_key + keys.salt_key


def mac_of(exchange: Exchange, name: str) -> tuple[bytes, bytes]:
    """A message without its MAC, and the MAC."""
    octets = exchange.message(name)
    at = len(octets) - (20 if exchange.mac_alg == 1 else 32)
    return octets[:at], octets[at:]


def initiator_data_octets(exchange: Exchange) -> int:
    return 2 + 2 * (2 + 32) + 1 if exchange.forking else 2


def test_the_ticket_is_protected_by_keys_from_the_tpk(exchange: Exchange) -> None:
    keys = keys_of(exchange, "TPK", mikey.ticket_context(exchange["RAND_ticket"]))
    assert joined(keys) == exchange["ticket encr/auth/salt key"]
    iv = initialization_vector(keys.salt_key, mikey.NO_CSB_ID, bytes.fromhex("e7a1b2c300000000"))
    assert iv == exchange["ticket IV"]
    octets = exchange.message("TRANSFER_INIT")
    at = octets.index(exchange["ticket MAC"])
    begin = octets.index(bytes.fromhex("000101010" + ("1d460" if not exchange.forking else "3fc60")))
    assert mac(exchange.mac_alg, keys.auth_key, octets[begin:at]) == exchange["ticket MAC"]
    sealed = octets[octets.index(exchange["RAND_ticket"]) + len(exchange["RAND_ticket"]) :]
    length = int.from_bytes(sealed[2:4], "big")
    plain = decrypt(exchange.encr_alg, keys, mikey.NO_CSB_ID, bytes.fromhex("e7a1b2c300000000"), sealed[4 : 4 + length])
    assert plain is not None
    assert exchange["MPK"] in plain
    assert exchange["TGK"] + b"\0\x0e" + exchange["SALT"] in plain


def test_mpks_come_from_the_mpk(exchange: Exchange) -> None:
    found = mikey.mpks(exchange.function, exchange["MPK"], exchange["RAND_ticket"])
    assert found == (exchange["MPKi"], exchange["MPKr"])


def test_the_request_is_protected_by_keys_from_the_initiators_psk(exchange: Exchange) -> None:
    keys = keys_of(exchange, "PSK_I", mikey.initial_message_context(REQUEST, exchange["RANDRi"], b""))
    assert keys.auth_key == exchange["REQUEST_INIT_PSK auth_key"]
    covered, value = mac_of(exchange, "REQUEST_INIT_PSK")
    assert mac(exchange.mac_alg, keys.auth_key, covered + IDENTITY_I + KMS) == value
    keys = keys_of(exchange, "PSK_I", mikey.response_message_context(REQUEST, exchange["RANDRi"], b""))
    assert joined(keys) == exchange["REQUEST_RESP encr/auth/salt"]
    timestamp = bytes.fromhex("e7a1b2c400000000")
    assert initialization_vector(keys.salt_key, REQUEST, timestamp) == exchange["REQUEST_RESP IV"]
    covered, value = mac_of(exchange, "REQUEST_RESP")
    assert mac(exchange.mac_alg, keys.auth_key, covered + exchange.message("REQUEST_INIT_PSK")) == value
    plain = bytes.fromhex("14610010") + exchange["MPKi"]
    if not exchange.forking:
        assert encrypt(exchange.encr_alg, keys, REQUEST, timestamp, plain)[4:] in covered


def test_transfer_init_is_protected_by_keys_from_mpki(exchange: Exchange) -> None:
    keys = keys_of(exchange, "MPKi", mikey.initial_message_context(TRANSFER, exchange["RANDRi"], b""))
    assert keys.auth_key == exchange["TRANSFER_INIT auth_key"]
    covered, value = mac_of(exchange, "TRANSFER_INIT")
    end = len(covered) - 2  # next payload and algorithm of V
    without = covered[: end - initiator_data_octets(exchange)] + covered[end:]
    assert value == exchange["TRANSFER_INIT MAC"]
    assert mac(exchange.mac_alg, keys.auth_key, without + IDENTITY_I + IDENTITY_R) == value


def test_vr_is_made_with_a_key_from_mpkr() -> None:
    exchange = EXCHANGES["B256F"]
    keys = keys_of(exchange, "MPKr", mikey.initiator_data_context())
    assert keys.auth_key == exchange["Vr auth_key (from MPKr)"]
    octets = exchange.message("TRANSFER_INIT")
    data = octets[-34 - 69 : -34]
    assert data[:3] == b"\x09\x09\x02"
    assert mac(exchange.mac_alg, keys.auth_key, data[:-32]) == data[-32:]


def test_the_resolve_exchange_is_protected_by_keys_from_the_responders_psk(exchange: Exchange) -> None:
    keys = keys_of(exchange, "PSK_R", mikey.initial_message_context(RESOLVE, b"", exchange["RANDRr_resolve"]))
    covered, value = mac_of(exchange, "RESOLVE_INIT_PSK")
    assert mac(exchange.mac_alg, keys.auth_key, covered + IDENTITY_R + KMS) == value
    keys = keys_of(exchange, "PSK_R", mikey.response_message_context(RESOLVE, b"", exchange["RANDRr_resolve"]))
    covered, value = mac_of(exchange, "RESOLVE_RESP")
    assert mac(exchange.mac_alg, keys.auth_key, covered + exchange.message("RESOLVE_INIT_PSK")) == value


def test_forked_keys() -> None:
    exchange = EXCHANGES["B256F"]
    forked = mikey.forked_mpk_r(1, exchange["MPKr"], IDENTITY_R, exchange["RANDRkms"])
    assert forked == exchange["MPKr'"]
    assert mikey.forked_tgk(1, exchange["TGK"], IDENTITY_R, exchange["RANDRkms"]) == exchange["TGK'"]


def test_transfer_resp_is_protected_by_keys_from_mpki_or_the_forked_mpkr(exchange: Exchange) -> None:
    rand_r = exchange["RANDRr_transfer"] if exchange.forking else b""
    context = mikey.response_message_context(TRANSFER, exchange["RANDRi"], rand_r)
    keys = keys_of(exchange, "MPKr'" if exchange.forking else "MPKi", context)
    assert keys.auth_key == exchange["TRANSFER_RESP auth_key"]
    covered, value = mac_of(exchange, "TRANSFER_RESP")
    assert mac(exchange.mac_alg, keys.auth_key, covered + exchange.message("TRANSFER_INIT")) == value


def test_teks(exchange: Exchange) -> None:
    tgk = exchange["TGK'" if exchange.forking else "TGK"]
    rand_r = exchange["RANDRr_transfer"] if exchange.forking else b""
    bits = 8 * len(exchange["TEK 1"])
    for cs_id in (1, 2):
        context = mikey.ticket_session_context(cs_id, exchange["RANDRi"], rand_r)
        assert mikey.derive(exchange.function, tgk, mikey.TEK, context, bits) == exchange[f"TEK {cs_id}"]
