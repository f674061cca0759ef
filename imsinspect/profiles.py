"""Which of the specifications' solutions each leg uses, inferred from the trace (rules.md 0.3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, uri_of
from dissectors.tls.suites import suite
from imsinspect.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.conference_model import Conference, Subscription
    from imsinspect.trace.model import Call, LineState, MediaLine, Negotiation, Trace

DECISIVE, STRONG, MEDIUM, WEAK = 100, 10, 3, 1
ENOUGH = 10  # the highest sum must reach it

WEIGHT_NAMES = {DECISIVE: "decisive", STRONG: "strong", MEDIUM: "medium", WEAK: "weak"}

E2AE_OF = {"rtp": "E2AE-RTP", "msrp": "E2AE-MSRP", "bfcp": "E2AE-BFCP"}
"""The end-to-access-edge profile of each kind of line."""

MEDIASEC_OF = {"sdes-srtp": "rtp", "msrp-tls": "msrp", "bfcp-tls": "bfcp"}
"""The kind of line that a mechanism marked `;mediasec` protects (TS 24.229 §7.2A.7)."""

SDES, KMS, E2AE, STUDY, OPEN = "E2E-SDES", "E2E-KMS", "E2AE", "TR-KMS", "open"
SOLUTION_OF_A_CONFERENCE = {KMS: "G3"}  # TS 33.328 Annex G.3; all others are G.2

COVERS: dict[str, frozenset[str]] = {
    "g2": frozenset(("G2",)),
    "g3": frozenset(("G3", KMS)),
    "e2ae": frozenset(E2AE_OF.values()),
    "e2e-sdes": frozenset((SDES,)),
    "e2e-kms": frozenset((KMS,)),
    "tr-sdes": frozenset(("TR-SDES",)),
    "tr-kms": frozenset(("TR-KMS",)),
    "im-sig": frozenset(("IM-SIG",)),
    "im-kms": frozenset(("IM-KMS",)),
    "rfc-only": frozenset(),
}
"""Tokens of rules that apply when the user asks for a profile."""

TICKET_TRANSFER = frozenset((14, 15))  # MIKEY data types TRANSFER_INIT and TRANSFER_RESP (RFC 6043 §4.2)
MAX_REASONS = 16
MAX_LEGS = 16


@dataclass(slots=True, frozen=True)
class ProfileChoice:
    """A profile token of rules.md 0.3 and how it was obtained."""

    name: str  # "auto" for a run; "E2AE-RTP", "E2E-SDES" …, or "open" where nothing decides
    inferred: bool
    because: tuple[str, ...] = ()
    covers: frozenset[str] = frozenset()  # tokens whose rules apply


@dataclass(slots=True)
class _Score:
    """Evidence gathered for one call; one observation counts once for a profile."""

    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    decisive: set[str] = field(default_factory=set)
    reasons: dict[str, None] = field(default_factory=dict)
    _counted: set[tuple[str, str]] = field(default_factory=set)

    def add(self, profile: str, weight: int, observation: str, place: str = "") -> None:
        """An observation that speaks for a profile, with where it was made."""
        self.note(f"{observation}{place} ({WEIGHT_NAMES[weight]} for {profile})")
        if (profile, observation) in self._counted:
            return
        self._counted.add((profile, observation))
        self.sums[profile] += weight
        if weight == DECISIVE:
            self.decisive.add(profile)

    def note(self, text: str) -> None:
        """Something seen."""
        if len(self.reasons) < MAX_REASONS:
            self.reasons[text] = None


@dataclass(slots=True, frozen=True)
class Profiles:
    """The profile of every call and conference, by their ids."""

    calls: dict[str, ProfileChoice]
    conferences: dict[str, ProfileChoice]


def choose(trace: Trace, asked: str = "auto", policy: Policy | None = None) -> Profiles:
    """The profiles that the user asked for, and those that the trace shows where the user asked for none.

    What the policy says of one call or conference is nearer than what is asked for all of them.
    """
    policy = policy or Policy()
    general = asked if asked != "auto" else policy.profile or "auto"
    inferred = infer(trace)
    told = {call.id: policy.calls.get(call.call_id.decode("utf-8", "replace")) for call in trace.calls}
    conferences: dict[str, ProfileChoice] = {}
    of_conference: dict[str, str] = {}
    for conference in trace.conferences:
        scope = policy.conferences.get(conference.uri)
        name = scope.profile if scope is not None and scope.profile is not None else general
        legs = [name for each in conference.participants for leg in each.legs for name in (leg.call, *leg.also)]
        if name != general or name != "auto":
            of_conference |= dict.fromkeys(legs, name)
        conferences[conference.id] = (
            _explicit(name, None)
            if name != "auto"
            else _of_conference(conference, [inferred[leg] for leg in legs if leg in inferred])
        )
    calls = {}
    for call in trace.calls:
        scope = told[call.id]
        own = scope.profile if scope is not None else None
        name = own or of_conference.get(call.id, general)
        calls[call.id] = inferred[call.id] if name == "auto" else _explicit(name, inferred[call.id])
    return Profiles(calls, conferences)


def _explicit(name: str, inferred: ProfileChoice | None) -> ProfileChoice:
    """What the user chose. In G.2 legs are protected to the access edge or with the focus, as inference shows."""
    covers = COVERS[name]
    if name == "g2" and inferred is not None:
        covers |= inferred.covers & {*E2AE_OF.values(), SDES}
    return ProfileChoice(name, inferred=False, covers=covers)


def _of_conference(conference: Conference, legs: list[ProfileChoice]) -> ProfileChoice:
    """The profile that the legs show; where they show none, what protects the notifications may."""
    found = _of_legs(legs)
    if found.name != OPEN or not any(_pre_shared(each) for each in conference.subscriptions):
        return found
    because = "NOTIFY in S/MIME under a pre-shared key (strong for G3)"
    return ProfileChoice("G3", inferred=True, because=(because,), covers=COVERS["g3"])


def _pre_shared(subscription: Subscription) -> bool:
    """State is sent in S/MIME for recipients with a key-encryption key (RFC 5652 §6.2.3)."""
    recipients = (
        recipient.kind
        for notification in subscription.notifications
        if notification.sealed
        for body in notification.message.sealed
        if body.facts is not None
        for recipient in body.facts.recipients
    )
    return "kekri" in recipients


def _of_legs(legs: list[ProfileChoice]) -> ProfileChoice:
    """The profile that most of the legs of a conference have; open where none does, or two are as frequent."""
    names = Counter(leg.name for leg in legs if leg.name != OPEN)
    ranked = names.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return ProfileChoice(OPEN, inferred=True)
    name = ranked[0][0]
    same = [leg for leg in legs if leg.name == name]
    because = (f"{len(same)} of {len(legs)} legs", *same[0].because)
    return ProfileChoice(name, inferred=True, because=because, covers=frozenset().union(*(leg.covers for leg in same)))


def infer(trace: Trace) -> dict[str, ProfileChoice]:
    """The profile of each call, by its id.

    The highest sum of weights wins if it is at least 10 and no decisive observation contradicts; else the profile is
    "open". `because` says what was seen.
    """
    calls = {call.id: call for call in trace.calls}
    announced = _announced(trace)
    conferences = _conference_uris(trace)
    return {call.id: _choose(call, _legs(call, calls), announced, conferences) for call in trace.calls}


def _legs(call: Call, calls: dict[str, Call]) -> list[Call]:
    return [calls[name] for name in call.related[:MAX_LEGS] if name in calls]


def _choose(call: Call, legs: list[Call], announced: dict[str, set[str]], conferences: set[bytes]) -> ProfileChoice:
    score = _Score()
    focus = _conference(call, conferences)
    agreed = _agreed(call, announced).union(*(_agreed(leg, announced) for leg in legs))
    for line in call.lines:
        for state in line.states:
            _judge_state(score, call, line, state, focus != "")
        _judge_sessions(score, line)
    _judge_edge(score, call, legs, agreed)
    families = {state.offered.profile.family for line in call.lines for state in line.states}
    for mechanism in sorted(agreed):
        family = MEDIASEC_OF.get(mechanism, "")
        if family in families:
            score.add(E2AE_OF[family], MEDIUM, f"{mechanism};mediasec agreed at registration")
    if focus:
        score.note(focus)
        _judge_study(score, call)
    name = solution = _winner(score)
    if focus and name != OPEN:
        name = SOLUTION_OF_A_CONFERENCE.get(name, "G2")
    return ProfileChoice(name, inferred=True, because=tuple(score.reasons), covers=_covered(score, name, solution))


def _covered(score: _Score, name: str, solution: str) -> frozenset[str]:
    """Tokens whose rules apply to a leg: its solution's, and its conference's."""
    if name == OPEN:
        return frozenset()
    if solution != E2AE:
        return frozenset((name, solution))
    edge = {each for each in E2AE_OF.values() if score.sums.get(each, 0) >= ENOUGH}
    return frozenset((edge or {*E2AE_OF.values()}) | ({name} - {E2AE}))


def _winner(score: _Score) -> str:
    """The profile with the highest sum; where lines of several kinds are protected to the access edge, E2AE."""
    edge = {profile for profile in score.sums if profile in E2AE_OF.values() or profile == E2AE}
    if not score.sums or (score.decisive and score.decisive - edge and score.decisive & edge):
        return OPEN
    sums = {profile: total for profile, total in score.sums.items() if profile not in edge}
    if edge:
        whole = max(score.sums[profile] for profile in edge)
        named = [profile for profile in edge if score.sums[profile] >= ENOUGH] or sorted(edge)
        sums[named[0] if len(named) == 1 else E2AE] = whole
    best = max(sums.values())
    leaders = [profile for profile, total in sums.items() if total == best]
    if best < ENOUGH or len(leaders) > 1:
        return OPEN
    if score.decisive and not score.decisive & (edge if leaders[0] in (*edge, E2AE) else {leaders[0]}):
        return OPEN
    return leaders[0]


# --- lines ----------------------------------------------------------------------------------------


def _judge_state(score: _Score, call: Call, line: MediaLine, state: LineState, focus: bool) -> None:
    """What offer and answer of one state say."""
    offered, answered = state.offered, state.answered
    sides = [media for media in (offered, answered) if media is not None]
    place = f", {offered.type.decode('ascii', 'backslashreplace')} line {line.index}"
    family = offered.profile.family
    edge = E2AE_OF.get(family, E2AE)
    indicators = [media.e2ae for media in sides if _has(media, b"3ge2ae")]
    indicators = [indicator for indicator in indicators if indicator in (b"requested", b"applied")]
    for indicator in indicators:
        score.add(edge, DECISIVE, f"a=3ge2ae:{indicator.decode()}", place)
    tickets = [number for media in sides for number in _mikey_types(media) if number in TICKET_TRANSFER]
    for number in dict.fromkeys(tickets):
        score.add(KMS, DECISIVE, f"a=key-mgmt:mikey with data type {number}", place)
    if answered is None or answered.port == 0 or indicators:
        return
    if not (offered.profile.secure and answered.profile.secure):
        return
    if family == "rtp" and _has(offered, b"crypto") and _has(answered, b"crypto"):
        peer = "with the focus" if focus else "on both sides"
        score.add(SDES, STRONG, f"{offered.transport} with a=crypto {peer}, no a=3ge2ae", place)
    elif (
        offered.profile.security == "tls"
        and family in E2AE_OF
        and not tickets
        and "core" not in (line.side, call.side)
        and any(media.fingerprints for media in sides)
    ):
        score.add(edge, MEDIUM, f"{offered.transport} with a=fingerprint, no a=key-mgmt", place)


def _has(media: Media, name: bytes) -> bool:
    """Whether a section has the attribute, found without taking all of them apart."""
    return b"\na=" + name + b":" in media.section.text


def _mikey_types(media: Media) -> Iterator[int]:
    """Data types of the MIKEY messages that apply to a section: the second octet of each (RFC 3830 §6.1)."""
    if b"\na=key-mgmt:" not in media.session.text and not _has(media, b"key-mgmt"):
        return
    for key_mgmt in media.key_mgmt_in_force:
        if key_mgmt.protocol == b"mikey" and len(key_mgmt.data) > 1:
            yield key_mgmt.data[1]


def _judge_sessions(score: _Score, line: MediaLine) -> None:
    """A server that chose a plain PSK suite for a client without an identity (TS 33.328 Annex H.2)."""
    for session in line.tls_sessions:
        if session.cipher_suite is None or session.psk_identity != b"":
            continue
        chosen = suite(session.cipher_suite)
        if chosen.key_exchange == "PSK":
            score.add(KMS, STRONG, f"TLS session with {chosen.name} and an empty PSK identity", f", line {line.index}")


def _judge_edge(score: _Score, call: Call, legs: list[Call], agreed: set[str]) -> None:
    """A line that is secure on one side of a node and clear on the other, where e2ae was asked for or agreed."""
    transports: dict[tuple[int, str], dict[bool, dict[frozenset[str], Media]]] = {}
    asked = False
    for leg in (call, *legs):
        for negotiation in leg.negotiations:
            message = negotiation.offer.message
            hop = frozenset((message.source.ip, message.destination.ip))
            for media in _accepted(negotiation):
                asked = asked or (_has(media, b"3ge2ae") and media.e2ae != b"")
                sides = transports.setdefault((media.index, media.profile.family), {True: {}, False: {}})
                sides[media.profile.secure].setdefault(hop, media)
    if not asked and not agreed:
        return
    mechanisms = {MEDIASEC_OF.get(mechanism, "") for mechanism in agreed}
    for (index, family), sides in transports.items():
        # A hop that was secure and became clear was downgraded: that is no second side.
        secure = next((media for hop, media in sides[True].items() if hop not in sides[False]), None)
        clear = next((media for hop, media in sides[False].items() if hop not in sides[True]), None)
        if secure is None or clear is None or secure.profile.clear != clear.transport:
            continue
        if asked or family in mechanisms:
            score.add(
                E2AE_OF.get(family, E2AE),
                DECISIVE,
                f"{secure.transport} on one side and {clear.transport} on the other",
                f", line {index}",
            )


def _accepted(negotiation: Negotiation) -> Iterator[Media]:
    """Sections of an offer that was answered with the same transport; a downgrade is no second side."""
    answer = negotiation.answer
    if answer is None or negotiation.rejected:
        return
    for offered, answered in zip(negotiation.offer.sdp.media, answer.sdp.media, strict=False):
        if answered.port and offered.profile.secure == answered.profile.secure:
            yield offered
            yield answered


def _judge_study(score: _Score, call: Call) -> None:
    """Tickets where the older study puts them (TR 33.829 §5.2): in REFER, and in the INVITE to a factory URI."""
    factory = b""
    for message in call.messages:
        sip = message.sip
        if sip.method == b"REFER" and b"key-mgmt:mikey" in sip.body:
            score.add(STUDY, WEAK, "ticket on REFER")
        elif sip.method == b"INVITE" and not sip.to_tag and b"key-mgmt:mikey" in sip.body:
            factory = sip.request_uri.partition(b";")[0]
        elif factory and 200 <= sip.status < 300 and sip.cseq_method == b"INVITE" and b"isfocus" in sip.head:
            contacts = sip.header_values(b"contact")
            if contacts and uri_of(contacts[0]).partition(b";")[0] != factory:
                score.add(STUDY, WEAK, "ticket in INVITE to a factory URI")


# --- registrations and conferences ----------------------------------------------------------------


def _announced(trace: Trace) -> dict[str, set[str]]:
    """Mechanisms marked `;mediasec` that both sides named, by identity and by the address of the UE."""
    out: dict[str, set[str]] = {}
    for registration in trace.registrations:
        if not registration.mediasec:
            continue
        out.setdefault(_identity(registration.identity), set()).update(registration.mediasec)
        for message in registration.messages:
            if message.sip.method and message.sip.header(b"security-client"):
                out.setdefault(message.source.ip, set()).update(registration.mediasec)
    return out


def _identity(uri: bytes) -> str:
    """A URI without scheme, parameters and port, to be compared (rules.md 17.9)."""
    text = uri.decode("utf-8", "replace").partition(";")[0].lower()
    scheme, _, rest = text.partition(":")
    if scheme not in ("sip", "sips", "tel"):
        return text
    user, at, host = rest.rpartition("@")
    return f"{user}{at}{host.partition(':')[0]}"


def _agreed(call: Call, announced: dict[str, set[str]]) -> set[str]:
    """Mechanisms agreed at registration by a party of the call."""
    if not announced:
        return set()
    names = {_identity(call.from_uri), _identity(call.to_uri)}
    for negotiation in call.negotiations[:MAX_LEGS]:
        names.add(negotiation.offer.message.source.ip)
        names.add(negotiation.offer.message.destination.ip)
    return {mechanism for name in names for mechanism in announced.get(name, ())}


def _conference_uris(trace: Trace) -> set[bytes]:
    """URIs that somebody subscribed to as conferences (RFC 4575)."""
    out: set[bytes] = set()
    for message in trace.messages:
        if message.sip.method == b"SUBSCRIBE":
            events = message.sip.header(b"event")
            if events and events[0].partition(b";")[0].strip().lower() == b"conference":
                out.add(uri_of(message.sip.to))
    return out


def _conference(call: Call, conferences: set[bytes]) -> str:
    """What shows that a call is one with a conference focus; "" if nothing does."""
    for uri in (call.to_uri, call.from_uri):
        if uri in conferences:
            return "Event: conference was subscribed at the URI of the call (decisive for a conference)"
    for message in call.messages:
        if b"isfocus" not in message.sip.head:
            continue
        for contact in message.sip.header_values(b"contact"):
            if b"isfocus" in parameters(contact):
                return "Contact with isfocus (decisive for a conference)"
    return "leg of a conference, by its URI or another hop" if call.conference else ""
