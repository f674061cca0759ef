"""What passed and could not be read although it is signalling, or may be: each with its gap (rules.md 0.6, 19.1.1).

The reasons are few and fixed, so that thousands of cut messages are one line in a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.sip.parse import LENGTH_DIGITS
from imsinspect.capture import classify
from imsinspect.capture.decode import UDP
from imsinspect.capture.identity import endpoints, reverse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sip.body import BodyPart
    from dissectors.sip.parse import SipMessage
    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.fragments import Fragments
    from imsinspect.trace.scan import Scan

CUT = "SIP messages are cut by the snap length"
LOST = "octets of connections that carry SIP are not in the capture"
UNFINISHED = "SIP messages do not end within the capture"
TOO_LONG = "connections that carry SIP are too long to be read to their end"
FRAGMENTS = "IP fragments of SIP messages are not in the capture"
SIGCOMP = "SigComp, not decoded"
ENCRYPTED = "SIP bodies are encrypted (S/MIME)"
SEALED = "SIP bodies are wrapped in S/MIME, which was not opened"
ENCODED = "SIP bodies have encodings that could not be undone"

GAPS = {
    **dict.fromkeys((CUT, LOST, UNFINISHED, TOO_LONG, FRAGMENTS), "N-FRAG"),
    **dict.fromkeys((SIGCOMP, ENCRYPTED, SEALED, ENCODED), "N-SIP"),
}
"""The gap that each reason is."""

DESCRIBING = frozenset(
    (b"INVITE", b"ACK", b"PRACK", b"UPDATE")
)  # methods that carry offers and answers (RFC 6337 §2.2)
SMIME = frozenset((b"application/pkcs7-mime", b"application/x-pkcs7-mime"))  # RFC 8551 §3.2
READABLE_SMIME = frozenset((b"certs-only",))
HOLDING = frozenset((b"", b"application/sdp", b"message/sip", b"message/sipfrag", *SMIME))  # types that may hold SDP
SIP_PORTS = range(5060, 5091)  # on which a datagram that no text begins like is taken for SigComp


class Compressed(NamedTuple):
    """The SigComp datagrams of one flow."""

    frame: int  # of the first
    datagrams: int
    source: Endpoint
    destination: Endpoint


def lacks_description(sip: SipMessage) -> bool:
    """Whether a message that was cut lacks octets that may be of a session description."""
    if not sip.head.endswith((b"\n\r\n", b"\n\n")):
        return True
    lengths = sip.header(b"content-length")
    if (
        lengths
        and lengths[0].isdigit()
        and lengths[0].lstrip(b"0") == (str(len(sip.body)).encode() if sip.body else b"")
    ):
        return False
    types = sip.header(b"content-type")
    return not types or _may_hold(types[0].partition(b";")[0].strip().lower())


def body_is_cut(sip: SipMessage) -> bool:
    """Whether the headers declare a longer body than is there."""
    lengths = sip.header(b"content-length")
    digits = lengths[0].strip() if lengths else b""
    return digits.isdigit() and len(digits) <= LENGTH_DIGITS and int(digits) > len(sip.body)


def hidden_description(sip: SipMessage, parts: list[BodyPart]) -> str:
    """Why the description that a message may carry can't be read; "" if it can, or none is expected.

    Bodies of NOTIFY and MESSAGE are meant to be S/MIME in the profiles with a KMS (rules.md IMS-SIG-019).
    """
    if sip.cseq_method not in DESCRIBING or any(part.is_sdp and part.readable for part in parts):
        return ""
    for part in parts:
        if part.content_type in SMIME:
            kind = part.parameters.get(b"smime-type", b"").lower()
            if kind not in READABLE_SMIME:
                return SEALED if kind == b"signed-data" else ENCRYPTED
        if part.content_type == b"multipart/encrypted":
            return ENCRYPTED
        if not part.readable and _may_hold(part.content_type):
            return ENCODED
    return ""


def _may_hold(content_type: bytes) -> bool:
    return content_type in HOLDING or content_type.startswith(b"multipart/")


class StreamWatch:
    """Sees the chunks of a connection of SIP go by: a message that begins and never ends is told at the end."""

    def __init__(self) -> None:
        self.begun: dict[bool, int] = {}  # by direction: the frame in which a message began that is not whole yet

    def chunks(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks."""
        for chunk in chunks:
            if chunk.gap:
                self.begun.pop(chunk.forward, None)  # the hole itself is told
            if chunk.forward not in self.begun and classify.datagram_kind(chunk.data) == classify.SIP:
                self.begun[chunk.forward] = chunk.frame
            yield chunk

    def whole(self, forward: bool) -> None:
        """A message of that direction became whole."""
        self.begun.pop(forward, None)


def unfinished_datagrams(fragments: Fragments) -> Iterator[int]:
    """A frame of each packet that lacks IP fragments and begins like a SIP datagram."""
    for group in fragments.sets.values():
        first = group.parts.get(0)
        if first is None or group.first is None or group.first.protocol != UDP:
            continue
        if classify.datagram_kind(first[0][8:]) == classify.SIP:
            yield first[1]


def compressed(scans: list[Scan]) -> Iterator[Compressed]:
    """SigComp by flow: datagrams no text begins like, on ports of SIP or between ends that also exchange SIP."""
    if not any(scan.found.compressed for scan in scans):
        return
    carrying: set[bytes] = set()
    for scan in scans:
        for flow in {each.flow for each in scan.found.signalling.datagrams}:
            identity = scan.found.flows.identity[flow].tobytes()
            carrying |= {identity, reverse(identity)}
    for scan in scans:
        for flow, (frame, count) in scan.found.compressed.items():
            identity = scan.found.flows.identity[flow].tobytes()
            source, destination = endpoints(identity)
            if source.port in SIP_PORTS or destination.port in SIP_PORTS or identity in carrying:
                yield Compressed(frame, count, source, destination)
