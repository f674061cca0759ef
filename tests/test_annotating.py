"""What annotate writes is the capture with the same findings; and of it as much as they rest on, proven by an audit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.annotating import Annotated, annotate
from imsinspect.capture.errors import CaptureError
from imsinspect.capture.raw_frames import raw_frames
from imsinspect.pipeline import Options, audit
from tests import build
from tests.mutations.harness import areas, mutations
from tests.mutations.srtp import sdes_call

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

HERE = Path(__file__).resolve().parents[1]
CAPTURES = sorted(path for folder in ("samples", "tests/recordings") for path in (HERE / folder).glob("*.pcap*"))
MUTATIONS = {f"{area}: {each.name}": each for area in areas() for each in mutations(area)}


def written(path: Path, folder: Path, *, only: bool = False, **options: Any) -> tuple[Annotated, Path]:
    """What annotate says, and the file."""
    out = folder / "out.pcapng"
    with out.open("wb") as file:
        return annotate(str(path), path.name, file, Options(**options), only_findings=only), out


def packets(path: Path, done: Annotated) -> list[tuple[int, int, int, bytes]]:
    """Time, link type, length and octets of the packets of a capture."""
    frames = raw_frames(str(path), range(1, done.packets + 1)).values()
    return [(each.time, each.link, each.original, each.octets) for each in frames]


def found(result: Audit) -> Counter[tuple[object, ...]]:
    return Counter((each.kind, each.severity, each.verdict) for each in result.findings)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_a_capture_with_comments_has_the_same_packets_and_says_the_same(path: Path, tmp_path: Path) -> None:
    done, out = written(path, tmp_path)
    before, after = audit([str(path)]), audit([str(out)])
    assert after.findings == before.findings
    assert [(row.rule, row.outcome, row.gap, row.subjects) for row in after.assessments] == [
        (row.rule, row.outcome, row.gap, row.subjects) for row in before.assessments
    ]
    assert after.trace.counts == before.trace.counts
    assert packets(out, done) == packets(path, done)
    assert done.done.commented == len({each.frame for finding in before.findings for each in finding.evidence})


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_an_excerpt_has_all_findings_and_not_all_packets(path: Path, tmp_path: Path) -> None:
    done, out = written(path, tmp_path, only=True)
    before = audit([str(path)])
    if not before.findings:
        assert (done.tries, out.read_bytes()) == (0, b"")
        return
    assert (done.missing, done.added) == ([], [])
    assert found(audit([str(out)])) == found(before)
    left = iter(packets(path, done))
    assert all(each in left for each in packets(out, done))  # in order
    assert done.done.packets < 400


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_excerpt_of_every_known_fault_still_has_it(name: str, tmp_path: Path) -> None:
    mutation = MUTATIONS[name]
    path = tmp_path / "capture.pcap"
    path.write_bytes(build.pcap(mutation.scenario(**mutation.change)))
    done, _ = written(path, tmp_path, only=True, **mutation.options)
    assert done.findings
    assert (done.missing, done.added) == ([], [])


def test_other_calls_and_hosts_are_not_in_an_excerpt(tmp_path: Path) -> None:
    other = build.Dialog(("10.9.9.1", 5060), ("10.9.9.2", 5060), "other@test", from_tag="x", to_tag="y")
    clean = build.in_time_order(
        build.call(
            build.sdp("10.9.9.1", build.audio(7000)), build.sdp("10.9.9.2", build.audio(7002)), dialog=other, at=0.5
        ),
        build.rtp_stream(("10.9.9.1", 7000), ("10.9.9.2", 7002), 0xC, build.speech(500)),
    )
    path = tmp_path / "capture.pcap"
    path.write_bytes(build.pcap(build.in_time_order(clean, sdes_call(protected=False))))
    done, out = written(path, tmp_path, only=True, profile="rfc-only")
    assert done.missing == done.added == []
    kept = b"".join(each.octets for each in raw_frames(str(out), range(1, 999)).values())
    assert b"other@test" not in kept
    assert b"call-1@test" in kept
    assert bytes((10, 9, 9, 1)) not in kept


def test_calls_over_one_connection_are_told_apart_where_they_can_be(tmp_path: Path) -> None:
    """A trunk of many calls: of the call with findings its messages are enough."""
    dialogs = [
        build.Dialog(call_id=f"{number}@trunk", from_tag=f"f{number}", to_tag=f"t{number}") for number in range(30)
    ]
    parts = [
        build.call(
            build.sdp("192.0.2.10", build.audio(4000 + 4 * number, "RTP/SAVP" if number == 7 else "RTP/AVP", *(
                (build.crypto("a"),) if number == 7 else ()))),
            build.sdp("198.51.100.20", build.audio(5000 + 4 * number)),
            dialog=dialog, at=number,
        )
        for number, dialog in enumerate(dialogs)
    ]  # fmt: skip
    path = tmp_path / "capture.pcap"
    path.write_bytes(build.pcap(build.in_time_order(*parts)))
    done, out = written(path, tmp_path, only=True, profile="rfc-only")
    assert {finding.rule for finding in done.findings} == {"IMS-SIG-001", "IMS-SIG-006"}
    assert (done.missing, done.added, done.done.packets) == ([], [], 7)
    assert {call.call_id for call in audit([str(out)]).trace.calls} == {b"7@trunk"}


def test_what_the_user_s_keys_open_is_kept_in_an_excerpt(tmp_path: Path) -> None:
    path = HERE / "tests" / "recordings" / "esp-aes128-sha1.pcapng"
    keys = (path.with_suffix(".keys.json"),)
    done, out = written(path, tmp_path, only=True, keys=keys)
    assert (done.missing, done.added, done.done.packets < 150) == ([], [], True)
    assert audit([str(out)]).trace.calls == []
    assert len(audit([str(out)], Options(keys=keys)).trace.calls) == 1


def test_the_same_capture_gives_the_same_octets(tmp_path: Path) -> None:
    path = HERE / "samples" / "plain-rtcp-on-sdes-call.pcapng"
    for only in (False, True):
        first = written(path, tmp_path, only=only)[1].read_bytes()
        assert written(path, tmp_path, only=only)[1].read_bytes() == first


def test_annotated_once_more_it_stays_as_it_is(tmp_path: Path) -> None:
    _, out = written(HERE / "samples" / "plain-rtcp-on-sdes-call.pcapng", tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    done, second = written(out, again)
    assert second.read_bytes() == out.read_bytes()
    assert (done.done.comments, done.done.commented > 0) == (0, True)


def test_no_comment_holds_a_key(tmp_path: Path) -> None:
    path = HERE / "samples" / "sdes-keys-in-clear-sip.pcapng"
    size = path.stat().st_size
    _, out = written(path, tmp_path)
    keys = {octets.partition(b"inline:")[2][:40] for octets in path.read_bytes().split(b"a=crypto:")[1:]}
    assert keys
    assert out.stat().st_size > size
    for key in keys:
        assert out.read_bytes().count(key) == path.read_bytes().count(key)


def test_a_file_that_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"no capture at all")
    with pytest.raises(CaptureError, match=r"x\.pcap: not a capture file"):
        written(path, tmp_path)


def test_of_a_tcp_connection_that_calls_share_a_call_is_taken_where_that_is_enough(tmp_path: Path) -> None:
    trunk = build.TcpConnection(build.ALICE, build.BOB)
    packets = trunk.open(0.0)
    for number in range(20):
        talk = build.Dialog(
            call_id=f"{number}@trunk", from_tag=f"f{number}", to_tag=f"t{number}", transport="TCP", branch=10 * number
        )
        secure = (build.crypto("a"),) if number == 9 else ()
        offer = build.sdp("192.0.2.10", build.audio(4000 + 4 * number, "RTP/SAVP" if secure else "RTP/AVP", *secure))
        answer = build.sdp("198.51.100.20", build.audio(5000 + 4 * number))
        packets += trunk.send(number + 1.0, talk.request("INVITE", offer))
        packets += trunk.send(number + 1.1, talk.response(200, "OK", answer), from_client=False)
        packets += trunk.send(number + 1.2, talk.request("ACK"))
    path = tmp_path / "capture.pcap"
    path.write_bytes(build.pcap(packets))
    done, out = written(path, tmp_path, only=True, profile="rfc-only")
    assert {finding.rule for finding in done.findings} == {"IMS-SIG-001", "IMS-SIG-006"}
    assert (done.missing, done.added, done.done.packets) == ([], [], 3)
    assert {call.call_id for call in audit([str(out)]).trace.calls} == {b"9@trunk"}
