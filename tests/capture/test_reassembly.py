"""Fragments, TCP segments, SCTP user messages, ESP with NULL encryption, TURN: what is put together and taken out."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.stun.framing import looks_like_frames
from imsinspect.capture import classify, esp, fragments, signalling
from imsinspect.capture.chunk import Chunk
from imsinspect.capture.decode import ESP_NULL, TURN
from imsinspect.capture.identity import endpoints
from imsinspect.capture.odd import Fragment
from imsinspect.capture.signalling import SYN, Segment
from imsinspect.capture.stream_messages import READERS, messages
from imsinspect.capture.tcp import Assembly, assemble
from tests import build

SIP = b"OPTIONS sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
LONG = b"MESSAGE sip:bob@example.org SIP/2.0\r\nSubject: " + b"x" * 3000 + b"\r\nContent-Length: 0\r\n\r\n"
SECOND = 10**9


# --- IP fragments ---------------------------------------------------------------------------------


def pieces(six: bool = False, size: int = 800, identification: int = 9) -> list[bytes]:
    """The fragments of a long SIP message over UDP, as Ethernet frames."""
    ends = (("2001:db8::1", 5060), ("2001:db8::2", 5060)) if six else (build.ALICE, build.BOB)
    datagram = build.udp_datagram(*ends, LONG)
    out = []
    for low in range(0, len(datagram), size):
        part, more = datagram[low : low + size], low + size < len(datagram)
        if six:
            head = struct.pack("!BBHI", 17, 0, low | more, identification)
            out.append(build.ethernet(build.ipv6(ends[0][0], ends[1][0], 44, head + part)))
        else:
            field = more << 13 | low // 8
            out.append(
                build.ethernet(
                    build.ipv4(ends[0][0], ends[1][0], 17, part, identification=identification, fragment=field)
                )
            )
    return out


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [0, 0, 1, 1, 2, 2, 3]])
def test_fragments_in_any_order_make_the_message_once(read, six, order):
    frames = pieces(six)
    assert len(frames) == 4
    passed = read(build.pcap([(n * 0.01, frames[index]) for n, index in enumerate(order)]))
    assert passed.datagrams == [LONG]
    assert passed.frames == [len(order)]
    assert len(passed.found.fragment_frames[len(order)]) == 4
    assert passed.found.fragments.overlaps == []


def test_a_missing_fragment_leaves_nothing(read):
    passed = read(build.pcap([(n, each) for n, each in enumerate(pieces()[:-1])]))
    assert passed.datagrams == []
    assert len(passed.found.fragments.sets) == 1


def test_a_fragment_that_comes_too_late_is_of_another_packet(read):
    frames = pieces()
    passed = read(build.pcap([(0, frames[0]), (1, frames[1]), (2, frames[2]), (62, frames[3])]))
    assert passed.datagrams == []
    assert passed.found.fragments.incomplete == 1


def fragment(offset: int, data: bytes, more: bool, six: bool = False, key: int = 1) -> Fragment:
    """A fragment of a packet between two hosts."""
    width = 16 if six else 4
    return Fragment((bytes(width), bytes(width), key, 17), offset, more, 17, data, key, 64, six)


def joined(*parts: Fragment) -> tuple[bytes | None, list[int]]:
    """The body that fragments make, and the frames that contradict."""
    machine = fragments.Fragments()
    whole = [machine.add(each, frame, 0, 0, 0) for frame, each in enumerate(parts, 1)]
    done = [each for each in whole if each is not None]
    return (done[0].packet[20:] if done else None), machine.overlaps


def test_of_overlapping_ipv4_fragments_the_octets_seen_first_stay():
    body, overlaps = joined(fragment(8, b"b" * 16, True), fragment(0, b"a" * 16, True), fragment(24, b"c", False))
    assert body == b"a" * 8 + b"b" * 16 + b"c"
    assert overlaps == [2]


def test_overlapping_fragments_that_agree_are_no_contradiction():
    body, overlaps = joined(fragment(0, b"a" * 16, True), fragment(8, b"a" * 16, True), fragment(24, b"c", False))
    assert (body, overlaps) == (b"a" * 24 + b"c", [])


def test_a_duplicate_with_other_octets_is_a_contradiction():
    body, overlaps = joined(fragment(0, b"a" * 8, True), fragment(0, b"z" * 8, True), fragment(8, b"c", False))
    assert (body, overlaps) == (b"a" * 8 + b"c", [2])


def test_a_longer_fragment_at_the_same_place_brings_its_other_octets():
    body, overlaps = joined(fragment(0, b"a" * 8, True), fragment(0, b"a" * 16, True), fragment(16, b"c", False))
    assert (body, overlaps) == (b"a" * 16 + b"c", [])


def test_overlapping_ipv6_fragments_abandon_the_packet():
    body, overlaps = joined(
        fragment(0, b"a" * 16, True, True), fragment(8, b"b" * 16, True, True), fragment(24, b"c", False, True)
    )
    assert body is None
    assert overlaps == [2]


def test_a_flood_of_first_fragments_is_bounded():
    machine = fragments.Fragments()
    for key in range(fragments.MAX_SETS + 500):
        machine.add(fragment(0, b"x" * 8, True, key=key), key, 0, 0, 0)
    assert len(machine.sets) == fragments.MAX_SETS
    assert machine.incomplete == 500
    assert machine.held == 8 * fragments.MAX_SETS


def test_one_packet_of_fragments_that_overlap_all_over_is_bounded():
    machine = fragments.Fragments()
    for number in range(5_000):
        machine.add(fragment(number % 1200 * 8, bytes([number & 255]) * 50_000, True), number, 0, 0, 0)
    assert machine.held <= fragments.MAX_HELD


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 40), st.booleans(), st.booleans(), st.integers(0, 2)), max_size=40
    )
)
def test_any_fragments_are_taken(parts):
    machine = fragments.Fragments()
    for number, (place, size, more, six, key) in enumerate(parts):
        machine.add(fragment(place * 8, bytes([number]) * size, more, six, key), number, number, 0, 0)
    assert machine.held == sum(len(data) for group in machine.sets.values() for data, _ in group.parts.values())


# --- TCP ------------------------------------------------------------------------------------------


def segment(
    sequence: int, data: bytes, frame: int = 1, flags: int = 16, forward: bool = True, cut: bool = False
) -> Segment:
    """A segment kept."""
    return Segment(frame, frame * SECOND, forward, sequence & 0xFFFFFFFF, flags, 1, 64, 0, cut, data)


def stream(*segments: Segment) -> tuple[list[tuple[bytes, int]], Assembly]:
    """Octets with the gap before them."""
    result = Assembly()
    return [(chunk.data, chunk.gap) for chunk in assemble(segments, result)], result


def test_segments_out_of_order_are_put_in_order():
    found, result = stream(segment(1, b"ab"), segment(5, b"ef"), segment(7, b"gh"), segment(3, b"cd"))
    assert found == [(b"ab", 0), (b"cd", 0), (b"ef", 0), (b"gh", 0)]
    assert (result.gaps, result.differing) == ([], [])


def test_retransmitted_and_overlapping_octets_come_once():
    found, result = stream(segment(1, b"abcd"), segment(1, b"abcd"), segment(3, b"cdef"), segment(2, b"bc"))
    assert found == [(b"abcd", 0), (b"ef", 0)]
    assert result.differing == []


def test_other_octets_for_the_same_place_are_noted_and_the_first_stay():
    found, result = stream(segment(1, b"abcd", 1), segment(1, b"aXcd", 2), segment(5, b"ef", 3))
    assert found == [(b"abcd", 0), (b"ef", 0)]
    assert result.differing == [2]


def test_sequence_numbers_wrap():
    found, _ = stream(segment(0xFFFFFFFE, b"abcd"), segment(2, b"ef"), segment(0xFFFFFFFE, b"abcd"))
    assert found == [(b"abcd", 0), (b"ef", 0)]


def test_a_hole_that_nothing_fills_is_a_gap():
    found, result = stream(segment(1, b"ab", 1), segment(10, b"jk", 2), segment(12, b"lm", 3))
    assert found == [(b"ab", 0), (b"jk", 7), (b"lm", 0)]
    assert result.gaps == [2]


def test_two_holes_are_two_gaps():
    found, result = stream(segment(1, b"ab", 1), segment(20, b"z", 2), segment(10, b"jk", 3))
    assert found == [(b"ab", 0), (b"jk", 7), (b"z", 8)]
    assert result.gaps == [3, 2]


def test_octets_in_a_syn_stand_behind_its_number():
    found, _ = stream(segment(100, b"GET", flags=SYN), segment(104, b" /"))
    assert found == [(b"GET", 0), (b" /", 0)]


def test_loss_between_the_syn_and_the_first_octets_is_a_gap():
    found, result = stream(segment(100, b"", flags=SYN), segment(111, b"late", 2))
    assert found == [(b"late", 10)]
    assert result.gaps == [2]


def test_a_keep_alive_is_no_contradiction():
    found, result = stream(segment(1, b"abcd"), segment(4, b"\0", 2), segment(5, b"ef"))
    assert found == [(b"abcd", 0), (b"ef", 0)]
    assert result.differing == []


def test_a_segment_far_outside_the_stream_is_left_and_hides_no_hole():
    found, result = stream(segment(1, b"ab", 1), segment(900_000_000, b"x" * 50, 2), segment(10, b"jk", 3))
    assert found == [(b"ab", 0), (b"jk", 7)]
    assert result.gaps == [3]


def test_a_segment_cut_by_the_snap_length_leaves_a_gap():
    found, result = stream(segment(1, b"abcd", cut=True), segment(11, b"kl", 2))
    assert found == [(b"abcd", 0), (b"kl", 6)]
    assert result.gaps == [2]


def test_an_old_retransmission_is_not_compared_with_what_is_forgotten():
    many = [segment(1 + 1000 * n, bytes([n & 255]) * 1000, n) for n in range(300)]
    _, result = stream(*many, segment(1, b"\0" * 1000, 999))
    assert result.differing == []


@settings(max_examples=150, deadline=None)
@given(
    st.binary(min_size=1, max_size=400),
    st.lists(st.tuples(st.integers(0, 399), st.integers(1, 60)), max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_any_pieces_of_a_stream_give_its_octets_in_order(data, cuts, base):
    parts = [(low % len(data), size) for low, size in cuts]
    result = Assembly()
    chunks = list(
        assemble(
            [segment(base, data[:1]), *(segment(base + low, data[low : low + size]) for low, size in parts)], result
        )
    )
    covered = {0} | {place for low, size in parts for place in range(low, min(low + size, len(data)))}
    assert b"".join(chunk.data for chunk in chunks) == bytes(data[place] for place in sorted(covered))
    assert sum(chunk.gap for chunk in chunks) == max(covered) + 1 - len(covered)
    assert result.differing == []


def connection(parts: list[tuple[int, bytes]], flags: dict[int, int] | None = None) -> bytes:
    """A capture of one direction: (sequence number, octets)."""
    ends = (("192.0.2.10", 40000), ("198.51.100.20", 5060))
    return build.pcap(
        [
            (n * 0.01, build.tcp(*ends, data, sequence=seq, acknowledgement=1, flags=(flags or {}).get(n, 16)))
            for n, (seq, data) in enumerate(parts)
        ]
    )


def test_sip_behind_keep_alives_is_not_lost(read):
    parts = [(1 + 4 * n, b"\r\n\r\n") for n in range(100)] + [(401, SIP)]
    (found,) = read(connection(parts)).found.signalling.connections
    assert found.kind == "sip"
    assert found.segments[-1].data == SIP


def test_a_connection_let_go_is_looked_at_again_from_its_next_syn(read):
    noise = [(1 + 900 * n, build.noise(n, 900)) for n in range(80)]
    passed = read(connection([(0, b""), *noise, (500_000, b""), (500_001, SIP)], {0: SYN, 81: SYN}))
    first, second = passed.found.signalling.connections
    assert first.dropped
    assert [(each.flags, each.data) for each in first.segments] == [(SYN, b""), (16, noise[0][1][: signalling.BEGUN])]
    assert (second.kind, second.opened_by) == ("sip", 500_000)


def test_a_flood_of_syns_from_one_port_is_one_connection(read):
    passed = read(connection([(n * 77, b"") for n in range(500)], dict.fromkeys(range(500), SYN)))
    (found,) = passed.found.signalling.connections
    assert len(found.segments) == 1


def test_a_syn_seen_behind_its_answer_opens_the_same_connection(read):
    client, server = ("192.0.2.10", 40000), ("198.51.100.20", 5060)
    frames = [
        build.tcp(server, client, b"", sequence=900, acknowledgement=101, flags=SYN | 16),
        build.tcp(client, server, b"", sequence=100, acknowledgement=0, flags=SYN),
        build.tcp(client, server, SIP, sequence=101, acknowledgement=901),
    ]
    passed = read(build.pcap([(n * 0.01, each) for n, each in enumerate(frames)]))
    (found,) = passed.found.signalling.connections
    assert [(each.forward, each.data) for each in found.segments] == [(False, b""), (True, b""), (True, SIP)]


def test_connections_of_unknown_protocols_hold_a_bounded_number_of_octets(read, monkeypatch):
    monkeypatch.setattr(signalling, "UNTOLD_OCTETS", 20_000)
    frames = [
        build.tcp(
            ("192.0.2.10", 10_000 + n), ("198.51.100.20", 99), build.noise(n, 1000), sequence=1, acknowledgement=1
        )
        for n in range(100)
    ]
    found = read(build.pcap([(n, each) for n, each in enumerate(frames)])).found.signalling
    held = [sum(len(part.data) for part in each.segments) for each in found.connections]
    kept = [octets for octets, each in zip(held, found.connections, strict=True) if not each.dropped]
    assert sum(kept) <= 20_000
    assert max(octets for octets, each in zip(held, found.connections, strict=True) if each.dropped) <= signalling.BEGUN
    assert not found.connections[-1].dropped


def test_datagrams_of_another_kind_do_not_hide_sip_that_comes_later(read):
    frames = [build.udp(build.ALICE, build.BOB, b"jaK, still here %d" % n) for n in range(60)]
    passed = read(build.pcap([(n, each) for n, each in enumerate([*frames, build.udp(build.ALICE, build.BOB, SIP)])]))
    assert passed.frames == [61]


# --- TLS and DTLS that stay readable --------------------------------------------------------------


def tls_segments(suite: int, data: int) -> list[build.Packet]:
    """A TLS session with records of application data."""
    return build.tls_session(
        ("192.0.2.10", 40000), ("198.51.100.20", 5061), suite, data=[SIP * 10] * data, null_mac=20 if suite == 2 else 0
    )


def kept(found, least: int = 0) -> int:
    """Octets kept of TLS connections."""
    return sum(len(part.data) for each in found.signalling.connections for part in each.segments)


def backward(frames: list[build.Packet], count: int) -> list[build.Packet]:
    """The server sends application data too, so that both directions are settled."""
    last = build.TcpConnection(("192.0.2.10", 40000), ("198.51.100.20", 5061), 900_000, 900_000)
    return frames + [packet for n in range(count) for packet in last.send(5 + n, SIP, from_client=False)]


def test_content_of_a_null_cipher_is_kept_when_segments_change_places(read):
    frames = tls_segments(2, 60)
    frames[5], frames[6] = frames[6], frames[5]
    frames[20], frames[23] = frames[23], frames[20]
    frames.insert(9, frames[8])
    expected = sum(len(data) - 54 for _, data in frames)
    assert kept(read(build.pcap(frames)).found) == expected


def test_bulk_data_of_an_encrypted_session_is_let_go_when_a_segment_of_the_handshake_is_lost(read):
    frames = tls_segments(0x2F, 900)
    for lost in (4, 5, 6):
        found = read(build.pcap(frames[:lost] + frames[lost + 1 :])).found
        assert kept(found) < signalling.HANDSHAKE_OCTETS + 10_000


@pytest.mark.parametrize(("suite", "all_kept"), [(2, True), (0x2F, False)])
def test_dtls_beyond_its_bound_is_kept_only_when_it_is_readable(read, suite, all_kept):
    hello = build.dtls_record(22, build.dtls_handshake(2, build.server_hello(suite, version=build.DTLS_1_2)))
    data = [build.dtls_record(23, build.noise(n, 1300), epoch=1, sequence=n) for n in range(400)]
    ends = (("198.51.100.20", 9000), ("192.0.2.10", 9000))
    found = read(build.pcap([(n * 0.01, build.udp(*ends, each)) for n, each in enumerate([hello, *data])])).found
    octets = sum(len(each.data) for flow in found.signalling.dtls.values() for each in flow)
    assert octets == sum(map(len, [hello, *data])) if all_kept else octets <= signalling.DTLS_OCTETS


def test_dtls_behind_the_preamble_of_capwap_is_kept(read):
    record = build.dtls_record(22, build.dtls_handshake(1, build.client_hello([0x2F], version=build.DTLS_1_2)))
    found = read(build.pcap([(0, build.udp(("192.0.2.1", 5246), ("192.0.2.2", 5246), b"\x01\0\0\0" + record))])).found
    assert [each.data for each in found.signalling.dtls[0]] == [b"\x01\0\0\0" + record]


# --- SCTP -----------------------------------------------------------------------------------------


def sctp(*chunks: bytes) -> bytes:
    """An Ethernet frame with an SCTP packet."""
    return build.ethernet(
        build.ip("192.0.2.10", "198.51.100.20", 132, struct.pack("!HHII", 5060, 5060, 1, 0) + b"".join(chunks))
    )


def data_chunk(tsn: int, data: bytes, flags: int = 3) -> bytes:
    """A DATA chunk: flags are U 4, B 2, E 1."""
    return struct.pack("!BBHIHHI", 0, flags, 16 + len(data), tsn, 0, 0, 0) + data + bytes(-len(data) % 4)


def test_a_user_message_in_one_chunk_is_a_message(read):
    heartbeat = struct.pack("!BBH", 4, 0, 8) + b"beat"
    assert read(build.pcap([(0, sctp(heartbeat, data_chunk(5, SIP), data_chunk(6, SIP)))])).datagrams == [SIP, SIP]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_fragments_of_a_user_message_are_put_together(read, order):
    parts = [data_chunk(0xFFFFFFFF, SIP[:30], 2), data_chunk(0, SIP[30:50], 0), data_chunk(1, SIP[50:], 1)]
    passed = read(build.pcap([(n, sctp(parts[index])) for n, index in enumerate(order)]))
    assert passed.datagrams == [SIP]
    assert passed.found.signalling.chunk_frames == {3: (1, 2, 3)}


def test_unfinished_user_messages_are_bounded(read, monkeypatch):
    monkeypatch.setattr(signalling, "SCTP_HELD", 10_000)
    frames = [(n * 0.01, sctp(data_chunk(n * 2, b"x" * 500, 2))) for n in range(400)]
    found = read(build.pcap(frames)).found.signalling
    assert sum(len(part.data) for each in found.sctp_parts.values() for part, _ in each.values()) <= 10_500


# --- ESP ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("icv", [12, 16, 24, 32, 0])
def test_null_encryption_is_recognised_with_any_length_of_the_check_value(read, icv):
    frames = [build.esp_null(build.ALICE, build.BOB, SIP, spi=5, sequence=n, icv=icv) for n in range(1, 6)]
    found = read(build.pcap([(n, each) for n, each in enumerate(frames)])).found
    (association,) = found.signalling.associations.values()
    assert (association.decided, association.icv_octets, association.opened) == ("null", icv, 5)
    assert [(each.data, each.origin) for each in found.signalling.datagrams] == [(SIP, ESP_NULL)] * 5


def test_a_udp_checksum_of_zero_needs_agreement_of_three_packets(read):
    def packet(number: int) -> bytes:
        inner = struct.pack("!HHHH", 5062, 5064, 8 + len(SIP), 0) + SIP
        pad = -(len(inner) + 2) % 4
        body = inner + bytes(range(1, pad + 1)) + bytes((pad, 17)) + build.noise(number, 12)
        return build.ethernet(build.ip("192.0.2.1", "192.0.2.2", 50, struct.pack("!II", 8, number) + body))

    for count, decided in ((2, ""), (3, "null")):
        found = read(build.pcap([(n, packet(n)) for n in range(count)])).found.signalling
        assert [each.decided for each in found.associations.values()] == [decided]
        assert len(found.datagrams) == (count if decided else 0)


def test_packets_cut_by_the_snap_length_say_nothing_of_an_association(read):
    frames = [build.esp_null(build.ALICE, build.BOB, SIP, spi=5, sequence=n) for n in range(1, 21)]
    small = build.esp_null(build.ALICE, build.BOB, b"ACK sip:b SIP/2.0\r\n\r\n", spi=5, sequence=21)
    passed = read(build.pcap([(n, each) for n, each in enumerate([*frames, small])], snap_length=100))
    assert passed.datagrams == [b"ACK sip:b SIP/2.0\r\n\r\n"]


def test_encrypted_packets_are_never_opened():
    chance = random.Random(5)
    for number in range(2_500):
        association = esp.Association(bytes(48))
        for _ in range(esp.TRIED):
            association.decide(esp.try_open(chance.randbytes(chance.randrange(20, 200)), b"\1\2\3\4", b"\5\6\7\x08"))
        assert association.decided == "encrypted", number


def test_encrypted_associations_of_a_capture_are_left(read):
    frames = [build.esp_encrypted("192.0.2.1", "192.0.2.2", SIP, spi=6, sequence=n) for n in range(40)]
    found = read(build.pcap([(n, each) for n, each in enumerate(frames)])).found.signalling
    assert [(each.decided, each.opened) for each in found.associations.values()] == [("encrypted", 0)]
    assert found.datagrams == []


@pytest.mark.parametrize("spi", [0x00001001, 0x80600001, 0x80C80006])
def test_esp_in_udp_is_opened_whatever_its_spi_looks_like(read, spi):
    inner = [build.esp_null(build.ALICE, build.BOB, SIP, spi=spi, sequence=n)[34:] for n in range(1, 4)]
    ends = ((build.ALICE[0], 4500), (build.BOB[0], 4500))
    passed = read(build.pcap([(n, build.udp(*ends, each)) for n, each in enumerate([*inner, b"\xff", b"\0\0\0\0ike"])]))
    assert passed.datagrams == [SIP] * 3
    assert passed.found.streams.table.count == 0


# --- TURN -----------------------------------------------------------------------------------------

COOKIE = bytes.fromhex("2112a442")
CLIENT, RELAY = ("192.0.2.10", 50000), ("203.0.113.5", 3478)


def channel(data: bytes, number: int = 0x4001, padded: bool = False) -> bytes:
    """ChannelData; over TCP it is padded."""
    return struct.pack("!HH", number, len(data)) + data + (bytes(-len(data) % 4) if padded else b"")


def indication(data: bytes, kind: int = 0x16) -> bytes:
    """A Send or Data indication."""
    peer = struct.pack("!HH", 0x12, 8) + bytes(8)
    body = peer + struct.pack("!HH", 0x13, len(data)) + data + bytes(-len(data) % 4)
    return struct.pack("!HH", kind, len(body)) + COOKIE + b"t" * 12 + body


def media(count: int) -> list[bytes]:
    """RTP packets in sequence."""
    return [build.rtp(n, n * 160, 0xABCD, build.noise(n, 41)) for n in range(count)]


@pytest.mark.parametrize("wrap", [channel, indication])
def test_media_in_channels_and_indications_is_a_stream_of_the_client_and_the_relay(read, wrap):
    found = read(
        build.pcap([(n * 0.02, build.udp(CLIENT, RELAY, wrap(each))) for n, each in enumerate(media(30))])
    ).found
    (stream,) = found.streams.streams()
    assert (stream.packets, stream.ssrc, stream.origin) == (30, 0xABCD, TURN)
    assert [str(each) for each in endpoints(stream.identity)] == ["192.0.2.10:50000", "203.0.113.5:3478"]
    assert found.stun == 30


def test_control_and_handshakes_in_channels_are_found(read):
    record = build.dtls_record(22, build.dtls_handshake(1, build.client_hello([0x2F], version=build.DTLS_1_2)))
    report = build.sender_report(7)
    frames = [(0, build.udp(CLIENT, RELAY, channel(record))), (1, build.udp(CLIENT, RELAY, channel(report)))]
    found = read(build.pcap(frames)).found
    assert [[each.data for each in flow] for flow in found.signalling.dtls.values()] == [[record]]
    assert [(each.packets, each.plain) for each in found.rtcp.senders()] == [(1, 1)]


def test_control_that_a_relay_carries_in_two_ways_stands_in_the_order_of_the_capture(read):
    srtp = build.Srtp(build.master_key("a"))
    protected = [srtp.protect_rtcp(build.sender_report(7, packets=n)) for n in range(8)]
    wrapped = [(indication if n < 3 else channel)(each) for n, each in enumerate(protected)]
    found = read(build.pcap([(n, build.udp(CLIENT, RELAY, each)) for n, each in enumerate(wrapped)])).found
    (sender,) = found.rtcp.senders()
    assert [each.data for each in sender.other_samples] == protected


def test_turn_over_tcp_is_recognised_in_mid_stream(read):
    frames = [channel(each, padded=True) for each in media(20)]
    data = [frames[0], frames[1] + frames[2], frames[3][:30], frames[3][30:], *frames[4:]]
    line = build.TcpConnection(CLIENT, RELAY)
    found = read(build.pcap([packet for n, each in enumerate(data) for packet in line.send(n, each)])).found
    (connection,) = found.signalling.connections
    assert connection.kind == "stun"
    chunks = [Chunk(each.data, each.frame, each.time, True) for each in connection.segments]
    assert [each.data for each in messages("stun", chunks) if each.kind == "media"] == media(20)


def test_a_turn_stream_finds_its_place_again_behind_a_gap():
    frames = [channel(each, padded=True) for each in media(6)]
    parts = [(frames[0], 0), (frames[1][20:] + frames[2], 20), (frames[3] + frames[4], 0), (frames[5], 0)]
    chunks = [Chunk(data, n, n, True, gap) for n, (data, gap) in enumerate(parts)]
    assert [each.data for each in messages("stun", chunks) if each.kind == "media"] == [
        media(6)[n] for n in (0, 3, 4, 5)
    ]


def test_noise_and_text_are_no_chain_of_turn_frames():
    chance = random.Random(3)
    passed = 0
    for _ in range(100_000):
        data = chance.randbytes(chance.choice((16, 48, 100)))
        passed += looks_like_frames(b"\x40\x01" + data)
    assert passed <= 1
    for text in (b"GET / HTTP/1.1\r\n", b"MSRP a786hjs2 SEND\r\n", b"HTTP/1.1 200 OK\r\n", b"EHLO x\r\n", b"", b"@@@@"):
        assert not looks_like_frames(text)


# --- messages out of chunks -----------------------------------------------------------------------


def test_a_message_in_many_segments_is_read_once_with_all_its_frames():
    chunks = [Chunk(SIP[n : n + 7], n, n, True) for n in range(0, len(SIP), 7)]
    (found,) = messages("sip", chunks)
    assert (found.kind, found.data, found.frames) == ("sip", SIP, tuple(range(0, len(SIP), 7)))


def test_a_long_msrp_message_in_small_segments_is_found():
    text = b"MSRP d93kswow SEND\r\nTo-Path: msrp://b\r\n\r\n" + b"-" * 300_000 + b"\r\n-------d93kswow$\r\n"
    chunks = [Chunk(text[n : n + 100], n, n, True) for n in range(0, len(text), 100)]
    (found,) = messages("msrp", [Chunk(b"junk\r\n" * 3000, 0, 0, True), *chunks])
    assert found.data == text


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(READERS)),
    st.lists(st.tuples(st.binary(max_size=80), st.booleans(), st.integers(-1, 3)), max_size=12),
)
def test_any_chunks_are_read_without_raising(kind, parts):
    for found in messages(kind, [Chunk(data, n, n, forward, gap) for n, (data, forward, gap) in enumerate(parts)]):
        assert found.frames


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_octets_have_a_kind(data):
    classify.stream_kind(data)
    classify.datagram_kind(data)
