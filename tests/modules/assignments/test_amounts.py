"""Amounts of an assignment's hours at the rates of their days, for those who may read rates."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import Desk
from tests.support.factories import new_organization
from tests.support.frozen_time import later

AMOUNTS = {"billed", "paid", "margin"}


@pytest.fixture(scope="module")
def berlin(api: Api, _still: None) -> Desk:
    desk = Desk.of(new_organization(api))
    assert desk.member.call("updateOrganization", body={"timezone": "Europe/Berlin", "currency": "EUR"}).status == 200
    return desk


def rate(desk: Desk, of: str, identifier: str, day: str, amount: int, currency: str = "EUR") -> None:
    path = {"id": identifier, "effectiveFrom": day}
    answer = desk.member.call(f"set{of}Rate", path=path, body={"amount": amount, "currency": currency})
    assert answer.status == 200, answer.text


def assign(desk: Desk, worker: str, position: str, start: str, end: str | None) -> dict[str, Any]:
    body = {"workerId": worker, "positionId": position, "startAt": start, "endAt": end}
    answer = desk.member.call("createAssignment", body=body)
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data


def amounts(shown: dict[str, Any]) -> dict[str, int]:
    assert all(shown[name]["currency"] == "EUR" for name in AMOUNTS & {*shown})
    return {name: shown[name]["amount"] for name in AMOUNTS & {*shown}}


@pytest.fixture(scope="module")
def rated(berlin: Desk) -> tuple[str, str]:
    """A worker at 15.00 and a position at 25.00 from the 1st of March, 20.00 and 40.00 from the 10th."""
    worker, position = berlin.worker(), berlin.position(headcount=99)
    for day, pay, bill in (("2026-03-01", 1500, 2500), ("2026-03-10", 2000, 4000)):
        rate(berlin, "Worker", worker, day, pay)
        rate(berlin, "Position", position, day, bill)
    return worker, position


@pytest.mark.parametrize(
    ("start", "end", "billed", "paid"),
    [
        ("2026-03-02T08:00:00Z", "2026-03-02T16:30:00Z", 21_250, 12_750),
        ("2026-03-09T20:00:00Z", "2026-03-10T02:00:00Z", 3 * 2500 + 3 * 4000, 3 * 1500 + 3 * 2000),
        ("2026-03-09T15:00:00Z", "2026-03-09T23:00:00Z", 8 * 2500, 8 * 1500),
        ("2026-03-09T23:00:00Z", "2026-03-10T07:00:00Z", 8 * 4000, 8 * 2000),
        ("2026-03-28T22:00:00Z", "2026-03-29T06:00:00Z", 8 * 4000, 8 * 2000),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:01Z", 1, 0),
        ("2026-02-28T23:00:00Z", "2026-03-01T01:00:00Z", 5000, 3000),
    ],
)
def test_hours_cost_what_their_local_day_says(
    berlin: Desk, rated: tuple[str, str], start: str, end: str, billed: int, paid: int
) -> None:
    shown = assign(berlin, *rated, start, end)
    expected = {"billed": billed, "paid": paid, "margin": billed - paid}
    assert amounts(shown) == expected
    assert amounts(berlin.read(shown["id"])) == expected


def test_an_hour_before_the_first_rate_leaves_no_amount(berlin: Desk, rated: tuple[str, str]) -> None:
    shown = assign(berlin, *rated, "2026-02-28T22:59:59Z", "2026-03-01T07:00:00Z")
    assert not AMOUNTS & {*shown}


def test_where_one_rate_is_missing_the_other_is_shown_alone(berlin: Desk, rated: tuple[str, str]) -> None:
    worker, position = rated
    times = ("2026-03-02T08:00:00Z", "2026-03-02T16:00:00Z")
    assert amounts(assign(berlin, berlin.worker(), position, *times)) == {"billed": 20_000}
    assert amounts(assign(berlin, worker, berlin.position(), *times)) == {"paid": 12_000}
    assert not AMOUNTS & {*assign(berlin, berlin.worker(), berlin.position(), *times)}


def test_one_without_an_end_comes_to_what_it_is_up_to_now(berlin: Desk, rated: tuple[str, str]) -> None:
    shown = assign(berlin, *rated, "2026-06-15T10:00:00Z", None)
    assert amounts(shown) == {"billed": 8000, "paid": 4000, "margin": 4000}
    with later(hours=1):
        assert amounts(berlin.read(shown["id"])) == {"billed": 12_000, "paid": 6000, "margin": 6000}
    assert not AMOUNTS & {*assign(berlin, *rated, "2026-06-15T13:00:00Z", None)}


def test_a_cancelled_one_comes_to_nothing(berlin: Desk, rated: tuple[str, str]) -> None:
    shown = assign(berlin, *rated, "2026-06-16T08:00:00Z", "2026-06-16T16:00:00Z")
    cancelled = berlin.done("cancelAssignment", shown["id"])
    assert not AMOUNTS & {*cancelled}
    assert (shown["scheduledHours"], cancelled["scheduledHours"]) == (8.0, 0.0)


def test_what_lies_ahead_has_hours_and_no_amount(berlin: Desk, rated: tuple[str, str]) -> None:
    shown = assign(berlin, *rated, "2026-06-15T10:00:00Z", "2026-06-15T20:00:00Z")
    assert (shown["totalHours"], shown["scheduledHours"], amounts(shown)["billed"]) == (2.0, 8.0, 8000)
    with later(hours=9):
        shown = berlin.read(shown["id"])
    assert (shown["totalHours"], shown["scheduledHours"], amounts(shown)["billed"]) == (10.0, 0.0, 40_000)


@pytest.mark.parametrize("role", list(Role))
def test_amounts_are_for_those_who_may_read_rates(berlin: Desk, rated: tuple[str, str], role: Role) -> None:
    worker, position = rated
    shown = assign(berlin, worker, position, "2026-03-02T08:00:00Z", "2026-03-02T16:00:00Z")
    reader = berlin.as_(berlin.organization.member(role))
    (listed,) = (row for row in _rows(reader, position) if row["id"] == shown["id"])
    page = reader.done("getWorkerWithAssignments", worker)
    (of_worker,) = (row for row in page["assignments"] if row["id"] == shown["id"])
    busy = reader.done("checkWorkerAvailability", worker, query={"at": "2026-03-02T09:00:00Z"})
    may = role in {Role.OWNER, Role.ADMIN}
    for row in (reader.read(shown["id"]), listed, of_worker, busy["assignments"][0]):
        assert ({*row} >= AMOUNTS) if may else not (AMOUNTS & {*row})


def _rows(reader: Desk, position: str) -> list[dict[str, Any]]:
    query = {"positionId": position, "limit": 100}
    rows: list[dict[str, Any]] = reader.member.call("getAssignments", query=query).data["items"]
    return rows
