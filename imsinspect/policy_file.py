"""Reads the user's policy (TOML; docs/policy.md), strictly: what is not known is an error with its line.

A policy that is misread silently accepts what it should not, so nothing in it is ignored.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime
from difflib import get_close_matches
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from imsinspect.capture.errors import UsageError
from imsinspect.capture.small_files import read_whole
from imsinspect.policy import SECOND, Authorised, Policy, PolicyException, RuleSetting, Scope, Thresholds, Where
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

MAX_OCTETS = 4 << 20
PROFILES = (
    "auto", "g2", "g3", "e2ae", "e2e-sdes", "e2e-kms", "tr-sdes", "tr-kms", "im-sig", "im-kms", "rfc-only",
)  # fmt: skip
CAPTURE_POINTS = ("auto", "access", "core", "ue", "gateway", "core-secured", "post-decryption")
CONFIDENTIALITY = ("unknown", "assumed")
NDS = ("unknown", "trusted-site")
SEVERITIES = ("critical", "high", "medium", "low", "info")
NODES = ("p_cscf", "agw", "mrfp", "focus", "kms")

_TABLE = re.compile(r"\s*\[\[?\s*(.*?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

Path_ = tuple[str, ...]


class _Wrong(Exception):  # noqa: N818 (what is wrong, and where)
    def __init__(self, path: Path_, text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


def read_policy(path: Path, rules: frozenset[str]) -> Policy:
    """The policy in a file; `rules` are the ids that it may name. Raises UsageError with the line of what is wrong."""
    data = read_whole(path, "policy", MAX_OCTETS)
    try:
        text = data.decode()
        content = tomllib.loads(text)
    except UnicodeDecodeError:
        raise UsageError(f"policy {path}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"policy {path}: not TOML: {error}") from None
    try:
        return _policy(content, rules)
    except _Wrong as wrong:
        raise UsageError(f"policy {path}{_line(text, wrong.path)}: {wrong.text}") from None


def _line(text: str, path: Path_) -> str:
    """ ", line N" for the key of a path, or for the nearest table above it."""
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    best, depth = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        here: Path_ | None = None
        if (found := _TABLE.match(line)) and not _KEY.match(line):
            table = tuple(part.strip("\"'") for part in _PART.findall(found[1]))
            if line.lstrip().startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            here = table
        elif found := _KEY.match(line):
            here = (*table, *(part.strip("\"'") for part in _PART.findall(found[1])))
        if here is not None and len(here) > depth and path[: len(here)] == here:
            best, depth = number, len(here)
    return f", line {best}" if best else ""


# --- values ---------------------------------------------------------------------------------------

Reader = Callable[[Any, Path_], Any]


def _known(content: object, path: Path_, readers: dict[str, Reader]) -> dict[str, Any]:
    """The members of a table, each read by its reader; none that is not known."""
    if not isinstance(content, dict):
        raise _Wrong(path, f"{'.'.join(path) or 'the policy'} is no table")
    out = {}
    for name, value in content.items():
        if name not in readers:
            near = get_close_matches(name, readers, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise _Wrong((*path, name), f"unknown key {'.'.join((*path, name))!r}{hint}")
        out[name] = readers[name](value, (*path, name))
    return out


def _named(content: object, path: Path_, reader: Reader) -> dict[str, Any]:
    """A table whose keys the user chooses."""
    if not isinstance(content, dict):
        raise _Wrong(path, f"{'.'.join(path)} is no table")
    return {name: reader(value, (*path, name)) for name, value in content.items()}


def _one_of(*values: str) -> Reader:
    def read(value: Any, path: Path_) -> str:
        if not isinstance(value, str) or value not in values:
            near = get_close_matches(str(value), values, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise _Wrong(path, f"{'.'.join(path)} is none of {', '.join(values)}{hint}")
        return value

    return read


def _text(value: Any, path: Path_) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(path, f"{'.'.join(path)} is no text, or empty")
    return value


def _truth(value: Any, path: Path_) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(path, f"{'.'.join(path)} is neither true nor false")
    return value


def _day(value: Any, path: Path_) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _Wrong(path, f"{'.'.join(path)} is no date (such as 2027-06-30, without quotes)")
    return value


def _moment(value: Any, path: Path_) -> int:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _Wrong(path, f"{'.'.join(path)} is no time with a zone (such as 2027-06-30T08:00:00Z, without quotes)")
    since = value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000


def _seconds(value: Any, path: Path_) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e10:
        raise _Wrong(path, f"{'.'.join(path)} is no number of seconds")
    return round(value * SECOND)


def _number(most: int) -> Reader:
    def read(value: Any, path: Path_) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise _Wrong(path, f"{'.'.join(path)} is no number from 0 to {most}")
        return value

    return read


def _networks(value: Any, path: Path_) -> tuple[IPv4Network | IPv6Network, ...]:
    if not isinstance(value, list):
        raise _Wrong(path, f"{'.'.join(path)} is no list of addresses")
    return tuple(_network(each, path) for each in value)


def _network(value: Any, path: Path_) -> IPv4Network | IPv6Network:
    try:
        return ip_network(_text(value, path), strict=False)
    except ValueError:
        raise _Wrong(path, f"{'.'.join(path)}: {value!r} is no address or network") from None


def _identity(value: Any, path: Path_) -> str:
    return canonical(_text(value, path))


def _authorised(value: Any, path: Path_) -> tuple[Authorised, ...]:
    if not isinstance(value, list):
        raise _Wrong(path, f"{'.'.join(path)} is no list of identities")
    return tuple(
        Authorised(_identity(each, path)) if isinstance(each, str) else _authorised_table(each, path) for each in value
    )


def _authorised_table(value: Any, path: Path_) -> Authorised:
    found = _known(value, path, {"identity": _identity, "from": _moment, "until": _moment})
    if "identity" not in found:
        raise _Wrong(path, f"{'.'.join(path)}: an entry without identity")
    return Authorised(found["identity"], found.get("from"), found.get("until"))


# --- the file -------------------------------------------------------------------------------------

PROT_TYPE = _number(255)
THRESHOLDS: dict[str, dict[str, tuple[str, Reader]]] = {
    "mikey": {
        "max_skew": ("mikey_max_skew", _seconds),
        "max_ticket_life": ("mikey_max_ticket_life", _seconds),
        "max_reusable_ticket_life": ("mikey_max_reusable_ticket_life", _seconds),
    },
    "srtp": {
        "rekey_grace": ("srtp_rekey_grace", _seconds),
        "replay_distance": ("srtp_replay_distance", _number(1 << 15)),
        "replay_time": ("srtp_replay_time", _seconds),
    },
    "conf": {
        "rekey_window": ("conf_rekey_window", _seconds),
        "media_after_leave": ("conf_media_after_leave", _seconds),
        "notify_after_leave": ("conf_notify_after_leave", _seconds),
        "ghost": ("conf_ghost", _seconds),
        "missing_leg": ("conf_missing_leg", _seconds),
    },
    "sip": {"retry_window": ("retry_window", _seconds)},
    "tls": {"psk_dh": ("tls_psk_dh", _one_of("warn", "allow"))},
    "gw": {"core_tls": ("gw_core_tls", _one_of("warn", "allow"))},
}
"""Tables of thresholds: the names of rules.md 0.10, the fields they set, and how their values are read."""

PROT_TYPES = {"tls": "mikey_prot_type_tls", "psk_smime": "mikey_prot_type_psk_smime", "app": "mikey_prot_type_app"}


def _thresholds(table: str) -> Reader:
    def read(value: Any, path: Path_) -> dict[str, Any]:
        readers: dict[str, Reader] = {name: reader for name, (_, reader) in THRESHOLDS[table].items()}
        if table == "mikey":
            readers["prot_type"] = lambda each, at: _known(each, at, dict.fromkeys(PROT_TYPES, PROT_TYPE))
        found = _known(value, path, readers)
        out = {THRESHOLDS[table][name][0]: each for name, each in found.items() if name != "prot_type"}
        return out | {PROT_TYPES[name]: number for name, number in found.get("prot_type", {}).items()}

    return read


def _scope(value: Any, path: Path_) -> Scope:
    return Scope(**_known(value, path, {"profile": _one_of(*PROFILES), "authorised": _authorised}))


def _where(value: Any, path: Path_) -> Where:
    readers: dict[str, Reader] = {
        "network": _network,
        "identity": _identity,
        "media": _text,
        "profile": _text,
        "call": _text,
    }
    return Where(**_known(value, path, readers))


def _policy(content: dict[str, Any], rules: frozenset[str]) -> Policy:
    ids = sorted(rules)

    def rule(value: Any, path: Path_) -> str:
        name = _text(value, path)
        if name not in rules:
            area, _, number = name.rpartition("-")
            meant = f"{area}-{number.lstrip('0').zfill(3)}"  # as many zeros as ids have
            near = [meant] if meant in rules else get_close_matches(name, ids, 1)
            raise _Wrong(path, f"no rule {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return name

    def settings(value: Any, path: Path_) -> dict[str, RuleSetting]:
        for name in value if isinstance(value, dict) else ():
            rule(name, (*path, name))
        readers: dict[str, Reader] = {"enabled": _truth, "severity": _one_of(*SEVERITIES)}
        return _named(value, path, lambda each, at: RuleSetting(**_known(each, at, readers)))

    def exceptions(value: Any, path: Path_) -> tuple[PolicyException, ...]:
        if not isinstance(value, list):
            raise _Wrong(path, "exception is no list of tables ([[exception]])")
        readers: dict[str, Reader] = {"rule": rule, "reason": _text, "expires": _day, "where": _where}
        out = []
        for number, each in enumerate(value):
            at = (*path, str(number))
            found = _known(each, at, readers)
            for name in ("rule", "reason", "expires"):
                if name not in found:
                    raise _Wrong(at, f"an exception needs {name!r}")
            out.append(PolicyException(**found))
        return tuple(out)

    found = _known(
        content,
        (),
        {
            "profile": _one_of(*PROFILES),
            "capture_point": _one_of(*CAPTURE_POINTS),
            "access_confidentiality": _one_of(*CONFIDENTIALITY),
            "nds": _one_of(*NDS),
            "authorised": _authorised,
            "alias": lambda value, path: {canonical(n): c for n, c in _named(value, path, _identity).items()},
            "factories": lambda value, path: frozenset(each.identity for each in _authorised(value, path)),
            "nodes": lambda value, path: _known(value, path, dict.fromkeys(NODES, _networks)),
            "conference": lambda value, path: {canonical(n): s for n, s in _named(value, path, _scope).items()},
            "call": lambda value, path: _named(value, path, _scope),
            "rule": settings,
            "exception": exceptions,
            **{table: _thresholds(table) for table in THRESHOLDS},
        },
    )
    limits: dict[str, Any] = {}
    for table in THRESHOLDS:
        limits |= found.pop(table, {})
    names = {
        "alias": "aliases",
        "conference": "conferences",
        "call": "calls",
        "rule": "rules",
        "exception": "exceptions",
    }
    values = {names.get(name, name): value for name, value in found.items()}
    assert values.keys() <= {field.name for field in fields(Policy)}
    return Policy(thresholds=Thresholds(**limits), **values)
