"""The ladder as data."""

from __future__ import annotations

import json

from imsinspect.report.ladder_json import render
from tests import build
from tests.report.test_ladder import OURS, THEIRS, conference, of, sdes, secured


def test_the_ladder_as_data() -> None:
    shown = render(of(build.call(sdes("ours", OURS), sdes("theirs", THEIRS)), secured("ours", OURS, THEIRS)))
    assert shown.isascii()
    found = json.loads(shown)
    capture = found["captures"][0]
    assert (found["schema"], found["id"], found["observed"]) == ("imsinspect-call/1", "call-1", "verified")
    assert found["lifelines"] == [
        {"key": "A", "name": "sip:alice@example.org", "addresses": ["192.0.2.10"]},
        {"key": "B", "name": "sip:bob@example.org", "addresses": ["198.51.100.20"]},
    ]
    assert found["arrows"][3] == {
        "number": 4,
        "time": "2026-01-01T00:00:00.500000Z",
        "last_time": "2026-01-01T00:00:00.500000Z",
        "frames": [{"capture": capture, "frame": 4}],
        "kind": "sip",
        "from": "B",
        "to": "A",
        "both_ways": False,
        "title": "200 OK",
        "details": ["answer: audio RTP/SAVP, a=crypto AES_CM_128_HMAC_SHA1_80 key ab30bb68"],
        "protection": {"level": "clear", "words": "clear"},
        "count": 1,
        "findings": [2],
    }
    (line,) = found["media_lines"]
    assert line["agreements"] == [
        {
            "offered": {"capture": capture, "frame": 1},
            "answered": {"capture": capture, "frame": 4},
            "agreed": "SDES AES_CM_128_HMAC_SHA1_80",
            "offer": {
                "address": "192.0.2.10:4000",
                "transport": "RTP/SAVP",
                "direction": "sendrecv",
                "a=crypto": "1 AES_CM_128_HMAC_SHA1_80 key b21df5bc",
            },
            "answer": {
                "address": "198.51.100.20:6000",
                "transport": "RTP/SAVP",
                "direction": "sendrecv",
                "a=crypto": "1 AES_CM_128_HMAC_SHA1_80 key ab30bb68",
            },
        }
    ]
    (stream,) = line["streams"]
    assert stream["protection"] == {"level": "secured", "words": "verified"}
    assert (stream["from"], stream["to"], stream["ssrc"], stream["packets"]) == ("A", "B", "0x0000000e", 20)
    assert [each["key"] for each in found["keys"]] == ["b21df5bc", "ab30bb68"]
    assert [(each["number"], each["rule"]) for each in found["numbered_findings"]] == [
        (1, "IMS-SIG-001"),
        (2, "IMS-SIG-001"),
    ]


def test_no_key_is_in_it() -> None:
    secret = build.crypto("ours").partition("inline:")[2]
    assert secret not in render(of(build.call(sdes("ours", OURS), sdes("theirs", THEIRS))))


def test_a_conference_as_data() -> None:
    found = json.loads(render(conference(3)))
    assert (found["kind"], found["call_id"], len(found["lifelines"]), len(found["arrows"])) == (
        "conference",
        None,
        4,
        12,
    )
