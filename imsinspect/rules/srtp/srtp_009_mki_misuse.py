"""IMS-SRTP-009."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import agreement, counted, direction, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.rules.srtp.selection import SdesLine, has_crypto, sdes_lines, words
from imsinspect.trace.proof_words import MKI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.trace.model import Call, MediaLine, Proof, StreamUse, Trace

MANY = 200  # keys of one crypto line
MAX_LINES = 32  # of one section
LONGEST = 128  # octets of an MKI (RFC 4568 §6.1)
SHOWN = 4


@rule(
    id="IMS-SRTP-009",
    name="mki-misuse",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=("ALL",),
    references=("RFC 4568 §6.1", "RFC 3711 §3.1", "RFC 3711 §8.1"),
    needs=(CALLS,),
)
def mki_misuse(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MKI handling differs from the negotiation.

    What it checks:
        The a=crypto lines of offers and answers: where a line holds several keys each needs an MKI of its own, all of
        one length, which is at most 128 octets; a line with hundreds of keys is an attack on its reader. Then the
        packets, verified with the agreed keys: they must carry exactly the MKI that was signalled, or none. The SPI of
        MIKEY is an MKI as well.
    Why it matters:
        Without an MKI, or with the wrong one, a receiver takes the wrong key or none. No tag covers an MKI: octets that
        nobody signalled are a channel that no receiver looks into.
    What the finding shows:
        The lines with lengths and values of their MKIs, or the packets that verify only with another MKI than the
        signalled one.
    How to fix it:
        Offer one key without an MKI, or give every key an MKI of one length, and append exactly that to each packet.
    When it is not assessed:
        N-KEY: keys were masked, or no packet of the line could be verified, so that what stands between payload and tag
        is not known. N-MED: no packets of the line were seen. N-SIP: ESP or TLS that could not be opened may hold the
        signalling, or there is no SIP beside media. N-FRAG: signalling that was cut.
    """
    for call in trace.calls:
        told: set[tuple[object, ...]] = set()
        for line in call.lines:
            fault = _signalled(trace, call, line)
            if fault is not None and (line.index, fault.role, fault.normalised) not in told:
                told.add((line.index, fault.role, fault.normalised))
                yield fault
    lines: list[SdesLine | MikeyLine] = [*sdes_lines(trace, scene), *mikey_lines(trace, scene)]
    for each in lines:
        yield from _carried(trace, each)


# --- what is signalled ----------------------------------------------------------------------------


def _signalled(trace: Trace, call: Call, line: MediaLine) -> Outcome | None:
    for state in line.states:
        negotiation = state.negotiation
        sides = [("offerer", negotiation.offer.message.frame, state.offered)]
        if state.answered is not None and negotiation.answer is not None:
            sides.append(("answerer", negotiation.answer.message.frame, state.answered))
        for role, frame, media in sides:
            for crypto in media.crypto[:MAX_LINES] if has_crypto(media) else ():
                what = _misuse(crypto)
                if what:
                    return _wrong_line(trace, call, line, role, frame, media, crypto, what)
    return None


def _misuse(line: Crypto) -> str:
    """What is wrong with the MKIs of a line; "" if nothing is."""
    if line.error == f"MKI length above {LONGEST}":
        return f"an MKI of more than {LONGEST} octets"
    keys = line.keys
    if len(keys) > MANY:
        return f"{len(keys)} keys in one line"
    if len(keys) < 2:
        return ""
    without = sum(key.mki is None for key in keys)
    if without:
        return f"{len(keys)} keys, {without} of them without an MKI"
    lengths = sorted({key.mki_length for key in keys})
    if len(lengths) > 1:
        return f"MKIs of {' and '.join(map(str, lengths[:SHOWN]))} octets in one line"
    if len({key.mki for key in keys}) < len(keys):
        return "one MKI for two keys"
    return ""


def _wrong_line(
    trace: Trace, call: Call, line: MediaLine, role: str, frame: FrameId, media: Media, crypto: Crypto, what: str
) -> Outcome:
    expected = "an MKI for each key, all of one length of at most 128 octets"
    marks = ", ".join("none" if key.mki is None else f"{key.mki}:{key.mki_length}" for key in crypto.keys[:SHOWN])
    more = " …" if len(crypto.keys) > SHOWN else ""
    return Outcome(
        "violation",
        Subject("media", line.id),
        title=f"a=crypto with {what}",
        message=(
            f"The {role}'s a=crypto line {words(crypto)} for {text(media.type)} line {line.index} of {call.id} in "
            f"{frame_text(trace, frame)} has {what} (MKI: {marks or 'none'}{more}). A receiver can't tell which key a "
            "packet is protected with. Not checked: whether the line is used."
        ),
        evidence=(
            Evidence(frame, f"SDP a=crypto:{crypto.tag}, m= line {line.index}", f"{what}: {marks}{more}", expected),
        ),
        role=role,
        media=media_name(media),
        normalised=(what, expected),
    )


# --- what packets carry ---------------------------------------------------------------------------


def _carried(trace: Trace, each: SdesLine | MikeyLine) -> Iterator[Outcome]:
    """One outcome for each direction: what its packets show."""
    directions: dict[bytes | str, Outcome] = {}
    for use in (*each.line.streams, *each.line.rtcp):
        proof, side = use.stream.proof, use.party or use.sender
        if proof is None:
            continue
        if MKI in proof.diagnoses:
            if side not in directions or directions[side].verdict == "pass":
                directions[side] = _wrong_packets(trace, each, use, proof)
        elif proof.verified:
            directions.setdefault(side, Outcome("pass", each.subject))
    if directions:
        yield from directions.values()
    elif isinstance(each, SdesLine) and each.masked:
        yield not_assessed(each.subject, "N-KEY", "keys were masked before the capture was handed on")
    elif each.line.streams or each.line.rtcp:
        yield not_assessed(each.subject, "N-KEY", "no packet verified, so that what stands before its tag is not known")
    else:
        yield not_assessed(each.subject, "N-MED", "no packets of the line were seen")


def _wrong_packets(trace: Trace, each: SdesLine | MikeyLine, use: StreamUse, proof: Proof) -> Outcome:
    stream, way = use.stream, direction(use)
    shown = [failure for failure in proof.failures if failure.diagnosis == MKI]
    run = next((one for one in proof.uses if one.relation == MKI), None)
    first = shown[0].frame if shown else run.first if run is not None else stream.first.frame
    detail = shown[0].detail if shown else "another MKI than the signalled one"
    count = proof.diagnoses[MKI]
    expected = "the MKI that was signalled"
    agreed = each.selected[0].evidence(expected) if isinstance(each, SdesLine) else agreement(each.state)
    evidence = [*agreed, Evidence(first, "MKI", detail, expected)]
    if run is not None and run.last != first:
        evidence.append(Evidence(run.last, "MKI", detail, expected))
    return Outcome(
        "violation",
        each.subject,
        title=f"Packets with {detail}",
        message=(
            f"{counted(count, 'packet')} on {each.place}, {way or 'direction unknown'} ({stream.source} to "
            f"{stream.destination}), SSRC 0x{stream.ssrc:08x}, from {frame_text(trace, first)}: {detail}. They verify "
            "with the key of the line all the same: a receiver that keeps to the agreement drops them or looks for a "
            "key that is not there. Told by their tags."
        ),
        evidence=tuple(evidence),
        role=use.sender,
        media=each.media,
        direction=way,
        fact=stream.id,
        normalised=(detail, expected),
    )
