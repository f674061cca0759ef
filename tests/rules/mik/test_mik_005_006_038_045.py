"""IMS-MIK-005, -006, -038 and -045, from capture octets to findings."""

from __future__ import annotations

import base64

import pytest
from scapy.packet import Raw

from dissectors.mikey.layers import MIKEY, SRTPID
from dissectors.mikey.payload.layers import IDR, KEMAC, RAND, SIGN, KeyData, KeyDataSubPayloads
from dissectors.mikey.ticket.layers import TP, TPData
from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests.keys.mikey_peers import Algorithms
from tests.keys.test_mikey_ticket import Exchange
from tests.mikey import A, B

MIK_005, MIK_006, MIK_038, MIK_045 = "IMS-MIK-005", "IMS-MIK-006", "IMS-MIK-038", "IMS-MIK-045"
KMS = (("192.0.2.10", 2269), ("203.0.113.99", 2269))


def sent(*messages: bytes) -> list[build.Packet]:
    """Messages on the port of MIKEY, to and from the KMS in turn."""
    return [
        (number * 0.1, build.udp(*(KMS if number % 2 == 0 else KMS[::-1]), data))
        for number, data in enumerate(messages)
    ]


def pre_shared(encryption: int = 1, mac: int = 1, keys: KeyDataSubPayloads | None = None) -> bytes:
    """A message of RFC 3830 with pre-shared keys."""
    return bytes(
        MIKEY(
            data_type=0,
            csb_id=1,
            cs_id_map_info=[SRTPID(ssrc=1), SRTPID(ssrc=2)],
            payloads=[mikey.stamp(0.0), RAND(rand=bytes(range(16))), mikey.kemac(encryption, keys, mac)],
        )
    )


# --- IMS-MIK-005 ----------------------------------------------------------------------------------


def test_a_transfer_whose_v_is_null(told) -> None:
    """The catalogue's trigger."""
    result = told(MIK_005, mikey.call(mikey.init(auth=0), mikey.resp()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert [each.observed for each in finding.evidence] == [
        "HDR, T, RANDR, IDR, IDR, SP, TICKET, V",
        "V NULL, 0 octets",
    ]
    assert finding.evidence[0].frame == 1
    assert "the MAC algorithm of its V is NULL" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_kemac_with_a_null_mac_before_v_is_right(told) -> None:
    """The catalogue's near miss."""
    assert told(MIK_005, mikey.call(mikey.init(kemac=mikey.kemac()), mikey.resp())).rows == [("pass", "", 2)]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"auth": None}, "it has no V and no SIGN payload"),
        ({"mac": bytes(10)}, "its MAC has 10 octets where HMAC-SHA-1-160 has 20"),
        ({"behind": (IDR(id_role=1, id_data=b"x"),)}, "payloads stand behind its V"),
    ],
)
def test_a_mac_that_is_missing_short_or_not_the_last(told, parts: dict[str, object], words: str) -> None:
    finding = told(MIK_005, mikey.call(mikey.init(**parts))).finding
    assert words in finding.message
    assert finding.verdict == "violation"


def test_both_hashes_and_signatures_pass(told) -> None:
    signed = mikey.Message(data_type=12, auth=None, sessions=[], map_type=1, more=(SIGN(signature=Raw(b"s" * 64)),))
    assert told(MIK_005, sent(signed.octets())).rows == [("pass", "", 1)]
    assert told(MIK_005, mikey.call(mikey.init(auth=2))).rows == [("pass", "", 1)]


def test_an_algorithm_that_is_not_registered(told) -> None:
    finding = told(MIK_005, mikey.call(mikey.init(auth=9, mac=bytes(20)))).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.HIGH)
    assert told(MIK_005, mikey.call(mikey.init(auth=250, mac=bytes(20)))).rows == [("not-assessed", "T-POL", 1)]


def test_errors_need_no_mac(told) -> None:
    assert told(MIK_005, mikey.call(mikey.init(), mikey.error(14))).rows == [("pass", "", 1)]


def test_a_message_that_is_cut(told) -> None:
    assert told(MIK_005, mikey.call(mikey.init().octets()[:-60])).rows == [("not-assessed", "IMS-MIK-038", 1)]
    packets = mikey.call(mikey.init())
    attribute_ends = packets[0][1].index(b"a=key-mgmt") + 300
    assert ("not-assessed", "N-FRAG", 2) in told(MIK_005, packets[:1], cut=attribute_ends).rows


def test_modes_of_rfc_3830_in_a_profile_with_tickets(told) -> None:
    bare, authentic = mikey.call(pre_shared(mac=0)), mikey.call(pre_shared())
    assert "the MAC algorithm of its KEMAC is NULL" in told(MIK_005, bare, profile="g3").finding.message
    assert told(MIK_005, authentic, profile="g3").rows == [("pass", "", 1)]
    assert told(MIK_005, bare).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert told(MIK_005, sent(pre_shared(mac=0))).rows == []  # no call: IMS-MIK-007


def test_copies_on_two_hops_are_one_message(told) -> None:
    packets = mikey.call(mikey.init(auth=0))
    again = [(at + 0.002, build.udp(("203.0.113.5", 5060), ("203.0.113.6", 5060), frame[42:])) for at, frame in packets]
    assert told(MIK_005, build.in_time_order(packets, again)).rows == [("violation", "", 1)]


# --- IMS-MIK-006 ----------------------------------------------------------------------------------


def test_a_tgk_that_is_not_encrypted(told) -> None:
    """The catalogue's trigger."""
    offer = mikey.init(kemac=mikey.kemac(0, mikey.keys(0, b"k" * 16)))
    result = told(MIK_006, mikey.call(offer, mikey.resp()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert finding.evidence[0].observed.endswith("octets: TGK")
    assert finding.evidence[0].frame == 1
    assert "kkkk" not in finding.message
    assert result.rows == [("violation", "", 1), ("not-assessed", "N-KMS", 1)]


def test_the_template_in_a_request_is_no_key(told) -> None:
    """The catalogue's near miss."""
    template = KEMAC(encr_alg=0, mac_alg=0, encr_data=mikey.keys(0, bytes(16)))
    asked = TP(D=1, E=1, F=1, H=1, tp_data=TPData(payloads=[template, IDR(id_role=2, id_data=mikey.BOB)]))
    request = mikey.Message(data_type=11, sessions=[], map_type=1, more=(asked,))
    assert told(MIK_006, sent(request.octets())).rows == []


def test_encrypted_keys_pass(told) -> None:
    answer = mikey.Message(data_type=13, sessions=[], map_type=1, ticket=mikey.Ticket(), kemac=mikey.kemac(2))
    assert told(MIK_006, sent(mikey.Message(data_type=11).octets(), answer.octets())).rows == [("pass", "", 1)]


def test_keys_of_zeros_are_no_leak(told) -> None:
    offer = mikey.init(kemac=mikey.kemac(0, mikey.keys(0, bytes(16))))
    assert told(MIK_006, mikey.call(offer)).findings == []


def test_octets_in_clear_that_are_no_keys(told) -> None:
    finding = told(MIK_006, mikey.call(mikey.init(kemac=mikey.kemac(0, Raw(b"\xff" * 7))))).finding
    assert (finding.verdict, finding.severity) == ("suspect", Severity.HIGH)


def test_keys_in_clear_outside_of_calls(told) -> None:
    """Every profile and every carrier."""
    result = told(MIK_006, sent(pre_shared(0, keys=mikey.keys(3, b"t" * 16))), profile="rfc-only")
    assert result.finding.severity == Severity.CRITICAL
    assert "TEK+SALT" in result.finding.message or "TEK" in result.finding.message
    assert "UDP message from 192.0.2.10" in result.finding.message


def test_a_hop_that_the_user_says_is_encrypted(told) -> None:
    """T-CORE."""
    packets = mikey.call(mikey.init(kemac=mikey.kemac(0, mikey.keys())))
    finding = told(MIK_006, packets, capture_point="post-decryption").finding
    assert finding.severity == Severity.MEDIUM
    assert "post-decryption" in finding.message


def test_a_ticket_whose_grant_was_captured(told) -> None:
    ticket = mikey.Ticket()
    empty = {"sessions": [], "map_type": 1}
    request = mikey.Message(data_type=11, ticket=ticket, **empty)
    grant = mikey.Message(data_type=13, ticket=ticket, kemac=mikey.kemac(), **empty)
    call = mikey.call(mikey.init(ticket=ticket), mikey.resp(), at=1.0)
    assert told(MIK_006, build.in_time_order(sent(request.octets(), grant.octets()), call)).rows == [("pass", "", 1)]


def test_a_ticket_that_the_initiator_made_has_no_grant(told) -> None:
    """Modes 3 and 4 of RFC 6043 §4.1.1: flag D is not set."""
    assert told(MIK_006, mikey.call(mikey.init(ticket=mikey.Ticket("FHLNO")), mikey.resp())).rows == []


def test_two_kinds_of_keys_are_named(told) -> None:
    two = KeyDataSubPayloads(
        payloads=[
            KeyData(type=6, key_data=b"m" * 16, KV=1, spi=b"\1"),
            KeyData(type=0, key_data=b"t" * 16, KV=1, spi=b"\2"),
        ]
    )
    answer = mikey.Message(data_type=13, sessions=[], map_type=1, ticket=mikey.Ticket(), kemac=mikey.kemac(0, two))
    finding = told(MIK_006, sent(mikey.Message(data_type=11).octets(), answer.octets())).finding
    assert "MPK, TGK" in finding.title


# --- IMS-MIK-038 ----------------------------------------------------------------------------------


def test_a_message_of_version_2(told) -> None:
    """The catalogue's trigger."""
    octets = mikey.init().octets()
    result = told(MIK_038, mikey.call(b"\x02" + octets[1:], mikey.resp()))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert finding.evidence[0].observed == "version 2 is not 1"
    assert (finding.evidence[0].frame, finding.evidence[0].field) == (1, "MIKEY, offset 0")
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_base64_without_padding_passes(told) -> None:
    """The catalogue's near miss."""
    octets = mikey.init().octets()
    octets = mikey.init(more=(IDR(id_role=5, id_data=b"x" * (3 - (len(octets) + 5) % 3 + 1)),)).octets()
    assert len(octets) % 3
    text = base64.b64encode(octets).decode().rstrip("=")
    packets = build.call(mikey.described(A, f"a=key-mgmt:mikey {text}"), mikey.described(B, None))
    assert told(MIK_038, packets).rows == [("pass", "", 1)]


@pytest.mark.parametrize(
    ("data", "words"),
    [("%%%%", "key management data is not base64"), ("", "no key management data"), ("AAAAA", "not base64")],
)
def test_what_is_no_base64(told, data: str, words: str) -> None:
    line = f"a=key-mgmt:mikey {data}".rstrip()
    packets = build.call(mikey.described(A, line), mikey.described(B, None))
    finding = told(MIK_038, packets).finding
    assert words in finding.message
    assert "at session level in frame 1" in finding.message
    assert "offset" in finding.evidence[0].field


def test_lengths_chains_and_octets_behind(told) -> None:
    octets = mikey.init().octets()
    assert "cut short" in told(MIK_038, mikey.call(octets[:-60])).finding.message
    assert "4 octets behind the last payload" in told(MIK_038, mikey.call(octets + b"more")).finding.message
    unknown = bytearray(octets)
    unknown[2] = 99
    finding = told(MIK_038, mikey.call(bytes(unknown))).finding
    assert "unknown (99)" in finding.message
    assert told(MIK_038, mikey.call(octets[:-5])).finding.evidence[0].observed == "the MAC has 15 octets only"


def test_payloads_for_private_use_are_not_assessed(told) -> None:
    octets = bytearray(mikey.init().octets())
    octets[2] = 250
    assert told(MIK_038, mikey.call(bytes(octets))).rows == [("not-assessed", "T-POL", 1)]


def test_a_line_that_is_cut_by_the_snap_length(told) -> None:
    packets = mikey.call(mikey.init())
    at = packets[0][1].index(b"a=key-mgmt") + 300
    result = told(MIK_038, packets[:1], cut=at)
    assert result.findings == []
    assert ("not-assessed", "N-FRAG", 2) in result.rows


def test_a_line_that_is_wrapped(told) -> None:
    attribute = mikey.init().attribute()
    wrapped = f"{attribute[:76]}\r\n{attribute[76:]}"
    packets = build.call(mikey.described(A, wrapped), mikey.described(B, None))
    assert told(MIK_038, packets).rows == [("not-assessed", "N-FRAG", 1)]


def test_other_protocols_on_the_port_of_mikey_are_no_object(told) -> None:
    """A datagram of DNS whose identifier begins like a MIKEY header."""
    query = bytes.fromhex("0b00012300010000000000000377777707657861")
    assert told(MIK_038, sent(b"\x01" + query)).rows == []
    assert told(MIK_005, sent(b"\x01" + query)).rows == []


def test_other_key_management_is_no_object(told) -> None:
    packets = build.call(mikey.described(A, "a=key-mgmt:keyp1 %%%"), mikey.described(B, mikey.resp().attribute()))
    assert told(MIK_038, packets).rows == [("pass", "", 1)]


# --- IMS-MIK-045 ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    return Exchange(Algorithms(), "DEFHJNO").run()


def carried(exchange: Exchange, **changed: bytes) -> list[build.Packet]:
    """The transfer of an exchange as a call carries it."""
    found = {**exchange.messages, **changed}
    return mikey.call(found["TRANSFER_INIT"], found["TRANSFER_RESP"])


def keys_of_kms(exchange: Exchange) -> dict[str, object]:
    return {"mikey": {"tickets": [{"tpk": exchange.kms.tpk.hex()}]}}


def forged(octets: bytes) -> bytes:
    """One bit of IDRr is another one."""
    at = octets.index(b"bob@")
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


def test_one_flipped_bit_in_idrr(told, exchange: Exchange) -> None:
    """The catalogue's trigger; the key opens the ticket, so it is the right one."""
    packets = carried(exchange, TRANSFER_INIT=forged(exchange.messages["TRANSFER_INIT"]))
    result = told(MIK_045, packets, keys=keys_of_kms(exchange))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    (evidence,) = finding.evidence
    assert evidence.frame == 1
    assert evidence.observed == exchange.messages["TRANSFER_INIT"][-20:-16].hex() + " …"
    assert "with key:" in evidence.expected
    assert evidence.expected[:8] != evidence.observed[:8]
    assert result.rows == [("violation", "", 1), ("not-assessed", "N-OA", 1)]  # the response covers what it answers


def test_macs_that_verify_pass(told, exchange: Exchange) -> None:
    """The catalogue's near miss, with key forking: Initiator data is left out."""
    assert told(MIK_045, carried(exchange), keys=keys_of_kms(exchange)).rows == [("pass", "", 2)]
    forking = Exchange(Algorithms(1, 3, 2), "DEFGHINO").run()
    keys = {"mikey": {"psk": {"sip:alice@ims.example.org": forking.initiator.psk.hex()}}}
    everything = build.in_time_order(
        sent(forking.messages["REQUEST_INIT_PSK"], forking.messages["REQUEST_RESP"]),
        [(at + 1, frame) for at, frame in carried(forking)],
    )
    assert told(MIK_045, everything, keys=keys).rows == [("pass", "", 4)]


def test_a_response_that_was_changed(told, exchange: Exchange) -> None:
    packets = carried(exchange, TRANSFER_RESP=forged(exchange.messages["TRANSFER_RESP"]))
    result = told(MIK_045, packets, keys=keys_of_kms(exchange))
    assert result.finding.evidence[0].frame == 4
    assert result.finding.verdict == "violation"
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_key_that_verifies_nothing_may_be_a_wrong_one(told, exchange: Exchange) -> None:
    keys = {"mikey": {"tickets": [{"mpk_i": "00" * 16}]}}
    result = told(MIK_045, carried(exchange), keys=keys)
    finding = result.finding
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.HIGH, "heuristic")
    assert "the key at hand is not the one" in finding.message


def test_without_keys_nothing_is_claimed(told, exchange: Exchange) -> None:
    assert told(MIK_045, carried(exchange)).rows == [("not-assessed", "N-KEY", 2)]


def test_messages_without_a_mac_are_another_rule(told) -> None:
    assert told(MIK_045, mikey.call(mikey.init(auth=0), mikey.error(14))).rows == []


def test_keys_are_told_by_their_digest_alone(told, exchange: Exchange) -> None:
    packets = carried(exchange, TRANSFER_RESP=forged(exchange.messages["TRANSFER_RESP"]))
    finding = told(MIK_045, packets, keys=keys_of_kms(exchange)).finding
    assert exchange.kms.tpk.hex()[:8] not in finding.message
