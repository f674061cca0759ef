"""The layers of BFCP keep every octet, name what they read, can be built, and say what is wrong."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from dissectors.bfcp import layers
from dissectors.bfcp.attributes import layers as attribute_layers
from dissectors.bfcp.attributes.layers import (
    ATTRIBUTE_LAYERS,
    BENEFICIARY_ID,
    BENEFICIARY_INFORMATION,
    ERROR_CODE,
    ERROR_INFO,
    EXTENSION_ATTRIBUTE,
    FLOOR_ID,
    FLOOR_REQUEST_INFORMATION,
    FLOOR_REQUEST_STATUS,
    OVERALL_REQUEST_STATUS,
    PARTICIPANT_PROVIDED_INFO,
    PRIORITY,
    REQUEST_STATUS,
    STATUS_INFO,
    SUPPORTED_ATTRIBUTES,
    SUPPORTED_PRIMITIVES,
    USER_DISPLAY_NAME,
    USER_URI,
)
from dissectors.bfcp.codes import ATTRIBUTES, GROUP_CONTENTS, MESSAGE_CONTENTS, PRIMITIVES, listed
from dissectors.bfcp.layers import (
    BFCP,
    MESSAGE_LAYERS,
    BFCPStream,
    Error,
    FloorQuery,
    FloorRequest,
    FloorRequestStatus,
    Goodbye,
    Hello,
    HelloAck,
)
from dissectors.binary import Layer, notes
from dissectors.tree import tree
from tests.dissectors.caches import without_caches
from tests.truth import CAPTURES

FLOOR_REQUEST = "2001000411223344007b00ea0504021f110768656c6c6f0009046000"
GRANTED = "2004000a11223344007b00ea1f280315250803150b0403002304021f1d1800ea1905416e6e0000001b097369703a614062000000"
UNKNOWN_ATTRIBUTE = "200d000311223344007c00ea0d0404c80f066e6f70650000"
HELLO = "400b000011223344000100ea"
HELLO_ACK = "500c000a11223344000100ea17130102030405060708090a0b0c0d0e0f1011001514020406080a0c0e10121416181a1c1e202224"
PENDING = "5004000411223344007b00ea1f100315250803150b0401002304021f"
FRAGMENTS = (
    "4801000911223344000700ea000000040504021f112078787878787878787878",
    "4801000911223344000700ea000400057878787878787878787878787878787878787878",
)
FIELDS_OF_VERSION_1 = (
    "2801000411223344007b00ea" + "00000004" + FLOOR_REQUEST[24:],  # a whole message behind the fields of a fragment
    "2807000211223344007b00ea" + "05040001" + "05040002",  # both readings fit
    "28" + FRAGMENTS[0][2:],
    "28" + FRAGMENTS[1][2:],
)
GOODBYE = "4010000011223344000200ea"
SAMPLES = (FLOOR_REQUEST, GRANTED, UNKNOWN_ATTRIBUTE, HELLO, HELLO_ACK, PENDING, *FRAGMENTS, GOODBYE)
SEEDS = [bytes.fromhex(one) for one in (*SAMPLES, *FIELDS_OF_VERSION_1)]
HEADER = "20{:02x}{:04x}11223344007b00ea"

ALL = [
    one
    for module in (layers, attribute_layers)
    for one in vars(module).values()
    if inspect.isclass(one) and issubclass(one, Layer) and hasattr(one, "fields_desc") and one.fields_desc
]


def message(primitive: int, attributes: str) -> BFCP:
    """A message of version 1 around attributes in hexadecimal digits."""
    octets = bytes.fromhex(attributes)
    return BFCP(bytes.fromhex(HEADER.format(primitive, len(octets) // 4)) + octets)


# --- messages of every kind -------------------------------------------------------------------------

NUMBER = st.integers(0, 65_535)
TEXT = st.text(max_size=12).map(str.encode)
SCALARS: dict[int, st.SearchStrategy[Packet]] = {
    1: st.builds(lambda one: BENEFICIARY_ID(Beneficiary_ID=one), NUMBER),
    2: st.builds(lambda one: FLOOR_ID(Floor_ID=one), NUMBER),
    3: st.builds(lambda one: ATTRIBUTE_LAYERS[3](Floor_Request_ID=one), NUMBER),
    4: st.builds(lambda prio, rest: PRIORITY(Prio=prio, Reserved=rest), st.integers(0, 7), st.integers(0, 8_191)),
    5: st.builds(
        lambda one, place: REQUEST_STATUS(Request_Status=one, Queue_Position=place),
        st.integers(0, 255),
        st.integers(0, 255),
    ),
    6: st.one_of(
        st.builds(
            lambda types: ERROR_CODE(Error_Code=4, Error_Specific_Details=types),
            st.lists(st.integers(0, 255), max_size=9),
        ),
        st.builds(
            lambda code, octets: ERROR_CODE(Error_Code=code, Error_Specific_Details=octets),
            st.integers(5, 255),
            st.binary(max_size=9),
        ),
    ),
    10: st.builds(
        lambda types: SUPPORTED_ATTRIBUTES(Supported_Attributes=types), st.lists(st.integers(0, 255), max_size=20)
    ),
    11: st.builds(
        lambda codes: SUPPORTED_PRIMITIVES(Supported_Primitives=codes), st.lists(st.integers(0, 255), max_size=20)
    ),
} | {code: TEXT.map(lambda text, code=code: ATTRIBUTE_LAYERS[code](Text=text)) for code in (7, 8, 9, 12, 13)}

EXTENSIONS = st.builds(
    lambda code, mandatory, octets: EXTENSION_ATTRIBUTE(Type=code, M=mandatory, Contents=octets),
    st.integers(19, 127),
    st.integers(0, 1),
    st.binary(max_size=9),
)


@st.composite
def contents(draw: st.DrawFn, wanted: dict[int, tuple[int, int | None]]) -> list[Packet]:
    """Attributes in the number that the specification has, and an extension now and then."""
    out: list[Packet] = []
    for code, (least, most) in wanted.items():
        for _ in range(draw(st.integers(least, 2 if most is None else most))):
            if code in GROUP_CONTENTS:
                layer = ATTRIBUTE_LAYERS[code]
                identifier = layer.fields_desc[3].name
                inside = draw(contents({one: (low, 1) for one, (low, _) in GROUP_CONTENTS[code].items()}))
                out.append(layer(attributes=inside, **{identifier: draw(NUMBER)}))
            else:
                out.append(draw(SCALARS[code]))
    if draw(st.integers(0, 3)) == 0:
        out.append(draw(EXTENSIONS))
    return out


@st.composite
def messages(draw: st.DrawFn, code: int) -> BFCP:
    """A message of a primitive, in either version."""
    version = draw(st.sampled_from([1, 2])) if code < 14 else 2
    return MESSAGE_LAYERS[code](
        Ver=version,
        R=draw(st.integers(0, 1)) * (version == 2),
        Conference_ID=draw(st.integers(0, 2**32 - 1)),
        Transaction_ID=draw(NUMBER),
        User_ID=draw(NUMBER),
        attributes=draw(contents(MESSAGE_CONTENTS[code])),
    )


@pytest.mark.parametrize("code", PRIMITIVES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_message_of_every_primitive_is_built_and_read_again(code: int, data: st.DataObject) -> None:
    built = data.draw(messages(code))
    octets = bytes(built)
    assert len(octets) == 12 + 4 * int.from_bytes(octets[2:4], "big")
    read = BFCP(octets)
    assert type(read) is type(built)
    assert bytes(without_caches(read)) == octets
    assert notes(read) == []
    assert [one.name for one in read.attributes] == [one.name for one in built.attributes]


@pytest.mark.parametrize("code", PRIMITIVES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_change_of_a_message_keeps_every_octet(code: int, data: st.DataObject) -> None:
    octets = bytearray(bytes(data.draw(messages(code))))
    for place in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[place] = data.draw(st.integers(0, 255))
    changed = bytes(octets[: data.draw(st.integers(1, len(octets)))]) + data.draw(st.binary(max_size=5))
    packet = without_caches(BFCP(changed))
    assert bytes(packet) == changed
    assert bytes(packet.copy()) == changed
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(changed)


@pytest.mark.parametrize("layer", ALL, ids=lambda one: one.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Layer], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(SEEDS + [one[12:] for one in SEEDS if len(one) > 12]))
    cut = data.draw(st.integers(0, len(start)))
    octets = start[:cut] + data.draw(st.binary(min_size=1, max_size=60)) + start[cut + data.draw(st.integers(0, 3)) :]
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("layer", ALL, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Layer]) -> None:
    built = bytes(layer())
    if built:
        assert bytes(without_caches(layer(built))) == built


# --- what is read -----------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", SAMPLES)
def test_sound_messages_have_no_notes(octets: str) -> None:
    packet = BFCP(bytes.fromhex(octets))
    assert bytes(without_caches(packet)) == bytes.fromhex(octets)
    assert notes(packet) == []


def test_a_floor_request_is_read_field_by_field() -> None:
    packet = BFCP(bytes.fromhex(FLOOR_REQUEST))
    assert isinstance(packet, FloorRequest)
    assert (packet.Ver, packet.R, packet.F, packet.Res, packet.Primitive, packet.Payload_Length) == (1, 0, 0, 0, 1, 4)
    assert (packet.Conference_ID, packet.Transaction_ID, packet.User_ID) == (0x11223344, 123, 234)
    floor, info, priority = packet.attributes
    assert (floor.Type, floor.M, floor.Length, floor.Floor_ID) == (2, 1, 4, 543)
    assert (info.name, info.Length, info.Text, info.Padding) == ("PARTICIPANT-PROVIDED-INFO", 7, b"hello", b"\0")
    assert (priority.Prio, priority.Reserved) == (3, 0)


def test_groups_are_read_with_the_groups_inside_them() -> None:
    (info,) = BFCP(bytes.fromhex(GRANTED)).attributes
    assert (type(info), info.Floor_Request_ID, info.Length) == (FLOOR_REQUEST_INFORMATION, 789, 40)
    overall, floor, beneficiary = info.attributes
    assert (type(overall), overall.Floor_Request_ID) == (OVERALL_REQUEST_STATUS, 789)
    assert (overall.attributes[0].Request_Status, overall.attributes[0].Queue_Position) == (3, 0)
    assert (type(floor), floor.Floor_ID, floor.attributes) == (FLOOR_REQUEST_STATUS, 543, [])
    assert (type(beneficiary), beneficiary.Beneficiary_ID) == (BENEFICIARY_INFORMATION, 234)
    assert [one.Text for one in beneficiary.attributes] == [b"Ann", b"sip:a@b"]
    assert [one.Padding for one in beneficiary.attributes] == [bytes(3), bytes(3)]


def test_error_4_lists_the_attributes_that_were_not_known() -> None:
    code, info = BFCP(bytes.fromhex(UNKNOWN_ATTRIBUTE)).attributes
    assert (code.Error_Code, code.Error_Specific_Details, info.Text) == (4, [0xC8], b"nope")
    nodes = {node.name: node.meaning for node in tree(code).walk()}
    assert nodes["Error_Specific_Details"] == "[unknown (100)]"
    (other,) = message(13, "0d0505c801000000").attributes
    assert (other.Error_Code, other.Error_Specific_Details, other.Padding) == (5, b"\xc8\x01", bytes(3))


def test_lists_of_what_is_supported_are_shown_by_name() -> None:
    ack = BFCP(bytes.fromhex(HELLO_ACK))
    primitives, attributes = ack.attributes
    assert (type(ack), ack.Ver, ack.R) == (HelloAck, 2, 1)
    assert primitives.Supported_Primitives == list(range(1, 18))
    assert attributes.Supported_Attributes == listed(*range(1, 19))
    shown = {node.name: node.meaning for node in tree(ack).walk()}
    assert shown["Supported_Primitives"] == ", ".join(PRIMITIVES.values())
    assert shown["Supported_Attributes"] == ", ".join(ATTRIBUTES.values())
    odd = SUPPORTED_ATTRIBUTES(bytes.fromhex("15040506"))
    assert "FLOOR-ID, reserved bit set, FLOOR-REQUEST-ID" in {node.meaning for node in tree(odd).walk()}


def test_a_fragment_has_its_offset_and_length_and_its_octets_as_they_are() -> None:
    first, second = (BFCP(bytes.fromhex(one)) for one in FRAGMENTS)
    assert isinstance(first, FloorRequest)
    assert (first.Ver, first.F, first.Payload_Length, first.Fragment_Offset, first.Fragment_Length) == (2, 1, 9, 0, 4)
    assert (second.Fragment_Offset, second.Fragment_Length, second.attributes, second.Fragment) == (4, 5, [], b"x" * 20)
    assert first.Fragment == bytes.fromhex(FRAGMENTS[0])[16:]


def test_a_message_in_a_single_fragment_is_read() -> None:
    packet = BFCP(bytes.fromhex("480700010000000100020808" + "00000001" + "05040002"))
    assert (packet.attributes[0].Floor_ID, packet.Fragment) == (2, None)
    assert notes(packet) == []


def test_bits_that_version_1_has_not_are_shown_and_not_acted_on() -> None:
    packet = BFCP(bytes.fromhex("390700010000000100020808" + "05040002"))
    assert (packet.Ver, packet.R, packet.F, packet.Res, packet.Fragment_Offset) == (1, 1, 1, 1, b"")
    assert packet.attributes[0].Floor_ID == 2
    assert notes(packet) == []


def test_padding_that_is_not_zero_and_reserved_values_are_no_trouble() -> None:
    packet = message(1, "0504021f" + "110768656c6c6fff" + "0904ffff")
    assert packet.attributes[1].Padding == b"\xff"
    assert (packet.attributes[2].Prio, packet.attributes[2].Reserved) == (7, 8191)
    assert notes(packet) == []


def test_a_stream_has_its_messages() -> None:
    octets = bytes.fromhex(FLOOR_REQUEST + GRANTED + "2063000011223344000100ea")
    first, second, third = BFCPStream(octets).messages
    assert (type(first).__name__, type(second).__name__) == ("FloorRequest", "FloorRequestStatus")
    assert (type(third), third.Primitive) == (BFCP, 99)
    assert notes(BFCPStream(octets)) == []
    cut = BFCPStream(octets[:-1] + b"?" + octets[:20])
    assert notes(cut) == [
        "FloorRequest attributes: 4 octets at 108 are not explained",
        "FloorRequest at 92: Payload_Length says 16 octets, 8 are there",
    ]
    assert notes(BFCPStream(octets[:28] + b"\0" * 14)) == ["BFCP stream messages: 14 octets at 28 are not explained"]


def test_lists_of_hostile_length_are_bounded() -> None:
    flood = bytes.fromhex(HEADER.format(7, 65_535)) + b"\x05\x04\x00\x01" * 65_535
    packet = BFCP(flood)
    assert len(packet.attributes) == 4_097
    assert bytes(without_caches(packet)) == flood


def test_groups_nested_against_the_specification_stay_raw() -> None:
    inner = bytes.fromhex("2304021f")
    for _ in range(60):
        inner = b"\x23" + bytes([len(inner) + 4]) + b"\x02\x1f" + inner
    info = b"\x1f" + bytes([len(inner) + 4]) + b"\x03\x15" + inner
    packet = message(4, info.hex())
    nested = packet.attributes[0].attributes[0].attributes[0]
    assert (type(nested), nested.Type) == (EXTENSION_ATTRIBUTE, 17)
    assert notes(packet) == [
        "EXTENSION-ATTRIBUTE at 20: FLOOR-REQUEST-STATUS stands where the specification has no such group"
    ]


# --- what is built ----------------------------------------------------------------------------------


def test_messages_are_built_as_the_samples_are() -> None:
    common = {"Conference_ID": 0x11223344, "User_ID": 234}
    request = FloorRequest(
        Transaction_ID=123,
        attributes=[FLOOR_ID(Floor_ID=543), PARTICIPANT_PROVIDED_INFO(Text=b"hello"), PRIORITY(Prio=3)],
        **common,
    )
    assert bytes(request).hex() == FLOOR_REQUEST
    ann = BENEFICIARY_INFORMATION(
        Beneficiary_ID=234, attributes=[USER_DISPLAY_NAME(Text=b"Ann"), USER_URI(Text=b"sip:a@b")]
    )
    granted = OVERALL_REQUEST_STATUS(Floor_Request_ID=789, attributes=[REQUEST_STATUS(Request_Status=3)])
    info = FLOOR_REQUEST_INFORMATION(
        Floor_Request_ID=789, attributes=[granted, FLOOR_REQUEST_STATUS(Floor_ID=543), ann]
    )
    assert bytes(FloorRequestStatus(Transaction_ID=123, attributes=[info], **common)).hex() == GRANTED
    error = [ERROR_CODE(Error_Code=4, Error_Specific_Details=listed(100)), ERROR_INFO(Text=b"nope")]
    assert bytes(Error(Transaction_ID=124, attributes=error, **common)).hex() == UNKNOWN_ATTRIBUTE
    ack = [
        SUPPORTED_PRIMITIVES(Supported_Primitives=list(range(1, 18))),
        SUPPORTED_ATTRIBUTES(Supported_Attributes=listed(*range(1, 19))),
    ]
    assert bytes(HelloAck(Ver=2, R=1, Transaction_ID=1, attributes=ack, **common)).hex() == HELLO_ACK
    assert bytes(Hello(Ver=2, Transaction_ID=1, **common)).hex() == HELLO
    assert bytes(Goodbye(Ver=2, Transaction_ID=2, **common)).hex() == GOODBYE
    part = FloorRequest(
        Ver=2,
        F=1,
        Payload_Length=9,
        Transaction_ID=7,
        Fragment_Offset=4,
        Fragment=b"x" * 20,
        **common,
    )
    assert bytes(part).hex() == FRAGMENTS[1]


def test_a_message_that_was_read_can_be_changed() -> None:
    packet = BFCP(bytes.fromhex(FLOOR_REQUEST))
    packet.attributes[1].Text = b"hello, all"
    packet.attributes[1].Length = packet.attributes[1].Padding = packet.Payload_Length = None
    again = BFCP(bytes(packet))
    assert (again.Payload_Length, again.attributes[1].Length, again.attributes[1].Text) == (5, 12, b"hello, all")
    assert notes(again) == []
    assert type(BFCP(Primitive=13)) is Error


# --- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primitive", "attributes", "expected"),
    [
        (1, "", ["FloorRequest at 0: FLOOR-ID is missing"]),
        (2, "", ["FloorRelease at 0: FLOOR-REQUEST-ID is missing"]),
        (3, "", ["FloorRequestQuery at 0: FLOOR-REQUEST-ID is missing"]),
        (4, "", ["FloorRequestStatus at 0: FLOOR-REQUEST-INFORMATION is missing"]),
        (9, "", ["ChairAction at 0: FLOOR-REQUEST-INFORMATION is missing"]),
        (
            12,
            "",
            ["HelloAck at 0: SUPPORTED-PRIMITIVES is missing", "HelloAck at 0: SUPPORTED-ATTRIBUTES is missing"],
        ),
        (13, "", ["Error at 0: ERROR-CODE is missing"]),
        *((code, "", []) for code in (5, 6, 7, 8, 10, 11, 18, 99)),
        (1, "0504000105040002" + "0304000103040001", ["FloorRequest at 0: BENEFICIARY-ID stands 2 times"]),
        (4, "1f040315", ["FLOOR-REQUEST-INFORMATION at 12: FLOOR-REQUEST-STATUS is missing"]),
        (
            4,
            "1f100315" + "2304021f" + "09046000" + "09046000",
            ["FLOOR-REQUEST-INFORMATION at 12: PRIORITY stands 2 times"],
        ),
        (6, "1d0600011903ab00", ["BENEFICIARY-INFORMATION at 12: Length is 6, no multiple of 4"]),
        (11, "0503ab00", ["EXTENSION-ATTRIBUTE at 12: Length is 3, not 4"]),
        (11, "0505abcd01000000", ["EXTENSION-ATTRIBUTE at 12: Length is 5, not 4"]),
        (11, "1d03ab00", ["EXTENSION-ATTRIBUTE at 12: Length is 3, below 4"]),
        (13, "0d020000", ["EXTENSION-ATTRIBUTE at 12: Length is 2, below 3"]),
        (11, "0f04c328", ["ERROR-INFO at 12: Text is not UTF-8"]),
        (11, "05000000", ["Hello attributes: 4 octets at 12 are not explained"]),
        (11, "c9040102", []),
        (11, "c8020000", []),
    ],
)
def test_notes_say_what_is_wrong_and_where(primitive: int, attributes: str, expected: list[str]) -> None:
    found = [one for one in notes(message(primitive, attributes)) if "not explained" not in one or one in expected]
    assert found == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("600b000011223344000100ea", ["Hello at 0: Ver is 3, no version of BFCP"]),
        ("200b000111223344000100ea", ["Hello at 0: Payload_Length says 4 octets, 0 are there"]),
        ("200b000011223344000100eaff", ["Hello: 1 octets at 12 are not explained"]),
        (
            "200e000011223344000100ea",
            ["FloorRequestStatusAck at 0: FloorRequestStatusAck is of unreliable transports only, and Ver is 1"],
        ),
        (
            "2010000011223344000100ea",
            ["Goodbye at 0: Goodbye is of unreliable transports only, and Ver is 1; 16 was FloorStatusAck in drafts"],
        ),
        ("400e000011223344000100ea", []),
        ("4010000011223344000100ea", []),
        ("200b00", ["Hello Payload_Length at 2 is missing", "Hello: 1 octets at 2 are not explained"]),
        ("480b000911223344000100ea", ["Hello Fragment_Offset at 12 is missing"]),
        (FRAGMENTS[1][:-8], ["FloorRequest at 0: Fragment_Length says 20 octets, 16 are there"]),
        (
            "4801000911223344000700ea00080002" + "78" * 8,
            ["FloorRequest at 0: the fragment ends behind the 36 octets of Payload_Length"],
        ),
    ],
)
def test_notes_say_what_is_wrong_with_the_header(octets: str, expected: list[str]) -> None:
    assert notes(BFCP(bytes.fromhex(octets))) == expected


def test_an_attribute_that_is_cut_stays_raw() -> None:
    packet = BFCP(bytes.fromhex(FLOOR_REQUEST)[:20])
    assert [type(one) for one in packet.attributes] == [FLOOR_ID, Raw]
    assert notes(packet) == [
        "FloorRequest attributes: 4 octets at 16 are not explained",
        "FloorRequest at 0: Payload_Length says 16 octets, 8 are there",
    ]
    unpadded = BFCP(bytes.fromhex(HEADER.format(1, 3) + "0504021f" + "110768656c6c6f"))
    assert unpadded.attributes[1].Text == b"hello"
    assert notes(unpadded) == [
        "PARTICIPANT-PROVIDED-INFO at 16: 0 octets of padding, not 1",
        "FloorRequest at 0: Payload_Length says 12 octets, 11 are there",
    ]


# --- the rest ---------------------------------------------------------------------------------------


def test_the_layers_stand_alone_and_the_framing_needs_no_scapy() -> None:
    code = (
        "import sys; from dissectors.bfcp import codes, framing; assert 'scapy' not in sys.modules;"
        "from dissectors.bfcp.layers import BFCP; assert 'scapy.all' not in sys.modules;"
        "assert not any(name.split('.')[0] == 'imsinspect' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


REAL = CAPTURES / "bfcp" / "udp-hello-floorquery.pcapng"


@pytest.mark.skipif(not REAL.exists(), reason="shared/captures is not here: no real BFCP was read")
def test_real_messages_of_two_video_endpoints_are_read() -> None:
    from scapy.utils import RawPcapNgReader

    with RawPcapNgReader(str(REAL)) as frames:
        payloads = [frame[42 : 34 + int.from_bytes(frame[38:40], "big")] for frame, _ in frames]
    packets = [BFCP(one) for one in payloads]
    assert [bytes(without_caches(one)) for one in packets] == payloads
    assert [one.name for one in packets] == [
        *("Hello", "HelloAck", "FloorQuery", "FloorStatus", "Goodbye"),
        *("Hello", "HelloAck", "FloorQuery", "FloorStatus"),
    ]
    draft = "Goodbye at 0: Goodbye is of unreliable transports only, and Ver is 1; 16 was FloorStatusAck in drafts"
    assert [notes(one) for one in packets] == [[draft] if one.Primitive == 16 else [] for one in packets]
    assert {(one.Ver, one.Conference_ID, one.User_ID) for one in packets} == {(1, 0x72E5A815, 0x0808)}
    assert isinstance(packets[2], FloorQuery)
    assert [one.attributes[0].Floor_ID for one in packets if one.Primitive == 8] == [2, 2]
    assert packets[6].attributes[0].Supported_Primitives == [*range(1, 19), 0x5C]
    assert packets[5].R == 1


def test_status_info_is_text() -> None:
    (status,) = message(9, "1f180315" + "2314021f" + "0b040203" + "1309" + b"waiting".hex() + "000000").attributes
    request_status, text = status.attributes[0].attributes
    assert (type(text), text.Text, request_status.Queue_Position) == (STATUS_INFO, b"waiting", 3)
