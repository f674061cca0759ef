"""What views for people say in the same words, ready to be shown: nothing from the wire is in them that could steer."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report import proven
from imsinspect.report.escape import printable
from imsinspect.report.page import counted
from imsinspect.report.protection import KIND_LEVELS, Level, claim, judged, observe, secured
from imsinspect.report.tally import Tally
from imsinspect.report.times import plain, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imsinspect.profiles import ProfileChoice
    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Assessment, Evidence, Finding, Subject
    from imsinspect.rules.required import Unmet
    from imsinspect.trace.model import Call, CaptureInfo, Counts, MediaLine, MediaStream, Note, TlsSession, Trace

FRAMES = 8
EXAMPLES = 3
VALUE = 400  # characters of one value
PARAGRAPH = 4 * VALUE
CUT_OFF = "the capture ends inside a packet"


def brief(value: bytes | str) -> str:
    """A value from the wire on one line, cut where it is long."""
    return printable(value, VALUE)


def paragraph(value: str) -> str:
    """What a rule says in sentences."""
    return printable(value, PARAGRAPH)


def and_more(left: int, noun: str, detail: str = "", *, plural: str = "") -> str:
    """How many a bounded list left out."""
    what = f"1 more {noun}" if left == 1 else f"{left} more {plural or noun + 's'}"
    return f"and {what}" + (f" ({detail})" if detail else "")


def by_rule(left: Counter[str]) -> str:
    """Of which rules findings were left out, and where they are."""
    return ", ".join(f"{number} {rule}" for rule, number in sorted(left.items())) + "; the JSON report holds all"


def trouble_first(captures: Sequence[CaptureInfo]) -> list[tuple[int, CaptureInfo]]:
    """Captures with their numbers from 1 on; those that are damaged come first."""
    return sorted(enumerate(captures, 1), key=lambda each: each[1].error is None and not each[1].truncated)


def capture_path(paths: Sequence[str], capture: int) -> str:
    """The path of a capture by its index."""
    return paths[capture] if 0 <= capture < len(paths) else "an unknown capture"


def capture_words(capture: CaptureInfo) -> str:
    """`pcap, Ethernet, 130 packets`."""
    facts = [fact for fact in (capture.format, ", ".join(capture.link_types)) if fact]
    return brief(", ".join([*facts, counted(capture.packets, "packet")]))


def capture_times(capture: CaptureInfo) -> str:
    """When it begins and ends; "" where it has no packets."""
    if capture.first_time is None or capture.last_time is None:
        return ""
    took = span(capture.first_time, capture.last_time)
    return f"{plain(capture.first_time)} to {plain(capture.last_time)} UTC ({took})"


def no_findings(audit: Audit) -> str:
    """Said in the place of findings."""
    return "none in what could be assessed" if Tally.of(audit).assessed else "none: nothing could be assessed"


def unmet_words(row: Unmet) -> str:
    """Why a rule that had to be assessed was not."""
    return (f"{brief(row.gap)}: " if row.gap else "") + brief(row.reason)


def inventory(counts: Counts) -> str:
    """What the captures hold."""
    return "; ".join(_held(counts)) or "nothing that concerns IMS media security"


def _held(counts: Counts) -> Iterable[str]:
    """Nothing for what is not there."""
    if counts.sip_messages:
        requests: Mapping[str, int] = counts.sip_requests or {}
        methods = [f"{brief(method)} {requests[method]}" for method in sorted(requests)]
        if len(methods) > FRAMES:
            methods[FRAMES:] = [f"{len(methods) - FRAMES} other methods"]
        methods.append(f"responses {counts.sip_responses}")
        yield f"{counted(counts.sip_messages, 'SIP message')} ({', '.join(methods)})"
    if counts.sdp_bodies:
        keys = (
            ("a=crypto", counts.sdp_crypto),
            ("a=key-mgmt", counts.sdp_key_mgmt),
            ("a=fingerprint", counts.sdp_fingerprint),
        )
        listed = ", ".join(f"{name} {number}" for name, number in keys if number)
        yield (
            "SDP in "
            + counted(counts.sdp_bodies, "body").replace("bodys", "bodies")
            + (f" ({listed})" if listed else "")
        )
    if counts.rtp_streams:
        yield f"{counted(counts.rtp_streams, 'media stream')} ({counted(counts.rtp_packets, 'packet')})"
    for number, noun in (
        (counts.rtcp_packets, "RTCP packet"),
        (counts.srtcp_packets, "SRTCP packet"),
        (counts.mikey_messages, "MIKEY message"),
        (counts.msrp_messages, "MSRP message"),
        (counts.bfcp_messages, "BFCP message"),
        (counts.h248_messages, "H.248 message"),
        (counts.stun_packets, "STUN packet"),
        (counts.tls_sessions, "TLS session"),
        (counts.dtls_sessions, "DTLS session"),
    ):
        if number:
            yield counted(number, noun)
    if counts.esp_packets:
        yield f"{counted(counts.esp_packets, 'ESP packet')} ({counts.esp_null_encrypted} with NULL encryption)"


def profile_words(profile: ProfileChoice) -> str:
    if profile.name == "open":
        return "no profile could be inferred"
    return f"profile {brief(profile.name)} ({'inferred' if profile.inferred else 'chosen'})"


def sureness(finding: Finding) -> str:
    return f"{finding.confidence}, suspected" if finding.verdict == "suspect" else finding.confidence


def subject_words(subject: Subject) -> str:
    kinds = {"media": "media line", "rtcp": "RTCP source", "tls-session": "TLS session", "mikey": "MIKEY message"}
    return f"{kinds.get(subject.kind, subject.kind)} {brief(subject.id)}"


def rule_ranges(rules: Sequence[str]) -> str:
    """Rule ids, those whose numbers follow one another as a range: IMS-SRTP-004 to 007."""
    runs: list[list[str]] = []
    for rule in rules:
        area, _, number = rule.rpartition("-")
        last = runs[-1][-1].rpartition("-") if runs else ("", "", "")
        if number.isdigit() and last[0] == area and int(number) == int(last[2]) + 1:
            runs[-1].append(rule)
        else:
            runs.append([rule])
    return ", ".join(f"{run[0]} to {run[-1].rpartition('-')[2]}" if len(run) > 2 else ", ".join(run) for run in runs)


def subjects_words(assessment: Assessment) -> str:
    shown = [brief(subject.id) for subject in assessment.examples[:EXAMPLES]]
    if assessment.subjects > len(shown):
        shown.append("…" if shown else "")
    return f"{counted(assessment.subjects, 'subject')}" + (f" ({', '.join(shown)})" if any(shown) else "")


def frames_by_capture(evidence: Sequence[Evidence]) -> Iterable[tuple[int, list[int]]]:
    frames: defaultdict[int, dict[int, None]] = defaultdict(dict)
    for row in evidence:
        frames[capture_index(row.frame)][frame_number(row.frame)] = None
    return ((capture, sorted(numbers)) for capture, numbers in sorted(frames.items()))


def frames_words(frames: Sequence[int]) -> str:
    listed = ", ".join(map(str, frames[:FRAMES]))
    more = f" and {len(frames) - FRAMES} more" if len(frames) > FRAMES else ""
    return f"frame {listed}" if len(frames) == 1 else f"frames {listed}{more}"


def call_words(call: Call, profile: ProfileChoice | None) -> list[str]:
    """State, side and profile of a call."""
    facts = [brief(call.state), f"{brief(call.side)} side" if call.side != "unknown" else "side unknown"]
    return facts if profile is None else [*facts, profile_words(profile)]


def other_legs(call: Call) -> str:
    """The calls that are legs of the same one."""
    others = f" and {len(call.related) - EXAMPLES} more" if len(call.related) > EXAMPLES else ""
    return f"other legs: {' '.join(call.related[:EXAMPLES])}{others}"


@dataclass(slots=True, frozen=True)
class LineWords:
    """A media line: what it claims, what is seen, what keys prove."""

    level: Level
    claimed: str  # "0 audio RTP/SAVP: claimed sdes:…"
    observed: str
    proven: str  # "" where no key is known


def line_words(line: MediaLine) -> LineWords:
    """A media line at a glance."""
    claimed, observed = claim(line), observe(line)
    before = f" (before: {', '.join(brief(word) for word in claimed.before)})" if claimed.before else ""
    return LineWords(
        judged(claimed, observed),
        f"{line.index} {brief(claimed.media)} {brief(claimed.transport)}: claimed {brief(claimed.current)}{before}",
        brief(observed.words),
        brief(proven.of_line(line)),
    )


def sessions_without_a_call(trace: Trace) -> list[TlsSession]:
    """TLS and DTLS sessions that no media line announced."""
    in_calls = {session.id for call in trace.calls for line in call.lines for session in line.tls_sessions}
    return [session for session in trace.tls_sessions if session.id not in in_calls]


def streams_words(streams: Sequence[MediaStream]) -> str:
    """How many streams of which kind."""
    kinds = Counter(stream.kind for stream in streams)
    listed = ", ".join(f"{kinds[kind]} {KIND_LEVELS[kind][0]}" for kind in KIND_LEVELS if kinds[kind])
    packets = sum(stream.packets for stream in streams)
    return f"{counted(len(streams), 'stream')} ({listed}), {counted(packets, 'packet')}"


def stream_words(stream: MediaStream) -> tuple[Level, str]:
    """One stream, and how it stands."""
    word, level = KIND_LEVELS[stream.kind]
    sure = f" ({stream.judgement.confidence})" if stream.judgement.confidence else ""
    keys = proven.words([stream.proof], "keys")
    ends = f"{stream.id} {stream.source} → {stream.destination}"
    return level, f"{ends}, {counted(stream.packets, 'packet')}: {word}{sure}" + (f", {brief(keys)}" if keys else "")


def session_words(session: TlsSession) -> tuple[Level, str]:
    """One TLS or DTLS session, and how it stands."""
    level, said = secured(session)
    suite = f" {brief(session.cipher_suite_name)}" if session.cipher_suite_name else ""
    return level, f"{session.id} {session.client} → {session.server}: {brief(said)}{suite}"


def kinds_of_notes(notes: Sequence[Note]) -> list[tuple[Note, int]]:
    """The first note of each text, and how many say the same."""
    first: dict[str, Note] = {}
    for note in notes:
        first.setdefault(note.text, note)
    counts = Counter(note.text for note in notes)
    return [(note, counts[text]) for text, note in first.items()]
