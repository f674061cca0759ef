"""The security ladder as data, for programs (docs/report.md says what the fields mean)."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report.call_views import to_object
from imsinspect.report.escape import text
from imsinspect.report.times import iso

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.report.gaps import OpenQuestion
    from imsinspect.report.ladder_model import Agreement, Arrow, KeyFacts, Ladder, LineFacts, Mark, StreamFacts
    from imsinspect.rules.outcome import Finding

SCHEMA = "imsinspect-call/1"

Row = dict[str, Any]


def render(ladder: Ladder) -> str:
    """One object; ASCII only."""
    return dumps(_Rows(ladder).whole(), indent=2) + "\n"


class _Rows:
    """The rows of one ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._keys = [each.key for each in ladder.lifelines]

    def whole(self) -> Row:
        ladder = self._ladder
        return {
            "schema": SCHEMA,
            "captures": [text(path) for path in ladder.captures],
            **to_object(ladder.row),
            "facts": [text(each) for each in ladder.facts],
            "lifelines": [
                {"key": each.key, "name": text(each.name) or None, "addresses": list(each.addresses)}
                for each in ladder.lifelines
            ],
            "lifelines_left_out": ladder.lifelines_left,
            "arrows": [self._arrow(each) for each in ladder.arrows],
            "arrows_left_out": ladder.left_out,
            "marks": [{**_mark(mark), "meaning": meaning} for mark, meaning in ladder.legend],
            "media_lines": [self._line(each) for each in ladder.lines],
            "media_lines_left_out": ladder.lines_left,
            "keys": [_key(each) for each in ladder.keys],
            "keys_left_out": ladder.keys_left,
            "numbered_findings": [self._finding(number, each) for number, each in enumerate(ladder.findings, 1)],
            "findings_at_no_arrow": list(ladder.not_placed),
            "not_assessed": [_question(each) for each in ladder.open_questions],
            "not_assessed_unnamed": ladder.unnamed_questions,
        }

    def _place(self, frame: FrameId) -> Row:
        capture = capture_index(frame)
        paths = self._ladder.captures
        return {"capture": text(paths[capture]) if capture < len(paths) else None, "frame": frame_number(frame)}

    def _arrow(self, arrow: Arrow) -> Row:
        return {
            "number": arrow.number,
            "time": iso(arrow.time),
            "last_time": iso(arrow.last_time),
            "frames": [self._place(frame) for frame in dict.fromkeys(arrow.frames)],
            "kind": arrow.kind,
            "from": self._keys[arrow.source],
            "to": self._keys[arrow.destination],
            "both_ways": arrow.both_ways,
            "title": text(arrow.title),
            "details": [text(each) for each in arrow.details],
            "protection": _mark(arrow.mark),
            "count": arrow.count,
            "findings": list(arrow.findings),
        }

    def _line(self, line: LineFacts) -> Row:
        return {
            "id": line.id,
            "level": line.words.level.value,
            "claimed": line.words.claimed,
            "observed": line.words.observed,
            "agreements": [self._agreement(each) for each in line.agreements],
            "agreements_left_out": line.agreements_left,
            "streams": [self._stream(each) for each in line.streams],
            "streams_left_out": line.streams_left,
        }

    def _agreement(self, agreement: Agreement) -> Row:
        return {
            "offered": self._place(agreement.offer),
            "answered": None if agreement.answer is None else self._place(agreement.answer),
            "agreed": text(agreement.agreed),
            "offer": {row.label: text(row.offer) for row in agreement.rows if row.offer},
            "answer": {row.label: text(row.answer) for row in agreement.rows if row.answer},
        }

    def _stream(self, stream: StreamFacts) -> Row:
        return {
            "id": stream.id,
            "what": text(stream.what),
            "from": self._keys[stream.source],
            "to": self._keys[stream.destination],
            "source": stream.ends[0],
            "destination": stream.ends[1],
            "ssrc": f"0x{stream.ssrc:08x}",
            "packets": stream.packets,
            "lost": stream.lost,
            "first": self._place(stream.first),
            "last": self._place(stream.last),
            "judged": text(stream.judged) or None,
            "proof": text(stream.proof),
            "protection": _mark(stream.mark),
        }

    def _finding(self, number: int, finding: Finding) -> Row:
        return {
            "number": number,
            "rule": finding.rule,
            "severity": finding.severity.token,
            "title": text(finding.title),
            "fingerprint": finding.fingerprint,
            "frames": [self._place(frame) for frame in dict.fromkeys(row.frame for row in finding.evidence)],
            "filters": [
                {"capture": text(self._ladder.captures[capture]), "filter": text(expression)}
                for capture, expression in finding.filters
            ],
        }


def _mark(mark: Mark) -> Row:
    return {"level": mark.level.value, "words": mark.words}


def _key(key: KeyFacts) -> Row:
    return {
        "key": key.digest,
        "suite": text(key.suite),
        "places": [text(each) for each in key.places],
        "places_left_out": key.places_left,
        "use": key.use,
    }


def _question(question: OpenQuestion) -> Row:
    return {
        "gap": question.code,
        "reason": text(question.reason),
        "settled_by": question.gap.settled_by or None,
        "rules": [{"rules": rules, "subjects": text(subjects)} for rules, subjects in question.rules],
    }
