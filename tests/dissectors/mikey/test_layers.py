"""Each MIKEY layer keeps every octet, can be built and changed, and says what is wrong and where."""

from __future__ import annotations

import inspect
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from dissectors.binary import MAX_CHAINED, Layer, notes
from dissectors.mikey import codes
from dissectors.mikey import layers as message_layers
from dissectors.mikey.extension import layers as extension_layers
from dissectors.mikey.extension.layers import CSBID, GeneralExtension, SDPIDs
from dissectors.mikey.identity_based import layers as identity_based_layers
from dissectors.mikey.identity_based.layers import ECCPT, SK
from dissectors.mikey.layers import MIKEY, PORT, SRTPID, GenericID
from dissectors.mikey.payload import layers as payload_layers
from dissectors.mikey.payload.layers import (
    DH,
    DHHMACKEMAC,
    ERR,
    ID,
    IDR,
    KEMAC,
    PKE,
    RAND,
    SIGN,
    TR,
    KeyData,
    KeyDataSubPayloads,
    NTPTimestamp,
    RekeyingInterval,
    T,
    V,
)
from dissectors.mikey.policy import layers as policy_layers
from dissectors.mikey.policy.layers import SP, SRTPPolicy, SRTPPolicyParameter
from dissectors.mikey.ticket import layers as ticket_layers
from dissectors.mikey.ticket.layers import THDR, TICKET, TP, InitiatorData, MIKEYBaseTicket, TPData
from dissectors.tree import clause, tree
from tests.dissectors.caches import without_caches
from tests.dissectors.mikey.test_vectors import ALL

MODULES = (*(message_layers, payload_layers, policy_layers, extension_layers, identity_based_layers, ticket_layers),)
LAYERS = sorted(
    {
        one
        for module in MODULES
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Layer) and one.fields_desc
    },
    key=lambda one: one.__name__,
)
SEEDS = [
    *ALL.values(),
    *(
        bytes(payload)
        for name in ("PSK I_MESSAGE", "RTSP rtsp-java", "SAKKE 1", "A128 TRANSFER_INIT", "B256F TRANSFER_INIT")
        for payload in MIKEY(ALL[name]).payloads
    ),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Layer], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(SEEDS))
    cut = data.draw(st.integers(0, len(start)))
    octets = start[:cut] + data.draw(st.binary(min_size=1, max_size=60)) + start[cut + data.draw(st.integers(0, 3)) :]
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Layer]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_names_its_clause(layer: type[Layer]) -> None:
    assert clause(layer)


@pytest.mark.parametrize("name", ["PSK I_MESSAGE", "SAKKE 3", "B256F TRANSFER_INIT", "RTSP gortsplib-c"])
def test_a_message_cut_anywhere_keeps_its_octets(name: str) -> None:
    for end in range(1, len(ALL[name])):
        packet = without_caches(MIKEY(ALL[name][:end]))
        assert bytes(packet) == ALL[name][:end]
        assert notes(packet)


def test_a_message_is_built_with_lengths_counts_and_codes() -> None:
    packet = MIKEY(
        csb_id=1,
        V=1,
        cs_id_map_info=[SRTPID(ssrc=0xAABBCCDD)],
        payloads=[
            T(ts_value=NTPTimestamp(seconds=0xE7A1B2C3)),
            RAND(rand=b"rand"),
            SP(policy_param=SRTPPolicy(parameters=[SRTPPolicyParameter(type=11, value=4)])),
            KEMAC(
                encr_alg=0,
                encr_data=KeyDataSubPayloads(
                    payloads=[KeyData(type=2, key_data=b"key"), KeyData(type=3, KV=1, salt_data=b"s", spi=b"i")]
                ),
            ),
        ],
    )
    assert bytes(packet).hex(" ") == bytes.fromhex(
        "01 00 05 80 00000001 01 00" + "00 aabbccdd 00000000"
        "0b 00 e7a1b2c3 00000000"
        "0a 04 72616e64"
        "01 00 00 0003 0b 01 04"
        "00 00 0010" + "14 20 0003 6b6579" + "00 31 0000 0001 73 01 69" + "00"
    ).hex(" ")


def test_fields_can_be_changed_and_payloads_exchanged() -> None:
    packet = MIKEY(ALL["PSK R_MESSAGE"])
    packet.csb_id = 7
    packet.payloads[1].id_data = b"sip:carol@ims.example.org"
    packet.payloads[1].id_len = None
    packet.payloads.insert(1, ERR(error_no=4))
    packet.relink()
    again = MIKEY(bytes(packet))
    assert (again.csb_id, again.number_of_cs) == (7, 2)
    assert [one.name for one in again.payloads] == ["T", "ERR", "ID", "V"]
    assert again.payloads[2].id_data == b"sip:carol@ims.example.org"
    assert notes(again) == []


def test_udp_datagrams_of_the_port_are_mikey() -> None:
    octets = bytes(IP() / UDP() / MIKEY(ALL["PSK R_MESSAGE"]))
    assert IP(octets)[UDP].dport == IP(octets)[UDP].sport == PORT
    for ports in ({"dport": PORT, "sport": 4000}, {"sport": PORT, "dport": 4000}):
        assert bytes(IP(bytes(IP() / UDP(**ports) / ALL["PSK R_MESSAGE"]))[MIKEY]) == ALL["PSK R_MESSAGE"]


def test_layers_say_which_fields_hold_secrets() -> None:
    assert KeyData.secret_fields == ("key_data", "salt_data")
    assert SK.secret_fields == ("key_data",)
    assert extension_layers.TESLAIKey.secret_fields == ("i_key",)
    for layer in LAYERS:
        assert set(getattr(layer, "secret_fields", ())) <= {field.name for field in layer.fields_desc}


# --- what is wrong, and where ---------------------------------------------------------------------

HEADER = bytes.fromhex("01 00 00 00 00000001 00 01")


def chain(first: int, octets: str) -> bytes:
    """A message of an unassigned data type with an empty map and some payloads."""
    return bytes([1, 200, first]) + HEADER[3:] + bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (
            chain(18, "0102"),
            [
                "MIKEY at 0: the payload that is named next, unknown (18), cannot be read here: what follows stays raw",
                "MIKEY: 2 octets at 10 are not explained",
            ],
        ),
        (chain(5, "0b00" + "00" * 8), ["MIKEY at 0: the payload that is named next, RAND, is missing"]),
        (
            chain(5, "0b00" + "00" * 7),
            [
                "NTP timestamp fraction at 16 is missing",
                "NTP timestamp: 3 octets at 16 are not explained",
                "T at 10: ts_value has 7 octets, ts_type 0 demands 8",
                "MIKEY at 0: the payload that is named next, RAND, is missing",
            ],
        ),
        (
            chain(6, "0001 00"),
            [
                "ID id_len at 12 is missing",
                "MIKEY at 0: the payload ID is cut short",
                "MIKEY: 1 octets at 12 are not explained",
            ],
        ),
        (chain(6, "0001 0003 61"), ["ID id_len at 12 says 3 octets, 1 are there"]),
        (chain(9, "0001 0102"), ["V at 10: ver_data has 2 octets, auth_alg 1 demands 20"]),
        (chain(9, "0009 0102"), []),
        (
            chain(9, "0509 0102"),
            [
                "V at 10: ver_data is all that is left, as auth_alg 9 tells no length",
                "MIKEY at 0: the payload that is named next, T, is missing",
            ],
        ),
        (
            chain(3, "0009 0102"),
            [
                "DH reserved at 14 is missing",
                "DH at 10: dh_value is all that is left, as dh_group 9 tells no length",
                "MIKEY at 0: the payload DH is cut short",
            ],
        ),
        (chain(20, "00000000"), ["MIKEY at 0: Key data must stand inside KEMAC"]),
        (b"\x02" + chain(0, "")[1:], ["MIKEY at 0: version 2 is not 1"]),
        (
            bytes.fromhex("01c8 00 00 00000001 02 00") + bytes(10),
            [
                "SRTP-ID ssrc at 20 is missing",
                "MIKEY at 0: the CS ID map is cut short: 2 of 2 crypto sessions are there",
            ],
        ),
        (
            bytes.fromhex("01c8 00 00 00000001 02 00") + bytes(9),
            ["MIKEY at 0: the CS ID map is cut short: 1 of 2 crypto sessions are there"],
        ),
        (
            bytes.fromhex("01c8 05 00 00000001 01 07") + bytes(9),
            [
                "MIKEY at 0: the CS ID map type 7 is not known: map and payloads stay raw",
                "MIKEY: 9 octets at 10 are not explained",
            ],
        ),
        (b"\x01\x00\x05", ["MIKEY V at 3 is missing"]),
    ],
)
def test_notes_say_what_is_wrong_and_where(octets: bytes, expected: list[str]) -> None:
    packet = without_caches(MIKEY(octets))
    assert bytes(packet) == octets
    assert sorted(notes(packet)) == sorted(expected)


def test_sp_with_an_empty_map_is_wrong_but_in_sakke_messages() -> None:
    assert "MIKEY at 0: SP must not be in a message with an empty map" in notes(MIKEY(chain(10, "00 00 00 0000")))
    assert notes(MIKEY(ALL["SAKKE 3"])) == []


@pytest.mark.parametrize(
    ("data_type", "payloads", "expected"),
    [
        (7, [SIGN()], "SIGN must not be in a DHHMAC message"),
        (14, [ID()], "ID must not be in a MIKEY-TICKET message, which has IDR"),
        (14, [], "an SRTP-ID map must not be in a MIKEY-TICKET message"),
        (
            13,
            [KEMAC(encr_alg=0, encr_data=KeyDataSubPayloads(payloads=[KeyData(key_data=bytes(16))]))],
            "a key without an SPI must not be in a MIKEY-TICKET message",
        ),
        (14, [TICKET(E=1, I=1, H=1)], "Initiator data is missing although flag I of TICKET is 1"),
    ],
)
def test_what_messages_of_some_modes_may_not_have(data_type: int, payloads: list[Any], expected: str) -> None:
    assert f"MIKEY at 0: {expected}" in notes(MIKEY(bytes(MIKEY(data_type=data_type, payloads=payloads))))


# --- tickets --------------------------------------------------------------------------------------


def ticket(layer: type[TP] = TP, flags: str = "DH", parts: tuple[Any, ...] = (IDR(id_role=2),), **fields: Any) -> Any:
    return layer(bytes(layer(**dict.fromkeys(flags, 1), tp_data=TPData(payloads=list(parts)), **fields)))


def test_ticket_flags_have_their_places_and_meanings() -> None:
    for at, (flag, meanings) in enumerate(codes.TICKET_FLAGS.items()):
        packet = TP(bytes.fromhex("00 0001 01 01") + (1 << 16 - at).to_bytes(3, "big") + b"\0\0")
        assert packet.flags() == flag
        node = next(one for one in tree(packet).children if one.name == flag)
        assert (node.value, node.meaning, node.bits) == ("1", meanings[1], (7 + at, 1))
    packet = TP(bytes.fromhex("00 0001 01 01 03d460 0000"))
    assert (packet.prf_func, packet.flags(), packet.res) == (1, "DEFHJNO", 0)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("DH", []),
        ("DGF", []),
        ("H", ["flag D=0 demands L=1"]),
        ("DGH", ["flag G=1 demands F=1"]),
        ("D", ["flag G=0 demands H=1"]),
        ("DHI", ["flag I=1 demands E=1"]),
        ("HKL", ["flag K=1 demands D=1", "flag K must be 0 in TP"]),
        ("DHM", ["flag M=1 demands F=1"]),
    ],
)
def test_ticket_flags_that_contradict_each_other(flags: str, expected: list[str]) -> None:
    assert notes(ticket(flags=flags)) == [f"TP at 0: {text}" for text in expected]


def test_policies_of_tickets() -> None:
    assert notes(ticket(parts=(IDR(id_role=1),))) == ["TP data at 10: the mandatory payload IDRr is missing"]
    assert notes(ticket(parts=(KEMAC(encr_alg=0), IDR(id_role=2)))) == []
    wrong = notes(ticket(TICKET, parts=(KEMAC(encr_alg=0), IDR(id_role=2))))
    assert wrong == ["TICKET at 0: KEMAC must not be in the policy of a ticket"]
    assert notes(ticket(TICKET, flags="DHK")) == []
    wrong = notes(ticket(TICKET, initiator_data=InitiatorData(payloads=[V(ver_data=bytes(20)), V(ver_data=bytes(20))])))
    assert wrong == ["TICKET at 0: Initiator data is there although flag I is 0"]
    interval = TR(ts_role=4, ts_value=RekeyingInterval(interval=3600))
    shown = tree(ticket(parts=(interval, IDR(id_role=2))))
    assert "1:00:00" in {node.meaning for node in shown.walk()}
    late = TR(ts_role=4, ts_type=0, ts_value=NTPTimestamp())
    assert notes(ticket(parts=(late, IDR(id_role=2)))) == ["TR at 11: TRr must have TS type NTP-UTC-32"]
    assert notes(ticket(TICKET, flags="DEHI", initiator_data=InitiatorData(payloads=[V(auth_alg=0)]))) == [
        "Initiator data at 20: it is not Vi and Vr"
    ]


def test_tp_data_without_payloads_has_one_octet_or_none() -> None:
    for octets in (bytes.fromhex("00 0001 01 01 01 10 00 0000"), bytes.fromhex("00 0001 01 01 01 10 00 0001 00")):
        packet = TP(octets)
        assert bytes(without_caches(packet)) == octets
        assert packet.policy_payloads() == []


BASE = MIKEYBaseTicket(
    payloads=[THDR(), T(ts_value=NTPTimestamp()), RAND(rand=b"r"), KEMAC(encr_data=Raw(b"x")), V(ver_data=bytes(20))]
)


def test_a_3gpp_base_ticket_is_read_as_a_base_ticket_where_it_fits() -> None:
    assert isinstance(ticket(TICKET, ticket_type=2, ticket_data=BASE).ticket_data, MIKEYBaseTicket)
    other = ticket(TICKET, ticket_type=2, ticket_data=Raw(b"something else"))
    assert (bytes(other.ticket_data), notes(other)) == (b"something else", [])
    broken = ticket(TICKET, ticket_data=Raw(bytes(BASE)[:4]))
    assert sorted(notes(broken)) == [
        "MIKEY base ticket at 18: the payload T is cut short",
        "T ts_type at 22 is missing",
    ]
    lacking = ticket(TICKET, ticket_data=MIKEYBaseTicket(payloads=[THDR(), RAND(), V(ver_data=bytes(20))]))
    assert notes(lacking) == [
        f"MIKEY base ticket at 18: the mandatory payload {name} is missing" for name in ("T", "KEMAC")
    ]


def test_a_ticket_inside_a_ticket_is_not_opened() -> None:
    inside = bytes([codes.TICKET]) + bytes(BASE)[1:3] + bytes(ticket(TICKET))
    packet = ticket(TICKET, ticket_data=Raw(inside))
    assert [one.name for one in packet.ticket_data.payloads] == ["THDR"]
    assert bytes(without_caches(packet)) == bytes(ticket(TICKET, ticket_data=Raw(inside)))


# --- maps, keys, extensions -----------------------------------------------------------------------


def test_a_crypto_session_of_an_unregistered_protocol_stays_raw_and_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    octets = bytes.fromhex("01c8 00 00 00000001 01 02" + "01 09 80 0003 abcdef 02 0102")
    packet = MIKEY(octets)
    session = packet.cs_id_map_info[0]
    assert (session.prot_type, session.S, session.policies, bytes(session.session_data)) == (9, 1, [], b"\xab\xcd\xef")
    assert notes(packet) == []
    assert "unknown (9)" in {node.meaning for node in tree(packet).walk()}
    monkeypatch.setitem(codes.PROT_TYPES, 9, "TLS")
    assert "TLS" in {node.meaning for node in tree(packet).walk()}


def test_session_data_of_srtp_with_and_without_roc() -> None:
    short = GenericID(bytes.fromhex("01 00 01 00 0004 11223344 00"))
    assert (short.session_data.ssrc, short.policies, short.number_of_policies) == (0x11223344, [0], 1)
    long = GenericID(bytes.fromhex("01 00 80 000a 11223344 00000002 0003 01 ff"))
    assert (long.session_data.ssrc, long.session_data.roc, long.session_data.seq, long.spi) == (
        *(0x11223344, 2, 3, b"\xff"),
    )
    assert notes(GenericID(bytes.fromhex("01 00 80 0004 11223344 00"))) == [
        "SRTP session data with ROC and SEQ roc at 9 is missing"
    ]


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        ("00 00 0002 aabb", {"type": 0, "KV": 0, "key_data": b"\xaa\xbb", "salt_len": b""}),
        ("00 11 0001 aa 0001 bb 02 0102", {"type": 1, "salt_data": b"\xbb", "spi": b"\1\2"}),
        ("00 62 0001 aa 01 02 02 0304", {"type": 6, "KV": 2, "valid_from": b"\2", "valid_to": b"\3\4"}),
        ("00 23 0001 aa 0102", {"type": 2, "KV": 3, "kv_data": b"\1\2"}),
    ],
)
def test_key_data(octets: str, fields: dict[str, Any]) -> None:
    packet = without_caches(KeyData(bytes.fromhex(octets)))
    assert {name: packet.getfieldval(name) for name in fields} == fields
    assert bytes(packet) == bytes.fromhex(octets)
    assert notes(packet) == []
    assert {"valid_from", "kv_data"} & {node.name for node in tree(packet).children} <= set(fields)


@pytest.mark.parametrize(
    ("encr_alg", "mac_alg", "mac", "numbering"),
    [(0, 1, 20, "RFC 3830"), (2, 0, 20, "RFC 4650"), (2, 1, 0, "RFC 4650"), (0, 0, 0, "RFC 3830"), (0, 2, 32, "")],
)
def test_dhhmac_messages_number_their_algorithms_in_two_ways(
    encr_alg: int, mac_alg: int, mac: int, numbering: str
) -> None:
    parts = [T(ts_value=NTPTimestamp()), ID(), DH(dh_value=bytes(192))]
    built = bytes(
        MIKEY(data_type=7, payloads=[*parts, DHHMACKEMAC(encr_alg=encr_alg, mac_alg=mac_alg, mac=bytes(mac))])
    )
    read = MIKEY(built)
    assert (len(read.payloads[-1].mac), read.payloads[-1].numbering) == (mac, numbering)
    assert notes(read) == []
    assert bytes(without_caches(read)) == built


@pytest.mark.parametrize(
    ("layer", "field", "private", "unknown"),
    [
        (MIKEY, "data_type", 241, 240),
        (MIKEY, "next_payload", 255, 240),
        (MIKEY, "prf_func", 112, 111),
        (TR, "ts_role", 254, 239),
        (TP, "ticket_type", 61440, 61439),
        (SP, "prot_type", 250, 2),
    ],
)
def test_code_points_for_private_use_are_said_to_be(layer: type[Layer], field: str, private: int, unknown: int) -> None:
    naming = layer().get_field(field).naming
    assert (naming(private), naming(unknown)) == (f"private use ({private})", f"unknown ({unknown})")


def test_a_kemac_of_dhhmac_holds_no_data() -> None:
    """RFC 4650 §3: it only authenticates."""
    assert notes(DHHMACKEMAC(bytes.fromhex("00 01 0001 aa 01") + bytes(20))) == [
        "KEMAC at 0: KEMAC must hold no data in a DHHMAC message"
    ]


def test_kemac_that_is_not_encrypted_shows_what_is_wrong_in_it() -> None:
    assert sorted(notes(KEMAC(bytes.fromhex("00 00 0003 002000 00")))) == [
        "Key data key_data_len at 6 is missing",
        "Key data sub-payloads at 4: the payload Key data is cut short",
        "Key data sub-payloads: 1 octets at 6 are not explained",
    ]
    assert isinstance(KEMAC(bytes.fromhex("00 01 0003 002000 00")).encr_data, Raw)


def test_pke_and_points_of_curves() -> None:
    packet = PKE(bytes.fromhex("04 8002 abcd"))
    assert (packet.C, packet.data_len, packet.data) == (2, 2, b"\xab\xcd")
    assert bytes(PKE(C=1, data=bytes(300)))[1:3].hex() == "412c"
    point = b"\x04" + bytes(64)
    octets = b"\x00\x08" + point + b"\x00" + bytes.fromhex("00 0000 00")
    packet = ECCPT(octets)
    assert (packet.ecc_point, packet.padding, packet.KV, notes(packet)) == (point, b"\0", 0, [])
    assert bytes(ECCPT(ecc_point=b"\x02" + bytes(32))) == b"\x00\x08\x02" + bytes(32) + b"\0" + bytes(4)


def test_extensions() -> None:
    ids = GeneralExtension(type=1, data=SDPIDs(ids=[b"mikey", b"keyp1"]))
    assert bytes(ids).hex() == "0001000b" + b"mikey;keyp1".hex()
    assert GeneralExtension(bytes(ids)).data.ids == [b"mikey", b"keyp1"]
    assert bytes(GeneralExtension(type=4, data=CSBID(csb_id=5))).hex() == "0004000400000005"
    own = GeneralExtension(bytes.fromhex("00 06 0006 00 01 02 0001 aa"))
    assert (own.data.sakke_params, own.data.id_scheme, bytes(own.data.sakke_data)) == (1, 2, b"\xaa")
    assert isinstance(GeneralExtension(bytes.fromhex("00 07 0001 00")).data, Raw)
    assert isinstance(GeneralExtension(bytes.fromhex("00 09 0001 00")).data, Raw)
    assert [one.key_id for one in GeneralExtension(bytes.fromhex("00030005 0001aa 0100")).data.key_ids] == [
        b"\xaa",
        b"",
    ]


def test_policies_keep_the_width_of_their_values() -> None:
    octets = bytes.fromhex("00 00 00 0011" + "0d02000a" + "0100" + "0609" + "010203040506070809")
    packet = without_caches(SP(octets))
    assert [one.value for one in packet.policy_param.parameters] == [10, b"", bytes(range(1, 10))]
    assert bytes(packet) == octets
    assert bytes(SRTPPolicyParameter(type=13, value=300)).hex() == "0d02012c"
    assert bytes(SRTPPolicyParameter(type=13, length=2, value=1)).hex() == "0d020001"


# --- hostile input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        chain(codes.RAND, "0b00" * 32_000),
        chain(codes.TICKET, "11 0002 01 01 000000 0000 0000 0000" * 4_000),
        chain(codes.KEMAC, "01 00 0008 14000000 14000000 00" * 5_000),
        chain(codes.KEMAC, "00 00 fffc" + "14000000" * 16_383 + "00"),
        chain(codes.TICKET, "00 0002 01 01 000000 0000 fff0" + "010000" + "01 00 0004 00000000 00" * 7_000),
        bytes([1, 200, 0, 0, 0, 0, 0, 1, 255, 2]) + bytes(65_000),
    ],
    ids=["payloads", "tickets", "kemacs", "keys", "ticket", "sessions"],
)
def test_hostile_messages_are_read_in_bounded_time(octets: bytes) -> None:
    start = time.process_time()
    packet = MIKEY(octets)
    assert bytes(packet) == octets
    assert notes(packet)
    assert len(packet.payloads) <= MAX_CHAINED
    tree(packet)
    assert time.process_time() - start < 10


def test_a_readable_key_that_is_cut_stays_secret_in_the_tree() -> None:
    """KEMAC with NULL encryption whose Key data says more octets than there are."""
    message = bytes.fromhex("0100010000000001000100000600200020deadbeef00")
    shown = [node for node in tree(MIKEY(message)).walk() if "de ad be ef" in node.value or node.secret]
    assert shown
    assert all(node.secret for node in shown)


def test_a_policy_without_data_lacks_its_responder() -> None:
    """TP of a base ticket, all flags 0, TP data of no octet (RFC 6043 §6.10)."""
    message = MIKEY(bytes.fromhex("010b100000000001000110"[:20] + "00000101010000000000"))
    assert any("IDRr is missing" in note for note in notes(message))
