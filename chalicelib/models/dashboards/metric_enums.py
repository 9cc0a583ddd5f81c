"""The words that definitions of metrics are stored with."""

from __future__ import annotations

from enum import StrEnum


class MetricCategory(StrEnum):
    FINANCIAL = "FINANCIAL"
    OPERATIONAL = "OPERATIONAL"
    PRODUCTIVITY = "PRODUCTIVITY"
    SALES = "SALES"


class MetricFormat(StrEnum):
    """The format of a value."""

    NUMBER = "number"
    CURRENCY = "currency"
    PERCENTAGE = "percentage"


class Direction(StrEnum):
    """Which values are bad: how thresholds read."""

    UP = "up"
    """Up is good, low is bad."""
    DOWN = "down"
    """Down is good, high is bad."""
    BAND = "band"
    """Near the target is good, far from it is bad."""


class ChartType(StrEnum):
    AREA = "area"
    BAR = "bar"
    GAUGE = "gauge"
    LINE = "line"
    NUMBER = "number"
    PIE = "pie"
