"""Messages of binary formats that an attacker would choose: their shortest elements again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dissectors.repeated import again, chunked, der, der_nested, length_front, nested, sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dissectors.repeated import Made

_MIKEY_FRONT = b"\x01\x00\x0b\x00" + b"\0" * 4 + b"\x00\x01"  # HDR with an empty map, then T


def _mikey_chain(code: int, payload: bytes) -> Made:
    return lambda size: _MIKEY_FRONT[:2] + bytes((code,)) + _MIKEY_FRONT[3:] + payload * ((size - 10) // len(payload))


MIKEY: dict[str, Made] = {
    "policies": _mikey_chain(10, b"\x0a\x00\x00\x00\x00"),
    "RAND": _mikey_chain(11, b"\x0b\x00"),
    "ID": _mikey_chain(6, b"\x06\x00\x00\x00"),
    "V": _mikey_chain(9, b"\x09\x00"),
    "T": _mikey_chain(5, b"\x05\x02\0\0\0\0"),
    "extensions": _mikey_chain(21, b"\x15\x00\x00\x00"),
    "KEMAC": _mikey_chain(1, b"\x01\x00\x00\x00\x00"),
    "keys": chunked(
        b"\x14\x00\x00\x00", 2, b"\x01\x00\x01\x00\0\0\0\0\x00\x01", lambda n: b"\x01\x00" + n.to_bytes(2, "big")
    ),
    "policy parameters": chunked(
        b"\x00\x00", 2, b"\x01\x00\x0a\x00\0\0\0\0\x00\x01", lambda n: b"\x0a\x00\x00" + n.to_bytes(2, "big")
    ),
    "ticket policies": _mikey_chain(16, b"\x10\x00\x00\x00\x00\x00\x00"),
    "TICKET": _mikey_chain(17, b"\x11\x00\x00\x00\x00\x00\x00\x00"),
    "crypto sessions": lambda size: b"\x01\x00\x00\x00\0\0\0\0\xff\x00" + b"\0" * size,
    "generic crypto sessions": lambda size: b"\x01\x00\x00\x00\0\0\0\0\xff\x02" + b"\0" * size,
}


def _record(kind: int, version: bytes = b"\x03\x03") -> Callable[[int], bytes]:
    return lambda octets: bytes((kind,)) + version + octets.to_bytes(2, "big")


def _records(element: bytes, kind: int = 22, most: int = 16384) -> Made:
    def made(size: int) -> bytes:
        octets = most // len(element) * len(element)
        one = _record(kind)(octets) + element * (octets // len(element))
        whole, left = divmod(size, len(one))
        left = left // len(element) * len(element)
        return one * whole + (_record(kind)(left) + element * (left // len(element)) if left else b"")

    return made


def _client_hello(extensions: bytes, suites: bytes = b"\0\x2f") -> bytes:
    body = b"\x03\x03" + b"\0" * 32 + b"\0" + len(suites).to_bytes(2, "big") + suites + b"\1\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    return b"\1" + len(body).to_bytes(3, "big") + body


def _in_records(message: bytes) -> Made:
    """A handshake message of one record again and again."""
    return again(_record(22)(len(message)) + message)


def _long_certificate(element: bytes) -> Made:
    def made(size: int) -> bytes:
        content = element * (size // len(element))
        body = len(content).to_bytes(3, "big") + content
        message = b"\x0b" + len(body).to_bytes(3, "big") + body
        return b"".join(
            _record(22)(len(part)) + part for part in (message[at : at + 16384] for at in range(0, len(message), 16384))
        )

    return made


def _extension(code: int, content: bytes) -> bytes:
    return code.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def _vector(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


TLS: dict[str, Made] = {
    "empty records": again(b"\x16\x03\x03\0\0"),
    "records of an octet": again(b"\x16\x03\x03\0\1\0"),
    "application data": again(b"\x17\x03\x03\0\1\0"),
    "alerts": again(b"\x15\x03\x03\0\2\1\0"),
    "alerts of one record": _records(b"\1\0", 21),
    "empty messages": _records(b"\0\0\0\0"),
    "ServerHelloDone": _records(b"\x0e\0\0\0"),
    "heartbeats": again(b"\x18\x03\x03\0\3\1\0\0"),
    "extensions": _in_records(_client_hello(b"\xff\xff\0\0" * 4000)),
    "extensions of one kind": _in_records(_client_hello(b"\0\x17\0\0" * 4000)),
    "server names": _in_records(_client_hello(_extension(0, _vector(b"\0\0\0" * 5000)))),
    "key shares": _in_records(_client_hello(_extension(51, _vector(b"\0\x17\0\0" * 4000)))),
    "protocol names": _in_records(_client_hello(_extension(16, _vector(b"\0" * 16000)))),
    "identities": _in_records(_client_hello(_extension(41, _vector(b"\0" * 15000) + _vector(b"\0" * 1000)))),
    "suites": _in_records(_client_hello(b"", b"\0\x2f" * 8000)),
    "certificates": _in_records(b"\x0b" + (16200).to_bytes(3, "big") + (16197).to_bytes(3, "big") + b"\0\0\0" * 5399),
    "certificates of TLS 1.3": _in_records(
        b"\x0b" + (15004).to_bytes(3, "big") + b"\0" + (15000).to_bytes(3, "big") + b"\0" * 15000
    ),
    "long certificate message": _long_certificate(b"\0\0\0"),
    "long message": lambda size: b"\x16\x03\x03\xff\xff\x01" + (size).to_bytes(3, "big") + b"\0" * size,
    "fragments": again(_record(22)(5) + b"\1\xff\xff\xff\0"),
}


def _dtls(body: bytes, kind: int = 22) -> bytes:
    return bytes((kind,)) + b"\xfe\xfd\0\0" + b"\0" * 6 + len(body).to_bytes(2, "big") + body


def _dtls_message(kind: int, body: bytes) -> bytes:
    size = len(body).to_bytes(3, "big")
    return bytes((kind,)) + size + b"\0\0" + b"\0\0\0" + size + body


DTLS: dict[str, Made] = {
    "empty records": again(_dtls(b"")),
    "alerts": again(_dtls(b"\1\0", 21)),
    "unified headers": again(b"\x20\0"),
    "unified headers with lengths": again(b"\x24\0\0\0"),
    "connection identifiers": again(_dtls(b"", 25)),
    "acknowledgements": again(_dtls(_vector(b"\0" * 16000), 26)),
    "messages of one record": again(_dtls(_dtls_message(14, b"") * 1300)),
    "fragments": again(_dtls(b"\1\xff\xff\xff\0\0\0\0\0\0\0\1\0")),
    "extensions": again(
        _dtls(_dtls_message(1, b"\xfe\xfd" + b"\0" * 32 + b"\0\0\0\2\0\x2f\1\0" + _vector(b"\xff\xff\0\0" * 4000)))
    ),
}

SSL2: dict[str, Made] = {
    "empty records": again(b"\x80\0"),
    "records of an octet": again(b"\x80\1\0"),
    "hellos": again(b"\x80\x09\1\0\2\0\0\0\0\0\0"),
    "suites": again(b"\xbf\x09\1\0\2\x3f\0\0\0\0\0" + b"\0\0\x2f" * 5376),
    "padded records": again(b"\0\1\0\0"),
}


def cms_signed(digests: bytes = b"", content: bytes = b"", certificates: bytes = b"", signers: bytes = b"") -> bytes:
    """SignedData of these parts (RFC 5652 §5.1)."""
    inner = der(2, b"\1") + der(0x31, digests) + der(0x30, der(6, bytes.fromhex("2a864886f70d010701")) + content)
    inner += (der(0xA0, certificates) if certificates else b"") + der(0x31, signers)
    return der(0x30, der(6, bytes.fromhex("2a864886f70d010702")) + der(0xA0, der(0x30, inner)))


_OID = der(6, bytes.fromhex("0960864801650304"[2:]))
_ALGORITHM = der(0x30, der(6, bytes.fromhex("608648016503040201")))

CMS: dict[str, Made] = {
    "digest algorithms": lambda size: cms_signed(_ALGORITHM * (size // len(_ALGORITHM))),
    "empty digest algorithms": lambda size: cms_signed(b"\x30\0" * (size // 2)),
    "signers": lambda size: cms_signed(signers=b"\x30\0" * (size // 2)),
    "certificates": lambda size: cms_signed(certificates=b"\x30\0" * (size // 2)),
    "content in segments": lambda size: cms_signed(content=der(0xA0, der(0x24, b"\4\0" * (size // 2)))),
    "content in segments without lengths": lambda size: cms_signed(
        content=der(0xA0, b"\x24\x80" + b"\4\0" * (size // 2) + b"\0\0")
    ),
    "in one another": der_nested(0x30),
    "in one another, tagged": der_nested(0xA0),
    "without lengths": again(b"\x30\x80"),
    "without lengths, closed": nested(b"\x30\x80", b"\0\0"),
    "without lengths, side by side": again(b"\x30\x80\0\0", b"\x30\x80"),
    "object identifiers": sized(lambda n: length_front(0x30, n), b"\6\1\x2a"),
    "digest object identifiers": sized(lambda n: length_front(0x30, n), _OID),
    "octets of an object identifier": lambda size: der(0x30, der(6, b"\1" * size)),
    "continued object identifier": lambda size: der(0x30, der(6, b"\x81" * size)),
    "octets of an integer": lambda size: der(
        0x30, der(6, bytes.fromhex("2a864886f70d010702")) + der(0xA0, der(0x30, der(2, b"\1" * size)))
    ),
    "high tags": again(b"\x1f\x81"),
    "nulls": sized(lambda n: length_front(0x30, n), b"\5\0"),
}

CERTIFICATE: dict[str, Made] = {
    "in one another": der_nested(0x30),
    "without lengths": again(b"\x30\x80"),
    "extensions": lambda size: _certificate(b"", b"\x30\0" * (size // 2)),
    "whole extensions": lambda size: _certificate(b"", _EXTENSION * (size // len(_EXTENSION))),
    "names": lambda size: _certificate(_ATTRIBUTE * (size // len(_ATTRIBUTE)), b""),
    "empty names": lambda size: _certificate(b"\x31\0" * (size // 2), b""),
    "octets of a serial number": lambda size: _certificate(b"", b"", b"\1" * size),
    "alternative names": lambda size: _certificate(
        b"", der(0x30, der(6, b"\x55\x1d\x11") + der(4, der(0x30, b"\x82\0" * (size // 2))))
    ),
    "purposes": lambda size: _certificate(
        b"", der(0x30, der(6, b"\x55\x1d\x25") + der(4, der(0x30, b"\6\1\x2a" * (size // 3))))
    ),
    "object identifiers": sized(lambda n: length_front(0x30, n), b"\6\1\x2a"),
}
_EXTENSION = der(0x30, der(6, b"\x55\x1d\x0e") + der(4, b""))
_ATTRIBUTE = der(0x31, der(0x30, der(6, b"\x55\x04\x03") + der(12, b"a")))


def _certificate(names: bytes, extensions: bytes, serial: bytes = b"\1") -> bytes:
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")) + b"\5\0")
    name = der(0x30, names)
    validity = der(0x30, der(23, b"250101000000Z") * 2)
    key = der(0x30, der(0x30, der(6, bytes.fromhex("2a864886f70d010101")) + b"\5\0") + der(3, b"\0"))
    body = der(0xA0, der(2, b"\2")) + der(2, serial) + algorithm + name + validity + name + key
    body += der(0xA3, der(0x30, extensions)) if extensions else b""
    return der(0x30, der(0x30, body) + algorithm + der(3, b"\0"))


def _bfcp(attributes: bytes, version: int = 0x20, primitive: int = 4) -> bytes:
    return bytes((version, primitive)) + (len(attributes) // 4).to_bytes(2, "big") + b"\0\0\0\1\0\1\0\1" + attributes


BFCP: dict[str, Made] = {
    "shortest attributes": lambda size: _bfcp(b"\x06\2\0\0" * (min(size, 260_000) // 4)),
    "zero attributes": lambda size: _bfcp(b"\0\0\0\0" * (min(size, 260_000) // 4)),
    "floor identifiers": lambda size: _bfcp(b"\x05\4\0\0" * (min(size, 260_000) // 4)),
    "grouped": lambda size: _bfcp((b"\x1e\xfc\0\0" + b"\x23\x08\0\0\x0a\4\0\0" * 31) * (min(size, 260_000) // 252)),
    "grouped in one another": lambda size: _bfcp(
        b"".join(bytes((0x1E, 252 - 4 * (n % 60))) + b"\0\0" for n in range(min(size, 260_000) // 4))
    ),
    "unreliable": lambda size: _bfcp(b"\x06\2\0\0" * (min(size, 260_000) // 4), 0x40),
    "messages": again(_bfcp(b"")),
    "unknown attributes": lambda size: _bfcp(b"\xfe\2\0\0" * (min(size, 260_000) // 4)),
}

RTP: dict[str, Made] = {
    "one-byte elements": lambda size: _extended(b"\xbe\xde", b"\x10\0" * (min(size, 262_000) // 2)),
    "two-byte elements": lambda size: _extended(b"\x10\0", b"\1\0" * (min(size, 262_000) // 2)),
    "elements and padding": lambda size: _extended(b"\xbe\xde", b"\x10\0\0" * (min(size, 262_000) // 12 * 4)),
    "padding elements": lambda size: _extended(b"\xbe\xde", b"\0" * min(size, 262_000)),
    "stop element": lambda size: _extended(b"\xbe\xde", b"\xf0" * min(size, 262_000)),
    "payload": again(b"\0", b"\x80\0\0\1" + b"\0" * 8),
    "padding": again(b"\xff", b"\xa0\0\0\1" + b"\0" * 8),
}


def _extended(profile: bytes, elements: bytes) -> bytes:
    elements = elements[: len(elements) // 4 * 4]
    return b"\x90\0\0\1" + b"\0" * 8 + profile + (len(elements) // 4).to_bytes(2, "big") + elements


def _rtcp(first: int, kind: int, body: bytes) -> bytes:
    """A packet; its body has to be whole words."""
    return bytes((first, kind)) + (len(body) // 4).to_bytes(2, "big") + body


def _rtcp_full(first: int, kind: int, front: bytes, element: bytes) -> Made:
    """Packets as long as their length field allows."""

    def made(size: int) -> bytes:
        out = b""
        while len(out) < size:
            octets = min(size - len(out), 200_000) // len(element) * len(element)
            body = front + element * max(octets // len(element), 1)
            out += _rtcp(first, kind, body[: min(len(body), 4 * 0xFFFF) // 4 * 4])
        return out

    return made


RTCP: dict[str, Made] = {
    "shortest packets": again(b"\x80\xcb\0\0"),
    "receiver reports": again(_rtcp(0x80, 201, b"\0\0\0\1")),
    "sender reports": again(_rtcp(0x80, 200, b"\0" * 24)),
    "report blocks": again(_rtcp(0x9F, 201, b"\0" * (4 + 31 * 24))),
    "source descriptions": again(_rtcp(0x9F, 202, b"\0" * 8 * 31)),
    "items": _rtcp_full(0x81, 202, b"\0\0\0\1", b"\1\0"),
    "private items": _rtcp_full(0x81, 202, b"\0\0\0\1", b"\x08\1\0"),
    "BYE": again(_rtcp(0x9F, 203, b"\0" * 4 * 31)),
    "extended report blocks": _rtcp_full(0x80, 207, b"\0\0\0\1", b"\xfe\0\0\0"),
    "extended report RLE": _rtcp_full(0x80, 207, b"\0\0\0\1", b"\1\0\0\2" + b"\0" * 8),
    "extended report DLRR": _rtcp_full(0x80, 207, b"\0\0\0\1", b"\5\0\0\0"),
    "extended report chunks": _rtcp_full(0x80, 207, b"\0\0\0\1", b"\1\0\xff\xff" + b"\0\1" * 0x1FFFE),
    "NACK": _rtcp_full(0x81, 205, b"\0" * 8, b"\0\0\0\0"),
    "TMMBR": _rtcp_full(0x83, 205, b"\0" * 8, b"\0" * 8),
    "transport-wide feedback": _rtcp_full(0x8F, 205, b"\0" * 8 + b"\0\0\xff\xff\0\0\0\0", b"\xff\xff\0\0"),
    "transport-wide runs": _rtcp_full(0x8F, 205, b"\0" * 8 + b"\0\0\xff\xff\0\0\0\0", b"\x3f\xff\x3f\xff"),
    "congestion control": _rtcp_full(0x8B, 205, b"\0" * 4, b"\0\0\0\1\0\0\0\0"),
    "congestion control metrics": _rtcp_full(0x8B, 205, b"\0" * 4, b"\0\0\0\1\0\0\xff\xff" + b"\0\0" * 0x4000),
    "FIR": _rtcp_full(0x84, 206, b"\0" * 8, b"\0" * 8),
    "SLI": _rtcp_full(0x82, 206, b"\0" * 8, b"\0" * 4),
    "REMB": _rtcp_full(0x8F, 206, b"\0" * 8 + b"REMB\xff\0\0\0", b"\0" * 4),
    "application": _rtcp_full(0x80, 204, b"\0" * 4 + b"name", b"\0" * 4),
    "jitters": again(_rtcp(0x9F, 195, b"\0" * 4 * 31)),
}

STUN: dict[str, Made] = {
    name: lambda size, element=element: _stun(element * (min(size, 65_000) // len(element)))
    for name, element in {
        "shortest attributes": b"\0\0\0\0",
        "unknown attributes": b"\xff\xff\0\0",
        "USERNAME": b"\0\6\0\0",
        "ERROR-CODE": b"\0\x09\0\4\0\0\4\0",
        "XOR-MAPPED-ADDRESS": b"\0\x20\0\x08\0\1" + b"\0" * 6,
        "UNKNOWN-ATTRIBUTES": b"\0\x0a\0\0",
        "PASSWORD-ALGORITHMS": b"\x80\x02\0\0",
    }.items()
}
STUN["unknown attribute types"] = lambda size: _stun(b"\0\x0a\xff\xf0" + b"\0\0" * 0x7FF8)
STUN["password algorithms"] = lambda size: _stun(b"\x80\x02\xff\xf0" + b"\0\1\0\0" * 0x3FFC)
STUN["data"] = lambda size: _stun(b"\0\x13\xff\xf0" + b"\0" * 0xFFF0)


def _stun(attributes: bytes) -> bytes:
    return b"\0\1" + (len(attributes) & 0xFFFF).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + b"\0" * 12 + attributes
