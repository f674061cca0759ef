"""MIKEY messages of RFC 3830, RFC 4650 and RFC 4738 with the user's keys: pre-shared, enveloped, in clear, wrong."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from scapy.packet import Raw

from dissectors.mikey.carriage import from_base64
from dissectors.mikey.extension.layers import CSBID, GeneralExtension
from dissectors.mikey.layers import MIKEY, SRTPID, GenericID
from dissectors.mikey.payload.layers import (
    CERT,
    DH,
    DHHMACKEMAC,
    ID,
    KEMAC,
    PKE,
    RAND,
    SIGN,
    IDAndKeyData,
    KeyData,
    KeyDataSubPayloads,
    PublicKeyKEMAC,
    V,
)
from dissectors.mikey.policy.layers import SP, SRTPPolicy, SRTPPolicyParameter
from imsinspect.crypto.mikey_protection import dh_value, wrap
from imsinspect.keys.mikey import MikeySecrets, OpenedMessage, Sent, open_messages
from imsinspect.keys.mikey_records import MikeyKey, Verification, digest
from tests.crypto.mikey_values import PSK_EXCHANGE
from tests.crypto.test_mikey_protection import certificate
from tests.dissectors.mikey import vectors
from tests.keys.mikey_peers import (
    ALICE,
    BOB,
    TEK,
    Algorithms,
    kemac,
    key_data,
    message_context,
    new_csb,
    now,
    policy,
    pre_shared_answer,
    pre_shared_init,
    with_mac,
)

PSK = bytes.fromhex(PSK_EXCHANGE["PSK"])
I_MESSAGE = bytes.fromhex(vectors.PSK_EXCHANGE["I_MESSAGE"])
R_MESSAGE = bytes.fromhex(vectors.PSK_EXCHANGE["R_MESSAGE"])
HELD = MikeySecrets({"lab": PSK})
SALT_CONSTANT = "39a2c14b"


def sent(octets: bytes, **session: Any) -> Sent:
    return Sent(MIKEY(octets), octets, **session)


def opened(held: MikeySecrets, *messages: bytes) -> tuple[OpenedMessage, ...]:
    return open_messages([sent(one) for one in messages], held)


def teks(found: OpenedMessage) -> dict[int, bytes]:
    return {one.cs_id: one.tek for one in found.sessions}


# --- the computed pre-shared exchange -------------------------------------------------------------


def test_the_pre_shared_exchange_opens() -> None:
    first, answer = opened(HELD, I_MESSAGE, R_MESSAGE)
    assert (first.kind, first.mac.verified, first.opened, first.key) == ("Pre-shared", True, True, digest(PSK))
    assert (first.mac.role, first.mac.name, first.mac.covered) == ("PSK", "lab", "the message")
    key = MikeyKey("TGK", bytes(range(0x40, 0x50)), bytes(range(0x60, 0x6E)), b"\0\0\0\1")
    assert first.keys == (key,)
    assert (answer.kind, answer.mac.verified, answer.opened) == ("PSK ver msg", True, None)
    assert answer.mac.covered == "the message, IDi, IDr and T"
    for found in (first, answer):
        assert {cs_id: tek.hex() for cs_id, tek in teks(found).items()} == {
            1: PSK_EXCHANGE["TEK 1"],
            2: PSK_EXCHANGE["TEK 2"],
        }
        assert {(one.salt, one.mki, one.source, one.policy_no) for one in found.sessions} == {
            (key.salt, b"\0\0\0\1", key.digest, 0)
        }
        policies = {one.policy.suite for one in found.sessions if one.policy is not None}
        assert policies == {"AES_CM_128_HMAC_SHA1_80"}
    assert [(one.ssrc, one.roc, one.sender) for one in first.sessions] == [(0x11111111, 0, "initiator"), (None, 0, "")]
    assert [(one.ssrc, one.sender) for one in answer.sessions] == [
        (0x11111111, "initiator"),
        (0x22222222, "responder"),
    ]


def test_the_answer_of_minisip_is_told_apart() -> None:
    answer = R_MESSAGE[:-20] + bytes.fromhex(PSK_EXCHANGE["V MAC of minisip"])
    found = opened(HELD, I_MESSAGE, answer)[1]
    assert (found.mac.verified, found.mac.covered) == (True, "the message and T, as minisip has it")


def test_a_wrong_key_is_reported_as_wrong() -> None:
    first, answer = opened(MikeySecrets({"lab": bytes(16)}), I_MESSAGE, R_MESSAGE)
    for found in (first, answer):
        assert (found.mac.verified, found.mac.tried, found.key) == (False, (digest(bytes(16)),), "")
        assert found.remarks == ("MAC does not verify with key 374708ff",)
        assert (found.keys, found.sessions) == ((), ())
    assert first.opened is False


def test_without_a_key_nothing_is_said_to_be_wrong() -> None:
    for found in opened(MikeySecrets(), I_MESSAGE, R_MESSAGE):
        assert found.mac == Verification(None, "HMAC-SHA-1-160")
        assert str(found.mac) == "is not verified: no key"
        assert found.remarks == ()


def test_the_key_of_somebody_else_is_tried_but_not_blamed() -> None:
    held = MikeySecrets({"sip:carol@ims.example.org": bytes(16)})
    assert opened(held, I_MESSAGE)[0].mac.verified is None
    held = MikeySecrets({"sip:carol@ims.example.org": PSK})
    assert opened(held, I_MESSAGE)[0].mac.verified is True
    held = MikeySecrets({"lab": bytes(16), "SIPS:Alice@ims.example.org;user=phone": b"k" * 16})
    assert opened(held, I_MESSAGE)[0].mac.tried == (digest(b"k" * 16),)


def test_a_key_that_verified_a_call_of_others_is_not_blamed() -> None:
    use, other = Algorithms(), secrets.token_bytes(16)
    csb_id, rand = new_csb(), secrets.token_bytes(16)
    more = pre_shared_init(
        use, other, [key_data(0, b"t" * 16, 1)], csb_id, rand, [SRTPID()], ids=(b"sip:dan@x", b"sip:eve@x")
    )
    first, second = opened(HELD, I_MESSAGE, more)
    assert (first.mac.verified, second.mac.verified) == (True, None)
    assert opened(HELD, more)[0].mac.verified is False


def test_an_answer_without_its_question_is_not_verified() -> None:
    (found,) = opened(HELD, R_MESSAGE)
    assert found.mac.verified is None
    assert found.remarks == ("the message that it answers was not seen",)


@pytest.mark.parametrize("answer", [False, True])
def test_a_flipped_bit_in_any_octet_shows(answer: bool) -> None:
    octets = R_MESSAGE if answer else I_MESSAGE
    before = [sent(I_MESSAGE)] if answer else []
    assert open_messages([*before, sent(octets)], HELD)[-1].mac.verified
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= 1 << at % 8
        found = open_messages([*before, sent(bytes(changed))], HELD)[-1]
        assert not found.mac.verified, f"octet {at}"
        told = any("not by a MAC" in one for one in found.readings)  # where the MAC algorithm itself was changed
        assert answer or not found.sessions or told, f"octet {at}"


def test_where_the_key_decrypts_but_the_mac_is_wrong_the_message_was_changed() -> None:
    changed = bytearray(I_MESSAGE)
    changed[75] ^= 1  # in IDi
    (found,) = opened(HELD, bytes(changed))
    assert (found.mac.verified, found.opened, found.keys) == (False, False, ())
    assert found.remarks == (
        f"MAC does not verify with key {digest(PSK)[:8]}",
        f"KEMAC decrypts with key {digest(PSK)[:8]}: what the MAC covers was changed on the way",
    )


def test_the_exchange_of_rfc_4567_stays_closed() -> None:
    octets = [from_base64(one.encode()) or b"" for one in vectors.RFC4567.values()]
    assert [one.mac.verified for one in opened(HELD, *octets)] == [False, False]


def test_no_secret_shows() -> None:
    shown = "".join(repr(one) + str(one.mac) for one in opened(HELD, I_MESSAGE, R_MESSAGE)) + repr(HELD)
    for secret in (PSK, bytes(range(0x40, 0x50)), *(bytes.fromhex(PSK_EXCHANGE[f"TEK {one}"]) for one in (1, 2))):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


# --- exchanges with random keys -------------------------------------------------------------------


@pytest.mark.parametrize("use", [Algorithms(), Algorithms(1, 3, 2), Algorithms(0, 3, 1), Algorithms(1, 0, 2)])
def test_both_sides_and_the_audit_reach_the_same_keys(use: Algorithms) -> None:
    psk, tgk = secrets.token_bytes(use.octets), secrets.token_bytes(24)
    csb_id, rand = new_csb(), secrets.token_bytes(20)
    sessions = [SRTPID(ssrc=1, policy_no=5), SRTPID(ssrc=0, roc=0, policy_no=6)]
    filled = [SRTPID(ssrc=1, policy_no=5), SRTPID(ssrc=7, roc=3, policy_no=6)]
    policies = [policy(5, 16), policy(6, 32)]
    first = pre_shared_init(use, psk, [key_data(0, tgk, 1)], csb_id, rand, sessions, policies=policies)
    answer = pre_shared_answer(use, psk, first, rand, filled)
    found = opened(MikeySecrets({"alice@ims.example.org": psk}), first, answer)
    assert [one.mac.verified for one in found] == [True, True]
    for cs_id, octets in ((1, 16), (2, 32)):
        context = bytes([cs_id]) + csb_id.to_bytes(4, "big") + rand
        (session,) = (one for one in found[1].sessions if one.cs_id == cs_id)
        assert session.tek == use.derive(tgk, TEK, context, octets)
        assert session.salt == use.derive(tgk, SALT_CONSTANT, context, 14)
        assert session.policy is not None
        assert (session.policy_no, session.policy.encryption_key_length) == (4 + cs_id, octets)
    assert [(one.ssrc, one.roc, one.sender) for one in found[1].sessions] == [(1, 0, "initiator"), (7, 3, "responder")]


def test_an_update_keeps_the_random_number_of_the_first_exchange() -> None:
    use, psk, csb_id, rand = Algorithms(), secrets.token_bytes(16), new_csb(), secrets.token_bytes(16)
    first = pre_shared_init(
        use, psk, [key_data(0, b"1" * 16, 1)], csb_id, rand, [SRTPID(policy_no=3)], policies=[policy(3, 32)]
    )
    update = pre_shared_init(use, psk, [key_data(0, b"2" * 16, 2)], csb_id, b"", [SRTPID(policy_no=3)], first_rand=rand)
    found = opened(MikeySecrets({"any": psk}), first, update)
    assert [one.mac.verified for one in found] == [True, True]
    context = b"\1" + csb_id.to_bytes(4, "big") + rand
    assert teks(found[1]) == {1: use.derive(b"2" * 16, TEK, context, 32)}  # by the policy of the first exchange
    assert [one.mki for one in found[1].sessions] == [b"\0\0\0\2"]


def test_key_wrap_with_a_mac() -> None:
    """AES-KW takes whole blocks of 64 bits: Key data of 24 octets."""
    use, psk, csb_id, rand = Algorithms(0, 2, 1), b"p" * 16, new_csb(), b"r" * 16
    context = message_context(csb_id, rand)
    key = use.derive(psk, "150533e1", context, 16)
    salt = use.derive(psk, "29b88916", context, 8)
    plain = bytes(KeyDataSubPayloads(payloads=[KeyData(type=0, key_data=b"t" * 16, KV=1, spi=b"\1\2\3")]))
    assert len(plain) == 24
    for data, reading in ((plain, ()), (plain + bytes(8), ("Key data is filled up with 8 octets for AES-KW",))):
        layer = MIKEY(
            csb_id=csb_id,
            cs_id_map_info=[SRTPID()],
            payloads=[now()[0], RAND(rand=rand), kemac(wrap(key, salt, data), 2, 1)],
        )
        octets = with_mac(layer, 1)
        (found,) = opened(MikeySecrets({"any": psk}), octets + use.mac(psk, context, octets))
        assert (found.mac.verified, found.opened, found.readings) == (True, True, reading)
        assert [(one.key, one.spi) for one in found.keys] == [(b"t" * 16, b"\1\2\3")]


def test_encryption_without_a_mac_is_told_by_key_data_that_makes_sense() -> None:
    use, psk, csb_id, rand = Algorithms(0, 1, 0), secrets.token_bytes(16), new_csb(), secrets.token_bytes(16)
    octets = pre_shared_init(use, psk, [key_data(0, b"t" * 16, 1)], csb_id, rand, [SRTPID()])
    (found,) = opened(MikeySecrets({"wrong": bytes(16), "right": psk}), octets)
    assert (found.mac.verified, str(found.mac), found.opened) == (None, "is NULL", True)
    assert found.readings == (f"key {digest(psk)[:8]} is told from Key data that makes sense, not by a MAC",)
    assert [one.key for one in found.keys] == [b"t" * 16]


# --- in clear -------------------------------------------------------------------------------------

CLEAR = {
    "gortsplib-a": ("9091783dfce8ddcd443a53508b64509f", "35bd8a86bc4d8b7637a502493daf", [0x30685760], b""),
    "gortsplib-c": ("991b0f148f094b4e5b8b3053cd627687", "7fcced1866f141772adddde7064b", [0xCC836237, 0xB5CC3BF2], b""),
    "gortsplib-pad": ("5db18d956f6967cc0d73f8b4e776a48a", "08c4220e521dcaa3b800f584fc25", [0x726EF4DB], b""),
    "rtsp-java": ("a67335a9c40b0ad5cc519f2299786113", "82b7edbd4f4cc6a5dd684381db2c", [0x3ACC2CEB], b"\0\0\0\1"),
    "base64": ("5fc5ef382cc8321d094ce5a2bd62f111", "f953512a757e38f68bcc46ec3f43", [0x958C2327], b""),
}


@pytest.mark.parametrize("name", CLEAR)
def test_messages_of_cameras_need_no_key(name: str) -> None:
    octets = from_base64(vectors.RTSP_BASE64.encode()) if name == "base64" else bytes.fromhex(vectors.RTSP[name])
    (found,) = opened(MikeySecrets({"not needed": bytes(16)}), octets or b"")
    key, salt, ssrcs, mki = CLEAR[name]
    assert (found.mac.verified, str(found.mac), found.opened, found.key) == (None, "is NULL", True, "")
    assert found.readings == ("the TEK holds key and salt in one field",)
    assert [(one.tek.hex(), one.salt.hex(), one.ssrc, one.mki) for one in found.sessions] == [
        (key, salt, ssrc, mki) for ssrc in ssrcs
    ]
    assert all(one.policy is not None and one.policy.suite == "AES_CM_128_HMAC_SHA1_80" for one in found.sessions)


def test_a_tek_of_an_odd_length_is_said_to_be_one() -> None:
    (found,) = opened(MikeySecrets(), bytes.fromhex(vectors.RTSP["gortsplib-spi"]))
    assert found.readings == ("the TEK has 3 octets, the policy asks for 16",)
    assert [(one.tek, one.mki, one.ssrc, one.roc) for one in found.sessions] == [
        (b"\xaa\xbb\xcc", b"\x11\x22", 0x11223344, 0x55667788)
    ]


def clear(
    keys: list[KeyData], parameters: dict[int, int], map_type: int = 0, sessions: list[Any] | None = None
) -> bytes:
    carried = [SRTPPolicyParameter(type=kind, value=value) for kind, value in parameters.items()]
    return bytes(
        MIKEY(
            csb_id=7,
            cs_id_map_type=map_type,
            cs_id_map_info=sessions or [SRTPID(ssrc=9)],
            payloads=[
                now()[0],
                RAND(rand=b"r" * 16),
                SP(policy_param=SRTPPolicy(parameters=carried) if carried else Raw()),
                KEMAC(encr_alg=0, encr_data=KeyDataSubPayloads(payloads=keys)),
            ],
        )
    )


def test_the_policy_is_that_of_the_message() -> None:
    octets = clear([KeyData(type=3, key_data=b"k" * 32, salt_data=b"s" * 14)], {1: 32, 8: 0, 11: 4, 6: 3, 13: 5, 14: 2})
    (session,) = opened(MikeySecrets(), octets)[0].sessions
    policy_ = session.policy
    assert policy_ is not None
    assert (policy_.encryption_algorithm, policy_.encryption_key_length, policy_.key_derivation_rate) == (1, 32, 3)
    assert (policy_.srtp_encryption, policy_.srtcp_encryption, policy_.srtp_tag_length) == (True, False, 4)
    assert (policy_.roc_transmission_rate, policy_.srtp_authentication_algorithm) == (5, 2)
    assert (session.tek, session.salt) == (b"k" * 32, b"s" * 14)


def test_a_joined_tek_of_another_length_than_the_policy_says_is_taken_apart() -> None:
    (found,) = opened(MikeySecrets(), clear([KeyData(type=2, key_data=b"k" * 32 + b"s" * 14)], {}))
    assert found.readings == ("the TEK holds a key of 32 octets and a salt in one field, the policy asks for 16",)
    assert [(one.tek, one.salt) for one in found.sessions] == [(b"k" * 32, b"s" * 14)]


def test_validity_and_several_keys() -> None:
    intervals = [(bytes(6), b"\0" * 5 + b"\7"), (b"\0" * 5 + b"\x08", b"\xff" * 6)]
    keys = [
        KeyData(type=3, key_data=key * 16, salt_data=b"s" * 14, KV=2, valid_from=begin, valid_to=end)
        for key, (begin, end) in zip((b"1", b"2"), intervals, strict=True)
    ]
    (found,) = opened(MikeySecrets(), clear(keys, {}))
    assert [one.tek for one in found.sessions] == [b"1" * 16, b"2" * 16]
    assert [(one.valid_from, one.valid_to) for one in found.sessions] == intervals


def test_the_spi_of_a_generic_map_says_which_key_starts() -> None:
    keys = [key_data(3, bytes([one]) * 16, one, b"s" * 14) for one in (1, 2)]
    octets = clear(keys, {}, 2, [GenericID(cs_id=4, policies=[0], spi=b"\0\0\0\2", session_data=Raw())])
    (found,) = opened(MikeySecrets(), octets)
    assert [(one.mki[-1], one.starts, one.ssrc) for one in found.sessions] == [(2, True, None), (1, False, None)]


def test_other_protocols_get_keys_of_several_lengths() -> None:
    octets = clear([key_data(0, b"t" * 16, 1)], {}, 2, [GenericID(cs_id=1, prot_type=7, session_data=Raw())])
    (found,) = opened(MikeySecrets(), octets)
    assert [(len(one.tek), one.prot_type, one.policy) for one in found.sessions] == [(16, 7, None), (32, 7, None)]
    use, context = Algorithms(), b"\1" + bytes(3) + b"\7" + b"r" * 16
    assert found.sessions[1].tek == use.derive(b"t" * 16, TEK, context, 32)


def test_a_policy_with_lengths_that_cannot_be_gives_no_tek() -> None:
    octets = bytes(
        MIKEY(
            cs_id_map_info=[SRTPID(ssrc=9)],
            payloads=[
                now()[0],
                RAND(rand=b"r" * 16),
                SP(policy_param=SRTPPolicy(parameters=[SRTPPolicyParameter(type=1, length=8, value=2**63)])),
                KEMAC(encr_alg=0, encr_data=KeyDataSubPayloads(payloads=[KeyData(type=0, key_data=b"t" * 16)])),
            ],
        )
    )
    (found,) = opened(MikeySecrets(), octets)
    assert (found.sessions, found.readings) == ((), ("no TEK is derived: the policy asks for a length that cannot be",))


# --- envelopes ------------------------------------------------------------------------------------

KEY_R = rsa.generate_private_key(65537, 2048)
KEY_I = rsa.generate_private_key(65537, 2048)
PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "PKCS#1 v1.5": padding.PKCS1v15(),
    "OAEP with SHA-1": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
}


CERTIFICATE = certificate(KEY_I)


def enveloped(
    use: Algorithms,
    data_type: int,
    envelope: bytes,
    csb_id: int,
    rand: bytes,
    *,
    scheme: str = "PKCS#1 v1.5",
    cache: int = 0,
    before: list[Any] | None = None,
    signed: bytes = b"",
    derived_csb: int | None = None,
    keys: list[KeyData] | None = None,
) -> bytes:
    """A message with KEMAC, PKE and SIGN (RFC 3830 §3.2, RFC 4738 §3)."""
    t, value = now()
    context = message_context(csb_id if derived_csb is None else derived_csb, rand)
    plain = bytes(IDAndKeyData(payloads=[ID(id_data=ALICE), *(keys or [key_data(0, b"t" * 16, 1)])]))
    data = use.crypt(envelope, context, csb_id if derived_csb is None else derived_csb, value, plain)
    sealed = PublicKeyKEMAC(
        next_payload=0,
        encr_alg=use.encr_alg,
        encr_data=Raw(data),
        mac_alg=use.mac_alg,
        mac=bytes(20 if use.mac_alg == 1 else 32),
    )
    sealed.mac = use.mac(envelope, context, bytes(sealed)[: -len(sealed.mac)])
    sealed.next_payload = None
    message = MIKEY(
        data_type=data_type,
        prf_func=use.prf,
        csb_id=csb_id,
        cs_id_map_info=[SRTPID(ssrc=9)],
        payloads=[
            t,
            *(before or []),
            *([RAND(rand=rand)] if rand else []),
            CERT(cert_data=CERTIFICATE),
            sealed,
            PKE(C=cache, data=KEY_R.public_key().encrypt(envelope, PADDINGS[scheme])),
            SIGN(s_type=0, signature=Raw(bytes(256))),
        ],
    )
    octets = bytes(message)[:-256]
    covered = octets + signed + (value if signed else b"")
    return octets + KEY_I.sign(covered, padding.PKCS1v15(), hashes.SHA1())


@pytest.mark.parametrize("scheme", PADDINGS)
@pytest.mark.parametrize("use", [Algorithms(), Algorithms(1, 3, 2)])
def test_an_envelope_opens_with_the_private_key(use: Algorithms, scheme: str) -> None:
    envelope, csb_id, rand = secrets.token_bytes(use.octets), new_csb(), secrets.token_bytes(16)
    octets = enveloped(use, 2, envelope, csb_id, rand, scheme=scheme)
    (found,) = opened(MikeySecrets(rsa=(KEY_I, KEY_R)), octets)
    assert (found.mac.verified, found.mac.covered, found.mac.role) == (True, "KEMAC", "envelope key")
    assert found.mac.name == f"RSA, {scheme}"
    public = KEY_R.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert found.key == digest(public)
    assert (found.opened, [one.key for one in found.keys]) == (True, [b"t" * 16])
    context = b"\1" + csb_id.to_bytes(4, "big") + rand
    assert teks(found) == {1: use.derive(b"t" * 16, TEK, context, 16)}
    assert (found.signature.verified, found.signature.algorithm) == (True, "RSA/PKCS#1/1.5 with sha1")
    (wrong,) = opened(MikeySecrets(rsa=(KEY_I,)), octets)
    assert wrong.mac.verified is not True
    assert (wrong.keys, wrong.sessions) == ((), ())


def test_a_flipped_bit_in_an_enveloped_message_shows() -> None:
    octets = enveloped(Algorithms(), 2, b"e" * 16, new_csb(), b"r" * 16)
    held = MikeySecrets(rsa=(KEY_R,))
    for at in [*range(60), *range(len(octets) - 320, len(octets), 7)]:
        changed = bytearray(octets)
        changed[at] ^= 1 << at % 8
        (found,) = opened(held, bytes(changed))
        assert not (found.mac.verified and found.signature.verified), f"octet {at}"


def test_the_answer_to_an_envelope_and_a_cached_envelope_key() -> None:
    use, envelope, csb_id, rand = Algorithms(), secrets.token_bytes(16), new_csb(), secrets.token_bytes(16)
    first = enveloped(use, 2, envelope, csb_id, rand, cache=1, before=[ID(id_data=ALICE), ID(id_data=BOB)])
    answer = bytearray(pre_shared_answer(use, envelope, first, rand, [SRTPID(ssrc=9)]))
    answer[1] = 3
    covered = bytes(answer[:-20]) + ALICE + BOB + bytes(MIKEY(first).payloads[0].ts_value)
    answer[-20:] = use.mac(envelope, message_context(csb_id, rand), covered)
    later, other = new_csb(), secrets.token_bytes(16)
    again = pre_shared_init(use, envelope, [key_data(0, b"2" * 16, 2)], later, other, [SRTPID()])
    found = opened(MikeySecrets(rsa=(KEY_R,)), first, bytes(answer), again)
    assert [one.mac.verified for one in found] == [True, True, True]
    assert [one.mac.role for one in found] == ["envelope key", "envelope key", "cached envelope key"]
    assert [one.key for one in found[2].keys] == [b"2" * 16]


def test_rsa_r_with_the_csb_id_of_a_group() -> None:
    """The Responder supplies RAND, and a CSB ID that takes the place of HDR's (RFC 4738 §3.6)."""
    use, csb_id, group, rand = Algorithms(), new_csb(), new_csb(), secrets.token_bytes(16)
    asked = bytes(
        MIKEY(
            data_type=9,
            V=1,
            csb_id=csb_id,
            cs_id_map_info=[SRTPID(ssrc=9)],
            payloads=[now()[0], ID(id_data=ALICE), CERT(cert_data=CERTIFICATE), SIGN(signature=Raw(bytes(256)))],
        )
    )[:-256]
    asked += KEY_I.sign(asked, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    before = [GeneralExtension(type=4, data=CSBID(csb_id=group)), ID(id_data=BOB)]
    answer = enveloped(use, 10, b"e" * 16, csb_id, rand, before=before, signed=ALICE + BOB, derived_csb=group)
    first, second = opened(MikeySecrets(rsa=(KEY_R,)), asked, answer)
    assert first.signature.verified is False  # it says PKCS#1 v1.5, and is PSS
    assert (second.mac.verified, second.readings) == (True, ("CSB ID of the CSB_ID extension",))
    assert (second.signature.verified, second.signature.covered) == (True, "the message, IDi, IDr and T")
    assert teks(second) == {1: use.derive(b"t" * 16, TEK, b"\1" + group.to_bytes(4, "big") + rand, 16)}


# --- Diffie-Hellman -------------------------------------------------------------------------------


def dhhmac(psk: bytes, mac_alg: int, value: bytes, *, answer: bool = False, rand: bytes = b"r" * 16) -> bytes:
    use = Algorithms()
    layer = MIKEY(
        data_type=8 if answer else 7,
        csb_id=77,
        cs_id_map_info=[SRTPID(ssrc=9)],
        payloads=[
            now()[0],
            *([] if answer else [RAND(rand=rand)]),
            ID(id_data=BOB),
            ID(id_data=ALICE),
            *([DH(dh_group=2, dh_value=value)] * (2 if answer else 1)),
            DHHMACKEMAC(mac_alg=mac_alg, mac=bytes(20)),
        ],
    )
    octets = bytes(layer)[:-20]
    return octets + use.mac(psk, message_context(77, rand), octets)


@pytest.mark.parametrize(
    ("mac_alg", "numbering"),
    [(1, "MAC algorithm by the numbers of RFC 3830"), (0, "MAC algorithm by the numbers of RFC 4650")],
)
def test_dhhmac_is_verified_by_either_numbering_and_stays_closed(mac_alg: int, numbering: str) -> None:
    psk, value = secrets.token_bytes(16), dh_value(2, secrets.randbits(200))
    init, answer = dhhmac(psk, mac_alg, value), dhhmac(psk, mac_alg, value, answer=True)
    found = opened(MikeySecrets({"any": psk}), init, answer)
    assert [one.mac.verified for one in found] == [True, True]
    assert [one.readings for one in found] == [(numbering,)] * 2
    assert [(one.opened, one.keys, one.sessions) for one in found] == [(None, (), ())] * 2
    wrong = opened(MikeySecrets({"any": bytes(16)}), init)[0]
    assert wrong.mac.verified is False


def test_a_degenerate_dh_value_is_remarked() -> None:
    psk = secrets.token_bytes(16)
    (found,) = opened(MikeySecrets({"any": psk}), dhhmac(psk, 1, bytes(127) + b"\1"))
    assert found.remarks == ("a DH value is degenerate: whoever sees it knows the TGK",)


# --- what cannot be opened ------------------------------------------------------------------------


def test_an_unknown_prf_or_algorithm_is_survived() -> None:
    for value, says in ((0x85, "PRF function 5 is not known"), (0xFF, "PRF function 127 is not known")):
        changed = bytearray(I_MESSAGE)
        changed[3] = value
        (found,) = opened(HELD, bytes(changed))
        assert (found.mac.verified, found.remarks) == (None, (says,))


def test_a_v_payload_in_a_message_of_another_kind_is_not_taken_for_an_answer() -> None:
    octets = bytes(MIKEY(data_type=26, payloads=[now()[0], V(ver_data=bytes(20))]))
    (found,) = opened(HELD, octets)
    assert (found.kind, found.mac.verified, found.sessions) == ("SAKKE msg", None, ())


def test_no_messages_give_nothing() -> None:
    assert open_messages([], HELD) == ()
