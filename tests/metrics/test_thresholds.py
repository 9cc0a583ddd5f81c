"""Thresholds by direction, changes against previous values, progress towards the target."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.metrics.thresholds import Status, change, change_percent, errors, progress, status_of
from chalicelib.models.dashboards.metric_enums import Direction
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

UP, DOWN, BAND = Direction.UP, Direction.DOWN, Direction.BAND
FIGURES = st.decimals(-1000, 1000, places=2)
MAYBE = st.none() | FIGURES


def _figure(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


@pytest.mark.parametrize(
    ("direction", "warning", "critical", "target", "value", "status"),
    [
        (DOWN, 10, 20, None, 9.99, "normal"),
        (DOWN, 10, 20, None, 10, "warning"),
        (DOWN, 10, 20, None, 19.99, "warning"),
        (DOWN, 10, 20, None, 20, "critical"),
        (DOWN, 0, None, None, 0, "warning"),
        (DOWN, None, 0, None, 0, "critical"),
        (DOWN, None, 0, None, -0.01, "normal"),
        (DOWN, 0, 5, None, -1, "normal"),
        (DOWN, 5, 5, None, 5, "critical"),
        (UP, 80, 50, None, 80.01, "normal"),
        (UP, 80, 50, None, 80, "warning"),
        (UP, 80, 50, None, 50.01, "warning"),
        (UP, 80, 50, None, 50, "critical"),
        (UP, None, 0, None, 0, "critical"),
        (UP, None, 0, None, 0.01, "normal"),
        (UP, 0, -5, None, 0, "warning"),
        (BAND, 5, 10, 100, 95, "normal"),
        (BAND, 5, 10, 100, 105, "normal"),
        (BAND, 5, 10, 100, 94.99, "warning"),
        (BAND, 5, 10, 100, 105.01, "warning"),
        (BAND, 5, 10, 100, 110, "warning"),
        (BAND, 5, 10, 100, 110.01, "critical"),
        (BAND, 5, 10, 100, 0, "critical"),
        (BAND, 0, None, 0, 0, "normal"),
        (BAND, 0, None, 0, 0.01, "warning"),
        (BAND, 5, 10, None, 1000, "normal"),
        (DOWN, None, None, 5, 1000, "normal"),
        (UP, None, None, 5, -1000, "normal"),
    ],
)
def test_status_of_a_value(
    direction: Direction, warning: float | None, critical: float | None, target: float | None, value: float, status: str
) -> None:
    assert (
        status_of(
            Decimal(str(value)),
            direction=direction,
            warning=_figure(warning),
            critical=_figure(critical),
            target=_figure(target),
        )
        == status
    )


@pytest.mark.parametrize("direction", Direction)
def test_no_value_no_status(direction: Direction) -> None:
    assert status_of(None, direction=direction, warning=Decimal(0), critical=Decimal(0), target=Decimal(0)) is None


@pytest.mark.parametrize(
    ("direction", "warning", "critical", "target", "fields"),
    [
        (DOWN, 10, 20, None, []),
        (DOWN, 10, 10, None, []),
        (DOWN, 10, None, None, []),
        (DOWN, None, 10, None, []),
        (DOWN, 0, -1, None, ["criticalThreshold"]),
        (UP, 80, 50, None, []),
        (UP, 80, 80, None, []),
        (UP, 0, 1, None, ["criticalThreshold"]),
        (BAND, 5, 10, 0, []),
        (BAND, 0, 0, 0, []),
        (BAND, None, None, None, []),
        (BAND, 5, None, None, ["targetValue"]),
        (BAND, None, 5, None, ["targetValue"]),
        (BAND, 10, 5, 100, ["criticalThreshold"]),
        (BAND, -1, 5, 100, ["warningThreshold"]),
        (BAND, -1, -2, None, ["targetValue", "warningThreshold", "criticalThreshold"]),
    ],
)
def test_thresholds_that_do_not_go_together(
    direction: Direction, warning: float | None, critical: float | None, target: float | None, fields: list[str]
) -> None:
    result = errors(direction=direction, warning=_figure(warning), critical=_figure(critical), target=_figure(target))
    assert list(result) == fields
    assert all(result.values())


def test_errors_name_their_field() -> None:
    assert errors(direction=BAND, warning=Decimal(-1), critical=Decimal(-2)) == {
        "targetValue": ["is required for thresholds of a band"],
        "warningThreshold": ["must not be negative: in a band it is a distance from targetValue"],
        "criticalThreshold": [
            "must not be negative: in a band it is a distance from targetValue",
            "must not be below warningThreshold",
        ],
    }
    assert errors(direction=UP, warning=Decimal(1), critical=Decimal(2)) == {
        "criticalThreshold": ["must not be above warningThreshold where low is bad"]
    }


@law(300)
@given(st.sampled_from(Direction), MAYBE, MAYBE, MAYBE, FIGURES, FIGURES)
def test_farther_the_bad_way_is_never_better(
    direction: Direction,
    warning: Decimal | None,
    critical: Decimal | None,
    target: Decimal | None,
    one: Decimal,
    other: Decimal,
) -> None:
    def badness(value: Decimal) -> Decimal:
        if direction is BAND:
            return abs(value - (target or 0))
        return value if direction is DOWN else -value

    def status(value: Decimal) -> Status:
        result = status_of(value, direction=direction, warning=warning, critical=critical, target=target)
        assert result is not None
        return result

    better, worse = sorted((one, other), key=badness)
    assert not status(better).is_worse_than(status(worse))


@law(200)
@given(st.sampled_from(Direction), MAYBE, MAYBE, MAYBE, FIGURES)
def test_good_thresholds_warn_before_they_alarm(
    direction: Direction, warning: Decimal | None, critical: Decimal | None, target: Decimal | None, value: Decimal
) -> None:
    """Given valid thresholds, when a value is critical, then it would be a warning without the critical threshold."""
    if warning is None or errors(direction=direction, warning=warning, critical=critical, target=target):
        return
    whole = status_of(value, direction=direction, warning=warning, critical=critical, target=target)
    alone = status_of(value, direction=direction, warning=warning, target=target)
    assert (whole is Status.NORMAL) == (alone is Status.NORMAL)


def test_statuses_are_ordered() -> None:
    assert Status.WARNING.is_worse_than(Status.NORMAL)
    assert Status.CRITICAL.is_worse_than(Status.WARNING)
    assert not Status.WARNING.is_worse_than(Status.WARNING)
    assert not Status.NORMAL.is_worse_than(Status.CRITICAL)


@pytest.mark.parametrize(
    ("value", "previous", "by", "percent"),
    [
        (150, 100, 50, 50),
        (50, 100, -50, -50),
        (100, 100, 0, 0),
        (0, 100, -100, -100),
        (100, 0, 100, None),
        (0, 0, 0, None),
        (-50, -100, 50, 50),
        (50, -100, 150, 150),
        (None, 100, None, None),
        (100, None, None, None),
        (None, None, None, None),
        (None, 0, None, None),
    ],
)
def test_change_of_a_value(
    value: float | None, previous: float | None, by: float | None, percent: float | None
) -> None:
    assert change(_figure(value), _figure(previous)) == by
    assert change_percent(_figure(value), _figure(previous)) == percent


@pytest.mark.parametrize(
    ("value", "target", "percent"),
    [(50, 200, 25), (300, 200, 150), (0, 200, 0), (5, 0, None), (5, None, None), (None, 200, None), (-5, -10, 50)],
)
def test_progress_of_a_value(value: float | None, target: float | None, percent: float | None) -> None:
    assert progress(_figure(value), _figure(target)) == percent
