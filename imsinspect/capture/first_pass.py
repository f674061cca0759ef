"""The first pass over a capture: columns from the file to media streams, flows and the payloads that are kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture import exported, odd, signalling
from imsinspect.capture.decode import ESP, EXPORTED, GTP, IKE_NAT_PORT, SCTP, TCP, TURN, UDP, Decoder, Media, Rest
from imsinspect.capture.flows import DTLS_ENOUGH, UNWANTED, Flows
from imsinspect.capture.fragments import Fragments
from imsinspect.capture.keytable import MIX, U29
from imsinspect.capture.linktypes import RAW
from imsinspect.capture.media import MediaStreams
from imsinspect.capture.rows import PAD, chosen, column, gather
from imsinspect.capture.rtcp import Control, RtcpSenders, looks_like_rtcp
from imsinspect.capture.signalling import Derived, Picked, Signalling

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imsinspect.capture.beside import MediaBeside
    from imsinspect.capture.blocks import Secrets
    from imsinspect.capture.records import PcapngWalk, PcapWalk
    from imsinspect.capture.windows import Windows

COOKIE = 0x2112A442
CLASSIC_STUN = (0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112)
INDICATIONS = (0x0016, 0x0017)
MIKEY_PORT = 2269
SIGCOMP = 0xF8  # from here on: five 1-bits (RFC 3320 §7)
# The first four octets of a response, and of the requests of RFC 3261 and its extensions
SIP_STARTS = np.array(
    [
        int.from_bytes(word[:4], "big")
        for word in (
            *(b"SIP/", b"INVITE", b"ACK ", b"BYE ", b"CANCEL", b"REGISTER", b"OPTIONS", b"PRACK", b"SUBSCRIBE"),
            *(b"NOTIFY", b"PUBLISH", b"INFO", b"REFER", b"MESSAGE", b"UPDATE"),
        )
    ],
    np.uint32,
)
MAX_ROUNDS = 12  # of packets taken out of packets


class FirstPass:
    """Runs over the windows of one capture; afterwards its parts hold what was found.

    A second look at the media (`media_only`) takes packets out of others as the first did, and lets go of signalling.
    """

    def __init__(
        self,
        streams: MediaStreams | MediaBeside | None = None,
        rtcp: RtcpSenders | None = None,
        *,
        media_only: bool = False,
    ) -> None:
        self.flows = Flows()
        self.streams = streams or MediaStreams()
        self.rtcp = rtcp or RtcpSenders()
        self.media_only = media_only
        self.late: list[Derived] = []  # packets that were found after the pass, for a second look
        self.fragments = Fragments()
        self.signalling = Signalling(self.flows)
        self.skips: Counter[str] = Counter()
        self.cut_packets = 0
        self.stun = 0
        self.compressed: dict[int, tuple[int, int]] = {}  # by flow: first frame and number of what may be SigComp
        self.fragment_frames: dict[int, tuple[int, ...]] = {}  # frame that completed a packet: frames of its pieces
        self._decoder = Decoder(self)
        self._media: list[tuple[Media, int]] = []
        self._batch: list[tuple[Media, NDArray[np.uint8]]] = []
        self._controls: list[Control] = []
        self._picked: list[Picked] = []
        self._derived: list[Derived] = []

    def run(
        self,
        source: Windows,
        walk: PcapWalk | PcapngWalk,
        progress: Callable[[int, int], None] | None = None,
        learn: Callable[[Secrets], None] | None = None,
    ) -> bool:
        """Read to the end; False when the capture ends inside a record.

        `learn` is told the secrets that the capture itself carries, before the packets that follow them are read.
        """
        source.consumed(walk.first)
        learned = 0
        while True:
            window = source.next()
            for found in walk.records(window.data, window.at, window.end):
                if learn is not None and len(walk.facts.secrets) > learned:
                    for block in walk.facts.secrets[learned:]:
                        learn(block)
                    learned = len(walk.facts.secrets)
                self.cut_packets += int(np.count_nonzero(found.original > found.captured))
                self._decoder.records(window.data, found)
                self._end_batch()
            self._end_window(window.data)
            after = walk.after
            if walk.oversize:
                source.consumed(walk.oversize)
                walk.oversize = 0
            else:
                source.consumed(after - window.at)
                if window.final or walk.facts.damaged or after == window.at:
                    self.streams.settle()
                    return after >= window.end and not source.missing
            if progress is not None:
                progress(source.position, source.total)

    def inject(self, packets: list[Derived]) -> None:
        """Packets found after the pass (in TCP streams): through the columns like the others."""
        self.late += packets
        self._derived += packets
        self._end_window(np.zeros(PAD, np.uint8))

    # --- what decoding hands over ---

    def media(self, found: Media, origin: int) -> None:
        """RTP look-alikes."""
        self._media.append((found, origin))

    def skipped(self, reason: str, count: int) -> None:
        """Packets that were not read, and why."""
        if count:
            self.skips[reason] += count

    def odd(self, packet: bytes, frame: int, when: int, origin: int, depth: int) -> None:
        """A packet with options, extension headers or fragments: made plain, then through the columns again."""
        found = odd.undo(packet)
        if isinstance(found, odd.Plain):
            self._derived.append(Derived(found.packet, frame, when, origin, depth + 1))
        elif isinstance(found, odd.Fragment):
            whole = self.fragments.add(found, frame, when, origin, depth)
            if whole is not None:
                self.fragment_frames[frame] = whole.frames
                self._derived.append(Derived(whole.packet, frame, when, origin, depth + 1))
        else:
            self.skipped(found.reason, 1)

    def exported(self, data: bytes, frame: int, when: int) -> None:
        """A PDU that another tool exported: wrapped in the addresses that it names."""
        packet = exported.packet_of(data)
        if packet is None:
            self.skipped("exported PDU without usable tags", 1)
        else:
            self._derived.append(Derived(packet, frame, when, EXPORTED, 1))

    def rest(self, data: NDArray[np.uint8], found: Rest) -> None:
        """Everything that is not RTP: counted by flow; what dissectors may want is copied out."""
        udp = found.protocol == UDP
        if udp.any():
            taken = self._udp(data, found, udp)
            left = np.flatnonzero(~taken)
            if not len(left):
                return
            if len(left) < len(taken):
                found = _some(found, left)
        flow = self.flows.find(data, found)
        self._pick(data, found, flow)

    # --- UDP ---

    def _udp(self, data: NDArray[np.uint8], found: Rest, udp: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """RTCP, tunnels, channels and ESP in UDP; says which packets go no further here."""
        rows, at = found.rows, found.transport + 8
        room = found.whole - found.start
        taken: NDArray[np.bool_] = udp & (found.end - found.start < 1)  # nothing inside
        first, second = rows[:, at], rows[:, at + 1]
        nat = _either_port(rows, found.transport, IKE_NAT_PORT)
        nat &= udp & ~taken & (room >= 18) & (column(rows, at, ">u4") != 0)
        if nat.any():
            self._esp_in_udp(data, found, np.flatnonzero(nat))
            taken |= nat
        udp = udp & ~taken
        rtcp = udp & (first >> 6 == 2) & (second >= 192) & (second <= 223)
        if rtcp.any():
            which = np.flatnonzero(rtcp)
            good = looks_like_rtcp(data, found.start[which], found.end[which], found.whole[which])
            self._control(data, found, which[good])
            taken[which[good]] = True
        length = column(rows, at + 2, ">u2").astype(np.int64)
        gtp = udp & (first & 0xF0 == 0x30) & (second == 0xFF) & (length == room - 8) & (room >= 28)
        if gtp.any():
            self._gtp(data, found, np.flatnonzero(gtp), taken)
        channel = (
            udp & (first >= 0x40) & (first < 0x80) & (room - 4 - length >= 0) & (room - 4 - length < 4) & (length >= 12)
        )
        if channel.any():
            self._channels(data, found, np.flatnonzero(channel), length, taken)
        return taken

    def _control(self, data: NDArray[np.uint8], found: Rest, which: NDArray[np.intp]) -> None:
        self._control_of(found, which, found.start[which], found.end[which], found.whole[which], found.origin)

    def _control_of(
        self,
        found: Rest,
        which: NDArray[np.intp],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
        whole: NDArray[np.int64],
        origin: int,
    ) -> None:
        if len(which):
            columns = (found.mix[which], found.frame[which], found.when[which], found.net[which], start, end, whole)
            self._controls.append(Control(*columns, np.full(len(which), origin, np.uint8)))

    def _gtp(self, data: NDArray[np.uint8], found: Rest, which: NDArray[np.intp], taken: NDArray[np.bool_]) -> None:
        """GTP-U T-PDUs with their extension headers (TS 29.281 §5); the inner length must fit."""
        at, end = found.start[which], found.end[which]
        flags = data[at]
        inner = at + 8 + np.where(flags & 7, 4, 0)
        extended = np.flatnonzero(flags & 4)
        for _ in range(8):
            extended = extended[inner[extended] <= end[extended]]
            extended = extended[data[inner[extended] - 1] != 0]
            if not len(extended):
                break
            units = data[inner[extended]].astype(np.int64)
            inner[extended] += np.where(units == 0, 1 << 20, units * 4)
        fits = inner + 20 <= end
        version = np.zeros(len(inner), np.uint8)
        version[fits] = data[inner[fits]] >> 4
        good = np.flatnonzero((version == 4) | (version == 6))
        if len(good):
            taken[which[good]] = True
            some = which[good]
            self._decoder.inner(
                data,
                inner[good],
                end[good],
                found.frame[some],
                found.when[some],
                RAW,
                found.origin | GTP,
                found.depth + 1,
            )

    def _channels(
        self,
        data: NDArray[np.uint8],
        found: Rest,
        which: NDArray[np.intp],
        length: NDArray[np.int64],
        taken: NDArray[np.bool_],
    ) -> None:
        """TURN ChannelData around RTP or RTCP (RFC 8656 §12.4): media between the client and the server."""
        start = found.start[which] + 4
        heads = gather(data, start, 12)
        media = heads[:, 0] >> 6 == 2
        stun = (heads[:, 0] < 4) & (column(heads, 4, ">u4") == COOKIE)
        self.stun += int(np.count_nonzero(media | stun | ((heads[:, 0] >= 20) & (heads[:, 0] < 64))))
        control = media & (heads[:, 1] >= 192) & (heads[:, 1] <= 223)
        whole = start + length[which]
        end = np.minimum(found.end[which], whole)
        media &= end - start >= 12
        some = np.flatnonzero(control & media)
        if len(some):
            good = some[looks_like_rtcp(data, start[some], end[some], whole[some])]
            here = which[good]
            self._control_of(found, here, start[good], end[good], whole[good], found.origin | TURN)
            taken[here] = True
        dtls = (heads[:, 0] >= 20) & (heads[:, 0] <= 25) & (heads[:, 1] == 0xFE) & (end - start >= 13)
        some = np.flatnonzero(dtls)
        if len(some):
            here, view = which[some], data.data
            flow = self.flows.find(data, _some(found, here))
            for at, stop, number, frame, when in zip(
                *(each.tolist() for each in (start[some], end[some], flow, found.frame[here], found.when[here])),
                strict=True,
            ):
                payload = bytes(view[at:stop])
                self.signalling.relay(number, payload, frame, when, found.origin | TURN, found.depth)
            taken[here] = True
        some = np.flatnonzero(media & ~control)
        if len(some):
            here = which[some]
            key = found.mix[here] ^ column(heads, 8, "<u4")[some]
            key *= MIX[0]
            key ^= key >> U29
            key *= MIX[1]
            key |= np.uint64(1)
            sequence = column(heads, 2, ">u2")[some].astype(np.uint16)
            lead = column(heads, 0, "<u2")[some].copy()
            self.media(
                Media(
                    key,
                    sequence,
                    found.when[here],
                    found.frame[here],
                    start[some],
                    end[some],
                    whole[some],
                    found.net[here],
                    lead,
                ),
                found.origin | TURN,
            )
            taken[here] = True

    def _esp_in_udp(self, data: NDArray[np.uint8], found: Rest, which: NDArray[np.intp]) -> None:
        """ESP behind a UDP header (RFC 3948 §2): a flow of its own for each SPI."""
        part = _some(found, which)
        part.protocol = np.full(len(which), ESP, np.uint8)
        part.mix = (part.mix ^ column(gather(data, part.start, 4), 0, "<u4")) * MIX[2]
        self._pick(data, part, self.flows.find(data, part))

    # --- picking ---

    def _pick(self, data: NDArray[np.uint8], found: Rest, flow: NDArray[np.int32]) -> None:
        """Copy out the payloads that may need a dissector."""
        rows, at = found.rows, found.transport + 8
        protocol = found.protocol
        room = found.whole - found.start
        kind = np.full(len(flow), -1, np.int8)
        udp = (protocol == UDP) & (found.end > found.start)
        if udp.any():
            self._compressed(found, flow, np.flatnonzero(udp & (rows[:, at] >= SIGCOMP)))
            self._udp_kinds(rows, at, room, found.transport, udp, kind, bool(found.origin & TURN))
        tcp = protocol == TCP
        flags = np.where(tcp, rows[:, found.transport + 13], 0)
        octets = tcp & (found.end > found.start)
        kind[octets | (tcp & (flags & signalling.SYN != 0))] = signalling.SEGMENT
        if not self.media_only:
            self.flows.saw_tcp(flow, found, octets, tcp & (flags & (signalling.FIN | signalling.RST) != 0))
        kind[protocol == SCTP] = signalling.ASSOCIATION
        kind[protocol == ESP] = signalling.SECURED
        wanted = kind >= 0 if not self.media_only else (kind == signalling.INDICATION) | (kind == signalling.SECURED)
        state = self.flows.state[flow]
        let_go = (state & UNWANTED != 0) & ~(kind == signalling.DTLS) & ~(kind == signalling.INDICATION)
        let_go &= (flags & signalling.SYN == 0) & ~_begins_sip(rows, at, kind)
        let_go |= (state & DTLS_ENOUGH != 0) & (kind == signalling.DTLS)
        wanted &= ~let_go
        which = np.flatnonzero(wanted)
        if not len(which):
            return
        heads = gather(data, found.net[which], 10)
        six = heads[:, 0] >> 4 == 6
        identification = np.where(six, -1, heads[:, 4].astype(np.int64) << 8 | heads[:, 5])
        ttl = np.where(six, heads[:, 7], heads[:, 8])
        sequence = np.where(tcp[which], column(rows, found.transport + 4, ">u4")[which].astype(np.int64), -1)
        view, add, origin, depth = data.data, self._picked.append, found.origin, found.depth
        lists = (
            found.frame[which],
            found.when[which],
            flow[which],
            kind[which],
            sequence,
            flags[which],
            identification,
            ttl,
            found.whole[which] > found.end[which],
            found.start[which],
            np.maximum(found.end, found.start)[which],
        )
        for frame, when, number, what, seq, flag, ident, hops, cut, low, high in zip(
            *(each.tolist() for each in lists), strict=True
        ):
            add(Picked(frame, when, number, what, seq, flag, ident, hops, origin, depth, cut, bytes(view[low:high])))

    def _compressed(self, found: Rest, flow: NDArray[np.int32], which: NDArray[np.intp]) -> None:
        """Count the datagrams of each flow that begin like SigComp; whether its ends speak SIP is known later."""
        if not len(which):
            return
        numbers, first, counts = np.unique(flow[which], return_index=True, return_counts=True)
        frames = found.frame[which[first]]
        for number, frame, count in zip(numbers.tolist(), frames.tolist(), counts.tolist(), strict=True):
            earlier, known = self.compressed.get(number, (frame, 0))
            self.compressed[number] = min(earlier, frame), known + count

    def _udp_kinds(
        self,
        rows: NDArray[np.uint8],
        at: int,
        room: NDArray[np.int64],
        transport: int,
        udp: NDArray[np.bool_],
        kind: NDArray[np.int8],
        inside: bool,
    ) -> None:
        """What each datagram may be, by its first octets."""
        first, second, third = rows[:, at], rows[:, at + 1], rows[:, at + 2]
        length = column(rows, at + 2, ">u2").astype(np.int64)
        stun = udp & (first < 4) & (length + 20 <= room) & (length % 4 == 0)
        if stun.any():
            message = column(rows, at, ">u2")
            stun &= (column(rows, at + 4, ">u4") == COOKIE) | (np.isin(message, CLASSIC_STUN) & (length + 20 == room))
            if not inside:  # what TURN carries was counted with the message around it
                self.stun += int(np.count_nonzero(stun))
            kind[stun & np.isin(message, INDICATIONS)] = signalling.INDICATION
        dtls = udp & (first >= 20) & (first <= 25)
        dtls &= ((second == 0xFE) & (third >= 0xFC)) | ((second == 1) & (third == 0))
        # DTLS behind the preamble of CAPWAP (RFC 5415 §4.2)
        dtls |= udp & (column(rows, at, ">u4") == 0x01000000) & (rows[:, at + 4] >= 20) & (rows[:, at + 5] == 0xFE)
        kind[dtls] = signalling.DTLS
        letter = (first & 0xDF >= 65) & (first & 0xDF <= 90)
        kind[udp & (letter | (first == 33) | ((first == 13) & (second == 10) & (room > 8)))] = signalling.TEXT
        version = first >> 5
        fragment = (version == 2) & (first & 8 != 0)  # the length is that of the whole message
        floor = udp & ((version == 1) | (version == 2)) & (second >= 1) & (second <= 18)
        floor &= np.where(fragment, room >= 16, length * 4 + 12 == room)
        kind[floor] = signalling.FLOOR
        kind[udp & (first == 1) & _either_port(rows, transport, MIKEY_PORT)] = signalling.KEYS

    # --- ends of batches and windows ---

    def _end_batch(self) -> None:
        """Media of a batch in the order of the capture: shapes and tunnels bring it in groups."""
        if not self._media:
            return
        parts, self._media = self._media, []
        joined = Media.joined([each for each, _ in parts])
        origins = np.concatenate([np.full(len(each.frame), origin, np.uint8) for each, origin in parts])
        if len(parts) > 1:
            order = np.argsort(joined.frame, kind="stable")
            joined, origins = joined.some(order), origins[order]
        self._batch.append((joined, origins))

    def _end_window(self, data: NDArray[np.uint8]) -> None:
        """Hand over what the window held, then what was inside it, until nothing new comes out."""
        for _ in range(MAX_ROUNDS):
            if self._batch:
                parts, self._batch = self._batch, []
                self.streams.add(data, parts)
            if self._controls:
                controls, self._controls = self._controls, []
                self.rtcp.add(data, Control.joined(controls))
            if self._picked:
                picked, self._picked = self._picked, []
                picked.sort(key=lambda each: each.frame)
                self.signalling.consume(picked)
            derived = self._derived + self.signalling.take_derived()
            self._derived = []
            if not derived:
                return
            data = self._decode_derived(sorted(derived, key=lambda each: each.frame))
        self.skipped("packets nested too deep", 1)

    def _decode_derived(self, derived: list[Derived]) -> NDArray[np.uint8]:
        """Packets taken out of others, as a window of raw IP packets."""
        lengths = np.array([len(each.packet) for each in derived], np.int64)
        data = np.frombuffer(b"".join(each.packet for each in derived) + bytes(PAD), np.uint8)
        net = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        frame = np.array([each.frame for each in derived], np.int64)
        when = np.array([each.time for each in derived], np.int64)
        how = np.array([each.origin << 8 | each.depth for each in derived], np.int64)
        for value in np.unique(how).tolist():
            which = np.flatnonzero(how == value)
            self._decoder.inner(
                data, net[which], (net + lengths)[which], frame[which], when[which], RAW, value >> 8, value & 0xFF
            )
        self._end_batch()
        return data


def _begins_sip(rows: NDArray[np.uint8], at: int, kind: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which datagrams begin like a SIP message, so that they are looked at on any flow."""
    found: NDArray[np.bool_] = kind == signalling.TEXT
    if found.any():
        found &= np.isin(column(rows, at, ">u4"), SIP_STARTS)
    return found


def _either_port(rows: NDArray[np.uint8], transport: int, port: int) -> NDArray[np.bool_]:
    """Which datagrams are from or to a port."""
    found: NDArray[np.bool_] = column(rows, transport, ">u2") == port
    found |= column(rows, transport + 2, ">u2") == port
    return found


def _some(found: Rest, which: NDArray[np.intp]) -> Rest:
    """Some packets of a batch."""
    return Rest(
        chosen(found.rows, which),
        found.transport,
        found.mix[which],
        found.protocol[which],
        found.frame[which],
        found.when[which],
        found.net[which],
        found.start[which],
        found.end[which],
        found.whole[which],
        found.origin,
        found.depth,
    )
