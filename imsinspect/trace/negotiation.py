"""Offers and answers of one Call-ID (RFC 3264; RFC 3261 §13.2.1; RFC 3262 §5; RFC 3311 §5; RFC 6337).

Each hop is read alone: an answer is only taken from where the offer went, so legs of a B2BUA and both sides of an
IMS-ALG are never paired with one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.trace.dialogs import Tags, Transaction, Way, tags_of
from imsinspect.trace.model import Description, Negotiation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.sdp.parse import SessionDescription
    from imsinspect.trace.dialogs import Session
    from imsinspect.trace.model import SignallingMessage

Content = tuple[bytes, ...]
"""The octets of a session description: the session's lines, then each media section."""

Step = tuple[bytes, int, bytes, int]
"""What one exchange has in common on all hops: From tag, CSeq and method of the request, and its rank in it."""

SEALED = (b"application/pkcs7-mime", b"application/x-pkcs7-mime")  # a description may be hidden inside


@dataclass(slots=True)
class Exchange:
    """A negotiation with where it stands in its dialog."""

    negotiation: Negotiation
    step: Step
    tags: Tags
    way: Way  # from the side of tags[0] to the side of tags[1]
    in_dialog: bool
    refused_at: int | None  # when a final response refused the request

    @property
    def offered(self) -> Content:
        """Octets of the offer."""
        return content(self.negotiation.offer.sdp)

    @property
    def answered(self) -> Content | None:
        """Octets of the answer."""
        answer = self.negotiation.answer
        return content(answer.sdp) if answer is not None else None


def content(sdp: SessionDescription) -> Content:
    """The octets of a session description, to be compared."""
    return (sdp.session.text, *[media.section.text for media in sdp.media])


def negotiate(call_id: bytes, session: Session) -> list[Exchange]:
    """All exchanges of one Call-ID on all hops, in order of their requests."""
    out: list[Exchange] = []
    used: set[int] = set()  # PRACK requests that carried an answer
    for transaction in session.transactions:
        if transaction.method == b"INVITE":
            _invite(call_id, transaction, out, used)
        elif transaction.method in (b"UPDATE", b"PRACK") and id(transaction.request) not in used:
            _simple(call_id, transaction, out)
    return out


def _description(message: SignallingMessage) -> Description | None:
    return Description(message, message.sdp[0]) if message.sdp else None


def _exchange(
    transaction: Transaction, negotiation: Negotiation, peer: bytes, rank: int, refused_at: int | None
) -> Exchange:
    """`peer` is the tag of the side that the request went to; b"" while it is unknown."""
    tags = tags_of(transaction.from_tag, peer)
    way = transaction.way if tags[0] == transaction.from_tag else (transaction.way[1], transaction.way[0])
    step = (transaction.from_tag, transaction.cseq, transaction.method, rank)
    return Exchange(negotiation, step, tags, way, transaction.in_dialog, refused_at)


def _invite(call_id: bytes, transaction: Transaction, out: list[Exchange], used: set[int]) -> None:
    request = transaction.request
    by_tag: dict[bytes, list[SignallingMessage]] = {}
    for response in transaction.responses:
        if response.sdp and 100 < response.sip.status < 300 and response.sip.to_tag:
            by_tag.setdefault(response.sip.to_tag, []).append(response)
    offer = _description(request) if request is not None else None
    if offer is not None:
        _answers(call_id, transaction, offer, by_tag, out)
        return
    answers: dict[bytes, list[SignallingMessage]] = {}
    for message in (*transaction.pracks, *transaction.acknowledgements):
        if message.sdp:
            answers.setdefault(message.sip.to_tag, []).append(message)
    for tag, responses in by_tag.items():
        _late_offer(call_id, transaction, responses, answers.get(tag, ()), out, used)


def _answers(
    call_id: bytes,
    transaction: Transaction,
    offer: Description,
    by_tag: dict[bytes, list[SignallingMessage]],
    out: list[Exchange],
) -> None:
    """Offer in INVITE: answered in a reliable 18x or in the 2xx, previewed in unreliable 18x, for each To tag."""
    refused_at = transaction.refused_at
    rejected = refused_at is not None
    for tag, responses in by_tag.items():
        current: Negotiation | None = None
        said: Content = ()
        rank = 0
        for response in responses:
            answer = Description(response, response.sdp[0])
            settled = response.sip.status >= 200 or _reliable(response)
            if current is None or content(answer.sdp) != said:
                current = Negotiation(
                    call_id, transaction.from_tag, tag, offer, answer, rejected=rejected, provisional=not settled
                )
                said = content(answer.sdp)
                out.append(_exchange(transaction, current, tag, rank, refused_at))
                rank += 1
            elif settled:
                current.provisional = False
            if settled:
                break
    if not by_tag:
        peer = transaction.request.sip.to_tag if transaction.request is not None else b""
        negotiation = Negotiation(call_id, transaction.from_tag, b"", offer, rejected=rejected)
        out.append(_exchange(transaction, negotiation, peer, 0, refused_at))


def _late_offer(
    call_id: bytes,
    transaction: Transaction,
    responses: list[SignallingMessage],
    answers: Sequence[SignallingMessage],
    out: list[Exchange],
    used: set[int],
) -> None:
    """INVITE without a description: offer in a reliable 18x answered in its PRACK, or in the 2xx answered in ACK.

    `responses` and `answers` are those of one To tag that carry descriptions.
    """
    request = transaction.request
    refused_at = transaction.refused_at
    first = next((each for each in responses if each.sip.status >= 200 or _reliable(each)), None)
    if first is None:
        return
    tag = first.sip.to_tag
    number = first.sip.header(b"rseq")[0] if first.sip.status < 200 else b""
    answer: Description | None = None
    for message in answers:
        if _names(message, number) if number else message.sip.method == b"ACK":
            answer = _description(message)
            used.add(id(message))
            break
    assumed = answer is None and (request is None or request.sip.content_type in SEALED)
    negotiation = Negotiation(
        call_id,
        tag,
        transaction.from_tag if answer is not None else b"",
        Description(first, first.sdp[0]),
        answer,
        rejected=refused_at is not None,
        offer_assumed=assumed,
    )
    out.append(_exchange(transaction, negotiation, tag, 0, refused_at))


def _simple(call_id: bytes, transaction: Transaction, out: list[Exchange]) -> None:
    """UPDATE and PRACK: the request offers, its 2xx answers."""
    answer: Description | None = None
    for response in transaction.responses:
        if response.sdp and 200 <= response.sip.status < 300:
            answer = _description(response)
            break
    offer = _description(transaction.request) if transaction.request is not None else None
    peer = transaction.first.sip.to_tag
    refused_at = transaction.refused_at
    rejected = refused_at is not None
    if offer is not None:
        answerer = peer if answer is not None else b""
        negotiation = Negotiation(call_id, transaction.from_tag, answerer, offer, answer, rejected=rejected)
    elif answer is not None and transaction.request is None:
        negotiation = Negotiation(call_id, peer, b"", answer, rejected=rejected, offer_assumed=True)
    else:
        return
    out.append(_exchange(transaction, negotiation, peer, 0, refused_at))


def _reliable(response: SignallingMessage) -> bool:
    """A provisional response that is acknowledged with PRACK (RFC 3262 §3)."""
    return b"rseq" in response.sip.head.lower() and bool(response.sip.header(b"rseq"))


def _names(prack: SignallingMessage, number: bytes) -> bool:
    """Whether a PRACK's RAck names the response of that RSeq (RFC 3262 §7.2)."""
    rows = prack.sip.header(b"rack")
    return bool(rows) and rows[0].split()[:1] == [number.strip()]
