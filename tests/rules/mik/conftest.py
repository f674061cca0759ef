"""What the tests of the MIKEY rules share: what a rule says of a capture, by the profile it shows or is told."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.pipeline import Options, audit
from imsinspect.policy import Policy, Thresholds
from imsinspect.profiles import choose
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.conftest import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TLS_IS_7 = replace(Thresholds(), mikey_prot_type_tls=7)


@pytest.fixture
def told() -> Callable[..., Told]:
    """From packets of one capture to what a rule says of them."""

    def ask(
        rule: str,
        *captures: Sequence[build.Packet],
        profile: str = "auto",
        keys: dict[str, Any] | None = None,
        policy: Policy | None = None,
        cut: int = 262_144,
        **scene: Any,
    ) -> Told:
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, packets in enumerate(captures):
                path = Path(folder) / f"capture-{number}.pcap"
                path.write_bytes(build.pcap(packets, snap_length=cut))
                paths.append(str(path))
            file = Path(folder) / "keys.json"
            file.write_text(json.dumps(keys or {}), encoding="utf-8")
            found = audit(paths, Options(keys=(file,) if keys else ()))
        assert not [note for note in found.notes if note.text.startswith("rule ")]
        profiles = choose(found.trace, profile, policy)
        setting = Scene(
            profiles=profiles.calls, conference_profiles=profiles.conferences, policy=policy or Policy(), **scene
        )
        return Told(rule, evaluate(found.trace, setting, [BY_ID[rule]]))

    return ask
