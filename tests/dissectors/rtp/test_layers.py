"""Whatever the octets: every layer of RTP, RTCP, SRTP and SRTCP gives them back, and nothing is ever raised."""

from __future__ import annotations

import inspect
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.binary import Bits, Layer, Number, notes
from dissectors.rtp.fields import Count, Flag, NumberCount, Words
from dissectors.rtp.layers import RTCP, RTP, SRTCP, SRTP, TelephoneEvents, rtp_layer, srtcp_layer, srtp_layer
from dissectors.rtp.media import layers as media
from dissectors.rtp.rtcp import layers as rtcp
from dissectors.rtp.rtcp.feedback import layers as feedback
from dissectors.rtp.rtcp.xr import layers as xr
from dissectors.rtp.rtcp.xr.block import layers as block
from dissectors.rtp.rtcp.xr.metrics import layers as metrics
from dissectors.rtp.srtp import layers as srtp
from dissectors.rtp.srtp.layout import rtcp_protection
from dissectors.sdp.suites import SDES_SUITES
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

if TYPE_CHECKING:
    from scapy.packet import Packet

LAYERS = sorted(
    {
        one
        for module in (media, rtcp, feedback, block, xr, metrics, srtp)
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Layer) and one is not Layer
    },
    key=lambda one: (one.__module__, one.__name__),
)
TOP = [
    RTP,
    RTCP,
    SRTP,
    SRTCP,
    rtp_layer({0: TelephoneEvents, 101: TelephoneEvents}),
    srtp_layer("AEAD_AES_128_GCM", 4),
    srtcp_layer("AEAD_AES_128_GCM", 4),
    srtp_layer("AES_CM_128_HMAC_SHA1_32", 1, unencrypted=True),
    srtcp_layer("SRTP_NULL_HMAC_SHA1_32", 128),
]

COMPOUND = [
    "81c8000c00000001e6f2a513800000000000001000000020000004000000000280fffffe00010005000000071234800000018000",
    "80c90003 00000001 aabbccdd 00112233",
    "82ca0007 00000001 0103612e62 0806 02 7879 313233 000000 00000002 05014c00",
    "82cb0004 00000001 00000002 05 6c61746572 0000",
    "85cc0003 00000001 4d435054 01020304",
    "81cd0003 00000001 00000002 00648001",
    "83cd0004 00000001 00000002 00000003 0a030428",
    "86cd0005 00000001 00000002 02000000 01000004 aabbccdd",
    "88cd0007 00000001 00000002 00010005 00000006 00000007 00080009 000a000b",
    "89cd0005 00000001 00000002 00000003 20010009 0000000a",
    "8bcd0005 00000001 00000002 00640001 a0070000 00018000",
    "8fcd0007 00000001 00000002 000a0005 fffffe03 2003 c800 04 05 06 fff0 000000",
    "84ce0004 00000001 00000002 00000003 07000000",
    "87ce0005 00000001 00000002 00000003 07600003 aabbcc00",
    "8fce0005 00000001 00000002 52454d42 01060003 00000009",
    "80cf000a 00000001 07000008 00000002 19000000 00640bb8 00320028 e4c47f10 5d7f2a29 a500003c 0078012c",
    "80cf000e 00000001 04000002 e6f2a51380000000 05000003 00000002 12348000 00018000"
    "01000003 00000002 00010010 4005ffff c8050001 aabbccdd",
    "a1c30002 00000001 00000004",
]
MEDIA = [
    "92e8 1234 decafbad cafebabe 00000001 00000002 1234 0001 aabbccdd 0102",
    "b065 0001 00000002 00000003 bede 0003 10ff 00 32aabbcc 0000000000 058a0320 00000004",
    "9060 0001 00000002 00000003 1005 0002 0100 02 03 aabbcc 00 0102",
    "9060 0001 00000002 00000003 bede 0002 51aabb00 f1aabbcc" + "00" * 40,
]
SEEDS = [bytes.fromhex(one) for one in (*COMPOUND, "".join(COMPOUND), *MEDIA)]


def holds(layer: type[Packet], octets: bytes) -> None:
    """A layer gives back the octets it was read from, in every way, and can be shown."""
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_the_seeds_are_sound(seed: bytes) -> None:
    layer = RTCP if seed[1] in range(192, 224) else RTP
    assert notes(layer(seed)) == []
    holds(layer, seed)


@pytest.mark.parametrize("layer", [*LAYERS, *TOP], ids=lambda one: one.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Packet], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(SEEDS))
    cut = data.draw(st.integers(0, len(start)))
    holds(
        layer,
        start[:cut] + data.draw(st.binary(min_size=1, max_size=60)) + start[cut + data.draw(st.integers(0, 3)) :],
    )


@pytest.mark.parametrize("layer", TOP, ids=lambda one: one.__name__)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_datagrams_with_single_octets_changed_or_cut_short(layer: type[Packet], data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(1, len(octets)))]
    holds(layer, bytes(octets))
    assert rtcp_protection(bytes(octets)).reason


@pytest.mark.parametrize(
    "layer", [one for one in LAYERS if one.__module__ != srtp.__name__], ids=lambda one: one.__name__
)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_numbers_that_are_built_are_read_again(layer: type[Layer], data: st.DataObject) -> None:
    values = {}
    for field in layer.fields_desc:
        if isinstance(field, Words | Count | NumberCount | Flag) or "length" in field.name or field.name == "PB":
            continue
        if field.name in ("packet_type", "block_type", "FMT", "packet_status_count", "defined_by_profile", "version"):
            continue
        if field.name in ("CSRC_count", "parameter_len", "padding"):
            continue
        if isinstance(field, Bits):
            values[field.name] = data.draw(st.integers(0, (1 << field.size) - 1))
        elif isinstance(field, Number):
            signed = field.__class__.__name__ == "Signed"
            bits = 8 * field.octets - signed
            values[field.name] = data.draw(st.integers(-(1 << bits) if signed else 0, (1 << bits) - 1))
    built = bytes(layer(**values))
    if not built:
        return
    read = layer(built)
    assert {name: read.getfieldval(name) for name in values} == values
    assert notes(read) == []
    assert bytes(without_caches(read)) == built


@st.composite
def compounds(draw: st.DrawFn) -> bytes:
    """A compound of sound packets of any type, of which the last may have padding."""
    number = st.integers(0, 0xFFFFFFFF)
    text = st.binary(max_size=12)
    reports = st.lists(st.builds(rtcp.ReportBlock, SSRC=number, last_SR=number), max_size=3)
    items = st.lists(
        st.one_of(
            st.builds(rtcp.SDESItem, type=st.sampled_from([1, 2, 7, 15, 99]), text=text),
            st.builds(rtcp.SDESPrivateItem, prefix_string=text, value_string=text),
        ),
        max_size=3,
    )
    entries = [
        feedback.GenericNACK(PID=1, BLP=3),
        feedback.TMMBR(SSRC=5, MxTBR_Exp=1),
        feedback.ECNFeedback(ECT_0_counter=9),
        feedback.FIREntry(SSRC=7),
        feedback.TSTR(SSRC=7, index=3),
    ]
    formats = {"GenericNACK": (205, 1), "TMMBR": (205, 3), "ECNFeedback": (205, 8), "FIREntry": (206, 4)}
    blocks = st.sampled_from([layer(block_type=code) for code, layer in xr.XR_LAYERS.items()])
    kinds = st.one_of(
        st.builds(rtcp.SR, SSRC=number, NTP_timestamp=st.integers(0, (1 << 64) - 1), report_blocks=reports),
        st.builds(rtcp.RR, SSRC=number, report_blocks=reports),
        st.builds(rtcp.SDES, chunks=st.lists(st.builds(rtcp.SDESChunk, SSRC=number, items=items), max_size=3)),
        st.builds(
            rtcp.BYE,
            sources=st.lists(number, max_size=31),
            reason_for_leaving=st.one_of(st.none(), st.builds(rtcp.ByeReason, reason=text)),
        ),
        st.builds(rtcp.APP, subtype=st.integers(0, 31), application_name=st.just(b"PoC1")),
        st.builds(rtcp.XR, report_blocks=st.lists(blocks, max_size=4)),
        st.sampled_from(entries).map(
            lambda entry: (rtcp.RTPFB if formats.get(type(entry).__name__, (206, 5))[0] == 205 else rtcp.PSFB)(
                FMT=formats.get(type(entry).__name__, (206, 5))[1], FCI=[entry, entry]
            )
        ),
    )
    packets = [draw(st.one_of(st.builds(rtcp.SR), st.builds(rtcp.RR))), *draw(st.lists(kinds, max_size=5))]
    last = draw(st.integers(0, 3))
    if last:
        packets[-1].padding_octets = bytes(4 * last - 1) + bytes([4 * last])
    return b"".join(bytes(one) for one in packets)


@settings(max_examples=100, deadline=None)
@given(octets=compounds())
def test_sound_compounds_of_any_packets_have_nothing_to_note(octets: bytes) -> None:
    assert notes(RTCP(octets)) == []
    holds(RTCP, octets)
    assert rtcp_protection(octets).protection.value == "plain RTCP"


@settings(max_examples=100, deadline=None)
@given(octets=compounds(), index=st.integers(0, 0xFFFFF), tag=st.binary(min_size=16, max_size=16), data=st.data())
def test_srtcp_of_every_suite_is_taken_apart_and_told(
    octets: bytes, index: int, tag: bytes, data: st.DataObject
) -> None:
    suite = SDES_SUITES[data.draw(st.sampled_from(["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"]))]
    word, end = index.to_bytes(4, "big"), tag[: suite.srtcp_tag]
    datagram = octets + (end + word if suite.aead else word + end)
    packet = srtcp_layer(suite)(datagram)
    assert bytes(packet.compound) == octets
    assert (packet.E, packet.SRTCP_index, packet.authentication_tag) == (0, index, end)
    assert notes(packet) == []
    assert rtcp_protection(datagram).protection.value in ("unencrypted SRTCP", "ambiguous")


@pytest.mark.parametrize(
    "octets",
    [
        b"\x80\xca\x00\x00" * 16000,
        b"\x80\xcf\x3f\xff" + bytes(4) + b"\xc8\x00\x00\x00" * 16000,
        b"\x9f\xca\x3f\xff" + (bytes(4) + b"\x01\x00" * 8000 + bytes(2)) * 3,
        b"\x8f\xcd\x3f\xff" + bytes(8) + b"\x00\x00\xff\xff" + bytes(4) + b"\x80\x00" * 30000,
        b"\x8b\xcd\x3f\xff" + bytes(4) + (bytes(8)) * 8000,
        b"\x90\x60" + bytes(10) + b"\xbe\xde\x3f\xff" + b"\x10\x00\x00" * 21000,
        b"\x90\x60" + bytes(10) + b"\x10\x00\x3f\xff" + b"\x01\x00" * 32000,
    ],
    ids=["packets", "blocks", "items", "chunks", "streams", "one-byte", "two-byte"],
)
def test_hostile_datagrams_take_no_more_than_a_moment(octets: bytes) -> None:
    layer = RTCP if octets[1] in range(192, 224) else RTP
    start = perf_counter()
    packet = layer(octets)
    notes(packet)
    assert bytes(packet) == octets
    assert perf_counter() - start < 10
