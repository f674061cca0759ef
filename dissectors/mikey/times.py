"""NTP timestamps of MIKEY as times that a person can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNIX_EPOCH_IN_NTP = 2_208_988_800  # 1900-01-01 to 1970-01-01 in seconds
_ERA = 1 << 32
_TOP = 1 << 31


def unix_time(seconds: int) -> int:
    """The Unix time of 32 bits of NTP seconds; without the top bit they count from 2036 (RFC 6043 §6.3)."""
    return seconds - _UNIX_EPOCH_IN_NTP + (0 if seconds & _TOP else _ERA)


def readable_time(seconds: int) -> str:
    """The time in UTC that NTP seconds stand for."""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=unix_time(seconds)):%Y-%m-%d %H:%M:%S} UTC"


def readable_interval(seconds: int) -> str:
    """A number of seconds as days and a clock's hours."""
    return str(timedelta(seconds=seconds))
