"""BFCP as libre writes it is read field by field, and libre reads what is built here, in both versions."""

from __future__ import annotations

import random
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.bfcp.attributes.layers import (
    ATTRIBUTE_LAYERS,
    BENEFICIARY_ID,
    BENEFICIARY_INFORMATION,
    ERROR_CODE,
    ERROR_INFO,
    EXTENSION_ATTRIBUTE,
    FLOOR_ID,
    FLOOR_REQUEST_ID,
    FLOOR_REQUEST_INFORMATION,
    FLOOR_REQUEST_STATUS,
    OVERALL_REQUEST_STATUS,
    PARTICIPANT_PROVIDED_INFO,
    PRIORITY,
    REQUEST_STATUS,
    REQUESTED_BY_INFORMATION,
    STATUS_INFO,
    SUPPORTED_ATTRIBUTES,
    SUPPORTED_PRIMITIVES,
    USER_DISPLAY_NAME,
    USER_URI,
)
from dissectors.bfcp.codes import (
    ATTRIBUTES,
    ERROR_CODES,
    GROUP_CONTENTS,
    MESSAGE_CONTENTS,
    PRIMITIVES,
    REQUEST_STATUSES,
    UNRELIABLE_ONLY,
    listed,
)
from dissectors.bfcp.framing import is_message
from dissectors.bfcp.layers import (
    BFCP,
    MESSAGE_LAYERS,
    FloorQuery,
    FloorRequest,
    FloorStatus,
    FloorStatusAck,
    Goodbye,
    Hello,
    HelloAck,
)
from dissectors.binary import notes
from imsinspect.capture.bfcp_fragments import BfcpFragments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(__file__).parent / "peers" / "bfcp_libre.c"
HEADERS = Path("/usr/include/re")
COMMON: dict[str, int] = {"Conference_ID": 0x11223344, "User_ID": 234}
SECONDS = 20


@pytest.fixture(scope="module")
def libre(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a program that does BFCP with libre."""
    compiler = peer("cc")
    if not (HEADERS / "re_bfcp.h").exists():
        pytest.skip("libre-dev is not installed")
    program = str(tmp_path_factory.mktemp("libre") / "bfcp_libre")
    command = [compiler, "-DHAVE_INET6", f"-I{HEADERS}", "-o", program, str(SOURCE), "-lre"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def ask(libre: str, mode: str, text: str = "") -> str:
    """What the program answers."""
    return subprocess.run([libre, mode], input=text, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def value(attribute: Any) -> str:
    """The value of an attribute, as the program writes it."""
    kind = attribute.Type
    if kind == 4:
        return str(attribute.Prio)
    if kind == 5:
        return f"{attribute.Request_Status}/{attribute.Queue_Position}"
    if kind == 6:
        return f"{attribute.Error_Code}:{bytes(attribute.Error_Specific_Details).hex()}"
    if kind == 10:
        return "=" + bytes(octet >> 1 for octet in attribute.Supported_Attributes).hex()
    if kind == 11:
        return "=" + bytes(attribute.Supported_Primitives).hex()
    if kind in (7, 8, 9, 12, 13):
        return "=" + bytes(attribute.Text).hex()
    return str(attribute.getfieldval(attribute.fields_desc[3].name))


def lines(packet: Any, depth: int = 0) -> Iterator[str]:
    """A message as the program writes it."""
    if not depth:
        head = packet.Ver, packet.R, packet.Primitive, packet.Conference_ID, packet.Transaction_ID, packet.User_ID
        yield "message " + " ".join(map(str, head))
    for one in packet.attributes:
        yield f"attribute {depth + 1} {one.Type} {one.M} {value(one)}"
        if one.Type in GROUP_CONTENTS:
            yield from lines(one, depth + 1)
    if not depth:
        yield "end"


def text_of(packets: list[Any]) -> str:
    """Messages as the program writes them."""
    return "".join(line + "\n" for packet in packets for line in lines(packet))


def user(layer: type[Any], **identifier: int) -> Any:
    """A group that tells of a user."""
    return layer(attributes=[USER_DISPLAY_NAME(Text="Änn".encode()), USER_URI(Text=b"sip:a@b")], **identifier)


def state(layer: type[Any], status: int, place: int, **identifier: int) -> Any:
    """A group that tells the status of a request."""
    inside = [REQUEST_STATUS(Request_Status=status, Queue_Position=place), STATUS_INFO(Text=b"as asked")]
    return layer(attributes=inside, **identifier)


INFORMATION = FLOOR_REQUEST_INFORMATION(
    Floor_Request_ID=789,
    attributes=[
        state(OVERALL_REQUEST_STATUS, 2, 3, Floor_Request_ID=789),
        state(FLOOR_REQUEST_STATUS, 2, 3, Floor_ID=543),
        FLOOR_REQUEST_STATUS(Floor_ID=544),
        user(BENEFICIARY_INFORMATION, Beneficiary_ID=235),
        user(REQUESTED_BY_INFORMATION, Requested_by_ID=234),
        PRIORITY(Prio=4),
        PARTICIPANT_PROVIDED_INFO(Text=b"a question"),
    ],
)
CONTENTS: dict[int, list[Any]] = {
    1: [
        FLOOR_ID(Floor_ID=543),
        FLOOR_ID(Floor_ID=544),
        BENEFICIARY_ID(Beneficiary_ID=235),
        PARTICIPANT_PROVIDED_INFO(Text=b"hello"),
        PRIORITY(Prio=3),
    ],
    2: [FLOOR_REQUEST_ID(Floor_Request_ID=789)],
    3: [FLOOR_REQUEST_ID(Floor_Request_ID=65_535)],
    4: [INFORMATION],
    5: [BENEFICIARY_ID(Beneficiary_ID=235)],
    6: [user(BENEFICIARY_INFORMATION, Beneficiary_ID=235), INFORMATION, INFORMATION],
    7: [FLOOR_ID(Floor_ID=543)],
    8: [FLOOR_ID(Floor_ID=543, M=0), INFORMATION],
    9: [INFORMATION],
    12: [
        SUPPORTED_PRIMITIVES(Supported_Primitives=list(PRIMITIVES)),
        SUPPORTED_ATTRIBUTES(Supported_Attributes=listed(*ATTRIBUTES)),
    ],
    13: [ERROR_CODE(Error_Code=4, Error_Specific_Details=listed(100, 101)), ERROR_INFO(Text=b"what is that?")],
}
EVERY = [
    layer(Ver=version, R=responder, Transaction_ID=code, attributes=CONTENTS.get(code, []), **COMMON)
    for code, layer in MESSAGE_LAYERS.items()
    for version, responder in ((1, 0), (2, 0), (2, 1))
] + [
    MESSAGE_LAYERS[13](attributes=[ERROR_CODE(Error_Code=code), ERROR_INFO(Text=name.encode())])
    for code, name in ERROR_CODES.items()
]


def at_random(source: random.Random, code: int) -> Any:
    """An attribute of a type with values of any kind; of groups, with what the specification has inside."""
    layer = ATTRIBUTE_LAYERS[code]
    octets = source.randbytes(source.randrange(1, 20))
    mandatory = {"M": source.randrange(2)}
    if code in GROUP_CONTENTS:
        identifier = {layer.fields_desc[3].name: source.randrange(65_536)}
        inside = [at_random(source, one) for one in GROUP_CONTENTS[code] if source.randrange(3)]
        return layer(attributes=inside, **identifier, **mandatory)
    if code == 4:
        return layer(Prio=source.randrange(8), **mandatory)
    if code == 5:
        return layer(Request_Status=source.randrange(256), Queue_Position=source.randrange(256), **mandatory)
    if code == 6:
        return layer(Error_Code=source.randrange(1, 256), Error_Specific_Details=octets, **mandatory)
    if code == 10:
        types = listed(*(source.randrange(128) for _ in octets))
        return layer(Supported_Attributes=types, **mandatory)
    if code == 11:
        return layer(Supported_Primitives=list(octets), **mandatory)
    if code in (7, 8, 9, 12, 13):
        return layer(Text=octets.hex().encode()[: len(octets)], **mandatory)
    return layer(**{layer.fields_desc[3].name: source.randrange(65_536)}, **mandatory)


def many() -> list[Any]:
    """Messages of every primitive whose attributes have values of any kind."""
    source = random.Random(8855)
    out = []
    for _ in range(20):
        for code, layer in MESSAGE_LAYERS.items():
            wanted = [one for one, (least, _) in MESSAGE_CONTENTS[code].items() if least or source.randrange(3)]
            numbers = {"Conference_ID": source.randrange(2**32), "User_ID": source.randrange(65_536)}
            inside = [at_random(source, one) for one in wanted]
            version = source.randrange(1, 3)
            out.append(
                layer(Ver=version, R=version - 1, Transaction_ID=source.randrange(65_536), attributes=inside, **numbers)
            )
    return out


def test_the_messages_hold_every_primitive_and_attribute() -> None:
    found = {line.split()[2] for line in text_of(EVERY).splitlines() if line.startswith("attribute")}
    assert {int(one) for one in found} == set(ATTRIBUTES)
    assert {(packet.Ver, packet.Primitive) for packet in EVERY} == {(v, code) for v in (1, 2) for code in PRIMITIVES}


@pytest.mark.parametrize("packets", [EVERY, many()], ids=["by hand", "at random"])
def test_libre_writes_the_octets_that_are_built_here(libre: str, packets: list[Any]) -> None:
    assert ask(libre, "encode", text_of(packets)).splitlines() == [bytes(packet).hex() for packet in packets]


@pytest.mark.parametrize("packets", [EVERY, many()], ids=["by hand", "at random"])
def test_what_libre_writes_is_read_field_by_field(libre: str, packets: list[Any]) -> None:
    text = text_of(packets)
    written = [BFCP(bytes.fromhex(line)) for line in ask(libre, "encode", text).splitlines()]
    assert text_of(written) == text
    if packets is EVERY:
        assert [
            packet
            for packet in written
            if notes(packet) and not (packet.Ver == 1 and packet.Primitive in UNRELIABLE_ONLY)
        ] == []
    assert all(is_message(bytes(packet)) for packet in written)


@pytest.mark.parametrize("packets", [EVERY, many()], ids=["by hand", "at random"])
def test_libre_reads_what_is_built_here(libre: str, packets: list[Any]) -> None:
    octets = "".join(bytes(packet).hex() + "\n" for packet in packets)
    assert ask(libre, "decode", octets) == text_of(packets)


def test_libre_has_the_same_names(libre: str) -> None:
    tables = {"primitive": PRIMITIVES, "attribute": ATTRIBUTES, "status": REQUEST_STATUSES, "error": ERROR_CODES}
    found: dict[str, dict[int, str]] = {kind: {} for kind in tables}
    for line in ask(libre, "names").splitlines():
        kind, code, name = line.split(" ", 2)
        if name != "???":
            found[kind][int(code)] = name
    assert {kind: {code: name.lower() for code, name in names.items()} for kind, names in found.items()} == {
        kind: {code: name.lower() for code, name in names.items()} for kind, names in tables.items()
    }


def test_libre_reads_a_message_that_was_put_together_from_fragments(libre: str) -> None:
    whole = FloorRequest(Ver=2, Transaction_ID=7, attributes=CONTENTS[1], **COMMON)
    body = bytes(whole)[12:]
    parts = [
        FloorRequest(
            Ver=2,
            F=1,
            Payload_Length=len(body) // 4,
            Transaction_ID=7,
            Fragment_Offset=at // 4,
            Fragment=body[at : at + 8],
            **COMMON,
        )
        for at in range(0, len(body), 8)
    ]
    fragments = BfcpFragments()
    found = [fragments.add(bytes(part), "path", frame, 0) for frame, part in enumerate(reversed(parts))]
    assert found[-1] is not None
    assert ask(libre, "decode", found[-1].message.hex() + "\n") == text_of([whole])


# --- over UDP -----------------------------------------------------------------------------------------


def test_libre_as_floor_control_server_understands_requests_and_is_understood(libre: str) -> None:
    with (
        subprocess.Popen([libre, "serve"], stdout=subprocess.PIPE, text=True) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        try:
            assert server.stdout is not None
            client.settimeout(SECONDS)
            client.connect(("127.0.0.1", int(server.stdout.readline())))

            def answer(request: BFCP | None = None) -> Any:
                if request is not None:
                    client.send(bytes(request))
                packet = BFCP(client.recv(2_000))
                assert notes(packet) == []
                return packet

            hello = answer(Hello(Ver=2, Transaction_ID=1, **COMMON))
            assert (hello.name, hello.Ver, hello.R, hello.Transaction_ID) == ("HelloAck", 2, 1, 1)
            assert hello.attributes[0].Supported_Primitives == [1, 7, 11, 16]
            assert hello.attributes[1].Supported_Attributes == listed(2, 15)

            request = FloorRequest(Ver=2, Transaction_ID=2, attributes=[FLOOR_ID(Floor_ID=543)], **COMMON)
            (info,) = answer(request).attributes
            assert (info.Floor_Request_ID, info.attributes[1].Floor_ID) == (789, 543)
            assert info.attributes[0].attributes[0].Request_Status == 3

            extension = EXTENSION_ATTRIBUTE(Type=100, M=1, Contents=b"ab")
            error = answer(FloorQuery(Ver=2, Transaction_ID=3, attributes=[extension], **COMMON))
            assert (error.name, error.R) == ("Error", 1)
            assert (error.attributes[0].Error_Code, error.attributes[0].Error_Specific_Details) == (4, listed(100))

            error = answer(MESSAGE_LAYERS[5](Ver=2, Transaction_ID=4, **COMMON))
            assert error.attributes[0].Error_Code == 3

            status = answer(FloorQuery(Ver=2, Transaction_ID=5, attributes=[FLOOR_ID(Floor_ID=543)], **COMMON))
            own = answer()
            assert [(one.name, one.R, one.attributes[0].Floor_ID) for one in (status, own)] == [
                ("FloorStatus", 1, 543),
                ("FloorStatus", 0, 543),
            ]
            client.send(bytes(FloorStatusAck(Ver=2, R=1, Transaction_ID=own.Transaction_ID, **COMMON)))

            goodbye = answer(Goodbye(Ver=2, Transaction_ID=6, **COMMON))
            assert (goodbye.name, goodbye.R, goodbye.Transaction_ID) == ("GoodbyeAck", 1, 6)
            assert server.wait(SECONDS) == 0
        finally:
            server.kill()


def test_libre_as_client_understands_a_server_that_is_built_here(libre: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(SECONDS)
        server.bind(("127.0.0.1", 0))
        command = [libre, "call", str(server.getsockname()[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            try:
                octets, address = server.recvfrom(2_000)
                hello = BFCP(octets)
                assert (hello.name, hello.Ver, hello.R, hello.Conference_ID) == ("Hello", 2, 0, 0x11223344)
                ack = HelloAck(Ver=2, R=1, Transaction_ID=hello.Transaction_ID, attributes=CONTENTS[12], **COMMON)
                server.sendto(bytes(ack), address)

                query = BFCP(server.recvfrom(2_000)[0])
                assert (query.name, query.attributes[0].Floor_ID) == ("FloorQuery", 543)
                status = FloorStatus(Ver=2, R=1, Transaction_ID=query.Transaction_ID, attributes=CONTENTS[8], **COMMON)
                server.sendto(bytes(status), address)

                own = FloorStatus(Ver=2, Transaction_ID=99, attributes=[FLOOR_ID(Floor_ID=543)], **COMMON)
                server.sendto(bytes(own), address)
                last = BFCP(server.recvfrom(2_000)[0])
                assert (last.name, last.R, last.Transaction_ID) == ("FloorStatusAck", 1, 99)
                told, _ = client.communicate(timeout=SECONDS)
                assert told == text_of([ack, status, own])
            finally:
                client.kill()
