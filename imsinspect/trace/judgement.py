"""Whether a media stream is in clear or protected, from sizes, structure and spread of its octets (rules.md 0.7).

Nothing here uses keys. Two independent tests make a judgement strong, one makes it heuristic; where tests contradict
one another or none applies, the stream stays unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dissectors.sdp.suites import SDES_SUITES
from imsinspect.trace.codecs import (
    Codec,
    Octets,
    clear_sizes,
    codec,
    equal_payloads,
    explaining_sizes,
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
FEW_OCTETS = 160  # no ciphertext as short as this is spread as unevenly as STRUCTURED says
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

UNSIZED = frozenset(("video", "leading"))  # kinds of codecs whose lengths say nothing

PROTECTED, CLEAR = "srtp", "rtp"
MEASURED = frozenset(("size", "dtmf"))


def judge(stream: MediaStream, line_state: LineState | None, known: dict[int, Expectation] | None = None) -> Judgement:
    """What a stream's packets show, given the media line that announced it, if any.

    Without a line only static payload types have a meaning, and every suite is possible. `known` keeps what line
    states expect, by their identity, for the other streams of the same lines. Where packets of the stream are evidently
    of both kinds, most of them name it, and what the others show is kept as its other part.
    """
    expectation = None if known is None else known.get(id(line_state))
    if expectation is None:
        expectation = Expectation.of(line_state)
        if known is not None:
            known[id(line_state)] = expectation
    verdicts = [
        verdict
        for payload_type, runs in _by_payload_type(stream.sizes).items()
        for verdict in _judge_payload_type(stream, payload_type, runs, expectation)
    ]
    if not verdicts:
        return Judgement("unknown", "")
    if len({verdict.kind for verdict in verdicts}) == 1:
        return _combined(verdicts)
    protected = [verdict for verdict in verdicts if verdict.kind == PROTECTED]
    clear = [verdict for verdict in verdicts if verdict.kind == CLEAR and MEASURED & set(verdict.tests)]
    count, clear_count = (sum(each.packets for each in some) for some in (protected, clear))
    if clear and 2 * (count + clear_count) >= stream.packets:
        most, others = (protected, clear) if count >= clear_count else (clear, protected)
        return replace(_combined(most), other_part=_combined(others))
    strong = [verdict for verdict in verdicts if len(verdict.tests) > 1]
    if len({verdict.kind for verdict in strong}) != 1 or 2 * sum(v.packets for v in strong) < stream.packets:
        return Judgement("unknown", "", observed="payload types of the stream contradict one another")
    return _combined(strong)


def _combined(verdicts: list[_Verdict]) -> Judgement:
    """What verdicts of one kind say together; the one about most packets gives the words."""
    verdicts = sorted(verdicts, key=lambda verdict: -verdict.packets)
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
        main.readable,
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
    readable: bool = False  # protected by its lengths, in clear by its content


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
) -> list[_Verdict]:
    """A verdict about the packets of a payload type; two where some are protected and enough others in clear."""
    which, parameters, packet_ms = expectation.codec(payload_type)
    if which is None:
        return []
    samples = [sample for sample in stream.samples if sample.payload_type == payload_type]
    if any(sample.padding for sample in samples):
        return []
    format_ = _Format(which, parameters, packet_ms, _step(samples))
    whole = _judge_runs(format_, format_.step, runs, samples, expectation)
    clear = [] if expectation.tagless else _clear_runs(format_, runs, samples, expectation)
    if len(clear) < len(runs) and sum(run.packets for run in clear) >= format_.enough:
        lengths = {run.length for run in clear}
        others = [sample for sample in samples if sample.length not in lengths]
        protected = _judge_runs(
            format_,
            _step(others) or format_.step,
            [run for run in runs if run.length not in lengths],
            others,
            expectation,
        )
        if protected is not None and protected.kind == PROTECTED:
            part = _judge_part(format_, clear, [each for each in samples if each.length in lengths], expectation)
            return [protected] if part is None else [protected, part]
    return [] if whole is None else [whole]


class _Format(NamedTuple):
    """A payload type as a line describes it, and the usual timestamp difference of its packets."""

    codec: Codec
    parameters: bytes
    packet_ms: float | None
    step: int | None

    @property
    def enough(self) -> int:
        """Packets that a verdict needs."""
        return ENOUGH_EVENTS if self.codec.kind == "event" else ENOUGH_PACKETS


def _judge_runs(
    format_: _Format,
    step: int | None,
    runs: list[SizeRun],
    samples: list[MediaSample],
    expectation: Expectation,
) -> _Verdict | None:
    which, parameters = format_.codec, format_.parameters
    total = sum(run.packets for run in runs)
    if total < format_.enough:
        return None
    sizes = clear_sizes(which, parameters, step, format_.packet_ms)
    explanations = [
        overhead for overhead in (0, *expectation.overheads) if _explains(which, sizes, runs, overhead, total)
    ]
    if explanations and 0 not in explanations:  # a few clear packets at the start say nothing of the protected ones
        samples = [sample for sample in samples if sample.length - explanations[0] in sizes]
    octets = Octets(b"".join([sample.payload for sample in samples]))
    clear_structure = _structure(which, parameters, samples, octets)
    low_entropy, high_entropy = _entropy(which, octets)

    tests: list[str] = []
    readable = False
    if 0 in explanations and len(explanations) == 1:
        if expectation.tagless and not (clear_structure or low_entropy):
            return None
        kind = CLEAR
        tests.append("dtmf" if which.kind == "event" else "size")
    elif explanations and 0 not in explanations:
        kind = PROTECTED
        tests.append("dtmf" if which.kind == "event" else "size")
        random = clear_structure is False or high_entropy
        readable = not random and _readable(which, parameters, samples, explanations[0])
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
    elif not readable:
        if clear_structure and not tests:
            return None
        tests += ["structure"] * (clear_structure is False) + ["entropy"] * high_entropy
    overhead = next(iter(explanations), 0) if kind == PROTECTED else 0
    fitting = [run for run in runs if run.length - overhead in sizes] or runs
    return _verdict(
        format_._replace(step=step), kind, tests, runs, fitting, overhead, bool(sizes), expectation, readable
    )


def _verdict(
    format_: _Format, kind: str, tests: list[str], runs: list[SizeRun], fitting: list[SizeRun], overhead: int,
    measured: bool, expectation: Expectation, readable: bool = False,
) -> _Verdict:  # fmt: skip
    which, step = format_.codec, format_.step
    common = max(runs, key=lambda run: run.packets)
    name = which.name + (f", {1000 * step / which.clock:g} ms" if step and measured else "")
    return _Verdict(
        kind,
        tuple(tests),
        f"payload {common.length} octets ({name})" if measured else f"payload reads as {which.name}",
        _expected(kind, common.length, overhead, expectation) if measured else "no structure that can be read",
        min(run.first for run in fitting),
        max(run.last for run in fitting),
        sum(run.packets for run in fitting),
        readable,
    )


def _clear_runs(
    format_: _Format, runs: list[SizeRun], samples: list[MediaSample], expectation: Expectation
) -> list[SizeRun]:
    """Lengths of speech in clear that no length in clear and an agreed overhead add up to, whatever the packet time."""
    which = format_.codec
    if which.kind in UNSIZED:
        return []
    usual = clear_sizes(which, format_.parameters, format_.step, format_.packet_ms)
    steps = _spaced_steps(samples)
    out = []
    for run in runs:
        if run.length <= which.quiet:
            continue
        step = steps.get(run.length)
        sizes = clear_sizes(which, format_.parameters, step, None) if step else usual
        if run.length in sizes:
            explaining = explaining_sizes(which, format_.parameters, step)
            if not any(run.length - overhead in explaining for overhead in expectation.overheads):
                out.append(run)
    return out


def _judge_part(
    format_: _Format, runs: list[SizeRun], samples: list[MediaSample], expectation: Expectation
) -> _Verdict | None:
    """What packets in clear beside protected ones show beyond their lengths; None if their content contradicts."""
    which = format_.codec
    octets = Octets(b"".join([sample.payload for sample in samples]))
    structure = _structure(which, format_.parameters, samples, octets)
    if which.kind in SELF_DELIMITING:
        test = structure_test(which, format_.parameters)
        fits = [test(sample.payload, sample.length) for sample in samples] if test else []
        if structure is False or sum(fits) < STABLE * len(fits):
            return None
    elif structure is None and len(octets) >= FEW_OCTETS and octets.chi_square() > STRUCTURED:
        structure = True
    low_entropy, _ = _entropy(which, octets)
    tests = ["dtmf" if which.kind == "event" else "size"]
    tests += ["structure"] * bool(structure) + ["entropy"] * low_entropy
    return _verdict(format_, CLEAR, tests, runs, runs, 0, True, expectation)


def _readable(which: Codec, parameters: bytes, samples: list[MediaSample], overhead: int) -> bool:
    """Whether payloads without what protection added read as clear ones: a NULL cipher."""
    if which.kind == "event":
        return False  # few samples, and little in them
    bare = [
        sample._replace(payload=sample.payload[: sample.length - overhead], length=sample.length - overhead)
        for sample in samples
        if sample.length > overhead
    ]
    octets = Octets(b"".join([sample.payload for sample in bare]))
    return bool(_structure(which, parameters, bare, octets)) or _entropy(which, octets)[0]


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


def _spaced_steps(samples: list[MediaSample]) -> dict[int, int]:
    """The timestamp difference from packet to packet while payloads have a length, over samples that stand apart.

    Lengths without a usual difference are left out.
    """
    counts: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for before, after in pairwise(samples):
        if before.length == after.length and (distance := (after.sequence - before.sequence) & 0xFFFF):
            step, odd = divmod((after.timestamp - before.timestamp) & 0xFFFFFFFF, distance)
            counts[before.length][0 if odd else step] += 1
    usual = {length: (steps.most_common(1)[0], steps.total()) for length, steps in counts.items()}
    return {length: step for length, ((step, count), total) in usual.items() if step and 2 * count >= total}


def _structure(which: Codec, parameters: bytes, samples: list[MediaSample], octets: Octets) -> bool | None:
    """True: payloads have the structure of clear ones; False: they do not; None: no telling."""
    test = structure_test(which, parameters)
    if test is None:
        if which.kind == "leading":
            return _same_lead(samples)
        if which.kind in SELF_DELIMITING:
            return None
        if equal_payloads(samples) or octets.has_run():
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
