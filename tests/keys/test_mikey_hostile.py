"""Whatever MIKEY messages say, in any order, with any keys: nothing is raised, and nothing takes long."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dissectors.mikey import codes
from dissectors.mikey.layers import MIKEY, SRTPID
from dissectors.mikey.payload.layers import KEMAC, RAND, KeyData, KeyDataSubPayloads
from imsinspect.keys.mikey import MikeySecrets, Sent, open_messages
from imsinspect.keys.mikey_records import TicketKeys
from imsinspect.keys.mikey_sessions import MAX_SESSION_KEYS
from tests.dissectors.mikey.building import messages as built
from tests.dissectors.mikey.test_vectors import ALL
from tests.keys.mikey_peers import now

RSA = rsa.generate_private_key(65537, 1024)
KEY = b"k" * 16
HELD = MikeySecrets(
    {"sip:alice@ims.example.org": KEY, "psk-bob": b"", "": bytes(100)},
    (RSA,),
    (TicketKeys(None, KEY, KEY, KEY, KEY, "sip:bob@ims.example.org"), TicketKeys(0x0A0B0C02, tpk=b"x"), TicketKeys()),
)
_identities = st.lists(st.sampled_from([b"", b"sip:alice@ims.example.org", b"\xff\0"]), max_size=6).map(tuple)


@st.composite
def changed(draw: st.DrawFn, octets: bytes) -> bytes:
    """A message with some octets changed, cut out or put in."""
    data = bytearray(octets)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data) or b"\1"


_messages = st.one_of(
    st.sampled_from(sorted(ALL.values())).flatmap(changed),
    st.sampled_from(sorted(codes.DATA_TYPES)).flatmap(built).map(bytes).flatmap(changed),
    st.binary(min_size=1, max_size=60),
)


@st.composite
def _sent(draw: st.DrawFn) -> Sent:
    octets = draw(_messages)
    return Sent(MIKEY(octets), octets, draw(_identities), draw(_identities), draw(_identities))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(_sent(), min_size=1, max_size=6))
def test_any_messages_are_survived(sent: list[Sent]) -> None:
    found = open_messages(sent, HELD)
    assert len(found) == len(sent)
    for one, message in zip(found, sent, strict=True):
        assert one.data_type == (message.octets[1] if len(message.octets) > 1 else -1)
        assert KEY.hex() not in repr(one)
        assert str(one.mac)
        assert one.kind


@settings(max_examples=60, deadline=None)
@given(st.permutations(sorted(ALL)), st.integers(1, 12))
def test_vectors_in_any_order_are_survived(names: list[str], count: int) -> None:
    assert len(open_messages([Sent(MIKEY(ALL[one]), ALL[one]) for one in names[:count]], HELD)) == count


def test_a_message_can_not_ask_for_more_work_than_there_is_a_bound_for() -> None:
    keys = [KeyData(type=0, key_data=b"t" * 16) for _ in range(200)]
    octets = bytes(
        MIKEY(
            cs_id_map_info=[SRTPID() for _ in range(255)],
            payloads=[now()[0], RAND(rand=b"r" * 16), KEMAC(encr_alg=0, encr_data=KeyDataSubPayloads(payloads=keys))],
        )
    )
    begin = time.monotonic()
    (found,) = open_messages([Sent(MIKEY(octets), octets)], HELD)
    assert time.monotonic() - begin < 20
    assert len(found.sessions) == MAX_SESSION_KEYS
    assert f"only {MAX_SESSION_KEYS} keys of crypto sessions are derived" in found.readings


def test_many_messages_of_one_bundle_take_no_more_time_each_than_a_few() -> None:
    names = ("PSK I_MESSAGE", "PSK R_MESSAGE", "B256F TRANSFER_INIT", "B256F TRANSFER_RESP", "B256F RESOLVE_RESP")
    few = [Sent(MIKEY(ALL[one]), ALL[one]) for one in names]

    def seconds(sent: list[Sent]) -> float:
        begin = time.process_time()
        open_messages(sent, HELD)
        return time.process_time() - begin

    seconds(few * 20)
    assert seconds(few * 240) < 12 * 4 * max(seconds(few * 20), 0.01)
