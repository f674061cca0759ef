"""Work done beside the process gives what it would have given inside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from imsinspect import processes
from imsinspect.processes import Beside, ProcessError, shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

ORIGINAL = os.getpid()


def _squares(some: Sequence[int]) -> list[tuple[int, bool]]:
    return [(each * each, os.getpid() == ORIGINAL) for each in some]


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr(processes, "processors", lambda: 2)


def test_the_second_half_is_done_in_another_process_and_comes_in_order() -> None:
    assert shared(_squares, [1, 2, 3, 4, 5], least=5) == [(1, True), (4, True), (9, False), (16, False), (25, False)]


def test_little_work_stays_here() -> None:
    assert shared(_squares, [1, 2, 3], least=4) == [(1, True), (4, True), (9, True)]


def test_one_processor_does_all_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "processors", lambda: 1)
    assert shared(_squares, [1, 2], least=2) == [(1, True), (4, True)]


def test_what_another_process_could_not_finish_is_done_here() -> None:
    def killed(some: Sequence[int]) -> list[tuple[int, bool]]:
        if os.getpid() != ORIGINAL:
            os._exit(9)
        return _squares(some)

    assert shared(killed, [1, 2, 3, 4], least=2) == [(1, True), (4, True), (9, True), (16, True)]


def test_an_error_in_the_work_is_raised_here() -> None:
    def faulty(some: Sequence[int]) -> list[int]:
        return [1 // each for each in some]

    with pytest.raises(ZeroDivisionError):
        shared(faulty, [1, 2, 0, 4], least=2)


def test_orders_and_answers_travel_until_the_process_ends() -> None:
    def doubled(orders: BinaryIO, answers: BinaryIO) -> None:
        while order := orders.read(1):
            answers.write(order * 2)
            answers.flush()

    beside = Beside(doubled)
    beside.order(b"a")
    assert beside.answer(2) == b"aa"
    beside.orders.close()
    with pytest.raises(ProcessError, match="ended before its work was done"):
        beside.result()


@pytest.mark.parametrize("ask", [lambda each: each.answer(1), lambda each: each.order(b"a" * (2 << 20))])
def test_a_process_that_is_gone_is_said_to_be(ask: Callable[[Beside], object]) -> None:
    beside = Beside(lambda _orders, _answers: os._exit(9))
    with pytest.raises(ProcessError, match="ended before its work was done"):
        ask(beside)
