"""RTP header extensions (RFC 8285): which ones an answer agreed to, and the elements of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.model import LineState

CLIENT_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
CSRC_LEVEL = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
LEVELS = {CLIENT_LEVEL: "speaker's audio level", CSRC_LEVEL: "contributors' audio levels"}
"""Extensions that tell who speaks (RFC 6464, RFC 6465)."""

ONE_BYTE, TWO_BYTE = 0xBEDE, 0x100  # the second one without its four bits of appbits
PADDING, RESERVED = 0, 15


def negotiated(state: LineState) -> dict[int, str]:
    """Extensions of LEVELS that offer and answer agreed on in clear, by their number."""
    offered = set(_levels(state.offered).values())
    answered = _levels(state.answered) if state.answered is not None else {}
    return {number: uri for number, uri in answered.items() if uri in offered}


def _levels(media: Media) -> dict[int, str]:
    """a=extmap lines of the section, or else of the session; those of RFC 6904 name the extension behind encrypt."""
    out: dict[int, str] = {}
    for section in (media.session, media.section):
        if b"audio-level" in section.text:
            for value in section.values(b"extmap"):
                number, _, rest = value.partition(b" ")
                uri = rest.split()[0].decode("ascii", "replace") if rest.split() else ""
                digits = number.partition(b"/")[0]
                if uri in LEVELS and digits.isdigit() and len(digits) <= 5:
                    out[int(digits)] = uri
    return out


def elements(extension: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and data of the elements of a header extension (RFC 8285 §4.2, §4.3); none of other kinds."""
    if len(extension) < 4:
        return
    profile = int.from_bytes(extension[:2], "big")
    one = profile == ONE_BYTE
    if not one and profile >> 4 != TWO_BYTE:
        return
    at = 4
    while at < len(extension):
        number = extension[at] >> 4 if one else extension[at]
        if number == PADDING:
            at += 1
            continue
        if one and number == RESERVED:
            return
        head = 1 if one else 2
        if at + head > len(extension):
            return
        length = (extension[at] & 0x0F) + 1 if one else extension[at + 1]
        yield number, extension[at + head : at + head + length]
        at += head + length
