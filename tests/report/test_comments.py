"""Comments on packets: one line for each finding and frame, whole, escaped and bounded."""

from __future__ import annotations

from imsinspect.capture.frames import frame_id
from imsinspect.report.comments import COMMENT, COMMENTS, Comments
from imsinspect.rules.outcome import Evidence, Severity
from tests.report.conftest import finding

HOSTILE = "\x1b[2J\u202e\n<b>" + "x" * 9_000


def test_the_whole_comments_of_a_finding_on_its_frames() -> None:
    told = finding("IMS-SRTP-001", Severity.HIGH, "f" * 32)
    rest = (
        "Plain RTP on secure audio line 0 of call-1. Anyone on the path can listen. Not checked: keys. | "
        "Clauses: RFC 3711 §3.1; TS 33.328 §5.4.1 | Remedy: Make the gateway drop packets that carry no tag. | "
        f"Fingerprint: {'f' * 32}"
    )
    head = "imsinspect IMS-SRTP-001 srtp-line-carries-clear-rtp (high, strong): Plain RTP on a secure audio line | "
    assert Comments([told]) == {
        2: [f"{head}SDP a=crypto: observed AES_CM_128_HMAC_SHA1_80 | {rest}"],
        10: [f"{head}RTP payload: observed 160 octets, required 170 octets | {rest}"],
    }
    assert Comments([told], "a.pcap")[10] == [
        f"{head}RTP payload: observed 160 octets, required 170 octets | {rest}; frame 10 of a.pcap"
    ]


def test_several_rows_of_a_frame_are_one_comment_and_several_findings_are_several() -> None:
    rows = (Evidence(7, "one", "a", ""), Evidence(7, "two", "b", "c"), Evidence(frame_id(0, 9), "three", "d", ""))
    told = [finding("X", Severity.LOW, "1", evidence=rows), finding("Y", Severity.LOW, "2", evidence=rows[:1])]
    found = Comments(told)
    assert {frame: len(said) for frame, said in found.items()} == {7: 2, 9: 1}
    assert " | one: observed a; two: observed b, required c | " in found[7][0]
    assert Comments([finding("X", Severity.LOW, "1", evidence=())]) == {}


def test_names_in_captures_steer_nothing_and_nothing_is_endless() -> None:
    row = (Evidence(1, HOSTILE, HOSTILE, HOSTILE),)
    told = finding(
        "X", Severity.LOW, "f" * 32, evidence=row, title=HOSTILE, message=HOSTILE, remediation=HOSTILE,
        references=(HOSTILE,) * 9,
    )  # fmt: skip
    (said,) = Comments([told], HOSTILE)[1]
    assert said.isprintable()
    assert "\u202e" not in said
    assert len(said) < COMMENT + 500
    assert f"Fingerprint: {'f' * 32}; frame 1 of \\x1b[2J\\u202e\\n<b>x" in said
    many = Comments([told] * 1_000)[1]
    assert len(many) == COMMENTS + 1
    assert many[-1] == "imsinspect: 968 more findings rest on this frame"
