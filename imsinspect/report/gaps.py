"""What the codes of a missing assessment mean, and what would settle it (rules.md 0.5 and 0.6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.report.words import rule_ranges, subjects_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.rules.outcome import Assessment


class Gap(NamedTuple):
    """A gap or trap code in words."""

    words: str
    settled_by: str


GAPS: dict[str, Gap] = {
    "N-SIP": Gap("SIP is unreadable or absent", "a capture that holds the SIP signalling, or the keys that open it"),
    "N-OA": Gap("only the offer or only the answer was seen", "a capture that holds both offer and answer"),
    "N-MED": Gap("no media packets for the line", "a capture taken where the media passes"),
    "N-HS": Gap("the TLS or DTLS handshake was not fully captured", "a capture that starts before the connection"),
    "N-KEY": Gap("no keys for a cryptographic check", "the session's keys"),
    "N-REG": Gap("the registration is not in the capture", "a capture that starts before the terminal registers"),
    "N-CORE": Gap("the core side was not captured", "a capture of the core side of the same calls"),
    "N-ACC": Gap("the access side was not captured", "a capture of the access side of the same calls"),
    "N-H248": Gap("Iq or Mp was not captured or is not readable", "a capture of the gateway control"),
    "N-KMS": Gap("the exchange with the KMS was not captured", "a capture of the KMS exchange"),
    "N-ROST": Gap("the authorised set or the roster is unknown", "the list of those who may take part"),
    "N-FRAG": Gap("packets are cut or could not be put together", "a capture with whole packets"),
    "N-CLK": Gap("no trustworthy time base", "a capture with synchronised clocks"),
    "N-DIR": Gap("terminal side and network side cannot be told apart", "the addresses of the network's nodes"),
    "N-PROT": Gap("the number of the MIKEY Prot type is not configured", "that number"),
    "IMS-PROF-005": Gap("the profile of the call is open", "--profile, or a profile in the policy file"),
    "T-DUP": Gap("packets may be copies from another capture point", "a capture from one point"),
    "T-RETX": Gap("messages may be retransmissions", "a capture that holds the first transmission"),
    "T-AUTH": Gap("the offer may be a repeat after a challenge or redirection", "the whole sequence of attempts"),
    "T-FORK": Gap("the call forked", "the answers of all branches"),
    "T-B2B": Gap("legs of the same call could not be told from other calls", "captures of both sides of the middlebox"),
    "T-E2AE": Gap("the core leg is clear by design", "a capture between terminal and gateway"),
    "T-HOLD": Gap("the line is on hold or rejected", "a capture while media flows"),
    "T-EARLY": Gap("media may have outrun the answer", "a capture that goes on after the answer"),
    "T-ICE": Gap(
        "connectivity checks or a candidate switch are in the way", "a capture that holds the whole ICE exchange"
    ),
    "T-NAT": Gap("addresses may have been rewritten between SDP and packets", "a capture on the other side of the NAT"),
    "T-MUX": Gap("several protocols share the port", "a longer capture"),
    "T-OSRTP": Gap("encryption was offered as an option only", "the policy that applies"),
    "T-MID": Gap("the capture begins or ends inside the call or registration", "a capture that holds all of it"),
    "T-CORE": Gap("the capture point lies inside the secured domain", "a capture outside of it"),
    "T-RES": Gap("an abbreviated handshake shows no certificate", "a capture that holds the full handshake"),
    "T-13": Gap("TLS 1.3 hides certificates and extensions", "the TLS key log"),
    "T-RTX": Gap("packets may be media retransmissions or duplicates", "the SDP that announces them"),
    "T-CONFSRV": Gap("a conference server repeats its own SSRC to all", "the keys, or the SDP of all legs"),
    "T-POL": Gap("a matter of the operator's policy", "the policy"),
}


def gap(code: str) -> Gap:
    """The words for a code; none for an unknown one."""
    return GAPS.get(code, Gap("", ""))


@dataclass(slots=True, frozen=True)
class OpenQuestion:
    """Rules that one gap left open for one reason."""

    code: str  # "N-KEY"
    gap: Gap
    reason: str  # as the rules say it
    rules: tuple[tuple[str, str], ...]  # ids, those that follow one another as a range; the subjects left open


def open_questions(assessments: Iterable[Assessment]) -> Iterator[OpenQuestion]:
    """What could not be assessed, in the order of the audit."""
    rows: defaultdict[tuple[str, str], defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in assessments:
        if each.outcome == "not-assessed":
            rows[each.gap, each.reason][subjects_words(each)].append(each.rule)
    for (code, reason), alike in rows.items():
        rules = tuple((rule_ranges(names), subjects) for subjects, names in alike.items())
        yield OpenQuestion(code, gap(code), reason, rules)
