"""What stands below the arrows of a ladder: media lines with offer and answer, streams, keys."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report import marks
from imsinspect.report.escape import text
from imsinspect.report.ladder_drafts import DIGEST, KEYS_SHOWN
from imsinspect.report.ladder_model import Agreement, AgreementRow, KeyFacts, LineFacts, StreamFacts
from imsinspect.report.page import counted
from imsinspect.report.protection import agreed, claim
from imsinspect.report.words import line_words
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import Call, KeyPlace, LineState, MasterKey, MediaLine, Proof, RtcpSource, Trace

AGREEMENTS = 3  # of a line
STREAMS = 12  # of a line
PLACES = 6  # of a key
FINGERPRINT = 8  # octets


def frame_words(frame: FrameId, captures: int) -> str:
    """`12`, or `2:12` where there are several captures."""
    number = frame_number(frame)
    return str(number) if captures < 2 else f"{capture_index(frame) + 1}:{number}"


# --- media lines ----------------------------------------------------------------------------------


def line_facts(line: MediaLine, ends: Mapping[tuple[str, str], tuple[int, int]]) -> LineFacts:
    """A media line with its last agreements and its streams; `ends` are the lifelines of each stream."""
    secure = claim(line).secure
    uses = [use.stream for use in chain(line.streams, line.rtcp)]
    return LineFacts(
        line.id,
        line_words(line),
        tuple(_agreement(state) for state in line.states[-AGREEMENTS:]),
        max(len(line.states) - AGREEMENTS, 0),
        tuple(_stream(each, line, secure, ends) for each in uses[:STREAMS]),
        max(len(uses) - STREAMS, 0),
    )


def where(agreement: Agreement, captures: int) -> str:
    """`offer in frame 1, answer in frame 4`."""
    offer = f"offer in frame {frame_words(agreement.offer, captures)}"
    return offer if agreement.answer is None else f"{offer}, answer in frame {frame_words(agreement.answer, captures)}"


def _agreement(state: LineState) -> Agreement:
    offer, answer = state.negotiation.offer, state.negotiation.answer
    rows = (
        AgreementRow(label, said(state.offered), said(state.answered) if state.answered is not None else "")
        for label, said in _PROPERTIES
    )
    return Agreement(
        offer.message.frame,
        None if answer is None else answer.message.frame,
        tuple(row for row in rows if row.offer or row.answer),
        agreed(state),
    )


def _address(media: Media) -> str:
    host = text(media.connection)
    return f"{f'[{host}]' if ':' in host else host}:{media.port}"


def _crypto(media: Media) -> str:
    shown = []
    for crypto in media.crypto[: 2 * KEYS_SHOWN]:
        keys = ", ".join(key.digest for key in crypto.keys[:KEYS_SHOWN])
        more = " ".join(text(each) for each in crypto.session_params[:KEYS_SHOWN])
        shown.append(f"{crypto.tag} {text(crypto.suite)} key {keys or 'unreadable'}" + (f" {more}" if more else ""))
    left = len(media.crypto) - len(shown)
    return "; ".join([*shown, *([f"{left} more"] if left else [])])


def _key_mgmt(media: Media) -> str:
    return "; ".join(
        f"{text(each.protocol)}, {each.error or counted(len(each.data), 'octet')}"
        for each in media.key_mgmt_in_force[:KEYS_SHOWN]
    )


def _fingerprint(media: Media) -> str:
    return "; ".join(
        f"{text(each.hash_function)} {each.digest[:FINGERPRINT].hex(':').upper()}…"
        for each in media.fingerprints[:KEYS_SHOWN]
    )


_PROPERTIES: tuple[tuple[str, Callable[[Media], str]], ...] = (
    ("address", _address),
    ("transport", lambda media: text(media.proto)),
    ("direction", lambda media: text(media.direction)),
    ("a=crypto", _crypto),
    ("a=key-mgmt", _key_mgmt),
    ("fingerprint", _fingerprint),
    ("setup", lambda media: text(media.setup)),
)


def _stream(
    stream: MediaStream | RtcpSource, line: MediaLine, secure: bool, ends: Mapping[tuple[str, str], tuple[int, int]]
) -> StreamFacts:
    is_media = isinstance(stream, MediaStream)
    if isinstance(stream, MediaStream):
        judgement = stream.judgement
        judged = ", ".join(filter(None, (judgement.confidence, text(judgement.observed))))
        mark, lost = marks.of_stream(stream, secure), stream.lost
    else:
        judged = f"{stream.plain} in clear" if stream.plain else ""
        mark, lost = marks.of_control(stream, secure), None
    return StreamFacts(
        stream.id,
        claim(line).media or "media" if is_media else "RTCP",
        *ends["stream" if is_media else "rtcp", stream.id],
        (str(stream.source), str(stream.destination)),
        stream.ssrc,
        stream.packets,
        lost,
        stream.first.frame,
        stream.last.frame,
        judged,
        _proof(stream.proof),
        mark,
    )


def _proof(proof: Proof | None) -> str:
    if proof is None:
        return "unchecked: no key known"
    keys = f" with key {proof.key[:DIGEST]}" if proof.key else ""
    why = f" ({text(proof.diagnosis)})" if proof.diagnosis else ""
    counts = [f"verified {proof.verified}{keys}", f"failed {proof.failed}{why}"]
    counts += [f"replayed {proof.replayed}"] if proof.replayed else []
    counts += [f"unchecked {proof.unchecked}"] if proof.unchecked else []
    return ", ".join(counts)


# --- keys -----------------------------------------------------------------------------------------


def key_facts(trace: Trace, calls: Sequence[Call]) -> Iterator[KeyFacts]:
    """The master keys that these calls name, or that verify something of theirs."""
    ids = {call.id for call in calls}
    lines = [line for call in calls for line in call.lines]
    streams = {use.stream.id for line in lines for use in chain(line.streams, line.rtcp)}
    found = [
        (key, [place for place in key.places if place.call in ids or (not place.call and own)])
        for key in trace.keys
        for own in [not streams.isdisjoint(key.streams)]
        if own or any(place.call in ids for place in key.places)
    ]
    parties = _parties(calls) if found else {}
    for key, places in found:
        yield KeyFacts(
            key.digest[:DIGEST],
            text(key.suite),
            tuple(_place(each, parties, len(trace.captures)) for each in islice(places, PLACES)),
            max(len(places) - PLACES, 0),
            _use(key),
        )


def _place(place: KeyPlace, parties: dict[bytes, str], captures: int) -> str:
    where = "in the key file" if place.frame is None else f"in frame {frame_words(place.frame, captures)}"
    what = f"DTLS handshake {text(place.field)}" if place.kind == "dtls" else text(place.field) or place.kind
    parts = [f"{what} {where}", parties.get(place.party, ""), place.line]
    return ", ".join(filter(None, [*parts, "" if place.agreed else "offered only"]))


def _parties(calls: Iterable[Call]) -> dict[bytes, str]:
    """Who has which dialog tag."""
    named: dict[bytes, bytes] = {}
    for call in calls:
        for message in call.messages:
            named.setdefault(message.sip.from_tag, message.sip.from_)
            named.setdefault(message.sip.to_tag, message.sip.to)
    return {tag: text(uri_of(value)) for tag, value in named.items() if tag}


def _use(key: MasterKey) -> str:
    verified = [
        f"{count} {what}" for count, what in ((key.srtp_packets, "SRTP"), (key.srtcp_packets, "SRTCP")) if count
    ]
    return f"verifies {' and '.join(verified)} packets" if verified else "verifies nothing that was seen"
