"""What decrypt writes is dissected by tshark as what it is, and holds what libsrtp decrypts (through pylibsrtp)."""

from __future__ import annotations

import base64
import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imsinspect.cli.main import run
from tests.interop.tshark import SAMPLES
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

CHECKED = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:FALSE")
AS_RTP = ("-o", "sdp.establish_conversation:FALSE", "-d", "udp.port==7078,rtp", "-d", "udp.port==7178,rtp")
AS_RTP_20018 = ("-o", "sdp.establish_conversation:FALSE", "-d", "udp.port==20018,rtp", "-d", "udp.port==30018,rtp")
SDES = {"sdes-keys-in-clear-sip.pcapng": AS_RTP, "sip-over-null-tls.pcapng": AS_RTP_20018}
INLINE = re.compile(rb"a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/]{40})")


@pytest.fixture
def tshark(peer: Callable[[str], str]) -> Callable[..., list[str]]:
    """Runs tshark on a file and gives its lines."""
    program = peer("tshark")

    def read(path: Path, *arguments: str) -> list[str]:
        command = [program, "-n", "-r", str(path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    return read


def decrypted(path: Path, folder: Path) -> Path:
    """What decrypt makes of a capture."""
    out = folder / "out.pcapng"
    assert run(["decrypt", "--quiet", str(path), str(out)]) == 0
    return out


def fields(*names: str) -> list[str]:
    """Arguments for some fields."""
    return ["-T", "fields", *(word for name in names for word in ("-e", name))]


@pytest.mark.parametrize("name", SDES)
def test_streams_have_the_same_packets_and_losses_and_no_checksum_is_wrong(
    name: str, tshark: Callable[..., list[str]], tmp_path: Path
) -> None:
    def streams(path: Path) -> list[list[str]]:
        lines = [line.split() for line in tshark(path, *SDES[name], "-q", "-z", "rtp,streams")]
        return sorted([*line[2:7], *line[7:11]] for line in lines if len(line) > 10 and line[6].startswith("0x"))

    out = decrypted(SAMPLES / name, tmp_path)
    assert len(streams(out)) == 2
    assert streams(out) == streams(SAMPLES / name)
    bad = "ip.checksum.status == 0 || udp.checksum.status == 0 || _ws.malformed"
    assert not tshark(out, *CHECKED, *SDES[name], "-Y", f"({bad}) && !stun")


@pytest.mark.parametrize("name", SDES)
def test_payloads_are_those_that_libsrtp_decrypts(
    name: str, tshark: Callable[..., list[str]], peer_module: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    pylibsrtp = peer_module("pylibsrtp")
    out = decrypted(SAMPLES / name, tmp_path)
    keys = {base64.b64decode(each) for each in INLINE.findall((SAMPLES / name).read_bytes())}
    assert len(keys) >= 2
    wanted: dict[tuple[str, str], bytes] = {}
    sent: dict[str, list[tuple[str, bytes]]] = {}
    for line in tshark(
        SAMPLES / name, *SDES[name], "-Y", "rtp.version == 2", *fields("rtp.ssrc", "rtp.seq", "udp.payload")
    ):
        ssrc, sequence, payload = line.split("\t")
        sent.setdefault(ssrc, []).append((sequence, bytes.fromhex(payload)))
    for ssrc, packets in sent.items():
        for key in keys:
            policy = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND)
            session = pylibsrtp.Session(policy)
            try:
                wanted |= {(ssrc, sequence): session.unprotect(packet) for sequence, packet in packets}
            except pylibsrtp.Error:
                continue
    found = {}
    types = set()
    names = ("rtp.ssrc", "rtp.seq", "udp.payload", "rtp.p_type", "rtp.payload")
    for line in tshark(out, *SDES[name], "-Y", "rtp.version == 2", *fields(*names)):
        ssrc, sequence, packet, payload_type, payload = line.split("\t")
        found[ssrc, sequence] = bytes.fromhex(packet)
        types.add(payload_type)
        assert packet.endswith(payload)
        assert len(payload) == len(packet) - 24
    assert sum(len(packets) for packets in sent.values()) == len(wanted) > 400
    assert found == wanted
    assert types == {"0"}


def test_rtcp_reads_as_rtcp(tshark: Callable[..., list[str]], tmp_path: Path) -> None:
    out = decrypted(SAMPLES / "sdes-keys-in-clear-sip.pcapng", tmp_path)
    ports = ("-o", "sdp.establish_conversation:FALSE", "-d", "udp.port==7079,rtcp", "-d", "udp.port==7179,rtcp")
    assert len(tshark(out, *ports, "-Y", "rtcp.pt == 200 && rtcp.length_check == 1")) == 7


def test_messages_are_dissected_as_their_protocols(tshark: Callable[..., list[str]], tmp_path: Path) -> None:
    out = decrypted(SAMPLES / "null-cipher-msrp.pcapng", tmp_path)
    lines = tshark(out, "-Y", "exported_pdu", *fields("frame.protocols", "msrp.method", "frame.comment"))
    assert [line.split("\t")[0].split(":")[1] for line in lines] == ["msrp"] * 6
    assert [line.split("\t")[1] for line in lines] == ["SEND", ""] * 3
    assert lines[0].endswith("content of TLS of frame 15, decrypted by imsinspect")
    out = decrypted(SAMPLES / "sip-over-null-tls.pcapng", tmp_path)
    lines = tshark(out, "-Y", "exported_pdu && sip", *fields("sip.Method", "sip.Status-Code", "ip.src"))
    assert [line.split("\t")[:2] for line in lines] == [
        ["INVITE", ""],
        ["", "180"],
        ["", "200"],
        ["ACK", ""],
        ["BYE", ""],
        ["", "200"],
    ]


def test_what_tls_opens_with_secrets_is_what_tshark_opens(tshark: Callable[..., list[str]], tmp_path: Path) -> None:
    capture = CAPTURES / "tls" / "sip-tls-rsa-clear-rtp-with-secrets.pcapng"
    if not capture.exists():
        pytest.skip("the shared captures are not here")
    out = decrypted(capture, tmp_path)
    what = fields("sip.CSeq", "sip.Call-ID")

    def messages(lines: list[str]) -> Counter[tuple[str, str]]:
        """Each message by number and call; a line is a frame, which may hold several."""
        columns = ([word.split(",") for word in line.split("\t")] for line in lines)
        return Counter(pair for numbers, calls in columns for pair in zip(numbers, calls, strict=True))

    inside = messages(tshark(capture, "-Y", "tls && sip", *what))
    outside = messages(tshark(out, "-Y", "exported_pdu && sip", *what))
    assert outside.total() == 48
    assert inside.total() > 35  # tshark shows no second message of some frames
    assert inside <= outside
    assert not tshark(out, "-Y", "tls && sip", *what)  # its secrets did not come along


def test_the_audit_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = decrypted(SAMPLES / "sip-over-null-tls.pcapng", tmp_path)
    assert run(["audit", "--format", "json", str(out)]) in (0, 1)
    assert '"error": null' in capsys.readouterr().out
