"""Records calls inside ESP anew: `python tests/recordings/record_esp.py [--to FOLDER] [NAME …]`.

Needs root and Linux, from Debian 12 baresip-core, strongswan-charon, strongswan-swanctl, libcharon-extra-plugins,
libstrongswan-extra-plugins, libstrongswan-standard-plugins, iproute2, ethtool, tcpdump and wireshark-common (editcap).
Two baresip signal through strongSwan's userland ESP, a UDP-encapsulated tunnel, and send their SRTP beside it, as a UE
does. charon's log gives the keys for the key file beside the recording. README.md says what each recording is.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "samples" / "record"))

import baresip  # noqa: E402
import strongswan  # noqa: E402
from lab import Lab, keep  # noqa: E402

LOGGED = " filelog { stderr { default = 1\n chd = 4\n } }\n}\n"  # level 4 prints keys
KEY = re.compile(r"(encryption|integrity) (initiator|responder) key => \d+ bytes @ \w+((?:\n\d+\[CHD\] +\d+: .*)+)")
SPI = re.compile(r"adding (inbound|outbound) ESP SA\n\d+\[CHD\] +SPI (0x[0-9a-f]+)")
HEX = re.compile(r": ((?:[0-9A-F]{2} )+)")

RECORDINGS: dict[str, tuple[str, str, str]] = {
    "esp-aes128-sha1": ("aes128-sha1", "aes-cbc", "hmac-sha1-96"),
    "esp-aes256-sha256": ("aes256-sha256", "aes-cbc", "hmac-sha256-128"),
    "esp-aes128gcm16": ("aes128gcm16", "aes-gcm", ""),
    "esp-null-sha1": ("null-sha1", "null", "hmac-sha1-96"),
}
"""strongSwan's proposal, and the algorithms as a key file names them."""


def connect(lab: Lab, proposal: str) -> None:
    """Bring up the association with daemons that log their keys; the inner addresses get an interface."""
    write = Path.write_text

    def with_log(path: Path, text: str, *more: object) -> int:
        if path.name == "strongswan.conf":
            text = text.rstrip().removesuffix("}") + LOGGED
        return write(path, text, *more)  # type: ignore[arg-type]

    Path.write_text = with_log  # type: ignore[method-assign, assignment]
    try:
        strongswan.connect(lab, proposal)
    finally:
        Path.write_text = write  # type: ignore[method-assign]
    for host, address in strongswan.INNER.items():  # baresip takes no address of the loopback
        lab.inside(host, "ip", "addr", "add", f"{address}/32", "dev", "ipsec0")


def key_rows(log: str, encryption: str, integrity: str) -> list[dict[str, str]]:
    """What host a's daemon, the initiator, logged, as rows of a key file."""
    keys = {(kind, side): bytes.fromhex("".join(HEX.findall(dump))).hex() for kind, side, dump in KEY.findall(log)}
    spis = dict(SPI.findall(log))
    rows = []
    for way, side in (("outbound", "initiator"), ("inbound", "responder")):
        row = {"spi": spis[way], "encryption": encryption}
        if encryption != "null":
            row["encryption_key"] = keys["encryption", side]
        if integrity:
            row |= {"integrity": integrity, "integrity_key": keys["integrity", side]}
        rows.append(row)
    return rows


def record(name: str, folder: Path) -> str:
    """Record one call; returns a line about it."""
    proposal, encryption, integrity = RECORDINGS[name]
    with Lab() as lab:
        connect(lab, proposal)
        baresip.HOSTS = {host: (address, "") for host, address in strongswan.INNER.items()}
        alice, bob = (baresip.configure(lab, host, "srtp-mand", ptime=40) for host in "ab")
        for each in (alice, bob):
            for file, old, new in (("config", "g711.so", "gsm.so"), ("accounts", "PCMU/8000/1;ptime=40", "GSM/8000/1")):
                (each / file).write_text((each / file).read_text().replace(old, new))
        capture = lab.capture(only="udp")
        baresip.start_answerer(lab, bob, 10)
        baresip.call(lab, alice, 2, f"sip:bob@{strongswan.INNER['b']}")
        time.sleep(1.0)
        lab.stop(capture, signal.SIGINT)
        target = folder / f"{name}.pcapng"
        keep(lab.work / "raw.pcap", target)
        rows = key_rows(lab.log("charon-a.log"), encryption, integrity)
        (folder / f"{name}.keys.json").write_text(json.dumps({"esp": rows}, indent=2) + "\n")
    return f"{name}: {target.stat().st_size} octets"


def main() -> None:
    """Record those that are named, or all."""
    parser = argparse.ArgumentParser(description="Record the ESP calls of tests/recordings anew.")
    parser.add_argument("--to", type=Path, default=HERE)
    parser.add_argument("names", nargs="*", default=list(RECORDINGS))
    arguments = parser.parse_args()
    for name in arguments.names:
        print(record(name, arguments.to), flush=True)


if __name__ == "__main__":
    main()
