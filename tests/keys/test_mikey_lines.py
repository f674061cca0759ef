"""MIKEY in a call: its crypto sessions become the keys of media lines, and packets are verified with them.

The messages are the MIKEY-TICKET exchange that the reference page computed (mikey.md 9.8, A128), and one of RFC 3830's
pre-shared-key mode (9.2).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from imsinspect.pipeline import Options, audit
from tests import build

if TYPE_CHECKING:
    from pathlib import Path

    from imsinspect.report.audit import Audit

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
SSRC_A, SSRC_B = 0x11111111, 0x22222222
TRANSFER_INIT = "AQ4FgAoLDAICAgEAAQAABBEREREEAAAAAwIAAQAAAAAPAOehssUAAAAADgEQHZSZF/jfTCEmTTyBpaeJ4w4BAQAZc2lwOmFsaWNlQGltcy5leGFtcGxlLm9yZwoCAQAXc2lwOmJvYkBpbXMuZXhhbXBsZS5vcmcRAAAAGwABAQEBEAIBAQMBFAQBDgcBAQgBAQoBAQsBCgkAAQEBAdRgAGEODgMBABNrbXMuaW1zLmV4YW1wbGUub3JnDQEBABlzaXA6YWxpY2VAaW1zLmV4YW1wbGUub3JnDQID56Gyww4DA+ejBEMAAgEAF3NpcDpib2JAaW1zLmV4YW1wbGUub3JnAIYFAAALAOehssMAAAAAARA+8WCNSoLrfzOCm5aeT2JYDgEAQrwPzLIiRtXLKK8PXPR9ceugzlTqizJqHOsPoILnziQnZFBMQsMoDuuCcjUrxXgYinZKvl1iq8p/+r8HmR2ycJG2MAAJBAIABXRway0xAAFaCqAA0rM+DyX5sIpOBo4rr6eANwAAAAFUztjtyLAJbhUv44cnb/tjGQjl9Q=="  # noqa: E501
TRANSFER_RESP = "AQ8FAAoLDAICAgEAAQAABBEREREEAAAAAwIAAQAABCIiIiIEAAAAAw4A56GyyAAAAAAJAgEAF3NpcDpib2JAaW1zLmV4YW1wbGUub3JnAAGAxVaJfM9NfXdGqdTlHH9jnRqg6w=="  # noqa: E501
TPK = "356f3318e29b042c9e93991ac80fe357"
TEKS = ("f690ecc199200f2a93cb67ebf1c8b238", "dd66e09714d388fb4d2ce555809a948f")
SALT = "9268cd32d499538c3a79a112db16"
MKI = bytes.fromhex("00000003")


def call(offered: str, answered: str) -> list[build.Packet]:
    offer = build.sdp(A[0], build.audio(A[1], "RTP/SAVP"), session=(f"a=key-mgmt:mikey {offered}",))
    answer = build.sdp(B[0], build.audio(B[1], "RTP/SAVP"), session=(f"a=key-mgmt:mikey {answered}",))
    return build.call(offer, answer)


def audited(folder: Path, packets: list[build.Packet], keys: dict[str, object] | None = None) -> Audit:
    capture, file = folder / "call.pcap", folder / "keys.json"
    capture.write_bytes(build.pcap(packets))
    file.write_text(json.dumps(keys or {}))
    return audit([str(capture)], Options(keys=(file,) if keys else ()))


def context(number: int) -> build.Srtp:
    """The SRTP context of a crypto session; the SPI is the MKI (mikey.md 5.7)."""
    return build.Srtp(bytes.fromhex(TEKS[number - 1] + SALT), mki=MKI)


def both_ways(a: int, b: int) -> list[build.Packet]:
    """Speech and reports, from A with the key of one crypto session, from B with that of another."""
    report_a, report_b = (build.sender_report(each) + build.source_description(each) for each in (SSRC_A, SSRC_B))
    sends_a, sends_b = context(a), context(b)
    return build.in_time_order(
        build.rtp_stream(A, B, SSRC_A, build.speech(30), at=1.0, srtp=sends_a),
        build.rtp_stream(B, A, SSRC_B, build.speech(30), at=1.0, srtp=sends_b),
        [(1.3, build.udp((A[0], A[1] + 1), (B[0], B[1] + 1), sends_a.protect_rtcp(report_a)))],
        [(1.4, build.udp((B[0], B[1] + 1), (A[0], A[1] + 1), sends_b.protect_rtcp(report_b)))],
    )


def proven(found: Audit) -> list[tuple[int, int, int, dict[str, int]]]:
    """SSRC, packets checked, verified and diagnoses of each sender."""
    senders = [*found.trace.streams, *found.trace.rtcp_sources]
    return [
        (each.ssrc, each.proof.packets, each.proof.verified, each.proof.diagnoses)
        for each in senders
        if each.proof is not None
    ]


def test_tickets_open_with_the_key_of_the_kms_and_prove_both_directions(tmp_path: Path) -> None:
    packets = build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 2))
    found = audited(tmp_path, packets, {"mikey": {"tickets": [{"tpk": TPK}]}})
    assert [(each.kind, each.carrier, each.authentic, each.lines) for each in found.trace.mikey] == [
        ("TRANSFER_INIT", "sdp session", True, ["call-1/0"]),
        ("TRANSFER_RESP", "sdp session", True, ["call-1/0"]),
    ]
    assert proven(found) == [(SSRC_A, 30, 30, {}), (SSRC_B, 30, 30, {}), (SSRC_A, 1, 1, {}), (SSRC_B, 1, 1, {})]
    places = {place.field for key in found.trace.keys for place in key.places}
    assert places == {"MIKEY TGK, crypto session 1", "MIKEY TGK, crypto session 2"}


def test_the_responders_key_opens_the_same_exchange(tmp_path: Path) -> None:
    """With MPKi and the TGK alone, as the Initiator's KMS hands them over."""
    ticket = {"mpk_i": "c2f90b80a3a158935c62116719b673ff", "tgk": "fd21b8bc375a1d573b83d14083618145"}
    packets = build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 2))
    found = audited(tmp_path, packets, {"mikey": {"tickets": [ticket]}})
    assert [each.authentic for each in found.trace.mikey] == [True, True]


def test_a_wrong_key_is_said_to_be_wrong(tmp_path: Path) -> None:
    packets = build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 2))
    found = audited(tmp_path, packets, {"mikey": {"tickets": [{"mpk_i": "00" * 16}]}})
    assert [(each.authentic, each.authentication) for each in found.trace.mikey] == [
        (False, "does not verify with key 374708ff"),
        (False, "does not verify with key 374708ff"),
    ]
    assert proven(found) == []


def test_a_wrong_key_of_the_ticket_is_said_to_be_wrong(tmp_path: Path) -> None:
    packets = build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 2))
    found = audited(tmp_path, packets, {"mikey": {"tickets": [{"tpk": "00" * 16}]}})
    assert found.trace.mikey[0].remarks == ("MAC of the ticket does not verify with key 374708ff",)
    assert proven(found) == []


def test_without_keys_nothing_is_proven_and_nothing_is_claimed(tmp_path: Path) -> None:
    found = audited(tmp_path, build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 2)))
    assert [(each.kind, each.authentic) for each in found.trace.mikey] == [
        ("TRANSFER_INIT", None),
        ("TRANSFER_RESP", None),
    ]
    assert (proven(found), found.trace.keys) == ([], [])


def test_both_parties_with_the_key_of_one_direction(tmp_path: Path) -> None:
    """The maps name the SSRC of each crypto session: who sends with the other's key is found out."""
    packets = build.in_time_order(call(TRANSFER_INIT, TRANSFER_RESP), both_ways(1, 1))
    found = audited(tmp_path, packets, {"mikey": {"tickets": [{"tpk": TPK}]}})
    assert proven(found)[:2] == [(SSRC_A, 30, 30, {}), (SSRC_B, 30, 0, {"other direction": 30})]
