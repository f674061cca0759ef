"""Every message of every capture at hand is built from its layers' fields as it was sent, and shown without trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from dissectors.binary import notes
from dissectors.catalog import CATALOG, layer
from dissectors.tls.layers import handshake
from dissectors.tree import tree
from imsinspect.capture.errors import CaptureError
from imsinspect.capture.raw_frames import raw_frames
from imsinspect.look import look
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests.dissectors.caches import without_caches
from tests.truth import captures

SAMPLES = Path(__file__).parents[2] / "samples"
FILES = [*sorted(path for path in SAMPLES.iterdir() if path.suffix in (".pcap", ".pcapng")), *captures()]
SIP_MESSAGES = 400  # of one file; tests/dissectors/sip/test_recorded.py goes through all that differ
FRAMES = 60  # of one file, all of whose layers are looked at


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_messages_are_built_as_they_were_sent(path: Path) -> None:
    sip = 0
    for found in found_messages([scan(str(path), 0)]):
        sip += found.kind == "sip"
        if found.kind == "sip" and sip > SIP_MESSAGES:
            continue
        if found.kind in ("tls-handshake", "dtls-handshake"):
            dtls = found.kind == "dtls-handshake"
            packet = handshake(found.octets, found.cipher_suite, found.version, dtls=dtls)
        elif found.kind in CATALOG:
            packet = layer(found.kind)(found.octets)
        else:
            continue
        assert bytes(without_caches(packet)) == found.octets
        assert tree(packet).length == len(found.octets)
        assert isinstance(notes(packet), list)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_frames_are_shown_to_their_last_octet(path: Path) -> None:
    try:
        there = raw_frames(str(path), range(1, FRAMES + 1))
    except CaptureError:
        pytest.skip("no capture that can be read")
    for frame in look(str(path), sorted(there)):
        assert frame.node.length == len(frame.octets) == len(there[frame.number].octets)
