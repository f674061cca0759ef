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
from imsinspect.trace.model import KeyPlace

if TYPE_CHECKING:
    from imsinspect.keys.file import SrtpKey, UserKeys
    from imsinspect.trace.model import Trace

FROM_MIKEY = "psk from MIKEY"


@dataclass(slots=True)
class Collected:
    """What was found: the keys that streams are tried with, and the pre-shared keys that MIKEY gives to TLS."""

    candidates: Candidates
    ring: KeyRing
    psks: list[PreSharedKey] = field(default_factory=list)


def collect(trace: Trace, user: UserKeys | None = None) -> Collected:
    """The keys that may protect the streams of a trace; the trace gets them by their digests."""
    ring = KeyRing()
    known = Known({id(line): line_keys(line, ring) for call in trace.calls for line in call.lines})
    psks: list[PreSharedKey] = []
    if trace.mikey:
        from imsinspect.keys.mikey_lines import open_all  # loaded where there is MIKEY

        names = {line.id: line for call in trace.calls for line in call.lines}
        found, shared = open_all(trace, user.mikey if user is not None else None, ring)
        for each in found:
            if each.line is not None:
                known.of_line[id(names[each.line])].append((each.key, each.place))
            else:
                known.of_hosts.setdefault(each.hosts, []).append((each.key, each.place))
        psks = [PreSharedKey(tek, source=FROM_MIKEY) for tek in dict.fromkeys(each.tek for each in shared)]
    known.of_path = path_keys(trace, ring)
    for number, srtp in enumerate(user.srtp if user is not None else ()):
        _from_file(srtp, number, ring)
    trace.keys = ring.master_keys()
    trace.key_repeats = repeats(trace)
    return Collected(Candidates(trace, ring, known), ring, psks)


def _from_file(key: SrtpKey, number: int, ring: KeyRing) -> None:
    parameters = parameters_of(key.suite)
    if parameters is not None:
        place = KeyPlace("key file", None, f"srtp[{number}]" + (f" ({key.of})" if key.of else ""))
        lifetime = key.suite.srtp_lifetime
        ring.add(key.key_and_salt, parameters, key.suite.name, place, mki=key.mki, lifetime=lifetime, ssrc=key.ssrc)
