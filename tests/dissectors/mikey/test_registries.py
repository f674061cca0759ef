"""Every code point of the registries of MIKEY is decoded or shown by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scapy.packet import Raw

from dissectors.binary import Layer, Numeric, notes
from dissectors.mikey import codes
from dissectors.mikey.extension.layers import (
    EXTENSIONS,
    OMABCAST,
    GeneralExtension,
    KeyID,
)
from dissectors.mikey.identity_based.layers import ECCPT, SAKKE, SK
from dissectors.mikey.layers import CS_ID_MAPS, MIKEY, PAYLOADS, GenericID
from dissectors.mikey.payload.layers import (
    CERT,
    CHASH,
    DH,
    ERR,
    ID,
    IDR,
    KEMAC,
    PKE,
    RANDR,
    SIGN,
    TIMESTAMPS,
    TR,
    KeyData,
    Payload,
    T,
    V,
)
from dissectors.mikey.policy.layers import POLICIES, SP, SRTPPolicyParameter, TESLAPolicyParameter
from dissectors.mikey.registries import REGISTRIES
from dissectors.mikey.ticket.layers import TICKET, TP, MIKEYBaseTicket
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

# Where the values of each table are shown: a layer, its field, and what else the layer needs.
SHOWN: list[tuple[str, type[Layer], str, dict[str, Any]]] = [
    ("MIKEY HDR data type", MIKEY, "data_type", {}),
    ("MIKEY next payload", MIKEY, "next_payload", {}),
    ("MIKEY next payload", T, "next_payload", {}),
    ("MIKEY CS ID map type", MIKEY, "cs_id_map_type", {}),
    ("MIKEY TS type", T, "ts_type", {}),
    ("MIKEY TS type", TR, "ts_type", {}),
    ("MIKEY Prot type", SP, "prot_type", {}),
    ("MIKEY Prot type", GenericID, "prot_type", {}),
    ("MIKEY general extension type", GeneralExtension, "type", {}),
    ("MIKEY Ticket Type", TP, "ticket_type", {}),
    ("MIKEY Ticket Type", TICKET, "ticket_type", {}),
    ("MIKEY version", MIKEY, "version", {}),
    ("MIKEY PRF func", MIKEY, "prf_func", {}),
    ("MIKEY PRF func", TP, "prf_func", {}),
    ("MIKEY Encr alg", KEMAC, "encr_alg", {}),
    ("MIKEY MAC alg", KEMAC, "mac_alg", {}),
    ("MIKEY Auth alg", V, "auth_alg", {}),
    ("MIKEY PKE C", PKE, "C", {}),
    ("MIKEY DH group", DH, "dh_group", {}),
    ("MIKEY S type", SIGN, "s_type", {}),
    ("MIKEY ID type", ID, "id_type", {}),
    ("MIKEY ID type", IDR, "id_type", {}),
    ("MIKEY Cert type", CERT, "cert_type", {}),
    ("MIKEY Hash func", CHASH, "hash_func", {}),
    ("MIKEY Error no", ERR, "error_no", {}),
    ("MIKEY Key data type", KeyData, "type", {}),
    ("MIKEY KV type", KeyData, "KV", {}),
    ("MIKEY KV type", DH, "KV", {"dh_value": bytes(192)}),
    ("MIKEY Key ID type", KeyID, "key_id_type", {}),
    ("MIKEY OMA BCAST subtype", OMABCAST, "subtype", {}),
    ("MIKEY TS Role", TR, "ts_role", {}),
    ("MIKEY ID Role", IDR, "id_role", {}),
    ("MIKEY RAND Role", RANDR, "rand_role", {}),
    ("MIKEY ECC curve", ECCPT, "ecc_curve", {}),
    ("MIKEY SK type", SK, "type", {}),
    ("MIKEY SAKKE params", SAKKE, "sakke_params", {}),
    ("MIKEY ID scheme", SAKKE, "id_scheme", {}),
    ("MIKEY SRTP policy parameter", SRTPPolicyParameter, "type", {}),
    ("MIKEY SRTP encryption algorithm", SRTPPolicyParameter, "value", {"type": 0}),
    ("MIKEY SRTP authentication algorithm", SRTPPolicyParameter, "value", {"type": 2}),
    ("MIKEY SRTP authentication algorithm", SRTPPolicyParameter, "value", {"type": 14}),
    ("MIKEY SRTP authentication algorithm", SRTPPolicyParameter, "value", {"type": 15}),
    ("MIKEY SRTP PRF", SRTPPolicyParameter, "value", {"type": 5}),
    ("MIKEY FEC order", SRTPPolicyParameter, "value", {"type": 9}),
    ("MIKEY TESLA policy parameter", TESLAPolicyParameter, "type", {}),
    ("MIKEY TESLA PRF and MAC", TESLAPolicyParameter, "value", {"type": 1}),
    ("MIKEY TESLA PRF and MAC", TESLAPolicyParameter, "value", {"type": 3}),
]
TABLES = {registry.name: registry.names for registry in REGISTRIES}


def test_every_registry_is_shown_somewhere() -> None:
    assert len(TABLES) == len(REGISTRIES)
    assert {name for name, *_ in SHOWN} == set(TABLES)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda one: one.name)
def test_every_registry_names_a_test_that_is_there(registry: Any) -> None:
    path, function = registry.test.split("::")
    assert f"\ndef {function}(" in (Path(__file__).parents[3] / path).read_text()


@pytest.mark.parametrize(
    ("name", "layer", "field", "others"), SHOWN, ids=[f"{name}: {layer.__name__}" for name, layer, *_ in SHOWN]
)
def test_every_value_is_shown_by_its_name(name: str, layer: type[Layer], field: str, others: dict[str, Any]) -> None:
    for code, words in TABLES[name].items():
        read = layer(bytes(layer(**others, **{field: code})))
        node = next(one for one in tree(read).children if one.name == field)
        assert (node.value, node.meaning) == (str(code), words)
    described = next(one for one in layer.fields_desc if one.name == field)
    if isinstance(described, Numeric) and described.naming is not None:
        free = next(code for code in range(1 << 16) if code not in TABLES[name])
        assert described.naming(free) == f"unknown ({free})"


def test_every_payload_has_a_layer() -> None:
    assert set(PAYLOADS) == set(codes.NEXT_PAYLOADS) - {codes.LAST_PAYLOAD}
    for code, layer in PAYLOADS.items():
        payload = layer()
        assert isinstance(payload, Payload)
        packet = MIKEY(bytes(MIKEY(data_type=200, cs_id_map_type=1, payloads=[payload])))
        assert packet.next_payload == code
        assert [type(one) for one in packet.payloads] == [layer]
        assert bytes(without_caches(packet.payloads[0])) == bytes(payload)


def test_every_map_type_is_read() -> None:
    assert set(CS_ID_MAPS) == set(codes.CS_ID_MAP_TYPES)
    for kind, layer in CS_ID_MAPS.items():
        sessions = [] if layer is None else [layer(), layer()]
        packet = MIKEY(bytes(MIKEY(data_type=200, cs_id_map_type=kind, cs_id_map_info=sessions)))
        assert [type(one) for one in packet.cs_id_map_info] == [type(one) for one in sessions]
        assert packet.number_of_cs == len(sessions)
        assert notes(packet) == []


def test_every_timestamp_is_read() -> None:
    assert set(TIMESTAMPS) == set(codes.TS_TYPES)
    for kind, layer in TIMESTAMPS.items():
        for payload in (T, TR):
            packet = payload(bytes(payload(ts_type=kind, ts_value=layer())))
            assert type(packet.ts_value) is layer
            assert len(bytes(packet.ts_value)) == codes.TS_OCTETS[kind]
            assert notes(packet) == []


def test_every_policy_is_read() -> None:
    assert set(POLICIES) == set(codes.PROT_TYPES)
    for kind, layer in POLICIES.items():
        packet = SP(bytes([0, 0, kind, 0, 3, 1, 1, 0]))
        assert type(packet.policy_param) is layer
        assert notes(packet) == []
    assert type(SP(bytes([0, 0, 9, 0, 3, 1, 1, 0])).policy_param) is Raw


def test_every_extension_is_read() -> None:
    assert set(EXTENSIONS) == set(codes.EXTENSION_TYPES)
    for kind, layer in EXTENSIONS.items():
        data = bytes(layer()) or b"octets"
        packet = GeneralExtension(bytes(GeneralExtension(type=kind, data=Raw(data))))
        assert type(packet.data) is layer or kind == 3
        assert bytes(without_caches(packet.data)) == data
    assert type(GeneralExtension(bytes.fromhex("0003000300 01aa")).data) is EXTENSIONS[3]


def test_every_ticket_type_is_read() -> None:
    base = bytes(MIKEYBaseTicket(payloads=[PAYLOADS[code]() for code in (codes.RAND,)]))
    for kind in codes.TICKET_TYPES:
        packet = TICKET(bytes(TICKET(ticket_type=kind, ticket_data=Raw(base))))
        assert type(packet.ticket_data) is (MIKEYBaseTicket if kind == 1 else Raw)
        assert bytes(packet.ticket_data) == base
