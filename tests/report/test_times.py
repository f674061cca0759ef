"""Times and durations as reports write them."""

from __future__ import annotations

import pytest

from imsinspect.report.times import iso, plain, span


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_227_388_123_456_789, "2026-11-21T02:16:28.123456Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253_402_300_799_999_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000_000, "+010000-01-01T00:00:00.000000Z"),
        (-62_167_219_200_000_000_000, "0000-01-01T00:00:00.000000Z"),
        (-62_167_219_200_000_000_001, "-000001-12-31T23:59:59.999999Z"),
    ],
)
def test_any_time_that_a_capture_claims_is_written(time: int, written: str) -> None:
    assert iso(time) == written


def test_a_time_for_reading() -> None:
    assert plain(0) == "1970-01-01 00:00:00.000000"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.25, "0.250 s"),
        (62.44, "62.4 s"),
        (725, "12 min 5 s"),
        (12_000, "3 h 20 min"),
        (800_000, "9 d 6 h"),
        (-3, "-3.000 s"),
    ],
)
def test_durations(seconds: float, written: str) -> None:
    assert span(0, int(seconds * 1e9)) == written
