"""Registrations and the security agreements made in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.trace.registrations import build_registrations
from tests.trace.scene import ALICE, PROXY, message, reply

if TYPE_CHECKING:
    from imsinspect.trace.model import SignallingMessage

CONTACT = "Contact: <sip:alice@192.0.2.10:5062>;expires=600"
OFFERED = "Security-Server: ipsec-3gpp;alg=hmac-sha-1-96;q=0.1, sdes-srtp;mediasec, msrp-tls;mediasec"


def register(at: int, *headers: str, cseq: int = 1, call_id: str = "reg", user: str = "alice") -> SignallingMessage:
    return message(
        at,
        ALICE,
        PROXY,
        "REGISTER sip:example.org SIP/2.0",
        f"Via: SIP/2.0/UDP {ALICE};branch=z9hG4bK{call_id}{cseq}",
        f"From: <sip:{user}@example.org>;tag=1",
        f"To: <sip:{user}@example.org>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
        *headers,
    )


def test_a_registration_with_a_security_agreement() -> None:
    first = register(0, CONTACT, "Security-Client: ipsec-3gpp;alg=hmac-sha-1-96, sdes-srtp;mediasec")
    refused = reply(first, 1, 401, OFFERED)
    second = register(2, CONTACT, OFFERED.replace("Server", "Verify").replace(", msrp-tls;mediasec", ""), cseq=2)
    ok = reply(second, 3, 200)
    (found,) = build_registrations([first, refused, second, ok])
    assert (found.id, found.identity) == ("registration-1", b"sip:alice@example.org")
    assert (found.security, found.mediasec) == (("ipsec-3gpp",), ("sdes-srtp",))
    assert found.messages == [first, refused, second, ok]


def test_media_security_that_one_side_names_alone_is_not_agreed() -> None:
    first = register(0, CONTACT, "Security-Client: bfcp-tls;mediasec")
    (found,) = build_registrations([first, reply(first, 1, 401, OFFERED)])
    assert found.mediasec == ()


def test_what_is_mirrored_in_security_verify_is_agreed() -> None:
    first = register(0, CONTACT)
    second = register(2, CONTACT, OFFERED.replace("Server", "Verify"), cseq=2)
    (found,) = build_registrations([first, reply(first, 1, 401, OFFERED), second])
    assert found.mediasec == ("sdes-srtp", "msrp-tls")


def test_identities_and_contacts_are_registered_apart() -> None:
    found = build_registrations(
        [
            register(0, CONTACT, call_id="a"),
            register(1, "Contact: <sip:alice@192.0.2.11>", call_id="b"),
            register(2, CONTACT, call_id="c", user="bob"),
            register(3, CONTACT, call_id="d"),
        ]
    )
    assert [(each.id, each.identity, len(each.messages)) for each in found] == [
        ("registration-1", b"sip:alice@example.org", 2),
        ("registration-2", b"sip:alice@example.org", 1),
        ("registration-3", b"sip:bob@example.org", 1),
    ]


def test_the_instance_names_a_contact_whose_address_changes() -> None:
    instance = 'sip.instance="<urn:gsma:imei:1>"'
    found = build_registrations(
        [
            register(0, f"Contact: <sip:alice@192.0.2.10:5060>;+{instance}", call_id="a"),
            register(9, f"Contact: <sip:alice@192.0.2.10:5099>;+{instance}", call_id="b"),
        ]
    )
    assert [len(each.messages) for each in found] == [2]


def test_queries_and_removals_belong_to_the_registration_of_their_call_id() -> None:
    messages = [register(0, CONTACT), register(1, cseq=2), register(2, "Contact: *", "Expires: 0", cseq=3)]
    assert [len(each.messages) for each in build_registrations(messages)] == [3]


def test_other_methods_register_nothing() -> None:
    options = message(0, ALICE, PROXY, "OPTIONS sip:x SIP/2.0", "Call-ID: 1", "CSeq: 1 OPTIONS", OFFERED)
    assert build_registrations([options]) == []


def test_what_the_ue_echoes_is_not_what_it_supports() -> None:
    """Security-Verify repeats the list of the network, also what the UE never named of itself."""
    first = register(0, CONTACT, "Security-Client: sdes-srtp;mediasec")
    second = register(2, CONTACT, OFFERED.replace("Server", "Verify"), cseq=2)
    (found,) = build_registrations([first, reply(first, 1, 401, OFFERED), second])
    assert found.mediasec == ("sdes-srtp",)


def test_indications_name_their_side_and_time() -> None:
    first = register(0, CONTACT, "Security-Client: sdes-srtp;mediasec, ipsec-3gpp;alg=hmac-md5-96")
    refused = reply(first, 1, 401, OFFERED)
    (found,) = build_registrations([first, refused, register(2, CONTACT, "Security-Client: tls", cseq=2)])
    assert [(each.header, each.mechanisms, each.time) for each in found.indications] == [
        ("Security-Client", ("sdes-srtp",), 0),
        ("Security-Server", ("sdes-srtp", "msrp-tls"), 1_000_000),
        ("Security-Client", (), 2_000_000),
    ]
    assert {(each.ue, each.edge) for each in found.indications} == {(ALICE, PROXY)}
    assert [each.frame for each in found.indications][1] == refused.frame


def test_a_binding_lasts_until_it_is_removed() -> None:
    first, second = register(0, CONTACT), register(20, "Contact: <sip:alice@192.0.2.10:5062>;expires=0", cseq=2)
    third = register(40, "Contact: *", "Expires: 0", cseq=3)
    (found,) = build_registrations(
        [first, reply(first, 10, 200), second, reply(second, 30, 200), third, reply(third, 50, 403)]
    )
    assert [found.lasts_at(time * 1_000_000) for time in (5, 15, 35, 60)] == [False, True, False, False]
    assert (len(found.accepted), len(found.removed)) == (1, 1)
