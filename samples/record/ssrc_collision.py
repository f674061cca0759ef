"""A clear baresip call into which a third host sends RTP under the caller's own SSRC (scripted) for some seconds.

The third host is 10.20.0.3, a second address on the caller's link. It learns the SSRC by listening, as intruders do.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

import baresip
from lab import HERE, HOSTS, Lab, target

with Lab() as lab:
    lab.inside("a", "ip", "addr", "add", "10.20.0.3/24", "dev", "eth0")
    alice, bob = (baresip.configure(lab, host) for host in "ab")
    capture = lab.capture()
    baresip.start_answerer(lab, bob, 16)
    listening = subprocess.Popen(
        ["ip", "netns", "exec", lab.space["a"], "tcpdump", "-i", "eth0", "-c", "1", "-nxq", "--immediate-mode",
         "-Z", "root", f"src {HOSTS['a'][0]} and udp[8:2]=0x8000 and udp[4:2]=180"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    lab.started.append(listening)
    arguments = ["baresip", "-f", str(alice), "-s", "-t", "10", "-e", "/dial sip:bob@10.20.0.2"]
    caller = lab.start("a", *arguments, log="alice.log")
    seen = listening.communicate(timeout=20)[0].decode()
    port = re.search(r"> 10\.20\.0\.2\.(\d+):", seen)
    packet = bytes.fromhex("".join(re.findall(r"0x[0-9a-f]{4}:\s+(.*)", seen)).replace(" ", ""))
    if port is None:
        raise SystemExit("no media heard")
    ssrc = packet[28 + 8 : 28 + 12].hex()
    time.sleep(1.0)
    lab.start(
        "a", sys.executable, str(HERE / "rtp_sender.py"), "10.20.0.3", "41000", HOSTS["b"][0], port[1], ssrc, "6.5"
    )
    caller.wait(timeout=30)
    lab.save(capture, target(sys.argv, "ssrc-collision.pcapng"))
