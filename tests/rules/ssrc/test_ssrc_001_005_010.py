"""IMS-SSRC-001, -005 and -010, from capture octets to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.rules.outcome import Severity
from tests import build, mikey
from tests import conference_kit as kit
from tests.conference_kit import ALICE, BOB, CAROL, FOCUS_MEDIA, Notify, User, answer_of, dial_in, dial_out, offer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Finding

SSRC_001, SSRC_002, SSRC_003, SSRC_005, SSRC_010 = (f"IMS-SSRC-{number:03}" for number in (1, 2, 3, 5, 10))
MIXER, SAME = 0x9999, 0x1234
GROUP = "group"


def audited(*parts: Sequence[build.Packet], **options: Any) -> Audit:
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)), **options)
    assert not [note for note in audit.notes if "failed" in note.text]
    return audit


def found(audit: Audit, rule: str) -> list[Finding]:
    return [each for each in audit.findings if each.rule == rule]


def one(audit: Audit, rule: str) -> Finding:
    (finding,) = found(audit, rule)
    return finding


def rows(audit: Audit, rule: str) -> list[tuple[str, str, int]]:
    return [(row.outcome, row.gap, row.subjects) for row in audit.assessments if row.rule == rule]


def port_of(user: User) -> int:
    """Where the focus gets a user's media, as `answer_of` says."""
    return 20_000 + 10 * int(user.address[0].rpartition(".")[2])


def joins(user: User, *, at: float = 0.0, key: str = "", own: str = "", **how: Any) -> list[build.Packet]:
    """A user dials in; the focus' key for the user, and the user's own."""
    described = offer_of(user, key=own), answer_of(user, key=key)
    return dial_in(user, at=at, offer=described[0], answer=described[1], **how)


def heard(
    user: User, seed: str, *, at: float = 10.0, ssrc: int = MIXER, shift: int = 0, **how: Any
) -> list[build.Packet]:
    """What the focus sends to a user."""
    how = {"sequence": 100} | how
    payloads = [build.pcmu_speech(number + shift) for number in range(how.pop("packets", 60))]
    srtp = build.Srtp(build.master_key(seed)) if seed else None
    return build.rtp_stream(
        (FOCUS_MEDIA, port_of(user)), (user.address[0], 4000), ssrc, payloads, at=at, srtp=srtp, **how
    )


def speaks(
    user: User, seed: str, *, at: float = 10.0, ssrc: int = SAME, shift: int = 0, **how: Any
) -> list[build.Packet]:
    """What a user sends to the focus."""
    payloads = [build.pcmu_speech(number + shift) for number in range(how.pop("packets", 60))]
    srtp = build.Srtp(build.master_key(seed)) if seed else None
    return build.rtp_stream(
        (user.address[0], 4000), (FOCUS_MEDIA, port_of(user)), ssrc, payloads, at=at, srtp=srtp, **how
    )


# --- IMS-SSRC-005 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["auto", "g2"])
def test_one_key_of_the_focus_for_two_participants(profile: str) -> None:
    """The catalogue's trigger."""
    audit = audited(joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP), profile=profile)
    finding = one(audit, SSRC_005)
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("conference", "conference-1")
    assert [each.frame for each in finding.evidence] == [3, 7]
    assert "alice@ims.example.org and bob@ims.example.org of conference conf1@ims.example.org" in finding.message
    assert "for the direction focus to participants (key:" in finding.message
    assert rows(audit, SSRC_005) == [("violation", "", 1)]
    assert not found(audit, "IMS-SSRC-006")


def test_the_older_study_allows_it() -> None:
    """The catalogue's near miss: listed as information (rules.md 19.1.2, 19.2)."""
    audit = audited(joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP), profile="tr-sdes")
    assert one(audit, SSRC_005).severity is Severity.INFO


def test_one_key_of_two_participants_is_high_in_the_older_study_too() -> None:
    """Each participant chooses its own key."""
    for profile in ("auto", "tr-sdes"):
        finding = one(audited(joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP), profile=profile), SSRC_005)
        assert finding.severity is Severity.HIGH
        assert "participants to focus" in finding.message


def test_a_key_for_both_who_were_called_and_who_called() -> None:
    audit = audited(joins(ALICE, key=GROUP), dial_out(BOB, at=2, offer=answer_of(BOB, key=GROUP)))
    assert one(audit, SSRC_005).severity is Severity.HIGH


def test_a_profile_without_conferences_has_no_subject() -> None:
    audit = audited(joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP), profile="rfc-only")
    assert rows(audit, SSRC_005) == []


def test_keys_of_their_own_pass() -> None:
    assert rows(audited(joins(ALICE), joins(BOB, at=2)), SSRC_005) == [("pass", "", 1)]


def test_one_leg_alone_and_a_call_without_a_focus() -> None:
    assert rows(audited(joins(ALICE)), SSRC_005) == [("not-assessed", "N-SIP", 1)]
    both = joins(ALICE, key=GROUP, isfocus=False), joins(BOB, at=2, key=GROUP, isfocus=False)
    audit = audited(*both)
    assert rows(audit, SSRC_005) == []
    assert one(audit, "IMS-SSRC-006").severity is Severity.HIGH


def test_a_conference_in_clear_has_no_keys() -> None:
    clear = [
        dial_in(user, at=at, offer=offer_of(user, proto="RTP/AVP"), answer=answer_of(user, proto="RTP/AVP"))
        for user, at in ((ALICE, 0), (BOB, 2))
    ]
    for rule in (SSRC_005, SSRC_010):
        assert rows(audited(*clear), rule) == []
        # T-E2AE: behind an access edge that is what the core looks like.
        assert rows(audited(*clear, profile="g2"), rule) == [("not-assessed", "N-ACC", 1)]


AS: build.Address = ("203.0.113.77", 5060)


def other_hop(user: User, packets: list[build.Packet], *, identity: bytes = b"") -> list[build.Packet]:
    """The same session before an application server, under another Call-ID."""
    out = []
    for at, frame in packets:
        data = frame[42:].replace(b"in-" + user.name.encode(), b"hop-" + user.name.encode())
        if identity:
            data = data.replace(user.uri.encode(), identity)
        request = not data.startswith(b"SIP/2.0")
        early = at - 0.01 if request else at + 0.01
        out.append((early, build.udp(*((kit.PROXY, AS) if request else (AS, kit.PROXY)), data)))
    return sorted(out)


@pytest.mark.parametrize("identity", [b"", b"sip:anonymous@anonymous.invalid", b"sip:2233@ims.example.org"])
def test_hops_of_one_dialog_are_one_participant(identity: bytes) -> None:
    """T-B2B: the leg is seen before and behind an application server, whatever name each hop gives."""
    behind = joins(ALICE, at=1, source=AS)
    audit = audited(other_hop(ALICE, behind, identity=identity), behind, joins(BOB, at=5))
    assert len(audit.trace.calls) == 3
    assert rows(audit, SSRC_005) == [("pass", "", 1)]


def test_a_session_id_that_a_focus_gives_to_all_makes_no_hops() -> None:
    """RFC 7989: the calls are related, and are those of two participants all the same."""
    legs = [
        joins(user, at=at, key=GROUP, headers=(
            kit.asserted(user), f"Session-ID: {number * 32};remote=ab30317f1a784dc48ff824d0d3715d86",
        ))
        for user, at, number in ((ALICE, 0, "1"), (BOB, 2, "2"))
    ]  # fmt: skip
    audit = audited(*legs)
    assert audit.trace.calls[0].related == ["call-2"]
    assert one(audit, SSRC_005).severity is Severity.HIGH


def test_keys_of_the_access_edge_count_where_the_core_is_clear() -> None:
    """T-E2AE: the gateway gives one key to two participants."""
    parts = []
    for user, at in ((ALICE, 1.0), (BOB, 5.0)):
        clear = offer_of(user, proto="RTP/AVP"), answer_of(user, proto="RTP/AVP")
        parts.append(other_hop(user, joins(user, at=at, key=GROUP)))
        parts.append(dial_in(user, at=at, offer=clear[0], answer=clear[1], source=AS))
    finding = one(audited(*parts, profile="g2"), SSRC_005)
    assert finding.severity is Severity.HIGH
    assert [each.frame for each in finding.evidence] == [7, 15]


def test_devices_of_one_user_and_who_comes_back_are_one_participant() -> None:
    """A key when a participant comes back is that of two calls: IMS-SSRC-006, and IMS-CONF-005 follows."""
    again = joins(ALICE, at=20, call=2, key=GROUP, own="fresh")
    audit = audited(joins(ALICE, duration=5, key=GROUP), again, joins(BOB, at=2))
    assert rows(audit, SSRC_005) == [("pass", "", 1)]
    assert "stands in call-1 and call-3," in one(audit, "IMS-SSRC-006").message
    assert one(audit, "IMS-CONF-005").follows_from == [one(audit, "IMS-SSRC-006").fingerprint]


def test_a_forked_invitation_gives_one_key_to_all_branches() -> None:
    """T-FORK: two answer; the key that they all know is the object of IMS-SSRC-013."""
    packets = dial_out(BOB, at=2, duration=None)
    forked = [
        (
            at + 0.1,
            build.udp(
                kit.PROXY,
                kit.FOCUS,
                frame[42:].replace(b"tag=bob1", b"tag=carol1").replace(b"Identity: <sip:bob", b"Identity: <sip:carol"),
            ),
        )
        for at, frame in packets
        if frame[42:].startswith(b"SIP/2.0 200")
    ]
    audit = audited(joins(ALICE), packets, forked)
    (conference,) = audit.trace.conferences
    assert len(conference.participants) == 3
    assert not found(audit, SSRC_005)


def test_who_was_refused_is_no_participant() -> None:
    refused = dial_out(CAROL, at=4, offer=answer_of(CAROL, key=GROUP), final=(603, "Decline"))
    audit = audited(joins(ALICE, key=GROUP), refused, joins(BOB, at=2))
    assert not found(audit, SSRC_005)


def test_second_sightings() -> None:
    """T-DUP: of signalling and of media."""
    first = build.in_time_order(
        joins(ALICE), heard(ALICE, "focus to alice"), speaks(ALICE, "alice", ssrc=1), heard(BOB, "focus to bob")
    )
    doubled = [(at + 0.001, frame) for at, frame in first]
    audit = audited(first, doubled, joins(BOB, at=2), speaks(BOB, "bob", ssrc=2))
    for rule in (SSRC_001, SSRC_003, SSRC_005, SSRC_010):
        assert {row[0] for row in rows(audit, rule)} == {"pass"}


def test_challenges_and_refreshes() -> None:
    """T-AUTH: the same description again, with the next CSeq and within the dialog."""
    challenged = joins(ALICE, final=(407, "Proxy Authentication Required"))
    again = [(at + 1, data.replace(b"CSeq: 1 ", b"CSeq: 2 ")) for at, data in joins(ALICE, duration=None)]
    talk = build.Dialog(
        kit.PROXY, kit.FOCUS, "in-alice-1@test", ALICE.uri, kit.CONFERENCE, "alice1", "focus-alice1", cseq=7, branch=7
    )
    refreshed = build.carry(
        talk,
        [
            (20.0, talk.request("INVITE", offer_of(ALICE), in_dialog=True), True),
            (20.1, talk.response(200, "OK", answer_of(ALICE), headers=("Supported: timer",)), False),
        ],
    )
    assert rows(audited(challenged, again, refreshed, joins(BOB, at=4)), SSRC_005) == [("pass", "", 1)]


def with_mikey(user: User, at: float, *, key: bytes, csb_id: int, rand: bytes) -> list[build.Packet]:
    """A user dials in with a ticket and a TGK that anybody could read."""
    sessions = [mikey.srtp_session(1, ssrc=1), mikey.srtp_session(2, ssrc=2)]
    said = mikey.init(kemac=mikey.kemac(0, mikey.keys(0, key)), csb_id=csb_id, rand=rand, sessions=sessions)
    reply = mikey.resp(csb_id=csb_id, rand=rand[::-1], sessions=sessions)
    return dial_in(
        user, at=at, offer=mikey.described((user.address[0], 4000), said.attribute()),
        answer=mikey.described((FOCUS_MEDIA, port_of(user)), reply.attribute()),
    )  # fmt: skip


def test_one_key_of_mikey_for_two_participants() -> None:
    """The keys of the sessions differ with the random numbers; the TGK is one."""
    first, second = (
        with_mikey(user, at, key=b"g" * 16, csb_id=number, rand=bytes((number,)) * 16)
        for user, at, number in ((ALICE, 0, 1), (BOB, 2, 2))
    )
    finding = one(audited(first, second), SSRC_005)
    assert "have one key for both directions (key:" in finding.message
    assert one(audited(first, second, profile="tr-kms"), SSRC_005).severity is Severity.INFO


def test_mikey_that_can_not_be_opened() -> None:
    def sealed(user: User, at: float, number: int) -> list[build.Packet]:
        said, reply = mikey.init(csb_id=number), mikey.resp(csb_id=number)
        return dial_in(
            user, at=at, offer=mikey.described((user.address[0], 4000), said.attribute()),
            answer=mikey.described((FOCUS_MEDIA, port_of(user)), reply.attribute()),
        )  # fmt: skip

    audit = audited(sealed(ALICE, 0, 1), sealed(BOB, 2, 2))
    assert rows(audit, SSRC_005) == [("not-assessed", "N-KEY", 1)]
    same = heard(ALICE, GROUP), heard(BOB, GROUP)
    audit = audited(sealed(ALICE, 0, 1), sealed(BOB, 2, 2), *same)
    assert "get the same encrypted packets" in one(audit, SSRC_005).message
    assert one(audit, SSRC_005).follows_from == [one(audit, SSRC_010).fingerprint]


# --- IMS-SSRC-010 ---------------------------------------------------------------------------------


def test_the_same_packets_to_two_participants() -> None:
    """The catalogue's trigger; IMS-SSRC-005 follows from it."""
    legs = joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP)
    audit = audited(*legs, heard(ALICE, GROUP), heard(BOB, GROUP, at=10.001))
    finding = one(audit, SSRC_010)
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("conference", "conference-1")
    assert [each.frame for each in finding.evidence][:4] == [9, 10, 11, 12]
    assert "alice@ims.example.org and bob@ims.example.org" in finding.message
    assert "SSRC 0x00009999 from 203.0.113.10:20100 to 192.0.2.10:4000" in finding.message
    assert rows(audit, SSRC_010) == [("violation", "", 1)]
    assert one(audit, SSRC_005).follows_from == [finding.fingerprint]
    assert not found(audit, SSRC_003)
    study = audited(*legs, heard(ALICE, GROUP), heard(BOB, GROUP, at=10.001), profile="tr-sdes")
    assert one(study, SSRC_010).severity is Severity.INFO


def test_who_comes_later_gets_the_same_packets() -> None:
    """Only packets that are kept by their sequence numbers are common."""
    whole = heard(ALICE, GROUP, packets=900, sequence=1_000)
    later = [
        (at + 0.001, build.udp((FOCUS_MEDIA, port_of(BOB)), (BOB.address[0], 4000), frame[42:]))
        for at, frame in whole[300:]
    ]
    audit = audited(joins(ALICE, key=GROUP), joins(BOB, at=15, key=GROUP), whole, later)
    assert one(audit, SSRC_010).confidence == "strong"


def test_a_mixer_sends_one_ssrc_to_all_under_keys_of_their_own() -> None:
    """T-CONFSRV."""
    media = heard(ALICE, "focus to alice"), heard(BOB, "focus to bob", at=10.001)
    audit = audited(joins(ALICE), joins(BOB, at=2), *media)
    for rule in (SSRC_005, SSRC_010):
        assert rows(audit, rule) == [("pass", "", 1)]
    assert not {each.rule for each in audit.findings if each.rule.startswith("IMS-SSRC")}


def test_a_mixer_that_sends_other_content_under_one_key_reuses_keystream() -> None:
    """In every profile (rules.md 0.3): not the same packets, and the root is IMS-SSRC-003."""
    legs = joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP)
    audit = audited(*legs, heard(ALICE, GROUP), heard(BOB, GROUP, at=10.001, shift=500), profile="tr-sdes")
    assert one(audit, SSRC_003).severity is Severity.CRITICAL
    assert not found(audit, SSRC_010)
    assert one(audit, SSRC_005).severity is Severity.INFO
    assert one(audit, SSRC_005).follows_from == [one(audit, SSRC_003).fingerprint]


def test_the_same_packets_on_both_sides_of_a_gateway() -> None:
    """The catalogue's near miss: one participant, whose media passes an access gateway."""
    behind = joins(ALICE, at=1, source=AS)
    media = heard(ALICE, "focus to alice")
    copied = [
        (at + 0.002, build.udp(("203.0.113.50", 9000), (ALICE.address[0], 4000), frame[42:])) for at, frame in media
    ]
    audit = audited(other_hop(ALICE, behind), behind, joins(BOB, at=5), heard(BOB, "focus to bob"), media, copied)
    assert rows(audit, SSRC_010) == [("pass", "", 1)]


def test_the_same_packets_in_clear_are_no_matter_of_keys() -> None:
    legs = joins(ALICE), joins(BOB, at=2)
    audit = audited(*legs, heard(ALICE, ""), heard(BOB, "", at=10.001))
    assert rows(audit, SSRC_010) == [("not-assessed", "N-MED", 1)]


def test_packets_that_may_be_in_clear_are_only_suspected() -> None:
    """Octets that say nothing, of a codec without sizes, on lines that were agreed as SRTP."""

    def described(user: User) -> tuple[bytes, bytes]:
        return tuple(
            each.replace(b"m=audio", b"m=video").replace(b"SAVP 0", b"SAVP 96") + b"a=rtpmap:96 VP8/90000\r\n"
            for each in (offer_of(user), answer_of(user))
        )  # type: ignore[return-value]

    legs = []
    media = []
    for user, at in ((ALICE, 0.0), (BOB, 2.0)):
        offer, answer = described(user)
        legs += dial_in(user, at=at, offer=offer, answer=answer)
        payloads = [build.noise(number, 300 + number % 7) for number in range(60)]
        media += build.rtp_stream(
            (FOCUS_MEDIA, port_of(user)), (user.address[0], 4000), MIXER, payloads, at=10 + at / 1_000, payload_type=96
        )
    finding = one(audited(legs, media), SSRC_010)
    assert (finding.verdict, finding.severity, finding.confidence) == ("suspect", Severity.MEDIUM, "heuristic")
    assert "Ambiguous" in finding.message


def test_media_of_one_participant_alone() -> None:
    audit = audited(joins(ALICE), joins(BOB, at=2), heard(ALICE, "focus to alice"))
    assert rows(audit, SSRC_010) == [("not-assessed", "N-MED", 1)]


def test_streams_that_have_no_kept_packet_in_common() -> None:
    legs = joins(ALICE, key=GROUP), joins(BOB, at=2, key=GROUP)
    audit = audited(*legs, heard(ALICE, GROUP), heard(BOB, GROUP, sequence=9_000, at=12))
    assert rows(audit, SSRC_010) == [("not-assessed", "N-MED", 1)]


# --- IMS-SSRC-001 ---------------------------------------------------------------------------------


def test_two_participants_with_one_ssrc_and_one_key() -> None:
    """The catalogue's trigger, with a key of SDES."""
    legs = joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP)
    media = speaks(ALICE, GROUP), speaks(BOB, GROUP, at=10.005, sequence=9_000, shift=500)
    audit = audited(*legs, *media)
    finding = one(audit, SSRC_001)
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.CRITICAL, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("conference", "conference-1")
    assert "alice@ims.example.org from 192.0.2.10:4000 (60 packets)" in finding.message
    assert "both streams verify with key:" in finding.message
    assert [each.frame for each in finding.evidence] == [9, 127, 10, 128, 1, 5]
    assert rows(audit, SSRC_001) == [("violation", "", 1)]
    assert not found(audit, SSRC_002)


def test_where_indices_meet_it_follows_from_the_proven_reuse() -> None:
    legs = joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP)
    audit = audited(*legs, speaks(ALICE, GROUP), speaks(BOB, GROUP, at=10.005, shift=500))
    assert one(audit, SSRC_001).follows_from == [one(audit, SSRC_003).fingerprint]


def test_one_ssrc_under_keys_of_their_own_is_another_rule() -> None:
    """IMS-SSRC-002, medium; in the study, too, where the keys are seen to differ."""
    legs = joins(ALICE), joins(BOB, at=2)
    media = (
        speaks(ALICE, "alice", packets=400),
        speaks(BOB, "bob", at=10.005, sequence=9_000, timestamp=77_000, packets=400),
    )
    for profile in ("auto", "tr-sdes"):
        audit = audited(*legs, *media, profile=profile)
        assert rows(audit, SSRC_001) == [("pass", "", 1)]
        assert one(audit, SSRC_002).severity is Severity.MEDIUM


def sealed_legs() -> list[build.Packet]:
    """Alice and Bob dial in with MIKEY that can't be opened."""
    out = []
    for user, at, number in ((ALICE, 0, 1), (BOB, 2, 2)):
        said, reply = (each.attribute() for each in (mikey.init(csb_id=number), mikey.resp(csb_id=number)))
        out += dial_in(
            user, at=at, offer=mikey.described((user.address[0], 4000), said),
            answer=mikey.described((FOCUS_MEDIA, port_of(user)), reply),
        )  # fmt: skip
    return build.in_time_order(out)


def test_keys_that_are_not_seen() -> None:
    """Unknown: not assessed; under a profile with keys of groups, or where the focus shares keys, a violation."""
    media = speaks(ALICE, "x"), speaks(BOB, "y", at=10.005, sequence=9_000, timestamp=77_000)
    audit = audited(sealed_legs(), *media)
    assert rows(audit, SSRC_001) == [("not-assessed", "N-KEY", 1)]
    finding = one(audited(sealed_legs(), *media, profile="tr-kms"), SSRC_001)
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")
    assert "the profile gives keys to groups" in finding.message
    alike = heard(ALICE, GROUP), heard(BOB, GROUP, at=10.001)
    finding = one(audited(sealed_legs(), *media, *alike), SSRC_001)
    assert "the focus shares keys among participants" in finding.message


def test_the_mixers_own_ssrc_is_no_collision() -> None:
    """The catalogue's near miss, T-CONFSRV."""
    media = heard(ALICE, "focus to alice"), heard(BOB, "focus to bob", at=10.001)
    own = speaks(ALICE, "alice", ssrc=1), speaks(BOB, "bob", ssrc=2)
    assert rows(audited(joins(ALICE), joins(BOB, at=2), *media, *own), SSRC_001) == [("pass", "", 1)]


def test_an_ssrc_that_is_used_again_after_its_sender_left() -> None:
    legs = joins(ALICE, own=GROUP, duration=15), joins(BOB, at=20, own=GROUP)
    media = speaks(ALICE, GROUP), speaks(BOB, GROUP, at=25, sequence=9_000)
    assert rows(audited(*legs, *media), SSRC_001) == [("pass", "", 1)]


def test_two_devices_of_one_user_are_one_participant() -> None:
    second = User("alice", ("192.0.2.20", 5060))
    legs = joins(ALICE, own=GROUP), joins(second, at=2, own=GROUP, call=2), joins(CAROL, at=4)
    media = speaks(ALICE, GROUP), speaks(second, GROUP, at=10.005, sequence=9_000), speaks(CAROL, "carol", ssrc=7)
    assert rows(audited(*legs, *media), SSRC_001) == [("pass", "", 1)]


def test_copies_of_one_stream_on_two_legs() -> None:
    """T-DUP, T-B2B: the same packets reach the focus over the leg of another participant."""
    media = speaks(ALICE, GROUP)
    copied = [
        (at + 0.003, build.udp((BOB.address[0], 4000), (FOCUS_MEDIA, port_of(BOB)), frame[42:])) for at, frame in media
    ]
    legs = joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP)
    assert not found(audited(*legs, media, copied), SSRC_001)


def test_csrc_entries_are_no_sources() -> None:
    def listed(user: User, seed: str, ssrc: int) -> list[build.Packet]:
        srtp = build.Srtp(build.master_key(seed))
        ends = (user.address[0], 4000), (FOCUS_MEDIA, port_of(user))
        return [
            (10 + number / 50, build.udp(*ends, srtp.protect(
                build.rtp(100 + number, 160 * number, ssrc, build.pcmu_speech(number), csrc=(SAME,)))))
            for number in range(40)
        ]  # fmt: skip

    legs = joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP)
    assert rows(audited(*legs, listed(ALICE, GROUP, 1), listed(BOB, GROUP, 2)), SSRC_001) == [("pass", "", 1)]


def test_participants_without_media() -> None:
    assert rows(audited(joins(ALICE), joins(BOB, at=2)), SSRC_001) == [("not-assessed", "N-MED", 1)]


def test_a_document_that_lists_one_ssrc_for_two_users() -> None:
    users = [kit.roster_user(user.uri, ssrc=SAME) for user in (ALICE, BOB)]
    told = kit.subscribe(ALICE, Notify(0.1, kit.document(*users)), at=8)
    shared = audited(joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP), told)
    finding = one(shared, SSRC_001)
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "proven")
    assert "lists SSRC 0x00001234 for sip:alice@ims.example.org and sip:bob@ims.example.org" in finding.message
    assert not found(audited(joins(ALICE), joins(BOB, at=2), told), SSRC_001)
    left = [kit.roster_user(ALICE.uri, ssrc=SAME), kit.roster_user(BOB.uri, ssrc=SAME, status="disconnected")]
    told = kit.subscribe(ALICE, Notify(0.1, kit.document(*left)), at=8)
    assert not found(audited(joins(ALICE, own=GROUP), joins(BOB, at=2, own=GROUP), told), SSRC_001)


def bound(user: User, at: float, number: int, *ssrcs: int | None) -> list[build.Packet]:
    """A user dials in with a ticket and these SSRCs; the focus binds its own one in the answer."""
    sessions = [mikey.srtp_session(place, ssrc=ssrc) for place, ssrc in enumerate(ssrcs, 1)]
    filled = [mikey.srtp_session(place, ssrc=ssrc or MIXER) for place, ssrc in enumerate(ssrcs, 1)]
    said, reply = mikey.init(csb_id=number, sessions=sessions), mikey.resp(csb_id=number, sessions=filled)
    return dial_in(
        user, at=at, offer=mikey.described((user.address[0], 4000), said.attribute()),
        answer=mikey.described((FOCUS_MEDIA, port_of(user)), reply.attribute()),
    )  # fmt: skip


def test_one_ssrc_that_two_participants_bind_by_mikey() -> None:
    """Where keys are of groups; the SSRC of the mixer, which the answers bind, is no collision."""
    same = bound(ALICE, 0, 1, SAME, None), bound(BOB, 2, 2, SAME, None)
    finding = one(audited(*same, profile="tr-kms"), SSRC_001)
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, "strong")
    assert "bind SSRC 0x00001234 to their crypto sessions in frame 1 and frame 5" in finding.message
    assert not found(audited(*same), SSRC_001)
    different = bound(ALICE, 0, 1, SAME, None), bound(BOB, 2, 2, 7, None)
    assert not found(audited(*different, profile="tr-kms"), SSRC_001)
    whose = bound(ALICE, 0, 1, 5, SAME), bound(BOB, 2, 2, 6, SAME)
    assert not found(audited(*whose, profile="tr-kms"), SSRC_001)
