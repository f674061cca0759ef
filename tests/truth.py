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
