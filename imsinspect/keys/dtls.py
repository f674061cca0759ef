"""SRTP keys that DTLS handshakes gave: each side protects what it sends with its own write key (RFC 5764 §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from imsinspect.keys.ring import parameters_of
from imsinspect.trace.model import KeyPlace

if TYPE_CHECKING:
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.keys.candidates import Found
    from imsinspect.keys.ring import KeyRing
    from imsinspect.trace.model import Trace

LIFETIME = 1 << 31  # packets (RFC 5764 §4.1.2)


def path_keys(trace: Trace, ring: KeyRing) -> dict[tuple[Endpoint, Endpoint], list[Found]]:
    """The keys of opened DTLS sessions by the source and destination of what they protect."""
    out: dict[tuple[Endpoint, Endpoint], list[Found]] = {}
    lines = {
        id(session): line for call in trace.calls for line in call.lines for session in line.tls_sessions
    }  # fmt: skip
    for session in trace.tls_sessions:
        line = lines.get(id(session))
        for keying in session.srtp_keying:
            suite = DTLS_SRTP_PROFILES.get(keying.profile)
            parameters = parameters_of(suite) if suite is not None else None
            if suite is None or parameters is None:
                continue
            for who, key_salt, path in (
                ("client", keying.client_key + keying.client_salt, (session.client, session.server)),
                ("server", keying.server_key + keying.server_salt, (session.server, session.client)),
            ):
                place = KeyPlace(
                    "dtls",
                    keying.frame,
                    f"{session.id}, {who}",
                    line.call if line is not None else "",
                    line.id if line is not None else "",
                    begins=keying.time,
                )
                key = ring.add(key_salt, parameters, suite.name, place, mki=keying.mki, lifetime=LIFETIME)
                if key is not None:
                    out.setdefault(path, []).append((key, place))
    return out
