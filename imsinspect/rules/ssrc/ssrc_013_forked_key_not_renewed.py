"""IMS-SSRC-013."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.facts import SECOND, frame_text, media_name, not_assessed, text, unseen_offers
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.keys import applies, key_name, keyed_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, SignallingMessage, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES")
END_TO_END = ("E2E-SDES",)
RENEWED_WITHIN = 10 * SECOND  # of the confirmation
TOGETHER = 3 * SECOND  # between the first responses of branches that ring together
RETARGETED = (b"history-info", b"diversion")  # headers that say so (RFC 7044, RFC 5806)


@dataclass(slots=True, frozen=True)
class _Branch:
    """One user agent that a request reached."""

    tag: bytes
    first: SignallingMessage
    contact: bytes


@rule(
    id="IMS-SSRC-013",
    name="forked-key-not-renewed",
    severity=Severity.LOW,
    tier=3,
    profiles=PROFILES,
    references=("RFC 4568 §7.3", "RFC 6043 §12.2"),
    needs=(CALLS,),
)
def forked_key_not_renewed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Key known to several forked branches kept after the call is confirmed.

    What it checks:
        Offers with a=crypto that reached two or more user agents (responses with other To tags and other Contacts), of
        which one took the call: within 10 seconds of its 2xx the offerer has to give the one that stays a new key, by
        re-INVITE or UPDATE. Branches that answered one after the other, or a request that was sent on elsewhere
        (History-Info, Diversion), may be devices or the mailbox of one user: a suspicion. Where the key ends at the
        access gateway (end-to-access-edge) the branches do not get it.
    Why it matters:
        Every branch read the offerer's key. Those that lost the call can decrypt what the offerer says in it.
    What the finding shows:
        The offer with the key's digest, the responses of the branches, and the one that took the call.
    How to fix it:
        Send a new offer with a new key once the call is confirmed, or let the answerer bring the key that matters.
    When it is not assessed:
        T-MID: call or capture end before the 10 seconds are over. N-KEY: the key was masked. N-OA: an answer was seen
        in these 10 seconds, and its offer was not. Branches behind the place of the capture cannot be seen.
    """
    calls = {call.id: call for call in trace.calls}
    ended = max((capture.last_time or 0 for capture in trace.captures), default=0)
    for name in keyed_lines(trace, scene):
        call = calls[name]
        if applies(scene, name, PROFILES) and scene.covers(name, END_TO_END) is not False:
            outcome = _of_call(trace, call, ended)
            if outcome is not None:
                yield outcome


def _of_call(trace: Trace, call: Call, ended: int) -> Outcome | None:
    """None where no offer of the call reached several user agents."""
    negotiation = next((each for each in call.negotiations if each.offer.message.sip.method == b"INVITE"), None)
    if negotiation is None or negotiation.offer.message.sip.to_tag:
        return None
    offer = negotiation.offer
    keyed = [media for media in offer.sdp.media if b"\na=crypto:" in media.section.text]
    if not keyed or any(b"\na=3ge2ae" in media.section.text for media in keyed):
        return None
    branches, confirmed = _branches(call, offer.message)
    winner = branches.get(confirmed.sip.to_tag) if confirmed is not None else None
    if winner is None or confirmed is None:
        return None
    losers = [each for each in branches.values() if each.contact != winner.contact]
    if not losers:
        return None
    subject = Subject("call", call.id)
    media = keyed[0]
    keys = _keys(media)
    if not keys:
        return not_assessed(subject, "N-KEY", "the key was masked")
    if _renewed(call, negotiation.offerer_tag, winner.tag, media.index, keys, confirmed.time):
        return Outcome("pass", subject)
    until = min(call.ended_at or ended, ended)
    if until < confirmed.time + RENEWED_WITHIN:
        return not_assessed(subject, "T-MID", "call or capture end before 10 seconds are over")
    if any(confirmed.time < each <= confirmed.time + RENEWED_WITHIN for each in unseen_offers(call)):
        return not_assessed(subject, "N-OA", "an answer was seen whose offer was not, which may have a new key")
    return _found(trace, call, offer.message, media, winner, losers, confirmed)


def _branches(call: Call, invite: SignallingMessage) -> tuple[dict[bytes, _Branch], SignallingMessage | None]:
    """User agents that responded to a request, by their tags, and the first 2xx."""
    branches: dict[bytes, _Branch] = {}
    confirmed: SignallingMessage | None = None
    for message in call.messages:
        sip = message.sip
        if sip.method or sip.cseq != invite.sip.cseq or sip.cseq_method != b"INVITE" or not 100 < sip.status < 300:
            continue
        contacts = sip.header_values(b"contact")
        if not sip.to_tag or not contacts:
            continue
        branches.setdefault(sip.to_tag, _Branch(sip.to_tag, message, uri_of(contacts[0]).partition(b";")[0]))
        if sip.status >= 200 and confirmed is None:
            confirmed = message
    return branches, confirmed


def _keys(media: Media) -> set[bytes]:
    return {key.key_salt for crypto in media.crypto for key in crypto.keys}


def _renewed(call: Call, offerer: bytes, winner: bytes, index: int, keys: set[bytes], since: int) -> bool:
    """A description of the offerer for the one that stays, with keys that it did not offer before."""
    for negotiation in call.negotiations:
        offer, answer = negotiation.offer, negotiation.answer
        for side, tag in ((offer, negotiation.offerer_tag), (answer, negotiation.answerer_tag)):
            if side is None or tag != offerer or not since < side.message.time <= since + RENEWED_WITHIN:
                continue
            if winner in (side.message.sip.to_tag, side.message.sip.from_tag) and index < len(side.sdp.media):
                new = _keys(side.sdp.media[index])
                if new and new.isdisjoint(keys):
                    return True
    return False


def _found(
    trace: Trace, call: Call, invite: SignallingMessage, media: Media, winner: _Branch, losers: list[_Branch],
    confirmed: SignallingMessage,
) -> Outcome:  # fmt: skip
    serial = all(abs(each.first.time - winner.first.time) > TOGETHER for each in losers)
    retargeted = any(confirmed.sip.header(name) for name in RETARGETED)
    sure = not serial and not retargeted
    digest = next(key.digest for crypto in media.crypto for key in crypto.keys)
    names = ", ".join(text(each.contact) for each in losers[:4])
    words = "" if sure else " The branches may be devices or the mailbox of one user (ambiguous)."
    return Outcome(
        "violation" if sure else "suspect",
        Subject("call", call.id),
        confidence="strong" if sure else "heuristic",
        title="Key of a forked offer kept after the call was confirmed",
        message=(
            f"The offer of {call.id} in {frame_text(trace, invite.frame)} with {key_name(digest)} reached "
            f"{len(losers) + 1} user agents; {text(winner.contact)} took the call in "
            f"{frame_text(trace, confirmed.frame)}, and no new key of the offerer followed within 10 s. Those that did "
            f"not ({names}) hold the key and can decrypt what the offerer says.{words} Not seen: branches behind the "
            "place of the capture."
        ),
        evidence=(
            Evidence(invite.frame, "SDP a=crypto", key_name(digest), "a key that one user agent gets"),
            *(
                Evidence(each.first.frame, "SIP To tag and Contact", f"{text(each.contact)}", "one user agent")
                for each in (*losers[:8], winner)
            ),
            Evidence(confirmed.frame, "SIP 2xx", text(winner.contact), "a new key by re-INVITE or UPDATE"),
        ),
        role="offerer",
        media=media_name(media),
        normalised=("the key of a forked offer is kept", "a new key within 10 s"),
    )
