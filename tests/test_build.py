"""The builder of test captures tells the truth: other implementations and published vectors agree with its bytes."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from dissectors.sdp import parse as sdp_parse
from dissectors.sip import parse as sip_parse
from tests import build

# Keys of RFC 3711 B.3; packets that a widely used library prints as its own test data, and RFC 7714's layout.
MASTER = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139" + "0ec675ad498afeebb6960b3aabe6")
RTP = bytes.fromhex("800f1234decafbadcafebabe") + b"\xab" * 16
RTCP = bytes.fromhex("81c8000bcafebabe") + b"\xab" * 16
GCM_MASTER = bytes(range(16)) + bytes(range(0xA0, 0xAC))


def test_srtp_of_aes_cm_equals_published_packets() -> None:
    """80-bit and 32-bit tags, a rollover counter of 1, and an MKI before the tag."""
    body = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402"
    assert build.Srtp(MASTER).protect(RTP).hex() == body + "b78d6acc99ea179b8dbb"
    assert build.Srtp(MASTER, "AES_CM_128_HMAC_SHA1_32").protect(RTP).hex() == body + "b78d6acc"
    assert build.Srtp(MASTER, mki=b"\0\0\0\1").protect(RTP).hex() == body + "00000001" + "b78d6acc99ea179b8dbb"
    assert build.Srtp(MASTER, unauthenticated=True).protect(RTP).hex() == body
    assert (
        build.Srtp(MASTER, roc=1).protect(RTP).hex()
        == "800f1234decafbadcafebabe179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc"
    )


def test_srtcp_of_aes_cm_equals_published_packets() -> None:
    """With and without encryption; the index begins with 1."""
    sealed = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"
    clear = "81c8000bcafebabeabababababababababababababababab00000001fe88c7fdfd37ebce615d"
    assert build.Srtp(MASTER).protect_rtcp(RTCP).hex() == sealed
    assert build.Srtp(MASTER).protect_rtcp(RTCP, encrypted=False).hex() == clear


def test_gcm_equals_published_packets() -> None:
    """The tag stands before the index word of SRTCP."""
    rtp = "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392"
    rtcp = "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"
    assert build.Srtp(GCM_MASTER, "AEAD_AES_128_GCM").protect(RTP).hex() == rtp
    assert build.Srtp(GCM_MASTER, "AEAD_AES_128_GCM").protect_rtcp(RTCP).hex() == rtcp


def test_rollover_counts_when_sequence_numbers_wrap() -> None:
    context = build.Srtp(MASTER)
    for sequence in (65_534, 65_535, 0):
        context.protect(build.rtp(sequence, 0, 1, b"x"))
    assert context.roc == 1


@pytest.mark.parametrize(("one", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")])
def test_lengths_and_checksums_are_right(one: str, other: str) -> None:
    """Scapy, asked to compute lengths and checksums anew, gets the same octets."""
    network = IPv6 if ":" in one else IP
    for frame in (
        build.udp((one, 1000), (other, 2000), b"odd length!"),
        build.tcp((one, 1000), (other, 2000), b"data", sequence=1, acknowledgement=2),
    ):
        packet = Ether(frame)
        transport = packet.getlayer(UDP) or packet.getlayer(TCP)
        del transport.chksum
        if network is IP:
            del packet[IP].chksum
            del packet[IP].len
        assert bytes(packet) == frame


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_holds_times_and_lengths(byte_order: str, nanoseconds: bool) -> None:
    data = build.pcap([(1.5, b"frame")], byte_order=byte_order, nanoseconds=nanoseconds, snap_length=3)
    seconds, fraction, kept, whole = struct.unpack(byte_order + "IIII", data[24:40])
    assert (seconds - build.START, kept, whole, data[40:]) == (1, 3, 5, b"fra")
    assert fraction == (500_000_000 if nanoseconds else 500_000)


def test_a_call_is_sip_that_our_dissectors_read() -> None:
    """Every message parses without notes; the offer's key is the one that the seed stands for."""
    offer = build.sdp("192.0.2.10", build.audio(4000, "RTP/SAVP", build.crypto("a")))
    answer = build.sdp("198.51.100.20", build.audio(5000, "RTP/SAVP", build.crypto("b")))
    packets = build.call(offer, answer)
    messages = [sip_parse.parse(bytes(Ether(frame)[UDP].payload)) for _, frame in packets]
    assert [message.method.decode() or message.status for message in messages] == [
        "INVITE", 100, 180, 200, "ACK", "BYE", 200,
    ]  # fmt: skip
    assert not any(message.notes for message in messages)
    key = sdp_parse.parse(messages[0].body).media[0].crypto[0]
    assert key.valid
    assert key.keys[0].key_salt == build.master_key("a")
    assert messages[0].branch == messages[3].branch != messages[4].branch


def test_speech_is_no_noise() -> None:
    """Speech repeats values where encrypted payloads do not; µ-law silence is 0xff."""
    assert build.mu_law(0) == 0xFF
    assert len(set(b"".join(build.speech(50)))) < 256
    assert len({build.noise(number, 160) for number in range(50)}) == 50
