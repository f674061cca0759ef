"""The a=crypto attribute: SDP security descriptions for SRTP (RFC 4568)."""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sdp.suites import crypto_suite

if TYPE_CHECKING:
    from dissectors.sdp.suites import CryptoSuite

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
DISTINCT = 8  # characters of a key that differ; a placeholder repeats few
_SPOILED = re.compile(rb"([A-Za-z0-9+/]{38,88}={0,2})[^A-Za-z0-9+/=|;]")
_MASKED = re.compile(rb"[^*<>\[\]]*(?:[*<>\[\]]|\.\.\.)|([xX.#_-])\1*\Z", re.DOTALL)
_USUAL = re.compile(rb"([1-9][0-9]{0,8}) ([A-Za-z0-9_]+) inline:([A-Za-z0-9+/]{38,88}={0,2})(?:\|2\^([1-9][0-9]?))?")
_NUMBER_DIGITS = 310  # an MKI of 128 octets is no longer
_FLAGS = frozenset((b"UNENCRYPTED_SRTP", b"UNENCRYPTED_SRTCP", b"UNAUTHENTICATED_SRTP"))


@dataclass(slots=True, frozen=True)
class InlineKey:
    """One `inline:` key parameter (RFC 4568 §6.1)."""

    key_salt: bytes = field(repr=False)  # master key and salt, concatenated
    lifetime: int | None  # packets; None: the suite's default
    mki: int | None
    mki_length: int  # octets in each packet; 0 without an MKI
    text_length: int  # characters of the base64 text as sent

    @property
    def digest(self) -> str:
        """What names the key where it must not be shown: the first 8 hex digits of its SHA-256."""
        return hashlib.sha256(self.key_salt).hexdigest()[:8]


@dataclass(slots=True, frozen=True)
class Crypto:
    """One a=crypto line. Keys are read as far as they can be, from invalid lines too: they are exposed all the same."""

    tag: int  # -1 if it is no number
    suite: bytes  # as sent
    keys: tuple[InlineKey, ...]
    session_params: tuple[bytes, ...]  # as sent, FEC_KEY without its keys
    error: str  # why the attribute is invalid; "" if it is valid
    masked: bool  # the key was replaced by a placeholder before the capture was handed on
    offset: int  # of the attribute's line in the body
    length: int  # of the line, without its line end
    fec_keys: tuple[InlineKey, ...] = ()
    notes: tuple[str, ...] = ()  # legal, yet worth saying

    @property
    def crypto_suite(self) -> CryptoSuite | None:
        """What the suite stands for; None if it is unknown, which is no error (RFC 4568 §5.1.2)."""
        return crypto_suite(self.suite)

    @property
    def valid(self) -> bool:
        """Nothing is wrong with the attribute."""
        return not self.error

    def has(self, session_param: bytes) -> bool:
        """Whether a session parameter (its name, in upper case) is given."""
        return any(word.partition(b"=")[0].upper() == session_param for word in self.session_params)

    @property
    def unencrypted_srtp(self) -> bool:
        """Payloads are not encrypted (RFC 4568 §6.3.2)."""
        return self.has(b"UNENCRYPTED_SRTP")

    @property
    def unencrypted_srtcp(self) -> bool:
        """RTCP is not encrypted (RFC 4568 §6.3.2)."""
        return self.has(b"UNENCRYPTED_SRTCP")

    @property
    def unauthenticated_srtp(self) -> bool:
        """RTP carries no tag (RFC 4568 §6.3.3)."""
        return self.has(b"UNAUTHENTICATED_SRTP")


def parse_crypto(value: bytes, offset: int = 0, length: int = 0) -> Crypto:
    """Read the value of an a=crypto attribute (what stands behind `a=crypto:`); never raises.

    The first thing wrong is the error (RFC 4568 §4, §6, §9).
    """
    usual = _USUAL.fullmatch(value)
    if usual is not None:
        found = _usual(usual, offset, length)
        if found is not None:
            return found
    return _parse(value, offset, length, [])


def _usual(line: re.Match[bytes], offset: int, length: int) -> Crypto | None:
    """A line with one key of a registered suite and nothing that is wrong; None for any other."""
    tag, name, encoded, power = line.groups()
    suite = crypto_suite(name)
    if suite is None or not suite.registered or not suite.confirmed or len(encoded) != suite.text_length:
        return None
    if power is not None and int(power) > 31:
        return None
    if encoded[:1] in b"xX":  # perhaps a placeholder
        return None
    key_salt = binascii.a2b_base64(encoded)
    if len(key_salt) != suite.length:
        return None
    key = InlineKey(key_salt, None if power is None else 1 << int(power), None, 0, len(encoded))
    return Crypto(int(tag), name, (key,), (), "", False, offset, length)


def crypto_troubles(value: bytes) -> tuple[str, ...]:
    """All that is wrong with the value of an a=crypto attribute (RFC 4568 §4, §6, §9)."""
    trouble: list[str] = []
    _parse(value, 0, 0, trouble)
    return tuple(dict.fromkeys(trouble))


def _parse(value: bytes, offset: int, length: int, trouble: list[str]) -> Crypto:
    notes: list[str] = []
    if value[:1] in (b" ", b"\t"):
        trouble.append("white space before the tag")
    words = value.split()
    tag = _tag(words[0] if words else b"", trouble, notes)
    suite_name = words[1] if len(words) > 1 else b""
    if not suite_name:
        trouble.append("no crypto suite")
    suite = crypto_suite(suite_name)
    if suite is not None and not suite.registered:
        notes.append("crypto suite is not registered")

    rest = words[2:]
    taken = min(len(rest), 1)
    while taken < len(rest) and taken and (rest[taken - 1][-1:] == b";" or rest[taken][:1] == b";"):
        taken += 1
    text = b"".join(rest[:taken])
    if taken > 1:
        trouble.append("white space inside the key parameters")
    if not text:
        trouble.append("no key parameters")
    keys, masked = _keys(text, suite, trouble) if text else ((), False)
    params, fec_keys = _session_params(rest[taken:], suite, trouble, notes)
    error = trouble[0] if trouble else ""
    return Crypto(tag, suite_name, keys, params, error, masked, offset, length, fec_keys, tuple(notes))


def _tag(text: bytes, trouble: list[str], notes: list[str]) -> int:
    if not text.isdigit():
        trouble.append("tag is no number")
        return -1
    if len(text) > 9:
        trouble.append("tag longer than 9 digits")
        return int(text) if len(text) <= 18 else -1
    if text == b"0":
        notes.append("tag 0")
    elif text[:1] == b"0":
        trouble.append("leading zero in tag")
    return int(text)


def _keys(text: bytes, suite: CryptoSuite | None, trouble: list[str]) -> tuple[tuple[InlineKey, ...], bool]:
    """The keys of a key-params field, and whether one was masked."""
    keys: list[InlineKey] = []
    masked = False
    params = text.split(b";")
    marks: list[tuple[int | None, int]] = []
    for param in params:
        method, colon, info = param.partition(b":")
        if not colon:
            trouble.append("key parameter without a key method")
            continue
        if method.lower() != b"inline":
            trouble.append("unknown key method")
            continue
        encoded, *more = info.split(b"|")
        lifetime, mki, mki_length = _key_info(more, suite, trouble)
        marks.append((mki, mki_length))
        spoiled = _SPOILED.match(encoded)
        if spoiled is not None and len(set(spoiled[1])) > DISTINCT:  # the invalid line shows its key all the same
            trouble.append("octets behind the key that are not base64")
            encoded = spoiled[1]
        if _MASKED.match(encoded):
            masked = True
            continue
        key_salt = _base64(encoded)
        if key_salt is None:
            trouble.append("key is not base64")
            continue
        if suite is not None and suite.confirmed and len(key_salt) != suite.length:
            trouble.append(f"key and salt have {len(key_salt)} octets, the crypto suite needs {suite.length}")
        keys.append(InlineKey(key_salt, lifetime, mki, mki_length, len(encoded)))
    if len(marks) > 1:
        numbers = [mki for mki, _ in marks]
        if None in numbers:
            trouble.append("several keys without MKI")
        elif len({octets for _, octets in marks}) > 1:
            trouble.append("MKI lengths differ")
        elif len(set(numbers)) < len(numbers):
            trouble.append("MKI values are equal")
    return tuple(keys), masked


def _key_info(fields: list[bytes], suite: CryptoSuite | None, trouble: list[str]) -> tuple[int | None, int | None, int]:
    """Lifetime, MKI and MKI length behind a key."""
    lifetime: int | None = None
    mki: int | None = None
    mki_length = 0
    if len(fields) > 2:
        trouble.append("more than lifetime and MKI behind the key")
    for place, text in enumerate(fields[:2]):
        if b":" in text:
            if place + 1 < len(fields):
                trouble.append("MKI before the lifetime")
            mki, mki_length = _mki(text, trouble)
        elif place:
            trouble.append("MKI without length")
        else:
            lifetime = _lifetime(text, suite, trouble)
    return lifetime, mki, mki_length


def _lifetime(text: bytes, suite: CryptoSuite | None, trouble: list[str]) -> int | None:
    digits = text[2:] if text[:2] == b"2^" else text
    if not digits.isdigit() or len(digits) > _NUMBER_DIGITS:
        trouble.append("lifetime is no number")
        return None
    if digits[:1] == b"0" and text != b"2^0":
        trouble.append("zero lifetime" if not digits.strip(b"0") and digits is text else "leading zero in lifetime")
        return None
    number = int(digits)
    limit = suite.srtp_lifetime if suite is not None else 1 << 48
    if digits is not text:
        number = 1 << number if number <= 64 else limit + 1
    if number > limit:
        trouble.append(f"lifetime above 2^{limit.bit_length() - 1}")
    return number


def _mki(text: bytes, trouble: list[str]) -> tuple[int | None, int]:
    value, _, size = text.partition(b":")
    if not value.isdigit() or len(value) > _NUMBER_DIGITS:
        trouble.append("MKI is no number")
        return None, 0
    if value[:1] == b"0":
        trouble.append("leading zero in MKI" if value.strip(b"0") else "MKI is zero")
        return None, 0
    if not size:
        trouble.append("MKI without length")
        return None, 0
    if not size.isdigit() or size[:1] == b"0":
        trouble.append("MKI length is no number above 0")
        return None, 0
    if len(size) > 3 or int(size) > 128:
        trouble.append("MKI length above 128")
        return None, 0
    if int(value) >> 8 * int(size):
        trouble.append("MKI does not fit its length")
    return int(value), int(size)


def _session_params(
    words: list[bytes], suite: CryptoSuite | None, trouble: list[str], notes: list[str]
) -> tuple[tuple[bytes, ...], tuple[InlineKey, ...]]:
    """Session parameters as sent, and the keys of FEC_KEY (RFC 4568 §6.3)."""
    params: list[bytes] = []
    fec_keys: tuple[InlineKey, ...] = ()
    for word in words:
        name, equals, value = word.partition(b"=")
        name = name.upper()
        if name == b"FEC_KEY":
            params.append(b"FEC_KEY")
            more, masked = _keys(value, suite, trouble)
            fec_keys += more
            if masked:
                notes.append("masked FEC_KEY")
            continue
        params.append(word)
        if name[:1] == b"-":
            continue
        if name in _FLAGS:
            if equals:
                trouble.append(f"{name.decode()} takes no value")
            if name == b"UNAUTHENTICATED_SRTP" and suite is not None and suite.aead:
                notes.append("UNAUTHENTICATED_SRTP can't be honoured with an AEAD suite")
        elif name == b"KDR":
            if not _in_range(value, 1, 24):
                trouble.append("KDR out of range")
        elif name == b"WSH":
            if not _in_range(value, 64, 10**9):
                trouble.append("window below 64" if value.isdigit() and value[:1] != b"0" else "window is no number")
        elif name == b"FEC_ORDER":
            if value.upper() not in (b"FEC_SRTP", b"SRTP_FEC"):
                trouble.append("unknown FEC_ORDER")
        else:
            trouble.append("unknown mandatory parameter")
    return tuple(params), fec_keys


def _in_range(digits: bytes, low: int, high: int) -> bool:
    return digits.isdigit() and digits[:1] != b"0" and len(digits) <= 10 and low <= int(digits) <= high


def _base64(text: bytes) -> bytes | None:
    """Octets of a base64 text, with or without its padding; None if it is none."""
    if not _BASE64.fullmatch(text):
        return None
    text = text.rstrip(b"=")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
