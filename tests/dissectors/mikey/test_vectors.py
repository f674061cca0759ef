"""Published messages and computed exchanges are read field for field, and built again octet for octet."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dissectors.binary import notes
from dissectors.mikey.carriage import from_base64, to_base64
from dissectors.mikey.extension.layers import KeyParameters, ProtectedKeyParameters
from dissectors.mikey.layers import MIKEY
from dissectors.mikey.messages import CryptoSession, Identity, Key, message
from dissectors.mikey.payload.layers import KeyData, KeyDataSubPayloads
from dissectors.mikey.policies import srtp_parameters
from dissectors.tree import tree
from tests.dissectors.caches import without_caches
from tests.dissectors.mikey import vectors

TICKET_MESSAGES = (
    *("REQUEST_INIT_PSK", "REQUEST_RESP", "TRANSFER_INIT", "RESOLVE_INIT_PSK", "RESOLVE_RESP", "TRANSFER_RESP"),
)

ALL: dict[str, bytes] = {
    **{f"RFC 4567 {name}": from_base64(text.encode()) or b"" for name, text in vectors.RFC4567.items()},
    **{f"PSK {name}": bytes.fromhex(text) for name, text in vectors.PSK_EXCHANGE.items()},
    **{f"GStreamer {name}": bytes.fromhex(text) for name, text in vectors.GSTREAMER.items()},
    **{f"RTSP {name}": bytes.fromhex(text) for name, text in vectors.RTSP.items()},
    "RTSP base64": from_base64(vectors.RTSP_BASE64.encode()) or b"",
    **{f"SAKKE {name}": from_base64(text.encode()) or b"" for name, text in vectors.SAKKE.items()},
    **{f"A128 {name}": bytes.fromhex(vectors.A128[name]) for name in TICKET_MESSAGES},
    **{f"B256F {name}": bytes.fromhex(vectors.B256F[name]) for name in TICKET_MESSAGES},
}

ALICE, BOB, KMS = b"sip:alice@ims.example.org", b"sip:bob@ims.example.org", b"kms.ims.example.org"


def offsets(packet: MIKEY) -> list[tuple[str, int]]:
    """Where each payload of a message begins."""
    payloads = next(node for node in tree(packet).children if node.name == "payloads")
    return [(node.name, node.offset) for node in payloads.children]


@pytest.mark.parametrize("name", ALL)
def test_every_vector_is_built_again_octet_for_octet(name: str) -> None:
    packet = MIKEY(ALL[name])
    assert bytes(without_caches(packet)) == ALL[name]
    assert bytes(packet.copy()) == ALL[name]
    if name != "RTSP gortsplib-pad":  # ends in an octet that belongs to no payload
        again = MIKEY(ALL[name])
        again.relink()
        assert bytes(without_caches(again)) == ALL[name]


@pytest.mark.parametrize("name", sorted(set(ALL) - {"GStreamer header", "GStreamer two sessions"}))
def test_vectors_are_sound(name: str) -> None:
    expected = {
        "RTSP gortsplib-pad": ["MIKEY: 1 octets at 115 are not explained"],
        "RTSP gortsplib-spi": ["MIKEY at 0: the mandatory payload T is missing"],
    }
    assert notes(MIKEY(ALL[name])) == expected.get(name, [])


def test_base64_of_vectors_is_that_of_their_octets() -> None:
    pairs = [
        *((vectors.PSK_EXCHANGE_BASE64[name], vectors.PSK_EXCHANGE[name]) for name in vectors.PSK_EXCHANGE),
        *((vectors.A128_BASE64[name], vectors.A128[name]) for name in vectors.A128_BASE64),
        *((vectors.B256F_BASE64[name], vectors.B256F[name]) for name in vectors.B256F_BASE64),
    ]
    assert len(pairs) == 6
    for text, octets in pairs:
        assert from_base64(text.encode()) == bytes.fromhex(octets)
        assert to_base64(bytes.fromhex(octets)) == text.encode()


def test_the_offer_of_rfc_4567() -> None:
    packet = MIKEY(ALL["RFC 4567 offer"])
    assert len(ALL["RFC 4567 offer"]) == 132
    assert (packet.version, packet.data_type, packet.next_payload, packet.V, packet.prf_func) == (1, 0, 5, 1, 0)
    assert (packet.csb_id, packet.number_of_cs, packet.cs_id_map_type) == (0xCD177E50, 1, 0)
    one = packet.cs_id_map_info[0]
    assert (one.policy_no, one.ssrc, one.roc) == (0, 0, 0)
    assert offsets(packet) == [("T", 19), ("RAND", 29), ("ID", 47), ("SP", 66), ("KEMAC", 71)]
    t, rand, identity, policy, kemac = packet.payloads
    assert (t.ts_type, t.ts_value.seconds, t.ts_value.fraction) == (0, 0xC8E350EA, 0)
    assert rand.rand.hex() == "4a28da979ee21a7651a0d7f19136d98c"
    assert (identity.id_type, identity.id_data) == (0, b"donald@duck.com")
    assert (policy.policy_no, policy.prot_type, policy.policy_param_length) == (0, 0, 0)
    assert (kemac.encr_alg, kemac.encr_data_len, kemac.mac_alg) == (1, 36, 1)
    assert kemac.mac.hex() == "5f627a69c6508675f5f59050e4abcca4c0bfdcd5"
    meanings = {node.name: node.meaning for node in tree(packet).walk() if node.meaning}
    assert meanings["seconds"] == "2006-10-20 13:43:06 UTC"
    assert meanings["data_type"] == "Pre-shared"


def test_the_answer_of_rfc_4567() -> None:
    packet = MIKEY(ALL["RFC 4567 answer"])
    assert len(ALL["RFC 4567 answer"]) == 71
    assert (packet.data_type, packet.V, packet.csb_id, packet.number_of_cs) == (1, 1, 0xCD177E50, 1)
    assert offsets(packet) == [("T", 19), ("ID", 29), ("V", 49)]
    assert bytes(packet.payloads[0].ts_value).hex() == "c8e350ea00000000"
    assert packet.payloads[1].id_data == b"mickey@mouse.com"
    assert packet.payloads[2].auth_alg == 1
    assert packet.payloads[2].ver_data.hex() == "9fc1dd184e413035c522e18481afbad80818e5c7"


def test_the_pre_shared_exchange() -> None:
    facts = message(MIKEY(ALL["PSK I_MESSAGE"]))
    assert (facts.data_type, facts.csb_id, facts.prf, facts.wants_response) == (0, 0x12345678, 0, True)
    assert facts.crypto_sessions == (CryptoSession(1, 0, (0,), 0x11111111, 0), CryptoSession(2, 0, (0,), 0, 0))
    assert facts.timestamp is not None
    assert facts.timestamp.octets.hex() == "e7a1b2c380000000"
    assert [(role, value.hex()) for role, value in facts.rands] == [(0, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")]
    assert facts.identities == (Identity(0, 1, ALICE), Identity(0, 1, BOB))
    assert facts.sdp_ids == (b"mikey",)
    assert facts.policies[0].srtp == srtp_parameters([])
    assert len(MIKEY(ALL["PSK I_MESSAGE"]).payloads[4].policy_param.parameters) == 13
    assert facts.key_transports[0].mac.hex() == "255a4a69a39be4a910bd617bd6241ee75cf4936b"
    answer = message(MIKEY(ALL["PSK R_MESSAGE"]))
    assert [one.ssrc for one in answer.crypto_sessions] == [0x11111111, 0x22222222]
    assert answer.authentication == (9, 1, bytes.fromhex("75a39ab406ab8c45a5caacfd5702587d3b56e3a2"))


def test_the_key_data_of_the_pre_shared_exchange() -> None:
    plain = bytes.fromhex("00110010404142434445464748494a4b4c4d4e4f000e606162636465666768696a6b6c6d0400000001")
    encrypted = message(MIKEY(ALL["PSK I_MESSAGE"])).key_transports[0].encrypted
    assert _ctr("82222d40db0cdc619e2549ef2c27ef32", "c417161888afcb04b5748c1c25240000", encrypted) == plain
    key = KeyDataSubPayloads(plain).payloads[0]
    assert (key.type, key.KV, key.spi) == (1, 1, b"\0\0\0\1")
    assert (key.key_data, key.salt_data) == (bytes(range(0x40, 0x50)), bytes(range(0x60, 0x6E)))


def test_headers_of_gstreamer() -> None:
    packet = MIKEY(ALL["GStreamer header"])
    assert (packet.csb_id, packet.number_of_cs, packet.cs_id_map_type, packet.next_payload) == (0x12345678, 0, 0, 0)
    packet = MIKEY(ALL["GStreamer two sessions"])
    assert [(one.policy_no, one.ssrc, one.roc) for one in packet.cs_id_map_info] == [
        (1, 0x12345678, 0),
        (2, 0x23456789, 1),
    ]


@pytest.mark.parametrize(
    ("name", "csb_id", "ssrcs", "t", "auth_key_length", "key"),
    [
        (
            *("gortsplib-a", 0xE69D51F8, [0x30685760], "ebfe6f2db1c13fd0", 10),
            "9091783dfce8ddcd443a53508b64509f35bd8a86bc4d8b7637a502493daf",
        ),
        (
            *("gortsplib-c", 0x7DE127A6, [0xCC836237, 0xB5CC3BF2], "ebfef66ba2b1f687", 10),
            "991b0f148f094b4e5b8b3053cd6276877fcced1866f141772adddde7064b",
        ),
        (
            *("gortsplib-pad", 0xB1405657, [0x726EF4DB], "ecd15081bedce397", 20),
            "5db18d956f6967cc0d73f8b4e776a48a08c4220e521dcaa3b800f584fc25",
        ),
        (
            *("rtsp-java", 0x496AE122, [0x3ACC2CEB], "edde661d5532a9cb", 20),
            "a67335a9c40b0ad5cc519f229978611382b7edbd4f4cc6a5dd684381db2c",
        ),
    ],
)
def test_messages_of_rtsp(name: str, csb_id: int, ssrcs: list[int], t: str, auth_key_length: int, key: str) -> None:
    facts = message(MIKEY(ALL[f"RTSP {name}"]))
    assert (facts.data_type, facts.csb_id, [one.ssrc for one in facts.crypto_sessions]) == (0, csb_id, ssrcs)
    assert facts.timestamp is not None
    assert facts.timestamp.octets.hex() == t
    assert facts.policies[0].srtp is not None
    assert facts.policies[0].srtp.srtp_authentication_key_length == auth_key_length
    assert facts.policies[0].srtp.suite == "AES_CM_128_HMAC_SHA1_80"
    transport = facts.key_transports[0]
    assert (transport.encryption, transport.mac_algorithm, transport.mac) == (0, 0, b"")
    # a key of 30 octets is 16 of key and 14 of salt in one field
    assert [(one.kind, one.key.hex()[: len(key)], one.salt) for one in transport.keys] == [(2, key, b"")]
    assert len(transport.keys[0].key) == 30
    assert transport.keys[0].spi == (b"\0\0\0\1" if name == "rtsp-java" else None)
    assert facts.unread == (b"\0" if name == "gortsplib-pad" else b"")


def test_more_messages_of_rtsp() -> None:
    facts = message(MIKEY(ALL["RTSP gortsplib-spi"]))
    assert facts.crypto_sessions == (CryptoSession(1, 0, (3,), 0x11223344, 0x55667788),)
    assert facts.key_transports[0].keys == (Key(2, b"\xaa\xbb\xcc", b"", b"\x11\x22", None, None),)
    facts = message(MIKEY(ALL["RTSP base64"]))
    assert (facts.csb_id, facts.crypto_sessions[0].ssrc) == (0x7A23295E, 0x958C2327)
    assert len(facts.key_transports[0].keys[0].key) == 30


UIDS = {
    "gms": "15a4d5b12856538d02d91fedbb766e6dd377b014c92e216666c8fb678608d20e",
    "alice": "b5c452309219da6a3d805615548d6c1b0f4de45a6b48fb13d9a24d857fc03dc4",
    "iwf": "edb3cd733168a81106e366c2ddc0e4bc323e9069d48edfe2b3b0f7033bae962a",
    "bob": "780851cda91a9c33f941cd3a2831697e2893264754e363f8a0cef827eb201a81",
}


@pytest.mark.parametrize(
    ("name", "octets", "signer", "receiver", "csb_id", "kind", "sessions", "rand"),
    [
        (
            *("1", 701, "gms", "alice", 0x06A12AEA, 2),
            (CryptoSession(4, 0, (0,), spi=bytes.fromhex("0df9bc3906a12aea")),),
            "ca2f5d51ff0866362c1d85a56f84651e",
        ),
        (
            *("2", 694, "alice", "gms", 0x2DDD5BF0, 2),
            (CryptoSession(6, 0, (0,), spi=bytes.fromhex("2ddd5bf0")),),
            "4d13c41798b82de13b701a9697328edd",
        ),
        ("3", 683, "alice", "bob", 0x16992638, 1, (), "02a28bddaf984c5e0563bc1ce857df83"),
        (
            *("4", 650, "gms", "iwf", 0x048209A7, 0),
            (CryptoSession(1, 0, (0,), 0xCAFEBABE, 0), CryptoSession(2, 0, (0,), 0, 0)),
            "cdd4e71ad92cc090f3a13cb66a2ecb18",
        ),
    ],
)
def test_sakke_messages(
    name: str,
    octets: int,
    signer: str,
    receiver: str,
    csb_id: int,
    kind: int,
    sessions: tuple[CryptoSession, ...],
    rand: str,
) -> None:
    packet = MIKEY(ALL[f"SAKKE {name}"])
    facts = message(packet)
    assert len(ALL[f"SAKKE {name}"]) == octets
    assert (facts.data_type, facts.wants_response, facts.prf, facts.csb_id) == (26, False, 1, csb_id)
    assert (facts.map_type, facts.crypto_sessions) == (kind, sessions)
    assert facts.timestamp is not None
    assert facts.timestamp.octets.hex() == "ec898da800000000"
    assert facts.rands == ((0, bytes.fromhex(rand)),)
    kms = b"kms.mydev.streamwide.com"
    assert facts.identities == (
        Identity(8, 1, bytes.fromhex(UIDS[signer])),
        Identity(9, 1, bytes.fromhex(UIDS[receiver])),
        Identity(6, 1, kms),
        Identity(7, 1, kms),
    )
    policy = facts.policies[0].srtp
    assert policy is not None
    assert (policy.suite, policy.salt_length, policy.srtp_tag_length, policy.srtcp_tag_length) == (
        *("AEAD_AES_128_GCM", 12, 4, 0),
    )
    sakke = next(one for one in packet.payloads if one.name == "SAKKE")
    assert (sakke.sakke_params, sakke.id_scheme, sakke.sakke_data_length) == (1, 2, 273)
    assert (len(sakke.sakke_data.R), sakke.sakke_data.R[0], len(sakke.sakke_data.H)) == (257, 4, 16)
    sign = packet.payloads[-1]
    assert (sign.s_type, sign.signature_len) == (2, 129)
    assert sign.signature.PVT[0] == 4
    assert facts.authentication == (4, 2, ALL[f"SAKKE {name}"][-129:])


def test_the_places_of_the_first_sakke_message() -> None:
    packet = MIKEY(ALL["SAKKE 1"])
    assert offsets(packet) == [
        *(("T", 25), ("RAND", 35), ("IDR", 53), ("IDR", 90), ("IDR", 127), ("IDR", 156), ("SP", 185), ("SAKKE", 217)),
        *(("General extension", 495), ("SIGN", 570)),
    ]
    parameters = packet.payloads[6].policy_param.parameters
    assert [(one.type, one.value) for one in parameters] == [
        *((0, 6), (1, 0x10), (2, 4), (4, 0x0C), (5, 0), (6, 0), (18, 4), (19, 0), (20, 0x10)),
    ]


@pytest.mark.parametrize(("name", "ciphertext"), [("1", 36), ("2", 33), ("3", 33)])
def test_protected_key_parameters(name: str, ciphertext: int) -> None:
    packet = MIKEY(ALL[f"SAKKE {name}"])
    extension = packet.payloads[-2]
    assert extension.type == 7
    data = extension.data
    assert isinstance(data, ProtectedKeyParameters)
    assert (data.authenticated, data.encrypted, data.message_type) == (0, 1, 3)
    assert (data.date_and_time, data.payload_id, data.payload_sequence_number, data.algorithm) == (1, 0, 0, 1)
    assert (data.dppk_id, data.element_id, len(data.ciphertext)) == (packet.csb_id, 0, ciphertext)


def test_key_parameters_in_clear_and_decrypted() -> None:
    data = MIKEY(ALL["SAKKE 4"]).payloads[-2].data
    assert isinstance(data, KeyParameters)
    assert (data.key_type, data.not_revoked, data.shared_with_gateway) == (1, 1, 0)
    assert (data.activation_time, data.expiry_time, data.text, data.group_ids) == (0, 0, b"", b"")
    group = KeyParameters(bytes.fromhex("0000000001000000000000000000000000000100"))
    assert (group.key_type, group.not_revoked, group.group_ids, notes(group)) == (0, 1, b"\0", [])
    for text, kind in (("0200000001000000000000000000000000", 2), ("0100000001000000000000000000000000", 1)):
        key = KeyParameters(bytes.fromhex(text))
        assert (key.key_type, key.not_revoked, key.group_ids_length, notes(key)) == (kind, 1, b"", [])


def _ctr(key: str, iv: str, data: bytes) -> bytes:
    return Cipher(algorithms.AES(bytes.fromhex(key)), modes.CTR(bytes.fromhex(iv))).decryptor().update(data)


@pytest.mark.parametrize(
    ("name", "exchange", "flags", "prf", "mac_alg", "key"),
    [("A128", vectors.A128, "DEFHJNO", 0, 1, 16), ("B256F", vectors.B256F, "DEFGHIJNO", 1, 2, 32)],
)
def test_ticket_exchanges(name: str, exchange: dict[str, str], flags: str, prf: int, mac_alg: int, key: int) -> None:
    read = {one: message(MIKEY(ALL[f"{name} {one}"])) for one in TICKET_MESSAGES}
    assert [one.data_type for one in read.values()] == [11, 13, 14, 16, 18, 15]
    assert [one.csb_id for one in read.values()] == [
        *(0x0A0B0C01, 0x0A0B0C01, 0x0A0B0C02, 0x0A0B0C03, 0x0A0B0C03, 0x0A0B0C02),
    ]
    assert {one.prf for one in read.values()} == {prf}
    assert [one.timestamp.octets.hex() for one in read.values() if one.timestamp] == [
        f"e7a1b2c{digit}00000000" for digit in "345678"
    ]
    assert [one.map_type for one in read.values()] == [1, 1, 2, 1, 1, 2]
    assert {one.authentication[:2] for one in read.values() if one.authentication} == {(9, mac_alg)}

    request = read["REQUEST_INIT_PSK"]
    assert request.rands == ((1, bytes.fromhex(exchange["RANDRi"])),)
    assert request.identities == (Identity(1, 1, ALICE), Identity(3, 1, KMS), Identity(4, 2, b"psk-alice"))
    wanted = request.tickets[0]
    assert (wanted.granted, wanted.kind, wanted.subtype, wanted.version) == (False, 1, 1, 1)
    assert (wanted.prf, wanted.flags, wanted.identities) == (prf, flags, (Identity(2, 1, BOB),))
    assert wanted.wanted_keys[0].keys == (Key(1, bytes(key), bytes(14), b"\0\0\0\3", None, None),)

    granted = read["REQUEST_RESP"].tickets[0]
    assert (granted.granted, granted.flags, granted.initiator_data) == (True, flags, b"")
    assert granted.identities == (Identity(3, 1, KMS), Identity(1, 1, ALICE), Identity(2, 1, BOB))
    assert granted.valid_from is not None
    assert granted.valid_to == granted.valid_from + 86400
    assert granted.valid_from == 0xE7A1B2C3 - 2_208_988_800

    transfer, answer = read["TRANSFER_INIT"], read["TRANSFER_RESP"]
    assert transfer.rands == request.rands
    assert transfer.identities == (Identity(1, 1, ALICE), Identity(2, 1, BOB))
    assert transfer.policies[0].srtp is not None
    assert transfer.policies[0].srtp.encryption_key_length == key
    assert transfer.authentication == (9, mac_alg, bytes.fromhex(exchange["TRANSFER_INIT MAC"]))
    assert transfer.tickets[0].ticket_data == granted.ticket_data
    data, spi = (0x11111111).to_bytes(4, "big"), b"\0\0\0\3"
    assert transfer.crypto_sessions == (
        CryptoSession(1, 0, (0,), 0x11111111, session_data=data, spi=spi),
        CryptoSession(2, 0, (0,), session_data=b"", spi=b""),
    )
    data = (0x22222222).to_bytes(4, "big")
    assert answer.crypto_sessions == (
        transfer.crypto_sessions[0],
        CryptoSession(2, 0, (0,), 0x22222222, session_data=data, spi=spi),
    )

    resolve, resolved = read["RESOLVE_INIT_PSK"], read["RESOLVE_RESP"]
    assert resolve.rands == ((2, bytes.fromhex(exchange["RANDRr_resolve"])),)
    assert resolve.identities == (Identity(2, 1, BOB), Identity(3, 1, KMS), Identity(4, 2, b"psk-bob"))
    assert resolve.tickets == transfer.tickets
    if "I" in flags:
        forked = (3, bytes.fromhex(exchange["RANDRkms"]))
        assert (resolved.rands, resolved.identities[-1]) == ((forked,), Identity(2, 1, BOB))
        assert answer.rands == ((2, bytes.fromhex(exchange["RANDRr_transfer"])), forked)
        vi, vr = MIKEY(ALL[f"{name} TRANSFER_INIT"]).payloads[5].initiator_data.payloads
        assert (vi.next_payload, vi.auth_alg, vi.ver_data.hex()) == (9, 2, exchange["TRANSFER_INIT MAC"])
        assert (vr.next_payload, vr.auth_alg, len(vr.ver_data)) == (0, 2, 32)
    else:
        assert (resolved.rands, answer.rands) == ((), ())
        assert transfer.tickets[0].initiator_data == b""


@pytest.mark.parametrize(("name", "exchange", "key"), [("A128", vectors.A128, 16), ("B256F", vectors.B256F, 32)])
def test_the_base_ticket_and_the_keys_in_it(name: str, exchange: dict[str, str], key: int) -> None:
    ticket = MIKEY(ALL[f"{name} TRANSFER_INIT"]).payloads[5]
    assert ticket.name == "TICKET"
    header, t, rand, kemac, identity, mac = ticket.ticket_data.payloads
    assert (header.name, header.thdr_data_length) == ("THDR", 0)
    assert bytes(t.ts_value).hex() == "e7a1b2c300000000"
    assert rand.rand.hex() == exchange["RAND_ticket"]
    assert (kemac.encr_alg, kemac.mac_alg) == (1 if key == 16 else 3, 0)
    assert (identity.id_role, identity.id_type, identity.id_data) == (4, 2, b"tpk-1")
    assert mac.ver_data.hex() == exchange["ticket MAC"]
    keys = exchange["ticket encr/auth/salt key"]
    plain = KeyDataSubPayloads(_ctr(keys[: 2 * key], exchange["ticket IV"], bytes(kemac.encr_data)))
    assert notes(plain) == []
    assert [_key(one) for one in plain.payloads] == [
        (6, exchange["MPK"], "", "00000001"),
        (1, exchange["TGK"], exchange["SALT"], "00000003"),
    ]


@pytest.mark.parametrize(("name", "exchange", "key"), [("A128", vectors.A128, 16), ("B256F", vectors.B256F, 32)])
def test_the_keys_that_the_kms_sends(name: str, exchange: dict[str, str], key: int) -> None:
    kemac = MIKEY(ALL[f"{name} REQUEST_RESP"]).payloads[3]
    keys = exchange["REQUEST_RESP encr/auth/salt"]
    plain = KeyDataSubPayloads(_ctr(keys[: 2 * key], exchange["REQUEST_RESP IV"], bytes(kemac.encr_data)))
    assert notes(plain) == []
    spis = [one.spi.hex() for one in plain.payloads if isinstance(one, KeyData)]
    assert spis == (["00000001", "00000003"] if key == 16 else ["00000001", "00000002", "00000003"])
    assert _key(plain.payloads[-1]) == (1, exchange["TGK"], exchange["SALT"], "00000003")


def _key(layer: Any) -> tuple[int, str, str, str]:
    return layer.type, layer.key_data.hex(), layer.salt_data.hex(), layer.spi.hex()
