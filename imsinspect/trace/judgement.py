"""Whether a media stream is in clear or protected, from sizes, structure and spread of its octets (rules.md 0.7).

Nothing here uses keys. Two independent tests make a judgement strong, one makes it heuristic; where tests contradict
one another or none applies, the stream stays unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dissectors.sdp.suites import SDES_SUITES
from imsinspect.trace.codecs import (
    RUN,
    Codec,
    Octets,
    clear_sizes,
    codec,
    equal_payloads,
    static_codec,
    structure_test,
)
from imsinspect.trace.model import Judgement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sdp.parse import RtpMap
    from imsinspect.trace.model import LineState, MediaSample, MediaStream, SizeRun

ENOUGH_PACKETS = 20  # rules.md 0.10
ENOUGH_EVENTS = 3
STABLE = 0.95  # share of the packets that one explanation has to cover
ENTROPY_OCTETS = 4_096
LOW_ENTROPY, HIGH_ENTROPY = 7.2, 7.8  # bits of an octet
HISTOGRAM_OCTETS = 1_000
SPREAD, STRUCTURED = 350.0, 700.0  # of the chi-square value: below it looks random, above it does not
STRUCTURE_SAMPLES = 10
MKI_OF_MIKEY = 4  # the SPI (RFC 3830 §6.1); rules.md 19.2
USUAL_OVERHEADS = (10, 4, 16, 14, 8, 20)  # tags of all suites, alone and with an MKI of 4 octets

LEADING_SHARE = 0.5  # of payloads that begin with the same octet; of ciphertext that is one in 256
SELF_DELIMITING = (
    "modes",
    "event",
    "video",
    "leading",
)  # the structure of one payload tells what it is, whatever its length

PROTECTED, CLEAR = "srtp", "rtp"


def judge(stream: MediaStream, line_state: LineState | None, known: dict[int, Expectation] | None = None) -> Judgement:
    """What a stream's packets show, given the media line that announced it, if any.

    Without a line only static payload types have a meaning, and every suite is possible. `known` keeps what line
    states expect, by their identity, for the other streams of the same lines.
    """
    expectation = None if known is None else known.get(id(line_state))
    if expectation is None:
        expectation = Expectation.of(line_state)
        if known is not None:
            known[id(line_state)] = expectation
    verdicts = [
        verdict
        for payload_type, runs in _by_payload_type(stream.sizes).items()
        if (verdict := _judge_payload_type(stream, payload_type, runs, expectation)) is not None
    ]
    if not verdicts:
        return Judgement("unknown", "")
    kinds = {verdict.kind for verdict in verdicts}
    if len(kinds) > 1:
        strong = [verdict for verdict in verdicts if len(verdict.tests) > 1]
        if len({verdict.kind for verdict in strong}) != 1 or 2 * sum(v.packets for v in strong) < stream.packets:
            return Judgement("unknown", "", observed="payload types of the stream contradict one another")
        verdicts = strong
    verdicts.sort(key=lambda verdict: -verdict.packets)
    main = verdicts[0]
    tests = tuple(dict.fromkeys(test for verdict in verdicts for test in verdict.tests))
    return Judgement(
        main.kind,
        "strong" if len(tests) > 1 else "heuristic",
        tests,
        main.observed,
        main.expected,
        (min(verdict.first for verdict in verdicts), max(verdict.last for verdict in verdicts)),
        sum(verdict.packets for verdict in verdicts),
    )


@dataclass(slots=True, frozen=True)
class _Verdict:
    """What the packets of one payload type show."""

    kind: str
    tests: tuple[str, ...]
    observed: str
    expected: str
    first: int
    last: int
    packets: int


class _Formats(NamedTuple):
    """What one side says of its payload types, taken apart once."""

    maps: dict[int, RtpMap]
    parameters: dict[bytes, bytes]
    ptime: float | None


@dataclass(slots=True, frozen=True)
class Expectation:
    """What a media line says of its packets."""

    formats: tuple[_Formats, ...]  # of the answer, then of the offer
    overheads: tuple[int, ...]  # octets that protection may add to a payload, the likeliest first
    tagless: bool  # protection without a tag is agreed or offered

    @classmethod
    def of(cls, state: LineState | None) -> Expectation:
        if state is None:
            return cls((), USUAL_OVERHEADS, False)
        media = tuple(each for each in (state.answered, state.offered) if each is not None)
        lines = [line for each in media for line in each.crypto]
        if state.answered is not None and state.answered.crypto:
            chosen = {line.tag for line in state.answered.crypto}
            lines = [line for line in lines if line.tag in chosen]
        overheads: list[int] = []
        tagless = False
        for line in lines:
            suite = line.crypto_suite
            tags = (suite.srtp_tag,) if suite else sorted({each.srtp_tag for each in SDES_SUITES.values()})
            if line.unauthenticated_srtp and not (suite and suite.aead):
                tagless, tags = True, (0,)
            overheads += [tag + key.mki_length for tag in tags for key in line.keys or ()] or list(tags)
        if not lines or any(each.key_mgmt_in_force or each.fingerprints for each in media):
            overheads += USUAL_OVERHEADS
        formats = tuple(_Formats(each.rtpmaps, each.fmtp, each.ptime) for each in media)
        return cls(formats, tuple(dict.fromkeys(each for each in overheads if each)), tagless)

    def codec(self, payload_type: int) -> tuple[Codec | None, bytes, float | None]:
        """Codec, parameters and packet time of a payload type."""
        number = str(payload_type).encode()
        for each in self.formats:
            named = each.maps.get(payload_type)
            if named is not None:
                return codec(named.encoding, named.clock, named.channels), each.parameters.get(number, b""), each.ptime
        packet_ms = next((each.ptime for each in self.formats if each.ptime), None)
        return static_codec(payload_type), b"", packet_ms


def _by_payload_type(sizes: Iterable[SizeRun]) -> dict[int, list[SizeRun]]:
    out: defaultdict[int, list[SizeRun]] = defaultdict(list)
    for run in sizes:
        out[run.payload_type].append(run)
    return out


def _judge_payload_type(
    stream: MediaStream, payload_type: int, runs: list[SizeRun], expectation: Expectation
) -> _Verdict | None:
    which, parameters, packet_ms = expectation.codec(payload_type)
    if which is None:
        return None
    total = sum(run.packets for run in runs)
    samples = [sample for sample in stream.samples if sample.payload_type == payload_type]
    if any(sample.padding for sample in samples):
        return None
    if total < (ENOUGH_EVENTS if which.kind == "event" else ENOUGH_PACKETS):
        return None
    step = _step(samples)
    sizes = clear_sizes(which, parameters, step, packet_ms)
    explanations = [
        overhead for overhead in (0, *expectation.overheads) if _explains(which, sizes, runs, overhead, total)
    ]
    octets = Octets(b"".join([sample.payload for sample in samples]))
    clear_structure = _structure(which, parameters, samples, octets)
    low_entropy, high_entropy = _entropy(which, octets)

    tests: list[str] = []
    if 0 in explanations and len(explanations) == 1:
        if expectation.tagless and not (clear_structure or low_entropy):
            return None
        kind = CLEAR
        tests.append("dtmf" if which.kind == "event" else "size")
    elif explanations and 0 not in explanations:
        kind = PROTECTED
        tests.append("dtmf" if which.kind == "event" else "size")
    elif clear_structure and which.kind in SELF_DELIMITING:
        kind = CLEAR
    elif clear_structure is False and explanations:
        kind = (
            PROTECTED  # sizes of clear and of protected payloads coincide, and the structure of clear ones is missing
        )
    else:
        return None
    if kind == CLEAR:
        tests += ["structure"] * bool(clear_structure) + ["entropy"] * low_entropy
        if clear_structure is False and which.kind in SELF_DELIMITING:
            return None
    else:
        if clear_structure and not tests:
            return None
        tests += ["structure"] * (clear_structure is False) + ["entropy"] * high_entropy
    common = max(runs, key=lambda run: run.packets)
    overhead = next(iter(explanations), 0) if kind == PROTECTED else 0
    name = which.name + (f", {1000 * step / which.clock:g} ms" if step and sizes else "")
    fitting = [run for run in runs if run.length - overhead in sizes] or runs
    return _Verdict(
        kind,
        tuple(tests),
        f"payload {common.length} octets ({name})" if sizes else f"payload reads as {which.name}",
        _expected(kind, common.length, overhead, expectation) if sizes else "no structure that can be read",
        min(run.first for run in fitting),
        max(run.last for run in fitting),
        sum(run.packets for run in fitting),
    )


def _explains(which: Codec, sizes: frozenset[int], runs: list[SizeRun], overhead: int, total: int) -> bool:
    """Whether the lengths are those of the codec and an overhead; with pauses alone anything could be explained."""
    fitting = [run for run in runs if run.length - overhead in sizes]
    speech = sum(run.packets for run in fitting if run.length - overhead > which.quiet)
    return sum(run.packets for run in fitting) >= STABLE * total and 5 * speech >= total


def _expected(kind: str, length: int, overhead: int, expectation: Expectation) -> str:
    if kind == PROTECTED:
        return f"{length - overhead} octets in clear"
    first = expectation.overheads[0] if expectation.overheads else USUAL_OVERHEADS[0]
    tag = next((tag for tag in (16, 10, 4) if tag <= first), first)
    return f"{length + first} octets with a tag of {8 * tag} bits" + (
        f" and an MKI of {first - tag}" if first > tag else ""
    )


def _step(samples: list[MediaSample]) -> int | None:
    """The usual timestamp difference of packets that follow one another."""
    steps = Counter(
        (after.timestamp - before.timestamp) & 0xFFFFFFFF
        for before, after in pairwise(samples)
        if (after.sequence - before.sequence) & 0xFFFF == 1
    )
    steps.pop(0, None)
    if not steps:
        return None
    step, count = steps.most_common(1)[0]
    return step if 2 * count >= steps.total() else None


def _structure(which: Codec, parameters: bytes, samples: list[MediaSample], octets: Octets) -> bool | None:
    """True: payloads have the structure of clear ones; False: they do not; None: no telling."""
    test = structure_test(which, parameters)
    if test is None:
        if which.kind == "leading":
            return _same_lead(samples)
        if which.kind in SELF_DELIMITING:
            return None
        if equal_payloads(samples) or octets.longest_run() >= RUN:
            return True
        if len(octets) < HISTOGRAM_OCTETS:
            return None
        value = octets.chi_square()
        return True if value > STRUCTURED else False if which.histogram and value < SPREAD else None
    enough = ENOUGH_EVENTS if which.kind == "event" else STRUCTURE_SAMPLES
    if len(samples) < enough:
        return None
    share = sum(test(sample.payload, sample.length) for sample in samples) / len(samples)
    return True if share >= STABLE else False if share <= 0.5 else None


def _same_lead(samples: list[MediaSample]) -> bool | None:
    """True where most payloads begin with one octet; codecs whose headers vary more leave it open."""
    first = Counter(sample.payload[0] for sample in samples if sample.payload)
    if first.total() < STRUCTURE_SAMPLES:
        return None
    return True if first.most_common(1)[0][1] >= LEADING_SHARE * first.total() else None


def _entropy(which: Codec, octets: Octets) -> tuple[bool, bool]:
    """Whether octets are clearly uneven, and whether they are even where speech in clear is not."""
    if len(octets) < ENTROPY_OCTETS or which.kind == "event":
        return False, False
    bits = octets.entropy()
    return bits < LOW_ENTROPY, which.histogram and bits > HIGH_ENTROPY
