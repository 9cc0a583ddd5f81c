"""One seed of the fault run, and proof that it reports deliberate defects."""

from __future__ import annotations

import pytest

from infra.local.engine import Store as Engines
from infra.local.engine import configured_store
from infra.local.stack import Stack
from tests.prove import report
from tests.prove.run import Options, prove
from tests.prove.world import World

pytestmark = pytest.mark.skipif(
    configured_store() is Engines.MOTO,
    reason="moto loses acknowledged writes when its calls overlap: this needs dynoxide",
)


def test_faults_lose_and_double_nothing(local_stack: Stack) -> None:
    world = prove(local_stack, Options(seed=1, operations=120, clients=8))

    assert not world.violations, report.violations(world)
    # The run had enough faults: many attempts got no answer.
    attempts = [attempt for request in world.history for attempt in request.attempts]
    assert len(world.history) >= 120
    assert sum("(dropped)" in attempt or attempt == "died" for attempt in attempts) > len(attempts) / 5


@pytest.mark.parametrize(
    ("sabotage", "checks"),
    [
        ("answers-not-stored", {"audit", "entity", "replay"}),
        ("rollups-doubled", {"rollup", "reconciliation"}),
    ],
)
def test_deliberate_defects_are_reported(local_stack: Stack, sabotage: str, checks: set[str]) -> None:
    world = prove(local_stack, Options(seed=2, operations=24, clients=4, sabotage=sabotage))

    assert checks <= _reported(world)


def _reported(world: World) -> set[str]:
    return {violation.check for violation in world.violations}
