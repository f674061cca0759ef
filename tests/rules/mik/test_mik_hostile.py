"""Octets of any kind in a=key-mgmt: every rule says something, and none fails."""

from __future__ import annotations

import random
from time import process_time

import pytest

from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.registry import RULES
from imsinspect.rules.rule import Scene
from tests import build, mikey

OF_MIKEY = [rule for rule in RULES if rule.id.startswith("IMS-MIK-")]


def changed(octets: bytes, chance: random.Random) -> bytes:
    """A message with a few octets changed, cut, or put in twice."""
    out = bytearray(octets)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(out))
        kind = chance.randrange(4)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randrange(64)]
        else:
            out[at] ^= 1 << chance.randrange(8)
        if not out:
            out = bytearray(b"\x01")
    return bytes(out)


@pytest.mark.parametrize("seed", range(8))
def test_changed_messages_make_no_rule_fail(seed: int) -> None:
    chance = random.Random(seed)
    parts = []
    for number in range(12):
        talk = build.Dialog(call_id=f"{seed} {number}@test", from_tag=f"a{number}", to_tag=f"b{number}")
        offer = mikey.init(kemac=mikey.kemac(chance.randrange(4)), csb_id=number)
        answer = chance.choice((mikey.resp(csb_id=number), mikey.error(14, csb_id=number)))
        sides = changed(offer.octets(), chance), changed(answer.octets(), chance)
        parts.append(mikey.call(*sides, dialog=talk, at=20.0 * number))
    audit = build.audit_bytes(build.pcap(build.in_time_order(*parts)))
    assert not [note.text for note in audit.notes if note.text.startswith("rule ")]
    for profile in ("g3", "e2e-kms"):
        found = build.audit_bytes(build.pcap(build.in_time_order(*parts)), profile=profile)
        assert not [note.text for note in found.notes if note.text.startswith("rule ")]


def test_many_copies_errors_and_branches_cost_time_in_proportion() -> None:
    """One call with thousands of branches and errors, and its message in many other calls."""

    def cost(number: int) -> float:
        talk = build.Dialog()
        offer = mikey.described(mikey.A, mikey.init().attribute())
        script = [(0.0, talk.request("INVITE", offer), True)]
        bodies = [mikey.described(mikey.B, each.attribute()) for each in (mikey.resp(), mikey.error(14))]
        for each in range(number):
            body = bodies[each % 2]
            script.append((0.1 + each * 0.001, talk.response(183, "Progress", body, to_tag=f"t{each}"), False))
        parts = [build.carry(talk, script)]
        for each in range(number):
            again = build.Dialog(("203.0.113.66", 5060), call_id=f"{each}@x", from_tag="x", to_tag="y")
            parts.append(mikey.call(mikey.init(), mikey.resp(), dialog=again, at=1000.0 + 100 * each, duration=None))
        trace = build.audit_bytes(build.pcap(build.in_time_order(*parts)), verify="none").trace
        begin = process_time()
        evaluate(trace, Scene(), OF_MIKEY)
        return process_time() - begin

    few, many = cost(75), cost(300)
    assert many < 12 * few + 0.5
