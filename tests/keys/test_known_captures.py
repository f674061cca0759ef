"""Real captures whose SRTP keys were published beside them verify to their last packet.

They lie beside the project as `shared/captures` on the machines that have them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.pipeline import Options, audit
from tests.keys.scene import proof
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from pathlib import Path

FILE = CAPTURES / "srtp-keys.json"
KEYS: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
PACKETS = {  # SRTP and SRTCP of the SSRCs whose keys are known
    "sdes-srtp/marseillaise-srtp-only.pcap": (11_888, 0),
    "sdes-srtp/webrtc-pcma-p2p-sdes.pcap": (510, 8),
    "sdes-srtp/turn-tcp-srtp.pcap": (1_957, 17),  # in TURN over TCP
    "sdes-srtp/wifi-to-3g-handover.pcap": (518, 5),  # in TURN
}

pytestmark = pytest.mark.skipif(not KEYS, reason="the captures are not at hand")


@pytest.mark.parametrize("selected", [True, False], ids=["by SSRC", "for anyone"])
@pytest.mark.parametrize("name", PACKETS)
def test_every_packet_verifies(tmp_path: Path, name: str, selected: bool) -> None:
    rows = [row if selected else {each: row[each] for each in row if each != "ssrc"} for row in KEYS[name]]
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"srtp": rows}))
    trace = audit([str(CAPTURES / name)], Options(keys=(file,))).trace
    ssrcs = {int(row["ssrc"], 16) for row in KEYS[name]}
    counted = []
    for everyone in (trace.streams, trace.rtcp_sources):
        proofs = [proof(each) for each in everyone if each.ssrc in ssrcs]
        assert all(each.verified == each.packets and not each.unchecked for each in proofs)
        counted.append(sum(each.verified for each in proofs))
    assert tuple(counted) == PACKETS[name]
    assert not trace.keystream_reuse


def test_the_keys_are_all_tried() -> None:
    assert PACKETS.keys() == KEYS.keys() - {"about"}
