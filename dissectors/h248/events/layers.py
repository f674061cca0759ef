"""Layers of events and signals in H.248 commands, in text (H.248.1 §7.1.9 to §7.1.11, §7.1.14, §7.1.17).

An event may embed signals and events, and each of these signals again; the grammar goes no deeper, nor do the layers.
"""

from __future__ import annotations

from dissectors.h248.codes import SIGNAL_DIRECTIONS, SIGNAL_TYPES
from dissectors.h248.grammar.layers import (
    ComputedField,
    Element,
    Parameter,
    Parts,
    ValueField,
    braces,
    by_token,
    head,
    package,
    parameter,
    tables,
    tail,
    text,
    valued,
)
from dissectors.h248.parse import SPACE, TOKEN
from dissectors.text import TextField

UINT16 = 0xFFFF


class DigitMap(Element):
    """A digit map, or the name of one (H.248.1 §7.1.14)."""

    name = "DigitMap"
    fields_desc = [
        *head("DigitMap"),
        TextField("equals", b"=", SPACE + rb"=" + SPACE + rb"|"),
        ValueField("digitMapName", b""),
        *braces(text("digitMapValue")),
        *tail(),
    ]


class EventParameter(Parameter):
    """A parameter of an event (H.248.1 §7.1.9)."""

    name = "EventParameter"


class SigParameter(Parameter):
    """A parameter of a signal (H.248.1 §7.1.11)."""

    name = "SigParameter"
    fields_desc = parameter(tables(SignalTypeToken=SIGNAL_TYPES, DirectionToken=SIGNAL_DIRECTIONS))


class Signal(Element):
    """A signal of a package and its parameters (H.248.1 §7.1.11)."""

    name = "Signal"
    other = SigParameter
    fields_desc = [*package(), TextField("signalName", b"", TOKEN), *braces(Parts("sigParameters")), *tail()]


class SignalList(Element):
    """Signals that are played one behind the other (H.248.1 §7.1.11)."""

    name = "SignalList"
    other = Signal
    numbers = {"signalListId": UINT16}
    fields_desc = [*head("SignalList"), *valued("signalListId", b"1"), *braces(Parts("signals")), *tail()]


class Signals(Element):
    """Signals that a termination plays; none of them with empty braces (H.248.1 §7.1.11)."""

    name = "Signals"
    children = by_token({"SignalListToken": SignalList})
    other = Signal
    fields_desc = [*head("Signals"), *braces(Parts("signalParms")), *tail()]


class SecondEmbed(Element):
    """Signals that an event inside an embedded list of events starts (H.248.1 §7.1.9)."""

    name = "EmbedSignals"
    children = by_token({"SignalsToken": Signals})
    fields_desc = [*head("Embed"), *braces(Parts("embedSig")), *tail()]


class SecondEvent(Element):
    """An event of an embedded list (H.248.1 §7.1.9)."""

    name = "SecondRequestedEvent"
    children = by_token({"EmbedToken": SecondEmbed, "DigitMapToken": DigitMap})
    other = EventParameter
    fields_desc = [*package(), TextField("eventName", b"", TOKEN), *braces(Parts("eventParameters")), *tail()]


class SecondEvents(Element):
    """Events that an event sets (H.248.1 §7.1.9)."""

    name = "EmbeddedEvents"
    other = SecondEvent
    fields_desc = [*head("Events"), *valued("RequestID"), *braces(Parts("requestedEvents")), *tail()]


class Embed(Element):
    """Signals that an event starts and events that it sets (H.248.1 §7.1.9)."""

    name = "Embed"
    children = by_token({"SignalsToken": Signals, "EventsToken": SecondEvents})
    fields_desc = [*head("Embed"), *braces(Parts("embedded")), *tail()]


class RequestedEvent(Element):
    """An event of a package that is looked for (H.248.1 §7.1.9)."""

    name = "RequestedEvent"
    children = by_token({"EmbedToken": Embed, "DigitMapToken": DigitMap})
    other = EventParameter
    fields_desc = [*package(), TextField("eventName", b"", TOKEN), *braces(Parts("eventParameters")), *tail()]


class Events(Element):
    """Events that are looked for; without a RequestID none are (H.248.1 §7.1.9)."""

    name = "Events"
    other = RequestedEvent
    fields_desc = [*head("Events"), *valued("RequestID"), *braces(Parts("requestedEvents")), *tail()]


class EventSpec(Element):
    """An event that is kept in the buffer (H.248.1 §7.1.10)."""

    name = "EventSpec"
    other = EventParameter
    fields_desc = [*package(), TextField("eventName", b"", TOKEN), *braces(Parts("eventSpecParameters")), *tail()]


class EventBuffer(Element):
    """Events that are kept until they are looked for (H.248.1 §7.1.10)."""

    name = "EventBuffer"
    other = EventSpec
    fields_desc = [*head("EventBuffer"), *braces(Parts("eventSpecs")), *tail()]


class ObservedEvent(Element):
    """An event that happened, perhaps with its time (H.248.1 §7.1.17)."""

    name = "ObservedEvent"
    children = by_token({"DigitMapToken": DigitMap})
    other = EventParameter
    fields_desc = [
        TextField("space", b"", SPACE),
        TextField("TimeStamp", b"", rb"[0-9]{8}[Tt][0-9]{8}(?=[ \t\r\n]*+:)|"),
        ComputedField("colon", b":", SPACE + rb":" + SPACE + rb"|", lambda pkt: bool(pkt.TimeStamp)),
        *package()[1:],
        TextField("eventName", b"", TOKEN),
        *braces(Parts("observedEventParameters")),
        *tail(),
    ]


class ObservedEvents(Element):
    """Events that happened (H.248.1 §7.1.17)."""

    name = "ObservedEvents"
    other = ObservedEvent
    fields_desc = [*head("ObservedEvents"), *valued("RequestID", b"0"), *braces(Parts("observedEvents")), *tail()]
