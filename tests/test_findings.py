"""On real captures the audit finds what was looked at by hand, and nothing else; and it decides where it can."""

from __future__ import annotations

import pytest

from imsinspect.pipeline import audit
from tests import findings

FILES = findings.files()
TABLE = findings.table()


@pytest.mark.parametrize("name", FILES)
def test_every_finding_of_medium_or_above_was_looked_at(name: str) -> None:
    """Not-assessed is no refuge: the rules that decided on a file still do."""
    result = audit([str(FILES[name])])
    row = TABLE[name]
    assert findings.found(result) == sorted(row.findings)
    assert row.decided <= findings.decided(result)


def test_every_row_has_reasons_and_is_of_a_file_that_may_be_here() -> None:
    for name, row in TABLE.items():
        assert all(row.findings.values()), name
        assert name in FILES or name.startswith("captures/")
