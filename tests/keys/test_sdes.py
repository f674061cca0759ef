"""Keys out of a=crypto lines: whose they are, how they are applied, and lines that nobody should send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.sdp.parse import parse
from imsinspect.keys.ring import KeyRing, RingKey
from imsinspect.keys.sdes import line_keys
from imsinspect.trace.model import Description, KeyPlace, LineState, MediaLine, Negotiation
from tests import build
from tests.keys.scene import A, B, key_row
from tests.trace.scene import BOB, request

KEY = key_row("a")["key_and_salt_base64"]


def line(
    offered: list[str], answered: list[str] | None = None, *, port: int = B[1], rejected: bool = False
) -> MediaLine:
    """A line of one negotiation at 1 s, answered at 3 s."""
    sdp = [
        parse(build.sdp(address[0], build.audio(number, "RTP/SAVP", *lines)))
        for address, number, lines in ((A, A[1], offered), (B, port, answered or []))
    ]
    invite = request(1_000, BOB, BOB, "INVITE")
    negotiation = Negotiation(
        b"call", b"alice", b"bob", Description(invite, sdp[0]),
        None if answered is None else Description(request(3_000, BOB, BOB, "ACK"), sdp[1]), rejected=rejected,
    )  # fmt: skip
    answer = None if answered is None else sdp[1].media[0]
    state = LineState(negotiation, sdp[0].media[0], answer, 1_000, None if answered is None else 3_000)
    return MediaLine("call-1/0", "call-1", 0, [state])


def found(*lines: str, answered: list[str] | None = None, **how: Any) -> list[tuple[RingKey, KeyPlace]]:
    return line_keys(line(list(lines), answered, **how), KeyRing())


def said(keys: list[tuple[RingKey, KeyPlace]]) -> list[tuple[bytes, str, bool, int]]:
    return [(place.party, place.field, place.agreed, place.begins) for _, place in keys]


def test_each_key_protects_what_its_author_sends_from_when_it_is_said() -> None:
    keys = found(build.crypto("x", tag=1), build.crypto("a", tag=2), answered=[build.crypto("b", tag=2)])
    assert said(keys) == [
        (b"alice", "a=crypto:1", False, 1_000),
        (b"alice", "a=crypto:2", True, 1_000),
        (b"bob", "a=crypto:2", True, 3_000),
    ]
    assert {(place.kind, place.call, place.line) for _, place in keys} == {("sdes", "call-1", "call-1/0")}
    assert [key.key_salt for key, _ in keys] == [build.master_key(seed) for seed in ("x", "a", "b")]


def test_without_an_answer_any_offered_key_may_be_the_one() -> None:
    assert [place.agreed for _, place in found(build.crypto("a"), build.crypto("b", tag=2))] == [True, True]


def test_a_refused_offer_agrees_on_nothing() -> None:
    assert [place.agreed for _, place in found(build.crypto("a"), rejected=True)] == [False]
    assert [place.agreed for _, place in found(build.crypto("a"), answered=[build.crypto("b")], port=0)] == [False] * 2


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("", {}),
        ("|2^31", {"lifetime": 1 << 31}),
        ("|2^20|1:4", {"lifetime": 1 << 20, "mki": b"\0\0\0\1"}),
        ("|66051:3", {"mki": b"\1\2\3"}),
        (" KDR=3", {"key_derivation_rate": 8}),
        (" KDR=25", {}),
        (" kdr=999999999", {}),
        (" UNENCRYPTED_SRTP", {"encrypt_srtp": False}),
        (" unencrypted_srtcp", {"encrypt_srtcp": False}),
        (" UNAUTHENTICATED_SRTP WSH=64", {"srtp_tag_octets": 0}),
    ],
)
def test_parameters(params: str, expected: dict[str, Any]) -> None:
    ((key, _),) = found(build.crypto("a", params=params))
    usual = {
        "lifetime": 1 << 48, "mki": b"", "key_derivation_rate": 0, "encrypt_srtp": True, "encrypt_srtcp": True,
        "srtp_tag_octets": 10,
    }  # fmt: skip
    for name, value in (usual | expected).items():
        assert getattr(key if name in ("lifetime", "mki") else key.parameters, name) == value, name
    assert key.parameters.srtcp_tag_octets == 10
    assert key.parameters.mki_octets == len(key.mki)


def test_aes_gcm_has_tags_and_encrypts_whatever_is_said() -> None:
    ((key, _),) = found(
        build.crypto("a", suite="AEAD_AES_128_GCM", params=" UNENCRYPTED_SRTP UNAUTHENTICATED_SRTP")
    )  # fmt: skip
    assert (key.parameters.encrypt_srtp, key.parameters.srtp_tag_octets) == (True, 16)


def test_the_keys_of_fec_are_tried_too() -> None:
    other = key_row("fec")["key_and_salt_base64"]
    keys = found(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} FEC_KEY=inline:{other}")
    assert [place.field for _, place in keys] == ["a=crypto:1", "a=crypto:1 FEC_KEY"]
    assert keys[1][0].key_salt == build.master_key("fec")


@pytest.mark.parametrize(
    "text",
    [
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|999999:1",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|{'9' * 310}:1",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:999",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|0:0",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^99999",
        f"1 SEED_128_CCM_80 inline:{KEY}",
        f"1 ARIA inline:{KEY}",
        "1 AES_CM_128_HMAC_SHA1_80 inline:",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}",
        f"1 F8_128_HMAC_SHA1_32 inline:{KEY}",
        "x y z",
        "",
    ],
)
def test_what_is_wrong_with_a_line_is_no_error(text: str) -> None:
    for key, _ in found(f"a=crypto:{text}", answered=[f"a=crypto:{text}"]):
        assert key.keys.verify_srtp(bytes(60), 0) is False


def test_lines_and_keys_are_bounded() -> None:
    many = [build.crypto(str(number), tag=number + 1) for number in range(100)]
    assert len(found(*many)) == 32
    keys = ";".join(f"inline:{KEY}|{number + 1}:2" for number in range(100))
    assert len(found(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {keys}")) == 32


WORDS = st.sampled_from(
    (
        *(
            "1",
            "-1",
            "99999999999",
            "AES_CM_128_HMAC_SHA1_80",
            "AEAD_AES_256_GCM",
            "NULL_HMAC_SHA1_32",
            f"inline:{KEY}",
        ),
        *(f"inline:{KEY}|2^20|5:2;inline:{KEY}|5:1", "inline:", "KDR=0", "KDR=24", "KDR=-1", "UNENCRYPTED_SRTP"),
        *("UNAUTHENTICATED_SRTP", f"FEC_KEY=inline:{KEY}|77777:1", "WSH=1", "|:", "\xff"),
    )
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=7), st.lists(WORDS, max_size=7))
def test_no_line_breaks_anything(offered: list[str], answered: list[str]) -> None:
    keys = found("a=crypto:" + " ".join(offered), answered=["a=crypto:" + " ".join(answered)])
    for key, place in keys:
        assert len(key.digest) == 64
        assert KEY not in repr(key) + repr(place)
        assert repr(key.key_salt) not in repr(key)
        key.keys.verify_srtp(bytes(60), 0)
        key.keys.verify_srtcp(bytes(60))


# --- the ring -------------------------------------------------------------------------------------


def test_one_key_at_several_places_is_one(tmp_path: Any) -> None:
    ring = KeyRing()
    for offered in (build.crypto("a"), build.crypto("a", tag=2), build.crypto("a", suite="AES_CM_128_HMAC_SHA1_32")):
        line_keys(line([offered]), ring)
    first, second = ring.master_keys()
    assert (first.suite, len(first.places)) == ("AES_CM_128_HMAC_SHA1_80", 2)
    assert (second.suite, len(second.places)) == ("AES_CM_128_HMAC_SHA1_32", 1)
    assert first.digest == second.digest


def test_a_key_is_for_those_who_are_named() -> None:
    from dissectors.sdp.suites import SDES_SUITES
    from imsinspect.keys.ring import parameters_of

    parameters = parameters_of(SDES_SUITES["AES_CM_128_HMAC_SHA1_80"])
    assert parameters is not None
    ring = KeyRing()
    place = KeyPlace("mikey", 1, "")
    key = ring.add(build.master_key("a"), parameters, "x", place, ssrc=1, roc=5)
    assert key is not None
    assert ring.add(build.master_key("a"), parameters, "x", place, ssrc=2) is key
    assert [key.is_for(ssrc) for ssrc in (1, 2, 3)] == [True, True, False]
    assert [key.roc(ssrc) for ssrc in (1, 2, 3)] == [5, None, None]
    ring.add(build.master_key("a"), parameters, "x", place)
    assert key.is_for(3)
    assert ring.add(b"short", parameters, "x", place) is None
