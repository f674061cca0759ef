"""Reads captures in rounds: some bytes become readable only when a key is known, and keys stand in what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.capture.blocks import SECRETS_TLS
from imsinspect.capture.identity import endpoints
from imsinspect.capture.opening import Opening
from imsinspect.trace.correlate import correlate
from imsinspect.trace.scan import rescan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from imsinspect.capture.blocks import Secrets
    from imsinspect.capture.source import Capture
    from imsinspect.keys.candidates import Candidates
    from imsinspect.keys.collect import Collected
    from imsinspect.keys.file import UserKeys
    from imsinspect.keys.ring import KeyRing
    from imsinspect.trace.model import Trace
    from imsinspect.trace.scan import Scan

MAX_ROUNDS = 4  # each with the keys that the one before found


@dataclass(slots=True)
class Held:
    """The keys that are at hand: the user's, and those that captures carry or that were found in them."""

    user: UserKeys | None
    opening: Opening

    def learn(self, block: Secrets) -> None:
        """Secrets that a capture carries in a block of its own."""
        if block.type == SECRETS_TLS:
            from imsinspect.keys.keylog import parse_keylog

            self.opening.tls.add(parse_keylog(block.data).secrets)

    @property
    def count(self) -> int:
        """How many secrets there are."""
        tls = self.opening.tls
        named = (tls.master, tls.traffic, tls.premaster, tls.rsa_premaster, tls.session_master)
        return len(tls.psks) + len(self.opening.cms) + sum(len(each) for each in named)


def hold(key_files: Sequence[Path], key_logs: Sequence[Path]) -> Held:
    """What the user's files hold. Raises UsageError."""
    held = Held(None, Opening())
    held.opening.learn = held.learn
    if key_files:
        from imsinspect.keys.file import read_key_files

        held.user = read_key_files(key_files)
        held.opening.tls.psks += held.user.tls_psk
        held.opening.esp += held.user.esp
        held.opening.cms += held.user.cms_kek
    for path in key_logs:
        from imsinspect.keys.keylog import read_key_log

        held.opening.tls.add(read_key_log(path))
    return held


def _scans(captures: list[Capture], held: Held, progress: Callable[[int, int], None] | None) -> list[Scan]:
    """Read the captures; the scans are in the order of time."""
    scans: list[Scan] = []
    for index, capture in enumerate(captures):
        for earlier in scans[-1:]:
            earlier.found.streams.settle(wait=True)  # one process beside this one is enough
        scans.append(rescan(capture, index, progress, held.opening))
    return in_time(scans)


@dataclass(slots=True)
class Read:
    """Captures that were read, with what opens them."""

    trace: Trace
    scans: list[Scan]  # in the order of time
    candidates: Candidates | None  # None: no key of SRTP can be known
    ring: KeyRing | None
    opening: Opening


def read_captures(captures: list[Capture], held: Held, progress: Callable[[int, int], None] | None = None) -> Read:
    """Read captures, and read them once more where keys were found that open what was passed over; bounded."""
    for _ in range(MAX_ROUNDS):
        known = held.count
        scans = _scans(captures, held, progress)
        trace = correlate(scans)
        collected = _collect(trace, held)
        passed = _passed_over(trace, scans, held)
        if not passed and (held.count == known or not _more_opens(trace, held)):
            break
    if collected is None:
        return Read(trace, scans, None, None, held.opening)
    return Read(trace, scans, collected.candidates, collected.ring, held.opening)


def _collect(trace: Trace, held: Held) -> Collected | None:
    """The keys that may protect the streams of a trace; None where there are none, which spares loading the room.

    Pre-shared keys of TLS and key-encryption keys that MIKEY gave are held from now on.
    """
    counts = trace.counts
    if not (held.user or counts.sdp_crypto or counts.mikey_messages or any(each.opened for each in trace.tls_sessions)):
        return None
    from imsinspect.keys.collect import collect

    collected = collect(trace, held.user)
    psks, keks = set(held.opening.tls.psks), set(held.opening.cms)
    held.opening.tls.psks += [each for each in collected.psks if each not in psks]
    held.opening.cms += [each for each in collected.keks if each not in keks]
    return collected


def _passed_over(trace: Trace, scans: list[Scan], held: Held) -> bool:
    """Whether content was let go that can be read: its handshake is in another capture, or its secrets came later."""
    tls = held.opening.tls
    held.opening.readable |= {
        frozenset((session.client, session.server))
        for session in trace.tls_sessions
        if session.opened or any(tls.opens(hello.random, session.cipher_suite or 0) for hello in session.client_hellos)
    }
    signalling = [scan.found.signalling for scan in scans]
    return any(
        frozenset(endpoints(each.flows.identity[flow].tobytes())) in held.opening.readable
        for each in signalling
        for flow in each.passed
    )


def _more_opens(trace: Trace, held: Held) -> bool:
    """Whether secrets that were not known when the captures were read may open some of their sessions and bodies."""
    if held.opening.cms and any(body.encrypted and not body.opened for each in trace.messages for body in each.sealed):
        return True
    return any(
        not session.opened
        and session.cipher_suite is not None
        and any(held.opening.tls.opens(hello.random, session.cipher_suite) for hello in session.client_hellos)
        for session in trace.tls_sessions
    )


def in_time(scans: list[Scan]) -> list[Scan]:
    """Scans in the order of their first packets, as a ring of files was written; indices follow the arguments."""
    return sorted(scans, key=lambda each: (each.info.first_time is None, each.info.first_time or 0, each.index))
