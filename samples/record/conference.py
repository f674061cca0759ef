"""Conference notifications by Kamailio (5.6.3 of Debian 12) over UDP: SIPp subscribes, and publishes what is notified.

A roster of two, then one of three after a participant joined, then the end of the subscription.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab import HOSTS, Lab, target
from sipp import ECHO, VIA, send

if TYPE_CHECKING:
    from lab import Process

TABLES = Path("/usr/share/kamailio/db_sqlite")
SUBSCRIBER, PUBLISHER = 5060, 5070

PROXY = """\
debug=2
log_stderror=yes
children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{address}:5060
loadmodule "sl"
loadmodule "tm"
loadmodule "rr"
loadmodule "pv"
loadmodule "textops"
loadmodule "db_sqlite"
loadmodule "presence"
loadmodule "presence_conference"
modparam("presence", "db_url", "sqlite://{database}")
modparam("presence", "server_address", "sip:{address}:5060")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "publ_cache", 0)
request_route {{
    if (is_method("PUBLISH")) {{ handle_publish(); exit; }}
    if (is_method("SUBSCRIBE")) {{ handle_subscribe(); exit; }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""

USER = (
    '<user entity="sip:{name}@lab.test" state="full"><display-text>{shown}</display-text>'
    '<endpoint entity="sip:{name}@192.0.2.{number}" state="full"><status>connected</status>'
    "<joining-method>dialed-in</joining-method>"
    '<media id="1"><type>audio</type><src-id>{ssrc}</src-id><status>sendrecv</status></media></endpoint></user>'
)
BODY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:conf@{address}" state="full"'
    ' version="{version}"><conference-description><subject>lab</subject></conference-description>'
    "<conference-state><user-count>{count}</user-count><active>true</active></conference-state>"
    '<users state="full">{users}</users></conference-info>'
)
NAMES = ("alice", "bob", "carol")


def body(version: int, count: int) -> str:
    """A full state with so many participants."""
    users = "".join(
        USER.format(name=name, shown=name.title(), number=number, ssrc=0x10000 + number)
        for number, name in enumerate(NAMES[:count], 1)
    )
    return BODY.format(address=HOSTS["b"][0], version=version, count=count, users=users)


def request(method: str, name: str, number: int, more: str, content: str = "", tag: str = "") -> str:
    """A request to the conference."""
    uri = "sip:conf@[remote_ip]:[remote_port]"
    typed = "Content-Type: application/conference-info+xml\n" if content else ""
    return (
        f"{method} {uri} SIP/2.0\n{VIA}\nFrom: <sip:{name}@lab.test>;tag=[call_number]{name[0]}\nTo: <{uri}>{tag}\n"
        f"Call-ID: [call_id]\nCSeq: {number} {method}\nContact: <sip:{name}@[local_ip]:[local_port]>\n"
        f"Max-Forwards: 70\nEvent: conference\n{more}\n{typed}Content-Length: [len]\n\n{content}"
    )


def scenario(*steps: str) -> str:
    """A SIPp scenario."""
    return '<?xml version="1.0"?>\n<scenario name="conference">\n' + "".join(steps) + "</scenario>\n"


def subscriber(notifications: int) -> str:
    """Subscribes, answers notifications, ends the subscription, answers the last one."""
    accept = "Accept: application/conference-info+xml\nExpires: "
    notified = '<recv request="NOTIFY" crlf="true"/>\n' + send(
        f"SIP/2.0 200 OK\n{ECHO.format(tag='').replace('sip:bob', 'sip:alice')}\nContent-Length: 0\n"
    )
    return scenario(
        send(request("SUBSCRIBE", "alice", 1, accept + "600"), ' retrans="500"'),
        '<recv response="200" rrs="true"/>\n',
        notified * notifications,
        send(request("SUBSCRIBE", "alice", 2, accept + "0", tag="[peer_tag_param]"), ' retrans="500"'),
        '<recv response="200"/>\n',
        notified,
    )


def publisher() -> str:
    """Publishes a roster of two, and two seconds later one of three in its place."""
    return scenario(
        send(request("PUBLISH", "focus", 1, "Expires: 600", body(1, 2)), ' retrans="500"'),
        '<recv response="200"><action><ereg regexp="[^ ]+" search_in="hdr" header="SIP-ETag: " assign_to="tag"/>'
        "</action></recv>\n",
        '<pause milliseconds="2000"/>\n',
        send(request("PUBLISH", "focus", 2, "Expires: 600\nSIP-If-Match: [$tag]", body(2, 3)), ' retrans="500"'),
        '<recv response="200"/>\n',
    )


def sipp(lab: Lab, name: str, text: str, port: int) -> Process:
    """Run a scenario on host a."""
    file = lab.work / f"{name}.xml"
    file.write_text(text)
    own, other = HOSTS["a"][0], HOSTS["b"][0]
    return lab.start(
        "a", "sipp", f"{other}:5060", "-sf", str(file), "-i", own, "-p", str(port), "-t", "u1", "-m", "1", "-nostdin",
        log=f"{name}.log",
    )  # fmt: skip


with Lab() as lab:
    database = lab.work / "presence.sqlite"
    with sqlite3.connect(database) as connection:
        for table in ("standard-create.sql", "presence-create.sql"):
            connection.executescript((TABLES / table).read_text())
    connection.close()
    config = lab.work / "kamailio.cfg"
    config.write_text(PROXY.format(address=HOSTS["b"][0], database=database))
    lab.start("b", "kamailio", "-DD", "-E", "-f", str(config), "-Y", str(lab.work), log="kamailio.log")
    time.sleep(3.0)
    capture = lab.capture(only="udp or ip[6:2] & 0x1fff != 0")  # later fragments have no ports
    subscribing = sipp(lab, "subscriber", subscriber(3), SUBSCRIBER)
    time.sleep(1.5)
    publishing = sipp(lab, "publisher", publisher(), PUBLISHER)
    for process in (publishing, subscribing):
        if process.wait(timeout=30):
            sys.exit("\n".join(lab.log(f"{name}.log")[-3000:] for name in ("kamailio", "subscriber", "publisher")))
    lab.save(capture, target(sys.argv, "conference-notify.pcapng"))
