"""The ladder as data: what becomes an arrow, in which order, how it is marked, and where findings stand."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.report.ladder import FIRST_ARROWS, LAST_ARROWS, UnknownIdError, ladder
from imsinspect.report.ladder_terminal import render
from tests import build, conference_kit, mikey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.report.ladder_model import Arrow, Ladder

OURS, THEIRS = ("192.0.2.10", 4000), ("198.51.100.20", 6000)
SAVP = "RTP/SAVP"


def sdes(seed: str, address: build.Address, *, version: int = 1) -> bytes:
    return build.sdp(address[0], build.audio(address[1], SAVP, build.crypto(seed)), version=version)


def secured(seed: str, source: build.Address, destination: build.Address, at: float = 1.0) -> list[build.Packet]:
    srtp = build.Srtp(build.master_key(seed))
    return build.rtp_stream(source, destination, 10 + len(seed), build.speech(20), at=at, srtp=srtp)


def of(*parts: Sequence[build.Packet], name: str = "call-1") -> Ladder:
    return ladder(build.audit_bytes(build.pcap(build.in_time_order(*parts))), name)


def rows(found: Ladder) -> list[str]:
    """`A>B INVITE: clear` for each arrow."""
    return [row(found, each) for each in found.arrows]


def row(found: Ladder, arrow: Arrow) -> str:
    ends = [found.lifelines[place].key for place in (arrow.source, arrow.destination)]
    times = f" ×{arrow.count}" if arrow.count > 1 else ""
    return f"{('-' if arrow.both_ways else '>').join(ends)} {arrow.title}{times}: {arrow.mark.words}"


def text_of(found: Ladder, width: int) -> str:
    from rich.console import Console

    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        render(found, console)
    return captured.get()


def test_messages_and_media_stand_in_order_of_time_and_are_marked_as_they_were() -> None:
    found = of(
        build.call(sdes("ours", OURS), sdes("theirs", THEIRS)),
        secured("ours", OURS, THEIRS),
        build.rtp_stream(THEIRS, OURS, 99, build.speech(20), at=1.5),
    )
    assert [(each.name, each.addresses) for each in found.lifelines] == [
        ("sip:alice@example.org", ("192.0.2.10",)),
        ("sip:bob@example.org", ("198.51.100.20",)),
    ]
    assert rows(found) == [
        "A>B INVITE: clear",
        "B>A 100 Trying: clear",
        "B>A 180 Ringing: clear",
        "B>A 200 OK: clear",
        "A>B ACK: clear",
        "A>B audio begins: verified",
        "B>A audio begins: clear",
        "A>B BYE: clear",
        "B>A 200 OK (BYE): clear",
    ]
    levels = [each.mark.level.value for each in found.arrows]
    assert (levels[0], levels[5], levels[6]) == ("clear", "secured", "broken")
    (answered,) = (each for each in found.arrows if each.title == "200 OK")
    assert answered.details == ("answer: audio RTP/SAVP, a=crypto AES_CM_128_HMAC_SHA1_80 key ab30bb68",)


def test_findings_stand_at_the_arrow_where_they_begin() -> None:
    found = of(
        build.call(sdes("ours", OURS), sdes("theirs", THEIRS)),
        build.rtp_stream(THEIRS, OURS, 99, build.speech(20), at=1.5),
    )
    where = {found.findings[number - 1].rule: each.title for each in found.arrows for number in each.findings}
    assert where["IMS-SRTP-001"] == "audio begins"
    keys = [each.title for each in found.arrows for number in each.findings
            if found.findings[number - 1].rule == "IMS-SIG-001"]  # fmt: skip
    assert keys == ["INVITE", "200 OK"]
    assert found.not_placed == ()


def test_offer_and_answer_keys_and_streams_stand_below() -> None:
    found = of(build.call(sdes("ours", OURS), sdes("theirs", THEIRS)), secured("ours", OURS, THEIRS))
    (line,) = found.lines
    (agreement,) = line.agreements
    assert (agreement.offer, agreement.answer) == (1, 4)
    assert agreement.agreed == "SDES AES_CM_128_HMAC_SHA1_80"
    assert {each.label: (each.offer, each.answer) for each in agreement.rows} == {
        "address": ("192.0.2.10:4000", "198.51.100.20:6000"),
        "transport": (SAVP, SAVP),
        "direction": ("sendrecv", "sendrecv"),
        "a=crypto": ("1 AES_CM_128_HMAC_SHA1_80 key b21df5bc", "1 AES_CM_128_HMAC_SHA1_80 key ab30bb68"),
    }
    (stream,) = line.streams
    assert (stream.packets, stream.lost, stream.proof) == (20, 0, "verified 20 with key b21df5bc, failed 0")
    assert [(each.digest, each.places, each.use) for each in found.keys] == [
        ("b21df5bc", ("a=crypto:1 in frame 1, sip:alice@example.org, call-1/0",), "verifies 20 SRTP packets"),
        ("ab30bb68", ("a=crypto:1 in frame 4, sip:bob@example.org, call-1/0",), "verifies nothing that was seen"),
    ]


def test_a_new_key_in_a_later_offer_is_told_in_its_place() -> None:
    talk = build.Dialog()
    first = build.call(sdes("ours", OURS), sdes("theirs", THEIRS), dialog=talk, duration=None)
    again = build.carry(
        talk,
        [
            (5.0, talk.request("INVITE", sdes("renewed", OURS, version=2), in_dialog=True), True),
            (5.1, talk.response(200, "OK", sdes("theirs", THEIRS)), False),
        ],
    )
    found = of(first, again)
    (renewed,) = (each for each in found.arrows if each.title == "re-INVITE")
    assert renewed.details[0].endswith("(new keys)")
    assert not any("new keys" in detail for each in found.arrows if each is not renewed for detail in each.details)


def test_media_that_goes_on_under_the_new_key_has_an_arrow_there() -> None:
    talk = build.Dialog()
    first = build.call(sdes("ours", OURS), sdes("theirs", THEIRS), dialog=talk, duration=None)
    again = build.carry(
        talk,
        [
            (5.0, talk.request("INVITE", sdes("renewed", OURS, version=2), in_dialog=True), True),
            (5.1, talk.response(200, "OK", sdes("theirs", THEIRS)), False),
        ],
    )
    media = [
        build.rtp_stream(
            OURS, THEIRS, 7, build.speech(50), at=at, sequence=sequence, srtp=build.Srtp(build.master_key(key))
        )
        for key, at, sequence in (("ours", 1.0, 100), ("renewed", 5.2, 150))
    ]
    found = of(first, again, *media)
    assert rows(found)[-4:] == [
        "A>B audio begins: verified",
        "A>B re-INVITE: clear",
        "B>A 200 OK: clear",
        "A>B audio under another key: verified",
    ]
    (renewed,) = (each.digest for each in found.keys if "frame 56" in each.places[0])
    assert found.arrows[-1].details == ("SSRC 0x00000007", f"50 packets under key {renewed}")
    assert found.arrows[-1].time - found.arrows[0].time == 5_200_000_000


def test_the_exchanges_with_the_kms_stand_before_and_inside_the_call_that_uses_their_ticket() -> None:
    ticket, kms = mikey.Ticket(), ("203.0.113.99", 2269)

    def sent(at: float, host: str, number: int, *, answers: bool, **parts: Any) -> build.Packet:
        ends = (kms, (host, 2269)) if answers else ((host, 2269), kms)
        message = mikey.Message(data_type=number, sessions=[], map_type=1, **parts)
        return at, build.udp(*ends, message.octets())

    exchanges = [
        sent(0.0, OURS[0], 11, answers=False, csb_id=1, ticket=ticket),
        sent(0.1, OURS[0], 13, answers=True, csb_id=1, ticket=ticket, kemac=mikey.kemac()),
        sent(1.2, THEIRS[0], 16, answers=False, csb_id=2, ticket=ticket),
        sent(1.3, THEIRS[0], 18, answers=True, csb_id=2, kemac=mikey.kemac()),
    ]
    found = of(exchanges, mikey.call(mikey.init(ticket=ticket), mikey.resp(), at=1.0))
    assert [each.addresses for each in found.lifelines] == [(OURS[0],), ("203.0.113.99",), (THEIRS[0],)]
    shown = rows(found)
    assert shown[:3] == [
        "A>B MIKEY REQUEST_INIT_PSK: clear",
        "B>A MIKEY REQUEST_RESP: clear",
        "A>C INVITE: clear",
    ]
    assert shown.index("B>C MIKEY RESOLVE_RESP: clear") < shown.index("C>A 200 OK: clear")
    (answered,) = (each for each in found.arrows if each.title == "200 OK")
    assert answered.details == (
        "answer: audio RTP/SAVP, a=key-mgmt mikey",
        "MIKEY TRANSFER_RESP, is not verified: no key",
    )


def test_retransmissions_and_refreshes_are_folded_with_a_count() -> None:
    talk = build.Dialog()
    invite = talk.request("INVITE", sdes("ours", OURS))
    packets = build.carry(talk, [(0.0, invite, True), (0.5, invite, True), (1.5, invite, True)])
    for number in range(20):
        packets += build.carry(
            talk,
            [
                (5.0 + number, talk.request("OPTIONS", in_dialog=True), True),
                (5.1 + number, talk.response(200, "OK", method="OPTIONS"), False),
            ],
        )
    assert rows(of(packets)) == [
        "A>B INVITE ×3: clear",
        *["A>B OPTIONS: clear", "B>A 200 OK (OPTIONS): clear"] * 2,
        "A>B OPTIONS ×18: clear",
        "B>A 200 OK (OPTIONS) ×18: clear",
    ]


def test_a_host_that_speaks_to_itself_has_a_lifeline_for_each_party() -> None:
    one, other, media, back = (("127.0.0.1", port) for port in (5060, 5070, 4000, 6000))
    talk = build.Dialog(one, other)
    found = of(build.call(sdes("ours", media), sdes("theirs", back), dialog=talk), secured("ours", media, back))
    assert [each.addresses for each in found.lifelines] == [("127.0.0.1:5060",), ("127.0.0.1:5070",)]
    assert "A>B audio begins: verified" in rows(found)


def test_more_arrows_than_a_view_can_hold_lose_their_middle() -> None:
    talk = build.Dialog()
    script = [(n / 10, talk.request("INFO", in_dialog=True, uri=f"sip:{n}@b"), bool(n % 2)) for n in range(900)]
    script += [(100 + n, talk.request(f"M{n}", in_dialog=True), True) for n in range(500)]
    found = of(build.carry(talk, [(0.0, talk.request("INVITE", sdes("ours", OURS)), True), *script]))
    assert len(found.arrows) == FIRST_ARROWS + LAST_ARROWS == 400
    assert (found.left_after, found.left_out, found.arrows[-1].title) == (300, 107, "M499")


def test_an_id_that_is_not_there_names_near_ones() -> None:
    audit = build.audit_bytes(build.pcap(build.call(sdes("ours", OURS))))
    assert ladder(audit, "call-1@test").row.id == "call-1"
    with pytest.raises(UnknownIdError) as error:
        ladder(audit, "call-2")
    assert error.value.near == ("call-1",)


def conference(users: int) -> Ladder:
    parts = []
    for number in range(users):
        user = conference_kit.User(f"user{number:02}", (f"192.0.2.{10 + number}", 5060))
        ours, theirs = (user.address[0], 4000), (conference_kit.FOCUS_MEDIA, 7000 + 2 * number)
        offer = conference_kit.offer_of(user, port=4000)
        answer = conference_kit.answer_of(user, port=theirs[1])
        parts += [
            conference_kit.dial_in(user, at=float(number), source=user.address, via=(), offer=offer, answer=answer),
            build.rtp_stream(ours, theirs, 100 + number, build.speech(5), at=number + 1.0),
            build.rtp_stream(theirs, ours, 500 + number, build.speech(5), at=number + 1.0),
        ]
    return of(*parts, name="conference-1")


def test_a_conference_of_twenty_has_a_lifeline_for_each_around_the_focus() -> None:
    found = conference(20)
    names = [each.name for each in found.lifelines]
    assert names[10] == "focus of sip:conf1@ims.example.org"
    assert [*names[:10], *names[11:]] == [f"user{number:02}@ims.example.org" for number in range(20)]
    assert rows(found)[:3] == ["A>K INVITE (call-1): clear", "A>K audio begins: clear", "K>A audio begins: clear"]
    assert len(found.arrows) == 20 * 4
    ways = [(each.source, each.destination) for line in found.lines[:1] for each in line.streams]
    assert ways == [(0, 10), (10, 0)]


def test_the_same_session_on_another_hop_of_a_conference_is_one_leg_with_the_findings_of_both() -> None:
    alice = conference_kit.ALICE
    session = ("Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",)
    outer = conference_kit.dial_in(alice, via=(), source=alice.address, headers=session)
    inner = conference_kit.dial_in(alice, at=0.05, call=2, headers=(*session, conference_kit.asserted(alice)))
    media = build.rtp_stream((alice.address[0], 4000), (conference_kit.FOCUS_MEDIA, 20000), 5, build.speech(5))
    found = of(outer, inner, media, name="conference-1")
    assert [each for each in rows(found) if "INVITE" in each] == ["A>B INVITE (call-2): clear"]
    assert {each.subject.id for each in found.findings} >= {"call-1", "call-2"}


def test_of_very_many_the_focus_is_kept_and_the_last_ones_share_a_lifeline() -> None:
    found = conference(60)
    assert len(found.lifelines) == 40
    assert found.lifelines[20].name == "focus of sip:conf1@ims.example.org"
    assert (found.lifelines[-1].name, found.lifelines_left) == ("22 others", 22)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_conference_of_twenty_fits_the_console(width: int) -> None:
    """Too many for lifelines at these widths: a list of who spoke to whom."""
    shown = text_of(conference(20), width)
    assert max(map(len, shown.splitlines())) <= width
    assert "  A → K" in shown
    assert "○ INVITE (call-1), clear" in shown


@pytest.mark.parametrize("users", [2, 20])
def test_a_console_that_has_only_ascii_shows_the_same_within_its_width(users: int) -> None:
    from rich.console import Console

    file = TextIOWrapper(BytesIO(), encoding="ascii")
    render(conference(users), Console(file=file, width=80, color_system=None, highlight=False))
    file.seek(0)
    shown = file.read()
    assert max(map(len, shown.splitlines())) <= 80
    assert "o INVITE (call-1), clear" in shown
    assert ("|--" in shown, "  A -> K  " in shown) == (users == 2, users == 20)


def test_hostile_names_do_not_steer_the_terminal() -> None:
    talk = build.Dialog(from_uri="sip:\x1b[2Jalice\u202e@example.org")
    found = of(build.call(sdes("ours", OURS), sdes("theirs", THEIRS), dialog=talk))
    shown = text_of(found, 80)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jalice" in shown
