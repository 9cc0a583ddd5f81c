"""Money of metrics: each hour at the rate of its local day; without a rate the amount is None, not 0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from tests.support.api import Api
from tests.support.measuring import Json, days, outcomes, simple, stored, sync_entities, total, values, where
from tests.support.shift_helpers import Crew, Rates, minute_of

DAY = "2026-11-17"
LONG_AGO = date(2020, 1, 1)
EIGHT = minute_of(f"{DAY}T08:00Z")
LATER = "2026-11-18T12:00Z"
MONEY = ("billed", "paid", "margin")


def _euros(amount: int, since: date = LONG_AGO) -> Rates:
    return {since: Money(amount=amount, currency="EUR")}


def _crew(api: Api, *rates: Rates, zone: str = "UTC") -> Crew:
    """Hire a crew with the rates of both workers, then of the positions."""
    return Crew.hired(api, zone, rates)


def _rolled_up(crew: Crew) -> Crew:
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    return crew


def _values(crew: Crew, *queries: Json, at: str = LATER, **changes: Any) -> list[Decimal | None]:
    return values(stored(crew.organization.id, **changes), at, queries)


def _money(crew: Crew, at: str = LATER, **more: Any) -> list[Decimal | None]:
    return _values(crew, *(total(name, **more) for name in MONEY), at=at)


def _exactly(amounts: Sequence[str | None]) -> list[Decimal | None]:
    return [None if amount is None else Decimal(amount) for amount in amounts]


def test_hours_are_billed_and_paid_at_their_rates(api: Api) -> None:
    crew = _crew(api, _euros(1500), _euros(1700), _euros(4000), _euros(4200))
    crew.assign(0, 0, EIGHT, EIGHT + 480)
    crew.assign(1, 1, EIGHT, EIGHT + 90)
    _rolled_up(crew)
    assert _money(crew) == _exactly(["383.00", "145.50", "237.50"])
    by_worker = where("workerId", "eq", crew.workers[1])
    assert _money(crew, where=by_worker) == _exactly(["63.00", "25.50", "37.50"])
    but_for_position = where("positionId", "ne", crew.positions[1])
    assert _money(crew, where=but_for_position) == _exactly(["320", "120", "200"])
    averages = [simple("assignments", "avg", name) for name in MONEY]
    assert _values(crew, *averages) == _exactly(["191.50", "72.75", "118.75"])


def test_a_pay_rate_above_the_bill_rate_gives_a_negative_margin(api: Api) -> None:
    crew = _crew(api, _euros(4001), {}, _euros(1500))
    crew.assign(0, 0, EIGHT, EIGHT + 30)
    assert _money(_rolled_up(crew)) == _exactly(["7.50", "20.01", "-12.51"])  # -12.505


def test_a_rate_holds_from_local_midnight(api: Api) -> None:
    bill = _euros(4000) | _euros(5000, date(2026, 11, 17))
    crew = _crew(api, _euros(1000), {}, bill, zone="Europe/Berlin")
    start = minute_of("2026-11-16T22:00Z")  # an hour before midnight
    crew.assign(0, 0, start, start + 180)
    _rolled_up(crew)
    for first, last, billed in [("16", "16", 40), ("17", "17", 100), ("16", "17", 140), ("18", "18", 0)]:
        over = days(f"2026-11-{first}", f"2026-11-{last}")
        assert _values(crew, total("billed", period=over)) == [billed]


def test_a_running_assignment_counts_up_to_now(api: Api) -> None:
    crew = _crew(api, _euros(1000), {}, _euros(4000))
    crew.assign(0, 0, EIGHT, None)
    _rolled_up(crew)
    assert _money(crew, f"{DAY}T08:00Z", period="today") == [0, 0, 0]
    assert _money(crew, f"{DAY}T08:45Z", period="today") == _exactly(["30", "7.50", "22.50"])


@pytest.mark.parametrize(
    ("paid", "billed", "expected", "lacking"),
    [
        ({}, {}, [None, None, None], [8, 8]),
        (_euros(1500), {}, [None, "120", None], [8, 0]),
        ({}, _euros(4000), ["320", None, None], [0, 8]),
        (_euros(1500), _euros(0), ["0", "120", "-120"], [0, 0]),
        (_euros(0), _euros(0), ["0", "0", "0"], [0, 0]),
        (_euros(1500), _euros(4000, date(2026, 11, 18)), [None, "120", None], [8, 0]),
        (_euros(1500), {LONG_AGO: Money(amount=4000, currency="USD")}, [None, "120", None], [8, 0]),
    ],
)
def test_where_no_rate_holds_there_is_no_amount(
    api: Api, paid: Rates, billed: Rates, expected: list[str | None], lacking: list[int]
) -> None:
    crew = _crew(api, paid, {}, billed)
    crew.assign(0, 0, EIGHT, EIGHT + 480)
    _rolled_up(crew)
    assert _money(crew) == _exactly(expected)
    assert _values(crew, total("unbilledHours"), total("unpaidHours"), total("hours")) == [*lacking, 8]
    averages = [simple("assignments", "avg", name) for name in MONEY]
    assert _values(crew, *averages) == _exactly(expected)
    # A day without hours has an amount of 0
    assert _money(crew, period="today") == [0, 0, 0]


def test_hours_without_a_rate_add_nothing_to_amounts_and_are_counted(api: Api) -> None:
    crew = _crew(api, _euros(1000), _euros(1000), _euros(4000), {})
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    crew.assign(1, 1, EIGHT, EIGHT + 30)
    _rolled_up(crew)
    assert _money(crew) == _exactly(["40", "15", "30"])
    assert _values(crew, total("marginBase")) == [40]
    assert _values(crew, total("unbilledHours"), simple("assignments", "avg", "billed")) == [Decimal("0.5"), 20]
    assert _money(crew, where=where("workerId", "eq", crew.workers[0])) == [40, 10, 30]
    assert _money(crew, where=where("workerId", "eq", crew.workers[1])) == [None, 5, None]
    # Extremes are over the known amounts
    extremes = [simple("assignments", aggregate, "billed") for aggregate in ("min", "max")]
    assert _values(crew, *extremes) == [40, 40]
    assert _values(crew, simple("assignments", "min", "margin")) == [30]


@pytest.mark.parametrize(("currency", "expected"), [("JPY", "4000"), ("EUR", "40.00"), ("BHD", "4.000")])
def test_amounts_are_in_major_units_of_the_currency(api: Api, currency: str, expected: str) -> None:
    crew = _crew(api, {}, {}, {LONG_AGO: Money(amount=4000, currency=currency)})
    crew.done("updateOrganization", body={"currency": currency})
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    (billed,) = _values(_rolled_up(crew), total("billed"))
    assert str(billed) == expected


def test_an_amount_is_rounded_once_and_half_up(api: Api) -> None:
    crew = _crew(api, {}, {}, _euros(1), _euros(1))
    for worker in (0, 1):
        crew.assign(worker, worker, EIGHT, EIGHT + 45)  # 0.75 cents
    _rolled_up(crew)
    assert _values(crew, total("billed")) == _exactly(["0.02"])  # 1.5 cents, not twice 0.75
    assert _values(crew, total("billed", where=where("workerId", "eq", crew.workers[0]))) == _exactly(["0.01"])


def test_a_result_beyond_the_limit_is_an_error_of_its_query_alone(api: Api) -> None:
    crew = _crew(api, {}, {}, _euros(1))
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    _rolled_up(crew)
    expression: Json = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "billed"}
    queries = []
    for factor in (10**12, 10**5, 1.5, 10**12):
        expression = {"type": "mul", "left": expression, "right": {"type": "constant", "value": factor}}
        queries.append({"type": "derived", "expression": expression, "period": "this_month", "compare": "none"})
    one, other, *large = outcomes(stored(crew.organization.id), LATER, queries)
    assert [one.value, other.value] == [10**10, 10**15]
    assert {(result.value, result.error) for result in large} == {(None, "the result is beyond ±1,000,000,000,000,000")}
