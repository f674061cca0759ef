"""Times as reports write them: ISO 8601 with microseconds, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_DAYS, _CYCLE_YEARS = 146_097, 400  # the Gregorian calendar repeats
_DAY = 86_400  # seconds
_SECOND = 1_000_000_000  # nanoseconds


def iso(time: int) -> str:
    """Nanoseconds since 1970 as `2026-11-21T02:16:28.123456Z`; cut, not rounded.

    A capture may claim any 64-bit time: years beyond four digits are written in the expanded form, `+012345-…`.
    """
    seconds, within = divmod(time, _SECOND)
    return f"{_second(seconds)}.{within // 1000:06}Z"


@lru_cache(maxsize=65_536)
def _second(seconds: int) -> str:
    """A whole second since 1970; most times of a report share theirs with others."""
    days, within = divmod(seconds, _DAY)
    cycles, days = divmod(days, _CYCLE_DAYS)
    moment = _EPOCH + timedelta(days=days, seconds=within)
    year = moment.year + cycles * _CYCLE_YEARS
    sign = "" if 0 <= year <= 9999 else "+" if year > 0 else "-"
    return f"{sign}{abs(year):0{6 if sign else 4}}-{moment:%m-%dT%H:%M:%S}"


def plain(time: int) -> str:
    """The same moment for reading: `2026-11-21 02:16:28.123456`."""
    return iso(time).replace("T", " ").removesuffix("Z")


def span(first: int, last: int) -> str:
    """How long it took, in the unit that reads best: `0.250 s`, `62.4 s`, `12 min 5 s`, `3 h 20 min`, `9 d 4 h`."""
    seconds = (last - first) / 1e9
    if seconds < 10:
        return f"{seconds:.3f} s"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes // 60 % 24} h"
