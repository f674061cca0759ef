"""Plain facts of a MIKEY message, as other code wants them: who, which crypto sessions, policies, tickets and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dissectors.binary import Layer
from dissectors.mikey import codes
from dissectors.mikey.extension.layers import CSBID, GeneralExtension, SDPIDs
from dissectors.mikey.layers import MIKEY, GenericID, SRTPSessionData, SRTPSessionDataWithROC
from dissectors.mikey.payload.layers import (
    CERT,
    ERR,
    ID,
    IDR,
    KEMAC,
    RAND,
    RANDR,
    SIGN,
    TR,
    NTPSeconds,
    NTPTimestamp,
    RekeyingInterval,
    T,
    V,
)
from dissectors.mikey.policies import (
    MISSION_CRITICAL_DEFAULTS,
    SRTP_DEFAULTS,
    SRTPParameters,
    TESLAParameters,
    srtp_parameters,
    tesla_parameters,
)
from dissectors.mikey.policy.layers import SP, SRTPPolicy, TESLAPolicy
from dissectors.mikey.ticket.layers import TICKET, TP
from dissectors.mikey.times import unix_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SAKKE = 26
_TR_START, _TR_END, _TR_REKEYING = 2, 3, 4


@dataclass(slots=True, frozen=True)
class CryptoSession:
    """One session of the CS ID map (RFC 3830 §6.1.1, RFC 6043 §6.1.1)."""

    cs_id: int
    prot_type: int
    policies: tuple[int, ...]
    ssrc: int | None = None
    roc: int | None = None
    seq: int | None = None
    session_data: bytes = b""  # of GENERIC-ID
    spi: bytes = b""
    with_roc: bool = False  # S of GENERIC-ID


@dataclass(slots=True, frozen=True)
class Identity:
    """An ID payload, whose role is 0, or an IDR payload."""

    role: int
    kind: int
    data: bytes


@dataclass(slots=True, frozen=True)
class Timestamp:
    """A T or TR payload. Seconds are those of NTP, `time` is Unix time; both None of a COUNTER."""

    kind: int
    octets: bytes
    time: int | None


@dataclass(slots=True, frozen=True)
class Policy:
    """An SP payload with its defaults; of other protocols only the octets."""

    number: int
    prot_type: int
    srtp: SRTPParameters | None
    tesla: TESLAParameters | None
    octets: bytes


@dataclass(slots=True, frozen=True)
class Key:
    """A key that stands in the clear (RFC 3830 §6.13)."""

    kind: int
    key: bytes
    salt: bytes
    spi: bytes | None
    valid_from: bytes | None
    valid_to: bytes | None


@dataclass(slots=True, frozen=True)
class KeyTransport:
    """A KEMAC payload."""

    encryption: int
    mac_algorithm: int
    mac: bytes
    encrypted: bytes
    keys: tuple[Key, ...]  # where they are not encrypted


@dataclass(slots=True, frozen=True)
class Ticket:
    """A TICKET payload, or a TP payload, which has no ticket data. Times are Unix time."""

    granted: bool  # TICKET
    kind: int
    subtype: int
    version: int
    prf: int
    flags: str
    identities: tuple[Identity, ...]
    valid_from: int | None
    valid_to: int | None
    rekeying_interval: int | None
    wanted_keys: tuple[KeyTransport, ...]
    ticket_data: bytes
    initiator_data: bytes


@dataclass(slots=True, frozen=True)
class Message:
    """What a MIKEY message says."""

    data_type: int
    csb_id: int
    replaced_csb_id: int | None  # what the CSB_ID extension puts in its place
    wants_response: bool
    prf: int
    map_type: int
    crypto_sessions: tuple[CryptoSession, ...]
    timestamp: Timestamp | None
    rands: tuple[tuple[int, bytes], ...]  # role, which is 0 of RAND, and value
    identities: tuple[Identity, ...]
    certificates: tuple[bytes, ...]
    policies: tuple[Policy, ...]
    tickets: tuple[Ticket, ...]
    key_transports: tuple[KeyTransport, ...]
    errors: tuple[int, ...]
    sdp_ids: tuple[bytes, ...] | None
    authentication: tuple[int, int, bytes] | None  # code of V or SIGN, its algorithm, and the MAC or signature
    troubles: tuple[str, ...]  # of the message as a whole
    unread: bytes  # where the chain of payloads could not be walked on


def message(layer: MIKEY) -> Message:
    """The facts of a message that was read. What is missing in it is None or empty."""
    payloads = layer.payloads
    defaults = MISSION_CRITICAL_DEFAULTS if layer.data_type == _SAKKE else SRTP_DEFAULTS
    extensions = [one.data for one in payloads if isinstance(one, GeneralExtension)]
    return Message(
        data_type=_number(layer.data_type),
        csb_id=_number(layer.csb_id),
        replaced_csb_id=next((_number(one.csb_id) for one in extensions if isinstance(one, CSBID)), None),
        wants_response=layer.V == 1,
        prf=_number(layer.prf_func),
        map_type=_number(layer.cs_id_map_type),
        crypto_sessions=tuple(_sessions(layer.cs_id_map_info)),
        timestamp=next((_timestamp(one) for one in payloads if isinstance(one, T)), None),
        rands=tuple(
            (_number(one.rand_role) if isinstance(one, RANDR) else 0, one.rand)
            for one in payloads
            if isinstance(one, RAND | RANDR)
        ),
        identities=_identities(payloads),
        certificates=tuple(one.cert_data for one in payloads if isinstance(one, CERT)),
        policies=tuple(_policy(one, defaults) for one in payloads if isinstance(one, SP)),
        tickets=tuple(_ticket(one) for one in payloads if isinstance(one, TP)),
        key_transports=_transports(payloads),
        errors=tuple(_number(one.error_no) for one in payloads if isinstance(one, ERR)),
        sdp_ids=next((tuple(one.ids) for one in extensions if isinstance(one, SDPIDs)), None),
        authentication=next((_authentication(one) for one in reversed(payloads) if isinstance(one, V | SIGN)), None),
        troubles=tuple(layer.troubles()),
        unread=bytes(layer.payload),
    )


def _number(value: Any) -> int:
    """A number; -1 where its octets were not there."""
    return value if isinstance(value, int) else -1


def _sessions(sessions: Iterable[Any]) -> Iterator[CryptoSession]:
    for at, one in enumerate(sessions, 1):
        if not isinstance(one, GenericID):
            yield CryptoSession(at, codes.SRTP, (_number(one.policy_no),), _number(one.ssrc), _number(one.roc))
            continue
        data = one.session_data
        bound = isinstance(data, SRTPSessionData | SRTPSessionDataWithROC)
        whole = isinstance(data, SRTPSessionDataWithROC)
        yield CryptoSession(
            _number(one.cs_id),
            _number(one.prot_type),
            tuple(one.policies),
            _number(data.ssrc) if bound else None,
            _number(data.roc) if whole else None,
            _number(data.seq) if whole else None,
            bytes(data or b""),
            one.spi,
            one.S == 1,
        )


def _timestamp(payload: Any) -> Timestamp:
    value = payload.ts_value
    seconds = value.seconds if isinstance(value, NTPTimestamp | NTPSeconds) else None
    return Timestamp(
        _number(payload.ts_type), bytes(value or b""), unix_time(seconds) if isinstance(seconds, int) else None
    )


def _identities(payloads: Iterable[Any]) -> tuple[Identity, ...]:
    return tuple(
        Identity(_number(one.id_role) if isinstance(one, IDR) else 0, _number(one.id_type), one.id_data)
        for one in payloads
        if isinstance(one, ID | IDR)
    )


def _policy(payload: Any, defaults: Any) -> Policy:
    layer = payload.policy_param
    carried = [
        (one.type, one.value)
        for one in (layer.parameters if isinstance(layer, SRTPPolicy | TESLAPolicy) else ())
        if isinstance(one, Layer) and isinstance(one.type, int) and isinstance(one.value, int)
    ]
    prot_type = _number(payload.prot_type)
    return Policy(
        _number(payload.policy_no),
        prot_type,
        srtp_parameters(carried, defaults) if prot_type == codes.SRTP else None,
        tesla_parameters(carried) if prot_type == codes.TESLA else None,
        bytes(layer or b""),
    )


def _transports(payloads: Iterable[Any]) -> tuple[KeyTransport, ...]:
    return tuple(
        KeyTransport(
            _number(one.encr_alg),
            _number(one.mac_alg),
            one.mac,
            bytes(one.encr_data or b""),
            tuple(_key(key) for key in one.keys_in_clear()),
        )
        for one in payloads
        if isinstance(one, KEMAC)
    )


def _key(layer: Any) -> Key:
    interval = layer.KV == codes.KV_INTERVAL
    return Key(
        _number(layer.type),
        layer.key_data,
        layer.salt_data,
        layer.spi if layer.KV == codes.KV_SPI else None,
        layer.valid_from if interval else None,
        layer.valid_to if interval else None,
    )


def _ticket(layer: Any) -> Ticket:
    payloads = layer.policy_payloads()
    times = {one.ts_role: _timestamp(one).time for one in payloads if isinstance(one, TR)}
    intervals = (one.ts_value for one in payloads if isinstance(one, TR) and one.ts_role == _TR_REKEYING)
    granted = isinstance(layer, TICKET)
    return Ticket(
        granted=granted,
        kind=_number(layer.ticket_type),
        subtype=_number(layer.subtype),
        version=_number(layer.version),
        prf=_number(layer.prf_func),
        flags=layer.flags(),
        identities=_identities(payloads),
        valid_from=times.get(_TR_START),
        valid_to=times.get(_TR_END),
        rekeying_interval=next((_number(one.interval) for one in intervals if isinstance(one, RekeyingInterval)), None),
        wanted_keys=_transports(payloads),
        ticket_data=bytes(layer.ticket_data or b"") if granted else b"",
        initiator_data=bytes(layer.initiator_data or b"") if granted else b"",
    )


def _authentication(payload: Any) -> tuple[int, int, bytes]:
    if isinstance(payload, V):
        return codes.V, _number(payload.auth_alg), payload.ver_data
    return codes.SIGN, _number(payload.s_type), bytes(payload.signature or b"")
