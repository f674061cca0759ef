"""Work done beside this process, by a copy of it on another processor.

A copy has everything that was there when it began, so only what it finds has to travel: by a pipe, as plain values.
Where there is one processor only, or no way to copy a process, the work is done here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

One = TypeVar("One")
Result = TypeVar("Result")

ENDED = "a process beside this one ended before its work was done"
PIPE_OCTETS = 1 << 20  # of which fewer take many turns to hand over what was found


class ProcessError(Exception):
    """A process beside this one did not do its work."""


def processors() -> int:
    """Processors that may be used at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "fork") and hasattr(os, "sched_getaffinity") else 1


class Beside:
    """A copy of this process that does one piece of work.

    The work is given what to read orders from and what to write answers to; `orders` and `answers` are the other ends.
    """

    def __init__(self, work: Callable[[BinaryIO, BinaryIO], None]) -> None:
        read_orders, write_orders = os.pipe()
        read_answers, write_answers = os.pipe()
        for each in (write_orders, write_answers):
            with contextlib.suppress(OSError):  # more than the system grants: the pipe stays as it is
                fcntl.fcntl(each, fcntl.F_SETPIPE_SZ, PIPE_OCTETS)
        self.process = os.fork()
        if not self.process:
            _run(work, (read_orders, write_answers), (write_orders, read_answers))
        os.close(read_orders)
        os.close(write_answers)
        self.orders, self.answers = os.fdopen(write_orders, "wb"), os.fdopen(read_answers, "rb")

    def order(self, octets: bytes) -> None:
        """Send an order at once. Raises ProcessError when nobody is there."""
        try:
            self.orders.write(octets)
            self.orders.flush()
        except OSError as error:
            self.end()
            raise ProcessError(ENDED) from error

    def answer(self, count: int) -> bytes:
        """The next octets of its answers. Raises ProcessError when it ended before them."""
        octets = self.answers.read(count)
        if len(octets) < count:
            self.end()
            raise ProcessError(ENDED)
        return octets

    def result(self) -> object:
        """What the work wrote last, pickled; the process is then over. Raises ProcessError when it wrote nothing."""
        try:
            return pickle.load(self.answers)
        except (EOFError, pickle.UnpicklingError) as error:
            raise ProcessError(ENDED) from error
        finally:
            self.end()

    def end(self) -> None:
        """Send no more orders, read no more answers, and wait for the process to end."""
        for each in (self.orders, self.answers):
            with contextlib.suppress(OSError):  # what was not sent yet, and now can't be
                each.close()
        os.waitpid(self.process, 0)


def _run(work: Callable[[BinaryIO, BinaryIO], None], own: tuple[int, int], others: tuple[int, int]) -> None:
    """In the copy: work, then end without anything that the end of a program would do (it is done in the original)."""
    status = 1
    try:
        for each in others:
            os.close(each)
        with os.fdopen(own[0], "rb") as orders, os.fdopen(own[1], "wb") as answers:
            work(orders, answers)
        status = 0
    finally:
        os._exit(status)


def shared(work: Callable[[Sequence[One]], list[Result]], items: Sequence[One], least: int) -> list[Result]:
    """The results of the work on all items, in their order: half of `least` items or more is done beside.

    The work must not depend on which items come together, and its results must be plain enough to travel.
    """
    if len(items) < least or processors() < 2:
        return work(items)
    half = len(items) // 2

    def other(_orders: BinaryIO, answers: BinaryIO) -> None:
        pickle.dump(work(items[half:]), answers, pickle.HIGHEST_PROTOCOL)

    beside = Beside(other)
    first = work(items[:half])
    try:
        return first + cast("list[Result]", beside.result())
    except ProcessError:
        return first + work(items[half:])
