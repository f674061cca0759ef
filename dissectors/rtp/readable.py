"""What numbers of RTP and RTCP mean to a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_NTP_EPOCHS = (datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC))
"""Where the seconds count from: with their highest bit clear, and set (RFC 4330 §3)."""


def ntp_time(stamp: int) -> str:
    """A timestamp of 64 bits; zero stands for none (RFC 3550 §4, §6.4.1)."""
    if not stamp:
        return "none"
    since = timedelta(seconds=stamp >> 32, microseconds=((stamp & 0xFFFFFFFF) * 10**6) >> 32)
    return (_NTP_EPOCHS[stamp >> 63] + since).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def ntp_middle(stamp: int) -> str:
    """The middle 32 bits of a timestamp: seconds that turn round every 65536 (RFC 3550 §4); zero stands for none."""
    return seconds(stamp) if stamp else "none"


def seconds(units: int) -> str:
    """A delay in units of 1/65536 second (RFC 3550 §6.4.1)."""
    return f"{units / 65536:.6f} s"


def fraction(parts: int) -> str:
    """A share in parts of 256 (RFC 3550 §6.4.1)."""
    return f"{parts * 100 / 256:.1f} %"


def extended_sequence(number: int) -> str:
    """An extended sequence number: how often it turned round, and the number of the packet (RFC 3550 §6.4.1)."""
    return f"{number & 0xFFFF} after {number >> 16} cycles"


def run_length_chunk(chunk: int) -> str:
    """A chunk of a run-length encoded block (RFC 3611 §4.1.1, §4.1.2, §4.1.3)."""
    if not chunk:
        return "end"
    if chunk & 0x8000:
        return f"{chunk & 0x7FFF:015b}"
    return f"{chunk & 0x3FFF} times {chunk >> 14 & 1}"


def milliseconds(number: int) -> str:
    """A duration in milliseconds."""
    return f"{number} ms"


def score(tenths: int) -> str:
    """A mean opinion score in tenths; 127 stands for none (RFC 3611 §4.7.5)."""
    return "unavailable" if tenths == 127 else f"{tenths / 10:.1f}"


def r_factor(number: int) -> str:
    """An R factor; 127 stands for none (RFC 3611 §4.7.5)."""
    return "unavailable" if number == 127 else str(number)


def decibels(number: int) -> str:
    """A signed level; 127 stands for none (RFC 3611 §4.7.4)."""
    return "unavailable" if number == 127 else f"{number} dBm"
