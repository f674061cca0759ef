"""Every SIP message of the samples, and of the real captures where they are at hand, comes back octet for octet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dissectors.binary import notes
from dissectors.sdp.layer import SDP, SDPCrypto, SDPFingerprint
from dissectors.sip.layer import SIP
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests.dissectors.caches import without_caches
from tests.truth import captures

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.pcap*"))
CAPTURES = captures()
SOUND = {"sdes-srtp", "sip", "dtls-srtp", "rtp"}  # folders of captures whose descriptions nothing is wrong with


def messages(path: Path) -> list[bytes]:
    """The SIP messages of a capture; of those that differ in digits only, one."""
    found = (one.octets for one in found_messages([scan(str(path), 0, None)]) if one.kind == "sip")
    return list({re.sub(rb"[0-9]", b"0", octets): octets for octets in found}.values())


@pytest.mark.parametrize("path", [*SAMPLES, *CAPTURES], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_message_comes_back_from_the_fields_alone(path: Path) -> None:
    for octets in messages(path):
        sip = SIP(octets)
        assert bytes(without_caches(sip)) == octets
        said = [text for text in notes(sip) if text.startswith("SDP")]
        if path in SAMPLES or path.parent.name in SOUND:
            assert said == []


def test_layer_and_lean_parser_agree_on_all_descriptions_of_the_samples() -> None:
    """Keys and fingerprints, line by line."""
    lines = 0
    for path in SAMPLES:
        for octets in messages(path):
            sip = SIP(octets)
            if not isinstance(sip.body, SDP):
                continue
            description = sip.body.description()
            crypto = [one for media in description.media for one in media.crypto]
            shown = [line for line in sip.body.lines if isinstance(line, SDPCrypto)]
            assert [(one.tag, one.crypto_suite) for one in shown] == [(b"%d" % one.tag, one.suite) for one in crypto]
            for line, lean in zip(shown, crypto, strict=True):
                assert [len(key.key_salt) for key in line.key_params] == [key.text_length for key in lean.keys]
            prints = [one for media in description.media for one in media.section.fingerprints(session_level=False)]
            digests = [one.digest for one in (*description.fingerprints, *prints)]
            assert [
                bytes.fromhex(line.fingerprint.decode().replace(":", ""))
                for line in sip.body.lines
                if isinstance(line, SDPFingerprint)
            ] == digests
            lines += len(crypto) + len(digests)
    assert lines > 10
