"""IMS-SRTP-008."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.rules.facts import crypto_text, frame_text, media_name, not_assessed, suite_name, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.selection import has_crypto
from imsinspect.rules.srtp.trivial_keys import trivial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Confidence
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")
MAX_LINES = 32  # of one section
MAX_FOUND = 8  # faults named in one finding


class _Section(NamedTuple):
    """The crypto lines of one party in one message."""

    role: str
    party: bytes
    frame: FrameId
    media: Media


class _Fault(NamedTuple):
    frame: FrameId
    line: Crypto
    what: str
    expected: str
    confidence: Confidence


@rule(
    id="IMS-SRTP-008",
    name="crypto-key-length-invalid",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("RFC 4568 §6.1", "RFC 4568 §6.2"),
    needs=(CALLS,),
)
def crypto_key_length_invalid(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Inline key has the wrong length.

    What it checks:
        Every inline key of every a=crypto line in offers and answers, FEC keys included: decoded, with or without
        base64 padding, master key and salt must have exactly the octets that the suite asks for. Keys that nobody drew
        at random are found too: all octets equal, counting, a repeated pattern, text, hexadecimal digits as text, or
        a key printed in a specification. One outcome stands for what one party says of one media line.
    Why it matters:
        A line with a wrong length is invalid; who accepts it all the same cuts the key or fills it up, and both sides
        may do so differently. A key that can be guessed protects nothing.
    What the finding shows:
        The frame, tag and suite, the length seen and the one that is needed, or what is trivial about the key. Of the
        key itself only the first 8 hex digits of its SHA-256 are shown.
    How to fix it:
        Draw key and salt from a cryptographic random generator for each line, in the length of its suite, and encode
        the octets themselves, not a text that stands for them.
    When it is not assessed:
        N-KEY: keys were masked before the capture was handed on, or a suite is in no registry, so that the length of
        its keys is not known. N-SIP: ESP or TLS that could not be opened may hold the signalling, or there is no SIP
        beside media. N-FRAG: signalling that was cut.
    """
    for call in trace.calls:
        if scene.covers(call.id, PROFILES) is False:
            continue
        seen: set[tuple[object, ...]] = set()
        for line in call.lines:
            parties: dict[bytes, list[_Section]] = {}
            for section in _sections(line):
                parties.setdefault(section.party, []).append(section)
            for party, sections in parties.items():
                # Hops carry the same lines on
                name = (line.index, party, *(_content(each.media) for each in sections))
                if name not in seen:
                    seen.add(name)
                    yield _assess(trace, call, line, sections)


def _sections(line: MediaLine) -> Iterator[_Section]:
    for state in line.states:
        negotiation = state.negotiation
        if has_crypto(state.offered):
            frame = negotiation.offer.message.frame
            yield _Section("offerer", negotiation.offerer_tag, frame, state.offered)
        if state.answered is not None and negotiation.answer is not None and has_crypto(state.answered):
            frame = negotiation.answer.message.frame
            yield _Section("answerer", negotiation.answerer_tag, frame, state.answered)


def _content(media: Media) -> tuple[object, ...]:
    return tuple((each.tag, each.suite, each.keys, each.fec_keys) for each in media.crypto)


def _assess(trace: Trace, call: Call, line: MediaLine, sections: list[_Section]) -> Outcome:
    subject = Subject("media", line.id)
    faults: dict[tuple[str, bytes], tuple[_Section, _Fault]] = {}
    masked = unknown = False
    for section in sections:
        for crypto in section.media.crypto[:MAX_LINES]:
            masked = masked or crypto.masked
            unknown = unknown or crypto.crypto_suite is None
            for fault in _faults(section.frame, crypto):
                faults.setdefault((fault.what, crypto.suite), (section, fault))
    if faults:
        return _found(trace, call, line, list(faults.values())[:MAX_FOUND])
    if masked:
        return not_assessed(subject, "N-KEY", "keys were masked before the capture was handed on")
    if unknown:
        return not_assessed(subject, "N-KEY", "a crypto suite is in no registry: the length of its keys is not known")
    return Outcome("pass", subject)


def _faults(frame: FrameId, line: Crypto) -> Iterator[_Fault]:
    suite = line.crypto_suite
    needed = suite.length if suite is not None and suite.confirmed and not suite.null else None
    expected = f"{needed} octets of key and salt" if needed is not None else "random octets"
    if not line.keys and not line.masked and line.error == "key is not base64":
        yield _Fault(frame, line, "a key that is no base64", expected, "proven")
    for key in (*line.keys, *line.fec_keys):
        octets = len(key.key_salt)
        if needed is not None and octets != needed:
            yield _Fault(frame, line, f"{octets} octets of key and salt", expected, "proven")
            continue
        master = suite.key if suite is not None else min(16, octets)
        weak = trivial(key.key_salt[:master], key.key_salt[master:]) if octets >= master > 1 else ""
        if weak:
            yield _Fault(frame, line, weak, "random octets", "strong" if "text" in weak else "proven")


def _found(trace: Trace, call: Call, line: MediaLine, faults: list[tuple[_Section, _Fault]]) -> Outcome:
    section, first = faults[0]
    wrong_length = "octets of key and salt" in first.what or "base64" in first.what
    consequence = (
        "The line is invalid: who accepts it all the same cuts the key or fills it up."
        if wrong_length
        else "Whoever tries such keys decrypts and forges what they protect."
    )
    more = f" {len(faults) - 1} more such lines." if len(faults) > 1 else ""
    needs = f" where the suite needs {first.expected}" if wrong_length else ""
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence=first.confidence,
        title=f"Inline key of {suite_name(first.line)}: {first.what}",
        message=(
            f"The {section.role}'s a=crypto line {crypto_text(first.line)} for {text(section.media.type)} line "
            f"{line.index} of {call.id} in {frame_text(trace, first.frame)}: {first.what}{needs}. {consequence}{more} "
            "Not checked: which key the packets use."
        ),
        evidence=tuple(
            Evidence(fault.frame, f"SDP a=crypto:{fault.line.tag}, m= line {line.index}", _seen(fault), fault.expected)
            for _, fault in faults
        ),
        role=section.role,
        media=media_name(section.media),
        normalised=(f"{suite_name(first.line)}, {first.what}", first.expected),
    )


def _seen(fault: _Fault) -> str:
    return f"{suite_name(fault.line)}: {fault.what}"
