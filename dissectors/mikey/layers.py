"""Scapy layers of MIKEY messages: what a person sees as nodes of a packet tree.

    MIKEY(message)      one whole message: HDR with its CS ID map, then the chain of payloads

Every octet is kept: `bytes(MIKEY(data)) == data` for any data but none at all. Lengths, counts and next payload codes
show as they were read, and are computed when a layer is built with None in them. Where the chain cannot be walked on,
the rest stays raw, and `notes` says why. Field names are those of RFC 3830, RFC 6043, RFC 6267 and RFC 6509.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.layers.inet import UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers

from dissectors.binary import Bits, BitsLength, Chain, Layer, Length, Number, Numbers, One, Opaque, named
from dissectors.mikey import codes
from dissectors.mikey.compositions import COMPOSITIONS, DHHMAC_MESSAGES, DHHMAC_PAYLOADS, TICKET_MESSAGES
from dissectors.mikey.extension.layers import GeneralExtension
from dissectors.mikey.fields import CountOf, NextPayload, PayloadChain, complete, registered
from dissectors.mikey.identity_based.layers import ECCPT, ESK, IBAKE, SAKKE, SK
from dissectors.mikey.payload.layers import (
    CERT,
    CHASH,
    DH,
    DHHMACKEMAC,
    ERR,
    ID,
    IDR,
    KEMAC,
    PKE,
    RAND,
    RANDR,
    SIGN,
    TR,
    Chained,
    KeyData,
    PublicKeyKEMAC,
    T,
    V,
)
from dissectors.mikey.policy.layers import SP
from dissectors.mikey.ticket.layers import TICKET, TP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PORT = 2269
"""UDP port `mikey` of the service name registry."""


# --- CS ID maps -----------------------------------------------------------------------------------


class SRTPID(Layer):
    """RFC 3830 §6.1.1, one crypto session of an SRTP-ID map; its CS ID is its place, counted from 1."""

    name = "SRTP-ID"
    fields_desc = [Number("policy_no", 0, 1), Number("ssrc", 0, 4), Number("roc", 0, 4)]


class SRTPSessionData(Layer):
    """RFC 6043 §6.1.1, session data of SRTP with S=0."""

    name = "SRTP session data"
    fields_desc = [Number("ssrc", 0, 4)]


class SRTPSessionDataWithROC(Layer):
    """RFC 6043 §6.1.1, session data of SRTP with S=1."""

    name = "SRTP session data with ROC and SEQ"
    fields_desc = [Number("ssrc", 0, 4), Number("roc", 0, 4), Number("seq", 0, 2)]


def _session_data(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.prot_type == codes.SRTP:
        return SRTPSessionDataWithROC if pkt.S else SRTPSessionData
    raw: type[Packet] = Raw
    return raw


class GenericID(Layer):
    """RFC 6043 §6.1.1, one crypto session of a GENERIC-ID map."""

    name = "GENERIC-ID"
    fields_desc = [
        Number("cs_id", 1, 1),
        Number("prot_type", codes.SRTP, 1, registered(codes.PROT_TYPES)),
        Bits("S", 0, 1, named({0: "no ROC and SEQ in session data", 1: "ROC and SEQ in session data"}), begins=1),
        BitsLength("number_of_policies", "policies", 7),
        Numbers("policies", "number_of_policies", 1),
        Length("session_data_length", "session_data", 2),
        One("session_data", "session_data_length", _session_data),
        Length("spi_length", "spi", 1),
        Opaque("spi", b"", "spi_length"),
    ]


CS_ID_MAPS: dict[int, type[Packet] | None] = {codes.SRTP_ID: SRTPID, codes.EMPTY_MAP: None, codes.GENERIC_ID: GenericID}
"""Crypto sessions by CS ID map type; an empty map has none."""


def _crypto_session(pkt: Any, found: list[Packet], data: bytes) -> type[Packet] | None:
    if len(found) >= pkt.number_of_cs or (found and not complete(found[-1])):
        return None
    return CS_ID_MAPS.get(pkt.cs_id_map_type)


# --- messages -------------------------------------------------------------------------------------

PAYLOADS: dict[int, type[Packet]] = {
    one.payload_code: one
    for one in (
        *(KEMAC, PKE, DH, SIGN, T, ID, CERT, CHASH, V, SP, RAND, ERR, TR, IDR, RANDR, TP, TICKET),
        *(KeyData, GeneralExtension, IBAKE, ESK, SK, ECCPT, SAKKE),
    )
}
"""Payloads by their code."""

_PUBLIC_KEY = PAYLOADS | {codes.KEMAC: PublicKeyKEMAC}
_PAYLOADS_OF: dict[int, dict[int, type[Packet]]] = {
    **dict.fromkeys((2, 10, 21), _PUBLIC_KEY),
    **dict.fromkeys(DHHMAC_MESSAGES, PAYLOADS | {codes.KEMAC: DHHMACKEMAC}),
}
_ONLY_INSIDE = {codes.KEY_DATA: "KEMAC", codes.SK: "ESK", codes.ECCPT: "IBAKE"}


def _payloads_of(pkt: Any) -> Mapping[int, type[Packet]]:
    """How payloads are read depends on the mode, which only HDR tells."""
    payloads: Mapping[int, type[Packet]] = _PAYLOADS_OF.get(pkt.getfieldval("data_type"), PAYLOADS)
    return payloads


def _first_payload(pkt: Any) -> int | bytes | None:
    return pkt.getfieldval("next_payload") if pkt.map_is_whole() else codes.LAST_PAYLOAD


class MIKEY(Chained):
    """RFC 3830 §6.1, one message: the common header, its CS ID map, and the payloads."""

    name = "MIKEY"
    fields_desc = [
        Number("version", 1, 1, named(codes.VERSIONS)),
        Number("data_type", 0, 1, registered(codes.DATA_TYPES)),
        NextPayload(of="payloads"),
        Bits("V", 0, 1, named({0: "no response is wanted", 1: "a response is wanted"}), begins=1),
        Bits("prf_func", 0, 7, registered(codes.PRF_FUNCTIONS, range(112, 128))),
        Number("csb_id", 0, 4),
        CountOf("number_of_cs", "cs_id_map_info"),
        Number("cs_id_map_type", codes.SRTP_ID, 1, registered(codes.CS_ID_MAP_TYPES)),
        Chain("cs_id_map_info", _crypto_session),
        PayloadChain("payloads", _first_payload, _payloads_of),
    ]

    def map_is_whole(self) -> bool:
        """Whether the CS ID map was read to its end, so that payloads can be found behind it."""
        kind, sessions = self.getfieldval("cs_id_map_type"), self.getfieldval("cs_id_map_info")
        if kind not in CS_ID_MAPS or not all(complete(session) for session in sessions[-1:]):
            return False
        return CS_ID_MAPS[kind] is None or self.getfieldval("number_of_cs") in (None, len(sessions))

    def walked(self) -> bool:
        """Whether map and chain were read to the last payload."""
        return self.map_is_whole() and super().walked()

    def stops(self) -> Iterator[str]:
        """Why the map, or the chain of payloads, could not be read to its end."""
        if self.map_is_whole():
            yield from super().stops()
        elif self.getfieldval("cs_id_map_type") in CS_ID_MAPS:
            there = len(self.getfieldval("cs_id_map_info"))
            yield f"the CS ID map is cut short: {there} of {self.number_of_cs} crypto sessions are there"
        elif isinstance(self.cs_id_map_type, int):
            yield f"the CS ID map type {self.cs_id_map_type} is not known: map and payloads stay raw"

    def troubles(self) -> Iterator[str]:
        """Where the chain stops, or else what the message lacks of the composition of its data type."""
        if self.version not in (1, b""):
            yield f"version {self.version} is not 1"
        if not self.walked():
            yield from self.stops()
            return
        found = self.chain()
        composition = COMPOSITIONS.get(self.data_type)
        if composition is not None:
            yield from composition.troubles(found)
        yield from self._misplaced(found)

    def _misplaced(self, found: tuple[int, ...]) -> Iterator[str]:
        """Payloads and maps that messages of this data type may not have."""
        for code, holder in _ONLY_INSIDE.items():
            if code in found:
                yield f"{codes.NEXT_PAYLOADS[code]} must stand inside {holder}"
        if self.cs_id_map_type == codes.EMPTY_MAP and codes.SP in found and self.data_type != 26:
            yield "SP must not be in a message with an empty map"  # RFC 4563 §5; SAKKE messages of 3GPP do it
        if self.data_type in DHHMAC_MESSAGES:
            for code in sorted(set(found) - DHHMAC_PAYLOADS):
                yield f"{codes.NEXT_PAYLOADS[code]} must not be in a DHHMAC message"
        if self.data_type in TICKET_MESSAGES:
            if self.cs_id_map_type == codes.SRTP_ID:
                yield "an SRTP-ID map must not be in a MIKEY-TICKET message"
            if codes.ID in found:
                yield "ID must not be in a MIKEY-TICKET message, which has IDR"
            for kemac in self.payloads:
                if isinstance(kemac, KEMAC) and any(key.KV != codes.KV_SPI for key in kemac.keys_in_clear()):
                    yield "a key without an SPI must not be in a MIKEY-TICKET message"
        if self.data_type in _FORKING:
            for ticket in self.payloads:
                if isinstance(ticket, TICKET) and ticket.I == 1 and not ticket.has_initiator_data():
                    yield "Initiator data is missing although flag I of TICKET is 1"

    def relink(self) -> None:
        """Let counts and next payload codes be computed anew, after payloads or crypto sessions were changed."""
        self.next_payload = self.number_of_cs = None
        for payload in self.payloads:
            if any(field.name == "next_payload" for field in payload.fields_desc):
                payload.next_payload = None


_FORKING = frozenset({14, 16, 17})  # messages whose ticket carries Initiator data where keys are forked


bind_bottom_up(UDP, MIKEY, dport=PORT)
bind_bottom_up(UDP, MIKEY, sport=PORT)
bind_layers(UDP, MIKEY, sport=PORT, dport=PORT)
