"""IMS-MIK-011."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, SECOND, counted, frame_text
from imsinspect.rules.mik.exchanges import (
    ACCEPTED,
    PROFILES,
    REFUSED,
    answer_evidence,
    covered,
    csb,
    fate,
    open_profile,
    subject_of,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.mikey_model import ERROR, TRANSFER_INIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-MIK-011",
    name="mikey-replay",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TR 33.829 §5.3.2", "RFC 3830 §5.4", "RFC 6043 §12.4"),
    needs=(MIKEY,),
)
def mikey_replay(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """A key-management message is replayed in another transaction.

    What it checks:
        Whether a MIKEY message that began an exchange in one call comes again in another one: the same octets, or of
        TRANSFER_INIT the same CSB ID, timestamp, RANDRi and MAC. Not a replay: retransmissions, requests sent again
        after a challenge or refusal, redirection, forks, the legs of a B2BUA, and refreshes inside the dialog.
    Why it matters:
        A message is accepted once. Who accepts it twice sets up a session with old keys at an attacker's wish; where
        packet indices begin anew, keystream is used twice.
    What the finding shows:
        The frames of both messages, the Call-IDs, the CSB ID, the time between them, and the answer.
    How to fix it:
        Let receivers keep a replay cache over the time that timestamps are accepted for, and refuse old timestamps.
    When it is not assessed:
        N-SIP: signalling that could not be read. IMS-PROF-005: the profile of the calls is not determined, and the
        message is not one of MIKEY-TICKET. A replay whose answer was not seen is only suspected; one that was refused
        passes.
    """
    repeated: dict[str, list[MikeyExchange]] = {}
    for exchange in trace.mikey_exchanges:
        if exchange.repeats and exchange.calls:
            repeated.setdefault(exchange.repeats, []).append(exchange)
    for exchange in trace.mikey_exchanges:
        if not exchange.calls or exchange.data_type == ERROR or exchange.repeats:
            continue
        applies = covered(scene, exchange.calls, shows=exchange.data_type == TRANSFER_INIT)
        if applies:
            yield _judge(trace, exchange, repeated.get(exchange.id, []))
        elif applies is None:
            yield open_profile(subject_of(exchange.init))


def _judge(trace: Trace, first: MikeyExchange, again: list[MikeyExchange]) -> Outcome:
    subject = subject_of(first.init)
    fates = {id(each): fate(each) for each in again}
    taken = [each for each in again if fates[id(each)][0] == ACCEPTED]
    shown = taken or [each for each in again if fates[id(each)][0] != REFUSED]
    if not shown:
        return Outcome("pass", subject)
    original = first.init
    evidence = [Evidence(original.frames[0], "MIKEY message", f"{original.kind}, {csb(first.csb_id)}", "sent once")]
    for each in shown[: MAX_EVIDENCE // 2]:
        what = f"the same message, in {each.init.call}"
        evidence.append(Evidence(each.init.frames[0], "MIKEY message", what, "another timestamp, RAND and CSB ID"))
        passage = fates[id(each)][1]
        if passage is not None:
            evidence += answer_evidence(passage, "refused, as a replay")
    replay = shown[0].init
    gap = (replay.time - original.time) / SECOND
    more = f", and {counted(len(shown) - 1, 'more time')}" if len(shown) > 1 else ""
    end = "accepted it" if taken else "has no answer in the capture"
    return Outcome(
        "violation" if taken else "suspect",
        subject,
        confidence="strong" if taken else "heuristic",
        title=f"{original.kind} replayed",
        message=(
            f"{original.kind} ({csb(first.csb_id)}) of {original.call} in {frame_text(trace, original.frames[0])} "
            f"comes again in {replay.call} from {replay.source} in {frame_text(trace, replay.frames[0])}, {gap:.0f} s "
            f"later{more}; the call {end}. A session is set up with old keys, and its keystream may repeat. Not seen: "
            "anything that makes the calls legs or attempts of one."
        ),
        evidence=tuple(evidence),
        role="offerer",
        normalised=(f"{original.kind} in two calls", "once"),
        fact=f"replay {first.id}",
    )
