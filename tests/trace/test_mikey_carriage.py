"""What carried a MIKEY message that stands in no session description of SIP."""

from __future__ import annotations

from pathlib import Path

from imsinspect.pipeline import audit
from imsinspect.trace.model import Protection
from tests import build, mikey

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def test_a_message_knows_its_transport() -> None:
    (call_less,) = build.audit_bytes(
        build.pcap([(0.0, build.udp(("192.0.2.10", 2269), ("203.0.113.99", 2269), mikey.init().octets()))])
    ).trace.mikey
    assert (call_less.carrier, call_less.transport, call_less.protection) == ("udp", "udp", Protection.CLEAR)
    found = audit([str(SAMPLES / "mikey-rtsp.pcapng")]).trace.mikey
    assert {(each.carrier, each.transport) for each in found} == {("rtsp", "tcp")}
