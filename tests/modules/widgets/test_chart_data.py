"""Charts: drawn as was asked for, or as comes nearest for data of their form; each a valid Vega-Lite spec."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import vega
from tests.support.api import Api
from tests.support.assignment_helpers import Desk, at
from tests.support.factories import new_organization
from tests.support.staffing import new_client, new_location
from tests.support.widget_helpers import ACTIVE, BY_CLIENT, HOURS, ask, carry, chart_of, data, new_metric

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture(scope="module")
def desk(api: Api, noon: None) -> Desk:
    """In Berlin, on a Monday: two clients' hours of the last two weeks, with running assignments."""
    desk = Desk.of(new_organization(api, timezone="Europe/Berlin"))
    hansa, weser = (
        desk.position(new_location(desk.member, new_client(desk.member, name=name)["id"])["id"])
        for name in ("Hansa", "Weser")
    )
    for position, start, hours in ((hansa, -26, 8), (weser, -50, 9), (hansa, -26 - 7 * 24, 4), (hansa, -3, 8)):
        desk.assign(desk.worker(), position, start, start + hours)
    carry(desk.organization)
    return desk


def shown(desk: Desk, metric: str, **fields: Any) -> Any:
    chart = data(desk.member, chart_of(desk.member, metric, **fields))
    assert chart["error"] is None
    return chart


# -- over time -------------------------------------------------------------------------------------------------------


def test_a_chart_has_a_point_a_day_of_the_organization(desk: Desk) -> None:
    chart = shown(desk, new_metric(desk.member))

    assert (chart["unit"], chart["step"], chart["chartType"]) == ("hours", "day", "line")
    assert [point["day"] for point in chart["points"]] == [f"2026-06-{day:02}" for day in range(9, 16)]
    assert [point["value"] for point in chart["points"]] == [0, 0, 0, 0, 9, 8, pytest.approx(3.02)]
    # From local midnight to the end of the minute that runs
    assert (chart["points"][-1]["start"], chart["points"][-1]["end"]) == (at(-14), at(1 / 60))


def test_beside_it_lies_what_it_is_compared_with(desk: Desk) -> None:
    chart = shown(desk, new_metric(desk.member))

    assert [point["day"] for point in chart["previousPoints"]] == [f"2026-06-{day:02}" for day in range(2, 9)]
    assert [point["value"] for point in chart["previousPoints"]] == [0, 0, 0, 0, 0, 4, 0]
    # As much of its last day as has elapsed of this one
    assert chart["previousPoints"][-1]["end"] == at(1 / 60 - 7 * 24)
    current, previous = (layer["data"]["values"] for layer in chart["spec"]["layer"][:2])
    assert [value["day"] for value in previous] == [value["day"] for value in current]
    assert {current[0]["series"], previous[0]["series"]} == {"9 – 15 Jun 2026", "2 – 8 Jun 2026"}


@pytest.mark.parametrize(
    ("query", "config"), [(HOURS, {"showPrevious": False}), ({**HOURS, "compare": "none"}, {"showPrevious": True})]
)
def test_nothing_lies_beside_it_where_nothing_is_compared(
    desk: Desk, query: dict[str, Any], config: dict[str, Any]
) -> None:
    chart = shown(desk, new_metric(desk.member, query), config=config)

    assert chart["previousPoints"] == []
    assert len(chart["spec"]["layer"]) == 1


def test_a_year_before_has_its_points_where_this_one_has_them(desk: Desk) -> None:
    metric = new_metric(desk.member, {**HOURS, "compare": "previous_year"})
    chart = shown(desk, metric)

    assert [point["day"] for point in chart["previousPoints"]] == [f"2025-06-{day:02}" for day in range(9, 16)]
    # There was nothing yet: a line along the zero would compare with nothing.
    assert {point["value"] for point in chart["previousPoints"]} == {0}
    assert len(chart["spec"]["layer"]) == 1


@pytest.mark.parametrize(
    ("step", "days", "values"),
    [("week", ["2026-06-01", "2026-06-08", "2026-06-15"], [4, 17, 3.02]), ("month", ["2026-06-01"], [24.02])],
)
def test_steps_may_be_longer(desk: Desk, step: str, days: list[str], values: list[float]) -> None:
    chart = shown(desk, new_metric(desk.member, {**HOURS, "period": "this_month"}), config={"step": step})

    assert chart["step"] == step
    assert [point["day"] for point in chart["points"]] == days
    assert [point["value"] for point in chart["points"]] == values


def test_a_long_period_is_told_in_longer_steps(desk: Desk) -> None:
    period = {"from": "2018-01-01", "to": "2026-12-31"}

    chart = shown(desk, new_metric(desk.member, {**HOURS, "period": period, "compare": "none"}))

    assert chart["step"] == "month"
    assert len(chart["points"]) == 8 * 12 + 6


def test_a_period_ahead_has_no_points(desk: Desk) -> None:
    period = {"from": "2027-01-01", "to": "2027-01-31"}

    chart = shown(desk, new_metric(desk.member, {**HOURS, "period": period}))

    assert (chart["points"], chart["previousPoints"]) == ([], [])
    assert "no data" in vega.texts(chart["spec"])


def test_levels_are_those_of_each_days_end(desk: Desk) -> None:
    chart = shown(desk, new_metric(desk.member, {**ACTIVE, "period": "last_7_days"}))

    assert [point["value"] for point in chart["points"]] == [0, 0, 0, 0, 0, 0, 1]


# -- requested types, and the nearest possible -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "requested", "of_metric", "drawn", "mark"),
    [
        (HOURS, None, None, "line", "line"),
        (HOURS, None, "bar", "bar", "bar"),
        (HOURS, "area", "bar", "area", "area"),
        (HOURS, "pie", None, "bar", "bar"),
        (HOURS, "gauge", None, "gauge", "arc"),
        (HOURS, "number", None, "number", "text"),
        (BY_CLIENT, None, None, "bar", "bar"),
        (BY_CLIENT, "pie", None, "pie", "arc"),
        (BY_CLIENT, "line", None, "bar", "bar"),
        (BY_CLIENT, "gauge", None, "bar", "bar"),
    ],
)
def test_a_chart_is_drawn_as_fits_its_data(
    desk: Desk, query: dict[str, Any], requested: str | None, of_metric: str | None, drawn: str, mark: str
) -> None:
    metric = new_metric(desk.member, query, chartType=of_metric)

    chart = shown(desk, metric, chartType=requested)

    assert chart["chartType"] == drawn
    assert chart["spec"]["layer"][0]["mark"]["type"] == mark
    vega.require_valid(chart["spec"])


def test_groups_come_with_their_names(desk: Desk) -> None:
    chart = shown(desk, new_metric(desk.member, BY_CLIENT), chartType="pie")

    clients = {row["name"]: row["id"] for row in desk.member.call("getClients").data["data"]}
    assert sorted((group["label"], group["key"], group["value"]) for group in chart["groups"]) == [
        ("Hansa", clients["Hansa"], pytest.approx(11.02)),
        ("Weser", clients["Weser"], 9),
    ]
    assert {"Hansa: 55 %", "Weser: 45 %", "20.02 h"} <= {*vega.texts(chart["spec"])}


def test_what_does_not_add_up_is_no_ring(desk: Desk) -> None:
    average = new_metric(desk.member, {**BY_CLIENT, "aggregate": "avg"})

    assert shown(desk, average, chartType="pie")["chartType"] == "bar"


def test_one_number_has_the_one_before(desk: Desk) -> None:
    chart = shown(desk, new_metric(desk.member, targetValue=40), chartType="gauge")

    assert (chart["value"], chart["previous"], chart["points"]) == (pytest.approx(20.02), 4, [])
    assert "target 40 h" in vega.texts(chart["spec"])


# -- words and limits ------------------------------------------------------------------------------------------------


def test_a_chart_is_called_as_the_widget_or_else_the_metric(desk: Desk) -> None:
    metric = new_metric(desk.member, name="Hours worked", unit="hrs", color="#123456")

    own, metrics = shown(desk, metric, title="Our hours")["spec"], shown(desk, metric)["spec"]

    assert (own["title"]["text"], metrics["title"]["text"]) == ("Our hours", "Hours worked")
    assert "#123456" in str(own)
    assert "8 hrs" in vega.texts(own)


LEVELS = {**ACTIVE, "period": "last_7_days"}
SHARE = {"type": "ratio", "numerator": ACTIVE, "denominator": ACTIVE, "period": "this_month"}
SUM_OF_A_WEEK = {**HOURS, "period": "this_week"}
DOUBLED = {
    "type": "derived",
    "period": "this_week",
    "expression": {
        "type": "add",
        "left": {"type": "simple", "source": "assignments", "aggregate": "count"},
        "right": {"type": "simple", "source": "assignments", "aggregate": "count"},
    },
}


@pytest.mark.parametrize(
    ("query", "step", "lines"),
    [
        (LEVELS, "day", 3),
        (SHARE, "day", 3),
        ({**HOURS, "aggregate": "avg"}, "day", 3),
        (HOURS, "day", 0),
        (SUM_OF_A_WEEK, "day", 0),
        (SUM_OF_A_WEEK, "week", 3),
        (DOUBLED, "day", 0),
        (DOUBLED, "week", 3),
        ({**HOURS, "period": "today"}, "day", 3),
        ({**HOURS, "period": "last_month"}, "month", 3),
        ({**HOURS, "aggregate": "countDistinct", "field": "workerId"}, "day", 0),
    ],
)
def test_limits_are_drawn_where_points_can_be_held_against_them(
    desk: Desk, query: dict[str, Any], step: str, lines: int
) -> None:
    metric = new_metric(desk.member, query, targetValue=30, warningThreshold=40, criticalThreshold=50)

    assert rules(shown(desk, metric, config={"step": step})) == lines
    if lines:
        assert rules(shown(desk, metric, config={"step": step, "showThresholds": False})) == 0


def rules(chart: Any) -> int:
    return sum(layer["mark"]["type"] == "rule" for layer in chart["spec"]["layer"])


def test_money_reads_as_money(api: Api) -> None:
    desk = Desk.of(new_organization(api, currency="CHF"))
    position = desk.position()
    rate = {"amount": 4050, "currency": "CHF"}
    path = {"id": position, "effectiveFrom": "2026-01-01"}
    assert desk.member.call("setPositionRate", path=path, body=rate).status == 200
    desk.assign(desk.worker(), position, -10, -8)
    carry(desk.organization)
    metric = new_metric(desk.member, {**HOURS, "field": "billed", "period": "today"}, format="currency")

    chart = shown(desk, metric, chartType="number")

    assert (chart["unit"], chart["value"]) == ("money", 81)
    assert "81.00 CHF" in vega.texts(chart["spec"])


# -- another period ----------------------------------------------------------------------------------------------------


def test_a_chart_over_time_or_by_group_is_over_the_requested_period(desk: Desk) -> None:
    over_time = chart_of(desk.member, new_metric(desk.member, targetValue=40))
    chart = data(desk.member, over_time, period="yesterday")
    assert (chart["period"], [point["value"] for point in chart["points"]]) == ("yesterday", [8])
    # The target is of the metric's own period.
    assert "40" not in str([layer.get("encoding") for layer in chart["spec"]["layer"]])
    assert data(desk.member, over_time)["period"] is None

    by_client = chart_of(desk.member, new_metric(desk.member, BY_CLIENT))
    grouped = data(desk.member, by_client, period="yesterday")
    assert [(group["label"], group["value"]) for group in grouped["groups"]] == [("Hansa", 8), ("Weser", 0)]


def test_a_figure_stays_over_the_metrics_own_period(desk: Desk) -> None:
    gauge = chart_of(desk.member, new_metric(desk.member, targetValue=40), chartType="gauge")
    chart = data(desk.member, gauge, period="yesterday")
    assert (chart["period"], chart["value"]) == (None, pytest.approx(20.02))

    since = {key: value for key, value in HOURS.items() if key != "period"}
    running = chart_of(desk.member, new_metric(desk.member, {**since, "type": "cumulative", "window": "P30D"}))
    assert data(desk.member, running, period="yesterday")["period"] is None


def test_an_unknown_period_is_refused(desk: Desk) -> None:
    chart = chart_of(desk.member, new_metric(desk.member))
    answer = ask(desk.member, chart, period="ever")
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, ["period"])
