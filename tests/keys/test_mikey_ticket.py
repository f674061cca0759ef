"""MIKEY-TICKET with the keys of each party: computed exchanges, and exchanges with a stand-in KMS and random keys."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from scapy.packet import Raw

from dissectors.mikey.layers import MIKEY
from dissectors.mikey.payload.layers import CERT, ERR, IDR, PKE, RANDR, SIGN, T, V
from dissectors.mikey.ticket.layers import TP, TPData
from imsinspect.keys.mikey import MikeySecrets, OpenedMessage, Sent, open_messages
from imsinspect.keys.mikey_records import TicketKeys, digest
from tests.crypto import mikey_values
from tests.crypto.test_mikey_protection import certificate
from tests.dissectors.mikey import vectors
from tests.keys.mikey_peers import (
    ALICE,
    BOB,
    KMS_ID,
    MAC_OCTETS,
    TEK,
    Algorithms,
    Initiator,
    Kms,
    Responder,
    key_data,
    l8,
    now,
    ticket_context,
    with_mac,
)

NAMES = ("REQUEST_INIT_PSK", "REQUEST_RESP", "TRANSFER_INIT", "RESOLVE_INIT_PSK", "RESOLVE_RESP", "TRANSFER_RESP")


def opened(messages: dict[str, bytes], held: MikeySecrets) -> dict[str, OpenedMessage]:
    found = open_messages([Sent(MIKEY(octets), octets) for octets in messages.values()], held)
    return dict(zip(messages, found, strict=True))


def teks(found: OpenedMessage) -> dict[int, bytes]:
    return {one.cs_id: one.tek for one in found.sessions}


# --- computed exchanges ---------------------------------------------------------------------------


@dataclass
class Computed:
    values: dict[str, str]
    messages: dict[str, bytes]
    forking: bool

    def __getitem__(self, name: str) -> bytes:
        return bytes.fromhex(self.values[name])

    def teks(self) -> dict[int, bytes]:
        return {1: self["TEK 1"], 2: self["TEK 2"]}


def _computed(values: dict[str, str], messages: dict[str, str], forking: bool) -> Computed:
    return Computed(values, {name: bytes.fromhex(messages[name]) for name in NAMES}, forking)


COMPUTED = {
    "A128": _computed(mikey_values.A128, vectors.A128, False),
    "B256F": _computed(mikey_values.B256F, vectors.B256F, True),
}


@pytest.fixture(params=COMPUTED)
def computed(request: pytest.FixtureRequest) -> Computed:
    return COMPUTED[request.param]


def test_the_initiators_psk_gives_the_keys_of_the_sessions(computed: Computed) -> None:
    found = opened(computed.messages, MikeySecrets({"psk-alice": computed["PSK_I"]}))
    verified = {name: one.mac.verified for name, one in found.items()}
    assert verified == {
        "REQUEST_INIT_PSK": True,
        "REQUEST_RESP": True,
        "TRANSFER_INIT": True,
        "RESOLVE_INIT_PSK": None,  # protected by a key of Responder and KMS, which is not wrong, but not held
        "RESOLVE_RESP": None,
        "TRANSFER_RESP": True,
    }
    granted = found["REQUEST_RESP"]
    assert (granted.opened, granted.readings) == (True, ("IV with the T of the message itself",))
    mpk_r = [("MPKr", computed["MPKr"], b"\0\0\0\2")] if computed.forking else []
    assert [(one.type, one.key, one.spi) for one in granted.keys] == [
        ("MPKi", computed["MPKi"], b"\0\0\0\1"),
        *mpk_r,
        ("TGK", computed["TGK"], b"\0\0\0\3"),
    ]
    assert granted.keys[-1].salt == computed["SALT"]
    assert granted.key == found["REQUEST_INIT_PSK"].key == digest(computed["PSK_I"])
    assert found["TRANSFER_INIT"].mac.role == "MPKi"
    final = found["TRANSFER_RESP"]
    assert teks(final) == computed.teks()
    assert [(one.ssrc, one.mki, one.salt, one.sender) for one in final.sessions] == [
        (0x11111111, b"\0\0\0\3", computed["SALT"], "initiator"),
        (0x22222222, b"\0\0\0\3", computed["SALT"], "responder"),
    ]
    suite = "AES_256_CM_HMAC_SHA1_80" if computed.forking else "AES_CM_128_HMAC_SHA1_80"
    assert {one.policy.suite for one in final.sessions if one.policy is not None} == {suite}
    assert {(one.source, one.key_type) for one in final.sessions} == {
        (digest((computed["TGK'"] if computed.forking else computed["TGK"]) + computed["SALT"]), "TGK")
    }
    # Without RANDRr and the fork, TEKs are known only after TRANSFER_RESP.
    assert teks(found["TRANSFER_INIT"]) == ({} if computed.forking else computed.teks())


def test_the_responders_psk_gives_the_same_keys(computed: Computed) -> None:
    found = opened(computed.messages, MikeySecrets({"sip:bob@ims.example.org": computed["PSK_R"]}))
    resolved = found["RESOLVE_RESP"]
    assert (found["RESOLVE_INIT_PSK"].mac.verified, resolved.mac.verified, resolved.opened) == (True, True, True)
    mpk_r = [("MPKr'", computed["MPKr'"], True)] if computed.forking else []
    assert [(one.type, one.key, one.forked) for one in resolved.keys] == [
        ("MPKi", computed["MPKi"], False),
        *mpk_r,
        ("TGK", computed["TGK'" if computed.forking else "TGK"], computed.forking),
    ]
    assert found["TRANSFER_INIT"].mac.verified
    assert found["TRANSFER_RESP"].mac.role == ("MPKr'" if computed.forking else "MPKi")
    assert teks(found["TRANSFER_RESP"]) == computed.teks()
    assert found["REQUEST_RESP"].mac.verified is None


def test_the_tpk_opens_the_ticket_and_what_hangs_on_it(computed: Computed) -> None:
    found = opened(computed.messages, MikeySecrets(tickets=(TicketKeys(tpk=computed["TPK"]),)))
    for name in ("REQUEST_RESP", "TRANSFER_INIT", "RESOLVE_INIT_PSK"):
        ticket = found[name].ticket
        assert ticket is not None
        assert (ticket.opened, ticket.mac.verified, ticket.mac.role) == (True, True, "TPK")
        assert ticket.mac.key == digest(computed["TPK"])
        if computed.forking and name != "REQUEST_RESP":
            assert (ticket.vi_is_v, ticket.vr.verified, ticket.vr.key) == (True, True, digest(computed["MPKr"]))
    assert len({one.ticket.digest for one in found.values() if one.ticket is not None}) == 1
    assert teks(found["TRANSFER_RESP"]) == computed.teks()
    assert found["TRANSFER_RESP"].mac.verified


@pytest.mark.parametrize("csb_id", [None, 0x0A0B0C02])
def test_mpks_and_tgk_from_the_user(computed: Computed, csb_id: int | None) -> None:
    keys = TicketKeys(csb_id, mpk_i=computed["MPKi"], mpk_r=computed["MPKr"], tgk=computed["TGK"])
    found = opened(computed.messages, MikeySecrets(tickets=(keys,)))
    assert found["TRANSFER_INIT"].mac.verified
    assert found["TRANSFER_RESP"].mac.verified
    assert teks(found["TRANSFER_RESP"]) == computed.teks()


def test_forked_keys_from_the_user() -> None:
    computed = COMPUTED["B256F"]
    keys = TicketKeys(mpk_r=computed["MPKr'"], tgk=computed["TGK'"])
    found = opened(computed.messages, MikeySecrets(tickets=(keys,)))
    assert found["TRANSFER_RESP"].mac.role == "MPKr'"
    assert teks(found["TRANSFER_RESP"]) == computed.teks()
    assert [one.source for one in found["TRANSFER_RESP"].sessions] == [digest(computed["TGK'"])] * 2
    ticket = found["TRANSFER_INIT"].ticket
    assert ticket is not None
    assert ticket.vr.verified is None  # Vr is made with MPKr before forking, which is not held


def test_a_tgk_alone_gives_teks_of_which_nothing_is_verified(computed: Computed) -> None:
    found = opened(computed.messages, MikeySecrets(tickets=(TicketKeys(tgk=computed["TGK"]),)))
    assert {one.mac.verified for one in found.values()} == {None}
    alternatives = {(one.cs_id, one.tek) for one in found["TRANSFER_RESP"].sessions}
    assert alternatives >= set(computed.teks().items())
    assert len(alternatives) == (4 if computed.forking else 2)  # the TGK may be a forked one


def test_keys_for_another_csb_are_not_used(computed: Computed) -> None:
    keys = TicketKeys(0x01020304, computed["MPKi"], computed["MPKr"], computed["TPK"], computed["TGK"])
    found = opened(computed.messages, MikeySecrets(tickets=(keys,)))
    assert {one.mac.verified for one in found.values()} == {None}
    assert found["TRANSFER_RESP"].sessions == ()


def test_wrong_keys_are_reported_as_wrong(computed: Computed) -> None:
    wrong = bytes(16)
    keys = TicketKeys(0x0A0B0C02, wrong, wrong, wrong, b"")
    found = opened(computed.messages, MikeySecrets({"psk-alice": wrong, "psk-bob": wrong}, tickets=(keys,)))
    for one in found.values():
        assert one.mac.verified is False
        assert one.mac.tried
        assert (one.sessions, one.keys) == ((), ())
    says = "MAC does not verify with key 374708ff"
    assert all(says in one.remarks for name, one in found.items() if name != "TRANSFER_RESP")
    ticket = found["TRANSFER_INIT"].ticket
    assert ticket is not None
    assert (ticket.opened, ticket.mac.verified) == (False, False)
    assert "MAC of the ticket does not verify with key 374708ff" in found["TRANSFER_INIT"].remarks
    if computed.forking:
        assert ticket.vr.verified is False


def test_a_transfer_alone_opens_with_a_psk_only_where_its_exchange_was_seen(computed: Computed) -> None:
    only = {name: computed.messages[name] for name in ("TRANSFER_INIT", "TRANSFER_RESP")}
    found = opened(only, MikeySecrets({"psk-alice": computed["PSK_I"]}))
    assert {one.mac.verified for one in found.values()} == {None}
    found = opened(only, MikeySecrets(tickets=(TicketKeys(tpk=computed["TPK"]),)))
    assert teks(found["TRANSFER_RESP"]) == computed.teks()


def test_an_answer_alone_is_not_opened(computed: Computed) -> None:
    for name in ("REQUEST_RESP", "RESOLVE_RESP", "TRANSFER_RESP"):
        found = opened({name: computed.messages[name]}, MikeySecrets({"a": computed["PSK_I"], "b": computed["PSK_R"]}))
        assert found[name].mac.verified is None
        assert "the message that it answers was not seen" in found[name].remarks


def test_identities_from_the_session_stand_in_for_missing_ones(computed: Computed) -> None:
    """MACs cover identities that payloads leave out: built again without them, and verified with the session's."""
    use = Algorithms(1, 3, 2) if computed.forking else Algorithms()
    layer = MIKEY(computed.messages["REQUEST_INIT_PSK"])
    layer.payloads = [one for one in layer.payloads if one.name != "IDR"]
    layer.relink()
    octets = with_mac(layer, use.mac_alg)
    context = ticket_context(layer.csb_id, 1, computed["RANDRi"], b"")
    octets += use.mac(computed["PSK_I"], context, octets + ALICE + KMS_ID)
    held = MikeySecrets({"any": computed["PSK_I"]})
    known = Sent(MIKEY(octets), octets, initiator=(b"sip:+1@ims.example.org", ALICE), kms=(KMS_ID,))
    assert open_messages([known], held)[0].mac.verified
    assert open_messages([Sent(MIKEY(octets), octets)], held)[0].mac.verified is False


def test_no_secret_shows(computed: Computed) -> None:
    held = MikeySecrets(
        {"psk-alice": computed["PSK_I"], "psk-bob": computed["PSK_R"]},
        tickets=(TicketKeys(None, computed["MPKi"], computed["MPKr"], computed["TPK"], computed["TGK"]),),
    )
    shown = repr(held) + "".join(repr(one) + str(one.mac) for one in opened(computed.messages, held).values())
    secret_names = ["PSK_I", "PSK_R", "TPK", "MPK", "MPKi", "MPKr", "TGK", "SALT", "TEK 1", "TEK 2"]
    for name in secret_names + (["TGK'", "MPKr'"] if computed.forking else []):
        assert computed.values[name] not in shown
        assert repr(computed[name])[2:-1] not in shown


# --- flipped bits ---------------------------------------------------------------------------------


def sound(found: OpenedMessage) -> bool:
    """Nothing in a message, or in its ticket, is reported as wrong or unverified."""
    ticket = found.ticket
    if ticket is not None and (ticket.mac.verified is False or ticket.vi_is_v is False or ticket.vr.verified is False):
        return False
    return bool(found.mac.verified)


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_bit_in_any_octet_shows(computed: Computed, name: str) -> None:
    tickets = (TicketKeys(tpk=computed["TPK"]),)
    held = MikeySecrets({"psk-alice": computed["PSK_I"], "psk-bob": computed["PSK_R"]}, tickets=tickets)
    needed = {"REQUEST_RESP": NAMES[:2], "RESOLVE_RESP": NAMES[3:5], "TRANSFER_RESP": (NAMES[2], NAMES[4], NAMES[5])}
    messages = [Sent(MIKEY(computed.messages[one]), computed.messages[one]) for one in needed.get(name, (name,))]
    assert sound(open_messages(messages, held)[-1])
    for at in range(len(computed.messages[name])):
        changed = bytearray(computed.messages[name])
        changed[at] ^= 1 << at % 8
        found = open_messages([*messages[:-1], Sent(MIKEY(bytes(changed)), bytes(changed))], held)[-1]
        assert not sound(found), f"octet {at}"


# --- exchanges with a stand-in KMS ----------------------------------------------------------------


@dataclass
class Exchange:
    use: Algorithms
    flags: str
    kms: Kms = field(init=False)
    initiator: Initiator = field(init=False)
    responder: Responder = field(init=False)
    messages: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        psks = {who: secrets.token_bytes(self.use.octets) for who in (ALICE, BOB)}
        self.kms = Kms(self.use, self.flags, psks)
        self.initiator = Initiator(self.use, psks[ALICE], self.flags)
        self.responder = Responder(self.use, psks[BOB], self.flags)

    def run(self, sent: list[object] | None = None, answered: list[object] | None = None) -> Exchange:
        messages = self.messages
        messages["REQUEST_INIT_PSK"] = self.initiator.request()
        messages["REQUEST_RESP"] = self.kms.grant(messages["REQUEST_INIT_PSK"])
        self.initiator.granted(messages["REQUEST_RESP"])
        messages["TRANSFER_INIT"] = self.initiator.transfer(sent)  # type: ignore[arg-type]
        messages["RESOLVE_INIT_PSK"] = self.responder.asked(messages["TRANSFER_INIT"])
        messages["RESOLVE_RESP"] = self.kms.resolve(messages["RESOLVE_INIT_PSK"])
        answer = self.responder.resolved(messages["RESOLVE_RESP"], answered)  # type: ignore[arg-type]
        if answer:
            messages["TRANSFER_RESP"] = answer
        self.initiator.answered(answer)
        return self

    def holders(self) -> dict[str, MikeySecrets]:
        """What each party could give to an auditor."""
        return {
            "Initiator": MikeySecrets({"alice@ims.example.org": self.initiator.psk}),
            "Responder": MikeySecrets({"my own": self.responder.psk}),
            "KMS": MikeySecrets(tickets=(TicketKeys(tpk=self.kms.tpk),)),
        }


USES = {
    "128 bits": (Algorithms(), "DEFHJNO"),
    "128 bits, RANDRr": (Algorithms(), "DEFGHNO"),
    "RANDRr without RANDRi": (Algorithms(), "DEFGNO"),
    "no answer": (Algorithms(), "DEHNO"),
    "256 bits": (Algorithms(1, 3, 2), "DEFHNO"),
    "256 bits, forking": (Algorithms(1, 3, 2), "DEFGHINO"),
    "128 bits, forking": (Algorithms(), "DEFHINO"),
    "mixed": (Algorithms(0, 1, 2), "DEFGHINO"),
}


@pytest.mark.parametrize("name", USES)
def test_both_sides_and_the_audit_reach_the_same_tek(name: str) -> None:
    exchange = Exchange(*USES[name]).run()
    expected = exchange.initiator.teks
    assert expected == exchange.responder.teks
    assert len(expected) == 2
    for who, held in exchange.holders().items():
        found = opened(exchange.messages, held)
        last = list(found)[-1] if "F" in exchange.flags else "TRANSFER_INIT"
        assert teks(found[last]) == expected, who
        assert found["TRANSFER_INIT"].mac.verified, who
        assert found[last].mac.verified, who
        assert all(one.mac.verified is not False for one in found.values()), who
        assert all(one.salt == exchange.initiator.keys[0].salt_data for one in found[last].sessions)


def test_the_order_of_capture_does_not_matter() -> None:
    exchange = Exchange(*USES["256 bits, forking"]).run()
    for held in exchange.holders().values():
        found = opened(dict(sorted(exchange.messages.items(), reverse=True)), held)
        assert teks(found["TRANSFER_RESP"]) == exchange.initiator.teks


def test_keys_in_transfer_messages() -> None:
    """Flags L and M: TEKs in the KEMACs of TRANSFER_INIT and TRANSFER_RESP."""
    first, second = secrets.token_bytes(16), secrets.token_bytes(16)
    sent, answered = [key_data(3, first, 7, b"s" * 14)], [key_data(3, second, 8, b"r" * 14)]
    exchange = Exchange(Algorithms(), "DEFGHILMNO").run(sent, answered)  # type: ignore[arg-type]
    for held in exchange.holders().values():
        found = opened(exchange.messages, held)
        assert [(one.type, one.key, one.spi) for one in found["TRANSFER_INIT"].keys] == [("TEK", first, b"\0\0\0\7")]
        assert [(one.type, one.key, one.spi) for one in found["TRANSFER_RESP"].keys] == [("TEK", second, b"\0\0\0\x08")]
        sessions = found["TRANSFER_RESP"].sessions
        assert {one.mki: (one.tek, one.salt) for one in sessions if one.cs_id == 1 and one.key_type == "TEK"} == {
            b"\0\0\0\7": (first, b"s" * 14),
            b"\0\0\0\x08": (second, b"r" * 14),
        }
        assert {one.cs_id: one.tek for one in sessions if one.starts} == exchange.initiator.teks


@pytest.mark.parametrize("name", ["128 bits", "256 bits, forking", "128 bits, RANDRr"])
def test_an_update_brings_a_key_that_is_not_forked(name: str) -> None:
    use, flags = USES[name]
    exchange = Exchange(use, flags).run()
    initiator = exchange.initiator
    tgk = secrets.token_bytes(use.octets)
    exchange.messages["update"] = initiator.update([key_data(0, tgk, 9)])
    rand_r = initiator.rand_r if "G" in flags else b""
    context = b"\x01" + b"\xff" * 4 + b"\x03" + l8(initiator.rand_i) + l8(rand_r)
    for held in exchange.holders().values():
        update = opened(exchange.messages, held)["update"]
        assert (update.mac.verified, update.opened) == (True, True)
        assert teks(update) == {1: use.derive(tgk, TEK, context, use.octets)}
        assert [one.mki for one in update.sessions] == [b"\0\0\0\x09"]


def test_an_error_is_verified_with_the_key_of_the_message_that_failed() -> None:
    use = Algorithms()
    exchange = Exchange(use, "DEFHNO").run()
    initiator = exchange.initiator
    layer = MIKEY(
        data_type=6,
        csb_id=initiator.csb_id,
        cs_id_map_type=1,
        payloads=[
            T(ts_value=MIKEY(initiator.transfer_init).payloads[0].ts_value),
            ERR(error_no=9),
            V(ver_data=bytes(20)),
        ],
    )
    octets = with_mac(layer, 1)
    context = ticket_context(initiator.csb_id, 2, initiator.rand_i, b"")
    error = octets + use.mac(initiator.mpk_i, context, octets)
    for who, held in exchange.holders().items():
        assert opened({**exchange.messages, "error": error}, held)["error"].mac.verified, who
    forged = error[:-1] + bytes([error[-1] ^ 1])
    found = opened({**exchange.messages, "error": forged}, exchange.holders()["KMS"])["error"]
    assert found.mac.verified is False


def test_a_ticket_used_again_opens_again() -> None:
    exchange = Exchange(Algorithms(), "DEFHJNO").run()
    first = dict(exchange.initiator.teks)
    again = Responder(exchange.use, exchange.responder.psk, exchange.flags)
    exchange.messages["TRANSFER_INIT 2"] = exchange.initiator.transfer()
    resolve = again.asked(exchange.messages["TRANSFER_INIT 2"])
    exchange.messages["TRANSFER_RESP 2"] = again.resolved(exchange.kms.resolve(resolve))
    found = opened(exchange.messages, exchange.holders()["Initiator"])
    assert teks(found["TRANSFER_RESP"]) == first
    assert teks(found["TRANSFER_RESP 2"]) == again.teks
    assert found["TRANSFER_RESP 2"].mac.verified


def test_initiator_data_of_another_transfer_shows() -> None:
    exchange = Exchange(*USES["256 bits, forking"]).run()
    octets = exchange.messages["RESOLVE_INIT_PSK"]
    v = exchange.messages["TRANSFER_INIT"][-MAC_OCTETS[2] :]
    at = octets.index(v)
    changed = octets[:at] + bytes(32) + octets[at + 32 :]
    found = opened({**exchange.messages, "RESOLVE_INIT_PSK": changed}, exchange.holders()["KMS"])["RESOLVE_INIT_PSK"]
    assert found.ticket is not None
    assert (found.ticket.vi_is_v, found.ticket.vr.verified) == (False, False)
    assert "Vi is missing, or not the V of TRANSFER_INIT" in found.remarks


def test_a_request_with_a_public_key_opens_with_the_private_key_of_the_kms() -> None:
    use, key_kms, key_i = Algorithms(), rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    csb_id, rand, envelope = 0x01020304, secrets.token_bytes(32), secrets.token_bytes(16)
    layer = MIKEY(
        data_type=12,
        csb_id=csb_id,
        cs_id_map_type=1,
        payloads=[
            now()[0],
            RANDR(rand_role=1, rand=rand),
            IDR(id_role=1, id_data=ALICE),
            CERT(cert_data=certificate(key_i)),
            IDR(id_role=3, id_data=KMS_ID),
            TP(D=1, F=1, H=1, tp_data=TPData(payloads=[IDR(id_role=2, id_data=BOB)])),
            PKE(data=key_kms.public_key().encrypt(envelope, padding.PKCS1v15())),
            SIGN(s_type=0, signature=Raw(bytes(256))),
        ],
    )
    octets = bytes(layer)[:-256]
    request = octets + key_i.sign(octets + ALICE + KMS_ID, padding.PKCS1v15(), hashes.SHA256())
    kms = Kms(use, "DEFHNO", {})
    ticket, mpk, rand_ticket, keys = kms.ticket()
    granted = [key_data(6, kms.mpks(mpk, rand_ticket)[0], 1), *keys]
    context = ticket_context(csb_id, 2, rand, b"")
    answer = kms._answer(13, MIKEY(request), request, envelope, context, granted, ticket, [])
    found = opened({"request": request, "answer": answer}, MikeySecrets(rsa=(key_i, key_kms)))
    assert (found["request"].signature.verified, found["request"].mac.verified) == (True, None)
    assert found["request"].signature.covered == "the message, IDi and IDkms"
    assert (found["answer"].mac.verified, found["answer"].mac.role) == (True, "envelope key")
    assert [one.type for one in found["answer"].keys] == ["MPKi", "TGK"]
    wrong = opened({"request": request, "answer": answer}, MikeySecrets(rsa=(key_i,)))["answer"]
    assert not wrong.mac.verified
    assert wrong.keys == ()
