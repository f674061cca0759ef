"""What the ends of a call's signalling are called."""

from __future__ import annotations

from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace.parties import names_of_ends
from tests import build

PROXY: build.Address = ("203.0.113.1", 5060)


def names(packets: list[build.Packet]) -> dict[Endpoint, bytes]:
    (call,) = build.audit_bytes(build.pcap(packets)).trace.calls
    return names_of_ends(call.messages)


def test_parties_that_send_from_their_own_contact_have_their_uri() -> None:
    assert names(build.call(build.sdp("192.0.2.10", build.audio(4000)))) == {
        Endpoint(*build.ALICE): b"sip:alice@example.org",
        Endpoint(*build.BOB): b"sip:bob@example.org",
    }


def test_a_proxy_has_the_name_that_it_gives_itself_and_never_that_of_a_party() -> None:
    """What it passes on has the Contact of somebody else, and a second Via."""
    talk = build.Dialog(via=("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKue",))
    invite = talk.request("INVITE").replace(b"UDP 192.0.2.10:5060;branch=z9hG4bK", b"UDP proxy.test;branch=z9hG4bK", 1)
    passed = [(0.0, build.udp(PROXY, build.BOB, invite)), (0.1, build.udp(build.BOB, PROXY, talk.response(200, "OK")))]
    assert names(passed) == {Endpoint(*PROXY): b"proxy.test", Endpoint(*build.BOB): b"sip:bob@example.org"}
