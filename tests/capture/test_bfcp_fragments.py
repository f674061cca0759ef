"""Fragments of BFCP messages are put together in any order, within bounds, and contradictions are told."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.capture import bfcp_fragments
from imsinspect.capture.bfcp_fragments import BfcpFragments, Whole

SECOND = 10**9
PATH = ("192.0.2.1", 5000, "192.0.2.2", 5001)
FRAGMENTS = (
    bytes.fromhex("4801000911223344000700ea000000040504021f112078787878787878787878"),
    bytes.fromhex("4801000911223344000700ea000400057878787878787878787878787878787878787878"),
)
MESSAGE = bytes.fromhex("4001000911223344000700ea0504021f1120" + "78" * 30)


def fragment(
    at: int,
    body: bytes,
    words: int,
    transaction: int = 7,
    user: int = 234,
    conference: int = 1,
    primitive: int = 1,
    first: int = 0x48,
) -> bytes:
    """A fragment at an offset of 4-octet units."""
    head = bytes([first, primitive]) + words.to_bytes(2, "big") + conference.to_bytes(4, "big")
    numbers = (transaction, user, at, len(body) // 4)
    return head + b"".join(one.to_bytes(2, "big") for one in numbers) + body


def cut(body: bytes, *places: int) -> list[bytes]:
    """The fragments of a body that is cut at places, in 4-octet units."""
    ends = [0, *places, len(body) // 4]
    return [fragment(low, body[4 * low : 4 * high], len(body) // 4) for low, high in itertools.pairwise(ends)]


def test_a_message_comes_out_as_if_it_had_not_been_fragmented() -> None:
    fragments = BfcpFragments()
    assert fragments.add(FRAGMENTS[0], PATH, 3, SECOND) is None
    assert list(fragments.unfinished()) == [3]
    assert fragments.add(FRAGMENTS[1], PATH, 5, 2 * SECOND) == Whole(MESSAGE, 5, 2 * SECOND, (3, 5))
    assert list(fragments.unfinished()) == []
    assert (fragments.held, fragments.incomplete, fragments.contradictions) == (0, 0, [])


def test_the_r_bit_stays_and_the_f_bit_goes() -> None:
    fragments = BfcpFragments()
    whole = fragments.add(fragment(0, b"", 0, first=0x5F), PATH, 1, 0)
    assert whole is not None
    assert whole.message == bytes.fromhex("5701000000000001000700ea")


def test_fragments_of_version_1_are_put_together_where_their_octets_tell_that_they_are_some() -> None:
    """Version 1 has none, but some peers put their fields there; what has attributes behind 12 octets is whole."""
    fragments = BfcpFragments()
    first, second = (b"\x28" + one[1:] for one in FRAGMENTS)
    assert fragments.add(first, PATH, 3, SECOND) is None
    assert fragments.add(second, PATH, 5, SECOND) == Whole(b"\x20" + MESSAGE[1:], 5, SECOND, (3, 5))
    whole = b"\x28" + MESSAGE[1:12] + bytes.fromhex("00000009") + MESSAGE[12:]
    assert fragments.add(whole, PATH, 6, 30 * SECOND) == Whole(b"\x20" + MESSAGE[1:], 6, 30 * SECOND, (6,))
    assert fragments.add(b"\x28" + MESSAGE[1:], PATH, 7, 60 * SECOND) is None
    assert (fragments.sets, fragments.contradictions) == ({}, [])


def test_what_is_no_fragment_is_passed_over() -> None:
    fragments = BfcpFragments()
    for datagram in (b"", b"x" * 40, MESSAGE, b"\x28" + FRAGMENTS[0][1:-4], FRAGMENTS[0][:15]):
        assert fragments.add(datagram, PATH, 1, 0) is None
    assert (fragments.sets, fragments.contradictions) == ({}, [])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_order_repetition_and_overlap_do_not_matter(data: st.DataObject) -> None:
    words = data.draw(st.integers(1, 40))
    body = random.Random(data.draw(st.integers(0, 99))).randbytes(4 * words)
    pieces = cut(body, *sorted(data.draw(st.sets(st.integers(1, words - 1), max_size=6)) if words > 1 else ()))
    for _ in range(data.draw(st.integers(0, 3))):
        low = data.draw(st.integers(0, words - 1))
        high = data.draw(st.integers(low + 1, words))
        pieces.append(fragment(low, body[4 * low : 4 * high], words))
    pieces += data.draw(st.lists(st.sampled_from(pieces), max_size=3))
    pieces = data.draw(st.permutations(pieces))
    fragments = BfcpFragments()
    found = [fragments.add(piece, PATH, frame, frame) for frame, piece in enumerate(pieces)]
    wholes = [one for one in found if one is not None]
    assert wholes
    for whole in wholes:
        assert (
            whole.message == bytes.fromhex("4001") + words.to_bytes(2, "big") + bytes.fromhex("00000001000700ea") + body
        )
        assert whole.frame == max(whole.frames)
    assert list(fragments.unfinished()) == []
    assert fragments.contradictions == []
    assert fragments.held == sum(group.held for group in fragments.sets.values())


def test_a_repeated_fragment_of_a_finished_message_is_not_an_unfinished_one() -> None:
    fragments = BfcpFragments()
    for frame, piece in enumerate(FRAGMENTS):
        fragments.add(piece, PATH, frame, 0)
    assert fragments.add(FRAGMENTS[0], PATH, 2, SECOND) is None
    assert list(fragments.unfinished()) == []
    again = fragments.add(FRAGMENTS[1], PATH, 3, SECOND)  # a retransmission, as whole messages are retransmitted
    assert again == Whole(MESSAGE, 3, SECOND, (2, 3))
    fragments.add(FRAGMENTS[0], PATH, 4, 2 * SECOND)
    fragments.add(FRAGMENTS[0], PATH, 5, 40 * SECOND)
    assert fragments.incomplete == 0
    assert list(fragments.unfinished()) == [5]  # too late to be a repetition


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (("other",), {}),
        (PATH, {"conference": 2}),
        (PATH, {"transaction": 8}),
        (PATH, {"user": 235}),
        (PATH, {"primitive": 4}),
        (PATH, {"first": 0x58}),
    ],
)
def test_fragments_of_different_messages_are_kept_apart(path: tuple[object, ...], changes: dict[str, int]) -> None:
    fragments = BfcpFragments()
    assert fragments.add(fragment(0, b"abcd", 2), PATH, 1, 0) is None
    assert fragments.add(fragment(1, b"efgh", 2, **changes), path, 2, 0) is None
    assert sorted(fragments.unfinished()) == [1, 2]


def test_a_fragment_that_contradicts_an_earlier_one_is_told_and_not_used() -> None:
    fragments = BfcpFragments()
    assert fragments.add(fragment(0, b"abcdefgh", 3), PATH, 1, 0) is None
    assert fragments.add(fragment(1, b"efgXijkl", 3), PATH, 2, 0) is None
    assert fragments.add(fragment(0, b"ijkl", 1), PATH, 3, 0) is None
    whole = fragments.add(fragment(1, b"efghijkl", 3), PATH, 4, 0)
    assert whole is not None
    assert (whole.message[12:], whole.frames) == (b"abcdefghijkl", (1, 4))
    assert [(one.frame, one.text) for one in fragments.contradictions] == [
        (2, "octets of the fragment contradict earlier fragments"),
        (3, "Payload Length is 1, that of earlier fragments 3"),
    ]


def test_a_fragment_that_does_not_fit_itself_is_told_and_not_used() -> None:
    fragments = BfcpFragments()
    assert fragments.add(FRAGMENTS[0][:-4], PATH, 1, 0) is None
    assert fragments.add(fragment(2, b"abcdefgh", 3), PATH, 2, 0) is None
    assert [(one.frame, one.text) for one in fragments.contradictions] == [
        (1, "Fragment Length says 16 octets, 12 are there"),
        (2, "the fragment ends at 16, behind the 12 octets of Payload Length"),
    ]
    assert fragments.sets == {}


def test_a_message_whose_rest_does_not_come_in_time_is_given_up() -> None:
    fragments = BfcpFragments()
    fragments.add(FRAGMENTS[0], PATH, 1, 0)
    assert fragments.add(FRAGMENTS[1], PATH, 2, 11 * SECOND) is None
    assert fragments.incomplete == 1
    assert list(fragments.unfinished()) == [2]
    assert fragments.add(FRAGMENTS[0], PATH, 3, 12 * SECOND) is not None


def test_numbers_and_octets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfcp_fragments, "MAX_SETS", 20)
    monkeypatch.setattr(bfcp_fragments, "MAX_HELD", 4_000)
    monkeypatch.setattr(bfcp_fragments, "MAX_CONTRADICTIONS", 5)
    fragments = BfcpFragments()
    for number in range(100):
        fragments.add(fragment(0, b"abcd", 9, number), PATH, number, 0)
        assert len(fragments.sets) <= 20
    assert fragments.incomplete == 80
    for number in range(100):
        fragments.add(fragment(0, b"abcd" * 200, 900, number), PATH, number, 0)
        assert fragments.held <= 4_000
        fragments.add(FRAGMENTS[0][:-4], PATH, 1, 0)
    assert len(fragments.contradictions) == 5
    for number in range(100):
        assert fragments.add(fragment(0, b"abcd" * 100, 100, 1_000 + number), PATH, 1, 0) is not None
        assert fragments.kept == sum(len(one.body) for one in fragments.done.values()) <= 4_000


def test_fragments_of_one_message_are_bounded() -> None:
    fragments = BfcpFragments()
    limit = bfcp_fragments.MAX_FRAGMENTS
    for number in range(limit + 50):
        fragments.add(fragment(2 * number, b"abcd", 60_000), PATH, number, 0)
    (group,) = fragments.sets.values()
    assert (len(group.parts), group.held) == (limit, 4 * limit)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_octets_are_taken(datagrams: list[bytes]) -> None:
    fragments = BfcpFragments()
    for frame, datagram in enumerate(datagrams):
        fragments.add(b"\x48" + datagram, PATH, frame, 0)


def test_no_layer_is_loaded_for_it() -> None:
    code = "import sys, imsinspect.capture.bfcp_fragments; assert 'scapy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
