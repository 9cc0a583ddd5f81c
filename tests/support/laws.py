"""How laws are tried: many examples, the same ones on every machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from infra.local.engine import Store, wanted_store


def law(examples: int = 100) -> settings:
    """`examples`: few for what talks to the table, and a third of these where each costs most."""
    is_slow = examples < 100 and wanted_store() is Store.MOTO
    return settings(
        max_examples=max(1, examples // 3) if is_slow else examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
