"""SIPp (3.6.1 of Debian 12) scenarios with given SDP, and media replayed from a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab, Process

HEADERS = (
    "From: {from_}\nTo: {to}\nCall-ID: [call_id]\nCSeq: {number}\nContact: sip:{name}@[local_ip]:[local_port]\n"
    "User-Agent: SIPp"
)
VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
ECHO = (
    "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
    "Contact: <sip:bob@[local_ip]:[local_port]>\nUser-Agent: SIPp"
)
SIZED = "Content-Type: application/sdp\nContent-Length: [len]"


def send(text: str, options: str = "") -> str:
    """A <send> step."""
    return f"<send{options}><![CDATA[\n\n{text}\n]]></send>\n"


def play(media: Path | None, seconds: float) -> str:
    """Replay the packets of a capture as RTP, or only wait."""
    action = f'<nop><action><exec play_pcap_audio="{media}"/></action></nop>\n' if media else ""
    return f'{action}<pause milliseconds="{int(seconds * 1000)}"/>\n'


def caller(sdp: str, media: Path | None, seconds: float) -> str:
    """A scenario that calls, plays, and hangs up."""
    mine, other = "sip:alice@[local_ip]:[local_port]", "sip:bob@[remote_ip]:[remote_port]"
    dialog = {"from_": f"<{mine}>;tag=[call_number]a", "name": "alice"}
    first = HEADERS.format(to=f"<{other}>", number="1 INVITE", **dialog)

    def later(method: str, number: int) -> str:
        head = HEADERS.format(to=f"<{other}>[peer_tag_param]", number=f"{number} {method}", **dialog)
        return f"{method} {other} SIP/2.0\n{VIA}\n{head}\nMax-Forwards: 70\nContent-Length: 0\n"

    return (
        '<?xml version="1.0"?>\n<scenario name="caller">\n'
        + send(f"INVITE {other} SIP/2.0\n{VIA}\n{first}\nMax-Forwards: 70\n{SIZED}\n\n{sdp}", ' retrans="500"')
        + '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n<recv response="200"/>\n'
        + send(later("ACK", 1))
        + play(media, seconds)
        + send(later("BYE", 2), ' retrans="500"')
        + '<recv response="200"/>\n</scenario>\n'
    )


def answerer(sdp: str, media: Path | None, seconds: float) -> str:
    """A scenario that rings, answers, plays, and waits for the end."""
    tagged = ECHO.format(tag=";tag=[call_number]b")
    return (
        '<?xml version="1.0"?>\n<scenario name="answerer">\n<recv request="INVITE"/>\n'
        + send(f"SIP/2.0 180 Ringing\n{tagged}\nContent-Length: 0\n")
        + send(f"SIP/2.0 200 OK\n{tagged}\n{SIZED}\n\n{sdp}", ' retrans="500"')
        + '<recv request="ACK"/>\n'
        + (play(media, seconds) if media else "")
        + '<recv request="BYE"/>\n'
        + send(f"SIP/2.0 200 OK\n{ECHO.format(tag='')}\nContent-Length: 0\n")
        + "</scenario>\n"
    )


def start(lab: Lab, host: str, scenario: str, port: int) -> Process:
    """Run a scenario for one call on a host, with `port` as its media port."""
    file = lab.work / f"sipp-{host}.xml"
    file.write_text(scenario)
    own, peer = HOSTS[host][0], HOSTS["b" if host == "a" else "a"][0]
    towards = [f"{peer}:5060"] if host == "a" else []
    return lab.start(
        host, "sipp", *towards, "-sf", str(file), "-i", own, "-p", "5060", "-mi", own, "-mp", str(port), "-t", "u1",
        "-m", "1", "-nostdin", log=f"sipp-{host}.log",
    )  # fmt: skip
