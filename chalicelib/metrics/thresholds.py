"""Thresholds: the status of a value (normal, warning, critical), its change, and its progress towards the target.

A value that equals a threshold reaches it. With direction `down`, high values are bad: those at or above the threshold.
With `up`, low values are: those at or below it. In a `band`, a threshold is the allowed distance from the target, on
both sides. A missing threshold gives no status; 0 is a threshold like any other.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from chalicelib.models.dashboards.metric_enums import Direction

_HUNDRED = Decimal(100)


class Status(StrEnum):
    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"

    def is_worse_than(self, other: Status) -> bool:
        order = list(Status)
        return order.index(self) > order.index(other)


def status_of(
    value: Decimal | None,
    *,
    direction: Direction,
    warning: Decimal | None = None,
    critical: Decimal | None = None,
    target: Decimal | None = None,
) -> Status | None:
    """Return the status; None without a value. In a band without a target, which `errors` refuses, all is normal."""
    if value is None:
        return None
    if _is_reached(value, critical, direction, target):
        return Status.CRITICAL
    return Status.WARNING if _is_reached(value, warning, direction, target) else Status.NORMAL


def _is_reached(value: Decimal, threshold: Decimal | None, direction: Direction, target: Decimal | None) -> bool:
    if threshold is None:
        return False
    match direction:
        case Direction.DOWN:
            return value >= threshold
        case Direction.UP:
            return value <= threshold
        case Direction.BAND:
            return target is not None and abs(value - target) > threshold


def errors(
    *,
    direction: Direction,
    warning: Decimal | None = None,
    critical: Decimal | None = None,
    target: Decimal | None = None,
) -> dict[str, list[str]]:
    """Return the errors of thresholds that contradict each other, by field of the metric."""
    result: dict[str, list[str]] = {}
    thresholds = {"warningThreshold": warning, "criticalThreshold": critical}
    if direction is Direction.BAND:
        if target is None and (warning, critical) != (None, None):
            result["targetValue"] = ["is required for thresholds of a band"]
        for name, threshold in thresholds.items():
            if threshold is not None and threshold < 0:
                result[name] = ["must not be negative: in a band it is a distance from targetValue"]
    if warning is not None and critical is not None:
        if direction is Direction.UP and critical > warning:
            result.setdefault("criticalThreshold", []).append("must not be above warningThreshold where low is bad")
        if direction is not Direction.UP and critical < warning:
            result.setdefault("criticalThreshold", []).append("must not be below warningThreshold")
    return result


def change(value: Decimal | None, previous: Decimal | None) -> Decimal | None:
    """Return value - previous; None if either is unknown."""
    return None if value is None or previous is None else value - previous


def change_percent(value: Decimal | None, previous: Decimal | None) -> Decimal | None:
    """Return the change in percent of the previous value's magnitude: a rise is positive for negative values too.

    None if the previous value is 0.
    """
    if value is None or not previous:
        return None
    return (value - previous) / abs(previous) * _HUNDRED


def progress(value: Decimal | None, target: Decimal | None) -> Decimal | None:
    """Return the reached share of the target, or the used share of a ceiling, in percent; None if the target is 0."""
    return None if value is None or not target else value / target * _HUNDRED
