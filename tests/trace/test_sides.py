"""Access and core by evidence, and legs of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace.calls import build_calls
from imsinspect.trace.model import Protection
from imsinspect.trace.registrations import build_registrations
from imsinspect.trace.sides import mark_sides, relate
from tests.trace.scene import ALICE, BOB, PROXY, message, reply, request, sdp

if TYPE_CHECKING:
    from imsinspect.trace.model import Call, SignallingMessage

S_CSCF = Endpoint("192.0.2.2", 5060)
AS = Endpoint("192.0.2.3", 5060)
BELOW = ("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKbelow",)
PANI = "P-Access-Network-Info: 3GPP-E-UTRAN-FDD"
ICID = "P-Charging-Vector: icid-value=0a1b2c3d; icid-generated-at=192.0.2.1"
PAI = "P-Asserted-Identity: <sip:alice@example.org>"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
PRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)


def side(*messages: SignallingMessage) -> str:
    calls = build_calls(messages)
    mark_sides(calls, build_registrations(messages))
    return calls[0].side


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (PANI, "access"),
        ("Security-Verify: ipsec-3gpp;alg=hmac-md5-96", "access"),
        ("p-preferred-identity: <sip:alice@example.org>", "access"),
        (ICID, "core"),
        (PAI, "unknown"),
        ("Subject: none", "unknown"),
    ],
)
def test_a_header_shows_the_side(header: str, expected: str) -> None:
    assert side(request(0, ALICE, PROXY, "INVITE", header, body=sdp("192.0.2.10", 4000))) == expected


def test_an_e2ae_indication_is_of_the_access() -> None:
    assert side(request(0, ALICE, PROXY, "INVITE", body=sdp("192.0.2.10", 4000, "a=3ge2ae:requested"))) == "access"


def test_an_e2ae_indication_that_was_not_removed_makes_the_core_no_access() -> None:
    body = sdp("192.0.2.10", 4000, "a=3ge2ae:requested")
    assert side(request(0, PROXY, S_CSCF, "INVITE", ICID, vias=BELOW, body=body)) == "core"


def test_a_message_under_integrity_only_esp_is_of_the_access() -> None:
    assert side(request(0, ALICE, PROXY, "INVITE", protection=Protection.ESP_NULL)) == "access"


def test_access_network_info_alone_does_not_outlive_the_trust_domain() -> None:
    assert side(request(0, PROXY, S_CSCF, "INVITE", PANI, PAI, vias=BELOW)) == "unknown"
    assert side(request(0, PROXY, S_CSCF, "INVITE", PANI, PAI, ICID, vias=BELOW)) == "core"


def test_an_asserted_identity_between_nodes_that_forward_is_of_the_core() -> None:
    inner = request(0, PROXY, S_CSCF, "INVITE", PAI, vias=BELOW)
    outer = request(1, S_CSCF, BOB, "INVITE", PAI, vias=(*BELOW, *BELOW))
    assert side(inner) == "unknown"
    assert side(inner, outer) == "core"


def test_the_hop_of_a_registration_with_security_headers_is_of_the_access() -> None:
    register = message(
        0,
        ALICE,
        PROXY,
        "REGISTER sip:example.org SIP/2.0",
        "To: <sip:alice@example.org>",
        "Call-ID: r",
        "CSeq: 1 REGISTER",
        "Security-Client: ipsec-3gpp;alg=hmac-md5-96",
    )
    assert side(register, request(9, PROXY, ALICE, "INVITE", PAI, vias=BELOW)) == "access"


def test_lines_have_the_side_of_their_own_hop() -> None:
    messages = [
        request(0, ALICE, PROXY, "INVITE", PANI, body=sdp("192.0.2.10", 4000, KEY, proto="RTP/SAVP")),
        request(1, PROXY, S_CSCF, "INVITE", ICID, vias=BELOW, body=sdp("192.0.2.1", 5000)),
        request(2, S_CSCF, BOB, "INVITE", vias=BELOW, body=sdp("192.0.2.2", 5000)),
    ]
    calls = build_calls(messages)
    mark_sides(calls, [])
    assert calls[0].side == "access"
    assert [line.side for line in calls[0].lines] == ["access", "core", "unknown"]


def ue(*messages: SignallingMessage) -> tuple[str, str]:
    """Side of the first negotiation, and who its UE is."""
    calls = build_calls(messages)
    mark_sides(calls, build_registrations(messages))
    negotiation = calls[0].negotiations[0]
    return negotiation.side, negotiation.ue


def register(*headers: str, vias: tuple[str, ...] = ()) -> SignallingMessage:
    return request(0, ALICE, PROXY, "REGISTER", *headers, call_id="r", vias=vias)


OFFER = sdp("192.0.2.10", 4000)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (PANI, ("access", "offerer")),
        ("Security-Verify: ipsec-3gpp;alg=hmac-md5-96", ("access", "offerer")),
        ("P-Preferred-Identity: <sip:alice@example.org>", ("access", "offerer")),
        (ICID, ("core", "")),
        ("Subject: none", ("unknown", "")),
    ],
)
def test_a_header_shows_who_the_ue_is(header: str, expected: tuple[str, str]) -> None:
    assert ue(request(0, ALICE, PROXY, "INVITE", header, body=OFFER)) == expected


def test_who_registered_is_the_ue_of_later_calls_in_both_directions() -> None:
    registered = register("Security-Client: sdes-srtp;mediasec")
    assert ue(registered, request(9, PROXY, ALICE, "INVITE", body=OFFER)) == ("access", "answerer")
    assert ue(registered, request(9, ALICE, PROXY, "INVITE", body=OFFER)) == ("access", "offerer")


def test_a_registration_alone_shows_the_ue_but_not_the_access() -> None:
    asked = sdp("192.0.2.10", 4000, "a=3ge2ae:requested")
    assert ue(register(), request(9, ALICE, PROXY, "INVITE", body=OFFER)) == ("unknown", "")
    assert ue(register(), request(9, ALICE, PROXY, "INVITE", body=asked)) == ("access", "offerer")
    assert ue(register(vias=BELOW), request(9, ALICE, PROXY, "INVITE", body=asked)) == ("access", "")


def test_an_e2ae_indication_does_not_show_who_the_ue_is() -> None:
    assert ue(request(0, ALICE, PROXY, "INVITE", body=sdp("192.0.2.10", 4000, "a=3ge2ae:applied"))) == ("access", "")


def test_the_answer_of_a_ue_shows_it() -> None:
    invite = request(0, PROXY, ALICE, "INVITE", body=OFFER)
    assert ue(invite, reply(invite, 5, 200, PANI, to_tag="a", body=OFFER)) == ("access", "answerer")


def test_two_ends_that_both_claim_to_be_the_ue_show_nothing() -> None:
    other = request(5, PROXY, ALICE, "REGISTER", "Security-Client: sdes-srtp;mediasec", call_id="s")
    registered = register("Security-Client: sdes-srtp;mediasec")
    assert ue(registered, other, request(9, ALICE, PROXY, "INVITE", body=OFFER)) == ("access", "")


# --- legs -----------------------------------------------------------------------------------------


def leg(
    source: Endpoint,
    destination: Endpoint,
    call_id: str,
    *headers: str,
    at: int = 0,
    body: bytes = b"",
    answer: bytes = b"",
) -> list[SignallingMessage]:
    invite = request(at, source, destination, "INVITE", *headers, call_id=call_id, body=body)
    return [invite, reply(invite, at + 500, 200, to_tag="bob", body=answer)]


def related(*legs: list[SignallingMessage]) -> list[list[str]]:
    calls: list[Call] = build_calls([each for one in legs for each in one])
    relate(calls)
    return [call.related for call in calls]


BOTH = [["call-2"], ["call-1"]]
NONE: list[list[str]] = [[], []]


@pytest.mark.parametrize(
    "header",
    [
        "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",
        ICID,
        'P-Charging-Vector: icid-value="x/1"',
    ],
)
def test_an_identifier_of_the_session_relates_legs(header: str) -> None:
    assert related(leg(ALICE, PROXY, "a", header), leg(PROXY, BOB, "b", header, at=10)) == BOTH


def test_the_session_id_of_nobody_relates_nothing() -> None:
    header = "Session-ID: 00000000000000000000000000000000"
    assert related(leg(ALICE, PROXY, "a", header), leg(PROXY, BOB, "b", header, at=10)) == NONE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (sdp("192.0.2.10", 4000), sdp("192.0.2.10", 4000, "a=x", version=2)),
        (sdp("192.0.2.10", 4000, KEY), sdp("192.0.2.1", 5000, KEY)),
        (sdp("192.0.2.10", 4000, PRINT), sdp("192.0.2.1", 5000, PRINT)),
    ],
)
def test_origin_key_and_fingerprint_relate_legs(first: bytes, second: bytes) -> None:
    assert related(leg(ALICE, PROXY, "a", body=first), leg(PROXY, BOB, "b", at=10, body=second)) == BOTH


def test_answers_relate_legs_too() -> None:
    answer = sdp("192.0.2.20", 6000, KEY)
    first = leg(ALICE, PROXY, "a", body=sdp("192.0.2.10", 4000), answer=answer)
    second = leg(PROXY, BOB, "b", at=10, body=sdp("192.0.2.1", 5000), answer=answer)
    assert related(first, second) == BOTH


def test_what_a_server_answers_to_two_callers_relates_nothing() -> None:
    """A focus with one key, or one o= line, for all; it may call out with it as well."""
    for answer in (sdp("192.0.2.20", 6000, KEY), sdp("192.0.2.20", 6000)):
        first = leg(ALICE, PROXY, "a", body=sdp("192.0.2.10", 4000, KEY.replace("A", "B")), answer=answer)
        own = sdp("192.0.2.30", 4000, KEY.replace("A", "C"))
        assert related(first, leg(BOB, PROXY, "b", at=10, body=own, answer=answer)) == NONE
        assert related(first, leg(PROXY, BOB, "b", at=10, body=answer, answer=own)) == NONE


def test_an_offer_that_was_asked_for_relates_legs() -> None:
    """RFC 3725: what the one side offers the other answers."""
    one, other = sdp("192.0.2.10", 4000, KEY), sdp("192.0.2.20", 6000, KEY.replace("A", "B"))
    first = leg(ALICE, PROXY, "a", body=one, answer=other)
    assert related(first, leg(BOB, PROXY, "b", at=10, body=other, answer=one)) == BOTH


def test_equal_times_relate_nothing() -> None:
    first = leg(ALICE, PROXY, "a", body=sdp("192.0.2.10", 4000))
    assert related(first, leg(PROXY, BOB, "b", body=sdp("192.0.2.1", 5000))) == NONE


def test_calls_one_after_the_other_are_no_legs() -> None:
    body = sdp("192.0.2.10", 4000, PRINT)
    assert related(leg(ALICE, PROXY, "a", body=body), leg(PROXY, BOB, "b", at=60_000, body=body)) == NONE


def test_calls_of_one_machine_with_a_constant_origin_are_no_legs() -> None:
    body = sdp("192.0.2.10", 4000)
    assert related(leg(ALICE, PROXY, "a", body=body), leg(ALICE, PROXY, "b", at=10, body=body)) == NONE


def test_the_certificate_of_a_gateway_relates_none_of_its_calls() -> None:
    to_bob = leg(PROXY, BOB, "a", body=sdp("192.0.2.1", 5000, PRINT))
    to_as = leg(PROXY, AS, "b", at=10, body=sdp("192.0.2.1", 5002, PRINT).replace(b"o=- 1", b"o=- 7"))
    assert related(to_bob, to_as) == NONE


def test_a_mark_that_many_calls_share_tells_nothing() -> None:
    legs = [leg(Endpoint(f"192.0.2.{number}", 5060), PROXY, f"c{number}", ICID) for number in range(100, 120)]
    assert related(*legs) == [[]] * 20
