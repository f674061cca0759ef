"""What tshark counts in the real captures, mapped to the fields of the inventory, and where it is not right.

The captures are not part of the project: they lie beside it as `shared/captures` on the machines that have them. The
head of their make_truth.py explains each of tshark's figures.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).resolve().parents[2] / "shared" / "captures"

Truth = dict[str, Any]
Figure = Callable[[Truth], int]


def load(capture: Path) -> Truth:
    """tshark's counts of a capture."""
    name = str(capture.relative_to(CAPTURES).with_suffix("")).replace("/", "__")
    truth: Truth = json.loads((CAPTURES / "truth" / f"{name}.json").read_text())
    return truth


def captures() -> list[Path]:
    """Every real capture, in order; none where they are not at hand."""
    return sorted(path for path in CAPTURES.glob("*/*") if path.suffix in (".pcap", ".pcapng"))


def _sip(truth: Truth, part: str) -> Any:
    """The variant of a SIP or SDP figure that sees most: ports told (decode_as), ESP-NULL opened."""
    variants = [truth.get("with_decode_as", {}).get(part), truth.get("with_esp_null", {}).get(part), truth[part]]
    return max((each for each in variants if each), key=lambda each: each.get("messages", each.get("bodies", 0)))


def _streams(truth: Truth, figure: str) -> int:
    """RTP is looked for by content here, so tshark's heuristics are the figure; TURN's where it holds STUN."""
    names = ("with_rtp_and_turn_heuristics", "with_rtp_heuristic")
    found = [truth[name]["rtp_streams"] for name in names if name in truth] + [truth["rtp_streams"]]
    return int(max(found, key=lambda each: each["packets"])[figure])


def _stun(truth: Truth) -> int:
    told = truth.get("with_decode_as", {}).get("frames_by_protocol", {}).get("stun", 0)
    return int(max(truth["stun_packets"], told))


def _tls(truth: Truth) -> int:
    told = truth.get("with_decode_as", {}).get("tls", {}).get("handshakes", 0)
    return int(max(truth["tls"]["handshakes"], told))


def carried_by_sip(truth: Truth) -> int:
    """SDP bodies of SIP messages; those of other carriers are not counted."""
    carriers = _sip(truth, "sdp")["bodies_by_carrier"]
    return int(sum(count for name, count in carriers.items() if name in ("sip", "mime_multipart")))


FIGURES: dict[str, Figure] = {
    "packets": lambda truth: truth["packets"],
    "sip.messages": lambda truth: _sip(truth, "sip")["messages"],
    "sip.responses": lambda truth: _sip(truth, "sip")["responses"],
    "sip.call_ids": lambda truth: _sip(truth, "sip")["distinct_call_ids"],
    "sdp.bodies": carried_by_sip,
    "sdp.crypto": lambda truth: _sip(truth, "sdp")["crypto_attributes"],
    "sdp.key_mgmt": lambda truth: _sip(truth, "sdp")["key_mgmt_attributes"],
    "sdp.fingerprint": lambda truth: _sip(truth, "sdp")["fingerprint_attributes"],
    "mikey.messages": lambda truth: truth["mikey_messages"],
    "msrp.messages": lambda truth: truth["msrp_messages"],
    "bfcp.messages": lambda truth: truth["with_bfcp_heuristic"]["bfcp_messages"],
    "h248.messages": lambda truth: truth["megaco_messages"],
    "rtp.streams": lambda truth: _streams(truth, "streams"),
    "rtp.packets": lambda truth: _streams(truth, "packets"),
    "rtcp + srtcp": lambda truth: truth["rtcp_frames"],
    "stun.packets": _stun,
    "tls handshakes": _tls,
    "dtls handshakes": lambda truth: truth["dtls"]["handshakes"],
    "esp.packets": lambda truth: truth["frames_by_protocol"].get("esp", 0),
}
"""Field of the inventory: tshark's figure for it."""


DIFFERENCES: dict[tuple[str, str], tuple[int, str]] = {
    ("dtls-srtp/stun-dtls-many-profiles.pcapng", "rtcp + srtcp"): (
        13,
        "10 more SRTCP datagrams travel in TURN ChannelData, which tshark leaves as data",
    ),
    ("dtls-srtp/stun-dtls-many-profiles.pcapng", "stun.packets"): (
        173,
        "two STUN messages in one TCP segment (frames are tshark's unit)",
    ),
    ("dtls-srtp/webrtc-freeswitch.pcapng", "rtcp + srtcp"): (
        2,
        "SRTCP of the call (packet type 200, E bit, index 1 and 2): no signalling told tshark of it",
    ),
    ("dtls-srtp/webrtc-freeswitch.pcapng", "stun.packets"): (45, "one STUN message is quoted in an ICMP error"),
    ("h248/megaco-t38-fax-gateway.pcap", "sip.messages"): (
        69,
        "23 messages are sighted twice within 2 ms: equal octets, addresses and IP identification (frames 24 and 26)",
    ),
    ("h248/megaco-t38-fax-gateway.pcap", "sip.responses"): (36, "12 of the double sightings are responses"),
    ("h248/megaco-t38-fax-gateway.pcap", "sdp.bodies"): (21, "7 of the double sightings carry SDP"),
    ("h248/megaco-t38-fax-gateway.pcap", "rtp.packets"): (
        1330,
        "27 RTP packets after the re-INVITE (same SSRC and sequence) are dissected as T.38 by tshark",
    ),
    ("h248/sip-mgcp-h323-mixed.pcapng", "rtcp + srtcp"): (
        28,
        "frames 531 and 2646 are compound RTCP on a port that no signalling named; lengths add up",
    ),
    ("malformed/esp-truncated.pcap", "esp.packets"): (
        0,
        "the one packet is a first fragment cut by the snap length: nothing of its ESP can be put together",
    ),
    ("malformed/fuzzed-office-lan.pcap", "sip.messages"): (
        55,
        "frames 108, 346, 348 and 441 begin with a SIP start line that has a NUL in it, which tshark takes for the "
        "end; frame 247 has no SIP version",
    ),
    ("malformed/fuzzed-office-lan.pcap", "sip.responses"): (26, "frames 108 and 348 of those"),
    ("malformed/fuzzed-office-lan.pcap", "sip.call_ids"): (28, "Call-IDs of those"),
    ("malformed/fuzzed-office-lan.pcap", "rtp.streams"): (
        5,
        "two single packets whose SSRC or address the fuzzer changed are no stream: nothing follows them",
    ),
    ("malformed/fuzzed-office-lan.pcap", "rtp.packets"): (7, "the two single packets"),
    ("malformed/randpkt-megaco.pcap", "h248.messages"): (
        0,
        "random octets behind an SCTP header: no MEGACO token, no BER of a message",
    ),
    ("rtp/many-rtp-flows.pcapng", "rtp.streams"): (6, "one stream is framed in TCP by RFC 4571"),
    ("rtp/many-rtp-flows.pcapng", "rtp.packets"): (86, "17 packets of the stream in TCP"),
    ("rtp/many-rtp-flows.pcapng", "rtcp + srtcp"): (
        3,
        "frames 56, 65 and 79: one sender's feedback (packet type 205) beside its media, protected",
    ),
    ("rtp/skinny-call.pcap", "rtp.packets"): (
        101,
        "34 packets are sighted twice within 15 microseconds: equal octets and IP identification (frames 70 and 71)",
    ),
    ("sdes-srtp/webrtc-pcma-p2p-sdes.pcap", "rtp.streams"): (4, "two more streams are framed in TCP (ICE-TCP)"),
    ("sdes-srtp/webrtc-pcma-p2p-sdes.pcap", "rtp.packets"): (510, "24 packets of the streams in TCP"),
    ("sdes-srtp/webrtc-pcma-p2p-sdes.pcap", "rtcp + srtcp"): (
        10,
        "SRTCP of the call: E bit set, index words count up; no readable signalling told tshark of it",
    ),
    ("sdes-srtp/webrtc-pcma-turn.pcap", "rtcp + srtcp"): (21, "SRTCP in TURN ChannelData, which tshark leaves as data"),
    ("sdes-srtp/turn-tcp-srtp.pcap", "rtcp + srtcp"): (17, "SRTCP in TURN over TCP, which tshark leaves as data"),
    ("sdes-srtp/webrtc-pcma-turn.pcap", "stun.packets"): (1466, "20 STUN messages are quoted in ICMP errors"),
    ("sdes-srtp/wifi-to-3g-handover.pcap", "rtcp + srtcp"): (10, "SRTCP in TURN, which tshark leaves as data"),
    ("sdes-srtp/wifi-to-3g-handover.pcap", "stun.packets"): (
        1214,
        "messages and ChannelData over TCP, of which several share a frame (frames are tshark's unit)",
    ),
    ("tls/sip-tls-rsa-clear-rtp-with-secrets.pcapng", "sip.messages"): (
        48,
        "one TCP segment comes late: tshark loses what is behind it unless told to order segments, then it has 48",
    ),
    ("tls/sip-tls-rsa-clear-rtp-with-secrets.pcapng", "sip.responses"): (25, "3 of the 8 messages behind the segment"),
    ("tls/sip-tls-rsa-clear-rtp-with-secrets.pcapng", "sdp.bodies"): (7, "one of the 8 messages carries SDP"),
    ("transport/stun-over-tcp.pcapng", "stun.packets"): (6, "several STUN messages in one TCP segment"),
}
"""(capture, field): what the inventory says instead of tshark's figure, and the reason read from the packets."""
