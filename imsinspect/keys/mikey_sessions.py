"""From the keys that MIKEY carried to those of crypto sessions: TEK, salt, MKI, and the policy they are used by.

Sources: RFC 3830 §4.1.3, §6.1.1, §6.10, §6.13; RFC 6043 §5.1.3, §6.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey import codes
from dissectors.mikey.policies import MISSION_CRITICAL_DEFAULTS, SRTP_DEFAULTS, srtp_parameters
from imsinspect.crypto import mikey
from imsinspect.keys.mikey_records import MikeyKey, SessionKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dissectors.mikey.messages import CryptoSession, Message, Policy
    from dissectors.mikey.policies import SRTPParameters

MAX_SESSION_KEYS = 1024  # of one message: sessions times keys times policies
_MAX_LENGTH = 64  # octets of a key that a policy may ask for
_OTHER_LENGTHS = (16, 32)  # octets of a TEK for other protocols than SRTP: which they take is not stated
_SAKKE = 26
_GENERATING = frozenset(("TGK", "GTGK"))
_JOINED = {30: 16, 38: 24, 46: 32, 28: 16, 44: 32}
"""Octets of the key by those of a TEK that holds key and salt, as cameras and GStreamer send it."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """How keys of sessions come from a TGK: by RFC 3830 §4.1.3, or RFC 6043 §5.1.3 with RANDs by flags H and G."""

    function: int
    csb_id: int = 0
    rand: bytes = field(default=b"", repr=False)
    of_ticket: bool = False
    rand_i: bytes = field(default=b"", repr=False)
    rand_r: bytes = field(default=b"", repr=False)

    def derive(self, tgk: bytes, constant: int, cs_id: int, octets: int) -> bytes:
        """A key of a crypto session."""
        if self.of_ticket:
            context = mikey.ticket_session_context(cs_id, self.rand_i, self.rand_r)
        else:
            context = mikey.session_context(cs_id, self.csb_id, self.rand)
        return mikey.derive(self.function, tgk, constant, context, 8 * octets)


@dataclass(frozen=True, slots=True)
class Maps:
    """The crypto sessions and policies of an exchange: the initiator's message, and the answer where it was seen."""

    initial: Message
    answer: Message | None = None

    def sessions(self) -> Iterator[tuple[CryptoSession, str]]:
        """The sessions as they stand, each with its sender where the maps tell (RFC 3830 §6.1.1, RFC 6043 §6.1.1)."""
        offered = {one.cs_id: one for one in self.initial.crypto_sessions}
        for session in self.answer.crypto_sessions if self.answer is not None else self.initial.crypto_sessions:
            yield session, self._sender(offered.get(session.cs_id), session)

    def _sender(self, offered: CryptoSession | None, session: CryptoSession) -> str:
        if session.ssrc is None or (self.initial.map_type == codes.SRTP_ID and not session.ssrc):
            return ""
        generic = self.initial.map_type == codes.GENERIC_ID
        if offered is not None and offered.ssrc is not None and (offered.ssrc or generic):
            return "initiator" if offered.ssrc == session.ssrc else ""
        return "responder" if self.answer is not None else ""

    def policies(self, session: CryptoSession) -> list[tuple[int | None, SRTPParameters | None]]:
        """The policies that a session may be used by, with their numbers: those of the answer before the offered ones.

        Without SP, or one for this number, defaults apply (RFC 3830 §6.1.1).
        """
        known: dict[int, Policy] = {}
        for message in (self.initial, self.answer):
            for policy in message.policies if message is not None else ():
                if policy.prot_type == session.prot_type:
                    known[policy.number] = policy
        found = [(number, known[number].srtp) for number in dict.fromkeys(session.policies) if number in known]
        if not found and not session.policies and session.prot_type == codes.SRTP:
            found = [(number, one.srtp) for number, one in known.items()]  # the Responder chooses (RFC 6043 §6.1.1)
        if found or session.prot_type != codes.SRTP:
            return list(found) or [(None, None)]
        sakke = self.initial.data_type == _SAKKE
        return [(None, srtp_parameters((), MISSION_CRITICAL_DEFAULTS if sakke else SRTP_DEFAULTS))]


def session_keys(
    maps: Maps, keys: Sequence[MikeyKey], derivation: Derivation | None, csb_id: int
) -> tuple[tuple[SessionKeys, ...], tuple[str, ...]]:
    """The keys of every crypto session, and readings and remarks that they took.

    Without a derivation, as where a RAND was not seen, only those that were sent as TEKs.
    """
    found: list[SessionKeys] = []
    said: dict[str, None] = {}
    for session, sender in maps.sessions():
        for key, starts in _keys_for(session, keys):
            for number, policy in maps.policies(session):
                if len(found) >= MAX_SESSION_KEYS:
                    return tuple(found), (*said, f"only {MAX_SESSION_KEYS} keys of crypto sessions are derived")
                for tek, salt, word in _teks(session.cs_id, key, policy, derivation):
                    if word:
                        said[word] = None
                    if not tek:
                        continue
                    found.append(
                        SessionKeys(
                            csb_id=csb_id,
                            cs_id=session.cs_id,
                            prot_type=session.prot_type,
                            tek=tek,
                            salt=salt,
                            key_type=key.type,
                            source=key.digest,
                            mki=session.spi if key.spi is None else key.spi,
                            starts=starts,
                            valid_from=key.valid_from,
                            valid_to=key.valid_to,
                            policy_no=number,
                            policy=policy,
                            ssrc=_filled(session, maps.initial.map_type),
                            roc=session.roc,
                            seq=session.seq,
                            sender=sender,
                        )
                    )
    return tuple(found), tuple(said)


def _filled(session: CryptoSession, map_type: int) -> int | None:
    """The SSRC; 0 in an SRTP-ID map waits for the Responder (RFC 3830 §6.1.1)."""
    return None if map_type == codes.SRTP_ID and not session.ssrc else session.ssrc


def _keys_for(session: CryptoSession, keys: Iterable[MikeyKey]) -> list[tuple[MikeyKey, bool]]:
    """Keys for a session, the one to start with first: an SPI in the map names it (RFC 6043 §6.1.1)."""
    usable = [one for one in keys if one.type in _GENERATING or one.type == "TEK"]
    named = [one for one in usable if not session.spi or one.spi is None or one.spi == session.spi]
    others = [one for one in usable if one not in named]
    return [(one, True) for one in named] + [(one, False) for one in others]


def _teks(
    cs_id: int, key: MikeyKey, policy: SRTPParameters | None, derivation: Derivation | None
) -> Iterator[tuple[bytes, bytes, str]]:
    """TEK and salt of a key, each with what is to be said of it; no TEK where there can be none."""
    if key.type == "TEK":
        yield _sent(key, policy)
    elif derivation is None:
        yield b"", b"", "no TEK is derived: the random numbers were not seen"
    elif not 0 <= cs_id <= 255:
        yield b"", b"", ""
    elif policy is None:
        for octets in dict.fromkeys((*_OTHER_LENGTHS, len(key.key))):
            if 0 < octets <= _MAX_LENGTH:
                yield derivation.derive(key.key, mikey.TEK, cs_id, octets), key.salt, ""
    elif 0 < policy.encryption_key_length <= _MAX_LENGTH and policy.salt_length <= _MAX_LENGTH:
        tek = derivation.derive(key.key, mikey.TEK, cs_id, policy.encryption_key_length)
        salt = key.salt or derivation.derive(key.key, mikey.TGK_SALT, cs_id, policy.salt_length)
        yield tek, salt, ""
    else:
        yield b"", b"", "no TEK is derived: the policy asks for a length that cannot be"


def _sent(key: MikeyKey, policy: SRTPParameters | None) -> tuple[bytes, bytes, str]:
    """A TEK that was sent (RFC 3830 §6.13), taken apart where it holds the salt as well."""
    if key.salt or policy is None or len(key.key) == policy.encryption_key_length:
        return key.key, key.salt, ""
    if len(key.key) == policy.encryption_key_length + policy.salt_length:
        at = policy.encryption_key_length
        return key.key[:at], key.key[at:], "the TEK holds key and salt in one field"
    wanted = f"the policy asks for {policy.encryption_key_length}"
    if len(key.key) in _JOINED:
        at = _JOINED[len(key.key)]
        return key.key[:at], key.key[at:], f"the TEK holds a key of {at} octets and a salt in one field, {wanted}"
    return key.key, key.salt, f"the TEK has {len(key.key)} octets, {wanted}"
