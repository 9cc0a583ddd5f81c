"""How laws are tried: many examples, the same ones on every machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def law(examples: int = 100) -> settings:
    """`examples`: few for what talks to the table."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
