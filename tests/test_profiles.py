"""Which solution of the specifications a call is taken for, and why."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.endpoint import Endpoint
from imsinspect.profiles import ProfileChoice, infer
from imsinspect.trace.binding import bind
from imsinspect.trace.calls import build_calls
from imsinspect.trace.model import Trace
from imsinspect.trace.registrations import build_registrations
from imsinspect.trace.sides import mark_sides, relate
from tests.trace.scene import ALICE, BOB, PROXY, message, reply, request, sdp, session

if TYPE_CHECKING:
    from imsinspect.trace.model import SignallingMessage, TlsSession

KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
OTHER_KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "B" * 40
PRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
OTHER_PRINT = "a=fingerprint:sha-256 " + ":".join(["CD"] * 32)
REQUESTED = "a=3ge2ae:requested"
CORE = Endpoint("192.0.2.2", 5060)


def mikey(data_type: int) -> str:
    return "a=key-mgmt:mikey " + base64.b64encode(bytes((1, data_type)) + bytes(30)).decode()


def call(offer: bytes, answer: bytes, *headers: str, call_id: str = "call", at: int = 10) -> list[SignallingMessage]:
    invite = request(at, ALICE, PROXY, "INVITE", *headers, call_id=call_id, body=offer)
    return [invite, reply(invite, at + 10, 200, to_tag="bob", body=answer)]


def profiles(messages: list[SignallingMessage], sessions: list[TlsSession] | None = None) -> list[ProfileChoice]:
    calls = build_calls(messages)
    registrations = build_registrations(messages)
    mark_sides(calls, registrations)
    relate(calls)
    bind(calls, [], [], sessions or [])
    trace = Trace(messages=messages, calls=calls, registrations=registrations)
    found = infer(trace)
    assert list(found) == [each.id for each in calls]
    return list(found.values())


def audio(key: str, *more: str, port: int = 4000) -> bytes:
    return sdp("192.0.2.10", port, key, *more, proto="RTP/SAVP")


def chat(*more: str, proto: str = "TCP/TLS/MSRP", media: str = "message") -> bytes:
    return sdp("192.0.2.10", 2855, *more, proto=proto, media=media)


def registration(mechanisms: str) -> list[SignallingMessage]:
    register = message(
        0,
        ALICE,
        PROXY,
        "REGISTER sip:example.org SIP/2.0",
        f"Via: SIP/2.0/UDP {ALICE};branch=z9hG4bKr",
        "From: <sip:alice@example.org>;tag=r",
        "To: <sip:alice@example.org>",
        "Call-ID: r",
        "CSeq: 1 REGISTER",
        "Contact: <sip:alice@192.0.2.10>",
        f"Security-Client: {mechanisms}",
    )
    return [register, reply(register, 1, 401, f"Security-Server: {mechanisms}")]


def test_the_e2ae_indication_decides() -> None:
    (found,) = profiles(call(audio(KEY, REQUESTED), audio(OTHER_KEY)))
    assert found == ProfileChoice(
        "E2AE-RTP", True, ("a=3ge2ae:requested, audio line 0 (decisive for E2AE-RTP)",), frozenset(("E2AE-RTP",))
    )


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (chat(PRINT, "a=3ge2ae:applied"), "E2AE-MSRP"),
        (chat(PRINT, REQUESTED, proto="TCP/TLS/BFCP", media="application"), "E2AE-BFCP"),
        (audio(KEY, REQUESTED, "m=message 2855 TCP/TLS/MSRP *", PRINT, REQUESTED), "E2AE"),
    ],
)
def test_each_kind_of_line_has_its_e2ae(body: bytes, name: str) -> None:
    assert [each.name for each in profiles(call(body, body))] == [name]


def test_an_unknown_indication_decides_nothing() -> None:
    assert profiles(call(sdp("192.0.2.10", 4000, "a=3ge2ae:offered"), sdp("192.0.2.20", 1)))[0].name == "open"


def test_keys_on_both_sides_are_end_to_end_sdes() -> None:
    (found,) = profiles(call(audio(KEY), audio(OTHER_KEY)))
    assert found == ProfileChoice(
        "E2E-SDES",
        True,
        ("RTP/SAVP with a=crypto on both sides, no a=3ge2ae, audio line 0 (strong for E2E-SDES)",),
        frozenset(("E2E-SDES",)),
    )


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (audio(KEY), audio(OTHER_KEY, port=0)),
        (audio(KEY), sdp("192.0.2.20", 6000)),
        (audio(KEY), audio("a=x")),
        (sdp("192.0.2.10", 4000), sdp("192.0.2.20", 6000)),
        (sdp("192.0.2.10", 4000, KEY), sdp("192.0.2.20", 6000, OTHER_KEY)),
    ],
)
def test_what_was_not_agreed_leaves_the_profile_open(offer: bytes, answer: bytes) -> None:
    assert profiles(call(offer, answer)) == [ProfileChoice("open", True, ())]


def test_nothing_is_said_of_a_call_without_lines() -> None:
    assert profiles([request(0, ALICE, BOB, "BYE", to_tag="x")]) == [ProfileChoice("open", True, ())]


@pytest.mark.parametrize("data_type", [14, 15])
def test_a_ticket_transfer_is_end_to_end_with_a_key_server(data_type: int) -> None:
    (found,) = profiles(call(audio(mikey(data_type)), audio("a=x")))
    assert found.name == "E2E-KMS"
    assert found.because == (f"a=key-mgmt:mikey with data type {data_type}, audio line 0 (decisive for E2E-KMS)",)


@pytest.mark.parametrize("line", [mikey(0), "a=key-mgmt:mikey !!!", "a=key-mgmt:other " + mikey(14)[17:]])
def test_other_key_management_is_no_ticket_transfer(line: str) -> None:
    assert profiles(call(audio(line), audio(line)))[0].name == "open"


def test_decisive_observations_that_contradict_leave_the_profile_open() -> None:
    body = audio(KEY, REQUESTED, "m=message 2855 TCP/TLS/MSRP *", mikey(14))
    (found,) = profiles(call(body, body))
    assert (found.name, len(found.because)) == ("open", 2)


def test_certificates_and_agreed_indications_alone_are_too_weak() -> None:
    messages = registration("msrp-tls;mediasec") + call(chat(PRINT), chat(OTHER_PRINT))
    (found,) = profiles(messages)
    assert (found.name, found.because) == (
        "open",
        (
            "TCP/TLS/MSRP with a=fingerprint, no a=key-mgmt, message line 0 (medium for E2AE-MSRP)",
            "msrp-tls;mediasec agreed at registration (medium for E2AE-MSRP)",
        ),
    )


def test_secure_on_the_access_and_clear_in_the_core_is_e2ae() -> None:
    offer, answer = audio(KEY), audio(OTHER_KEY, port=5000)
    invite, ok = call(offer, answer, "P-Charging-Vector: icid-value=1")
    inner = request(
        11, PROXY, CORE, "INVITE", "P-Charging-Vector: icid-value=1", call_id="leg", body=sdp("192.0.2.1", 1)
    )
    answered = reply(inner, 15, 200, to_tag="bob", body=sdp("192.0.2.20", 2))
    legs = [invite, inner, answered, ok]
    assert [each.name for each in profiles(legs)] == ["E2E-SDES", "open"]
    found = profiles(registration("sdes-srtp;mediasec") + legs)
    assert [each.name for each in found] == ["E2AE-RTP", "E2AE-RTP"]
    assert found[1].because[0] == "RTP/SAVP on one side and RTP/AVP on the other, line 0 (decisive for E2AE-RTP)"


def test_an_answer_in_clear_is_a_downgrade_and_no_second_side() -> None:
    messages = registration("sdes-srtp;mediasec") + call(audio(KEY), sdp("192.0.2.20", 6000))
    assert profiles(messages)[0].name == "open"


def test_a_call_that_becomes_clear_is_downgraded_and_has_no_second_side() -> None:
    again = request(50, ALICE, PROXY, "INVITE", cseq=2, to_tag="bob", body=sdp("192.0.2.10", 4000, version=2))
    change = [again, reply(again, 60, 200, body=sdp("192.0.2.20", 6000, version=2))]
    messages = registration("sdes-srtp;mediasec") + call(audio(KEY), audio(OTHER_KEY)) + change
    assert profiles(messages)[0].name == "E2E-SDES"


def psk_session(suite: int, identity: bytes | None) -> TlsSession:
    found = session(("192.0.2.20", 40_000), ("192.0.2.10", 2855), 30, 5000)
    found.cipher_suite, found.psk, found.psk_identity = suite, True, identity
    return found


@pytest.mark.parametrize(
    ("suite", "identity", "name"),
    [
        (0x008C, b"", "E2E-KMS"),
        (0x00A8, b"", "E2E-KMS"),
        (0x008C, b"someone", "open"),
        (0x008C, None, "open"),
        (0x0090, b"", "open"),
        (0xC035, b"", "open"),
    ],
)
def test_a_plain_psk_suite_with_an_empty_identity(suite: int, identity: bytes | None, name: str) -> None:
    messages = call(
        chat("a=setup:passive"), sdp("192.0.2.20", 9, "a=setup:active", proto="TCP/TLS/MSRP", media="message")
    )
    assert profiles(messages, [psk_session(suite, identity)])[0].name == name


@pytest.mark.parametrize(
    ("offer", "answer", "name"),
    [
        (audio(KEY), audio(OTHER_KEY), "G2"),
        (audio(KEY, REQUESTED), audio(OTHER_KEY), "G2"),
        (audio(mikey(14)), audio(mikey(15)), "G3"),
        (sdp("192.0.2.10", 4000), sdp("192.0.2.20", 6000), "open"),
    ],
)
def test_with_a_focus_the_solution_is_one_of_a_conference(offer: bytes, answer: bytes, name: str) -> None:
    (found,) = profiles(call(offer, answer, "Contact: <sip:conf1@example.org>;isfocus"))
    assert found.name == name
    assert found.because[-1] == "Contact with isfocus (decisive for a conference)"


def test_a_ticket_to_the_factory_hints_at_the_study_and_does_not_choose_it() -> None:
    invite = request(10, ALICE, PROXY, "INVITE", body=audio(mikey(14)))
    focus = reply(invite, 20, 200, "Contact: <sip:conf1@example.org>;isfocus", to_tag="bob", body=audio(mikey(15)))
    refer = request(30, ALICE, PROXY, "REFER", cseq=2, to_tag="bob", body=audio(mikey(14)))
    (found,) = profiles([invite, focus, refer])
    assert found.name == "G3"
    assert found.because[-2:] == (
        "ticket in INVITE to a factory URI (weak for TR-KMS)",
        "ticket on REFER (weak for TR-KMS)",
    )


def test_a_subscription_to_the_conference_names_it() -> None:
    subscribe = request(0, ALICE, PROXY, "SUBSCRIBE", "Event: conference;id=1", call_id="s")
    assert profiles([subscribe, *call(audio(KEY), audio(OTHER_KEY))])[0].name == "G2"


def test_the_word_isfocus_elsewhere_makes_no_conference() -> None:
    contact = "Contact: <sip:isfocus@example.org>"
    assert profiles(call(audio(KEY), audio(OTHER_KEY), contact))[0].name == "E2E-SDES"
