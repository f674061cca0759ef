"""Records every call of this folder anew from real peers: `python tests/recordings/record.py [--to FOLDER] [NAME …]`.

Needs root and Linux, from Debian 12 baresip-core, linphone-cli, iproute2, ethtool, tcpdump, wireshark-common (editcap),
openssl and gcc with libc6-dev (peer_shim.c), and in the Python that runs it aiortc with NumPy and PyAV. Everything
happens in network namespaces of its own (samples/record/lab.py). README.md says what each recording is.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "samples" / "record"))

import baresip  # noqa: E402
import linphone  # noqa: E402
from frames import datagram, rewrite  # noqa: E402
from lab import HOSTS, Lab, keep, run, say  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Process

SHIM = "peer_shim.so"
SIP_PORT = 5060
AT_ONCE = 3
CONTROL = 4444  # baresip's ctrl_tcp, on the namespace's own loopback


@dataclass(frozen=True)
class Wanted:
    """One recording: who talks, and how it differs from that program's usual call."""

    peer: str
    mediaenc: str = ""
    environment: dict[str, str] = field(default_factory=dict)  # of peer_shim.c
    mux: bool = False
    ipv6: bool = False
    hold: bool = False
    late: int = 0  # media packets of each direction that are left out at the start
    without_start: bool = False  # the first INVITE and all before the re-INVITE are left out
    suites: str = ""  # linphone: srtp_crypto_suites
    profile: str = ""  # aiortc: OpenSSL's name
    codec: str = "GSM"  # of baresip: its packets are small
    more: tuple[str, ...] = ()

    @property
    def key_log(self) -> bool:
        """Whether keys come from DTLS."""
        return self.peer == "aiortc" or "dtls" in self.mediaenc


def _baresip(mediaenc: str = "srtp-mand", **more: object) -> Wanted:
    return Wanted("baresip", mediaenc, **more)  # type: ignore[arg-type]


def _linphone(suites: str) -> Wanted:
    return Wanted("linphone", "srtp", suites=suites)


def _dtls(profile: str) -> Wanted:
    return _baresip("dtls_srtp", environment={"SHIM_SRTP_PROFILES": profile})


RECORDINGS: dict[str, Wanted] = {
    "baresip-sdes-cm-80": _baresip(codec="PCMU"),
    "baresip-sdes-cm-32": _baresip(environment={"SHIM_SDES_SUITE": "AES_CM_128_HMAC_SHA1_32"}),
    "baresip-sdes-gcm-128": _baresip(environment={"SHIM_SDES_SUITE": "AEAD_AES_128_GCM"}),
    "baresip-sdes-gcm-256": _baresip(environment={"SHIM_SDES_SUITE": "AEAD_AES_256_GCM"}),
    "baresip-sdes-mux": _baresip("srtp-mandf", mux=True),
    "baresip-sdes-ipv6": _baresip("srtp", ipv6=True),
    "baresip-sdes-hold": _baresip(hold=True),
    "baresip-sdes-mid-call": _baresip(hold=True, without_start=True, environment={"SHIM_FIRST_SEQ": "65500"}),
    "baresip-sdes-rollover": _baresip(late=60, environment={"SHIM_FIRST_SEQ": "65500"}),
    "baresip-dtls-cm-80": _dtls("SRTP_AES128_CM_SHA1_80"),
    "baresip-dtls-cm-32": _dtls("SRTP_AES128_CM_SHA1_32"),
    "baresip-dtls-gcm-128": _dtls("SRTP_AEAD_AES_128_GCM"),
    "baresip-dtls-gcm-256": _dtls("SRTP_AEAD_AES_256_GCM"),
    "baresip-dtls-mux": _baresip("dtls_srtp", mux=True),
    "linphone-sdes-cm-80": _linphone("AES_CM_128_HMAC_SHA1_80"),
    "linphone-sdes-cm-32": _linphone("AES_CM_128_HMAC_SHA1_32"),
    "linphone-sdes-256-cm-80": _linphone("AES_256_CM_HMAC_SHA1_80"),
    "linphone-sdes-256-cm-32": _linphone("AES_256_CM_HMAC_SHA1_32"),
    "linphone-sdes-unencrypted-srtp": _linphone("AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTP"),
    "linphone-sdes-unencrypted-srtcp": _linphone("AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTCP"),
    "linphone-sdes-unauthenticated": _linphone("AES_CM_128_HMAC_SHA1_80 UNAUTHENTICATED_SRTP"),
    "linphone-sdes-unencrypted": _linphone("AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTCP UNENCRYPTED_SRTP"),
    "linphone-sdes-unauthenticated-32": _linphone("AES_CM_128_HMAC_SHA1_32 UNAUTHENTICATED_SRTP"),
    "linphone-dtls-cm-80": Wanted("linphone", "dtls", {"SHIM_SRTP_PROFILE": "1"}),
    "linphone-dtls-cm-32": Wanted("linphone", "dtls", {"SHIM_SRTP_PROFILE": "2"}),
    "linphone-calls-baresip-cm-32": Wanted("linphone calls baresip", "srtp-mand", suites="AES_CM_128_HMAC_SHA1_32"),
    "aiortc-cm-80": Wanted("aiortc", profile="SRTP_AES128_CM_SHA1_80"),
    "aiortc-gcm-128": Wanted("aiortc", profile="SRTP_AEAD_AES_128_GCM"),
    "aiortc-gcm-256": Wanted("aiortc", profile="SRTP_AEAD_AES_256_GCM"),
    "aiortc-video": Wanted("aiortc", profile="SRTP_AES128_CM_SHA1_80", more=("video",)),
    "aiortc-rollover": Wanted("aiortc", profile="SRTP_AEAD_AES_128_GCM", more=("first=65500",), late=60),
}


def shim(folder: Path) -> Path:
    """Compile peer_shim.c."""
    made = folder / SHIM
    run("gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(made), str(HERE / "peer_shim.c"), "-ldl")
    return made


# --- baresip --------------------------------------------------------------------------------------


def _change(file: Path, *replacements: tuple[str, str], more: str = "") -> None:
    text = file.read_text()
    for old, new in replacements:
        if old not in text:
            raise ValueError(f"{file.name} has no {old!r}")
        text = text.replace(old, new)
    file.write_text(text + more)


def _configured(lab: Lab, host: str, wanted: Wanted) -> Path:
    folder = baresip.configure(lab, host, wanted.mediaenc, ptime=40)
    if wanted.codec == "GSM":
        _change(folder / "config", ("g711.so", "gsm.so"))
        _change(folder / "accounts", ("PCMU/8000/1;ptime=40", "GSM/8000/1"))
    if wanted.mux:
        _change(folder / "config", ("rtcp_mux no", "rtcp_mux yes"))
    if wanted.hold:
        _change(folder / "config", more=f"module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{CONTROL}\n")
    return folder


def _command(lab: Lab, name: str) -> None:
    """Tell alice's baresip a command by a netstring."""
    told = json.dumps({"command": name})
    program = (
        "import socket,sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 3); "
        "s.sendall(sys.argv[2].encode()); s.settimeout(3); s.recv(4096)"
    )
    lab.inside("a", sys.executable, "-c", program, str(CONTROL), f"{len(told)}:{told},")


def record_baresip(lab: Lab, wanted: Wanted, environment: dict[str, str]) -> None:
    """Two baresip; with `hold`, alice holds the call and takes it up again."""
    alice, bob = (_configured(lab, host, wanted) for host in "ab")
    uri = f"sip:bob@[{HOSTS['b'][1]}]" if wanted.ipv6 else f"sip:bob@{HOSTS['b'][0]}"
    seconds = 8 if wanted.hold else 6  # the first sender reports come after 5
    baresip.start_answerer(lab, bob, seconds + 4, environment)
    if not wanted.hold:
        baresip.call(lab, alice, seconds, uri, environment)
        return
    arguments = ["baresip", "-f", str(alice), "-s", "-t", str(seconds), "-e", f"/dial {uri}"]
    process = lab.start("a", *arguments, environment=environment, log="alice.log")
    time.sleep(2.0)
    _command(lab, "hold")
    time.sleep(1.0)
    _command(lab, "resume")
    process.wait(timeout=seconds + 15)


# --- linphone -------------------------------------------------------------------------------------


def _linphone_agent(lab: Lab, host: str, wanted: Wanted, environment: dict[str, str]) -> Process:
    """linphone.start, with more settings and the shim."""
    plain = lab.start

    def start(at: str, *command: str, **more: object) -> Process:
        settings = f"[sip]\nsrtp_crypto_suites={wanted.suites}\n" if wanted.suites else "[sip]\n"
        changes = [("[sip]\n", settings)]
        if "UNENCRYPTED" in wanted.suites:  # which it offers only where encryption is left to the peer
            changes.append(("media_encryption_mandatory=1", "media_encryption_mandatory=0"))
        _change(lab.work / f"linphone-{at}" / "rc", *changes)
        more["environment"] = {**more["environment"], **environment}  # type: ignore[dict-item]
        return plain(at, *command, **more)  # type: ignore[arg-type]

    lab.start = start  # type: ignore[method-assign,assignment]
    try:
        return linphone.start(lab, host, wanted.mediaenc, only_g711=True)
    finally:
        lab.start = plain  # type: ignore[method-assign]


def record_linphone(lab: Lab, wanted: Wanted, environment: dict[str, str]) -> None:
    """Two linphone, both playing a file."""
    bob = _linphone_agent(lab, "b", wanted, environment)
    alice = _linphone_agent(lab, "a", wanted, environment)
    _linphone_call(lab, alice, (alice, bob))


def _reports(raw: Path) -> set[str]:
    """The hosts of which the capture holds a datagram that may be an RTCP sender report."""
    seen: set[str] = set()

    def look(frame: bytes) -> None:
        found = datagram(frame)
        if found is not None and found.payload[:2] in (b"\x80\xc8", b"\x81\xc8"):
            seen.add(found.source)

    rewrite(raw, raw.with_suffix(".look"), look)
    return seen


def _linphone_call(lab: Lab, alice: Process, agents: tuple[Process, ...]) -> None:
    """Alice calls bob; linphone's agents play their files; alice hangs up when both sides have sent RTCP."""
    say(alice, f"call sip:bob@{HOSTS['b'][0]}\n")
    time.sleep(1.5)
    for agent, host in zip(agents, HOSTS, strict=False):
        say(agent, f"play {lab.work / f'linphone-{host}' / 'speech.wav'}\n")
    for _ in range(40):
        time.sleep(0.3)
        if len(_reports(lab.work / "raw.pcap")) == len(HOSTS):
            break
    say(alice, "terminate\n")
    time.sleep(1.5)
    for agent in agents:
        say(agent, "quit\n")
    time.sleep(1.0)


def record_mixed(lab: Lab, wanted: Wanted, environment: dict[str, str]) -> None:
    """linphone calls baresip, which takes the suite that it is offered."""
    baresip.start_answerer(lab, baresip.configure(lab, "b", wanted.mediaenc, ptime=40), 20)
    alice = _linphone_agent(lab, "a", Wanted("linphone", "srtp", suites=wanted.suites), environment)
    _linphone_call(lab, alice, (alice,))


# --- aiortc ---------------------------------------------------------------------------------------


def record_aiortc(lab: Lab, wanted: Wanted, environment: dict[str, str]) -> None:
    """Two aiortc in one process on host a's own address."""
    script, key_log = str(HERE / "webrtc_call.py"), environment["SHIM_KEYLOG"]
    arguments = [sys.executable, script, HOSTS["a"][0], "3", wanted.profile, key_log, *wanted.more]
    process = lab.start("a", *arguments, log="alice.log")
    if process.wait(timeout=60):
        raise RuntimeError(lab.log("alice.log"))


RECORDERS: dict[str, Callable[[Lab, Wanted, dict[str, str]], None]] = {
    "baresip": record_baresip,
    "linphone": record_linphone,
    "linphone calls baresip": record_mixed,
    "aiortc": record_aiortc,
}


# --- what is kept ---------------------------------------------------------------------------------


def _without_start(raw: Path, late: int, without_start: bool) -> None:
    """Leave out what a capture that began later would not have: see Wanted."""
    seen: dict[tuple[str, int], int] = {}
    begun = not without_start

    def change(frame: bytes) -> bytes | None:
        nonlocal begun
        found = datagram(frame)
        if found is None:
            return frame
        if SIP_PORT in (found.source_port, found.destination_port):
            # Only an INVITE within the dialog has a tag in To.
            line = next((x for x in found.payload.split(b"\r\n") if x.lower().startswith(b"to:")), b"")
            begun = begun or (found.payload.startswith(b"INVITE ") and b"tag=" in line)
            return frame if begun else None
        if not begun:
            return None
        if found.payload[:1] and 128 <= found.payload[0] < 192 and not 192 <= found.payload[1] < 224:
            who = (found.source, found.source_port)
            seen[who] = seen.get(who, 0) + 1
            return None if seen[who] <= late else frame
        return frame

    whole = raw.with_suffix(".whole")
    raw.rename(whole)
    rewrite(whole, raw, change)


def record(name: str, folder: Path, library: Path) -> str:
    """Record one call; returns a line about it."""
    wanted = RECORDINGS[name]
    key_log = folder / f"{name}.keylog"
    with Lab(ipv6=wanted.ipv6) as lab:
        logged = lab.work / "keylog"
        environment = dict(wanted.environment)
        if wanted.peer != "aiortc":
            environment["LD_PRELOAD"] = str(library)
        if wanted.key_log:
            environment["SHIM_KEYLOG"] = str(logged)
        on = "lo" if wanted.peer == "aiortc" else "eth0"
        capture = lab.capture(only="udp", interface=on)
        RECORDERS[wanted.peer](lab, wanted, environment)
        time.sleep(1.0)
        lab.stop(capture, signal.SIGINT)
        raw = lab.work / "raw.pcap"
        if wanted.late or wanted.without_start:
            _without_start(raw, wanted.late, wanted.without_start)
        keep(raw, folder / f"{name}.pcapng")
        if wanted.key_log:
            # Both ends write their secrets, which are the same.
            key_log.write_text("".join(f"{line}\n" for line in dict.fromkeys(logged.read_text().splitlines())))
    return f"{name}: {(folder / f'{name}.pcapng').stat().st_size} octets"


def main() -> None:
    """Record those that are named, or all; some at the same time."""
    parser = argparse.ArgumentParser(description="Record the calls of tests/recordings anew.")
    parser.add_argument("--to", type=Path, default=HERE)
    parser.add_argument("names", nargs="*", default=list(RECORDINGS))
    arguments = parser.parse_args()
    with Lab() as compiling, ThreadPoolExecutor(AT_ONCE) as pool:
        library = shim(compiling.work)
        for line in pool.map(lambda name: record(name, arguments.to, library), arguments.names):
            print(line, flush=True)


if __name__ == "__main__":
    main()
