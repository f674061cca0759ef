"""The commented policy file has every key that there is, and the thresholds' defaults."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from typing import Any

from imsinspect.policy import Policy, Scope, Thresholds, Where
from imsinspect.policy_file import NODES, PROT_TYPES, THRESHOLDS, read_policy
from imsinspect.rules.registry import BY_ID
from tests.docs.scripts import DOCS

FILE = DOCS / "examples" / "policy.toml"
CONTENT: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))


def test_it_is_read_and_thresholds_are_the_defaults() -> None:
    policy = read_policy(FILE, frozenset(BY_ID))
    defaults = replace(
        Thresholds(), mikey_prot_type_tls=7, mikey_prot_type_psk_smime=8, mikey_prot_type_app=9
    )  # which have none
    assert policy.thresholds == defaults


def test_no_key_is_missing() -> None:
    policy = read_policy(FILE, frozenset(BY_ID))
    assert [each.name for each in fields(Policy) if not getattr(policy, each.name)] == []
    assert CONTENT["nodes"].keys() == set(NODES)
    for table, keys in THRESHOLDS.items():
        assert CONTENT[table].keys() - {"prot_type"} == keys.keys()
    assert CONTENT["mikey"]["prot_type"].keys() == PROT_TYPES.keys()
    (conference,) = policy.conferences.values()
    (call,) = policy.calls.values()
    for each in fields(Scope):
        assert getattr(conference, each.name)
        assert getattr(call, each.name)
    assert {key for rule in CONTENT["rule"].values() for key in rule} == {"enabled", "severity"}
    (exception,) = CONTENT["exception"]
    assert exception.keys() == {"rule", "reason", "expires", "where"}
    assert exception["where"].keys() == {each.name for each in fields(Where)}
    (timed,) = (each for each in CONTENT["authorised"] if isinstance(each, dict))
    assert timed.keys() == {"identity", "from", "until"}


def test_every_key_and_table_has_a_comment() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    bare = []
    for number, line in enumerate(lines):
        if "#" in line or not line.strip() or line[0] in " ]}":
            continue
        block = number
        while block and lines[block - 1].strip() and not lines[block - 1].startswith("#"):
            block -= 1
        if not (block and lines[block - 1].startswith("#")) and not line.startswith("["):
            bare.append(line)
    assert bare == []
