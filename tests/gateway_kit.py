"""Gateway control in bytes: H.248 messages in text whose Local and Remote descriptors carry SDP."""

from __future__ import annotations

from tests import build

CONTROLLER, GATEWAY = ("192.0.2.1", 2944), ("192.0.2.40", 2944)


def descriptor(address: str, section: str) -> str:
    """The lines of a description as a descriptor holds them."""
    return "\r\n".join(("v=0", f"c=IN IP4 {address}", section))


def add(
    *, local: str = "", remote: str = "", transaction: int = 1, context: str = "$", command: str = "Add",
    controller: build.Address = CONTROLLER,
) -> bytes:  # fmt: skip
    """A request for one termination with one stream."""
    parts = [f"{name} {{\r\n{text}\r\n}}" for name, text in (("Local", local), ("Remote", remote)) if text]
    stream = f"Stream = 1 {{ LocalControl {{ Mode = SendReceive }}{''.join(f', {part}' for part in parts)} }}"
    return (
        f"MEGACO/3 [{controller[0]}]:2944\r\nTransaction = {transaction} {{ Context = {context} {{ "
        f"{command} = ip/access/1 {{ Media {{ {stream} }} }} }} }}"
    ).encode()


def h248(*messages: bytes, at: float = 0.2, esp: bool = False) -> list[build.Packet]:
    """Messages of the controller over UDP, or in ESP with NULL encryption."""
    out = []
    for number, data in enumerate(messages):
        frame = (
            build.esp_null(CONTROLLER, GATEWAY, data, spi=0x248, sequence=number + 1)
            if esp
            else build.udp(CONTROLLER, GATEWAY, data)
        )
        out.append((at + number * 0.1, frame))
    return out
