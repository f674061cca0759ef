"""Configuration folders for baresip (1.0.0 of Debian 12), and one recorded call between two of them."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import speech
from lab import HOSTS, Lab, certificate, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMES = {"a": "alice", "b": "bob"}


def configure(lab: Lab, host: str, mediaenc: str = "", ptime: int = 20, options: str = "") -> Path:
    """Write the configuration of one user agent; `mediaenc` as baresip's account option, "" for plain RTP/AVP."""
    folder = lab.work / f"baresip-{host}"
    folder.mkdir()
    speech.write_wave(folder / "speech.wav", pitch=180 if host == "a" else 120)
    both = certificate(folder, f"{NAMES[host]}.lab.test")
    ip4, ip6 = HOSTS[host]
    listen = f"[{ip6}]" if lab.ipv6 else ip4
    address = listen
    port = 20000 if host == "a" else 30000
    (folder / "config").write_text(
        f"sip_listen {listen}:5060\nsip_certificate {both}\naudio_player aubridge,nil\n"
        f"audio_source aufile,{folder / 'speech.wav'}\nrtp_ports {port}-{port + 50}\nrtcp_mux no\n"
        "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule aubridge.so\n"
        "module srtp.so\nmodule dtls_srtp.so\nmodule_tmp account.so\nmodule_app menu.so\n"
    )
    secured = f";mediaenc={mediaenc}" if mediaenc else ""
    (folder / "accounts").write_text(
        f"<sip:{NAMES[host]}@{address}{options}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1;ptime={ptime}{secured}\n"
    )
    (folder / "contacts").write_text("")
    return folder


def start_answerer(lab: Lab, folder: Path, seconds: int, environment: Mapping[str, str] | None = None) -> None:
    """Let host b's user agent wait for a call."""
    six = ["-6"] if lab.ipv6 else []
    lab.start("b", "baresip", *six, "-f", str(folder), "-s", "-t", str(seconds), environment=environment, log="bob.log")
    time.sleep(1.0)


def call(
    lab: Lab, folder: Path, seconds: int, uri: str = "sip:bob@10.20.0.2", environment: Mapping[str, str] | None = None
) -> None:
    """Let host a's user agent call for some seconds and hang up; returns when it is gone."""
    six = ["-6"] if lab.ipv6 else []
    dial = ["-e", f"/dial {uri}"]
    arguments = ["baresip", *six, "-f", str(folder), "-s", "-t", str(seconds), *dial]
    process = lab.start("a", *arguments, environment=environment, log="alice.log")
    process.wait(timeout=seconds + 15)


def clear_media(folder: Path) -> dict[str, Path]:
    """Record a clear call of two user agents in a lab of its own; write each side's RTP as a pcap to a folder."""
    with Lab() as lab:
        alice, bob = (configure(lab, host) for host in "ab")
        capture = lab.capture()
        start_answerer(lab, bob, 12)
        call(lab, alice, 8)
        time.sleep(1.0)
        lab.stop(capture, signal.SIGINT)
        result = {}
        for host, (address, _) in HOSTS.items():
            only = f"ip.src=={address} && udp.length==180"
            result[host] = folder / f"media-{host}.pcap"
            run("tshark", "-r", str(lab.work / "raw.pcap"), "-Y", only, "-F", "pcap", "-w", str(result[host]))
        return result
