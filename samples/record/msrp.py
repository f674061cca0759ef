"""An MSRP session through a Kamailio relay (AUTH, Use-Path, chunks, REPORT) over TLS with a NULL cipher on both hops.

The relay is 10.20.0.3, a second address on the caller's host; the capture is taken there on all interfaces. On the
loopback interface nobody computes TCP checksums: they are put into the recorded packets.
"""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
import time

import frames
from lab import HERE, HOSTS, Lab, Process, certificate, keep, target

RELAY = "10.20.0.3"
SLL2, LINKTYPE_SLL2 = 20, 276  # octets of a Linux cooked header v2; its link type
SUITE = "NULL-SHA256:@SECLEVEL=0"
CONFIGURATION = f"""#!KAMAILIO
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_accept_no_cl=yes
listen=tls:{RELAY}:2855
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "htable.so"
loadmodule "cfgutils.so"
loadmodule "auth.so"
loadmodule "tls.so"
loadmodule "msrp.so"
modparam("tls", "config", "FOLDER/tls.cfg")
modparam("auth", "qop", "auth")
modparam("htable", "htable", "sessions=>size=4;")
request_route {{ exit; }}
event_route[msrp:frame-in] {{
    msrp_reply_flags("1");
    if (msrp_is_reply()) {{
        if ($msrp(nexthops) > 0) msrp_relay();
    }} else if ($msrp(method) == "AUTH") {{
        if (pv_www_authenticate("lab.test", "lab-secret", "0", "$msrp(method)")) {{
            $var(id) = "s" + $RANDOM + "x" + $RANDOM;
            $sht(sessions=>$var(id)::address) = $msrp(srcaddr);
            $sht(sessions=>$var(id)::socket) = $msrp(srcsock);
            msrp_reply("200", "OK", "Use-Path: msrps://{RELAY}:2855/$var(id);tcp\\r\\nExpires: 900\\r\\n");
        }} else if (auth_get_www_authenticate("lab.test", "1", "$var(challenge)")) {{
            msrp_reply("401", "Unauthorized", "$var(challenge)");
        }}
    }} else if ($msrp(method) == "SEND" || $msrp(method) == "REPORT") {{
        if ($msrp(method) == "SEND") msrp_reply("200", "OK");
        $var(id) = $msrp(sessid);
        if ($si != "{HOSTS["a"][0]}") {{ # from the callee's side: on the connection that the caller opened
            msrp_relay_flags("1");
            msrp_set_dst("$sht(sessions=>$var(id)::address)", "$sht(sessions=>$var(id)::socket)");
        }}
        msrp_relay();
    }} else {{
        msrp_reply("501", "Request-method-not-understood");
    }}
}}
"""


def relay(lab: Lab) -> Process:
    """Start the relay on host a, and wait until it listens."""
    both = certificate(lab.work, "relay.lab.test")
    common = f"method = TLSv1.2\nverify_certificate = no\nrequire_certificate = no\ncipher_list = {SUITE}\n"
    keys = f"private_key = {both.with_suffix('.key')}\ncertificate = {both.with_suffix('.crt')}\n"
    (lab.work / "tls.cfg").write_text(f"[server:default]\n{common}{keys}[client:default]\n{common}{keys}")
    (lab.work / "relay.cfg").write_text(CONFIGURATION.replace("FOLDER", str(lab.work)))
    started = lab.start(
        "a", "kamailio", "-f", str(lab.work / "relay.cfg"), "-DD", "-E", "-Y", str(lab.work), log="relay.log"
    )
    deadline = time.monotonic() + 20
    while ":2855" not in lab.inside("a", "ss", "-ltn"):
        if started.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(lab.log("relay.log"))
        time.sleep(0.2)
    return started


def wait_for(lab: Lab, name: str) -> str:
    """The content of a file that a peer writes."""
    deadline = time.monotonic() + 20
    while not (lab.work / name).exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{name} is missing\n" + "".join(lab.log(log) for log in ("alice.log", "bob.log")))
        time.sleep(0.1)
    time.sleep(0.2)
    return (lab.work / name).read_text()


def with_checksum(frame: bytes) -> bytes:
    """The frame with the right TCP checksum."""
    packet = frame[SLL2:]
    begin = (packet[0] & 15) * 4
    if packet[0] >> 4 != 4 or packet[9] != 6:
        return frame
    segment = packet[begin : begin + 16] + bytes(2) + packet[begin + 18 :]
    total = frames.checksum(packet[12:20] + struct.pack("!BBH", 0, 6, len(segment)) + segment)
    return frame[: SLL2 + begin + 16] + struct.pack("!H", total) + frame[SLL2 + begin + 18 :]


with Lab() as lab:
    lab.inside("a", "ip", "addr", "add", f"{RELAY}/24", "dev", "eth0")
    lab.inside("b", "ip", "neigh", "replace", RELAY, "lladdr", "02:00:00:00:00:01", "dev", "eth0")
    certificate(lab.work, "bob.lab.test")
    relay(lab)
    capture = lab.capture(only="udp or tcp", interface="any")
    peer, agent = str(HERE / "msrp_peer.py"), str(HERE / "sip_peer.py")
    bob = lab.start("b", sys.executable, peer, "bob", HOSTS["b"][0], RELAY, str(lab.work), log="bob.log")
    theirs = wait_for(lab, "bob.uri")
    alice = lab.start("a", sys.executable, peer, "alice", HOSTS["a"][0], RELAY, str(lab.work), log="alice.log")
    wait_for(lab, "a.sdp")
    lab.start("b", sys.executable, agent, "answerer", HOSTS["b"][0], HOSTS["a"][0], str(lab.work / "b.sdp"), "0")
    time.sleep(0.5)
    caller = lab.start("a", sys.executable, agent, "caller", HOSTS["a"][0], HOSTS["b"][0], str(lab.work / "a.sdp"), "8")
    time.sleep(1.0)
    (lab.work / "go.new").write_text(theirs)
    (lab.work / "go.new").rename(lab.work / "go")
    try:
        failed = alice.wait(timeout=20) or bob.wait(timeout=20)
    except subprocess.TimeoutExpired:
        failed = 1
    if failed:
        raise SystemExit("".join(lab.log(log) for log in ("alice.log", "bob.log", "relay.log")))
    caller.wait(timeout=20)
    time.sleep(1.0)
    lab.stop(capture, signal.SIGINT)
    frames.rewrite(lab.work / "raw.pcap", lab.work / "changed.pcap", with_checksum, LINKTYPE_SLL2)
    keep(lab.work / "changed.pcap", target(sys.argv, "msrp-relay.pcapng"))
