"""Fingerprints say what is wrong and nothing of whose it is: the same mutation among other people has the same ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests import build
from tests.mutations.harness import areas, mutations
from tests.mutations.strangers import stranger

if TYPE_CHECKING:
    from imsinspect.rules.outcome import Finding

ALL = {f"{area}: {each.name}": (area, each) for area in areas() for each in mutations(area)}
BEFORE = [(-30.0 + number, build.udp(("10.1.1.1", 999), ("10.1.1.2", 999), b"something else")) for number in range(3)]


@cache
def found(name: str) -> list[Finding]:
    _, mutation = ALL[name]
    packets = mutation.scenario(**mutation.change)
    return build.audit_bytes(build.pcap(packets), **mutation.options).findings


@pytest.mark.parametrize("name", ALL)
def test_a_fault_has_the_same_fingerprints_among_other_people(name: str) -> None:
    area, mutation = ALL[name]
    other = stranger(mutation, area)
    packets = other.scenario(**other.change)
    assert list(packets) != list(mutation.scenario(**mutation.change))
    there = build.audit_bytes(build.pcap([*BEFORE, *packets]), **other.options).findings
    assert Counter(each.fingerprint for each in there) == Counter(each.fingerprint for each in found(name))


@pytest.mark.parametrize("name", ALL)
def test_kinds_of_findings_name_nobody(name: str) -> None:
    for each in found(name):
        said = " ".join((each.kind.role, each.kind.media, each.kind.direction, each.kind.observed, each.kind.required))
        for told in ("192.0.2.", "198.51.100.", "203.0.113.", "alice", "bob", "carol", "mallory", "example.org", "@"):
            assert told not in said
        assert each.kind.media or each.kind.role or each.kind.observed


SAME_FAULTS = {
    frozenset(("evt: conference state without S/MIME under G.3", "evt: one subscriber is told in clear")),
    frozenset(("srtp_media: one packet is changed on its way", "srtp_media: packets are changed on their way")),
    frozenset(("tls: behind a refused handshake messages go in clear", "tls: messages go in clear at once")),
}
"""Mutations that break one thing, once and often, or in one scene and another."""


def test_other_faults_have_other_fingerprints() -> None:
    """What a mutation breaks is named as in no other mutation, but for those that break the same in another scene."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for name, (_, mutation) in ALL.items():
        for each in found(name):
            if each.rule in mutation.kills:
                named[each.kind.fingerprint()].add(name)
    assert {frozenset(names) for names in named.values() if len(names) > 1} == SAME_FAULTS
