"""The JSON report by lines, for programs that read one entry at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report.json import compact, to_json

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

ENTRIES = {
    "captures": "capture",
    "registrations": "registration",
    "calls": "call",
    "conferences": "conference",
    "streams": "stream",
    "rtcp_sources": "rtcp-source",
    "tls_sessions": "tls-session",
    "esp_associations": "esp-association",
    "sealed_bodies": "sealed-body",
    "mikey": "mikey",
    "keys": "key",
    "key_repeats": "key-repeat",
    "keystream_reuse": "keystream-reuse",
    "assessments": "assessment",
    "findings": "finding",
    "suppressed": "suppressed",
    "notes": "note",
    "unmet": "unmet",
}
"""The lists of the report, and what JSON Lines call one entry."""


def render(audit: Audit) -> str:
    """Each entry of each list as an object that says which, the rest in a last one."""
    whole = to_json(audit)
    rest = {name: value for name, value in whole.items() if name not in ENTRIES}
    out = [compact({"entry": ENTRIES[name]} | row) for name in whole if name in ENTRIES for row in whole[name]]
    return "\n".join([*out, compact({"entry": "report"} | rest)]) + "\n"
