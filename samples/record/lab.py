"""A two-host lab in network namespaces, for the recording scripts: start peers, capture, and clean up.

Host `a` has 10.20.0.1 and fd20::1, host `b` has 10.20.0.2 and fd20::2, joined by a veth pair. Nothing reaches another
network. Needs root, iproute2, ethtool, tcpdump and (for pcapng) editcap.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).resolve().parent
HOSTS = {"a": ("10.20.0.1", "fd20::1"), "b": ("10.20.0.2", "fd20::2")}

NUMBERS = itertools.count()

Process = subprocess.Popen[bytes]


def run(*command: str) -> str:
    """Run a command to its end and return its standard output; raises CalledProcessError if it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Lab:
    """The two hosts, a scratch folder (`work`), and everything that was started in them; use it in a `with`."""

    def __init__(self, ipv6: bool = False) -> None:
        self.ipv6 = ipv6
        self.started: list[Process] = []
        unique = f"{os.getpid() % 10**7}-{next(NUMBERS)}"
        self.space = {host: f"ims-rec-{unique}{host}" for host in HOSTS}
        self.link = {host: f"v{unique}{host}" for host in HOSTS}

    def __enter__(self) -> Lab:
        self.scratch = tempfile.TemporaryDirectory(prefix="ims-rec-")
        self.work = Path(self.scratch.name)
        try:
            for space in self.space.values():
                run("ip", "netns", "add", space)
            run("ip", "link", "add", self.link["a"], "type", "veth", "peer", "name", self.link["b"])
            for number, (host, (ip4, ip6)) in enumerate(HOSTS.items(), 1):
                run("ip", "link", "set", self.link[host], "netns", self.space[host])
                self.inside(host, "ip", "link", "set", self.link[host], "name", "eth0")
                # Router solicitations and neighbour probes would be noise in the samples.
                self.inside(host, "sysctl", "-qw", f"net.ipv6.conf.eth0.disable_ipv6={int(not self.ipv6)}")
                self.inside(host, "sysctl", "-qw", "net.ipv6.conf.eth0.router_solicitations=0")
                self.inside(host, "ip", "link", "set", "eth0", "address", f"02:00:00:00:00:0{number}")
                # With transmit offload, packets captured at the sender would have incomplete checksums.
                self.inside(host, "ethtool", "-K", "eth0", "tx", "off")
                self.inside(host, "ip", "link", "set", "lo", "up")
                self.inside(host, "ip", "link", "set", "eth0", "up")
                self.inside(host, "ip", "addr", "add", f"{ip4}/24", "dev", "eth0")
                if self.ipv6:
                    self.inside(host, "ip", "-6", "addr", "add", f"{ip6}/64", "dev", "eth0", "nodad")
                # Some user agents take a host without a default route for one without a network.
                self.inside(host, "ip", "route", "add", "default", "dev", "eth0")
            for host, other in (("a", "b"), ("b", "a")):
                # Neighbours are known from the start: ARP and neighbour discovery would only be noise.
                mac = f"02:00:00:00:00:0{list(HOSTS).index(other) + 1}"
                for address in HOSTS[other][: 1 + self.ipv6]:
                    self.inside(host, "ip", "neigh", "replace", address, "lladdr", mac, "dev", "eth0")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.started):
            self.stop(process)
        for space in self.space.values():
            subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)
        self.scratch.cleanup()

    def inside(self, host: str, *command: str) -> str:
        """Run a command on a host to its end."""
        return run("ip", "netns", "exec", self.space[host], *command)

    def start(
        self,
        host: str,
        *command: str,
        environment: Mapping[str, str] | None = None,
        log: str = "",
        folder: Path | None = None,
    ) -> Process:
        """Start a program on a host; its standard input is a pipe, its output goes to `log` in the scratch folder."""
        with (self.work / (log or f"{len(self.started)}.log")).open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.space[host], *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(self.work), **(environment or {})},
                cwd=folder or self.work,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def stop(self, process: Process, number: int = signal.SIGTERM) -> None:
        """End a program that `start` began, with all that it started itself."""
        for wanted in (number, signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, wanted)
                process.wait(timeout=3)
            except ProcessLookupError:
                process.wait()
            except subprocess.TimeoutExpired:
                continue
            return

    def capture(self, name: str = "raw.pcap", only: str = "ip or ip6", interface: str = "eth0") -> Process:
        """Begin to capture on host a's link, or on `any` as Linux cooked capture v2; end it with `save`."""
        cooked = ["-y", "LINUX_SLL2"] if interface == "any" else []
        process = self.start(
            "a", "tcpdump", "-i", interface, *cooked, "-s0", "-U", "--immediate-mode", "-Z", "root",
            "-w", str(self.work / name), only, log="tcpdump.log",
        )  # fmt: skip
        time.sleep(0.7)
        return process

    def save(self, process: Process, target: Path, name: str = "raw.pcap") -> None:
        """End a capture and write it as the sample; the suffix chooses pcap or pcapng."""
        time.sleep(1.0)
        self.stop(process, signal.SIGINT)
        keep(self.work / name, target)

    def log(self, name: str) -> str:
        """What a program printed so far."""
        return (self.work / name).read_text(errors="replace")


def keep(raw: Path, target: Path) -> None:
    """Copy a recorded pcap to its place; as pcapng without anything about the recording machine."""
    if target.suffix == ".pcapng":
        run("editcap", "-F", "pcapng", "--discard-all-secrets", str(raw), str(target))
    else:
        target.write_bytes(raw.read_bytes())


def certificate(folder: Path, name: str = "lab.test") -> Path:
    """A new self-signed RSA certificate and its key in one file; lab keys, worthless elsewhere."""
    both = folder / f"{name}.pem"
    key, public = folder / f"{name}.key", folder / f"{name}.crt"
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/CN={name}",
        "-keyout", str(key), "-out", str(public),
    )  # fmt: skip
    both.write_text(key.read_text() + public.read_text())
    return both


def say(process: Process, text: str | bytes) -> None:
    """Write to a program's standard input."""
    if process.stdin is not None:
        process.stdin.write(text.encode() if isinstance(text, str) else text)
        process.stdin.flush()


def target(arguments: Sequence[str], name: str) -> Path:
    """Where a recording script writes its sample: samples/NAME, or the folder given as its only argument."""
    folder = Path(arguments[1]) if len(arguments) > 1 else HERE.parent
    return folder.resolve() / name
