"""WebSocket frames (RFC 6455 §5.2), without Scapy: where they end and what they carry."""

from __future__ import annotations

from dataclasses import dataclass

CONTINUATION, TEXT, BINARY = 0, 1, 2
MAX_PAYLOAD = 16 << 20


@dataclass(slots=True, frozen=True)
class Frame:
    """One frame, unmasked."""

    fin: bool
    opcode: int
    masked: bool
    payload: bytes
    end: int  # offset behind the frame


def next_frame(data: bytes | bytearray, at: int = 0) -> Frame | None:
    """The frame that begins at the place; None when it is not whole. A frame with end -1 is none of WebSocket's."""
    if at + 2 > len(data):
        return None
    first, second = data[at], data[at + 1]
    opcode, masked, length = first & 0x0F, bool(second & 0x80), second & 0x7F
    if opcode not in (0, 1, 2, 8, 9, 10) or first & 0x30:
        return Frame(False, opcode, masked, b"", -1)
    begin = at + 2
    if length == 126:
        length, begin = int.from_bytes(data[begin : begin + 2], "big"), begin + 2
    elif length == 127:
        length, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
    if length > MAX_PAYLOAD:
        return Frame(False, opcode, masked, b"", -1)
    mask = bytes(data[begin : begin + 4]) if masked else b""
    begin += len(mask)
    end = begin + length
    if end > len(data) or (masked and len(mask) < 4):
        return None
    payload = bytes(data[begin:end])
    if masked and length:
        whole = mask * (length // 4 + 1)
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole[:length], "big")).to_bytes(length, "big")
    return Frame(bool(first & 0x80), opcode, masked, payload, end)
