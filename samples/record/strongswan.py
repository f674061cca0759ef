"""An ESP association between the two hosts by strongSwan's userland ESP (kernel-libipsec): UDP-encapsulated tunnels.

TS 33.203 knows this form for access through a NAT (mode UDP-enc-tun); the inner addresses are 10.20.1.1 and 10.20.1.2.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab import HOSTS

if TYPE_CHECKING:
    from lab import Lab

INNER = {"a": "10.20.1.1", "b": "10.20.1.2"}
PLUGINS = (
    "random nonce aes md5 sha1 sha2 hmac gcm openssl kdf pem pkcs1 x509 curve25519 "
    "kernel-libipsec kernel-netlink socket-default vici updown"
)


def connect(lab: Lab, proposal: str) -> None:
    """Bring up the association with one ESP proposal, such as `null-sha1` or `aes128gcm16`."""
    for host, other in (("a", "b"), ("b", "a")):
        folder = lab.work / f"charon-{host}"
        folder.mkdir()
        lab.inside(host, "ip", "addr", "add", f"{INNER[host]}/32", "dev", "lo")
        socket = f"unix://{folder}/vici"
        (folder / "strongswan.conf").write_text(
            f"charon {{\n load = {PLUGINS}\n install_virtual_ip = no\n plugins {{ vici {{ socket = {socket} }} }}\n}}\n"
        )
        (folder / "swanctl.conf").write_text(
            f"connections {{ lab {{\n version = 2\n encap = yes\n proposals = aes128-sha256-x25519\n"
            f" local_addrs = {HOSTS[host][0]}\n remote_addrs = {HOSTS[other][0]}\n"
            f" local {{ auth = psk\n id = {host}.lab.test }}\n remote {{ auth = psk\n id = {other}.lab.test }}\n"
            f" children {{ ims {{ mode = tunnel\n esp_proposals = {proposal}\n"
            f"  local_ts = {INNER[host]}/32\n remote_ts = {INNER[other]}/32 }} }} }} }}\n"
            f"secrets {{ ike-lab {{ secret = lab-secret }} }}\n"
        )
        # Each daemon has a /run of its own, as its pid file and sockets have fixed names.
        lab.start(
            host, "unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && exec /usr/lib/ipsec/charon",
            environment={"STRONGSWAN_CONF": str(folder / "strongswan.conf")}, log=f"charon-{host}.log",
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while not (folder / "vici").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        lab.inside(host, "swanctl", "--load-all", "--noprompt", "--uri", socket, "--file", str(folder / "swanctl.conf"))
    lab.inside("a", "swanctl", "--initiate", "--child", "ims", "--uri", f"unix://{lab.work}/charon-a/vici")
