"""IMS-MSRP-002."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, media_name, text
from imsinspect.rules.msrp.lines import msrp_lines, side_of, sides
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, Trace

SECURE, CLEAR = b"msrps", b"msrp"
SHOWN = 120  # octets of a URI


@dataclass(slots=True, frozen=True)
class _Path:
    """A description of a line with its path."""

    frame: FrameId
    role: str
    media: Media
    state: LineState

    @property
    def scheme(self) -> bytes:
        """Of the last URI, in lower case: where the party itself is reached."""
        return _scheme(self.media.path[-1])

    @property
    def expected(self) -> bytes:
        """What goes with the transport."""
        return SECURE if self.media.profile.secure else CLEAR

    @property
    def wrong(self) -> bool:
        """The scheme is the other one. Over relays either end of the path may go with the transport."""
        schemes = {self.scheme, _scheme(self.media.path[0])}
        return self.scheme in (SECURE, CLEAR) and self.expected not in schemes


@rule(
    id="IMS-MSRP-002",
    name="msrp-path-scheme-mismatch",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §6.1.2", "RFC 4975 §5.4", "RFC 4975 §6", "RFC 4975 §14.4", "RFC 6714 §7.6"),
    needs=(CALLS,),
)
def msrp_path_scheme_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Path scheme does not fit the transport.

    What it checks:
        The last URI of a=path in every description of a line of messages that is not refused: with TCP/TLS/MSRP its
        scheme is msrps, with TCP/MSRP it is msrp. Upper and lower case are the same.
    Why it matters:
        The scheme decides what the peer opens. With msrp on a secure line it may connect in clear, with msrps on a
        clear line the session fails or is downgraded.
    What the finding shows:
        The frames of the descriptions, who sent them, the transport and the URI.
    How to fix it:
        Write msrps into the path of lines with TLS and msrp into that of clear ones. A gateway that changes the
        transport should change the scheme, unless a=msrp-cema keeps the path as it is.
    When it is not assessed:
        N-SIP: signalling that could not be read. N-FRAG: signalling that was cut. In the core a path that kept msrps
        when the gateway made the line clear is information only, and none where the secure line with the same path is
        in the capture. Over relays the first or the last URI has to fit.
    """
    kept = _secure_paths(trace, scene)
    for _, line in msrp_lines(trace):
        found = list(_paths(line))
        wrong = [each for each in found if each.wrong]
        left = [each for each in wrong if each.scheme == CLEAR or each.media.path[-1] not in kept]
        if left:
            yield _mismatch(trace, line, left)
        elif found:
            yield Outcome("pass", Subject("media", line.id))


def _scheme(uri: bytes) -> bytes:
    return uri.partition(b"://")[0].lower()


def _paths(line: MediaLine) -> Iterator[_Path]:
    """Descriptions of a line that are not refused and have a path."""
    for state in line.states:
        for role, media in sides(state):
            if media.profile.family != "msrp" or not media.port or not media.path:
                continue
            side = state.negotiation.offer if role == "offerer" else state.negotiation.answer
            if side is not None:
                yield _Path(side.message.frame, role, media, state)


@once
def _secure_paths(trace: Trace, scene: Scene) -> set[bytes]:
    """The URIs of paths on lines with TLS."""
    return {each.media.path[-1] for _, line in msrp_lines(trace) for each in _paths(line) if each.media.profile.secure}


def _mismatch(trace: Trace, line: MediaLine, wrong: list[_Path]) -> Outcome:
    first = wrong[0]
    media, scheme, expected = first.media, text(first.scheme), text(first.expected)
    core = all(side_of(line, each.state) == "core" and each.scheme == SECURE for each in wrong)
    risk = (
        "The peer may connect in clear although TLS was agreed."
        if first.scheme == CLEAR
        else "The peer may begin TLS where the line is clear, and the session fails."
    )
    weighed = " It counts as information only: a gateway that ends TLS leaves paths as they are." if core else ""
    return Outcome(
        "violation",
        Subject("media", line.id),
        severity=Severity.INFO if core else None,
        title=f"{media.transport} with a path of {scheme}",
        message=(
            f"The {first.role} of message line {line.index} of {line.call} describes {media.transport} in "
            f"{frame_text(trace, first.frame)}, and its path ends with a URI of scheme {scheme} where {expected} "
            f"belongs. {risk}{weighed} Not seen: what the peer makes of it."
        ),
        evidence=tuple(
            Evidence(
                each.frame, "SDP a=path", f"{each.media.transport}, {text(each.media.path[-1][:SHOWN])}",
                f"{text(each.expected)}://",
            )
            for each in wrong[:MAX_EVIDENCE]
        ),
        role=first.role,
        media=media_name(media),
        normalised=(f"{media.transport} with {scheme}", expected),
    )  # fmt: skip
