"""The part of views for people about keys: how many there are, what does not fit, and what came twice."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report.escape import printable
from imsinspect.report.page import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import KeyPlace, Trace

SHOWN = 8  # hex digits of a digest
LISTED = 10  # of a kind
VALUE = 120  # characters of what the wire or a file gave

WRONG = True


class Row(NamedTuple):
    """A paragraph: its column in the terminal view, its text, and whether that is what is wrong."""

    indent: int
    text: str
    wrong: bool = False


def rows(trace: Trace, secrets: dict[str, bytes] | None = None) -> Iterator[Row]:
    """What there is to say; nothing where no key was found and nothing asked for one."""
    if trace.keys:
        used = {key.digest for key in trace.keys if key.srtp_packets or key.srtcp_packets}
        known = {key.digest for key in trace.keys}
        proven = sum(key.srtp_packets + key.srtcp_packets for key in trace.keys)
        yield Row(
            2,
            f"{counted(len(known), 'SRTP master key')}, {len(used)} of them verify {counted(proven, 'packet')}",
        )
        for digest, secret in (secrets or {}).items():
            yield Row(4, f"key {digest[:SHOWN]}: {b64encode(secret).decode()}")
    yield from _limited([*_exceeded(trace)])
    yield from _limited([*_reused(trace)])
    yield from _limited([*_repeated(trace)])
    yield from _mikey(trace)
    yield from _limited([*_sessions(trace)])
    yield from _limited([*_associations(trace)])
    yield from _bodies(trace)


def _limited(found: list[Row]) -> Iterator[Row]:
    yield from found[:LISTED]
    if len(found) > LISTED:
        yield Row(4, f"and {len(found) - LISTED} more of these; the JSON report holds all")


def _frame(trace: Trace, frame: FrameId | None) -> str:
    if frame is None:
        return "key file"
    number = f"frame {frame_number(frame)}"
    return number if len(trace.captures) < 2 else f"{number} of capture {capture_index(frame) + 1}"


def _exceeded(trace: Trace) -> Iterator[Row]:
    for key in trace.keys:
        if key.exceeded:
            packets = max(key.srtp_packets, key.srtcp_packets)
            yield Row(2, f"key {key.digest[:SHOWN]}: {packets} packets, its lifetime is {key.lifetime}", WRONG)


def _reused(trace: Trace) -> Iterator[Row]:
    for each in trace.keystream_reuse:
        places = " and ".join(
            f"{_frame(trace, frame)} ({stream})"
            for frame, stream in ((each.first, each.first_stream), (each.second, each.second_stream))
        )
        what = f"{'SRTCP ' if each.rtcp else ''}index {each.index}"
        yield Row(
            2,
            f"keystream used twice: key {each.key[:SHOWN]}, SSRC 0x{each.ssrc:08x}, {what} in {places}; "
            f"{counted(each.packets, 'packet')} of these streams",
            WRONG,
        )


def _repeated(trace: Trace) -> Iterator[Row]:
    for each in trace.key_repeats:
        places = ", ".join(_place(trace, place) for place in each.places[:4])
        more = f" and {len(each.places) - 4} more" if len(each.places) > 4 else ""
        yield Row(2, f"key {each.key[:SHOWN]} repeats ({each.kind}): {places}{more}")


def _place(trace: Trace, place: KeyPlace) -> str:
    return f"{place.line or place.call} {_frame(trace, place.frame)}".strip()


def _mikey(trace: Trace) -> Iterator[Row]:
    if not trace.mikey:
        return
    authentic = sum(each.authentic is True for each in trace.mikey)
    opened = sum(each.opened is True for each in trace.mikey)
    yield Row(2, f"{counted(len(trace.mikey), 'MIKEY message')}: {authentic} authentic, keys read out of {opened}")
    yield from _limited(
        [
            Row(4, f"{_frame(trace, each.frames[0])}, {printable(each.kind, VALUE)}: {printable(said, VALUE)}", WRONG)
            for each in trace.mikey
            for said in ([each.authentication] if each.authentic is False else [])
        ]
    )


def _sessions(trace: Trace) -> Iterator[Row]:
    for session in trace.tls_sessions:
        if session.opened_by and session.opened_by != "null":
            read = sum(len(each.data) for each in session.opened_data)
            yield Row(
                2,
                f"{session.id} opened by {printable(session.opened_by, VALUE)} {session.secret_digest[:SHOWN]}: "
                f"{counted(read, 'octet')} of content",
            )
        elif session.finished_verified is False:
            yield Row(2, f"{session.id}: the secrets at hand do not fit its handshake", WRONG)


def _associations(trace: Trace) -> Iterator[Row]:
    """ESP that a key was tried on."""
    for each in trace.esp:
        if each.key or each.failed:
            told = f"{each.opened} of {counted(each.packets, 'packet')} read with key {each.key[:SHOWN]}"
            told += f", {each.verified} authentic" if each.verified else ""
            yield Row(
                2, f"ESP SPI 0x{each.spi:08x} to {each.destination}: {told}, {each.failed} not", bool(each.failed)
            )


def _bodies(trace: Trace) -> Iterator[Row]:
    sealed = [body for message in trace.messages if not message.retransmission for body in message.sealed]
    encrypted = [body for body in sealed if body.encrypted]
    if not encrypted:
        return
    opened = sum(body.opened for body in encrypted)
    reasons = Counter(body.detail for body in encrypted if not body.opened and body.detail)
    told = (
        f" ({', '.join(f'{count} {printable(why, VALUE)}' for why, count in reasons.most_common(2))})"
        if reasons
        else ""
    )
    yield Row(
        2, f"{opened} of {counted(len(encrypted), 'encrypted S/MIME body').replace('bodys', 'bodies')} opened{told}"
    )
