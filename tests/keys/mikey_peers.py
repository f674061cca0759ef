"""Peers that speak MIKEY with each other: a small implementation of its own, with nothing of imsinspect's cryptography.

Messages are built with the layers. `Kms`, `Initiator` and `Responder` speak MIKEY-TICKET (RFC 6043, mode 1), each
knowing only what it sent, received or holds.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scapy.packet import Raw

from dissectors.mikey.layers import MIKEY, GenericID, SRTPSessionData
from dissectors.mikey.payload.layers import (
    ID,
    IDR,
    KEMAC,
    RAND,
    RANDR,
    TR,
    KeyData,
    KeyDataSubPayloads,
    NTPSeconds,
    NTPTimestamp,
    T,
    V,
)
from dissectors.mikey.policy.layers import SP, SRTPPolicy, SRTPPolicyParameter
from dissectors.mikey.ticket.layers import THDR, TICKET, TP, InitiatorData, MIKEYBaseTicket, TPData

ALICE, BOB, KMS_ID = b"sip:alice@ims.example.org", b"sip:bob@ims.example.org", b"kms.ims.example.org"
ENCR, AUTH, SALT, TEK = "150533e1", "2d22ac75", "29b88916", "2ad01c64"
MAC_OCTETS = {0: 0, 1: 20, 2: 32}


@dataclass(frozen=True)
class Algorithms:
    """PRF function, Encr alg and MAC alg that go together."""

    prf: int = 0
    encr_alg: int = 1
    mac_alg: int = 1

    @property
    def octets(self) -> int:
        """Of keys."""
        return 32 if self.encr_alg == 3 else 16

    def derive(self, inkey: bytes, constant: str, context: bytes, octets: int) -> bytes:
        digest = "sha256" if self.prf else "sha1"
        label = bytes.fromhex(constant) + context
        out = bytes(octets)
        for block in [inkey[at : at + 32] for at in range(0, len(inkey), 32)]:
            stream, link = b"", label
            while len(stream) < octets:
                link = hmac.new(block, link, digest).digest()
                stream += hmac.new(block, link + label, digest).digest()
            out = bytes(one ^ other for one, other in zip(out, stream[:octets], strict=True))
        return out

    def mac(self, inkey: bytes, context: bytes, covered: bytes) -> bytes:
        if not self.mac_alg:
            return b""
        key = self.derive(inkey, AUTH, context, MAC_OCTETS[self.mac_alg])
        return hmac.new(key, covered, hashlib.sha1 if self.mac_alg == 1 else hashlib.sha256).digest()

    def crypt(self, inkey: bytes, context: bytes, csb_id: int, t: bytes, data: bytes) -> bytes:
        """AES-CM, both ways."""
        if not self.encr_alg:
            return data
        salt = self.derive(inkey, SALT, context, 14)
        iv = bytes(a ^ b for a, b in zip(salt, bytes(2) + csb_id.to_bytes(4, "big") + t, strict=True)) + bytes(2)
        key = self.derive(inkey, ENCR, context, self.octets)
        return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)


def l8(octets: bytes) -> bytes:
    return bytes([len(octets)]) + octets


def message_context(csb_id: int, rand: bytes) -> bytes:
    return b"\xff" + csb_id.to_bytes(4, "big") + rand


def ticket_context(csb_id: int, tag: int, rand_i: bytes, rand_r: bytes) -> bytes:
    return b"\xff" + csb_id.to_bytes(4, "big") + bytes([tag]) + l8(rand_i) + l8(rand_r)


_ticks = iter(range(0xE7A1B2C3, 0xE8000000))


def now() -> tuple[T, bytes]:
    """A new timestamp, as payload and as value."""
    seconds = next(_ticks)
    return T(ts_value=NTPTimestamp(seconds=seconds)), seconds.to_bytes(4, "big") + bytes(4)


def key_data(kind: int, key: bytes, spi: int, salt: bytes = b"") -> KeyData:
    return KeyData(type=kind, key_data=key, KV=1, spi=spi.to_bytes(4, "big"), **({"salt_data": salt} if salt else {}))


def keys_in(plain: bytes) -> list[Any]:
    return list(KeyDataSubPayloads(plain).payloads)


def kemac(data: bytes, encr_alg: int, mac_alg: int = 0) -> KEMAC:
    return KEMAC(encr_alg=encr_alg, encr_data=Raw(data), mac_alg=mac_alg, mac=bytes(MAC_OCTETS[mac_alg]))


def with_mac(message: MIKEY, mac_alg: int) -> bytes:
    """The octets of a message without those of the MAC that ends it."""
    octets = bytes(message)
    return octets[: len(octets) - MAC_OCTETS[mac_alg]]


def policy(number: int, length: int) -> SP:
    return SP(policy_no=number, policy_param=SRTPPolicy(parameters=[SRTPPolicyParameter(type=1, value=length)]))


def new_csb() -> int:
    return secrets.randbits(32)


# --- a pre-shared exchange ------------------------------------------------------------------------


def pre_shared_init(
    use: Algorithms, psk: bytes, keys: list[KeyData], csb_id: int, rand: bytes, sessions: list[Any], **more: Any
) -> bytes:
    """I_MESSAGE of RFC 3830 §3.1; without `rand`, an update keyed by the one given as `first_rand`."""
    t, value = now()
    context = message_context(csb_id, rand or more.get("first_rand", b""))
    data = bytes(KeyDataSubPayloads(payloads=keys))
    message = MIKEY(
        data_type=0,
        V=1,
        prf_func=use.prf,
        csb_id=csb_id,
        cs_id_map_info=sessions,
        payloads=[
            t,
            *([RAND(rand=rand)] if rand else []),
            *([ID(id_data=one) for one in more.get("ids", (ALICE, BOB))]),
            *more.get("policies", []),
            kemac(use.crypt(psk, context, csb_id, value, data), use.encr_alg, use.mac_alg),
        ],
    )
    octets = with_mac(message, use.mac_alg)
    return octets + use.mac(psk, context, octets)


def pre_shared_answer(use: Algorithms, psk: bytes, request: bytes, rand: bytes, sessions: list[Any]) -> bytes:
    """R_MESSAGE of RFC 3830 §3.1."""
    asked = MIKEY(request)
    t = asked.payloads[0].copy()
    t.next_payload = None
    message = MIKEY(
        data_type=1,
        prf_func=use.prf,
        csb_id=asked.csb_id,
        cs_id_map_info=sessions,
        payloads=[t, ID(id_data=BOB), V(auth_alg=use.mac_alg, ver_data=bytes(MAC_OCTETS[use.mac_alg]))],
    )
    octets = with_mac(message, use.mac_alg)
    covered = octets + ALICE + BOB + bytes(asked.payloads[0].ts_value)
    return octets + use.mac(psk, message_context(asked.csb_id, rand), covered)


# --- MIKEY-TICKET ---------------------------------------------------------------------------------


@dataclass
class Kms:
    """Grants tickets to Initiators and resolves them for Responders."""

    use: Algorithms
    flags: str
    psk: dict[bytes, bytes]
    tpk: bytes = b""
    rand_kms: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self.tpk = self.tpk or secrets.token_bytes(self.use.octets)

    @property
    def forking(self) -> bool:
        return "I" in self.flags

    def _policy(self) -> TPData:
        begin = next(_ticks)
        return TPData(
            payloads=[
                IDR(id_role=3, id_data=KMS_ID),
                IDR(id_role=1, id_data=ALICE),
                TR(ts_role=2, ts_value=NTPSeconds(seconds=begin)),
                TR(ts_role=3, ts_value=NTPSeconds(seconds=begin + 86400)),
                IDR(id_role=2, id_data=BOB),
            ]
        )

    def ticket(self) -> tuple[TICKET, bytes, bytes, list[KeyData]]:
        """A new ticket, with the MPK and the keys in it (RFC 6043 Appendix A)."""
        use, rand = self.use, secrets.token_bytes(32)
        mpk = secrets.token_bytes(use.octets)
        keys = [key_data(1, secrets.token_bytes(use.octets), 3, secrets.token_bytes(14))]
        context = b"\xff" * 5 + b"\x05" + l8(rand)
        t, value = now()
        plain = bytes(KeyDataSubPayloads(payloads=[key_data(6, mpk, 1), *[one.copy() for one in keys]]))
        sealed = use.crypt(self.tpk, context, 0xFFFFFFFF, value, plain)
        ticket = TICKET(
            prf_func=use.prf,
            **dict.fromkeys(self.flags, 1),
            tp_data=self._policy(),
            ticket_data=MIKEYBaseTicket(
                payloads=[
                    THDR(),
                    t,
                    RAND(rand=rand),
                    kemac(sealed, use.encr_alg),
                    V(auth_alg=use.mac_alg, ver_data=bytes(MAC_OCTETS[use.mac_alg])),
                ]
            ),
        )
        covered = bytes(ticket)[1:-2]  # without next payload and the empty Initiator data
        ticket.ticket_data.payloads[-1].ver_data = use.mac(self.tpk, context, covered[: -MAC_OCTETS[use.mac_alg]])
        return ticket, mpk, rand, keys

    def mpks(self, mpk: bytes, rand: bytes) -> tuple[bytes, bytes]:
        context = b"\xff" * 5 + b"\x06" + l8(rand)
        return (
            self.use.derive(mpk, "220e99a2", context, len(mpk)),
            self.use.derive(mpk, "1f4d675b", context, len(mpk)),
        )

    def grant(self, request: bytes) -> bytes:
        """REQUEST_RESP."""
        use, asked = self.use, MIKEY(request)
        psk = self.psk[next(one.id_data for one in asked.payloads if isinstance(one, IDR) and one.id_role == 1)]
        rand_i = next(one.rand for one in asked.payloads if isinstance(one, RANDR))
        pair = use.mac(
            psk, ticket_context(asked.csb_id, 1, rand_i, b""), request[: -MAC_OCTETS[use.mac_alg]] + ALICE + KMS_ID
        )
        assert pair == request[-MAC_OCTETS[use.mac_alg] :]
        ticket, mpk, rand, keys = self.ticket()
        mpk_i, mpk_r = self.mpks(mpk, rand)
        granted = [key_data(6, mpk_i, 1), *([key_data(6, mpk_r, 2)] if self.forking else []), *keys]
        return self._answer(13, asked, request, psk, ticket_context(asked.csb_id, 2, rand_i, b""), granted, ticket, [])

    def resolve(self, request: bytes) -> bytes:
        """RESOLVE_RESP: the ticket is opened with the TPK."""
        use, asked = self.use, MIKEY(request)
        psk = self.psk[next(one.id_data for one in asked.payloads if isinstance(one, IDR) and one.id_role == 2)]
        rand_r = next(one.rand for one in asked.payloads if isinstance(one, RANDR))
        sender = use.mac(
            psk, ticket_context(asked.csb_id, 1, b"", rand_r), request[: -MAC_OCTETS[use.mac_alg]] + BOB + KMS_ID
        )
        assert sender == request[-MAC_OCTETS[use.mac_alg] :]
        data = next(one for one in asked.payloads if isinstance(one, TICKET)).ticket_data
        _, t, rand, sealed, _ = data.payloads
        plain = use.crypt(
            self.tpk, b"\xff" * 5 + b"\x05" + l8(rand.rand), 0xFFFFFFFF, bytes(t.ts_value), bytes(sealed.encr_data)
        )
        mpk, *keys = keys_in(plain)
        mpk_i, mpk_r = self.mpks(mpk.key_data, rand.rand)
        if not self.forking:
            granted, more = [key_data(6, mpk_i, 1), *keys], []
        else:
            context = b"\xff" * 5 + b"\x00" + len(BOB).to_bytes(2, "big") + BOB + l8(self.rand_kms)
            for key in keys:
                key.key_data = use.derive(key.key_data, "1512b54a", context, len(key.key_data))
            granted = [key_data(6, mpk_i, 1), key_data(6, use.derive(mpk_r, "2b288856", context, len(mpk_r)), 2), *keys]
            more = [IDR(id_role=2, id_data=BOB), RANDR(rand_role=3, rand=self.rand_kms)]
        return self._answer(18, asked, request, psk, ticket_context(asked.csb_id, 2, b"", rand_r), granted, None, more)

    def _answer(
        self,
        data_type: int,
        asked: MIKEY,
        request: bytes,
        psk: bytes,
        context: bytes,
        keys: list[KeyData],
        ticket: TICKET | None,
        more: list[Any],
    ) -> bytes:
        use, (t, value) = self.use, now()
        for one in keys:
            one.next_payload = None
        data = use.crypt(psk, context, asked.csb_id, value, bytes(KeyDataSubPayloads(payloads=keys)))
        message = MIKEY(
            data_type=data_type,
            prf_func=use.prf,
            csb_id=asked.csb_id,
            cs_id_map_type=1,
            payloads=[
                t,
                IDR(id_role=3, id_data=KMS_ID),
                *([ticket] if ticket is not None else []),
                kemac(data, use.encr_alg),
                *more,
                V(auth_alg=use.mac_alg, ver_data=bytes(MAC_OCTETS[use.mac_alg])),
            ],
        )
        octets = with_mac(message, use.mac_alg)
        return octets + use.mac(psk, context, octets + request)


@dataclass
class Party:
    """What Initiator and Responder have in common."""

    use: Algorithms
    psk: bytes
    flags: str
    csb_id: int = 0
    rand_i: bytes = b""
    rand_r: bytes = b""
    teks: dict[int, bytes] = field(default_factory=dict)

    def derive_teks(self, tgk: bytes, sessions: list[GenericID]) -> None:
        rand_i, rand_r = (self.rand_i if "H" in self.flags else b""), (self.rand_r if "G" in self.flags else b"")
        for one in sessions:
            context = bytes([one.cs_id]) + b"\xff" * 4 + b"\x03" + l8(rand_i) + l8(rand_r)
            self.teks[one.cs_id] = self.use.derive(tgk, TEK, context, self.use.octets)

    def ask_kms(self, data_type: int, role: int, identity: bytes, more: list[Any]) -> tuple[bytes, int, bytes]:
        """REQUEST_INIT_PSK or RESOLVE_INIT_PSK."""
        use, csb_id, rand = self.use, new_csb(), secrets.token_bytes(32)
        message = MIKEY(
            data_type=data_type,
            V=1,
            prf_func=use.prf,
            csb_id=csb_id,
            cs_id_map_type=1,
            payloads=[
                now()[0],
                RANDR(rand_role=role, rand=rand),
                IDR(id_role=role, id_data=identity),
                IDR(id_role=3, id_data=KMS_ID),
                *more,
                V(auth_alg=use.mac_alg, ver_data=bytes(MAC_OCTETS[use.mac_alg])),
            ],
        )
        octets = with_mac(message, use.mac_alg)
        rands = (rand, b"") if role == 1 else (b"", rand)
        return octets + use.mac(self.psk, ticket_context(csb_id, 1, *rands), octets + identity + KMS_ID), csb_id, rand

    def open_answer(self, answer: bytes, request: bytes, csb_id: int, rands: tuple[bytes, bytes]) -> list[Any]:
        """The keys of REQUEST_RESP or RESOLVE_RESP."""
        use, message, context = self.use, MIKEY(answer), ticket_context(csb_id, 2, *rands)
        size = MAC_OCTETS[use.mac_alg]
        assert use.mac(self.psk, context, answer[:-size] + request) == answer[-size:]
        sealed = next(one for one in message.payloads if isinstance(one, KEMAC))
        return keys_in(
            use.crypt(self.psk, context, csb_id, bytes(message.payloads[0].ts_value), bytes(sealed.encr_data))
        )


@dataclass
class Initiator(Party):
    mpk_i: bytes = b""
    mpk_r: bytes = b""
    keys: list[Any] = field(default_factory=list)
    ticket: Any = None
    transfer_init: bytes = b""

    def request(self) -> bytes:
        asked = TP(
            prf_func=self.use.prf,
            **dict.fromkeys(self.flags, 1),
            tp_data=TPData(payloads=[IDR(id_role=2, id_data=BOB)]),
        )
        self._request, self._csb_id, self.rand_i = self.ask_kms(11, 1, ALICE, [asked])
        return self._request

    def granted(self, answer: bytes) -> None:
        found = self.open_answer(answer, self._request, self._csb_id, (self.rand_i, b""))
        mpks = [one.key_data for one in found if one.type == 6]
        self.mpk_i, self.mpk_r = mpks[0], (mpks[1] if len(mpks) > 1 else b"")
        self.keys = [one for one in found if one.type != 6]
        self.ticket = next(one for one in MIKEY(answer).payloads if isinstance(one, TICKET))

    def transfer(self, keys: list[KeyData] | None = None) -> bytes:
        """TRANSFER_INIT, with a KEMAC where keys are given."""
        use, self.csb_id, (t, value) = self.use, new_csb(), now()
        context = ticket_context(self.csb_id, 1, self.rand_i, b"")
        ticket = self.ticket.copy()
        ticket.next_payload = ticket.initiator_data_length = None
        ticket.initiator_data = Raw()
        size = MAC_OCTETS[use.mac_alg]
        sealed = []
        if keys:
            data = use.crypt(self.mpk_i, context, self.csb_id, value, bytes(KeyDataSubPayloads(payloads=keys)))
            sealed = [kemac(data, use.encr_alg)]
        message = MIKEY(
            data_type=14,
            V=1,
            prf_func=use.prf,
            csb_id=self.csb_id,
            cs_id_map_type=2,
            cs_id_map_info=[
                GenericID(cs_id=1, policies=[0], session_data=SRTPSessionData(ssrc=0x11111111), spi=b"\0\0\0\3"),
                GenericID(cs_id=2, policies=[0], session_data=Raw()),
            ],
            payloads=[
                t,
                RANDR(rand_role=1, rand=self.rand_i),
                IDR(id_role=1, id_data=ALICE),
                IDR(id_role=2, id_data=BOB),
                policy(0, use.octets),
                ticket,
                *sealed,
                V(auth_alg=use.mac_alg, ver_data=bytes(size)),
            ],
        )
        octets = with_mac(message, use.mac_alg)
        behind = len(bytes(sealed[0])) if sealed else 0
        behind += 2  # next payload and algorithm of V
        front, back = octets[: len(octets) - behind - 2], octets[len(octets) - behind :]
        assert octets[len(front) : len(front) + 2] == bytes(2)  # the length of no Initiator data
        mac = use.mac(self.mpk_i, context, front + back + ALICE + BOB)
        data = b""
        if "I" in self.flags:
            pair = [V(auth_alg=use.mac_alg, ver_data=one) for one in (mac, bytes(size))]
            data = bytes(InitiatorData(payloads=pair))
            data = data[:-size]
            data += use.mac(self.mpk_r, b"\xff" * 5 + b"\x04", data)
        self.transfer_init = front + len(data).to_bytes(2, "big") + data + back + mac
        return self.transfer_init

    def answered(self, answer: bytes) -> None:
        """TRANSFER_RESP, where there is one; else the keys of TRANSFER_INIT are in force."""
        use, tgk, sessions = self.use, self.keys[0].key_data, MIKEY(self.transfer_init).cs_id_map_info
        if answer:
            message = MIKEY(answer)
            rands = {one.rand_role: one.rand for one in message.payloads if isinstance(one, RANDR)}
            self.rand_r, key = rands.get(2, b""), self.mpk_i
            if "I" in self.flags:
                who = next(one.id_data for one in message.payloads if isinstance(one, IDR))
                context = b"\xff" * 5 + b"\x00" + len(who).to_bytes(2, "big") + who + l8(rands[3])
                key = use.derive(self.mpk_r, "2b288856", context, len(self.mpk_r))
                tgk = use.derive(tgk, "1512b54a", context, len(tgk))
            self.answer_key, size = key, MAC_OCTETS[use.mac_alg]
            context = ticket_context(self.csb_id, 2, self.rand_i, self.rand_r)
            assert use.mac(key, context, answer[:-size] + self.transfer_init) == answer[-size:]
            sessions = message.cs_id_map_info
        self.derive_teks(tgk, sessions)

    def update(self, keys: list[KeyData]) -> bytes:
        """TRANSFER_INIT that updates the bundle with keys of its own (RFC 6043 §5.2)."""
        use, (t, value) = self.use, now()
        context = ticket_context(self.csb_id, 1, self.rand_i, b"")
        data = use.crypt(self.answer_key, context, self.csb_id, value, bytes(KeyDataSubPayloads(payloads=keys)))
        message = MIKEY(
            data_type=14,
            prf_func=use.prf,
            csb_id=self.csb_id,
            cs_id_map_type=2,
            cs_id_map_info=[
                GenericID(cs_id=1, policies=[0], session_data=SRTPSessionData(ssrc=0x11111111), spi=keys[0].spi)
            ],
            payloads=[
                t,
                IDR(id_role=1, id_data=ALICE),
                IDR(id_role=2, id_data=BOB),
                kemac(data, use.encr_alg),
                V(auth_alg=use.mac_alg, ver_data=bytes(MAC_OCTETS[use.mac_alg])),
            ],
        )
        octets = with_mac(message, use.mac_alg)
        return octets + use.mac(self.answer_key, context, octets + ALICE + BOB)


@dataclass
class Responder(Party):
    def asked(self, transfer_init: bytes) -> bytes:
        """RESOLVE_INIT for the ticket of a TRANSFER_INIT."""
        self.transfer_init, message = transfer_init, MIKEY(transfer_init)
        self.csb_id = message.csb_id
        self.rand_i = next(one.rand for one in message.payloads if isinstance(one, RANDR))
        ticket = next(one for one in message.payloads if isinstance(one, TICKET)).copy()
        ticket.next_payload = None
        self._resolve, self._csb_id, self._rand = self.ask_kms(16, 2, BOB, [ticket])
        return self._resolve

    def resolved(self, answer: bytes, keys: list[KeyData] | None = None) -> bytes:
        """TRANSFER_RESP, with a KEMAC where keys are given; nothing where flag F is not set."""
        use, found = self.use, self.open_answer(answer, self._resolve, self._csb_id, (b"", self._rand))
        mpks = [one.key_data for one in found if one.type == 6]
        asked, size = MIKEY(self.transfer_init), MAC_OCTETS[use.mac_alg]
        octets = self.transfer_init[:-size]
        ticket = next(one for one in asked.payloads if isinstance(one, TICKET))
        part = 2 + len(bytes(ticket.initiator_data or b""))
        behind = sum(len(bytes(one)) for one in asked.payloads[asked.payloads.index(ticket) + 1 :]) - size
        covered = octets[: len(octets) - behind - part] + octets[len(octets) - behind :] + ALICE + BOB
        context = ticket_context(self.csb_id, 1, self.rand_i, b"")
        assert use.mac(mpks[0], context, covered) == self.transfer_init[-size:]
        self.tgk = next(one.key_data for one in found if one.type != 6)
        self.rand_r = secrets.token_bytes(32) if "G" in self.flags else b""
        if "F" not in self.flags:
            self.derive_teks(self.tgk, asked.cs_id_map_info)
            return b""
        sessions = [
            GenericID(cs_id=1, policies=[0], session_data=SRTPSessionData(ssrc=0x11111111), spi=b"\0\0\0\3"),
            GenericID(cs_id=2, policies=[0], session_data=SRTPSessionData(ssrc=0x22222222), spi=b"\0\0\0\3"),
        ]
        self.derive_teks(self.tgk, sessions)
        forking, (t, value) = "I" in self.flags, now()
        rand_kms = [one for one in MIKEY(answer).payloads if isinstance(one, RANDR)]
        key, context = mpks[1] if forking else mpks[0], ticket_context(self.csb_id, 2, self.rand_i, self.rand_r)
        sealed = []
        if keys:
            data = use.crypt(key, context, self.csb_id, value, bytes(KeyDataSubPayloads(payloads=keys)))
            sealed = [kemac(data, use.encr_alg)]
        message = MIKEY(
            data_type=15,
            prf_func=use.prf,
            csb_id=self.csb_id,
            cs_id_map_type=2,
            cs_id_map_info=sessions,
            payloads=[
                t,
                *([RANDR(rand_role=2, rand=self.rand_r)] if self.rand_r else []),
                IDR(id_role=2, id_data=BOB),
                *([RANDR(rand_role=3, rand=rand_kms[0].rand)] if forking else []),
                *sealed,
                V(auth_alg=use.mac_alg, ver_data=bytes(size)),
            ],
        )
        octets = with_mac(message, use.mac_alg)
        return octets + use.mac(key, context, octets + self.transfer_init)
