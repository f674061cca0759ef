"""The notifications that Kamailio sent in the sample are read and make the roster that was published."""

from __future__ import annotations

from pathlib import Path

from scapy.layers.inet import UDP, defragment
from scapy.utils import PcapNgReader

from dissectors.confinfo.layers import ConferenceInfo
from dissectors.confinfo.merge import APPLIED, RosterState, apply
from dissectors.sip.parse import parse

SAMPLE = Path(__file__).parents[3] / "samples" / "conference-notify.pcapng"


def bodies() -> list[bytes]:
    """The bodies of the notifications, in order."""
    with PcapNgReader(str(SAMPLE)) as reader:
        packets = defragment(list(reader))
    datagrams = [bytes(packet[UDP].payload) for packet in packets]
    return [parse(one).body for one in datagrams if one.startswith(b"NOTIFY")]


def test_the_roster_grows_as_it_was_published() -> None:
    first, *others = bodies()
    assert first == b""
    state = RosterState()
    rosters = []
    for body in others:
        packet = ConferenceInfo(body)
        assert bytes(packet) == body
        document = packet.document()
        assert document.notes == ()
        assert document.conference is not None
        assert document.conference.entity == "conf@10.20.0.2"  # Kamailio leaves out the scheme
        state, outcome = apply(state, document.conference)
        assert outcome == APPLIED
        assert state.conference is not None
        rosters.append((state.version, [user.entity for user in state.conference.participants()]))
    two, three = ["sip:alice@lab.test", "sip:bob@lab.test"], ["sip:carol@lab.test"]
    assert rosters == [(2, two), (3, two + three), (4, two + three)]
    assert state.complete
    assert state.conference is not None
    media = [one.ssrc for user in state.conference.participants() for one in user.endpoints[0].media]
    assert media == [0x10001, 0x10002, 0x10003]
