"""Everyday situations of a network that an audit must neither miss nor mistake: made of bytes, clean and broken.

Each function makes the packets of one scene. Its keyword arguments are what may be wrong; by default everything is as
the specifications want it, save that SIP is readable where nothing else is said: that is what a capture needs to hold
for anything to be seen, and IMS-SIG-001 and -002 rightly say so.
"""

from __future__ import annotations

import hashlib
import struct

from tests import build
from tests import conference_kit as kit

A, B, C = ("192.0.2.10", 4000), ("198.51.100.20", 5000), ("198.51.100.30", 7000)
SSRC_A, SSRC_B, SSRC_C = 0x0A0A0A0A, 0x0B0B0B0B, 0x0C0C0C0C

Packets = list[build.Packet]


# --- parts ----------------------------------------------------------------------------------------


def side(
    end: build.Address, key: str, *more: str, proto: str = "RTP/SAVP", version: int = 1, port: int | None = None
) -> bytes:
    """A description of one audio line with a key of its own; without a key, and RTP/AVP, a clear one."""
    lines = (build.crypto(key),) if key else ()
    return build.sdp(end[0], build.audio(end[1] if port is None else port, proto, *lines, *more), version=version)


def context(seed: str) -> build.Srtp | None:
    """The sender's SRTP context with the key of `side`; none without a key."""
    return build.Srtp(build.master_key(seed)) if seed else None


def beside(end: build.Address) -> build.Address:
    """The RTCP port."""
    return end[0], end[1] + 1


class Sender:
    """A source of audio with its SRTP context, which goes on where it stopped."""

    def __init__(self, ends: tuple[build.Address, build.Address], ssrc: int, key: str, *, mux: bool = False) -> None:
        self.ends, self.ssrc, self.srtp, self.mux = ends, ssrc, context(key), mux
        self.sent, self.voice = 0, ssrc % 97
        self.first = 100 + ssrc % 1_000  # sequence number

    def rekeyed(self, key: str) -> Sender:
        """Goes on under another key; the indices of SRTP and SRTCP go on too (RFC 3711 §3.4)."""
        before, self.srtp = self.srtp, context(key)
        if before is not None and self.srtp is not None:
            self.srtp.roc, self.srtp.srtcp_index = before.roc, before.srtcp_index
        return self

    def speak(self, at: float, packets: int = 100, ends: tuple[build.Address, build.Address] | None = None) -> Packets:
        """Speech from `at` on, with a report every second."""
        ends = ends or self.ends
        voice = [build.pcmu_speech(self.voice + self.sent + number) for number in range(packets)]
        out = build.rtp_stream(
            *ends, self.ssrc, voice, at=at, srtp=self.srtp, sequence=self.first + self.sent,
            timestamp=1_000 + 160 * self.sent,
        )  # fmt: skip
        self.sent += packets
        pair = ends if self.mux else (beside(ends[0]), beside(ends[1]))
        for number in range(packets // 50):
            report = build.sender_report(self.ssrc, packets=self.sent + number, octets=160 * self.sent)
            report += build.source_description(self.ssrc, f"{self.ssrc:x}@example.org".encode())
            data = self.srtp.protect_rtcp(report) if self.srtp else report
            out.append((at + 0.5 + number + self.ssrc % 10 / 1_000, build.udp(*pair, data)))
        return build.in_time_order(out)


def talk(keys: tuple[str, str] = ("a", "b"), *, at: float = 0.6, packets: int = 100, mux: bool = False) -> Packets:
    """A and B speak with one another."""
    return build.in_time_order(
        Sender((A, B), SSRC_A, keys[0], mux=mux).speak(at, packets),
        Sender((B, A), SSRC_B, keys[1], mux=mux).speak(at + 0.005, packets),
    )


def secure_call(*, keys: tuple[str, str] = ("a", "b"), dialog: build.Dialog | None = None) -> Packets:
    """Alice calls Bob with SDES on both sides; `keys` are those of the media, empty where it is in clear."""
    return build.in_time_order(build.call(side(A, "a"), side(B, "b"), dialog=dialog), talk(keys))


# --- the same packets more than once --------------------------------------------------------------


def _later(packets: Packets, seconds: float, change: object = None) -> Packets:
    out = []
    for at, frame in packets:
        out.append((at + seconds, change(frame) if callable(change) else frame))
    return out


def hop(frame: bytes) -> bytes:
    """The frame behind one router: other MAC addresses, one off the TTL."""
    head = bytearray(frame[14:34])
    head[8] -= 1
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", build.checksum(bytes(head)))
    return bytes.fromhex("020000000004020000000003") + frame[12:14] + bytes(head) + frame[34:]


def tunnelled(frame: bytes) -> bytes:
    """The frame's IP packet in GTP-U."""
    inside = struct.pack("!BBHI", 0x30, 255, len(frame) - 14, 0x77) + frame[14:]
    return build.udp(("10.9.0.1", 2152), ("10.9.0.2", 2152), inside)


def behind_a_router(packets: Packets) -> Packets:
    """One capture of both sides of a router."""
    return build.in_time_order(packets, _later(packets, 0.0004, hop))


def in_and_out_of_a_tunnel(packets: Packets) -> Packets:
    """One capture of the tunnel and of what leaves it."""
    return build.in_time_order(_later(packets, 0.0, tunnelled), _later(packets, 0.003, hop))


def retransmitted(packets: Packets) -> Packets:
    """Every SIP datagram twice, each half a second later, as a timer does it; media is sent once."""
    return build.in_time_order(packets, [(at + 0.5, frame) for at, frame in packets if b"SIP/2.0" in frame])


def replayed(packets: Packets) -> Packets:
    """Every twentieth media packet of A once more, three seconds later."""
    media = [each for each in packets if b"SIP/2.0" not in each[1] and each[1][34:36] == struct.pack("!H", A[1])]
    return build.in_time_order(packets, _later(media[::20], 3.0))


def resent_segments(packets: Packets) -> Packets:
    """Every TCP segment twice."""
    return build.in_time_order(packets, [(at + 0.2, frame) for at, frame in packets if frame[23] == build.TCP])


# --- one call, its offers and answers -------------------------------------------------------------


def forked(*, renewed: bool = True, mobile_key: str = "c") -> Packets:
    """Two telephones ring at once and both send early media; the second is answered, and the caller takes a new key."""
    first = build.Dialog(to_tag="desk")
    second = build.Dialog(callee=("198.51.100.30", 5060), to_tag="mobile")
    proxy = build.Dialog()
    offer, desk, mobile = side(A, "a"), side(B, "b"), side(C, "c")
    script = [
        (0.0, proxy.request("INVITE", offer), True),
        (0.01, proxy.response(100, "Trying"), False),
    ]
    for dialog in (first, second):
        dialog.branch = proxy.branch
    script += [
        (0.2, _contact(first.response(183, "Session Progress", desk), "198.51.100.20"), False),
        (0.3, _contact(second.response(183, "Session Progress", mobile), "198.51.100.30"), False),
        (3.0, _contact(second.response(200, "OK", mobile), "198.51.100.30"), False),
    ]
    proxy.to_tag = "mobile"
    script.append((3.01, proxy.request("ACK"), True))
    caller = Sender((A, C), SSRC_A, "a")
    parts = [
        Sender((B, A), SSRC_B, "b").speak(0.5),
        Sender((C, A), SSRC_C, mobile_key).speak(0.6, 300),
        caller.speak(3.1, 10),
    ]
    if renewed:
        script += exchange(proxy, 3.4, "INVITE", side(A, "a2", version=2), mobile)
        caller.rekeyed("a2")
    parts.append(caller.speak(3.6))
    return build.in_time_order(build.carry(proxy, [*script, *closing(proxy, 30.0)]), *parts)


def _contact(message: bytes, host: str) -> bytes:
    begin = message.index(b"Contact: ")
    return message[:begin] + f"Contact: <sip:{host}:5060>".encode() + message[message.index(b"\r\n", begin) :]


def exchange(
    dialog: build.Dialog, at: float, method: str, offer: bytes, answer: bytes, *, from_callee: bool = False
) -> list[tuple[float, bytes, bool]]:
    """A re-INVITE or UPDATE with its answer."""
    out = [
        (at, dialog.request(method, offer, in_dialog=True, from_callee=from_callee), not from_callee),
        (at + 0.1, dialog.response(200, "OK", answer, method=method, from_callee=not from_callee), from_callee),
    ]
    if method == "INVITE":
        out.append((at + 0.11, dialog.request("ACK", from_callee=from_callee), not from_callee))
    return out


def opening(dialog: build.Dialog, offer: bytes, answer: bytes) -> list[tuple[float, bytes, bool]]:
    """INVITE, 100, 180, 200, ACK."""
    return [
        (0.0, dialog.request("INVITE", offer), True),
        (0.01, dialog.response(100, "Trying"), False),
        (0.1, dialog.response(180, "Ringing"), False),
        (0.5, dialog.response(200, "OK", answer), False),
        (0.51, dialog.request("ACK"), True),
    ]


def closing(dialog: build.Dialog, at: float) -> list[tuple[float, bytes, bool]]:
    """BYE and 200."""
    return [
        (at, dialog.request("BYE", in_dialog=True), True),
        (at + 0.01, dialog.response(200, "OK", method="BYE"), False),
    ]


def held(*, key: str = "a", clear: bool = False) -> Packets:
    """Alice holds the call in the old way, in the new way, and resumes; a second line is given up with port 0.

    She resumes with a key of her choice, and with speech in clear if told so.
    """
    dialog = build.Dialog()
    video = build.media("video", 0, "RTP/SAVP", "99", "a=rtpmap:99 H264/90000")

    def described(end: build.Address, own: str, version: int, *more: str) -> bytes:
        return build.sdp(end[0], build.audio(end[1], "RTP/SAVP", build.crypto(own), *more), video, version=version)

    black_hole = described(A, "a", 2, "a=sendonly").replace(b"c=IN IP4 192.0.2.10", b"c=IN IP4 0.0.0.0")
    alice, bob = Sender((A, B), SSRC_A, "a"), Sender((B, A), SSRC_B, "b")
    script = [
        *opening(dialog, described(A, "a", 1), described(B, "b", 1)),
        *exchange(dialog, 3.0, "INVITE", black_hole, described(B, "b", 2, "a=recvonly")),
        *exchange(dialog, 6.0, "INVITE", described(A, "a", 3, "a=inactive"), described(B, "b", 3, "a=inactive")),
        *exchange(dialog, 9.0, "INVITE", described(A, key, 4), described(B, "b", 4)),
        *closing(dialog, 20.0),
    ]
    parts = [alice.speak(0.6), bob.speak(0.605)]
    if clear:
        alice.srtp = None
    elif key != "a":
        alice.rekeyed(key)
    return build.in_time_order(build.carry(dialog, script), *parts, alice.speak(9.2), bob.speak(9.205))


def multiplexed(*, clear_reports: bool = False) -> Packets:
    """RTP and RTCP on one port, with SDES."""
    mux = ("a=rtcp-mux",)
    media = talk(mux=True)
    if clear_reports:
        report = build.sender_report(SSRC_A) + build.source_description(SSRC_A)
        media += [(1.2 + number, build.udp(A, B, report)) for number in range(3)]
    return build.in_time_order(build.call(side(A, "a", *mux), side(B, "b", *mux)), media)


def early(*, clear: bool = False) -> Packets:
    """The answer is in a reliable 183; the called side sends an announcement before 200, a little even before 183."""
    dialog = build.Dialog()
    reliable = ("Require: 100rel", "RSeq: 1")
    script = [
        (0.0, dialog.request("INVITE", side(A, "a"), headers=("Supported: 100rel",)), True),
        (0.01, dialog.response(100, "Trying"), False),
        (0.2, dialog.response(183, "Session Progress", side(B, "b"), headers=reliable), False),
        (0.25, dialog.request("PRACK", in_dialog=True, headers=("RAck: 1 1 INVITE",)), True),
        (0.26, dialog.response(200, "OK", method="PRACK"), False),
    ]
    invite = 1
    prack, dialog.cseq = dialog.cseq, invite
    dialog.branch -= 1
    script.append((4.0, dialog.response(200, "OK"), False))
    script.append((4.01, dialog.request("ACK"), True))
    dialog.cseq, dialog.branch = prack, dialog.branch + 1
    script += closing(dialog, 20.0)
    bob = Sender((B, A), SSRC_B, "" if clear else "b")
    parts = [bob.speak(0.15, 190)]
    if clear:
        bob.srtp = context("b")
    parts += [bob.speak(4.0), Sender((A, B), SSRC_A, "a").speak(4.1)]
    return build.in_time_order(build.carry(dialog, script), *parts)


def answered_late(*, clear: bool = False) -> Packets:
    """The called side has no description to send before 200, and plays an announcement until then."""
    dialog = build.Dialog()
    script = [
        (0.0, dialog.request("INVITE", side(A, "a")), True),
        (0.01, dialog.response(100, "Trying"), False),
        (0.1, dialog.response(180, "Ringing"), False),
        (4.0, dialog.response(200, "OK", side(B, "b")), False),
        (4.01, dialog.request("ACK"), True),
        *closing(dialog, 20.0),
    ]
    bob = Sender((B, A), SSRC_B, "" if clear else "b")
    announcement = bob.speak(0.2, 180)
    if clear:
        bob.srtp = context("b")
    parts = [announcement, bob.speak(4.1), Sender((A, B), SSRC_A, "a").speak(4.1)]
    return build.in_time_order(build.carry(dialog, script), *parts)


def offerless(*, answered: str = "RTP/SAVP") -> Packets:
    """An INVITE without an offer: it is in 200, and the answer in ACK. An UPDATE changes the caller's key later."""
    dialog = build.Dialog()
    script = [
        (0.0, dialog.request("INVITE"), True),
        (0.01, dialog.response(100, "Trying"), False),
        (0.1, dialog.response(180, "Ringing"), False),
        (0.5, dialog.response(200, "OK", side(B, "b")), False),
        (
            0.51,
            dialog.request(
                "ACK", side(A, "a", proto=answered) if answered == "RTP/SAVP" else side(A, "", proto=answered)
            ),
            True,
        ),
    ]
    alice, bob = (
        Sender(ends, ssrc, key if answered == "RTP/SAVP" else "")
        for ends, ssrc, key in (((A, B), SSRC_A, "a"), ((B, A), SSRC_B, "b"))
    )
    parts = [alice.speak(0.6), bob.speak(0.605, 300)]
    if answered == "RTP/SAVP":
        script += exchange(dialog, 3.0, "UPDATE", side(A, "a2", version=2), side(B, "b"))
        parts.append(alice.rekeyed("a2").speak(3.2))
    return build.in_time_order(build.carry(dialog, [*script, *closing(dialog, 20.0)]), *parts)


def refreshed(*, clear: bool = False) -> Packets:
    """The session timer sends the same description again, in a re-INVITE and in an UPDATE without any.

    From then on Alice speaks in clear if told so.
    """
    dialog = build.Dialog()
    script = [
        *opening(dialog, side(A, "a"), side(B, "b")),
        *exchange(dialog, 3.0, "INVITE", side(A, "a"), side(B, "b")),
        *exchange(dialog, 6.0, "UPDATE", b"", b""),
        *closing(dialog, 20.0),
    ]
    alice, bob = Sender((A, B), SSRC_A, "a"), Sender((B, A), SSRC_B, "b")
    parts = [alice.speak(0.6, 120), bob.speak(0.605, 300)]
    if clear:
        alice.srtp = None
    return build.in_time_order(build.carry(dialog, script), *parts, alice.speak(3.2, 200))


def challenged(*, redirected: bool = True, key: str = "c") -> Packets:
    """The INVITE is challenged, sent again with credentials, redirected, and sent to who answers with `key`."""
    dialog = build.Dialog()
    offer = side(A, "a")
    script = [
        (0.0, dialog.request("INVITE", offer), True),
        (
            0.05,
            dialog.response(
                407, "Proxy Authentication Required", headers=('Proxy-Authenticate: Digest realm="x", nonce="y"',)
            ),
            False,
        ),
        (0.06, dialog.request("ACK"), True),
    ]
    dialog.cseq += 1
    given = (
        'Proxy-Authorization: Digest username="alice", realm="x", nonce="y", uri="sip:bob@example.org", response="0"',
    )
    script.append((0.1, dialog.request("INVITE", offer, headers=given), True))
    parts = []
    if redirected:
        script += [
            (0.2, _contact(dialog.response(302, "Moved Temporarily"), "198.51.100.30"), False),
            (0.21, dialog.request("ACK"), True),
        ]
        other = build.Dialog(
            callee=("198.51.100.30", 5060), call_id="call-2@test", to_tag="mobile", to_uri="sip:bob@198.51.100.30"
        )
        parts.append(build.call(offer, side(C, key), dialog=other, at=0.3))
        media = [Sender((A, C), SSRC_A, "a").speak(0.9), Sender((C, A), SSRC_C, key).speak(0.905)]
    else:
        script += [
            (0.5, dialog.response(200, "OK", side(B, "b")), False),
            (0.51, dialog.request("ACK"), True),
            *closing(dialog, 10.0),
        ]
        media = [talk()]
    return build.in_time_order(build.carry(dialog, script), *parts, *media)


# --- keys by DTLS, several lines on one port, ICE -------------------------------------------------

GCM = "AEAD_AES_128_GCM"
CERTIFICATES = {"a": b"certificate of Alice", "b": b"certificate of Bob"}


def fingerprint(certificate: bytes) -> str:
    """The a=fingerprint line of a certificate."""
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return "a=fingerprint:sha-256 " + ":".join(digest[at : at + 2] for at in range(0, 64, 2))


def stun(
    source: build.Address, destination: build.Address, at: float, *, number: int, nominated: bool = True
) -> Packets:
    """A connectivity check with its answer (RFC 8445)."""
    transaction = hashlib.sha256(f"{source}{destination}{number}".encode()).digest()[:12]
    chosen = struct.pack("!HH", 0x0025, 0) if nominated else b""
    user = struct.pack("!HH", 0x0006, 8) + b"abcd:efg"
    body = user + chosen
    request = struct.pack("!HHI", 0x0001, len(body), 0x2112A442) + transaction + body
    seen = struct.pack("!HHBBH4s", 0x0020, 8, 0, 1, source[1] ^ 0x2112, bytes(
        a ^ b for a, b in zip(build.ip_address(source[0]).packed, b"\x21\x12\xa4\x42", strict=True)
    ))  # fmt: skip
    answer = struct.pack("!HHI", 0x0101, len(seen), 0x2112A442) + transaction + seen
    return [(at, build.udp(source, destination, request)), (at + 0.004, build.udp(destination, source, answer))]


def use_srtp(*profiles: int) -> bytes:
    """The extension of DTLS-SRTP."""
    codes = b"".join(struct.pack("!H", each) for each in profiles)
    return build.extension(14, struct.pack("!H", len(codes)) + codes + b"\0")


def dtls(client: build.Address, server: build.Address, *, at: float, selected: bytes) -> Packets:
    """A DTLS handshake with the certificates of both, client first."""

    def certificate(der: bytes) -> bytes:
        chain = len(der).to_bytes(3, "big") + der
        return len(chain).to_bytes(3, "big") + chain

    own = {end: CERTIFICATES["a" if end[0] == A[0] else "b"] for end in (client, server)}
    version = {"version": build.DTLS_1_2}
    hello = build.client_hello([0xC02F], extensions=use_srtp(7, 1), **version)
    reply = build.server_hello(0xC02F, extensions=selected, **version)
    flights = (
        (True, ((1, hello),)),
        (False, ((2, reply), (11, certificate(own[server])), (13, b"\x01\x01\0\0\0\0"), (14, b""))),
        (True, ((11, certificate(own[client])), (16, b"\0\0"))),
    )
    out, count = [], {True: 0, False: 0}
    for number, (forward, messages) in enumerate(flights):
        for kind, body in messages:
            data = build.dtls_record(
                build.HANDSHAKE, build.dtls_handshake(kind, body, sequence=count[forward]), sequence=count[forward]
            )
            count[forward] += 1
            ends = (client, server) if forward else (server, client)
            out.append((at + number * 0.01 + count[forward] * 0.0001, build.udp(*ends, data)))
    for number, forward in enumerate((True, False)):
        done = build.dtls_record(build.CHANGE_CIPHER_SPEC, b"\x01", sequence=9)
        done += build.dtls_record(build.HANDSHAKE, build.noise(number, 48), epoch=1)
        ends = (client, server) if forward else (server, client)
        out.append((at + 0.04 + number * 0.01, build.udp(*ends, done)))
    return out


class _Gcm(Sender):
    """A source whose keys no message shows."""

    def __init__(self, ends: tuple[build.Address, build.Address], ssrc: int, *, clear: bool = False) -> None:
        super().__init__(ends, ssrc, "", mux=True)
        self.srtp = None if clear else build.Srtp(build.master_key(f"{ssrc}", GCM), GCM)


CANDIDATE = "a=candidate:1 1 UDP 2130706431 {} {} typ host"
RELAYED = "a=candidate:2 1 UDP 16777215 {} {} typ relay raddr {} rport {}"
RELAY = ("203.0.113.50", 49_160)


def by_dtls(
    *, clear: bool = False, selected: bytes = use_srtp(7), moves: bool = False, clear_once_moved: bool = False,
    relayed: bool = False,
) -> Packets:  # fmt: skip
    """Alice calls Bob with DTLS-SRTP, ICE, and RTP and RTCP on one port; Bob's selected candidate may change."""
    ice = ("a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=rtcp-mux")
    second = RELAY if relayed else (B[0], B[1] + 100)

    def described(end: build.Address, certificate: bytes, setup: str) -> bytes:
        lines = [*ice, f"a=setup:{setup}", fingerprint(certificate), CANDIDATE.format(*end)]
        if end is B:
            lines.append(RELAYED.format(*second, *B) if relayed else CANDIDATE.format(*second))
        return build.sdp(end[0], build.audio(end[1], "UDP/TLS/RTP/SAVPF", *lines))

    bob = second if relayed else B
    alice_media, bob_media = _Gcm((A, bob), SSRC_A, clear=clear), _Gcm((bob, A), SSRC_B)
    parts = [
        stun(A, bob, 0.52, number=1, nominated=False),
        stun(bob, A, 0.53, number=2, nominated=False),
        stun(A, bob, 0.56, number=3),
        dtls(bob, A, at=0.6, selected=selected),
        alice_media.speak(0.7),
        bob_media.speak(0.705),
    ]
    if moves:
        parts += [stun(A, second, 2.75, number=4), stun(second, A, 2.76, number=5)]
        if clear_once_moved:
            alice_media.srtp = None
        parts += [alice_media.speak(2.8, ends=(A, second)), bob_media.speak(2.805, ends=(second, A))]
    parts += [stun(A, bob, 6.0 + number, number=10 + number) for number in range(3)]
    return build.in_time_order(
        build.call(described(A, CERTIFICATES["a"], "actpass"), described(B, CERTIFICATES["b"], "active")), *parts
    )


def channel_data(packets: Packets, client: build.Address, server: build.Address) -> Packets:
    """What a relay sends on to its client: each datagram towards the relayed address in a TURN channel (RFC 8656)."""
    out = []
    for at, frame in packets:
        to_relay = frame[30:34] == build.ip_address(RELAY[0]).packed
        from_relay = frame[26:30] == build.ip_address(RELAY[0]).packed
        if frame[23] == build.UDP and (to_relay or from_relay):
            inside = frame[42:]
            wrapped = struct.pack("!HH", 0x4000, len(inside)) + inside
            ends = (server, client) if to_relay else (client, server)
            out.append((at + (0.001 if to_relay else -0.001), build.udp(*ends, wrapped)))
    return out


def relayed_by_turn(*, clear: bool = False) -> Packets:
    """The same through Bob's relay, captured on both of its sides."""
    packets = by_dtls(relayed=True, clear=clear)
    return build.in_time_order(packets, channel_data(packets, B, ("203.0.113.50", 3478)))


def bundled(*, keys: tuple[str, str] = ("v", "w"), clear_video: bool = False) -> Packets:
    """Audio and video on one pair of ports, with SDES for each line."""

    def described(end: build.Address, audio: str, video: str) -> bytes:
        lines = ("a=rtcp-mux", "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid")
        return build.sdp(
            end[0],
            build.audio(end[1], "RTP/SAVPF", build.crypto(audio), "a=mid:1", *lines),
            build.media(
                "video", end[1], "RTP/SAVPF", "99", "a=rtpmap:99 H264/90000", build.crypto(video), "a=mid:2", *lines
            ),
            session=("a=group:BUNDLE 1 2",),
        )

    def video(ends: tuple[build.Address, build.Address], ssrc: int, key: str) -> Packets:
        nal = [bytes((0x41,)) + build.noise(number, 600 + number % 7 * 40) for number in range(60)]
        return build.rtp_stream(
            *ends, ssrc, nal, at=0.7, interval=0.04, clock_step=3_600, payload_type=99,
            srtp=None if clear_video else context(key),
        )  # fmt: skip

    return build.in_time_order(
        build.call(described(A, "a", keys[0]), described(B, "b", keys[1])),
        talk(mux=True),
        video((A, B), SSRC_A + 1, keys[0]),
        video((B, A), SSRC_B + 1, keys[1]),
    )


# --- both legs of a B2BUA, and a mixer ------------------------------------------------------------

P_CSCF, S_CSCF = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
ACCESS_SIDE, CORE_SIDE, FAR = ("192.0.2.40", 5000), ("192.0.2.40", 6000), ("192.0.2.50", 7000)
CHARGING = ("P-Charging-Vector: icid-value=1", "P-Asserted-Identity: <sip:alice@example.org>")


def both_legs(*, clear: bool = False) -> Packets:
    """SDES between Alice and the access edge, whose gateway sends her media on in clear, captured on both of its sides.

    Her own speech is in clear on the access too if told so.
    """
    access = build.Dialog(callee=P_CSCF, call_id="access@test")
    core = build.Dialog(
        caller=P_CSCF, callee=S_CSCF, call_id="core@test", via=("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa",)
    )
    onward, back = (build.sdp(end[0], build.audio(end[1])) for end in (CORE_SIDE, FAR))
    script = [
        (0.05, core.request("INVITE", onward, headers=CHARGING), True),
        (0.06, core.response(100, "Trying"), False),
        (0.4, core.response(200, "OK", back, headers=CHARGING), False),
        (0.52, core.request("ACK"), True),
        *closing(core, 10.05),
    ]
    ways = ((A, ACCESS_SIDE, SSRC_A, "" if clear else "a", 0.6), (ACCESS_SIDE, A, SSRC_B, "b", 0.612))
    behind = ((CORE_SIDE, FAR, SSRC_A, "", 0.602), (FAR, CORE_SIDE, SSRC_B, "", 0.61))
    return build.in_time_order(
        build.call(side(A, "a", "a=3ge2ae:requested"), side(ACCESS_SIDE, "b"), dialog=access),
        build.carry(core, script),
        *(Sender((one, other), ssrc, key).speak(at) for one, other, ssrc, key, at in (*ways, *behind)),
    )


def mixed(*, key: str = "") -> Packets:
    """Three users in a conference: each hears a mix of the others, with the mixer's SSRC and under a key of their own.

    With `key` they all hear it under that one.
    """
    itself = f"P-Asserted-Identity: <{kit.CONFERENCE}>"
    parts = []
    for number, user in enumerate((kit.ALICE, kit.BOB, kit.CAROL)):
        own, heard = f"from {user.name}", key or f"to {user.name}"
        ends = (user.address[0], 4000), (kit.FOCUS_MEDIA, 20_000 + 10 * number)
        joined = {"offer": side(ends[0], own), "answer": side(ends[1], heard), "answer_headers": (itself,)}
        mixer = Sender((ends[1], ends[0]), SSRC_C, heard)
        mixer.voice = 31 * number
        parts += [
            kit.dial_in(user, at=float(number), duration=30.0 + number, **joined),
            Sender(ends, SSRC_A + number, own).speak(5.0 + number / 100),
            mixer.speak(5.002 + number / 1_000),
        ]
    return build.in_time_order(*parts)
