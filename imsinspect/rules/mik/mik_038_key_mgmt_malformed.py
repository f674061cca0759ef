"""IMS-MIK-038."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.mikey import codes
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.mik.exchanges import carried_by, different, role_of, seen_in
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.mik.exchanges import Seen
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import KeyMgmtFault, Trace

PRIVATE = range(241, 256)  # payloads and maps for private use
CUT = "the line with a=key-mgmt is cut or wrapped: the whole message would settle it"


@rule(
    id="IMS-MIK-038",
    name="key-mgmt-malformed",
    severity=Severity.LOW,
    tier=1,
    profiles=("ALL",),
    references=("RFC 4567 §4.1.1", "RFC 3830 §6"),
    needs=(MIKEY,),
)
def key_mgmt_malformed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """key-mgmt data does not decode.

    What it checks:
        Every a=key-mgmt:mikey of session descriptions, and MIKEY messages of RTSP, HTTP and UDP: base64 (without
        padding too), version 1, a chain of payloads that is known and ends with the last payload, lengths inside the
        message, and no octets behind it.
    Why it matters:
        A stack that is broken, or an attack on the parser of the other side. What keys were agreed can't be said.
    What the finding shows:
        The frame, the offset of the error, and what is wrong.
    How to fix it:
        Let the sender build the message as RFC 3830 §6 has it, and receivers refuse messages that do not parse.
    When it is not assessed:
        N-FRAG: the line is cut by the snap length, or wrapped. T-POL: the message has a payload or CS ID map for
        private use, behind which nothing can be read. N-SIP: signalling that could not be read.
    """
    for fault in trace.key_mgmt_faults:
        subject = Subject("message", f"{fault.call or 'SIP'} a=key-mgmt {_place(fault)}")
        yield not_assessed(subject, "N-FRAG", CUT) if fault.cut else _undecoded(trace, fault, subject)
    for seen in different(trace, scene):
        yield _message(trace, seen)


def _place(fault: KeyMgmtFault) -> str:
    return "at session level" if fault.section < 0 else f"of m= line {fault.section}"


def _undecoded(trace: Trace, fault: KeyMgmtFault, subject: Subject) -> Outcome:
    frame = fault.message.frame
    where = f"{_place(fault)} in {frame_text(trace, frame)} of {fault.call or 'a SIP message'}"
    return Outcome(
        "violation",
        subject,
        title="a=key-mgmt:mikey can't be decoded",
        message=(
            f"a=key-mgmt:mikey {where} can't be decoded: {fault.error}, at offset {fault.offset} of the description. "
            "Which keys it brings can't be said. Not seen: a MIKEY message."
        ),
        evidence=(Evidence(frame, f"SDP a=key-mgmt, offset {fault.offset}", fault.error, "base64 of a MIKEY message"),),
        normalised=(fault.error, "base64"),
    )


def _message(trace: Trace, seen: Seen) -> Outcome:
    record, message = seen.record, seen.message
    if message.cut and (record.stop or record.data_type < 0):
        return not_assessed(seen.subject, "N-FRAG", CUT)
    if record.stop and (record.stop_payload in PRIVATE or record.map_type in PRIVATE):
        return not_assessed(seen.subject, "T-POL", "a payload or map for private use, behind which nothing can be read")
    if record.data_type < 0:
        return _finding(trace, seen, "the header is cut short", 0)
    if record.version != 1:
        return _finding(trace, seen, f"version {record.version} is not 1", 0)
    if record.stop:
        return _finding(trace, seen, record.stop, record.stop_offset)
    if record.trailing:
        behind = "octets behind the last payload"
        return _finding(trace, seen, f"{record.trailing} {behind}", record.stop_offset, behind)
    wrong = record.authentication
    if wrong is not None and wrong.octets < codes.MAC_OCTETS.get(wrong.algorithm, 0) and wrong.payload == "V":
        return _finding(trace, seen, f"the MAC has {wrong.octets} octets only", record.stop_offset)
    return Outcome("pass", seen.subject)


def _finding(trace: Trace, seen: Seen, what: str, offset: int, kind: str = "") -> Outcome:
    message = seen.message
    return Outcome(
        "violation",
        seen.subject,
        title="MIKEY message can't be read to its end",
        message=(
            f"The MIKEY message in {seen_in(trace, seen)} ({carried_by(message)}) does not follow its format at offset "
            f"{offset}: {what}. What stands there can't be told, nor which keys are agreed. Not seen: a sound copy."
        ),
        evidence=(
            Evidence(message.frames[0], f"MIKEY, offset {offset}", what, "a message that ends with its last payload"),
        ),
        role=role_of(message),
        normalised=(f"MIKEY: {kind or what}", "a whole message"),
    )
