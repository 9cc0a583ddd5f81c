"""Settings of property tests: the number of examples, which are the same on every machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from infra.local.engine import Store, configured_store

IS_FULL = os.environ.get("WORKLEDGER_BUDGET") == "full"
"""True for `make test-full`, which runs all examples. Otherwise a quarter of large numbers."""
_FEW = 15


def law(examples: int = 100, *, default: int | None = None) -> settings:
    """Return the settings. `examples`: few for properties of the table, a third of them on moto, which is slow.

    `default`: examples outside the full budget, where a quarter would be too many.
    """
    if not IS_FULL and default is not None:
        examples = default
    elif not IS_FULL:
        is_slow = examples < 100 and configured_store() is Store.MOTO
        examples = max(1, examples // 3) if is_slow else min(examples, max(_FEW, examples // 4))
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
