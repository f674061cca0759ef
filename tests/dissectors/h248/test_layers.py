"""The layers of H.248 text keep every octet, name what they read in either form of a token, and can be built."""

from __future__ import annotations

import inspect
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.binary import Layer, notes
from dissectors.h248 import layers as messages
from dissectors.h248.codes import (
    ERROR_CODES,
    MODES,
    SERVICE_CHANGE_METHODS,
    SERVICE_CHANGE_REASONS,
    SERVICE_STATES,
    SIGNAL_TYPES,
    TOKENS,
    TOPOLOGY_DIRECTIONS,
)
from dissectors.h248.descriptors import layers as descriptors
from dissectors.h248.descriptors.layers import (
    DESCRIPTORS,
    Audit,
    Local,
    LocalControl,
    Media,
    PropertyParm,
    Remote,
    ServiceChangeReason,
    Services,
    Stream,
    Topology,
)
from dissectors.h248.events import layers as events
from dissectors.h248.events.layers import Events, Signals
from dissectors.h248.grammar.layers import Element
from dissectors.h248.layers import (
    COMMANDS,
    H248,
    TPKT,
    Action,
    Add,
    AuthenticationHeader,
    H248Text,
    MIdAddress,
    MIdDevice,
    MIdDomain,
    MIdMtp,
    TPKTs,
    TransactionReply,
    TransactionRequest,
)
from dissectors.h248.packages import PACKAGES
from dissectors.h248.registries import REGISTRIES
from dissectors.sdp.layer import SDP, SDPConnection, SDPCrypto, SDPLine, SDPMedia
from dissectors.tree import tree
from tests.dissectors.caches import without_caches
from tests.dissectors.h248.messages import ALL, AUTHENTICATED, ERROR, IPV6, LONG, SHORT

LAYERS = sorted(
    {
        one
        for module in (messages, descriptors, events)
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Element) and one.fields_desc
    },
    key=lambda one: one.__name__,
)


def inside(packet: Any) -> list[Any]:
    """A packet and every layer in it."""
    found = [packet]
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Packet):
                found += inside(item)
    return found


def looked_through(octets: bytes, layer: type[Packet]) -> Any:
    """The layer of some octets, after everything that a view does with it; every octet is kept."""
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    return packet


# --- octets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", ALL, ids=lambda one: one[:24].decode())
def test_a_sound_message_keeps_its_octets_and_has_no_notes(octets: bytes) -> None:
    packet = looked_through(octets, H248)
    assert notes(packet) == []
    assert not [one for one in inside(packet) if isinstance(one, Raw)]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_change_to_a_message_keeps_the_octets(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(ALL)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(octets)))
        change = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"{", b"}", b",", b'"', b";", b"=", b"["]))
        )
        octets[at : at + data.draw(st.integers(0, 8))] = change
    if octets:
        looked_through(bytes(octets), H248)


@settings(max_examples=150, deadline=None)
@given(octets=st.text('MF{}[],;="/ \n$*-0AELRT\\', min_size=1, max_size=80))
def test_any_octets_behind_a_header_are_kept(octets: str) -> None:
    looked_through(b"!/3 [10.0.0.1] T=1{C=1{" + octets.encode(), H248)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_any_octets(layer: type[Packet], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(ALL))
    cut = data.draw(st.integers(0, len(start) - 1))
    octets = start[cut : cut + data.draw(st.integers(1, 200))] + data.draw(st.binary(max_size=8))
    looked_through(octets, layer)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Packet]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


@pytest.mark.parametrize(
    "octets",
    [
        b"!/1 [1.1.1.1] " + b"{" * 65000,
        b"!/1 [1.1.1.1] T=1" + b"{C=1{A=1{M{ST=1{L{" * 4000,
        b"!/1 [1.1.1.1] T=1{C=1{" + b"," * 65000,
        b"!/1 [1.1.1.1] T=1{C=1{" + b"[" * 65000,
        b"!/1 [1.1.1.1] T=1{C=1{" + b'"' * 65000,
        b"!/1 [1.1.1.1] T=1{C=1{" + b";" * 65000,
        b"!/1 [1.1.1.1] T=1{C=1{" + b"L{" * 32000,
        b"!/1 [1.1.1.1] T=1{C=1{A=1{M{L{" + b"\\}" * 32000,
        b"!/1 [1.1.1.1] T=1{C=1{A=1{E=1{a/b{EM{" * 1700,
        b"!/1 [1.1.1.1] " + b" " * 65000,
        b"!/1 [1.1.1.1] " + b";\n" * 32000,
        b"!/1 [1.1.1.1] T=1{C=1{TP{" + b"a," * 32000,
        b"\x03\x00\x00\x08" * 16000,
    ],
    ids=range(13),
)
def test_hostile_octets_take_little_time(octets: bytes) -> None:
    start = time.process_time()
    packet = H248(octets)
    assert bytes(without_caches(packet)) == octets
    assert time.process_time() - start < 5


# --- the message ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "layer", "name"),
    [
        (LONG, MIdAddress, b"10.20.0.1"),
        (IPV6, MIdAddress, b"FD20::1"),
        (SHORT, MIdDomain, b"mg1.lab.test"),
        (ERROR, MIdDevice, b"mgw-7"),
        (AUTHENTICATED, MIdMtp, b"1234"),
    ],
    ids=["IPv4", "IPv6", "domain", "device", "MTP"],
)
def test_the_sender_is_shown_in_all_its_forms(octets: bytes, layer: type[Packet], name: bytes) -> None:
    mid = H248(octets).mId
    assert isinstance(mid, layer)
    assert name in [mid.getfieldval(field.name) for field in mid.fields_desc]


def test_the_authentication_header_is_taken_apart() -> None:
    header = H248(AUTHENTICATED).authenticationHeader
    assert isinstance(header, AuthenticationHeader)
    assert (header.SecurityParmIndex, header.SequenceNum, header.AuthData) == (
        b"0x0000002A",
        b"0x00000001",
        b"0x0102030405060708090A0B0C",
    )
    assert H248(LONG).authenticationHeader is None


def test_a_reply_shows_commands_errors_events_and_segments() -> None:
    reply, segment, pending, ack, request, segment_reply = H248(SHORT).messageBody
    assert (reply.TransactionID, reply.segmentNumber) == (b"10003", b"")
    commands = reply.actions[0].commands
    assert [(one.name, one.TerminationID) for one in commands] == [
        ("Add", b"tdm/4444"),
        ("Add", b"ip/access/7"),
        ("Modify", b"*"),
        ("Notify", b"ip/1"),
        ("Subtract", b"ip/2"),
        ("AuditValue", b"ROOT"),
    ]
    error = commands[2].descriptors[0]
    assert (error.ErrorCode, error.errorText) == (b"430", b'"no such, termination {}"')
    observed = request.actions[0].commands[0].descriptors[0]
    first, second = observed.observedEvents
    assert (observed.RequestID, first.TimeStamp, first.packageName, first.eventName) == (
        b"2222",
        b"20261127T22020002",
        b"al",
        b"of",
    )
    assert second.observedEventParameters[0].parameter_value == b'"TE"'
    assert (segment.segmentNumber, segment.segmentationComplete) == (b"1", b"/END")
    assert pending.name == "TransactionPending"
    assert [(one.firstAck, one.lastAck) for one in ack.transactionAcks] == [(b"1", b""), (b"3", b"5"), (b"7", b"")]
    assert (segment_reply.TransactionID, segment_reply.segmentNumber) == (b"10005", b"1")


def test_optional_and_wildcard_commands_say_so() -> None:
    modify = H248(LONG).messageBody[0].actions[0].commands[7]
    assert (modify.optional, modify.wildcard, modify.token) == (b"O-", b"W-", b"Modify")


def test_context_properties_and_topology_are_shown() -> None:
    parts = H248(LONG).messageBody[0].actions[0].commands
    assert [(one.token, one.property_value) for one in parts[:3]] == [
        (b"Priority", b"3"),
        (b"Emergency", b""),
        (b"IEPSCall", b"ON"),
    ]
    assert parts[3].contextAttrs[0].packageName == b"nb"
    topology = parts[4]
    assert isinstance(topology, Topology)
    first, second = topology.topologyTriples
    assert (first.terminationA, first.terminationB, first.topologyDirection) == (b"ip/1", b"ip/2", b"Oneway")
    assert (second.topologyDirection, second.eventStream) == (b"Bothway", b", Stream=2")


def test_local_and_remote_are_session_descriptions_and_end_at_their_own_brace() -> None:
    media = H248(LONG).messageBody[0].actions[0].commands[6].descriptors[0]
    assert isinstance(media, Media)
    first, second = media.mediaParms
    local = first.streamParms[1].octetString[0]
    remote = first.streamParms[2].octetString[0]
    assert isinstance(local, SDP)
    assert local.description().media[0].fingerprints[0].digest.hex() == "aabbccddeeff00112233445566778899aabbccdd"
    assert b"2855/\\};tcp" in bytes(remote)
    crypto = [one for one in second.streamParms[0].octetString[0].lines if isinstance(one, SDPCrypto)]
    assert [one.crypto_suite for one in crypto] == [b"AES_CM_128_HMAC_SHA1_80"]


def test_alternative_descriptions_are_layers_of_their_own() -> None:
    local = Local(b"L{\r\nv=0\r\nm=audio $ RTP/AVP 8\r\nv=0\r\nm=image - udptl t38\r\n}")
    assert [len(one.lines) for one in local.octetString] == [2, 2]
    assert notes(local) == []


def test_a_bad_port_in_a_description_is_noted_where_a_wildcard_is_not() -> None:
    assert notes(Local(b"L{v=0\r\nm=audio $x RTP/AVP 8\r\n}")) == ["SDP media at 7: port is no number up to 65535"]


def test_a_digit_map_keeps_its_commas_and_brackets() -> None:
    digit_map = H248(LONG).messageBody[0].actions[0].commands[6].descriptors[4]
    assert (digit_map.digitMapName, digit_map.digitMapValue) == (b"plan0", b" T:4, S:4, (00|[1-7]xxx|8xxxxxxx) ")


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (
            b"MGCP 1.0",
            [
                "H248 at 0: does not begin with MEGACO/ or !/",
                "H248 at 0: Version '' is no number up to 99",
                "H248 at 0: 8 octets at its end are not explained",
            ],
        ),
        (b"!/3 ", ["H248 at 0: no mId behind the version"]),
        (b"!/3 [10.0.0.1] ", ["H248 at 0: no transaction and no error"]),
        (
            b"!/3 [10.0.0.1] T=x{C=1{A=a}}",
            ["TransactionRequest at 15: TransactionID 'x' is no number up to 4294967295"],
        ),
        (b"!/3 [10.0.0.1] T=1{C=4294967296{}}", ["Action at 19: ContextID '4294967296' is no number up to 4294967295"]),
        (
            b"!/3 [10.0.0.1] T=1{C=1{A=a{M{",
            [
                "Media at 27: opening brace without a closing one",
                "Add at 23: opening brace without a closing one",
                "Action at 19: opening brace without a closing one",
                "TransactionRequest at 15: opening brace without a closing one",
            ],
        ),
        (b"!/3 [10.0.0.1] T=1{C=1{A=a{M{ST=65536{}}}}}", ["Stream at 29: StreamID '65536' is no number up to 65535"]),
        (b"!/3 [10.0.0.1] T=1{C=1{A=a{ER=x{}}}}", ["Error at 27: ErrorCode 'x' is no number up to 9999"]),
        (b"!/3 [10.0.0.1] T=1{C=1{A=a}}}", ["H248 at 0: 1 octets at its end are not explained"]),
    ],
    ids=range(9),
)
def test_notes_say_what_is_wrong_and_where(octets: bytes, expected: list[str]) -> None:
    assert notes(looked_through(octets, H248)) == expected


def test_an_unknown_part_is_shown_as_a_parameter_and_not_blamed() -> None:
    packet = H248(b"!/3 [10.0.0.1] T=1{C=1{A=a{M{} newone=3{x,y}}}}")
    part = packet.messageBody[0].actions[0].commands[0].descriptors[1]
    assert (part.name, part.token, part.parameter_value, part.content) == ("AuditItem", b"newone", b"3", b"x,y")
    assert notes(packet) == []


# --- tokens and registries ------------------------------------------------------------------------


def _read(octets: bytes) -> Any:
    return H248(b"!/3 [10.0.0.1] " + octets).messageBody[0]


@pytest.mark.parametrize(
    "rule", ["TransToken", "ReplyToken", "PendingToken", "ResponseAckToken", "MessageSegmentToken"]
)
def test_every_transaction_is_decoded_in_both_forms(rule: str) -> None:
    expected = next(one for one in REGISTRIES if one.name == "H.248 transactions").layers
    assert expected is not None
    for form in TOKENS[rule]:
        for text in (form, form.lower(), form.upper()):
            assert type(_read(text.encode() + b"=1{}")) is expected[rule]


@pytest.mark.parametrize("rule", COMMANDS)
def test_every_command_is_decoded_in_both_forms(rule: str) -> None:
    for form in TOKENS[rule]:
        for text in (form, form.lower(), form.upper(), "W-" + form, "O-" + form.lower(), "o-w-" + form):
            command = _read(b"T=1{C=1{" + text.encode() + b"=a/b}}").actions[0].commands[0]
            assert type(command) is COMMANDS[rule]
            assert command.TerminationID == b"a/b"


@pytest.mark.parametrize("rule", [*DESCRIPTORS, "AuditToken", "ServicesToken"])
def test_every_descriptor_is_decoded_in_both_forms(rule: str) -> None:
    expected = {**DESCRIPTORS, "AuditToken": Audit, "ServicesToken": Services}[rule]
    for form in TOKENS[rule]:
        for text in (form, form.lower(), form.upper()):
            command = _read(b"T=1{C=1{A=a{" + text.encode() + b"{}}}}").actions[0].commands[0]
            assert type(command.descriptors[0]) is expected
    for form in TOKENS["TopologyToken"]:
        assert type(_read(b"T=1{C=1{" + form.encode() + b"{}}}").actions[0].commands[0]) is Topology


@pytest.mark.parametrize("code", [*ERROR_CODES, 999])
def test_every_error_code_is_shown_by_name(code: int) -> None:
    error = _read(b"ER=%d{}" % code)
    field = error.get_field("ErrorCode")
    assert field.meaning(error, error.ErrorCode) == ERROR_CODES.get(code, "")
    assert ERROR_CODES.get(code, "999") in error.show(dump=True)


@pytest.mark.parametrize("code", SERVICE_CHANGE_REASONS)
def test_every_reason_is_shown_by_name(code: int) -> None:
    for text in (b'RE="%d Some text"', b"RE=%d", b'Reason = "%d"'):
        services = Services(b"SV{" + text % code + b"}")
        reason = services.serviceChangeParms[0]
        assert type(reason) is ServiceChangeReason
        assert reason.reasonCode == b"%d" % code
        assert SERVICE_CHANGE_REASONS[code] in reason.show(dump=True)
        assert notes(services) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_shown_by_name(package: bytes) -> None:
    parm = PropertyParm(package.upper() + b"/x=1")
    assert parm.packageName == package.upper()
    assert PACKAGES[package] in parm.show(dump=True)


def test_an_unknown_package_is_shown_as_one() -> None:
    assert "unknown package" in PropertyParm(b"ERI_TERMINFO/dev_state=Norm").show(dump=True)


@pytest.mark.parametrize(
    ("octets", "values"),
    [
        (b"MO=%s", MODES),
        (b"SI=%s", SERVICE_STATES),
    ],
    ids=["modes", "service states"],
)
def test_every_property_value_is_shown_by_name(octets: bytes, values: dict[bytes, str]) -> None:
    for value, name in values.items():
        assert f"({name})" in PropertyParm(octets % value.lower()).show(dump=True)


def test_every_value_is_shown_by_name() -> None:
    for value, name in SERVICE_CHANGE_METHODS.items():
        assert f"({name})" in Services(b"SV{MT=" + value + b"}").show(dump=True)
    for value, name in SIGNAL_TYPES.items():
        assert f"({name})" in Signals(b"SG{cg/rt{SY=" + value + b"}}").show(dump=True)
    for value, name in TOPOLOGY_DIRECTIONS.items():
        assert f"({name})" in Topology(b"TP{a,b," + value + b"}").show(dump=True)
    for value, name in {**MODES, **SERVICE_STATES}.items():
        token = b"MO" if value in MODES else b"SI"
        assert f"({name})" in LocalControl(b"O{" + token + b"=" + value + b"}").show(dump=True)


def test_every_registry_names_a_test_that_is_there() -> None:
    for registry in REGISTRIES:
        path, _, function = registry.test.partition("::")
        module = __import__(path.removesuffix(".py").replace("/", "."), fromlist=["x"])
        assert callable(getattr(module, function)), registry.name


# --- building -------------------------------------------------------------------------------------


def test_a_message_is_built_from_parts() -> None:
    local = SDP(
        lines=[
            SDPLine(type=b"v", line_value=b"0"),
            SDPConnection(connection_address=b"$"),
            SDPMedia(b"m=message $ TCP/TLS/MSRP *\r\n"),
        ]
    )
    stream = Stream(
        StreamID=b"1",
        streamParms=[
            LocalControl(localParms=[PropertyParm(token=b"Mode", parameter_value=b"SendReceive")]),
            Local(octetString=[local]),
            Remote(),
        ],
    )
    message = H248(
        Version=b"3",
        mId=MIdAddress(Address=b"10.20.0.1", portNumber=b"2944"),
        messageBody=[
            TransactionRequest(
                TransactionID=b"7",
                actions=[
                    Action(
                        ContextID=b"$",
                        commands=[
                            Add(TerminationID=b"ip/$", descriptors=[Media(mediaParms=[stream]), Events()]),
                            Add(TerminationID=b"ip/2"),
                        ],
                    )
                ],
            )
        ],
    )
    built = bytes(message)
    assert built == (
        b"MEGACO/3 [10.20.0.1]:2944\r\nTransaction=7{Context=${Add=ip/${Media{Stream=1{LocalControl{Mode=SendReceive},"
        b"Local{v=0\r\nc=IN IP4 $\r\nm=message $ TCP/TLS/MSRP *\r\n},Remote}},Events},Add=ip/2}}"
    )
    again = H248(built)
    assert notes(again) == []
    again.messageBody[0].actions[0].ContextID = b"5"
    assert bytes(again) == built.replace(b"Context=$", b"Context=5")


def test_a_tpkt_counts_its_header_and_holds_the_message() -> None:
    built = bytes(TPKT(message=H248(ERROR)))
    assert built == b"\x03\x00" + (4 + len(ERROR)).to_bytes(2, "big") + ERROR
    packet = H248(built)
    assert isinstance(packet, TPKT)
    assert isinstance(packet.message, H248Text)
    assert notes(packet) == []
    stream = TPKTs(built + bytes(TPKT(message=H248(IPV6))) + b"\x03\x00\x00")
    assert [bytes(one.message) for one in stream.tpkts[:2]] == [ERROR, IPV6]
    assert bytes(without_caches(stream)) == built + bytes(TPKT(message=H248(IPV6))) + b"\x03\x00\x00"
    assert notes(TPKT(built[:-1]))[-1:] == [
        f"TPKT at 0: packet_length says {len(built)} octets, {len(built) - 1} are there"
    ]


def test_the_tree_gives_clauses_and_places() -> None:
    node = tree(H248(SHORT))
    reply = next(one for one in node.walk() if one.name == "TransactionReply")
    assert (reply.offset, reply.clause.startswith("H.248")) == (24, True)
    for one in node.walk():
        assert one.offset + one.length <= len(SHORT)


def test_layers_say_where_they_are_defined() -> None:
    for layer in LAYERS:
        assert "H.248.1 " in (layer.__doc__ or ""), layer
    assert issubclass(H248, Layer)
    assert issubclass(TransactionReply, Layer)
