"""Protection at a glance: what the agreed SDP claims for a media line, and what the packets show.

The words, the same in every view (docs/report.md explains them):

claimed   none                            a transport without protection, and no keys
          sdes:SUITE                      SRTP with the crypto_suite that was answered (RFC 4568), and with its
                                          parameters where they switch protection off: UNENCRYPTED_SRTP …
          mikey                           SRTP with keys from a=key-mgmt:mikey (RFC 4567, RFC 6043)
          dtls-srtp                       SRTP with keys from a DTLS handshake, a=fingerprint given (RFC 5763)
          tls, dtls                       the application inside (D)TLS, certificate bound by a=fingerprint (RFC 8122)
          tls:mikey, dtls:mikey           the same with a pre-shared key from a=key-mgmt:mikey (TS 33.328 Annex H)
          tls, no fingerprint             (D)TLS named (also dtls, dtls-srtp); nothing in the SDP binds its certificate
          secure, no key management       SRTP named, with nothing in the SDP that gives keys
          zrtp                            a=zrtp-hash (RFC 6189)
          … (opportunistic)               keys on a transport without protection (RFC 8643)
          offered only: …                 what was offered; no answer was seen
          rejected                        answered with port 0
          no SDP                          nothing was read of the line

observed  clear, srtp, unknown            what the line's media streams were judged to be
          rtcp clear                      control packets in clear beside media that is not
          srtp without a valid tag        a stream of which keys are known, and none verifies any packet
          srtcp without a valid tag       the same of control packets
          tls VERSION, dtls VERSION       a session on the line; with NULL behind it: it does not encrypt
          tls (handshake not seen)        records of a session that began before the capture (or its hello is missing)
          tls (no answer to the client's hello)
          tls (refused)                   a session that ended in an alert before a cipher suite was chosen
          no media                        a media line without packets
          no tls seen                     a line of another kind without a TLS or DTLS session

Several things observed are joined by " + ".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.report.escape import text
from imsinspect.trace.model import RtcpSource
from imsinspect.trace.proof_words import TAG_CUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import Media
    from dissectors.sdp.transports import Transport
    from imsinspect.trace.model import LineState, MediaLine, Proof, TlsSession


class Level(Enum):
    """How a line stands, for a sign beside the words; the worst first."""

    BROKEN = "broken"  # protection is claimed, and what passes is clear
    CLEAR = "clear"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    SECURED = "secured"


NO_VALID_TAG = "without a valid tag"

KIND_LEVELS = {
    "rtp": ("clear", Level.CLEAR),
    "srtp": ("srtp", Level.SECURED),
    "unknown": ("unknown", Level.UNKNOWN),
}
"""The word and the level for each kind of stream."""


SIGN = {
    Level.SECURED: "✔",
    Level.BROKEN: "✖",
    Level.CLEAR: "○",
    Level.UNKNOWN: "?",
    Level.ABSENT: "–",
}
LEGEND = {
    Level.SECURED: "protected as seen",
    Level.BROKEN: "claimed but not there",
    Level.CLEAR: "clear",
    Level.UNKNOWN: "could not be told",
    Level.ABSENT: "nothing seen",
}
"""What a sign stands for."""


@dataclass(slots=True, frozen=True)
class Claim:
    """What the SDP says of a media line."""

    media: str  # "audio"
    transport: str  # "RTP/SAVP"
    current: str  # of the state agreed last
    secure: bool  # whether that claims protection
    before: tuple[str, ...] = ()  # other claims that were agreed earlier, in order


@dataclass(slots=True, frozen=True)
class Observation:
    """What the packets of a media line show."""

    words: str
    level: Level


def failing(proof: Proof | None) -> Level | None:
    """How packets stand of which none verifies although keys are known: without tags they lack what was agreed, else
    they may be protected with a key that nobody showed. None where some verify, or none was checked."""
    if proof is None or proof.verified or not proof.failed or proof.in_clear:
        return None
    return Level.BROKEN if proof.diagnoses.get(TAG_CUT, 0) == proof.failed else Level.UNKNOWN


def claim(line: MediaLine) -> Claim:
    """The claim of the state agreed last, or else of the last one seen."""
    agreed = [state for state in line.states if state.accepted]
    if not line.states:
        return Claim("", "", "no SDP", False)
    state = agreed[-1] if agreed else line.states[-1]
    current, secure = _claimed(state)
    earlier = (_claimed(other)[0] for other in agreed[:-1])
    before = tuple(word for word in dict.fromkeys(earlier) if word != current)
    media = state.answered if state.accepted and state.answered is not None else state.offered
    return Claim(text(media.media), text(media.proto), current, secure, before)


def observe(line: MediaLine) -> Observation:
    """What the line's streams were judged to be, and which TLS or DTLS sessions ran on it."""
    words: dict[str, None] = {}
    levels: set[Level] = set()
    media = [use.stream for use in line.streams if not isinstance(use.stream, RtcpSource)]
    kinds = {stream.kind for stream in media}
    for kind, (word, level) in KIND_LEVELS.items():
        if kind in kinds:
            words[word] = None
            levels.add(level)
    if "rtp" not in kinds and any(isinstance(use.stream, RtcpSource) and use.stream.plain for use in line.rtcp):
        words["rtcp clear"] = None
        levels.add(Level.CLEAR)
    for word, uses in (("srtp", line.streams), ("srtcp", line.rtcp)):
        for level in filter(None, (failing(use.stream.proof) for use in uses)):
            words[f"{word} {NO_VALID_TAG}"] = None
            levels.add(level)
    over_rtp = bool(media) or _is_rtp(line)
    for session in line.tls_sessions:
        level, said = secured(session)
        words[said] = None
        if not over_rtp:  # a DTLS handshake on an RTP line gives keys; its cipher protects no media
            levels.add(level)
    if over_rtp and not media:
        words["no media"] = None
    elif not words:
        words["no tls seen"] = None
    return Observation(" + ".join(words), next((level for level in Level if level in levels), Level.ABSENT))


def judged(claimed: Claim, observed: Observation) -> Level:
    """How the line stands: clear traffic where protection was agreed is worse than clear traffic."""
    return Level.BROKEN if claimed.secure and observed.level is Level.CLEAR else observed.level


def secured(session: TlsSession) -> tuple[Level, str]:
    """What a TLS or DTLS session gives to the bytes inside it, and the words for it."""
    if session.cipher_suite is None:
        if session.alerts and not session.server_hellos:
            return Level.ABSENT, f"{session.transport} (refused)"
        missing = "no answer to the client's hello" if session.client_hellos and not session.server_hellos else ""
        return Level.UNKNOWN, f"{session.transport} ({missing or 'handshake not seen'})"
    words = f"{session.transport} {session.version}".rstrip()
    if session.opened_by == "null" or suite(session.cipher_suite).null:
        return Level.BROKEN, f"{words} NULL"
    return Level.SECURED, words


SPOKEN = {
    "none": "clear",
    "mikey": "MIKEY",
    "zrtp": "ZRTP",
    "dtls-srtp": "DTLS-SRTP",
    "tls": "TLS",
    "dtls": "DTLS",
}
_OFFERED = "offered only: "
_OPPORTUNISTIC = " (opportunistic)"


def agreed(state: LineState) -> str:
    """What one offer and its answer agree on, spoken."""
    return spoken(_claimed(state)[0])


def spoken(claimed: str) -> str:
    """A claim in the words of people: "SDES AES_CM_128_HMAC_SHA1_80", "DTLS-SRTP", "TLS with MIKEY", "clear"."""
    offered, rest = (_OFFERED, claimed.removeprefix(_OFFERED)) if claimed.startswith(_OFFERED) else ("", claimed)
    bare = rest.removesuffix(_OPPORTUNISTIC)
    return offered + " + ".join(map(_mechanism_spoken, bare.split(" + "))) + rest[len(bare) :]


def _mechanism_spoken(word: str) -> str:
    if word.startswith("sdes:"):  # the suite is the sender's
        return f"SDES {word.removeprefix('sdes:')}"
    name, comma, lack = word.partition(", ")
    base, colon, _ = name.partition(":")
    return SPOKEN.get(base, base) + (" with MIKEY" if colon else "") + comma + lack


_SUITES_SHOWN = 4  # of an offer


@dataclass(slots=True, frozen=True)
class _Keys:
    """What one party's SDP gives for the keys of one line."""

    crypto_suites: tuple[str, ...]
    mikey: bool
    fingerprint: bool  # a valid one
    zrtp: bool


def _is_rtp(line: MediaLine) -> bool:
    return not line.states or line.states[-1].offered.profile.family == "rtp"


def _claimed(state: LineState) -> tuple[str, bool]:
    """The words for one state of a line, and whether they claim protection."""
    offered = _keys(state.offered)
    if state.answered is None:
        return f"{_OFFERED}{_mechanism(state.offered.profile, offered)[0]}", False
    if not state.accepted:
        return "rejected", False
    answered = _keys(state.answered)
    if offered.mikey and not answered.crypto_suites and not answered.fingerprint:
        # The ticket policy may ask for no response (rules.md 19.2, F=0): the offer's message then stands alone.
        answered = _Keys((), True, False, False)
    return _mechanism(state.answered.profile, answered)


def _mechanism(transport: Transport, keys: _Keys) -> tuple[str, bool]:
    """The words for a transport with these keys, and whether they claim protection."""
    if transport.security in ("tls", "dtls"):
        base = "dtls-srtp" if transport.family == "rtp" and transport.security == "dtls" else transport.security
        return (f"{base}:mikey" if keys.mikey else base if keys.fingerprint else f"{base}, no fingerprint"), True
    if transport.family != "rtp":
        return "none", False
    named = []
    if keys.crypto_suites:
        more = f" and {len(keys.crypto_suites) - _SUITES_SHOWN} more" if len(keys.crypto_suites) > _SUITES_SHOWN else ""
        named.append(f"sdes:{', '.join(keys.crypto_suites[:_SUITES_SHOWN])}{more}")
    named += _other_keys(keys)
    words = " + ".join(named)
    if transport.secure:
        return words or "secure, no key management", True
    return (f"{words}{_OPPORTUNISTIC}", True) if words else ("none", False)


def _other_keys(keys: _Keys) -> Iterable[str]:
    """Key management beside SDES on a line for RTP."""
    for word, there in (("mikey", keys.mikey), ("dtls-srtp", keys.fingerprint), ("zrtp", keys.zrtp)):
        if there:
            yield word


def _keys(media: Media) -> _Keys:
    return _Keys(
        tuple(_suite(crypto) for crypto in media.crypto),
        any(attribute.protocol == b"mikey" for attribute in media.key_mgmt_in_force),
        any(not attribute.error for attribute in media.fingerprints),
        bool(media.zrtp_hash),
    )


def _suite(crypto: Crypto) -> str:
    flags = (
        ("UNENCRYPTED_SRTP", crypto.unencrypted_srtp),
        ("UNENCRYPTED_SRTCP", crypto.unencrypted_srtcp),
        ("UNAUTHENTICATED_SRTP", crypto.unauthenticated_srtp),
    )
    return " ".join([text(crypto.suite), *(flag for flag, there in flags if there)])
