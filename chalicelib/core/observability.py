"""Logs (JSON), metrics (EMF) and traces, through Powertools.

Log lines hold ids, names of actions, codes, durations and counts; never the content of requests, answers or mail.
"""

from __future__ import annotations

import traceback
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

_MAX_CAUSES = 20
_MAX_FRAMES = 40

logger = Logger(service=SERVICE, utc=True)


@contextmanager
def log_context(**keys: Any) -> Iterator[None]:
    """Keys on every log line of this thread while inside."""
    logger.thread_safe_append_keys(**keys)
    try:
        yield
    finally:
        logger.thread_safe_remove_keys(keys)


def log_error(message: str, error: BaseException, /, **fields: Any) -> None:
    """Log an error at ERROR with its classes, AWS codes and stack."""
    logger.error(message, extra={**fields, **described(error)})


def described(error: BaseException) -> dict[str, Any]:
    """Return the classes, AWS codes and stack of an error and its causes: never a message, which may hold values."""
    chain = _chain(error)
    responses = [response for cause in chain if isinstance(response := getattr(cause, "response", None), dict)]
    reasons = [reason for response in responses for reason in response.get("CancellationReasons", [])]
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    return {
        "exception_name": type(error).__name__,
        "causes": [type(cause).__name__ for cause in chain[1:]],
        "aws_codes": list(
            dict.fromkeys(
                code
                for code in (
                    *(response.get("Error", {}).get("Code") for response in responses),
                    *(reason.get("Code") for reason in reasons),
                )
                if code not in {None, "None"}
            )
        ),
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and its causes: PynamoDB keeps the SDK's error in `cause`, a group has several."""
    chain: list[BaseException] = []
    pending: list[Any] = [error]
    while pending and len(chain) < _MAX_CAUSES:
        cause = pending.pop(0)
        if not isinstance(cause, BaseException) or any(cause is known for known in chain):
            continue
        chain.append(cause)
        pending += [cause.__cause__, None if cause.__suppress_context__ else cause.__context__]
        pending += [getattr(cause, "cause", None), *getattr(cause, "exceptions", ())]
    return chain


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
