"""Link, IP, UDP and TCP headers of many packets at once: columns in, media rows and payloads worth a look out.

Packets whose IP header is at the same place with the same version are read together, by constant columns. Tunnels are
opened by gathering rows anew at the inner header. What has IP options, extension headers or fragments leaves the
columns as "odd" and comes back as plain packets (`odd`, `fragments`). Nothing here decides what a flow is: `Sink` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from imsinspect.capture.keytable import MIX, ONE, U29, U32
from imsinspect.capture.linktypes import ETHERNET, LINK_TYPES, RAW
from imsinspect.capture.rows import chosen, column, gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imsinspect.capture.records import Records

MAX_DEPTH = 10  # tunnels in tunnels

# How the bytes of a packet came to be readable: flags.
ESP_NULL, GTP, EXPORTED, TURN, IP_IN_IP, GRE, SCTP_DATA, ESP_OPENED = 1, 2, 4, 8, 16, 32, 64, 128

TCP, UDP, ESP, SCTP = 6, 17, 50, 132
IKE_NAT_PORT = 4500
FIN_SYN_RST = 0x07

ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
VLAN_TYPES = (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)
MPLS_TYPES = (0x8847, 0x8848)
PPPOE_SESSION = 0x8864
ETHERTYPES_KNOWN = (ETHERTYPE_IPV4, ETHERTYPE_IPV6, *VLAN_TYPES, *MPLS_TYPES, PPPOE_SESSION)
PPP_IPV4, PPP_IPV6, PPP_MPLS = 0x0021, 0x0057, 0x0281
FAMILY_IPV6 = (24, 28, 30)


class Media(NamedTuple):
    """Datagrams that look like RTP, as columns."""

    key: NDArray[np.uint64]  # mix of the 5-tuple and SSRC
    sequence: NDArray[np.uint16]
    when: NDArray[np.int64]
    frame: NDArray[np.int64]
    start: NDArray[np.int64]  # of the RTP header in the window's data
    end: NDArray[np.int64]  # of the datagram, as far as captured
    whole: NDArray[np.int64]  # of the datagram, as sent
    net: NDArray[np.int64]  # of the IP header
    lead: NDArray[np.uint16]  # the first two octets, the first in the low half

    def some(self, which: NDArray[np.intp]) -> Media:
        """Some of the datagrams, in that order."""
        return Media(*(column.take(which) for column in self))  # type: ignore[arg-type]

    @staticmethod
    def joined(parts: list[Media]) -> Media:
        """The datagrams of several groups, one group behind the other."""
        if len(parts) == 1:
            return parts[0]
        return Media(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@dataclass(slots=True)
class Rest:
    """UDP, TCP, SCTP and ESP packets that are not RTP, as columns."""

    rows: NDArray[np.uint8]
    transport: int  # column of the transport header in the rows
    mix: NDArray[np.uint64]
    protocol: NDArray[np.uint8]
    frame: NDArray[np.int64]
    when: NDArray[np.int64]
    net: NDArray[np.int64]
    start: NDArray[np.int64]  # of the payload (SCTP and ESP: of their own header)
    end: NDArray[np.int64]
    whole: NDArray[np.int64]
    origin: int
    depth: int


class Sink(Protocol):
    """Takes what decoding finds."""

    def media(self, found: Media, origin: int) -> None:
        """RTP look-alikes."""

    def rest(self, data: NDArray[np.uint8], found: Rest) -> None:
        """Everything else with a transport header."""

    def odd(self, packet: bytes, frame: int, when: int, origin: int, depth: int) -> None:
        """A whole IP packet that columns can't read."""

    def exported(self, data: bytes, frame: int, when: int) -> None:
        """A packet of link type WIRESHARK_UPPER_PDU."""

    def skipped(self, reason: str, count: int) -> None:
        """Packets that were not read, and why."""


@dataclass(slots=True)
class Part:
    """Packets whose network headers are in the same column of their rows."""

    rows: NDArray[np.uint8]
    base: int  # column of the network header
    net: NDArray[np.int64]  # offset of the network header in the window's data
    end: NDArray[np.int64]  # end of the captured packet
    frame: NDArray[np.int64]
    when: NDArray[np.int64]

    def some(self, which: NDArray[np.intp]) -> Part:
        """A part of the part."""
        return Part(
            chosen(self.rows, which), self.base, self.net[which], self.end[which], self.frame[which], self.when[which]
        )


class Decoder:
    """Decodes batches of packets into a sink."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def records(self, data: NDArray[np.uint8], found: Records, origin: int = 0) -> None:
        """A batch of packets of one link type."""
        link = LINK_TYPES.get(found.link)
        if link is None:
            self.sink.skipped("unsupported link type", len(found.offsets))
            return
        start = found.offsets + found.head
        part = Part(found.rows, found.head, start, start + found.captured - found.fcs, found.frames, found.when)
        if link.kind == "exported":
            view = data.data
            for at, end, frame, when in zip(
                part.net.tolist(), part.end.tolist(), part.frame.tolist(), part.when.tolist(), strict=True
            ):
                self.sink.exported(bytes(view[at:end]), frame, when)
            return
        self.link(data, part, found.link, origin, 0)

    def link(self, data: NDArray[np.uint8], part: Part, number: int, origin: int, depth: int) -> None:
        """Packets that begin with that link-layer header."""
        if not len(part.net):
            return
        link = LINK_TYPES[number]
        if link.kind == "raw":
            self._versions(data, part, origin, depth)
        elif link.kind == "null":
            self._families(data, part, origin, depth)
        elif link.kind == "ethertype":
            kind = column(part.rows, part.base + link.type_at, ">u2").copy()
            self._ethertypes(data, part, kind, link.header, number == ETHERNET, origin, depth)
        elif link.kind == "ppp":
            self._ppp(data, part, origin, depth)
        else:
            self._pppoe(data, part, origin, depth)

    def inner(
        self,
        data: NDArray[np.uint8],
        net: NDArray[np.int64],
        end: NDArray[np.int64],
        frame: NDArray[np.int64],
        when: NDArray[np.int64],
        link: int,
        origin: int,
        depth: int,
    ) -> None:
        """Packets inside others: their rows are gathered at the inner header."""
        if depth > MAX_DEPTH:
            self.sink.skipped("tunnels nested too deep", len(net))
            return
        fits = np.flatnonzero(end - net >= 8)
        if len(fits) < len(net):
            net, end, frame, when = net[fits], end[fits], frame[fits], when[fits]
        if len(net):
            self.link(data, Part(gather(data, net), 0, net, end, frame, when), link, origin, depth)

    def _again(
        self,
        data: NDArray[np.uint8],
        part: Part,
        which: NDArray[np.intp],
        at: NDArray[np.int64],
        origin: int,
        depth: int,
    ) -> None:
        """Packets of a part whose IP header begins at `at`, each elsewhere."""
        if len(which):
            self.inner(data, at, part.end[which], part.frame[which], part.when[which], RAW, origin, depth)

    def _shape(
        self,
        data: NDArray[np.uint8],
        part: Part,
        member: NDArray[np.bool_],
        skip: int,
        six: bool,
        origin: int,
        depth: int,
    ) -> None:
        """Packets of a part with the same header length and IP version; the commonest are read in place."""
        share = int(np.count_nonzero(member))
        if not share:
            return
        if share * 2 > len(part.net):
            moved = Part(part.rows, part.base + skip, part.net + skip, part.end, part.frame, part.when)
            self._network(data, moved, six, None if share == len(part.net) else member, origin, depth)
        else:
            few = part.some(np.flatnonzero(member))
            few.base += skip
            few.net = few.net + skip
            self._network(data, few, six, None, origin, depth)

    def _versions(self, data: NDArray[np.uint8], part: Part, origin: int, depth: int) -> None:
        version = part.rows[:, part.base] >> 4
        self._shape(data, part, version == 4, 0, False, origin, depth)
        self._shape(data, part, version == 6, 0, True, origin, depth)

    def _families(self, data: NDArray[np.uint8], part: Part, origin: int, depth: int) -> None:
        family = column(part.rows, part.base, "<u4").copy()
        swapped = family > 0xFFFF  # the capturing host's byte order, not the file's
        family[swapped] = family[swapped].byteswap()
        self._shape(data, part, family == 2, 4, False, origin, depth)
        self._shape(data, part, np.isin(family, FAMILY_IPV6), 4, True, origin, depth)

    def _ethertypes(
        self,
        data: NDArray[np.uint8],
        part: Part,
        kind: NDArray[np.unsignedinteger],
        skip: int,
        ethernet: bool,
        origin: int,
        depth: int,
    ) -> None:
        four, six = kind == ETHERTYPE_IPV4, kind == ETHERTYPE_IPV6
        self._shape(data, part, four, skip, False, origin, depth)
        self._shape(data, part, six, skip, True, origin, depth)
        left = np.flatnonzero(~(four | six))
        if not len(left):
            return
        known = np.isin(kind[left], ETHERTYPES_KNOWN)
        if ethernet:
            known |= kind[left] <= 0x05DC  # IEEE 802.3 with LLC
        left = left[known]
        if len(left):
            self._shims(data, part.some(left), kind[left].astype(np.int64), skip, origin, depth)

    def _shims(
        self, data: NDArray[np.uint8], part: Part, kind: NDArray[np.int64], skip: int, origin: int, depth: int
    ) -> None:
        """VLAN tags, MPLS labels, PPPoE and LLC/SNAP before IP, in any order, eight deep."""
        at = part.net + skip
        todo = np.arange(len(at))
        for _ in range(8):
            todo = todo[(part.end[todo] - at[todo]) >= 8]
            if not len(todo):
                return
            now = kind[todo]
            heads = gather(data, at[todo], 8)
            vlan, mpls, pppoe = np.isin(now, VLAN_TYPES), np.isin(now, MPLS_TYPES), now == PPPOE_SESSION
            snap = (now <= 0x05DC) & (column(heads, 0, ">u4") == 0xAAAA0300) & (column(heads, 4, ">u2") == 0)
            after = np.zeros(len(todo), np.int64)
            step = np.zeros(len(todo), np.int64)
            step[vlan], after[vlan] = 4, column(heads, 2, ">u2")[vlan]
            step[snap], after[snap] = 8, column(heads, 6, ">u2")[snap]
            bottom = mpls & (heads[:, 2] & 1 == 1)
            step[mpls] = 4
            after[mpls] = MPLS_TYPES[0]
            version = heads[:, 4] >> 4
            after[bottom] = np.select([version == 4, version == 6], [ETHERTYPE_IPV4, ETHERTYPE_IPV6], 0)[bottom]
            protocol = column(heads, 6, ">u2")
            step[pppoe] = 8
            after[pppoe] = np.select(
                [protocol == PPP_IPV4, protocol == PPP_IPV6, protocol == PPP_MPLS],
                [ETHERTYPE_IPV4, ETHERTYPE_IPV6, MPLS_TYPES[0]],
                0,
            )[pppoe]
            at[todo] += step
            kind[todo] = after
            found = (after == ETHERTYPE_IPV4) | (after == ETHERTYPE_IPV6)
            which = todo[found]
            self._again(data, part, which, at[which], origin, depth)
            todo = todo[~found & (step > 0) & np.isin(after, ETHERTYPES_KNOWN)]

    def _ppp(self, data: NDArray[np.uint8], part: Part, origin: int, depth: int) -> None:
        skip = np.where(column(part.rows, part.base, ">u2") == 0xFF03, 2, 0)
        heads = gather(data, part.net + skip, 2)
        short = heads[:, 0] & 1 == 1
        protocol = np.where(short, heads[:, 0], column(heads, 0, ">u2"))
        which = np.flatnonzero((protocol == PPP_IPV4) | (protocol == PPP_IPV6))
        self._again(data, part, which, (part.net + skip + np.where(short, 1, 2))[which], origin, depth)

    def _pppoe(self, data: NDArray[np.uint8], part: Part, origin: int, depth: int) -> None:
        protocol = column(part.rows, part.base + 6, ">u2")
        which = np.flatnonzero((protocol == PPP_IPV4) | (protocol == PPP_IPV6))
        self._again(data, part, which, (part.net + 8)[which], origin, depth)

    def _network(
        self, data: NDArray[np.uint8], part: Part, six: bool, member: NDArray[np.bool_] | None, origin: int, depth: int
    ) -> None:
        """IPv4 or IPv6 packets: those of the mask, or all rows."""
        rows, net = part.rows, part.base
        length = 40 if six else 20
        if six:
            protocol, address, width = rows[:, net + 6].copy(), net + 8, 32
            total = column(rows, net + 4, ">u2").astype(np.int64)
            total += 40
            unset = total == 40  # jumbogram or offload
            usual = rows[:, net] >> 4 == 6
            plain = usual
        else:
            protocol, address, width = rows[:, net + 9].copy(), net + 12, 8
            total = column(rows, net + 2, ">u2").astype(np.int64)
            unset = total == 0  # offloaded segment
            # version 4, no options, no fragment: one masked comparison of the first eight octets
            plain = (column(rows, net, "<u8") & np.uint64(0xFF3F0000000000FF)) == np.uint64(0x45)
        whole = part.net + total
        if unset.any():
            whole[unset] = part.end[unset]
        end = np.minimum(whole, part.end)
        room = end - part.net
        udp = protocol == UDP
        usual = udp | (protocol == TCP)
        usual |= protocol == SCTP
        usual |= protocol == ESP
        usual &= plain
        usual &= room >= length + 8
        if member is not None:
            usual &= member
        if not usual.all():
            rest = ~usual if member is None else member & ~usual
            self._unusual(data, part, np.flatnonzero(rest), protocol, plain, end, length, six, origin, depth)
        transport = net + length
        mix = column(rows, address, "<u8") * MIX[0]
        for word in range(8, width, 8):
            mix ^= mix >> U29
            mix += column(rows, address + word, "<u8")
            mix *= MIX[1]
        mix ^= mix >> U29
        mix += column(rows, transport, "<u4")  # ports, or the SPI of ESP
        mix *= MIX[2]
        mix ^= mix >> U32
        # The first two octets of the payload: RTP version 2, and the packet types that RTCP uses (RFC 5761 §4)
        lead = column(rows, transport + 8, "<u2").copy()
        rtp = (lead & np.uint16(0x00C0)) == 0x0080
        rtp &= (lead & np.uint16(0xE000)) != 0xC000
        rtp &= udp
        rtp &= room >= length + 20
        rtp &= usual
        start = part.net + (length + 8)
        sent = column(rows, transport + 4, ">u2").astype(np.int64)  # UDP length
        sent += part.net
        sent += length
        shorter = udp & (sent >= start) & (sent < whole)
        if shorter.any():
            whole[shorter] = sent[shorter]
            np.minimum(end, whole, out=end)
            rtp &= end - start >= 12
        media = np.flatnonzero(rtp)
        if len(media):
            media = self._without_esp(rows, transport, media, rtp)
        if len(media):
            key = mix ^ column(rows, transport + 16, "<u4")
            key *= MIX[0]
            key ^= key >> U29
            key *= MIX[1]
            key |= ONE
            sequence = column(rows, transport + 10, ">u2").astype(np.uint16)
            found = Media(key, sequence, part.when, part.frame, start, end, whole, part.net, lead)
            self.sink.media(found if len(media) == len(rows) else found.some(media), origin)
        other = np.flatnonzero(usual & ~rtp)
        if not len(other):
            return
        found_rest = Rest(
            chosen(rows, other),
            transport,
            mix[other],
            protocol[other],
            part.frame[other],
            part.when[other],
            part.net[other],
            start[other],
            end[other],
            whole[other],
            origin,
            depth,
        )
        kind = found_rest.protocol
        own = kind != UDP
        if own.any():
            header = np.zeros(len(kind), np.int64)
            tcp = kind == TCP
            header[tcp] = (found_rest.rows[tcp, transport + 12] >> 4).astype(np.int64) * 4
            bare = (kind == SCTP) | (kind == ESP)
            found_rest.start[tcp] += header[tcp] - 8
            found_rest.start[bare] -= 8
            good = ~tcp | ((header >= 20) & (found_rest.start <= found_rest.end))
            if not good.all():
                self.sink.skipped("TCP header cut or malformed", int(np.count_nonzero(~good)))
                which = np.flatnonzero(good)
                found_rest = Rest(
                    chosen(found_rest.rows, which),
                    transport,
                    found_rest.mix[which],
                    found_rest.protocol[which],
                    found_rest.frame[which],
                    found_rest.when[which],
                    found_rest.net[which],
                    found_rest.start[which],
                    found_rest.end[which],
                    found_rest.whole[which],
                    origin,
                    depth,
                )
        if len(found_rest.frame):
            self.sink.rest(data, found_rest)

    @staticmethod
    def _without_esp(
        rows: NDArray[np.uint8], transport: int, media: NDArray[np.intp], rtp: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Datagrams on the port of ESP in UDP (RFC 3948) are no media: an SPI may look like RTP."""
        secured = column(rows, transport, ">u2") == IKE_NAT_PORT
        secured |= column(rows, transport + 2, ">u2") == IKE_NAT_PORT
        if not secured.any():
            return media
        rtp &= ~secured
        return np.flatnonzero(rtp)

    def _unusual(
        self,
        data: NDArray[np.uint8],
        part: Part,
        which: NDArray[np.intp],
        protocol: NDArray[np.uint8],
        plain: NDArray[np.bool_],
        end: NDArray[np.int64],
        length: int,
        six: bool,
        origin: int,
        depth: int,
    ) -> None:
        """Tunnels in columns; options, extension headers and fragments one by one; the rest is not ours."""
        if not len(which):
            return
        kind = protocol[which]
        tidy = plain[which]
        for number in (4, 41):
            inner = which[tidy & (kind == number)]
            self._again(data, part, inner, part.net[inner] + length, origin | IP_IN_IP, depth + 1)
        gre = which[tidy & (kind == 47) & (end[which] - part.net[which] >= length + 12)]
        if len(gre):
            self._gre(data, part, gre, part.net[gre] + length, end[gre], origin | GRE, depth + 1)
        odd = ~tidy
        odd |= kind == 51
        if six:
            odd |= np.isin(kind, (0, 43, 44, 60, 135, 139, 140))
        if depth >= MAX_DEPTH:
            self.sink.skipped("tunnels nested too deep", int(np.count_nonzero(odd)))
            return
        view = data.data
        some = which[odd]
        for at, stop, frame, when in zip(
            part.net[some].tolist(),
            part.end[some].tolist(),
            part.frame[some].tolist(),
            part.when[some].tolist(),
            strict=True,
        ):
            self.sink.odd(bytes(view[at:stop]), frame, when, origin, depth)

    def _gre(
        self,
        data: NDArray[np.uint8],
        part: Part,
        which: NDArray[np.intp],
        at: NDArray[np.int64],
        end: NDArray[np.int64],
        origin: int,
        depth: int,
    ) -> None:
        """GRE version 0 (RFC 2784, RFC 2890) and version 1 (RFC 2637) around IP, Ethernet or PPP."""
        heads = gather(data, at, 4)
        flags = column(heads, 0, ">u2").astype(np.int64)
        kind = column(heads, 2, ">u2").astype(np.int64)
        skip = 4 + np.where(flags & 0xC000, 4, 0) + np.where(flags & 0x2000, 4, 0) + np.where(flags & 0x1000, 4, 0)
        pptp = flags & 7 == 1
        skip = np.where(pptp, 8 + np.where(flags & 0x1000, 4, 0) + np.where(flags & 0x0080, 4, 0), skip)
        skip += np.where(kind == 0x88BE, 8, 0)  # ERSPAN II
        for link, member in (
            (RAW, ~pptp & ((kind == ETHERTYPE_IPV4) | (kind == ETHERTYPE_IPV6))),
            (ETHERNET, ~pptp & ((kind == 0x6558) | (kind == 0x88BE))),
            (9, pptp & (kind == 0x880B)),
        ):
            some = np.flatnonzero(member)
            if len(some):
                here = which[some]
                self.inner(data, (at + skip)[some], end[some], part.frame[here], part.when[here], link, origin, depth)
