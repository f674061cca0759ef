"""Link layers, shims and tunnels: from the octets of a packet to the payload inside, with what it was taken out of."""

from __future__ import annotations

import struct

import pytest

from imsinspect.capture.decode import ESP_NULL, EXPORTED, GRE, GTP, IP_IN_IP
from imsinspect.capture.identity import endpoints
from tests import build

SIP = b"OPTIONS sip:bob@example.org SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
P = bytes.fromhex("4500002000010000401166ca0a0000010a00000213c413c4000caa370d0a0d0a")
IP4 = build.ipv4("10.0.0.1", "10.0.0.2", 17, build.udp_datagram(("10.0.0.1", 5060), ("10.0.0.2", 5060), SIP))
IP6 = build.ipv6(
    "2001:db8::1", "2001:db8::2", 17, build.udp_datagram(("2001:db8::1", 5060), ("2001:db8::2", 5060), SIP)
)
MAC = bytes.fromhex("020000000002020000000001")
ESP_SAMPLE = bytes.fromhex("000010010000000113c613c8000caa310d0a0d0a01020211b383dac941dad1a3edab3ead")


def hexed(text: str) -> bytes:
    """Octets of hexadecimal digits in groups."""
    return bytes.fromhex(text)


SECTION_9 = {
    "gtp-u": (
        101,
        hexed(
            "4500004c000100004011669e0a0000010a0000020868086800386aa9 34ff00281122334400000085 01100900".replace(
                " ", ""
            )
        )
        + P,
        GTP,
    ),
    "qinq": (1, MAC + hexed("88a800648100000c0800") + P, 0),
    "mpls": (1, MAC + hexed("88470001f04000014140") + P, 0),
    "pppoe": (1, MAC + hexed("88641100123400220021") + P, 0),
    "sll": (113, hexed("00000001000602000000000100000800") + P, 0),
    "sll2": (276, hexed("0800000000000003000100060200000000010000") + P, 0),
    "null": (0, hexed("02000000") + P, 0),
    "loop": (108, hexed("00000002") + P, 0),
    "gre": (101, hexed("4500003c00010000402f66900a0000010a0000022000080000000007") + P, GRE),
    "raw": (101, P, 0),
}


@pytest.mark.parametrize("name", SECTION_9)
def test_the_samples_of_encapsulations_lead_to_the_datagram(read, name):
    link, data, _ = SECTION_9[name]
    found = read(build.pcap([(0, data)], link_type=link)).found
    assert found.flows.packets[: found.flows.table.count].sum() == 1
    source, destination = endpoints(found.flows.identity[0].tobytes())
    assert (str(source), str(destination)) == ("10.0.0.1:5060", "10.0.0.2:5060")


@pytest.mark.parametrize("outer", ["4500003800010000403266910a0000010a000002", None])
def test_the_esp_samples_open_to_the_datagram_inside(read, outer):
    if outer is None:
        outer = "4500004000010000401166aa0a0000010a00000211941194002cfb51"
    found = read(build.pcap([(0, bytes.fromhex(outer) + ESP_SAMPLE)], link_type=101)).found
    (association,) = found.signalling.associations.values()
    assert (association.decided, association.icv_octets, association.opened) == ("null", 12, 1)
    assert association.identity[32:36].hex() == "00001001"
    inner = endpoints(found.flows.identity[1].tobytes())
    assert [str(each) for each in inner] == ["10.0.0.1:5062", "10.0.0.2:5064"]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_fragment_samples_make_one_datagram(read, reverse):
    head = "2c4020010db800000000000000000000000120010db8000000000000000000000002"
    first = bytes.fromhex("600000000018" + head + "11000001abcdef01" + "13c413c400142e8d0d0a0d0a0d0a0d0a")
    second = bytes.fromhex("60000000000c" + head + "11000010abcdef01" + "0d0a0d0a")
    order = [(0, second), (0.1, first)] if reverse else [(0, first), (0.1, second)]
    found = read(build.pcap(order, link_type=101)).found
    assert found.fragment_frames == {2: (1, 2)}
    source, _ = endpoints(found.flows.identity[0].tobytes())
    assert str(source) == "[2001:db8::1]:5060"


def vlan(depth: int, kind: int = 0x8100) -> bytes:
    """VLAN tags, behind their first EtherType."""
    return b"".join(struct.pack("!HH", kind, 5) for _ in range(depth))


def llc(data: bytes) -> bytes:
    """IEEE 802.3 with LLC and SNAP."""
    body = bytes.fromhex("aaaa03000000") + b"\x08\x00" + data
    return MAC + struct.pack("!H", len(body)) + body


LINKS = {
    "ethernet, IPv6": (1, build.ethernet(IP6)),
    "one VLAN tag": (1, MAC + vlan(1) + b"\x08\x00" + IP4),
    "eight VLAN tags": (1, MAC + vlan(8, 0x9100) + b"\x86\xdd" + IP6),
    "MPLS, one label, IPv6": (1, MAC + bytes.fromhex("8848000011ff") + IP6),
    "VLAN, then MPLS": (1, MAC + vlan(1) + bytes.fromhex("8847000011ff") + IP4),
    "PPPoE, IPv6": (1, MAC + bytes.fromhex("88641100123400220057") + IP6),
    "LLC and SNAP": (1, llc(IP4)),
    "NULL, big-endian host": (0, bytes.fromhex("00000002") + IP4),
    "NULL, IPv6 of OpenBSD": (0, bytes.fromhex("18000000") + IP6),
    "NULL, IPv6 of FreeBSD, big-endian host": (0, bytes.fromhex("0000001c") + IP6),
    "LOOP, IPv6 of macOS": (108, bytes.fromhex("0000001e") + IP6),
    "PPP": (9, bytes.fromhex("0021") + IP4),
    "PPP with address and control": (9, bytes.fromhex("ff030057") + IP6),
    "PPP, one octet of protocol": (9, bytes.fromhex("21") + IP4),
    "PPP in HDLC": (50, bytes.fromhex("ff030021") + IP4),
    "PPPoE session": (51, bytes.fromhex("1100123400220021") + IP4),
    "raw IPv6": (101, IP6),
    "raw, DLT 12": (12, IP4),
    "raw, DLT 14": (14, IP4),
    "IPV4": (228, IP4),
    "IPV6": (229, IP6),
    "SLL, VLAN inside": (113, bytes.fromhex("0000000100060200000000010000") + vlan(1) + b"\x08\x00" + IP4),
    "SLL2, IPv6": (276, bytes.fromhex("86dd000000000003000100060200000000010000") + IP6),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_layer_leads_to_the_message(read, name):
    link, data = LINKS[name]
    assert read(build.pcap([(0, data)], link_type=link)).datagrams == [SIP]


def test_nine_vlan_tags_are_too_many(read):
    assert read(build.pcap([(0, MAC + vlan(9) + b"\x08\x00" + IP4)])).datagrams == []


def test_mpls_without_a_bottom_of_stack_ends(read):
    assert read(build.pcap([(0, MAC + b"\x88\x47" + bytes.fromhex("00001040") * 40 + IP4)])).datagrams == []


def test_ethernet_padding_is_no_payload(read):
    found = read(build.pcap([(0, build.udp(build.ALICE, build.BOB, b"INVITE") + bytes(12))])).found
    assert found.flows.packets[0] == 1
    passed = read(build.pcap([(0, build.ethernet(IP4) + b"\x99" * 30)]))
    assert passed.datagrams == [SIP]


def test_a_udp_length_below_the_ip_length_ends_the_payload(read):
    datagram = build.udp_datagram(("10.0.0.1", 5060), ("10.0.0.2", 5060), SIP)
    assert read(
        build.pcap([(0, build.ethernet(build.ipv4("10.0.0.1", "10.0.0.2", 17, datagram + b"rest")))])
    ).datagrams == [SIP]


# --- tunnels --------------------------------------------------------------------------------------


def gtp(inner: bytes, flags: int = 0x30, options: bytes = b"", length: int | None = None) -> bytes:
    """An Ethernet frame with a GTP-U T-PDU."""
    size = len(options) + len(inner) if length is None else length
    body = struct.pack("!BBHI", flags, 255, size, 7) + options + inner
    return build.udp(("10.9.0.1", 2152), ("10.9.0.2", 2152), body)


GTP_OPTIONS = {
    "plain": (0x30, b""),
    "sequence": (0x32, bytes.fromhex("00010000")),
    "N-PDU number": (0x31, bytes.fromhex("00000100")),
    "one extension": (0x34, bytes.fromhex("00000085") + bytes.fromhex("01100900")),
    "two extensions": (0x36, bytes.fromhex("00010085") + bytes.fromhex("011009c0") + bytes.fromhex("0200000000000000")),
}  # fmt: skip


@pytest.mark.parametrize("name", GTP_OPTIONS)
def test_gtp_u_with_its_options_leads_to_the_message(read, name):
    flags, options = GTP_OPTIONS[name]
    found = read(build.pcap([(0, gtp(IP4, flags, options)), (1, gtp(IP6, flags, options))])).found
    assert [(each.data, each.origin) for each in found.signalling.datagrams] == [(SIP, GTP)] * 2


def test_an_extension_header_of_length_zero_is_malformed(read):
    assert read(build.pcap([(0, gtp(IP4, 0x34, bytes.fromhex("0000008500000085")))])).datagrams == []


def test_gtp_u_whose_length_does_not_fit_is_none(read):
    assert read(build.pcap([(0, gtp(IP4, length=3))])).datagrams == []


def test_gtp_in_gtp_is_opened(read):
    once = gtp(IP4)[14:]
    assert read(build.pcap([(0, gtp(once))])).datagrams == [SIP]


def ip_in_ip(inner: bytes, depth: int) -> bytes:
    """IPv4 packets around each other."""
    for _ in range(depth):
        inner = build.ipv4("10.8.0.1", "10.8.0.2", 4 if inner[0] >> 4 == 4 else 41, inner)
    return inner


@pytest.mark.parametrize("inner", [IP4, IP6])
def test_ip_in_ip_and_6in4_are_opened(read, inner):
    found = read(build.pcap([(0, build.ethernet(ip_in_ip(inner, 1)))])).found
    assert [(each.data, each.origin) for each in found.signalling.datagrams] == [(SIP, IP_IN_IP)]


def test_tunnels_are_opened_ten_deep_and_no_deeper(read):
    assert read(build.pcap([(0, build.ethernet(ip_in_ip(IP4, 10)))])).datagrams == [SIP]
    passed = read(build.pcap([(0, build.ethernet(ip_in_ip(IP4, 11)))]))
    assert passed.datagrams == []
    assert passed.found.skips == {"tunnels nested too deep": 1}


GRE_VARIANTS = {
    "plain": bytes.fromhex("00000800") + IP4,
    "IPv6": bytes.fromhex("000086dd") + IP6,
    "checksum": bytes.fromhex("8000080012340000") + IP4,
    "key": bytes.fromhex("2000080000000007") + IP4,
    "sequence": bytes.fromhex("1000080000000007") + IP4,
    "everything": bytes.fromhex("b0000800123400000000000700000001") + IP4,
    "Ethernet": bytes.fromhex("00006558") + build.ethernet(IP4),
    "ERSPAN II": bytes.fromhex("100088be00000001") + bytes.fromhex("1000000100000000") + build.ethernet(IP4),
    "PPTP": bytes.fromhex("3081880b000000050000000100000002ff030021") + IP4,
}  # fmt: skip


@pytest.mark.parametrize("name", GRE_VARIANTS)
def test_gre_in_its_variants_is_opened(read, name):
    data = build.ethernet(build.ipv4("10.8.0.1", "10.8.0.2", 47, GRE_VARIANTS[name]))
    found = read(build.pcap([(0, data)])).found
    assert [(each.data, each.origin) for each in found.signalling.datagrams] == [(SIP, GRE)]


def test_what_an_authentication_header_covers_is_clear(read):
    datagram = IP4[20:]
    header = bytes((17, 4, 0, 0)) + bytes(8) + b"i" * 12
    four = build.ipv4("10.0.0.1", "10.0.0.2", 51, header + datagram)
    six = build.ipv6("2001:db8::1", "2001:db8::2", 51, header + IP6[40:])
    assert read(build.pcap([(0, build.ethernet(four)), (1, build.ethernet(six))])).datagrams == [SIP, SIP]


def test_ip_options_are_stepped_over(read):
    packet = bytearray(IP4)
    packet[0] = 0x46
    packet[2:4] = struct.pack("!H", len(IP4) + 4)
    packet[20:20] = b"\x01\x01\x01\x00"
    assert read(build.pcap([(0, build.ethernet(bytes(packet)))])).datagrams == [SIP]


def test_ipv6_extension_headers_are_stepped_over(read):
    hops = bytes((60, 0)) + bytes(6)
    options = bytes((43, 1)) + bytes(14)
    routing = bytes((44, 0)) + bytes(6)
    atomic = bytes((17, 0, 0, 0)) + b"\x01\x02\x03\x04"
    packet = build.ipv6("2001:db8::1", "2001:db8::2", 0, hops + options + routing + atomic + IP6[40:])
    assert read(build.pcap([(0, build.ethernet(packet))])).datagrams == [SIP]


@pytest.mark.parametrize(
    "body", [bytes((0, 255)) + bytes(6), bytes((0, 0)) * 400, bytes((44, 0)), bytes((51, 255)) * 8]
)
def test_extension_headers_without_an_end_are_left(read, body):
    assert read(build.pcap([(0, build.ethernet(build.ipv6("::1", "::2", 0, body)))])).datagrams == []


# --- exported PDUs --------------------------------------------------------------------------------

EXPORTED_SAMPLE = bytes.fromhex(
    "000c000473697000" "001400040a000001" "001500040a000002" "0018000400000003"
    "00190004000013c4" "001a0004000013c4" "001e000400000001" "00000000"
)  # fmt: skip


def test_the_sample_of_an_exported_pdu_is_a_message_between_its_addresses(read):
    found = read(build.pcap([(0, EXPORTED_SAMPLE + SIP)], link_type=252)).found
    (kept,) = found.signalling.datagrams
    assert (kept.data, kept.origin, kept.frame) == (SIP, EXPORTED, 1)
    source, destination = endpoints(found.flows.identity[kept.flow].tobytes())
    assert (str(source), str(destination)) == ("10.0.0.1:5060", "10.0.0.2:5060")


def test_a_tag_of_true_length_with_padding_behind_it_is_read(read):
    data = bytes.fromhex("000c000373697000") + EXPORTED_SAMPLE[8:] + SIP
    assert read(build.pcap([(0, data)], link_type=252)).datagrams == [SIP]


def test_an_exported_pdu_of_another_protocol_is_counted_as_skipped(read):
    data = EXPORTED_SAMPLE.replace(b"sip\0", b"dns\0") + SIP
    assert read(build.pcap([(0, data)], link_type=252)).found.skips == {"exported PDU without usable tags": 1}


def test_exported_tags_without_an_end_are_left(read):
    for data in (EXPORTED_SAMPLE[:-4], EXPORTED_SAMPLE[:-5], bytes.fromhex("001e0000") * 100, b""):
        assert read(build.pcap([(0, data)], link_type=252)).datagrams == []


def test_esp_null_inside_gtp_u_says_both(read):
    frames = [
        build.esp_null(build.ALICE, build.BOB, SIP, spi=77, sequence=number, icv=12)[14:] for number in range(1, 4)
    ]
    found = read(build.pcap([(number, gtp(each)) for number, each in enumerate(frames)])).found
    assert [(each.data, each.origin) for each in found.signalling.datagrams] == [(SIP, GTP | ESP_NULL)] * 3
