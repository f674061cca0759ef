"""Chunks of MSRP messages are put together by position, whatever their order; gaps, aborts and contradictions show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.msrp.parse import MsrpMessage, parse
from imsinspect.capture import msrp_chunks
from imsinspect.capture.msrp_chunks import MsrpChunks, WholeMessage

if TYPE_CHECKING:
    import random

HEAD = b"MSRP t123 SEND\r\nTo-Path: msrp://b:1/b;tcp\r\nFrom-Path: msrp://a:1/a;tcp\r\n"


def chunk(
    body: bytes, byte_range: bytes = b"", flag: bytes = b"$", message_id: bytes = b"m123", more: bytes = b""
) -> MsrpMessage:
    """One SEND."""
    ranged = b"Byte-Range: " + byte_range + b"\r\n" if byte_range else b""
    kind = b"Content-Type: text/plain\r\n\r\n"
    named = b"Message-ID: " + message_id + b"\r\n" if message_id else b""
    return parse(HEAD + named + ranged + more + kind + body + b"\r\n-------t123" + flag + b"\r\n")


def taken(*chunks: MsrpMessage) -> list[WholeMessage | None]:
    """What each chunk gives; the frame of a chunk is its number."""
    sets = MsrpChunks()
    return [sets.add("s", True, each, (number,), number * 10) for number, each in enumerate(chunks)]


def the_last(*chunks: MsrpMessage) -> WholeMessage:
    """The message that the last chunk completes; none before does."""
    *before, last = taken(*chunks)
    assert before == [None] * len(before)
    assert last is not None
    return last


def test_a_message_in_one_chunk_is_whole_at_once() -> None:
    for byte_range in (b"", b"1-5/5", b"1-*/*"):
        found = the_last(chunk(b"hello", byte_range))
        assert (found.message_id, found.body, found.state, found.gaps) == (b"m123", b"hello", "complete", ())
        assert (found.content_type, found.frames, found.notes, found.duplicate) == (b"text/plain", (0,), (), False)


def test_an_empty_message_is_whole() -> None:
    assert the_last(chunk(b"", b"1-0/0")).body == b""
    bodiless = parse(HEAD + b"Message-ID: m123\r\n-------t123$\r\n")
    found = the_last(bodiless)
    assert (found.body, found.state, found.content_type) == (b"", "complete", b"")


def test_chunks_come_in_any_order_and_each_names_its_frames() -> None:
    found = the_last(chunk(b"fghij", b"6-10/10"), chunk(b"de", b"4-*/10", b"+"), chunk(b"abc", b"1-*/10", b"+"))
    assert (found.body, found.state, found.gaps, found.notes) == (b"abcdefghij", "complete", (), ())
    assert found.chunks == ((5, 10, (0,), 0, b"$"), (3, 5, (1,), 10, b"+"), (0, 3, (2,), 20, b"+"))
    assert found.frames == (0, 1, 2)


def test_an_interrupted_chunk_counts_with_the_octets_that_came() -> None:
    found = the_last(chunk(b"abc", b"1-2048/6", b"+"), chunk(b"def", b"4-6/6"))
    assert (found.body, found.notes) == (b"abcdef", ())


def test_of_octets_that_overlap_the_last_received_count() -> None:
    found = the_last(chunk(b"abcdef", b"1-6/8", b"+"), chunk(b"XYZ", b"3-5/8", b"+"), chunk(b"gh", b"7-8/8"))
    assert found.body == b"abXYZfgh"
    assert found.notes == ("chunks overlap with different octets",)
    same = the_last(chunk(b"abcdef", b"1-6/8", b"+"), chunk(b"efgh", b"5-8/8"))
    assert (same.body, same.notes) == (b"abcdefgh", ())


def test_a_chunk_may_lie_over_several_pieces_and_gaps() -> None:
    found = the_last(
        chunk(b"c", b"3-3/*", b"+"),
        chunk(b"e", b"5-5/*", b"+"),
        chunk(b"g", b"7-7/7"),
        chunk(b"ABCDEF", b"1-*/7", b"+"),
    )
    assert (found.body, found.state) == (b"ABCDEFg", "complete")


def test_an_aborted_message_shows_what_came_and_what_is_missing() -> None:
    found = the_last(chunk(b"abc", b"1-*/20", b"+"), chunk(b"gh", b"7-*/20", b"#"))
    assert (found.state, found.body, found.gaps, found.pieces) == ("aborted", b"abc", ((3, 6),), ((6, b"gh"),))


def test_unfinished_messages_show_their_gaps() -> None:
    sets = MsrpChunks()
    assert sets.add("s", True, chunk(b"gh", b"7-8/8"), (5,), 0) is None
    assert sets.add("s", True, chunk(b"abc", b"1-3/8", b"+"), (6,), 0) is None
    (found,) = sets.unfinished()
    assert (found.state, found.body, found.gaps, found.pieces) == ("incomplete", b"abc", ((3, 6),), ((6, b"gh"),))
    assert found.frames == (5, 6)
    assert (list(sets.unfinished()), sets.held) == ([], 0)


def test_a_message_of_which_the_last_chunk_is_missing_has_no_gap_at_its_end() -> None:
    sets = MsrpChunks()
    sets.add("s", True, chunk(b"abc", b"1-3/8", b"+"), (1,), 0)
    (found,) = sets.unfinished()
    assert (found.state, found.gaps, found.body) == ("incomplete", (), b"abc")


def test_sessions_directions_and_messages_are_kept_apart() -> None:
    sets = MsrpChunks()
    for session, forward, name in (
        ("s", True, b"m123"),
        ("s", False, b"m123"),
        ("t", True, b"m123"),
        ("s", True, b"m456"),
    ):
        assert sets.add(session, forward, chunk(name[:1] + b"--", b"1-3/6", b"+", name), (1,), 0) is None
    found = sets.add("t", True, chunk(b"end", b"4-6/6"), (2,), 0)
    assert found is not None
    assert found.body == b"m--end"
    assert len(list(sets.unfinished())) == 3


def test_a_message_that_comes_twice_is_called_a_duplicate() -> None:
    first, second = taken(chunk(b"hello"), chunk(b"hello"))
    assert first is not None
    assert second is not None
    assert (first.duplicate, second.duplicate) == (False, True)


@pytest.mark.parametrize(
    ("byte_range", "note"),
    [
        (b"0-2/6", "a chunk begins at position 0"),
        (b"x-2/6", "a chunk's Byte-Range can't be read"),
        (b"9999999999999999999-*/*", "a chunk's Byte-Range can't be read"),
        (b"999999999999999999-*/*", "a chunk lies behind 67108864 octets"),
        (b"", "a chunk behind the first has no Byte-Range"),
    ],
)
def test_a_chunk_without_a_place_is_named_and_not_guessed(byte_range: bytes, note: str) -> None:
    found = the_last(chunk(b"abc", b"1-3/6", b"+"), chunk(b"???", byte_range, b"+"), chunk(b"def", b"4-6/6"))
    assert (found.body, found.state, found.notes) == (b"abcdef", "complete", (note,))
    assert found.chunks[1][:2] == (-1, -1)


def test_contradictions_are_named() -> None:
    found = the_last(chunk(b"abcd", b"1-3/6", b"+"), chunk(b"ef", b"5-6/7", b"$", more=b"Failure-Report: no\r\n"))
    assert found.body == b"abcdef"
    assert found.notes == (
        "a Byte-Range says 3 octets, 4 are there",
        "the declared total changes",
        "Failure-Report differs between chunks",
        "the declared total is 7, the last chunk ends at 6",
    )
    found = the_last(chunk(b"abcdef", b"1-6/6", b"+"), chunk(b"c", b"3-3/6"))
    assert (found.body, found.notes[-1]) == (b"abc", "the declared total is 6, the last chunk ends at 3")
    assert "octets behind the end of the last chunk" in found.notes


def test_a_message_without_an_identifier_is_never_joined() -> None:
    first, second = taken(chunk(b"abc", b"1-3/6", b"+", b""), chunk(b"def", b"4-6/6", b"$", b""))
    assert first is not None
    assert second is not None
    assert (first.state, first.body, second.state, second.gaps) == ("incomplete", b"abc", "incomplete", ((0, 3),))


def test_other_requests_give_nothing() -> None:
    report = parse(HEAD.replace(b"SEND", b"REPORT") + b"Message-ID: m123\r\nByte-Range: 1-3/3\r\n-------t123$\r\n")
    assert taken(report) == [None]


def test_the_oldest_go_when_too_much_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msrp_chunks, "MAX_HELD", 3_000)
    sets = MsrpChunks()
    for number in range(10):
        sets.add("s", True, chunk(b"x" * 1_000, b"1-*/*", b"+", b"m%03d" % number), (number,), 0)
        assert sets.held <= 3_000
    assert (sets.dropped, [key[2] for key in sets.open]) == (8, [b"m008", b"m009"])


def test_the_number_of_open_messages_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msrp_chunks, "MAX_MESSAGES", 3)
    sets = MsrpChunks()
    for number in range(5):
        sets.add("s", True, chunk(b"x", b"1-*/*", b"+", b"m%03d" % number), (number,), 0)
    assert (sets.dropped, len(sets.open)) == (2, 3)


def test_too_many_pieces_are_named_and_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msrp_chunks, "MAX_PIECES", 8)
    sets = MsrpChunks()
    for number in range(1_000):
        sets.add("s", True, chunk(b"x", b"%d-*/*" % (2_000 - 2 * number), b"+"), (number,), 0)
    (found,) = sets.unfinished()
    assert (len(found.pieces), found.notes) == (8, ("more than 8 separate pieces",))


def test_a_far_position_makes_nothing_grow() -> None:
    sets = MsrpChunks()
    sets.add("s", True, chunk(b"x", b"60000000-*/60000000", b"+"), (1,), 0)
    assert sets.held < 1_000
    (found,) = sets.unfinished()
    assert (found.body, found.gaps, found.pieces) == (b"", ((0, 59_999_999),), ((59_999_999, b"x"),))


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.randoms(use_true_random=False), st.integers(1, 40))
def test_any_cut_in_any_order_gives_the_message_again(body: bytes, chance: random.Random, size: int) -> None:
    parts = [(at, body[at : at + size]) for at in range(0, len(body), size)]
    chunks = []
    for at, octets in parts:
        flag = b"$" if at + len(octets) == len(body) else b"+"
        chunks.append(chunk(octets, b"%d-*/%d" % (at + 1, len(body)), flag))
    chance.shuffle(chunks)
    found = the_last(*chunks)
    assert (found.body, found.state, found.notes) == (body, "complete", ())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=30)), min_size=1, max_size=20))
def test_overlapping_chunks_are_laid_over_one_another_in_order(writes: list[tuple[int, bytes]]) -> None:
    sets = MsrpChunks()
    plain: dict[int, int] = {}
    for at, octets in writes:
        sets.add("s", True, chunk(octets, b"%d-*/*" % (at + 1), b"+"), (0,), 0)
        plain.update(enumerate(octets, at))
    (found,) = sets.unfinished()
    shown = dict(enumerate(found.body))
    for start, octets in found.pieces:
        shown.update(enumerate(octets, start))
    assert shown == plain
    assert all(place not in plain for begin, end in found.gaps for place in range(begin, end))
