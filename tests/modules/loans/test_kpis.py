"""KPIs of loans: tests, corrections, cures, waivers, and what both sides learn of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.factories import Organization
from tests.support.frozen_time import later, standing_still
from tests.support.loan_helpers import Deal, assert_equal_on_both_sides, offered, party
from tests.support.store import Store, of

KPI = {
    "name": "Schuldendienstdeckungsgrad",
    "target": 1.2,
    "direction": "UP",
    "frequency": "QUARTERLY",
    "firstTestDate": "2026-06-30",
    "reportingDays": 30,
    "cureDays": 10,
}
JULY = datetime(2026, 7, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(local_stack: Any) -> Store:
    return of(local_stack)


@pytest.fixture(autouse=True)
def _july() -> Iterator[None]:
    with standing_still(JULY):
        yield


@pytest.fixture(scope="module")
def sides(api: Api, _fresh_table: None) -> tuple[Organization, Organization]:
    """Return a lender and a borrower who are signed in on the day of the tests."""
    with standing_still(JULY):
        return party(api, "LENDER", timezone="Europe/Berlin"), party(api, "BORROWER")


@pytest.fixture
def loan(sides: tuple[Organization, Organization]) -> Deal:
    return offered(*sides).accept()


@pytest.fixture
def kpi(loan: Deal) -> dict[str, str]:
    """Return the path of a KPI."""
    return {**loan.path, "kpiId": loan.lend("createKpi", 201, **KPI)["id"]}


def record(loan: Deal, kpi: dict[str, str], value: float, day: str = "2026-06-30", **fields: Any) -> Answer:
    body = {"testDate": day, "value": value, **fields}
    return loan.borrower.api.call("recordKpiValue", session(loan.borrower), path=kpi, body=body)


def waive(loan: Deal, kpi: dict[str, str], day: str = "2026-06-30") -> Answer:
    path = {**kpi, "testDate": day}
    return loan.lender.api.call("waiveKpiBreach", session(loan.lender), path=path, body={"reason": "Einmalig."})


def listed(loan: Deal, kpi: dict[str, str]) -> list[dict[str, Any]]:
    answer = loan.borrower.api.call("listKpiTests", session(loan.borrower), path=kpi)
    assert answer.status == 200, answer.text
    rows: list[dict[str, Any]] = answer.data["items"]
    return rows


def session(organization: Organization) -> str:
    """Open a session at the time of the call."""
    return organization.session(organization.owner.user)


def test_tests_are_on_dates_until_maturity(loan: Deal, kpi: dict[str, str]) -> None:
    dates = [row["testDate"] for row in listed(loan, kpi)]

    assert dates[:3] == ["2026-06-30", "2026-09-30", "2026-12-30"]
    assert dates[-1] == "2027-12-30"


def test_a_walk_through_the_tests(loan: Deal, kpi: dict[str, str]) -> None:
    assert record(loan, kpi, 1.5).status == 201
    seen, cursor = [], None
    while not seen or cursor:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = loan.lender.owner.call("listKpiTests", path=kpi, query=query).data
        seen += page["items"]
        cursor = page["nextCursor"]

    assert seen == listed(loan, kpi)
    assert [row["state"] for row in seen] == ["MET", *["PENDING"] * 6]


@pytest.mark.parametrize(
    ("direction", "target", "value", "state"),
    [
        ("UP", 1.2, 1.2, "MET"),
        ("UP", 1.2, 1.19, "BREACHED"),
        ("DOWN", 3, 3, "MET"),
        ("DOWN", 3, 3.000001, "BREACHED"),
        ("UP", 0, 0, "MET"),
        ("UP", 0, -0.5, "BREACHED"),
    ],
)
def test_a_value_is_judged(loan: Deal, direction: str, target: float, value: float, state: str) -> None:
    created = loan.lend("createKpi", 201, **{**KPI, "direction": direction, "target": target})

    answer = record(loan, {**loan.path, "kpiId": created["id"]}, value, evidence="Quartalsbericht")

    assert (answer.data["state"], answer.data["target"]) == (state, target)
    assert answer.data["values"][0]["evidence"] == "Quartalsbericht"


def test_a_correction_is_a_new_version_and_cures_in_time(loan: Deal, kpi: dict[str, str]) -> None:
    breach = record(loan, kpi, 1.0).data
    assert (breach["state"], breach["cureUntil"]) == ("BREACHED", "2026-07-20")

    with later(days=10):
        cured = record(loan, kpi, 1.3).data

    assert cured["state"] == "CURED"
    assert [(row["version"], row["value"]) for row in cured["values"]] == [(1, 1.0), (2, 1.3)]
    assert_both_sides_read_the_same(loan, kpi)


def test_too_late_a_correction_cures_nothing(loan: Deal, kpi: dict[str, str]) -> None:
    record(loan, kpi, 1.0)

    with later(days=11):
        assert record(loan, kpi, 1.3).data["state"] == "BREACHED"


def test_a_test_without_a_value_in_time_is_missed(loan: Deal, kpi: dict[str, str]) -> None:
    assert listed(loan, kpi)[0]["state"] == "PENDING"
    assert listed(loan, kpi)[0]["reportUntil"] == "2026-07-30"
    # The day ends in Berlin, two hours before it does in UTC
    with standing_still(datetime(2026, 7, 30, 21, 59, tzinfo=UTC)):
        assert listed(loan, kpi)[0]["state"] == "PENDING"
    with standing_still(datetime(2026, 7, 30, 22, tzinfo=UTC)):
        assert listed(loan, kpi)[0]["state"] == "MISSED"
        late = record(loan, kpi, 1.5).data
        assert (late["state"], late["value"]) == ("MISSED", 1.5)


def test_a_breach_is_waived_with_a_reason(loan: Deal, kpi: dict[str, str]) -> None:
    record(loan, kpi, 1.0)

    waived = waive(loan, kpi).data

    assert (waived["state"], waived["waiver"]["reason"]) == ("WAIVED", "Einmalig.")
    assert waive(loan, kpi).error["message"] == "a test that is WAIVED cannot be waived"
    assert_both_sides_read_the_same(loan, kpi)


@pytest.mark.parametrize(("value", "state"), [(None, "PENDING"), (2, "MET")])
def test_only_a_breach_is_waived(loan: Deal, kpi: dict[str, str], value: float | None, state: str) -> None:
    if value is not None:
        record(loan, kpi, value)

    assert waive(loan, kpi).error["message"] == f"a test that is {state} cannot be waived"


def test_a_changed_target_holds_for_tests_not_yet_judged(loan: Deal, kpi: dict[str, str]) -> None:
    record(loan, kpi, 1.3)

    with later(seconds=1):
        answer = loan.lender.owner.call("updateKpi", path=kpi, body={"target": 1.4})
        judged, pending, *_ = listed(loan, kpi)

    assert answer.data["target"] == 1.4
    assert (judged["state"], judged["target"]) == ("MET", 1.2)
    assert (pending["state"], pending["target"]) == ("PENDING", 1.4)


@pytest.mark.parametrize(
    ("day", "message"),
    [("2026-06-29", "is not a test date of this KPI"), ("2026-09-30", "must not be ahead")],
)
def test_values_are_of_test_dates(loan: Deal, kpi: dict[str, str], day: str, message: str) -> None:
    assert record(loan, kpi, 1, day).error["details"]["fieldErrors"] == {"testDate": [message]}


@pytest.mark.parametrize("day", ["2026-01-31", "2028-02-02"])
def test_the_first_test_is_in_the_time_of_the_loan(loan: Deal, day: str) -> None:
    answer = loan.lender.owner.call("createKpi", path=loan.path, body={**KPI, "firstTestDate": day})

    assert answer.error["details"]["fieldErrors"] == {"firstTestDate": ["must be from startDate to maturityDate"]}


def test_a_deleted_kpi_is_gone_for_both(loan: Deal, kpi: dict[str, str]) -> None:
    record(loan, kpi, 1.0)

    assert loan.lender.owner.call("deleteKpi", path=kpi).status == 200

    for side in (loan.lender, loan.borrower):
        assert side.owner.call("listKpis", path=loan.path).data["items"] == []
        assert side.owner.call("listKpiTests", path=kpi).status == 404
    assert record(loan, kpi, 1.0).status == 404


def test_who_does_what(loan: Deal, kpi: dict[str, str]) -> None:
    answers = [
        loan.borrower.owner.call("createKpi", path=loan.path, body=KPI),
        loan.borrower.owner.call("updateKpi", path=kpi, body={"target": 0.1}),
        loan.borrower.owner.call("deleteKpi", path=kpi),
        loan.borrower.owner.call("waiveKpiBreach", path={**kpi, "testDate": "2026-06-30"}, body={"reason": "x"}),
        loan.lender.owner.call("recordKpiValue", path=kpi, body={"testDate": "2026-06-30", "value": 1}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "NOT_FOUND")] * 5


def test_an_offer_has_kpis_but_no_values(sides: tuple[Organization, Organization]) -> None:
    loan = offered(*sides)
    kpi = {**loan.path, "kpiId": loan.lend("createKpi", 201, **KPI)["id"]}

    assert "OFFERED" in record(loan, kpi, 1).error["message"]
    loan.lend("cancelLoan")
    answer = loan.lender.owner.call("createKpi", path=loan.path, body=KPI)
    assert "CANCELLED" in answer.error["message"]


def test_both_partitions_are_equal(loan: Deal, kpi: dict[str, str], store: Store) -> None:
    record(loan, kpi, 1.0)
    waive(loan, kpi)
    loan.lender.owner.call("updateKpi", path=kpi, body={"reportingDays": 40})
    loan.lend("createKpi", 201, **KPI)

    assert_equal_on_both_sides(store, loan)


def assert_both_sides_read_the_same(loan: Deal, kpi: dict[str, str]) -> None:
    assert loan.lender.owner.call("listKpiTests", path=kpi).data["items"] == listed(loan, kpi)
