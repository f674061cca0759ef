"""Layers of the descriptors of H.248 commands, in text (H.248.1 §7.1, Annex B.2).

Session descriptions in Local and Remote are SDP layers; where there are several they are alternatives, each beginning
with its v= line. A wildcard `$` in them stays as it is.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import Packets
from dissectors.h248.codes import (
    BOOLEANS,
    ERROR_CODES,
    EVENT_BUFFER_CONTROLS,
    MODEM_TYPES,
    MODES,
    MUX_TYPES,
    SERVICE_CHANGE_METHODS,
    SERVICE_CHANGE_REASONS,
    SERVICE_STATES,
    TOPOLOGY_DIRECTIONS,
)
from dissectors.h248.events.layers import UINT16, DigitMap, EventBuffer, Events, ObservedEvents, Signals
from dissectors.h248.grammar.layers import (
    Element,
    NamedField,
    Parameter,
    Parts,
    braces,
    by_token,
    head,
    named,
    package_name,
    parameter,
    tables,
    tail,
    text,
    valued,
)
from dissectors.h248.parse import SPACE, TOKEN, octets_end
from dissectors.sdp.layer import SDP, LineList, SDPMedia, line_layer
from dissectors.text import TextField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UINT32 = 0xFFFFFFFF

_DESCRIPTION = re.compile(rb"(?:\A|(?<=\n))v=")
_LOOKS_LIKE_SDP = re.compile(rb"[A-Za-z]=")


def _codes(codes: Mapping[int, str]) -> dict[bytes, str]:
    return {str(code).encode(): name for code, name in codes.items()}


# --- streams and their media ----------------------------------------------------------------------


class PropertyParm(Parameter):
    """A property of a package, or of the descriptor around it (H.248.1 §7.1.5, §7.1.7)."""

    name = "PropertyParm"
    fields_desc = parameter(
        tables(
            ModeToken=MODES,
            ReservedValueToken=BOOLEANS,
            ReservedGroupToken=BOOLEANS,
            ServiceStatesToken=SERVICE_STATES,
            BufferToken=EVENT_BUFFER_CONTROLS,
        )
    )


class LocalControl(Element):
    """Mode, reservation and properties of a stream (H.248.1 §7.1.7)."""

    name = "LocalControl"
    other = PropertyParm
    fields_desc = [*head("LocalControl"), *braces(Parts("localParms")), *tail()]


class TerminationState(Element):
    """Service state, event buffering and properties of a termination (H.248.1 §7.1.5)."""

    name = "TerminationState"
    other = PropertyParm
    fields_desc = [*head("TerminationState"), *braces(Parts("terminationStateParms")), *tail()]


class UnderspecifiedMedia(SDPMedia):
    """An m= line whose port the gateway is to choose, or that has none yet (H.248.1 §7.1.8)."""

    def troubles(self) -> Iterator[str]:
        """What is wrong beyond the port."""
        return (text for text in super().troubles() if not text.startswith("port "))


class Lines(LineList):
    """The lines of a description in which `$` stands for what the gateway chooses and `-` for nothing."""

    __slots__ = ()

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take lines off the front."""
        rest, lines = super().getfield(pkt, s)
        for number, one in enumerate(lines):
            if isinstance(one, SDPMedia) and bytes(one.port) in (b"$", b"-"):
                lines[number] = UnderspecifiedMedia(bytes(one))
                lines[number].add_parent(pkt)
        return rest, lines


class UnderspecifiedSDP(SDP):
    """A session description that may leave choices to the gateway (H.248.1 §7.1.8)."""

    fields_desc = [Lines("lines", b"", b"", lambda pkt, piece: line_layer(piece), b""), SDP.fields_desc[1]]


class SessionDescriptions(Packets):
    """The octetString of Local or Remote: session descriptions, or raw octets where it holds none."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, None, _descriptions)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        end = octets_end(s) if pkt.opened() else 0
        return s[:end], s[end:]


def _descriptions(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    starts = [found.start() for found in _DESCRIPTION.finditer(data)]
    cuts = sorted({0, *starts[1:1024], len(data)})
    for start, end in pairwise(cuts):
        yield (UnderspecifiedSDP if _LOOKS_LIKE_SDP.match(data, start) else Raw), data[start:end]


def _octets(token: str) -> list[Any]:
    inside = SessionDescriptions("octetString")
    opening, _, closing = braces(inside)
    # Line ends in front of the first line belong to the brace, blanks behind the last one to the other.
    opening.pattern = re.compile(SPACE + rb"\{[ \t\r\n]*+|")
    closing.pattern = re.compile(rb"[ \t]*+\}|")
    return [*head(token), opening, inside, closing, *tail()]


class Local(Element):
    """What a stream receives: session descriptions (H.248.1 §7.1.8)."""

    name = "Local"
    fields_desc = _octets("Local")


class Remote(Element):
    """What a stream sends: session descriptions (H.248.1 §7.1.8)."""

    name = "Remote"
    fields_desc = _octets("Remote")


class Statistics(Element):
    """Statistics that are reported or asked for (H.248.1 §7.1.15)."""

    name = "Statistics"
    other = PropertyParm
    fields_desc = [*head("Statistics"), *braces(Parts("statisticsParameters")), *tail()]


_STREAM_PARMS = {
    "LocalControlToken": LocalControl,
    "LocalToken": Local,
    "RemoteToken": Remote,
    "StatsToken": Statistics,
}


class Stream(Element):
    """One stream of a termination (H.248.1 §7.1.6)."""

    name = "Stream"
    children = by_token(_STREAM_PARMS)
    numbers = {"StreamID": UINT16}
    instead = frozenset((b"*", b"$"))
    fields_desc = [*head("Stream"), *valued("StreamID", b"1"), *braces(Parts("streamParms")), *tail()]


class Media(Element):
    """All streams of a termination and its state (H.248.1 §7.1.4)."""

    name = "Media"
    children = by_token({**_STREAM_PARMS, "StreamToken": Stream, "TerminationStateToken": TerminationState})
    other = PropertyParm
    fields_desc = [*head("Media"), *braces(Parts("mediaParms")), *tail()]


# --- modems and multiplexes -----------------------------------------------------------------------


class Modem(Element):
    """Modem types and their properties (H.248.1 §7.1.2)."""

    name = "Modem"
    other = PropertyParm
    fields_desc = [
        *head("Modem"),
        TextField("equals", b"", SPACE + rb"=" + SPACE + rb"|"),
        NamedField("modemType", b"[V18]", SPACE + rb"\[[^\]{}]*+\]|[A-Za-z0-9]*+", named(MODEM_TYPES)),
        *braces(Parts("propertyParms")),
        *tail(),
    ]


class TerminationID(Element):
    """A termination in a list of terminations (H.248.1 §6.2.2)."""

    name = "TerminationID"
    fields_desc = [TextField("space", b"", SPACE), TextField("TerminationID", b"", TOKEN), *tail()]


class Mux(Element):
    """Terminations that are multiplexed (H.248.1 §7.1.3)."""

    name = "Mux"
    other = TerminationID
    fields_desc = [
        *head("Mux"),
        *valued("MuxType", b"H223", tables={b"": MUX_TYPES}),
        *braces(Parts("terminationIDList")),
        *tail(),
    ]


# --- the rest -------------------------------------------------------------------------------------


class PackagesItem(Element):
    """A package and its version (H.248.1 §7.1.16)."""

    name = "PackagesItem"
    fields_desc = [
        TextField("space", b"", SPACE),
        NamedField("packageName", b"", rb"[A-Za-z0-9_*]*+", package_name),
        TextField("hyphen", b"-", rb"-|"),
        TextField("version", b"1", rb"[0-9]*+"),
        *tail(),
    ]


class PackagesDescriptor(Element):
    """Packages that a termination realizes (H.248.1 §7.1.16)."""

    name = "Packages"
    other = PackagesItem
    fields_desc = [*head("Packages"), *braces(Parts("packagesItems")), *tail()]


class ErrorDescriptor(Element):
    """Why something failed (H.248.1 §8.2.2, codes of H.248.8)."""

    name = "Error"
    numbers = {"ErrorCode": 9999}
    fields_desc = [
        *head("Error"),
        *valued("ErrorCode", b"400", tables={b"": _codes(ERROR_CODES)}),
        *braces(text("errorText"), always=True),
        *tail(),
    ]


_COMMA = SPACE + rb"," + SPACE
_EVENT_STREAM = _COMMA + rb"(?i:Stream|ST)" + SPACE + rb"=" + SPACE + rb"[0-9]++"


class TopologyTriple(Element):
    """How media flow between two terminations, or of one stream of them (H.248.1 §7.1.18)."""

    name = "topologyTriple"
    fields_desc = [
        TextField("space", b"", SPACE),
        TextField("terminationA", b"*", TOKEN),
        TextField("comma1", b",", _COMMA + rb"|"),
        TextField("terminationB", b"*", TOKEN),
        TextField("comma2", b",", _COMMA + rb"|"),
        NamedField("topologyDirection", b"Bothway", TOKEN, named(TOPOLOGY_DIRECTIONS)),
        TextField("eventStream", b"", _EVENT_STREAM + rb"|"),
        *tail(),
    ]


_TRIPLE = re.compile(
    SPACE + (TOKEN + _COMMA) * 2 + TOKEN + rb"(?:" + _EVENT_STREAM + rb")?(?:" + SPACE + rb"(?:,|\Z))?"
)


class Triples(Parts):
    """Topology triples, whose own commas are those of the list."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.cut = _triples


def _triples(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for _ in range(1024):
        found = _TRIPLE.match(data, at)
        if found is None or found.end() == at:
            break
        yield TopologyTriple, found[0]
        at = found.end()
    if at < len(data):
        yield Raw, data[at:]


class Topology(Element):
    """How media flow between the terminations of a context (H.248.1 §7.1.18)."""

    name = "Topology"
    fields_desc = [*head("Topology"), *braces(Triples("topologyTriples")), *tail()]


DESCRIPTORS: dict[str, type[Packet]] = {
    "MediaToken": Media,
    "ModemToken": Modem,
    "MuxToken": Mux,
    "EventsToken": Events,
    "EventBufferToken": EventBuffer,
    "SignalsToken": Signals,
    "DigitMapToken": DigitMap,
    "ObservedEventsToken": ObservedEvents,
    "StatsToken": Statistics,
    "PackagesToken": PackagesDescriptor,
    "ErrorToken": ErrorDescriptor,
}
"""Descriptors by the rule of their token."""


class AuditItem(Parameter):
    """A descriptor or property that is asked for, or an empty one in a reply (H.248.1 §7.1.12)."""

    name = "AuditItem"


class Audit(Element):
    """What is asked for (H.248.1 §7.1.12)."""

    name = "Audit"
    children = by_token(DESCRIPTORS)
    other = AuditItem
    fields_desc = [*head("Audit"), *braces(Parts("auditItems"), always=True), *tail()]


class ServiceChangeParm(Parameter):
    """A parameter of a ServiceChange (H.248.1 §7.1.13, §7.2.8)."""

    name = "ServiceChangeParm"
    fields_desc = parameter(tables(MethodToken=SERVICE_CHANGE_METHODS))


class ServiceChangeReason(ServiceChangeParm):
    """Why the service changes: a code and perhaps text, in quotation marks or without (H.248.1 §7.2.8)."""

    name = "ServiceChangeReason"
    fields_desc = [
        *head("Reason"),
        TextField("equals", b"=", SPACE + rb"=" + SPACE + rb"|"),
        TextField("quote", b"", rb'"|'),
        NamedField(
            "reasonCode", b"900", rb"[0-9]{1,4}|", lambda text: _codes(SERVICE_CHANGE_REASONS).get(bytes(text), "")
        ),
        TextField("reasonText", b"", rb'[^,{}"\r\n]*+'),
        TextField("end_quote", b"", rb'"|'),
        *tail(),
    ]


class Services(Element):
    """The descriptor of a ServiceChange, or of the reply to one (H.248.1 §7.1.13)."""

    name = "Services"
    children = by_token({"ReasonToken": ServiceChangeReason, "AuditToken": Audit})
    other = ServiceChangeParm
    fields_desc = [*head("Services"), *braces(Parts("serviceChangeParms")), *tail()]
