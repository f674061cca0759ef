"""Every mutation makes its rules fire and no others."""

from __future__ import annotations

import pytest

from tests.mutations.harness import Mutation, mutations, run

ALL = tuple(mutations())


@pytest.mark.parametrize("mutation", ALL, ids=[each.name for each in ALL])
def test_one_broken_property_makes_its_rules_fire_and_no_others(mutation: Mutation) -> None:
    result = run(mutation)
    assert mutation.kills <= result.fired
    assert result.fired <= mutation.kills | mutation.follows
