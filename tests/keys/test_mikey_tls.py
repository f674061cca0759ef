"""MSRP whose TLS takes a TEK of MIKEY as its pre-shared key (TS 33.328 Annex H): opened with nothing but the SDP.

The TLS handshake is one that OpenSSL made with the pre-shared key 00..0f (tls.md §6); the MIKEY message carries the key
without encryption, in a crypto session of another Prot type than SRTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapy.packet import Raw

from dissectors.mikey.carriage import to_base64
from dissectors.mikey.layers import MIKEY, GenericID
from dissectors.mikey.payload.layers import KEMAC, RAND, KeyData, KeyDataSubPayloads, NTPTimestamp, T
from tests import build
from tests.keys.test_smime import alone, capture
from tests.trace.test_tls_opened import CLIENT_RANDOM, PSK, live

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

A, B = ("192.0.2.10", 2855), ("198.51.100.20", 2855)
TLS = 7  # the Prot type of a peer that numbers TLS so: none is registered (mikey.md 10)
SEND = (
    b"MSRP d93kswow SEND\r\nTo-Path: msrps://198.51.100.20:2855/b;tcp\r\nFrom-Path: msrps://192.0.2.10:2855/a;tcp\r\n"
    b"Message-ID: 12339sdqwer\r\nByte-Range: 1-16/16\r\nContent-Type: text/plain\r\n\r\nHi, I'm Alice!\r\n\r\n"
    b"-------d93kswow$\r\n"
)


def keyed(tek: bytes) -> str:
    """A MIKEY message with a TEK for one crypto session of TLS."""
    keys = bytes(KeyDataSubPayloads(payloads=[KeyData(type=2, key_data=tek)]))
    message = MIKEY(
        data_type=0,
        csb_id=0x0A0B0C0D,
        cs_id_map_type=2,
        cs_id_map_info=[GenericID(cs_id=1, prot_type=TLS, session_data=Raw())],
        payloads=[
            T(ts_value=NTPTimestamp(seconds=0xE7A1B2C3)),
            RAND(rand=bytes(16)),
            KEMAC(encr_alg=0, encr_data=Raw(keys), mac_alg=0),
        ],
    )
    return to_base64(bytes(message)).decode()


def described(host: str, path: str, tek: bytes) -> bytes:
    line = build.media(
        "message", 2855, "TCP/TLS/MSRP", "*", "a=accept-types:text/plain", f"a=path:{path}", "a=setup:actpass"
    )
    return build.sdp(host, line, session=(f"a=key-mgmt:mikey {keyed(tek)}",))


def audited(tek: bytes) -> Audit:
    talk = build.call(
        described(A[0], "msrps://192.0.2.10:2855/a;tcp", tek), described(B[0], "msrps://198.51.100.20:2855/b;tcp", tek)
    )
    connection = build.TcpConnection((A[0], 40_000), B)
    session = connection.open(1.0)
    for number, chunk in enumerate(live(SEND)):
        session += connection.send(1.1 + number / 10, chunk.data, from_client=chunk.forward)
    return build.audit_bytes(build.pcap(build.in_time_order(talk, session)))


def test_the_tek_opens_the_session_and_its_messages_are_counted() -> None:
    found = audited(PSK).trace
    (session,) = found.tls_sessions
    assert session.client_hellos[0].random == CLIENT_RANDOM
    assert (session.opened_by, session.finished_verified) == ("psk from MIKEY", True)
    assert session.opened_messages == {"msrp": 1}
    assert found.counts.msrp_messages == 1
    assert found.calls[0].lines[0].tls_sessions == [session]


def test_another_tek_is_said_not_to_fit() -> None:
    (session,) = audited(bytes(16)).trace.tls_sessions
    assert (session.opened, session.finished_verified) == (False, False)


def test_the_tek_opens_smime_bodies_too() -> None:
    """PSK S/MIME (TS 33.328 Annex J.1): a call in one capture gives the key, descriptions in another are under it."""
    offer = described(A[0], "msrps://192.0.2.10:2855/a;tcp", PSK)
    answer = described(B[0], "msrps://198.51.100.20:2855/b;tcp", PSK)
    talk = build.call(offer, answer, dialog=build.Dialog(call_id="messages@test"))
    found = build.audit_bytes(build.pcap(talk), capture(alone)).trace
    assert [body.opened for message in found.messages for body in message.sealed] == [True, True]
    assert [(stream.proof.verified, stream.proof.failed) for stream in found.streams if stream.proof] == [
        (60, 0),
        (60, 0),
    ]
