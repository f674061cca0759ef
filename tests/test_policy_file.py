"""The policy file is read strictly: what it says counts, and what is wrong with it is an error with its line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from imsinspect.capture.errors import UsageError
from imsinspect.policy import SECOND, Authorised, Policy, PolicyException, RuleSetting, Scope, Where
from imsinspect.policy_file import read_policy
from imsinspect.rules.registry import BY_ID

RULES = frozenset(BY_ID)
PAGE = Path(__file__).parents[1] / "docs" / "policy.md"


def read(folder: Path, text: str) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path, RULES)


def nanoseconds(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[misc, arg-type]


def test_the_example_of_the_page_is_read_to_its_last_line(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    policy = read(tmp_path, example)
    assert (policy.profile, policy.capture_point, policy.access_confidentiality, policy.nds) == (
        "g3", "access", "unknown", "unknown",
    )  # fmt: skip
    assert policy.authorised == (
        Authorised("alice@ims.example.org"),
        Authorised("*@board.example.org"),
        Authorised("bob@ims.example.org", nanoseconds(2026, 3, 1, 8), nanoseconds(2026, 3, 1, 10)),
    )
    assert policy.aliases == {"+15550100": "alice@ims.example.org"}
    assert policy.factories == {"conference-factory@ims.example.org"}
    assert policy.nodes["agw"] == (ip_network("192.0.2.10/32"), ip_network("2001:db8::/64"))
    assert policy.is_node("agw", "2001:db8::7")
    assert not policy.is_node("agw", "192.0.2.11")
    assert policy.conferences == {"conf1@ims.example.org": Scope("tr-kms", (Authorised("alice@ims.example.org"),))}
    assert policy.allowed_in("conf1@ims.example.org") == (Authorised("alice@ims.example.org"),)
    assert policy.allowed_in("other@ims.example.org") == policy.authorised
    assert policy.calls == {"a84b4c76e66710@pc33.example.org": Scope("e2e-sdes")}
    defaults = Policy().thresholds
    assert (policy.thresholds.mikey_prot_type_tls, policy.thresholds.mikey_prot_type_psk_smime) == (7, 8)
    assert [
        getattr(policy.thresholds, name) == getattr(defaults, name)
        for name in defaults.__slots__
        if "prot_type" not in name
    ].count(False) == 0
    assert policy.rules == {"IMS-TLS-001": RuleSetting(severity="high"), "IMS-SSRC-002": RuleSetting(enabled=False)}
    where = Where(network=ip_network("198.51.100.0/24"), media="audio")
    reason = "the lab gateway is replaced in June"
    assert policy.exceptions == (PolicyException("IMS-SRTP-002", reason, date(2027, 6, 30), where),)


def test_an_empty_policy_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profil = 'g3'\n", ", line 1: unknown key 'profil'; did you mean 'profile'?"),
        ("\nprofile = 'g4'\n", ", line 2: profile is none of auto, g2,"),
        ("profile = 3\n", ", line 1: profile is none of"),
        (
            "[mikey]\nmax_skew = 600\nmax_skeww = 1\n",
            ", line 3: unknown key 'mikey.max_skeww'; did you mean 'max_skew'?",
        ),
        ("[mikey]\nmax_skew = -1\n", ", line 2: mikey.max_skew is no number of seconds"),
        ("[mikey]\nmax_skew = true\n", ", line 2: mikey.max_skew is no number of seconds"),
        ("[mikey]\nmax_skew = inf\n", ", line 2: mikey.max_skew is no number of seconds"),
        ("[mikey.prot_type]\ntls = 256\n", ", line 2: mikey.prot_type.tls is no number from 0 to 255"),
        ("mikey.prot_type.tls = 'seven'\n", ", line 1: mikey.prot_type.tls is no number from 0 to 255"),
        ("[nodes]\nagw = ['192.0.2.300']\n", ", line 2: nodes.agw: '192.0.2.300' is no address or network"),
        ("[nodes]\nagv = []\n", ", line 2: unknown key 'nodes.agv'; did you mean 'agw'?"),
        ("authorised = 'sip:a@h'\n", ", line 1: authorised is no list of identities"),
        ("authorised = [{ from = 2026-01-01T00:00:00Z }]\n", ", line 1: authorised: an entry without identity"),
        ("authorised = [{ identity = 'sip:a@h', until = 2026-01-01 }]\n", "is no time with a zone"),
        ("[conference.'sip:c@h']\nprofiles = 'g2'\n", ", line 2: unknown key 'conference.sip:c@h.profiles'"),
        ("[rule.IMS-PROF-05]\nenabled = false\n", ", line 1: no rule 'IMS-PROF-05'; did you mean 'IMS-PROF-005'?"),
        ("[rule.IMS-SRTP-2]\nenabled = false\n", ", line 1: no rule 'IMS-SRTP-2'; did you mean 'IMS-SRTP-002'?"),
        ("[rule.IMS-TLS-001]\nenabled = 'no'\n", ", line 2: rule.IMS-TLS-001.enabled is neither true nor false"),
        ("[[exception]]\nrule = 'IMS-TLS-001'\nreason = 'x'\n", ", line 1: an exception needs 'expires'"),
        (
            "[[exception]]\nrule = 'IMS-TLS-001'\nreason = 'x'\nexpires = 2027-01-01\n[[exception]]\nrule = 'X'\n",
            ", line 6: no rule 'X'",
        ),
        ("[[exception]]\nrule = 'IMS-TLS-001'\nreason = ''\n", ", line 3: exception.0.reason is no text, or empty"),
        ("[[exception]]\nexpires = '2027-01-01'\n", ", line 2: exception.0.expires is no date"),
        ("exception = 1\n", ", line 1: exception is no list of tables"),
        ("profile = \n", "not TOML: "),
        ("a = " + "[" * 100_000, "not TOML: "),
    ],
)
def test_what_is_wrong_is_an_error_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_policy(tmp_path / "none", RULES)
    (tmp_path / "octets").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_policy(tmp_path / "octets", RULES)
