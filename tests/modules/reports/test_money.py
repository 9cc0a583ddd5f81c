"""Money of hours: each at the rate of its local day, rounded once per row, never in two currencies."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.report_oracle import rows_of, totals_of
from tests.support.shift_helpers import Crew, Rates, minute_of

DAY = date(2026, 3, 2)
LONG_AGO = date(2020, 1, 1)
EIGHT = minute_of("2026-03-02T08:00Z")


def _euros(amount: int, since: date = LONG_AGO) -> Rates:
    return {since: Money(amount=amount, currency="EUR")}


def _money(amount: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def _amounts(shown: dict[str, Any]) -> dict[str, int]:
    return {name: shown[name]["amount"] for name in ("billed", "paid", "margin") if name in shown}


def test_hours_are_billed_by_position_and_paid_by_worker(api: Api) -> None:
    # Given two workers at two positions, each with a rate of its own
    crew = Crew.hired(api, rates=[_euros(1500), _euros(1700), _euros(4000), _euros(4200)])
    crew.assign(0, 0, EIGHT, EIGHT + 480)
    crew.assign(1, 1, EIGHT, EIGHT + 90)
    # When the hours are reported
    report = crew.report(DAY, DAY)
    # Then each row has the amounts of its position and its worker, and the totals are their sums
    by_worker = {row["workerId"]: _amounts(row) for row in report["rows"]}
    assert by_worker == {
        crew.workers[0]: {"billed": 32_000, "paid": 12_000, "margin": 20_000},
        crew.workers[1]: {"billed": 6300, "paid": 2550, "margin": 3750},
    }
    assert _amounts(report["totals"]) == {"billed": 38_300, "paid": 14_550, "margin": 23_750}
    assert report["rows"][0]["billed"]["currency"] == "EUR"


def test_what_costs_more_than_it_brings_has_a_negative_margin(api: Api) -> None:
    crew = Crew.hired(api, rates=[_euros(4000), {}, _euros(1500)])
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    assert _amounts(crew.report(DAY, DAY)["rows"][0]) == {"billed": 1500, "paid": 4000, "margin": -2500}


def test_a_rate_that_changes_holds_from_local_midnight(api: Api) -> None:
    # Given three hours, one before midnight, and another bill rate from then on
    bill = {LONG_AGO: Money(amount=4000, currency="EUR"), date(2026, 3, 3): Money(amount=5000, currency="EUR")}
    crew = Crew.hired(api, "Europe/Berlin", rates=[_euros(1000), {}, bill])
    start = minute_of("2026-03-02T22:00Z")  # an hour before midnight
    crew.assign(0, 0, start, start + 180)
    # Then each hour has the rate of its day
    assert _amounts(crew.report(DAY, date(2026, 3, 3))["rows"][0])["billed"] == 4000 + 2 * 5000
    assert _amounts(crew.report(DAY, DAY)["rows"][0])["billed"] == 4000
    assert _amounts(crew.report(date(2026, 3, 3), date(2026, 3, 3))["rows"][0])["billed"] == 10_000


def test_a_free_hour_has_an_amount_and_one_without_a_rate_has_none(api: Api) -> None:
    # Given an hour that is billed at nothing, and one that nobody is paid for
    crew = Crew.hired(api, rates=[_euros(1500), {}, _euros(0), _euros(4000)])
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    crew.assign(1, 1, EIGHT, EIGHT + 60)
    # When they are reported
    report = crew.report(DAY, DAY)
    # Then nothing is an amount, and no rate is none
    free, unpaid = sorted(report["rows"], key=lambda row: row["workerId"] != crew.workers[0])
    assert _amounts(free) == {"billed": 0, "paid": 1500, "margin": -1500}
    assert _amounts(unpaid) == {"billed": 4000}
    assert not {"paid", "margin"} & {*unpaid}, "an unknown amount has no key"


@pytest.mark.parametrize("since", [date(2026, 3, 3), None])
def test_a_row_with_any_hour_without_a_rate_has_no_amount(api: Api, since: date | None) -> None:
    # Given two rows, one of which lacks a bill rate for some or all of its hours
    crew = Crew.hired(api, rates=[_euros(1500), {}, {} if since is None else _euros(4000, since), _euros(3000)])
    crew.assign(0, 0, EIGHT, EIGHT + 2 * 24 * 60)
    crew.assign(0, 1, EIGHT, EIGHT + 60)
    # When both are reported
    report = crew.report(DAY, date(2026, 3, 4))
    # Then the totals have the amounts of the other, and the hours that lack one
    totals = report["totals"]
    assert (totals["hoursWithoutBillRate"], totals["hoursWithoutPayRate"]) == (48, 0)
    assert totals["billed"] == _money(3000)
    assert totals["paid"] == _money(49 * 1500)
    assert totals["margin"] == _money(3000 - 1500), "of the rows that have one"
    # Days that all have a rate have an amount
    if since is not None:
        assert crew.report(since, since)["totals"]["billed"] == _money(24 * 4000)


def test_without_any_rate_there_is_no_money_at_all(api: Api) -> None:
    crew = Crew.hired(api)
    crew.assign(0, 0, EIGHT, EIGHT + 90)
    report = crew.report(DAY, DAY)
    assert (_amounts(report["rows"][0]), _amounts(report["totals"])) == ({}, {})
    assert (report["totals"]["hoursWithoutBillRate"], report["totals"]["hoursWithoutPayRate"]) == (1.5, 1.5)


def test_no_hours_bring_nothing_and_lack_nothing(api: Api) -> None:
    report = Crew.hired(api).report(DAY, DAY)
    assert report["rows"] == []
    names = "totalHours totalSeconds scheduledHours scheduledSeconds hoursWithoutBillRate hoursWithoutPayRate"
    assert report["totals"] == dict.fromkeys(names.split(), 0)


@pytest.mark.parametrize("role", list(Role))
def test_amounts_are_for_those_who_may_read_rates(api: Api, role: Role) -> None:
    crew = Crew.hired(api, rates=[_euros(100)] * 3)
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    query = {"startDate": DAY.isoformat(), "endDate": DAY.isoformat()}
    answer = crew.organization.member(role).call("getHoursReport", query=query)
    if role in {Role.MEMBER, Role.VIEWER}:
        assert answer.code == "FORBIDDEN"
        return
    sees_money = role in {Role.OWNER, Role.ADMIN}
    money = {"billed", "paid", "margin"}
    assert [money <= {*row} for row in answer.data["rows"]] == [sees_money]
    assert (money | {"hoursWithoutBillRate", "hoursWithoutPayRate"} <= {*answer.data["totals"]}) == sees_money
    assert sees_money or not money & {*answer.data["rows"][0], *answer.data["totals"]}


def test_a_rate_in_another_currency_is_none(api: Api) -> None:
    # Given an hour that is paid in euros and billed in dollars
    crew = Crew.hired(api, rates=[_euros(1500), {}, {LONG_AGO: Money(amount=4000, currency="USD")}])
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    # When it is reported in each currency
    report = crew.report(DAY, DAY)
    crew.done("updateOrganization", body={"currency": "USD"})
    in_dollars = crew.report(DAY, DAY)
    # Then it has the amounts of that currency alone
    assert _amounts(report["totals"]) == {"paid": 1500}
    assert in_dollars["totals"]["billed"] == _money(4000, "USD")
    assert "paid" not in in_dollars["totals"]


def test_rates_are_those_that_their_actions_set(api: Api) -> None:
    # Given hours, and rates that were set after them
    crew = Crew.hired(api)
    crew.assign(0, 0, EIGHT, EIGHT + 120)
    for action, identifier, amount in [
        ("setPositionRate", crew.positions[0], 4000),
        ("setWorkerRate", crew.workers[0], 1500),
    ]:
        crew.done(action, path={"id": identifier, "effectiveFrom": str(DAY)}, body=_money(amount))
    # Then the hours have their amounts
    assert _amounts(crew.report(DAY, DAY)["rows"][0]) == {"billed": 8000, "paid": 3000, "margin": 5000}
    # And lose that whose rate is deleted
    crew.done("deletePositionRate", path={"id": crew.positions[0], "effectiveFrom": str(DAY)})
    assert _amounts(crew.report(DAY, DAY)["rows"][0]) == {"paid": 3000}


def test_amounts_are_rounded_once_a_row_and_totals_are_sums_of_what_is_shown(api: Api) -> None:
    """Seven minutes at 1.00 are 11.67 cents: three rows of 12 make 36, one of three times seven minutes 35."""
    crew = Crew.hired(api, rates=[_euros(100), _euros(100), *[_euros(100)] * 3])
    for position in range(3):
        crew.assign(0, position, EIGHT, EIGHT + 7)
        crew.assign(1, 0, EIGHT + 10 * position, EIGHT + 10 * position + 7)

    report = crew.report(DAY, DAY)

    assert sorted(row["billed"]["amount"] for row in report["rows"]) == [12, 12, 12, 35]
    assert report["totals"]["billed"] == _money(71)
    expected = rows_of(crew, DAY, DAY, EIGHT + 60)
    assert report["totals"] == totals_of(expected)


def test_half_a_cent_is_rounded_up(api: Api) -> None:
    crew = Crew.hired(api, rates=[_euros(3), {}, _euros(1)])
    crew.assign(0, 0, EIGHT, EIGHT + 30)
    assert _amounts(crew.report(DAY, DAY)["rows"][0]) == {"billed": 1, "paid": 2, "margin": -1}
