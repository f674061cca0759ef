"""MIKEY messages that GStreamer makes from SRTP caps open to the keys that it was given.

GStreamer builds through its introspected library, in a Python that has `gi`. Its messages neither encrypt nor
authenticate, and hold key and salt in one TEK.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from dissectors.mikey.carriage import from_base64
from dissectors.mikey.layers import MIKEY
from imsinspect.keys.mikey import MikeySecrets, Sent, open_messages

if TYPE_CHECKING:
    from collections.abc import Callable

_PYTHON = "/usr/bin/python3"  # the interpreter that distributions package gi for

_BUILDER = r"""
import json, sys
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp
Gst.init(None)
built = []
for caps, sessions in json.load(sys.stdin):
    message = GstSdp.MIKEYMessage.new_from_caps(Gst.Caps.from_string(caps))
    for policy, ssrc, roc in sessions:
        message.add_cs_srtp(policy, ssrc, roc)
    built.append(message.base64_encode())
json.dump(built, sys.stdout)
"""

KEY = bytes(range(0x50, 0x50 + 46))
KINDS = [
    # cipher, authentication, octets of key and of salt, suite, SRTP tag as it is used
    ("aes-128-icm", "hmac-sha1-80", 16, 14, "AES_CM_128_HMAC_SHA1_80"),
    ("aes-256-icm", "hmac-sha1-80", 32, 14, "AES_256_CM_HMAC_SHA1_80"),
    ("aes-128-gcm", "null", 16, 12, "AEAD_AES_128_GCM"),
    ("aes-256-gcm", "null", 32, 12, "AEAD_AES_256_GCM"),
]
SESSIONS = [(0, 0x12345678, 7), (0, 0xCAFEBABE, 0)]


def built(peer: Callable[[str], str], wanted: list[tuple[str, list[tuple[int, int, int]]]]) -> list[bytes]:
    """The octets of the messages that GStreamer makes; without it the test is skipped."""
    python = peer(_PYTHON)
    probe = "import gi; gi.require_version('GstSdp', '1.0'); from gi.repository import GstSdp"
    if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip("the SDP library of GStreamer with its introspection is not installed")
    done = subprocess.run(
        [python, "-c", _BUILDER], input=json.dumps(wanted), capture_output=True, text=True, check=True, timeout=60
    )
    found = [from_base64(text.encode()) for text in json.loads(done.stdout)]
    assert None not in found
    return [one for one in found if one is not None]


def test_messages_of_gstreamer_open_to_the_keys_it_was_given(peer: Callable[[str], str]) -> None:
    wanted = []
    for cipher, auth, key, salt, _ in KINDS:
        caps = (
            f"application/x-srtp, ssrc=(uint)305419896, roc=(uint)7, srtp-key=(buffer){KEY[: key + salt].hex()}, "
            f"srtp-cipher=(string){cipher}, srtp-auth=(string){auth}, "
            f"srtcp-cipher=(string){cipher}, srtcp-auth=(string){auth}"
        )
        wanted.append((caps, SESSIONS))
    messages = built(peer, wanted)
    assert len(messages) == len(KINDS)
    found = open_messages([Sent(MIKEY(octets), octets) for octets in messages], MikeySecrets())
    for one, (_, _, key, salt, suite) in zip(found, KINDS, strict=True):
        assert (one.mac.verified, str(one.mac), one.opened) == (None, "is NULL", True)
        assert one.readings == ("the TEK holds key and salt in one field",)
        assert [(each.type, each.key) for each in one.keys] == [("TEK", KEY[: key + salt])]
        assert [(each.tek, each.salt) for each in one.sessions] == [(KEY[:key], KEY[key : key + salt])] * 2
        assert [(each.cs_id, each.ssrc, each.roc, each.sender) for each in one.sessions] == [
            (1, 0x12345678, 7, "initiator"),
            (2, 0xCAFEBABE, 0, "initiator"),
        ]
        assert {each.policy.suite for each in one.sessions if each.policy is not None} == {suite}
