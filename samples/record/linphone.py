"""Configuration and driving of linphone's command-line user agent (5.1.65 of Debian 12)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import speech
from lab import HOSTS, say

if TYPE_CHECKING:
    from lab import Lab, Process


OTHER_CODECS = (("opus", 48000, 2), ("speex", 16000, 1), ("speex", 8000, 1), ("G729", 8000, 1))
G711 = "".join(
    f"[audio_codec_{number}]\nmime={name}\nrate={rate}\nchannels={channels}\nenabled=0\n"
    for number, (name, rate, channels) in enumerate(OTHER_CODECS)
)


def start(lab: Lab, host: str, encryption: str, transport: str = "udp", only_g711: bool = False) -> Process:
    """Start one user agent; encryption is none, srtp, dtls or zrtp; host b answers calls by itself.

    With `only_g711` it offers no codec of variable rate, and packets of 60 ms.
    """
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
        f"[net]\nfirewall_policy=0\n[video]\nenabled=0\n[rtp]\naudio_rtp_port={7078 if host == 'a' else 7178}\n"
        + ("upload_ptime=60\n" + G711 if only_g711 else "")
    )
    answers = ["-a"] if host == "b" else []
    agent = lab.start(
        host, "linphonec", "-c", str(folder / "rc"), *answers,
        environment={"HOME": str(folder)}, log=f"linphone-{host}.log", folder=folder,
    )  # fmt: skip
    time.sleep(2.0)
    say(agent, "soundcard use files\n")
    return agent


def call(lab: Lab, alice: Process, bob: Process, uri: str, seconds: float) -> None:
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
