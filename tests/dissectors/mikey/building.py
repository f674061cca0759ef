"""Strategies that build payloads and whole messages, from the compositions as the specifications write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.mikey import codes
from dissectors.mikey.compositions import COMPOSITIONS, TICKET_MESSAGES
from dissectors.mikey.extension.layers import (
    CSBID,
    OMABCAST,
    GeneralExtension,
    KeyID,
    KeyIDInformation,
    KeyParameters,
    ProtectedKeyParameters,
    SDPIDs,
    TESLAIKey,
    VendorID,
)
from dissectors.mikey.identity_based.layers import ECCPT, ESK, IBAKE, SAKKE, SK, SAKKEEncapsulatedData
from dissectors.mikey.layers import (
    MIKEY,
    SRTPID,
    GenericID,
    SRTPSessionData,
    SRTPSessionDataWithROC,
)
from dissectors.mikey.payload.layers import (
    CERT,
    CHASH,
    DH,
    DHHMACKEMAC,
    ERR,
    ID,
    IDR,
    KEMAC,
    PKE,
    RAND,
    RANDR,
    SIGN,
    TIMESTAMPS,
    TR,
    Counter,
    ECCSISignature,
    IDAndKeyData,
    IDRAndKeyData,
    KeyData,
    KeyDataSubPayloads,
    NTPSeconds,
    NTPTimestamp,
    PublicKeyKEMAC,
    RekeyingInterval,
    T,
    V,
)
from dissectors.mikey.policy.layers import (
    SP,
    SRTPPolicy,
    SRTPPolicyParameter,
    TESLAPolicy,
    TESLAPolicyParameter,
)
from dissectors.mikey.ticket.layers import THDR, TICKET, TP, InitiatorData, MIKEYBaseTicket, TPData

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

octets = st.binary(max_size=24)
some_octets = st.binary(min_size=1, max_size=24)
word = st.integers(0, 2**32 - 1)
octet = st.integers(0, 255)


def known(table: Mapping[int, str]) -> st.SearchStrategy[int]:
    """A code point of a table."""
    return st.sampled_from(sorted(table))


@st.composite
def timestamps(draw: st.DrawFn, kind: int) -> Packet:
    layer = TIMESTAMPS[kind]
    if layer is Counter:
        return Counter(counter=draw(word))
    if layer is NTPSeconds:
        return NTPSeconds(seconds=draw(word))
    return NTPTimestamp(seconds=draw(word), fraction=draw(word))


@st.composite
def t_payloads(draw: st.DrawFn, layer: type[Packet] = T, **fields: Any) -> Packet:
    kind = fields.pop("ts_type", None)
    kind = draw(known(codes.TS_TYPES)) if kind is None else kind
    return layer(ts_type=kind, ts_value=draw(timestamps(kind)), **fields)


@st.composite
def with_validity(draw: st.DrawFn, layer: type[Packet], kv: int | None = None, **fields: Any) -> Packet:
    kv = draw(known(codes.KV_TYPES)) if kv is None else kv
    if kv == codes.KV_SPI:
        fields["spi"] = draw(octets)
    elif kv == codes.KV_INTERVAL:
        fields |= {"valid_from": draw(octets), "valid_to": draw(octets)}
    return layer(KV=kv, **fields)


@st.composite
def key_data(draw: st.DrawFn, kv: int | None = None) -> Packet:
    kind = draw(known(codes.KEY_DATA_TYPES))
    salt = {"salt_data": draw(octets)} if kind in codes.SALTED_KEY_DATA_TYPES else {}
    return draw(with_validity(KeyData, kv, type=kind, key_data=draw(octets), **salt))


@st.composite
def kemacs(draw: st.DrawFn, data_type: int = 0) -> Packet:
    layer = PublicKeyKEMAC if data_type in (2, 10, 21) else KEMAC
    mac_alg = draw(known(codes.MAC_ALGORITHMS))
    mac = draw(st.binary(min_size=codes.MAC_OCTETS[mac_alg], max_size=codes.MAC_OCTETS[mac_alg]))
    keys = draw(st.lists(key_data(codes.KV_SPI if data_type in TICKET_MESSAGES else None), min_size=1, max_size=3))
    if draw(st.booleans()):
        return layer(encr_alg=draw(st.integers(1, 3)), encr_data=Raw(draw(octets)), mac_alg=mac_alg, mac=mac)
    if layer is KEMAC:
        plain: Packet = KeyDataSubPayloads(payloads=keys)
    elif draw(st.booleans()):
        plain = IDAndKeyData(payloads=[draw(ids), *keys])
    else:
        # Of an empty name, or of a long one, the octets may read as an identity without a role as well.
        name = draw(st.binary(min_size=1, max_size=codes.KEY_DATA - 1))
        plain = IDRAndKeyData(payloads=[draw(idrs(id_data=name)), *keys])
    return layer(encr_alg=0, encr_data=plain, mac_alg=mac_alg, mac=mac)


@st.composite
def idrs(draw: st.DrawFn, role: int | None = None, id_data: bytes | None = None) -> Packet:
    role = draw(known(codes.ID_ROLES)) if role is None else role
    name = draw(octets) if id_data is None else id_data
    return IDR(id_role=role, id_type=draw(known(codes.ID_TYPES)), id_data=name)


@st.composite
def sized(draw: st.DrawFn, layer: type[Packet], code: str, value: str, sizes: Mapping[int, int]) -> Packet:
    kind = draw(st.sampled_from(sorted(sizes)))
    return layer(**{code: kind, value: draw(st.binary(min_size=sizes[kind], max_size=sizes[kind]))})


@st.composite
def dhs(draw: st.DrawFn) -> Packet:
    group = draw(known(codes.DH_GROUPS))
    size = codes.DH_OCTETS[group]
    return draw(with_validity(DH, dh_group=group, dh_value=draw(st.binary(min_size=1, max_size=1)) * size))


@st.composite
def signs(draw: st.DrawFn) -> Packet:
    if draw(st.booleans()):
        return SIGN(s_type=2, signature=ECCSISignature(r=bytes(range(32))))
    return SIGN(s_type=draw(known(codes.SIGNATURE_TYPES)), signature=Raw(draw(octets)))


@st.composite
def policies(draw: st.DrawFn) -> Packet:
    layer, parameter, table = draw(
        st.sampled_from(
            [
                (SRTPPolicy, SRTPPolicyParameter, codes.SRTP_PARAMETERS),
                (TESLAPolicy, TESLAPolicyParameter, codes.TESLA_PARAMETERS),
            ]
        )
    )
    parameters = [
        parameter(type=draw(known(table)), length=length, value=draw(st.integers(0, 256**length - 1)))
        for length in draw(st.lists(st.integers(1, 8), max_size=4))
    ]
    if draw(st.booleans()):
        return SP(policy_no=draw(octet), prot_type=draw(st.integers(2, 255)), policy_param=Raw(draw(some_octets)))
    return SP(
        policy_no=draw(octet),
        prot_type=codes.SRTP if layer is SRTPPolicy else codes.TESLA,
        policy_param=layer(parameters=parameters) if parameters else Raw(),
    )


@st.composite
def sakkes(draw: st.DrawFn) -> Packet:
    data = draw(st.sampled_from([SAKKEEncapsulatedData(H=bytes(range(16))), Raw(b"abc")]))
    return SAKKE(id_scheme=draw(known(codes.ID_SCHEMES)), sakke_data=data)


@st.composite
def extensions(draw: st.DrawFn) -> Packet:
    kind = draw(known(codes.EXTENSION_TYPES))
    data: Packet = {
        0: lambda: VendorID(vendor_id=draw(some_octets)),
        1: lambda: SDPIDs(ids=draw(st.lists(st.sampled_from([b"mikey", b"keyp1"]), min_size=1, max_size=3))),
        2: lambda: TESLAIKey(i_key=draw(some_octets)),
        3: lambda: KeyIDInformation(
            key_ids=[
                KeyID(key_id_type=kind, key_id=value)
                for kind, value in draw(st.lists(st.tuples(st.integers(0, 2), octets), min_size=1, max_size=3))
            ]
        ),
        4: lambda: CSBID(csb_id=draw(word)),
        5: lambda: OMABCAST(subtype=draw(known(codes.OMA_BCAST_SUBTYPES)), subtype_data=draw(octets)),
        6: lambda: draw(sakkes()),
        7: lambda: draw(
            st.sampled_from(
                [
                    KeyParameters(key_type=1, text=b"key"),
                    KeyParameters(key_type=0, group_ids=b"\x00"),
                    ProtectedKeyParameters(dppk_id=7, ciphertext=b"c" * 33),
                ]
            )
        ),
    }[kind]()
    return GeneralExtension(type=kind, data=data)


ids = st.builds(ID, id_type=known(codes.ID_TYPES), id_data=octets)
certs = st.builds(CERT, cert_type=known(codes.CERTIFICATE_TYPES), cert_data=octets)
rands = st.builds(RAND, rand=octets)
pkes = st.builds(PKE, C=st.integers(0, 3), data=octets)
errs = st.builds(ERR, error_no=known(codes.ERRORS))
vs = sized(V, "auth_alg", "ver_data", codes.MAC_OCTETS)
chashes = sized(CHASH, "hash_func", "hash", codes.HASH_OCTETS)
ibakes = st.builds(IBAKE, encr_data=octets)
esks = st.builds(ESK, encr_data=octets)


def randrs(role: int) -> st.SearchStrategy[Packet]:
    return st.builds(RANDR, rand_role=st.just(role), rand=octets)


def trs(role: int) -> st.SearchStrategy[Packet]:
    if role == 4:
        return st.builds(
            TR,
            ts_role=st.just(4),
            ts_type=st.just(codes.NTP_UTC_32),
            ts_value=st.builds(RekeyingInterval, interval=word),
        )
    return t_payloads(TR, ts_role=role)


_FLAG_SETS = ["DEFHJNO", "DEFGHIJNO", "DEGFN", "LH", "DH"]


@st.composite
def tickets(draw: st.DrawFn, layer: type[Packet], data_type: int) -> Packet:
    flags = draw(st.sampled_from(_FLAG_SETS))
    granted = layer is TICKET
    parts = [
        *draw(st.lists(idrs(3), max_size=1)),
        *draw(st.lists(idrs(1), max_size=1)),
        *(draw(trs(role)) for role in (2, 3, 4) if draw(st.booleans())),
        *([] if granted else draw(st.lists(kemacs(14), max_size=1))),
        *draw(st.lists(idrs(5), max_size=2)),
        *draw(st.lists(idrs(2), min_size=1, max_size=2)),
    ]
    fields: dict[str, Any] = dict.fromkeys(flags, 1)
    kind = draw(st.sampled_from([1, 1, 2, 3]))
    if granted:
        base = MIKEYBaseTicket(
            payloads=[
                THDR(thdr_data=draw(octets)),
                draw(t_payloads()),
                draw(rands),
                draw(kemacs(14)),
                *draw(st.lists(idrs(4), max_size=1)),
                draw(vs),
            ]
        )
        fields["ticket_data"] = Raw(draw(some_octets)) if kind == 3 else base
        if "I" in flags and data_type in (14, 16, 17):
            fields["initiator_data"] = InitiatorData(payloads=[draw(vs), draw(vs)])
    return layer(
        ticket_type=kind,
        subtype=1,
        version=1,
        prf_func=draw(st.integers(0, 1)),
        tp_data=TPData(payloads=parts),
        **fields,
    )


@st.composite
def dhhmac_kemacs(draw: st.DrawFn) -> Packet:
    encr_alg, mac_alg, mac = draw(
        st.sampled_from([(0, 1, bytes(20)), (2, 0, b"m" * 20), (0, 0, b""), (2, 1, b""), (0, 2, b"h" * 32)])
    )
    return DHHMACKEMAC(encr_alg=encr_alg, mac_alg=mac_alg, mac=mac)


def _in_role(
    strategy: Callable[[int], st.SearchStrategy[Packet]], role: int
) -> Callable[[int], st.SearchStrategy[Packet]]:
    return lambda _: strategy(role)


_IDENTITY_ROLES = {"IDRi": 1, "IDRr": 2, "IDRi/r": 1, "IDRkms": 3, "IDRpsk": 4, "IDRkmsi": 6, "IDRkmsr": 7}
_RAND_ROLES = {"RANDRi": 1, "RANDRr": 2, "RANDRkms": 3}

# What stands in the compositions, by the name it has there; given the data type.
_STRATEGIES: dict[str, Callable[[int], st.SearchStrategy[Packet]]] = {
    "T": lambda _: t_payloads(),
    "RAND": lambda _: rands,
    **dict.fromkeys(("IDi", "IDr"), lambda _: ids),
    **dict.fromkeys(("CERT", "CERTi", "CERTr"), lambda _: certs),
    "SP": lambda _: policies(),
    "KEMAC": lambda data_type: dhhmac_kemacs() if data_type in (7, 8) else kemacs(data_type),
    "CHASH": lambda _: chashes,
    "PKE": lambda _: pkes,
    **dict.fromkeys(("SIGN", "SIGNi", "SIGNr"), lambda _: signs()),
    "V": lambda _: vs,
    **dict.fromkeys(("DHi", "DHr"), lambda _: dhs()),
    "ERR": lambda _: errs,
    "CSB_ID": lambda _: st.builds(lambda csb_id: GeneralExtension(type=4, data=CSBID(csb_id=csb_id)), word),
    **{name: _in_role(idrs, role) for name, role in _IDENTITY_ROLES.items()},
    **{name: _in_role(randrs, role) for name, role in _RAND_ROLES.items()},
    "TP": lambda data_type: tickets(TP, data_type),
    "TICKET": lambda data_type: tickets(TICKET, data_type),
    "IBAKE": lambda _: ibakes,
    "ESK": lambda _: esks,
    "SAKKE": lambda _: sakkes(),
}


@st.composite
def payloads_of(draw: st.DrawFn, data_type: int) -> list[Packet]:
    """Payloads in the order and number that the composition of a data type gives them."""
    found: list[Packet] = []
    for item in COMPOSITIONS[data_type].text.split(", ")[1:]:
        choice = draw(st.sampled_from(re.sub(r"[][]", "", item).split("|")))
        name = choice.strip("(){}")
        times = (
            draw(st.integers(0, 2))
            if "{" in choice
            else draw(st.integers(1, 2))
            if "(" in choice
            else draw(st.integers(0, 1))
            if "[" in item
            else 1
        )
        found += [draw(_STRATEGIES[name](data_type)) for _ in range(times)]
        if draw(st.integers(0, 9)) == 0 and len(found) == 1 and data_type in range(2, 26):
            found.append(draw(extensions()))
    return found


@st.composite
def sessions(draw: st.DrawFn) -> Packet:
    """One crypto session of a GENERIC-ID map."""
    prot_type, roc = draw(st.sampled_from([(0, 0), (0, 1), (1, 0), (2, 0), (241, 1)]))
    data: Packet = Raw(draw(octets))
    if prot_type == 0:
        data = (
            SRTPSessionDataWithROC(ssrc=draw(word), roc=draw(word), seq=draw(st.integers(0, 65535)))
            if roc
            else SRTPSessionData(ssrc=draw(word))
        )
    return GenericID(
        cs_id=draw(octet),
        prot_type=prot_type,
        S=roc,
        policies=draw(st.lists(octet, max_size=3)),
        session_data=data,
        spi=draw(octets),
    )


@st.composite
def maps(draw: st.DrawFn, data_type: int, has_policy: bool) -> dict[str, Any]:
    """A CS ID map that may stand in a message."""
    allowed = [codes.GENERIC_ID]
    if data_type not in TICKET_MESSAGES:
        allowed.append(codes.SRTP_ID)
    if not has_policy or data_type == 26:
        allowed.append(codes.EMPTY_MAP)
    kind = draw(st.sampled_from(allowed))
    one = {
        codes.SRTP_ID: st.builds(SRTPID, policy_no=octet, ssrc=word, roc=word),
        codes.GENERIC_ID: sessions(),
        codes.EMPTY_MAP: st.nothing(),
    }[kind]
    return {"cs_id_map_type": kind, "cs_id_map_info": draw(st.lists(one, max_size=0 if kind == 1 else 3))}


@st.composite
def messages(draw: st.DrawFn, data_type: int) -> MIKEY:
    """A message of a data type."""
    payloads = draw(payloads_of(data_type))
    has_policy = any(isinstance(one, SP) for one in payloads)
    return MIKEY(
        data_type=data_type,
        V=draw(st.integers(0, 1)),
        prf_func=draw(st.integers(0, 1)),
        csb_id=draw(word),
        **draw(maps(data_type, has_policy)),
        payloads=payloads,
    )


inner = st.one_of(with_validity(SK, key_data=b"key"), with_validity(ECCPT, ecc_curve=8, ecc_point=b"\x04" + bytes(64)))
"""What stands only inside encrypted data."""
