"""Prints the kill table: every mutation, what fired, and the rules that none kills."""

from __future__ import annotations

import sys

from imsinspect.rules.registry import RULES
from tests.mutations.harness import mutations, run

if __name__ == "__main__":
    area = sys.argv[1] if len(sys.argv) > 1 else ""
    killed: set[str] = set()
    wrong = 0
    for mutation in mutations(area):
        result = run(mutation)
        wrong += not result.right
        killed |= mutation.kills & result.fired
        also = sorted(result.fired - mutation.kills)
        print(
            f"{'ok   ' if result.right else 'WRONG'} {' '.join(sorted(mutation.kills)):<28} {mutation.name}"
            + (f" (also {' '.join(also)})" if also else "")
            + (f" (missing {' '.join(sorted(mutation.kills - result.fired))})" if mutation.kills - result.fired else "")
        )
    alive = [rule.id for rule in RULES if rule.id not in killed and (not area or rule.id.split("-")[1].lower() == area)]
    print(f"{len(killed)} rules killed; not killed: {' '.join(alive) or 'none'}")
    sys.exit(1 if wrong or alive else 0)
