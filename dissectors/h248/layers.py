"""Scapy layers of H.248 messages: transactions, actions and commands in text, the outermost structure of binary ones.

    H248(message)        a message; one in BER is an H248Binary, one behind a TPKT header a TPKT
    TPKTs(stream)        messages of a TCP stream

Every octet is kept, white space and comments too: `bytes(H248(data)) == data` for any data but none at all. Names are
those of the rules of H.248.1 Annex B.2. `notes` says what is wrong and where.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Layer, Length, Number, One, Packets, Sized
from dissectors.h248.ber.layers import H248Binary, is_binary
from dissectors.h248.codes import BOOLEANS, CONTEXTS
from dissectors.h248.descriptors.layers import (
    DESCRIPTORS,
    UINT32,
    Audit,
    AuditItem,
    ErrorDescriptor,
    PropertyParm,
    Services,
    Topology,
)
from dissectors.h248.framing import next_tpkt
from dissectors.h248.grammar.layers import (
    ComputedField,
    Element,
    Parts,
    ValueField,
    braces,
    by_token,
    head,
    tail,
    valued,
)
from dissectors.h248.parse import SPACE, TOKEN
from dissectors.text import TextField

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT_TEXT = 2944
PORT_BINARY = 2945
TPKT_VERSION = 3
TPKT_HEADER = 4


# --- the message header ---------------------------------------------------------------------------


class AuthenticationHeader(Element):
    """The interim authentication header (H.248.1 §10.2, Annex B.2)."""

    name = "authenticationHeader"
    separated = False
    fields_desc = [
        *head("Authentication"),
        TextField("equals", b"=", SPACE + rb"=" + SPACE + rb"|"),
        TextField("SecurityParmIndex", b"0x00000000", rb"0[xX][0-9A-Fa-f]*+|"),
        TextField("colon1", b":", rb":|"),
        TextField("SequenceNum", b"0x00000000", rb"0[xX][0-9A-Fa-f]*+|"),
        TextField("colon2", b":", rb":|"),
        TextField("AuthData", b"0x", rb"0[xX][0-9A-Fa-f]*+|"),
        TextField("unread", b"", rb".*"),
    ]


class MIdAddress(Element):
    """An IP address as the name of a gateway or controller, perhaps with a port (domainAddress, H.248.1 Annex B.2)."""

    name = "mId: domainAddress"
    fields_desc = [
        TextField("left", b"[", rb"\["),
        TextField("Address", b"127.0.0.1", rb"[^\]\s]*+"),
        TextField("right", b"]", rb"\]|"),
        ComputedField("colon", b":", rb":|", lambda pkt: bool(pkt.portNumber)),
        TextField("portNumber", b"", rb"[0-9]*+"),
        TextField("unread", b"", rb".*"),
    ]


class MIdDomain(Element):
    """A domain name, perhaps with a port (domainName, H.248.1 Annex B.2)."""

    name = "mId: domainName"
    fields_desc = [
        TextField("left", b"<", rb"<"),
        TextField("domainName", b"mg.example", rb"[^>\s]*+"),
        TextField("right", b">", rb">|"),
        ComputedField("colon", b":", rb":|", lambda pkt: bool(pkt.portNumber)),
        TextField("portNumber", b"", rb"[0-9]*+"),
        TextField("unread", b"", rb".*"),
    ]


class MIdMtp(Element):
    """An MTP address (mtpAddress, H.248.1 Annex B.2)."""

    name = "mId: mtpAddress"
    fields_desc = [
        TextField("MTPToken", b"MTP", rb"[A-Za-z]*+"),
        TextField("left", b"{", SPACE + rb"\{" + SPACE + rb"|"),
        TextField("mtpAddress", b"0000", rb"[0-9A-Fa-f]*+"),
        TextField("right", b"}", SPACE + rb"\}|"),
        TextField("unread", b"", rb".*"),
    ]


class MIdDevice(Element):
    """The name of a device (deviceName, H.248.1 Annex B.2)."""

    name = "mId: deviceName"
    fields_desc = [TextField("deviceName", b"mg", rb".*")]


_MTP = re.compile(rb"(?i:MTP)[ \t\r\n]*+\{")
_MIDS: dict[bytes, type[Packet]] = {b"[": MIdAddress, b"<": MIdDomain}
_MID = re.compile(rb"(?i:MTP)[ \t\r\n]*+\{[^}]*+\}?|\[[^\]\s]*+\]?(?::[0-9]++)?|<[^>\s]*+>?(?::[0-9]++)?|[^\s;{}=]++")
_AUTHENTICATION = re.compile(SPACE + rb"(?i:Authentication|AU)" + SPACE + rb"=" + SPACE + rb"[0-9A-Fa-fxX:]*+")


def _mid(pkt: Any, data: bytes) -> type[Packet]:
    if _MTP.match(data):
        return MIdMtp
    return _MIDS.get(data[:1], MIdDevice)


class Matched(One):
    """A layer of what an expression matches at the front; None where it does not match."""

    __slots__ = ("pattern",)

    def __init__(self, name: str, pattern: re.Pattern[bytes], choose: Any, default: Packet | None = None) -> None:
        Sized.__init__(self, name, default, None)
        self.choose = choose
        self.pattern = pattern

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet | None]:
        """Take the match off the front."""
        found = self.pattern.match(s) if pkt.fields.get("MegacopToken") != b"" else None
        if found is None or not found[0]:
            return s, None
        return s[found.end() :], self.choose(pkt, found[0])(found[0])


# --- commands -------------------------------------------------------------------------------------


def _command(token: str) -> list[Any]:
    return [
        TextField("space", b"", SPACE),
        TextField("optional", b"", rb"[Oo]-|"),
        TextField("wildcard", b"", rb"[Ww]-|"),
        TextField("token", token.encode(), TOKEN),
        TextField("equals", b"=", SPACE + rb"=" + SPACE + rb"|"),
        ValueField("TerminationID", b"ROOT", rb"\[[^\]{}]*+\]|[^ \t\r\n{},;\"]*+"),
        *braces(Parts("descriptors")),
        *tail(),
    ]


class Command(Element):
    """A command or the reply to one; an optional or wildcarded one says so in front (H.248.1 §7.2)."""

    children = by_token({**DESCRIPTORS, "AuditToken": Audit, "ServicesToken": Services})
    other = AuditItem


class Add(Command):
    """Adds a termination to a context (H.248.1 §7.2.1)."""

    name = "Add"
    fields_desc = _command("Add")


class Modify(Command):
    """Changes a termination (H.248.1 §7.2.2)."""

    name = "Modify"
    fields_desc = _command("Modify")


class Subtract(Command):
    """Takes a termination out of its context (H.248.1 §7.2.3)."""

    name = "Subtract"
    fields_desc = _command("Subtract")


class Move(Command):
    """Moves a termination to another context (H.248.1 §7.2.4)."""

    name = "Move"
    fields_desc = _command("Move")


class AuditValue(Command):
    """Asks for the state of terminations (H.248.1 §7.2.5)."""

    name = "AuditValue"
    fields_desc = _command("AuditValue")


class AuditCapability(Command):
    """Asks for the possible values of properties (H.248.1 §7.2.6)."""

    name = "AuditCapability"
    fields_desc = _command("AuditCapability")


class Notify(Command):
    """Tells of events that happened (H.248.1 §7.2.7)."""

    name = "Notify"
    fields_desc = _command("Notify")


class ServiceChange(Command):
    """Registers a gateway, or tells that terminations go out of or into service (H.248.1 §7.2.8)."""

    name = "ServiceChange"
    fields_desc = _command("ServiceChange")


COMMANDS: dict[str, type[Packet]] = {
    "AddToken": Add,
    "ModifyToken": Modify,
    "SubtractToken": Subtract,
    "MoveToken": Move,
    "AuditValueToken": AuditValue,
    "AuditCapToken": AuditCapability,
    "NotifyToken": Notify,
    "ServiceChangeToken": ServiceChange,
}
"""Commands by the rule of their token."""


# --- actions and transactions ---------------------------------------------------------------------


class ContextProperty(Element):
    """Priority, emergency or IEPS indication of a context (H.248.1 §6.1.1)."""

    name = "contextProperty"
    fields_desc = [*head("Priority"), *valued("property_value", tables={b"": BOOLEANS}), *tail()]


class ContextAttr(Element):
    """Properties of packages that a context has, or a list of contexts (H.248.1 §6.1.1)."""

    name = "ContextAttr"
    other = PropertyParm
    fields_desc = [*head("ContextAttr"), *braces(Parts("contextAttrs"), always=True), *tail()]


class ContextAudit(Element):
    """Properties of a context that are asked for (H.248.1 §7.2.5)."""

    name = "ContextAudit"
    other = PropertyParm
    fields_desc = [*head("ContextAudit"), *braces(Parts("contextAuditProperties"), always=True), *tail()]


class Action(Element):
    """What is done in one context, or the reply (H.248.1 §8.1)."""

    name = "Action"
    children = by_token(
        {
            **COMMANDS,
            "TopologyToken": Topology,
            "PriorityToken": ContextProperty,
            "EmergencyToken": ContextProperty,
            "EmergencyOffToken": ContextProperty,
            "IEPSToken": ContextProperty,
            "ContextAttrToken": ContextAttr,
            "ContextAuditToken": ContextAudit,
            "ErrorToken": ErrorDescriptor,
        }
    )
    numbers = {"ContextID": UINT32}
    instead = frozenset(CONTEXTS)
    fields_desc = [
        *head("Context"),
        *valued("ContextID", b"-", tables={b"": CONTEXTS}),
        *braces(Parts("commands")),
        *tail(),
    ]


_ACTIONS = {"CtxToken": Action, "ErrorToken": ErrorDescriptor}


class TransactionRequest(Element):
    """Actions that are asked for (H.248.1 §8.2.1)."""

    name = "TransactionRequest"
    children = by_token(_ACTIONS)
    separated = False
    numbers = {"TransactionID": UINT32}
    fields_desc = [
        *head("Transaction"),
        *valued("TransactionID", b"1"),
        *braces(Parts("actions"), always=True),
        *tail(),
    ]


def _segment(token: str, inside: str) -> list[Any]:
    return [
        *head(token),
        *valued("TransactionID", b"1", pattern=rb"[^ \t\r\n{},;/\"]*+"),
        TextField("slash", b"", rb"/|"),
        TextField("segmentNumber", b"", rb"[0-9]*+"),
        TextField("segmentationComplete", b"", rb"/(?i:END|&)|"),
        *braces(Parts(inside), always=bool(inside == "actions")),
        *tail(),
    ]


class TransactionReply(Element):
    """The reply to a request, or a segment of it (H.248.1 §8.2.2)."""

    name = "TransactionReply"
    children = by_token(_ACTIONS)
    separated = False
    numbers = {"TransactionID": UINT32}
    fields_desc = _segment("Reply", "actions")


class SegmentReply(Element):
    """Acknowledges a segment of a reply (H.248.1 §8.2.2)."""

    name = "SegmentReply"
    separated = False
    numbers = {"TransactionID": UINT32}
    fields_desc = _segment("Segment", "nothing")


class TransactionPending(Element):
    """Says that a request is still being worked on (H.248.1 §8.2.3)."""

    name = "TransactionPending"
    separated = False
    numbers = {"TransactionID": UINT32}
    fields_desc = [
        *head("Pending"),
        *valued("TransactionID", b"1"),
        *braces(Parts("nothing"), always=True),
        *tail(),
    ]


class TransactionAck(Element):
    """One transaction, or a range of them (transactionAck, H.248.1 Annex B.2)."""

    name = "transactionAck"
    numbers = {"firstAck": UINT32}
    fields_desc = [
        TextField("space", b"", SPACE),
        TextField("firstAck", b"1", rb"[0-9]*+"),
        ComputedField("hyphen", b"-", SPACE + rb"-" + SPACE + rb"|", lambda pkt: bool(pkt.lastAck)),
        TextField("lastAck", b"", rb"[0-9]*+"),
        *tail(),
    ]


class TransactionResponseAck(Element):
    """Replies that were received (H.248.1 §8.2.4)."""

    name = "TransactionResponseAck"
    other = TransactionAck
    separated = False
    fields_desc = [*head("TransactionResponseAck"), *braces(Parts("transactionAcks"), always=True), *tail()]


class H248(Element):
    """An H.248 message in text (H.248.1 §8.3, Annex B.2)."""

    name = "H248"
    children = by_token(
        {
            "TransToken": TransactionRequest,
            "ReplyToken": TransactionReply,
            "PendingToken": TransactionPending,
            "ResponseAckToken": TransactionResponseAck,
            "MessageSegmentToken": SegmentReply,
            "ErrorToken": ErrorDescriptor,
        }
    )
    numbers = {"Version": 99}
    fields_desc = [
        Matched("authenticationHeader", _AUTHENTICATION, lambda pkt, data: AuthenticationHeader),
        TextField("space", b"", SPACE),
        TextField("MegacopToken", b"MEGACO", rb"(?i:MEGACO|!)(?=/)|"),
        TextField("slash", b"/", rb"/|"),
        TextField("Version", b"3", rb"[0-9]{0,2}"),
        TextField("separator", b" ", SPACE),
        Matched("mId", _MID, _mid, MIdAddress()),
        TextField("separator2", b"\r\n", SPACE),
        Parts("messageBody"),
        TextField("trailing", b"", SPACE),
        TextField("unread", b"", rb".*"),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: Any = None, *_: Any, **__: Any) -> type[Packet]:
        """By the first octets: text, BER, or a TPKT around either."""
        if isinstance(_pkt, bytes | bytearray):
            if is_binary(bytes(_pkt[:16]), len(_pkt)):
                return H248Binary
            if _pkt[:1] == b"\x03" and len(_pkt) >= TPKT_HEADER:
                return TPKT
        return cls

    def opened(self) -> bool:
        """Whether transactions can follow: the message begins as one."""
        return bool(self.fields.get("MegacopToken")) and self.fields.get("mId") is not None

    def troubles(self) -> Iterator[str]:
        """A message that does not begin as one, has no name of its sender, or nothing in it."""
        if not self.MegacopToken:
            yield "does not begin with MEGACO/ or !/"
        elif self.mId is None:
            yield "no mId behind the version"
        elif not self.messageBody:
            yield "no transaction and no error"
        yield from super().troubles()

    def mysummary(self) -> str:
        """Version and kinds of transaction."""
        kinds = ", ".join(str(one.name) for one in self.messageBody or ())
        return f"H248 {bytes(self.Version).decode('latin-1')} {kinds}"


# --- TPKT -----------------------------------------------------------------------------------------


class TPKTLength(Length):
    """The length of a TPKT with its header (RFC 1006 §6)."""

    __slots__: list[str] = []
    checked = False

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length; the header counts."""
        if val is None:
            val = TPKT_HEADER + len(b"" if pkt.message is None else bytes(pkt.message))
        return super().addfield(pkt, s, val)


class TPKT(Layer):
    """The frame around a message on TCP (RFC 1006 §6, H.248.1 Annex D.2)."""

    name = "TPKT"
    fields_desc = [
        Number("vrsn", TPKT_VERSION, 1),
        Number("reserved", 0, 1),
        TPKTLength("packet_length", "message", 2),
        One("message", lambda pkt: max(pkt.packet_length - TPKT_HEADER, 0), lambda pkt, data: _message(data)),
    ]

    def troubles(self) -> Iterator[str]:
        """Another version, or a length that is not that of the message."""
        if self.vrsn != TPKT_VERSION:
            yield f"vrsn is {self.vrsn}, not 3"
        there = TPKT_HEADER + len(b"" if self.message is None else bytes(self.message))
        if isinstance(self.packet_length, int) and self.packet_length != there:
            yield f"packet_length says {self.packet_length} octets, {there} are there"


def _message(data: bytes) -> type[Packet]:
    return H248Binary if is_binary(data[:16], len(data)) else H248Text


class H248Text(H248):
    """A message in text inside a TPKT, whose own first octets say nothing of a frame (H.248.1 §8.3)."""


def _tpkts(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for _ in range(MAX_ITEMS):
        found = next_tpkt(data, at)
        if found is None:
            break
        yield TPKT, data[at : found[1]]
        at = found[1]
    if at < len(data):
        yield Raw, data[at:]


class TPKTs(Layer):
    """Messages of a TCP stream, each in its TPKT (RFC 1006 §6)."""

    name = "TPKTs"
    fields_desc = [Packets("tpkts", None, _tpkts)]
