"""Gathers every key that the trace and the user's file hold, and what each belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.crypto.tls import PreSharedKey
from imsinspect.keys.candidates import Candidates, Known
from imsinspect.keys.dtls import path_keys
from imsinspect.keys.repeats import repeats
from imsinspect.keys.ring import KeyRing, parameters_of
from imsinspect.keys.sdes import line_keys
from imsinspect.trace.binding import canonical
from imsinspect.trace.model import KeyPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.crypto.cms import CmsKek
    from imsinspect.keys.file import SrtpKey, UserKeys
    from imsinspect.keys.mikey_lines import PreShared
    from imsinspect.trace.model import MediaLine, Trace

FROM_MIKEY = "psk from MIKEY"


@dataclass(slots=True)
class Collected:
    """What was found: the keys that streams are tried with, and those that MIKEY gives to TLS and to S/MIME."""

    candidates: Candidates
    ring: KeyRing
    psks: list[PreSharedKey] = field(default_factory=list)
    keks: list[CmsKek] = field(default_factory=list)


def collect(trace: Trace, user: UserKeys | None = None) -> Collected:
    """The keys that may protect the streams of a trace; the trace gets them by their digests."""
    ring = KeyRing()
    known = Known({id(line): line_keys(line, ring) for call in trace.calls for line in call.lines})
    psks: list[PreSharedKey] = []
    keks: list[CmsKek] = []
    if trace.mikey:
        from imsinspect.keys.mikey_lines import open_all  # loaded where there is MIKEY

        names = {line.id: line for call in trace.calls for line in call.lines}
        found, shared = open_all(trace, user.mikey if user is not None else None, ring)
        for each in found:
            if each.line is not None:
                known.of_line[id(names[each.line])].append((each.key, each.place))
            else:
                known.of_hosts.setdefault(each.hosts, []).append((each.key, each.place))
        psks = _pre_shared(shared, names)
        keks = _key_encryption(shared)
    known.of_path = path_keys(trace, ring)
    for number, srtp in enumerate(user.srtp if user is not None else ()):
        _from_file(srtp, number, ring)
    candidates = Candidates(trace, ring, known)
    trace.key_repeats = repeats(trace, ring.not_applied)
    return Collected(candidates, ring, psks, keks)


def _pre_shared(shared: list[PreShared], lines: dict[str, MediaLine]) -> list[PreSharedKey]:
    """TEKs as pre-shared keys of the sessions that the lines of their messages announce, and of no others."""
    found: dict[tuple[bytes, tuple[str, int] | None], PreSharedKey] = {}
    for each in shared:
        ends = {end for name in each.message.lines for end in _announced(lines[name])}
        for server in sorted(ends) or (None,):
            found.setdefault((each.tek, server), PreSharedKey(each.tek, server=server, source=FROM_MIKEY))
    return list(found.values())


def _key_encryption(shared: list[PreShared]) -> list[CmsKek]:
    """The same TEKs as key-encryption keys of S/MIME bodies (TS 33.328 Annex J.1)."""
    from imsinspect.crypto.cms import CmsKek

    return [CmsKek(tek, of=FROM_MIKEY) for tek in dict.fromkeys(each.tek for each in shared)]


def _announced(line: MediaLine) -> Iterator[tuple[str, int]]:
    for state in line.states:
        for media in (state.offered, state.answered):
            if media is not None and media.port > 0:
                yield canonical(media.connection), media.port


def _from_file(key: SrtpKey, number: int, ring: KeyRing) -> None:
    parameters = parameters_of(key.suite)
    if parameters is not None:
        place = KeyPlace("key file", None, f"srtp[{number}]" + (f" ({key.of})" if key.of else ""))
        lifetime = key.suite.srtp_lifetime
        ring.add(key.key_and_salt, parameters, key.suite.name, place, mki=key.mki, lifetime=lifetime, ssrc=key.ssrc)
