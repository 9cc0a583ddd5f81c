"""Settings of property tests: how many examples, the same ones on every machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from infra.local.engine import Store, wanted_store

IS_FULL = os.environ.get("WORKLEDGER_BUDGET") == "full"
"""`make test-full`: every example. Otherwise a quarter of those of which there are many."""
_FEW = 15


def law(examples: int = 100) -> settings:
    """`examples`: few for properties of the table, and a third of these on moto, where each costs most."""
    if not IS_FULL:
        is_slow = examples < 100 and wanted_store() is Store.MOTO
        examples = max(1, examples // 3) if is_slow else min(examples, max(_FEW, examples // 4))
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
