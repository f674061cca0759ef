"""Every value that tshark reads in H.248 (Megaco), over all samples and captures, is read here, message by message."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from scapy.packet import Packet

from dissectors.h248.facts import facts
from dissectors.h248.layers import H248
from tests.interop.tshark import FILES, Row, name, readings
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

GATEWAY = "h248/megaco-t38-fax-gateway.pcap"
RANDOM = "malformed/randpkt-megaco.pcap"
CONTEXTS = {"-": "0", "$": "4294967294", "*": "4294967295"}  # as tshark writes them
KINDS = {"TransactionRequest": "Request", "TransactionReply": "Reply"}
SERVICE_STATES = ("SI", "SERVICESTATES")
COMMANDS = ("Add", "AuditValue", "Modify", "Notify", "Subtract")

Layers = list[Any]


def layers_of(packet: Any) -> Iterator[Any]:
    """A layer and the layers inside it, in order."""
    yield packet
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Packet) and hasattr(one, "fields_desc"):
                yield from layers_of(one)


def named(layers: Layers, *names: str) -> Iterator[Any]:
    """The layers of some classes."""
    return (one for one in layers if type(one).__name__ in names)


def texts(layers: Layers, field: str, *names: str) -> list[str]:
    """A field of the layers of some classes."""
    return [getattr(one, field).decode() for one in named(layers, *names)]


def contexts(layers: Layers) -> list[str]:
    """The contexts of actions."""
    return [CONTEXTS.get(text, text) for text in texts(layers, "ContextID", "Action")]


def properties(layers: Layers, group: str, *tokens: str) -> list[str]:
    """Values of the properties of a descriptor that have some names."""
    return [
        one.parameter_value.decode()
        for descriptor in named(layers, group)
        for one in named(list(layers_of(descriptor)), "PropertyParm")
        if one.token.decode().upper() in tokens
    ]


def others_of_a_state(layers: Layers) -> list[str]:
    """Properties of a termination's state but its service state: of packages, too, tshark calls them all by one name.

    Of a list of values it gives none.
    """
    return [
        one.parameter_value.decode()
        for state in named(layers, "TerminationState")
        for one in named(list(layers_of(state)), "PropertyParm")
        if one.token.decode().upper() not in SERVICE_STATES and not one.parameter_value.startswith(b"[")
    ]


def package_names(layers: Layers) -> list[str]:
    """Names of events and signals; of an observed event with its time."""
    found = []
    for one in named(layers, "RequestedEvent", "ObservedEvent", "Signal"):
        item = one.signalName if type(one).__name__ == "Signal" else one.eventName
        before = one.TimeStamp + one.colon if type(one).__name__ == "ObservedEvent" else b""
        found.append((before + one.packageName + one.slash + item).decode())
    return found


def audited(layers: Layers) -> list[str]:
    """What an Audit descriptor asks for."""
    inside = (one for audit in named(layers, "Audit") for one in layers_of(audit) if one is not audit)
    return [type(one).__name__ for one in inside]


def opened(*names: str) -> Callable[[Layers], list[str]]:
    """Descriptors that have a content: tshark counts each of them."""
    return lambda layers: ["1" for one in named(layers, *names) if one.open]


FIELDS: dict[str, Callable[[Layers], Iterable[str]]] = {
    "start_token": lambda layers: texts(layers, "MegacopToken", "H248"),
    "version": lambda layers: texts(layers, "Version", "H248"),
    "mId": lambda layers: [bytes(one).decode() for one in named(layers, "MIdAddress", "MIdDomain")],
    "transaction": lambda layers: [KINDS[type(one).__name__] for one in named(layers, *KINDS)],
    "transid": lambda layers: texts(layers, "TransactionID", *KINDS),
    "context": contexts,
    "command": lambda layers: [type(one).__name__ for one in named(layers, *COMMANDS)],
    "termid": lambda layers: texts(layers, "TerminationID", *COMMANDS),
    "error": opened("ErrorDescriptor"),
    "error_code": lambda layers: texts(layers, "ErrorCode", "ErrorDescriptor"),
    "error_string": lambda layers: [text.strip().strip('"') for text in texts(layers, "errorText", "ErrorDescriptor")],
    "audit": opened("Audit"),
    "audititem": audited,
    "media": opened("Media"),
    "streamid": lambda layers: texts(layers, "StreamID", "Stream"),
    "localcontroldescriptor": opened("LocalControl"),
    "mode": lambda layers: properties(layers, "LocalControl", "MO", "MODE"),
    "reservevalue": lambda layers: properties(layers, "LocalControl", "RV", "RESERVEDVALUE"),
    "reservegroup": lambda layers: properties(layers, "LocalControl", "RG", "RESERVEDGROUP"),
    "localdescriptor": opened("Local"),
    "remotedescriptor": opened("Remote"),
    "terminationstate": opened("TerminationState"),
    "servicestates": lambda layers: properties(layers, "TerminationState", *SERVICE_STATES),
    "events": opened("Events"),
    "observedevents": opened("ObservedEvents"),
    "requestid": lambda layers: texts(layers, "RequestID", "Events", "ObservedEvents"),
    "pkgdname": package_names,
    "signal": opened("Signals"),
    "statistics": opened("Statistics"),
    "eventbuffercontrol": others_of_a_state,
}
"""tshark's field, behind `megaco.`: what the layers have for it."""

REPEATED = {"context"}
"""Fields that tshark adds to a message again and again, as it keeps track of contexts: compared as sets."""

NO_MESSAGE = (
    "frame 1: random octets behind the header of an SCTP DATA chunk whose protocol identifier is that of H.248; they "
    "have neither a token of the text form nor the tag of the binary one (H.248.1 §A.2, §B.2): tshark finds an error"
)
DIFFERENCES: dict[tuple[str, str], tuple[set[str], str]] = {
    (RANDOM, "1"): ({"start_token", "version", "parse_error"}, NO_MESSAGE)
}
"""(capture, frame): the fields of a frame that tshark alone takes for H.248, and the reason read from the octets."""


def megaco(row: Row) -> dict[str, list[str]]:
    """What tshark reads of H.248 in a frame."""
    return {field.removeprefix("megaco."): values for field, values in row.items() if field.startswith("megaco.")}


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: no real H.248 to compare")
def test_every_value_that_tshark_reads_in_any_capture_is_read_here(peer: Callable[[str], str]) -> None:
    counts = Counter[str]()
    for path in FILES:
        for row in readings(peer("tshark"))[path].result():
            theirs = megaco(row)
            if not theirs:
                continue
            counts[name(path)] += 1
            place = (name(path), row["frame.number"][0])
            if place in DIFFERENCES:
                assert theirs.keys() == DIFFERENCES[place][0], place
                continue
            layers = list(layers_of(H248(bytes.fromhex(row["udp.payload"][-1]))))
            for field, of in FIELDS.items():
                found = [text.strip() for text in theirs.pop(field, ())]
                form = set if field in REPEATED else list
                assert sorted(form(found)) == sorted(form(of(layers))), (place, field)
            assert theirs == {}, "fields of tshark that are in no table"
    assert counts == {GATEWAY: 130, RANDOM: 1}


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: no real H.248 to compare")
def test_facts_agree_with_tshark(peer: Callable[[str], str]) -> None:
    """What the analysis takes from a message, without layers."""
    rows = next(rows for path, rows in readings(peer("tshark")).items() if name(path) == GATEWAY).result()
    messages = [(row, megaco(row)) for row in rows if megaco(row)]
    assert len(messages) == 130
    for row, theirs in messages:
        message = facts(bytes.fromhex(row["udp.payload"][-1]))
        assert message is not None
        commands = message.commands
        assert [str(message.version)] == theirs["version"]
        assert [message.mid.decode()] == theirs["mId"]
        assert {each.kind.capitalize() for each in commands} == set(theirs["transaction"])
        assert {str(each.transaction_id) for each in commands} == set(theirs["transid"])
        ids = (each.context_id.decode() for each in commands)
        assert {CONTEXTS.get(text, text) for text in ids} == set(theirs["context"])
        assert [each.termination.decode() for each in commands] == theirs["termid"]
        assert [each.command for each in commands] == theirs["command"]
        errors = [str(each.error_code) for each in commands if each.error_code is not None]
        assert errors == theirs.get("error_code", [])
