"""TLS sessions of media lines whose keys come by MIKEY-TICKET (TS 33.328 Annex H)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import profile_open
from imsinspect.rules.outcome import Subject
from imsinspect.rules.rule import once
from imsinspect.rules.tls.media_lines import state_at, tls_agreed
from imsinspect.rules.tls.sessions import lines_without_sessions, refused
from imsinspect.trace.mikey_model import TRANSFER_INIT, TRANSFER_RESP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.outcome import Outcome
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, TlsSession, Trace

PROFILES = ("E2E-KMS", "G3")
TICKETS = frozenset((TRANSFER_INIT, TRANSFER_RESP))

KeyedSession = tuple["Call", "MediaLine", "LineState", "TlsSession"]


def _mikey(media: Media) -> list[bytes]:
    """The MIKEY messages in whose scope a section is."""
    if b"\na=key-mgmt:" not in media.section.text and b"\na=key-mgmt:" not in media.session.text:
        return []
    return [each.data for each in media.key_mgmt_in_force if each.protocol == b"mikey" and len(each.data) > 1]


def keyed(state: LineState) -> bool:
    """TLS is agreed with keys by MIKEY: the offer has them, and the answer has too or takes no certificates instead.

    A ticket need not be answered (its F flag), so an answer may be silent.
    """
    answered = state.answered
    if answered is None or not tls_agreed(state) or not _mikey(state.offered):
        return False
    return bool(_mikey(answered)) or not answered.fingerprints


def _by_ticket(state: LineState) -> bool:
    return any(data[1] in TICKETS for data in _mikey(state.offered))


@once
def _applying(trace: Trace, scene: Scene) -> dict[str, bool | None]:
    """Lines with keys by MIKEY, by id: whether the rules of the KMS solution apply; None where that is open."""
    out: dict[str, bool | None] = {}
    for call in trace.calls:
        covered = scene.covers(call.id, PROFILES)
        if covered is False:
            continue
        for line in call.lines:
            states = [state for state in line.states if keyed(state)]
            if states:
                out[line.id] = True if covered or any(map(_by_ticket, states)) else None
    return out


@once
def keyed_sessions(trace: Trace, scene: Scene) -> list[KeyedSession]:
    """Sessions of lines with keys by MIKEY, where the KMS solution applies; refused handshakes are left out."""
    applying = _applying(trace, scene)
    judged: set[str] = set()
    out = []
    for call in trace.calls:
        for line in call.lines:
            if not applying.get(line.id):
                continue
            for session in line.tls_sessions:
                state = state_at(line, session.first.time)
                if session.id not in judged and keyed(state) and not refused(session):
                    judged.add(session.id)
                    out.append((call, line, state, session))
    return out


def keyed_lines_not_assessed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Lines with keys by MIKEY whose handshakes were not captured, or whose calls' profile is open."""
    applying = _applying(trace, scene)
    for line, applies in applying.items():
        if applies is None:
            yield profile_open(Subject("media", line))
    if applying:
        yield from lines_without_sessions(trace, scene, lambda each: bool(applying.get(each.id)))
