"""Proves the SRTCP packets of one sender; each carries its index: nothing has to be searched (RFC 3711 §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.keys.diagnosis import bare_compound, reads_as_compound
from imsinspect.keys.trial import (
    Account,
    Otherwise,
    Sightings,
    Try,
    everything_at,
    full_tries,
    parts,
    told_ssrc,
    tries_of,
)
from imsinspect.trace.proof_words import PLAIN, TAG_CUT

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.keys.candidates import Candidate
    from imsinspect.trace.model import Proof, RtcpSource

BATCH_TRIES = 8
CLASSIFIED = 1024  # packets in a row that failed, of which each is looked at


class SenderProof:
    """The proof of one sender's SRTCP in the making."""

    __slots__ = (
        "_account", "_current", "_failing", "_full", "_otherwise", "_said", "_sightings", "_tries", "by", "counted",
        "source",
    )  # fmt: skip

    def __init__(
        self, source: RtcpSource, candidates: list[Candidate], otherwise: Otherwise, *, several: bool = False
    ) -> None:  # fmt: skip
        """`several` captures may show the same packets."""
        self.source = source
        self.by: Try | None = None  # what verified the last datagram taken
        self.counted = ""  # the relation that it was counted under
        self._account = Account(len(candidates))
        self._sightings = Sightings() if several else None
        self._tries = tries_of(candidates)
        self._otherwise = otherwise
        self._full = full_tries(len(candidates))
        self._current: Try | None = None
        self._failing = 0
        self._said = ("", "")

    def skip(self, count: int) -> None:
        """Datagrams that were cut by the snap length."""
        self._account.proof.unchecked += count

    def spoiled(self, frame: FrameId, diagnosis: str, detail: str) -> None:
        """A packet of this sender by its SSRC that reads as none."""
        self._account.wrong([frame], diagnosis, detail)

    def take(self, packet: bytes, frame: FrameId, time: int, *, plain: bool) -> int:
        """Check one datagram; its index if it verified, else -1."""
        self.by = found = self._find(packet)
        if found is None:
            if self._sightings is not None and self._sightings.again(packet, frame):
                return -1
            if plain and (reads_as_compound(packet) or not self._account.verified_any):
                self._account.wrong([frame], PLAIN, "the compound ends with the datagram")
            else:
                self._failing += 1
                self._failed(packet, frame)
            return -1
        self._failing = 0
        self._current = found
        _, index = found.keys.srtcp_index(packet)
        (part,) = parts(0, 1, found, [time], self._mki(packet, found))
        self.counted = part.relation
        self._account.used(found, part.relation, [frame], (index, index), time)
        if found.right and part.relation == found.relation:
            self._account.right(1)
        else:
            self._account.wrong([frame], part.relation, part.detail, checked=True)
        return index

    def fits(self, packet: bytes) -> bool:
        """Whether a key that is right verifies it."""
        return any(each.keys.verify_srtcp(packet) for each in self._tries if each.right)

    @staticmethod
    def _mki(packet: bytes, by: Try) -> list[bytes] | None:
        """The MKI, which no tag covers (RFC 3711 §3.4)."""
        parameters = by.keys.parameters
        if not parameters.mki_octets:
            return None
        end = len(packet) - (0 if parameters.aead else parameters.srtcp_tag_octets)
        return [packet[end - parameters.mki_octets : end]]

    def _find(self, packet: bytes) -> Try | None:
        current = self._current
        if current is not None and current.keys.verify_srtcp(packet):
            return current
        whole = everything_at(self._failing, self._full)
        for each in self._tries if whole else [each for each in self._tries if each.right][:BATCH_TRIES]:
            if each.keys.verify_srtcp(packet):
                return each
        if (self._failing == 0 or self._failing in self._otherwise.at) and not self._account.verified_any:
            return self._find_otherwise(packet)
        return None

    def _find_otherwise(self, packet: bytes) -> Try | None:
        """Whether a peer took other parameters, or the key of another call; what did fit is tried from now on."""
        for each in self._otherwise.tries(self._tries, rtcp=True):
            if each.keys.verify_srtcp(packet):
                self._tries.append(each)
                return each
        return None

    def _failed(self, packet: bytes, frame: FrameId) -> None:
        if self._failing <= CLASSIFIED:
            keys = [each.keys for each in self._tries if each.right][:BATCH_TRIES]
            if any(bare_compound(each, packet) for each in keys):
                self._said = TAG_CUT, "the index ends the packet: no tag"
            else:
                self._said = self._account.unexplained(self._failing), ""
        self._account.wrong([frame], *self._said)

    def as_other(self, packet: bytes, frame: FrameId) -> bool:
        """Whether a packet with another SSRC verifies once it has this sender's; it is then counted here."""
        mended = packet[:4] + self.source.ssrc.to_bytes(4, "big") + packet[8:]
        tries = [self._current] if self._current is not None else [each for each in self._tries if each.right]
        if not any(each.keys.verify_srtcp(mended) for each in tries[:BATCH_TRIES]):
            return False
        self._account.wrong([frame], *told_ssrc(self.source.ssrc))
        return True

    def finish(self) -> Proof:
        """The proof, when all datagrams were taken."""
        return self._account.finish()
