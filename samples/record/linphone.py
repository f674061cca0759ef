"""Configuration and driving of linphone's command-line user agent (5.1.65 of Debian 12)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import speech
from lab import HOSTS, say

if TYPE_CHECKING:
    import subprocess

    from lab import Lab


def start(lab: Lab, host: str, encryption: str, transport: str = "udp") -> subprocess.Popen[bytes]:
    """Start one user agent; encryption is none, srtp, dtls or zrtp; host b answers calls by itself."""
    folder = lab.work / f"linphone-{host}"
    for part in (".local/share/linphone", ".config/linphone"):
        (folder / part).mkdir(parents=True)
    speech.write_wave(folder / "speech.wav", pitch=180 if host == "a" else 120)
    name, address = ("alice" if host == "a" else "bob"), HOSTS[host][0]
    ports = {"udp": -1, "tcp": -1, "tls": -1} | {transport: 5060}
    (folder / "rc").write_text(
        f"[sip]\nsip_port={ports['udp']}\nsip_tcp_port={ports['tcp']}\nsip_tls_port={ports['tls']}\n"
        f"media_encryption={encryption}\nmedia_encryption_mandatory=1\n"
        f"contact=sip:{name}@{address}\nguess_hostname=0\n"
        f"[rtp]\naudio_rtp_port={7078 if host == 'a' else 7178}\n[net]\nfirewall_policy=0\n[video]\nenabled=0\n"
        "[audio_codec_0]\nmime=PCMA\nrate=8000\nchannels=1\nenabled=1\n"
    )
    answers = ["-a"] if host == "b" else []
    agent = lab.start(
        host, "linphonec", "-c", str(folder / "rc"), *answers,
        environment={"HOME": str(folder)}, log=f"linphone-{host}.log", folder=folder,
    )  # fmt: skip
    time.sleep(2.0)
    say(agent, "soundcard use files\n")
    return agent


def call(lab: Lab, alice: subprocess.Popen[bytes], bob: subprocess.Popen[bytes], uri: str, seconds: float) -> None:
    """Call, let both sides play their sound, hang up, and end both programs."""
    say(alice, f"call {uri}\n")
    time.sleep(1.5)
    for agent, host in ((alice, "a"), (bob, "b")):
        say(agent, f"play {lab.work / f'linphone-{host}' / 'speech.wav'}\n")
    time.sleep(seconds)
    say(alice, "terminate\n")
    time.sleep(1.5)
    for agent in (alice, bob):
        say(agent, "quit\n")
    time.sleep(1.0)
