"""Every code point of RTP and RTCP is read by its layer, or shown by its name, or kept raw for a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.rtp import codes
from dissectors.rtp.layers import RTCP, RTP, TelephoneEvents, extension_elements
from dissectors.rtp.media.layers import EXTENSION_LAYERS, OneByteElement, TwoByteElement
from dissectors.rtp.registries import REGISTRIES
from dissectors.rtp.rtcp.feedback.layers import PSFB_LAYERS, RTPFB_LAYERS, UnknownFCI
from dissectors.rtp.rtcp.layers import PACKETS, CongestionControlFeedback, RTCPPacket
from dissectors.rtp.rtcp.xr.block.layers import XRBlock
from dissectors.rtp.rtcp.xr.layers import XR_LAYERS
from dissectors.tree import tree

RTPFB_ENTRIES = {
    1: ["GenericNACK"],
    3: ["TMMBR"],
    4: ["TMMBR"],
    5: [],
    6: ["RAMS"],
    7: ["ThirdPartyLoss"],
    8: ["ECNFeedback"],
    9: ["PauseResume"],
    15: ["TransportCC"],
}
PSFB_ENTRIES = {
    1: [],
    2: ["SLI"],
    3: ["RPSI"],
    4: ["FIREntry"],
    5: ["TSTR"],
    6: ["TSTR"],
    7: ["VBCM"],
    8: ["PSLEI"],
    10: ["LRR"],
    15: ["REMB"],
}
FCI = {  # of every format, in octets that are sound
    (205, 1): "00010000",
    (205, 3): "0000000100000000",
    (205, 4): "0000000100000000",
    (205, 5): "",
    (205, 6): "01000000",
    (205, 7): "00010000",
    (205, 8): "00" * 20,
    (205, 9): "0000000100000001",
    (205, 15): "0001000100000000" + "20010400",
    (206, 1): "",
    (206, 2): "00000000",
    (206, 3): "00600000",
    (206, 4): "0000000100000000",
    (206, 5): "0000000101000003",
    (206, 6): "0000000101000003",
    (206, 7): "0000000101600002abcd0000",
    (206, 8): "00000001",
    (206, 10): "000000010160000000000000",
    (206, 15): "52454d420100000000000001",
}


def meanings(octets: str, field: str, layer: type = RTCP) -> list[str]:
    """What the tree says that a field means, wherever it stands."""
    return [node.meaning for node in tree(layer(bytes.fromhex(octets))).walk() if node.name == field]


def packet(packet_type: int, body: str, count: int = 0) -> str:
    """An RTCP packet in hexadecimal digits."""
    return f"{0x80 | count:02x}{packet_type:02x}{len(body) // 8:04x}{body}"


def block(block_type: int, contents: str, specific: int = 0) -> str:
    """An XR packet with one block."""
    return packet(207, f"00000001{block_type:02x}{specific:02x}{len(contents) // 8:04x}{contents}")


@pytest.mark.parametrize("code", codes.PAYLOAD_TYPES)
def test_every_payload_type_is_shown_by_name(code: int) -> None:
    assert meanings(f"80{code:02x}" + "00" * 10, "payload_type", RTP) == [codes.PAYLOAD_TYPES[code]]


@pytest.mark.parametrize("code", codes.EXTENSION_PROFILES)
def test_every_header_extension_profile_is_cut_into_elements(code: int) -> None:
    octets = "9000" + "00" * 10 + f"{code:04x}0001" + ("10ab0000" if code == codes.ONE_BYTE_PROFILE else "0101ab00")
    assert meanings(octets, "defined_by_profile", RTP) == [codes.EXTENSION_PROFILES[code]]
    element, padding = RTP(bytes.fromhex(octets)).header_extension.extension_elements
    assert type(element) is (OneByteElement if code == codes.ONE_BYTE_PROFILE else TwoByteElement)
    assert (element.ID, element.data) == (1, b"\xab")
    assert padding.name == "PaddingElement"


@pytest.mark.parametrize("uri", EXTENSION_LAYERS)
def test_every_header_extension_element_is_read(uri: str) -> None:
    built = bytes(EXTENSION_LAYERS[uri]()) or b"a"
    data = bytes([len(built) - 1 | 0x10]) + built
    data += bytes(-len(data) % 4)
    packet_ = RTP(b"\x90" + bytes(11) + b"\xbe\xde\x00" + bytes([len(data) // 4]) + data)
    ((name, element),) = extension_elements(packet_, {1: uri})
    assert name == uri
    assert type(element) is EXTENSION_LAYERS[uri]
    assert notes(element) == []
    assert extension_elements(packet_, {}) == [("", Raw(built))]


@pytest.mark.parametrize("code", codes.DTMF_EVENTS)
def test_every_dtmf_event_is_shown_by_name(code: int) -> None:
    assert meanings(f"{code:02x}8a0320", "event", TelephoneEvents) == [codes.DTMF_EVENTS[code]]


@pytest.mark.parametrize("code", codes.RTCP_PACKET_TYPES)
def test_every_rtcp_packet_type_is_read_by_its_layer(code: int) -> None:
    octets = packet(code, "00000001" * 8)
    (one,) = RTCP(bytes.fromhex(octets)).packets
    assert type(one) is PACKETS.get(code, RTCPPacket)
    assert meanings(octets, "packet_type") == [codes.RTCP_PACKET_TYPES[code]]


@pytest.mark.parametrize("code", list(codes.SDES_ITEM_TYPES)[1:])
def test_every_sdes_item_is_shown_by_name(code: int) -> None:
    octets = packet(202, f"00000001{code:02x}02016100000000", 1)
    assert meanings(octets[: 8 + 24], "type") == [codes.SDES_ITEM_TYPES[code]]


@pytest.mark.parametrize("code", codes.RTPFB_FORMATS)
def test_every_rtpfb_format_is_read(code: int) -> None:
    octets = packet(205, "0000000100000002" + FCI.get((205, code), "00000000"), code)
    assert meanings(octets, "FMT") == [codes.RTPFB_FORMATS[code]]
    (one,) = RTCP(bytes.fromhex(octets)).packets
    if code == 11:
        assert type(one) is CongestionControlFeedback
        return
    assert (code in RTPFB_LAYERS or code == 5) == (code in RTPFB_ENTRIES)
    assert [type(each).__name__ for each in one.FCI] == RTPFB_ENTRIES.get(code, [UnknownFCI.__name__])
    assert notes(one) == []


@pytest.mark.parametrize("code", codes.PSFB_FORMATS)
def test_every_psfb_format_is_read(code: int) -> None:
    octets = packet(206, "0000000100000002" + FCI.get((206, code), "00000000"), code)
    assert meanings(octets, "FMT") == [codes.PSFB_FORMATS[code]]
    (one,) = RTCP(bytes.fromhex(octets)).packets
    assert (code in PSFB_LAYERS or code == 1) == (code in PSFB_ENTRIES)
    assert [type(each).__name__ for each in one.FCI] == PSFB_ENTRIES.get(code, [UnknownFCI.__name__])
    assert notes(one) == []


@pytest.mark.parametrize("code", codes.XR_BLOCK_TYPES)
def test_every_xr_block_is_read_by_its_layer(code: int) -> None:
    layer = XR_LAYERS.get(code, XRBlock)
    built = bytes(layer(block_type=code))
    octets = packet(207, "00000001" + built.hex())
    (one,) = RTCP(bytes.fromhex(octets)).packets[0].report_blocks
    assert type(one) is layer
    assert 4 * one.block_length == len(built) - 4
    assert meanings(octets, "block_type") == [codes.XR_BLOCK_TYPES[code]]
    assert notes(one) == []


@pytest.mark.parametrize(
    ("table", "field", "octets"),
    [
        (codes.INTERVAL_METRIC, "I", lambda code: block(24, "00" * 8, code << 6)),
        (codes.TTL_OR_HOP_LIMIT, "ToH", lambda code: block(6, "00" * 36, code << 3)),
        (codes.PACKET_LOSS_CONCEALMENT, "PLC", lambda code: block(7, "00" * 24 + f"{code << 6:02x}" + "00" * 7)),
        (codes.JITTER_BUFFER_ADAPTIVE, "JBA", lambda code: block(7, "00" * 24 + f"{code << 4:02x}" + "00" * 7)),
        (codes.SYNCHRONIZATION_SENDER_TYPES, "SPST", lambda code: block(12, "00" * 28, code << 4)),
        (codes.PAUSE_RESUME_TYPES, "type", lambda code: packet(205, "00" * 12 + f"{code << 4:02x}000000", 9)),
        (codes.RAMS_TYPES, "SFMT", lambda code: packet(205, "00" * 8 + f"{code:02x}000000", 6)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_value_of_a_small_field_is_shown_by_name(table: dict[int, str], field: str, octets: object) -> None:
    assert callable(octets)
    for code, name in table.items():
        assert meanings(octets(code), field) == [name], code


def test_values_without_a_name_stay_printable() -> None:
    assert meanings("8077" + "00" * 10, "payload_type", RTP) == ["dynamic"]
    assert meanings("8023" + "00" * 10, "payload_type", RTP) == ["unknown (35)"]
    assert meanings(packet(199, "00000001"), "packet_type") == ["unknown (199)"]
    assert meanings(packet(205, "00" * 8, 30), "FMT") == ["unknown (30)"]
    assert meanings(block(200, "00000000"), "block_type") == ["unknown (200)"]
    assert meanings("638a0320", "event", TelephoneEvents) == ["unknown (99)"]


def test_the_registries_name_tests_that_exist_and_say_why_an_entry_is_raw() -> None:
    assert len(REGISTRIES) == 16
    for one in REGISTRIES:
        path, function = one.test.split("::")
        assert (Path(__file__).parents[3] / path) == Path(__file__)
        assert function in globals()
        assert one.names
        assert all(one.state(code) != "raw" for code in one.names), one.name
