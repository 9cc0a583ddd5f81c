"""Charts: specs are valid Vega-Lite for all values, and the drawing shows the values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.metrics.charts import charts, gauge
from chalicelib.metrics.charts.charts import MAX_BARS, MAX_SHARES, Moment, Series
from chalicelib.metrics.charts.vega import BLUE, GREEN, ORANGE, VERMILLION, Spec, Subject
from chalicelib.metrics.language.outcomes import Group
from chalicelib.metrics.language.periods import Step
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.dashboards.metric_enums import Direction, MetricCategory
from chalicelib.models.dashboards.metrics import Metric
from tests.support import vega
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

FIRST = date(2026, 6, 8)
HOURS = Subject("Hours", Unit.HOURS, "EUR")
MONEY = Subject("Billed", Unit.MONEY, "EUR")
FILL_RATE = Subject(
    "Fill rate",
    Unit.PERCENT,
    "EUR",
    direction=Direction.UP,
    target=Decimal(90),
    warning=Decimal(80),
    critical=Decimal(60),
)

values = st.one_of(
    st.none(),
    st.decimals(-1_000_000, 1_000_000, places=2),
    st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(10) ** 12, -(Decimal(10) ** 12)]),
)
limits = st.one_of(st.none(), st.decimals(-1000, 1000, places=2))
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
subjects = st.builds(
    Subject,
    title=names,
    unit=st.sampled_from(Unit),
    currency=st.sampled_from(["EUR", "JPY", "BHD"]),
    suffix=st.one_of(st.none(), names),
    direction=st.sampled_from(Direction),
    target=limits,
    warning=limits,
    critical=limits,
)


def series(given: Sequence[Decimal | None], name: str = "8 – 14 Jun 2026", first: date = FIRST) -> Series:
    return Series(name, [Moment(first + timedelta(days=number), value) for number, value in enumerate(given)])


def figures(*numbers: float | None) -> list[Decimal | None]:
    return [None if number is None else Decimal(str(number)) for number in numbers]


def groups(*named: tuple[str, float | None]) -> list[Group]:
    return [
        Group(str(number), name, None if value is None else Decimal(str(value)))
        for number, (name, value) in enumerate(named)
    ]


# -- any values ------------------------------------------------------------------------------------------------------


@law(12)
@given(
    subject=subjects,
    kind=st.sampled_from(["area", "bar", "line"]),
    step=st.sampled_from(Step),
    current=st.lists(values, max_size=5),
    previous=st.one_of(st.none(), st.lists(values, max_size=5)),
)
def test_a_time_series_is_valid(
    subject: Subject,
    kind: Literal["area", "bar", "line"],
    step: Step,
    current: list[Decimal | None],
    previous: list[Decimal | None] | None,
) -> None:
    before = None if previous is None else series(previous, "1 – 7 Jun 2026")
    spec = charts.over_time(subject, kind, step, series(current), before, with_limits=True)

    vega.require_valid(spec)
    assert spec["description"]


@law(12)
@given(subject=subjects, named=st.lists(st.tuples(names, values), max_size=20))
def test_groups_are_valid(subject: Subject, named: list[tuple[str, Decimal | None]]) -> None:
    drawn = [Group(str(number), name, value) for number, (name, value) in enumerate(named)]

    for spec in (charts.by_group(subject, drawn), charts.shares(subject, drawn)):
        vega.require_valid(spec)
        assert spec["description"]


@law(12)
@given(subject=subjects, value=values, previous=values)
def test_one_number_is_valid(subject: Subject, value: Decimal | None, previous: Decimal | None) -> None:
    for spec in (gauge.gauge(subject, value), gauge.figure(subject, value, previous)):
        vega.require_valid(spec)
        assert spec["description"]


DRAWN: dict[str, Spec] = {
    "bars": charts.over_time(
        HOURS, "bar", Step.DAY, series(figures(8, 7.5, None, 0)), series(figures(1, 2, 3, 4), "before")
    ),
    "a line with limits": charts.over_time(FILL_RATE, "line", Step.DAY, series(figures(50, 70, 95)), with_limits=True),
    "no area": charts.over_time(MONEY, "area", Step.WEEK, series([])),
    "groups": charts.by_group(MONEY, groups(("A", 3), ("B", -2))),
    "no groups": charts.by_group(MONEY, []),
    "shares": charts.shares(HOURS, groups(*((f"Client {number}", number) for number in range(12)))),
    "a gauge": gauge.gauge(FILL_RATE, Decimal("72.5")),
    "a gauge of nothing": gauge.gauge(FILL_RATE, None),
    "a number": gauge.figure(MONEY, Decimal(12), Decimal(10)),
    "no number": gauge.figure(MONEY, None, None),
}


@pytest.mark.parametrize("spec", DRAWN.values(), ids=DRAWN)
def test_it_is_drawn(spec: Spec) -> None:
    image = vega.png(spec)

    assert image.startswith(vega.PNG)
    assert len(image) > 1000


# -- over time -------------------------------------------------------------------------------------------------------


def test_an_axis_shows_the_days_that_were_sent() -> None:
    spec = charts.over_time(HOURS, "bar", Step.DAY, series(figures(8, 7.5, 0)))

    assert {"8 Jun", "9 Jun", "10 Jun", "8 h", "by day, 8 Jun 2026 to 10 Jun 2026"} <= {*vega.texts(spec)}


def test_a_month_is_called_by_its_name() -> None:
    spec = charts.over_time(MONEY, "line", Step.MONTH, Series("2026", [Moment(date(2026, 6, 1), Decimal(1000))]))

    assert {"Jun 2026", "by month, Jun 2026", "1,000 EUR"} <= {*vega.texts(spec)}


def test_the_compared_series_is_named_too() -> None:
    spec = charts.over_time(
        HOURS, "line", Step.DAY, series(figures(8, 7)), series(figures(6, None), "25 – 26 May 2026")
    )

    assert {"8 – 14 Jun 2026", "25 – 26 May 2026"} <= {*vega.texts(spec)}
    assert spec["layer"][1]["mark"]["strokeDash"]


def test_without_a_comparison_there_is_no_legend() -> None:
    assert "8 – 14 Jun 2026" not in vega.texts(charts.over_time(HOURS, "line", Step.DAY, series(figures(8, 7))))


def test_limits_are_lines_with_their_names() -> None:
    spec = charts.over_time(FILL_RATE, "line", Step.DAY, series(figures(50, 70)), with_limits=True)

    assert {"Target 90 %", "Warning 80 %", "Critical 60 %"} <= {*vega.texts(spec)}
    colors = [layer["mark"]["color"] for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert colors == [GREEN, ORANGE, VERMILLION]


def test_limits_are_drawn_only_on_request() -> None:
    spec = charts.over_time(FILL_RATE, "line", Step.DAY, series(figures(50, 70)))

    assert not any("Target" in text for text in vega.texts(spec))


def test_a_band_has_lines_on_both_sides_of_its_target() -> None:
    band = Subject("Stock", Unit.NUMBER, "EUR", direction=Direction.BAND, target=Decimal(50), warning=Decimal(10))

    spec = charts.over_time(band, "line", Step.DAY, series(figures(45)), with_limits=True)

    assert {"Target 50", "Warning 40", "Warning 60"} <= {*vega.texts(spec)}


def test_a_time_series_is_described_for_screen_readers() -> None:
    spec = charts.over_time(HOURS, "bar", Step.DAY, series(figures(8, None, 2.25, 4)))

    assert spec["description"] == (
        "Hours by day: highest 8 h, 8 Jun 2026; lowest 2.25 h, 10 Jun 2026; latest 4 h, 11 Jun 2026."
    )


def test_many_points_have_no_marks_of_their_own() -> None:
    few, many = (charts.over_time(HOURS, "line", Step.DAY, series(figures(*range(count)))) for count in (31, 32))

    assert few["layer"][0]["mark"]["point"]
    assert not many["layer"][0]["mark"]["point"]


# -- groups ----------------------------------------------------------------------------------------------------------


def test_groups_are_in_order_with_their_numbers() -> None:
    spec = charts.by_group(MONEY, groups(("Loss", -5), ("Small", 12.5), ("Unknown", None), ("Great", 1234)))

    drawn = [text for text in vega.texts(spec) if ": " in text]
    assert drawn == ["Great: 1,234.00 EUR", "Small: 12.50 EUR", "Loss: -5.00 EUR"]
    assert spec["description"] == "Billed by group: Great 1,234.00 EUR, Small 12.50 EUR, Loss -5.00 EUR."


def test_of_many_groups_the_greatest_are_shown() -> None:
    many = groups(*((f"Client {number}", number) for number in range(MAX_BARS + 5)))

    spec = charts.by_group(HOURS, many)

    assert len(spec["layer"][0]["data"]["values"]) == MAX_BARS
    assert spec["title"]["subtitle"] == f"the {MAX_BARS} greatest of {MAX_BARS + 5}"
    assert spec["description"].endswith("and 5 smaller ones.")


def test_two_groups_of_one_name_are_two() -> None:
    alike = "A very long name of a company that is cut off in the end"
    spec = charts.by_group(HOURS, groups(("Anna Berg", 3), ("Anna Berg", 2), (alike + "!", 5), (alike + "?", 4)))

    drawn = [text for text in vega.texts(spec) if ": " in text]
    assert len({*drawn}) == 4
    assert {"Anna Berg: 3 h", "(2) Anna Berg: 2 h"} <= {*drawn}


def test_shares_add_up_to_the_whole() -> None:
    spec = charts.shares(HOURS, groups(("A", 30), ("B", 10), ("None", 0), ("Unknown", None)))

    assert {"A: 75 %", "B: 25 %", "40 h"} <= {*vega.texts(spec)}


def test_small_shares_are_one() -> None:
    spec = charts.shares(HOURS, groups(*((f"Client {number}", 1) for number in range(MAX_SHARES + 3))))

    ring = spec["layer"][0]["data"]["values"]
    assert len(ring) == MAX_SHARES + 1
    assert (ring[-1]["group"], ring[-1]["value"]) == ("3 others: 30 %", 3.0)


# -- one number ------------------------------------------------------------------------------------------------------


def arcs(spec: Spec) -> list[tuple[float, float, str]]:
    """Return start, end and colour of the arcs, from the inside out."""
    return [
        (layer["encoding"]["theta"]["datum"], layer["encoding"]["theta2"]["datum"], layer["mark"]["color"])
        for layer in spec["layer"]
        if layer["mark"]["type"] == "arc"
    ]


def test_a_gauge_shows_where_values_are_good_and_bad() -> None:
    spec = gauge.gauge(FILL_RATE, Decimal(70))

    assert arcs(spec)[1:5] == [
        (0, 60, VERMILLION),
        (60, 80, ORANGE),
        (80, 100, GREEN),
        (0, 70, ORANGE),
    ]
    assert {"70 %", "target 90 %"} <= {*vega.texts(spec)}
    assert spec["description"] == "Fill rate: 70 %, target 90 %, warning."


def test_a_gauge_without_thresholds_has_the_colour_of_its_metric() -> None:
    spec = gauge.gauge(Subject("Hours", Unit.HOURS, "EUR", color="#123456"), Decimal(8))

    assert arcs(spec)[1] == (0, 8, "#123456")
    assert spec["description"] == "Hours: 8 h."


def test_a_gauge_is_filled_from_zero() -> None:
    assert arcs(gauge.gauge(HOURS, Decimal(-30)))[1][:2] == (-30, 0)


@pytest.mark.parametrize(
    ("value", "span"),
    [(0, (0, 1)), (8, (0, 10)), (37.5, (0, 50)), (95, (0, 100)), (100, (0, 100)), (101, (0, 150)), (-30, (-40, 0))],
)
def test_a_gauge_has_room_for_its_value(value: float, span: tuple[float, float]) -> None:
    low, high, _ = arcs(gauge.gauge(HOURS, Decimal(str(value))))[0]

    assert (low, high) == span


def test_a_number_shows_its_change() -> None:
    texts = {*vega.texts(gauge.figure(MONEY, Decimal("90.5"), Decimal(100)))}

    assert {"90.50 EUR", "▼ -9.50 EUR (-10 %), before 100.00 EUR"} <= texts


@pytest.mark.parametrize(
    ("value", "previous", "text"),
    [(5, 5, "■ +0 h (+0 %), before 5 h"), (5, 0, "▲ +5 h, before 0 h"), (5, None, None), (None, 5, None)],
)
def test_a_number_may_have_changed_by_nothing_or_from_nothing(
    value: float | None, previous: float | None, text: str | None
) -> None:
    drawn = [shown for shown in vega.texts(gauge.figure(HOURS, *figures(value, previous))) if "before" in shown]

    assert drawn == ([] if text is None else [text])


# -- numbers and colours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "currency", "suffix", "value", "text"),
    [
        (Unit.HOURS, "EUR", None, "37.50", "37.5 h"),
        (Unit.HOURS, "EUR", None, "40.00", "40 h"),
        (Unit.HOURS, "EUR", "hrs", "1.25", "1.25 hrs"),
        (Unit.MONEY, "EUR", None, "1234.5", "1,234.50 EUR"),
        (Unit.MONEY, "JPY", None, "1234", "1,234 JPY"),
        (Unit.MONEY, "BHD", None, "1.2", "1.200 BHD"),
        (Unit.NUMBER, "EUR", None, "1000", "1,000"),
        (Unit.PERCENT, "EUR", None, "82.1", "82.1 %"),
    ],
)
def test_numbers_read_as_people_write_them(
    unit: Unit, currency: str, suffix: str | None, value: str, text: str
) -> None:
    assert Subject("Any", unit, currency, suffix=suffix).text(Decimal(value)) == text


def test_a_suffix_of_users_cannot_be_code() -> None:
    # Given a unit that would close the quote in an expression and continue with code
    subject = Subject("Any", Unit.NUMBER, "EUR", suffix="' + pow(2, 10) + '\\")

    drawn = vega.texts(charts.over_time(subject, "bar", Step.DAY, series(figures(4))))

    assert not any("1024" in text for text in drawn)
    assert any("pow(2, 10)" in text for text in drawn)


@pytest.mark.parametrize(
    ("name", "color"),
    [("blue", BLUE), ("GREEN", GREEN), ("#A1b2C3", "#A1b2C3"), ("#12345", BLUE), ("#12345g", BLUE), ("mauve", BLUE)],
)
def test_a_metric_is_drawn_in_its_colour(name: str, color: str) -> None:
    metric = Metric.new(name="Any", category=MetricCategory.SALES, query={}, color=name)

    assert Subject.of(metric, Unit.NUMBER, "EUR", {}, "Any").color == color
