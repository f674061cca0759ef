"""IMS-GW-004, -007, -010 and -014, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.gateway_kit import add, descriptor, h248

GW_004, GW_007, GW_010, GW_014 = "IMS-GW-004", "IMS-GW-007", "IMS-GW-010", "IMS-GW-014"
UE, P_CSCF, S_CSCF = ("192.0.2.10", 5060), ("192.0.2.1", 5060), ("192.0.2.2", 5060)
CHARGING = ("P-Charging-Vector: icid-value=1", "P-Asserted-Identity: <sip:alice@example.org>")


def fingerprint(octet: str) -> str:
    return f"a=fingerprint:SHA-256 {':'.join([octet] * 32)}"


# --- IMS-GW-010 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "severity"),
    [
        (build.crypto("secret"), Severity.CRITICAL),
        (fingerprint("AB"), Severity.HIGH),
        ("a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g==", Severity.INFO),
        ("a=sendrecv", Severity.INFO),
    ],
)
def test_gateway_control_in_clear_by_what_it_carries(told, attribute: str, severity: Severity) -> None:
    """The catalogue's trigger; keys are never shown."""
    section = build.media("audio", 4000, "RTP/SAVP", "0", attribute)
    result = told(GW_010, h248(add(remote=descriptor("192.0.2.10", section)), add(transaction=2)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (severity, "violation", "proven")
    assert finding.subject.id == "192.0.2.1 and 192.0.2.40"
    assert finding.evidence[0].frame == 1
    assert attribute.partition("inline:")[2][:40] not in repr(finding) or not attribute.partition("inline:")[2]
    assert result.rows == [("violation", "", 1)]


def test_gateway_control_inside_esp_passes(told) -> None:
    """The catalogue's near miss; keys under NULL encryption are the object of IMS-GW-011."""
    section = build.media("audio", 4000, "RTP/SAVP", "0", fingerprint("AB"))
    assert told(GW_010, h248(add(remote=descriptor("192.0.2.10", section)), esp=True)).rows == [("pass", "", 1)]


def test_a_trusted_site_makes_it_information(told) -> None:
    section = build.media("audio", 4000, "RTP/SAVP", "0", build.crypto("secret"))
    packets = h248(add(remote=descriptor("192.0.2.10", section)))
    assert told(GW_010, packets, nds="trusted-site").finding.severity is Severity.INFO
    assert told(GW_010, packets, capture_point="post-decryption").rows == [("not-assessed", "T-CORE", 1)]


def test_a_capture_without_gateway_control_has_no_object(told) -> None:
    assert told(GW_010, build.call(build.sdp("192.0.2.10", build.audio(4000)))).rows == []


# --- IMS-GW-007 -----------------------------------------------------------------------------------


def chat(value: str = "AB", *, port: int = 2855, edge: bool = True, version: int = 1) -> bytes:
    attributes = (fingerprint(value), "a=setup:active", *(("a=3ge2ae:requested",) if edge else ()))
    section = build.media("message", port, "TCP/TLS/MSRP", "*", *attributes)
    return build.sdp("192.0.2.10", section, version=version)


def answered() -> bytes:
    return build.sdp(
        "192.0.2.40", build.media("message", 2856, "TCP/TLS/MSRP", "*", fingerprint("EE"), "a=setup:passive")
    )


def chat_call(*more: list[build.Packet], offer: bytes | None = None) -> list[build.Packet]:
    talk = build.Dialog(caller=UE, callee=P_CSCF)
    return build.in_time_order(build.call(offer or chat(), answered(), dialog=talk), *more)


def on_iq(value: str, *, port: int = 2855, transport: str = "TCP/TLS/MSRP") -> list[build.Packet]:
    section = build.media("message", port, transport, "*", value if value.startswith("a=") else fingerprint(value))
    return h248(add(remote=descriptor("192.0.2.10", section)))


def test_another_fingerprint_on_iq_is_critical(told) -> None:
    """The catalogue's trigger."""
    result = told(GW_007, chat_call(on_iq("BB")))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/0", [1, 4])
    assert finding.evidence[1].observed == "sha-256 BB:BB:BB:BB…"
    assert result.rows == [("violation", "", 1)]


def test_the_same_value_in_other_letters_passes(told) -> None:
    """The catalogue's near miss."""
    lower = fingerprint("AB").replace("AB", "ab").replace("SHA-256", "sha-256")
    assert told(GW_007, chat_call(on_iq(lower))).rows == [("pass", "", 1)]


def test_a_later_offer_brings_the_value(told) -> None:
    talk = build.Dialog(caller=UE, callee=P_CSCF)
    first = build.call(chat(), answered(), dialog=talk, duration=None)
    again = talk.request("INVITE", chat("BB", version=2), in_dialog=True)
    later = build.carry(talk, [(3.0, again, True), (3.1, talk.response(200, "OK", answered()), False)])
    assert told(
        GW_007,
        build.in_time_order(
            first,
            later,
            h248(
                add(
                    remote=descriptor(
                        "192.0.2.10", build.media("message", 2855, "TCP/TLS/MSRP", "*", fingerprint("BB"))
                    )
                ),
                at=3.05,
            ),
        ),
    ).rows == [("pass", "", 1)]


def test_another_hash_function_and_another_line_are_not_compared(told) -> None:
    sha1 = "a=fingerprint:SHA-1 " + ":".join(["BB"] * 20)
    assert told(GW_007, chat_call(on_iq(sha1))).rows == [("not-assessed", "N-H248", 1)]
    assert told(GW_007, chat_call(on_iq("BB", port=9999))).rows == [("not-assessed", "N-H248", 1)]


def test_an_edge_line_without_gateway_control_is_not_assessed(told) -> None:
    assert told(GW_007, chat_call()).rows == [("not-assessed", "N-H248", 1)]


def test_a_line_that_is_not_protected_to_the_edge_is_no_object_without_gateway_control(told) -> None:
    assert told(GW_007, chat_call(offer=chat(edge=False))).rows == []


# --- IMS-GW-004 -----------------------------------------------------------------------------------


def hops(*, core_key: str | None = None, edge: bool = True, core: bool = True) -> list[build.Packet]:
    """One call on the access and, behind the P-CSCF, in the core."""
    attributes = (build.crypto("ue"), *(("a=3ge2ae:requested",) if edge else ()))
    access = build.Dialog(caller=UE, callee=P_CSCF)
    packets = [
        build.call(
            build.sdp("192.0.2.10", build.audio(4000, "RTP/SAVP", *attributes)),
            build.sdp("192.0.2.40", build.audio(5000, "RTP/SAVP", build.crypto("agw"))),
            dialog=access,
        )
    ]
    if core:
        far = build.Dialog(caller=P_CSCF, callee=S_CSCF, via=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa",))
        offer = (
            build.sdp("192.0.2.40", build.audio(6000))
            if core_key is None
            else build.sdp("192.0.2.40", build.audio(6000, "RTP/SAVP", build.crypto(core_key)))
        )
        script = [
            (0.05, far.request("INVITE", offer, headers=CHARGING), True),
            (0.4, far.response(200, "OK", build.sdp("192.0.2.50", build.audio(7000)), headers=CHARGING), False),
        ]
        packets.append(build.carry(far, script))
    return build.in_time_order(*packets)


def test_the_key_of_the_access_in_the_core(told) -> None:
    """The catalogue's trigger."""
    result = told(GW_004, hops(core_key="ue"))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert [each.frame for each in finding.evidence] == [1, 3]
    assert build.crypto("ue").partition("inline:")[2] not in repr(finding)
    assert result.rows == [("violation", "", 1)]


def test_a_core_in_clear_or_with_its_own_key_passes(told) -> None:
    assert told(GW_004, hops()).rows == [("pass", "", 1)]
    assert told(GW_004, hops(core_key="other")).rows == [("pass", "", 1)]


def test_keys_that_are_end_to_end_are_passed_on_by_design(told) -> None:
    """The catalogue's near miss."""
    assert told(GW_004, hops(core_key="ue", edge=False)).rows == []


def test_without_the_core_it_is_not_assessed(told) -> None:
    assert told(GW_004, hops(core=False)).rows == [("not-assessed", "N-CORE", 1)]


# --- IMS-GW-014 -----------------------------------------------------------------------------------

LEFT, RIGHT = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
IN, OUT = ("192.0.2.40", 6000), ("192.0.2.41", 7000)


def anchored(*, changed: bool = False, both: bool = True, proto: str = "RTP/SAVP") -> list[build.Packet]:
    """A call from end to end over a gateway that anchors its media: both sides have the keys of the ends."""
    access, far = build.Dialog(caller=UE, callee=P_CSCF), build.Dialog(caller=P_CSCF, callee=("198.51.100.20", 5060))
    key = {name: (build.crypto(name),) if proto == "RTP/SAVP" else () for name in ("left", "right")}
    legs = [
        build.call(
            build.sdp(LEFT[0], build.audio(LEFT[1], proto, *key["left"])),
            build.sdp(IN[0], build.audio(IN[1], proto, *key["right"])),
            dialog=access,
        ),
        build.call(
            build.sdp(OUT[0], build.audio(OUT[1], proto, *key["left"])),
            build.sdp(RIGHT[0], build.audio(RIGHT[1], proto, *key["right"])),
            dialog=far, at=0.02,
        ),
    ]  # fmt: skip
    media = [build.rtp_stream(LEFT, IN, 0xA, build.speech(200), srtp=build.Srtp(build.master_key("left")))]
    if both:
        again = build.Srtp(build.master_key("gateway" if changed else "left"))
        media.append(build.rtp_stream(OUT, RIGHT, 0xA, build.speech(200), at=1.004, srtp=again))
    return build.in_time_order(*legs, *media)


def test_srtp_that_is_encrypted_anew_on_the_way(told) -> None:
    result = profiled(GW_014, anchored(changed=True))
    (finding,) = result[0]
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "strong")
    assert "pairs differ" in finding.message
    assert result[1] == [("violation", "", 1)]


def profiled(rule: str, packets: list[build.Packet], profile: str = "auto"):
    audit = build.audit_bytes(build.pcap(packets), profile=profile)
    assert not [note for note in audit.notes if "failed" in note.text]
    rows = [(row.outcome, row.gap, row.subjects) for row in audit.assessments if row.rule == rule]
    return [each for each in audit.findings if each.rule == rule], rows


def test_srtp_that_is_forwarded_as_it_comes_passes() -> None:
    assert profiled(GW_014, anchored())[1] == [("pass", "", 1)]


def test_one_side_alone_is_not_assessed() -> None:
    assert profiled(GW_014, anchored(both=False))[1] == [("not-assessed", "N-CORE", 1)]


def test_calls_in_clear_and_to_the_edge_are_no_object() -> None:
    assert profiled(GW_014, anchored(proto="RTP/AVP"))[1] == []
    assert profiled(GW_014, anchored(changed=True), profile="e2ae")[1] == []


def tls_call(*, same: bool) -> list[build.Packet]:
    """A chat keyed end to end, whose TLS both sides of a gateway show."""

    def body(address: str, port: int, setup: str) -> bytes:
        return build.sdp(
            address, build.media("message", port, "TCP/TLS/MSRP", "*", fingerprint("AB"), f"a=setup:{setup}")
        )

    access, far = build.Dialog(caller=UE, callee=P_CSCF), build.Dialog(caller=P_CSCF, callee=("198.51.100.20", 5060))
    legs = [
        build.call(body(LEFT[0], LEFT[1], "active"), body(IN[0], IN[1], "passive"), dialog=access),
        build.call(body(OUT[0], OUT[1], "active"), body(RIGHT[0], RIGHT[1], "passive"), dialog=far, at=0.02),
    ]
    sessions = [
        build.tls_session(LEFT, IN, 0x009C, at=1.0, offered=(0x009C,)),
        build.tls_session(OUT, RIGHT, 0x009C, at=1.1, offered=(0x009C,) if same else (0x009D, 0x009C)),
    ]
    if not same:
        sessions[1] = [(at, data.replace(b"c" * 32, b"d" * 32)) for at, data in sessions[1]]
    return build.in_time_order(*legs, *sessions)


@pytest.mark.parametrize(("same", "verdict"), [(True, "pass"), (False, "violation")])
def test_a_client_hello_on_both_sides(same: bool, verdict: str) -> None:
    """The catalogue's trigger and near miss."""
    assert profiled(GW_014, tls_call(same=same), profile="e2e-kms")[1] == [(verdict, "", 1)]
