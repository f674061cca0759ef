"""RTCP: compounds and reduced-size datagrams, every packet from its octets; what is wrong is said."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.rtp.layers import RTCP, ReducedSizeRTCP
from dissectors.rtp.rtcp.feedback.layers import (
    REMB,
    GenericNACK,
    RunLengthChunk,
    StatusVectorChunk,
    TransportCC,
    UnknownFCI,
)
from dissectors.rtp.rtcp.layers import (
    APP,
    BYE,
    PSFB,
    RR,
    RTPFB,
    SDES,
    SR,
    XR,
    ByeReason,
    ReportBlock,
    SDESChunk,
    SDESItem,
    SDESPrivateItem,
)
from dissectors.rtp.rtcp.xr.layers import VoIPMetrics

SENDER_REPORT = (
    "81c8000c 00000001 e6f2a51380000000 00000010 00000020 0000040000000002 80fffffe 00010005 00000007 12348000 00018000"
)
CNAME = "81ca0004 00000001 0106 6140622e6364 00000000"


def rtcp(octets: str) -> Any:
    """A datagram from hexadecimal digits."""
    return RTCP(bytes.fromhex(octets))


def one(octets: str) -> Any:
    """The only packet of a datagram."""
    (packet,) = rtcp(octets).packets
    return packet


def test_a_sender_report() -> None:
    packet = one(SENDER_REPORT)
    assert isinstance(packet, SR)
    assert (packet.version, packet.padding, packet.reception_report_count, packet.length) == (2, 0, 1, 12)
    assert (packet.SSRC, packet.RTP_timestamp) == (1, 16)
    assert (packet.senders_packet_count, packet.senders_octet_count) == (32, 1024)
    (block,) = packet.report_blocks
    assert (block.SSRC, block.fraction_lost, block.cumulative_number_of_packets_lost) == (2, 128, -2)
    assert (block.extended_highest_sequence_number_received, block.interarrival_jitter) == (0x10005, 7)
    text = packet.show(dump=True)
    for words in ("2022-10-13 14:54:11.500000 UTC", "50.0 %", "5 after 1 cycles", "4660.500000 s", "1.500000 s"):
        assert words in text, words
    assert notes(rtcp(SENDER_REPORT)) == []


def test_a_receiver_report_with_a_profile_specific_extension() -> None:
    packet = one("80c90003 00000001 aabbccdd 00112233")
    assert isinstance(packet, RR)
    assert packet.profile_specific_extensions == bytes.fromhex("aabbccdd00112233")
    assert notes(packet) == []


def test_a_source_description_with_every_kind_of_item() -> None:
    packet = one("82ca0007 00000001 0103612e62 0806 02 7879 313233 000000 00000002 05014c00")
    assert isinstance(packet, SDES)
    first, second = packet.chunks
    cname, private = first.items
    assert (cname.type, cname.length, cname.text) == (1, 3, b"a.b")
    assert isinstance(private, SDESPrivateItem)
    assert (private.prefix_length, private.prefix_string, private.value_string) == (2, b"xy", b"123")
    assert (first.SSRC, first.end) == (1, b"\x00\x00\x00")
    assert (second.SSRC, second.items[0].text, second.end) == (2, b"L", b"\x00")
    assert notes(packet) == []


def test_a_source_description_of_no_source() -> None:
    packet = one("80ca0000")
    assert (packet.source_count, packet.chunks) == (0, [])
    assert notes(packet) == []


def test_items_that_are_not_closed_or_do_not_fit_are_said() -> None:
    assert notes(one("81ca0002 00000001 01026162")) == ["SDESChunk at 4: no null octet closes the items"]
    assert notes(one("81ca0002 00000001 01096162")) == [
        "SDESChunk at 4: the octets that close the items are not null",
    ]
    assert notes(one("81ca0003 00000001 08020561 00000000")) == [
        "SDESPrivateItem prefix_length at 10 says 5 octets, 1 are there"
    ]
    assert notes(one("81ca0002 00000001 01016101")) == ["SDESChunk at 4: the octets that close the items are not null"]
    assert notes(one("81ca0004 00000001 01016100 aabbccdd 00000000")) == [
        "SDES chunks: 8 octets at 12 are not explained",
    ]


def test_a_bye_with_and_without_a_reason() -> None:
    packet = one("82cb0004 00000001 00000002 05 6c61746572 0000")
    assert isinstance(packet, BYE)
    assert packet.sources == [1, 2]
    assert (packet.reason_for_leaving.reason, packet.reason_for_leaving.end) == (b"later", b"\x00\x00")
    assert notes(packet) == []
    assert one("81cb0001 00000001").reason_for_leaving is None
    assert notes(one("81cb0002 00000001 09616263")) == ["ByeReason length at 8 says 9 octets, 3 are there"]


def test_an_application_packet() -> None:
    packet = one("85cc0003 00000001 4d435054 01020304")
    assert isinstance(packet, APP)
    assert (packet.subtype, packet.application_name) == (5, b"MCPT")
    assert packet.application_dependent_data == b"\x01\x02\x03\x04"
    assert notes(packet) == []


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        ("81cd0003 00000001 00000002 00648001", {"PID": 100, "BLP": 0x8001}),
        (
            "83cd0004 00000001 00000002 00000003 0a030428",
            {"SSRC": 3, "MxTBR_Exp": 2, "MxTBR_Mantissa": 0x10182, "Measured_Overhead": 0x28},
        ),
        ("82ce0003 00000001 00000002 00080041", {"First": 1, "Number": 1, "PictureID": 1}),
        (
            "83ce0003 00000001 00000002 0860ab00",
            {"PB": 8, "payload_type": 96, "native_RPSI_bit_string": b"\xab\x00"},
        ),
        ("84ce0004 00000001 00000002 00000003 07000000", {"SSRC": 3, "seq_nr": 7}),
        ("85ce0004 00000001 00000002 00000003 0700001f", {"SSRC": 3, "seq_nr": 7, "index": 31}),
        (
            "87ce0005 00000001 00000002 00000003 07600003 aabbcc00",
            {"seq_nr": 7, "payload_type": 96, "length": 3, "VBCM_octet_string": b"\xaa\xbb\xcc", "end": b"\x00"},
        ),
        (
            "88cd0007 00000001 00000002 00010005 00000006 00000007 00080009 000a000b",
            {"ECT_0_counter": 6, "ECT_1_counter": 7, "ECN_CE_counter": 8, "not_ECT_counter": 9},
        ),
        (
            "89cd0005 00000001 00000002 00000003 20010009 0000000a",
            {"target_SSRC": 3, "type": 2, "PauseID": 9, "type_specific": b"\x00\x00\x00\x0a"},
        ),
        (
            "8ace0005 00000001 00000002 00000003 07e00000 02030405",
            {"seq_nr": 7, "C": 1, "payload_type": 96, "TTID": 2, "TLID": 3, "CTID": 4, "CLID": 5},
        ),
        (
            "8fce0005 00000001 00000002 52454d42 01060003 00000009",
            {"num_SSRC": 1, "BR_Exp": 1, "BR_Mantissa": 0x20003, "SSRC_feedback": [9]},
        ),
    ],
)
def test_feedback(octets: str, fields: dict[str, object]) -> None:
    packet = one(octets)
    assert isinstance(packet, RTPFB | PSFB)
    assert (packet.SSRC, packet.media_source_SSRC) == (1, 2)
    (entry,) = packet.FCI
    assert {name: getattr(entry, name) for name in fields} == fields
    assert notes(packet) == []


def test_feedback_tells_what_was_lost_and_which_rate_is_asked_for() -> None:
    assert GenericNACK(b"\xff\xff\x80\x01").lost() == [65535, 0, 15]
    assert REMB(b"REMB\x00\x06\x00\x03").bit_rate() == 0x20003 << 1


def test_feedback_of_unknown_formats_is_kept() -> None:
    for octets in ("9ecd0003 00000001 00000002 aabbccdd", "8fce0003 00000001 00000002 aabbccdd"):
        packet = one(octets)
        (entry,) = packet.FCI
        assert isinstance(entry, UnknownFCI)
        assert entry.octets == b"\xaa\xbb\xcc\xdd"
        assert notes(packet) == []
    assert notes(one("81cd0003 00000001 00000002 0064")) == [
        "RTPFB FCI: 2 octets at 12 are not explained",
        "RTPFB at 0: length says 16 octets, 14 are there",
    ]


def test_a_picture_loss_indication_has_no_more_than_its_header() -> None:
    packet = one("81ce0002 00000001 00000002")
    assert packet.FCI == []
    assert isinstance(rtcp("81ce0002 00000001 00000002"), ReducedSizeRTCP)


def test_transport_wide_feedback() -> None:
    packet = one("8fcd0007 00000001 00000002 000a0005 fffffe03 2003 c800 04 05 06 fff0 000000")
    (fci,) = packet.FCI
    assert (fci.base_sequence_number, fci.packet_status_count, fci.reference_time, fci.fb_pkt_count) == (10, 5, -2, 3)
    run, vector = fci.packet_chunks
    assert isinstance(run, RunLengthChunk)
    assert (run.packet_status_symbol, run.run_length) == (1, 3)
    assert isinstance(vector, StatusVectorChunk)
    assert (vector.symbol_size, vector.symbol_list) == (1, 0x0800)
    assert fci.statuses() == [(1, 3), (0, 1), (2, 1)]
    assert fci.recv_deltas == b"\x04\x05\x06\xff\xf0"
    assert fci.zero_padding == bytes(3)
    assert notes(packet) == []


def test_transport_wide_feedback_of_one_bit_symbols() -> None:
    fci = TransportCC(bytes.fromhex("000a0003 00000003 a800 04 05"))
    assert fci.statuses() == [(1, 1), (0, 1), (1, 1)]
    assert fci.recv_deltas == b"\x04\x05"
    assert notes(fci) == []


def test_transport_wide_feedback_that_does_not_add_up() -> None:
    assert notes(TransportCC(bytes.fromhex("000a0003 00000003 2003 0405"))) == [
        "transport-cc at 0: the chunks need 3 octets of deltas, 2 are there"
    ]
    assert notes(TransportCC(bytes.fromhex("000a0005 00000003 0003"))) == [
        "transport-cc at 0: packet_status_count says 5, the chunks tell of 3"
    ]


def test_congestion_control_feedback_has_no_media_source() -> None:
    packet = one("8bcd0005 00000001 00000002 00640001 a0070000 00018000")
    assert packet.name == "CCFB"
    (report,) = packet.stream_reports
    assert (report.SSRC, report.begin_seq, report.num_reports, report.metric_blocks) == (2, 100, 1, [0xA007])
    assert report.end == b"\x00\x00"
    assert packet.report_timestamp == 0x18000
    assert "ECT(1), 7/1024 s before" in packet.show(dump=True)
    assert notes(packet) == []


def test_an_extended_report_with_voip_metrics() -> None:
    packet = one("80cf000a 00000001 07000008 00000002 19000000 00640bb8 00320028 e4c47f10 5d7f2a29 a500003c 0078012c")
    (block,) = packet.report_blocks
    assert isinstance(packet, XR)
    assert isinstance(block, VoIPMetrics)
    assert (block.loss_rate, block.burst_duration, block.gap_duration) == (25, 100, 3000)
    assert (block.signal_level, block.noise_level, block.R_factor, block.MOS_LQ) == (-28, -60, 93, 42)
    assert (block.PLC, block.JBA, block.JB_rate, block.JB_nominal) == (2, 2, 5, 60)
    text = packet.show(dump=True)
    for words in ("enhanced", "non-adaptive", "4.2", "-28 dBm (-28)"):
        assert words in text
    assert notes(packet) == []


def test_extended_reports_of_other_kinds() -> None:
    packet = one(
        "80cf000e 00000001"
        "04000002 e6f2a51380000000"
        "05000003 00000002 12348000 00018000"
        "01000003 00000002 00010010 4005ffff"
        "c8050001 aabbccdd"
    )
    reference, dlrr, loss, unknown = packet.report_blocks
    assert reference.NTP_timestamp == 0xE6F2A51380000000
    assert (dlrr.sub_blocks[0].last_RR, dlrr.sub_blocks[0].delay_since_last_RR) == (0x12348000, 0x18000)
    assert (loss.begin_seq, loss.end_seq, loss.chunks) == (1, 16, [0x4005, 0xFFFF])
    assert "5 times 1, 111111111111111" in packet.show(dump=True)
    assert (unknown.type_specific, unknown.contents) == (5, b"\xaa\xbb\xcc\xdd")
    assert notes(packet) == []


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("80c90002 00000001", "RR at 0: length says 12 octets, 8 are there"),
        ("82c90007 00000001" + "00" * 24, "RR at 0: reception_report_count says 2, 1 are there"),
        ("82cb0001 00000001", "BYE at 0: source_count says 2, 1 are there"),
        ("81ca0000", "SDES at 0: source_count says 1, 0 are there"),
        ("80c90001 00000001 01020304", "RTCP packets: 4 octets at 8 are not explained"),
        ("80c90001 00000001 81cb0001 00000001 00", "RTCP packets: 1 octets at 16 are not explained"),
        (
            CNAME + "80c90001 00000001",
            "RTCP at 0: begins with SDES, and its report is not first (RFC 3550 §6.1)",
        ),
        (
            "a0c90002 00000001 00000004" + CNAME,
            "RTCP at 0: RR has the padding bit set, and is not the last packet (RFC 3550 §6.4.1)",
        ),
        (
            "a0c90002 00000001 00000000",
            "RR at 0: the padding bit is set, and the last octet does not count padding that fits",
        ),
        (
            "a0c90002 00000001 00000009",
            "RR at 0: the padding bit is set, and the last octet does not count padding that fits",
        ),
        ("a0c90002 00000001 00000003", "RR at 0: padding of 3 octets, no multiple of 4"),
        ("80c90000", "RR SSRC at 4 is missing"),
        ("80cc0002 00000001 4d43", "APP at 0: application_name has 2 octets, not 4"),
    ],
)
def test_what_is_wrong_is_said(octets: str, said: str) -> None:
    assert said in notes(rtcp(octets))


def test_padding_of_the_last_packet_is_none_of_its_contents() -> None:
    packet = rtcp("80c90001 00000001 a1cb0003 00000001 00000000 00000008")
    assert packet.packets[1].padding_octets == b"\x00" * 7 + b"\x08"
    assert packet.packets[1].reason_for_leaving is None
    assert notes(packet) == []


def test_a_datagram_without_a_report_is_reduced_size() -> None:
    assert type(rtcp("81cd0003 00000001 00000002 00640000")) is ReducedSizeRTCP
    assert notes(rtcp(CNAME)) == []
    assert type(rtcp("80c90001 00000001")) is RTCP
    assert type(rtcp(CNAME + "80c90001 00000001")) is RTCP
    assert type(rtcp("aabbccdd")) is RTCP


def test_packets_are_built() -> None:
    compound = RTCP(
        packets=[
            SR(SSRC=1, report_blocks=[ReportBlock(SSRC=2, cumulative_number_of_packets_lost=-2)]),
            SDES(chunks=[SDESChunk(SSRC=1, items=[SDESItem(text=b"a@b.cd"), SDESPrivateItem(value_string=b"1")])]),
            BYE(sources=[1], reason_for_leaving=ByeReason(reason=b"later"), padding_octets=b"\x00\x00\x00\x04"),
        ]
    )
    built = bytes(compound)
    assert built.hex() == (
        "81c8000c00000001" + "00" * 20 + "0000000200fffffe" + "00" * 16
        + "81ca0005000000010106" + b"a@b.cd".hex() + "08020031" + "00000000"
        + "a1cb00040000000105" + b"later".hex() + "0000" + "00000004"
    )  # fmt: skip
    assert notes(RTCP(built)) == []
    nack = RTPFB(SSRC=1, media_source_SSRC=2, FCI=[GenericNACK(PID=3)])
    assert bytes(nack).hex() == "81cd0003000000010000000200030000"
    assert bytes(REMB(BR_Mantissa=3, SSRC_feedback=[1, 2])).hex() == "52454d4202000003" + "0000000100000002"


def test_what_is_no_rtcp_stays_raw() -> None:
    (packet,) = rtcp("1234567890").packets
    assert isinstance(packet, Raw)
    assert notes(rtcp("1234567890")) == ["RTCP packets: 5 octets at 0 are not explained"]
