"""What libsrtp says of a recording: which packets of which sender its keys open. Nothing of the project is used here.

Keys are taken from a=crypto lines (of who sent the SDP, RFC 4568 §7.1.1) and from key logs: the exporter of DTLS 1.2
(RFC 5705, RFC 5764 §4.2) is worked out below.
"""

from __future__ import annotations

import base64
import hmac
import re
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import pylibsrtp
from scapy.utils import RawPcapNgReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ETHERNET = 14
HANDSHAKE, CLIENT_HELLO, SERVER_HELLO = 22, 1, 2
DTLS_HEADS = 13 + 12  # octets of the record's and of the handshake message's header
USE_SRTP = 14
SHA384_SUITES = {0x009D, 0x009F, 0xC02C, 0xC030}
PROFILES = {
    1: "AES_CM_128_HMAC_SHA1_80",
    2: "AES_CM_128_HMAC_SHA1_32",
    7: "AEAD_AES_128_GCM",
    8: "AEAD_AES_256_GCM",
}

# struct srtp_crypto_policy_t: cipher and its key with salt, authentication, its key and tag, services.
POLICY = struct.Struct("=IiIiiI")
NULL_AUTH, HMAC_SHA1 = 0, 3
ICM_128, ICM_256 = 1, 5
CONFIDENTIALITY, AUTHENTICATION = 1, 2
CM = "SRTP_PROFILE_AES128_CM_SHA1_80"
FFI: Any = vars(pylibsrtp)["ffi"]


class Suite(NamedTuple):
    """A profile of pylibsrtp, and where it has none, what its policy is changed to."""

    profile: str
    key: int
    salt: int
    cipher: int = 0
    tag: int = 10


SUITES = {
    "AES_CM_128_HMAC_SHA1_80": Suite(CM, 16, 14, ICM_128),
    "AES_CM_128_HMAC_SHA1_32": Suite("SRTP_PROFILE_AES128_CM_SHA1_32", 16, 14, ICM_128, 4),
    "AES_256_CM_HMAC_SHA1_80": Suite(CM, 32, 14, ICM_256),
    "AES_256_CM_HMAC_SHA1_32": Suite(CM, 32, 14, ICM_256, 4),
    "AEAD_AES_128_GCM": Suite("SRTP_PROFILE_AEAD_AES_128_GCM", 16, 12),
    "AEAD_AES_256_GCM": Suite("SRTP_PROFILE_AEAD_AES_256_GCM", 32, 12),
}

SHORT_TAG, NO_TAG = "SRTCP tag of 32 bits", "SRTCP without a tag"
OTHERWISE = (SHORT_TAG, NO_TAG)
"""What RFC 3711 §3.4, RFC 4568 §6.2 and RFC 5764 §4.1.2 forbid, and libsrtp and libre do at the wish of their users."""

Address = tuple[str, int]
Path5 = tuple[Address, Address]


class Sender(NamedTuple):
    """An SSRC on a path."""

    source: Address
    destination: Address
    ssrc: int


class Key(NamedTuple):
    """A master key and salt with the suite and its session parameters."""

    suite: str
    octets: bytes
    parameters: frozenset[str] = frozenset()


@dataclass
class Seen:
    """What was seen of a sender."""

    packets: int = 0
    opened: int = 0
    in_clear: int = 0  # RTCP
    frames: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)  # SRTP: with the rollover counter; SRTCP
    suites: set[str] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set, repr=False)  # master keys and salts that open packets
    not_as_agreed: dict[str, int] = field(default_factory=dict)  # SRTCP that is opened as in OTHERWISE only


class Datagram(NamedTuple):
    """A UDP datagram of a recording."""

    frame: int
    source: Address
    destination: Address
    data: bytes
    offset: int  # of the data in the frame


def datagrams(frames: list[bytes]) -> Iterator[Datagram]:
    """The UDP datagrams of Ethernet frames; the first frame has number 1."""
    for number, frame in enumerate(frames, 1):
        kind = int.from_bytes(frame[12:14], "big")
        if kind == 0x0800 and frame[23] == 17:
            start, hosts = ETHERNET + 4 * (frame[14] & 15), (frame[26:30], frame[30:34])
        elif kind == 0x86DD and frame[20] == 17:
            start, hosts = ETHERNET + 40, (frame[22:38], frame[38:54])
        else:
            continue
        source, destination, length = struct.unpack("!HHH", frame[start : start + 6])
        ends = [(str(ip_address(host)), port) for host, port in zip(hosts, (source, destination), strict=True)]
        yield Datagram(number, ends[0], ends[1], frame[start + 8 : start + length], start + 8)


def frames_of(capture: Path) -> list[bytes]:
    """The octets of every frame of a pcapng file."""
    with RawPcapNgReader(str(capture)) as reader:
        return [data for data, _ in reader]


# --- keys -----------------------------------------------------------------------------------------


def sdes_keys(found: list[Datagram]) -> dict[str, list[Key]]:
    """The keys of a=crypto lines by the host that sent them."""
    keys: dict[str, list[Key]] = {}
    for each in found:
        if b"SIP/2.0" not in each.data[:200]:
            continue
        for suite, inline, more in re.findall(rb"(?m)^a=crypto:\d+ (\S+) inline:([^|\s]+)\S*([^\r\n]*)", each.data):
            key = Key(suite.decode(), base64.b64decode(inline), frozenset(more.decode().split()))
            of_host = keys.setdefault(each.source[0], [])
            if key not in of_host:
                of_host.append(key)
    return keys


def expand(secret: bytes, label: bytes, seed: bytes, octets: int, digest: str) -> bytes:
    """The PRF of TLS 1.2 (RFC 5246 §5)."""
    out, chain = b"", label + seed
    while len(out) < octets:
        chain = hmac.digest(secret, chain, digest)
        out += hmac.digest(secret, chain + label + seed, digest)
    return out[:octets]


def _extensions(data: bytes) -> dict[int, bytes]:
    found, at = {}, 2
    while at + 4 <= len(data):
        kind, length = struct.unpack("!HH", data[at : at + 4])
        found[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def dtls_keys(found: list[Datagram], key_log: bytes) -> dict[Path5, Key]:
    """The keys by the path that they protect."""
    masters = {}
    for line in key_log.splitlines():
        words = line.split()
        if words[:1] == [b"CLIENT_RANDOM"]:
            masters[bytes.fromhex(words[1].decode())] = bytes.fromhex(words[2].decode())
    clients: dict[Path5, bytes] = {}
    keys: dict[Path5, Key] = {}
    for each in found:
        data = each.data
        if data[:1] != bytes([HANDSHAKE]) or data[3:5] != b"\0\0":  # epoch 0
            continue
        random = data[DTLS_HEADS + 2 : DTLS_HEADS + 34]
        if data[13] == CLIENT_HELLO:
            clients[each.source, each.destination] = random
        elif data[13] == SERVER_HELLO:
            client = clients[each.destination, each.source]
            rest = data[DTLS_HEADS + 34 :]
            rest = rest[1 + rest[0] :]
            cipher_suite = int.from_bytes(rest[:2], "big")
            suite = PROFILES[int.from_bytes(_extensions(rest[3:])[USE_SRTP][2:4], "big")]
            key, salt = SUITES[suite].key, SUITES[suite].salt
            digest = "sha384" if cipher_suite in SHA384_SUITES else "sha256"
            material = expand(masters[client], b"EXTRACTOR-dtls_srtp", client + random, 2 * (key + salt), digest)
            salts = material[2 * key :]
            keys[each.destination, each.source] = Key(suite, material[:key] + salts[:salt])
            keys[each.source, each.destination] = Key(suite, material[key : 2 * key] + salts[salt:])
    return keys


# --- libsrtp --------------------------------------------------------------------------------------


def session(key: Key, *, sends: bool = False) -> Any:
    """A session of libsrtp for any SSRC."""
    suite, wanted = SUITES[key.suite], key.parameters
    policy_class = pylibsrtp.Policy
    kind = policy_class.SSRC_ANY_OUTBOUND if sends else policy_class.SSRC_ANY_INBOUND
    policy = policy_class(key=key.octets, ssrc_type=kind, srtp_profile=getattr(policy_class, suite.profile))
    if suite.cipher != 0 and (suite.cipher != ICM_128 or wanted):
        length = suite.key + suite.salt
        rtp_tag = (HMAC_SHA1, 20, suite.tag)
        services = (CONFIDENTIALITY * ("UNENCRYPTED_SRTP" not in wanted)) | AUTHENTICATION
        if "UNAUTHENTICATED_SRTP" in wanted:
            rtp_tag, services = (NULL_AUTH, 0, 0), CONFIDENTIALITY
        rtcp_services = (CONFIDENTIALITY * ("UNENCRYPTED_SRTCP" not in wanted)) | AUTHENTICATION
        rtcp_tag = (HMAC_SHA1, 20, 4 if SHORT_TAG in wanted else 10)
        if NO_TAG in wanted:
            rtcp_tag, rtcp_services = (NULL_AUTH, 0, 0), CONFIDENTIALITY
        for part, values in (
            (policy._policy.rtp, (suite.cipher, length, *rtp_tag, services)),
            (policy._policy.rtcp, (suite.cipher, length, *rtcp_tag, rtcp_services)),
        ):
            buffer = FFI.buffer(FFI.addressof(part))
            assert POLICY.unpack(buffer[:])[:2] == (ICM_128, 30), (
                "the structure of libsrtp is not the one that is known"
            )
            buffer[:] = POLICY.pack(*values)
    return pylibsrtp.Session(policy)


def _opened(call: Any, data: bytes) -> bytes | None:
    try:
        opened: bytes = call(data)
    except pylibsrtp.Error:
        return None
    return opened


def is_clear(compound: bytes) -> bool:
    """Whether the RTCP packets of a datagram end exactly with it, each with version 2 and a known type."""
    at = 0
    while at + 4 <= len(compound):
        if compound[at] >> 6 != 2 or not 200 <= compound[at + 1] <= 207:
            return False
        at += 4 * (1 + int.from_bytes(compound[at + 2 : at + 4], "big"))
    return at == len(compound)


class _Receiver:
    """Sessions of one sender, one for each key that may be its own."""

    def __init__(self, keys: list[Key], ssrc: int, rollover: bool) -> None:
        self.keys = keys
        self.sessions = [session(key) for key in keys]
        self.otherwise = {
            how: [session(key._replace(parameters=key.parameters | {how})) for key in keys if SUITES[key.suite].cipher]
            for how in OTHERWISE
        }
        if rollover:
            # libsrtp takes the first packet for one of rollover counter 0. Shown a packet with the last sequence
            # number before the wrap, it counts those that follow by itself.
            last = struct.pack("!BBHII", 0x80, 0, 0xFFFF, 0, ssrc) + bytes(20)
            for key, receiver in zip(keys, self.sessions, strict=True):
                receiver.unprotect(session(key, sends=True).protect(last))

    def rtp(self, data: bytes) -> Key | None:
        """The key that opens a packet."""
        for key, receiver in zip(self.keys, self.sessions, strict=True):
            if _opened(receiver.unprotect, data) is not None:
                return key
        return None

    def rtcp(self, data: bytes) -> tuple[Key | None, str]:
        """The key that opens a compound, and how that differs from what was agreed."""
        for key, receiver in zip(self.keys, self.sessions, strict=True):
            if _opened(receiver.unprotect_rtcp, data) is not None:
                return key, ""
        if not is_clear(data):
            for how in OTHERWISE:
                for key, receiver in zip(self.keys, self.otherwise[how], strict=False):
                    opened = _opened(receiver.unprotect_rtcp, data)
                    if opened is not None and is_clear(opened):
                        return key, how
        return None, ""


def _rtp_index(seen: Seen, sequence: int, rollover: bool) -> int:
    """The sequence number with its rollover counter, which is the one nearest to the packet before."""
    if not seen.indices:
        return sequence + (rollover << 16)
    before = seen.indices[-1]
    step = (sequence - before) & 0xFFFF
    return before + (step if step < 0x8000 else step - 0x10000)


def judge(
    frames: list[bytes], key_log: bytes = b"", *, rollover: bool = False
) -> tuple[dict[Sender, Seen], dict[Sender, Seen]]:
    """The senders of SRTP and of SRTCP, and what libsrtp opens of each."""
    found = list(datagrams(frames))
    by_host, by_path = sdes_keys(found), dtls_keys(found, key_log)
    streams: dict[Sender, Seen] = {}
    controls: dict[Sender, Seen] = {}
    receivers: dict[Sender, _Receiver] = {}
    for each in found:
        data = each.data
        if len(data) < 8 or data[0] >> 6 != 2:
            continue
        control = 192 <= data[1] < 224
        ssrc = int.from_bytes(data[4:8] if control else data[8:12], "big")
        sender = Sender(each.source, each.destination, ssrc)
        if sender not in receivers:
            dtls = by_path.get((each.source, each.destination))
            receivers[sender] = _Receiver([dtls] if dtls else by_host.get(each.source[0], []), ssrc, rollover)
        seen = (controls if control else streams).setdefault(sender, Seen())
        seen.packets += 1
        seen.frames.append(each.frame)
        if control:
            key, how = receivers[sender].rtcp(data)
            if key is None:
                seen.in_clear += is_clear(data)
                continue
            if how:
                seen.not_as_agreed[how] = seen.not_as_agreed.get(how, 0) + 1
            index = data[-4:] if how == NO_TAG or key.suite.startswith("AEAD") else data[-8:] if how else data[-14:]
            seen.indices.append(int.from_bytes(index[:4], "big") & 0x7FFFFFFF)
        else:
            key, how = receivers[sender].rtp(data), ""
            seen.indices.append(_rtp_index(seen, int.from_bytes(data[2:4], "big"), rollover))
        if key is not None:
            seen.opened += not how
            seen.suites.add(key.suite)
            seen.keys.add(key.octets)
    return streams, controls
