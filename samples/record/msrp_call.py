"""A scripted call with one MSRP line over TLS (a=fingerprint), and the chat by two openssl peers with given suites."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from lab import HERE, HOSTS, Lab, certificate, run
from openssl_pair import PATHS, PORT, chat

if TYPE_CHECKING:
    from pathlib import Path

SETUP = {"a": "active", "b": "passive"}


def sdp(host: str, both: Path) -> str:
    """The SDP of a host whose certificate is in `both`."""
    fingerprint = (
        run("openssl", "x509", "-in", str(both), "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    )
    address = HOSTS[host][0]
    return (
        f"v=0\no=- 1 1 IN IP4 {address}\ns=-\nc=IN IP4 {address}\nt=0 0\nm=message {PORT} TCP/TLS/MSRP *\n"
        f"a=accept-types:text/plain\na=path:{PATHS[host]}\na=setup:{SETUP[host]}\n"
        f"a=fingerprint:SHA-256 {fingerprint}\n"
    )


def record(target: Path, server_suites: str, client_suites: str) -> None:
    """Record the call with the cipher suites that server and client allow (OpenSSL's notation)."""
    with Lab() as lab:
        both = {host: certificate(lab.work, f"{name}.lab.test") for host, name in (("a", "alice"), ("b", "bob"))}
        for host in HOSTS:
            (lab.work / f"{host}.sdp").write_text(sdp(host, both[host]))
        capture = lab.capture(only="udp or tcp")
        agent = str(HERE / "sip_peer.py")
        lab.start("b", sys.executable, agent, "answerer", HOSTS["b"][0], HOSTS["a"][0], str(lab.work / "b.sdp"), "0")
        time.sleep(0.7)
        caller = lab.start(
            "a", sys.executable, agent, "caller", HOSTS["a"][0], HOSTS["b"][0], str(lab.work / "a.sdp"), "5"
        )
        time.sleep(0.7)
        common = ["-tls1_2", "-cipher"]
        chat(
            lab,
            [*common, server_suites, "-cert", str(both["b"]), "-key", str(both["b"]), "-verify", "1"],
            [*common, client_suites, "-cert", str(both["a"]), "-key", str(both["a"])],
        )
        caller.wait(timeout=20)
        lab.save(capture, target)
