"""Logs (JSON), metrics (EMF) and traces, through Powertools.

Log lines hold ids, names of actions, codes, durations and counts; never what a caller sent or what is sent to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.core.settings import settings

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

SERVICE = "workledger-api"
"""Differs from Chalice's app name on purpose: equal names share one logger and double every line."""

logger = Logger(service=SERVICE, utc=True)


@contextmanager
def log_context(**keys: Any) -> Iterator[None]:
    """Keys on every log line of this thread while inside."""
    logger.thread_safe_append_keys(**keys)
    try:
        yield
    finally:
        logger.thread_safe_remove_keys(keys)


def emit(dimensions: dict[str, str], **values: float) -> None:
    """One EMF record. Values whose name ends in `Ms` are milliseconds, the others counts."""
    metrics = EphemeralMetrics(namespace="Workledger", service=SERVICE)
    # Stages may share an account.
    for name, dimension in {**dimensions, "stage": settings().stage}.items():
        metrics.add_dimension(name=name, value=dimension)
    for name, value in values.items():
        unit = MetricUnit.Milliseconds if name.endswith("Ms") else MetricUnit.Count
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


@contextmanager
def traced(name: str) -> Iterator[None]:
    """A trace segment, where tracing is switched on."""
    if not settings().tracing:
        yield
        return
    with _tracer().provider.in_subsegment(name):
        yield


@cache
def _tracer() -> Tracer:
    # Imported only where it is used: the X-Ray SDK would cost every cold start.
    from aws_lambda_powertools import Tracer

    return Tracer(service=SERVICE)
