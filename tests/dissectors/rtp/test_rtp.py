"""RTP: every bit of the header, header extensions, padding, telephone events; what is wrong is said."""

from __future__ import annotations

import pickle

import pytest
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.rtp.layers import RTP, TelephoneEvents, extension_elements, rtp_layer
from dissectors.rtp.media.layers import HeaderExtension, OneByteElement, StopElement, TelephoneEvent, TwoByteElement
from dissectors.tree import tree

FIXED = "8060 0001 00000002 00000003"


def rtp(octets: str) -> RTP:
    """A packet from hexadecimal digits."""
    return RTP(bytes.fromhex(octets))


def test_a_header_is_read_bit_by_bit() -> None:
    packet = rtp("92e8 1234 decafbad cafebabe 00000001 00000002 1234 0001 aabbccdd 0102")
    assert (packet.version, packet.padding, packet.extension, packet.CSRC_count) == (2, 0, 1, 2)
    assert (packet.marker, packet.payload_type, packet.sequence_number) == (1, 104, 0x1234)
    assert (packet.timestamp, packet.SSRC, packet.CSRC) == (0xDECAFBAD, 0xCAFEBABE, [1, 2])
    assert packet.header_extension.defined_by_profile == 0x1234
    assert packet.header_extension.extension_elements[0].data == b"\xaa\xbb\xcc\xdd"
    assert bytes(packet.rtp_payload) == b"\x01\x02"
    assert notes(packet) == []
    shown = {node.name: (node.offset, node.length, node.bits) for node in tree(packet).walk()}
    assert shown["version"] == (0, 1, (0, 2))
    assert shown["CSRC_count"] == (0, 1, (4, 4))
    assert shown["payload_type"] == (1, 1, (1, 7))
    assert shown["SSRC"] == (8, 4, None)
    assert tree(packet).clause == "RFC 3550 §5.1"


def test_a_packet_without_payload_and_one_with_nothing_but_padding() -> None:
    assert rtp(FIXED).rtp_payload is None
    padded = rtp("a060 0001 00000002 00000003 00000004")
    assert (padded.rtp_payload, padded.padding_octets) == (None, b"\x00\x00\x00\x04")
    assert notes(padded) == []


def test_padding_is_no_part_of_the_payload() -> None:
    packet = rtp("a060 0001 00000002 00000003 aabbcc 000003")
    assert (bytes(packet.rtp_payload), packet.padding_octets) == (b"\xaa\xbb\xcc", b"\x00\x00\x03")


@pytest.mark.parametrize("end", ["aabb00", "aabb04", "aabbff", ""])
def test_padding_that_does_not_fit_is_wrong(end: str) -> None:
    packet = rtp("a060 0001 00000002 00000003" + end)
    assert notes(packet) == ["RTP at 0: the padding bit is set, and the last octet does not count padding that fits"]
    assert packet.padding_octets == b""


def test_one_byte_elements() -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0003 10ff 00 32aabbcc 0000000000")
    extension = packet.header_extension
    assert [type(one).__name__ for one in extension.extension_elements] == [
        "OneByteElement",
        "PaddingElement",
        "OneByteElement",
        "PaddingElement",
    ]
    first, _, second, last = extension.extension_elements
    assert (first.ID, first.length, first.data) == (1, 0, b"\xff")
    assert (second.ID, second.length, second.data) == (3, 2, b"\xaa\xbb\xcc")
    assert last.padding == bytes(5)
    assert notes(packet) == []


def test_two_byte_elements_may_be_empty() -> None:
    packet = rtp("9060 0001 00000002 00000003 1005 0002 0100 02 03 aabbcc 00")
    assert [(one.ID, one.data) for one in packet.header_extension.extension_elements[:2]] == [
        (1, b""),
        (2, b"\xaa\xbb\xcc"),
    ]
    assert extension_elements(packet, {})[0] == ("", Raw())
    assert notes(packet) == []


@pytest.mark.parametrize("stop", ["f1aabbcc", "02aabbcc"])
def test_identifier_15_and_a_null_identifier_with_a_length_end_the_reading(stop: str) -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0002 51aabb00" + stop)
    first, _, last = packet.header_extension.extension_elements
    assert (first.ID, first.data) == (5, b"\xaa\xbb")
    assert type(last) is StopElement
    assert (last.length, last.ignored) == (int(stop[1], 16), bytes.fromhex(stop[2:]))


def test_elements_that_do_not_fit_stay_raw_and_are_said() -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0001 1faabbcc")
    assert notes(packet) == ["HeaderExtension extension_elements: 4 octets at 16 are not explained"]


def test_a_header_extension_longer_than_the_packet_is_said() -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0004 10aa0000")
    assert notes(packet) == ["HeaderExtension at 12: length says 16 octets, 4 are there"]
    assert notes(rtp("9060 0001 00000002 00000003")) == [
        "RTP at 0: the extension bit is set, and there is no header extension"
    ]
    assert notes(rtp("9060 0001 00000002 00000003 bede")) == ["HeaderExtension length at 14 is missing"]


def test_wrong_versions_counts_and_short_headers_are_said() -> None:
    assert notes(rtp("4060 0001 00000002 00000003")) == ["RTP at 0: version 1, not 2"]
    assert notes(rtp("8360 0001 00000002 00000003 00000004")) == ["RTP at 0: CSRC_count says 3, 1 are there"]
    assert notes(rtp("8360 0001 00000002 00000003 000004")) == ["RTP CSRC at 12 has 3 octets, no multiple of 4"]
    assert notes(rtp("8060 0001 0000")) == ["RTP timestamp at 4 is missing", "RTP: 2 octets at 4 are not explained"]


def test_payload_formats_are_read_on_request() -> None:
    octets = bytes.fromhex(FIXED.replace("8060", "80e5") + "05 8a 0320")
    assert isinstance(RTP(octets).rtp_payload, Raw)
    packet = rtp_layer({101: TelephoneEvents})(octets)
    (event,) = packet.rtp_payload.events
    assert (event.event, event.E, event.R, event.volume, event.duration) == (5, 1, 0, 10, 800)
    assert notes(packet) == []
    text = packet.show(dump=True)
    assert "DTMF 5" in text
    assert "end of the event" in text
    assert notes(TelephoneEvents(b"\x05\x8a\x03")) == ["TelephoneEvents events: 3 octets at 0 are not explained"]


def test_layers_with_payload_formats_and_their_packets_are_pickled() -> None:
    layer = rtp_layer({101: TelephoneEvents, 96: RTP})
    assert layer is rtp_layer({96: RTP, 101: TelephoneEvents})
    assert pickle.loads(pickle.dumps(layer)) is layer
    packet = layer(bytes.fromhex(FIXED.replace("8060", "80e5") + "05 8a 0320"))
    again = pickle.loads(pickle.dumps(packet))
    assert (type(again), again.rtp_payload.events[0].duration) == (layer, 800)
    assert bytes(again) == bytes(packet)


def test_header_extension_elements_are_read_on_request() -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0001 1085 2006")
    found = extension_elements(
        packet, {1: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", 2: "urn:3gpp:video-orientation"}
    )
    (_, level), (_, orientation) = found
    assert (level.V, level.level) == (1, 5)
    assert (orientation.C, orientation.F, orientation.R) == (0, 1, 2)


def test_packets_are_built() -> None:
    packet = RTP(
        marker=1,
        payload_type=101,
        sequence_number=7,
        SSRC=9,
        CSRC=[1],
        header_extension=HeaderExtension(
            extension_elements=[OneByteElement(ID=1, data=b"\xaa\xbb"), Raw(b"\x00")],
        ),
        rtp_payload=TelephoneEvents(events=[TelephoneEvent(event=1, E=1, volume=10, duration=80)]),
        padding_octets=b"\x00\x02",
    )
    assert bytes(packet).hex() == "b1e50007000000000000000900000001bede000111aabb00018a00500002"
    assert notes(RTP(bytes(packet))) == []
    assert bytes(TwoByteElement(ID=3, data=b"abc")) == b"\x03\x03abc"
    assert bytes(RTP()) == b"\x80" + bytes(11)


def test_a_changed_field_is_sent() -> None:
    packet = rtp("9060 0001 00000002 00000003 bede 0001 10aa0000 0102")
    packet.header_extension.extension_elements[0].data = b"\xbb"
    packet.sequence_number += 1
    assert bytes(packet).hex() == "90600002" + "0000000200000003" + "bede000110bb0000" + "0102"
