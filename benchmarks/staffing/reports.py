"""`getHoursReport` of a month, compared with adding up the assignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchmarks.staffing import plan
from benchmarks.staffing.measured import Measured, measured
from benchmarks.tables import show
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys
from chalicelib.dal.item import Item
from chalicelib.models.staffing.assignments import ASSIGNMENTS
from tests.support.factories import Organization

_QUERY = {"startDate": plan.month().isoformat(), "endDate": plan.last_day().isoformat()}


def run(organizations: Mapping[str, tuple[Organization, dict[str, Any]]]) -> None:
    small, contents = organizations["10,000"]
    grown, _ = organizations["110,000"]
    wide, _ = organizations["1,000 workers"]
    naive = measured(lambda: sum_assignments(small.id), repeats=3)
    assert sum(naive.result.values()) == contents["totals"]["seconds"]
    rows = [
        result_row("query the assignments, add them up", len(naive.result), naive, naive),
        report_row("500 workers x 20 shifts", small, contents, naive),
        report_row("... with 100,000 older assignments", grown, organizations["110,000"][1], naive),
        csv_row("500 x 20, as CSV", small, naive),
        # As JSON it would be over the 1 MB of an answer.
        csv_row("1,000 workers x 10 shifts, as CSV", wide, naive),
        result_row("500 x 20, of one client", *hours_report(small, {"clientId": contents["clientId"]}), naive),
    ]
    for organization in (small, grown):
        organization.owner.call("updateOrganization", body={"timezone": "Europe/Berlin"})
    rows += [
        report_row("500 x 20, in Berlin", small, contents, naive),
        report_row("... with older: two months are read", grown, organizations["110,000"][1], naive),
    ]
    show(
        "A month's hours of 10,000 assignments, with rates (ratio: to adding up the assignments)",
        ("", "rows", "round trips", "RCU", "CPU ms", "ratio"),
        rows,
    )


def sum_assignments(organization: OrganizationId) -> dict[tuple[str, str], int]:
    """Return seconds by worker and work location of the month's assignments, read from the table, without names."""
    since, until = (f"{day.isoformat()}T" for day in (plan.month(), plan.month(-1)))
    seconds: dict[tuple[str, str], int] = defaultdict(int)
    for item in Item.query(keys.partition(organization, ASSIGNMENTS.kind)):
        stored = item.data
        if since <= stored["startAt"] < until and "cancelledAt" not in stored:
            start, end = (datetime.fromisoformat(stored[name]) for name in ("startAt", "endAt"))
            seconds[stored["workerId"], stored["workLocationId"]] += int((end - start).total_seconds())
    return seconds


def report_row(name: str, organization: Organization, contents: dict[str, Any], naive: Measured) -> tuple[object, ...]:
    rows, report = hours_report(organization, {})
    totals, expected = report.data["totals"], contents["totals"]
    money = {name: totals[name]["amount"] for name in ("billed", "paid")}
    assert {"rows": rows, "seconds": totals["totalSeconds"], **money} == expected, (name, totals, expected)
    return result_row(name, rows, report, naive)


def csv_row(name: str, organization: Organization, naive: Measured) -> tuple[object, ...]:
    export = measured(lambda: organization.owner.call("exportReportToCsv", query=_QUERY))
    return result_row(name, export.result.text.count("\r\n") - 1, export, naive)


def hours_report(organization: Organization, query: dict[str, str]) -> tuple[int, Measured]:
    report = measured(lambda: organization.owner.call("getHoursReport", query={**_QUERY, **query}))
    return len(report.data["rows"]), report


def result_row(name: str, rows: int, cost: Measured, naive: Measured) -> tuple[object, ...]:
    ratio = cost.milliseconds / naive.milliseconds
    return name, rows, cost.round_trips, cost.capacity, cost.milliseconds, f"{ratio:.2f}"
